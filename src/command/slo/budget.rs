//! `rulecheck slo budget`: how much of error budgets is left over recorded series.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::load;
use crate::command::load::{data, extent};
use crate::command::{Outcome, TEXT_OR_JSON, enabled, format};
use crate::io;
use crate::model::{Millis, Timestamp};
use crate::promql::{Reader, View};
use crate::report::{Format, budget};
use crate::series::time::moment;
use crate::slo::budget::{Budget, History};
use crate::text::Diagnostic;

/// The options of `rulecheck slo budget`.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(super) struct Options {
    /// Objectives: OpenSLO, Sloth, Pyrra, or rulecheck's own form, told apart by what they hold
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Series: OpenMetrics or Prometheus text, answers of the query API (JSON), or CSV, each also packed with gzip; - for
    /// standard input; may be given again
    #[arg(long, value_name = "FILE", required = true)]
    data: Vec<PathBuf>,
    /// The moment to look at; if not given that of the last sample in the data
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    at: Option<String>,
    /// Show the burn rate over this time; may be given again, and the first tells when the budget will be spent
    #[arg(long, value_name = "DURATION")]
    window: Vec<String>,
    /// What counts as all events where the data is shorter than an objective's window: the whole window, as if it had gone
    /// on at the mean rate without errors, or only what is there
    #[arg(long, value_enum, default_value_t = HistoryName::Full)]
    history: HistoryName,
    /// The window of objectives that say none: Sloth's
    #[arg(long, value_name = "DURATION", default_value = "30d")]
    period: String,
    /// How to print the result
    #[arg(long, value_name = "FORMAT", value_parser = format(&TEXT_OR_JSON), default_value = "text")]
    format: Format,
    /// Switch on a feature by promtool's name; several with commas
    #[arg(long, value_name = "NAME")]
    enable_feature: Vec<String>,
}

const NOTES: &str = "Counters are counted by their raw increases: what a counter rises between two samples, with resets, and \
not `increase()`, which extrapolates. A TIME is RFC 3339 (2026-01-05T08:00:00Z) or seconds since 1970.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HistoryName {
    Full,
    Observed,
}

/// Burn rates over these are shown unless others are asked for: those of the usual alerts.
const WINDOWS: [Millis; 6] = [
    3_600_000,
    300_000,
    1_800_000,
    21_600_000,
    86_400_000,
    259_200_000,
];

/// Counts, and prints.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let features = enabled(&options.enable_feature).map_err(|fault| vec![fault])?;
    let period = load::length("--period", &options.period)?;
    let windows = options
        .window
        .iter()
        .map(|text| load::length("--window", text));
    let mut windows: Vec<Millis> = windows.collect::<Result<_, _>>()?;
    if windows.is_empty() {
        windows.extend(WINDOWS);
    }
    let at = match &options.at {
        None => None,
        Some(text) => Some(moment(text).ok_or_else(|| {
            let fault = Diagnostic::error(format!("--at: {text:?} is no time"));
            vec![fault.help("write it as 2026-01-05T08:00:00Z, or in seconds since 1970")]
        })?),
    };
    let slos = load::objectives(&options.files, period, &features)?;
    let store = data(&options.data, &features)?;
    let Some((first, last)) = extent(&store) else {
        let fault = Diagnostic::error("the data holds no sample");
        return Err(vec![
            fault.help("record the series that the objectives read"),
        ]);
    };
    let at = at.unwrap_or(last);
    if at < first {
        let fault = Diagnostic::error("--at lies before the first sample in the data");
        let first = crate::series::time::show(first);
        return Err(vec![fault.help(format!("give a time from {first} on"))]);
    }
    let history = match options.history {
        HistoryName::Full => History::Full,
        HistoryName::Observed => History::Observed,
    };
    let view = View {
        features,
        ..View::new(&store, Reader::After(Timestamp::MAX), DEFAULT_STEP)
    };
    let (mut shown, mut faults) = (Vec::new(), Vec::new());
    for slo in &slos {
        match Budget::of(slo, &view, at.min(last), history) {
            Ok(budgets) => shown.extend(budgets.into_iter().map(|budget| budget::Shown {
                slo,
                budget,
                at,
                windows: &windows,
                history,
            })),
            Err(found) => faults.extend(found),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    io::print(&match options.format {
        Format::Json => budget::json(&shown),
        _ => budget::text(&shown),
    });
    Ok(Outcome::Success)
}

/// The step of subqueries that name none: Prometheus's evaluation interval.
const DEFAULT_STEP: Millis = 60_000;
