//! What alerts compare, tick by tick: enough to say without a replay what they would do were a threshold or a wait another.
//!
//! It comes of a replay of the same rules in which nothing is compared and nothing waits: there an alert is active whenever
//! there is a value to compare, with the labels it would have then.

mod bound;

use std::collections::{BTreeMap, BTreeSet};

use super::{Knob, KnobKind, RuleSet, World};
use crate::model::{Duration, Labels, Millis, Timestamp};
use crate::promql::{Features, Query, Ticks};
use crate::replay::{
    ALERT_NAME, AlertTimeline, Dependencies, Replay, ReplayError, RuleError, RuleId, Stretch,
    replay,
};
use crate::rules::{AlertRule, Rule, RuleGroup, RuleKind};

use bound::split;
pub use bound::{Compared, Step};

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
    /// What it compares; or why no threshold moves.
    pub compared: Result<Compared, String>,
    /// Why what moves changes it in ways that only a replay shows; `None` where `instances` say all.
    pub fixed: Option<String>,
    /// Its knobs that move: those of the threshold, `for`, `keep_firing_for`.
    pub knobs: Vec<LiveKnob>,
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
}

/// A label set that an alert may have.
#[derive(Debug, Clone)]
pub struct LiveInstance {
    /// Its labels without `alertname`.
    pub labels: Labels,
    /// The ticks at which there is a value, with it; NaN where it is a histogram.
    pub values: Vec<(usize, f64)>,
    /// What it did before.
    pub before: Vec<Stretch>,
    /// What it does now.
    pub now: Vec<Stretch>,
}

/// All alerts of a world, with the rules as they were and as they are now.
#[derive(Debug, Clone)]
pub struct Live {
    /// The first moment.
    pub start: Timestamp,
    /// The last.
    pub end: Timestamp,
    /// In the order of evaluation.
    pub alerts: Vec<LiveAlert>,
    /// What failed while the rules as they are now were replayed.
    pub errors: Vec<RuleError>,
}

impl LiveAlert {
    /// The knobs that show at once what they do: of those of thresholds the ones that its limit is worked out of.
    pub fn moving(&self) -> Vec<&LiveKnob> {
        let bound = self.compared.iter().flat_map(|it| &it.bound);
        let used: BTreeSet<usize> = bound
            .filter_map(|step| match step {
                Step::Knob(place) => Some(*place),
                _ => None,
            })
            .collect();
        let is_moving = |(place, knob): &(usize, &LiveKnob)| {
            self.fixed.is_none() && (knob.kind != KnobKind::Threshold || used.contains(place))
        };
        let all = self.knobs.iter().enumerate();
        all.filter(is_moving).map(|(_, knob)| knob).collect()
    }
}

impl Live {
    /// Replays rules as they were and as they are now, and the latter without their comparisons.
    ///
    /// # Errors
    ///
    /// As a replay.
    pub fn new(world: &World, before: &RuleSet, now: &RuleSet) -> Result<Live, ReplayError> {
        let old = world.replay(before, |replay, _| replay.timeline.clone())?;
        let groups = world.groups(now);
        let groups: Vec<&RuleGroup> = groups.iter().collect();
        let spec = world.spec(&groups);
        let (start, end) = (spec.start, spec.end);
        let setting = Setting {
            features: spec.features,
            dependent: dependent(&groups, spec.interval),
            knobs: now.knobs(),
            old_knobs: before.knobs(),
        };
        let replay = replay(spec)?;
        let mut live = Live {
            start,
            end: replay.stopped_at.unwrap_or(end),
            alerts: Vec::new(),
            errors: replay.errors.clone(),
        };
        let mut queries = Vec::new();
        for (place, new) in replay.timeline.alerts.iter().enumerate() {
            let found = found(&groups, new.rule);
            let (Some(found), Some(sight)) = (found, replay.sight(new.rule)) else {
                continue;
            };
            let (alert, query) = setting.alert(new.rule, found, sight.moments);
            queries.push(query);
            live.alerts.push(LiveAlert {
                instances: instances(old.alerts.get(place), new),
                ..alert
            });
        }
        live.look(world, &groups, queries)?;
        Ok(live)
    }

    /// Replays without comparisons; where that fails in other ways than the rules do, with them but without waits.
    fn look(
        &mut self,
        world: &World,
        groups: &[&RuleGroup],
        mut queries: Vec<Query>,
    ) -> Result<(), ReplayError> {
        loop {
            let bare = bare(groups, &self.alerts, &queries);
            let bare: Vec<&RuleGroup> = bare.iter().collect();
            let replay = replay(world.spec(&bare))?;
            let otherwise = |alert: &LiveAlert| {
                alert.compared.is_ok() && fails_otherwise(alert, &self.errors, &replay.errors)
            };
            let places = (0..self.alerts.len()).filter(|place| {
                let alert = self.alerts.get(*place);
                alert.is_some_and(otherwise)
            });
            let places: Vec<usize> = places.collect();
            if places.is_empty() {
                self.take(&replay);
                return Ok(());
            }
            for place in places {
                let alert = self.alerts.get_mut(place);
                let (Some(alert), Some(query)) = (alert, queries.get_mut(place)) else {
                    continue;
                };
                alert.compared = Err("with another one its evaluation could fail".to_owned());
                if let Some((_, rule, _)) = found(groups, alert.rule) {
                    *query = rule.expr.clone();
                }
            }
        }
    }

    /// Takes what a replay without comparisons yields.
    fn take(&mut self, bare: &Replay<'_>) {
        let alerts = self.alerts.iter_mut().zip(&bare.timeline.alerts);
        for (place, (alert, found)) in alerts.enumerate() {
            let ticks = alert.ticks;
            let errors = bare.errors.iter().filter(|error| error.rule == alert.rule);
            alert.failed = errors
                .filter_map(|error| tick_of(ticks, error.at))
                .collect();
            let instances = std::mem::take(&mut alert.instances).into_iter();
            let mut known = Known::default();
            known.extend(instances.map(|it| (it.labels.clone(), it)));
            for (number, instance) in found.instances.iter().enumerate() {
                let mut values = Vec::new();
                for stretch in &instance.stretches {
                    let floats = bare.values(place, number, stretch);
                    values.extend(column(alert, stretch, &floats));
                }
                of_labels(&mut known, &instance.labels).values = values;
            }
            alert.instances = known.into_values().collect();
        }
    }
}

/// What is the same for all alerts.
struct Setting {
    features: Features,
    dependent: BTreeSet<RuleId>,
    knobs: Vec<Knob>,
    old_knobs: Vec<Knob>,
}

impl Setting {
    /// An alert without its instances, and the query that yields what there is of it whatever its threshold.
    fn alert(
        &self,
        id: RuleId,
        (group, rule, alert): (&RuleGroup, &Rule, &AlertRule),
        ticks: Ticks,
    ) -> (LiveAlert, Query) {
        let own: Vec<(usize, &Knob)> = own_knobs(id, &self.knobs).into_iter().enumerate().collect();
        let (compared, query) = match split(&rule.expr, &own, &self.features) {
            Ok((compared, query)) => (Ok(compared), query),
            Err(why) => (Err(why), rule.expr.clone()),
        };
        let mut templates = alert.labels.iter().map(|(_, template)| template);
        let fixed = match self.dependent.contains(&id) {
            true => Some("it reads what other alerts do"),
            false => templates
                .any(|template| template.queries())
                .then_some("a template of its labels queries series"),
        };
        let live = LiveAlert {
            rule: id,
            group: group.name.clone(),
            name: rule.name.clone(),
            expr: rule.expr.written(rule.expr.expr.span),
            ticks,
            limit: group.limit,
            hold: alert.hold,
            keep_firing_for: alert.keep_firing_for,
            compared,
            fixed: fixed.map(str::to_owned),
            knobs: own.iter().map(|(_, knob)| self.knob(knob)).collect(),
            failed: BTreeSet::new(),
            instances: Vec::new(),
        };
        (live, query)
    }

    fn knob(&self, knob: &Knob) -> LiveKnob {
        let mut knobs = self.knobs.iter();
        let old = self.knobs.iter().position(|other| other.name == knob.name);
        let old = old.and_then(|place| self.old_knobs.get(place));
        LiveKnob {
            name: knob.shown().to_owned(),
            kind: knob.kind,
            text: knobs
                .position(|other| other.is_same_text(knob))
                .unwrap_or_default(),
            before: number(old.unwrap_or(knob)),
            now: number(knob),
        }
    }
}

/// Whether an alert without its comparison fails at other moments than with it, or because two series become one.
fn fails_otherwise(alert: &LiveAlert, with: &[RuleError], without: &[RuleError]) -> bool {
    fn own(errors: &[RuleError], id: RuleId) -> impl Iterator<Item = &RuleError> {
        errors.iter().filter(move |error| error.rule == id)
    }
    let merges = |error: &RuleError| error.message.contains("same labelset");
    let moments = |errors| own(errors, alert.rule).map(|error| error.at);
    alert.limit == 0 && !moments(with).eq(moments(without)) || own(without, alert.rule).any(merges)
}

/// The values of a stretch; where something is there that is no float it is NaN.
fn column(alert: &LiveAlert, stretch: &Stretch, floats: &[(Timestamp, f64)]) -> Vec<(usize, f64)> {
    let ticks = alert.ticks;
    let floats = floats
        .iter()
        .filter_map(|&(at, value)| Some((tick_of(ticks, at)?, value)));
    if alert.compared.is_ok() {
        return floats.collect();
    }
    let first = tick_of(ticks, stretch.from).unwrap_or(ticks.count);
    let last = stretch
        .to
        .and_then(|to| tick_of(ticks, to))
        .unwrap_or(ticks.count);
    let present = (first..last).filter(|tick| !alert.failed.contains(tick));
    let mut floats = floats.peekable();
    let value = |tick: usize| match floats.next_if(|(at, _)| *at == tick) {
        Some(float) => float,
        None => (tick, f64::NAN),
    };
    present.map(value).collect()
}

fn tick_of(ticks: Ticks, at: Timestamp) -> Option<usize> {
    let tick = usize::try_from((at - ticks.start) / ticks.step.max(1)).ok()?;
    (tick < ticks.count && ticks.time(tick) == at).then_some(tick)
}

fn found<'g>(
    groups: &[&'g RuleGroup],
    id: RuleId,
) -> Option<(&'g RuleGroup, &'g Rule, &'g AlertRule)> {
    let group = groups.get(id.group)?;
    let rule = group.rules.get(id.rule)?;
    match &rule.kind {
        RuleKind::Alert(alert) => Some((group, rule, alert)),
        RuleKind::Recording { .. } => None,
    }
}

/// The knobs of an alert that could move without a replay.
fn own_knobs(id: RuleId, knobs: &[Knob]) -> Vec<&Knob> {
    let moves = |kind| {
        matches!(
            kind,
            KnobKind::Threshold | KnobKind::For | KnobKind::KeepFiringFor
        )
    };
    let own = knobs.iter().filter(|knob| knob.rule == Some(id));
    own.filter(|knob| moves(knob.kind)).collect()
}

/// The value of a knob as a number: of a wait in milliseconds.
fn number(knob: &Knob) -> f64 {
    match knob.kind {
        KnobKind::For | KnobKind::KeepFiringFor => {
            let parsed = Duration::parse(&knob.value);
            parsed.map_or(0.0, |duration| duration.0 as f64)
        }
        _ => super::value::literal(&knob.value).unwrap_or(f64::NAN),
    }
}

/// The rules that read, straight or through others, what alerts do.
fn dependent(groups: &[&RuleGroup], interval: Millis) -> BTreeSet<RuleId> {
    let dependencies = Dependencies::new(groups, interval, &|_| None);
    let rules = &dependencies.rules;
    let is_alert = |place: usize| {
        let rule = rules.get(place).map(|rule| &rule.rule.kind);
        matches!(rule, Some(RuleKind::Alert(_)))
    };
    let mut open: Vec<usize> = (0..rules.len())
        .filter(|place| is_alert(*place))
        .flat_map(|place| rules.get(place).map_or(&[][..], |rule| &rule.read_by))
        .copied()
        .collect();
    let mut reached = BTreeSet::new();
    while let Some(place) = open.pop() {
        if reached.insert(place) {
            open.extend(rules.get(place).into_iter().flat_map(|rule| &rule.read_by));
        }
    }
    let ids = reached.into_iter().filter_map(|place| rules.get(place));
    ids.map(|rule| rule.id).collect()
}

/// The groups with alerts that compare nothing and wait for nothing.
fn bare(groups: &[&RuleGroup], alerts: &[LiveAlert], queries: &[Query]) -> Vec<RuleGroup> {
    let mut bare: Vec<RuleGroup> = groups.iter().map(|group| (*group).clone()).collect();
    let mut rules: Vec<Vec<Rule>> = bare.iter().map(|group| group.rules.to_vec()).collect();
    for (alert, query) in alerts.iter().zip(queries) {
        let of_group = rules.get_mut(alert.rule.group);
        let rule = of_group.and_then(|rules| rules.get_mut(alert.rule.rule));
        let Some(rule) = rule else {
            continue;
        };
        rule.expr = query.clone();
        if let RuleKind::Alert(alert) = &mut rule.kind {
            alert.hold = 0;
            alert.keep_firing_for = 0;
        }
    }
    for (group, rules) in bare.iter_mut().zip(rules) {
        group.limit = 0;
        group.rules = rules.into();
    }
    bare
}

/// Instances by their labels without `alertname`.
type Known = BTreeMap<Labels, LiveInstance>;

fn of_labels<'k>(known: &'k mut Known, labels: &Labels) -> &'k mut LiveInstance {
    let labels = labels.filtered(|name| name != ALERT_NAME);
    known
        .entry(labels)
        .or_insert_with_key(|labels| LiveInstance {
            labels: labels.clone(),
            values: Vec::new(),
            before: Vec::new(),
            now: Vec::new(),
        })
}

/// The instances that there were and are.
fn instances(old: Option<&AlertTimeline>, new: &AlertTimeline) -> Vec<LiveInstance> {
    let mut known = Known::new();
    for instance in old.into_iter().flat_map(|old| &old.instances) {
        of_labels(&mut known, &instance.labels).before = instance.stretches.clone();
    }
    for instance in &new.instances {
        of_labels(&mut known, &instance.labels).now = instance.stretches.clone();
    }
    known.into_values().collect()
}
