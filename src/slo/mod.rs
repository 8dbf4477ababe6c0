//! Service level objectives: how good a service shall be, how much of its error budget is spent, and how fast.
//!
//! [`read`] tells formats apart by their content. Every format is turned into [`objective::Slo`]: [`own`] is rulecheck's;
//! those of other tools have folders of their own, which read a specification as strictly as the tool does and make the
//! rules that it would make ([`generated`]). [`lint`] holds what is legal and hardly meant. [`budget`] counts events over
//! series and answers what is left; [`detect`] lets outages happen and looks when alerts tell of them, beside the formulas
//! of [`workbook`].

pub mod budget;

pub mod counters;

pub mod detect;

pub mod multiwindow;

pub mod objective;

pub mod openslo;

pub mod own;

pub mod shares;

pub mod target;

pub mod window;

pub mod workbook;

pub mod generated;

pub mod lint;

pub mod pyrra;

pub mod read;

pub mod sloth;

mod keys;
