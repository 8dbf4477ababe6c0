//! The operators: a row each, a file for each kind.

mod aggregator;
mod arithmetic;
mod comparison;
mod delete;
mod grouping;
mod label;
mod matcher;
mod number;
mod set_operator;
mod threshold;
mod wait;
mod window;

use super::Operator;

/// All operators, those that change more before those that change less.
pub(super) static OPERATORS: [Operator; 13] = [
    delete::ROW,
    threshold::ROW,
    number::ROW,
    wait::FOR,
    wait::KEEP_FIRING_FOR,
    comparison::ROW,
    set_operator::ROW,
    matcher::ROW,
    window::ROW,
    aggregator::ROW,
    grouping::ROW,
    label::ROW,
    arithmetic::ROW,
];
