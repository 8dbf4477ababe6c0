//! How long a test is, and how far its samples lie apart.

use super::rules::Background;
use crate::model::{Millis, Timestamp};
use crate::promql::ast::{DurationExpr, Expr, ExprKind, Shift};

/// The times of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timing {
    /// When it begins.
    pub start: Timestamp,
    /// Between two samples.
    pub interval: Millis,
    /// Between two evaluations.
    pub evaluation: Millis,
    /// From the beginning to the end.
    pub length: Millis,
    /// How long the condition is to hold.
    pub hold: Millis,
    /// How long there are samples before the condition is to hold.
    pub history: Millis,
}

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;

/// Samples lie so far apart at most: instant selectors look back 5 minutes.
const LONGEST_INTERVAL: Millis = 5 * MINUTE;

/// Histories of windows, but not of offsets, are cut to so many samples.
const MAX_HISTORY: Millis = 360;

/// A test is no longer than that.
const MAX_LENGTH: Millis = 35 * 24 * HOUR;

/// Between two evaluations of written tests.
pub(super) const EVALUATION: Millis = MINUTE;

/// What an expression says of time.
#[derive(Debug, Clone, Copy)]
struct Reach {
    /// The shortest window.
    shortest: Option<Millis>,
    /// How far it looks back by windows, and by offsets.
    windows: Millis,
    offsets: Millis,
    has_subquery: bool,
}

impl Timing {
    /// For an expression that must hold so long; `None` where that takes longer than a test may be.
    pub fn of(expr: &Expr, hold: Millis, background: &Background<'_>) -> Option<Timing> {
        let reach = reach(expr, background, 0);
        let total = reach.windows + reach.offsets + hold;
        let by_window = reach.shortest.map_or(MINUTE, |window| match window {
            ..=20_000 => 5_000,
            20_001..60_000 => 10_000,
            60_000..240_000 => 15_000,
            _ => MINUTE,
        });
        let is_long = total > 12 * HOUR && reach.shortest.is_none_or(|it| it >= HOUR);
        let interval = match is_long && !reach.has_subquery {
            true => LONGEST_INTERVAL,
            false => by_window,
        };
        let windows = reach.windows.min(MAX_HISTORY * interval.max(MINUTE));
        let history = round_up(windows + reach.offsets, MINUTE);
        let spare = (hold / 5).clamp(3 * MINUTE, 30 * MINUTE);
        let length = round_up(history + hold + spare, 5 * MINUTE);
        (length <= MAX_LENGTH).then_some(Timing {
            start: 0,
            interval,
            evaluation: EVALUATION,
            length,
            hold,
            history,
        })
    }

    /// When it ends.
    pub fn end(&self) -> Timestamp {
        self.start + self.length
    }

    /// How many samples follow the first.
    pub fn steps(&self) -> usize {
        usize::try_from(self.length / self.interval.max(1)).unwrap_or(0)
    }
}

fn round_up(length: Millis, unit: Millis) -> Millis {
    length.div_euclid(unit) * unit + if length.rem_euclid(unit) > 0 { unit } else { 0 }
}

/// A length of time as written.
pub(super) fn length(duration: &DurationExpr) -> Millis {
    duration.resolve(0, 0, true).unwrap_or(0)
}

/// How far back an `offset` looks.
pub(super) fn offset(shift: &Shift) -> Millis {
    shift.offset.as_deref().map_or(0, length)
}

fn reach(expr: &Expr, background: &Background<'_>, depth: usize) -> Reach {
    let mut all = Reach {
        shortest: None,
        windows: 0,
        offsets: 0,
        has_subquery: false,
    };
    let mut take = |inner: Reach, window: Millis, offset: Millis| {
        let own = if window > 0 { Some(window) } else { None };
        let shortest = [all.shortest, inner.shortest, own];
        all.shortest = shortest.into_iter().flatten().min();
        all.windows = all.windows.max(inner.windows + window);
        all.offsets = all.offsets.max(inner.offsets + offset.max(0));
        all.has_subquery |= inner.has_subquery;
    };
    let nothing = Reach {
        shortest: None,
        windows: 0,
        offsets: 0,
        has_subquery: false,
    };
    let recorded = |matchers| match background.rules_of(matchers).first() {
        Some(rule) if depth < 10 => reach(&rule.expr.expr, background, depth + 1),
        _ => nothing,
    };
    match &expr.kind {
        ExprKind::Vector(selector) => {
            take(recorded(&selector.matchers), 0, offset(&selector.shift));
        }
        ExprKind::Matrix(matrix) => {
            let inner = recorded(&matrix.selector.matchers);
            take(inner, length(&matrix.range), offset(&matrix.selector.shift));
        }
        ExprKind::Subquery(subquery) => {
            let mut inner = reach(&subquery.expr, background, depth);
            inner.has_subquery = true;
            take(inner, length(&subquery.range), offset(&subquery.shift));
        }
        _ => {
            for child in expr.children() {
                take(reach(child, background, depth), 0, 0);
            }
        }
    }
    all
}
