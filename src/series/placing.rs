//! Recorded samples at other times: moved, sped up, stretched.

use super::gather::{Rising, Value};
use super::stored::as_stored;
use super::time::MAX_TIME;
use crate::model::{Millis, Timestamp};
use crate::store::{Points, is_stale, stale_marker};

/// Which moment of a recording becomes which other, and how much faster time goes there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placing {
    /// A moment of the recording.
    pub recorded: Timestamp,
    /// What it becomes.
    pub placed: Timestamp,
    /// What lies so much apart in the recording lies 1 apart then; above 0. Values stay, so that a counter's rate is
    /// multiplied by it.
    pub speed: f64,
}

/// Why samples can't be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misplaced {
    /// Samples of one series, recorded at these two times, would have the same.
    Together(Timestamp, Timestamp),
    /// The sample recorded at this time would have none that there is.
    Outside(Timestamp),
}

impl Placing {
    /// What a moment of the recording becomes, to the millisecond.
    pub fn of(&self, time: Timestamp) -> Timestamp {
        let distance = time.saturating_sub(self.recorded);
        let distance = match self.speed == 1.0 {
            true => distance,
            false => (distance as f64 / self.speed).round() as Millis,
        };
        self.placed.saturating_add(distance)
    }

    /// Samples with their new times. Where `nan_is_stale`, each NaN becomes a stale marker.
    ///
    /// # Errors
    ///
    /// The first sample that can't have its new time.
    pub fn points(&self, points: &Points, nan_is_stale: bool) -> Result<Points, Misplaced> {
        let mut placed = Rising::default();
        for index in 0..points.len() {
            let recorded = points.time(index);
            let time = self.of(recorded);
            if !(-MAX_TIME..=MAX_TIME).contains(&time) {
                return Err(Misplaced::Outside(recorded));
            }
            let value = match Value::of(points, index) {
                Value::Float(value) if nan_is_stale && value.is_nan() => {
                    Value::Float(stale_marker())
                }
                value => value,
            };
            if !placed.push(time, value) {
                let before = points.time(index.saturating_sub(1));
                return Err(Misplaced::Together(before, recorded));
            }
        }
        let placed = as_stored(placed.finish());
        // A start that is not known is 0.
        let start = |&start: &Timestamp| if start == 0 { 0 } else { self.of(start) };
        let starts: Vec<Timestamp> = points.starts().iter().map(start).collect();
        Ok(match starts.is_empty() {
            true => placed,
            false => placed.with_starts(starts),
        })
    }
}

/// When the first NaN stands before a gap, that is before more than one and a half times the series' usual distance
/// without a sample, in a recording that goes on until `end`. Text formats write stale markers as NaN.
pub fn nan_before_gap(points: &Points, end: Timestamp) -> Option<Timestamp> {
    let is_nan = |index: usize| {
        let value = points.values().get(index).copied().unwrap_or_default();
        points.histogram(index).is_none() && value.is_nan() && !is_stale(value)
    };
    if !points.values().iter().any(|value| value.is_nan()) {
        return None;
    }
    let times: Vec<Timestamp> = (0..points.len()).map(|index| points.time(index)).collect();
    let pairs = times.iter().zip(times.iter().skip(1));
    let mut distances: Vec<Millis> = pairs.map(|(before, after)| after - before).collect();
    distances.sort_unstable();
    let usual = *distances.get(distances.len().checked_sub(1)? / 2)?;
    let is_before_gap = |index: usize| {
        let next = times.get(index + 1).copied().unwrap_or(end);
        (next - points.time(index)) * 2 > usual * 3
    };
    (0..points.len())
        .find(|&index| is_nan(index) && is_before_gap(index))
        .map(|index| points.time(index))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::notation;
    use super::*;

    fn listed(samples: &[(Timestamp, f64)]) -> Points {
        let (times, values) = samples.iter().copied().unzip();
        Points::listed(times, values)
    }

    fn times(points: &Points) -> Vec<Timestamp> {
        (0..points.len()).map(|index| points.time(index)).collect()
    }

    #[test]
    fn samples_are_moved_sped_up_and_stretched() {
        let points = listed(&[(1_000, 1.0), (2_000, 2.0), (4_001, 3.0)]);
        for (recorded, placed, speed, expected) in [
            (1_000, 0, 1.0, [0, 1_000, 3_001]),
            (2_000, 0, 1.0, [-1_000, 0, 2_001]),
            (1_000, 500, 2.0, [500, 1_000, 2_001]),
            (1_000, 0, 0.5, [0, 2_000, 6_002]),
            (2_000, 60_000, 4.0, [59_750, 60_000, 60_500]),
        ] {
            let placing = Placing {
                recorded,
                placed,
                speed,
            };
            let found = placing
                .points(&points, false)
                .map(|points| (times(&points), points.values().to_vec()));
            assert_eq!(found, Ok((expected.to_vec(), vec![1.0, 2.0, 3.0])));
        }
    }

    #[test]
    fn samples_that_meet_or_leave_time_are_named() {
        let points = listed(&[(0, 1.0), (10_000, 2.0), (10_001, 3.0)]);
        let placing = |speed: f64, placed: Timestamp| Placing {
            recorded: 0,
            placed,
            speed,
        };
        let fault = |placing: Placing| placing.points(&points, false).map(|it| it.len());
        assert_eq!(fault(placing(1.0, 0)), Ok(3));
        assert_eq!(
            fault(placing(2.5, 0)),
            Err(Misplaced::Together(10_000, 10_001))
        );
        assert_eq!(fault(placing(1e9, 0)), Err(Misplaced::Together(0, 10_000)));
        assert_eq!(fault(placing(1e-300, 0)), Err(Misplaced::Outside(10_000)));
        assert_eq!(
            fault(placing(1.0, Timestamp::MAX)),
            Err(Misplaced::Outside(0))
        );
    }

    #[test]
    fn starts_move_along_and_nan_becomes_stale() {
        let points = listed(&[(5_000, 1.0), (6_000, f64::NAN)]).with_starts(vec![4_000, 0]);
        let placing = Placing {
            recorded: 5_000,
            placed: 100_000,
            speed: 2.0,
        };
        let placed = placing.points(&points, true);
        let found = placed.map(|points| (points.starts().to_vec(), points.has_stale()));
        assert_eq!(found, Ok((vec![99_500, 0], true)));
        let placed = placing.points(&points, false);
        assert_eq!(placed.map(|points| points.has_stale()), Ok(false));
    }

    #[test]
    fn histograms_are_placed_as_floats_are() {
        let values =
            "{{schema:0 sum:1 count:1 buckets:[1]}} _ 5 {{schema:0 sum:3 count:2 buckets:[2]}}";
        let items = notation::parse_values(values).unwrap();
        let points = notation::expand(&items, 0, 60_000, 10).unwrap();
        let placing = Placing {
            recorded: 120_000,
            placed: 0,
            speed: 4.0,
        };
        let placed = placing.points(&points, true).unwrap();
        assert_eq!(times(&placed), [-30_000, 0, 15_000]);
        let sums = (0..3).map(|index| placed.histogram(index).map(|it| it.sum));
        assert_eq!(sums.collect::<Vec<_>>(), [Some(1.0), None, Some(3.0)]);
        assert_eq!(placed.values()[1], 5.0);
    }

    #[test]
    fn a_nan_before_a_gap_is_found() {
        let nan = f64::NAN;
        let ended = [(0, 1.0), (10, 1.0), (20, nan)];
        assert_eq!(nan_before_gap(&listed(&ended), 20), None);
        assert_eq!(nan_before_gap(&listed(&ended), 35), None);
        assert_eq!(nan_before_gap(&listed(&ended), 36), Some(20));
        let paused = [(0, 1.0), (10, nan), (30, 1.0), (40, nan), (50, nan)];
        assert_eq!(nan_before_gap(&listed(&paused), 50), Some(10));
        let marked = [(0, 1.0), (10, stale_marker()), (30, 1.0), (40, 1.0)];
        assert_eq!(nan_before_gap(&listed(&marked), 40), None);
        assert_eq!(nan_before_gap(&listed(&[(0, nan)]), 1_000), None);
    }

    proptest! {
        /// The order stays, the aligned moment is met exactly, and all else to half a millisecond.
        #[test]
        fn placing_keeps_the_order_and_the_proportions(
            recorded in -1i64 << 42..1 << 42,
            placed in -1i64 << 42..1 << 42,
            speed in prop_oneof![Just(1.0), 0.01f64..100.0],
            distances in proptest::collection::vec(0i64..100_000_000, 1..20),
        ) {
            let placing = Placing { recorded, placed, speed };
            prop_assert_eq!(placing.of(recorded), placed);
            let mut before = placing.of(recorded.saturating_sub(1));
            prop_assert!(before <= placed);
            let mut time = recorded;
            for distance in distances {
                time += distance;
                let now = placing.of(time);
                prop_assert!(before <= now);
                let exact = (time - recorded) as f64 / speed;
                prop_assert!(((now - placed) as f64 - exact).abs() <= 0.5);
                before = now;
            }
            // Moved only, it comes back.
            if speed == 1.0 {
                let back = Placing { recorded: placed, placed: recorded, speed };
                prop_assert_eq!(back.of(placing.of(time)), time);
            }
        }
    }
}
