//! The lines below an evaluation: what it must yield and what is said beside it.

use super::hints;
use super::line::Line;
use super::read::Reader;
use super::{Evaluation, Expected, ExpectedSeries, Note, Pattern, Steps, Time};
use crate::model::{Regex, number};
use crate::promql::ast::ExprKind;
use crate::promql::{Features, Query};
use crate::series::notation::{Item, expand};
use crate::text::Diagnostic;

impl<'a> Reader<'a> {
    /// Reads one line below an evaluation; says whether more may follow.
    pub(super) fn expectation(
        &self,
        into: &mut Evaluation,
        line: Line<'a>,
    ) -> Result<bool, Diagnostic> {
        if let Some(message) = line.strip("expected_fail_message") {
            return self.old_failure(into, line, Pattern::Exactly(message.text.to_owned()));
        }
        if let Some(pattern) = line.strip("expected_fail_regexp") {
            return self.old_failure(into, line, self.regex(pattern)?);
        }
        if let Some(steps) = line.strip("expect range vector") {
            into.window = Some(self.steps(steps)?.0);
            return Ok(true);
        }
        if let Some(text) = line.strip("expect string") {
            into.expected = Expected::Text(self.string(text)?);
            return Ok(true);
        }
        if line.split_word().0 == "expect" {
            self.note(into, line)?;
            return Ok(true);
        }
        if let Some(value) = integer(line.text).or_else(|| number::parse_float(line.text)) {
            into.expected = Expected::Scalar(value);
            return Ok(false);
        }
        let expected = self.expected_series(into, line)?;
        match &mut into.expected {
            Expected::Series(series) => {
                series.retain(|present| present.labels != expected.labels);
                series.push(expected);
            }
            _ => into.expected = Expected::Series(vec![expected]),
        }
        Ok(true)
    }

    /// `expected_fail_message` and `expected_fail_regexp`, which end what is expected.
    fn old_failure(
        &self,
        into: &mut Evaluation,
        line: Line<'a>,
        pattern: Pattern,
    ) -> Result<bool, Diagnostic> {
        if into.failure.is_none() {
            let help = "write `eval_fail` above, or `expect fail msg: TEXT` or `expect fail regex: PATTERN` here";
            return Err(line.fault(self.source, "only `eval_fail` has this line", help));
        }
        into.failure = Some(pattern);
        Ok(false)
    }

    /// `expect fail`, `expect warn msg: …`, and their like.
    fn note(&self, into: &mut Evaluation, line: Line<'a>) -> Result<(), Diagnostic> {
        let (_, rest) = line.split_word();
        let (kind, rest) = rest.split_word();
        let pattern = match (rest.strip("msg:"), rest.strip("regex:")) {
            (Some(message), _) => Pattern::Exactly(message.text.to_owned()),
            (_, Some(pattern)) => self.regex(pattern)?,
            _ if rest.text.is_empty() => Pattern::Any,
            _ => {
                let help = "write `msg: TEXT` or `regex: PATTERN`";
                return Err(rest.fault(self.source, "no message to match", help));
            }
        };
        let mut annotation = |note| into.annotations.lines.push((note, pattern.clone()));
        match kind {
            "ordered" if matches!(into.time, Time::Range(_)) => {
                let message = "a range query has no order to expect";
                return Err(line.fault(self.source, message, "remove the line"));
            }
            "ordered" => into.ordered = true,
            "fail" if into.fails_as_written => {
                let message = "the failure is described twice";
                return Err(line.fault(self.source, message, "remove one of the two lines"));
            }
            "fail" => {
                into.failure = Some(pattern);
                into.fails_as_written = true;
            }
            "warn" => annotation(Note::Warn),
            "no_warn" => annotation(Note::NoWarn),
            "info" => annotation(Note::Info),
            "no_info" => annotation(Note::NoInfo),
            _ => {
                let help =
                    "expect fail, ordered, warn, no_warn, info, no_info, string or range vector";
                return Err(line.fault(self.source, format!("unknown expectation {kind:?}"), help));
            }
        }
        match into.annotations.fault() {
            Some(message) => Err(line.fault(self.source, message, "remove one of the two lines")),
            None => Ok(()),
        }
    }

    fn regex(&self, pattern: Line<'a>) -> Result<Pattern, Diagnostic> {
        let regex = Regex::unanchored(pattern.text).map_err(|error| {
            pattern.fault(
                self.source,
                error.to_string(),
                "write a regular expression in RE2 syntax",
            )
        })?;
        Ok(Pattern::Regex(pattern.text.to_owned(), Box::new(regex)))
    }

    fn string(&self, text: Line<'a>) -> Result<String, Diagnostic> {
        match Query::parse(text.text, &Features::default()).map(|query| query.expr.kind) {
            Ok(ExprKind::String(string)) if !is_long_rune(text.text, &string) => Ok(string),
            _ => Err(text.fault(self.source, "no string", "write a string in quotes")),
        }
    }

    fn expected_series(
        &self,
        evaluation: &Evaluation,
        line: Line<'a>,
    ) -> Result<ExpectedSeries, Diagnostic> {
        let (labels, items, values) = self.series(line)?;
        let steps = match (evaluation.time, evaluation.window) {
            (_, Some(steps)) | (Time::Range(steps), None) => steps,
            (Time::Instant(time), None) => Steps {
                start: time,
                end: time,
                step: 1,
            },
        };
        let points = expand(&items, steps.start, steps.step, super::read::MAX_SAMPLES)
            .map_err(|error| self.notation_fault(values, error))?;
        let is_instant = matches!(evaluation.time, Time::Instant(_)) && evaluation.window.is_none();
        let count: u64 = items.iter().map(Item::count).sum();
        if is_instant && count > 1 {
            let message = "several values for one moment";
            let help = "write one value, or `expect range vector from … to … step …` before it";
            return Err(values.fault(self.source, message, help));
        }
        let last = steps.start.saturating_add(
            steps
                .step
                .saturating_mul(i64::try_from(count).unwrap_or(i64::MAX).saturating_sub(1)),
        );
        if count > 1 && last > steps.end {
            let message = format!("{count} values for fewer steps");
            let help = "write a value a step, `_` where there is none";
            return Err(values.fault(self.source, message, help));
        }
        Ok(ExpectedSeries {
            labels,
            points,
            hinted: hints::written(&items, values.text),
        })
    }
}

/// Whether a text is written in single quotes, which in Go hold one character.
fn is_long_rune(written: &str, text: &str) -> bool {
    written.starts_with('\'') && text.chars().count() != 1
}

/// Go's `strconv.ParseInt` with base 0, as the script's numbers are read first.
fn integer(text: &str) -> Option<f64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match lower.get(..2) {
        Some("0x") => (16, lower.get(2..)?),
        Some("0b") => (2, lower.get(2..)?),
        Some("0o") => (8, lower.get(2..)?),
        Some(_) if lower.starts_with('0') => (8, lower.get(1..)?),
        _ => (10, lower.as_str()),
    };
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let value = i64::from_str_radix(digits, base).ok()? as f64;
    Some(if negative { -value } else { value })
}
