//! What rules read of each other, as [`Dependencies`] sees it: each kind of finding is a lint.

use super::Rules;
use crate::model::Millis;
use crate::promql::selectors::Reach;
use crate::replay::{Dependencies, DependencyFinding, DependencyKind};
use crate::rules::RuleGroup;
use crate::text::Diagnostic;

/// Prometheus's default evaluation interval, for groups that have none of their own.
const INTERVAL: Millis = 60_000;

/// Over a window of that length an evaluation more or less is none.
const LONG: Millis = 3_600_000;

/// What is odd in what rules read, of one kind.
pub(super) fn findings(rules: &Rules<'_>, kind: DependencyKind) -> Vec<Diagnostic> {
    let all = rules.reads.get_or_init(|| all(rules));
    let found = all.iter().filter(|finding| finding.kind == kind);
    found.map(|finding| finding.warning.clone()).collect()
}

/// What is odd in what rules read. That something comes late is not, where it is read over a long window.
fn all(rules: &Rules<'_>) -> Vec<DependencyFinding> {
    let groups: Vec<&RuleGroup> = rules.groups().collect();
    let dependencies = Dependencies::new(&groups, INTERVAL, &|_| None);
    let mut found = dependencies.findings(&[]);
    found.retain(|finding| {
        let place = finding.warning.place.as_ref().map(|place| place.span);
        let reader = dependencies.rules.get(finding.rule);
        let mut reads = reader.iter().flat_map(|rule| &rule.reads);
        finding.kind != DependencyKind::Backward
            || !reads.any(|read| Some(read.place.span) == place && is_long(read.reach))
    });
    found
}

fn is_long(reach: Reach) -> bool {
    match reach {
        Reach::Around { oldest, newest } => oldest.saturating_sub(newest) >= LONG,
        Reach::Fixed => true,
    }
}
