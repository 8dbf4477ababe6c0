//! `load_with_nhcb`: classic histograms once more, as native ones with custom buckets.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::number::parse_float;
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

/// The native histograms that the buckets, counts and sums among some series make. Where the counts do not rise or do
/// not fit together there is none.
pub(super) fn with_custom_buckets(series: &[(Labels, Points)]) -> Vec<(Labels, Points)> {
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
    let native = found.into_iter().map(|(labels, times)| {
        let mut points = Points::default();
        for (time, classic) in times {
            if let Some(histogram) = classic.into_native() {
                points.push_histogram(time, Arc::new(histogram));
            }
        }
        (labels, points)
    });
    native.filter(|(_, points)| !points.is_empty()).collect()
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
    fn into_native(mut self) -> Option<Histogram> {
        self.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.buckets.dedup_by(|later, first| later.0 == first.0);
        let last = self.buckets.last().copied();
        let count = self.count.or(last.map(|(_, count)| count)).unwrap_or(0.0);
        if last.is_none_or(|(bound, _)| bound != f64::INFINITY) {
            self.buckets.push((f64::INFINITY, count));
        }
        let rises = self.buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1);
        if !rises || self.buckets.last().is_none_or(|(_, total)| *total != count) {
            return None;
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
        Some(histogram)
    }
}
