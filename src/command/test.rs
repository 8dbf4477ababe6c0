//! `rulecheck test`: runs rule tests.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rayon::prelude::*;

use super::{Outcome, features};
use crate::io;
use crate::model::Regex;
use crate::report::{FileReport, Report, json, text};
use crate::rules::{self, ReadOptions, RuleFile};
use crate::suite::{self, RunOptions, Suite, file};
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
    /// Switch on a feature by promtool's name; several with commas
    #[arg(long, value_name = "NAME")]
    enable_feature: Vec<String>,
    /// Let unknown fields in rule files pass
    #[arg(long)]
    ignore_unknown_fields: bool,
    /// Pass what promtool passes: unknown alerts and patterns that match nothing are only warned of
    #[arg(long)]
    promtool_compatible: bool,
    /// Write what was observed into the failing expectations
    #[arg(long)]
    accept: bool,
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

/// What the options ask for, checked.
struct Plan {
    files: Vec<PathBuf>,
    reading: ReadOptions,
    running: RunOptions,
    accept: bool,
}

/// Runs the tests.
pub(super) fn run(options: &Options) -> Outcome {
    let plan = match plan(options) {
        Ok(plan) => plan,
        Err(faults) => {
            for fault in faults {
                io::complain(&fault.render(io::wants_colour()));
            }
            return Outcome::Broken;
        }
    };
    let report = Report {
        files: in_parallel(&plan, options.jobs),
    };
    match options.format {
        Format::Json => io::print(&json::write(&report)),
        Format::Text => io::print(&text::write(&report, io::wants_colour())),
    }
    outcome(&report)
}

fn outcome(report: &Report) -> Outcome {
    let of_file = |file: &FileReport| match &file.verdict {
        Err(_) => Outcome::Broken,
        Ok(verdict) if verdict.passed() => Outcome::Success,
        Ok(_) => Outcome::Failure,
    };
    report
        .files
        .iter()
        .map(of_file)
        .max()
        .unwrap_or(Outcome::Success)
}

fn plan(options: &Options) -> Result<Plan, Vec<Diagnostic>> {
    let features = features(&options.enable_feature).map_err(|fault| vec![fault])?;
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
    let here = [PathBuf::from(".")];
    let paths: &[PathBuf] = if options.paths.is_empty() {
        &here
    } else {
        &options.paths
    };
    let files = io::test_files(paths)?;
    if files.is_empty() {
        let names: Vec<String> = paths.iter().map(|path| io::display(path)).collect();
        let fault = Diagnostic::error(format!("no test file in {}", names.join(", ")));
        return Err(vec![
            fault.help("a test file is a YAML file with a top-level `tests:`"),
        ]);
    }
    Ok(Plan {
        files,
        reading: ReadOptions {
            ignore_unknown_fields: options.ignore_unknown_fields,
            features,
        },
        running: RunOptions {
            names: names.map_err(|fault| vec![fault])?,
            features,
            promtool_compatible: options.promtool_compatible,
        },
        accept: options.accept,
    })
}

/// Runs all files; the reports come in the order of the files.
fn in_parallel(plan: &Plan, jobs: Option<usize>) -> Vec<FileReport> {
    let all = || {
        plan.files
            .par_iter()
            .map(|path| report(path, plan))
            .collect()
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs.unwrap_or(0))
        .build();
    match pool {
        Ok(pool) => pool.install(all),
        Err(_) => plan.files.iter().map(|path| report(path, plan)).collect(),
    }
}

fn report(path: &Path, plan: &Plan) -> FileReport {
    let verdict = load(path, plan).and_then(|suite| suite::run(&suite, &plan.running));
    FileReport {
        path: io::display(path),
        verdict,
    }
}

/// Reads a test file and the rule files it names.
fn load(path: &Path, plan: &Plan) -> Result<Suite, Vec<Diagnostic>> {
    let source = io::read(path).map_err(|fault| vec![fault])?;
    let mut test_file = file::read(&source, &plan.reading)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut faults = Vec::new();
    for pattern in &test_file.rule_files {
        let place = |fault: Diagnostic| fault.at(&source, pattern.span);
        match io::glob(folder, &pattern.value) {
            Err(reason) => {
                faults.push(place(Diagnostic::error(reason).help("correct the pattern")))
            }
            Ok(found) if found.is_empty() => {
                let fault = place(Diagnostic::error(format!(
                    "no rule file matches {:?}",
                    pattern.value
                )))
                .help("patterns are relative to the folder of the test file");
                match plan.running.promtool_compatible {
                    true => test_file.warnings.push(fault.into_warning()),
                    false => faults.push(fault),
                }
            }
            Ok(found) => paths.extend(found),
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    let mut rule_files: Vec<RuleFile> = Vec::new();
    for path in paths {
        let rules = io::read(&path)
            .map_err(|fault| vec![fault])
            .and_then(|source| rules::read(&source, &plan.reading));
        match rules {
            Ok(rules) => rule_files.push(rules),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() {
        Ok(Suite {
            file: test_file,
            rule_files,
        })
    } else {
        Err(faults)
    }
}
