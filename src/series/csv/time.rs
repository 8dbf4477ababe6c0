//! The column of times.

use crate::model::Timestamp;
use crate::series::time::{FARTHEST_FUTURE, MAX_TIME, date, unix_seconds};

/// How the times of a table are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Date,
    Seconds,
    Millis,
}

/// Reads times, all written in one way.
#[derive(Debug, Clone, Copy)]
pub(super) enum Clock {
    /// The first time will show.
    Unknown,
    /// As the first time was.
    Known(Unit),
    /// As the head of the column says.
    Millis,
}

const WRITE: &str = "write seconds or milliseconds since 1970, or dates as 2026-03-02T09:00:00Z or 2026-03-02 09:00:00";

impl Clock {
    /// A time, or what is wrong with it and what to do.
    pub(super) fn read(&mut self, text: &str) -> Result<Timestamp, (String, &'static str)> {
        let (unit, time) = match self {
            Clock::Millis => (Unit::Millis, millis(text)),
            _ => guess(text).map_or((Unit::Seconds, None), |(unit, time)| (unit, Some(time))),
        };
        let Some(time) = time.filter(|time| (-MAX_TIME..=MAX_TIME).contains(time)) else {
            return Err(match unix_seconds(text) {
                Some(_) => (
                    format!("{text} is too large for a time"),
                    "write seconds or milliseconds since 1970",
                ),
                None => (format!("{text:?} is no time"), WRITE),
            });
        };
        match self {
            Clock::Known(first) if *first != unit => Err((
                format!(
                    "{text} is {}, the first time of this table is {}",
                    unit.name(),
                    first.name()
                ),
                "write all times of a table the same way; a column of milliseconds may be named time_ms",
            )),
            Clock::Unknown => {
                *self = Clock::Known(unit);
                Ok(time)
            }
            _ => Ok(time),
        }
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Date => "a date",
            Unit::Seconds => "a number of seconds",
            Unit::Millis => "a number of milliseconds",
        }
    }
}

/// A time and how it is written: seconds of the far future are milliseconds.
fn guess(text: &str) -> Option<(Unit, Timestamp)> {
    if let Some(time) = date(text) {
        return Some((Unit::Date, time));
    }
    let time = unix_seconds(text)?;
    let is_near = |time: Timestamp| time.unsigned_abs() < FARTHEST_FUTURE.unsigned_abs();
    match (is_near(time), is_near(time / 1000)) {
        (true, _) => Some((Unit::Seconds, time)),
        (false, true) => Some((Unit::Millis, time / 1000)),
        (false, false) => None,
    }
}

fn millis(text: &str) -> Option<Timestamp> {
    match text.parse() {
        Ok(time) => Some(time),
        Err(_) => unix_seconds(text).map(|time| time / 1000),
    }
}
