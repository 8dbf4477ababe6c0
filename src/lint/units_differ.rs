//! `units-differ`: seconds beside bytes or milliseconds, or seconds held against a number of milliseconds.

use super::rules::Subject;
use super::tree::{chain, comparisons, nodes, number};
use super::units::{Unit, unit};
use super::{Level, Lint, Look};
use crate::model::number::format_digits;
use crate::promql::ast::BinaryOp;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "units-differ",
    level: Level::Warn,
    doc: "seconds compared with, or added to, milliseconds or bytes",
    why: "The ends of the names say what the numbers count. Numbers of different units can be divided, but neither compared \
          nor added. Neither can seconds be compared with a number that the text calls milliseconds.",
    wrong: r#"
- alert: Slow
  expr: histogram_quantile(0.95, sum by (le) (rate(request_seconds_bucket[5m]))) > 500
  annotations:
    summary: "one in twenty takes longer than 500ms"
"#,
    right: r#"
- alert: Slow
  expr: histogram_quantile(0.95, sum by (le) (rate(request_seconds_bucket[5m]))) > 0.5
  annotations:
    summary: "one in twenty takes longer than 500ms"
"#,
    look: Look::Query(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for chain in nodes(subject.expr()).into_iter().filter_map(chain) {
        let Some(link) = chain.links.first() else {
            continue;
        };
        if !link.op.is_comparison() && !matches!(link.op, BinaryOp::Add | BinaryOp::Sub) {
            continue;
        }
        if let (Some(left), Some(right)) = (unit(&chain.first), unit(&link.rhs))
            && left != right
        {
            let message = format!("{} on the left, {} on the right", left.name(), right.name());
            let help = "bring both to one unit, 1000 milliseconds to a second";
            found.push(subject.warn(chain.span_to(link), message).help(help));
        }
    }
    for compared in comparisons(subject.expr()) {
        let is_seconds = unit(compared.value) == Some(Unit::Seconds);
        let Some(bound) = number(compared.bound).filter(|bound| is_seconds && *bound >= 50.0)
        else {
            continue;
        };
        let bound = format_digits(bound, 6);
        let says = |text: &str| {
            ["ms", " ms", " milliseconds"]
                .iter()
                .any(|unit| text.contains(&format!("{bound}{unit}")))
        };
        if subject.templates().any(|template| says(template.text())) {
            let message =
                format!("seconds compared with {bound}, which the text calls milliseconds");
            let help = "divide the threshold by 1000";
            found.push(subject.warn(compared.span, message).help(help));
        }
    }
    found
}
