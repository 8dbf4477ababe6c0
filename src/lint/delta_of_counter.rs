//! `delta-of-counter`: a function for gauges over a counter.

use super::rules::Subject;
use super::tree::{call, metric, nodes, selector, series_argument};
use super::{Level, Lint, Look};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "delta-of-counter",
    level: Level::Warn,
    doc: "`delta`, `deriv` or `predict_linear` of a counter",
    why: "These functions take falling values at their word. A counter falls to 0 when its process restarts, so they yield \
          a large negative number then. `increase` and `rate` know restarts.",
    wrong: r#"
- alert: ManyErrors
  expr: delta(errors_total[5m]) > 10
"#,
    right: r#"
- alert: ManyErrors
  expr: increase(errors_total[5m]) > 10
"#,
    look: Look::Query(look),
};

/// Functions for gauges.
const OF_GAUGES: [&str; 5] = [
    "delta",
    "deriv",
    "double_exponential_smoothing",
    "idelta",
    "predict_linear",
];

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let nodes = nodes(subject.expr()).into_iter();
    let found = nodes.filter_map(|node| {
        let call = call(node, &OF_GAUGES)?;
        let name = metric(selector(series_argument(call)?)?)?;
        let is_counter = ["_total", "_bucket"].iter().any(|end| name.ends_with(end));
        let function = call.function.name;
        is_counter.then(|| {
            let instead = match function {
                "idelta" | "delta" => "increase",
                _ => "rate",
            };
            let message = format!(
                "{function} of {name}, a counter by its name, falls far below 0 when its process restarts"
            );
            let help = format!("`{instead}` knows restarts");
            subject.warn(node.span, message).help(help)
        })
    });
    found.collect()
}
