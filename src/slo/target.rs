//! How good a service shall be, exactly as written.

use std::fmt;

/// A share between 0 and 1 of which every decimal was kept, so that 99.9 % leaves a budget of exactly 0.1 %.
///
/// [`Target::fraction`] and [`Target::budget`] are the doubles nearest to the decimals; `1.0 - 0.999` in floating point
/// is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Parts of [`ONE`].
    parts: u64,
}

/// Eighteen decimals of a share.
const ONE: u64 = 1_000_000_000_000_000_000;

/// Decimals of a share that are kept.
const PLACES: usize = 18;

/// Why a text is no target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is no decimal number.
    #[error("is no number")]
    NoNumber,
    /// It lies below 0 or above 1 (100 %).
    #[error("is not between 0 and 100 %")]
    OutOfRange,
    /// It has more decimals than anybody can mean.
    #[error("has too many decimals")]
    TooFine,
}

impl Target {
    /// Reads a share: `0.999`, `1e-1`.
    ///
    /// # Errors
    /// No decimal number, or one below 0 or above 1.
    pub fn of_share(text: &str) -> Result<Target, TargetError> {
        parse(text, 0)
    }

    /// Reads a percentage, without its sign: `99.9`.
    ///
    /// # Errors
    /// No decimal number, or one below 0 or above 100.
    pub fn of_percent(text: &str) -> Result<Target, TargetError> {
        parse(text, -2)
    }

    /// The share of good events that is asked for, as the nearest double.
    pub fn fraction(self) -> f64 {
        nearest(self.parts)
    }

    /// The share of bad events that is allowed, as the nearest double.
    pub fn budget(self) -> f64 {
        nearest(ONE - self.parts)
    }

    /// The target in percent, as few decimals as it has: `99.9`.
    pub fn percent(self) -> String {
        let text = format!("{:021}", u128::from(self.parts) * 100);
        let (whole, decimals) = text.split_at(text.len() - PLACES);
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        match decimals.trim_end_matches('0') {
            "" => whole.to_owned(),
            decimals => format!("{whole}.{decimals}"),
        }
    }
}

/// `99.9%`
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.percent())
    }
}

/// The double nearest to parts of [`ONE`]: reading decimals rounds once, dividing would do so twice.
fn nearest(parts: u64) -> f64 {
    format!("{parts}e-18").parse().unwrap_or(f64::NAN)
}

/// Reads `12.5e-3` times a power of ten.
fn parse(text: &str, shift: i32) -> Result<Target, TargetError> {
    let text = text.trim();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => {
            let exponent = exponent.parse::<i32>();
            (number, exponent.map_err(|_| TargetError::NoNumber)?)
        }
        None => (text, 0),
    };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{decimals}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(TargetError::NoNumber);
    }
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Ok(Target { parts: 0 });
    }
    if negative {
        return Err(TargetError::OutOfRange);
    }
    let kept = digits.trim_end_matches('0');
    // The number is 0.KEPT times ten to this power.
    let power =
        i64::from(exponent) + i64::from(shift) + digits.len() as i64 - decimals.len() as i64;
    let places = kept.len() as i64 - power;
    if power > 1 {
        return Err(TargetError::OutOfRange);
    }
    if places > PLACES as i64 {
        return Err(TargetError::TooFine);
    }
    let zeros = usize::try_from(PLACES as i64 - places).unwrap_or_default();
    let parts: u128 = format!("{kept}{}", "0".repeat(zeros))
        .parse()
        .map_err(|_| TargetError::OutOfRange)?;
    match u64::try_from(parts) {
        Ok(parts) if parts <= ONE => Ok(Target { parts }),
        _ => Err(TargetError::OutOfRange),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_kept() {
        for (text, percent, budget) in [
            ("99.9", "99.9", 0.001),
            ("99.95", "99.95", 0.0005),
            ("99.999", "99.999", 0.00001),
            ("9.99e1", "99.9", 0.001),
            ("0099.50", "99.5", 0.005),
            ("100", "100", 0.0),
            ("0", "0", 1.0),
            (".5", "0.5", 0.995),
        ] {
            let target = Target::of_percent(text).unwrap();
            assert_eq!(target.percent(), percent, "{text}");
            assert_eq!(target.budget(), budget, "{text}");
        }
        assert_eq!(Target::of_share("0.999"), Target::of_percent("99.9"));
        assert_eq!(Target::of_share("1").unwrap().fraction(), 1.0);
    }

    #[test]
    fn what_is_no_target_is_told() {
        use TargetError::{NoNumber, OutOfRange, TooFine};
        for (text, error) in [
            ("", NoNumber),
            (".", NoNumber),
            ("99,9", NoNumber),
            ("NaN", NoNumber),
            ("1e", NoNumber),
            ("100.1", OutOfRange),
            ("-1", OutOfRange),
            ("1e999999999", OutOfRange),
            ("1e-30", TooFine),
            ("99.99999999999999999999", TooFine),
        ] {
            assert_eq!(Target::of_percent(text), Err(error), "{text}");
        }
    }
}
