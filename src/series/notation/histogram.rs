//! The grammar of histograms: `{{schema:1 count:3 sum:4.5 buckets:[1 2]}}`.

use nom::bytes::complete::take_while;

use super::super::fault::{Parsed, fail};
use super::number::number;
use crate::model::{BucketSpan, CounterResetHint, Histogram};

/// A histogram in double braces.
pub(super) fn histogram(input: &str) -> Parsed<'_, Histogram> {
    let Some(inside) = input.strip_prefix("{{") else {
        let shown = input.chars().next();
        return fail(
            input,
            match shown {
                Some(c) => format!("unexpected character in series sequence: {c:?}"),
                None => "unexpected end of input in series values".to_owned(),
            },
            "a histogram stands in double braces: {{count:1 sum:2}}",
        );
    };
    if let Some(rest) = inside.trim_start_matches(is_space).strip_prefix("}}") {
        return Ok((rest, Histogram::default()));
    }
    let mut description = Description::default();
    let (mut rest, ()) = entry(inside, &mut description)?;
    loop {
        let after = rest.trim_start_matches(is_space);
        if let Some(rest) = after.strip_prefix("}}") {
            return Ok((rest, description.into_histogram()));
        }
        if after.len() == rest.len() || after.is_empty() {
            return fail(
                after,
                match after.chars().next() {
                    Some(c) => format!("unexpected {c:?} in histogram description"),
                    None => "the histogram description does not end".to_owned(),
                },
                "separate entries by spaces and close with `}}`, as in {{count:3 buckets:[1 2]}}",
            );
        }
        rest = entry(after, &mut description)?.0;
    }
}

/// What has been read of a histogram.
#[derive(Default)]
struct Description {
    seen: Vec<Key>,
    histogram: Histogram,
    offset: i32,
    negative_offset: i32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Schema,
    Sum,
    Count,
    ZeroBucket,
    ZeroBucketWidth,
    CustomValues,
    Buckets,
    Offset,
    NegativeBuckets,
    NegativeOffset,
    CounterResetHint,
}

/// The keys with the names they have in any case.
const KEYS: [(&str, Key); 11] = [
    ("schema", Key::Schema),
    ("sum", Key::Sum),
    ("count", Key::Count),
    ("z_bucket", Key::ZeroBucket),
    ("z_bucket_w", Key::ZeroBucketWidth),
    ("custom_values", Key::CustomValues),
    ("buckets", Key::Buckets),
    ("offset", Key::Offset),
    ("n_buckets", Key::NegativeBuckets),
    ("n_offset", Key::NegativeOffset),
    ("counter_reset_hint", Key::CounterResetHint),
];

const KNOWN: &str = "known are schema, sum, count, z_bucket, z_bucket_w, custom_values, buckets, \
                     offset, n_buckets, n_offset and counter_reset_hint";

/// `key:value`.
fn entry<'a>(input: &'a str, description: &mut Description) -> Parsed<'a, ()> {
    let (rest, word) = word(input)?;
    let Some(&(name, key)) = KEYS
        .iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name))
    else {
        return fail(
            input,
            match (word, input.chars().next()) {
                ("", Some(c)) => {
                    format!("unexpected {c:?} in histogram description, expected a key")
                }
                ("", None) => "the histogram description does not end".to_owned(),
                _ => format!("bad histogram descriptor found: {word:?}"),
            },
            match word.is_empty() {
                true => {
                    "write no space after `{{`, and one space between entries: {{count:3 sum:4}}"
                }
                false => KNOWN,
            },
        );
    };
    let Some(value) = rest.strip_prefix(':') else {
        return fail(
            rest,
            format!("missing `:` for histogram descriptor {name:?}"),
            "write the key, a colon and the value without spaces: count:3",
        );
    };
    if description.seen.contains(&key) {
        return fail(
            input,
            format!("duplicate key {name:?} in histogram"),
            "remove one of the two",
        );
    }
    description.seen.push(key);
    description.read(key, value)
}

impl Description {
    fn read<'a>(&mut self, key: Key, input: &'a str) -> Parsed<'a, ()> {
        let histogram = &mut self.histogram;
        match key {
            Key::Schema => store(integer(input)?, &mut histogram.schema),
            Key::Offset => store(integer(input)?, &mut self.offset),
            Key::NegativeOffset => store(integer(input)?, &mut self.negative_offset),
            Key::Sum => store(signed(input)?, &mut histogram.sum),
            Key::Count => store(signed(input)?, &mut histogram.count),
            Key::ZeroBucket => store(signed(input)?, &mut histogram.zero_count),
            Key::ZeroBucketWidth => store(unsigned(input)?, &mut histogram.zero_threshold),
            Key::CustomValues => store(list(input)?, &mut histogram.custom_values),
            Key::Buckets => store(list(input)?, &mut histogram.positive_buckets),
            Key::NegativeBuckets => store(list(input)?, &mut histogram.negative_buckets),
            Key::CounterResetHint => store(hint(input)?, &mut histogram.counter_reset_hint),
        }
    }

    fn into_histogram(self) -> Histogram {
        let span = |offset: i32, counts: &[f64]| match u32::try_from(counts.len()) {
            Ok(length) if length > 0 => vec![BucketSpan { offset, length }],
            _ => Vec::new(),
        };
        Histogram {
            positive_spans: span(self.offset, &self.histogram.positive_buckets),
            negative_spans: span(self.negative_offset, &self.histogram.negative_buckets),
            ..self.histogram
        }
    }
}

fn store<'a, T>((rest, value): (&'a str, T), into: &mut T) -> Parsed<'a, ()> {
    *into = value;
    Ok((rest, ()))
}

/// A whole number with an optional minus; what does not fit 32 bits wraps, as in Prometheus.
fn integer(input: &str) -> Parsed<'_, i32> {
    let (rest, negative) = match input.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (input, false),
    };
    let (after, digits) = take_while(|c: char| c.is_ascii_digit())(rest)?;
    let glued = after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    match digits.parse::<u64>() {
        Ok(number) if !glued => {
            let number = number as i32;
            Ok((
                after,
                if negative {
                    number.wrapping_neg()
                } else {
                    number
                },
            ))
        }
        _ => fail(
            input,
            "expected a whole number in histogram description",
            "write a whole number such as 3 or -1",
        ),
    }
}

/// A number with an optional minus.
fn signed(input: &str) -> Parsed<'_, f64> {
    match input.strip_prefix('-') {
        Some(rest) => {
            let (rest, value) = unsigned(rest)?;
            Ok((rest, -value))
        }
        None => unsigned(input),
    }
}

/// A number, `Inf` or `NaN`.
fn unsigned(input: &str) -> Parsed<'_, f64> {
    let (rest, word) = word(input)?;
    if word.eq_ignore_ascii_case("inf") {
        return Ok((rest, f64::INFINITY));
    }
    if word.eq_ignore_ascii_case("nan") {
        return Ok((rest, f64::NAN));
    }
    if !input.starts_with(|c: char| c.is_ascii_digit()) {
        return fail(
            input,
            match input.chars().next() {
                Some(c) => format!("unexpected {c:?} in histogram description, expected a number"),
                None => "the histogram description does not end".to_owned(),
            },
            "write a number that starts with a digit, such as 3 or 0.5, or Inf or NaN",
        );
    }
    number(input)
}

/// `[1 2 3]`, with at least one number.
fn list(input: &str) -> Parsed<'_, Vec<f64>> {
    let Some(mut rest) = input.strip_prefix('[') else {
        return fail(input, "expected `[` in histogram description", LIST);
    };
    let mut numbers = Vec::new();
    loop {
        let (after, number) = list_number(rest)?;
        numbers.push(number);
        rest = after.trim_start_matches(is_space);
        if let Some(rest) = rest.strip_prefix(']') {
            return Ok((rest, numbers));
        }
        if rest.len() == after.len() || rest.is_empty() {
            return fail(
                rest,
                match rest.chars().next() {
                    Some(c) => format!("invalid character in buckets description: {c:?}"),
                    None => "the buckets description does not end".to_owned(),
                },
                LIST,
            );
        }
    }
}

const LIST: &str = "write a list of one or more numbers with spaces between them: [1 2 3]";

/// A number of a list. `Inf` has no minus here, as in Prometheus.
fn list_number(input: &str) -> Parsed<'_, f64> {
    match input.strip_prefix('-') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => signed(input),
        None if input.starts_with(|c: char| c.is_ascii_alphanumeric()) => unsigned(input),
        _ => fail(
            input,
            match input.chars().next() {
                Some(']') => "a list without numbers in histogram description".to_owned(),
                Some(c) => format!("invalid character in buckets description: {c:?}"),
                None => "the buckets description does not end".to_owned(),
            },
            LIST,
        ),
    }
}

fn hint(input: &str) -> Parsed<'_, CounterResetHint> {
    let (rest, word) = word(input)?;
    let hints = [
        CounterResetHint::Unknown,
        CounterResetHint::Reset,
        CounterResetHint::NotReset,
        CounterResetHint::Gauge,
    ];
    match hints
        .into_iter()
        .find(|hint| word.eq_ignore_ascii_case(hint.name()))
    {
        Some(hint) => Ok((rest, hint)),
        None => fail(
            input,
            format!("unknown counter_reset_hint {word:?}"),
            "write unknown, reset, not_reset or gauge",
        ),
    }
}

fn word(input: &str) -> Parsed<'_, &str> {
    take_while(|c: char| c.is_ascii_alphabetic() || c == '_')(input)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r')
}
