//! Range vectors: the windows of selectors and of subqueries.

use std::borrow::Cow;
use std::sync::Arc;

use super::Evaluator;
use super::frame::Frame;
use super::select::{BoundsCache, Limit, Reach};
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
        }
    }
}

impl Evaluator<'_> {
    /// The ticks at which some window holds a sample.
    pub(super) fn ticks_with_samples(&self, argument: &Expr, frame: &Frame) -> Vec<bool> {
        let mut any = vec![false; frame.count()];
        self.ranges(argument, Samples::Any, frame, &mut |range| {
            for (any, (first, past)) in any.iter_mut().zip(range.bounds) {
                *any |= first < past;
            }
        });
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
                    let bounds =
                        cache.of(&points, Limit::None, frame.ticks, ends, Reach::back(range));
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
        let mut cache = BoundsCache::default();
        for selected in self.selected(&matrix.selector).iter() {
            if self.is_over() {
                return;
            }
            let visible = self.visible(selected, frame);
            let points = clean(&visible.points, samples);
            let bounds = cache.of(&points, visible.limit, frame.ticks, ends, reach);
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
            });
        }
    }
}

/// The samples that a range function sees.
pub(super) fn clean(points: &Points, samples: Samples) -> Cow<'_, Points> {
    let floats_only = samples == Samples::Floats && points.has_histograms();
    if !points.has_stale() && !floats_only {
        return Cow::Borrowed(points);
    }
    Cow::Owned(points.filtered(|index| match points.histogram(index) {
        Some(_) => !floats_only,
        None => !is_stale(points.values()[index]),
    }))
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
