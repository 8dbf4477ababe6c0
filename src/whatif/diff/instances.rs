//! Which instance of an alert is which after a change.

use std::collections::{BTreeMap, BTreeSet};

use super::Both;
use crate::model::Labels;
use crate::replay::{ALERT_NAME, Instance};

/// The labels by which people know an instance: without the alert's name, which may change.
pub(super) fn shown(instance: &Instance) -> Labels {
    instance.labels.filtered(|name| name != ALERT_NAME)
}

/// Pairs the instances of an alert: those with the same labels, then those that have the same but for labels that the rule
/// sets otherwise, then those that have the same but for labels that only one side has at all. Whatever is not certain, as
/// several could be meant, stays alone.
pub(super) fn paired<'i>(
    before: &'i [Instance],
    after: &'i [Instance],
    changed: &BTreeSet<String>,
) -> Vec<Both<Option<&'i Instance>>> {
    let names = |instances: &[Instance]| -> BTreeSet<String> {
        let labels = instances.iter().flat_map(|it| it.labels.iter());
        labels.map(|(name, _)| name.to_owned()).collect()
    };
    let (old_names, new_names) = (names(before), names(after));
    let mut apart: BTreeSet<String> = changed.clone();
    apart.extend(old_names.symmetric_difference(&new_names).cloned());
    let mut found = Vec::new();
    let mut rest: (Vec<&Instance>, Vec<&Instance>) =
        (before.iter().collect(), after.iter().collect());
    for without in [&BTreeSet::new(), changed, &apart] {
        let mut by_labels: BTreeMap<Labels, (Vec<&Instance>, Vec<&Instance>)> = BTreeMap::new();
        let key = |it: &Instance| shown(it).filtered(|name| !without.contains(name));
        for instance in rest.0.drain(..) {
            by_labels.entry(key(instance)).or_default().0.push(instance);
        }
        for instance in rest.1.drain(..) {
            by_labels.entry(key(instance)).or_default().1.push(instance);
        }
        for (old, new) in by_labels.into_values() {
            match (old.as_slice(), new.as_slice()) {
                ([old], [new]) => found.push(Both {
                    before: Some(*old),
                    after: Some(*new),
                }),
                _ => {
                    rest.0.extend(old);
                    rest.1.extend(new);
                }
            }
        }
    }
    found.extend(rest.0.into_iter().map(|old| Both {
        before: Some(old),
        after: None,
    }));
    found.extend(rest.1.into_iter().map(|new| Both {
        before: None,
        after: Some(new),
    }));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a=1,b=2 a=2` are two instances.
    fn instances(text: &str) -> Vec<Instance> {
        let words = text.split_whitespace();
        words
            .map(|word| Instance {
                labels: Labels::from_pairs(word.split(',').map(|it| it.split_once('=').unwrap())),
                stretches: Vec::new(),
            })
            .collect()
    }

    fn pairs(before: &str, after: &str, changed: &str) -> Vec<String> {
        let changed = changed.split_whitespace().map(str::to_owned).collect();
        let (before, after) = (instances(before), instances(after));
        let shown = |it: Option<&Instance>| it.map_or_else(String::new, |it| shown(it).to_string());
        let pairs = paired(&before, &after, &changed).into_iter();
        let mut pairs: Vec<String> = pairs
            .map(|it| format!("{}>{}", shown(it.before), shown(it.after)))
            .collect();
        pairs.sort();
        pairs
    }

    #[test]
    fn instances_are_paired_where_that_is_certain() {
        assert_eq!(
            pairs("alertname=A,x=1", "alertname=B,x=1", ""),
            [r#"{x="1"}>{x="1"}"#]
        );
        assert_eq!(
            pairs("x=1,s=page x=2,s=page", "x=1,s=ticket x=3,s=ticket", "s"),
            [
                r#">{s="ticket", x="3"}"#,
                r#"{s="page", x="1"}>{s="ticket", x="1"}"#,
                r#"{s="page", x="2"}>"#
            ]
        );
        // A value that is another is another instance, unless the rule sets it.
        assert_eq!(pairs("x=1", "x=2", ""), [r#">{x="2"}"#, r#"{x="1"}>"#]);
        // A label that an aggregation drops.
        assert_eq!(pairs("x=1,y=1", "x=1", ""), [r#"{x="1", y="1"}>{x="1"}"#]);
        assert_eq!(
            pairs("x=1,y=1 x=1,y=2", "x=1", ""),
            [r#">{x="1"}"#, r#"{x="1", y="1"}>"#, r#"{x="1", y="2"}>"#]
        );
    }
}
