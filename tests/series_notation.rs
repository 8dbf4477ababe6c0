//! The series notation: every file of `fixtures/series` holds texts and, below each, what they mean.
//!
//! Below a `values:` line stand the samples as they are stored (`samples:`), with `_` for moments without
//! one, or the sample that Prometheus refuses (`refused:`), or the fault with its column (`error:`) and the
//! way out (`help:`). With `RULECHECK_BLESS` set the files are written anew.

use std::fmt::Write;

use rulecheck::series::notation::{NotationError, expand, parse_series, parse_values};
use rulecheck::series::stored::{as_stored, refused};
use rulecheck::store::{Points, is_stale};

/// No fixture may make more samples.
const LIMIT: usize = 1_000_000;
const INTERVAL: i64 = 15_000;
const START: i64 = 1_000;

#[test]
fn notation_means_what_the_fixtures_say() {
    let mut cases = 0;
    for entry in std::fs::read_dir("fixtures/series").expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        let mut meant = String::new();
        for line in text.lines().filter(|line| !is_answer(line)) {
            meant.push_str(line);
            meant.push('\n');
            cases += usize::from(line.contains(": "));
            if let Some(values) = line.strip_prefix("values: ") {
                meant.push_str(&answer_values(&unescape(values)));
            } else if let Some(series) = line.strip_prefix("series: ") {
                meant.push_str(&answer_series(series));
            }
        }
        if std::env::var_os("RULECHECK_BLESS").is_some() {
            std::fs::write(&path, meant).expect("the file can be written");
        } else {
            let differing = text.lines().zip(meant.lines()).find(|(a, b)| a != b);
            assert_eq!(differing, None, "{}: expected, got", path.display());
            assert_eq!(text.len(), meant.len(), "{}", path.display());
        }
    }
    assert!(cases > 200, "only {cases} cases");
}

fn is_answer(line: &str) -> bool {
    [
        "  samples: ",
        "  refused: ",
        "  labels: ",
        "  error: ",
        "  help: ",
    ]
    .iter()
    .any(|start| line.starts_with(start))
}

fn answer_values(values: &str) -> String {
    let items = match parse_values(values) {
        Ok(items) => items,
        Err(error) => return answer_error(values, &error),
    };
    match expand(&items, START, INTERVAL, LIMIT) {
        Ok(points) => answer_points(as_stored(points)),
        Err(error) => answer_error(values, &error),
    }
}

fn answer_points(points: Points) -> String {
    if let Some((time, fault)) = refused(&points) {
        return format!("  refused: {}: {fault}\n", (time - START) / INTERVAL);
    }
    let mut out = "  samples:".to_owned();
    let mut expected = START;
    for index in 0..points.len() {
        let time = points.time(index);
        for _ in 0..(time - expected) / INTERVAL {
            out.push_str(" _");
        }
        expected = time + INTERVAL;
        let value = points.values()[index];
        match points.histogram(index) {
            Some(histogram) => write!(out, " {}", histogram.test_expression()),
            None if is_stale(value) => write!(out, " stale"),
            None => write!(out, " {value}"),
        }
        .expect("strings take all");
    }
    if points.is_empty() {
        out.push_str(" none");
    }
    out + "\n"
}

fn answer_series(series: &str) -> String {
    match parse_series(series) {
        Ok(labels) => format!("  labels: {labels}\n"),
        Err(error) => answer_error(series, &error),
    }
}

fn answer_error(text: &str, error: &NotationError) -> String {
    let column = text[..error.offset].chars().count() + 1;
    format!(
        "  error: {column}: {}\n  help: {}\n",
        error.message, error.help
    )
}

fn unescape(text: &str) -> String {
    text.replace("\\t", "\t")
        .replace("\\n", "\n")
        .replace("\\s", " ")
}
