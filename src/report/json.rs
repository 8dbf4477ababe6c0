//! JSON for programs; its shape is versioned.
//!
//! `{"version": 1, "files": [{"path", "status": pass|fail|error, "accepted", "diagnostics": [{"severity", "message", "file", "line",
//! "column", "help"}], "tests": [{"name", "failures": [{"kind": alert|expr|rule, "name", "eval_time", "file", "line",
//! "expected", "got", "error"}]}]}]}`: `eval_time` in seconds after the start of the test; `expected` and `got` list `{labels,
//! annotations}` for alerts and `{labels, value}` for expressions, labels with `__name__`, values as Prometheus prints them.

use serde_json::{Map, Value, json};

use super::{FileReport, Report};
use crate::model::Labels;
use crate::suite::{AlertLine, Cause, Mismatch, SampleLine, TestVerdict};
use crate::text::Diagnostic;

/// The report as one JSON document with a newline.
pub fn write(report: &Report) -> String {
    let files: Vec<Value> = report.files.iter().map(file).collect();
    let mut out = json!({"version": 1, "files": files}).to_string();
    out.push('\n');
    out
}

fn file(file: &FileReport) -> Value {
    let (status, diagnostics, tests) = match &file.verdict {
        Err(faults) => ("error", faults, Vec::new()),
        Ok(verdict) => {
            let status = if verdict.passed() { "pass" } else { "fail" };
            (
                status,
                &verdict.warnings,
                verdict.tests.iter().map(test).collect(),
            )
        }
    };
    let diagnostics: Vec<Value> = diagnostics.iter().map(diagnostic).collect();
    json!({"path": file.path, "status": status, "accepted": file.accepted, "diagnostics": diagnostics, "tests": tests})
}

fn diagnostic(diagnostic: &Diagnostic) -> Value {
    let place = diagnostic.place.as_ref();
    let at = place.map(|place| place.source.line_column(place.span.start));
    json!({
        "severity": diagnostic.severity.name(),
        "message": diagnostic.message,
        "file": place.map(|place| place.source.name()),
        "line": at.map(|at| at.line),
        "column": at.map(|at| at.column),
        "help": diagnostic.help,
    })
}

fn test(test: &TestVerdict) -> Value {
    let failures: Vec<Value> = test.failures.iter().map(failure).collect();
    json!({"name": test.name, "failures": failures})
}

fn failure(failure: &Mismatch) -> Value {
    let (expected, got, error) = match &failure.cause {
        Cause::Alert { expected, got, .. } => (alerts(expected), alerts(got), Value::Null),
        Cause::Expr { expected, got } => (samples(expected), samples(got), Value::Null),
        Cause::Unreadable(faults) => {
            let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
            (Value::Null, json!([]), json!(messages.join("; ")))
        }
        Cause::ExprError(error) | Cause::Rule(error) => (Value::Null, json!([]), json!(error)),
    };
    let at = failure.place.source.line_column(failure.place.span.start);
    json!({
        "kind": failure.kind(),
        "name": failure.name,
        "eval_time": failure.eval_time as f64 / 1000.0,
        "file": failure.place.source.name(),
        "line": at.line,
        "expected": expected,
        "got": got,
        "error": error,
    })
}

fn alerts(lines: &[AlertLine]) -> Value {
    let alert = |line: &AlertLine| {
        let annotations: Map<String, Value> = line
            .annotations
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        let mut labels = labels(&line.labels);
        labels.extend(
            line.empty_labels
                .iter()
                .map(|name| (name.clone(), json!(""))),
        );
        json!({"labels": labels, "annotations": annotations})
    };
    lines.iter().map(alert).collect()
}

fn samples(lines: &[SampleLine]) -> Value {
    lines
        .iter()
        .map(|line| json!({"labels": labels(&line.labels), "value": line.value_text()}))
        .collect()
}

fn labels(labels: &Labels) -> Map<String, Value> {
    labels
        .iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect()
}
