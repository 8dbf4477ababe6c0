//! `fixtures/promql`: scripts of promqltest that prove the engine, each in the modes that its folder names, and that
//! no function, aggregation, operator or modifier is without one.
//!
//! Metric names are removed when a query is done (`delayed`, as Prometheus's own tests have it) or at once (`immediate`,
//! as promtool and servers do it unless told otherwise). What a script in `fixtures/promql` expects holds in both modes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reads its fixtures and may stop at a broken one"
)]

use std::path::{Path, PathBuf};

use rulecheck::promql::Features;
use rulecheck::suite::script::{self, Script};
use rulecheck::text::Source;

const DELAYED: Features = Features::ALL;

const IMMEDIATE: Features = Features {
    delayed_name_removal: false,
    ..Features::ALL
};

/// The folders of scripts, and the modes in which each must pass.
const FOLDERS: [(&str, &[Features]); 3] = [
    ("fixtures/promql", &[DELAYED, IMMEDIATE]),
    ("fixtures/promql/delayed", &[DELAYED]),
    ("fixtures/promql/immediate", &[IMMEDIATE]),
];

#[test]
fn every_evaluation_is_as_written() {
    let mut faults = Vec::new();
    let mut passed = 0;
    for (folder, modes) in FOLDERS {
        for path in scripts(folder) {
            let script = read(&path);
            for &features in modes {
                let report = script::run(&script, features);
                passed += report.passed;
                faults.extend(report.failures.iter().map(|failure| {
                    let delayed = if features.delayed_name_removal {
                        "delayed"
                    } else {
                        "immediate"
                    };
                    format!(
                        "{}:{}: {} ({}, {delayed})\n  expected {}\n  got      {}",
                        path.display(),
                        failure.line,
                        failure.query,
                        failure.mode,
                        failure.expected,
                        failure.got
                    )
                }));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} failed\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(passed > 0, "no evaluation found");
}

/// The scripts of a folder, sorted.
fn scripts(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(root.join(folder)).unwrap();
    let paths = entries.map(|entry| Path::new(folder).join(entry.unwrap().file_name()));
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|it| it == "test"))
        .collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> Script {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let source = Source::new(path.to_string_lossy(), text);
    script::read(&source).unwrap_or_else(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("{}", faults.join("\n"))
    })
}
