//! How many events there were over the whole window, and alerts on metrics that are gone.

use std::collections::{BTreeMap, BTreeSet};

use super::burnrate::{annotations, seconds};
use super::query::{Selector, sum};
use super::windows::absent_hold;
use super::{Indicator, Metric, Options, Spec};
use crate::model::number::format_general;
use crate::model::{Duration, METRIC_NAME, MatchOp, Millis};
use crate::slo::generated::{Kind, Rule};

const FIVE_MINUTES: Millis = 5 * 60_000;

/// The rules over short windows and alerts, and those over the whole window.
#[derive(Default)]
pub(super) struct Parts {
    pub short: Vec<Rule>,
    pub long: Vec<Rule>,
}

/// The rules.
pub(super) fn rules(spec: &Spec, options: &Options) -> Parts {
    let mut maker = Maker {
        spec,
        grouping: grouping(spec),
        parts: Parts::default(),
    };
    let both = options.prometheus3_migration;
    match &spec.indicator {
        Indicator::Ratio { errors, total } => {
            let labels = spec.labels_without(&maker.grouping);
            maker.increase(&Selector::of(total), None, &labels);
            maker.absent(&Selector::of(total), &labels);
            if total.name != errors.name {
                maker.increase(&Selector::of(errors), None, &labels);
                maker.absent(&Selector::of(errors), &labels);
            }
        }
        Indicator::Latency { success, total } => {
            let labels = spec.labels_without(&maker.grouping);
            let mut fast_labels = BTreeMap::from([("le".to_owned(), bound(success))]);
            fast_labels.extend(labels.clone());
            let total = Selector::of(total).for_both_bounds(both);
            let success = Selector::of(success).for_both_bounds(both);
            maker.increase(&total, Some(("le", "")), &labels);
            maker.increase(&success, None, &fast_labels);
            maker.absent(&total, &labels);
            maker.absent(&success, &fast_labels);
        }
        Indicator::LatencyNative { total, latency } => maker.native(total, *latency),
        Indicator::BoolGauge(metric) => maker.gauge(&Selector::of(metric)),
    }
    maker.parts
}

/// The labels that the sums keep: those asked for, those that only bad events are asked for, those asked for by patterns.
fn grouping(spec: &Spec) -> Vec<String> {
    let mut groups: BTreeSet<&str> = spec.grouping.iter().map(String::as_str).collect();
    let total = spec.total();
    let names = |metric: &'_ Metric| -> Vec<String> {
        metric.matchers.iter().map(|it| it.name.clone()).collect()
    };
    let (all, some) = match &spec.indicator {
        Indicator::Ratio { errors, .. } => (names(total), names(errors)),
        Indicator::Latency { success, .. } => (names(total), names(success)),
        Indicator::LatencyNative { .. } => return spec.grouping.clone(),
        Indicator::BoolGauge(metric) => {
            let mut own = names(metric);
            // The gauge's own name is a condition, too.
            own.push(METRIC_NAME.to_owned());
            (Vec::new(), own)
        }
    };
    let keeps_bound = matches!(spec.indicator, Indicator::BoolGauge(_));
    let more = some.iter().filter(|name| !all.contains(name));
    groups.extend(
        more.map(String::as_str)
            .filter(|it| keeps_bound || *it != "le"),
    );
    let is_pattern = |op| matches!(op, MatchOp::Regex | MatchOp::NotRegex);
    let patterns = total.matchers.iter().filter(|it| is_pattern(it.op));
    groups.extend(patterns.map(|it| it.name.as_str()));
    groups.into_iter().map(str::to_owned).collect()
}

/// What a sum over a window is called.
pub(super) fn increase_name(metric: &str, window: Millis) -> String {
    let metric = metric.strip_suffix("_total").unwrap_or(metric);
    let metric = metric.strip_suffix("_count").unwrap_or(metric);
    let metric = metric.strip_suffix("_bucket").unwrap_or(metric);
    format!("{metric}:increase{}", Duration(window))
}

/// The bound of the bucket of what is fast enough.
fn bound(success: &Metric) -> String {
    let le = success.matchers.iter().find(|it| it.name == "le");
    le.map(|it| it.value.clone()).unwrap_or_default()
}

struct Maker<'a> {
    spec: &'a Spec,
    grouping: Vec<String>,
    parts: Parts,
}

impl Maker<'_> {
    /// The increase of a counter over the window, maybe by way of 5 minutes, of which a further condition selects.
    fn increase(
        &mut self,
        selector: &Selector,
        condition: Option<(&str, &str)>,
        labels: &BTreeMap<String, String>,
    ) {
        let name = |window| increase_name(&selector.name, window);
        self.summed(selector, "increase", name, condition, labels);
    }

    fn summed(
        &mut self,
        selector: &Selector,
        function: &str,
        name: impl Fn(Millis) -> String,
        condition: Option<(&str, &str)>,
        labels: &BTreeMap<String, String>,
    ) {
        let window = self.spec.window;
        let over = |window| {
            sum(
                &self.grouping,
                &format!("{function}({})", selector.over(window)),
            )
        };
        if !self.spec.performance_over_accuracy {
            let rule = Rule::record(name(window), over(window), labels.clone());
            self.parts.long.push(rule);
            return;
        }
        let short = Rule::record(name(FIVE_MINUTES), over(FIVE_MINUTES), labels.clone());
        let mut recorded = selector.clone().named(name(FIVE_MINUTES));
        if let Some((label, value)) = condition {
            recorded = recorded.with(label, value);
        }
        let steps = format!("{}[{}:5m]", recorded.text(), Duration(window));
        let expr = sum(&self.grouping, &format!("sum_over_time({steps})"));
        self.parts.short.push(short);
        let long = Rule::record(name(window), expr, labels.clone());
        self.parts.long.push(long);
    }

    /// The alert on a metric that is gone.
    fn absent(&mut self, selector: &Selector, labels: &BTreeMap<String, String>) {
        let alerting = &self.spec.alerting;
        if !alerting.absent {
            return;
        }
        let mut labels = labels.clone();
        labels.insert("severity".to_owned(), alerting.absent_severity.clone());
        let hold = absent_hold(self.spec.window, self.spec.budget());
        let rule = Rule {
            kind: Kind::Alert,
            name: alerting.absent_name.clone(),
            expr: format!("absent({}) == 1", selector.text()),
            hold: Some(Duration(hold).to_string()),
            labels,
            annotations: annotations(self.spec, None),
        };
        match self.spec.performance_over_accuracy {
            true => self.parts.short.push(rule),
            false => self.parts.long.push(rule),
        }
    }

    /// All observations of a native histogram and those that were fast enough. Pyrra has no other rules for them.
    fn native(&mut self, total: &Metric, latency: Millis) {
        let mut labels = self.spec.labels_without(&[]);
        let window = self.spec.window;
        let increase = format!("increase({})", Selector::of(total).over(window));
        let all = sum(&self.grouping, &increase);
        let name = increase_name(&total.name, window);
        let count = format!("histogram_count({all})");
        let rule = Rule::record(name.clone(), count.clone(), labels.clone());
        self.parts.long.push(rule);
        let fraction = format!("histogram_fraction(0, {}, {all})", seconds(latency));
        let le = format_general(latency as f64 / 1000.0);
        labels.insert("le".to_owned(), le);
        let rule = Rule::record(name, format!("{fraction} * {count}"), labels);
        self.parts.long.push(rule);
    }

    fn gauge(&mut self, selector: &Selector) {
        let labels = self.spec.labels_without(&self.grouping);
        for (function, part) in [("count_over_time", "count"), ("sum_over_time", "sum")] {
            let name = |window| format!("{}:{part}{}", selector.name, Duration(window));
            self.summed(selector, function, name, None, &labels);
        }
        self.absent(selector, &labels);
    }
}
