//! The functions of templates: a row for each, Go's own in `builtins.rs`, Prometheus's here.

use std::cell::Cell;
use std::rc::Rc;

use super::builtins;
use super::float::format_float;
use super::fmt;
use super::literal;
use super::runes;
use super::time::{SECOND, Time, duration_in};
use super::value::{Arguments, NilType, Slice, SliceType, Structure, StructureType, Value};
use super::value::{IntegerType, UnsignedType};
use super::{QueryFn, QuerySample, TemplateData, TemplateValueOwned};
use crate::model::{Duration, DurationError, Labels, Regex};

/// A function of templates.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// Whether the last parameter takes any number of arguments.
    pub(super) variadic: bool,
    pub(super) body: Body,
}

/// What a function runs. An error is what Go's function returns or panics with.
pub(super) type Body = fn(&World<'_>, Vec<Value>) -> Result<Value, String>;

/// The type of a parameter: what may be given for it and what a literal becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    /// Anything, with the slot it lies in (`reflect.Value`).
    Value,
    /// Anything (`interface {}`).
    Any,
    Text,
    Samples,
    Sample,
    Int,
    Duration,
    Time,
    Bytes,
    Location,
}

/// What functions can see and how much work is left.
pub(super) struct World<'a> {
    pub(super) data: &'a TemplateData<'a>,
    pub(super) query: &'a QueryFn<'a>,
    pub(super) work_left: Cell<u64>,
}

/// How many maps may be inside each other.
const MAX_MAPS: usize = 100;

/// What Go says where Prometheus's own address is not known, as in a test of rules.
const NIL_POINTER: &str = "runtime error: invalid memory address or nil pointer dereference";

use Parameter::{Any, Sample, Samples, Text};

#[rustfmt::skip]
static PROMETHEUS: [Function; 29] = [
    row("query", &[Text], query),
    row("first", &[Samples], first),
    row("label", &[Text, Sample], label),
    row("value", &[Sample], value),
    row("strvalue", &[Sample], |_, values| label_of(&values, 0, "__value__")),
    Function { name: "args", parameters: &[Any], variadic: true, body: args },
    row("reReplaceAll", &[Text, Text, Text], replace_all),
    row("safeHtml", &[Text], |_, values| Ok(Value::Html(text(&values, 0)))),
    row("match", &[Text, Text], matches),
    row("title", &[Text], |_, values| string(runes::title(&text(&values, 0)))),
    row("toUpper", &[Text], |_, values| string(runes::to_upper(&text(&values, 0)))),
    row("toLower", &[Text], |_, values| string(runes::to_lower(&text(&values, 0)))),
    row("graphLink", &[Text], |_, values| string(link(&text(&values, 0), 0))),
    row("tableLink", &[Text], |_, values| string(link(&text(&values, 0), 1))),
    row("sortByLabel", &[Text, Samples], sort_by_label),
    row("stripPort", &[Text], |_, values| string(strip_port(&text(&values, 0)))),
    row("stripDomain", &[Text], |_, values| string(strip_domain(&text(&values, 0)))),
    row("humanize", &[Any], |_, values| number(&values).and_then(|value| string(humanize(value)))),
    row("humanize1024", &[Any], |_, values| number(&values).and_then(|value| string(humanize_1024(value)))),
    row("humanizeDuration", &[Any], |_, values| number(&values).and_then(|value| string(humanize_duration(value)))),
    row("humanizePercentage", &[Any], |_, values| number(&values).and_then(|value| string(four_digits(value * 100.0) + "%"))),
    row("humanizeTimestamp", &[Any], humanize_timestamp),
    row("toTime", &[Any], |_, values| number(&values).and_then(to_time).map(|time| Value::pointer(Value::Time(time)))),
    row("toDuration", &[Any], |_, values| number(&values).map(to_duration)),
    row("now", &[], |world, _| Ok(Value::Float(world.data.now as f64 / 1000.0))),
    row("pathPrefix", &[], |_, _| Err(NIL_POINTER.to_owned())),
    row("externalURL", &[], |_, _| Err(NIL_POINTER.to_owned())),
    row("parseDuration", &[Text], parse_duration),
    row("urlQueryEscape", &[Text], |_, values| string(builtins::query_escape(&text(&values, 0)))),
];

const fn row(name: &'static str, parameters: &'static [Parameter], body: Body) -> Function {
    Function {
        name,
        parameters,
        variadic: false,
        body,
    }
}

/// The function of a name; none of Prometheus's is named like one of Go's.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    PROMETHEUS
        .iter()
        .chain(&builtins::BUILTINS)
        .find(|function| function.name == name)
}

impl Parameter {
    /// The Go type, as error texts name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Parameter::Value => "reflect.Value",
            Parameter::Any => "interface {}",
            Parameter::Text => "string",
            Parameter::Samples => "template.queryResult",
            Parameter::Sample => "*template.sample",
            Parameter::Int => "int",
            Parameter::Duration => "time.Duration",
            Parameter::Time => "time.Time",
            Parameter::Bytes => "[]uint8",
            Parameter::Location => "*time.Location",
        }
    }

    /// What nil becomes, where it may be given.
    pub(super) fn nil(self) -> Option<Value> {
        match self {
            Parameter::Value | Parameter::Any => Some(Value::Nothing),
            Parameter::Samples => Some(Value::Nil(NilType::Samples)),
            Parameter::Sample => Some(Value::Nil(NilType::Sample)),
            Parameter::Location => Some(Value::Nil(NilType::Location)),
            Parameter::Bytes => Some(Value::Slice(Slice::new(SliceType::Bytes, Vec::new()))),
            _ => None,
        }
    }

    /// Whether a value is of this type.
    pub(super) fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Parameter::Value | Parameter::Any, _) => true,
            (Parameter::Text, Value::String(_)) => true,
            (Parameter::Samples, Value::Slice(slice)) => slice.kind == SliceType::Samples,
            (Parameter::Samples, Value::Nil(kind)) => *kind == NilType::Samples,
            (Parameter::Sample, Value::Nil(kind)) => *kind == NilType::Sample,
            (Parameter::Sample, Value::Pointer(inside)) => {
                is_structure(inside, StructureType::Sample)
            }
            (Parameter::Int, Value::Integer(_, kind)) => *kind == IntegerType::Int,
            (Parameter::Duration, Value::Integer(_, kind)) => *kind == IntegerType::Duration,
            (Parameter::Time, Value::Time(_)) => true,
            (Parameter::Bytes, Value::Slice(slice)) => slice.kind == SliceType::Bytes,
            (Parameter::Location, Value::Pointer(inside)) => {
                is_structure(inside, StructureType::Location)
            }
            _ => false,
        }
    }
}

fn is_structure(value: &Value, kind: StructureType) -> bool {
    matches!(value, Value::Structure(structure) if structure.kind == kind)
}

impl World<'_> {
    /// Counts work done, so that no template runs without end.
    pub(super) fn work(&self, units: usize) -> Result<(), String> {
        let units = u64::try_from(units).unwrap_or(u64::MAX);
        match self.work_left.get().checked_sub(units) {
            Some(left) => {
                self.work_left.set(left);
                Ok(())
            }
            None => Err("the template does too much work".to_owned()),
        }
    }
}

// Arguments: their types were checked before.

pub(super) fn text(values: &[Value], index: usize) -> Rc<[u8]> {
    match values.get(index) {
        Some(Value::String(text) | Value::Html(text)) => Rc::clone(text),
        _ => Rc::from([].as_slice()),
    }
}

pub(super) fn lossy(values: &[Value], index: usize) -> String {
    String::from_utf8_lossy(&text(values, index)).into_owned()
}

/// A string result, if it is not too long.
pub(super) fn string(text: impl Into<Vec<u8>>) -> Result<Value, String> {
    let text = text.into();
    match text.len() > fmt::MAX_TEXT {
        true => Err(format!("a text longer than {} bytes", fmt::MAX_TEXT)),
        false => Ok(Value::String(Rc::from(text))),
    }
}

/// The first argument as a number, as Prometheus's `ConvertToFloat`.
fn number(values: &[Value]) -> Result<f64, String> {
    match values.first() {
        Some(Value::Float(value)) => Ok(*value),
        Some(Value::String(text)) => {
            let lossy = String::from_utf8_lossy(text);
            literal::parse_float(&lossy).map_err(|error| {
                format!(
                    "strconv.ParseFloat: parsing {}: {error}",
                    runes::quote(text)
                )
            })
        }
        Some(Value::Integer(value, IntegerType::Int | IntegerType::Int64)) => Ok(*value as f64),
        Some(Value::Unsigned(value, UnsignedType::Uint64)) => Ok(*value as f64),
        Some(Value::Integer(value, IntegerType::Duration)) => Ok(duration_in(*value, SECOND)),
        Some(other) => Err(format!("can't convert {} to float", other.type_name())),
        None => Err("can't convert <nil> to float".to_owned()),
    }
}

// Queries.

fn query(world: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    let samples = (world.query)(&lossy(&values, 0))?;
    world.work(samples.len() * 100)?;
    let samples = samples.into_iter().map(sample).collect();
    Ok(Value::Slice(Slice::new(SliceType::Samples, samples)))
}

fn sample(sample: QuerySample) -> Value {
    let value = match sample.value {
        TemplateValueOwned::Float(value) => Value::Float(value),
        TemplateValueOwned::Histogram(histogram) => {
            Value::pointer(Value::Histogram(Rc::new(histogram)))
        }
    };
    Value::pointer(Value::Structure(Rc::new(Structure {
        kind: StructureType::Sample,
        fields: vec![
            ("Labels", Value::Labels(sample.labels)),
            ("Value", value.boxed()),
        ],
    })))
}

fn first(_: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    match values.first() {
        Some(Value::Slice(slice)) => slice.item(0),
        _ => None,
    }
    .ok_or_else(|| "first() called on vector with no elements".to_owned())
}

fn field_of(value: Option<&Value>, name: &str) -> Result<Value, String> {
    match value {
        Some(Value::Pointer(inside)) => match inside.as_ref() {
            Value::Structure(structure) => structure.field(name),
            _ => None,
        },
        _ => None,
    }
    .ok_or_else(|| NIL_POINTER.to_owned())
}

fn value(_: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    field_of(values.first(), "Value")
}

fn label(_: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    label_of(&values, 1, &lossy(&values, 0))
}

fn label_of(values: &[Value], index: usize, name: &str) -> Result<Value, String> {
    match field_of(values.get(index), "Labels")? {
        Value::Labels(labels) => Ok(Value::text(labels.value(name))),
        _ => Ok(Value::text("")),
    }
}

fn sort_by_label(_: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    let name = lossy(&values, 0);
    let samples = values.get(1).cloned().unwrap_or(Value::Nothing);
    if let Value::Slice(slice) = &samples {
        slice.sort_by_key(|sample| match field_of(Some(sample), "Labels") {
            Ok(Value::Labels(labels)) => labels.value(&name).to_owned(),
            _ => String::new(),
        });
    }
    Ok(samples)
}

fn args(_: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    let depth = values.iter().map(depth_of).max().unwrap_or(0) + 1;
    if depth > MAX_MAPS {
        return Err(format!("more than {MAX_MAPS} maps inside each other"));
    }
    let named = values
        .into_iter()
        .enumerate()
        .map(|(index, value)| (format!("arg{index}"), value.boxed()));
    let mut entries: Vec<(String, Value)> = named.collect();
    entries.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(Value::Arguments(Rc::new(Arguments { entries, depth })))
}

fn depth_of(value: &Value) -> usize {
    match value {
        Value::Arguments(arguments) => arguments.depth,
        _ => 0,
    }
}

// Texts.

fn matches(world: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    let (pattern, text) = (lossy(&values, 0), lossy(&values, 1));
    world.work(1000 + pattern.len() + text.len())?;
    let regex = compile(&values, &pattern)?;
    Ok(Value::Bool(regex.is_match(&text)))
}

fn replace_all(world: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    let (pattern, replacement, text) = (lossy(&values, 0), lossy(&values, 1), lossy(&values, 2));
    // Matches don't overlap, so each reference adds at most the text once.
    let references = replacement.matches('$').count();
    let most = (text.len() + 1)
        .saturating_mul(replacement.len())
        .saturating_add(text.len().saturating_mul(references + 1));
    if most > fmt::MAX_TEXT * 16 {
        return Err(format!("a text that may get longer than {most} bytes"));
    }
    world.work(1000 + pattern.len() + text.len())?;
    let regex = compile(&values, &pattern).map_err(|error| {
        let quoted = match runes::can_backquote(pattern.as_bytes()) {
            true => format!("`{pattern}`"),
            false => runes::quote(pattern.as_bytes()),
        };
        format!("regexp: Compile({quoted}): {error}")
    })?;
    string(regex.replace_all(&text, &replacement))
}

/// The first argument as a regular expression; `pattern` is its text.
fn compile(values: &[Value], pattern: &str) -> Result<Regex, String> {
    match std::str::from_utf8(&text(values, 0)) {
        Ok(_) => Regex::unanchored(pattern).map_err(|error| error.to_string()),
        Err(_) => Err(format!("error parsing regexp: invalid UTF-8: `{pattern}`")),
    }
}

fn link(expression: &[u8], tab: u8) -> String {
    let expression = builtins::query_escape(expression);
    format!("/graph?g0.expr={expression}&g0.tab={tab}")
}

fn strip_port(text: &[u8]) -> Vec<u8> {
    match split_host_port(text) {
        Some((host, _)) => host.to_vec(),
        None => text.to_vec(),
    }
}

fn strip_domain(text: &[u8]) -> Vec<u8> {
    let (host, port) = split_host_port(text).unwrap_or((text, b""));
    if is_address(host) {
        return text.to_vec();
    }
    let host = host.split(|byte| *byte == b'.').next().unwrap_or(host);
    if port.is_empty() {
        return host.to_vec();
    }
    // A colon in the host wants brackets.
    match host.contains(&b':') {
        true => [b"[", host, b"]:", port].concat(),
        false => [host, b":", port].concat(),
    }
}

/// `net.SplitHostPort`.
fn split_host_port(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = text.iter().rposition(|byte| *byte == b':')?;
    let (before, port) = (text.get(..colon)?, text.get(colon + 1..)?);
    let host = match before.strip_prefix(b"[") {
        // The closing bracket must be the last before the colon, and the only one.
        Some(inside) => inside.strip_suffix(b"]")?,
        None if before.contains(&b':') => return None,
        None => before,
    };
    let stray = |part: &[u8]| part.contains(&b'[') || part.contains(&b']');
    (!stray(host) && !stray(port)).then_some((host, port))
}

/// `net.ParseIP`.
fn is_address(host: &[u8]) -> bool {
    std::str::from_utf8(host).is_ok_and(|host| host.parse::<std::net::IpAddr>().is_ok())
}

// Numbers.

/// `%.4g`.
fn four_digits(value: f64) -> String {
    format_float(value, 'g', Some(4))
}

/// Divides by `factor` for each prefix while it is not below it.
fn with_large_prefix(value: f64, factor: f64, prefixes: &[&str]) -> String {
    let mut value = value;
    let mut shown = "";
    for prefix in prefixes {
        if value.abs() < factor {
            break;
        }
        shown = prefix;
        value /= factor;
    }
    format!("{}{shown}", four_digits(value))
}

/// Multiplies by a thousand for each prefix while it is below one.
fn with_small_prefix(value: f64) -> String {
    let mut value = value;
    let mut shown = "";
    for prefix in ["m", "u", "n", "p", "f", "a", "z", "y"] {
        if value.abs() >= 1.0 {
            break;
        }
        shown = prefix;
        value *= 1000.0;
    }
    format!("{}{shown}", four_digits(value))
}

fn humanize(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return four_digits(value);
    }
    match value.abs() >= 1.0 {
        true => with_large_prefix(value, 1000.0, &["k", "M", "G", "T", "P", "E", "Z", "Y"]),
        false => with_small_prefix(value),
    }
}

fn humanize_1024(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return four_digits(value);
    }
    let prefixes = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
    with_large_prefix(value, 1024.0, &prefixes)
}

fn humanize_duration(value: f64) -> String {
    if !value.is_finite() {
        return four_digits(value);
    }
    if value == 0.0 {
        return four_digits(value) + "s";
    }
    if value.abs() < 1.0 {
        return with_small_prefix(value) + "s";
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let length = to_i64(value.abs());
    let (days, hours) = (length / 86_400, length / 3600 % 24);
    let (minutes, seconds) = (length / 60 % 60, length % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{}s", four_digits(value.abs())),
        (0, 0, _) => format!("{sign}{minutes}m {seconds}s"),
        (0, _, _) => format!("{sign}{hours}h {minutes}m {seconds}s"),
        _ => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
    }
}

/// Go's conversion on the machines that Prometheus mostly runs on: what does not fit is the smallest.
fn to_i64(value: f64) -> i64 {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    match (-TWO_TO_63..TWO_TO_63).contains(&value) {
        true => value as i64,
        false => i64::MIN,
    }
}

const NOT_FINITE: &str = "value is NaN or Inf";

fn to_time(value: f64) -> Result<Time, String> {
    if !value.is_finite() {
        return Err(NOT_FINITE.to_owned());
    }
    let nanoseconds = value * 1e9;
    if nanoseconds > i64::MAX as f64 || nanoseconds < i64::MIN as f64 {
        let value = format_float(value, 'g', None);
        return Err(format!(
            "{value} cannot be represented as a nanoseconds timestamp since it overflows int64"
        ));
    }
    Ok(Time::from_millis(to_i64(nanoseconds) / 1_000_000))
}

fn humanize_timestamp(_: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    let value = number(&values)?;
    match to_time(value) {
        Err(error) if error == NOT_FINITE => string(four_digits(value)),
        time => string(time?.text()),
    }
}

fn to_duration(value: f64) -> Value {
    Value::pointer(Value::duration(to_i64(value * SECOND as f64)))
}

/// Seconds; a minus sign may stand before the length.
fn parse_duration(_: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    let text = lossy(&values, 0);
    let (sign, length) = match text.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text.as_str()),
    };
    let duration = Duration::parse(length).map_err(|error: DurationError| error.to_string())?;
    let nanoseconds = duration.millis().saturating_mul(sign * 1_000_000);
    Ok(Value::Float(nanoseconds as f64 / SECOND as f64))
}

/// What the dot of a template is at first.
pub(super) fn data(data: &TemplateData<'_>) -> Value {
    let value = match data.value {
        super::TemplateValue::Float(value) => Value::Float(value),
        super::TemplateValue::Histogram(histogram) => {
            Value::pointer(Value::Histogram(Rc::new(histogram.clone())))
        }
    };
    let labels = |labels: &Labels| Value::Labels(labels.clone());
    Value::Structure(Rc::new(Structure {
        kind: StructureType::Data,
        fields: vec![
            ("Labels", labels(data.labels)),
            ("ExternalLabels", labels(data.external_labels)),
            ("ExternalURL", Value::text(data.external_url)),
            ("Value", value.boxed()),
        ],
    }))
}
