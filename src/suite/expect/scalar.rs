//! Moments, numbers, tolerances and patterns as test files write them.

use std::fmt;

use super::super::file::Spanned;
use super::super::read::{Reader, parse_time};
use super::{AmountTest, Bounds, Text, TextTest, Tolerance, ValueTest};
use crate::model::{Duration, Millis, Regex, Timestamp};
use crate::text::Span;
use crate::text::yaml::{Field, Fields, Kind, Node};

/// The keys of bounds.
pub(in crate::suite) const BOUNDS: [&str; 4] = ["above", "below", "at_least", "at_most"];

impl<'d> Reader<'d, '_> {
    /// A moment: a duration since the start of the test, or RFC 3339.
    pub(in crate::suite) fn moment_of_test(
        &mut self,
        node: Node<'d>,
        start: Timestamp,
        what: &str,
    ) -> Option<Spanned<Millis>> {
        let span = node.target().span();
        let text = self.decoder.text(node, what)?;
        if let Ok(duration) = Duration::parse(&text) {
            let value = duration.millis();
            return Some(Spanned { value, span });
        }
        let is_plain_number = text.parse::<f64>().is_ok();
        let after_start = |time: Timestamp| time.checked_sub(start);
        let time = match is_plain_number {
            true => None,
            false => parse_time(&text).and_then(after_start),
        };
        let (message, help) = match time {
            Some(value) if value >= 0 => return Some(Spanned { value, span }),
            Some(_) => (
                format!("{what}: {text} lies before the start of the test"),
                "the test starts at its `start_timestamp`, else in 1970".to_owned(),
            ),
            None if is_plain_number => (
                format!("{what}: {text} has no unit"),
                format!("a duration has a unit: `{text}s`"),
            ),
            None => (
                format!("{what}: {text:?} is no moment"),
                "write a duration since the start of the test such as `90s` or `1h30m`, or a time such as \
                 2026-03-02T09:36:00Z"
                    .to_owned(),
            ),
        };
        self.decoder.error(span, message, help);
        None
    }

    /// A number, or a part of a hundred: `0.12`, `12%`, `NaN`.
    pub(in crate::suite) fn number(
        &mut self,
        node: Node<'d>,
        what: impl fmt::Display,
    ) -> Option<f64> {
        let span = node.target().span();
        let text = self.decoder.text(node, &what)?;
        let number = parse_number(&text);
        if number.is_none() {
            let message = format!("{what}: {text:?} is no number");
            let help = "write a number such as 0.12, 12%, 1e6, NaN or +Inf";
            self.decoder.error(span, message, help);
        }
        number
    }

    /// What a value must be: a number, or a mapping of bounds.
    pub(super) fn value_test(
        &mut self,
        fields: &Fields<'d>,
        name: &str,
        tolerance: Option<(Tolerance, Span)>,
    ) -> Option<Spanned<ValueTest>> {
        let node = fields.node(name)?;
        let span = node.target().span();
        let what = format!("`{name}`");
        let value = match node.kind() {
            Kind::Mapping(_) => {
                let bounds = self.bounds(node, &what, Reader::number)?;
                if let Some((_, span)) = tolerance {
                    let message = "a tolerance beside bounds has no meaning";
                    let help = "widen the bounds instead, or give one number as the value";
                    self.decoder.error(span, message, help);
                }
                ValueTest::Bounds(bounds)
            }
            _ => ValueTest::Equal {
                value: self.number(node, &what)?,
                tolerance: tolerance.map_or(Tolerance::Absolute(0.0), |(tolerance, _)| tolerance),
            },
        };
        Some(Spanned { value, span })
    }

    /// `tolerance: 2%` or `tolerance: 0.01`.
    pub(super) fn tolerance(&mut self, fields: &Fields<'d>) -> Option<(Tolerance, Span)> {
        let node = fields.node("tolerance")?;
        let span = node.target().span();
        let value = self.number(node, "`tolerance`")?;
        if !(value >= 0.0 && value.is_finite()) {
            let help = "write how far the value may be away: `2%` of it, or so much as `0.01`";
            self.decoder.error(span, "a tolerance is 0 or more", help);
            return None;
        }
        let is_part = self.decoder.text(node, "`tolerance`")?.ends_with('%');
        let tolerance = match is_part {
            true => Tolerance::Relative(value),
            false => Tolerance::Absolute(value),
        };
        Some((tolerance, span))
    }

    /// How many: a whole number, or a mapping of bounds.
    pub(super) fn amount(
        &mut self,
        fields: &Fields<'d>,
        name: &str,
    ) -> Option<Spanned<AmountTest>> {
        let node = fields.node(name)?;
        let span = node.target().span();
        let what = format!("`{name}`");
        let value = match node.kind() {
            Kind::Mapping(_) => AmountTest::Bounds(self.bounds(node, &what, Reader::whole)?),
            _ => AmountTest::Exactly(self.whole(node, &what)?),
        };
        Some(Spanned { value, span })
    }

    fn whole(&mut self, node: Node<'d>, what: &str) -> Option<u64> {
        let text = self.decoder.text(node, what)?;
        let number = text.parse::<u64>().ok();
        if number.is_none() {
            let message = format!("{what}: {text:?} is no whole number");
            let help = "write how many, or bounds such as `{at_most: 2}`";
            self.decoder.error(node.target().span(), message, help);
        }
        number
    }

    fn bounds<T: PartialOrd + Copy>(
        &mut self,
        node: Node<'d>,
        what: &str,
        read: impl Fn(&mut Self, Node<'d>, &'static str) -> Option<T>,
    ) -> Option<Bounds<T>> {
        let noted = self.decoder.faults.len();
        let fields = self.fields(node, what, &BOUNDS)?;
        // Where a key is none, what it was meant to be is not missing besides.
        match self.decoder.faults.len() > noted {
            true => None,
            false => self.bounds_of(&fields, node.target().span(), what, read),
        }
    }

    /// Bounds by keys that may stand beside others.
    pub(super) fn bounds_of<T: PartialOrd + Copy>(
        &mut self,
        fields: &Fields<'d>,
        span: Span,
        what: &str,
        read: impl Fn(&mut Self, Node<'d>, &'static str) -> Option<T>,
    ) -> Option<Bounds<T>> {
        let mut bound = |name: &'static str| match fields.node(name) {
            None => Ok(None),
            Some(node) => read(self, node, name).map(Some).ok_or(()),
        };
        let bounds = Bounds {
            above: bound("above").ok()?,
            below: bound("below").ok()?,
            at_least: bound("at_least").ok()?,
            at_most: bound("at_most").ok()?,
        };
        let lows = [bounds.above, bounds.at_least].into_iter().flatten();
        let highs = [bounds.below, bounds.at_most].into_iter().flatten();
        let mut pairs = lows.flat_map(|low| highs.clone().map(move |high| (low, high)));
        if pairs.any(|(low, high)| low > high) {
            let help = "the lower bound must not be above the upper one";
            self.decoder.error(
                span,
                format!("{what}: nothing lies within these bounds"),
                help,
            );
            return None;
        }
        let is_empty = !BOUNDS.iter().any(|name| fields.node(name).is_some());
        if is_empty {
            let help = "write some of above, below, at_least, at_most";
            self.decoder.error(
                span,
                format!("{what}: bounds that hold for everything"),
                help,
            );
            return None;
        }
        Some(bounds)
    }

    /// Labels or annotations, each equal to a text or matching a `/pattern/`.
    pub(super) fn text_tests(&mut self, fields: &Fields<'d>, name: &str) -> Vec<TextTest> {
        let Some(field) = fields.get(name) else {
            return Vec::new();
        };
        let entries = self.decoder.map(field, &format!("`{name}`"));
        entries
            .iter()
            .filter_map(|entry| self.text_test(entry))
            .collect()
    }

    /// As [`Reader::text_tests`], where asking for nothing is a fault.
    pub(super) fn some_text_tests(&mut self, fields: &Fields<'d>, name: &str) -> Vec<TextTest> {
        let noted = self.decoder.faults.len();
        let tests = self.text_tests(fields, name);
        if let (Some(node), true, true) = (
            fields.node(name),
            tests.is_empty(),
            self.decoder.faults.len() == noted,
        ) {
            let message = format!("`{name}` asks for nothing");
            let help = format!(
                "write `{name}: {{NAME: text}}` or `{{NAME: /pattern/}}`, or remove the key"
            );
            self.decoder.error(node.target().span(), message, help);
        }
        tests
    }

    fn text_test(&mut self, entry: &Field<'d>) -> Option<TextTest> {
        let text = self
            .decoder
            .text(entry.value, format_args!("`{}`", entry.name))?;
        let span = entry.value.target().span();
        let pattern = text
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'));
        let wanted = match pattern {
            None => Text::Equal(text),
            Some(pattern) => match Regex::unanchored(pattern) {
                Ok(regex) => Text::Matches(regex, pattern.to_owned()),
                Err(error) => {
                    let message = format!("`{}`: {error}", entry.name);
                    let help = "between slashes stands a regular expression in RE2 syntax";
                    self.decoder.error(span, message, help);
                    return None;
                }
            },
        };
        Some(TextTest {
            name: entry.name.to_owned(),
            wanted,
            span,
        })
    }
}

/// `0.12`, `12%`, `NaN`, `+Inf`.
fn parse_number(text: &str) -> Option<f64> {
    match text {
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        ".inf" | "+.inf" => return Some(f64::INFINITY),
        "-.inf" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    match text.strip_suffix('%') {
        // A hundredth of 12 is the number nearest to 0.12, which 12 * 0.01 is not.
        Some(hundredths) => Some(hundredths.trim_end().parse::<f64>().ok()? / 100.0),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::parse_number;

    #[test]
    fn per_cent_are_hundredths() {
        assert_eq!(parse_number("12%"), Some(0.12));
        assert_eq!(parse_number("0.1%"), Some(0.001));
        assert_eq!(parse_number("1e3"), Some(1000.0));
        assert_eq!(parse_number("-Inf"), Some(f64::NEG_INFINITY));
        assert!(parse_number("NaN").is_some_and(f64::is_nan));
        assert_eq!(parse_number("12 apples"), None);
    }
}
