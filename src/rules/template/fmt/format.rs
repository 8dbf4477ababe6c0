//! Reads format strings: flags, `[3]`, `*`, widths and precisions.

use super::Flags;
use crate::rules::template::value::Value;

/// Go takes widths and precisions up to a million.
const MAX_NUMBER: usize = 1_000_000;

/// Where the reading of a format stands.
pub(super) struct FormatReader<'f> {
    pub(super) format: &'f [u8],
    pub(super) at: usize,
    pub(super) values: &'f [Value],
    /// The value that the next verb takes.
    pub(super) next: usize,
    pub(super) reordered: bool,
    pub(super) good_index: bool,
    pub(super) after_index: bool,
}

impl FormatReader<'_> {
    pub(super) fn byte(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    pub(super) fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        while let Some(byte) = self.byte() {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        flags
    }

    pub(super) fn star(&mut self) -> bool {
        let star = self.byte() == Some(b'*');
        if star {
            self.at += 1;
            self.after_index = false;
        }
        star
    }

    /// Decimal digits; far too many make the rest of the format part of the number.
    pub(super) fn number(&mut self) -> Option<usize> {
        let (number, end) = parse_number(self.format, self.at, self.format.len());
        self.at = end;
        number
    }

    /// `[3]`: which argument comes next.
    pub(super) fn index(&mut self) {
        self.after_index = false;
        if self.byte() != Some(b'[') {
            return;
        }
        self.reordered = true;
        let rest = self.format.get(self.at..).unwrap_or(&[]);
        let close = rest.iter().position(|byte| *byte == b']');
        let Some(close) = close.filter(|_| rest.len() >= 3) else {
            self.at += 1;
            self.good_index = false;
            return;
        };
        let (number, end) = parse_number(rest, 1, close);
        self.at += close + 1;
        let Some(number) = number.filter(|_| end == close) else {
            self.good_index = false;
            return;
        };
        self.after_index = true;
        match number.checked_sub(1) {
            Some(index) if index < self.values.len() => self.next = index,
            _ => self.good_index = false,
        }
    }

    /// The next argument as a width or precision.
    pub(super) fn argument_number(&mut self) -> Option<i64> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        let number = match value {
            Value::Integer(number, _) => *number,
            Value::Unsigned(number, _) => i64::try_from(*number).ok()?,
            _ => return None,
        };
        (number.unsigned_abs() <= MAX_NUMBER as u64).then_some(number)
    }
}

fn parse_number(format: &[u8], start: usize, end: usize) -> (Option<usize>, usize) {
    let mut number = None;
    let mut at = start;
    while at < end {
        let Some(digit) = format.get(at).filter(|byte| byte.is_ascii_digit()) else {
            break;
        };
        if number.is_some_and(|number| number > MAX_NUMBER) {
            return (None, end);
        }
        number = Some(number.unwrap_or(0) * 10 + usize::from(digit - b'0'));
        at += 1;
    }
    (number, at)
}
