//! The values of an alert's instances by the first limit that lets them through.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::runs::{Coverage, Runs, fired};
use super::spans::{self, NEVER, Span, Windows, kept};
use super::tally::Tally;
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

    /// How many ticks a wait takes, rounded up; all that take longer than there are ticks are alike.
    pub fn ticks(&self, wait: Millis) -> usize {
        let step = self.moments.step.max(1);
        let whole = wait.max(0) / step + i64::from(wait.max(0) % step > 0);
        usize::try_from(whole).map_or(self.count(), |ticks| ticks.min(self.count()))
    }

    /// A firing between two ticks.
    pub fn window(&self, from: usize, to: usize) -> Window {
        (self.moments.time(from), self.past(to))
    }
}

/// So many limits are looked through one by one where an alert keeps firing.
const FEW_LIMITS: usize = 64;

/// How long an alert waits before it fires, and before it stops: all that are looked at, in ticks, in ascending order.
pub(super) struct Waits {
    pub holds: Vec<usize>,
    pub keeps: Vec<usize>,
}

/// What an alert does at each limit, hold and keep.
pub(super) struct Table {
    pagings: Vec<Paging>,
    /// How many holds and keeps there are.
    waits: (usize, usize),
}

impl Table {
    /// What it does at one, by their places; the limit past the last lets nothing through.
    pub fn get(&self, limit: usize, hold: usize, keep: usize) -> Option<&Paging> {
        self.pagings.get(self.place(limit, hold, keep))
    }

    fn place(&self, limit: usize, hold: usize, keep: usize) -> usize {
        (limit * self.waits.0 + hold) * self.waits.1 + keep
    }

    fn set(&mut self, limit: usize, hold: usize, keep: usize, paging: Paging) {
        let place = self.place(limit, hold, keep);
        if let Some(entry) = self.pagings.get_mut(place) {
            *entry = paging;
        }
    }
}

impl Cells {
    /// Sorts what columns hold; `None` where there are too many values to count.
    pub fn new(
        columns: &Columns,
        moments: Ticks,
        end: Timestamp,
        limits: &[f64],
        op: BinaryOp,
    ) -> Option<Cells> {
        let (count, instances) = (moments.count, columns.series.len());
        u32::try_from(count.checked_mul(instances)?)
            .ok()
            .filter(|it| *it < NEVER)?;
        u32::try_from(limits.len()).ok()?;
        // A function of its own for each operator: it is asked many times for every value.
        let first = match op {
            BinaryOp::Greater => firsts(columns, count, limits, |value, limit| value > limit),
            BinaryOp::GreaterEqual => firsts(columns, count, limits, |value, limit| value >= limit),
            BinaryOp::Less => firsts(columns, count, limits, |value, limit| value < limit),
            BinaryOp::LessEqual => firsts(columns, count, limits, |value, limit| value <= limit),
            _ => return None,
        };
        Some(Cells {
            time: Clock { moments, end },
            instances,
            first,
            limits: limits.len(),
        })
    }

    /// What the alert does at every limit, hold and keep.
    ///
    /// Most pairs of a hold and a keep are looked at over all limits at once. Where an alert keeps firing, that takes a look at
    /// every tick for each pair, and a few limits are looked through one by one instead.
    pub fn table(&self, waits: &Waits, watch: &Watch) -> Table {
        let (holds, keeps) = (&waits.holds, &waits.keeps);
        let nothing = Paging::judged(Outcome::default(), &[], watch);
        let mut table = Table {
            pagings: vec![nothing; (self.limits + 1) * holds.len() * keeps.len()],
            waits: (holds.len(), keeps.len()),
        };
        let is_few = self.limits <= FEW_LIMITS;
        let places = keeps.iter().copied().enumerate();
        let (walked, grown): (Vec<_>, Vec<_>) = places.partition(|&(_, keep)| is_few && keep > 0);
        for (hold, keep, pagings) in self.at_all_limits(holds, &grown, watch) {
            for (limit, paging) in pagings.into_iter().enumerate() {
                table.set(limit, hold, keep, paging);
            }
        }
        for (limit, hold, keep, paging) in self.limit_by_limit(holds, &walked, watch) {
            table.set(limit, hold, keep, paging);
        }
        table
    }

    /// By hold and keep, what the alert does at every limit.
    fn at_all_limits(
        &self,
        holds: &[usize],
        keeps: &[(usize, usize)],
        watch: &Watch,
    ) -> Vec<(usize, usize, Vec<Paging>)> {
        let shortest = holds.first().copied().unwrap_or(0);
        let spans = match keeps.iter().any(|(_, keep)| *keep == 0) {
            true => self.spans(shortest, holds.len() > 1),
            false => Vec::new(),
        };
        let places: Vec<(usize, usize)> = holds.iter().copied().enumerate().collect();
        // Each part slides its windows from the shortest hold on.
        let parts = if keeps.is_empty() {
            0
        } else {
            2 * rayon::current_num_threads()
        };
        let part = holds.len().div_ceil(parts.max(1)).max(1);
        let of_part = |part: &[(usize, usize)]| {
            let mut windows = Windows::new(&self.first, self.time.count());
            let (mut any, mut fires) = (Vec::new(), Vec::new());
            let mut found = Vec::with_capacity(part.len() * keeps.len());
            for &(place, hold) in part {
                windows.widen(hold.saturating_add(1));
                for &(keep_place, keep) in keeps {
                    any.clear();
                    any.resize(self.time.count(), NEVER);
                    let mut tally = Tally::new(self.time, self.limits, self.instances);
                    let firsts = self.first.chunks_exact(self.time.count().max(1));
                    for (instance, (first, waited)) in firsts.zip(windows.instances()).enumerate() {
                        if keep == 0 {
                            unite(&mut any, waited);
                            continue;
                        }
                        kept(first, waited, keep, &mut fires);
                        unite(&mut any, &fires);
                        spans::spans(&fires, self.limits as u32, |span| {
                            tally.add(instance, span, 0)
                        });
                    }
                    if keep == 0 {
                        let long = spans.partition_point(|(_, span)| span.ticks() > hold);
                        for &(instance, span) in spans.get(..long).unwrap_or_default() {
                            tally.add(instance as usize, span, hold);
                        }
                    }
                    found.push((place, keep_place, tally.paging(&any, watch)));
                }
            }
            found
        };
        places.par_chunks(part).flat_map_iter(of_part).collect()
    }

    /// The runs of all instances at any limit that are longer than a hold; the longest first, if asked for.
    fn spans(&self, hold: usize, is_sorted: bool) -> Vec<(u32, Span)> {
        let firsts = self.first.par_chunks_exact(self.time.count().max(1));
        let of_instance = |(instance, first): (usize, &[u32])| {
            let mut all = Vec::new();
            spans::spans(first, self.limits as u32, |span| {
                if span.ticks() > hold {
                    all.push((instance as u32, span));
                }
            });
            all
        };
        let mut all: Vec<(u32, Span)> = firsts.enumerate().flat_map_iter(of_instance).collect();
        if is_sorted {
            all.par_sort_unstable_by_key(|(_, span)| Reverse(span.ticks()));
        }
        all
    }

    /// By limit, hold and keep, what the alert does.
    fn limit_by_limit(
        &self,
        holds: &[usize],
        keeps: &[(usize, usize)],
        watch: &Watch,
    ) -> Vec<(usize, usize, usize, Paging)> {
        if keeps.is_empty() {
            return Vec::new();
        }
        let of_limit = |limit: usize| {
            let runs = Runs::of(self, limit as u32);
            let runs = std::sync::Arc::new(runs);
            keeps.par_iter().flat_map_iter(move |&(keep_place, keep)| {
                let mut coverage = Coverage::new(self.time.count());
                let runs = runs.clone();
                holds.iter().enumerate().map(move |(hold_place, &hold)| {
                    let paging = fired(&runs, &self.time, (hold, keep), &mut coverage, watch);
                    (limit, hold_place, keep_place, paging)
                })
            })
        };
        (0..self.limits)
            .into_par_iter()
            .flat_map(of_limit)
            .collect()
    }
}

/// The first limit that lets each value through, series after series.
fn firsts(
    columns: &Columns,
    count: usize,
    limits: &[f64],
    passes: impl Fn(f64, f64) -> bool + Sync,
) -> Vec<u32> {
    let first_of = |value: f64| match limits.partition_point(|&limit| !passes(value, limit)) {
        first if first < limits.len() => first as u32,
        _ => NEVER,
    };
    let mut all = vec![NEVER; count * columns.series.len()];
    let of_series = all.par_chunks_exact_mut(count.max(1)).zip(&columns.series);
    of_series.for_each(|(firsts, series)| {
        let values = series.column.values();
        for tick in series.column.present_ticks() {
            if let (Some(first), Some(&value)) = (firsts.get_mut(tick), values.get(tick)) {
                *first = first_of(value);
            }
        }
    });
    all
}

/// Notes what another instance fires from on.
fn unite(any: &mut [u32], fires: &[u32]) {
    for (any, &fires) in any.iter_mut().zip(fires) {
        *any = (*any).min(fires);
    }
}
