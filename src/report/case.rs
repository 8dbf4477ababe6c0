//! What came of the expectations of a file, one by one: what formats for build servers list.

use std::collections::{BTreeMap, HashMap};

use super::unmet::words;
use super::{FileReport, count, text};
use crate::model::Duration;
use crate::model::bytes::shown;
use crate::suite::{Assertion, AssertionKind, Cause, Mismatch, TestVerdict};
use crate::text::{Diagnostic, Place};

/// One expectation, a rule that can't be evaluated, or a file that can't be run.
pub(super) struct Case<'r> {
    /// The file, and behind a slash the test.
    pub class: String,
    /// What is expected; unlike that of any other case of its class.
    pub name: String,
    /// Where it stands.
    pub place: Option<&'r Place>,
    /// What came of it.
    pub came: Came<'r>,
}

/// What came of a [`Case`].
pub(super) enum Came<'r> {
    /// It is as expected.
    Passed,
    /// Nobody looked, because a rule could not be evaluated before.
    Skipped,
    /// It is not as expected.
    Failed(&'r TestVerdict, &'r Mismatch),
    /// A rule of the test can't be evaluated.
    RuleFailed(&'r TestVerdict, &'r Mismatch),
    /// The file can't be run.
    Broken(&'r [Diagnostic]),
}

/// The cases of a file in the order of its tests.
pub(super) fn cases(file: &FileReport) -> Vec<Case<'_>> {
    let mut cases = match &file.verdict {
        Err(faults) => vec![Case {
            class: file.path.clone(),
            name: "can be run".to_owned(),
            place: faults.first().and_then(|fault| fault.place.as_ref()),
            came: Came::Broken(faults),
        }],
        Ok(verdict) => {
            let tests = verdict.tests.iter();
            tests.flat_map(|test| of_test(&file.path, test)).collect()
        }
    };
    number(&mut cases);
    cases
}

fn of_test<'r>(path: &str, test: &'r TestVerdict) -> impl Iterator<Item = Case<'r>> + use<'r> {
    let class = match test.name.is_empty() {
        true => format!("{path}/test {}", test.index + 1),
        false => format!("{path}/{}", one_line(&test.name)),
    };
    let mut failures: BTreeMap<(&str, usize), &Mismatch> = BTreeMap::new();
    let mut rules = Vec::new();
    for failure in &test.failures {
        match failure.kind() {
            "rule" => rules.push(Case {
                class: class.clone(),
                name: format!("rule {} can be evaluated", one_line(&failure.name)),
                place: Some(&failure.place),
                came: Came::RuleFailed(test, failure),
            }),
            kind => drop(failures.insert((kind, failure.check), failure)),
        }
    }
    let asked = test.assertions.iter().map(move |assertion| Case {
        class: class.clone(),
        name: name(assertion),
        place: Some(&assertion.place),
        came: match failures.get(&(assertion.kind.name(), assertion.index)) {
            Some(failure) => Came::Failed(test, failure),
            None if assertion.was_reached => Came::Passed,
            None => Came::Skipped,
        },
    });
    asked.chain(rules)
}

fn name(assertion: &Assertion) -> String {
    let name = one_line(&assertion.name);
    match assertion.kind {
        AssertionKind::Alert(time) => format!("alert {name} at {}", Duration(time)),
        AssertionKind::Expr(time) => format!("expression {name} at {}", Duration(time)),
        AssertionKind::WholeAlert => format!("expect alert {name}"),
        AssertionKind::AllAlerts => format!("expect {name}"),
        AssertionKind::Slo => format!("expect objective {name}"),
        AssertionKind::WholeExpr => format!("expect expression {name}"),
    }
}

/// Tells cases of one name apart, by the order in which they come.
fn number(cases: &mut [Case<'_>]) {
    let mut seen: HashMap<(String, String), usize> = HashMap::new();
    for case in cases {
        let key = (case.class.clone(), case.name.clone());
        let times = seen.entry(key).or_insert(0);
        *times += 1;
        if *times > 1 {
            case.name.push_str(&format!(" ({times})"));
        }
    }
}

/// A text in one line, its words apart by one blank.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    shown(&words.join(" ")).into_owned()
}

impl Came<'_> {
    /// What is wrong, in one line.
    pub fn message(&self) -> String {
        match self {
            Came::Passed => String::new(),
            Came::Skipped => "not checked: a rule could not be evaluated before".to_owned(),
            Came::Failed(_, failure) | Came::RuleFailed(_, failure) => one_line(&short(failure)),
            Came::Broken(faults) => {
                let first = faults.first().map_or("", |fault| fault.message.as_str());
                match faults.len() {
                    0 | 1 => one_line(first),
                    all => format!("{} (and {} more)", one_line(first), all - 1),
                }
            }
        }
    }

    /// The same drawn as people see it, without colours.
    pub fn drawn(&self) -> String {
        let text = match self {
            Came::Passed | Came::Skipped => String::new(),
            Came::Failed(test, failure) | Came::RuleFailed(test, failure) => {
                text::failure(failure, &test.name)
            }
            Came::Broken(faults) => faults.iter().map(|fault| fault.render(false)).collect(),
        };
        shown(&text).into_owned()
    }
}

fn short(failure: &Mismatch) -> String {
    match &failure.cause {
        Cause::Alert { expected, got, .. } if expected.len() == got.len() => {
            "labels or annotations differ from those expected".to_owned()
        }
        Cause::Alert { expected, got, .. } => format!(
            "expected {}, {} firing",
            count(expected.len(), "firing alert"),
            match got.len() {
                0 => "none is".to_owned(),
                1 => "1 is".to_owned(),
                more => format!("{more} are"),
            }
        ),
        Cause::Expr { expected, got } if expected.len() == got.len() => {
            "labels or values differ from those expected".to_owned()
        }
        Cause::Expr { expected, got } => format!(
            "expected {}, got {}",
            count(expected.len(), "sample"),
            got.len()
        ),
        Cause::ExprError(error) | Cause::Rule(error) | Cause::RuleFails { message: error, .. } => {
            error.clone()
        }
        Cause::Unreadable(faults) => {
            let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
            messages.join("; ")
        }
        Cause::Unmet(unmet) => {
            let first = unmet.problems.first().map(words).unwrap_or_default();
            match unmet.problems.len() {
                0 | 1 => first,
                all => format!("{first} (and {} more)", all - 1),
            }
        }
    }
}
