//! What is tried when a plan does not do: other distances from thresholds, orders, branches and times.

use super::numbers::MARGINS;
use crate::model::{Millis, Timestamp};
use crate::promql::ast::{Expr, ExprKind};
use crate::promql::functions::Body;

/// The choices of one plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Trial {
    /// How far values lie from a threshold, as a part of it.
    pub margin: f64,
    /// Every series has every label that is asked for anywhere.
    pub all_labels: bool,
    /// The right side of an operator is planned before the left one.
    pub right_first: bool,
    /// The right side of `or` rather than the left one.
    pub second_branch: bool,
    /// Which of several rules that record a metric.
    pub rule: usize,
    /// The other side is the one that yields nothing.
    pub other_silence: bool,
    /// When the test begins.
    pub start: Timestamp,
}

/// A Monday at 9 o'clock UTC.
const MONDAY: Timestamp = 1_767_603_600_000;

const HOUR: Millis = 3_600_000;

/// How an expression depends on the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Clock {
    /// Not at all.
    None,
    /// On the seconds since 1970.
    Seconds,
    /// On the hour or the day.
    Calendar,
}

/// Which clock an expression looks at.
pub(super) fn clock(expr: &Expr) -> Clock {
    let own = match &expr.kind {
        ExprKind::Call(call) => match call.function.body {
            Body::Calendar(_) => Clock::Calendar,
            _ if call.function.name == "time" => Clock::Seconds,
            _ => Clock::None,
        },
        _ => Clock::None,
    };
    let below = expr.children().into_iter().map(clock);
    below.fold(own, Clock::max)
}

/// All trials, the plainest first. Where `is_plain`, tests begin at 1970, as promtool before 3.9 wants it.
pub(super) fn trials(clock: Clock, is_plain: bool) -> Vec<Trial> {
    let usual = Trial {
        margin: MARGINS[0],
        all_labels: false,
        right_first: false,
        second_branch: false,
        rule: 0,
        other_silence: false,
        start: match (clock, is_plain) {
            (Clock::None, _) | (_, true) => 0,
            _ => MONDAY,
        },
    };
    let mut all = Vec::new();
    for margin in MARGINS {
        let usual = Trial { margin, ..usual };
        all.extend([
            usual,
            Trial {
                right_first: true,
                ..usual
            },
            Trial {
                all_labels: true,
                ..usual
            },
            Trial {
                all_labels: true,
                right_first: true,
                ..usual
            },
            Trial {
                second_branch: true,
                ..usual
            },
            Trial {
                other_silence: true,
                ..usual
            },
            Trial { rule: 1, ..usual },
            Trial {
                second_branch: true,
                all_labels: true,
                right_first: true,
                ..usual
            },
            Trial {
                other_silence: true,
                all_labels: true,
                ..usual
            },
        ]);
    }
    if clock == Clock::Calendar && !is_plain {
        let hours = (0..7 * 8).map(|number| MONDAY + number * 3 * HOUR);
        all.extend(hours.map(|start| Trial { start, ..usual }));
    }
    all
}
