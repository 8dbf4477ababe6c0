//! Writes what was observed into the expectations of a test file, everything else kept byte for byte.

mod edit;
mod element;
mod expected;
mod item;
mod locate;
mod moment;
mod pairing;
mod style;
mod whole;

pub use whole::{Rewritten, rewrite};

use edit::Edit;
use locate::{locate, refuse};

use crate::model::{Histogram, Labels};
use crate::text::yaml::{self, Document};
use crate::text::{Diagnostic, Source, Span};

/// What to write into which check.
#[derive(Debug, Clone)]
pub struct Replacement {
    /// The test, by its place in the file from 0.
    pub test: usize,
    /// Whether other tests have the same expectation and see something else, as those of a matrix may.
    pub is_shared: bool,
    /// The check in it.
    pub check: CheckId,
    /// What it yielded.
    pub observed: Observed,
}

/// A check by its place in its list, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckId {
    /// In `alert_rule_test`.
    Alert(usize),
    /// In `promql_expr_test`.
    Expr(usize),
}

/// What a check yielded.
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// The firing alerts.
    Alerts(Vec<ObservedAlert>),
    /// The samples of the expression.
    Samples(Vec<ObservedSample>),
}

/// An alert that fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedAlert {
    /// Its labels; `alertname` is not written.
    pub labels: Labels,
    /// Its annotations in the order of names.
    pub annotations: Vec<(String, String)>,
}

/// A sample of an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedSample {
    /// Its name and labels.
    pub labels: Labels,
    /// Its value; not written beside a histogram.
    pub value: f64,
    /// Its native histogram.
    pub histogram: Option<Histogram>,
}

/// A test file with new expectations.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The new text.
    pub text: String,
    /// Checks that could not be changed alone, and why.
    pub refused: Vec<Diagnostic>,
}

/// Changes the expectations of checks to what was observed.
///
/// # Errors
///
/// The text is no YAML.
pub fn accept(source: &Source, replacements: &[Replacement]) -> Result<Accepted, Diagnostic> {
    let document = yaml::parse(source)?;
    let (mut edits, refused) = check_edits(&document, replacements);
    edits.sort_by_key(|edit| edit.span.start);
    let mut text = String::with_capacity(source.text().len());
    let mut done = 0;
    for edit in &edits {
        text.push_str(source.slice(Span::new(done, edit.span.start)));
        text.push_str(&edit.text);
        done = edit.span.end;
    }
    text.push_str(source.slice(Span::new(done, source.text().len())));
    Ok(Accepted { text, refused })
}

/// The edits that promtool's checks need, and those that can't be changed.
fn check_edits(
    document: &Document<'_>,
    replacements: &[Replacement],
) -> (Vec<Edit>, Vec<Diagnostic>) {
    let mut edits: Vec<Edit> = Vec::new();
    let mut refused = Vec::new();
    for replacement in replacements {
        let found = locate(document, replacement).and_then(|target| {
            let edit = target.edit(replacement)?;
            let overlaps = |edit: &Edit| edits.iter().any(|other| other.overlaps(edit));
            match edit.iter().any(overlaps) {
                true => Err(refuse(
                    target.item,
                    "another check stands in the same place",
                )),
                false => Ok(edit),
            }
        });
        match found {
            Ok(found) => edits.extend(found),
            Err(reason) => refused.push(reason),
        }
    }
    (edits, refused)
}
