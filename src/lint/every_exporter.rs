//! `every-exporter`: a metric that every process has, without saying whose.

use super::rules::Subject;
use super::tree::{metric, nodes};
use super::{Level, Lint, Look};
use crate::promql::ast::{ExprKind, VectorSelector};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "every-exporter",
    level: Level::Warn,
    doc: "a metric that every process has, such as `process_resident_memory_bytes`, without a matcher",
    why: "Client libraries write these metrics for every process that is scraped: for each exporter, and for Prometheus itself, \
          which may well use more memory than the service that was meant. Name the job.",
    wrong: r#"
- alert: MuchMemory
  expr: process_resident_memory_bytes > 2e9
"#,
    right: r#"
- alert: MuchMemory
  expr: process_resident_memory_bytes{job="bakery"} > 2e9
"#,
    look: Look::Rule(look),
};

/// What the names of such metrics begin with.
const FAMILIES: [&str; 3] = [
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_cpu_seconds_total",
];

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if subject.alert().is_none() {
        return Vec::new();
    }
    let mut found: Vec<Diagnostic> = Vec::new();
    for node in nodes(subject.expr()) {
        let selector: &VectorSelector = match &node.kind {
            ExprKind::Vector(selector) => selector,
            ExprKind::Matrix(matrix) => &matrix.selector,
            _ => continue,
        };
        let Some(name) =
            metric(selector).filter(|name| FAMILIES.iter().any(|it| name.starts_with(it)))
        else {
            continue;
        };
        if selector.matchers.len() == 1 && found.is_empty() {
            let message =
                format!("every process that is scraped has {name}, Prometheus itself too");
            let help = format!("say whose: `{name}{{job=\"…\"}}`");
            found.push(subject.warn(node.span, message).help(help));
        }
    }
    found
}
