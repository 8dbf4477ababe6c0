//! `reads-itself`: rules that read each other in a circle.

use super::{Level, Lint, Look, reads};
use crate::replay::DependencyKind;

pub(super) const LINT: Lint = Lint {
    name: "reads-itself",
    level: Level::Pedantic,
    doc: "rules that read each other, or themselves",
    why: "One of them always sees what was recorded one evaluation ago. It may be meant: a counter of its own.",
    wrong: r#"
- record: job:errors:total
  expr: job:errors:total + sum by (job) (errors)
"#,
    right: r#"
- record: job:errors:total
  expr: sum by (job) (errors)
"#,
    look: Look::Rules(|rules| reads::findings(rules, DependencyKind::Cycle)),
};
