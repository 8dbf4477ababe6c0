//! Functions that get too little: windows with too few samples, buckets without bounds.

use super::blame::argument;
use super::tree::Seen;
use super::{Cause, Explainer, FewSamples, Held, MAX_NAMED, Value};
use crate::model::Millis;
use crate::promql::ast::{Call, ExprKind};

/// Functions of windows that need two samples.
const OF_TWO: [&str; 9] = [
    "rate",
    "increase",
    "delta",
    "irate",
    "idelta",
    "deriv",
    "predict_linear",
    "double_exponential_smoothing",
    "holt_winters",
];

/// The label that holds the upper bound of a bucket.
const BOUND: &str = "le";

impl Explainer<'_> {
    /// Windows with one sample below a function that needs two.
    pub(super) fn few_samples(&self, seen: &Seen<'_>, call: &Call) -> Option<FewSamples> {
        let function = call.function.name;
        let argument = argument(seen)?;
        let Value::Windows(held) = &argument.value else {
            return None;
        };
        let is_short = |held: &Held| held.count < 2;
        if !OF_TWO.contains(&function) || !held.iter().all(is_short) {
            return None;
        }
        let (range, apart) = match &call.args.first()?.unwrap_parens().kind {
            ExprKind::Subquery(subquery) => {
                let steps = self.steps(subquery, argument.moment)?;
                (Some(steps.range), Some(steps.step))
            }
            _ => {
                let range = argument.selector().and_then(|(_, range)| range);
                (range, self.distance(argument, held.first()?))
            }
        };
        Some(FewSamples {
            function,
            needed: 2,
            range,
            series: held.iter().take(MAX_NAMED).cloned().collect(),
            more: held.len().saturating_sub(MAX_NAMED),
            apart,
        })
    }

    /// How far the samples of a series lie apart around its last in a window.
    fn distance(&self, argument: &Seen<'_>, held: &Held) -> Option<Millis> {
        let (selector, _) = argument.selector()?;
        let mut times: Vec<i64> = Vec::new();
        for id in self.view.store.select(&selector.matchers) {
            let series = self.view.store.get(id);
            if series.labels == held.labels {
                let points = series.points.fresh();
                let until = points.count_until(held.last);
                times.extend(
                    (until.saturating_sub(2)..points.len().min(until + 1))
                        .map(|at| points.time(at)),
                );
            }
        }
        times.sort_unstable();
        let pairs = times.windows(2).filter_map(|pair| match pair {
            [before, after] if before < after => Some(after - before),
            _ => None,
        });
        pairs.min()
    }

    /// Series without the label by which buckets are told apart.
    pub(super) fn no_buckets(&self, seen: &Seen<'_>, call: &Call) -> Option<Cause> {
        let function = call.function.name;
        if !matches!(
            function,
            "histogram_quantile" | "histogram_fraction" | "histogram_quantiles"
        ) {
            return None;
        }
        let input = seen
            .children
            .iter()
            .find(|child| !child.points().is_empty())?;
        let without = |labels: &crate::model::Labels| labels.get(BOUND).is_none();
        let floats = input
            .points()
            .iter()
            .filter(|point| point.reading.float().is_some());
        let mut floats = floats.map(|point| &point.labels);
        let example = floats.clone().find(|labels| without(labels))?;
        floats.all(without).then(|| Cause::NoBuckets {
            function,
            example: example.clone(),
            dropped: self.dropped(input, BOUND),
        })
    }
}
