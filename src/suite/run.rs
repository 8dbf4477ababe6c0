//! Runs the tests of a file: each is one replay and the checks on it.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::coverage::{self, Reached};
use super::expect::{self, ExpectationKind, Scene};
use super::file::{AlertCheck, ExprCheck, TestCase, TestFile};
use super::lay_out::{generated_faults, inputs};
use super::order::{groups_in_order, unknown_groups};
use super::said::Said;
use super::schedules::{apart, difference};
use super::vacuous::{self, Active, Excuses, Finding, Silence};
use super::verdict::{
    AlertLine, Cause, FileVerdict, Mismatch, SampleLine, Strip, StripRow, TestVerdict, since,
};
use super::why::why;
use crate::model::{Histogram, Millis, Regex, Timestamp};
use crate::promql::{Columns, Evaluated, Features, Query, Sample, Ticks, View, evaluate};
use crate::replay::{
    ActiveAlert, OnRuleError, Replay, ReplaySpec, RuleError, RuleId, Schedule, replay,
};
use crate::rules::{RuleFile, RuleGroup, RuleKind};
use crate::store::Series;
use crate::text::{Diagnostic, Place, Severity, Span, closest, distinct};

/// A test file with the rule files it names.
#[derive(Debug)]
pub struct Suite {
    /// The test file.
    pub file: TestFile,
    /// Its rule files, in the order named, none twice.
    pub rule_files: Vec<RuleFile>,
}

/// How tests are run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Only tests whose name one of these matches; all if there is none.
    pub names: Vec<Regex>,
    /// What is switched on.
    pub features: Features,
    /// When groups are evaluated, whatever the file says.
    pub schedule: Option<Schedule>,
    /// How many samples a query may hold at once.
    pub max_samples: usize,
    /// What promtool lets pass in silence passes.
    pub promtool_compatible: bool,
    /// Failures are explained.
    pub why: bool,
    /// Whether to tell what the tests reach of the rules.
    pub coverage: bool,
}

impl Default for RunOptions {
    /// All tests, with Prometheus's defaults.
    fn default() -> RunOptions {
        RunOptions {
            names: Vec::new(),
            features: Features::default(),
            schedule: None,
            max_samples: View::MAX_SAMPLES,
            promtool_compatible: false,
            why: false,
            coverage: false,
        }
    }
}

impl RunOptions {
    /// When the groups of a file are evaluated.
    fn schedule(&self, file: &TestFile) -> Schedule {
        self.schedule
            .or(file.schedule)
            .unwrap_or(Schedule::Promtool)
    }
}

/// Evaluations times series of all tests above which tests are run on several threads.
const PARALLEL_WORK: u64 = 100_000;

/// How many evaluations a strip shows before and after the moment asked for.
const STRIP_REACH: i64 = 15;

/// Runs the tests of a file.
///
/// # Errors
///
/// What keeps the file from being run: series that can't be laid out, and, unless `promtool_compatible`, alerts
/// that no rule defines.
pub fn run(suite: &Suite, options: &RunOptions) -> Result<FileVerdict, Vec<Diagnostic>> {
    let mut warnings: Vec<Diagnostic> = suite
        .rule_files
        .iter()
        .flat_map(|file| file.warnings.clone())
        .collect();
    warnings.extend(suite.file.warnings.iter().cloned());
    warnings.extend(unknown_groups(&suite.file, &suite.rule_files));
    let unknown = unknown_alerts(suite);
    match options.promtool_compatible {
        true => warnings.extend(unknown.into_iter().map(Diagnostic::into_warning)),
        false if !unknown.is_empty() => return Err(unknown),
        false => {}
    }
    if suite.file.tests.is_empty() {
        let fault = Diagnostic::error("the file holds no test")
            .at(&suite.file.source, Span::new(0, 0))
            .help("add one under `tests:`");
        match options.promtool_compatible {
            true => warnings.push(fault.into_warning()),
            false => return Err(vec![fault]),
        }
    }
    let groups = groups_in_order(&suite.file, &suite.rule_files);
    let (tests, seen) = run_tests(suite, &groups, options)?;
    let (faults, silences) = proof(suite, &groups, options, &tests, &seen);
    let errors = faults.iter().filter(|it| it.severity == Severity::Error);
    let errors: Vec<Diagnostic> = errors.cloned().collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    warnings.extend(faults);
    let apart = apart(&suite.file, &groups);
    // A file that says its schedule means that one.
    let is_chosen = suite.file.schedule.is_some() && options.schedule.is_none();
    if !options.promtool_compatible && !apart.is_empty() && !is_chosen {
        let schedule = options.schedule(&suite.file);
        let options = RunOptions {
            schedule: Some(schedule.other()),
            coverage: false,
            ..options.clone()
        };
        // Where the other schedule can't be had at all, there is nothing to compare.
        let (others, _) = run_tests(suite, &groups, &options).unwrap_or_default();
        warnings.extend(difference(&apart, &suite.file, schedule, &tests, &others));
    }
    Ok(FileVerdict {
        warnings,
        tests,
        annotations: seen.said.into_diagnostics(&groups),
        coverage: options
            .coverage
            .then(|| seen.reached.into_coverage(&groups)),
        silences,
    })
}

/// What proves nothing in a file whose tests ran: errors in tests that promtool would not run, else warnings. Where a test
/// fails, it has more to tell, and nothing is an error.
fn proof(
    suite: &Suite,
    groups: &[&RuleGroup],
    options: &RunOptions,
    tests: &[TestVerdict],
    seen: &Seen,
) -> (Vec<Diagnostic>, Vec<Silence>) {
    let mut findings = seen.vacuous.clone();
    let mut silences = Vec::new();
    // Tests that were left out might read, or have, what others do not.
    if options.names.is_empty() {
        let (more, found) = vacuous::judge(suite, groups, &seen.active, &seen.excuses);
        findings.extend(more);
        silences = found;
    }
    let passed = tests.iter().all(|test| test.failures.is_empty());
    let told = findings.into_iter().map(|finding| {
        match finding.is_extended && passed && !options.promtool_compatible {
            true => finding.fault,
            false => finding.fault.into_warning(),
        }
    });
    let mut told = distinct(told.collect());
    told.sort_by_key(|fault| {
        let place = fault.place.as_ref();
        place.map(|place| (place.source.name().to_owned(), place.span))
    });
    (told, silences)
}

/// What was seen in tests beside their verdicts.
#[derive(Debug, Default)]
struct Seen {
    said: Said,
    reached: Reached,
    active: Active,
    excuses: Excuses,
    vacuous: Vec<Finding>,
}

impl Seen {
    /// Takes over what was seen in another test.
    fn merge(&mut self, other: Seen) {
        self.said.merge(other.said);
        self.reached.merge(other.reached);
        self.active.merge(other.active);
        self.excuses.merge(other.excuses);
        self.vacuous.extend(other.vacuous);
    }
}

/// Runs the tests that were asked for.
fn run_tests(
    suite: &Suite,
    groups: &[&RuleGroup],
    options: &RunOptions,
) -> Result<(Vec<TestVerdict>, Seen), Vec<Diagnostic>> {
    let tests = suite.file.tests.iter().map(|test| (test.item, test));
    let chosen: Vec<(usize, &TestCase)> = tests
        .filter(|(_, test)| is_chosen(test, &options.names))
        .collect();
    let work = chosen.iter().map(|(_, test)| work(&suite.file, test));
    let work = work.fold(0, u64::saturating_add);
    let run =
        |&(index, test): &(usize, &TestCase)| run_test(&suite.file, index, test, groups, options);
    let ran: Vec<Result<(TestVerdict, Seen), Vec<Diagnostic>>> = match work < PARALLEL_WORK {
        true => chosen.iter().map(run).collect(),
        false => chosen.par_iter().map(run).collect(),
    };
    let mut seen = Seen::default();
    let mut tests = Vec::with_capacity(ran.len());
    for result in ran {
        let (verdict, of_test) = result?;
        seen.merge(of_test);
        tests.push(verdict);
    }
    Ok((tests, seen))
}

/// Evaluations times series, about: what it costs to run a test.
fn work(file: &TestFile, test: &TestCase) -> u64 {
    let length = test.duration.as_ref().map_or(0, |duration| duration.value);
    let evaluations = test.last_named().max(length) / file.evaluation_interval.max(1) + 1;
    let recorded = test.fixtures.iter().map(|fixture| fixture.series.len());
    let generated = test.generated.iter().map(|it| it.generator.series.len());
    let series = test.input_series.len() + recorded.sum::<usize>() + generated.sum::<usize>();
    u64::try_from(evaluations)
        .unwrap_or(0)
        .saturating_mul(series as u64)
}

/// What is wrong in a suite that loads: alerts that no rule defines, expressions and samples that can't be read, series
/// that can't be generated, and what proves nothing, as far as that shows before a test runs.
pub fn faults(suite: &Suite) -> Vec<Diagnostic> {
    let mut faults = unknown_alerts(suite);
    for check in suite.file.tests.iter().flat_map(|test| &test.expr_checks) {
        faults.extend(check.query.as_ref().err().into_iter().flatten().cloned());
        faults.extend(check.expected.as_ref().err().cloned());
    }
    let tests = suite.file.tests.iter();
    faults.extend(tests.flat_map(generated_faults));
    let groups = groups_in_order(&suite.file, &suite.rule_files);
    faults.extend(vacuous::faults(suite, &groups));
    distinct(faults)
}

fn is_chosen(test: &TestCase, names: &[Regex]) -> bool {
    let name = test.name.as_ref().map_or("", |name| name.value.as_str());
    names.is_empty() || names.iter().any(|regex| regex.is_match(name))
}

/// Checks of alerts that no rule defines.
fn unknown_alerts(suite: &Suite) -> Vec<Diagnostic> {
    let rules = suite
        .rule_files
        .iter()
        .flat_map(|file| &file.groups)
        .flat_map(|group| &group.rules);
    let known: Vec<&str> = rules
        .filter(|rule| matches!(rule.kind, RuleKind::Alert(_)))
        .map(|rule| rule.name.as_str())
        .collect();
    let named = suite.file.tests.iter().flat_map(TestCase::named_alerts);
    let unknown = named.filter(|alert| !known.contains(&alert.value.as_str()));
    let unknown = unknown.map(|alert| {
        let name = &alert.value;
        let fault = Diagnostic::error(format!("no rule defines an alert {name:?}"))
            .at(&suite.file.source, alert.span)
            .label("unknown alert");
        match closest(name, &known) {
            Some(near) => fault.help(format!("did you mean {near:?}?")),
            None => fault.help("correct the name, or add the rule's file to rule_files"),
        }
    });
    distinct(unknown.collect())
}

/// Replays the rules over the inputs of a test; also says how long it lasts.
pub(super) fn replayed<'g>(
    file: &TestFile,
    test: &TestCase,
    groups: &'g [&'g RuleGroup],
    options: &RunOptions,
) -> Result<(Replay<'g>, Millis), Vec<Diagnostic>> {
    let interval = file.evaluation_interval;
    let store = inputs(file, test)?;
    let length = length(test, store.iter());
    let end = test.start.saturating_add(length);
    let mut spec = ReplaySpec::new(groups, store, test.start, end, interval);
    if test.is_extended {
        spec.on_error = OnRuleError::Continue;
    }
    spec.external_labels = test.external_labels.clone();
    spec.external_url = test.external_url.clone();
    spec.schedule = options.schedule(file);
    spec.features = options.features;
    spec.max_samples = options.max_samples;
    let replay = replay(spec).map_err(|error| {
        vec![
            Diagnostic::error(error.to_string())
                .at(&file.source, test.span)
                .help("use a longer evaluation_interval or earlier eval_times"),
        ]
    })?;
    Ok((replay, length))
}

fn run_test(
    file: &TestFile,
    index: usize,
    test: &TestCase,
    groups: &[&RuleGroup],
    options: &RunOptions,
) -> Result<(TestVerdict, Seen), Vec<Diagnostic>> {
    let (replay, length) = replayed(file, test, groups, options)?;
    let mut said = Said::default();
    said.of_rules(&replay);
    let check = Checker {
        file,
        test,
        groups,
        schedule: options.schedule(file),
        length,
        replay: &replay,
    };
    let mut failures = check.alerts();
    if replay.stopped_at.is_some() {
        failures.extend(check.rule_errors());
    } else {
        failures.extend(check.exprs(&mut said));
        failures.extend(check.expectations(&mut said));
        if test.rule_errors_expected.is_none() {
            failures.extend(check.failing_rules());
        }
    }
    if options.why {
        let last = check.evaluation_at(test.last_named());
        for failure in &mut failures {
            failure.why = why(&replay, test, failure, last);
        }
    }
    let verdict = TestVerdict {
        index,
        is_one_of_many: !test.values.is_empty(),
        name: test
            .name
            .as_ref()
            .map_or_else(String::new, |name| name.value.clone()),
        checks: test.checks(),
        failures,
    };
    let reached = match options.coverage {
        true => coverage::reached(test, groups, &replay),
        false => Reached::default(),
    };
    let seen = Seen {
        said,
        reached,
        active: Active::of(&replay),
        excuses: Excuses::of(test, &replay),
        vacuous: vacuous::amounts(file, test, groups, &replay),
    };
    Ok((verdict, seen))
}

/// How long a test lasts: as it says, else up to the last time that it names and, where promtool's keys are not all
/// it has, the last sample of its inputs.
pub(super) fn length<'s>(test: &TestCase, inputs: impl Iterator<Item = &'s Series>) -> Millis {
    let named = test.last_named();
    match &test.duration {
        Some(duration) => duration.value,
        None if !test.is_extended => named,
        None => {
            let last = |series: &Series| {
                let points = &series.points;
                let last = points.len().checked_sub(1)?;
                Some(since(test.start, points.time(last)))
            };
            inputs.filter_map(last).fold(named, Millis::max)
        }
    }
}

/// A replay and what is asked of it.
struct Checker<'c> {
    file: &'c TestFile,
    test: &'c TestCase,
    groups: &'c [&'c RuleGroup],
    schedule: Schedule,
    length: Millis,
    replay: &'c Replay<'c>,
}

impl Checker<'_> {
    /// The checks of alerts that fail, in the order of time and then of the file. Where a rule error ended the
    /// replay, only those before it count.
    fn alerts(&self) -> Vec<Mismatch> {
        let mut checks: Vec<(usize, &AlertCheck)> =
            self.test.alert_checks.iter().enumerate().collect();
        checks.sort_by_key(|(_, check)| check.eval_time);
        let reached = |check: &AlertCheck| {
            let moment = self.evaluation_at(check.eval_time);
            self.replay
                .stopped_at
                .is_none_or(|stopped| moment < stopped)
        };
        let reached = checks.into_iter().filter(|(_, check)| reached(check));
        reached
            .filter_map(|(index, check)| self.alert(index, check))
            .collect()
    }

    /// The moment whose state a time asks for: promtool's last evaluation at or before it, or the time itself where each
    /// group has its own evaluations.
    fn evaluation_at(&self, eval_time: Millis) -> Timestamp {
        let interval = self.file.evaluation_interval.max(1);
        let after_start = match self.schedule {
            Schedule::Promtool => eval_time.div_euclid(interval).saturating_mul(interval),
            Schedule::Production => eval_time,
        };
        self.test.start.saturating_add(after_start)
    }

    fn alert(&self, index: usize, check: &AlertCheck) -> Option<Mismatch> {
        let name = &check.alertname.value;
        let moment = self.evaluation_at(check.eval_time);
        let mut got: Vec<AlertLine> = self
            .replay
            .firing_at(name, moment)
            .into_iter()
            .map(seen_line)
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
                strip: self.strip(name, moment),
            },
            why: None,
        })
    }

    /// What an alert did in the evaluations around a moment.
    fn strip(&self, name: &str, moment: Timestamp) -> Strip {
        let interval = self.file.evaluation_interval.max(1);
        let position = (moment - self.test.start) / interval;
        let shift = (moment - self.test.start) % interval;
        let first = (position - STRIP_REACH).max(0);
        let last_eval = self.evaluation_at(self.test.last_named());
        let last = (position + STRIP_REACH).min((last_eval - self.test.start - shift) / interval);
        let at = |place: i64| self.test.start + shift + place * interval;
        let alerts = self
            .replay
            .timeline
            .alerts
            .iter()
            .filter(|alert| alert.name == name);
        let rows = alerts
            .flat_map(|alert| &alert.instances)
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
                        expect::check_every(&scene, every, &named),
                    )
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
            })
        })
    }

    fn expr(&self, check: &ExprCheck, said: &mut Said) -> Option<Cause> {
        let query = match &check.query {
            Ok(query) => query,
            Err(faults) => return Some(Cause::Unreadable(faults.clone())),
        };
        let mut got = match self.evaluate(query, check.eval_time) {
            Ok(columns) => {
                said.of_expr(check, &columns.annotations);
                sample_lines(&columns)
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
        got.sort_by(|a, b| a.labels.cmp(&b.labels));
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
        let view = self
            .replay
            .view_after(self.evaluation_at(self.test.last_named()));
        let time = self.test.start.saturating_add(eval_time);
        let columns = match evaluate(query, &view, Ticks::instant(time)) {
            Evaluated::Vector(columns) | Evaluated::Scalar(columns) => columns,
            Evaluated::String(_) => return Err("rule result is not a vector or scalar".to_owned()),
        };
        match columns.errors.values().next() {
            Some(error) => Err(error.message.clone()),
            None => Ok(columns),
        }
    }
}

/// The samples of the only tick.
fn sample_lines(columns: &Columns) -> Vec<SampleLine> {
    let lines = columns.series.iter().filter_map(|series| {
        let (value, histogram) = match series.column.get(0)? {
            Sample::Float(value) => (value, None),
            Sample::Histogram(histogram) => (0.0, Some(Histogram::clone(histogram))),
        };
        Some(SampleLine {
            labels: series.labels.clone(),
            value,
            histogram,
        })
    });
    lines.collect()
}

fn seen_line(alert: ActiveAlert) -> AlertLine {
    AlertLine {
        labels: alert.labels,
        empty_labels: Vec::new(),
        annotations: alert.annotations,
    }
}
