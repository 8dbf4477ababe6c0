//! The comparison that decides whether an alert's expression yields anything.

use super::super::Knob;
use super::condition::Step;
use super::plan::compile;
use crate::promql::ast::{BinaryOp, Chain, Expr, ExprKind};
use crate::promql::{Features, Query, threshold};
use crate::text::Span;

/// What an alert compares with what: its expression yields those samples of a value for which `op` holds.
#[derive(Debug, Clone)]
pub(super) struct Compared {
    /// What is compared, on one line.
    pub value: String,
    /// The comparison, the value on its left.
    pub op: BinaryOp,
    /// How to work out what it is compared with.
    pub bound: Vec<Step>,
}

/// The comparison of a query, and the query that yields what is compared: the same without the comparison.
///
/// # Errors
///
/// Why there is none that could move, as the end of a sentence that begins with "its threshold does not move here: ".
pub(super) fn split(
    query: &Query,
    knobs: &[(usize, &Knob)],
    features: &Features,
) -> Result<(Compared, Query), String> {
    let comparison = decisive(&query.expr)?;
    let found = threshold(comparison).ok_or(
        "its expression is no comparison of a value with a number, so that there is nothing to move",
    )?;
    let text = |span: Span| query.text.get(span.start..span.end).unwrap_or_default();
    let mut bound = Vec::new();
    compile(found.bound, &query.text, knobs, &mut bound)
        .ok_or("a page does not work out what it is compared with")?;
    let compared = Compared {
        value: query.written(found.value.span),
        op: found.op,
        bound,
    };
    let Span { start, end } = comparison.span;
    let (before, after) = (
        query.text.get(..start).unwrap_or_default(),
        query.text.get(end..).unwrap_or_default(),
    );
    let all = format!("{before}({}){after}", text(found.value.span));
    match Query::parse(&all, features) {
        Ok(value) => Ok((compared, value)),
        Err(_) => Err("what it compares is no query by itself".to_owned()),
    }
}

/// The comparison whose samples an expression yields, but for those that `and` and `unless` take away.
fn decisive(expr: &Expr) -> Result<&Expr, String> {
    let expr = expr.unwrap_parens();
    let ExprKind::Chain(chain) = &expr.kind else {
        return Err("its expression is no comparison".to_owned());
    };
    let is_filter = |op: BinaryOp| matches!(op, BinaryOp::And | BinaryOp::Unless);
    match chain.links.as_slice() {
        [link] if link.op.is_comparison() => plain(expr, chain),
        links if links.iter().all(|link| is_filter(link.op)) => decisive(&chain.first),
        links if links.iter().any(|link| link.op == BinaryOp::Or) => {
            Err("parts of its expression are joined by `or`".to_owned())
        }
        links if links.iter().all(|link| link.op.is_comparison()) => {
            Err("it compares several times in a row".to_owned())
        }
        _ => Err("the result of its expression is no comparison".to_owned()),
    }
}

/// A comparison that lets samples pass or not, with a number.
fn plain<'e>(expr: &'e Expr, chain: &'e Chain) -> Result<&'e Expr, String> {
    if chain.links.iter().any(|link| link.return_bool) {
        return Err("its comparison has `bool`, and always yields something".to_owned());
    }
    Ok(expr)
}
