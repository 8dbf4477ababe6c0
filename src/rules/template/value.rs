//! The values that a template computes with, as Go's reflection sees them.

use std::cell::RefCell;
use std::rc::Rc;

use super::time::Time;
use crate::model::{Histogram, Labels};

/// Bytes that are mostly UTF-8.
pub(super) type Text = Rc<[u8]>;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// No value at all: prints as `<no value>`, and as an argument it is nil.
    Nothing,
    /// What a slot of type `interface {}` holds; it may be empty.
    Interface(Option<Rc<Value>>),
    Bool(bool),
    Integer(i64, IntegerType),
    Unsigned(u64, UnsignedType),
    Float(f64),
    Complex(f64, f64),
    String(Text),
    /// A string that is safe in HTML; its type differs from that of other strings.
    Html(Text),
    /// `map[string]string`.
    Labels(Labels),
    /// `map[string]interface {}`.
    Arguments(Rc<Arguments>),
    Slice(Slice),
    /// A structure whose fields have names, other than those below.
    Structure(Rc<Structure>),
    Time(Time),
    Histogram(Rc<Histogram>),
    /// Never to nothing.
    Pointer(Rc<Value>),
    /// A nil slice or pointer of this type, which only the literal `nil` makes.
    Nil(NilType),
}

/// Signed integers by their Go type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IntegerType {
    Int,
    Int32,
    Int64,
    Duration,
    Month,
    Weekday,
}

/// Unsigned integers by their Go type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnsignedType {
    Uint8,
    Uint32,
    Uint64,
    CounterResetHint,
}

/// What can be nil without being nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NilType {
    Samples,
    Sample,
    Location,
}

/// The arguments of a template, by name.
#[derive(Debug)]
pub(super) struct Arguments {
    /// Sorted by name.
    pub(super) entries: Vec<(String, Value)>,
    /// How many maps are inside each other.
    pub(super) depth: usize,
}

/// A part of a list. Go's slices share what they show: sorting one sorts the others.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    pub(super) kind: SliceType,
    elements: Rc<RefCell<Vec<Value>>>,
    start: usize,
    end: usize,
}

/// Lists by their Go type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SliceType {
    Samples,
    Bytes,
    Floats,
    Spans,
}

/// Named fields.
#[derive(Debug)]
pub(super) struct Structure {
    pub(super) kind: StructureType,
    pub(super) fields: Vec<(&'static str, Value)>,
}

/// Structures by their Go type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StructureType {
    /// What the dot is at first.
    Data,
    Sample,
    Span,
    Location,
}

impl Value {
    pub(super) fn text(text: &str) -> Value {
        Value::String(Rc::from(text.as_bytes()))
    }

    pub(super) fn int(value: usize) -> Value {
        Value::Integer(i64::try_from(value).unwrap_or(i64::MAX), IntegerType::Int)
    }

    pub(super) fn duration(nanoseconds: i64) -> Value {
        Value::Integer(nanoseconds, IntegerType::Duration)
    }

    pub(super) fn pointer(value: Value) -> Value {
        Value::Pointer(Rc::new(value))
    }

    /// Puts it into a slot of type `interface {}`.
    pub(super) fn boxed(self) -> Value {
        match self {
            Value::Nothing => Value::Interface(None),
            Value::Interface(inside) => Value::Interface(inside),
            value => Value::Interface(Some(Rc::new(value))),
        }
    }

    /// What an `interface {}` slot holds; other values stay.
    pub(super) fn unboxed(self) -> Value {
        match self {
            Value::Interface(None) => Value::Nothing,
            Value::Interface(Some(inside)) => inside.as_ref().clone(),
            value => value,
        }
    }

    /// Follows pointers and slots to the end.
    pub(super) fn indirect(self) -> Value {
        let mut value = self;
        loop {
            value = match value {
                Value::Interface(Some(inside)) | Value::Pointer(inside) => inside.as_ref().clone(),
                other => return other,
            };
        }
    }

    /// Whether it counts as true: not zero and not empty.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Value::Nothing | Value::Interface(None) | Value::Nil(_) => false,
            Value::Interface(Some(inside)) => inside.is_true(),
            Value::Bool(value) => *value,
            Value::Integer(value, _) => *value != 0,
            Value::Unsigned(value, _) => *value != 0,
            Value::Float(value) => *value != 0.0,
            Value::Complex(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
            Value::String(text) | Value::Html(text) => !text.is_empty(),
            Value::Labels(labels) => !labels.is_empty(),
            Value::Arguments(arguments) => !arguments.entries.is_empty(),
            Value::Slice(slice) => slice.len() > 0,
            Value::Structure(_) | Value::Time(_) | Value::Histogram(_) | Value::Pointer(_) => true,
        }
    }

    /// The Go type, as error texts name it. [`Value::Nothing`] has none.
    pub(super) fn type_name(&self) -> String {
        match self {
            Value::Pointer(inside) => format!("*{}", inside.type_name()),
            _ => self.plain_type_name().to_owned(),
        }
    }

    fn plain_type_name(&self) -> &'static str {
        match self {
            Value::Nothing => "<nil>",
            Value::Interface(_) => "interface {}",
            Value::Bool(_) => "bool",
            Value::Integer(_, kind) => kind.name(),
            Value::Unsigned(_, kind) => kind.name(),
            Value::Float(_) => "float64",
            Value::Complex(..) => "complex128",
            Value::String(_) => "string",
            Value::Html(_) => "template.HTML",
            Value::Labels(_) => "map[string]string",
            Value::Arguments(_) => "map[string]interface {}",
            Value::Slice(slice) => slice.kind.name(),
            Value::Structure(structure) => structure.kind.name(),
            Value::Time(_) => "time.Time",
            Value::Histogram(_) => "histogram.FloatHistogram",
            Value::Pointer(_) => "*",
            Value::Nil(NilType::Samples) => "template.queryResult",
            Value::Nil(NilType::Sample) => "*template.sample",
            Value::Nil(NilType::Location) => "*time.Location",
        }
    }

    /// The fields of a structure.
    pub(super) fn fields(&self) -> Option<Vec<(&'static str, Value)>> {
        match self {
            Value::Structure(structure) => Some(structure.fields.clone()),
            Value::Time(time) => Some(time.fields()),
            Value::Histogram(histogram) => Some(histogram_fields(histogram)),
            _ => None,
        }
    }
}

impl IntegerType {
    fn name(self) -> &'static str {
        match self {
            IntegerType::Int => "int",
            IntegerType::Int32 => "int32",
            IntegerType::Int64 => "int64",
            IntegerType::Duration => "time.Duration",
            IntegerType::Month => "time.Month",
            IntegerType::Weekday => "time.Weekday",
        }
    }
}

impl UnsignedType {
    fn name(self) -> &'static str {
        match self {
            UnsignedType::Uint8 => "uint8",
            UnsignedType::Uint32 => "uint32",
            UnsignedType::Uint64 => "uint64",
            UnsignedType::CounterResetHint => "histogram.CounterResetHint",
        }
    }
}

impl SliceType {
    pub(super) fn name(self) -> &'static str {
        match self {
            SliceType::Samples => "template.queryResult",
            SliceType::Bytes => "[]uint8",
            SliceType::Floats => "[]float64",
            SliceType::Spans => "[]histogram.Span",
        }
    }
}

impl StructureType {
    fn name(self) -> &'static str {
        match self {
            StructureType::Data => {
                "struct { Labels map[string]string; ExternalLabels map[string]string; \
                 ExternalURL string; Value interface {} }"
            }
            StructureType::Sample => "template.sample",
            StructureType::Span => "histogram.Span",
            StructureType::Location => "time.Location",
        }
    }
}

impl Slice {
    pub(super) fn new(kind: SliceType, elements: Vec<Value>) -> Slice {
        Slice {
            kind,
            start: 0,
            end: elements.len(),
            elements: Rc::new(RefCell::new(elements)),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    pub(super) fn item(&self, index: usize) -> Option<Value> {
        let inside = index < self.len();
        let elements = self.elements.borrow();
        inside
            .then(|| elements.get(self.start + index).cloned())
            .flatten()
    }

    pub(super) fn items(&self) -> Vec<Value> {
        let elements = self.elements.borrow();
        elements
            .get(self.start..self.end)
            .map(<[Value]>::to_vec)
            .unwrap_or_default()
    }

    /// How many elements there are from its start, beyond its end too.
    pub(super) fn capacity(&self) -> usize {
        self.elements.borrow().len().saturating_sub(self.start)
    }

    /// A part of it; the bounds count from its start.
    pub(super) fn part(&self, start: usize, end: usize) -> Slice {
        let last = self.elements.borrow().len();
        Slice {
            kind: self.kind,
            elements: Rc::clone(&self.elements),
            start: self.start.saturating_add(start).min(last),
            end: self.start.saturating_add(end).min(last),
        }
    }

    /// Sorts what it shows by a key and keeps the order of equals.
    pub(super) fn sort_by_key<K: Ord>(&self, key: impl Fn(&Value) -> K) {
        let mut elements = self.elements.borrow_mut();
        if let Some(shown) = elements.get_mut(self.start..self.end) {
            shown.sort_by_cached_key(key);
        }
    }
}

impl Structure {
    pub(super) fn field(&self, name: &str) -> Option<Value> {
        self.fields
            .iter()
            .find(|(candidate, _)| *candidate == name)
            .map(|(_, value)| value.clone())
    }
}

impl Arguments {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.entries
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value)
    }
}

/// The fields that Prometheus's `FloatHistogram` shows.
fn histogram_fields(histogram: &Histogram) -> Vec<(&'static str, Value)> {
    let floats = |values: &[f64]| {
        let values = values.iter().map(|value| Value::Float(*value)).collect();
        Value::Slice(Slice::new(SliceType::Floats, values))
    };
    let spans = |spans: &[crate::model::BucketSpan]| {
        let spans = spans.iter().map(|span| {
            Value::Structure(Rc::new(Structure {
                kind: StructureType::Span,
                fields: vec![
                    (
                        "Offset",
                        Value::Integer(span.offset.into(), IntegerType::Int32),
                    ),
                    (
                        "Length",
                        Value::Unsigned(span.length.into(), UnsignedType::Uint32),
                    ),
                ],
            }))
        });
        Value::Slice(Slice::new(SliceType::Spans, spans.collect()))
    };
    let hint = histogram.counter_reset_hint as u64;
    vec![
        (
            "CounterResetHint",
            Value::Unsigned(hint, UnsignedType::CounterResetHint),
        ),
        (
            "Schema",
            Value::Integer(histogram.schema.into(), IntegerType::Int32),
        ),
        ("ZeroThreshold", Value::Float(histogram.zero_threshold)),
        ("ZeroCount", Value::Float(histogram.zero_count)),
        ("Count", Value::Float(histogram.count)),
        ("Sum", Value::Float(histogram.sum)),
        ("PositiveSpans", spans(&histogram.positive_spans)),
        ("NegativeSpans", spans(&histogram.negative_spans)),
        ("PositiveBuckets", floats(&histogram.positive_buckets)),
        ("NegativeBuckets", floats(&histogram.negative_buckets)),
        ("CustomValues", floats(&histogram.custom_values)),
    ]
}
