//! Functions of histograms, native and classic.

use std::sync::Arc;

use hashbrown::HashMap;

use super::{Arguments, Body, Function};
use crate::model::number::{format_general, parse_float};
use crate::model::quantile::{ClassicBucket, bucket_fraction, bucket_quantile};
use crate::model::{Histogram, Labels};
use crate::promql::ast::ValueType::{Scalar, String as Text, Vector};
use crate::promql::column::{Column, ColumnSeries, EvalError, Sample};

/// Every such function.
pub(super) static ROWS: &[Function] = &[
    Function::new(
        "histogram_count",
        Body::HistogramPart(|histogram| histogram.count),
        "Number of observations.",
    ),
    Function::new(
        "histogram_sum",
        Body::HistogramPart(|histogram| histogram.sum),
        "Sum of the observations.",
    ),
    Function::new(
        "histogram_avg",
        Body::HistogramPart(Histogram::mean),
        "Mean of the observations.",
    ),
    Function::new(
        "histogram_stddev",
        Body::HistogramPart(|histogram| histogram.variance().sqrt()),
        "Estimated standard deviation of the observations.",
    ),
    Function::new(
        "histogram_stdvar",
        Body::HistogramPart(Histogram::variance),
        "Estimated variance of the observations.",
    ),
    Function::of_vectors(
        "histogram_quantile",
        &[Scalar, Vector],
        0,
        |arguments| {
            of_each(arguments, 1, |arguments, tick, found| {
                quantile(arguments.scalar(0, tick), found)
            })
        },
        "The quantile φ of the observations, by interpolation in a bucket.",
    ),
    Function::of_vectors(
        "histogram_fraction",
        &[Scalar, Scalar, Vector],
        0,
        |arguments| {
            of_each(arguments, 2, |arguments, tick, found| {
                let (lower, upper) = (arguments.scalar(0, tick), arguments.scalar(1, tick));
                match found {
                    Found::Native(histogram) => histogram.fraction(lower, upper).value,
                    Found::Classic(buckets) => bucket_fraction(lower, upper, buckets),
                }
            })
        },
        "The estimated fraction of observations between two values.",
    ),
    Function::of_vectors(
        "histogram_quantiles",
        &[Vector, Text, Scalar, Scalar],
        9,
        quantiles,
        "Several quantiles at once, told apart by a label.",
    )
    .experimental(),
];

/// A histogram at a tick.
enum Found<'f> {
    Native(&'f Arc<Histogram>),
    Classic(&'f mut Vec<ClassicBucket>),
}

fn quantile(q: f64, found: Found<'_>) -> f64 {
    match found {
        Found::Native(histogram) => histogram.quantile(q).value,
        Found::Classic(buckets) => bucket_quantile(q, buckets).value,
    }
}

/// Computes one number for every histogram in a vector argument at every tick.
fn of_each(
    arguments: &mut Arguments<'_>,
    vector: usize,
    body: fn(&Arguments<'_>, usize, Found<'_>) -> f64,
) -> Result<Vec<ColumnSeries>, EvalError> {
    let sources = sources(arguments.take_vector(vector));
    let results = sources.iter().map(|source| {
        let (labels, drop_name) = arguments.nameless(source.labels());
        let mut column = Column::absent(arguments.ticks.count);
        source.each(|tick, found| column.set(tick, body(arguments, tick, found)));
        ColumnSeries {
            labels,
            drop_name,
            column,
        }
    });
    Ok(results.collect())
}

fn quantiles(arguments: &mut Arguments<'_>) -> Result<Vec<ColumnSeries>, EvalError> {
    let sources = sources(arguments.take_vector(0));
    let label = arguments.string(1).to_owned();
    let mut results: Vec<ColumnSeries> = Vec::new();
    for index in 2..arguments.values.len() {
        for source in &sources {
            let (labels, drop_name) = arguments.nameless(source.labels());
            let mut by_quantile: Vec<(u64, Column)> = Vec::new();
            source.each(|tick, found| {
                let q = arguments.scalar(index, tick);
                let place = by_quantile
                    .iter()
                    .position(|(bits, _)| *bits == q.to_bits());
                let place = place.unwrap_or_else(|| {
                    by_quantile.push((q.to_bits(), Column::absent(arguments.ticks.count)));
                    by_quantile.len() - 1
                });
                by_quantile[place].1.set(tick, quantile(q, found));
            });
            results.extend(by_quantile.into_iter().map(|(bits, column)| ColumnSeries {
                labels: labels.with(&label, &open_metrics(f64::from_bits(bits))),
                drop_name,
                column,
            }));
        }
    }
    Ok(results)
}

/// A number as OpenMetrics writes it in labels: with a dot or an exponent.
fn open_metrics(value: f64) -> String {
    let text = format_general(if value == 0.0 { 0.0 } else { value });
    match !value.is_finite() || text.contains(['.', 'e']) {
        true => text,
        false => text + ".0",
    }
}

/// Where histograms come from.
enum Source {
    /// A series of native histograms.
    Native(ColumnSeries),
    /// The series of one classic histogram, in the order of their bounds.
    Classic {
        labels: Labels,
        buckets: Vec<(f64, Column)>,
        /// Ticks at which a native histogram has the same labels, so that neither counts.
        hidden: Vec<bool>,
    },
}

impl Source {
    fn labels(&self) -> &Labels {
        match self {
            Source::Native(series) => &series.labels,
            Source::Classic { labels, .. } => labels,
        }
    }

    /// Hands over the histogram of every tick that has one.
    fn each(&self, mut take: impl FnMut(usize, Found<'_>)) {
        match self {
            Source::Native(series) => {
                for tick in series.column.present_ticks() {
                    if let Some(Sample::Histogram(histogram)) = series.column.get(tick) {
                        take(tick, Found::Native(histogram));
                    }
                }
            }
            Source::Classic {
                buckets, hidden, ..
            } => {
                let mut found = Vec::with_capacity(buckets.len());
                for tick in (0..hidden.len()).filter(|&tick| !hidden[tick]) {
                    found.clear();
                    found.extend(
                        buckets
                            .iter()
                            .filter_map(|(bound, column)| bucket(*bound, column, tick)),
                    );
                    if !found.is_empty() {
                        take(tick, Found::Classic(&mut found));
                    }
                }
            }
        }
    }
}

fn bucket(upper_bound: f64, column: &Column, tick: usize) -> Option<ClassicBucket> {
    match column.get(tick)? {
        Sample::Float(count) => Some(ClassicBucket { upper_bound, count }),
        Sample::Histogram(_) => None,
    }
}

/// The native histograms of a vector, in its order, and then its classic ones.
fn sources(series: Vec<ColumnSeries>) -> Vec<Source> {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut classic: Vec<Source> = Vec::new();
    let mut native: Vec<ColumnSeries> = Vec::new();
    for series in series {
        if let Some(bound) = parse_float(series.labels.value("le")) {
            let labels = series.labels.filtered(|name| name != "le");
            let place = *places.entry(labels.clone()).or_insert_with(|| {
                classic.push(Source::Classic {
                    labels,
                    buckets: Vec::new(),
                    hidden: vec![false; series.column.len()],
                });
                classic.len() - 1
            });
            if let Source::Classic { buckets, .. } = &mut classic[place] {
                buckets.push((bound, series.column.clone()));
            }
        }
        if series.column.has_histograms() {
            native.push(series);
        }
    }
    for series in &mut native {
        if let Some(Source::Classic {
            buckets, hidden, ..
        }) = places.get(&series.labels).map(|&place| &mut classic[place])
        {
            hide_both(&mut series.column, buckets, hidden);
        }
    }
    for source in &mut classic {
        if let Source::Classic { buckets, .. } = source {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
    }
    native
        .into_iter()
        .map(Source::Native)
        .chain(classic)
        .collect()
}

/// Takes away a native and a classic histogram where they have the same labels at a tick.
fn hide_both(native: &mut Column, buckets: &[(f64, Column)], hidden: &mut [bool]) {
    for (tick, hidden) in hidden.iter_mut().enumerate() {
        let is_native = matches!(native.get(tick), Some(Sample::Histogram(_)));
        if is_native
            && buckets
                .iter()
                .any(|(bound, column)| bucket(*bound, column, tick).is_some())
        {
            *hidden = true;
            native.clear(tick);
        }
    }
}
