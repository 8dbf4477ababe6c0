//! Prints values: which of them print themselves, and how those look that are made of others.

use super::{MAX_TEXT, Printer};
use crate::rules::template::time::{self, Time};
use crate::rules::template::value::{IntegerType, NilType, StructureType, UnsignedType, Value};

/// Where every pointer seems to point: Go's addresses differ from run to run.
const ADDRESS: u64 = 0xc0_0000_0000;

impl Printer {
    /// A value that was handed to a formatting function.
    pub(super) fn argument(&mut self, value: &Value, verb: char) {
        match (verb, value) {
            (_, Value::Interface(Some(inside))) => self.argument(inside, verb),
            ('T' | 'v', Value::Nothing | Value::Interface(None)) => self.pad(b"<nil>"),
            (_, Value::Nothing | Value::Interface(None)) => self.bad_verb(value, verb),
            ('T', _) => self.string(value.type_name().as_bytes()),
            ('p', _) => self.pointer(value, 'p'),
            _ => self.value(value, verb, 0),
        }
    }

    pub(super) fn value(&mut self, value: &Value, verb: char, depth: usize) {
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

    pub(super) fn bad_verb(&mut self, value: &Value, verb: char) {
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
    pub(super) fn address(&mut self, number: u64, marked: bool) {
        let sharp = std::mem::replace(&mut self.flags.sharp, marked);
        self.digits(number, None, 16, 'v');
        self.flags.sharp = sharp;
    }
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

fn as_time(value: &Value) -> Option<Time> {
    match value {
        Value::Time(time) => Some(*time),
        Value::Pointer(inside) => as_time(inside),
        _ => None,
    }
}

/// Whether its type has a method `String`.
fn has_methods(value: &Value) -> bool {
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
pub(in crate::rules::template) fn own_text(value: &Value) -> Option<String> {
    match value {
        Value::Integer(number, IntegerType::Duration) => Some(time::duration_text(*number)),
        Value::Integer(number, IntegerType::Month) => Some(time::month_name(*number)),
        Value::Integer(number, IntegerType::Weekday) => Some(time::weekday_name(*number)),
        Value::Time(time) => Some(time.text()),
        Value::Pointer(inside) => match inside.as_ref() {
            Value::Histogram(histogram) => Some(histogram.to_string()),
            Value::Structure(structure) if structure.kind == StructureType::Location => {
                Some("UTC".to_owned())
            }
            inside => own_text(inside),
        },
        _ => None,
    }
}
