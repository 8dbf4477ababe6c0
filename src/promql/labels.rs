//! What is certain of a label of all series that an expression yields, whatever it reads.

use super::aggregations::AggregationKind;
use super::ast::{
    Aggregate, BinaryOp, Call, Chain, Expr, ExprKind, Grouping, Link, Matching, Side, ValueType,
};
use super::functions::{Body, labels_of_absence};
use crate::model::{MatchOp, Matcher};
use crate::text::Span;

/// What is certain of a label in all series of a result.
#[derive(Debug, Clone)]
pub struct Known {
    /// It.
    pub value: LabelValue,
    /// The part of the query by which it is so.
    pub by: Span,
}

/// What the value of a label is, or what it passes.
#[derive(Debug, Clone)]
pub enum LabelValue {
    /// The one value of all series; empty where none has the label.
    Is(String),
    /// The values of all series pass these matchers of the label.
    Passes(Vec<Matcher>),
}

/// The one value that a label has in all series of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// It; empty where no series has the label.
    pub value: String,
    /// The part of the query by which it is so.
    pub by: Span,
}

/// What somebody knows of a label of the series that matchers select, beside what the matchers say.
pub type Lore<'l> = &'l dyn Fn(&[Matcher], &str) -> Option<LabelValue>;

/// What a label other than the metric's name is in all series of an expression; `None` where that depends on what the
/// expression reads.
pub fn fixed(expr: &Expr, label: &str) -> Option<Fixed> {
    let known = known(expr, label, &|_, _| None)?;
    match known.value {
        LabelValue::Is(value) => Some(Fixed {
            value,
            by: known.by,
        }),
        LabelValue::Passes(_) => None,
    }
}

/// What is certain of a label other than the metric's name in all series of an expression.
pub fn known(expr: &Expr, label: &str, lore: Lore<'_>) -> Option<Known> {
    if label.starts_with("__") {
        return None;
    }
    Asked { label, lore }.of(expr)
}

/// The same of what stands before an operator of a chain, by the number of the operator.
pub fn known_before(chain: &Chain, link: usize, label: &str, lore: Lore<'_>) -> Option<Known> {
    if label.starts_with("__") {
        return None;
    }
    Asked { label, lore }.of_links(chain, link).0
}

impl LabelValue {
    /// Whether the label may have a value.
    pub fn allows(&self, value: &str) -> bool {
        match self {
            LabelValue::Is(only) => only == value,
            LabelValue::Passes(matchers) => matchers.iter().all(|it| it.matches_value(value)),
        }
    }

    /// Whether no value is one of both.
    pub fn excludes(&self, other: &LabelValue) -> bool {
        match (self, other) {
            (LabelValue::Is(value), other) => !other.allows(value),
            (this, LabelValue::Is(value)) => !this.allows(value),
            // Two patterns that exclude each other are not recognised.
            _ => false,
        }
    }
}

/// A label that is asked for.
struct Asked<'q> {
    label: &'q str,
    lore: Lore<'q>,
}

impl Asked<'_> {
    fn of(&self, expr: &Expr) -> Option<Known> {
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::String(_) => is("", expr.span),
            ExprKind::Vector(selector) => self.selected(&selector.matchers, expr.span),
            ExprKind::Matrix(matrix) => self.selected(&matrix.selector.matchers, expr.span),
            ExprKind::Subquery(subquery) => self.of(&subquery.expr),
            ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => self.of(inner),
            ExprKind::Call(call) => self.of_call(call, expr.span),
            ExprKind::Aggregate(aggregate) => self.of_aggregate(aggregate, expr.span),
            ExprKind::Chain(chain) => self.of_links(chain, chain.links.len()).0,
        }
    }

    fn selected(&self, matchers: &[Matcher], by: Span) -> Option<Known> {
        let of_label = || matchers.iter().filter(|matcher| matcher.name == self.label);
        if let Some(equal) = of_label().find(|matcher| matcher.op == MatchOp::Equal) {
            return is(&equal.value, by);
        }
        let value = (self.lore)(matchers, self.label);
        let value = value.or_else(|| {
            let asked: Vec<Matcher> = of_label().cloned().collect();
            (!asked.is_empty()).then_some(LabelValue::Passes(asked))
        });
        value.map(|value| Known { value, by })
    }

    fn of_call(&self, call: &Call, span: Span) -> Option<Known> {
        let label = self.label;
        let is_label = |arg: &Expr| matches!(&arg.unwrap_parens().kind, ExprKind::String(text) if text == label);
        match (call.function.name, call.function.body) {
            ("absent" | "absent_over_time", _) => {
                let labels = call.args.first().map(labels_of_absence)?;
                return is(labels.value(label), span);
            }
            // They set the label that one of their arguments names.
            ("label_replace" | "label_join", _) if call.args.get(1).is_none_or(is_label) => {
                return None;
            }
            ("label_replace" | "label_join", _) => return self.of(call.args.first()?),
            ("histogram_quantiles" | "info", _) | (_, Body::Info) => return None,
            _ => {}
        }
        if call.function.signature().returns == ValueType::Scalar {
            return is("", span);
        }
        let takes_series =
            |arg: &&Expr| matches!(arg.value_type(), ValueType::Vector | ValueType::Matrix);
        let mut series = call.args.iter().filter(takes_series);
        match (series.next(), series.next()) {
            // `vector(1)`, `hour()`
            (None, _) => is("", span),
            (Some(_), None) if label == "le" && call.function.name.starts_with("histogram_") => {
                None
            }
            (Some(argument), None) => self.of(argument),
            _ => None,
        }
    }

    fn of_aggregate(&self, aggregate: &Aggregate, span: Span) -> Option<Known> {
        match aggregate.op.kind {
            AggregationKind::Select(_) => return self.of(&aggregate.expr),
            AggregationKind::CountValues => {
                let param = aggregate.param.as_ref()?;
                match &param.unwrap_parens().kind {
                    ExprKind::String(text) if text != self.label => {}
                    _ => return None,
                }
            }
            AggregationKind::Fold(_) => {}
        }
        match keeps(&aggregate.grouping, self.label) {
            true => self.of(&aggregate.expr),
            false => is("", span),
        }
    }

    /// What is known of the first so many operators of a chain, and whether they yield a scalar.
    fn of_links(&self, chain: &Chain, links: usize) -> (Option<Known>, bool) {
        let mut known = self.of(&chain.first);
        let mut is_scalar = chain.first.value_type() == ValueType::Scalar;
        for link in chain.links.iter().take(links) {
            let right = self.of(&link.rhs);
            let right_is_scalar = link.rhs.value_type() == ValueType::Scalar;
            known = match (is_scalar, right_is_scalar) {
                (_, true) => known,
                (true, false) => right,
                (false, false) => self.of_vectors(link, chain.span_to(link), known, right),
            };
            is_scalar &= right_is_scalar;
        }
        (known, is_scalar)
    }

    /// What a label is in the result of an operator between two vectors.
    fn of_vectors(
        &self,
        link: &Link,
        span: Span,
        left: Option<Known>,
        right: Option<Known>,
    ) -> Option<Known> {
        let is_paired = link.matching().pairs(self.label);
        match link.op {
            BinaryOp::And if is_paired => return both(left, right),
            BinaryOp::And | BinaryOp::Unless => return left,
            BinaryOp::Or => return either(left, right),
            _ => {}
        }
        let Matching {
            group,
            fill_left,
            fill_right,
            ..
        } = link.matching();
        let fills = fill_left.is_some() || fill_right.is_some();
        let Some(group) = group else {
            // Series are paired by the label, or it goes.
            return match is_paired {
                true if fills => None,
                true => both(left, right),
                false => is("", span),
            };
        };
        if fills {
            return None;
        }
        let (many, one) = match group.side {
            Side::Left => (left, right),
            Side::Right => (right, left),
        };
        match (
            group.include.iter().any(|named| named == self.label),
            is_paired,
        ) {
            (_, true) => both(many, one),
            (true, false) => one,
            (false, false) => many,
        }
    }
}

fn is(value: &str, by: Span) -> Option<Known> {
    let value = LabelValue::Is(value.to_owned());
    Some(Known { value, by })
}

/// What is known of a value that both sides share.
fn both(left: Option<Known>, right: Option<Known>) -> Option<Known> {
    match (&left, &right) {
        (
            Some(Known {
                value: LabelValue::Passes(_),
                ..
            }),
            Some(Known {
                value: LabelValue::Is(_),
                ..
            }),
        ) => right,
        (Some(_), _) => left,
        (None, _) => right,
    }
}

/// What is known of a value that comes of one of both sides.
fn either(left: Option<Known>, right: Option<Known>) -> Option<Known> {
    let same = match (&left.as_ref()?.value, &right?.value) {
        (LabelValue::Is(left), LabelValue::Is(right)) => left == right,
        _ => false,
    };
    left.filter(|_| same)
}

/// Whether an aggregation by a grouping keeps a label.
fn keeps(Grouping { without, labels }: &Grouping, label: &str) -> bool {
    labels.iter().any(|named| named == label) != *without
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
