//! What build servers read: JUnit's XML and TAP of every case of `fixtures/cli`, and the parts of a run.

#![expect(
    clippy::unwrap_used,
    reason = "output that is not as it should be is what these tests look for"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;
use snapbox::cmd::Command;

/// Runs all tests of the fixtures, of which many fail or are broken.
fn run(arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cli");
    let output = Command::new(env!("CARGO_BIN_EXE_rulecheck"))
        .arg("test")
        .args(arguments)
        .current_dir(root)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// How many failures each file has in JSON; a broken file has one.
fn failures() -> BTreeMap<String, usize> {
    let document: Value = serde_json::from_str(&run(&["--format", "json"])).unwrap();
    let files = document["files"].as_array().unwrap().iter();
    let failures = |file: &Value| match file["status"].as_str() {
        Some("error") => 1,
        _ => {
            let tests = file["tests"].as_array().unwrap().iter();
            tests
                .map(|test| test["failures"].as_array().unwrap().len())
                .sum()
        }
    };
    files
        .map(|file| (file["path"].as_str().unwrap().to_owned(), failures(file)))
        .collect()
}

/// Elements with their attributes and what may stand in them: what the schemas of Jenkins and of Ant agree on, and what
/// the latter wants only with times.
const ELEMENTS: [(&str, &[&str], &[&str]); 10] = [
    ("", &[], &["testsuites"]),
    ("testsuites", &[], &["testsuite"]),
    (
        "testsuite",
        &[
            "name",
            "package",
            "hostname",
            "id",
            "tests",
            "failures",
            "errors",
            "skipped",
            "timestamp",
            "time",
        ],
        &["properties", "testcase", "system-out", "system-err"],
    ),
    ("properties", &[], &[]),
    (
        "testcase",
        &["classname", "name", "time"],
        &["failure", "error", "skipped"],
    ),
    ("failure", &["type", "message"], &[]),
    ("error", &["type", "message"], &[]),
    ("skipped", &["message"], &[]),
    ("system-out", &[], &[]),
    ("system-err", &[], &[]),
];

/// What a suite says of itself, and what it holds.
#[derive(Default)]
struct Suite {
    attributes: BTreeMap<String, String>,
    cases: BTreeSet<(String, String)>,
    came: BTreeMap<String, usize>,
}

fn attributes(start: &BytesStart<'_>) -> BTreeMap<String, String> {
    let pair = |attribute: quick_xml::events::attributes::Attribute<'_>| {
        let name = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
        let value = String::from_utf8(attribute.value.to_vec()).unwrap();
        let value = quick_xml::escape::unescape(&value).unwrap().into_owned();
        assert!(value.chars().all(is_legal), "{value:?}");
        (name, value)
    };
    start.attributes().map(|it| pair(it.unwrap())).collect()
}

/// Whether XML 1.0 takes a character.
fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn suites(xml: &str) -> Vec<Suite> {
    assert!(xml.chars().all(is_legal));
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut open = vec![String::new()];
    let mut suites: Vec<Suite> = Vec::new();
    loop {
        let event = reader.read_event().unwrap();
        let (start, is_empty) = match &event {
            Event::Start(start) => (start, false),
            Event::Empty(start) => (start, true),
            Event::End(_) => {
                open.pop();
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        let name = String::from_utf8(start.name().as_ref().to_vec()).unwrap();
        let row = |name: &str| ELEMENTS.iter().find(|(it, ..)| *it == name).unwrap();
        let within = open.last().unwrap();
        assert!(row(within).2.contains(&name.as_str()), "{name} in {within}");
        let attributes = attributes(start);
        for attribute in attributes.keys() {
            assert!(
                row(&name).1.contains(&attribute.as_str()),
                "{attribute} of {name}"
            );
        }
        match name.as_str() {
            "testsuite" => suites.push(Suite {
                attributes,
                ..Suite::default()
            }),
            "testcase" => {
                let case = (attributes["classname"].clone(), attributes["name"].clone());
                let suite = suites.last_mut().unwrap();
                assert!(suite.cases.insert(case.clone()), "{case:?} is there twice");
            }
            "failure" | "error" | "skipped" => {
                *suites
                    .last_mut()
                    .unwrap()
                    .came
                    .entry(name.clone())
                    .or_default() += 1;
            }
            _ => {}
        }
        if !is_empty {
            open.push(name);
        }
    }
    assert_eq!(open, [""]);
    suites
}

#[test]
fn junit_has_a_case_for_each_expectation() {
    let failures = failures();
    let xml = run(&["--format", "junit"]);
    let suites = suites(&xml);
    assert_eq!(suites.len(), failures.len());
    assert!(suites.len() > 100, "{} suites", suites.len());
    for (index, suite) in suites.iter().enumerate() {
        let path = &suite.attributes["name"];
        let of = |name: &str| suite.attributes[name].parse::<usize>().unwrap();
        let came = |name: &str| suite.came.get(name).copied().unwrap_or(0);
        assert_eq!(of("id"), index, "{path}");
        assert_eq!(of("tests"), suite.cases.len(), "{path}");
        assert_eq!(of("failures"), came("failure"), "{path}");
        assert_eq!(of("errors"), came("error"), "{path}");
        assert_eq!(of("skipped"), came("skipped"), "{path}");
        assert_eq!(came("failure") + came("error"), failures[path], "{path}");
    }
    assert_eq!(
        xml,
        run(&["--format", "junit"]),
        "the same input, the same bytes"
    );
}

#[test]
fn junit_has_times_where_they_are_asked_for() {
    let suites = suites(&run(&["--format", "junit", "--junit-times", "passing"]));
    let suite = &suites[0].attributes;
    assert!(suite["time"].parse::<f64>().unwrap() >= 0.0);
    let (date, time) = suite["timestamp"].split_once('T').unwrap();
    assert!(date.len() == 10 && time.len() == 8, "{suite:?}");
}

/// The points of a TAP document: whether they are ok, and their descriptions; each block of YAML is read.
fn points(tap: &str) -> Vec<(bool, String)> {
    let mut lines = tap.lines();
    assert_eq!(lines.next(), Some("TAP version 14"));
    let (mut points, mut plan) = (Vec::new(), None);
    while let Some(line) = lines.next() {
        if line == "  ---" {
            let block = lines.by_ref().take_while(|line| *line != "  ...");
            let block: String = block.map(|line| format!("{}\n", &line[2..])).collect();
            let value: serde_yaml::Value = serde_yaml::from_str(&block).unwrap();
            assert!(
                value["message"].is_string() && value["drawn"].is_sequence(),
                "{block}"
            );
            assert!(
                !points
                    .last()
                    .is_none_or(|(is_ok, _): &(bool, String)| *is_ok),
                "{block}"
            );
        } else if let Some(number) = line.strip_prefix("1..") {
            plan = Some(number.parse::<usize>().unwrap());
        } else if !line.starts_with('#') {
            let is_ok = !line.starts_with("not ");
            let rest = line.trim_start_matches("not ").strip_prefix("ok ").unwrap();
            let (number, description) = rest.split_once(" - ").unwrap();
            points.push((is_ok, description.to_owned()));
            assert_eq!(number.parse(), Ok(points.len()), "{line}");
        }
    }
    assert_eq!(plan, Some(points.len()));
    points
}

#[test]
fn tap_has_a_point_for_each_expectation() {
    let points = points(&run(&["--format", "tap"]));
    let suites = suites(&run(&["--format", "junit"]));
    let cases: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    assert_eq!(points.len(), cases);
    let failures: usize = failures().values().sum();
    assert_eq!(points.iter().filter(|(is_ok, _)| !is_ok).count(), failures);
}

#[test]
fn parts_together_run_every_test_once() {
    let tests = |arguments: &[&str]| -> Vec<String> {
        let document: Value = serde_json::from_str(&run(arguments)).unwrap();
        let mut names = Vec::new();
        for file in document["files"].as_array().unwrap() {
            names.push(file.to_string());
        }
        names
    };
    let mut whole = tests(&["--format", "json"]);
    whole.sort();
    for parts in [2, 3] {
        let mut together = Vec::new();
        for part in 1..=parts {
            let part = format!("{part}/{parts}");
            // Neither the order nor the spelling of arguments decides where a file goes.
            let of_part = tests(&["--format", "json", "--partition", &part]);
            assert!(
                of_part.len() * parts < whole.len() * 2,
                "{part} has {} files",
                of_part.len()
            );
            together.extend(of_part);
        }
        together.sort();
        assert!(together == whole, "{parts} parts");
    }
}

/// Half of a report is no report.
#[test]
#[cfg(target_os = "linux")]
fn what_is_lost_on_a_full_disk_is_no_success() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cli/passing");
    for format in ["text", "json", "github", "junit", "tap"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_rulecheck"))
            .args(["test", "--format", format])
            .current_dir(&root)
            .stdout(full.unwrap())
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{format}: {told}");
        let times = told.matches("can't write to standard output").count();
        assert_eq!(times, 1, "{format}: {told}");
    }
}
