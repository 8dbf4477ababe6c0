//! `fixtures/slo`: specifications of objectives, the rules that are made of them, and what is said of them.
//!
//! A folder in `generate` holds a specification (`spec.yml`), options of the call (`args`, if there are any), the rules
//! (`rules.yml`) and tests that these must pass (`test.yml`, if there is one). In `check` each `.yml` has what is printed
//! beside it. With `SNAPSHOTS=overwrite` set, the answers are written anew.

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
    let output = run.get_output();
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    if std::env::var("SNAPSHOTS").is_ok_and(|it| it == "overwrite") {
        fs::write(expected, &said).unwrap();
        return;
    }
    let expected_text = fs::read_to_string(expected).unwrap_or_default();
    snapbox::assert_data_eq!(said, snapbox::Data::text(expected_text).raw());
}
