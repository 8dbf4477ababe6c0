//! `rulecheck replay`: what alerts would have done over recorded series.

use std::path::PathBuf;

use clap::Args;

use super::schedule::{PhaseOptions, ScheduleName};
use super::{Limits, Outcome, Reading, TEXT_OR_JSON, complain, format, load};
use crate::io;
use crate::replay::{OnRuleError, ReplaySpec, needs, replay};
use crate::report::{Format, timeline};
use crate::rules::{RuleFile, RuleGroup};
use crate::text::Diagnostic;

/// The options of `rulecheck replay`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Rule files
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    rules: Vec<PathBuf>,
    /// Series: OpenMetrics or Prometheus text, answers of the query API (JSON), or CSV, each also packed with gzip; - for standard input
    #[arg(long, value_name = "FILE", num_args = 1.., required_unless_present = "needs")]
    data: Vec<PathBuf>,
    /// Print the selectors, with the history of each, that a recording must hold, and do nothing else
    #[arg(long)]
    needs: bool,
    /// The global evaluation interval, for groups that have none of their own
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    interval: String,
    /// Group schedule: each group on its own interval, or all on the global one from the first sample on
    #[arg(long, value_enum, default_value_t = ScheduleName::Production)]
    schedule: ScheduleName,
    #[command(flatten)]
    phases: PhaseOptions,
    /// How to print the result
    #[arg(long, value_name = "FORMAT", value_parser = format(&TEXT_OR_JSON), default_value = "text")]
    format: Format,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    reading: Reading,
}

/// Replays the rules.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let reading = options.reading.options()?;
    let features = reading.features;
    let interval = load::interval(&options.interval).map_err(|fault| vec![fault])?;
    let phases = options.phases.read(options.schedule.into())?;
    let mut files = load::rule_files(&options.rules, &reading)?;
    load::set_phases(&phases, &mut files, interval)?;
    let warnings = files.iter().flat_map(|file: &RuleFile| &file.warnings);
    warnings.for_each(complain);
    let groups: Vec<&RuleGroup> = files.iter().flat_map(|file| &file.groups).collect();
    if options.needs {
        io::print(&match options.format {
            Format::Json => timeline::needs_json(&needs(&groups)),
            _ => timeline::needs_text(&needs(&groups)),
        });
        return Ok(Outcome::Success);
    }
    let store = load::data(&options.data, &features)?;
    let Some((start, end)) = load::extent(&store) else {
        let fault = Diagnostic::error("the data holds no sample");
        return Err(vec![fault.help("record some: --needs names the selectors")]);
    };
    let mut spec = ReplaySpec::new(&groups, store, start, end, interval);
    spec.schedule = options.schedule.into();
    spec.on_error = OnRuleError::Continue;
    spec.features = features;
    spec.max_samples = options.limits.max_samples;
    let replay = replay(spec).map_err(|error| load::too_long(&error))?;
    io::print(&match options.format {
        Format::Json => timeline::json(&replay, &groups),
        _ => timeline::text(&replay, &groups),
    });
    for (id, said) in &replay.annotations {
        let findings = groups[id.group].rules[id.rule].diagnose(said);
        findings.iter().for_each(complain);
    }
    Ok(load::complain_of_errors(&replay, &groups))
}
