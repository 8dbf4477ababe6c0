//! How long it takes to generate the series of tests.

#![expect(
    clippy::unwrap_used,
    reason = "a bench reads its own tests and may stop at a broken one"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rulecheck::rules::ReadOptions;
use rulecheck::series::generate::{Generator, Grid, generate};
use rulecheck::suite::file;
use rulecheck::text::Source;

/// A day of 500 pods, a sample every 15 seconds: 2,880,500 samples a series of each.
const CASES: [(&str, &str); 7] = [
    (
        "gauge",
        "gauge: {metric: m, base: 200, season: {period: 24h, amplitude: 30%}}",
    ),
    ("noise", "gauge: {metric: m, base: 200, noise: 5%}"),
    ("counter", "counter: {metric: m, rate: 50/s}"),
    (
        "poisson",
        "counter: {metric: m, rate: 50/s, counts: poisson}",
    ),
    ("rare", "counter: {metric: m, rate: 0.1/s, counts: poisson}"),
    (
        "classic",
        "histogram: {metric: m, rate: 50/s, latency: {p50: 120ms, p95: 400ms}, buckets: [0.1, 0.5, 1]}",
    ),
    (
        "native",
        "histogram: {metric: m, rate: 50/s, latency: {p50: 120ms, p95: 400ms}, native: {schema: 3}}",
    ),
];

fn days(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("generate/500 pods a day");
    group.sample_size(10);
    for (name, kind) in CASES {
        let text = format!("tests: [{{generate: [{{{kind}, repeat: {{pod: 1..500}}}}]}}]");
        let generator = generator(&text);
        let grid = Grid {
            start: 0,
            interval: 15_000,
            end: 86_400_000,
        };
        group.bench_function(name, |bench| {
            bench.iter(|| generate([black_box(&generator)], &grid).len());
        });
    }
    group.finish();
}

fn a_small_test(criterion: &mut Criterion) {
    let text = "tests: [{generate: [{requests: {metric: m, rate: 50/s, error_ratio: 1%}, bad: {code: '500'}, \
                events: [{at: 10m, for: 5m, error_ratio: 12%}]}]}]";
    let generator = generator(text);
    let grid = Grid {
        start: 0,
        interval: 60_000,
        end: 3_600_000,
    };
    criterion.bench_function("generate/an hour of requests", |bench| {
        bench.iter(|| generate([black_box(&generator)], &grid).len());
    });
}

fn generator(text: &str) -> Generator {
    let file = file::read(&Source::new("bench", text), &ReadOptions::default()).unwrap();
    file.tests[0].generated[0].generator.clone()
}

criterion_group!(benches, days, a_small_test);
criterion_main!(benches);
