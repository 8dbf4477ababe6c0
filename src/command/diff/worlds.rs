//! What both sides of a change are replayed over.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Options;
use super::sides::{Known, Sides};
use crate::command::complain;
use crate::command::load::{self, Shelf, each};
use crate::io;
use crate::replay::Schedule;
use crate::rules::{ReadOptions, RuleFile};
use crate::suite::{RunOptions, Stage, Suite};
use crate::text::Diagnostic;
use crate::whatif::World;

/// What both sides are replayed over.
pub(super) struct Ground {
    /// The world of the rules before the change.
    pub before: World,
    /// That of the rules after it, where it is another, as the rules lie in other files.
    pub after: Option<World>,
}

/// Reads recorded series, or tests. Rule files that tests name and that are on neither side join both.
pub(super) fn read(
    options: &Options,
    reading: &ReadOptions,
    sides: &mut Sides,
) -> Result<Vec<Ground>, Vec<Diagnostic>> {
    if let (true, Some(flag)) = (
        options.data.is_empty(),
        options.clock.phases.words().first(),
    ) {
        let fault = Diagnostic::error(format!("{flag} means nothing without --data"));
        let help = "give --data, over which the rules are replayed; tests are evaluated at the times they say themselves";
        return Err(vec![fault.help(help)]);
    }
    if !options.tests.is_empty() {
        return of_tests(options, reading, sides);
    }
    let (interval, schedule, phases) = options.clock.of_recordings()?;
    if options.data.is_empty() {
        return Ok(Vec::new());
    }
    sides.set_phases(&phases, interval)?;
    let before = load::recorded_world(
        &options.data,
        interval,
        schedule,
        reading.features,
        options.limits.max_samples,
    )?;
    Ok(vec![Ground {
        before,
        after: None,
    }])
}

fn of_tests(
    options: &Options,
    reading: &ReadOptions,
    sides: &mut Sides,
) -> Result<Vec<Ground>, Vec<Diagnostic>> {
    let running = RunOptions {
        features: reading.features,
        schedule: options.clock.schedule.map(Schedule::from),
        max_samples: options.limits.max_samples,
        ..RunOptions::default()
    };
    let shelf = Shelf::default();
    let mut grounds = Vec::new();
    let files = io::test_files(&options.tests);
    let is_none = files.is_empty();
    let suites = each(files, |path| {
        Ok((path.clone(), load::suite(&path, reading, false, &shelf)?))
    })?;
    for (path, suite) in suites {
        let Some((before, after)) = of_suite(&suite, sides) else {
            let message = format!("{} names no rule file that is compared", io::display(&path));
            let warning = Diagnostic::warning(message);
            complain(&warning.help("its tests are passed over"));
            continue;
        };
        let stages = Stage::of(&suite.file, &running)?;
        for (number, stage) in stages.into_iter().enumerate() {
            let name = stage.test().and_then(|test| test.name.as_ref());
            let name = name.map_or_else(|| format!("test {}", number + 1), |it| it.value.clone());
            let name = format!("{}: {name}", io::display(&path));
            grounds.push(Ground {
                before: World::of_test(name.clone(), stage.clone(), before.clone()),
                after: Some(World::of_test(name, stage, after.clone())),
            });
        }
    }
    match grounds.is_empty() {
        false => Ok(grounds),
        true => {
            let fault = Diagnostic::error("there is nothing to replay over in what --tests names");
            Err(vec![fault.help(match is_none {
                true => "name test files: YAML files with a top-level `tests:`",
                false => "name test files whose `rule_files` are those that are compared",
            })])
        }
    }
}

/// The places of a suite's rule files among those of each side; `None` where it names none of what is compared.
fn of_suite(suite: &Suite, sides: &mut Sides) -> Option<(Vec<usize>, Vec<usize>)> {
    let identity = |file: &RuleFile| io::identity(Path::new(file.source.name()));
    let named: BTreeSet<PathBuf> = suite.rule_files.iter().map(identity).collect();
    let own = || {
        let all = sides.files.before.iter().chain(&sides.files.after);
        all.filter(|known| !known.is_common)
    };
    // A test that names neither of two files that are compared names what they are copies of.
    let is_one_file = own().all(|known| known.key == Path::new(""));
    let is_copy = is_one_file && !own().any(|known| named.contains(&known.place));
    let is_meant = |known: &&Known| is_copy || named.contains(&known.place);
    let keys: BTreeSet<PathBuf> = own().filter(is_meant).map(|it| it.key.clone()).collect();
    if keys.is_empty() {
        return None;
    }
    let all = sides.files.before.iter().chain(&sides.files.after);
    let known: BTreeSet<PathBuf> = all.map(|known| known.place.clone()).collect();
    let rest = suite.rule_files.iter();
    let rest = rest.filter(|file| !is_copy && !known.contains(&identity(file)));
    for file in rest {
        for (files, rules) in [
            (&mut sides.files.before, &mut sides.rules.before),
            (&mut sides.files.after, &mut sides.rules.after),
        ] {
            files.push(Known::common(file));
            rules.files.push(file.clone());
        }
    }
    let places = |files: &[Known]| {
        let files = files.iter().enumerate();
        let files = files.filter(|(_, known)| match known.is_common {
            true => is_copy || named.contains(&known.place),
            false => keys.contains(&known.key),
        });
        files.map(|(place, _)| place).collect()
    };
    Some((places(&sides.files.before), places(&sides.files.after)))
}
