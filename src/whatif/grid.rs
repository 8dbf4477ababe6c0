//! Many settings: for each of some knobs a row of values, and every combination of them.

use std::collections::{HashMap, HashSet};

use super::{Change, Knob, find, value};
use crate::model::{Duration, Millis};
use crate::text::Diagnostic;

/// No grid has more points.
pub const MAX_POINTS: usize = 1_000_000;

/// A knob, and the values that it takes.
#[derive(Debug, Clone)]
pub struct Axis {
    /// What moves.
    pub knob: Knob,
    /// The values as they are to be written, in the order given; none twice, at least one.
    pub values: Vec<String>,
}

/// Every combination of the values of some knobs; the last knob moves fastest.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    axes: Vec<Axis>,
}

const FORM: &str =
    "write NAME=FROM..TO:STEP, such as HighErrorRate.threshold=0.01..0.1:0.01, or NAME=0.01,0.05";

impl Axis {
    /// Reads `NAME=FROM..TO:STEP` or `NAME=a,b,c`. Steps are exact decimals or durations, and TO is one of the values where
    /// steps meet it.
    ///
    /// # Errors
    ///
    /// A name of no knob or of several, no value, a step that leads nowhere, and values that the knob can't have.
    pub fn parse(text: &str, knobs: &[Knob]) -> Result<Axis, Diagnostic> {
        let refused = |reason: &str| Diagnostic::error(format!("{text:?}: {reason}")).help(FORM);
        let Some((name, list)) = text.rsplit_once('=') else {
            return Err(refused("there is no `=`"));
        };
        let knob = find(name.trim(), knobs)?;
        let values = match list.split_once("..") {
            Some((from, rest)) => {
                let (to, step) = rest
                    .rsplit_once(':')
                    .ok_or_else(|| refused("there is no step"))?;
                range(from.trim(), to.trim(), step.trim()).map_err(|reason| refused(&reason))?
            }
            None => list
                .split(',')
                .map(|value| value.trim().to_owned())
                .collect(),
        };
        let mut seen = HashSet::new();
        for value in &values {
            if value.is_empty() {
                return Err(refused("a value is missing"));
            }
            if !seen.insert(value) {
                return Err(refused(&format!("{value} is there twice")));
            }
            Change::new(knob, value)?;
        }
        Ok(Axis {
            knob: knob.clone(),
            values,
        })
    }

    /// Whether its values are different ones, however they are written.
    ///
    /// # Errors
    ///
    /// Two that are one, such as 1 and 1.0.
    pub fn check(&self) -> Result<(), Diagnostic> {
        let mut seen: HashMap<u64, &str> = HashMap::new();
        for text in &self.values {
            let Some(number) = value::quantity(text) else {
                continue;
            };
            // 0 and -0 are one.
            if let Some(other) = seen.insert((number + 0.0).to_bits(), text) {
                let name = self.knob.shown();
                let fault = Diagnostic::error(format!("{name}: {other} and {text} are one value"));
                return Err(fault.help("give each value once"));
            }
        }
        Ok(())
    }

    /// What is to be said of values that are allowed and hardly meant.
    pub fn doubts(&self) -> impl Iterator<Item = Diagnostic> {
        let values = self.values.iter();
        values.filter_map(|text| value::doubt(&self.knob, text))
    }
}

impl Grid {
    /// Every combination.
    ///
    /// # Errors
    ///
    /// A knob that moves twice, and more than [`MAX_POINTS`] points.
    pub fn new(axes: Vec<Axis>) -> Result<Grid, Diagnostic> {
        for (index, axis) in axes.iter().enumerate() {
            let mut before = axes.iter().take(index);
            if let Some(other) = before.find(|other| other.knob.is_same_text(&axis.knob)) {
                let names = (other.knob.shown(), axis.knob.shown());
                let message = match names.0 == names.1 {
                    true => format!("{} is swept twice", names.0),
                    false => format!("{} and {} are one text in the file", names.0, names.1),
                };
                return Err(
                    Diagnostic::error(message).help("sweep it once, over all of its values")
                );
            }
        }
        let sizes = axes.iter().map(|axis| axis.values.len());
        let points = sizes.fold(1usize, usize::saturating_mul);
        match points > MAX_POINTS {
            true => Err(too_many(points)),
            false => Ok(Grid { axes }),
        }
    }

    /// The same on rules in which other knobs are set already.
    ///
    /// # Errors
    ///
    /// A knob that moves and is set, too, and one that is no more.
    pub fn beside(&self, set: &[Change], knobs: &[Knob]) -> Result<Grid, Diagnostic> {
        let moved = self.axes.iter().map(|axis| {
            let name = axis.knob.shown();
            if let Some(change) = set.iter().find(|it| it.knob.is_same_text(&axis.knob)) {
                let other = change.knob.shown();
                let fault = Diagnostic::error(match other == name {
                    true => format!("{name} is set and swept"),
                    false => format!("{other} is set and {name} is swept, which is the same text"),
                });
                return Err(
                    fault.help("leave it out of --set: a sweep sets it to each of its values")
                );
            }
            Ok(Axis {
                knob: find(&axis.knob.name, knobs)?.clone(),
                values: axis.values.clone(),
            })
        });
        let axes = moved.collect::<Result<Vec<Axis>, Diagnostic>>()?;
        Ok(Grid { axes })
    }

    /// What moves, in the order given.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// How many combinations there are; 1 where nothing moves.
    pub fn len(&self) -> usize {
        self.axes.iter().map(|axis| axis.values.len()).product()
    }

    /// Whether nothing moves.
    pub fn is_empty(&self) -> bool {
        self.axes.is_empty()
    }

    /// The changes of a combination, counted from 0.
    pub fn point(&self, index: usize) -> Vec<Change> {
        let mut rest = index;
        let mut changes: Vec<Change> = Vec::with_capacity(self.axes.len());
        for axis in self.axes.iter().rev() {
            let count = axis.values.len().max(1);
            let value = axis.values.get(rest % count).cloned();
            rest /= count;
            changes.push(Change {
                knob: axis.knob.clone(),
                value: value.unwrap_or_default(),
            });
        }
        changes.reverse();
        changes
    }
}

fn too_many(points: usize) -> Diagnostic {
    let message = format!("{points} points are more than the {MAX_POINTS} that a sweep may have");
    Diagnostic::error(message).help("take larger steps, or sweep fewer knobs at once")
}

/// The values of a range: durations, or else decimals.
fn range(from: &str, to: &str, step: &str) -> Result<Vec<String>, String> {
    let decimals = [from, to, step].map(Decimal::parse);
    if let [Some(from), Some(to), Some(step)] = decimals {
        let scale = from.scale.max(to.scale).max(step.scale);
        let bounds = [from, to, step].map(|decimal| decimal.scaled(scale));
        let [Some(from), Some(to), Some(step)] = bounds else {
            return Err("the numbers have too many digits".to_owned());
        };
        let values = steps(from, to, step)?.into_iter();
        let values = values.map(|digits| Decimal { digits, scale }.to_string());
        return Ok(values.collect());
    }
    let lengths = [from, to, step].map(signed_duration);
    let [Some(from), Some(to), Some(step)] = lengths else {
        let odd = [(from, &lengths[0]), (to, &lengths[1]), (step, &lengths[2])];
        let odd = odd.iter().find(|(_, length)| length.is_none());
        let odd = odd.map_or("", |(text, _)| text);
        return Err(format!(
            "{odd:?} is neither a decimal as the others nor a duration"
        ));
    };
    let values = steps(i128::from(from), i128::from(to), i128::from(step))?.into_iter();
    let written = |length: i128| Duration(Millis::try_from(length).unwrap_or_default()).to_string();
    Ok(values.map(written).collect())
}

/// From one number to another.
fn steps(from: i128, to: i128, step: i128) -> Result<Vec<i128>, String> {
    if step == 0 {
        return Err("a step of 0 leads nowhere".to_owned());
    }
    let way = to.checked_sub(from).ok_or("the range is too long")?;
    if way != 0 && (way > 0) != (step > 0) {
        return Err("the step leads away from the end of the range".to_owned());
    }
    let count = usize::try_from(way / step).unwrap_or(usize::MAX);
    if count >= MAX_POINTS {
        return Err(format!("these are more than {MAX_POINTS} values"));
    }
    Ok((0..=count as i128)
        .map(|number| from + number * step)
        .collect())
}

/// A duration that may have a sign.
fn signed_duration(text: &str) -> Option<Millis> {
    let (sign, length) = match text.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text),
    };
    Some(sign * Duration::parse(length).ok()?.millis())
}

/// An exact decimal: digits, and how many of them stand behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decimal {
    digits: i128,
    scale: u32,
}

impl Decimal {
    /// The most digits behind the point, or zeros before it.
    const PLACES: i64 = 30;

    /// Reads `-1.5e-3`; nothing else.
    fn parse(text: &str) -> Option<Decimal> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (sign, number) = match number.strip_prefix('-') {
            Some(number) => (-1, number),
            None => (1, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, places) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{places}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = sign * digits.parse::<i128>().ok()?;
        let scale = i64::try_from(places.len()).ok()?.checked_sub(exponent)?;
        match scale {
            0..=Self::PLACES => Some(Decimal {
                digits,
                scale: u32::try_from(scale).ok()?,
            }),
            scale if (-Self::PLACES..0).contains(&scale) => {
                let zeros = u32::try_from(-scale).ok()?;
                let digits = digits.checked_mul(10i128.checked_pow(zeros)?)?;
                Some(Decimal { digits, scale: 0 })
            }
            _ => None,
        }
    }

    /// Its digits with so many behind the point, at least as many as it has.
    fn scaled(self, scale: u32) -> Option<i128> {
        let more = 10i128.checked_pow(scale.checked_sub(self.scale)?)?;
        self.digits.checked_mul(more)
    }
}

/// No more places than it needs: `0.3`, `-12`.
impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.digits.unsigned_abs().to_string();
        let places = self.scale as usize;
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, rest) = padded.split_at(padded.len() - places);
        let sign = if self.digits < 0 { "-" } else { "" };
        match rest.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            rest => write!(f, "{sign}{whole}.{rest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_exact() {
        for (from, to, step, expected) in [
            ("0.1", "0.4", "0.1", "0.1 0.2 0.3 0.4"),
            ("0", "1", "0.25", "0 0.25 0.5 0.75 1"),
            ("1e-3", "0.003", "1e-3", "0.001 0.002 0.003"),
            ("-1", "1", "1", "-1 0 1"),
            ("5", "1", "-2", "5 3 1"),
            ("1", "10", "4", "1 5 9"),
            ("7", "7", "1", "7"),
            ("1e3", "2e3", "500", "1000 1500 2000"),
            ("0", "2m", "30s", "0s 30s 1m 1m30s 2m"),
            ("-5m", "5m", "5m", "-5m 0s 5m"),
        ] {
            let values = range(from, to, step).map(|values| values.join(" "));
            assert_eq!(values.as_deref(), Ok(expected), "{from}..{to}:{step}");
        }
    }

    #[test]
    fn ranges_that_lead_nowhere_are_refused() {
        for (from, to, step, reason) in [
            ("1", "2", "0", "a step of 0"),
            ("1", "2", "-1", "leads away"),
            ("2", "1", "1", "leads away"),
            ("0", "1", "1e-9", "more than 1000000 values"),
            ("1", "5m", "1", "neither"),
            ("a", "b", "c", "\"a\" is neither"),
            ("1e30", "1", "1e-30", "too many digits"),
            ("Inf", "1", "1", "neither"),
            ("", "1", "1", "neither"),
        ] {
            let refused = range(from, to, step);
            let said = refused.clone().is_err_and(|it| it.contains(reason));
            assert!(said, "{from}..{to}:{step}: {refused:?}");
        }
    }
}
