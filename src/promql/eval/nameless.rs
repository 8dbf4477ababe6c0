//! Series that lose their metric names, and may then be the same.

use super::frame::Frame;
use super::{Evaluator, Row, Sink, emit, merge};
use crate::model::{Labels, METRIC_NAME, MatchOp, Matcher, is_metadata};
use crate::promql::aggregations::AggregationKind;
use crate::promql::ast::{Expr, ExprKind, VectorSelector};
use crate::promql::column::{Column, ColumnSeries};
use crate::promql::functions::Body;

impl Evaluator<'_> {
    /// Streams an expression through `change`, which says whether the series stays, and drops metric names.
    ///
    /// Only where two series can differ in nothing but the name are they collected to tell whether they meet.
    pub(super) fn without_names(
        &self,
        expr: &Expr,
        frame: &Frame,
        sink: &mut Sink<'_>,
        change: &dyn Fn(&mut Column) -> bool,
    ) {
        let nameless = Labels::without_metadata;
        self.without_names_by(expr, frame, sink, change, nameless, merge::distinct);
    }

    /// Functions of parts of histograms leave type and unit where they are.
    pub(super) fn without_metric_names(
        &self,
        expr: &Expr,
        frame: &Frame,
        sink: &mut Sink<'_>,
        change: &dyn Fn(&mut Column) -> bool,
    ) {
        let nameless = Labels::without_metric;
        self.without_names_by(expr, frame, sink, change, nameless, merge::distinct);
    }

    pub(super) fn without_names_by(
        &self,
        expr: &Expr,
        frame: &Frame,
        sink: &mut Sink<'_>,
        change: &dyn Fn(&mut Column) -> bool,
        nameless: fn(&Labels) -> Labels,
        join: fn(Vec<ColumnSeries>, &Frame) -> Vec<ColumnSeries>,
    ) {
        let delayed = self.view.features.delayed_name_removal;
        let nameless = |row: &Row<'_>| match delayed {
            true => (row.labels.clone(), true),
            false => (nameless(&row.labels), false),
        };
        if delayed || self.is_unique_without_name(expr) {
            self.stream(expr, frame, &mut |row: Row<'_>| {
                if change(row.column) && row.column.has_any() {
                    let (labels, drop_name) = nameless(&row);
                    sink(Row {
                        labels,
                        drop_name,
                        column: row.column,
                    });
                }
            });
            return;
        }
        let mut series = Vec::new();
        self.stream(expr, frame, &mut |row: Row<'_>| {
            if change(row.column) && row.column.has_any() {
                let (labels, drop_name) = nameless(&row);
                series.push(ColumnSeries {
                    labels,
                    drop_name,
                    column: std::mem::take(row.column),
                });
            }
        });
        emit(join(series, frame), sink);
    }

    /// Whether the series of an expression stay different when they lose their metric names.
    pub(super) fn is_unique_without_name(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Vector(selector) => self.has_one_name(selector),
            ExprKind::Matrix(matrix) => self.has_one_name(&matrix.selector),
            ExprKind::Subquery(subquery) => self.is_unique_without_name(&subquery.expr),
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => {
                self.is_unique_without_name(inner)
            }
            // What has no name any more was told apart when it lost it.
            ExprKind::Call(call) => match (call.function.body, call.args.first()) {
                (Body::HistogramPart(_), Some(arg)) => self.is_unique_without_name(arg),
                _ => !call.function.keeps_name,
            },
            ExprKind::Chain(chain) => chain.links.last().is_some_and(|link| {
                link.return_bool
                    || !(link.op.is_comparison() || link.op.is_set() || link.op.is_trim())
            }),
            ExprKind::Aggregate(aggregate) => {
                let makes_names = matches!(
                    aggregate.param.as_ref().map(|param| &param.unwrap_parens().kind),
                    Some(ExprKind::String(label)) if is_metadata(label)
                );
                // Without some labels type and unit stay.
                let may_be_typed =
                    aggregate.grouping.without && !self.is_unique_without_name(&aggregate.expr);
                !makes_names
                    && !may_be_typed
                    && !aggregate
                        .grouping
                        .labels
                        .iter()
                        .any(|label| is_metadata(label))
                    && !matches!(aggregate.op.kind, AggregationKind::Select(_))
            }
            _ => false,
        }
    }

    /// Whether a selector fixes the metric name, and no series of it tells its type or unit.
    fn has_one_name(&self, selector: &VectorSelector) -> bool {
        let fixes = |matcher: &Matcher| matcher.name == METRIC_NAME && matcher.op == MatchOp::Equal;
        selector.matchers.iter().any(fixes)
            && !self
                .selected(selector)
                .iter()
                .any(|selected| selected.labels.has_type_or_unit())
    }
}
