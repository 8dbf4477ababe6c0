//! Whether a counter was reset between two histograms.

use super::bounds::exponential_bound;
use super::buckets::{Bucket, IndexedCount, forward, merged};
use super::{BucketSpan, CounterResetHint, Histogram};

impl Histogram {
    /// Whether the counter was reset between `previous` and this histogram: any count but the sum is
    /// smaller or a filled bucket is missing, with the buckets of `previous` brought to this schema and
    /// zero threshold. A finer schema, a narrower zero bucket, one that cuts a filled bucket, and a change
    /// to custom buckets only come with resets. The hints for "reset" and "not reset" decide alone.
    pub fn detect_reset(&self, previous: &Histogram) -> bool {
        match self.counter_reset_hint {
            CounterResetHint::Reset => return true,
            CounterResetHint::NotReset => return false,
            CounterResetHint::Unknown | CounterResetHint::Gauge => {}
        }
        if self.count < previous.count {
            return true;
        }
        if self.uses_custom_buckets() {
            if !previous.uses_custom_buckets() {
                return true;
            }
            if self.custom_values != previous.custom_values {
                return self.shrank_in_common_bounds(previous);
            }
        }
        if self.schema > previous.schema || self.zero_threshold < previous.zero_threshold {
            return true;
        }
        let zero = previous.widened_zero(self.zero_threshold, None);
        if zero.threshold != self.zero_threshold || self.zero_count < zero.count {
            return true;
        }
        self.buckets_shrank(previous)
    }

    /// Whether a count but the sum is smaller than in a histogram of the same schema, zero threshold and
    /// custom bounds, whatever the hints. Unlike [`Histogram::detect_reset`] it looks at buckets inside the
    /// zero bucket too.
    pub(super) fn shrank_since(&self, previous: &Histogram) -> bool {
        let (now, before) = (self, previous);
        now.count < before.count
            || now.zero_count < before.zero_count
            || shrank(
                forward(&now.positive_spans, &now.positive_buckets),
                forward(&before.positive_spans, &before.positive_buckets),
            )
            || shrank(
                forward(&now.negative_spans, &now.negative_buckets),
                forward(&before.negative_spans, &before.negative_buckets),
            )
    }

    /// Whether a bucket outside this zero bucket shrank, those of `previous` brought to this schema.
    fn buckets_shrank(&self, previous: &Histogram) -> bool {
        let (now, before) = (self, previous);
        let outside = |spans, counts, schema| self.outside_zero_bucket(spans, counts, schema);
        shrank(
            outside(&now.positive_spans, &now.positive_buckets, now.schema),
            outside(
                &before.positive_spans,
                &before.positive_buckets,
                before.schema,
            ),
        ) || shrank(
            outside(&now.negative_spans, &now.negative_buckets, now.schema),
            outside(
                &before.negative_spans,
                &before.negative_buckets,
                before.schema,
            ),
        )
    }

    /// Buckets brought from another schema to this one, without those that end in this zero bucket.
    fn outside_zero_bucket(
        &self,
        spans: &[BucketSpan],
        counts: &[f64],
        schema: i32,
    ) -> impl Iterator<Item = IndexedCount> {
        let exponential = !self.uses_custom_buckets() && self.zero_threshold != 0.0;
        merged(spans, counts, schema, self.schema).skip_while(move |bucket| {
            exponential && exponential_bound(bucket.index, self.schema) <= self.zero_threshold
        })
    }

    /// Whether a bucket shrank between the bounds that both have.
    fn shrank_in_common_bounds(&self, previous: &Histogram) -> bool {
        let common = super::custom::intersection(&self.custom_values, &previous.custom_values);
        let mut mine = self.positive().peekable();
        let mut theirs = previous.positive().peekable();
        common
            .into_iter()
            .chain([f64::INFINITY])
            .any(|bound| count_until(&mut mine, bound) < count_until(&mut theirs, bound))
    }
}

/// Whether a count of `before` is larger than its counterpart in `now`, which may be missing.
fn shrank(
    now: impl Iterator<Item = IndexedCount>,
    before: impl Iterator<Item = IndexedCount>,
) -> bool {
    let mut now = now.peekable();
    for previous in before {
        while now
            .next_if(|bucket| bucket.index < previous.index)
            .is_some()
        {}
        let shrank = match now.peek() {
            Some(bucket) if bucket.index == previous.index => bucket.count < previous.count,
            _ => previous.count != 0.0,
        };
        if shrank {
            return true;
        }
    }
    false
}

/// Takes the buckets up to a bound and sums them.
fn count_until(buckets: &mut std::iter::Peekable<impl Iterator<Item = Bucket>>, bound: f64) -> f64 {
    let mut sum = 0.0;
    while let Some(bucket) = buckets.next_if(|bucket| bucket.upper <= bound) {
        sum += bucket.count;
    }
    sum
}
