//! `and`, `or` and `unless` are one another.

use crate::mutate::operator::Operator;
use crate::mutate::site::Site;
use crate::promql::ast::{BinaryOp, ExprKind};

pub(super) const ROW: Operator = Operator {
    name: "set",
    about: "`and`, `or` and `unless` are one another",
    by_default: true,
    make,
};

fn make(site: &mut Site<'_>) {
    for part in site.parts() {
        let ExprKind::Chain(chain) = &part.kind else {
            continue;
        };
        for link in chain.links.iter().filter(|link| link.op.is_set()) {
            let all = [BinaryOp::And, BinaryOp::Or, BinaryOp::Unless];
            for other in all.into_iter().filter(|&other| other != link.op) {
                let remedy = format!(
                    "a test in which {}, and {}",
                    apart(link.op, other),
                    site.outcome()
                );
                site.part(site.symbol(link.op_span), other.symbol(), None, remedy);
            }
        }
    }
}

/// Where two operators yield something else.
fn apart(one: BinaryOp, other: BinaryOp) -> &'static str {
    let is = |op: BinaryOp| op == one || op == other;
    match () {
        () if is(BinaryOp::And) && is(BinaryOp::Or) => "only one side has series",
        () if is(BinaryOp::And) => {
            "the left side has series, and the right one has some of them or none"
        }
        () => "the right side has series",
    }
}
