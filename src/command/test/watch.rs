//! `--watch`: runs test files again when something that they read changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use super::super::in_order::in_order;
use super::super::load::{self, Inputs};
use super::super::refuse;
use super::tell::ask;
use super::{Ended, Options, Outcome, Plan, judge, no_test_file, of_all, report};
use crate::io;
use crate::io::watch::{Stamp, Watch, Woken};
use crate::report::{FileReport, Totals, count, coverage, text};
use crate::suite::Silences;
use crate::suite::coverage::Coverage;
use crate::text::Diagnostic;

/// No more files that passed are listed after a run of some.
const LISTED: usize = 5;

/// Runs all tests, then those that read what changes, until somebody ends it; that ends with what the last run came to.
pub(super) fn run(plan: &Plan, options: &Options) -> Result<Outcome, Diagnostic> {
    // Who ends it before the first result has none.
    let code = Arc::new(AtomicU8::new(Outcome::Broken as u8));
    io::watch::end_when_asked(Arc::clone(&code))?;
    let mut watch = Watch::start()?;
    let mut session = Session {
        plan,
        options,
        paths: options.paths(),
        kept: BTreeMap::new(),
        run: 0,
    };
    // Folders first: what changes while the tests run is seen.
    watch.follow(session.folders())?;
    let all = session.files();
    let mut outcome = session.run(&all, Shown::All);
    loop {
        code.store(outcome as u8, Ordering::Relaxed);
        watch.follow(session.folders())?;
        match watch.wait() {
            Woken::Ended => return Ok(outcome),
            Woken::Typed(line) if line.trim() == "q" => return Ok(outcome),
            Woken::Typed(_) => {
                let all = session.files();
                io::clear_screen();
                outcome = session.run(&all, Shown::All);
            }
            Woken::Changed(since) => {
                let (files, changed) = session.changed();
                if !files.is_empty() || !changed.is_empty() {
                    outcome = session.run(&files, Shown::Some { since, changed });
                }
            }
        }
    }
}

/// What is known of each test file.
struct Session<'s> {
    plan: &'s Plan,
    options: &'s Options,
    paths: Vec<PathBuf>,
    kept: BTreeMap<PathBuf, Kept>,
    /// The number of the last run.
    run: usize,
}

/// What came of a test file when it ran last.
struct Kept {
    report: FileReport,
    inputs: Inputs,
    /// The number of that run.
    run: usize,
}

/// What a run prints.
enum Shown {
    /// Every file.
    All,
    /// What failed, and what ran because these files changed.
    Some {
        since: Instant,
        changed: BTreeSet<PathBuf>,
    },
}

fn path_of(named: &io::Named) -> &Path {
    match named {
        Ok(path) => path,
        Err((argument, _)) => argument,
    }
}

impl Session<'_> {
    /// The test files that there are now. One that was a test file stays one while it is there: it may be half-saved.
    fn files(&self) -> Vec<io::Named> {
        let mut files = io::test_files(&self.paths);
        let found: BTreeSet<&Path> = files.iter().map(path_of).collect();
        let known = self.kept.keys().filter(|path| io::is_file(path));
        let known: Vec<PathBuf> = known
            .filter(|path| !found.contains(path.as_path()))
            .cloned()
            .collect();
        files.extend(known.into_iter().map(Ok));
        files
    }

    /// The folders in which something may change that matters.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let mut folders: BTreeSet<PathBuf> =
            io::watch::folders_below(&self.paths).into_iter().collect();
        let parent = |path: &Path| path.parent().unwrap_or(Path::new("")).to_owned();
        for argument in &self.paths {
            folders.insert(parent(argument));
            folders.extend(io::glob_folders(Path::new(""), &io::display(argument)));
        }
        for kept in self.kept.values() {
            folders.extend(kept.inputs.files.keys().map(|path| parent(path)));
            // What a link points to may be saved where it is.
            let links = kept.inputs.files.keys().filter(|path| path.is_symlink());
            folders.extend(links.map(|path| parent(&io::identity(path))));
            folders.extend(kept.inputs.patterns.iter().flat_map(load::Pattern::folders));
        }
        folders
    }

    /// The test files that must run again, and what changed; forgets test files that are gone.
    fn changed(&mut self) -> (Vec<io::Named>, BTreeSet<PathBuf>) {
        let files = self.files();
        let there: BTreeSet<PathBuf> = files.iter().map(|it| path_of(it).to_owned()).collect();
        let mut now: BTreeMap<PathBuf, Stamp> = BTreeMap::new();
        let mut changed = BTreeSet::new();
        self.kept.retain(|path, _| {
            let stays = there.contains(path);
            if !stays {
                changed.insert(path.clone());
            }
            stays
        });
        let mut again = Vec::new();
        for named in files {
            let path = path_of(&named);
            let must_run = match self.kept.get(path) {
                None => {
                    changed.insert(path.to_owned());
                    true
                }
                Some(kept) => {
                    let before = changed.len();
                    for (input, &stamp) in &kept.inputs.files {
                        let now = now
                            .entry(input.clone())
                            .or_insert_with(|| stamp.renewed(input));
                        if !stamp.is_same(*now) {
                            changed.insert(input.clone());
                        }
                    }
                    let reads = |path: &PathBuf| kept.inputs.files.contains_key(path);
                    changed.len() > before
                        || changed.iter().any(reads)
                        || !kept.inputs.patterns.iter().all(load::Pattern::is_same)
                }
            };
            if must_run {
                again.push(named);
            }
        }
        for path in &changed {
            self.plan.shelf.forget(path);
        }
        (again, changed)
    }

    /// Runs test files, and prints what came of them and of all others.
    fn run(&mut self, files: &[io::Named], shown: Shown) -> Outcome {
        self.run += 1;
        let run = self.run;
        let mut told = Vec::with_capacity(files.len());
        let work = |named: &io::Named| {
            let report = report(named, self.plan);
            let path = path_of(named).to_owned();
            let inputs = self.plan.shelf.inputs_of(&path);
            (
                path,
                Kept {
                    report,
                    inputs,
                    run,
                },
            )
        };
        in_order(files, self.options.jobs, work, |kept| told.push(kept));
        self.kept.extend(told);
        self.show(files, shown)
    }

    fn show(&self, files: &[io::Named], shown: Shown) -> Outcome {
        let coloured = io::wants_colour();
        let (mut totals, mut coverage, mut silences) = Default::default();
        self.sum(&mut totals, &mut coverage, &mut silences);
        let (of_all, reached) = of_all(coverage, silences, self.plan, self.options);
        totals.warnings += of_all.len();
        let mut top = self.files_shown(files, &shown, coloured);
        for told in &of_all {
            top.push_str(&told.render(coloured));
        }
        let mut bottom = text::summary(&totals, None, false, coloured);
        bottom.push_str(&reached.as_ref().map_or_else(String::new, coverage::text));
        bottom.push_str(&self.status(files.len(), &shown));
        match shown {
            Shown::All => io::print(&format!("{top}{bottom}")),
            Shown::Some { .. } => {
                let top = match io::clear_screen() {
                    Some(size) => fitting(&top, &bottom, size),
                    None => format!("\n{top}"),
                };
                io::print(&format!("{top}{bottom}"));
            }
        }
        if self.kept.is_empty() {
            return refuse(&[no_test_file(&self.paths)]);
        }
        judge(&Ended { totals, reached }, self.plan, self.options)
            .unwrap_or_else(|faults| refuse(&faults))
    }

    fn sum(&self, totals: &mut Totals, coverage: &mut Coverage, silences: &mut Silences) {
        for kept in self.kept.values() {
            *totals = totals.and(Totals::of(&kept.report));
            if let Ok(verdict) = &kept.report.verdict {
                coverage.merge(verdict.coverage.clone().unwrap_or_default());
                silences.merge(verdict.silences.clone());
            }
        }
    }

    /// The text of files: those that fail first, of them that which ran last; of the others those that just ran.
    fn files_shown(&self, files: &[io::Named], shown: &Shown, coloured: bool) -> String {
        let is_some = matches!(shown, Shown::Some { .. });
        let mut order: Vec<&Kept> = match is_some {
            false => files
                .iter()
                .filter_map(|it| self.kept.get(path_of(it)))
                .collect(),
            true => self.kept.values().collect(),
        };
        if is_some {
            order.retain(|kept| !kept.report.is_passed() || kept.run == self.run);
            order.sort_by_key(|kept| (kept.report.is_passed(), std::cmp::Reverse(kept.run)));
        }
        let failed = order.iter().filter(|kept| !kept.report.is_passed()).count();
        let most = if is_some {
            failed + LISTED
        } else {
            order.len()
        };
        let ask = ask(self.options);
        let mut out = String::new();
        let mut drawn = text::Drawn::default();
        let mut after_details = false;
        for kept in order.iter().take(most) {
            if after_details {
                out.push('\n');
            }
            out.push_str(&drawn.next(text::file(&kept.report, ask.as_ref(), coloured)));
            after_details = text::has_details(&kept.report);
        }
        if order.len() > most {
            out.push_str(&format!("ok    {} more\n", order.len() - most));
        }
        out
    }

    /// What ran and why, and what one can do.
    fn status(&self, ran: usize, shown: &Shown) -> String {
        let mut out = String::new();
        if let Shown::Some { since, changed } = shown {
            let took = since.elapsed().as_secs_f64() * 1000.0;
            let mut names = changed.iter().map(|path| io::display(path));
            let name = names
                .next()
                .unwrap_or_else(|| "other files match".to_owned());
            let more = match names.count() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let ran = format!("{ran} of {}", count(self.kept.len(), "file"));
            out.push_str(&format!(
                "changed: {name}{more}; ran {ran}, {took:.0} ms after\n"
            ));
        }
        let mut inputs: BTreeSet<&PathBuf> = BTreeSet::new();
        inputs.extend(self.kept.values().flat_map(|kept| kept.inputs.files.keys()));
        let keys = match io::is_typed_at() {
            true => "; Enter runs all, q and Enter ends",
            false => "",
        };
        out.push_str(&format!("watching {}{keys}\n", count(inputs.len(), "file")));
        out
    }
}

/// As many lines of a text as there is space for above another on the screen.
fn fitting(top: &str, bottom: &str, (width, height): (usize, usize)) -> String {
    let lines_of = |line: &str| {
        let seen = anstream::adapter::strip_str(line).to_string();
        seen.chars().count().div_ceil(width.max(1)).max(1)
    };
    // One for the cursor, one to say how much is left out.
    let taken: usize = bottom.lines().map(lines_of).sum::<usize>() + 2;
    let mut space = height.saturating_sub(taken).max(3);
    let mut out = String::new();
    for (index, line) in top.lines().enumerate() {
        let needed = lines_of(line);
        if needed > space {
            let left = count(top.lines().count() - index, "line");
            out.push_str(&format!("… {left} more: Enter shows all\n"));
            break;
        }
        space -= needed;
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_last_stays_on_the_screen() {
        let top = "first\n\u{1b}[1mabcdefghij\u{1b}[0m\nlonger than a line\nlast\n";
        assert_eq!(fitting(top, "end\n", (10, 20)), top);
        let cut = "first\n\u{1b}[1mabcdefghij\u{1b}[0m\n… 2 lines more: Enter shows all\n";
        assert_eq!(fitting(top, "end\n", (10, 6)), cut);
    }
}
