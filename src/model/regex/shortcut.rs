//! Whole-value patterns that need no engine: the most frequent shapes of matchers.

use regex_syntax::hir::Look;

use super::tree::Node;
use crate::model::bytes::is_utf8;

/// Beyond so many values a pattern is no list of values.
const MAX_VALUES: usize = 256;

/// How a pattern that must match a whole value can be decided by comparing text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shortcut {
    /// `a|b|c`: one of these values, sorted, none twice.
    OneOf(Vec<String>),
    /// `abc.*`, `.*abc`, `ab.+c`, `5..`, `.?`: a start, an end, and between them so many characters, whichever.
    Around {
        prefix: String,
        suffix: String,
        between: Length,
    },
    /// `.*abc.*`: this somewhere inside.
    Contains(String),
}

/// So many characters; `most` is absent where there is no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    least: usize,
    most: Option<usize>,
}

impl Length {
    fn is_of(self, text: &str) -> bool {
        match (self.least, self.most) {
            (0, None) => true,
            (1, None) => !text.is_empty(),
            (least, most) => {
                let count = text.chars().count();
                count >= least && most.is_none_or(|most| count <= most)
            }
        }
    }
}

impl Shortcut {
    /// The shape of a tree, where it has one of them.
    pub(super) fn of_tree(tree: &Node) -> Option<Shortcut> {
        let parts = unanchored_parts(tree);
        match values(parts) {
            Some(values) => Some(Shortcut::one_of(values)),
            None => around(parts).or_else(|| contains(parts)),
        }
    }

    /// A pattern of plain literals, `a|b|c`, without reading it.
    pub(super) fn of_plain_text(pattern: &str) -> Option<Shortcut> {
        let special = |c| r"\.+*?()[]{}^$".contains(c);
        (!pattern.contains(special) && is_utf8(pattern))
            .then(|| Shortcut::one_of(pattern.split('|').map(str::to_owned).collect()))
    }

    fn one_of(mut values: Vec<String>) -> Shortcut {
        values.sort_unstable();
        values.dedup();
        Shortcut::OneOf(values)
    }

    /// Whether a whole value matches.
    pub(super) fn is_match(&self, text: &str) -> bool {
        match self {
            Shortcut::OneOf(values) => values
                .binary_search_by(|value| value.as_str().cmp(text))
                .is_ok(),
            Shortcut::Around {
                prefix,
                suffix,
                between,
            } => text
                .strip_prefix(prefix.as_str())
                .and_then(|rest| rest.strip_suffix(suffix.as_str()))
                .is_some_and(|rest| between.is_of(rest)),
            Shortcut::Contains(part) => text.contains(part.as_str()),
        }
    }
}

/// The text that every match of a whole-value pattern begins with.
pub(super) fn literal_prefix(tree: &Node) -> &str {
    match unanchored_parts(tree).first() {
        Some(Node::Literal { text, fold: false }) => text,
        _ => "",
    }
}

/// The parts of a tree in order, without the `^` and `$` that a whole-value pattern has anyway.
fn unanchored_parts(tree: &Node) -> &[Node] {
    let mut parts = match without_capture(tree) {
        Node::Concat(parts) => parts.as_slice(),
        single => std::slice::from_ref(single),
    };
    while let [Node::Look(Look::Start), rest @ ..] = parts {
        parts = rest;
    }
    while let [rest @ .., Node::Look(Look::End)] = parts {
        parts = rest;
    }
    parts
}

fn without_capture(mut node: &Node) -> &Node {
    while let Node::Capture { sub, .. } = node {
        node = sub;
    }
    node
}

/// All values that match parts one after the other.
fn values(parts: &[Node]) -> Option<Vec<String>> {
    let mut all = vec![String::new()];
    for part in parts {
        let choices = node_values(part)?;
        match choices.as_slice() {
            [only] => all.iter_mut().for_each(|value| value.push_str(only)),
            _ if all.len().saturating_mul(choices.len()) > MAX_VALUES => return None,
            _ => {
                let pairs = all
                    .iter()
                    .flat_map(|start| choices.iter().map(move |end| format!("{start}{end}")));
                all = pairs.collect();
            }
        }
    }
    Some(all)
}

/// All values that match a node; `None` where there are too many, or where it looks around.
fn node_values(node: &Node) -> Option<Vec<String>> {
    match node {
        Node::Empty => Some(vec![String::new()]),
        Node::Literal { text, fold: false } => Some(vec![text.clone()]),
        Node::Capture { sub, .. } => node_values(sub),
        Node::Concat(parts) => values(parts),
        Node::Class(class) => {
            let count = class
                .ranges()
                .iter()
                .fold(0_usize, |sum, range| sum.saturating_add(range.len()));
            let chars = class.iter().flat_map(|range| range.start()..=range.end());
            (count <= MAX_VALUES).then(|| chars.map(String::from).collect())
        }
        Node::Repeat {
            min: 0,
            max: Some(1),
            sub,
            ..
        } => {
            let mut all = node_values(sub)?;
            all.push(String::new());
            (all.len() <= MAX_VALUES).then_some(all)
        }
        Node::Alternate(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.append(&mut node_values(part)?);
                if all.len() > MAX_VALUES {
                    return None;
                }
            }
            Some(all)
        }
        _ => None,
    }
}

/// A literal, anything, a literal, each literal optional.
fn around(parts: &[Node]) -> Option<Shortcut> {
    let (prefix, rest) = match parts {
        [Node::Literal { text, fold: false }, rest @ ..] => (text.as_str(), rest),
        rest => ("", rest),
    };
    let (suffix, rest) = match rest {
        [rest @ .., Node::Literal { text, fold: false }] => (text.as_str(), rest),
        rest => ("", rest),
    };
    let between = length_of_anything(rest).filter(|_| !rest.is_empty())?;
    Some(Shortcut::Around {
        prefix: prefix.to_owned(),
        suffix: suffix.to_owned(),
        between,
    })
}

/// Anything, a literal, anything.
fn contains(parts: &[Node]) -> Option<Shortcut> {
    match parts {
        [before, Node::Literal { text, fold: false }, after]
            if [before, after].into_iter().all(is_anything) =>
        {
            Some(Shortcut::Contains(text.clone()))
        }
        _ => None,
    }
}

/// Whether a node is `.*`.
fn is_anything(node: &Node) -> bool {
    let anything = Length {
        least: 0,
        most: None,
    };
    length_of_anything(std::slice::from_ref(node)) == Some(anything)
}

/// How long the texts are that match nodes one after the other, where these ask for nothing but the length; the dot matches
/// newlines too.
fn length_of_anything(nodes: &[Node]) -> Option<Length> {
    let nothing = Length {
        least: 0,
        most: Some(0),
    };
    nodes.iter().try_fold(nothing, |sum, node| {
        let (least, most) = match without_capture(node) {
            Node::AnyChar => (1, Some(1)),
            Node::Repeat { min, max, sub, .. } if matches!(without_capture(sub), Node::AnyChar) => {
                (*min as usize, max.map(|max| max as usize))
            }
            _ => return None,
        };
        Some(Length {
            least: sum.least.saturating_add(least),
            most: sum
                .most
                .zip(most)
                .map(|(sum, most)| sum.saturating_add(most)),
        })
    })
}
