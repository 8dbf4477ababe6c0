//! `quantile-of-totals`: a quantile of all that was observed since the process started.

use super::rules::Subject;
use super::tree::{call, core, metric, nodes};
use super::{Level, Lint, Look};
use crate::promql::ast::ExprKind;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "quantile-of-totals",
    level: Level::Warn,
    doc: "`histogram_quantile` of buckets without `rate` or `increase`",
    why: "Buckets count since the process started. Their quantile is that of its whole life: after a week an hour of slow \
          answers hardly moves it, and once it has moved it does not come back. Take the rate over a window first.",
    wrong: r#"
- alert: Slow
  expr: histogram_quantile(0.95, sum by (le) (request_seconds_bucket)) > 1
"#,
    right: r#"
- alert: Slow
  expr: histogram_quantile(0.95, sum by (le) (rate(request_seconds_bucket[5m]))) > 1
"#,
    look: Look::Query(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let calls = nodes(subject.expr()).into_iter();
    let calls = calls.filter_map(|node| call(node, &["histogram_quantile"]));
    let found = calls.filter_map(|call| {
        let core = core(call.args.get(1)?);
        let ExprKind::Vector(selector) = &core.kind else {
            return None;
        };
        let name =
            metric(selector).filter(|name| name.ends_with("_bucket") && !name.contains(':'))?;
        let message = format!(
            "the quantile is one over the whole life of the process: {name} counts since it started"
        );
        let help = format!("take `rate({name}[5m])`");
        Some(subject.warn(core.span, message).help(help))
    });
    found.collect()
}
