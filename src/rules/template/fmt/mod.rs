//! Go's `fmt`: verbs, flags, width, precision, and what it says of arguments that don't fit.

mod format;
mod values;
mod verbs;

use super::runes;
use super::value::Value;
use format::FormatReader;
pub(in crate::rules::template) use values::own_text;

/// How long a text may get.
pub(super) const MAX_TEXT: usize = 16 * 1024 * 1024;

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
