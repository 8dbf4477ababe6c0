//! Angles as Go's `math` package computes them, to the last bit: the polynomials of the Cephes library.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

/// The sine of an angle in radians.
pub fn sin(angle: f64) -> f64 {
    if angle == 0.0 || angle.is_nan() {
        return angle;
    }
    if angle.is_infinite() {
        return f64::NAN;
    }
    let (octant, rest) = reduce(angle.abs());
    let octant = octant & 7;
    let size = match octant & 3 {
        1 | 2 => cosine_series(rest),
        _ => sine_series(rest),
    };
    let negative = (angle < 0.0) != (octant > 3);
    if negative { -size } else { size }
}

/// The cosine of an angle in radians.
pub fn cos(angle: f64) -> f64 {
    if !angle.is_finite() {
        return f64::NAN;
    }
    let (octant, rest) = reduce(angle.abs());
    let octant = octant & 7;
    let size = match octant & 3 {
        1 | 2 => sine_series(rest),
        _ => cosine_series(rest),
    };
    let negative = (octant > 3) != (octant & 3 > 1);
    if negative { -size } else { size }
}

/// The tangent of an angle in radians.
pub fn tan(angle: f64) -> f64 {
    if angle == 0.0 || angle.is_nan() {
        return angle;
    }
    if angle.is_infinite() {
        return f64::NAN;
    }
    let (octant, rest) = reduce(angle.abs());
    let square = rest * rest;
    let mut size = rest;
    if square > 1e-14 {
        let over = square * polynomial(&TAN_OVER, square);
        let under = polynomial(&TAN_UNDER, square);
        size = rest + rest * (over / under);
    }
    if octant & 2 == 2 {
        size = -1.0 / size;
    }
    if angle < 0.0 { -size } else { size }
}

/// The arcsine, in radians.
pub fn asin(value: f64) -> f64 {
    if value == 0.0 {
        return value;
    }
    let size = value.abs();
    if size.is_nan() || size > 1.0 {
        return f64::NAN;
    }
    let other = (1.0 - size * size).sqrt();
    let angle = match size > 0.7 {
        true => FRAC_PI_2 - positive_atan(other / size),
        false => positive_atan(size / other),
    };
    if value < 0.0 { -angle } else { angle }
}

/// The arccosine, in radians.
pub fn acos(value: f64) -> f64 {
    FRAC_PI_2 - asin(value)
}

/// The arctangent, in radians.
pub fn atan(value: f64) -> f64 {
    if value == 0.0 {
        value
    } else if value > 0.0 {
        positive_atan(value)
    } else {
        -positive_atan(-value)
    }
}

/// The angle of the point `(x, y)`, in radians.
pub fn atan2(y: f64, x: f64) -> f64 {
    let size = if y.is_nan() || x.is_nan() {
        return f64::NAN;
    } else if y == 0.0 {
        if x.is_sign_negative() { PI } else { 0.0 }
    } else if x == 0.0 {
        FRAC_PI_2
    } else if x.is_infinite() {
        match (x > 0.0, y.is_infinite()) {
            (true, true) => FRAC_PI_4,
            (true, false) => 0.0,
            (false, true) => THREE_FOURTHS_PI,
            (false, false) => PI,
        }
    } else if y.is_infinite() {
        FRAC_PI_2
    } else {
        let angle = atan(y / x);
        return match x < 0.0 {
            true if angle <= 0.0 => angle + PI,
            true => angle - PI,
            false => angle,
        };
    };
    f64::copysign(size, y)
}

/// The angle less a multiple of an eighth of a turn, whose count is even but for octants 1, 2, 5 and 6; the count may
/// be larger than 7.
fn reduce(angle: f64) -> (u64, f64) {
    if angle >= 536_870_912.0 {
        return reduce_large(angle);
    }
    let mut octant = (angle * FRAC_4_PI) as u64;
    octant += octant & 1;
    let count = octant as f64;
    let rest = ((angle - count * PI_4_PARTS[0]) - count * PI_4_PARTS[1]) - count * PI_4_PARTS[2];
    (octant, rest)
}

/// Payne and Hanek's reduction, with as many binary digits of 4/π as the angle's exponent asks for.
fn reduce_large(angle: f64) -> (u64, f64) {
    let bits = angle.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i64 - 1023 - 52;
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    let place = (exponent + 61) as usize;
    let (digit, shift) = (place / 64, (place % 64) as u32);
    let window = |index: usize| {
        let digits = |index: usize| u128::from(FOUR_OVER_PI.get(index).copied().unwrap_or(0));
        ((digits(index) << 64 | digits(index + 1)) << shift >> 64) as u64
    };
    let product = |index: usize| u128::from(window(index)) * u128::from(mantissa);
    let middle = product(digit + 1);
    let (low, carry) = (middle as u64).overflowing_add((product(digit + 2) >> 64) as u64);
    let high = (product(digit) as u64)
        .wrapping_add((middle >> 64) as u64)
        .wrapping_add(u64::from(carry));
    let octant = high >> 61;
    let top = high << 3 | low >> 61;
    let skipped = top.leading_zeros() + 1;
    let below = 64u32
        .checked_sub(skipped)
        .and_then(|distance| low.checked_shr(distance));
    let digits = top.checked_shl(skipped).unwrap_or(0) | below.unwrap_or(0);
    let rest = f64::from_bits(digits >> 12 | (1023 - u64::from(skipped)) << 52);
    match octant & 1 {
        1 => ((octant + 1) & 7, (rest - 1.0) * FRAC_PI_4),
        _ => (octant, rest * FRAC_PI_4),
    }
}

fn sine_series(rest: f64) -> f64 {
    let square = rest * rest;
    rest + rest * square * polynomial(&SIN, square)
}

fn cosine_series(rest: f64) -> f64 {
    let square = rest * rest;
    1.0 - 0.5 * square + square * square * polynomial(&COS, square)
}

/// The arctangent of a positive number, its range reduced to `[0, 0.66]`.
fn positive_atan(value: f64) -> f64 {
    /// What π/2 lacks as a float.
    const MORE_BITS: f64 = 6.123_233_995_736_766e-17;
    const TAN_3_PI_8: f64 = 2.414_213_562_373_095;
    if value <= 0.66 {
        atan_series(value)
    } else if value > TAN_3_PI_8 {
        FRAC_PI_2 - atan_series(1.0 / value) + MORE_BITS
    } else {
        FRAC_PI_4 + atan_series((value - 1.0) / (value + 1.0)) + 0.5 * MORE_BITS
    }
}

fn atan_series(value: f64) -> f64 {
    let square = value * value;
    let ratio = square * polynomial(&ATAN_OVER, square) / polynomial(&ATAN_UNDER, square);
    value * ratio + value
}

/// A polynomial by Horner's rule, the highest power first.
fn polynomial(coefficients: &[f64], value: f64) -> f64 {
    let mut terms = coefficients.iter();
    let first = terms.next().copied().unwrap_or(0.0);
    terms.fold(first, |sum, coefficient| sum * value + coefficient)
}

const FRAC_4_PI: f64 = 1.273_239_544_735_162_7;
const THREE_FOURTHS_PI: f64 = 2.356_194_490_192_345;

/// π/4 in three parts, the first two with zeros at their ends.
const PI_4_PARTS: [f64; 3] = [
    f64::from_bits(0x3fe9_21fb_4000_0000),
    f64::from_bits(0x3e64_442d_0000_0000),
    f64::from_bits(0x3ce8_4698_98cc_5170),
];

const SIN: [f64; 6] = [
    f64::from_bits(0x3de5_d8fd_1fd1_9ccd),
    f64::from_bits(0xbe5a_e5e5_a929_1f5d),
    f64::from_bits(0x3ec7_1de3_567d_48a1),
    f64::from_bits(0xbf2a_01a0_19bf_df03),
    f64::from_bits(0x3f81_1111_1110_f7d0),
    f64::from_bits(0xbfc5_5555_5555_5548),
];

const COS: [f64; 6] = [
    f64::from_bits(0xbda8_fa49_a086_1a9b),
    f64::from_bits(0x3e21_ee9d_7b4e_3f05),
    f64::from_bits(0xbe92_7e4f_7eac_4bc6),
    f64::from_bits(0x3efa_01a0_19c8_44f5),
    f64::from_bits(0xbf56_c16c_16c1_4f91),
    f64::from_bits(0x3fa5_5555_5555_554b),
];

const TAN_OVER: [f64; 3] = [
    f64::from_bits(0xc0c9_92d8_d24f_3f38),
    f64::from_bits(0x4131_99ec_a5fc_9ddd),
    f64::from_bits(0xc171_1fea_d329_9176),
];
const TAN_UNDER: [f64; 5] = [
    1.0,
    f64::from_bits(0x40ca_b8a5_eeb3_6572),
    f64::from_bits(0xc134_27bc_582a_bc96),
    f64::from_bits(0x4177_d98f_c2ea_d8ef),
    f64::from_bits(0xc189_afe0_3cbe_5a31),
];

#[expect(clippy::excessive_precision, reason = "the digits of the source")]
const ATAN_OVER: [f64; 5] = [
    -8.750_608_600_031_904_122_785e-01,
    -1.615_753_718_733_365_076_637e+01,
    -7.500_855_792_314_704_667_340e+01,
    -1.228_866_684_490_136_173_410e+02,
    -6.485_021_904_942_025_371_773e+01,
];
#[expect(clippy::excessive_precision, reason = "the digits of the source")]
const ATAN_UNDER: [f64; 6] = [
    1.0,
    2.485_846_490_142_306_297_962e+01,
    1.650_270_098_316_988_542_046e+02,
    4.328_810_604_912_902_668_951e+02,
    4.853_903_996_359_136_964_868e+02,
    1.945_506_571_482_613_964_425e+02,
];

/// The binary digits of 4/π, 64 at a time.
const FOUR_OVER_PI: [u64; 20] = [
    0x0000_0000_0000_0001,
    0x45f3_06dc_9c88_2a53,
    0xf84e_afa3_ea69_bb81,
    0xb6c5_2b32_7887_2083,
    0xfca2_c757_bd77_8ac3,
    0x6e48_dc74_849b_a5c0,
    0x0c92_5dd4_13a3_2439,
    0xfc3b_d639_6253_4e7d,
    0xd104_6bea_5d76_8909,
    0xd338_e04d_68be_fc82,
    0x7323_ac73_06a6_73e9,
    0x3908_bf17_7bf2_5076,
    0x3ff1_2fff_bc0b_301f,
    0xde5e_2316_b414_da3e,
    0xda6c_fd9e_4f96_136e,
    0x9e8c_7ecd_3cbf_d45a,
    0xea4f_758f_d7cb_e2f6,
    0x7a0e_73ef_14a5_25d4,
    0xd7f6_bf62_3f1a_ba10,
    0xac06_608d_f8f6_d757,
];
