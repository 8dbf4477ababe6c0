//! `rulecheck test`: runs rule tests.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::in_order::in_order;
use super::schedule::{PhaseOptions, Phases, ScheduleName};
use super::{Limits, Outcome, Reading, load};
use crate::io;
use crate::model::Regex;
use crate::replay::Schedule;
use crate::report::coverage::{self, Reached};
use crate::report::{FileReport, Totals, count, json, text};
use crate::rules::ReadOptions;
use crate::suite::coverage::Coverage;
use crate::suite::{self, FileVerdict, RunOptions, Silence, Silences};
use crate::text::Diagnostic;

/// The options of `rulecheck test`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Test files, folders that hold some, or patterns; the current folder if none is given
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run only tests whose name matches (RE2); may be given several times
    #[arg(long, value_name = "REGEX")]
    run: Vec<String>,
    #[command(flatten)]
    reading: Reading,
    /// Pass what promtool passes: unknown alerts, patterns that match nothing and tests that prove nothing are only warned
    /// of
    #[arg(long)]
    promtool_compatible: bool,
    /// Group schedule: all groups at every evaluation_interval as promtool does, or each on its own interval as a server;
    /// if not given, the file's `schedule` or promtool's
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    #[command(flatten)]
    phases: PhaseOptions,
    #[command(flatten)]
    limits: Limits,
    /// Below each failing expectation print why: what each part of the expression yielded at its moment, and the near miss
    #[arg(long)]
    why: bool,
    /// Write what was observed into the failing expectations
    #[arg(long)]
    accept: bool,
    /// Tell what the tests of all files together reach of the rules, and what is missing
    #[arg(long)]
    coverage: bool,
    /// Fail where the tests reach less than so much of a hundred points of the rules (implies --coverage)
    #[arg(long, value_name = "PERCENT")]
    coverage_min: Option<f64>,
    /// Fail where there are warnings
    #[arg(long, value_enum, value_name = "WHAT")]
    deny: Option<Denied>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// How many files to run at once; as many as there are processors if not given
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Denied {
    Warnings,
}

/// What the options ask for, checked.
struct Plan {
    files: Vec<io::Named>,
    /// Where coverage is asked for: the rule files beside them.
    rule_files: Vec<PathBuf>,
    reading: ReadOptions,
    running: RunOptions,
    phases: Phases,
    recordings: load::Recordings,
    accept: bool,
}

/// Runs the tests.
pub(super) fn run(options: &Options) -> Outcome {
    let plan = match plan(options) {
        Ok(plan) => plan,
        Err(faults) => return load::refuse(&faults),
    };
    let (totals, coverage) = run_all(&plan, options);
    if totals.broken > 0 {
        return Outcome::Broken;
    }
    let unknown = plan.phases.unknown();
    if !unknown.is_empty() {
        return load::refuse(&unknown);
    }
    if totals.tests == 0 && !options.run.is_empty() && !options.promtool_compatible {
        let fault = Diagnostic::error(format!(
            "no test has a name that matches {}",
            options.run.join(" or ")
        ));
        return load::refuse(&[fault.help("correct --run, or leave it out to run every test")]);
    }
    let is_covered = coverage.is_none_or(|coverage| coverage.is_enough());
    let is_denied = options.deny == Some(Denied::Warnings) && totals.warnings > 0;
    if is_denied {
        let message = format!("--deny warnings: there {}", are_warnings(totals.warnings));
        let fault = Diagnostic::error(message);
        io::complain(&fault.help("mend what they name").render(io::wants_colour()));
    }
    match totals.failed {
        0 if is_covered && !is_denied => Outcome::Success,
        _ => Outcome::Failure,
    }
}

/// `is 1 warning`, `are 2 warnings`.
fn are_warnings(number: usize) -> String {
    let verb = if number == 1 { "is" } else { "are" };
    format!("{verb} {}", count(number, "warning"))
}

/// What came of a file, in a run over many.
struct Told {
    text: String,
    has_details: bool,
    totals: Totals,
    coverage: Option<Coverage>,
    silences: Vec<Silence>,
}

/// Runs all files, and prints what came of each as soon as that of all before it is printed, in the end what they
/// reached together, if that was asked for.
fn run_all(plan: &Plan, options: &Options) -> (Totals, Option<Reached>) {
    let coloured = io::wants_colour();
    let work = |named: &io::Named| {
        let report = report(named, plan);
        let (text, has_details) = match options.format {
            Format::Json => (json::file(&report), true),
            Format::Text => (text::file(&report, coloured), text::has_details(&report)),
        };
        let totals = Totals::of(&report);
        let (coverage, silences) = report
            .verdict
            .map(|verdict| (verdict.coverage, verdict.silences))
            .unwrap_or_default();
        Told {
            text,
            has_details,
            totals,
            coverage,
            silences,
        }
    };
    let mut all = Totals::default();
    let mut coverage = Coverage::default();
    let mut silences = Silences::default();
    let mut after_details = false;
    if options.format == Format::Json {
        io::print(json::HEAD);
    }
    in_order(&plan.files, options.jobs, work, |told| {
        if after_details {
            io::print(match options.format {
                Format::Json => ",",
                Format::Text => "\n",
            });
        }
        io::print(&told.text);
        after_details = told.has_details;
        all = all.and(told.totals);
        coverage.merge(told.coverage.unwrap_or_default());
        silences.merge(told.silences);
    });
    let mut of_all = silences.into_diagnostics();
    let reached = plan.running.coverage.then(|| {
        of_all.extend(add_untested(&mut coverage, plan));
        Reached {
            coverage,
            min: options.coverage_min,
        }
    });
    all.warnings += of_all.len();
    match options.format {
        Format::Json => io::print(&json::tail(&of_all, reached.as_ref())),
        Format::Text => {
            if after_details && !of_all.is_empty() {
                io::print("\n");
            }
            for told in &of_all {
                io::print(&told.render(coloured));
            }
            let after_details = after_details || !of_all.is_empty();
            io::print(&text::summary(&all, after_details, coloured));
            io::print(&reached.as_ref().map_or_else(String::new, coverage::text));
        }
    }
    (all, reached)
}

/// Adds the rule files in the folders of the call that no test file names; warns of those that can't be read.
fn add_untested(coverage: &mut Coverage, plan: &Plan) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    for path in &plan.rule_files {
        if coverage.knows(&io::display(path)) {
            continue;
        }
        match load::rule_files(std::slice::from_ref(path), &plan.reading) {
            Ok(files) => files
                .iter()
                .for_each(|file| coverage.merge(Coverage::of_untested(file))),
            Err(found) => faults.extend(found.into_iter().map(Diagnostic::into_warning)),
        }
    }
    faults
}

fn plan(options: &Options) -> Result<Plan, Vec<Diagnostic>> {
    let reading = ReadOptions {
        promtool_compatible: options.promtool_compatible,
        ..options.reading.options()?
    };
    let names: Result<Vec<Regex>, Diagnostic> = options
        .run
        .iter()
        .map(|pattern| {
            Regex::unanchored(pattern).map_err(|error| {
                Diagnostic::error(format!("--run {pattern:?}: {error}"))
                    .help("give a regular expression in RE2 syntax")
            })
        })
        .collect();
    if options.jobs == Some(0) {
        return Err(vec![
            Diagnostic::error("--jobs 0 would run nothing").help("give a number above 0"),
        ]);
    }
    if let Some(percent) = options
        .coverage_min
        .filter(|it| !(0.0..=100.0).contains(it))
    {
        let fault = Diagnostic::error(format!("--coverage-min {percent} is no share of a hundred"));
        return Err(vec![fault.help("give a number from 0 to 100")]);
    }
    let here = [PathBuf::from(".")];
    let paths: &[PathBuf] = if options.paths.is_empty() {
        &here
    } else {
        &options.paths
    };
    let files = io::test_files(paths);
    if files.is_empty() {
        let names: Vec<String> = paths.iter().map(|path| io::display(path)).collect();
        let fault = Diagnostic::error(format!("no test file in {}", names.join(", ")));
        return Err(vec![
            fault.help("a test file is a YAML file with a top-level `tests:`"),
        ]);
    }
    let coverage = options.coverage || options.coverage_min.is_some();
    Ok(Plan {
        files,
        rule_files: match coverage {
            true => io::rule_files_below(paths),
            false => Vec::new(),
        },
        reading,
        running: RunOptions {
            names: names.map_err(|fault| vec![fault])?,
            features: reading.features,
            schedule: options.schedule.map(Schedule::from),
            max_samples: options.limits.max_samples,
            promtool_compatible: options.promtool_compatible,
            why: options.why,
            coverage,
        },
        phases: {
            let schedule = options.schedule.unwrap_or(ScheduleName::Promtool);
            options.phases.read(schedule.into())?
        },
        recordings: load::Recordings::default(),
        accept: options.accept,
    })
}

fn report(named: &io::Named, plan: &Plan) -> FileReport {
    let path = match named {
        Ok(path) => path,
        Err((argument, fault)) => {
            return FileReport {
                path: io::display(argument),
                accepted: 0,
                verdict: Err(vec![fault.clone()]),
            };
        }
    };
    let mut accepted = 0;
    let mut verdict = run_file(path, plan);
    if plan.accept
        && let Ok(failed) = &verdict
    {
        let written = accept(path, failed);
        match written {
            Ok((0, refused)) => verdict = verdict.map(|verdict| verdict.with_warnings(refused)),
            Ok((count, refused)) => {
                accepted = count;
                verdict = run_file(path, plan).map(|verdict| verdict.with_warnings(refused));
            }
            Err(fault) => verdict = Err(vec![fault]),
        }
    }
    FileReport {
        path: io::display(path),
        accepted,
        verdict,
    }
}

fn run_file(path: &Path, plan: &Plan) -> Result<FileVerdict, Vec<Diagnostic>> {
    let lenient = plan.running.promtool_compatible;
    let mut suite = load::suite(path, &plan.reading, lenient, &plan.recordings)?;
    let interval = suite.file.evaluation_interval;
    plan.phases.set(&mut suite.rule_files, interval)?;
    suite::run(&suite, &plan.running)
}

/// Writes what was observed into the failing expectations of a file; says how many, and which could not be written.
fn accept(path: &Path, verdict: &FileVerdict) -> Result<(usize, Vec<Diagnostic>), Diagnostic> {
    let replacements = verdict.replacements();
    if replacements.is_empty() {
        return Ok((0, Vec::new()));
    }
    let source = io::read(path)?;
    let accepted = suite::accept::accept(&source, &replacements)?;
    if accepted.text != source.text() {
        io::replace(path, &accepted.text)?;
    }
    let count = replacements.len().saturating_sub(accepted.refused.len());
    Ok((count, accepted.refused))
}
