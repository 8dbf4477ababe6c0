//! Files that do not load (`fixtures/rules-bad`, `fixtures/tests-bad`) and files that load with a warning
//! (`fixtures/rules-odd`, `fixtures/tests-odd`): what is said about each, beside it in a `.txt`.

#![expect(
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use rulecheck::rules::{self, ReadOptions, RuleKind};
use rulecheck::suite::file;
use rulecheck::text::{Diagnostic, Source};

type Said = Result<Vec<Diagnostic>, Vec<Diagnostic>>;

#[test]
fn bad_rule_files_are_refused() {
    check("rules-bad", 20, |source| said_of_rules(source).unwrap_err());
}

#[test]
fn odd_rule_files_are_warned_of() {
    check("rules-odd", 2, |source| said_of_rules(source).unwrap());
}

#[test]
fn bad_test_files_are_refused() {
    check("tests-bad", 6, |source| said_of_tests(source).unwrap_err());
}

#[test]
fn odd_test_files_are_warned_of() {
    check("tests-odd", 1, |source| said_of_tests(source).unwrap());
}

/// promtool refuses the bad files and loads the odd ones.
#[test]
fn promtool_agrees() {
    if Command::new("promtool").arg("--version").output().is_err() {
        println!("skipped: promtool is not on PATH");
        return;
    }
    for (folder, loads) in [("rules-bad", false), ("rules-odd", true)] {
        for path in files(folder) {
            let output = Command::new("promtool")
                .args(["check", "rules"])
                .arg(&path)
                .output();
            assert_eq!(
                output.unwrap().status.success(),
                loads,
                "{}",
                path.display()
            );
        }
    }
}

/// Rule files that real Prometheus was asked about.
#[test]
fn verdicts_are_promtools() {
    let Some(shared) = std::env::var_os("RULECHECK_CONFORMANCE") else {
        println!("skipped: RULECHECK_CONFORMANCE is not set");
        return;
    };
    let refused = [
        "badindent",
        "colonplain",
        "dupfield",
        "dupkey",
        "escre",
        "escslash",
        "limitstr",
        "mapval",
        "mergescalar",
        "mergetwo",
        "nullexpr",
        "nullkey",
        "selfref",
        "strseq",
        "tab",
        "templ",
        "unclosed",
        "undefalias",
        "unknown",
        "wrongtype",
    ];
    let mut count = 0;
    for path in yaml_files(&PathBuf::from(shared).join("reference/yaml-cases")) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let source = load(&path);
        let said = said_of_rules(&source);
        assert_eq!(
            said.is_err(),
            refused.contains(&name.as_str()),
            "{name}: {said:?}"
        );
        count += 1;
    }
    assert_eq!(count, 40, "rule files");
}

/// Files that promtool refuses are refused where more is read than promtool reads, too, but for an object of Kubernetes.
#[test]
fn bad_rule_files_stay_bad() {
    for path in files("rules-bad") {
        let read = rules::read(&load(&path), &ReadOptions::default());
        let is_wrapped = path.ends_with("kubernetes.yml");
        assert_eq!(read.is_ok(), is_wrapped, "{}", path.display());
    }
}

fn said_of_rules(source: &Source) -> Said {
    let options = ReadOptions {
        promtool_compatible: true,
        ..ReadOptions::default()
    };
    rules::read(source, &options).map(|file| file.warnings)
}

fn said_of_tests(source: &Source) -> Said {
    file::read(source, &ReadOptions::default()).map(|file| file.warnings)
}

fn check(folder: &str, least: usize, said: impl Fn(&Source) -> Vec<Diagnostic>) {
    let files = files(folder);
    assert!(files.len() >= least, "{} files in {folder}", files.len());
    for path in files {
        let source = load(&path);
        let diagnostics = said(&source);
        assert!(!diagnostics.is_empty(), "{}", path.display());
        let mut text = String::new();
        for diagnostic in &diagnostics {
            assert!(
                diagnostic.place.is_some() && diagnostic.help.is_some(),
                "{diagnostic}"
            );
            text.push_str(&format!("{diagnostic}\n"));
        }
        let expected = path.with_extension("txt");
        if std::env::var_os("SNAPSHOTS").is_some() {
            std::fs::write(&expected, &text).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(text, wanted, "{}", path.display());
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    yaml_files(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures")
            .join(folder),
    )
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|it| it == "yml"))
        .collect();
    files.sort();
    files
}

fn load(path: &Path) -> Source {
    let text = std::fs::read_to_string(path).unwrap();
    Source::new(path.file_name().unwrap().to_string_lossy(), text)
}

/// How Prometheus decoded `scalars.yml`.
#[test]
fn scalars_are_prometheus_s() {
    let Some(shared) = std::env::var_os("RULECHECK_CONFORMANCE") else {
        println!("skipped: RULECHECK_CONFORMANCE is not set");
        return;
    };
    let folder = PathBuf::from(shared).join("reference/yaml-cases");
    let source = load(&folder.join("scalars.yml"));
    let truth = std::fs::read_to_string(folder.join("scalars.truth.json")).unwrap();
    let truth: serde_json::Value = serde_json::from_str(&truth).unwrap();
    let group = &truth["data"]["groups"][0];
    let file = rules::read(&source, &ReadOptions::default()).unwrap();
    assert_eq!(
        file.groups[0].limit as u64,
        group["limit"].as_u64().unwrap()
    );
    assert_eq!(file.groups[0].interval, Some(90_000));
    let expected = group["rules"].as_array().unwrap();
    assert_eq!(file.groups[0].rules.len(), expected.len());
    for (rule, expected) in file.groups[0].rules.iter().zip(expected) {
        assert_eq!(rule.name, expected["name"].as_str().unwrap());
        let RuleKind::Alert(alert) = &rule.kind else {
            continue;
        };
        assert_eq!(
            alert.hold as f64 / 1000.0,
            expected["duration"].as_f64().unwrap()
        );
        for (pairs, expected) in [
            (&alert.labels, "labels"),
            (&alert.annotations, "annotations"),
        ]
        .map(|(pairs, name)| (pairs, &expected[name]))
        {
            let pairs = pairs
                .iter()
                .map(|(name, text)| (name.clone(), text.text().into()));
            assert_eq!(&serde_json::Value::Object(pairs.collect()), expected);
        }
    }
}
