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
    let (mut fraction, mut exponent) = libm::frexp(value);
    if fraction < std::f64::consts::FRAC_1_SQRT_2 {
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
    ln(fraction) * (1.0 / std::f64::consts::LN_2) + f64::from(exponent)
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
