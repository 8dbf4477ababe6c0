//! The grammar of names and labels.

use nom::bytes::complete::take_while;

use super::super::fault::{Parsed, fail};
use super::Format;
use super::line::{Kind, is_blank};
use crate::model::number::{format_general, parse_float};
use crate::model::{Labels, LabelsBuilder, METRIC_NAME};

/// A series as written: `name`, `name{a="b"}` or `{"name", a="b"}`.
pub(super) fn series(input: &str, format: Format, kind: Kind) -> Parsed<'_, Labels> {
    let mut reader = Reader {
        format,
        kind,
        labels: LabelsBuilder::default(),
    };
    let (rest, name) = identifier(input, true)?;
    if !name.is_empty() {
        reader.labels.set(METRIC_NAME, name);
    }
    let rest = reader.skip(rest);
    let rest = match rest.strip_prefix('{') {
        Some(inside) => reader.label_set(inside)?.0,
        None => rest,
    };
    if let Some(c) = rest.chars().next() {
        return fail(
            rest,
            format!("unexpected {c:?} in a metric name"),
            "names hold letters, digits, `_` and `:`; put others in quotes: {\"any name\", a=\"b\"}",
        );
    }
    match reader.labels.get(METRIC_NAME) {
        Some(_) => Ok((rest, reader.labels.build())),
        None => fail(
            input,
            "a series without a metric name",
            "write name{label=\"value\"}, or {\"any name\", label=\"value\"}",
        ),
    }
}

struct Reader {
    format: Format,
    kind: Kind,
    labels: LabelsBuilder,
}

impl Reader {
    /// What stands in the braces, and the brace that closes; a comma may come last.
    fn label_set<'a>(&mut self, input: &'a str) -> Parsed<'a, ()> {
        let mut rest = self.skip(input);
        loop {
            if let Some(after) = rest.strip_prefix('}') {
                return Ok((after, ()));
            }
            let (after, ()) = self.label(rest)?;
            rest = self.skip(after);
            if let Some(after) = rest.strip_prefix(',') {
                rest = self.skip(after);
            } else if !rest.starts_with('}') {
                return fail(
                    rest,
                    "expected a comma or a closing brace after a label",
                    LABELS,
                );
            }
        }
    }

    /// `a="b"`, `"a b"="c"`, or `"metric name"`.
    fn label<'a>(&mut self, input: &'a str) -> Parsed<'a, ()> {
        let (rest, name) = match input.starts_with('"') {
            true => {
                let (rest, name) = string(input)?;
                let after = self.skip(rest);
                if !after.starts_with('=') {
                    return self.set(input, rest, METRIC_NAME, name);
                }
                (after, name)
            }
            false => {
                let (rest, name) = identifier(input, false)?;
                if name.is_empty() {
                    return fail(input, "expected the name of a label", LABELS);
                }
                (self.skip(rest), name.to_owned())
            }
        };
        let Some(value) = rest.strip_prefix('=') else {
            return fail(rest, "expected `=` after the name of a label", LABELS);
        };
        let value = self.skip(value);
        if !value.starts_with('"') {
            return fail(value, "expected a label value in double quotes", LABELS);
        }
        let (rest, text) = string(value)?;
        let text = self.normalized(&name, text);
        self.set(input, rest, &name, text)
    }

    fn set<'a>(
        &mut self,
        input: &'a str,
        rest: &'a str,
        name: &str,
        value: String,
    ) -> Parsed<'a, ()> {
        if self.labels.get(name).is_some() {
            let message = match name == METRIC_NAME {
                true => "the metric name is given twice".to_owned(),
                false => format!("the label {name:?} is given twice"),
            };
            return fail(input, message, "remove one of the two");
        }
        self.labels.set(name, &value);
        Ok((rest, ()))
    }

    /// Bounds of histograms and quantiles of summaries are numbers, and one number has one text.
    fn normalized(&self, name: &str, value: String) -> String {
        let number = match (self.kind, name) {
            (Kind::Histogram, "le") | (Kind::Summary, "quantile") => parse_float(&value),
            _ => None,
        };
        match number.map(format_general) {
            Some(text) if text.contains(['e', '.', 'N', 'I']) => text,
            Some(text) => format!("{text}.0"),
            None => value,
        }
    }

    /// Spaces mean nothing in the classic format, and are not allowed in OpenMetrics.
    fn skip<'a>(&self, input: &'a str) -> &'a str {
        match self.format {
            Format::Classic => input.trim_start_matches(is_blank),
            Format::OpenMetrics => input,
        }
    }
}

const LABELS: &str = "write labels as {a=\"b\",c=\"d\"}";

/// A name without quotes, perhaps empty.
fn identifier(input: &str, colon: bool) -> Parsed<'_, &str> {
    match input.starts_with(|c: char| c.is_ascii_digit()) {
        true => Ok((input, "")),
        false => {
            take_while(|c: char| c.is_ascii_alphanumeric() || c == '_' || (colon && c == ':'))(
                input,
            )
        }
    }
}

/// A string in double quotes.
fn string(input: &str) -> Parsed<'_, String> {
    let mut out = String::new();
    let mut rest = input.get(1..).unwrap_or_default();
    loop {
        let end = rest.find(['"', '\\']).unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        out.push_str(text);
        let mut chars = after.chars();
        rest = match (chars.next(), chars.next()) {
            (Some('"'), _) => return Ok((after.get(1..).unwrap_or_default(), out)),
            (Some('\\'), Some(c @ ('"' | '\\'))) => {
                out.push(c);
                after.get(2..).unwrap_or_default()
            }
            (Some('\\'), Some('n')) => {
                out.push('\n');
                after.get(2..).unwrap_or_default()
            }
            (Some('\\'), Some(c)) => {
                return fail(
                    after,
                    format!("unknown escape sequence \\{c}"),
                    "write a backslash as \\\\; there are \\\\, \\\" and \\n, others stand as they are",
                );
            }
            _ => return fail(input, "a string without a closing quote", LABELS),
        };
    }
}
