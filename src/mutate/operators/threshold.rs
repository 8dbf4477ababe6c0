//! A number with which something is compared is a tenth more or less.

use super::number::{moved, shown};
use crate::mutate::operator::Operator;
use crate::mutate::site::Site;
use crate::promql::ast::BinaryOp;
use crate::promql::one_line;
use crate::text::Span;
use crate::whatif::{Comparison, Knob, KnobKind, comparisons, splice, worked_out};

pub(super) const ROW: Operator = Operator {
    name: "threshold",
    about: "a number with which something is compared is a tenth more or less; a 0 is 1 or -1",
    by_default: true,
    make,
};

fn make(site: &mut Site<'_>) {
    let all = comparisons(site.query());
    for knob in site.knobs(KnobKind::Threshold) {
        let Some(span) = knob.in_query() else {
            continue;
        };
        // The innermost: its limit holds the number, and no other's limit within that does.
        let holds = |it: &&Comparison| it.limit.start <= span.start && span.end <= it.limit.end;
        let comparison = all.iter().rfind(holds);
        for value in moved(&knob.value) {
            let remedy = comparison.and_then(|it| band(site, it, knob, span, &value));
            let remedy = remedy.unwrap_or_else(|| {
                format!(
                    "a test in which it decides whether the comparison holds, and {}",
                    site.outcome()
                )
            });
            site.knob(knob, &value, comparison.map(limit), remedy);
        }
    }
}

/// A comparison without what is compared.
fn limit(comparison: &Comparison) -> Span {
    comparison.op_span.to(comparison.limit)
}

/// A test in which the value lies where both limits differ.
fn band(
    site: &Site<'_>,
    comparison: &Comparison,
    knob: &Knob,
    span: Span,
    value: &str,
) -> Option<String> {
    let before = site.text(comparison.limit);
    let start = comparison.limit.start;
    let within = Span::new(span.start - start, span.end - start);
    let after = splice(before, vec![(within, format!("({value})"))]);
    let compared = compared(&one_line(site.text(comparison.value)));
    if !comparison.is_number {
        return Some(format!(
            "a test in which {compared} lies between its limit with {} and that with {value}, and {}",
            one_line(&knob.value),
            site.outcome()
        ));
    }
    let (old, new) = (worked_out(before)?, worked_out(&after)?);
    let (low, high) = (shown(old.min(new)), shown(old.max(new)));
    let is_higher = new > old;
    let (lies, holds) = match comparison.op {
        BinaryOp::Greater => (format!("above {low} and up to {high}"), is_higher),
        BinaryOp::GreaterEqual => (format!("at least {low} and below {high}"), is_higher),
        BinaryOp::Less => (format!("at least {low} and below {high}"), !is_higher),
        BinaryOp::LessEqual => (format!("above {low} and up to {high}"), !is_higher),
        BinaryOp::Equal => (shown(old), true),
        BinaryOp::NotEqual => (shown(old), false),
        _ => return None,
    };
    Some(match site.decides(comparison) {
        true => format!(
            "a test in which {compared} is {lies}{}, and {}",
            site.while_holding(),
            site.expected(holds)
        ),
        false => format!(
            "a test in which {compared} is {lies}, and {}",
            site.outcome()
        ),
    })
}

/// What is compared, where it is short enough to be read in a sentence.
pub(super) fn compared(text: &str) -> String {
    const MOST: usize = 90;
    match text.chars().count() > MOST {
        true => "the value compared".to_owned(),
        false => format!("`{text}`"),
    }
}
