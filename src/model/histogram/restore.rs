//! Histograms from their buckets, told with bounds instead of numbers.

use std::collections::BTreeMap;

use super::bounds::{CUSTOM_BUCKETS_SCHEMA, EXPONENTIAL_SCHEMAS, exponential_bound};
use super::{Bucket, BucketSpan, Histogram};

impl Histogram {
    /// The histogram with exponential buckets whose filled buckets these are, in any order; `None` where their bounds are
    /// those of no schema. Where the zero bucket is not among them its width is 0, where nothing else is the schema is the
    /// finest.
    pub fn from_exponential_buckets(count: f64, sum: f64, buckets: &[Bucket]) -> Option<Histogram> {
        let mut zeros = buckets.iter().filter(|bucket| is_zero(bucket));
        let zero = zeros.next();
        if zeros.next().is_some() {
            return None;
        }
        let others = || buckets.iter().filter(|bucket| !is_zero(bucket));
        let threshold = zero.map_or(0.0, |zero| zero.upper);
        EXPONENTIAL_SCHEMAS.rev().find_map(|schema| {
            let mut positive = BTreeMap::new();
            let mut negative = BTreeMap::new();
            for bucket in others() {
                let (row, index) = match (bucket.lower_inclusive, bucket.upper_inclusive) {
                    (false, true) => {
                        let index = index(bucket.lower, bucket.upper, schema, threshold)?;
                        (&mut positive, index)
                    }
                    (true, false) => {
                        let index = index(-bucket.upper, -bucket.lower, schema, threshold)?;
                        (&mut negative, index)
                    }
                    _ => return None,
                };
                if row.insert(index, bucket.count).is_some() {
                    return None;
                }
            }
            let (positive_spans, positive_buckets) = laid_out(positive);
            let (negative_spans, negative_buckets) = laid_out(negative);
            Some(Histogram {
                schema,
                zero_threshold: threshold,
                zero_count: zero.map_or(0.0, |zero| zero.count),
                count,
                sum,
                positive_spans,
                positive_buckets,
                negative_spans,
                negative_buckets,
                ..Histogram::default()
            })
        })
    }

    /// The histogram with custom buckets of these bounds (rising, without `+Inf`) whose filled buckets these are, in any
    /// order; `None` where one has others.
    pub fn from_custom_buckets(
        count: f64,
        sum: f64,
        buckets: &[Bucket],
        bounds: &[f64],
    ) -> Option<Histogram> {
        let mut row = BTreeMap::new();
        for bucket in buckets {
            let index = bounds.partition_point(|&bound| bound < bucket.upper);
            let bound = |index: Option<usize>, none: f64| {
                index.map_or(none, |index| {
                    bounds.get(index).copied().unwrap_or(f64::INFINITY)
                })
            };
            let lower = bound(index.checked_sub(1), f64::NEG_INFINITY);
            let is_place = lower == bucket.lower && bound(Some(index), f64::NAN) == bucket.upper;
            let index = i32::try_from(index).ok().filter(|_| is_place)?;
            if row.insert(index, bucket.count).is_some() {
                return None;
            }
        }
        let (positive_spans, positive_buckets) = laid_out(row);
        Some(Histogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            count,
            sum,
            positive_spans,
            positive_buckets,
            custom_values: bounds.to_vec(),
            ..Histogram::default()
        })
    }
}

/// Whether a bucket can only be the one around zero.
fn is_zero(bucket: &Bucket) -> bool {
    bucket.lower_inclusive && bucket.upper_inclusive && bucket.lower == -bucket.upper
}

/// The number of the bucket of positive values with these bounds; its lower one may be cut off by the zero bucket.
fn index(lower: f64, upper: f64, schema: i32, threshold: f64) -> Option<i32> {
    let width = libm::exp2(f64::from(schema));
    let last = (1024.0 * width) as i32;
    let index = match upper == f64::INFINITY {
        true => last + 1,
        false => libm::round(libm::log2(upper) * width) as i32,
    };
    let begin = exponential_bound(index - 1, schema);
    let is_cut = lower == threshold && begin < lower && lower < upper;
    let fits = exponential_bound(index, schema) == upper && (begin == lower || is_cut);
    fits.then_some(index)
}

/// Counts by number as spans and counts.
fn laid_out(row: BTreeMap<i32, f64>) -> (Vec<BucketSpan>, Vec<f64>) {
    let mut spans: Vec<BucketSpan> = Vec::new();
    let mut end = 0;
    for &index in row.keys() {
        match spans.last_mut() {
            Some(span) if end == index => span.length += 1,
            _ => spans.push(BucketSpan {
                offset: index - end,
                length: 1,
            }),
        }
        end = index + 1;
    }
    (spans, row.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restored(histogram: &Histogram) -> Option<Histogram> {
        let filled: Vec<Bucket> = histogram
            .all()
            .filter(|bucket| bucket.count != 0.0)
            .collect();
        match histogram.uses_custom_buckets() {
            false => Histogram::from_exponential_buckets(histogram.count, histogram.sum, &filled),
            true => Histogram::from_custom_buckets(
                histogram.count,
                histogram.sum,
                &filled,
                &histogram.custom_values,
            ),
        }
    }

    fn row(indexes: &[i32]) -> (Vec<BucketSpan>, Vec<f64>) {
        laid_out(indexes.iter().map(|&index| (index, 2.5)).collect())
    }

    #[test]
    fn every_bucket_of_every_schema_is_found_again() {
        for schema in EXPONENTIAL_SCHEMAS {
            let width = libm::exp2(f64::from(schema));
            // Below the smallest normal number bounds are rounded until those of several schemas are one.
            let (first, last) = ((-1020.0 * width) as i32, (1024.0 * width) as i32 + 1);
            for index in first..=last {
                let (positive_spans, positive_buckets) = row(&[index]);
                let (negative_spans, negative_buckets) = row(&[first, index.max(first + 1)]);
                let histogram = Histogram {
                    schema,
                    zero_count: 1.0,
                    count: 8.5,
                    positive_spans,
                    positive_buckets,
                    negative_spans,
                    negative_buckets,
                    ..Histogram::default()
                };
                assert_eq!(restored(&histogram), Some(histogram));
            }
        }
    }

    #[test]
    fn custom_buckets_are_found_again() {
        let (positive_spans, positive_buckets) = row(&[0, 2, 3]);
        let histogram = Histogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            count: 7.5,
            positive_spans,
            positive_buckets,
            custom_values: vec![-1.0, 0.0, 2.5],
            ..Histogram::default()
        };
        assert_eq!(restored(&histogram), Some(histogram));
    }

    #[test]
    fn other_buckets_are_none() {
        let bucket = |lower, upper| Bucket {
            lower,
            upper,
            upper_inclusive: true,
            count: 1.0,
            ..Bucket::default()
        };
        for buckets in [
            vec![bucket(1.0, 3.0)],
            vec![bucket(1.0, 2.0), bucket(2.0, 2.5)],
            vec![bucket(1.0, 2.0), bucket(1.0, 2.0)],
            vec![bucket(-2.0, -1.0)],
            vec![bucket(f64::NAN, 1.0)],
            vec![bucket(1.0, f64::INFINITY)],
        ] {
            assert_eq!(
                Histogram::from_exponential_buckets(1.0, 1.0, &buckets),
                None
            );
            let custom = Histogram::from_custom_buckets(1.0, 1.0, &buckets, &[1.0, 2.0, 5.0]);
            assert_eq!(custom, None, "{buckets:?}");
        }
    }
}
