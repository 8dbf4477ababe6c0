//! The tests of a file, run again and again with other rules: what does not hang on the rules is done once.

use std::sync::{Arc, Mutex, PoisonError};

use super::check::Checker;
use super::file::{TestCase, TestFile};
use super::lay_out::inputs;
use super::order::groups_in_order;
use super::run::{RunOptions, Seen, Suite, is_chosen, proof, replayed_over, unknown_alerts};
use super::said::Said;
use super::vacuous::{Active, Excuses, amounts};
use super::vmalert::labelled;
use crate::model::Millis;
use crate::replay::Schedule;
use crate::rules::{RuleFile, RuleGroup};
use crate::store::Store;
use crate::text::{Diagnostic, Severity};

/// The inputs of a test, where they are known, and how much of what came before it they hold.
type LaidOut = Mutex<Option<(Millis, Store)>>;

/// The tests of a file, with the series that were laid out for them.
#[derive(Debug)]
pub struct Again {
    file: Arc<TestFile>,
    options: RunOptions,
    /// The tests that are run, by their places in the file, each with its inputs.
    chosen: Vec<(usize, LaidOut)>,
}

impl Again {
    /// Of a test file; `options` name the tests.
    pub fn new(file: &Arc<TestFile>, options: &RunOptions) -> Again {
        let tests = file.tests.iter().enumerate();
        let chosen = tests.filter(|(_, test)| is_chosen(test, &options.names));
        Again {
            file: Arc::clone(file),
            options: RunOptions {
                why: false,
                coverage: false,
                ..options.clone()
            },
            chosen: chosen.map(|(case, _)| (case, Mutex::default())).collect(),
        }
    }

    /// Whether a test asks about an alert.
    pub fn names(&self, alert: &str) -> bool {
        let tests = self.file.tests.iter();
        let mut named = tests.flat_map(TestCase::named_alerts);
        named.any(|it| it.value == alert)
    }

    /// Whether a word stands anywhere in the file.
    pub fn mentions(&self, word: &str) -> bool {
        self.file.source.text().contains(word)
    }

    /// How far two evaluations of a group lie apart in the tests.
    pub fn step(&self, group: &RuleGroup) -> Millis {
        let of_file = self.file.evaluation_interval;
        match self.options.schedule(&self.file) {
            Schedule::Promtool => of_file,
            Schedule::Production => group.interval.unwrap_or(of_file),
        }
    }

    /// Whether the tests pass over other rules, so that [`run`](super::run()) would find nothing wrong: all expectations are
    /// met, every alert that is asked for is there, and no test that promtool would not run proves nothing. Where they do not,
    /// the place of a test that fails, if it is one that does; `first` is the place of the one to begin with.
    pub fn fails(&self, rule_files: Vec<RuleFile>, first: Option<usize>) -> Option<Failing> {
        let suite = Suite {
            file: Arc::clone(&self.file),
            rule_files,
        };
        if !unknown_alerts(&suite).is_empty() {
            return Some(Failing::File);
        }
        let groups = groups_in_order(&suite.file, &suite.rule_files);
        let mut seen = Seen::default();
        let head = first.filter(|&first| first < self.chosen.len());
        let rest = (0..self.chosen.len()).filter(|&place| Some(place) != head);
        for place in head.into_iter().chain(rest) {
            match self.passes(place, &groups, &mut seen) {
                Ok(true) => {}
                Ok(false) => return Some(Failing::Test(place)),
                Err(_) => return Some(Failing::File),
            }
        }
        let (faults, _) = proof(&suite, &groups, &self.options, true, &seen);
        let is_broken = faults.iter().any(|it| it.severity == Severity::Error);
        is_broken.then_some(Failing::File)
    }

    /// Whether a test passes; adds what was seen in it.
    fn passes(
        &self,
        place: usize,
        groups: &[&RuleGroup],
        seen: &mut Seen,
    ) -> Result<bool, Vec<Diagnostic>> {
        let Some((case, kept)) = self.chosen.get(place) else {
            return Ok(true);
        };
        let Some(test) = self.file.tests.get(*case) else {
            return Ok(true);
        };
        let (file, options) = (&*self.file, &self.options);
        let own = labelled(file, test, groups);
        let own: Option<Vec<&RuleGroup>> = own.as_ref().map(|own| own.iter().collect());
        let groups = own.as_deref().unwrap_or(groups);
        let lay_out = |before: Millis| {
            // Not locked meanwhile: laying out may wait for threads that want to know, too.
            let kept = || kept.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((of, store)) = &*kept()
                && *of == before
            {
                return Ok(store.clone());
            }
            let store = inputs(file, test, before)?;
            *kept() = Some((before, store.clone()));
            Ok(store)
        };
        let (replay, length) = replayed_over(file, test, groups, options, lay_out)?;
        let schedule = options.schedule(file);
        let check = Checker::new((file, test), groups, schedule, length, &replay);
        if !check.failures(&mut Said::default()).is_empty() {
            return Ok(false);
        }
        seen.active.merge(Active::of(&replay));
        seen.excuses.merge(Excuses::of(test, &replay));
        seen.vacuous.extend(amounts(file, test, groups, &replay));
        Ok(true)
    }
}

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// A test, by its place among those that are run.
    Test(usize),
    /// The file, though no test of it does.
    File,
}
