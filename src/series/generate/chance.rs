//! Chance that is the same on every machine: see the documentation of [`super`].

use std::f64::consts::TAU;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use twox_hash::XxHash64;

use crate::model::Labels;

/// The chance of one set of labels.
pub(super) struct Chance {
    noise: ChaCha8Rng,
    counts: ChaCha8Rng,
}

impl Chance {
    /// The chance that belongs to a seed and labels.
    pub(super) fn new(seed: u64, labels: &Labels) -> Chance {
        let hash = XxHash64::oneshot(0, labels.to_string().as_bytes());
        let mut key = [0; 32];
        for (into, byte) in key
            .iter_mut()
            .zip(seed.to_le_bytes().into_iter().chain(hash.to_le_bytes()))
        {
            *into = byte;
        }
        let noise = ChaCha8Rng::from_seed(key);
        let mut counts = ChaCha8Rng::from_seed(key);
        counts.set_stream(1);
        Chance { noise, counts }
    }

    /// What to multiply something with that is off by at most a share of itself; draws even where that is 0.
    pub(super) fn factor(&mut self, noise: f64) -> f64 {
        1.0 + noise * (2.0 * unit(&mut self.noise) - 1.0)
    }

    /// How many of things happen of which `mean` are expected, when none knows of another (Poisson).
    pub(super) fn count(&mut self, mean: f64) -> f64 {
        match mean {
            _ if mean.is_nan() || mean <= 0.0 => 0.0,
            _ if mean < 10.0 => by_search(unit(&mut self.counts), mean),
            // Beyond, numbers hardly have a last place to vary in.
            _ if mean < 1e15 => by_rejection(&mut self.counts, mean),
            _ => libm::rint(mean),
        }
    }
}

/// A number in `[0, 1)`.
fn unit(rng: &mut ChaCha8Rng) -> f64 {
    const STEP: f64 = 1.0 / (1u64 << 53) as f64;
    (rng.next_u64() >> 11) as f64 * STEP
}

/// The smallest count whose probability, with all below it, is above a number.
fn by_search(number: f64, mean: f64) -> f64 {
    let mut count = 0.0;
    let mut probability = libm::exp(-mean);
    let mut all = probability;
    // The rest is too small for a float to tell.
    while number >= all && count < 200.0 {
        count += 1.0;
        probability *= mean / count;
        all += probability;
    }
    count
}

/// Transformed rejection with squeeze (W. Hörmann, The transformed rejection method for generating Poisson random
/// variables, 1993; algorithm PTRS), for means from 10 on.
fn by_rejection(rng: &mut ChaCha8Rng, mean: f64) -> f64 {
    let b = 0.931 + 2.53 * libm::sqrt(mean);
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let sure = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let u = unit(rng) - 0.5;
        let v = unit(rng);
        let edge = 0.5 - libm::fabs(u);
        let count = libm::floor((2.0 * a / edge + b) * u + mean + 0.43);
        if edge >= 0.07 && v <= sure {
            return count;
        }
        if count < 0.0 || (edge < 0.013 && v > edge) {
            continue;
        }
        if libm::log(v * inverse_alpha / (a / (edge * edge) + b)) <= log_probability(count, mean) {
            return count;
        }
    }
}

/// The logarithm of the probability of a count, without the loss of digits that a difference of large terms has
/// (C. Loader, Fast and accurate computation of binomial probabilities, 2000).
fn log_probability(count: f64, mean: f64) -> f64 {
    match count == 0.0 {
        true => -mean,
        false => -stirling_error(count) - deviance(count, mean) - 0.5 * libm::log(TAU * count),
    }
}

/// By how much the logarithm of a factorial is above Stirling's formula.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        return libm::lgamma(n + 1.0) - (n + 0.5) * libm::log(n) + n - 0.5 * libm::log(TAU);
    }
    let square = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / square) / square) / n
}

/// `x ln(x / mean) + mean - x`.
fn deviance(x: f64, mean: f64) -> f64 {
    let difference = x - mean;
    if libm::fabs(difference) >= 0.1 * (x + mean) {
        return x * libm::log(x / mean) + mean - x;
    }
    let v = difference / (x + mean);
    let mut sum = difference * v;
    let mut power = 2.0 * x * v;
    let mut odd = 1.0;
    loop {
        power *= v * v;
        odd += 2.0;
        let next = sum + power / odd;
        if next == sum || odd > 2000.0 {
            return next;
        }
        sum = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These figures never change: see the documentation of the module above.
    #[test]
    fn chance_is_what_it_always_was() {
        let labels = Labels::from_pairs([("__name__", "m"), ("a", "b")]);
        let mut chance = Chance::new(7, &labels);
        let factors: Vec<f64> = (0..3).map(|_| chance.factor(0.5)).collect();
        let counts: Vec<f64> = [0.5, 5.0, 9.9, 10.0, 750.0, 1e6, 1e12]
            .map(|mean| chance.count(mean))
            .to_vec();
        assert_eq!(
            factors,
            [0.6558286998665422, 0.8335004688686568, 1.3603676581637703]
        );
        assert_eq!(
            counts,
            [0.0, 10.0, 13.0, 12.0, 766.0, 998_724.0, 999_999_163_077.0]
        );
    }

    /// The published first block of ChaCha8 with a key of zeros (the test vectors of eSTREAM, TC1).
    #[test]
    fn the_generator_is_cha_cha_8() {
        let mut rng = ChaCha8Rng::from_seed([0; 32]);
        assert_eq!(
            rng.next_u64(),
            u64::from_le_bytes([0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6])
        );
    }

    #[test]
    fn counts_spread_as_poisson() {
        for mean in [0.01, 0.7, 3.0, 9.99, 10.0, 12.5, 40.0, 1_000.0, 1e6, 1e10] {
            let draws = 100_000;
            let mut chance = Chance::new(1, &Labels::empty());
            let counts: Vec<f64> = (0..draws).map(|_| chance.count(mean)).collect();
            let average = counts.iter().sum::<f64>() / f64::from(draws);
            let spread = counts
                .iter()
                .map(|count| (count - average) * (count - average))
                .sum::<f64>()
                / f64::from(draws);
            // Five standard errors.
            let error = 5.0 * (mean / f64::from(draws)).sqrt();
            assert!((average - mean).abs() < error, "{mean}: mean {average}");
            let error = 5.0 * ((mean + 2.0 * mean * mean) / f64::from(draws)).sqrt();
            assert!((spread - mean).abs() < error, "{mean}: variance {spread}");
            assert!(
                counts
                    .iter()
                    .all(|count| *count >= 0.0 && count.fract() == 0.0)
            );
        }
    }

    /// The probabilities of small counts add up, and are those of the formula.
    #[test]
    fn probabilities_are_right() {
        for mean in [10.0, 31.4, 500.0] {
            let (mut all, mut term) = (0.0, -mean);
            for count in 0..2_000 {
                let count = f64::from(count);
                if count > 0.0 {
                    term += (mean / count).ln();
                }
                let ours = log_probability(count, mean);
                assert!(
                    (ours - term).abs() < 1e-9 * term.abs().max(1.0),
                    "{mean} {count}: {ours} {term}"
                );
                all += ours.exp();
            }
            assert!((all - 1.0).abs() < 1e-9, "{mean}: {all}");
        }
    }
}
