//! The replay itself: component by component, over all moments where possible.

use std::collections::BTreeMap;

use crate::model::Timestamp;
use crate::promql::{Columns, Evaluated, View, evaluate};
use crate::store::{Points, Store};

use super::alert::{self, ALERTS, ALERTS_FOR_STATE, AlertRecord};
use super::append::{Inputs, RuleOutput, append, push, sample_at};
use super::graph::{Component, components};
use super::plan::{NO_VECTOR, PlannedRule};
use super::record::{Outcome, fail_everywhere, record};
use super::render::{Renderer, Setting};
use super::result::{Replay, RuleError};
use super::stepwise::step_through;
use super::{Mode, OnRuleError, ReplaySpec};
use crate::rules::RuleKind;

/// Runs a replay whose rules are planned.
pub(super) fn run<'a>(spec: ReplaySpec<'a>, rules: Vec<PlannedRule<'a>>) -> Replay<'a> {
    let setting = Setting {
        external_labels: spec.external_labels,
        external_url: spec.external_url,
        default_step: spec.interval.max(1),
        features: spec.features,
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
        errors: BTreeMap::new(),
    };
    match spec.mode {
        Mode::Batches => components(&rules)
            .iter()
            .for_each(|component| run.component(component)),
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
        ..
    } = run;
    let errors = errors.into_iter().map(|((at, rule), message)| RuleError {
        rule: rules[rule].id,
        at,
        message,
    });
    let errors = errors.collect();
    Replay::new(
        store,
        errors,
        stopped_at,
        rules.into_iter().zip(alerts).collect(),
        setting,
    )
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
    errors: BTreeMap<(Timestamp, usize), String>,
}

impl Run<'_, '_> {
    /// Evaluates rules whose inputs are complete, themselves excepted.
    fn component(&mut self, component: &Component) {
        if component.reads_itself {
            self.stepwise(&component.rules);
            return;
        }
        let mut outputs = Vec::with_capacity(component.rules.len());
        for &index in &component.rules {
            let outcome = self.batch(index);
            let rule = &self.rules[index];
            for (tick, message) in outcome.failures {
                self.fail(rule.moments.time(tick), index, message);
            }
            outputs.push(RuleOutput {
                writer: rule.writer,
                series: outcome.series,
            });
        }
        for refusal in append(&mut self.store, &self.inputs, outputs) {
            let index = refusal.writer.position as usize - 1;
            self.fail(refusal.moment, index, refusal.reason.to_string());
        }
    }

    /// Evaluates one rule over all its moments.
    fn batch(&mut self, index: usize) -> Outcome {
        let rule = &self.rules[index];
        let stamps = rule.stamps(self.until);
        let columns = self.evaluate(rule);
        match &rule.rule.kind {
            RuleKind::Recording { labels } => {
                record(rule.name(), labels, rule.limit, stamps, columns)
            }
            RuleKind::Alert(alert) => {
                let renderer = Renderer {
                    store: &self.store,
                    setting: self.setting,
                };
                let (outcome, record) = alert::alert(rule, alert, stamps, columns, &renderer);
                self.alerts[index] = Some(record);
                outcome
            }
        }
    }

    fn evaluate(&self, rule: &PlannedRule<'_>) -> Columns {
        let stamps = rule.stamps(self.until);
        if !rule.yields_vector() {
            return fail_everywhere(stamps, NO_VECTOR);
        }
        let view = View {
            features: self.setting.features,
            ..View::new(&self.store, rule.reader(), self.setting.default_step)
        };
        match evaluate(rule.query(), &view, stamps) {
            Evaluated::Vector(columns) | Evaluated::Scalar(columns) => columns,
            Evaluated::String(_) => fail_everywhere(stamps, NO_VECTOR),
        }
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
