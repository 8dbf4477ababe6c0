//! An arithmetic operator is another.

use crate::mutate::operator::Operator;
use crate::mutate::site::Site;
use crate::promql::ast::{BinaryOp, ExprKind};

pub(super) const ROW: Operator = Operator {
    name: "arithmetic",
    about: "`+` and `-` are one another, and `*` and `/`; `%` and `^` are `*`",
    by_default: true,
    make,
};

fn make(site: &mut Site<'_>) {
    for part in site.parts() {
        let ExprKind::Chain(chain) = &part.kind else {
            continue;
        };
        for link in &chain.links {
            let other = match link.op {
                BinaryOp::Add => BinaryOp::Sub,
                BinaryOp::Sub => BinaryOp::Add,
                BinaryOp::Mul => BinaryOp::Div,
                BinaryOp::Div | BinaryOp::Mod | BinaryOp::Pow => BinaryOp::Mul,
                _ => continue,
            };
            let (op, symbol) = (link.op.symbol(), other.symbol());
            let remedy = format!(
                "a test in which `{op}` and `{symbol}` yield values that differ, and {}",
                site.outcome()
            );
            site.part(site.symbol(link.op_span), symbol, None, remedy);
        }
    }
}
