//! `fixtures/cli`: what the binary says and how it ends, a folder a case.
//!
//! In a case, `cmd` holds the arguments (`args`), the exit code (`exit`) and, where the files of another case are used,
//! its name (`input`); what it reads from standard input (`stdin`, a file of the input); variables of its environment
//! (`env NAME=VALUE`, several); `stdout` and `stderr` hold what is printed, none where there is no file; `after` holds the files
//! that must be different afterwards, or new. All other files are the input. With `SNAPSHOTS=overwrite` set, the answers are
//! written anew.

#![expect(
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::fs;
use std::path::{Path, PathBuf};

use snapbox::cmd::Command;
use snapbox::dir::DirRoot;

/// The files of a case that are no input.
const ANSWERS: [&str; 4] = ["cmd", "stdout", "stderr", "after"];

#[test]
fn every_case_ends_as_written() {
    let cases = cases();
    assert!(cases.len() >= 70, "{} cases found", cases.len());
    let mut faults = Vec::new();
    for case in &cases {
        case.check(&case.run(&[]), &mut faults);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// How many files run at once makes no difference.
#[test]
fn jobs_change_nothing() {
    let many = cases().into_iter().filter(|case| {
        case.arguments.first().is_some_and(|it| it == "test")
            && !case
                .arguments
                .iter()
                .any(|it| it == "--jobs" || it == "--help")
    });
    for case in many {
        let (one, four) = (case.run(&["--jobs", "1"]), case.run(&["--jobs", "4"]));
        assert_eq!(one.stdout, four.stdout, "{}", case.name);
        assert_eq!(one.stderr, four.stderr, "{}", case.name);
        assert_eq!(one.exit, four.exit, "{}", case.name);
    }
}

struct Case {
    name: String,
    folder: PathBuf,
    arguments: Vec<String>,
    exit: i32,
    input: PathBuf,
    stdin: Option<String>,
    environment: Vec<(String, String)>,
}

/// What a run left behind.
struct Ended {
    stdout: String,
    stderr: String,
    exit: Option<i32>,
    files: DirRoot,
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cli");
    let mut folders: Vec<PathBuf> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    folders
        .into_iter()
        .map(|folder| Case::read(&root, folder))
        .collect()
}

impl Case {
    fn read(root: &Path, folder: PathBuf) -> Case {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let mut case = Case {
            arguments: Vec::new(),
            exit: 0,
            input: folder.clone(),
            stdin: None,
            environment: Vec::new(),
            name,
            folder,
        };
        let text = fs::read_to_string(case.folder.join("cmd")).unwrap();
        for line in text.lines() {
            match line.split_once(' ').unwrap_or((line, "")) {
                ("args", rest) => {
                    // Quotes are only there for the reader: no argument holds a space.
                    let words = rest.split_whitespace();
                    case.arguments = words.map(|it| it.trim_matches('\'').to_owned()).collect();
                }
                ("exit", code) => case.exit = code.parse().unwrap(),
                ("env", pair) => {
                    let (name, value) = pair.split_once('=').unwrap();
                    case.environment.push((name.to_owned(), value.to_owned()));
                }
                ("stdin", file) => case.stdin = Some(file.to_owned()),
                ("input", other) => case.input = root.join(other),
                _ => panic!("{}: unknown line {line:?} in cmd", case.name),
            }
        }
        case
    }

    /// Runs the binary on a copy of the input.
    fn run(&self, more: &[&str]) -> Ended {
        let files = DirRoot::mutable_temp().unwrap();
        let here = files.path().unwrap();
        copy(&self.input, here, &ANSWERS);
        let output = Command::new(env!("CARGO_BIN_EXE_rulecheck"))
            .args(&self.arguments)
            .args(more)
            .current_dir(here)
            .env("NO_COLOR", "1")
            .env("COLUMNS", "100")
            .env_remove("GITHUB_STEP_SUMMARY")
            .env_remove("GITHUB_WORKSPACE")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(self.stdin.iter().fold(Vec::new(), |_, file| {
                fs::read(self.input.join(file)).unwrap()
            }))
            .output()
            .unwrap();
        Ended {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            exit: output.status.code(),
            files,
        }
    }

    fn check(&self, ended: &Ended, faults: &mut Vec<String>) {
        let name = &self.name;
        if ended.exit != Some(self.exit) {
            let (wanted, got) = (self.exit, ended.exit);
            let (out, err) = (&ended.stdout, &ended.stderr);
            faults.push(format!(
                "{name}: exit {wanted} expected, got {got:?}\n{out}{err}"
            ));
        }
        self.compare("stdout", &ended.stdout, faults);
        self.compare("stderr", &ended.stderr, faults);
        let here = ended.files.path().unwrap();
        let after = self.folder.join("after");
        for path in files_below(&self.input) {
            if ANSWERS.iter().any(|answer| path.starts_with(answer)) {
                continue;
            }
            let before = fs::read(self.input.join(&path)).unwrap();
            let now = fs::read(here.join(&path)).unwrap_or_default();
            if after.join(&path).is_file() {
                let now = String::from_utf8(now).unwrap();
                self.compare(&format!("after/{}", path.display()), &now, faults);
            } else if before != now {
                faults.push(format!("{name}: {} was changed", path.display()));
            }
        }
        let answers = if after.is_dir() {
            files_below(&after)
        } else {
            Vec::new()
        };
        let new = answers
            .iter()
            .filter(|path| !self.input.join(path).exists());
        let new: Vec<&PathBuf> = new.collect();
        for path in &new {
            let text = fs::read_to_string(here.join(path)).unwrap_or_default();
            self.compare(&format!("after/{}", path.display()), &text, faults);
        }
        let left = files_below(here).len();
        let came = files_below(&self.input)
            .iter()
            .filter(|path| !ANSWERS.iter().any(|answer| path.starts_with(answer)))
            .count()
            + new.len();
        if left != came {
            faults.push(format!("{name}: {came} files came, {left} are left"));
        }
    }

    /// Holds a text against the answer, or writes it down.
    fn compare(&self, answer: &str, text: &str, faults: &mut Vec<String>) {
        let path = self.folder.join(answer);
        if std::env::var_os("SNAPSHOTS").is_some() {
            match text.is_empty() {
                true => drop(fs::remove_file(&path)),
                false => fs::write(&path, text).unwrap(),
            }
            return;
        }
        let wanted = fs::read_to_string(&path).unwrap_or_default();
        if wanted != text {
            let mut difference = String::new();
            let (wanted, text) = (
                snapbox::data::Data::text(wanted),
                snapbox::data::Data::text(text),
            );
            let palette = snapbox::report::Palette::plain();
            let written = snapbox::report::write_diff(
                &mut difference,
                &wanted,
                &text,
                Some(&format!("fixtures/cli/{}/{answer}", self.name)),
                Some(&"this run"),
                palette,
            );
            written.unwrap();
            faults.push(difference);
        }
    }
}

/// Copies what a folder holds, but for some names at its top.
fn copy(from: &Path, to: &Path, without: &[&str]) {
    for path in files_below(from) {
        if !without.iter().any(|name| path.starts_with(name)) {
            let target = to.join(&path);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(from.join(&path), target).unwrap();
        }
    }
}

/// The files below a folder, relative to it, sorted.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path.strip_prefix(folder).unwrap().to_owned()),
            }
        }
    }
    files.sort();
    files
}
