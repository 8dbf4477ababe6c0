//! What an alert does at every limit and every wait, of the values that are compared.
//!
//! Settings are not looked at one by one. Of `N` values, the ticks of all instances:
//!
//! * each is ranked by the first limit that lets it through ([`ranks`]): about one comparison, however many limits there are;
//! * what firings add up to ([`tally`]) takes one step for each run of ticks at any limit, of which there are at most `N`, and
//!   one for each setting: a run is noted at the corners of the settings at which it fires, and a walk from the longest wait to
//!   the shortest adds what newly fires;
//! * pages, which instances make together, are counted wait by wait. The worst rank of the last ticks widens by what the next
//!   wait is longer ([`windows`]: once over `N` for a tick, and at most the logarithm times for more), is united over
//!   instances, and what begins is counted over the ticks of one ([`calls`]). Those are the same steps for small numbers in a
//!   row, 16 of them at once where a byte holds a rank.
//!
//! Where an alert keeps firing, runs join, and the runs of one wait are not those of another. Then all limits are looked at
//! together for each wait and keep, with some steps for each of `N`; or, where there are few limits for each wait, all waits
//! for each limit and keep ([`runs`](super::runs)).

use rayon::prelude::*;

use super::calls::Incidents;
use super::clock::{Clock, Holds};
use super::ranks::{Rank, ranks};
use super::runs::stretches;
use super::spans::{Span, spans};
use super::tally::Tally;
use super::windows::{Windows, kept, lately, unite};
use crate::promql::Columns;
use crate::promql::ast::BinaryOp;
use crate::whatif::Outcome;
use crate::whatif::paging::{Paging, Watch};

/// What is compared, and with what.
pub(super) struct Compared<'c> {
    pub columns: &'c Columns,
    pub time: Clock,
    pub op: BinaryOp,
    /// In the order in which they let more through.
    pub limits: &'c [f64],
}

/// How long an alert waits before it fires, and before it stops: all that are looked at, in ticks, in ascending order.
pub(super) struct Waits {
    pub holds: Vec<usize>,
    pub keeps: Vec<usize>,
}

/// What an alert does at each limit, hold and keep.
pub(super) struct Table {
    /// By keep, hold and limit, one more for nothing that is let through.
    pagings: Vec<Paging>,
    limits: usize,
    holds: usize,
}

/// What an alert does after each hold, at each limit.
type Settings = Vec<Vec<Paging>>;

impl Table {
    /// What the alert does; `None` where there are too many values to count.
    pub fn of(compared: &Compared<'_>, waits: &Waits, watch: &Watch) -> Option<Table> {
        // One number is left for the rank of no limit.
        Some(match compared.limits.len() {
            0..=0xff => Cells::<u8>::new(compared)?.table(waits, watch),
            0x100..=0xffff => Cells::<u16>::new(compared)?.table(waits, watch),
            _ => Cells::<u32>::new(compared)?.table(waits, watch),
        })
    }

    /// The place of what it does at one, by their places; the limit past the last lets nothing through.
    pub fn place(&self, limit: usize, hold: usize, keep: usize) -> usize {
        (keep * self.holds + hold) * (self.limits + 1) + limit
    }

    /// All that it does.
    pub fn into_pagings(self) -> Vec<Paging> {
        self.pagings
    }
}

/// Every tick of every instance, with the first limit that lets its value through; instance after instance.
struct Cells<R> {
    time: Clock,
    ranks: Vec<R>,
    /// How many limits there are.
    limits: usize,
}

/// At so many limits for each hold, holds are looked through one by one where an alert keeps firing.
const MANY_LIMITS: usize = 3;

impl<R: Rank> Cells<R> {
    fn new(compared: &Compared<'_>) -> Option<Cells<R>> {
        let Compared {
            columns,
            time,
            op,
            limits,
        } = *compared;
        u32::try_from(time.count().checked_mul(columns.series.len())?).ok()?;
        u32::try_from(limits.len())
            .ok()
            .filter(|count| *count < u32::MAX)?;
        Some(Cells {
            time,
            ranks: ranks(columns, time.count(), limits, op)?,
            limits: limits.len(),
        })
    }

    /// The ranks of each instance.
    fn instances(&self) -> std::slice::ChunksExact<'_, R> {
        self.ranks.chunks_exact(self.time.count().max(1))
    }

    fn table(&self, waits: &Waits, watch: &Watch) -> Table {
        let holds = Holds::new(&waits.holds);
        let incidents = Incidents::new(self.time, watch);
        let of_keep = |&keep: &usize| match keep {
            0 => self.at_once(&holds, &incidents),
            _ if self.limits > MANY_LIMITS * holds.len() => {
                self.hold_by_hold(&holds, keep, &incidents)
            }
            _ => self.limit_by_limit(&holds, keep, &incidents),
        };
        let nothing = Paging::judged(Outcome::default(), &[], watch);
        let of_waits = waits.keeps.iter().flat_map(of_keep);
        Table {
            pagings: of_waits
                .flat_map(|of_limits| of_limits.into_iter().chain([nothing.clone()]))
                .collect(),
            limits: self.limits,
            holds: holds.len(),
        }
    }

    /// Where an alert stops at once: the firings of all settings together, and the pages of each hold.
    fn at_once(&self, holds: &Holds<'_>, incidents: &Incidents<'_>) -> Settings {
        let mut settings = self.sliding(holds, |windows, _, any| {
            for waited in windows.instances() {
                unite(any, waited);
            }
            incidents.calls(any, self.limits)
        });
        let instances: Vec<&[R]> = self.instances().collect();
        let part = instances.len().div_ceil(rayon::current_num_threads());
        let of_part = |instances: &[&[R]]| {
            let mut tally = Tally::new(self.time, holds, self.limits);
            for ranks in instances {
                let add =
                    |span: Span| tally.add(&span.after(0..holds.shorter(span.end - span.start)));
                spans(ranks, self.limits, add);
                tally.next_instance();
            }
            tally
        };
        let tallies = instances.par_chunks(part.max(1)).map(of_part);
        if let Some(tally) = tallies.reduce_with(Tally::merged) {
            tally.outcomes(&mut settings);
        }
        settings
    }

    /// What a function makes of the windows of each hold, and of room for what all instances do together.
    fn sliding(
        &self,
        holds: &Holds<'_>,
        of_hold: impl Fn(&Windows<R>, usize, &mut Vec<R>) -> Vec<Paging> + Sync,
    ) -> Settings {
        // Each part slides its windows from the shortest hold on.
        let parts = 2 * rayon::current_num_threads();
        let parts = holds.ticks().par_chunks(holds.len().div_ceil(parts).max(1));
        let of_part = |part: &[usize]| {
            let mut windows = Windows::new(&self.ranks, self.time.count());
            let mut any = Vec::new();
            let mut of_part = Vec::with_capacity(part.len());
            for &hold in part {
                windows.widen(hold.saturating_add(1));
                any.clear();
                any.resize(self.time.count(), R::NEVER);
                of_part.push(of_hold(&windows, hold, &mut any));
            }
            of_part
        };
        parts.flat_map_iter(of_part).collect()
    }

    /// Where an alert keeps firing: for each hold, all limits together.
    fn hold_by_hold(&self, holds: &Holds<'_>, keep: usize, incidents: &Incidents<'_>) -> Settings {
        let lately: Vec<Vec<R>> = self.instances().map(|ranks| lately(ranks, keep)).collect();
        self.sliding(holds, |windows, hold, any| {
            let only = [hold];
            let only = Holds::new(&only);
            let mut tally = Tally::new(self.time, &only, self.limits);
            let mut fires = Vec::new();
            for (lately, waited) in lately.iter().zip(windows.instances()) {
                kept(lately, waited, &mut fires);
                unite(any, &fires);
                spans(&fires, self.limits, |mut span| {
                    span.start -= hold;
                    tally.add(&span.after(0..1));
                });
                tally.next_instance();
            }
            let mut settings = [incidents.calls(any, self.limits)];
            tally.outcomes(&mut settings);
            let [of_limits] = settings;
            of_limits
        })
    }

    /// Where an alert keeps firing: for each limit, all holds together.
    fn limit_by_limit(
        &self,
        holds: &Holds<'_>,
        keep: usize,
        incidents: &Incidents<'_>,
    ) -> Settings {
        let of_limit = |limit: usize| {
            let mut tally = Tally::new(self.time, holds, 1);
            let mut longest = vec![0; self.time.count()];
            for ranks in self.instances() {
                stretches(ranks, R::of(limit), keep, holds, &mut tally, &mut longest);
            }
            // The longest hold is the first.
            for longest in &mut longest {
                *longest = (holds.len() - holds.shorter(*longest as usize)) as u32;
            }
            let calls = incidents.calls(&longest, holds.len());
            let mut settings: Settings =
                calls.into_iter().rev().map(|paging| vec![paging]).collect();
            tally.outcomes(&mut settings);
            settings
        };
        let of_limits: Vec<Settings> = (0..self.limits).into_par_iter().map(of_limit).collect();
        let mut settings = vec![Vec::with_capacity(self.limits); holds.len()];
        for of_limit in of_limits {
            for (of_hold, paging) in settings.iter_mut().zip(of_limit) {
                of_hold.extend(paging);
            }
        }
        settings
    }
}
