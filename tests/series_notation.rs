//! The series notation: every file of `fixtures/series` holds texts and, below each, what they mean.
//!
//! Below a `values:` line stand the samples as they are stored (`samples:`), with `_` for moments without
//! one, or the sample that Prometheus refuses (`refused:`), or the fault with its column (`error:`) and the
//! way out (`help:`). With `SNAPSHOTS=overwrite` set the files are written anew.

use std::fmt::Write;
use std::sync::Arc;

use proptest::prelude::*;
use rulecheck::model::{BucketSpan, CounterResetHint, Histogram, Labels};
use rulecheck::series::notation::{Item, NotationError, Sign, expand, parse_series, parse_values};
use rulecheck::series::stored::{as_stored, refused};
use rulecheck::store::{Points, is_stale};

/// No fixture may make more samples.
const LIMIT: usize = 1_000_000;
const INTERVAL: i64 = 15_000;
const START: i64 = 1_000;

#[test]
fn notation_means_what_the_fixtures_say() {
    let mut cases = 0;
    for entry in std::fs::read_dir("fixtures/series").expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        let mut meant = String::new();
        for line in text.lines().filter(|line| !is_answer(line)) {
            meant.push_str(line);
            meant.push('\n');
            cases += usize::from(line.contains(": "));
            if let Some(values) = line.strip_prefix("values: ") {
                meant.push_str(&answer_values(&unescape(values)));
            } else if let Some(series) = line.strip_prefix("series: ") {
                meant.push_str(&answer_series(series));
            }
        }
        if std::env::var_os("SNAPSHOTS").is_some() {
            std::fs::write(&path, meant).expect("the file can be written");
        } else {
            let differing = text.lines().zip(meant.lines()).find(|(a, b)| a != b);
            assert_eq!(differing, None, "{}: expected, got", path.display());
            assert_eq!(text.len(), meant.len(), "{}", path.display());
        }
    }
    assert!(cases > 200, "only {cases} cases");
}

fn is_answer(line: &str) -> bool {
    [
        "  samples: ",
        "  refused: ",
        "  labels: ",
        "  error: ",
        "  help: ",
    ]
    .iter()
    .any(|start| line.starts_with(start))
}

fn answer_values(values: &str) -> String {
    let items = match parse_values(values) {
        Ok(items) => items,
        Err(error) => return answer_error(values, &error),
    };
    match expand(&items, START, INTERVAL, LIMIT) {
        Ok(points) => answer_points(as_stored(points)),
        Err(error) => answer_error(values, &error),
    }
}

fn answer_points(points: Points) -> String {
    if let Some((time, fault)) = refused(&points) {
        return format!("  refused: {}: {fault}\n", (time - START) / INTERVAL);
    }
    let mut out = "  samples:".to_owned();
    let mut expected = START;
    for index in 0..points.len() {
        let time = points.time(index);
        for _ in 0..(time - expected) / INTERVAL {
            out.push_str(" _");
        }
        expected = time + INTERVAL;
        let value = points.values()[index];
        match points.histogram(index) {
            Some(histogram) => write!(out, " {}", histogram.test_expression()),
            None if is_stale(value) => write!(out, " stale"),
            None => write!(out, " {value}"),
        }
        .expect("strings take all");
    }
    if points.is_empty() {
        out.push_str(" none");
    }
    out + "\n"
}

fn answer_series(series: &str) -> String {
    match parse_series(series) {
        Ok(labels) => format!("  labels: {labels}\n"),
        Err(error) => answer_error(series, &error),
    }
}

fn answer_error(text: &str, error: &NotationError) -> String {
    let column = text[..error.offset].chars().count() + 1;
    format!(
        "  error: {column}: {}\n  help: {}\n",
        error.message, error.help
    )
}

fn unescape(text: &str) -> String {
    text.replace("\\t", "\t")
        .replace("\\n", "\n")
        .replace("\\s", " ")
}

proptest! {
    #[test]
    fn written_items_read_back(items in prop::collection::vec(item(), 0..8)) {
        let items = joined(items);
        let texts: Vec<String> = items.iter().map(Item::to_string).collect();
        prop_assert_eq!(parse_values(&texts.join(" ")), Ok(items));
    }

    #[test]
    fn written_series_read_back(pairs in prop::collection::btree_map("[a-z_]{1,3}|\\PC{1,5}", "\\PC{0,9}|[\\x00-\\x7f]{0,5}", 0..5)) {
        let named = pairs.iter().filter(|(name, _)| !name.contains('\u{fffd}'));
        let named = named.filter(|(_, value)| !value.contains('\u{fffd}'));
        let labels = Labels::from_pairs(named);
        prop_assert_eq!(parse_series(&labels.to_string()), Ok(labels));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "([0-9x+_. -]|stale|NaN|\\{\\{|\\}\\}|count:1|buckets:\\[1 2\\]|[a-z{}\\[\\]:\"=,\\\\é\n]){0,12}") {
        for error in [parse_values(&text).err(), parse_series(&text).err()].into_iter().flatten() {
            prop_assert!(text.is_char_boundary(error.offset));
            prop_assert!(!error.message.is_empty());
        }
        if let Ok(items) = parse_values(&text)
            && let Ok(points) = expand(&items, START, INTERVAL, 1000)
        {
            as_stored(points);
        }
    }
}

/// Values that stand next to each other are one item when they are read.
fn joined(items: Vec<Item>) -> Vec<Item> {
    let mut out: Vec<Item> = Vec::new();
    for item in items {
        match (out.last_mut(), item) {
            (Some(Item::Values(before)), Item::Values(after)) => before.extend(after),
            (_, item) => out.push(item),
        }
    }
    out
}

fn item() -> impl Strategy<Value = Item> {
    let value = || {
        prop_oneof![
            any::<f64>(),
            (-1000..1000i32).prop_map(f64::from),
            Just(f64::NAN)
        ]
    };
    let finite = || {
        value().prop_filter("the notation repeats no NaN and Inf", |value| {
            value.is_finite()
        })
    };
    prop_oneof![
        any::<u64>().prop_map(|count| Item::Gap { count }),
        Just(Item::Stale),
        prop::collection::vec(value(), 1..5).prop_map(Item::Values),
        (finite(), 1..u64::MAX).prop_map(|(value, count)| Item::Repeat { value, count }),
        (value(), finite(), 1..u64::MAX).prop_map(|(first, step, count)| Item::Run {
            first,
            step,
            count
        }),
        (histogram(), 1..u64::MAX).prop_map(|(first, count)| Item::Histograms {
            first,
            increment: None,
            count
        }),
        (histogram(), any::<bool>(), histogram(), 1..u64::MAX).prop_map(
            |(first, plus, increment, count)| {
                let sign = if plus { Sign::Plus } else { Sign::Minus };
                let increment = Some((sign, increment));
                Item::Histograms {
                    first,
                    increment,
                    count,
                }
            }
        ),
    ]
}

fn histogram() -> impl Strategy<Value = Arc<Histogram>> {
    let count = || 0.0..1e9f64;
    let hint = prop_oneof![
        Just(CounterResetHint::Unknown),
        Just(CounterResetHint::Reset),
        Just(CounterResetHint::NotReset),
        Just(CounterResetHint::Gauge),
    ];
    let buckets = || prop::collection::vec(1.0..1e9f64, 0..4);
    (
        count(),
        any::<f64>(),
        count(),
        hint,
        -9..9i32,
        buckets(),
        buckets(),
    )
        .prop_map(
            |(count, sum, zero_count, counter_reset_hint, offset, positive, negative)| {
                let span = |counts: &[f64]| match counts.len() as u32 {
                    0 => Vec::new(),
                    length => vec![BucketSpan { offset, length }],
                };
                Arc::new(Histogram {
                    counter_reset_hint,
                    schema: 2,
                    count,
                    sum: if sum == 0.0 { 0.0 } else { sum },
                    zero_count,
                    positive_spans: span(&positive),
                    negative_spans: span(&negative),
                    positive_buckets: positive,
                    negative_buckets: negative,
                    ..Histogram::default()
                })
            },
        )
}
