//! How long it takes to sweep an alert over many thresholds and waits, beside one replay of it.

#![expect(
    clippy::unwrap_used,
    reason = "a bench makes its own rules and may stop at broken ones"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use rulecheck::model::{Labels, METRIC_NAME, Millis};
use rulecheck::replay::{OnRuleError, ReplaySpec, Schedule};
use rulecheck::rules::{self, ReadOptions};
use rulecheck::store::{Points, Series, Store, Writer};
use rulecheck::text::Source;
use rulecheck::whatif::{Axis, Grid, Incident, Incidents, RuleSet, SweepMode, World, sweep};

const MINUTE: Millis = 60_000;
const TICKS: usize = 30 * 24 * 60;

const RULES: &str = "groups:
  - name: g
    rules:
      - alert: A
        expr: sum by (instance) (rate(m[5m])) > 15
        for: 5m
";

/// 100 counters of 10 instances over 30 days, whose rate wanders.
fn world() -> World {
    let mut store = Store::default();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for index in 0..100 {
        let (mut total, mut rate) = (0.0, 60.0);
        let values = (0..TICKS).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            rate = f64::midpoint(rate, 90.0) + (state % 128) as f64 - 64.0;
            total += f64::max(rate, 0.0);
            total
        });
        let points = Points::regular(0, MINUTE, values.collect());
        let (instance, path) = ((index % 10).to_string(), (index / 10).to_string());
        let labels = [
            (METRIC_NAME, "m"),
            ("instance", instance.as_str()),
            ("path", path.as_str()),
        ];
        store.add(Series {
            labels: Labels::from_pairs(labels),
            points,
            writer: Writer::INPUT,
        });
    }
    let mut spec = ReplaySpec::new(&[], store, 0, (TICKS as i64 - 1) * MINUTE, MINUTE);
    spec.schedule = Schedule::Production;
    spec.on_error = OnRuleError::Continue;
    World::recorded("bench", spec)
}

/// An hour of every day.
fn incidents() -> Incidents {
    let incident = |day: i64| Incident {
        name: day.to_string(),
        start: (day * 24 + 7) * 60 * MINUTE,
        end: (day * 24 + 8) * 60 * MINUTE,
        grace: 10 * MINUTE,
        alerts: vec!["A".to_owned()],
    };
    Incidents {
        all: (0..30).map(incident).collect(),
    }
}

fn sweeps(criterion: &mut Criterion) {
    let reading = ReadOptions::default();
    let rules = RuleSet {
        files: vec![rules::read(&Source::new("rules.yml", RULES), &reading).unwrap()],
        specs: None,
        reading,
    };
    let world = world();
    let knobs = rules.knobs();
    let incidents = incidents();
    let mut group = criterion.benchmark_group("whatif");
    group.sample_size(10);
    group.bench_function("one replay", |bench| {
        bench.iter(|| {
            let firings = world.replay(&rules, |replay, groups| world.outcomes(replay, groups));
            assert_eq!(firings.unwrap().len(), 1);
        });
    });
    for (name, axes) in [
        ("10000 thresholds", &["A.threshold=10.0001..20:0.001"][..]),
        ("10000 waits", &["A.for=0s..166m39s:1s"]),
        (
            "1000 thresholds x 10 waits",
            &["A.threshold=10.01..20:0.01", "A.for=0s..9m:1m"],
        ),
        (
            "100 thresholds x 100 waits",
            &["A.threshold=10.1..20:0.1", "A.for=0s..99m:1m"],
        ),
        (
            "10000 thresholds, kept firing",
            &["A.threshold=10.0001..20:0.001", "A.keep_firing_for=10m"],
        ),
        (
            "100 thresholds x 100 waits, kept firing",
            &[
                "A.threshold=10.1..20:0.1",
                "A.for=0s..99m:1m",
                "A.keep_firing_for=10m",
            ],
        ),
    ] {
        let axes = axes.iter().map(|text| Axis::parse(text, &knobs).unwrap());
        let grid = Grid::new(axes.collect()).unwrap();
        assert_eq!(grid.len(), 10_000);
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let swept = sweep(&rules, &world, &grid, &incidents, SweepMode::Columns).unwrap();
                assert_eq!(swept.evaluated_again, 0);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, sweeps);
criterion_main!(benches);
