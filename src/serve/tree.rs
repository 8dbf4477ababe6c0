//! `parse_query`: the tree of a query as Prometheus shows it, with the names of fields in the order of letters.
//!
//! A chain of operators, flat here, is nested there, so it is written from the outside in and then from the inside out:
//! recursion goes no deeper than brackets do.

use serde_json::{Value, json};

use super::Served;
use super::params;
use super::request::{Refusal, Request, Response};
use crate::model::Matcher;
use crate::model::bytes::shown;
use crate::model::number::format_value;
use crate::promql::ast::{
    Aggregate, At, Call, Chain, DurationExpr, DurationKind, Expr, ExprKind, Extension, Group, Link,
    NumberLiteral, Shift, Side, Subquery, UnaryOp, ValueType, VectorSelector,
};

/// `/api/v1/parse_query`.
pub(super) fn parse(served: &Served, request: &Request) -> Result<Response, Refusal> {
    let query = params::parse_query(served, request.value("query"))
        .map_err(|fault| Refusal::parameter("query", fault))?;
    let mut out = String::from(r#"{"status":"success","data":"#);
    expr(&query.expr, &mut out);
    out.push('}');
    Ok(Response::json(200, out.into_bytes()))
}

fn expr(node: &Expr, out: &mut String) {
    match &node.kind {
        ExprKind::Number(literal) => out.push_str(
            &json!({"type": "numberLiteral", "val": format_value(literal.value)}).to_string(),
        ),
        ExprKind::String(text) => {
            out.push_str(&json!({"type": "stringLiteral", "val": shown(text)}).to_string());
        }
        ExprKind::Vector(selector) => out.push_str(&vector(selector).to_string()),
        ExprKind::Matrix(matrix) => {
            let (range, range_expr) = length(Some(&matrix.range));
            let selector = &matrix.selector;
            let (offset, offset_expr) = length(selector.shift.offset.as_deref());
            out.push_str(
                &json!({
                    "anchored": selector.extension == Some(Extension::Anchored),
                    "matchers": matchers(&selector.matchers),
                    "name": selector.metric().unwrap_or_default(),
                    "offset": offset,
                    "offsetExpr": offset_expr,
                    "range": range,
                    "rangeExpr": range_expr,
                    "smoothed": selector.extension == Some(Extension::Smoothed),
                    "startOrEnd": start_or_end(&selector.shift),
                    "timestamp": timestamp(&selector.shift),
                    "type": "matrixSelector",
                })
                .to_string(),
            );
        }
        ExprKind::Subquery(inner) => subquery(inner, out),
        ExprKind::Call(inner) => call(inner, out),
        ExprKind::Aggregate(inner) => aggregate(inner, out),
        ExprKind::Chain(inner) => chain(inner, out),
        ExprKind::Unary(op, inner) => {
            out.push_str(r#"{"expr":"#);
            expr(inner, out);
            out.push_str(&format!(r#","op":"{}","type":"unaryExpr"}}"#, sign(*op)));
        }
        ExprKind::Paren(inner) => {
            out.push_str(r#"{"expr":"#);
            expr(inner, out);
            out.push_str(r#","type":"parenExpr"}"#);
        }
    }
}

fn vector(selector: &VectorSelector) -> Value {
    let (offset, offset_expr) = length(selector.shift.offset.as_deref());
    json!({
        "anchored": selector.extension == Some(Extension::Anchored),
        "matchers": matchers(&selector.matchers),
        "name": selector.metric().unwrap_or_default(),
        "offset": offset,
        "offsetExpr": offset_expr,
        "smoothed": selector.extension == Some(Extension::Smoothed),
        "startOrEnd": start_or_end(&selector.shift),
        "timestamp": timestamp(&selector.shift),
        "type": "vectorSelector",
    })
}

fn subquery(node: &Subquery, out: &mut String) {
    out.push_str(r#"{"expr":"#);
    expr(&node.expr, out);
    let (offset, offset_expr) = length(node.shift.offset.as_deref());
    let (range, range_expr) = length(Some(&node.range));
    let (step, step_expr) = length(node.step.as_ref());
    rest(
        &json!({
            "offset": offset,
            "offsetExpr": offset_expr,
            "range": range,
            "rangeExpr": range_expr,
            "startOrEnd": start_or_end(&node.shift),
            "step": step,
            "stepExpr": step_expr,
            "timestamp": timestamp(&node.shift),
            "type": "subquery",
        }),
        out,
    );
}

fn call(node: &Call, out: &mut String) {
    out.push_str(r#"{"args":["#);
    for (index, arg) in node.args.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        expr(arg, out);
    }
    out.push(']');
    let signature = node.function.signature();
    let types: Vec<&str> = signature.params.iter().copied().map(type_name).collect();
    rest(
        &json!({
            "func": {
                "argTypes": types,
                "name": node.function.name,
                "returnType": type_name(signature.returns),
                "variadic": signature.variadic,
            },
            "type": "call",
        }),
        out,
    );
}

fn aggregate(node: &Aggregate, out: &mut String) {
    out.push_str(r#"{"expr":"#);
    expr(&node.expr, out);
    let head = json!({"grouping": node.grouping.labels, "op": node.op.name});
    out.push_str(&head.to_string().replacen('{', ",", 1));
    // The brace that closed it.
    out.pop();
    out.push_str(r#","param":"#);
    match &node.param {
        Some(param) => expr(param, out),
        None => out.push_str("null"),
    }
    rest(
        &json!({"type": "aggregation", "without": node.grouping.without}),
        out,
    );
}

fn chain(node: &Chain, out: &mut String) {
    for link in node.links.iter().rev() {
        out.push_str(&format!(r#"{{"bool":{},"lhs":"#, link.return_bool));
    }
    expr(&node.first, out);
    let mut left_is_vector = node.first.value_type() == ValueType::Vector;
    for link in &node.links {
        let right_is_vector = link.rhs.value_type() == ValueType::Vector;
        let matching = (left_is_vector && right_is_vector).then(|| matching(link));
        let head = json!({"matching": matching, "op": link.op.symbol()});
        out.push_str(&head.to_string().replacen('{', ",", 1));
        out.pop();
        out.push_str(r#","rhs":"#);
        expr(&link.rhs, out);
        out.push_str(r#","type":"binaryExpr"}"#);
        left_is_vector |= right_is_vector;
    }
}

fn matching(link: &Link) -> Value {
    let matching = link.matching();
    let card = match &matching.group {
        _ if link.op.is_set() => "many-to-many",
        None => "one-to-one",
        Some(Group {
            side: Side::Left, ..
        }) => "many-to-one",
        Some(Group {
            side: Side::Right, ..
        }) => "one-to-many",
    };
    let include = matching
        .group
        .as_ref()
        .map(|group| group.include.as_slice());
    json!({
        "card": card,
        "fillValues": {"lhs": matching.fill_left, "rhs": matching.fill_right},
        "include": include.unwrap_or_default(),
        "labels": matching.labels,
        "on": matching.on,
    })
}

/// Appends the fields of an object to one that is open, and closes it.
fn rest(fields: &Value, out: &mut String) {
    out.push_str(&fields.to_string().replacen('{', ",", 1));
}

fn matchers(matchers: &[Matcher]) -> Vec<Value> {
    let shape = |matcher: &Matcher| {
        json!({
            "name": shown(&matcher.name),
            "type": matcher.op.symbol(),
            "value": shown(&matcher.value),
        })
    };
    matchers.iter().map(shape).collect()
}

fn timestamp(shift: &Shift) -> Value {
    match shift.at {
        Some(At::Time(time)) => json!(time),
        _ => Value::Null,
    }
}

fn start_or_end(shift: &Shift) -> Value {
    match shift.at {
        Some(At::Start) => json!("start"),
        Some(At::End) => json!("end"),
        _ => Value::Null,
    }
}

/// The milliseconds of a plain duration, 0 of an expression; and the expression, null of a plain duration.
fn length(duration: Option<&DurationExpr>) -> (i64, Value) {
    let Some(duration) = duration else {
        return (0, Value::Null);
    };
    let plain = match &duration.kind {
        DurationKind::Literal(literal) => Some(literal.value),
        DurationKind::Unary(op, inner) => match (op, &inner.kind) {
            (UnaryOp::Minus, DurationKind::Literal(literal)) => Some(-literal.value),
            (UnaryOp::Plus, DurationKind::Literal(literal)) => Some(literal.value),
            _ => None,
        },
        _ => None,
    };
    match plain {
        Some(seconds) => ((seconds * 1000.0).round() as i64, Value::Null),
        None => (0, duration_expr(duration, false)),
    }
}

/// Brackets are a property of what stands in them.
fn duration_expr(node: &DurationExpr, wrapped: bool) -> Value {
    let operation = |op: &str, lhs: Option<&DurationExpr>, rhs: Option<&DurationExpr>| {
        let side = |side: Option<&DurationExpr>| side.map(|side| duration_expr(side, false));
        json!({
            "lhs": side(lhs),
            "op": op,
            "rhs": side(rhs),
            "type": "durationExpr",
            "wrapped": wrapped,
        })
    };
    match &node.kind {
        DurationKind::Literal(literal) if wrapped => json!({
            "lhs": null,
            "op": "+",
            "rhs": number(literal),
            "type": "durationExpr",
            "wrapped": true,
        }),
        DurationKind::Literal(literal) => number(literal),
        DurationKind::Step => operation("step", None, None),
        DurationKind::Range => operation("range", None, None),
        DurationKind::Unary(op, inner) => operation(sign(*op), None, Some(inner)),
        DurationKind::Binary(op, left, right) => operation(op.symbol(), Some(left), Some(right)),
        DurationKind::MinOf(a, b) => operation("min_of", Some(a), Some(b)),
        DurationKind::MaxOf(a, b) => operation("max_of", Some(a), Some(b)),
        DurationKind::Paren(inner) => duration_expr(inner, true),
    }
}

fn number(literal: &NumberLiteral) -> Value {
    json!({
        "duration": literal.is_duration,
        "type": "numberLiteral",
        "val": format_value(literal.value),
    })
}

fn sign(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Plus => "+",
        UnaryOp::Minus => "-",
    }
}

/// A type as programs call it.
fn type_name(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Scalar => "scalar",
        ValueType::Vector => "vector",
        ValueType::Matrix => "matrix",
        ValueType::String => "string",
    }
}
