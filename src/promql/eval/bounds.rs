//! Which samples of a series each tick sees.

use crate::model::{Millis, Timestamp};
use crate::promql::column::Ticks;
use crate::promql::window::{Ends, Steady};
use crate::store::Points;

/// Up to which stamp samples are visible at a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// All are.
    None,
    /// Up to the tick plus this.
    Moving(Millis),
    /// Up to this stamp.
    Fixed(Timestamp),
}

impl Limit {
    pub fn at(self, time: Timestamp) -> Timestamp {
        match self {
            Limit::None => Timestamp::MAX,
            Limit::Moving(shift) => time.saturating_add(shift),
            Limit::Fixed(stamp) => stamp,
        }
    }
}

/// How far windows reach from where they end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    pub back: Millis,
    pub ahead: Millis,
}

impl Reach {
    pub fn back(back: Millis) -> Reach {
        Reach { back, ahead: 0 }
    }

    /// The stamp behind which the windows of all ticks lie.
    pub fn behind(self, ends: Ends, ticks: Ticks) -> Timestamp {
        ends.of(ticks.start).saturating_sub(self.back)
    }
}

/// The windows of a series, by the indices of its samples.
#[derive(Default)]
pub(super) struct Bounds {
    /// For every tick the first index and the one past the last.
    pub of_ticks: Vec<(u32, u32)>,
    /// The longest run of them that slides in step with the samples.
    pub steady: Option<Steady>,
}

/// The bounds of windows, kept for the series that lie on the same grid. One selector can take them over from another:
/// the two sides of a ratio have the same windows.
#[derive(Default)]
pub(super) struct BoundsCache {
    /// Of which windows `on_grids` are the bounds.
    windows: Option<(Ticks, Ends, Reach)>,
    on_grids: Vec<(Grid, Bounds)>,
    elsewhere: Bounds,
}

/// Where samples lie at equal distances: start, distance and number, and how far they are visible.
type Grid = (Timestamp, Millis, usize, Limit);

/// Of so many grids bounds are kept; more are rare, and each takes memory.
const MAX_GRIDS: usize = 8;

impl BoundsCache {
    /// For every tick the samples with stamps in `(end - back, end + ahead]` that `limit` leaves visible.
    pub fn of(
        &mut self,
        points: &Points,
        limit: Limit,
        ticks: Ticks,
        ends: Ends,
        reach: Reach,
    ) -> &Bounds {
        let Some((start, step)) = points.grid() else {
            self.elsewhere.fill(points, limit, ticks, ends, reach);
            return &self.elsewhere;
        };
        if self.windows != Some((ticks, ends, reach)) {
            self.windows = Some((ticks, ends, reach));
            self.on_grids.clear();
        }
        let grid = (start, step, points.len(), limit);
        let known = self.on_grids.iter().position(|(known, _)| *known == grid);
        let place = known.unwrap_or_else(|| {
            let mut bounds = match self.on_grids.len() < MAX_GRIDS {
                true => Bounds::default(),
                false => self.on_grids.swap_remove(0).1,
            };
            bounds.fill(points, limit, ticks, ends, reach);
            self.on_grids.push((grid, bounds));
            self.on_grids.len() - 1
        });
        &self.on_grids[place].1
    }
}

impl Bounds {
    fn fill(&mut self, points: &Points, limit: Limit, ticks: Ticks, ends: Ends, reach: Reach) {
        self.of_ticks.clear();
        self.steady = None;
        let Some(windows) = Moving::new(limit, ticks, ends, reach) else {
            let windows = ticks.iter().map(|time| {
                let end = ends.of(time);
                let low = end.saturating_sub(reach.back);
                let high = end.saturating_add(reach.ahead).min(limit.at(time));
                (low, high)
            });
            return self.slide(windows, points.len(), |index| points.time(index));
        };
        match points.grid() {
            Some((start, step)) => match InStep::new(windows, start, step, points.len()) {
                Some(in_step) => {
                    self.of_ticks.extend(in_step.of_ticks(ticks.count));
                    let stride = in_step.stride as u32;
                    self.steady = match stride {
                        0 => None,
                        stride => Steady::longest(&self.of_ticks, stride),
                    };
                }
                None => {
                    let time = |index: usize| start + index as i64 * step;
                    self.slide(windows.of_ticks(ticks.count), points.len(), time);
                }
            },
            None => {
                let times = points.listed_times();
                let windows = windows.of_ticks(ticks.count);
                self.slide(windows, times.len(), |index| times[index]);
            }
        }
    }

    /// For every window `(low, high]` the samples in it; no window may lie before the one before it.
    fn slide(
        &mut self,
        windows: impl Iterator<Item = (Timestamp, Timestamp)>,
        count: usize,
        time: impl Fn(usize) -> Timestamp,
    ) {
        let mut windows = windows.peekable();
        // The first window may lie behind many samples.
        let (mut first, mut past) = match windows.peek() {
            Some(&(low, high)) => {
                let past = count_until(count, high, &time);
                (count_until(past, low, &time), past)
            }
            None => (0, 0),
        };
        self.of_ticks.extend(windows.map(|(low, high)| {
            while past < count && time(past) <= high {
                past += 1;
            }
            while first < past && time(first) <= low {
                first += 1;
            }
            (first as u32, past as u32)
        }));
    }
}

/// How many of `count` samples have a stamp at or before another.
fn count_until(count: usize, stamp: Timestamp, time: impl Fn(usize) -> Timestamp) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        match time(middle) <= stamp {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    low
}

/// Windows `(low, high]` that move on by the same time from tick to tick.
#[derive(Clone, Copy)]
struct Moving {
    /// Those of the first tick.
    low: Timestamp,
    high: Timestamp,
    step: Millis,
    /// No sample behind this is visible.
    until: Timestamp,
}

impl Moving {
    /// None where windows don't move like that, or lie where times can't be calculated with.
    fn new(limit: Limit, ticks: Ticks, ends: Ends, reach: Reach) -> Option<Moving> {
        let (end, step) = match ends {
            Ends::Before(offset) => (ticks.start.checked_sub(offset)?, ticks.step),
            Ends::At(end) => (end, 0),
        };
        let low = end.checked_sub(reach.back)?;
        let ahead = end.checked_add(reach.ahead)?;
        let (high, until) = match (limit, ends) {
            (Limit::None, _) => (ahead, Timestamp::MAX),
            (Limit::Fixed(stamp), _) => (ahead, stamp),
            (Limit::Moving(shift), Ends::Before(_)) => {
                (ahead.min(ticks.start.checked_add(shift)?), Timestamp::MAX)
            }
            (Limit::Moving(_), Ends::At(_)) => return None,
        };
        let way = step.checked_mul(i64::try_from(ticks.count).ok()?)?;
        low.checked_add(way)?;
        high.checked_add(way)?;
        Some(Moving {
            low,
            high,
            step,
            until,
        })
    }

    /// The window of every tick.
    fn of_ticks(self, ticks: usize) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        (0..ticks as i64).map(move |tick| {
            let way = tick * self.step;
            (self.low + way, (self.high + way).min(self.until))
        })
    }
}

/// Windows over samples at equal distances whose distance lies in that of the ticks so many times: from tick to tick both ends
/// move on by as many samples, but for those beyond the series.
struct InStep {
    /// Where the first window begins and ends, in samples from the first one, which it may lie before.
    first: i64,
    past: i64,
    /// By how many samples windows move on.
    stride: i64,
    /// How many samples there are to see.
    count: i64,
}

impl InStep {
    fn new(windows: Moving, start: Timestamp, step: Millis, count: usize) -> Option<InStep> {
        if windows.step % step != 0 {
            return None;
        }
        let until = |stamp: Timestamp| Some(stamp.checked_sub(start)?.div_euclid(step) + 1);
        let visible = match windows.until {
            Timestamp::MAX => i64::MAX,
            stamp => until(stamp)?.max(0),
        };
        Some(InStep {
            first: until(windows.low)?,
            past: until(windows.high)?,
            stride: i64::from(u32::try_from(windows.step / step).ok()?),
            count: i64::try_from(count).ok()?.min(visible),
        })
    }

    /// For every tick the first index and the one past the last.
    fn of_ticks(&self, ticks: usize) -> impl Iterator<Item = (u32, u32)> {
        (0..ticks as i64).map(|tick| {
            let way = tick * self.stride;
            let past = (self.past + way).clamp(0, self.count);
            let first = (self.first + way).clamp(0, past);
            (first as u32, past as u32)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits() -> impl Strategy<Value = Limit> {
        prop_oneof![
            Just(Limit::None),
            (-200i64..200).prop_map(Limit::Moving),
            (-1000i64..1000).prop_map(Limit::Fixed),
        ]
    }

    proptest! {
        #[test]
        fn windows_hold_the_samples_between_their_edges(
            (start, step, count) in (-500i64..500, 1i64..20, 0usize..60),
            (first_tick, stride, ticks) in (-900i64..900, 0i64..5, 1usize..90),
            (offset, at) in (-300i64..300, prop::bool::weighted(0.2)),
            (back, ahead) in (0i64..200, prop_oneof![Just(0i64), 0i64..90]),
            limit in limits(),
        ) {
            let ticks = Ticks { start: first_tick, step: (step * stride).max(1), count: ticks };
            let ends = if at { Ends::At(offset) } else { Ends::Before(offset) };
            let reach = Reach { back, ahead };
            let times: Vec<Timestamp> = (0..count as i64).map(|index| start + index * step).collect();
            let regular = Points::regular(start, step, vec![0.0; count]);
            let listed = Points::listed(times, vec![0.0; count]);
            let (mut quick, mut slow) = (Bounds::default(), Bounds::default());
            quick.fill(&regular, limit, ticks, ends, reach);
            slow.fill(&listed, limit, ticks, ends, reach);
            prop_assert_eq!(&quick.of_ticks, &slow.of_ticks);
            let expected = ticks.iter().map(|time| {
                let end = ends.of(time);
                let (low, high) = (end - back, (end + ahead).min(limit.at(time)));
                let until = |stamp| regular.count_until(stamp) as u32;
                (until(low).min(until(high)), until(high))
            });
            prop_assert_eq!(quick.of_ticks, expected.collect::<Vec<_>>());
        }
    }
}
