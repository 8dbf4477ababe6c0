//! Amounts that any replay of a test is within.

use super::Finding;
use crate::model::number::format_value;
use crate::replay::Replay;
use crate::rules::{RuleGroup, RuleKind};
use crate::suite::expect::{AmountTest, ExpectationKind};
use crate::suite::file::{Spanned, TestCase, TestFile};
use crate::suite::reads::numbered;
use crate::text::Diagnostic;

/// The amounts that are asked for in a test and hold for any number that there can be.
pub(in crate::suite) fn amounts(
    file: &TestFile,
    test: &TestCase,
    groups: &[&RuleGroup],
    replay: &Replay<'_>,
) -> Vec<Finding> {
    let alerts = numbered(groups).filter(|(_, rule)| matches!(rule.kind, RuleKind::Alert(_)));
    let evaluations = alerts.filter_map(|(id, _)| Some(replay.sight(id)?.moments.count));
    let evaluations = evaluations.max().unwrap_or(0) as u64;
    // It fires at every other evaluation at most.
    let firings = evaluations.div_ceil(2);
    let flaps = firings.saturating_sub(1);
    let mut findings = Vec::new();
    for item in &test.expectations {
        let asked: Vec<(&str, &Option<Spanned<AmountTest>>, u64)> = match &item.kind {
            ExpectationKind::Alert(alert) => vec![
                ("instances", &alert.instances, u64::MAX),
                ("count", &alert.count, firings),
                ("flaps", &alert.flaps, flaps),
            ],
            ExpectationKind::Alerts(every) => vec![("flaps", &every.flaps, flaps)],
            ExpectationKind::Slo(_) => Vec::new(),
            ExpectationKind::Expr(expr) => vec![("instances", &expr.instances, u64::MAX)],
        };
        for (name, wanted, most) in asked {
            let Some(wanted) = wanted else { continue };
            // Bounds hold for all that lies between two numbers for which they hold.
            if !wanted.value.holds(0) || !wanted.value.holds(most) {
                continue;
            }
            let message = match most {
                u64::MAX => format!("`{name}`: these bounds hold for every number"),
                _ => format!(
                    "`{name}`: this holds whatever happens, for {} evaluations leave room for {} at most",
                    format_value(evaluations as f64),
                    format_value(most as f64)
                ),
            };
            let fault = Diagnostic::error(message).at(&file.source, wanted.span);
            findings.push(Finding {
                fault: fault.help("write bounds that a replay can miss, or leave it out"),
                is_extended: test.is_extended,
            });
        }
    }
    findings
}
