//! How long it takes to evaluate a query over a day of minutes, a query a family of functions.

#![expect(
    clippy::unwrap_used,
    reason = "a bench may stop where its own queries are wrong"
)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rulecheck::model::Labels;
use rulecheck::promql::{Features, Query, Reader, Ticks, View, evaluate};
use rulecheck::store::{Points, Series, Store, Writer};

const MINUTE: i64 = 60_000;
const TICKS: usize = 1440;

const QUERIES: [(&str, &str); 11] = [
    ("selector", "requests_total"),
    ("rate", "rate(requests_total[5m])"),
    ("sum by", "sum by (job) (rate(requests_total[5m]))"),
    (
        "ratio",
        "sum by (job) (rate(requests_total[5m])) / on (job) sum by (job) (rate(requests_total[30m]))",
    ),
    (
        "histogram_quantile",
        "histogram_quantile(0.9, sum by (le) (rate(seconds_bucket[5m])))",
    ),
    ("avg_over_time", "avg_over_time(requests_total[1h])"),
    ("max_over_time", "max_over_time(requests_total[1h])"),
    (
        "quantile_over_time",
        "quantile_over_time(0.9, requests_total[1h])",
    ),
    (
        "subquery",
        "max_over_time(rate(requests_total[5m])[30m:1m])",
    ),
    ("topk", "topk(3, requests_total)"),
    (
        "label_replace",
        r#"label_replace(requests_total, "host", "$1", "instance", "(.*):.*")"#,
    ),
];

fn evaluation(criterion: &mut Criterion) {
    let store = store();
    let view = View::new(&store, Reader::After(i64::MAX), MINUTE);
    let ticks = Ticks {
        start: 0,
        step: MINUTE,
        count: TICKS,
    };
    let mut group = criterion.benchmark_group("evaluate");
    group.throughput(Throughput::Elements(TICKS as u64));
    group.sample_size(20);
    for (name, text) in QUERIES {
        let query = Query::parse(text, &Features::default()).unwrap();
        group.bench_with_input(BenchmarkId::from_parameter(name), &query, |bench, query| {
            bench.iter(|| evaluate(black_box(query), &view, ticks));
        });
    }
    group.finish();
}

/// A hundred counters of five jobs, and one of a hundred for each of ten buckets.
fn store() -> Store {
    let mut store = Store::default();
    for number in 0..100 {
        let job = format!("job-{}", number % 5);
        let instance = format!("host-{number}:9090");
        add(
            &mut store,
            &[
                ("__name__", "requests_total"),
                ("job", &job),
                ("instance", &instance),
            ],
            number as f64,
        );
        let bound = format!("{}", number % 10);
        let bound = if number % 10 == 9 {
            "+Inf"
        } else {
            bound.as_str()
        };
        add(
            &mut store,
            &[
                ("__name__", "seconds_bucket"),
                ("le", bound),
                ("instance", &instance),
            ],
            (number % 10) as f64,
        );
    }
    store
}

fn add(store: &mut Store, labels: &[(&str, &str)], slope: f64) {
    let values = (0..TICKS).map(|tick| tick as f64 * slope);
    store.add(Series {
        labels: Labels::from_pairs(labels.iter().copied()),
        points: Points::regular(0, MINUTE, values.collect()),
        writer: Writer::INPUT,
    });
}

criterion_group!(benches, evaluation);
criterion_main!(benches);
