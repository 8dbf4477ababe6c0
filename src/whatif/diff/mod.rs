//! What a change of rules does to what their alerts do: two replays over one world, held against each other.
//!
//! Rules are [paired](RulesDiff) by what they are called, not by where they stand; the instances of two paired alerts by
//! their labels; the stretches of two paired instances by the time that they have in common. So each window of either side
//! is in exactly one [`WindowChange`].

mod budget;
mod instances;
mod pagers;
mod rules;
mod windows;

use std::collections::{BTreeMap, BTreeSet};

pub use self::budget::{BudgetDiff, Burn, budgets};
use self::instances::paired;
pub use self::pagers::Pagers;
pub use self::rules::{FieldChange, RuleChange, RulePair, RuleSide, RulesDiff};
use self::windows::compare;
pub use self::windows::{Window, WindowChange, WindowDiff};
use super::{Outcome, paging};
use crate::model::{Labels, Matcher, Millis, Timestamp};
use crate::replay::{
    AlertState, AlertTimeline, Dependencies, DependentRule, Instance, Replay, RuleId,
};
use crate::rules::RuleGroup;

/// Something on either side of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Both<T> {
    /// As it was.
    pub before: T,
    /// As it is then.
    pub after: T,
}

/// Rules, and a replay of them.
#[derive(Debug, Clone, Copy)]
pub struct Side<'r> {
    /// The groups that were replayed.
    pub groups: &'r [&'r RuleGroup],
    /// What came of them.
    pub replay: &'r Replay<'r>,
}

/// What both sides of a comparison have in common.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'f> {
    /// The first moment.
    pub start: Timestamp,
    /// No evaluation lies after it.
    pub end: Timestamp,
    /// The interval of groups that have none of their own.
    pub interval: Millis,
    /// The labels of alerts that page somebody; all do where there is none.
    pub pages: &'f [Matcher],
}

/// What changed between two replays.
#[derive(Debug, Clone)]
pub struct TimelineDiff {
    /// From the first to the last moment.
    pub span: (Timestamp, Timestamp),
    /// The rules of both sides.
    pub rules: RulesDiff,
    /// Every alert: in the order of the rules after the change, then those that are gone.
    pub alerts: Vec<AlertDiff>,
    /// How often somebody is paged: the times in which an alert of a name fires, whatever its instances.
    pub pages: Both<usize>,
    /// How long instances fire, added up.
    pub firing: Both<Millis>,
    /// The rules that can't be evaluated at some moment and could before, by their places among the pairs.
    pub failing: Vec<usize>,
}

/// What changed of an alert.
#[derive(Debug, Clone)]
pub struct AlertDiff {
    /// Its place among the [pairs](RulesDiff::pairs) of rules.
    pub rule: usize,
    /// What it does, in numbers; `None` where there is no such rule.
    pub outcome: Both<Option<Outcome>>,
    /// How often it pages.
    pub pages: Both<usize>,
    /// Its instances in the order of labels.
    pub instances: Vec<InstanceDiff>,
    /// The rules that changed and that it reads in the end, itself first; by their places among the pairs. None where it does
    /// what it did.
    pub causes: Vec<usize>,
}

/// What changed of one label set of an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceDiff {
    /// Its labels without the alert's name; `None` where it was never pending or firing.
    pub labels: Both<Option<Labels>>,
    /// When it fires, in order.
    pub firing: Vec<WindowDiff>,
    /// When it is pending, in order.
    pub pending: Vec<WindowDiff>,
}

/// How many windows there are of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// As before.
    pub kept: usize,
    /// New.
    pub gained: usize,
    /// Gone.
    pub lost: usize,
    /// As long as before at another time.
    pub moved: usize,
    /// Longer or shorter.
    pub resized: usize,
    /// Joined with another to a longer one.
    pub merged: usize,
    /// Parts of a longer one.
    pub split: usize,
}

impl TimelineDiff {
    /// Holds two replays over one world against each other.
    pub fn of(before: Side<'_>, after: Side<'_>, frame: Frame<'_>) -> TimelineDiff {
        let rules = RulesDiff::of(before.groups, after.groups);
        let ends = Both {
            before: before.replay.stopped_at.unwrap_or(frame.end),
            after: after.replay.stopped_at.unwrap_or(frame.end),
        };
        let timelines = Both {
            before: by_rule(before.replay),
            after: by_rule(after.replay),
        };
        let mut alerts = Vec::new();
        for (rule, pair) in rules.pairs.iter().enumerate() {
            let find =
                |side: &Option<RuleSide>, all: &BTreeMap<RuleId, usize>, replay: &Replay<'_>| {
                    let place = *all.get(&side.as_ref()?.id)?;
                    replay.timeline.alerts.get(place).cloned()
                };
            let sides = Both {
                before: find(&pair.before, &timelines.before, before.replay),
                after: find(&pair.after, &timelines.after, after.replay),
            };
            if sides.before.is_some() || sides.after.is_some() {
                alerts.push(alert(rule, pair, &sides, ends, frame.pages));
            }
        }
        let mut diff = TimelineDiff {
            span: (frame.start, frame.end),
            rules,
            alerts,
            pages: Both {
                before: pages(&before.replay.timeline.alerts, frame.pages),
                after: pages(&after.replay.timeline.alerts, frame.pages),
            },
            firing: Both::default(),
            failing: Vec::new(),
        };
        diff.failing = failing(&diff.rules, before.replay, after.replay);
        let firing = |outcome: Option<Outcome>| outcome.map_or(0, |outcome| outcome.firing);
        for alert in &diff.alerts {
            let of = alert.outcome;
            diff.firing.before = diff.firing.before.saturating_add(firing(of.before));
            diff.firing.after = diff.firing.after.saturating_add(firing(of.after));
        }
        diff.explain(before, after, frame.interval);
        diff
    }

    /// Whether all alerts do what they did, under the labels that they had.
    pub fn is_empty(&self) -> bool {
        self.alerts.iter().all(AlertDiff::is_empty)
    }

    /// How many windows of a state there are of each kind.
    pub fn counts(&self, state: AlertState) -> Counts {
        let mut counts = Counts::default();
        for alert in &self.alerts {
            counts.add(alert.counts(state));
        }
        counts
    }

    /// How many instances have other labels than before.
    pub fn relabelled(&self) -> usize {
        let instances = self.alerts.iter().flat_map(|alert| &alert.instances);
        instances
            .filter(|instance| instance.is_relabelled())
            .count()
    }

    /// Finds the rules for which alerts do something else.
    fn explain(&mut self, before: Side<'_>, after: Side<'_>, interval: Millis) {
        if self.is_empty() {
            return;
        }
        let graphs = Both {
            before: Reading::new(before.groups, interval, &self.rules, |pair| {
                pair.before.as_ref()
            }),
            after: Reading::new(after.groups, interval, &self.rules, |pair| {
                pair.after.as_ref()
            }),
        };
        for alert in self.alerts.iter_mut().filter(|alert| !alert.is_empty()) {
            let read = [
                graphs.before.below(alert.rule),
                graphs.after.below(alert.rule),
            ];
            let is_changed = |rule: &usize| {
                let pair = self.rules.pairs.get(*rule);
                pair.is_some_and(RulePair::matters)
            };
            let mut causes: Vec<usize> = read.concat();
            causes.retain(is_changed);
            causes.sort_unstable_by_key(|&rule| (rule != alert.rule, rule));
            causes.dedup();
            alert.causes = causes;
        }
    }
}

impl AlertDiff {
    /// Whether it does what it did, under the labels that it had.
    pub fn is_empty(&self) -> bool {
        self.instances.iter().all(InstanceDiff::is_empty)
    }

    /// How many windows of a state there are of each kind.
    pub fn counts(&self, state: AlertState) -> Counts {
        let mut counts = Counts::default();
        for window in self.instances.iter().flat_map(|it| it.windows(state)) {
            *counts.of_mut(window.change) += 1;
        }
        counts
    }
}

impl InstanceDiff {
    /// Whether it does what it did, under the labels that it had.
    pub fn is_empty(&self) -> bool {
        let mut windows = self.firing.iter().chain(&self.pending);
        !self.is_relabelled() && windows.all(|window| window.change == WindowChange::Kept)
    }

    /// Whether it has other labels than before.
    pub fn is_relabelled(&self) -> bool {
        match (&self.labels.before, &self.labels.after) {
            (Some(before), Some(after)) => before != after,
            _ => false,
        }
    }

    /// When it is in a state.
    pub fn windows(&self, state: AlertState) -> &[WindowDiff] {
        match state {
            AlertState::Firing => &self.firing,
            AlertState::Pending => &self.pending,
        }
    }
}

impl Counts {
    /// How many there are of a kind.
    pub fn of(&self, change: WindowChange) -> usize {
        match change {
            WindowChange::Kept => self.kept,
            WindowChange::Gained => self.gained,
            WindowChange::Lost => self.lost,
            WindowChange::Moved => self.moved,
            WindowChange::Resized => self.resized,
            WindowChange::Merged => self.merged,
            WindowChange::Split => self.split,
        }
    }

    fn of_mut(&mut self, change: WindowChange) -> &mut usize {
        match change {
            WindowChange::Kept => &mut self.kept,
            WindowChange::Gained => &mut self.gained,
            WindowChange::Lost => &mut self.lost,
            WindowChange::Moved => &mut self.moved,
            WindowChange::Resized => &mut self.resized,
            WindowChange::Merged => &mut self.merged,
            WindowChange::Split => &mut self.split,
        }
    }

    /// How many are not as before.
    pub fn changed(&self) -> usize {
        let changed = WindowChange::ALL.into_iter();
        let changed = changed.filter(|change| *change != WindowChange::Kept);
        changed.map(|change| self.of(change)).sum()
    }

    /// Counts others, too.
    pub fn add(&mut self, other: Counts) {
        for change in WindowChange::ALL {
            *self.of_mut(change) += other.of(change);
        }
    }
}

/// The rules that fail after a change and did not before.
fn failing(rules: &RulesDiff, before: &Replay<'_>, after: &Replay<'_>) -> Vec<usize> {
    let of = |replay: &Replay<'_>| -> BTreeSet<RuleId> {
        replay.errors.iter().map(|error| error.rule).collect()
    };
    let (old, new) = (of(before), of(after));
    let is_in = |all: &BTreeSet<RuleId>, side: &Option<RuleSide>| {
        side.as_ref().is_some_and(|side| all.contains(&side.id))
    };
    let pairs = rules.pairs.iter().enumerate();
    let pairs = pairs.filter(|(_, pair)| is_in(&new, &pair.after) && !is_in(&old, &pair.before));
    pairs.map(|(place, _)| place).collect()
}

/// Where the timeline of each alerting rule is.
fn by_rule(replay: &Replay<'_>) -> BTreeMap<RuleId, usize> {
    let alerts = replay.timeline.alerts.iter().enumerate();
    alerts.map(|(place, alert)| (alert.rule, place)).collect()
}

fn alert(
    rule: usize,
    pair: &RulePair,
    sides: &Both<Option<AlertTimeline>>,
    ends: Both<Timestamp>,
    pages: &[Matcher],
) -> AlertDiff {
    let instances = |side: &Option<AlertTimeline>| -> Vec<Instance> {
        side.as_ref()
            .map_or_else(Vec::new, |side| side.instances.clone())
    };
    let all = Both {
        before: instances(&sides.before),
        after: instances(&sides.after),
    };
    let mut found: Vec<InstanceDiff> = paired(&all.before, &all.after, &pair.changed_labels())
        .into_iter()
        .map(|pair| {
            let state = |state: AlertState| {
                let windows = |instance: Option<&Instance>| {
                    instance.map_or_else(Vec::new, |it| Window::of(it, state))
                };
                compare(&windows(pair.before), &windows(pair.after), ends)
            };
            InstanceDiff {
                labels: Both {
                    before: pair.before.map(instances::shown),
                    after: pair.after.map(instances::shown),
                },
                firing: state(AlertState::Firing),
                pending: state(AlertState::Pending),
            }
        })
        .collect();
    let place = |it: &InstanceDiff| it.labels.after.clone().or_else(|| it.labels.before.clone());
    found.sort_by_cached_key(place);
    let outcome = |side: &Option<AlertTimeline>, end| Some(Outcome::of(side.as_ref()?, end));
    AlertDiff {
        rule,
        outcome: Both {
            before: outcome(&sides.before, ends.before),
            after: outcome(&sides.after, ends.after),
        },
        pages: Both {
            before: pages_of(all.before.iter(), pages),
            after: pages_of(all.after.iter(), pages),
        },
        instances: found,
        causes: Vec::new(),
    }
}

/// How often alerts page somebody: those of one name once at a time.
fn pages(alerts: &[AlertTimeline], matchers: &[Matcher]) -> usize {
    let mut by_name: BTreeMap<&str, Vec<&Instance>> = BTreeMap::new();
    for alert in alerts {
        by_name
            .entry(&alert.name)
            .or_default()
            .extend(&alert.instances);
    }
    let counts = by_name.into_values();
    counts
        .map(|instances| pages_of(instances.into_iter(), matchers))
        .sum()
}

fn pages_of<'i>(instances: impl Iterator<Item = &'i Instance>, matchers: &[Matcher]) -> usize {
    let pages = |it: &&Instance| {
        let mut matchers = matchers.iter();
        matchers.all(|matcher| matcher.matches_value(it.labels.value(&matcher.name)))
    };
    paging::pages(instances.filter(pages)).len()
}

/// What each rule of a side reads in the end.
struct Reading<'r> {
    graph: Dependencies<'r>,
    /// The rules of pairs, by their numbers in the graph.
    pairs: Vec<Option<usize>>,
}

impl<'r> Reading<'r> {
    fn new(
        groups: &[&'r RuleGroup],
        interval: Millis,
        rules: &RulesDiff,
        side: impl Fn(&RulePair) -> Option<&RuleSide>,
    ) -> Reading<'r> {
        let graph = Dependencies::new(groups, interval, &|_| None);
        let pairs = rules.pairs.iter().enumerate();
        let pairs = pairs.filter_map(|(place, pair)| Some((side(pair)?.id, place)));
        let pairs: BTreeMap<RuleId, usize> = pairs.collect();
        let rules = graph.rules.iter();
        let pairs = rules.map(|rule| pairs.get(&rule.id).copied()).collect();
        Reading { graph, pairs }
    }

    /// A rule and all that it reads, as places of pairs; nothing where it is not on this side.
    fn below(&self, pair: usize) -> Vec<usize> {
        let Some(rule) = self.pairs.iter().position(|it| *it == Some(pair)) else {
            return Vec::new();
        };
        let is_read = self.graph.closure(&[rule], DependentRule::sources);
        let read = is_read.iter().zip(&self.pairs);
        read.filter_map(|(is_read, pair)| pair.filter(|_| *is_read))
            .collect()
    }
}
