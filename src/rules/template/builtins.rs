//! The functions that Go itself gives to templates.

use std::rc::Rc;

use super::fmt;
use super::functions::Parameter::{Any, Text, Value as Anything};
use super::functions::{Body, Function, World, string, text};
use super::runes;
use super::value::{IntegerType, Slice, SliceType, StructureType, UnsignedType, Value};

#[rustfmt::skip]
pub(super) static BUILTINS: [Function; 19] = [
    // `and`, `or` and `call` are special: see `call.rs`.
    variadic("and", &[Anything, Anything], |_, _| Ok(Value::Nothing)),
    variadic("or", &[Anything, Anything], |_, _| Ok(Value::Nothing)),
    variadic("call", &[Anything, Anything], |_, _| Ok(Value::Nothing)),
    fixed("not", &[Anything], |_, values| Ok(Value::Bool(!values.first().is_some_and(Value::is_true)))),
    fixed("len", &[Anything], |_, values| length(first(values))),
    variadic("index", &[Anything, Anything], index),
    variadic("slice", &[Anything, Anything], slice),
    variadic("print", &[Any], |_, values| string(fmt::print(&values))),
    variadic("println", &[Any], |_, values| string(fmt::println(&values))),
    variadic("printf", &[Text, Any], |_, values| {
        string(fmt::printf(&text(&values, 0), values.get(1..).unwrap_or(&[])))
    }),
    variadic("html", &[Any], |_, values| string(html(&joined(values)))),
    variadic("js", &[Any], |_, values| string(js(&joined(values)))),
    variadic("urlquery", &[Any], |_, values| string(query_escape(&joined(values)))),
    variadic("eq", &[Anything, Anything], |_, values| equal_to_any(&values).map(Value::Bool)),
    fixed("ne", &[Anything, Anything], |_, values| equal_to_any(&values).map(|equal| Value::Bool(!equal))),
    fixed("lt", &[Anything, Anything], |_, values| below(&values).map(Value::Bool)),
    fixed("le", &[Anything, Anything], |_, values| at_most(&values).map(Value::Bool)),
    fixed("gt", &[Anything, Anything], |_, values| at_most(&values).map(|at_most| Value::Bool(!at_most))),
    fixed("ge", &[Anything, Anything], |_, values| below(&values).map(|below| Value::Bool(!below))),
];

const fn fixed(
    name: &'static str,
    parameters: &'static [super::functions::Parameter],
    body: Body,
) -> Function {
    Function {
        name,
        parameters,
        variadic: false,
        body,
    }
}

const fn variadic(
    name: &'static str,
    parameters: &'static [super::functions::Parameter],
    body: Body,
) -> Function {
    Function {
        variadic: true,
        ..fixed(name, parameters, body)
    }
}

fn first(values: Vec<Value>) -> Value {
    values.into_iter().next().unwrap_or(Value::Nothing)
}

// Parts.

fn length(item: Value) -> Result<Value, String> {
    if matches!(item, Value::Interface(None)) {
        return Err("len of nil pointer".to_owned());
    }
    let item = item.indirect();
    let length = match &item {
        Value::String(text) | Value::Html(text) => text.len(),
        Value::Labels(labels) => labels.len(),
        Value::Arguments(arguments) => arguments.entries.len(),
        Value::Slice(slice) => slice.len(),
        Value::Nil(_) if item.type_name() == SliceType::Samples.name() => 0,
        Value::Nil(_) => return Err("len of nil pointer".to_owned()),
        Value::Nothing => {
            return Err("reflect: call of reflect.Value.Type on zero Value".to_owned());
        }
        _ => return Err(format!("len of type {}", item.type_name())),
    };
    Ok(Value::int(length))
}

fn index(_: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    let mut values = values.into_iter();
    let mut item = values.next().unwrap_or(Value::Nothing).unboxed();
    if matches!(item, Value::Nothing) {
        return Err("index of untyped nil".to_owned());
    }
    for index in values {
        if matches!(item, Value::Interface(None)) {
            return Err("index of nil pointer".to_owned());
        }
        item = element(&item.indirect(), &index.unboxed())?;
    }
    Ok(item)
}

fn element(item: &Value, index: &Value) -> Result<Value, String> {
    match item {
        Value::String(text) | Value::Html(text) => {
            let at = index_argument(index, text.len())?;
            let byte = text.get(at).ok_or("reflect: string index out of range")?;
            Ok(Value::Unsigned(u64::from(*byte), UnsignedType::Uint8))
        }
        Value::Slice(slice) => {
            let at = index_argument(index, slice.len())?;
            let item = slice.item(at);
            Ok(item.ok_or("reflect: slice index out of range")?)
        }
        Value::Labels(labels) => Ok(Value::text(labels.value(&key(index)?))),
        Value::Arguments(arguments) => Ok(arguments
            .get(&key(index)?)
            .cloned()
            .unwrap_or(Value::Interface(None))),
        Value::Nil(_) if item.type_name() == SliceType::Samples.name() => {
            index_argument(index, 0)?;
            Err("reflect: slice index out of range".to_owned())
        }
        Value::Nil(_) => Err("index of nil pointer".to_owned()),
        _ => Err(format!("can't index item of type {}", item.type_name())),
    }
}

/// The key of a map: a string.
fn key(index: &Value) -> Result<String, String> {
    match index {
        Value::String(text) => Ok(String::from_utf8_lossy(text).into_owned()),
        Value::Nothing => Err("value is nil; should be of type string".to_owned()),
        _ => Err(format!(
            "value has type {}; should be string",
            index.type_name()
        )),
    }
}

/// An index that may be one past the end.
fn index_argument(index: &Value, length: usize) -> Result<usize, String> {
    let number = match index {
        Value::Integer(number, _) => *number,
        Value::Unsigned(number, _) => i64::try_from(*number).unwrap_or(-1),
        Value::Nothing => return Err("cannot index slice/array with nil".to_owned()),
        _ => {
            let kind = index.type_name();
            return Err(format!("cannot index slice/array with type {kind}"));
        }
    };
    usize::try_from(number)
        .ok()
        .filter(|number| *number <= length)
        .ok_or_else(|| format!("index out of range: {number}"))
}

fn slice(_: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    let mut values = values.into_iter();
    let item = values.next().unwrap_or(Value::Nothing).unboxed();
    if matches!(item, Value::Nothing) {
        return Err("slice of untyped nil".to_owned());
    }
    let item = item.indirect();
    let indexes: Vec<Value> = values.collect();
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let (length, capacity) = match &item {
        Value::String(_) | Value::Html(_) if indexes.len() == 3 => {
            return Err("cannot 3-index slice a string".to_owned());
        }
        Value::String(text) | Value::Html(text) => (text.len(), text.len()),
        Value::Slice(slice) => (slice.len(), slice.capacity()),
        Value::Nil(_) if item.type_name() == SliceType::Samples.name() => (0, 0),
        Value::Nil(_) => return Err("slice of nil pointer".to_owned()),
        _ => return Err(format!("can't slice item of type {}", item.type_name())),
    };
    let mut bounds = [0, length, capacity];
    for (bound, index) in bounds.iter_mut().zip(&indexes) {
        *bound = index_argument(index, capacity)?;
    }
    let [start, end, most] = bounds;
    for (low, high) in [(start, end), (end, most)] {
        if low > high {
            return Err(format!("invalid slice index: {low} > {high}"));
        }
    }
    let part = |text: &[u8]| text.get(start..end).map(Rc::from).unwrap_or_default();
    Ok(match &item {
        Value::String(text) => Value::String(part(text)),
        Value::Html(text) => Value::Html(part(text)),
        Value::Slice(slice) => Value::Slice(slice.part(start, end)),
        _ => item,
    })
}

// Comparisons.

const BAD_COMPARISON: &str = "invalid type for comparison";

/// What can be compared with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Complex,
    Int,
    Float,
    Text,
    Uint,
    Other,
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::Bool(_) => Kind::Bool,
        Value::Complex(..) => Kind::Complex,
        Value::Integer(..) => Kind::Int,
        Value::Float(_) => Kind::Float,
        Value::String(_) | Value::Html(_) => Kind::Text,
        Value::Unsigned(..) => Kind::Uint,
        _ => Kind::Other,
    }
}

fn pair(values: &[Value]) -> (Value, Value) {
    let get = |index: usize| values.get(index).cloned().unwrap_or(Value::Nothing);
    (get(0).unboxed(), get(1).unboxed())
}

fn incompatible(left: &Value, right: &Value) -> String {
    format!(
        "incompatible types for comparison: {} and {}",
        left.type_name(),
        right.type_name()
    )
}

/// Whether the first equals any of the others.
fn equal_to_any(values: &[Value]) -> Result<bool, String> {
    let Some((first, others)) = values
        .split_first()
        .filter(|(_, others)| !others.is_empty())
    else {
        return Err("missing argument for comparison".to_owned());
    };
    let first = first.clone().unboxed();
    for other in others {
        if equal(&first, &other.clone().unboxed())? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(left: &Value, right: &Value) -> Result<bool, String> {
    Ok(match (left, right) {
        (Value::Integer(left, _), Value::Unsigned(right, _))
        | (Value::Unsigned(right, _), Value::Integer(left, _)) => {
            u64::try_from(*left) == Ok(*right)
        }
        _ if kind(left) != kind(right) => match (left, right) {
            (Value::Nothing, _) | (_, Value::Nothing) => false,
            _ => return Err(incompatible(left, right)),
        },
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Complex(a, b), Value::Complex(c, d)) => a == c && b == d,
        (Value::Float(left), Value::Float(right)) => left == right,
        (Value::Integer(left, _), Value::Integer(right, _)) => left == right,
        (Value::Unsigned(left, _), Value::Unsigned(right, _)) => left == right,
        (Value::String(left) | Value::Html(left), Value::String(right) | Value::Html(right)) => {
            left == right
        }
        _ => return equal_others(left, right),
    })
}

/// Go's kinds of what is neither number, text nor bool.
fn shape(value: &Value) -> &'static str {
    match value {
        Value::Nothing => "nothing",
        Value::Labels(_) | Value::Arguments(_) => "map",
        Value::Slice(_) => "slice",
        Value::Nil(_) if value.type_name() == SliceType::Samples.name() => "slice",
        Value::Nil(_) | Value::Pointer(_) => "pointer",
        _ => "structure",
    }
}

fn is_nil(value: &Value) -> bool {
    matches!(value, Value::Nothing | Value::Nil(_))
}

fn equal_others(left: &Value, right: &Value) -> Result<bool, String> {
    let (left_shape, right_shape) = (shape(left), shape(right));
    let comparable =
        left_shape == right_shape || left_shape == "nothing" || right_shape == "nothing";
    if !comparable {
        return Err(format!(
            "non-comparable types {}: {}, {}: {}",
            fmt::display_string(left),
            left.type_name(),
            right.type_name(),
            fmt::display(right)
        ));
    }
    if is_nil(left) || is_nil(right) {
        return Ok(is_nil(left) == is_nil(right));
    }
    if !is_comparable(right) {
        return Err(format!(
            "non-comparable type {}: {}",
            fmt::display_string(right),
            right.type_name()
        ));
    }
    Ok(left.type_name() == right.type_name() && same(left, right))
}

fn is_comparable(value: &Value) -> bool {
    match value {
        Value::Pointer(_) | Value::Time(_) => true,
        Value::Structure(structure) => structure.kind == StructureType::Span,
        _ => false,
    }
}

fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Pointer(left), Value::Pointer(right)) => Rc::ptr_eq(left, right),
        (Value::Time(left), Value::Time(right)) => left == right,
        (Value::Structure(left), Value::Structure(right)) => left
            .fields
            .iter()
            .zip(&right.fields)
            .all(|((_, left), (_, right))| matches!(equal(left, right), Ok(true))),
        _ => false,
    }
}

fn below(values: &[Value]) -> Result<bool, String> {
    let (left, right) = pair(values);
    for value in [&left, &right] {
        if kind(value) == Kind::Other {
            return Err(BAD_COMPARISON.to_owned());
        }
    }
    Ok(match (&left, &right) {
        (Value::Integer(left, _), Value::Unsigned(right, _)) => {
            i128::from(*left) < i128::from(*right)
        }
        (Value::Unsigned(left, _), Value::Integer(right, _)) => {
            i128::from(*left) < i128::from(*right)
        }
        _ if kind(&left) != kind(&right) => return Err(incompatible(&left, &right)),
        (Value::Float(left), Value::Float(right)) => left < right,
        (Value::Integer(left, _), Value::Integer(right, _)) => left < right,
        (Value::Unsigned(left, _), Value::Unsigned(right, _)) => left < right,
        (Value::String(left) | Value::Html(left), Value::String(right) | Value::Html(right)) => {
            left < right
        }
        _ => return Err(BAD_COMPARISON.to_owned()),
    })
}

fn at_most(values: &[Value]) -> Result<bool, String> {
    Ok(below(values)? || equal_to_any(values)?)
}

// Escapes.

/// The arguments as they print, pointers followed.
fn joined(values: Vec<Value>) -> Vec<u8> {
    if let [Value::String(text)] = values.as_slice() {
        return text.to_vec();
    }
    let values: Vec<Value> = values.into_iter().map(printable).collect();
    fmt::print(&values)
}

/// What an action prints of a value.
pub(super) fn printable(value: Value) -> Value {
    match value {
        Value::Nothing | Value::Interface(None) => Value::text("<no value>"),
        Value::Pointer(inside) => match inside.as_ref() {
            Value::Histogram(_) => Value::Pointer(inside),
            Value::Structure(structure) if structure.kind == StructureType::Location => {
                Value::Pointer(inside)
            }
            _ => inside.as_ref().clone(),
        },
        value => value,
    }
}

fn html(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            byte => out.push(*byte),
        }
    }
    out
}

fn js(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for (c, _, raw) in runes::decode_all(text) {
        match c {
            '\\' | '\'' | '"' => {
                out.push(b'\\');
                out.extend_from_slice(raw);
            }
            '<' | '>' | '&' | '=' | '\0'..='\x1f' => {
                out.extend_from_slice(format!("\\u{:04X}", u32::from(c)).as_bytes());
            }
            c if c.is_ascii() || runes::is_print(c) => out.extend_from_slice(raw),
            c => out.extend_from_slice(format!("\\u{:04X}", u32::from(c)).as_bytes()),
        }
    }
    out
}

/// `url.QueryEscape`.
pub(super) fn query_escape(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text {
        match byte {
            b' ' => out.push('+'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(*byte));
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Keeps what only some tables of methods name in one place.
pub(super) fn bytes(text: &str) -> Value {
    let bytes = text
        .bytes()
        .map(|byte| Value::Unsigned(u64::from(byte), UnsignedType::Uint8));
    Value::Slice(Slice::new(SliceType::Bytes, bytes.collect()))
}

/// An `int64`.
pub(super) fn int64(value: i64) -> Value {
    Value::Integer(value, IntegerType::Int64)
}
