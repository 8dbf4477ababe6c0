//! Series in memory, and who may see which sample when.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use hashbrown::HashMap;

use crate::model::{Histogram, Labels, METRIC_NAME, MatchOp, Matcher, Millis, Timestamp};

/// The bits of Prometheus's stale marker, a NaN that ends a series.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Prometheus's stale marker.
pub fn stale_marker() -> f64 {
    f64::from_bits(STALE_BITS)
}

/// Whether a value is the stale marker (and no ordinary NaN).
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}

/// All series in memory.
#[derive(Debug, Clone, Default)]
pub struct Store {
    series: Vec<Arc<Series>>,
    /// Metric name to series.
    by_metric: HashMap<String, Vec<SeriesId>>,
}

/// Where a series stands in its [`Store`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub u32);

/// When a series came to be: the moment, the position of its writer, its place.
pub type Birth = (Timestamp, u32, SeriesId);

/// Labels with points, all written by one writer. Two writers of one label set (a rule and an input,
/// two rules of one record name) are two entries of the store.
#[derive(Debug, Clone)]
pub struct Series {
    /// What it is called.
    pub labels: Labels,
    /// Its samples.
    pub points: Points,
    /// Who wrote it, and so from when its samples can be seen.
    pub writer: Writer,
}

/// Who wrote a series. A sample with stamp `s` came into being at moment `s + offset`, at this
/// position of the moment's order; an evaluation at that moment sees it only from a later position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Writer {
    /// Inputs are 0, the first rule of the first group is 1.
    pub position: u32,
    /// How far stamps lie before the moment of writing: the group's `query_offset`, 0 for inputs.
    pub offset: Millis,
}

impl Writer {
    /// Inputs: there before any rule of their moment.
    pub const INPUT: Writer = Writer {
        position: 0,
        offset: 0,
    };
}

/// Samples in the order of time, no stamp twice.
#[derive(Debug, Clone, Default)]
pub struct Points {
    times: Times,
    values: Vec<f64>,
    /// Empty while all samples are floats; else as long as `values`, whose entry is then ignored.
    histograms: Vec<Option<Arc<Histogram>>>,
    /// When the counter of each sample started, 0 where that is not known; empty where nothing is.
    starts: Vec<Timestamp>,
    /// Whether any value is the stale marker.
    has_stale: bool,
    /// Whether any value is below the one before.
    falls: bool,
    /// The same without stale markers, as soon as somebody asked.
    fresh: OnceLock<Box<Points>>,
    /// What came before the first sample.
    lead: Option<Lead>,
}

/// Samples before the first of a series at equal distances, which are not laid out since nobody looks at them one by one: each
/// is higher than the one before by the same amount, and so is the first sample that is laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lead {
    /// How many there are.
    pub count: usize,
    /// How much each is higher than the one before.
    pub rise: f64,
}

/// The stamps of samples.
#[derive(Debug, Clone)]
enum Times {
    /// `start + i * step`, `step` above 0.
    Regular { start: Timestamp, step: Millis },
    /// As listed, rising.
    Listed(Vec<Timestamp>),
}

impl Default for Times {
    fn default() -> Times {
        Times::Listed(Vec::new())
    }
}

impl Points {
    /// Floats at equal distances.
    pub fn regular(start: Timestamp, step: Millis, values: Vec<f64>) -> Points {
        Points::floats(Times::Regular { start, step }, values)
    }

    /// Floats at rising stamps, as many as there are stamps.
    pub fn listed(times: Vec<Timestamp>, values: Vec<f64>) -> Points {
        debug_assert_eq!(times.len(), values.len(), "a stamp each");
        Points::floats(Times::Listed(times), values)
    }

    fn floats(times: Times, values: Vec<f64>) -> Points {
        Points {
            times,
            has_stale: values
                .iter()
                .fold(false, |any, &value| any | is_stale(value)),
            falls: values
                .iter()
                .zip(values.iter().skip(1))
                .fold(false, |any, (before, value)| any | (value < before)),
            values,
            histograms: Vec::new(),
            starts: Vec::new(),
            fresh: OnceLock::new(),
            lead: None,
        }
    }

    /// The same samples, and what came before the first. Only who counts events over a whole history asks for it: windows
    /// must not reach back that far.
    pub fn with_lead(mut self, lead: Lead) -> Points {
        self.lead = (lead.count > 0).then_some(lead);
        self
    }

    /// What came before the first sample and is not laid out.
    pub fn lead(&self) -> Option<Lead> {
        self.lead
    }

    /// The same samples, and when the counter of each started, 0 where that is not known. Nothing is said where there is
    /// not one for each.
    pub fn with_starts(mut self, starts: Vec<Timestamp>) -> Points {
        self.fresh.take();
        match starts.len() == self.len() {
            true => self.starts = starts,
            false => self.starts.clear(),
        }
        self
    }

    /// When the counter of each sample started, 0 where that is not known; empty where nothing is.
    pub fn starts(&self) -> &[Timestamp] {
        &self.starts
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The stamp of a sample.
    pub fn time(&self, index: usize) -> Timestamp {
        match &self.times {
            Times::Regular { start, step } => start + index as i64 * step,
            Times::Listed(times) => times[index],
        }
    }

    /// The stamps where they lie at unequal distances; empty where there is a [`grid`](Points::grid).
    pub fn listed_times(&self) -> &[Timestamp] {
        match &self.times {
            Times::Regular { .. } => &[],
            Times::Listed(times) => times,
        }
    }

    /// The stamp of the last sample.
    pub fn last_time(&self) -> Option<Timestamp> {
        Some(self.time(self.len().checked_sub(1)?))
    }

    /// All values; those of histogram samples mean nothing.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The histogram of a sample, `None` where it is a float.
    pub fn histogram(&self, index: usize) -> Option<&Arc<Histogram>> {
        self.histograms.get(index)?.as_ref()
    }

    /// Whether any sample is a histogram.
    pub fn has_histograms(&self) -> bool {
        !self.histograms.is_empty()
    }

    /// Whether any sample is the stale marker.
    pub fn has_stale(&self) -> bool {
        self.has_stale
    }

    /// Whether any value is below the one before: where none is, no counter was reset.
    pub fn falls(&self) -> bool {
        self.falls
    }

    /// Start and step where the stamps lie at equal distances.
    pub fn grid(&self) -> Option<(Timestamp, Millis)> {
        match self.times {
            Times::Regular { start, step } => Some((start, step)),
            Times::Listed(_) => None,
        }
    }

    /// All samples but stale markers.
    pub fn fresh(&self) -> &Points {
        if !self.has_stale {
            return self;
        }
        self.fresh.get_or_init(|| {
            let is_fresh =
                |index: usize| self.histogram(index).is_some() || !is_stale(self.values[index]);
            Box::new(self.filtered(is_fresh))
        })
    }

    /// Only the samples that pass, by index.
    pub fn filtered(&self, mut keep: impl FnMut(usize) -> bool) -> Points {
        if self.histograms.is_empty() && self.starts.is_empty() {
            let (mut times, mut values) = (Vec::new(), Vec::new());
            times.reserve_exact(self.len());
            values.reserve_exact(self.len());
            for index in (0..self.len()).filter(|&index| keep(index)) {
                times.push(self.time(index));
                values.push(self.values[index]);
            }
            return Points::listed(times, values);
        }
        let mut starts = Vec::new();
        let mut out = Points::default();
        for index in (0..self.len()).filter(|&index| keep(index)) {
            match self.histogram(index) {
                Some(histogram) => out.push_histogram(self.time(index), Arc::clone(histogram)),
                None => out.push(self.time(index), self.values[index]),
            }
            if let Some(&start) = self.starts.get(index) {
                starts.push(start);
            }
        }
        out.with_starts(starts)
    }

    /// How many samples have a stamp at or before `time`.
    pub fn count_until(&self, time: Timestamp) -> usize {
        match &self.times {
            Times::Regular { start, .. } if time < *start => 0,
            Times::Regular { start, step } => {
                let index = (time.saturating_sub(*start) / *step) as u64;
                self.values.len().min(index.saturating_add(1) as usize)
            }
            Times::Listed(times) => times.partition_point(|&stamp| stamp <= time),
        }
    }

    /// Appends a float; its stamp must be after the last.
    pub fn push(&mut self, time: Timestamp, value: f64) {
        self.starts.clear();
        // Kept up, not made anew: whoever appends sample by sample may read in between.
        if let Some(fresh) = self.fresh.get_mut() {
            fresh.starts.clear();
            if !is_stale(value) {
                fresh.push(time, value);
            }
        }
        self.push_time(time);
        self.falls |= self.values.last().is_some_and(|&before| value < before);
        self.values.push(value);
        self.has_stale |= is_stale(value);
        if !self.histograms.is_empty() {
            self.histograms.push(None);
        }
    }

    /// Appends a histogram; its stamp must be after the last.
    pub fn push_histogram(&mut self, time: Timestamp, histogram: Arc<Histogram>) {
        self.starts.clear();
        if let Some(fresh) = self.fresh.get_mut() {
            fresh.push_histogram(time, Arc::clone(&histogram));
        }
        self.push_time(time);
        self.histograms.resize(self.values.len(), None);
        self.histograms.push(Some(histogram));
        self.falls |= self.values.last().is_some_and(|&before| before > 0.0);
        self.values.push(0.0);
    }

    fn push_time(&mut self, time: Timestamp) {
        if let Times::Regular { start, step } = self.times {
            let count = self.values.len();
            if time == start + count as i64 * step {
                return;
            }
            self.times = Times::Listed(
                (0..count)
                    .map(|index| start + index as i64 * step)
                    .collect(),
            );
        }
        if let Times::Listed(times) = &mut self.times {
            debug_assert!(times.last().is_none_or(|&last| last < time), "stamps rise");
            times.push(time);
        }
    }
}

impl Store {
    /// The series that pass, in the same order.
    pub fn filtered(&self, keep: impl Fn(&Series) -> bool) -> Store {
        let mut store = Store::default();
        for series in self.series.iter().filter(|series| keep(series)) {
            store.add_shared(Arc::clone(series));
        }
        store
    }

    /// Adds a series and returns its place.
    pub fn add(&mut self, series: Series) -> SeriesId {
        self.add_shared(Arc::new(series))
    }

    fn add_shared(&mut self, series: Arc<Series>) -> SeriesId {
        let id = SeriesId(self.series.len() as u32);
        let metric = series.labels.metric();
        match self.by_metric.get_mut(metric) {
            Some(ids) => ids.push(id),
            None => {
                self.by_metric.insert(metric.to_owned(), vec![id]);
            }
        }
        self.series.push(series);
        id
    }

    /// A series by its place.
    pub fn get(&self, id: SeriesId) -> &Series {
        &self.series[id.0 as usize]
    }

    /// A series by its place, to append to.
    pub fn get_mut(&mut self, id: SeriesId) -> &mut Series {
        Arc::make_mut(&mut self.series[id.0 as usize])
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// All series, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = &Series> {
        self.series.iter().map(AsRef::as_ref)
    }

    /// The series that pass every matcher, in the order in which they came to be, as Prometheus finds them: inputs
    /// as they were added, then what rules wrote, by first moment and position.
    pub fn select(&self, matchers: &[Matcher]) -> Vec<SeriesId> {
        self.select_since(matchers, 0)
    }

    /// Those of the series that pass every matcher that were added after the first so many of the store.
    pub fn select_since(&self, matchers: &[Matcher], seen: usize) -> Vec<SeriesId> {
        let metric = matchers
            .iter()
            .find(|matcher| matcher.name == METRIC_NAME && matcher.op == MatchOp::Equal);
        let seen = SeriesId(seen as u32);
        let mut found: Vec<SeriesId> = match metric {
            Some(matcher) => {
                let named = self.by_metric.get(matcher.value.as_str());
                let named = named.map_or(&[][..], Vec::as_slice);
                named[named.partition_point(|&id| id < seen)..].to_vec()
            }
            None => (seen.0..self.series.len() as u32).map(SeriesId).collect(),
        };
        found.retain(|&id| {
            matchers
                .iter()
                .all(|matcher| matcher.matches(&self.get(id).labels))
        });
        let is_rising = |pair: &[SeriesId]| self.birth(pair[0]) <= self.birth(pair[1]);
        if !found.windows(2).all(is_rising) {
            found.sort_by_key(|&id| self.birth(id));
        }
        found
    }

    /// Whether any series passes every matcher.
    pub fn any(&self, matchers: &[Matcher]) -> bool {
        let passes = |series: &Series| matchers.iter().all(|it| it.matches(&series.labels));
        let metric = matchers
            .iter()
            .find(|matcher| matcher.name == METRIC_NAME && matcher.op == MatchOp::Equal);
        match metric {
            None => self.iter().any(passes),
            Some(metric) => {
                let named = self.by_metric.get(metric.value.as_str());
                let mut named = named.into_iter().flatten();
                named.any(|&id| passes(self.get(id)))
            }
        }
    }

    /// When a series came to be, to compare. All inputs come first.
    pub fn birth(&self, id: SeriesId) -> Birth {
        let series = self.get(id);
        match series.writer.position {
            0 => (Timestamp::MIN, 0, id),
            position if series.points.is_empty() => (Timestamp::MAX, position, id),
            position => {
                let moment = series.points.time(0).saturating_add(series.writer.offset);
                (moment, position, id)
            }
        }
    }

    /// Every label set once, in order.
    pub fn label_sets(&self) -> Vec<&Labels> {
        let sets: BTreeMap<&Labels, ()> = self.iter().map(|series| (&series.labels, ())).collect();
        sets.into_keys().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_after_the_first_look_is_fresh_too() {
        let mut points = Points::regular(0, 10, vec![1.0, stale_marker()]);
        let mut seen = vec![points.fresh().len()];
        points.push(20, 2.0);
        seen.push(points.fresh().len());
        points.push(30, stale_marker());
        points.push_histogram(40, Arc::new(Histogram::default()));
        points.push(50, 3.0);
        seen.push(points.fresh().len());
        assert_eq!(seen, [1, 2, 4]);
        let again = points.filtered(|index| index != 1 && index != 3);
        let fresh = points.fresh();
        assert_eq!(fresh.listed_times(), again.listed_times());
        assert_eq!(fresh.values(), again.values());
        assert!(fresh.histogram(2).is_some() && fresh.falls() == again.falls());
    }

    #[test]
    fn series_are_found_from_any_place_on() {
        let mut store = Store::default();
        for name in ["a", "b", "a", "a"] {
            store.add(Series {
                labels: Labels::from_pairs([(METRIC_NAME, name)]),
                points: Points::default(),
                writer: Writer::INPUT,
            });
        }
        let named = [Matcher::equal(METRIC_NAME, "a")];
        let found = |matchers: &[Matcher], seen| {
            let found = store.select_since(matchers, seen);
            found.iter().map(|id| id.0).collect::<Vec<_>>()
        };
        assert_eq!(found(&named, 0), [0, 2, 3]);
        assert_eq!(found(&named, 1), [2, 3]);
        assert!(found(&named, 4).is_empty());
        assert_eq!(found(&[], 2), [2, 3]);
    }

    #[test]
    fn all_samples_lie_before_the_end_of_time() {
        let points = Points::regular(-60_000, 15_000, vec![1.0; 4]);
        for (time, count) in [
            (Timestamp::MIN, 0),
            (-60_001, 0),
            (-60_000, 1),
            (-15_001, 3),
            (-15_000, 4),
            (Timestamp::MAX, 4),
        ] {
            assert_eq!(points.count_until(time), count, "{time}");
        }
    }
}
