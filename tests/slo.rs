//! `fixtures/slo`: specifications of objectives, the rules that are made of them, and what is said of them.
//!
//! A folder in `generate` holds a specification (`spec.yml`), options of the call (`args`, if there are any), the rules
//! (`rules.yml`) and tests that these must pass (`test.yml`, if there is one). In `check` each `.yml` has what is printed
//! beside it; `across` holds files that name each other's objects. With `SNAPSHOTS=overwrite` set, the answers are written anew.

#![expect(
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::fs;
use std::path::{Path, PathBuf};

use snapbox::cmd::{Command, OutputAssert};

#[test]
fn rules_are_those_of_the_tools() {
    let folders = entries("generate", |path| path.is_dir());
    assert!(folders.len() > 5, "{} cases", folders.len());
    for folder in folders {
        let args = fs::read_to_string(folder.join("args")).unwrap_or_default();
        let run = rulecheck(&folder)
            .args(["slo", "generate", "spec.yml"])
            .args(args.split_whitespace())
            .assert()
            .success();
        compare(&run, &folder.join("rules.yml"));
        let checked = rulecheck(&folder).args(["check", "rules.yml"]);
        checked.assert().success();
        if folder.join("test.yml").exists() {
            let tested = rulecheck(&folder).args(["test", "test.yml"]);
            tested.assert().success();
        }
    }
}

#[test]
fn faults_and_traps_are_told() {
    let folder = root().join("check");
    let files = entries("check", |path| {
        path.extension().is_some_and(|end| end == "yml")
    });
    assert!(files.len() > 2, "{} cases", files.len());
    for file in files {
        let name = file.file_name().unwrap();
        let run = rulecheck(&folder)
            .args(["slo", "check", "--strict"])
            .arg(name);
        compare(&run.assert(), &file.with_extension("txt"));
    }
}

#[test]
fn faults_are_told_to_machines_too() {
    let folder = root().join("check");
    for (format, answer) in [("json", "own.json"), ("github", "own.github")] {
        let args = ["slo", "check", "own.yml", "own_broken.yml", "--format"];
        let run = rulecheck(&folder).args(args).arg(format).assert().code(2);
        compare(&run, &folder.join(answer));
    }
}

/// Objects of OpenSLO name others of other files, each its own first.
#[test]
fn references_reach_into_other_files() {
    let folder = root().join("across");
    for args in [
        vec!["check", "slo.yml"],
        vec!["check", "slo.yml", "shared.yml"],
        vec!["check", "slo.yml", "shared.yml", "other.yml"],
        vec!["generate", "."],
        vec!["generate", "shared.yml"],
        vec!["budget", "shared.yml", "--data", "none.om"],
    ] {
        let run = rulecheck(&folder).arg("slo").args(&args).assert();
        let output = run.get_output();
        let (said, complained) = (text(&output.stdout), text(&output.stderr));
        let code = output.status.code().unwrap();
        let told = format!("{said}{complained}exit {code}\n");
        let name = args.join("_").replace(['.', '/'], "");
        told_as(&told, &folder.join(format!("{name}.txt")));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Outages of the SRE Workbook and when alerts fire in them, to the evaluation; with too little history one does so falsely.
#[test]
fn golden_windows_are_met() {
    let tested = rulecheck(&root().join("golden")).args(["test", "."]);
    compare(&tested.assert().success(), &root().join("golden/told.txt"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/slo")
}

fn entries(folder: &str, wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let found = fs::read_dir(root().join(folder)).unwrap();
    let mut found: Vec<PathBuf> = found.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| wanted(path));
    found.sort();
    found
}

fn rulecheck(folder: &Path) -> Command {
    Command::new(snapbox::cmd::cargo_bin!("rulecheck")).current_dir(folder)
}

fn compare(run: &OutputAssert, expected: &Path) {
    told_as(&text(&run.get_output().stdout), expected);
}

fn told_as(said: &str, expected: &Path) {
    if std::env::var("SNAPSHOTS").is_ok_and(|it| it == "overwrite") {
        fs::write(expected, said).unwrap();
        return;
    }
    let expected_text = fs::read_to_string(expected).unwrap_or_default();
    snapbox::assert_data_eq!(said.to_owned(), snapbox::Data::text(expected_text).raw());
}
