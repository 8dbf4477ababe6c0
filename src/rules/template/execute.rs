//! Runs a template: walks its tree, evaluates pipelines, writes the text.

use super::ast::{
    Branch, BranchKind, Command, Invocation, List, Node, Operand, OperandKind, Pipeline, Program,
};
use super::builtins;
use super::fmt;
use super::functions::World;
use super::literal::Number;
use super::runes;
use super::value::{IntegerType, Value};

/// How deep lists, parentheses and templates may be inside each other. Go stops templates that call
/// themselves at [`GO_DEPTH`]; both stop only those that never end.
const MAX_DEPTH: usize = 250;
const GO_DEPTH: usize = 100_000;

/// The work of a template: a visited node costs [`NODE_COST`], a written byte 1.
pub(super) const MAX_WORK: u64 = 100_000_000;
const NODE_COST: usize = 30;

/// What is to be run and on what.
pub(super) struct Machine<'t, 'w> {
    pub(super) world: &'w World<'w>,
    program: &'t Program,
    /// The whole text, with what Prometheus puts before it.
    text: &'t str,
    /// The name of the text.
    name: &'t str,
    /// The name of the template that runs.
    template: &'t str,
    /// Where it is, for error texts.
    place: Place<'t>,
    variables: Vec<(&'t str, Value)>,
    depth: usize,
    out: Vec<u8>,
}

/// A part of a tree that an error text can quote.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'t> {
    Nowhere,
    Pipeline(&'t Pipeline),
    Command(&'t Command),
    Operand(&'t Operand),
    Invocation(&'t Invocation),
}

/// The result of a step; an error is Go's text.
pub(super) type Outcome<T> = Result<T, String>;

/// How a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// Runs the template that a text is.
pub(super) fn run(
    program: &Program,
    name: &str,
    text: &str,
    world: &World<'_>,
    data: Value,
) -> Outcome<Vec<u8>> {
    let mut machine = Machine {
        world,
        program,
        text,
        name,
        template: name,
        place: Place::Nowhere,
        variables: vec![("$", data.clone())],
        depth: 0,
        out: Vec::new(),
    };
    if let Some(list) = program.templates.get(name) {
        machine.list(&data, list)?;
    }
    Ok(machine.out)
}

// Errors.
impl<'t> Machine<'t, '_> {
    pub(super) fn at(&mut self, place: Place<'t>) {
        self.place = place;
    }

    /// `template: name:line:column: executing "name" at <context>: message`.
    pub(super) fn fail<T>(&self, message: &str) -> Outcome<T> {
        let (offset, context) = match self.place {
            Place::Nowhere => return Err(format!("template: {}: {message}", self.template)),
            Place::Pipeline(pipeline) => (pipeline.offset, pipeline.to_string()),
            Place::Command(command) => (command.offset, command.to_string()),
            Place::Operand(operand) => (operand.offset, operand.to_string()),
            Place::Invocation(invocation) => (invocation.offset, invocation.to_string()),
        };
        let before = self.text.get(..offset).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        let column = match before.rfind('\n') {
            Some(newline) => offset - newline - 1,
            None => offset,
        };
        Err(format!(
            "template: {}:{line}:{column}: executing {} at <{context}>: {message}",
            self.name,
            runes::quote(self.template.as_bytes()),
        ))
    }

    /// Counts work; too much of it is an error at the current place.
    pub(super) fn work(&self, units: usize) -> Outcome<()> {
        match self.world.work(units) {
            Ok(()) => Ok(()),
            Err(error) => self.fail(&error),
        }
    }

    fn write(&mut self, text: &[u8]) -> Outcome<()> {
        self.work(text.len())?;
        if self.out.len() + text.len() > fmt::MAX_TEXT {
            let most = fmt::MAX_TEXT;
            return self.fail(&format!("the text gets longer than {most} bytes"));
        }
        self.out.extend_from_slice(text);
        Ok(())
    }
}

// Nodes.
impl<'t> Machine<'t, '_> {
    fn list(&mut self, dot: &Value, list: &'t List) -> Outcome<Flow> {
        if self.depth >= MAX_DEPTH {
            return self.fail(&format!("exceeded maximum template depth ({GO_DEPTH})"));
        }
        self.depth += 1;
        let flow = self.nodes(dot, list);
        self.depth -= 1;
        flow
    }

    fn nodes(&mut self, dot: &Value, list: &'t List) -> Outcome<Flow> {
        for node in list {
            self.work(NODE_COST)?;
            let flow = match node {
                Node::Text(text) => {
                    self.write(text.as_bytes())?;
                    Flow::Next
                }
                Node::Action(pipeline) => self.action(dot, pipeline)?,
                Node::Branch(branch) => match branch.kind {
                    BranchKind::Range => self.range(dot, branch)?,
                    _ => self.choice(dot, branch)?,
                },
                Node::Template(invocation) => self.invoke(dot, invocation)?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn action(&mut self, dot: &Value, pipeline: &'t Pipeline) -> Outcome<Flow> {
        let value = self.pipeline(dot, pipeline)?;
        if pipeline.variables.is_empty() {
            match builtins::printable(value) {
                Value::String(text) => self.write(&text)?,
                value => {
                    let text = fmt::print(&[value]);
                    self.write(&text)?;
                }
            }
        }
        Ok(Flow::Next)
    }

    /// `if` and `with`: the first arm whose value is true; variables last until the end.
    fn choice(&mut self, dot: &Value, branch: &'t Branch) -> Outcome<Flow> {
        let visible = self.variables.len();
        let mut flow = None;
        for (pipeline, list) in &branch.arms {
            let value = self.pipeline(dot, pipeline)?;
            if value.is_true() {
                let dot = match branch.kind {
                    BranchKind::With => &value,
                    _ => dot,
                };
                flow = Some(self.list(dot, list)?);
                break;
            }
        }
        let flow = match (flow, &branch.otherwise) {
            (Some(flow), _) => flow,
            (None, Some(list)) => self.list(dot, list)?,
            (None, None) => Flow::Next,
        };
        self.variables.truncate(visible);
        Ok(flow)
    }

    fn range(&mut self, dot: &Value, branch: &'t Branch) -> Outcome<Flow> {
        let Some((pipeline, list)) = branch.arms.first() else {
            return Ok(Flow::Next);
        };
        let visible = self.variables.len();
        let value = self.pipeline(dot, pipeline)?.indirect();
        let mut loops = Loop {
            pipeline,
            list,
            visible: self.variables.len(),
            ran: false,
        };
        self.each(value, &mut loops)?;
        let mut flow = Flow::Next;
        if !loops.ran
            && let Some(list) = &branch.otherwise
        {
            flow = self.list(dot, list)?;
        }
        self.variables.truncate(visible);
        Ok(flow)
    }

    /// Runs a loop over whatever can be looped over.
    fn each(&mut self, value: Value, loops: &mut Loop<'t>) -> Outcome<()> {
        match &value {
            Value::Integer(..) | Value::Unsigned(..) => self.each_number(&value, loops),
            Value::Slice(slice) => {
                for index in 0..slice.len() {
                    let item = slice.item(index).unwrap_or(Value::Nothing);
                    if self.once(loops, Value::int(index), item)? == Flow::Break {
                        break;
                    }
                }
                Ok(())
            }
            Value::Labels(labels) => {
                let labels = labels.clone();
                for (name, text) in labels.iter() {
                    if self.once(loops, Value::text(name), Value::text(text))? == Flow::Break {
                        break;
                    }
                }
                Ok(())
            }
            Value::Arguments(arguments) => {
                for (name, item) in &arguments.entries {
                    if self.once(loops, Value::text(name), item.clone())? == Flow::Break {
                        break;
                    }
                }
                Ok(())
            }
            Value::Nothing | Value::Interface(None) | Value::Nil(_) => Ok(()),
            value => self.fail(&format!("range can't iterate over {}", fmt::display(value))),
        }
    }

    fn each_number(&mut self, value: &Value, loops: &mut Loop<'t>) -> Outcome<()> {
        if loops.pipeline.variables.len() > 1 {
            let shown = fmt::display(value);
            return self.fail(&format!(
                "can't use {shown} to iterate over more than one variable"
            ));
        }
        let (end, number): (u64, Box<dyn Fn(u64) -> Value>) = match value {
            Value::Integer(end, kind) => {
                let kind = *kind;
                let number = move |at| Value::Integer(i64::try_from(at).unwrap_or(i64::MAX), kind);
                (u64::try_from(*end).unwrap_or(0), Box::new(number))
            }
            Value::Unsigned(end, kind) => {
                let kind = *kind;
                (*end, Box::new(move |at| Value::Unsigned(at, kind)))
            }
            _ => return Ok(()),
        };
        for at in 0..end {
            if self.once(loops, Value::Nothing, number(at))? == Flow::Break {
                break;
            }
        }
        Ok(())
    }

    /// One round of a loop.
    fn once(&mut self, loops: &mut Loop<'t>, index: Value, item: Value) -> Outcome<Flow> {
        loops.ran = true;
        self.work(NODE_COST)?;
        let pipeline = loops.pipeline;
        match pipeline.variables.as_slice() {
            [one] => self.loop_variable(pipeline, one, 1, item.clone())?,
            [first, second] if pipeline.assigns => {
                self.assign(first, index)?;
                self.assign(second, item.clone())?;
            }
            [first, second] => {
                self.loop_variable(pipeline, second, 1, item.clone())?;
                self.loop_variable(pipeline, first, 2, index)?;
            }
            _ => {}
        }
        let flow = self.list(&item, loops.list)?;
        self.variables.truncate(loops.visible);
        Ok(flow)
    }

    /// Sets a variable of a loop: it exists already, or the loop declared it as the `from_top`th.
    fn loop_variable(
        &mut self,
        pipeline: &Pipeline,
        name: &'t str,
        from_top: usize,
        value: Value,
    ) -> Outcome<()> {
        if pipeline.assigns {
            return self.assign(name, value);
        }
        let index = self.variables.len().checked_sub(from_top);
        if let Some(slot) = index.and_then(|index| self.variables.get_mut(index)) {
            slot.1 = value;
        }
        Ok(())
    }

    /// Runs another template; it sees nothing but what it is given.
    fn invoke(&mut self, dot: &Value, invocation: &'t Invocation) -> Outcome<Flow> {
        self.at(Place::Invocation(invocation));
        let Some((name, list)) = self.program.templates.get_key_value(&invocation.name) else {
            let quoted = runes::quote(invocation.name.as_bytes());
            return self.fail(&format!("template {quoted} not defined"));
        };
        if self.depth >= MAX_DEPTH {
            return self.fail(&format!("exceeded maximum template depth ({GO_DEPTH})"));
        }
        let dot = match &invocation.pipeline {
            Some(pipeline) => self.pipeline(dot, pipeline)?,
            None => Value::Nothing,
        };
        let inside = vec![("$", dot.clone())];
        let variables = std::mem::replace(&mut self.variables, inside);
        let template = std::mem::replace(&mut self.template, name);
        self.list(&dot, list)?;
        self.variables = variables;
        self.template = template;
        Ok(Flow::Next)
    }
}

/// What a loop does in each round.
struct Loop<'t> {
    pipeline: &'t Pipeline,
    list: &'t List,
    /// How many variables there are before a round.
    visible: usize,
    ran: bool,
}

// Pipelines.
impl<'t> Machine<'t, '_> {
    /// Evaluates a pipeline and sets its variables.
    pub(super) fn pipeline(&mut self, dot: &Value, pipeline: &'t Pipeline) -> Outcome<Value> {
        self.at(Place::Pipeline(pipeline));
        let mut last = None;
        for command in &pipeline.commands {
            self.work(NODE_COST)?;
            last = Some(self.command(dot, command, last)?.unboxed());
        }
        let value = last.unwrap_or(Value::Nothing);
        for name in &pipeline.variables {
            match pipeline.assigns {
                true => self.assign(name, value.clone())?,
                false => self.variables.push((name, value.clone())),
            }
        }
        Ok(value)
    }

    fn assign(&mut self, name: &str, value: Value) -> Outcome<()> {
        let slot = self.variables.iter_mut().rev();
        match slot.into_iter().find(|(candidate, _)| *candidate == name) {
            Some(slot) => {
                slot.1 = value;
                Ok(())
            }
            None => self.fail(&format!("undefined variable: {name}")),
        }
    }

    /// A command; `last` is the value of the one before it.
    fn command(
        &mut self,
        dot: &Value,
        command: &'t Command,
        last: Option<Value>,
    ) -> Outcome<Value> {
        let Some(head) = command.operands.first() else {
            return Ok(Value::Nothing);
        };
        let given = command.operands.get(1..).unwrap_or(&[]);
        let call = super::call::Given {
            operands: given,
            last,
        };
        match &head.kind {
            OperandKind::Field(fields) => {
                self.at(Place::Operand(head));
                return self.fields(dot, dot.clone(), head, fields, call);
            }
            OperandKind::Chain(inside, fields) => {
                return self.chain(dot, head, inside, fields, call);
            }
            OperandKind::Identifier(name) => {
                self.at(Place::Operand(head));
                return self.function(dot, Place::Command(command), name, call);
            }
            OperandKind::Pipeline(pipeline) => {
                self.no_arguments(head, &call)?;
                return self.nested(dot, pipeline);
            }
            OperandKind::Variable(name, fields) => {
                return self.variable(dot, head, name, fields, call);
            }
            _ => {}
        }
        self.at(Place::Operand(head));
        self.no_arguments(head, &call)?;
        match &head.kind {
            OperandKind::Dot => Ok(dot.clone()),
            OperandKind::Nil => self.fail("nil is not a command"),
            _ => self.constant(head),
        }
    }

    /// A pipeline in parentheses.
    pub(super) fn nested(&mut self, dot: &Value, pipeline: &'t Pipeline) -> Outcome<Value> {
        if self.depth >= MAX_DEPTH {
            return self.fail(&format!("exceeded maximum template depth ({GO_DEPTH})"));
        }
        self.depth += 1;
        let value = self.pipeline(dot, pipeline);
        self.depth -= 1;
        value
    }

    fn no_arguments(&self, head: &Operand, call: &super::call::Given<'t>) -> Outcome<()> {
        if call.operands.is_empty() && call.last.is_none() {
            return Ok(());
        }
        // Go prints the operand as it stands, without the parentheses around a pipeline.
        self.fail(&format!("can't give argument to non-function {head}"))
    }

    /// A literal where no type is asked for.
    pub(super) fn constant(&mut self, operand: &'t Operand) -> Outcome<Value> {
        self.at(Place::Operand(operand));
        match &operand.kind {
            OperandKind::Bool(value) => Ok(Value::Bool(*value)),
            OperandKind::String(_, text) => Ok(Value::String(text.as_slice().into())),
            OperandKind::Number(number) => self.number(number),
            _ => self.fail(&format!(
                "can't handle assignment of {operand} to empty interface argument"
            )),
        }
    }

    /// The way a number is written decides its type.
    fn number(&mut self, number: &Number) -> Outcome<Value> {
        if let Some((real, imaginary)) = number.complex {
            return Ok(Value::Complex(real, imaginary));
        }
        let text = &number.text;
        let hexadecimal = text.len() > 2
            && (text.starts_with("0x") || text.starts_with("0X"))
            && !text.contains(['p', 'P']);
        let pointed = text.contains(['.', 'e', 'E', 'p', 'P']);
        match (number.float, number.integer) {
            (Some(float), _) if pointed && !hexadecimal && !text.starts_with('\'') => {
                Ok(Value::Float(float))
            }
            (_, Some(integer)) => Ok(Value::Integer(integer, IntegerType::Int)),
            _ => self.fail(&format!("{text} overflows int")),
        }
    }

    pub(super) fn variable(
        &mut self,
        dot: &Value,
        operand: &'t Operand,
        name: &str,
        fields: &'t [String],
        call: super::call::Given<'t>,
    ) -> Outcome<Value> {
        self.at(Place::Operand(operand));
        let found = self.variables.iter().rev();
        let found = found
            .into_iter()
            .find(|(candidate, _)| *candidate == name)
            .map(|(_, value)| value.clone());
        let Some(value) = found else {
            return self.fail(&format!("undefined variable: {name}"));
        };
        if fields.is_empty() {
            self.no_arguments(operand, &call)?;
            return Ok(value);
        }
        self.fields(dot, value, operand, fields, call)
    }
}
