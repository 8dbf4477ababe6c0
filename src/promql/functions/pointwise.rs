//! Functions of one float sample.

use super::{Body, Function};

/// Every such function.
pub(super) static ROWS: &[Function] = &[Function {
    name: "abs",
    doc: "Absolute value of every sample.",
    body: Body::Pointwise(f64::abs),
    experimental: false,
}];
