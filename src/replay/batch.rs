//! The replay itself: component by component, over all moments where possible.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::model::Timestamp;
use crate::promql::{Annotations, Columns, View, evaluate};
use crate::store::{Points, Store};

use super::alert::{self, AlertRecord};
use super::append::{Inputs, RuleOutput, append, push, sample_at};
use super::graph::{Component, components};
use super::plan::{NO_VECTOR, PlannedRule};
use super::record::{Outcome, fail_everywhere, record};
use super::render::{Renderer, Setting};
use super::result::{Replay, RuleError};
use super::stepwise::step_through;
use super::synthetic::{ALERTS, ALERTS_FOR_STATE};
use super::{Mode, OnRuleError, ReplaySpec};
use crate::rules::RuleKind;

/// Runs a replay whose rules are planned.
pub(super) fn run<'a>(spec: ReplaySpec<'a>, rules: Vec<PlannedRule<'a>>) -> Replay<'a> {
    let setting = Setting {
        external_labels: spec.external_labels,
        external_url: spec.external_url,
        default_step: spec.interval.max(1),
        features: spec.features,
        max_samples: spec.max_samples,
    };
    let recorded = rules
        .iter()
        .filter(|rule| rule.alert().is_none())
        .map(PlannedRule::name);
    let mut names: Vec<&str> = recorded.chain([ALERTS, ALERTS_FOR_STATE]).collect();
    names.sort_unstable();
    names.dedup();
    let mut run = Run {
        inputs: Inputs::under(&spec.store, names),
        store: spec.store,
        setting: &setting,
        stop: spec.on_error == OnRuleError::Stop,
        until: spec.end,
        rules: &rules,
        alerts: rules.iter().map(|_| None).collect(),
        annotations: vec![Annotations::default(); rules.len()],
        errors: BTreeMap::new(),
    };
    match spec.mode {
        Mode::Batches => {
            let mut components = components(&rules);
            components.sort_by_key(|component| component.level);
            for level in components.chunk_by(|a, b| a.level == b.level) {
                run.level(&level.iter().collect::<Vec<_>>());
            }
        }
        Mode::TickByTick => {
            let all: Vec<usize> = (0..rules.len()).collect();
            run.stepwise(&all);
        }
    }
    let stopped_at = run.cut();
    let Run {
        store,
        alerts,
        errors,
        annotations,
        ..
    } = run;
    let annotations = rules.iter().zip(annotations);
    let annotations = annotations
        .filter(|(_, found)| !found.is_empty())
        .map(|(rule, found)| (rule.id, found))
        .collect();
    let errors = errors.into_iter().map(|((at, rule), message)| RuleError {
        rule: rules[rule].id,
        at,
        message,
    });
    let errors = errors.collect();
    Replay::new(
        store,
        errors,
        annotations,
        stopped_at,
        rules.into_iter().zip(alerts).collect(),
        setting,
    )
}

/// Evaluations times series above which rules are spread over threads.
const PARALLEL_WORK: usize = 100_000;

/// What one rule yielded over all its moments.
struct Batch {
    outcome: Outcome,
    record: Option<AlertRecord>,
    annotations: Annotations,
}

/// A replay under way.
struct Run<'r, 'a> {
    store: Store,
    inputs: Inputs,
    setting: &'r Setting,
    stop: bool,
    /// The last moment of interest: the end, or the earliest error so far where errors stop the replay.
    until: Timestamp,
    rules: &'r [PlannedRule<'a>],
    alerts: Vec<Option<AlertRecord>>,
    /// What there is to say of each rule's query.
    annotations: Vec<Annotations>,
    errors: BTreeMap<(Timestamp, usize), String>,
}

impl Run<'_, '_> {
    /// Evaluates components that do not read each other and whose inputs are complete.
    fn level(&mut self, components: &[&Component]) {
        let (circles, free): (Vec<&Component>, Vec<&Component>) = components
            .iter()
            .partition(|component| component.reads_itself);
        let rules: Vec<usize> = free
            .iter()
            .flat_map(|component| &component.rules)
            .copied()
            .collect();
        let work = |&index: &usize| self.rules[index].moments.count;
        let work = rules
            .iter()
            .map(work)
            .sum::<usize>()
            .saturating_mul(self.store.iter().count());
        let mut batches: Vec<Batch> = match work < PARALLEL_WORK || rules.len() == 1 {
            true => rules.iter().map(|&index| self.batch(index)).collect(),
            false => rules
                .par_iter()
                .with_max_len(1)
                .map(|&index| self.batch(index))
                .collect(),
        };
        let mut batches = batches.drain(..);
        for component in free {
            self.write(&component.rules, &mut batches);
        }
        // Last, since they are the slow ones: where errors stop the replay, those so far make them shorter.
        for component in circles {
            self.stepwise(&component.rules);
        }
    }

    /// Writes what the rules of a component yielded.
    fn write(&mut self, indexes: &[usize], batches: &mut impl Iterator<Item = Batch>) {
        let mut outputs = Vec::with_capacity(indexes.len());
        for (&index, batch) in indexes.iter().zip(batches) {
            let rule = &self.rules[index];
            self.annotations[index] = batch.annotations;
            let outcome = batch.outcome;
            for (tick, message) in outcome.failures {
                self.fail(rule.moments.time(tick), index, message);
            }
            self.alerts[index] = batch.record;
            outputs.push(RuleOutput {
                writer: rule.writer,
                series: outcome.series,
            });
        }
        for refusal in append(&mut self.store, &self.inputs, outputs) {
            let position = |rule: &PlannedRule<'_>| rule.writer.position;
            let index = self
                .rules
                .binary_search_by_key(&refusal.writer.position, position);
            if let Ok(index) = index {
                self.fail(refusal.moment, index, refusal.reason.to_string());
            }
        }
    }

    /// Evaluates one rule over all its moments.
    fn batch(&self, index: usize) -> Batch {
        let rule = &self.rules[index];
        let stamps = rule.stamps(self.until);
        let mut columns = self.evaluate(rule);
        let annotations = std::mem::take(&mut columns.annotations);
        let (outcome, record) = match &rule.rule.kind {
            RuleKind::Recording { labels } => {
                let outcome = record(rule.name(), labels, rule.limit, stamps, columns);
                (outcome, None)
            }
            RuleKind::Alert(alert) => {
                let renderer = Renderer {
                    store: &self.store,
                    setting: self.setting,
                };
                let (outcome, record) = alert::alert(rule, alert, stamps, columns, &renderer);
                (outcome, Some(record))
            }
        };
        Batch {
            outcome,
            record,
            annotations,
        }
    }

    fn evaluate(&self, rule: &PlannedRule<'_>) -> Columns {
        let stamps = rule.stamps(self.until);
        if stamps.count == 0 {
            return Columns::new(stamps);
        }
        if !rule.yields_vector() {
            return fail_everywhere(stamps, NO_VECTOR);
        }
        let view = View {
            features: self.setting.features,
            max_samples: self.setting.max_samples,
            ..View::new(&self.store, rule.reader(), self.setting.default_step)
        };
        let evaluated = evaluate(rule.query(), &view, stamps).into_columns();
        evaluated.unwrap_or_else(|| fail_everywhere(stamps, NO_VECTOR))
    }

    /// Evaluates rules moment by moment.
    fn stepwise(&mut self, indexes: &[usize]) {
        let rules: Vec<PlannedRule<'_>> = indexes.iter().map(|&index| self.rules[index]).collect();
        let stepped = step_through(
            &mut self.store,
            &self.inputs,
            &rules,
            self.setting,
            self.until,
            self.stop,
        );
        for (&index, record) in indexes.iter().zip(stepped.alerts) {
            self.alerts[index] = record;
        }
        for (&index, found) in indexes.iter().zip(stepped.annotations) {
            self.annotations[index] = found;
        }
        for ((moment, rule), message) in stepped.errors {
            self.fail(moment, indexes[rule], message);
        }
    }

    /// Notes a rule's error.
    fn fail(&mut self, moment: Timestamp, rule: usize, message: String) {
        if self.stop {
            self.until = self.until.min(moment);
        }
        self.errors.insert((moment, rule), message);
    }

    /// Where the replay stopped at an error, forgets all that rules did after it.
    fn cut(&mut self) -> Option<Timestamp> {
        let (&(first, _), _) = self.errors.first_key_value().filter(|_| self.stop)?;
        self.errors.retain(|&(moment, _), _| moment == first);
        cut_store(&mut self.store, first);
        for (rule, record) in self.rules.iter().zip(&mut self.alerts) {
            if let Some(record) = record {
                cut_alert(record, rule, first);
            }
        }
        // What there was to say is not kept by moments.
        self.until = first;
        for index in 0..self.rules.len() {
            if !self.annotations[index].is_empty() {
                self.annotations[index] = self.evaluate(&self.rules[index]).annotations;
            }
        }
        Some(first)
    }
}

/// Drops the samples that rules wrote after a moment.
fn cut_store(store: &mut Store, moment: Timestamp) {
    for id in store.select(&[]) {
        let series = store.get(id);
        let kept = series.points.count_until(moment - series.writer.offset);
        if series.writer.position == 0 || kept == series.points.len() {
            continue;
        }
        let mut points = Points::default();
        for index in 0..kept {
            push(
                &mut points,
                series.points.time(index),
                sample_at(&series.points, index),
            );
        }
        store.get_mut(id).points = points;
    }
}

/// Drops the stretches of an alert after a moment.
fn cut_alert(record: &mut AlertRecord, rule: &PlannedRule<'_>, moment: Timestamp) {
    let count = rule.moments_until(moment).count;
    for instance in &mut record.instances {
        instance.stretches.retain(|stretch| stretch.from < count);
        if let Some(last) = instance.stretches.last_mut() {
            last.to = last.to.filter(|&to| to < count);
        }
    }
    record
        .instances
        .retain(|instance| !instance.stretches.is_empty());
}
