//! The rules whose knobs move, and what they are replayed over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Options;
use crate::command::load::{self, Shelf, each};
use crate::command::schedule::ScheduleName;
use crate::io;
use crate::replay::Schedule;
use crate::rules::{ReadOptions, RuleFile};
use crate::suite::{RunOptions, Stage};
use crate::text::{Diagnostic, distinct};
use crate::whatif::{RuleSet, SpecFiles, World};

/// What a call reads.
pub(super) struct Loaded {
    pub rules: RuleSet,
    pub worlds: Vec<World>,
}

/// Reads everything.
pub(super) fn load(options: &Options) -> Result<Loaded, Vec<Diagnostic>> {
    let reading = options.reading.options()?;
    let named = io::rule_files(&options.rules);
    if named.is_empty() && !options.rules.is_empty() {
        let names: Vec<String> = options.rules.iter().map(|path| io::display(path)).collect();
        let fault = Diagnostic::error(format!("no rule file in {}", names.join(", ")));
        return Err(vec![
            fault.help("a rule file is a YAML file with a top-level `groups:`"),
        ]);
    }
    let files = each(named, |path| load::rule_files(&[path], &reading))?;
    let mut files = Files::new(files.into_iter().flatten().collect());
    if !options.tests.is_empty() {
        let worlds = tests(options, &reading, &mut files)?;
        return loaded(options, files.all, reading, worlds);
    }
    let (interval, schedule, phases) = options.clock.of_recordings()?;
    load::set_phases(&phases, &mut files.all, interval)?;
    let mut worlds = Vec::new();
    if !options.data.is_empty() {
        worlds.push(load::recorded_world(
            &options.data,
            interval,
            schedule,
            reading.features,
            options.limits.max_samples,
        )?);
    }
    loaded(options, files.all, reading, worlds)
}

fn loaded(
    options: &Options,
    files: Vec<RuleFile>,
    reading: ReadOptions,
    worlds: Vec<World>,
) -> Result<Loaded, Vec<Diagnostic>> {
    let mut rules = RuleSet {
        files,
        specs: None,
        reading,
    };
    if !options.slo.is_empty() {
        let named = io::spec_files(&options.slo);
        let sources = each(named, |path| io::read(&path).map_err(|fault| vec![fault]))?;
        rules = rules.with_specs(SpecFiles { sources })?;
    }
    Ok(Loaded { rules, worlds })
}

/// Rule files by what they are, not by how they are named.
struct Files {
    all: Vec<RuleFile>,
    places: BTreeMap<PathBuf, usize>,
}

impl Files {
    fn new(given: Vec<RuleFile>) -> Files {
        let (all, places) = (Vec::new(), BTreeMap::new());
        let mut files = Files { all, places };
        for file in given {
            files.place(file);
        }
        files
    }

    /// The place of a file, which is taken over where it is new.
    fn place(&mut self, file: RuleFile) -> usize {
        let path = io::identity(Path::new(file.source.name()));
        let next = self.all.len();
        let place = *self.places.entry(path).or_insert(next);
        if place == next {
            self.all.push(file);
        }
        place
    }
}

/// A world for each test.
fn tests(
    options: &Options,
    reading: &ReadOptions,
    files: &mut Files,
) -> Result<Vec<World>, Vec<Diagnostic>> {
    let running = RunOptions {
        features: reading.features,
        schedule: options.clock.schedule.map(Schedule::from),
        max_samples: options.limits.max_samples,
        ..RunOptions::default()
    };
    // The schedule of tests is promtool's unless they say another.
    let schedule = options.clock.schedule.unwrap_or(ScheduleName::Promtool);
    let phases = options.clock.phases.read(schedule.into())?;
    let shelf = Shelf::default();
    let mut faults = Vec::new();
    let worlds = each(io::test_files(&options.tests), |path| {
        let mut suite = load::suite(&path, reading, false, &shelf)?;
        let interval = suite.file.evaluation_interval;
        phases.set(&mut suite.rule_files, interval)?;
        let places = suite.rule_files.into_iter().map(|file| files.place(file));
        let places: Vec<usize> = places.collect();
        let stages = Stage::of(&suite.file, &running)?.into_iter();
        let world = |(number, stage): (usize, Stage)| {
            let name = stage.test().and_then(|test| test.name.as_ref());
            let name = name.map_or_else(|| format!("test {}", number + 1), |it| it.value.clone());
            let name = format!("{}: {name}", io::display(&path));
            World::of_test(name, stage, places.clone())
        };
        Ok(stages.enumerate().map(world).collect::<Vec<World>>())
    });
    let worlds = worlds.unwrap_or_else(|found| {
        faults.extend(found);
        Vec::new()
    });
    faults.extend(phases.unknown());
    let worlds: Vec<World> = worlds.into_iter().flatten().collect();
    match (faults.is_empty(), worlds.is_empty()) {
        (false, _) => Err(distinct(faults)),
        (true, true) => {
            let fault = Diagnostic::error("there is no test in what --tests names");
            Err(vec![fault.help(
                "name test files: YAML files with a top-level `tests:`",
            )])
        }
        (true, false) => Ok(worlds),
    }
}
