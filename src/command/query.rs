//! `rulecheck query`: evaluates an expression over recorded series.

use std::path::PathBuf;

use clap::Args;

use super::check::unmatched;
use super::{Limits, Outcome, TEXT_OR_JSON, complain, enabled, format, load};
use crate::io;
use crate::model::number::parse_float;
use crate::model::{Duration, Millis, Timestamp};
use crate::promql::ast::ValueType;
use crate::promql::selectors::greediest;
use crate::promql::{
    Annotations, Evaluated, Query, Reader, TOO_MANY_SAMPLES, TOO_MANY_STEPS, Ticks, Times, View,
    evaluate, evaluate_range, evaluate_windows,
};
use crate::report::api::{Answer, ErrorType, QueryData};
use crate::report::{Format, listing, remedy};
use crate::rules::diagnose_query;
use crate::series::time::moment;
use crate::store::Store;
use crate::text::yaml::Embedded;
use crate::text::{Diagnostic, Severity, Source};

/// The options of `rulecheck query`.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(super) struct Options {
    /// The expression
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    expr: String,
    /// Series: OpenMetrics or Prometheus text, answers of the query API (JSON), or CSV, each also packed with gzip; - for
    /// standard input; may be given again
    #[arg(long, value_name = "FILE", required = true)]
    data: Vec<PathBuf>,
    /// Evaluate at this time; if no time is given at that of the last sample in the data
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, conflicts_with_all = ["start", "end", "step"])]
    time: Option<String>,
    /// Evaluate a range from this time on; if not given, from the first sample in the data on
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    start: Option<String>,
    /// Evaluate a range up to this time; if not given, up to the last sample in the data
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    end: Option<String>,
    /// Evaluate a range at these distances; if not given, at some 250 of them
    #[arg(long, value_name = "DURATION", allow_negative_numbers = true)]
    step: Option<String>,
    /// How to print the result; json is the answer of Prometheus's HTTP API
    #[arg(long, value_name = "FORMAT", value_parser = format(&TEXT_OR_JSON), default_value = "text")]
    format: Format,
    /// How long instant selectors look back for a sample
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    lookback_delta: String,
    #[command(flatten)]
    limits: Limits,
    /// Switch on a feature by promtool's name; several with commas
    #[arg(long, value_name = "NAME")]
    enable_feature: Vec<String>,
}

const NOTES: &str = "A TIME is RFC 3339 (2026-01-05T08:00:00Z) or seconds since 1970, a DURATION is one such as 30s, or seconds. \
A subquery without a step has steps of 1m.";

/// The step of subqueries that name none: Prometheus's evaluation interval.
const DEFAULT_STEP: Millis = 60_000;

/// Evaluates the expression and prints the result.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let one = |fault: Diagnostic| vec![fault];
    let features = enabled(&options.enable_feature).map_err(one)?;
    let lookback = duration("--lookback-delta", &options.lookback_delta).map_err(one)?;
    let text = Embedded::of_source(&Source::new("<expression>", options.expr.as_str()));
    let query = Query::parse(&options.expr, &features).map_err(|errors| {
        let fault = |error| diagnose_query(&text, error, "could not parse expression: ");
        errors.iter().map(fault).collect::<Vec<_>>()
    })?;
    let written = Written::read(options).map_err(one)?;
    let store = load::data(&options.data, &features)?;
    let times = written.times(&store).map_err(one)?;
    if let (Times::Range { .. }, Some(message)) = (times, query.range_fault()) {
        let fault = Diagnostic::error(message).at(text.source(), text.whole());
        return Err(one(fault.help("evaluate it at one --time")));
    }
    let view = View {
        lookback,
        features,
        max_samples: options.limits.max_samples,
        ..View::new(&store, Reader::After(Timestamp::MAX), DEFAULT_STEP)
    };
    let shown = Shown {
        query: &query,
        text: &text,
        format: options.format,
        store: &store,
    };
    shown.evaluate(&view, times).map_err(one)
}

/// The times of the call.
struct Written {
    time: Option<Timestamp>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    step: Option<Millis>,
}

impl Written {
    fn read(options: &Options) -> Result<Written, Diagnostic> {
        let time = |flag: &str, text: &Option<String>| match text.as_deref() {
            None => Ok(None),
            Some(text) => moment(text).map(Some).ok_or_else(|| {
                Diagnostic::error(format!(
                    "{flag}: cannot parse {text:?} to a valid timestamp"
                ))
                .help("write it as 2026-01-05T08:00:00Z, or in seconds since 1970")
            }),
        };
        let step = options.step.as_deref();
        Ok(Written {
            time: time("--time", &options.time)?,
            start: time("--start", &options.start)?,
            end: time("--end", &options.end)?,
            step: step.map(|text| duration("--step", text)).transpose()?,
        })
    }

    /// What is not given is taken from the data.
    fn times(&self, store: &Store) -> Result<Times, Diagnostic> {
        if let Some(time) = self.time {
            return Ok(Times::Instant(time));
        }
        let extent = load::extent(store);
        let of_data = |time: Option<Timestamp>| {
            time.ok_or_else(|| {
                Diagnostic::error("the data holds no sample, so that no time is known")
                    .help("give a --time, or --start and --end")
            })
        };
        let end = of_data(self.end.or(extent.map(|extent| extent.1)))?;
        if (self.start, self.end, self.step) == (None, None, None) {
            return Ok(Times::Instant(end));
        }
        let start = of_data(self.start.or(extent.map(|extent| extent.0)))?;
        if end < start {
            let fault = Diagnostic::error("end timestamp must not be before start time");
            return Err(fault.help("give a --start before --end, or leave one of them to the data"));
        }
        // As promtool chooses.
        let chosen = ((end - start) / 1000 / 250 * 1000).max(1000);
        let step = self.step.unwrap_or(chosen);
        Times::range(start, end, step).ok_or_else(|| {
            let least = Duration((end - start) / Times::MAX_POINTS + 1);
            Diagnostic::error(Times::TOO_MANY_POINTS)
                .help(format!("give a --step of at least {least}"))
        })
    }
}

/// A length above 0: seconds, or with units.
fn duration(flag: &str, text: &str) -> Result<Millis, Diagnostic> {
    let fault = |reason: String| {
        Diagnostic::error(format!("{flag} {text}: {reason}"))
            .help("give a duration above 0 such as 30s, 1m or 0.5 (seconds)")
    };
    let millis = match parse_float(text) {
        Some(seconds) => (seconds * 1000.0) as Millis,
        None => Duration::parse(text)
            .map_err(|error| fault(error.to_string()))?
            .millis(),
    };
    match millis {
        1.. if millis <= MAX_DURATION => Ok(millis),
        1.. => Err(fault("the duration is out of range".to_owned())),
        _ => Err(fault("it must be above 0".to_owned())),
    }
}

/// Prometheus counts in nanoseconds.
const MAX_DURATION: Millis = i64::MAX / 1_000_000;

/// What is evaluated, and how it is shown.
struct Shown<'q> {
    query: &'q Query,
    text: &'q Embedded,
    format: Format,
    store: &'q Store,
}

impl Shown<'_> {
    fn evaluate(&self, view: &View<'_>, times: Times) -> Result<Outcome, Diagnostic> {
        let evaluated = match times {
            Times::Instant(time) if self.query.value_type() == ValueType::Matrix => {
                return match evaluate_windows(self.query, view, time) {
                    Err(error) => Err(self.fail(error.message)),
                    Ok(windowed) => {
                        let text = || listing::windows(&windowed.series);
                        let data = || QueryData::windows(&windowed.series);
                        Ok(self.succeed(text, data, &windowed.annotations))
                    }
                };
            }
            Times::Instant(time) => evaluate(self.query, view, Ticks::instant(time)),
            Times::Range { start, end, step } => evaluate_range(self.query, view, start, end, step),
        };
        let none = Annotations::default();
        let notes = match &evaluated {
            Evaluated::String(_) => &none,
            Evaluated::Vector(columns) | Evaluated::Scalar(columns) => {
                if let Some(error) = columns.errors.values().next() {
                    return Err(self.fail(error.message.clone()));
                }
                &columns.annotations
            }
        };
        Ok(match times {
            Times::Instant(time) => {
                let text = || listing::instant(&evaluated, time);
                self.succeed(text, || QueryData::instant(&evaluated, time), notes)
            }
            Times::Range { .. } => {
                let text = || listing::range(&evaluated);
                self.succeed(text, || QueryData::range(&evaluated), notes)
            }
        })
    }

    /// Prints a result. In text what is to be said about it goes to standard error.
    fn succeed<'r>(
        &self,
        text: impl Fn() -> String,
        data: impl Fn() -> QueryData<'r>,
        notes: &Annotations,
    ) -> Outcome {
        match self.format {
            Format::Json => {
                let texts = |severity| notes.texts(severity, &self.query.text);
                let answer = Answer::success(data())
                    .with_notes(texts(Severity::Warning), texts(Severity::Info));
                self.print_json(&answer.json());
            }
            _ => {
                let text = text();
                for note in notes.iter() {
                    complain(&note.diagnose(self.text));
                }
                if text.is_empty() {
                    self.explain_nothing();
                }
                io::print(&text);
            }
        }
        Outcome::Success
    }

    /// Says that there is no result, and which selectors match nothing at all.
    fn explain_nothing(&self) {
        let unmatched = unmatched(self.query, self.text, self.store);
        unmatched.iter().for_each(complain);
        if unmatched.is_empty() {
            io::complain("the result is empty\n");
        }
    }

    /// What is to be said of an evaluation that failed; where the answer is JSON it is answered, too.
    fn fail(&self, message: String) -> Diagnostic {
        if self.format == Format::Json {
            self.print_json(&Answer::failure(ErrorType::Execution, message.as_str()).json());
        }
        let help = remedy(&message).unwrap_or("correct the expression");
        let greediest = match [TOO_MANY_SAMPLES, TOO_MANY_STEPS].contains(&message.as_str()) {
            true => greediest(&self.query.expr),
            false => None,
        };
        let place = greediest.map_or_else(|| self.text.whole(), |span| self.text.span(span));
        Diagnostic::error(message)
            .at(self.text.source(), place)
            .help(help)
    }

    fn print_json(&self, json: &[u8]) {
        io::print(&format!("{}\n", String::from_utf8_lossy(json)));
    }
}
