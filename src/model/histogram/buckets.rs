//! The buckets of a histogram with their bounds, in either direction.

use super::bounds::{exponential_bound, target_index};
use super::{BucketSpan, Histogram};
use crate::model::logarithm::log2;

/// A bucket with its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bucket {
    /// Lower bound.
    pub lower: f64,
    /// Upper bound.
    pub upper: f64,
    /// Whether an observation of exactly the lower bound counts.
    pub lower_inclusive: bool,
    /// Whether an observation of exactly the upper bound counts.
    pub upper_inclusive: bool,
    /// Observations.
    pub count: f64,
    /// Which bucket of its schema and sign it is; 0 for the zero bucket.
    pub index: i32,
}

/// The number of a bucket and its count, without the bounds that cost time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct IndexedCount {
    pub(super) index: i32,
    pub(super) count: f64,
}

impl Histogram {
    /// Buckets of positive values from zero upwards, empty ones too; for custom buckets all of them.
    pub fn positive(&self) -> impl Iterator<Item = Bucket> {
        forward(&self.positive_spans, &self.positive_buckets)
            .map(|indexed| self.positive_bucket(indexed))
    }

    /// Buckets of negative values from zero downwards, empty ones too.
    pub fn negative(&self) -> impl Iterator<Item = Bucket> {
        forward(&self.negative_spans, &self.negative_buckets)
            .map(|indexed| self.negative_bucket(indexed))
    }

    /// Buckets of positive values from the highest down to zero, empty ones too.
    pub fn positive_reverse(&self) -> impl Iterator<Item = Bucket> {
        backward(&self.positive_spans, &self.positive_buckets)
            .map(|indexed| self.positive_bucket(indexed))
    }

    /// Buckets of negative values from the lowest up to zero, empty ones too.
    pub fn negative_reverse(&self) -> impl Iterator<Item = Bucket> {
        backward(&self.negative_spans, &self.negative_buckets)
            .map(|indexed| self.negative_bucket(indexed))
    }

    /// All buckets from the lowest up, the zero bucket between them if it holds anything. A bucket that
    /// overlaps the zero bucket ends at the zero threshold.
    pub fn all(&self) -> impl Iterator<Item = Bucket> {
        let outside = |bucket| self.outside_zero(bucket);
        self.negative_reverse()
            .map(outside)
            .chain(self.filled_zero_bucket())
            .chain(self.positive().map(outside))
    }

    /// All buckets from the highest down; otherwise as [`Histogram::all`].
    pub fn all_reverse(&self) -> impl Iterator<Item = Bucket> {
        let outside = |bucket| self.outside_zero(bucket);
        self.positive_reverse()
            .map(outside)
            .chain(self.filled_zero_bucket())
            .chain(self.negative().map(outside))
    }

    /// The zero bucket, even where it is empty.
    pub fn zero_bucket(&self) -> Bucket {
        Bucket {
            lower: -self.zero_threshold,
            upper: self.zero_threshold,
            lower_inclusive: true,
            upper_inclusive: true,
            count: self.zero_count,
            index: 0,
        }
    }

    fn filled_zero_bucket(&self) -> Option<Bucket> {
        (self.zero_count > 0.0).then(|| self.zero_bucket())
    }

    /// The upper bound of a bucket of positive values.
    fn bound(&self, index: i32) -> f64 {
        if !self.uses_custom_buckets() {
            return exponential_bound(index, self.schema);
        }
        match usize::try_from(index) {
            Ok(index) => self
                .custom_values
                .get(index)
                .copied()
                .unwrap_or(f64::INFINITY),
            Err(_) => f64::NEG_INFINITY,
        }
    }

    fn positive_bucket(&self, IndexedCount { index, count }: IndexedCount) -> Bucket {
        let lower = self.bound(index.wrapping_sub(1));
        self.with_ends(lower, self.bound(index), index, count)
    }

    fn negative_bucket(&self, IndexedCount { index, count }: IndexedCount) -> Bucket {
        let upper = -self.bound(index.wrapping_sub(1));
        self.with_ends(-self.bound(index), upper, index, count)
    }

    fn with_ends(&self, lower: f64, upper: f64, index: i32, count: f64) -> Bucket {
        let custom = self.uses_custom_buckets();
        Bucket {
            lower,
            upper,
            lower_inclusive: if custom { index == 0 } else { lower < 0.0 },
            upper_inclusive: custom || upper > 0.0,
            count,
            index,
        }
    }

    fn outside_zero(&self, mut bucket: Bucket) -> Bucket {
        if bucket.upper < 0.0 && bucket.upper > -self.zero_threshold {
            bucket.upper = -self.zero_threshold;
        } else if bucket.lower > 0.0 && bucket.lower < self.zero_threshold {
            bucket.lower = self.zero_threshold;
        }
        bucket
    }
}

impl Bucket {
    /// Which part of the bucket's width lies below a value inside it: by distance if `linear` (custom
    /// buckets and the zero bucket), else by the logarithm of the distance from zero.
    pub fn fraction_below(&self, value: f64, linear: bool) -> f64 {
        if linear {
            return (value - self.lower) / (self.upper - self.lower);
        }
        let log_lower = log2(self.lower.abs());
        let log_upper = log2(self.upper.abs());
        let log_value = log2(value.abs());
        if value > 0.0 {
            (log_value - log_lower) / (log_upper - log_lower)
        } else {
            1.0 - ((log_value - log_upper) / (log_lower - log_upper))
        }
    }
}

/// Numbers and counts in the order they are stored: away from zero.
pub(super) fn forward(spans: &[BucketSpan], counts: &[f64]) -> impl Iterator<Item = IndexedCount> {
    let mut end = 0i32;
    let starts = spans.iter().map(move |span| {
        let start = end.wrapping_add(span.offset);
        end = start.wrapping_add_unsigned(span.length);
        (start, span.length)
    });
    // The counts come first, so that a span of billions without counts costs nothing.
    let mut indexes =
        starts.flat_map(|(start, length)| (0..length).map(move |i| start.wrapping_add_unsigned(i)));
    counts.iter().map_while(move |&count| {
        let index = indexes.next()?;
        Some(IndexedCount { index, count })
    })
}

/// Numbers and counts towards zero.
fn backward(spans: &[BucketSpan], counts: &[f64]) -> impl Iterator<Item = IndexedCount> {
    let mut start = spans.iter().fold(0i32, |end, span| {
        end.wrapping_add(span.offset)
            .wrapping_add_unsigned(span.length)
    });
    let mut gap = 0i32;
    let starts = spans.iter().rev().map(move |span| {
        start = start.wrapping_sub(gap).wrapping_sub_unsigned(span.length);
        gap = span.offset;
        (start, span.length)
    });
    let mut indexes = starts.flat_map(|(start, length)| {
        (0..length)
            .rev()
            .map(move |i| start.wrapping_add_unsigned(i))
    });
    counts.iter().rev().map_while(move |&count| {
        let index = indexes.next()?;
        Some(IndexedCount { index, count })
    })
}

/// Numbers and counts of a coarser schema.
pub(super) fn merged(
    spans: &[BucketSpan],
    counts: &[f64],
    origin: i32,
    target: i32,
) -> impl Iterator<Item = IndexedCount> {
    let mut finer = forward(spans, counts)
        .map(move |bucket| IndexedCount {
            index: if origin == target {
                bucket.index
            } else {
                target_index(bucket.index, origin, target)
            },
            count: bucket.count,
        })
        .peekable();
    std::iter::from_fn(move || {
        let mut merged = finer.next()?;
        while let Some(next) = finer.next_if(|next| origin != target && next.index == merged.index)
        {
            merged.count += next.count;
        }
        Some(merged)
    })
}
