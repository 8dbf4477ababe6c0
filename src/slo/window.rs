//! The time over which an objective holds: rolling, or by the calendar of a time zone.

use std::fmt;

use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::model::{Duration, Millis, Timestamp};

/// The time over which an objective holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The last so many milliseconds, above 0.
    Rolling(Millis),
    /// Stretches of the calendar, one after the other.
    Calendar(Calendar),
}

/// Stretches of the calendar, one after the other from a first one on, and before it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// The unit that each is so many of.
    pub unit: CalendarUnit,
    /// How many units, at least 1.
    pub count: u32,
    /// When one of them begins, by the clocks of the zone.
    pub start: NaiveDateTime,
    /// Whose clocks.
    pub zone: Tz,
}

/// A unit of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarUnit {
    /// 60 seconds, whatever clocks do.
    Minute,
    /// 60 minutes, whatever clocks do.
    Hour,
    /// From one time of the day to the same of the next: 23 or 25 hours where clocks change.
    Day,
    /// Seven days.
    Week,
    /// From one day of the month to the same of the next, or the last day of a shorter one.
    Month,
    /// Three months.
    Quarter,
    /// Twelve months.
    Year,
}

impl CalendarUnit {
    /// `month`.
    pub fn name(self) -> &'static str {
        match self {
            CalendarUnit::Minute => "minute",
            CalendarUnit::Hour => "hour",
            CalendarUnit::Day => "day",
            CalendarUnit::Week => "week",
            CalendarUnit::Month => "month",
            CalendarUnit::Quarter => "quarter",
            CalendarUnit::Year => "year",
        }
    }

    /// How long it lasts about, to guess how many lie between two moments.
    fn about(self) -> Millis {
        const DAY: Millis = 86_400_000;
        match self {
            CalendarUnit::Minute => 60_000,
            CalendarUnit::Hour => 3_600_000,
            CalendarUnit::Day => DAY,
            CalendarUnit::Week => 7 * DAY,
            CalendarUnit::Month => 2_629_746_000,
            CalendarUnit::Quarter => 3 * 2_629_746_000,
            CalendarUnit::Year => 12 * 2_629_746_000,
        }
    }
}

impl Window {
    /// The stretch that a moment lies in: when it began, and when it ends. A rolling one ends at the moment.
    pub fn around(&self, time: Timestamp) -> (Timestamp, Timestamp) {
        match self {
            Window::Rolling(length) => (time.saturating_sub(*length), time),
            Window::Calendar(calendar) => calendar.around(time),
        }
    }

    /// About how long it is: a rolling one exactly, a month a twelfth of a year.
    pub fn length(&self) -> Millis {
        match self {
            Window::Rolling(length) => *length,
            Window::Calendar(calendar) => {
                i64::from(calendar.count).saturating_mul(calendar.unit.about())
            }
        }
    }
}

impl Calendar {
    /// Whole units of the calendar from midnight on: days, weeks from Monday, months and quarters and years from the
    /// first of January.
    pub fn natural(unit: CalendarUnit, zone: Tz) -> Calendar {
        // 2001 began on a Monday.
        let first = NaiveDate::from_ymd_opt(2001, 1, 1).unwrap_or_default();
        Calendar {
            unit,
            count: 1,
            start: first.and_time(NaiveTime::MIN),
            zone,
        }
    }

    /// The stretch that a moment lies in: from its beginning to the next one's.
    pub fn around(&self, time: Timestamp) -> (Timestamp, Timestamp) {
        let length = self
            .unit
            .about()
            .saturating_mul(i64::from(self.count))
            .max(1);
        let since = time.saturating_sub(self.begin(0));
        let mut number = since.div_euclid(length);
        while self.begin(number) > time {
            number -= 1;
        }
        while self.begin(number + 1) <= time {
            number += 1;
        }
        (self.begin(number), self.begin(number + 1))
    }

    /// When a stretch begins; the one that begins at `start` is 0. Beyond the calendar's end the years are of average
    /// length.
    fn begin(&self, number: i64) -> Timestamp {
        let units = number.saturating_mul(i64::from(self.count));
        let months = match self.unit {
            CalendarUnit::Month => Some(1),
            CalendarUnit::Quarter => Some(3),
            CalendarUnit::Year => Some(12),
            _ => None,
        };
        let local = match (months, self.unit) {
            (Some(months), _) => in_months(self.start, units.saturating_mul(months)),
            (None, CalendarUnit::Day) => in_days(self.start, units),
            (None, CalendarUnit::Week) => in_days(self.start, units.saturating_mul(7)),
            _ => Some(self.start),
        };
        let first = instant(self.start, self.zone);
        match (local, self.unit) {
            (_, CalendarUnit::Minute | CalendarUnit::Hour) | (None, _) => {
                first.saturating_add(units.saturating_mul(self.unit.about()))
            }
            (Some(local), _) => instant(local, self.zone),
        }
    }
}

fn in_months(start: NaiveDateTime, months: i64) -> Option<NaiveDateTime> {
    let distance = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    match months < 0 {
        true => start.checked_sub_months(distance),
        false => start.checked_add_months(distance),
    }
}

fn in_days(start: NaiveDateTime, days: i64) -> Option<NaiveDateTime> {
    let distance = Days::new(days.unsigned_abs());
    match days < 0 {
        true => start.checked_sub_days(distance),
        false => start.checked_add_days(distance),
    }
}

/// The moment at which the clocks of a zone show a time: the first one where they show it twice, and where they skip it
/// the moment of the skip.
fn instant(local: NaiveDateTime, zone: Tz) -> Timestamp {
    if let Some(moment) = zone.from_local_datetime(&local).earliest() {
        return moment.timestamp_millis();
    }
    // Before a gap clocks show a time that is there; gaps lie at whole minutes.
    let before = (1..=24 * 60).find_map(|minutes| {
        let shown = local.checked_sub_signed(TimeDelta::minutes(minutes))?;
        let moment = zone.from_local_datetime(&shown).latest()?;
        Some(moment.timestamp_millis() + 60_000)
    });
    before.unwrap_or_else(|| local.and_utc().timestamp_millis())
}

/// A moment as the clocks of a zone show it: `2026-03-29 00:00 CET`.
pub fn local(time: Timestamp, zone: Tz) -> String {
    match DateTime::from_timestamp_millis(time) {
        Some(moment) => {
            let shown = moment.with_timezone(&zone);
            shown.format("%Y-%m-%d %H:%M %Z").to_string()
        }
        None => format!("{} s", time / 1000),
    }
}

/// `30d`, or `calendar month (Europe/Berlin)`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Window::Rolling(length) if length % 86_400_000 == 0 => {
                write!(f, "{}d", length / 86_400_000)
            }
            Window::Rolling(length) => write!(f, "{}", Duration(*length)),
            Window::Calendar(Calendar {
                unit, count, zone, ..
            }) => match count {
                1 => write!(f, "calendar {} ({zone})", unit.name()),
                count => write!(f, "{count} calendar {}s ({zone})", unit.name()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Millis = 3_600_000;

    fn at(text: &str) -> Timestamp {
        DateTime::parse_from_rfc3339(text)
            .unwrap()
            .timestamp_millis()
    }

    #[test]
    fn months_have_their_own_length_and_clocks_change() {
        let zone = Tz::Europe__Berlin;
        let month = Calendar::natural(CalendarUnit::Month, zone);
        for (moment, begin, hours) in [
            ("2026-02-10T12:00:00Z", "2026-02-01T00:00:00+01:00", 672),
            ("2026-03-31T21:59:59Z", "2026-03-01T00:00:00+01:00", 743),
            ("2026-03-31T22:00:00Z", "2026-04-01T00:00:00+02:00", 720),
            ("2026-10-01T00:00:00Z", "2026-10-01T00:00:00+02:00", 745),
            ("1969-12-31T23:30:00Z", "1970-01-01T00:00:00+01:00", 744),
        ] {
            let (from, to) = month.around(at(moment));
            assert_eq!(from, at(begin), "{moment}");
            assert_eq!((to - from) / HOUR, hours, "{moment}");
        }
        let day = Calendar::natural(CalendarUnit::Day, zone);
        let (from, to) = day.around(at("2026-03-29T12:00:00Z"));
        assert_eq!((to - from) / HOUR, 23);
        let week = Calendar::natural(CalendarUnit::Week, Tz::UTC);
        let (from, _) = week.around(at("2026-11-22T23:59:00Z"));
        assert_eq!(from, at("2026-11-16T00:00:00Z"));
    }

    #[test]
    fn a_start_on_the_31st_takes_the_last_day_of_shorter_months() {
        let start = NaiveDate::from_ymd_opt(2022, 1, 31).unwrap();
        let month = Calendar {
            start: start.and_hms_opt(12, 0, 0).unwrap(),
            ..Calendar::natural(CalendarUnit::Month, Tz::UTC)
        };
        let (from, to) = month.around(at("2026-03-15T00:00:00Z"));
        assert_eq!(from, at("2026-02-28T12:00:00Z"));
        assert_eq!(to, at("2026-03-31T12:00:00Z"));
    }

    #[test]
    fn a_midnight_that_clocks_skip_is_the_moment_of_the_skip() {
        // In Beirut clocks went from 00:00 to 01:00 on 2022-03-27.
        let day = Calendar::natural(CalendarUnit::Day, Tz::Asia__Beirut);
        let (from, to) = day.around(at("2022-03-27T10:00:00Z"));
        assert_eq!(from, at("2022-03-26T22:00:00Z"));
        assert_eq!((to - from) / HOUR, 23);
    }

    #[test]
    fn any_moment_lies_in_its_stretch() {
        for time in [i64::MIN, -1, 0, i64::MAX / 2, 1 << 53] {
            for unit in [CalendarUnit::Hour, CalendarUnit::Month, CalendarUnit::Year] {
                let (from, to) =
                    Calendar::natural(unit, Tz::UTC).around(time.clamp(-(1 << 53), 1 << 53));
                assert!(from < to, "{unit:?} {time}");
            }
        }
    }
}
