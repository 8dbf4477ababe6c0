//! Elementary functions, to the last bit: `fixtures/elementary.txt` holds what Go 1.26 computes on amd64.
//!
//! A line is the function, its arguments and its result, as bits or `NaN`.

#![expect(
    clippy::unwrap_used,
    reason = "a test reads its fixtures and may stop at a broken one"
)]

use rulecheck::model::{hyperbolic, logarithm, number, power, trigonometry};

#[test]
fn functions_give_the_bits_of_go() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/elementary.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let wrong: Vec<String> = text.lines().filter_map(check).collect();
    assert!(text.lines().count() > 1000);
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn check(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let (name, numbers) = words.split_first().unwrap();
    let numbers: Vec<f64> = numbers.iter().map(|word| read(word)).collect();
    let (expected, arguments) = numbers.split_last().unwrap();
    let found = call(name, arguments);
    let same = found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
    (!same).then(|| format!("{name} {arguments:?}: expected {expected}, got {found}"))
}

fn read(word: &str) -> f64 {
    match word {
        "NaN" => f64::NAN,
        bits => f64::from_bits(u64::from_str_radix(bits, 16).unwrap()),
    }
}

fn call(name: &str, arguments: &[f64]) -> f64 {
    if let &[a, b] = arguments {
        return match name {
            "atan2" => trigonometry::atan2(a, b),
            "max" => number::max(a, b),
            "min" => number::min(a, b),
            "mod" => a % b,
            "pow" => power::pow(a, b),
            _ => panic!("no function {name} of two numbers"),
        };
    }
    let function = match name {
        "acos" => trigonometry::acos,
        "acosh" => hyperbolic::acosh,
        "asin" => trigonometry::asin,
        "asinh" => hyperbolic::asinh,
        "atan" => trigonometry::atan,
        "atanh" => hyperbolic::atanh,
        "cos" => trigonometry::cos,
        "cosh" => hyperbolic::cosh,
        "exp" => power::exp,
        "exp2" => logarithm::exp2,
        "ln" => logarithm::ln,
        "ln_1p" => logarithm::ln_1p,
        "log10" => logarithm::log10,
        "log2" => logarithm::log2,
        "sin" => trigonometry::sin,
        "sinh" => hyperbolic::sinh,
        "tan" => trigonometry::tan,
        "tanh" => hyperbolic::tanh,
        _ => panic!("no function {name}"),
    };
    function(arguments[0])
}
