//! Prints trees as Prometheus does; what is printed parses to the same tree.

use std::fmt::{self, Display, Formatter, Write};

use crate::model::number::{format_value, quote};
use crate::model::{Duration, METRIC_NAME, MatchOp, Matcher};

use super::ast::{
    Aggregate, At, BinaryOp, Chain, DurationExpr, DurationKind, Expr, ExprKind, Extension,
    Grouping, Link, Matching, MatrixSelector, NumberLiteral, Shift, Side, Subquery, UnaryOp,
    VectorSelector,
};
use super::query::Query;

impl fmt::Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}

impl fmt::Display for Expr {
    /// The alternate form (`{:#}`) may stand before an arithmetic operator: its last offset takes none.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Number(literal) => literal.fmt(f),
            ExprKind::String(text) => f.write_str(&quote(text)),
            ExprKind::Vector(selector) => vector(selector, f),
            ExprKind::Matrix(matrix) => matrix_selector(matrix, f),
            ExprKind::Subquery(subquery) => self::subquery(subquery, f),
            ExprKind::Call(call) => {
                write!(f, "{}(", call.function.name)?;
                list(&call.args, f, |arg, f| arg.fmt(f))?;
                f.write_char(')')
            }
            ExprKind::Aggregate(aggregate) => self::aggregate(aggregate, f),
            ExprKind::Chain(chain) => self::chain(chain, f),
            ExprKind::Unary(op, inner) => {
                f.write_str(sign(*op))?;
                inner.fmt(f)
            }
            ExprKind::Paren(inner) => write!(f, "({inner})"),
        }
    }
}

impl fmt::Display for NumberLiteral {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.is_duration {
            return f.write_str(&format_value(self.value));
        }
        if self.value.is_sign_negative() {
            f.write_char('-')?;
        }
        let millis = (self.value.abs() * 1000.0).round() as i64;
        Duration(millis).fmt(f)
    }
}

impl fmt::Display for DurationExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            DurationKind::Literal(literal) => literal.fmt(f),
            DurationKind::Step => f.write_str("step()"),
            DurationKind::Range => f.write_str("range()"),
            DurationKind::Unary(op, inner) => write!(f, "{}{inner}", sign(*op)),
            DurationKind::Binary(op, left, right) => {
                write!(f, "{left} {} {right}", op.symbol())
            }
            DurationKind::MinOf(a, b) => write!(f, "min_of({a}, {b})"),
            DurationKind::MaxOf(a, b) => write!(f, "max_of({a}, {b})"),
            DurationKind::Paren(inner) => write!(f, "({inner})"),
        }
    }
}

fn vector(selector: &VectorSelector, f: &mut Formatter<'_>) -> fmt::Result {
    name_and_matchers(selector, f)?;
    if f.alternate() && takes_operators(&selector.shift) {
        offset(&selector.shift, f)?;
        at(&selector.shift, f)?;
        return extension(selector.extension, f);
    }
    at(&selector.shift, f)?;
    extension(selector.extension, f)?;
    offset(&selector.shift, f)
}

fn matrix_selector(matrix: &MatrixSelector, f: &mut Formatter<'_>) -> fmt::Result {
    name_and_matchers(&matrix.selector, f)?;
    write!(f, "[{}]", matrix.range)?;
    if f.alternate() && takes_operators(&matrix.selector.shift) {
        offset(&matrix.selector.shift, f)?;
        extension(matrix.selector.extension, f)?;
        return at(&matrix.selector.shift, f);
    }
    extension(matrix.selector.extension, f)?;
    at(&matrix.selector.shift, f)?;
    offset(&matrix.selector.shift, f)
}

/// What stands behind the expression of a subquery: `[1h:5m] offset 1h`.
pub(super) struct SubqueryTail<'e>(pub &'e Subquery);

impl fmt::Display for SubqueryTail<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        subquery_tail(self.0, f)
    }
}

fn subquery(subquery: &Subquery, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "{}", subquery.expr)?;
    subquery_tail(subquery, f)
}

fn subquery_tail(subquery: &Subquery, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "[{}:", subquery.range)?;
    if let Some(step) = &subquery.step {
        step.fmt(f)?;
    }
    f.write_char(']')?;
    if f.alternate() && takes_operators(&subquery.shift) {
        offset(&subquery.shift, f)?;
        return at(&subquery.shift, f);
    }
    at(&subquery.shift, f)?;
    offset(&subquery.shift, f)
}

/// Whether an operator behind the offset would be read as its own. Prometheus writes the offset last and so
/// prints what it can't parse; where an operator follows, it must not come last.
fn takes_operators(shift: &Shift) -> bool {
    match shift.offset.as_ref().map(|offset| &offset.kind) {
        Some(DurationKind::Paren(_) | DurationKind::Binary(..)) => true,
        Some(DurationKind::Unary(_, inner)) => matches!(inner.kind, DurationKind::Unary(..)),
        _ => false,
    }
}

fn name_and_matchers(selector: &VectorSelector, f: &mut Formatter<'_>) -> fmt::Result {
    let name = selector.metric().unwrap_or_default();
    f.write_str(name)?;
    let is_name = |matcher: &&Matcher| {
        let names = matcher.name == METRIC_NAME && matcher.op == MatchOp::Equal;
        names && matcher.value == name && !name.is_empty()
    };
    let written = selector.matchers.iter().filter(|matcher| !is_name(matcher));
    let mut written: Vec<String> = written.map(Matcher::to_string).collect();
    if written.is_empty() {
        // Braces without a matcher stand only in `info`, where they can't be left out.
        return match name.is_empty() {
            true => f.write_str("{}"),
            false => Ok(()),
        };
    }
    written.sort_unstable();
    write!(f, "{{{}}}", written.join(","))
}

fn at(shift: &Shift, f: &mut Formatter<'_>) -> fmt::Result {
    match shift.at {
        None => Ok(()),
        Some(At::Time(time)) => write!(f, " @ {:.3}", time as f64 / 1000.0),
        Some(At::Start) => f.write_str(" @ start()"),
        Some(At::End) => f.write_str(" @ end()"),
    }
}

fn offset(shift: &Shift, f: &mut Formatter<'_>) -> fmt::Result {
    match &shift.offset {
        None => Ok(()),
        Some(offset) => write!(f, " offset {offset}"),
    }
}

fn extension(extension: Option<Extension>, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str(match extension {
        None => "",
        Some(Extension::Anchored) => " anchored",
        Some(Extension::Smoothed) => " smoothed",
    })
}

/// What stands before the brackets of an aggregation: `sum by (job) `.
pub(super) struct AggregateHead<'e>(pub &'e Aggregate);

impl fmt::Display for AggregateHead<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.op.name)?;
        grouping(&self.0.grouping, f)
    }
}

fn aggregate(aggregate: &Aggregate, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "{}(", AggregateHead(aggregate))?;
    if let Some(param) = &aggregate.param {
        write!(f, "{param}, ")?;
    }
    write!(f, "{})", aggregate.expr)
}

fn grouping(grouping: &Grouping, f: &mut Formatter<'_>) -> fmt::Result {
    if !grouping.without && grouping.labels.is_empty() {
        return Ok(());
    }
    f.write_str(match grouping.without {
        true => " without (",
        false => " by (",
    })?;
    labels(&grouping.labels, f)?;
    f.write_str(") ")
}

fn chain(chain: &Chain, f: &mut Formatter<'_>) -> fmt::Result {
    let may_be_followed = f.alternate();
    let followed = |index: usize| match chain.links.get(index) {
        Some(next) => is_arithmetic(next.op),
        None => may_be_followed,
    };
    operand(&chain.first, followed(0), f)?;
    for (index, link) in chain.links.iter().enumerate() {
        write!(f, " {} ", LinkHead(link))?;
        operand(&link.rhs, followed(index + 1), f)?;
    }
    Ok(())
}

/// What stands before the right operand of an operator: `> bool on (job)`.
pub(super) struct LinkHead<'e>(pub &'e Link);

impl fmt::Display for LinkHead<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.op.symbol())?;
        if self.0.return_bool {
            f.write_str(" bool")?;
        }
        matching(self.0.matching(), f)
    }
}

fn operand(expr: &Expr, is_followed: bool, f: &mut Formatter<'_>) -> fmt::Result {
    match is_followed {
        true => write!(f, "{expr:#}"),
        false => write!(f, "{expr}"),
    }
}

/// Whether durations know the operator.
fn is_arithmetic(op: BinaryOp) -> bool {
    use BinaryOp::{Add, Div, Mod, Mul, Pow, Sub};
    matches!(op, Add | Sub | Mul | Div | Mod | Pow)
}

fn matching(matching: &Matching, f: &mut Formatter<'_>) -> fmt::Result {
    if matching.on || !matching.labels.is_empty() || matching.group.is_some() {
        f.write_str(match matching.on {
            true => " on (",
            false => " ignoring (",
        })?;
        labels(&matching.labels, f)?;
        f.write_char(')')?;
    }
    if let Some(group) = &matching.group {
        f.write_str(match group.side {
            Side::Left => " group_left (",
            Side::Right => " group_right (",
        })?;
        labels(&group.include, f)?;
        f.write_char(')')?;
    }
    match (matching.fill_left, matching.fill_right) {
        (Some(left), Some(right)) if left.to_bits() == right.to_bits() && !left.is_nan() => {
            write!(f, " fill ({})", general(left))
        }
        (left, right) => {
            if let Some(left) = left {
                write!(f, " fill_left ({})", general(left))?;
            }
            if let Some(right) = right {
                write!(f, " fill_right ({})", general(right))?;
            }
            Ok(())
        }
    }
}

fn labels(labels: &[String], f: &mut Formatter<'_>) -> fmt::Result {
    list(labels, f, |label, f| {
        let head = |c: char| c.is_ascii_alphabetic() || c == '_';
        let classic = label.starts_with(head)
            && label.chars().all(|c| head(c) || c.is_ascii_digit())
            && !needs_quotes(label);
        match classic {
            true => f.write_str(label),
            false => f.write_str(&quote(label)),
        }
    })
}

/// Words that the grammar does not take for labels in round brackets.
fn needs_quotes(label: &str) -> bool {
    let words = ["without", "inf", "nan"];
    words.iter().any(|word| label.eq_ignore_ascii_case(word))
}

fn list<T>(
    items: &[T],
    f: &mut Formatter<'_>,
    mut print: impl FnMut(&T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        print(item, f)?;
    }
    Ok(())
}

/// A sign as written.
pub(super) fn sign(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Plus => "+",
        UnaryOp::Minus => "-",
    }
}

/// A float as Go's `%v` prints it: with an exponent below 1e-4 and from 1e21 on.
fn general(value: f64) -> String {
    let exponent = match value == 0.0 || !value.is_finite() {
        true => 0,
        false => value.abs().log10().floor() as i32,
    };
    if (-5..=21).contains(&exponent) {
        // The logarithm may be one off at a power of ten; the digits decide.
        let scientific = format!("{value:e}");
        let exact = scientific.split_once('e').and_then(|(_, e)| e.parse().ok());
        if (-4..21).contains(&exact.unwrap_or(exponent)) {
            return format_value(value);
        }
    }
    let scientific = format!("{value:e}");
    match scientific.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, number) = match exponent.strip_prefix('-') {
                Some(number) => ('-', number),
                None => ('+', exponent),
            };
            format!("{digits}e{sign}{number:0>2}")
        }
        None => scientific,
    }
}
