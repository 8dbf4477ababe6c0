//! Numbers as people write them into tests: `12%`, `50/s`, `400ms`, `10x`.

use crate::model::{Duration, Millis};
use crate::series::generate::DAY;

/// Why a text is no amount.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::suite) struct Wrong {
    /// What is wrong, as a fragment without a final dot.
    pub(super) message: String,
    /// What to do about it.
    pub(super) help: String,
}

/// Nobody needs more, and everything that is made of it stays a number.
const LARGEST: f64 = 1e15;

const UNITS: [(&str, Millis); 4] = [("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", DAY)];

/// A number.
pub(super) fn number(text: &str) -> Result<f64, Wrong> {
    match plain(text) {
        Some(number) if number.abs() <= LARGEST => Ok(number),
        Some(_) => wrong(format!("{text} is too large"), "the largest number is 1e15"),
        None => wrong(
            format!("{text:?} is no number"),
            "write a number such as `200` or `0.5`",
        ),
    }
}

/// What stands there, however large.
fn plain(text: &str) -> Option<f64> {
    let is_part = |letter: char| {
        letter.is_ascii_digit() || matches!(letter, '+' | '-' | '.' | 'e' | 'E' | '_')
    };
    let number = text.chars().all(is_part).then(|| text.replace('_', ""))?;
    number.parse().ok()
}

/// A number from 0 on.
pub(super) fn positive(text: &str) -> Result<f64, Wrong> {
    match number(text)? {
        number if number < 0.0 => wrong(
            format!("{text} is below 0"),
            "a counter has no negative value",
        ),
        number => Ok(number),
    }
}

/// A share of a whole: `0.12` or `12%`.
pub(in crate::suite) fn ratio(text: &str) -> Result<f64, Wrong> {
    let share = match text.strip_suffix('%') {
        Some(percent) => number(percent.trim_end()).map(|percent| percent / 100.0),
        None => number(text),
    };
    let Ok(share) = share else {
        return wrong(format!("{text:?} is no ratio"), "write `12%` or `0.12`");
    };
    match share {
        share if share < 0.0 => wrong(
            format!("{text} is below 0"),
            "write a ratio from 0 to 1, such as `12%` or `0.12`",
        ),
        share if share > 1.0 && !text.ends_with('%') => wrong(
            format!("{text} is more than all"),
            format!("did you mean `{text}%`?"),
        ),
        share if share > 1.0 => wrong(format!("{text} is more than all"), "write at most `100%`"),
        share => Ok(share),
    }
}

/// How much comes in a day: of `50/s`, `3000/m`, `10/h`, `1e6/d`. It may be negative.
pub(super) fn speed(text: &str) -> Result<f64, Wrong> {
    let help = "write how many come in what time: `50/s`, `3000/m`, `10/h` or `1e6/d`";
    let Some((amount, unit)) = text.split_once('/') else {
        return match number(text) {
            Ok(_) => wrong(
                format!("{text} in what time"),
                format!("did you mean `{text}/s`?"),
            ),
            Err(_) => wrong(format!("{text:?} is no rate"), help),
        };
    };
    let Some((_, millis)) = UNITS.iter().find(|(name, _)| *name == unit.trim()) else {
        return wrong(format!("{unit:?} is no unit of time here"), help);
    };
    let amount = amount.trim_end();
    let number =
        number(amount).or_else(|_| wrong(format!("{amount:?} is no number of things"), help))?;
    Ok(number * (DAY / millis) as f64)
}

/// A rate from 0 on, a day.
pub(super) fn rate(text: &str) -> Result<f64, Wrong> {
    match speed(text)? {
        rate if rate < 0.0 => wrong(
            format!("a rate below 0, {text}"),
            "a counter only grows: write a rate from 0 on",
        ),
        rate => Ok(rate),
    }
}

/// A rate above 0, a day.
pub(in crate::suite) fn some_rate(text: &str) -> Result<f64, Wrong> {
    match rate(text)? {
        0.0 => {
            let help = "write a rate above 0, such as `50/s`";
            wrong(format!("a rate of 0, {text}"), help)
        }
        rate => Ok(rate),
    }
}

/// Something that is observed: a length of time, in seconds, or a number, above 0.
pub(super) fn observed(text: &str) -> Result<f64, Wrong> {
    let help = "write a length of time such as `400ms`, or a number such as `0.4`";
    let value = match (number(text), Duration::parse(text)) {
        (Ok(number), _) => number,
        (_, Ok(duration)) => duration.millis() as f64 / 1000.0,
        _ => return wrong(format!("{text:?} is no length of time and no number"), help),
    };
    match value > 0.0 {
        true => Ok(value),
        false => wrong(format!("{text} is not above 0"), help),
    }
}

/// How many times: `10x`.
pub(super) fn times(text: &str) -> Option<Result<f64, Wrong>> {
    let factor = text.strip_suffix('x')?;
    Some(match number(factor.trim_end()) {
        Ok(factor) if (0.0..=1e6).contains(&factor) => Ok(factor),
        _ => wrong(
            format!("{text:?} is no multiple"),
            "write how many times as much it is, such as `10x`; at most `1000000x`",
        ),
    })
}

pub(super) fn wrong<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong {
        message: message.into(),
        help: help.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        assert_eq!(ratio("12%"), Ok(0.12));
        assert_eq!(ratio("0.1%"), Ok(0.001));
        assert_eq!(ratio("1"), Ok(1.0));
        assert_eq!(rate("50/s"), Ok(4_320_000.0));
        assert_eq!(rate("1e6/d"), Ok(1e6));
        assert_eq!(speed("-10/m"), Ok(-14_400.0));
        assert_eq!(observed("1m400ms"), Ok(60.4));
        assert_eq!(observed("0.4"), Ok(0.4));
        assert_eq!(times("2.5x"), Some(Ok(2.5)));
        assert_eq!(times("2.5"), None);
        for text in ["", "inf", "NaN", "1e16", "x", "1/s", "--1", "1,5"] {
            assert!(number(text).is_err(), "{text}");
        }
        for text in ["50", "50/", "/s", "50/ms", "-1/s", "50 per s"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
