//! `severity-unknown`: a severity that is none.

use std::collections::BTreeMap;

use super::{Level, Lint, Look, Rules};
use crate::text::{Diagnostic, closest};

pub(super) const LINT: Lint = Lint {
    name: "severity-unknown",
    level: Level::Warn,
    doc: "a label `severity` with a value that nobody else uses",
    why: "Who is woken is decided by matching this label letter by letter. A value that no route knows goes to the default \
          receiver, or to none. Known are the customary words, numbered levels such as P1, and what several other alerts of \
          the folder say.",
    wrong: r#"
- alert: QueueLong
  expr: queue_length > 100
  labels:
    severity: crtical
"#,
    right: r#"
- alert: QueueLong
  expr: queue_length > 100
  labels:
    severity: critical
"#,
    look: Look::Rules(look),
};

/// What is customary.
const WORDS: [&str; 36] = [
    "alert",
    "blocker",
    "crit",
    "critical",
    "debug",
    "disaster",
    "emerg",
    "emergency",
    "err",
    "error",
    "fatal",
    "high",
    "highest",
    "info",
    "informational",
    "information",
    "low",
    "lowest",
    "major",
    "medium",
    "minor",
    "moderate",
    "none",
    "normal",
    "notice",
    "notification",
    "notify",
    "ok",
    "page",
    "pager",
    "severe",
    "slack",
    "ticket",
    "trivial",
    "urgent",
    "warning",
];

/// A word that so many alerts use is one of the house.
const HOUSE: usize = 3;

fn look(rules: &Rules<'_>) -> Vec<Diagnostic> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, alert) in rules.alerts() {
        let severities = alert.labels.iter().filter(|(name, _)| name == "severity");
        for (_, template) in severities.filter(|(_, template)| template.is_literal()) {
            *counts.entry(template.text()).or_default() += 1;
        }
    }
    let mut found = Vec::new();
    for (subject, alert) in rules.alerts() {
        for (_, template) in alert.labels.iter().filter(|(name, _)| name == "severity") {
            let value = template.text();
            let number = counts.get(value).copied().unwrap_or(0);
            if !template.is_literal() || value.is_empty() || number >= HOUSE || is_level(value) {
                continue;
            }
            let lower = value.to_lowercase();
            let others = counts
                .iter()
                .filter(|(word, _)| word.to_lowercase() == lower);
            let others = others.max_by_key(|(_, number)| **number);
            let other = others
                .filter(|(word, _)| **word != value)
                .map(|(word, _)| *word);
            let help = match (WORDS.contains(&lower.as_str()) || lower == "warn", other) {
                (true, None) => continue,
                (_, Some(other)) => format!("others write {other}"),
                (false, None) => {
                    let known: Vec<&str> = WORDS
                        .iter()
                        .chain(counts.keys().filter(|it| **it != value))
                        .copied()
                        .collect();
                    match closest(&lower, &known) {
                        Some(near) => format!("did you mean {near}?"),
                        None => {
                            "write the word by which alerts are routed, such as critical or warning"
                                .to_owned()
                        }
                    }
                }
            };
            let message = format!("{value:?} is no severity that anybody else uses");
            let whole = crate::text::Span::new(0, value.len());
            found.push(subject.warn_in(template, whole, message).help(help));
        }
    }
    found
}

/// `P1`, `sev2`, `3`: a numbered level.
fn is_level(value: &str) -> bool {
    let letters = value.trim_end_matches(|it: char| it.is_ascii_digit());
    let digits = value.len() - letters.len();
    let letters = letters.trim_end_matches(['-', '_', ' ']).to_lowercase();
    (1..3).contains(&digits)
        && [
            "", "p", "s", "l", "sev", "prio", "priority", "level", "severity",
        ]
        .contains(&letters.as_str())
}
