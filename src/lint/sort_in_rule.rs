//! `sort-in-rule`: an order that nobody sees.

use super::rules::Subject;
use super::tree::nodes;
use super::{Level, Lint, Look};
use crate::promql::ast::ExprKind;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "sort-in-rule",
    level: Level::Warn,
    doc: "`sort` and its like in a rule, where they do nothing",
    why: "What a rule yields are series and alerts, which have no order. Only who asks once and looks at the answer sees it.",
    wrong: r#"
- record: job:requests:rate5m
  expr: sort_desc(sum by (job) (rate(requests_total[5m])))
"#,
    right: r#"
- record: job:requests:rate5m
  expr: sum by (job) (rate(requests_total[5m]))
"#,
    look: Look::Rule(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let sorts = nodes(subject.expr()).into_iter();
    let found = sorts.filter_map(|node| match &node.kind {
        ExprKind::Call(call) if call.function.sorts => {
            let message = format!(
                "{} does nothing in a rule: what it yields has no order",
                call.function.name
            );
            Some(subject.warn(node.span, message).help("take it away"))
        }
        _ => None,
    });
    found.collect()
}
