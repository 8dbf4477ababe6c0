//! What tests reach of the rules, as a table and as JSON.
//!
//! JSON stands under `"coverage"` behind the files: `{"version": 1, "points", "reached", "percent", "min", "files":
//! [{"file", "points", "reached"}], "missing": [{"file", "line", "column", "rule", "kind": alert|record, "point":
//! fires|silent|yields|read|keeps|removes|left|right, "operator", "message", "help"}]}`: `percent` is 0 where there is no
//! point, `min` what was asked for, `operator` null but for the sides of one.

use std::collections::BTreeMap;

use serde::Serialize;

use super::count;
use crate::model::Duration;
use crate::promql::ast::BinaryOp;
use crate::suite::coverage::{Attained, Coverage, Point, PointKind, RuleCoverage, Share};

/// What tests reached, and what they should.
#[derive(Debug, Clone)]
pub struct Reached {
    /// What all files together reached.
    pub coverage: Coverage,
    /// How many of a hundred points they should.
    pub min: Option<f64>,
}

impl Reached {
    /// Whether they reached as much as they should.
    pub fn is_enough(&self) -> bool {
        self.min
            .is_none_or(|min| self.coverage.share().percent() >= min)
    }
}

/// The head of a column, and the points that it counts.
type Column = (&'static str, fn(PointKind) -> bool);

/// The columns of the table.
const COLUMNS: [Column; 4] = [
    ("alerts", |kind| {
        matches!(kind, PointKind::Fires | PointKind::Silent)
    }),
    ("records", |kind| {
        matches!(kind, PointKind::Yields | PointKind::Read)
    }),
    ("operators", |kind| operator(kind).is_some()),
    ("all", |_| true),
];

/// A table with a line for each rule file, and what is missing.
pub fn text(reached: &Reached) -> String {
    let coverage = &reached.coverage;
    let mut rows = vec![row("rules", |column| COLUMNS[column].0.to_owned())];
    let mut files: BTreeMap<&str, [Share; COLUMNS.len()]> = BTreeMap::new();
    for (file, rule) in coverage.rules() {
        let shares = files.entry(file).or_default();
        for (share, (_, is_meant)) in shares.iter_mut().zip(COLUMNS) {
            *share = share.and(rule.share_of(is_meant));
        }
    }
    rows.extend(
        files
            .iter()
            .map(|(file, shares)| row(file, |column| cell(shares[column]))),
    );
    let mut out = match files.is_empty() {
        true => String::new(),
        false => format!("\n{}", aligned(&rows)),
    };
    let mut missing = coverage.missing().peekable();
    if missing.peek().is_some() {
        out.push_str("\nnot reached by any test:\n");
    }
    for (rule, point) in missing {
        let at = point.place.source.line_column(point.place.span.start);
        let file = point.place.source.name();
        let words = message(rule, point);
        out.push_str(&format!("{file}:{}:{}: {words}\n", at.line, at.column));
        out.push_str(&format!("    {}\n", help(rule, point)));
    }
    out.push_str(&format!("\n{}\n", verdict(reached)));
    out
}

/// `coverage: 61 of 74 points, 82.4 %`, and whether that is enough.
fn verdict(reached: &Reached) -> String {
    let share = reached.coverage.share();
    let percent = shown(share.percent());
    let mut words = match share.points {
        0 => "coverage: no rule was replayed, so there is nothing to reach".to_owned(),
        points => format!(
            "coverage: {} of {}, {percent}%",
            share.reached,
            count(points, "point")
        ),
    };
    if let Some(min) = reached.min.filter(|_| !reached.is_enough()) {
        let missing = share.points - share.reached;
        words.push_str(&match share.points {
            0 => {
                format!(", but --coverage-min asks for {min}%: name rule files under `rule_files`")
            }
            _ => format!(
                ", which is below the {min}% of --coverage-min: {} missing, as listed above",
                match missing {
                    1 => "1 point is".to_owned(),
                    _ => format!("{missing} points are"),
                }
            ),
        });
    }
    words
}

/// With one digit behind the point, never more than it is: 99.96 is not 100.
fn shown(percent: f64) -> String {
    format!("{:.1}", (percent * 10.0).floor() / 10.0)
}

type Row = (String, [String; COLUMNS.len()]);

fn row(name: &str, of: impl Fn(usize) -> String) -> Row {
    (name.to_owned(), std::array::from_fn(of))
}

fn cell(share: Share) -> String {
    match share.points {
        0 => "-".to_owned(),
        points => format!("{}/{points}", share.reached),
    }
}

/// Names to the left, numbers to the right.
fn aligned(rows: &[Row]) -> String {
    let width = |text: &String| text.chars().count();
    let first = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let widths: [usize; COLUMNS.len()] = std::array::from_fn(|column| {
        rows.iter()
            .map(|(_, it)| width(&it[column]))
            .max()
            .unwrap_or(0)
    });
    let mut out = String::new();
    for (name, cells) in rows {
        let mut line = format!("{name:first$}");
        for (text, width) in cells.iter().zip(widths) {
            line.push_str(&format!("  {text:>width$}"));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn operator(kind: PointKind) -> Option<BinaryOp> {
    match kind {
        PointKind::Keeps(op) | PointKind::Removes(op) => Some(op),
        PointKind::Left | PointKind::Right => Some(BinaryOp::Or),
        PointKind::Fires | PointKind::Silent | PointKind::Yields | PointKind::Read => None,
    }
}

/// What no test reached.
fn message(rule: &RuleCoverage, point: &Point) -> String {
    let name = match rule.hold.is_some() {
        true => format!("alert {}", rule.name),
        false => format!("record {}", rule.name),
    };
    let what = match point.kind {
        _ if point.reached == Attained::Unasked => {
            return format!("{name}: {}", unasked(point.kind));
        }
        PointKind::Fires => "it never fires",
        PointKind::Silent => "it is never silent while there are series for it",
        PointKind::Yields => "it never yields a series",
        PointKind::Read => "no other rule and no expression reads what it yields",
        PointKind::Keeps(BinaryOp::Unless) => "`unless` never keeps a series of its left side",
        PointKind::Keeps(_) => "`and` never keeps a series of its left side",
        PointKind::Removes(BinaryOp::Unless) => "the right side of `unless` never removes a series",
        PointKind::Removes(_) => "the right side of `and` never removes a series",
        PointKind::Left => "the left side of `or` never has a series",
        PointKind::Right => "the right side of `or` never adds a series",
    };
    format!("{name}: {what}")
}

/// What an alert did in a test that does not ask about it.
fn unasked(kind: PointKind) -> String {
    let what = match kind {
        PointKind::Fires => "it fires",
        PointKind::Silent => "it is silent",
        PointKind::Yields => "it yields a series",
        PointKind::Read => "what it yields is read",
        PointKind::Keeps(BinaryOp::Unless) => "`unless` keeps a series of its left side",
        PointKind::Keeps(_) => "`and` keeps a series of its left side",
        PointKind::Removes(BinaryOp::Unless) => "the right side of `unless` removes a series",
        PointKind::Removes(_) => "the right side of `and` removes a series",
        PointKind::Left => "the left side of `or` has a series",
        PointKind::Right => "the right side of `or` adds a series",
    };
    format!("{what} only in tests that don't ask about it")
}

/// What to add.
fn help(rule: &RuleCoverage, point: &Point) -> String {
    let words = match point.kind {
        _ if point.reached == Attained::Unasked => {
            "add an expectation of it to such a test: `expect`, or `alert_rule_test`"
        }
        PointKind::Fires => {
            let words = "add a test in which its expression yields a series";
            return match rule.hold.filter(|&hold| hold > 0) {
                Some(hold) => format!("{words} for {} (`for`)", Duration(hold)),
                None => words.to_owned(),
            };
        }
        PointKind::Silent => {
            "add a test, or evaluations before or after, with series that it reads but that are none to fire for"
        }
        PointKind::Yields => "add a test with series that its expression selects",
        PointKind::Read => {
            "add an expectation of an expression that reads it, or test a rule that does"
        }
        PointKind::Keeps(BinaryOp::Unless) => {
            "add a moment at which a series on the left has no partner on the right"
        }
        PointKind::Keeps(_) => {
            "add a moment at which a series on the left has a partner on the right"
        }
        PointKind::Removes(BinaryOp::Unless) => {
            "add a moment at which a series on the left has a partner on the right"
        }
        PointKind::Removes(_) => {
            "add a moment at which a series on the left has no partner on the right"
        }
        PointKind::Left => "add a moment at which the left side has a series",
        PointKind::Right => {
            "add a moment at which the right side has a series without partner on the left"
        }
    };
    words.to_owned()
}

/// The code of a point for programs.
fn code(kind: PointKind) -> &'static str {
    match kind {
        PointKind::Fires => "fires",
        PointKind::Silent => "silent",
        PointKind::Yields => "yields",
        PointKind::Read => "read",
        PointKind::Keeps(_) => "keeps",
        PointKind::Removes(_) => "removes",
        PointKind::Left => "left",
        PointKind::Right => "right",
    }
}

#[derive(Serialize)]
struct Document<'r> {
    version: u32,
    points: usize,
    reached: usize,
    percent: f64,
    min: Option<f64>,
    files: Vec<File<'r>>,
    missing: Vec<Missing<'r>>,
}

#[derive(Serialize)]
struct File<'r> {
    file: &'r str,
    points: usize,
    reached: usize,
}

#[derive(Serialize)]
struct Missing<'r> {
    file: &'r str,
    line: usize,
    column: usize,
    rule: &'r str,
    kind: &'static str,
    point: &'static str,
    operator: Option<&'static str>,
    message: String,
    help: String,
}

/// An object.
pub fn json(reached: &Reached) -> String {
    let coverage = &reached.coverage;
    let share = coverage.share();
    let mut files: BTreeMap<&str, Share> = BTreeMap::new();
    for (file, rule) in coverage.rules() {
        let sum = files.entry(file).or_default();
        *sum = sum.and(rule.share_of(|_| true));
    }
    let files = files.into_iter().map(|(file, share)| File {
        file,
        points: share.points,
        reached: share.reached,
    });
    let document = Document {
        version: 1,
        points: share.points,
        reached: share.reached,
        percent: share.percent(),
        min: reached.min,
        files: files.collect(),
        missing: coverage.missing().map(Missing::new).collect(),
    };
    // Texts, numbers and lists of them can't fail to be written to memory.
    serde_json::to_string(&document).unwrap_or_default()
}

impl<'r> Missing<'r> {
    fn new((rule, point): (&'r RuleCoverage, &'r Point)) -> Missing<'r> {
        let at = point.place.source.line_column(point.place.span.start);
        Missing {
            file: point.place.source.name(),
            line: at.line,
            column: at.column,
            rule: &rule.name,
            kind: match rule.hold.is_some() {
                true => "alert",
                false => "record",
            },
            point: code(point.kind),
            operator: operator(point.kind).map(BinaryOp::symbol),
            message: message(rule, point),
            help: help(rule, point),
        }
    }
}
