//! Points whose rules are edited, read and evaluated again.

use rayon::prelude::*;

use super::{Block, Ground, SweepError, Watched};
use crate::model::Timestamp;
use crate::replay::{AlertTimeline, OnRuleError, Replay, replay, replay_some};
use crate::rules::RuleGroup;
use crate::whatif::paging::Paging;
use crate::whatif::{Change, Outcome};

/// What alerts do at each combination of the values of a block's axes. `is_whole` where all rules must be evaluated again.
///
/// # Errors
///
/// As [`sweep`](super::sweep).
pub(super) fn points(
    ground: &Ground<'_>,
    base: &Replay<'_>,
    block: &Block,
    watched: &[&Watched],
    is_whole: bool,
) -> Result<Vec<Vec<Paging>>, SweepError> {
    let rules = &block.dependents.rules;
    // What stops at an error stops all rules.
    let is_whole = is_whole || ground.spec.on_error == OnRuleError::Stop;
    let kept = match is_whole {
        true => ground.spec.store.clone(),
        false => base.store_without(rules),
    };
    let knobs = ground.rules.knobs();
    let point = |place: usize| {
        let edited = changes(ground, block, place);
        let edited = ground.rules.changed_among(&knobs, &edited);
        let edited = edited.map_err(SweepError::Rules)?;
        let groups = ground.world.groups(&edited.rules);
        let groups: Vec<&RuleGroup> = groups.iter().collect();
        let mut spec = ground.world.spec(&groups);
        spec.store = kept.clone();
        Ok(match is_whole {
            true => named_pagings(&replay(spec)?, &groups, ground.spec.end, watched),
            false => pagings(&replay_some(spec, rules)?, ground.spec.end, watched),
        })
    };
    let found = (0..block.len(ground.grid)).into_par_iter().map(point);
    let found: Vec<Result<Vec<Paging>, SweepError>> = found.collect();
    found.into_iter().collect()
}

/// What is changed at a combination.
pub(super) fn changes(ground: &Ground<'_>, block: &Block, place: usize) -> Vec<Change> {
    let mut rest = place;
    let mut changes = Vec::with_capacity(block.axes.len());
    for axis in block.axes.iter().rev() {
        let Some(axis) = ground.grid.axes().get(*axis) else {
            continue;
        };
        let count = axis.values.len().max(1);
        changes.push(Change {
            knob: axis.knob.clone(),
            value: axis.values.get(rest % count).cloned().unwrap_or_default(),
        });
        rest /= count;
    }
    changes.reverse();
    changes
}

/// What some alerts did in a replay that should end at a moment.
pub(super) fn pagings(replay: &Replay<'_>, end: Timestamp, watched: &[&Watched]) -> Vec<Paging> {
    let end = replay.stopped_at.unwrap_or(end);
    let of_alert = |watched: &&Watched| {
        let mut alerts = replay.timeline.alerts.iter();
        match alerts.find(|alert| alert.rule == watched.id) {
            Some(alert) => Paging::of(alert, end, &watched.watch),
            None => Paging::judged(Outcome::default(), &[], &watched.watch),
        }
    };
    watched.iter().map(of_alert).collect()
}

/// The same in a replay whose rules may stand in other places: alerts are known by their names. One that there is not did
/// nothing.
fn named_pagings(
    replay: &Replay<'_>,
    groups: &[&RuleGroup],
    end: Timestamp,
    watched: &[&Watched],
) -> Vec<Paging> {
    let end = replay.stopped_at.unwrap_or(end);
    let of_alert = |watched: &&Watched| {
        let is_it = |alert: &&AlertTimeline| {
            let group = groups.get(alert.rule.group);
            alert.name == watched.alert && group.is_some_and(|it| it.name == watched.group)
        };
        let mut same = replay.timeline.alerts.iter().filter(is_it);
        match same.nth(watched.number) {
            Some(alert) => Paging::of(alert, end, &watched.watch),
            None => Paging::judged(Outcome::default(), &[], &watched.watch),
        }
    };
    watched.iter().map(of_alert).collect()
}
