//! `le-lost`: a quantile of buckets that an aggregation has melted into one.

use super::rules::Subject;
use super::tree::{call, metric, nodes, selector};
use super::{Level, Lint, Look};
use crate::promql::LabelValue;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "le-lost",
    level: Level::Warn,
    doc: "`histogram_quantile` of buckets without their label `le`",
    why: "`histogram_quantile` finds the buckets of a histogram by their label `le`. An aggregation that does not keep it \
          leaves one number, of which no quantile can be had: the result is always empty, and an alert on it never fires.",
    wrong: r#"
- alert: Slow
  expr: histogram_quantile(0.95, sum by (job) (rate(request_seconds_bucket[5m]))) > 1
"#,
    right: r#"
- alert: Slow
  expr: histogram_quantile(0.95, sum by (job, le) (rate(request_seconds_bucket[5m]))) > 1
"#,
    look: Look::Query(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let calls = nodes(subject.expr()).into_iter();
    let calls = calls.filter_map(|node| call(node, &["histogram_quantile"]));
    let found = calls.filter_map(|call| {
        let buckets = call.args.get(1)?;
        let is_bucket = |name: &str| name.ends_with("_bucket");
        let selectors = nodes(buckets).into_iter().filter_map(selector);
        // Native histograms have no label to lose.
        if !selectors.filter_map(metric).any(is_bucket) {
            return None;
        }
        let known = subject.rules.known(buckets, "le")?;
        let LabelValue::Is(le) = &known.value else {
            return None;
        };
        let (message, help) = match le.as_str() {
            "" => (
                "histogram_quantile yields nothing: no label le is left here".to_owned(),
                "keep le in the aggregation: `by (…, le)`",
            ),
            le => (
                format!("histogram_quantile yields nothing of use: only the bucket le={le:?} is left here"),
                "take the matcher of le away: a quantile needs all buckets",
            ),
        };
        Some(subject.warn(known.by, message).help(help))
    });
    found.collect()
}
