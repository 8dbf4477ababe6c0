//! What numbers mean, as far as names and arithmetic tell.

use super::rules::Rules;
use super::tree::{call, chain, core, metric, number, selector, series_argument, values};
use crate::promql::ast::{BinaryOp, Expr, ExprKind};
use crate::text::Span;

/// How many recorded series lie one upon the other at most.
const MAX_DEPTH: usize = 8;

/// The part by which the value of an expression is in per cent: a factor of 100, a difference from 100, or a metric whose name
/// says so.
pub(super) fn percent(expr: &Expr, rules: &Rules<'_>) -> Option<Span> {
    values(expr)
        .into_iter()
        .find_map(|value| of(value, rules, 0))
}

fn of(expr: &Expr, rules: &Rules<'_>, depth: usize) -> Option<Span> {
    let expr = core(expr);
    if let Some(name) = selector(expr).and_then(metric) {
        let says_so = ["percent", "percentage", "pct"]
            .iter()
            .any(|word| name.split(['_', ':']).any(|part| part == *word));
        if says_so && !name.contains(':') {
            return Some(expr.span);
        }
        let recorded = rules.recording(name);
        let is_percent = |rule: &&crate::rules::Rule| {
            let values = values(&rule.expr.expr);
            values
                .into_iter()
                .any(|it| of(it, rules, depth + 1).is_some())
        };
        let is = !recorded.is_empty() && depth < MAX_DEPTH && recorded.iter().all(is_percent);
        return is.then_some(expr.span);
    }
    let chain = chain(expr)?;
    let link = chain.links.first()?;
    let is_hundred = |expr: &Expr| number(expr) == Some(100.0);
    match link.op {
        BinaryOp::Mul | BinaryOp::Div => {
            let by = |op: BinaryOp, value: f64| {
                let mut links = chain.links.iter();
                links.any(|link| link.op == op && number(&link.rhs) == Some(value))
            };
            let times = is_hundred(&chain.first) && link.op == BinaryOp::Mul;
            if times || by(BinaryOp::Mul, 100.0) || by(BinaryOp::Div, 0.01) {
                return Some(expr.span);
            }
            None
        }
        BinaryOp::Sub if is_hundred(&chain.first) => Some(expr.span),
        BinaryOp::Add | BinaryOp::Sub => {
            let rest = chain.links.iter().map(|link| &link.rhs);
            let mut all = std::iter::once(&*chain.first).chain(rest);
            all.find_map(|side| of(side, rules, depth))
        }
        _ => None,
    }
}

/// What a number counts, by the name of its metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// `_seconds`
    Seconds,
    /// `_milliseconds`, `_ms`
    Milliseconds,
    /// `_bytes`
    Bytes,
}

impl Unit {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Seconds => "seconds",
            Unit::Milliseconds => "milliseconds",
            Unit::Bytes => "bytes",
        }
    }

    fn of_metric(name: &str) -> Option<Unit> {
        let ends = ["_total", "_bucket", "_sum"];
        let stem = ends.iter().find_map(|end| name.strip_suffix(end));
        match stem.unwrap_or(name).rsplit('_').next()? {
            "seconds" => Some(Unit::Seconds),
            "milliseconds" | "ms" | "millis" => Some(Unit::Milliseconds),
            "bytes" => Some(Unit::Bytes),
            _ => None,
        }
    }
}

/// What the value of an expression counts, where only names and functions that change nothing of it stand in it.
pub(super) fn unit(expr: &Expr) -> Option<Unit> {
    let expr = core(expr);
    if let Some(name) = selector(expr).and_then(metric) {
        // A recorded name ends in what was done to it, a total in a rate is none of its unit.
        return Unit::of_metric(name).filter(|_| !name.contains(':'));
    }
    if let Some(call) = call(expr, &["histogram_quantile"]) {
        let argument = core(call.args.get(1)?);
        let inner = match &argument.kind {
            ExprKind::Call(call) => series_argument(call)?,
            _ => argument,
        };
        return Unit::of_metric(metric(selector(inner)?)?);
    }
    if let Some(call) = call(expr, &["increase", "delta"]) {
        return Unit::of_metric(metric(selector(series_argument(call)?)?)?);
    }
    let chain = chain(expr)?;
    let is_sum = |op: BinaryOp| matches!(op, BinaryOp::Add | BinaryOp::Sub);
    if !chain.links.iter().all(|link| is_sum(link.op)) {
        return None;
    }
    // An age: `time() - …_timestamp_seconds`.
    unit(&chain.first).or_else(|| chain.links.iter().find_map(|link| unit(&link.rhs)))
}
