//! Alerts that are replayed without their comparisons, since their labels may depend on values.

use std::collections::BTreeMap;

use super::super::World;
use super::alert::{LiveAlert, own_labels};
use super::bound::Compared;
use super::condition::{Compare, LiveSeries, Node};
use super::{Live, found};
use crate::model::{Labels, Timestamp};
use crate::promql::{Query, Ticks};
use crate::replay::{Replay, ReplayError, RuleError, RuleId, Stretch, replay};
use crate::rules::{Rule, RuleGroup, RuleKind};

/// An alert that is replayed without its comparison.
pub(super) struct Bare {
    /// Its place among the alerts.
    pub place: usize,
    pub rule: RuleId,
    /// What it compares; or why no threshold moves.
    pub compared: Result<Compared, String>,
    /// What yields all that there is of it.
    pub query: Query,
}

impl Live {
    /// Replays some alerts without comparisons; where that fails in other ways than the rules do, with them but without waits.
    pub(super) fn look(
        &mut self,
        world: &World,
        groups: &[&RuleGroup],
        mut open: Vec<Bare>,
    ) -> Result<(), ReplayError> {
        while !open.is_empty() {
            let bare = bare_groups(groups, &open);
            let bare: Vec<&RuleGroup> = bare.iter().collect();
            let replay = replay(world.spec(&bare))?;
            let mut is_settled = true;
            for it in &mut open {
                let alert = self.alerts.get(it.place);
                let fails = |alert| fails_otherwise(alert, &self.errors, &replay.errors);
                if it.compared.is_ok() && alert.is_some_and(fails) {
                    is_settled = false;
                    it.compared = Err("with another one its evaluation could fail".to_owned());
                    if let Some((_, rule, _)) = found(groups, it.rule) {
                        it.query = rule.expr.clone();
                    }
                }
            }
            if is_settled {
                for it in open {
                    self.take(it, &replay);
                }
                break;
            }
        }
        Ok(())
    }

    /// Takes what a replay without its comparison yields for an alert.
    fn take(&mut self, bare: Bare, replay: &Replay<'_>) {
        let mut alerts = replay.timeline.alerts.iter().enumerate();
        let found = alerts.find(|(_, alert)| alert.rule == bare.rule);
        let (Some(alert), Some((place, found))) = (self.alerts.get_mut(bare.place), found) else {
            return;
        };
        let ticks = alert.ticks;
        let errors = replay
            .errors
            .iter()
            .filter(|error| error.rule == alert.rule);
        alert.failed = errors
            .filter_map(|error| tick_of(ticks, error.at))
            .collect();
        let mut columns: BTreeMap<Labels, Vec<(usize, f64)>> = BTreeMap::new();
        for (number, instance) in found.instances.iter().enumerate() {
            let of_labels = columns.entry(own_labels(&instance.labels)).or_default();
            for stretch in &instance.stretches {
                let floats = replay.values(place, number, stretch);
                of_labels.extend(column(alert, bare.compared.is_ok(), stretch, &floats));
            }
        }
        let places = (0..columns.len()).collect();
        let series = columns.into_iter();
        let series: Vec<LiveSeries> = series
            .map(|(labels, values)| LiveSeries { labels, values })
            .collect();
        let owners = series.iter().map(|series| series.labels.clone());
        alert.own(owners.collect());
        alert.condition.series = series;
        alert.condition.node = Node::Series(places);
        match bare.compared {
            Err(why) => alert.why = Some(why),
            Ok(Compared { value, op, bound }) => {
                let of = std::mem::replace(&mut alert.condition.node, Node::Series(Vec::new()));
                let compare = Compare {
                    of,
                    value,
                    op,
                    bound,
                };
                alert.condition.node = Node::Compare(Box::new(compare));
            }
        }
    }
}

/// Whether an alert without its comparison fails at other moments than with it, or because two series become one.
fn fails_otherwise(alert: &LiveAlert, with: &[RuleError], without: &[RuleError]) -> bool {
    fn own(errors: &[RuleError], id: RuleId) -> impl Iterator<Item = &RuleError> {
        errors.iter().filter(move |error| error.rule == id)
    }
    let merges = |error: &RuleError| error.message.contains("same labelset");
    let moments = |errors| own(errors, alert.rule).map(|error| error.at);
    alert.limit == 0 && !moments(with).eq(moments(without)) || own(without, alert.rule).any(merges)
}

/// The values of a stretch; where something is there that is no float it is NaN.
fn column(
    alert: &LiveAlert,
    is_compared: bool,
    stretch: &Stretch,
    floats: &[(Timestamp, f64)],
) -> Vec<(usize, f64)> {
    let ticks = alert.ticks;
    let floats = floats
        .iter()
        .filter_map(|&(at, value)| Some((tick_of(ticks, at)?, value)));
    if is_compared {
        return floats.collect();
    }
    let first = tick_of(ticks, stretch.from).unwrap_or(ticks.count);
    let last = stretch
        .to
        .and_then(|to| tick_of(ticks, to))
        .unwrap_or(ticks.count);
    let present = (first..last).filter(|tick| !alert.failed.contains(tick));
    let mut floats = floats.peekable();
    let value = |tick: usize| match floats.next_if(|(at, _)| *at == tick) {
        Some(float) => float,
        None => (tick, f64::NAN),
    };
    present.map(value).collect()
}

fn tick_of(ticks: Ticks, at: Timestamp) -> Option<usize> {
    let tick = usize::try_from((at - ticks.start) / ticks.step.max(1)).ok()?;
    (tick < ticks.count && ticks.time(tick) == at).then_some(tick)
}

/// The groups, with some alerts that compare nothing and wait for nothing.
fn bare_groups(groups: &[&RuleGroup], alerts: &[Bare]) -> Vec<RuleGroup> {
    let mut bare: Vec<RuleGroup> = groups.iter().map(|group| (*group).clone()).collect();
    let mut rules: Vec<Vec<Rule>> = bare.iter().map(|group| group.rules.to_vec()).collect();
    for it in alerts {
        let of_group = rules.get_mut(it.rule.group);
        let rule = of_group.and_then(|rules| rules.get_mut(it.rule.rule));
        let Some(rule) = rule else {
            continue;
        };
        rule.expr = it.query.clone();
        if let RuleKind::Alert(alert) = &mut rule.kind {
            alert.hold = 0;
            alert.keep_firing_for = 0;
        }
    }
    for (group, rules) in bare.iter_mut().zip(rules) {
        group.limit = 0;
        group.rules = rules.into();
    }
    bare
}
