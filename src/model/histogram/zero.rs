//! Zero buckets of different width.

use super::Histogram;
use super::buckets::Bucket;
use crate::model::number::kahan_add;

/// A zero bucket as it would be.
#[derive(Debug, Clone, Copy)]
pub(super) struct ZeroBucket {
    pub(super) count: f64,
    pub(super) threshold: f64,
    /// What rounding lost of the count.
    pub(super) lost: f64,
}

impl Histogram {
    /// Widens the zero buckets of both until they are the same and cut no filled bucket, changing only
    /// this histogram and its compensation. Returns the other's zero bucket by then.
    pub(super) fn reconcile_zero_buckets(
        &mut self,
        other: &Histogram,
        mut compensation: Option<&mut Histogram>,
    ) -> ZeroBucket {
        let mut theirs = ZeroBucket {
            count: other.zero_count,
            threshold: other.zero_threshold,
            lost: 0.0,
        };
        loop {
            if self.zero_threshold > theirs.threshold {
                theirs = other.widened_zero(self.zero_threshold, None);
            }
            // Not at once where the thresholds are equal, or one of them is no number.
            let wider = theirs.threshold > self.zero_threshold;
            if !wider {
                return theirs;
            }
            let mine = self.widened_zero(theirs.threshold, compensation.as_deref());
            self.zero_count = mine.count;
            self.zero_threshold = mine.threshold;
            if let Some(lost) = compensation.as_deref_mut() {
                lost.zero_count = mine.lost;
            }
            self.drop_buckets_in_zero(compensation.as_deref_mut());
        }
    }

    /// The zero bucket this histogram would have with a larger threshold, which grows further where it
    /// would cut a filled bucket.
    pub(super) fn widened_zero(
        &self,
        threshold: f64,
        compensation: Option<&Histogram>,
    ) -> ZeroBucket {
        let mut zero = ZeroBucket {
            count: self.zero_count,
            threshold,
            lost: compensation.map_or(0.0, |lost| lost.zero_count),
        };
        if threshold == self.zero_threshold {
            return zero;
        }
        loop {
            zero.count = self.zero_count;
            let lost = compensation.map_or(&[][..], |lost| &lost.positive_buckets);
            let away_from_zero = |bucket: Bucket| (bucket.lower, bucket.upper, bucket.count);
            if let Some(cut) = zero.swallow(self.positive().map(away_from_zero), lost) {
                zero.threshold = cut;
            }
            let lost = compensation.map_or(&[][..], |lost| &lost.negative_buckets);
            let away_from_zero = |bucket: Bucket| (-bucket.upper, -bucket.lower, bucket.count);
            match zero.swallow(self.negative().map(away_from_zero), lost) {
                // What was swallowed of the positive buckets has to be reckoned anew.
                Some(cut) => zero.threshold = cut,
                None => return zero,
            }
        }
    }

    /// Drops the buckets that the zero bucket has swallowed, and all empty ones.
    fn drop_buckets_in_zero(&mut self, mut compensation: Option<&mut Histogram>) {
        let threshold = self.zero_threshold;
        let positive = self
            .positive()
            .take_while(|bucket| bucket.lower < threshold);
        let positive = positive.count();
        let negative = self
            .negative()
            .take_while(|bucket| bucket.upper > -threshold);
        let negative = negative.count();
        let mut rows = self.take_rows(compensation.as_deref_mut());
        rows.positive.clear_first(positive);
        rows.negative.clear_first(negative);
        rows.positive.compact(0);
        rows.negative.compact(0);
        self.put_rows(rows, compensation);
    }
}

impl ZeroBucket {
    /// Adds the buckets (bounds nearer to zero and farther, count) that begin below the threshold.
    /// Returns the far bound of a filled bucket that the threshold cuts.
    fn swallow(
        &mut self,
        buckets: impl Iterator<Item = (f64, f64, f64)>,
        lost: &[f64],
    ) -> Option<f64> {
        for (position, (near, far, count)) in buckets.enumerate() {
            if near >= self.threshold {
                return None;
            }
            (self.count, self.lost) = kahan_add(count, self.count, self.lost);
            if let Some(&lost) = lost.get(position) {
                (self.count, self.lost) = kahan_add(lost, self.count, self.lost);
            }
            if far > self.threshold {
                return (count != 0.0).then_some(far);
            }
        }
        None
    }
}
