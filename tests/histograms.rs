//! Operations on native histograms: every file of `fixtures/histograms` holds operations with histograms in
//! the notation of test files, and below each what comes out of it.
//!
//! With `SNAPSHOTS=overwrite` set the answers are written anew.

use std::fmt::Write;

use rulecheck::model::number::parse_float;
use rulecheck::model::{Combination, Histogram, Trim};
use rulecheck::series::notation::parse_histogram;

#[test]
fn operations_give_what_the_fixtures_say() {
    let mut cases = 0;
    for entry in std::fs::read_dir("fixtures/histograms").expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        let mut got = String::new();
        for line in text.lines().filter(|line| !line.starts_with("  = ")) {
            writeln!(got, "{line}").expect("strings take all");
            if let Some((operation, operands)) = line.split_once(": ") {
                let answer = answer(operation, &Operands::read(operands));
                writeln!(got, "  = {answer}").expect("strings take all");
                cases += 1;
            }
        }
        if std::env::var_os("SNAPSHOTS").is_some() {
            std::fs::write(&path, got).expect("the file can be written");
        } else {
            let differing = text.lines().zip(got.lines()).find(|(a, b)| a != b);
            assert_eq!(differing, None, "{}: expected, got", path.display());
            assert_eq!(text.len(), got.len(), "{}", path.display());
        }
    }
    assert!(cases > 100, "only {cases} cases");
}

struct Operands {
    histograms: Vec<Histogram>,
    numbers: Vec<f64>,
}

impl Operands {
    fn read(text: &str) -> Operands {
        let (histograms, numbers) = text.rsplit_once("}}").expect("a histogram");
        let histogram = |text: &str| parse_histogram(&format!("{text}}}}}")).expect("notation");
        Operands {
            histograms: histograms.split("}}").map(histogram).collect(),
            numbers: numbers
                .split_whitespace()
                .map(|number| parse_float(number).expect("a number"))
                .collect(),
        }
    }
}

fn answer(operation: &str, operands: &Operands) -> String {
    let mut first = operands.histograms[0].clone();
    let second = operands.histograms.get(1);
    let number = |index: usize| operands.numbers[index];
    let both = || second.expect("a second histogram");
    match operation {
        "add" => match first.add(both()) {
            Ok(combination) => combined(&first, combination),
            Err(error) => error.to_string(),
        },
        "sub" => match first.sub(both()) {
            Ok(combination) => combined(&first, combination),
            Err(error) => error.to_string(),
        },
        "kahan_add" => {
            let mut lost = None;
            let combination = first.kahan_add(both(), &mut lost).expect("of one kind");
            let lost = lost.expect("there is a compensation");
            format!(
                "{} lost {}",
                combined(&first, combination),
                lost.test_expression()
            )
        }
        "mul" => {
            first.mul(number(0));
            first.test_expression()
        }
        "div" => {
            first.div(number(0));
            first.test_expression()
        }
        "reduce" => match first.reduce_resolution(number(0) as i32) {
            Ok(()) => first.test_expression(),
            Err(error) => error.to_string(),
        },
        "trim_upper" | "trim_lower" => {
            let side = if operation == "trim_upper" {
                Trim::Upper
            } else {
                Trim::Lower
            };
            first.trim(number(0), side);
            first.test_expression()
        }
        "print" => first.to_string(),
        "buckets" => {
            let list = |buckets: Vec<String>| buckets.join(" ");
            let up = list(first.all().map(|bucket| bucket.to_string()).collect());
            let down = list(
                first
                    .all_reverse()
                    .map(|bucket| bucket.to_string())
                    .collect(),
            );
            format!("{up} | {down}")
        }
        "resets" => first.detect_reset(both()).to_string(),
        "equals" => first.equals(both()).to_string(),
        "size" => first.size().to_string(),
        "quantile" => {
            let found = first.quantile(number(0));
            format!("{} {:?}", found.value, found.nan)
        }
        "fraction" => {
            let found = first.fraction(number(0), number(1));
            format!("{} ignored NaN: {}", found.value, found.ignored_nan)
        }
        "variance" => first.variance().to_string(),
        _ => panic!("no operation {operation:?}"),
    }
}

fn combined(result: &Histogram, combination: Combination) -> String {
    let mut out = result.test_expression();
    if combination.counter_reset_collision {
        out.push_str(" collision");
    }
    if combination.bounds_reconciled {
        out.push_str(" bounds reconciled");
    }
    out
}
