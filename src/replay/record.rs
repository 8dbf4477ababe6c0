//! Recording rules over columns.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use crate::model::{Labels, METRIC_NAME};
use crate::promql::{Column, Columns, Sample, Ticks};

use super::append::Written;
use super::bits::{Bits, ticks_of};
use super::runs::column_points;

/// What Prometheus says where two series of a result become one.
const DUPLICATE: &str = "vector contains metrics with the same labelset after applying rule labels";

/// What a rule made of its columns.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// What it writes.
    pub series: Vec<Written>,
    /// Ticks at which the rule failed, with the reason.
    pub failures: Failures,
}

/// Ticks at which a rule failed, with the reason.
pub(super) type Failures = BTreeMap<usize, String>;

/// The series that a recording rule writes.
pub(super) fn record(
    name: &str,
    rule_labels: &[(String, String)],
    limit: usize,
    stamps: Ticks,
    columns: Columns,
) -> Outcome {
    let mut failures = errors(&columns);
    let labelled = columns.series.into_iter().map(|series| {
        (
            recorded_labels(name, rule_labels, &series.labels),
            series.column,
        )
    });
    let merged = merge(labelled.collect(), stamps.count, &mut failures);
    if limit > 0 {
        exceed(limit, stamps.count, &merged, &mut failures);
    }
    let failed = failed_bits(stamps.count, &failures);
    let series = merged
        .into_iter()
        .map(|(labels, column)| Written {
            labels,
            points: column_points(stamps, column, &failed),
        })
        .collect();
    Outcome { series, failures }
}

/// The labels of a sample under a recording rule.
pub(super) fn recorded_labels(
    name: &str,
    rule_labels: &[(String, String)],
    sample: &Labels,
) -> Labels {
    let mut builder = sample.to_builder();
    builder.set(METRIC_NAME, name);
    for (label, value) in rule_labels {
        builder.set(label, value);
    }
    builder.build()
}

/// What Prometheus says where a recording rule yields too much.
pub(super) fn exceeded(limit: usize, count: usize) -> String {
    format!("exceeded limit of {limit} with {count} series")
}

/// What Prometheus says where two series of a result become one.
pub(super) fn duplicate() -> String {
    DUPLICATE.to_owned()
}

/// The ticks at which the evaluation itself failed.
pub(super) fn errors(columns: &Columns) -> Failures {
    columns
        .errors
        .iter()
        .map(|(&tick, error)| (tick, error.message.clone()))
        .collect()
}

/// Failed ticks as bits.
pub(super) fn failed_bits(count: usize, failures: &Failures) -> Bits {
    let mut bits = Bits::new(count);
    for &tick in failures.keys() {
        bits.set(tick);
    }
    bits
}

/// Columns that got the same labels become one; the ticks at which both have a sample fail.
fn merge(
    labelled: Vec<(Labels, Column)>,
    count: usize,
    failures: &mut Failures,
) -> Vec<(Labels, Column)> {
    let mut places: HashMap<Labels, usize> = HashMap::with_capacity(labelled.len());
    let mut merged: Vec<(Labels, Column)> = Vec::with_capacity(labelled.len());
    for (labels, column) in labelled {
        let Some(&place) = places.get(&labels) else {
            places.insert(labels.clone(), merged.len());
            merged.push((labels, column));
            continue;
        };
        let into = &mut merged[place].1;
        for tick in column.present_ticks().filter(|&tick| tick < count) {
            if into.is_present(tick) {
                failures.entry(tick).or_insert_with(duplicate);
            }
            match column.get(tick) {
                Some(Sample::Float(value)) => into.set(tick, value),
                Some(Sample::Histogram(histogram)) => into.set_histogram(tick, histogram.clone()),
                None => {}
            }
        }
    }
    merged
}

/// Fails the ticks with more samples than allowed.
fn exceed(limit: usize, count: usize, merged: &[(Labels, Column)], failures: &mut Failures) {
    let mut counts = vec![0usize; count];
    for (_, column) in merged {
        for (index, &word) in column.presence().iter().enumerate() {
            for tick in ticks_of(index, word).filter(|&tick| tick < count) {
                counts[tick] += 1;
            }
        }
    }
    for (tick, &present) in counts
        .iter()
        .enumerate()
        .filter(|&(_, &present)| present > limit)
    {
        failures
            .entry(tick)
            .or_insert_with(|| exceeded(limit, present));
    }
}

/// The columns of an evaluation that yielded something no rule can write.
pub(super) fn fail_everywhere(ticks: Ticks, message: &str) -> Columns {
    let mut columns = Columns::new(ticks);
    for tick in 0..ticks.count {
        columns.fail(tick, message);
    }
    columns
}
