//! The methods of values: instants, lengths of time, months, weekdays, histograms.

use std::rc::Rc;

use super::builtins::{bytes, int64};
use super::fmt;
use super::functions::Parameter::{self, Bytes, Duration, Int, Location, Text, Time as Instant};
use super::functions::{string, text};
use super::time::{self, SECOND, Time, duration_in};
use super::value::{IntegerType, Structure, StructureType, Value};

/// A method that a template can call.
pub(super) struct Method {
    pub(super) name: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) body: MethodBody,
}

/// What a method runs.
#[derive(Clone, Copy)]
pub(super) enum MethodBody {
    /// The receiver, pointers followed, and the arguments.
    Run(fn(&Value, &[Value]) -> Result<Value, String>),
    /// Go refuses to call it; this is why.
    Refused(&'static str),
}

use MethodBody::{Refused, Run};

/// The method of a value, pointers followed. `None` where its type has none of that name.
pub(super) fn find(receiver: &Value, through_pointer: bool, name: &str) -> Option<&'static Method> {
    let table: &[Method] = match receiver {
        Value::Time(_) => &TIME,
        Value::Integer(_, IntegerType::Duration) => &DURATION,
        Value::Integer(_, IntegerType::Month | IntegerType::Weekday) => &NAMED,
        Value::Structure(structure)
            if structure.kind == StructureType::Location && through_pointer =>
        {
            &NAMED
        }
        Value::Histogram(_) if through_pointer => &HISTOGRAM,
        _ => &[],
    };
    table.iter().find(|method| method.name == name)
}

#[rustfmt::skip]
static TIME: [Method; 40] = [
    row("Add", &[Duration], |value, given| instant(at(value).add(number(given, 0)))),
    row("AddDate", &[Int, Int, Int], |value, given| {
        instant(at(value).add_date(number(given, 0), number(given, 1), number(given, 2)))
    }),
    row("After", &[Instant], |value, given| Ok(Value::Bool(at(value) > other(given)))),
    row("AppendFormat", &[Bytes, Text], |value, given| {
        let shown = at(value).format(&text(given, 1));
        Ok(append(given, &shown))
    }),
    row("AppendText", &[Bytes], |value, given| {
        let shown = at(value).strict().map_err(|error| format!("Time.AppendText: {error}"))?;
        Ok(append(given, &shown))
    }),
    row("Before", &[Instant], |value, given| Ok(Value::Bool(at(value) < other(given)))),
    refused("Clock", "function Clock has 3 return values; should be 1 or 2"),
    row("Compare", &[Instant], |value, given| int(at(value).cmp(&other(given)) as i64)),
    refused("Date", "function Date has 3 return values; should be 1 or 2"),
    row("Day", &[], |value, _| int(at(value).date().day)),
    row("Equal", &[Instant], |value, given| Ok(Value::Bool(at(value) == other(given)))),
    row("Format", &[Text], |value, given| string(at(value).format_bytes(&text(given, 0)))),
    row("GoString", &[], |value, _| string(at(value).go_text())),
    row("Hour", &[], |value, _| int(at(value).hour())),
    refused("ISOWeek", "invalid function signature for ISOWeek: second return value should be error; is int"),
    row("In", &[Location], |value, given| match given.first() {
        Some(Value::Nil(_)) | None => Err("time: missing Location in call to Time.In".to_owned()),
        _ => instant(at(value)),
    }),
    row("IsDST", &[], |_, _| Ok(Value::Bool(false))),
    row("IsZero", &[], |value, _| Ok(Value::Bool(at(value).is_zero()))),
    row("Local", &[], |value, _| instant(at(value))),
    row("Location", &[], |_, _| Ok(location())),
    row("MarshalJSON", &[], |value, _| {
        let shown = at(value).strict().map_err(|error| format!("Time.MarshalJSON: {error}"))?;
        Ok(bytes(&format!("\"{shown}\"")))
    }),
    row("MarshalText", &[], |value, _| {
        let shown = at(value).strict().map_err(|error| format!("Time.MarshalText: {error}"))?;
        Ok(bytes(&shown))
    }),
    row("Minute", &[], |value, _| int(at(value).minute())),
    row("Month", &[], |value, _| Ok(Value::Integer(at(value).date().month, IntegerType::Month))),
    row("Nanosecond", &[], |value, _| int(at(value).nanoseconds)),
    row("Round", &[Duration], |value, given| instant(at(value).round(number(given, 0)))),
    row("Second", &[], |value, _| int(at(value).second())),
    row("String", &[], |value, _| string(at(value).text())),
    row("Sub", &[Instant], |value, given| Ok(Value::duration(at(value).since(other(given))))),
    row("Truncate", &[Duration], |value, given| instant(at(value).truncate(number(given, 0)))),
    row("UTC", &[], |value, _| instant(at(value))),
    row("Unix", &[], |value, _| Ok(int64(at(value).seconds))),
    row("UnixMicro", &[], |value, _| Ok(int64(at(value).unix(1_000_000)))),
    row("UnixMilli", &[], |value, _| Ok(int64(at(value).unix(1_000)))),
    row("UnixNano", &[], |value, _| Ok(int64(at(value).unix(SECOND)))),
    row("Weekday", &[], |value, _| Ok(Value::Integer(at(value).date().weekday, IntegerType::Weekday))),
    row("Year", &[], |value, _| int(at(value).date().year)),
    row("YearDay", &[], |value, _| int(at(value).date().day_of_year)),
    refused("Zone", "invalid function signature for Zone: second return value should be error; is int"),
    refused("ZoneBounds", "invalid function signature for ZoneBounds: second return value should be error; is time.Time"),
];

#[rustfmt::skip]
static DURATION: [Method; 10] = [
    row("Abs", &[], |value, _| Ok(Value::duration(length(value).saturating_abs()))),
    row("Hours", &[], |value, _| Ok(Value::Float(duration_in(length(value), 3600 * SECOND)))),
    row("Microseconds", &[], |value, _| Ok(int64(length(value) / 1_000))),
    row("Milliseconds", &[], |value, _| Ok(int64(length(value) / 1_000_000))),
    row("Minutes", &[], |value, _| Ok(Value::Float(duration_in(length(value), 60 * SECOND)))),
    row("Nanoseconds", &[], |value, _| Ok(int64(length(value)))),
    row("Round", &[Duration], |value, given| {
        Ok(Value::duration(time::duration_round(length(value), number(given, 0))))
    }),
    row("Seconds", &[], |value, _| Ok(Value::Float(duration_in(length(value), SECOND)))),
    row("String", &[], own_text),
    row("Truncate", &[Duration], |value, given| {
        let unit = number(given, 0);
        let cut = if unit > 0 { length(value) % unit } else { 0 };
        Ok(Value::duration(length(value) - cut))
    }),
];

/// Months, weekdays and zones have nothing but their names.
static NAMED: [Method; 1] = [row("String", &[], own_text)];

static HISTOGRAM: [Method; 1] = [row("String", &[], own_text)];

const fn row(
    name: &'static str,
    parameters: &'static [Parameter],
    body: fn(&Value, &[Value]) -> Result<Value, String>,
) -> Method {
    Method {
        name,
        parameters,
        body: Run(body),
    }
}

const fn refused(name: &'static str, why: &'static str) -> Method {
    Method {
        name,
        parameters: &[],
        body: Refused(why),
    }
}

fn at(value: &Value) -> Time {
    match value {
        Value::Time(time) => *time,
        Value::Pointer(inside) => at(inside),
        _ => Time {
            seconds: 0,
            nanoseconds: 0,
        },
    }
}

fn other(given: &[Value]) -> Time {
    given.first().map_or_else(|| at(&Value::Nothing), at)
}

fn length(value: &Value) -> i64 {
    match value {
        Value::Integer(number, _) => *number,
        _ => 0,
    }
}

fn number(given: &[Value], index: usize) -> i64 {
    given.get(index).map_or(0, length)
}

fn int(value: i64) -> Result<Value, String> {
    Ok(Value::Integer(value, IntegerType::Int))
}

fn instant(time: Time) -> Result<Value, String> {
    Ok(Value::Time(time))
}

fn location() -> Value {
    Value::pointer(Value::Structure(Rc::new(Structure {
        kind: StructureType::Location,
        fields: Vec::new(),
    })))
}

fn own_text(value: &Value, _: &[Value]) -> Result<Value, String> {
    let pointed = Value::pointer(value.clone());
    string(fmt::own_text(&pointed).unwrap_or_default())
}

/// The bytes that were given, and a text behind them.
fn append(given: &[Value], shown: &str) -> Value {
    let (Some(Value::Slice(head)), Value::Slice(tail)) = (given.first(), bytes(shown)) else {
        return bytes(shown);
    };
    let items = [head.items(), tail.items()].concat();
    Value::Slice(super::value::Slice::new(head.kind, items))
}
