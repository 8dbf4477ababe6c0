//! What every alert did over time.

use crate::model::{Labels, Timestamp};

/// What all alerts of a replay did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timeline {
    /// One entry for every alerting rule, in the order of evaluation.
    pub alerts: Vec<AlertTimeline>,
}

/// What one alerting rule did.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertTimeline {
    /// Which rule.
    pub rule: RuleId,
    /// The alert's name.
    pub name: String,
    /// Every label set that was ever pending or firing, in the order of labels.
    pub instances: Vec<Instance>,
}

/// One label set of an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Its labels, `alertname` among them.
    pub labels: Labels,
    /// When it was pending and when firing; in order, never empty, never overlapping.
    pub stretches: Vec<Stretch>,
}

/// A time during which an alert stayed in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Pending or firing.
    pub state: AlertState,
    /// The first evaluation that left it in this state.
    pub from: Timestamp,
    /// The first evaluation that did not; `None` where it lasts at the end of the replay.
    pub to: Option<Timestamp>,
    /// When its condition came true: the start of the pending time.
    pub active_at: Timestamp,
}

/// Where an active alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertState {
    /// The condition is true, but not for long enough.
    Pending,
    /// It has been true for the rule's `for`.
    Firing,
}

/// A rule, by its place among the groups that were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId {
    /// Index of the group.
    pub group: usize,
    /// Index of the rule in its group.
    pub rule: usize,
}

impl AlertState {
    /// The value of the label `alertstate`.
    pub fn name(self) -> &'static str {
        match self {
            AlertState::Pending => "pending",
            AlertState::Firing => "firing",
        }
    }
}

impl Stretch {
    /// Whether the state after the evaluation at or before `moment` is this one.
    pub fn covers(&self, moment: Timestamp) -> bool {
        self.from <= moment && self.to.is_none_or(|to| moment < to)
    }
}

impl Instance {
    /// Whether it ever fires.
    pub fn fires(&self) -> bool {
        let mut stretches = self.stretches.iter();
        stretches.any(|stretch| stretch.state == AlertState::Firing)
    }

    /// The stretch that a moment lies in.
    pub fn stretch_at(&self, moment: Timestamp) -> Option<&Stretch> {
        self.stretches.iter().find(|stretch| stretch.covers(moment))
    }
}
