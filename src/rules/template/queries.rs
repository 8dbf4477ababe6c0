//! The functions of templates that ask for samples and look into them.

use std::rc::Rc;

use super::functions::{NIL_POINTER, World, lossy};
use super::value::{Arguments, Slice, SliceType, Structure, StructureType, Value};
use super::{QuerySample, TemplateValueOwned};

/// How many maps may be inside each other.
const MAX_MAPS: usize = 100;

pub(super) fn query(world: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
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

pub(super) fn first(_: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
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

pub(super) fn value(_: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    field_of(values.first(), "Value")
}

pub(super) fn label(_: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    label_of(&values, 1, &lossy(&values, 0))
}

/// `strvalue`: a label that only old consoles have.
pub(super) fn string_value(_: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    label_of(&values, 0, "__value__")
}

fn label_of(values: &[Value], index: usize, name: &str) -> Result<Value, String> {
    match field_of(values.get(index), "Labels")? {
        Value::Labels(labels) => Ok(Value::text(labels.value(name))),
        _ => Ok(Value::text("")),
    }
}

pub(super) fn sort_by_label(_: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
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

pub(super) fn args(_: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
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
