//! What a template shows of its sample: labels by name and the value, with what is done to them.

use std::collections::BTreeSet;

use super::PREAMBLE;
use super::ast::{Branch, List, Node, Operand, OperandKind, Pipeline, Program};
use crate::text::Span;

/// A place of a template that shows something of its sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateUse {
    /// What.
    pub what: Used,
    /// Where it stands in the person's text.
    pub span: Span,
    /// The functions that it goes through, the first first.
    pub calls: Vec<Called>,
}

/// What a template shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Used {
    /// `$labels.name`, `.Labels.name`, `index $labels "name"`.
    Label(String),
    /// `$value`, `.Value`.
    Value,
}

/// A function that something goes through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// Its name.
    pub name: String,
    /// The first text among its arguments: the format of `printf`.
    pub text: Option<String>,
}

/// Everything that the template of a name shows of its sample. Labels that it asks for before, with `if`, `with`, `or` or `and`,
/// may be missing and are left out; so is all of a template that gives `$labels` or `$value` another meaning.
pub(super) fn uses(program: &Program, name: &str) -> Vec<TemplateUse> {
    let mut reader = Reader::default();
    if let Some(list) = program.templates.get(name) {
        // The preamble declares the two.
        reader.list(list, true);
    }
    if reader.declared > 2 {
        return Vec::new();
    }
    let asked = reader.asked;
    let mut found = reader.found;
    found.retain(|found| !matches!(&found.what, Used::Label(name) if asked.contains(name)));
    found.sort_by_key(|found| found.span);
    found
}

#[derive(Default)]
struct Reader {
    found: Vec<TemplateUse>,
    /// Labels whose presence is asked for.
    asked: BTreeSet<String>,
    /// How often `$labels` or `$value` are declared.
    declared: usize,
}

impl Reader {
    /// `is_root`: whether the dot is the data of the template.
    fn list(&mut self, list: &List, is_root: bool) {
        for node in list {
            match node {
                Node::Action(pipeline) => self.pipeline(pipeline, is_root, &[]),
                Node::Branch(branch) => self.branch(branch, is_root),
                Node::Template(invocation) => {
                    if let Some(pipeline) = &invocation.pipeline {
                        self.pipeline(pipeline, is_root, &[]);
                    }
                }
                Node::Text(_) | Node::Break | Node::Continue => {}
            }
        }
    }

    fn branch(&mut self, branch: &Branch, is_root: bool) {
        use super::ast::BranchKind;
        for (pipeline, list) in &branch.arms {
            let mut asking = Reader::default();
            asking.pipeline(pipeline, is_root, &[]);
            self.ask(asking);
            self.list(list, is_root && branch.kind == BranchKind::If);
        }
        if let Some(list) = &branch.otherwise {
            self.list(list, is_root);
        }
    }

    /// Takes over what was asked for.
    fn ask(&mut self, asking: Reader) {
        self.asked.extend(asking.asked);
        self.declared += asking.declared;
        let names = asking
            .found
            .into_iter()
            .filter_map(|found| match found.what {
                Used::Label(name) => Some(name),
                Used::Value => None,
            });
        self.asked.extend(names);
    }

    fn pipeline(&mut self, pipeline: &Pipeline, is_root: bool, after: &[Called]) {
        let is_ours = |name: &&String| ["$labels", "$value"].contains(&name.as_str());
        self.declared += pipeline.variables.iter().filter(is_ours).count();
        for (index, command) in pipeline.commands.iter().enumerate() {
            let later = pipeline.commands.get(index + 1..).unwrap_or_default();
            let mut calls: Vec<Called> = Vec::new();
            let (function, arguments) = match command.operands.split_first() {
                Some((first, rest)) => match called(first, rest) {
                    Some(called) => (Some(called), rest),
                    None => (None, command.operands.as_slice()),
                },
                None => continue,
            };
            if let ("index", [labels, name]) = (
                function.as_ref().map_or("", |it| it.name.as_str()),
                arguments,
            ) && is_labels(labels, is_root)
                && let OperandKind::String(_, name) = &name.kind
            {
                let what = Used::Label(String::from_utf8_lossy(name).into_owned());
                let calls = called_by(later, after);
                self.add(what, labels, calls);
                continue;
            }
            let chooses = function
                .as_ref()
                .is_some_and(|it| ["or", "and", "not", "eq", "ne"].contains(&it.name.as_str()));
            calls.extend(function);
            calls.extend(called_by(later, after));
            let mut own = Reader::default();
            for argument in arguments {
                own.operand(argument, is_root, &calls);
            }
            match chooses {
                true => self.ask(own),
                false => {
                    self.found.extend(own.found);
                    self.asked.extend(own.asked);
                    self.declared += own.declared;
                }
            }
        }
    }

    fn operand(&mut self, operand: &Operand, is_root: bool, calls: &[Called]) {
        let fields = match &operand.kind {
            OperandKind::Pipeline(pipeline) => return self.pipeline(pipeline, is_root, calls),
            OperandKind::Chain(head, _) => return self.operand(head, is_root, calls),
            OperandKind::Variable(name, fields) => match name.as_str() {
                "$labels" => path(&["Labels"], fields),
                "$value" => path(&["Value"], fields),
                "$" => path(&[], fields),
                _ => return,
            },
            OperandKind::Field(fields) if is_root => path(&[], fields),
            _ => return,
        };
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        match fields.as_slice() {
            ["Labels", name] => self.add(Used::Label((*name).to_owned()), operand, calls.to_vec()),
            ["Value"] => self.add(Used::Value, operand, calls.to_vec()),
            _ => {}
        }
    }

    fn add(&mut self, what: Used, operand: &Operand, calls: Vec<Called>) {
        // What the preamble holds is no part of the text.
        let Some(start) = operand.offset.checked_sub(PREAMBLE.len()) else {
            return;
        };
        let span = Span::new(start, start + operand.to_string().len());
        self.found.push(TemplateUse { what, span, calls });
    }
}

/// The function at the head of a command.
fn called(operand: &Operand, rest: &[Operand]) -> Option<Called> {
    let OperandKind::Identifier(name) = &operand.kind else {
        return None;
    };
    let text = rest.iter().find_map(|argument| match &argument.kind {
        OperandKind::String(_, text) => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    });
    Some(Called {
        name: name.clone(),
        text,
    })
}

/// The functions of the commands behind one, and what comes after them all.
fn called_by(later: &[super::ast::Command], after: &[Called]) -> Vec<Called> {
    let later = later.iter().filter_map(|command| {
        let (first, rest) = command.operands.split_first()?;
        called(first, rest)
    });
    later.chain(after.iter().cloned()).collect()
}

fn is_labels(operand: &Operand, is_root: bool) -> bool {
    match &operand.kind {
        OperandKind::Variable(name, fields) if name == "$labels" => fields.is_empty(),
        OperandKind::Field(fields) => is_root && fields.as_slice() == ["Labels"],
        _ => false,
    }
}

fn path(head: &[&str], fields: &[String]) -> Vec<String> {
    let head = head.iter().map(|it| (*it).to_owned());
    head.chain(fields.iter().cloned()).collect()
}
