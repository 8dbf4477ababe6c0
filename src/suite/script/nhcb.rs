//! `load_with_nhcb`: classic histograms once more, as native ones with custom buckets.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::number::{format_value, parse_float};
use crate::model::{BucketSpan, CUSTOM_BUCKETS_SCHEMA, Histogram, Labels, METRIC_NAME, Timestamp};
use crate::store::{Points, is_stale};

/// What is known of a classic histogram at one time.
#[derive(Default)]
struct Classic {
    /// Bounds and cumulative counts.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

/// The native histograms that the buckets, counts and sums among some series make.
///
/// # Errors
///
/// Which classic histogram is none, and why.
pub(super) fn with_custom_buckets(
    series: &[(Labels, Points)],
) -> Result<Vec<(Labels, Points)>, String> {
    let mut found: BTreeMap<Labels, BTreeMap<Timestamp, Classic>> = BTreeMap::new();
    for (labels, points) in series {
        let Some((part, name)) = part_of(labels.metric()) else {
            continue;
        };
        let bound = parse_float(labels.value("le")).filter(|bound| !bound.is_nan());
        if part == Part::Bucket && bound.is_none() {
            continue;
        }
        let base = labels.with(METRIC_NAME, name).with("le", "");
        let times = found.entry(base).or_default();
        for (index, &value) in points.values().iter().enumerate() {
            if points.histogram(index).is_some() || is_stale(value) {
                continue;
            }
            let classic = times.entry(points.time(index)).or_default();
            match (part, bound) {
                (Part::Bucket, Some(bound)) => classic.buckets.push((bound, value)),
                (Part::Bucket, None) => {}
                (Part::Sum, _) => classic.sum = value,
                (Part::Count, _) => classic.count = Some(value),
            }
        }
    }
    let mut native = Vec::new();
    for (labels, times) in found {
        let mut points = Points::default();
        for (time, classic) in times {
            let histogram = classic
                .into_native()
                .map_err(|fault| format!("{labels} at {time} ms: {fault}"))?;
            points.push_histogram(time, Arc::new(histogram));
        }
        if !points.is_empty() {
            native.push((labels, points));
        }
    }
    Ok(native)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Bucket,
    Sum,
    Count,
}

/// Which part of a classic histogram a metric is, and the name of the whole.
fn part_of(metric: &str) -> Option<(Part, &str)> {
    [
        ("_bucket", Part::Bucket),
        ("_sum", Part::Sum),
        ("_count", Part::Count),
    ]
    .into_iter()
    .find_map(|(suffix, part)| Some((part, metric.strip_suffix(suffix)?)))
}

impl Classic {
    fn into_native(mut self) -> Result<Histogram, String> {
        self.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.buckets.dedup_by(|later, first| later.0 == first.0);
        let last = self.buckets.last().copied();
        let count = self.count.or(last.map(|(_, count)| count)).unwrap_or(0.0);
        if last.is_none_or(|(bound, _)| bound != f64::INFINITY) {
            self.buckets.push((f64::INFINITY, count));
        }
        if let Some(negative) = self.buckets.iter().find(|(_, total)| *total < 0.0) {
            let (bound, total) = (format_value(negative.0), negative.1);
            return Err(format!("the bucket {bound} counts {total}"));
        }
        if let Some(pair) = self.buckets.windows(2).find(|pair| pair[0].1 > pair[1].1) {
            let (bound, total, below) = (format_value(pair[1].0), pair[1].1, pair[0].1);
            return Err(format!(
                "the bucket {bound} counts {total}, that below it {below}"
            ));
        }
        if let Some((_, total)) = self.buckets.last().filter(|(_, total)| *total != count) {
            return Err(format!(
                "the count is {count}, that of its last bucket {total}"
            ));
        }
        let mut before = 0.0;
        let counts = self
            .buckets
            .iter()
            .map(|(_, total)| total - std::mem::replace(&mut before, *total));
        let positive_buckets: Vec<f64> = counts.collect();
        let bounds = self.buckets.iter().map(|(bound, _)| *bound);
        let mut histogram = Histogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            count,
            sum: self.sum,
            positive_spans: vec![BucketSpan {
                offset: 0,
                length: positive_buckets.len() as u32,
            }],
            positive_buckets,
            custom_values: bounds.filter(|bound| *bound != f64::INFINITY).collect(),
            ..Histogram::default()
        };
        histogram.compact(0);
        histogram.validate().map_err(|fault| fault.to_string())?;
        Ok(histogram)
    }
}
