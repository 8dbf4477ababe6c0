//! Runs the tests of a file: each is one replay and the checks on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::check::Checker;
use super::coverage::{self, Reached};
use super::file::{TestCase, TestFile};
use super::history;
use super::lay_out::{generated_faults, inputs};
use super::order::{groups_in_order, unknown_groups};
use super::said::Said;
use super::schedules::{apart, difference};
use super::vacuous::{self, Active, Excuses, Finding, Silence};
use super::verdict::{FileVerdict, TestVerdict, since};
use super::vmalert::labelled;
use super::warmup::{looked_back, seen};
use super::why::{glance, why};
use crate::model::{Millis, Regex};
use crate::promql::{Features, View};
use crate::replay::{History, OnRuleError, Replay, ReplaySpec, RuleId, Schedule, replay};
use crate::rules::{RuleFile, RuleGroup, RuleKind};
use crate::store::{Series, Store};
use crate::text::{Diagnostic, Severity, Span, closest, distinct};

/// A test file with the rule files it names.
#[derive(Debug)]
pub struct Suite {
    /// The test file.
    pub file: Arc<TestFile>,
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
    /// Failures of alerts name the rule, and what it compared.
    pub glance: bool,
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
            glance: false,
            coverage: false,
        }
    }
}

impl RunOptions {
    /// When the groups of a file are evaluated.
    pub(super) fn schedule(&self, file: &TestFile) -> Schedule {
        self.schedule
            .or(file.schedule)
            .unwrap_or(Schedule::Promtool)
    }
}

/// In no more failures of a test than these it is said what the rule compared.
const MAX_GLANCES: usize = 50;

/// Evaluations times series of all tests above which tests are run on several threads.
const PARALLEL_WORK: u64 = 100_000;

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
    let passed = tests.iter().all(|test| test.failures.is_empty());
    let (faults, silences) = proof(suite, &groups, options, passed, &seen);
    let errors = faults.iter().filter(|it| it.severity == Severity::Error);
    let errors: Vec<Diagnostic> = errors.cloned().collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    warnings.extend(faults);
    warnings.extend(seen.too_short.values().cloned());
    let apart = apart(&suite.file, &groups);
    // A file that says its schedule means that one.
    let is_chosen = suite.file.schedule.is_some() && options.schedule.is_none();
    if !options.promtool_compatible && !apart.is_empty() && !is_chosen {
        let schedule = options.schedule(&suite.file);
        let options = RunOptions {
            schedule: Some(schedule.other()),
            coverage: false,
            why: false,
            glance: false,
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
pub(super) fn proof(
    suite: &Suite,
    groups: &[&RuleGroup],
    options: &RunOptions,
    passed: bool,
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
pub(super) struct Seen {
    said: Said,
    reached: Reached,
    pub active: Active,
    pub excuses: Excuses,
    pub vacuous: Vec<Finding>,
    /// Alerts that fired with too little history, each with what is said of the first test where it did.
    too_short: BTreeMap<RuleId, Diagnostic>,
}

impl Seen {
    /// Takes over what was seen in another test.
    fn merge(&mut self, other: Seen) {
        self.said.merge(other.said);
        self.reached.merge(other.reached);
        self.active.merge(other.active);
        self.excuses.merge(other.excuses);
        self.vacuous.extend(other.vacuous);
        for (alert, fault) in other.too_short {
            self.too_short.entry(alert).or_insert(fault);
        }
    }
}

/// Runs the tests that were asked for.
fn run_tests(
    suite: &Suite,
    groups: &[&RuleGroup],
    options: &RunOptions,
) -> Result<(Vec<TestVerdict>, Seen), Vec<Diagnostic>> {
    let tests = suite.file.tests.iter().enumerate();
    let chosen: Vec<(usize, &TestCase)> = tests
        .filter(|(_, test)| is_chosen(test, &options.names))
        .collect();
    let work = chosen.iter().map(|(_, test)| work(&suite.file, test));
    let work = work.fold(0, u64::saturating_add);
    let run =
        |&(case, test): &(usize, &TestCase)| run_test(&suite.file, case, test, groups, options);
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

pub(super) fn is_chosen(test: &TestCase, names: &[Regex]) -> bool {
    let name = test.name.as_ref().map_or("", |name| name.value.as_str());
    names.is_empty() || names.iter().any(|regex| regex.is_match(name))
}

/// Checks of alerts that no rule defines.
pub(super) fn unknown_alerts(suite: &Suite) -> Vec<Diagnostic> {
    let rules = suite
        .rule_files
        .iter()
        .flat_map(|file| &file.groups)
        .flat_map(|group| group.rules.iter());
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
    replayed_over(file, test, groups, options, |seen| inputs(file, test, seen))
}

/// The same over inputs that are laid out already, or will be, with so much of what came before the test.
pub(super) fn replayed_over<'g>(
    file: &TestFile,
    test: &TestCase,
    groups: &'g [&'g RuleGroup],
    options: &RunOptions,
    lay_out: impl FnOnce(Millis) -> Result<Store, Vec<Diagnostic>>,
) -> Result<(Replay<'g>, Millis), Vec<Diagnostic>> {
    let (staged, length) = staged_over(file, test, options, Some(groups), lay_out)?;
    let spec = ReplaySpec { groups, ..staged };
    let replay = replay(spec).map_err(|error| {
        vec![
            Diagnostic::error(error.to_string())
                .at(&file.source, test.span)
                .help("use a longer evaluation_interval or earlier eval_times"),
        ]
    })?;
    Ok((replay, length))
}

/// What a test replays but for the rules; also says how long it lasts. Of what came before it as much is laid out as the groups
/// look back on, all of it where it is not known which will be replayed.
pub(super) fn staged(
    file: &TestFile,
    test: &TestCase,
    options: &RunOptions,
    groups: Option<&[&RuleGroup]>,
) -> Result<(ReplaySpec<'static>, Millis), Vec<Diagnostic>> {
    staged_over(file, test, options, groups, |seen| inputs(file, test, seen))
}

fn staged_over(
    file: &TestFile,
    test: &TestCase,
    options: &RunOptions,
    groups: Option<&[&RuleGroup]>,
    lay_out: impl FnOnce(Millis) -> Result<Store, Vec<Diagnostic>>,
) -> Result<(ReplaySpec<'static>, Millis), Vec<Diagnostic>> {
    let interval = file.evaluation_interval;
    let history = match &test.warmup {
        Some(warmup) => History {
            length: warmup.length.value,
            reads: looked_back(file, test, warmup),
        },
        None => History::default(),
    };
    let seen = groups.map_or(history.length, |groups| seen(file, test, groups, &history));
    let store = lay_out(seen)?;
    let length = length(test, store.iter());
    let end = test.start.saturating_add(length);
    let mut spec = ReplaySpec::new(&[], store, test.start, end, interval);
    if test.is_extended {
        spec.on_error = OnRuleError::Continue;
    }
    spec.external_labels = test.external_labels.clone();
    spec.external_url = test.external_url.clone();
    spec.schedule = options.schedule(file);
    spec.features = options.features;
    spec.max_samples = options.max_samples;
    spec.history = history;
    Ok((spec, length))
}

fn run_test(
    file: &TestFile,
    case: usize,
    test: &TestCase,
    groups: &[&RuleGroup],
    options: &RunOptions,
) -> Result<(TestVerdict, Seen), Vec<Diagnostic>> {
    let own = labelled(file, test, groups);
    let own: Option<Vec<&RuleGroup>> = own.as_ref().map(|own| own.iter().collect());
    let groups = own.as_deref().unwrap_or(groups);
    let (replay, length) = replayed(file, test, groups, options)?;
    let mut said = Said::default();
    said.of_rules(&replay);
    let schedule = options.schedule(file);
    let check = Checker::new((file, test), groups, schedule, length, &replay);
    let mut failures = check.failures(&mut said);
    if options.why {
        let last = check.last_evaluation();
        for failure in &mut failures {
            failure.why = why(&replay, test, failure, last);
        }
    }
    if options.glance {
        for failure in failures.iter_mut().take(MAX_GLANCES) {
            failure.glance = glance(&replay, test, failure);
        }
    }
    let verdict = TestVerdict {
        index: test.item,
        case,
        name: test
            .name
            .as_ref()
            .map_or_else(String::new, |name| name.value.clone()),
        assertions: check.assertions(),
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
        too_short: match options.promtool_compatible {
            true => BTreeMap::new(),
            false => history::too_short(file, test, groups, &options.features, &replay),
        },
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
