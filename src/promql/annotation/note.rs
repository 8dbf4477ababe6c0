//! What can be noted of a query, in Prometheus's words.

use crate::model::number::{format_general, quote};
use crate::promql::ast::BinaryOp;
use crate::text::Severity;

/// What can be noted. A place says of which metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Note<'n> {
    /// The ratio of `limit_ratio`, and what is taken instead.
    InvalidRatio(f64, f64),
    /// A quantile that is not between 0 and 1.
    InvalidQuantile(f64),
    /// The `le` of a series that is taken for a bucket.
    BadBucketLabel(&'n str),
    /// Floats and histograms in one window.
    MixedSamples,
    /// Floats and histograms in one group.
    MixedSamplesInAggregation,
    /// A classic and a native histogram of the same labels.
    MixedHistograms,
    /// A function of counters was given gauge histograms.
    NotCounter,
    /// A function of gauges was given counter histograms.
    NotGauge,
    /// Exponential and custom buckets can't be brought together.
    MixedBuckets,
    /// The same in an operator.
    MixedBucketsInOperator(BinaryOp),
    /// A range query comes in the order of labels.
    SortInRange,
    /// A function of counters was given a metric that is not called like one.
    PossibleNonCounter,
    /// A function of counters was given a metric of another `__type__`.
    PossibleNonCounterType(&'n str),
    /// The operator is not defined for what stands left and right.
    IncompatibleTypes(BinaryOp, &'static str, &'static str),
    /// An aggregation of floats alone.
    HistogramIgnoredInAggregation(&'static str),
    /// A function of floats alone.
    HistogramsIgnoredInRange,
    /// The quantile is an observation of NaN.
    NanResult,
    /// The quantile is too high, for observations of NaN.
    NanSkew,
    /// Observations of NaN are in no fraction.
    NanExcluded,
    /// One histogram was reset, another was not.
    ResetCollision(Operation),
    /// Custom buckets of different bounds were brought together.
    ReconciledBounds(Operation),
}

/// What there is to say of one series or group, each once however many ticks it is said of.
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    notes: Vec<Note<'static>>,
}

/// What is done with two histograms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `+`, and what functions add.
    Addition,
    /// `-`, and what functions take away.
    Subtraction,
    /// Sums and means.
    Aggregation,
}

impl Remarks {
    /// Adds a note, unless it is there.
    pub fn add(&mut self, note: Note<'static>) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Adds a note where something is so.
    pub fn add_if(&mut self, is_so: bool, note: Note<'static>) {
        if is_so {
            self.add(note);
        }
    }

    /// Takes over those of another.
    pub fn join(&mut self, other: Remarks) {
        other.notes.into_iter().for_each(|note| self.add(note));
    }

    /// Each once.
    pub fn iter(&self) -> impl Iterator<Item = Note<'static>> {
        self.notes.iter().copied()
    }
}

impl Note<'_> {
    /// Warning or info.
    pub(super) fn severity(self) -> Severity {
        match self {
            Note::InvalidRatio(..)
            | Note::InvalidQuantile(_)
            | Note::BadBucketLabel(_)
            | Note::MixedSamples
            | Note::MixedSamplesInAggregation
            | Note::MixedHistograms
            | Note::NotCounter
            | Note::NotGauge
            | Note::MixedBuckets
            | Note::MixedBucketsInOperator(_)
            | Note::SortInRange
            | Note::ResetCollision(_) => Severity::Warning,
            Note::PossibleNonCounter
            | Note::PossibleNonCounterType(_)
            | Note::IncompatibleTypes(..)
            | Note::HistogramIgnoredInAggregation(_)
            | Note::HistogramsIgnoredInRange
            | Note::NanResult
            | Note::NanSkew
            | Note::NanExcluded
            | Note::ReconciledBounds(_) => Severity::Info,
        }
    }

    /// What it says of a metric.
    pub(super) fn message(self, metric: &str) -> String {
        let of_metric = |text: &str| format!("{text} {}", quote(metric));
        match self {
            Note::InvalidRatio(ratio, taken) => format!(
                "ratio value should be between -1 and 1, got {}, capping to {}",
                format_general(ratio),
                format_general(taken)
            ),
            Note::InvalidQuantile(quantile) => format!(
                "quantile value should be between 0 and 1, got {}",
                format_general(quantile)
            ),
            Note::BadBucketLabel(value) => with_metric(
                format!(
                    "bucket label \"le\" is missing or has a malformed value of {}",
                    quote(value)
                ),
                metric,
            ),
            Note::MixedSamples => {
                of_metric("encountered a mix of histograms and floats for metric name")
            }
            Note::MixedSamplesInAggregation => {
                "encountered a mix of histograms and floats for aggregation".to_owned()
            }
            Note::MixedHistograms => with_metric(
                "vector contains a mix of classic and native histograms".to_owned(),
                metric,
            ),
            Note::NotCounter => of_metric("this native histogram metric is not a counter:"),
            Note::NotGauge => of_metric("this native histogram metric is not a gauge:"),
            Note::MixedBuckets => of_metric(
                "vector contains a mix of histograms with exponential and custom buckets schemas for metric name",
            ),
            Note::MixedBucketsInOperator(op) => format!(
                "incompatible bucket layout encountered for binary operator {}",
                op.symbol()
            ),
            Note::SortInRange => {
                "sort is ineffective for range queries since results are always ordered by labels"
                    .to_owned()
            }
            Note::PossibleNonCounter => of_metric(
                "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:",
            ),
            Note::PossibleNonCounterType(found) => of_metric(&format!(
                "metric might not be a counter, __type__ label is not set to \"counter\" or \"histogram\", got {}:",
                quote(found)
            )),
            Note::IncompatibleTypes(op, left, right) => {
                let op = op.symbol();
                format!(
                    "incompatible sample types encountered for binary operator {op:?}: {left} {op} {right}"
                )
            }
            Note::HistogramIgnoredInAggregation(name) => {
                format!("ignored histogram in {name} aggregation")
            }
            Note::HistogramsIgnoredInRange => of_metric(
                "ignored histograms in a range containing both floats and histograms for metric name",
            ),
            Note::NanResult => with_metric(
                "input to histogram_quantile has NaN observations, result is NaN".to_owned(),
                metric,
            ),
            Note::NanSkew => with_metric(
                "input to histogram_quantile has NaN observations, result is skewed higher"
                    .to_owned(),
                metric,
            ),
            Note::NanExcluded => with_metric(
                "input to histogram_fraction has NaN observations, which are excluded from all fractions".to_owned(),
                metric,
            ),
            Note::ResetCollision(operation) => format!(
                "conflicting counter resets during histogram {}",
                operation.name()
            ),
            Note::ReconciledBounds(operation) => format!(
                "mismatched custom buckets were reconciled during {}",
                operation.name()
            ),
        }
    }

    /// What to do about it.
    pub(super) fn help(self) -> &'static str {
        match self {
            Note::InvalidRatio(..) => "give a ratio between -1 and 1",
            Note::InvalidQuantile(_) => "give a quantile between 0 and 1",
            Note::BadBucketLabel(_) => {
                "select series of buckets (`…_bucket`) and keep `le` where they are aggregated"
            }
            Note::MixedSamples => "select series that hold either floats or histograms",
            Note::MixedSamplesInAggregation => "aggregate floats and histograms apart",
            Note::MixedHistograms => "select either the classic or the native histograms",
            Note::NotCounter => "for gauges use `delta` or `idelta`",
            Note::NotGauge => "for counters use `increase`, `rate` or `irate`",
            Note::MixedBuckets | Note::MixedBucketsInOperator(_) => {
                "select histograms whose buckets are of one kind, exponential or custom"
            }
            Note::SortInRange => "leave the sorting out",
            Note::PossibleNonCounter => {
                "for a gauge use `delta` or `deriv`; the name of a counter ends in `_total`"
            }
            Note::PossibleNonCounterType(_) => {
                "for a gauge use `delta` or `deriv`; the `__type__` of a counter is `counter`"
            }
            Note::IncompatibleTypes(..)
            | Note::HistogramIgnoredInAggregation(_)
            | Note::HistogramsIgnoredInRange => {
                "select floats, or take one out of each histogram: `histogram_count(…)`, `histogram_sum(…)`"
            }
            Note::NanResult | Note::NanSkew | Note::NanExcluded => {
                "keep NaN from being observed where the histogram is filled"
            }
            Note::ResetCollision(_) => "combine increases of counters: `sum(rate(…))`",
            Note::ReconciledBounds(_) => "give all histograms the same custom bounds",
        }
    }
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Operation::Addition => "addition",
            Operation::Subtraction => "subtraction",
            Operation::Aggregation => "aggregation",
        }
    }
}

/// Names the metric, if there is one to name.
pub(super) fn with_metric(text: String, metric: &str) -> String {
    match metric.is_empty() {
        true => text,
        false => format!("{text} for metric name {}", quote(metric)),
    }
}
