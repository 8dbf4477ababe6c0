//! `query` and `query_range`: a request is prepared first, which is quick, and then run, which may take long.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Served;
use super::params::{self, millis};
use super::request::{Refusal, Request, Response};
use crate::model::{Millis, Timestamp};
use crate::promql::ast::ValueType;
use crate::promql::{
    Annotations, Columns, EvalError, Evaluated, Query, Ticks, Times, View, evaluate,
    evaluate_range, evaluate_windows,
};
use crate::report::api::{Answer, ErrorType, QueryData};
use crate::text::Severity;

/// No query runs longer; a request may ask for less.
pub(super) const TIMEOUT: Duration = Duration::from_secs(120);

/// An answer carries so many warnings, and so many infos.
const MAX_NOTES: usize = 10;

/// A query that makes sense.
#[derive(Debug)]
pub(super) struct Prepared {
    query: Query,
    times: Times,
    lookback: Option<Millis>,
    limit: Option<usize>,
    /// How long it may run.
    pub timeout: Duration,
}

/// `/api/v1/query`.
pub(super) fn instant(served: &Served, request: &Request) -> Result<Prepared, Refusal> {
    let limit = params::limit(request)?;
    let time = params::time(request, "time")?.unwrap_or(served.setting.now);
    let timeout = timeout(request)?;
    let lookback = lookback(request)?;
    Ok(Prepared {
        query: parse_in_time(served, request, timeout)?,
        times: Times::Instant(time),
        lookback,
        limit,
        timeout,
    })
}

/// `/api/v1/query_range`.
pub(super) fn range(served: &Served, request: &Request) -> Result<Prepared, Refusal> {
    let limit = params::limit(request)?;
    let start = params::required_time(request, "start")?;
    let end = params::required_time(request, "end")?;
    if end < start {
        let fault = "end timestamp must not be before start time";
        return Err(Refusal::parameter("end", fault));
    }
    let times = Times::range(start, end, step(request)?);
    let times = times.ok_or_else(|| Refusal::bad_data(Times::TOO_MANY_POINTS))?;
    let timeout = timeout(request)?;
    let lookback = lookback(request)?;
    let query = parse_in_time(served, request, timeout)?;
    match query.range_fault() {
        None => Ok(Prepared {
            query,
            times,
            lookback,
            limit,
            timeout,
        }),
        Some(fault) => Err(Refusal::parameter("query", fault)),
    }
}

/// The distance of steps, at least a millisecond.
fn step(request: &Request) -> Result<Millis, Refusal> {
    let step = params::parse_duration(request.value("step"))
        .map_err(|fault| Refusal::parameter("step", fault))?;
    match millis(step) {
        step if step > 0 => Ok(step),
        _ => Err(Refusal::parameter(
            "step",
            "zero or negative query resolution step widths are not accepted. Try a positive integer",
        )),
    }
}

/// How long a query may run; no time at all where that is less than none.
fn timeout(request: &Request) -> Result<Duration, Refusal> {
    match request.value("timeout") {
        "" => Ok(TIMEOUT),
        text => {
            let nanos = params::parse_duration(text)
                .map_err(|fault| Refusal::parameter("timeout", fault))?;
            let nanos = u64::try_from(nanos).unwrap_or_default();
            Ok(Duration::from_nanos(nanos).min(TIMEOUT))
        }
    }
}

fn lookback(request: &Request) -> Result<Option<Millis>, Refusal> {
    match request.value("lookback_delta") {
        "" => Ok(None),
        text => {
            let nanos = params::parse_duration(text).map_err(|fault| {
                Refusal::bad_data(format!("error parsing lookback delta duration: {fault}"))
            })?;
            Ok((nanos > 0).then(|| millis(nanos)))
        }
    }
}

/// The query, unless it may take no time. Of what Prometheus answers to that, by chance, this is the most frequent.
fn parse_in_time(served: &Served, request: &Request, timeout: Duration) -> Result<Query, Refusal> {
    match timeout.is_zero() {
        true => Err(Refusal::parameter("query", "context deadline exceeded")),
        false => parse(served, request),
    }
}

fn parse(served: &Served, request: &Request) -> Result<Query, Refusal> {
    params::parse_query(served, request.value("query"))
        .map_err(|fault| Refusal::parameter("query", fault))
}

impl Prepared {
    /// Runs the query until it is done or stopped.
    pub fn run(self, served: &Served, stop: &AtomicBool) -> Result<Response, Refusal> {
        let view = View {
            lookback: self.lookback.unwrap_or(View::LOOKBACK),
            stop: Some(stop),
            ..served.view()
        };
        let response = match self.times {
            Times::Instant(time) if self.query.value_type() == ValueType::Matrix => {
                self.windows(&view, time, stop)
            }
            Times::Instant(time) => {
                let evaluated = evaluate(&self.query, &view, Ticks::instant(time));
                self.answer(evaluated, stop, |evaluated| {
                    QueryData::instant(evaluated, time)
                })
            }
            Times::Range { start, end, step } => {
                let evaluated = evaluate_range(&self.query, &view, start, end, step);
                self.answer(evaluated, stop, |evaluated| QueryData::range(evaluated))
            }
        };
        match stop.load(Ordering::Relaxed) {
            true => Err(stopped()),
            false => response,
        }
    }

    fn windows(
        &self,
        view: &View<'_>,
        time: Timestamp,
        stop: &AtomicBool,
    ) -> Result<Response, Refusal> {
        let mut windowed = evaluate_windows(&self.query, view, time).map_err(failed)?;
        let cut = params::truncate(&mut windowed.series, self.limit);
        let data = QueryData::windows(&windowed.series);
        self.noted(data, &windowed.annotations, cut, stop)
    }

    fn answer(
        &self,
        mut evaluated: Evaluated,
        stop: &AtomicBool,
        data: impl Fn(&Evaluated) -> QueryData<'_>,
    ) -> Result<Response, Refusal> {
        let (mut annotations, mut cut) = (Annotations::default(), false);
        if let Evaluated::Vector(columns) | Evaluated::Scalar(columns) = &mut evaluated {
            if let Some(error) = first_error(columns) {
                return Err(failed(error));
            }
            annotations = std::mem::take(&mut columns.annotations);
            cut = params::truncate(&mut columns.series, self.limit);
        }
        self.noted(data(&evaluated), &annotations, cut, stop)
    }

    /// The answer with what is to be said about it.
    fn noted(
        &self,
        data: QueryData<'_>,
        annotations: &Annotations,
        cut: bool,
        stop: &AtomicBool,
    ) -> Result<Response, Refusal> {
        let text = &self.query.text;
        let mut warnings = annotations.texts(Severity::Warning, text);
        warnings.extend(params::truncation(cut));
        let mut infos = annotations.texts(Severity::Info, text);
        shorten(&mut warnings, "warning");
        shorten(&mut infos, "info");
        let answer = Answer::success(data).with_notes(warnings, infos);
        match answer.json_unless(stop) {
            Some(body) => Ok(Response::json(200, body)),
            None => Err(stopped()),
        }
    }
}

/// Leaves ten, and says how many there were more.
fn shorten(notes: &mut Vec<String>, kind: &str) {
    if let Some(more) = notes.len().checked_sub(MAX_NOTES).filter(|&more| more > 0) {
        notes.truncate(MAX_NOTES);
        notes.push(format!("{more} more {kind} annotations omitted"));
    }
}

fn first_error(columns: &mut Columns) -> Option<EvalError> {
    columns.errors.pop_first().map(|(_, error)| error)
}

fn failed(error: EvalError) -> Refusal {
    Refusal::new(ErrorType::Execution, error.message)
}

/// The query was stopped before it was done.
pub(super) fn stopped() -> Refusal {
    Refusal::new(
        ErrorType::Canceled,
        "query was canceled in expression evaluation",
    )
}

/// The query took longer than it may.
pub(super) fn timed_out(place: &str) -> Refusal {
    Refusal::new(ErrorType::Timeout, format!("query timed out in {place}"))
}

/// `/api/v1/format_query`.
pub(super) fn format(served: &Served, request: &Request) -> Result<Response, Refusal> {
    let query = parse(served, request)?;
    match query.pretty(MAX_TEXT) {
        Some(text) => Ok(Response::success(text)),
        None => Err(Refusal::bad_data(
            "the formatted query would be larger than 16 MiB",
        )),
    }
}

/// No formatted query is longer: each operator of a chain may move all before it to the right.
const MAX_TEXT: usize = 1 << 24;

/// `/api/v1/query_exemplars`: there are none.
pub(super) fn exemplars(served: &Served, request: &Request) -> Result<Response, Refusal> {
    let start = params::time(request, "start")?;
    let end = params::time(request, "end")?;
    if start.zip(end).is_some_and(|(start, end)| end < start) {
        let fault = "end timestamp must not be before start timestamp";
        return Err(Refusal::bad_data(fault));
    }
    let query = params::parse_query(served, request.value("query")).map_err(Refusal::bad_data)?;
    match crate::promql::selectors::selectors(&query.expr, 0).is_empty() {
        true => Ok(Response::nothing()),
        false => Ok(Response::success([(); 0])),
    }
}
