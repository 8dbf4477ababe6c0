//! What is legal in Sloth's specifications and hardly meant.

use super::{QueryTemplate, Sli, Slo, Spec, Windows};
use crate::model::Millis;
use crate::promql::ast::{BinaryOp, Expr, ExprKind, Link};
use crate::promql::selectors::{Reach, selectors};
use crate::promql::{Features, Query};
use crate::slo::lint::{Tier, Trap, fraction_for_percent, low_target, traps, whole_bound};
use crate::text::{Diagnostic, Severity, Span, distinct};

/// The traps in a specification, with the windows that its alerts would have. `scrape` is the time between
/// two samples of a series.
pub fn lint(spec: &Spec, windows: &Windows, scrape: Millis) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for slo in &spec.slos {
        targets(spec, slo, (windows, scrape), &mut found);
        queries(spec, slo, &mut found);
        bounds(spec, slo, &mut found);
    }
    found.extend(poisoning(spec));
    distinct(found)
}

fn warning(spec: &Spec, span: Span, trap: &Trap) -> Diagnostic {
    trap.diagnose(&spec.source, span)
}

fn targets(
    spec: &Spec,
    slo: &Slo,
    (windows, scrape): (&Windows, Millis),
    found: &mut Vec<Diagnostic>,
) {
    let fraction = fraction_for_percent(slo.objective);
    if let Some(trap) = fraction.or_else(|| low_target(slo.objective)) {
        // What else is wrong comes of it.
        found.push(warning(spec, slo.objective_span, &trap));
        return;
    }
    for (name, tier) in windows.tiers() {
        let is_on = match name.starts_with("page") {
            true => slo.page.is_some(),
            false => slo.ticket.is_some(),
        };
        if !is_on {
            continue;
        }
        let tier = Tier {
            name,
            factor: windows.factor(tier),
            budget: (100.0 - slo.objective) / 100.0,
            short: Some(tier.short),
            long: tier.long,
            period: windows.period,
            scrape,
        };
        let traps = traps(&tier);
        found.extend(
            traps
                .iter()
                .map(|trap| warning(spec, slo.objective_span, trap)),
        );
    }
}

fn queries(spec: &Spec, slo: &Slo, found: &mut Vec<Diagnostic>) {
    if let Sli::Events { error, total } = &slo.sli
        && let (Some(errors), Some(all)) = (parsed(error), parsed(total))
        && errors.expr.to_string() == all.expr.to_string()
        && error.text().text != total.text().text
    {
        let message =
            "the error query and the total query ask for the same: all events would be bad";
        let help = "let the error query count only the bad events, for example with code=~\"5..\"";
        let fault = Diagnostic::warning(message).at(&spec.source, error.text().whole());
        found.push(fault.help(help));
    }
}

/// Buckets that are asked for by whole numbers.
fn bounds(spec: &Spec, slo: &Slo, found: &mut Vec<Diagnostic>) {
    for template in slo.templates() {
        let Some(query) = parsed(template) else {
            continue;
        };
        let used = selectors(&query.expr, Reach::LOOKBACK);
        let matchers = used.iter().flat_map(|used| &used.selector.matchers);
        let traps = matchers.filter_map(whole_bound);
        found.extend(traps.map(|trap| warning(spec, template.text().whole(), &trap)));
    }
}

/// The query for some window.
fn parsed(template: &QueryTemplate) -> Option<Query> {
    let query = template.render("5m").ok()?;
    Query::parse(&query, &Features::default()).ok()
}

/// Without traffic a ratio is NaN, and the mean over the period with one NaN in it is NaN, too.
fn poisoning(spec: &Spec) -> Option<Diagnostic> {
    let first = spec.slos.iter().find(|slo| match &slo.sli {
        Sli::Events { total, .. } => parsed(total).is_some_and(|query| !is_guarded(&query.expr)),
        Sli::Raw(ratio) => parsed(ratio).is_some_and(|query| divides(&query.expr)),
    })?;
    let span = first.templates().last().map(|it| it.text().whole());
    let message = "5 minutes without any traffic blank the budget for the whole period: 0 / 0 is NaN, and Sloth's rule for \
                   the period takes the mean of such records";
    let help = "let the total query yield nothing for no traffic: `(…) > 0`";
    let fault = Diagnostic::warning(message).at(&spec.source, span.unwrap_or_default());
    Some(Diagnostic {
        severity: Severity::Info,
        ..fault.help(help)
    })
}

/// Whether a total is filtered, so that zero is no result.
fn is_guarded(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Paren(inner) => is_guarded(inner),
        ExprKind::Chain(chain) => {
            let mut links = chain.links.iter();
            links.any(|link| link.op.is_comparison() && !link.return_bool)
        }
        _ => false,
    }
}

/// Whether it divides by something that may be zero.
fn divides(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Paren(inner) => divides(inner),
        ExprKind::Chain(chain) => {
            let by_zero = |link: &Link| link.op == BinaryOp::Div && !is_guarded(&link.rhs);
            divides(&chain.first)
                || chain
                    .links
                    .iter()
                    .any(|link| by_zero(link) || divides(&link.rhs))
        }
        _ => false,
    }
}
