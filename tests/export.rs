//! `test --export-promtool`: what is exported of our tests, a real promtool passes, and it fails where the rules are wrong.

#![expect(
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rayon::prelude::*;
use snapbox::dir::DirRoot;

/// Folders and files with tests of every kind, beside those of [`systems`].
const FOLDERS: [&str; 4] = [
    "fixtures/cli",
    "fixtures/tour",
    "fixtures/tour-deploy",
    "fixtures/why",
];

/// Why tests of the systems are left out: recordings were scraped at any millisecond, before the test began too; warm-ups and
/// the days of a calendar are not promtool's, nor are budgets; and it holds no more than 50 million samples.
const BEYOND_PROMTOOL: [&str; 5] = [
    "its samples lie on no grid",
    "has samples before the start of the test",
    "that promtool would see otherwise",
    "promtool knows no error budgets",
    "too many samples into memory",
];

/// Tests of the systems over days and weeks, each of which takes promtool minutes.
const LONG: [&str; 11] = [
    "_month_test.yml",
    "_week_test.yml",
    "_day_test.yml",
    "/fortnight_test.yml",
    "/slo_records_test.yml",
    "/slo_alerts_test.yml",
    "/slo_rules_test.yml",
    "/slo_burn_test.yml",
    "/windows_test.yml",
    "/generation_errors_test.yml",
    "/registrations_corrected_test.yml",
];

#[test]
fn promtool_passes_what_is_exported() {
    let folder = DirRoot::mutable_temp().unwrap();
    let out = folder.path().unwrap();
    let systems = systems();
    let paths = FOLDERS
        .into_iter()
        .chain(systems.iter().map(String::as_str));
    let shown = export(&paths.collect::<Vec<&str>>(), Path::new("."), out);
    let exported = files(out);
    assert!(exported.len() >= 100, "{} files: {shown}", exported.len());
    // Nothing of rules/ is left out but what promtool can't be asked.
    let of_rules = shown
        .split("exported ")
        .filter(|it| it.starts_with("rules/"));
    let reasons = of_rules.flat_map(|it| it.lines().skip(1));
    let reasons: Vec<&str> = reasons
        .filter(|it| it.starts_with("    left out"))
        .filter(|it| !BEYOND_PROMTOOL.iter().any(|known| it.contains(known)))
        .collect();
    assert!(reasons.is_empty(), "{reasons:#?}");
    // The same again, over what is there already.
    let before = texts(&exported);
    let again = systems.iter().map(String::as_str);
    let again = again.filter(|path| path.starts_with("rules/starforge/"));
    let again: Vec<&str> = again.chain(["fixtures/cli/expect_fires"]).collect();
    export(&again, Path::new("."), out);
    assert!(
        texts(&files(out)) == before,
        "what is exported again differs"
    );
    if !has_promtool() {
        println!("skipped: promtool is not on PATH");
        return;
    }
    let failed: Vec<String> = exported
        .par_iter()
        .filter_map(|file| refusal(file))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Rules with other thresholds and other waiting times, whose faults our tests find: promtool finds them too.
#[test]
fn promtool_finds_what_we_find() {
    if !has_promtool() {
        println!("skipped: promtool is not on PATH");
        return;
    }
    let folder = DirRoot::mutable_temp().unwrap();
    let root = folder.path().unwrap();
    let system = "rules/starforge";
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(system),
        &root.join(system),
    );
    export(&["rules"], root, &root.join("out"));
    let exported = files(&root.join("out"));
    let rules = root.join(system).join("corrected.yml");
    let good = fs::read_to_string(&rules).unwrap();
    let (mut killed, mut missed) = (0, Vec::new());
    for (line, text) in good
        .lines()
        .enumerate()
        .filter(|(_, it)| it.trim().starts_with("for: "))
    {
        let minutes: u64 = text.trim()["for: ".len()..]
            .trim_end_matches('m')
            .parse()
            .unwrap();
        let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
        lines[line] = text.replace(&format!("{minutes}m"), &format!("{}m", minutes + 2));
        fs::write(&rules, lines.join("\n") + "\n").unwrap();
        let ours = rulecheck(&["test", "rules"], root);
        if ours.status.success() {
            continue;
        }
        killed += 1;
        if exported.iter().all(|file| refusal(file).is_none()) {
            missed.push(format!("line {}: {}", line + 1, lines[line]));
        }
    }
    assert!(killed >= 5, "{killed} mutants killed");
    assert!(missed.is_empty(), "{missed:#?}");
}

/// The tests of the systems but the long ones.
fn systems() -> Vec<String> {
    let entries = |folder: &str| fs::read_dir(folder).into_iter().flatten();
    let paths = entries("rules").flat_map(|system| {
        let tests = system.unwrap().path().join("tests");
        entries(tests.to_str().unwrap()).map(|test| test.unwrap().path())
    });
    let paths = paths.map(|path| path.to_str().unwrap().to_owned());
    let mut paths: Vec<String> = paths
        .filter(|path| !LONG.iter().any(|end| path.ends_with(end)))
        .collect();
    paths.sort();
    paths
}

/// Runs the tests and exports them; what is said of the export.
fn export(paths: &[&str], root: &Path, out: &Path) -> String {
    let mut arguments = vec!["test"];
    arguments.extend(paths);
    let out = out.to_str().unwrap();
    arguments.extend(["--export-promtool", out]);
    let output = rulecheck(&arguments, root);
    let text = String::from_utf8(output.stdout).unwrap();
    let from = text.find("\nexported ").unwrap_or_else(|| panic!("{text}"));
    text[from + 1..].replace("not exported: ", "exported ")
}

fn rulecheck(arguments: &[&str], root: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rulecheck"))
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(root))
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn has_promtool() -> bool {
    Command::new("promtool").arg("--version").output().is_ok()
}

/// What promtool has against a file.
fn refusal(file: &Path) -> Option<String> {
    let output = Command::new("promtool")
        .args(["test", "rules"])
        .arg(file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    (!output.status.success()).then(|| format!("{}: {said}", file.display()))
}

/// All files below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            // Rules that were wrapped lie beside the tests.
            false if path.to_string_lossy().contains(".rules-") => {}
            false => found.push(path),
        }
    }
    found.sort();
    found
}

fn texts(files: &[PathBuf]) -> BTreeMap<PathBuf, String> {
    let read = |file: &PathBuf| (file.clone(), fs::read_to_string(file).unwrap());
    files.iter().map(read).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
}
