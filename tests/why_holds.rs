//! What explanations claim is so: over random series and queries, the tree shows what an evaluation yields, and whatever is
//! empty or failed is explained. `WHY_CASES` for a long run by hand.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at a broken query of its own making"
)]

mod promql_worlds;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use rulecheck::promql::why::{Cause, Explained, Mark, Meant, Node, Reading, Value, explain};
use rulecheck::promql::{Features, Query, Reader, Ticks, View, evaluate};
use rulecheck::store::Store;

use promql_worlds::{at, store, ticks, vector};

/// How many worlds are made.
fn cases() -> u32 {
    let asked = std::env::var("WHY_CASES")
        .ok()
        .and_then(|text| text.parse().ok());
    asked.unwrap_or(400)
}

fn reader() -> impl Strategy<Value = Reader> {
    prop_oneof![
        (1u32..5, select(vec![0, 30_000]))
            .prop_map(|(position, offset)| Reader::Rule { position, offset }),
        select(vec![300_000, 900_000, i64::MAX / 2]).prop_map(Reader::After),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn explanations_hold(store in store(), text in vector(), ticks in ticks(), reader in reader()) {
        let features = Features { delayed_name_removal: false, ..Features::ALL };
        let Ok(query) = Query::parse(&text, &features) else { return Ok(()) };
        let view = View { features, ..View::new(&store, reader, 60_000) };
        for time in ticks.iter().take(3) {
            let explained = explain(&query, &view, time, Meant::default());
            let evaluated = evaluate(&query, &view, Ticks::instant(time));
            prop_assert_eq!(shown(&explained.root), at(&evaluated, 0), "{} at {}", text, time);
            check(&store, &text, &explained)?;
        }
    }
}

/// Whatever is empty or failed is marked where that began, and told.
fn check(store: &Store, text: &str, explained: &Explained) -> Result<(), TestCaseError> {
    let nodes = explained.root.each();
    let marked: Vec<&&Node> = nodes
        .iter()
        .filter(|node| node.mark != Mark::None)
        .collect();
    let is_out = |value: &Value| value.is_empty() || matches!(value, Value::Failed(_));
    if is_out(&explained.root.value) {
        prop_assert!(!marked.is_empty(), "nothing is marked in {}", text);
    }
    for node in &marked {
        prop_assert!(is_out(&node.value), "{} in {}", node.text, text);
        let told = explained
            .findings
            .iter()
            .filter(|finding| finding.span == node.span);
        prop_assert!(
            told.count() > 0,
            "nothing is said of {} in {}",
            node.text,
            text
        );
    }
    for finding in &explained.findings {
        let node = nodes.iter().find(|node| node.span == finding.span);
        prop_assert!(node.is_some(), "{:?} in {}", finding, text);
        let is_empty = nodes
            .iter()
            .any(|node| node.span == finding.span && node.value.is_empty());
        match &finding.cause {
            Cause::Compared(compared) => {
                prop_assert!(
                    !is_empty || compared.passed_count == 0,
                    "{:?} in {}",
                    finding,
                    text
                );
                prop_assert!(
                    is_empty || compared.passed_count > 0,
                    "{:?} in {}",
                    finding,
                    text
                );
            }
            Cause::NoPartner(alone) => {
                prop_assert!(alone.alone > 0 && alone.alone <= alone.left_count);
                prop_assert!(!alone.differs.is_empty(), "{:?} in {}", finding, text);
            }
            Cause::NoMetric { name, .. } => {
                let mut all = store.iter();
                prop_assert!(
                    all.all(|series| series.labels.metric() != name),
                    "{} in {}",
                    name,
                    text
                );
            }
            _ => {}
        }
    }
    Ok(())
}

/// What the outermost node shows: labels with bits, or the error.
fn shown(node: &Node) -> Result<BTreeMap<String, String>, String> {
    match &node.value {
        Value::Failed(message) => Err(message.clone()),
        Value::Vector(points) => Ok(points
            .iter()
            .map(|point| {
                let sample = match &point.reading {
                    Reading::Float(value) if value.is_nan() => "NaN".to_owned(),
                    Reading::Float(value) => format!("{:016x}", value.to_bits()),
                    Reading::Histogram(histogram) => format!("{histogram:?}"),
                };
                (point.labels.to_string(), sample)
            })
            .collect()),
        value => panic!("a vector was asked for, got {value:?}"),
    }
}

/// Long and deep queries take no longer than it takes to look at some nodes of them.
#[test]
fn large_queries_are_cut() {
    let store = Store::default();
    let view = View::new(&store, Reader::After(0), 60_000);
    let chain = vec!["m"; 2_000].join(" or ");
    let deep = format!("{}m{}", "abs(".repeat(90), ")".repeat(90));
    let wide = vec!["sum(rate(m[5m]) * on (a) n)"; 200].join(" == ");
    for text in [chain, deep, wide] {
        let query = Query::parse(&text, &Features::ALL).unwrap();
        let explained = explain(&query, &view, 0, Meant::default());
        let count = explained.root.each().len();
        assert!(count <= 400, "{count} nodes");
        assert!(!explained.findings.is_empty());
    }
}
