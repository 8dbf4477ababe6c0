//! Builds selectors and what stands behind an operand: windows, `offset`, `@`, `anchored`, `smoothed`.

use crate::model::number::non_finite;
use crate::model::{METRIC_NAME, MatchOp, Matcher, Timestamp};
use crate::promql::ast::{
    At, DurationExpr, DurationKind, Expr, ExprKind, Extension, MatrixSelector, Shift, Subquery,
    VectorSelector,
};
use crate::text::Span;

use super::Rule;
use super::builder::Builder;
use super::pairs::Pair;

/// So many bytes the regular expressions of a query may take together.
pub const MAX_PATTERNS: usize = 64 << 20;

/// What may carry an offset or `@`.
const SHIFTABLE: &str = "an instant vector selector or range vector selector or a subquery";

impl<'i> Builder<'i> {
    /// A selector from its name and its braces, either of which may be missing.
    pub(super) fn selector(&self, name: Option<&str>, braces: Option<Pair<'i>>) -> VectorSelector {
        let pairs = braces.into_iter().flat_map(Pair::into_inner);
        let number = pairs.clone().count() + usize::from(name.is_some());
        let mut matchers = Vec::with_capacity(number);
        matchers.extend(pairs.filter_map(|pair| self.matcher(pair)));
        if let Some(name) = name {
            matchers.push(Matcher::equal(METRIC_NAME, name));
        }
        VectorSelector {
            is_named: name.is_some(),
            matchers,
            shift: Shift::default(),
            extension: None,
        }
    }

    fn matcher(&self, pair: Pair<'i>) -> Option<Matcher> {
        let mut inner = pair.into_inner();
        let name = inner.next().expect("grammar: a matcher has a name");
        let name_text = match name.as_rule() {
            Rule::string => self.string(&name),
            _ => name.as_str().to_owned(),
        };
        let (Some(op), Some(value)) = (inner.next(), inner.next()) else {
            // A string by itself is the metric name.
            return Some(Matcher::equal(METRIC_NAME, name_text));
        };
        let op = match op.as_str() {
            "=" => MatchOp::Equal,
            "!=" => MatchOp::NotEqual,
            "=~" => MatchOp::Regex,
            _ => MatchOp::NotRegex,
        };
        let value_span = value.span();
        let value = self.string(&value);
        if self.patterns.get() > MAX_PATTERNS {
            // That was said, and more would only take more.
            return None;
        }
        match Matcher::new(name_text, op, value) {
            Ok(matcher) => {
                let taken = self.patterns.get() + matcher.memory();
                self.patterns.set(taken);
                if taken > MAX_PATTERNS {
                    let message = format!(
                        "the regular expressions of the query take more than {} MiB together",
                        MAX_PATTERNS >> 20
                    );
                    self.fail(value_span, message, "write fewer or smaller ones");
                }
                Some(matcher)
            }
            Err(error) => {
                let help = "write a regular expression as RE2 reads it, or compare with `=`";
                self.fail(value_span, error.to_string(), help);
                None
            }
        }
    }

    /// An operand with one suffix.
    pub(super) fn suffixed(&self, operand: Expr, suffix: Pair<'i>) -> Expr {
        match suffix.as_rule() {
            Rule::window => self.windowed(operand, suffix),
            Rule::offset => self.offset(operand, suffix),
            Rule::at => self.at(operand, suffix),
            Rule::anchored => self.extended(operand, &suffix, Extension::Anchored),
            _ => self.extended(operand, &suffix, Extension::Smoothed),
        }
    }

    /// `[5m]` or `[5m:1m]`.
    fn windowed(&self, operand: Expr, pair: Pair<'i>) -> Expr {
        let bracket = pair.span();
        let span = operand.span.to(bracket);
        let mut inner = pair.into_inner();
        let range = inner.next().expect("grammar: a window has a length");
        let range = self.positive(self.window_duration(range));
        let Some(colon) = inner.next() else {
            return self.matrix(operand, range, bracket);
        };
        if !self.number_in_window.get() {
            let message = "unexpected colon before duration in duration expression";
            let help = "Prometheus wants a number before the first colon: write `0s + …`";
            self.fail(colon.span(), message, help);
        }
        let step = inner
            .next()
            .map(|step| self.positive(self.window_duration(step)));
        Expr {
            kind: ExprKind::Subquery(Box::new(Subquery {
                expr: operand,
                range,
                step,
                shift: Shift::default(),
            })),
            span,
        }
    }

    fn matrix(&self, operand: Expr, range: DurationExpr, bracket: Span) -> Expr {
        let span = operand.span.to(bracket);
        let ExprKind::Vector(selector) = operand.kind else {
            let written = self.text.get(bracket.start + 1..bracket.end - 1);
            let help = format!(
                "for a subquery write a colon: `[{}:]`",
                written.unwrap_or("5m")
            );
            self.fail(bracket, "ranges only allowed for vector selectors", help);
            // What follows is about a range, so a range it shall be.
            let selector = self.selector(None, None);
            let kind = ExprKind::Matrix(Box::new(MatrixSelector { selector, range }));
            return Expr { kind, span };
        };
        if selector.shift.offset.is_some() {
            let help = "write the range first: `metric[5m] offset 1h`";
            self.fail(bracket, "no offset modifiers allowed before range", help);
        } else if selector.shift.at.is_some() {
            let help = "write the range first: `metric[5m] @ 1609746000`";
            self.fail(bracket, "no @ modifiers allowed before range", help);
        }
        Expr {
            kind: ExprKind::Matrix(Box::new(MatrixSelector {
                selector: *selector,
                range,
            })),
            span,
        }
    }

    /// Refuses a literal that is not above zero.
    fn positive(&self, duration: DurationExpr) -> DurationExpr {
        if let DurationKind::Literal(literal) = duration.kind
            && literal.value <= 0.0
        {
            let message = "duration must be greater than 0";
            self.fail(duration.span, message, "write a length such as `5m`");
        }
        super::duration::whole_millis(duration)
    }

    fn offset(&self, mut operand: Expr, pair: Pair<'i>) -> Expr {
        let duration = pair.into_inner().nth(1);
        let duration = duration.expect("grammar: an offset has a duration");
        let duration = super::duration::whole_millis(self.offset_duration(duration));
        let is_zero = matches!(&duration.kind, DurationKind::Literal(l) if l.value.abs() < 0.001);
        let span = operand.span;
        let end = duration.span.end;
        let Some(shift) = shift_of(&mut operand) else {
            let message = format!("offset modifier must be preceded by {SHIFTABLE}");
            let help = "move the offset into the brackets, behind the selector it belongs to";
            self.fail(span, message, help);
            return operand;
        };
        if shift.offset.is_some() {
            let message = "offset may not be set multiple times";
            self.fail(span, message, "keep one `offset`");
        } else if !is_zero {
            shift.offset = Some(Box::new(duration));
        }
        operand.span.end = end;
        operand
    }

    fn at(&self, mut operand: Expr, pair: Pair<'i>) -> Expr {
        let end = pair.span().end;
        let span = operand.span;
        let at = self.moment(pair, span);
        let Some(shift) = shift_of(&mut operand) else {
            let message = format!("@ modifier must be preceded by {SHIFTABLE}");
            let help = "move the `@` into the brackets, behind the selector it belongs to";
            self.fail(span, message, help);
            return operand;
        };
        if shift.at.is_some() {
            let message = "@ <timestamp> may not be set multiple times";
            self.fail(span, message, "keep one `@`");
        }
        shift.at = Some(at);
        operand.span.end = end;
        operand
    }

    fn moment(&self, pair: Pair<'i>, operand: Span) -> At {
        let mut sign = 1.0;
        let mut seconds = 0.0;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::boundary if part.as_str().eq_ignore_ascii_case("start") => return At::Start,
                Rule::boundary => return At::End,
                Rule::sign if part.as_str() == "-" => sign = -1.0,
                Rule::sign => {}
                _ => seconds = sign * self.number(&part).value,
            }
        }
        let limit = i64::MAX as f64;
        if seconds.is_nan() || seconds.abs() >= limit {
            let shown = match non_finite(seconds) {
                Some(name) => name.to_owned(),
                None => format!("{seconds:.6}"),
            };
            let message = format!("timestamp out of bounds for @ modifier: {shown}");
            let help = "write unix seconds, `start()` or `end()`";
            self.fail(operand, message, help);
        }
        // Beyond 2^62 ms there is no sample, and room is left for ranges and offsets.
        const FURTHEST: Timestamp = 1 << 62;
        let millis = (seconds * 1000.0).round() as Timestamp;
        At::Time(millis.clamp(-FURTHEST, FURTHEST))
    }

    fn extended(&self, mut operand: Expr, pair: &Pair<'i>, extension: Extension) -> Expr {
        let name = match extension {
            Extension::Anchored => "anchored",
            Extension::Smoothed => "smoothed",
        };
        let span = operand.span;
        if !self.features.extended_range_selectors {
            let message = format!("{name} modifier is experimental and not enabled");
            let help = "pass `--enable-feature=promql-extended-range-selectors`";
            self.fail(span, message, help);
            return operand;
        }
        let selector = match &mut operand.kind {
            ExprKind::Vector(selector) => selector,
            ExprKind::Matrix(matrix) => &mut matrix.selector,
            kind => {
                let message = match kind {
                    ExprKind::Subquery(_) => {
                        format!("{name} modifier is not supported for subqueries")
                    }
                    _ => format!("{name} modifier not implemented"),
                };
                let help = format!("write `{name}` behind a range selector: `metric[5m] {name}`");
                self.fail(span, message, help);
                return operand;
            }
        };
        if selector
            .extension
            .is_some_and(|present| present != extension)
        {
            let message = "anchored and smoothed modifiers cannot be used together";
            self.fail(span, message, "keep one of them");
        }
        selector.extension = Some(extension);
        operand.span.end = pair.span().end;
        operand
    }
}

fn shift_of(operand: &mut Expr) -> Option<&mut Shift> {
    match &mut operand.kind {
        ExprKind::Vector(selector) => Some(&mut selector.shift),
        ExprKind::Matrix(matrix) => Some(&mut matrix.selector.shift),
        ExprKind::Subquery(subquery) => Some(&mut subquery.shift),
        _ => None,
    }
}
