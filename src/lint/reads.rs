//! What rules read of each other, as [`Dependencies`] sees it: each kind of finding is a lint.

use super::Rules;
use crate::model::Millis;
use crate::promql::selectors::Reach;
use crate::replay::{Dependencies, DependencyKind};
use crate::rules::RuleGroup;
use crate::text::Diagnostic;

/// Prometheus's default evaluation interval, for groups that have none of their own.
const INTERVAL: Millis = 60_000;

/// Over a window of that length an evaluation more or less is none.
const LONG: Millis = 3_600_000;

/// What is odd in what rules read, of one kind.
pub(super) fn findings(rules: &Rules<'_>, kind: DependencyKind) -> Vec<Diagnostic> {
    let groups: Vec<&RuleGroup> = rules.groups().collect();
    let dependencies = Dependencies::new(&groups, INTERVAL, &|_| None);
    let mut found = dependencies.findings(&[]);
    found.retain(|finding| finding.kind == kind);
    if kind == DependencyKind::Backward {
        found.retain(|finding| {
            let place = finding.warning.place.as_ref().map(|place| place.span);
            let reads = dependencies.rules.get(finding.rule);
            let mut reads = reads.iter().flat_map(|rule| &rule.reads);
            !reads.any(|read| Some(read.place.span) == place && is_long(read.reach))
        });
    }
    found.into_iter().map(|finding| finding.warning).collect()
}

fn is_long(reach: Reach) -> bool {
    match reach {
        Reach::Around { oldest, newest } => oldest.saturating_sub(newest) >= LONG,
        Reach::Fixed => true,
    }
}
