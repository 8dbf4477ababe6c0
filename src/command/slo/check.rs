//! `rulecheck slo check`: faults and traps of specifications.

use std::path::{Path, PathBuf};

use clap::Args;

use super::load::{self, Period};
use crate::command::Outcome;
use crate::io;
use crate::promql::Features;
use crate::report::count;
use crate::slo::read::{Spec, Specs};
use crate::slo::{generated, multiwindow, pyrra, sloth};
use crate::text::{Diagnostic, Severity};

/// The options of `rulecheck slo check`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Specifications: files, folders that hold some, patterns, or - for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    period: Period,
    /// End with exit code 1 where there is a warning
    #[arg(long)]
    strict: bool,
}

/// Checks the files.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let (period, catalogue) = options.period.read()?;
    let sloth = sloth::Options {
        period,
        catalogue,
        ..sloth::Options::default()
    };
    let mut outcome = Outcome::Success;
    let (mut files, mut warnings, mut faulty) = (0, 0, 0);
    for named in load::files(&options.files)? {
        let (path, checked) = match named {
            Ok(path) => {
                let checked = check(&path, &sloth);
                (path, checked)
            }
            Err((path, fault)) => (path, Err(vec![fault])),
        };
        files += 1;
        let name = io::display(&path);
        let (line, findings) = match checked {
            Ok((line, findings)) => (format!("ok    {name} ({line})\n"), findings),
            Err(faults) => {
                faulty += 1;
                outcome = outcome.max(Outcome::Broken);
                (format!("ERROR {name}\n"), faults)
            }
        };
        io::print(&line);
        for finding in &findings {
            warnings += usize::from(finding.severity == Severity::Warning);
            io::print(&finding.render(io::wants_colour()));
        }
    }
    if warnings > 0 && options.strict {
        outcome = outcome.max(Outcome::Failure);
    }
    let mut parts = vec![count(files, "file")];
    if faulty > 0 {
        parts.push(format!("{faulty} broken"));
    }
    if warnings > 0 {
        parts.push(count(warnings, "warning"));
    }
    io::print(&format!("{}\n", parts.join(", ")));
    Ok(outcome)
}

/// What a file holds, and what is to be said of it.
fn check(
    path: &Path,
    sloth: &sloth::Options,
) -> Result<(String, Vec<Diagnostic>), Vec<Diagnostic>> {
    let specs = load::specs(path, &Features::default())?;
    let line = describe(&specs);
    let (mut findings, mut faults) = (specs.warnings, Vec::new());
    let mut bundles = Vec::new();
    for spec in &specs.specs {
        match spec {
            Spec::Pyrra(spec) => {
                findings.extend(pyrra::lint(spec));
                bundles.push(pyrra::generate(spec, &pyrra::Options::default()));
            }
            Spec::Own(slos) => {
                findings.extend(slos.iter().flat_map(multiwindow::lint));
                let made = slos.iter().map(multiwindow::generate);
                bundles.extend(made.filter_map(Result::ok));
            }
            Spec::Sloth(spec) => {
                if let Some(windows) = sloth.catalogue.get(sloth.period) {
                    findings.extend(sloth::lint(spec, windows));
                }
                match sloth::generate(spec, sloth) {
                    Ok(bundle) => bundles.push(bundle),
                    Err(fault) => faults.push(fault.diagnose(spec, sloth)),
                }
            }
        }
    }
    // What the tools pass on unseen may still be refused by Prometheus.
    for bundle in &bundles {
        let text = generated::write(std::slice::from_ref(bundle), "…");
        faults.extend(load::check(&text).err().unwrap_or_default());
    }
    let start = |fault: &Diagnostic| fault.place.as_ref().map(|place| place.span.start);
    findings.sort_by_key(start);
    match faults.is_empty() {
        true => Ok((line, findings)),
        false => Err(faults),
    }
}

/// How many objectives of which format there are.
fn describe(specs: &Specs) -> String {
    let mut numbers = [("Sloth", 0), ("Pyrra", 0), ("rulecheck", 0)];
    for spec in &specs.specs {
        match spec {
            Spec::Sloth(spec) => numbers[0].1 += spec.slos.len(),
            Spec::Pyrra(_) => numbers[1].1 += 1,
            Spec::Own(slos) => numbers[2].1 += slos.len(),
        }
    }
    let given = numbers.into_iter().filter(|(_, number)| *number > 0);
    let parts = given.map(|(name, number)| format!("{} of {name}", count(number, "objective")));
    parts.collect::<Vec<String>>().join(", ")
}
