//! `rulecheck serve`: Prometheus's HTTP API over recorded series.

use std::path::PathBuf;

use clap::Args;

use super::schedule::PhaseOptions;
use super::{Limits, Outcome, Reading, complain, load};
use crate::io;
use crate::replay::{OnRuleError, ReplaySpec, Schedule, replay};
use crate::rules::{RuleFile, RuleGroup};
use crate::serve::{Served, Setting, server};
use crate::text::Diagnostic;

/// The options of `rulecheck serve`.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(super) struct Options {
    /// Series: OpenMetrics or Prometheus text, answers of the query API (JSON), or CSV, each also packed with gzip; - for standard input
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    data: Vec<PathBuf>,
    /// Rule files, replayed over the data: what they record is served too
    #[arg(long, value_name = "FILE", num_args = 1..)]
    rules: Vec<PathBuf>,
    /// Where to listen; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9097")]
    listen: String,
    /// The global evaluation interval: of groups and of subqueries that have none of their own
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    interval: String,
    #[command(flatten)]
    phases: PhaseOptions,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    reading: Reading,
}

/// What is different from a server that goes with the clock.
const NOTES: &str = "The clock stands still at the last sample: that is the time of queries that name none, and of the \
state of rules and alerts. One line on standard output says where it listens as soon as it does; SIGTERM and SIGINT end \
it.";

/// Serves until it is told to end.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let one = |fault: Diagnostic| vec![fault];
    let reading = options.reading.options()?;
    let features = reading.features;
    let interval = load::interval(&options.interval).map_err(one)?;
    let phases = options.phases.read(Schedule::Production)?;
    // An address that can't be had is known before anything is read.
    let listener = io::listen(&options.listen).map_err(one)?;
    let mut files = load::rule_files(&options.rules, &reading)?;
    load::set_phases(&phases, &mut files, interval)?;
    let warnings = files.iter().flat_map(|file: &RuleFile| &file.warnings);
    warnings.for_each(complain);
    let store = load::data(&options.data, &features)?;
    let Some((start, end)) = load::extent(&store) else {
        return Err(vec![Diagnostic::error("the data holds no sample")]);
    };
    let setting = Setting {
        now: end,
        interval,
        features,
        max_samples: options.limits.max_samples,
        rule_files: options.rules.iter().map(|path| io::display(path)).collect(),
    };
    let groups: Vec<&RuleGroup> = files.iter().flat_map(|file| &file.groups).collect();
    let served = match groups.is_empty() {
        true => Served::series(store, setting),
        false => {
            let mut spec = ReplaySpec::new(&groups, store, start, end, interval);
            spec.schedule = Schedule::Production;
            spec.on_error = OnRuleError::Continue;
            spec.features = features;
            spec.max_samples = options.limits.max_samples;
            let replay = replay(spec).map_err(|error| load::too_long(&error))?;
            load::complain_of_errors(&replay, &groups);
            Served::replayed(replay, &groups, setting)
        }
    };
    let failed = |error: std::io::Error| vec![Diagnostic::error(format!("can't serve: {error}"))];
    let address = listener.local_addr().map_err(failed)?;
    io::print(&format!("listening on http://{address}\n"));
    server::serve(listener, served).map_err(failed)?;
    Ok(Outcome::Success)
}
