//! What is legal in Pyrra's objectives and hardly meant.

use super::{Indicator, Metric, Spec, tiers};
use crate::model::{Duration, MatchOp, Matcher, Millis};
use crate::slo::lint::{self, fraction_for_percent, low_target, traps, whole_bound};
use crate::text::yaml::Embedded;
use crate::text::{Diagnostic, Severity, Span, distinct};

/// The traps in an objective. `scrape` is the time between two samples of a series.
pub fn lint(spec: &Spec, scrape: Millis) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    targets(spec, scrape, &mut found);
    let metrics = match &spec.indicator {
        Indicator::Ratio { errors, total } => {
            compare(errors, total, &mut found);
            unborn_errors(spec, errors, total, &mut found);
            vec![errors, total]
        }
        Indicator::Latency { success, total } => {
            endings(success, total, &mut found);
            compare(success, total, &mut found);
            vec![success, total]
        }
        Indicator::LatencyNative { total, .. } => vec![total],
        Indicator::BoolGauge(metric) => vec![metric],
    };
    unread_records(spec, &mut found);
    for metric in metrics {
        if metric.is_shifted {
            let message =
                "`offset`, `@` and the like are dropped: Pyrra takes the name and the conditions";
            found.push(warn(
                &metric.text,
                message,
                "remove them, or record the metric so",
            ));
        }
        let bounds = metric.matchers.iter().filter_map(whole_bound);
        found.extend(bounds.map(|trap| warn(&metric.text, &trap.message, &trap.help)));
    }
    distinct(found)
}

fn warn(text: &Embedded, message: &str, help: &str) -> Diagnostic {
    Diagnostic::warning(message)
        .at(text.source(), text.whole())
        .help(help)
}

/// Alerts select records by labels that they don't have.
fn unread_records(spec: &Spec, found: &mut Vec<Diagnostic>) {
    if !spec.alerting.burnrates {
        return;
    }
    let total = spec.total();
    let mut asked = total.matchers.iter().filter(|it| {
        it.op == MatchOp::NotEqual && it.value.is_empty() && !spec.grouping.contains(&it.name)
    });
    if let Some(matcher) = asked.next() {
        let message = format!(
            "{} never fires: it asks for {matcher} of records that have no label `{}`",
            spec.alerting.name, matcher.name
        );
        let help = format!(
            "write {}=~\".+\", which alerts leave away, or add it to `grouping`",
            matcher.name
        );
        found.push(warn(&total.text, &message, &help));
    }
    let own = spec.common_labels().remove("slo");
    if let Some(own) = own.filter(|own| *own != spec.object.name) {
        let message = format!(
            "{} never fires: it asks for slo={:?}, and the label `pyrra.dev/slo` makes it slo={own:?}",
            spec.alerting.name, spec.object.name
        );
        let fault = Diagnostic::warning(message).at(&spec.source, spec.target_span);
        found.push(fault.help("remove the label `pyrra.dev/slo` from the metadata"));
    }
}

fn targets(spec: &Spec, scrape: Millis, found: &mut Vec<Diagnostic>) {
    let warning = |span: Span, trap: &lint::Trap| trap.diagnose(&spec.source, span);
    let fraction = fraction_for_percent(spec.target);
    if let Some(trap) = fraction.or_else(|| low_target(spec.target)) {
        found.push(warning(spec.target_span, &trap));
        return;
    }
    if !spec.alerting.burnrates {
        return;
    }
    for tier in tiers(spec.window) {
        let name = format!(
            "the alert on {}x over {} and {}",
            tier.factor,
            Duration(tier.long),
            Duration(tier.short)
        );
        let traps = traps(&lint::Tier {
            name: &name,
            factor: tier.factor,
            budget: spec.budget(),
            short: Some(tier.short),
            long: tier.long,
            period: spec.window,
            scrape,
        });
        for trap in &traps {
            let span = match trap.kind {
                "never-fires" | "no-budget" => spec.target_span,
                _ => spec.window_span,
            };
            found.push(warning(span, trap));
        }
    }
}

/// Some of the events are selected with all the conditions of all events, or else they are others.
fn compare(some: &Metric, total: &Metric, found: &mut Vec<Diagnostic>) {
    if some.text.text == total.text.text {
        let message = "both metrics are the same: all events would be alike";
        let help = "let one of them select some of the events, for example with code=~\"5..\"";
        found.push(warn(&some.text, message, help));
        return;
    }
    let is_missing = |matcher: &&Matcher| {
        // Another condition on the same label may well be narrower.
        let mut own = some.matchers.iter();
        !own.any(|it| it == *matcher || (it.name == matcher.name && matcher.op != MatchOp::Equal))
    };
    let missing: Vec<String> = total
        .matchers
        .iter()
        .filter(is_missing)
        .map(Matcher::to_string)
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "these events are not among all events, which are those with {}",
            missing.join(",")
        );
        let help = "give both metrics the same conditions, and this one more";
        found.push(warn(&some.text, &message, help));
    }
}

/// A metric of errors often has no series before the first error, which is no reason for a page.
fn unborn_errors(spec: &Spec, errors: &Metric, total: &Metric, found: &mut Vec<Diagnostic>) {
    if errors.name == total.name || !spec.alerting.absent {
        return;
    }
    let message = format!(
        "{} fires while {} has no series, which may only mean that nothing failed yet",
        spec.alerting.absent_name, errors.name
    );
    let fault = warn(
        &errors.text,
        &message,
        "let the service export it as 0 from its start, or write `alerting: {absent: false}`",
    );
    found.push(Diagnostic {
        severity: Severity::Info,
        ..fault
    });
}

/// The two metrics of a histogram.
fn endings(success: &Metric, total: &Metric, found: &mut Vec<Diagnostic>) {
    let rows = [
        (success, "_bucket", "success", "a histogram bucket"),
        (total, "_count", "total", "a histogram count"),
    ];
    for (metric, ending, name, kind) in rows {
        if !metric.name.ends_with(ending) {
            let message = format!("latency {name} metric should usually be {kind}");
            let help = format!("select a metric whose name ends in {ending}");
            found.push(warn(&metric.text, &message, &help));
        }
    }
}
