//! What an item about an expression would have to say to be met.

use super::super::amend::{Amendment, BOUNDS_STAY, New, What, named};
use super::super::problem::Problem;
use super::super::{AmountTest, Ask, ValueTest};
use super::Yield;
use crate::model::number::format_value;
use crate::promql::{ColumnSeries, Sample};
use crate::suite::file::Spanned;

impl Yield<'_> {
    /// What would make the item be met whose problems are these.
    pub(super) fn amend(&self, problems: &[Problem]) -> Amendment {
        let mut amendment = Amendment::default();
        for problem in problems {
            match problem {
                Problem::Amount { got, .. } => {
                    let Some(wanted) = &self.expectation.instances else {
                        continue;
                    };
                    match wanted.value {
                        AmountTest::Exactly(_) => {
                            let what = What::Scalar(New::Amount(*got));
                            amendment.change(wanted.span, "instances", what);
                        }
                        AmountTest::Bounds(_) => amendment.keep(BOUNDS_STAY),
                    }
                }
                Problem::Value { test, .. } => self.amend_value(&mut amendment, test),
                Problem::NoSample { others, times, .. } => match &self.expectation.ask {
                    _ if !others.is_empty() => amendment.keep(format!(
                        "no sample has the labels that it selects; there are {}",
                        named(others.iter())
                    )),
                    Ask::At { value: Some(_), .. } => {
                        let at = self.expectation.expr.whole();
                        amendment.change(at, "value", What::Swap("samples", New::Word("none")));
                        amendment.change(at, "tolerance", What::Remove);
                    }
                    _ => amendment.keep(format!(
                        "there is no sample at {} of {} moments",
                        times.0, times.1
                    )),
                },
                Problem::Sample { .. } => self.amend_presence(&mut amendment),
                Problem::Error { message, .. } => {
                    amendment.keep(format!("it can't be evaluated: {message}"));
                }
                _ => amendment.keep("there is nothing to write"),
            }
        }
        amendment
    }

    fn selected(&self) -> impl Iterator<Item = &ColumnSeries> {
        let series = self.columns.series.iter();
        series.filter(|series| self.is_meant(series))
    }

    fn floats(&self, series: &ColumnSeries) -> Option<Vec<f64>> {
        let float = |(_, sample): (usize, Sample<'_>)| match sample {
            Sample::Float(value) => Some(value),
            Sample::Histogram(_) => None,
        };
        self.samples(series).map(float).collect()
    }

    /// The one value that all selected samples have, or why there is none.
    fn common(&self, pick: impl Fn(Vec<f64>) -> Vec<f64>) -> Result<f64, String> {
        let mut all: Vec<f64> = Vec::new();
        for series in self.selected() {
            let Some(floats) = self.floats(series) else {
                return Err("a sample is a histogram, and a value is a number".to_owned());
            };
            all.extend(pick(floats));
        }
        let is_same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
        match all.split_first() {
            None => Err("there is no sample".to_owned()),
            Some((first, rest)) => match rest.iter().find(|value| !is_same(**value, *first)) {
                None => Ok(*first),
                Some(other) => Err(format!(
                    "its samples differ ({}, {}, …): select them by `labels`, or write bounds",
                    format_value(*first),
                    format_value(*other)
                )),
            },
        }
    }

    fn amend_value(&self, amendment: &mut Amendment, test: &str) {
        let least = |floats: Vec<f64>| floats.into_iter().reduce(f64::min).into_iter().collect();
        let most = |floats: Vec<f64>| floats.into_iter().reduce(f64::max).into_iter().collect();
        let (key, wanted, got): (_, &Option<Spanned<ValueTest>>, _) =
            match (&self.expectation.ask, test) {
                (Ask::At { value, .. }, _) => ("value", value, self.common(|all| all)),
                (Ask::Over { min, .. }, "min") => ("min", min, self.common(least)),
                (Ask::Over { max, .. }, "max") => ("max", max, self.common(most)),
                (Ask::Over { always, .. }, _) => ("always", always, self.common(|all| all)),
            };
        let Some(wanted) = wanted else {
            return;
        };
        match (&wanted.value, got) {
            (ValueTest::Bounds(_), _) => amendment.keep(BOUNDS_STAY),
            (ValueTest::Equal { .. }, Ok(got)) => {
                amendment.change(wanted.span, key, What::Scalar(New::Number(got)));
            }
            (ValueTest::Equal { .. }, Err(reason)) => amendment.keep(reason),
        }
    }

    /// There are samples where none were expected.
    fn amend_presence(&self, amendment: &mut Amendment) {
        let key = match &self.expectation.ask {
            Ask::At { value: None, .. } => "value",
            Ask::Over {
                always: None,
                min: None,
                max: None,
                ..
            } => "always",
            _ => {
                amendment.keep("it asks for values and for no samples at once");
                return;
            }
        };
        let selected: Vec<&ColumnSeries> = self.selected().collect();
        if self.lacking(&selected).is_some() {
            amendment.keep("there are samples at some moments only: write `min` or `max` by hand");
            return;
        }
        match self.common(|all| all) {
            Ok(value) => {
                let at = self.expectation.expr.whole();
                amendment.change(at, "samples", What::Swap(key, New::Number(value)));
            }
            Err(reason) => amendment.keep(reason),
        }
    }
}
