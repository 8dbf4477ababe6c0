//! Functions that give one number a tick.

use crate::model::number;

use super::{Argument, Arguments, Body, Function, QuerySpan};
use crate::promql::ast::ValueType::{self, Scalar, Vector};
use crate::promql::column::{Column, Sample};

/// Every such function.
pub(super) static ROWS: &[Function] = &[
    row("time", &[], time, "The evaluation time in unix seconds.").of_its_time(),
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
        |arguments| of_query(arguments, |span| span.start as f64 / 1000.0),
        "Start of the query in unix seconds; for a rule the evaluation time.",
    )
    .of_its_query()
    .experimental(),
    row(
        "end",
        &[],
        |arguments| of_query(arguments, |span| span.end as f64 / 1000.0),
        "End of the query in unix seconds; for a rule the evaluation time.",
    )
    .of_its_query()
    .experimental(),
    row(
        "range",
        &[],
        |arguments| {
            of_query(arguments, |span| {
                span.end.saturating_sub(span.start) as f64 / 1000.0
            })
        },
        "Length of the query in seconds; 0 for a rule.",
    )
    .of_its_query()
    .experimental(),
    row(
        "step",
        &[],
        |arguments| of_query(arguments, step),
        "Step of the query in seconds; 0 for a rule.",
    )
    .of_its_query()
    .experimental(),
    row(
        "max_of",
        &[Scalar, Scalar],
        |arguments| of_two(arguments, number::max),
        "The greater of two numbers; NaN if one is.",
    )
    .experimental(),
    row(
        "min_of",
        &[Scalar, Scalar],
        |arguments| of_two(arguments, number::min),
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

/// A number that depends on the query alone.
fn of_query(arguments: &Arguments<'_>, body: fn(QuerySpan) -> f64) -> Column {
    let mut column = Column::absent(arguments.ticks.count);
    for (tick, time) in arguments.ticks.iter().enumerate() {
        let span = arguments.query.unwrap_or(QuerySpan::instant(time));
        column.set(tick, body(span));
    }
    column
}

/// A range query of a single step has none, as in Prometheus.
fn step(span: QuerySpan) -> f64 {
    match span.start == span.end {
        true => 0.0,
        false => span.step as f64 / 1000.0,
    }
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

fn of_two(arguments: &Arguments<'_>, pick: fn(f64, f64) -> f64) -> Column {
    let mut column = Column::absent(arguments.ticks.count);
    for tick in 0..arguments.ticks.count {
        let (a, b) = (arguments.scalar(0, tick), arguments.scalar(1, tick));
        column.set(tick, pick(a, b));
    }
    column
}
