//! `no-condition`: an alert that fires as long as there is any series.

use super::rules::Subject;
use super::tree::{comparisons, nodes};
use super::{Level, Lint, Look};
use crate::promql::ast::{BinaryOp, Expr, ExprKind};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "no-condition",
    level: Level::Warn,
    doc: "an alert without a comparison, which fires at any value, 0 too",
    why: "An alert fires for each series that its expression yields, whatever the value. An expression that compares nothing, \
          or compares with `bool` and so yields 0 instead of nothing, always yields some. Write what the value must pass.",
    wrong: r#"
- alert: ManyErrors
  expr: sum(rate(errors_total[5m])) > bool 10
"#,
    right: r#"
- alert: ManyErrors
  expr: sum(rate(errors_total[5m])) > 10
"#,
    look: Look::Rule(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if subject.alert().is_none() || may_be_empty(subject.expr()) {
        return Vec::new();
    }
    let expr = subject.expr();
    let has_bool = nodes(expr).into_iter().any(|node| match &node.kind {
        ExprKind::Chain(chain) => chain.links.iter().any(|link| link.return_bool),
        _ => false,
    });
    let (message, help) = match has_bool {
        true => (
            "the alert fires at any value: `bool` yields 0 instead of nothing",
            "take `bool` away, or compare with `== 1`",
        ),
        false => (
            "the alert fires at any value, 0 too: nothing is compared",
            "compare the value with a threshold",
        ),
    };
    vec![subject.warn(expr.span, message).help(help)]
}

/// Whether an expression may yield nothing while its metrics are there.
fn may_be_empty(expr: &Expr) -> bool {
    if !comparisons(expr).is_empty() {
        return true;
    }
    // A constant is meant: a heartbeat. What a series is for that only exists while something is wrong can't be told, so plain
    // selectors are left alone.
    let mut computes = false;
    for node in nodes(expr) {
        match &node.kind {
            ExprKind::Call(call) => {
                let name = call.function.name;
                if name.starts_with("absent") || name == "vector" || name.starts_with("label_") {
                    return true;
                }
                computes |= ![
                    "time",
                    "last_over_time",
                    "max_over_time",
                    "present_over_time",
                ]
                .contains(&name);
            }
            ExprKind::Chain(chain) => {
                let is_set = |op: BinaryOp| op.is_set();
                if chain.links.iter().any(|link| is_set(link.op)) {
                    return true;
                }
                computes = true;
            }
            _ => {}
        }
    }
    !computes
}
