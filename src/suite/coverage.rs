//! What tests reach of the rules that they replay.
//!
//! Each alert has two points: it fires, and it is silent (neither pending nor firing) at an evaluation in a test that has
//! series for it. Its points count in tests only that ask about it, since in others it may do whatever it likes. Each recording rule has two: it yields a series, and another rule or an expression reads one. Each
//! `and`, `or` and `unless` has two, by its sides ([`PointKind`]). An operator within a subquery is looked at at the
//! evaluations of its rule.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::expect::ExpectationKind;
use super::file::TestCase;
use super::reads::{Reads, numbered};
use crate::model::{Matcher, Millis, metric_of};
use crate::promql::ast::BinaryOp;
use crate::promql::selectors::{Reach, selectors};
use crate::promql::{Columns, Query, SetOperation, evaluate, set_operations};
use crate::replay::{ALERT_NAME, ALERTS, ALERTS_FOR_STATE, Instance, Replay, RuleId};
use crate::rules::{Rule, RuleFile, RuleGroup, RuleKind};
use crate::text::{Place, Span};

/// What tests reached of some rules; a rule counts once, by its place.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    rules: BTreeMap<(String, usize), RuleCoverage>,
}

/// What tests reached of one rule.
#[derive(Debug, Clone)]
pub struct RuleCoverage {
    /// The recorded metric's or the alert's name.
    pub name: String,
    /// An alert's `for`; `None` for a recording rule.
    pub hold: Option<Millis>,
    /// What there is to reach, in the order of the file.
    pub points: Vec<Point>,
}

/// Something that a test can reach.
#[derive(Debug, Clone)]
pub struct Point {
    /// What it is.
    pub kind: PointKind,
    /// The rule's name, or the operator.
    pub place: Place,
    /// Whether a test reached it.
    pub reached: Attained,
}

/// Whether tests reached something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attained {
    /// None did.
    #[default]
    No,
    /// Only tests did that do not ask about the alert.
    Unasked,
    /// One did.
    Yes,
}

impl Attained {
    /// Whether it counts.
    pub fn counts(self) -> bool {
        self == Attained::Yes
    }
}

/// What a test can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointKind {
    /// An alert fires.
    Fires,
    /// An alert is neither pending nor firing, and there are series that it reads.
    Silent,
    /// A recording rule yields a series.
    Yields,
    /// A series of a recording rule is read.
    Read,
    /// `and` or `unless` lets a series of its left side pass.
    Keeps(BinaryOp),
    /// `and` or `unless` removes a series of its left side.
    Removes(BinaryOp),
    /// The left side of `or` has a series.
    Left,
    /// The right side of `or` adds a series.
    Right,
}

/// How many points there are of a kind, and how many were reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Those that were reached.
    pub reached: usize,
    /// All.
    pub points: usize,
}

impl Share {
    /// Of a hundred; 0 where there are no points.
    pub fn percent(&self) -> f64 {
        match self.points {
            0 => 0.0,
            points => self.reached as f64 * 100.0 / points as f64,
        }
    }

    /// Both together.
    pub fn and(self, other: Share) -> Share {
        Share {
            reached: self.reached + other.reached,
            points: self.points + other.points,
        }
    }
}

impl Coverage {
    /// Of a rule file that no test replays.
    pub fn of_untested(file: &RuleFile) -> Coverage {
        let groups: Vec<&RuleGroup> = file.groups.iter().collect();
        Reached::default().into_coverage(&groups)
    }

    /// Whether a file holds some of the rules.
    pub fn knows(&self, file: &str) -> bool {
        self.rules().any(|(known, _)| known == file)
    }

    /// Takes over what other tests reached.
    pub fn merge(&mut self, other: Coverage) {
        for (key, found) in other.rules {
            match self.rules.get_mut(&key) {
                None => drop(self.rules.insert(key, found)),
                Some(rule) => {
                    for (point, found) in rule.points.iter_mut().zip(found.points) {
                        point.reached = point.reached.max(found.reached);
                    }
                }
            }
        }
    }

    /// The rules in the order of their places, with the names of their files.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &RuleCoverage)> {
        let rules = self.rules.iter();
        rules.map(|((file, _), rule)| (file.as_str(), rule))
    }

    /// The points that no test reached, with their rules.
    pub fn missing(&self) -> impl Iterator<Item = (&RuleCoverage, &Point)> {
        let points = self.rules.values().flat_map(|rule| {
            let points = rule.points.iter();
            points.map(move |point| (rule, point))
        });
        points.filter(|(_, point)| !point.reached.counts())
    }

    /// All points together.
    pub fn share(&self) -> Share {
        self.share_of(|_| true)
    }

    /// The points of some kinds.
    pub fn share_of(&self, is_meant: impl Fn(PointKind) -> bool) -> Share {
        let points = self.rules.values().flat_map(|rule| &rule.points);
        share(points.filter(|point| is_meant(point.kind)))
    }
}

impl RuleCoverage {
    /// Those of its points that are of some kinds.
    pub fn share_of(&self, is_meant: impl Fn(PointKind) -> bool) -> Share {
        share(self.points.iter().filter(|point| is_meant(point.kind)))
    }
}

fn share<'p>(points: impl Iterator<Item = &'p Point>) -> Share {
    points.fold(Share::default(), |share, point| Share {
        reached: share.reached + usize::from(point.reached.counts()),
        points: share.points + 1,
    })
}

/// Which points of the rules of a file some of its tests reached, in the order of [`plan`].
#[derive(Debug, Clone, Default)]
pub(super) struct Reached(Vec<Attained>);

impl Reached {
    /// Takes over what another test reached.
    pub fn merge(&mut self, other: Reached) {
        if self.0.is_empty() {
            self.0 = other.0;
            return;
        }
        for (reached, other) in self.0.iter_mut().zip(other.0) {
            *reached = other.max(*reached);
        }
    }

    /// With the rules that they are of.
    pub fn into_coverage(self, groups: &[&RuleGroup]) -> Coverage {
        let mut reached = self.0.into_iter();
        let mut coverage = Coverage::default();
        for (id, rule) in numbered(groups) {
            let Some(group) = groups.get(id.group) else {
                continue;
            };
            let point = |(kind, span)| Point {
                kind,
                place: Place::new(&group.source, span),
                reached: reached.next().unwrap_or_default(),
            };
            let points = plan(rule).into_iter().map(point).collect();
            // Files in a ConfigMap have places of their own.
            let (file, span) = group.source.locate(rule.name_span);
            let key = (file.name().to_owned(), span.start);
            let of_rule = RuleCoverage {
                name: rule.name.clone(),
                hold: match &rule.kind {
                    RuleKind::Alert(alert) => Some(alert.hold),
                    RuleKind::Recording { .. } => None,
                },
                points,
            };
            coverage.rules.insert(key, of_rule);
        }
        coverage
    }
}

/// What there is to reach of a rule, with its place in the rule's file.
fn plan(rule: &Rule) -> Vec<(PointKind, Span)> {
    let own = match rule.kind {
        RuleKind::Alert(_) => [PointKind::Fires, PointKind::Silent],
        RuleKind::Recording { .. } => [PointKind::Yields, PointKind::Read],
    };
    let own = own.map(|kind| (kind, rule.name_span));
    let operations = set_operations(&rule.expr.expr);
    let of_operators = operations.iter().flat_map(|operation| {
        let span = rule.expr_text.span(operation.place);
        kinds(operation.op).map(|kind| (kind, span))
    });
    own.into_iter().chain(of_operators).collect()
}

fn kinds(op: BinaryOp) -> [PointKind; 2] {
    match op {
        BinaryOp::Or => [PointKind::Left, PointKind::Right],
        _ => [PointKind::Keeps(op), PointKind::Removes(op)],
    }
}

/// What one test reached.
pub(super) fn reached(test: &TestCase, groups: &[&RuleGroup], replay: &Replay<'_>) -> Reached {
    let mut reads = Reads::of_rules(groups);
    let checked = test.expr_checks.iter();
    let checked = checked.filter_map(|check| check.query.as_deref().ok());
    checked
        .chain(expressions(test))
        .for_each(|query| reads.add_expression(query));
    let timelines = replay.timeline.alerts.iter();
    let timelines: HashMap<RuleId, &[Instance]> = timelines
        .map(|alert| (alert.rule, alert.instances.as_slice()))
        .collect();
    let asked = Asked::of(test, groups);
    let mut all = Vec::new();
    for (id, rule) in numbered(groups) {
        let mut points = Vec::new();
        match rule.kind {
            RuleKind::Alert(_) => {
                let instances = timelines.get(&id).copied().unwrap_or_default();
                let is_silent = has_series(rule, replay) && is_silent(id, instances, replay);
                points.extend([instances.iter().any(Instance::fires), is_silent]);
            }
            RuleKind::Recording { .. } => {
                let mut written = replay.written_by(id).peekable();
                points.push(written.peek().is_some());
                points.push(written.any(|series| reads.reads(&series.labels, Some(id))));
            }
        }
        points.extend(sides(id, rule, replay));
        let counts = match asked.covers(rule) {
            true => Attained::Yes,
            false => Attained::Unasked,
        };
        all.extend(points.into_iter().map(|reached| match reached {
            true => counts,
            false => Attained::No,
        }));
    }
    Reached(all)
}

/// The alerts that a test asks about: if they did something else, it might fail.
struct Asked<'t> {
    /// It asks about all of them.
    all: bool,
    named: Vec<&'t str>,
    /// What selectors ask for that read what alerts write.
    read: Vec<&'t [Matcher]>,
}

impl<'t> Asked<'t> {
    fn of(test: &'t TestCase, groups: &[&'t RuleGroup]) -> Asked<'t> {
        let mut items = test.expectations.iter();
        let checked = test.expr_checks.iter();
        let checked = checked.filter_map(|check| check.query.as_deref().ok());
        let rules = groups.iter().flat_map(|group| group.rules.iter());
        let queries = checked
            .chain(expressions(test))
            .chain(rules.map(|rule| &rule.expr));
        let used = queries.flat_map(|query| selectors(&query.expr, Reach::LOOKBACK));
        let matchers = used.map(|used| used.selector.matchers.as_slice());
        let is_of_alerts = |matchers: &&[Matcher]| {
            metric_of(matchers).is_some_and(|it| [ALERTS, ALERTS_FOR_STATE].contains(&it))
        };
        Asked {
            all: items.any(|item| matches!(item.kind, ExpectationKind::Alerts(_))),
            named: test
                .named_alerts()
                .map(|alert| alert.value.as_str())
                .collect(),
            read: matchers.filter(is_of_alerts).collect(),
        }
    }

    /// Whether what a rule does is asked about. Rules that record are looked at by those that read them.
    fn covers(&self, rule: &Rule) -> bool {
        let is_read = |matchers: &&[Matcher]| {
            let mut of_alert = matchers.iter().filter(|it| it.name == ALERT_NAME);
            of_alert.all(|matcher| matcher.matches_value(&rule.name))
        };
        matches!(rule.kind, RuleKind::Recording { .. })
            || self.all
            || self.named.contains(&rule.name.as_str())
            || self.read.iter().any(is_read)
    }
}

/// The expressions of `expect`.
fn expressions(test: &TestCase) -> impl Iterator<Item = &Query> {
    let items = test.expectations.iter();
    items.filter_map(|item| match &item.kind {
        ExpectationKind::Expr(expr) => Some(&*expr.query),
        ExpectationKind::Alert(_) | ExpectationKind::Alerts(_) | ExpectationKind::Slo(_) => None,
    })
}

/// Whether there are series that a rule reads, or it reads none.
fn has_series(rule: &Rule, replay: &Replay<'_>) -> bool {
    let selectors = selectors(&rule.expr.expr, Reach::LOOKBACK);
    let mut matched = selectors
        .iter()
        .map(|used| replay.store.any(&used.selector.matchers));
    selectors.is_empty() || matched.any(|any| any)
}

/// Whether an alert was evaluated and then neither pending nor firing.
fn is_silent(id: RuleId, instances: &[Instance], replay: &Replay<'_>) -> bool {
    let Some(sight) = replay.sight(id).filter(|it| it.moments.count > 0) else {
        return false;
    };
    let mut stretches: Vec<_> = instances
        .iter()
        .flat_map(|instance| &instance.stretches)
        .map(|stretch| (stretch.from, stretch.to))
        .collect();
    stretches.sort_unstable();
    // Up to where some instance is active all the time.
    let mut until = Some(sight.moments.start);
    for (from, to) in stretches {
        match until {
            Some(active) if from > active => return true,
            Some(active) => until = to.map(|to| to.max(active)),
            None => return false,
        }
    }
    until.is_some()
}

/// What the sides of a rule's set operators did.
fn sides(id: RuleId, rule: &Rule, replay: &Replay<'_>) -> Vec<bool> {
    let operations = set_operations(&rule.expr.expr);
    let mut counted: HashMap<Span, Vec<Option<usize>>> = HashMap::new();
    let mut reached = Vec::with_capacity(2 * operations.len());
    for SetOperation {
        op, left, whole, ..
    } in operations
    {
        for side in [left, whole] {
            counted
                .entry(side)
                .or_insert_with(|| counts(id, rule, side, replay));
        }
        let of = |side| counted.get(&side).map_or(&[][..], Vec::as_slice);
        let pairs = of(left).iter().zip(of(whole));
        let pairs: Vec<(usize, usize)> =
            pairs.filter_map(|(left, whole)| left.zip(*whole)).collect();
        let any = |is: fn(usize, usize) -> bool| pairs.iter().any(|&(left, whole)| is(left, whole));
        reached.extend(match op {
            BinaryOp::Or => [any(|left, _| left > 0), any(|left, whole| whole > left)],
            _ => [any(|_, whole| whole > 0), any(|left, whole| whole < left)],
        });
    }
    reached
}

/// How many series a part of a rule's query has at each of the rule's evaluations; `None` where it fails.
fn counts(id: RuleId, rule: &Rule, part: Span, replay: &Replay<'_>) -> Vec<Option<usize>> {
    let Some(sight) = replay.sight(id).filter(|it| it.moments.count > 0) else {
        return Vec::new();
    };
    let query = rule.expr.part(part, &sight.view.features);
    let columns = query.and_then(|it| evaluate(&it, &sight.view, sight.times).into_columns());
    columns.map_or_else(Vec::new, |columns| {
        let ticks = 0..sight.times.count;
        ticks.map(|tick| count(&columns, tick)).collect()
    })
}

fn count(columns: &Columns, tick: usize) -> Option<usize> {
    if columns.errors.contains_key(&tick) {
        return None;
    }
    let series = columns.series.iter();
    Some(series.filter(|it| it.column.is_present(tick)).count())
}
