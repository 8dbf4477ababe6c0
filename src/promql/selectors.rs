//! The selectors of a query, and how far each reaches back.

use super::ast::{DurationExpr, Expr, ExprKind, Shift, VectorSelector};
use super::eval::View;
use crate::model::Millis;
use crate::text::Span;

/// A selector in a query.
#[derive(Debug, Clone, Copy)]
pub struct SelectorUse<'q> {
    /// Which series.
    pub selector: &'q VectorSelector,
    /// Where it stands in the query's text.
    pub span: Span,
    /// Which samples.
    pub reach: Reach,
}

/// How far the samples that a selector may read lie from the evaluation time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// From so long before it to so long before it; negative is after it.
    Around {
        /// The oldest sample.
        oldest: Millis,
        /// The newest sample.
        newest: Millis,
    },
    /// At moments that `@` fixes.
    Fixed,
}

/// Every selector of an expression, in the order they were written. Instant selectors look back `lookback`.
pub fn selectors(expr: &Expr, lookback: Millis) -> Vec<SelectorUse<'_>> {
    let mut found = Vec::new();
    let here = Reach::Around {
        oldest: 0,
        newest: 0,
    };
    collect(expr, here, lookback, &mut found);
    found
}

/// The window of an expression that takes most samples, as far as that can be told without the data: a subquery by its
/// steps, a selector by its length.
pub fn greediest(expr: &Expr) -> Option<Span> {
    let mut greediest = None;
    let mut left = vec![expr];
    while let Some(expr) = left.pop() {
        let length = |duration: &DurationExpr| duration.resolve(0, 0, false).unwrap_or(0);
        let window = match &expr.kind {
            ExprKind::Matrix(matrix) => Some((&matrix.range, SCRAPE_INTERVAL)),
            ExprKind::Subquery(subquery) => {
                let step = subquery.step.as_ref().map_or(60_000, length);
                Some((&subquery.range, step))
            }
            _ => None,
        };
        if let Some((range, step)) = window {
            let samples = length(range) / step.max(1);
            if greediest.is_none_or(|(most, _)| samples > most) {
                greediest = Some((samples, expr.span));
            }
        }
        left.extend(expr.children().into_iter().rev());
    }
    greediest.map(|(_, span)| span)
}

/// How far samples lie apart, about.
const SCRAPE_INTERVAL: Millis = 15_000;

impl Reach {
    /// The default look-back of a server.
    pub const LOOKBACK: Millis = View::LOOKBACK;

    /// The reach of what is read over a range and shifted.
    fn moved(self, shift: &Shift, range: Millis) -> Reach {
        let offset = shift
            .offset
            .as_ref()
            .and_then(|offset| offset.resolve(0, 0, true).ok())
            .unwrap_or(0);
        match (self, shift.at) {
            (Reach::Around { oldest, newest }, None) => Reach::Around {
                oldest: oldest.saturating_add(offset).saturating_add(range),
                newest: newest.saturating_add(offset),
            },
            _ => Reach::Fixed,
        }
    }
}

fn collect<'q>(expr: &'q Expr, reach: Reach, lookback: Millis, found: &mut Vec<SelectorUse<'q>>) {
    let length = |duration: &DurationExpr| duration.resolve(0, 0, false).unwrap_or(0);
    let mut add = |selector: &'q VectorSelector, range: Millis| {
        found.push(SelectorUse {
            selector,
            span: expr.span,
            reach: reach.moved(&selector.shift, range),
        });
    };
    match &expr.kind {
        ExprKind::Vector(selector) => add(selector, lookback),
        ExprKind::Matrix(matrix) => add(&matrix.selector, length(&matrix.range)),
        ExprKind::Subquery(subquery) => {
            let inner = reach.moved(&subquery.shift, length(&subquery.range));
            collect(&subquery.expr, inner, lookback, found);
        }
        _ => {
            for child in expr.children() {
                collect(child, reach, lookback, found);
            }
        }
    }
}
