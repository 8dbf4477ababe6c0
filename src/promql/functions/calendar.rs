//! Functions of a moment in UTC.

use chrono::{DateTime, Datelike, Timelike, Utc};

use super::{Body, Function};

/// Every such function.
pub(super) static ROWS: &[Function] = &[
    row(
        "minute",
        |time| f64::from(time.minute()),
        "Minute of the hour, 0 to 59.",
    ),
    row(
        "hour",
        |time| f64::from(time.hour()),
        "Hour of the day, 0 to 23.",
    ),
    row(
        "day_of_week",
        |time| f64::from(time.weekday().num_days_from_sunday()),
        "Day of the week, 0 (Sunday) to 6.",
    ),
    row(
        "day_of_month",
        |time| f64::from(time.day()),
        "Day of the month, 1 to 31.",
    ),
    row(
        "day_of_year",
        |time| f64::from(time.ordinal()),
        "Day of the year, 1 to 366.",
    ),
    row(
        "days_in_month",
        |time| f64::from(time.num_days_in_month()),
        "Number of days in the month, 28 to 31.",
    ),
    row(
        "month",
        |time| f64::from(time.month()),
        "Month of the year, 1 to 12.",
    ),
    row("year", |time| f64::from(time.year()), "The year."),
];

const fn row(name: &'static str, body: fn(&DateTime<Utc>) -> f64, doc: &'static str) -> Function {
    Function::new(name, Body::Calendar(body), doc).of_its_time()
}
