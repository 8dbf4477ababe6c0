//! Ticks, columns and the series that hold them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::annotation::Annotations;
use crate::model::{Histogram, Labels, Millis, Timestamp};

/// Evaluation times at equal distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticks {
    /// The first.
    pub start: Timestamp,
    /// Their distance; at least 1.
    pub step: Millis,
    /// How many there are.
    pub count: usize,
}

/// Series over ticks: the result of an evaluation.
#[derive(Debug, Clone)]
pub struct Columns {
    /// The times of the columns' entries.
    pub ticks: Ticks,
    /// Series with a sample at one tick at least.
    pub series: Vec<ColumnSeries>,
    /// Ticks at which the evaluation failed, with the first error of each; their samples mean nothing.
    pub errors: BTreeMap<usize, EvalError>,
    /// What Prometheus says of the query at any tick that did not fail.
    pub annotations: Annotations,
}

/// Labels with a column.
#[derive(Debug, Clone)]
pub struct ColumnSeries {
    /// What it is called.
    pub labels: Labels,
    /// Whether the metric name goes when the query is done (delayed name removal); never set in a result.
    pub drop_name: bool,
    /// Its samples.
    pub column: Column,
}

/// A sample or nothing for every tick.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// One value a tick; means nothing where no float is present.
    values: Vec<f64>,
    /// One bit a tick.
    present: Vec<u64>,
    /// Histograms by tick, empty while there is none.
    histograms: Vec<Option<Arc<Histogram>>>,
}

/// One sample of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sample<'a> {
    /// A float.
    Float(f64),
    /// A native histogram.
    Histogram(&'a Arc<Histogram>),
}

/// Why an evaluation failed at a tick, in Prometheus's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    /// What went wrong.
    pub message: String,
}

impl EvalError {
    /// An error with its words.
    pub fn new(message: impl Into<String>) -> EvalError {
        EvalError {
            message: message.into(),
        }
    }
}

impl Ticks {
    /// One moment.
    pub fn instant(time: Timestamp) -> Ticks {
        Ticks {
            start: time,
            step: 1,
            count: 1,
        }
    }

    /// The time of a tick.
    pub fn time(&self, tick: usize) -> Timestamp {
        self.start + tick as i64 * self.step
    }

    /// All times.
    pub fn iter(self) -> impl Iterator<Item = Timestamp> {
        (0..self.count).map(move |tick| self.time(tick))
    }
}

impl Columns {
    /// No series at all.
    pub fn new(ticks: Ticks) -> Columns {
        Columns {
            ticks,
            series: Vec::new(),
            errors: BTreeMap::new(),
            annotations: Annotations::default(),
        }
    }

    /// Records an error of a tick; the first one stays.
    pub fn fail(&mut self, tick: usize, message: impl Into<String>) {
        self.errors.entry(tick).or_insert_with(|| EvalError {
            message: message.into(),
        });
    }
}

impl Column {
    /// Nothing at any tick.
    pub fn absent(count: usize) -> Column {
        Column {
            values: vec![0.0; count],
            present: vec![0; count.div_ceil(64)],
            histograms: Vec::new(),
        }
    }

    /// Floats, present where the bits say.
    pub fn from_parts(values: Vec<f64>, present: Vec<u64>) -> Column {
        debug_assert_eq!(values.len().div_ceil(64), present.len());
        Column {
            values,
            present,
            histograms: Vec::new(),
        }
    }

    /// The same value at every tick.
    pub fn constant(count: usize, value: f64) -> Column {
        let mut column = Column::absent(count);
        column.floats_mut(0..count).fill(value);
        column
    }

    /// Nothing at any tick, in the memory that it has.
    pub fn reset(&mut self, count: usize) {
        self.values.clear();
        self.values.resize(count, 0.0);
        self.present.clear();
        self.present.resize(count.div_ceil(64), 0);
        self.histograms.clear();
    }

    /// How many ticks it spans.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether it spans no tick.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The sample at a tick.
    pub fn get(&self, tick: usize) -> Option<Sample<'_>> {
        if !self.is_present(tick) {
            return None;
        }
        match self.histograms.get(tick) {
            Some(Some(histogram)) => Some(Sample::Histogram(histogram)),
            _ => Some(Sample::Float(self.values[tick])),
        }
    }

    /// Whether there is a sample at a tick.
    pub fn is_present(&self, tick: usize) -> bool {
        self.present[tick / 64] >> (tick % 64) & 1 == 1
    }

    /// Whether there is a sample at any tick.
    pub fn has_any(&self) -> bool {
        self.present.iter().any(|&word| word != 0)
    }

    /// Whether any sample is a float.
    pub fn has_floats(&self) -> bool {
        let is_float = |tick| !matches!(self.histograms.get(tick), Some(Some(_)));
        match self.has_histograms() {
            true => self.present_ticks().any(is_float),
            false => self.has_any(),
        }
    }

    /// Whether any sample is a histogram.
    pub fn has_histograms(&self) -> bool {
        !self.histograms.is_empty()
    }

    /// The values of all ticks; those of ticks without a float mean nothing.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The values of all ticks, without copying them.
    pub fn into_values(self) -> Vec<f64> {
        self.values
    }

    /// One bit a tick, 64 a word, for where there is a sample.
    pub fn presence(&self) -> &[u64] {
        &self.present
    }

    /// How many ticks have a sample.
    pub fn count_present(&self) -> usize {
        self.present
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// The ticks with a sample, in order.
    pub fn present_ticks(&self) -> impl Iterator<Item = usize> {
        self.present.iter().enumerate().flat_map(|(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros() as usize;
                rest &= rest.wrapping_sub(1);
                (bit < 64).then_some(index * 64 + bit)
            })
        })
    }

    /// The ticks with a histogram, in order.
    pub fn histogram_ticks(&self) -> impl Iterator<Item = usize> {
        let is_histogram = |&tick: &usize| matches!(self.get(tick), Some(Sample::Histogram(_)));
        (0..self.histograms.len()).filter(is_histogram)
    }

    /// Sets a float.
    #[inline]
    pub fn set(&mut self, tick: usize, value: f64) {
        self.values[tick] = value;
        self.present[tick / 64] |= 1 << (tick % 64);
        if let Some(histogram) = self.histograms.get_mut(tick) {
            *histogram = None;
        }
    }

    /// Sets floats at ticks in a row: what is there is to be overwritten.
    pub fn floats_mut(&mut self, ticks: Range<usize>) -> &mut [f64] {
        for word in ticks.start / 64..ticks.end.div_ceil(64) {
            let from = ticks.start.saturating_sub(word * 64);
            let past = ticks.end - word * 64;
            let below = |bit: usize| match bit {
                64.. => u64::MAX,
                _ => (1 << bit) - 1,
            };
            self.present[word] |= below(past) & !below(from);
        }
        for histogram in self.histograms.get_mut(ticks.clone()).into_iter().flatten() {
            *histogram = None;
        }
        &mut self.values[ticks]
    }

    /// Sets a histogram.
    pub fn set_histogram(&mut self, tick: usize, histogram: Arc<Histogram>) {
        if self.histograms.is_empty() {
            self.histograms = vec![None; self.values.len()];
        }
        self.histograms[tick] = Some(histogram);
        self.present[tick / 64] |= 1 << (tick % 64);
    }

    /// Sets a sample.
    pub fn put(&mut self, tick: usize, sample: Sample<'_>) {
        match sample {
            Sample::Float(value) => self.set(tick, value),
            Sample::Histogram(histogram) => self.set_histogram(tick, Arc::clone(histogram)),
        }
    }

    /// Keeps the samples at the ticks of a bit set.
    pub fn retain(&mut self, keep: impl Fn(usize) -> u64) {
        for (index, word) in self.present.iter_mut().enumerate() {
            *word &= keep(index);
        }
    }

    /// Replaces every float; histograms go where `keep_histograms` is not set.
    pub fn map_floats(&mut self, keep_histograms: bool, map: impl Fn(f64) -> f64) {
        if !keep_histograms {
            self.drop_histograms();
        }
        for value in &mut self.values {
            *value = map(*value);
        }
    }

    /// Changes the sign of every sample.
    pub fn negate(&mut self) {
        self.map_floats(true, |value| -value);
        for histogram in self.histograms.iter_mut().flatten() {
            Arc::make_mut(histogram).mul(-1.0);
        }
    }

    /// Removes every histogram.
    pub fn drop_histograms(&mut self) {
        for tick in 0..self.histograms.len() {
            if self.histograms[tick].is_some() {
                self.clear(tick);
            }
        }
        self.histograms.clear();
    }

    /// Values and presence to write at once.
    pub fn parts_mut(&mut self) -> (&mut [f64], &mut [u64]) {
        (&mut self.values, &mut self.present)
    }

    /// Removes the sample at a tick.
    pub fn clear(&mut self, tick: usize) {
        self.present[tick / 64] &= !(1 << (tick % 64));
        if let Some(histogram) = self.histograms.get_mut(tick) {
            *histogram = None;
        }
    }
}
