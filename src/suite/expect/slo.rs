//! Whether an error budget is spent as expected, and alerts tell of it in time.

mod amend;

use super::problem::{Problem, Subject, Unmet};
use super::scene::Scene;
use super::{Curve, Picture, PictureRow, TextTest, ValueTest};
use crate::model::{Labels, Millis, Timestamp};
use crate::promql::ast::BinaryOp;
use crate::replay::AlertState;
use crate::slo::budget::{Budget, History, Unknown, Unmatched};
use crate::slo::objective::Slo;
use crate::suite::file::Spanned;
use crate::text::{Diagnostic, Span};

/// What an objective's budget must do over the test.
#[derive(Debug, Clone)]
pub struct SloExpectation {
    /// The objective's name.
    pub slo: Spanned<String>,
    /// What counts as all events where history is missing.
    pub history: History,
    /// What is asked; at least one.
    pub asks: Vec<SloAsk>,
}

/// One thing that is asked of a budget.
#[derive(Debug, Clone)]
pub enum SloAsk {
    /// How much is left, as a part of all.
    Left {
        /// When; at the end of the test unless given.
        at: Option<Spanned<Millis>>,
        /// What it must be.
        test: Spanned<ValueTest>,
    },
    /// How much is spent, as a part of all.
    Spent {
        /// When; at the end of the test unless given.
        at: Option<Spanned<Millis>>,
        /// What it must be.
        test: Spanned<ValueTest>,
    },
    /// How fast it is spent.
    Burn {
        /// Over what time.
        window: Spanned<Millis>,
        /// When; `None` for its highest in the test.
        at: Option<Spanned<Millis>>,
        /// What it must be.
        test: Spanned<ValueTest>,
    },
    /// When all of it is spent first.
    Exhausted {
        /// The moment; `None` for never.
        at: Option<Spanned<Millis>>,
        /// How far the moment may be away.
        within: Millis,
        /// Where the moment stands, or `never`.
        span: Span,
    },
    /// Some alert fires before a part of it is spent.
    PagesBefore {
        /// The part.
        spent: f64,
        /// The alert; any unless given.
        alert: Option<Spanned<String>>,
        /// Labels that it must have.
        labels: Vec<TextTest>,
    },
}

/// What must be of a budget.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// A number.
    Value(ValueTest),
    /// A moment after the start of the test; `None` for never.
    Moment(Option<Millis>),
    /// A page before this part is spent.
    Page(f64),
}

/// What there is of a budget.
#[derive(Debug, Clone)]
pub enum Got {
    /// A number.
    Value(f64),
    /// A moment after the start of the test; `None` for never.
    Moment(Option<Millis>),
    /// When an alert fires first, how much is spent then, and when the part that was named is spent.
    Page {
        /// When an alert fires first.
        fires: Option<Millis>,
        /// How much is spent then.
        spent: Option<f64>,
        /// When the part that was named is spent.
        crossed: Option<Millis>,
    },
    /// No number, and why.
    Unknown(String),
}

impl SloAsk {
    /// The key that asks.
    pub fn name(&self) -> &'static str {
        match self {
            SloAsk::Left { .. } => "budget_left",
            SloAsk::Spent { .. } => "budget_spent",
            SloAsk::Burn { .. } => "burn_rate",
            SloAsk::Exhausted { .. } => "exhausted_at",
            SloAsk::PagesBefore { .. } => "pages_before",
        }
    }

    /// The moment that it names.
    pub fn named(&self) -> Option<&Spanned<Millis>> {
        match self {
            SloAsk::Left { at, .. }
            | SloAsk::Spent { at, .. }
            | SloAsk::Burn { at, .. }
            | SloAsk::Exhausted { at, .. } => at.as_ref(),
            SloAsk::PagesBefore { .. } => None,
        }
    }

    /// The labels of alerts that it names.
    pub fn labels(&self) -> Option<&[TextTest]> {
        match self {
            SloAsk::PagesBefore { labels, .. } => Some(labels),
            _ => None,
        }
    }

    /// The alert that it names.
    pub fn alert(&self) -> Option<&Spanned<String>> {
        match self {
            SloAsk::PagesBefore { alert, .. } => alert.as_ref(),
            _ => None,
        }
    }
}

/// What is not as an item about an objective expects. `unmatched` are the objective's selectors that match no series of
/// the test.
pub(in crate::suite) fn check(
    scene: &Scene<'_>,
    expectation: &SloExpectation,
    slo: &Slo,
    unmatched: &[Unmatched],
) -> Option<Unmet> {
    let mistakes = unmatched.iter().filter(|it| it.is_mistake);
    let mistakes: Vec<Problem> = mistakes.map(|it| broken(&it.diagnose())).collect();
    if !mistakes.is_empty() {
        return unmet(mistakes);
    }
    let end = scene.start.saturating_add(scene.length);
    let view = scene.replay.view_live();
    let budgets = match Budget::of(slo, &view, end, expectation.history) {
        Ok(budgets) => budgets,
        Err(faults) => {
            let problems = faults.iter().map(broken);
            return unmet(problems.collect());
        }
    };
    let mut problems = Vec::new();
    let mut drawn = None;
    for budget in &budgets {
        let asked = Asked { scene, budget, end };
        let found: Vec<Problem> = expectation
            .asks
            .iter()
            .filter_map(|ask| asked.check(ask))
            .collect();
        if !found.is_empty() {
            let bound = expectation.asks.iter().find_map(bound);
            drawn.get_or_insert_with(|| asked.picture(bound, &expectation.asks));
        }
        problems.extend(found);
    }
    let mut unmet = Unmet::new(Subject::Slo, problems)?;
    unmet.amendment = amend::amend(&expectation.asks, &unmet.problems, budgets.len());
    unmet.picture = drawn;
    Some(unmet)
}

/// Problems that nothing written into the item would solve.
fn unmet(problems: Vec<Problem>) -> Option<Unmet> {
    let mut unmet = Unmet::new(Subject::Slo, problems)?;
    unmet.amendment = amend::amend(&[], &unmet.problems, 0);
    Some(unmet)
}

/// An objective that the series of the test can't be counted for.
fn broken(fault: &Diagnostic) -> Problem {
    let help = fault.help.as_ref();
    Problem::Budget {
        labels: None,
        test: "slo",
        wanted: None,
        got: Got::Unknown(match help {
            Some(help) => format!("{} ({help})", fault.message),
            None => fault.message.clone(),
        }),
        at: None,
    }
}

/// What is left where an item asks for a bound of it.
fn bound(ask: &SloAsk) -> Option<f64> {
    let of = |test: &ValueTest| match test {
        ValueTest::Equal { value, .. } => Some(*value),
        ValueTest::Bounds(bounds) => bounds
            .above
            .or(bounds.at_least)
            .or(bounds.below)
            .or(bounds.at_most),
    };
    match ask {
        SloAsk::Left { test, .. } => of(&test.value),
        SloAsk::Spent { test, .. } => of(&test.value).map(|spent| 1.0 - spent),
        SloAsk::PagesBefore { spent, .. } => Some(1.0 - spent),
        SloAsk::Burn { .. } | SloAsk::Exhausted { .. } => None,
    }
}

struct Asked<'a> {
    scene: &'a Scene<'a>,
    budget: &'a Budget,
    end: Timestamp,
}

impl Asked<'_> {
    fn check(&self, ask: &SloAsk) -> Option<Problem> {
        match ask {
            SloAsk::Left { at, test } => {
                let (at, moment) = self.moment(at);
                self.value(ask, &test.value, self.budget.at(moment).left(), at)
            }
            SloAsk::Spent { at, test } => {
                let (at, moment) = self.moment(at);
                self.value(ask, &test.value, self.budget.at(moment).spent, at)
            }
            SloAsk::Burn {
                window,
                at: Some(at),
                test,
            } => {
                let moment = self.scene.start.saturating_add(at.value);
                let burn = self.budget.burn_rate(window.value, moment);
                self.value(ask, &test.value, burn, at.value)
            }
            SloAsk::Burn {
                window,
                at: None,
                test,
            } => self.peak(ask, window.value, &test.value),
            SloAsk::Exhausted { at, within, .. } => self.exhausted(ask, at.as_ref(), *within),
            SloAsk::PagesBefore {
                spent,
                alert,
                labels,
            } => self.pages(ask, *spent, alert.as_ref(), labels),
        }
    }

    /// The moment asked for, after the start of the test and as it is; the end unless given.
    fn moment(&self, at: &Option<Spanned<Millis>>) -> (Millis, Timestamp) {
        let at = at.as_ref().map_or(self.scene.length, |at| at.value);
        (at, self.scene.start.saturating_add(at))
    }

    fn value(
        &self,
        ask: &SloAsk,
        test: &ValueTest,
        got: Result<f64, Unknown>,
        at: Millis,
    ) -> Option<Problem> {
        let got = match got {
            Ok(value) if test.holds(value) => return None,
            Ok(value) => Got::Value(value),
            Err(unknown) => Got::Unknown(self.words(unknown)),
        };
        Some(self.problem(ask, Some(Wanted::Value(test.clone())), got, Some(at)))
    }

    /// The highest burn rate at an evaluation for which there is enough history.
    fn peak(&self, ask: &SloAsk, window: Millis, test: &ValueTest) -> Option<Problem> {
        let mut best: Option<(Millis, f64)> = None;
        let mut reason = Unknown::NoTraffic;
        for moment in self.moments() {
            match self.budget.burn_rate(window, moment) {
                Ok(burn) if best.is_none_or(|(_, highest)| burn > highest) => {
                    best = Some((self.scene.since(moment), burn));
                }
                Ok(_) => {}
                Err(unknown) => reason = unknown,
            }
        }
        match best {
            Some((at, burn)) => self.value(ask, test, Ok(burn), at),
            None => self.value(ask, test, Err(reason), self.scene.length),
        }
    }

    fn exhausted(
        &self,
        ask: &SloAsk,
        at: Option<&Spanned<Millis>>,
        within: Millis,
    ) -> Option<Problem> {
        let got = self.crossed(1.0);
        let wanted = at.map(|at| at.value);
        let is_met = match (got, wanted) {
            (None, None) => true,
            (Some(got), Some(wanted)) => (got - wanted).abs() <= within,
            _ => false,
        };
        let problem = || {
            let at = got.or(wanted);
            self.problem(ask, Some(Wanted::Moment(wanted)), Got::Moment(got), at)
        };
        (!is_met).then(problem)
    }

    fn pages(
        &self,
        ask: &SloAsk,
        part: f64,
        alert: Option<&Spanned<String>>,
        labels: &[TextTest],
    ) -> Option<Problem> {
        let meant = self.scene.actors().filter(|actor| {
            alert.is_none_or(|alert| actor.timeline.name == alert.value)
                && TextTest::selects(labels, &actor.instance.labels)
        });
        let firing = meant.flat_map(|actor| self.scene.seen(&actor, AlertState::Firing));
        let fires = firing.map(|window| window.0).min();
        let crossed = self.crossed(part);
        let spent = fires.map(|fires| self.scene.start.saturating_add(fires));
        let spent = spent.and_then(|moment| self.budget.at(moment).spent.ok());
        let is_met = match (fires, crossed) {
            (Some(fires), Some(crossed)) => fires < crossed,
            (fires, None) => fires.is_some(),
            (None, Some(_)) => false,
        };
        let problem = || {
            let got = Got::Page {
                fires,
                spent,
                crossed,
            };
            self.problem(ask, Some(Wanted::Page(part)), got, crossed)
        };
        (!is_met).then(problem)
    }

    /// When a part of the budget is spent first in the test.
    fn crossed(&self, part: f64) -> Option<Millis> {
        let mut moments = self.moments();
        let crossed = moments.find(|&at| self.budget.at(at).spent.is_ok_and(|it| it >= part));
        crossed.map(|moment| self.scene.since(moment))
    }

    /// The evaluations of the test.
    fn moments(&self) -> impl Iterator<Item = Timestamp> + use<> {
        let (start, step, end) = (self.scene.start, self.scene.interval.max(1), self.end);
        let moments = (0..).map(move |number: i64| start.saturating_add(number * step));
        moments.take_while(move |&moment| moment <= end)
    }

    fn words(&self, unknown: Unknown) -> String {
        match unknown {
            Unknown::TooLittleHistory => {
                let (from, _) = self.budget.extent();
                let known = crate::model::Duration(self.end.saturating_sub(from).max(0));
                format!(
                    "{unknown}: the window begins before the first sample, and all that is known is {known}; make the \
                     test longer, ask later, or say with `warmup:` what came before"
                )
            }
            Unknown::NoTraffic => format!("{unknown} in that time"),
            Unknown::NoBudget | Unknown::SamplesEnd => unknown.to_string(),
        }
    }

    fn problem(
        &self,
        ask: &SloAsk,
        wanted: Option<Wanted>,
        got: Got,
        at: Option<Millis>,
    ) -> Problem {
        let labels = &self.budget.labels;
        Problem::Budget {
            labels: (!labels.is_empty()).then(|| Labels::clone(labels)),
            test: ask.name(),
            wanted,
            got,
            at,
        }
    }

    /// What is left of the budget over the test, and when the alerts fire that are meant.
    fn picture(&self, bound: Option<f64>, asks: &[SloAsk]) -> Picture {
        let interval = self.scene.interval.max(1);
        let evaluations = self.scene.length.div_euclid(interval) + 1;
        let step = (evaluations + MAX_CELLS - 1) / MAX_CELLS * interval;
        let count = self.scene.length.div_euclid(step) + 1;
        let cells = (0..count).map(|cell| cell * step);
        let left = |at: Millis| {
            let moment = self.scene.start.saturating_add(at);
            self.budget.at(moment).left().ok()
        };
        let values = cells.clone().map(left).collect();
        let firing: Vec<super::windows::Seen> = asks
            .iter()
            .filter_map(|ask| match ask {
                SloAsk::PagesBefore { alert, labels, .. } => Some((alert, labels)),
                _ => None,
            })
            .flat_map(|(alert, labels)| {
                self.scene.actors().filter(move |actor| {
                    let is_it = |it: &Spanned<String>| actor.timeline.name == it.value;
                    alert.as_ref().is_none_or(is_it)
                        && TextTest::selects(labels, &actor.instance.labels)
                })
            })
            .flat_map(|actor| self.scene.seen(&actor, AlertState::Firing))
            .collect();
        let asks_for_alerts = asks
            .iter()
            .any(|it| matches!(it, SloAsk::PagesBefore { .. }));
        let state = |from: Millis| {
            let touches = |window: &super::windows::Seen| {
                window.0 < from + step && window.1.is_none_or(|to| from < to)
            };
            firing.iter().any(touches).then_some(AlertState::Firing)
        };
        let observed = match asks_for_alerts {
            true => cells.map(state).collect(),
            false => Vec::new(),
        };
        Picture {
            from: 0,
            to: self.scene.length,
            step,
            rows: vec![PictureRow {
                labels: None,
                expected: None,
                observed,
                curve: Some(Curve {
                    values,
                    op: BinaryOp::Greater,
                    bound,
                    of: "left",
                }),
            }],
            more: 0,
        }
    }
}

/// No more cells than this are drawn beside each other.
const MAX_CELLS: i64 = 60;
