//! `rulecheck whatif`: what moves in rules, and what would have happened had it been moved.

mod load;
mod page;
mod sweep;

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};

use self::load::Loaded;
use super::load::{all_or_faults, complain_of_errors, too_long};
use super::schedule::ClockOptions;
use super::{Limits, Outcome, Reading, complain, format};
use crate::io;
use crate::report::Format;
use crate::report::difference::{Report, WorldDiff};
use crate::report::whatif::{self, Compared, Fate, Told};
use crate::text::{Diagnostic, Source};
use crate::whatif::diff::{Both, RulesDiff, Side, TimelineDiff};
use crate::whatif::{Change, Edited, Incidents, Knob, RuleSet, World};

/// The options of `rulecheck whatif`.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
#[command(group = ArgGroup::new("asked").multiple(true).args(["list", "set", "sweep"]))]
pub(super) struct Options {
    /// Rule files, folders that hold some, or patterns; those that the tests name need not be given
    #[arg(long, value_name = "FILE", num_args = 1.., required_unless_present_any = ["tests", "slo"])]
    rules: Vec<PathBuf>,
    /// Specifications of service level objectives in any format, or folders that hold some: what moves in them moves the rules
    /// that `rulecheck slo generate` makes of them
    #[arg(long, value_name = "FILE", num_args = 1..)]
    slo: Vec<PathBuf>,
    /// Name everything that can move, with its present value and its place
    #[arg(long, conflicts_with = "set")]
    list: bool,
    /// Move a knob, by its short or its full name; may be given several times
    #[arg(long, value_name = "NAME=VALUE", num_args = 1..)]
    set: Vec<String>,
    /// Move a knob over many values: NAME=FROM..TO:STEP or NAME=A,B,C; several at once make a grid; what is --set beside it is so
    /// at every point
    #[arg(long, value_name = "NAME=VALUES", num_args = 1.., conflicts_with = "list")]
    sweep: Vec<String>,
    /// When alerts should have fired: a YAML file with `incidents: [{name, start, end, alerts: [..], grace}]`; times as RFC
    /// 3339, Unix seconds or since the beginning of the data (2d3h)
    #[arg(long, value_name = "FILE", requires = "data", conflicts_with = "list")]
    incidents: Option<PathBuf>,
    /// What a point must reach, such as 'recall = 1' or 'pages_per_week < 2'; exit code 1 where none does
    #[arg(long, value_name = "MEASURE<VALUE", requires = "sweep")]
    goal: Vec<String>,
    /// Show every point, not only those worth a look
    #[arg(long, requires = "sweep")]
    all: bool,
    /// Replay over these series before and after: OpenMetrics or Prometheus text, answers of the query API (JSON), or CSV, each also packed with gzip; - for standard input
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "tests")]
    data: Vec<PathBuf>,
    /// Replay each test of these test files, or folders that hold some, before and after
    #[arg(long, value_name = "FILE", num_args = 1..)]
    tests: Vec<PathBuf>,
    /// Change the number in the rule file, and nothing else there
    #[arg(long, requires = "set", conflicts_with_all = ["list", "sweep"])]
    write: bool,
    /// Only show what --write would change
    #[arg(long, requires = "write")]
    dry_run: bool,
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

const NOTES: &str = "Knobs: threshold: a number in the side of a comparison that selects no series; number: any other of \
an expression; window, step, offset: of selectors and subqueries; for, keep_firing_for: of alerts, 0s where they have none; \
objective, window, factor: of objectives. \
The number in [] counts those of a kind in the order of the text. \
A point of a sweep is marked with * where no other is as good in everything that counts and better in something: with --incidents \
recall (where equal time_to_detect, then pages_per_week) and false_pages, and all other measures that a --goal names.";

const FORMATS: [Format; 4] = [Format::Text, Format::Json, Format::Markdown, Format::Html];

/// Lists knobs, or moves some.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let is_asked = options.list || !options.set.is_empty() || !options.sweep.is_empty();
    if !is_asked && options.format != Format::Html {
        let fault = Diagnostic::error("nothing is asked");
        let help = "give --list to see what can move, --set or --sweep to move it, or --format html for a page to move it in";
        return Err(vec![fault.help(help)]);
    }
    if options.format == Format::Html && !options.list {
        page::check(options)?;
    }
    let loaded = load::load(options)?;
    let knobs = loaded.rules.knobs();
    if options.list {
        io::print(&match options.format {
            Format::Html => {
                let fault = Diagnostic::error("a list of knobs is no page");
                let help = "leave --list away and give --data for a page to move them in, or take text, json or markdown";
                return Err(vec![fault.help(help)]);
            }
            Format::Json => whatif::knobs_json(&knobs),
            Format::Markdown => whatif::knobs_markdown(&knobs),
            _ => whatif::knobs_text(&knobs),
        });
        return Ok(Outcome::Success);
    }
    if !options.sweep.is_empty() {
        return sweep::run(options, &loaded, &knobs);
    }
    if loaded.worlds.is_empty() && !options.write {
        let fault = Diagnostic::error("there is nothing to replay over, and nothing is written");
        let help = "give --data or --tests to see what changes, or --write to change the files";
        return Err(vec![fault.help(help)]);
    }
    set(options, &loaded, &knobs)
}

/// Moves knobs: replays before and after, and writes what changes.
fn set(options: &Options, loaded: &Loaded, knobs: &[Knob]) -> Result<Outcome, Vec<Diagnostic>> {
    let (changes, edited) = asked(options, loaded, knobs)?;
    let incidents = sweep::incidents(options, loaded)?;
    if options.format == Format::Html {
        return page::show(options, loaded, (&changes, &edited), &incidents, None);
    }
    if options.incidents.is_some() && options.format == Format::Markdown {
        let fault = Diagnostic::error("Markdown does not tell of incidents");
        return Err(vec![
            fault.help("take text, json or html, or leave --incidents away"),
        ]);
    }
    let mut ended = Outcome::Success;
    let mut compared = Vec::with_capacity(loaded.worlds.len());
    let mut differences = Vec::with_capacity(loaded.worlds.len());
    for (world, incidents) in loaded.worlds.iter().zip(&incidents) {
        let (world, difference, outcome) = compare(world, &loaded.rules, &edited.rules, incidents)?;
        compared.push(world);
        differences.push(difference);
        ended = ended.max(outcome);
    }
    let fate = match (options.write, options.dry_run) {
        (false, _) => Fate::Left,
        (true, true) => Fate::Shown,
        (true, false) if ended == Outcome::Success => Fate::Written,
        (true, false) => Fate::Refused,
    };
    if fate == Fate::Refused {
        let fault = Diagnostic::error("nothing is written: rules fail with these values");
        let help = "correct the rules, give other values, or write without --data and --tests, which replays nothing";
        complain(&fault.help(help));
    }
    if fate == Fate::Written {
        write(&edited)?;
    }
    let told = Told {
        changes: &changes,
        worlds: &compared,
        differences: &differences,
        texts: &edited.texts,
        fate,
    };
    io::print(&match options.format {
        Format::Json => told.json(),
        Format::Markdown => markdown(&changes, loaded, &edited, &differences),
        _ => told.text(),
    });
    Ok(ended)
}

/// The same as a comment on a pull request.
fn markdown(changes: &[Change], loaded: &Loaded, edited: &Edited, worlds: &[WorldDiff]) -> String {
    let set = changes.iter();
    let set = set.map(|change| format!("{}={}", change.knob.shown(), change.value));
    let rules = RulesDiff::of(&loaded.rules.groups(), &edited.rules.groups());
    let report = Report {
        names: Both {
            before: "present values".to_owned(),
            after: set.collect::<Vec<String>>().join(", "),
        },
        rules: &rules,
        worlds,
        gates: Vec::new(),
    };
    report.markdown()
}

/// What `--set` asks for, and the rules that come of it.
fn asked(
    options: &Options,
    loaded: &Loaded,
    knobs: &[Knob],
) -> Result<(Vec<Change>, Edited), Vec<Diagnostic>> {
    let read = options.set.iter().map(|text| Change::parse(text, knobs));
    let changes = all_or_faults(read.map(|change| change.map_err(|fault| vec![fault])))?;
    let edited = loaded.rules.changed(&changes)?;
    tell_shared(&changes, knobs);
    let doubts = changes.iter().filter_map(Change::doubt);
    doubts.for_each(|doubt| complain(&doubt));
    Ok((changes, edited))
}

/// Says what moves along because it is the same text.
fn tell_shared(changes: &[Change], knobs: &[Knob]) {
    for change in changes.iter().filter(|change| !change.is_nothing()) {
        let knob = &change.knob;
        let others = knobs
            .iter()
            .filter(|other| other.is_same_text(knob) && other.name != knob.name);
        let others: Vec<&str> = others.map(Knob::shown).collect();
        let message = match (others.is_empty(), knob.is_repeated) {
            (false, _) => format!("{} is the same text as {}", knob.shown(), others.join(", ")),
            (true, true) => format!("an alias repeats the text of {}", knob.shown()),
            (true, false) => continue,
        };
        let help = match knob.is_repeated {
            true => {
                "what the alias stands for moves, too, be it another knob, an interval or a label"
            }
            false => "they move together: an alias stands for what is written here",
        };
        let warning = Diagnostic::warning(message).at(&knob.place.source, knob.place.span);
        complain(&warning.help(help));
    }
}

/// What every alert does in a world, before and after.
fn compare(
    world: &World,
    before: &RuleSet,
    after: &RuleSet,
    incidents: &Incidents,
) -> Result<(Compared, WorldDiff, Outcome), Vec<Diagnostic>> {
    let compared = world.replay_both(before, (world, after), |old, new| {
        let outcome = complain_of_errors(new.replay, new.groups);
        let outcomes = |side: Side<'_>| world.outcomes(side.replay, side.groups).into_iter();
        let judge = |side: Side<'_>| world.judgement(side.replay, side.groups, incidents);
        let compared = Compared {
            world: world.name.clone(),
            alerts: outcomes(old).zip(outcomes(new)).collect(),
            judged: (!incidents.all.is_empty()).then(|| (judge(old), judge(new))),
        };
        let difference = WorldDiff {
            name: world.name.clone(),
            diff: TimelineDiff::of(old, new, world.frame(&[])),
            budgets: Vec::new(),
        };
        (compared, difference, outcome)
    });
    compared.map_err(|error| too_long(&error))
}

/// Writes all files that change, or none.
fn write(edited: &Edited) -> Result<(), Vec<Diagnostic>> {
    let mut written: Vec<&Source> = Vec::new();
    for (before, after) in &edited.texts {
        if let Err(fault) = io::replace(Path::new(before.name()), after.text()) {
            let back = written.iter();
            let back = back.map(|it| io::replace(Path::new(it.name()), it.text()));
            let more: Vec<Diagnostic> = back.filter_map(Result::err).collect();
            return Err([vec![fault], more].concat());
        }
        written.push(before);
    }
    Ok(())
}
