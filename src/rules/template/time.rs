//! Instants and lengths of time as Go prints them: layouts, months, weekdays, `1m30s`.

use std::fmt::Write;

use crate::model::date::{Date, first_of};

use super::value::{NilType, UnsignedType, Value};

/// An instant. The local zone is that of a machine set to UTC, so that output is the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time {
    /// Seconds since 1970.
    pub(super) seconds: i64,
    /// Below a second, 0 to 999,999,999.
    pub(super) nanoseconds: i64,
}

pub(super) const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;
/// Seconds from year 1, where Go counts from, to 1970.
const YEAR_ONE: i64 = -62_135_596_800;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// `January`, or Go's complaint.
pub(super) fn month_name(month: i64) -> String {
    name(&MONTHS, month.wrapping_sub(1)).unwrap_or_else(|| format!("%!Month({month})"))
}

/// `Sunday`, or Go's complaint.
pub(super) fn weekday_name(weekday: i64) -> String {
    name(&WEEKDAYS, weekday).unwrap_or_else(|| format!("%!Weekday({})", weekday as u64))
}

fn name(names: &[&str], index: i64) -> Option<String> {
    let index = usize::try_from(index).ok()?;
    names.get(index).map(|name| (*name).to_owned())
}

impl Time {
    /// `time.Unix` of a time in milliseconds.
    pub(super) fn from_millis(millis: i64) -> Time {
        Time {
            seconds: millis.div_euclid(1000),
            nanoseconds: millis.rem_euclid(1000) * 1_000_000,
        }
    }

    pub(super) fn date(self) -> Date {
        Date::of_day(self.seconds.div_euclid(DAY))
    }

    fn second_of_day(self) -> i64 {
        self.seconds.rem_euclid(DAY)
    }

    pub(super) fn hour(self) -> i64 {
        self.second_of_day() / 3600
    }

    pub(super) fn minute(self) -> i64 {
        self.second_of_day() / 60 % 60
    }

    pub(super) fn second(self) -> i64 {
        self.second_of_day() % 60
    }

    pub(super) fn add(self, duration: i64) -> Time {
        let nanoseconds = self.nanoseconds + duration % SECOND;
        Time {
            seconds: self
                .seconds
                .wrapping_add(duration / SECOND)
                .wrapping_add(nanoseconds.div_euclid(SECOND)),
            nanoseconds: nanoseconds.rem_euclid(SECOND),
        }
    }

    /// The length since another instant, as far as it fits.
    pub(super) fn since(self, other: Time) -> i64 {
        let seconds = i128::from(self.seconds) - i128::from(other.seconds);
        let length =
            seconds * i128::from(SECOND) + i128::from(self.nanoseconds - other.nanoseconds);
        match i64::try_from(length) {
            Ok(length) => length,
            Err(_) if length < 0 => i64::MIN,
            Err(_) => i64::MAX,
        }
    }

    pub(super) fn add_date(self, years: i64, months: i64, days: i64) -> Time {
        let date = self.date();
        let month = date.month.wrapping_add(months).wrapping_sub(1);
        let year = date
            .year
            .wrapping_add(years)
            .wrapping_add(month.div_euclid(12));
        let first = first_of(year, month.rem_euclid(12) + 1);
        let day = first.wrapping_add(date.day - 1).wrapping_add(days);
        Time {
            seconds: day.wrapping_mul(DAY).wrapping_add(self.second_of_day()),
            nanoseconds: self.nanoseconds,
        }
    }

    /// What is left after cutting it into such lengths, counted from year 1.
    fn remainder(self, length: i64) -> i64 {
        let seconds = i128::from(self.seconds) - i128::from(YEAR_ONE);
        let total = seconds * i128::from(SECOND) + i128::from(self.nanoseconds);
        i64::try_from(total.rem_euclid(i128::from(length))).unwrap_or(0)
    }

    pub(super) fn truncate(self, length: i64) -> Time {
        match length {
            ..=0 => self,
            _ => self.add(-self.remainder(length)),
        }
    }

    pub(super) fn round(self, length: i64) -> Time {
        if length <= 0 {
            return self;
        }
        let remainder = self.remainder(length);
        match below_half(remainder, length) {
            true => self.add(-remainder),
            false => self.add(length - remainder),
        }
    }

    pub(super) fn is_zero(self) -> bool {
        self.seconds == YEAR_ONE && self.nanoseconds == 0
    }

    /// Nanoseconds since 1970, wrapping as Go's do.
    pub(super) fn unix(self, per_second: i64) -> i64 {
        self.seconds
            .wrapping_mul(per_second)
            .wrapping_add(self.nanoseconds / (SECOND / per_second))
    }

    /// `2006-01-02 15:04:05.999999999 -0700 MST`.
    pub(super) fn text(self) -> String {
        self.format(b"2006-01-02 15:04:05.999999999 -0700 MST")
    }

    /// `time.Date(2009, time.November, 10, 23, 0, 0, 0, time.UTC)`.
    pub(super) fn go_text(self) -> String {
        let date = self.date();
        format!(
            "time.Date({}, time.{}, {}, {}, {}, {}, {}, time.UTC)",
            date.year,
            month_name(date.month),
            date.day,
            self.hour(),
            self.minute(),
            self.second(),
            self.nanoseconds
        )
    }

    /// Its text in JSON and the like: an error outside of the years 0 to 9999.
    pub(super) fn strict(self) -> Result<String, String> {
        match self.date().year {
            0..=9999 => Ok(self.format(b"2006-01-02T15:04:05.999999999Z07:00")),
            _ => Err("year outside of range [0,9999]".to_owned()),
        }
    }

    /// The fields inside, as Go keeps them.
    pub(super) fn fields(self) -> Vec<(&'static str, Value)> {
        let wall = u64::try_from(self.nanoseconds).unwrap_or(0);
        let seconds = self.seconds.wrapping_sub(YEAR_ONE);
        vec![
            ("wall", Value::Unsigned(wall, UnsignedType::Uint64)),
            (
                "ext",
                Value::Integer(seconds, super::value::IntegerType::Int64),
            ),
            ("loc", Value::Nil(NilType::Location)),
        ]
    }
}

fn below_half(part: i64, whole: i64) -> bool {
    i128::from(part) * 2 < i128::from(whole)
}

// Layouts.

/// A part of a layout that stands for a part of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    LongMonth,
    Month,
    NumericMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperNoon,
    LowerNoon,
    ZoneName,
    /// The text for UTC.
    Zone(&'static str),
    /// Digits, the separator before them, and whether trailing zeros go.
    Fraction(usize, u8, bool),
}

/// Texts and what they stand for; where one is a start of another, the longer comes first.
const CHUNKS: [(&str, Chunk); 33] = [
    ("January", Chunk::LongMonth),
    ("Jan", Chunk::Month),
    ("Monday", Chunk::LongWeekday),
    ("Mon", Chunk::Weekday),
    ("MST", Chunk::ZoneName),
    ("01", Chunk::ZeroMonth),
    ("02", Chunk::ZeroDay),
    ("03", Chunk::ZeroHour12),
    ("04", Chunk::ZeroMinute),
    ("05", Chunk::ZeroSecond),
    ("06", Chunk::Year),
    ("002", Chunk::ZeroYearDay),
    ("15", Chunk::Hour),
    ("1", Chunk::NumericMonth),
    ("2006", Chunk::LongYear),
    ("2", Chunk::Day),
    ("__2", Chunk::UnderYearDay),
    ("_2", Chunk::UnderDay),
    ("3", Chunk::Hour12),
    ("4", Chunk::Minute),
    ("5", Chunk::Second),
    ("PM", Chunk::UpperNoon),
    ("pm", Chunk::LowerNoon),
    ("-070000", Chunk::Zone("+000000")),
    ("-07:00:00", Chunk::Zone("+00:00:00")),
    ("-0700", Chunk::Zone("+0000")),
    ("-07:00", Chunk::Zone("+00:00")),
    ("-07", Chunk::Zone("+00")),
    ("Z070000", Chunk::Zone("Z")),
    ("Z07:00:00", Chunk::Zone("Z")),
    ("Z0700", Chunk::Zone("Z")),
    ("Z07:00", Chunk::Zone("Z")),
    ("Z07", Chunk::Zone("Z")),
];

impl Time {
    /// `Time.Format`: a layout is the reference time `Mon Jan 2 15:04:05 MST 2006` as it should look.
    /// What stands for nothing is written as it is.
    pub(super) fn format(self, layout: &[u8]) -> String {
        String::from_utf8_lossy(&self.format_bytes(layout)).into_owned()
    }

    /// [`Time::format`] of a layout that may be no UTF-8.
    pub(super) fn format_bytes(self, layout: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = layout;
        while let Some((first, after)) = rest.split_first() {
            match chunk_at(rest) {
                Some((chunk, length)) => {
                    out.extend_from_slice(self.chunk(chunk).as_bytes());
                    rest = rest.get(length..).unwrap_or(&[]);
                }
                None => {
                    out.push(*first);
                    rest = after;
                }
            }
        }
        out
    }

    fn chunk(self, chunk: Chunk) -> String {
        let date = self.date();
        let hour = self.hour();
        let hour12 = if hour % 12 == 0 { 12 } else { hour % 12 };
        let short = |name: String| name.get(..3).unwrap_or("").to_owned();
        match chunk {
            Chunk::LongMonth => month_name(date.month),
            Chunk::Month => short(month_name(date.month)),
            Chunk::NumericMonth => date.month.to_string(),
            Chunk::ZeroMonth => format!("{:02}", date.month),
            Chunk::LongWeekday => weekday_name(date.weekday),
            Chunk::Weekday => short(weekday_name(date.weekday)),
            Chunk::Day => date.day.to_string(),
            Chunk::UnderDay => format!("{:2}", date.day),
            Chunk::ZeroDay => format!("{:02}", date.day),
            Chunk::UnderYearDay => format!("{:3}", date.day_of_year),
            Chunk::ZeroYearDay => format!("{:03}", date.day_of_year),
            Chunk::Hour => format!("{hour:02}"),
            Chunk::Hour12 => hour12.to_string(),
            Chunk::ZeroHour12 => format!("{hour12:02}"),
            Chunk::Minute => self.minute().to_string(),
            Chunk::ZeroMinute => format!("{:02}", self.minute()),
            Chunk::Second => self.second().to_string(),
            Chunk::ZeroSecond => format!("{:02}", self.second()),
            Chunk::LongYear => long_year(date.year),
            Chunk::Year => format!("{:02}", date.year.unsigned_abs() % 100),
            Chunk::UpperNoon => (if hour >= 12 { "PM" } else { "AM" }).to_owned(),
            Chunk::LowerNoon => (if hour >= 12 { "pm" } else { "am" }).to_owned(),
            Chunk::ZoneName => "UTC".to_owned(),
            Chunk::Zone(text) => text.to_owned(),
            Chunk::Fraction(digits, separator, trims) => self.fraction(digits, separator, trims),
        }
    }

    fn fraction(self, digits: usize, separator: u8, trims: bool) -> String {
        let mut out = String::from(char::from(separator));
        let _ = write!(out, "{:09}", self.nanoseconds);
        out.truncate(digits.min(9) + 1);
        if !trims {
            return out;
        }
        let kept = out.trim_end_matches('0');
        match kept.len() {
            1 => String::new(),
            length => {
                out.truncate(length);
                out
            }
        }
    }
}

/// Four digits; a sign is not one of them.
fn long_year(year: i64) -> String {
    let sign = if year < 0 { "-" } else { "" };
    format!("{sign}{:04}", year.unsigned_abs())
}

/// What the start of a layout stands for, and its length.
fn chunk_at(layout: &[u8]) -> Option<(Chunk, usize)> {
    if let Some(fraction) = fraction_at(layout) {
        return Some(fraction);
    }
    // The underscore of `_2006` is only itself.
    if layout.starts_with(b"_2006") {
        return None;
    }
    let (text, chunk) = CHUNKS
        .iter()
        .find(|(text, _)| layout.starts_with(text.as_bytes()))?;
    // `Janet` is a name, `Monsoon` a wind.
    let follows = layout.get(text.len());
    let lower = follows.is_some_and(u8::is_ascii_lowercase);
    match chunk {
        Chunk::Month | Chunk::Weekday if lower => None,
        _ => Some((*chunk, text.len())),
    }
}

/// `.000`, `,000`, `.999` or `,999` with any number of digits and no other digit behind them.
fn fraction_at(layout: &[u8]) -> Option<(Chunk, usize)> {
    let separator = *layout.first().filter(|byte| matches!(byte, b'.' | b','))?;
    let digit = *layout.get(1).filter(|byte| matches!(byte, b'0' | b'9'))?;
    let rest = layout.get(1..)?;
    let digits = rest.iter().take_while(|byte| **byte == digit).count();
    if rest.get(digits).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((
        Chunk::Fraction(digits, separator, digit == b'9'),
        digits + 1,
    ))
}

// Lengths of time.

/// `Duration.String`: `1h15m30.918s`.
pub(super) fn duration_text(duration: i64) -> String {
    let sign = if duration < 0 { "-" } else { "" };
    let length = duration.unsigned_abs();
    let second = SECOND.unsigned_abs();
    let text = match length {
        0 => "0s".to_owned(),
        1..1_000 => format!("{length}ns"),
        1_000..1_000_000 => format!("{}µs", decimals(length, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", decimals(length, 1_000_000)),
        _ => {
            let (minutes, seconds) = (length / second / 60, length % (60 * second));
            let seconds = decimals(seconds, second);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    };
    format!("{sign}{text}")
}

fn decimals(length: u64, unit: u64) -> String {
    let width = unit.ilog10() as usize;
    let text = format!("{}.{:0width$}", length / unit, length % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `Duration.Round`: halves away from zero.
pub(super) fn duration_round(duration: i64, unit: i64) -> i64 {
    if unit <= 0 {
        return duration;
    }
    let remainder = (duration % unit).abs();
    if below_half(remainder, unit) {
        return duration - duration % unit;
    }
    let step = unit - remainder;
    match duration < 0 {
        true => duration.saturating_sub(step),
        false => duration.saturating_add(step),
    }
}

/// A length in units of `unit` nanoseconds, its whole part kept exact as long as possible.
pub(super) fn duration_in(duration: i64, unit: i64) -> f64 {
    (duration / unit) as f64 + (duration % unit) as f64 / unit as f64
}
