//! The alerts of a rule that goes moment by moment.

use hashbrown::HashMap;

use crate::model::Labels;
use crate::promql::{Column, Sample};

use super::alert::{self, AlertRecord, InstanceRecord, Source, alert_labels};
use super::bits::Bits;
use super::machine::Track;
use super::plan::{PlannedRule, patience};
use super::render::Renderer;
use super::stepwise::{Outputs, Value};
use super::synthetic::{for_state_value, synthetic_labels};
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
    track: Track,
    /// The last tick whose result had it.
    seen: Option<usize>,
    sources: Vec<Source>,
    /// Where `ALERTS` goes while it is pending and while it is firing, and `ALERTS_FOR_STATE`.
    outputs: [Option<usize>; 3],
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
        let before = self.active.len();
        for ((column, place), (_, value)) in found.into_iter().zip(vector) {
            match value {
                Value::Float(value) => self.samples[column].1.set(tick, value),
                Value::Histogram(histogram) => {
                    self.samples[column].1.set_histogram(tick, histogram)
                }
            }
            let instance = &mut self.instances[place];
            Source::note(&mut instance.sources, column, tick);
            if !instance.track.is_active() {
                self.active.push(place);
            }
        }
        if self.active.len() > before {
            let instances = &self.instances;
            let by_labels = |&a: &usize, &b: &usize| instances[a].labels.cmp(&instances[b].labels);
            self.active.sort_by(by_labels);
        }
        let instances = &mut self.instances;
        self.active.retain(|&place| {
            let Instance { track, seen, .. } = &mut instances[place];
            track.advance(tick, moment, *seen == Some(tick), patience(alert));
            track.is_active()
        });
        let count = self.active.len();
        if rule.limit > 0 && count > rule.limit {
            for place in self.active.drain(..) {
                instances[place].track.clear(tick);
            }
            return Err(alert::exceeded(rule.limit, count));
        }
        Ok(self.written(rule, alert, tick, outputs))
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
            let Some((state, active_at)) = instance.track.active() else {
                continue;
            };
            let for_state = for_state_value(active_at);
            let of_alert = match state {
                AlertState::Pending => 0,
                AlertState::Firing => 1,
            };
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
        let instances = self.instances.into_iter().map(|instance| InstanceRecord {
            labels: instance.labels,
            stretches: instance.track.into_stretches(),
            sources: instance.sources,
        });
        let active = instances.filter(|instance| !instance.stretches.is_empty());
        let mut instances: Vec<InstanceRecord> = active.collect();
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
            track: Track::default(),
            seen: None,
            sources: Vec::new(),
            outputs: [None; 3],
        }
    }
}
