//! All that failed in a run over many files, once more at its end: the details stand further up, among the files that passed.

use super::glance::{Ask, command};
use super::{Paint, Printer, head};
use crate::report::{FileReport, Totals};

/// Over so many files at most a run has no recapitulation: what failed is in sight.
const MANY: usize = 10;

/// No more failures than this are listed.
const MAX_LISTED: usize = 20;

/// What failed in a file.
#[derive(Debug, Default)]
pub struct Failed {
    /// The first line of each failure.
    heads: Vec<String>,
    /// How many failures there are.
    count: usize,
    /// The command that explains the first of them that can be explained.
    command: Option<String>,
}

impl Failed {
    /// What failed in a file; `ask` is how to ask further.
    pub fn of(file: &FileReport, ask: &Ask) -> Failed {
        let Ok(verdict) = &file.verdict else {
            return Failed {
                heads: vec![format!("{}: can't be run", file.path)],
                count: 1,
                command: None,
            };
        };
        let failures = || {
            let tests = verdict.tests.iter();
            tests.flat_map(|test| test.failures.iter().map(move |failure| (test, failure)))
        };
        let tests = verdict.tests.len();
        let ask = (ask, file.path.as_str(), tests);
        let mut commands = failures().filter_map(|(test, failure)| command(failure, test, ask));
        Failed {
            heads: failures()
                .take(MAX_LISTED)
                .map(|(_, failure)| head(failure))
                .collect(),
            count: failures().count(),
            command: commands.next(),
        }
    }

    /// Takes what failed in the next file.
    pub fn merge(&mut self, next: Failed) {
        let room = MAX_LISTED.saturating_sub(self.heads.len());
        self.heads.extend(next.heads.into_iter().take(room));
        self.count += next.count;
        self.command = self.command.take().or(next.command);
    }
}

/// What failed in a run, where it was over many files and something did.
pub fn recap(failed: &Failed, totals: &Totals, coloured: bool) -> String {
    let mut printer = Printer::new(coloured);
    if totals.files <= MANY || failed.count == 0 {
        return String::new();
    }
    printer.line("");
    let head = printer.paint(Paint::Bad, "failed:");
    printer.line(&head);
    for head in &failed.heads {
        printer.line(&format!("  {head}"));
    }
    if let Some(more @ 1..) = failed.count.checked_sub(failed.heads.len()) {
        printer.line(&format!("  and {more} more"));
    }
    if let Some(command) = &failed.command {
        printer.line(&format!("to see why: {command}"));
    }
    printer.out
}
