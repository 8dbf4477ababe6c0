//! When a query that a person asks is evaluated.

use crate::model::{Millis, Timestamp};

/// When a query is evaluated.
#[derive(Debug, Clone, Copy)]
pub enum Times {
    /// Once.
    Instant(Timestamp),
    /// At every step from a start to an end.
    Range {
        /// The first moment.
        start: Timestamp,
        /// No moment lies after it.
        end: Timestamp,
        /// The distance of moments, above 0.
        step: Millis,
    },
}

impl Times {
    /// A range has at most one point more than this a series, as in Prometheus.
    pub const MAX_POINTS: i64 = 11_000;

    /// What Prometheus says of a range with more points.
    pub const TOO_MANY_POINTS: &str = "exceeded maximum resolution of 11,000 points per timeseries. \
                                       Try decreasing the query resolution (?step=XX)";

    /// The moments of a range; `None` where they are too many.
    pub fn range(start: Timestamp, end: Timestamp, step: Millis) -> Option<Times> {
        ((end - start) / step <= Times::MAX_POINTS).then_some(Times::Range { start, end, step })
    }
}
