//! What is certain of a label of all series that an expression yields, whatever it reads.

use super::aggregations::AggregationKind;
use super::ast::{
    Aggregate, BinaryOp, Call, Chain, Expr, ExprKind, Grouping, Link, Matching, Side, ValueType,
};
use super::functions::{Body, labels_of_absence};
use crate::model::{MatchOp, Matcher};
use crate::text::Span;

/// The one value that a label has in all series of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// It; empty where no series has the label.
    pub value: String,
    /// The part of the query by which it is so.
    pub by: Span,
}

/// What a label other than the metric's name is in all series of an expression; `None` where that depends on what the
/// expression reads.
pub fn fixed(expr: &Expr, label: &str) -> Option<Fixed> {
    if label.starts_with("__") {
        return None;
    }
    let at = |value: &str| Fixed {
        value: value.to_owned(),
        by: expr.span,
    };
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) => Some(at("")),
        ExprKind::Vector(selector) => selected(&selector.matchers, label).map(at),
        ExprKind::Matrix(matrix) => selected(&matrix.selector.matchers, label).map(at),
        ExprKind::Subquery(subquery) => fixed(&subquery.expr, label),
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => fixed(inner, label),
        ExprKind::Call(call) => of_call(call, expr.span, label),
        ExprKind::Aggregate(aggregate) => of_aggregate(aggregate, expr.span, label),
        ExprKind::Chain(chain) => of_chain(chain, label),
    }
}

fn selected<'m>(matchers: &'m [Matcher], label: &str) -> Option<&'m str> {
    let mut of_label = matchers.iter().filter(|matcher| matcher.name == label);
    let equal = of_label.find(|matcher| matcher.op == MatchOp::Equal)?;
    Some(&equal.value)
}

fn of_call(call: &Call, span: Span, label: &str) -> Option<Fixed> {
    let value = |value: &str| {
        Some(Fixed {
            value: value.to_owned(),
            by: span,
        })
    };
    let is_label =
        |arg: &Expr| matches!(&arg.unwrap_parens().kind, ExprKind::String(text) if text == label);
    match (call.function.name, call.function.body) {
        ("absent" | "absent_over_time", _) => {
            let labels = call.args.first().map(labels_of_absence)?;
            return value(labels.value(label));
        }
        // They set the label that one of their arguments names.
        ("label_replace" | "label_join", _) if call.args.get(1).is_none_or(is_label) => {
            return None;
        }
        ("label_replace" | "label_join", _) => return fixed(call.args.first()?, label),
        ("histogram_quantiles" | "info", _) | (_, Body::Info) => return None,
        _ => {}
    }
    if call.function.signature().returns == ValueType::Scalar {
        return value("");
    }
    let takes_series =
        |arg: &&Expr| matches!(arg.value_type(), ValueType::Vector | ValueType::Matrix);
    let mut series = call.args.iter().filter(takes_series);
    match (series.next(), series.next()) {
        // `vector(1)`, `hour()`
        (None, _) => value(""),
        (Some(_), None) if label == "le" && call.function.name.starts_with("histogram_") => None,
        (Some(argument), None) => fixed(argument, label),
        _ => None,
    }
}

fn of_aggregate(aggregate: &Aggregate, span: Span, label: &str) -> Option<Fixed> {
    let inner = || fixed(&aggregate.expr, label);
    match aggregate.op.kind {
        AggregationKind::Select(_) => return inner(),
        AggregationKind::CountValues => {
            let param = aggregate.param.as_ref()?;
            match &param.unwrap_parens().kind {
                ExprKind::String(text) if text != label => {}
                _ => return None,
            }
        }
        AggregationKind::Fold(_) => {}
    }
    let Grouping { without, labels } = &aggregate.grouping;
    match labels.iter().any(|named| named == label) == *without {
        true => Some(Fixed {
            value: String::new(),
            by: span,
        }),
        false => inner(),
    }
}

fn of_chain(chain: &Chain, label: &str) -> Option<Fixed> {
    let mut known = fixed(&chain.first, label);
    let mut is_scalar = chain.first.value_type() == ValueType::Scalar;
    for link in &chain.links {
        let right = fixed(&link.rhs, label);
        let right_is_scalar = link.rhs.value_type() == ValueType::Scalar;
        known = match (is_scalar, right_is_scalar) {
            (_, true) => known,
            (true, false) => right,
            (false, false) => of_vectors(link, chain.span_to(link), known, right, label),
        };
        is_scalar &= right_is_scalar;
    }
    known
}

/// What a label is in the result of an operator between two vectors.
fn of_vectors(
    link: &Link,
    span: Span,
    left: Option<Fixed>,
    right: Option<Fixed>,
    label: &str,
) -> Option<Fixed> {
    match link.op {
        BinaryOp::And | BinaryOp::Unless => return left,
        BinaryOp::Or => {
            return left.filter(|left| Some(&left.value) == right.as_ref().map(|it| &it.value));
        }
        _ => {}
    }
    let Matching {
        on,
        labels,
        group,
        fill_left,
        fill_right,
    } = link.matching();
    let is_named = labels.iter().any(|named| named == label);
    let Some(group) = group else {
        // Series are paired by the label, or it goes.
        return match is_named == *on {
            true if fill_left.is_some() || fill_right.is_some() => None,
            true => left.or(right),
            false => Some(Fixed {
                value: String::new(),
                by: span,
            }),
        };
    };
    if fill_left.is_some() || fill_right.is_some() {
        return None;
    }
    let (many, one) = match group.side {
        Side::Left => (left, right),
        Side::Right => (right, left),
    };
    let is_paired = is_named == *on;
    match group.include.iter().any(|named| named == label) {
        true => one.or(many.filter(|_| is_paired)),
        false => many.or(one.filter(|_| is_paired)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Features, Query};
    use super::fixed;

    /// What is certain of the label `a`: its value, `-` for none.
    fn of(text: &str) -> String {
        let features = Features {
            experimental_functions: true,
            binop_fill_modifiers: true,
            ..Features::default()
        };
        let query = Query::parse(text, &features).expect("a query");
        fixed(&query.expr, "a").map_or("-".to_owned(), |fixed| {
            format!("{:?} {}", fixed.value, &text[fixed.by.start..fixed.by.end])
        })
    }

    #[test]
    fn selectors_fix_what_they_ask_for() {
        assert_eq!(of(r#"m{a="x"}"#), r#""x" m{a="x"}"#);
        assert_eq!(of(r#"rate(m{a="x"}[5m]) > 5"#), r#""x" m{a="x"}[5m]"#);
        assert_eq!(of(r#"m{a=""}"#), r#""" m{a=""}"#);
        for unknown in ["m", r#"m{a=~"x"}"#, r#"m{a!="x"}"#, r#"m{b="x"}"#] {
            assert_eq!(of(unknown), "-", "{unknown}");
        }
    }

    #[test]
    fn aggregations_keep_or_drop() {
        assert_eq!(
            of(r#"sum by (b) (m{a="x"})"#),
            r#""" sum by (b) (m{a="x"})"#
        );
        assert_eq!(of("sum(m)"), r#""" sum(m)"#);
        assert_eq!(of(r#"sum by (a) (m{a="x"})"#), r#""x" m{a="x"}"#);
        assert_eq!(of("sum without (a) (m)"), r#""" sum without (a) (m)"#);
        assert_eq!(of("max(sum by (b) (m)) + 1"), r#""" max(sum by (b) (m))"#);
        for unknown in [
            "sum by (a) (m)",
            "sum without (b) (m)",
            "topk(1, m)",
            "topk by (b) (1, m)",
            r#"count_values("a", m)"#,
            r#"count_values by (b) ("a", m)"#,
        ] {
            assert_eq!(of(unknown), "-", "{unknown}");
        }
        assert_eq!(of(r#"count_values("c", m)"#), r#""" count_values("c", m)"#);
    }

    #[test]
    fn functions_may_set_labels() {
        assert_eq!(of("vector(1)"), r#""" vector(1)"#);
        assert_eq!(of("hour()"), r#""" hour()"#);
        assert_eq!(of("scalar(m) + 1"), r#""" scalar(m)"#);
        assert_eq!(of(r#"absent(m{a="x"})"#), r#""x" absent(m{a="x"})"#);
        assert_eq!(of("absent(m)"), r#""" absent(m)"#);
        assert_eq!(
            of(r#"absent(m{a="x",a!="y"})"#),
            r#""" absent(m{a="x",a!="y"})"#
        );
        assert_eq!(
            of(r#"label_replace(m{a="x"}, "b", "y", "", "")"#),
            r#""x" m{a="x"}"#
        );
        assert_eq!(
            of("histogram_quantile(0.9, sum by (le) (m))"),
            r#""" sum by (le) (m)"#
        );
        for unknown in [
            r#"label_replace(m{a="x"}, "a", "y", "", "")"#,
            r#"label_join(sum(m), "a", "", "b")"#,
            r#"info(sum(m))"#,
            r#"histogram_quantiles(sum(m), "a", 0.5, 0.9)"#,
        ] {
            assert_eq!(of(unknown), "-", "{unknown}");
        }
    }

    #[test]
    fn operators_take_labels_from_one_side() {
        let (x, y) = (r#"m{a="x"}"#, r#"n{a="y"}"#);
        assert_eq!(of(&format!("{x} and on (b) n")), format!(r#""x" {x}"#));
        assert_eq!(of(&format!("{x} or n")), "-");
        assert_eq!(of(&format!("{x} or {x}")), format!(r#""x" {x}"#));
        assert_eq!(of(&format!("{x} or {y}")), "-");
        assert_eq!(of(&format!("m / {y}")), format!(r#""y" {y}"#));
        assert_eq!(of("m / on (b) n"), r#""" m / on (b) n"#);
        assert_eq!(of("(m / ignoring (a) n) > 1"), r#""" m / ignoring (a) n"#);
        assert_eq!(of(&format!("m * on (b) group_left {y}")), "-");
        assert_eq!(
            of(&format!("m * on (b) group_left (a) {y}")),
            format!(r#""y" {y}"#)
        );
        assert_eq!(
            of(&format!("{x} * on (b) group_left {y}")),
            format!(r#""x" {x}"#)
        );
        assert_eq!(
            of(&format!("{x} * on (b) group_right {y}")),
            format!(r#""y" {y}"#)
        );
        assert_eq!(of(&format!("{x} + on (a) fill_left (0) n")), "-");
        assert_eq!(of("1 - sum(m)"), r#""" sum(m)"#);
    }
}
