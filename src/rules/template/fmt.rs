//! Go's `fmt`: verbs, flags, width, precision, and what it says of arguments that don't fit.

use super::float::format_float;
use super::runes;
use super::time;
use super::value::{IntegerType, NilType, StructureType, UnsignedType, Value};

/// How long a text may get.
pub(super) const MAX_TEXT: usize = 16 * 1024 * 1024;

/// Go takes widths and precisions up to a million.
const MAX_NUMBER: usize = 1_000_000;

/// Where every pointer seems to point: Go's addresses differ from run to run.
const ADDRESS: u64 = 0xc0_0000_0000;

/// `fmt.Sprint`: spaces only between operands of which neither is a string.
pub(super) fn print(values: &[Value]) -> Vec<u8> {
    let mut printer = Printer::default();
    let mut after_string = true;
    for value in values {
        let string = matches!(value, Value::String(_) | Value::Html(_));
        if !string && !after_string {
            printer.out.push(b' ');
        }
        printer.argument(value, 'v');
        after_string = string;
    }
    printer.out
}

/// `fmt.Sprintln`.
pub(super) fn println(values: &[Value]) -> Vec<u8> {
    let mut printer = Printer::default();
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            printer.out.push(b' ');
        }
        printer.argument(value, 'v');
    }
    printer.out.push(b'\n');
    printer.out
}

/// `fmt.Sprintf`.
pub(super) fn printf(format: &[u8], values: &[Value]) -> Vec<u8> {
    let mut printer = Printer::default();
    printer.format(format, values);
    printer.out
}

/// What `%v` prints.
pub(super) fn display(value: &Value) -> String {
    let mut printer = Printer::default();
    printer.value(value, 'v', 0);
    String::from_utf8_lossy(&printer.out).into_owned()
}

/// What `%s` prints.
pub(super) fn display_string(value: &Value) -> String {
    let mut printer = Printer::default();
    printer.value(value, 's', 0);
    String::from_utf8_lossy(&printer.out).into_owned()
}

#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%+v`: names of fields.
    names: bool,
    /// `%#v`: Go syntax.
    syntax: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

#[derive(Default)]
struct Printer {
    out: Vec<u8>,
    flags: Flags,
    /// While a wrong verb is being told of, methods are not asked.
    complaining: bool,
}

// Formats.
impl Printer {
    fn format(&mut self, format: &[u8], values: &[Value]) {
        let mut reader = FormatReader {
            format,
            at: 0,
            values,
            next: 0,
            reordered: false,
            good_index: true,
            after_index: false,
        };
        while self.out.len() < MAX_TEXT && reader.at < format.len() {
            let rest = format.get(reader.at..).unwrap_or(&[]);
            let plain = rest.iter().take_while(|byte| **byte != b'%').count();
            self.out.extend_from_slice(rest.get(..plain).unwrap_or(&[]));
            reader.at += plain;
            if reader.at < format.len() {
                reader.at += 1;
                self.verb(&mut reader);
            }
        }
        if !reader.reordered {
            self.extra(values.get(reader.next..).unwrap_or(&[]));
        }
    }

    fn verb(&mut self, reader: &mut FormatReader<'_>) {
        self.flags = reader.flags();
        reader.good_index = true;
        reader.index();
        self.width(reader);
        self.precision(reader);
        if !reader.after_index {
            reader.index();
        }
        let rest = reader.format.get(reader.at..).unwrap_or(&[]);
        let Some((verb, _, length)) = runes::decode(rest) else {
            self.out.extend_from_slice(b"%!(NOVERB)");
            return;
        };
        reader.at += length;
        if verb == '%' {
            self.out.push(b'%');
            return;
        }
        if !reader.good_index {
            return self.complain(verb, "(BADINDEX)");
        }
        let Some(value) = reader.values.get(reader.next) else {
            return self.complain(verb, "(MISSING)");
        };
        if matches!(verb, 'v' | 'w') {
            self.flags.syntax = std::mem::take(&mut self.flags.sharp);
            self.flags.names = std::mem::take(&mut self.flags.plus);
        }
        self.argument(value, verb);
        reader.next += 1;
    }

    fn width(&mut self, reader: &mut FormatReader<'_>) {
        if !reader.star() {
            self.flags.width = reader.number();
            if reader.after_index && self.flags.width.is_some() {
                reader.good_index = false;
            }
            return;
        }
        let Some(width) = reader.argument_number() else {
            self.out.extend_from_slice(b"%!(BADWIDTH)");
            return;
        };
        if width < 0 {
            self.flags.minus = true;
            self.flags.zero = false;
        }
        self.flags.width = usize::try_from(width.unsigned_abs()).ok();
    }

    fn precision(&mut self, reader: &mut FormatReader<'_>) {
        // A dot at the very end is the verb.
        let dot = reader.byte() == Some(b'.') && reader.at + 1 < reader.format.len();
        if !dot {
            return;
        }
        reader.at += 1;
        if reader.after_index {
            reader.good_index = false;
        }
        reader.index();
        if !reader.star() {
            self.flags.precision = Some(reader.number().unwrap_or(0));
            return;
        }
        let precision = reader.argument_number();
        self.flags.precision = precision.and_then(|precision| usize::try_from(precision).ok());
        if self.flags.precision.is_none() {
            self.out.extend_from_slice(b"%!(BADPREC)");
        }
    }

    fn complain(&mut self, verb: char, what: &str) {
        self.push("%!");
        self.push(verb.encode_utf8(&mut [0; 4]));
        self.push(what);
    }

    fn extra(&mut self, values: &[Value]) {
        if values.is_empty() {
            return;
        }
        self.flags = Flags::default();
        self.push("%!(EXTRA ");
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            match value {
                Value::Nothing => self.push("<nil>"),
                value => {
                    self.push(&value.type_name());
                    self.push("=");
                    self.argument(value, 'v');
                }
            }
        }
        self.push(")");
    }

    fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

/// Where the reading of a format stands.
struct FormatReader<'f> {
    format: &'f [u8],
    at: usize,
    values: &'f [Value],
    /// The value that the next verb takes.
    next: usize,
    reordered: bool,
    good_index: bool,
    after_index: bool,
}

impl FormatReader<'_> {
    fn byte(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    fn flags(&mut self) -> Flags {
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

    fn star(&mut self) -> bool {
        let star = self.byte() == Some(b'*');
        if star {
            self.at += 1;
            self.after_index = false;
        }
        star
    }

    /// Decimal digits; far too many make the rest of the format part of the number.
    fn number(&mut self) -> Option<usize> {
        let (number, end) = parse_number(self.format, self.at, self.format.len());
        self.at = end;
        number
    }

    /// `[3]`: which argument comes next.
    fn index(&mut self) {
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
    fn argument_number(&mut self) -> Option<i64> {
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

// Values.
impl Printer {
    /// A value that was handed to a formatting function.
    fn argument(&mut self, value: &Value, verb: char) {
        match (verb, value) {
            (_, Value::Interface(Some(inside))) => self.argument(inside, verb),
            ('T' | 'v', Value::Nothing | Value::Interface(None)) => self.pad(b"<nil>"),
            (_, Value::Nothing | Value::Interface(None)) => self.bad_verb(value, verb),
            ('T', _) => self.string(value.type_name().as_bytes()),
            ('p', _) => self.pointer(value, 'p'),
            _ => self.value(value, verb, 0),
        }
    }

    fn value(&mut self, value: &Value, verb: char, depth: usize) {
        if self.out.len() > MAX_TEXT || self.method(value, verb) {
            return;
        }
        match value {
            Value::Nothing | Value::Interface(None) if verb == 'v' => self.push("<nil>"),
            Value::Nothing | Value::Interface(None) => self.bad_verb(value, verb),
            Value::Interface(Some(inside)) => self.value(inside, verb, depth + 1),
            Value::Bool(inside) => self.boolean(*inside, verb),
            Value::Integer(number, _) => {
                self.integer(value, number.unsigned_abs(), Some(*number < 0), verb);
            }
            Value::Unsigned(number, _) => self.integer(value, *number, None, verb),
            Value::Float(number) => self.float(value, *number, verb),
            Value::Complex(real, imaginary) => self.complex(value, *real, *imaginary, verb),
            Value::String(text) | Value::Html(text) => self.text(value, text, verb),
            Value::Labels(labels) => {
                let entries = labels
                    .iter()
                    .map(|(name, text)| (name, Value::text(text)))
                    .collect::<Vec<_>>();
                self.map(
                    value,
                    entries.iter().map(|(name, text)| (*name, text)),
                    verb,
                    depth,
                );
            }
            Value::Arguments(arguments) => {
                let entries = &arguments.entries;
                let entries = entries.iter().map(|(name, value)| (name.as_str(), value));
                self.map(value, entries, verb, depth);
            }
            Value::Slice(slice) => self.slice(value, &slice.items(), verb, depth),
            Value::Structure(_) | Value::Time(_) | Value::Histogram(_) => {
                self.structure(value, verb, depth);
            }
            Value::Pointer(inside) => match inside.as_ref() {
                Value::Structure(_) | Value::Time(_) | Value::Histogram(_) if depth == 0 => {
                    self.push("&");
                    self.value_below(inside, verb);
                }
                _ => self.pointer(value, verb),
            },
            Value::Nil(NilType::Samples) => self.nil_slice(value, verb),
            Value::Nil(_) => self.pointer(value, verb),
        }
    }

    /// What a pointer points to: it has been asked for methods already.
    fn value_below(&mut self, value: &Value, verb: char) {
        match value {
            Value::Structure(_) | Value::Time(_) | Value::Histogram(_) => {
                if !self.method(value, verb) {
                    self.structure(value, verb, 1);
                }
            }
            _ => self.value(value, verb, 1),
        }
    }

    /// Lets a value that can print itself do so.
    fn method(&mut self, value: &Value, verb: char) -> bool {
        if self.complaining || !has_methods(value) && verb != 'w' {
            return false;
        }
        if verb == 'w' {
            self.bad_verb(value, verb);
            return true;
        }
        if self.flags.syntax {
            let Some(time) = as_time(value) else {
                return false;
            };
            let text = time.go_text();
            self.string(text.as_bytes());
            return true;
        }
        if !matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
            return false;
        }
        match own_text(value) {
            Some(text) => {
                self.text(value, text.as_bytes(), verb);
                true
            }
            None => false,
        }
    }

    fn bad_verb(&mut self, value: &Value, verb: char) {
        self.complaining = true;
        self.push("%!");
        self.push(verb.encode_utf8(&mut [0; 4]));
        self.push("(");
        match value {
            Value::Nothing | Value::Interface(None) => self.push("<nil>"),
            value => {
                self.push(&value.type_name());
                self.push("=");
                self.value(value, 'v', 0);
            }
        }
        self.push(")");
        self.complaining = false;
    }

    fn map<'v>(
        &mut self,
        map: &Value,
        entries: impl Iterator<Item = (&'v str, &'v Value)>,
        verb: char,
        depth: usize,
    ) {
        let syntax = self.flags.syntax;
        match syntax {
            true => {
                self.push(&map.type_name());
                self.push("{");
            }
            false => self.push("map["),
        }
        for (index, (name, value)) in entries.enumerate() {
            if index > 0 {
                self.push(if syntax { ", " } else { " " });
            }
            self.value(&Value::text(name), verb, depth + 1);
            self.push(":");
            self.slot(value, map, verb, depth);
        }
        self.push(if syntax { "}" } else { "]" });
    }

    /// An element of a map; nil in Go syntax names the type of its slot.
    fn slot(&mut self, value: &Value, map: &Value, verb: char, depth: usize) {
        match (value, map) {
            (Value::Nothing | Value::Interface(None), Value::Arguments(_)) => {
                self.push(match self.flags.syntax {
                    true => "interface {}(nil)",
                    false => "<nil>",
                });
            }
            _ => self.value(value, verb, depth + 1),
        }
    }

    fn slice(&mut self, slice: &Value, items: &[Value], verb: char, depth: usize) {
        if let Some(bytes) = as_bytes(items).filter(|_| !items.is_empty()) {
            match verb {
                's' => return self.string(&bytes),
                'x' | 'X' => return self.hexadecimal_text(&bytes, verb == 'X'),
                'q' => return self.quoted(&bytes),
                _ => {}
            }
        }
        let syntax = self.flags.syntax;
        match syntax {
            true => {
                self.push(&slice.type_name());
                self.push("{");
            }
            false => self.push("["),
        }
        for (index, value) in items.iter().enumerate() {
            if index > 0 {
                self.push(if syntax { ", " } else { " " });
            }
            self.value(value, verb, depth + 1);
        }
        self.push(if syntax { "}" } else { "]" });
    }

    fn nil_slice(&mut self, slice: &Value, _verb: char) {
        match self.flags.syntax {
            true => {
                self.push(&slice.type_name());
                self.push("(nil)");
            }
            false => self.push("[]"),
        }
    }

    fn structure(&mut self, value: &Value, verb: char, depth: usize) {
        let syntax = self.flags.syntax;
        if syntax {
            self.push(&value.type_name());
        }
        self.push("{");
        for (index, (name, field)) in value.fields().unwrap_or_default().iter().enumerate() {
            if index > 0 {
                self.push(if syntax { ", " } else { " " });
            }
            if syntax || self.flags.names {
                self.push(name);
                self.push(":");
            }
            match field {
                Value::Interface(Some(inside)) => self.value(inside, verb, depth + 1),
                Value::Interface(None) if syntax => self.push("interface {}(nil)"),
                Value::Interface(None) => self.push("<nil>"),
                field => self.value(field, verb, depth + 1),
            }
        }
        self.push("}");
    }

    fn pointer(&mut self, value: &Value, verb: char) {
        let address = match value {
            Value::Pointer(_) | Value::Slice(_) | Value::Labels(_) | Value::Arguments(_) => ADDRESS,
            Value::Nil(_) => 0,
            _ => return self.bad_verb(value, verb),
        };
        match verb {
            'v' if self.flags.syntax => {
                self.push("(");
                self.push(&value.type_name());
                self.push(")(");
                match address {
                    0 => self.push("nil"),
                    _ => self.address(address, true),
                }
                self.push(")");
            }
            'v' if address == 0 => self.pad(b"<nil>"),
            'v' | 'p' => self.address(address, !self.flags.sharp),
            'b' | 'o' | 'd' | 'x' | 'X' => self.integer(value, address, None, verb),
            _ => self.bad_verb(value, verb),
        }
    }

    /// A number as `0xc000` or, if not `marked`, `c000`.
    fn address(&mut self, number: u64, marked: bool) {
        let sharp = std::mem::replace(&mut self.flags.sharp, marked);
        self.digits(number, None, 16, 'v');
        self.flags.sharp = sharp;
    }

    fn boolean(&mut self, value: bool, verb: char) {
        match verb {
            't' | 'v' => self.pad(value.to_string().as_bytes()),
            _ => self.bad_verb(&Value::Bool(value), verb),
        }
    }

    /// `negative` is `None` for unsigned types.
    fn integer(&mut self, value: &Value, magnitude: u64, negative: Option<bool>, verb: char) {
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

    fn digits(&mut self, magnitude: u64, negative: Option<bool>, radix: u32, verb: char) {
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
    fn code_point(&mut self, code: u64) {
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

    fn quoted_character(&mut self, c: char) {
        let text = c.to_string();
        let quoted = runes::quote_with(text.as_bytes(), '\'', self.flags.plus);
        self.pad(quoted.as_bytes());
    }

    fn complex(&mut self, value: &Value, real: f64, imaginary: f64, verb: char) {
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

    fn float(&mut self, value: &Value, number: f64, verb: char) {
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
    fn not_finite(&mut self, number: f64, sign: char, digits: &str) {
        let bare = number.is_nan() && !self.flags.space && !self.flags.plus;
        // An infinity keeps its sign.
        match bare {
            true => self.pad_with_spaces(digits.as_bytes()),
            false => self.pad_with_spaces(format!("{sign}{digits}").as_bytes()),
        }
    }

    fn text(&mut self, value: &Value, text: &[u8], verb: char) {
        match verb {
            'v' if self.flags.syntax => self.quoted(text),
            'v' | 's' => self.string(text),
            'x' | 'X' => self.hexadecimal_text(text, verb == 'X'),
            'q' => self.quoted(text),
            _ => self.bad_verb(value, verb),
        }
    }

    /// Cuts a text to the precision, in characters.
    fn truncate<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.flags.precision else {
            return text;
        };
        let length = runes::decode_all(text)
            .take(precision)
            .map(|(_, _, raw)| raw.len())
            .sum();
        text.get(..length).unwrap_or(text)
    }

    fn string(&mut self, text: &[u8]) {
        let text = self.truncate(text);
        self.pad(text);
    }

    fn quoted(&mut self, text: &[u8]) {
        let text = self.truncate(text);
        if self.flags.sharp && runes::can_backquote(text) {
            let quoted = [b"`", text, b"`"].concat();
            return self.pad(&quoted);
        }
        let quoted = runes::quote_with(text, '"', self.flags.plus);
        self.pad(quoted.as_bytes());
    }

    /// Two digits a byte; with a space flag the bytes stand apart.
    fn hexadecimal_text(&mut self, text: &[u8], upper: bool) {
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
    fn pad(&mut self, text: &[u8]) {
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

    fn pad_with_spaces(&mut self, text: &[u8]) {
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

fn as_bytes(items: &[Value]) -> Option<Vec<u8>> {
    items
        .iter()
        .map(|item| match item {
            Value::Unsigned(byte, UnsignedType::Uint8) => u8::try_from(*byte).ok(),
            _ => None,
        })
        .collect()
}

fn as_time(value: &Value) -> Option<time::Time> {
    match value {
        Value::Time(time) => Some(*time),
        Value::Pointer(inside) => as_time(inside),
        _ => None,
    }
}

/// Whether its type has a method `String`.
pub(super) fn has_methods(value: &Value) -> bool {
    match value {
        Value::Integer(_, kind) => matches!(
            kind,
            IntegerType::Duration | IntegerType::Month | IntegerType::Weekday
        ),
        Value::Time(_) => true,
        Value::Pointer(inside) => match inside.as_ref() {
            Value::Histogram(_) => true,
            Value::Structure(structure) => structure.kind == StructureType::Location,
            inside => has_methods(inside),
        },
        _ => false,
    }
}

/// What the method `String` of a value returns.
pub(super) fn own_text(value: &Value) -> Option<String> {
    match value {
        Value::Integer(number, IntegerType::Duration) => Some(time::duration_text(*number)),
        Value::Integer(number, IntegerType::Month) => Some(time::month_name(*number)),
        Value::Integer(number, IntegerType::Weekday) => Some(time::weekday_name(*number)),
        Value::Time(time) => Some(time.text()),
        Value::Pointer(inside) => match inside.as_ref() {
            Value::Histogram(histogram) => Some(super::histogram_text(histogram)),
            Value::Structure(structure) if structure.kind == StructureType::Location => {
                Some("UTC".to_owned())
            }
            inside => own_text(inside),
        },
        _ => None,
    }
}
