//! All that failed in a run over many files, once more at its end: the details stand further up, among the files that passed.

use super::glance::{Ask, command};
use super::{Paint, Printer, head};
use crate::model::Millis;
use crate::report::{FileReport, Totals};
use crate::suite::Cause;

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
    /// The command that explains the plainest of them: one whose test names its moment, and of those the earliest.
    command: Option<Plainest>,
}

/// What tells how plain a failure is, and the command that explains it.
type Plainest = ((bool, Millis), String);

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
        let commands = failures().filter_map(|(test, failure)| {
            let is_unmet = matches!(failure.cause, Cause::Unmet(_));
            let command = command(failure, test, ask)?;
            Some(((is_unmet, failure.eval_time), command))
        });
        Failed {
            heads: failures()
                .take(MAX_LISTED)
                .map(|(_, failure)| head(failure))
                .collect(),
            count: failures().count(),
            command: commands.min_by_key(|(plain, _)| *plain),
        }
    }

    /// Takes what failed in the next file.
    pub fn merge(&mut self, next: Failed) {
        let room = MAX_LISTED.saturating_sub(self.heads.len());
        self.heads.extend(next.heads.into_iter().take(room));
        self.count += next.count;
        let commands = self.command.take().into_iter().chain(next.command);
        self.command = commands.min_by_key(|(plain, _)| *plain);
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
    if let Some((_, command)) = &failed.command {
        printer.line(&format!("to see why: {command}"));
    }
    printer.out
}
