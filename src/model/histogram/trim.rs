//! Cutting a histogram at a value: `histogram </ value` and `histogram >/ value`.

use super::{Bucket, Histogram};

/// Which observations [`Histogram::trim`] keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trim {
    /// `</`: those below the value.
    Upper,
    /// `>/`: those above the value.
    Lower,
}

/// What remains of a bucket, and the value that stands for it in the sum.
#[derive(Debug, Clone, Copy)]
struct Kept {
    count: f64,
    midpoint: f64,
}

/// Whether a cut goes through a bucket.
enum Remains {
    All(Kept),
    Part(Kept),
    Nothing,
}

/// What remains of a histogram.
#[derive(Debug, Default)]
struct Totals {
    count: f64,
    sum: f64,
    trimmed: bool,
}

impl Histogram {
    /// Keeps only observations on one side of a value, interpolating in the bucket that holds it: linearly
    /// in custom buckets and the zero bucket, else by logarithm. The sum is then estimated from the
    /// middles of the buckets. A cut through a bucket that reaches to infinity drops what can't be told.
    pub fn trim(&mut self, value: f64, side: Trim) {
        let mut totals = Totals::default();
        let buckets: Vec<Bucket> = self.positive().collect();
        let has_positive = buckets.iter().any(|bucket| bucket.count != 0.0);
        let linear = self.uses_custom_buckets();
        let cut = Cut {
            value,
            side,
            linear,
        };
        totals.trim(&mut self.positive_buckets, &buckets, |bucket| {
            cut.kept(bucket, 1.0)
        });
        let buckets: Vec<Bucket> = self.negative().collect();
        let has_negative = buckets.iter().any(|bucket| bucket.count != 0.0);
        totals.trim(&mut self.negative_buckets, &buckets, |bucket| {
            cut.kept(bucket, -1.0)
        });
        if self.zero_count > 0.0 {
            let mut zero = self.zero_bucket();
            match (has_negative, has_positive) {
                (true, false) => zero.upper = 0.0,
                (false, true) => zero.lower = 0.0,
                _ => {}
            }
            let kept = cut.kept_of_zero(&zero);
            totals.trimmed |= self.zero_count != kept.count;
            self.zero_count = kept.count;
            totals.add(kept);
        }
        if totals.trimmed {
            self.count = totals.count;
            self.sum = totals.sum;
            self.compact(0);
        }
    }
}

impl Totals {
    fn trim(&mut self, counts: &mut [f64], buckets: &[Bucket], kept: impl Fn(&Bucket) -> Remains) {
        for (count, bucket) in counts.iter_mut().zip(buckets) {
            if bucket.count == 0.0 {
                continue;
            }
            match kept(bucket) {
                Remains::All(kept) => self.add(kept),
                Remains::Part(kept) => {
                    self.add(kept);
                    self.trimmed |= *count != kept.count;
                    *count = kept.count;
                }
                Remains::Nothing => {
                    *count = 0.0;
                    self.trimmed = true;
                }
            }
        }
    }

    fn add(&mut self, kept: Kept) {
        self.count += kept.count;
        self.sum += kept.midpoint * kept.count;
    }
}

/// Where and how to cut.
struct Cut {
    value: f64,
    side: Trim,
    /// Whether buckets are interpolated by distance.
    linear: bool,
}

impl Cut {
    /// What remains of a bucket of positive values (`sign` 1) or negative ones (-1).
    fn kept(&self, bucket: &Bucket, sign: f64) -> Remains {
        let (whole, part) = match self.side {
            Trim::Upper => (bucket.upper <= self.value, bucket.lower < self.value),
            Trim::Lower => (bucket.lower >= self.value, bucket.upper > self.value),
        };
        if whole {
            return Remains::All(Kept {
                count: bucket.count,
                midpoint: self.midpoint(bucket.lower, bucket.upper, sign),
            });
        }
        if !part {
            return Remains::Nothing;
        }
        if bucket.lower == f64::NEG_INFINITY {
            return Remains::Part(self.kept_from_infinity(bucket));
        }
        if bucket.upper == f64::INFINITY {
            return Remains::Part(self.kept_to_infinity(bucket));
        }
        let below = bucket.count * bucket.fraction_below(self.value, self.linear);
        Remains::Part(match self.side {
            Trim::Upper => Kept {
                count: below,
                midpoint: self.midpoint(bucket.lower, self.value, sign),
            },
            Trim::Lower => Kept {
                count: bucket.count - below,
                midpoint: self.midpoint(self.value, bucket.upper, sign),
            },
        })
    }

    /// What remains of a bucket that begins at `-Inf`, cut inside. One with a positive end is taken to
    /// begin at zero; that is a custom one.
    fn kept_from_infinity(&self, bucket: &Bucket) -> Kept {
        let (value, upper) = (self.value, bucket.upper);
        let finite_positive = upper > 0.0 && upper.is_finite();
        match self.side {
            Trim::Upper if value > 0.0 && finite_positive => Kept {
                count: bucket.count * value / upper,
                midpoint: value / 2.0,
            },
            Trim::Upper if upper <= 0.0 => Kept {
                count: bucket.count,
                midpoint: value,
            },
            Trim::Lower if value >= 0.0 && upper > value && upper.is_finite() => Kept {
                count: bucket.count * (1.0 - value / upper),
                midpoint: (value + upper) / 2.0,
            },
            _ => Kept {
                count: 0.0,
                midpoint: finite_or_zero(upper),
            },
        }
    }

    /// What remains of a bucket that ends at `+Inf`, cut inside: where its values lie is not known.
    fn kept_to_infinity(&self, bucket: &Bucket) -> Kept {
        if self.side == Trim::Lower && self.value >= bucket.lower {
            return Kept {
                count: bucket.count,
                midpoint: self.value,
            };
        }
        Kept {
            count: 0.0,
            midpoint: finite_or_zero(bucket.lower),
        }
    }

    fn kept_of_zero(&self, zero: &Bucket) -> Kept {
        let (lower, upper, value) = (zero.lower, zero.upper, self.value);
        let whole = Kept {
            count: zero.count,
            midpoint: (lower + upper) / 2.0,
        };
        let nothing = Kept {
            count: 0.0,
            midpoint: 0.0,
        };
        let upper_trim = self.side == Trim::Upper;
        if value <= lower {
            return if upper_trim { nothing } else { whole };
        }
        if value >= upper {
            return if upper_trim { whole } else { nothing };
        }
        let (from, to) = if upper_trim {
            (lower, value)
        } else {
            (value, upper)
        };
        Kept {
            count: zero.count * ((to - from) / (upper - lower)),
            midpoint: (from + to) / 2.0,
        }
    }

    /// The value that stands for all between two bounds.
    fn midpoint(&self, lower: f64, upper: f64, sign: f64) -> f64 {
        match (lower.is_infinite(), upper.is_infinite()) {
            (true, true) => 0.0,
            (true, false) if upper > 0.0 => upper / 2.0,
            (true, false) => upper,
            (false, true) => lower,
            (false, false) if self.linear => (lower + upper) / 2.0,
            (false, false) => sign * (lower * upper).abs().sqrt(),
        }
    }
}

fn finite_or_zero(value: f64) -> f64 {
    if value.is_infinite() { 0.0 } else { value }
}
