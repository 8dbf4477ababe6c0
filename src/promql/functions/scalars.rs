//! Functions that give one number a tick.

use super::{Argument, Arguments, Body, Function};
use crate::promql::ast::ValueType::{self, Scalar, Vector};
use crate::promql::column::{Column, Sample};

/// Every such function.
pub(super) static ROWS: &[Function] = &[
    row("time", &[], time, "The evaluation time in unix seconds."),
    row(
        "pi",
        &[],
        |arguments| Column::constant(arguments.ticks.count, std::f64::consts::PI),
        "π.",
    ),
    row(
        "scalar",
        &[Vector],
        scalar,
        "The sample of a vector of one float; NaN for any other vector.",
    ),
    row(
        "start",
        &[],
        time,
        "Start of the query in unix seconds; for a rule the evaluation time.",
    )
    .experimental(),
    row(
        "end",
        &[],
        time,
        "End of the query in unix seconds; for a rule the evaluation time.",
    )
    .experimental(),
    row(
        "range",
        &[],
        zero,
        "Length of the query in seconds; 0 for a rule.",
    )
    .experimental(),
    row(
        "step",
        &[],
        zero,
        "Step of the query in seconds; 0 for a rule.",
    )
    .experimental(),
    row(
        "max_of",
        &[Scalar, Scalar],
        |arguments| of_two(arguments, |a, b| a.max(b)),
        "The greater of two numbers; NaN if one is.",
    )
    .experimental(),
    row(
        "min_of",
        &[Scalar, Scalar],
        |arguments| of_two(arguments, |a, b| a.min(b)),
        "The lesser of two numbers; NaN if one is.",
    )
    .experimental(),
];

const fn row(
    name: &'static str,
    params: &'static [ValueType],
    body: fn(&Arguments<'_>) -> Column,
    doc: &'static str,
) -> Function {
    Function::new(name, Body::Scalar { params, body }, doc)
}

fn time(arguments: &Arguments<'_>) -> Column {
    let mut column = Column::absent(arguments.ticks.count);
    for (tick, time) in arguments.ticks.iter().enumerate() {
        column.set(tick, time as f64 / 1000.0);
    }
    column
}

fn zero(arguments: &Arguments<'_>) -> Column {
    Column::constant(arguments.ticks.count, 0.0)
}

fn scalar(arguments: &Arguments<'_>) -> Column {
    let count = arguments.ticks.count;
    let mut found = vec![0u8; count];
    let mut column = Column::constant(count, f64::NAN);
    let Some(Argument::Vector(series)) = arguments.values.first() else {
        return column;
    };
    for series in series {
        for tick in series.column.present_ticks() {
            if let Some(Sample::Float(value)) = series.column.get(tick) {
                column.set(tick, if found[tick] == 0 { value } else { f64::NAN });
                found[tick] = 1;
            }
        }
    }
    column
}

/// Go's `math.Max` and `math.Min`, in which NaN wins.
fn of_two(arguments: &Arguments<'_>, pick: fn(f64, f64) -> f64) -> Column {
    let mut column = Column::absent(arguments.ticks.count);
    for tick in 0..arguments.ticks.count {
        let (a, b) = (arguments.scalar(0, tick), arguments.scalar(1, tick));
        column.set(
            tick,
            if a.is_nan() || b.is_nan() {
                f64::NAN
            } else {
                pick(a, b)
            },
        );
    }
    column
}
