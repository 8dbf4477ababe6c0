//! The functions of templates: a row for each, Go's own in `builtins.rs`, Prometheus's here.

use std::cell::Cell;
use std::rc::Rc;

use super::builtins;
use super::fmt;
use super::humanize::{self, number};
use super::queries;
use super::runes;
use super::texts;
use super::value::IntegerType;
use super::value::{NilType, Slice, SliceType, Structure, StructureType, Value};
use super::{QueryFn, TemplateData};
use crate::model::Labels;

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

/// What Go says where Prometheus's own address is not known, as in a test of rules.
pub(super) const NIL_POINTER: &str =
    "runtime error: invalid memory address or nil pointer dereference";

use Parameter::{Any, Sample, Samples, Text};

#[rustfmt::skip]
static PROMETHEUS: [Function; 29] = [
    row("query", &[Text], queries::query),
    row("first", &[Samples], queries::first),
    row("label", &[Text, Sample], queries::label),
    row("value", &[Sample], queries::value),
    row("strvalue", &[Sample], queries::string_value),
    row("sortByLabel", &[Text, Samples], queries::sort_by_label),
    Function { name: "args", parameters: &[Any], variadic: true, body: queries::args },
    row("reReplaceAll", &[Text, Text, Text], texts::replace_all),
    row("match", &[Text, Text], texts::is_match),
    row("safeHtml", &[Text], |_, values| Ok(Value::Html(text(&values, 0)))),
    row("title", &[Text], |_, values| string(runes::title(&text(&values, 0)))),
    row("toUpper", &[Text], |_, values| string(runes::to_upper(&text(&values, 0)))),
    row("toLower", &[Text], |_, values| string(runes::to_lower(&text(&values, 0)))),
    row("graphLink", &[Text], |_, values| string(texts::link(&text(&values, 0), 0))),
    row("tableLink", &[Text], |_, values| string(texts::link(&text(&values, 0), 1))),
    row("stripPort", &[Text], |_, values| string(texts::strip_port(&text(&values, 0)))),
    row("stripDomain", &[Text], |_, values| string(texts::strip_domain(&text(&values, 0)))),
    row("urlQueryEscape", &[Text], |_, values| string(builtins::query_escape(&text(&values, 0)))),
    row("humanize", &[Any], |_, values| string(humanize::plain(number(&values)?))),
    row("humanize1024", &[Any], |_, values| string(humanize::binary(number(&values)?))),
    row("humanizeDuration", &[Any], |_, values| string(humanize::duration(number(&values)?))),
    row("humanizePercentage", &[Any], |_, values| string(humanize::percentage(number(&values)?))),
    row("humanizeTimestamp", &[Any], |_, values| string(humanize::timestamp(number(&values)?)?)),
    row("toTime", &[Any], |_, values| Ok(Value::pointer(Value::Time(humanize::to_time(number(&values)?)?)))),
    row("toDuration", &[Any], |_, values| Ok(Value::pointer(Value::duration(humanize::to_duration(number(&values)?))))),
    row("parseDuration", &[Text], |_, values| humanize::parse_duration(&lossy(&values, 0)).map(Value::Float)),
    row("now", &[], |world, _| Ok(Value::Float(world.data.now as f64 / 1000.0))),
    row("pathPrefix", &[], |_, _| Err(NIL_POINTER.to_owned())),
    row("externalURL", &[], |_, _| Err(NIL_POINTER.to_owned())),
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

/// The names of all functions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PROMETHEUS
        .iter()
        .chain(&builtins::BUILTINS)
        .map(|function| function.name)
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
