//! `per-minute`: a rate a second that a text calls one a minute.

use super::rules::Subject;
use super::tree::{call, core, values};
use super::{Level, Lint, Look, template};
use crate::rules::template::Used;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "per-minute",
    level: Level::Warn,
    doc: "a `rate`, which is one a second, shown as one a minute or an hour",
    why: "`rate` yields a number a second, whatever its window. Multiply by 60 or 3600, or say a second.",
    wrong: r#"
- alert: ManyRestarts
  expr: rate(restarts_total[5m]) > 0.1
  annotations:
    summary: "{{ $value }} restarts per minute"
"#,
    right: r#"
- alert: ManyRestarts
  expr: rate(restarts_total[5m]) * 60 > 6
  annotations:
    summary: "{{ $value }} restarts per minute"
"#,
    look: Look::Rule(look),
};

const WORDS: [&str; 10] = [
    "per minute",
    "a minute",
    "/min",
    "/minute",
    "each minute",
    "per hour",
    "an hour",
    "/hour",
    "/h ",
    "per day",
];

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let is_rate =
        |expr: &&crate::promql::ast::Expr| call(core(expr), &["rate", "irate", "deriv"]).is_some();
    if !values(subject.expr()).iter().all(is_rate) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for template in subject.templates() {
        for used in template.uses().iter().filter(|it| it.what == Used::Value) {
            let after = template::text_after(template, used.span);
            // What it is one of stands in the same sentence.
            let sentence = after
                .split(['.', ',', ';', '(', '\n'])
                .next()
                .unwrap_or_default();
            let words = sentence
                .split_whitespace()
                .take(5)
                .collect::<Vec<_>>()
                .join(" ")
                + " ";
            if let Some(word) = WORDS.iter().find(|word| words.contains(*word)) {
                let message = format!(
                    "the value is a rate a second, and the text says {:?}",
                    word.trim()
                );
                let found_here = subject.warn_in(template, used.span, message);
                found.push(
                    found_here
                        .help("multiply in the expression, by 60 for a minute, or say a second"),
                );
            }
        }
    }
    found
}
