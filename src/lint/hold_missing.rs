//! `hold-missing`: an alert without `for` among others that wait.

use super::{Level, Lint, Look, Rules};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "hold-missing",
    level: Level::Pedantic,
    doc: "an alert without `for`, which fires at the first evaluation",
    why: "One bad sample, one scrape that came late, and it fires. A `for` of a few evaluations lets such pass. Where the \
          expression looks back over a window itself, nothing is needed.",
    wrong: r#"
- alert: QueueLong
  expr: queue_length > 100
"#,
    right: r#"
- alert: QueueLong
  expr: queue_length > 100
  for: 5m
"#,
    look: Look::Rules(look),
};

fn look(rules: &Rules<'_>) -> Vec<Diagnostic> {
    let alerts = rules.alerts().filter(|(subject, alert)| {
        // Who writes `for: 0m` means it; who looks over a window waits in a way.
        let looks_back = super::tree::nodes(subject.expr()).iter().any(|node| {
            use crate::promql::ast::ExprKind;
            matches!(node.kind, ExprKind::Matrix(_) | ExprKind::Subquery(_))
        });
        alert.hold == 0 && alert.hold_text.is_none() && !looks_back
    });
    let found = alerts.map(|(subject, _)| {
        let message = format!(
            "{} has no `for` and fires at the first evaluation",
            subject.rule.name
        );
        subject
            .warn_name(message)
            .help("add `for: 5m`, or `for: 0m` if it is meant")
    });
    found.collect()
}
