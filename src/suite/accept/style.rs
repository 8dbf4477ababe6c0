//! How the lists of a test file are laid out, so that a new one looks like its neighbours.

use super::edit::column;
use crate::text::yaml::{Kind, Node};

/// The layout of an expectation.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListStyle {
    /// The whole list stands in brackets.
    pub flow_list: bool,
    /// Each element stands in braces.
    pub flow_items: bool,
    /// How much deeper than their key the dashes stand.
    pub indent: usize,
    /// How much deeper than `exp_labels:` the labels stand.
    pub step: usize,
}

/// The layout of the old value, or else of the first filled expectation of that kind in the file, or
/// else that of the list around the check.
pub(super) fn find_style(
    root: Node<'_>,
    list_key: Node<'_>,
    list: Node<'_>,
    field: &str,
    old: Option<Node<'_>>,
) -> ListStyle {
    let indent = list_indent(list_key, list).unwrap_or(2);
    let fallback = ListStyle {
        flow_list: false,
        flow_items: false,
        indent,
        step: if indent == 0 { 2 } else { indent },
    };
    let own = old
        .filter(|old| !old.is_alias())
        .and_then(|old| style_of(old, fallback));
    own.or_else(|| first_filled(root, field, fallback))
        .unwrap_or(fallback)
}

/// How much deeper than its key a list in lines stands.
pub(super) fn list_indent(key: Node<'_>, list: Node<'_>) -> Option<usize> {
    if list.is_flow()
        || key.source().line_column(key.span().start).line
            == list.source().line_column(list.span().start).line
    {
        return None;
    }
    let key_column = column(key.source(), key.span().start);
    column(list.source(), list.span().start).checked_sub(key_column)
}

/// The layout of a list that has an element.
fn style_of(list: Node<'_>, fallback: ListStyle) -> Option<ListStyle> {
    let Kind::Sequence(children) = list.kind() else {
        return None;
    };
    let first = children.iter().next()?;
    let step = match first.kind() {
        Kind::Mapping(fields) if !first.is_flow() => fields
            .pairs()
            .filter(|(key, value)| {
                let line = |node: Node<'_>| node.source().line_column(node.span().start).line;
                matches!(value.kind(), Kind::Mapping(_))
                    && !value.is_flow()
                    && line(*key) < line(*value)
            })
            .find_map(|(key, value)| {
                let key_column = column(key.source(), key.span().start);
                column(value.source(), value.span().start).checked_sub(key_column)
            }),
        _ => None,
    };
    Some(ListStyle {
        flow_list: list.is_flow(),
        flow_items: first.is_flow(),
        step: step.filter(|&step| step > 0).unwrap_or(fallback.step),
        ..fallback
    })
}

fn first_filled(root: Node<'_>, field: &str, fallback: ListStyle) -> Option<ListStyle> {
    let list_name = match field {
        "exp_alerts" => "alert_rule_test",
        _ => "promql_expr_test",
    };
    let tests = find(root, "tests")?.1;
    for test in elements(tests) {
        let Some((_, checks)) = find(test, list_name) else {
            continue;
        };
        for check in elements(checks).filter(|check| !check.is_flow()) {
            let Some((key, list)) = find(check, field) else {
                continue;
            };
            let mut inherited = fallback;
            inherited.indent = list_indent(key, list).unwrap_or(fallback.indent);
            if let Some(style) = style_of(list, inherited) {
                return Some(style);
            }
        }
    }
    None
}

fn elements(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let children = match node.kind() {
        Kind::Sequence(children) => Some(children),
        _ => None,
    };
    children.into_iter().flat_map(|children| children.iter())
}

fn find<'d>(mapping: Node<'d>, name: &str) -> Option<(Node<'d>, Node<'d>)> {
    match mapping.kind() {
        Kind::Mapping(children) => children
            .pairs()
            .find(|(key, _)| matches!(key.kind(), Kind::Scalar(scalar) if scalar.text == name)),
        _ => None,
    }
}
