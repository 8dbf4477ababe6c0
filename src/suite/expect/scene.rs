//! A replayed test, as expectations look at it.

use super::windows::{Seen, seen};
use super::{AlertExpectation, StateName, TextTest};
use crate::model::{Labels, Millis, Timestamp};
use crate::replay::{ALERT_NAME, AlertState, AlertTimeline, Instance, Replay};
use crate::rules::{Rule, RuleGroup};

/// A test that was replayed.
pub(in crate::suite) struct Scene<'s> {
    /// What came of it.
    pub replay: &'s Replay<'s>,
    /// The groups that were replayed.
    pub groups: &'s [&'s RuleGroup],
    /// The start of the test.
    pub start: Timestamp,
    /// Its length.
    pub length: Millis,
    /// Between two moments at which expressions over spans are evaluated.
    pub interval: Millis,
}

/// An instance of an alert, by its places in the timeline.
#[derive(Clone, Copy)]
pub(super) struct Actor<'s> {
    /// The place of the alert.
    pub alert: usize,
    /// The place of the instance.
    pub number: usize,
    /// What the alert did.
    pub timeline: &'s AlertTimeline,
    /// What the instance did.
    pub instance: &'s Instance,
}

impl<'s> Scene<'s> {
    /// All instances of all alerts.
    pub(super) fn actors(&self) -> impl Iterator<Item = Actor<'s>> + use<'s> {
        let alerts = self.replay.timeline.alerts.iter().enumerate();
        alerts.flat_map(|(alert, timeline)| {
            let instances = timeline.instances.iter().enumerate();
            instances.map(move |(number, instance)| Actor {
                alert,
                number,
                timeline,
                instance,
            })
        })
    }

    /// When an instance is in a state.
    pub(super) fn seen(&self, actor: &Actor<'_>, state: AlertState) -> Vec<Seen> {
        seen(actor.instance, state, self.start)
    }

    /// The state of an instance after the last evaluation up to a moment, after the start of the test.
    pub(super) fn state_at(&self, actor: &Actor<'_>, moment: Millis) -> Option<AlertState> {
        let moment = self.start.saturating_add(moment);
        let stretch = actor.instance.stretch_at(moment)?;
        Some(stretch.state)
    }

    /// The same by its name.
    pub(super) fn state_name_at(&self, actor: &Actor<'_>, moment: Millis) -> StateName {
        match self.state_at(actor, moment) {
            None => StateName::Inactive,
            Some(AlertState::Pending) => StateName::Pending,
            Some(AlertState::Firing) => StateName::Firing,
        }
    }

    /// Whether an instance fires after the last evaluation up to a moment.
    pub(super) fn is_firing(&self, actor: &Actor<'_>, moment: Millis) -> bool {
        self.state_at(actor, moment) == Some(AlertState::Firing)
    }

    /// A moment after the start of the test.
    pub(super) fn since(&self, moment: Timestamp) -> Millis {
        moment.saturating_sub(self.start)
    }

    /// The rule of an instance.
    pub(super) fn rule(&self, actor: &Actor<'_>) -> Option<&'s Rule> {
        let id = actor.timeline.rule;
        self.groups.get(id.group)?.rules.get(id.rule)
    }
}

impl Actor<'_> {
    /// Whether an item about an alert speaks of this instance.
    pub(super) fn is_meant(&self, expectation: &AlertExpectation) -> bool {
        self.timeline.name == expectation.alert.value
            && TextTest::selects(&expectation.labels, &self.instance.labels)
    }

    /// Whether it ever fires.
    pub(super) fn fires(&self) -> bool {
        self.instance.fires()
    }

    /// Its labels without the alert's name.
    pub(super) fn labels(&self) -> Labels {
        self.instance.labels.filtered(|name| name != ALERT_NAME)
    }
}
