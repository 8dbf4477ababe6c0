//! Rules evaluated moment by moment, one after the other, as Prometheus does it.
//!
//! Rules that read each other in a circle have no other way; for all others it is the measure of the fast one. What
//! stays the same from one moment to the next is kept: which series a selector finds, and where what is written goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::model::{Histogram, Labels, Timestamp};
use crate::promql::{Annotations, Repeated, Sample, Ticks, View};
use crate::store::{Points, Series, SeriesId, Store, stale_marker};

use super::alert::AlertRecord;
use super::append::{Head, Inputs, Offer, push};
use super::bits::Bits;
use super::plan::{NO_VECTOR, PlannedRule};
use super::record::{self, recorded_labels};
use super::render::{Renderer, Setting};
use super::stepped_alerts::SteppedAlerts;
use crate::rules::RuleKind;

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
        heads: Heads::default(),
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
struct Stepper<'a, 'q> {
    store: &'a mut Store,
    inputs: &'a Inputs,
    setting: &'a Setting,
    heads: Heads,
    states: Vec<RuleState<'q>>,
    errors: BTreeMap<(Timestamp, usize), String>,
}

/// The ends of all label sets that any of the rules has written.
#[derive(Debug, Default)]
struct Heads {
    all: Vec<Head>,
    places: HashMap<Labels, usize>,
}

/// What a rule remembers from one evaluation to the next.
struct RuleState<'q> {
    query: Repeated<'q>,
    outputs: Outputs,
    /// Where a recording rule writes a sample, by the sample's labels.
    recorded: HashMap<Labels, usize>,
    alerts: SteppedAlerts,
    failed: Bits,
    annotations: Annotations,
}

/// The series that a rule writes.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    all: Vec<OutputSeries>,
    places: HashMap<Labels, usize>,
    /// What the last successful evaluation left.
    returned: Vec<usize>,
}

/// One series that a rule writes.
#[derive(Debug)]
struct OutputSeries {
    labels: Labels,
    /// Among the heads, as soon as a sample was offered.
    head: Option<usize>,
    /// In the store, as soon as a sample was taken.
    series: Option<SeriesId>,
    /// The last tick whose evaluation has it.
    claimed: Option<usize>,
    /// The last tick that left a sample of it.
    left: Option<usize>,
}

/// A value that outlives its column.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Float(f64),
    Histogram(Arc<Histogram>),
}

/// A sample for one of the [`Outputs`].
type Written = (usize, Value);

impl Value {
    fn of(sample: Sample<'_>) -> Value {
        match sample {
            Sample::Float(value) => Value::Float(value),
            Sample::Histogram(histogram) => Value::Histogram(Arc::clone(histogram)),
        }
    }

    /// The value as a sample.
    pub(super) fn sample(&self) -> Sample<'_> {
        match self {
            Value::Float(value) => Sample::Float(*value),
            Value::Histogram(histogram) => Sample::Histogram(histogram),
        }
    }
}

impl Stepper<'_, '_> {
    /// One evaluation of one rule.
    fn step(&mut self, index: usize, rule: &PlannedRule<'_>, tick: usize, moment: Timestamp) {
        let result = self.evaluate(index, rule, moment).and_then(|vector| {
            let state = &mut self.states[index];
            match &rule.rule.kind {
                RuleKind::Recording { labels } => state.record(rule, labels, vector, tick),
                RuleKind::Alert(alert) => {
                    let renderer = Renderer {
                        store: self.store,
                        setting: self.setting,
                    };
                    let RuleState {
                        alerts, outputs, ..
                    } = state;
                    alerts.step(rule, alert, &renderer, vector, tick, outputs)
                }
            }
        });
        match result {
            Ok(written) => self.append(index, rule, written, tick, moment),
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
        let state = &mut self.states[index];
        let evaluated = state.query.evaluate(&view, ticks).into_columns();
        let columns = evaluated.ok_or(NO_VECTOR)?;
        if let Some(error) = columns.errors.get(&0) {
            return Err(error.message.clone());
        }
        state.annotations.merge(columns.annotations);
        let present = columns.series.into_iter();
        Ok(present
            .filter_map(|series| {
                let value = Value::of(series.column.get(0)?);
                Some((series.labels, value))
            })
            .collect())
    }

    /// Appends the samples of a successful evaluation, and stale markers for the series it no longer has.
    fn append(
        &mut self,
        index: usize,
        rule: &PlannedRule<'_>,
        mut written: Vec<Written>,
        tick: usize,
        moment: Timestamp,
    ) {
        let mut outputs = std::mem::take(&mut self.states[index].outputs);
        // Series that come to be at once do so in the order of their labels.
        if written.iter().any(|&(place, _)| outputs.is_new(place)) {
            written.sort_by(|&(a, _), &(b, _)| outputs.labels(a).cmp(outputs.labels(b)));
        }
        let mut returned = Vec::with_capacity(written.len());
        let mut refused: Option<(usize, String)> = None;
        for (place, value) in &written {
            let output = &mut outputs.all[*place];
            match self.offer(output, rule, moment, value.sample()) {
                Offer::Refused(reason) => {
                    let is_last = |&(other, _): &(usize, String)| {
                        outputs.labels(other) < outputs.labels(*place)
                    };
                    if refused.as_ref().is_none_or(is_last) {
                        refused = Some((*place, reason.to_string()));
                    }
                }
                Offer::Taken | Offer::TakenAs(_) | Offer::Same => {
                    output.left = Some(tick);
                    returned.push(*place);
                }
            }
        }
        if let Some((_, reason)) = refused {
            self.errors.insert((moment, index), reason);
        }
        let mut gone = std::mem::replace(&mut outputs.returned, returned);
        gone.retain(|&place| outputs.all[place].left != Some(tick));
        if gone.iter().any(|&place| outputs.is_new(place)) {
            gone.sort_by(|&a, &b| outputs.labels(a).cmp(outputs.labels(b)));
        }
        for place in gone {
            let marker = Sample::Float(stale_marker());
            self.offer(&mut outputs.all[place], rule, moment, marker);
        }
        self.states[index].outputs = outputs;
    }

    /// Appends one sample if it may be.
    fn offer(
        &mut self,
        output: &mut OutputSeries,
        rule: &PlannedRule<'_>,
        moment: Timestamp,
        sample: Sample<'_>,
    ) -> Offer {
        let labels = &output.labels;
        let head = *output
            .head
            .get_or_insert_with(|| self.heads.place(labels, self.inputs));
        let head = &mut self.heads.all[head];
        head.take_inputs(self.store, moment);
        let stamp = moment - rule.writer.offset;
        let offer = head.offer(stamp, sample);
        if !matches!(offer, Offer::Same | Offer::Refused(_)) {
            let id = *output.series.get_or_insert_with(|| {
                self.store.add(Series {
                    labels: labels.clone(),
                    points: Points::regular(stamp, rule.moments.step, Vec::new()),
                    writer: rule.writer,
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

impl Heads {
    /// The place of a label set's head.
    fn place(&mut self, labels: &Labels, inputs: &Inputs) -> usize {
        *self.places.entry(labels.clone()).or_insert_with(|| {
            self.all.push(Head::new(inputs.of(labels)));
            self.all.len() - 1
        })
    }
}

impl Outputs {
    /// The place of a label set.
    pub(super) fn place(&mut self, labels: Labels) -> usize {
        *self.places.entry(labels).or_insert_with_key(|labels| {
            self.all.push(OutputSeries {
                labels: labels.clone(),
                head: None,
                series: None,
                claimed: None,
                left: None,
            });
            self.all.len() - 1
        })
    }

    /// Whether the evaluation of a tick has the series at a place for the first time.
    pub(super) fn claim(&mut self, place: usize, tick: usize) -> bool {
        self.all[place].claimed.replace(tick) != Some(tick)
    }

    fn labels(&self, place: usize) -> &Labels {
        &self.all[place].labels
    }

    /// Whether the store has no series for it.
    fn is_new(&self, place: usize) -> bool {
        self.all[place].series.is_none()
    }
}

impl<'q> RuleState<'q> {
    fn new(rule: &PlannedRule<'q>) -> RuleState<'q> {
        RuleState {
            query: Repeated::new(rule.query()),
            outputs: Outputs::default(),
            recorded: HashMap::new(),
            alerts: SteppedAlerts::default(),
            failed: Bits::new(rule.moments.count),
            annotations: Annotations::default(),
        }
    }

    /// The evaluation of a recording rule; returns the samples to write.
    fn record(
        &mut self,
        rule: &PlannedRule<'_>,
        rule_labels: &[(String, String)],
        vector: Vec<(Labels, Value)>,
        tick: usize,
    ) -> Result<Vec<Written>, String> {
        let mut written = Vec::with_capacity(vector.len());
        for (labels, value) in vector {
            let place = *self.recorded.entry(labels).or_insert_with_key(|labels| {
                let labels = recorded_labels(rule.name(), rule_labels, labels);
                self.outputs.place(labels)
            });
            if !self.outputs.claim(place, tick) {
                return Err(record::duplicate());
            }
            written.push((place, value));
        }
        match rule.limit > 0 && written.len() > rule.limit {
            true => Err(record::exceeded(rule.limit, written.len())),
            false => Ok(written),
        }
    }

    fn into_record(self, rule: &PlannedRule<'_>) -> Option<AlertRecord> {
        rule.alert()?;
        Some(self.alerts.into_record(self.failed))
    }
}
