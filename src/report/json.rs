//! JSON for programs; its shape is versioned.
//!
//! `{"version": 1, "files": [{"path", "status": pass|fail|error, "accepted", "diff", "diagnostics": [{"severity", "message", "file", "line",
//! "column", "help", "lint"}], "annotations": [as diagnostics], "tests": [{"name", "failures": [{"kind": alert|expr|rule|expect, "name", "eval_time", "file", "line",
//! "expected", "got", "error", "problems": [{"problem", "at", "labels", "message", "expected", "got"}]}]}]}], "diagnostics": [as those of files], "coverage": as [`coverage`] says, "partition": {"part", "of", "left_out"}}`, the last three where there is something to
//! say, `lint` where one says it, `diff` of a file where `--accept` changes it: `eval_time` in seconds after the start of the test; `expected` and `got` list `{labels,
//! annotations}` for alerts and `{labels, value}` for expressions, labels with `__name__`, values as Prometheus prints them. With
//! `--why` a failure has `"why": [{"sections"}]` too, as [`super::why`] has it.
//!
//! `check` has `{"version": 1, "files": [{"path", "status": ok|error, "holds": "2 groups, 7 rules", "diagnostics"}]}`.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use smallvec::SmallVec;

use super::coverage::{self, Reached};
use super::unmet::words;
use super::why::Clock;
use super::{FileReport, Partition};
use crate::model::Millis;
use crate::model::bytes::shown;
use crate::suite::expect::Problem;
use crate::suite::{AlertLine, Cause, Mismatch, SampleLine, TestVerdict};
use crate::text::Diagnostic;

/// What stands before the files.
pub const HEAD: &str = "{\"version\":1,\"files\":[";

/// What stands behind the files: what is to be said of all of them together, and what they reached.
pub fn tail(of_all: &[Diagnostic], reached: Option<&Reached>, part: Option<Partition>) -> String {
    let mut out = "]".to_owned();
    if !of_all.is_empty() {
        let findings: Vec<Finding<'_>> = of_all.iter().map(Finding::new).collect();
        let findings = serde_json::to_string(&findings).unwrap_or_default();
        out.push_str(&format!(",\"diagnostics\":{findings}"));
    }
    if let Some(reached) = reached {
        out.push_str(&format!(",\"coverage\":{}", coverage::json(reached)));
    }
    if let Some(Partition {
        number,
        of,
        left_out,
    }) = part
    {
        let object = format!("{{\"part\":{number},\"of\":{of},\"left_out\":{left_out}}}");
        out.push_str(&format!(",\"partition\":{object}"));
    }
    out + "}\n"
}

/// How long a failure is, about.
const BYTES_A_FAILURE: usize = 320;

/// What came of one file; commas stand between files.
pub fn file(file: &FileReport) -> String {
    let tests = file.verdict.iter().flat_map(|verdict| &verdict.tests);
    let failures = tests.map(|test| test.failures.len()).sum::<usize>();
    let mut json = Vec::with_capacity(1024 + failures * BYTES_A_FAILURE);
    // Texts, numbers and lists of them can't fail to be written to memory, nor be anything but UTF-8.
    let written = serde_json::to_writer(&mut json, &File::new(file));
    written.map_or_else(
        |_| String::new(),
        |()| String::from_utf8(json).unwrap_or_default(),
    )
}

/// What is to be said of a file that was only checked, and what it holds unless it is broken; commas stand between files.
pub fn checked(path: &str, holds: Option<&str>, findings: &[Diagnostic]) -> String {
    let checked = Checked {
        path,
        status: if holds.is_some() { "ok" } else { "error" },
        holds,
        diagnostics: findings.iter().map(Finding::new).collect(),
    };
    serde_json::to_string(&checked).unwrap_or_default()
}

#[derive(Serialize)]
struct Checked<'r> {
    path: &'r str,
    status: &'static str,
    holds: Option<&'r str>,
    diagnostics: Vec<Finding<'r>>,
}

#[derive(Serialize)]
struct File<'r> {
    path: &'r str,
    status: &'static str,
    accepted: usize,
    #[serde(skip_serializing_if = "String::is_empty")]
    diff: String,
    diagnostics: Vec<Finding<'r>>,
    annotations: Vec<Finding<'r>>,
    tests: Vec<Test<'r>>,
}

/// A diagnostic as it stands in every document.
#[derive(Serialize)]
pub(super) struct Finding<'r> {
    severity: &'static str,
    message: &'r str,
    file: Option<&'r str>,
    line: Option<usize>,
    column: Option<usize>,
    help: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lint: Option<&'static str>,
}

#[derive(Serialize)]
struct Test<'r> {
    name: &'r str,
    failures: Vec<Failure<'r>>,
}

#[derive(Serialize)]
struct Failure<'r> {
    kind: &'static str,
    name: &'r str,
    eval_time: f64,
    file: &'r str,
    line: usize,
    expected: Option<Lines<'r>>,
    got: Lines<'r>,
    error: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Wrong<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    why: Vec<serde_json::Value>,
}

/// One thing that is not as an item of `expect` says.
#[derive(Serialize)]
struct Wrong<'r> {
    problem: &'static str,
    at: Option<f64>,
    labels: Option<Pairs<'r>>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Vec<Window>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    got: Option<Vec<Window>>,
}

/// A window in seconds after the start of the test; `to` null while it lasts.
#[derive(Serialize)]
struct Window {
    from: f64,
    to: Option<f64>,
}

/// What was expected or seen.
enum Lines<'r> {
    Alerts(&'r [AlertLine]),
    Samples(&'r [SampleLine]),
}

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Lines::Alerts(lines) => serializer.collect_seq(lines.iter().map(Alert::of)),
            Lines::Samples(lines) => serializer.collect_seq(lines.iter().map(Sample::of)),
        }
    }
}

#[derive(Serialize)]
struct Alert<'r> {
    labels: Pairs<'r>,
    annotations: Pairs<'r>,
}

#[derive(Serialize)]
struct Sample<'r> {
    labels: Pairs<'r>,
    value: String,
}

/// A mapping of texts, in its order.
struct Pairs<'r>(SmallVec<[(&'r str, &'r str); 8]>);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(&shown(name), &shown(value))?;
        }
        map.end()
    }
}

impl<'r> File<'r> {
    fn new(file: &'r FileReport) -> File<'r> {
        let (status, diagnostics, annotations, tests) = match &file.verdict {
            Err(faults) => ("error", faults, &[] as &[Diagnostic], &[] as &[TestVerdict]),
            Ok(verdict) => {
                let status = if verdict.passed() { "pass" } else { "fail" };
                let annotations = verdict.annotations.as_slice();
                (
                    status,
                    &verdict.warnings,
                    annotations,
                    verdict.tests.as_slice(),
                )
            }
        };
        File {
            path: &file.path,
            status,
            accepted: file.accepted.count,
            diff: file.accepted.diff(),
            diagnostics: diagnostics.iter().map(Finding::new).collect(),
            annotations: annotations.iter().map(Finding::new).collect(),
            tests: tests.iter().map(Test::new).collect(),
        }
    }
}

impl<'r> Finding<'r> {
    pub(super) fn new(diagnostic: &'r Diagnostic) -> Finding<'r> {
        let place = diagnostic.place.as_ref();
        let at = place.map(|place| place.source.line_column(place.span.start));
        Finding {
            severity: diagnostic.severity.name(),
            message: &diagnostic.message,
            file: place.map(|place| place.source.name()),
            line: at.map(|at| at.line),
            column: at.map(|at| at.column),
            help: diagnostic.help.as_deref(),
            lint: diagnostic.lint,
        }
    }
}

impl<'r> Test<'r> {
    fn new(test: &'r TestVerdict) -> Test<'r> {
        Test {
            name: &test.name,
            failures: test.failures.iter().map(Failure::new).collect(),
        }
    }
}

impl<'r> Failure<'r> {
    fn new(failure: &'r Mismatch) -> Failure<'r> {
        let nothing = || Lines::Samples(&[]);
        let (expected, got, error) = match &failure.cause {
            Cause::Alert { expected, got, .. } => {
                (Some(Lines::Alerts(expected)), Lines::Alerts(got), None)
            }
            Cause::Expr { expected, got } => {
                (Some(Lines::Samples(expected)), Lines::Samples(got), None)
            }
            Cause::Unreadable(faults) => {
                let messages: Vec<&str> =
                    faults.iter().map(|fault| fault.message.as_str()).collect();
                (None, nothing(), Some(Cow::Owned(messages.join("; "))))
            }
            Cause::ExprError(error)
            | Cause::Rule(error)
            | Cause::RuleFails { message: error, .. } => {
                (None, nothing(), Some(Cow::Borrowed(error.as_str())))
            }
            Cause::Unmet(_) => (None, nothing(), None),
        };
        let at = failure.place.source.line_column(failure.place.span.start);
        Failure {
            kind: failure.kind(),
            name: &failure.name,
            eval_time: failure.eval_time as f64 / 1000.0,
            file: failure.place.source.name(),
            line: at.line,
            expected,
            got,
            error,
            problems: match &failure.cause {
                Cause::Unmet(unmet) => unmet.problems.iter().map(Wrong::new).collect(),
                _ => Vec::new(),
            },
            why: failure
                .why
                .iter()
                .flat_map(|why| {
                    let clock = Clock::Since(why.start);
                    let all = why.explanations.iter();
                    all.map(move |explanation| super::why::value(explanation, clock))
                })
                .collect(),
        }
    }
}

impl<'r> Wrong<'r> {
    fn new(problem: &'r Problem) -> Wrong<'r> {
        let seconds = |millis: Millis| millis as f64 / 1000.0;
        let window = |from: Millis, to: Option<Millis>| Window {
            from: seconds(from),
            to: to.map(seconds),
        };
        let expected = match problem {
            Problem::Windows { expected, .. } => {
                Some(expected.iter().map(|it| window(it.from, it.to)).collect())
            }
            _ => None,
        };
        let got = match problem {
            Problem::Windows { seen, .. }
            | Problem::Unresolved { seen, .. }
            | Problem::Unselected { seen, .. }
            | Problem::Never { seen, .. } => {
                Some(seen.iter().map(|&(from, to)| window(from, to)).collect())
            }
            _ => None,
        };
        Wrong {
            problem: problem.kind(),
            at: problem.moment().map(seconds),
            labels: problem
                .labels()
                .map(|labels| Pairs(labels.iter().collect())),
            message: words(problem),
            expected,
            got,
        }
    }
}

impl<'r> Alert<'r> {
    fn of(line: &'r AlertLine) -> Alert<'r> {
        let empty = line.empty_labels.iter().map(|name| (name.as_str(), ""));
        let annotations = line
            .annotations
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        Alert {
            labels: Pairs(line.labels.iter().chain(empty).collect()),
            annotations: Pairs(annotations.collect()),
        }
    }
}

impl<'r> Sample<'r> {
    fn of(line: &'r SampleLine) -> Sample<'r> {
        Sample {
            labels: Pairs(line.labels.iter().collect()),
            value: line.value_text(),
        }
    }
}
