//! From text to tree. Only this folder sees the grammar's rules.

mod builder;
mod duration;
mod literal;
mod metricsql;
mod pairs;
mod selector;
mod suggest;
mod syntax;
mod tokens;

use pest::Parser;

use self::grammar::{Grammar, Rule};
use self::pairs::Tree;

use crate::model::Matcher;
use crate::text::Span;

use super::ast::{Expr, ExprKind, Shift};
use super::check;
use super::query::{Features, Query, QueryError};

pub use self::selector::MAX_PATTERNS;

/// How deep brackets, signs and powers may nest. Prometheus has no limit; this one keeps every walk over
/// a tree well inside the 2 MiB stack of a thread.
pub const MAX_DEPTH: usize = 200;

/// More errors in one query nobody reads.
const MAX_ERRORS: usize = 20;

/// What pest makes of the grammar.
mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "grammar/promql.pest"]
    pub(super) struct Grammar;
}

impl Query {
    /// Parses and checks a query.
    ///
    /// # Errors
    /// At least one error, and not very many, where the text is no query, or uses what `features` leaves off.
    pub fn parse(text: &str, features: &Features) -> Result<Query, Vec<QueryError>> {
        let parsed = parse(text, features).and_then(|mut expr| {
            let errors = check::check(&mut expr);
            match errors.is_empty() {
                true => Ok(Query {
                    text: text.to_owned(),
                    expr,
                }),
                false => Err(errors),
            }
        });
        parsed.map_err(|mut errors| {
            errors.truncate(MAX_ERRORS);
            errors
        })
    }

    /// Parses a series selector such as `up{job="api"}`, without range, `offset` or `@`; it may match every series.
    ///
    /// # Errors
    /// Where the text is no selector.
    pub fn parse_selector(
        text: &str,
        features: &Features,
    ) -> Result<Vec<Matcher>, Vec<QueryError>> {
        let expr = parse(text, features)?;
        let span = expr.span;
        match expr.kind {
            ExprKind::Vector(selector)
                if selector.shift == Shift::default() && selector.extension.is_none() =>
            {
                Ok(selector.matchers)
            }
            _ => Err(vec![QueryError {
                message: "expected a series selector".to_owned(),
                span,
                help: Some("write one such as `up{job=\"api\"}`".to_owned()),
            }]),
        }
    }
}

/// The tree of a text, its types unchecked.
fn parse(text: &str, features: &Features) -> Result<Expr, Vec<QueryError>> {
    syntax::check_depth(text).map_err(|error| vec![error])?;
    let tree = read(text)?;
    let builder = builder::Builder::new(text, features);
    let expr = builder.whole(tree.pairs(), Span::new(0, text.len()));
    match builder.into_errors() {
        errors if errors.is_empty() => Ok(expr),
        errors => Err(errors),
    }
}

/// What the grammar makes of a text.
fn read(text: &str) -> Result<Tree<'_>, Vec<QueryError>> {
    if u32::try_from(text.len()).is_err() {
        return Err(vec![QueryError {
            message: "expression is longer than 4 GiB".to_owned(),
            span: Span::default(),
            help: Some("split it into recording rules".to_owned()),
        }]);
    }
    match Grammar::parse(Rule::query, text) {
        Ok(pairs) => Ok(Tree::new(text, pairs)),
        Err(error) => Err(vec![syntax::explain(text, failure(&error))]),
    }
}

/// The furthest byte that the grammar reached.
fn failure(error: &pest::error::Error<Rule>) -> usize {
    match error.location {
        pest::error::InputLocation::Pos(at) => at,
        pest::error::InputLocation::Span((start, _)) => start,
    }
}
