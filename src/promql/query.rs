//! A query that was parsed and checked.

use super::ast::{Expr, ValueType};
use crate::text::Span;

/// A query that was parsed and checked: every function exists, every argument has its type.
#[derive(Debug, Clone)]
pub struct Query {
    /// The text it was parsed from.
    pub text: String,
    /// Its tree.
    pub expr: Expr,
}

/// Why a text is no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// What is wrong, in Prometheus's words where it has some.
    pub message: String,
    /// Where, in bytes of the query's text.
    pub span: Span,
    /// What to do.
    pub help: Option<String>,
}

/// The parts of the language that are off unless asked for, by promtool's `--enable-feature` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Features {
    /// `promql-experimental-functions`
    pub experimental_functions: bool,
    /// `promql-delayed-name-removal`
    pub delayed_name_removal: bool,
    /// `promql-extended-range-selectors`: `anchored` and `smoothed`
    pub extended_range_selectors: bool,
    /// `promql-binop-fill-modifiers`: `fill`, `fill_left`, `fill_right`
    pub binop_fill_modifiers: bool,
}

impl Query {
    /// What the query evaluates to.
    pub fn value_type(&self) -> ValueType {
        self.expr.value_type()
    }
}
