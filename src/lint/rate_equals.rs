//! `rate-equals`: a rate compared for equality.

use super::rules::Subject;
use super::tree::{call, comparisons, core, number};
use super::{Level, Lint, Look};
use crate::model::number::format_digits;
use crate::promql::ast::BinaryOp;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "rate-equals",
    level: Level::Warn,
    doc: "`increase(…) == 1`: a number that is extrapolated is hardly ever equal to another",
    why: "`rate`, `increase` and `delta` extrapolate to the ends of their window: one event counts as 1.07. Equal to a number \
          other than 0 it is by chance only. Compare with > or <.",
    wrong: r#"
- alert: Restarted
  expr: increase(restarts_total[5m]) == 1
"#,
    right: r#"
- alert: Restarted
  expr: increase(restarts_total[5m]) > 0
"#,
    look: Look::Query(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let compared = comparisons(subject.expr()).into_iter();
    let found = compared.filter_map(|compared| {
        let bound = number(compared.bound).filter(|bound| *bound != 0.0)?;
        let call = call(
            core(compared.value),
            &["rate", "increase", "delta", "irate", "deriv"],
        )?;
        (compared.op == BinaryOp::Equal).then(|| {
            let message = format!(
                "{} extrapolates: it is hardly ever {} exactly",
                call.function.name,
                format_digits(bound, 6)
            );
            subject
                .warn(compared.span, message)
                .help("compare with > or <")
        })
    });
    found.collect()
}
