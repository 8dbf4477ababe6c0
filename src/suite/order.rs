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

/// Names in `group_eval_order` that no rule file has: promtool says nothing of them.
pub(super) fn unknown_groups(test_file: &TestFile, rule_files: &[RuleFile]) -> Vec<Diagnostic> {
    let known = |name: &str| {
        rule_files
            .iter()
            .flat_map(|file| &file.groups)
            .any(|group| group.name == name)
    };
    let unknown = test_file
        .group_eval_order
        .iter()
        .filter(|name| !known(&name.value));
    unknown
        .map(|name| {
            Diagnostic::warning(format!("no rule file has a group {:?}", name.value))
                .at(&test_file.source, name.span)
                .help("correct the name in group_eval_order, or take it out")
        })
        .collect()
}
