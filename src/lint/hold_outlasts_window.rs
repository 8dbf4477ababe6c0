//! `hold-outlasts-window`: an alert on something that happened, whose window is over before its `for` is.

use super::rules::Subject;
use super::tree::{call, core, deciding, number, series_argument};
use super::{Level, Lint, Look};
use crate::model::Duration;
use crate::promql::ast::{BinaryOp, Expr, ExprKind};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "hold-outlasts-window",
    level: Level::Pedantic,
    doc: "`increase(…[5m]) > 0` with a `for` as long as the window: what happens once never fires",
    why: "What happens once is seen for as long as the window is. If it must be seen for that long without a break, nothing \
          fires unless it happens again. If one event should alert, take a shorter `for` or a longer window.",
    wrong: r#"
- alert: Crashed
  expr: increase(crashes_total[5m]) > 0
  for: 10m
"#,
    right: r#"
- alert: Crashed
  expr: increase(crashes_total[15m]) > 0
"#,
    look: Look::Rule(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(alert) = subject.alert().filter(|alert| alert.hold > 0) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for compared in deciding(subject.expr()) {
        let is_any = match (compared.op, number(compared.bound)) {
            (BinaryOp::Greater, Some(bound)) => bound == 0.0,
            (BinaryOp::GreaterEqual, Some(bound)) => bound > 0.0 && bound <= 1.0,
            _ => false,
        };
        let Some(window) = window(compared.value).filter(|window| is_any && *window <= alert.hold)
        else {
            continue;
        };
        let message = format!(
            "what happens is seen for {} and must be seen for {}: one alone never fires",
            Duration(window),
            Duration(alert.hold)
        );
        let help = format!(
            "take a window longer than {}, or a shorter `for`",
            Duration(alert.hold)
        );
        found.push(subject.warn(compared.span, message).help(help));
    }
    found
}

/// The window over which an expression counts events.
fn window(expr: &Expr) -> Option<i64> {
    let call = call(core(expr), &["increase", "changes", "resets", "rate"])?;
    match &series_argument(call)?.unwrap_parens().kind {
        ExprKind::Matrix(matrix) => matrix.range.resolve(0, 0, false).ok(),
        _ => None,
    }
}
