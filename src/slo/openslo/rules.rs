//! Rules for objectives of OpenSLO: an alert for each alert policy, and without any those of the SRE Workbook.

use std::collections::BTreeMap;

use super::{Alert, Objective};
use crate::model::Duration;
use crate::model::number::format_general;
use crate::slo::generated::{Bundle, Group, Kind, Rule};
use crate::slo::multiwindow;
use crate::slo::shares::{self, selector};
use crate::text::Diagnostic;

/// The rules of an objective.
///
/// # Errors
///
/// What can't be written as rules.
pub fn generate(objective: &Objective) -> Result<Bundle, Diagnostic> {
    let slo = &objective.slo;
    let Some(alerts) = &objective.alerts else {
        return multiwindow::generate(slo);
    };
    if let Some(alert) = alerts.iter().find(|alert| alert.lookback == 0) {
        let place = &alert.places.lookback;
        let fault = Diagnostic::error("an alert that looks back over no time can't be computed");
        let fault = fault.at(&place.source, place.span);
        return Err(fault.help("write a window such as `1h`"));
    }
    let mut windows: Vec<_> = alerts.iter().map(|alert| alert.lookback).collect();
    windows.sort_unstable();
    windows.dedup();
    if windows.is_empty() {
        windows = multiwindow::windows(slo).lengths();
    }
    let records = Group {
        name: format!("slo-ratios-{}", slo.name),
        interval: None,
        rules: shares::records(slo, &windows)?,
    };
    let rules: Vec<Rule> = alerts.iter().flat_map(|it| rules(objective, it)).collect();
    let mut groups = vec![records];
    if !rules.is_empty() {
        groups.push(Group {
            name: format!("slo-alerts-{}", slo.name),
            interval: None,
            rules,
        });
    }
    Ok(Bundle {
        object: None,
        groups,
    })
}

fn rules(objective: &Objective, alert: &Alert) -> Vec<Rule> {
    let slo = &objective.slo;
    let breach = (alert.when_breaching != Some(false)).then(|| {
        let expr = format!(
            "{} {} ({} * {})",
            selector(slo, alert.lookback),
            alert.op.symbol(),
            format_general(alert.threshold),
            format_general(slo.target.budget())
        );
        let summary = "{{ $labels.slo }} spends its error budget too fast";
        rule(objective, alert, "ErrorBudgetBurn", expr, summary)
    });
    let silence = alert.without_data.then(|| {
        let expr = shares::silence(slo, alert.lookback);
        let summary = "{{ $labels.slo }} has no data";
        rule(objective, alert, "ErrorBudgetNoData", expr, summary)
    });
    breach.into_iter().chain(silence).collect()
}

fn rule(objective: &Objective, alert: &Alert, name: &str, expr: String, summary: &str) -> Rule {
    // The alerts of all objectives and policies have one name, so their labels tell them apart.
    let labels = shares::labels(&objective.slo).into_iter();
    let mut labels: BTreeMap<String, String> = labels
        .map(|(name, value)| (name, literal(&value)))
        .collect();
    labels.insert("severity".to_owned(), alert.severity.clone());
    labels.insert("policy".to_owned(), alert.policy.clone());
    let mut annotations = BTreeMap::from([("summary".to_owned(), summary.to_owned())]);
    if !alert.description.is_empty() {
        annotations.insert("description".to_owned(), literal(&alert.description));
    }
    Rule {
        kind: Kind::Alert,
        name: name.to_owned(),
        expr,
        hold: (alert.after > 0).then(|| Duration(alert.after).to_string()),
        labels,
        annotations,
    }
}

/// A text as a template that yields it.
fn literal(text: &str) -> String {
    match text.contains("{{") {
        true => text.replace('{', r#"{{ "{" }}"#),
        false => text.to_owned(),
    }
}
