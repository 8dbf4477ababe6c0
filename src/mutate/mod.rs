//! Mutation testing of rules: what a rule would be with one thing in it otherwise, and whether any test notices.
//!
//! A [`Mutant`] is an edit of the text of a rule file, which is read again as any file is; one that Prometheus would not load,
//! and one that says the same as before, is none. [`mutants`] makes those of a file, one [`Operator`] after the other,
//! [`judge`] runs the tests that read the file over each, in memory: a mutant that no test fails for survives, and says
//! which test would have noticed.

mod judge;
mod mutant;
mod operator;
mod operators;
mod pieces;
mod remove;
mod site;

pub use judge::{Fate, Judged, Subject, judge};
pub use mutant::{Mutant, mutants};
pub use operator::{Operator, chosen, operators};
