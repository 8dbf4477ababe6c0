//! What is read out of a histogram: quantiles, fractions, the variance.
//!
//! The order of operations is Prometheus's, so that the last bit is too. Observations of NaN are counted
//! but stand in no bucket; a sum of NaN tells of them.

use super::{Bucket, Histogram};
use crate::model::logarithm::{exp2, log2};
use crate::model::number::kahan_add;

/// A quantile of a native histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NativeQuantile {
    /// The quantile; NaN, `-Inf` or `+Inf` where there is none.
    pub value: f64,
    /// What observations of NaN did to it.
    pub nan: Option<NanObservations>,
}

/// What observations of NaN, which count as the highest of all, did to a quantile. Either implies an
/// annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NanObservations {
    /// The quantile may be too high.
    Skewed,
    /// The quantile is one of them.
    Result,
}

/// A fraction of the observations of a native histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NativeFraction {
    /// Between 0 and 1, or NaN.
    pub value: f64,
    /// Whether observations of NaN were left out, which implies an annotation.
    pub ignored_nan: bool,
}

impl Histogram {
    /// The mean of all observations.
    pub fn mean(&self) -> f64 {
        self.sum / self.count
    }

    /// The variance of all observations, each taken for the middle of its bucket: the arithmetic one of
    /// custom buckets, the geometric one of others, 0 for the zero bucket. Its square root is the standard
    /// deviation.
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        let (mut sum, mut lost) = (0.0, 0.0);
        for bucket in self.all().filter(|bucket| bucket.count != 0.0) {
            let middle = if self.uses_custom_buckets() {
                (bucket.upper + bucket.lower) / 2.0
            } else if bucket.lower <= 0.0 && bucket.upper >= 0.0 {
                0.0
            } else {
                let size = (bucket.upper * bucket.lower).sqrt();
                if bucket.upper < 0.0 { -size } else { size }
            };
            let delta = middle - mean;
            (sum, lost) = kahan_add(bucket.count * delta * delta, sum, lost);
        }
        (sum + lost) / self.count
    }

    /// The `q`-quantile: interpolated linearly in custom buckets and the zero bucket, else by logarithm
    /// (Prometheus's `HistogramQuantile`). A histogram without negative buckets has none below 0, one
    /// without positive buckets none above. NaN where nothing was observed or `q` is NaN; `-Inf` for a `q`
    /// below 0, `+Inf` above 1.
    pub fn quantile(&self, q: f64) -> NativeQuantile {
        let plain = |value| NativeQuantile { value, nan: None };
        if q < 0.0 {
            plain(f64::NEG_INFINITY)
        } else if q > 1.0 {
            plain(f64::INFINITY)
        } else if self.count == 0.0 || q.is_nan() {
            plain(f64::NAN)
        } else if self.sum.is_nan() || q < 0.5 {
            self.quantile_by(self.all(), q * self.count, true)
        } else {
            self.quantile_by(self.all_reverse(), (1.0 - q) * self.count, false)
        }
    }

    /// The quantile at a rank, counted in the order of the buckets.
    fn quantile_by(
        &self,
        mut buckets: impl Iterator<Item = Bucket>,
        rank: f64,
        upwards: bool,
    ) -> NativeQuantile {
        let plain = |value| NativeQuantile { value, nan: None };
        let (mut bucket, mut count) = find_rank(&mut buckets, rank);
        let custom = self.uses_custom_buckets();
        if custom && bucket.lower == f64::NEG_INFINITY {
            if bucket.upper <= 0.0 {
                return plain(bucket.upper);
            }
            bucket.lower = 0.0;
        } else if custom && bucket.upper == f64::INFINITY {
            return plain(bucket.lower);
        } else if !custom && bucket.lower < 0.0 && bucket.upper > 0.0 {
            self.narrow_to_one_sign(&mut bucket);
        }
        // Rounding can make the sum of the buckets larger than the count.
        if count > self.count {
            count = self.count;
        }
        if count < rank {
            return match self.sum.is_nan() {
                true => NativeQuantile {
                    value: f64::NAN,
                    nan: Some(NanObservations::Result),
                },
                false => plain(bucket.upper),
            };
        }
        let rank_in_bucket = match upwards {
            true => rank - (count - bucket.count),
            false => count - rank,
        };
        let mut nan = None;
        if self.sum.is_nan() {
            for later in buckets {
                // Prometheus goes on with the last bucket from here.
                bucket = later;
                count += later.count;
            }
            nan = (count < self.count).then_some(NanObservations::Skewed);
        }
        NativeQuantile {
            value: interpolate(&bucket, rank_in_bucket / bucket.count, custom),
            nan,
        }
    }

    /// The fraction of all observations between two values (Prometheus's `HistogramFraction`). NaN where
    /// nothing was observed or a value is NaN; 0 where `lower` is not below `upper`.
    pub fn fraction(&self, lower: f64, upper: f64) -> NativeFraction {
        let plain = |value| NativeFraction {
            value,
            ignored_nan: false,
        };
        if self.count == 0.0 || lower.is_nan() || upper.is_nan() {
            return plain(f64::NAN);
        }
        if lower >= upper {
            return plain(0.0);
        }
        let (lower_rank, upper_rank) = (self.rank(lower), self.rank(upper));
        let mut count = self.count;
        let mut ignored_nan = false;
        if self.sum.is_nan() {
            count = self.all().fold(0.0, |count, bucket| count + bucket.count);
            ignored_nan = count < self.count;
        }
        let known = |rank: Option<f64>| match rank {
            Some(rank) if rank > count => count,
            Some(rank) => rank,
            None => count,
        };
        NativeFraction {
            value: (known(upper_rank) - known(lower_rank)) / self.count,
            ignored_nan,
        }
    }

    /// How many observations lie below a value; `None` where it lies above all buckets.
    fn rank(&self, value: f64) -> Option<f64> {
        let mut rank = 0.0;
        for mut bucket in self.all() {
            let zero = bucket.lower <= 0.0 && bucket.upper >= 0.0;
            if zero {
                self.narrow_to_one_sign(&mut bucket);
            }
            if bucket.lower >= value {
                return Some(rank);
            }
            if bucket.lower < value && bucket.upper > value {
                let linear = self.uses_custom_buckets() || zero;
                // What reaches down to -Inf can't be divided.
                return Some(match linear && bucket.lower == f64::NEG_INFINITY {
                    true => bucket.count,
                    false => rank + bucket.count * bucket.fraction_below(value, linear),
                });
            }
            rank += bucket.count;
        }
        None
    }

    /// Takes from a bucket around zero the side on which there are no buckets.
    fn narrow_to_one_sign(&self, bucket: &mut Bucket) {
        let (negative, positive) = (
            !self.negative_buckets.is_empty(),
            !self.positive_buckets.is_empty(),
        );
        match (negative, positive) {
            (false, true) => bucket.lower = 0.0,
            (true, false) => bucket.upper = 0.0,
            _ => {}
        }
    }
}

/// The bucket that reaches a rank, or the last, and the observations up to its end.
fn find_rank(buckets: &mut impl Iterator<Item = Bucket>, rank: f64) -> (Bucket, f64) {
    let mut found = Bucket::default();
    let mut count = 0.0;
    for bucket in buckets {
        found = bucket;
        count += bucket.count;
        if bucket.count != 0.0 && count >= rank {
            break;
        }
    }
    (found, count)
}

/// The value below which a part of a bucket lies.
fn interpolate(bucket: &Bucket, fraction: f64, custom: bool) -> f64 {
    let (lower, upper) = (bucket.lower, bucket.upper);
    if custom || (lower <= 0.0 && upper >= 0.0) {
        return lower + (upper - lower) * fraction;
    }
    let log_lower = log2(lower.abs());
    let log_upper = log2(upper.abs());
    match lower > 0.0 {
        true => exp2(log_lower + (log_upper - log_lower) * fraction),
        false => -exp2(log_upper + (log_lower - log_upper) * (1.0 - fraction)),
    }
}
