//! The selectors of a query, and how far each reaches back.

use std::borrow::Cow;

use super::ast::{Call, DurationExpr, Expr, ExprKind, Shift, VectorSelector};
use super::eval::View;
use crate::model::{METRIC_NAME, Matcher, Millis};
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

/// Series that a query reads, by a selector or because `info` joins them.
#[derive(Debug, Clone)]
pub struct SeriesRead<'q> {
    /// Which series.
    pub matchers: Cow<'q, [Matcher]>,
    /// The selector as written; none where `info` is not told what to join.
    pub selector: Option<&'q VectorSelector>,
    /// Where it stands in the query's text.
    pub span: Span,
    /// Which samples.
    pub reach: Reach,
}

/// What `info` joins unless it is told to join something else.
const INFO_METRIC: &str = "target_info";

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
    each_read(expr, lookback, &mut |read| {
        found.extend(read.selector.map(|selector| SelectorUse {
            selector,
            span: read.span,
            reach: read.reach,
        }));
    });
    found
}

/// Everything that an expression reads, in the order it was written. Instant selectors look back `lookback`.
pub fn reads(expr: &Expr, lookback: Millis) -> Vec<SeriesRead<'_>> {
    let mut found = Vec::new();
    each_read(expr, lookback, &mut |read| found.push(read));
    found
}

/// Shows everything that an expression reads, one after the other in the order it was written. A long expression reads very
/// much, so who needs no list of it makes none.
pub fn each_read<'q>(expr: &'q Expr, lookback: Millis, show: &mut dyn FnMut(SeriesRead<'q>)) {
    let here = Reach::Around {
        oldest: 0,
        newest: 0,
    };
    visit(expr, here, lookback, show);
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

fn visit<'q>(expr: &'q Expr, reach: Reach, lookback: Millis, show: &mut dyn FnMut(SeriesRead<'q>)) {
    let length = |duration: &DurationExpr| duration.resolve(0, 0, false).unwrap_or(0);
    let mut add = |selector: &'q VectorSelector, range: Millis| {
        show(SeriesRead {
            matchers: Cow::Borrowed(&selector.matchers),
            selector: Some(selector),
            span: expr.span,
            reach: reach.moved(&selector.shift, range),
        });
    };
    match &expr.kind {
        ExprKind::Vector(selector) => add(selector, lookback),
        ExprKind::Matrix(matrix) => add(&matrix.selector, length(&matrix.range)),
        ExprKind::Subquery(subquery) => {
            let inner = reach.moved(&subquery.shift, length(&subquery.range));
            visit(&subquery.expr, inner, lookback, show);
        }
        ExprKind::Call(call) if call.function.name == "info" => {
            if let Some(argument) = call.args.first() {
                visit(argument, reach, lookback, show);
            }
            show(joined(call, expr.span, reach, lookback));
        }
        _ => {
            for child in expr.children() {
                visit(child, reach, lookback, show);
            }
        }
    }
}

/// What `info` joins. Of the matchers only those of the name count: it looks at the others when it has joined.
fn joined(call: &Call, whole: Span, reach: Reach, lookback: Millis) -> SeriesRead<'_> {
    let told = call.args.get(1).and_then(|argument| {
        let argument = argument.unwrap_parens();
        match &argument.kind {
            ExprKind::Vector(selector) => Some((selector, argument.span)),
            _ => None,
        }
    });
    let matchers = told.iter().flat_map(|(selector, _)| &selector.matchers);
    let mut matchers: Vec<Matcher> = matchers
        .filter(|matcher| matcher.name == METRIC_NAME)
        .cloned()
        .collect();
    if matchers.is_empty() {
        matchers.push(Matcher::equal(METRIC_NAME, INFO_METRIC));
    }
    SeriesRead {
        matchers: Cow::Owned(matchers),
        selector: told.map(|(selector, _)| &**selector),
        span: told.map_or(whole, |(_, span)| span),
        reach: reach.moved(&Shift::default(), lookback),
    }
}
