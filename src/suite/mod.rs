//! Test files, and what comes of them.

pub mod file;

pub mod accept;

mod again;

mod assertion;

mod check;

pub mod coverage;

pub mod expect;

pub mod export;

mod fixture;

mod generate;

mod history;

mod include;

mod input;

mod lay_out;

mod matrix;

mod read;

mod reads;

mod order;

pub mod recorded;

mod run;

mod said;

mod schedules;

pub mod schema;

mod shared;

mod slos;

mod stage;

pub mod script;

mod together;

mod vacuous;

mod verdict;

mod vmalert;

mod warmup;

mod why;

pub use again::{Again, Failing};
pub use assertion::{Assertion, AssertionKind};
pub use run::{RunOptions, Suite, faults, run};
pub use stage::Stage;
pub use vacuous::{Silence, Silences};
pub use verdict::{
    AlertLine, Cause, FileVerdict, Mismatch, SampleLine, Strip, StripRow, TestVerdict, Why,
};
pub use why::{TestRun, replay_test};
