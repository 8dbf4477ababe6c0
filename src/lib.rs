//! `rulecheck` tells a person what their Prometheus alerts would have done.
//!
//! It reads rules and series, replays time, and answers: when does each alert fire, and is that what we
//! expected?
//!
//! # The road
//!
//! ```text
//! files ─> Source ─┬─ series ──> Store ───────────┐
//!                  ├─ rules ───> RuleGroup ──┐    │
//!                  └─ promql ──> Query ──────┤    │
//!                                            v    v
//!                                          replay ─> Timeline ──> suite ──> Verdict
//!                                                                    │
//!                                                   report <─────────┘   text | json
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
//! * [`slo`] holds service level objectives in the formats that people write them in, and makes rules of them.
//! * [`suite`] reads test files and turns a replay into verdicts: [`suite::expect`] holds what a test expects of a whole
//!   replay, [`suite::coverage`] what the tests reach of the rules; [`suite::script`] runs the scripts by which Prometheus
//!   tests its engine.
//! * [`scaffold`] writes the first tests of alerts: it looks for series with which each fires, and with which it stays silent.
//! * [`report`] shows results; `io` is the only file that touches the disk, `allocator` the only one that is not safe Rust; [`serve`] answers as Prometheus's HTTP API;
//!   `command` has a file a subcommand.

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

#[cfg(feature = "cli")]
pub mod report;

#[cfg(feature = "cli")]
pub mod io;

#[cfg(feature = "cli")]
pub mod serve;

#[cfg(feature = "cli")]
pub mod command;
