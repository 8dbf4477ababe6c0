//! The door through which all rule files come in, whatever their rules are wrapped in.

use std::fmt;

use super::wrapper::{self, all_documents, first_document};
use super::{ReadOptions, RuleFile};
use crate::model::{Duration, DurationError, Millis};
use crate::promql::QueryError;
use crate::text::yaml::{self, Decoder, Embedded, Node};
use crate::text::{Diagnostic, Source};

/// Whether a text may hold rules, by a look at the beginnings of its lines: it has a top-level `groups:`, or is a
/// Kubernetes object with groups of rules somewhere in it.
pub fn looks_like_rule_file(text: &str) -> bool {
    yaml::has_top_level_key(text, "groups") || wrapper::looks_like_one(text)
}

/// Reads a rule file: groups as Prometheus reads them, and unless only what promtool reads is asked for, groups in several
/// documents, with the keys of other programs, and inside of Kubernetes objects.
///
/// # Errors
///
/// Every fault for which the rules would not be loaded, in the order of the file.
pub fn read(source: &Source, options: &ReadOptions) -> Result<RuleFile, Vec<Diagnostic>> {
    let contents = match options.promtool_compatible {
        true => first_document(source, options)?,
        false => all_documents(source, options)?,
    };
    let mut faults = contents.faults;
    if faults.is_empty() {
        return Ok(RuleFile {
            source: source.clone(),
            groups: contents.groups,
            warnings: contents.warnings,
            notes: contents.notes,
            wrappers: contents.wrappers.into_iter().collect(),
        });
    }
    let start = |fault: &Diagnostic| fault.place.as_ref().map(|place| place.span.start);
    faults.sort_by_key(start);
    // A fault in a group's label would show once a rule.
    faults.dedup_by(|a, b| start(a) == start(b) && a.message == b.message);
    Err(faults)
}

/// Reads a duration as Prometheus writes them; 0 for nothing, `None` with a fault for no duration.
pub(crate) fn decode_duration<'d>(
    decoder: &mut Decoder<'d>,
    node: Node<'d>,
    what: impl fmt::Display,
) -> Option<Millis> {
    if node.is_null() {
        return Some(0);
    }
    let text = decoder.text(node, &what)?;
    match Duration::parse(&text) {
        Ok(duration) => Some(duration.millis()),
        Err(error) => {
            let help = match (&error, text.bytes().all(|byte| byte.is_ascii_digit())) {
                (DurationError::Malformed(_), true) => format!("a duration has a unit: `{text}s`"),
                (DurationError::OutOfRange, _) => "the longest is about 292 years".to_owned(),
                _ => "write a duration such as `90s`, `5m` or `1h30m`".to_owned(),
            };
            decoder.error(node.target().span(), format!("{what}: {error}"), help);
            None
        }
    }
}

/// What a faulty query is told as, at its place in the file.
pub(crate) fn diagnose_query(text: &Embedded, error: &QueryError, before: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("{before}{}", error.message))
        .at(text.source(), text.span(error.span));
    match &error.help {
        Some(help) => diagnostic.help(help.as_str()),
        None => diagnostic.help("correct the query"),
    }
}
