//! An alert as a page follows it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::KnobKind;
use super::condition::Condition;
use super::setting::Setting;
use crate::model::{Labels, Millis};
use crate::promql::Ticks;
use crate::replay::{ALERT_NAME, AlertTimeline, RuleId, Stretch};

/// An alert that can be followed without a replay, or why it can't.
#[derive(Debug, Clone)]
pub struct LiveAlert {
    /// Its rule among the groups that are evaluated.
    pub rule: RuleId,
    /// The group of its rule.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Its expression on one line.
    pub expr: String,
    /// When it is evaluated.
    pub ticks: Ticks,
    /// The most that may be active at once; 0 for any number.
    pub limit: usize,
    /// `for`.
    pub hold: Millis,
    /// `keep_firing_for`.
    pub keep_firing_for: Millis,
    /// When it is active.
    pub condition: Condition,
    /// Why no threshold moves, where none does.
    pub why: Option<String>,
    /// Why what moves changes it in ways that only a replay shows; `None` where `instances` say all.
    pub fixed: Option<String>,
    /// Its thresholds, `for`, `keep_firing_for`.
    pub knobs: Vec<LiveKnob>,
    /// What else can move in its rule, but shows only in a replay: the name by which `--set` takes it, and its value.
    pub others: Vec<(String, String)>,
    /// The selectors of its expression that no series of the data, and nothing that rules recorded, is of.
    pub missing: Vec<String>,
    /// Whether its condition ever has a value to look at.
    pub is_seeing: bool,
    /// Ticks at which its evaluation fails, whatever it compares with.
    pub failed: BTreeSet<usize>,
    /// In the order of labels: all that there could be, were or are.
    pub instances: Vec<LiveInstance>,
}

/// Something that moves.
#[derive(Debug, Clone)]
pub struct LiveKnob {
    /// The name by which `--set` takes it.
    pub name: String,
    /// What it is.
    pub kind: KnobKind,
    /// A number that all knobs share that are the same text.
    pub text: usize,
    /// Its value before: of a wait in milliseconds.
    pub before: f64,
    /// Its value now.
    pub now: f64,
    /// Whether the condition says what moving it does.
    pub moves: bool,
}

/// A label set that an alert may have.
#[derive(Debug, Clone)]
pub struct LiveInstance {
    /// Its labels without `alertname`.
    pub labels: Labels,
    /// What it did before.
    pub before: Vec<Stretch>,
    /// What it does now.
    pub now: Vec<Stretch>,
}
impl LiveAlert {
    /// Takes label sets as those of the instances that the series of its result are.
    pub(super) fn own(&mut self, owners: Vec<Labels>) {
        let instances = std::mem::take(&mut self.instances).into_iter();
        let mut known: Known = instances.map(|it| (it.labels.clone(), it)).collect();
        for labels in &owners {
            of_labels(&mut known, labels);
        }
        let places: BTreeMap<&Labels, usize> = known.keys().zip(0..).collect();
        let places = owners.iter().filter_map(|it| places.get(it).copied());
        self.condition.owners = places.collect();
        self.instances = known.into_values().collect();
    }

    /// Says what else there is that moves, and why no threshold does.
    pub(super) fn settle(&mut self, setting: &Setting) {
        let moving = self.knobs.iter().filter(|knob| knob.moves);
        let moving: BTreeSet<&str> = moving.map(|knob| knob.name.as_str()).collect();
        let own = setting.knobs.iter();
        let own = own.filter(|knob| knob.rule == Some(self.rule) && !moving.contains(knob.shown()));
        self.others = own
            .map(|knob| (knob.shown().to_owned(), knob.value.clone()))
            .collect();
        let is_threshold = |knob: &&LiveKnob| knob.kind == KnobKind::Threshold;
        let mut thresholds = self.knobs.iter().filter(is_threshold).peekable();
        if thresholds.peek().is_none() {
            self.why = Some("its expression compares nothing with a number".to_owned());
        } else if thresholds.all(|knob| !knob.moves) {
            let why = "it is compared inside of what only a replay works out".to_owned();
            self.why.get_or_insert(why);
        }
    }
}

/// Instances by their labels without `alertname`.
pub(super) type Known = BTreeMap<Labels, LiveInstance>;

fn of_labels<'k>(known: &'k mut Known, labels: &Labels) -> &'k mut LiveInstance {
    known
        .entry(labels.clone())
        .or_insert_with_key(|labels| LiveInstance {
            labels: labels.clone(),
            before: Vec::new(),
            now: Vec::new(),
        })
}

/// The labels of an instance without `alertname`.
pub(super) fn own_labels(labels: &Labels) -> Labels {
    labels.filtered(|name| name != ALERT_NAME)
}

/// The instances that there were and are.
pub(super) fn instances(old: Option<&AlertTimeline>, new: &AlertTimeline) -> Known {
    let mut known = Known::new();
    for instance in old.into_iter().flat_map(|old| &old.instances) {
        of_labels(&mut known, &own_labels(&instance.labels)).before = instance.stretches.clone();
    }
    for instance in &new.instances {
        of_labels(&mut known, &own_labels(&instance.labels)).now = instance.stretches.clone();
    }
    known
}
