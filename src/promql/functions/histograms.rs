//! Functions of histograms, native and classic.

use hashbrown::HashMap;

use super::{Arguments, Body, Function};
use crate::model::quantile::{ClassicBucket, bucket_fraction, bucket_quantile};
use crate::model::{Labels, METRIC_NAME};
use crate::promql::ast::ValueType::{self, Scalar, String as Text, Vector};
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
        Body::HistogramPart(|histogram| histogram.sum / histogram.count),
        "Mean of the observations.",
    ),
    row(
        "histogram_stddev",
        &[Vector],
        0,
        native_only,
        "Estimated standard deviation of the observations.",
    ),
    row(
        "histogram_stdvar",
        &[Vector],
        0,
        native_only,
        "Estimated variance of the observations.",
    ),
    row(
        "histogram_quantile",
        &[Scalar, Vector],
        0,
        |arguments| {
            over_buckets(arguments, 1, |arguments, tick, buckets| {
                bucket_quantile(arguments.scalar(0, tick), buckets).value
            })
        },
        "The quantile φ of the observations, by interpolation in a bucket.",
    ),
    row(
        "histogram_fraction",
        &[Scalar, Scalar, Vector],
        0,
        |arguments| {
            over_buckets(arguments, 2, |arguments, tick, buckets| {
                bucket_fraction(
                    arguments.scalar(0, tick),
                    arguments.scalar(1, tick),
                    buckets,
                )
            })
        },
        "The estimated fraction of observations between two values.",
    ),
    row(
        "histogram_quantiles",
        &[Vector, Text, Scalar, Scalar],
        9,
        quantiles,
        "Several quantiles at once, told apart by a label.",
    )
    .experimental(),
];

const fn row(
    name: &'static str,
    params: &'static [ValueType],
    variadic: i32,
    body: fn(&mut Arguments<'_>) -> Result<Vec<ColumnSeries>, EvalError>,
    doc: &'static str,
) -> Function {
    Function::new(
        name,
        Body::Vector {
            params,
            variadic,
            body,
        },
        doc,
    )
}

/// Refuses native histograms; there is nothing to say of floats.
fn native_only(arguments: &mut Arguments<'_>) -> Result<Vec<ColumnSeries>, EvalError> {
    let series = arguments.take_vector(0);
    refuse_native(arguments, &series);
    Ok(Vec::new())
}

/// The series of one classic histogram, in the order of their bounds.
struct ClassicHistogram {
    labels: Labels,
    buckets: Vec<(f64, Column)>,
}

/// Computes one number for every classic histogram in a vector argument at every tick.
fn over_buckets(
    arguments: &mut Arguments<'_>,
    vector: usize,
    body: fn(&Arguments<'_>, usize, &mut Vec<ClassicBucket>) -> f64,
) -> Result<Vec<ColumnSeries>, EvalError> {
    let series = arguments.take_vector(vector);
    refuse_native(arguments, &series);
    let mut buckets = Vec::new();
    let results = classic_histograms(series).into_iter().map(|histogram| {
        let (labels, drop_name) = arguments.nameless(&histogram.labels);
        let mut column = Column::absent(arguments.ticks.count);
        for tick in 0..arguments.ticks.count {
            buckets.clear();
            buckets.extend(histogram.at(tick));
            if !buckets.is_empty() {
                column.set(tick, body(arguments, tick, &mut buckets));
            }
        }
        ColumnSeries {
            labels,
            drop_name,
            column,
        }
    });
    Ok(results.collect())
}

fn quantiles(arguments: &mut Arguments<'_>) -> Result<Vec<ColumnSeries>, EvalError> {
    let series = arguments.take_vector(0);
    refuse_native(arguments, &series);
    let histograms = classic_histograms(series);
    let label = arguments.string(1).to_owned();
    let mut results: Vec<ColumnSeries> = Vec::new();
    for index in 2..arguments.values.len() {
        for histogram in &histograms {
            let (labels, drop_name) = arguments.nameless(&histogram.labels);
            for tick in 0..arguments.ticks.count {
                let mut buckets: Vec<ClassicBucket> = histogram.at(tick).collect();
                if buckets.is_empty() {
                    continue;
                }
                let q = arguments.scalar(index, tick);
                let mut column = Column::absent(arguments.ticks.count);
                column.set(tick, bucket_quantile(q, &mut buckets).value);
                results.push(ColumnSeries {
                    labels: labels.with(&label, &crate::model::number::format_value(q)),
                    drop_name,
                    column,
                });
            }
        }
    }
    Ok(results)
}

fn classic_histograms(series: Vec<ColumnSeries>) -> Vec<ClassicHistogram> {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut histograms: Vec<ClassicHistogram> = Vec::new();
    for series in series {
        let Ok(bound) = series.labels.value("le").parse::<f64>() else {
            continue;
        };
        let labels = series.labels.filtered(|name| name != "le");
        let place = *places.entry(labels.clone()).or_insert_with(|| {
            histograms.push(ClassicHistogram {
                labels,
                buckets: Vec::new(),
            });
            histograms.len() - 1
        });
        histograms[place].buckets.push((bound, series.column));
    }
    for histogram in &mut histograms {
        histogram.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    histograms
}

impl ClassicHistogram {
    /// Bounds and counts at a tick.
    fn at(&self, tick: usize) -> impl Iterator<Item = ClassicBucket> {
        self.buckets
            .iter()
            .filter_map(move |(upper_bound, column)| match column.get(tick) {
                Some(Sample::Float(count)) => Some(ClassicBucket {
                    upper_bound: *upper_bound,
                    count,
                }),
                _ => None,
            })
    }
}

/// Fails every tick that holds a native histogram.
fn refuse_native(arguments: &mut Arguments<'_>, series: &[ColumnSeries]) {
    for series in series
        .iter()
        .filter(|series| series.column.has_histograms())
    {
        for tick in series.column.present_ticks() {
            if let Some(Sample::Histogram(_)) = series.column.get(tick) {
                let name = series.labels.value(METRIC_NAME);
                let message = format!(
                    "this function of native histograms is not evaluated yet (series {name:?})"
                );
                arguments
                    .errors
                    .entry(tick)
                    .or_insert_with(|| EvalError::new(message));
            }
        }
    }
}
