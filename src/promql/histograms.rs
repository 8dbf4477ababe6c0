//! What becomes of several native histograms: sums, means, increases, with Prometheus's order of operations.

use std::sync::Arc;

use crate::model::{CounterResetHint, Histogram};

/// The sum of some histograms, compensated for rounding; `None` where exponential and custom buckets mix.
///
/// Buckets may stay empty: [`Histogram::compact`] tidies.
pub(crate) fn sum<'h>(
    histograms: impl IntoIterator<Item = &'h Arc<Histogram>>,
) -> Option<Histogram> {
    let mut histograms = histograms.into_iter();
    let mut sum = Histogram::clone(histograms.next()?);
    let mut lost = None;
    for histogram in histograms {
        sum.kahan_add(histogram, &mut lost).ok()?;
    }
    if let Some(lost) = lost {
        sum.add(&lost).ok()?;
    }
    Some(sum)
}

/// The mean of some histograms: their compensated sum as long as nothing overflows, then an incremental mean. `None`
/// where exponential and custom buckets mix.
pub(crate) fn mean<'h>(
    histograms: impl IntoIterator<Item = &'h Arc<Histogram>>,
) -> Option<Histogram> {
    let mut histograms = histograms.into_iter();
    let mut total = Histogram::clone(histograms.next()?);
    let mut lost: Option<Histogram> = None;
    let mut count = 1.0;
    let mut is_incremental = false;
    for histogram in histograms {
        count += 1.0;
        if !is_incremental {
            let (mut next, mut next_lost) = (total.clone(), lost.clone());
            next.kahan_add(histogram, &mut next_lost).ok()?;
            if !next.has_overflow() {
                (total, lost) = (next, next_lost);
                continue;
            }
            is_incremental = true;
            total.div(count - 1.0);
            if let Some(lost) = &mut lost {
                lost.div(count - 1.0);
            }
        }
        let weight = (count - 1.0) / count;
        if let Some(lost) = &mut lost {
            lost.mul(weight);
        }
        let mut part = Histogram::clone(histogram);
        part.div(count);
        total.mul(weight);
        total.kahan_add(&part, &mut lost).ok()?;
    }
    if !is_incremental {
        total.div(count);
        if let Some(lost) = &mut lost {
            lost.div(count);
        }
    }
    if let Some(lost) = lost {
        total.add(&lost).ok()?;
    }
    Some(total)
}

/// The increase from the first of at least two histograms to the last, resets added for counters; `None` where
/// exponential and custom buckets mix, as far as they matter (Prometheus's `histogramRate`). `is_reset` knows more of
/// resets before a histogram than the histograms themselves.
pub(crate) fn increase(
    histograms: &[&Arc<Histogram>],
    is_counter: bool,
    is_reset: impl Fn(usize) -> bool,
) -> Option<Histogram> {
    let [first, .., last] = histograms else {
        return None;
    };
    let second = histograms.get(1)?;
    // A first sample before a reset says nothing, and its layout must not matter.
    let empty = match is_counter && (is_reset(1) || second.detect_reset(first)) {
        true => Some(Histogram {
            schema: second.schema,
            custom_values: second.custom_values.clone(),
            ..Histogram::default()
        }),
        false => None,
    };
    let mut before: &Histogram = empty.as_ref().unwrap_or(first);
    let is_custom = before.uses_custom_buckets();
    if last.uses_custom_buckets() != is_custom {
        return None;
    }
    let mut schema = last.schema.min(before.schema);
    if is_counter {
        for histogram in histograms.get(1..histograms.len() - 1)? {
            if histogram.uses_custom_buckets() != is_custom {
                return None;
            }
            schema = schema.min(histogram.schema);
        }
    }
    let mut increase = last.to_schema(schema).ok()?;
    increase.sub(before).ok()?;
    if is_counter {
        for (index, histogram) in histograms.iter().enumerate().skip(1) {
            if is_reset(index) || histogram.detect_reset(before) {
                increase.add(before).ok()?;
            }
            before = histogram;
        }
    }
    increase.counter_reset_hint = CounterResetHint::Gauge;
    increase.compact(0);
    Some(increase)
}

/// What the second of two histograms has more than the first; for a counter that was reset all of the second. `None`
/// where exponential and custom buckets mix.
pub(crate) fn step(
    before: &Histogram,
    last: &Histogram,
    is_counter: bool,
    is_reset: bool,
) -> Option<Histogram> {
    let mut step = last.clone();
    if !(is_counter && (is_reset || last.detect_reset(before))) {
        step.sub(before).ok()?;
    }
    step.counter_reset_hint = CounterResetHint::Gauge;
    step.compact(0);
    Some(step)
}
