//! Tests that prove nothing: expectations that hold whatever happens, and inputs that nobody reads.
//!
//! What is told is meant to be certain. A selector is told only where an alert that must stay silent can't but stay
//! silent without it; an input only where nobody reads its metric at all, since a series with other labels is how one
//! tests that a selector passes over it.

mod amounts;
mod empty;
mod excuses;
mod inputs;
mod items;
mod silence;
mod world;

use std::cell::OnceCell;

use super::file::TestCase;
use super::run::Suite;
use crate::rules::{Rule, RuleGroup, RuleKind};
use crate::text::{Diagnostic, Place, Span};

pub(super) use self::amounts::amounts;
pub(super) use self::excuses::Excuses;
pub(super) use self::silence::Active;
pub use self::silence::{Silence, Silences};
use self::world::World;

/// Something that proves nothing.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    /// What to say of it, as an error.
    pub fault: Diagnostic,
    /// Whether it stands in a test with keys that promtool does not know.
    pub is_extended: bool,
}

/// A file, and what its tests have, which is looked up where something is to be said only.
struct Context<'c> {
    suite: &'c Suite,
    groups: &'c [&'c RuleGroup],
    world: OnceCell<World<'c>>,
}

impl<'c> Context<'c> {
    fn new(suite: &'c Suite, groups: &'c [&'c RuleGroup]) -> Context<'c> {
        Context {
            suite,
            groups,
            world: OnceCell::new(),
        }
    }

    /// What can be told without running a test.
    fn at_rest(&self) -> Vec<Finding> {
        let mut findings = items::items(self);
        findings.extend(inputs::unread(self));
        findings
    }

    fn world(&self) -> &World<'c> {
        self.world
            .get_or_init(|| World::new(&self.suite.file.tests, self.groups))
    }

    fn tests(&self) -> &'c [TestCase] {
        &self.suite.file.tests
    }

    /// The alerting rules.
    fn alerts(&self) -> impl Iterator<Item = &'c Rule> + use<'c> {
        let rules = self.groups.iter().flat_map(|group| group.rules.iter());
        rules.filter(|rule| matches!(rule.kind, RuleKind::Alert(_)))
    }

    /// An error at a place of the test file.
    fn fault(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(&self.suite.file.source, span)
    }

    /// Whether a place lies in the test file itself and not in one that it includes.
    fn is_own(&self, span: Span) -> bool {
        let place = Place::new(&self.suite.file.source, span);
        place.source.name() == self.suite.file.source.name()
    }
}

/// What the tests of a file, which all ran, prove nothing by; and which alerts they only expect to be silent, which other
/// files may make up for.
pub(super) fn judge(
    suite: &Suite,
    groups: &[&RuleGroup],
    active: &Active,
    excuses: &Excuses,
) -> (Vec<Finding>, Vec<Silence>) {
    let context = Context::new(suite, groups);
    let mut findings = context.at_rest();
    findings.extend(excuses.idle(&context));
    let (starved, silences) = silence::silences(&context, active);
    findings.extend(starved);
    (findings, silences)
}

/// What is wrong in a file that was not run: by what its tests that promtool would not run prove nothing.
pub(super) fn faults(suite: &Suite, groups: &[&RuleGroup]) -> Vec<Diagnostic> {
    let found = Context::new(suite, groups).at_rest().into_iter();
    let found = found.filter(|finding| finding.is_extended);
    found.map(|finding| finding.fault).collect()
}
