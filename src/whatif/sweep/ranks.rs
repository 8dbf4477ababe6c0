//! The first limit that lets a value through.

use rayon::prelude::*;

use crate::promql::Columns;
use crate::promql::ast::BinaryOp;

/// The place of a limit, in as little room as the number of limits allows: the less it takes, the more of them are compared at
/// once.
pub(super) trait Rank: Copy + Ord + Send + Sync + 'static {
    /// That of no limit, after all places.
    const NEVER: Self;

    /// That of a place.
    fn of(place: usize) -> Self;

    /// Its place.
    fn place(self) -> usize;
}

macro_rules! rank {
    ($($number:ty)*) => {$(
        impl Rank for $number {
            const NEVER: $number = <$number>::MAX;

            fn of(place: usize) -> $number {
                <$number>::try_from(place).unwrap_or(<$number>::NEVER)
            }

            fn place(self) -> usize {
                self as usize
            }
        }
    )*};
}

rank!(u8 u16 u32);

/// The first limit that lets each value through, series after series, `count` ticks of each; `None` for a comparison that has no
/// such limit. Limits come in the order in which they let more through.
pub(super) fn ranks<R: Rank>(
    columns: &Columns,
    count: usize,
    limits: &[f64],
    op: BinaryOp,
) -> Option<Vec<R>> {
    // A function of its own for each operator: it is asked for every value.
    match op {
        BinaryOp::Greater => Some(of_columns(columns, count, limits, -1.0, |value, limit| {
            value > limit
        })),
        BinaryOp::GreaterEqual => Some(of_columns(columns, count, limits, -1.0, |value, limit| {
            value >= limit
        })),
        BinaryOp::Less => Some(of_columns(columns, count, limits, 1.0, |value, limit| {
            value < limit
        })),
        BinaryOp::LessEqual => Some(of_columns(columns, count, limits, 1.0, |value, limit| {
            value <= limit
        })),
        _ => None,
    }
}

/// The same for a function that compares. Limits ascend where `sign` is 1, else they descend.
fn of_columns<R: Rank>(
    columns: &Columns,
    count: usize,
    limits: &[f64],
    sign: f64,
    passes: impl Fn(f64, f64) -> bool + Sync,
) -> Vec<R> {
    let count = count.max(1);
    let sorted = Sorted::new(limits, sign);
    let mut all = vec![R::NEVER; count * columns.series.len()];
    let of_series = all.par_chunks_exact_mut(count).zip(&columns.series);
    of_series.for_each(|(ranks, series)| {
        let values = series.column.values().chunks(64);
        let words = values.zip(series.column.presence());
        for (ranks, (values, word)) in ranks.chunks_mut(64).zip(words) {
            for (bit, (rank, &value)) in ranks.iter_mut().zip(values).enumerate() {
                if word >> bit & 1 == 1 {
                    *rank = sorted.first(value, &passes);
                }
            }
        }
    });
    all
}

/// Limits in buckets of equal width, so that a value is compared with those in its own only.
struct Sorted<'l> {
    limits: &'l [f64],
    sign: f64,
    low: f64,
    scale: f64,
    /// How many limits lie in the buckets before each, and in all.
    before: Vec<u32>,
}

impl Sorted<'_> {
    fn new(limits: &[f64], sign: f64) -> Sorted<'_> {
        let finite = || limits.iter().filter(|limit| limit.is_finite());
        let low = finite().next().map_or(0.0, |limit| limit * sign);
        let high = finite().next_back().map_or(0.0, |limit| limit * sign);
        let buckets = 2 * limits.len() + 1;
        let mut sorted = Sorted {
            limits,
            sign,
            low,
            scale: buckets as f64 / (high - low),
            before: vec![0; buckets + 1],
        };
        for &limit in limits {
            let bucket = sorted.bucket(limit);
            if let Some(count) = sorted.before.get_mut(bucket + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for count in &mut sorted.before {
            sum += *count;
            *count = sum;
        }
        sorted
    }

    /// The bucket of a number, which is never before that of a smaller one (a larger one, where limits descend): each step
    /// keeps the order, and what is no number in the end, as zero times infinity, is that only for numbers that are equal,
    /// or for all.
    fn bucket(&self, number: f64) -> usize {
        let bucket = (number * self.sign - self.low) * self.scale;
        (bucket as usize).min(self.before.len().saturating_sub(2))
    }

    fn first<R: Rank>(&self, value: f64, passes: impl Fn(f64, f64) -> bool) -> R {
        let bucket = self.bucket(value);
        let (Some(&from), Some(&to)) = (self.before.get(bucket), self.before.get(bucket + 1))
        else {
            return R::NEVER;
        };
        let (from, to) = (from as usize, to as usize);
        let within = self.limits.get(from..to).unwrap_or_default();
        let first = from + within.partition_point(|&limit| !passes(value, limit));
        match first < self.limits.len() && !value.is_nan() {
            true => R::of(first),
            false => R::NEVER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Labels;
    use crate::promql::{Column, ColumnSeries, Ticks};
    use proptest::prelude::*;

    fn numbers(most: usize) -> impl Strategy<Value = Vec<f64>> {
        let number = prop_oneof![
            8 => (-20i32..20).prop_map(|number| f64::from(number) / 4.0),
            2 => any::<f64>(),
            1 => prop::sample::select(vec![
                f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, f64::MIN_POSITIVE, -0.0, 5e-324,
            ]),
        ];
        prop::collection::vec(number, 0..most)
    }

    fn check<R: Rank>(values: &[f64], limits: &[f64], op: BinaryOp) -> Result<(), TestCaseError> {
        let ticks = Ticks {
            start: 0,
            step: 1,
            count: values.len(),
        };
        let mut columns = Columns::new(ticks);
        let mut column = Column::absent(values.len());
        for (tick, &value) in values.iter().enumerate().filter(|(tick, _)| tick % 7 != 3) {
            column.set(tick, value);
        }
        columns.series.push(ColumnSeries {
            labels: Labels::empty(),
            drop_name: false,
            column,
        });
        let found: Vec<R> = ranks(&columns, values.len(), limits, op).unwrap();
        for (tick, (&value, rank)) in values.iter().zip(found).enumerate() {
            let passes = |limit: &f64| match op {
                BinaryOp::Greater => value > *limit,
                BinaryOp::GreaterEqual => value >= *limit,
                BinaryOp::Less => value < *limit,
                _ => value <= *limit,
            };
            let first = limits.iter().position(passes).filter(|_| tick % 7 != 3);
            let first = first.map_or(R::NEVER.place(), |first| first);
            prop_assert_eq!(rank.place(), first, "{} at {:?} {:?}", value, limits, op);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn a_rank_is_the_first_limit_that_lets_through(values in numbers(90), limits in numbers(60)) {
            for op in [BinaryOp::Greater, BinaryOp::GreaterEqual, BinaryOp::Less, BinaryOp::LessEqual] {
                let mut limits: Vec<f64> = limits.iter().copied().filter(|it| !it.is_nan()).collect();
                limits.sort_unstable_by(f64::total_cmp);
                if matches!(op, BinaryOp::Greater | BinaryOp::GreaterEqual) {
                    limits.reverse();
                }
                limits.dedup_by(|a, b| a == b);
                check::<u8>(&values, &limits, op)?;
                check::<u16>(&values, &limits, op)?;
                check::<u32>(&values, &limits, op)?;
            }
        }
    }
}
