//! Results of queries as lines, as `promtool query` prints them: `up{job="x"} => 1 @[1700000000]`; of a range the labels
//! of a series, and below them a line a sample. Native histograms are written as Prometheus's own texts are.

use crate::model::number::format_value;
use crate::model::{Labels, Timestamp};
use crate::promql::{Columns, Evaluated, Sample};
use crate::store::Points;

/// What an instant query evaluated to; of several ticks the first counts.
pub fn instant(evaluated: &Evaluated, time: Timestamp) -> String {
    match evaluated {
        Evaluated::String(text) => format!("{text}\n"),
        Evaluated::Scalar(columns) => samples(columns)
            .map(|(_, sample)| format!("scalar: {}\n", at(&text(sample), time)))
            .collect(),
        Evaluated::Vector(columns) => samples(columns)
            .map(|(labels, sample)| format!("{labels} => {}\n", at(&text(sample), time)))
            .collect(),
    }
}

/// The series of a result with the samples of their first tick.
fn samples(columns: &Columns) -> impl Iterator<Item = (&Labels, Sample<'_>)> {
    let series = columns.series.iter();
    series.filter_map(|series| Some((&series.labels, series.column.get(0)?)))
}

/// What a range query evaluated to.
pub fn range(evaluated: &Evaluated) -> String {
    match evaluated {
        Evaluated::String(text) => format!("{text}\n"),
        Evaluated::Scalar(columns) | Evaluated::Vector(columns) => {
            let mut out = String::new();
            for series in &columns.series {
                out.push_str(&format!("{} =>\n", series.labels));
                for tick in series.column.present_ticks() {
                    if let Some(sample) = series.column.get(tick) {
                        out.push_str(&at(&text(sample), columns.ticks.time(tick)));
                        out.push('\n');
                    }
                }
            }
            out
        }
    }
}

/// What a query for windows evaluated to.
pub fn windows(series: &[(Labels, Points)]) -> String {
    let mut out = String::new();
    for (labels, points) in series {
        out.push_str(&format!("{labels} =>\n"));
        for (index, &value) in points.values().iter().enumerate() {
            let sample = points
                .histogram(index)
                .map_or(Sample::Float(value), Sample::Histogram);
            out.push_str(&at(&text(sample), points.time(index)));
            out.push('\n');
        }
    }
    out
}

fn text(sample: Sample<'_>) -> String {
    match sample {
        Sample::Float(value) => format_value(value),
        Sample::Histogram(histogram) => histogram.to_string(),
    }
}

/// `1 @[1700000000.5]`.
fn at(text: &str, time: Timestamp) -> String {
    format!("{text} @[{}]", format_value(time as f64 / 1000.0))
}
