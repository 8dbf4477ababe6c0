//! Which series rules and expressions read.

use std::borrow::Cow;

use hashbrown::HashMap;

use crate::model::{Labels, METRIC_NAME, Matcher, metric_of};
use crate::promql::Query;
use crate::promql::selectors::{Reach, each_read};
use crate::replay::RuleId;
use crate::rules::{Rule, RuleGroup, RuleKind};

/// The selectors of rules and of expressions.
#[derive(Debug, Clone, Default)]
pub(super) struct Reads<'r> {
    /// Those that name a metric.
    by_metric: HashMap<String, Vec<Read<'r>>>,
    /// Those that name none, or several.
    others: Vec<Read<'r>>,
    /// Templates that query, with their rules.
    templates: Vec<(RuleId, &'r str)>,
}

/// A selector, and the rule that it stands in; `None` for an expression of a test.
#[derive(Debug, Clone)]
struct Read<'r> {
    reader: Option<RuleId>,
    matchers: Cow<'r, [Matcher]>,
}

impl<'r> Reads<'r> {
    /// What the rules of groups read.
    pub fn of_rules(groups: &[&'r RuleGroup]) -> Reads<'r> {
        let mut reads = Reads::default();
        for (id, rule) in numbered(groups) {
            reads.add(&rule.expr, Some(id));
            if let RuleKind::Alert(alert) = &rule.kind {
                let templates = alert.labels.iter().chain(&alert.annotations);
                let querying = templates.filter(|(_, template)| template.queries());
                let texts = querying.map(|(_, template)| (id, template.text()));
                reads.templates.extend(texts);
            }
        }
        reads
    }

    /// Adds what an expression of a test reads.
    pub fn add_expression(&mut self, query: &'r Query) {
        self.add(query, None);
    }

    fn add(&mut self, query: &'r Query, reader: Option<RuleId>) {
        each_read(&query.expr, Reach::LOOKBACK, &mut |used| {
            let matchers = used.matchers;
            let reads = match metric_of(&matchers) {
                Some(metric) => self.by_metric.entry_ref(metric).or_default(),
                None => &mut self.others,
            };
            let is_known = |last: &Read<'_>| last.reader == reader && last.matchers == matchers;
            if !reads.last().is_some_and(is_known) {
                reads.push(Read { reader, matchers });
            }
        });
    }

    /// Whether anybody but a rule reads a series.
    pub fn reads(&self, labels: &Labels, but: Option<RuleId>) -> bool {
        let metric = labels.metric();
        let named = self.by_metric.get(metric).into_iter().flatten();
        let mut selectors = named.chain(&self.others);
        let selects = |read: &Read<'_>| {
            (but.is_none() || read.reader != but)
                && read.matchers.iter().all(|matcher| matcher.matches(labels))
        };
        let mut templates = self.templates.iter();
        selectors.any(selects)
            || templates.any(|(rule, text)| Some(*rule) != but && text.contains(metric))
    }
}

impl Reads<'_> {
    /// Whether anybody reads series of a metric, whatever their other labels.
    pub fn reads_metric(&self, metric: &str) -> bool {
        let named = |read: &Read<'_>| {
            let mut of_name = read.matchers.iter().filter(|it| it.name == METRIC_NAME);
            of_name.all(|matcher| matcher.matches_value(metric))
        };
        let mut templates = self.templates.iter();
        self.by_metric.contains_key(metric)
            || self.others.iter().any(named)
            || templates.any(|(_, text)| text.contains(metric))
    }

    /// The metrics that are read by their names, in order.
    pub fn metrics(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.by_metric.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}

/// The rules of groups with their numbers, in the order of evaluation.
pub(super) fn numbered<'r>(
    groups: &[&'r RuleGroup],
) -> impl Iterator<Item = (RuleId, &'r Rule)> + use<'r> {
    let groups: Vec<&'r RuleGroup> = groups.to_vec();
    let groups = groups.into_iter().enumerate();
    groups.flat_map(|(group, it)| {
        let rules = it.rules.iter().enumerate();
        rules.map(move |(rule, it)| (RuleId { group, rule }, it))
    })
}
