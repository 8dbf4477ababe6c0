//! `rate-of-gauge`: a function for counters over what is a gauge by its name.

use super::rules::Subject;
use super::tree::{call, metric, nodes, selector, series_argument};
use super::{Level, Lint, Look};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "rate-of-gauge",
    level: Level::Warn,
    doc: "`rate` or `increase` of what is a gauge by its name",
    why: "`rate` and `increase` take each fall for a restart of a counter, and add what stands after it. A gauge rises and \
          falls: each fall counts as growth. `delta` and `deriv` take falls as they are.",
    wrong: r#"
- alert: MemoryGrows
  expr: rate(process_resident_memory_bytes[10m]) > 1e6
"#,
    right: r#"
- alert: MemoryGrows
  expr: deriv(process_resident_memory_bytes{job="bakery"}[10m]) > 1e6
"#,
    look: Look::Query(look),
};

/// How names of gauges end, beyond doubt.
const ENDS: [&str; 22] = [
    "_memory_bytes",
    "_usage_bytes",
    "_used_bytes",
    "_free_bytes",
    "_available_bytes",
    "_avail_bytes",
    "_size_bytes",
    "_limit_bytes",
    "_working_set_bytes",
    "_rss",
    "_percent",
    "_percentage",
    "_ratio",
    "_celsius",
    "_depth",
    "_length",
    "_timestamp",
    "_timestamp_seconds",
    "_goroutines",
    "_in_progress",
    "_queue_size",
    "_gauge",
];

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let calls = nodes(subject.expr()).into_iter();
    let calls = calls.filter_map(|node| Some((node, call(node, &["rate", "increase", "irate"])?)));
    let found = calls.filter_map(|(node, call)| {
        let name = metric(selector(series_argument(call)?)?)?;
        if !(name == "up" || ENDS.iter().any(|end| name.ends_with(end))) || name.contains(':') {
            return None;
        }
        let function = call.function.name;
        let instead = match function {
            "increase" => "delta",
            "irate" => "idelta",
            _ => "deriv",
        };
        let message =
            format!("{function} of {name}, a gauge by its name, takes each fall for growth");
        let help = format!("take `{instead}({name}[…])`, or `changes` to count how often it moved");
        Some(subject.warn(node.span, message).help(help))
    });
    found.collect()
}
