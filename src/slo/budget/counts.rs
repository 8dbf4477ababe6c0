//! Good and bad events over time, as sums up to each tick.

use hashbrown::HashMap;

use crate::model::{Labels, Millis, Timestamp};

/// Bad and all events up to each tick of a grid; what lies between two moments is one subtraction.
///
/// Counts are sums of whole numbers as a rule, and exact up to 2^53.
#[derive(Debug, Clone)]
pub struct Counts {
    /// Where it is counted.
    pub grid: Grid,
    /// When the history begins.
    pub from: Timestamp,
    /// The last moment of the history.
    pub to: Timestamp,
    /// Bad events up to each tick, the first of which is 0.
    bad: Vec<f64>,
    /// All events up to each tick.
    total: Vec<f64>,
    /// Bad and all events of each step between the beginning of the history and the first tick.
    lead: (f64, f64),
}

/// Moments at equal distances; an event belongs to the first at or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// The moment before the first event.
    pub start: Timestamp,
    /// Between two moments, above 0.
    pub step: Millis,
    /// How many steps.
    pub count: usize,
}

impl Grid {
    /// The last tick at or before a moment; the first before it begins, the last after it ends.
    pub fn at(&self, time: Timestamp) -> usize {
        let ticks = time.saturating_sub(self.start).div_euclid(self.step);
        usize::try_from(ticks).unwrap_or(0).min(self.count)
    }

    /// The tick that an event belongs to.
    fn of(&self, time: Timestamp) -> usize {
        let after = time.saturating_sub(self.start).saturating_sub(1);
        let ticks = after.div_euclid(self.step).saturating_add(1);
        usize::try_from(ticks).unwrap_or(0).min(self.count)
    }

    /// The moment of a tick.
    pub fn time(&self, tick: usize) -> Timestamp {
        self.start
            .saturating_add((tick as i64).saturating_mul(self.step))
    }
}

impl Counts {
    /// How many are bad, and how many there are in all, after one moment up to another.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> (f64, f64) {
        let (first, last) = (self.grid.at(from), self.tick(to));
        let (first_before, last_before) = (self.before(from), self.before(to));
        let of = |sums: &[f64], lead: f64| match (sums.get(first), sums.get(last)) {
            (Some(first), Some(last)) => last - first + lead * (first_before - last_before),
            _ => 0.0,
        };
        (of(&self.bad, self.lead.0), of(&self.total, self.lead.1))
    }

    /// The last tick at or before a moment; at the end of the history the last one of all, which may lie behind it.
    fn tick(&self, time: Timestamp) -> usize {
        match time >= self.to {
            true => self.grid.count,
            false => self.grid.at(time),
        }
    }

    /// How many steps of the history lie between a moment and the first tick.
    fn before(&self, time: Timestamp) -> f64 {
        if time >= self.grid.start {
            return 0.0;
        }
        let before = |time| self.grid.start.saturating_sub(time).max(0);
        // As on the grid, the tick at or before it counts. The first sample counts nothing.
        let steps = before(time).saturating_add(self.grid.step - 1) / self.grid.step;
        steps.min(before(self.from) / self.grid.step) as f64
    }

    /// The same, and as much in each step between the beginning of the history and the first tick.
    pub(super) fn with_lead(mut self, bad: f64, total: f64) -> Counts {
        self.lead = (bad, total);
        self
    }

    /// Bad and all events of each tick, summed up here. Lists have an entry more than there are steps.
    pub fn of_events(
        grid: Grid,
        (from, to): (Timestamp, Timestamp),
        mut bad: Vec<f64>,
        mut total: Vec<f64>,
    ) -> Counts {
        for sums in [&mut bad, &mut total] {
            sums.resize(grid.count + 1, 0.0);
            let mut sum = 0.0;
            for value in sums.iter_mut() {
                sum += *value;
                *value = sum;
            }
        }
        Counts {
            grid,
            from,
            to,
            bad,
            total,
            lead: (0.0, 0.0),
        }
    }
}

/// Events of each tick, by the labels that groups are made of.
pub(super) struct Bins {
    grid: Grid,
    grouping: Vec<String>,
    groups: HashMap<Labels, Amounts>,
}

/// The events of one group.
#[derive(Debug, Clone, Default)]
pub(super) struct Amounts {
    /// Those of each tick.
    pub of_ticks: Vec<f64>,
    /// Those of each step before the first tick.
    pub before: f64,
}

impl Bins {
    pub(super) fn new(grid: Grid, grouping: &[String]) -> Bins {
        Bins {
            grid,
            grouping: grouping.to_vec(),
            groups: HashMap::new(),
        }
    }

    /// Where the events of a series are counted.
    pub(super) fn of(&mut self, labels: &Labels) -> Bin<'_> {
        let key = match self.grouping.is_empty() {
            true => Labels::empty(),
            false => labels.filtered(|name| self.grouping.iter().any(|it| it == name)),
        };
        let count = self.grid.count + 1;
        let amounts = self.groups.entry(key);
        Bin {
            grid: self.grid,
            amounts: amounts.or_insert_with(|| Amounts {
                of_ticks: vec![0.0; count],
                before: 0.0,
            }),
        }
    }

    /// The groups in the order of their labels.
    pub(super) fn into_groups(self) -> Vec<(Labels, Amounts)> {
        let mut groups: Vec<(Labels, Amounts)> = self.groups.into_iter().collect();
        groups.sort_by(|(a, _), (b, _)| a.cmp(b));
        groups
    }
}

impl Amounts {
    /// All but some of them.
    pub(super) fn without(&self, some: &Amounts) -> Amounts {
        let of_ticks = self.of_ticks.iter().enumerate();
        let rest = of_ticks.map(|(tick, all)| all - some.of_ticks.get(tick).unwrap_or(&0.0));
        Amounts {
            of_ticks: rest.collect(),
            before: self.before - some.before,
        }
    }
}

/// Where the events of one group are counted.
pub(super) struct Bin<'b> {
    grid: Grid,
    amounts: &'b mut Amounts,
}

impl Bin<'_> {
    /// Counts so many at a moment; what is no number does not count.
    pub(super) fn add(&mut self, time: Timestamp, amount: f64) {
        let sum = self.amounts.of_ticks.get_mut(self.grid.of(time));
        if let Some(sum) = sum
            && amount.is_finite()
        {
            *sum += amount;
        }
    }

    /// Counts so many at each sample before the first tick, where samples lie so far apart.
    pub(super) fn add_before(&mut self, amount: f64, interval: Millis) {
        if amount.is_finite() {
            self.amounts.before += amount * self.grid.step as f64 / interval.max(1) as f64;
        }
    }
}
