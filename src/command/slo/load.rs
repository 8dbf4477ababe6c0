//! The files and options that the subcommands of `slo` have in common.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::command::complain;
use crate::command::load::each;
use crate::io;
use crate::model::{Duration, Millis};
use crate::promql::Features;
use crate::rules::{self, ReadOptions};
use crate::slo::objective::Slo;
use crate::slo::read::{self, DEFAULT_PERIOD, Specs};
use crate::slo::sloth::Catalogue;
use crate::text::{Diagnostic, Source};

/// How long Sloth's objectives are, and over which windows their alerts look.
#[derive(Debug, Args)]
pub(super) struct Period {
    /// The window of Sloth's objectives, which do not say it themselves: 30d, 28d, or one that --windows has [default: 30d,
    /// or that of --windows if it has only one]
    #[arg(long, value_name = "DURATION")]
    period: Option<String>,
    /// Sloth's AlertWindows files, or folders that hold some, instead of those built in; may be given
    /// again
    #[arg(long, value_name = "FILE")]
    windows: Vec<PathBuf>,
}

impl Period {
    /// The length and the windows.
    pub(super) fn read(&self) -> Result<(Millis, Catalogue), Vec<Diagnostic>> {
        let catalogue = self.catalogue()?;
        let only = catalogue.only_period();
        let Some(text) = &self.period else {
            return Ok((only.unwrap_or(DEFAULT_PERIOD), catalogue));
        };
        let fault = |message: String| {
            let fault = Diagnostic::error(format!("--period {text}: {message}"));
            vec![fault.help("give a duration such as 30d or 28d")]
        };
        match Duration::parse(text) {
            Err(error) => Err(fault(error.to_string())),
            Ok(period) => Ok((period.millis(), catalogue)),
        }
    }

    fn catalogue(&self) -> Result<Catalogue, Vec<Diagnostic>> {
        if self.windows.is_empty() {
            return Ok(Catalogue::default());
        }
        let windows = each(io::yaml_files(&self.windows), |path| {
            let source = io::read(&path).map_err(|fault| vec![fault])?;
            read::read_windows(&source)
        })?;
        Catalogue::new(windows.concat()).map_err(|fault| vec![fault])
    }
}

/// The files that paths name.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<io::Named>, Vec<Diagnostic>> {
    let files = io::spec_files(paths);
    if files.is_empty() {
        let names: Vec<String> = paths.iter().map(|path| io::display(path)).collect();
        let fault = Diagnostic::error(format!("no objectives in {}", names.join(", ")));
        return Err(vec![fault.help(read::FORMATS)]);
    }
    Ok(files)
}

/// The objectives of files in any format; `period` is the window of those that say none. Warnings are told.
pub(super) fn objectives(
    paths: &[PathBuf],
    period: Millis,
    features: &Features,
) -> Result<Vec<Slo>, Vec<Diagnostic>> {
    let found = read::objectives(&sources(paths)?, period, features)?;
    found.warnings.iter().for_each(complain);
    Ok(found.slos)
}

/// The texts of the files that paths name.
pub(super) fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Vec<Diagnostic>> {
    each(files(paths)?, |path| {
        source(&path).map_err(|fault| vec![fault])
    })
}

fn source(path: &Path) -> Result<Source, Diagnostic> {
    match path == Path::new("-") {
        true => io::read_standard_input(),
        false => io::read(path),
    }
}

/// The name of a file, and what it holds.
pub(super) type Held = (PathBuf, Result<Specs, Vec<Diagnostic>>);

/// What files hold, each with its name.
pub(super) fn specs(paths: &[PathBuf], features: &Features) -> Result<Vec<Held>, Vec<Diagnostic>> {
    let (mut sources, mut named) = (Vec::new(), Vec::new());
    for file in files(paths)? {
        let (path, found) = match file {
            Ok(path) => {
                let found = source(&path);
                (path, found)
            }
            Err((path, fault)) => (path, Err(fault)),
        };
        named.push((path, found.map(|source| sources.push(source))));
    }
    let mut read = read::read_all(&sources, features).into_iter();
    let specs = named.into_iter().map(|(path, found)| {
        let specs = match found {
            Ok(()) => read.next().unwrap_or_else(|| Ok(Specs::default())),
            Err(fault) => Err(vec![fault]),
        };
        (path, specs)
    });
    Ok(specs.collect())
}

/// Whether Prometheus would load the rules. What Sloth and Pyrra pass on unseen, such as templates in annotations, may be
/// broken.
pub(super) fn check(text: &str) -> Result<(), Vec<Diagnostic>> {
    let source = Source::new("the generated rules", text);
    let read = rules::read(&source, &ReadOptions::default());
    read.map(drop).map_err(|faults| {
        let why =
            "Prometheus would not load them: correct the specification where this text comes from";
        let tell = |fault: Diagnostic| {
            let help = fault
                .help
                .clone()
                .map_or_else(String::new, |it| format!("{it}; "));
            fault.help(format!("{help}{why}"))
        };
        faults.into_iter().map(tell).collect()
    })
}

/// A length of time above 0 behind a flag.
pub(super) fn length(flag: &str, text: &str) -> Result<Millis, Vec<Diagnostic>> {
    let fault = |reason: String| {
        let fault = Diagnostic::error(format!("{flag} {text}: {reason}"));
        vec![fault.help("give a duration above 0 such as 30d or 1h")]
    };
    match Duration::parse(text) {
        Ok(Duration(millis)) if millis > 0 => Ok(millis),
        Ok(_) => Err(fault("it must be above 0".to_owned())),
        Err(error) => Err(fault(error.to_string())),
    }
}
