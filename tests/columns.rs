//! Evaluating many ticks at once means the same as evaluating each alone, bit for bit and errors included.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at a broken query of its own making"
)]

mod promql_worlds;

use proptest::prelude::*;
use proptest::sample::select;
use rulecheck::model::Labels;
use rulecheck::promql::{Annotations, Features, Query, Reader, Ticks, View, evaluate};
use rulecheck::store::{Points, Series, Store, Writer};
use rulecheck::text::Span;

use promql_worlds::{at, columns, store, ticks, vector};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn many_ticks_at_once_are_each_alone(
        store in store(),
        query in vector(),
        reader in reader(),
        ticks in ticks(),
        delayed_name_removal in any::<bool>(),
    ) {
        let features = Features {
            experimental_functions: true,
            delayed_name_removal,
            binop_fill_modifiers: true,
            ..Features::default()
        };
        let parsed = Query::parse(&query, &features);
        prop_assume!(parsed.is_ok());
        let parsed = parsed.unwrap();
        let view = View { features, ..View::new(&store, reader, 60_000) };
        let together = evaluate(&parsed, &view, ticks);
        let mut annotations = Annotations::default();
        for tick in 0..ticks.count {
            let alone = evaluate(&parsed, &view, Ticks::instant(ticks.time(tick)));
            annotations.merge(columns(&alone).annotations.clone());
            let (together, alone) = (at(&together, tick), at(&alone, 0));
            prop_assert_eq!(together, alone, "{} at {}", query, ticks.time(tick));
        }
        let together = said(&columns(&together).annotations);
        prop_assert_eq!(together, said(&annotations), "{} at {:?}", query, ticks);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Counters on a grid, whose windows slide in step with the ticks, take a shorter way.
    #[test]
    fn steady_windows_equal_each_window_alone(
        values in counter(),
        interval in select(vec![5_000, 15_000, 60_000]),
        function in select(vec!["rate", "increase", "delta", "sum_over_time", "avg_over_time"]),
        range in select(vec!["15s", "30s", "1m", "61s", "5m", "1h"]),
        start in select(vec![0, 45_000, 61_234, 600_000]),
        stride in 1i64..4,
        count in 2usize..200,
    ) {
        let mut store = Store::default();
        store.add(Series {
            labels: Labels::from_pairs([("__name__", "c_total")]),
            points: Points::regular(0, interval, values),
            writer: Writer::INPUT,
        });
        let text = format!("{function}(c_total[{range}])");
        let query = Query::parse(&text, &Features::default()).unwrap();
        let view = View::new(&store, Reader::After(i64::MAX), 60_000);
        let ticks = Ticks { start, step: interval * stride, count };
        let together = evaluate(&query, &view, ticks);
        for tick in 0..count {
            let alone = evaluate(&query, &view, Ticks::instant(ticks.time(tick)));
            prop_assert_eq!(at(&together, tick), at(&alone, 0), "{} at {}", text, ticks.time(tick));
        }
    }
}

/// The values of a counter that mostly rises; steps are small beside what it begins with, or large. Some are no counter's.
fn counter() -> impl Strategy<Value = Vec<f64>> {
    let odd = vec![
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        1.7e308,
        -1.7e308,
        -0.0,
        1e16,
    ];
    let odd = prop::collection::vec((0usize..250, select(odd)), 1..4);
    let odd = prop_oneof![3 => Just(Vec::new()), 1 => odd];
    (rising(), odd).prop_map(|(mut values, odd)| {
        for (at, odd) in odd {
            if let Some(value) = values.get_mut(at) {
                *value = odd;
            }
        }
        values
    })
}

fn rising() -> impl Strategy<Value = Vec<f64>> {
    let step = prop_oneof![
        6 => (0u32..50).prop_map(f64::from),
        3 => 0.0..3.0f64,
        1 => Just(0.0),
    ];
    let first = prop_oneof![Just(0.0), 0.0..5.0f64, Just(1e6), Just(-3.0), Just(1e-300)];
    let is_reset = prop::bool::weighted(0.2);
    (
        first,
        prop::collection::vec(step, 2..250),
        is_reset,
        0usize..250,
    )
        .prop_map(|(first, steps, is_reset, at)| {
            let mut value = first;
            let steps = steps.into_iter().enumerate();
            let values = steps.map(|(index, step)| {
                let before = value;
                value = if is_reset && index == at {
                    step
                } else {
                    value + step
                };
                before
            });
            values.collect()
        })
}

/// Of a window that holds nothing but NaN the last is the least and the greatest, whatever windows there were before.
#[test]
fn the_extremes_of_nan_are_the_last_of_them() {
    let nan = |payload: u64| f64::from_bits(0x7ff8_0000_0000_0000 | payload);
    let mut store = Store::default();
    store.add(Series {
        labels: Labels::from_pairs([("__name__", "m")]),
        points: Points::regular(0, 15_000, vec![1.0, 2.0, nan(3), nan(4), nan(5), 3.0]),
        writer: Writer::INPUT,
    });
    let view = View::new(&store, Reader::After(i64::MAX), 60_000);
    let ticks = Ticks {
        start: 0,
        step: 15_000,
        count: 7,
    };
    for function in ["min_over_time", "max_over_time"] {
        let text = format!("{function}(m[30s])");
        let query = Query::parse(&text, &Features::default()).unwrap();
        let evaluated = evaluate(&query, &view, ticks);
        let column = &columns(&evaluated).series[0].column;
        let bits: Vec<u64> = (3..5).map(|tick| column.values()[tick].to_bits()).collect();
        assert_eq!(bits, [nan(4).to_bits(), nan(5).to_bits()], "{text}");
    }
}

/// A series that is to lose its name at one tick and keeps it at another, under the same labels.
#[test]
fn twins_keep_their_own_names() {
    let mut store = Store::default();
    store.add(Series {
        labels: rulecheck::model::Labels::from_pairs([("__name__", "m"), ("a", "y")]),
        points: Points::regular(0, 15_000, vec![0.0, 1.0]),
        writer: Writer::INPUT,
    });
    let features = Features {
        delayed_name_removal: true,
        ..Features::default()
    };
    let text = r#"label_replace(quantile_over_time(0, m[1m]) or {__name__=~"m|n"}, "a", "q$1", "a", "(.*)")"#;
    let query = Query::parse(text, &features).unwrap();
    let view = View {
        features,
        ..View::new(&store, Reader::After(300_000), 60_000)
    };
    let ticks = Ticks {
        start: 0,
        step: 60_000,
        count: 3,
    };
    let together = evaluate(&query, &view, ticks);
    let names: Vec<_> = (0..3)
        .map(|tick| at(&together, tick).unwrap().into_keys().next())
        .collect();
    let nameless = Some(r#"{a="qy"}"#.to_owned());
    assert_eq!(
        names,
        [nameless.clone(), nameless, Some(r#"m{a="qy"}"#.to_owned())]
    );
}

/// Messages and where they point to, without what is counted: steps that ticks share are counted once.
fn said(annotations: &Annotations) -> Vec<(String, Span)> {
    let said = annotations.iter();
    said.map(|found| (found.message.clone(), found.span))
        .collect()
}

fn reader() -> impl Strategy<Value = Reader> {
    prop_oneof![
        3 => (1u32..5, select(vec![0, 30_000, 60_000]))
            .prop_map(|(position, offset)| Reader::Rule { position, offset }),
        1 => (0i64..1_200_000).prop_map(Reader::After),
    ]
}
