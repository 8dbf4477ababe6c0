//! `topk-in-rule`: series that come and go because others pass them.

use super::rules::Subject;
use super::tree::nodes;
use super::{Level, Lint, Look};
use crate::promql::ast::ExprKind;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "topk-in-rule",
    level: Level::Pedantic,
    doc: "`topk` or `bottomk` in a rule, whose series come and go",
    why: "Which series are the greatest changes from one evaluation to the next. Each change ends one alert and begins another, \
          which waits its whole `for` again; recorded series get gaps.",
    wrong: r#"
- alert: QueueLong
  expr: topk(3, queue_length) > 100
  for: 10m
"#,
    right: r#"
- alert: QueueLong
  expr: queue_length > 100
  for: 10m
"#,
    look: Look::Rule(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let all = nodes(subject.expr()).into_iter();
    let found = all.filter_map(|node| match &node.kind {
        ExprKind::Aggregate(aggregate) if ["topk", "bottomk"].contains(&aggregate.op.name) => {
            let message = format!(
                "which series {} chooses changes from one evaluation to the next",
                aggregate.op.name
            );
            Some(
                subject
                    .warn(node.span, message)
                    .help("compare all of them, or take max or min"),
            )
        }
        _ => None,
    });
    found.collect()
}
