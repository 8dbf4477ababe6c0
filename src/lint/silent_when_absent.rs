//! `silent-when-absent`: an alert on too little of something that says nothing when there is none.

use super::rules::Subject;
use super::tree::{comparisons, metric, nodes, number, selector};
use super::{Level, Lint, Look, Rules};
use crate::promql::ast::{BinaryOp, Expr, ExprKind};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "silent-when-absent",
    level: Level::Pedantic,
    doc: "an alert whose metric nobody watches with `absent`",
    why: "Where an exporter, a label or a whole service is gone there is no series to compare, so no alert: it looks healthy. \
          Have one alert on `absent(…)` for each metric that alerts stand on, or `or absent(…)` in the alert itself.",
    wrong: r#"
- alert: QueueStuck
  expr: rate(messages_sent_total[5m]) < 1
"#,
    right: r#"
- alert: QueueStuck
  expr: rate(messages_sent_total[5m]) < 1 or absent(messages_sent_total)
"#,
    look: Look::Rules(look),
};

fn look(rules: &Rules<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (subject, _) in rules.alerts() {
        let Some((node, name)) = unguarded(rules, subject) else {
            continue;
        };
        let message = format!("silent when {name} is gone: no rule here asks whether it is absent");
        let help = format!("add `or absent({name})`, or an alert on it");
        found.push(subject.warn(node.span, message).help(help));
    }
    found
}

/// The first metric of which nothing is said where it is absent.
fn unguarded<'s>(rules: &Rules<'_>, subject: Subject<'s>) -> Option<(&'s Expr, &'s str)> {
    let expr = subject.expr();
    let is_compared = comparisons(expr)
        .iter()
        .any(|it| number(it.bound).is_some());
    if !is_compared {
        return None;
    }
    let mut named = nodes(expr).into_iter().filter_map(|node| {
        let is_selector = matches!(node.kind, ExprKind::Vector(_) | ExprKind::Matrix(_));
        Some((node, metric(selector(node).filter(|_| is_selector)?)?))
    });
    named.find(|(_, name)| !guarded(rules, subject, name) && rules.recording(name).is_empty())
}

/// Whether somebody asks if a metric is absent: the alert itself, or one that does nothing else.
pub(super) fn guarded(rules: &Rules<'_>, subject: Subject<'_>, name: &str) -> bool {
    let own = nodes(subject.expr())
        .into_iter()
        .any(|node| asks(node, name))
        || is_filled(subject.expr());
    own || rules
        .alerts()
        .any(|(other, _)| is_guard(other.expr(), name))
}

/// Whether a call asks if a metric is absent.
fn asks(node: &Expr, name: &str) -> bool {
    let ExprKind::Call(call) = &node.kind else {
        return false;
    };
    let is_absence = ["absent", "absent_over_time"].contains(&call.function.name);
    let mut below = call.args.iter().flat_map(nodes).filter_map(selector);
    is_absence && below.any(|selector| metric(selector) == Some(name))
}

/// Whether an alert does nothing but ask for absent metrics, this one among them.
fn is_guard(expr: &Expr, name: &str) -> bool {
    let expr = expr.unwrap_parens();
    match &expr.kind {
        ExprKind::Chain(chain) => {
            let sides =
                || std::iter::once(&*chain.first).chain(chain.links.iter().map(|link| &link.rhs));
            let is_or = chain.links.iter().all(|link| link.op == BinaryOp::Or);
            let is_compared = chain.links.iter().all(|link| link.op.is_comparison());
            match (is_or, is_compared) {
                (true, _) => sides().all(is_absence) && sides().any(|side| is_guard(side, name)),
                (_, true) => is_guard(&chain.first, name),
                _ => false,
            }
        }
        ExprKind::Call(call) if call.function.name.starts_with("label_") => {
            call.args.first().is_some_and(|it| is_guard(it, name))
        }
        ExprKind::Aggregate(aggregate) => is_guard(&aggregate.expr, name),
        _ => asks(expr, name),
    }
}

fn is_absence(expr: &Expr) -> bool {
    nodes(expr).into_iter().any(|node| {
        matches!(&node.kind, ExprKind::Call(call) if call.function.name.starts_with("absent"))
    })
}

/// Whether a missing side is filled: `… or vector(0)`.
fn is_filled(expr: &Expr) -> bool {
    nodes(expr).into_iter().any(|node| {
        match &node.kind {
        ExprKind::Chain(chain) => chain.links.iter().any(|link| {
            let right = nodes(&link.rhs);
            let is_vector = |node: &&Expr| {
                matches!(&node.kind, ExprKind::Call(call) if call.function.name == "vector")
            };
            link.op == BinaryOp::Or && right.iter().any(is_vector)
        }),
        _ => false,
    }
    })
}
