//! `rulecheck slo detect`: when the alerts of objectives tell of outages.

use std::path::PathBuf;

use clap::Args;

use super::load::{self, Period};
use crate::command::load::rule_files;
use crate::command::{Outcome, Reading, TEXT_OR_JSON, complain, format};
use crate::io;
use crate::model::{Duration, Millis};
use crate::promql::Query;
use crate::promql::ast::ExprKind;
use crate::promql::{Features, selectors};
use crate::report::{Format, detect as report};
use crate::rules::{self, ReadOptions, Rule, RuleGroup};
use crate::slo::detect::{self, labels_of};
use crate::slo::objective::Slo;
use crate::slo::target::Target;
use crate::slo::{generated, multiwindow, sloth};
use crate::text::{Diagnostic, Source};

/// The options of `rulecheck slo detect`.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(super) struct Options {
    /// Objectives: files, folders that hold some, patterns, or - for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Take the alerts of these rule files, not those that are made of the objectives; may be given again
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,
    /// Look only at this alert: a name, or a name with labels of its rule such as Burn{severity="page"}; may be given again
    #[arg(long, value_name = "ALERT")]
    alert: Vec<String>,
    /// Outages in which such a share of all events is bad, such as 15%; several with commas [default: 100%, 50%, 20% and so on
    /// down to the budget]
    #[arg(long, value_name = "SHARE", value_delimiter = ',')]
    size: Vec<String>,
    /// Outages that last so long; several with commas
    #[arg(
        long,
        value_name = "DURATION",
        value_delimiter = ',',
        default_value = "1m,5m,10m,30m,1h,3h,6h,12h,1d,3d"
    )]
    length: Vec<String>,
    /// How many events there are, such as 10/h, 5/m or 2.5/s: whole ones, each of which counts [default: so many that single
    /// ones do not matter]
    #[arg(long, value_name = "RATE")]
    rate: Option<String>,
    /// Let the counters of bad events begin with the first of them, as clients do that make a series when they first use it:
    /// there is no rate before its second sample
    #[arg(long)]
    late_errors: bool,
    /// Time between samples
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    scrape_interval: String,
    /// Time between evaluations of groups that have no interval of their own
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    interval: String,
    #[command(flatten)]
    period: Period,
    /// How to print the result
    #[arg(long, value_name = "FORMAT", value_parser = format(&TEXT_OR_JSON), default_value = "text")]
    format: Format,
    #[command(flatten)]
    reading: Reading,
}

const NOTES: &str = "Each outage begins in traffic that was steady and without errors for longer than any rule looks back, and \
turns the same share of all events bad from its beginning to its end. The rules are replayed over it as a server evaluates \
them; `formula` is what the SRE Workbook's chapter 5 says.";

/// Lets outages happen, and prints.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let reading = options.reading.options()?;
    let (period, catalogue) = options.period.read()?;
    let of_sloth = sloth::Options {
        period,
        catalogue,
        ..sloth::Options::default()
    };
    let outages = options.outages(&reading.features)?;
    let wanted = wanted(&options.alert, &reading.features)?;
    let given = rule_files(&options.rules, &reading)?;
    let (mut specs, mut faults) = (Vec::new(), Vec::new());
    for (_, read) in load::specs(&options.files, &reading.features)? {
        match read {
            Ok(read) => {
                read.warnings.iter().for_each(complain);
                specs.extend(read.specs);
            }
            Err(found) => faults.extend(found),
        }
    }
    let (mut objectives, mut generated) = (Vec::new(), Vec::new());
    for spec in &specs {
        let slos = spec.to_slos(period, &reading.features);
        let made = match options.rules.is_empty() {
            true => spec
                .rules(&of_sloth, &Default::default())
                .and_then(|bundles| groups(&bundles, &reading)),
            false => Ok(Vec::new()),
        };
        match (slos, made) {
            (Ok(slos), Ok(groups)) => {
                objectives.extend(slos.into_iter().map(|slo| (slo, generated.len())));
                generated.push(groups);
            }
            (slos, made) => {
                faults.extend(slos.err().unwrap_or_default());
                faults.extend(made.err().unwrap_or_default());
            }
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if objectives.is_empty() {
        let fault = Diagnostic::error("there is no SLO among these objects of OpenSLO");
        return Err(vec![fault.help("add one of kind SLO")]);
    }
    let all = match options.rules.is_empty() {
        true => generated.iter().flatten().collect::<Vec<&RuleGroup>>(),
        false => given.iter().flat_map(|file| &file.groups).collect(),
    };
    known(&options.alert, &wanted, &all)?;
    let is_wanted = |rule: &Rule| wanted.is_empty() || wanted.iter().any(|it| it.is(rule));
    let plans: Vec<(usize, detect::Options)> = objectives
        .iter()
        .map(|(slo, spec)| (*spec, outages.of(slo)))
        .collect();
    let mut shown = Vec::new();
    for ((slo, _), (spec, plan)) in objectives.iter().zip(&plans) {
        let own = match options.rules.is_empty() {
            true => generated.get(*spec).into_iter().flatten().collect(),
            false => all.clone(),
        };
        match detect::detect(slo, &own, &is_wanted, plan) {
            Ok(detection) => shown.push(report::Shown {
                slo,
                detection,
                options: plan,
            }),
            Err(reason) => {
                let fault = Diagnostic::error(format!("{}: {reason}", slo.name));
                let fault = fault.at(&slo.place.source, slo.place.span);
                faults.push(fault.help(HELP));
            }
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    io::print(&match options.format {
        Format::Json => report::json(&shown),
        _ => report::text(&shown),
    });
    Ok(Outcome::Success)
}

const HELP: &str = "traffic is made for counters of good, bad and all events, for histograms and for plain selectors of gauges: \
                    write the objective with one of these, or test its alerts with series of your own";

/// The groups that were made of specifications.
fn groups(
    bundles: &[generated::Bundle],
    reading: &ReadOptions,
) -> Result<Vec<RuleGroup>, Vec<Diagnostic>> {
    let text = generated::write(bundles, "…");
    let source = Source::new("the generated rules", text);
    Ok(rules::read(&source, reading)?.groups)
}

/// An alert that was asked for.
struct Wanted {
    selector: Query,
}

impl Wanted {
    fn is(&self, rule: &Rule) -> bool {
        let used = selectors::selectors(&self.selector.expr, 0);
        let labels = labels_of(rule);
        let value = |name: &str| {
            let found = labels.iter().find(|(own, _)| own == name);
            found.map_or("", |(_, value)| value.as_str())
        };
        used.iter().all(|used| {
            used.selector.matchers.iter().all(|matcher| {
                let value = match matcher.name.as_str() {
                    "__name__" | "alertname" => &rule.name,
                    name => value(name),
                };
                matcher.matches_value(value)
            })
        })
    }
}

fn wanted(texts: &[String], features: &Features) -> Result<Vec<Wanted>, Vec<Diagnostic>> {
    let read = texts.iter().map(|text| {
        let query = Query::parse(text, features).ok();
        let query = query.filter(|it| matches!(it.expr.kind, ExprKind::Vector(_)));
        let selector = query.ok_or_else(|| {
            let fault = Diagnostic::error(format!("--alert {text}: this names no alert"));
            let help = "write its name, with labels of its rule in braces if there are several of that name: \
                        Burn{severity=\"page\"}";
            vec![fault.help(help)]
        })?;
        Ok(Wanted { selector })
    });
    read.collect()
}

/// Whether each alert that was asked for is there.
fn known(
    texts: &[String],
    wanted: &[Wanted],
    groups: &[&RuleGroup],
) -> Result<(), Vec<Diagnostic>> {
    let rules = || {
        let all = groups.iter().flat_map(|group| group.rules.iter());
        all.filter(|rule| matches!(rule.kind, rules::RuleKind::Alert(_)))
    };
    let mut faults = Vec::new();
    for (text, wanted) in texts.iter().zip(wanted) {
        if !rules().any(|rule| wanted.is(rule)) {
            let mut names: Vec<&str> = rules().map(|rule| rule.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            let fault = Diagnostic::error(format!("--alert {text}: there is no such alert"));
            faults.push(fault.help(match names.is_empty() {
                true => "the rules hold no alert".to_owned(),
                false => format!("these are there: {}", names.join(", ")),
            }));
        }
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(faults),
    }
}

/// Outages as they were asked for.
struct Outages {
    sizes: Vec<f64>,
    lengths: Vec<Millis>,
    rate: Option<f64>,
    is_late: bool,
    scrape: Millis,
    interval: Millis,
    features: Features,
}

/// No more outages than this are let happen to an objective.
const MAX_OUTAGES: usize = 1_000;

/// Sizes of outages where none are asked for.
const STEPS: [f64; 3] = [1.0, 0.5, 0.2];

impl Options {
    fn outages(&self, features: &Features) -> Result<Outages, Vec<Diagnostic>> {
        let sizes = self.size.iter().map(|text| share("--size", text));
        let lengths = self.length.iter().map(|text| length("--length", text));
        let outages = Outages {
            sizes: sizes.collect::<Result<_, _>>()?,
            lengths: lengths.collect::<Result<_, _>>()?,
            rate: self.rate.as_deref().map(rate).transpose()?,
            is_late: self.late_errors,
            scrape: length("--scrape-interval", &self.scrape_interval)?,
            interval: length("--interval", &self.interval)?,
            features: *features,
        };
        let count = outages.sizes.len().saturating_mul(outages.lengths.len());
        if count > MAX_OUTAGES {
            let fault = Diagnostic::error(format!("{count} outages are more than {MAX_OUTAGES}"));
            return Err(vec![fault.help("name fewer sizes or lengths")]);
        }
        Ok(outages)
    }
}

impl Outages {
    fn of(&self, slo: &Slo) -> detect::Options {
        let mut sizes = self.sizes.clone();
        if sizes.is_empty() {
            // 100 %, 50 %, 20 %, 10 % and so on, as long as the budget is spent too fast.
            let least = slo.target.budget().max(1e-6) * (1.0 - 1e-9);
            let powers = [1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6];
            let all = powers
                .iter()
                .flat_map(|power| STEPS.map(|step| step * power));
            sizes.extend(all.filter(|size| *size >= least));
        }
        let mut lengths = self.lengths.clone();
        let period = multiwindow::length(&slo.window);
        if lengths.iter().any(|length| *length <= period) {
            lengths.retain(|length| *length <= period);
        }
        detect::Options {
            scrape: self.scrape,
            interval: self.interval,
            rate: self.rate,
            is_late: self.is_late,
            sizes,
            lengths,
            features: self.features,
        }
    }
}

/// `15%`, `0.15`
pub(super) fn share(flag: &str, text: &str) -> Result<f64, Vec<Diagnostic>> {
    let read = match text.trim().strip_suffix('%') {
        Some(percent) => Target::of_percent(percent),
        None => Target::of_share(text),
    };
    let fault = |reason: String| {
        let fault = Diagnostic::error(format!("{flag} {text}: {reason}"));
        vec![fault.help("give a share above 0 and at most 100% such as 15%")]
    };
    match read {
        Ok(share) if share.fraction() > 0.0 => Ok(share.fraction()),
        Ok(_) => Err(fault("nothing is bad then".to_owned())),
        Err(error) => Err(fault(format!("this {error}"))),
    }
}

/// Longer than any outage that somebody means.
const MAX_LENGTH: Millis = 400 * 86_400_000;

pub(super) fn length(flag: &str, text: &str) -> Result<Millis, Vec<Diagnostic>> {
    let fault = |reason: String| {
        let fault = Diagnostic::error(format!("{flag} {text}: {reason}"));
        vec![fault.help("give a duration above 0 such as 30s, 10m or 1d")]
    };
    match Duration::parse(text.trim()) {
        Ok(Duration(millis)) if millis > MAX_LENGTH => {
            Err(fault("this is longer than a year".to_owned()))
        }
        Ok(Duration(millis)) if millis >= 1_000 => Ok(millis),
        Ok(_) => Err(fault("it must be a second or more".to_owned())),
        Err(error) => Err(fault(error.to_string())),
    }
}

/// `10/h` in events a millisecond.
fn rate(text: &str) -> Result<f64, Vec<Diagnostic>> {
    let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
    let unit = match unit.trim() {
        "s" => Some(1e3),
        "m" | "min" => Some(60e3),
        "h" => Some(3_600e3),
        "d" => Some(86_400e3),
        _ => None,
    };
    let number = number.trim().parse::<f64>().ok();
    let number = number.filter(|it| it.is_finite() && *it > 0.0);
    match number.zip(unit) {
        Some((number, unit)) if number / unit <= 1e6 => Ok(number / unit),
        _ => {
            let fault = Diagnostic::error(format!("--rate {text}: this is no rate"));
            Err(vec![
                fault.help("write events by time, such as 10/h, 5/m or 2.5/s"),
            ])
        }
    }
}
