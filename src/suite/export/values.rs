//! Series in promtool's notation.

use crate::model::number::format_value;
use crate::model::{Duration, Millis, Timestamp};
use crate::series::notation::{expand, parse_values};
use crate::series::stored::as_stored;
use crate::store::{Points, Series, is_stale};
use crate::suite::file::TestCase;

/// At most so many places may a series have, and all of a test together.
const MAX_PLACES: (i64, i64) = (200_000, 5_000_000);

/// The distance of places so that every sample stands on one: the test's own where it will do.
pub(super) fn interval(
    inputs: &[&Series],
    test: &TestCase,
    end: Timestamp,
) -> Result<Millis, String> {
    let mut common = test.interval.max(1);
    for series in inputs {
        for index in 0..series.points.len() {
            let offset = series.points.time(index) - test.start;
            if offset < 0 {
                return Err(format!(
                    "{} has samples before the start of the test",
                    series.labels
                ));
            }
            common = gcd(common, offset);
            if common == 1 {
                break;
            }
        }
    }
    let places = (end - test.start) / common + 1;
    if places > MAX_PLACES.0 || places.saturating_mul(inputs.len() as i64) > MAX_PLACES.1 {
        return Err(format!(
            "its samples lie on no grid that promtool could be given: every {}, {places} places a series",
            Duration(common)
        ));
    }
    Ok(common)
}

fn gcd(a: i64, b: i64) -> i64 {
    match b {
        0 => a,
        _ => gcd(b, a % b),
    }
}

/// The names and the values of series.
pub(super) fn written(
    inputs: &[&Series],
    start: Timestamp,
    interval: Millis,
    end: Timestamp,
) -> Result<Vec<(String, String)>, String> {
    let write = |series: &&Series| {
        let name = series.labels.to_string();
        for compact in [true, false] {
            let text = values(&series.points, start, interval, end, compact);
            if reads_back(&text, &series.points, start, interval, end) {
                return Ok((name, text));
            }
        }
        Err(format!(
            "the samples of {name} can't be written in promtool's notation"
        ))
    };
    inputs.iter().map(write).collect()
}

/// Whether a text means the samples up to the end.
fn reads_back(
    text: &str,
    points: &Points,
    start: Timestamp,
    interval: Millis,
    end: Timestamp,
) -> bool {
    let Ok(items) = parse_values(text) else {
        return false;
    };
    let Ok(read) = expand(&items, start, interval, usize::MAX) else {
        return false;
    };
    let read = as_stored(read);
    let sample = |points: &Points, index: usize| {
        let value = points.values().get(index).copied().unwrap_or(0.0);
        let histogram = points.histogram(index).map(|it| it.test_expression());
        // Of a NaN only the stale marker's bits are told apart.
        let value = match value.is_nan() && !is_stale(value) {
            true => f64::NAN.to_bits(),
            false => value.to_bits(),
        };
        (
            points.time(index),
            histogram.is_none().then_some(value),
            histogram,
        )
    };
    let count = points.count_until(end);
    read.len() == count && (0..count).all(|index| sample(points, index) == sample(&read, index))
}

fn values(
    points: &Points,
    start: Timestamp,
    interval: Millis,
    end: Timestamp,
    compact: bool,
) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut place = 0;
    let mut index = 0;
    let count = points.count_until(end);
    while index < count {
        let at = (points.time(index) - start) / interval;
        match at - place {
            0 => {}
            1 => words.push("_".to_owned()),
            gap => words.push(format!("_x{gap}")),
        }
        let run = match compact {
            true => run(points, index, count, interval),
            false => 1,
        };
        words.push(word(points, index, run));
        index += run;
        place = at + run as i64;
    }
    words.join(" ")
}

/// How many samples from one on can be written as one: equal ones, or such that grow by the same.
fn run(points: &Points, first: usize, count: usize, interval: Millis) -> usize {
    let is_next = |index: usize| points.time(index) - points.time(index - 1) == interval;
    let value = |index: usize| points.values().get(index).copied().unwrap_or(0.0);
    let start = value(first);
    let mut end = first + 1;
    if let Some(histogram) = points.histogram(first) {
        let text = histogram.test_expression();
        let is_same = |index: usize| {
            points
                .histogram(index)
                .is_some_and(|it| it.test_expression() == text)
        };
        while end < count && is_next(end) && is_same(end) {
            end += 1;
        }
        return end - first;
    }
    if !start.is_finite() || end >= count || !is_next(end) || points.histogram(end).is_some() {
        return 1;
    }
    let step = value(end) - start;
    let mut expected = start;
    while end < count && is_next(end) && points.histogram(end).is_none() {
        expected += step;
        if expected.to_bits() != value(end).to_bits() {
            break;
        }
        end += 1;
    }
    match end - first {
        // Two that differ are shorter by themselves.
        2 if step != 0.0 => 1,
        length => length,
    }
}

/// A sample, or a run of them.
fn word(points: &Points, index: usize, run: usize) -> String {
    let value = |index: usize| points.values().get(index).copied().unwrap_or(0.0);
    let repeated = |text: String| match run {
        1 => text,
        _ => format!("{text}x{}", run - 1),
    };
    if let Some(histogram) = points.histogram(index) {
        return repeated(histogram.test_expression());
    }
    let first = value(index);
    if is_stale(first) {
        return "stale".to_owned();
    }
    let step = match run {
        1 => 0.0,
        _ => value(index + 1) - first,
    };
    let text = format_value(first);
    match step {
        _ if run == 1 => text,
        0.0 => repeated(text),
        _ if step < 0.0 => repeated(format!("{text}-{}", format_value(-step))),
        _ => repeated(format!("{text}+{}", format_value(step))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::stale_marker;

    #[test]
    fn runs_and_gaps_are_written_short() {
        let of = |values: &[f64], times: &[i64]| Points::listed(times.to_vec(), values.to_vec());
        for (values_of, times, text) in [
            (vec![1.0, 1.0, 1.0], vec![0, 10, 20], "1x2"),
            (vec![1.0, 3.0, 5.0, 5.0], vec![0, 10, 20, 30], "1+2x2 5"),
            (vec![5.0, 3.0, 1.0], vec![0, 10, 20], "5-2x2"),
            (vec![5.0, 3.0], vec![0, 10], "5 3"),
            (vec![7.0, 8.0], vec![20, 70], "_x2 7 _x4 8"),
            (vec![1.0, stale_marker()], vec![10, 20], "_ 1 stale"),
            (
                vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY],
                vec![0, 10, 20],
                "NaN +Inf -Inf",
            ),
            (
                vec![0.1, 0.2, 0.30000000000000004],
                vec![0, 10, 20],
                "0.1+0.1x2",
            ),
            (vec![0.1, 0.2, 0.3], vec![0, 10, 20], "0.1 0.2 0.3"),
        ] {
            let points = of(&values_of, &times);
            let written = values(&points, 0, 10, 1000, true);
            assert_eq!(written, text);
            assert!(reads_back(&written, &points, 0, 10, 1000), "{text}");
        }
    }
}
