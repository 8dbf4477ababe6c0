//! Functions of a moment in UTC.

use super::{Body, Function};
use crate::model::Timestamp;

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
        |moment| (moment.days() + 4).rem_euclid(7),
        "Day of the week, 0 (Sunday) to 6.",
    ),
    row(
        "day_of_month",
        |moment| moment.date().day,
        "Day of the month, 1 to 31.",
    ),
    row(
        "day_of_year",
        |moment| {
            let date = moment.date();
            moment.days() - first_of(date.year, 1) + 1
        },
        "Day of the year, 1 to 366.",
    ),
    row(
        "days_in_month",
        |moment| {
            let date = moment.date();
            first_of(date.year, date.month + 1) - first_of(date.year, date.month)
        },
        "Number of days in the month, 28 to 31.",
    ),
    row(
        "month",
        |moment| moment.date().month,
        "Month of the year, 1 to 12.",
    ),
    row("year", |moment| moment.date().year, "The year."),
];

const fn row(name: &'static str, body: fn(Moment) -> i128, doc: &'static str) -> Function {
    Function::new(name, Body::Calendar(body), doc).of_its_time()
}

/// A second in UTC, by the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Unix time.
    seconds: i128,
}

struct Date {
    year: i128,
    month: i128,
    day: i128,
}

const SECONDS_OF_DAY: i128 = 86_400;

/// Days of 400 years.
const DAYS_OF_ERA: i128 = 146_097;

impl Moment {
    /// The moment of a sample's value, as Go makes one of it: an integer of 64 bits, and what does not fit is the least.
    /// Years are counted from -292,277,022,400 on, and moments before that come out at the other end.
    pub(crate) fn of_value(value: f64) -> Moment {
        const EARLIEST: i128 = -292_277_022_400;
        let fits = value >= i64::MIN as f64 && value < i64::MAX as f64;
        let seconds = i128::from(if fits { value as i64 } else { i64::MIN });
        let earliest = first_of(EARLIEST, 3) * SECONDS_OF_DAY;
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

    fn days(self) -> i128 {
        self.seconds.div_euclid(SECONDS_OF_DAY)
    }

    fn second_of_day(self) -> i128 {
        self.seconds.rem_euclid(SECONDS_OF_DAY)
    }

    fn date(self) -> Date {
        // Days since the 1st of March of the year 0, in eras of 400 years that begin in March.
        let days = self.days() - first_of(0, 3);
        let era = days.div_euclid(DAYS_OF_ERA);
        let day_of_era = days.rem_euclid(DAYS_OF_ERA);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        Date {
            year: era * 400 + year_of_era + i128::from(month <= 2),
            month,
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
        }
    }
}

/// The day, from 1970 on, of the first of a month; the 13th month is the next year's first.
fn first_of(year: i128, month: i128) -> i128 {
    let year = year + (month - 3).div_euclid(12);
    let month_from_march = (month - 3).rem_euclid(12);
    let before_1970 = 719_468;
    year * 365 + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month_from_march + 2) / 5
        - before_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(value: f64) -> [i128; 7] {
        let moment = Moment::of_value(value);
        let date = moment.date();
        [
            date.year,
            date.month,
            date.day,
            (moment.days() + 4).rem_euclid(7),
            moment.days() - first_of(date.year, 1) + 1,
            moment.second_of_day() / 3600,
            first_of(date.year, date.month + 1) - first_of(date.year, date.month),
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
