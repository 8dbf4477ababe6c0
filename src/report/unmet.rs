//! Expectations that are not met, in words.

use crate::model::number::format_value;
use crate::model::{Duration, Millis};
use crate::replay::AlertState;
use crate::suite::expect::{
    AmountTest, Bounds, Counted, EdgeFault, Got, Problem, Side, StateName, Text, Tolerance,
    ValueTest, Wanted,
};

/// No more windows than this are listed.
const MAX_WINDOWS: usize = 6;

/// What is wrong, in one line.
pub(super) fn words(problem: &Problem) -> String {
    match problem {
        Problem::Windows {
            state,
            expected,
            seen,
            faults,
            ..
        } => {
            if expected.is_empty() {
                return format!("{} {}, expected never", state.name(), list(seen));
            }
            let several = expected.len() > 1 || seen.len() > 1;
            let edges = faults.iter().filter_map(|fault| {
                let of = |window: usize| match several {
                    true => format!("window {} ", window + 1),
                    false => String::new(),
                };
                edge(fault, *state, of)
            });
            let words: Vec<String> = edges.take(MAX_WINDOWS).chain(unpaired(faults)).collect();
            words.join(", ")
        }
        Problem::NoInstance { .. } => "no instance was ever pending or firing".to_owned(),
        Problem::Amount {
            what, wanted, got, ..
        } => {
            let what = counted(*what);
            format!("{what}: expected {}, got {got}", amount(wanted))
        }
        Problem::Unresolved { by, seen, .. } => match seen.is_empty() {
            true => "it never fired, so it never resolved".to_owned(),
            false => format!("must be resolved by {}", Duration(*by)),
        },
        Problem::State {
            at, wanted, got, ..
        } => format!(
            "at {} expected {}, it is {}",
            Duration(*at),
            state_name(*wanted),
            state_name(*got)
        ),
        Problem::Text {
            what,
            name,
            wanted,
            got,
            at,
            ..
        } => format!(
            "{what} {name} at {}: expected {}, got {}",
            Duration(*at),
            text(wanted),
            got.as_deref().unwrap_or("(absent)")
        ),
        Problem::Unselected { seen, .. } => {
            format!("fires {} and no item of `expect` selects it", list(seen))
        }
        Problem::Never { state, seen, .. } => format!("{} {}", state.name(), list(seen)),
        Problem::Value {
            test,
            wanted,
            got,
            at,
            times,
            ..
        } => format!(
            "{test} {}: expected {}, got {got}",
            span_of_times(*at, *times),
            value(wanted)
        ),
        Problem::NoSample { at, times, .. } => match times.0 == times.1 && times.1 > 1 {
            true => format!(
                "no sample at any of {} moments from {}",
                times.1,
                Duration(*at)
            ),
            false => format!("no sample {}", span_of_times(*at, *times)),
        },
        Problem::Sample { got, at, .. } => {
            format!(
                "a sample at {} where none is expected: {got}",
                Duration(*at)
            )
        }
        Problem::Error { at, message } => format!("at {}: {message}", Duration(*at)),
        Problem::NothingAsked { at } => {
            let when = at.map_or_else(String::new, |at| format!(" at {}", Duration(at)));
            format!(
                "no alert that is meant fires{when}, so nothing was asked of any: test a moment at which one fires"
            )
        }
        Problem::Budget {
            test,
            wanted,
            got,
            at,
            ..
        } => budget(test, wanted.as_ref(), got, *at),
        Problem::EmptySpan => {
            "no evaluation lies in this span: make it longer than the evaluation_interval"
                .to_owned()
        }
    }
}

/// What is wrong with an error budget.
fn budget(test: &str, wanted: Option<&Wanted>, got: &Got, at: Option<Millis>) -> String {
    let at = at.map_or_else(String::new, |at| format!(" at {}", Duration(at)));
    match wanted {
        Some(wanted) => format!(
            "{test}{at}: expected {}, got {}",
            budget_wanted(test, wanted),
            budget_got(test, got)
        ),
        None => budget_got(test, got),
    }
}

/// What a budget should be: parts of it in per cent.
pub(super) fn budget_wanted(test: &str, wanted: &Wanted) -> String {
    match wanted {
        Wanted::Value(ValueTest::Bounds(found)) if test != "burn_rate" => bounds(found, share),
        Wanted::Value(ValueTest::Equal {
            value,
            tolerance: Tolerance::Absolute(0.0),
        }) if test != "burn_rate" => share(*value),
        Wanted::Value(wanted) => value(wanted),
        Wanted::Moment(at) => moment(*at),
        Wanted::Page(part) => format!("a page before {} of the budget is spent", share(*part)),
    }
}

/// What a budget is.
pub(super) fn budget_got(test: &str, got: &Got) -> String {
    match got {
        Got::Value(value) if test == "burn_rate" => digits(*value),
        Got::Value(value) => share(*value),
        Got::Moment(at) => moment(*at),
        Got::Unknown(why) => why.clone(),
        Got::Page {
            fires,
            spent,
            crossed,
        } => {
            let page = match (fires, spent) {
                (None, _) => "no page".to_owned(),
                (Some(at), None) => format!("a page at {}", Duration(*at)),
                (Some(at), Some(spent)) => {
                    format!("a page at {}, with {} spent", Duration(*at), share(*spent))
                }
            };
            match crossed {
                Some(at) => format!("{page}; so much is spent at {}", Duration(*at)),
                None => format!("{page}, and so much is never spent in this test"),
            }
        }
    }
}

fn moment(at: Option<Millis>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| Duration(at).to_string())
}

/// A part in per cent, with four digits that count.
pub(super) fn share(part: f64) -> String {
    format!("{}%", digits(part * 100.0))
}

/// A number with four digits that count.
pub(super) fn digits(value: f64) -> String {
    let rounded = format!("{value:.3e}").parse().unwrap_or(value);
    format_value(rounded)
}

/// What is counted, in words.
pub(super) fn counted(what: Counted) -> &'static str {
    match what {
        Counted::Instances => "instances that fire",
        Counted::Firings => "times it fires",
        Counted::Flaps => "times it fires again",
        Counted::Samples => "samples",
    }
}

/// `at 40m`, or `first at 40m, at 3 of 10 moments`.
pub(super) fn span_of_times(at: Millis, (bad, all): (usize, usize)) -> String {
    match all {
        0 | 1 => format!("at {}", Duration(at)),
        _ => format!("at {bad} of {all} moments, the first is {}", Duration(at)),
    }
}

/// `36m to 47m, 50m to the end`, or `never`.
pub(super) fn list(windows: &[(Millis, Option<Millis>)]) -> String {
    let window = |&(from, to): &(Millis, Option<Millis>)| match to {
        Some(to) => format!("{} to {}", Duration(from), Duration(to)),
        None => format!("{} to the end", Duration(from)),
    };
    match windows.len() {
        0 => "never".to_owned(),
        count => {
            let mut parts: Vec<String> = windows.iter().take(MAX_WINDOWS).map(window).collect();
            if count > MAX_WINDOWS {
                parts.push(format!("{} more", count - MAX_WINDOWS));
            }
            parts.join(", ")
        }
    }
}

/// `3`, or `at least 1, at most 4`.
pub(super) fn amount(wanted: &AmountTest) -> String {
    match wanted {
        AmountTest::Exactly(amount) => amount.to_string(),
        AmountTest::Bounds(found) => bounds(found, |amount| amount.to_string()),
    }
}

/// `0.12, 2% more or less`, or `above 0.1`.
pub(super) fn value(wanted: &ValueTest) -> String {
    match wanted {
        ValueTest::Bounds(found) => bounds(found, format_value),
        ValueTest::Equal { value, tolerance } => {
            let value = format_value(*value);
            match tolerance {
                Tolerance::Absolute(0.0) => value,
                Tolerance::Absolute(allowed) => {
                    format!("{value}, {} more or less", format_value(*allowed))
                }
                Tolerance::Relative(part) => {
                    // The hundredths that were written: 7% is 0.07, and 0.07 * 100 is a bit more than 7.
                    let hundredths = (part * 1e12).round() / 1e10;
                    format!("{value}, {}% more or less", format_value(hundredths))
                }
            }
        }
    }
}

/// A text on one line; an empty one in quotes, so that it is seen.
pub(super) fn plain(text: &str) -> String {
    match text.is_empty() {
        true => "\"\"".to_owned(),
        false => super::text::one_line(text),
    }
}

/// A text, or a pattern between slashes.
pub(super) fn text(wanted: &Text) -> String {
    match wanted {
        Text::Equal(text) => plain(text),
        Text::Matches(_, pattern) => format!("/{pattern}/"),
    }
}

/// `inactive`, `pending` or `firing`.
pub(super) fn state_name(state: StateName) -> &'static str {
    match state {
        StateName::Inactive => "inactive",
        StateName::Pending => "pending",
        StateName::Firing => "firing",
    }
}

fn bounds<T: Copy>(bounds: &Bounds<T>, number: impl Fn(T) -> String) -> String {
    let parts = [
        ("above", bounds.above),
        ("at least", bounds.at_least),
        ("below", bounds.below),
        ("at most", bounds.at_most),
    ];
    let parts = parts
        .into_iter()
        .filter_map(|(word, bound)| Some(format!("{word} {}", number(bound?))));
    parts.collect::<Vec<String>>().join(", ")
}

/// An edge that lies elsewhere; `None` for windows without a partner.
fn edge(fault: &EdgeFault, state: AlertState, of: impl Fn(usize) -> String) -> Option<String> {
    let state = state.name();
    match *fault {
        EdgeFault::Moved { window, side, by } => {
            let verb = match side {
                Side::From => "begins",
                Side::To => "ends",
            };
            let when = match by > 0 {
                true => "late",
                false => "early",
            };
            let by = Duration(by.saturating_abs());
            Some(format!("{}{verb} {by} {when}", of(window)))
        }
        EdgeFault::Lasts { window } => Some(format!("{}is still {state} at the end", of(window))),
        EdgeFault::Ends { window, .. } => Some(format!(
            "{}ends, and is expected to last to the end",
            of(window)
        )),
        EdgeFault::Missing { .. } | EdgeFault::Extra { .. } => None,
    }
}

/// The windows without a partner: those that lack, and those that are too many.
fn unpaired(faults: &[EdgeFault]) -> Vec<String> {
    let missing = faults.iter().filter_map(|fault| match *fault {
        EdgeFault::Missing { window } => Some(window + 1),
        _ => None,
    });
    let extra = faults.iter().filter_map(|fault| match *fault {
        EdgeFault::Extra { window } => Some(window + 1),
        _ => None,
    });
    let lacking = match missing.collect::<Vec<usize>>().as_slice() {
        [] => None,
        [one] => Some(format!("expected window {one} is not there")),
        several => Some(format!(
            "expected windows {} are not there",
            numbers(several)
        )),
    };
    let surplus = match extra.collect::<Vec<usize>>().as_slice() {
        [] => None,
        [one] => Some(format!("observed window {one} is not expected")),
        several => Some(format!(
            "observed windows {} are not expected",
            numbers(several)
        )),
    };
    lacking.into_iter().chain(surplus).collect()
}

/// `1, 2 and 4`, the first few.
fn numbers(numbers: &[usize]) -> String {
    let shown = numbers.iter().take(MAX_WINDOWS).map(usize::to_string);
    let mut shown: Vec<String> = shown.collect();
    let last = match numbers.len().saturating_sub(MAX_WINDOWS) {
        0 => shown.pop().unwrap_or_default(),
        more => format!("{more} more"),
    };
    match shown.is_empty() {
        true => last,
        false => format!("{} and {last}", shown.join(", ")),
    }
}
