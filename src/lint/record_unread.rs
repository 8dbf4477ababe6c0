//! `record-unread`: a recorded series that nobody reads.

use super::{Level, Lint, Look, reads};
use crate::replay::DependencyKind;

pub(super) const LINT: Lint = Lint {
    name: "record-unread",
    level: Level::Pedantic,
    doc: "a recording rule that no alert of the folder needs",
    why: "It is evaluated and stored for nobody, unless a dashboard reads it.",
    wrong: r#"
- record: job:errors:rate5m
  expr: sum by (job) (rate(errors_total[5m]))
- alert: ManyErrors
  expr: sum(rate(errors_total[5m])) > 10
"#,
    right: r#"
- record: job:errors:rate5m
  expr: sum by (job) (rate(errors_total[5m]))
- alert: ManyErrors
  expr: sum(job:errors:rate5m) > 10
"#,
    look: Look::Rules(|rules| reads::findings(rules, DependencyKind::Unused)),
};
