//! Calls of functions and methods, fields, and the arguments that are given to them.

use super::ast::{Operand, OperandKind};
use super::execute::{Machine, Outcome, Place};
use super::fmt;
use super::functions::{self, Parameter};
use super::methods::{self, MethodBody};
use super::value::{IntegerType, Value};

/// What a function, method or field is given.
pub(super) struct Given<'t> {
    /// What is written behind it.
    pub(super) operands: &'t [Operand],
    /// The value of the command before it.
    pub(super) last: Option<Value>,
}

impl Given<'_> {
    pub(super) const NOTHING: Given<'static> = Given {
        operands: &[],
        last: None,
    };

    fn is_empty(&self) -> bool {
        self.operands.is_empty() && self.last.is_none()
    }

    fn count(&self) -> usize {
        self.operands.len() + usize::from(self.last.is_some())
    }
}

/// The parameters of a function.
struct Signature {
    name: &'static str,
    parameters: &'static [Parameter],
    variadic: bool,
}

// Fields.
impl<'t> Machine<'t, '_> {
    /// Something with fields behind it, such as `(query "up").Labels`.
    pub(super) fn chain(
        &mut self,
        dot: &Value,
        operand: &'t Operand,
        inside: &'t Operand,
        fields: &'t [String],
        given: Given<'t>,
    ) -> Outcome<Value> {
        self.at(Place::Operand(operand));
        if matches!(inside.kind, OperandKind::Nil) {
            return self.fail(&format!("indirection through explicit nil in {operand}"));
        }
        let receiver = self.argument(dot, None, inside)?;
        self.fields(dot, receiver, operand, fields, given)
    }

    /// Follows fields; the last one gets the arguments.
    pub(super) fn fields(
        &mut self,
        dot: &Value,
        receiver: Value,
        operand: &'t Operand,
        fields: &'t [String],
        given: Given<'t>,
    ) -> Outcome<Value> {
        let mut receiver = receiver;
        let Some((last, before)) = fields.split_last() else {
            return Ok(receiver);
        };
        for field in before {
            receiver = self.field(dot, field, operand, Given::NOTHING, receiver)?;
        }
        self.field(dot, last, operand, given, receiver)
    }

    /// A method, a field of a structure or an entry of a map.
    fn field(
        &mut self,
        dot: &Value,
        name: &str,
        operand: &'t Operand,
        given: Given<'t>,
        receiver: Value,
    ) -> Outcome<Value> {
        match &receiver {
            Value::Nothing => return Ok(Value::Nothing),
            Value::Interface(None) => {
                return self.fail(&format!("nil pointer evaluating interface {{}}.{name}"));
            }
            _ => {}
        }
        let written = receiver.clone();
        let through_pointer = matches!(receiver.clone().unboxed(), Value::Pointer(_));
        let receiver = receiver.indirect();
        self.work(length(&receiver) / 16)?;
        if let Some(method) = methods::find(&receiver, through_pointer, name) {
            return self.method(dot, operand, method, given, &receiver);
        }
        let found = entry(&receiver, name);
        let Some(found) = found else {
            let kind = written.type_name();
            return self.fail(&format!("can't evaluate field {name} in type {kind}"));
        };
        let map = matches!(receiver, Value::Labels(_) | Value::Arguments(_));
        if !map && name.starts_with(|c: char| c.is_lowercase()) {
            let kind = written.type_name();
            return self.fail(&format!(
                "{name} is an unexported field of struct type {kind}"
            ));
        }
        match (given.is_empty(), map) {
            (true, _) => Ok(found),
            (false, true) => self.fail(&format!("{name} is not a method but has arguments")),
            (false, false) => self.fail(&format!(
                "{name} has arguments but cannot be invoked as function"
            )),
        }
    }

    fn method(
        &mut self,
        dot: &Value,
        operand: &'t Operand,
        method: &'static methods::Method,
        given: Given<'t>,
        receiver: &Value,
    ) -> Outcome<Value> {
        let signature = Signature {
            name: method.name,
            parameters: method.parameters,
            variadic: false,
        };
        self.check_count(&signature, &given)?;
        let body = match method.body {
            MethodBody::Run(body) => body,
            MethodBody::Refused(why) => return self.fail(why),
        };
        let values = self.arguments(dot, &signature, given)?;
        body(receiver, &values).or_else(|error| {
            self.at(Place::Operand(operand));
            self.fail(&format!("error calling {}: {error}", method.name))
        })
    }
}

// Functions.
impl<'t> Machine<'t, '_> {
    /// Calls a function. `place` is what an error of the function is told at.
    pub(super) fn function(
        &mut self,
        dot: &Value,
        place: Place<'t>,
        name: &str,
        given: Given<'t>,
    ) -> Outcome<Value> {
        let Some(function) = functions::find(name) else {
            return self.fail(&format!("\"{name}\" is not a defined function"));
        };
        let signature = Signature {
            name: function.name,
            parameters: function.parameters,
            variadic: function.variadic,
        };
        self.check_count(&signature, &given)?;
        if matches!(name, "and" | "or") {
            return self.and_or(dot, name == "or", given);
        }
        let callee = given.operands.first().map(Operand::to_string);
        let values = self.arguments(dot, &signature, given)?;
        let result = match name {
            "call" => no_function(callee, values),
            _ => (function.body)(self.world, values),
        };
        match result {
            Ok(value) => {
                self.work(length(&value))?;
                Ok(value)
            }
            Err(error) => {
                self.at(place);
                self.fail(&format!("error calling {name}: {error}"))
            }
        }
    }

    /// `and` and `or` evaluate no more than they need.
    fn and_or(&mut self, dot: &Value, stop_at: bool, given: Given<'t>) -> Outcome<Value> {
        let mut value = Value::Nothing;
        for operand in given.operands {
            value = self.argument(dot, Some(Parameter::Value), operand)?;
            if value.is_true() == stop_at {
                return Ok(value);
            }
        }
        Ok(given.last.unwrap_or(value))
    }

    fn check_count(&self, signature: &Signature, given: &Given<'t>) -> Outcome<()> {
        let Signature { name, .. } = signature;
        let wanted = signature.parameters.len();
        let count = given.count();
        if signature.variadic {
            let fixed = wanted - 1;
            let written = given.operands.len();
            return match count < fixed {
                true => self.fail(&format!(
                    "wrong number of args for {name}: want at least {fixed} got {written}"
                )),
                false => Ok(()),
            };
        }
        match count == wanted {
            true => Ok(()),
            false => self.fail(&format!(
                "wrong number of args for {name}: want {wanted} got {count}"
            )),
        }
    }

    fn arguments(
        &mut self,
        dot: &Value,
        signature: &Signature,
        given: Given<'t>,
    ) -> Outcome<Vec<Value>> {
        let mut values = Vec::with_capacity(given.count());
        let parameter = |index: usize| {
            let last = signature.parameters.last().copied();
            let parameter = signature.parameters.get(index).copied();
            parameter.or(last).unwrap_or(Parameter::Any)
        };
        for (index, operand) in given.operands.iter().enumerate() {
            values.push(self.argument(dot, Some(parameter(index)), operand)?);
        }
        if let Some(last) = given.last {
            values.push(self.fit(last, parameter(values.len()))?);
        }
        // Functions read what they are given, if quickly.
        self.work(values.iter().map(length).sum::<usize>() / 16)?;
        Ok(values)
    }

    /// An argument, made to fit its parameter; without one it stays as it is.
    fn argument(
        &mut self,
        dot: &Value,
        parameter: Option<Parameter>,
        operand: &'t Operand,
    ) -> Outcome<Value> {
        self.at(Place::Operand(operand));
        let value = match &operand.kind {
            OperandKind::Dot => dot.clone(),
            OperandKind::Nil => return self.nil(parameter),
            OperandKind::Field(fields) => {
                self.fields(dot, dot.clone(), operand, fields, Given::NOTHING)?
            }
            OperandKind::Variable(name, fields) => {
                self.variable(dot, operand, name, fields, Given::NOTHING)?
            }
            OperandKind::Pipeline(pipeline) => self.nested(dot, pipeline)?,
            OperandKind::Identifier(name) => {
                self.function(dot, Place::Operand(operand), name, Given::NOTHING)?
            }
            OperandKind::Chain(inside, fields) => {
                self.chain(dot, operand, inside, fields, Given::NOTHING)?
            }
            _ => return self.literal(parameter, operand),
        };
        match parameter {
            Some(parameter) => self.fit(value, parameter),
            None => Ok(value),
        }
    }

    fn nil(&self, parameter: Option<Parameter>) -> Outcome<Value> {
        let Some(parameter) = parameter else {
            return Ok(Value::Nothing);
        };
        match parameter.nil() {
            Some(value) => Ok(value),
            None => self.fail(&format!("cannot assign nil to {}", parameter.name())),
        }
    }

    /// A literal takes the type of its parameter.
    fn literal(&mut self, parameter: Option<Parameter>, operand: &'t Operand) -> Outcome<Value> {
        let integer = |kind: IntegerType| match &operand.kind {
            OperandKind::Number(number) => {
                number.integer.map(|integer| Value::Integer(integer, kind))
            }
            _ => None,
        };
        let (value, wanted) = match parameter {
            None | Some(Parameter::Value | Parameter::Any) => return self.constant(operand),
            Some(Parameter::Text) => match &operand.kind {
                OperandKind::String(_, text) => {
                    (Some(Value::String(text.as_slice().into())), "string")
                }
                _ => (None, "string"),
            },
            Some(Parameter::Int) => (integer(IntegerType::Int), "integer"),
            Some(Parameter::Duration) => (integer(IntegerType::Duration), "integer"),
            Some(parameter) => {
                let kind = parameter.name();
                return self.fail(&format!("can't handle {operand} for arg of type {kind}"));
            }
        };
        match value {
            Some(value) => Ok(value),
            None => self.fail(&format!("expected {wanted}; found {operand}")),
        }
    }

    /// Makes a value fit a parameter: out of its slot, or what it points to.
    fn fit(&self, value: Value, parameter: Parameter) -> Outcome<Value> {
        if matches!(value, Value::Nothing) {
            return match parameter.nil() {
                Some(nil) => Ok(nil),
                None => self.fail(&format!("invalid value; expected {}", parameter.name())),
            };
        }
        match parameter {
            Parameter::Value => return Ok(value),
            Parameter::Any => return Ok(value.unboxed()),
            _ => {}
        }
        let value = match value {
            Value::Interface(Some(inside)) => inside.as_ref().clone(),
            value => value,
        };
        if parameter.takes(&value) {
            return Ok(value);
        }
        if let Value::Pointer(inside) = &value
            && parameter.takes(inside)
        {
            return Ok(inside.as_ref().clone());
        }
        self.fail(&format!(
            "wrong type for value; expected {}; got {}",
            parameter.name(),
            value.type_name()
        ))
    }
}

/// How much there is of a value that can be large.
fn length(value: &Value) -> usize {
    match value {
        Value::String(text) | Value::Html(text) => text.len(),
        Value::Histogram(histogram) => {
            32 * (histogram.positive_buckets.len() + histogram.negative_buckets.len())
        }
        _ => 0,
    }
}

/// A field of a structure or an entry of a map; what a map lacks is empty.
fn entry(receiver: &Value, name: &str) -> Option<Value> {
    match receiver {
        Value::Labels(labels) => Some(Value::text(labels.value(name))),
        Value::Arguments(arguments) => {
            let entry = arguments.get(name).cloned();
            Some(entry.unwrap_or(Value::Interface(None)))
        }
        Value::Structure(structure) => structure.field(name),
        structure => {
            let mut fields = structure.fields()?.into_iter();
            fields
                .find(|(field, _)| *field == name)
                .map(|(_, value)| value)
        }
    }
}

/// `call`: templates have no function values, so it only complains.
fn no_function(callee: Option<String>, values: Vec<Value>) -> Result<Value, String> {
    let function = values
        .into_iter()
        .next()
        .unwrap_or(Value::Nothing)
        .unboxed();
    if matches!(function, Value::Nothing) {
        return Err("call of nil".to_owned());
    }
    let kind = function.type_name();
    let name = callee.unwrap_or_else(|| match &function {
        Value::String(_) | Value::Html(_) => fmt::display(&function),
        _ => format!("<{kind} Value>"),
    });
    Err(format!("non-function {name} of type {kind}"))
}
