//! `increase-above-count`: an `increase` compared with a small number of events.

use super::rules::Subject;
use super::tree::{call, comparisons, number};
use super::{Level, Lint, Look};
use crate::model::number::format_digits;
use crate::promql::ast::BinaryOp;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "increase-above-count",
    level: Level::Pedantic,
    doc: "`increase(…) > 3`, which three events pass: it is extrapolated to the ends of the window",
    why: "`increase` extrapolates to the ends of its window, so three events count as 3.1 or so and pass `> 3`. A series that \
          begins with its first event hides that one instead. Compare with a number between, `> 3.5`, or round.",
    wrong: r#"
- alert: Restarts
  expr: increase(restarts_total[10m]) > 3
"#,
    right: r#"
- alert: Restarts
  expr: round(increase(restarts_total[10m])) > 3
"#,
    look: Look::Rule(look),
};

/// Above it an event more or less is none.
const FEW: f64 = 20.0;

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let compared = comparisons(subject.expr()).into_iter();
    let found = compared.filter_map(|compared| {
        let bound = number(compared.bound)?;
        let is_few = bound.fract() == 0.0 && (1.0..FEW).contains(&bound);
        call(compared.value.unwrap_parens(), &["increase"])?;
        (is_few && compared.op == BinaryOp::Greater).then(|| {
            let bound = format_digits(bound, 6);
            let message = format!("increase extrapolates: {bound} events count as a little more than {bound}, and pass");
            subject.warn(compared.span, message).help("round it, or compare with a number between two")
        })
    });
    found.collect()
}
