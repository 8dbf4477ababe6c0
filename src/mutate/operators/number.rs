//! A number that is no threshold is a tenth more or less.

use crate::model::Duration;
use crate::mutate::operator::Operator;
use crate::mutate::site::Site;
use crate::whatif::{KnobKind, worked_out};

pub(super) const ROW: Operator = Operator {
    name: "number",
    about: "any other number of a query, such as a quantile or a factor, is a tenth more or less",
    by_default: false,
    make,
};

fn make(site: &mut Site<'_>) {
    for knob in site.knobs(KnobKind::Number) {
        for value in moved(&knob.value) {
            let remedy = format!(
                "a test with a result that hangs on this number, in which {}",
                site.outcome()
            );
            site.knob(knob, &value, None, remedy);
        }
    }
}

/// A number a tenth less and a tenth more, written as it is; of 0 a tenth is 0, and its neighbours take their place.
pub(super) fn moved(text: &str) -> Vec<String> {
    let Some(value) = worked_out(text).filter(|it| it.is_finite()) else {
        return Vec::new();
    };
    let is_duration = Duration::parse(text.trim_start_matches(['-', '+'])).is_ok() && text != "0";
    let written = |value: f64| match is_duration {
        true => {
            let sign = if value < 0.0 { "-" } else { "" };
            format!("{sign}{}", Duration((value.abs() * 1000.0).round() as i64))
        }
        false => shown(value),
    };
    let moved = match value == 0.0 {
        true => [-1.0, 1.0],
        false => [value * 0.9, value * 1.1],
    };
    let moved = moved.map(written).into_iter();
    moved.filter(|it| worked_out(it) != Some(value)).collect()
}

/// A number without the last digits, which working it out left there.
pub(super) fn shown(value: f64) -> String {
    let rounded: f64 = format!("{value:.11e}").parse().unwrap_or(value);
    match rounded.abs() {
        size if size != 0.0 && !(1e-7..1e15).contains(&size) => format!("{rounded:e}"),
        _ => rounded.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::moved;

    #[test]
    fn numbers_move_by_a_tenth() {
        for (text, expected) in [
            ("0.05", ["0.045", "0.055"]),
            ("5", ["4.5", "5.5"]),
            ("0", ["-1", "1"]),
            ("-0.3", ["-0.27", "-0.33"]),
            ("1e-9", ["9e-10", "1.1e-9"]),
            ("1h30m", ["1h21m", "1h39m"]),
            ("0x10", ["14.4", "17.6"]),
        ] {
            assert_eq!(moved(text), expected, "{text}");
        }
        assert!(moved("Inf").is_empty() && moved("NaN").is_empty());
    }
}
