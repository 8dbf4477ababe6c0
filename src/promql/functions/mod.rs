//! The functions: a row each, in a file a family.

mod pointwise;

use super::ast::ValueType;

/// A function of the language.
#[derive(Debug)]
pub struct Function {
    /// As written.
    pub name: &'static str,
    /// What it yields.
    pub doc: &'static str,
    /// What it computes; its signature follows from it.
    pub body: Body,
    /// Whether it needs `promql-experimental-functions`.
    pub experimental: bool,
}

/// What a function takes and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// Types of the arguments; the last is repeated or left out as `variadic` says.
    pub params: &'static [ValueType],
    /// 0: exactly `params`. n > 0: the last may be missing, or stand up to n times.
    /// -1: the last may be missing, or stand any number of times.
    pub variadic: i32,
    /// Type of the result.
    pub returns: ValueType,
}

/// The shape of a function decides its signature.
#[derive(Debug, Clone, Copy)]
pub enum Body {
    /// Every float sample by itself: `abs(v)`.
    Pointwise(fn(f64) -> f64),
}

impl Function {
    /// What it takes and gives.
    pub fn signature(&self) -> Signature {
        match self.body {
            Body::Pointwise(_) => Signature {
                params: &[ValueType::Vector],
                variadic: 0,
                returns: ValueType::Vector,
            },
        }
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        self.name == other.name
    }
}

/// The row of a name.
pub fn lookup(name: &str) -> Option<&'static Function> {
    functions().find(|row| row.name == name)
}

/// Every function.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    pointwise::ROWS.iter()
}
