//! Which rule reads what another writes, and so which must be evaluated together.
//!
//! An edge exists only where the matchers of a selector can match the labels of an output that are known
//! before any evaluation: its name, the rule's own labels, `alertname` and `alertstate`. Labels that are not
//! known match anything.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hashbrown::HashMap;

use crate::model::{METRIC_NAME, MatchOp, Matcher};
use crate::promql::ast::{Call, Expr, ExprKind, VectorSelector};

use super::alert::{ALERT_NAME, ALERT_STATE, ALERTS, ALERTS_FOR_STATE};
use super::plan::PlannedRule;
use super::timeline::AlertState;
use crate::rules::{AlertRule, RuleKind};

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
    let outputs = Outputs::new(rules);
    let reads: Vec<Vec<usize>> = rules.iter().map(|rule| outputs.read_by(rule)).collect();
    let mut edges = reads.clone();
    for (first, second) in outputs.clashes() {
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

/// The values that a label of an output can have; one that is not listed can have any.
type Known<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// What a rule writes, as far as it is known before any evaluation.
struct Output<'a> {
    rule: usize,
    labels: Known<'a>,
}

/// What all rules write.
struct Outputs<'a> {
    all: Vec<Output<'a>>,
    by_name: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Outputs<'a> {
    fn new(rules: &[PlannedRule<'a>]) -> Outputs<'a> {
        let mut all = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let labels = match &rule.rule.kind {
                RuleKind::Recording { labels } => vec![recorded(rule.name(), labels)],
                RuleKind::Alert(alert) => synthetic(rule.name(), alert),
            };
            all.extend(labels.into_iter().map(|labels| Output {
                rule: index,
                labels,
            }));
        }
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, output) in all.iter().enumerate() {
            by_name.entry(output.name()).or_default().push(index);
        }
        Outputs { all, by_name }
    }

    /// The rules whose outputs a rule may read, each once and in order.
    fn read_by(&self, rule: &PlannedRule<'_>) -> Vec<usize> {
        let mut read = Vec::new();
        if labels_query(rule) {
            read.extend(self.all.iter().map(|output| output.rule));
        }
        for selector in selectors(&rule.query().expr) {
            let name = selector
                .iter()
                .find(|matcher| matcher.name == METRIC_NAME && matcher.op == MatchOp::Equal);
            let candidates: &mut dyn Iterator<Item = usize> = match name {
                Some(name) => &mut self
                    .by_name
                    .get(name.value.as_str())
                    .into_iter()
                    .flatten()
                    .copied(),
                None => &mut (0..self.all.len()),
            };
            for output in candidates {
                if self.all[output].may_match(&selector) {
                    read.push(self.all[output].rule);
                }
            }
        }
        read.sort_unstable();
        read.dedup();
        read
    }

    /// Pairs of rules that may write the same series.
    fn clashes(&self) -> Vec<(usize, usize)> {
        let mut buckets: BTreeMap<(&str, &[&str]), Vec<&Output<'_>>> = BTreeMap::new();
        for output in &self.all {
            let alert = match output.labels.get(ALERT_NAME) {
                Some(names) if matches!(output.name(), ALERTS | ALERTS_FOR_STATE) => {
                    names.as_slice()
                }
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
}

impl<'a> Output<'a> {
    fn name(&self) -> &'a str {
        self.labels
            .get(METRIC_NAME)
            .and_then(|names| names.first())
            .copied()
            .unwrap_or("")
    }

    /// Whether a selector can match.
    fn may_match(&self, selector: &[Cow<'_, Matcher>]) -> bool {
        selector
            .iter()
            .all(|matcher| match self.labels.get(matcher.name.as_str()) {
                Some(values) => values.iter().any(|value| matcher.matches_value(value)),
                None => true,
            })
    }

    /// Whether two outputs can have the same labels.
    fn may_equal(&self, other: &Output<'_>) -> bool {
        self.labels
            .iter()
            .all(|(name, values)| match other.labels.get(name) {
                Some(others) => values.iter().any(|value| others.contains(value)),
                None => true,
            })
    }
}

/// What is known of a recording rule's series.
fn recorded<'a>(name: &'a str, labels: &'a [(String, String)]) -> Known<'a> {
    let mut known: Known<'a> = labels
        .iter()
        .map(|(name, value)| (name.as_str(), vec![value.as_str()]))
        .collect();
    known.insert(METRIC_NAME, vec![name]);
    known
}

/// What is known of `ALERTS` and `ALERTS_FOR_STATE` of an alerting rule.
fn synthetic<'a>(name: &'a str, alert: &'a AlertRule) -> Vec<Known<'a>> {
    let literal = alert
        .labels
        .iter()
        .filter(|(_, template)| template.is_literal());
    let mut state: Known<'a> = literal
        .map(|(name, template)| (name.as_str(), vec![template.text()]))
        .collect();
    state.insert(ALERT_NAME, vec![name]);
    let mut alerts = state.clone();
    state.insert(METRIC_NAME, vec![ALERTS_FOR_STATE]);
    alerts.insert(METRIC_NAME, vec![ALERTS]);
    // An alert without `for` is never seen pending.
    let mut states = vec![AlertState::Firing.name()];
    if alert.hold > 0 {
        states.push(AlertState::Pending.name());
    }
    alerts.insert(ALERT_STATE, states);
    vec![alerts, state]
}

/// Whether a rule's labels depend on queries in their templates, which may read anything.
fn labels_query(rule: &PlannedRule<'_>) -> bool {
    rule.alert()
        .is_some_and(|alert| alert.labels.iter().any(|(_, template)| template.queries()))
}

/// The matchers of every selector of a query.
fn selectors(expr: &Expr) -> Vec<Vec<Cow<'_, Matcher>>> {
    let mut found = Vec::new();
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        match &expr.kind {
            ExprKind::Vector(selector) => found.push(borrowed(selector)),
            ExprKind::Matrix(matrix) => found.push(borrowed(&matrix.selector)),
            ExprKind::Call(call) if call.function.name == "info" => {
                found.push(info_selector(call));
                open.extend(call.args.first());
            }
            _ => open.extend(expr.children()),
        }
    }
    found
}

fn borrowed(selector: &VectorSelector) -> Vec<Cow<'_, Matcher>> {
    selector.matchers.iter().map(Cow::Borrowed).collect()
}

/// What `info` reads beside its first argument: `target_info` unless the second names something else.
fn info_selector(call: &Call) -> Vec<Cow<'_, Matcher>> {
    let named: Vec<Cow<'_, Matcher>> =
        match call.args.get(1).map(|arg| &arg.unwrap_parens().kind) {
            Some(ExprKind::Vector(selector)) => borrowed(selector),
            _ => Vec::new(),
        }
        .into_iter()
        .filter(|matcher| matcher.name == METRIC_NAME)
        .collect();
    match named.is_empty() {
        true => vec![Cow::Owned(Matcher::equal(METRIC_NAME, "target_info"))],
        false => named,
    }
}

/// Tarjan's strongly connected components, each after those its edges lead to. Without recursion, since a
/// file may hold thousands of rules that read each other in a row.
fn strongly_connected(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut search = Search {
        index: vec![None; edges.len()],
        low: vec![0; edges.len()],
        on_stack: vec![false; edges.len()],
        stack: Vec::new(),
        next: 0,
        components: Vec::new(),
    };
    for root in 0..edges.len() {
        if search.index[root].is_none() {
            search.visit(root, edges);
        }
    }
    search.components
}

/// The state of Tarjan's search.
struct Search {
    index: Vec<Option<usize>>,
    low: Vec<usize>,
    on_stack: Vec<bool>,
    stack: Vec<usize>,
    next: usize,
    components: Vec<Vec<usize>>,
}

impl Search {
    fn visit(&mut self, root: usize, edges: &[Vec<usize>]) {
        let mut path = vec![(root, 0)];
        self.enter(root);
        while let Some((node, edge)) = path.last_mut() {
            let node = *node;
            let Some(&target) = edges[node].get(*edge) else {
                path.pop();
                self.leave(node);
                if let Some(&(parent, _)) = path.last() {
                    self.low[parent] = self.low[parent].min(self.low[node]);
                }
                continue;
            };
            *edge += 1;
            match self.index[target] {
                None => {
                    self.enter(target);
                    path.push((target, 0));
                }
                Some(index) if self.on_stack[target] => {
                    self.low[node] = self.low[node].min(index);
                }
                Some(_) => {}
            }
        }
    }

    fn enter(&mut self, node: usize) {
        self.index[node] = Some(self.next);
        self.low[node] = self.next;
        self.next += 1;
        self.stack.push(node);
        self.on_stack[node] = true;
    }

    fn leave(&mut self, node: usize) {
        if Some(self.low[node]) != self.index[node] {
            return;
        }
        let mut component = Vec::new();
        while let Some(member) = self.stack.pop() {
            self.on_stack[member] = false;
            component.push(member);
            if member == node {
                break;
            }
        }
        self.components.push(component);
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
