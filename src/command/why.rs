//! `rulecheck why`: what a rule or an expression yielded at a moment, and why.

use std::path::{Path, PathBuf};

use clap::Args;

use super::schedule::{PhaseOptions, ScheduleName};
use super::{Limits, Outcome, Reading, TEXT_OR_JSON, complain, format, load};
use crate::io;
use crate::model::{Duration, Labels, Timestamp};
use crate::promql::{Features, Query};
use crate::replay::{
    Explanation, OnRuleError, Question, Replay, ReplaySpec, RuleId, Schedule, replay,
};
use crate::report::Format;
use crate::report::why::{Clock, document, text};
use crate::rules::{ReadOptions, RuleGroup, diagnose_query};
use crate::series::notation::parse_series;
use crate::series::time::moment;
use crate::suite::file::TestCase;
use crate::suite::{RunOptions, Suite, replay_test};
use crate::text::yaml::Embedded;
use crate::text::{Diagnostic, Source, closest};

/// The options of `rulecheck why`.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(super) struct Options {
    /// An alert, or what a recording rule records; GROUP/NAME for that of one group, NAME#2 for the second of several
    #[arg(
        value_name = "NAME",
        required_unless_present = "expr",
        conflicts_with = "expr"
    )]
    name: Option<String>,
    /// Explain an expression in place of a rule
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    expr: Option<String>,
    /// In this test of a test file: its name or its number, which may be left out where the file has one
    #[arg(long, value_name = "FILE[:TEST]", required_unless_present = "data", conflicts_with_all = ["rules", "data"])]
    test: Option<String>,
    /// With these rule files, over --data; may be given again
    #[arg(long, value_name = "FILE", requires = "data")]
    rules: Vec<PathBuf>,
    /// Over these series: OpenMetrics or Prometheus text, answers of the query API (JSON), or CSV, each also packed with
    /// gzip; - for standard input; may be given again
    #[arg(long, value_name = "FILE")]
    data: Vec<PathBuf>,
    /// At this moment; if not given, at the end of the test or the data
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// Tell of series with these labels first, such as '{instance="a"}'
    #[arg(long, value_name = "LABELS")]
    about: Option<String>,
    /// Go down so many levels into the rules that record what the expression reads; further where they record nothing
    #[arg(long, value_name = "N", default_value_t = 1)]
    depth: usize,
    /// The global evaluation interval, for groups that have none of their own; only with --data
    #[arg(long, value_name = "DURATION", conflicts_with = "test")]
    interval: Option<String>,
    /// Group schedule; if not given, that of the test file, or production for --data
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    #[command(flatten)]
    phases: PhaseOptions,
    /// How to print the result
    #[arg(long, value_name = "FORMAT", value_parser = format(&TEXT_OR_JSON), default_value = "text")]
    format: Format,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    reading: Reading,
}

const NOTES: &str = "A TIME is a duration since the start of the test (40m) or, with --data, of the data, or RFC 3339 \
(2026-01-05T08:40:00Z). A rule counts with its last evaluation at or before it, an expression is evaluated exactly at it.";

/// A replay that questions are asked of.
struct Asked<'r> {
    replay: &'r Replay<'r>,
    groups: &'r [&'r RuleGroup],
    /// What the replay is of: `the test` or `the data`.
    of: &'static str,
    start: Timestamp,
    end: Timestamp,
    /// Whether expressions see what was written up to the end, as in promtool's tests.
    sees_all: bool,
    clock: Clock,
}

/// Explains and prints.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let reading = options.reading.options()?;
    match &options.test {
        Some(test) => in_test(options, test, &reading)?,
        None => in_data(options, &reading)?,
    }
    Ok(Outcome::Success)
}

fn in_test(options: &Options, named: &str, reading: &ReadOptions) -> Result<(), Vec<Diagnostic>> {
    let (path, test) = match named.split_once(':') {
        Some((path, test)) if !io::is_file(Path::new(named)) => (path, Some(test)),
        _ => (named, None),
    };
    let mut suite = load::suite(Path::new(path), reading, false, &load::Shelf::default())?;
    let schedule = options.schedule.map(Schedule::from);
    let of_file = schedule
        .or(suite.file.schedule)
        .unwrap_or(Schedule::Promtool);
    let phases = options.phases.read(of_file)?;
    let interval = suite.file.evaluation_interval;
    load::set_phases(&phases, &mut suite.rule_files, interval)?;
    let index = chosen(&suite, test).map_err(|fault| vec![fault])?;
    let running = RunOptions {
        features: reading.features,
        schedule,
        max_samples: options.limits.max_samples,
        ..RunOptions::default()
    };
    replay_test(&suite, index, &running, |run| {
        let start = run.test.start;
        let asked = Asked {
            replay: &run.replay,
            groups: run.groups,
            of: "the test",
            start,
            end: start.saturating_add(run.length),
            sees_all: !run.test.is_extended,
            clock: Clock::Since(start),
        };
        asked.answer(options, &reading.features)
    })?
}

fn in_data(options: &Options, reading: &ReadOptions) -> Result<(), Vec<Diagnostic>> {
    let interval = load::interval(options.interval.as_deref().unwrap_or("1m"));
    let interval = interval.map_err(|fault| vec![fault])?;
    let schedule = options
        .schedule
        .map_or(Schedule::Production, Schedule::from);
    let phases = options.phases.read(schedule)?;
    let mut files = load::rule_files(&options.rules, reading)?;
    load::set_phases(&phases, &mut files, interval)?;
    let groups: Vec<&RuleGroup> = files.iter().flat_map(|file| &file.groups).collect();
    let store = load::data(&options.data, &reading.features)?;
    let Some((start, end)) = load::extent(&store) else {
        let fault = Diagnostic::error("the data holds no sample");
        return Err(vec![fault.help("give files that hold some")]);
    };
    let mut spec = ReplaySpec::new(&groups, store, start, end, interval);
    spec.schedule = schedule;
    spec.on_error = OnRuleError::Continue;
    spec.features = reading.features;
    spec.max_samples = options.limits.max_samples;
    let replay = replay(spec).map_err(|error| load::too_long(&error))?;
    let asked = Asked {
        replay: &replay,
        groups: &groups,
        of: "the data",
        start,
        end,
        sees_all: false,
        clock: Clock::Utc(end),
    };
    asked.answer(options, &reading.features)
}

/// Which test of a file is meant, by its place.
fn chosen(suite: &Suite, named: Option<&str>) -> Result<usize, Diagnostic> {
    let tests = &suite.file.tests;
    let file = suite.file.source.name();
    let name = |test: &TestCase| test.name.as_ref().map(|name| name.value.clone());
    let listed = || {
        let one = |(index, test): (usize, &TestCase)| match name(test) {
            Some(name) => format!("{} ({name})", index + 1),
            None => (index + 1).to_string(),
        };
        tests
            .iter()
            .enumerate()
            .map(one)
            .collect::<Vec<String>>()
            .join(", ")
    };
    let Some(named) = named else {
        return match tests.len() {
            1 => Ok(0),
            0 => {
                Err(Diagnostic::error(format!("{file} holds no test"))
                    .help("add one under `tests:`"))
            }
            count => Err(
                Diagnostic::error(format!("{file} holds {count} tests")).help(format!(
                    "name one as {file}:NUMBER or {file}:NAME: {}",
                    listed()
                )),
            ),
        };
    };
    let by_name = tests
        .iter()
        .position(|test| name(test).as_deref() == Some(named));
    let by_number = || {
        let number: usize = named.parse().ok()?;
        number.checked_sub(1).filter(|index| *index < tests.len())
    };
    // A number is what the output of `test` names.
    by_number().or(by_name).ok_or_else(|| {
        let names: Vec<String> = tests.iter().filter_map(name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let fault = Diagnostic::error(format!("{file} holds no test {named:?}"));
        match closest(named, &names) {
            Some(near) => fault.help(format!("did you mean {near:?}?")),
            None => fault.help(format!("its tests are {}", listed())),
        }
    })
}

impl Asked<'_> {
    fn answer(&self, options: &Options, features: &Features) -> Result<(), Vec<Diagnostic>> {
        let at = self
            .moment(options.at.as_deref())
            .map_err(|fault| vec![fault])?;
        let clock = match self.clock {
            Clock::Utc(_) => Clock::Utc(at),
            since => since,
        };
        let about = about(options.about.as_deref()).map_err(|fault| vec![fault])?;
        let question = Question {
            at,
            depth: options.depth,
            about: &about,
        };
        let explanations = match (&options.expr, &options.name) {
            (Some(expr), _) => vec![self.expression(expr, features, question)?],
            (None, name) => {
                let name = name.as_deref().unwrap_or_default();
                self.rules(name, question).map_err(|fault| vec![fault])?
            }
        };
        match options.format {
            Format::Json => io::print(&document(&explanations, clock)),
            _ => {
                for (index, explanation) in explanations.iter().enumerate() {
                    if index > 0 {
                        io::print("\n");
                    }
                    io::print(&text(explanation, clock, 0, io::wants_colour()));
                }
            }
        }
        match self.replay.stopped_at {
            Some(stopped) if stopped < at => {
                let message = format!(
                    "an error of a rule ended {} at {}: what is later is not known",
                    self.of,
                    self.clock.tell(stopped)
                );
                complain(&Diagnostic::warning(message));
            }
            _ => {}
        }
        Ok(())
    }

    /// The moment asked for.
    fn moment(&self, written: Option<&str>) -> Result<Timestamp, Diagnostic> {
        let Some(written) = written else {
            return Ok(self.end);
        };
        let since_start = Duration::parse(written).ok();
        let at = match since_start {
            Some(Duration(since)) => Some(self.start.saturating_add(since)),
            None => moment(written).filter(|_| written.contains('T')),
        };
        let at = at.ok_or_else(|| {
            Diagnostic::error(format!("--at {written}: this is no time"))
                .help("write a duration such as 40m, or a date such as 2026-01-05T08:40:00Z")
        })?;
        if (self.start..=self.end).contains(&at) {
            return Ok(at);
        }
        let (start, end) = (
            self.clock.tell_all(self.start),
            self.clock.tell_all(self.end),
        );
        let length = Duration(self.end.saturating_sub(self.start));
        let message = match at < self.start {
            true => format!("--at {written} is before the start of {}, {start}", self.of),
            false => format!("--at {written} is after the end of {}, {end}", self.of),
        };
        let help = format!("give a time within {}: from 0s to {length}", self.of);
        Err(Diagnostic::error(message).help(help))
    }

    fn rules(&self, name: &str, question: Question<'_>) -> Result<Vec<Explanation>, Diagnostic> {
        let ids = self.called(name);
        if ids.len() > 1 {
            self.tell_of_several(name, &ids);
        }
        let ids = ids.into_iter();
        let found: Vec<Explanation> = ids
            .filter_map(|id| self.replay.explain_rule(id, question))
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let rules = self.groups.iter().flat_map(|group| group.rules.iter());
        let known: Vec<&str> = rules.map(|rule| rule.name.as_str()).collect();
        let fault = Diagnostic::error(format!("no alert and no recording rule is called {name:?}"));
        Err(match closest(name, &known) {
            Some(near) => fault.help(format!("did you mean {near:?}?")),
            None if known.is_empty() => {
                fault.help("give the files of the rules with --rules, or an expression with --expr")
            }
            None => fault.help("correct the name, or give an expression with --expr"),
        })
    }

    /// The rules that a name means: those called so, or one of them by its group or its place.
    fn called(&self, name: &str) -> Vec<RuleId> {
        let whole = self.replay.rules_called(name);
        if !whole.is_empty() {
            return whole;
        }
        // Names of groups and rules may hold slashes themselves.
        let cuts = name.match_indices('/').filter_map(|(cut, _)| {
            let (group, rule) = (name.get(..cut)?, name.get(cut + 1..)?);
            let mut found = self.replay.rules_called(rule);
            found.retain(|id| self.group(*id) == Some(group));
            Some(found)
        });
        if let Some(found) = { cuts }.find(|found| !found.is_empty()) {
            return found;
        }
        let placed = name.rsplit_once('#').and_then(|(name, place)| {
            let index = place.parse::<usize>().ok()?.checked_sub(1)?;
            self.called(name).get(index).copied()
        });
        placed.into_iter().collect()
    }

    fn group(&self, id: RuleId) -> Option<&str> {
        self.groups.get(id.group).map(|group| group.name.as_str())
    }

    /// Says that several rules are explained, and how to ask for one.
    fn tell_of_several(&self, name: &str, ids: &[RuleId]) {
        let one = |(index, id): (usize, &RuleId)| {
            let group = self.group(*id).unwrap_or_default();
            let rules = self.groups.get(id.group).map(|it| &it.rules);
            let rule = rules.and_then(|rules| rules.get(id.rule));
            let rule = rule.map_or(name, |rule| rule.name.as_str());
            let is_only = ids
                .iter()
                .filter(|it| self.group(**it) == Some(group))
                .count()
                == 1;
            match is_only {
                true => format!("{group}/{rule}"),
                false => format!("{name}#{}", index + 1),
            }
        };
        let names: Vec<String> = ids.iter().enumerate().map(one).collect();
        let message = format!(
            "{} rules are called {name}: all of them are explained",
            ids.len()
        );
        let help = format!("for one of them ask for {}", names.join(" or "));
        complain(&Diagnostic::info(message).help(help));
    }

    fn expression(
        &self,
        expr: &str,
        features: &Features,
        question: Question<'_>,
    ) -> Result<Explanation, Vec<Diagnostic>> {
        let text = Embedded::of_source(&Source::new("<expression>", expr));
        let query = Query::parse(expr, features).map_err(|errors| {
            let fault = |error| diagnose_query(&text, error, "could not parse expression: ");
            errors.iter().map(fault).collect::<Vec<Diagnostic>>()
        })?;
        let after = if self.sees_all { self.end } else { question.at };
        Ok(self.replay.explain_query(&query, &text, question, after))
    }
}

/// The labels of `--about`.
fn about(written: Option<&str>) -> Result<Vec<Labels>, Diagnostic> {
    let Some(written) = written else {
        return Ok(Vec::new());
    };
    let braced = match written.contains('{') {
        true => written.to_owned(),
        false => format!("{{{written}}}"),
    };
    let labels = parse_series(&braced).map_err(|error| {
        Diagnostic::error(format!("--about {written}: {}", error.message))
            .help("write labels as '{instance=\"a\", job=\"b\"}'")
    })?;
    Ok(vec![labels])
}
