//! `duplicate-rule`: two rules of one name and the same labels. Whoever reads a file sees it: [`crate::rules::read`].

use super::{Level, Lint, Look};

pub(super) const LINT: Lint = Lint {
    name: "duplicate-rule",
    level: Level::Warn,
    doc: "two rules of a file with one name and the same labels",
    why: "Series of two recording rules that have the same labels collide, and alerts of two alerting rules cannot be told \
          apart by whom they reach. Remove one of them, or give them a label that differs.",
    wrong: r#"
- alert: QueueLong
  expr: queue_length > 100
- alert: QueueLong
  expr: queue_length > 1000
"#,
    right: r#"
- alert: QueueLong
  expr: queue_length > 100
  labels: {severity: warning}
- alert: QueueLong
  expr: queue_length > 1000
  labels: {severity: critical}
"#,
    look: Look::Reader,
};
