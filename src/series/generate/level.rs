//! A level that comes and goes with a season and takes turns with events.

use std::f64::consts::TAU;

use super::Grid;
use crate::model::Millis;

/// A day in milliseconds.
pub const DAY: Millis = 86_400_000;

/// A level that comes and goes like a sine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Season {
    /// From one peak to the next; above 0.
    pub period: Millis,
    /// By which share of itself the level is higher at the peak, 0 to 1, and lower half a period later.
    pub amplitude: f64,
    /// When it is at its peak, after the first sample.
    pub peak: Millis,
}

/// When something happens, after the first sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The beginning.
    pub at: Millis,
    /// The end, which is no part of it; [`Millis::MAX`] for none.
    pub until: Millis,
    /// How long it is on, off, on again, and so on.
    pub flap: Option<Millis>,
}

/// What an event makes of a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Turn {
    /// It is this, whatever the season.
    To(f64),
    /// It is this, with the season.
    Own(f64),
    /// It is so many times what it would be without events.
    Times(f64),
    /// It goes from where it was before the window to this at its end, little by little.
    Ramp(f64),
    /// It grows by this a day above what it would be without events.
    Leak(f64),
}

impl Season {
    /// What the level is multiplied with at a time.
    fn factor(&self, time: Millis) -> f64 {
        let quarters = self.period.max(1).saturating_mul(4);
        // A sine is at its peak after a quarter.
        let past = time
            .saturating_sub(self.peak)
            .saturating_mul(4)
            .saturating_add(self.period);
        let turn = past.rem_euclid(quarters) as f64 / quarters as f64;
        1.0 + self.amplitude * libm::sin(TAU * turn)
    }
}

impl Window {
    /// Whether a time lies between its beginning and its end.
    fn spans(&self, time: Millis) -> bool {
        self.at <= time && time < self.until
    }

    /// Whether it is on at a time.
    pub fn covers(&self, time: Millis) -> bool {
        let is_on = |flap: Millis| ((time - self.at) / flap.max(1)) % 2 == 0;
        self.spans(time) && self.flap.is_none_or(is_on)
    }
}

/// The values of something at the samples.
#[derive(Debug)]
pub(super) enum Line {
    /// The same all the time.
    Still(f64),
    /// One a sample.
    Moving(Vec<f64>),
}

impl Line {
    /// The value at a sample.
    pub(super) fn at(&self, index: usize) -> f64 {
        match self {
            Line::Still(value) => *value,
            Line::Moving(values) => values.get(index).copied().unwrap_or_default(),
        }
    }
}

/// A level and what happens to it.
pub(super) struct Track {
    own: f64,
    season: Option<Season>,
    /// As they were written.
    turns: Vec<Placed>,
}

struct Placed {
    window: Window,
    turn: Turn,
    /// Where a ramp begins.
    from: f64,
}

impl Track {
    pub(super) fn new(
        own: f64,
        season: Option<Season>,
        turns: impl Iterator<Item = (Window, Turn)>,
    ) -> Track {
        let placed = turns.map(|(window, turn)| Placed {
            window,
            turn,
            from: own,
        });
        let mut track = Track {
            own,
            season,
            turns: placed.collect(),
        };
        let is_ramp = |turn: &Placed| matches!(turn.turn, Turn::Ramp(_));
        let mut ramps: Vec<usize> = (0..track.turns.len()).collect();
        ramps.retain(|&index| track.turns.get(index).is_some_and(is_ramp));
        // A ramp may begin where an earlier one is.
        ramps.sort_by_key(|&index| track.turns.get(index).map(|turn| turn.window.at));
        for index in ramps {
            let before = track
                .turns
                .get(index)
                .map(|turn| track.just_before(turn.window.at));
            if let (Some(turn), Some(before)) = (track.turns.get_mut(index), before) {
                turn.from = before;
            }
        }
        track
    }

    /// The level at every sample.
    pub(super) fn line(&self, grid: &Grid) -> Line {
        if self.turns.is_empty() && self.season.is_none() {
            return Line::Still(self.own);
        }
        let windows = self.turns.iter().map(|turn| turn.window);
        let mut edges: Vec<Millis> = windows
            .flat_map(|window| [window.at, window.until])
            .collect();
        edges.sort_unstable();
        let mut edges = edges.into_iter().peekable();
        let mut covering: Vec<&Placed> = Vec::new();
        let level = |index: usize| {
            let time = grid.after(index);
            let mut passed = false;
            while edges.next_if(|&edge| edge <= time).is_some() {
                passed = true;
            }
            if passed {
                covering.clear();
                let spans = |turn: &&Placed| turn.window.spans(time);
                for turn in self.turns.iter().rev().filter(spans) {
                    covering.push(turn);
                    // What stands behind it does not count before one of the two ends.
                    if turn.window.flap.is_none() {
                        break;
                    }
                }
            }
            let counts = covering.iter().find(|turn| turn.window.covers(time));
            counts.map_or_else(
                || self.without_events(self.own, time),
                |turn| self.of_turn(turn, time),
            )
        };
        Line::Moving((0..grid.len()).map(level).collect())
    }

    /// Where the level goes to up to a time.
    fn just_before(&self, time: Millis) -> f64 {
        let counts = self
            .turns
            .iter()
            .rev()
            .find(|turn| turn.window.covers(time.saturating_sub(1)));
        counts.map_or_else(
            || self.without_events(self.own, time),
            |turn| self.of_turn(turn, time),
        )
    }

    fn without_events(&self, own: f64, time: Millis) -> f64 {
        self.season.map_or(own, |season| own * season.factor(time))
    }

    fn of_turn(&self, placed: &Placed, time: Millis) -> f64 {
        let Window { at, until, .. } = placed.window;
        let past = time.saturating_sub(at) as f64;
        match placed.turn {
            Turn::To(value) => value,
            Turn::Own(own) => self.without_events(own, time),
            Turn::Times(factor) => factor * self.without_events(self.own, time),
            Turn::Ramp(to) => match until.saturating_sub(at).max(1) as f64 {
                length if past >= length => to,
                // Whole numbers come out as whole numbers where they can.
                length => (placed.from * (length - past) + to * past) / length,
            },
            Turn::Leak(daily) => self.without_events(self.own, time) + daily * past / DAY as f64,
        }
    }
}
