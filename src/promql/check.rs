//! Checks the types of a tree by Prometheus's rules, in Prometheus's words.

use crate::model::METRIC_NAME;
use crate::text::Span;

use super::ast::{
    Aggregate, Call, Chain, Expr, ExprKind, Link, Matching, Subquery, ValueType, VectorSelector,
};
use super::functions::Body;
use super::query::QueryError;

/// Everything that is wrong with a tree.
///
/// Matching that was written where it says nothing (`1 + on () metric`) is removed, as Prometheus does.
pub(crate) fn check(expr: &mut Expr) -> Vec<QueryError> {
    let mut checker = Checker { errors: Vec::new() };
    checker.check(expr);
    checker.errors
}

struct Checker {
    errors: Vec<QueryError>,
}

impl Checker {
    fn fail(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(QueryError {
            message: message.into(),
            span,
            help: Some(help.into()),
        });
    }

    /// Checks a tree and says what it yields.
    fn check(&mut self, expr: &mut Expr) -> ValueType {
        let span = expr.span;
        match &mut expr.kind {
            ExprKind::Number(_) => ValueType::Scalar,
            ExprKind::String(_) => ValueType::String,
            ExprKind::Vector(selector) => {
                self.selector(selector, span, false);
                ValueType::Vector
            }
            ExprKind::Matrix(matrix) => {
                self.selector(&matrix.selector, span, false);
                ValueType::Matrix
            }
            ExprKind::Subquery(subquery) => self.subquery(subquery, span),
            ExprKind::Call(call) => self.call(call, span),
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate),
            ExprKind::Chain(chain) => self.chain(chain),
            ExprKind::Paren(inner) => self.check(inner),
            ExprKind::Unary(_, inner) => {
                let found = self.check(inner);
                if !is_number(found) {
                    let message = format!(
                        "unary expression only allowed on expressions of type scalar or instant vector, got {:?}",
                        found.name()
                    );
                    self.fail(span, message, remedy(ValueType::Vector, found));
                }
                found
            }
        }
    }

    fn selector(&mut self, selector: &VectorSelector, span: Span, may_be_empty: bool) {
        if let Some(name) = selector.metric() {
            let (_, written) = selector.matchers.split_last().unzip();
            for matcher in written.unwrap_or_default() {
                if matcher.name == METRIC_NAME {
                    let message = format!(
                        "metric name must not be set twice: {name:?} or {:?}",
                        matcher.value
                    );
                    let help = "remove the name in front, or the one in the braces";
                    self.fail(span, message, help);
                }
            }
            return;
        }
        let selects = |matcher: &crate::model::Matcher| !matcher.matches_value("");
        if !may_be_empty && !selector.matchers.iter().any(selects) {
            let message = "vector selector must contain at least one non-empty matcher";
            let help = "name a metric, or use a matcher that an empty value fails: `{job!=\"\"}`";
            self.fail(span, message, help);
        }
    }

    fn subquery(&mut self, subquery: &mut Subquery, span: Span) -> ValueType {
        let found = self.check(&mut subquery.expr);
        if found != ValueType::Vector {
            let message = format!(
                "subquery is only allowed on instant vector, got {} instead",
                raw_name(found)
            );
            self.fail(span, message, remedy(ValueType::Vector, found));
        }
        ValueType::Matrix
    }

    fn aggregate(&mut self, aggregate: &mut Aggregate) -> ValueType {
        self.expect(
            &mut aggregate.expr,
            ValueType::Vector,
            "aggregation expression",
        );
        if let (Some(wanted), Some(param)) = (aggregate.op.param(), &mut aggregate.param) {
            self.expect(param, wanted, "aggregation parameter");
        }
        ValueType::Vector
    }

    fn expect(&mut self, expr: &mut Expr, wanted: ValueType, context: &str) {
        let found = self.check(expr);
        if found != wanted {
            let (wanted_name, found_name) = (wanted.name(), found.name());
            let message = format!("expected type {wanted_name} in {context}, got {found_name}");
            self.fail(expr.span, message, remedy(wanted, found));
        }
    }

    fn call(&mut self, call: &mut Call, span: Span) -> ValueType {
        let signature = call.function.signature();
        let name = call.function.name;
        self.argument_count(call, span);
        let is_info = matches!(call.function.body, Body::Info);
        let context = format!("call to function {name:?}");
        for (index, arg) in call.args.iter_mut().enumerate() {
            let last = signature.params.len().checked_sub(1);
            let wanted = match (signature.params.get(index), last) {
                (Some(&wanted), _) => wanted,
                (None, Some(last)) if signature.variadic != 0 => signature.params[last],
                _ => break,
            };
            if is_info && index == 1 {
                self.label_selectors(arg, wanted, &context);
            } else {
                self.expect(arg, wanted, &context);
            }
        }
        signature.returns
    }

    fn argument_count(&mut self, call: &Call, span: Span) {
        let signature = call.function.signature();
        let name = call.function.name;
        let (count, given) = (signature.params.len(), call.args.len());
        let least = match signature.variadic {
            0 => count,
            _ => count.saturating_sub(1),
        };
        let most = match signature.variadic {
            ..0 => usize::MAX,
            0 => count,
            more => least + more.unsigned_abs() as usize,
        };
        let message = if signature.variadic == 0 && given != count {
            format!("expected {count} argument(s) in call to {name:?}, got {given}")
        } else if given < least {
            format!("expected at least {least} argument(s) in call to {name:?}, got {given}")
        } else if given > most {
            format!("expected at most {most} argument(s) in call to {name:?}, got {given}")
        } else {
            return;
        };
        let params: Vec<_> = signature.params.iter().map(|param| param.name()).collect();
        let optional = match signature.variadic {
            0 => "",
            1 => ", the last of them optional",
            _ => ", the last of them any number of times",
        };
        let help = match params.is_empty() {
            true => format!("`{name}()` takes no argument"),
            false => format!("`{name}` takes: {}{optional}", params.join(", ")),
        };
        self.fail(span, message, help);
    }

    /// The second argument of `info`: braces without a metric name, which may select anything.
    fn label_selectors(&mut self, arg: &mut Expr, wanted: ValueType, context: &str) {
        let help = "write label matchers only: `{k8s_cluster=\"eu\"}`";
        match &arg.kind {
            ExprKind::Vector(selector) => {
                if selector.is_named {
                    let message = "expected label selectors only, got vector selector instead";
                    self.fail(arg.span, message, help);
                }
                self.selector(selector, arg.span, true);
            }
            _ => {
                self.fail(arg.span, "expected label selectors only", help);
                self.expect(arg, wanted, context);
            }
        }
    }

    fn chain(&mut self, chain: &mut Chain) -> ValueType {
        let mut left = self.check(&mut chain.first);
        let mut left_span = chain.first.span;
        for link in &mut chain.links {
            let right = self.check(&mut link.rhs);
            self.link(link, (left, left_span), right);
            left = match (left, right) {
                (ValueType::Scalar, ValueType::Scalar) => ValueType::Scalar,
                _ => ValueType::Vector,
            };
            left_span = left_span.to(link.rhs.span);
        }
        left
    }

    fn link(&mut self, link: &mut Link, (left, left_span): (ValueType, Span), right: ValueType) {
        let span = left_span.to(link.rhs.span);
        self.operator(link, left, right);
        for (found, place) in [(left, left_span), (right, link.rhs.span)] {
            if !is_number(found) {
                let message = "binary expression must contain only scalar and instant vector types";
                self.fail(place, message, remedy(ValueType::Vector, found));
            }
        }
        let vectors = left == ValueType::Vector && right == ValueType::Vector;
        if !vectors {
            self.no_matching(link.matching(), span);
            link.matching = None;
        } else if link.op.is_set() {
            self.set_matching(link, span);
        }
        if link.op.is_set() && (left == ValueType::Scalar || right == ValueType::Scalar) {
            let op = link.op.symbol();
            let message = format!("set operator {op:?} not allowed in binary scalar expression");
            let help = "turn the scalar into a vector: `vector(1)`";
            self.fail(span, message, help);
        }
    }

    /// What the operator itself allows.
    fn operator(&mut self, link: &Link, left: ValueType, right: ValueType) {
        if link.return_bool && !link.op.is_comparison() {
            let message = "bool modifier can only be used on comparison operators";
            self.fail(link.op_span, message, "remove `bool`");
        }
        let scalars = left == ValueType::Scalar && right == ValueType::Scalar;
        if scalars && link.op.is_comparison() && !link.return_bool {
            let message = "comparisons between scalars must use BOOL modifier";
            let help = format!("write `{} bool`", link.op.symbol());
            self.fail(link.op_span, message, help);
        }
        let Some(group) = link
            .matching()
            .group
            .as_ref()
            .filter(|_| link.matching().on)
        else {
            return;
        };
        for label in &link.matching().labels {
            for _ in group.include.iter().filter(|include| *include == label) {
                let message =
                    format!("label {label:?} must not occur in ON and GROUP clause at once");
                let help = "labels in `on (…)` are equal on both sides: remove it from the group";
                self.fail(link.op_span, message, help);
            }
        }
    }

    fn no_matching(&mut self, matching: &Matching, span: Span) {
        if !matching.labels.is_empty() {
            let message = "vector matching only allowed between instant vectors";
            let help = "remove `on (…)` or `ignoring (…)`: a scalar has no labels";
            self.fail(span, message, help);
        }
        if has_fill(matching) {
            let message = "filling in missing series only allowed between instant vectors";
            self.fail(
                span,
                message,
                "remove `fill (…)`: a scalar is never missing",
            );
        }
    }

    fn set_matching(&mut self, link: &Link, span: Span) {
        if link.matching().group.is_some() {
            let op = link.op.symbol();
            let message = format!("no grouping allowed for {op:?} operation");
            let help = "remove `group_left` or `group_right`: set operators match many to many";
            self.fail(span, message, help);
            let message = "set operations must always be many-to-many";
            self.fail(span, message, help);
        }
        if has_fill(link.matching()) {
            let message = "filling in missing series not allowed for set operators";
            self.fail(span, message, "remove `fill (…)`");
        }
    }
}

/// What to do about an expression of the wrong type.
fn remedy(wanted: ValueType, found: ValueType) -> &'static str {
    match (wanted, found) {
        (ValueType::Matrix, ValueType::Vector) => {
            "add a range: `[5m]` behind a selector, `[5m:]` behind any other expression"
        }
        (ValueType::Matrix, _) => "write a range selector such as `metric[5m]`",
        (ValueType::Vector, ValueType::Scalar) => "turn the scalar into a vector: `vector(1)`",
        (ValueType::Vector, ValueType::Matrix) => {
            "wrap the range in a function such as `rate(…)` or `avg_over_time(…)`, or remove it"
        }
        (ValueType::Vector, ValueType::String) => "write a metric or an expression, not a string",
        (ValueType::Scalar, ValueType::Vector) => "turn the vector into a scalar: `scalar(…)`",
        (ValueType::Scalar, _) => "write a number",
        (ValueType::String, _) => "write a string in quotes",
        _ => "write an expression of the type expected",
    }
}

fn is_number(found: ValueType) -> bool {
    matches!(found, ValueType::Scalar | ValueType::Vector)
}

fn has_fill(matching: &Matching) -> bool {
    matching.fill_left.is_some() || matching.fill_right.is_some()
}

/// The name that Prometheus's parser has for a type inside.
fn raw_name(found: ValueType) -> &'static str {
    match found {
        ValueType::Scalar => "scalar",
        ValueType::Vector => "vector",
        ValueType::Matrix => "matrix",
        ValueType::String => "string",
    }
}
