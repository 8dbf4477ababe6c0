//! Values that follow a level, and sums that grow by it.

use super::chance::Chance;
use super::level::DAY;
use super::profile::Profile;
use super::{Counts, Errors, Generator, Grid};

/// The values of a gauge.
pub(super) fn gauge(
    generator: &Generator,
    grid: &Grid,
    profile: &Profile,
    chance: &mut Chance,
) -> Vec<f64> {
    let levels = (0..grid.len()).map(|index| profile.level.at(index));
    match generator.noise > 0.0 {
        false => levels.collect(),
        true => levels
            .map(|level| level * chance.factor(generator.noise))
            .collect(),
    }
}

/// The values of a counter.
pub(super) fn counter(
    generator: &Generator,
    grid: &Grid,
    profile: &Profile,
    chance: &mut Chance,
    start: f64,
) -> Vec<Vec<f64>> {
    let growth = Growth {
        generator,
        grid,
        profile,
    };
    growth.rows(vec![start], |index, steps: &mut [f64]| {
        let amount = growth.amount(index, chance);
        set(steps, [growth.counted(amount, chance)]);
    })
}

/// The values of the two counters of requests.
pub(super) fn requests(
    generator: &Generator,
    grid: &Grid,
    profile: &Profile,
    chance: &mut Chance,
    errors: &Errors,
) -> Vec<Vec<f64>> {
    let growth = Growth {
        generator,
        grid,
        profile,
    };
    growth.rows(vec![0.0; 2], |index, steps: &mut [f64]| {
        let amount = growth.amount(index, chance);
        let bad = amount * profile.error_ratio(index);
        let good = growth.counted(amount - bad, chance);
        let bad = growth.counted(bad, chance);
        match errors {
            Errors::Labels { .. } => set(steps, [good, bad]),
            Errors::Metric(_) => set(steps, [good + bad, bad]),
        }
    })
}

fn set<const N: usize>(steps: &mut [f64], values: [f64; N]) {
    for (into, value) in steps.iter_mut().zip(values) {
        *into = value;
    }
}

/// Sums that grow together from sample to sample.
pub(super) struct Growth<'g> {
    pub(super) generator: &'g Generator,
    pub(super) grid: &'g Grid,
    pub(super) profile: &'g Profile,
}

impl Growth<'_> {
    /// How much is expected between a sample and the next.
    pub(super) fn amount(&self, index: usize, chance: &mut Chance) -> f64 {
        let expected = self.profile.level.at(index) * self.grid.interval as f64 / DAY as f64;
        match self.generator.noise > 0.0 {
            false => expected,
            true => expected * chance.factor(self.generator.noise),
        }
    }

    /// How much is counted of what is expected.
    pub(super) fn counted(&self, expected: f64, chance: &mut Chance) -> f64 {
        match self.generator.counts {
            Counts::Expected => expected,
            Counts::Poisson => chance.count(expected),
        }
    }

    /// The values of each sum, which grow by what `step` makes of the sample before.
    pub(super) fn rows(
        &self,
        start: Vec<f64>,
        step: impl FnMut(usize, &mut [f64]),
    ) -> Vec<Vec<f64>> {
        let mut rows: Vec<Vec<f64>> = start
            .iter()
            .map(|_| Vec::with_capacity(self.grid.len()))
            .collect();
        self.each(start, step, |_, sums| {
            for (row, &sum) in rows.iter_mut().zip(sums) {
                row.push(sum);
            }
        });
        rows
    }

    /// Hands over the sums at each sample.
    ///
    /// Steps that are the same are multiplied, so that what people expect of a rate and a time comes out, without the
    /// errors of many additions. All sums do so together: where one has no smaller steps than another, it never falls
    /// behind it.
    pub(super) fn each(
        &self,
        start: Vec<f64>,
        mut step: impl FnMut(usize, &mut [f64]),
        mut record: impl FnMut(usize, &[f64]),
    ) {
        let mut steps = vec![0.0; start.len()];
        let mut anchors = start.clone();
        let mut sums = start;
        let mut times = 0.0;
        let mut known: Option<usize> = None;
        for index in 0..self.grid.len() {
            if let Some(before) = index.checked_sub(1) {
                let is_same = |known: usize| {
                    !self.generator.has_chance() && self.profile.is_same(known, before)
                };
                if !known.is_some_and(is_same) {
                    step(before, &mut steps);
                    anchors.copy_from_slice(&sums);
                    times = 0.0;
                    known = Some(before);
                }
                times += 1.0;
                for ((sum, anchor), step) in sums.iter_mut().zip(&anchors).zip(&steps) {
                    *sum = anchor + times * step;
                }
            }
            if self.profile.resets_at(index) {
                anchors.fill(0.0);
                sums.fill(0.0);
                times = 0.0;
            }
            record(index, &sums);
        }
    }
}
