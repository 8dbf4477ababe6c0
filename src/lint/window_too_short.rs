//! `window-too-short`: a window that seldom holds the two samples that a rate needs.

use super::rules::Subject;
use super::tree::{call, nodes, series_argument};
use super::{Level, Lint, Look};
use crate::model::{Duration, Millis};
use crate::promql::ast::ExprKind;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "window-too-short",
    level: Level::Warn,
    doc: "a rate over a window that holds fewer than two samples",
    why: "`rate` and its like need two samples. A window shorter than twice the time between two of them holds one most of the \
          time, and yields nothing then; one missed scrape more and it is empty. Take four times the scrape interval. It is \
          taken to be 15s, or what `--scrape-interval` or a comment at the head of the file says (`# rulecheck: \
          scrape-interval(1m)`); between two steps of a subquery lies what it says itself.",
    wrong: r#"
- alert: ManyErrors
  expr: rate(errors_total[15s]) > 10
"#,
    right: r#"
- alert: ManyErrors
  expr: rate(errors_total[1m]) > 10
"#,
    look: Look::Query(look),
};

/// Who scrapes more often says so.
const SCRAPE: Millis = 15_000;

/// Functions that need two samples.
const OF_TWO: [&str; 8] = [
    "rate",
    "increase",
    "irate",
    "delta",
    "idelta",
    "deriv",
    "predict_linear",
    "double_exponential_smoothing",
];

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let scrape = match subject.scrape() {
        None => SCRAPE,
        Some(Ok(stated)) => stated,
        Some(Err(span)) => {
            let message = "this is no time between two samples";
            let said = Diagnostic::warning(message).at(&subject.group.source, span);
            return vec![said.help("write a duration, such as 30s")];
        }
    };
    let calls = nodes(subject.expr()).into_iter();
    let calls = calls.filter_map(|node| Some((node, call(node, &OF_TWO)?)));
    let found = calls.filter_map(|(node, call)| {
        let argument = series_argument(call)?;
        let length = |it: &crate::promql::ast::DurationExpr| it.resolve(0, 0, false).ok();
        let (window, apart, what) = match &argument.unwrap_parens().kind {
            ExprKind::Matrix(matrix) if matrix.selector.extension.is_none() => {
                (length(&matrix.range)?, scrape, "samples")
            }
            ExprKind::Subquery(subquery) => {
                let step = length(subquery.step.as_ref()?)?;
                (length(&subquery.range)?, step, "steps of the subquery")
            }
            _ => return None,
        };
        let is_short = apart > 0 && window > 0 && window < 2 * apart;
        is_short.then(|| {
            let message = format!(
                "{} needs two samples, and {} hold fewer most of the time with {what} {} apart",
                call.function.name,
                Duration(window),
                Duration(apart)
            );
            let help = format!("take {} or more", Duration(apart.saturating_mul(4)));
            subject.warn(node.span, message).help(help)
        })
    });
    found.collect()
}
