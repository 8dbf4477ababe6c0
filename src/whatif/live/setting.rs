//! What is the same for all alerts of a page, and what moves in each.

use std::collections::BTreeSet;

use super::super::{Knob, KnobKind, value};
use super::alert::{LiveAlert, LiveKnob, own_labels};
use super::bare::Bare;
use super::bound::split;
use super::condition::{Condition, Evaluated, Node, labels_only};
use super::plan::Plan;
use crate::model::{Duration, Millis, metric_of};
use crate::promql::selectors::each_read;
use crate::promql::{Features, Query, Ticks};
use crate::replay::{ALERTS, ALERTS_FOR_STATE, Dependencies, Replay, RuleId, Sight};
use crate::rules::{AlertRule, Rule, RuleGroup, RuleKind};
use crate::store::Store;

/// What is the same for all alerts.
pub(super) struct Setting {
    pub features: Features,
    pub dependent: BTreeSet<RuleId>,
    pub knobs: Vec<Knob>,
    /// For each knob the first that is the same text.
    pub texts: Vec<usize>,
    pub old_knobs: Vec<Knob>,
}

impl Setting {
    /// An alert without its instances and its condition.
    pub fn alert(
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
            missing: Vec::new(),
            is_seeing: false,
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
        own.filter(move |knob| knob.rule == Some(id) && moves(knob.kind) && !knob.is_repeated)
            .enumerate()
    }

    /// Evaluates what an alert compares. False where its labels may depend on values, and where there are histograms.
    pub fn evaluate(
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
    pub fn bare(&self, place: usize, id: RuleId, rule: &Rule) -> Bare {
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

/// The selectors of a query that nothing in a store is of. What alerts leave behind is no data: they need not have fired.
pub(super) fn missing(query: &Query, store: &Store) -> Vec<String> {
    let mut missing = Vec::new();
    each_read(&query.expr, 0, &mut |read| {
        let is_alerts =
            metric_of(&read.matchers).is_some_and(|it| [ALERTS, ALERTS_FOR_STATE].contains(&it));
        let is_there = is_alerts || !store.select(&read.matchers).is_empty();
        let text = query.written(read.span);
        if !is_there && !missing.contains(&text) {
            missing.push(text);
        }
    });
    missing
}

/// The value of a knob as a number: of a wait in milliseconds.
fn number(knob: &Knob) -> f64 {
    match knob.kind {
        KnobKind::For | KnobKind::KeepFiringFor => {
            let parsed = Duration::parse(&knob.value);
            parsed.map_or(0.0, |duration| duration.0 as f64)
        }
        _ => value::literal(&knob.value).unwrap_or(f64::NAN),
    }
}

/// The rules that read, straight or through others, what alerts do.
pub(super) fn dependent(groups: &[&RuleGroup], interval: Millis) -> BTreeSet<RuleId> {
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
