//! `rulecheck slo table`: the SRE Workbook's tables for any objective.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::detect::{length, share};
use super::load;
use crate::command::{Outcome, TEXT_OR_JSON, format};
use crate::io;
use crate::promql::Features;
use crate::report::{Format, workbook};
use crate::slo::read::DEFAULT_PERIOD;
use crate::slo::target::Target;
use crate::slo::window::{Calendar, CalendarUnit, Window};
use crate::text::Diagnostic;

/// The options of `rulecheck slo table`.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(super) struct Options {
    /// Objectives whose tables to show: files, folders that hold some, patterns, or - for standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["objective", "window", "calendar"])]
    files: Vec<PathBuf>,
    /// Which share of all events shall be good [default: 99.9%]
    #[arg(long, value_name = "PERCENT")]
    objective: Option<String>,
    /// Over which time; of objectives in files that of those that say none [default: 30d]
    #[arg(long, value_name = "DURATION", conflicts_with = "calendar")]
    window: Option<String>,
    /// Over which stretch of the calendar instead
    #[arg(long, value_enum, value_name = "UNIT")]
    calendar: Option<Unit>,
    /// Let this share of events be bad where alerts are compared
    #[arg(long, value_name = "SHARE", default_value = "100%")]
    size: String,
    /// How to print the result
    #[arg(long, value_name = "FORMAT", value_parser = format(&TEXT_OR_JSON), default_value = "text")]
    format: Format,
}

const NOTES: &str = "The formulas are those of chapter 5, Alerting on SLOs, for steady traffic; `rulecheck slo detect` puts the \
replay of an objective's own alerts beside them.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Unit {
    Week,
    Month,
    Quarter,
    Year,
}

/// Prints the tables.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let errors = share("--size", &options.size)?;
    let shown = match options.files.is_empty() {
        true => vec![workbook::Shown {
            name: String::new(),
            target: target(options.objective.as_deref().unwrap_or("99.9%"))?,
            window: window(options)?,
            errors,
        }],
        false => of_files(&options.files, errors)?,
    };
    io::print(&match options.format {
        Format::Json => workbook::json(&shown),
        _ => workbook::text(&shown),
    });
    Ok(Outcome::Success)
}

fn of_files(files: &[PathBuf], errors: f64) -> Result<Vec<workbook::Shown>, Vec<Diagnostic>> {
    let slos = load::objectives(files, DEFAULT_PERIOD, &Features::default())?;
    let shown = slos.into_iter().map(|slo| workbook::Shown {
        name: slo.name,
        target: slo.target,
        window: slo.window,
        errors,
    });
    Ok(shown.collect())
}

/// A target in per cent, with its sign or without.
fn target(text: &str) -> Result<Target, Vec<Diagnostic>> {
    let number = text.trim();
    let number = number.strip_suffix('%').unwrap_or(number);
    let fault = |reason: String| {
        let fault = Diagnostic::error(format!("--objective {text}: {reason}"));
        vec![fault.help("give per cent of good events, above 0 and below 100, such as 99.9%")]
    };
    let target = Target::of_percent(number).map_err(|error| fault(format!("this {error}")))?;
    match (target.budget(), target.fraction()) {
        (budget, _) if budget <= 0.0 => Err(fault("there is no budget to burn".to_owned())),
        (_, fraction) if fraction <= 0.0 => Err(fault("nothing has to be good".to_owned())),
        // `0.999` is hardly meant as per cent.
        (_, fraction) if fraction < 0.01 => {
            let meant = Target::of_share(number)
                .map(Target::percent)
                .unwrap_or_default();
            Err(fault(format!("these are per cent: is {meant}% meant?")))
        }
        _ => Ok(target),
    }
}

fn window(options: &Options) -> Result<Window, Vec<Diagnostic>> {
    let unit = match options.calendar {
        Some(Unit::Week) => CalendarUnit::Week,
        Some(Unit::Month) => CalendarUnit::Month,
        Some(Unit::Quarter) => CalendarUnit::Quarter,
        Some(Unit::Year) => CalendarUnit::Year,
        None => {
            let window = options.window.as_deref().unwrap_or("30d");
            let millis = length("--window", window)?;
            return match millis {
                3_600_000.. => Ok(Window::Rolling(millis)),
                _ => {
                    let fault = format!("--window {window}: this is too short for burn rates");
                    Err(vec![
                        Diagnostic::error(fault).help("give an hour or more, such as 30d"),
                    ])
                }
            };
        }
    };
    Ok(Window::Calendar(Calendar::natural(unit, chrono_tz::UTC)))
}
