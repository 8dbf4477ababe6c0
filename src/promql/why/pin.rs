//! `@ start()` and `@ end()` made fixed, so that a part of a query can be evaluated at another time than the whole.

use crate::model::Timestamp;
use crate::promql::ast::{At, Expr, ExprKind, Shift};

/// The expression with its query's start and end written out.
pub(super) fn pinned(expr: &Expr, moment: Timestamp) -> Expr {
    let mut pinned = expr.clone();
    pin(&mut pinned, moment);
    pinned
}

fn pin(expr: &mut Expr, moment: Timestamp) {
    match &mut expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) => {}
        ExprKind::Vector(selector) => fix(&mut selector.shift, moment),
        ExprKind::Matrix(matrix) => fix(&mut matrix.selector.shift, moment),
        ExprKind::Subquery(subquery) => {
            fix(&mut subquery.shift, moment);
            pin(&mut subquery.expr, moment);
        }
        ExprKind::Call(call) => call.args.iter_mut().for_each(|arg| pin(arg, moment)),
        ExprKind::Aggregate(aggregate) => {
            aggregate
                .param
                .iter_mut()
                .for_each(|param| pin(param, moment));
            pin(&mut aggregate.expr, moment);
        }
        ExprKind::Chain(chain) => {
            pin(&mut chain.first, moment);
            for link in &mut chain.links {
                pin(&mut link.rhs, moment);
            }
        }
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => pin(inner, moment),
    }
}

fn fix(shift: &mut Shift, moment: Timestamp) {
    if let Some(At::Start | At::End) = shift.at {
        shift.at = Some(At::Time(moment));
    }
}
