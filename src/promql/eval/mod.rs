//! Evaluation over columns of ticks.
//!
//! A replay asks for all its ticks at once and gets a [`Columns`]: labels once a series, and a column with a
//! sample or nothing for every tick. The meaning stays that of one instant query a tick: `@ start()` and
//! `@ end()` are the tick, and nothing that is not visible at a tick's moment is seen (see [`View`]).

mod view;

pub use view::{Horizon, Reader, View};

use super::column::{Columns, Ticks};
use super::query::Query;

/// What a query evaluated to at every tick.
#[derive(Debug, Clone)]
pub enum Evaluated {
    /// A vector: series with columns, in the order of labels unless the query sorts.
    Vector(Columns),
    /// A scalar: one series without labels that is present everywhere but at ticks with errors.
    Scalar(Columns),
    /// A text.
    String(String),
}

/// Evaluates a query at every tick, as an instant query each.
///
/// `ticks` are evaluation times: moments less the group's `query_offset`, which `view` knows.
pub fn evaluate(query: &Query, view: &View<'_>, ticks: Ticks) -> Evaluated {
    let _ = (query, view);
    Evaluated::Vector(Columns::new(ticks))
}
