//! What a run tells, one file a format.

pub mod api;
pub mod budget;

mod case;

pub mod coverage;

pub mod detect;

pub mod difference;

mod format;

pub mod github;

pub mod graph;

pub mod json;

pub mod junit;

pub mod listing;

mod markdown;

pub mod mutate;

pub mod page;

mod remedy;

pub mod scaffold;

pub mod scripts;

pub mod tap;

pub mod sweep;

pub mod text;

pub mod timeline;

mod unmet;

pub mod whatif;

pub mod why;

pub mod workbook;

pub(crate) use remedy::remedy;

pub use format::Format;

use crate::suite::{FileVerdict, TestVerdict};
use crate::text::Diagnostic;

/// What came of one test file.
#[derive(Debug, Clone)]
pub struct FileReport {
    /// Its path as it was given.
    pub path: String,
    /// What was rewritten to what was observed.
    pub accepted: Accepted,
    /// What came of its tests, or why it could not be run.
    pub verdict: Result<FileVerdict, Vec<Diagnostic>>,
}

impl FileReport {
    /// Whether it could be run and every expectation was met.
    pub fn is_passed(&self) -> bool {
        self.verdict.as_ref().is_ok_and(FileVerdict::passed)
    }
}

/// What was rewritten to what was observed.
#[derive(Debug, Clone, Default)]
pub struct Accepted {
    /// How many expectations.
    pub count: usize,
    /// Whether no file was written, only shown what would be.
    pub is_dry: bool,
    /// The names of the files that changed, with their old and new texts.
    pub changes: Vec<(String, String, String)>,
}

impl Accepted {
    /// The changes as unified diffs, one behind the other.
    pub fn diff(&self) -> String {
        let changes = self.changes.iter();
        let diffs = changes.map(|(name, before, after)| text::diff::unified(name, before, after));
        diffs.collect()
    }
}

/// What came of a run over test files, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Files.
    pub files: usize,
    /// Those that could not be run.
    pub broken: usize,
    /// Tests of those that were run.
    pub tests: usize,
    /// Tests that failed.
    pub failed: usize,
    /// Expectations.
    pub checks: usize,
    /// Warnings.
    pub warnings: usize,
}

/// One of several parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// Which, from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// How many files the other parts have.
    pub left_out: usize,
}

impl Partition {
    /// `part 2 of 4, 12 files left out`.
    pub(crate) fn words(self) -> String {
        let left_out = count(self.left_out, "file");
        format!("part {} of {}, {left_out} left out", self.number, self.of)
    }
}

impl Totals {
    /// What came of one file.
    pub fn of(file: &FileReport) -> Totals {
        let nothing = Totals {
            files: 1,
            ..Totals::default()
        };
        let Ok(verdict) = &file.verdict else {
            return Totals {
                broken: 1,
                ..nothing
            };
        };
        let is_failed = |test: &&TestVerdict| !test.failures.is_empty();
        Totals {
            tests: verdict.tests.len(),
            failed: verdict.tests.iter().filter(is_failed).count(),
            checks: verdict.tests.iter().map(|test| test.assertions.len()).sum(),
            warnings: verdict.warnings.len(),
            ..nothing
        }
    }

    /// Both together.
    pub fn and(self, other: Totals) -> Totals {
        Totals {
            files: self.files + other.files,
            broken: self.broken + other.broken,
            tests: self.tests + other.tests,
            failed: self.failed + other.failed,
            checks: self.checks + other.checks,
            warnings: self.warnings + other.warnings,
        }
    }
}

/// `1 test`, `2 tests`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
