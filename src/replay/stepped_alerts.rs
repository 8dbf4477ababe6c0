//! The alerts of a rule that goes moment by moment.

use hashbrown::HashMap;

use crate::model::{Labels, Timestamp};
use crate::promql::{Column, Sample};

use super::alert::{
    self, AlertRecord, InstanceRecord, Source, alert_labels, for_state_value, synthetic_labels,
};
use super::bits::Bits;
use super::machine::TickStretch;
use super::plan::{PlannedRule, patience};
use super::render::Renderer;
use super::stepwise::{Outputs, Value};
use super::timeline::AlertState;
use crate::rules::AlertRule;

/// What an alerting rule remembers from one evaluation to the next.
#[derive(Debug, Default)]
pub(super) struct SteppedAlerts {
    /// All label sets that there ever were.
    instances: Vec<Instance>,
    places: HashMap<Labels, usize>,
    /// Those that are pending or firing, in the order of labels.
    active: Vec<usize>,
    /// The samples that the expression returned.
    samples: Vec<(Labels, Column)>,
    origins: HashMap<Labels, Origin>,
}

/// Where samples of one label set go.
#[derive(Debug, Clone, Copy)]
struct Origin {
    /// Among the samples.
    column: usize,
    /// Among the instances, where that hangs on nothing but the labels.
    instance: Option<usize>,
}

/// One label set of an alert.
#[derive(Debug)]
struct Instance {
    labels: Labels,
    active: Option<Active>,
    /// State and start after the last evaluation.
    open: Option<(AlertState, Timestamp)>,
    /// The last tick whose result had it.
    seen: Option<usize>,
    stretches: Vec<TickStretch>,
    sources: Vec<Source>,
    /// Where `ALERTS` goes while it is pending and while it is firing, and `ALERTS_FOR_STATE`.
    outputs: [Option<usize>; 3],
}

/// An alert as Prometheus keeps it.
#[derive(Debug, Clone)]
struct Active {
    state: AlertState,
    active_at: Timestamp,
    keep_firing_since: Option<Timestamp>,
}

impl SteppedAlerts {
    /// Takes the result of a tick's evaluation; returns the samples to write.
    pub(super) fn step(
        &mut self,
        rule: &PlannedRule<'_>,
        alert: &AlertRule,
        renderer: &Renderer<'_>,
        vector: Vec<(Labels, Value)>,
        tick: usize,
        outputs: &mut Outputs,
    ) -> Result<Vec<(usize, Value)>, String> {
        let moment = rule.moments.time(tick);
        let mut found = Vec::with_capacity(vector.len());
        for (labels, value) in &vector {
            let origin = self.origin(rule, alert, renderer, labels, value.sample(), tick);
            if self.instances[origin.1].seen.replace(tick) == Some(tick) {
                return Err(alert::DUPLICATE.to_owned());
            }
            found.push(origin);
        }
        let before = self.active.clone();
        for ((column, place), (_, value)) in found.into_iter().zip(vector) {
            match value {
                Value::Float(value) => self.samples[column].1.set(tick, value),
                Value::Histogram(histogram) => {
                    self.samples[column].1.set_histogram(tick, histogram)
                }
            }
            self.instances[place].source(column, tick);
            if self.instances[place].active.is_none() {
                self.active.push(place);
                self.instances[place].active = Some(Active {
                    state: AlertState::Pending,
                    active_at: moment,
                    keep_firing_since: None,
                });
            }
        }
        if self.active.len() > before.len() {
            let instances = &self.instances;
            let by_labels = |&a: &usize, &b: &usize| instances[a].labels.cmp(&instances[b].labels);
            self.active.sort_by(by_labels);
        }
        let instances = &mut self.instances;
        self.active
            .retain(|&place| instances[place].update(alert, tick, moment));
        let count = self.active.len();
        let exceeded = rule.limit > 0 && count > rule.limit;
        if exceeded {
            for place in self.active.drain(..) {
                instances[place].active = None;
            }
        }
        for &place in before.iter().chain(&self.active) {
            instances[place].note_change(tick);
        }
        match exceeded {
            true => Err(alert::exceeded(rule.limit, count)),
            false => Ok(self.written(rule, alert, tick, outputs)),
        }
    }

    /// Where a sample goes: its column, and its place among the instances.
    fn origin(
        &mut self,
        rule: &PlannedRule<'_>,
        alert: &AlertRule,
        renderer: &Renderer<'_>,
        labels: &Labels,
        sample: Sample<'_>,
        tick: usize,
    ) -> (usize, usize) {
        let known = self.origins.get(labels).copied();
        if let Some(Origin {
            column,
            instance: Some(instance),
        }) = known
        {
            return (column, instance);
        }
        let named = alert_labels(rule.name(), alert, labels, |template| {
            renderer.render(rule, template, labels, sample, rule.moments.time(tick))
        });
        let instance = *self.places.entry(named).or_insert_with_key(|named| {
            self.instances.push(Instance::new(named.clone()));
            self.instances.len() - 1
        });
        let column = known.map_or_else(
            || {
                let column = Column::absent(rule.moments.count);
                self.samples.push((labels.clone(), column));
                let column = self.samples.len() - 1;
                let mut templates = alert.labels.iter().map(|(_, template)| template);
                let is_fixed = templates.all(|template| template.is_literal());
                let origin = Origin {
                    column,
                    instance: is_fixed.then_some(instance),
                };
                self.origins.insert(labels.clone(), origin);
                column
            },
            |known| known.column,
        );
        (column, instance)
    }

    /// The samples that the active alerts make; of a label set that two of them make the first one's.
    fn written(
        &mut self,
        rule: &PlannedRule<'_>,
        alert: &AlertRule,
        tick: usize,
        outputs: &mut Outputs,
    ) -> Vec<(usize, Value)> {
        let mut written = Vec::with_capacity(2 * self.active.len());
        for &place in &self.active {
            let instance = &mut self.instances[place];
            let Some(active) = &instance.active else {
                continue;
            };
            let for_state = for_state_value(active.active_at);
            let of_alert = match active.state {
                AlertState::Pending => 0,
                AlertState::Firing => 1,
            };
            let state = active.state;
            for (which, state, value) in [(of_alert, Some(state), 1.0), (2, None, for_state)] {
                let labels = &instance.labels;
                let place = *instance.outputs[which].get_or_insert_with(|| {
                    outputs.place(synthetic_labels(rule.name(), alert, labels, state))
                });
                if outputs.claim(place, tick) {
                    written.push((place, Value::Float(value)));
                }
            }
        }
        written
    }

    /// What is kept of the rule in the end.
    pub(super) fn into_record(self, failed: Bits) -> AlertRecord {
        let active = self.instances.into_iter();
        let active = active.filter(|instance| !instance.stretches.is_empty());
        let instances = active.map(|instance| InstanceRecord {
            labels: instance.labels,
            stretches: instance.stretches,
            sources: instance.sources,
        });
        let mut instances: Vec<InstanceRecord> = instances.collect();
        instances.sort_by(|a, b| a.labels.cmp(&b.labels));
        AlertRecord {
            instances,
            samples: self.samples,
            failed,
        }
    }
}

impl Instance {
    fn new(labels: Labels) -> Instance {
        Instance {
            labels,
            active: None,
            open: None,
            seen: None,
            stretches: Vec::new(),
            sources: Vec::new(),
            outputs: [None; 3],
        }
    }

    /// Notes the column of a tick.
    fn source(&mut self, column: usize, tick: usize) {
        match self.sources.last_mut() {
            Some(last) if last.column == column && last.to == tick => last.to = tick + 1,
            _ => self.sources.push(Source {
                column,
                from: tick,
                to: tick + 1,
            }),
        }
    }

    /// What Prometheus does with an active alert at every evaluation; returns whether it stays one.
    fn update(&mut self, alert: &AlertRule, tick: usize, moment: Timestamp) -> bool {
        let patience = patience(alert);
        let Some(active) = &mut self.active else {
            return false;
        };
        if self.seen == Some(tick) {
            active.keep_firing_since = None;
        } else {
            let mut keep_firing = false;
            if active.state == AlertState::Firing && patience.keep_firing_for > 0 {
                let since = *active.keep_firing_since.get_or_insert(moment);
                keep_firing = moment - since < patience.keep_firing_for;
            }
            if !keep_firing {
                self.active = None;
                return false;
            }
        }
        if active.state == AlertState::Pending && moment - active.active_at >= patience.hold {
            active.state = AlertState::Firing;
        }
        true
    }

    /// Ends and begins a stretch where a tick changed something.
    fn note_change(&mut self, tick: usize) {
        let active = self.active.as_ref();
        let now = active.map(|active| (active.state, active.active_at));
        let was = std::mem::replace(&mut self.open, now);
        if was == now {
            return;
        }
        if let (Some(_), Some(last)) = (was, self.stretches.last_mut()) {
            last.to = Some(tick);
        }
        if let Some((state, active_at)) = now {
            self.stretches.push(TickStretch {
                state,
                from: tick,
                to: None,
                active_at,
            });
        }
    }
}
