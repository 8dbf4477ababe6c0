//! Which series count the events of an objective, and how fast each rises before a test.

use std::collections::HashSet;

use super::Warmup;
use crate::model::{Labels, METRIC_NAME, Matcher, Millis, metric_of};
use crate::slo::counters::{counters, selector};
use crate::slo::objective::{Indicator, Measure, Quality, Slo};
use crate::store::{Points, Series};

/// Which series count what of an objective, by their places.
pub(super) struct Traffic {
    /// Good or bad events.
    some: Vec<usize>,
    /// All events; none where series are no counters, and hold their first value.
    total: Vec<usize>,
    /// What rises with them and isn't counted: other buckets of their histograms, and their counts and sums. Where series are
    /// no counters: all.
    beside: Vec<usize>,
    quality: Quality,
}

impl Traffic {
    pub(super) fn of(slo: &Slo, series: &[Series]) -> Result<Traffic, String> {
        let all = |matchers: &[Matcher]| {
            let matching = series.iter().enumerate().filter(|(_, series)| {
                matchers
                    .iter()
                    .all(|matcher| matcher.matches(&series.labels))
            });
            matching.map(|(index, _)| index).collect::<Vec<usize>>()
        };
        match &slo.indicator {
            Indicator::Events {
                quality,
                some: measure,
                total,
            } => {
                let total = Counted::of(total, all)?.only_added(total)?;
                let some = Counted::of(measure, all)?;
                let (some, quality) = match some.all_but(&total) {
                    // All but the good ones are the bad ones, and the other way round.
                    Some(others) => (others, opposite(*quality)),
                    None => (some.only_added(measure)?, *quality),
                };
                Ok(Traffic::counted(some, total, quality, series))
            }
            Indicator::Latency { histogram, within } => {
                let matchers = selector(&histogram.query.expr);
                let matchers = matchers.ok_or("the histogram is no plain selector")?;
                if !metric_of(matchers).is_some_and(|name| name.ends_with("_bucket")) {
                    return Err("native histograms can't be warmed up".to_owned());
                }
                let buckets = all(matchers);
                let with = |wanted: f64| {
                    let places = buckets.iter().copied();
                    places
                        .filter(|it| bound(series, *it) == Some(wanted))
                        .collect::<Vec<usize>>()
                };
                let (some, total) = (with(*within), with(f64::INFINITY));
                Ok(Traffic::counted(some, total, Quality::Good, series))
            }
            Indicator::Ratio { share, .. } => Traffic::held(share, all),
            Indicator::Threshold { value, .. } | Indicator::Boolean { value } => {
                Traffic::held(value, all)
            }
        }
    }

    fn counted(
        some: Vec<usize>,
        total: Vec<usize>,
        quality: Quality,
        series: &[Series],
    ) -> Traffic {
        Traffic {
            beside: beside(&some, &total, series),
            some,
            total,
            quality,
        }
    }

    /// Series that hold their first value.
    fn held(measure: &Measure, all: impl Fn(&[Matcher]) -> Vec<usize>) -> Result<Traffic, String> {
        let matchers = selector(&measure.query.expr);
        let matchers =
            matchers.ok_or_else(|| format!("{} is no plain selector", measure.text.text))?;
        Ok(Traffic {
            some: Vec::new(),
            total: Vec::new(),
            beside: all(matchers),
            quality: Quality::Good,
        })
    }

    /// By how much each series rises in a millisecond.
    pub(super) fn rates(&self, warmup: &Warmup, series: &[Series]) -> Result<Rates, String> {
        let rises: Vec<f64> = series.iter().map(|it| rise(&it.points)).collect();
        let of = |places: &[usize]| places.iter().filter_map(|it| rises.get(*it)).sum::<f64>();
        if self.total.is_empty() {
            return match self.beside.is_empty() {
                true => Err("its series are not in this test".to_owned()),
                false => Ok(Rates {
                    counted: self.beside.iter().map(|&it| (it, 0.0)).collect(),
                    beside: Vec::new(),
                }),
            };
        }
        let lengths = self.total.iter().filter_map(|it| series.get(*it));
        let length = lengths.map(|it| extent(&it.points)).max().unwrap_or(0);
        let whole = match (warmup.rate, length) {
            (Some(rate), _) => rate,
            (None, 0) => 0.0,
            (None, length) => of(&self.total) / length as f64,
        };
        let share = match self.quality {
            Quality::Bad => warmup.error_ratio,
            Quality::Good => 1.0 - warmup.error_ratio,
        };
        if share > 0.0 && whole > 0.0 && self.some.is_empty() {
            return Err("no series of this test counts such events".to_owned());
        }
        let is_part = self.some.iter().all(|it| self.total.contains(it));
        let rest: Vec<usize> = match is_part {
            true => self
                .total
                .iter()
                .copied()
                .filter(|it| !self.some.contains(it))
                .collect(),
            false => self.total.clone(),
        };
        let rest_share = match is_part && !self.beside_each_other() {
            true => 1.0 - share,
            false => 1.0,
        };
        let mut counted = Vec::new();
        for (places, all) in [(&self.some, whole * share), (&rest, whole * rest_share)] {
            let sum = of(places);
            for &place in places {
                let own = rises.get(place).copied().unwrap_or(0.0);
                let part = match sum > 0.0 {
                    true => own / sum,
                    false => 1.0 / places.len() as f64,
                };
                counted.push((place, all * part));
            }
        }
        let sum = of(&self.total);
        let mut beside = Vec::new();
        for &place in &self.beside {
            let own = rises.get(place).copied().unwrap_or(0.0);
            let part = if sum > 0.0 { own / sum } else { 0.0 };
            beside.push((
                place,
                within_neighbours(place, whole * part, &counted, series),
            ));
        }
        Ok(Rates { counted, beside })
    }

    /// Whether some and all are counted by different series.
    fn beside_each_other(&self) -> bool {
        !self.some.iter().any(|it| self.total.contains(it))
    }
}

/// By how much series rise in a millisecond, by their places.
pub(super) struct Rates {
    /// Those that count the events.
    pub(super) counted: Vec<(usize, f64)>,
    /// Those that rise with them.
    pub(super) beside: Vec<(usize, f64)>,
}

/// The series that a measure adds up and takes away, by their places.
struct Counted {
    added: Vec<usize>,
    /// None where nothing is taken away, whatever is in the test.
    taken: Option<Vec<usize>>,
}

impl Counted {
    fn of(measure: &Measure, all: impl Fn(&[Matcher]) -> Vec<usize>) -> Result<Counted, String> {
        let found = counters(&measure.query.expr);
        let found = found.ok_or_else(|| no_sum(measure))?;
        let (mut added, mut taken) = (Vec::new(), None);
        for it in found {
            let side = match it.negative {
                true => taken.get_or_insert_default(),
                false => &mut added,
            };
            side.extend(all(it.matchers));
        }
        Ok(Counted { added, taken })
    }

    fn only_added(self, measure: &Measure) -> Result<Vec<usize>, String> {
        match self.taken {
            None => Ok(self.added),
            Some(_) => Err(no_sum(measure)),
        }
    }

    /// Where a measure is all events without some, as in `count - bucket`: those.
    fn all_but(&self, total: &[usize]) -> Option<Vec<usize>> {
        let is_all = self.added.iter().all(|it| total.contains(it));
        self.taken.clone().filter(|_| is_all)
    }
}

fn no_sum(measure: &Measure) -> String {
    format!("{} is no sum of counters", measure.text.text)
}

fn opposite(quality: Quality) -> Quality {
    match quality {
        Quality::Good => Quality::Bad,
        Quality::Bad => Quality::Good,
    }
}

/// What belongs to the histograms of counted series and isn't counted itself.
fn beside(some: &[usize], total: &[usize], series: &[Series]) -> Vec<usize> {
    let counted: HashSet<usize> = some.iter().chain(total).copied().collect();
    let of_counted = counted.iter().filter_map(|it| histogram(series.get(*it)?));
    let histograms: HashSet<Labels> = of_counted.collect();
    if histograms.is_empty() {
        return Vec::new();
    }
    let others = series.iter().enumerate();
    let others = others.filter(|(index, series)| {
        !counted.contains(index) && histogram(series).is_some_and(|it| histograms.contains(&it))
    });
    others.map(|(index, _)| index).collect()
}

/// The labels of the histogram that a series is a part of, by its name: a bucket, count or sum.
fn histogram(series: &Series) -> Option<Labels> {
    let name = series.labels.metric();
    let parts = ["_bucket", "_count", "_sum"];
    let base = parts.iter().find_map(|part| name.strip_suffix(part))?;
    let labels = series.labels.filtered(|name| name != "le");
    Some(labels.with(METRIC_NAME, base))
}

/// The upper bound of a bucket.
fn bound(series: &[Series], place: usize) -> Option<f64> {
    series.get(place)?.labels.value("le").parse().ok()
}

/// The rate of a bucket, not below that of a narrower one that is counted nor above that of a wider one.
fn within_neighbours(place: usize, rate: f64, counted: &[(usize, f64)], series: &[Series]) -> f64 {
    let (Some(own), Some(bound_of_own)) = (series.get(place), bound(series, place)) else {
        return rate;
    };
    let own = histogram(own);
    counted.iter().fold(rate, |rate, &(other, of_other)| {
        match bound(series, other) {
            Some(bound) if series.get(other).and_then(histogram) == own => {
                match bound < bound_of_own {
                    true => rate.max(of_other),
                    false => rate.min(of_other),
                }
            }
            _ => rate,
        }
    })
}

/// How much a counter rises over all its samples.
fn rise(points: &Points) -> f64 {
    let values = points.values().iter().copied().filter(|it| !it.is_nan());
    let mut before = None;
    let mut sum = 0.0;
    for value in values {
        sum += match before {
            None => 0.0,
            Some(before) if value < before => value,
            Some(before) => value - before,
        };
        before = Some(value);
    }
    sum
}

/// From the first to the last sample.
fn extent(points: &Points) -> Millis {
    match points.len() {
        0 => 0,
        count => points.time(count - 1).saturating_sub(points.time(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_counts_from_zero() {
        let points = Points::regular(0, 10, vec![5.0, 7.0, 1.0, f64::NAN, 2.0]);
        assert_eq!(rise(&points), 2.0 + 1.0 + 1.0);
    }
}
