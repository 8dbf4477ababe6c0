//! The tree of a parsed template, and how Go prints its parts in error texts.

use std::collections::BTreeMap;
use std::fmt;

use super::literal::Number;
use super::runes;

/// The templates of one text: the text itself and what it defines.
#[derive(Debug, Clone, Default)]
pub(super) struct Program {
    /// By name; the text itself is one of them.
    pub(super) templates: BTreeMap<String, List>,
}

/// Nodes one after the other.
pub(super) type List = Vec<Node>;

/// A part of a template.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// Text that is written as it is.
    Text(String),
    /// `{{pipeline}}`.
    Action(Pipeline),
    /// `if`, `with` or `range`.
    Branch(Branch),
    /// `{{template "name" pipeline}}`.
    Template(Invocation),
    /// `{{break}}`.
    Break,
    /// `{{continue}}`.
    Continue,
}

/// What a [`Branch`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BranchKind {
    If,
    With,
    Range,
}

/// `{{if a}}..{{else if b}}..{{else}}..{{end}}` and its sisters.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    pub(super) kind: BranchKind,
    /// Tried in this order; `range` has one.
    pub(super) arms: Vec<(Pipeline, List)>,
    pub(super) otherwise: Option<List>,
}

/// A call of another template.
#[derive(Debug, Clone)]
pub(super) struct Invocation {
    pub(super) offset: usize,
    pub(super) name: String,
    pub(super) pipeline: Option<Pipeline>,
}

/// Commands of which each hands its value to the next.
#[derive(Debug, Clone)]
pub(super) struct Pipeline {
    pub(super) offset: usize,
    /// Whether the variables exist already (`=` rather than `:=`).
    pub(super) assigns: bool,
    pub(super) variables: Vec<String>,
    pub(super) commands: Vec<Command>,
}

/// A function, method or value with its arguments. Never empty.
#[derive(Debug, Clone)]
pub(super) struct Command {
    pub(super) offset: usize,
    pub(super) operands: Vec<Operand>,
}

/// A value as it is written.
#[derive(Debug, Clone)]
pub(super) struct Operand {
    pub(super) offset: usize,
    pub(super) kind: OperandKind,
}

/// What an [`Operand`] is.
#[derive(Debug, Clone)]
pub(super) enum OperandKind {
    Bool(bool),
    Number(Number),
    /// The text as written and what it stands for.
    String(String, Vec<u8>),
    Dot,
    Nil,
    /// `.A.B`.
    Field(Vec<String>),
    /// `$a.B`: the variable with its dollar sign, then fields.
    Variable(String, Vec<String>),
    /// A function.
    Identifier(String),
    /// `(pipeline)`.
    Pipeline(Box<Pipeline>),
    /// Something with fields behind it.
    Chain(Box<Operand>, Vec<String>),
}

impl Program {
    /// Whether a function is called anywhere.
    pub(super) fn calls(&self, function: &str) -> bool {
        self.templates
            .values()
            .any(|list| list_calls(list, function))
    }
}

fn list_calls(list: &List, function: &str) -> bool {
    list.iter().any(|node| match node {
        Node::Action(pipeline) => pipeline_calls(pipeline, function),
        Node::Branch(branch) => {
            branch.arms.iter().any(|(pipeline, list)| {
                pipeline_calls(pipeline, function) || list_calls(list, function)
            }) || branch
                .otherwise
                .as_ref()
                .is_some_and(|list| list_calls(list, function))
        }
        Node::Template(invocation) => invocation
            .pipeline
            .as_ref()
            .is_some_and(|pipeline| pipeline_calls(pipeline, function)),
        Node::Text(_) | Node::Break | Node::Continue => false,
    })
}

fn pipeline_calls(pipeline: &Pipeline, function: &str) -> bool {
    let mut operands = pipeline
        .commands
        .iter()
        .flat_map(|command| &command.operands);
    operands.any(|operand| operand_calls(operand, function))
}

fn operand_calls(operand: &Operand, function: &str) -> bool {
    match &operand.kind {
        OperandKind::Identifier(name) => name == function,
        OperandKind::Pipeline(pipeline) => pipeline_calls(pipeline, function),
        OperandKind::Chain(head, _) => operand_calls(head, function),
        _ => false,
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{template {}", runes::quote(self.name.as_bytes()))?;
        if let Some(pipeline) = &self.pipeline {
            write!(f, " {pipeline}")?;
        }
        f.write_str("}}")
    }
}

impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            let sign = if self.assigns { "=" } else { ":=" };
            write!(f, "{} {sign} ", self.variables.join(", "))?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            if index > 0 {
                f.write_str(" | ")?;
            }
            command.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, operand) in self.operands.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match &operand.kind {
                OperandKind::Pipeline(pipeline) => write!(f, "({pipeline})")?,
                _ => operand.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            OperandKind::Bool(value) => write!(f, "{value}"),
            OperandKind::Number(number) => f.write_str(&number.text),
            OperandKind::String(written, _) => f.write_str(written),
            OperandKind::Dot => f.write_str("."),
            OperandKind::Nil => f.write_str("nil"),
            OperandKind::Field(fields) => with_dots(f, fields),
            OperandKind::Variable(name, fields) => {
                f.write_str(name)?;
                with_dots(f, fields)
            }
            OperandKind::Identifier(name) => f.write_str(name),
            OperandKind::Pipeline(pipeline) => pipeline.fmt(f),
            OperandKind::Chain(head, fields) => {
                match &head.kind {
                    OperandKind::Pipeline(pipeline) => write!(f, "({pipeline})")?,
                    _ => head.fmt(f)?,
                }
                with_dots(f, fields)
            }
        }
    }
}

fn with_dots(f: &mut fmt::Formatter<'_>, fields: &[String]) -> fmt::Result {
    for field in fields {
        write!(f, ".{field}")?;
    }
    Ok(())
}
