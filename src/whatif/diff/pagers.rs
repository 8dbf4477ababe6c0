//! Whether any alert has the labels by which alerts are said to page somebody.

use std::collections::{BTreeMap, BTreeSet};

use super::Side;
use crate::model::{MatchOp, Matcher};
use crate::replay::ALERT_NAME;
use crate::rules::{AlertRule, Rule, RuleKind};
use crate::text::{Diagnostic, closest};

/// The labels that alerts of some sides have or may have, and whether any passes all of some matchers.
///
/// A matcher that no alert passes makes every limit on pages hold, which nobody means who writes one.
#[derive(Debug, Clone, Default)]
pub struct Pagers {
    /// Whether an alert may pass all of them; so is every alert where there are none.
    is_any: bool,
    /// Whether an alert may pass each of them.
    alone: Vec<bool>,
    /// Names of labels with the values that are known.
    known: BTreeMap<String, BTreeSet<String>>,
}

/// So many labels and values are named.
const NAMED: usize = 6;

impl Pagers {
    /// Looks at the alerts of a side: at the instances that there were, and at what other instances could have.
    pub fn add(&mut self, side: Side<'_>, pages: &[Matcher]) {
        self.alone.resize(pages.len(), false);
        for alert in &side.replay.timeline.alerts {
            for instance in &alert.instances {
                for (name, value) in instance.labels.iter() {
                    self.note(name, value);
                }
                let passed: Vec<bool> = pages
                    .iter()
                    .map(|it| it.matches(&instance.labels))
                    .collect();
                self.count(&passed);
            }
        }
        // What series have, an alert may have, too.
        let of_data: Vec<bool> = pages
            .iter()
            .map(|it| side.replay.store.any(std::slice::from_ref(it)))
            .collect();
        let of_records = |matcher: &Matcher| {
            let rules = side.groups.iter().flat_map(|group| group.rules.iter());
            let mut labels = rules.flat_map(|rule| match &rule.kind {
                RuleKind::Recording { labels } => labels.as_slice(),
                RuleKind::Alert(_) => &[],
            });
            labels.any(|(name, value)| *name == matcher.name && matcher.matches_value(value))
        };
        for rule in side.groups.iter().flat_map(|group| group.rules.iter()) {
            let RuleKind::Alert(alert) = &rule.kind else {
                continue;
            };
            self.note(ALERT_NAME, &rule.name);
            for (name, value) in alert.labels.iter().filter(|(_, it)| it.is_literal()) {
                self.note(name, value.text());
            }
            let passed = pages.iter().zip(&of_data).map(|(matcher, of_data)| {
                set(rule, alert, matcher).unwrap_or_else(|| {
                    let is_made = || rule.expr.text.contains(&matcher.name);
                    matcher.matches_value("") || *of_data || is_made() || of_records(matcher)
                })
            });
            self.count(&passed.collect::<Vec<bool>>());
        }
    }

    fn note(&mut self, name: &str, value: &str) {
        let values = match self.known.get_mut(name) {
            Some(values) => values,
            None => self.known.entry(name.to_owned()).or_default(),
        };
        if !values.contains(value) {
            values.insert(value.to_owned());
        }
    }

    fn count(&mut self, passed: &[bool]) {
        self.is_any |= passed.iter().all(|passed| *passed);
        for (known, passed) in self.alone.iter_mut().zip(passed) {
            *known |= passed;
        }
    }

    /// Whether an alert passes; `text` is how the matchers were given.
    ///
    /// # Errors
    ///
    /// None can, and what may have been meant.
    pub fn check(&self, pages: &[Matcher], text: &str) -> Result<(), Diagnostic> {
        if self.is_any {
            return Ok(());
        }
        let message =
            format!("--pages {text}: no alert before or after the change has such labels");
        let failing = pages.iter().zip(&self.alone).find(|(_, passed)| !**passed);
        Err(Diagnostic::error(message).help(match failing {
            _ if self.known.is_empty() => {
                "there is no alert: name rule files that have some".to_owned()
            }
            Some((matcher, _)) => self.instead_of(matcher),
            None => {
                "an alert passes each of these matchers, but none passes all of them".to_owned()
            }
        }))
    }

    /// What may have been meant by a matcher that no alert passes.
    fn instead_of(&self, matcher: &Matcher) -> String {
        let Some(values) = self.known.get(&matcher.name) else {
            let names: Vec<&str> = self.known.keys().map(String::as_str).collect();
            return match closest(&matcher.name, &names) {
                Some(near) => format!("did you mean the label {near}?"),
                None => format!(
                    "no alert has a label {}: they have {}",
                    matcher.name,
                    listed(&names)
                ),
            };
        };
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let near = match matcher.op {
            MatchOp::Equal => closest(&matcher.value, &values),
            MatchOp::NotEqual | MatchOp::Regex | MatchOp::NotRegex => None,
        };
        match near {
            Some(near) => format!("did you mean {}={near:?}?", matcher.name),
            None => {
                let values: Vec<String> = values.iter().map(|it| format!("{it:?}")).collect();
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                format!("the alerts have {} {}", matcher.name, listed(&values))
            }
        }
    }
}

/// Whether a label that a rule sets itself passes; `None` where it does not set it.
fn set(rule: &Rule, alert: &AlertRule, matcher: &Matcher) -> Option<bool> {
    if matcher.name == ALERT_NAME {
        return Some(matcher.matches_value(&rule.name));
    }
    let (_, value) = alert
        .labels
        .iter()
        .find(|(name, _)| *name == matcher.name)?;
    // What a template yields depends on the data.
    Some(!value.is_literal() || matcher.matches_value(value.text()))
}

fn listed(names: &[&str]) -> String {
    match names.split_at_checked(NAMED) {
        Some((first, rest)) if !rest.is_empty() => {
            format!("{} and {} more", first.join(", "), rest.len())
        }
        _ => names.join(", "),
    }
}
