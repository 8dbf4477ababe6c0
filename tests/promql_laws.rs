//! Laws of the query language: pairs of queries that mean the same over any series, and what must not depend on where, when
//! or how a query is evaluated. `LAW_CASES` for a long run by hand.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at a broken query of its own making"
)]

mod promql_worlds;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use rulecheck::model::{CounterResetHint, Histogram, Labels, Millis, Timestamp};
use rulecheck::promql::{
    Evaluated, Features, Query, Reader, Sample, Ticks, View, evaluate, evaluate_range,
};
use rulecheck::replay::{OnRuleError, ReplaySpec, replay};
use rulecheck::rules::{self, ReadOptions};
use rulecheck::store::{Points, Series, Store, Writer};
use rulecheck::text::Source;

use promql_worlds::{at, columns, store, ticks, vector};

/// What holds for every vector `X` and `Y`, errors included.
const OF_VECTORS: &[(&str, &str)] = &[
    ("(X) and (X)", "X"),
    ("(X) unless (X)", "(X) and on () none"),
    ("(X) or (X)", "X"),
    ("(X) unless ((X) unless (Y))", "(X) and (Y)"),
    ("((X) and (Y)) or ((X) unless (Y))", "(X) or ((X) and (Y))"),
    ("(X) or ((Y) unless (X))", "(X) or (Y)"),
    ("(X) and on (a) (Y)", "(X) and on (a) (group by (a) (Y))"),
    (
        "(X) unless on (a) (Y)",
        "(X) unless on (a) (group by (a) (Y))",
    ),
    ("+(X)", "X"),
    ("topk(2, X) unless (X)", "(X) and on () none"),
    ("limitk(2, X) unless (X)", "(X) and on () none"),
    ("count(topk(2, X))", "count(topk(2, topk(3, X)))"),
    ("count(X)", "sum(count by (a) (X))"),
    ("count by (a) (X)", "sum by (a) (count by (a, le) (X))"),
    ("sum(count_values(\"v\", X))", "count(X)"),
    (
        "sum by (a) (count_values by (a) (\"v\", X))",
        "count by (a) (X)",
    ),
    ("group(X)", "group(group by (le) (X))"),
    ("max((X) + 0)", "max(max by (a) ((X) + 0))"),
    ("min((X) + 0)", "min(min by (a) ((X) + 0))"),
    ("absent((X) or none)", "vector(1) unless on () (X)"),
    ("((X) + 0) + ((X) + 0)", "((X) + 0) * 2"),
    ("-(-((X) + 0))", "(X) + 0"),
    ("clamp(X, 0, 3)", "clamp_max(clamp_min(X, 0), 3)"),
    (
        "label_join(X, \"z\", \"\", \"a\")",
        "label_replace(X, \"z\", \"$1\", \"a\", \"(.*)\")",
    ),
    ("sort(X)", "sort_desc(X)"),
    ("sort_by_label(X, \"a\")", "X"),
    ("((X) > bool 1) == 1", "((X) > bool 1) > 0"),
    ("abs(X)", "abs(-(X))"),
    ("vector(scalar(X))", "vector(scalar((X) and (X)))"),
    (
        "histogram_count(sum by (a) (X)) * 2",
        "histogram_count(sum by (a) (X) * 2)",
    ),
    ("histogram_sum(X) / histogram_count(X)", "histogram_avg(X)"),
];

/// What holds for the metric `m` with its labels `a`, `b` and `c`, integers without markers of staleness, at full minutes.
const OF_INTEGERS: &[(&str, &str)] = &[
    ("sum(m)", "sum(sum by (a) (m))"),
    ("sum by (a) (m)", "sum by (a) (sum by (a, b) (m))"),
    ("sum(m)", "sum(sum without (a) (m))"),
    ("sum(m)", "sum(m > 2 or m <= 2)"),
    ("avg by (a) (m)", "sum by (a) (m) / count by (a) (m)"),
    ("quantile(0, m)", "min(m)"),
    ("quantile by (a) (1, m)", "max by (a) (m)"),
    ("max(topk(2, m))", "max(m)"),
    ("min(bottomk(2, m))", "min(m)"),
    ("sum(topk(2, m))", "sum(topk(2, topk(4, m)))"),
    ("sum(bottomk by (a) (1, m))", "sum(min by (a) (m))"),
    ("limit_ratio(0.4, m) or limit_ratio(-0.6, m)", "m"),
    ("limit_ratio(0.4, m) and limit_ratio(-0.6, m)", "none"),
    // Nothing that was not chosen is better than what was.
    ("max(m unless topk(2, m)) > min(topk(2, m))", "none"),
    ("min(m unless bottomk(2, m)) < max(bottomk(2, m))", "none"),
    ("m{a=\"x\"} or m{a=\"y\"}", "m{a=\"y\"} or m{a=\"x\"}"),
    ("m{a=\"x\"} or m{a!=\"x\"}", "m"),
    ("m * m", "m ^ 2"),
    ("m - m", "m * 0 + 0"),
    ("m * on (a, b, c) group_left () m", "m * m"),
    (
        "m / ignoring (b, c) group_left () sum by (a) (m)",
        "m / on (a) group_left () sum by (a) (m)",
    ),
    ("m + fill (0) (m > 2)", "m + ((m > 2) or (m * 0))"),
    ("(m > 2) + fill_left (0) m", "((m > 2) or (m * 0)) + m"),
    (
        "sum_over_time(m[5m]) / count_over_time(m[5m])",
        "avg_over_time(m[5m])",
    ),
    ("quantile_over_time(0, m[5m])", "min_over_time(m[5m])"),
    ("quantile_over_time(1, m[5m])", "max_over_time(m[5m])"),
    (
        "max_over_time(m[5m])",
        "max_over_time(max_over_time(m[1m])[5m:1m])",
    ),
    (
        "sum_over_time(m[5m])",
        "sum_over_time(sum_over_time(m[1m])[5m:1m])",
    ),
    (
        "count_over_time(m[1m:15s])",
        "sum_over_time((m * 0 + 1)[1m:15s])",
    ),
    ("last_over_time(m[5m])", "m"),
    ("ts_of_last_over_time(m[5m])", "timestamp(m)"),
    ("present_over_time(m[5m])", "sgn(count_over_time(m[5m]))"),
    (
        "absent_over_time(m[5m])",
        "absent(present_over_time(m[5m]))",
    ),
    ("resets(m[5m]) > changes(m[5m])", "none"),
    ("min_over_time(m[5m]) > max_over_time(m[5m])", "none"),
    (
        "ts_of_min_over_time(m[5m]) > ts_of_last_over_time(m[5m])",
        "none",
    ),
];

/// Functions of windows that do not look at the time of evaluation.
const OF_WINDOWS: [&str; 14] = [
    "rate",
    "increase",
    "delta",
    "irate",
    "idelta",
    "deriv",
    "changes",
    "resets",
    "sum_over_time",
    "avg_over_time",
    "stddev_over_time",
    "mad_over_time",
    "ts_of_max_over_time",
    "last_over_time",
];

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn laws_of_vectors_hold(
        store in store(),
        (left, right) in select(OF_VECTORS.to_vec()),
        x in query(),
        y in query(),
        ticks in ticks(),
        delayed in any::<bool>(),
    ) {
        prop_assume!(!has_mixed_twins(&store));
        let world = World { store: &store, features: features(delayed) };
        let filled = |law: &str| law.replace('X', &x).replace('Y', &y);
        world.agree(&filled(left), &filled(right), ticks)?;
    }

    #[test]
    fn laws_of_integers_hold(
        store in integers(),
        (left, right) in select(OF_INTEGERS.to_vec()),
        delayed in any::<bool>(),
    ) {
        let world = World { store: &store, features: features(delayed) };
        world.agree(left, right, MINUTES)?;
    }
}

proptest! {
    #![proptest_config(config(300))]

    /// Each step of a range query is an instant query, and one that fails fails all.
    #[test]
    fn range_queries_are_their_instants(
        store in store(),
        query in query(),
        ticks in ticks(),
        delayed in any::<bool>(),
    ) {
        let world = World { store: &store, features: features(delayed) };
        prop_assume!(!asks_for_query(&query));
        prop_assume!(!chooses_once(&query));
        let range = world.range(&query, ticks);
        let instants = world.answers(&query, ticks);
        match range {
            Ok(steps) => {
                let instants: Result<Vec<_>, _> = instants.into_iter().collect();
                prop_assert_eq!(Ok(steps), instants, "{}", query);
            }
            Err(message) => {
                let fails = instants.iter().any(|instant| instant.is_err());
                prop_assert!(fails || may_collide(&message, delayed), "{}: {}", query, message);
            }
        }
    }

    #[test]
    fn an_offset_is_an_earlier_evaluation(
        store in store(),
        query in query(),
        start in select(vec![0, 90_000, 420_000]),
        offset in select(vec![-60_000, 30_000, 333_333]),
        delayed in any::<bool>(),
    ) {
        let world = World { store: &store, features: features(delayed) };
        prop_assume!(!asks_for_query(&query));
        let query = format!("({query}) or none");
        let moved = format!("last_over_time(({query})[1ms:1ms] offset {}ms)", offset);
        let there = world.answers(&query, Ticks { start: start - offset, step: 60_000, count: 4 });
        let here = world.answers(&moved, Ticks { start, step: 60_000, count: 4 });
        prop_assert_eq!(hintless(here), hintless(there), "{}", moved);
    }

    #[test]
    fn at_a_moment_is_an_evaluation_then(
        store in store(),
        query in query(),
        moment in select(vec![0i64, 90_000, 420_123]),
        delayed in any::<bool>(),
    ) {
        let world = World { store: &store, features: features(delayed) };
        prop_assume!(!asks_for_query(&query));
        let query = format!("({query}) or none");
        let pinned = format!("last_over_time(({query})[1ms:1ms] @ {})", moment as f64 / 1000.0);
        let then = hintless(world.answers(&query, Ticks::instant(moment)));
        for here in hintless(world.answers(&pinned, MINUTES)) {
            prop_assert_eq!(&here, &then[0], "{}", pinned);
        }
    }

    #[test]
    fn moved_windows_are_windows_elsewhere(
        store in integers(),
        function in select(OF_WINDOWS.to_vec()),
        range in select(vec!["1m", "5m", "[5m:30s"]),
        offset in select(vec![-90_000, 45_000, 300_000]),
        extension in select(vec!["", " anchored"]),
    ) {
        let world = World { store: &store, features: features(false) };
        let window = match range.strip_prefix('[') {
            Some(subquery) => format!("m[{subquery}]"),
            None if ["rate", "increase", "delta", "changes", "resets"].contains(&function) => format!("m[{range}]{extension}"),
            None => format!("m[{range}]"),
        };
        let here = format!("{function}({window})");
        let there = Ticks { start: MINUTES.start - offset, ..MINUTES };
        let elsewhere = world.answers(&here, there);
        let moved = format!("{function}({window} offset {offset}ms)");
        prop_assert_eq!(world.answers(&moved, MINUTES), elsewhere.clone(), "{}", moved);
        for (tick, elsewhere) in elsewhere.iter().enumerate() {
            let pinned = format!("{function}({window} @ {})", there.time(tick) as f64 / 1000.0);
            prop_assert_eq!(&world.answers(&pinned, Ticks::instant(0))[0], elsewhere, "{}", pinned);
        }
    }

    /// An increase is a rate times the length of its window, to the last bits.
    #[test]
    fn rates_times_lengths_are_increases(
        store in integers(),
        minutes in 1i64..10,
        extension in select(vec!["", " anchored", " smoothed"]),
    ) {
        let world = World { store: &store, features: features(false) };
        let rate = format!("rate(m[{minutes}m]{extension}) * {}", minutes * 60);
        let increase = format!("increase(m[{minutes}m]{extension})");
        let parts = format!("abs(({rate}) - ({increase})) > 1e-12 * abs({increase})");
        world.agree(&parts, "none", MINUTES)?;
        world.agree(&format!("({rate}) * 0"), &format!("({increase}) * 0"), MINUTES)?;
    }

    #[test]
    fn choices_are_in_order(store in integers(), k in 1usize..9, tick in 0i64..15) {
        let world = World { store: &store, features: features(false) };
        let time = Ticks::instant(tick * 60_000);
        for (choice, sign) in [("topk", -1.0), ("bottomk", 1.0)] {
            let evaluated = world.evaluate(&format!("{choice}({k}, m)"), time);
            let values = columns(&evaluated).series.iter().map(|series| match series.column.get(0) {
                Some(Sample::Float(value)) => value * sign,
                _ => f64::NAN,
            });
            let values: Vec<f64> = values.collect();
            prop_assert!(values.is_sorted(), "{} {:?}", choice, values);
            let all = columns(&world.evaluate("m", time)).series.len();
            prop_assert_eq!(values.len(), k.min(all));
        }
    }
}

proptest! {
    #![proptest_config(config(200))]

    /// What a query yields at the steps of a subquery, recorded, is what the subquery sees.
    #[test]
    fn subqueries_see_what_was_recorded(
        store in store(),
        query in query(),
        function in select(OF_WINDOWS[..13].to_vec()),
        delayed in any::<bool>(),
    ) {
        let world = World { store: &store, features: features(delayed) };
        prop_assume!(!asks_for_query(&query));
        prop_assume!(!chooses_once(&query));
        prop_assume!(!chooses_among_chosen(&query));
        let query = format!("sum by (a, le) ({query})");
        let steps = Ticks { start: -600_000, step: 30_000, count: 60 };
        let results = world.evaluate(&query, steps);
        prop_assume!(columns(&results).errors.is_empty());
        let mut recorded = Store::default();
        for series in &columns(&results).series {
            let mut points = Points::default();
            for tick in series.column.present_ticks() {
                match series.column.get(tick) {
                    Some(Sample::Float(value)) => points.push(steps.time(tick), value),
                    Some(Sample::Histogram(it)) => points.push_histogram(steps.time(tick), unhinted(it)),
                    None => {}
                }
            }
            let labels = series.labels.iter().chain([("__name__", "r")]);
            recorded.add(Series { labels: Labels::from_pairs(labels), points, writer: Writer::INPUT });
        }
        let ticks = Ticks { start: 0, step: 45_000, count: 20 };
        let subquery = world.answers(&format!("{function}(({query})[5m:30s])"), ticks);
        let world = World { store: &recorded, features: world.features };
        let recorded = world.answers(&format!("{function}(r[5m])"), ticks);
        for (seen, recorded) in subquery.into_iter().zip(recorded) {
            if !seen.as_ref().is_err_and(|message| may_collide(message, delayed)) {
                prop_assert_eq!(seen, recorded, "{} {}", function, query);
            }
        }
    }

    /// A rule records what its query yields.
    #[test]
    fn replays_record_what_queries_yield(
        store in store(),
        query in query(),
        delayed in any::<bool>(),
    ) {
        // A selector of any name would find what is recorded, and a rule does not see what lies ahead.
        prop_assume!(!query.contains("__name__!=") && !query.contains('@') && !query.contains("offset -"));
        let mut inputs = Store::default();
        for series in store.iter().filter(|series| series.writer == Writer::INPUT) {
            inputs.add(series.clone());
        }
        let world = World { store: &inputs, features: features(delayed) };
        let query = format!("sum by (a, le) ({query})");
        let expected = world.answers(&format!("label_replace({query}, \"__name__\", \"r\", \"\", \"\")"), MINUTES);
        prop_assume!(expected.iter().all(|answer| answer.is_ok()));
        let rules = format!("groups: [{{name: g, rules: [{{record: r, expr: '{query}'}}]}}]");
        let options = ReadOptions { features: world.features, ..ReadOptions::default() };
        let file = rules::read(&Source::new("rules.yml", rules), &options).unwrap();
        let groups: Vec<_> = file.groups.iter().collect();
        let end = MINUTES.time(MINUTES.count - 1);
        let mut spec = ReplaySpec::new(&groups, inputs.clone(), 0, end, MINUTES.step);
        spec.features = world.features;
        spec.on_error = OnRuleError::Stop;
        let replayed = replay(spec).unwrap();
        for error in &replayed.errors {
            let is_of_storage = ["observation count", "buckets"].iter().any(|word| error.message.contains(word));
            prop_assert!(is_of_storage, "{}: {}", query, error.message);
        }
        // Not every histogram that a query makes can be stored.
        prop_assume!(replayed.errors.is_empty());
        let world = World { store: &replayed.store, features: world.features };
        let recorded = hintless(world.answers("r", MINUTES));
        prop_assert_eq!(recorded, hintless(expected), "{}", query);
    }
}

/// Quarter of an hour.
const MINUTES: Ticks = Ticks {
    start: 0,
    step: 60_000,
    count: 15,
};

fn config(cases: u32) -> ProptestConfig {
    let wanted = std::env::var("LAW_CASES").ok();
    let cases = wanted.and_then(|cases| cases.parse().ok()).unwrap_or(cases);
    ProptestConfig {
        cases,
        max_global_rejects: cases * 4,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn features(delayed_name_removal: bool) -> Features {
    Features {
        delayed_name_removal,
        ..Features::ALL
    }
}

/// Series, and how they are asked.
struct World<'a> {
    store: &'a Store,
    features: Features,
}

/// Labels with bits, or the error.
type Answer = Result<BTreeMap<String, String>, String>;

impl World<'_> {
    fn view(&self) -> View<'_> {
        View {
            features: self.features,
            ..View::new(self.store, Reader::After(Timestamp::MAX), 60_000)
        }
    }

    fn evaluate(&self, query: &str, ticks: Ticks) -> Evaluated {
        let query = Query::parse(query, &self.features)
            .unwrap_or_else(|faults| panic!("{query}: {}", faults[0]));
        evaluate(&query, &self.view(), ticks)
    }

    /// What instant queries answer.
    fn answers(&self, query: &str, ticks: Ticks) -> Vec<Answer> {
        let evaluated = self.evaluate(query, ticks);
        (0..ticks.count).map(|tick| at(&evaluated, tick)).collect()
    }

    /// What a range query answers.
    fn range(&self, query: &str, ticks: Ticks) -> Result<Vec<BTreeMap<String, String>>, String> {
        let query = Query::parse(query, &self.features).unwrap();
        let end = ticks.time(ticks.count - 1);
        let evaluated = evaluate_range(&query, &self.view(), ticks.start, end, ticks.step);
        (0..ticks.count).map(|tick| at(&evaluated, tick)).collect()
    }

    /// That two queries answer alike, if only by both failing.
    fn agree(&self, left: &str, right: &str, ticks: Ticks) -> Result<(), TestCaseError> {
        let (lefts, rights) = (self.answers(left, ticks), self.answers(right, ticks));
        for (tick, (of_left, of_right)) in lefts.into_iter().zip(rights).enumerate() {
            if of_left.is_err() && of_right.is_err() {
                continue;
            }
            prop_assert_eq!(
                of_left,
                of_right,
                "{}\n{}\nat {}",
                left,
                right,
                ticks.time(tick)
            );
        }
        Ok(())
    }
}

/// Whether a counter was reset is told anew of what was recorded, and not told of what a subquery evaluated.
fn hintless(answers: Vec<Answer>) -> Vec<Answer> {
    let without = |text: String| {
        text.replace("hint: NotReset", "hint: Unknown")
            .replace("hint: Reset", "hint: Unknown")
    };
    let answers = answers.into_iter().map(|answer| {
        answer.map(|series| {
            series
                .into_iter()
                .map(|(labels, value)| (labels, without(value)))
                .collect()
        })
    });
    answers.collect()
}

/// A subquery does not know whether a counter was reset between its steps.
fn unhinted(histogram: &Histogram) -> Arc<Histogram> {
    let mut histogram = histogram.clone();
    if histogram.counter_reset_hint != CounterResetHint::Gauge {
        histogram.counter_reset_hint = CounterResetHint::Unknown;
    }
    Arc::new(histogram)
}

/// A query that yields a vector.
fn query() -> impl Strategy<Value = String> {
    vector().prop_filter("no query", |text| {
        Query::parse(text, &Features::ALL).is_ok()
    })
}

/// Whether series differ in nothing but their name, one of them with histograms: once they are called alike they are one series
/// with a float and a histogram at one time, in Prometheus too, and which of the two counts depends on who looks.
fn has_mixed_twins(store: &Store) -> bool {
    let nameless = |series: &Series| series.labels.with("__name__", "");
    store.iter().any(|series| {
        let is_twin =
            |other: &Series| other.labels != series.labels && nameless(other) == nameless(series);
        series.points.has_histograms() && store.iter().any(is_twin)
    })
}

/// Where names go at once, series that become one at different steps can't be one in a range query, nor in a subquery.
fn may_collide(message: &str, delayed_name_removal: bool) -> bool {
    !delayed_name_removal && message.ends_with("with the same labelset")
}

/// Whether a query asks when it itself begins and ends.
fn asks_for_query(query: &str) -> bool {
    query.contains("start()") || query.contains("end()")
}

/// Whether a query chooses from what another choice left: at one moment these lie in that choice's order, over the steps of
/// a subquery in one that Prometheus leaves to chance.
fn chooses_among_chosen(query: &str) -> bool {
    let choices = ["topk", "bottomk", "limitk", "limit_ratio"];
    let count = choices.iter().map(|choice| query.matches(choice).count());
    count.sum::<usize>() > 1
}

/// Whether a query chooses from what is pinned to a moment: that is done once, with the number that stands at the first
/// step.
fn chooses_once(query: &str) -> bool {
    let choices = ["topk", "bottomk", "quantile", "limitk", "limit_ratio"];
    query.contains('@') && choices.iter().any(|choice| query.contains(choice))
}

/// The metric `m` with small integers, some of them missing.
fn integers() -> impl Strategy<Value = Store> {
    let value = prop_oneof![8 => (-3i32..7).prop_map(Some), 1 => Just(None)];
    let values = prop::collection::vec(value, 1..50);
    let interval = select(vec![15_000i64, 30_000, 60_000]);
    let series = (0u8..8, values, interval);
    prop::collection::vec(series, 1..8).prop_map(|all| {
        let all: BTreeMap<u8, _> = all
            .into_iter()
            .map(|(bits, values, step)| (bits, (values, step)))
            .collect();
        let mut store = Store::default();
        for (bits, (values, interval)) in all {
            let bit = |place: u8, one: &'static str, other: &'static str| {
                if bits >> place & 1 == 0 { one } else { other }
            };
            let labels = [
                ("__name__", "m"),
                ("a", bit(0, "x", "y")),
                ("b", bit(1, "1", "2")),
                ("c", bit(2, "p", "q")),
            ];
            let mut points = Points::default();
            for (index, value) in values.into_iter().enumerate() {
                if let Some(value) = value {
                    points.push(index as Millis * interval, f64::from(value));
                }
            }
            store.add(Series {
                labels: Labels::from_pairs(labels),
                points,
                writer: Writer::INPUT,
            });
        }
        store
    })
}
