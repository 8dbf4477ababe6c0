//! Service level objectives: how good a service shall be, how much of its error budget is spent, and how fast.
//!
//! Every format of objectives is turned into [`objective::Slo`].

pub mod objective;

pub mod target;

pub mod window;
