//! Whether a result is what a script expects, by promqltest's rules.

use std::sync::Arc;

use super::{Evaluation, Expected, ExpectedSeries};
use crate::model::number::{almost_equal, format_value};
use crate::model::{BucketSpan, Histogram, Labels, Timestamp};
use crate::promql::ast::ValueType;
use crate::store::Points;

/// What a query yielded.
pub(super) enum Got {
    Scalar(f64),
    Text(String),
    /// A sample each.
    Vector(Vec<(Labels, Points)>),
    Matrix(Vec<(Labels, Points)>),
}

/// Relative error that is allowed.
const EPSILON: f64 = 0.000_001;

/// What was expected and what came, where they differ.
type Difference = (String, String);

/// Compares a result with what an evaluation expects.
pub(super) fn compare(evaluation: &Evaluation, got: &Got) -> Result<(), Difference> {
    match (&evaluation.expected, got) {
        (Expected::Scalar(expected), Got::Scalar(value)) if almost(*expected, *value) => Ok(()),
        (Expected::Text(expected), Got::Text(text)) if expected == text => Ok(()),
        (Expected::Series(expected), Got::Vector(series)) => {
            vector(expected, series, evaluation.ordered)
        }
        (Expected::Series(expected), Got::Matrix(series)) => matrix(expected, series),
        (expected, got) => Err((expected.describe(), got.describe())),
    }
}

fn vector(
    expected: &[ExpectedSeries],
    got: &[(Labels, Points)],
    ordered: bool,
) -> Result<(), Difference> {
    for (place, (labels, points)) in got.iter().enumerate() {
        let found = expected.iter().position(|series| series.labels == *labels);
        let Some(position) = found else {
            return Err(("no such series".to_owned(), show(labels, points)));
        };
        let series = &expected[position];
        if ordered && place != position {
            let order = format!(
                "{} at position {}",
                show(labels, &series.points),
                position + 1
            );
            return Err((order, format!("position {}", place + 1)));
        }
        let wanted = sample(&series.points, 0).unwrap_or(Sampled::Float(0.0));
        let value = sample(points, 0).unwrap_or(Sampled::Float(f64::NAN));
        if !wanted.is_near(value, series.is_hinted(0)) {
            return Err((show(labels, &series.points), show(labels, points)));
        }
    }
    all_found(expected, got)
}

fn matrix(expected: &[ExpectedSeries], got: &[(Labels, Points)]) -> Result<(), Difference> {
    for (labels, points) in got {
        let Some(series) = expected.iter().find(|series| series.labels == *labels) else {
            return Err(("no such series".to_owned(), show(labels, points)));
        };
        let same = (0..points.len().max(series.points.len())).all(|index| {
            let (wanted, value) = (sample(&series.points, index), sample(points, index));
            let at = |points: &Points| points.time(index);
            matches!((wanted, value), (Some(wanted), Some(value))
                if at(&series.points) == at(points) && wanted.is_near(value, series.is_hinted(index)))
        });
        if !same {
            return Err((show(labels, &series.points), show(labels, points)));
        }
    }
    if let Some(pair) = got.windows(2).find(|pair| pair[0].0 > pair[1].0) {
        return Err((
            "series in the order of labels".to_owned(),
            pair[1].0.to_string(),
        ));
    }
    all_found(expected, got)
}

fn all_found(expected: &[ExpectedSeries], got: &[(Labels, Points)]) -> Result<(), Difference> {
    let missing = expected
        .iter()
        .find(|series| !got.iter().any(|(labels, _)| *labels == series.labels));
    match missing {
        Some(series) => Err((
            show(&series.labels, &series.points),
            "no such series".to_owned(),
        )),
        None => Ok(()),
    }
}

/// A sample of points.
#[derive(Clone, Copy)]
enum Sampled<'a> {
    Float(f64),
    Histogram(&'a Arc<Histogram>),
}

fn sample(points: &Points, index: usize) -> Option<Sampled<'_>> {
    match points.histogram(index) {
        Some(histogram) => Some(Sampled::Histogram(histogram)),
        None => points
            .values()
            .get(index)
            .map(|&value| Sampled::Float(value)),
    }
}

impl Sampled<'_> {
    fn is_near(self, got: Sampled<'_>, with_hint: bool) -> bool {
        match (self, got) {
            (Sampled::Float(expected), Sampled::Float(value)) => almost(expected, value),
            (Sampled::Histogram(expected), Sampled::Histogram(value)) => {
                are_near(expected, value, with_hint)
            }
            _ => false,
        }
    }
}

fn almost(a: f64, b: f64) -> bool {
    almost_equal(a, b, EPSILON)
}

/// Whether two histograms, compacted, have the same layout and almost the same numbers.
fn are_near(expected: &Histogram, got: &Histogram, with_hint: bool) -> bool {
    let (mut expected, mut got) = (expected.clone(), got.clone());
    expected.compact(0);
    got.compact(0);
    let buckets =
        |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| almost(a, b));
    expected.schema == got.schema
        && almost(expected.count, got.count)
        && almost(expected.sum, got.sum)
        && expected.custom_values == got.custom_values
        && expected.zero_threshold == got.zero_threshold
        && almost(expected.zero_count, got.zero_count)
        && filled(&expected.negative_spans) == filled(&got.negative_spans)
        && buckets(&expected.negative_buckets, &got.negative_buckets)
        && filled(&expected.positive_spans) == filled(&got.positive_spans)
        && buckets(&expected.positive_buckets, &got.positive_buckets)
        && (!with_hint || expected.counter_reset_hint == got.counter_reset_hint)
}

/// Where spans lie, empty ones joined into what follows.
fn filled(spans: &[BucketSpan]) -> Vec<(i64, u32)> {
    let mut offset = 0;
    let mut out = Vec::new();
    for span in spans {
        offset += i64::from(span.offset);
        if span.length > 0 {
            out.push((offset, span.length));
            offset = 0;
        }
    }
    out
}

impl Got {
    /// The samples of one step of a range query, as a vector or a scalar.
    pub fn middle(self, time: Timestamp, of: ValueType) -> Got {
        let Got::Matrix(series) = self else {
            return self;
        };
        let at = |points: &Points| points.filtered(|index| points.time(index) == time);
        let mut middle = series.into_iter().map(|(labels, points)| {
            let points = at(&points);
            (labels, points)
        });
        match of {
            ValueType::Scalar => {
                let first = middle
                    .next()
                    .and_then(|(_, points)| points.values().first().copied());
                Got::Scalar(first.unwrap_or(f64::NAN))
            }
            _ => Got::Vector(middle.filter(|(_, points)| !points.is_empty()).collect()),
        }
    }

    /// In words.
    pub fn describe(&self) -> String {
        match self {
            Got::Scalar(value) => format!("scalar {}", format_value(*value)),
            Got::Text(text) => format!("string {text:?}"),
            Got::Vector(series) | Got::Matrix(series) if series.is_empty() => "nothing".to_owned(),
            Got::Vector(series) | Got::Matrix(series) => {
                let lines: Vec<String> = series
                    .iter()
                    .map(|(labels, points)| show(labels, points))
                    .collect();
                lines.join(", ")
            }
        }
    }
}

impl ExpectedSeries {
    fn is_hinted(&self, index: usize) -> bool {
        self.hinted.get(index).copied().unwrap_or_default()
    }
}

impl Expected {
    fn describe(&self) -> String {
        match self {
            Expected::Scalar(value) => format!("scalar {}", format_value(*value)),
            Expected::Text(text) => format!("string {text:?}"),
            Expected::Series(series) if series.is_empty() => "nothing".to_owned(),
            Expected::Series(series) => {
                let lines: Vec<String> = series
                    .iter()
                    .map(|series| show(&series.labels, &series.points))
                    .collect();
                lines.join(", ")
            }
        }
    }
}

/// A series with its samples; the times of several.
fn show(labels: &Labels, points: &Points) -> String {
    let value = |index| match sample(points, index) {
        Some(Sampled::Float(value)) => format_value(value),
        Some(Sampled::Histogram(histogram)) => histogram.test_expression(),
        None => "_".to_owned(),
    };
    let values = (0..points.len()).map(|index| match points.len() {
        1 => value(index),
        _ => format!("{}@{}", value(index), points.time(index)),
    });
    let values: Vec<String> = values.collect();
    format!("{labels} {}", values.join(" "))
}
