//! `irate-in-alert`: an alert on the last two samples.

use super::rules::Subject;
use super::tree::{call, nodes};
use super::{Level, Lint, Look};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "irate-in-alert",
    level: Level::Pedantic,
    doc: "`irate` in an alert, which sees the last two samples only",
    why: "Whatever its window, `irate` looks at the last two samples. One quiet moment resets `for`, and what happens between \
          two evaluations is not seen at all. `rate` sees all of the window.",
    wrong: r#"
- alert: ManyErrors
  expr: irate(errors_total[5m]) > 10
"#,
    right: r#"
- alert: ManyErrors
  expr: rate(errors_total[5m]) > 10
"#,
    look: Look::Rule(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if subject.alert().is_none() {
        return Vec::new();
    }
    let calls = nodes(subject.expr()).into_iter();
    let found = calls.filter_map(|node| {
        call(node, &["irate"])?;
        let message = "irate sees only the last two samples of its window";
        Some(subject.warn(node.span, message).help("take `rate`"))
    });
    found.collect()
}
