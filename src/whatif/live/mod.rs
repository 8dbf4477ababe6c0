//! What alerts compare, tick by tick: enough to say without a replay what they would do were a threshold or a wait another.
//!
//! Where the labels of an alert do not depend on values, the parts of its expression that are compared are evaluated as
//! its rule saw the series in a replay ([`condition`]). Otherwise it comes of a replay of the same rules in which nothing is compared
//! and nothing waits: there an alert is active whenever there is a value to compare, with the labels it would have then.

mod bound;
mod condition;
mod plan;

use std::collections::{BTreeMap, BTreeSet};

use super::{Knob, KnobKind, RuleSet, World};
use crate::model::{Duration, Labels, Millis, Timestamp};
use crate::promql::{Features, Query, Ticks};
use crate::replay::{
    ALERT_NAME, AlertTimeline, Dependencies, Replay, ReplayError, RuleError, RuleId, Sight,
    Stretch, replay,
};
use crate::rules::{AlertRule, Rule, RuleGroup, RuleKind};

use bound::{Compared, split};
pub use condition::{Compare, Condition, LiveSeries, Node, Set, Step};
use condition::{Evaluated, labels_only};
use plan::Plan;

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
        let knobs = now.knobs();
        let first = |knob: &Knob| knobs.iter().position(|other| other.is_same_text(knob));
        let texts = knobs.iter().map(|knob| first(knob).unwrap_or_default());
        let setting = Setting {
            features: spec.features,
            dependent: dependent(&groups, spec.interval),
            texts: texts.collect(),
            knobs,
            old_knobs: before.knobs(),
        };
        let replay = replay(spec)?;
        let mut live = Live {
            start,
            end: replay.stopped_at.unwrap_or(end),
            alerts: Vec::new(),
            errors: replay.errors.clone(),
        };
        let mut open = Vec::new();
        for (place, new) in replay.timeline.alerts.iter().enumerate() {
            let found = found(&groups, new.rule);
            let (Some(found), Some(sight)) = (found, replay.sight(new.rule)) else {
                continue;
            };
            let mut alert = setting.alert(new.rule, found, sight.moments);
            alert.instances = instances(old.alerts.get(place), new)
                .into_values()
                .collect();
            if !setting.evaluate(&mut alert, found.1, &replay, &sight) {
                open.push(setting.bare(live.alerts.len(), new.rule, found.1));
            }
            live.alerts.push(alert);
        }
        live.look(world, &groups, open)?;
        live.settle(&setting);
        Ok(live)
    }

    /// Replays some alerts without comparisons; where that fails in other ways than the rules do, with them but without waits.
    fn look(
        &mut self,
        world: &World,
        groups: &[&RuleGroup],
        mut open: Vec<Bare>,
    ) -> Result<(), ReplayError> {
        while !open.is_empty() {
            let bare = bare_groups(groups, &open);
            let bare: Vec<&RuleGroup> = bare.iter().collect();
            let replay = replay(world.spec(&bare))?;
            let mut is_settled = true;
            for it in &mut open {
                let alert = self.alerts.get(it.place);
                let fails = |alert| fails_otherwise(alert, &self.errors, &replay.errors);
                if it.compared.is_ok() && alert.is_some_and(fails) {
                    is_settled = false;
                    it.compared = Err("with another one its evaluation could fail".to_owned());
                    if let Some((_, rule, _)) = found(groups, it.rule) {
                        it.query = rule.expr.clone();
                    }
                }
            }
            if is_settled {
                for it in open {
                    self.take(it, &replay);
                }
                break;
            }
        }
        Ok(())
    }

    /// Takes what a replay without its comparison yields for an alert.
    fn take(&mut self, bare: Bare, replay: &Replay<'_>) {
        let mut alerts = replay.timeline.alerts.iter().enumerate();
        let found = alerts.find(|(_, alert)| alert.rule == bare.rule);
        let (Some(alert), Some((place, found))) = (self.alerts.get_mut(bare.place), found) else {
            return;
        };
        let ticks = alert.ticks;
        let errors = replay
            .errors
            .iter()
            .filter(|error| error.rule == alert.rule);
        alert.failed = errors
            .filter_map(|error| tick_of(ticks, error.at))
            .collect();
        let mut columns: BTreeMap<Labels, Vec<(usize, f64)>> = BTreeMap::new();
        for (number, instance) in found.instances.iter().enumerate() {
            let of_labels = columns.entry(own_labels(&instance.labels)).or_default();
            for stretch in &instance.stretches {
                let floats = replay.values(place, number, stretch);
                of_labels.extend(column(alert, bare.compared.is_ok(), stretch, &floats));
            }
        }
        let places = (0..columns.len()).collect();
        let series = columns.into_iter();
        let series: Vec<LiveSeries> = series
            .map(|(labels, values)| LiveSeries { labels, values })
            .collect();
        let owners = series.iter().map(|series| series.labels.clone());
        alert.own(owners.collect());
        alert.condition.series = series;
        alert.condition.node = Node::Series(places);
        match bare.compared {
            Err(why) => alert.why = Some(why),
            Ok(Compared { value, op, bound }) => {
                let of = std::mem::replace(&mut alert.condition.node, Node::Series(Vec::new()));
                let compare = Compare {
                    of,
                    value,
                    op,
                    bound,
                };
                alert.condition.node = Node::Compare(Box::new(compare));
            }
        }
    }

    /// Says what moves: nothing of an alert that has too many values, and no text that moves something else, too.
    fn settle(&mut self, setting: &Setting) {
        let mut room = MOST_VALUES;
        for alert in &mut self.alerts {
            let series = &mut alert.condition.series;
            let values: usize = series.iter().map(|series| series.values.len()).sum();
            if values > room {
                for series in series {
                    series.values.clear();
                }
                let why = format!("its {values} values are more than a page holds");
                alert.fixed.get_or_insert(why);
            } else {
                room -= values;
            }
            let used = alert.condition.node.knobs();
            for (place, knob) in alert.knobs.iter_mut().enumerate() {
                let is_wait = knob.kind != KnobKind::Threshold;
                knob.moves = alert.fixed.is_none() && (is_wait || used.contains(&place));
            }
        }
        let mut moving = vec![0usize; setting.texts.len()];
        let knobs = self.alerts.iter().flat_map(|alert| &alert.knobs);
        for knob in knobs.filter(|knob| knob.moves) {
            if let Some(count) = moving.get_mut(knob.text) {
                *count += 1;
            }
        }
        for alert in &mut self.alerts {
            for (place, knob) in alert.knobs.iter_mut().enumerate() {
                let all = setting.texts.iter().filter(|text| **text == knob.text);
                if knob.moves && moving.get(knob.text) != Some(&all.count()) {
                    knob.moves = false;
                    alert.condition.node.freeze(place, knob.now);
                }
            }
            alert.settle(setting);
        }
    }
}

impl LiveAlert {
    /// Takes label sets as those of the instances that the series of its result are.
    fn own(&mut self, owners: Vec<Labels>) {
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
    fn settle(&mut self, setting: &Setting) {
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

/// A page is no place for more than these: they are some 40 MB.
const MOST_VALUES: usize = 5_000_000;

/// An alert that is replayed without its comparison.
struct Bare {
    /// Its place among the alerts.
    place: usize,
    rule: RuleId,
    /// What it compares; or why no threshold moves.
    compared: Result<Compared, String>,
    /// What yields all that there is of it.
    query: Query,
}

/// What is the same for all alerts.
struct Setting {
    features: Features,
    dependent: BTreeSet<RuleId>,
    knobs: Vec<Knob>,
    /// For each knob the first that is the same text.
    texts: Vec<usize>,
    old_knobs: Vec<Knob>,
}

impl Setting {
    /// An alert without its instances and its condition.
    fn alert(
        &self,
        id: RuleId,
        (group, rule, alert): (&RuleGroup, &Rule, &AlertRule),
        ticks: Ticks,
    ) -> LiveAlert {
        let mut templates = alert.labels.iter().map(|(_, template)| template);
        let fixed = match self.dependent.contains(&id) {
            true => Some("it reads what other alerts do"),
            false => templates
                .any(|template| template.queries())
                .then_some("a template of its labels queries series"),
        };
        LiveAlert {
            rule: id,
            group: group.name.clone(),
            name: rule.name.clone(),
            expr: rule.expr.written(rule.expr.expr.span),
            ticks,
            limit: group.limit,
            hold: alert.hold,
            keep_firing_for: alert.keep_firing_for,
            condition: Condition {
                node: Node::Series(Vec::new()),
                series: Vec::new(),
                owners: Vec::new(),
            },
            why: None,
            fixed: fixed.map(str::to_owned),
            knobs: self.own(id).map(|(_, knob)| self.knob(knob)).collect(),
            others: Vec::new(),
            failed: BTreeSet::new(),
            instances: Vec::new(),
        }
    }

    /// The knobs of an alert that could move without a replay.
    fn own(&self, id: RuleId) -> impl Iterator<Item = (usize, &Knob)> {
        let moves = |kind| {
            matches!(
                kind,
                KnobKind::Threshold | KnobKind::For | KnobKind::KeepFiringFor
            )
        };
        let own = self.knobs.iter();
        own.filter(move |knob| knob.rule == Some(id) && moves(knob.kind))
            .enumerate()
    }

    /// Evaluates what an alert compares. False where its labels may depend on values, and where there are histograms.
    fn evaluate(
        &self,
        alert: &mut LiveAlert,
        rule: &Rule,
        replay: &Replay<'_>,
        sight: &Sight<'_>,
    ) -> bool {
        let own: Vec<(usize, &Knob)> = self.own(alert.rule).collect();
        let plan = Plan::of(&rule.expr, &own);
        let Some(found) = Evaluated::of(&plan, &sight.view, sight.times, &self.features) else {
            return false;
        };
        let columns = labels_only(&found.series, &found.result, sight.times);
        let Some(owners) = replay.alert_labels(alert.rule, &columns) else {
            return false;
        };
        alert.own(owners.iter().map(own_labels).collect());
        alert.failed = found.failed;
        alert.condition.node = found.node;
        alert.condition.series = found.series;
        true
    }

    /// An alert that is to be replayed without its comparison.
    fn bare(&self, place: usize, id: RuleId, rule: &Rule) -> Bare {
        let own: Vec<(usize, &Knob)> = self.own(id).collect();
        let (compared, query) = match split(&rule.expr, &own, &self.features) {
            Ok((compared, query)) => (Ok(compared), query),
            Err(why) => (Err(why), rule.expr.clone()),
        };
        Bare {
            place,
            rule: id,
            compared,
            query,
        }
    }

    fn knob(&self, knob: &Knob) -> LiveKnob {
        let place = self.knobs.iter().position(|other| other.name == knob.name);
        let place = place.unwrap_or(self.knobs.len());
        let old = self.old_knobs.get(place);
        LiveKnob {
            name: knob.shown().to_owned(),
            kind: knob.kind,
            text: self.texts.get(place).copied().unwrap_or_default(),
            before: number(old.unwrap_or(knob)),
            now: number(knob),
            moves: false,
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
fn column(
    alert: &LiveAlert,
    is_compared: bool,
    stretch: &Stretch,
    floats: &[(Timestamp, f64)],
) -> Vec<(usize, f64)> {
    let ticks = alert.ticks;
    let floats = floats
        .iter()
        .filter_map(|&(at, value)| Some((tick_of(ticks, at)?, value)));
    if is_compared {
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

/// The groups, with some alerts that compare nothing and wait for nothing.
fn bare_groups(groups: &[&RuleGroup], alerts: &[Bare]) -> Vec<RuleGroup> {
    let mut bare: Vec<RuleGroup> = groups.iter().map(|group| (*group).clone()).collect();
    let mut rules: Vec<Vec<Rule>> = bare.iter().map(|group| group.rules.to_vec()).collect();
    for it in alerts {
        let of_group = rules.get_mut(it.rule.group);
        let rule = of_group.and_then(|rules| rules.get_mut(it.rule.rule));
        let Some(rule) = rule else {
            continue;
        };
        rule.expr = it.query.clone();
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
    known
        .entry(labels.clone())
        .or_insert_with_key(|labels| LiveInstance {
            labels: labels.clone(),
            before: Vec::new(),
            now: Vec::new(),
        })
}

fn own_labels(labels: &Labels) -> Labels {
    labels.filtered(|name| name != ALERT_NAME)
}

/// The instances that there were and are.
fn instances(old: Option<&AlertTimeline>, new: &AlertTimeline) -> Known {
    let mut known = Known::new();
    for instance in old.into_iter().flat_map(|old| &old.instances) {
        of_labels(&mut known, &own_labels(&instance.labels)).before = instance.stretches.clone();
    }
    for instance in &new.instances {
        of_labels(&mut known, &own_labels(&instance.labels)).now = instance.stretches.clone();
    }
    known
}
