//! What rules write, as far as it is known before any evaluation.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::alert::ALERT_NAME;
use super::synthetic::{ALERT_STATE, ALERTS, ALERTS_FOR_STATE};
use super::timeline::AlertState;
use crate::model::{METRIC_NAME, Matcher, metric_of};
use crate::rules::{AlertRule, Rule, RuleKind};

/// The values that a label of an output can have; one that is not listed can have any.
pub(super) type Known<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// What a rule writes, as far as it is known before any evaluation.
#[derive(Debug)]
pub(super) struct Output<'a> {
    /// The number of the rule.
    pub rule: usize,
    /// Its labels.
    pub labels: Known<'a>,
}

/// What all rules write.
#[derive(Debug)]
pub(super) struct Outputs<'a> {
    /// All of them, in the order of the rules.
    pub all: Vec<Output<'a>>,
    by_name: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Outputs<'a> {
    /// The outputs of rules, which are numbered as they come.
    pub fn new(rules: impl Iterator<Item = &'a Rule>) -> Outputs<'a> {
        Outputs::with_holds(rules, |alert| alert.hold > 0)
    }

    /// The same where any alert may get a `for`.
    pub fn possible(rules: impl Iterator<Item = &'a Rule>) -> Outputs<'a> {
        Outputs::with_holds(rules, |_| true)
    }

    fn with_holds(
        rules: impl Iterator<Item = &'a Rule>,
        holds: fn(&AlertRule) -> bool,
    ) -> Outputs<'a> {
        let mut all = Vec::new();
        for (index, rule) in rules.enumerate() {
            let labels = match &rule.kind {
                RuleKind::Recording { labels } => vec![recorded(&rule.name, labels)],
                RuleKind::Alert(alert) => synthetic(&rule.name, alert, holds(alert)),
            };
            all.extend(labels.into_iter().map(|labels| Output {
                rule: index,
                labels,
            }));
        }
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, output) in all.iter().enumerate() {
            by_name.entry(output.name()).or_default().push(index);
        }
        Outputs { all, by_name }
    }

    /// Those that matchers may select.
    pub fn matching(&self, matchers: &[Matcher]) -> impl Iterator<Item = &Output<'a>> {
        let all = match metric_of(matchers) {
            Some(_) => 0..0,
            None => 0..self.all.len(),
        };
        let named = self.named(matchers);
        let all = all.filter_map(|index| self.all.get(index));
        named.chain(all).filter(|output| output.may_match(matchers))
    }

    /// Those with the metric that matchers name, whatever their labels.
    pub fn named(&self, matchers: &[Matcher]) -> impl Iterator<Item = &Output<'a>> {
        let indexes = metric_of(matchers).and_then(|metric| self.by_name.get(metric));
        let indexes = indexes.into_iter().flatten();
        indexes.filter_map(|&index| self.all.get(index))
    }
}

impl<'a> Output<'a> {
    /// The metric.
    pub fn name(&self) -> &'a str {
        self.labels
            .get(METRIC_NAME)
            .and_then(|names| names.first())
            .copied()
            .unwrap_or("")
    }

    /// Whether a selector can match.
    pub fn may_match(&self, matchers: &[Matcher]) -> bool {
        matchers
            .iter()
            .all(|matcher| match self.labels.get(matcher.name.as_str()) {
                Some(values) => values.iter().any(|value| matcher.matches_value(value)),
                None => true,
            })
    }

    /// Whether two outputs can have the same labels.
    pub fn may_equal(&self, other: &Output<'_>) -> bool {
        self.labels
            .iter()
            .all(|(name, values)| match other.labels.get(name) {
                Some(others) => values.iter().any(|value| others.contains(value)),
                None => true,
            })
    }
}

/// What is known of a recording rule's series.
fn recorded<'a>(name: &'a str, labels: &'a [(String, String)]) -> Known<'a> {
    let mut known: Known<'a> = labels
        .iter()
        .map(|(name, value)| (name.as_str(), vec![value.as_str()]))
        .collect();
    known.insert(METRIC_NAME, vec![name]);
    known
}

/// What is known of `ALERTS` and `ALERTS_FOR_STATE` of an alerting rule.
fn synthetic<'a>(name: &'a str, alert: &'a AlertRule, holds: bool) -> Vec<Known<'a>> {
    let literal = alert
        .labels
        .iter()
        .filter(|(_, template)| template.is_literal());
    let mut state: Known<'a> = literal
        .map(|(name, template)| (name.as_str(), vec![template.text()]))
        .collect();
    state.insert(ALERT_NAME, vec![name]);
    let mut alerts = state.clone();
    state.insert(METRIC_NAME, vec![ALERTS_FOR_STATE]);
    alerts.insert(METRIC_NAME, vec![ALERTS]);
    // An alert without `for` is never seen pending.
    let mut states = vec![AlertState::Firing.name()];
    if holds {
        states.push(AlertState::Pending.name());
    }
    alerts.insert(ALERT_STATE, states);
    vec![alerts, state]
}
