//! Series that there are beside those that rules write.

use std::collections::{BTreeMap, HashSet};

use crate::model::{Labels, METRIC_NAME, Matcher, metric_of};

/// Series that there are beside those that rules write, such as those of tests and recordings.
#[derive(Debug, Clone, Default)]
pub struct Given {
    by_metric: BTreeMap<String, HashSet<Labels>>,
}

impl Given {
    /// Adds series.
    pub fn add(&mut self, labels: Labels) {
        match self.by_metric.get_mut(labels.metric()) {
            Some(series) => drop(series.insert(labels)),
            None => drop(
                self.by_metric
                    .insert(labels.metric().to_owned(), [labels].into()),
            ),
        }
    }

    /// Adds all of others.
    pub fn extend(&mut self, others: &Given) {
        for (metric, series) in &others.by_metric {
            let own = self.by_metric.entry(metric.clone()).or_default();
            own.extend(series.iter().cloned());
        }
    }

    /// Whether some series passes all matchers.
    pub(super) fn has(&self, matchers: &[Matcher]) -> bool {
        let passes = |labels: &Labels| matchers.iter().all(|matcher| matcher.matches(labels));
        match metric_of(matchers) {
            Some(metric) => self
                .by_metric
                .get(metric)
                .is_some_and(|series| series.iter().any(passes)),
            None => self.by_metric.values().flatten().any(passes),
        }
    }

    /// The metrics.
    pub(super) fn names(&self) -> Vec<&str> {
        self.by_metric.keys().map(String::as_str).collect()
    }

    /// Whether some series passes the matchers of its name.
    pub(super) fn has_name(&self, matchers: &[Matcher]) -> bool {
        let passes = |metric: &str| {
            let mut of_name = matchers.iter().filter(|it| it.name == METRIC_NAME);
            of_name.all(|matcher| matcher.matches_value(metric))
        };
        self.by_metric.keys().any(|metric| passes(metric))
    }
}
