//! Histograms of latencies, classic and native.

use std::f64::consts::LN_2;
use std::sync::Arc;

use super::chance::Chance;
use super::growth::Growth;
use super::profile::Profile;
use super::{Counts, Generator, Grid, LogNormal};
use crate::model::{BucketSpan, Histogram};
use crate::series::stored::as_stored;
use crate::store::Points;

/// A native histogram of more buckets than this is refused.
pub const MAX_NATIVE_BUCKETS: u64 = 1_000;

/// How many standard deviations native histograms have buckets for: all but two observations of a million. Those
/// fall into the outermost.
const REACH: f64 = 4.75;

/// The zero bucket's width in Prometheus's client libraries: 2^-128.
const ZERO_THRESHOLD: f64 = 1.0 / (1u128 << 127) as f64 / 2.0;

/// The rows of a classic histogram: each bucket, the sum, the count.
pub(super) fn classic(
    generator: &Generator,
    grid: &Grid,
    profile: &Profile,
    chance: &mut Chance,
    bounds: &[f64],
) -> Vec<Vec<f64>> {
    let growth = Growth {
        generator,
        grid,
        profile,
    };
    let ends: Vec<f64> = bounds.iter().map(|&bound| logarithm(bound)).collect();
    let mut shares = Shares::new(ends.len() + 1);
    growth.rows(vec![0.0; ends.len() + 3], |index, steps: &mut [f64]| {
        shares.update(profile.latency(index), ends.iter().copied());
        let amount = growth.amount(index, chance);
        let sum = shares.counted(generator.counts, amount, chance);
        let mut all = 0.0;
        for ((into, count), end) in steps.iter_mut().zip(&shares.counts).zip(&shares.below) {
            all += count;
            *into = match generator.counts {
                Counts::Expected => amount * end,
                Counts::Poisson => all,
            };
        }
        let count = steps.get(ends.len()).copied().unwrap_or_default();
        for (into, value) in steps.iter_mut().skip(ends.len() + 1).zip([sum, count]) {
            *into = value;
        }
    })
}

/// The samples of a native histogram, as Prometheus hands them out after it has stored them.
pub(super) fn native(
    generator: &Generator,
    grid: &Grid,
    profile: &Profile,
    chance: &mut Chance,
    schema: i32,
) -> Points {
    let growth = Growth {
        generator,
        grid,
        profile,
    };
    let (first, last) = range(&generator.latencies(), schema);
    let ends = || (first..last).map(|index| f64::from(index) * width(schema));
    let buckets = ends().count() + 1;
    let mut shares = Shares::new(buckets);
    let mut points = Points::default();
    let step = |index: usize, steps: &mut [f64]| {
        shares.update(profile.latency(index), ends());
        let amount = growth.amount(index, chance);
        let sum = shares.counted(generator.counts, amount, chance);
        let count = match generator.counts {
            Counts::Expected => amount,
            Counts::Poisson => shares.counts.iter().sum(),
        };
        for (into, value) in steps
            .iter_mut()
            .zip(shares.counts.iter().chain([&sum, &count]))
        {
            *into = *value;
        }
    };
    growth.each(vec![0.0; buckets + 2], step, |index, sums| {
        let (counts, totals) = sums.split_at(buckets.min(sums.len()));
        let total = |place: usize| totals.get(place).copied().unwrap_or_default();
        profile.presence.push(&mut points, grid, index, || {
            let histogram = Histogram {
                sum: total(0),
                count: total(1),
                ..of_buckets(schema, first, counts)
            };
            Arc::new(histogram)
        });
    });
    as_stored(points)
}

/// The buckets of a histogram, without the empty ones at both ends.
fn of_buckets(schema: i32, first: i32, counts: &[f64]) -> Histogram {
    let is_used = |count: &f64| *count > 0.0;
    let skipped = counts.iter().position(is_used).unwrap_or(counts.len());
    let end = counts
        .iter()
        .rposition(is_used)
        .map_or(skipped, |last| last + 1);
    let used = counts.get(skipped..end).unwrap_or_default();
    let span = BucketSpan {
        offset: first.saturating_add(i32::try_from(skipped).unwrap_or(i32::MAX)),
        length: u32::try_from(used.len()).unwrap_or(u32::MAX),
    };
    Histogram {
        schema,
        zero_threshold: ZERO_THRESHOLD,
        positive_spans: match used.is_empty() {
            true => Vec::new(),
            false => vec![span],
        },
        positive_buckets: used.to_vec(),
        ..Histogram::default()
    }
}

/// How many buckets a native histogram of some latencies has.
pub fn native_buckets(latencies: &[LogNormal], schema: i32) -> u64 {
    let (first, last) = range(latencies, schema);
    u64::from(last.abs_diff(first)).saturating_add(1)
}

/// The first and the last bucket of some latencies.
fn range(latencies: &[LogNormal], schema: i32) -> (i32, i32) {
    let bucket = |logarithm: f64| libm::ceil(logarithm / width(schema)) as i32;
    let ends = latencies.iter().map(|latency| {
        let reach = REACH * latency.sigma;
        (bucket(latency.mu - reach), bucket(latency.mu + reach))
    });
    ends.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)))
        .unwrap_or_default()
}

/// The logarithm of what the bounds of a schema are powers of.
fn width(schema: i32) -> f64 {
    libm::ldexp(LN_2, -schema)
}

/// The logarithm of a bound; nothing is observed at or below 0.
fn logarithm(bound: f64) -> f64 {
    match bound > 0.0 {
        true => libm::log(bound),
        false => f64::NEG_INFINITY,
    }
}

/// What falls into the buckets of a histogram.
struct Shares {
    latency: Option<LogNormal>,
    /// Up to the end of each bucket.
    below: Vec<f64>,
    /// In each bucket.
    within: Vec<f64>,
    /// The average of those in each bucket.
    averages: Vec<f64>,
    /// How many were counted last in each bucket.
    counts: Vec<f64>,
}

impl Shares {
    fn new(buckets: usize) -> Shares {
        Shares {
            latency: None,
            below: vec![0.0; buckets],
            within: vec![0.0; buckets],
            averages: vec![0.0; buckets],
            counts: vec![0.0; buckets],
        }
    }

    /// Finds the shares between the logarithms of bounds, if these latencies are others than before.
    fn update(&mut self, latency: LogNormal, ends: impl Iterator<Item = f64>) {
        if self.latency == Some(latency) {
            return;
        }
        self.latency = Some(latency);
        let mean = latency.mean();
        let (mut below, mut of_sum) = (0.0, 0.0);
        let parts = self
            .below
            .iter_mut()
            .zip(&mut self.within)
            .zip(&mut self.averages);
        for (((into, within), average), end) in parts.zip(ends.chain([f64::INFINITY])) {
            // What the last bits of two results say is not always in order.
            let next = latency.share_below(end).max(below);
            let next_of_sum = latency.share_of_sum_below(end).max(of_sum);
            *into = next;
            *within = next - below;
            *average = match *within > 0.0 {
                true => mean * (next_of_sum - of_sum) / *within,
                false => 0.0,
            };
            (below, of_sum) = (next, next_of_sum);
        }
    }

    /// Counts what is observed of an amount; gives the sum of it.
    fn counted(&mut self, counts: Counts, amount: f64, chance: &mut Chance) -> f64 {
        let mut sum = 0.0;
        for ((into, within), average) in
            self.counts.iter_mut().zip(&self.within).zip(&self.averages)
        {
            *into = match counts {
                Counts::Expected => amount * within,
                Counts::Poisson => chance.count(amount * within),
            };
            sum += *into * average;
        }
        match (counts, self.latency) {
            (Counts::Expected, Some(latency)) => amount * latency.mean(),
            _ => sum,
        }
    }
}
