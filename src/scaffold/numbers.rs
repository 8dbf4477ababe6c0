//! Round numbers on either side of a threshold.

use crate::promql::ast::BinaryOp;

/// A number with so many digits that count.
pub(super) fn rounded(value: f64, digits: usize) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let text = format!("{value:.*e}", digits.saturating_sub(1));
    text.parse().unwrap_or(value)
}

/// How far from a threshold values are taken, one trial after the other.
pub(super) const MARGINS: [f64; 5] = [0.2, 1.0, 0.02, 5.0, 20.0];

/// A value that passes a comparison with a bound, near it and round; `margin` is its distance as a part of the bound.
pub(super) fn passing(op: BinaryOp, bound: f64, margin: f64) -> Option<f64> {
    if bound.is_nan() {
        return None;
    }
    let value = match op {
        // Exactly at it where that is what a person would write.
        BinaryOp::GreaterEqual if is_small_count(bound) && margin < 1.0 => bound,
        BinaryOp::LessEqual if (bound == 0.0 || is_small_count(bound)) && margin < 1.0 => bound,
        BinaryOp::Greater | BinaryOp::GreaterEqual => above(bound, margin),
        BinaryOp::Less | BinaryOp::LessEqual => below(bound, margin),
        BinaryOp::Equal => bound,
        BinaryOp::NotEqual if bound == 0.0 => 1.0,
        BinaryOp::NotEqual if bound == 1.0 => 0.0,
        BinaryOp::NotEqual => above(bound, margin),
        _ => return None,
    };
    value.is_finite().then_some(value)
}

/// A value that does not pass, near the bound.
pub(super) fn failing(op: BinaryOp, bound: f64, margin: f64) -> Option<f64> {
    let opposite = match op {
        BinaryOp::Greater if bound == 0.0 => return Some(0.0),
        BinaryOp::Less if bound == 0.0 => return Some(1.0),
        BinaryOp::Greater | BinaryOp::GreaterEqual => BinaryOp::Less,
        BinaryOp::Less | BinaryOp::LessEqual => BinaryOp::Greater,
        BinaryOp::Equal => BinaryOp::NotEqual,
        BinaryOp::NotEqual => BinaryOp::Equal,
        _ => return None,
    };
    passing(opposite, bound, margin)
}

fn above(bound: f64, margin: f64) -> f64 {
    let usual = margin < 1.0 && margin > 0.1;
    if bound == 0.0 {
        return if usual { 1.0 } else { margin * 5.0 };
    }
    if is_small_count(bound) {
        return if margin < 1.0 {
            bound + 1.0
        } else {
            bound + (margin * 5.0).ceil()
        };
    }
    if bound < 0.0 {
        return rounded(bound * (1.0 - margin.min(0.9)), 3);
    }
    // Shares: halfway to all of it.
    if (0.5..1.0).contains(&bound) && margin < 1.0 {
        return rounded((bound + 1.0) / 2.0, 6);
    }
    if (50.0..100.0).contains(&bound) && usual {
        return rounded((bound + 100.0) / 2.0, 6);
    }
    next(bound * (1.0 + margin), bound, f64::gt)
}

fn below(bound: f64, margin: f64) -> f64 {
    let usual = margin < 1.0 && margin > 0.1;
    if bound == 0.0 {
        return if usual { -1.0 } else { -margin * 5.0 };
    }
    if is_small_count(bound) {
        return match margin < 1.0 {
            true => bound - 1.0,
            false => 0.0,
        };
    }
    if bound < 0.0 {
        return rounded(bound * (1.0 + margin), 3);
    }
    // Shares: twice as far from all of it.
    if (0.8..1.0).contains(&bound) && margin < 1.0 {
        return rounded(2.0 * bound - 1.0, 6);
    }
    if (90.0..100.0).contains(&bound) && usual {
        return rounded(2.0 * bound - 100.0, 6);
    }
    next(bound * (1.0 - margin.min(0.9)), bound, f64::lt)
}

fn is_small_count(value: f64) -> bool {
    value.fract() == 0.0 && (1.0..=10.0).contains(&value)
}

/// The value with as few digits as leave it on its side.
fn next(value: f64, bound: f64, is_beyond: fn(&f64, &f64) -> bool) -> f64 {
    let mut tries = (2..=15).map(|digits| rounded(value, digits));
    tries.find(|it| is_beyond(it, &bound)).unwrap_or(value)
}
