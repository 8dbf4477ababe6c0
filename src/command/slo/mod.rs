//! `rulecheck slo`: objectives, the rules that they stand for, and what is wrong with them.

mod budget;
mod check;
mod detect;
mod generate;
mod load;
mod table;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Outcome;
use crate::promql::Features;
use crate::slo::read::{self, DEFAULT_PERIOD, Objectives};
use crate::text::{Diagnostic, Source};

/// The options of `rulecheck slo`.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make recording rules and alerts from specifications: of Sloth and Pyrra those that these tools make
    Generate(generate::Options),
    /// Show how much of error budgets is left over recorded series, and how fast it is spent
    Budget(budget::Options),
    /// Name every fault of specifications, and what is legal and hardly meant
    Check(check::Options),
    /// Show when alerts tell of outages of many sizes and lengths, by replay and by the SRE Workbook's formulas
    Detect(detect::Options),
    /// Print the SRE Workbook's tables on alerting for an objective
    Table(table::Options),
}

/// Does what the subcommand says.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    match &options.command {
        Command::Generate(options) => generate::run(options),
        Command::Budget(options) => budget::run(options),
        Command::Check(options) => check::run(options),
        Command::Detect(options) => detect::run(options),
        Command::Table(options) => table::run(options),
    }
}

/// The texts of the files that paths name.
pub(super) fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Vec<Diagnostic>> {
    load::sources(paths)
}

/// The objectives of files in any format.
pub(super) fn objectives(
    sources: &[Source],
    features: &Features,
) -> Result<Objectives, Vec<Diagnostic>> {
    read::objectives(sources, DEFAULT_PERIOD, features)
}
