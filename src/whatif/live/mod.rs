//! What alerts compare, tick by tick: enough to say without a replay what they would do were a threshold or a wait another.
//!
//! Where the labels of an alert do not depend on values, the parts of its expression that are compared are evaluated as
//! its rule saw the series in a replay ([`condition`]). Otherwise it comes of a replay of the same rules in which nothing is compared
//! and nothing waits: there an alert is active whenever there is a value to compare, with the labels it would have then.

mod alert;
mod bare;
mod bound;
mod condition;
mod plan;
mod setting;

use super::{Knob, KnobKind, RuleSet, World};
use crate::model::Timestamp;
use crate::replay::{ReplayError, RuleError, RuleId, replay};
use crate::rules::{AlertRule, Rule, RuleGroup, RuleKind};

use alert::instances;
pub use alert::{LiveAlert, LiveInstance, LiveKnob};
pub use condition::{Compare, Condition, LiveSeries, Node, Set, Step};
use setting::{Setting, dependent, missing};

/// All alerts of a world, with the rules as they were and as they are now.
#[derive(Debug, Clone)]
pub struct Live {
    /// The first moment.
    pub start: Timestamp,
    /// The last.
    pub end: Timestamp,
    /// In the order of evaluation.
    pub alerts: Vec<LiveAlert>,
    /// What failed while the rules as they are now were replayed.
    pub errors: Vec<RuleError>,
}

impl Live {
    /// Replays rules as they were and as they are now, and the latter without their comparisons.
    ///
    /// # Errors
    ///
    /// As a replay.
    pub fn new(world: &World, before: &RuleSet, now: &RuleSet) -> Result<Live, ReplayError> {
        let old = world.replay(before, |replay, _| replay.timeline.clone())?;
        let groups = world.groups(now);
        let groups: Vec<&RuleGroup> = groups.iter().collect();
        let spec = world.spec(&groups);
        let (start, end) = (spec.start, spec.end);
        let knobs = now.knobs();
        let first = |knob: &Knob| knobs.iter().position(|other| other.is_same_text(knob));
        let texts = knobs.iter().map(|knob| first(knob).unwrap_or_default());
        let setting = Setting {
            features: spec.features,
            dependent: dependent(&groups, spec.interval),
            texts: texts.collect(),
            knobs,
            old_knobs: before.knobs(),
        };
        let replay = replay(spec)?;
        let mut live = Live {
            start,
            end: replay.stopped_at.unwrap_or(end),
            alerts: Vec::new(),
            errors: replay.errors.clone(),
        };
        let mut open = Vec::new();
        for (place, new) in replay.timeline.alerts.iter().enumerate() {
            let found = found(&groups, new.rule);
            let (Some(found), Some(sight)) = (found, replay.sight(new.rule)) else {
                continue;
            };
            let mut alert = setting.alert(new.rule, found, sight.moments);
            alert.missing = missing(&found.1.expr, sight.view.store);
            alert.instances = instances(old.alerts.get(place), new)
                .into_values()
                .collect();
            if !setting.evaluate(&mut alert, found.1, &replay, &sight) {
                open.push(setting.bare(live.alerts.len(), new.rule, found.1));
            }
            live.alerts.push(alert);
        }
        live.look(world, &groups, open)?;
        live.settle(&setting);
        Ok(live)
    }
    /// Says what moves: nothing of an alert that has too many values, and no text that moves something else, too.
    fn settle(&mut self, setting: &Setting) {
        let mut room = MOST_VALUES;
        for alert in &mut self.alerts {
            let series = &mut alert.condition.series;
            let values: usize = series.iter().map(|series| series.values.len()).sum();
            alert.is_seeing = values > 0;
            if values > room {
                for series in series {
                    series.values.clear();
                }
                let why = format!("its {values} values are more than a page holds");
                alert.fixed.get_or_insert(why);
            } else {
                room -= values;
            }
            let used = alert.condition.node.knobs();
            for (place, knob) in alert.knobs.iter_mut().enumerate() {
                let is_wait = knob.kind != KnobKind::Threshold;
                knob.moves = alert.fixed.is_none() && (is_wait || used.contains(&place));
            }
        }
        let mut moving = vec![0usize; setting.texts.len()];
        let knobs = self.alerts.iter().flat_map(|alert| &alert.knobs);
        for knob in knobs.filter(|knob| knob.moves) {
            if let Some(count) = moving.get_mut(knob.text) {
                *count += 1;
            }
        }
        for alert in &mut self.alerts {
            for (place, knob) in alert.knobs.iter_mut().enumerate() {
                let all = setting.texts.iter().filter(|text| **text == knob.text);
                if knob.moves && moving.get(knob.text) != Some(&all.count()) {
                    knob.moves = false;
                    alert.condition.node.freeze(place, knob.now);
                }
            }
            alert.settle(setting);
        }
    }
}

/// A page is no place for more than these: 200 series over a month at a minute, 20 to 100 MB.
const MOST_VALUES: usize = 10_000_000;

fn found<'g>(
    groups: &[&'g RuleGroup],
    id: RuleId,
) -> Option<(&'g RuleGroup, &'g Rule, &'g AlertRule)> {
    let group = groups.get(id.group)?;
    let rule = group.rules.get(id.rule)?;
    match &rule.kind {
        RuleKind::Alert(alert) => Some((group, rule, alert)),
        RuleKind::Recording { .. } => None,
    }
}
