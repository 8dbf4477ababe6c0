//! From items to samples.

use std::sync::Arc;

use super::{Item, NotationError, Sign};
use crate::model::{Histogram, Millis, Timestamp};
use crate::store::{Points, stale_marker};

/// Lays items out: sample `i` stands at `start + i * interval`. Nothing is checked that the storage checks
/// when it is given a sample: see [`refused`](crate::series::stored::refused).
///
/// # Errors
///
/// More than `limit` places, times that no timestamp can hold, an interval that is not above zero.
pub fn expand(
    items: &[Item],
    start: Timestamp,
    interval: Millis,
    limit: usize,
) -> Result<Points, NotationError> {
    let count = items
        .iter()
        .fold(0u64, |count, item| count.saturating_add(item.count()));
    check(count, start, interval, limit)?;
    let is_gap = |item: &&Item| matches!(item, Item::Gap { .. });
    let leading = items.iter().take_while(is_gap).count();
    let trailing = items.iter().rev().take_while(is_gap).count();
    let kept = items
        .get(leading..items.len() - trailing)
        .unwrap_or_default();
    let skipped: u64 = items.iter().take(leading).map(Item::count).sum();
    let start = start + skipped as i64 * interval;
    let any = |is: fn(&Item) -> bool| kept.iter().any(is);
    Ok(if any(|item| matches!(item, Item::Histograms { .. })) {
        with_histograms(kept, start, interval)
    } else if any(|item| matches!(item, Item::Gap { .. })) {
        with_gaps(kept, start, interval)
    } else {
        Points::regular(start, interval, floats(kept))
    })
}

fn check(
    count: u64,
    start: Timestamp,
    interval: Millis,
    limit: usize,
) -> Result<(), NotationError> {
    let failed = |message: String, help: &str| {
        Err(NotationError {
            message,
            offset: 0,
            help: help.to_owned(),
        })
    };
    if count > limit as u64 {
        return failed(
            format!("the values make {count} samples, more than the limit of {limit}"),
            "repeat less often, or use a longer interval",
        );
    }
    if interval <= 0 {
        return failed(
            format!("samples every {interval} ms"),
            "give an interval above zero",
        );
    }
    let span = i64::try_from(count)
        .ok()
        .and_then(|count| count.checked_mul(interval));
    match span.and_then(|span| start.checked_add(span)) {
        Some(_) => Ok(()),
        None => failed(
            "the samples reach beyond what a timestamp can hold".to_owned(),
            "start earlier, repeat less often, or use a shorter interval",
        ),
    }
}

/// The values of items without histograms.
fn floats(items: &[Item]) -> Vec<f64> {
    let is_gap = |item: &&Item| matches!(item, Item::Gap { .. });
    let count: u64 = items
        .iter()
        .filter(|item| !is_gap(item))
        .map(Item::count)
        .sum();
    let mut values = Vec::with_capacity(count as usize);
    for item in items {
        append(&mut values, item);
    }
    values
}

/// Appends the values of an item; of gaps and histograms there are none.
fn append(values: &mut Vec<f64>, item: &Item) {
    let length = values.len() + item.count() as usize;
    match item {
        Item::Values(more) => values.extend_from_slice(more),
        Item::Repeat { value, .. } => values.resize(length, *value),
        Item::Run { first, step, count } => {
            // Each value is the one before plus the step, with its rounding, as in Prometheus.
            let mut value = *first;
            values.extend((0..*count).map(|_| {
                let this = value;
                value += step;
                this
            }));
        }
        Item::Stale => values.push(stale_marker()),
        Item::Gap { .. } | Item::Histograms { .. } => {}
    }
}

/// Floats of items that may hold gaps.
fn with_gaps(items: &[Item], start: Timestamp, interval: Millis) -> Points {
    let values = floats(items);
    let mut times = Vec::with_capacity(values.len());
    let mut place = 0;
    for item in items {
        let count = item.count() as i64;
        if !matches!(item, Item::Gap { .. }) {
            times.extend((place..place + count).map(|place| start + place * interval));
        }
        place += count;
    }
    Points::listed(times, values)
}

/// Samples of items that may hold gaps and histograms.
fn with_histograms(items: &[Item], start: Timestamp, interval: Millis) -> Points {
    let mut points = Points::regular(start, interval, Vec::new());
    let mut time = start;
    let mut values = Vec::new();
    for item in items {
        match item {
            Item::Gap { count } => time += *count as i64 * interval,
            Item::Histograms {
                first,
                increment,
                count,
            } => {
                let all = histograms(first, increment.as_ref());
                for histogram in all.take(*count as usize) {
                    points.push_histogram(time, histogram);
                    time += interval;
                }
            }
            item => {
                values.clear();
                append(&mut values, item);
                for &value in &values {
                    points.push(time, value);
                    time += interval;
                }
            }
        }
    }
    points
}

/// A histogram, and what adding or taking away another makes of it, again and again.
fn histograms(
    first: &Arc<Histogram>,
    increment: Option<&(Sign, Arc<Histogram>)>,
) -> impl Iterator<Item = Arc<Histogram>> {
    std::iter::successors(Some(Arc::clone(first)), move |current| {
        let Some((sign, by)) = increment else {
            return Some(Arc::clone(current));
        };
        let mut next = Histogram::clone(current);
        let combined = match sign {
            Sign::Plus => next.add(by),
            Sign::Minus => next.sub(by),
        };
        // The grammar has refused what can't be combined.
        combined.is_ok().then(|| Arc::new(next))
    })
}
