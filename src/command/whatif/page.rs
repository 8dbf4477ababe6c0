//! `rulecheck whatif --format html`: a page to look at, and to move knobs in.

use std::path::PathBuf;

use super::Options;
use super::load::Loaded;
use crate::command::Outcome;
use crate::command::load::{complain_of, too_long};
use crate::io;
use crate::report::page::Page;
use crate::report::sweep::Swept;
use crate::rules::RuleGroup;
use crate::text::Diagnostic;
use crate::whatif::{Change, Edited, Incidents, Live};

/// Whether a page can be made of what is given.
///
/// # Errors
///
/// Why not, and what to do.
pub(super) fn check(options: &Options) -> Result<(), Vec<Diagnostic>> {
    let fault = match (options.tests.is_empty(), options.data.is_empty()) {
        (false, _) => {
            let fault =
                Diagnostic::error("a page shows recorded series, and tests are many worlds");
            fault.help("give --data in place of --tests, or show the tests with --format text, json or markdown")
        }
        (true, true) => no_data(),
        (true, false) if options.write => {
            let fault = Diagnostic::error("a page is only to look at, and --write changes files");
            fault.help("write with another --format")
        }
        (true, false) => return Ok(()),
    };
    Err(vec![fault])
}

fn no_data() -> Diagnostic {
    let fault =
        Diagnostic::error("a page shows one replay over recorded series, and there are none");
    fault.help("give --data with series that were recorded or exported")
}

/// Prints the page of rules, as they were and as they are with some knobs moved, or with what came of a sweep.
pub(super) fn show(
    options: &Options,
    loaded: &Loaded,
    (changes, edited): (&[Change], &Edited),
    incidents: &[Incidents],
    swept: Option<&Swept<'_>>,
) -> Result<Outcome, Vec<Diagnostic>> {
    let ([world], [incidents]) = (loaded.worlds.as_slice(), incidents) else {
        return Err(vec![no_data()]);
    };
    let live = Live::new(world, &loaded.rules, &edited.rules).map_err(|error| too_long(&error))?;
    let names =
        |paths: &[PathBuf]| -> Vec<String> { paths.iter().map(|path| io::display(path)).collect() };
    let rules = [names(&options.rules), names(&options.slo)].concat();
    let page = Page {
        rules: &rules,
        data: &names(&options.data),
        command: &command(options, &names),
        changes,
        live: &live,
        incidents: &incidents.all,
        swept,
    };
    io::print(&page.html());
    let groups = world.groups(&edited.rules);
    let groups: Vec<&RuleGroup> = groups.iter().collect();
    Ok(complain_of(&live.errors, &groups))
}

/// The words by which the same is asked in a terminal, but for what is set.
fn command(options: &Options, names: &dyn Fn(&[PathBuf]) -> Vec<String>) -> Vec<String> {
    let mut words = Vec::new();
    for (option, paths) in [
        ("--rules", &options.rules),
        ("--slo", &options.slo),
        ("--data", &options.data),
        ("--incidents", &options.incidents.iter().cloned().collect()),
    ] {
        if !paths.is_empty() {
            words.push(option.to_owned());
            words.extend(names(paths));
        }
    }
    words.extend(options.clock.words());
    words
}
