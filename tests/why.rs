//! `fixtures/why`: what `rulecheck why` says of each near miss, a folder a case.
//!
//! A case holds rules, tests or data, and `console`: lines `$ rulecheck …` with what each prints below it, and `[exit N]` where
//! it ends with anything but 0. Arguments with blanks stand in single quotes. With `SNAPSHOTS=overwrite` set, what is
//! printed is written anew.

#![expect(
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn every_near_miss_is_named() {
    let cases = cases();
    assert!(cases.len() >= 20, "{} cases found", cases.len());
    let mut faults = Vec::new();
    for case in cases {
        let path = case.join("console");
        let wanted = fs::read_to_string(&path).unwrap();
        let got = run(&case, &wanted);
        if std::env::var_os("SNAPSHOTS").is_some() {
            fs::write(&path, &got).unwrap();
        } else if wanted != got {
            faults.push(difference(&case, wanted, got));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The kinds of causes that the documentation of the JSON names, each in some case.
#[test]
fn every_kind_has_a_case() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/why/json.rs");
    let documentation = fs::read_to_string(source).unwrap();
    let (_, kinds) = documentation.split_once("the kinds do not:").unwrap();
    let (kinds, _) = kinds.split_once("\n\n").unwrap();
    let kinds: Vec<&str> = kinds
        .split_whitespace()
        .map(|word| word.trim_matches(['`', '.', '/', '!']))
        .filter(|word| !word.is_empty())
        .collect();
    assert!(kinds.len() >= 15, "{kinds:?}");
    let mut found = String::new();
    for case in cases() {
        let console = fs::read_to_string(case.join("console")).unwrap();
        let json: Vec<String> = commands(&console)
            .map(|command| format!("$ {command} --format json\n"))
            .collect();
        found.push_str(&run(&case, &json.concat()));
    }
    for kind in kinds {
        assert!(
            found.contains(&format!("\"kind\":{kind:?}")),
            "no case of {kind}"
        );
    }
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/why");
    let entries = fs::read_dir(root).unwrap();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

/// The commands of a console, without their `$`.
fn commands(console: &str) -> impl Iterator<Item = &str> {
    console.lines().filter_map(|line| line.strip_prefix("$ "))
}

/// Each command of a console, with what it prints now.
fn run(case: &Path, console: &str) -> String {
    let mut out = String::new();
    for command in commands(console) {
        let arguments = words(command);
        let (program, arguments) = arguments.split_first().unwrap();
        assert_eq!(program, "rulecheck", "{}: {command}", case.display());
        let output = Command::new(env!("CARGO_BIN_EXE_rulecheck"))
            .args(arguments)
            .current_dir(case)
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        out.push_str(&format!("$ {command}\n"));
        out.push_str(&String::from_utf8(output.stdout).unwrap());
        out.push_str(&String::from_utf8(output.stderr).unwrap());
        match output.status.code() {
            Some(0) => {}
            code => out.push_str(&format!("[exit {}]\n", code.unwrap())),
        }
    }
    out
}

/// The words of a command; blanks within single quotes part none.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for letter in command.chars() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn difference(case: &Path, wanted: String, got: String) -> String {
    let mut difference = String::new();
    let (wanted, got) = (
        snapbox::data::Data::text(wanted),
        snapbox::data::Data::text(got),
    );
    let name = case.join("console").display().to_string();
    let palette = snapbox::report::Palette::plain();
    snapbox::report::write_diff(
        &mut difference,
        &wanted,
        &got,
        Some(&name),
        Some(&"this run"),
        palette,
    )
    .unwrap();
    difference
}
