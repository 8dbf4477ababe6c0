//! Finds a check in the file, and refuses one that can't be changed alone.

use super::{CheckId, Replacement};
use crate::text::yaml::{Document, Kind, Node};
use crate::text::{Diagnostic, Span};

/// A check in the file that may be changed.
pub(super) struct Target<'d> {
    pub root: Node<'d>,
    /// The list that the check stands in.
    pub list: Node<'d>,
    pub list_key: Node<'d>,
    pub item: Node<'d>,
    /// `exp_alerts` or `exp_samples`
    pub field: &'static str,
    pub value: Option<Node<'d>>,
}

/// Finds a check, or says why it can't be changed alone.
pub(super) fn locate<'d>(
    document: &'d Document<'d>,
    replacement: &Replacement,
) -> Result<Target<'d>, Diagnostic> {
    let (list_name, index, field) = match replacement.check {
        CheckId::Alert(index) => ("alert_rule_test", index, "exp_alerts"),
        CheckId::Expr(index) => ("promql_expr_test", index, "exp_samples"),
    };
    let Some(root) = document.root() else {
        return Err(Diagnostic::warning(
            "there is nothing to change in an empty file",
        ));
    };
    let (_, tests) = step(own(root)?, "tests")?;
    let test = own(element(tests, replacement.test)?)?;
    let (list_name, index) = continued(test, list_name, index);
    let (list_key, list) = step(test, list_name)?;
    let item = own(element(list, index)?)?;
    let Kind::Mapping(children) = item.kind() else {
        return Err(refuse(item, "the check is empty"));
    };
    if item.is_flow() && !item.source().slice(item.span()).starts_with('{') {
        return Err(refuse(item, "it has no braces of its own"));
    }
    if replacement.is_shared {
        let reason = "the tests of a matrix share it and do not all see the same";
        return Err(refuse_with(
            item,
            reason,
            "change it by hand, or write a test of its own for what differs",
        ));
    }
    let value = entry(item, field).map(|(_, value)| value);
    let merges = children.pairs().any(|(key, _)| is_text(key, "<<"));
    if value.is_none() && merges {
        let reason = format!("`{field}` may come from a merge key `<<`");
        return Err(refuse(item, &reason));
    }
    if let Some(value) = value.filter(|value| document.has_aliased(value.span())) {
        let reason = "an alias stands for a part of it";
        return Err(refuse(value, reason));
    }
    Ok(Target {
        root,
        list,
        list_key,
        item,
        field,
        value,
    })
}

/// Checks of expressions go on in the list that vmalert-tool reads.
fn continued<'n>(test: Node<'_>, name: &'n str, index: usize) -> (&'n str, usize) {
    let length = match entry(test, name).map(|(_, list)| list.kind()) {
        Some(Kind::Sequence(children)) => children.len(),
        _ => 0,
    };
    let more = "metricsql_expr_test";
    match entry(test, more) {
        Some(_) if name == "promql_expr_test" && index >= length => (more, index - length),
        _ => (name, index),
    }
}

/// A field of a mapping, written there and nowhere else.
fn step<'d>(node: Node<'d>, name: &str) -> Result<(Node<'d>, Node<'d>), Diagnostic> {
    match entry(node, name) {
        Some((key, value)) => Ok((key, own(value)?)),
        None => Err(refuse(
            node,
            &format!("`{name}` comes from `defaults` or a merge key `<<`"),
        )),
    }
}

/// A node that stands for itself alone.
fn own(node: Node<'_>) -> Result<Node<'_>, Diagnostic> {
    if node.is_alias() {
        return Err(refuse(
            node,
            "it is an alias, and the change would show elsewhere too",
        ));
    }
    if node.is_aliased() {
        return Err(refuse(node, "an alias elsewhere stands for it too"));
    }
    Ok(node)
}

pub(super) fn refuse(node: Node<'_>, reason: &str) -> Diagnostic {
    let help = "change it by hand, or write the check out without aliases";
    refuse_with(node, reason, help)
}

fn refuse_with(node: Node<'_>, reason: &str, help: &str) -> Diagnostic {
    let source = node.source();
    let span = node.span();
    let line = source.slice(span).lines().next().unwrap_or("");
    let span = Span::new(span.start, span.start + line.trim_end().len());
    Diagnostic::warning(format!("this expectation was not changed: {reason}"))
        .at(source, span)
        .help(help)
}

fn element(list: Node<'_>, index: usize) -> Result<Node<'_>, Diagnostic> {
    let node = match list.kind() {
        Kind::Sequence(children) => children.iter().nth(index),
        _ => None,
    };
    node.ok_or_else(|| refuse(list, "it is not in the file any more"))
}

fn is_text(node: Node<'_>, text: &str) -> bool {
    matches!(node.kind(), Kind::Scalar(scalar) if scalar.text == text)
}

pub(super) fn entry<'d>(mapping: Node<'d>, name: &str) -> Option<(Node<'d>, Node<'d>)> {
    match mapping.kind() {
        Kind::Mapping(children) => children.pairs().find(|(key, _)| is_text(*key, name)),
        _ => None,
    }
}
