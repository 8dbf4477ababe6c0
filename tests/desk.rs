//! At the desk: what shells complete, the manual, and tests that run again when files are saved.

#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong around the program should stop the test"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use snapbox::dir::DirRoot;

fn rulecheck() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecheck"));
    command.env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

fn output(arguments: &[&str]) -> String {
    let output = rulecheck().args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Whether a program, if it is there, is content with a text that it reads from standard input.
fn is_taken(program: &str, arguments: &[&str], text: &str) -> bool {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: there is no {program}");
        return true;
    };
    let mut input = child.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    output.status.success() && output.stderr.is_empty()
}

#[test]
fn shells_complete() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = output(&["completions", shell]);
        for word in ["coverage-min", "partition", "conformance"] {
            assert!(script.contains(word), "{shell} knows no {word}");
        }
        let flag = if shell == "fish" {
            "--no-execute"
        } else {
            "-n"
        };
        if ["bash", "zsh", "fish"].contains(&shell) {
            assert!(is_taken(shell, &[flag], &script), "{shell} refuses it");
        }
    }
}

#[test]
fn there_is_a_manual() {
    let program = output(&["man"]);
    let test = output(&["man", "test"]);
    assert!(program.contains("rulecheck\\-test(1)"), "{program}");
    assert!(test.contains(".TH rulecheck-test 1"), "{test}");
    let generate = output(&["man", "slo", "generate"]);
    assert!(
        generate.contains(".TH rulecheck-slo-generate 1"),
        "{generate}"
    );
    for page in [program, test, generate] {
        assert!(is_taken("man", &["-l", "-"], &page));
    }
}

/// A watch over a copy of some files.
struct Watch {
    child: Child,
    lines: Receiver<String>,
    files: DirRoot,
}

impl Watch {
    fn start(files: &[(&str, &str)], arguments: &[&str]) -> Watch {
        let root = DirRoot::mutable_temp().unwrap();
        for (path, text) in files {
            write(&root.path().unwrap().join(path), text);
        }
        let mut child = rulecheck()
            .args(["test", "--watch"])
            .args(arguments)
            .current_dir(root.path().unwrap())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Watch {
            child,
            lines,
            files: root,
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.files.path().unwrap().join(path)
    }

    /// What is printed up to the end of a run.
    fn run(&self) -> String {
        let mut text = String::new();
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(60));
            let line = line.unwrap_or_else(|_| panic!("nothing more came after:\n{text}"));
            text.push_str(&line);
            text.push('\n');
            if line.starts_with("watching ") {
                return text;
            }
        }
    }

    /// What is printed after a file is saved.
    fn save(&self, path: &str, text: &str) -> String {
        write(&self.path(path), text);
        self.run()
    }

    fn is_silent(&self) -> bool {
        self.lines.recv_timeout(Duration::from_millis(400)).is_err()
    }

    /// Sends a signal, and says how it ended.
    #[cfg(unix)]
    fn end(mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        Command::new("kill").args([signal, &pid]).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

const RULES: &str = "groups:
  - name: mill
    rules:
      - {alert: MillStopped, expr: mill_speed == 0}
";

const TEST: &str = "rule_files: [../mill.yml]
tests:
  - input_series: [{series: mill_speed, values: 3 0x10}]
    alert_rule_test:
      - {eval_time: 5m, alertname: MillStopped, exp_alerts: [{exp_labels: {}}]}
";

const OTHER: &str = "rule_files: [more/*.yml]
include: [common.yml]
tests:
  - fixtures: [{file: one.csv}]
    promql_expr_test: [{expr: bread, eval_time: 0m, exp_samples: [{labels: bread, value: 7}]}]
";

const FILES: [(&str, &str); 5] = [
    ("mill.yml", RULES),
    ("tests/mill_test.yml", TEST),
    ("tests/bread_test.yml", OTHER),
    ("tests/common.yml", "series: {}\n"),
    ("tests/one.csv", "time,metric,value\n0,bread,7\n"),
];

#[test]
#[cfg(unix)]
fn what_a_saved_file_touches_runs_again() {
    let watch = Watch::start(&FILES, &["--promtool-compatible", "tests"]);
    let first = watch.run();
    assert!(
        first.contains("2 files, 2 tests, 2 expectations: all passed"),
        "{first}"
    );

    let failing = watch.save("mill.yml", &RULES.replace("== 0", "> 100"));
    assert!(
        failing.starts_with("\nFAIL  tests/mill_test.yml"),
        "{failing}"
    );
    assert!(
        failing.contains("changed: mill.yml; ran 1 of 2 files"),
        "{failing}"
    );
    assert!(
        failing.contains("2 files, 2 tests, 2 expectations: 1 test failed"),
        "{failing}"
    );

    let recording = watch.save("tests/one.csv", "time,metric,value\n0,bread,8\n");
    let of = |file: &str| recording.find(&format!("FAIL  tests/{file}_test.yml"));
    assert!(of("bread") < of("mill"), "the last first: {recording}");
    assert!(of("bread").is_some(), "{recording}");
    assert!(
        recording.contains("FAIL  tests/mill_test.yml"),
        "{recording}"
    );
    assert!(recording.contains("ran 1 of 2 files"), "{recording}");
    let mended = watch.save("tests/one.csv", FILES[4].1);
    assert!(mended.contains("ok    tests/bread_test.yml"), "{mended}");

    let half = watch.save("mill.yml", "groups:\n  - name: [");
    assert!(half.contains("ERROR tests/mill_test.yml"), "{half}");
    let whole = watch.save("mill.yml", RULES);
    assert!(whole.contains("all passed"), "{whole}");

    // Saved as it was, touched, read.
    write(&watch.path("mill.yml"), RULES);
    fs::read(watch.path("mill.yml")).unwrap();
    write(&watch.path("tests/notes.txt"), "nobody reads this");
    assert!(watch.is_silent());

    // As editors do: another file comes in the place of the old one.
    write(&watch.path("mill.yml~"), &RULES.replace("== 0", "== 1"));
    fs::rename(watch.path("mill.yml~"), watch.path("mill.yml")).unwrap();
    assert!(watch.run().contains("FAIL  tests/mill_test.yml"));
    assert_eq!(watch.end("-INT"), Some(1));
}

#[test]
#[cfg(unix)]
fn files_come_and_go() {
    let watch = Watch::start(&FILES, &["--promtool-compatible", "tests"]);
    watch.run();

    let include = watch.save("tests/common.yml", "series: [\n");
    assert!(include.contains("ERROR tests/bread_test.yml"), "{include}");
    assert!(
        watch
            .save("tests/common.yml", "series: {}\n")
            .contains("all passed")
    );

    let rules = "groups: [{name: more, rules: [{record: bread:max, expr: max(bread)}]}]\n";
    let new = watch.save("tests/more/rules.yml", rules);
    assert!(new.contains("ran 1 of 2 files"), "{new}");
    let broken = watch.save("tests/more/rules.yml", &rules.replace("max(", "mox("));
    assert!(broken.contains("ERROR tests/bread_test.yml"), "{broken}");
    fs::remove_file(watch.path("tests/more/rules.yml")).unwrap();
    assert!(watch.run().contains("all passed"));

    let test = TEST.replace("../", "../../");
    let new = watch.save("tests/deep/new_test.yml", &test);
    assert!(new.contains("3 files, 3 tests"), "{new}");
    let half = watch.save("tests/deep/new_test.yml", "rule_");
    assert!(half.contains("ERROR tests/deep/new_test.yml"), "{half}");
    fs::remove_dir_all(watch.path("tests/deep")).unwrap();
    let gone = watch.run();
    assert!(
        gone.contains("2 files, 2 tests, 2 expectations: all passed"),
        "{gone}"
    );
    let again = watch.save("tests/deep/new_test.yml", &test);
    assert!(again.contains("3 files, 3 tests"), "{again}");
    assert_eq!(watch.end("-TERM"), Some(0));
}

/// Rules may be links to a checkout that lies elsewhere.
#[test]
#[cfg(unix)]
fn what_a_link_points_to_is_watched() {
    let files = [
        ("elsewhere/deep/mill.yml", RULES),
        ("here/tests/mill_test.yml", TEST),
    ];
    let watch = Watch::start(&files, &["here/tests"]);
    assert!(watch.run().contains("no rule file matches"));
    let link = watch.path("here/mill.yml");
    std::os::unix::fs::symlink("../elsewhere/deep/mill.yml", link).unwrap();
    assert!(watch.run().contains("all passed"));
    let failing = watch.save("elsewhere/deep/mill.yml", &RULES.replace("== 0", "> 100"));
    assert!(
        failing.contains("changed: here/mill.yml; ran 1 of 1 file"),
        "{failing}"
    );
}
