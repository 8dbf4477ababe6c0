//! The flags that say when groups are evaluated.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use clap::{Args, ValueEnum};

use super::load;
use crate::io;
use crate::model::{Duration, Millis};
use crate::replay::{Schedule, phase};
use crate::rules::{RuleFile, RuleGroup};
use crate::text::{Diagnostic, closest};

/// `--schedule`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ScheduleName {
    Production,
    Promtool,
}

impl From<ScheduleName> for Schedule {
    fn from(name: ScheduleName) -> Schedule {
        match name {
            ScheduleName::Production => Schedule::Production,
            ScheduleName::Promtool => Schedule::Promtool,
        }
    }
}

/// The flags that say when rules are evaluated over recordings, or in tests, which say most of it themselves.
#[derive(Debug, Args)]
pub(super) struct ClockOptions {
    /// The global evaluation interval, for groups that have none of their own; tests say it themselves
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    pub interval: String,
    /// Group schedule: each group on its own interval, or all on the global one from the first sample on [default:
    /// production, or what a test says]
    #[arg(long, value_enum, hide_default_value = true)]
    pub schedule: Option<ScheduleName>,
    #[command(flatten)]
    pub phases: PhaseOptions,
}

impl ClockOptions {
    /// Over recordings: the interval, the schedule and the phases.
    ///
    /// # Errors
    ///
    /// What is no interval or no phase, and phases without the schedule that has them.
    pub fn of_recordings(&self) -> Result<(Millis, Schedule, Phases), Vec<Diagnostic>> {
        let interval = load::interval(&self.interval).map_err(|fault| vec![fault])?;
        let schedule = self.schedule.unwrap_or(ScheduleName::Production).into();
        Ok((interval, schedule, self.phases.read(schedule)?))
    }

    /// The words by which they are given.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.interval != "1m" {
            words.extend(["--interval".to_owned(), self.interval.clone()]);
        }
        if let Some(ScheduleName::Promtool) = self.schedule {
            words.extend(["--schedule".to_owned(), "promtool".to_owned()]);
        }
        words.extend(self.phases.words());
        words
    }
}

/// The flags that say when a group is evaluated within its interval.
#[derive(Debug, Args)]
pub(super) struct PhaseOptions {
    /// Evaluate a group so long after the multiples of its interval: GROUP=DURATION, or FILE;GROUP=DURATION for the group
    /// of one file; may be given several times
    #[arg(long = "phase", value_name = "GROUP=DURATION")]
    phases: Vec<String>,
    /// Evaluate groups when a Prometheus does that knows each rule file as PREFIX/FILE (by its hash of path and name)
    #[arg(long, value_name = "PREFIX")]
    rule_path: Option<String>,
}

impl PhaseOptions {
    /// The words by which they are given.
    pub(super) fn words(&self) -> Vec<String> {
        let phases = self.phases.iter().map(|phase| ("--phase", phase));
        let rule_path = self.rule_path.iter().map(|path| ("--rule-path", path));
        let words = phases.chain(rule_path);
        words
            .flat_map(|(option, value)| [option.to_owned(), value.clone()])
            .collect()
    }
}

/// When groups are evaluated within their intervals.
#[derive(Debug)]
pub(super) struct Phases {
    given: Vec<Given>,
    rule_path: Option<String>,
    /// The groups seen so far, by name and by file and name.
    seen: Mutex<BTreeSet<String>>,
}

/// One `--phase`.
#[derive(Debug)]
struct Given {
    /// As written.
    text: String,
    /// A group, or a file and a group.
    key: String,
    phase: Millis,
}

impl PhaseOptions {
    /// Reads the flags.
    pub fn read(&self, schedule: Schedule) -> Result<Phases, Vec<Diagnostic>> {
        let flag = match (self.phases.is_empty(), &self.rule_path) {
            (false, _) => Some("--phase"),
            (true, Some(_)) => Some("--rule-path"),
            (true, None) => None,
        };
        if let (Schedule::Promtool, Some(flag)) = (schedule, flag) {
            let message = format!("{flag} means nothing with --schedule promtool");
            let help =
                "give --schedule production: promtool evaluates all groups at the same times";
            return Err(vec![Diagnostic::error(message).help(help)]);
        }
        let mut given: Vec<Given> = Vec::new();
        let mut faults = Vec::new();
        for text in &self.phases {
            match Given::read(text) {
                Err(fault) => faults.push(fault),
                Ok(one) => match given.iter().find(|other| other.key == one.key) {
                    Some(other) => {
                        let message = format!("--phase {text}: {} is there too", other.text);
                        faults.push(Diagnostic::error(message).help("leave one of them out"));
                    }
                    None => given.push(one),
                },
            }
        }
        match faults.is_empty() {
            true => Ok(Phases {
                given,
                rule_path: self.rule_path.clone(),
                seen: Mutex::default(),
            }),
            false => Err(faults),
        }
    }
}

impl Given {
    fn read(text: &str) -> Result<Given, Diagnostic> {
        let fault = |reason: &str| {
            Diagnostic::error(format!("--phase {text}: {reason}"))
                .help("write GROUP=DURATION, such as api=15s")
        };
        let (key, length) = text
            .rsplit_once('=')
            .ok_or_else(|| fault("there is no duration"))?;
        let length = length.trim();
        if length.starts_with('-') {
            return Err(fault("a phase can't be negative"));
        }
        let Duration(phase) = Duration::parse(length).map_err(|error| fault(&error.to_string()))?;
        Ok(Given {
            text: text.to_owned(),
            key: key.trim().to_owned(),
            phase,
        })
    }
}

impl Phases {
    /// Tells the groups of rule files when they are evaluated. `interval` is that of groups that have none of their own.
    ///
    /// # Errors
    ///
    /// A phase that is not less than the interval, and a path that no server would know a file by.
    pub fn set(&self, files: &mut [RuleFile], interval: Millis) -> Result<(), Vec<Diagnostic>> {
        let mut faults = Vec::new();
        for file in files {
            let name = file.source.name().to_owned();
            faults.extend(self.set_as(&name, file, interval).err().unwrap_or_default());
        }
        match faults.is_empty() {
            true => Ok(()),
            false => Err(faults),
        }
    }

    /// The same of one file that servers know by a name.
    ///
    /// # Errors
    ///
    /// As [`Phases::set`].
    pub fn set_as(
        &self,
        name: &str,
        file: &mut RuleFile,
        interval: Millis,
    ) -> Result<(), Vec<Diagnostic>> {
        let mut faults = Vec::new();
        let path = self.path_of(name).map_err(|fault| vec![fault])?;
        for group in &mut file.groups {
            match self.of(group, name, path.as_deref(), interval) {
                Ok(phase) => group.phase = phase,
                Err(fault) => faults.push(fault),
            }
        }
        match faults.is_empty() {
            true => Ok(()),
            false => Err(faults),
        }
    }

    /// The flags that name a group that was not among those that were told.
    pub fn unknown(&self) -> Vec<Diagnostic> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<&str> = seen.iter().map(String::as_str).collect();
        let unknown = self.given.iter().filter(|one| !seen.contains(&one.key));
        unknown
            .map(|one| {
                let fault =
                    Diagnostic::error(format!("--phase {}: no group {:?}", one.text, one.key));
                match closest(&one.key, &known) {
                    Some(near) => fault.help(format!("did you mean {near:?}?")),
                    None => fault.help("correct the name, or give the group's file"),
                }
            })
            .collect()
    }

    /// The path by which the server knows a rule file; `None` where nobody asked for it.
    fn path_of(&self, file: &str) -> Result<Option<String>, Diagnostic> {
        let Some(prefix) = &self.rule_path else {
            return Ok(None);
        };
        if Path::new(file).is_absolute() && !prefix.is_empty() {
            let message = format!("--rule-path {prefix} can't stand before {file}");
            let help = "give the rule files by relative paths, or an empty prefix: --rule-path=";
            return Err(Diagnostic::error(message).help(help));
        }
        let path = io::clean(&Path::new(prefix).join(file));
        Ok(Some(io::display(&path)))
    }

    fn of(
        &self,
        group: &RuleGroup,
        file: &str,
        path: Option<&str>,
        interval: Millis,
    ) -> Result<Millis, Diagnostic> {
        let interval = group.interval.unwrap_or(interval);
        let hashed = path.map_or(0, |path| phase(path, &group.name, interval));
        let hashed = group.own_phase.unwrap_or(hashed);
        if self.given.is_empty() {
            return Ok(hashed);
        }
        let keys = [format!("{file};{}", group.name), group.name.clone()];
        let given = keys
            .iter()
            .find_map(|key| self.given.iter().find(|one| one.key == *key));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend(keys);
        match given {
            None => Ok(hashed),
            Some(one) if one.phase < interval => Ok(one.phase),
            Some(one) => {
                let message = format!(
                    "--phase {}: group {:?} has an interval of {}",
                    one.text,
                    group.name,
                    Duration(interval)
                );
                let fault = Diagnostic::error(message).at(&group.source, group.name_span);
                Err(fault.help("give a duration below the interval"))
            }
        }
    }
}
