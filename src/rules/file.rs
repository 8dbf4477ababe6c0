//! Reads rule files, as strictly as Prometheus does.

use std::fmt;

use super::template::Template;
use super::validate::{self, Named};
use super::{AlertRule, ReadOptions, Rule, RuleFile, RuleGroup, RuleKind};
use crate::model::{Duration, DurationError, Millis};
use crate::promql::{Query, QueryError};
use crate::text::yaml::{
    self, Decoder, Dialect, Document, Embedded, Field, Fields, Kind, Node, UnknownFields,
};
use crate::text::{Diagnostic, Source, Span};

const GROUP_FIELDS: [&str; 6] = [
    "name",
    "interval",
    "query_offset",
    "limit",
    "rules",
    "labels",
];

const RULE_FIELDS: [&str; 7] = [
    "record",
    "alert",
    "expr",
    "for",
    "keep_firing_for",
    "labels",
    "annotations",
];

/// Whether a text has a top-level `groups:`, by a look at the beginnings of its lines.
pub fn looks_like_rule_file(text: &str) -> bool {
    yaml::has_top_level_key(text, "groups")
}

/// Reads a rule file.
///
/// # Errors
///
/// Every fault for which Prometheus would not load the file, in the order of the file.
pub fn read(source: &Source, options: &ReadOptions) -> Result<RuleFile, Vec<Diagnostic>> {
    let document = yaml::parse(source).map_err(|fault| vec![fault])?;
    let mut reader = Reader {
        decoder: Decoder::new(source, Dialect::V3),
        options,
        warnings: Vec::new(),
    };
    let groups = reader.file(&document);
    let Reader {
        decoder, warnings, ..
    } = reader;
    let mut faults = decoder.faults;
    match faults.is_empty() {
        true => Ok(RuleFile {
            source: source.clone(),
            groups,
            warnings,
        }),
        false => {
            let start = |fault: &Diagnostic| fault.place.as_ref().map(|place| place.span.start);
            faults.sort_by_key(start);
            // A fault in a group's label would show once a rule.
            faults.dedup_by(|a, b| start(a) == start(b) && a.message == b.message);
            Err(faults)
        }
    }
}

/// Reads a duration as Prometheus writes them; 0 for nothing, `None` with a fault for no duration.
pub(crate) fn decode_duration<'d>(
    decoder: &mut Decoder<'d>,
    node: Node<'d>,
    what: impl fmt::Display,
) -> Option<Millis> {
    if node.is_null() {
        return Some(0);
    }
    let text = decoder.text(node, &what)?;
    match Duration::parse(&text) {
        Ok(duration) => Some(duration.millis()),
        Err(error) => {
            let help = match (&error, text.bytes().all(|byte| byte.is_ascii_digit())) {
                (DurationError::Malformed(_), true) => format!("a duration has a unit: `{text}s`"),
                (DurationError::OutOfRange, _) => "the longest is about 292 years".to_owned(),
                _ => "write a duration such as `90s`, `5m` or `1h30m`".to_owned(),
            };
            decoder.error(node.target().span(), format!("{what}: {error}"), help);
            None
        }
    }
}

/// What a faulty query is told as, at its place in the file.
pub(crate) fn diagnose_query(text: &Embedded, error: &QueryError, before: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("{before}{}", error.message))
        .at(text.source(), text.span(error.span));
    match &error.help {
        Some(help) => diagnostic.help(help.as_str()),
        None => diagnostic.help("correct the query"),
    }
}

struct Reader<'d, 'o> {
    decoder: Decoder<'d>,
    options: &'o ReadOptions,
    warnings: Vec<Diagnostic>,
}

/// What a rule takes from its group.
struct GroupContext<'d> {
    name: String,
    labels: Vec<Field<'d>>,
}

impl<'d> Reader<'d, '_> {
    fn file(&mut self, document: &'d Document<'d>) -> Vec<RuleGroup> {
        let source = self.decoder.source();
        if let Some(more) = document.more {
            self.warnings.push(
                Diagnostic::warning("only the first YAML document of a rule file is read")
                    .at(source, more)
                    .help("put the groups of all documents under one `groups:`"),
            );
        }
        let Some(root) = document.root() else {
            return Vec::new();
        };
        if !self.options.ignore_unknown_fields
            && let Some(fault) = other_kind_of_file(root)
        {
            self.decoder.faults.push(fault);
            return Vec::new();
        }
        let unknown = self.unknown_fields();
        let fields = self
            .decoder
            .fields(root, "a rule file", &["groups"], unknown);
        let Some(list) = fields.and_then(|fields| fields.node("groups")) else {
            return Vec::new();
        };
        let mut groups = Vec::new();
        for node in self.decoder.list(list, "`groups`") {
            groups.extend(self.group(node));
        }
        validate::group_names(&mut self.decoder, &groups);
        self.warnings.extend(validate::duplicate_rules(&groups));
        groups
    }

    fn unknown_fields(&self) -> UnknownFields {
        match self.options.ignore_unknown_fields {
            true => UnknownFields::Ignore,
            false => UnknownFields::Refuse,
        }
    }

    fn group(&mut self, node: Node<'d>) -> Option<RuleGroup> {
        let unknown = self.unknown_fields();
        let decoder = &mut self.decoder;
        let fields = decoder.fields(node, "a group", &GROUP_FIELDS, unknown)?;
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
        let query_offset = fields.node("query_offset").filter(|node| !node.is_null());
        let query_offset =
            query_offset.and_then(|node| decode_duration(decoder, node, "`query_offset`"));
        let limit = optional(decoder, &fields, "limit", |decoder, node| {
            decoder.integer(node, "`limit`")
        });
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
            interval: interval.filter(|&interval| interval != 0),
            phase: 0,
            query_offset,
            limit: limit
                .and_then(|limit| usize::try_from(limit).ok())
                .unwrap_or(0),
            rules,
            source: self.decoder.source().clone(),
        })
    }

    /// One rule; `None` where a fault leaves nothing to evaluate.
    fn rule(&mut self, node: Node<'d>, number: usize, group: &GroupContext<'d>) -> Option<Rule> {
        let unknown = self.unknown_fields();
        let decoder = &mut self.decoder;
        let fields = decoder.fields(node, "a rule", &RULE_FIELDS, unknown)?;
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
                let before = format!("{before}could not parse expression: ");
                let faults = errors
                    .iter()
                    .map(|error| diagnose_query(&text, error, &before));
                decoder.faults.extend(faults);
                None
            }
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
            match Template::parse(&format!("__alert_{alert}"), &text.text) {
                Ok(template) => templates.push((entry.name.to_owned(), template)),
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

/// A file that holds rules in another wrapper, or something else than rules.
fn other_kind_of_file(root: Node<'_>) -> Option<Diagnostic> {
    let Kind::Mapping(children) = root.kind() else {
        return None;
    };
    let find = |name: &str| {
        let is_name = |node: Node<'_>| matches!(node.kind(), Kind::Scalar(key) if key.text == name);
        children.pairs().find(|(key, _)| is_name(*key))
    };
    let (key, help, message) =
        if let (Some((key, kind)), Some(_)) = (find("kind"), find("apiVersion")) {
            let kind = match kind.kind() {
                Kind::Scalar(kind) => format!("of kind {}", kind.text),
                _ => String::new(),
            };
            let help = "put its `groups:` into a file of its own, for example with `yq .spec`";
            (
                key,
                help,
                format!("this is a Kubernetes object {kind}, not a rule file"),
            )
        } else if let Some((key, _)) = find("tests") {
            let help = "run it with `rulecheck test`, and name rule files under its `rule_files:`";
            (key, help, "this is a test file, not a rule file".to_owned())
        } else {
            return None;
        };
    Some(
        Diagnostic::error(message)
            .at(root.source(), key.span())
            .help(help),
    )
}
