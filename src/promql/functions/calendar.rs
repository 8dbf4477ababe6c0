//! Functions of a moment in UTC.

use super::{Body, Function};
use crate::model::Timestamp;
use crate::model::date::{Date, first_of};

/// Every such function.
pub(super) static ROWS: &[Function] = &[
    row(
        "minute",
        |moment| moment.second_of_day() / 60 % 60,
        "Minute of the hour, 0 to 59.",
    ),
    row(
        "hour",
        |moment| moment.second_of_day() / 3600,
        "Hour of the day, 0 to 23.",
    ),
    row(
        "day_of_week",
        |moment| moment.date().weekday,
        "Day of the week, 0 (Sunday) to 6.",
    ),
    row(
        "day_of_month",
        |moment| moment.date().day,
        "Day of the month, 1 to 31.",
    ),
    row(
        "day_of_year",
        |moment| moment.date().day_of_year,
        "Day of the year, 1 to 366.",
    ),
    row(
        "days_in_month",
        |moment| moment.date().days_in_month(),
        "Number of days in the month, 28 to 31.",
    ),
    row(
        "month",
        |moment| moment.date().month,
        "Month of the year, 1 to 12.",
    ),
    row("year", |moment| moment.date().year, "The year."),
];

const fn row(name: &'static str, body: fn(Moment) -> i64, doc: &'static str) -> Function {
    Function::new(name, Body::Calendar(body), doc).of_its_time()
}

/// A second in UTC, by the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Unix time.
    seconds: i128,
}

const SECONDS_OF_DAY: i64 = 86_400;

impl Moment {
    /// The moment of a sample's value, as Go makes one of it: an integer of 64 bits, and what does not fit is the least.
    /// Years are counted from -292,277,022,400 on, and moments before that come out at the other end.
    pub(crate) fn of_value(value: f64) -> Moment {
        const EARLIEST: i64 = -292_277_022_400;
        let fits = value >= i64::MIN as f64 && value < i64::MAX as f64;
        let seconds = i128::from(if fits { value as i64 } else { i64::MIN });
        let earliest = i128::from(first_of(EARLIEST, 3)) * i128::from(SECONDS_OF_DAY);
        Moment {
            seconds: (seconds - earliest).rem_euclid(1 << 64) + earliest,
        }
    }

    /// The moment of an evaluation.
    pub(crate) fn of_time(time: Timestamp) -> Moment {
        Moment {
            seconds: i128::from(time / 1000),
        }
    }

    /// As RFC 3339 writes it: `2026-01-05T08:30:00Z`.
    pub(crate) fn rfc3339(self) -> String {
        let (date, second) = (self.date(), self.second_of_day());
        let sign = if date.year < 0 { "-" } else { "" };
        format!(
            "{sign}{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            date.year.unsigned_abs(),
            date.month,
            date.day,
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }

    fn second_of_day(self) -> i64 {
        self.seconds.rem_euclid(i128::from(SECONDS_OF_DAY)) as i64
    }

    fn date(self) -> Date {
        // A day of any 64 bits of seconds fits.
        Date::of_day(self.seconds.div_euclid(i128::from(SECONDS_OF_DAY)) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(value: f64) -> [i64; 7] {
        let moment = Moment::of_value(value);
        let date = moment.date();
        [
            date.year,
            date.month,
            date.day,
            date.weekday,
            date.day_of_year,
            moment.second_of_day() / 3600,
            date.days_in_month(),
        ]
    }

    #[test]
    fn dates() {
        assert_eq!(parts(0.0), [1970, 1, 1, 4, 1, 0, 31]);
        assert_eq!(parts(951_868_799.9), [2000, 2, 29, 2, 60, 23, 29]);
        assert_eq!(parts(-1.0), [1969, 12, 31, 3, 365, 23, 31]);
        assert_eq!(parts(4_107_542_400.0), [2100, 3, 1, 1, 60, 0, 31]);
        assert_eq!(parts(f64::NAN)[0], 292_277_026_596);
        assert_eq!(parts(f64::INFINITY), parts(f64::NAN));
    }
}
