//! `rulecheck graph`: which rule reads what.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{Outcome, Reading, complain, format, load};
use crate::io;
use crate::model::Regex;
use crate::replay::{Dependencies, DependencyKind, Given};
use crate::report::Format;
use crate::report::graph::{self, View};
use crate::rules::{ReadOptions, RuleFile, RuleGroup};
use crate::suite::Suite;
use crate::suite::file::TestCase;
use crate::text::{Diagnostic, closest};

/// The options of `rulecheck graph`.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(super) struct Options {
    /// Rule files, folders that hold some, or patterns; if none is given, those that the tests name
    #[arg(value_name = "RULES", required_unless_present = "tests")]
    rules: Vec<PathBuf>,
    /// Test files, or folders that hold some: names that neither their series nor any rule provides are missing; may
    /// be given again
    #[arg(long, value_name = "FILE")]
    tests: Vec<PathBuf>,
    /// Recorded series, to the same end (text, JSON or CSV; - for standard input); may be given again
    #[arg(long, value_name = "FILE")]
    data: Vec<PathBuf>,
    /// Show only this alert, recorded name or metric, with what it reads in the end and all that read it
    #[arg(long, value_name = "NAME")]
    focus: Vec<String>,
    /// Names of recording rules that somebody else reads, such as a dashboard: an anchored regular expression
    #[arg(long, value_name = "REGEX")]
    used: Vec<String>,
    /// End with exit code 1 where there is such a finding; several with commas
    #[arg(long, value_name = "FINDING", value_delimiter = ',',
          value_parser = PossibleValuesParser::new(DependencyKind::ALL.map(DependencyKind::name)))]
    deny: Vec<String>,
    /// The global evaluation interval, for groups that have none of their own
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    interval: String,
    /// How to print the result; dot is for Graphviz (`| dot -Tsvg`)
    #[arg(long, value_name = "FORMAT", value_parser = format(&FORMATS), default_value = "text")]
    format: Format,
    #[command(flatten)]
    reading: Reading,
}

const NOTES: &str = "Findings: missing: a name that no rule records and no series has; impossible: matchers that no series \
of the rule that is read can pass; sparse: a rule evaluated more rarely than its reader looks back; cycle: rules that read \
each other, or themselves; backward: a rule that reads a later one of its group; unused: a recording rule that no alert needs.";

const FORMATS: [Format; 3] = [Format::Text, Format::Json, Format::Dot];

/// Shows what reads what.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let reading = options.reading.options()?;
    let interval = load::interval(&options.interval).map_err(|fault| vec![fault])?;
    let used = used(&options.used)?;
    let suites = suites(options, &reading)?;
    let files = rules(options, suites.iter().map(|(_, suite)| suite), &reading)?;
    if files
        .iter()
        .flat_map(|file| &file.groups)
        .all(|group| group.rules.is_empty())
    {
        let paths: Vec<PathBuf> = files.iter().map(|file| file.source.name().into()).collect();
        return Err(vec![no_rules(&paths)]);
    }
    let mut given = Givens::default();
    if !options.data.is_empty() {
        let store = load::data(&options.data, &reading.features)?;
        let series = store.iter().map(|series| series.labels.clone());
        let mut data = Given::default();
        series.for_each(|labels| data.add(labels));
        files.iter().for_each(|file| given.add(file, &data));
    }
    for (path, suite) in &suites {
        given.add_suite(path, suite, &files);
    }
    let groups: Vec<&RuleGroup> = files.iter().flat_map(|file| &file.groups).collect();
    let dependencies = Dependencies::new(&groups, interval, &|group| given.of(group.source.name()));
    let findings = dependencies.findings(&used);
    let view = View::new(&dependencies, findings, &options.focus)
        .map_err(|name| vec![unknown(&name, &dependencies)])?;
    io::print(&match options.format {
        Format::Json => graph::json(&view),
        Format::Dot => graph::dot(&view),
        _ => graph::text(&view),
    });
    let is_denied = |kind: DependencyKind| options.deny.iter().any(|name| name == kind.name());
    Ok(
        match view.findings.iter().any(|finding| is_denied(finding.kind)) {
            true => Outcome::Failure,
            false => Outcome::Success,
        },
    )
}

fn used(patterns: &[String]) -> Result<Vec<Regex>, Vec<Diagnostic>> {
    let read = patterns.iter().map(|pattern| {
        Regex::anchored(pattern).map_err(|error| {
            let fault = Diagnostic::error(format!("--used {pattern:?}: {error}"));
            vec![fault.help("give a regular expression in RE2 syntax, such as 'job:.*'")]
        })
    });
    read.collect()
}

/// The test files of the call with their rule files.
fn suites(
    options: &Options,
    reading: &ReadOptions,
) -> Result<Vec<(PathBuf, Suite)>, Vec<Diagnostic>> {
    let shelf = load::Shelf::default();
    let suites = load::each(io::test_files(&options.tests), |path| {
        let suite = load::suite(&path, reading, false, &shelf)?;
        Ok((path, suite))
    })?;
    match suites.is_empty() && !options.tests.is_empty() {
        true => Err(vec![nothing("test file", &options.tests, "tests")]),
        false => Ok(suites),
    }
}

/// The rule files of the call, each once.
fn rules<'s>(
    options: &Options,
    suites: impl Iterator<Item = &'s Suite>,
    reading: &ReadOptions,
) -> Result<Vec<RuleFile>, Vec<Diagnostic>> {
    if options.rules.is_empty() {
        let files = suites.flat_map(|suite| &suite.rule_files);
        let files: BTreeMap<PathBuf, &RuleFile> = files
            .map(|file| (io::identity(Path::new(file.source.name())), file))
            .collect();
        return Ok(files.into_values().cloned().collect());
    }
    let paths = load::each(io::rule_files(&options.rules), Ok)?;
    if paths.is_empty() {
        return Err(vec![nothing("rule file", &options.rules, "groups")]);
    }
    load::rule_files(&paths, reading)
}

fn nothing(what: &str, paths: &[PathBuf], key: &str) -> Diagnostic {
    let names: Vec<String> = paths.iter().map(|path| io::display(path)).collect();
    let fault = Diagnostic::error(format!("no {what} in {}", names.join(", ")));
    fault.help(format!("a {what} is a YAML file with a top-level `{key}:`"))
}

fn no_rules(files: &[PathBuf]) -> Diagnostic {
    let names: Vec<String> = files.iter().map(|path| io::display(path)).collect();
    let fault = match names.is_empty() {
        true => Diagnostic::error("the tests name no rule file"),
        false => Diagnostic::error(format!("no rules in {}", names.join(", "))),
    };
    fault.help("name a file whose groups have some under `rules:`")
}

/// The series that there are for rule files.
#[derive(Debug, Default)]
struct Givens {
    by_file: BTreeMap<PathBuf, Given>,
}

impl Givens {
    fn of(&self, file: &str) -> Option<&Given> {
        self.by_file.get(&io::identity(Path::new(file)))
    }

    fn add(&mut self, file: &RuleFile, series: &Given) {
        let path = io::identity(Path::new(file.source.name()));
        self.by_file.entry(path).or_default().extend(series);
    }

    /// Those of the tests of a file, for the rule files that it names.
    fn add_suite(&mut self, path: &Path, suite: &Suite, files: &[RuleFile]) {
        let identity = |file: &RuleFile| io::identity(Path::new(file.source.name()));
        let known: Vec<PathBuf> = files.iter().map(identity).collect();
        let named = suite
            .rule_files
            .iter()
            .filter(|file| known.contains(&identity(file)));
        let named: Vec<&RuleFile> = named.collect();
        if named.is_empty() {
            let message = format!(
                "{} names none of the rule files of this call",
                io::display(path)
            );
            let warning = Diagnostic::warning(message)
                .help("its series do not count; name its rule files, too");
            complain(&warning);
        }
        let mut series = Given::default();
        let labels = suite.file.tests.iter().flat_map(TestCase::series);
        labels.for_each(|labels| series.add(labels));
        named.into_iter().for_each(|file| self.add(file, &series));
    }
}

fn unknown(name: &str, dependencies: &Dependencies<'_>) -> Diagnostic {
    let fault = Diagnostic::error(format!(
        "--focus {name}: no rule is called so, and none reads it"
    ));
    let rules = dependencies.rules.iter();
    let mut known: Vec<&str> = rules.clone().map(|rule| rule.rule.name.as_str()).collect();
    let reads = rules.flat_map(|rule| &rule.reads);
    known.extend(reads.filter_map(|read| read.metric()));
    known.sort_unstable();
    known.dedup();
    match closest(name, &known) {
        Some(near) => fault.help(format!("did you mean {near}?")),
        None => fault.help("give the name of an alert, of what a rule records, or of a metric"),
    }
}
