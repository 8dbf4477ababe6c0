//! Queries as Pyrra builds and Prometheus prints them.

use super::Metric;
use crate::model::{Duration, MatchOp, Matcher, Millis};

/// A selector with a name and conditions.
#[derive(Debug, Clone)]
pub(super) struct Selector {
    pub name: String,
    pub matchers: Vec<Matcher>,
}

impl Selector {
    pub fn of(metric: &Metric) -> Selector {
        Selector {
            name: metric.name.clone(),
            matchers: metric.matchers.clone(),
        }
    }

    /// The same of another metric.
    pub fn named(mut self, name: String) -> Selector {
        self.name = name;
        self
    }

    /// The same with one more condition.
    pub fn with(mut self, label: &str, value: &str) -> Selector {
        self.matchers.push(Matcher::equal(label, value));
        self
    }

    /// The same for both ways in which a whole bound of a bucket is written: Prometheus 3 adds `.0`.
    pub fn for_both_bounds(mut self, is_asked: bool) -> Selector {
        for matcher in self.matchers.iter_mut().filter(|_| is_asked) {
            let is_whole = matcher.value.parse::<i64>().is_ok();
            if matcher.name != "le" || matcher.op != MatchOp::Equal || !is_whole {
                continue;
            }
            let pattern = format!(r"{}(\.0)?", matcher.value);
            if let Ok(both) = Matcher::new("le", MatchOp::Regex, pattern) {
                *matcher = both;
            }
        }
        self
    }

    pub fn text(&self) -> String {
        let mut conditions: Vec<String> = self.matchers.iter().map(Matcher::to_string).collect();
        conditions.sort();
        match conditions.is_empty() {
            true => self.name.clone(),
            false => format!("{}{{{}}}", self.name, conditions.join(",")),
        }
    }

    /// `selector[window]`. A window of nothing stays the second that Pyrra's pattern has.
    pub fn over(&self, window: Millis) -> String {
        let window = if window == 0 { 1000 } else { window };
        format!("{}[{}]", self.text(), Duration(window))
    }
}

/// `sum by (…) (…)`.
pub(super) fn sum(grouping: &[String], inner: &str) -> String {
    match grouping.is_empty() {
        true => format!("sum({inner})"),
        false => format!("sum by ({}) ({inner})", grouping.join(", ")),
    }
}
