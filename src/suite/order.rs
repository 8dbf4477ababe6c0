//! The order in which the groups of a test's rule files are evaluated.

use super::file::TestFile;
use crate::rules::{RuleFile, RuleGroup};
use crate::text::Diagnostic;

/// The groups in the order of `group_eval_order`, else in the order of files.
///
/// promtool gives groups that are not listed the rank of the first one listed, in random order among equals; here
/// equals stay in the order of files.
pub(super) fn groups_in_order<'r>(
    test_file: &TestFile,
    rule_files: &'r [RuleFile],
) -> Vec<&'r RuleGroup> {
    let rank = |group: &RuleGroup| {
        let listed = test_file
            .group_eval_order
            .iter()
            .position(|name| name.value == group.name);
        listed.unwrap_or(0)
    };
    let mut groups: Vec<&RuleGroup> = rule_files.iter().flat_map(|file| &file.groups).collect();
    groups.sort_by_key(|group| rank(group));
    groups
}

/// Names of groups that no rule file has: promtool and vmalert-tool say nothing of them.
pub(super) fn unknown_groups(test_file: &TestFile, rule_files: &[RuleFile]) -> Vec<Diagnostic> {
    let known = |name: &str| {
        rule_files
            .iter()
            .flat_map(|file| &file.groups)
            .any(|group| group.name == name)
    };
    let listed = test_file.group_eval_order.iter();
    let listed = listed.map(|name| (name, "correct the name in group_eval_order, or take it out"));
    let checks = test_file.tests.iter().flat_map(|test| &test.alert_checks);
    let checked = checks.filter_map(|check| check.group.as_ref());
    let checked = checked.map(|name| (name, "correct it: no alert of such a group can fire"));
    let unknown = listed
        .chain(checked)
        .filter(|(name, _)| !known(&name.value));
    unknown
        .map(|(name, help)| {
            Diagnostic::warning(format!("no rule file has a group {:?}", name.value))
                .at(&test_file.source, name.span)
                .help(help)
        })
        .collect()
}
