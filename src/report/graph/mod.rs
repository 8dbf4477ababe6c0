//! Which rule reads what: as a tree for people, for Graphviz, and as JSON.

mod dot;
mod json;
mod text;

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::replay::{
    Dependencies, DependencyFinding, DependencyKind, DependentRule, RuleRead, RuleSource,
};
use crate::rules::RuleKind;

pub use dot::dot;
pub use json::json;
pub use text::text;

/// Rules and what they read, or the part of them that somebody asked for.
#[derive(Debug)]
pub struct View<'d> {
    /// All rules.
    pub dependencies: &'d Dependencies<'d>,
    /// What is odd about those that are shown.
    pub findings: Vec<DependencyFinding>,
    /// Whether a rule is shown.
    rules: Vec<bool>,
    /// Of these rules all metrics are shown; of others only those that were asked for.
    in_full: Vec<bool>,
    focus: Vec<String>,
}

/// Something that a rule reads.
#[derive(Debug)]
enum Child<'d> {
    /// A rule, by its name.
    Rule(RuleSource),
    /// Rules that a selector may read because it names none of them, or very many.
    Several(&'d RuleRead<'d>),
    /// A metric, or a selector that names none; whether that nothing provides it is certain.
    Metric(&'d str, bool),
}

/// A selector that reads more rules than this is not followed.
const MAX_FOLLOWED: usize = 8;

impl<'d> View<'d> {
    /// What is shown of rules: all, or only what some names have to do with.
    ///
    /// # Errors
    ///
    /// A name that no rule has and that none reads.
    pub fn new(
        dependencies: &'d Dependencies<'d>,
        findings: Vec<DependencyFinding>,
        focus: &[String],
    ) -> Result<View<'d>, String> {
        let all = dependencies.rules.len();
        let mut view = View {
            dependencies,
            findings,
            rules: vec![true; all],
            in_full: vec![true; all],
            focus: focus.to_vec(),
        };
        if focus.is_empty() {
            return Ok(view);
        }
        let (mut named, mut readers) = (Vec::new(), Vec::new());
        for name in focus {
            let before = named.len() + readers.len();
            for (index, rule) in dependencies.rules.iter().enumerate() {
                let reads_it = |read: &RuleRead<'_>| read.metric() == Some(name);
                if rule.rule.name == *name {
                    named.push(index);
                } else if rule.reads.iter().any(reads_it) {
                    readers.push(index);
                }
            }
            if named.len() + readers.len() == before {
                return Err(name.clone());
            }
        }
        view.in_full = dependencies.closure(&named, DependentRule::sources);
        readers.extend(&named);
        let above = dependencies.closure(&readers, |rule| rule.read_by.clone());
        let either = above.iter().zip(&view.in_full);
        view.rules = either.map(|(above, below)| *above || *below).collect();
        view.findings.retain(|finding| view.rules[finding.rule]);
        Ok(view)
    }

    /// The rules that are shown, with their numbers.
    fn rules(&self) -> impl Iterator<Item = (usize, &'d DependentRule<'d>)> {
        let rules = self.dependencies.rules.iter().enumerate();
        rules.filter(|(index, _)| self.rules[*index])
    }

    /// What is shown of what a rule reads, each once and in the order of its query.
    fn children(&self, index: usize) -> Vec<Child<'d>> {
        let (mut children, mut rules, mut others) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for read in &self.dependencies.rules[index].reads {
            let is_followed = read.metric().is_some() || read.matchers.is_none();
            let shown = || read.sources.iter().filter(|source| self.rules[source.rule]);
            if is_followed && !read.sources.is_empty() && read.sources.len() <= MAX_FOLLOWED {
                let fresh = shown().filter(|source| rules.insert(source.rule));
                children.extend(fresh.map(|source| Child::Rule(*source)));
            } else if shown().next().is_some() {
                if others.insert(read.text.as_str()) {
                    children.push(Child::Several(read));
                }
            } else if read.sources.is_empty() && read.matchers.is_some() {
                let name = read.metric().unwrap_or(&read.text);
                if self.shows_metrics(index, read) && others.insert(name) {
                    children.push(Child::Metric(name, read.is_unanswered()));
                }
            }
        }
        children
    }

    /// Whether what a rule reads of metrics is shown.
    fn shows_metrics(&self, index: usize, read: &RuleRead<'_>) -> bool {
        let is_asked = |name: &str| self.focus.iter().any(|it| it == name);
        self.in_full[index] || read.metric().is_some_and(is_asked)
    }

    /// The metrics that are shown.
    fn metrics(&self) -> BTreeSet<&'d str> {
        let children = self.rules().flat_map(|(index, _)| self.children(index));
        let metrics = children.filter_map(|child| match child {
            Child::Metric(name, _) => Some(name),
            Child::Rule(_) | Child::Several(_) => None,
        });
        metrics.collect()
    }

    /// Whether there is something of a kind to say of a rule.
    fn is(&self, kind: DependencyKind, rule: usize) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.kind == kind && finding.rule == rule)
    }
}

/// The name of a rule with the labels that it sets on what it records: several may record one name.
fn titled(rule: &DependentRule<'_>) -> String {
    let name = written(&rule.rule.name);
    match &rule.rule.kind {
        RuleKind::Recording { labels } if !labels.is_empty() => {
            let labels = labels
                .iter()
                .map(|(name, value)| format!("{}={value:?}", written(name)));
            format!("{name}{{{}}}", labels.collect::<Vec<_>>().join(", "))
        }
        _ => name.into_owned(),
    }
}

/// A name that keeps to its line.
fn written(name: &str) -> Cow<'_, str> {
    match name.chars().any(char::is_control) {
        true => Cow::Owned(format!("{name:?}")),
        false => Cow::Borrowed(name),
    }
}

/// `alert` or `record`.
fn kind(rule: &DependentRule<'_>) -> &'static str {
    match rule.is_alert() {
        true => "alert",
        false => "record",
    }
}
