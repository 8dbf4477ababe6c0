//! Series that rise with the good and the bad events of an objective, in an outage and without.

use std::sync::Arc;

use super::labels::{series_for, series_of};
use crate::model::{
    BucketSpan, CounterResetHint, Histogram, Labels, METRIC_NAME, Matcher, Millis, Timestamp,
    metric_of,
};
use crate::promql::ast::BinaryOp;
use crate::promql::selectors::selectors;
use crate::promql::{Features, Query, Reader, Sample, Ticks, View, evaluate};
use crate::slo::counters::selector;
use crate::slo::objective::{Indicator, Measure, MeasureKind, Quality, Slo};
use crate::slo::shares::bad_share;
use crate::store::{Points, Series, Store, Writer};

/// The series of an objective's events.
#[derive(Debug, Clone)]
pub struct Traffic {
    streams: Vec<Stream>,
}

/// A series.
#[derive(Debug, Clone)]
struct Stream {
    labels: Labels,
    kind: StreamKind,
}

/// What the values of a series are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum StreamKind {
    /// A counter: so much it rises with a good event, so much with a bad one.
    Counter { good: f64, bad: f64 },
    /// A counter that only rises with bad events and is not there before the first one.
    Unborn { bad: f64 },
    /// The share of events itself: the value where all are good, and where all are bad.
    Share { good: f64, bad: f64 },
    /// Each sample is an event: the value of a good one and that of a bad one.
    Event { good: f64, bad: f64 },
    /// A native histogram: the buckets of a good and of a bad observation.
    Native { good: i32, bad: i32 },
}

/// When there is how much traffic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene {
    /// The first sample.
    pub start: Timestamp,
    /// No sample lies after it.
    pub end: Timestamp,
    /// Between samples.
    pub scrape: Millis,
    /// Whole events in a millisecond; `None` for so many that single ones do not matter.
    pub rate: Option<f64>,
    /// The outage.
    pub outage: Outage,
}

/// A time in which a share of all events is bad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outage {
    /// When it begins.
    pub from: Timestamp,
    /// How long it lasts.
    pub length: Millis,
    /// The share.
    pub errors: f64,
}

/// Events in a millisecond where nothing is said.
const MANY: f64 = 1.0;

/// Samples that are events are good or bad for so long.
const EVENT: Millis = 60_000;

impl Traffic {
    /// The series of an objective.
    ///
    /// # Errors
    /// Why its queries can't be given traffic, in words.
    pub fn of(slo: &Slo, features: &Features) -> Result<Traffic, String> {
        let one = |measure: &Measure, kind: StreamKind| {
            let labels = selector(&measure.query.expr).and_then(series_for);
            let labels = labels.ok_or_else(|| {
                format!(
                    "{} is no selector of a metric by its name",
                    measure.text.text
                )
            })?;
            let streams = vec![Stream { labels, kind }];
            Ok(Traffic { streams })
        };
        match &slo.indicator {
            Indicator::Boolean { value } => {
                let (good, bad) = (1.0, 0.0);
                one(value, StreamKind::Event { good, bad })
            }
            Indicator::Threshold { value, op, bound } => {
                let (good, bad) = sides(*op, *bound)?;
                one(value, StreamKind::Event { good, bad })
            }
            Indicator::Latency { histogram, within } if !is_classic(histogram) => {
                // Buckets of powers of two, well below the limit and well above.
                let exponent = libm::frexp(*within).1;
                let (good, bad) = (exponent - 3, exponent + 3);
                one(histogram, StreamKind::Native { good, bad })
            }
            Indicator::Ratio { quality, share }
                if share.kind != MeasureKind::Windowed && selector(&share.query.expr).is_some() =>
            {
                let (good, bad) = match quality {
                    Quality::Good => (1.0, 0.0),
                    Quality::Bad => (0.0, 1.0),
                };
                one(share, StreamKind::Share { good, bad })
            }
            _ => counters_of(slo, features),
        }
    }

    /// What its series are called.
    pub fn labels(&self) -> impl Iterator<Item = &Labels> {
        self.streams.iter().map(|stream| &stream.labels)
    }

    /// Whether single samples are good or bad, so that small shares show in steps.
    pub fn is_of_samples(&self) -> bool {
        let is_event = |stream: &Stream| matches!(stream.kind, StreamKind::Event { .. });
        self.streams.iter().any(is_event)
    }

    /// The same, but counters that only rise with bad events begin with the first of them; `None` where there are none.
    pub(super) fn unborn(&self) -> Option<Traffic> {
        let mut streams = self.streams.clone();
        let mut found = false;
        for stream in &mut streams {
            if let StreamKind::Counter { good: 0.0, bad } = stream.kind {
                stream.kind = StreamKind::Unborn { bad };
                found = true;
            }
        }
        found.then_some(Traffic { streams })
    }

    /// Whether some selector finds any of its series.
    pub(super) fn feeds(&self, matchers: &[Matcher]) -> bool {
        metric_of(matchers).is_some()
            && self
                .labels()
                .any(|labels| matchers.iter().all(|matcher| matcher.matches(labels)))
    }

    /// The series with an outage in them.
    pub(super) fn store(&self, scene: &Scene) -> Store {
        let mut store = Store::default();
        for stream in &self.streams {
            let points = stream.kind.points(scene);
            if points.is_empty() {
                continue;
            }
            store.add(Series {
                labels: stream.labels.clone(),
                points,
                writer: Writer::INPUT,
            });
        }
        store
    }
}

impl StreamKind {
    fn points(self, scene: &Scene) -> Points {
        let scrape = scene.scrape.max(1);
        let count = (scene.end - scene.start).max(0) / scrape + 1;
        let times = (0..count).map(|number| scene.start + number * scrape);
        let floats = |value: &dyn Fn(Timestamp) -> f64| {
            Points::regular(scene.start, scrape, times.clone().map(value).collect())
        };
        match self {
            // Counters were there long before, so that no estimate ends at their zero.
            StreamKind::Counter { good, bad } => {
                let base = scene.events(scene.end).ceil();
                floats(&|time| {
                    let (fine, broken) = scene.events_until(time);
                    good * (base + fine) + bad * (base + broken)
                })
            }
            StreamKind::Unborn { bad } => {
                let broken = |time| scene.events_until(time).1;
                let born = times.clone().find(|&time| broken(time) > 0.0);
                let Some(born) = born else {
                    return Points::default();
                };
                let times = times.filter(|&time| time >= born);
                Points::regular(born, scrape, times.map(|time| bad * broken(time)).collect())
            }
            StreamKind::Share { good, bad } => {
                floats(&|time| good + (bad - good) * scene.errors_at(time))
            }
            StreamKind::Event { good, bad } => floats(&|time| match scene.is_bad(time) {
                true => bad,
                false => good,
            }),
            StreamKind::Native { good, bad } => {
                let base = scene.events(scene.end).ceil();
                let mut points = Points::default();
                for time in times {
                    let (fine, broken) = scene.events_until(time);
                    let counts = [base + fine, base + broken];
                    let mut histogram = native([good, bad], counts);
                    if !points.is_empty() {
                        // As a server's storage says it, so that rates need not compare all buckets of a window.
                        histogram.counter_reset_hint = CounterResetHint::NotReset;
                    }
                    points.push_histogram(time, Arc::new(histogram));
                }
                points
            }
        }
    }
}

impl Scene {
    /// Events since the start.
    fn events(&self, until: Timestamp) -> f64 {
        let time = (until - self.start).max(0) as f64;
        match self.rate {
            Some(rate) => (rate * time).floor(),
            None => MANY * time,
        }
    }

    /// Good and bad events since the start.
    fn events_until(&self, time: Timestamp) -> (f64, f64) {
        let outage = &self.outage;
        let within = time.clamp(outage.from, outage.from + outage.length);
        let hit = self.events(within) - self.events(outage.from);
        let bad = match self.rate {
            // Spread evenly.
            Some(_) => (hit * outage.errors).round(),
            None => hit * outage.errors,
        };
        (self.events(time) - bad, bad)
    }

    /// The share of bad events in the time before a sample.
    fn errors_at(&self, time: Timestamp) -> f64 {
        let outage = &self.outage;
        match time > outage.from && time <= outage.from + outage.length {
            true => outage.errors,
            false => 0.0,
        }
    }

    /// Whether a sample is bad: the first one of an outage is, and the others are spread evenly.
    fn is_bad(&self, time: Timestamp) -> bool {
        let errors = self.errors_at(time);
        let number = (time - self.outage.from - 1).max(0) / EVENT.max(self.scrape);
        let before = (number as f64 * errors).ceil();
        errors > 0.0 && ((number + 1) as f64 * errors).ceil() > before
    }
}

/// A histogram of two buckets.
fn native([good, bad]: [i32; 2], counts: [f64; 2]) -> Histogram {
    let sum = counts[0] * libm::exp2(f64::from(good)) + counts[1] * libm::exp2(f64::from(bad));
    let span = |offset| BucketSpan { offset, length: 1 };
    Histogram {
        count: counts[0] + counts[1],
        sum,
        positive_spans: vec![span(good), span(bad - good - 1)],
        positive_buckets: counts.into(),
        ..Histogram::default()
    }
}

fn is_classic(histogram: &Measure) -> bool {
    let matchers = selector(&histogram.query.expr).unwrap_or_default();
    metric_of(matchers).is_some_and(|name| name.ends_with("_bucket"))
}

/// A value that compares well and one that doesn't.
fn sides(op: BinaryOp, bound: f64) -> Result<(f64, f64), String> {
    let holds = |value: &&f64| match op {
        BinaryOp::Less => **value < bound,
        BinaryOp::LessEqual => **value <= bound,
        BinaryOp::Greater => **value > bound,
        BinaryOp::GreaterEqual => **value >= bound,
        _ => false,
    };
    let values = [bound / 2.0, bound * 2.0, bound - 1.0, bound + 1.0];
    let good = values.iter().find(holds);
    let bad = values.iter().find(|value| !holds(value));
    good.copied()
        .zip(bad.copied())
        .ok_or_else(|| format!("no value lies beyond {bound}"))
}

/// Over this time the share of bad events is looked at to find series that make it.
const PROBE: Millis = 300_000;

/// No more choices of series than this are tried.
const MAX_CHOICES: usize = 4_096;

/// Series of which some rise with good events and some with bad ones, so that the objective's own query of the share of
/// bad events says so.
fn counters_of(slo: &Slo, features: &Features) -> Result<Traffic, String> {
    let text = bad_share(slo, PROBE);
    let query = Query::parse(&text, features).map_err(|_| format!("{text} is no query"))?;
    let used = selectors(&query.expr, 0);
    let mut metrics: Vec<(&str, Vec<&[Matcher]>)> = Vec::new();
    for selector in &used {
        let matchers = selector.selector.matchers.as_slice();
        let metric = metric_of(matchers)
            .ok_or("a selector names no metric, so that nothing says which series there are")?;
        match metrics.iter_mut().find(|(name, _)| *name == metric) {
            Some((_, selectors)) => selectors.push(matchers),
            None => metrics.push((metric, vec![matchers])),
        }
    }
    let candidates: Vec<Vec<Labels>> = metrics
        .iter()
        .map(|(metric, selectors)| series_of(metric, selectors))
        .collect();
    let all: Vec<&Labels> = candidates.iter().flatten().collect();
    let choices = choices(&candidates);
    let share =
        |rises: &dyn Fn(&Labels) -> f64, series: &[&Labels]| probe(&query, features, series, rises);
    let rising = |choice: &[&Labels], by: f64, labels: &Labels| match choice.contains(&labels) {
        true => by,
        false => 0.0,
    };
    let alone: Vec<Option<f64>> = choices
        .iter()
        .map(|choice| share(&|labels| rising(choice, 1.0, labels), &all))
        .collect();
    let of = |wanted: f64| {
        let pairs = choices.iter().zip(&alone);
        let found = pairs.filter(move |(_, share)| share.is_some_and(|it| near(it, wanted)));
        found.map(|(choice, _)| choice)
    };
    for good in of(0.0) {
        for bad in of(1.0) {
            let both: Vec<&Labels> = good.iter().chain(bad).copied().collect();
            let mixed = |labels: &Labels| rising(good, 3.0, labels) + rising(bad, 1.0, labels);
            if share(&mixed, &both).is_some_and(|it| near(it, 0.25)) {
                return Ok(made_of(good, bad));
            }
        }
    }
    let written = text.split_whitespace().collect::<Vec<&str>>().join(" ");
    Err(format!(
        "no counters were found of which {written} counts some as good and some as bad"
    ))
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6
}

/// At most one series of each metric, but at least one in all; those of few series first.
fn choices(candidates: &[Vec<Labels>]) -> Vec<Vec<&Labels>> {
    let mut found: Vec<Vec<&Labels>> = vec![Vec::new()];
    for series in candidates {
        let more: Vec<Vec<&Labels>> = found
            .iter()
            .flat_map(|choice| {
                series.iter().map(|labels| {
                    let mut longer = choice.clone();
                    longer.push(labels);
                    longer
                })
            })
            .collect();
        found.extend(more);
        found.truncate(MAX_CHOICES);
    }
    found.retain(|choice| !choice.is_empty());
    found.sort_by_key(Vec::len);
    found
}

/// The share of bad events where counters rise so; `None` where it is not one number.
fn probe(
    query: &Query,
    features: &Features,
    series: &[&Labels],
    rises: &dyn Fn(&Labels) -> f64,
) -> Option<f64> {
    const STEP: Millis = 30_000;
    const COUNT: i64 = 41;
    let mut store = Store::default();
    for labels in series {
        let by = rises(labels);
        let values = (0..COUNT).map(|number| 1e6 + by * number as f64);
        store.add(Series {
            labels: (*labels).clone(),
            points: Points::regular(0, STEP, values.collect()),
            writer: Writer::INPUT,
        });
    }
    let end = STEP * (COUNT - 1);
    let view = View {
        features: *features,
        ..View::new(&store, Reader::After(end), EVENT)
    };
    value_at(query, &view, end)
}

/// What a query yields at a moment, where that is one number.
pub(super) fn value_at(query: &Query, view: &View<'_>, moment: Timestamp) -> Option<f64> {
    let columns = evaluate(query, view, Ticks::instant(moment)).into_columns()?;
    let mut values = columns
        .series
        .iter()
        .filter_map(|series| match series.column.get(0) {
            Some(Sample::Float(value)) => Some(value),
            _ => None,
        });
    let value = values.next()?;
    values.all(|other| other == value).then_some(value)
}

/// Counters that rise with good events, bad ones, or both; where they are buckets of histograms, with what else a histogram
/// has.
fn made_of(good: &[&Labels], bad: &[&Labels]) -> Traffic {
    let mut streams: Vec<Stream> = Vec::new();
    let mut add = |labels: &Labels, with: (f64, f64)| {
        let known = streams.iter_mut().find(|stream| stream.labels == *labels);
        match known.map(|stream| &mut stream.kind) {
            Some(StreamKind::Counter { good, bad }) => {
                *good = good.max(with.0);
                *bad = bad.max(with.1);
            }
            _ => streams.push(Stream {
                labels: labels.clone(),
                kind: StreamKind::Counter {
                    good: with.0,
                    bad: with.1,
                },
            }),
        }
    };
    good.iter().for_each(|labels| add(labels, (1.0, 0.0)));
    bad.iter().for_each(|labels| add(labels, (0.0, 1.0)));
    for labels in good.iter().chain(bad) {
        let Some(base) = labels.metric().strip_suffix("_bucket") else {
            continue;
        };
        let count = labels.filtered(|name| name != "le");
        let count = count.with(METRIC_NAME, &format!("{base}_count"));
        for whole in [labels.with("le", "+Inf"), count] {
            let is_there = |stream: &Stream| {
                stream.labels.metric() == whole.metric()
                    && stream.labels.value("le") == whole.value("le")
            };
            if !streams.iter().any(is_there) {
                let (good, bad) = (1.0, 1.0);
                let kind = StreamKind::Counter { good, bad };
                streams.push(Stream {
                    labels: whole,
                    kind,
                });
            }
        }
    }
    Traffic { streams }
}
