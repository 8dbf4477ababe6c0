//! Which rule reads what another writes, and so which must be evaluated together.
//!
//! An edge exists only where the matchers of a selector can match the labels of an output that are known
//! before any evaluation: its name, the rule's own labels, `alertname` and `alertstate`. Labels that are not
//! known match anything.

use std::collections::BTreeMap;

use crate::promql::selectors::{Reach, reads};

use super::alert::ALERT_NAME;
use super::circles::strongly_connected;
use super::output::{Output, Outputs};
use super::plan::PlannedRule;
use super::synthetic::{ALERTS, ALERTS_FOR_STATE};
use crate::rules::{Rule, RuleKind};

/// Rules that can only be evaluated together, or one rule alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Component {
    /// Indexes of the rules, in the order of evaluation.
    pub rules: Vec<usize>,
    /// Whether one of them reads what one of them writes, so that they must go tick by tick. Else they only
    /// may write the same series.
    pub reads_itself: bool,
    /// 0 where it reads from no other component, else one more than the highest that it reads from.
    pub level: usize,
}

/// How many outputs of one name are compared label by label; more count as clashing.
const MAX_COMPARED: usize = 512;

/// The components of the rules, each after all that it reads from.
pub(super) fn components(rules: &[PlannedRule<'_>]) -> Vec<Component> {
    let outputs = Outputs::new(rules.iter().map(|rule| rule.rule));
    let reads: Vec<Vec<usize>> = rules
        .iter()
        .map(|rule| read_by(rule.rule, &outputs))
        .collect();
    let mut edges = reads.clone();
    for (first, second) in clashes(&outputs) {
        edges[first].push(second);
        edges[second].push(first);
    }
    let mut levels = vec![0; rules.len()];
    let component = |mut members: Vec<usize>| {
        members.sort_unstable();
        let is_member = |rule: &usize| members.binary_search(rule).is_ok();
        let read = || members.iter().flat_map(|&member| &reads[member]);
        let reads_itself = read().any(is_member);
        let others = read().filter(|&rule| !is_member(rule));
        let level = others.map(|&rule| levels[rule] + 1).max().unwrap_or(0);
        for &member in &members {
            levels[member] = level;
        }
        Component {
            rules: members,
            reads_itself,
            level,
        }
    };
    strongly_connected(&edges)
        .into_iter()
        .map(component)
        .collect()
}

/// The rules whose outputs a rule may read, each once and in order.
pub(super) fn read_by(rule: &Rule, outputs: &Outputs<'_>) -> Vec<usize> {
    let mut read = Vec::new();
    if labels_query(rule) {
        read.extend(outputs.all.iter().map(|output| output.rule));
    }
    for used in reads(&rule.expr.expr, Reach::LOOKBACK) {
        read.extend(outputs.matching(&used.matchers).map(|output| output.rule));
    }
    read.sort_unstable();
    read.dedup();
    read
}

/// Pairs of rules that may write the same series.
pub(super) fn clashes(outputs: &Outputs<'_>) -> Vec<(usize, usize)> {
    let mut buckets: BTreeMap<(&str, &[&str]), Vec<&Output<'_>>> = BTreeMap::new();
    for output in &outputs.all {
        let alert = match output.labels.get(ALERT_NAME) {
            Some(names) if matches!(output.name(), ALERTS | ALERTS_FOR_STATE) => names.as_slice(),
            _ => &[],
        };
        buckets
            .entry((output.name(), alert))
            .or_default()
            .push(output);
    }
    // A recording rule may be called ALERTS too: it shares the bucket of every alert.
    let mut pairs = Vec::new();
    for (&(name, alert), bucket) in &buckets {
        let recorded = buckets.get(&(name, &[][..])).filter(|_| !alert.is_empty());
        if bucket.len() > MAX_COMPARED {
            pairs.extend(bucket.windows(2).map(|pair| (pair[0].rule, pair[1].rule)));
            pairs.extend(
                recorded
                    .into_iter()
                    .flatten()
                    .map(|other| (bucket[0].rule, other.rule)),
            );
            continue;
        }
        for (index, first) in bucket.iter().enumerate() {
            let others = bucket[index + 1..]
                .iter()
                .chain(recorded.into_iter().flatten());
            pairs.extend(
                others
                    .filter(|second| second.rule != first.rule && first.may_equal(second))
                    .map(|second| (first.rule, second.rule)),
            );
        }
    }
    pairs
}

/// Whether a rule's labels depend on queries in their templates, which may read anything.
fn labels_query(rule: &Rule) -> bool {
    match &rule.kind {
        RuleKind::Alert(alert) => alert.labels.iter().any(|(_, template)| template.queries()),
        RuleKind::Recording { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::ReplaySpec;
    use super::super::plan::plan;
    use super::*;
    use crate::rules::{ReadOptions, RuleGroup, read};
    use crate::store::Store;
    use crate::text::Source;

    /// The components of rules that are given as lines of a group, `*` behind those that read themselves.
    fn found(rules: &str) -> String {
        let text = format!("groups:\n- name: g\n  rules:\n{rules}");
        let mut options = ReadOptions::default();
        options.features.experimental_functions = true;
        let file = read(&Source::new("rules", text), &options).unwrap();
        let groups: Vec<&RuleGroup> = file.groups.iter().collect();
        let spec = ReplaySpec::new(&groups, Store::default(), 0, 0, 1);
        let rules = plan(&spec).unwrap();
        let shown = components(&rules).into_iter().map(|component| {
            let mark = if component.reads_itself { "*" } else { "" };
            format!("{:?}{mark}", component.rules)
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    fn records(rules: &[(&str, &str)]) -> String {
        let lines = rules
            .iter()
            .map(|(name, expr)| format!("  - {{record: {name}, expr: '{expr}'}}\n"));
        found(&lines.collect::<String>())
    }

    #[test]
    fn what_is_read_comes_first() {
        assert_eq!(
            records(&[("a", "b"), ("b", "c"), ("c", "m")]),
            "[2] [1] [0]"
        );
        assert_eq!(records(&[("a", "m"), ("b", "n")]), "[0] [1]");
        assert_eq!(records(&[("a", "b"), ("b", "rate(a[5m])")]), "[0, 1]*");
        assert_eq!(records(&[("a", "a offset 1m or m")]), "[0]*");
        assert_eq!(
            records(&[("x:a", "m"), ("b", r#"{__name__=~"x:.*"}"#)]),
            "[0] [1]"
        );
        assert_eq!(records(&[("a", r#"{job="x"}"#)]), "[0]*");
        assert_eq!(
            records(&[("target_info", "m"), ("b", "info(n)")]),
            "[0] [1]"
        );
    }

    #[test]
    fn labels_that_are_known_keep_rules_apart() {
        let same = |first: &str, second: &str| {
            found(&format!(
                "  - {{record: a, expr: m, labels: {first}}}\n  - {{record: a, expr: n, labels: {second}}}\n"
            ))
        };
        assert_eq!(same("{w: x}", "{w: y}"), "[0] [1]");
        assert_eq!(same("{w: x}", "{v: y}"), "[0, 1]");
        assert_eq!(same("{w: ''}", "{w: y}"), "[0] [1]");
        let alert = |expr: &str, rest: &str| format!("  - {{alert: A, expr: '{expr}', {rest}}}\n");
        let pages = r#"count(ALERTS{severity="page"}) > 0"#;
        assert_eq!(found(&alert(pages, "labels: {severity: ticket}")), "[0]");
        assert_eq!(found(&alert(pages, "labels: {severity: page}")), "[0]*");
        assert_eq!(found(&alert(pages, "for: 1m")), "[0]*");
        let pending = r#"ALERTS{alertstate="pending"}"#;
        assert_eq!(found(&alert(pending, "for: 0s")), "[0]");
        assert_eq!(found(&alert(pending, "for: 1m")), "[0]*");
    }

    #[test]
    fn queries_in_labels_read_everything_and_those_in_annotations_nothing() {
        let rule = |part: &str| {
            found(&format!(
                "  - {{alert: A, expr: m, {part}: {{q: '{{{{ query \"n\" }}}}'}}}}\n"
            ))
        };
        assert_eq!(rule("labels"), "[0]*");
        assert_eq!(rule("annotations"), "[0]");
    }

    #[test]
    fn many_rules_in_a_row_need_no_stack() {
        let rules: Vec<(String, String)> = (0..3000)
            .map(|index| (format!("r{index}"), format!("r{}", index + 1)))
            .collect();
        let rules: Vec<(&str, &str)> = rules
            .iter()
            .map(|(name, expr)| (name.as_str(), expr.as_str()))
            .collect();
        assert!(records(&rules).starts_with("[2999] [2998]"));
    }
}
