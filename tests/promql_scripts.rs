//! `fixtures/promql`: scripts of promqltest that prove the engine, each in the modes that its folder names, and that
//! no function, aggregation, operator or modifier is without one.
//!
//! Metric names are removed when a query is done (`delayed`, as Prometheus's own tests have it) or at once (`immediate`,
//! as promtool and servers do it unless told otherwise). What a script in `fixtures/promql` expects holds in both modes.

#![expect(
    clippy::unwrap_used,
    reason = "a test reads its fixtures and may stop at a broken one"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rulecheck::promql::aggregations::AGGREGATIONS;
use rulecheck::promql::ast::{
    At, BinaryOp, Chain, DurationExpr, DurationKind, Expr, ExprKind, Shift, Side, UnaryOp,
    ValueType, VectorSelector,
};
use rulecheck::promql::functions::functions;
use rulecheck::promql::{Features, Query};
use rulecheck::suite::script::{self, Script, ScriptFailure};
use rulecheck::text::Source;

const DELAYED: Features = Features::ALL;

const IMMEDIATE: Features = Features {
    delayed_name_removal: false,
    ..Features::ALL
};

/// The folders of scripts, and the modes in which each must pass.
const FOLDERS: [(&str, &[Features]); 3] = [
    ("fixtures/promql", &[DELAYED, IMMEDIATE]),
    ("fixtures/promql/delayed", &[DELAYED]),
    ("fixtures/promql/immediate", &[IMMEDIATE]),
];

#[test]
fn every_evaluation_is_as_written() {
    let mut faults = Vec::new();
    let mut passed = 0;
    for (folder, modes) in FOLDERS {
        for fixture in scripts(folder) {
            for &features in modes {
                let report = script::run(&fixture.script, features);
                passed += report.passed;
                let failures = report.failures.iter();
                faults.extend(failures.map(|failure| fixture.describe(failure, features)));
            }
        }
    }
    let count = faults.len();
    assert!(faults.is_empty(), "{count} failed\n{}", faults.join("\n"));
    assert!(passed > 3000, "{passed} evaluations found");
}

/// Whoever adds a function, an aggregation, an operator or a modifier explains it and writes a script of it.
#[test]
fn every_row_is_evaluated_by_a_script() {
    let mut seen = Seen::default();
    for (folder, _) in FOLDERS {
        for fixture in scripts(folder) {
            for query in fixture.script.queries() {
                let parsed = Query::parse(query, &Features::ALL);
                let parsed = parsed.unwrap_or_else(|faults| panic!("{query}: {}", faults[0]));
                seen.look(&parsed.expr);
            }
        }
    }
    let functions = functions().map(|row| (row.name, row.doc));
    let rows: Vec<(&str, &str)> = functions
        .chain(AGGREGATIONS.iter().map(|row| (row.name, row.doc)))
        .collect();
    let names = rows.iter().map(|(name, _)| format!("{name}()"));
    let wanted: Vec<String> = names
        .chain(BinaryOp::ALL.into_iter().flat_map(uses))
        .chain(MODIFIERS.map(str::to_owned))
        .collect();
    let missing: Vec<&String> = wanted.iter().filter(|it| !seen.0.contains(*it)).collect();
    assert!(missing.is_empty(), "no script evaluates {missing:?}");
    for (name, doc) in rows {
        assert!(
            doc.len() > 1 && doc.ends_with('.'),
            "{name} is not explained"
        );
    }
}

/// Whoever adds an annotation writes a script that expects it.
#[test]
fn every_annotation_is_expected_by_a_script() {
    let mut expected = String::new();
    for (folder, _) in FOLDERS {
        for fixture in scripts(folder) {
            let lines = fixture.script.source.text().lines();
            let notes = lines.filter(|line| line.trim_start().starts_with("expect "));
            expected.extend(notes.map(|line| format!("{line}\n")));
        }
    }
    let missing: Vec<&&str> = ANNOTATIONS
        .iter()
        .filter(|text| !expected.contains(**text))
        .collect();
    assert!(missing.is_empty(), "no script expects {missing:?}");
}

/// What annotations say.
const ANNOTATIONS: [&str; 28] = [
    "ratio value should be between -1 and 1",
    "quantile value should be between 0 and 1",
    "bucket label \"le\" is missing or has a malformed value",
    "a mix of histograms and floats for metric name",
    "a mix of histograms and floats for aggregation",
    "a mix of classic and native histograms",
    "this native histogram metric is not a counter",
    "this native histogram metric is not a gauge",
    "a mix of histograms with exponential and custom buckets schemas for metric name",
    "incompatible bucket layout encountered for binary operator",
    "sort is ineffective for range queries",
    "metric might not be a counter, name does not end in",
    "incompatible sample types encountered for binary operator",
    "ignored histogram in stddev aggregation",
    "ignored histogram in max aggregation",
    "ignored histogram in bottomk aggregation",
    "ignored histograms in a range containing both floats and histograms",
    "input to histogram_quantile needed to be fixed for monotonicity",
    "input to histogram_quantile has NaN observations, result is NaN",
    "input to histogram_quantile has NaN observations, result is skewed higher",
    "input to histogram_fraction has NaN observations",
    "conflicting counter resets during histogram addition",
    "conflicting counter resets during histogram subtraction",
    "conflicting counter resets during histogram aggregation",
    "mismatched custom buckets were reconciled during addition",
    "mismatched custom buckets were reconciled during subtraction",
    "mismatched custom buckets were reconciled during aggregation",
    "has start time that overlaps with previous sample timestamp",
];

/// What can stand at a selector, a window, an operator, a group or a length of time.
const MODIFIERS: [&str; 47] = [
    "number",
    "duration",
    "string",
    "brackets",
    "+ sign",
    "- sign",
    "name",
    "=",
    "!=",
    "=~",
    "!~",
    "offset",
    "@ time",
    "@ start()",
    "@ end()",
    "anchored",
    "smoothed",
    "window",
    "window with offset",
    "window with @",
    "subquery",
    "subquery with step",
    "subquery with offset",
    "subquery with @",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "labels of group_left",
    "labels of group_right",
    "fill_left",
    "fill_right",
    "bool",
    "length + length",
    "length - length",
    "length * length",
    "length / length",
    "length % length",
    "length ^ length",
    "length step()",
    "length range()",
    "length min_of",
    "length max_of",
    "length sign",
    "length brackets",
];

/// Between which types an operator may stand.
fn uses(op: BinaryOp) -> Vec<String> {
    let vectors = (ValueType::Vector, ValueType::Vector);
    let mixed = [
        (ValueType::Vector, ValueType::Scalar),
        (ValueType::Scalar, ValueType::Vector),
    ];
    let pairs = match op {
        op if op.is_set() => vec![vectors],
        op if op.is_trim() => vec![vectors, mixed[0]],
        _ => vec![
            vectors,
            mixed[0],
            mixed[1],
            (ValueType::Scalar, ValueType::Scalar),
        ],
    };
    pairs
        .into_iter()
        .map(|(left, right)| usage(left, op, right))
        .collect()
}

fn usage(left: ValueType, op: BinaryOp, right: ValueType) -> String {
    format!("{} {} {}", left.name(), op.symbol(), right.name())
}

/// What stands in the queries that were looked at.
#[derive(Default)]
struct Seen(BTreeSet<String>);

impl Seen {
    fn add(&mut self, what: &str) {
        self.0.insert(what.to_owned());
    }

    fn add_if(&mut self, condition: bool, what: &str) {
        if condition {
            self.add(what);
        }
    }

    fn look(&mut self, expr: &Expr) {
        for child in expr.children() {
            self.look(child);
        }
        match &expr.kind {
            ExprKind::Number(number) if number.is_duration => self.add("duration"),
            ExprKind::Number(_) => self.add("number"),
            ExprKind::String(_) => self.add("string"),
            ExprKind::Paren(_) => self.add("brackets"),
            ExprKind::Unary(UnaryOp::Plus, _) => self.add("+ sign"),
            ExprKind::Unary(UnaryOp::Minus, _) => self.add("- sign"),
            ExprKind::Vector(selector) => self.selector(selector),
            ExprKind::Matrix(matrix) => {
                self.selector(&matrix.selector);
                self.length(&matrix.range);
                self.window("window", &matrix.selector.shift);
            }
            ExprKind::Subquery(subquery) => {
                self.shift(&subquery.shift);
                self.window("subquery", &subquery.shift);
                self.length(&subquery.range);
                if let Some(step) = &subquery.step {
                    self.add("subquery with step");
                    self.length(step);
                }
            }
            ExprKind::Call(call) => self.add(&format!("{}()", call.function.name)),
            ExprKind::Aggregate(aggregate) => {
                let grouping = &aggregate.grouping;
                self.add(&format!("{}()", aggregate.op.name));
                self.add_if(grouping.without, "without");
                self.add_if(!grouping.without && !grouping.labels.is_empty(), "by");
            }
            ExprKind::Chain(chain) => self.chain(chain),
        }
    }

    fn selector(&mut self, selector: &VectorSelector) {
        self.add_if(selector.is_named, "name");
        for matcher in &selector.matchers {
            self.add(matcher.op.symbol());
        }
        self.shift(&selector.shift);
        if let Some(extension) = selector.extension {
            self.add(extension.name());
        }
    }

    fn shift(&mut self, shift: &Shift) {
        if let Some(offset) = &shift.offset {
            self.add("offset");
            self.length(offset);
        }
        match shift.at {
            Some(At::Time(_)) => self.add("@ time"),
            Some(At::Start) => self.add("@ start()"),
            Some(At::End) => self.add("@ end()"),
            None => {}
        }
    }

    fn window(&mut self, what: &str, shift: &Shift) {
        self.add(what);
        self.add_if(shift.offset.is_some(), &format!("{what} with offset"));
        self.add_if(shift.at.is_some(), &format!("{what} with @"));
    }

    fn chain(&mut self, chain: &Chain) {
        let mut left = chain.first.value_type();
        for link in &chain.links {
            let right = link.rhs.value_type();
            self.add(&usage(left, link.op, right));
            if right == ValueType::Vector {
                left = right;
            }
            let matching = link.matching();
            self.add_if(link.return_bool, "bool");
            self.add_if(matching.on, "on");
            self.add_if(!matching.on && !matching.labels.is_empty(), "ignoring");
            self.add_if(matching.fill_left.is_some(), "fill_left");
            self.add_if(matching.fill_right.is_some(), "fill_right");
            if let Some(group) = &matching.group {
                let word = match group.side {
                    Side::Left => "group_left",
                    Side::Right => "group_right",
                };
                self.add(word);
                self.add_if(!group.include.is_empty(), &format!("labels of {word}"));
            }
        }
    }

    fn length(&mut self, length: &DurationExpr) {
        match &length.kind {
            DurationKind::Literal(_) => {}
            DurationKind::Step => self.add("length step()"),
            DurationKind::Range => self.add("length range()"),
            DurationKind::Unary(_, inner) => {
                self.add("length sign");
                self.length(inner);
            }
            DurationKind::Paren(inner) => {
                self.add("length brackets");
                self.length(inner);
            }
            DurationKind::MinOf(left, right) => self.lengths("length min_of", left, right),
            DurationKind::MaxOf(left, right) => self.lengths("length max_of", left, right),
            DurationKind::Binary(op, left, right) => {
                self.lengths(&format!("length {} length", op.symbol()), left, right);
            }
        }
    }

    fn lengths(&mut self, what: &str, left: &DurationExpr, right: &DurationExpr) {
        self.add(what);
        self.length(left);
        self.length(right);
    }
}

/// A script of a folder.
struct Fixture {
    path: PathBuf,
    script: Script,
    /// The line in the file of each line in the script.
    lines: Vec<usize>,
}

/// The scripts of a folder, sorted.
fn scripts(folder: &str) -> Vec<Fixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(root.join(folder)).unwrap();
    let paths = entries.map(|entry| Path::new(folder).join(entry.unwrap().file_name()));
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|it| it == "test"))
        .collect();
    paths.sort();
    paths.into_iter().map(Fixture::read).collect()
}

impl Fixture {
    fn read(path: PathBuf) -> Fixture {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (text, lines) = strict(&std::fs::read_to_string(root.join(&path)).unwrap());
        let source = Source::new(path.to_string_lossy(), text);
        let script = script::read(&source).unwrap_or_else(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            panic!("{}", faults.join("\n"))
        });
        Fixture {
            path,
            script,
            lines,
        }
    }

    fn describe(&self, failure: &ScriptFailure, features: Features) -> String {
        format!(
            "{}:{}: {} ({}, names removed {})\n  expected {}\n  got      {}",
            self.path.display(),
            self.lines[failure.line - 1],
            failure.query,
            failure.mode,
            if features.delayed_name_removal {
                "at the end"
            } else {
                "at once"
            },
            failure.expected,
            failure.got
        )
    }
}

/// The script with `expect no_warn` and `expect no_info` at every evaluation that names no warning and no info, so that
/// none comes that nobody expects; and the line that each line was.
fn strict(text: &str) -> (String, Vec<usize>) {
    let all: Vec<&str> = text.lines().collect();
    let (mut strict, mut lines) = (String::new(), Vec::new());
    let mut push = |number: usize, line: &str| {
        strict.push_str(line);
        strict.push('\n');
        lines.push(number);
    };
    for (index, line) in all.iter().enumerate() {
        push(index + 1, line);
        if line.starts_with("eval ") {
            let block = all[index + 1..].iter().map(|line| line.trim());
            let block: Vec<&str> = block.take_while(|line| !line.is_empty()).collect();
            for kind in ["warn", "info"] {
                let (some, none) = (format!("expect {kind}"), format!("expect no_{kind}"));
                let says = |line: &&str| line.starts_with(&some) || line.starts_with(&none);
                if !block.iter().any(says) {
                    push(index + 1, &none);
                }
            }
        }
    }
    (strict, lines)
}
