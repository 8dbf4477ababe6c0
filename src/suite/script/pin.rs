//! The same query for any moment: `@` at every selector that has none.

use crate::model::Timestamp;
use crate::promql::Query;
use crate::promql::ast::{At, Expr, ExprKind, Shift};

/// The query as Prometheus's scripts try it again: pinned to a moment it must give the same wherever it is evaluated.
/// `None` where some function in it looks at the time of evaluation.
pub(super) fn pinned(query: &Query, moment: Timestamp) -> Option<String> {
    let mut expr = query.expr.clone();
    pin(&mut expr, moment).then(|| expr.to_string())
}

/// Pins what stands below; says whether the result is the same at any time.
fn pin(expr: &mut Expr, moment: Timestamp) -> bool {
    match &mut expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) => true,
        ExprKind::Vector(selector) => set(&mut selector.shift, moment),
        ExprKind::Matrix(matrix) => set(&mut matrix.selector.shift, moment),
        // What is below is evaluated at the steps of the subquery.
        ExprKind::Subquery(subquery) => set(&mut subquery.shift, moment),
        ExprKind::Call(call) => {
            let alike = call
                .args
                .iter_mut()
                .map(|arg| pin(arg, moment))
                .fold(true, |a, b| a & b);
            alike && !call.function.depends_on_time
        }
        ExprKind::Aggregate(aggregate) => {
            let param = aggregate
                .param
                .as_mut()
                .is_none_or(|param| pin(param, moment));
            pin(&mut aggregate.expr, moment) & param
        }
        ExprKind::Chain(chain) => {
            let mut alike = pin(&mut chain.first, moment);
            for link in &mut chain.links {
                alike &= pin(&mut link.rhs, moment);
            }
            alike
        }
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => pin(inner, moment),
    }
}

fn set(shift: &mut Shift, moment: Timestamp) -> bool {
    if !matches!(shift.at, Some(At::Time(_))) {
        shift.at = Some(At::Time(moment));
    }
    true
}
