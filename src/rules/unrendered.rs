//! Tells texts from which rule files are only made: templates of Helm and Jinja, programs of Jsonnet.

use crate::text::yaml::{Kind, Node};
use crate::text::{Diagnostic, Source, Span};

/// What makes YAML of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Helm,
    Jinja,
    Jsonnet,
    Unknown,
}

/// Names in an action that only Helm knows.
const OF_HELM: [&str; 9] = [
    ".Values",
    ".Release.",
    ".Chart.",
    ".Capabilities.",
    ".Files.",
    ".Template.",
    "include \"",
    "toYaml ",
    "tpl ",
];

/// With what a block of Jinja begins.
const OF_JINJA: [&str; 12] = [
    "raw", "endraw", "if", "endif", "elif", "else", "for", "endfor", "set", "macro", "include",
    "import",
];

/// What stands in Jsonnet and in no rule file.
const OF_JSONNET: [&str; 7] = [
    "+::",
    "+: ",
    ":: ",
    "|||",
    "local ",
    "import '",
    "import \"",
];

impl Engine {
    /// What to say of a text at the first place where its engine shows.
    pub fn diagnose(self) -> Diagnostic {
        let (what, help) = match self {
            Engine::Helm => (
                "a Helm template",
                "render it and name the result: `helm template CHART --show-only templates/FILE > rendered.yaml`",
            ),
            Engine::Jinja => (
                "a Jinja template",
                "render it first, as Ansible's `template` does for example, and name the result",
            ),
            Engine::Jsonnet => (
                "Jsonnet",
                "evaluate it first and name the result: `jsonnet FILE > rules.json`, or for a mixin \
                 `mixtool generate alerts mixin.libsonnet > alerts.yaml`",
            ),
            Engine::Unknown => (
                "a template",
                "render it with the program that it was written for, and name the result",
            ),
        };
        let message = format!("this is {what}, not the rules that are made of it");
        Diagnostic::error(message).help(help)
    }
}

/// What to say of a text that is no YAML: that it is not meant to be, if that shows.
pub(super) fn of_broken(source: &Source, fault: Diagnostic) -> Diagnostic {
    let text = source.text();
    if let Some((engine, span)) = find(text).or_else(|| jsonnet(text)) {
        return engine.diagnose().at(source, span);
    }
    let line = fault.place.as_ref().and_then(|place| {
        let line = place.source.line_column(place.span.start).line;
        let start = place.source.line_start(line)?;
        place.source.text().get(start..)?.lines().next()
    });
    match line.is_some_and(|line| line.trim_start().starts_with("{{")) {
        true => fault.help("if this is a template, render it first and name the result"),
        false => fault,
    }
}

/// The first action of a template that is YAML too: a mapping in two pairs of braces, whose key is a mapping. Nobody means
/// that.
pub(super) fn in_braces(root: Node<'_>) -> Option<(Engine, Span)> {
    let mut nodes = vec![root];
    let mut first: Option<Span> = None;
    while let Some(node) = nodes.pop() {
        // What an alias stands for is looked at where it stands.
        if node.is_alias() {
            continue;
        }
        match node.kind() {
            Kind::Scalar(_) => {}
            Kind::Sequence(children) => nodes.extend(children.iter()),
            Kind::Mapping(children) => {
                let is_mapping = |key: Node<'_>| matches!(key.kind(), Kind::Mapping(_));
                let in_braces = node.source().slice(node.span()).starts_with("{{");
                if in_braces && children.pairs().any(|(key, _)| is_mapping(key)) {
                    let is_earlier = first.is_none_or(|first| node.span().start < first.start);
                    first = if is_earlier { Some(node.span()) } else { first };
                }
                nodes.extend(children.iter());
            }
        }
    }
    let span = first?;
    let engine = in_line(root.source().slice(span)).map_or(Engine::Unknown, |(engine, _)| engine);
    Some((engine, span))
}

/// The first place of a text that only Helm or Jinja understands. Comments don't count.
pub(super) fn find(text: &str) -> Option<(Engine, Span)> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim_start().starts_with('#')
            && let Some((engine, span)) = in_line(line)
        {
            return Some((engine, Span::new(start + span.start, start + span.end)));
        }
        start += line.len();
    }
    None
}

fn in_line(line: &str) -> Option<(Engine, Span)> {
    let mut from = 0;
    while let Some(found) = line.get(from..).and_then(|rest| rest.find('{')) {
        let at = from + found;
        let rest = line.get(at..).unwrap_or_default();
        if let Some(action) = rest.strip_prefix("{{") {
            let end = action.find("}}").map_or(action.len(), |end| end + 2);
            let action = action.get(..end).unwrap_or_default();
            if is_helm(action) {
                return Some((
                    Engine::Helm,
                    Span::new(at, at + 2 + action.trim_end().len()),
                ));
            }
        }
        if let Some(block) = rest.strip_prefix("{%") {
            let end = block.find("%}").map_or(block.len(), |end| end + 2);
            let block = block.get(..end).unwrap_or_default();
            if is_jinja(block) {
                return Some((
                    Engine::Jinja,
                    Span::new(at, at + 2 + block.trim_end().len()),
                ));
            }
        }
        from = at + 1;
    }
    None
}

/// Whether an action is Helm's: it names what only Helm knows, or writes braces that are meant for later.
fn is_helm(action: &str) -> bool {
    let content = action.trim_start_matches(['-', ' ']);
    content.starts_with('`')
        || content.starts_with("\"{{")
        || OF_HELM.iter().any(|name| content.contains(name))
}

fn is_jinja(block: &str) -> bool {
    let content = block.trim_start_matches(['-', '+', ' ']);
    let word = content.split(|c: char| !c.is_ascii_alphabetic()).next();
    block.contains("%}") && word.is_some_and(|word| OF_JINJA.contains(&word))
}

/// The first place of a text that shows that it is Jsonnet.
pub(super) fn jsonnet(text: &str) -> Option<(Engine, Span)> {
    let is_comment = |line: &&str| {
        let line = line.trim_start();
        line.is_empty()
            || ["//", "#", "/*", "*"]
                .iter()
                .any(|mark| line.starts_with(mark))
    };
    let first = text.lines().find(|line| !is_comment(line))?.trim_start();
    let begins = first.starts_with("local ") || first.starts_with(['{', '(']);
    if !begins || !OF_JSONNET.iter().any(|sign| text.contains(sign)) {
        return None;
    }
    let start = text.find(first)?;
    Some((
        Engine::Jsonnet,
        Span::new(start, start + first.trim_end().len()),
    ))
}
