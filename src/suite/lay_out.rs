//! The samples of the input series of a test, given and generated.

use rayon::prelude::*;

use super::file::{InputSeries, TestCase, TestFile};
use super::generate::check;
use super::run::length;
use super::together::{Origin, Together};
use super::verdict::since;
use super::warmup::warm_up;
use crate::model::{Millis, Timestamp};
use crate::series::generate::{Grid, generate};
use crate::series::notation;
use crate::series::stored::{as_stored, refused};
use crate::store::{Series, Store, Writer};
use crate::text::Diagnostic;

/// At most so many samples may one input series have.
const MAX_SAMPLES: usize = 50_000_000;

/// Samples of all input series above which they are laid out on several threads.
const PARALLEL_SAMPLES: u64 = 100_000;

/// The input series of a test, given and generated, in the order in which evaluations get to see them, else as the file has them.
/// Of what comes before the test only as much is laid out as something looks at one by one: `seen` before its start.
pub(super) fn inputs(
    file: &TestFile,
    test: &TestCase,
    seen: Millis,
) -> Result<Store, Vec<Diagnostic>> {
    let lay_out = |series| lay_out(file, test, series);
    let count: u64 = test
        .input_series
        .iter()
        .map(InputSeries::count)
        .fold(0, u64::saturating_add);
    let laid_out: Vec<Result<Series, Diagnostic>> = match count < PARALLEL_SAMPLES {
        true => test.input_series.iter().map(lay_out).collect(),
        false => test.input_series.par_iter().map(lay_out).collect(),
    };
    let mut inputs = Vec::with_capacity(laid_out.len());
    let mut faults = Vec::new();
    for result in laid_out {
        match result {
            Ok(series) => inputs.push(series),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if !test.fixtures.is_empty() {
        inputs = with_fixtures(file, test, inputs)?;
    }
    if !test.generated.is_empty() {
        let length = length(test, inputs.iter());
        inputs.extend(generated(test, length)?);
    }
    warm_up(file, test, &mut inputs, seen)?;
    let interval = file.evaluation_interval.max(1);
    let first_evaluation = |series: &Series| match series.points.is_empty() {
        true => Timestamp::MAX,
        false => (since(test.start, series.points.time(0)) + interval - 1).div_euclid(interval),
    };
    inputs.sort_by_key(first_evaluation);
    let mut store = Store::default();
    for series in inputs {
        store.add(series);
    }
    Ok(store)
}

/// Input series, as many as the test has, and those that its fixtures bring.
fn with_fixtures(
    file: &TestFile,
    test: &TestCase,
    inputs: Vec<Series>,
) -> Result<Vec<Series>, Vec<Diagnostic>> {
    let mut together = Together::default();
    for (series, input) in inputs.into_iter().zip(&test.input_series) {
        let origin = Origin::new("an input series", &file.source, input.series.whole());
        together.add(series.labels, series.points, origin);
    }
    for fixture in &test.fixtures {
        together.add_fixture(fixture);
    }
    together.finish(test.start)
}

/// The series that a test of some length generates.
fn generated(
    test: &TestCase,
    length: Millis,
) -> Result<impl Iterator<Item = Series>, Vec<Diagnostic>> {
    let grid = grid(test, length);
    let faults = check(test, &grid);
    if !faults.is_empty() {
        return Err(faults);
    }
    let generators = test.generated.iter().map(|generated| &generated.generator);
    let series = generate(generators, &grid).into_iter();
    Ok(series.map(|(labels, points)| Series {
        labels,
        points,
        writer: Writer::INPUT,
    }))
}

/// What keeps the series of a test from being generated, where it says how long it lasts.
pub(super) fn generated_faults(test: &TestCase) -> Vec<Diagnostic> {
    match &test.duration {
        Some(duration) => check(test, &grid(test, duration.value)),
        None => Vec::new(),
    }
}

fn grid(test: &TestCase, length: Millis) -> Grid {
    Grid {
        start: test.start,
        interval: test.interval.max(1),
        end: test.start.saturating_add(length),
    }
}

/// An input series with its samples.
fn lay_out(file: &TestFile, test: &TestCase, series: &InputSeries) -> Result<Series, Diagnostic> {
    let points = notation::expand(&series.values, test.start, test.interval, MAX_SAMPLES)
        .map_err(|error| diagnose(file, series, error.message, error.help))?;
    if let Some((_, fault)) = refused(&points) {
        let message = format!("Prometheus does not store this histogram: {fault}");
        let help = "mend the histogram, or what is added to it or taken away";
        return Err(diagnose(file, series, message, help.to_owned()));
    }
    Ok(Series {
        labels: series.labels.clone(),
        points: as_stored(points),
        writer: Writer::INPUT,
    })
}

/// What is wrong with the values of an input series.
fn diagnose(file: &TestFile, series: &InputSeries, message: String, help: String) -> Diagnostic {
    let values = series.values_text.as_ref();
    let span = values.map_or(series.span, |text| text.whole());
    Diagnostic::error(message).at(&file.source, span).help(help)
}
