//! The values of an alert's instances by the first limit that lets them through.

use rayon::prelude::*;

use super::columns::Settings;
use super::growth::Growth;
use super::runs::{Coverage, Runs, fired};
use crate::model::{Millis, Timestamp};
use crate::promql::ast::BinaryOp;
use crate::promql::{Columns, Ticks};
use crate::whatif::Outcome;
use crate::whatif::paging::{Paging, Watch, Window};

/// Every tick of every instance, with the first limit that lets its value through. Limits come in the order in which they let
/// more through: what passes one passes all after it.
pub(super) struct Cells {
    /// When ticks are, and how many each instance has.
    pub time: Clock,
    /// How many instances there are.
    pub instances: usize,
    /// The first limit of each cell, or [`NEVER`]; instance after instance.
    pub first: Vec<u32>,
    /// How many limits there are.
    pub limits: usize,
}

/// The limit of a cell that none lets through.
pub(super) const NEVER: u32 = u32::MAX;

/// When ticks are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub moments: Ticks,
    /// The end of the data, which what still fires lasts to.
    pub end: Timestamp,
}

impl Clock {
    /// How many ticks there are.
    pub fn count(&self) -> usize {
        self.moments.count
    }

    /// The time of a tick that ends something; `None` for the one past the last.
    pub fn past(&self, tick: usize) -> Option<Timestamp> {
        (tick < self.count()).then(|| self.moments.time(tick))
    }

    /// How many ticks a wait takes, rounded up.
    pub fn ticks(&self, wait: Millis) -> usize {
        let step = self.moments.step.max(1);
        let whole = wait.max(0) / step + i64::from(wait.max(0) % step > 0);
        usize::try_from(whole).unwrap_or(usize::MAX)
    }

    /// A firing between two ticks.
    pub fn window(&self, from: usize, to: usize) -> Window {
        (self.moments.time(from), self.past(to))
    }
}

/// Adding ticks one by one costs about as much as looking through this many in a row.
const GROWTH_COST: usize = 24;

impl Cells {
    /// Sorts what columns hold; `None` where there are too many values to count.
    pub fn new(
        columns: &Columns,
        moments: Ticks,
        end: Timestamp,
        limits: &[f64],
        op: BinaryOp,
    ) -> Option<Cells> {
        let passes: fn(f64, f64) -> bool = match op {
            BinaryOp::Greater => |value, limit| value > limit,
            BinaryOp::GreaterEqual => |value, limit| value >= limit,
            BinaryOp::Less => |value, limit| value < limit,
            BinaryOp::LessEqual => |value, limit| value <= limit,
            _ => return None,
        };
        let (count, instances) = (moments.count, columns.series.len());
        u32::try_from(count.checked_mul(instances)?)
            .ok()
            .filter(|it| *it < NEVER)?;
        u32::try_from(limits.len()).ok()?;
        let first_of = |value: f64| {
            let first = limits.partition_point(|&limit| !passes(value, limit));
            if first < limits.len() {
                first as u32
            } else {
                NEVER
            }
        };
        let of_series = columns.series.par_iter().map(|series| {
            let mut first = vec![NEVER; count];
            let values = series.column.values();
            for tick in series.column.present_ticks() {
                if let (Some(first), Some(&value)) = (first.get_mut(tick), values.get(tick)) {
                    *first = first_of(value);
                }
            }
            first
        });
        let of_series: Vec<Vec<u32>> = of_series.collect();
        Some(Cells {
            time: Clock { moments, end },
            instances,
            first: of_series.concat(),
            limits: limits.len(),
        })
    }

    /// What the alert does at every limit, hold and keep, the last fastest; then at a limit that lets nothing through.
    pub fn table(&self, settings: &Settings, watch: &Watch) -> Vec<Paging> {
        let (holds, keeps) = (&settings.holds, &settings.keeps);
        let nothing = Paging::judged(Outcome::default(), &[], watch);
        let mut table = vec![nothing; (self.limits + 1) * holds.len() * keeps.len()];
        let place = |limit: usize, hold: usize, keep: usize| {
            (limit * holds.len() + hold) * keeps.len() + keep
        };
        let grows = |keep: Millis| keep == 0 && self.limits > holds.len() * GROWTH_COST;
        let growing = keeps.iter().position(|&keep| grows(keep));
        if let Some(keep) = growing {
            let order = self.order();
            let grown = holds
                .par_iter()
                .map(|&hold| Growth::run(self, &order, hold, watch));
            let grown: Vec<Vec<Paging>> = grown.collect();
            for (hold, of_hold) in grown.into_iter().enumerate() {
                for (limit, paging) in of_hold.into_iter().enumerate() {
                    if let Some(entry) = table.get_mut(place(limit, hold, keep)) {
                        *entry = paging;
                    }
                }
            }
        }
        let kept: Vec<(usize, Millis)> = keeps
            .iter()
            .copied()
            .enumerate()
            .filter(|&(_, keep)| !grows(keep))
            .collect();
        if kept.is_empty() {
            return table;
        }
        let of_limit = |limit: usize| {
            let mut runs = Runs::of(self, limit as u32);
            let mut coverage = Coverage::new(self.time.count());
            let mut found = Vec::with_capacity(kept.len() * holds.len());
            // A run that is too short for one hold is so for all after it, unless another keeps it alive.
            for &(keep_place, keep) in kept.iter().rev() {
                for (hold_place, &hold) in holds.iter().enumerate() {
                    let waits = (self.time.ticks(hold), self.time.ticks(keep));
                    if keep == 0 {
                        runs.drop_short(waits.0);
                    }
                    found.push((
                        hold_place,
                        keep_place,
                        fired(&runs, &self.time, waits, &mut coverage, watch),
                    ));
                }
            }
            found
        };
        let found: Vec<_> = (0..self.limits).into_par_iter().map(of_limit).collect();
        for (limit, of_limit) in found.into_iter().enumerate() {
            for (hold, keep, paging) in of_limit {
                if let Some(entry) = table.get_mut(place(limit, hold, keep)) {
                    *entry = paging;
                }
            }
        }
        table
    }

    /// The cells that any limit lets through, in the order of limits, then instances, then ticks; and where those of each
    /// limit begin, with the end of all.
    fn order(&self) -> Order {
        let mut starts = vec![0usize; self.limits + 1];
        for &first in self.first.iter().filter(|first| **first != NEVER) {
            if let Some(next) = starts.get_mut(first as usize + 1) {
                *next += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut cells = vec![0u32; sum];
        for (cell, &first) in self.first.iter().enumerate() {
            if let Some(next) = next.get_mut(first as usize) {
                if let Some(place) = cells.get_mut(*next) {
                    *place = cell as u32;
                }
                *next += 1;
            }
        }
        Order { starts, cells }
    }
}

/// Cells in the order in which they are let through.
pub(super) struct Order {
    /// Where those of each limit begin, and the end of all.
    pub starts: Vec<usize>,
    /// The cells.
    pub cells: Vec<u32>,
}
