//! `not-a-template`: a label or the value named in a text, but outside of an action.

use super::rules::Subject;
use super::{Level, Lint, Look, template};
use crate::text::{Diagnostic, Span};

pub(super) const LINT: Lint = Lint {
    name: "not-a-template",
    level: Level::Warn,
    doc: "`$value` or `$labels` outside of `{{ … }}`, where it is only text",
    why: "Only what stands between two braces and two braces is computed. Outside of them, or between single braces, \
          `$value` is shown as it is written.",
    wrong: r#"
- alert: QueueLong
  expr: queue_length > 100
  annotations:
    summary: "$value messages wait in { $labels.queue }"
"#,
    right: r#"
- alert: QueueLong
  expr: queue_length > 100
  annotations:
    summary: "{{ $value }} messages wait in {{ $labels.queue }}"
"#,
    look: Look::Rule(look),
};

/// What stands for something only inside of an action.
const MARKS: [&str; 4] = ["$value", "$labels.", "{ .Value }", "{ .Labels."];

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for template in subject.templates() {
        let texts = template::texts(template).into_iter();
        let mut marks = texts.filter_map(|(start, text)| {
            let places = MARKS
                .iter()
                .filter_map(|mark| Some((text.find(mark)?, mark)));
            let (at, mark) = places.min()?;
            Some((Span::new(start + at, start + at + mark.len()), mark))
        });
        if let Some((span, mark)) = marks.next() {
            let mark = mark.trim_matches(['{', '}', ' ', '.']);
            let message =
                format!("{mark} stands outside of an action and is shown as it is written");
            found.push(
                subject
                    .warn_in(template, span, message)
                    .help("write it between {{ and }}"),
            );
        }
    }
    found
}
