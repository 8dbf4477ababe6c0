//! `rulecheck conformance`: runs scripts of promqltest.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use rayon::prelude::*;

use super::Outcome;
use crate::io;
use crate::suite::script::{self, ScriptReport};
use crate::text::Diagnostic;

/// The options of `rulecheck conformance`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Scripts, folders that hold some (`*.test`), or patterns
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
}

/// Runs the scripts: a line a file, and the sums last.
pub(super) fn run(options: &Options) -> Outcome {
    let files = match io::scripts(&options.paths) {
        Ok(files) if !files.is_empty() => files,
        Ok(_) => {
            let fault = Diagnostic::error("no script found");
            return complain(&[fault.help("name a script, or a folder that holds files `*.test`")]);
        }
        Err(faults) => return complain(&faults),
    };
    let reports: Vec<_> = files.par_iter().map(|path| report(path)).collect();
    let mut outcome = Outcome::Success;
    let (mut passed, mut failed) = (0, 0);
    for (path, report) in files.iter().zip(reports) {
        match report {
            Err(faults) => outcome = outcome.max(complain(&faults)),
            Ok(report) => {
                passed += report.passed;
                failed += report.failures.len();
                if !report.failures.is_empty() {
                    outcome = outcome.max(Outcome::Failure);
                }
                io::print(&text(&io::display(path), &report));
            }
        }
    }
    io::print(&format!("{passed} passed, {failed} failed\n"));
    outcome
}

fn report(path: &Path) -> Result<ScriptReport, Vec<Diagnostic>> {
    let source = io::read(path).map_err(|fault| vec![fault])?;
    Ok(script::run(&script::read(&source)?))
}

fn complain(faults: &[Diagnostic]) -> Outcome {
    for fault in faults {
        io::complain(&fault.render(io::wants_colour()));
    }
    Outcome::Broken
}

/// The line of a script, and its failures below.
fn text(name: &str, report: &ScriptReport) -> String {
    let (passed, failed) = (report.passed, report.failures.len());
    let mut out = format!("{name}: {passed} passed, {failed} failed\n");
    for failure in &report.failures {
        let written = write!(
            out,
            "  {name}:{}: {} ({})\n    expected: {}\n    got:      {}\n",
            failure.line, failure.query, failure.mode, failure.expected, failure.got
        );
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    out
}
