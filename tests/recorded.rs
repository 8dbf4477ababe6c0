//! What a real Prometheus made of an incident: rules replayed over its samples write what it wrote, sample for sample.
//!
//! `rules/birthday-scheduler/recorded/README.md` says how both files were made.

#![expect(
    clippy::unwrap_used,
    reason = "a broken recording should stop the test where it is read"
)]

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rulecheck::io;
use rulecheck::model::{Labels, Timestamp};
use rulecheck::replay::{OnRuleError, ReplaySpec, phase, replay};
use rulecheck::rules::{self, ReadOptions, RuleFile, RuleGroup};
use rulecheck::series;
use rulecheck::store::{Points, Series, Store, Writer};

/// `evaluation_interval` of the Prometheus that recorded.
const INTERVAL: i64 = 15_000;

/// Values to 12 digits: Prometheus adds up series in random order.
const TOLERANCE: f64 = 1e-12;

/// When worker-2 left service discovery. Prometheus waits for two more intervals before it writes the stale markers of such
/// a target, with the stamp of the first scrape that was missed: it saw them later than any replay does.
const LATE: Range<Timestamp> = 1_795_280_787_000..1_795_280_832_000;

/// Samples of a series by time; the NaN of text formats is a stale marker.
type Samples = BTreeMap<Timestamp, f64>;

#[test]
fn rules_write_what_prometheus_wrote() {
    let mut inputs = Store::default();
    let (mut start, mut end) = (Timestamp::MAX, Timestamp::MIN);
    for (labels, points) in recording("vendor-outage.om.gz") {
        start = start.min(points.time(0));
        end = end.max(points.time(points.len() - 1));
        let points = with_stale_markers(&points);
        inputs.add(Series {
            labels,
            points,
            writer: Writer::INPUT,
        });
    }
    let files = [rule_file("alerts.yml"), rule_file("recording.yml")];
    let groups: Vec<&RuleGroup> = files.iter().flat_map(|file| &file.groups).collect();
    let mut spec = ReplaySpec::new(&groups, inputs, start, end, INTERVAL);
    spec.schedule = rulecheck::replay::Schedule::Production;
    spec.on_error = OnRuleError::Continue;
    let replay = replay(spec).unwrap();
    assert!(replay.errors.is_empty());

    let by_rules = replay.store.iter().filter(|it| it.writer.position > 0);
    let mut written: BTreeMap<Labels, Samples> = BTreeMap::new();
    for series in by_rules.filter(|it| it.labels.metric() != "ALERTS_FOR_STATE") {
        let samples = written.entry(series.labels.clone()).or_default();
        samples.extend(samples_of(&series.points, start, end));
    }
    written.retain(|_, samples| !samples.is_empty());
    let mut expected: BTreeMap<Labels, Samples> = BTreeMap::new();
    for (labels, points) in recording("written-by-rules.om.gz") {
        expected.insert(labels, samples_of(&points, start, end));
    }
    let count: usize = expected.values().map(BTreeMap::len).sum();
    assert!(count > 900, "{count} samples were recorded");
    let dropped = [&mut written, &mut expected].map(drop_late);
    // A stale marker here; two evaluations at which it still fired and a stale marker there.
    assert_eq!(dropped, [1, 3]);
    let names =
        |of: &BTreeMap<Labels, Samples>| of.keys().map(Labels::to_string).collect::<Vec<_>>();
    assert_eq!(names(&written), names(&expected));
    for (labels, samples) in &expected {
        let found = &written[labels];
        let times = |of: &Samples| of.keys().copied().collect::<Vec<_>>();
        assert_eq!(times(found), times(samples), "{labels}");
        for (time, value) in samples {
            let (found, close) = (found[time], |a: f64, b: f64| {
                (a - b).abs() <= TOLERANCE * b.abs()
            });
            let same = close(found, *value) || (found.is_nan() && value.is_nan());
            assert!(same, "{labels} at {time}: {value} expected, got {found}");
        }
    }
}

/// Takes away what hangs on when stale markers came; says how many samples.
fn drop_late(all: &mut BTreeMap<Labels, Samples>) -> usize {
    let of_gone = |labels: &Labels| {
        labels.value("alertname") == "CircuitBreakerOpen" && labels.value("instance") == "worker-2"
    };
    let gone = all.iter_mut().filter(|(labels, _)| of_gone(labels));
    let dropped = gone.map(|(_, samples)| {
        let before = samples.len();
        samples.retain(|time, _| !LATE.contains(time));
        before - samples.len()
    });
    dropped.sum()
}

fn samples_of(points: &Points, start: Timestamp, end: Timestamp) -> Samples {
    let all = (0..points.len()).map(|index| (points.time(index), points.values()[index]));
    all.filter(|(time, _)| (start..=end).contains(time))
        .collect()
}

fn with_stale_markers(points: &Points) -> Points {
    let placing = series::Placing {
        recorded: 0,
        placed: 0,
        speed: 1.0,
    };
    placing.points(points, true).unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/birthday-scheduler")
}

fn recording(name: &str) -> Vec<(Labels, Points)> {
    let source = io::read_series(&folder().join("recorded").join(name)).unwrap();
    series::read(&source, series::ReadOptions::default()).unwrap()
}

/// A rule file with its groups at the moments at which the server evaluated them.
fn rule_file(name: &str) -> RuleFile {
    let source = io::read(&folder().join(name)).unwrap();
    let mut file = rules::read(&source, &ReadOptions::default()).unwrap();
    for group in &mut file.groups {
        let interval = group.interval.unwrap_or(INTERVAL);
        group.phase = phase(&format!("../{name}"), &group.name, interval);
    }
    file
}
