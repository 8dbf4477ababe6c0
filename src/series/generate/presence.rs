//! Which samples are there at all.

use std::sync::Arc;

use super::{Change, Event, Grid};
use crate::model::Histogram;
use crate::store::{Points, stale_marker};

/// Which samples are there.
#[derive(Debug)]
pub(super) enum Presence {
    /// All of them.
    Whole,
    /// One each.
    Marks(Vec<Mark>),
}

/// What is there of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Its value.
    Value,
    /// Nothing.
    Nothing,
    /// The stale marker instead.
    Stale,
}

impl Presence {
    pub(super) fn new<'e>(events: impl Iterator<Item = &'e Event>, grid: &Grid) -> Presence {
        let mut marks = Vec::new();
        for event in events {
            let first = match event.change {
                Change::Gap => Mark::Nothing,
                Change::Stale => Mark::Stale,
                _ => continue,
            };
            marks.resize(grid.len(), Mark::Value);
            let mut is_on = false;
            let from = grid.first_from(event.window.at).min(marks.len());
            for (index, mark) in marks.iter_mut().enumerate().skip(from) {
                let time = grid.after(index);
                if time >= event.window.until {
                    break;
                }
                let was_on = std::mem::replace(&mut is_on, event.window.covers(time));
                match (was_on, is_on) {
                    (_, false) => {}
                    (false, true) => *mark = first,
                    (true, true) => *mark = Mark::Nothing,
                }
            }
        }
        match marks.is_empty() {
            true => Presence::Whole,
            false => Presence::Marks(marks),
        }
    }

    /// Values with their times, but for those that are not there.
    pub(super) fn points(&self, grid: &Grid, values: Vec<f64>) -> Points {
        let Presence::Marks(marks) = self else {
            return Points::regular(grid.start, grid.interval, values);
        };
        let there = || {
            marks
                .iter()
                .zip(&values)
                .enumerate()
                .filter(|(_, (mark, _))| **mark != Mark::Nothing)
        };
        let times = there().map(|(index, _)| grid.start.saturating_add(grid.after(index)));
        let kept = there().map(|(_, (mark, value))| match mark {
            Mark::Stale => stale_marker(),
            _ => *value,
        });
        Points::listed(times.collect(), kept.collect())
    }

    /// Adds what is there of a histogram sample.
    pub(super) fn push(
        &self,
        points: &mut Points,
        grid: &Grid,
        index: usize,
        histogram: impl FnOnce() -> Arc<Histogram>,
    ) {
        let time = grid.start.saturating_add(grid.after(index));
        let mark = match self {
            Presence::Whole => Mark::Value,
            Presence::Marks(marks) => marks.get(index).copied().unwrap_or(Mark::Value),
        };
        match mark {
            Mark::Value => points.push_histogram(time, histogram()),
            Mark::Stale => points.push(time, stale_marker()),
            Mark::Nothing => {}
        }
    }
}
