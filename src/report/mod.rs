//! What a run tells: one [`Report`], one file a format.

pub mod api;

pub mod json;

pub mod listing;

mod remedy;

pub mod scripts;

pub mod text;

pub mod timeline;

pub(crate) use remedy::remedy;

use crate::suite::FileVerdict;
use crate::text::Diagnostic;

/// What came of a run over test files.
#[derive(Debug, Clone)]
pub struct Report {
    /// In the order in which they were named.
    pub files: Vec<FileReport>,
}

/// What came of one test file.
#[derive(Debug, Clone)]
pub struct FileReport {
    /// Its path as it was given.
    pub path: String,
    /// How many expectations were rewritten to what was observed.
    pub accepted: usize,
    /// What came of its tests, or why it could not be run.
    pub verdict: Result<FileVerdict, Vec<Diagnostic>>,
}

/// `1 test`, `2 tests`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
