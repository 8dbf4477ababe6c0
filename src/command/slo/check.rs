//! `rulecheck slo check`: faults and traps of specifications.

use std::path::PathBuf;

use clap::Args;

use super::load::{self, Period};
use crate::command::check::{FORMATS, Teller};
use crate::command::{Outcome, enabled, format};
use crate::io;
use crate::model::Millis;
use crate::report::{Format, count};
use crate::slo::generated::{self, Bundle};
use crate::slo::objective::Slo;
use crate::slo::read::{Spec, Specs};
use crate::slo::{multiwindow, openslo, pyrra, sloth};
use crate::text::Diagnostic;

/// The options of `rulecheck slo check`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Specifications: files, folders that hold some, patterns, or - for standard input. Objects of OpenSLO may name those
    /// of other files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    period: Period,
    /// The time between two samples of a series, against which windows are held
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    scrape_interval: String,
    /// Switch on a feature by promtool's name; several with commas
    #[arg(long, value_name = "NAME")]
    enable_feature: Vec<String>,
    /// How to print the result
    #[arg(long, value_name = "FORMAT", value_parser = format(&FORMATS), default_value = "text")]
    format: Format,
    /// End with exit code 1 where there is a warning
    #[arg(long)]
    strict: bool,
}

/// Checks the files.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let (period, catalogue) = options.period.read()?;
    let features = enabled(&options.enable_feature).map_err(|fault| vec![fault])?;
    let checker = Checker {
        sloth: sloth::Options {
            period,
            catalogue,
            ..sloth::Options::default()
        },
        scrape: load::length("--scrape-interval", &options.scrape_interval)?,
    };
    let specs = load::specs(&options.files, &features)?;
    let mut teller = Teller::new(options.format);
    for (path, read) in specs {
        let name = io::display(&path);
        match read.and_then(|specs| checker.check(specs)) {
            Ok((line, findings)) => teller.tell(&name, Some(&line), &findings),
            Err(faults) => teller.tell(&name, None, &faults),
        }
    }
    teller.end(None);
    Ok(match (teller.faulty, teller.warnings) {
        (0, 0) => Outcome::Success,
        (0, _) if !options.strict => Outcome::Success,
        (0, _) => Outcome::Failure,
        _ => Outcome::Broken,
    })
}

struct Checker {
    sloth: sloth::Options,
    scrape: Millis,
}

/// What is said of specifications, and the rules that they stand for.
#[derive(Default)]
struct Checked {
    findings: Vec<Diagnostic>,
    faults: Vec<Diagnostic>,
    bundles: Vec<Bundle>,
}

impl Checked {
    /// Rules that can't be made are no fault of a specification.
    fn take(&mut self, made: Result<Bundle, Diagnostic>) {
        match made {
            Ok(bundle) => self.bundles.push(bundle),
            Err(fault) => self.findings.push(unmade(&fault)),
        }
    }
}

/// That no rules are made of a part of a specification.
fn unmade(fault: &Diagnostic) -> Diagnostic {
    let mut warning = fault.clone().into_warning();
    warning.message.insert_str(0, "no rules are made of this: ");
    warning
}

impl Checker {
    /// What a file holds, and what is to be said of it.
    fn check(&self, specs: Specs) -> Result<(String, Vec<Diagnostic>), Vec<Diagnostic>> {
        let line = describe(&specs);
        let mut checked = Checked {
            findings: specs.warnings,
            ..Checked::default()
        };
        for spec in &specs.specs {
            self.one(spec, &mut checked);
        }
        let Checked {
            mut findings,
            mut faults,
            bundles,
        } = checked;
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

    fn one(&self, spec: &Spec, checked: &mut Checked) {
        match spec {
            Spec::Pyrra(spec) => {
                checked.findings.extend(pyrra::lint(spec, self.scrape));
                let bundle = pyrra::generate(spec, &pyrra::Options::default());
                checked.bundles.push(bundle);
            }
            Spec::Own(slos) => {
                for slo in slos {
                    checked.findings.extend(multiwindow::lint(slo, self.scrape));
                    checked.take(multiwindow::generate(slo));
                }
            }
            Spec::OpenSlo(spec) => {
                checked.findings.extend(spec.unmade.iter().map(unmade));
                for objective in &spec.objectives {
                    let found = openslo::lint(objective, self.scrape);
                    checked.findings.extend(found);
                    checked.take(openslo::generate(objective));
                }
            }
            Spec::Sloth(spec) => {
                if let Some(windows) = self.sloth.catalogue.get(self.sloth.period) {
                    let found = sloth::lint(spec, windows, self.scrape);
                    checked.findings.extend(found);
                }
                match sloth::generate(spec, &self.sloth) {
                    Ok(bundle) => checked.bundles.push(bundle),
                    Err(fault) => checked.faults.push(fault.diagnose(spec, &self.sloth)),
                }
            }
        }
    }
}

/// How many objectives of which format there are.
fn describe(specs: &Specs) -> String {
    let mut numbers = [("OpenSLO", 0), ("Sloth", 0), ("Pyrra", 0), ("rulecheck", 0)];
    let mut objects = 0;
    for spec in &specs.specs {
        match spec {
            Spec::OpenSlo(spec) => {
                numbers[0].1 += spec.objectives.len();
                objects += spec.objects;
            }
            Spec::Sloth(spec) => numbers[1].1 += spec.slos.len(),
            Spec::Pyrra(_) => numbers[2].1 += 1,
            Spec::Own(slos) => numbers[3].1 += Vec::<Slo>::len(slos),
        }
    }
    let given = numbers.into_iter().filter(|(_, number)| *number > 0);
    let parts = given.map(|(name, number)| format!("{} of {name}", count(number, "objective")));
    let parts: Vec<String> = parts.collect();
    match parts.is_empty() {
        true => format!("{} of OpenSLO", count(objects, "object")),
        false => parts.join(", "),
    }
}
