//! The first tests of alerts: for each a case in which it fires and one in which it stays silent.
//!
//! From an alert's expression `solve` derives what selectors must find, through the recording rules that it reads, and
//! plans few series with round numbers near the thresholds; `case` replays the rules over them and tries again
//! where they do not do what they should; `write` puts down what did. Nothing is written that does not pass.

mod case;
mod labels;
mod numbers;
mod rules;
mod solve;
mod timing;
mod tree;
mod trial;
mod world;
mod write;

use rayon::prelude::*;

use self::case::{Case, Goal, Subject};
use self::rules::Background;
use crate::promql::Features;
use crate::replay::RuleId;
use crate::rules::{ReadOptions, Rule, RuleFile, RuleGroup, RuleKind};
use crate::suite::{self, RunOptions, Suite};
use crate::text::{Diagnostic, Place, Source};

/// What is to be written.
#[derive(Debug, Clone)]
pub struct Order<'o> {
    /// The rule files of the test file.
    pub rule_files: &'o [RuleFile],
    /// The alerts of so many of them, the first ones, get tests.
    pub own: usize,
    /// Their names as the test file is to name them.
    pub names: &'o [String],
    /// Only promtool's keys.
    pub promtool: bool,
    /// What is switched on.
    pub features: Features,
}

/// A test file, and what became of each alert.
#[derive(Debug, Clone)]
pub struct Scaffold {
    /// Its text, unless it would hold no test.
    pub text: Option<String>,
    /// The alerts in the order of the file.
    pub alerts: Vec<Outlook>,
}

/// What became of an alert.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// The case in which it fires.
    pub fires: Outcome,
    /// The case in which it stays silent.
    pub silent: Outcome,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was written.
    Written,
    /// There is a test of it already.
    Tested,
    /// None was found, and why.
    NotFound(String),
}

/// Which cases an alert has tests of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tested {
    /// It fires in one.
    pub fires: bool,
    /// It is silent in one.
    pub silent: bool,
}

/// An alert with its tests.
struct Draft {
    comment: String,
    tests: Vec<(Goal, String)>,
    outlook: Outlook,
}

/// Writes tests of the alerts that lack some, as `tested` says.
pub fn scaffold(order: &Order<'_>, tested: &(dyn Fn(&Rule) -> Tested + Sync)) -> Scaffold {
    let groups: Vec<&RuleGroup> = order
        .rule_files
        .iter()
        .flat_map(|file| &file.groups)
        .collect();
    let own = order
        .rule_files
        .iter()
        .take(order.own)
        .map(|file| file.groups.len())
        .sum();
    let mut alerts = Vec::new();
    for (group, of_group) in groups.iter().enumerate().take(own) {
        for (index, rule) in of_group.rules.iter().enumerate() {
            if let RuleKind::Alert(alert) = &rule.kind {
                let id = RuleId { group, rule: index };
                alerts.push((id, rule, alert, &of_group.source));
            }
        }
    }
    let draft = |&(id, rule, alert, source)| {
        let subject = Subject {
            rule,
            alert,
            id,
            groups: &groups,
            features: order.features,
            is_plain: order.promtool,
        };
        draft(&subject, source, tested(rule), order.promtool)
    };
    let mut drafts: Vec<Draft> = alerts.par_iter().map(draft).collect();
    // What is written is run as the file will be; what does not pass goes, which others hardly notice.
    for _ in 0..3 {
        let text = text(order, &drafts);
        let failed = failures(order, &text, &drafts);
        if failed.is_empty() {
            break;
        }
        drop_failed(&mut drafts, &failed);
        drop_unproven(&mut drafts, order.promtool);
    }
    let has_tests = drafts.iter().any(|draft| !draft.tests.is_empty());
    Scaffold {
        text: has_tests.then(|| text(order, &drafts)),
        alerts: drafts.into_iter().map(|draft| draft.outlook).collect(),
    }
}

/// The tests of one alert.
fn draft(subject: &Subject<'_>, source: &Source, tested: Tested, promtool: bool) -> Draft {
    let background = Background::of(subject.rule, subject.groups, subject.features);
    let mut draft = Draft {
        comment: write::comment(subject),
        tests: Vec::new(),
        outlook: Outlook {
            name: subject.rule.name.clone(),
            place: Place::new(source, subject.rule.name_span),
            fires: Outcome::Tested,
            silent: Outcome::Tested,
        },
    };
    let mut fired = None;
    let mut look_for = |goal: Goal| {
        let found: Result<Case, String> = case::find(subject, &background, goal);
        let written = found.and_then(|case| {
            if goal == Goal::Fire {
                fired = write::fired(&case, subject);
            }
            let test = write::test(&case, subject, fired.as_ref(), promtool);
            test.ok_or_else(|| "it would take too many evaluations".to_owned())
        });
        match written {
            Ok(test) => {
                draft.tests.push((goal, test));
                Outcome::Written
            }
            Err(reason) => Outcome::NotFound(reason),
        }
    };
    if !tested.fires {
        draft.outlook.fires = look_for(Goal::Fire);
    }
    if !tested.silent {
        draft.outlook.silent = look_for(Goal::Silent);
    }
    drop_unproven(std::slice::from_mut(&mut draft), promtool);
    draft
}

fn text(order: &Order<'_>, drafts: &[Draft]) -> String {
    let mut text = write::head(order.names);
    let mut parts = Vec::new();
    for draft in drafts.iter().filter(|draft| !draft.tests.is_empty()) {
        let tests: String = draft.tests.iter().map(|(_, test)| test.as_str()).collect();
        parts.push(format!("{}{tests}", draft.comment));
    }
    text.push_str(&parts.join("\n"));
    text
}

/// The tests of a file that do not pass, by their places in it, with the reason; all where it can't be run at all.
fn failures(order: &Order<'_>, text: &str, drafts: &[Draft]) -> Vec<(Option<usize>, String)> {
    let source = Source::new("init", text);
    let options = ReadOptions {
        features: order.features,
        ..ReadOptions::default()
    };
    let file = match suite::file::read(&source, &options) {
        Ok(file) if file.tests.is_empty() => return Vec::new(),
        Ok(file) => file,
        Err(faults) => return refused(&faults, drafts),
    };
    let suite = Suite {
        file: file.into(),
        rule_files: order.rule_files.to_vec(),
    };
    let options = RunOptions {
        features: order.features,
        ..RunOptions::default()
    };
    match suite::run(&suite, &options) {
        Err(faults) => refused(&faults, drafts),
        Ok(verdict) => {
            let failed = verdict
                .tests
                .iter()
                .filter(|test| !test.failures.is_empty());
            let reason = || "beside the other rules of the file its test does not pass".to_owned();
            failed.map(|test| (Some(test.index), reason())).collect()
        }
    }
}

/// Why a file can't be run: the tests of the alerts that the faults name, or all.
fn refused(faults: &[Diagnostic], drafts: &[Draft]) -> Vec<(Option<usize>, String)> {
    let reason = |fault: &Diagnostic| format!("its test would be refused: {}", fault.message);
    let mut named = Vec::new();
    let mut place = 0;
    for draft in drafts {
        let alert = format!("alert {:?}", draft.outlook.name);
        for _ in &draft.tests {
            let fault = faults.iter().find(|fault| fault.message.contains(&alert));
            named.extend(fault.map(|fault| (Some(place), reason(fault))));
            place += 1;
        }
    }
    match named.is_empty() {
        true => faults
            .first()
            .map(|fault| (None, reason(fault)))
            .into_iter()
            .collect(),
        false => named,
    }
}

/// Silence proves something only of an alert that fires in another test; promtool does not mind.
fn drop_unproven(drafts: &mut [Draft], promtool: bool) {
    for draft in drafts.iter_mut().filter(|_| !promtool) {
        let outlook = &mut draft.outlook;
        if let (Outcome::NotFound(_), Outcome::Written) = (&outlook.fires, &outlook.silent) {
            draft.tests.clear();
            outlook.silent =
                Outcome::NotFound("without a firing case it would prove nothing".to_owned());
        }
    }
}

fn drop_failed(drafts: &mut [Draft], failed: &[(Option<usize>, String)]) {
    let mut place = 0;
    for draft in drafts {
        let outlook = &mut draft.outlook;
        draft.tests.retain(|(goal, _)| {
            let reason = failed
                .iter()
                .find(|(index, _)| index.is_none_or(|index| index == place));
            place += 1;
            let Some((_, reason)) = reason else {
                return true;
            };
            let outcome = match goal {
                Goal::Fire => &mut outlook.fires,
                Goal::Silent => &mut outlook.silent,
            };
            *outcome = Outcome::NotFound(reason.clone());
            false
        });
    }
}
