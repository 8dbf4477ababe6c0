//! OpenSLO v1: objects as its own Go library reads and validates them, the objectives that they say, and rules for them.
//!
//! Format: <https://github.com/OpenSLO/OpenSLO>; what is refused is what `pkg/openslo/v1` of its Go library refuses,
//! unknown keys included, and references to objects that are in none of the files.

mod alerts;
mod indicator;
mod lints;
mod objects;
mod parts;
mod resolve;
mod rules;
mod spec;

use super::objective;
use crate::model::Millis;
use crate::promql::ast::BinaryOp;
use crate::text::yaml::{Decoder, Dialect, Fields, Node, UnknownFields};
use crate::text::{Diagnostic, Place, Source, Span};

pub use lints::lint;
pub use rules::generate;

pub(super) use objects::{Objects, is_object};
pub(super) use resolve::resolve;

/// The only version that is read.
const VERSION: &str = "openslo/v1";

/// What the objects of a file say, with those of other files that they name.
#[derive(Debug, Clone, Default)]
pub struct Spec {
    /// The objectives in the order of the file.
    pub objectives: Vec<Objective>,
    /// How many objects there are, those of kind SLO included.
    pub objects: usize,
    /// What OpenSLO allows and no budget or rule can be made of: an error for whoever wants one.
    pub unmade: Vec<Diagnostic>,
    /// What is legal and hardly meant.
    pub warnings: Vec<Diagnostic>,
}

/// An objective, and when to alert.
#[derive(Debug, Clone)]
pub struct Objective {
    /// What it says.
    pub slo: objective::Slo,
    /// What its alert policies say; `None` where it has none.
    pub alerts: Option<Vec<Alert>>,
}

/// What an alert policy says.
#[derive(Debug, Clone)]
pub struct Alert {
    /// The name of the policy.
    pub policy: String,
    /// What it is about; may be empty.
    pub description: String,
    /// Whether it also alerts where there is no data.
    pub without_data: bool,
    /// Whether it alerts when its condition holds; `None` for nothing said, which OpenSLO takes as no.
    pub when_breaching: Option<bool>,
    /// How bad it is.
    pub severity: String,
    /// How the burn rate is compared: `<`, `<=`, `>` or `>=`.
    pub op: BinaryOp,
    /// With how many times the burn rate that the budget allows.
    pub threshold: f64,
    /// Over which time.
    pub lookback: Millis,
    /// For how long the comparison must hold.
    pub after: Millis,
    /// Where the policy stands, and the parts of its condition.
    pub places: Places,
}

/// Where the parts of an alert stand.
#[derive(Debug, Clone)]
pub struct Places {
    /// The name of the policy.
    pub policy: Place,
    /// `threshold`.
    pub threshold: Place,
    /// `lookbackWindow`.
    pub lookback: Place,
}

/// Takes values out of objects.
struct Reader<'d> {
    decoder: Decoder<'d>,
    warnings: Vec<Diagnostic>,
}

impl<'d> Reader<'d> {
    fn new(source: &'d Source) -> Reader<'d> {
        Reader {
            decoder: Decoder::new(source, Dialect::V3),
            warnings: Vec::new(),
        }
    }

    fn fields(&mut self, node: Node<'d>, what: &str, known: &[&str]) -> Option<Fields<'d>> {
        if node.is_null() {
            let help = format!("it has the keys {}", known.join(", "));
            self.error(node.span(), format!("{what} is empty"), help);
            return None;
        }
        self.decoder
            .fields(node, what, known, UnknownFields::Refuse)
    }

    fn place(&self, span: Span) -> Place {
        Place::new(self.decoder.source(), span)
    }

    fn error(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.decoder.error(span, message, help);
    }

    fn warn(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let warning = Diagnostic::warning(message).at(self.decoder.source(), span);
        self.warnings.push(warning.help(help));
    }
}

/// The value of a key, if there is one.
fn given<'d>(fields: &Fields<'d>, name: &str) -> Option<Node<'d>> {
    fields.node(name).filter(|node| !node.is_null())
}
