//! Logarithms and powers of two as Go's `math` package computes them, to the last bit.
//!
//! Both come from FreeBSD's msun; other libraries round the last step differently, and a quantile that is
//! interpolated by logarithm shows it.

/// The natural logarithm; NaN below zero, `-Inf` for zero.
pub fn ln(value: f64) -> f64 {
    if value.is_nan() || value == f64::INFINITY {
        return value;
    }
    if value < 0.0 {
        return f64::NAN;
    }
    if value == 0.0 {
        return f64::NEG_INFINITY;
    }
    // As Go's assembly for amd64: subnormal numbers are not normalized.
    let bits = value.to_bits();
    let mut fraction = f64::from_bits(bits & MANTISSA | HALF);
    let mut exponent = (bits >> 52) as i32 - 0x3fe;
    if fraction <= std::f64::consts::FRAC_1_SQRT_2 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let f = fraction - 1.0;
    let k = f64::from(exponent);
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let odd = s2 * (LN[0] + s4 * (LN[2] + s4 * (LN[4] + s4 * LN[6])));
    let even = s4 * (LN[1] + s4 * (LN[3] + s4 * LN[5]));
    let r = odd + even;
    let half = 0.5 * f * f;
    k * LN2_HIGH - ((half - (s * (half + r) + k * LN2_LOW)) - f)
}

/// The binary logarithm, exact for powers of two.
pub fn log2(value: f64) -> f64 {
    let (fraction, exponent) = libm::frexp(value);
    if fraction == 0.5 {
        return f64::from(exponent - 1);
    }
    ln(fraction) * std::f64::consts::LOG2_E + f64::from(exponent)
}

/// The decimal logarithm.
pub fn log10(value: f64) -> f64 {
    ln(value) * std::f64::consts::LOG10_E
}

/// The natural logarithm of one more than a number.
pub fn ln_1p(value: f64) -> f64 {
    if value.is_nan() || value < -1.0 {
        return f64::NAN;
    }
    if value == -1.0 {
        return f64::NEG_INFINITY;
    }
    if value == f64::INFINITY {
        return value;
    }
    let size = value.abs();
    if size < 1.0 / (1u64 << 54) as f64 {
        return value;
    }
    if size < 1.0 / (1u64 << 29) as f64 {
        return value - value * value * 0.5;
    }
    let near = size < SQRT_2_LESS_1 && value > SQRT_HALF_LESS_1;
    let reduced = if near {
        Reduced {
            exponent: 0.0,
            rest: value,
            lost: 0.0,
            is_power: false,
        }
    } else {
        Reduced::of(value, size)
    };
    reduced.logarithm()
}

/// One more than a number as `2^exponent * (1 + rest)`, and what rounding lost.
struct Reduced {
    exponent: f64,
    rest: f64,
    lost: f64,
    /// Whether the mantissa is that of a power of two.
    is_power: bool,
}

impl Reduced {
    fn of(value: f64, size: f64) -> Reduced {
        let is_small = size < (1u64 << 53) as f64;
        let sum = if is_small { 1.0 + value } else { value };
        let mut exponent = (sum.to_bits() >> 52) as i32 - 1023;
        let lost = match exponent > 0 {
            _ if !is_small => 0.0,
            true => (1.0 - (sum - value)) / sum,
            false => (value - (sum - 1.0)) / sum,
        };
        let mantissa = sum.to_bits() & MANTISSA;
        let (fraction, is_power) = if mantissa < MANTISSA_OF_SQRT_2 {
            (f64::from_bits(mantissa | ONE), mantissa == 0)
        } else {
            exponent += 1;
            let distance = ((1 << 52) - mantissa) >> 2;
            (f64::from_bits(mantissa | HALF), distance == 0)
        };
        Reduced {
            exponent: f64::from(exponent),
            rest: fraction - 1.0,
            lost,
            is_power,
        }
    }

    fn logarithm(&self) -> f64 {
        let &Reduced {
            exponent: k,
            rest: f,
            lost,
            is_power,
        } = self;
        let half = 0.5 * f * f;
        if is_power && f == 0.0 {
            return if k == 0.0 {
                0.0
            } else {
                k * LN2_HIGH + (lost + k * LN2_LOW)
            };
        }
        if is_power {
            let r = half * (1.0 - 0.666_666_666_666_666_6 * f);
            return if k == 0.0 {
                f - r
            } else {
                k * LN2_HIGH - ((r - (k * LN2_LOW + lost)) - f)
            };
        }
        let s = f / (2.0 + f);
        let z = s * s;
        let mut r = LN[6];
        for coefficient in LN.iter().rev().skip(1) {
            r = coefficient + z * r;
        }
        r *= z;
        if k == 0.0 {
            f - (half - s * (half + r))
        } else {
            k * LN2_HIGH - ((half - (s * (half + r) + (k * LN2_LOW + lost))) - f)
        }
    }
}

/// Two to the power of a number.
pub fn exp2(power: f64) -> f64 {
    if power.is_nan() {
        return power;
    }
    if power > OVERFLOW {
        return f64::INFINITY;
    }
    if power < -1074.0 {
        return 0.0;
    }
    let nearest = (power + f64::copysign(0.5, power)).trunc();
    let rest = power - nearest;
    let high = rest * LN2_HIGH;
    let low = -rest * LN2_LOW;
    let r = high - low;
    let t = r * r;
    let c = r - t * (EXP[0] + t * (EXP[1] + t * (EXP[2] + t * (EXP[3] + t * EXP[4]))));
    let mantissa = 1.0 - ((low - (r * c) / (2.0 - c)) - high);
    libm::ldexp(mantissa, nearest as i32)
}

/// The largest power whose result is finite.
const OVERFLOW: f64 = f64::from_bits(0x408f_ffff_ffff_ffff);

/// The natural logarithm of 2 in two parts, the first with zeros at its end.
const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);

/// The bits of the mantissa, and the exponents of numbers from 0.5 and from 1 on.
const MANTISSA: u64 = (1 << 52) - 1;
const HALF: u64 = 0x3fe << 52;
const ONE: u64 = 0x3ff << 52;

const MANTISSA_OF_SQRT_2: u64 = 0x0006_a09e_667f_3bcd;
const SQRT_2_LESS_1: f64 = f64::from_bits(0x3fda_8279_99fc_ef34);
const SQRT_HALF_LESS_1: f64 = f64::from_bits(0xbfd2_bec3_3301_8866);

/// The polynomial of the logarithm.
const LN: [f64; 7] = [
    f64::from_bits(0x3fe5_5555_5555_5593),
    f64::from_bits(0x3fd9_9999_9997_fa04),
    f64::from_bits(0x3fd2_4924_9422_9359),
    f64::from_bits(0x3fcc_71c5_1d8e_78af),
    f64::from_bits(0x3fc7_4664_96cb_03de),
    f64::from_bits(0x3fc3_9a09_d078_c69f),
    f64::from_bits(0x3fc2_f112_df3e_5244),
];

/// The polynomial of the exponential.
const EXP: [f64; 5] = [
    f64::from_bits(0x3fc5_5555_5555_5555),
    f64::from_bits(0xbf66_c16c_16be_bd93),
    f64::from_bits(0x3f11_566a_af25_de2c),
    f64::from_bits(0xbebb_bd41_c5d2_6bf1),
    f64::from_bits(0x3e66_3769_72be_a4d0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_are_exact() {
        for power in [-1074, -1022, -1, 0, 1, 52, 1023] {
            let value = libm::ldexp(1.0, power);
            assert_eq!(log2(value), f64::from(power));
            assert_eq!(exp2(f64::from(power)), value);
        }
        assert_eq!(exp2(1024.0), f64::INFINITY);
        assert_eq!(exp2(-1075.0), 0.0);
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert!(ln(-1.0).is_nan() && exp2(f64::NAN).is_nan());
    }

    #[test]
    fn others_are_near() {
        for value in [1e-300, 0.1, 0.7, 3.0, 10.0, 1e300] {
            assert!((ln(value) - value.ln()).abs() <= value.ln().abs() * 3e-16);
            assert!((log2(value) - value.log2()).abs() <= value.log2().abs() * 3e-16);
        }
        assert!((exp2(0.5) - std::f64::consts::SQRT_2).abs() < 3e-16);
    }
}
