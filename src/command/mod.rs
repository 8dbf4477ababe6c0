//! The command line: one file a subcommand.

mod check;

mod conformance;

mod load;

mod replay;

mod test;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::promql::Features;
use crate::text::Diagnostic;

/// Tells you what your Prometheus alerts would have done.
#[derive(Debug, Parser)]
#[command(name = "rulecheck", version = VERSION, max_term_width = 100, after_help = EXIT_CODES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

/// The version, and the Prometheus that it conforms to.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (conforms to Prometheus 3.14)");

/// What scripts want to know.
const EXIT_CODES: &str =
    "Exit codes: 0 all good; 1 a test or a rule failed; 2 the input or the call is broken.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run rule tests: promtool's test files, unchanged
    Test(test::Options),
    /// Load rule and test files and name every fault
    Check(check::Options),
    /// Show what alerts would have done over recorded series
    Replay(replay::Options),
    /// Run scripts of promqltest, the language in which Prometheus tests its engine
    Conformance(conformance::Options),
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// All good.
    Success,
    /// A test failed, or a finding that the call asked to fail on.
    Failure,
    /// The input or the call is broken.
    Broken,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Success => 0,
            Outcome::Failure => 1,
            Outcome::Broken => 2,
        })
    }
}

/// Runs the command line.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let line = match CommandLine::try_parse_from(arguments) {
        Ok(line) => line,
        Err(error) => {
            let broken = error.use_stderr();
            // Where the help can't be written there is nobody to tell.
            drop(error.print());
            return if broken {
                Outcome::Broken.into()
            } else {
                Outcome::Success.into()
            };
        }
    };
    let outcome = match line.command {
        Command::Test(options) => test::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Replay(options) => replay::run(&options),
        Command::Conformance(options) => conformance::run(&options),
    };
    outcome.into()
}

/// Reads the names that `--enable-feature` takes; ones that promtool knows and that change nothing here pass.
fn features(names: &[String]) -> Result<Features, Diagnostic> {
    let mut features = Features::default();
    for name in names
        .iter()
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        match name {
            "promql-experimental-functions" => features.experimental_functions = true,
            "promql-delayed-name-removal" => features.delayed_name_removal = true,
            "promql-extended-range-selectors" => features.extended_range_selectors = true,
            "promql-binop-fill-modifiers" => features.binop_fill_modifiers = true,
            "promql-duration-expr" => {}
            _ => {
                return Err(Diagnostic::error(format!("unknown feature {name:?} in --enable-feature")).help(
                    "the features are promql-experimental-functions, promql-delayed-name-removal, promql-extended-range-selectors, promql-binop-fill-modifiers and promql-duration-expr",
                ));
            }
        }
    }
    Ok(features)
}
