//! Latencies: most are short, a few are long.

use std::f64::consts::SQRT_2;

/// The log-normal distribution: the logarithms of what is observed are spread normally.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogNormal {
    /// The mean of the logarithms.
    pub mu: f64,
    /// Their standard deviation, above 0.
    pub sigma: f64,
}

impl LogNormal {
    /// The one with two quantiles: of each, the share of observations that is at most a value, and that value.
    ///
    /// `None` unless shares lie between 0 and 1, values are above 0 and both rise, or where the mean is too large for a
    /// float.
    pub fn of_quantiles(lower: (f64, f64), upper: (f64, f64)) -> Option<LogNormal> {
        let rises = 0.0 < lower.0 && lower.0 < upper.0 && upper.0 < 1.0;
        let is_number = 0.0 < lower.1 && lower.1 < upper.1 && upper.1.is_finite();
        if !rises || !is_number {
            return None;
        }
        let (low, high) = (normal_quantile(lower.0), normal_quantile(upper.0));
        let sigma = (libm::log(upper.1) - libm::log(lower.1)) / (high - low);
        let mu = libm::log(lower.1) - sigma * low;
        let found = LogNormal { mu, sigma };
        let is_good =
            sigma > 0.0 && sigma.is_finite() && found.mean().is_finite() && found.mean() > 0.0;
        is_good.then_some(found)
    }

    /// The average of what is observed.
    pub fn mean(&self) -> f64 {
        libm::exp(self.mu + self.sigma * self.sigma / 2.0)
    }

    /// The value that is the greatest of a share of the observations.
    pub fn quantile(&self, share: f64) -> f64 {
        libm::exp(self.mu + self.sigma * normal_quantile(share))
    }

    /// Which share of the observations has a logarithm of at most this.
    pub(super) fn share_below(&self, logarithm: f64) -> f64 {
        normal_share((logarithm - self.mu) / self.sigma)
    }

    /// Which share of the sum of all observations those with a logarithm of at most this have.
    pub(super) fn share_of_sum_below(&self, logarithm: f64) -> f64 {
        normal_share((logarithm - self.mu) / self.sigma - self.sigma)
    }
}

/// The standard normal distribution's share below a value.
fn normal_share(value: f64) -> f64 {
    0.5 * libm::erfc(-value / SQRT_2)
}

/// The value below which a share of the standard normal distribution lies, by halving.
fn normal_quantile(share: f64) -> f64 {
    if share > 0.5 {
        return -normal_quantile(1.0 - share);
    }
    let (mut low, mut high) = (-40.0, 0.0);
    if share == 0.5 {
        return high;
    }
    loop {
        let middle = (low + high) / 2.0;
        if middle <= low || middle >= high {
            return middle;
        }
        match normal_share(middle) < share {
            true => low = middle,
            false => high = middle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_tables() {
        for (share, value) in [
            (0.5, 0.0),
            (0.975, 1.959963984540054),
            (0.05, -1.6448536269514722),
            (0.999, 3.090232306167813),
        ] {
            assert!((normal_quantile(share) - value).abs() < 1e-13, "{share}");
        }
    }

    #[test]
    fn two_quantiles_fix_it() {
        for (lower, upper) in [
            ((0.5, 0.12), (0.95, 0.4)),
            ((0.1, 1e-6), (0.999, 30.0)),
            ((0.9, 2.0), (0.99, 2.001)),
        ] {
            let found = LogNormal::of_quantiles(lower, upper).unwrap();
            for (share, value) in [lower, upper] {
                assert!((found.quantile(share) / value - 1.0).abs() < 1e-12);
                assert!((found.share_below(libm::log(value)) - share).abs() < 1e-12);
            }
            assert_eq!(found.share_of_sum_below(f64::INFINITY), 1.0);
        }
        for (lower, upper) in [
            ((0.5, 0.4), (0.95, 0.12)),
            ((0.95, 0.12), (0.5, 0.4)),
            ((0.0, 0.1), (0.5, 0.4)),
            ((0.5, 0.0), (0.95, 0.4)),
            ((0.5, 0.1), (1.0, 0.4)),
            ((0.5, 1e-300), (0.51, 1e300)),
        ] {
            assert_eq!(LogNormal::of_quantiles(lower, upper), None);
        }
    }
}
