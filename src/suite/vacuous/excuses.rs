//! Tests that expect rules to fail where none does.

use std::collections::BTreeMap;

use super::{Context, Finding};
use crate::replay::Replay;
use crate::suite::file::TestCase;
use crate::text::Span;

/// The places that say `rule_errors: expected`, and whether a rule fails in any test that they count for.
#[derive(Debug, Clone, Default)]
pub(in crate::suite) struct Excuses(BTreeMap<Span, bool>);

impl Excuses {
    /// What a test says, and whether it needs it.
    pub fn of(test: &TestCase, replay: &Replay<'_>) -> Excuses {
        let said = test.rule_errors_expected.into_iter();
        Excuses(said.map(|span| (span, !replay.errors.is_empty())).collect())
    }

    /// Takes over what another test says.
    pub fn merge(&mut self, other: Excuses) {
        for (span, is_needed) in other.0 {
            *self.0.entry(span).or_default() |= is_needed;
        }
    }

    /// Those that no test of the file needs. What an included file says may be needed elsewhere.
    pub(super) fn idle(&self, context: &Context<'_>) -> Vec<Finding> {
        let idle = self
            .0
            .iter()
            .filter(|(span, is_needed)| !**is_needed && context.is_own(**span));
        let told = idle.map(|(span, _)| {
            let fault = context.fault(*span, "rule errors are expected, and no rule fails");
            Finding {
                fault: fault
                    .help("remove it, or give the rule that should fail what makes it fail"),
                is_extended: true,
            }
        });
        told.collect()
    }
}
