//! What becomes of several native histograms: sums, means, increases, with Prometheus's order of operations, and what there
//! is to say of them.

use std::sync::Arc;

use crate::model::{Combination, CounterResetHint, Histogram};

use super::annotation::{Note, Operation, Remarks};

/// What was seen of histograms while they were summed.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Whether one said that its counter was reset, and another that it was not.
    reset: bool,
    no_reset: bool,
    /// Whether custom bounds differed.
    reconciled: bool,
}

impl Seen {
    fn look(&mut self, histogram: &Histogram) {
        self.reset |= histogram.counter_reset_hint == CounterResetHint::Reset;
        self.no_reset |= histogram.counter_reset_hint == CounterResetHint::NotReset;
    }

    fn combine(&mut self, combination: Combination) {
        self.reconciled |= combination.bounds_reconciled;
    }

    /// Says what is to say while the sum is under way.
    pub fn remark_bounds(&self, remarks: &mut Remarks) {
        remarks.add_if(
            self.reconciled,
            Note::ReconciledBounds(Operation::Aggregation),
        );
    }

    /// Says what is to say of a sum that was found.
    pub fn remark_resets(&self, remarks: &mut Remarks) {
        remarks.add_if(
            self.reset && self.no_reset,
            Note::ResetCollision(Operation::Aggregation),
        );
    }
}

/// The sum of some histograms, compensated for rounding.
///
/// Buckets may stay empty: [`Histogram::compact`] tidies.
///
/// # Errors
///
/// The index of the first histogram whose buckets, exponential or custom, are not of the kind of those before.
pub(crate) fn sum<'h>(
    histograms: impl IntoIterator<Item = &'h Arc<Histogram>>,
    seen: &mut Seen,
) -> Result<Histogram, usize> {
    let mut histograms = histograms.into_iter().enumerate();
    let Some((_, first)) = histograms.next() else {
        return Ok(Histogram::default());
    };
    seen.look(first);
    let mut sum = Histogram::clone(first);
    let mut lost = None;
    for (index, histogram) in histograms {
        seen.look(histogram);
        let combination = sum.kahan_add(histogram, &mut lost);
        seen.combine(combination.map_err(|_| index)?);
    }
    add_lost(&mut sum, lost);
    Ok(sum)
}

/// The mean of some histograms: their compensated sum as long as nothing overflows, then an incremental mean.
///
/// # Errors
///
/// As [`sum`].
pub(crate) fn mean<'h>(
    histograms: impl IntoIterator<Item = &'h Arc<Histogram>>,
    seen: &mut Seen,
) -> Result<Histogram, usize> {
    let mut histograms = histograms.into_iter().enumerate();
    let Some((_, first)) = histograms.next() else {
        return Ok(Histogram::default());
    };
    seen.look(first);
    let mut total = Histogram::clone(first);
    let mut lost: Option<Histogram> = None;
    let mut count = 1.0;
    let mut is_incremental = false;
    for (index, histogram) in histograms {
        seen.look(histogram);
        count += 1.0;
        if !is_incremental {
            let (mut next, mut next_lost) = (total.clone(), lost.clone());
            let combination = next.kahan_add(histogram, &mut next_lost);
            seen.combine(combination.map_err(|_| index)?);
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
        let combination = total.kahan_add(&part, &mut lost);
        seen.combine(combination.map_err(|_| index)?);
    }
    if !is_incremental {
        total.div(count);
        if let Some(lost) = &mut lost {
            lost.div(count);
        }
    }
    add_lost(&mut total, lost);
    Ok(total)
}

/// Adds what rounding lost, which has the layout of the sum.
fn add_lost(sum: &mut Histogram, lost: Option<Histogram>) {
    if let Some(lost) = lost {
        let added = sum.add(&lost);
        debug_assert!(added.is_ok(), "a sum and its loss have one layout");
    }
}

/// The increase from the first of at least two histograms to the last, resets added for counters; `None` where
/// exponential and custom buckets mix, as far as they matter (Prometheus's `histogramRate`). `is_reset` knows more of
/// resets before a histogram than the histograms themselves.
pub(crate) fn increase(
    histograms: &[&Arc<Histogram>],
    is_counter: bool,
    is_reset: impl Fn(usize) -> bool,
    remarks: &mut Remarks,
) -> Option<Histogram> {
    let [first, .., last] = histograms else {
        return None;
    };
    let (second, inner) = (histograms.get(1)?, histograms.get(1..histograms.len() - 1)?);
    let mut said = Remarks::default();
    let ends_are_gauges = is_gauge(first) || is_gauge(last);
    said.add_if(is_counter && ends_are_gauges, Note::NotCounter);
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
        said.add(Note::MixedBuckets);
        remarks.join(said);
        return None;
    }
    let mut schema = last.schema.min(before.schema);
    if is_counter {
        for histogram in inner {
            if histogram.uses_custom_buckets() != is_custom {
                remarks.add(Note::MixedBuckets);
                return None;
            }
            said.add_if(is_gauge(histogram), Note::NotCounter);
            schema = schema.min(histogram.schema);
        }
    }
    let mut increase = last.to_schema(schema).ok()?;
    subtract(&mut increase, before, &mut said)?;
    if is_counter {
        for (index, histogram) in histograms.iter().enumerate().skip(1) {
            if is_reset(index) || histogram.detect_reset(before) {
                add(&mut increase, before, &mut said)?;
            }
            before = histogram;
        }
    } else {
        said.add_if(!is_gauge(first) || !is_gauge(last), Note::NotGauge);
    }
    remarks.join(said);
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
    remarks: &mut Remarks,
) -> Option<Histogram> {
    remark_kind(before, last, is_counter, remarks);
    let mut step = last.clone();
    if !(is_counter && (is_reset || last.detect_reset(before))) {
        subtract(&mut step, before, remarks)?;
    }
    step.counter_reset_hint = CounterResetHint::Gauge;
    step.compact(0);
    Some(step)
}

/// Adds a histogram to another for a function; `None` where exponential and custom buckets mix.
pub(crate) fn add(sum: &mut Histogram, other: &Histogram, remarks: &mut Remarks) -> Option<()> {
    combined(sum.add(other), Operation::Addition, remarks)
}

/// Takes a histogram from another for a function; `None` where exponential and custom buckets mix.
pub(crate) fn subtract(
    from: &mut Histogram,
    other: &Histogram,
    remarks: &mut Remarks,
) -> Option<()> {
    combined(from.sub(other), Operation::Subtraction, remarks)
}

/// Says what there is to say of two histograms that were put together, or could not be.
fn combined<E>(
    result: Result<Combination, E>,
    operation: Operation,
    remarks: &mut Remarks,
) -> Option<()> {
    match result {
        Ok(combination) => {
            let note = Note::ReconciledBounds(operation);
            remarks.add_if(combination.bounds_reconciled, note);
            Some(())
        }
        Err(_) => {
            remarks.add(Note::MixedBuckets);
            None
        }
    }
}

/// Says whether a function of counters sees gauges at the ends of its window, or one of gauges counters.
pub(crate) fn remark_kind(
    first: &Histogram,
    last: &Histogram,
    is_counter: bool,
    remarks: &mut Remarks,
) {
    let (gauges, all) = (
        is_gauge(first) || is_gauge(last),
        is_gauge(first) && is_gauge(last),
    );
    remarks.add_if(is_counter && gauges, Note::NotCounter);
    remarks.add_if(!is_counter && !all, Note::NotGauge);
}

pub(crate) fn is_gauge(histogram: &Histogram) -> bool {
    histogram.counter_reset_hint == CounterResetHint::Gauge
}
