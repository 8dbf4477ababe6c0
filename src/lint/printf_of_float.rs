//! `printf-of-float`: a verb of `printf` that takes no floating-point number.

use super::rules::Subject;
use super::{Level, Lint, Look};
use crate::rules::template::Used;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "printf-of-float",
    level: Level::Warn,
    doc: "`printf \"%d\" $value`, which a value, a float, does not fit",
    why: "A value is a floating-point number, and Go's `printf` takes it for %d, %s and %q by no means: it writes \
          `%!d(float64=5)`. %.0f writes it without a fraction.",
    wrong: r#"
- alert: QueueLong
  expr: queue_length > 100
  annotations:
    summary: '{{ printf "%d" $value }} messages wait'
"#,
    right: r#"
- alert: QueueLong
  expr: queue_length > 100
  annotations:
    summary: '{{ printf "%.0f" $value }} messages wait'
"#,
    look: Look::Rule(look),
};

/// The verbs that take no float.
const OTHERS: [char; 7] = ['d', 's', 'q', 'c', 'o', 'U', 't'];

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for template in subject.templates() {
        for used in template.uses().iter().filter(|it| it.what == Used::Value) {
            let Some(first) = used.calls.first().filter(|it| it.name == "printf") else {
                continue;
            };
            let Some(verb) = first.text.as_deref().and_then(only_verb) else {
                continue;
            };
            if OTHERS.contains(&verb) {
                let message = format!(
                    "a value is a float, and %{verb} of printf does not take one: it writes %!{verb}(float64=…)"
                );
                let found_here = subject.warn_in(template, used.span, message);
                found.push(found_here.help("write %.0f for a number without a fraction, or %v"));
            }
        }
    }
    found
}

/// The verb of a format that has one.
fn only_verb(format: &str) -> Option<char> {
    let plain = format.replace("%%", "");
    let mut parts = plain.split('%').skip(1);
    let (first, more) = (parts.next()?, parts.next());
    let is_flag = |it: char| it.is_ascii_digit() || "+-# .".contains(it);
    let verb = first.trim_start_matches(is_flag).chars().next();
    verb.filter(|_| more.is_none())
}
