//! What there is to say of a query's parts whatever their series are: parameters out of range, orders that nobody sees.

use hashbrown::HashSet;

use super::Evaluator;
use super::frame::{Frame, QueryTime};
use crate::model::number;
use crate::promql::annotation::{Note, Site};
use crate::promql::ast::{Aggregate, Expr, ExprKind};
use crate::promql::column::Column;
use crate::promql::functions::Body;
use crate::text::Span;

/// The greatest and the least value of a parameter in one query.
struct Extent {
    max: f64,
    min: f64,
}

impl Evaluator<'_> {
    /// Whether a call or an aggregation is the same at all steps of a frame, and evaluated by Prometheus at the first only.
    pub(super) fn is_constant(&self, node: Span, frame: &Frame) -> bool {
        let is_in = || self.constants.get_or_init(|| constants(self.root));
        frame.lasts && is_in().contains(&node)
    }

    /// Whether a call or an aggregation is evaluated at one moment: then the order of its series counts.
    pub(super) fn is_one_moment(&self, node: Span, frame: &Frame) -> bool {
        frame.count() == 1 || self.is_constant(node, frame)
    }

    /// Notes quantiles that are none, for an aggregation.
    pub(super) fn note_quantiles(
        &self,
        aggregate: &Aggregate,
        node: Span,
        parameter: &Column,
        frame: &Frame,
    ) {
        let is_valid = |quantile: &f64| (0.0..=1.0).contains(quantile);
        let Some(site) = parameter_site(aggregate, node) else {
            return;
        };
        if parameter.values().iter().any(|value| value.is_nan()) {
            frame.note(&site, Note::InvalidQuantile(f64::NAN));
        }
        for Extent { max, min } in self.extents(parameter, is_valid, frame) {
            if max > 1.0 {
                frame.note(&site, Note::InvalidQuantile(max));
            }
            if min < 0.0 {
                frame.note(&site, Note::InvalidQuantile(min));
            }
        }
    }

    /// Notes ratios beyond 1, for `limit_ratio`.
    pub(super) fn note_ratios(
        &self,
        aggregate: &Aggregate,
        node: Span,
        parameter: &Column,
        frame: &Frame,
    ) {
        let is_valid = |ratio: &f64| (-1.0..=1.0).contains(ratio);
        let Some(site) = parameter_site(aggregate, node) else {
            return;
        };
        for Extent { max, min } in self.extents(parameter, is_valid, frame) {
            if max > 1.0 {
                frame.note(&site, Note::InvalidRatio(max, 1.0));
            }
            if min < -1.0 {
                frame.note(&site, Note::InvalidRatio(min, -1.0));
            }
        }
    }

    /// The extents of a parameter in each query that a frame's times belong to, where any value is invalid.
    fn extents(
        &self,
        parameter: &Column,
        is_valid: impl Fn(&f64) -> bool,
        frame: &Frame,
    ) -> Vec<Extent> {
        let values = parameter.values();
        if values.iter().all(&is_valid) {
            return Vec::new();
        }
        let is_constant = values.windows(2).all(|pair| pair[0] == pair[1]);
        match frame.query {
            QueryTime::Same => {
                let mut extents: Vec<Extent> = Vec::new();
                let invalid = |value: &&f64| !is_valid(value) && !value.is_nan();
                for &value in values.iter().filter(invalid) {
                    if extents.last().is_none_or(|last| last.max != value) {
                        extents.push(extent(&[value]));
                    }
                }
                extents
            }
            QueryTime::Shared if !is_constant => {
                self.must_part_ticks.set(true);
                Vec::new()
            }
            _ => vec![extent(values)],
        }
    }
}

fn extent(values: &[f64]) -> Extent {
    Extent {
        max: values.iter().copied().fold(f64::MIN, number::max),
        min: values.iter().copied().fold(f64::MAX, number::min),
    }
}

fn parameter_site(aggregate: &Aggregate, node: Span) -> Option<Site<'static>> {
    let parameter = aggregate.param.as_ref()?.unwrap_parens();
    Some(Site::new(node, parameter.span, ""))
}

/// Where the calls and aggregations stand that Prometheus evaluates once a query or subquery: those below the highest node whose selectors
/// all have an `@`.
fn constants(root: &Expr) -> HashSet<Span> {
    let mut found = HashSet::new();
    let same = sameness(root, &mut found);
    if same.is_evaluated_once {
        add_nodes(root, &mut found);
    }
    found
}

/// Whether a node is the same at all steps.
#[derive(Clone, Copy)]
struct Sameness {
    is_same: bool,
    /// Whether it is worth evaluating it once: a literal is not, and windows are always taken anew.
    is_evaluated_once: bool,
}

impl Sameness {
    fn of(is_same: bool, is_evaluated_once: bool) -> Sameness {
        Sameness {
            is_same,
            is_evaluated_once: is_same && is_evaluated_once,
        }
    }
}

fn sameness(expr: &Expr, found: &mut HashSet<Span>) -> Sameness {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) => Sameness::of(true, false),
        ExprKind::Vector(selector) => Sameness::of(selector.shift.at.is_some(), true),
        ExprKind::Matrix(matrix) => Sameness::of(matrix.selector.shift.at.is_some(), false),
        ExprKind::Subquery(subquery) => {
            if sameness(&subquery.expr, found).is_same {
                add_nodes(&subquery.expr, found);
            }
            Sameness::of(subquery.shift.at.is_some(), false)
        }
        ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => sameness(inner, found),
        // Prometheus does not look at parameters.
        ExprKind::Aggregate(aggregate) => sameness(&aggregate.expr, found),
        ExprKind::Call(call) if call.function.depends_on_query => Sameness::of(true, false),
        ExprKind::Call(call) => {
            let of_args: Vec<Sameness> = call.args.iter().map(|arg| sameness(arg, found)).collect();
            let is_selector = |arg: &Expr| matches!(arg.unwrap_parens().kind, ExprKind::Vector(_));
            let may_be_same = match call.function.body {
                Body::Timestamp => call.args.iter().all(is_selector),
                _ => !call.function.depends_on_time,
            };
            if may_be_same && of_args.iter().all(|same| same.is_same) {
                return Sameness::of(true, true);
            }
            for (arg, same) in call.args.iter().zip(of_args) {
                if same.is_evaluated_once {
                    add_nodes(arg, found);
                }
            }
            Sameness::of(false, false)
        }
        ExprKind::Chain(chain) => {
            let mut left = sameness(&chain.first, found);
            for (index, link) in chain.links.iter().enumerate() {
                let right = sameness(&link.rhs, found);
                if left.is_same && right.is_same {
                    left = Sameness::of(true, true);
                    continue;
                }
                if left.is_evaluated_once {
                    add_nodes(&chain.first, found);
                    let before = chain.links.iter().take(index);
                    before.for_each(|link| add_nodes(&link.rhs, found));
                }
                if right.is_evaluated_once {
                    add_nodes(&link.rhs, found);
                }
                left = Sameness::of(false, false);
            }
            left
        }
    }
}

/// Adds the calls and aggregations of a tree but those in subqueries, which have steps of their own.
fn add_nodes(expr: &Expr, found: &mut HashSet<Span>) {
    match &expr.kind {
        ExprKind::Subquery(_) => return,
        ExprKind::Call(_) | ExprKind::Aggregate(_) => {
            found.insert(expr.span);
        }
        _ => {}
    }
    for child in expr.children() {
        add_nodes(child, found);
    }
}
