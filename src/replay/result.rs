//! What a replay leaves behind, and questions to it.

use std::sync::Arc;

use crate::model::{Histogram, Labels, Timestamp};
use crate::promql::selectors::greediest;
use crate::promql::{
    Annotations, Columns, Reader, Sample, TOO_MANY_SAMPLES, TOO_MANY_STEPS, Ticks, View,
};
use crate::store::{Series, Store};

use super::alert::{AlertRecord, InstanceRecord, fixed_labels};
use super::plan::PlannedRule;
use super::render::{Renderer, Setting};
use super::timeline::{AlertState, AlertTimeline, Instance, RuleId, Stretch, Timeline};
use crate::rules::{AlertRule, Rule};
use crate::text::Span;

/// What rules did over time.
#[derive(Debug)]
pub struct Replay<'a> {
    /// The inputs and all that rules wrote: recorded series, `ALERTS`, `ALERTS_FOR_STATE`.
    pub store: Store,
    /// What every alert did.
    pub timeline: Timeline,
    /// Evaluations that failed, in the order of moments and then of rules. Where errors stop the replay, only
    /// those of the last moment.
    pub errors: Vec<RuleError>,
    /// What there is to say of the queries of rules, by rule, where there is anything.
    pub annotations: Vec<(RuleId, Annotations)>,
    /// The last moment, where an error stopped the replay.
    pub stopped_at: Option<Timestamp>,
    rules: Vec<(PlannedRule<'a>, Option<AlertRecord>)>,
    setting: Setting,
}

/// A rule that failed at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// Which rule.
    pub rule: RuleId,
    /// The moment.
    pub at: Timestamp,
    /// Why, in Prometheus's words.
    pub message: String,
}

impl RuleError {
    /// Which part of the rule's file it speaks of: the expression, or what in it takes too many samples.
    pub fn place(&self, rule: &Rule) -> Span {
        let greediest = match [TOO_MANY_SAMPLES, TOO_MANY_STEPS].contains(&self.message.as_str()) {
            true => greediest(&rule.expr.expr),
            false => None,
        };
        let text = &rule.expr_text;
        greediest.map_or_else(|| text.whole(), |span| text.span(span))
    }
}

/// An alert that is pending or firing at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct ActiveAlert {
    /// Its rule.
    pub rule: RuleId,
    /// Pending or firing.
    pub state: AlertState,
    /// Its labels, `alertname` among them.
    pub labels: Labels,
    /// Its annotations, rendered, in the order of names.
    pub annotations: Vec<(String, String)>,
    /// The value at the last evaluation that returned it.
    pub value: AlertValue,
    /// When its condition came true.
    pub active_at: Timestamp,
    /// The first evaluation without its condition, where only `keep_firing_for` keeps it firing.
    pub quiet_since: Option<Timestamp>,
}

/// How a rule stands after its last evaluation at or before a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing<'r> {
    /// The time of that evaluation; `None` where there was none.
    pub evaluated: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<&'r str>,
    /// The alerts that are pending or firing, in the order of labels; none for a recording rule.
    pub alerts: Vec<ActiveAlert>,
}

/// How a rule looks at the store.
#[derive(Debug, Clone)]
pub struct Sight<'r> {
    /// What it sees.
    pub view: View<'r>,
    /// The moments at which it was evaluated.
    pub moments: Ticks,
    /// The times for which it was evaluated then: earlier by its group's `query_offset`.
    pub times: Ticks,
}

/// The value of an alert.
#[derive(Debug, Clone, PartialEq)]
pub enum AlertValue {
    /// A number.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
}

impl<'a> Replay<'a> {
    /// The alerts of a name that fire after the evaluation at or before a moment: rules in the order of
    /// evaluation, and each one's alerts in the order of labels.
    pub fn firing_at(&self, alert: &str, at: Timestamp) -> Vec<ActiveAlert> {
        let rules = self.rules.iter().filter(|(rule, _)| rule.name() == alert);
        rules
            .flat_map(|(rule, record)| {
                self.active_of(rule, record.as_ref(), at, AlertState::Firing)
            })
            .collect()
    }

    /// The alerts of a name that are pending after the evaluation at or before a moment.
    pub fn pending_at(&self, alert: &str, at: Timestamp) -> Vec<ActiveAlert> {
        let rules = self.rules.iter().filter(|(rule, _)| rule.name() == alert);
        rules
            .flat_map(|(rule, record)| {
                self.active_of(rule, record.as_ref(), at, AlertState::Pending)
            })
            .collect()
    }

    /// How a rule stands after its last evaluation at or before a moment; `None` for a rule that was not replayed.
    pub fn standing(&self, id: RuleId, at: Timestamp) -> Option<Standing<'_>> {
        let (rule, record) = self.rules.iter().find(|(rule, _)| rule.id == id)?;
        let last = rule.moments_until(self.clamped(at));
        let evaluated = last.count.checked_sub(1).map(|tick| last.time(tick));
        let errors = self.errors.iter();
        let mut at_last = errors.filter(|error| error.rule == id && Some(error.at) == evaluated);
        let states = [AlertState::Pending, AlertState::Firing].into_iter();
        let mut alerts: Vec<ActiveAlert> = states
            .flat_map(|state| self.active_of(rule, record.as_ref(), at, state))
            .collect();
        alerts.sort_by(|a, b| a.labels.cmp(&b.labels));
        Some(Standing {
            evaluated,
            error: at_last.next().map(|error| error.message.as_str()),
            alerts,
        })
    }

    /// What somebody sees who asks when everything up to a moment has been evaluated.
    pub fn view_after(&self, moment: Timestamp) -> View<'_> {
        self.view_as(Reader::After(moment))
    }

    /// What a reader sees.
    pub(super) fn view_as(&self, reader: Reader) -> View<'_> {
        View {
            features: self.setting.features,
            max_samples: self.setting.max_samples,
            ..View::new(&self.store, reader, self.setting.default_step)
        }
    }

    /// What somebody sees who asks at each moment when everything up to it has been evaluated.
    pub fn view_live(&self) -> View<'_> {
        View {
            reader: Reader::Rule {
                position: u32::MAX,
                offset: 0,
            },
            ..self.view_after(Timestamp::MAX)
        }
    }

    /// How a rule looked at the store whenever it was evaluated; `None` for a rule that was not replayed.
    pub fn sight(&self, id: RuleId) -> Option<Sight<'_>> {
        let rule = self.planned(id)?;
        let end = self.clamped(Timestamp::MAX);
        Some(Sight {
            view: View {
                reader: rule.reader(),
                ..self.view_after(end)
            },
            moments: rule.moments_until(end),
            times: rule.stamps(end),
        })
    }

    /// The store without what some rules wrote, given in order.
    pub fn store_without(&self, rules: &[RuleId]) -> Store {
        let written = rules.iter().filter_map(|id| self.planned(*id));
        let written: Vec<u32> = written.map(|rule| rule.writer.position).collect();
        let is_other = |series: &Series| written.binary_search(&series.writer.position).is_err();
        self.store.filtered(is_other)
    }

    /// The labels of the alerts that the series of a result make under a rule; `None` where they may depend on values or
    /// moments, and for a rule that does not alert.
    pub fn alert_labels(&self, id: RuleId, columns: &Columns) -> Option<Vec<Labels>> {
        let rule = self.planned(id)?;
        let renderer = Renderer {
            store: &self.store,
            setting: &self.setting,
        };
        fixed_labels(rule, rule.alert()?, columns, &renderer)
    }

    /// The series that a rule wrote.
    pub fn written_by(&self, id: RuleId) -> impl Iterator<Item = &Series> {
        let writer = self.planned(id).map(|rule| rule.writer);
        let is_own = move |series: &&Series| Some(series.writer) == writer;
        let own = self.store.iter().filter(is_own);
        own.filter(|series| !series.points.is_empty())
    }

    fn planned(&self, id: RuleId) -> Option<&PlannedRule<'a>> {
        // Rules stand in the order of groups.
        let place = self.rules.binary_search_by_key(&id, |(rule, _)| rule.id);
        Some(&self.rules.get(place.ok()?)?.0)
    }

    /// Every evaluation after which an instance fires, with the alert as it was then; where `only` is given, just the last
    /// one up to that moment, if it fires after that. `alert` and `instance` count as in the [`Timeline`].
    pub fn firings(
        &self,
        alert: usize,
        instance: usize,
        only: Option<Timestamp>,
    ) -> impl Iterator<Item = (Timestamp, ActiveAlert)> {
        let found = self.recorded(alert, instance);
        found.into_iter().flat_map(move |(rule, record, instance)| {
            let firing = instance.stretches.iter();
            let firing = firing.filter(|stretch| stretch.state == AlertState::Firing);
            let end = rule.moments_until(self.clamped(Timestamp::MAX)).count;
            let asked = only.map(|only| rule.moments_until(self.clamped(only)).count);
            let is_asked = move |tick: &usize| asked.is_none_or(|count| tick + 1 == count);
            let ticks = firing.flat_map(move |stretch| {
                let last = stretch.to.map_or(end, |to| to.min(end));
                (stretch.from..last).filter(is_asked)
            });
            ticks.filter_map(move |tick| {
                let alert = rule.alert()?;
                let active =
                    self.active(rule, alert, record, instance, tick, AlertState::Firing)?;
                Some((rule.moments.time(tick), active))
            })
        })
    }

    /// What is kept of an instance, by its places in the [`Timeline`].
    fn recorded(
        &self,
        alert: usize,
        instance: usize,
    ) -> Option<(&PlannedRule<'a>, &AlertRecord, &InstanceRecord)> {
        let records = self.rules.iter();
        let mut records = records.filter_map(|(rule, record)| Some((rule, record.as_ref()?)));
        let (rule, record) = records.nth(alert)?;
        Some((rule, record, record.instances.get(instance)?))
    }

    /// All rules in the order of evaluation.
    pub(super) fn rules(&self) -> impl Iterator<Item = &PlannedRule<'a>> {
        self.rules.iter().map(|(rule, _)| rule)
    }

    /// The float values that an instance's condition had during a stretch, with their moments. `alert` and
    /// `instance` count as in the [`Timeline`].
    pub fn values(
        &self,
        alert: usize,
        instance: usize,
        stretch: &Stretch,
    ) -> Vec<(Timestamp, f64)> {
        let Some((rule, record, instance)) = self.recorded(alert, instance) else {
            return Vec::new();
        };
        let moments = rule.moments;
        let last = stretch.to.map_or(Timestamp::MAX, |to| to - 1);
        let end = rule.moments_until(self.clamped(last)).count;
        let first = rule.tick_at(stretch.from).unwrap_or(end);
        let mut values = Vec::new();
        for source in &instance.sources {
            let Some((_, column)) = record.samples.get(source.column) else {
                continue;
            };
            let ticks = source.from.max(first)..source.to.min(end).min(column.len());
            values.extend(
                ticks
                    .filter(|&tick| !record.failed.get(tick))
                    .filter_map(|tick| match column.get(tick) {
                        Some(Sample::Float(value)) => Some((moments.time(tick), value)),
                        _ => None,
                    }),
            );
        }
        values.sort_by_key(|&(moment, _)| moment);
        values
    }

    pub(super) fn new(
        store: Store,
        errors: Vec<RuleError>,
        annotations: Vec<(RuleId, Annotations)>,
        stopped_at: Option<Timestamp>,
        rules: Vec<(PlannedRule<'a>, Option<AlertRecord>)>,
        setting: Setting,
    ) -> Replay<'a> {
        let alerts = rules
            .iter()
            .filter_map(|(rule, record)| Some(timeline(rule, record.as_ref()?)));
        Replay {
            timeline: Timeline {
                alerts: alerts.collect(),
            },
            store,
            errors,
            annotations,
            stopped_at,
            rules,
            setting,
        }
    }

    /// The same with rules that were not evaluated.
    pub(super) fn with_idle(mut self, idle: Vec<PlannedRule<'a>>) -> Replay<'a> {
        self.rules.extend(idle.into_iter().map(|rule| (rule, None)));
        self.rules.sort_by_key(|(rule, _)| rule.id);
        self
    }

    fn active_of(
        &self,
        rule: &PlannedRule<'_>,
        record: Option<&AlertRecord>,
        at: Timestamp,
        state: AlertState,
    ) -> Vec<ActiveAlert> {
        let (Some(record), Some(alert)) = (record, rule.alert()) else {
            return Vec::new();
        };
        let Some(tick) = rule.moments_until(self.clamped(at)).count.checked_sub(1) else {
            return Vec::new();
        };
        let instances = record.instances.iter();
        instances
            .filter_map(|instance| self.active(rule, alert, record, instance, tick, state))
            .collect()
    }

    /// A moment, but none after the one at which an error stopped the replay.
    pub(super) fn clamped(&self, moment: Timestamp) -> Timestamp {
        self.stopped_at.map_or(moment, |last| moment.min(last))
    }

    /// An instance at a tick, if it is in this state.
    fn active(
        &self,
        rule: &PlannedRule<'_>,
        alert: &AlertRule,
        record: &AlertRecord,
        instance: &InstanceRecord,
        tick: usize,
        state: AlertState,
    ) -> Option<ActiveAlert> {
        let index = instance
            .stretches
            .partition_point(|stretch| stretch.from <= tick)
            .checked_sub(1)?;
        let stretch = instance.stretches.get(index)?;
        if stretch.state != state || stretch.to.is_some_and(|to| to <= tick) {
            return None;
        }
        let (sampled, labels, sample) = record.last_sample(instance, tick)?;
        let renderer = Renderer {
            store: &self.store,
            setting: &self.setting,
        };
        let now = rule.moments.time(sampled);
        let quiet = (sampled + 1..=tick).find(|&tick| !record.failed.get(tick));
        let annotations = alert.annotations.iter();
        Some(ActiveAlert {
            rule: rule.id,
            state,
            labels: instance.labels.clone(),
            annotations: annotations
                .map(|(name, template)| {
                    (
                        name.clone(),
                        renderer.render(rule, template, labels, sample, now),
                    )
                })
                .collect(),
            value: match sample {
                Sample::Float(value) => AlertValue::Float(value),
                Sample::Histogram(histogram) => AlertValue::Histogram(Arc::clone(histogram)),
            },
            active_at: stretch.active_at,
            quiet_since: quiet.map(|tick| rule.moments.time(tick)),
        })
    }
}

/// The public part of what is kept of an alert.
fn timeline(rule: &PlannedRule<'_>, record: &AlertRecord) -> AlertTimeline {
    let instances = record.instances.iter().map(|instance| Instance {
        labels: instance.labels.clone(),
        stretches: instance
            .stretches
            .iter()
            .map(|stretch| stretch.in_time(rule.moments))
            .collect(),
    });
    AlertTimeline {
        rule: rule.id,
        name: rule.name().to_owned(),
        instances: instances.collect(),
    }
}
