//! Turning columns into the series that a rule writes.

use crate::promql::{Column, Sample, Ticks};
use crate::store::{Points, stale_marker};

use super::append::push;
use super::bits::Bits;

/// Samples at the ticks where something is present, and a stale marker at the first evaluation without.
/// Failed evaluations write nothing.
pub(super) fn points<'a>(
    stamps: Ticks,
    present: &[u64],
    failed: &Bits,
    sample: impl Fn(usize) -> Option<Sample<'a>>,
) -> Points {
    let mut points = Points::default();
    let mut returned = false;
    for (index, &word) in present.iter().enumerate() {
        let failed_word = failed.word(index);
        let word = word & !failed_word;
        if word == 0 && !returned {
            continue;
        }
        let first = index * 64;
        for tick in first..(first + 64).min(stamps.count) {
            let bit = 1 << (tick - first);
            let found = (word & bit != 0).then(|| sample(tick)).flatten();
            match found {
                Some(sample) => {
                    if points.is_empty() {
                        points = Points::regular(stamps.time(tick), stamps.step, Vec::new());
                    }
                    push(&mut points, stamps.time(tick), sample);
                    returned = true;
                }
                None if returned && failed_word & bit == 0 => {
                    points.push(stamps.time(tick), stale_marker());
                    returned = false;
                }
                None => {}
            }
        }
    }
    points
}

/// The series of one column.
pub(super) fn column_points(stamps: Ticks, column: Column, failed: &Bits) -> Points {
    if failed.is_empty()
        && !column.has_histograms()
        && let Some(first) = beginning(column.presence(), stamps.count)
    {
        let mut values = column.into_values();
        values.drain(..first);
        return Points::regular(stamps.time(first), stamps.step, values);
    }
    points(stamps, column.presence(), failed, |tick| column.get(tick))
}

/// The first tick that is present, if all after it are.
fn beginning(present: &[u64], count: usize) -> Option<usize> {
    let (index, word) = present.iter().enumerate().find(|(_, word)| **word != 0)?;
    let first = index * 64 + word.trailing_zeros() as usize;
    let ones: u32 = present.iter().map(|word| word.count_ones()).sum();
    (first + ones as usize == count).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::is_stale;

    fn column(text: &str) -> Column {
        let mut column = Column::absent(text.len());
        for (tick, letter) in text.chars().enumerate() {
            if let Some(digit) = letter.to_digit(10) {
                column.set(tick, f64::from(digit));
            }
        }
        column
    }

    /// A digit is a sample, `.` nothing, `!` a failed evaluation.
    fn written(text: &str) -> String {
        let mut failed = Bits::new(text.len());
        for (tick, _) in text.match_indices('!') {
            failed.set(tick);
        }
        let stamps = Ticks {
            start: -20,
            step: 10,
            count: text.len(),
        };
        let points = column_points(stamps, column(text), &failed);
        let mut out = vec!['.'; text.len()];
        for index in 0..points.len() {
            let tick = (points.time(index) + 20) / 10;
            let value = points.values()[index];
            out[tick as usize] = match is_stale(value) {
                true => 's',
                false => char::from_digit(value as u32, 10).unwrap(),
            };
        }
        out.into_iter().collect()
    }

    #[test]
    fn a_series_that_ends_is_marked_at_the_next_evaluation_that_succeeds() {
        for (text, expected) in [
            ("123", "123"),
            ("..1.2..", "..1s2s."),
            ("12!!3.", "12..3s"),
            ("12!!..", "12..s."),
            ("1!", "1."),
            ("...", "..."),
        ] {
            assert_eq!(written(text), expected, "{text}");
        }
        let long = format!("{}1{}", ".".repeat(70), ".".repeat(70));
        assert_eq!(
            written(&long),
            format!("{}1s{}", ".".repeat(70), ".".repeat(69))
        );
        let full = "7".repeat(128);
        assert_eq!(written(&full), full);
    }
}
