//! Why an expectation was not met, and a single test to ask questions of.

use super::expect::{Expectation, ExpectationKind, Problem, SloAsk, Text, TextTest, Windows};
use super::file::TestCase;
use super::order::groups_in_order;
use super::run::{RunOptions, Suite, replayed};
use super::verdict::{Cause, Mismatch, Why};
use super::vmalert::labelled;
use crate::model::{Labels, Millis, Timestamp};
use crate::promql::Query;
use crate::replay::{Explanation, Question, Replay};
use crate::rules::RuleGroup;
use crate::text::Diagnostic;
use crate::text::yaml::Embedded;

/// How many levels of recording rules are gone down below a failure.
const DEPTH: usize = 1;

/// Of so many alerts that should not fire is said why they do.
const MAX_ALERTS: usize = 3;

/// A test that was replayed.
#[derive(Debug)]
pub struct TestRun<'r> {
    /// The test.
    pub test: &'r TestCase,
    /// The groups in the order of evaluation.
    pub groups: &'r [&'r RuleGroup],
    /// What came of it.
    pub replay: Replay<'r>,
    /// How long it lasts.
    pub length: Millis,
}

/// Replays one test of a suite, by its place from 0, and hands it to `ask`.
///
/// # Errors
///
/// What keeps the test from being run; a test that the file does not have yields none.
pub fn replay_test<T>(
    suite: &Suite,
    index: usize,
    options: &RunOptions,
    ask: impl FnOnce(&TestRun<'_>) -> T,
) -> Result<T, Vec<Diagnostic>> {
    let test = suite.file.tests.get(index).ok_or_else(Vec::new)?;
    let groups = groups_in_order(&suite.file, &suite.rule_files);
    let own = labelled(&suite.file, test, &groups);
    let groups = own.as_ref().map_or(groups, |own| own.iter().collect());
    let (replay, length) = replayed(&suite.file, test, &groups, options)?;
    Ok(ask(&TestRun {
        test,
        groups: &groups,
        replay,
        length,
    }))
}

/// Why a failure is one, at its moment, or at the end of the test where it has none. `last` is the last evaluation of the
/// test, up to which the expressions of `promql_expr_test` see everything.
pub(super) fn why(
    replay: &Replay<'_>,
    test: &TestCase,
    failure: &Mismatch,
    last: Timestamp,
) -> Option<Why> {
    explained(replay, test, failure, last, DEPTH)
}

fn explained(
    replay: &Replay<'_>,
    test: &TestCase,
    failure: &Mismatch,
    last: Timestamp,
    depth: usize,
) -> Option<Why> {
    let asking = Asking {
        replay,
        depth,
        time: test.start.saturating_add(failure.eval_time),
        about: &about(test, failure),
    };
    let explanations = match &failure.cause {
        Cause::Alert { .. } => asking.rules(&failure.name),
        Cause::Rule(_) | Cause::RuleFails { .. } => {
            let mut failed = asking.rules(&failure.name);
            failed.retain(|explanation| {
                let first = explanation.sections.first();
                first.is_some_and(|section| section.error.is_some())
            });
            failed
        }
        Cause::Expr { .. } | Cause::ExprError(_) => {
            let check = test.expr_checks.get(failure.check)?;
            asking.expr(check.query.as_deref().ok()?, &check.expr, last)
        }
        Cause::Unmet(unmet) => {
            let expectation = test.expectations.get(failure.check)?;
            let moment = unmet.moment().or_else(|| first_window(&expectation.kind));
            let time = moment.map_or(last, |moment| test.start.saturating_add(moment));
            let asking = Asking { time, ..asking };
            match &expectation.kind {
                ExpectationKind::Alert(alert) => asking.rules(&alert.alert.value),
                ExpectationKind::Slo(slo) => {
                    let alerts = slo.asks.iter().filter_map(SloAsk::alert);
                    alerts
                        .flat_map(|alert| asking.rules(&alert.value))
                        .collect()
                }
                ExpectationKind::Alerts(_) => asking.alerts(test.start, &unmet.problems),
                ExpectationKind::Expr(expr) => asking.expr(&expr.query, &expr.expr, time),
            }
        }
        Cause::Unreadable(_) => Vec::new(),
    };
    Some(Why {
        start: test.start,
        explanations,
    })
}

/// What the alerts compared that a failure is about, at its moment or when they should first have fired. `None` where it is
/// about none.
pub(super) fn glance(replay: &Replay<'_>, test: &TestCase, failure: &Mismatch) -> Option<Why> {
    match &failure.cause {
        Cause::Alert { .. } => {}
        Cause::Unmet(_) => match &test.expectations.get(failure.check)?.kind {
            ExpectationKind::Alert(_) | ExpectationKind::Alerts(_) => {}
            ExpectationKind::Slo(_) | ExpectationKind::Expr(_) => return None,
        },
        _ => return None,
    }
    let end = test.start.saturating_add(test.last_named());
    let mut why = explained(replay, test, failure, end, 0)?;
    for explanation in &mut why.explanations {
        explanation.sections.truncate(1);
        let sections = explanation.sections.iter_mut();
        for explained in sections.filter_map(|section| section.explained.as_mut()) {
            explained.root.children.clear();
        }
    }
    Some(why).filter(|why| !why.explanations.is_empty())
}

/// What is expected and not there, then what is there and not expected.
fn differing<'l, T: PartialEq>(expected: &'l [T], got: &'l [T]) -> impl Iterator<Item = &'l T> {
    let missing = expected.iter().filter(|line| !got.contains(line));
    let extra = got.iter().filter(|line| !expected.contains(line));
    missing.chain(extra)
}

/// The labels that a failure is about: those of what is expected and not there, or there and not expected.
fn about(test: &TestCase, failure: &Mismatch) -> Vec<Labels> {
    match &failure.cause {
        Cause::Alert { expected, got, .. } => {
            let lines = differing(expected, got);
            lines.map(|line| line.labels.clone()).collect()
        }
        Cause::Expr { expected, got } => {
            let lines = differing(expected, got);
            lines.map(|line| line.labels.clone()).collect()
        }
        Cause::Unmet(unmet) => {
            let of_problems = unmet.problems.iter().filter_map(Problem::labels).cloned();
            let found: Vec<Labels> = of_problems.collect();
            let selected = test.expectations.get(failure.check).map(selected);
            match found.is_empty() {
                true => selected
                    .into_iter()
                    .filter(|labels| !labels.is_empty())
                    .collect(),
                false => found,
            }
        }
        Cause::ExprError(_) | Cause::Unreadable(_) | Cause::Rule(_) | Cause::RuleFails { .. } => {
            Vec::new()
        }
    }
}

/// The labels that an item of `expect` names with their values.
fn selected(expectation: &Expectation) -> Labels {
    let tests: &[TextTest] = match &expectation.kind {
        ExpectationKind::Alert(alert) => &alert.labels,
        ExpectationKind::Expr(expr) => &expr.labels,
        ExpectationKind::Alerts(every) => &every.labels,
        ExpectationKind::Slo(slo) => slo.asks.iter().find_map(SloAsk::labels).unwrap_or(&[]),
    };
    Labels::from_pairs(tests.iter().filter_map(|test| match &test.wanted {
        Text::Equal(value) => Some((test.name.as_str(), value.as_str())),
        Text::Matches(..) => None,
    }))
}

/// When an alert is first expected to fire or to be pending.
fn first_window(kind: &ExpectationKind) -> Option<Millis> {
    let ExpectationKind::Alert(alert) = kind else {
        return None;
    };
    let mut windows = alert.fires.iter().chain(&alert.pending);
    windows.find_map(|windows| match &windows.value {
        Windows::Listed(windows) => Some(windows.first()?.from),
        Windows::Never => None,
    })
}

/// Who asks, when and for what.
struct Asking<'a> {
    replay: &'a Replay<'a>,
    depth: usize,
    time: Timestamp,
    about: &'a [Labels],
}

impl Asking<'_> {
    fn rules(&self, name: &str) -> Vec<Explanation> {
        let rules = self.replay.rules_called(name).into_iter();
        rules
            .filter_map(|id| self.replay.explain_rule(id, self.question()))
            .collect()
    }

    fn expr(&self, query: &Query, text: &Embedded, after: Timestamp) -> Vec<Explanation> {
        vec![
            self.replay
                .explain_query(query, text, self.question(), after),
        ]
    }

    /// Alerts that fire or are pending and never should, each when it first is.
    fn alerts(&self, start: Timestamp, problems: &[Problem]) -> Vec<Explanation> {
        let mut firsts: Vec<(&str, Timestamp)> = Vec::new();
        for problem in problems {
            if let Problem::Never { alert, seen, .. } = problem
                && let Some((from, _)) = seen.first()
                && firsts.iter().all(|(known, _)| known != alert)
            {
                firsts.push((alert, start.saturating_add(*from)));
            }
        }
        let firsts = firsts.into_iter().take(MAX_ALERTS);
        firsts
            .flat_map(|(alert, time)| Asking { time, ..*self }.rules(alert))
            .collect()
    }

    fn question(&self) -> Question<'_> {
        Question {
            at: self.time,
            depth: self.depth,
            about: self.about,
        }
    }
}
