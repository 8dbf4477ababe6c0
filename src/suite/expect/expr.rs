//! Whether an expression yields what is expected of it.

mod amend;

use super::problem::{Counted, Problem, Subject, Unmet};
use super::scene::Scene;
use super::{Ask, ExprExpectation, TextTest, ValueTest};
use crate::model::number::format_value;
use crate::model::{Labels, Millis};
use crate::promql::{ColumnSeries, Columns, Sample, Ticks, evaluate};
use crate::replay::NO_VECTOR;
use crate::suite::file::Spanned;

/// What is not as an item about an expression expects, and what Prometheus has to say of the expression.
pub(in crate::suite) fn check(
    scene: &Scene<'_>,
    expectation: &ExprExpectation,
) -> (Option<Unmet>, Option<Columns>) {
    let ticks = match &expectation.ask {
        Ask::At { time, .. } => Some(Ticks::instant(scene.start.saturating_add(time.value))),
        Ask::Over { start, end, .. } => span(scene, *start, *end),
    };
    let Some(ticks) = ticks else {
        return (Unmet::new(Subject::Expr, vec![Problem::EmptySpan]), None);
    };
    let evaluated = evaluate(&expectation.query, &scene.replay.view_live(), ticks);
    let Some(columns) = evaluated.into_columns() else {
        let message = NO_VECTOR.to_owned();
        let problem = Problem::Error { at: 0, message };
        return (Unmet::new(Subject::Expr, vec![problem]), None);
    };
    let seen = Yield {
        scene,
        expectation,
        columns: &columns,
    };
    let mut unmet = Unmet::new(Subject::Expr, seen.check());
    if let Some(unmet) = &mut unmet {
        unmet.amendment = seen.amend(&unmet.problems);
    }
    (unmet, Some(columns))
}

/// The evaluations of a half-open span; without an end up to that of the test, which counts. `None` for none.
fn span(scene: &Scene<'_>, start: Millis, end: Option<Millis>) -> Option<Ticks> {
    let interval = scene.interval.max(1);
    let first = start.div_euclid(interval) + i64::from(start.rem_euclid(interval) != 0);
    let last = match end {
        Some(end) => (end - 1).div_euclid(interval),
        None => scene.length.div_euclid(interval),
    };
    let count = usize::try_from(last - first + 1).ok()?;
    (count > 0).then(|| Ticks {
        start: scene.start.saturating_add(first * interval),
        step: interval,
        count,
    })
}

/// What an expression yields.
struct Yield<'y> {
    scene: &'y Scene<'y>,
    expectation: &'y ExprExpectation,
    columns: &'y Columns,
}

impl Yield<'_> {
    fn check(&self) -> Vec<Problem> {
        if let Some((tick, error)) = self.columns.errors.iter().next() {
            return vec![Problem::Error {
                at: self.moment(*tick),
                message: error.message.clone(),
            }];
        }
        let selected: Vec<&ColumnSeries> = self
            .columns
            .series
            .iter()
            .filter(|series| self.is_meant(series))
            .collect();
        let mut problems = Vec::new();
        if let Some(wanted) = &self.expectation.instances {
            let got = selected.len() as u64;
            if !wanted.value.holds(got) {
                problems.push(Problem::Amount {
                    what: Counted::Samples,
                    labels: None,
                    wanted: wanted.value.clone(),
                    got,
                    counted: selected.iter().map(|it| it.labels.clone()).collect(),
                });
            }
        }
        match &self.expectation.ask {
            Ask::At { value, absent, .. } => {
                problems.extend(self.values("value", value, &selected));
                if *absent {
                    problems.extend(self.presence(&selected));
                }
            }
            Ask::Over {
                always,
                min,
                max,
                never,
                ..
            } => {
                problems.extend(self.values("always", always, &selected));
                problems.extend(self.extremes("min", min, &selected, f64::min));
                problems.extend(self.extremes("max", max, &selected, f64::max));
                if *never {
                    problems.extend(self.presence(&selected));
                }
            }
        }
        problems
    }

    fn is_meant(&self, series: &ColumnSeries) -> bool {
        TextTest::selects(&self.expectation.labels, &series.labels)
    }

    fn moment(&self, tick: usize) -> Millis {
        self.scene.since(self.columns.ticks.time(tick))
    }

    /// Every sample must be as expected, and at no moment may all lack.
    fn values(
        &self,
        name: &'static str,
        wanted: &Option<Spanned<ValueTest>>,
        selected: &[&ColumnSeries],
    ) -> Vec<Problem> {
        let Some(wanted) = wanted else {
            return Vec::new();
        };
        let mut problems: Vec<Problem> = self.lacking(selected).into_iter().collect();
        for series in selected {
            let samples = self.samples(series);
            let wrong = |sample: &Sample<'_>| match sample {
                Sample::Float(value) => !wanted.value.holds(*value),
                Sample::Histogram(_) => true,
            };
            let all = samples.clone().count();
            let mut wrong = samples.filter(|(_, sample)| wrong(sample));
            if let Some(first) = wrong.next() {
                let times = (1 + wrong.count(), all);
                problems.push(self.differing(name, wanted, series, first, times));
            }
        }
        problems
    }

    /// The least or the greatest value of every series must be as expected.
    fn extremes(
        &self,
        name: &'static str,
        wanted: &Option<Spanned<ValueTest>>,
        selected: &[&ColumnSeries],
        better: impl Fn(f64, f64) -> f64,
    ) -> Vec<Problem> {
        let Some(wanted) = wanted else {
            return Vec::new();
        };
        if selected.is_empty() {
            return self.lacking(selected).into_iter().collect();
        }
        let mut problems = Vec::new();
        for series in selected {
            // A histogram is neither less nor greater than a number.
            let is_histogram =
                |(_, sample): &(usize, Sample<'_>)| matches!(sample, Sample::Histogram(_));
            let mut histograms = self.samples(series).filter(is_histogram);
            if let Some(first) = histograms.next() {
                let times = (1 + histograms.count(), self.samples(series).count());
                problems.push(self.differing(name, wanted, series, first, times));
                continue;
            }
            let floats = self
                .samples(series)
                .filter_map(|(tick, sample)| match sample {
                    Sample::Float(value) => Some((tick, value)),
                    Sample::Histogram(_) => None,
                });
            let pick = |best: (usize, f64), next: (usize, f64)| match better(best.1, next.1) {
                value if value.to_bits() == best.1.to_bits() => best,
                _ => next,
            };
            let Some((tick, value)) = floats.reduce(pick) else {
                continue;
            };
            if !wanted.value.holds(value) {
                let extreme = (tick, Sample::Float(value));
                problems.push(self.differing(name, wanted, series, extreme, (1, 1)));
            }
        }
        problems
    }

    /// A sample of a series that is not as expected, the first of `times.0` among `times.1`.
    fn differing(
        &self,
        test: &'static str,
        wanted: &Spanned<ValueTest>,
        series: &ColumnSeries,
        (tick, sample): (usize, Sample<'_>),
        times: (usize, usize),
    ) -> Problem {
        Problem::Value {
            labels: series.labels.clone(),
            test,
            wanted: wanted.value.clone(),
            got: shown(&sample),
            at: self.moment(tick),
            times,
        }
    }

    /// The moments at which no series that is meant has a sample.
    fn lacking(&self, selected: &[&ColumnSeries]) -> Option<Problem> {
        let all = self.columns.ticks.count;
        let is_empty = |tick: &usize| selected.iter().all(|it| it.column.get(*tick).is_none());
        let mut empty = (0..all).filter(is_empty);
        let first = empty.next()?;
        let others = self.columns.series.iter();
        let others = others.filter(|it| !self.is_meant(it) && it.column.get(first).is_some());
        Some(Problem::NoSample {
            at: self.moment(first),
            others: others.map(|series| series.labels.clone()).collect(),
            times: (1 + empty.count(), all),
        })
    }

    /// Samples where there must be none: the first of each series.
    fn presence(&self, selected: &[&ColumnSeries]) -> Vec<Problem> {
        let first = |series: &&ColumnSeries| {
            let (tick, sample) = self.samples(series).next()?;
            Some(Problem::Sample {
                labels: Labels::clone(&series.labels),
                got: shown(&sample),
                at: self.moment(tick),
            })
        };
        selected.iter().filter_map(first).collect()
    }

    fn samples<'c>(
        &self,
        series: &'c ColumnSeries,
    ) -> impl Iterator<Item = (usize, Sample<'c>)> + Clone + use<'c> {
        let ticks = 0..self.columns.ticks.count;
        ticks.filter_map(|tick| Some((tick, series.column.get(tick)?)))
    }
}

fn shown(sample: &Sample<'_>) -> String {
    match sample {
        Sample::Float(value) => format_value(*value),
        Sample::Histogram(histogram) => histogram.test_expression(),
    }
}
