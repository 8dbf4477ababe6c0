//! `rulecheck conformance`: runs scripts of promqltest.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use rayon::prelude::*;

use super::{Outcome, load, without};
use crate::io;
use crate::promql::Features;
use crate::suite::script::{self, ScriptReport};
use crate::text::Diagnostic;

/// The options of `rulecheck conformance`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Scripts, folders that hold some (`*.test`), or patterns
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Leave a feature out that is on in Prometheus's own tests and off in a server, such as
    /// promql-delayed-name-removal
    #[arg(long, value_name = "NAME")]
    disable_feature: Vec<String>,
}

/// Runs the scripts: a line a file, and the sums last.
pub(super) fn run(options: &Options) -> Outcome {
    let features = match without(&options.disable_feature) {
        Ok(features) => features,
        Err(fault) => return load::refuse(&[fault]),
    };
    let files = io::scripts(&options.paths);
    if files.is_empty() {
        let fault = Diagnostic::error("no script found");
        return load::refuse(&[fault.help("name a script, or a folder that holds files `*.test`")]);
    }
    let reports: Vec<_> = files
        .par_iter()
        .map(|named| report(named, features))
        .collect();
    let mut outcome = Outcome::Success;
    let (mut passed, mut failed) = (0, 0);
    for report in reports {
        match report {
            Err(faults) => outcome = outcome.max(load::refuse(&faults)),
            Ok((path, report)) => {
                passed += report.passed;
                failed += report.failures.len();
                if !report.failures.is_empty() {
                    outcome = outcome.max(Outcome::Failure);
                }
                io::print(&text(&io::display(&path), &report));
            }
        }
    }
    io::print(&format!("{passed} passed, {failed} failed\n"));
    outcome
}

fn report(
    named: &io::Named,
    features: Features,
) -> Result<(PathBuf, ScriptReport), Vec<Diagnostic>> {
    let path = named.clone().map_err(|(_, fault)| vec![fault])?;
    let source = io::read(&path).map_err(|fault| vec![fault])?;
    Ok((path, script::run(&script::read(&source)?, features)))
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
