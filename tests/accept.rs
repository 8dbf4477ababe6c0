//! `fixtures/accept`: a test file, what its checks yielded, and the file with that written into it.
use std::path::Path;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use rulecheck::model::{Histogram, Labels};
use rulecheck::rules::ReadOptions;
use rulecheck::series::notation::parse_histogram;
use rulecheck::suite::accept::{
    CheckId, Observed, ObservedAlert, ObservedSample, Replacement, accept,
};
use rulecheck::suite::file::{TestFile, read};
use rulecheck::text::Source;
use serde_json::Value;

#[test]
fn only_expectations_change() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/accept");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let case = entry.unwrap().path();
        let load = |name: &str| std::fs::read_to_string(case.join(name)).unwrap_or_default();
        let before = Source::new("before.yml", load("before.yml"));
        let observed: Value = serde_json::from_str(&load("observed.json")).unwrap();
        let replacements = replacements(&observed);
        let accepted = accept(&before, &replacements).unwrap();
        let mut after = accepted.text.clone();
        for refused in &accepted.refused {
            after.push_str(&format!("# refused: {refused}\n"));
        }
        if std::env::var_os("SNAPSHOTS").is_some() {
            std::fs::write(case.join("after.yml"), &after).unwrap();
        }
        assert_eq!(after, load("after.yml"), "{}", case.display());
        check_reading(&accepted.text, &replacements, accepted.refused.len());
        count += 1;
    }
    assert!(count >= 10, "{count} cases found");
}

/// The new file expects what was observed, but for the checks that were refused.
fn check_reading(text: &str, replacements: &[Replacement], refused: usize) {
    let file = read(&Source::new("after.yml", text), &ReadOptions::default()).unwrap();
    let wrong = replacements
        .iter()
        .filter(|replacement| !expects(&file, replacement));
    assert_eq!(wrong.count(), refused, "{text}");
}

fn expects(file: &TestFile, replacement: &Replacement) -> bool {
    let test = &file.tests[replacement.test];
    match (&replacement.observed, replacement.check) {
        (Observed::Alerts(alerts), CheckId::Alert(index)) => {
            let check = &test.alert_checks[index];
            let mut expected: Vec<(Labels, Vec<(String, String)>)> = check
                .expected
                .iter()
                .map(|alert| (alert.labels.clone(), alert.annotations.clone()))
                .collect();
            let name = &check.alertname.value;
            let mut observed: Vec<_> = alerts
                .iter()
                .map(|it| (it.labels.with("alertname", name), it.annotations.clone()))
                .collect();
            expected.sort();
            observed.sort();
            expected == observed
        }
        (Observed::Samples(samples), CheckId::Expr(index)) => {
            let expected = test.expr_checks[index].expected.as_ref().unwrap();
            let written = |histogram: &Option<Histogram>, value| match histogram {
                Some(histogram) => histogram.test_expression(),
                None => bits(value).to_string(),
            };
            let mut expected: Vec<(Labels, String)> = expected
                .iter()
                .map(|it| (it.labels.clone(), written(&it.histogram, it.value)))
                .collect();
            let mut observed: Vec<(Labels, String)> = samples
                .iter()
                .map(|it| (it.labels.clone(), written(&it.histogram, it.value)))
                .collect();
            expected.sort();
            observed.sort();
            expected == observed
        }
        _ => false,
    }
}

fn bits(value: f64) -> u64 {
    if value.is_nan() {
        u64::MAX
    } else {
        value.to_bits()
    }
}

fn replacements(json: &Value) -> Vec<Replacement> {
    let one = |json: &Value| {
        let index = |name: &str| json[name].as_u64().map(|index| index as usize);
        let list = json["observed"].as_array().unwrap();
        let (check, observed) = match (index("alert"), index("expr")) {
            (Some(index), _) => (
                CheckId::Alert(index),
                Observed::Alerts(list.iter().map(alert).collect()),
            ),
            (None, index) => (
                CheckId::Expr(index.unwrap()),
                Observed::Samples(list.iter().map(sample).collect()),
            ),
        };
        Replacement {
            test: index("test").unwrap(),
            is_shared: json["shared"].as_bool().unwrap_or(false),
            check,
            observed,
        }
    };
    json.as_array().unwrap().iter().map(one).collect()
}

fn pairs(json: &Value) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = json
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    pairs.sort();
    pairs
}

fn alert(json: &Value) -> ObservedAlert {
    ObservedAlert {
        labels: Labels::from_pairs(pairs(&json["labels"])),
        annotations: pairs(&json["annotations"]),
    }
}

fn sample(json: &Value) -> ObservedSample {
    ObservedSample {
        labels: Labels::from_pairs(pairs(&json["labels"])),
        value: json["value"].as_str().unwrap_or("0").parse().unwrap(),
        histogram: json["histogram"]
            .as_str()
            .map(|text| parse_histogram(text).unwrap()),
    }
}

/// Layouts of a check without, with an empty and with a filled expectation.
const LAYOUTS: [&str; 13] = [
    "  - alertname: A\n",
    "  - alertname: A\n    exp_alerts: []\n",
    "  - alertname: A\n    exp_alerts:\n",
    "  - alertname: A\n    exp_alerts: [{exp_labels: {a: b}}]\n",
    "  - alertname: A\n    exp_alerts:\n    - exp_labels: {a: b}\n",
    "  - alertname: A\n    exp_alerts:\n      - exp_labels:\n          a: b\n",
    "  - {alertname: A, exp_alerts: []}\n",
    "  - {alertname: A}\n",
    "  - alertname: A\n    exp_alerts:\n    - exp_annotations:\n        text: a b # c\n",
    "  - alertname: A\n    exp_alerts:\n    - exp_annotations:\n        text: 'a b' # c\n        a: 1\n",
    "  - alertname: A\n    exp_alerts:\n    - exp_labels: {a: b}\n      exp_annotations: {text: a b}\n",
    "  - alertname: A\n    exp_alerts: [{exp_annotations: {text: \"a b\", a: 12}}, {}] # c\n",
    "  - {exp_alerts: [{exp_annotations: {a: , text: a b}}], alertname: A}\n",
];

fn text() -> impl Strategy<Value = String> {
    let odd = "[ -~\\n\\t\\r\\x00\\x7f\\u{80}-\\u{a0}\\u{2028}\\u{feff}éß日🚀:#'\"\\\\{}\\[\\],&*!|>%@`?-]{0,12}";
    prop_oneof![
        odd,
        "[a-z :#'\"\n-]{0,20}",
        "[0-9.eE+xob_-]{0,6}",
        "[a-z0-9]{1,3}( [a-z0-9:#,{}.TZ-]{1,4}){0,3}",
        any::<String>()
    ]
}

/// Alerts that are like each other: few names, and texts from words.
fn alerts() -> impl Strategy<Value = Vec<ObservedAlert>> {
    let name = || prop::sample::select(vec!["a", "b", "text", "on", "two words"]);
    let value = || {
        prop_oneof![
            "[a-c]",
            "[a-z0-9]{1,3}( [a-z0-9:#,'{}]{1,4}){0,3}\n?",
            "[0-9.]{1,3}",
            text()
        ]
    };
    let map = || prop::collection::btree_map(name(), value(), 0..4);
    let owned = |pairs: std::collections::BTreeMap<&str, String>| -> Vec<(String, String)> {
        pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    };
    let alert = (map(), map()).prop_map(move |(labels, annotations)| ObservedAlert {
        labels: Labels::from_pairs(owned(labels)),
        annotations: owned(annotations),
    });
    prop::collection::vec(alert, 0..5)
}

proptest! {
    #[test]
    fn any_text_is_read_back(
        layout in 0..LAYOUTS.len(),
        alerts in prop::collection::vec(
            (prop::collection::btree_map(text(), text(), 0..3), prop::collection::btree_map(text(), text(), 0..3)),
            0..3,
        ),
    ) {
        let before = format!("tests:\n- alert_rule_test:\n{}  - alertname: B\n", LAYOUTS[layout]);
        let alerts = alerts.into_iter().map(|(labels, annotations)| ObservedAlert {
            labels: Labels::from_pairs(labels.into_iter().filter(|(name, _)| !name.is_empty() && name != "alertname")),
            annotations: annotations.into_iter().collect(),
        });
        let replacement = Replacement {
            test: 0,
            is_shared: false,
            check: CheckId::Alert(0),
            observed: Observed::Alerts(alerts.collect()),
        };
        let accepted = accept(&Source::new("before.yml", before), std::slice::from_ref(&replacement)).unwrap();
        prop_assert!(accepted.refused.is_empty());
        check_reading(&accepted.text, &[replacement], 0);
    }

    #[test]
    fn any_change_is_read_back(layout in 0..LAYOUTS.len(), first in alerts(), second in alerts()) {
        let before = format!("tests:\n- alert_rule_test:\n{}  - alertname: B\n", LAYOUTS[layout]);
        let mut text = before;
        for alerts in [first, second] {
            let replacement = [Replacement { test: 0, is_shared: false, check: CheckId::Alert(0), observed: Observed::Alerts(alerts) }];
            let accepted = accept(&Source::new("before.yml", text.as_str()), &replacement).unwrap();
            prop_assert!(accepted.refused.is_empty());
            check_reading(&accepted.text, &replacement, 0);
            let again = accept(&Source::new("after.yml", accepted.text.as_str()), &replacement).unwrap();
            prop_assert_eq!(&again.text, &accepted.text);
            text = accepted.text;
        }
    }

    #[test]
    fn any_number_is_read_back(bits in any::<u64>(), value in any::<f64>()) {
        let before = "tests:\n- promql_expr_test:\n  - expr: up\n";
        for value in [f64::from_bits(bits), value, value.trunc()] {
            let replacement = Replacement {
                test: 0,
                is_shared: false,
                check: CheckId::Expr(0),
                observed: Observed::Samples(vec![ObservedSample { labels: Labels::empty(), value, histogram: None }]),
            };
            let accepted = accept(&Source::new("before.yml", before), std::slice::from_ref(&replacement)).unwrap();
            check_reading(&accepted.text, &[replacement], 0);
        }
    }
}

/// The same through a real promtool: rules whose annotations are such texts, and the expectations that
/// were written for them.
#[test]
fn promtool_reads_the_same() {
    if std::process::Command::new("promtool")
        .arg("--version")
        .output()
        .is_err()
    {
        println!("skipped: promtool is not on PATH");
        return;
    }
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let texts: Vec<String> = (0..600)
        .map(|_| text().new_tree(&mut runner).unwrap().current())
        .filter(|text| !text.contains("{{"))
        .collect();
    let mut rules = String::from("groups:\n- name: g\n  rules:\n");
    let mut tests = String::from("rule_files: [rules.yml]\ntests:\n- alert_rule_test:\n");
    let mut replacements = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let quoted: String = text
            .chars()
            .map(|c| format!("\\U{:08x}", u32::from(c)))
            .collect();
        let rule = format!("  - alert: A{index}\n    expr: vector(1)\n");
        rules.push_str(&format!("{rule}    annotations: {{text: \"{quoted}\"}}\n"));
        let layout = LAYOUTS[index % LAYOUTS.len()];
        tests.push_str(&layout.replace("alertname: A", &format!("alertname: A{index}")));
        let annotations = vec![("text".to_owned(), text.clone())];
        replacements.push(Replacement {
            test: 0,
            is_shared: false,
            check: CheckId::Alert(index),
            observed: Observed::Alerts(vec![ObservedAlert {
                labels: Labels::empty(),
                annotations,
            }]),
        });
    }
    let accepted = accept(&Source::new("before.yml", tests), &replacements).unwrap();
    assert!(accepted.refused.is_empty());
    let folder = std::env::temp_dir().join(format!("rulecheck-accept-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("rules.yml"), rules).unwrap();
    std::fs::write(folder.join("tests.yml"), &accepted.text).unwrap();
    let output = std::process::Command::new("promtool")
        .args(["test", "rules", "tests.yml"])
        .current_dir(&folder)
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{shown}\n{}", accepted.text);
    std::fs::remove_dir_all(&folder).unwrap();
}
