//! Days of the proleptic Gregorian calendar, for all years that Go's times reach.

/// A day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// The year, 0 the one before year 1.
    pub year: i64,
    /// From 1.
    pub month: i64,
    /// From 1.
    pub day: i64,
    /// From 1.
    pub day_of_year: i64,
    /// From Sunday, 0.
    pub weekday: i64,
}

/// Days of 400 years.
const DAYS_OF_ERA: i64 = 146_097;

/// Days from the 1st of March of the year 0 to 1970.
const MARCH_OF_YEAR_0: i64 = 719_468;

impl Date {
    /// The day of this number, 1970-01-01 being 0.
    pub fn of_day(number: i64) -> Date {
        // Years that begin in March have their leap day last, and eras of 400 such years are all alike.
        let days = number.wrapping_add(MARCH_OF_YEAR_0);
        let era = days.div_euclid(DAYS_OF_ERA);
        let day_of_era = days.rem_euclid(DAYS_OF_ERA);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_from_march = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_from_march + 2) / 153;
        let month = (month_from_march + 2) % 12 + 1;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Date {
            year,
            month,
            day: day_from_march - (153 * month_from_march + 2) / 5 + 1,
            day_of_year: number.wrapping_sub(first_of(year, 1)).wrapping_add(1),
            weekday: number.wrapping_add(4).rem_euclid(7),
        }
    }

    /// How many days its month has.
    pub fn days_in_month(self) -> i64 {
        first_of(self.year, self.month + 1) - first_of(self.year, self.month)
    }
}

/// The number of the first day of a month; the 13th month is the next year's first.
pub fn first_of(year: i64, month: i64) -> i64 {
    let year = year.wrapping_add((month - 3).div_euclid(12));
    let month_from_march = (month - 3).rem_euclid(12);
    let year_of_era = year.rem_euclid(400);
    let day_of_era =
        365 * year_of_era + year_of_era / 4 - year_of_era / 100 + (153 * month_from_march + 2) / 5;
    year.div_euclid(400)
        .wrapping_mul(DAYS_OF_ERA)
        .wrapping_add(day_of_era)
        .wrapping_sub(MARCH_OF_YEAR_0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Datelike};

    #[test]
    fn days_are_those_of_a_calendar() {
        for number in (-1_000_000..1_000_000).step_by(17) {
            let known = DateTime::from_timestamp(number * 86_400, 0).unwrap();
            let expected = Date {
                year: i64::from(known.year()),
                month: i64::from(known.month()),
                day: i64::from(known.day()),
                day_of_year: i64::from(known.ordinal()),
                weekday: i64::from(known.weekday().num_days_from_sunday()),
            };
            let date = Date::of_day(number);
            assert_eq!(date, expected, "{number}");
            assert_eq!(first_of(date.year, date.month) + date.day - 1, number);
            assert!((28..=31).contains(&date.days_in_month()));
        }
    }
}
