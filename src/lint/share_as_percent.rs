//! `share-as-percent`: a share between 0 and 1 with a % behind.

use super::rules::Subject;
use super::tree::{chain, core, deciding, number};
use super::{Level, Lint, Look, template, units};
use crate::promql::ast::{BinaryOp, Expr, ValueType};
use crate::rules::template::Used;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "share-as-percent",
    level: Level::Warn,
    doc: "a share between 0 and 1 shown with a % behind",
    why: "The expression compares a ratio with a number below 1, so half of all is 0.5. With a % behind it the text says half \
          a per cent. `humanizePercentage` multiplies by 100 and writes the %.",
    wrong: r#"
- alert: ManyErrors
  expr: sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) > 0.1
  annotations:
    summary: "{{ $value }}% fail"
"#,
    right: r#"
- alert: ManyErrors
  expr: sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) > 0.1
  annotations:
    summary: "{{ $value | humanizePercentage }} fail"
"#,
    look: Look::Rule(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let expr = subject.expr();
    let is_share = |bound: f64| bound > 0.0 && bound < 1.0;
    let is_compared = deciding(expr)
        .iter()
        .any(|it| is_ratio(it.value.unwrap_parens()) && number(it.bound).is_some_and(is_share));
    if !is_compared || units::percent(expr, subject.rules).is_some() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for template in subject.templates() {
        for used in template.uses() {
            let is_plain = used
                .calls
                .iter()
                .all(|it| it.name == "printf" || it.name == "humanize");
            let after = template::text_after(template, used.span).trim_start();
            if used.what != Used::Value || !is_plain || !after.starts_with('%') {
                continue;
            }
            let message = "the value is a share between 0 and 1, and a % stands behind it: 0.5 is shown as half a per cent";
            let help = "write `{{ $value | humanizePercentage }}` without the %";
            found.push(subject.warn_in(template, used.span, message).help(help));
        }
    }
    found
}

/// Whether an expression divides series by series.
fn is_ratio(expr: &Expr) -> bool {
    let Some(chain) = chain(core(expr)) else {
        return false;
    };
    let is_vector = |expr: &Expr| expr.value_type() == ValueType::Vector;
    let mut links = chain.links.iter();
    is_vector(&chain.first) && links.all(|link| link.op == BinaryOp::Div && is_vector(&link.rhs))
}
