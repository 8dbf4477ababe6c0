//! `record-says-window`: a recorded name with a window that its expression does not have.

use std::collections::BTreeSet;

use super::rules::Subject;
use super::tree::{metric, nodes, selector};
use super::{Level, Lint, Look};
use crate::model::{Duration, Millis};
use crate::promql::ast::ExprKind;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "record-says-window",
    level: Level::Warn,
    doc: "a recorded name that says a window, `…:rate5m`, which the expression does not have",
    why: "The end of a recorded name says over which window it looks, and readers go by it. Take that window in the \
          expression, or say the right one.",
    wrong: r#"
- record: worker:utilization:5m
  expr: avg by (worker) (worker_utilization_ratio)
"#,
    right: r#"
- record: worker:utilization:5m
  expr: avg by (worker) (avg_over_time(worker_utilization_ratio[5m]))
"#,
    look: Look::Rule(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let name = subject.rule.name.as_str();
    let Some(said) = said(name).filter(|_| subject.alert().is_none()) else {
        return Vec::new();
    };
    let mut windows: BTreeSet<Millis> = BTreeSet::new();
    for node in nodes(subject.expr()) {
        let length = |it: &crate::promql::ast::DurationExpr| it.resolve(0, 0, false).ok();
        match &node.kind {
            ExprKind::Matrix(matrix) => windows.extend(length(&matrix.range)),
            ExprKind::Subquery(subquery) => windows.extend(length(&subquery.range)),
            // What another rule records may look over it.
            _ if selector(node)
                .and_then(metric)
                .is_some_and(|it| it.contains(':')) =>
            {
                return Vec::new();
            }
            _ => {}
        }
    }
    // An offset may be meant, or a duration in the arithmetic.
    if windows.contains(&said) || subject.rule.expr.text.contains("offset") {
        return Vec::new();
    }
    let has = match windows.iter().next() {
        None => "its expression looks at one moment".to_owned(),
        Some(window) => format!("its expression looks over {}", Duration(*window)),
    };
    let message = format!("{name} says {}, and {has}", Duration(said));
    vec![
        subject
            .warn_name(message)
            .help("look over the window that the name says, or correct the name"),
    ]
}

/// The window that a name ends in: `rate5m`, `:5m`, `_5m`.
fn said(name: &str) -> Option<Millis> {
    let (_, last) = name.rsplit_once(':')?;
    let last = last.rsplit('_').next()?;
    let word = last.trim_start_matches(|it: char| it.is_ascii_alphabetic());
    let before = last.get(..last.len() - word.len())?;
    let is_operation = before.is_empty()
        || [
            "rate", "irate", "increase", "avg", "max", "min", "sum", "delta", "ratio", "burnrate",
            "mean",
        ]
        .contains(&before);
    Duration::parse(word)
        .ok()
        .map(|it| it.0)
        .filter(|it| is_operation && *it > 0)
}
