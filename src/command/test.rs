//! `rulecheck test`: runs rule tests.

mod accept;
mod export;
mod partition;
mod tell;
mod watch;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use self::accept::{Asked, Overlay, Ran, accept};
use self::export::Export;
use super::in_order::in_order;
use super::schedule::{PhaseOptions, Phases, ScheduleName};
use super::{Limits, Outcome, Reading, complain, format, load};
use crate::io;
use crate::lint;
use crate::model::Regex;
use crate::replay::Schedule;
use crate::report::coverage::Reached;
use crate::report::junit::Times;
use crate::report::{Accepted, FileReport, Format, Partition, Totals, count};
use crate::rules::ReadOptions;
use crate::suite::coverage::Coverage;
use crate::suite::{self, FileVerdict, RunOptions, Silence, Silences, Suite};
use crate::text::Diagnostic;
use partition::Part;
use tell::{End, Manner, Teller, Written};

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
    /// of, and rule files are read as promtool reads them, without other wrappers
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
    /// Write what was observed into the failing expectations, and show the changes as a diff
    #[arg(long)]
    accept: bool,
    /// Only show what --accept would change
    #[arg(long, requires = "accept")]
    dry_run: bool,
    /// Write what promtool can run of the tests into this folder, a file for each test file, and say what it can't
    #[arg(long, value_name = "DIR", conflicts_with_all = ["accept", "watch"])]
    export_promtool: Option<PathBuf>,
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
    #[arg(long, value_name = "FORMAT", value_parser = format(&Format::OF_TESTS), default_value = "text")]
    format: Format,
    /// Write the result into a file as JUnit's XML too, a case an expectation
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write dates and times into JUnit's XML, without which the same input yields the same bytes
    #[arg(long)]
    junit_times: bool,
    /// Run only one of several parts of about the same size, such as 1/4: each file is in one of them
    #[arg(long, value_name = "M/N", conflicts_with_all = ["coverage", "coverage_min"])]
    partition: Option<Part>,
    /// Stay, and when a file is saved run the test files again that read it; the last failure stands first
    #[arg(long, conflicts_with_all = ["accept", "junit", "junit_times", "partition"])]
    watch: bool,
    /// How many files to run at once; as many as there are processors if not given
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

impl Options {
    /// Where test files are looked for.
    fn paths(&self) -> Vec<PathBuf> {
        match self.paths.is_empty() {
            true => vec![PathBuf::from(".")],
            false => self.paths.clone(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Denied {
    Warnings,
}

/// What the options ask for, checked.
struct Plan {
    files: Vec<io::Named>,
    /// Where only a part was asked for: which.
    part: Option<Partition>,
    /// Where coverage is asked for: the rule files beside them.
    rule_files: Vec<PathBuf>,
    reading: ReadOptions,
    running: RunOptions,
    phases: Phases,
    shelf: load::Shelf,
    accept: Option<Asked>,
}

/// Runs the tests.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let one = |fault: Diagnostic| vec![fault];
    let plan = plan(options)?;
    if options.watch {
        return watch::run(&plan, options).map_err(one);
    }
    let ended = run_all(&plan, options).map_err(one)?;
    if let Some(folder) = &options.export_promtool {
        export_all(folder, &plan, options.format).map_err(one)?;
    }
    judge(&ended, &plan, options)
}

/// What came of all files.
struct Ended {
    totals: Totals,
    reached: Option<Reached>,
}

/// What a call comes to, after its results were printed; says what they don't.
fn judge(ended: &Ended, plan: &Plan, options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let totals = &ended.totals;
    if totals.broken > 0 {
        return Ok(Outcome::Broken);
    }
    let unknown = plan.phases.unknown();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let is_idle = totals.tests == 0 && !options.run.is_empty();
    // Another part may have such tests.
    if is_idle && !options.promtool_compatible && plan.part.is_none() {
        let fault = Diagnostic::error(format!(
            "no test has a name that matches {}",
            options.run.join(" or ")
        ));
        return Err(vec![
            fault.help("correct --run, or leave it out to run every test"),
        ]);
    }
    let is_covered = ended.reached.as_ref().is_none_or(Reached::is_enough);
    let is_denied = options.deny == Some(Denied::Warnings) && totals.warnings > 0;
    if is_denied {
        let message = format!("--deny warnings: there {}", are_warnings(totals.warnings));
        let fault = Diagnostic::error(message);
        complain(&fault.help("mend what they name"));
    }
    Ok(match totals.failed {
        0 if is_covered && !is_denied => Outcome::Success,
        _ => Outcome::Failure,
    })
}

/// `is 1 warning`, `are 2 warnings`.
fn are_warnings(number: usize) -> String {
    let verb = if number == 1 { "is" } else { "are" };
    format!("{verb} {}", count(number, "warning"))
}

/// What came of a file, in a run over many.
struct Told {
    written: Written,
    totals: Totals,
    coverage: Option<Coverage>,
    silences: Vec<Silence>,
}

/// Runs all files, and prints what came of each as soon as that of all before it is printed, in the end what they
/// reached together, if that was asked for.
fn run_all(plan: &Plan, options: &Options) -> Result<Ended, Diagnostic> {
    let manner = Manner::new(options);
    let work = |&(number, named): &(usize, &io::Named)| {
        let clock = options.junit_times.then(io::Stopwatch::start);
        let report = report(named, plan);
        let times = clock.map(|clock| Times {
            began: clock.began(),
            took: clock.seconds(),
        });
        let written = manner.write(number, &report, times.as_ref());
        let totals = Totals::of(&report);
        let (coverage, silences) = report
            .verdict
            .map(|verdict| (verdict.coverage, verdict.silences))
            .unwrap_or_default();
        Told {
            written,
            totals,
            coverage,
            silences,
        }
    };
    let mut all = Totals::default();
    let mut coverage = Coverage::default();
    let mut silences = Silences::default();
    let mut teller = Teller::begin(options);
    let files: Vec<(usize, &io::Named)> = plan.files.iter().enumerate().collect();
    in_order(&files, options.jobs, work, |told| {
        teller.tell(told.written);
        all = all.and(told.totals);
        coverage.merge(told.coverage.unwrap_or_default());
        silences.merge(told.silences);
    });
    let (of_all, reached) = of_all(coverage, silences, plan, options);
    all.warnings += of_all.len();
    let end = End {
        totals: &all,
        of_all: &of_all,
        reached: reached.as_ref(),
        part: plan.part,
    };
    teller.end(&end, options)?;
    Ok(Ended {
        totals: all,
        reached,
    })
}

/// What is to be said of all files together.
fn of_all(
    mut coverage: Coverage,
    silences: Silences,
    plan: &Plan,
    options: &Options,
) -> (Vec<Diagnostic>, Option<Reached>) {
    // What fires in no test of this part may fire in one of another.
    let mut of_all = match plan.part {
        None => silences.into_diagnostics(),
        Some(_) => Vec::new(),
    };
    let reached = plan.running.coverage.then(|| {
        of_all.extend(add_untested(&mut coverage, plan));
        Reached {
            coverage,
            min: options.coverage_min,
        }
    });
    (of_all, reached)
}

/// Adds the rule files in the folders of the call that no test file names; warns of those that can't be read.
fn add_untested(coverage: &mut Coverage, plan: &Plan) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    for path in &plan.rule_files {
        if coverage.knows(&io::display(path)) {
            continue;
        }
        match load::rule_files_of(std::slice::from_ref(path), &plan.reading, &plan.shelf) {
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
    if options.watch && options.format != Format::Text {
        let format = options.format.name();
        let fault = Diagnostic::error(format!("--watch is for people, --format {format} is not"));
        return Err(vec![fault.help("leave one of the two out")]);
    }
    let paths = &options.paths();
    let mut files = io::test_files(paths);
    if let Some(folder) = &options.export_promtool {
        // What an earlier call exported is not to be exported again.
        files.retain(|file| !file.as_ref().is_ok_and(|file| Export::holds(folder, file)));
    }
    if files.is_empty() && !options.watch {
        return Err(vec![no_test_file(paths)]);
    }
    if let Some(path) = &options.junit {
        io::may_be_written(path).map_err(|fault| vec![fault])?;
    }
    let found = files.len();
    let files = match options.partition {
        Some(part) => part.of(files),
        None => files,
    };
    let part = options.partition.map(|part| Partition {
        number: part.number,
        of: part.of,
        left_out: found - files.len(),
    });
    let coverage = options.coverage || options.coverage_min.is_some();
    let count = files.len();
    Ok(Plan {
        files,
        part,
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
            glance: !options.why && !options.promtool_compatible,
            coverage,
        },
        phases: {
            let schedule = options.schedule.unwrap_or(ScheduleName::Promtool);
            options.phases.read(schedule.into())?
        },
        shelf: match options.watch {
            true => load::Shelf::watched(),
            false => load::Shelf::default(),
        },
        accept: options.accept.then_some(Asked {
            dry: options.dry_run,
            included: count == 1,
        }),
    })
}

fn no_test_file(paths: &[PathBuf]) -> Diagnostic {
    let names: Vec<String> = paths.iter().map(|path| io::display(path)).collect();
    let fault = Diagnostic::error(format!("no test file in {}", names.join(", ")));
    fault.help("a test file is a YAML file with a top-level `tests:`")
}

fn report(named: &io::Named, plan: &Plan) -> FileReport {
    let path = match named {
        Ok(path) => path,
        Err((argument, fault)) => {
            return FileReport {
                path: io::display(argument),
                accepted: Accepted::default(),
                verdict: Err(vec![fault.clone()]),
            };
        }
    };
    let run = |texts: &Overlay| run_file(path, plan, texts);
    match plan.accept {
        Some(asked) => accept(path, asked, run),
        None => FileReport {
            path: io::display(path),
            accepted: Accepted::default(),
            verdict: run(&Overlay::new()).map(|(_, verdict)| verdict),
        },
    }
}

/// Exports the tests of all files that can be run, one after the other.
fn export_all(folder: &Path, plan: &Plan, format: Format) -> Result<(), Diagnostic> {
    let mut export = Export::new(folder)?;
    for path in plan.files.iter().flatten() {
        let Ok((suite, verdict)) = run_suite(path, plan, &Overlay::new()) else {
            continue;
        };
        let told = export.file(path, &suite, &verdict, &plan.running)?;
        match format {
            Format::Text => io::print(&told),
            _ => io::complain(&told),
        }
    }
    Ok(())
}

fn run_file(path: &Path, plan: &Plan, texts: &Overlay) -> Ran {
    let (suite, verdict) = run_suite(path, plan, texts)?;
    Ok((suite.file, verdict))
}

/// A test file with its rule files, and what came of it.
fn run_suite(
    path: &Path,
    plan: &Plan,
    texts: &Overlay,
) -> Result<(Suite, FileVerdict), Vec<Diagnostic>> {
    let lenient = plan.running.promtool_compatible;
    let mut suite = load::suite_with(path, &plan.reading, lenient, &plan.shelf, texts)?;
    let interval = suite.file.evaluation_interval;
    plan.phases.set(&mut suite.rule_files, interval)?;
    let mut verdict = suite::run(&suite, &plan.running)?;
    if !verdict.annotations.is_empty() {
        let asked = lint::queries(&suite.file);
        let is_allowed =
            |said: &Diagnostic| lint::allows(&asked, said) || lint::allows(&suite.rule_files, said);
        verdict.annotations.retain(|said| !is_allowed(said));
    }
    Ok((suite, verdict))
}
