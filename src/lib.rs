//! `rulecheck` tells a person what their Prometheus alerts would have done.
//!
//! It reads rules and series, replays time, and answers: when does each alert fire, and is that what we
//! expected?
//!
//! # The road
//!
//! ```text
//! files ─> Source ─┬─ series ──> Store ────────────────────────┐
//!                  ├─ promql ──> Query ───────────┐            │
//!                  ├─ rules ───> RuleGroup ───────┤            │
//!                  ├─ slo ─────> Slo ─> its rules ┤            │
//!                  │              └─> Budget      v            v
//!                  │                            replay <───────┘
//!                  │                              └─> Timeline ─┐
//!                  └─ suite ───> TestFile ──────────────────────┴─> Verdict
//!
//! report: text | json | junit | tap | github | dot
//! ```
//!
//! # The rooms
//!
//! Modules are declared in reading order, and a room imports only from the rooms above it:
//!
//! * [`text`] is what a person wrote ([`text::Source`], [`text::Span`]) and what we say about it
//!   ([`text::Diagnostic`]).
//! * [`model`] holds the nouns: labels, matchers, histograms, durations, numbers as Go prints them.
//! * [`store`] keeps series in memory and says who may see which sample when.
//! * [`series`] has one importer a file: the promtool series notation, OpenMetrics text, JSON, CSV; and
//!   [`series::generate`] makes series from a description of what they do.
//! * [`promql`] parses, prints and checks queries, evaluates them over columns of ticks and explains what they yield.
//! * [`rules`] reads rule files and the templates in them.
//! * [`replay`] runs groups over time and yields the [`replay::Timeline`].
//! * [`slo`] reads service level objectives in the formats that people write them in, makes rules of them, and counts
//!   what is left of their budgets.
//! * [`suite`] reads test files and turns a replay into verdicts: [`suite::expect`] holds what a test expects of a whole
//!   replay, [`suite::coverage`] what the tests reach of the rules; [`suite::script`] runs the scripts by which Prometheus
//!   tests its engine.
//! * [`scaffold`] writes the first tests of alerts: it looks for series with which each fires, and with which it stays silent.
//! * [`lint`] finds what is legal in rules and hardly meant, one file a lint.
//! * [`whatif`] names every number of rules that can move, moves it, and says what an alert would have done then.
//! * [`mutate`] changes one thing in a rule at a time, and says which changes no test notices.
//! * [`report`] shows what came of it all, one file a format or a command.
//! * `io` alone touches disk, clock and terminal, as `allocator` alone is not safe Rust.
//! * [`serve`] answers as Prometheus's HTTP API.
//! * `command` has a file a subcommand.

#![warn(missing_docs)]

pub mod text;

pub mod model;

pub mod store;

pub mod series;

pub mod promql;

pub mod rules;

pub mod replay;

pub mod slo;

pub mod suite;

pub mod scaffold;

pub mod lint;

pub mod whatif;

pub mod mutate;

#[cfg(feature = "cli")]
pub mod report;

#[cfg(feature = "cli")]
pub mod io;

#[cfg(feature = "cli")]
pub mod serve;

#[cfg(feature = "cli")]
pub mod command;
