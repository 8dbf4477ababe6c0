//! Functions of one float sample.

use super::{Body, Function};
use crate::model::{hyperbolic, logarithm, number, power, trigonometry};
use crate::promql::ast::ValueType::{Scalar, Vector};

/// Every such function.
pub(super) static ROWS: &[Function] = &[
    row("abs", f64::abs, "Absolute value of every sample."),
    row("ceil", f64::ceil, "Every sample rounded up to an integer."),
    row(
        "floor",
        f64::floor,
        "Every sample rounded down to an integer.",
    ),
    row("exp", power::exp, "e to the power of every sample."),
    row("sqrt", f64::sqrt, "Square root of every sample."),
    row("ln", logarithm::ln, "Natural logarithm of every sample."),
    row("log2", logarithm::log2, "Binary logarithm of every sample."),
    row(
        "log10",
        logarithm::log10,
        "Decimal logarithm of every sample.",
    ),
    row("sgn", sgn, "-1, 0 or 1 by the sign of every sample."),
    row("sin", trigonometry::sin, "Sine of every sample in radians."),
    row(
        "cos",
        trigonometry::cos,
        "Cosine of every sample in radians.",
    ),
    row(
        "tan",
        trigonometry::tan,
        "Tangent of every sample in radians.",
    ),
    row(
        "asin",
        trigonometry::asin,
        "Arcsine of every sample, in radians.",
    ),
    row(
        "acos",
        trigonometry::acos,
        "Arccosine of every sample, in radians.",
    ),
    row(
        "atan",
        trigonometry::atan,
        "Arctangent of every sample, in radians.",
    ),
    row("sinh", hyperbolic::sinh, "Hyperbolic sine of every sample."),
    row(
        "cosh",
        hyperbolic::cosh,
        "Hyperbolic cosine of every sample.",
    ),
    row(
        "tanh",
        hyperbolic::tanh,
        "Hyperbolic tangent of every sample.",
    ),
    row(
        "asinh",
        hyperbolic::asinh,
        "Inverse hyperbolic sine of every sample.",
    ),
    row(
        "acosh",
        hyperbolic::acosh,
        "Inverse hyperbolic cosine of every sample.",
    ),
    row(
        "atanh",
        hyperbolic::atanh,
        "Inverse hyperbolic tangent of every sample.",
    ),
    row(
        "deg",
        |value| value * 180.0 / std::f64::consts::PI,
        "Every sample from radians to degrees.",
    ),
    row(
        "rad",
        |value| value * std::f64::consts::PI / 180.0,
        "Every sample from degrees to radians.",
    ),
    Function::new(
        "round",
        Body::PointwiseWith {
            params: &[Vector, Scalar],
            variadic: 1,
            body: round,
        },
        "Every sample rounded to the nearest multiple of a number, 1 unless given; halves go up.",
    ),
    Function::new(
        "clamp",
        Body::PointwiseWith {
            params: &[Vector, Scalar, Scalar],
            variadic: 0,
            body: |value, bounds| clamp(value, bounds[0], bounds[1]),
        },
        "Every sample, at least the first bound and at most the second; nothing where they cross.",
    ),
    Function::new(
        "clamp_max",
        Body::PointwiseWith {
            params: &[Vector, Scalar],
            variadic: 0,
            body: |value, bounds| clamp(value, f64::NEG_INFINITY, bounds[0]),
        },
        "Every sample, at most the bound.",
    ),
    Function::new(
        "clamp_min",
        Body::PointwiseWith {
            params: &[Vector, Scalar],
            variadic: 0,
            body: |value, bounds| clamp(value, bounds[0], f64::INFINITY),
        },
        "Every sample, at least the bound.",
    ),
];

const fn row(name: &'static str, body: fn(f64) -> f64, doc: &'static str) -> Function {
    Function::new(name, Body::Pointwise(body), doc)
}

/// The sign; zeros and NaN stay as they are.
fn sgn(value: f64) -> f64 {
    match value {
        value if value < 0.0 => -1.0,
        value if value > 0.0 => 1.0,
        value => value,
    }
}

fn round(value: f64, scalars: &[f64]) -> Option<f64> {
    let inverse = 1.0 / scalars.first().copied().unwrap_or(1.0);
    Some((value * inverse + 0.5).floor() / inverse)
}

/// Nothing where the bounds cross.
fn clamp(value: f64, least: f64, most: f64) -> Option<f64> {
    match most < least {
        true => None,
        false => Some(number::max(least, number::min(most, value))),
    }
}
