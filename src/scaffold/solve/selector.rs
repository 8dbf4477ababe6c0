//! Series for selectors.

use std::collections::BTreeSet;

use super::{Reason, Scope, Solver, Want};
use crate::model::{Labels, METRIC_NAME, Matcher, texts_matching};
use crate::promql::ast::VectorSelector;
use crate::rules::RuleKind;
use crate::scaffold::labels::{accepts, candidates, default, numbered};
use crate::scaffold::rules::metric;
use crate::scaffold::tree::paired;
use crate::scaffold::world::Track;

/// Recording rules that read recording rules are followed so far.
const MAX_DEPTH: usize = 12;

/// Of one metric a plan has no more series.
const MAX_SERIES: usize = 300;

impl Solver<'_, '_> {
    /// Has a selector match a series that does as wanted: one that is given, or what a recording rule makes of others.
    pub(super) fn select(
        &mut self,
        selector: &VectorSelector,
        want: Want,
        scope: &Scope,
    ) -> Result<(), Reason> {
        if let Some(done) = self.record(selector, want, scope) {
            return done;
        }
        let labels = self.labels(selector, scope)?;
        if self.world.series.len() >= MAX_SERIES {
            return Err("it takes hundreds of series".to_owned());
        }
        let track = want.track.unwrap_or(Track::Value(1.0));
        let is_there =
            want.track.is_none() && self.world.series.iter().any(|it| it.labels == labels);
        match is_there || self.world.put(&labels, track, &self.timing) {
            true => Ok(()),
            false => Err(format!(
                "{} would have to have two values at once",
                labels.as_set()
            )),
        }
    }

    /// The same by a rule that records such series, if there is one.
    fn record(
        &mut self,
        selector: &VectorSelector,
        want: Want,
        scope: &Scope,
    ) -> Option<Result<(), Reason>> {
        let rules = self.background.rules_of(&selector.matchers);
        let count = rules.len();
        let rule = rules
            .get(self.trial.rule % count.max(1))
            .or(rules.first())?;
        if scope.depth >= MAX_DEPTH {
            return Some(Err(format!(
                "the rules that record {} go in a circle",
                rule.name
            )));
        }
        let mut inner = scope.clone();
        inner.depth += 1;
        for matcher in asking(&selector.matchers) {
            if !inner.fixed.contains_key(&matcher.name) {
                match self.value(&matcher.name, &selector.matchers) {
                    Some(value) => drop(inner.fixed.insert(matcher.name.clone(), value)),
                    None => return Some(Err(no_value(&matcher.name))),
                }
            }
        }
        if let RuleKind::Recording { labels } = &rule.kind {
            let unlike = labels.iter().find(|(label, value)| {
                let fixed = scope.fixed.get(label);
                fixed.is_some_and(|fixed| fixed != value)
            });
            if let Some((label, _)) = unlike {
                return Some(Err(two_values(label)));
            }
            inner = inner.without(labels.iter().map(|(label, _)| label));
        }
        Some(self.meet(&paired(&rule.expr.expr), want, &inner))
    }

    /// Name and labels of the series of a selector.
    fn labels(&self, selector: &VectorSelector, scope: &Scope) -> Result<Labels, Reason> {
        let matchers = &selector.matchers;
        let mut names: BTreeSet<&str> = scope.needs.iter().map(String::as_str).collect();
        names.extend(scope.fixed.keys().map(String::as_str));
        names.extend(asking(matchers).map(|it| it.name.as_str()));
        if self.trial.all_labels {
            names.extend(self.background.asked());
        }
        names.remove(METRIC_NAME);
        let mut builder = Labels::empty().to_builder();
        builder.set(METRIC_NAME, &name(matchers)?);
        for label in names {
            let value = match scope.fixed.get(label) {
                Some(fixed) if accepts(matchers, label, fixed) => fixed.clone(),
                Some(_) => return Err(two_values(label)),
                None => self.value(label, matchers).ok_or_else(|| no_value(label))?,
            };
            builder.set(label, &value);
        }
        if !scope.fresh {
            return Ok(builder.build());
        }
        // Not among the series that other selectors single out.
        for other in self.background.contrasts(selector) {
            let has = builder.get(&other.name).unwrap_or("");
            // A label that tells series apart is better there than not.
            let passes = other.matches_value(has) || has.is_empty();
            if passes && !scope.fixed.contains_key(&other.name) {
                let own: Vec<&Matcher> =
                    matchers.iter().filter(|it| it.name == other.name).collect();
                let mut all = own.clone();
                all.push(other);
                let values = candidates(&other.name, &all).into_iter();
                let mut values = values.filter(|value| {
                    !other.matches_value(value)
                        && !value.is_empty()
                        && accepts(matchers, &other.name, value)
                });
                if let Some(value) = values.next() {
                    builder.set(&other.name, &value);
                }
            }
        }
        let labels = builder.build();
        self.unused(labels, selector, scope)
    }

    /// The labels, or such that no series has yet.
    fn unused(
        &self,
        labels: Labels,
        selector: &VectorSelector,
        scope: &Scope,
    ) -> Result<Labels, Reason> {
        let is_used = |labels: &Labels| self.world.series.iter().any(|it| it.labels == *labels);
        if !is_used(&labels) {
            return Ok(labels);
        }
        let own = labels.iter().map(|(label, _)| label);
        let own = own.filter(|label| *label != METRIC_NAME && *label != "le");
        for label in own.chain(["instance", "pod"]) {
            if scope.fixed.contains_key(label) {
                continue;
            }
            let first = match labels.get(label) {
                Some(value) => value.to_owned(),
                None => default(label),
            };
            for number in 2..MAX_SERIES {
                let value = numbered(&first, number);
                if !accepts(&selector.matchers, label, &value) {
                    break;
                }
                let other = labels.with(label, &value);
                if !is_used(&other) {
                    return Ok(other);
                }
            }
        }
        Err("it takes several series that differ in no label that may differ".to_owned())
    }

    /// The value of a label: the usual one, else any that passes.
    pub(super) fn value(&self, label: &str, matchers: &[Matcher]) -> Option<String> {
        let own: Vec<&Matcher> = matchers.iter().filter(|it| it.name == label).collect();
        let usual = self.background.usual(label).map(str::to_owned);
        let mut all = usual.into_iter().chain(candidates(label, &own));
        all.find(|value| accepts(matchers, label, value))
    }
}

/// The conditions that a series without the label does not pass.
pub(super) fn asking(matchers: &[Matcher]) -> impl Iterator<Item = &Matcher> {
    let labels = matchers.iter().filter(|it| it.name != METRIC_NAME);
    labels.filter(|it| !it.matches_value(""))
}

/// The metric of a selector, or one that it might mean.
pub(super) fn name(matchers: &[Matcher]) -> Result<String, Reason> {
    if let Some(metric) = metric(matchers) {
        return Ok(metric.to_owned());
    }
    let named = matchers.iter().filter(|it| it.name == METRIC_NAME);
    let mut texts = named.flat_map(|it| texts_matching(&it.value, &[]));
    let found = texts.find(|text| !text.is_empty() && accepts(matchers, METRIC_NAME, text));
    let fallback = "some_metric".to_owned();
    match found {
        Some(name) => Ok(name),
        None if accepts(matchers, METRIC_NAME, &fallback) => Ok(fallback),
        None => Err("no metric was found that a selector matches".to_owned()),
    }
}

fn no_value(label: &str) -> Reason {
    format!("no value was found that passes what is asked of the label {label}")
}

fn two_values(label: &str) -> Reason {
    format!("two sides that must match ask for different values of the label {label}")
}
