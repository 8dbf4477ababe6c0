//! Where a NaN came from.

use super::blame::{argument, finding, link};
use super::tree::{Seen, Shape};
use super::{Cause, Explainer, Finding, NanSource, NotANumber, Value};
use crate::model::Labels;
use crate::promql::ast::{BinaryOp, Expr, ExprKind};

impl Explainer<'_> {
    /// Says where the NaN of a node, or of what it compares, came from.
    pub(super) fn not_a_number(&self, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        let is_comparison = |seen: &Seen<'_>| link(seen).is_some_and(|it| it.0.op.is_comparison());
        let sources: Vec<&Seen<'_>> = match is_comparison(seen) {
            true => seen
                .children
                .iter()
                .filter(|child| nan(child).is_some())
                .collect(),
            false => nan(seen).map(|_| seen).into_iter().collect(),
        };
        for source in sources {
            let source = origin(source);
            if found
                .iter()
                .any(|known| known.span == source.span && is_of_nan(&known.cause))
            {
                continue;
            }
            found.extend(cause(source).map(|cause| finding(source, cause)));
        }
    }
}

fn is_of_nan(cause: &Cause) -> bool {
    matches!(cause, Cause::NotANumber(_) | Cause::NoScalar { .. })
}

/// The labels of a series that is NaN.
fn nan(seen: &Seen<'_>) -> Option<Labels> {
    match &seen.value {
        Value::Scalar(value) => value.is_nan().then(Labels::empty),
        value => {
            let mut points = value.points().iter();
            let found = points.find(|point| point.reading.float().is_some_and(f64::is_nan))?;
            Some(found.labels.clone())
        }
    }
}

/// The deepest node that yields a NaN.
fn origin<'s, 'q>(seen: &'s Seen<'q>) -> &'s Seen<'q> {
    let deeper = seen.children.iter().find(|child| nan(child).is_some());
    deeper.map_or(seen, origin)
}

fn cause(seen: &Seen<'_>) -> Option<Cause> {
    let labels = nan(seen)?;
    let source = match seen.shape {
        Shape::Link(link) => match link.op {
            BinaryOp::Div => NanSource::ZeroByZero,
            BinaryOp::Mod => NanSource::NoRemainder,
            _ => NanSource::Computed,
        },
        Shape::Expr(Expr { kind, .. }) => match kind {
            // Who writes NaN means it.
            ExprKind::Number(_) => return None,
            ExprKind::Vector(_) => NanSource::Sample,
            ExprKind::Call(call) if call.function.name == "scalar" => {
                let count = argument(seen).map_or(0, |argument| argument.points().len());
                return Some(Cause::NoScalar { count });
            }
            ExprKind::Call(call) if call.function.name.starts_with("histogram_") => {
                of_histogram(seen, &labels)
            }
            _ => NanSource::Computed,
        },
    };
    Some(Cause::NotANumber(NotANumber { labels, source }))
}

/// Why what is made of the buckets of these labels, or of a native histogram, is NaN.
fn of_histogram(seen: &Seen<'_>, labels: &Labels) -> NanSource {
    let points = seen.children.iter().flat_map(|child| child.value.points());
    let buckets = points.filter_map(|point| {
        let bound = point.labels.get("le")?.parse::<f64>().ok()?;
        let rest = point.labels.without_metric().filtered(|name| name != "le");
        let is_meant = rest == labels.without_metric();
        is_meant.then_some((bound, point.reading.float()?))
    });
    let buckets: Vec<(f64, f64)> = buckets.collect();
    let last = buckets.iter().find(|(bound, _)| *bound == f64::INFINITY);
    match last {
        None if buckets.is_empty() => NanSource::NoObservation,
        None => NanSource::NoLastBucket,
        Some((_, 0.0)) => NanSource::NoObservation,
        Some(_) if buckets.iter().all(|(bound, _)| *bound == f64::INFINITY) => NanSource::OneBucket,
        Some(_) => NanSource::Computed,
    }
}
