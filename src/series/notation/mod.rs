//! The series notation of promtool's test files: `m{a="b"}` with `1+2x3 _x2 stale {{count:1}}`.

mod expand;
mod histogram;
mod number;
mod series;
mod values;

use std::fmt;
use std::sync::Arc;

use crate::model::{Histogram, Labels};
use crate::store::is_stale;

pub use expand::expand;

use super::fault::Fault;

/// A series as a test file writes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Notation {
    /// What it is called.
    pub labels: Labels,
    /// Its samples as written.
    pub values: Vec<Item>,
}

/// A part of the values as written: an arithmetic run is not laid out.
#[derive(Debug, Clone)]
pub enum Item {
    /// `_x3`: no samples.
    Gap {
        /// For how many intervals.
        count: u64,
    },
    /// `stale`: the stale marker.
    Stale,
    /// `1 2.5 NaN`: values written one by one.
    Values(Vec<f64>),
    /// `5x3`: one value again and again.
    Repeat {
        /// The value.
        value: f64,
        /// How many samples there are: one more than what stands after the `x`.
        count: u64,
    },
    /// `1+2x3`: each value is the one before plus the step.
    Run {
        /// The first value.
        first: f64,
        /// What is added again and again.
        step: f64,
        /// How many samples there are.
        count: u64,
    },
    /// `{{count:1}}+{{count:1}}x3`: a histogram, alone, repeated, or growing or shrinking by another.
    Histograms {
        /// The first sample.
        first: Arc<Histogram>,
        /// What is added or taken away again and again; `None` where the first is repeated.
        increment: Option<(Sign, Arc<Histogram>)>,
        /// How many samples there are.
        count: u64,
    },
}

/// Whether a run of histograms grows or shrinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

/// Why a text is no series notation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotationError {
    /// What is wrong, as a fragment without a final dot.
    pub message: String,
    /// Where, in bytes from the start of the text given.
    pub offset: usize,
    /// What to do about it.
    pub help: String,
}

/// Reads what a series is called: `metric{a="b"}`, `{a="b"}` or `{"any name", a="b"}`.
///
/// # Errors
///
/// What is no such text, and a label that is given twice.
pub fn parse_series(series: &str) -> Result<Labels, NotationError> {
    match series::series(series) {
        Ok((_, labels)) => Ok(labels),
        Err(error) => Err(NotationError::of(Fault::of(error), series)),
    }
}

/// Reads the values of a series.
///
/// # Errors
///
/// What promtool refuses, at its place.
pub fn parse_values(values: &str) -> Result<Vec<Item>, NotationError> {
    match values::values(values) {
        Ok((_, items)) => Ok(items),
        Err(error) => Err(NotationError::of(Fault::of(error), values)),
    }
}

/// Reads one histogram: `{{schema:1 count:3 buckets:[1 2]}}`.
///
/// # Errors
///
/// What is no histogram, and what follows one.
pub fn parse_histogram(text: &str) -> Result<Histogram, NotationError> {
    let failed = |fault: Fault| NotationError::of(fault, text);
    let trimmed = text.trim();
    let (rest, histogram) =
        histogram::histogram(trimmed.trim_start()).map_err(|error| failed(Fault::of(error)))?;
    match rest.is_empty() {
        true => Ok(histogram),
        false => Err(NotationError {
            message: "unexpected text after the histogram".to_owned(),
            offset: text.trim_end().len().saturating_sub(rest.len()),
            help: "write one histogram, {{...}}, and nothing else".to_owned(),
        }),
    }
}

impl NotationError {
    fn of(fault: Fault, text: &str) -> NotationError {
        NotationError {
            offset: fault.offset(text),
            message: fault.message.into_owned(),
            help: fault.help.into_owned(),
        }
    }
}

impl Item {
    /// How many places in time it takes, gaps too.
    pub fn count(&self) -> u64 {
        match self {
            Item::Stale => 1,
            Item::Values(values) => values.len() as u64,
            Item::Gap { count }
            | Item::Repeat { count, .. }
            | Item::Run { count, .. }
            | Item::Histograms { count, .. } => *count,
        }
    }
}

impl Item {
    /// The histogram it begins with, if it is of histograms.
    pub fn histogram(&self) -> Option<&Histogram> {
        match self {
            Item::Histograms { first, .. } => Some(first),
            _ => None,
        }
    }
}

impl PartialEq for Item {
    /// As written: a NaN equals a NaN.
    fn eq(&self, other: &Item) -> bool {
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        match (self, other) {
            (Item::Stale, Item::Stale) => true,
            (Item::Values(a), Item::Values(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| same(a, b))
            }
            (Item::Repeat { value: a, .. }, Item::Repeat { value: b, .. }) => {
                same(*a, *b) && self.count() == other.count()
            }
            (
                Item::Run {
                    first: a, step: c, ..
                },
                Item::Run {
                    first: b, step: d, ..
                },
            ) => same(*a, *b) && same(*c, *d) && self.count() == other.count(),
            (
                Item::Histograms {
                    first: a,
                    increment: c,
                    ..
                },
                Item::Histograms {
                    first: b,
                    increment: d,
                    ..
                },
            ) => a == b && c == d && self.count() == other.count(),
            (Item::Gap { count: a }, Item::Gap { count: b }) => a == b,
            _ => false,
        }
    }
}

impl fmt::Display for Item {
    /// In the notation itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = self.count().saturating_sub(1);
        match self {
            Item::Gap { count } => write!(f, "_x{count}"),
            Item::Stale => f.write_str("stale"),
            Item::Values(values) => {
                for (position, &value) in values.iter().enumerate() {
                    let separator = if position == 0 { "" } else { " " };
                    write!(f, "{separator}{}", Written(value))?;
                }
                Ok(())
            }
            // The notation has no `NaNx3`.
            Item::Repeat { value, .. } if !value.is_finite() => {
                write!(f, "{}+0x{times}", Written(*value))
            }
            Item::Repeat { value, .. } => write!(f, "{}x{times}", Written(*value)),
            Item::Run { first, step, .. } => {
                let sign = if step.is_sign_negative() { '-' } else { '+' };
                write!(f, "{}{sign}{}x{times}", Written(*first), step.abs())
            }
            Item::Histograms {
                first, increment, ..
            } => {
                f.write_str(&first.test_expression())?;
                match increment {
                    Some((Sign::Plus, by)) => write!(f, "+{}x{times}", by.test_expression()),
                    Some((Sign::Minus, by)) => write!(f, "-{}x{times}", by.test_expression()),
                    None if times == 0 => Ok(()),
                    None => write!(f, "x{times}"),
                }
            }
        }
    }
}

/// A value as the notation writes it.
struct Written(f64);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            value if is_stale(value) => f.write_str("stale"),
            value if value.is_nan() => f.write_str("NaN"),
            f64::INFINITY => f.write_str("Inf"),
            f64::NEG_INFINITY => f.write_str("-Inf"),
            value => write!(f, "{value}"),
        }
    }
}
