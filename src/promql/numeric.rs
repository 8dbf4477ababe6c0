//! Sums and quantiles with Prometheus's order of operations.

use std::cmp::Ordering;

/// A sum with the Neumaier variant of Kahan's compensation, as Prometheus's `kahansum.Inc` adds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KahanSum {
    /// The running sum.
    pub sum: f64,
    /// What rounding lost so far.
    pub lost: f64,
}

impl KahanSum {
    /// Adds a number.
    #[inline(always)]
    pub fn add(&mut self, value: f64) {
        let total = self.sum + value;
        let lost = match self.sum.abs() >= value.abs() {
            true => (self.sum - total) + value,
            false => (value - total) + self.sum,
        };
        self.lost = if total.is_infinite() {
            0.0
        } else {
            self.lost + lost
        };
        self.sum = total;
    }
}

/// Sorts as Go's `sort.Sort` does. With NaN beside NaN `less` may say that each comes before the other, and what then comes
/// of few items is what insertion makes of them; many are sorted so that NaN is last.
pub(crate) fn sort_as_go<T>(items: &mut [T], less: impl Fn(&T, &T) -> bool) {
    /// Go inserts so many one by one.
    const FEW: usize = 12;
    if items.len() > FEW {
        return items.sort_by(|a, b| match (less(a, b), less(b, a)) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            _ => Ordering::Equal,
        });
    }
    for end in 1..items.len() {
        for at in (1..=end).rev() {
            if !less(&items[at], &items[at - 1]) {
                break;
            }
            items.swap(at, at - 1);
        }
    }
}

/// The mean of floats: a compensated sum as long as it does not overflow, then an incremental mean.
///
/// The empty mean does not exist; callers add at least one value.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mean {
    total: KahanSum,
    count: f64,
    incremental: bool,
}

impl Mean {
    /// Adds a number.
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.total.sum = value;
            return;
        }
        if !self.incremental {
            let mut next = self.total;
            next.add(value);
            if !next.sum.is_infinite() {
                self.total = next;
                return;
            }
            self.incremental = true;
            self.total.sum /= self.count - 1.0;
            self.total.lost /= self.count - 1.0;
        }
        let weight = (self.count - 1.0) / self.count;
        self.total = KahanSum {
            sum: weight * self.total.sum,
            lost: weight * self.total.lost,
        };
        self.total.add(value / self.count);
    }

    /// The mean so far.
    pub fn result(&self) -> f64 {
        match self.incremental {
            true => self.total.sum + self.total.lost,
            false => self.total.sum / self.count + self.total.lost / self.count,
        }
    }
}

/// The quantile `q` of values in any order, interpolated between neighbours; sorts them with NaN first,
/// as Prometheus's heap does.
pub(crate) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_by(|a, b| {
        b.is_nan()
            .cmp(&a.is_nan())
            .then(a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal))
    });
    let rank = q * (values.len() as f64 - 1.0);
    let lower = rank.floor().max(0.0);
    let upper = (lower + 1.0).min(values.len() as f64 - 1.0);
    let weight = rank - rank.floor();
    values[lower as usize] * (1.0 - weight) + values[upper as usize] * weight
}
