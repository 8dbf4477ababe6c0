//! Reads groups and their rules, as strictly as Prometheus does.

use std::collections::BTreeSet;

use super::file::{decode_duration, diagnose_query};
use super::foreign::owners;
use super::keys::Keys;
use super::template::Template;
use super::unrendered::{self, Engine};
use super::validate::{self, Named};
use super::{AlertRule, ReadOptions, Rule, RuleGroup, RuleKind};
use crate::model::Millis;
use crate::promql::Query;
use crate::text::yaml::{Decoder, Embedded, Field, Fields, Node, UnknownFields};
use crate::text::{Diagnostic, Span};

/// Reads what a text holds, in one document or several.
pub(super) struct Reader<'d, 'o> {
    pub decoder: Decoder<'d>,
    pub options: &'o ReadOptions,
    pub keys: &'o Keys,
    pub warnings: Vec<Diagnostic>,
    /// The programs whose keys were met.
    pub owners: BTreeSet<&'static str>,
    /// That the file is the template of one, if that showed.
    pub template: Option<Diagnostic>,
}

/// What a rule takes from its group.
struct GroupContext<'d> {
    name: String,
    labels: Vec<Field<'d>>,
}

impl<'d> Reader<'d, '_> {
    pub fn unknown_fields(&self) -> UnknownFields {
        match self.options.ignore_unknown_fields {
            true => UnknownFields::Ignore,
            false => UnknownFields::Refuse,
        }
    }

    /// A group; `None` where a fault leaves nothing to evaluate.
    pub fn group(&mut self, node: Node<'d>) -> Option<RuleGroup> {
        let (unknown, known) = (self.unknown_fields(), self.keys);
        let decoder = &mut self.decoder;
        let fields = decoder.fields(node, "a group", &known.group, unknown)?;
        owners(&fields, &mut self.owners);
        if !self.is_promql(&fields) {
            return None;
        }
        let decoder = &mut self.decoder;
        let name = optional(decoder, &fields, "name", |decoder, node| {
            decoder.text(node, "`name`")
        });
        let name = name.unwrap_or_default();
        let mut labels = Vec::new();
        if let Some(field) = fields.get("labels") {
            labels = decoder.map(field, "`labels`");
            validate::labels(decoder, &labels, &format!("group {name:?}: "));
        }
        let interval = optional(decoder, &fields, "interval", |decoder, node| {
            decode_duration(decoder, node, "`interval`")
        });
        let limit = optional(decoder, &fields, "limit", |decoder, node| {
            decoder.integer(node, "`limit`")
        });
        let interval = interval.filter(|&interval| interval != 0);
        let timing = self.timing(&fields, interval);
        let group = GroupContext {
            name: name.clone(),
            labels,
        };
        let mut rules = Vec::new();
        if let Some(list) = fields.node("rules") {
            for (index, node) in self.decoder.list(list, "`rules`").into_iter().enumerate() {
                rules.extend(self.rule(node, index + 1, &group));
            }
        }
        let name_node = fields.node("name").filter(|node| !node.is_null());
        Some(RuleGroup {
            name,
            name_span: name_node.map_or(first_line(node), |node| node.target().span()),
            interval,
            phase: timing.phase.unwrap_or(0),
            own_phase: timing.phase,
            query_offset: timing.query_offset,
            limit: limit
                .and_then(|limit| usize::try_from(limit).ok())
                .unwrap_or(0),
            rules: rules.into(),
            source: self.decoder.source().clone(),
        })
    }

    /// One rule; `None` where a fault leaves nothing to evaluate.
    fn rule(&mut self, node: Node<'d>, number: usize, group: &GroupContext<'d>) -> Option<Rule> {
        let (unknown, known) = (self.unknown_fields(), self.keys);
        let decoder = &mut self.decoder;
        let fields = decoder.fields(node, "a rule", &known.rule, unknown)?;
        owners(&fields, &mut self.owners);
        let mut text = |name: &'static str| {
            optional(decoder, &fields, name, |decoder, node| {
                decoder.text(node, format_args!("`{name}`"))
            })
            .filter(|text| !text.is_empty())
        };
        let (record, alert) = (text("record"), text("alert"));
        let shown = alert.as_deref().or(record.as_deref()).unwrap_or("");
        let before = format!("group {:?}, rule {number}, {shown:?}: ", group.name);
        validate::kind(decoder, &fields, node, &record, &alert, &before);
        let expr = self.expr(&fields, &before, node);
        let decoder = &mut self.decoder;
        let hold = optional(decoder, &fields, "for", |decoder, node| {
            decode_duration(decoder, node, "`for`")
        });
        let keep_firing_for = optional(decoder, &fields, "keep_firing_for", |decoder, node| {
            decode_duration(decoder, node, "`keep_firing_for`")
        });
        // What is wrong with them was said already.
        let mut written = |name: &'static str, read: Option<Millis>| {
            let node = fields.node(name).filter(|_| read.is_some())?;
            decoder.embedded(node, "").map(Box::new)
        };
        let hold_text = written("for", hold);
        let keep_firing_for_text = written("keep_firing_for", keep_firing_for);
        let own_labels = map(decoder, &fields, "labels");
        validate::labels(decoder, &own_labels, &before);
        let annotations = map(decoder, &fields, "annotations");
        validate::annotation_names(decoder, &annotations, &before);
        let labels = merge_labels(&group.labels, own_labels);
        let (name, is_alert) = match (alert, record) {
            (Some(alert), _) => (alert, true),
            (None, record) => (record.unwrap_or_default(), false),
        };
        let kind = match is_alert {
            true => RuleKind::Alert(AlertRule {
                hold: hold.unwrap_or(0),
                keep_firing_for: keep_firing_for.unwrap_or(0),
                hold_text,
                keep_firing_for_text,
                labels: self.templates(&name, &labels, &before, "label"),
                annotations: self.templates(&name, &annotations, &before, "annotation"),
            }),
            false => {
                let named = Named {
                    name: &name,
                    before: &before,
                };
                let waits = [("for", hold), ("keep_firing_for", keep_firing_for)];
                validate::recording(decoder, &fields, named, &annotations, waits);
                RuleKind::Recording {
                    labels: self.texts(&labels),
                }
            }
        };
        let name_field = fields.node(if is_alert { "alert" } else { "record" });
        let (expr, expr_text) = expr?;
        Some(Rule {
            name,
            name_span: name_field.map_or(first_line(node), |node| node.target().span()),
            expr,
            expr_text,
            span: node.span(),
            kind,
        })
    }

    fn expr(
        &mut self,
        fields: &Fields<'d>,
        before: &str,
        rule: Node<'d>,
    ) -> Option<(Query, Embedded)> {
        let decoder = &mut self.decoder;
        let text = match fields.node("expr") {
            None => None,
            Some(node) => Some(decoder.embedded(node, "`expr`")?),
        };
        let Some(text) = text.filter(|text| !text.text.is_empty()) else {
            let span = match fields.get("expr") {
                Some(field) => field.key.span(),
                None => first_line(rule),
            };
            let message = format!("{before}field 'expr' must be set in rule");
            decoder.error(span, message, "write the query behind `expr:`");
            return None;
        };
        match Query::parse(&text.text, &self.options.features) {
            Ok(query) => Some((query, text)),
            Err(errors) => {
                if text.text.contains("{{") || text.text.contains("{%") {
                    self.unrendered(&text, Some(Engine::Unknown));
                }
                let decoder = &mut self.decoder;
                let before = format!("{before}could not parse expression: ");
                let faults = errors
                    .iter()
                    .map(|error| diagnose_query(&text, error, &before));
                decoder.faults.extend(faults);
                None
            }
        }
    }

    /// Notes that the file is a template, if a text shows it, or it is known and the text may show of which engine.
    fn unrendered(&mut self, text: &Embedded, known: Option<Engine>) {
        if self.template.is_some() || self.options.promtool_compatible {
            return;
        }
        let whole = Span::new(0, text.text.len());
        let found = unrendered::find(&text.text).or(known.map(|engine| (engine, whole)));
        if let Some((engine, span)) = found {
            self.template = Some(engine.diagnose().at(text.source(), text.span(span)));
        }
    }

    fn texts(&mut self, entries: &[Field<'d>]) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        for entry in entries {
            let shown = format_args!("label `{}`", entry.name);
            if let Some(text) = self.decoder.text(entry.value, shown) {
                texts.push((entry.name.to_owned(), text));
            }
        }
        texts
    }

    fn templates(
        &mut self,
        alert: &str,
        entries: &[Field<'d>],
        before: &str,
        what: &str,
    ) -> Vec<(String, Template)> {
        let mut templates = Vec::new();
        for entry in entries {
            let shown = format_args!("{what} `{}`", entry.name);
            let Some(text) = self.decoder.embedded(entry.value, shown) else {
                continue;
            };
            self.unrendered(&text, None);
            match Template::parse(&format!("__alert_{alert}"), &text.text) {
                Ok(template) => templates.push((entry.name.to_owned(), template.at(text))),
                Err(error) => {
                    let span = text.span(Span::new(error.offset, error.offset + 1));
                    let message = format!("{before}{what} {:?}: {}", entry.name, error.message);
                    self.decoder.error(span, message, error.help);
                }
            }
        }
        templates
    }
}

fn optional<'d, T>(
    decoder: &mut Decoder<'d>,
    fields: &Fields<'d>,
    name: &str,
    read: impl FnOnce(&mut Decoder<'d>, Node<'d>) -> Option<T>,
) -> Option<T> {
    fields.node(name).and_then(|node| read(decoder, node))
}

fn map<'d>(decoder: &mut Decoder<'d>, fields: &Fields<'d>, name: &str) -> Vec<Field<'d>> {
    match fields.get(name) {
        Some(field) => decoder.map(field, &format!("`{name}`")),
        None => Vec::new(),
    }
}

/// The group's labels, overridden by the rule's, in the order of names.
fn merge_labels<'d>(group: &[Field<'d>], own: Vec<Field<'d>>) -> Vec<Field<'d>> {
    let mut labels = own;
    for label in group {
        if !labels.iter().any(|own| own.name == label.name) {
            labels.push(label.clone());
        }
    }
    labels.sort_by_key(|label| label.name);
    labels
}

/// The part of a node that is worth marking: its first line.
pub(super) fn first_line(node: Node<'_>) -> Span {
    let span = node.span();
    let line = node.source().slice(span).lines().next().unwrap_or("");
    Span::new(span.start, span.start + line.trim_end().len())
}
