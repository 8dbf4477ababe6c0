//! Rules evaluated moment by moment, one after the other, as Prometheus does it.
//!
//! Slow and plain. Rules that read each other in a circle have no other way; for all others it is the
//! measure of the fast one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashMap;

use crate::model::{Histogram, Labels, Timestamp};
use crate::promql::{Annotations, Column, Sample, Ticks, View, evaluate};
use crate::store::{Points, Series, SeriesId, Store, Writer, stale_marker};

use super::alert::{
    self, AlertRecord, InstanceRecord, Source, alert_labels, for_state_value, synthetic_labels,
};
use super::append::{Head, Inputs, Offer, push};
use super::bits::Bits;
use super::machine::TickStretch;
use super::plan::{NO_VECTOR, PlannedRule, patience};
use super::record::{self, recorded_labels};
use super::render::{Renderer, Setting};
use super::timeline::AlertState;
use crate::rules::{AlertRule, RuleKind};

/// What came of rules that went moment by moment.
#[derive(Debug)]
pub(super) struct Stepped {
    /// What is kept of each rule that alerts, in the order of the rules.
    pub alerts: Vec<Option<AlertRecord>>,
    /// What there is to say of the query of each rule.
    pub annotations: Vec<Annotations>,
    /// Errors by moment and by index of the rule.
    pub errors: BTreeMap<(Timestamp, usize), String>,
}

/// Evaluates rules moment by moment up to `until`, and no further than the first moment with an error where
/// `stop` is set. What they write goes into the store.
pub(super) fn step_through(
    store: &mut Store,
    inputs: &Inputs,
    rules: &[PlannedRule<'_>],
    setting: &Setting,
    until: Timestamp,
    stop: bool,
) -> Stepped {
    let mut stepper = Stepper {
        store,
        inputs,
        setting,
        heads: HashMap::new(),
        states: rules.iter().map(RuleState::new).collect(),
        errors: BTreeMap::new(),
    };
    let mut next = next_moment(rules, None);
    while let Some(moment) = next.filter(|&moment| moment <= until) {
        for (index, rule) in rules.iter().enumerate() {
            if let Some(tick) = rule.tick_at(moment) {
                stepper.step(index, rule, tick, moment);
            }
        }
        if stop && !stepper.errors.is_empty() {
            break;
        }
        next = next_moment(rules, Some(moment));
    }
    let annotations = stepper.states.iter_mut();
    Stepped {
        annotations: annotations
            .map(|state| std::mem::take(&mut state.annotations))
            .collect(),
        alerts: stepper
            .states
            .into_iter()
            .zip(rules)
            .map(|(state, rule)| state.into_record(rule))
            .collect(),
        errors: stepper.errors,
    }
}

/// The first moment of any rule after another moment.
fn next_moment(rules: &[PlannedRule<'_>], after: Option<Timestamp>) -> Option<Timestamp> {
    let next = rules.iter().filter_map(|rule| {
        let moments = rule.moments;
        let tick = match after {
            Some(after) if after >= moments.start => (after - moments.start) / moments.step + 1,
            _ => 0,
        };
        let tick = usize::try_from(tick)
            .ok()
            .filter(|&tick| tick < moments.count)?;
        Some(moments.time(tick))
    });
    next.min()
}

/// Rules on their way through time.
struct Stepper<'a> {
    store: &'a mut Store,
    inputs: &'a Inputs,
    setting: &'a Setting,
    /// The end of every series that any of the rules has written.
    heads: HashMap<Labels, WrittenHead>,
    states: Vec<RuleState>,
    errors: BTreeMap<(Timestamp, usize), String>,
}

/// A label set with the series of each of its writers.
struct WrittenHead {
    head: Head,
    series: HashMap<Writer, SeriesId>,
}

/// What a rule remembers from one evaluation to the next.
struct RuleState {
    /// What the last successful evaluation left.
    returned: BTreeSet<Labels>,
    /// Alerts that are pending, firing or resolved.
    active: BTreeMap<Labels, Active>,
    /// Those of them that were so after the last evaluation, with state and start.
    open: BTreeMap<Labels, (AlertState, Timestamp)>,
    /// All label sets that were ever active.
    history: BTreeMap<Labels, History>,
    /// The samples that the expression returned.
    samples: Vec<(Labels, Column)>,
    sample_places: HashMap<Labels, usize>,
    failed: Bits,
    annotations: Annotations,
}

/// An alert as Prometheus keeps it.
#[derive(Debug, Clone)]
struct Active {
    state: AlertState,
    active_at: Timestamp,
    keep_firing_since: Option<Timestamp>,
}

/// What an alert instance did so far.
#[derive(Debug, Default)]
struct History {
    stretches: Vec<TickStretch>,
    sources: Vec<Source>,
}

/// A value that outlives its column.
#[derive(Debug, Clone)]
enum Value {
    Float(f64),
    Histogram(Arc<Histogram>),
}

impl Value {
    fn of(sample: Sample<'_>) -> Value {
        match sample {
            Sample::Float(value) => Value::Float(value),
            Sample::Histogram(histogram) => Value::Histogram(Arc::clone(histogram)),
        }
    }

    fn sample(&self) -> Sample<'_> {
        match self {
            Value::Float(value) => Sample::Float(*value),
            Value::Histogram(histogram) => Sample::Histogram(histogram),
        }
    }
}

impl Stepper<'_> {
    /// One evaluation of one rule.
    fn step(&mut self, index: usize, rule: &PlannedRule<'_>, tick: usize, moment: Timestamp) {
        let result = self
            .evaluate(index, rule, moment)
            .and_then(|vector| match &rule.rule.kind {
                RuleKind::Recording { labels } => record(rule, labels, vector),
                RuleKind::Alert(alert) => self.alert(index, rule, alert, vector, tick, moment),
            });
        match result {
            Ok(vector) => self.append(index, rule, vector, moment),
            Err(message) => {
                self.states[index].failed.set(tick);
                self.errors.insert((moment, index), message);
            }
        }
    }

    /// The result of the rule's expression.
    fn evaluate(
        &mut self,
        index: usize,
        rule: &PlannedRule<'_>,
        moment: Timestamp,
    ) -> Result<Vec<(Labels, Value)>, String> {
        if !rule.yields_vector() {
            return Err(NO_VECTOR.to_owned());
        }
        let view = View {
            features: self.setting.features,
            max_samples: self.setting.max_samples,
            ..View::new(self.store, rule.reader(), self.setting.default_step)
        };
        let ticks = Ticks::instant(moment - rule.writer.offset);
        let evaluated = evaluate(rule.query(), &view, ticks).into_columns();
        let columns = evaluated.ok_or(NO_VECTOR)?;
        if let Some(error) = columns.errors.get(&0) {
            return Err(error.message.clone());
        }
        self.states[index].annotations.merge(columns.annotations);
        let present = columns.series.iter();
        Ok(present
            .filter_map(|series| Some((series.labels.clone(), Value::of(series.column.get(0)?))))
            .collect())
    }

    /// The evaluation of an alerting rule; returns the samples to write.
    fn alert(
        &mut self,
        index: usize,
        rule: &PlannedRule<'_>,
        alert: &AlertRule,
        vector: Vec<(Labels, Value)>,
        tick: usize,
        moment: Timestamp,
    ) -> Result<Vec<(Labels, Value)>, String> {
        let renderer = Renderer {
            store: self.store,
            setting: self.setting,
        };
        let mut result: BTreeMap<Labels, usize> = BTreeMap::new();
        for (place, (labels, value)) in vector.iter().enumerate() {
            let named = alert_labels(rule.name(), alert, labels, |template| {
                renderer.render(rule, template, labels, value.sample(), moment)
            });
            if result.insert(named, place).is_some() {
                return Err(alert::DUPLICATE.to_owned());
            }
        }
        let state = &mut self.states[index];
        for (named, place) in &result {
            let (labels, value) = &vector[*place];
            state.remember(rule, named, labels, value, tick);
            state.active.entry(named.clone()).or_insert(Active {
                state: AlertState::Pending,
                active_at: moment,
                keep_firing_since: None,
            });
        }
        state.update(&result, alert, moment);
        let exceeded = rule.limit > 0 && state.active.len() > rule.limit;
        let count = state.active.len();
        if exceeded {
            state.active.clear();
        }
        state.note_changes(tick);
        if exceeded {
            return Err(alert::exceeded(rule.limit, count));
        }
        let mut written: BTreeMap<Labels, Value> = BTreeMap::new();
        for (labels, active) in &state.active {
            let alerts = synthetic_labels(rule.name(), alert, labels, Some(active.state));
            written.entry(alerts).or_insert(Value::Float(1.0));
            let for_state = synthetic_labels(rule.name(), alert, labels, None);
            written
                .entry(for_state)
                .or_insert(Value::Float(for_state_value(active.active_at)));
        }
        Ok(written.into_iter().collect())
    }

    /// Appends the samples of a successful evaluation, and stale markers for the series it no longer has.
    fn append(
        &mut self,
        index: usize,
        rule: &PlannedRule<'_>,
        mut vector: Vec<(Labels, Value)>,
        moment: Timestamp,
    ) {
        vector.sort_by(|(a, _), (b, _)| a.cmp(b));
        let stamp = moment - rule.writer.offset;
        let mut returned = BTreeSet::new();
        for (labels, value) in vector {
            match self.offer(&labels, rule.writer, moment, stamp, value.sample()) {
                Offer::Refused(reason) => {
                    self.errors.insert((moment, index), reason.to_string());
                }
                Offer::Taken | Offer::TakenAs(_) | Offer::Same => {
                    returned.insert(labels);
                }
            }
        }
        let before = std::mem::replace(&mut self.states[index].returned, returned.clone());
        for labels in before.difference(&returned) {
            self.offer(
                labels,
                rule.writer,
                moment,
                stamp,
                Sample::Float(stale_marker()),
            );
        }
    }

    /// Appends one sample if it may be.
    fn offer(
        &mut self,
        labels: &Labels,
        writer: Writer,
        moment: Timestamp,
        stamp: Timestamp,
        sample: Sample<'_>,
    ) -> Offer {
        let written = self
            .heads
            .entry(labels.clone())
            .or_insert_with(|| WrittenHead {
                head: Head::new(self.inputs.of(labels)),
                series: HashMap::new(),
            });
        written.head.take_inputs(self.store, moment);
        let offer = written.head.offer(stamp, sample);
        if !matches!(offer, Offer::Same | Offer::Refused(_)) {
            let id = *written.series.entry(writer).or_insert_with(|| {
                self.store.add(Series {
                    labels: labels.clone(),
                    points: Points::default(),
                    writer,
                })
            });
            let points = &mut self.store.get_mut(id).points;
            match &offer {
                Offer::TakenAs(stored) => points.push_histogram(stamp, Arc::clone(stored)),
                _ => push(points, stamp, sample),
            }
        }
        offer
    }
}

/// The evaluation of a recording rule; returns the samples to write.
fn record(
    rule: &PlannedRule<'_>,
    rule_labels: &[(String, String)],
    vector: Vec<(Labels, Value)>,
) -> Result<Vec<(Labels, Value)>, String> {
    let mut seen = BTreeSet::new();
    let mut written = Vec::with_capacity(vector.len());
    for (labels, value) in vector {
        let labels = recorded_labels(rule.name(), rule_labels, &labels);
        if !seen.insert(labels.clone()) {
            return Err(record::duplicate());
        }
        written.push((labels, value));
    }
    match rule.limit > 0 && written.len() > rule.limit {
        true => Err(record::exceeded(rule.limit, written.len())),
        false => Ok(written),
    }
}

impl RuleState {
    fn new(rule: &PlannedRule<'_>) -> RuleState {
        RuleState {
            returned: BTreeSet::new(),
            active: BTreeMap::new(),
            open: BTreeMap::new(),
            history: BTreeMap::new(),
            samples: Vec::new(),
            sample_places: HashMap::new(),
            failed: Bits::new(rule.moments.count),
            annotations: Annotations::default(),
        }
    }

    /// Keeps a sample for whoever asks later.
    fn remember(
        &mut self,
        rule: &PlannedRule<'_>,
        named: &Labels,
        labels: &Labels,
        value: &Value,
        tick: usize,
    ) {
        let samples = &mut self.samples;
        let column = *self
            .sample_places
            .entry(labels.clone())
            .or_insert_with_key(|labels| {
                samples.push((labels.clone(), Column::absent(rule.moments.count)));
                samples.len() - 1
            });
        match value {
            Value::Float(value) => samples[column].1.set(tick, *value),
            Value::Histogram(histogram) => {
                samples[column].1.set_histogram(tick, Arc::clone(histogram))
            }
        }
        let sources = &mut self.history.entry(named.clone()).or_default().sources;
        match sources.last_mut() {
            Some(last) if last.column == column && last.to == tick => last.to = tick + 1,
            _ => sources.push(Source {
                column,
                from: tick,
                to: tick + 1,
            }),
        }
    }

    /// Prometheus's walk over the active alerts of a rule.
    fn update(&mut self, result: &BTreeMap<Labels, usize>, alert: &AlertRule, moment: Timestamp) {
        let patience = patience(alert);
        self.active.retain(|labels, active| {
            if result.contains_key(labels) {
                active.keep_firing_since = None;
            } else {
                let mut keep_firing = false;
                if active.state == AlertState::Firing && patience.keep_firing_for > 0 {
                    let since = *active.keep_firing_since.get_or_insert(moment);
                    keep_firing = moment - since < patience.keep_firing_for;
                }
                if !keep_firing {
                    return false;
                }
            }
            if active.state == AlertState::Pending && moment - active.active_at >= patience.hold {
                active.state = AlertState::Firing;
            }
            true
        });
    }

    /// Ends and begins stretches where a tick changed something.
    fn note_changes(&mut self, tick: usize) {
        let active = self.active.iter();
        let now: BTreeMap<Labels, (AlertState, Timestamp)> = active
            .map(|(labels, active)| (labels.clone(), (active.state, active.active_at)))
            .collect();
        let before = std::mem::replace(&mut self.open, now);
        for (labels, was) in &before {
            if self.open.get(labels) != Some(was)
                && let Some(history) = self.history.get_mut(labels)
                && let Some(last) = history.stretches.last_mut()
            {
                last.to = Some(tick);
            }
        }
        for (labels, is) in &self.open {
            if before.get(labels) != Some(is)
                && let Some(history) = self.history.get_mut(labels)
            {
                let (state, active_at) = *is;
                history.stretches.push(TickStretch {
                    state,
                    from: tick,
                    to: None,
                    active_at,
                });
            }
        }
    }

    fn into_record(self, rule: &PlannedRule<'_>) -> Option<AlertRecord> {
        rule.alert()?;
        let active = self
            .history
            .into_iter()
            .filter(|(_, history)| !history.stretches.is_empty());
        let instances = active.map(|(labels, History { stretches, sources })| InstanceRecord {
            labels,
            stretches,
            sources,
        });
        Some(AlertRecord {
            instances: instances.collect(),
            samples: self.samples,
            failed: self.failed,
        })
    }
}
