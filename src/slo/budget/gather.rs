//! Counts the events of an objective in the series of a store.

use super::counts::{Amounts, Bin, Bins, Counts, Grid};
use super::unmatched;
use crate::model::{Histogram, Labels, METRIC_NAME, Matcher, Millis, Timestamp, metric_of};
use crate::promql::selectors::selectors;
use crate::promql::{Column, Evaluated, Query, Sample, View, evaluate_range};
use crate::slo::counters::{Counters, counters, selector};
use crate::slo::objective::{Indicator, Measure, MeasureKind, Method, Quality, Slo};
use crate::store::{Points, Series};
use crate::text::Diagnostic;

/// What was counted.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// Counts by the labels that the objective is grouped by, in their order; at least one.
    pub groups: Vec<(Labels, Counts)>,
    /// Whether events are raw increases of counters or samples, not what some query estimates.
    pub is_exact: bool,
    /// Whether the bad events are of no series at all: perhaps there were none, perhaps a name is wrong.
    pub bad_is_unmatched: bool,
}

/// Over this window and at this distance windowed queries are evaluated that can't be counted, as Sloth does it.
const WINDOW: Millis = 300_000;

/// More ticks than these are not counted one by one.
const MAX_TICKS: i64 = 4_000_000;

/// Counts good and bad events up to the last sample at or before a moment: one pass over each series.
///
/// Counters are counted by their raw increases: what a counter rises between two samples happened at the later one, and
/// a counter that falls was reset and counts from 0. The first sample of a series tells of nothing, unless it says that
/// its counter started after the history did.
///
/// # Errors
/// No series, an expression that fails, a bucket that is not there; at the place of the objective.
pub fn gather(slo: &Slo, view: &View<'_>, until: Timestamp) -> Result<Gathered, Vec<Diagnostic>> {
    let mut gatherer = Gatherer::new(slo, view, until)?;
    let (bad, total, is_exact) = gatherer.events().map_err(|fault| vec![*fault])?;
    let (grid, (first, last)) = (gatherer.grid, gatherer.extent);
    // A sample that counts itself tells of the time before it.
    let from = match &slo.indicator {
        Indicator::Events { .. } | Indicator::Latency { .. } => first,
        _ => grid.start,
    };
    let extent = (from.saturating_sub(gatherer.lead), last);
    let bad = bad.into_groups();
    let mut groups = Vec::new();
    for (labels, total) in total.into_groups() {
        let some = bad.iter().find(|(other, _)| *other == labels);
        let some = some.map_or_else(Amounts::default, |(_, bad)| bad.clone());
        let bad = match gatherer.counts_good {
            true => total.without(&some),
            false => some,
        };
        let before = (bad.before, total.before);
        let counts = Counts::of_events(grid, extent, bad.of_ticks, total.of_ticks);
        groups.push((labels, counts.with_lead(before.0, before.1)));
    }
    if groups.is_empty() {
        let none = vec![0.0; grid.count + 1];
        let counts = Counts::of_events(grid, extent, none.clone(), none);
        groups.push((Labels::empty(), counts));
    }
    Ok(Gathered {
        groups,
        is_exact,
        bad_is_unmatched: gatherer.bad_is_unmatched,
    })
}

/// A fault is rare, and large.
type Fault = Box<Diagnostic>;

struct Gatherer<'g> {
    slo: &'g Slo,
    view: &'g View<'g>,
    grid: Grid,
    /// From the first sample that is laid out to the last.
    extent: (Timestamp, Timestamp),
    /// How long the history was before that.
    lead: Millis,
    /// Whether what is counted as some of the events are the good ones.
    counts_good: bool,
    bad_is_unmatched: bool,
}

impl<'g> Gatherer<'g> {
    fn new(
        slo: &'g Slo,
        view: &'g View<'g>,
        until: Timestamp,
    ) -> Result<Gatherer<'g>, Vec<Diagnostic>> {
        let mut spacing: Option<Millis> = None;
        let mut extent: Option<(Timestamp, Timestamp)> = None;
        let mut lead = 0;
        let mut distances = Distances::default();
        for query in slo.indicator.measures().map(|measure| &measure.query) {
            for used in selectors(&query.expr, view.lookback) {
                for id in view.store.select(&used.selector.matchers) {
                    let points = &view.store.get(id).points;
                    let count = points.count_until(until);
                    let Some(last) = count.checked_sub(1) else {
                        continue;
                    };
                    let (first, last) = (points.time(0), points.time(last));
                    lead = lead.max(lead_of(points));
                    distances.add(points, count);
                    let (from, to) = extent.unwrap_or((first, last));
                    extent = Some((from.min(first), to.max(last)));
                    if count > 1 {
                        let mean = (last - first) / (count as i64 - 1);
                        spacing = Some(spacing.map_or(mean, |it| it.min(mean)));
                    }
                }
            }
        }
        let Some(extent) = extent else {
            let fault = Diagnostic::error(format!("{} reads no series", slo.name));
            let fault = fault.at(&slo.place.source, slo.place.span);
            let mut measures = slo.indicator.measures();
            let lacking = measures.find_map(|measure| unmatched::first(measure, view));
            return Err(vec![match lacking {
                Some(lacking) => fault.help(format!("{}: {}", lacking.message, lacking.help)),
                None => {
                    fault.help("its queries match nothing in the data: compare names and labels")
                }
            }]);
        };
        let exact = match counts_samples(slo) {
            true => exact_grid(slo, &distances, extent, lead),
            false => None,
        };
        let spacing = spacing.unwrap_or(60_000);
        let grid = match exact {
            Some(grid) => grid,
            None => grid(slo, extent, lead, spacing).map_err(|fault| vec![fault])?,
        };
        Ok(Gatherer {
            slo,
            view,
            grid,
            extent,
            lead,
            counts_good: false,
            bad_is_unmatched: false,
        })
    }

    /// Some of the events, all of them, and whether they are exact.
    fn events(&mut self) -> Result<(Bins, Bins, bool), Fault> {
        let slo = self.slo;
        let (mut some, mut total) = (self.bins(), self.bins());
        let is_exact = match &slo.indicator {
            Indicator::Events {
                quality,
                some: part,
                total: all,
            } => {
                self.counts_good = *quality == Quality::Good;
                if !self.is_matched(all) || (self.counts_good && !self.is_matched(part)) {
                    let measure = if self.is_matched(all) { part } else { all };
                    let Some(lacking) = unmatched::first(measure, self.view) else {
                        let message = "this matches no series in the data".to_owned();
                        return Err(self.fault(measure, message, "compare names and labels"));
                    };
                    return Err(self.fault(measure, lacking.message, &lacking.help));
                }
                self.bad_is_unmatched = !self.is_matched(part);
                self.both((part, &mut some), (all, &mut total))?
            }
            Indicator::Latency { histogram, within } => {
                self.counts_good = true;
                self.latency(histogram, *within, &mut some, &mut total)?;
                true
            }
            Indicator::Threshold { value, op, bound } => {
                self.counts_good = true;
                let is_good = |value| op.holds(value, *bound);
                self.samples(value, &mut total, |_| 1.0)?;
                self.samples(value, &mut some, |value| f64::from(is_good(value)))?
            }
            Indicator::Boolean { value } => {
                self.counts_good = true;
                self.samples(value, &mut total, |_| 1.0)?;
                self.samples(value, &mut some, |value| f64::from(value != 0.0))?
            }
            Indicator::Ratio { quality, share } => {
                self.counts_good = *quality == Quality::Good;
                self.shares(share, &mut some, &mut total)?;
                false
            }
        };
        Ok((some, total, is_exact))
    }

    /// Whether any series of the store is read.
    fn is_matched(&self, measure: &Measure) -> bool {
        let used = selectors(&measure.query.expr, self.view.lookback);
        let mut matched = used.iter();
        used.is_empty() || matched.any(|it| self.view.store.any(&it.selector.matchers))
    }

    fn bins(&self) -> Bins {
        Bins::new(self.grid, &self.slo.grouping)
    }

    /// Two measures by the same means: what a query estimates is not set against raw counts.
    fn both(
        &self,
        (some, some_bins): (&Measure, &mut Bins),
        (total, total_bins): (&Measure, &mut Bins),
    ) -> Result<bool, Fault> {
        let slo = self.slo;
        let Indicator::Events {
            some: part,
            total: all,
            ..
        } = &slo.indicator
        else {
            return Ok(false);
        };
        if let (Some(part), Some(all)) = (raw(part), raw(all)) {
            self.increases(&part, some_bins);
            self.increases(&all, total_bins);
            return Ok(true);
        }
        self.estimates(some, some_bins)?;
        self.estimates(total, total_bins)?;
        Ok(false)
    }

    /// Raw increases of counters.
    fn increases(&self, found: &[Counters<'_>], bins: &mut Bins) {
        for counters in found {
            let sign = if counters.negative { -1.0 } else { 1.0 };
            for id in self.view.store.select(counters.matchers) {
                let Series { labels, points, .. } = self.view.store.get(id);
                let mut bin = bins.of(labels);
                increases(points, self.extent, sign, &mut bin);
            }
        }
    }

    /// What a query says happened, tick by tick.
    fn estimates(&self, measure: &Measure, bins: &mut Bins) -> Result<(), Fault> {
        match measure.kind {
            MeasureKind::Windowed => {
                let window = self.window();
                let query = self.over(measure, window)?;
                self.each_value(&query, measure, window, |labels, time, value| {
                    bins.of(labels).add(time, value);
                })
            }
            MeasureKind::Values => {
                let step = self.grid.step;
                self.each_value(&measure.query, measure, step, |labels, time, value| {
                    bins.of(labels).add(time, value);
                })
            }
            MeasureKind::Counter => {
                let mut before: hashbrown::HashMap<Labels, f64> = hashbrown::HashMap::new();
                let step = self.grid.step;
                self.each_value(&measure.query, measure, step, |labels, time, value| {
                    if let Some(before) = before.insert(labels.clone(), value) {
                        bins.of(labels).add(time, risen(before, value));
                    }
                })
            }
        }
    }

    /// Every sample, as what it counts for. Says whether they are those of series rather than of ticks.
    fn samples(
        &self,
        measure: &Measure,
        bins: &mut Bins,
        amount: impl Fn(f64) -> f64,
    ) -> Result<bool, Fault> {
        let Some(matchers) = selector(&measure.query.expr) else {
            let step = self.grid.step;
            self.each_value(&measure.query, measure, step, |labels, time, value| {
                if !value.is_nan() {
                    bins.of(labels).add(time, amount(value));
                }
            })?;
            return Ok(false);
        };
        for id in self.view.store.select(matchers) {
            let Series { labels, points, .. } = self.view.store.get(id);
            let mut bin = bins.of(labels);
            let first = points.values().first().filter(|first| !first.is_nan());
            if let (Some(_), Some((_, step)), Some(&first)) = (points.lead(), points.grid(), first)
            {
                bin.add_before(amount(first), step);
            }
            let points = points.fresh();
            for index in 0..points.count_until(self.extent.1) {
                let value = points.values().get(index).copied().unwrap_or(f64::NAN);
                if !value.is_nan() && points.histogram(index).is_none() {
                    bin.add(points.time(index), amount(value));
                }
            }
        }
        Ok(true)
    }

    /// A share of each moment: one event that is so much bad or good.
    fn shares(&self, share: &Measure, some: &mut Bins, total: &mut Bins) -> Result<(), Fault> {
        let (query, step) = match share.kind {
            MeasureKind::Windowed => (self.over(share, self.window())?, self.window()),
            _ => (share.query.clone(), self.grid.step),
        };
        let mut last = None;
        let mut doubled = None;
        let is_grouped = !self.slo.grouping.is_empty();
        self.each_value(&query, share, step, |labels, time, value| {
            if value.is_nan() {
                return;
            }
            if !is_grouped && *last.get_or_insert_with(|| labels.clone()) != *labels {
                doubled.get_or_insert_with(|| labels.clone());
            }
            some.of(labels).add(time, value);
            total.of(labels).add(time, 1.0);
        })?;
        match (last, doubled) {
            (Some(first), Some(second)) => Err(self.fault(
                share,
                format!("a ratio is one series, this yields {first} and {second}"),
                "aggregate both sides of the division, as in `sum(…) / sum(…)`",
            )),
            _ => Ok(()),
        }
    }

    /// Observations of a histogram within a limit, and all.
    fn latency(
        &self,
        histogram: &Measure,
        within: f64,
        good: &mut Bins,
        total: &mut Bins,
    ) -> Result<(), Fault> {
        let Some(matchers) = selector(&histogram.query.expr) else {
            let message = "the histogram of a latency is no plain selector";
            let help = "name series such as `request_duration_seconds_bucket{job=\"x\"}`, or a native histogram";
            return Err(self.fault(histogram, message.to_owned(), help));
        };
        match metric_of(matchers).is_some_and(|name| name.ends_with("_bucket")) {
            true => self.classic(histogram, matchers, within, good, total),
            false => self.native(histogram, matchers, within, good, total),
        }
    }

    fn classic(
        &self,
        histogram: &Measure,
        matchers: &[Matcher],
        within: f64,
        good: &mut Bins,
        total: &mut Bins,
    ) -> Result<(), Fault> {
        let mut bounds: Vec<f64> = Vec::new();
        for id in self.view.store.select(matchers) {
            let Series { labels, points, .. } = self.view.store.get(id);
            let Ok(bound) = labels.value("le").parse::<f64>() else {
                continue;
            };
            bounds.push(bound);
            let key = labels.filtered(|name| name != "le" && name != METRIC_NAME);
            for (wanted, bins) in [(within, &mut *good), (f64::INFINITY, &mut *total)] {
                if bound == wanted {
                    let mut bin = bins.of(&key);
                    increases(points, self.extent, 1.0, &mut bin);
                }
            }
        }
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        let lacks = [within, f64::INFINITY]
            .into_iter()
            .find(|it| !bounds.contains(it));
        match lacks {
            None => Ok(()),
            Some(lacking) => {
                let name = crate::model::number::format_value;
                let listed: Vec<String> = bounds.iter().map(|&it| name(it)).collect();
                Err(self.fault(
                    histogram,
                    format!("there is no bucket le={:?}", name(lacking)),
                    match listed.is_empty() {
                        true => "the selector matches no bucket in the data".to_owned(),
                        false => format!("take a limit that is a bucket: {}", listed.join(", ")),
                    }
                    .as_str(),
                ))
            }
        }
    }

    fn native(
        &self,
        histogram: &Measure,
        matchers: &[Matcher],
        within: f64,
        good: &mut Bins,
        total: &mut Bins,
    ) -> Result<(), Fault> {
        let mut found = false;
        for id in self.view.store.select(matchers) {
            let Series { labels, points, .. } = self.view.store.get(id);
            let points = points.fresh();
            let (mut good, mut total) = (good.of(labels), total.of(labels));
            let mut before: Option<(&Histogram, f64)> = None;
            for index in 0..points.count_until(self.extent.1) {
                let Some(now) = points.histogram(index) else {
                    continue;
                };
                found = true;
                let share = now.fraction(f64::NEG_INFINITY, within).value;
                let fast = if share.is_nan() {
                    0.0
                } else {
                    share * now.count
                };
                if let Some((last, fast_before)) = before {
                    let is_reset = now.detect_reset(last);
                    let start = |value: f64| if is_reset { 0.0 } else { value };
                    let all = now.count - start(last.count);
                    let some = (fast - start(fast_before)).clamp(0.0, all.max(0.0));
                    total.add(points.time(index), all);
                    good.add(points.time(index), some);
                }
                before = Some((now, fast));
            }
        }
        match found {
            true => Ok(()),
            false => Err(self.fault(
                histogram,
                "there is no native histogram of this name".to_owned(),
                "name the buckets of a classic one: `…_bucket`",
            )),
        }
    }

    /// The window of windowed queries that are evaluated, and their distance.
    fn window(&self) -> Millis {
        match self.slo.method {
            Method::TimeSlices { slice, .. } | Method::RatioTimeSlices { slice, .. } => slice,
            Method::Occurrences => WINDOW,
        }
    }

    fn over(&self, measure: &Measure, window: Millis) -> Result<Query, Fault> {
        let query = measure.over(window, &self.view.features);
        query.map_err(|errors| {
            let message = errors
                .first()
                .map_or_else(String::new, |it| it.message.clone());
            self.fault(measure, message, "correct the query")
        })
    }

    /// Evaluates a query at multiples of a step within the history.
    fn each_value(
        &self,
        query: &Query,
        measure: &Measure,
        step: Millis,
        mut each: impl FnMut(&Labels, Timestamp, f64),
    ) -> Result<(), Fault> {
        let first = self.extent.0.div_euclid(step) * step;
        let start = if first < self.extent.0 {
            first + step
        } else {
            first
        };
        let end = self.extent.1;
        if start > end {
            return Ok(());
        }
        let columns = match evaluate_range(query, self.view, start, end, step) {
            Evaluated::Vector(columns) | Evaluated::Scalar(columns) => columns,
            Evaluated::String(_) => return Ok(()),
        };
        if let Some(error) = columns.errors.values().next() {
            return Err(self.fault(measure, error.message.clone(), "correct the query"));
        }
        // Ticks in order, and of each the series in the order of labels.
        let ticks = columns.ticks;
        let value = |column: &Column, tick| match column.get(tick) {
            Some(Sample::Float(value)) => Some(value),
            _ => None,
        };
        for series in &columns.series {
            for tick in 0..ticks.count {
                if let Some(value) = value(&series.column, tick) {
                    each(&series.labels, ticks.time(tick), value);
                }
            }
        }
        Ok(())
    }

    fn fault(&self, measure: &Measure, message: String, help: &str) -> Fault {
        let message = format!("{}: {message}", self.slo.name);
        let fault = Diagnostic::error(message).at(measure.text.source(), measure.text.whole());
        Box::new(fault.help(help))
    }
}

/// The counters that a measure counts: none where its values are to be taken as they come.
fn raw(measure: &Measure) -> Option<Vec<Counters<'_>>> {
    let found = counters(&measure.query.expr)?;
    let is_counted = match measure.kind {
        MeasureKind::Counter | MeasureKind::Windowed => true,
        // `sum(rate(m[5m]))` says how fast counters rise; plain series are numbers of events.
        MeasureKind::Values => found.iter().all(|it| it.is_over_window),
    };
    is_counted.then_some(found)
}

/// Whether what is counted are samples of series, not what a query yields at moments of its own.
pub fn counts_samples(slo: &Slo) -> bool {
    match &slo.indicator {
        Indicator::Events { some, total, .. } => raw(some).is_some() && raw(total).is_some(),
        Indicator::Latency { histogram, .. } => selector(&histogram.query.expr).is_some(),
        Indicator::Threshold { value, .. } | Indicator::Boolean { value } => {
            selector(&value.query.expr).is_some()
        }
        Indicator::Ratio { .. } => false,
    }
}

/// The distances between all samples: their greatest common divisor, and one of them.
#[derive(Debug, Default)]
struct Distances {
    common: Millis,
    any: Option<Timestamp>,
}

impl Distances {
    /// Samples of one series more, the first so many.
    fn add(&mut self, points: &Points, count: usize) {
        let mut add = |time: Timestamp| {
            let from = *self.any.get_or_insert(time);
            self.common = divisor(self.common, time.saturating_sub(from));
        };
        match points.grid() {
            Some((start, step)) => {
                add(start);
                if count > 1 || points.lead().is_some() {
                    add(start.saturating_add(step));
                }
            }
            None => (0..count).for_each(|index| add(points.time(index))),
        }
    }
}

/// The greatest common divisor; that of 0 and another number is the other.
fn divisor(a: Millis, b: Millis) -> Millis {
    let (mut a, mut b) = (a.saturating_abs(), b.saturating_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// More ticks than these are not counted one by one where there may be many groups.
const MAX_GROUP_TICKS: i64 = 200_000;

/// A grid on which every sample lies, so that nothing is counted later than it was seen; `None` where it would be too fine.
fn exact_grid(
    slo: &Slo,
    distances: &Distances,
    (from, to): (Timestamp, Timestamp),
    lead: Millis,
) -> Option<Grid> {
    let step = distances.common;
    if step <= 0 {
        return None;
    }
    let slice = match slo.method {
        Method::TimeSlices { slice, .. } | Method::RatioTimeSlices { slice, .. } => slice,
        Method::Occurrences => Millis::MAX,
    };
    let length = to.saturating_sub(from);
    let most = match slo.grouping.is_empty() {
        true => MAX_TICKS,
        false => MAX_GROUP_TICKS,
    };
    if length / step >= most || length.saturating_add(lead) / slice >= MAX_TICKS {
        return None;
    }
    Some(Grid {
        start: from.saturating_sub(step),
        step,
        count: usize::try_from(length / step + 1).ok()?,
    })
}

/// What a counter rises by from one sample to the next; one that falls was reset, and counts from 0.
fn risen(before: f64, now: f64) -> f64 {
    match now < before {
        true => now,
        false => now - before,
    }
}

/// How long a series was before its samples that are laid out.
fn lead_of(points: &Points) -> Millis {
    match (points.lead(), points.grid()) {
        (Some(lead), Some((_, step))) => step.saturating_mul(lead.count as Millis),
        _ => 0,
    }
}

/// Counts the raw increases of a counter when they were seen, so many times.
fn increases(points: &Points, (from, to): (Timestamp, Timestamp), weight: f64, bin: &mut Bin<'_>) {
    if let (Some(lead), Some((start, step))) = (points.lead(), points.grid()) {
        bin.add_before(weight * lead.rise, step);
        bin.add(start, weight * lead.rise);
    }
    let mut each = |time, amount: f64| bin.add(time, weight * amount);
    let points = points.fresh();
    let starts = points.starts();
    let mut before: Option<(Timestamp, f64)> = None;
    for (index, &value) in points
        .values()
        .iter()
        .take(points.count_until(to))
        .enumerate()
    {
        if value.is_nan() || points.histogram(index).is_some() {
            continue;
        }
        let time = points.time(index);
        let start = starts.get(index).copied().filter(|&start| start != 0);
        match before {
            Some((last, value_before)) => {
                let is_new = start.is_some_and(|start| start > last);
                each(
                    time,
                    if is_new {
                        value
                    } else {
                        risen(value_before, value)
                    },
                );
            }
            None if start.is_some_and(|start| start >= from && start < time) => each(time, value),
            None => {}
        }
        before = Some((time, value));
    }
}

/// Lengths of time that clocks have marks for.
const STEPS: [Millis; 11] = [
    1, 10, 100, 1_000, 5_000, 10_000, 15_000, 30_000, 60_000, 300_000, 3_600_000,
];

/// A grid that no event falls through: as fine as samples lie, so that slices of time are made of whole steps.
fn grid(
    slo: &Slo,
    (from, to): (Timestamp, Timestamp),
    lead: Millis,
    spacing: Millis,
) -> Result<Grid, Diagnostic> {
    let slice = match slo.method {
        Method::TimeSlices { slice, .. } | Method::RatioTimeSlices { slice, .. } => Some(slice),
        Method::Occurrences => None,
    };
    let length = to.saturating_sub(from);
    // Slices are made of what came before the samples as well.
    let whole = length.saturating_add(lead);
    let fits_slice = |it: Millis, step: &Millis| it % step == 0 && whole / it.max(1) < MAX_TICKS;
    let fits = |step: &Millis| {
        length / step < MAX_TICKS && slice.is_none_or(|slice| fits_slice(slice, step))
    };
    let fine = STEPS
        .iter()
        .rev()
        .find(|step| **step <= spacing && fits(step));
    let coarse = STEPS.iter().find(|step| fits(step));
    let step = match fine.or(coarse) {
        Some(step) => *step,
        None => {
            let fault = Diagnostic::error(format!(
                "{}: its series reach over {} years, too long for slices of time this short",
                slo.name,
                whole / (365 * 86_400_000)
            ));
            let fault = fault.at(&slo.place.source, slo.place.span);
            let help = "look for a sample with a wrong time, or a warm-up that is too long";
            return Err(fault.help(help));
        }
    };
    let start = (from - 1).div_euclid(step) * step;
    let count = (to - start + step - 1).div_euclid(step);
    Ok(Grid {
        start,
        step,
        count: usize::try_from(count).unwrap_or(0),
    })
}

impl Indicator {
    /// Its queries.
    pub fn measures(&self) -> impl Iterator<Item = &Measure> {
        let (first, second) = match self {
            Indicator::Events { some, total, .. } => (some, Some(total)),
            Indicator::Latency { histogram, .. } => (histogram, None),
            Indicator::Ratio { share: value, .. }
            | Indicator::Threshold { value, .. }
            | Indicator::Boolean { value } => (value, None),
        };
        std::iter::once(first).chain(second).map(AsRef::as_ref)
    }
}
