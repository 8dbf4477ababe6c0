//! The command line: one file a subcommand. The `run` of each yields how it ended, or the faults for which it did not do
//! its work; [`main`] tells of them.

mod check;

mod completions;

mod conformance;

mod diff;

mod explain;

mod graph;

mod in_order;

mod init;

mod load;

mod man;

mod mutate;

mod query;

mod replay;

mod schedule;

mod schema;

mod serve;

mod slo;

mod test;

mod whatif;

mod why;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

use crate::io;
use crate::model::Matcher;
use crate::promql::ast::ExprKind;
use crate::promql::{Features, Query, UnknownFeature, View};
use crate::report::Format;
use crate::rules::ReadOptions;
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
    /// Write the first tests of alerts that have none: one in which each fires, one in which it stays silent
    Init(init::Options),
    /// Load rule and test files and name every fault
    Check(check::Options),
    /// Show what alerts would have done over recorded series
    Replay(replay::Options),
    /// Evaluate an expression over recorded series
    Query(query::Options),
    /// Explain why an alert fires or does not, or what an expression yields, at one moment
    Why(why::Options),
    /// Name every number of rules that can move, and show what would have happened had it been another
    Whatif(whatif::Options),
    /// Change rules one thing at a time, and name each change that no test notices
    Mutate(mutate::Options),
    /// Show what a change of rules does to what their alerts do: two files, folders or git revisions
    Diff(diff::Options),
    /// Show which rule reads which, and names that nobody reads or records
    Graph(graph::Options),
    /// Make rules of service level objectives, and check them: Sloth, Pyrra
    Slo(slo::Options),
    /// Answer queries over series as Prometheus's HTTP API does, for Grafana and other clients
    Serve(serve::Options),
    /// Print the JSON Schema of test files, with which editors complete and check them
    Schema(schema::Options),
    /// Explain a lint, a function or an aggregation; list the lints if none is named
    Explain(explain::Options),
    /// Print what makes a shell complete calls
    Completions(completions::Options),
    /// Print a manual page
    Man(man::Options),
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
    let ended = match line.command {
        Command::Test(options) => test::run(&options),
        Command::Init(options) => init::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Replay(options) => replay::run(&options),
        Command::Query(options) => query::run(&options),
        Command::Why(options) => why::run(&options),
        Command::Whatif(options) => whatif::run(&options),
        Command::Mutate(options) => mutate::run(&options),
        Command::Diff(options) => diff::run(&options),
        Command::Graph(options) => graph::run(&options),
        Command::Slo(options) => slo::run(&options),
        Command::Serve(options) => serve::run(&options),
        Command::Schema(options) => schema::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Completions(options) => completions::run(&options),
        Command::Man(options) => man::run(&options),
        Command::Conformance(options) => conformance::run(&options),
    };
    let outcome = ended.unwrap_or_else(|faults| refuse(&faults));
    match io::is_all_printed() {
        true => outcome.into(),
        // Who has half of a report knows nothing.
        false => Outcome::Broken.into(),
    }
}

/// Tells of faults for which a command did not do its work.
fn refuse(faults: &[Diagnostic]) -> Outcome {
    faults.iter().for_each(complain);
    Outcome::Broken
}

/// Draws a finding on standard error.
fn complain(finding: &Diagnostic) {
    io::complain(&finding.render(io::wants_colour()));
}

/// The formats of most commands.
const TEXT_OR_JSON: [Format; 2] = [Format::Text, Format::Json];

/// Reads `--format` of a command that knows these formats.
fn format(known: &'static [Format]) -> impl TypedValueParser<Value = Format> {
    let names = PossibleValuesParser::new(known.iter().map(|format| format.name()));
    names.map(|name| {
        let named = known.iter().find(|format| format.name() == name);
        // What is none of the names is refused before.
        named.copied().unwrap_or(Format::Text)
    })
}

/// Reads matchers of labels, with or without their braces.
fn matchers(flag: &str, text: &str) -> Result<Vec<Matcher>, Diagnostic> {
    let trimmed = text.trim();
    let bare = trimmed
        .strip_prefix('{')
        .and_then(|it| it.strip_suffix('}'));
    let fault = |reason: &str| {
        Diagnostic::error(format!("{flag} {text:?}: {reason}"))
            .help("write matchers of labels, such as 'severity=\"page\"'")
    };
    // A selector must select something.
    let query = format!(
        "{{{}, __name__!=\"\"}}",
        bare.unwrap_or(trimmed).trim_end_matches([',', ' '])
    );
    let query = Query::parse(&query, &Features::default());
    let query = query.map_err(|_| fault("these are no matchers"))?;
    match query.expr.kind {
        ExprKind::Vector(selector) => {
            let mut matchers = selector.matchers;
            matchers.pop();
            match matchers.is_empty() {
                true => Err(fault("there is no matcher")),
                false => Ok(matchers),
            }
        }
        _ => Err(fault("these are no matchers")),
    }
}

/// What a query may take.
#[derive(Debug, Args)]
struct Limits {
    /// How many samples a query may hold at once
    #[arg(long, value_name = "N", default_value_t = View::MAX_SAMPLES)]
    max_samples: usize,
}

/// How rule files are read, and what is switched on.
#[derive(Debug, Args)]
struct Reading {
    /// Switch on a feature by promtool's name; several with commas
    #[arg(long, value_name = "NAME")]
    enable_feature: Vec<String>,
    /// Let unknown fields in rule files pass
    #[arg(long)]
    ignore_unknown_fields: bool,
}

impl Reading {
    /// The same, checked.
    fn options(&self) -> Result<ReadOptions, Vec<Diagnostic>> {
        Ok(ReadOptions {
            ignore_unknown_fields: self.ignore_unknown_fields,
            promtool_compatible: false,
            features: enabled(&self.enable_feature).map_err(|fault| vec![fault])?,
        })
    }
}

/// What the names behind `--enable-feature` switch on, several with commas.
fn enabled(names: &[String]) -> Result<Features, Diagnostic> {
    let mut features = Features::default();
    each_feature(names, "--enable-feature", |name| features.enable(name))?;
    Ok(features)
}

/// What the names behind `--disable-feature` leave of what Prometheus's own tests have on.
fn without(names: &[String]) -> Result<Features, Diagnostic> {
    let mut features = Features::ALL;
    each_feature(names, "--disable-feature", |name| features.disable(name))?;
    Ok(features)
}

fn each_feature(
    lists: &[String],
    flag: &str,
    mut switch: impl FnMut(&str) -> Result<(), UnknownFeature>,
) -> Result<(), Diagnostic> {
    let names = lists.iter().flat_map(|list| list.split(',')).map(str::trim);
    for name in names.filter(|name| !name.is_empty()) {
        if switch(name).is_err() {
            let known: Vec<&str> = Features::names().collect();
            let message = format!("unknown feature {name:?} in {flag}");
            let help = format!("the features are {}", known.join(", "));
            return Err(Diagnostic::error(message).help(help));
        }
    }
    Ok(())
}
