//! Queries whose result is windows: `metric[5m]`, or a subquery, asked at one time.

use std::collections::BTreeMap;

use super::frame::{Frame, QueryTime};
use super::ranges::Range;
use super::view::View;
use super::{Evaluator, merge};
use crate::model::{Labels, Timestamp};
use crate::promql::annotation::Annotations;
use crate::promql::ast::{Expr, ExprKind, Extension};
use crate::promql::column::{EvalError, Ticks};
use crate::promql::functions::{Samples, widened};
use crate::promql::query::Query;
use crate::promql::window::{Contents, Notes, Windows};
use crate::store::Points;

/// What a query for windows evaluated to.
#[derive(Debug, Clone)]
pub struct Windowed {
    /// Series in the order of their labels, each with its samples.
    pub series: Vec<(Labels, Points)>,
    /// What Prometheus says of the query.
    pub annotations: Annotations,
}

/// Evaluates an instant query that yields windows: `metric[5m]` or a subquery.
///
/// # Errors
/// Why the query failed.
pub fn evaluate_windows(
    query: &Query,
    view: &View<'_>,
    time: Timestamp,
) -> Result<Windowed, EvalError> {
    let evaluator = Evaluator::new(view, &query.expr);
    let frame = Frame::new(Ticks::instant(time), QueryTime::Same, false);
    let mut found: BTreeMap<Labels, Points> = BTreeMap::new();
    evaluator.ranges(&query.expr, Samples::AsTheyAre, &frame, &mut |range| {
        let (first, past) = range.bounds.first().copied().unwrap_or_default();
        let within = |index: usize| index >= first as usize && index < past as usize;
        let is_counted = matches!(query.expr.unwrap_parens().kind, ExprKind::Subquery(_));
        if first < past && (is_counted || evaluator.hold((past - first) as usize, &frame)) {
            let labels = match range.drop_name {
                true => range.labels.without_metadata(),
                false => range.labels.clone(),
            };
            let points = match range.extension {
                None => Some(range.points.filtered(within)),
                Some(extension) => extended(&range, extension, &frame, &query.expr),
            };
            let Some(points) = points else {
                return;
            };
            match found.get_mut(&labels) {
                None => {
                    found.insert(labels, points);
                }
                Some(before) => match merge::joined_points(before, &points) {
                    Some(joined) => *before = joined,
                    None => frame.fail_all(merge::SAME_LABELS),
                },
            }
        }
    });
    let (errors, annotations) = frame.into_parts();
    match errors.into_values().next() {
        Some(error) => Err(error),
        None => Ok(Windowed {
            series: found.into_iter().collect(),
            annotations,
        }),
    }
}

/// The samples of an extended window, which holds floats only.
fn extended(range: &Range<'_>, extension: Extension, frame: &Frame, expr: &Expr) -> Option<Points> {
    let notes = Notes::new(frame.annotations(), expr.span, expr, range.labels);
    let windows = Windows {
        extension: Some(extension),
        ..range.windows(frame.ticks, &[], notes)
    };
    let window = windows.iter().next()?;
    if window.contents() != Contents::Floats {
        let name = extension.name();
        frame.fail_all(&format!("{name} modifier is not supported with histograms"));
        return None;
    }
    widened(&windows, &window)
}
