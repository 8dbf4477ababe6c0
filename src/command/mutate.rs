//! `rulecheck mutate`: changes rules one thing at a time, and names each change that no test notices.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use rayon::prelude::*;

use super::schedule::{PhaseOptions, Phases, ScheduleName};
use super::{Limits, Outcome, Reading, TEXT_OR_JSON, complain, format, load};
use crate::io;
use crate::model::Regex;
use crate::mutate::{Judged, Operator, Subject, chosen, judge, operators};
use crate::replay::Schedule;
use crate::report::mutate::{Score, json, text};
use crate::report::{Format, count};
use crate::rules::{ReadOptions, Rule};
use crate::suite::{self, RunOptions, Suite};
use crate::text::Diagnostic;
use crate::whatif::RuleSet;

/// The options of `rulecheck mutate`.
#[derive(Debug, Args)]
#[command(after_help = notes())]
pub(super) struct Options {
    /// Test files, folders that hold some, or patterns; the current folder if none is given. What they read is changed, in
    /// memory only
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Change rules by these operators only; several with commas, or all
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    operators: Vec<String>,
    /// Change only rules whose name matches (RE2); may be given several times
    #[arg(long, value_name = "REGEX")]
    rule: Vec<String>,
    /// Run only tests whose name matches (RE2); may be given several times
    #[arg(long, value_name = "REGEX")]
    run: Vec<String>,
    /// Fail where less than so many of a hundred mutants are killed
    #[arg(long, value_name = "PERCENT")]
    min_score: Option<f64>,
    /// Group schedule: all groups at every evaluation_interval as promtool does, or each on its own interval as a server;
    /// if not given, the file's `schedule` or promtool's
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    #[command(flatten)]
    phases: PhaseOptions,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    limits: Limits,
    /// How to print the result
    #[arg(long, value_name = "FORMAT", value_parser = format(&TEXT_OR_JSON), default_value = "text")]
    format: Format,
    /// How many mutants to test at once; as many as there are processors if not given
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

/// The table of operators.
fn notes() -> String {
    let mut notes = "Operators:\n".to_owned();
    for Operator {
        name,
        about,
        by_default,
        ..
    } in operators()
    {
        let only = if *by_default {
            ""
        } else {
            " (only where it is named)"
        };
        notes.push_str(&format!("  {name}: {about}{only}\n"));
    }
    notes
        + "A mutant that Prometheus would not load is none. Exit code 1 where --min-score is not reached."
}

/// What the options ask for, checked.
struct Plan {
    operators: Vec<&'static Operator>,
    rules: Vec<Regex>,
    reading: ReadOptions,
    running: RunOptions,
    phases: Phases,
}

/// Makes mutants, and runs the tests over them.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let plan = plan(options)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.jobs.unwrap_or(0));
    let judged = match pool.build() {
        Ok(pool) => pool.install(|| all(options, &plan))?,
        Err(_) => all(options, &plan)?,
    };
    let score = Score::of(&judged);
    io::print(&match options.format {
        Format::Json => json(&judged),
        _ => text(&judged),
    });
    let is_low = |min: &f64| score.percent().is_none_or(|percent| percent < *min);
    let Some(min) = options.min_score.filter(is_low) else {
        return Ok(Outcome::Success);
    };
    let message = format!(
        "--min-score {min}: only {} of the mutants are killed",
        score.words()
    );
    complain(&Diagnostic::error(message).help("add the tests that the survivors ask for"));
    Ok(Outcome::Failure)
}

fn plan(options: &Options) -> Result<Plan, Vec<Diagnostic>> {
    let one = |fault: Diagnostic| vec![fault];
    if options.jobs == Some(0) {
        let fault = Diagnostic::error("--jobs 0 would run nothing");
        return Err(one(fault.help("give a number above 0")));
    }
    if let Some(percent) = options.min_score.filter(|it| !(0.0..=100.0).contains(it)) {
        let fault = Diagnostic::error(format!("--min-score {percent} is no share of a hundred"));
        return Err(one(fault.help("give a number from 0 to 100")));
    }
    let names: Vec<String> = options
        .operators
        .iter()
        .map(|it| it.trim().to_owned())
        .collect();
    let reading = options.reading.options()?;
    let schedule = options.schedule.unwrap_or(ScheduleName::Promtool);
    Ok(Plan {
        operators: chosen(&names).map_err(one)?,
        rules: regexes("--rule", &options.rule)?,
        reading,
        running: RunOptions {
            names: regexes("--run", &options.run)?,
            features: reading.features,
            schedule: options.schedule.map(Schedule::from),
            max_samples: options.limits.max_samples,
            ..RunOptions::default()
        },
        phases: options.phases.read(schedule.into())?,
    })
}

/// Reads the patterns of a flag.
fn regexes(flag: &str, patterns: &[String]) -> Result<Vec<Regex>, Vec<Diagnostic>> {
    load::all_or_faults(patterns.iter().map(|pattern| {
        Regex::unanchored(pattern).map_err(|error| {
            let fault = Diagnostic::error(format!("{flag} {pattern:?}: {error}"));
            vec![fault.help("give a regular expression in RE2 syntax")]
        })
    }))
}

/// Every mutant of every rule file that the tests read.
fn all(options: &Options, plan: &Plan) -> Result<Vec<Judged>, Vec<Diagnostic>> {
    let suites = suites(options, plan)?;
    let of = |rule: &Rule| {
        let mut patterns = plan.rules.iter();
        plan.rules.is_empty() || patterns.any(|pattern| pattern.is_match(&rule.name))
    };
    let mut judged = Vec::new();
    for (rules, readers) in rule_files(&suites, &plan.reading) {
        if !rules
            .groups()
            .iter()
            .any(|group| group.rules.iter().any(of))
        {
            continue;
        }
        let readers = readers
            .into_iter()
            .filter_map(|(suite, place)| Some((suites.get(suite)?, place)));
        let subject = Subject::new(rules, readers, &plan.running);
        let mutants = subject.mutants(&plan.operators, &of);
        judged.extend(judge(&subject, mutants));
    }
    if !judged.is_empty() {
        return Ok(judged);
    }
    let fault = Diagnostic::error("there is nothing to change: no mutant can be made");
    Err(vec![match plan.rules.is_empty() {
        true => fault.help("the tests must read a rule file that holds what the operators change"),
        false => fault.help("correct --rule, or leave it out to change every rule"),
    }])
}

/// The test files, which must all pass.
fn suites(options: &Options, plan: &Plan) -> Result<Vec<Suite>, Vec<Diagnostic>> {
    let paths = match options.paths.is_empty() {
        true => vec![PathBuf::from(".")],
        false => options.paths.clone(),
    };
    let files = io::test_files(&paths);
    if files.is_empty() {
        let names: Vec<String> = paths.iter().map(|path| io::display(path)).collect();
        let fault = Diagnostic::error(format!("no test file in {}", names.join(", ")));
        return Err(vec![
            fault.help("a test file is a YAML file with a top-level `tests:`"),
        ]);
    }
    let shelf = load::Shelf::default();
    let read = |named: &io::Named| {
        let path = named.as_ref().map_err(|(_, fault)| vec![fault.clone()])?;
        let mut suite = load::suite(path, &plan.reading, false, &shelf)?;
        let interval = suite.file.evaluation_interval;
        plan.phases.set(&mut suite.rule_files, interval)?;
        let verdict = suite::run(&suite, &plan.running)?;
        Ok((suite, verdict))
    };
    let read: Vec<Result<_, Vec<Diagnostic>>> = files.par_iter().map(read).collect();
    let read = load::all_or_faults(read.into_iter())?;
    let unknown = plan.phases.unknown();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let mut faults = Vec::new();
    let (mut suites, mut tests) = (Vec::with_capacity(read.len()), 0);
    for (suite, verdict) in read {
        tests += verdict.tests.len();
        let failing = verdict
            .tests
            .iter()
            .filter(|test| !test.failures.is_empty());
        let failing: Vec<_> = failing.collect();
        if let Some(first) = failing.first().and_then(|test| test.failures.first()) {
            let message = format!(
                "{} of this file {} before anything is changed",
                count(failing.len(), "test"),
                if failing.len() == 1 { "fails" } else { "fail" }
            );
            let fault = Diagnostic::error(message).at(&first.place.source, first.place.span);
            let path = suite.file.source.name();
            faults.push(fault.help(format!("mend it first: `rulecheck test {path}` says why")));
        }
        suites.push(suite);
    }
    if tests == 0 {
        let fault = Diagnostic::error("no test is run");
        faults.push(fault.help("correct --run, or leave it out to run every test"));
    }
    match faults.is_empty() {
        true => Ok(suites),
        false => Err(faults),
    }
}

/// The places of a rule file among those of the test files that read it: the test file, and the place in it.
type Readers = Vec<(usize, usize)>;

/// The rule files that test files read, each once, in the order in which they are met.
fn rule_files(suites: &[Suite], reading: &ReadOptions) -> Vec<(RuleSet, Readers)> {
    let mut places: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let mut all: Vec<(RuleSet, Readers)> = Vec::new();
    for (index, suite) in suites.iter().enumerate() {
        for (place, file) in suite.rule_files.iter().enumerate() {
            let path = io::identity(Path::new(file.source.name()));
            let next = all.len();
            let known = *places.entry(path).or_insert(next);
            if known == next {
                let rules = RuleSet {
                    files: vec![file.clone()],
                    specs: None,
                    reading: *reading,
                };
                all.push((rules, Vec::new()));
            }
            if let Some((_, readers)) = all.get_mut(known) {
                readers.push((index, place));
            }
        }
    }
    all
}
