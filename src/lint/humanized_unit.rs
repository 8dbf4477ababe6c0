//! `humanized-unit`: a function of templates for another unit than the value's.

use super::rules::Subject;
use super::tree::values;
use super::units::{self, Unit, unit};
use super::{Level, Lint, Look};
use crate::rules::template::Used;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "humanized-unit",
    level: Level::Warn,
    doc: "`humanizeDuration` of what is not in seconds, `humanize1024` of what is not in bytes",
    why: "`humanizeDuration` takes seconds: of 1500 milliseconds it makes 25m 0s. Divide by 1000 in the expression. \
          `humanize1024` counts in powers of 1024, as one does with bytes only.",
    wrong: r#"
- alert: Slow
  expr: request_duration_milliseconds > 1500
  annotations:
    summary: "{{ $value | humanizeDuration }}"
"#,
    right: r#"
- alert: Slow
  expr: request_duration_milliseconds / 1000 > 1.5
  annotations:
    summary: "{{ $value | humanizeDuration }}"
"#,
    look: Look::Rule(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let values = values(subject.expr());
    let mut found = Vec::new();
    for template in subject.templates() {
        for used in template.uses().iter().filter(|it| it.what == Used::Value) {
            let Some(function) = used.calls.first().map(|it| it.name.as_str()) else {
                continue;
            };
            let wanted = match function {
                "humanizeDuration" => Unit::Seconds,
                "humanize1024" => Unit::Bytes,
                _ => continue,
            };
            let units = values.iter().filter_map(|value| unit(value));
            let other = units.map(Unit::name).find(|name| *name != wanted.name());
            let percent = units::percent(subject.expr(), subject.rules).map(|_| "per cent");
            let Some(is) = other.or(percent) else {
                continue;
            };
            let message = format!(
                "{function} takes {}, and the value is in {is}",
                wanted.name()
            );
            let found_here = subject.warn_in(template, used.span, message);
            found.push(
                found_here.help("convert the value in the expression, or show it with `humanize`"),
            );
        }
    }
    found
}
