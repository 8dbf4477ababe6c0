//! Points of which only the limit of an alert's comparison moves, and how long the alert waits: what is compared is the same
//! at all of them, and evaluated once.
//!
//! That is so where the comparison stands outermost or is the first operand of `and` and `unless`, its limit is made of numbers
//! alone, every series makes an alert of its own whose labels do not depend on its value, and nothing fails: with a limit
//! beyond all numbers the expression yields every sample that any limit lets through, so that no other limit can fail
//! where that one does not.

use std::collections::BTreeMap;

use super::cells::{Compared, Table, Waits};
use super::clock::Clock;
use super::evaluated::changes;
use super::{Block, Ground, Points, Watched};
use crate::model::{Duration, Millis, Timestamp};
use crate::promql::ast::{BinaryOp, Expr, ExprKind};
use crate::promql::{Columns, Features, Query, Ticks, evaluate, threshold};
use crate::replay::{ALERT_NAME, ALERTS, ALERTS_FOR_STATE, OnRuleError, Replay, RuleId};
use crate::rules::{AlertRule, Rule, RuleKind};
use crate::store::Store;
use crate::whatif::knob::Slot;
use crate::whatif::numbers::is_number;
use crate::whatif::value::{self, worked_out};
use crate::whatif::{Axis, KnobKind, splice};

/// An alert of which nothing but its limit moves and how long it waits.
pub(super) struct Movable<'g> {
    /// Its rule.
    pub id: RuleId,
    /// Whether there are series of it before it is evaluated, so that what it writes may be refused.
    pub is_given: bool,
    widest: Widest,
    settings: Settings,
    watched: &'g Watched,
}

/// The settings of an alert at the points of a block: each distinct one, and which a point has.
struct Settings {
    /// Limits in the order in which they let more through; `None` for one that lets nothing through.
    limits: Vec<f64>,
    /// In ascending order.
    holds: Vec<Millis>,
    /// In ascending order.
    keeps: Vec<Millis>,
    /// Places of limit (one past the last for none that compares), hold and keep at each point.
    points: Vec<(usize, usize, usize)>,
}

impl<'g> Movable<'g> {
    /// The alert of a block; `None` where that moves more.
    pub fn of(ground: &Ground<'_>, block: &Block, watched: &[&'g Watched]) -> Option<Movable<'g>> {
        let (&[id], &[watched], false) = (
            block.dependents.rules.as_slice(),
            watched,
            block.dependents.read_each_other,
        ) else {
            return None;
        };
        let group = ground.groups.get(id.group)?;
        let rule = group.rules.get(id.rule)?;
        let RuleKind::Alert(alert) = &rule.kind else {
            return None;
        };
        let is_given = is_given(&ground.spec.store, &rule.name);
        if group.limit > 0 || is_given && ground.spec.on_error == OnRuleError::Stop {
            return None;
        }
        let widest = Widest::of(&rule.expr)?;
        let axes = block.axes.iter();
        let axes: Vec<&Axis> = axes
            .filter_map(|axis| ground.grid.axes().get(*axis))
            .collect();
        // An alias may stand for a group's interval, or a label.
        if axes.iter().any(|axis| axis.knob.is_repeated) {
            return None;
        }
        let settings = Settings::of(ground, rule, alert, &widest, &axes)?;
        // What can't be written at the ends of the grid is told by the way that writes it.
        let last = block.len(ground.grid).checked_sub(1)?;
        for place in [0, last] {
            ground.rules.changed(&changes(ground, block, place)).ok()?;
        }
        Some(Movable {
            id,
            is_given,
            widest,
            settings,
            watched,
        })
    }

    /// What it does at each combination of the values of its block's axes, over what all others wrote; `None` where that can't
    /// be told from columns alone.
    pub fn points(&self, base: &Replay<'_>, end: Timestamp) -> Option<Points> {
        if base.stopped_at.is_some() {
            return None;
        }
        let (columns, moments) = self.evaluated(base)?;
        let Settings { limits, points, .. } = &self.settings;
        let time = Clock { moments, end };
        let (holds, of_holds) = in_ticks(&self.settings.holds, &time);
        let (keeps, of_keeps) = in_ticks(&self.settings.keeps, &time);
        let compared = Compared {
            columns: &columns,
            time,
            op: self.widest.op,
            limits,
        };
        let table = Table::of(&compared, &Waits { holds, keeps }, &self.watched.watch)?;
        let setting = |&(limit, hold, keep): &(usize, usize, usize)| {
            Some(table.place(limit, *of_holds.get(hold)?, *of_keeps.get(keep)?))
        };
        Some(Points {
            settings: points.iter().map(setting).collect::<Option<_>>()?,
            pagings: table.into_pagings(),
            width: 1,
        })
    }

    /// The columns of what is compared, and the moments of their ticks.
    fn evaluated(&self, base: &Replay<'_>) -> Option<(Columns, Ticks)> {
        let sight = base.sight(self.id)?;
        let mut view = sight.view;
        // Nothing that is written later than the rule was evaluated may be seen, its own alerts among that.
        let written = base.store_without(&[self.id]);
        view.store = &written;
        if sight.times.count == 0 {
            return None;
        }
        let columns = evaluate(&self.widest.query, &view, sight.times).into_columns()?;
        if !columns.errors.is_empty() || columns.series.iter().any(|it| it.column.has_histograms())
        {
            return None;
        }
        let mut labels = base.alert_labels(self.id, &columns)?;
        labels.sort_unstable();
        let is_alone = labels.windows(2).all(|pair| pair.first() != pair.last());
        is_alone.then_some((columns, sight.moments))
    }
}

/// Whether a store holds series such as an alert writes.
fn is_given(store: &Store, alert: &str) -> bool {
    let mut written = store.iter().filter(|series| {
        let metric = series.labels.metric();
        [ALERTS, ALERTS_FOR_STATE].contains(&metric)
    });
    written.any(|series| series.labels.get(ALERT_NAME) == Some(alert))
}

/// Each distinct number of ticks that waits in ascending order take, and the place of that of each wait.
fn in_ticks(waits: &[Millis], time: &Clock) -> (Vec<usize>, Vec<usize>) {
    let ticks: Vec<usize> = waits.iter().map(|wait| time.ticks(*wait)).collect();
    let mut distinct = ticks.clone();
    distinct.dedup();
    let place = |ticks: &usize| distinct.partition_point(|other| other < ticks);
    let places = ticks.iter().map(place).collect();
    (distinct, places)
}

/// The query of an alert with a limit that lets through whatever another would.
struct Widest {
    query: Query,
    /// The comparison, the value on its left.
    op: BinaryOp,
    /// The limit as it is written.
    bound: Expr,
}

impl Widest {
    fn of(query: &Query) -> Option<Widest> {
        let mut query = query.clone();
        let (op, bound) = widen(&mut query.expr)?;
        Some(Widest { query, op, bound })
    }
}

/// Replaces the limit of the comparison by one that lets everything through, and yields what it was.
fn widen(expr: &mut Expr) -> Option<(BinaryOp, Expr)> {
    if let ExprKind::Paren(inner) = &mut expr.kind {
        return widen(inner);
    }
    if let Some((op, limit)) = comparison(expr) {
        let ExprKind::Chain(chain) = &mut expr.kind else {
            return None;
        };
        let link = chain.links.first_mut()?;
        let bound = match is_number(&link.rhs) {
            true => &mut link.rhs,
            false => chain.first.as_mut(),
        };
        let written = bound.clone();
        let number = Query::parse(limit, &Features::default()).ok()?;
        bound.kind = number.expr.kind;
        return Some((op, written));
    }
    let ExprKind::Chain(chain) = &mut expr.kind else {
        return None;
    };
    let narrows = |op: BinaryOp| matches!(op, BinaryOp::And | BinaryOp::Unless);
    match chain.links.iter().all(|link| narrows(link.op)) {
        true => widen(&mut chain.first),
        false => None,
    }
}

/// The comparison that an expression is, with the limit that lets everything through.
fn comparison(expr: &Expr) -> Option<(BinaryOp, &'static str)> {
    let ExprKind::Chain(chain) = &expr.kind else {
        return None;
    };
    if chain.links.first().is_none_or(|link| link.op.is_set()) {
        return None;
    }
    let found = threshold(expr)?;
    let limit = match found.op {
        BinaryOp::Greater | BinaryOp::GreaterEqual => "-Inf",
        BinaryOp::Less | BinaryOp::LessEqual => "Inf",
        _ => return None,
    };
    (is_number(found.bound) && !is_number(found.value)).then_some((found.op, limit))
}

impl Settings {
    /// The settings at each combination of axes; `None` where one of these moves something else.
    fn of(
        ground: &Ground<'_>,
        rule: &Rule,
        alert: &AlertRule,
        widest: &Widest,
        axes: &[&Axis],
    ) -> Option<Settings> {
        let knobs = ground.rules.knobs();
        let mut limit_axes = Vec::new();
        let (mut holds, mut keeps) = (vec![alert.hold], vec![alert.keep_firing_for]);
        let mut strides = Vec::new();
        for axis in axes {
            if knobs
                .iter()
                .filter(|it| it.is_same_text(&axis.knob))
                .count()
                != 1
            {
                return None;
            }
            let waits = || {
                axis.values
                    .iter()
                    .map(|it| Some(Duration::parse(it).ok()?.millis()))
            };
            match (axis.knob.kind, axis.knob.slot) {
                (KnobKind::For, _) => holds = waits().collect::<Option<_>>()?,
                (KnobKind::KeepFiringFor, _) => keeps = waits().collect::<Option<_>>()?,
                (KnobKind::Threshold, Slot::Query(span)) => {
                    let bound = widest.bound.span;
                    let is_within = bound.start <= span.start && span.end <= bound.end;
                    limit_axes.push((axis, is_within.then_some(span)?));
                }
                _ => return None,
            }
            strides.push((axis.knob.kind, axis.values.len()));
        }
        let limits = limits(rule, widest, &limit_axes)?;
        let distinct = |waits: &[Millis]| {
            let mut waits = waits.to_vec();
            waits.sort_unstable();
            waits.dedup();
            waits
        };
        let mut settings = Settings {
            limits: limits.iter().copied().filter(|it| !it.is_nan()).collect(),
            holds: distinct(&holds),
            keeps: distinct(&keeps),
            points: Vec::new(),
        };
        settings.limits.sort_unstable_by(|a, b| match widest.op {
            BinaryOp::Greater | BinaryOp::GreaterEqual => b.total_cmp(a),
            _ => a.total_cmp(b),
        });
        // The two zeros are one limit.
        settings.limits.dedup_by(|a, b| a == b);
        let place = |waits: &[Millis], wait: i64| waits.binary_search(&wait).ok();
        let mut limit_places = BTreeMap::new();
        for (index, limit) in settings.limits.iter().enumerate() {
            limit_places.insert((limit + 0.0).to_bits(), index);
        }
        let points: usize = strides.iter().map(|(_, count)| count).product();
        for point in 0..points {
            let (mut rest, mut limit, mut factor) = (point, 0, 1);
            let (mut hold, mut keep) = (0, 0);
            for &(kind, count) in strides.iter().rev() {
                let value = rest % count.max(1);
                rest /= count.max(1);
                match kind {
                    KnobKind::For => hold = value,
                    KnobKind::KeepFiringFor => keep = value,
                    _ => {
                        limit += value * factor;
                        factor *= count;
                    }
                }
            }
            let limit = limits.get(limit)?;
            let limit = limit_places.get(&(limit + 0.0).to_bits());
            settings.points.push((
                limit.copied().unwrap_or(settings.limits.len()),
                place(&settings.holds, *holds.get(hold)?)?,
                place(&settings.keeps, *keeps.get(keep)?)?,
            ));
        }
        Some(settings)
    }
}

/// The limit at each combination of the axes that move its numbers; the last moves fastest.
fn limits(rule: &Rule, widest: &Widest, axes: &[(&&Axis, crate::text::Span)]) -> Option<Vec<f64>> {
    let bound = &widest.bound;
    if let [(axis, span)] = axes
        && *span == bound.unwrap_parens().span
    {
        return axis
            .values
            .iter()
            .map(|text| value::literal(text))
            .collect();
    }
    let text = rule.expr.text.get(bound.span.start..bound.span.end)?;
    let count: usize = axes.iter().map(|(axis, _)| axis.values.len()).product();
    let mut limits = Vec::with_capacity(count);
    for point in 0..count {
        let mut rest = point;
        let mut edits = Vec::with_capacity(axes.len());
        for (axis, span) in axes.iter().rev() {
            let value = axis.values.get(rest % axis.values.len().max(1))?;
            rest /= axis.values.len().max(1);
            let at =
                crate::text::Span::new(span.start - bound.span.start, span.end - bound.span.start);
            edits.push((at, format!("({value})")));
        }
        limits.push(worked_out(&splice(text, edits))?);
    }
    Some(limits)
}
