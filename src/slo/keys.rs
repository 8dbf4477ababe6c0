//! The keys of a specification, as the tools that read them do: unknown ones are passed over or refused.

use std::collections::BTreeMap;

use super::generated::Object;
use crate::model::number::format_general;
use crate::model::{Duration, Millis};
use crate::text::yaml::{Decoder, Dialect, Embedded, Field, Kind, Node, Resolved};
use crate::text::{Diagnostic, Source, Span, closest};

/// Takes values out of a specification; faults and warnings are kept, and the work goes on.
#[derive(Debug)]
pub(super) struct Reader<'d> {
    pub decoder: Decoder<'d>,
    pub warnings: Vec<Diagnostic>,
    /// The tool whose format it is, and what it does with a key that it does not know.
    pub tool: Tool,
}

/// How a tool treats keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tool {
    pub name: &'static str,
    /// It refuses keys that it does not know; else it passes over them in silence.
    pub refuses_unknown: bool,
    /// It knows its keys however they are capitalised.
    pub any_case: bool,
}

/// The entries of a mapping.
#[derive(Debug)]
pub(super) struct Keys<'d> {
    pub span: Span,
    entries: Vec<Field<'d>>,
    any_case: bool,
}

/// An entry of a mapping whose keys are free: a label, an annotation.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub name: String,
    pub value: String,
    pub key_span: Span,
}

impl<'d> Keys<'d> {
    /// An entry that has a value.
    pub fn get(&self, name: &str) -> Option<&Field<'d>> {
        let exact = self.entries.iter().find(|field| field.name == name);
        let folded = || {
            let mut entries = self.entries.iter();
            entries.find(|field| self.any_case && field.name.eq_ignore_ascii_case(name))
        };
        exact.or_else(folded).filter(|field| !field.value.is_null())
    }

    pub fn node(&self, name: &str) -> Option<Node<'d>> {
        self.get(name).map(|field| field.value)
    }

    /// Where a key stands, or else the beginning of the mapping.
    pub fn key_span(&self, name: &str) -> Span {
        self.get(name)
            .map_or(Span::new(self.span.start, self.span.start), |field| {
                field.key.span()
            })
    }
}

impl<'d> Reader<'d> {
    pub fn new(source: &'d Source, tool: Tool) -> Reader<'d> {
        Reader {
            decoder: Decoder::new(source, Dialect::V3),
            warnings: Vec::new(),
            tool,
        }
    }

    pub fn error(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.decoder.error(span, message, help);
    }

    pub fn warn(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let warning = Diagnostic::warning(message)
            .at(self.decoder.source(), span)
            .help(help);
        self.warnings.push(warning);
    }

    /// The entries of a mapping that has known keys; `None`, with a fault, for no mapping.
    pub fn keys(&mut self, node: Node<'d>, what: &str, known: &[&str]) -> Option<Keys<'d>> {
        let faults = self.decoder.faults.len();
        let entries = self.decoder.entries_of(node, what);
        let is_mapping = matches!(node.kind(), Kind::Mapping(_)) || node.is_null();
        if !is_mapping && self.decoder.faults.len() > faults {
            return None;
        }
        for field in &entries {
            let is_known = |name: &&str| {
                *name == field.name || (self.tool.any_case && name.eq_ignore_ascii_case(field.name))
            };
            if !known.iter().any(is_known) {
                self.unknown(field, what, known);
            }
        }
        Some(Keys {
            span: node.span(),
            entries,
            any_case: self.tool.any_case,
        })
    }

    fn unknown(&mut self, field: &Field<'d>, what: &str, known: &[&str]) {
        let folded = |name: &&&str| name.eq_ignore_ascii_case(field.name);
        let near = known.iter().find(folded).copied();
        let near = near.or_else(|| closest(field.name, known));
        let help = match near {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the keys of {what} are {}", known.join(", ")),
        };
        let message = format!("key `{}` is unknown in {what}", field.name);
        let span = field.key.span();
        match self.tool.refuses_unknown {
            true => self.error(span, message, help),
            false => {
                let message = format!("{message}: {} passes over it", self.tool.name);
                self.warn(span, message, help);
            }
        }
    }

    /// What a text field receives. The tools go by way of JSON: a number or truth value is written anew, and nothing is
    /// an empty text.
    pub fn text(&mut self, node: Node<'d>, what: &str) -> Option<String> {
        let text = self.decoder.text(node, what)?;
        let Kind::Scalar(scalar) = node.kind() else {
            return Some(text);
        };
        Some(match scalar.resolve() {
            Ok(Resolved::Int(value)) => value.to_string(),
            Ok(Resolved::Uint(value)) => value.to_string(),
            Ok(Resolved::Float(value)) => format_general(value),
            Ok(Resolved::Bool(value)) => value.to_string(),
            Ok(Resolved::Null | Resolved::Text) | Err(_) => text,
        })
    }

    /// The text behind a key; empty where there is none.
    pub fn text_of(&mut self, keys: &Keys<'d>, name: &str) -> String {
        let text = keys
            .node(name)
            .and_then(|node| self.text(node, &format!("`{name}`")));
        text.unwrap_or_default()
    }

    /// The same with its places, as a query has it; `None` for none and for an empty one.
    pub fn embedded_of(&mut self, keys: &Keys<'d>, name: &str) -> Option<Embedded> {
        let node = keys.node(name)?;
        let text = self.decoder.embedded(node, format_args!("`{name}`"))?;
        Some(text).filter(|text| !text.text.is_empty())
    }

    /// `true` behind a key.
    pub fn flag_of(&mut self, keys: &Keys<'d>, name: &str) -> Option<bool> {
        let node = keys.node(name)?;
        self.decoder.boolean(node, format_args!("`{name}`"))
    }

    /// A number behind a key.
    pub fn float_of(&mut self, keys: &Keys<'d>, name: &str) -> Option<f64> {
        let node = keys.node(name)?;
        self.decoder.float(node, format_args!("`{name}`"))
    }

    /// A duration as Prometheus writes them.
    pub fn duration_of(&mut self, keys: &Keys<'d>, name: &str) -> Option<Millis> {
        let node = keys.node(name)?;
        let text = self.text(node, &format!("`{name}`"))?;
        match Duration::parse(&text) {
            Ok(duration) => Some(duration.millis()),
            Err(error) => {
                let message = format!("`{name}`: {error}");
                self.error(
                    node.target().span(),
                    message,
                    "write a duration such as 5m, 1h30m or 28d",
                );
                None
            }
        }
    }

    /// The elements of a list, empty ones too.
    pub fn list_of(&mut self, keys: &Keys<'d>, name: &str) -> Vec<Node<'d>> {
        match keys.node(name) {
            None => Vec::new(),
            Some(node) => match node.kind() {
                Kind::Sequence(children) => children.iter().collect(),
                _ => self.decoder.list(node, format_args!("`{name}`")),
            },
        }
    }

    /// The texts of a list.
    pub fn texts_of(&mut self, keys: &Keys<'d>, name: &str) -> Vec<String> {
        let what = format!("an element of `{name}`");
        let nodes = self.list_of(keys, name);
        nodes
            .into_iter()
            .filter_map(|node| self.text(node, &what))
            .collect()
    }

    /// The entries of a mapping whose keys are free, in the order of the file.
    pub fn entries_of(&mut self, keys: &Keys<'d>, name: &str) -> Vec<Entry> {
        let Some(node) = keys.node(name) else {
            return Vec::new();
        };
        let fields = self.decoder.entries_of(node, &format!("`{name}`"));
        let mut entries = Vec::with_capacity(fields.len());
        for field in fields {
            let what = format!("`{name}.{}`", field.name);
            if let Some(value) = self.text(field.value, &what) {
                entries.push(Entry {
                    name: field.name.to_owned(),
                    value,
                    key_span: field.key.span(),
                });
            }
        }
        entries
    }
}

/// Labels and the like put together; what comes later wins.
pub(super) fn merged<'e>(parts: impl IntoIterator<Item = &'e [Entry]>) -> BTreeMap<String, String> {
    let entries = parts.into_iter().flatten();
    entries
        .map(|entry| (entry.name.clone(), entry.value.clone()))
        .collect()
}

/// The part of a node that is worth marking: its first line.
pub(super) fn first_line(node: Node<'_>) -> Span {
    let span = node.span();
    let line = node.source().slice(span).lines().next().unwrap_or("");
    Span::new(span.start, span.start + line.trim_end().len())
}

/// A key of a mapping and its value, read with no demand on the rest.
pub(super) fn child<'d>(node: Node<'d>, name: &str) -> Option<(Node<'d>, Node<'d>)> {
    let Kind::Mapping(children) = node.kind() else {
        return None;
    };
    children.pairs().find(|(key, _)| word(*key) == Some(name))
}

/// The text of a scalar.
pub(super) fn word(node: Node<'_>) -> Option<&str> {
    match node.kind() {
        Kind::Scalar(scalar) => Some(&scalar.text),
        _ => None,
    }
}

/// What Kubernetes lets stand there.
const METADATA: [&str; 15] = [
    "name",
    "namespace",
    "labels",
    "annotations",
    "generateName",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "ownerReferences",
    "finalizers",
    "managedFields",
    "selfLink",
];

/// What a Kubernetes object is called.
pub(super) fn object<'d>(reader: &mut Reader<'d>, metadata: Option<Node<'d>>) -> Object {
    let Some(node) = metadata else {
        return Object::default();
    };
    let Some(keys) = reader.keys(node, "`metadata`", &METADATA) else {
        return Object::default();
    };
    Object {
        name: reader.text_of(&keys, "name"),
        namespace: reader.text_of(&keys, "namespace"),
        labels: merged([&*reader.entries_of(&keys, "labels")]),
        annotations: merged([&*reader.entries_of(&keys, "annotations")]),
    }
}
