//! Custom buckets of different bounds.

use super::BucketSpan;
use super::buckets::forward;
use super::layout::{Addend, Row};
use crate::model::number::kahan_add;

/// The bounds that both lists have; both rise.
pub(super) fn intersection(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut common = Vec::new();
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(&&left), Some(&&right)) = (a.peek(), b.peek()) {
        if left == right {
            common.push(left);
        }
        // A NaN bound is passed over: validation refuses it.
        if left <= right || left.is_nan() {
            a.next();
        }
        if right <= left || left.is_nan() || right.is_nan() {
            b.next();
        }
    }
    common
}

/// Adds custom buckets to others in the bounds that both have; each is given with its own bounds. Only
/// filled buckets remain.
pub(super) fn add_to_common_bounds(
    mine: (&Row, &[f64]),
    theirs: (Addend, &[f64]),
    common: &[f64],
) -> Row {
    let mut filled = Filled {
        common,
        buckets: vec![(0.0, 0.0); common.len() + 1],
    };
    filled.add(mine.0.addend(1.0), mine.1);
    filled.add(theirs.0, theirs.1);
    filled.into_row(mine.0.errors.is_some())
}

/// A count and what rounding lost of it for each common bound and `+Inf`.
struct Filled<'a> {
    common: &'a [f64],
    buckets: Vec<(f64, f64)>,
}

impl Filled<'_> {
    fn add(&mut self, row: Addend, bounds: &[f64]) {
        for (position, bucket) in forward(row.spans, row.counts).enumerate() {
            let bound = usize::try_from(bucket.index)
                .ok()
                .and_then(|index| bounds.get(index));
            let target = match bound {
                Some(&bound) => self.common.partition_point(|&common| common < bound),
                None => self.common.len(),
            };
            let Some((count, lost)) = self.buckets.get_mut(target) else {
                continue;
            };
            (*count, *lost) = kahan_add(row.sign * bucket.count, *count, *lost);
            if let Some(&error) = row.errors.get(position) {
                (*count, *lost) = kahan_add(error, *count, *lost);
            }
        }
    }

    fn into_row(self, kahan: bool) -> Row {
        let mut row = Row {
            errors: kahan.then(Vec::new),
            ..Row::default()
        };
        let mut end = 0;
        for (index, (count, lost)) in (0i32..).zip(self.buckets) {
            if count == 0.0 && lost == 0.0 {
                continue;
            }
            match row.spans.last_mut() {
                Some(span) if end == index => span.length += 1,
                _ => row.spans.push(BucketSpan {
                    offset: index - end,
                    length: 1,
                }),
            }
            end = index.saturating_add(1);
            row.counts.push(count);
            if let Some(errors) = &mut row.errors {
                errors.push(lost);
            }
        }
        row
    }
}
