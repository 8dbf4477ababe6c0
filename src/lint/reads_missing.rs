//! `reads-missing`: a recorded name that nobody records.

use super::{Level, Lint, Look, reads};
use crate::replay::DependencyKind;

pub(super) const LINT: Lint = Lint {
    name: "reads-missing",
    level: Level::Pedantic,
    doc: "a name with a colon that no rule of the folder records",
    why: "By its colon it is a recorded name, and no rule of the folder records it. It may be in another folder, or misspelt.",
    wrong: r#"
- alert: ManyErrors
  expr: job:errors:rate5m > 10
"#,
    right: r#"
- record: job:errors:rate5m
  expr: sum by (job) (rate(errors_total[5m]))
- alert: ManyErrors
  expr: job:errors:rate5m > 10
"#,
    look: Look::Rules(|rules| reads::findings(rules, DependencyKind::Missing)),
};
