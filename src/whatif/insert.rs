//! Where a rule gets a key that it does not have, written as its others are.

use super::change::{Change, Edit};
use super::knob::KnobKind;
use crate::rules::{Rule, RuleGroup};
use crate::text::yaml::{self, Kind, Node, Style};
use crate::text::{Source, Span};

/// The edit that adds a key: behind the query, or behind `for`. `None` where there is no telling how.
pub(super) fn edit(group: &RuleGroup, rule: &Rule, change: &Change) -> Option<Edit> {
    let source = &group.source;
    let documents = yaml::parse_all(source).ok()?;
    let node = documents.iter().find_map(|it| it.node_at(rule.span))?;
    let mapping = node.target();
    let Kind::Mapping(children) = mapping.kind() else {
        return None;
    };
    let pairs: Vec<(Node<'_>, Node<'_>)> = children.pairs().collect();
    let named = |name: &str| pairs.iter().find(|(key, _)| is_named(*key, name));
    let hold = named("for").filter(|_| change.knob.kind == KnobKind::KeepFiringFor);
    let (key, value) = hold.or_else(|| named("expr")).or(pairs.last())?;
    let entry = entry(change, *key);
    match mapping.is_flow() {
        true => {
            let end = value.outer_span().end;
            Some(behind(source, end, format!(", {entry}")))
        }
        false => {
            let written = source.slice(value.outer_span()).trim_end();
            let start = value.outer_span().start;
            let end = line_end(source, start + written.len());
            let line_break = match source.text().get(end..)?.starts_with("\r\n") {
                true => "\r\n",
                false => "\n",
            };
            let (first, _) = pairs.first()?;
            let indent = " ".repeat(column(source, first.outer_span().start));
            Some(behind(source, end, format!("{line_break}{indent}{entry}")))
        }
    }
}

fn is_named(key: Node<'_>, name: &str) -> bool {
    matches!(key.kind(), Kind::Scalar(scalar) if scalar.text == name)
}

/// `for: 5m`, in quotes where the rule's keys are.
fn entry(change: &Change, beside: Node<'_>) -> String {
    let (key, value) = (change.knob.kind.name(), &change.value);
    match beside.kind() {
        Kind::Scalar(scalar) if scalar.style == Style::Double => {
            format!("\"{key}\": \"{value}\"")
        }
        _ => format!("{key}: {value}"),
    }
}

/// Something behind the last letter before an offset, in the file that it comes from.
fn behind(source: &Source, end: usize, text: String) -> Edit {
    let before = end.saturating_sub(1);
    let (file, last) = source.locate(Span::new(before, end));
    Edit {
        file: file.name().to_owned(),
        span: Span::new(last.end, last.end),
        text,
    }
}

/// The end of a line, before blanks and its line break.
fn line_end(source: &Source, offset: usize) -> usize {
    let rest = source.text().get(offset..).unwrap_or("");
    let line = rest.split('\n').next().unwrap_or("");
    offset + line.trim_end().len()
}

/// How far a place of the file stands from the beginning of its line, in bytes.
fn column(source: &Source, offset: usize) -> usize {
    let (file, span) = source.locate(Span::new(offset, offset + 1));
    let before = file.text().get(..span.start).unwrap_or("");
    span.start - before.rfind('\n').map_or(0, |newline| newline + 1)
}
