//! When alerts tell of outages: outages of many sizes and lengths are let happen in steady traffic, the rules are replayed
//! over each, and what they did is put beside what the SRE Workbook's formulas say.

mod alarms;
mod labels;
mod play;
mod traffic;

use rayon::prelude::*;

use self::alarms::{Alarm, Answer, Watch};
use self::play::{Formula, Play, Played};
use super::multiwindow;
use super::objective::{Method, Slo};
use super::workbook::{self, Condition, Firing, Test};
use crate::model::{Labels, Millis};
use crate::promql::Features;
use crate::rules::{Rule, RuleGroup, RuleKind};

pub use alarms::longest_windows;
pub use traffic::Traffic;

/// How outages are let happen.
#[derive(Debug, Clone)]
pub struct Options {
    /// Between samples of a series.
    pub scrape: Millis,
    /// Between evaluations of groups that have no interval of their own.
    pub interval: Millis,
    /// Events in a millisecond, whole ones; `None` for so many that single ones do not matter.
    pub rate: Option<f64>,
    /// Whether counters that only rise with bad events begin with the first of them.
    pub is_late: bool,
    /// Shares of bad events, above 0 and at most 1.
    pub sizes: Vec<f64>,
    /// How long outages last.
    pub lengths: Vec<Millis>,
    /// What is switched on.
    pub features: Features,
}

/// What the alerts of an objective do.
#[derive(Debug)]
pub struct Detection {
    /// Alerts that answer to the objective's bad events.
    pub alerts: Vec<Report>,
    /// Alerts that read its events and do not answer to how many are bad, by their names.
    pub others: Vec<String>,
    /// The series with traffic.
    pub series: Vec<Labels>,
    /// Whether counters of bad events begin with the outage.
    pub is_late: bool,
    /// Alerts that read records as which nothing is recorded, each with the selector: they never fire.
    pub unfed: Vec<(String, String)>,
    /// Single samples are good or bad, so that small shares show in steps.
    pub is_of_samples: bool,
    /// Rules that failed, with the reason, each once.
    pub errors: Vec<String>,
    /// Shares of bad events, falling.
    pub sizes: Vec<f64>,
    /// Lengths of outages, rising.
    pub lengths: Vec<Millis>,
}

/// What an alert does.
#[derive(Debug)]
pub struct Report {
    /// Its name.
    pub name: String,
    /// The labels that its rule sets, as they are written.
    pub labels: Vec<(String, String)>,
    /// Time between its evaluations.
    pub interval: Millis,
    /// What it asks for, lengths in milliseconds, where that is a comparison of shares with numbers.
    pub conditions: Option<Vec<Condition>>,
    /// Whether it fires where nothing is bad.
    pub is_always_on: bool,
    /// Windows over which it looks and which hold no two samples, so that no rate is there to be compared.
    pub starved: Vec<Millis>,
    /// Outages by size, falling, and then by length, rising.
    pub cells: Vec<Cell>,
    /// The smallest outage that it tells of, by length.
    pub least: Vec<Least>,
}

/// An outage.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    /// The share of bad events.
    pub errors: f64,
    /// How long it lasts.
    pub length: Millis,
    /// What the replayed alert did; `None` where it did not fire.
    pub seen: Option<Seen>,
    /// What the formula says, in milliseconds; `None` where it says that it does not fire, or there is none.
    pub formula: Option<Firing>,
}

/// What an alert did in an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// How long after the beginning of the outage it fired first.
    pub detection: Millis,
    /// How long after the end of the outage it no longer fired, 0 where it didn't any more; `None` where that was not to be
    /// seen.
    pub reset: Option<Millis>,
}

/// The smallest outage of a length.
#[derive(Debug, Clone, Copy)]
pub struct Least {
    /// How long it lasts.
    pub length: Millis,
    /// The share of bad events from which on the replayed alert fires, to a hundredth of it; `None` where it never does.
    pub seen: Option<f64>,
    /// What the formula says.
    pub formula: Option<f64>,
}

impl Report {
    /// Whether it fires in no outage at all.
    pub fn is_blind(&self) -> bool {
        self.cells.iter().all(|cell| cell.seen.is_none())
            && self.least.iter().all(|least| least.seen.is_none())
    }

    /// What it does in the longest outage of a size.
    pub fn longest(&self, errors: f64) -> Option<&Cell> {
        let mut cells = self.cells.iter().rev();
        cells.find(|cell| cell.errors == errors)
    }
}

/// The share of bad events as the objective counts it: where it counts slices of time as good or bad, all of them are bad or
/// none.
pub fn counted(slo: &Slo, errors: f64) -> f64 {
    match slo.method {
        Method::TimeSlices { target, .. } if errors > target.budget() => 1.0,
        Method::TimeSlices { .. } => 0.0,
        Method::Occurrences | Method::RatioTimeSlices { .. } => errors,
    }
}

/// The part of a budget that an outage spends in some time; `None` without a budget.
pub fn spent(slo: &Slo, errors: f64, time: f64) -> Option<f64> {
    let budget = slo.target.budget();
    let period = multiwindow::length(&slo.window) as f64;
    let burn = workbook::burn_rate(counted(slo, errors), budget);
    (budget > 0.0).then(|| workbook::spent(burn, time, period))
}

/// Lets outages happen to an objective and looks what alerts of some groups do.
///
/// # Errors
/// Why that can't be done: there is no traffic to be made for its queries, or too much to be evaluated.
pub fn detect(
    slo: &Slo,
    groups: &[&RuleGroup],
    wanted: &dyn Fn(&Rule) -> bool,
    options: &Options,
) -> Result<Detection, String> {
    let traffic = Traffic::of(slo, &options.features)?;
    let watch = Watch::of(
        groups,
        &traffic,
        options.interval,
        &options.features,
        wanted,
    );
    let mut sizes = options.sizes.clone();
    sizes.sort_by(|a, b| b.total_cmp(a));
    sizes.dedup();
    let mut lengths = options.lengths.clone();
    lengths.sort_unstable();
    lengths.dedup();
    let late = match options.is_late {
        true => traffic.unborn(),
        false => None,
    };
    let play = Play {
        slo,
        traffic: &traffic,
        late: late.as_ref(),
        watch: &watch,
        options,
    };
    let full = play.full_outage()?;
    let formulas: Vec<Formula> = watch
        .alarms
        .iter()
        .zip(&full.answers)
        .map(|(alarm, answers)| (conditions(alarm, answers.as_deref()), answered(answers)))
        .collect();
    let outages: Vec<(f64, Millis)> = sizes
        .iter()
        .flat_map(|&errors| lengths.iter().map(move |&length| (errors, length)))
        .collect();
    let played: Vec<Played> = match watch.alarms.is_empty() {
        true => Vec::new(),
        false => outages
            .par_iter()
            .map(|&(errors, length)| play.outage(errors, length, &formulas))
            .collect::<Result<_, _>>()?,
    };
    let mut errors: Vec<String> = played.iter().flat_map(|it| it.errors.clone()).collect();
    errors.sort_unstable();
    errors.dedup();
    let mut detection = Detection {
        alerts: Vec::new(),
        others: Vec::new(),
        series: traffic.labels().cloned().collect(),
        is_late: late.is_some(),
        unfed: watch.unfed.clone(),
        is_of_samples: traffic.is_of_samples(),
        errors,
        sizes,
        lengths,
    };
    for (number, (alarm, (conditions, is_answered))) in
        watch.alarms.iter().zip(&formulas).enumerate()
    {
        let Some(rule) = rule_of(&watch, alarm) else {
            continue;
        };
        let seen = |played: &Played| played.seen.get(number).copied().flatten();
        let cells = outages
            .iter()
            .zip(&played)
            .map(|(&(errors, length), it)| Cell {
                errors,
                length,
                seen: seen(it),
                formula: conditions
                    .as_ref()
                    .and_then(|it| workbook::firing(it, counted(slo, errors), length as f64)),
            });
        let cells: Vec<Cell> = cells.collect();
        let fires = cells.iter().any(|cell| cell.seen.is_some());
        let is_on = |it: &Played| it.on_before.get(number).copied().unwrap_or(false);
        let is_always_on = played.iter().any(is_on);
        let starved = starved(alarm, options.scrape);
        if !fires && !is_answered && !is_always_on && starved.is_empty() {
            if !detection.others.contains(&rule.name) {
                detection.others.push(rule.name.clone());
            }
            continue;
        }
        let least = detection.lengths.par_iter().map(|&length| {
            let search = Search {
                play: &play,
                formulas: &formulas,
                number,
                length,
            };
            let formula = conditions
                .as_ref()
                .and_then(|it| workbook::smallest_outage(it, length as f64));
            let formula = formula.map(|least| match slo.method {
                Method::TimeSlices { target, .. } => target.budget(),
                _ => least,
            });
            search.least(&cells, formula)
        });
        let least = match is_always_on {
            true => Vec::new(),
            false => least.collect::<Result<_, _>>()?,
        };
        detection.alerts.push(Report {
            name: rule.name.clone(),
            labels: labels_of(rule),
            interval: alarm.interval,
            conditions: conditions.clone(),
            is_always_on,
            starved,
            cells,
            least,
        });
    }
    Ok(detection)
}

fn rule_of<'w>(watch: &'w Watch, alarm: &Alarm) -> Option<&'w Rule> {
    watch.groups.get(alarm.id.group)?.rules.get(alarm.id.rule)
}

/// The labels that the rule of an alert sets, as they are written.
pub fn labels_of(rule: &Rule) -> Vec<(String, String)> {
    let RuleKind::Alert(alert) = &rule.kind else {
        return Vec::new();
    };
    let labels = alert.labels.iter();
    labels
        .map(|(name, template)| (name.clone(), template.text().to_owned()))
        .collect()
}

/// Windows of an alert that hold no two samples, rising.
fn starved(alarm: &Alarm, scrape: Millis) -> Vec<Millis> {
    let parts = alarm.parts.iter().flatten().flatten();
    let windows = parts.map(|part| part.window);
    let mut short: Vec<Millis> = windows.filter(|it| *it > 0 && *it < 2 * scrape).collect();
    short.sort_unstable();
    short.dedup();
    short
}

/// Whether any comparison answers to the share of bad events.
fn answered(answers: &Option<Vec<Vec<Answer>>>) -> bool {
    let mut all = answers.iter().flatten().flatten();
    all.any(|answer| matches!(answer, Answer::Above(..)))
}

/// What an alert asks for, where all that it compares is understood.
fn conditions(alarm: &Alarm, answers: Option<&[Vec<Answer>]>) -> Option<Vec<Condition>> {
    let mut found = Vec::new();
    for (parts, answers) in alarm.parts.as_ref()?.iter().zip(answers?) {
        if answers.contains(&Answer::Unknown) {
            return None;
        }
        if answers.contains(&Answer::Never) {
            continue;
        }
        let tests = parts
            .iter()
            .zip(answers)
            .filter_map(|(part, answer)| match answer {
                Answer::Above(threshold, or_equal) => Some(Test {
                    window: part.window as f64,
                    threshold: *threshold,
                    or_equal: *or_equal,
                }),
                _ => None,
            });
        let mut tests: Vec<Test> = tests.collect();
        if tests.is_empty() {
            return None;
        }
        tests.sort_by(|a, b| a.window.total_cmp(&b.window));
        found.push(Condition {
            tests,
            hold: alarm.hold as f64,
            keep: alarm.keep as f64,
        });
    }
    (!found.is_empty()).then_some(found)
}

/// The search for the smallest outage of a length that an alert tells of.
struct Search<'a> {
    play: &'a Play<'a>,
    formulas: &'a [Formula],
    number: usize,
    length: Millis,
}

impl Search<'_> {
    fn fires(&self, errors: f64) -> Result<bool, String> {
        let played = self.play.outage(errors, self.length, self.formulas)?;
        Ok(played.seen.get(self.number).is_some_and(Option::is_some))
    }

    fn least(&self, cells: &[Cell], formula: Option<f64>) -> Result<Least, String> {
        let own = cells.iter().filter(|cell| cell.length == self.length);
        let (mut silent, mut loud): (f64, Option<f64>) = (0.0, None);
        // From large to small: the last of those that it tells of in a row, and the next.
        for cell in own {
            match cell.seen {
                Some(_) => loud = Some(cell.errors),
                None => {
                    silent = cell.errors;
                    if loud.is_some() {
                        break;
                    }
                }
            }
        }
        let largest = cells.first().map_or(0.0, |cell| cell.errors);
        if loud.is_none() && largest < 1.0 {
            silent = largest;
            loud = self.fires(1.0)?.then_some(1.0);
        }
        let found = |seen| Least {
            length: self.length,
            seen,
            formula,
        };
        let Some(mut loud) = loud else {
            return Ok(found(None));
        };
        // The formula is nearly right.
        if let Some(guess) = formula {
            for guess in [guess * 1.004, guess * 0.996] {
                if guess > silent && guess < loud {
                    match self.fires(guess)? {
                        true => loud = guess,
                        false => silent = guess,
                    }
                }
            }
        }
        while loud - silent > loud * PRECISION && loud > SMALLEST {
            let middle = match silent > 0.0 {
                true => (loud * silent).sqrt(),
                false => loud / 4.0,
            };
            match self.fires(middle)? {
                true => loud = middle,
                false => silent = middle,
            }
        }
        Ok(found(Some(loud)))
    }
}

/// How exactly the smallest outage is looked for, as a part of it.
const PRECISION: f64 = 0.01;

/// No outage smaller than this is looked for.
const SMALLEST: f64 = 1e-7;
