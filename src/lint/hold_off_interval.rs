//! `hold-off-interval`: a `for` that the group's interval does not divide.

use super::rules::Subject;
use super::{Level, Lint, Look};
use crate::model::Duration;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "hold-off-interval",
    level: Level::Warn,
    doc: "a `for` that is no multiple of the group's interval, and so waits longer than it says",
    why: "Rules are evaluated at the multiples of the group's interval and at no other moment. `for: 90s` in a group of one \
          minute is over after 90 seconds, and seen to be over after two minutes.",
    wrong: r#"
- alert: QueueLong
  expr: queue_length > 100
  for: 90s
"#,
    right: r#"
- alert: QueueLong
  expr: queue_length > 100
  for: 2m
"#,
    look: Look::Rule(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let (Some(alert), Some(interval)) = (subject.alert(), subject.group.interval) else {
        return Vec::new();
    };
    let over = alert.hold % interval.max(1);
    let Some(text) = alert.hold_text.as_deref().filter(|_| over != 0) else {
        return Vec::new();
    };
    let waits = alert.hold.saturating_sub(over).saturating_add(interval);
    let message = format!(
        "the alert waits {}, not {}: its group is evaluated every {}",
        Duration(waits),
        Duration(alert.hold),
        Duration(interval)
    );
    let fault = Diagnostic::warning(message).at(text.source(), text.whole());
    vec![fault.help(format!(
        "write {}, or give the group a shorter interval",
        Duration(waits)
    ))]
}
