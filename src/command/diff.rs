//! `rulecheck diff`: what a change of rules does to what their alerts do.

mod gates;
mod objectives;
mod sides;
mod worlds;

use std::path::PathBuf;

use clap::Args;

use self::gates::Gates;
use self::sides::Sides;
use self::worlds::Ground;
use super::schedule::ClockOptions;
use super::{Limits, Outcome, Reading, complain, format, load, matchers};
use crate::io;
use crate::model::Matcher;
use crate::report::Format;
use crate::report::difference::{Listed, Report, WorldDiff};
use crate::slo::objective::Slo;
use crate::text::{Diagnostic, distinct};
use crate::whatif::diff::{Both, Pagers, RulesDiff, TimelineDiff, budgets};

/// The options of `rulecheck diff`.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(super) struct Options {
    /// The rules before and after the change, two files or folders; with --git the files or folders that are looked at, all
    /// below the current folder if there are none
    #[arg(value_name = "BASE HEAD", required_unless_present = "git")]
    paths: Vec<PathBuf>,
    /// Compare two revisions of the git repository here: BASE..HEAD, or BASE...HEAD for what HEAD changed since it left BASE
    #[arg(long, value_name = "BASE..HEAD")]
    git: Option<String>,
    /// Rule files that are the same on both sides, such as recording rules that the others read; may be given
    /// again, as all options that take a FILE
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,
    /// Replay both over these series: OpenMetrics or Prometheus text, answers of the query API (JSON), or CSV, each also packed with gzip; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "tests")]
    data: Vec<PathBuf>,
    /// Replay both over the series of each test of these test files, or folders that hold some
    #[arg(long, value_name = "FILE")]
    tests: Vec<PathBuf>,
    /// Objectives whose budgets are compared: OpenSLO, Sloth, Pyrra, or rulecheck's own form; with --git as each revision has them
    #[arg(long, value_name = "FILE", requires = "data")]
    slo: Vec<PathBuf>,
    /// The same objectives as they were before the change, where they change, too: by their names; with --git where BASE has them
    /// in another file
    #[arg(long, value_name = "FILE", requires = "slo")]
    base_slo: Vec<PathBuf>,
    /// The alerts that page somebody, by their labels, such as 'severity="page"' [default: all]
    #[arg(long, value_name = "MATCHERS")]
    pages: Option<String>,
    /// List the times in which alerts are pending, too, not only how many differ
    #[arg(long)]
    pending: bool,
    #[command(flatten)]
    gates: Gates,
    #[command(flatten)]
    clock: ClockOptions,
    /// How to print the result; markdown is made to be posted on a pull request
    #[arg(long, value_name = "FORMAT", value_parser = format(&FORMATS), default_value = "text")]
    format: Format,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    reading: Reading,
}

/// What `--format` takes.
const FORMATS: [Format; 3] = [Format::Text, Format::Json, Format::Markdown];

const NOTES: &str = "Windows are the times in which an alert with its labels fires: kept; gained or lost; moved, as long as \
before and partly at the same time; resized, longer or shorter; merged, now within a longer one that another became; split, the reverse. A page is a time in which any instance of an alert fires. \
Rules are known by group, name and labels, not by their files. A rule that can't be evaluated \
any more ends with exit code 1, too. Without --data and --tests only rules are compared.";

/// Compares.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let reading = options.reading.options()?;
    let pages = match &options.pages {
        None => Vec::new(),
        Some(text) => matchers("--pages", text).map_err(|fault| vec![fault])?,
    };
    let has_world = !options.data.is_empty() || !options.tests.is_empty();
    options.gates.check(has_world, options.pages.is_some())?;
    let mut sides = Sides::read(options, &reading)?;
    let grounds = worlds::read(options, &reading, &mut sides)?;
    let slos = objectives::read(options, &reading, sides.revisions.as_ref())?;
    let mut worlds = Vec::with_capacity(grounds.len());
    let mut noted = Noted::default();
    for ground in &grounds {
        worlds.push(compare(ground, &sides, &slos, &pages, &mut noted)?);
    }
    distinct(noted.said).iter().for_each(complain);
    if let Some(text) = &options.pages {
        let checked = noted.pagers.check(&pages, text);
        checked.map_err(|fault| vec![fault])?;
    }
    let rules = RulesDiff::of(&sides.rules.before.groups(), &sides.rules.after.groups());
    let mut report = Report {
        names: sides.names,
        rules: &rules,
        worlds: &worlds,
        gates: Vec::new(),
    };
    report.gates = options.gates.of(&report);
    io::print(&match options.format {
        Format::Json => report.json(),
        Format::Markdown => report.markdown(),
        _ => report.text(match options.pending {
            true => Listed::All,
            false => Listed::Firing,
        }),
    });
    Ok(match report.gates.iter().all(|gate| gate.is_passed) {
        true => Outcome::Success,
        false => Outcome::Failure,
    })
}

/// What is noted beside the difference.
#[derive(Default)]
struct Noted {
    /// What is to be said of rules that fail and of budgets.
    said: Vec<Diagnostic>,
    /// Whether any alert pages.
    pagers: Pagers,
}

/// Replays both sides over a world.
fn compare(
    ground: &Ground,
    sides: &Sides,
    slos: &Both<Vec<Slo>>,
    pages: &[Matcher],
    noted: &mut Noted,
) -> Result<WorldDiff, Vec<Diagnostic>> {
    let frame = ground.before.frame(pages);
    let then = ground.after.as_ref().unwrap_or(&ground.before);
    let Both { before, after } = &sides.rules;
    let compared = ground
        .before
        .replay_both(before, (then, after), |old, new| {
            for side in [old, new] {
                let faults = load::rule_errors(&side.replay.errors, side.groups);
                noted.said.extend(faults);
                noted.pagers.add(side, pages);
            }
            let (before, after) = ((&*slos.before, old.replay), (&*slos.after, new.replay));
            Ok(WorldDiff {
                name: ground.before.name.clone(),
                budgets: budgets(before, after, frame.end, &mut noted.said)?,
                diff: TimelineDiff::of(old, new, frame),
            })
        });
    compared.map_err(|error| load::too_long(&error))?
}
