//! Burn-rate alerts that fire in a test before its series are as old as their windows are long.
//!
//! In a window that is not full a share of bad events is one of less traffic: an incident weighs more in it, and an alert
//! fires that would not have fired on a server. Shares that a test gives as what recording rules would have recorded are as
//! full as it says.

use std::collections::BTreeMap;

use super::file::{TestCase, TestFile};
use crate::model::Duration;
use crate::promql::Features;
use crate::promql::selectors::{Reach, selectors};
use crate::replay::{AlertState, Replay, RuleId};
use crate::rules::{Rule, RuleGroup, RuleKind};
use crate::slo::detect::longest_windows;
use crate::text::Diagnostic;

/// Alerts that fire too early in a test to be believed, each with what is to be said of it.
pub(super) fn too_short(
    file: &TestFile,
    test: &TestCase,
    groups: &[&RuleGroup],
    features: &Features,
    replay: &Replay<'_>,
) -> BTreeMap<RuleId, Diagnostic> {
    let query = |id: RuleId| Some(&groups.get(id.group)?.rules.get(id.rule)?.expr.text);
    let firing = replay.timeline.alerts.iter().filter_map(|alert| {
        let stretches = alert.instances.iter().flat_map(|it| &it.stretches);
        let firing = stretches.filter(|it| it.state == AlertState::Firing);
        Some((alert, firing.map(|it| it.from).min()?))
    });
    // Rules are looked through only where one may compare over two windows.
    let several = |id: RuleId| query(id).is_some_and(|text| text.contains("and"));
    let given = |id: RuleId| {
        let rule = groups.get(id.group).and_then(|it| it.rules.get(id.rule));
        rule.is_some_and(|rule| reads_given_records(rule, groups, replay))
    };
    let firing = firing.filter(|(alert, _)| several(alert.rule) && !given(alert.rule));
    let firing: Vec<_> = firing.collect();
    let inputs = replay.store.iter();
    let inputs = inputs.filter(|it| it.writer.position == 0 && !it.points.is_empty());
    let Some(first) = inputs.map(|series| series.points.time(0)).min() else {
        return BTreeMap::new();
    };
    if firing.is_empty() {
        return BTreeMap::new();
    }
    let windows = longest_windows(groups, file.evaluation_interval, features);
    let told = firing.into_iter().filter_map(|(alert, from)| {
        let window = *windows.get(&alert.rule)?;
        let known = from.saturating_sub(first);
        let message = format!(
            "{} fires when its series are {} old, but it looks back over {}",
            alert.name,
            Duration(known),
            Duration(window)
        );
        let place = test.name.as_ref().map_or(test.span, |name| name.span);
        let fault = Diagnostic::warning(message).at(&file.source, place);
        let help = format!(
            "in a window that is not full an incident weighs more than it would: let the series begin {} before the \
             incident, or say by `warmup:` what came before",
            Duration(window)
        );
        (known < window).then(|| (alert.rule, fault.help(help)))
    });
    told.collect()
}

/// Whether the test itself gives series that a rule reads and another rule would record.
fn reads_given_records(rule: &Rule, groups: &[&RuleGroup], replay: &Replay<'_>) -> bool {
    selectors(&rule.expr.expr, Reach::LOOKBACK)
        .into_iter()
        .any(|used| {
            let name = used.selector.metric();
            let mut rules = groups.iter().flat_map(|group| group.rules.iter());
            let is_recorded = rules.any(|it| {
                matches!(it.kind, RuleKind::Recording { .. }) && Some(it.name.as_str()) == name
            });
            let is_given = || {
                let found = replay.store.select(&used.selector.matchers).into_iter();
                let mut found = found.map(|id| replay.store.get(id));
                found.any(|it| it.writer.position == 0 && !it.points.is_empty())
            };
            is_recorded && is_given()
        })
}
