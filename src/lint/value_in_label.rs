//! `value-in-label`: an alert's label that changes with its value.

use super::rules::Subject;
use super::{Level, Lint, Look};
use crate::rules::template::Used;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "value-in-label",
    level: Level::Warn,
    doc: "a label of an alert shows `$value`, so that each new value is a new alert",
    why: "An alert is the same as long as its labels are. With the value among them every change of it ends one alert and \
          begins another, which waits its whole `for` again and may never fire; those that do are told of one by one. \
          Values belong into annotations.",
    wrong: r#"
- alert: QueueLong
  expr: queue_length > 100
  for: 10m
  labels:
    waiting: "{{ $value }}"
"#,
    right: r#"
- alert: QueueLong
  expr: queue_length > 100
  for: 10m
  annotations:
    waiting: "{{ $value }}"
"#,
    look: Look::Rule(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let labels = subject.alert().map(|alert| &alert.labels);
    let found = labels.into_iter().flatten().filter_map(|(name, template)| {
        let uses = template.uses();
        let used = uses.iter().find(|used| used.what == Used::Value)?;
        let message =
            format!("the label {name} changes with the value, and each change is a new alert");
        let found = subject.warn_in(template, used.span, message);
        Some(found.help("show the value in an annotation"))
    });
    found.collect()
}
