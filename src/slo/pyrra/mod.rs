//! Pyrra's `ServiceLevelObjective` objects (`pyrra.dev/v1alpha1`), and the rules that Pyrra makes of them.
//!
//! Follows Pyrra 0.10: the keys and checks of its objects, its names, labels, expressions and numbers.

mod burnrate;
mod generic;
mod increase;
mod lints;
mod objectives;
mod query;
mod read;
mod rules;
mod windows;

use std::collections::BTreeMap;

use super::generated::Object;
use crate::model::{Matcher, Millis};
use crate::text::yaml::Embedded;
use crate::text::{Source, Span};

pub use lints::lint;
pub use rules::{Options, generate};
pub use windows::{Tier, tiers};

pub(super) use read::read;

/// An objective.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Where it stands.
    pub source: Source,
    /// Its name, namespace, labels and annotations. Those that begin with `pyrra.dev/` are passed on to rules.
    pub object: Object,
    /// Where the name stands.
    pub name_span: Span,
    /// What it is about; empty for nothing.
    pub description: String,
    /// Per cent of good events.
    pub target: f64,
    /// The same as it was written.
    pub target_text: String,
    /// Where it stands.
    pub target_span: Span,
    /// The window of the objective.
    pub window: Millis,
    /// Where it stands.
    pub window_span: Span,
    /// What is measured.
    pub indicator: Indicator,
    /// Labels for each of whose values the objective holds, as they were written.
    pub grouping: Vec<String>,
    /// Its alerts.
    pub alerting: Alerting,
    /// Sums over the window are made of sums over 5 minutes.
    pub performance_over_accuracy: bool,
    /// The description is a label of the generic rules.
    pub description_as_label: bool,
}

/// What is measured.
#[derive(Debug, Clone)]
pub enum Indicator {
    /// Bad events over all.
    Ratio {
        /// Those that are bad.
        errors: Metric,
        /// All.
        total: Metric,
    },
    /// Requests fast enough over all, by a classic histogram.
    Latency {
        /// The bucket of those that are fast enough.
        success: Metric,
        /// All.
        total: Metric,
    },
    /// The same by a native histogram.
    LatencyNative {
        /// The histogram.
        total: Metric,
        /// What is fast enough.
        latency: Millis,
    },
    /// Samples of a gauge, of which 1 is good and 0 bad.
    BoolGauge(Metric),
}

/// A selector.
#[derive(Debug, Clone)]
pub struct Metric {
    /// The name before the braces.
    pub name: String,
    /// The other conditions in their order.
    pub matchers: Vec<Matcher>,
    /// As it was written.
    pub text: Embedded,
    /// It holds `offset`, `@` or the like, which Pyrra drops.
    pub is_shifted: bool,
}

/// What an objective says of its alerts.
#[derive(Debug, Clone)]
pub struct Alerting {
    /// Alerts on the burn rate.
    pub burnrates: bool,
    /// Alerts on metrics that are gone.
    pub absent: bool,
    /// What the former are called.
    pub name: String,
    /// What the latter are called.
    pub absent_name: String,
    /// The severities of the four burn rates from fast to slow, where they differ from Pyrra's.
    pub severities: [Option<String>; 4],
    /// The severity of metrics that are gone.
    pub absent_severity: String,
}

impl Spec {
    /// The metric by which rules are called, and whose labels they take.
    pub fn total(&self) -> &Metric {
        match &self.indicator {
            Indicator::Ratio { total, .. }
            | Indicator::Latency { total, .. }
            | Indicator::LatencyNative { total, .. }
            | Indicator::BoolGauge(total) => total,
        }
    }

    /// The share of events that may be bad, as Pyrra computes it.
    fn budget(&self) -> f64 {
        1.0 - self.fraction()
    }

    /// The target as Pyrra computes with it.
    fn fraction(&self) -> f64 {
        self.target / 100.0
    }

    /// `slo` and the labels that are passed on.
    fn common_labels(&self) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::from([("slo".to_owned(), self.object.name.clone())]);
        labels.extend(passed_on(&self.object.labels));
        labels
    }

    /// The same with what the total metric is asked for, but for some labels.
    fn labels_without(&self, grouping: &[String]) -> BTreeMap<String, String> {
        let mut labels = self.common_labels();
        labels.extend(equals(self.total()));
        labels.retain(|name, _| !grouping.contains(name));
        labels
    }

    /// The grouping, sorted, each label once.
    fn groups(&self) -> Vec<String> {
        let mut groups = self.grouping.clone();
        groups.sort();
        groups.dedup();
        groups
    }
}

/// Labels and annotations that are passed on to rules.
fn passed_on(all: &BTreeMap<String, String>) -> impl Iterator<Item = (String, String)> {
    let found = all.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix("pyrra.dev/")?;
        Some((name.to_owned(), value.clone()))
    });
    found.collect::<Vec<_>>().into_iter()
}

/// The labels that a metric is asked to have.
fn equals(metric: &Metric) -> impl Iterator<Item = (String, String)> {
    let is_equal = |matcher: &&Matcher| matcher.op == crate::model::MatchOp::Equal;
    let found = metric.matchers.iter().filter(is_equal);
    found.map(|it| (it.name.clone(), it.value.clone()))
}
