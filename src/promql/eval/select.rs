//! Selectors: which series, and which of their samples each tick sees.

use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::bounds::{Bounds, BoundsCache, Limit, Reach};
use super::frame::{Frame, QueryTime};
use super::ranges::clean;
use super::smooth::smoothed;
use super::view::Horizon;
use super::{Evaluator, Row, Sink};
use crate::model::{Labels, Matcher, Millis, Timestamp};
use crate::promql::annotation::Site;
use crate::promql::ast::{At, Extension, Shift, VectorSelector};
use crate::promql::column::Column;
use crate::promql::functions::Samples;
use crate::promql::window::{Ends, Steady};
use crate::store::{Birth, Points, SeriesId, Store, is_stale};
use crate::text::Span;

/// One label set that a selector found, with everything that was written under it.
#[derive(Debug)]
pub(super) struct Selected {
    pub labels: Labels,
    /// One entry for each writer.
    writers: SmallVec<[SeriesId; 1]>,
}

/// The samples of one label set that a frame may see.
pub(super) struct Visible<'a> {
    pub points: Cow<'a, Points>,
    pub limit: Limit,
}

/// What is taken of the samples of a selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    /// The samples themselves.
    Values,
    /// When they were taken.
    Stamps,
    /// When their counters started.
    Starts,
}

/// The series of so many selectors are remembered: of a query with more, each would take as much memory as the selector.
const MAX_REMEMBERED: usize = 10_000;

/// The series of a selector that were found in a store with so many series.
#[derive(Debug)]
pub(super) struct Selection {
    series: Rc<Vec<Selected>>,
    seen: usize,
    /// When the last of them came to be. Only known where any were added.
    youngest: Option<Birth>,
    /// Where in `series` a label set is. Filled where any are added.
    places: HashMap<Labels, usize>,
}

impl Selection {
    /// Adds the series that the store got since; `false` where they don't all come after those that are there.
    fn extend(&mut self, store: &Store, matchers: &[Matcher]) -> bool {
        let new = store.select_since(matchers, self.seen);
        let Some(series) = Rc::get_mut(&mut self.series) else {
            return false;
        };
        if let (Some(&first), Some(&last)) = (new.first(), new.last()) {
            let all = series.iter().flat_map(|selected| &selected.writers);
            let known = || all.map(|&id| store.birth(id)).max();
            let youngest = self.youngest.or_else(known);
            if youngest.is_some_and(|youngest| store.birth(first) < youngest) {
                return false;
            }
            self.youngest = Some(store.birth(last));
        }
        let listed = self.places.len();
        if !new.is_empty() && listed < series.len() {
            let labels = series.iter().map(|selected| selected.labels.clone());
            self.places.extend(
                labels
                    .enumerate()
                    .skip(listed)
                    .map(|(place, labels)| (labels, place)),
            );
        }
        for id in new {
            let labels = &store.get(id).labels;
            match self.places.get(labels) {
                Some(&place) => {
                    let writers = &mut series[place].writers;
                    writers.push(id);
                    writers.sort_by_key(|&id| store.get(id).writer);
                }
                None => {
                    self.places.insert(labels.clone(), series.len());
                    series.push(Selected {
                        labels: labels.clone(),
                        writers: SmallVec::from_slice(&[id]),
                    });
                }
            }
        }
        self.seen = store.len();
        true
    }
}

impl Selected {
    /// Whether no sample lies after a stamp.
    pub(super) fn ends_before(&self, store: &Store, stamp: Timestamp) -> bool {
        let last = |&id: &SeriesId| store.get(id).points.last_time();
        self.writers
            .iter()
            .filter_map(last)
            .all(|last| last <= stamp)
    }
}

impl<'a> Evaluator<'a> {
    /// The series of a selector, in the order in which they came to be. Mostly looked up once a query.
    pub(super) fn selected(&self, selector: &VectorSelector) -> Rc<Vec<Selected>> {
        let key: *const VectorSelector = selector;
        let store = self.view.store;
        let mut selections = self.selections.borrow_mut();
        if let Some(known) = selections.get_mut(&key)
            && (known.seen == store.len() || known.extend(store, &selector.matchers))
        {
            return Rc::clone(&known.series);
        }
        let series = Rc::new(self.select(&selector.matchers));
        if selections.len() < MAX_REMEMBERED || selections.contains_key(&key) {
            let found = Selection {
                series: Rc::clone(&series),
                seen: store.len(),
                youngest: None,
                places: HashMap::new(),
            };
            selections.insert(key, found);
        }
        series
    }

    /// The label sets that pass every matcher.
    pub(super) fn select(&self, matchers: &[Matcher]) -> Vec<Selected> {
        let mut found: Vec<Selected> = Vec::new();
        let mut places: HashMap<&Labels, usize> = HashMap::new();
        for id in self.view.store.select(matchers) {
            let labels = &self.view.store.get(id).labels;
            match places.get(labels) {
                Some(&place) => found[place].writers.push(id),
                None => {
                    places.insert(labels, found.len());
                    found.push(Selected {
                        labels: labels.clone(),
                        writers: SmallVec::from_slice(&[id]),
                    });
                }
            }
        }
        for selected in found
            .iter_mut()
            .filter(|selected| selected.writers.len() > 1)
        {
            selected
                .writers
                .sort_by_key(|&id| self.view.store.get(id).writer);
        }
        found
    }

    /// Whether some label set of a selector has writers that become visible at different times, so that ticks
    /// can only be evaluated one by one.
    pub(super) fn needs_single_ticks(&self, selector: &VectorSelector) -> bool {
        self.selected(selector).iter().any(|selected| {
            let mut horizons = selected
                .writers
                .iter()
                .map(|&id| self.view.horizon(self.view.store.get(id).writer));
            let first = horizons.next();
            horizons.any(|horizon| Some(horizon) != first)
        })
    }

    /// How far beyond the tick the samples of a selector are visible at least; `None` where they always are.
    pub(super) fn least_horizon(&self, selector: &VectorSelector) -> Option<Millis> {
        let selected = self.selected(selector);
        let ids = selected.iter().flat_map(|selected| selected.writers.iter());
        ids.filter_map(
            |&id| match self.view.horizon(self.view.store.get(id).writer) {
                Horizon::Moving(shift) => Some(shift),
                Horizon::Fixed(_) => None,
            },
        )
        .min()
    }

    /// What a frame may see of one label set behind a stamp that no window reaches.
    pub(super) fn visible(
        &self,
        selected: &Selected,
        frame: &Frame,
        behind: Timestamp,
    ) -> Visible<'a> {
        let limit_of = |id: SeriesId| match (
            self.view.horizon(self.view.store.get(id).writer),
            frame.query,
        ) {
            (Horizon::Fixed(stamp), _) => Limit::Fixed(stamp),
            (Horizon::Moving(_), QueryTime::Shared) => Limit::None,
            (Horizon::Moving(shift), QueryTime::Fixed(moment)) => {
                Limit::Fixed(moment.saturating_add(shift))
            }
            (Horizon::Moving(shift), QueryTime::Range(span)) => {
                Limit::Fixed(span.end.saturating_add(shift))
            }
            (Horizon::Moving(shift), QueryTime::Same) => Limit::Moving(shift),
        };
        match selected.writers.as_slice() {
            &[id] => Visible {
                points: Cow::Borrowed(&self.view.store.get(id).points),
                limit: limit_of(id),
            },
            ids => {
                let limits: SmallVec<[Limit; 4]> = ids.iter().map(|&id| limit_of(id)).collect();
                let same = limits.iter().all(|limit| *limit == limits[0]);
                // Limits differ only where a frame has a single tick: then each writer's samples are cut here.
                let cut = |limit: Limit| {
                    if same {
                        Timestamp::MAX
                    } else {
                        limit.at(frame.ticks.start)
                    }
                };
                let parts: Vec<(&Points, Timestamp)> = ids
                    .iter()
                    .zip(&limits)
                    .map(|(&id, &limit)| (&self.view.store.get(id).points, cut(limit)))
                    .collect();
                Visible {
                    points: Cow::Owned(merge(&parts, behind)),
                    limit: if same { limits[0] } else { Limit::None },
                }
            }
        }
    }

    /// Where a selector's windows end, or why not.
    pub(super) fn ends(&self, shift: &Shift, frame: &Frame) -> Result<Ends, String> {
        let offset = match &shift.offset {
            Some(offset) => frame.offset(offset)?,
            None => 0,
        };
        let moment = match (shift.at, frame.query.span()) {
            (Some(At::Time(time)), _) => time,
            (Some(At::Start), Some(span)) => span.start,
            (Some(At::End), Some(span)) => span.end,
            _ => return Ok(Ends::Before(offset)),
        };
        Ok(Ends::At(moment.saturating_sub(offset)))
    }

    /// Streams an instant selector: at each tick the newest sample within the look-back, unless it is stale. `node` is
    /// where the selector stands.
    pub(super) fn vector_selector(
        &self,
        selector: &VectorSelector,
        node: Span,
        frame: &Frame,
        take: Take,
        sink: &mut Sink<'_>,
    ) {
        let ends = match self.ends(&selector.shift, frame) {
            Ok(ends) => ends,
            Err(message) => return frame.fail_all(&message),
        };
        let is_smoothed = selector.extension == Some(Extension::Smoothed) && take == Take::Values;
        let lookback = self.view.lookback;
        let reach = Reach {
            back: lookback,
            ahead: if is_smoothed { lookback } else { 0 },
        };
        let mut cache = BoundsCache::default();
        let mut column = Column::default();
        let behind = reach.behind(ends, frame.ticks);
        for selected in self.selected(selector).iter() {
            if self.is_over() {
                return;
            }
            if selected.ends_before(self.view.store, behind) {
                continue;
            }
            let visible = self.visible(selected, frame, behind);
            let totals = self.totals_of(selector, &visible, frame, ends, reach, reach.back);
            let seen = totals
                .as_ref()
                .map_or(&*visible.points, |totals| &totals.points);
            let points = match is_smoothed {
                true => clean(seen, Samples::Any),
                false => Cow::Borrowed(seen),
            };
            let all_bounds = cache.of(&points, visible.limit, frame.ticks, ends, reach);
            let bounds = &all_bounds.of_ticks;
            column.reset(frame.count());
            match take {
                Take::Stamps => newest_times(&points, bounds, &mut column, Points::time),
                Take::Starts if !self.view.features.start_timestamps => {}
                // What is not known to have started is said to have started at 0.
                Take::Starts => newest_times(&points, bounds, &mut column, |points, index| {
                    points.starts().get(index).copied().unwrap_or(0)
                }),
                Take::Values if is_smoothed => {
                    let remarks = smoothed(&points, bounds, frame.ticks, ends, &mut column);
                    let site = Site::new(node, node, selected.labels.metric());
                    remarks.iter().for_each(|note| frame.note(&site, note));
                }
                Take::Values => {
                    newest(&points, all_bounds, &mut column);
                    if let Some(totals) = &totals {
                        totals.put_first(&visible.points, bounds, &mut column);
                    }
                }
            }
            if column.has_any() {
                sink(Row {
                    labels: selected.labels.clone(),
                    drop_name: take != Take::Values && self.view.features.delayed_name_removal,
                    column: &mut column,
                });
            }
        }
    }
}

/// The newest sample of every window, unless it is stale.
fn newest(points: &Points, bounds: &Bounds, column: &mut Column) {
    let values = points.values();
    let plain = !points.has_histograms();
    let steady = bounds.steady.as_ref();
    let steady = steady.filter(|_| plain && !points.has_stale());
    let copied = steady.map_or(0..0, |run| newest_in_step(values, run, column));
    let of_ticks = bounds.of_ticks.iter().enumerate();
    for (tick, &(first, past)) in of_ticks.filter(|(tick, _)| !copied.contains(tick)) {
        if first == past {
            continue;
        }
        let index = past as usize - 1;
        match points.histogram(index) {
            _ if plain && !is_stale(values[index]) => column.set(tick, values[index]),
            Some(histogram) => column.set_histogram(tick, histogram.clone()),
            None if is_stale(values[index]) => {}
            None => column.set(tick, values[index]),
        }
    }
}

/// The newest samples of windows that slide in step with them, copied as they lie; says at which ticks.
fn newest_in_step(values: &[f64], run: &Steady, column: &mut Column) -> Range<usize> {
    let newest = values.get(run.first + run.count - 1..).unwrap_or_default();
    let newest = newest.iter().step_by(run.stride).take(run.ticks.len());
    let to = column.floats_mut(run.ticks.clone());
    to.iter_mut()
        .zip(newest)
        .for_each(|(to, &value)| *to = value);
    run.ticks.clone()
}

/// A time of the newest sample of every window in seconds, unless it is stale.
fn newest_times(
    points: &Points,
    bounds: &[(u32, u32)],
    column: &mut Column,
    time: fn(&Points, usize) -> Timestamp,
) {
    for (tick, &(first, past)) in bounds.iter().enumerate() {
        if first == past {
            continue;
        }
        let index = past as usize - 1;
        if points.histogram(index).is_some() || !is_stale(points.values()[index]) {
            column.set(tick, time(points, index) as f64 / 1000.0);
        }
    }
}

/// The samples of several writers behind one stamp and up to another each, in the order of time; of one stamp the first
/// writer's.
fn merge(parts: &[(&Points, Timestamp)], behind: Timestamp) -> Points {
    let mut order: Vec<(Timestamp, usize, usize)> = Vec::new();
    for (part, (points, until)) in parts.iter().enumerate() {
        let indices = points.count_until(behind)..points.count_until(*until);
        order.extend(indices.map(|index| (points.time(index), part, index)));
    }
    order.sort_unstable();
    order.dedup_by_key(|entry| entry.0);
    let mut out = Points::default();
    for (time, part, index) in order {
        let points = parts[part].0;
        match points.histogram(index) {
            Some(histogram) => out.push_histogram(time, histogram.clone()),
            None => out.push(time, points.values()[index]),
        }
    }
    out
}
