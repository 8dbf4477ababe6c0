//! Powers as Go's `math` package computes them on amd64, to the last bit.

use super::logarithm::ln;

/// e to the power of a number.
///
/// Go's assembly for amd64: the argument is reduced by the nearest multiple of ln 2 and by 16, a Taylor series with fused
/// multiplications gives `e^r - 1`, and four squarings undo the 16 (N. Shibata, "Efficient evaluation methods of elementary
/// functions suitable for SIMD computation", 2010).
pub fn exp(value: f64) -> f64 {
    if value.is_nan() || value == f64::INFINITY {
        return value;
    }
    if value > EXP_OVERFLOW {
        return f64::INFINITY;
    }
    let exponent = (std::f64::consts::LOG2_E * value).round_ties_even();
    if exponent < -1100.0 {
        return 0.0;
    }
    let fused = libm::fma;
    let mut rest = fused(-exponent, LN2_UPPER, value);
    rest = fused(-exponent, LN2_LOWER, rest);
    rest *= 0.0625;
    let mut series = TAYLOR[0];
    for coefficient in &TAYLOR[1..] {
        series = fused(series, rest, *coefficient);
    }
    rest *= series;
    for _ in 0..3 {
        rest *= rest + 2.0;
    }
    scale(fused(rest + 2.0, rest, 1.0), exponent as i32)
}

/// A number times two to the power of an exponent, as `exp` needs it: subnormal results are rounded twice.
fn scale(fraction: f64, exponent: i32) -> f64 {
    let power = |biased: i32| f64::from_bits((biased as u64) << 52);
    match exponent + 0x3ff {
        biased if biased >= 0x7ff => f64::INFINITY,
        biased if biased > 0 => fraction * power(biased),
        biased if biased >= -52 => fraction * power(biased + 0x3fe) * power(1),
        _ => 0.0,
    }
}

/// One number to the power of another.
///
/// The whole part of the power by repeated squaring of the fraction, with the exponents added apart; the rest by
/// [`exp`] and [`ln`].
pub fn pow(base: f64, power: f64) -> f64 {
    match special(base, power) {
        Some(result) => result,
        None => by_squaring(base, power),
    }
}

fn special(base: f64, power: f64) -> Option<f64> {
    let is_odd =
        power.abs() < 9_007_199_254_740_992.0 && power % 2.0 != 0.0 && power.fract() == 0.0;
    let result = if power == 0.0 || base == 1.0 {
        1.0
    } else if power == 1.0 {
        base
    } else if base.is_nan() || power.is_nan() {
        f64::NAN
    } else if base == 0.0 {
        let size = if power < 0.0 { f64::INFINITY } else { 0.0 };
        if is_odd {
            f64::copysign(size, base)
        } else {
            size
        }
    } else if power.is_infinite() {
        infinite_power(base, power)
    } else if base == f64::NEG_INFINITY {
        return Some(pow(1.0 / base, -power));
    } else if base == f64::INFINITY {
        if power < 0.0 { 0.0 } else { f64::INFINITY }
    } else if power == 0.5 {
        base.sqrt()
    } else if power == -0.5 {
        1.0 / base.sqrt()
    } else if power.fract() != 0.0 && base < 0.0 {
        f64::NAN
    } else if power.abs() >= 9_223_372_036_854_775_808.0 {
        infinite_power(base, power)
    } else {
        return None;
    };
    Some(result)
}

/// To a power so large that only the size of the base matters.
fn infinite_power(base: f64, power: f64) -> f64 {
    if base == -1.0 {
        1.0
    } else if (base.abs() < 1.0) == (power > 0.0) {
        0.0
    } else {
        f64::INFINITY
    }
}

fn by_squaring(base: f64, power: f64) -> f64 {
    let (mut whole, mut rest) = (power.abs().trunc(), power.abs().fract());
    let (mut fraction, mut exponent) = (1.0, 0i64);
    if rest != 0.0 {
        if rest > 0.5 {
            rest -= 1.0;
            whole += 1.0;
        }
        fraction = exp(rest * ln(base));
    }
    let (mut square, first) = libm::frexp(base);
    let mut square_exponent = i64::from(first);
    let mut bits = whole as i64;
    while bits != 0 {
        if square_exponent.abs() > 1 << 12 {
            // Beyond what a float can hold, whatever follows.
            exponent += square_exponent;
            break;
        }
        if bits & 1 == 1 {
            fraction *= square;
            exponent += square_exponent;
        }
        square *= square;
        square_exponent <<= 1;
        if square < 0.5 {
            square += square;
            square_exponent -= 1;
        }
        bits >>= 1;
    }
    if power < 0.0 {
        fraction = 1.0 / fraction;
        exponent = -exponent;
    }
    libm::ldexp(fraction, exponent.clamp(-100_000, 100_000) as i32)
}

/// Above it, e to the power of a number is infinite.
const EXP_OVERFLOW: f64 = 7.097_827_128_933_84e2;

/// The natural logarithm of 2 in two parts, the first exact in products with small integers.
const LN2_UPPER: f64 = 0.693_147_180_559_662_956_511_601_805_686_950_683_593_75;
const LN2_LOWER: f64 = 0.282_352_905_630_315_771_225_884_481_750_134_360_255_254_120_68e-12;

/// 1/8!, 1/7!, … 1/1!.
const TAYLOR: [f64; 8] = [
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(710.0), f64::INFINITY);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert_eq!(exp(-746.0), 0.0);
        assert_eq!(pow(-2.0, 3.0), -8.0);
        assert_eq!(pow(f64::NEG_INFINITY, 3.0), f64::NEG_INFINITY);
        assert_eq!(pow(-0.0, -3.0), f64::NEG_INFINITY);
        assert_eq!(pow(2.0, -1074.0), 5e-324);
        assert_eq!(pow(-1.0, 1e300), 1.0);
        assert!(pow(-8.0, 1.0 / 3.0).is_nan());
    }
}
