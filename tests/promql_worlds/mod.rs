//! Random series and queries over them.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use rulecheck::model::{Histogram, Labels, Millis, Timestamp};
use rulecheck::promql::{Columns, Evaluated, Sample, Ticks};
use rulecheck::series::notation::{expand, parse_histogram, parse_values};
use rulecheck::store::{Points, Series, Store, Writer};

/// The columns of a vector or a scalar.
pub fn columns(evaluated: &Evaluated) -> &Columns {
    match evaluated {
        Evaluated::Vector(columns) | Evaluated::Scalar(columns) => columns,
        Evaluated::String(text) => panic!("no columns: {text}"),
    }
}

/// What was evaluated at a tick: labels with bits, or the error.
pub fn at(evaluated: &Evaluated, tick: usize) -> Result<BTreeMap<String, String>, String> {
    let columns = columns(evaluated);
    if let Some(error) = columns.errors.get(&tick) {
        return Err(error.message.clone());
    }
    let mut found = BTreeMap::new();
    for series in &columns.series {
        let sample = match series.column.get(tick) {
            Some(Sample::Float(value)) if value.is_nan() => "NaN".to_owned(),
            Some(Sample::Float(value)) => format!("{:016x}", value.to_bits()),
            Some(Sample::Histogram(histogram)) => format!("{histogram:?}"),
            None => continue,
        };
        let twice = found.insert(series.labels.to_string(), sample);
        assert_eq!(twice, None, "a label set stands twice");
    }
    Ok(found)
}

/// Series of three names and few labels, floats and histograms, with gaps and markers of staleness.
pub fn store() -> impl Strategy<Value = Store> {
    prop::collection::vec(series(), 1..12).prop_map(|all| {
        let mut store = Store::default();
        let mut seen: Vec<(Labels, Writer)> = Vec::new();
        for series in all {
            let key = (series.labels.clone(), series.writer);
            if !seen.contains(&key) {
                seen.push(key);
                store.add(series);
            }
        }
        store
    })
}

fn series() -> impl Strategy<Value = Series> {
    let labels = (
        select(vec!["m", "n", "c_bucket"]),
        select(vec!["x", "y", ""]),
        select(vec!["1", "+Inf", ""]),
    );
    let writer = prop_oneof![
        3 => Just(Writer::INPUT),
        1 => (1u32..4, select(vec![0, 30_000, 60_000]))
            .prop_map(|(position, offset)| Writer { position, offset }),
    ];
    (labels, writer, points()).prop_map(|((name, a, le), writer, points)| Series {
        labels: Labels::from_pairs([("__name__", name), ("a", a), ("le", le)]),
        points,
        writer,
    })
}

fn points() -> impl Strategy<Value = Points> {
    let value = prop_oneof![
        12 => (0i32..5).prop_map(|value| value.to_string()),
        2 => (-100.0..100.0f64).prop_map(|value| value.to_string()),
        2 => Just("_".to_owned()),
        1 => Just("stale".to_owned()),
        1 => select(vec!["NaN", "Inf", "-Inf", "1e308", "-0"]).prop_map(str::to_owned),
    ];
    let floats = (
        prop::collection::vec(value, 1..40),
        select(vec![15_000, 30_000, 60_000]),
    )
        .prop_map(|(values, interval)| {
            expand(
                &parse_values(&values.join(" ")).unwrap(),
                0,
                interval,
                1_000,
            )
            .unwrap()
        });
    let layouts = select(vec![
        &LAYOUTS[..1],
        &LAYOUTS[1..2],
        &LAYOUTS[2..4],
        &LAYOUTS,
    ]);
    let histograms = (prop::collection::vec((0u32..6, 0usize..8), 1..20), layouts).prop_map(
        |(counts, layouts)| {
            let mut points = Points::default();
            for (index, (count, layout)) in counts.into_iter().enumerate() {
                let time = index as i64 * 30_000;
                match count {
                    0 => points.push(time, 1.0),
                    count => points
                        .push_histogram(time, histogram(count, layouts[layout % layouts.len()])),
                }
            }
            points
        },
    );
    prop_oneof![5 => floats, 1 => histograms]
}

/// What histograms are like besides their counts.
const LAYOUTS: [&str; 6] = [
    "schema:0",
    "schema:0 counter_reset_hint:gauge",
    "schema:-53 custom_values:[1 2]",
    "schema:-53 custom_values:[2]",
    "schema:0 counter_reset_hint:reset",
    "schema:1 counter_reset_hint:not_reset",
];

fn histogram(count: u32, layout: &str) -> Arc<Histogram> {
    let text = format!(
        "{{{{{layout} count:{count} sum:{} buckets:[{count}]}}}}",
        count * 3
    );
    Arc::new(parse_histogram(&text).unwrap())
}

/// Ticks of several steps, few or more than a word of bits.
pub fn ticks() -> impl Strategy<Value = Ticks> {
    let starts: Vec<Timestamp> = vec![0, 45_000, 60_000, 333_333, 600_000];
    let steps: Vec<Millis> = vec![15_000, 17_000, 60_000];
    (
        select(starts),
        select(steps),
        prop_oneof![3 => 1usize..12, 1 => 60usize..70],
    )
        .prop_map(|(start, step, count)| Ticks { start, step, count })
}

/// A query that yields a vector, most of the time.
pub fn vector() -> impl Strategy<Value = String> {
    let leaf = (selector(), shift()).prop_map(|(selector, shift)| format!("{selector}{shift}"));
    leaf.prop_recursive(4, 24, 3, |inner| {
        let range = range(inner.clone());
        prop_oneof![
            (select(RANGE_FUNCTIONS.to_vec()), range.clone())
                .prop_map(|(name, range)| format!("{name}({range})")),
            (select(FUNCTIONS.to_vec()), inner.clone())
                .prop_map(|(name, inner)| format!("{name}({inner})")),
            (select(AGGREGATIONS.to_vec()), grouping(), inner.clone())
                .prop_map(|(name, by, inner)| format!("{name}{by} ({inner})")),
            (
                select(CHOICES.to_vec()),
                grouping(),
                number(),
                inner.clone()
            )
                .prop_map(|(name, by, number, inner)| format!("{name}{by} ({number}, {inner})")),
            (inner.clone(), select(OPERATORS.to_vec()), number())
                .prop_map(|(inner, op, number)| format!("({inner}) {op} {number}")),
            (
                inner.clone(),
                select(OPERATORS.to_vec()),
                select(MATCHINGS.to_vec()),
                inner.clone()
            )
                .prop_map(|(left, op, matching, right)| format!(
                    "({left}) {op} {matching} ({right})"
                )),
            (
                inner.clone(),
                select(vec!["and", "or", "unless"]),
                select(vec!["", "on (a)"]),
                inner.clone()
            )
                .prop_map(|(left, op, on, right)| format!("({left}) {op} {on} ({right})")),
            (
                select(vec!["a", "z", "__name__"]),
                select(vec!["(.*)", "x", "(.).*"]),
                inner.clone()
            )
                .prop_map(|(to, pattern, inner)| {
                    format!("label_replace({inner}, \"{to}\", \"q$1\", \"a\", \"{pattern}\")")
                }),
            (number(), range)
                .prop_map(|(number, range)| { format!("quantile_over_time({number}, {range})") }),
            (number(), inner.clone())
                .prop_map(|(number, inner)| format!("histogram_quantile({number}, {inner})")),
            inner.clone().prop_map(|inner| format!("-({inner})")),
            inner.prop_map(|inner| format!("vector(scalar({inner}))")),
        ]
    })
}

fn selector() -> impl Strategy<Value = &'static str> + Clone {
    select(vec![
        "m",
        "n",
        "c_bucket",
        "m{a=\"x\"}",
        "{__name__=~\"m|n\"}",
        "{a!=\"x\",__name__!=\"\"}",
        "none",
    ])
}

fn shift() -> impl Strategy<Value = &'static str> + Clone {
    prop_oneof![
        6 => Just(""),
        1 => select(vec![" offset 1m", " offset 30s", " offset -1m"]),
        1 => select(vec![" @ 120", " @ start()", " @ end() offset 1m", " @ 900"]),
    ]
}

fn range(inner: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> + Clone {
    let length = select(vec!["1m", "90s", "5m", "45s"]);
    prop_oneof![
        2 => (selector(), length.clone(), shift())
            .prop_map(|(selector, length, shift)| format!("{selector}[{length}]{shift}")),
        1 => (inner, length, select(vec!["", "30s", "17s"]), shift())
            .prop_map(|(inner, length, step, shift)| format!("({inner})[{length}:{step}]{shift}")),
    ]
}

fn grouping() -> impl Strategy<Value = &'static str> + Clone {
    select(vec![
        "",
        " by (a)",
        " by (__name__)",
        " without (le)",
        " by (le, a)",
    ])
}

fn number() -> impl Strategy<Value = &'static str> + Clone {
    select(vec![
        "0",
        "1",
        "2",
        "0.5",
        "NaN",
        "-1",
        "time()",
        "scalar(m{a=\"x\"})",
        "end()",
    ])
}

const RANGE_FUNCTIONS: [&str; 19] = [
    "rate",
    "increase",
    "delta",
    "irate",
    "deriv",
    "changes",
    "resets",
    "sum_over_time",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "count_over_time",
    "stddev_over_time",
    "last_over_time",
    "first_over_time",
    "present_over_time",
    "absent_over_time",
    "mad_over_time",
    "ts_of_max_over_time",
];

const FUNCTIONS: [&str; 11] = [
    "abs",
    "ln",
    "sgn",
    "hour",
    "timestamp",
    "absent",
    "sort_desc",
    "histogram_count",
    "histogram_sum",
    "round",
    "exp",
];

const AGGREGATIONS: [&str; 7] = ["sum", "avg", "count", "min", "max", "group", "stddev"];

const CHOICES: [&str; 5] = ["topk", "bottomk", "quantile", "limitk", "limit_ratio"];

const OPERATORS: [&str; 9] = ["+", "-", "*", "/", ">", "<=", "==", "!= bool", "> bool"];

const MATCHINGS: [&str; 6] = [
    "",
    "on (a)",
    "ignoring (le)",
    "on (a) group_left ()",
    "ignoring (le) group_right ()",
    "fill (0)",
];
