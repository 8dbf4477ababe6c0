//! Instants and lengths of time, and how Prometheus writes lengths.

use std::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Timestamp = i64;

/// A signed length of time in milliseconds.
pub type Millis = i64;

/// A length of time that reads and prints as Prometheus's `model.Duration`: `1h30m`, `5d`, `0s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(pub Millis);

/// A text that is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// There was nothing.
    #[error("empty duration string")]
    Empty,
    /// Not a chain of numbers and falling units.
    #[error("not a valid duration string: {0}")]
    Malformed(String),
    /// A unit that there is not; the unit and the whole, both quoted.
    #[error("unknown unit {0} in duration {1}")]
    UnknownUnit(String, String),
    /// More than an `i64` of nanoseconds, as in Prometheus.
    #[error("duration out of range")]
    OutOfRange,
}

/// Units from large to small, with their milliseconds.
const UNITS: [(&str, Millis); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl Duration {
    /// Reads `0` or a chain of `<integer><unit>` with units falling from `y` to `ms`.
    pub fn parse(text: &str) -> Result<Duration, DurationError> {
        match text {
            "0" => return Ok(Duration(0)),
            "" => return Err(DurationError::Empty),
            _ => {}
        }
        let malformed = || DurationError::Malformed(super::number::quote(text));
        let mut rest = text;
        let mut units = UNITS.iter();
        let mut total: Millis = 0;
        while !rest.is_empty() {
            let digits = rest
                .find(|c: char| !c.is_ascii_digit())
                .ok_or_else(malformed)?;
            let (number, after) = rest.split_at(digits);
            let unit_length = after
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(after.len());
            let (unit, after) = after.split_at(unit_length);
            let number: u64 = number.parse().map_err(|_| malformed())?;
            if unit.is_empty() {
                return Err(malformed());
            }
            if !UNITS.iter().any(|(name, _)| *name == unit) {
                let quoted = super::number::quote(text);
                return Err(DurationError::UnknownUnit(
                    super::number::quote(unit),
                    quoted,
                ));
            }
            let (_, factor) = units
                .find(|(name, _)| *name == unit)
                .ok_or_else(malformed)?;
            let part = i64::try_from(number)
                .ok()
                .and_then(|number| number.checked_mul(*factor));
            let sum = part.and_then(|part| total.checked_add(part));
            // Prometheus counts in nanoseconds and refuses what overflows them.
            let fits = sum.filter(|sum| sum.checked_mul(1_000_000).is_some());
            total = fits.ok_or(DurationError::OutOfRange)?;
            rest = after;
        }
        Ok(Duration(total))
    }

    /// The length in milliseconds.
    pub fn millis(self) -> Millis {
        self.0
    }
}

impl fmt::Display for Duration {
    /// Years and weeks only where nothing remains below them; zero is `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.unsigned_abs();
        if rest == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        for (unit, factor) in UNITS {
            let factor = factor.unsigned_abs();
            let exact_only = matches!(unit, "y" | "w");
            if rest >= factor && (!exact_only || rest.is_multiple_of(factor)) {
                write!(f, "{}{unit}", rest / factor)?;
                rest %= factor;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_as_prometheus() {
        for (text, millis, printed) in [
            ("0", 0, "0s"),
            ("90m", 5_400_000, "1h30m"),
            ("28d", 2_419_200_000, "4w"),
            ("90d", 7_776_000_000, "90d"),
            ("365d", 31_536_000_000, "1y"),
            ("1w2d3h4m5s6ms", 788_645_006, "9d3h4m5s6ms"),
        ] {
            assert_eq!(Duration::parse(text), Ok(Duration(millis)), "{text}");
            assert_eq!(Duration(millis).to_string(), printed);
        }
        for text in ["", "300", "5m1h", "1.5h", "m", "-5m", "1h1h", "5 m", "٣m"] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
        assert_eq!(Duration::parse("300y"), Err(DurationError::OutOfRange));
        for (text, error) in [
            ("1.5h", "unknown unit \".\" in duration \"1.5h\""),
            ("300", "not a valid duration string: \"300\""),
            ("1h5d", "not a valid duration string: \"1h5d\""),
            (
                "99999999999999999999y",
                "not a valid duration string: \"99999999999999999999y\"",
            ),
        ] {
            assert_eq!(Duration::parse(text).unwrap_err().to_string(), error);
        }
    }
}
