//! What a recording must hold so that rules can be replayed over it.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::synthetic::{ALERTS, ALERTS_FOR_STATE};
use crate::model::{METRIC_NAME, MatchOp, Matcher, Millis, is_classic_metric, metric_of};
use crate::promql::selectors::{Reach, reads};
use crate::rules::{Rule, RuleGroup, RuleKind};

/// Series that rules read, and how much of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The matchers as a selector, to export by.
    pub selector: String,
    /// How far before the time of interest samples may count; `None` where `@` fixes other moments.
    pub history: Option<Millis>,
}

/// The selectors of rules that no recording rule among them answers, in the order of their texts, each with the
/// longest history that any rule needs. Recording rules are followed to what they read; an alert's `for` and
/// `keep_firing_for` count as history.
pub fn needs(groups: &[&RuleGroup]) -> Vec<Need> {
    let rules = groups.iter().flat_map(|group| group.rules.iter());
    let mut search = Search::default();
    for rule in rules.clone() {
        if matches!(rule.kind, RuleKind::Recording { .. }) {
            search
                .recorded
                .entry(rule.name.as_str())
                .or_default()
                .push(rule);
        }
    }
    for rule in rules {
        let patience = match &rule.kind {
            RuleKind::Alert(alert) => alert.hold.saturating_add(alert.keep_firing_for),
            RuleKind::Recording { .. } => 0,
        };
        search.follow(rule, patience);
    }
    let found = search.found.into_iter();
    found
        .map(|(selector, history)| Need { selector, history })
        .collect()
}

/// The search for what rules read in the end.
#[derive(Default)]
struct Search<'r> {
    recorded: HashMap<&'r str, Vec<&'r Rule>>,
    found: BTreeMap<String, Option<Millis>>,
    /// The rules that are being followed: one of them again is a circle.
    path: Vec<*const Rule>,
    /// How much history a rule was followed for.
    followed: HashMap<*const Rule, Millis>,
}

impl<'r> Search<'r> {
    /// Notes what a rule reads when it is needed for so long before the time of interest.
    fn follow(&mut self, rule: &'r Rule, before: Millis) {
        let key: *const Rule = rule;
        let known = self
            .followed
            .get(&key)
            .is_some_and(|&followed| followed >= before);
        if known || self.path.contains(&key) {
            return;
        }
        self.followed.insert(key, before);
        self.path.push(key);
        for used in reads(&rule.expr.expr, Reach::LOOKBACK) {
            let history = match used.reach {
                Reach::Around { oldest, .. } => Some(oldest.saturating_add(before)),
                Reach::Fixed => None,
            };
            self.selector(&used.matchers, history, before);
        }
        self.path.pop();
    }

    fn selector(&mut self, matchers: &[Matcher], history: Option<Millis>, before: Millis) {
        let metric = metric_of(matchers);
        if metric.is_some_and(|metric| metric == ALERTS || metric == ALERTS_FOR_STATE) {
            return;
        }
        let sources = metric.and_then(|metric| self.recorded.get(metric));
        if let Some(sources) = sources.cloned() {
            for source in sources {
                self.follow(source, history.unwrap_or(before));
            }
            return;
        }
        let entry = self.found.entry(text_of(matchers)).or_insert(history);
        *entry = match (*entry, history) {
            (Some(a), Some(b)) => Some(a.max(b)),
            _ => None,
        };
    }
}

/// The matchers in braces behind the metric name.
fn text_of(matchers: &[Matcher]) -> String {
    let metric = metric_of(matchers);
    let implied = |matcher: &&Matcher| {
        let is_name = matcher.name == METRIC_NAME && matcher.op == MatchOp::Equal;
        !(is_name && metric == Some(matcher.value.as_str()) && is_classic_metric(&matcher.value))
    };
    let mut matchers: Vec<String> = matchers
        .iter()
        .filter(implied)
        .map(Matcher::to_string)
        .collect();
    matchers.sort();
    let name = metric.filter(|name| is_classic_metric(name)).unwrap_or("");
    match matchers.is_empty() {
        true => name.to_owned(),
        false => format!("{name}{{{}}}", matchers.join(",")),
    }
}
