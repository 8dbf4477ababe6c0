//! The grammar of values.

use std::sync::Arc;

use nom::bytes::complete::take_while;

use super::super::decimal::plain;
use super::super::fault::{Parsed, fail};
use super::histogram::histogram;
use super::number::{number, repetitions};
use super::{Item, Sign};
use crate::model::Histogram;
use crate::store::stale_marker;

/// All values.
pub(super) fn values(input: &str) -> Parsed<'_, Vec<Item>> {
    let mut items = Vec::new();
    let mut rest = spaces(input)?.0;
    while !rest.is_empty() {
        let (after, plain) = plain_values(rest);
        let (after, next) = match plain.is_empty() {
            true => item(rest)?,
            false => (after, Item::Values(plain)),
        };
        push(&mut items, next);
        rest = separator(after)?.0;
    }
    Ok((rest, items))
}

/// Values written one by one, as far as they are short decimal numbers: most files hold little else.
fn plain_values(input: &str) -> (&str, Vec<f64>) {
    let bytes = input.as_bytes();
    let mut found: Vec<f64> = Vec::new();
    let (mut start, mut end) = (0, 0);
    while let Some((value, length)) = bytes.get(start..).and_then(plain) {
        found.push(value);
        end = start + length;
        start = end;
        while bytes.get(start) == Some(&b' ') {
            start += 1;
        }
    }
    (input.get(end..).unwrap_or_default(), found)
}

/// Joins values written one by one.
fn push(items: &mut Vec<Item>, item: Item) {
    match (items.last_mut(), item) {
        (Some(Item::Values(values)), Item::Values(mut more)) => values.append(&mut more),
        (_, item) => items.push(item),
    }
}

/// What separates values; the text may end instead.
fn separator(input: &str) -> Parsed<'_, ()> {
    let (rest, ()) = spaces(input)?;
    if rest.len() < input.len() || rest.is_empty() {
        return Ok((rest, ()));
    }
    let shown = rest.chars().next().unwrap_or(' ');
    fail(
        rest,
        format!("unexpected {shown:?} in series values"),
        "separate values by spaces, and write none inside 1+2x3",
    )
}

/// Spaces and tabs. The end of a line is the end of the series.
fn spaces(input: &str) -> Parsed<'_, ()> {
    let (rest, _) = take_while(|c| matches!(c, ' ' | '\t' | '\r'))(input)?;
    match rest.strip_prefix('\n') {
        None => Ok((rest, ())),
        Some(after) if after.trim().is_empty() => Ok(("", ())),
        Some(_) => fail(
            rest,
            "the values of a series end with their line",
            "write them on one line, or fold the lines with `>-`",
        ),
    }
}

fn item(input: &str) -> Parsed<'_, Item> {
    match input.chars().next() {
        Some('_') => gap(input),
        Some('{') => histograms(input),
        Some('x') => fail(
            input,
            "unexpected 'x' in series values",
            "a repetition follows its value without a space: 1x3",
        ),
        Some(c) if c.is_ascii_alphabetic() => word(input),
        Some('0'..='9' | '.' | '+' | '-') => {
            let (rest, value) = signed(input)?;
            after_value(rest, value)
        }
        Some(c) => fail(
            input,
            format!("unexpected character in series sequence: {c:?}"),
            "expected a number, `_`, `stale` or a {{histogram}}",
        ),
        None => fail(input, "unexpected end of input in series values", ""),
    }
}

/// `_` and `_x3`.
fn gap(input: &str) -> Parsed<'_, Item> {
    let rest = input.get(1..).unwrap_or_default();
    match rest.strip_prefix('x') {
        None => Ok((rest, Item::Gap { count: 1 })),
        Some(after) => {
            let (rest, count) = repetitions(after)?;
            Ok((rest, Item::Gap { count }))
        }
    }
}

/// `stale`, `Inf` and `NaN`.
fn word(input: &str) -> Parsed<'_, Item> {
    let (rest, word) = name(input)?;
    match special(word) {
        Some(value) => after_value(rest, value),
        None if word == "stale" && rest.starts_with(['+', '-']) => {
            after_value(rest, stale_marker())
        }
        None if word == "stale" => Ok((rest, Item::Stale)),
        None => fail(
            input,
            format!(
                "unexpected identifier {word:?} in series values, expected number or \"stale\""
            ),
            match word.len() > 1 && word.to_ascii_lowercase().starts_with(['n', 'i', 's']) {
                true => {
                    "write Inf, NaN and stale apart from what follows; they can't be repeated by x"
                }
                false => "expected a number, `_`, `stale` or a {{histogram}}",
            },
        ),
    }
}

fn name(input: &str) -> Parsed<'_, &str> {
    take_while(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':')(input)
}

fn special(word: &str) -> Option<f64> {
    if word.eq_ignore_ascii_case("inf") {
        Some(f64::INFINITY)
    } else if word.eq_ignore_ascii_case("nan") {
        Some(f64::NAN)
    } else {
        None
    }
}

/// A number with an optional sign.
fn signed(input: &str) -> Parsed<'_, f64> {
    if let Some(rest) = input.strip_prefix('-') {
        let (rest, value) = number_or_special(rest)?;
        return Ok((rest, -value));
    }
    number_or_special(input.strip_prefix('+').unwrap_or(input))
}

fn number_or_special(input: &str) -> Parsed<'_, f64> {
    if input.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let (rest, word) = name(input)?;
        if let Some(value) = special(word) {
            return Ok((rest, value));
        }
    }
    number(input)
}

/// What may follow a value: nothing, `x3`, or `+2x3`.
fn after_value(input: &str, first: f64) -> Parsed<'_, Item> {
    if let Some(after) = input.strip_prefix('x') {
        let (rest, times) = repetitions(after)?;
        let count = times.saturating_add(1);
        return Ok((
            rest,
            Item::Repeat {
                value: first,
                count,
            },
        ));
    }
    if !input.starts_with(['+', '-']) {
        return Ok((input, Item::Values(vec![first])));
    }
    let (rest, step) = signed(input)?;
    let (rest, times) = times(rest)?;
    let count = times.saturating_add(1);
    Ok((rest, Item::Run { first, step, count }))
}

/// The `x3` that must follow a step.
fn times(input: &str) -> Parsed<'_, u64> {
    match input.strip_prefix('x') {
        Some(after) => repetitions(after),
        None => fail(
            input,
            match input.is_empty() {
                true => "unexpected end of input in series values",
                false => "a step without a number of repetitions in series values",
            },
            "a step needs a number of repetitions: 1+2x3",
        ),
    }
}

/// A histogram, and what may follow it: nothing, `x3`, or `+{{...}}x3`.
fn histograms(input: &str) -> Parsed<'_, Item> {
    let (rest, first) = histogram(input)?;
    let first = Arc::new(first);
    if let Some(after) = rest.strip_prefix('x') {
        let (rest, times) = repetitions(after)?;
        let count = times.saturating_add(1);
        let increment = None;
        return Ok((
            rest,
            Item::Histograms {
                first,
                increment,
                count,
            },
        ));
    }
    let (sign, after) = match (rest.strip_prefix('+'), rest.strip_prefix('-')) {
        (Some(after), _) => (Sign::Plus, after),
        (_, Some(after)) => (Sign::Minus, after),
        _ => {
            let (increment, count) = (None, 1);
            return Ok((
                rest,
                Item::Histograms {
                    first,
                    increment,
                    count,
                },
            ));
        }
    };
    let (rest, increment) = histogram(after)?;
    let (rest, times) = times(rest)?;
    check_increment(input, &first, &increment, times)?;
    let count = times.saturating_add(1);
    let increment = Some((sign, Arc::new(increment)));
    Ok((
        rest,
        Item::Histograms {
            first,
            increment,
            count,
        },
    ))
}

/// Whether histograms can be combined; nobody minds as long as none is.
fn check_increment<'a>(
    input: &'a str,
    first: &Histogram,
    increment: &Histogram,
    times: u64,
) -> Parsed<'a, ()> {
    if times > 0 && first.schema > increment.schema {
        return fail(
            input,
            format!(
                "error combining histograms: cannot merge from schema {} to {}",
                increment.schema, first.schema
            ),
            "give the first histogram the coarser schema",
        );
    }
    match times > 0 && first.uses_custom_buckets() != increment.uses_custom_buckets() {
        false => Ok((input, ())),
        true => fail(
            input,
            crate::model::HistogramError::MixedBuckets.to_string(),
            "give both histograms custom buckets, or none",
        ),
    }
}
