//! `fixtures/init`: rule files with the tests that are written for them, a row an operator or function.
//!
//! Behind the tests of a file stands, in comments, why some alerts have none. With `SNAPSHOTS=overwrite` set, they are
//! written anew.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::fs;
use std::path::{Path, PathBuf};

use rulecheck::promql::Features;
use rulecheck::rules::{self, ReadOptions, RuleFile};
use rulecheck::scaffold::{Order, Outcome, Scaffold, Tested, scaffold};
use rulecheck::suite::{self, RunOptions, Suite};
use rulecheck::text::Source;

#[test]
fn what_is_written_is_as_expected_and_passes() {
    let mut faults = Vec::new();
    let files = files();
    assert!(files.len() >= 9, "{} files", files.len());
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let rules = read(&name, &fs::read_to_string(&path).unwrap());
        let written = write(&rules, false);
        let text = with_reasons(&written);
        let expected = path.with_extension("expected");
        if std::env::var_os("SNAPSHOTS").is_some() {
            fs::write(&expected, &text).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != text {
            faults.push(format!("{name}: other than {}\n{text}", expected.display()));
        }
        for promtool in [false, true] {
            if let Some(text) = write(&rules, promtool).text {
                let failed = failing(&rules, &text);
                assert!(failed.is_empty(), "{name}: {failed:?}\n{text}");
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Tests that pass whatever the rule says would be of no use.
#[test]
fn a_threshold_beyond_the_case_fails_it() {
    for (rule, moved) in [
        ("queue_depth > 100", "queue_depth > 1000"),
        ("queue_depth > 100", "queue_depth > 10"),
        ("free < 0.1", "free < 0.01"),
        ("free < 0.1", "free < 0.5"),
        ("rate(errors_total[5m]) > 2", "rate(errors_total[5m]) > 20"),
        ("rate(errors_total[5m]) > 2", "rate(errors_total[5m]) > 0.1"),
        (
            "sum(e{c=\"5\"}) / sum(e) > 0.05",
            "sum(e{c=\"5\"}) / sum(e) > 0.5",
        ),
        ("count(up == 0) > 2", "count(up == 0) > 5"),
    ] {
        for hold in ["0s", "10m"] {
            let file = |expr: &str, hold: &str| {
                let text = format!(
                    "groups: [{{name: g, rules: [{{alert: A, expr: '{expr}', for: {hold}}}]}}]"
                );
                read("rules.yml", &text)
            };
            for promtool in [false, true] {
                let text = write(&file(rule, hold), promtool).text.unwrap();
                assert!(failing(&file(rule, hold), &text).is_empty(), "{rule}");
                assert!(
                    !failing(&file(moved, hold), &text).is_empty(),
                    "{rule}, {moved}\n{text}"
                );
                for other in ["9m", "11m", "20m"] {
                    assert!(
                        !failing(&file(rule, other), &text).is_empty(),
                        "{rule} for {other}\n{text}"
                    );
                }
            }
        }
    }
}

#[test]
fn alerts_with_tests_are_left_out() {
    let rules = read(
        "rules.yml",
        "groups: [{name: g, rules: [{alert: A, expr: a > 1}, {alert: B, expr: b > 1}]}]",
    );
    let names = ["rules.yml".to_owned()];
    let files = [rules];
    let tested = |rule: &rules::Rule| Tested {
        fires: rule.name == "A",
        silent: true,
    };
    let written = scaffold(&order(&files, &names, false), &tested);
    let text = written.text.unwrap();
    assert!(
        text.contains("B fires") && !text.contains("A fires") && !text.contains("silent"),
        "{text}"
    );
    let all = |_: &rules::Rule| Tested {
        fires: true,
        silent: true,
    };
    assert_eq!(scaffold(&order(&files, &names, false), &all).text, None);
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/init");
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|it| it == "yml"))
        .collect();
    files.sort();
    files
}

fn read(name: &str, text: &str) -> RuleFile {
    let source = Source::new(name, text);
    rules::read(&source, &ReadOptions::default())
        .unwrap_or_else(|faults| panic!("{name}: {faults:?}"))
}

fn order<'o>(files: &'o [RuleFile], names: &'o [String], promtool: bool) -> Order<'o> {
    Order {
        rule_files: files,
        own: 1,
        names,
        promtool,
        features: Features::default(),
    }
}

fn write(rules: &RuleFile, promtool: bool) -> Scaffold {
    let files = [rules.clone()];
    let names = [rules.source.name().to_owned()];
    scaffold(&order(&files, &names, promtool), &|_| Tested::default())
}

/// The text, and in comments why cases are missing.
fn with_reasons(written: &Scaffold) -> String {
    let mut text = written.text.clone().unwrap_or_default();
    for alert in &written.alerts {
        for (case, outcome) in [("firing", &alert.fires), ("silent", &alert.silent)] {
            if let Outcome::NotFound(reason) = outcome {
                text.push_str(&format!("# {}: no {case} case: {reason}\n", alert.name));
            }
        }
    }
    text
}

/// The tests of a file that fail.
fn failing(rules: &RuleFile, text: &str) -> Vec<String> {
    let source = Source::new("written", text);
    let file = suite::file::read(&source, &ReadOptions::default()).unwrap();
    let suite = Suite {
        file: file.into(),
        rule_files: vec![rules.clone()],
    };
    let verdict = suite::run(&suite, &RunOptions::default()).unwrap();
    let failed = verdict
        .tests
        .iter()
        .filter(|test| !test.failures.is_empty());
    failed.map(|test| test.name.clone()).collect()
}
