//! OpenSLO v1: objects as its own Go library reads and validates them, and the objectives that they say.
//!
//! Format: <https://github.com/OpenSLO/OpenSLO>; what is refused is what `pkg/openslo/v1` of its Go library refuses,
//! unknown keys included.

mod alerts;
mod indicator;
mod parts;
mod spec;

use super::keys::{child, word};
use super::objective::Slo;
use super::read::Objectives;
use crate::promql::Features;
use crate::text::yaml::{Decoder, Dialect, Fields, Kind, Node, UnknownFields};
use crate::text::{Diagnostic, Source, Span};
use indicator::Sli;
use spec::SloObject;

/// The only version that is read.
const VERSION: &str = "openslo/v1";

/// The kinds of objects.
const KINDS: [&str; 7] = [
    "DataSource",
    "SLO",
    "SLI",
    "AlertPolicy",
    "AlertCondition",
    "AlertNotificationTarget",
    "Service",
];

/// Whether a document, or the first of its items, is one of OpenSLO's.
pub(super) fn is_object(root: Node<'_>) -> bool {
    let first = match root.kind() {
        Kind::Sequence(items) => items.iter().next(),
        _ => Some(root),
    };
    let version = first.and_then(|root| child(root, "apiVersion"));
    let version = version.and_then(|(_, version)| word(version));
    version.is_some_and(|version| version.starts_with("openslo"))
}

/// Reads the objects of documents, each one or a list of some, and the objectives among them.
///
/// # Errors
/// Everything that OpenSLO's library refuses, and objectives that name an indicator that is not in the file, no query of
/// Prometheus or no time window.
pub(super) fn read<'d>(
    source: &'d Source,
    roots: &[Node<'d>],
    features: &Features,
) -> Result<Objectives, Vec<Diagnostic>> {
    let mut reader = Reader {
        decoder: Decoder::new(source, Dialect::V3),
        features,
        warnings: Vec::new(),
    };
    let (mut indicators, mut objects) = (Vec::new(), Vec::new());
    for root in roots.iter().filter(|root| !root.is_null()) {
        let items = match root.kind() {
            Kind::Sequence(items) => items.iter().collect(),
            _ => vec![*root],
        };
        for item in items {
            reader.object(item, &mut indicators, &mut objects);
        }
    }
    let mut slos: Vec<Slo> = Vec::new();
    if reader.decoder.faults.is_empty() {
        for object in &objects {
            for slo in reader.objectives(object, &indicators) {
                match slos.iter().any(|other| other.name == slo.name) {
                    true => {
                        let message = format!("there are two objectives {:?}", slo.name);
                        reader.error(slo.place.span, message, "give one of them another name");
                    }
                    false => slos.push(slo),
                }
            }
        }
    }
    let mut faults = reader.decoder.faults;
    if faults.is_empty() && slos.is_empty() {
        let fault = Diagnostic::error(format!("{} holds no SLO", source.name()));
        faults.push(fault.help("its objects are of other kinds: add one of kind SLO"));
    }
    faults.sort_by_key(|fault| fault.place.as_ref().map(|place| place.span.start));
    match faults.is_empty() {
        true => Ok(Objectives {
            slos,
            warnings: reader.warnings,
        }),
        false => Err(faults),
    }
}

/// Takes values out of objects.
struct Reader<'d, 'f> {
    decoder: Decoder<'d>,
    features: &'f Features,
    warnings: Vec<Diagnostic>,
}

impl<'d> Reader<'d, '_> {
    fn object(
        &mut self,
        node: Node<'d>,
        indicators: &mut Vec<(String, Sli<'d>)>,
        objects: &mut Vec<SloObject<'d>>,
    ) {
        let keys = ["apiVersion", "kind", "metadata", "spec"];
        let Some(fields) = self.fields(node, "an object of OpenSLO", &keys) else {
            return;
        };
        let version = fields.node("apiVersion");
        let version = version.and_then(|node| Some((self.text(node, "apiVersion")?, node.span())));
        match version {
            Some((version, _)) if version == VERSION => {}
            Some((version, span)) => {
                let message = format!("`apiVersion`: {version} is not read");
                self.error(span, message, format!("write `apiVersion: {VERSION}`"));
                return;
            }
            None => {
                let message = "`apiVersion` is missing";
                self.error(
                    node.span(),
                    message,
                    format!("write `apiVersion: {VERSION}`"),
                );
                return;
            }
        }
        let kind = self.one_of(&fields, node, "kind", &KINDS);
        let name = self.metadata(&fields, node);
        let Some(kind) = kind else {
            return;
        };
        let Some(spec) = self.required(&fields, node, "spec") else {
            return;
        };
        match kind {
            "SLO" => {
                let object = self.slo(spec, name);
                objects.extend(object);
            }
            "SLI" => {
                let sli = self.sli(spec);
                indicators.extend(name.map(|(name, _)| name).zip(sli));
            }
            "DataSource" => self.data_source(spec),
            "AlertPolicy" => self.alert_policy(spec),
            "AlertCondition" => self.alert_condition(spec),
            "AlertNotificationTarget" => self.notification_target(spec),
            _ => {
                if let Some(fields) = self.fields(spec, "a service", &["description"]) {
                    self.description(&fields);
                }
            }
        }
    }

    fn data_source(&mut self, node: Node<'d>) {
        let keys = ["description", "type", "connectionDetails"];
        let Some(fields) = self.fields(node, "a data source", &keys) else {
            return;
        };
        self.description(&fields);
        if let Some(kind) = self.required(&fields, node, "type") {
            self.some_text(kind, "type");
        }
        self.required(&fields, node, "connectionDetails");
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

    fn error(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.decoder.error(span, message, help);
    }

    fn warn(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let warning = Diagnostic::warning(message).at(self.decoder.source(), span);
        self.warnings.push(warning.help(help));
    }
}
