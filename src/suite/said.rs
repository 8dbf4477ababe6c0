//! What Prometheus says of the queries of a test file beside their results: those of its rules and of its checks.

use std::collections::{BTreeMap, HashSet};

use super::expect::ExprExpectation;
use super::file::ExprCheck;
use crate::promql::Annotations;
use crate::replay::{Replay, RuleId};
use crate::rules::RuleGroup;
use crate::slo::budget::Unmatched;
use crate::text::{Diagnostic, Place, distinct};

/// What is said of queries in the tests of a file so far.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Of rules, in all tests together.
    rules: BTreeMap<RuleId, Annotations>,
    /// Of the expressions that tests check, in the order of the file.
    exprs: Vec<Diagnostic>,
    /// Of selectors of objectives that match nothing in some test, and may be meant so.
    unmatched: Vec<Diagnostic>,
    /// Places of those that match something in some test: names and starts.
    matched: HashSet<(String, usize)>,
}

impl Said {
    /// Takes over what is said of rules in one test.
    pub fn of_rules(&mut self, replay: &Replay<'_>) {
        for (rule, found) in &replay.annotations {
            self.rules.entry(*rule).or_default().merge(found.clone());
        }
    }

    /// Takes over what is said in another test.
    pub fn merge(&mut self, other: Said) {
        for (rule, found) in other.rules {
            self.rules.entry(rule).or_default().merge(found);
        }
        self.exprs.extend(other.exprs);
        self.unmatched.extend(other.unmatched);
        self.matched.extend(other.matched);
    }

    /// Takes over which selectors of an objective match nothing in a test. Mistakes are told by the item that asks.
    pub fn of_objective(&mut self, unmatched: Vec<Unmatched>, matched: Vec<Place>) {
        let meant = unmatched.into_iter().filter(|it| !it.is_mistake);
        self.unmatched.extend(meant.map(|it| it.diagnose()));
        self.matched.extend(matched.iter().map(key));
    }

    /// Takes over what is said of an expression.
    pub fn of_expr(&mut self, check: &ExprCheck, found: &Annotations) {
        self.exprs
            .extend(found.iter().map(|found| found.diagnose(&check.expr)));
    }

    /// Takes over what is said of an expression in `expect`.
    pub fn of_expectation(&mut self, asked: &ExprExpectation, found: &Annotations) {
        let found = found.iter().map(|found| found.diagnose(&asked.expr));
        self.exprs.extend(found);
    }

    /// Each once at its place: rules in the order of groups, then expressions.
    pub fn into_diagnostics(self, groups: &[&RuleGroup]) -> Vec<Diagnostic> {
        let mut all = Vec::new();
        for (id, found) in &self.rules {
            let rule = groups
                .get(id.group)
                .and_then(|group| group.rules.get(id.rule));
            if let Some(rule) = rule {
                all.extend(rule.diagnose(found));
            }
        }
        all.extend(self.exprs);
        let matched = self.matched;
        let is_nowhere = |found: &Diagnostic| {
            let place = found.place.as_ref();
            place.is_none_or(|place| !matched.contains(&key(place)))
        };
        all.extend(self.unmatched.into_iter().filter(is_nowhere));
        distinct(all)
    }
}

fn key(place: &Place) -> (String, usize) {
    (place.source.name().to_owned(), place.span.start)
}
