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

/// Alerts that are meant to fire for ever, so that their silence is noticed, are routed by name.
const HEARTBEATS: [&str; 5] = [
    "watchdog",
    "heartbeat",
    "deadman",
    "infoinhibitor",
    "alwaysfiring",
];

fn look(rules: &Rules<'_>) -> Vec<Diagnostic> {
    let (with, without): (Vec<_>, Vec<_>) = rules
        .alerts()
        .partition(|(_, alert)| alert.labels.iter().any(|(name, _)| name == "severity"));
    if with.len() < OTHERS || without.len() * 3 > with.len() {
        return Vec::new();
    }
    let is_heartbeat = |name: &str| {
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let plain = plain.to_lowercase();
        HEARTBEATS.iter().any(|word| plain.contains(word))
    };
    let without = without.iter();
    let others = without.filter(|(subject, _)| !is_heartbeat(&subject.rule.name));
    let found = others.map(|(subject, _)| {
        let message = format!(
            "{} has no severity, as {} others here have",
            subject.rule.name,
            with.len()
        );
        subject.warn_name(message).help("add the label `severity`")
    });
    found.collect()
}
