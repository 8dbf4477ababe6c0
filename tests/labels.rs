//! What is certain of labels before any evaluation holds for what evaluations yield, whatever the series. `LABEL_CASES` for a
//! long run by hand.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at a broken query of its own making"
)]

mod promql_worlds;

use proptest::prelude::*;
use proptest::sample::select;
use rulecheck::model::Timestamp;
use rulecheck::promql::{
    Evaluated, Features, LabelValue, Query, Reader, Ticks, View, evaluate, known,
};
use rulecheck::store::Store;

use promql_worlds::{at, columns, store, ticks, vector};

/// Queries of two others, with everything that makes, keeps or takes labels.
const OF_TWO: [&str; 26] = [
    "(X) and (Y)",
    "(X) and on (a) (Y)",
    "(X) and ignoring (a) (Y)",
    "(X) unless (Y)",
    "(X) or (Y)",
    "(X) * (Y)",
    "(X) > (Y)",
    "(X) > bool on (a) (Y)",
    "(X) + on (le) (Y)",
    "(X) * on (a) group_left (le) max by (a, le) (Y)",
    "(X) * on (a) group_left () max by (a) (Y)",
    "max by (le) (X) * on (le) group_right (a) (Y)",
    "(X) * ignoring (le) group_right (z) (Y)",
    "(X) + fill (0) (Y)",
    "count_values(\"a\", X)",
    "count_values by (a) (\"z\", X)",
    "absent(X)",
    "label_join(X, \"z\", \"-\", \"a\", \"le\")",
    "label_replace(X, \"le\", \"$1\", \"a\", \"(.*)\")",
    "sum without (a) (X)",
    "topk by (a) (1, X)",
    "histogram_quantile(0.5, X)",
    "sort_by_label(X, \"a\")",
    "timestamp(X) - (Y)",
    "(X) and m{a=\"x\"}",
    "scalar(X) * (Y)",
];

const SELECTORS: [&str; 9] = [
    "m{a=\"x\"}",
    "m{a=~\"x|y\"}",
    "m{a!=\"\"}",
    "m{a=\"\"}",
    "m{a!=\"x\", le=\"1\"}",
    "absent(m{a=\"x\"})",
    "sum by (a) (n)",
    "sum(n)",
    "vector(1)",
];

fn query() -> impl Strategy<Value = String> {
    let leaf =
        || prop_oneof![2 => vector(), 1 => select(SELECTORS.to_vec()).prop_map(str::to_owned)];
    (select(OF_TWO.to_vec()), leaf(), leaf()).prop_map(|(shape, x, y)| {
        let mut out = String::new();
        for letter in shape.chars() {
            match letter {
                'X' => out.push_str(&x),
                'Y' => out.push_str(&y),
                other => out.push(other),
            }
        }
        out
    })
}

fn parsed(text: &str) -> Query {
    Query::parse(text, &Features::ALL).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
}

fn evaluated(query: &Query, store: &Store, ticks: Ticks) -> Evaluated {
    let view = View::new(store, Reader::After(Timestamp::MAX), 1_000_000);
    evaluate(query, &view, ticks)
}

fn cases() -> u32 {
    let asked = std::env::var("LABEL_CASES").ok();
    asked.map_or(1500, |number| number.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn what_is_certain_holds(text in query(), store in store(), ticks in ticks()) {
        let query = parsed(&text);
        let found = evaluated(&query, &store, ticks);
        for label in ["a", "le", "z", "other"] {
            let Some(known) = known(&query.expr, label, &|_, _| None) else {
                continue;
            };
            for series in &columns(&found).series {
                let value = series.labels.value(label);
                prop_assert!(
                    known.value.allows(value),
                    "{text}\n{label}={value:?}, and certain is {:?}", known.value
                );
            }
        }
    }

    /// Sides of which a label excludes the other's find no partner.
    #[test]
    fn what_is_excluded_never_meets(x in query(), y in query(), store in store(), ticks in ticks()) {
        let (left, right) = (parsed(&x), parsed(&y));
        let is_excluded = ["a", "le", "z"].iter().any(|label| {
            let of = |query: &Query| known(&query.expr, label, &|_, _| None);
            matches!((of(&left), of(&right)), (Some(left), Some(right)) if left.value.excludes(&right.value))
        });
        if !is_excluded {
            return Ok(());
        }
        for both in [format!("({x}) and ({y})"), format!("({x}) and on (a, le, z) ({y})")] {
            let found = evaluated(&parsed(&both), &store, ticks);
            for tick in 0..ticks.count {
                let met = at(&found, tick).unwrap_or_default();
                prop_assert!(met.is_empty(), "{both}\n{met:?}");
            }
        }
    }
}

/// The property is not empty: much is known.
#[test]
fn much_is_certain() {
    let of = |text: &str| known(&parsed(text).expr, "a", &|_, _| None).map(|known| known.value);
    assert!(matches!(
        of("rate(m{a=~\"x|y\"}[5m]) > 5"),
        Some(LabelValue::Passes(_))
    ));
    assert!(
        matches!(of("m{a=\"x\"} and m{a=~\"x|y\"}"), Some(LabelValue::Is(value)) if value == "x")
    );
    assert!(matches!(of("m and m{a=\"x\"}"), Some(LabelValue::Is(value)) if value == "x"));
    assert!(matches!(of("sum(m) or vector(1)"), Some(LabelValue::Is(value)) if value.is_empty()));
    assert!(of("m and on (b) m{a=\"x\"}").is_none());
    let (x, z) = (of("m{a=~\"x|y\"}").unwrap(), of("m{a=\"z\"}").unwrap());
    assert!(x.excludes(&z) && z.excludes(&x) && !x.excludes(&x));
}
