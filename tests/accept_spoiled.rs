//! `test --accept` on tests that pass, after one expectation after another was spoiled: the file becomes what it was.

#![expect(
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use snapbox::dir::DirRoot;

/// Test files that pass, with expectations over time and at moments, and the folder that they need.
const FILES: [(&str, &str); 9] = [
    ("rules", "birthday-scheduler/tests/bad_deploy_test.yml"),
    ("rules", "birthday-scheduler/tests/recorded_outage_test.yml"),
    ("rules", "birthday-scheduler/tests/queue_depth_test.yml"),
    ("rules", "birthday-scheduler/tests/recording_rules_test.yml"),
    ("rules", "starforge/tests/etl_latency_test.yml"),
    ("rules", "starforge/tests/latency_buckets_test.yml"),
    ("fixtures/cli/generate", "checkout_test.yml"),
    ("fixtures/cli/matrix_expect", "shop_test.yml"),
    ("fixtures/cli/expect_times", "the_test.yml"),
];

/// A text in place of another in one line.
struct Spoiled {
    line: usize,
    text: String,
}

/// Its folder may be written, and so it could be replaced.
#[test]
fn a_file_that_is_read_only_stays() {
    let temporary = DirRoot::mutable_temp().unwrap();
    let here = temporary.path().unwrap();
    let (from, file) = ("fixtures/cli/accept_comments", "the_test.yml");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(from), here);
    let path = here.join(file);
    let original = fs::read_to_string(&path).unwrap();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    assert_eq!(ended(here, file, &["--accept"]), None);
    assert_eq!(fs::read_to_string(&path).unwrap(), original);
}

#[test]
fn what_was_spoiled_is_what_it_was() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for (folder, file) in FILES {
        let temporary = DirRoot::mutable_temp().unwrap();
        let here = temporary.path().unwrap();
        copy(&root.join(folder), here);
        let path = here.join(file);
        let original = fs::read_to_string(&path).unwrap();
        // Some fixtures fail on purpose: what they see is the truth here.
        run(here, file, &["--accept"]);
        let good = fs::read_to_string(&path).unwrap();
        if !run(here, file, &[]) {
            assert!(folder.contains("cli"), "{folder}/{file} fails");
            continue;
        }
        if folder == "rules" {
            assert_eq!(good, original, "{file} passes, and was changed");
        }
        for spoiled in spoil(&good) {
            let mut lines: Vec<&str> = good.split('\n').collect();
            lines[spoiled.line] = &spoiled.text;
            fs::write(&path, lines.join("\n")).unwrap();
            // It may lie within the tolerance, or end before it begins.
            if ended(here, file, &[]) != Some(false) {
                continue;
            }
            let passes = run(here, file, &["--accept"]);
            let accepted = fs::read_to_string(&path).unwrap();
            let what = format!("{file}:{}: {}", spoiled.line + 1, spoiled.text);
            assert!(passes, "{what}");
            let is_same = |(index, (line, good)): (usize, (&str, &str))| {
                line == good || index == spoiled.line
            };
            assert_eq!(accepted.lines().count(), good.lines().count(), "{what}");
            assert!(
                accepted
                    .split('\n')
                    .zip(good.split('\n'))
                    .enumerate()
                    .all(is_same),
                "{what}"
            );
            let line = |text: &str| text.split('\n').nth(spoiled.line).unwrap().to_owned();
            if !good.contains("within") {
                assert_eq!(line(&accepted), line(&good), "{what}");
            }
            run(here, file, &["--accept"]);
            assert_eq!(
                fs::read_to_string(&path).unwrap(),
                accepted,
                "{what}: not idempotent"
            );
            count += 1;
        }
    }
    assert!(count >= 60, "{count} expectations were spoiled");
}

/// The expectations of a file, each spoiled.
fn spoil(text: &str) -> Vec<Spoiled> {
    const KEYS: [&str; 7] = [
        "from: ",
        "to: ",
        "count: ",
        "instances: ",
        "resolves_by: ",
        "value: ",
        "state: ",
    ];
    let mut spoiled = Vec::new();
    for (line, written) in text.split('\n').enumerate() {
        let code = written.split(" #").next().unwrap_or("");
        for key in KEYS {
            for (at, _) in code.match_indices(key) {
                let is_key =
                    at == 0 || !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                let start = at + key.len();
                let rest = &code[start..];
                let length = rest.find([',', '}', ']']).unwrap_or(rest.len());
                let value = rest[..length].trim_end();
                for other in [1, 3].iter().filter_map(|by| other(value, *by)) {
                    if is_key {
                        let end = start + value.len();
                        let text = format!("{}{other}{}", &written[..start], &written[end..]);
                        spoiled.push(Spoiled { line, text });
                    }
                }
            }
        }
    }
    spoiled
}

/// Another value of the same kind, written in the same way and so much further.
fn other(value: &str, by: u64) -> Option<String> {
    match value {
        "firing" => return Some("inactive".to_owned()),
        "end" => return None,
        _ => {}
    }
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &value[digits.len()..];
    let number: u64 = digits.parse().ok()?;
    match unit {
        "" => Some((number + 7 * by).to_string()),
        // A window must not end before it begins: a little later both may.
        "s" => Some(format!("{}s", number + 30 * by)),
        "m" => Some(format!("{}m", number + by)),
        _ => None,
    }
}

/// Whether a file passes; `None` where it can't be run.
fn ended(here: &Path, file: &str, more: &[&str]) -> Option<bool> {
    let output = Command::new(env!("CARGO_BIN_EXE_rulecheck"))
        .arg("test")
        .arg(file)
        .args(more)
        .current_dir(here)
        .output()
        .unwrap();
    match output.status.code() {
        Some(0) => Some(true),
        Some(1) => Some(false),
        _ => None,
    }
}

fn run(here: &Path, file: &str, more: &[&str]) -> bool {
    ended(here, file, more) == Some(true)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(fs::copy(&path, target).unwrap()),
        }
    }
}
