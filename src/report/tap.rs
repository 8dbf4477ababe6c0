//! The Test Anything Protocol, version 14: a test point an expectation, with a block of YAML behind each that is not ok.

use super::case::{Came, Case, cases, one_line};
use super::{FileReport, Partition, Totals, count};
use crate::text::{Diagnostic, Place};

/// What stands before the test points.
pub const HEAD: &str = "TAP version 14\n";

/// The test points of a file. `number` is that of the last one before and is that of the last one afterwards.
pub fn file(points: &[Point], number: &mut usize) -> String {
    let mut out = String::new();
    for point in points {
        *number += 1;
        let word = if point.is_ok { "ok" } else { "not ok" };
        out.push_str(&format!("{word} {number} - {}", point.rest));
    }
    out
}

/// The plan, and what else is to be said, as comments.
pub fn tail(
    number: usize,
    of_all: &[Diagnostic],
    totals: &Totals,
    part: Option<Partition>,
) -> String {
    let mut out = format!("1..{number}\n");
    for said in of_all {
        out.push_str(&comment(&said.to_string()));
    }
    let tests = count(totals.tests, "test");
    let files = count(totals.files, "file");
    let mut words = format!("{files}, {tests}, {} failed", totals.failed);
    if let Some(part) = part {
        words.push_str(&format!(" ({})", part.words()));
    }
    out + &comment(&words)
}

/// A test point that has no number yet.
#[derive(Debug, Clone)]
pub struct Point {
    is_ok: bool,
    /// Its description, and what stands behind it, with comments of warnings before the next.
    rest: String,
}

/// The test points of a file, with its warnings behind the last.
pub fn points(file: &FileReport) -> Vec<Point> {
    let cases = cases(file);
    let mut points: Vec<Point> = cases.iter().map(point).collect();
    if let (Some(last), Ok(verdict)) = (points.last_mut(), &file.verdict) {
        let warnings = verdict.warnings.iter();
        last.rest
            .extend(warnings.map(|it| comment(&it.to_string())));
    }
    points
}

fn point(case: &Case<'_>) -> Point {
    let mut rest = description(&format!("{}: {}", case.class, case.name));
    match &case.came {
        Came::Passed => rest.push('\n'),
        Came::Skipped => {
            let reason = description(&case.came.message());
            rest.push_str(&format!(" # SKIP {reason}\n"));
        }
        _ => {
            rest.push('\n');
            rest.push_str(&block(case));
        }
    }
    Point {
        is_ok: matches!(case.came, Came::Passed | Came::Skipped),
        rest,
    }
}

/// A text that is no directive.
fn description(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('#', "\\#")
}

fn comment(text: &str) -> String {
    format!("# {}\n", one_line(text))
}

/// What is wrong, as YAML; texts are quoted as in JSON, which is YAML too.
fn block(case: &Case<'_>) -> String {
    let severity = match case.came {
        Came::Failed(..) => "fail",
        _ => "error",
    };
    let mut out = "  ---\n".to_owned();
    out.push_str(&format!("  message: {}\n", quoted(&case.came.message())));
    out.push_str(&format!("  severity: {severity}\n"));
    if let Some(place) = case.place {
        out.push_str(&at(place));
    }
    out.push_str("  drawn:\n");
    for line in case.came.drawn().lines() {
        out.push_str(&format!("    - {}\n", quoted(line)));
    }
    out.push_str("  ...\n");
    out
}

fn at(place: &Place) -> String {
    let at = place.source.line_column(place.span.start);
    format!(
        "  at:\n    file: {}\n    line: {}\n    column: {}\n",
        quoted(place.source.name()),
        at.line,
        at.column
    )
}

fn quoted(text: &str) -> String {
    // A text can't fail to be written to memory.
    let json = serde_json::to_string(text).unwrap_or_default();
    // JSON leaves these as they are, YAML does not take them or takes them for ends of lines.
    let is_bad = |c: char| {
        matches!(
            c,
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
    };
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match is_bad(c) {
            true => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => out.push(c),
        }
    }
    out
}
