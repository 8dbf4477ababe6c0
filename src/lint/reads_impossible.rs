//! `reads-impossible`: a selector that nothing which is recorded can match.

use super::{Level, Lint, Look, reads};
use crate::replay::DependencyKind;

pub(super) const LINT: Lint = Lint {
    name: "reads-impossible",
    level: Level::Warn,
    doc: "a selector whose matchers no series of the recording rule passes",
    why: "The rule that records the name removes the label or sets it to something else, so the selector matches none of its series, ever. Keep the label there, or ask for another here.",
    wrong: r#"
- record: job:errors:rate5m
  expr: sum by (job) (rate(errors_total[5m]))
- alert: ManyErrors
  expr: job:errors:rate5m{instance="a"} > 10
"#,
    right: r#"
- record: job:errors:rate5m
  expr: sum by (job) (rate(errors_total[5m]))
- alert: ManyErrors
  expr: job:errors:rate5m{job="a"} > 10
"#,
    look: Look::Rules(|rules| reads::findings(rules, DependencyKind::Impossible)),
};
