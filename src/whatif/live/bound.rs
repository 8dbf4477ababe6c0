//! The comparison that decides whether an alert's expression yields anything, and how its limit is worked out of numbers.

use super::super::Knob;
use super::super::knob::Slot;
use crate::promql::ast::{BinaryOp, Chain, Expr, ExprKind, UnaryOp};
use crate::promql::{Features, Query, threshold};
use crate::text::Span;

/// What an alert compares with what: its expression yields those samples of `value` for which `op` holds.
#[derive(Debug, Clone)]
pub struct Compared {
    /// What is compared, on one line.
    pub value: String,
    /// The comparison, the value on its left.
    pub op: BinaryOp,
    /// How to work out what it is compared with.
    pub bound: Vec<Step>,
}

/// A step by which a limit is worked out; each takes its operands from a stack and puts its result there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Puts a number there.
    Number(f64),
    /// Puts the number there that a knob is set to, by its place among the knobs that were given.
    Knob(usize),
    /// Turns the sign.
    Negate,
    /// Takes two: `+`, `-`, `*`, `/` or `%`.
    Binary(BinaryOp),
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
    compile(found.bound, &query.text, knobs, &mut bound)?;
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

/// Adds the steps that work out an expression of numbers.
fn compile(
    expr: &Expr,
    text: &str,
    knobs: &[(usize, &Knob)],
    steps: &mut Vec<Step>,
) -> Result<(), String> {
    let expr = expr.unwrap_parens();
    match &expr.kind {
        ExprKind::Number(number) => {
            number_steps(number.value, expr.span, text, knobs, steps);
            Ok(())
        }
        ExprKind::Unary(op, inner) => {
            compile(inner, text, knobs, steps)?;
            if *op == UnaryOp::Minus {
                steps.push(Step::Negate);
            }
            Ok(())
        }
        ExprKind::Chain(chain) => {
            compile(&chain.first, text, knobs, steps)?;
            for link in &chain.links {
                // These give the same bits wherever they are worked out; powers do not.
                let is_exact = matches!(
                    link.op,
                    BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod
                );
                if !is_exact {
                    let op = link.op.symbol();
                    return Err(format!("`{op}` works it out, which a page does not"));
                }
                compile(&link.rhs, text, knobs, steps)?;
                steps.push(Step::Binary(link.op));
            }
            Ok(())
        }
        _ => Err("it is compared with what is no number".to_owned()),
    }
}

/// A number, or the knob that it is; of one whose sign stands apart the knob is what follows the sign.
fn number_steps(
    value: f64,
    span: Span,
    text: &str,
    knobs: &[(usize, &Knob)],
    steps: &mut Vec<Step>,
) {
    let within = |knob: &Knob| match knob.slot {
        Slot::Query(own) => own.start >= span.start && own.end == span.end,
        Slot::Key | Slot::Missing => false,
    };
    let Some((place, knob)) = knobs.iter().find(|(_, knob)| within(knob)) else {
        return steps.push(Step::Number(value));
    };
    steps.push(Step::Knob(*place));
    let is_signed = matches!(knob.slot, Slot::Query(own) if own.start > span.start);
    let is_minus = text.get(span.start..).is_some_and(|it| it.starts_with('-'));
    if is_signed && is_minus {
        steps.push(Step::Negate);
    }
}
