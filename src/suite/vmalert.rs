//! What vmalert-tool does otherwise than promtool: results of rules have the external labels, alerts the name of their group.

use super::file::{TestCase, TestFile};
use crate::model::Labels;
use crate::rules::template::Template;
use crate::rules::{RuleGroup, RuleKind};

/// The label with which vmalert says of which group an alert is.
pub(super) const ALERT_GROUP: &str = "alertgroup";

/// The groups as vmalert-tool would run them for a test of its files; `None` for a file that is not its.
pub(super) fn labelled(
    file: &TestFile,
    test: &TestCase,
    groups: &[&RuleGroup],
) -> Option<Vec<RuleGroup>> {
    if !file.is_vmalert {
        return None;
    }
    let mut checks = file.tests.iter().flat_map(|test| &test.alert_checks);
    let names_groups = checks.any(|check| check.group.is_some());
    let labelled = |group: &&RuleGroup| {
        let mut group = RuleGroup::clone(group);
        // `eval_delay` is for servers.
        group.query_offset = None;
        let name = names_groups.then(|| group.name.clone());
        let rules = group.rules.iter().cloned().map(|mut rule| {
            label(&mut rule.kind, name.as_deref(), &test.external_labels);
            rule
        });
        group.rules = rules.collect();
        group
    };
    Some(groups.iter().map(labelled).collect())
}

/// Gives a rule the labels that it has not. The name of the group is set whatever the rule says.
fn label(kind: &mut RuleKind, group: Option<&str>, external: &Labels) {
    match kind {
        RuleKind::Recording { labels } => {
            for (name, value) in external.iter() {
                if !labels.iter().any(|(own, _)| own == name) {
                    labels.push((name.to_owned(), value.to_owned()));
                }
            }
            labels.sort();
        }
        RuleKind::Alert(alert) => {
            alert
                .labels
                .retain(|(name, _)| group.is_none() || name != ALERT_GROUP);
            let given = external
                .iter()
                .chain(group.map(|group| (ALERT_GROUP, group)));
            for (name, value) in given {
                let is_new = !alert.labels.iter().any(|(own, _)| own == name);
                // Braces in it would be an action.
                if let Some(template) = Template::parse("", value).ok().filter(|_| is_new) {
                    alert.labels.push((name.to_owned(), template));
                }
            }
            alert.labels.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
    }
}
