//! `rulecheck conformance`: runs scripts of promqltest.

use std::path::PathBuf;

use clap::Args;
use rayon::prelude::*;

use super::{Outcome, TEXT_OR_JSON, complain, format, without};
use crate::io;
use crate::promql::Features;
use crate::report::Format;
use crate::report::scripts::{self, ScriptFile};
use crate::suite::script;
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
    /// How to print the result
    #[arg(long, value_name = "FORMAT", value_parser = format(&TEXT_OR_JSON), default_value = "text")]
    format: Format,
}

/// Runs the scripts: a line a file, and the sums last; or one document.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let features = without(&options.disable_feature).map_err(|fault| vec![fault])?;
    let named = io::scripts(&options.paths);
    if named.is_empty() {
        let fault = Diagnostic::error("no script found");
        return Err(vec![
            fault.help("name a script, or a folder that holds files `*.test`"),
        ]);
    }
    let files: Vec<ScriptFile> = named
        .par_iter()
        .map(|named| run_script(named, features))
        .collect();
    match options.format {
        Format::Json => io::print(&scripts::json(&files)),
        _ => {
            for file in &files {
                if let Err(faults) = &file.report {
                    faults.iter().for_each(complain);
                }
                io::print(&scripts::text(file));
            }
            io::print(&scripts::sums(&files));
        }
    }
    let outcomes = files.iter().map(|file| match &file.report {
        Err(_) => Outcome::Broken,
        Ok(report) if report.failures.is_empty() => Outcome::Success,
        Ok(_) => Outcome::Failure,
    });
    match outcomes.max() {
        Some(Outcome::Success) if files.iter().all(is_idle) => {
            let fault = Diagnostic::error("nothing was evaluated");
            Err(vec![
                fault.help("write evaluations such as `eval instant at 5m up`"),
            ])
        }
        outcome => Ok(outcome.unwrap_or(Outcome::Success)),
    }
}

/// Whether a script evaluates nothing, and so proves nothing.
fn is_idle(file: &ScriptFile) -> bool {
    file.report
        .as_ref()
        .is_ok_and(|it| it.passed == 0 && it.failures.is_empty())
}

fn run_script(named: &io::Named, features: Features) -> ScriptFile {
    let (path, read) = match named {
        Ok(path) => (path, io::read(path).map_err(|fault| vec![fault])),
        Err((path, fault)) => (path, Err(vec![fault.clone()])),
    };
    ScriptFile {
        path: io::display(path),
        report: read
            .and_then(|source| script::read(&source))
            .map(|script| script::run(&script, features)),
    }
}
