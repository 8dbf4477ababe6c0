//! What events make of a generator: everything but chance, a value a sample.

use super::level::{Line, Track};
use super::presence::Presence;
use super::{Change, Event, Generator, Grid, Kind, LogNormal, Turn, Window};

/// What is in force at each sample.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) level: Line,
    error_ratio: Line,
    mu: Line,
    sigma: Line,
    /// The samples at which counters begin again, rising.
    resets: Vec<usize>,
    pub(super) presence: Presence,
}

impl Profile {
    /// The profile of those sets of labels to which some of the events happen.
    pub(super) fn new(generator: &Generator, events: &[usize], grid: &Grid) -> Profile {
        let events: Vec<&Event> = events
            .iter()
            .filter_map(|&index| generator.events.get(index))
            .collect();
        let line = |own: f64, season, turn: fn(&Change) -> Option<Turn>| {
            let turns = events
                .iter()
                .filter_map(|event| Some((event.window, turn(&event.change)?)));
            Track::new(
                own,
                season,
                turns.collect::<Vec<(Window, Turn)>>().into_iter(),
            )
            .line(grid)
        };
        let (ratio, latency) = match generator.kind {
            Kind::Requests { error_ratio, .. } => (error_ratio, None),
            Kind::Classic { latency, .. } | Kind::Native { latency, .. } => (0.0, Some(latency)),
            Kind::Gauge | Kind::Counter { .. } => (0.0, None),
        };
        let latency = latency.unwrap_or(LogNormal {
            mu: 0.0,
            sigma: 1.0,
        });
        let resets = events.iter().filter(|event| event.change == Change::Reset);
        let mut resets: Vec<usize> = resets
            .map(|event| grid.first_from(event.window.at))
            .collect();
        resets.sort_unstable();
        Profile {
            level: line(generator.level, generator.season, |change| match change {
                Change::Level(turn) => Some(*turn),
                _ => None,
            }),
            error_ratio: line(ratio, None, |change| match change {
                Change::ErrorRatio(turn) => Some(*turn),
                _ => None,
            }),
            mu: line(latency.mu, None, |change| of_latency(change, |to| to.mu)),
            sigma: line(latency.sigma, None, |change| {
                of_latency(change, |to| to.sigma)
            }),
            resets,
            presence: Presence::new(events.into_iter(), grid),
        }
    }

    /// Which share are errors.
    pub(super) fn error_ratio(&self, index: usize) -> f64 {
        self.error_ratio.at(index)
    }

    /// What is observed.
    pub(super) fn latency(&self, index: usize) -> LogNormal {
        LogNormal {
            mu: self.mu.at(index),
            sigma: self.sigma.at(index),
        }
    }

    /// Whether a counter begins again at a sample.
    pub(super) fn resets_at(&self, index: usize) -> bool {
        !self.resets.is_empty() && self.resets.binary_search(&index).is_ok()
    }

    /// Whether two samples have everything in common that increments are made of.
    pub(super) fn is_same(&self, one: usize, other: usize) -> bool {
        let lines = [&self.level, &self.error_ratio, &self.mu, &self.sigma];
        lines
            .iter()
            .all(|line| line.at(one).to_bits() == line.at(other).to_bits())
    }
}

fn of_latency(change: &Change, part: fn(&LogNormal) -> f64) -> Option<Turn> {
    match change {
        Change::Latency { to, ramp: true } => Some(Turn::Ramp(part(to))),
        Change::Latency { to, ramp: false } => Some(Turn::To(part(to))),
        _ => None,
    }
}
