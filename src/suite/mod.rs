//! Test files, expectations and verdicts.

pub mod file;

mod read;
