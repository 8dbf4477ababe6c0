//! Inputs that nobody reads.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, Finding};
use crate::model::Labels;
use crate::suite::expect::ExpectationKind;
use crate::suite::file::TestCase;
use crate::suite::reads::Reads;
use crate::text::{Diagnostic, Span, closest};

/// What the series of a classic histogram end in.
const OF_HISTOGRAM: [&str; 3] = ["_bucket", "_sum", "_count"];

/// Something that gives tests series.
struct Input {
    what: &'static str,
    span: Span,
    metrics: Vec<String>,
}

/// The inputs of whose metrics nobody reads any: each metric, recording or generator once.
pub(super) fn unread(context: &Context<'_>) -> Vec<Finding> {
    let mut reads = Reads::of_rules(context.groups);
    for test in context.tests() {
        let checked = test.expr_checks.iter();
        let checked = checked.filter_map(|check| check.query.as_deref().ok());
        let expected = test
            .expectations
            .iter()
            .filter_map(|item| match &item.kind {
                ExpectationKind::Expr(expr) => Some(&*expr.query),
                ExpectationKind::Alert(_)
                | ExpectationKind::Alerts(_)
                | ExpectationKind::Slo(_) => None,
            });
        checked
            .chain(expected)
            .for_each(|query| reads.add_expression(query));
    }
    let slos = context.suite.file.slos.iter();
    let measures = slos.flat_map(|slo| slo.indicator.measures());
    measures.for_each(|measure| reads.add_expression(&measure.query));
    let is_read = |metric: &str| {
        let base = OF_HISTOGRAM
            .iter()
            .find_map(|ending| metric.strip_suffix(ending));
        // Who gives a whole histogram gives more than is read.
        let mut siblings = base
            .into_iter()
            .flat_map(|base| OF_HISTOGRAM.map(|ending| format!("{base}{ending}")));
        reads.reads_metric(metric) || siblings.any(|metric| reads.reads_metric(&metric))
    };
    let mut found: BTreeMap<String, (&'static str, Span, bool)> = BTreeMap::new();
    for test in context.tests() {
        for input in inputs(test) {
            let is_used = input.metrics.iter().any(|metric| is_read(metric));
            if is_used || input.metrics.is_empty() || !context.is_own(input.span) {
                continue;
            }
            let names = input.metrics.join(", ");
            let entry = found
                .entry(names)
                .or_insert((input.what, input.span, false));
            entry.2 |= test.is_extended;
        }
    }
    let findings = found.into_iter().map(|(names, (what, span, is_extended))| {
        let message = format!("no rule and no expression reads {names}, which {what} gives");
        let fault = context.fault(span, message);
        Finding {
            fault: helped(fault, &names, &reads),
            is_extended,
        }
    });
    findings.collect()
}

fn helped(fault: Diagnostic, names: &str, reads: &Reads<'_>) -> Diagnostic {
    let read: Vec<&str> = reads.metrics();
    match closest(names, &read) {
        Some(near) => fault.help(format!(
            "did you mean {near}, which is read? If not, remove it"
        )),
        None => fault.help("remove it, or name the rules that read it under `rule_files`"),
    }
}

/// The inputs of a test: metrics that are written, recordings, generators.
fn inputs(test: &TestCase) -> impl Iterator<Item = Input> {
    let mut written: BTreeMap<&str, Span> = BTreeMap::new();
    for input in &test.input_series {
        let span = || input.series.whole();
        written.entry(input.labels.metric()).or_insert_with(span);
    }
    let written = written.into_iter().map(|(metric, span)| Input {
        what: "this input series",
        span,
        metrics: vec![metric.to_owned()],
    });
    let recorded = test.fixtures.iter().map(|fixture| Input {
        what: "this fixture",
        span: fixture.file.span,
        metrics: metrics(fixture.series.iter().map(|(labels, _)| labels.clone())),
    });
    let generated = test.generated.iter().map(|it| {
        // Its series differ in other labels only.
        let first = it.generator.series.first();
        Input {
            what: "this generator",
            span: it.span,
            metrics: metrics(
                first
                    .into_iter()
                    .flat_map(|labels| it.generator.names(labels)),
            ),
        }
    });
    written.chain(recorded).chain(generated)
}

/// The metrics of series, each once.
fn metrics(series: impl Iterator<Item = Labels>) -> Vec<String> {
    let names: BTreeSet<String> = series.map(|labels| labels.metric().to_owned()).collect();
    names.into_iter().collect()
}
