//! `rulecheck slo generate`: the rules that specifications stand for.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use clap::Args;

use super::load::{self, Period};
use crate::command::{Outcome, complain, enabled};
use crate::io;
use crate::slo::generated::{self, Bundle};
use crate::slo::{pyrra, sloth};
use crate::text::Diagnostic;

/// The options of `rulecheck slo generate`.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(super) struct Options {
    /// Specifications: files, folders that hold some, patterns, or - for standard input. Objects of OpenSLO may name those
    /// of other files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Write the rules to this file instead of printing them
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    period: Period,
    /// Label all series of Sloth's rules; may be given again
    #[arg(long, short = 'l', value_name = "NAME=VALUE")]
    extra_labels: Vec<String>,
    /// Make no recording rules (Sloth)
    #[arg(long)]
    disable_recordings: bool,
    /// Make no alerts (Sloth)
    #[arg(long)]
    disable_alerts: bool,
    /// What the label sloth_version says
    #[arg(long, value_name = "VERSION", default_value = sloth::VERSION)]
    sloth_version: String,
    /// Make the rules for dashboards, too, whose names are the same for all objectives (Pyrra)
    #[arg(long)]
    generic_rules: bool,
    /// Select whole bounds of buckets as Prometheus 2 and as 3 write them (Pyrra)
    #[arg(long)]
    prometheus3_migration: bool,
    /// Where Pyrra's pages are, for a link in annotations (Pyrra)
    #[arg(long, value_name = "URL")]
    external_url: Option<String>,
    /// Wrap the rules of each objective in a PrometheusRule object (Pyrra)
    #[arg(long)]
    operator_rule: bool,
    /// Switch on a feature by promtool's name; several with commas
    #[arg(long, value_name = "NAME")]
    enable_feature: Vec<String>,
}

const NOTES: &str = "Rules of several files and documents come out as one rule file; specifications that are Kubernetes objects \
become PrometheusRule objects, each a document. Nothing is written unless Prometheus would load it.";

/// Makes the rules.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let of_sloth = options.sloth()?;
    let of_pyrra = options.pyrra();
    let features = enabled(&options.enable_feature).map_err(|fault| vec![fault])?;
    let (mut bundles, mut faults) = (Vec::new(), Vec::new());
    for (_, read) in load::specs(&options.files, &features)? {
        match read {
            Err(found) => faults.extend(found),
            Ok(specs) => {
                specs.warnings.iter().for_each(complain);
                for spec in &specs.specs {
                    match spec.rules(&of_sloth, &of_pyrra) {
                        Ok(made) => bundles.extend(made),
                        Err(found) => faults.extend(found),
                    }
                }
            }
        }
    }
    if bundles.is_empty() && faults.is_empty() {
        let fault = Diagnostic::error("there is no SLO among these objects of OpenSLO");
        faults.push(fault.help("add one of kind SLO"));
    }
    faults.extend(doubles(&bundles));
    if !faults.is_empty() {
        return Err(faults);
    }
    let text = generated::write(&bundles, NOTE);
    load::check(&text)?;
    match &options.out {
        Some(path) => io::write(path, &text).map_err(|fault| vec![fault])?,
        None => io::print(&text),
    }
    Ok(Outcome::Success)
}

/// What a generated file begins with.
const NOTE: &str = "Made by `rulecheck slo generate`: change the specification, not this file.";

/// Names of groups that would stand in one rule file twice.
fn doubles(bundles: &[Bundle]) -> Vec<Diagnostic> {
    let plain = bundles.iter().filter(|bundle| bundle.object.is_none());
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for group in plain.flat_map(|bundle| &bundle.groups) {
        *seen.entry(&group.name).or_default() += 1;
    }
    let mut names: Vec<&str> = seen
        .into_iter()
        .filter(|(_, times)| *times > 1)
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    let faults = names.into_iter().map(|name| {
        let message = format!("two specifications of this call make a group of the name {name}");
        Diagnostic::error(message)
            .help("rename one of them, or write their rules into two files by two calls")
    });
    faults.collect()
}

impl Options {
    fn pyrra(&self) -> pyrra::Options {
        pyrra::Options {
            generic_rules: self.generic_rules,
            prometheus3_migration: self.prometheus3_migration,
            external_url: self.external_url.clone(),
            operator_rule: self.operator_rule,
        }
    }

    fn sloth(&self) -> Result<sloth::Options, Vec<Diagnostic>> {
        let (period, catalogue) = self.period.read()?;
        let mut extra_labels = BTreeMap::new();
        for label in &self.extra_labels {
            match label
                .split_once('=')
                .filter(|(name, value)| !name.is_empty() && !value.is_empty())
            {
                Some((name, value)) => drop(extra_labels.insert(name.to_owned(), value.to_owned())),
                None => {
                    let fault =
                        Diagnostic::error(format!("--extra-labels {label}: this is no label"));
                    return Err(vec![fault.help("write NAME=VALUE")]);
                }
            }
        }
        Ok(sloth::Options {
            period,
            catalogue,
            extra_labels,
            no_recordings: self.disable_recordings,
            no_alerts: self.disable_alerts,
            version: self.sloth_version.clone(),
        })
    }
}
