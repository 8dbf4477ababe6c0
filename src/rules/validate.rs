//! What a rule file must hold beyond its fields, in Prometheus's words.

use std::collections::HashMap;

use super::{RuleGroup, RuleKind};
use crate::model::{METRIC_NAME, Millis};
use crate::text::Diagnostic;
use crate::text::Span;
use crate::text::yaml::{Decoder, Field, Fields, Node};

/// A rule as messages name it.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    /// The rule's name.
    pub name: &'a str,
    /// What messages begin with: the group and the number of the rule.
    pub before: &'a str,
}

/// Names of groups must be there, and once.
pub(super) fn group_names(decoder: &mut Decoder<'_>, groups: &[&RuleGroup]) {
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for group in groups {
        let source = decoder.source();
        if group.name.is_empty() {
            let message = "Groupname must not be empty";
            decoder.error(group.name_span, message, "give the group a `name:`");
        }
        match seen.get(group.name.as_str()) {
            Some(first) => {
                let line = source.line_column(first.start).line;
                let message = format!("groupname: {:?} is repeated in the same file", group.name);
                let help = format!("rename this group or the one in line {line}");
                decoder.error(group.name_span, message, help);
            }
            None => {
                seen.insert(&group.name, group.name_span);
            }
        }
    }
}

/// A rule's name, whether it is an alert, and its labels.
type Identity<'a> = (&'a str, bool, Vec<(&'a str, &'a str)>);

/// Rules of one kind, name and labels that are there twice: legal, but hardly meant.
pub(super) fn duplicate_rules(groups: &[&RuleGroup]) -> Vec<Diagnostic> {
    let mut seen: HashMap<Identity<'_>, (&RuleGroup, Span)> = HashMap::new();
    let mut warnings = Vec::new();
    for group in groups {
        for rule in group.rules.iter() {
            let (is_alert, labels) = match &rule.kind {
                RuleKind::Recording { labels } => (false, borrowed(labels, String::as_str)),
                RuleKind::Alert(alert) => (true, borrowed(&alert.labels, |it| it.text())),
            };
            let key = (rule.name.as_str(), is_alert, labels);
            let Some((first_group, first_span)) = seen.get(&key).copied() else {
                seen.insert(key, (group, rule.name_span));
                continue;
            };
            let line = group.source.line_column(first_span.start).line;
            let what = if is_alert { "alert" } else { "recording rule" };
            let message = format!(
                "{what} {:?} is there twice with the same labels, first in line {line} in group {:?}",
                rule.name, first_group.name
            );
            warnings.push(
                Diagnostic::warning(message)
                    .at(&group.source, rule.name_span)
                    .help("remove one of the two, or tell them apart by a label")
                    .named("duplicate-rule"),
            );
        }
    }
    warnings
}

fn borrowed<V>(pairs: &[(String, V)], text: impl Fn(&V) -> &str) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .map(|(name, value)| (name.as_str(), text(value)))
        .collect()
}

/// Exactly one of `record` and `alert`.
pub(super) fn kind<'d>(
    decoder: &mut Decoder<'d>,
    fields: &Fields<'d>,
    rule: Node<'d>,
    record: &Option<String>,
    alert: &Option<String>,
    before: &str,
) {
    match (record, alert) {
        (Some(_), Some(_)) => {
            let message = format!("{before}only one of 'record' and 'alert' must be set");
            let help = "make it two rules";
            decoder.error(fields.key_span("alert"), message, help);
        }
        (None, None) => {
            let message = format!("{before}one of 'record' or 'alert' must be set");
            let help = "give the rule a name behind `alert:` or `record:`";
            decoder.error(super::group::first_line(rule), message, help);
        }
        _ => {}
    }
}

/// What only recording rules must not have.
pub(super) fn recording<'d>(
    decoder: &mut Decoder<'d>,
    fields: &Fields<'d>,
    rule: Named<'_>,
    annotations: &[Field<'d>],
    waits: [(&str, Option<Millis>); 2],
) {
    let Named { name, before } = rule;
    let mut refuse = |field: &str| {
        let message = format!("{before}invalid field '{field}' in recording rule");
        let help = "remove it, or make this an alert with `alert:`";
        decoder.error(fields.key_span(field), message, help);
    };
    if !annotations.is_empty() {
        refuse("annotations");
    }
    for (field, wait) in waits {
        if wait.is_some_and(|wait| wait != 0) {
            refuse(field);
        }
    }
    if name.contains(['{', '}']) {
        let span = fields.node("record").map(|node| node.target().span());
        let message = format!(
            "{before}braces present in the recording rule name; should it be in expr?: {name}"
        );
        let help = "write only the new metric's name here, and its labels under `labels:`";
        decoder.error(span.unwrap_or(fields.span), message, help);
    }
}

/// Names of labels: any text but nothing and `__name__`.
pub(super) fn labels(decoder: &mut Decoder<'_>, labels: &[Field<'_>], before: &str) {
    for label in labels {
        let help = match label.name {
            METRIC_NAME => "the metric's name is set with `record:`",
            "" => "give the label a name",
            _ => continue,
        };
        let message = format!("{before}invalid label name: {}", label.name);
        decoder.error(label.key.span(), message, help);
    }
}

/// Names of annotations: any text but nothing.
pub(super) fn annotation_names(decoder: &mut Decoder<'_>, annotations: &[Field<'_>], before: &str) {
    for annotation in annotations.iter().filter(|it| it.name.is_empty()) {
        let message = format!("{before}invalid annotation name: ");
        decoder.error(annotation.key.span(), message, "give the annotation a name");
    }
}
