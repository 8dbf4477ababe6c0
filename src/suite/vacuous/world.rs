//! The series that the tests of a file have, and those that rules may add.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};

use super::empty::{Culprit, starved};
use crate::model::{Labels, METRIC_NAME, MatchOp, Matcher, metric_of};
use crate::promql::ast::{Expr, ExprKind, VectorSelector};
use crate::replay::{ALERTS, ALERTS_FOR_STATE};
use crate::rules::{Rule, RuleGroup, RuleKind};
use crate::suite::expect::TextTest;
use crate::suite::file::TestCase;
use crate::text::closest;

/// Everything that the tests of a file have, taken together.
pub(super) struct World<'w> {
    /// The inputs of all tests by metric.
    inputs: BTreeMap<String, HashSet<Labels>>,
    recorded: HashMap<&'w str, Vec<&'w Rule>>,
    has_alerts: bool,
    /// Labels that expressions of rules make.
    made: Made<'w>,
}

/// Labels that functions and aggregations give to series.
#[derive(Debug, Default)]
pub(super) struct Made<'e> {
    names: BTreeSet<&'e str>,
    /// They may give any.
    any: bool,
}

/// No more values than this are listed.
const MAX_LISTED: usize = 5;

impl<'w> World<'w> {
    pub fn new(tests: &'w [TestCase], groups: &'w [&'w RuleGroup]) -> World<'w> {
        let mut inputs: BTreeMap<String, HashSet<Labels>> = BTreeMap::new();
        for labels in tests.iter().flat_map(TestCase::series) {
            match inputs.get_mut(labels.metric()) {
                Some(series) => drop(series.insert(labels)),
                None => drop(inputs.insert(labels.metric().to_owned(), [labels].into())),
            }
        }
        let mut recorded: HashMap<&str, Vec<&Rule>> = HashMap::new();
        let (mut has_alerts, mut made) = (false, Made::default());
        for rule in groups.iter().flat_map(|group| group.rules.iter()) {
            made.add(&rule.expr.expr);
            match rule.kind {
                RuleKind::Alert(_) => has_alerts = true,
                RuleKind::Recording { .. } => {
                    recorded.entry(rule.name.as_str()).or_default().push(rule);
                }
            }
        }
        World {
            inputs,
            recorded,
            has_alerts,
            made,
        }
    }

    /// The selectors for want of whose series a rule can't yield anything, with the rules that they stand in: where the
    /// rule reads what others record, theirs. `None` where it may yield something.
    pub fn starving(&self, rule: &'w Rule) -> Option<Vec<(&'w Rule, Culprit<'w>)>> {
        self.starving_below(rule, &mut Vec::new())
    }

    fn starving_below(
        &self,
        rule: &'w Rule,
        path: &mut Vec<&'w Rule>,
    ) -> Option<Vec<(&'w Rule, Culprit<'w>)>> {
        if path.iter().any(|above| std::ptr::eq(*above, rule)) {
            // It reads itself.
            return None;
        }
        path.push(rule);
        let above = path.clone();
        let is_missing =
            |selector: &VectorSelector| self.lacks(&selector.matchers, &mut above.clone());
        let culprits = starved(&rule.expr.expr, &is_missing);
        let found = culprits.map(|culprits| {
            let leaves = culprits.into_iter().flat_map(|culprit| {
                let sources = self.sources(&culprit.selector.matchers);
                let below: Vec<_> = sources
                    .into_iter()
                    .filter_map(|source| self.starving_below(source, path))
                    .flatten()
                    .collect();
                match below.is_empty() {
                    true => vec![(rule, culprit)],
                    false => below,
                }
            });
            leaves.collect()
        });
        path.pop();
        found
    }

    /// Whether there is no series that passes some matchers, and no rule that could write one. A series that only `!=` or
    /// `!~` keep out counts: that they do is worth a test.
    fn lacks(&self, matchers: &[Matcher], path: &mut Vec<&'w Rule>) -> bool {
        let asks = |matcher: &&Matcher| matches!(matcher.op, MatchOp::Equal | MatchOp::Regex);
        let passes = |labels: &Labels| {
            let mut asked = matchers.iter().filter(asks);
            asked.all(|matcher| matcher.matches(labels))
        };
        let metric = metric_of(matchers);
        let mut inputs = self.inputs.iter();
        let has_input = match metric {
            Some(metric) => self
                .inputs
                .get(metric)
                .is_some_and(|series| series.iter().any(passes)),
            None => inputs.any(|(_, series)| series.iter().any(passes)),
        };
        let mut sources = self.sources(matchers).into_iter();
        !has_input
            && !self.may_be_alert(matchers)
            && !sources.any(|source| self.starving_below(source, path).is_none())
    }

    /// Whether alerts may write a series that passes some matchers.
    pub fn may_be_alert(&self, matchers: &[Matcher]) -> bool {
        let mut names = [ALERTS, ALERTS_FOR_STATE].into_iter();
        self.has_alerts && names.any(|name| named(matchers, name))
    }

    /// The rules that may record series that pass some matchers.
    fn sources(&self, matchers: &[Matcher]) -> Vec<&'w Rule> {
        let mut rules: Vec<&'w Rule> = match metric_of(matchers) {
            Some(metric) => self.recorded.get(metric).cloned().unwrap_or_default(),
            None => {
                let all = self.recorded.iter();
                let all = all.filter(|(name, _)| named(matchers, name));
                all.flat_map(|(_, rules)| rules.iter().copied()).collect()
            }
        };
        rules.retain(|rule| match &rule.kind {
            RuleKind::Alert(_) => false,
            RuleKind::Recording { labels } => labels.iter().all(|(name, value)| {
                let mut of_label = matchers.iter().filter(|matcher| matcher.name == *name);
                of_label.all(|matcher| matcher.matches_value(value))
            }),
        });
        rules
    }

    /// Whether no input and no rule has a metric that passes the matchers of its name.
    pub fn lacks_metric(&self, matchers: &[Matcher]) -> bool {
        let mut names = self.names();
        !names.any(|name| named(matchers, name)) && !self.may_be_alert(matchers)
    }

    /// The metrics of inputs and of recording rules.
    fn names(&self) -> impl Iterator<Item = &str> {
        let inputs = self.inputs.keys().map(String::as_str);
        inputs.chain(self.recorded.keys().copied())
    }

    /// What is there that comes near to what some matchers ask for.
    pub fn near(&self, matchers: &[Matcher]) -> Option<String> {
        let metric = metric_of(matchers)?;
        let Some(series) = self.inputs.get(metric) else {
            let mut names: Vec<&str> = self.names().collect();
            names.sort_unstable();
            return closest(metric, &names).map(|near| format!("there is {near}"));
        };
        let fails = |matcher: &&Matcher| !series.iter().any(|labels| matcher.matches(labels));
        let matcher = matchers.iter().find(fails)?;
        let name = matcher.name.as_str();
        let mut values: Vec<&str> = series.iter().filter_map(|it| it.get(name)).collect();
        values.sort_unstable();
        values.dedup();
        if values.is_empty() {
            let mut names: Vec<&str> = series
                .iter()
                .flat_map(|it| it.iter().map(|it| it.0))
                .collect();
            names.sort_unstable();
            names.dedup();
            return Some(match closest(name, &names) {
                Some(near) => format!("{metric} has no label {name}, but {near}"),
                None => format!("{metric} has no label {name}"),
            });
        }
        let near = Some(&matcher.value).filter(|_| matcher.op == MatchOp::Equal);
        let near = near.and_then(|value| closest(value, &values));
        let values = near.map_or(values, |near| vec![near]);
        Some(format!("{metric} has {}", listed(name, &values)))
    }

    /// Whether an instance of an alert may have a label that passes a test.
    pub fn may_have(&self, rule: &Rule, test: &TextTest) -> bool {
        if test.name == crate::replay::ALERT_NAME {
            return test.wanted.holds(&rule.name);
        }
        let RuleKind::Alert(alert) = &rule.kind else {
            return false;
        };
        let own = alert.labels.iter().find(|(name, _)| *name == test.name);
        match own {
            Some((_, template)) if template.is_literal() => test.wanted.holds(template.text()),
            Some(_) => true,
            None => self.may_be(test, &Made::default()),
        }
    }

    /// Whether a series may have a label that passes a test; `made` are labels that are made beside those of rules.
    pub fn may_be(&self, test: &TextTest, made: &Made<'_>) -> bool {
        let is_made = |made: &Made<'_>| made.any || made.names.contains(test.name.as_str());
        test.wanted.holds("")
            || is_made(&self.made)
            || is_made(made)
            || self
                .values(&test.name)
                .any(|value| test.wanted.holds(value))
    }

    /// The values of a label that series have.
    fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        let inputs = self.inputs.values().flatten();
        let inputs = inputs.filter_map(move |labels| labels.get(name));
        let rules = self.recorded.values().flatten();
        let recorded = rules.flat_map(|rule| match &rule.kind {
            RuleKind::Recording { labels } => labels.as_slice(),
            RuleKind::Alert(_) => &[],
        });
        let recorded = recorded.filter(move |(own, _)| own == name);
        inputs.chain(recorded.map(|(_, value)| value.as_str()))
    }

    /// The values of a label that series have, or alerts get, as words.
    pub fn values_listed<'s>(
        &'s self,
        test: &'s TextTest,
        rules: impl Iterator<Item = &'s Rule>,
    ) -> Option<String> {
        let own = rules.filter_map(|rule| match &rule.kind {
            RuleKind::Alert(alert) => Some(&alert.labels),
            RuleKind::Recording { .. } => None,
        });
        let own = own.flatten().filter(|(name, _)| *name == test.name);
        let own: Vec<&str> = own.map(|(_, template)| template.text()).collect();
        let mut values: Vec<&str> = match own.is_empty() {
            true => self.values(&test.name).collect(),
            false => own,
        };
        values.sort_unstable();
        values.dedup();
        (!values.is_empty()).then(|| listed(&test.name, &values))
    }
}

impl<'e> Made<'e> {
    /// Those that an expression makes.
    pub fn add(&mut self, expr: &'e Expr) {
        let text = |expr: &'e Expr| match &expr.unwrap_parens().kind {
            ExprKind::String(text) => Some(text.as_str()),
            _ => None,
        };
        match &expr.kind {
            ExprKind::Call(call) => {
                self.any |= call.function.name == "info";
                self.names.extend(call.args.iter().filter_map(text));
            }
            ExprKind::Aggregate(aggregate) => {
                self.names.extend(aggregate.param.as_ref().and_then(text));
            }
            _ => {}
        }
        for child in expr.children() {
            self.add(child);
        }
    }
}

/// Whether a metric's name passes the matchers of it.
pub(super) fn named(matchers: &[Matcher], metric: &str) -> bool {
    let mut of_name = matchers.iter().filter(|it| it.name == METRIC_NAME);
    of_name.all(|matcher| matcher.matches_value(metric))
}

/// `job="a", "b"`
fn listed(name: &str, values: &[&str]) -> String {
    let shown = values.iter().take(MAX_LISTED);
    let shown: Vec<String> = shown.map(|value| format!("{value:?}")).collect();
    let more = match values.len().saturating_sub(MAX_LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{name}={}{more}", shown.join(", "))
}
