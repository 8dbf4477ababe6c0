//! What is legal in OpenSLO's alerts and hardly meant.

use super::{Alert, Objective};
use crate::model::Millis;
use crate::promql::ast::BinaryOp;
use crate::slo::lint::{Tier, traps};
use crate::slo::multiwindow;
use crate::text::{Diagnostic, Place, Severity, distinct};

/// The traps in an objective. `scrape` is the time between two samples of a series.
pub fn lint(objective: &Objective, scrape: Millis) -> Vec<Diagnostic> {
    let Some(alerts) = &objective.alerts else {
        return multiwindow::lint(&objective.slo, scrape);
    };
    let found = alerts
        .iter()
        .flat_map(|alert| lint_alert(objective, alert, scrape));
    distinct(found.collect())
}

fn lint_alert(objective: &Objective, alert: &Alert, scrape: Millis) -> Vec<Diagnostic> {
    let slo = &objective.slo;
    let places = &alert.places;
    let name = format!("the alert of policy {:?}", alert.policy);
    let tier = Tier {
        name: &name,
        factor: alert.threshold,
        budget: slo.target.budget(),
        short: None,
        long: alert.lookback,
        period: multiwindow::length(&slo.window),
        scrape,
    };
    let is_above = matches!(alert.op, BinaryOp::Greater | BinaryOp::GreaterEqual);
    // All events bad are exactly as many as this one asks for.
    let is_reached = alert.op == BinaryOp::GreaterEqual && tier.factor * tier.budget == 1.0;
    let mut found = Vec::new();
    for trap in traps(&tier) {
        let place = match trap.kind {
            "never-fires" if !is_above || is_reached => continue,
            "fires-while-kept" if !is_above => continue,
            "never-fires" | "fires-while-kept" => &places.threshold,
            _ => &places.lookback,
        };
        found.push(trap.diagnose(&place.source, place.span));
    }
    if alert.after >= alert.lookback && alert.lookback > 0 {
        let message = format!("{name} must hold for longer than it looks back");
        let help = "`alertAfter` adds to the time until the alert: leave it out, as the window smooths already";
        found.push(at(
            &places.lookback,
            Diagnostic::warning(message).help(help),
        ));
    }
    found.extend(breaching(alert).map(|fault| at(&places.policy, fault)));
    found
}

/// By the letter, a policy alerts only where it says so.
fn breaching(alert: &Alert) -> Option<Diagnostic> {
    match (alert.when_breaching, alert.without_data) {
        (Some(true), _) => None,
        (Some(false), true) => None,
        (Some(false), false) => {
            let message = "this policy has `alertWhenBreaching: false`: no alert is made";
            let help = "write `alertWhenBreaching: true` to be alerted while the budget burns";
            Some(Diagnostic::warning(message).help(help))
        }
        (None, _) => {
            let message = "`alertWhenBreaching` is not there, and by OpenSLO's letter false: rulecheck takes it for true";
            let help = "write `alertWhenBreaching: true`";
            Some(Diagnostic {
                severity: Severity::Info,
                ..Diagnostic::warning(message).help(help)
            })
        }
    }
}

fn at(place: &Place, fault: Diagnostic) -> Diagnostic {
    fault.at(&place.source, place.span)
}
