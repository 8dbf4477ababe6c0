//! Recording rules and alerts of any objective, by the SRE Workbook: two windows for each burn rate, four burn rates.

use super::generated::{Bundle, Group, Kind, Rule};
use super::lint::{Tier, traps};
use super::objective::Slo;
use super::shares;
use super::sloth::{AlertWindow, Windows};
use super::window::{CalendarUnit, Window};
use crate::model::Millis;
use crate::model::number::format_general;
use crate::text::{Diagnostic, distinct};

const DAY: Millis = 86_400_000;

/// The rules of an objective.
///
/// # Errors
///
/// An objective of less than a day, of which alert windows would be parts too small, and what can't be written as rules.
pub fn generate(slo: &Slo) -> Result<Bundle, Diagnostic> {
    if length(&slo.window) < DAY {
        let message = "an objective of less than a day is too short for burn rates";
        let fault = Diagnostic::error(message).at(&slo.place.source, slo.place.span);
        let help = "give a window of a day or more: alert windows are parts of it";
        return Err(fault.help(help));
    }
    let windows = windows(slo);
    let records = Group {
        name: format!("slo-ratios-{}", slo.name),
        interval: None,
        rules: shares::records(slo, &windows.lengths())?,
    };
    let alerts = [
        ("page", [windows.page_quick, windows.page_slow]),
        ("ticket", [windows.ticket_quick, windows.ticket_slow]),
    ];
    let alerts = alerts.map(|(severity, tiers)| alert(slo, &windows, severity, tiers));
    let alerts = Group {
        name: format!("slo-alerts-{}", slo.name),
        interval: None,
        rules: alerts.into(),
    };
    Ok(Bundle {
        object: None,
        groups: vec![records, alerts],
    })
}

/// The windows of an objective's alerts.
pub(super) fn windows(slo: &Slo) -> Windows {
    Windows::of(length(&slo.window))
}

/// The traps in an objective. `scrape` is the time between two samples of a series.
pub fn lint(slo: &Slo, scrape: Millis) -> Vec<Diagnostic> {
    if length(&slo.window) < DAY {
        // No alert is made of it.
        return Vec::new();
    }
    let windows = windows(slo);
    let traps = windows.tiers().into_iter().flat_map(|(name, tier)| {
        traps(&Tier {
            name,
            factor: windows.factor(tier),
            budget: slo.target.budget(),
            short: Some(tier.short),
            long: tier.long,
            period: windows.period,
            scrape,
        })
    });
    let found = traps.map(|trap| trap.diagnose(&slo.place.source, slo.place.span));
    distinct(found.collect())
}

/// How long a window is, as a rule.
pub fn length(window: &Window) -> Millis {
    match window {
        Window::Rolling(length) => *length,
        Window::Calendar(calendar) => {
            let unit = match calendar.unit {
                CalendarUnit::Minute => 60_000,
                CalendarUnit::Hour => 3_600_000,
                CalendarUnit::Day => DAY,
                CalendarUnit::Week => 7 * DAY,
                CalendarUnit::Month => 30 * DAY,
                CalendarUnit::Quarter => 90 * DAY,
                CalendarUnit::Year => 365 * DAY,
            };
            unit.saturating_mul(Millis::from(calendar.count))
        }
    }
}

fn alert(slo: &Slo, windows: &Windows, severity: &str, tiers: [AlertWindow; 2]) -> Rule {
    let budget = format_general(slo.target.budget());
    let parts = tiers.map(|tier| {
        let factor = format_general(windows.factor(tier));
        let half = |window| {
            let share = shares::selector(slo, window);
            format!("  {share} > ({factor} * {budget})\n")
        };
        format!("(\n{}  and\n{})\n", half(tier.short), half(tier.long))
    });
    // The alerts of all objectives have one name, so their labels tell them apart.
    let labels = [
        ("severity".to_owned(), severity.to_owned()),
        ("slo".to_owned(), slo.name.clone()),
    ];
    let summary = "{{ $labels.slo }} spends its error budget too fast".to_owned();
    Rule {
        kind: Kind::Alert,
        name: "ErrorBudgetBurn".to_owned(),
        expr: parts.join("or\n"),
        hold: None,
        labels: labels.into(),
        annotations: [("summary".to_owned(), summary)].into(),
    }
}
