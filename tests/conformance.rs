//! Prometheus's own scripts: how many evaluations of each file give what Prometheus gives.
//!
//! The figures stand in `fixtures/conformance.txt`, so that they cannot get worse; `SNAPSHOTS=overwrite` writes them anew.

#![expect(
    clippy::unwrap_used,
    reason = "a test reads its fixtures and may stop at a broken one"
)]

use std::path::{Path, PathBuf};

use rulecheck::promql::Features;
use rulecheck::suite::script;
use rulecheck::text::Source;

#[test]
fn scripts_of_prometheus_give_what_prometheus_gives() {
    let Some(shared) = std::env::var_os("RULECHECK_CONFORMANCE") else {
        println!("skipped: RULECHECK_CONFORMANCE is not set");
        return;
    };
    let folder = PathBuf::from(shared).join("conformance/promqltest");
    let mut found = String::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "test")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "the scripts were found");
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let report = run(&path);
        for failure in &report.failures {
            println!(
                "{name}:{}: {} ({})\n  expected {}\n  got      {}",
                failure.line, failure.query, failure.mode, failure.expected, failure.got
            );
        }
        found += &format!("{name} {} {}\n", report.passed, report.failures.len());
    }
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/conformance.txt");
    if std::env::var_os("SNAPSHOTS").is_some() {
        std::fs::write(&fixture, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&fixture).unwrap());
}

fn run(path: &Path) -> script::ScriptReport {
    let source = Source::new(
        path.to_string_lossy(),
        std::fs::read_to_string(path).unwrap(),
    );
    match script::read(&source) {
        Ok(script) => script::run(&script, Features::ALL),
        Err(faults) => {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            panic!("{}", faults.join("\n"));
        }
    }
}
