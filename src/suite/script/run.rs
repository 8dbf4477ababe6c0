//! Runs a script: every evaluation as written, and those of one moment again as Prometheus tries them.

use super::compare::{Got, compare};
use super::pin::pinned;
use super::{
    Command, Evaluation, Expected, Load, Script, ScriptFailure, ScriptReport, Steps, Time,
};
use crate::model::{Millis, Timestamp};
use crate::promql::ast::{Expr, ExprKind, ValueType};
use crate::promql::{
    Annotations, Columns, Evaluated, Features, Query, Reader, Sample, Ticks, View, evaluate,
    evaluate_range, evaluate_windows,
};
use crate::store::{Points, Series, Store, Writer};

/// Step of a subquery that names none.
const SUBQUERY_STEP: Millis = 60_000;

/// How far around a moment the range query lies that must give the same there.
const AROUND: Millis = 60_000;

/// Runs a script. Prometheus's own have all features on ([`Features::ALL`]).
pub fn run(script: &Script, features: Features) -> ScriptReport {
    let mut stage = Stage {
        store: Store::default(),
        features,
    };
    let mut report = ScriptReport::default();
    for command in &script.commands {
        match command {
            Command::Clear => stage.store = Store::default(),
            Command::Load(load) => stage.add(load),
            Command::Evaluate(evaluation) => match check(evaluation, &stage) {
                Ok(()) => report.passed += 1,
                Err(miss) => report.failures.push(ScriptFailure {
                    line: script.source.line_column(evaluation.span.start).line,
                    query: miss.query,
                    mode: miss.mode,
                    expected: miss.expected,
                    got: miss.got,
                }),
            },
        }
    }
    report
}

/// What queries are evaluated over, and how.
struct Stage {
    store: Store,
    features: Features,
}

/// How an evaluation missed what was expected.
struct Miss {
    query: String,
    mode: String,
    expected: String,
    got: String,
}

impl Stage {
    fn add(&mut self, load: &Load) {
        for (labels, points) in &load.series {
            self.store.add(Series {
                labels: labels.clone(),
                points: points.clone(),
                writer: Writer::INPUT,
            });
        }
    }

    fn parse(&self, text: &str) -> Result<Query, Miss> {
        Query::parse(text, &self.features).map_err(|errors| {
            let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
            Miss {
                query: text.to_owned(),
                mode: "parsed".to_owned(),
                expected: "a query".to_owned(),
                got: messages.join("; "),
            }
        })
    }

    fn view(&self) -> View<'_> {
        View {
            features: self.features,
            ..View::new(&self.store, Reader::After(Timestamp::MAX), SUBQUERY_STEP)
        }
    }
}

fn check(evaluation: &Evaluation, stage: &Stage) -> Result<(), Miss> {
    let query = stage.parse(&evaluation.query)?;
    match (evaluation.time, evaluation.window) {
        (Time::Range(_), Some(steps)) | (Time::Range(steps), None) => {
            check_range(evaluation, &query, steps, stage)
        }
        (Time::Instant(_), Some(steps)) => check_instant(evaluation, &query, steps.end, stage),
        (Time::Instant(time), None) => {
            check_instant(evaluation, &query, time, stage)?;
            check_elsewhere(evaluation, &query, time, stage)
        }
    }
}

/// The same query pinned to its moment must give the same wherever it is evaluated.
fn check_elsewhere(
    evaluation: &Evaluation,
    query: &Query,
    time: Timestamp,
    stage: &Stage,
) -> Result<(), Miss> {
    let Some(text) = pinned(query, time) else {
        return Ok(());
    };
    let query = stage.parse(&text)?;
    let elsewhere = match time {
        0 => vec![-1_000, 0, 1_000],
        time => vec![
            time.saturating_mul(-10),
            0,
            time / 5,
            time,
            time.saturating_mul(10),
        ],
    };
    for time in elsewhere {
        check_instant(evaluation, &query, time, stage)?;
    }
    Ok(())
}

fn check_range(
    evaluation: &Evaluation,
    query: &Query,
    steps: Steps,
    stage: &Stage,
) -> Result<(), Miss> {
    let Steps { start, end, step } = steps;
    let answer = match query.range_fault() {
        Some(fault) => Err(fault),
        None => of_columns(evaluate_range(query, &stage.view(), start, end, step), true),
    };
    let mode = format!("from {start} ms to {end} ms step {step} ms");
    judge(evaluation, query, &mode, answer).map(drop)
}

/// An instant query, and, where it yields a vector, the middle of a range query around its moment.
fn check_instant(
    evaluation: &Evaluation,
    query: &Query,
    time: Timestamp,
    stage: &Stage,
) -> Result<(), Miss> {
    let view = stage.view();
    let mode = format!("at {time} ms");
    if query.value_type() == ValueType::Matrix {
        let answer = evaluate_windows(query, &view, time)
            .map(|found| (Got::Matrix(found.series), Some(found.annotations)))
            .map_err(|error| error.message);
        let failed = judge(evaluation, query, &mode, answer)?;
        // Without the line Prometheus tries a range query too, which has no windows as its result.
        return match failed || evaluation.window.is_some() {
            true => Ok(()),
            false => Err(Miss {
                query: query.text.clone(),
                mode,
                expected: "the times of the samples: `expect range vector from … to … step …`"
                    .to_owned(),
                got: "a range vector".to_owned(),
            }),
        };
    }
    let answer = of_columns(evaluate(query, &view, Ticks::instant(time)), false);
    let failed = judge(evaluation, query, &mode, answer)?;
    let is_text = matches!(evaluation.expected, Expected::Text(_));
    if failed || is_text || evaluation.window.is_some() || asks_for_query(&query.expr) {
        return Ok(());
    }
    let (start, end) = (time.saturating_sub(AROUND), time.saturating_add(AROUND));
    let around = evaluate_range(query, &view, start, end, AROUND);
    // What a range query has to say beside its result is not compared.
    let answer =
        of_columns(around, true).map(|(got, _)| (got.middle(time, query.value_type()), None));
    if evaluation.ordered && answer.is_ok() {
        return Ok(());
    }
    let mode = format!("at {time} ms of a range");
    judge(evaluation, query, &mode, answer).map(drop)
}

/// Whether some part of a query asks for the query's own times.
fn asks_for_query(expr: &Expr) -> bool {
    let text = expr.to_string();
    ["start()", "end()", "range()", "step()"]
        .iter()
        .any(|asked| text.contains(asked))
        || matches!(&expr.kind, ExprKind::String(_))
}

/// The result of a query and what is said of it, where that is to be compared; or why the query failed.
type Answer = Result<(Got, Option<Annotations>), String>;

fn of_columns(evaluated: Evaluated, is_range: bool) -> Answer {
    let (mut columns, is_scalar) = match evaluated {
        Evaluated::String(text) => return Ok((Got::Text(text), None)),
        Evaluated::Scalar(columns) => (columns, true),
        Evaluated::Vector(columns) => (columns, false),
    };
    if let Some((_, error)) = columns.errors.pop_first() {
        return Err(error.message);
    }
    let got = if is_range {
        Got::Matrix(matrix(&columns))
    } else if is_scalar {
        let first = columns
            .series
            .first()
            .and_then(|series| series.column.get(0));
        match first {
            Some(Sample::Float(value)) => Got::Scalar(value),
            _ => return Err("a scalar without a value".to_owned()),
        }
    } else {
        Got::Vector(matrix(&columns))
    };
    Ok((got, Some(columns.annotations)))
}

fn matrix(columns: &Columns) -> Vec<(crate::model::Labels, Points)> {
    let series = columns.series.iter().map(|series| {
        let mut points = Points::default();
        for tick in series.column.present_ticks() {
            let time = columns.ticks.time(tick);
            match series.column.get(tick) {
                Some(Sample::Float(value)) => points.push(time, value),
                Some(Sample::Histogram(histogram)) => {
                    points.push_histogram(time, histogram.clone())
                }
                None => {}
            }
        }
        (series.labels.clone(), points)
    });
    series.filter(|(_, points)| !points.is_empty()).collect()
}

/// Compares a result with what was expected; says whether the query failed as it should.
fn judge(evaluation: &Evaluation, query: &Query, mode: &str, answer: Answer) -> Result<bool, Miss> {
    let miss = |expected: String, got: String| Miss {
        query: query.text.clone(),
        mode: mode.to_owned(),
        expected,
        got,
    };
    match (&evaluation.failure, answer) {
        (Some(pattern), Err(message)) if pattern.matches(&message) => Ok(true),
        (Some(pattern), Err(message)) => Err(miss(
            format!("failure with {}", pattern.describe()),
            message,
        )),
        (Some(pattern), Ok((got, _))) => Err(miss(
            format!("failure with {}", pattern.describe()),
            got.describe(),
        )),
        (None, Err(message)) => Err(miss("no failure".to_owned(), message)),
        (None, Ok((got, annotations))) => {
            let expected = &evaluation.annotations;
            let annotated = match &annotations {
                Some(annotations) => expected.compare(annotations, &query.text),
                None => Ok(()),
            };
            annotated
                .and_then(|()| compare(evaluation, &got))
                .map_err(|(expected, got)| miss(expected, got))?;
            Ok(false)
        }
    }
}
