//! What came of scripts of promqltest, as text and as JSON.
//!
//! The JSON is versioned: `{"version": 1, "passed", "failed", "files": [{"path", "status": pass|fail|error, "passed", "failed",
//! "diagnostics": […], "failures": [{"line", "query", "mode", "expected", "got"}]}]}`: `diagnostics` as those of test files, of
//! a script that could not be read; `query` is what was evaluated, `mode` how and when.

use std::fmt::Write;

use serde::Serialize;

use super::json::Finding;
use crate::suite::script::{ScriptFailure, ScriptReport};
use crate::text::Diagnostic;

/// What came of one script.
#[derive(Debug)]
pub struct ScriptFile {
    /// Its path as it was given.
    pub path: String,
    /// What came of its evaluations, or why it could not be read.
    pub report: Result<ScriptReport, Vec<Diagnostic>>,
}

/// The line of a script and its failures below; nothing of a script that could not be read.
pub fn text(file: &ScriptFile) -> String {
    let Ok(report) = &file.report else {
        return String::new();
    };
    let (name, passed, failed) = (&file.path, report.passed, report.failures.len());
    let mut out = format!("{name}: {passed} passed, {failed} failed\n");
    for failure in &report.failures {
        let written = write!(
            out,
            "  {name}:{}: {} ({})\n    expected: {}\n    got:      {}\n",
            failure.line, failure.query, failure.mode, failure.expected, failure.got
        );
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    out
}

/// The line of all scripts.
pub fn sums(files: &[ScriptFile]) -> String {
    let (passed, failed) = counts(files);
    format!("{passed} passed, {failed} failed\n")
}

/// All scripts as one JSON document with a newline.
pub fn json(files: &[ScriptFile]) -> String {
    let (passed, failed) = counts(files);
    let document = Document {
        version: 1,
        passed,
        failed,
        files: files.iter().map(File::new).collect(),
    };
    // Texts, numbers and lists of them can't fail to be written to memory.
    let mut out = serde_json::to_string(&document).unwrap_or_default();
    out.push('\n');
    out
}

fn counts(files: &[ScriptFile]) -> (usize, usize) {
    let reports = || files.iter().filter_map(|file| file.report.as_ref().ok());
    let passed = reports().map(|report| report.passed).sum();
    let failed = reports().map(|report| report.failures.len()).sum();
    (passed, failed)
}

#[derive(Serialize)]
struct Document<'r> {
    version: u32,
    passed: usize,
    failed: usize,
    files: Vec<File<'r>>,
}

#[derive(Serialize)]
struct File<'r> {
    path: &'r str,
    status: &'static str,
    passed: usize,
    failed: usize,
    diagnostics: Vec<Finding<'r>>,
    failures: Vec<Failure<'r>>,
}

#[derive(Serialize)]
struct Failure<'r> {
    line: usize,
    query: &'r str,
    mode: &'r str,
    expected: &'r str,
    got: &'r str,
}

impl<'r> File<'r> {
    fn new(file: &'r ScriptFile) -> File<'r> {
        let (status, passed, failures, faults) = match &file.report {
            Err(faults) => ("error", 0, [].as_slice(), faults.as_slice()),
            Ok(report) => {
                let passes = report.failures.is_empty();
                let status = if passes { "pass" } else { "fail" };
                (
                    status,
                    report.passed,
                    report.failures.as_slice(),
                    [].as_slice(),
                )
            }
        };
        File {
            path: &file.path,
            status,
            passed,
            failed: failures.len(),
            diagnostics: faults.iter().map(Finding::new).collect(),
            failures: failures.iter().map(Failure::new).collect(),
        }
    }
}

impl<'r> Failure<'r> {
    fn new(failure: &'r ScriptFailure) -> Failure<'r> {
        Failure {
            line: failure.line,
            query: &failure.query,
            mode: &failure.mode,
            expected: &failure.expected,
            got: &failure.got,
        }
    }
}
