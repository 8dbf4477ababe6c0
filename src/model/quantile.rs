//! Quantiles and fractions of the buckets of classic histograms.

use std::cmp::Ordering;

use super::number::almost_equal;

/// A bucket of a classic histogram: a series with an `le` label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassicBucket {
    /// The value of `le`.
    pub upper_bound: f64,
    /// Observations at or below it.
    pub count: f64,
}

/// A quantile, with what had to be mended in the buckets to find it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassicQuantile {
    /// The quantile; NaN, `-Inf` or `+Inf` where there is none.
    pub value: f64,
    /// Set where a count fell with a rising bound, and so was lifted to the count before it.
    pub forced_monotonic: Option<ForcedMonotonic>,
    /// Whether differences too small to be more than rounding were taken away.
    pub fixed_precision: bool,
}

/// Where the counts of a classic histogram fell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForcedMonotonic {
    /// The lowest upper bound whose count was lifted.
    pub min_bucket: f64,
    /// The highest upper bound whose count was lifted.
    pub max_bucket: f64,
    /// The largest lift.
    pub max_diff: f64,
}

impl ForcedMonotonic {
    /// Takes over what was lifted in other buckets.
    pub fn join(&mut self, other: ForcedMonotonic) {
        self.min_bucket = self.min_bucket.min(other.min_bucket);
        self.max_bucket = self.max_bucket.max(other.max_bucket);
        self.max_diff = self.max_diff.max(other.max_diff);
    }
}

/// A smaller relative difference between neighbouring buckets is taken for a rounding error.
const SMALL_DELTA_TOLERANCE: f64 = 1e-12;

/// The `q`-quantile of a classic histogram, interpolated linearly inside its bucket, as
/// `histogram_quantile` has it (Prometheus's `BucketQuantile`).
///
/// Sorts the buckets and mends their counts in place. NaN where `q` is NaN, the highest bound is not
/// `+Inf`, fewer than two bounds differ or nothing was observed; `-Inf` for a `q` below 0, `+Inf`
/// above 1. In the highest bucket the answer is the second highest bound; the lowest bucket starts at 0
/// if its bound is positive, else its bound is the answer.
pub fn bucket_quantile(q: f64, buckets: &mut Vec<ClassicBucket>) -> ClassicQuantile {
    let mut found = ClassicQuantile {
        value: f64::NAN,
        forced_monotonic: None,
        fixed_precision: false,
    };
    if q < 0.0 {
        found.value = f64::NEG_INFINITY;
    } else if q > 1.0 {
        found.value = f64::INFINITY;
    } else if !q.is_nan() && prepare(buckets) {
        (found.forced_monotonic, found.fixed_precision) = ensure_monotonic(buckets);
        found.value = interpolate(q, buckets);
    }
    found
}

/// The fraction of observations of a classic histogram between two values, as `histogram_fraction` has
/// it (Prometheus's `BucketFraction`).
///
/// Sorts the buckets. NaN where the highest bound is not `+Inf`, nothing was observed or a value is NaN;
/// 0 where `lower` is not below `upper`.
pub fn bucket_fraction(lower: f64, upper: f64, buckets: &mut Vec<ClassicBucket>) -> f64 {
    if !prepare(buckets) {
        return f64::NAN;
    }
    let count = buckets.last().map_or(0.0, |bucket| bucket.count);
    if count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let rank = |value| match classic_rank(value, buckets) {
        Some(rank) if rank > count => count,
        Some(rank) => rank,
        None => count,
    };
    (rank(upper) - rank(lower)) / count
}

/// Sorts by bound and merges equal bounds; false unless the highest bound is `+Inf`.
fn prepare(buckets: &mut Vec<ClassicBucket>) -> bool {
    buckets.sort_by(|a, b| by_bound(a.upper_bound, b.upper_bound));
    if buckets.last().map(|bucket| bucket.upper_bound) != Some(f64::INFINITY) {
        return false;
    }
    buckets.dedup_by(|next, kept| {
        let same = next.upper_bound == kept.upper_bound;
        if same {
            kept.count += next.count;
        }
        same
    });
    true
}

/// NaN comes last, so that the order is total.
fn by_bound(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b)
        .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Takes away falls of the count, and differences that are rounding errors.
fn ensure_monotonic(buckets: &mut [ClassicBucket]) -> (Option<ForcedMonotonic>, bool) {
    let mut forced: Option<ForcedMonotonic> = None;
    let mut fixed_precision = false;
    let Some((first, rest)) = buckets.split_first_mut() else {
        return (forced, fixed_precision);
    };
    let mut previous = first.count;
    for bucket in rest {
        let count = bucket.count;
        if count == previous {
            continue;
        }
        if almost_equal(previous, count, SMALL_DELTA_TOLERANCE) {
            bucket.count = previous;
            fixed_precision = true;
        } else if count < previous {
            bucket.count = previous;
            let diff = previous - count;
            forced = Some(match forced {
                None => ForcedMonotonic {
                    min_bucket: bucket.upper_bound,
                    max_bucket: bucket.upper_bound,
                    max_diff: diff,
                },
                Some(before) => ForcedMonotonic {
                    min_bucket: before.min_bucket,
                    max_bucket: bucket.upper_bound,
                    max_diff: before.max_diff.max(diff),
                },
            });
        } else {
            previous = count;
        }
    }
    (forced, fixed_precision)
}

/// The quantile in sorted buckets with rising counts.
fn interpolate(q: f64, buckets: &[ClassicBucket]) -> f64 {
    let [below @ .., highest] = buckets else {
        return f64::NAN;
    };
    let Some(second_highest) = below.last() else {
        return f64::NAN;
    };
    if highest.count == 0.0 {
        return f64::NAN;
    }
    let rank = q * highest.count;
    // A count of NaN reaches no rank, as in Prometheus.
    let reaches = |bucket: &ClassicBucket| bucket.count >= rank;
    let index = below.partition_point(|bucket| !reaches(bucket));
    let Some(bucket) = below.get(index) else {
        return second_highest.upper_bound;
    };
    match index.checked_sub(1).and_then(|before| below.get(before)) {
        None if bucket.upper_bound <= 0.0 => bucket.upper_bound,
        None => 0.0 + bucket.upper_bound * (rank / bucket.count),
        Some(before) => {
            let inside = (rank - before.count) / (bucket.count - before.count);
            before.upper_bound + (bucket.upper_bound - before.upper_bound) * inside
        }
    }
}

/// How many observations lie below `value`; `None` where it lies above all bounds.
fn classic_rank(value: f64, buckets: &[ClassicBucket]) -> Option<f64> {
    let mut lower_bound = match buckets.first() {
        Some(first) if first.upper_bound <= 0.0 => f64::NEG_INFINITY,
        _ => 0.0,
    };
    let mut rank = 0.0;
    for bucket in buckets {
        if lower_bound >= value {
            return Some(rank);
        }
        if bucket.upper_bound > value {
            if lower_bound == f64::NEG_INFINITY {
                return Some(bucket.count);
            }
            let width = bucket.upper_bound - lower_bound;
            return Some(rank + (bucket.count - rank) * (value - lower_bound) / width);
        }
        rank = bucket.count;
        lower_bound = bucket.upper_bound;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(pairs: &[(f64, f64)]) -> Vec<ClassicBucket> {
        let bucket = |&(upper_bound, count): &(f64, f64)| ClassicBucket { upper_bound, count };
        pairs.iter().map(bucket).collect()
    }

    const INF: f64 = f64::INFINITY;

    #[test]
    fn quantiles_interpolate_inside_their_bucket() {
        let good = [(INF, 10.0), (0.1, 2.0), (1.0, 6.0), (0.2, 4.0)];
        for (q, expected) in [
            (-0.1, -INF),
            (0.0, 0.0),
            (0.1, 0.05),
            (0.2, 0.1),
            (0.3, 0.1 + 0.1 * 0.5),
            (0.6, 1.0),
            (0.9, 1.0),
            (1.0, 1.0),
            (1.1, INF),
        ] {
            let found = bucket_quantile(q, &mut buckets(&good));
            assert_eq!(found.value, expected, "{q}");
            assert_eq!(found.forced_monotonic, None);
        }
        let negative = bucket_quantile(0.1, &mut buckets(&[(-1.0, 5.0), (INF, 5.0)]));
        assert_eq!(negative.value, -1.0);
    }

    #[test]
    fn what_is_no_histogram_has_no_quantile() {
        for none in [
            &[][..],
            &[(1.0, 2.0)],
            &[(INF, 2.0)],
            &[(1.0, 0.0), (INF, 0.0)],
            &[(INF, 1.0), (f64::NAN, 1.0)],
        ] {
            let found = bucket_quantile(0.5, &mut buckets(none));
            assert!(found.value.is_nan(), "{none:?}");
            assert!(bucket_fraction(0.0, 1.0, &mut buckets(none)).is_nan() || none.len() == 1);
        }
        assert!(
            bucket_quantile(f64::NAN, &mut buckets(&[(1.0, 1.0), (INF, 1.0)]))
                .value
                .is_nan()
        );
    }

    #[test]
    fn falling_counts_are_lifted_and_reported() {
        let mut fall = buckets(&[(1.0, 5.0), (2.0, 4.0), (3.0, 6.0), (4.0, 3.0), (INF, 6.0)]);
        let found = bucket_quantile(0.99, &mut fall);
        let expected = ForcedMonotonic {
            min_bucket: 2.0,
            max_bucket: 4.0,
            max_diff: 3.0,
        };
        assert_eq!(found.forced_monotonic, Some(expected));
        let rounding = [(1.0, 1.0), (2.0, 1.0 + 1e-14), (INF, 1.0 - 1e-14)];
        let found = bucket_quantile(0.5, &mut buckets(&rounding));
        assert_eq!(found.forced_monotonic, None);
        assert!(found.fixed_precision);
        let twice = bucket_quantile(0.5, &mut buckets(&[(1.0, 1.0), (1.0, 1.0), (INF, 2.0)]));
        assert_eq!(twice.value, 0.5);
    }

    #[test]
    fn fractions_mirror_quantiles() {
        let good = [(0.1, 2.0), (0.2, 4.0), (1.0, 6.0), (INF, 10.0)];
        for (lower, upper, expected) in [
            (-INF, INF, 1.0),
            (0.0, 0.1, 0.2),
            (0.05, 0.1, 0.1),
            (0.2, 0.1, 0.0),
            (0.6, INF, 0.5),
            (2.0, INF, 0.4),
        ] {
            let found = bucket_fraction(lower, upper, &mut buckets(&good));
            assert_eq!(found, expected, "{lower} {upper}");
        }
    }
}
