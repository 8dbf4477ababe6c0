//! `metric@st` lines: when the counter of each sample below started, as distances from the sample.

use crate::model::{Duration, Millis};

/// Reads the distances, `None` where there is none: `_`, `_x3`, `-1m`, `-1mx3` or `-1m-30sx3`.
///
/// # Errors
///
/// The item that is none of these.
pub(super) fn distances(text: &str, limit: usize) -> Result<Vec<Option<Millis>>, String> {
    let mut found = Vec::new();
    for word in text.split_whitespace() {
        let (item, count) = item(word).ok_or_else(|| format!("no distance: {word:?}"))?;
        if count > limit.saturating_sub(found.len()) {
            return Err(format!("more than {limit} distances"));
        }
        let mut next = item.first;
        for _ in 0..count {
            found.push(next);
            next = next.map(|distance| distance.saturating_add(item.step));
        }
    }
    Ok(found)
}

struct Item {
    first: Option<Millis>,
    step: Millis,
}

/// An item and how many places it takes.
fn item(word: &str) -> Option<(Item, usize)> {
    if let Some(rest) = word.strip_prefix('_') {
        let none = Item {
            first: None,
            step: 0,
        };
        return match rest.strip_prefix('x') {
            Some(count) => Some((none, count.parse().ok().filter(|&count| count > 0)?)),
            None => rest.is_empty().then_some((none, 1)),
        };
    }
    let (first, rest) = signed(word)?;
    let is_run = rest.starts_with(['+', '-']);
    let (step, rest) = match is_run {
        true => signed(rest)?,
        false => (0, rest),
    };
    let count = match rest.strip_prefix('x') {
        Some(count) => count.parse::<usize>().ok()?.checked_add(1)?,
        None if rest.is_empty() && !is_run => 1,
        None => return None,
    };
    let first = Some(first);
    Some((Item { first, step }, count))
}

/// A duration of one unit with or without a sign, and what follows.
fn signed(text: &str) -> Option<(Millis, &str)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_unit = |c: char| c.is_ascii_alphabetic() && c != 'x';
    let digits = unsigned
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(unsigned.len());
    let (number, after) = unsigned.split_at(digits);
    let unit = after.find(|c| !is_unit(c)).unwrap_or(after.len());
    let (length, rest) = unsigned.split_at(number.len() + unit);
    let millis = Duration::parse(length).ok()?.millis();
    Some((
        if text.starts_with('-') {
            -millis
        } else {
            millis
        },
        rest,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items() {
        let found = distances("_ -1m 5sx1 -1m+30sx2 _x2", 100);
        let expected = [
            None,
            Some(-60_000),
            Some(5_000),
            Some(5_000),
            Some(-60_000),
            Some(-30_000),
            Some(0),
            None,
            None,
        ];
        assert_eq!(found.as_deref(), Ok(&expected[..]));
        for wrong in ["x", "1m+", "_x0", "1mx", "1m+1m", "1m+0s", "1q", "1mx1000"] {
            assert!(distances(wrong, 100).is_err(), "{wrong}");
        }
    }
}
