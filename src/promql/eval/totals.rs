//! Selectors of histograms of which only count and sum are read: below `histogram_count` and its like Prometheus leaves out
//! the buckets, and asks between samples itself whether the counter was reset.

use std::sync::Arc;

use hashbrown::HashSet;

use super::Evaluator;
use super::bounds::{BoundsCache, Reach};
use super::frame::{Frame, QueryTime};
use super::select::Visible;
use crate::model::{CounterResetHint, Histogram, Millis};
use crate::promql::ast::{Expr, ExprKind, VectorSelector};
use crate::promql::column::Column;
use crate::promql::functions::HistogramUse;
use crate::promql::window::Ends;
use crate::store::Points;

/// The samples of a series without buckets.
pub(super) struct Totals {
    /// With what is known of resets when all samples are read in order.
    pub points: Points,
    /// For every tick the first sample that was read for it or before: nothing was known of a reset before that.
    floors: Vec<usize>,
}

impl Evaluator<'_> {
    /// Whether only counts and sums of a selector's histograms are read.
    fn reads_totals(&self, selector: &VectorSelector) -> bool {
        let key: *const VectorSelector = selector;
        let found = self.totals.get_or_init(|| {
            let mut found = HashSet::new();
            add_selectors(self.root, Above::default(), &mut found);
            found
        });
        found.contains(&key)
    }

    /// The samples of a series without buckets, where nobody reads these. `stride` is how much of a window is read for a
    /// tick after others.
    pub(super) fn totals_of(
        &self,
        selector: &VectorSelector,
        visible: &Visible<'_>,
        frame: &Frame,
        ends: Ends,
        reach: Reach,
        stride: Millis,
    ) -> Option<Totals> {
        let is_asked = visible.points.has_histograms() && self.reads_totals(selector);
        if !is_asked {
            return None;
        }
        if frame.query == QueryTime::Same && frame.count() > 1 {
            self.shares_totals.set(true);
        }
        Some(Totals::new(visible, frame, ends, reach, stride))
    }
}

impl Totals {
    fn new(
        visible: &Visible<'_>,
        frame: &Frame,
        ends: Ends,
        reach: Reach,
        stride: Millis,
    ) -> Totals {
        let points = &visible.points;
        let mut cache = BoundsCache::default();
        let windows = cache.of(points, visible.limit, frame.ticks, ends, reach);
        let bounds = &windows.of_ticks;
        let floors: Vec<usize> = match frame.query {
            QueryTime::Range(_) => {
                let mut floor = bounds.first().map_or(0, |(first, _)| *first as usize);
                let mut next: Option<usize> = None;
                let of_tick = bounds.iter().zip(frame.ticks.iter()).map(|(bounds, time)| {
                    let from = ends
                        .of(time)
                        .saturating_add(reach.ahead)
                        .saturating_sub(stride);
                    // What lies in between is skipped, and so nothing is known of it.
                    if next.is_some_and(|next| next < points.len() && points.time(next) < from) {
                        floor = points.count_until(from.saturating_sub(1));
                    }
                    next = Some(bounds.1 as usize);
                    floor
                });
                of_tick.collect()
            }
            _ => bounds.iter().map(|(first, _)| *first as usize).collect(),
        };
        let kept: &[usize] = match frame.query {
            QueryTime::Range(_) => &floors,
            // Where ticks are queries of their own one may begin with what is in the middle of another.
            _ if floors.len() == 1 => &floors,
            _ => &[],
        };
        Totals {
            points: without_buckets(points, kept),
            floors,
        }
    }

    /// Says of histograms that are the first to be read what was `stored` with them, where they are the newest of a tick.
    pub fn put_first(&self, stored: &Points, bounds: &[(u32, u32)], column: &mut Column) {
        for tick in column.histogram_ticks().collect::<Vec<_>>() {
            let newest = bounds[tick].1 as usize - 1;
            let (Some(known), Some(totals)) =
                (stored.histogram(newest), self.points.histogram(newest))
            else {
                continue;
            };
            let hint = known.counter_reset_hint;
            if self.floors[tick] == newest && hint != totals.counter_reset_hint {
                let first = Histogram {
                    counter_reset_hint: hint,
                    ..Histogram::clone(totals)
                };
                column.set_histogram(tick, Arc::new(first));
            }
        }
    }
}

/// The samples without buckets. Each says whether there was a reset before it, but for the first and those in `floors`,
/// which say what was stored with them.
fn without_buckets(points: &Points, floors: &[usize]) -> Points {
    let mut out = Points::default();
    let mut before: Option<&Arc<Histogram>> = None;
    let mut floors = floors.iter().copied().peekable();
    for index in 0..points.len() {
        while let Some(&floor) = floors.peek()
            && floor <= index
        {
            floors.next();
            if floor == index {
                before = None;
            }
        }
        let time = points.time(index);
        let Some(histogram) = points.histogram(index) else {
            out.push(time, points.values()[index]);
            continue;
        };
        let hint = match (histogram.counter_reset_hint, before) {
            (CounterResetHint::Unknown, Some(before)) if histogram.detect_reset(before) => {
                CounterResetHint::Reset
            }
            (CounterResetHint::Unknown, Some(_)) => CounterResetHint::NotReset,
            (known, _) => known,
        };
        before = Some(histogram);
        out.push_histogram(
            time,
            Arc::new(Histogram {
                counter_reset_hint: hint,
                schema: histogram.schema,
                count: histogram.count,
                sum: histogram.sum,
                ..Histogram::default()
            }),
        );
    }
    out.with_starts(points.starts().to_vec())
}

/// What stands above a node.
#[derive(Clone, Copy, Default)]
struct Above {
    wants_totals: bool,
    wants_buckets: bool,
}

impl Above {
    fn of_buckets(self) -> Above {
        Above {
            wants_buckets: true,
            ..self
        }
    }
}

fn add_selectors(expr: &Expr, above: Above, found: &mut HashSet<*const VectorSelector>) {
    let mut add = |selector: &VectorSelector| {
        if above.wants_totals && !above.wants_buckets {
            found.insert(selector);
        }
    };
    match &expr.kind {
        ExprKind::Vector(selector) => add(selector),
        ExprKind::Matrix(matrix) => add(&matrix.selector),
        // Steps may miss samples: resets are to be seen in the buckets.
        ExprKind::Subquery(subquery) => add_selectors(&subquery.expr, above.of_buckets(), found),
        ExprKind::Chain(chain) => {
            let mut above = above;
            for link in chain.links.iter().rev() {
                if link.op.is_trim() {
                    above = above.of_buckets();
                }
                add_selectors(&link.rhs, above, found);
            }
            add_selectors(&chain.first, above, found);
        }
        ExprKind::Call(call) => {
            let above = match call.function.histograms {
                HistogramUse::Any => above,
                HistogramUse::Buckets => above.of_buckets(),
                HistogramUse::Totals => Above {
                    wants_totals: true,
                    ..above
                },
            };
            call.args
                .iter()
                .for_each(|arg| add_selectors(arg, above, found));
        }
        _ => expr
            .children()
            .into_iter()
            .for_each(|child| add_selectors(child, above, found)),
    }
}
