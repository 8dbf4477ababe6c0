//! How many samples a query may hold: about as many as Prometheus lets it, and no more memory and time than that takes.

#![expect(
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::sync::Arc;

use rulecheck::model::{Labels, METRIC_NAME};
use rulecheck::promql::ast::ValueType;
use rulecheck::promql::{
    EvalError, Evaluated, Features, Query, Reader, TOO_MANY_SAMPLES, Ticks, View, evaluate,
    evaluate_range, evaluate_windows,
};
use rulecheck::series::notation::parse_histogram;
use rulecheck::store::{Points, Series, Store, Writer};

/// The samples that the figures of Prometheus were found with: an hour of three counters and a fourth that came late, one
/// of a counter to join with, and 25 minutes of a histogram, one sample every 15 seconds.
fn store() -> Store {
    let mut store = Store::default();
    let mut add = |name: &str, i: &str, group: &str, points: Points| {
        let labels = [(METRIC_NAME, name), ("i", i), ("g", group)];
        store.add(Series {
            labels: Labels::from_pairs(labels),
            points,
            writer: Writer::INPUT,
        });
    };
    let counter = |step: u32| (0..240).map(|i| f64::from(i * step)).collect();
    for (i, group, step) in [("1", "a", 1), ("2", "a", 2), ("3", "b", 3)] {
        add("m", i, group, Points::regular(0, 15_000, counter(step)));
    }
    let late = (0..21).map(|i| f64::from(i * 4)).collect();
    add("m", "4", "b", Points::regular(101 * 15_000, 15_000, late));
    add("n", "1", "", Points::regular(0, 15_000, counter(1)));
    let text = "{{schema:0 sum:1 count:3 buckets:[1 2]}}";
    let histogram = Arc::new(parse_histogram(text).unwrap());
    let mut points = Points::default();
    for i in 0..101 {
        points.push_histogram(i * 15_000, Arc::clone(&histogram));
    }
    add("h", "", "", points);
    store
}

/// A query at a moment or over a range.
struct Case {
    query: Query,
    start: i64,
    end: i64,
    step: i64,
}

impl Case {
    fn run(&self, store: &Store, max_samples: usize) -> Result<(), EvalError> {
        let view = View {
            max_samples,
            ..View::new(store, Reader::After(i64::MAX), 60_000)
        };
        let evaluated = match self.step {
            0 if self.query.value_type() == ValueType::Matrix => {
                return evaluate_windows(&self.query, &view, self.start).map(|_| ());
            }
            0 => evaluate(&self.query, &view, Ticks::instant(self.start)),
            step => evaluate_range(&self.query, &view, self.start, self.end, step),
        };
        match evaluated {
            Evaluated::Vector(columns) | Evaluated::Scalar(columns) => {
                columns.errors.into_values().next().map_or(Ok(()), Err)
            }
            Evaluated::String(_) => Ok(()),
        }
    }
}

/// The least limit with which a query passes.
fn minimal_of(case: &Case, store: &Store) -> usize {
    let (mut fails, mut passes) = (0, 1 << 20);
    assert!(case.run(store, passes).is_ok());
    while fails + 1 < passes {
        let middle = (fails + passes) / 2;
        match case.run(store, middle) {
            Ok(()) => passes = middle,
            Err(error) => {
                assert_eq!(error.message, TOO_MANY_SAMPLES);
                fails = middle;
            }
        }
    }
    passes
}

fn parse(text: &str) -> Query {
    Query::parse(text, &Features::ALL).unwrap()
}

#[test]
fn about_as_many_samples_are_held_as_in_prometheus() {
    let store = store();
    let text = std::fs::read_to_string("fixtures/limits/minimal.txt").unwrap();
    let mut faults = Vec::new();
    let mut cases = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.splitn(5, ' ');
        let mut number = || words.next().unwrap().parse::<i64>().unwrap();
        let (minimal, start, end, step) = (number() as usize, number(), number(), number());
        let case = Case {
            query: parse(words.next().unwrap()),
            start,
            end,
            step,
        };
        let ours = minimal_of(&case, &store);
        // Of a single moment the samples are too few for a quotient to say much.
        if ours > minimal * 2 + 16 || (ours + 16) * 4 < minimal {
            faults.push(format!("{ours} instead of {minimal}: {line}"));
        }
        cases += 1;
    }
    assert!(cases >= 70, "only {cases} cases");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Ticks that are evaluated together hold no more than each alone: one fails where it fails by itself.
#[test]
fn each_tick_has_a_limit_of_its_own() {
    let store = store();
    let ticks = Ticks {
        start: 0,
        step: 60_000,
        count: 40,
    };
    for (text, limits) in [
        ("m", &[3, 4, 5][..]),
        ("sum(m)", &[4, 5]),
        ("sum_over_time(m[10m])", &[39, 40, 41, 43, 60]),
        ("max_over_time(m[10m:1m])", &[30, 39, 40, 45, 60]),
        ("max_over_time(sum_over_time(m[2m])[10m:1m])", &[45, 50, 60]),
        ("rate(h[5m])", &[100, 200, 300, 400]),
        ("1 + vector(2)", &[0, 1, 2, 3]),
    ] {
        let query = parse(text);
        let run = |ticks: Ticks, max_samples: usize| {
            let view = View {
                max_samples,
                ..View::new(&store, Reader::After(i64::MAX), 60_000)
            };
            match evaluate(&query, &view, ticks) {
                Evaluated::Vector(columns) | Evaluated::Scalar(columns) => columns,
                Evaluated::String(_) => panic!("{text}"),
            }
        };
        let unlimited = run(ticks, usize::MAX);
        assert!(unlimited.errors.is_empty());
        let mut mixed = 0;
        for &limit in limits {
            let together = run(ticks, limit);
            for tick in 0..ticks.count {
                let alone = run(Ticks::instant(ticks.time(tick)), limit);
                let failed = |columns: &rulecheck::promql::Columns, tick: usize| {
                    columns.errors.get(&tick).map(|error| error.message.clone())
                };
                let got = failed(&together, tick);
                assert_eq!(got, failed(&alone, 0), "{text} {limit} {tick}");
                assert!(got.is_none_or(|message| message == TOO_MANY_SAMPLES));
                if failed(&together, tick).is_some() {
                    continue;
                }
                let at = |columns: &rulecheck::promql::Columns| {
                    let series = columns.series.iter();
                    let present = series.filter(|series| series.column.is_present(tick));
                    let values =
                        present.map(|it| (it.labels.clone(), it.column.values()[tick].to_bits()));
                    values.collect::<std::collections::BTreeSet<_>>()
                };
                assert_eq!(at(&together), at(&unlimited), "{text} {limit} {tick}");
            }
            mixed += usize::from((1..ticks.count).contains(&together.errors.len()));
        }
        assert!(
            mixed > 0 || text.contains("vector"),
            "{text}: no limit parts the ticks"
        );
    }
}
