//! For Graphviz: a cluster a file and in it one a group, an arrow from each rule to what it reads. A selector that may read more
//! rules than are followed is a note with their number.

use std::collections::BTreeSet;

use super::{Child, MAX_FOLLOWED, View, titled};
use crate::model::Duration;
use crate::replay::{DependencyKind, Order, RuleRead, RuleSource};
use crate::report::count;

/// The rules and what they read as a graph in DOT. Dashed arrows are read late; grey rules are not needed by any alert, red
/// names are provided by nothing.
pub fn dot(view: &View<'_>) -> String {
    let mut out = "digraph rules {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\", fontsize=10];\n  \
                   edge [fontname=\"sans-serif\", fontsize=8];\n"
        .to_owned();
    out.push_str(&clusters(view));
    let unanswered = unanswered(view);
    for metric in view.metrics() {
        let colour = if unanswered.contains(metric) {
            ", color=red, fontcolor=red"
        } else {
            ""
        };
        let name = quoted(metric);
        out.push_str(&format!(
            "  {} [label={name}, shape=ellipse{colour}];\n",
            node(metric)
        ));
    }
    let mut notes = BTreeSet::new();
    for (index, _) in view.rules() {
        for child in view.children(index) {
            out.push_str(&match child {
                Child::Rule(source) => edge(index, &source, false),
                Child::Metric(name, _) => format!("  r{index} -> {};\n", node(name)),
                Child::Several(read) if read.sources.len() > MAX_FOLLOWED => {
                    let note = note(view, read);
                    let arrow = format!("  r{index} -> {note} [color=grey];\n");
                    match notes.insert(note.clone()) {
                        true => format!("  {note} [shape=note, color=grey];\n{arrow}"),
                        false => arrow,
                    }
                }
                Child::Several(read) => {
                    let shown = read.sources.iter().filter(|source| view.rules[source.rule]);
                    shown.map(|source| edge(index, source, true)).collect()
                }
            });
        }
    }
    out.push_str("}\n");
    out
}

fn clusters(view: &View<'_>) -> String {
    let mut out = String::new();
    let (mut file, mut group) = (None, None);
    for (index, rule) in view.rules() {
        let name = rule.group.source.name();
        if group.is_some() && group != Some(rule.id.group) {
            out.push_str("    }\n");
        }
        if file.is_some() && file != Some(name) {
            out.push_str("  }\n");
        }
        if file != Some(name) {
            out.push_str(&format!(
                "  subgraph cluster_f{index} {{\n    label={};\n",
                quoted(name)
            ));
        }
        if group != Some(rule.id.group) {
            let label = format!("{}, every {}", rule.group.name, Duration(rule.interval));
            let label = quoted(&label);
            out.push_str(&format!(
                "    subgraph cluster_g{} {{\n      label={label};\n",
                rule.id.group
            ));
        }
        (file, group) = (Some(name), Some(rule.id.group));
        let mut style = match rule.is_alert() {
            true => ", style=filled, fillcolor=mistyrose",
            false => "",
        };
        if view.is(DependencyKind::Unused, index) {
            style = ", color=grey, fontcolor=grey";
        }
        out.push_str(&format!(
            "      r{index} [label={}{style}];\n",
            quoted(&titled(rule))
        ));
    }
    if file.is_some() {
        out.push_str("    }\n  }\n");
    }
    out
}

/// The metrics that nothing provides.
fn unanswered<'v>(view: &View<'v>) -> BTreeSet<&'v str> {
    let children = view.rules().flat_map(|(index, _)| view.children(index));
    let unanswered = children.filter_map(|child| match child {
        Child::Metric(name, true) => Some(name),
        _ => None,
    });
    unanswered.collect()
}

/// An arrow from a reader to what it reads.
fn edge(reader: usize, source: &RuleSource, is_vague: bool) -> String {
    let late = match (source.order, source.late) {
        (Order::Before, _) | (_, None | Some(0)) => None,
        (Order::Behind, Some(late)) => Some(format!("{} late", Duration(late))),
        (Order::Apart, Some(late)) => Some(format!("up to {} late", Duration(late))),
    };
    let mut attributes = Vec::new();
    if let Some(late) = late {
        attributes.push(format!("label={}, style=dashed", quoted(&late)));
    }
    if is_vague {
        attributes.push("color=grey".to_owned());
    }
    let attributes = match attributes.is_empty() {
        true => String::new(),
        false => format!(" [{}]", attributes.join(", ")),
    };
    format!("  r{reader} -> r{}{attributes};\n", source.rule)
}

/// What a selector of many rules and its node are called.
fn note(view: &View<'_>, read: &RuleRead<'_>) -> String {
    let shown = read.sources.iter().filter(|source| view.rules[source.rule]);
    quoted(&format!(
        "{}\nmay read {}",
        read.text,
        count(shown.count(), "rule")
    ))
}

/// What a metric's node is called.
fn node(metric: &str) -> String {
    quoted(&format!("metric {metric}"))
}

/// A text in quotes. A backslash begins an escape in a label, whatever follows.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            letter if letter.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}
