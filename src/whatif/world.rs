//! What rules are replayed over: recorded data, or a test.

use super::diff::{Frame, Side};
use super::name::rule_names;
use super::paging::Watch;
use super::{Incidents, Judgement, Outcome, Paging, RuleSet, SweptAlert};
use crate::model::{Matcher, Millis, Timestamp};
use crate::replay::{Replay, ReplayError, ReplaySpec, replay};
use crate::rules::{RuleFile, RuleGroup};
use crate::suite::Stage;

/// What rules are replayed over.
#[derive(Debug, Clone)]
pub struct World {
    /// What it is called: the files of the data, or the test file and the test.
    pub name: String,
    scene: Scene,
}

#[derive(Debug, Clone)]
enum Scene {
    /// Series, and how all rules are evaluated over them.
    Recorded(Box<ReplaySpec<'static>>),
    /// A test, with the places of its rule files among those of the call.
    Test(Box<Stage>, Vec<usize>),
}

/// What an alert did in a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertOutcome {
    /// What its rule is called, as in the names of its knobs: `group/Alert#2`.
    pub name: String,
    /// The group of its rule.
    pub group: String,
    /// Its name.
    pub alert: String,
    /// What it did.
    pub outcome: Outcome,
}

impl World {
    /// Recorded series: what is replayed, with no groups.
    pub fn recorded(name: impl Into<String>, spec: ReplaySpec<'static>) -> World {
        World {
            name: name.into(),
            scene: Scene::Recorded(Box::new(spec)),
        }
    }

    /// A test. `files` are the places of its rule files in a [`RuleSet`]; others it does not evaluate.
    pub fn of_test(name: impl Into<String>, stage: Stage, files: Vec<usize>) -> World {
        World {
            name: name.into(),
            scene: Scene::Test(Box::new(stage), files),
        }
    }

    /// The groups that are evaluated, in that order.
    pub fn groups(&self, rules: &RuleSet) -> Vec<RuleGroup> {
        match &self.scene {
            Scene::Recorded(_) => rules.groups().into_iter().cloned().collect(),
            Scene::Test(stage, files) => {
                let files = files.iter().filter_map(|place| rules.files.get(*place));
                let files: Vec<RuleFile> = files.cloned().collect();
                stage.groups(&files)
            }
        }
    }

    /// What is replayed with groups that [`World::groups`] gave.
    pub fn spec<'g>(&self, groups: &'g [&'g RuleGroup]) -> ReplaySpec<'g> {
        ReplaySpec {
            groups,
            ..self.scene().clone()
        }
    }

    /// The first and the last moment.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        let spec = self.scene();
        (spec.start, spec.end)
    }

    /// From the first to the last moment.
    pub fn length(&self) -> Millis {
        let spec = self.scene();
        spec.end.saturating_sub(spec.start)
    }

    /// What two replays of different rules over it have in common. `pages` are the labels of alerts that page somebody.
    pub fn frame<'f>(&self, pages: &'f [Matcher]) -> Frame<'f> {
        let spec = self.scene();
        Frame {
            start: spec.start,
            end: spec.end,
            interval: spec.interval,
            pages,
        }
    }

    fn scene(&self) -> &ReplaySpec<'static> {
        match &self.scene {
            Scene::Recorded(spec) => spec,
            Scene::Test(stage, _) => stage.spec(),
        }
    }

    /// Replays rules, and hands what came of it to `ask`.
    ///
    /// # Errors
    ///
    /// As [`replay`].
    pub fn replay<T>(
        &self,
        rules: &RuleSet,
        ask: impl FnOnce(&Replay<'_>, &[&RuleGroup]) -> T,
    ) -> Result<T, ReplayError> {
        let groups = self.groups(rules);
        let groups: Vec<&RuleGroup> = groups.iter().collect();
        let replay = replay(self.spec(&groups))?;
        Ok(ask(&replay, &groups))
    }

    /// Replays rules, and others over a world that may be another, and hands what came of both to `ask`.
    ///
    /// # Errors
    ///
    /// As [`replay`].
    pub fn replay_both<T>(
        &self,
        before: &RuleSet,
        (then, after): (&World, &RuleSet),
        ask: impl FnOnce(Side<'_>, Side<'_>) -> T,
    ) -> Result<T, ReplayError> {
        self.replay(before, |old, old_groups| {
            then.replay(after, |new, new_groups| {
                let side = |replay, groups| Side { groups, replay };
                ask(side(old, old_groups), side(new, new_groups))
            })
        })?
    }

    /// What every alert did, in the order of evaluation.
    pub fn outcomes(&self, replay: &Replay<'_>, groups: &[&RuleGroup]) -> Vec<AlertOutcome> {
        let end = replay.stopped_at.unwrap_or(self.scene().end);
        let names = rule_names(groups);
        let alerts = replay.timeline.alerts.iter();
        let outcomes = alerts.map(|alert| AlertOutcome {
            name: names.get(&alert.rule).cloned().unwrap_or_default(),
            group: groups
                .get(alert.rule.group)
                .map_or_else(String::new, |group| group.name.clone()),
            alert: alert.name.clone(),
            outcome: Outcome::of(alert, end),
        });
        outcomes.collect()
    }

    /// What all alerts of a replay did together, and how that fits incidents.
    pub fn judgement(
        &self,
        replay: &Replay<'_>,
        groups: &[&RuleGroup],
        incidents: &Incidents,
    ) -> Judgement {
        let end = replay.stopped_at.unwrap_or(self.scene().end);
        let mut alerts = Vec::with_capacity(replay.timeline.alerts.len());
        let mut pagings = Vec::with_capacity(alerts.capacity());
        for alert in &replay.timeline.alerts {
            let group = groups.get(alert.rule.group);
            let group = group.map_or_else(String::new, |group| group.name.clone());
            let watch = Watch::of(incidents, &group, &alert.name);
            pagings.push(Paging::of(alert, end, &watch));
            alerts.push(SweptAlert {
                rule: alert.rule,
                group,
                alert: alert.name.clone(),
                incidents: watch.incidents,
            });
        }
        let pagings: Vec<&Paging> = pagings.iter().collect();
        Judgement::of(&alerts, &pagings, incidents, self.length())
    }
}
