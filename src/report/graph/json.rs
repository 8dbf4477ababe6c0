//! `{"version": 1, "rules": [{"id", "kind": alert|record, "name", "labels", "file", "line", "column", "group", "interval",
//! "depth", "late", "read_by": [id], "reads": [{"selector", "metric", "line", "column", "rules": [{"id", "order":
//! before|behind|apart, "late"}], "selection"}]}], "selections": [[id]], "findings": [{"finding", "rule": id, "severity", "message", "file", "line", "column",
//! "help"}]}`
//!
//! `id` counts all rules of the call from 0, those that `--focus` leaves out, too. Times are seconds: `late` of a rule is how
//! old the metrics that it sees in the end may be, null where a circle lies between; that of a read is by how much what is
//! read may lag behind, null where an `@` fixes the moment. `metric` is null for a selector that names none; a template that queries has
//! the selector null. `labels` are those that a recording rule sets. Where a selector may read more than 8 rules, `rules` is empty and
//! `selection` is the place of their ids in `selections`, which many may share, else null; `read_by` leaves such readers out.

use serde::Serialize;
use serde_json::{Value, json};

use std::collections::{BTreeSet, HashMap};

use super::{MAX_FOLLOWED, View, kind};
use crate::model::Millis;
use crate::replay::{DependentRule, Order, RuleRead, RuleSource};
use crate::report::json::Finding;
use crate::rules::RuleKind;

/// What is odd about a rule.
#[derive(Serialize)]
struct Odd<'d> {
    finding: &'static str,
    rule: usize,
    #[serde(flatten)]
    told: Finding<'d>,
}

/// For programs, on one line.
pub fn json(view: &View<'_>) -> String {
    let read_by = read_by(view);
    let mut selections = Selections::default();
    let rules: Vec<Value> = view
        .rules()
        .map(|(index, it)| rule(view, index, it, &read_by[index], &mut selections))
        .collect();
    let findings = view.findings.iter().map(|finding| Odd {
        finding: finding.kind.name(),
        rule: finding.rule,
        told: Finding::new(&finding.warning),
    });
    let findings: Vec<Odd<'_>> = findings.collect();
    format!(
        "{}\n",
        json!({"version": 1, "rules": rules, "selections": selections.all, "findings": findings})
    )
}

/// What selectors of many rules select, each set once.
#[derive(Default)]
struct Selections {
    all: Vec<Vec<usize>>,
    places: HashMap<Vec<usize>, usize>,
}

impl Selections {
    fn place(&mut self, rules: Vec<usize>) -> usize {
        let next = self.all.len();
        *self.places.entry(rules).or_insert_with_key(|rules| {
            self.all.push(rules.clone());
            next
        })
    }
}

/// The readers of every rule that are shown, without those by selectors of many.
fn read_by(view: &View<'_>) -> Vec<BTreeSet<usize>> {
    let mut read_by = vec![BTreeSet::new(); view.rules.len()];
    for (reader, rule) in view.rules() {
        let narrow = rule.reads.iter().filter(|read| !is_wide(read));
        for source in narrow.flat_map(|read| &read.sources) {
            read_by[source.rule].insert(reader);
        }
    }
    read_by
}

fn is_wide(read: &RuleRead<'_>) -> bool {
    read.sources.len() > MAX_FOLLOWED
}

fn rule(
    view: &View<'_>,
    index: usize,
    rule: &DependentRule<'_>,
    read_by: &BTreeSet<usize>,
    selections: &mut Selections,
) -> Value {
    let place = rule.place();
    let at = place.source.line_column(place.span.start);
    let labels = match &rule.rule.kind {
        RuleKind::Recording { labels } => labels.as_slice(),
        RuleKind::Alert(_) => &[],
    };
    let labels: serde_json::Map<String, Value> = labels
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let reads: Vec<Value> = rule
        .reads
        .iter()
        .filter_map(|it| read(view, index, it, selections))
        .collect();
    json!({
        "id": index, "kind": kind(rule), "name": rule.rule.name, "labels": labels, "file": place.source.name(),
        "line": at.line, "column": at.column, "group": rule.group.name, "interval": seconds(rule.interval),
        "depth": rule.depth, "late": rule.late.map(seconds), "read_by": read_by, "reads": reads,
    })
}

/// What is read, unless only what is not shown.
fn read(
    view: &View<'_>,
    index: usize,
    read: &RuleRead<'_>,
    selections: &mut Selections,
) -> Option<Value> {
    let at = read.place.source.line_column(read.place.span.start);
    let shown = read.sources.iter().filter(|source| view.rules[source.rule]);
    let shown: Vec<&RuleSource> = shown.collect();
    let is_shown = !shown.is_empty() || view.shows_metrics(index, read);
    let selector = read.matchers.as_ref().map(|_| &read.text);
    let (rules, selection) = match is_wide(read) && !shown.is_empty() {
        true => {
            let ids = shown.iter().map(|source| source.rule);
            (Vec::new(), Some(selections.place(ids.collect())))
        }
        false => (shown.into_iter().map(source).collect(), None),
    };
    is_shown.then(|| {
        json!({
            "selector": selector, "metric": read.metric(), "line": at.line, "column": at.column, "rules": rules,
            "selection": selection,
        })
    })
}

fn source(source: &RuleSource) -> Value {
    let order = match source.order {
        Order::Before => "before",
        Order::Behind => "behind",
        Order::Apart => "apart",
    };
    json!({"id": source.rule, "order": order, "late": source.late.map(seconds)})
}

/// Whole where it is.
fn seconds(millis: Millis) -> Value {
    match millis % 1000 {
        0 => json!(millis / 1000),
        _ => json!(millis as f64 / 1000.0),
    }
}
