//! What stands behind an alert: the recording rules that it reads, and all that is asked of labels.

use std::collections::BTreeMap;

use super::labels::{accepts, candidates};
use crate::model::{METRIC_NAME, MatchOp, Matcher};
use crate::promql::Features;
use crate::promql::ast::{Expr, ExprKind, VectorSelector};
use crate::promql::selectors::{Reach, selectors};
use crate::rules::{Rule, RuleGroup, RuleKind};

/// What stands behind an alert.
#[derive(Debug)]
pub(super) struct Background<'r> {
    /// What is switched on.
    pub features: Features,
    records: Vec<&'r Rule>,
    groups: Vec<RuleGroup>,
    /// The same with the alert, and others of its name.
    all: Vec<RuleGroup>,
    /// The conditions of every selector, of the alert and of rules that it reads.
    selectors: Vec<Vec<Matcher>>,
    /// The value that a label has wherever nothing is said against it.
    usual: BTreeMap<String, String>,
}

impl<'r> Background<'r> {
    /// Of an alert among rules.
    pub fn of(alert: &'r Rule, groups: &[&'r RuleGroup], features: Features) -> Background<'r> {
        let mut records: Vec<&'r Rule> = Vec::new();
        let mut found: Vec<Vec<Matcher>> = Vec::new();
        let mut open = vec![alert];
        while let Some(rule) = open.pop() {
            for used in selectors(&rule.expr.expr, Reach::LOOKBACK) {
                found.push(used.selector.matchers.clone());
                for group in groups {
                    for other in group
                        .rules
                        .iter()
                        .filter(|it| writes(it, &used.selector.matchers))
                    {
                        if !records.iter().any(|known| std::ptr::eq(*known, other)) {
                            records.push(other);
                            open.push(other);
                        }
                    }
                }
            }
        }
        let is_same =
            |rule: &Rule, other: &Rule| rule.span == other.span && rule.name == other.name;
        let is_namesake = |alert: &Rule, rule: &Rule| {
            matches!(rule.kind, RuleKind::Alert(_)) && alert.name == rule.name
        };
        let is_read = |rule: &Rule| records.iter().any(|known| is_same(known, rule));
        let reduced = reduced(groups, is_read);
        let all = self::reduced(groups, |rule| is_read(rule) || is_namesake(alert, rule));
        let mut background = Background {
            features,
            groups: reduced,
            all,
            records,
            selectors: found,
            usual: BTreeMap::new(),
        };
        background.usual = background.usual_values();
        background
    }

    /// The recording rules that the alert reads, in their groups.
    pub fn records(&self) -> &[RuleGroup] {
        &self.groups
    }

    /// The rules that the alert reads and the alert itself, in their groups.
    pub fn with_alert(&self) -> Vec<&RuleGroup> {
        self.all.iter().collect()
    }

    /// The recording rules whose series a selector may match.
    pub fn rules_of(&self, matchers: &[Matcher]) -> Vec<&'r Rule> {
        let found = self.records.iter().filter(|rule| writes(rule, matchers));
        found.copied().collect()
    }

    /// Whether an expression reads what rules record.
    pub fn reads_records(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Vector(selector) => !self.rules_of(&selector.matchers).is_empty(),
            ExprKind::Matrix(matrix) => !self.rules_of(&matrix.selector.matchers).is_empty(),
            _ => expr
                .children()
                .into_iter()
                .any(|child| self.reads_records(child)),
        }
    }

    /// The value that a label has wherever nothing is said against it.
    pub fn usual(&self, label: &str) -> Option<&str> {
        self.usual.get(label).map(String::as_str)
    }

    /// Labels by which other selectors of the same metric tell series apart, where this selector does not: what they ask
    /// for.
    pub fn contrasts(&self, selector: &VectorSelector) -> Vec<&Matcher> {
        let name = metric(&selector.matchers);
        let mut found: Vec<&Matcher> = Vec::new();
        for other in self.selectors.iter().filter(|it| metric(it) == name) {
            for matcher in other.iter().filter(|it| it.name != METRIC_NAME) {
                if !selector.matchers.contains(matcher) && !found.contains(&matcher) {
                    found.push(matcher);
                }
            }
        }
        found
    }

    /// Every label that any selector asks for.
    pub fn asked(&self) -> impl Iterator<Item = &str> {
        let matchers = self.selectors.iter().flatten();
        let matchers = matchers.filter(|it| it.name != METRIC_NAME && !it.matches_value(""));
        matchers.map(|it| it.name.as_str())
    }

    /// For each label the value that suits most selectors.
    fn usual_values(&self) -> BTreeMap<String, String> {
        let mut by_label: BTreeMap<&str, Vec<&Matcher>> = BTreeMap::new();
        for matcher in self.selectors.iter().flatten() {
            if matcher.name != METRIC_NAME {
                by_label.entry(&matcher.name).or_default().push(matcher);
            }
        }
        let mut usual = BTreeMap::new();
        for (label, matchers) in by_label {
            let mut best: Option<(usize, String)> = None;
            for value in candidates(label, &matchers) {
                let suits = matchers
                    .iter()
                    .filter(|it| it.matches_value(&value))
                    .count();
                if !value.is_empty() && best.as_ref().is_none_or(|(most, _)| suits > *most) {
                    best = Some((suits, value));
                }
            }
            if let Some((_, value)) = best {
                usual.insert(label.to_owned(), value);
            }
        }
        usual
    }
}

/// Groups with some of their rules only; none without.
fn reduced(groups: &[&RuleGroup], is_meant: impl Fn(&Rule) -> bool) -> Vec<RuleGroup> {
    let mut reduced = Vec::new();
    for group in groups {
        let rules: Vec<Rule> = group
            .rules
            .iter()
            .filter(|rule| is_meant(rule))
            .cloned()
            .collect();
        if !rules.is_empty() {
            reduced.push(RuleGroup {
                name: group.name.clone(),
                source: group.source.clone(),
                rules: rules.into(),
                ..**group
            });
        }
    }
    reduced
}

/// The metric that conditions fix.
pub(super) fn metric(matchers: &[Matcher]) -> Option<&str> {
    let mut names = matchers.iter();
    let name = names.find(|it| it.name == METRIC_NAME && it.op == MatchOp::Equal)?;
    Some(&name.value)
}

/// Whether a rule may write series that pass.
fn writes(rule: &Rule, matchers: &[Matcher]) -> bool {
    let RuleKind::Recording { labels } = &rule.kind else {
        return false;
    };
    let suits = |(label, value): &(String, String)| accepts(matchers, label, value);
    metric(matchers) == Some(&rule.name) && labels.iter().all(suits)
}
