//! `rulecheck check`: loads rule and test files and names every fault.

mod joins;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Outcome, Reading, complain, format, load};
use crate::io;
use crate::lint::{self, Level, Lint, Rules};
use crate::model::Millis;
use crate::promql::ast::VectorSelector;
use crate::promql::selectors::{Reach, selectors};
use crate::promql::{Annotations, Features, Query, annotations_without_data};
use crate::replay::{Dependencies, Given, OnRuleError, ReplaySpec, RuleId, Schedule, replay};
use crate::report::{Format, count, github, json};
use crate::rules::{ReadOptions, RuleFile, RuleGroup};
use crate::store::Store;
use crate::suite::{Suite, faults};
use crate::text::yaml::Embedded;
use crate::text::{Diagnostic, Severity};

/// The options of `rulecheck check`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Rule files, test files, folders that hold some, or patterns; the current folder if none is given
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Series to hold rules against: selectors that match none of them are named, and what Prometheus would say of the
    /// queries (text, JSON or CSV; - for standard input); may be given again
    #[arg(long, value_name = "FILE")]
    data: Vec<PathBuf>,
    /// Fail where there are warnings, or those of a lint; several with commas
    #[arg(long, value_name = "warnings|LINT", value_delimiter = ',')]
    deny: Vec<String>,
    /// Leave out what a lint says; several with commas
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    allow: Vec<String>,
    /// Ask a pedantic lint, too; several with commas
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    warn: Vec<String>,
    /// Ask all pedantic lints, too
    #[arg(long)]
    pedantic: bool,
    /// The time between two samples of a series, against which windows are held
    #[arg(long, value_name = "DURATION")]
    scrape_interval: Option<String>,
    #[command(flatten)]
    reading: Reading,
    /// How to print the result
    #[arg(long, value_name = "FORMAT", value_parser = format(&FORMATS), default_value = "text")]
    format: Format,
}

/// What `--format` takes.
pub(super) const FORMATS: [Format; 3] = [Format::Text, Format::Json, Format::Github];

/// Prometheus's default evaluation interval, for groups that have none of their own.
const INTERVAL: Millis = 60_000;

/// Checks the files.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let reading = options.reading.options()?;
    let choice = Choice::new(options)?;
    let here = [PathBuf::from(".")];
    let paths: &[PathBuf] = if options.paths.is_empty() {
        &here
    } else {
        &options.paths
    };
    let files = io::rule_and_test_files(paths);
    let (files, templates) = io::without_templates(paths, files);
    let passed_over = passed_over(&templates);
    if files.is_empty() {
        if let Some(fault) = passed_over {
            return Err(vec![Diagnostic {
                severity: Severity::Error,
                ..fault
            }]);
        }
        let names: Vec<String> = paths.iter().map(|path| io::display(path)).collect();
        let fault = Diagnostic::error(format!(
            "no rule file and no test file in {}",
            names.join(", ")
        ));
        return Err(vec![fault.help(
            "they are YAML files with a top-level `groups:` or `tests:`",
        )]);
    }
    let store = match options.data.is_empty() {
        true => None,
        false => Some(load::data(&options.data, &reading.features)?),
    };
    let shelf = load::Shelf::default();
    let unmatched = store.as_ref().map(|store| {
        let paths = files.iter().flatten();
        unmatched_of_rules(paths, &reading, store, &shelf)
    });
    let unmatched = unmatched.unwrap_or_default();
    let rule_files = readable(files.iter().flatten(), &reading, &shelf);
    let shown = joins::shown(
        options,
        files.iter().flatten(),
        (&reading, &shelf),
        store.as_ref(),
        &rule_files,
    );
    let linted = linted(&rule_files, &shown, &choice);
    let mut teller = Teller::new(options.format);
    for named in &files {
        let (path, (line, findings)) = match named {
            Ok(path) => (
                path,
                one(
                    path,
                    &reading,
                    store.as_ref(),
                    &[&linted, &unmatched],
                    &choice,
                    &shelf,
                ),
            ),
            Err((argument, fault)) => (argument, (None, vec![fault.clone()])),
        };
        teller.tell(&io::display(path), line.as_deref(), &findings);
    }
    teller.end(passed_over.as_ref());
    if teller.faulty > 0 {
        return Ok(Outcome::Broken);
    }
    Ok(choice.judge(&teller))
}

/// Which lints speak, and which warnings are faults.
struct Choice {
    deny: Vec<String>,
    allow: Vec<String>,
    warn: Vec<String>,
    pedantic: bool,
    scrape: Option<Millis>,
}

/// What stands for every warning behind `--deny`.
const WARNINGS: &str = "warnings";

impl Choice {
    fn new(options: &Options) -> Result<Choice, Vec<Diagnostic>> {
        let named = [
            ("--deny", &options.deny),
            ("--allow", &options.allow),
            ("--warn", &options.warn),
        ];
        let unknown = named.iter().flat_map(|(flag, names)| {
            let is_known =
                |name: &str| lint::lint(name).is_some() || (*flag == "--deny" && name == WARNINGS);
            let unknown = names.iter().filter(move |name| !is_known(name));
            unknown.map(move |name| lint::unknown(&format!("{flag} {name}"), name))
        });
        let unknown: Vec<Diagnostic> = unknown.collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let scrape = options.scrape_interval.as_deref();
        let scrape = scrape.map(|text| load::interval_of("--scrape-interval", text));
        Ok(Choice {
            deny: options.deny.clone(),
            allow: options.allow.clone(),
            warn: options.warn.clone(),
            pedantic: options.pedantic,
            scrape: scrape.transpose().map_err(|fault| vec![fault])?,
        })
    }

    fn is_on(&self, lint: &Lint) -> bool {
        let is_in = |names: &[String]| names.iter().any(|name| name == lint.name);
        let is_asked = self.pedantic || is_in(&self.warn) || is_in(&self.deny);
        !is_in(&self.allow) && (is_asked || lint.level == Level::Warn)
    }

    /// How a call without faults ends; says what it would not take.
    fn judge(&self, teller: &Teller) -> Outcome {
        let denies_all = self.deny.iter().any(|name| name == WARNINGS);
        let mut denied: Vec<String> = Vec::new();
        if denies_all && teller.warnings > 0 {
            denied.push(format!(
                "--deny {WARNINGS}: {}",
                count(teller.warnings, "warning")
            ));
        }
        for name in &self.deny {
            if let Some(number) = teller.by_lint.get(name.as_str()) {
                denied.push(format!("--deny {name}: {}", count(*number, "warning")));
            }
        }
        denied.dedup();
        for message in &denied {
            let fault = Diagnostic::error(message.as_str());
            complain(
                &fault.help("mend what they name, or allow a lint with a comment or `--allow`"),
            );
        }
        match denied.is_empty() {
            true => Outcome::Success,
            false => Outcome::Failure,
        }
    }
}

/// What lints say of the rules of the files, and recorded series show in their names, by file.
fn linted(files: &[RuleFile], shown: &[Diagnostic], choice: &Choice) -> ByFile {
    let mut linted = ByFile::new();
    for rules in Rules::by_folder(files, choice.scrape) {
        for found in lint::look_and_add(&rules, shown, &|lint| choice.is_on(lint)) {
            let file = found.place.as_ref().map_or("", |place| place.source.name());
            linted.entry(file.to_owned()).or_default().push(found);
        }
    }
    linted
}

/// The rule files among files that can be read.
fn readable<'p>(
    paths: impl Iterator<Item = &'p PathBuf>,
    reading: &ReadOptions,
    shelf: &load::Shelf,
) -> Vec<RuleFile> {
    let is_rules = |path: &&PathBuf| {
        io::read(path).is_ok_and(|source| !crate::suite::file::looks_like_test_file(source.text()))
    };
    let read =
        |path: &PathBuf| load::rule_files_of(std::slice::from_ref(path), reading, shelf).ok();
    paths.filter(is_rules).filter_map(read).flatten().collect()
}

/// Prints what comes of the files, one after the other.
pub(super) struct Teller {
    format: Format,
    files: usize,
    /// How many files were broken.
    pub(super) faulty: usize,
    /// How many warnings there were.
    pub(super) warnings: usize,
    infos: usize,
    /// How many of them each lint said.
    by_lint: BTreeMap<&'static str, usize>,
    annotations: Vec<github::Annotation>,
}

impl Teller {
    /// Begins.
    pub(super) fn new(format: Format) -> Teller {
        if format == Format::Json {
            io::print(json::HEAD);
        }
        Teller {
            format,
            files: 0,
            faulty: 0,
            warnings: 0,
            infos: 0,
            by_lint: BTreeMap::new(),
            annotations: Vec::new(),
        }
    }

    /// Prints what is to be said of a file, and what it holds unless it is broken.
    pub(super) fn tell(&mut self, path: &str, holds: Option<&str>, findings: &[Diagnostic]) {
        match holds {
            None => self.faulty += 1,
            Some(_) => {
                let is_info = |finding: &&Diagnostic| finding.severity == Severity::Info;
                let number = findings.iter().filter(is_info).count();
                self.infos += number;
                self.warnings += findings.len() - number;
                for lint in findings.iter().filter_map(|finding| finding.lint) {
                    *self.by_lint.entry(lint).or_default() += 1;
                }
            }
        }
        if self.format == Format::Json {
            let comma = if self.files > 0 { "," } else { "" };
            let file = json::checked(path, holds, findings);
            io::print(&format!("{comma}{file}"));
        } else {
            let mut text = match holds {
                Some(line) => format!("ok    {path} ({line})\n"),
                None => format!("ERROR {path}\n"),
            };
            let coloured = self.format == Format::Text && io::wants_colour();
            text.extend(findings.iter().map(|finding| finding.render(coloured)));
            self.print(&text);
        }
        if self.format == Format::Github {
            let found = github::findings(findings, path, &io::in_workspace);
            self.annotations.extend(found);
        }
        self.files += 1;
    }

    fn print(&self, text: &str) {
        match self.format {
            Format::Github => io::print(&github::plain(text)),
            _ => io::print(text),
        }
    }

    /// Prints what is to be said of all files together.
    pub(super) fn end(&mut self, of_all: Option<&Diagnostic>) {
        if self.format == Format::Json {
            let of_all: Vec<Diagnostic> = of_all.cloned().into_iter().collect();
            return io::print(&json::tail(&of_all, None, None));
        }
        if let Some(warning) = of_all {
            self.warnings += 1;
            let coloured = self.format == Format::Text && io::wants_colour();
            self.print(&warning.render(coloured));
            if self.format == Format::Github {
                let of_all = std::slice::from_ref(warning);
                let found = github::findings(of_all, "", &io::in_workspace);
                self.annotations.extend(found);
            }
        }
        let mut verdict = match self.faulty {
            0 => "no fault".to_owned(),
            _ => format!("{} with faults", count(self.faulty, "file")),
        };
        for (number, noun) in [(self.warnings, "warning"), (self.infos, "info")] {
            if number > 0 {
                verdict.push_str(&format!(", {}", count(number, noun)));
            }
        }
        self.print(&format!("{}: {verdict}\n", count(self.files, "file")));
        io::print(&github::commands(&self.annotations));
    }
}

/// What to say of templates that were passed over.
fn passed_over(templates: &[PathBuf]) -> Option<Diagnostic> {
    let first = io::display(templates.first()?);
    let message = match templates.len() {
        1 => format!("{first} is a template of a Helm chart, and was passed over"),
        number => format!(
            "{number} files are templates of a Helm chart, and were passed over: {first} and {} more",
            number - 1
        ),
    };
    let help = "check what is made of them: `helm template CHART > rendered.yaml`";
    Some(Diagnostic::warning(message).help(help))
}

/// What a file holds, unless it is broken, and everything to say of it.
fn one(
    path: &Path,
    reading: &ReadOptions,
    store: Option<&Store>,
    more: &[&ByFile],
    choice: &Choice,
    shelf: &load::Shelf,
) -> (Option<String>, Vec<Diagnostic>) {
    let is_test = match io::read(path) {
        Ok(source) => crate::suite::file::looks_like_test_file(source.text()),
        Err(fault) => return (None, vec![fault]),
    };
    let read = match is_test {
        true => load::suite(path, reading, false, shelf).and_then(|suite| tests(suite, choice)),
        false => load::rule_files_of(&[path.to_owned()], reading, shelf)
            .and_then(|files| rules(&files, store, more, reading.features)),
    };
    match read {
        Ok((line, findings)) => (Some(line), findings),
        Err(faults) => (None, faults),
    }
}

/// What a test file holds, and what promtool lets pass in it, lints find in its expressions or Prometheus says of them.
fn tests(suite: Suite, choice: &Choice) -> Result<(String, Vec<Diagnostic>), Vec<Diagnostic>> {
    let faults = faults(&suite);
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut findings = suite.file.warnings.clone();
    let asked = lint::queries(&suite.file);
    let rules = Rules::new(suite.rule_files.iter().collect(), choice.scrape);
    findings.extend(lint::look_at_queries(&asked, &rules, &|lint| {
        choice.is_on(lint)
    }));
    for check in suite.file.tests.iter().flat_map(|test| &test.expr_checks) {
        if let Ok(query) = &check.query {
            let said = annotations_without_data(query);
            let said = said.iter().map(|said| said.diagnose(&check.expr));
            findings.extend(said.filter(|said| !lint::allows(&asked, said)));
        }
    }
    Ok((count(suite.file.tests.len(), "test"), findings))
}

/// What rule files hold, and what is to be said of them.
fn rules(
    files: &[RuleFile],
    store: Option<&Store>,
    more: &[&ByFile],
    features: Features,
) -> Result<(String, Vec<Diagnostic>), Vec<Diagnostic>> {
    let groups = files.iter().flat_map(|file| &file.groups);
    let number = groups.clone().map(|group| group.rules.len()).sum();
    let wrappers = files.iter().flat_map(|file| &file.wrappers);
    let mut line = format!(
        "{}, {}",
        count(groups.clone().count(), "group"),
        count(number, "rule")
    );
    for (index, wrapper) in wrappers.enumerate() {
        line.push_str(if index == 0 { "; " } else { ", " });
        line.push_str(wrapper);
    }
    let mut findings: Vec<Diagnostic> = files
        .iter()
        .flat_map(|file| file.warnings.iter().chain(&file.notes).cloned())
        // Lints tell of them again.
        .filter(|finding| finding.lint.is_none())
        .collect();
    let of_file = more.iter().flat_map(|more| {
        let files = files.iter();
        files.filter_map(|file| more.get(file.source.name()))
    });
    findings.extend(of_file.flatten().cloned());
    // What a lint says the data may show, too.
    let mut findings = crate::text::distinct(findings);
    let groups: Vec<&RuleGroup> = groups.collect();
    let said = said(&groups, store, features)?.into_iter();
    findings.extend(said.filter(|said| !lint::allows(files, said)));
    Ok((line, findings))
}

/// What Prometheus says of the queries of rules: what needs no data, and what they meet in the data.
fn said(
    groups: &[&RuleGroup],
    store: Option<&Store>,
    features: Features,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let mut met: BTreeMap<RuleId, Annotations> = BTreeMap::new();
    if let Some(store) = store
        && let Some((start, end)) = load::extent(store)
    {
        let mut spec = ReplaySpec::new(groups, store.clone(), start, end, INTERVAL);
        spec.schedule = Schedule::Production;
        spec.on_error = OnRuleError::Continue;
        spec.features = features;
        let replay = replay(spec).map_err(|error| load::too_long(&error))?;
        met.extend(replay.annotations);
    }
    let mut findings = Vec::new();
    for (group, of_group) in groups.iter().enumerate() {
        for (index, rule) in of_group.rules.iter().enumerate() {
            let mut said = annotations_without_data(&rule.expr);
            said.merge(
                met.remove(&RuleId { group, rule: index })
                    .unwrap_or_default(),
            );
            findings.extend(rule.diagnose(&said));
        }
    }
    Ok(findings)
}

/// What is said of rules, by their files.
type ByFile = BTreeMap<String, Vec<Diagnostic>>;

/// The selectors of rules that match no series of a store and nothing that any of the rules writes. Files that are no rule
/// files or broken are told of elsewhere.
fn unmatched_of_rules<'p>(
    paths: impl Iterator<Item = &'p PathBuf>,
    reading: &ReadOptions,
    store: &Store,
    shelf: &load::Shelf,
) -> ByFile {
    let files = readable(paths, reading, shelf);
    let groups: Vec<&RuleGroup> = files.iter().flat_map(|file| &file.groups).collect();
    let mut given = Given::default();
    let series = store.iter().map(|series| series.labels.clone());
    series.for_each(|labels| given.add(labels));
    let dependencies = Dependencies::new(&groups, INTERVAL, &|_| Some(&given));
    let mut unmatched = ByFile::new();
    for (index, rule) in dependencies.rules.iter().enumerate() {
        let of_file = unmatched.entry(rule.group.source.name().to_owned());
        let reads = rule.reads.iter();
        let found = reads.filter_map(|read| match dependencies.unanswered(index, read) {
            Some(finding) => Some(finding.warning),
            None if read.is_without_series() => {
                let place = &read.place;
                let fault = Diagnostic::warning(NO_SERIES).at(&place.source, place.span);
                Some(fault.help(CHECK_NAMES))
            }
            None => None,
        });
        of_file.or_default().extend(found);
    }
    unmatched
}

const NO_SERIES: &str = "this selector matches no series of the data";
const CHECK_NAMES: &str = "check names and labels, or record the series";

/// The selectors of a query that match no series of a store.
pub(super) fn unmatched(query: &Query, text: &Embedded, store: &Store) -> Vec<Diagnostic> {
    let found = selectors(&query.expr, Reach::LOOKBACK)
        .into_iter()
        .filter(|used| store.select(&used.selector.matchers).is_empty());
    found
        .map(|used| {
            let fault = Diagnostic::warning(NO_SERIES).at(text.source(), text.span(used.span));
            match closest_metric(used.selector, store) {
                Some(near) => fault.help(format!("the data has the metric {near}")),
                None => fault.help(CHECK_NAMES),
            }
        })
        .collect()
}

/// A metric of the store that is nearly the one asked for.
fn closest_metric<'s>(selector: &VectorSelector, store: &'s Store) -> Option<&'s str> {
    let metric = selector.metric()?;
    let mut names: Vec<&str> = store.iter().map(|series| series.labels.metric()).collect();
    names.sort_unstable();
    names.dedup();
    match names.contains(&metric) {
        true => None,
        false => crate::text::closest(metric, &names),
    }
}
