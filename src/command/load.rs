//! Files that commands read: test files with their rule files, rule files, data.

mod shelf;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(super) use self::shelf::{Inputs, Pattern, Shelf};
use super::schedule::Phases;
use super::{Outcome, complain};
use crate::io;
use crate::model::{Duration, Labels, Millis, Timestamp};
use crate::promql::Features;
use crate::replay::{OnRuleError, Replay, ReplayError, ReplaySpec, RuleError, Schedule};
use crate::report::{remedy, timeline};
use crate::rules::{ReadOptions, RuleFile, RuleGroup};
use crate::series;
use crate::store::{Points, Series, Store, Writer};
use crate::suite::Suite;
use crate::suite::file;
use crate::suite::recorded;
use crate::text::{Diagnostic, Source};
use crate::whatif::World;

/// Reads a test file and the rule files it names. Where `lenient`, a pattern that matches no rule file is only warned
/// of, as in promtool.
pub(super) fn suite(
    path: &Path,
    options: &ReadOptions,
    lenient: bool,
    shelf: &Shelf,
) -> Result<Suite, Vec<Diagnostic>> {
    suite_with(path, options, lenient, shelf, &BTreeMap::new())
}

/// The same, with other texts in place of those of some files, by their names.
pub(super) fn suite_with(
    path: &Path,
    options: &ReadOptions,
    lenient: bool,
    shelf: &Shelf,
    texts: &BTreeMap<String, Source>,
) -> Result<Suite, Vec<Diagnostic>> {
    let mut inputs = Inputs::default();
    let read = read_suite(path, options, lenient, shelf, texts, &mut inputs);
    shelf.note(path, inputs);
    read
}

fn read_suite(
    path: &Path,
    options: &ReadOptions,
    lenient: bool,
    shelf: &Shelf,
    texts: &BTreeMap<String, Source>,
    inputs: &mut Inputs,
) -> Result<Suite, Vec<Diagnostic>> {
    let mut note = |path: &Path| {
        if shelf.is_watched() {
            inputs.note(path);
        }
    };
    let read = |path: &Path| match texts.get(&io::display(path)) {
        Some(text) => Ok(text.clone()),
        None => io::read(path),
    };
    note(path);
    let source = read(path).map_err(|fault| vec![fault])?;
    let mut include = |from: &Source, path: &str| {
        let folder = Path::new(from.name()).parent().unwrap_or(Path::new(""));
        let path = io::clean(&folder.join(path));
        note(&path);
        read(&path)
    };
    let mut test_file = file::read_with(&source, options, &mut include)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut faults = Vec::new();
    for pattern in &test_file.rule_files {
        let place = |fault: Diagnostic| fault.at(&source, pattern.span);
        match io::glob(folder, &pattern.value) {
            Err(reason) => {
                faults.push(place(Diagnostic::error(reason).help("correct the pattern")))
            }
            Ok(found) if found.is_empty() => {
                let fault = place(Diagnostic::error(format!(
                    "no rule file matches {:?}",
                    pattern.value
                )))
                .help("patterns are relative to the folder of the test file");
                match lenient {
                    true => test_file.warnings.push(fault.into_warning()),
                    false => faults.push(fault),
                }
            }
            Ok(found) => paths.extend(found),
        }
    }
    if shelf.is_watched() {
        let patterns = test_file.rule_files.iter().map(|it| it.value.as_str());
        inputs.patterns = patterns.map(|it| Pattern::new(folder, it)).collect();
        let fixtures = test_file.tests.iter().flat_map(|test| &test.fixtures);
        let fixtures = fixtures.map(|fixture| io::clean(&fixture.path()));
        let all: BTreeSet<PathBuf> = paths.iter().cloned().chain(fixtures).collect();
        all.iter().for_each(|path| inputs.note(path));
    }
    let rule_files = rule_files_of(&paths, options, shelf).unwrap_or_else(|found| {
        faults.extend(found);
        Vec::new()
    });
    let recordings = shelf.of(&test_file, &options.features, &mut faults);
    if let Err(found) = recorded::place(&mut test_file, &recordings) {
        faults.extend(found);
    }
    let doubled = recorded::written_by_rules(&test_file, &rule_files);
    test_file.warnings.extend(doubled);
    match faults.is_empty() {
        true => Ok(Suite {
            file: test_file.into(),
            rule_files,
        }),
        false => Err(faults),
    }
}

/// How series are read.
fn importing(features: &Features) -> series::ReadOptions {
    series::ReadOptions {
        type_and_unit_labels: features.type_and_unit_labels,
        start_timestamps: features.stored_starts,
    }
}

/// Reads rule files, each once.
pub(super) fn rule_files(
    paths: &[PathBuf],
    options: &ReadOptions,
) -> Result<Vec<RuleFile>, Vec<Diagnostic>> {
    rule_files_of(paths, options, &Shelf::default())
}

/// The same, of those that may have been read before.
pub(super) fn rule_files_of(
    paths: &[PathBuf],
    options: &ReadOptions,
    shelf: &Shelf,
) -> Result<Vec<RuleFile>, Vec<Diagnostic>> {
    let mut seen = BTreeSet::new();
    let once = paths.iter().filter(|path| seen.insert(path.as_path()));
    all_or_faults(once.map(|path| shelf.rule_file(path, options)))
}

/// What is read of each of the files that a call names, or every fault: of those that are not there, too.
pub(super) fn each<T>(
    named: Vec<io::Named>,
    mut read: impl FnMut(PathBuf) -> Result<T, Vec<Diagnostic>>,
) -> Result<Vec<T>, Vec<Diagnostic>> {
    all_or_faults(named.into_iter().map(|named| match named {
        Ok(path) => read(path),
        Err((_, fault)) => Err(vec![fault]),
    }))
}

/// All results, or every fault.
pub(super) fn all_or_faults<T>(
    results: impl Iterator<Item = Result<T, Vec<Diagnostic>>>,
) -> Result<Vec<T>, Vec<Diagnostic>> {
    let (mut all, mut faults) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(one) => all.push(one),
            Err(found) => faults.extend(found),
        }
    }
    match faults.is_empty() {
        true => Ok(all),
        false => Err(faults),
    }
}

/// Tells all groups of a call when they are evaluated.
pub(super) fn set_phases(
    phases: &Phases,
    files: &mut [RuleFile],
    interval: Millis,
) -> Result<(), Vec<Diagnostic>> {
    let mut faults = phases.set(files, interval).err().unwrap_or_default();
    faults.extend(phases.unknown());
    match faults.is_empty() {
        true => Ok(()),
        false => Err(faults),
    }
}

/// Reads series from files, `-` from standard input. The samples of a series may lie in several files.
pub(super) fn data(paths: &[PathBuf], features: &Features) -> Result<Store, Vec<Diagnostic>> {
    let options = importing(features);
    let mut parts: BTreeMap<Labels, Vec<(&PathBuf, Points)>> = BTreeMap::new();
    let mut faults = Vec::new();
    for path in paths {
        let read = io::read_series(path)
            .map_err(|fault| vec![fault])
            .and_then(|source| series::read(&source, options));
        match read {
            Err(found) => faults.extend(found),
            Ok(list) => {
                for (labels, points) in list {
                    parts.entry(labels).or_default().push((path, points));
                }
            }
        }
    }
    let mut store = Store::default();
    for (labels, parts) in parts {
        match joined(&labels, parts) {
            Err(fault) => faults.push(fault),
            Ok(points) => {
                store.add(Series {
                    labels,
                    points,
                    writer: Writer::INPUT,
                });
            }
        }
    }
    if faults.is_empty() {
        Ok(store)
    } else {
        Err(faults)
    }
}

/// The samples of a series from all files.
fn joined(labels: &Labels, parts: Vec<(&PathBuf, Points)>) -> Result<Points, Diagnostic> {
    let (paths, points): (Vec<&PathBuf>, Vec<Points>) = parts.into_iter().unzip();
    series::join(points).map_err(|conflict| {
        let name = |part: usize| {
            paths
                .get(part)
                .map_or_else(String::new, |path| io::display(path))
        };
        Diagnostic::error(format!(
            "{labels} has different samples in {} and {}, both at {}",
            name(conflict.parts.0),
            name(conflict.parts.1),
            timeline::moment(conflict.time)
        ))
        .help("leave one of the files away, or remove one of the two samples")
    })
}

/// Reads `--interval`.
pub(super) fn interval(text: &str) -> Result<Millis, Diagnostic> {
    interval_of("--interval", text)
}

/// The same of another flag.
pub(super) fn interval_of(flag: &str, text: &str) -> Result<Millis, Diagnostic> {
    let fault = |reason: String| {
        Diagnostic::error(format!("{flag} {text}: {reason}"))
            .help("give a duration above 0 such as 30s or 1m")
    };
    match Duration::parse(text) {
        Ok(Duration(millis)) if millis > 0 => Ok(millis),
        Ok(_) => Err(fault("the interval must be above 0".to_owned())),
        Err(error) => Err(fault(error.to_string())),
    }
}

/// Recorded series, over which rules are replayed as a server would evaluate them.
pub(super) fn recorded_world(
    data: &[PathBuf],
    interval: Millis,
    schedule: Schedule,
    features: Features,
    max_samples: usize,
) -> Result<World, Vec<Diagnostic>> {
    let store = self::data(data, &features)?;
    let Some((start, end)) = extent(&store) else {
        let fault = Diagnostic::error("the data holds no sample");
        let help = "record some: `rulecheck replay --needs` names the selectors";
        return Err(vec![fault.help(help)]);
    };
    let mut spec = ReplaySpec::new(&[], store, start, end, interval);
    spec.schedule = schedule;
    spec.on_error = OnRuleError::Continue;
    spec.features = features;
    spec.max_samples = max_samples;
    let names: Vec<String> = data.iter().map(|path| io::display(path)).collect();
    Ok(World::recorded(names.join(", "), spec))
}

/// The times of the first and the last sample.
pub(super) fn extent(store: &Store) -> Option<(Timestamp, Timestamp)> {
    let filled = || {
        store
            .iter()
            .filter(|series| !series.points.is_empty())
            .map(|series| &series.points)
    };
    let start = filled().map(|points| points.time(0)).min()?;
    let end = filled().map(|points| points.time(points.len() - 1)).max()?;
    Some((start, end))
}

/// A replay that can't be done.
pub(super) fn too_long(error: &ReplayError) -> Vec<Diagnostic> {
    let fault = Diagnostic::error(error.to_string());
    vec![fault.help("use a longer interval or a shorter recording")]
}

/// Names each rule that failed, with how often, when first and why.
pub(super) fn complain_of_errors(replay: &Replay<'_>, groups: &[&RuleGroup]) -> Outcome {
    complain_of(&replay.errors, groups)
}

/// The same of errors alone.
pub(super) fn complain_of(errors: &[RuleError], groups: &[&RuleGroup]) -> Outcome {
    let errors = rule_errors(errors, groups);
    errors.iter().for_each(complain);
    match errors.is_empty() {
        true => Outcome::Success,
        false => Outcome::Failure,
    }
}

/// Each rule that failed, with how often, when first and why.
pub(super) fn rule_errors(errors: &[RuleError], groups: &[&RuleGroup]) -> Vec<Diagnostic> {
    let mut first_errors = std::collections::BTreeMap::new();
    for error in errors {
        first_errors.entry(error.rule).or_insert((error, 0usize)).1 += 1;
    }
    let errors = first_errors.iter().map(|(id, (error, count))| {
        let group = groups[id.group];
        let rule = &group.rules[id.rule];
        let at = timeline::moment(error.at);
        let times = crate::report::count(*count, "evaluation");
        let message = format!(
            "rule {} failed at {times}, first at {at}: {}",
            rule.name, error.message
        );
        let fault = Diagnostic::error(message).at(&group.source, error.place(rule));
        fault.help(format!(
            "{}; while a rule fails its alerts keep their state",
            remedy(&error.message).unwrap_or("correct the expression")
        ))
    });
    errors.collect()
}
