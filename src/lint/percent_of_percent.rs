//! `percent-of-percent`: `humanizePercentage` of a value that is in per cent already.

use super::rules::Subject;
use super::tree::deciding;
use super::{Level, Lint, Look, units};
use crate::promql::ast::{BinaryOp, Expr};
use crate::rules::template::Used;
use crate::text::{Diagnostic, Span};

pub(super) const LINT: Lint = Lint {
    name: "percent-of-percent",
    level: Level::Warn,
    doc: "`humanizePercentage` of a value that is in per cent already",
    why: "`humanizePercentage` multiplies by 100 and writes a % behind: it wants a share, 0.2 for 20%. Of 20 it makes \
          2000%. Let the expression yield a share and compare it with one, or show the value as it is with a % behind.",
    wrong: r#"
- alert: ManyErrors
  expr: sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) * 100 > 10
  annotations:
    summary: "{{ $value | humanizePercentage }} fail"
"#,
    right: r#"
- alert: ManyErrors
  expr: sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) > 0.1
  annotations:
    summary: "{{ $value | humanizePercentage }} fail"
"#,
    look: Look::Rule(look),
};

/// A share above this is none: nothing reaches 300% that is a part of something.
const NO_SHARE: f64 = 3.0;

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for template in subject.templates() {
        for used in template.uses() {
            let humanized = used
                .calls
                .first()
                .is_some_and(|it| it.name == "humanizePercentage");
            if used.what != Used::Value || !humanized {
                continue;
            }
            let Some((by, reason)) = percent(subject) else {
                continue;
            };
            let message = format!(
                "humanizePercentage multiplies by 100, but the value is in per cent already: {reason} `{}`",
                subject.written(by)
            );
            let help = "compare a share (0.1 for 10%) in the expression, or write `{{ $value | humanize }}%`";
            found.push(subject.warn_in(template, used.span, message).help(help));
        }
    }
    found
}

/// By what the value is in per cent.
fn percent(subject: &Subject<'_>) -> Option<(Span, &'static str)> {
    let expr = subject.expr();
    if let Some(by) = units::percent(expr, subject.rules) {
        return Some((by, "it comes of"));
    }
    compared(expr).map(|by| (by, "it is compared as one in"))
}

/// A comparison that no share passes.
fn compared(expr: &Expr) -> Option<Span> {
    let mut own = deciding(expr).into_iter();
    let found = own.find(|it| {
        let is_above = matches!(it.op, BinaryOp::Greater | BinaryOp::GreaterEqual);
        is_above && super::tree::number(it.bound).is_some_and(|bound| bound >= NO_SHARE)
    });
    found.map(|it| it.span)
}
