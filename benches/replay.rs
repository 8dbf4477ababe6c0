//! How long it takes to replay a recording, and to run a test file.

#![expect(
    clippy::unwrap_used,
    reason = "a bench reads its fixtures and may stop at a broken one"
)]

use std::hint::black_box;
use std::path::Path;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rulecheck::replay::{Mode, ReplaySpec, replay};
use rulecheck::rules::{self, ReadOptions, RuleFile, RuleGroup};
use rulecheck::series::exposition;
use rulecheck::store::{Series, Store, Writer};
use rulecheck::suite::{self, RunOptions, Suite, file};
use rulecheck::text::Source;

/// 2026-01-05, 08:00 to 10:00 UTC.
const OUTAGE: (i64, i64) = (1_767_600_000_000, 1_767_607_200_000);

fn outage(criterion: &mut Criterion) {
    let rules = rule_file("rules/birthday-scheduler/alerts.yml");
    let groups: Vec<&RuleGroup> = rules.groups.iter().collect();
    let series = exposition::read(
        &source("fixtures/replay/vendor-outage.om"),
        exposition::ReadOptions::default(),
    )
    .unwrap();
    let store = || {
        let mut store = Store::default();
        for (labels, points) in series.clone() {
            store.add(Series {
                labels,
                points,
                writer: Writer::INPUT,
            });
        }
        store
    };
    for (name, mode) in [
        ("batches", Mode::Batches),
        ("tick by tick", Mode::TickByTick),
    ] {
        criterion.bench_function(&format!("replay/outage/{name}"), |bench| {
            let run = |store: Store| {
                let mut spec = ReplaySpec::new(&groups, store, OUTAGE.0, OUTAGE.1, 60_000);
                spec.mode = mode;
                replay(spec).unwrap().timeline.alerts.len()
            };
            bench.iter_batched(store, run, BatchSize::SmallInput);
        });
    }
}

fn whole_suite(criterion: &mut Criterion) {
    let folder = "rules/birthday-scheduler";
    let test_file = source(&format!("{folder}/tests/delivery_test.yml"));
    let rules: Vec<Source> = ["alerts.yml", "corrected.yml", "recording.yml"]
        .iter()
        .map(|name| source(&format!("{folder}/{name}")))
        .collect();
    criterion.bench_function("suite/read and run", |bench| {
        bench.iter(|| {
            let options = ReadOptions::default();
            let suite = Suite {
                file: file::read(black_box(&test_file), &options).unwrap().into(),
                rule_files: rules
                    .iter()
                    .map(|it| rules::read(it, &options).unwrap())
                    .collect(),
            };
            let verdict = suite::run(&suite, &RunOptions::default()).unwrap();
            assert!(verdict.passed());
        });
    });
}

fn rule_file(path: &str) -> RuleFile {
    rules::read(&source(path), &ReadOptions::default()).unwrap()
}

fn source(path: &str) -> Source {
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    Source::new(path, std::fs::read_to_string(whole).unwrap())
}

criterion_group!(benches, outage, whole_suite);
criterion_main!(benches);
