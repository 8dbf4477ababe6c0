//! Hyperbolic functions as Go's `math` package computes them, to the last bit.

use super::logarithm::{ln, ln_1p};
use super::power::exp;

/// Beyond it, `e^-x` no longer matters beside `e^x`.
const LARGE: f64 = 21.0;

/// Beyond it, 1 no longer matters beside the square of a number.
const HUGE: f64 = (1 << 28) as f64;

/// The hyperbolic sine.
pub fn sinh(value: f64) -> f64 {
    let size = value.abs();
    let result = if size > LARGE {
        exp(size) * 0.5
    } else if size > 0.5 {
        let power = exp(size);
        (power - 1.0 / power) * 0.5
    } else {
        let square = size * size;
        let over = (((SINH_OVER[0] * square + SINH_OVER[1]) * square + SINH_OVER[2]) * square
            + SINH_OVER[3])
            * size;
        over / (((square + SINH_UNDER[0]) * square + SINH_UNDER[1]) * square + SINH_UNDER[2])
    };
    f64::copysign(result, value)
}

/// The hyperbolic cosine.
pub fn cosh(value: f64) -> f64 {
    let size = value.abs();
    let power = exp(size);
    match size > LARGE {
        true => power * 0.5,
        false => (power + 1.0 / power) * 0.5,
    }
}

/// The hyperbolic tangent.
pub fn tanh(value: f64) -> f64 {
    /// log(2^127)
    #[expect(clippy::excessive_precision, reason = "the digits of the source")]
    const LIMIT: f64 = 8.802_969_193_111_305_429_598_8e+01;
    let size = value.abs();
    if size > 0.5 * LIMIT {
        f64::copysign(1.0, value)
    } else if size >= 0.625 {
        let power = exp(2.0 * size);
        f64::copysign(1.0 - 2.0 / (power + 1.0), value)
    } else if value == 0.0 {
        value
    } else {
        let square = value * value;
        let over = (TANH_OVER[0] * square + TANH_OVER[1]) * square + TANH_OVER[2];
        let under = ((square + TANH_UNDER[0]) * square + TANH_UNDER[1]) * square + TANH_UNDER[2];
        value + value * square * over / under
    }
}

/// The inverse hyperbolic sine.
pub fn asinh(value: f64) -> f64 {
    if !value.is_finite() {
        return value;
    }
    let size = value.abs();
    let result = if size > HUGE {
        ln(size) + std::f64::consts::LN_2
    } else if size > 2.0 {
        ln(2.0 * size + 1.0 / ((size * size + 1.0).sqrt() + size))
    } else if size < 1.0 / HUGE {
        size
    } else {
        ln_1p(size + size * size / (1.0 + (1.0 + size * size).sqrt()))
    };
    f64::copysign(result, value)
}

/// The inverse hyperbolic cosine; NaN below 1.
pub fn acosh(value: f64) -> f64 {
    if value.is_nan() || value < 1.0 {
        f64::NAN
    } else if value == 1.0 {
        0.0
    } else if value >= HUGE {
        ln(value) + std::f64::consts::LN_2
    } else if value > 2.0 {
        ln(2.0 * value - 1.0 / (value + (value * value - 1.0).sqrt()))
    } else {
        let above = value - 1.0;
        ln_1p(above + (2.0 * above + above * above).sqrt())
    }
}

/// The inverse hyperbolic tangent; NaN beyond 1 and -1.
pub fn atanh(value: f64) -> f64 {
    let size = value.abs();
    let result = if size.is_nan() || size > 1.0 {
        return f64::NAN;
    } else if size == 1.0 {
        f64::INFINITY
    } else if size < 1.0 / HUGE {
        size
    } else if size < 0.5 {
        let twice = size + size;
        0.5 * ln_1p(twice + twice * size / (1.0 - size))
    } else {
        0.5 * ln_1p((size + size) / (1.0 - size))
    };
    f64::copysign(result, value)
}

#[expect(clippy::excessive_precision, reason = "the digits of the source")]
const SINH_OVER: [f64; 4] = [
    -0.263_056_321_339_749_706_281_948_9e+2,
    -0.289_421_135_598_956_380_728_466_036_6e+4,
    -0.899_127_202_203_950_935_539_801_351_1e+5,
    -0.630_767_364_049_771_699_118_478_722_9e+6,
];
#[expect(clippy::excessive_precision, reason = "the digits of the source")]
const SINH_UNDER: [f64; 3] = [
    -0.173_678_953_558_233_699_533_450_911e+3,
    0.152_151_737_879_001_907_069_648_517_6e+5,
    -0.630_767_364_049_771_699_121_207_727_7e+6,
];

#[expect(clippy::excessive_precision, reason = "the digits of the source")]
const TANH_OVER: [f64; 3] = [
    -9.643_991_794_250_522_386_28e-1,
    -9.928_772_310_019_185_865_64e1,
    -1.614_687_684_417_084_479_52e3,
];
#[expect(clippy::excessive_precision, reason = "the digits of the source")]
const TANH_UNDER: [f64; 3] = [
    1.128_116_784_916_329_314_02e2,
    2.235_488_390_601_004_485_83e3,
    4.844_063_053_251_254_860_48e3,
];
