//! What verbs make of numbers and texts, and padding.

use super::Printer;
use crate::rules::template::float::format_float;
use crate::rules::template::runes;
use crate::rules::template::value::Value;

impl Printer {
    pub(super) fn boolean(&mut self, value: bool, verb: char) {
        match verb {
            't' | 'v' => self.pad(value.to_string().as_bytes()),
            _ => self.bad_verb(&Value::Bool(value), verb),
        }
    }

    /// `negative` is `None` for unsigned types.
    pub(super) fn integer(
        &mut self,
        value: &Value,
        magnitude: u64,
        negative: Option<bool>,
        verb: char,
    ) {
        match verb {
            'v' if self.flags.syntax && negative.is_none() => self.address(magnitude, true),
            'v' | 'd' => self.digits(magnitude, negative, 10, verb),
            'b' => self.digits(magnitude, negative, 2, verb),
            'o' | 'O' => self.digits(magnitude, negative, 8, verb),
            'x' | 'X' => self.digits(magnitude, negative, 16, verb),
            'c' | 'q' | 'U' => {
                let code = match negative {
                    Some(true) => magnitude.wrapping_neg(),
                    _ => magnitude,
                };
                match verb {
                    'c' => self.pad(character(code).encode_utf8(&mut [0; 4]).as_bytes()),
                    'q' => self.quoted_character(character(code)),
                    _ => self.code_point(code),
                }
            }
            _ => self.bad_verb(value, verb),
        }
    }

    pub(super) fn digits(
        &mut self,
        magnitude: u64,
        negative: Option<bool>,
        radix: u32,
        verb: char,
    ) {
        let negative = negative == Some(true);
        let signed = negative || self.flags.plus || self.flags.space;
        let zeros = match (self.flags.precision, self.flags.width) {
            (Some(0), _) if magnitude == 0 => {
                let width = self.flags.width.unwrap_or(0);
                self.out.extend(std::iter::repeat_n(b' ', width));
                return;
            }
            (Some(precision), _) => precision,
            (None, Some(width)) if self.flags.zero && !self.flags.minus => {
                width.saturating_sub(usize::from(signed))
            }
            _ => 0,
        };
        let digits = match radix {
            2 => format!("{magnitude:b}"),
            8 => format!("{magnitude:o}"),
            16 if verb == 'X' => format!("{magnitude:X}"),
            16 => format!("{magnitude:x}"),
            _ => magnitude.to_string(),
        };
        let padding = "0".repeat(zeros.saturating_sub(digits.len()));
        let body = format!("{padding}{digits}");
        let sharp = match radix {
            2 if self.flags.sharp => "0b",
            8 if self.flags.sharp && !body.starts_with('0') => "0",
            16 if self.flags.sharp && verb == 'X' => "0X",
            16 if self.flags.sharp => "0x",
            _ => "",
        };
        let octal = if verb == 'O' { "0o" } else { "" };
        let sign = match () {
            () if negative => "-",
            () if self.flags.plus => "+",
            () if self.flags.space => " ",
            () => "",
        };
        self.pad_with_spaces(format!("{sign}{octal}{sharp}{body}").as_bytes());
    }

    /// `U+0041`, with a sharp flag `U+0041 'A'`.
    pub(super) fn code_point(&mut self, code: u64) {
        let digits = self.flags.precision.unwrap_or(4).max(4);
        let hexadecimal = format!("{code:X}");
        let zeros = "0".repeat(digits.saturating_sub(hexadecimal.len()));
        let shown = u32::try_from(code).ok().and_then(char::from_u32);
        let quoted = match shown.filter(|c| self.flags.sharp && runes::is_print(*c)) {
            Some(c) => format!(" '{c}'"),
            None => String::new(),
        };
        self.pad_with_spaces(format!("U+{zeros}{hexadecimal}{quoted}").as_bytes());
    }

    pub(super) fn quoted_character(&mut self, c: char) {
        let text = c.to_string();
        let quoted = runes::quote_with(text.as_bytes(), '\'', self.flags.plus);
        self.pad(quoted.as_bytes());
    }

    pub(super) fn complex(&mut self, value: &Value, real: f64, imaginary: f64, verb: char) {
        if !matches!(
            verb,
            'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E'
        ) {
            return self.bad_verb(value, verb);
        }
        let plus = self.flags.plus;
        self.push("(");
        self.float(value, real, verb);
        self.flags.plus = true;
        self.float(value, imaginary, verb);
        self.push("i)");
        self.flags.plus = plus;
    }

    pub(super) fn float(&mut self, value: &Value, number: f64, verb: char) {
        let (format, default) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'f' | 'e' | 'E' => (verb, Some(6)),
            'F' => ('f', Some(6)),
            _ => return self.bad_verb(value, verb),
        };
        let precision = self.flags.precision.or(default);
        let text = format_float(number, format, precision);
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ('-', digits),
            None => ('+', text.strip_prefix('+').unwrap_or(&text)),
        };
        let sign = match sign {
            '+' if self.flags.space && !self.flags.plus => ' ',
            sign => sign,
        };
        if !number.is_finite() {
            return self.not_finite(number, sign, digits);
        }
        let mut digits = digits.to_owned();
        if self.flags.sharp && format != 'b' {
            digits = keep_zeros(&digits, format, precision);
        }
        if !self.flags.plus && sign == '+' {
            return self.pad(digits.as_bytes());
        }
        let width = self.flags.width.unwrap_or(0);
        if self.flags.zero && !self.flags.minus && width > digits.len() + 1 {
            self.push(sign.encode_utf8(&mut [0; 4]));
            let zeros = width - digits.len() - 1;
            self.out.extend(std::iter::repeat_n(b'0', zeros));
            return self.push(&digits);
        }
        self.pad(format!("{sign}{digits}").as_bytes());
    }

    /// Infinities and NaN don't look like numbers: no zeros before them.
    pub(super) fn not_finite(&mut self, number: f64, sign: char, digits: &str) {
        let bare = number.is_nan() && !self.flags.space && !self.flags.plus;
        // An infinity keeps its sign.
        match bare {
            true => self.pad_with_spaces(digits.as_bytes()),
            false => self.pad_with_spaces(format!("{sign}{digits}").as_bytes()),
        }
    }

    pub(super) fn text(&mut self, value: &Value, text: &[u8], verb: char) {
        match verb {
            'v' if self.flags.syntax => self.quoted(text),
            'v' | 's' => self.string(text),
            'x' | 'X' => self.hexadecimal_text(text, verb == 'X'),
            'q' => self.quoted(text),
            _ => self.bad_verb(value, verb),
        }
    }

    /// Cuts a text to the precision, in characters.
    pub(super) fn truncate<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.flags.precision else {
            return text;
        };
        let length = runes::decode_all(text)
            .take(precision)
            .map(|(_, _, raw)| raw.len())
            .sum();
        text.get(..length).unwrap_or(text)
    }

    pub(super) fn string(&mut self, text: &[u8]) {
        let text = self.truncate(text);
        self.pad(text);
    }

    pub(super) fn quoted(&mut self, text: &[u8]) {
        let text = self.truncate(text);
        if self.flags.sharp && runes::can_backquote(text) {
            let quoted = [b"`", text, b"`"].concat();
            return self.pad(&quoted);
        }
        let quoted = runes::quote_with(text, '"', self.flags.plus);
        self.pad(quoted.as_bytes());
    }

    /// Two digits a byte; with a space flag the bytes stand apart.
    pub(super) fn hexadecimal_text(&mut self, text: &[u8], upper: bool) {
        let length = text.len().min(self.flags.precision.unwrap_or(usize::MAX));
        let bytes = text.get(..length).unwrap_or(text);
        let prefix = match (self.flags.sharp, upper) {
            (true, true) => "0X",
            (true, false) => "0x",
            _ => "",
        };
        let mut out = String::with_capacity(length * 2 + 2);
        for (index, byte) in bytes.iter().enumerate() {
            if index > 0 && self.flags.space {
                out.push(' ');
            }
            if index == 0 || self.flags.space {
                out.push_str(prefix);
            }
            let digits = match upper {
                true => format!("{byte:02X}"),
                false => format!("{byte:02x}"),
            };
            out.push_str(&digits);
        }
        self.pad(out.as_bytes());
    }

    /// Fills up to the width; zeros only on the left.
    pub(super) fn pad(&mut self, text: &[u8]) {
        let Some(width) = self.flags.width else {
            return self.out.extend_from_slice(text);
        };
        let missing = width.saturating_sub(runes::count(text));
        if self.flags.minus {
            self.out.extend_from_slice(text);
            self.out.extend(std::iter::repeat_n(b' ', missing));
            return;
        }
        let filler = if self.flags.zero { b'0' } else { b' ' };
        self.out.extend(std::iter::repeat_n(filler, missing));
        self.out.extend_from_slice(text);
    }

    pub(super) fn pad_with_spaces(&mut self, text: &[u8]) {
        let zero = std::mem::take(&mut self.flags.zero);
        self.pad(text);
        self.flags.zero = zero;
    }
}

/// What is no character becomes the replacement.
fn character(code: u64) -> char {
    u32::try_from(code)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(runes::REPLACEMENT)
}

/// The sharp flag: always a point, and the zeros that were left off.
fn keep_zeros(digits: &str, format: char, precision: Option<usize>) -> String {
    let hexadecimal = matches!(format, 'x' | 'X');
    let tail_at = digits.find(|c: char| match hexadecimal {
        true => matches!(c, 'p' | 'P'),
        false => matches!(c, 'e' | 'E'),
    });
    let (head, tail) = digits.split_at(tail_at.unwrap_or(digits.len()));
    let mut missing = match format {
        'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let mut out = head.to_owned();
    let significant = head.trim_start_matches(['0', '.']);
    let mut counted = significant.chars().filter(|c| *c != '.').count();
    if !head.contains('.') {
        if head == "0" {
            counted = counted.saturating_add(1);
        }
        out.push('.');
    }
    missing = missing.saturating_sub(counted);
    out.push_str(&"0".repeat(missing));
    out.push_str(tail);
    out
}
