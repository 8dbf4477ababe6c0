//! Which alerts look at an objective's events, and what they ask for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::traffic::{Traffic, value_at};
use crate::model::{Millis, metric_of};
use crate::promql::ast::{BinaryOp, Expr, ExprKind};
use crate::promql::selectors::{Reach, reads};
use crate::promql::{Features, Query, Threshold, View, threshold};
use crate::replay::{Dependencies, DependentRule, RuleId};
use crate::rules::{Rule, RuleGroup, RuleKind};
use crate::text::Span;

/// The alerts that look at an objective's events, and the rules that they need.
#[derive(Debug)]
pub(super) struct Watch {
    /// The groups with only those rules.
    pub groups: Vec<RuleGroup>,
    /// The alerts.
    pub alarms: Vec<Alarm>,
    /// Alerts that were asked for and read records of these groups that are never written, each with the selector.
    pub unfed: Vec<(String, String)>,
    /// How far back inputs matter to an evaluation.
    pub reach: Millis,
    /// How long rules must have been evaluated before what is recorded is complete.
    pub lead: Millis,
}

/// An alert.
#[derive(Debug)]
pub(super) struct Alarm {
    /// Its place among the groups of the [`Watch`].
    pub id: RuleId,
    /// Time between its evaluations.
    pub interval: Millis,
    /// `for`.
    pub hold: Millis,
    /// `keep_firing_for`.
    pub keep: Millis,
    /// What it asks for: one of several lists of comparisons that must all hold; `None` where that can't be told.
    pub parts: Option<Vec<Vec<Part>>>,
}

/// A comparison of an alert.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// What is compared.
    pub value: Query,
    /// How.
    pub op: BinaryOp,
    /// With what.
    pub bound: f64,
    /// How far back it looks, other rules included.
    pub window: Millis,
}

impl Watch {
    /// Those of some groups. `wanted` tells which alerts are asked for.
    pub(super) fn of(
        groups: &[&RuleGroup],
        traffic: &Traffic,
        interval: Millis,
        features: &Features,
        wanted: &dyn Fn(&Rule) -> bool,
    ) -> Watch {
        let dependencies = Dependencies::new(groups, interval, &|_| None);
        let rules = &dependencies.rules;
        let below = |rule: usize| dependencies.closure(&[rule], DependentRule::sources);
        let is_fed = |rule: &DependentRule<'_>| {
            let mut matchers = rule
                .reads
                .iter()
                .filter_map(|read| read.matchers.as_deref());
            matchers.any(|matchers| traffic.feeds(matchers))
        };
        let mut is_needed = vec![false; rules.len()];
        let (mut meant, mut unfed) = (Vec::new(), Vec::new());
        for (number, rule) in rules.iter().enumerate() {
            if !rule.is_alert() || !wanted(rule.rule) {
                continue;
            }
            let closure = below(number);
            let closure_fed = rules
                .iter()
                .zip(&closure)
                .any(|(it, is_in)| *is_in && is_fed(it));
            if closure_fed {
                meant.push(number);
                let all = is_needed.iter_mut().zip(closure);
                all.for_each(|(needed, is_in)| *needed |= is_in);
                continue;
            }
            // What it reads is recorded of these events, but with other labels.
            let missed = rule.reads.iter().find(|read| {
                let metric = read.matchers.as_deref().and_then(metric_of);
                let mut writers = rules.iter().enumerate();
                read.sources.is_empty()
                    && writers.any(|(writer, it)| {
                        !it.is_alert()
                            && metric == Some(it.rule.name.as_str())
                            && below(writer)
                                .iter()
                                .zip(rules)
                                .any(|(is_in, it)| *is_in && is_fed(it))
                    })
            });
            if let Some(read) = missed {
                unfed.push((rule.rule.name.clone(), read.text.clone()));
            }
        }
        let far = Far::of(&dependencies);
        let alarms = meant.iter().filter_map(|&number| {
            let rule = rules.get(number)?;
            let RuleKind::Alert(alert) = &rule.rule.kind else {
                return None;
            };
            Some(Alarm {
                id: place(&dependencies, &is_needed, number),
                interval: rule.interval,
                hold: alert.hold,
                keep: alert.keep_firing_for,
                parts: parts(&rule.rule.expr, features, &|part| {
                    far.only_window(rule, part)
                }),
            })
        });
        let alarms: Vec<Alarm> = alarms.collect();
        let most = |of: &[Millis]| {
            let needed = of.iter().zip(&is_needed).filter(|(_, needed)| **needed);
            needed.map(|(far, _)| *far).max().unwrap_or(0)
        };
        Watch {
            alarms,
            unfed,
            reach: most(&far.inputs),
            lead: most(&far.recorded),
            groups: kept(groups, &dependencies, &is_needed),
        }
    }
}

/// The longest window of each alert that asks for something over a long and a short window at once, by its rule.
pub fn longest_windows(
    groups: &[&RuleGroup],
    interval: Millis,
    features: &Features,
) -> BTreeMap<RuleId, Millis> {
    let dependencies = Dependencies::new(groups, interval, &|_| None);
    let far = Far::of(&dependencies);
    let alerts = dependencies.rules.iter().filter(|rule| rule.is_alert());
    let found = alerts.filter_map(|rule| {
        let window = |part: Span| far.only_window(rule, part);
        let lists = parts(&rule.rule.expr, features, &window)?;
        let paired = lists.iter().filter_map(|list| {
            let windows = || list.iter().map(|part| part.window);
            let (shortest, longest) = (windows().min()?, windows().max()?);
            (shortest > 0 && shortest < longest).then_some(longest)
        });
        Some((rule.id, paired.max()?))
    });
    found.collect()
}

/// The groups with only the rules that are needed.
fn kept(
    groups: &[&RuleGroup],
    dependencies: &Dependencies<'_>,
    is_needed: &[bool],
) -> Vec<RuleGroup> {
    let kept = groups.iter().enumerate().map(|(number, group)| {
        let rules = dependencies.rules.iter().zip(is_needed);
        let own = rules.filter(|(rule, needed)| rule.id.group == number && **needed);
        let rules: Arc<[Rule]> = own.map(|(rule, _)| rule.rule.clone()).collect();
        RuleGroup {
            rules,
            ..(*group).clone()
        }
    });
    kept.collect()
}

/// The place of a rule among those that are needed.
fn place(dependencies: &Dependencies<'_>, is_needed: &[bool], number: usize) -> RuleId {
    let group = dependencies
        .rules
        .get(number)
        .map_or(0, |rule| rule.id.group);
    let before = dependencies.rules.iter().zip(is_needed).take(number);
    let rule = before.filter(|(rule, needed)| rule.id.group == group && **needed);
    RuleId {
        group,
        rule: rule.count(),
    }
}

/// How far back rules look, those that they read included.
struct Far {
    /// To inputs.
    inputs: Vec<Millis>,
    /// To those inputs that are looked at over the shortest time.
    nearest: Vec<Millis>,
    /// To what is recorded: for so long those below it must have been evaluated.
    recorded: Vec<Millis>,
}

impl Far {
    fn of(dependencies: &Dependencies<'_>) -> Far {
        let count = dependencies.rules.len();
        let mut far = Far {
            inputs: vec![0; count],
            nearest: vec![0; count],
            recorded: vec![0; count],
        };
        // From the lowest up, so that what is read is known; a circle ends by itself.
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_key(|&number| dependencies.rules.get(number).map(|rule| rule.depth));
        for number in order {
            let Some(rule) = dependencies.rules.get(number) else {
                continue;
            };
            let (nearest, inputs) = far.windows(rule, None);
            let recorded = rule.reads.iter().filter(|read| !read.sources.is_empty());
            let recorded = recorded.map(|read| {
                let below = read.sources.iter();
                let below = below.filter_map(|it| far.recorded.get(it.rule)).max();
                oldest(read.reach).saturating_add(below.copied().unwrap_or(0))
            });
            let recorded = recorded.max().unwrap_or(0);
            let known = [
                (&mut far.inputs, inputs),
                (&mut far.nearest, nearest),
                (&mut far.recorded, recorded),
            ];
            for (list, value) in known {
                if let Some(own) = list.get_mut(number) {
                    *own = value;
                }
            }
        }
        far
    }

    /// How far back a rule looks, or a part of its query: over the shortest time and over the longest.
    fn windows(&self, rule: &DependentRule<'_>, part: Option<Span>) -> (Millis, Millis) {
        let own = reads(&rule.rule.expr.expr, 0);
        let found = own.iter().zip(&rule.reads).filter(|(read, _)| {
            part.is_none_or(|part| part.start <= read.span.start && read.span.end <= part.end)
        });
        let mut windows: Option<(Millis, Millis)> = None;
        for (read, known) in found {
            let of = |list: &[Millis]| {
                let below = known.sources.iter();
                below
                    .filter_map(|source| list.get(source.rule).copied())
                    .collect::<Vec<Millis>>()
            };
            let least = of(&self.nearest).into_iter().min().unwrap_or(0);
            let most = of(&self.inputs).into_iter().max().unwrap_or(0);
            let own = oldest(read.reach);
            let (least, most) = (own.saturating_add(least), own.saturating_add(most));
            windows = Some(match windows {
                None => (least, most),
                Some((shortest, longest)) => (shortest.min(least), longest.max(most)),
            });
        }
        windows.unwrap_or((0, 0))
    }

    /// The time over which a part of a rule's query looks back, where all of it does so over the same.
    fn only_window(&self, rule: &DependentRule<'_>, part: Span) -> Option<Millis> {
        let (shortest, longest) = self.windows(rule, Some(part));
        (shortest == longest).then_some(longest)
    }
}

fn oldest(reach: Reach) -> Millis {
    match reach {
        Reach::Around { oldest, .. } => oldest.max(0),
        Reach::Fixed => 0,
    }
}

/// How far back a part of a query looks; `None` where its selectors look back over different times.
type WindowOf<'a> = &'a dyn Fn(Span) -> Option<Millis>;

/// The comparisons of a query: lists of which one must hold as a whole.
fn parts(query: &Query, features: &Features, window: WindowOf<'_>) -> Option<Vec<Vec<Part>>> {
    let mut found = Vec::new();
    alternatives(&query.expr, &mut |expr| {
        let mut tests = Vec::new();
        tests_of(expr, query, features, window, &mut tests)?;
        found.push(tests);
        Some(())
    })?;
    Some(found)
}

/// Shows the operands of `or`.
fn alternatives<'e>(expr: &'e Expr, show: &mut dyn FnMut(&'e Expr) -> Option<()>) -> Option<()> {
    match &expr.unwrap_parens().kind {
        ExprKind::Chain(chain) if chain.links.iter().all(|link| link.op == BinaryOp::Or) => {
            alternatives(&chain.first, show)?;
            let mut rest = chain.links.iter();
            rest.try_for_each(|link| alternatives(&link.rhs, show))
        }
        _ => show(expr),
    }
}

/// Collects the operands of `and`, which compare with numbers.
fn tests_of(
    expr: &Expr,
    query: &Query,
    features: &Features,
    window: WindowOf<'_>,
    found: &mut Vec<Part>,
) -> Option<()> {
    let expr = expr.unwrap_parens();
    match &expr.kind {
        ExprKind::Chain(chain) if chain.links.iter().all(|link| link.op == BinaryOp::And) => {
            tests_of(&chain.first, query, features, window, found)?;
            let mut rest = chain.links.iter();
            rest.try_for_each(|link| tests_of(&link.rhs, query, features, window, found))
        }
        // `max(… > 0.01) without (window)`
        ExprKind::Aggregate(aggregate) if matches!(aggregate.op.name, "max" | "min" | "sum") => {
            tests_of(&aggregate.expr, query, features, window, found)
        }
        _ => {
            let Threshold { value, op, bound } = threshold(expr)?;
            found.push(Part {
                value: query.part(value.span, features)?,
                op,
                bound: number(bound)?,
                window: window(value.span)?,
            });
            Some(())
        }
    }
}

/// What an expression of numbers comes to.
fn number(expr: &Expr) -> Option<f64> {
    use crate::promql::ast::UnaryOp;
    match &expr.unwrap_parens().kind {
        ExprKind::Number(literal) => Some(literal.value),
        ExprKind::Unary(UnaryOp::Minus, inner) => Some(-number(inner)?),
        ExprKind::Unary(UnaryOp::Plus, inner) => number(inner),
        ExprKind::Chain(chain) => {
            let first = number(&chain.first);
            chain.links.iter().fold(first, |left, link| {
                let (left, right) = (left?, number(&link.rhs)?);
                match link.op {
                    BinaryOp::Add => Some(left + right),
                    BinaryOp::Sub => Some(left - right),
                    BinaryOp::Mul => Some(left * right),
                    BinaryOp::Div => Some(left / right),
                    _ => None,
                }
            })
        }
        _ => None,
    }
}

/// How a comparison answers to the share of bad events in its window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Answer {
    /// It holds where the share exceeds this one.
    Above(f64, bool),
    /// It holds whatever the share is.
    Always,
    /// It never holds.
    Never,
    /// Something else, or nothing is compared.
    Unknown,
}

impl Part {
    /// How it answers, by what is compared without an outage and with all events bad for long.
    pub(super) fn answer(&self, quiet: Option<f64>, full: Option<f64>) -> Answer {
        let (Some(quiet), Some(full)) = (quiet, full) else {
            return Answer::Unknown;
        };
        let holds = |value: f64| match self.op {
            BinaryOp::Greater => value > self.bound,
            BinaryOp::GreaterEqual => value >= self.bound,
            BinaryOp::Less => value < self.bound,
            BinaryOp::LessEqual => value <= self.bound,
            _ => false,
        };
        let ordered = matches!(
            self.op,
            BinaryOp::Greater | BinaryOp::GreaterEqual | BinaryOp::Less | BinaryOp::LessEqual
        );
        let rises = match self.op {
            BinaryOp::Less | BinaryOp::LessEqual => full < quiet,
            _ => full > quiet,
        };
        let share = (self.bound - quiet) / (full - quiet);
        match (
            ordered && quiet.is_finite() && full.is_finite(),
            full == quiet,
        ) {
            (false, _) => Answer::Unknown,
            (true, true) if holds(full) => Answer::Always,
            (true, true) => Answer::Never,
            (true, false) if !rises || holds(quiet) => Answer::Unknown,
            (true, false) => {
                let or_equal = matches!(self.op, BinaryOp::GreaterEqual | BinaryOp::LessEqual);
                Answer::Above(share, or_equal)
            }
        }
    }

    /// What is compared, as seen at a moment.
    pub(super) fn at(&self, view: &View<'_>, moment: i64) -> Option<f64> {
        value_at(&self.value, view, moment)
    }
}
