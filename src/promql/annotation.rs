//! What Prometheus says of a query beside its result: info and warning annotations.

use std::cmp::Reverse;

use crate::model::Timestamp;
use crate::model::number::{format_digits, format_general, quote};
use crate::model::quantile::ForcedMonotonic;
use crate::text::yaml::Embedded;
use crate::text::{Diagnostic, Severity, Span};

use super::ast::BinaryOp;
use super::functions::Moment;

/// The annotations of one query, over all its ticks: no two with the same message. Takes no memory while there is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotations {
    /// Warnings before infos, each in the order of messages.
    list: Vec<Annotation>,
}

/// One annotation.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// Warning or info.
    pub severity: Severity,
    /// What it says, in Prometheus's words, without what is counted over the ticks: [`Annotation::words`] has that too.
    pub message: String,
    /// Which part of the query it speaks of.
    pub span: Span,
    /// What to do about it.
    pub help: &'static str,
    /// Where Prometheus says that this part begins.
    position: usize,
    /// The node of the tree that noted it.
    node: Span,
    tally: Tally,
}

/// What is counted over all that share a message.
#[derive(Debug, Clone, PartialEq)]
enum Tally {
    Nothing,
    Occurrences(u64),
    Forced(Forced),
}

/// Falling counts of classic histograms that had to be lifted before a quantile could be told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forced {
    /// Which buckets, and by how much.
    pub lifted: ForcedMonotonic,
    /// When that was first so.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// How many histograms had it, by Prometheus's count.
    pub samples: i64,
}

/// Where something is noted.
#[derive(Debug, Clone, Copy)]
pub struct Site<'s> {
    /// The node of the tree that notes it.
    pub node: Span,
    /// The part of the query that is spoken of.
    pub span: Span,
    /// Where Prometheus says that this part begins.
    pub position: usize,
    /// The metric that is spoken of; empty where there is none to name.
    pub metric: &'s str,
}

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

impl Annotations {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Warnings before infos, each in the order of messages.
    pub fn iter(&self) -> impl Iterator<Item = &Annotation> {
        self.list.iter()
    }

    /// The warnings or the infos as Prometheus's API shows them, in order; `query` is the text that was evaluated.
    pub fn texts(&self, severity: Severity, query: &str) -> Vec<String> {
        let of_severity = self.iter().filter(|found| found.severity == severity);
        of_severity.map(|found| found.text(query)).collect()
    }

    /// Notes something.
    pub fn add(&mut self, site: &Site<'_>, note: Note<'_>) {
        self.put(Annotation {
            severity: note.severity(),
            message: note.message(site.metric),
            span: site.span,
            help: note.help(),
            position: site.position,
            node: site.node,
            tally: Tally::Nothing,
        });
    }

    /// Notes windows in which a sample's counter started before the sample before it was taken.
    pub fn add_overlaps(&mut self, site: &Site<'_>, windows: u64) {
        self.put(Annotation {
            severity: Severity::Warning,
            message: format!(
                "sample has start time that overlaps with previous sample timestamp for metric {}",
                quote(site.metric)
            ),
            span: site.span,
            help: "mend the start times where the samples are taken",
            position: site.position,
            node: site.node,
            tally: Tally::Occurrences(windows),
        });
    }

    /// Notes counts that had to be lifted.
    pub fn add_forced(&mut self, site: &Site<'_>, forced: Forced) {
        let message = "input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
        self.put(Annotation {
            severity: Severity::Info,
            message: with_metric(message.to_owned(), site.metric),
            span: site.span,
            help: "a bucket counts less than a smaller one: aggregate all buckets of a histogram alike, from the same scrapes",
            position: site.position,
            node: site.node,
            tally: Tally::Forced(forced),
        });
    }

    /// Whether something is noted, of no metric.
    pub(crate) fn mentions(&self, note: Note<'_>) -> bool {
        self.place(note.severity(), &note.message("")).is_ok()
    }

    /// Takes over the annotations of another part of the query, or of other ticks.
    pub fn merge(&mut self, other: Annotations) {
        match self.is_empty() {
            true => *self = other,
            false => other.list.into_iter().for_each(|found| self.put(found)),
        }
    }

    /// Of two with the same message the one is kept whose node is evaluated last. Where something is counted it is the
    /// first, as in Prometheus.
    fn put(&mut self, new: Annotation) {
        match self.place(new.severity, &new.message) {
            Err(place) => self.list.insert(place, new),
            Ok(place) => self.list[place].join(new),
        }
    }

    /// Where a message is, or where it belongs.
    fn place(&self, severity: Severity, message: &str) -> Result<usize, usize> {
        let key = (severity, message);
        self.list
            .binary_search_by(|found| (found.severity, found.message.as_str()).cmp(&key))
    }
}

impl Annotation {
    /// The whole message, with what was counted.
    pub fn words(&self) -> String {
        let message = &self.message;
        match &self.tally {
            Tally::Occurrences(count @ 2..) => format!("{message} ({count} occurrences)"),
            Tally::Nothing | Tally::Occurrences(_) => message.clone(),
            Tally::Forced(forced) => format!(
                "{message}, from buckets {} to {}, with a max diff of {}, over {} samples from {} to {}",
                format_general(forced.lifted.min_bucket),
                format_general(forced.lifted.max_bucket),
                format_digits(forced.lifted.max_diff, 2),
                forced.samples,
                Moment::of_time(forced.first).rfc3339(),
                Moment::of_time(forced.last).rfc3339(),
            ),
        }
    }

    /// What Prometheus's API shows: `PromQL info: … (1:6)`. Line and column count from 1, columns in bytes; `query` is
    /// the text that was evaluated.
    pub fn text(&self, query: &str) -> String {
        let before = query.as_bytes();
        let before = before.get(..self.position).unwrap_or(before);
        let breaks = before.iter().filter(|&&byte| byte == b'\n');
        let line = breaks.count() + 1;
        let last_break = before.iter().rposition(|&byte| byte == b'\n');
        let column = before.len() - last_break.map_or(0, |at| at + 1) + 1;
        let name = self.severity.name();
        format!("PromQL {name}: {} ({line}:{column})", self.words())
    }

    /// At its place in the file that holds the query.
    pub fn diagnose(&self, query: &Embedded) -> Diagnostic {
        let mut diagnostic = Diagnostic::warning(self.words())
            .at(query.source(), query.span(self.span))
            .help(self.help);
        diagnostic.severity = self.severity;
        diagnostic
    }

    fn join(&mut self, new: Annotation) {
        let order = |found: &Annotation| (found.node.end, Reverse(found.node.start));
        let is_later = order(&new) >= order(self);
        let counts = self.tally != Tally::Nothing;
        match (&mut self.tally, &new.tally) {
            (Tally::Occurrences(count), Tally::Occurrences(more)) => *count += more,
            (Tally::Forced(forced), Tally::Forced(more)) => forced.join(more),
            _ => {}
        }
        if is_later != counts {
            (self.span, self.position, self.node) = (new.span, new.position, new.node);
        }
    }
}

impl Forced {
    fn join(&mut self, other: &Forced) {
        self.lifted.join(other.lifted);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.samples = self.samples.wrapping_add(other.samples);
    }
}

impl<'s> Site<'s> {
    /// A place that Prometheus shows where it is.
    pub fn new(node: Span, span: Span, metric: &'s str) -> Site<'s> {
        Site {
            node,
            span,
            position: span.start,
            metric,
        }
    }
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
    fn severity(self) -> Severity {
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

    fn message(self, metric: &str) -> String {
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
}

impl Note<'_> {
    /// What to do about it.
    fn help(self) -> &'static str {
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

fn with_metric(text: String, metric: &str) -> String {
    match metric.is_empty() {
        true => text,
        false => format!("{text} for metric name {}", quote(metric)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of what nodes at some places note of their first bytes, in this order.
    fn noted(nodes: &[(usize, usize)]) -> String {
        let mut notes = Annotations::default();
        for &(start, end) in nodes {
            let node = Span::new(start, end);
            notes.add(&Site::new(node, node, ""), Note::SortInRange);
        }
        let texts = notes.texts(Severity::Warning, "a +\nb * c");
        assert_eq!(texts.len(), 1);
        texts.concat()
    }

    #[test]
    fn the_node_evaluated_last_is_shown() {
        // An inner node is evaluated before the one around it, the left before the right.
        for (nodes, place) in [
            (&[(0, 1), (4, 5)][..], "(2:1)"),
            (&[(4, 5), (0, 1)], "(2:1)"),
            (&[(4, 9), (4, 5)], "(2:1)"),
            (&[(8, 9), (0, 9)], "(1:1)"),
            (&[(0, 9), (8, 9), (4, 5)], "(1:1)"),
            (&[(4, 5), (8, 9), (0, 1)], "(2:5)"),
        ] {
            assert!(noted(nodes).ends_with(place), "{nodes:?}");
        }
    }

    #[test]
    fn what_is_counted_stays_at_the_first_node() {
        let site = |start, end| {
            let node = Span::new(start, end);
            Site::new(node, node, "m")
        };
        let forced = |bucket, time| Forced {
            lifted: ForcedMonotonic {
                min_bucket: bucket,
                max_bucket: bucket,
                max_diff: 123.4 * bucket,
            },
            first: time,
            last: time,
            samples: 1,
        };
        let (mut notes, mut others) = (Annotations::default(), Annotations::default());
        notes.add_forced(&site(4, 5), forced(2.0, 60_000));
        others.add_forced(&site(0, 1), forced(0.5, 0));
        others.add_forced(&site(8, 9), forced(1.0, 120_500));
        notes.merge(others);
        notes.add_overlaps(&site(8, 9), 1);
        let texts = |severity| notes.texts(severity, "a + b * c");
        assert_eq!(
            texts(Severity::Warning),
            [
                "PromQL warning: sample has start time that overlaps with previous sample timestamp for metric \"m\" (1:9)"
            ]
        );
        let [info] = &texts(Severity::Info)[..] else {
            panic!("one info");
        };
        let counted = "for metric name \"m\", from buckets 0.5 to 2, with a max diff of 2.5e+02, over 3 samples from 1970-01-01T00:00:00Z to 1970-01-01T00:02:00Z (1:1)";
        assert!(info.ends_with(counted), "{info}");
    }
}
