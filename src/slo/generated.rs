//! Rules that were made of specifications, and how they are written as a rule file.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::text::yaml::{write_block, write_text};

/// What was made of one specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The Kubernetes object to wrap the groups in, if the specification was one.
    pub object: Option<Object>,
    /// The groups of rules in their order.
    pub groups: Vec<Group>,
}

/// What a Kubernetes object is called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object {
    /// Its name.
    pub name: String,
    /// Its namespace; empty for none.
    pub namespace: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// A group of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Time between evaluations as the tool writes it; `None` for the server's.
    pub interval: Option<String>,
    /// Its rules in their order.
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Whether it records or alerts.
    pub kind: Kind,
    /// The recorded metric or the alert.
    pub name: String,
    /// Its query.
    pub expr: String,
    /// `for`, as the tool writes it.
    pub hold: Option<String>,
    /// Labels to set.
    pub labels: BTreeMap<String, String>,
    /// Annotations of an alert.
    pub annotations: BTreeMap<String, String>,
}

/// What a rule does with its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It records it.
    Record,
    /// It alerts.
    Alert,
}

impl Rule {
    /// A recording rule.
    pub fn record(
        name: impl Into<String>,
        expr: impl Into<String>,
        labels: BTreeMap<String, String>,
    ) -> Rule {
        Rule {
            kind: Kind::Record,
            name: name.into(),
            expr: expr.into(),
            hold: None,
            labels,
            annotations: BTreeMap::new(),
        }
    }
}

/// Writes a rule file: groups that belong to no object first, under one `groups:`, then a document for each object.
pub fn write(bundles: &[Bundle], note: &str) -> String {
    let mut out = format!("# {note}\n");
    let plain = || bundles.iter().filter(|it| it.object.is_none());
    let has_plain = plain().next().is_some();
    if has_plain {
        out.push_str("groups:\n");
        let groups = plain().flat_map(|bundle| &bundle.groups);
        groups.for_each(|group| write_group(&mut out, group, ""));
    }
    let mut is_first = !has_plain;
    for bundle in bundles {
        let Some(object) = &bundle.object else {
            continue;
        };
        if !is_first {
            out.push_str("---\n");
        }
        is_first = false;
        write_object(&mut out, object);
        let groups = bundle.groups.iter();
        groups.for_each(|group| write_group(&mut out, group, "  "));
    }
    out
}

fn write_object(out: &mut String, object: &Object) {
    out.push_str("apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n");
    let named = [("name", &object.name), ("namespace", &object.namespace)];
    for (key, value) in named.into_iter().filter(|(_, value)| !value.is_empty()) {
        line(out, &format!("  {key}: {}", write_text(value)));
    }
    write_map(out, "labels", &object.labels, "  ");
    write_map(out, "annotations", &object.annotations, "  ");
    out.push_str("spec:\n  groups:\n");
}

fn write_group(out: &mut String, group: &Group, indent: &str) {
    line(out, &format!("{indent}- name: {}", write_text(&group.name)));
    if let Some(interval) = &group.interval {
        line(out, &format!("{indent}  interval: {interval}"));
    }
    line(out, &format!("{indent}  rules:"));
    let inner = format!("{indent}    ");
    for rule in &group.rules {
        let kind = match rule.kind {
            Kind::Record => "record",
            Kind::Alert => "alert",
        };
        line(
            out,
            &format!("{indent}  - {kind}: {}", write_text(&rule.name)),
        );
        line(out, &format!("{inner}expr: {}", query(&rule.expr, &inner)));
        if let Some(hold) = &rule.hold {
            line(out, &format!("{inner}for: {hold}"));
        }
        write_map(out, "labels", &rule.labels, &inner);
        write_map(out, "annotations", &rule.annotations, &inner);
    }
}

/// A query: as a block where it has several lines.
fn query(text: &str, indent: &str) -> String {
    let block = write_block(text, &format!("{indent}  "), "\n");
    block.unwrap_or_else(|| write_text(text))
}

fn write_map(out: &mut String, key: &str, map: &BTreeMap<String, String>, indent: &str) {
    if map.is_empty() {
        return;
    }
    line(out, &format!("{indent}{key}:"));
    for (name, value) in map {
        let value = query(value, &format!("{indent}  "));
        line(out, &format!("{indent}  {}: {value}", write_text(name)));
    }
}

fn line(out: &mut String, text: &str) {
    // A string takes every text.
    let _ = writeln!(out, "{text}");
}
