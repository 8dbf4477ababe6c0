//! Service level objectives: how good a service shall be, how much of its error budget is spent, and how fast.
//!
//! Every format of objectives is turned into [`objective::Slo`]: [`own`] is rulecheck's. [`budget`] counts events over
//! series and answers what is left.

pub mod budget;

pub mod counters;

pub mod objective;

pub mod own;

pub mod target;

pub mod window;
