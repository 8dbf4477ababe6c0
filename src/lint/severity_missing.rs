//! `severity-missing`: an alert without a severity among others that have one.

use super::{Level, Lint, Look, Rules};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "severity-missing",
    level: Level::Warn,
    doc: "an alert without the label `severity`, while the others of the folder have one",
    why: "Who is woken is decided by this label. An alert without it goes to the default receiver, or to none.",
    wrong: r#"
- {alert: A, expr: up == 0 or absent(up), labels: {severity: page}}
- {alert: B, expr: queue_length > 100, labels: {severity: page}}
- {alert: C, expr: queue_length > 200, labels: {severity: page}}
- {alert: D, expr: oven_celsius > 250, labels: {team: bakery}}
"#,
    right: r#"
- {alert: A, expr: up == 0 or absent(up), labels: {severity: page}}
- {alert: B, expr: queue_length > 100, labels: {severity: page}}
- {alert: C, expr: queue_length > 200, labels: {severity: page}}
- {alert: D, expr: oven_celsius > 250, labels: {severity: ticket}}
"#,
    look: Look::Rules(look),
};

/// The others are so many at least.
const OTHERS: usize = 3;

fn look(rules: &Rules<'_>) -> Vec<Diagnostic> {
    let (with, without): (Vec<_>, Vec<_>) = rules
        .alerts()
        .partition(|(_, alert)| alert.labels.iter().any(|(name, _)| name == "severity"));
    if with.len() < OTHERS || without.len() * 3 > with.len() {
        return Vec::new();
    }
    let found = without.iter().map(|(subject, _)| {
        let message = format!(
            "{} has no severity, as {} others here have",
            subject.rule.name,
            with.len()
        );
        subject.warn_name(message).help("add the label `severity`")
    });
    found.collect()
}
