//! A comparison is another.

use super::threshold::compared;
use crate::mutate::operator::Operator;
use crate::mutate::site::Site;
use crate::promql::ast::BinaryOp;
use crate::promql::one_line;
use crate::whatif::comparisons;

pub(super) const ROW: Operator = Operator {
    name: "comparison",
    about: "a comparison lets its limit pass or not, or is turned round",
    by_default: true,
    make,
};

fn make(site: &mut Site<'_>) {
    for comparison in comparisons(site.query()) {
        let symbol = site.symbol(comparison.op_span);
        let Some(op) = written(site.text(symbol)) else {
            continue;
        };
        let (value, limit) = (
            compared(&one_line(site.text(comparison.value))),
            one_line(site.text(comparison.limit)),
        );
        let (with_limit, turned) = others(op);
        let outcome = site.outcome();
        if let Some(other) = with_limit {
            let remedy = format!("a test in which {value} is exactly {limit}, and {outcome}");
            site.part(symbol, other.symbol(), None, remedy);
        }
        if let Some(other) = turned {
            let remedy = format!(
                "a test in which {value} {} {limit} holds, and {outcome}",
                comparison.op.symbol()
            );
            site.part(symbol, other.symbol(), None, remedy);
        }
    }
}

fn written(symbol: &str) -> Option<BinaryOp> {
    BinaryOp::ALL.into_iter().find(|op| op.symbol() == symbol)
}

/// The comparison that differs at the limit, and the one that holds where this does not.
fn others(op: BinaryOp) -> (Option<BinaryOp>, Option<BinaryOp>) {
    match op {
        BinaryOp::Greater => (Some(BinaryOp::GreaterEqual), Some(BinaryOp::Less)),
        BinaryOp::GreaterEqual => (Some(BinaryOp::Greater), Some(BinaryOp::Less)),
        BinaryOp::Less => (Some(BinaryOp::LessEqual), Some(BinaryOp::Greater)),
        BinaryOp::LessEqual => (Some(BinaryOp::Less), Some(BinaryOp::Greater)),
        BinaryOp::Equal => (None, Some(BinaryOp::NotEqual)),
        BinaryOp::NotEqual => (None, Some(BinaryOp::Equal)),
        _ => (None, None),
    }
}
