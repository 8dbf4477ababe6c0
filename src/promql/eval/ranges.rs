//! Range vectors: the windows of selectors and of subqueries.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Evaluator;
use super::bounds::{Bounds, BoundsCache, Limit, Reach};
use super::frame::Frame;
use crate::model::{CounterResetHint, Histogram, Labels, Millis, Timestamp};
use crate::promql::ast::{Expr, ExprKind, Extension, MatrixSelector};
use crate::promql::column::{Column, Ticks};
use crate::promql::functions::Samples;
use crate::promql::window::{Ends, Notes, Steady, Windows};
use crate::store::{Points, is_stale};

/// One series of a range vector with its windows.
pub(super) struct Range<'r> {
    pub labels: &'r Labels,
    pub drop_name: bool,
    pub points: &'r Points,
    pub starts: &'r [Timestamp],
    pub bounds: &'r [(u32, u32)],
    pub steady: Option<&'r Steady>,
    pub ends: Ends,
    pub range: Millis,
    pub extension: Option<Extension>,
    pub stop: Option<&'r AtomicBool>,
    /// Whether a window held histograms beside its floats, and only floats were wanted.
    pub ignores_histograms: bool,
}

impl<'r> Range<'r> {
    /// Its windows at some ticks, beside the scalar arguments of the call.
    pub(super) fn windows(
        &self,
        ticks: Ticks,
        params: &'r [Column],
        notes: Notes<'r>,
    ) -> Windows<'r> {
        Windows {
            points: self.points,
            starts: self.starts,
            bounds: self.bounds,
            steady: self.steady,
            ticks,
            ends: self.ends,
            range: self.range,
            extension: self.extension,
            params,
            notes,
            stop: self.stop,
        }
    }
}

impl Evaluator<'_> {
    /// The ticks at which some window holds a sample.
    pub(super) fn ticks_with_samples(&self, argument: &Expr, frame: &Frame) -> Vec<bool> {
        let mut any = vec![false; frame.count()];
        // The windows are evaluated again for their samples: what there is to say of them is to be said once.
        let silent = Frame::new(frame.ticks, frame.query, frame.lasts).with_share(frame.share);
        self.ranges(argument, Samples::Any, &silent, &mut |range| {
            for (any, (first, past)) in any.iter_mut().zip(range.bounds) {
                *any |= first < past;
            }
        });
        frame.absorb(silent.into_parts().0);
        any
    }

    /// Hands over every series of a range vector with its windows; stale markers are left out, and histograms
    /// where only floats are wanted.
    pub(super) fn ranges(
        &self,
        expr: &Expr,
        samples: Samples,
        frame: &Frame,
        each: &mut dyn FnMut(Range<'_>),
    ) {
        match &expr.unwrap_parens().kind {
            ExprKind::Matrix(matrix) => self.selected_ranges(matrix, samples, frame, each),
            ExprKind::Subquery(subquery) => {
                let mut cache = BoundsCache::default();
                self.subquery(subquery, frame, &mut |series, ends, range| {
                    if self.is_over() {
                        return;
                    }
                    let points = match samples {
                        Samples::Any => without_hints(&series.points),
                        Samples::Floats | Samples::AsTheyAre => clean(&series.points, samples),
                    };
                    let shape = Shape {
                        limit: Limit::None,
                        ticks: frame.ticks,
                        ends,
                        reach: Reach::back(range),
                    };
                    let bounds = shape.bounds(&points, &mut cache);
                    if !self.has_room_for(&points, &bounds.of_ticks, frame) {
                        return;
                    }
                    each(Range {
                        labels: &series.labels,
                        drop_name: series.drop_name,
                        points: &points,
                        starts: &[],
                        bounds: &bounds.of_ticks,
                        steady: bounds.steady.as_ref(),
                        ends,
                        range,
                        extension: None,
                        stop: self.view.stop,
                        ignores_histograms: shape.ignores(
                            &series.points,
                            samples,
                            &bounds.of_ticks,
                        ),
                    });
                });
            }
            _ => frame.fail_all(&format!(
                "expected a range vector, got a {}",
                expr.value_type().name()
            )),
        }
    }

    fn selected_ranges(
        &self,
        matrix: &MatrixSelector,
        samples: Samples,
        frame: &Frame,
        each: &mut dyn FnMut(Range<'_>),
    ) {
        let resolved = self
            .ends(&matrix.selector.shift, frame)
            .and_then(|ends| Ok((ends, frame.length(&matrix.range)?)));
        let (ends, range) = match resolved {
            Ok(resolved) => resolved,
            Err(message) => return frame.fail_all(&message),
        };
        let extension = matrix.selector.extension;
        let lookback = self.view.lookback;
        let reach = match extension {
            None => Reach::back(range),
            Some(Extension::Anchored) => Reach::back(range.saturating_add(lookback)),
            Some(Extension::Smoothed) => Reach {
                back: range.saturating_add(lookback),
                ahead: lookback,
            },
        };
        let mut cache = self.bounds.take();
        let behind = reach.behind(ends, frame.ticks);
        for selected in self.selected(&matrix.selector).iter() {
            if self.is_over() {
                return;
            }
            if selected.ends_before(self.view.store, behind) {
                continue;
            }
            let visible = self.visible(selected, frame, behind);
            let stride = (reach.back.saturating_add(reach.ahead)).min(frame.ticks.step);
            let totals = self.totals_of(&matrix.selector, &visible, frame, ends, reach, stride);
            let seen = totals
                .as_ref()
                .map_or(&*visible.points, |totals| &totals.points);
            let points = clean(seen, samples);
            let shape = Shape {
                limit: visible.limit,
                ticks: frame.ticks,
                ends,
                reach,
            };
            let bounds = shape.bounds(&points, &mut cache);
            if !self.has_room_for(&points, &bounds.of_ticks, frame) {
                return;
            }
            each(Range {
                labels: &selected.labels,
                drop_name: false,
                points: &points,
                starts: match self.view.features.start_timestamps {
                    true => points.starts(),
                    false => &[],
                },
                bounds: &bounds.of_ticks,
                steady: bounds.steady.as_ref(),
                ends,
                range,
                extension,
                stop: self.view.stop,
                ignores_histograms: shape.ignores(&visible.points, samples, &bounds.of_ticks),
            });
        }
        self.bounds.set(cache);
    }
}

/// Where the windows of a series lie.
#[derive(Clone, Copy)]
struct Shape {
    limit: Limit,
    ticks: Ticks,
    ends: Ends,
    reach: Reach,
}

impl Shape {
    fn bounds<'c>(self, points: &Points, cache: &'c mut BoundsCache) -> &'c Bounds {
        cache.of(points, self.limit, self.ticks, self.ends, self.reach)
    }

    /// Whether only floats are wanted and some window holds histograms beside them.
    fn ignores(self, points: &Points, samples: Samples, floats: &[(u32, u32)]) -> bool {
        if samples != Samples::Floats || !points.has_histograms() {
            return false;
        }
        let histograms = points.filtered(|index| points.histogram(index).is_some());
        let mut cache = BoundsCache::default();
        let windows = self.bounds(&histograms, &mut cache);
        let mut both = floats.iter().zip(&windows.of_ticks);
        both.any(|(floats, histograms)| floats.0 < floats.1 && histograms.0 < histograms.1)
    }
}

/// The samples that a range function sees.
pub(super) fn clean(points: &Points, samples: Samples) -> Cow<'_, Points> {
    let fresh = points.fresh();
    match samples == Samples::Floats && points.has_histograms() {
        false => Cow::Borrowed(fresh),
        true => Cow::Owned(fresh.filtered(|index| fresh.histogram(index).is_none())),
    }
}

/// The samples of a subquery without what is known of resets between them: steps may miss a sample, or see one twice.
fn without_hints(points: &Points) -> Cow<'_, Points> {
    if !points.has_histograms() {
        return clean(points, Samples::Any);
    }
    let mut out = Points::default();
    for index in 0..points.len() {
        let time = points.time(index);
        match points.histogram(index) {
            Some(histogram) => out.push_histogram(time, without_hint(histogram)),
            None if is_stale(points.values()[index]) => {}
            None => out.push(time, points.values()[index]),
        }
    }
    Cow::Owned(out)
}

fn without_hint(histogram: &Arc<Histogram>) -> Arc<Histogram> {
    match histogram.counter_reset_hint {
        CounterResetHint::Reset | CounterResetHint::NotReset => Arc::new(Histogram {
            counter_reset_hint: CounterResetHint::Unknown,
            ..Histogram::clone(histogram)
        }),
        CounterResetHint::Unknown | CounterResetHint::Gauge => Arc::clone(histogram),
    }
}
