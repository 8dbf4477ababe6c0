//! How long it takes to read queries, series notation, rule files and test files.

#![expect(
    clippy::unwrap_used,
    reason = "a bench reads its fixtures and may stop at a broken one"
)]

use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rulecheck::promql::{Features, Query};
use rulecheck::rules::{self, ReadOptions};
use rulecheck::series::{exposition, notation};
use rulecheck::suite::file;
use rulecheck::text::Source;

const QUERIES: [(&str, &str); 3] = [
    (
        "selector",
        r#"up{job="api", instance!~"test-.*"} offset 5m"#,
    ),
    (
        "ratio",
        r#"sum by (job) (rate(http_requests_total{status=~"5.."}[5m])) / sum by (job) (rate(http_requests_total[5m])) > 0.05"#,
    ),
    (
        "quantile",
        "histogram_quantile(0.95, sum by (le, job) (rate(request_seconds_bucket[5m]))) > 0.5 and on (job) up == 1",
    ),
];

fn queries(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse/query");
    for (name, text) in QUERIES {
        group.bench_with_input(BenchmarkId::from_parameter(name), text, |bench, text| {
            bench.iter(|| Query::parse(black_box(text), &Features::default()).unwrap());
        });
    }
    let chain = vec!["m"; 1000].join(" + ");
    group.bench_function("chain of 1000", |bench| {
        bench.iter(|| Query::parse(black_box(&chain), &Features::default()).unwrap());
    });
    group.finish();
}

fn series(criterion: &mut Criterion) {
    let values = "0+10x100 _x5 1 2 3 stale 5-1x20";
    criterion.bench_function("parse/notation", |bench| {
        bench.iter(|| notation::parse_values(black_box(values)).unwrap());
    });
}

fn files(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse/file");
    let options = ReadOptions::default();
    let rules = source("rules/birthday-scheduler/alerts.yml");
    group.throughput(Throughput::Bytes(rules.text().len() as u64));
    group.bench_function("rules", |bench| {
        bench.iter(|| rules::read(black_box(&rules), &options).unwrap());
    });
    let tests = source("rules/birthday-scheduler/tests/delivery_test.yml");
    group.throughput(Throughput::Bytes(tests.text().len() as u64));
    group.bench_function("tests", |bench| {
        bench.iter(|| file::read(black_box(&tests), &options).unwrap());
    });
    let data = source("fixtures/replay/vendor-outage.om");
    group.throughput(Throughput::Bytes(data.text().len() as u64));
    group.bench_function("exposition", |bench| {
        bench.iter(|| {
            exposition::read(black_box(&data), exposition::ReadOptions::default()).unwrap()
        });
    });
    group.finish();
}

fn source(path: &str) -> Source {
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    Source::new(path, std::fs::read_to_string(whole).unwrap())
}

criterion_group!(benches, queries, series, files);
criterion_main!(benches);
