//! Sums, differences, products and quotients of histograms.

use std::mem::take;

use super::bounds::{CUSTOM_BUCKETS_SCHEMA, EXPONENTIAL_SCHEMAS, exponential_bound};
use super::custom::{add_to_common_bounds, intersection};
use super::layout::{Addend, Row};
use super::{CounterResetHint, Histogram, HistogramError};
use crate::model::number::kahan_add;

/// What an operation on two histograms had to reconcile; each implies an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Combination {
    /// One said that its counter was reset, the other that it was not; the result is unknown.
    pub counter_reset_collision: bool,
    /// The custom bounds differed; the result has those that both had.
    pub bounds_reconciled: bool,
}

/// The buckets of both signs.
pub(super) struct Rows {
    pub(super) positive: Row,
    pub(super) negative: Row,
}

impl Histogram {
    /// Adds another histogram to this one, in the coarser of both schemas, the wider of both zero buckets
    /// and the custom bounds that both have. Buckets may stay empty and spans may touch:
    /// [`Histogram::compact`] tidies.
    ///
    /// # Errors
    ///
    /// [`HistogramError::MixedBuckets`]: this histogram is unchanged then.
    pub fn add(&mut self, other: &Histogram) -> Result<Combination, HistogramError> {
        self.check_same_kind(other)?;
        Ok(self.combine(other, 1.0, None))
    }

    /// Subtracts another histogram from this one, as [`Histogram::add`] adds it. The result of PromQL's
    /// `-` is also a gauge: set its hint.
    ///
    /// # Errors
    ///
    /// [`HistogramError::MixedBuckets`]: this histogram is unchanged then.
    pub fn sub(&mut self, other: &Histogram) -> Result<Combination, HistogramError> {
        self.check_same_kind(other)?;
        Ok(self.combine(other, -1.0, None))
    }

    /// Adds another histogram and keeps in `compensation` what rounding lost (Kahan and Neumaier), to be
    /// added when all are summed. Start with `None`; the compensation always has the layout of the sum.
    ///
    /// # Errors
    ///
    /// [`HistogramError::MixedBuckets`]: nothing is changed then.
    pub fn kahan_add(
        &mut self,
        other: &Histogram,
        compensation: &mut Option<Histogram>,
    ) -> Result<Combination, HistogramError> {
        self.check_same_kind(other)?;
        let lost = compensation.get_or_insert_with(|| self.empty_compensation());
        Ok(self.combine(other, 1.0, Some(lost)))
    }

    /// Multiplies all counts and the sum. A negative factor makes it a gauge.
    pub fn mul(&mut self, factor: f64) {
        self.scale(|number| number * factor);
        if factor < 0.0 {
            self.counter_reset_hint = CounterResetHint::Gauge;
        }
    }

    /// Divides all counts and the sum. A negative divisor makes it a gauge; zero removes all buckets.
    pub fn div(&mut self, divisor: f64) {
        self.scale(|number| number / divisor);
        if divisor == 0.0 {
            self.positive_spans.clear();
            self.positive_buckets.clear();
            self.negative_spans.clear();
            self.negative_buckets.clear();
        } else if divisor < 0.0 {
            self.counter_reset_hint = CounterResetHint::Gauge;
        }
    }

    /// Drops empty buckets at the ends of spans and in runs of more than `max_empty`, and joins spans with
    /// at most that many buckets between them.
    pub fn compact(&mut self, max_empty: usize) {
        let mut rows = self.take_rows(None);
        rows.positive.compact(max_empty);
        rows.negative.compact(max_empty);
        self.put_rows(rows, None);
    }

    /// Brings the buckets to a coarser exponential schema.
    ///
    /// # Errors
    ///
    /// [`HistogramError::Resolution`] for custom buckets and schemas that are not coarser.
    pub fn reduce_resolution(&mut self, target: i32) -> Result<(), HistogramError> {
        let custom = self.uses_custom_buckets() || target == CUSTOM_BUCKETS_SCHEMA;
        if custom || target >= self.schema {
            return Err(HistogramError::Resolution {
                from: self.schema,
                to: target,
            });
        }
        let mut rows = self.take_rows(None);
        rows.reduce(self.schema, target);
        self.schema = target;
        self.put_rows(rows, None);
        Ok(())
    }

    /// A copy in a coarser exponential schema, or in the same. Where the schema changes nothing is known
    /// about resets any more.
    ///
    /// # Errors
    ///
    /// [`HistogramError::Resolution`] for custom buckets and finer schemas.
    pub fn to_schema(&self, target: i32) -> Result<Histogram, HistogramError> {
        let mut copy = self.clone();
        if target != self.schema {
            copy.reduce_resolution(target)?;
            copy.counter_reset_hint = CounterResetHint::Unknown;
        }
        Ok(copy)
    }

    /// Adds `sign` times another histogram of the same kind of buckets.
    fn combine(
        &mut self,
        other: &Histogram,
        sign: f64,
        mut compensation: Option<&mut Histogram>,
    ) -> Combination {
        let counter_reset_collision = self.adjust_hint(other);
        if !self.uses_custom_buckets() {
            let zero = self.reconcile_zero_buckets(other, compensation.as_deref_mut());
            match compensation.as_deref_mut() {
                Some(lost) => {
                    increase(&mut self.zero_count, &mut lost.zero_count, zero.count);
                    increase(&mut self.zero_count, &mut lost.zero_count, zero.lost);
                }
                None => self.zero_count += sign * zero.count,
            }
        }
        match compensation.as_deref_mut() {
            Some(lost) => {
                increase(&mut self.count, &mut lost.count, other.count);
                increase(&mut self.sum, &mut lost.sum, other.sum);
            }
            None => {
                self.count += sign * other.count;
                self.sum += sign * other.sum;
            }
        }
        let rows = self.take_rows(compensation.as_deref_mut());
        let (rows, bounds_reconciled) = match self.uses_custom_buckets() {
            true => self.with_custom(rows, other, sign),
            false => (self.with_exponential(rows, other, sign), false),
        };
        self.put_rows(rows, compensation);
        Combination {
            counter_reset_collision,
            bounds_reconciled,
        }
    }

    /// The rows with those of another histogram; both have custom buckets. Tells whether the bounds
    /// differed.
    fn with_custom(&mut self, mut rows: Rows, other: &Histogram, sign: f64) -> (Rows, bool) {
        let theirs = other.positive_addend(sign);
        if self.custom_values == other.custom_values {
            rows.positive.add(theirs, |_| false);
            return (rows, false);
        }
        let common = intersection(&self.custom_values, &other.custom_values);
        rows.positive = add_to_common_bounds(
            (&rows.positive, &self.custom_values),
            (theirs, &other.custom_values),
            &common,
        );
        self.custom_values = common;
        (rows, true)
    }

    /// The rows with those of another histogram; both have exponential buckets, and the same zero bucket
    /// by now.
    fn with_exponential(&mut self, mut rows: Rows, other: &Histogram, sign: f64) -> Rows {
        if other.schema < self.schema {
            rows.reduce(self.schema, other.schema);
            self.schema = other.schema;
        }
        let known = EXPONENTIAL_SCHEMAS.contains(&self.schema);
        let in_zero = |index| known && exponential_bound(index, self.schema) <= self.zero_threshold;
        if other.schema == self.schema {
            rows.positive.add(other.positive_addend(sign), in_zero);
            rows.negative.add(other.negative_addend(sign), in_zero);
            return rows;
        }
        let kahan = rows.positive.errors.is_some();
        let mut theirs = other.copied_rows(kahan);
        theirs.reduce(other.schema, self.schema);
        rows.positive.add(theirs.positive.addend(sign), in_zero);
        rows.negative.add(theirs.negative.addend(sign), in_zero);
        rows
    }

    fn scale(&mut self, operation: impl Fn(f64) -> f64) {
        let totals = [&mut self.zero_count, &mut self.count, &mut self.sum];
        let buckets = self
            .positive_buckets
            .iter_mut()
            .chain(&mut self.negative_buckets);
        for number in totals.into_iter().chain(buckets) {
            *number = operation(*number);
        }
    }

    fn check_same_kind(&self, other: &Histogram) -> Result<(), HistogramError> {
        match self.uses_custom_buckets() == other.uses_custom_buckets() {
            true => Ok(()),
            false => Err(HistogramError::MixedBuckets),
        }
    }

    /// Sets the hint of a sum or difference and tells whether both hints contradict. Gauge wins, then
    /// unknown; a contradiction is unknown.
    fn adjust_hint(&mut self, other: &Histogram) -> bool {
        use CounterResetHint::{Gauge, Unknown};
        let (mine, theirs) = (self.counter_reset_hint, other.counter_reset_hint);
        if mine == theirs {
            return false;
        }
        let gauge = mine == Gauge || theirs == Gauge;
        self.counter_reset_hint = if gauge { Gauge } else { Unknown };
        !gauge && mine != Unknown && theirs != Unknown
    }

    /// Takes the buckets out, with what rounding lost of them if there is a compensation.
    pub(super) fn take_rows(&mut self, compensation: Option<&mut Histogram>) -> Rows {
        let (positive, negative) = match compensation {
            None => (None, None),
            Some(lost) => {
                let (mut positive, mut negative) = (
                    take(&mut lost.positive_buckets),
                    take(&mut lost.negative_buckets),
                );
                positive.resize(self.positive_buckets.len(), 0.0);
                negative.resize(self.negative_buckets.len(), 0.0);
                (Some(positive), Some(negative))
            }
        };
        Rows {
            positive: Row {
                spans: take(&mut self.positive_spans),
                counts: take(&mut self.positive_buckets),
                errors: positive,
            },
            negative: Row {
                spans: take(&mut self.negative_spans),
                counts: take(&mut self.negative_buckets),
                errors: negative,
            },
        }
    }

    /// Puts the buckets back, and gives the compensation the same layout.
    pub(super) fn put_rows(&mut self, rows: Rows, compensation: Option<&mut Histogram>) {
        if let Some(lost) = compensation {
            lost.schema = self.schema;
            lost.zero_threshold = self.zero_threshold;
            lost.custom_values.clone_from(&self.custom_values);
            lost.positive_spans.clone_from(&rows.positive.spans);
            lost.negative_spans.clone_from(&rows.negative.spans);
            lost.positive_buckets = rows.positive.errors.unwrap_or_default();
            lost.negative_buckets = rows.negative.errors.unwrap_or_default();
        }
        self.positive_spans = rows.positive.spans;
        self.positive_buckets = rows.positive.counts;
        self.negative_spans = rows.negative.spans;
        self.negative_buckets = rows.negative.counts;
    }

    fn copied_rows(&self, kahan: bool) -> Rows {
        let row = |spans: &[_], counts: &[f64]| Row {
            spans: spans.to_vec(),
            counts: counts.to_vec(),
            errors: kahan.then(|| vec![0.0; counts.len()]),
        };
        Rows {
            positive: row(&self.positive_spans, &self.positive_buckets),
            negative: row(&self.negative_spans, &self.negative_buckets),
        }
    }

    fn positive_addend(&self, sign: f64) -> Addend<'_> {
        Addend {
            spans: &self.positive_spans,
            counts: &self.positive_buckets,
            errors: &[],
            sign,
        }
    }

    fn negative_addend(&self, sign: f64) -> Addend<'_> {
        Addend {
            spans: &self.negative_spans,
            counts: &self.negative_buckets,
            errors: &[],
            sign,
        }
    }

    fn empty_compensation(&self) -> Histogram {
        Histogram {
            counter_reset_hint: self.counter_reset_hint,
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            custom_values: self.custom_values.clone(),
            positive_spans: self.positive_spans.clone(),
            positive_buckets: vec![0.0; self.positive_buckets.len()],
            negative_spans: self.negative_spans.clone(),
            negative_buckets: vec![0.0; self.negative_buckets.len()],
            ..Histogram::default()
        }
    }
}

impl Rows {
    fn reduce(&mut self, origin: i32, target: i32) {
        self.positive.reduce(origin, target);
        self.negative.reduce(origin, target);
    }
}

fn increase(sum: &mut f64, lost: &mut f64, increment: f64) {
    (*sum, *lost) = kahan_add(increment, *sum, *lost);
}
