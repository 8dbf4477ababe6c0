//! What can be said of a query without data: parameters that are written wrong.

use super::frame::{Frame, QueryTime};
use super::{Evaluator, Reader, View};
use crate::model::Timestamp;
use crate::promql::aggregations::{AggregationKind, Fold, Selection};
use crate::promql::annotation::{Annotations, Note, Site};
use crate::promql::ast::{Aggregate, Call, Expr, ExprKind};
use crate::promql::column::Ticks;
use crate::promql::query::Query;
use crate::store::Store;
use crate::text::Span;

/// What Prometheus would say of a query as soon as there are series: quantiles and ratios that are out of range, where they
/// do not depend on series or time.
pub fn annotations_without_data(query: &Query) -> Annotations {
    let store = Store::default();
    let view = View::new(&store, Reader::After(Timestamp::MAX), 1);
    let evaluator = Evaluator::new(&view, &query.expr);
    let frame = Frame::new(Ticks::instant(0), QueryTime::Same, false);
    evaluator.note_parameters(&query.expr, &frame);
    frame.into_parts().1
}

impl Evaluator<'_> {
    fn note_parameters(&self, expr: &Expr, frame: &Frame) {
        match &expr.kind {
            ExprKind::Aggregate(aggregate) => self.note_parameter(aggregate, expr.span, frame),
            ExprKind::Call(call) => self.note_arguments(call, expr.span, frame),
            _ => {}
        }
        for child in expr.children() {
            self.note_parameters(child, frame);
        }
    }

    fn note_parameter(&self, aggregate: &Aggregate, node: Span, frame: &Frame) {
        let Some(parameter) = aggregate.param.as_ref().filter(|it| is_constant(it)) else {
            return;
        };
        match aggregate.op.kind {
            AggregationKind::Fold(Fold::Quantile) => {
                let quantile = self.scalar(parameter, frame);
                self.note_quantiles(aggregate, node, &quantile, frame);
            }
            AggregationKind::Select(Selection::LimitRatio) => {
                let ratio = self.scalar(parameter, frame);
                self.note_ratios(aggregate, node, &ratio, frame);
            }
            _ => {}
        }
    }

    fn note_arguments(&self, call: &Call, node: Span, frame: &Frame) {
        let quantiles = call.function.quantiles.clone();
        let arguments = call.args.iter().enumerate();
        for (_, argument) in arguments.filter(|(index, _)| quantiles.contains(index)) {
            let argument = argument.unwrap_parens();
            if !is_constant(argument) {
                continue;
            }
            for quantile in self.scalar(argument, frame).into_values() {
                if !(0.0..=1.0).contains(&quantile) {
                    let site = Site::new(node, argument.span, "");
                    frame.note(&site, Note::InvalidQuantile(quantile));
                }
            }
        }
    }
}

/// Whether an expression is the same whatever the series and the time.
fn is_constant(expr: &Expr) -> bool {
    let here = match &expr.kind {
        ExprKind::Vector(_) | ExprKind::Matrix(_) | ExprKind::Subquery(_) => false,
        ExprKind::Call(call) => !call.function.depends_on_time,
        _ => true,
    };
    here && expr.children().into_iter().all(is_constant)
}
