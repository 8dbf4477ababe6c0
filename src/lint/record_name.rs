//! `record-name`: a recorded name that does not say what it is.

use super::rules::Subject;
use super::{Level, Lint, Look};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "record-name",
    level: Level::Pedantic,
    doc: "a recorded name that is not `level:metric:operations`",
    why: "By custom a recorded name has colons, which no exporter's has: the labels that are left, the metric, what was done \
          to it. Without a colon nobody sees that it is recorded, and it may meet a metric of that name.",
    wrong: r#"
- record: requests_rate
  expr: sum by (job) (rate(requests_total[5m]))
"#,
    right: r#"
- record: job:requests:rate5m
  expr: sum by (job) (rate(requests_total[5m]))
"#,
    look: Look::Rule(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let name = &subject.rule.name;
    if subject.alert().is_some() || name.contains(':') {
        return Vec::new();
    }
    let message = format!("{name} does not look like a recorded name: it has no colon");
    vec![
        subject
            .warn_name(message)
            .help("call it level:metric:operations, such as job:requests:rate5m"),
    ]
}
