//! What a test asks of its replay, and what is not as it says.

use std::collections::BTreeMap;

use super::expect::{self, ExpectationKind, Scene};
use super::file::{AlertCheck, ExprCheck, TestCase, TestFile};
use super::said::Said;
use super::verdict::{AlertLine, Cause, Mismatch, SampleLine, Strip, StripRow, since};
use super::vmalert::ALERT_GROUP;
use crate::model::{Histogram, Labels, Millis, Timestamp};
use crate::promql::{Columns, Query, Ticks, evaluate};
use crate::replay::{ActiveAlert, NO_VECTOR, Replay, RuleError, RuleId, Schedule};
use crate::rules::RuleGroup;
use crate::slo::budget::unmatched;
use crate::text::Place;

/// How many evaluations a strip shows before and after the moment asked for.
const STRIP_REACH: i64 = 15;

/// A replay and what is asked of it.
pub(super) struct Checker<'c> {
    pub file: &'c TestFile,
    pub test: &'c TestCase,
    pub groups: &'c [&'c RuleGroup],
    pub schedule: Schedule,
    pub length: Millis,
    pub replay: &'c Replay<'c>,
    /// The last time that the test names.
    last_named: Millis,
}

impl<'c> Checker<'c> {
    /// The checks of a test of a file, by a replay of its groups that lasted so long.
    pub fn new(
        (file, test): (&'c TestFile, &'c TestCase),
        groups: &'c [&'c RuleGroup],
        schedule: Schedule,
        length: Millis,
        replay: &'c Replay<'c>,
    ) -> Checker<'c> {
        Checker {
            file,
            test,
            groups,
            schedule,
            length,
            replay,
            last_named: test.last_named(),
        }
    }

    /// Everything that is not as expected.
    pub fn failures(&self, said: &mut Said) -> Vec<Mismatch> {
        let mut failures = self.alerts();
        if self.replay.stopped_at.is_some() {
            failures.extend(self.rule_errors());
            return failures;
        }
        failures.extend(self.exprs(said));
        failures.extend(self.expectations(said));
        if self.test.rule_errors_expected.is_none() {
            failures.extend(self.failing_rules());
        }
        failures
    }

    /// The checks of alerts that fail, in the order of time and then of the file. Where a rule error ended the
    /// replay, only those before it count.
    fn alerts(&self) -> Vec<Mismatch> {
        let mut checks: Vec<(usize, &AlertCheck)> =
            self.test.alert_checks.iter().enumerate().collect();
        checks.sort_by_key(|(_, check)| check.eval_time);
        let checks = checks.into_iter();
        let reached = checks.filter(|(_, check)| self.is_before_the_end(check.eval_time));
        reached
            .filter_map(|(index, check)| self.alert(index, check))
            .collect()
    }

    /// Whether a time comes before an error of a rule ended the replay, if one did.
    pub fn is_before_the_end(&self, eval_time: Millis) -> bool {
        let stopped = self.replay.stopped_at;
        stopped.is_none_or(|stopped| self.evaluation_at(eval_time) < stopped)
    }

    /// The moment whose state a time asks for: promtool's last evaluation at or before it, or the time itself where each
    /// group has its own evaluations.
    pub fn evaluation_at(&self, eval_time: Millis) -> Timestamp {
        let interval = self.file.evaluation_interval.max(1);
        let after_start = match self.schedule {
            Schedule::Promtool => eval_time.div_euclid(interval).saturating_mul(interval),
            Schedule::Production => eval_time,
        };
        self.test.start.saturating_add(after_start)
    }

    /// The moment whose state the last time asks for that the test names.
    pub fn last_evaluation(&self) -> Timestamp {
        self.evaluation_at(self.last_named)
    }

    fn alert(&self, index: usize, check: &AlertCheck) -> Option<Mismatch> {
        let name = &check.alertname.value;
        let moment = self.evaluation_at(check.eval_time);
        let mut got: Vec<AlertLine> = self
            .replay
            .firing_at(name, moment)
            .into_iter()
            .map(seen_line)
            .filter(|line| is_of_group(&line.labels, check))
            .collect();
        let mut expected: Vec<AlertLine> = check
            .expected
            .iter()
            .map(|alert| AlertLine {
                labels: alert.labels.clone(),
                empty_labels: alert.empty_labels.clone(),
                annotations: alert.annotations.clone(),
            })
            .collect();
        got.sort();
        expected.sort();
        if got == expected {
            return None;
        }
        Some(Mismatch {
            name: name.clone(),
            eval_time: check.eval_time,
            place: Place::new(&self.file.source, check.span),
            check: index,
            cause: Cause::Alert {
                expected,
                got,
                strip: self.strip(check, moment),
            },
            why: None,
            glance: None,
        })
    }

    /// What an alert did in the evaluations around a moment.
    fn strip(&self, check: &AlertCheck, moment: Timestamp) -> Strip {
        let interval = self.file.evaluation_interval.max(1);
        let position = (moment - self.test.start) / interval;
        let shift = (moment - self.test.start) % interval;
        let first = (position - STRIP_REACH).max(0);
        let last_eval = self.last_evaluation();
        let last = (position + STRIP_REACH).min((last_eval - self.test.start - shift) / interval);
        let at = |place: i64| self.test.start + shift + place * interval;
        let alerts = self
            .replay
            .timeline
            .alerts
            .iter()
            .filter(|alert| alert.name == check.alertname.value);
        let rows = alerts
            .flat_map(|alert| &alert.instances)
            .filter(|instance| is_of_group(&instance.labels, check))
            .map(|instance| StripRow {
                labels: instance.labels.clone(),
                states: (first..=last)
                    .map(|place| instance.stretch_at(at(place)).map(|stretch| stretch.state))
                    .collect(),
                stretches: instance
                    .stretches
                    .iter()
                    .map(|stretch| {
                        let to = stretch.to.map(|to| since(self.test.start, to));
                        (stretch.state, since(self.test.start, stretch.from), to)
                    })
                    .collect(),
            });
        Strip {
            from: shift + first * interval,
            interval,
            marked: (position - first) as usize,
            rows: rows.collect(),
        }
    }

    fn rule_errors(&self) -> impl Iterator<Item = Mismatch> {
        self.replay.errors.iter().map(|error| {
            let group = self.groups[error.rule.group];
            let rule = &group.rules[error.rule.rule];
            Mismatch {
                name: rule.name.clone(),
                eval_time: since(self.test.start, error.at),
                place: Place::new(&group.source, error.place(rule)),
                check: 0,
                cause: Cause::Rule(error.message.clone()),
                why: None,
                glance: None,
            }
        })
    }

    /// The rules that failed in a test that went on: each once.
    fn failing_rules(&self) -> impl Iterator<Item = Mismatch> {
        let mut by_rule: BTreeMap<RuleId, Vec<&RuleError>> = BTreeMap::new();
        for error in &self.replay.errors {
            by_rule.entry(error.rule).or_default().push(error);
        }
        by_rule.into_values().filter_map(|errors| {
            let (first, last) = (errors.first()?, errors.last()?);
            let group = self.groups.get(first.rule.group)?;
            let rule = group.rules.get(first.rule.rule)?;
            Some(Mismatch {
                name: rule.name.clone(),
                eval_time: since(self.test.start, first.at),
                place: Place::new(&group.source, first.place(rule)),
                check: 0,
                cause: Cause::RuleFails {
                    message: first.message.clone(),
                    last: since(self.test.start, last.at),
                    count: errors.len(),
                },
                why: None,
                glance: None,
            })
        })
    }

    /// The items of `expect` that are not met, in the order of the file.
    fn expectations(&self, said: &mut Said) -> Vec<Mismatch> {
        let scene = Scene {
            replay: self.replay,
            groups: self.groups,
            start: self.test.start,
            length: self.length,
            interval: self.file.evaluation_interval,
        };
        let all = &self.test.expectations;
        let mut unmet = Vec::new();
        for (index, expectation) in all.iter().enumerate() {
            let (name, found) = match &expectation.kind {
                ExpectationKind::Alert(alert) => {
                    let found = expect::check_alert(&scene, alert, all);
                    (alert.alert.value.clone(), found)
                }
                ExpectationKind::Alerts(every) => {
                    let named = self.test.named_alerts().map(|alert| alert.value.as_str());
                    let named: Vec<&str> = named.collect();
                    (
                        every.name().to_owned(),
                        expect::check_every(&scene, every, expectation.span, &named),
                    )
                }
                ExpectationKind::Slo(asked) => {
                    // The file was refused where it has no such objective.
                    let mut slos = self.file.slos.iter();
                    let slo = slos.find(|slo| slo.name == asked.slo.value);
                    let found = slo.and_then(|slo| {
                        let (unmatched, matched) = unmatched(slo, &self.replay.view_live());
                        let found = expect::check_slo(&scene, asked, slo, &unmatched);
                        said.of_objective(unmatched, matched);
                        found
                    });
                    (asked.slo.value.clone(), found)
                }
                ExpectationKind::Expr(expr) => {
                    let (found, columns) = expect::check_expr(&scene, expr);
                    if let Some(columns) = columns {
                        said.of_expectation(expr, &columns.annotations);
                    }
                    (expr.expr.text.clone(), found)
                }
            };
            let Some(found) = found else { continue };
            unmet.push(Mismatch {
                name,
                eval_time: found.moment().unwrap_or(0),
                place: Place::new(&self.file.source, expectation.span),
                check: index,
                cause: Cause::Unmet(Box::new(found)),
                why: None,
                glance: None,
            });
        }
        unmet
    }

    /// The checks of expressions that fail, in the order of the file.
    fn exprs(&self, said: &mut Said) -> impl Iterator<Item = Mismatch> {
        let checks = self.test.expr_checks.iter().enumerate();
        checks.filter_map(|(index, check)| {
            let cause = self.expr(check, said)?;
            Some(Mismatch {
                name: check.expr.text.clone(),
                eval_time: check.eval_time,
                place: Place::new(&self.file.source, check.span),
                check: index,
                cause,
                why: None,
                glance: None,
            })
        })
    }

    fn expr(&self, check: &ExprCheck, said: &mut Said) -> Option<Cause> {
        let query = match &check.query {
            Ok(query) => query,
            Err(faults) => return Some(Cause::Unreadable(faults.clone())),
        };
        let got = match self.evaluate(query, check.eval_time) {
            Ok(columns) => {
                said.of_expr(check, &columns.annotations);
                SampleLine::all(&columns)
            }
            Err(message) => return Some(Cause::ExprError(message)),
        };
        let mut expected: Vec<SampleLine> = match &check.expected {
            Ok(samples) => samples
                .iter()
                .map(|sample| SampleLine {
                    labels: sample.labels.clone(),
                    value: sample.value,
                    histogram: sample.histogram.clone(),
                })
                .collect(),
            Err(fault) => return Some(Cause::Unreadable(vec![fault.clone()])),
        };
        expected.sort_by(|a, b| a.labels.cmp(&b.labels));
        let same = got.len() == expected.len()
            && got
                .iter()
                .zip(&expected)
                .all(|(got, expected)| self.agrees(got, expected));
        if same {
            None
        } else {
            Some(Cause::Expr { expected, got })
        }
    }

    fn agrees(&self, got: &SampleLine, expected: &SampleLine) -> bool {
        let (a, b) = (got.value, expected.value);
        let close = a == b || (self.file.fuzzy_compare && (a.next_up() == b || a.next_down() == b));
        let text = |line: &SampleLine| line.histogram.as_ref().map(Histogram::test_expression);
        close && got.labels == expected.labels && text(got) == text(expected)
    }

    /// The samples of an expression at a time, seeing everything up to the last evaluation.
    fn evaluate(&self, query: &Query, eval_time: Millis) -> Result<Columns, String> {
        let view = self.replay.view_after(self.last_evaluation());
        let time = self.test.start.saturating_add(eval_time);
        let Some(columns) = evaluate(query, &view, Ticks::instant(time)).into_columns() else {
            return Err(NO_VECTOR.to_owned());
        };
        match columns.errors.values().next() {
            Some(error) => Err(error.message.clone()),
            None => Ok(columns),
        }
    }
}

fn seen_line(alert: ActiveAlert) -> AlertLine {
    AlertLine {
        labels: alert.labels,
        empty_labels: Vec::new(),
        annotations: alert.annotations,
    }
}

/// Whether an alert is of the group that a check names, if it names one.
fn is_of_group(labels: &Labels, check: &AlertCheck) -> bool {
    let group = check.group.as_ref();
    group.is_none_or(|group| labels.get(ALERT_GROUP) == Some(group.value.as_str()))
}
