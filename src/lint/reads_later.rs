//! `reads-later`: a rule that reads what a later one of its group records.

use super::{Level, Lint, Look, reads};
use crate::replay::DependencyKind;

pub(super) const LINT: Lint = Lint {
    name: "reads-later",
    level: Level::Warn,
    doc: "a rule that reads what a later rule of its group records, one evaluation late",
    why: "The rules of a group are evaluated one after the other. Who reads what a later one records sees what it recorded one evaluation ago. Put the rule that is read first.",
    wrong: r#"
- alert: ManyErrors
  expr: job:errors:rate5m > 10
- record: job:errors:rate5m
  expr: sum by (job) (rate(errors_total[5m]))
"#,
    right: r#"
- record: job:errors:rate5m
  expr: sum by (job) (rate(errors_total[5m]))
- alert: ManyErrors
  expr: job:errors:rate5m > 10
"#,
    look: Look::Rules(|rules| reads::findings(rules, DependencyKind::Backward)),
};
