//! What is done to rules: a table, of which each row has a file.

use super::operators::OPERATORS;
use super::site::Site;
use crate::text::{Diagnostic, closest};

/// A way to change a rule.
#[derive(Debug)]
pub struct Operator {
    /// By which it is chosen.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Whether it is among those that are used unless others are named.
    pub by_default: bool,
    /// Makes its mutants of a rule.
    pub(super) make: fn(&mut Site<'_>),
}

impl PartialEq for Operator {
    fn eq(&self, other: &Operator) -> bool {
        self.name == other.name
    }
}

/// All operators.
pub fn operators() -> &'static [Operator] {
    &OPERATORS
}

/// The operators of some names, in the order of the table; those by default where no name is given, all for `all`.
///
/// # Errors
///
/// A name that none has.
pub fn chosen(names: &[String]) -> Result<Vec<&'static Operator>, Diagnostic> {
    let all = || OPERATORS.iter();
    if names.is_empty() {
        return Ok(all().filter(|it| it.by_default).collect());
    }
    let known: Vec<&str> = all().map(|it| it.name).chain(["all"]).collect();
    if let Some(unknown) = names.iter().find(|it| !known.contains(&it.as_str())) {
        let fault = Diagnostic::error(format!("there is no operator {unknown:?}"));
        return Err(match closest(unknown, &known) {
            Some(near) => fault.help(format!("did you mean {near:?}?")),
            None => fault.help(format!("the operators are {}", known.join(", "))),
        });
    }
    let is_named = |name: &str| names.iter().any(|it| it == name || it == "all");
    Ok(all().filter(|it| is_named(it.name)).collect())
}
