//! Runs tests over mutants.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::mutant::{Mutant, mutants};
use super::operator::Operator;
use crate::model::Millis;
use crate::replay::RuleId;
use crate::rules::{Rule, RuleFile, RuleGroup};
use crate::suite::{Again, Failing, RunOptions, Suite};
use crate::whatif::RuleSet;

/// A rule file with the tests that read it.
#[derive(Debug)]
pub struct Subject {
    /// The file alone.
    pub rules: RuleSet,
    tests: Vec<Reader>,
}

/// A test file that reads the rule file.
#[derive(Debug)]
struct Reader {
    again: Again,
    /// All rule files that it reads.
    rule_files: Vec<RuleFile>,
    /// The place of the one among them.
    place: usize,
}

/// A mutant, and what became of it.
#[derive(Debug)]
pub struct Judged {
    /// It.
    pub mutant: Mutant,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A test fails, or a test file that would not be run any more.
    Killed,
    /// All tests pass.
    Survived,
}

/// Where tests were that killed mutants of a rule, the last first: the reader, and the test in it.
type Killers = Mutex<BTreeMap<RuleId, Vec<(usize, Option<usize>)>>>;

impl Subject {
    /// A rule file alone, and the test files that read it, each with the place of the file among its rule files.
    pub fn new<'s>(
        rules: RuleSet,
        tests: impl IntoIterator<Item = (&'s Suite, usize)>,
        options: &RunOptions,
    ) -> Subject {
        let tests = tests.into_iter().map(|(suite, place)| Reader {
            again: Again::new(&Arc::clone(&suite.file), options),
            rule_files: suite.rule_files.clone(),
            place,
        });
        Subject {
            rules,
            tests: tests.collect(),
        }
    }

    /// The mutants of its rules, of which `of` says which are changed. An alert waits as much more or less as the
    /// evaluations of the tests that ask about it lie apart, or else those of all tests.
    pub fn mutants(
        &self,
        operators: &[&'static Operator],
        of: &dyn Fn(&Rule) -> bool,
    ) -> Vec<Mutant> {
        let step = |group: &RuleGroup, rule: &Rule| -> Millis {
            let asking = self.tests.iter().filter(|it| it.again.names(&rule.name));
            let least = asking.map(|it| it.again.step(group)).min();
            let all = || self.tests.iter().map(|it| it.again.step(group)).min();
            least.or_else(all).unwrap_or_default()
        };
        mutants(&self.rules, operators, of, &step)
    }

    /// Which readers are asked about a rule, in that order: those that killed others of its mutants, and those that mention it,
    /// are the likeliest to kill another.
    fn order(&self, mutant: &Mutant, killers: &Killers) -> Vec<(usize, Option<usize>)> {
        let killers = killers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut order = killers.get(&mutant.rule).cloned().unwrap_or_default();
        drop(killers);
        let mut others: Vec<usize> = (0..self.tests.len()).collect();
        others.retain(|reader| !order.iter().any(|(it, _)| it == reader));
        let is_strange = |reader: &usize| {
            let test = self.tests.get(*reader);
            !test.is_some_and(|it| it.again.mentions(&mutant.name))
        };
        others.sort_by_key(is_strange);
        order.extend(others.into_iter().map(|reader| (reader, None)));
        order
    }

    /// Runs the tests until one fails; `None` for what is no mutant. Which fails first does not matter.
    fn fate(&self, mutant: &Mutant, killers: &Killers) -> Option<Fate> {
        let edited = mutant.applied(&self.rules)?;
        let file = edited.rules.files.first()?;
        for (index, first) in self.order(mutant, killers) {
            let Some(failing) = self.tests.get(index).and_then(|it| it.fails(file, first)) else {
                continue;
            };
            let test = match failing {
                Failing::Test(place) => Some(place),
                Failing::File => None,
            };
            let mut killers = killers.lock().unwrap_or_else(PoisonError::into_inner);
            let of_rule = killers.entry(mutant.rule).or_default();
            of_rule.retain(|(reader, _)| *reader != index);
            of_rule.insert(0, (index, test));
            return Some(Fate::Killed);
        }
        Some(Fate::Survived)
    }
}

impl Reader {
    /// What fails where the file is another.
    fn fails(&self, file: &RuleFile, first: Option<usize>) -> Option<Failing> {
        let mut rule_files = self.rule_files.clone();
        if let Some(own) = rule_files.get_mut(self.place) {
            let before = std::mem::replace(own, file.clone());
            for (group, before) in own.groups.iter_mut().zip(&before.groups) {
                group.phase = before.phase;
            }
        }
        self.again.fails(rule_files, first)
    }
}

/// Runs the tests over each mutant of a rule file, in their order.
pub fn judge(subject: &Subject, mutants: Vec<Mutant>) -> Vec<Judged> {
    let killers = Killers::default();
    let judged = mutants.into_par_iter().map(|mutant| {
        let fate = subject.fate(&mutant, &killers)?;
        Some(Judged { mutant, fate })
    });
    let judged: Vec<Option<Judged>> = judged.collect();
    judged.into_iter().flatten().collect()
}
