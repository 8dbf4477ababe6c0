//! Names that stand for other texts in a part of a file: `${region}`.

use std::borrow::Cow;

use super::{Embedded, Kind, Node};
use crate::text::{Diagnostic, Span, closest};

/// What names stand for while a part of a file is read.
///
/// `${name}` is replaced wherever a text is taken out of a node, `$${name}` writes the letters themselves. What is no
/// name is left alone: `${1}` of regular expressions, `$labels` of templates.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    list: Vec<Parameter>,
    /// What was found to refer to nothing, kept apart: what else is wrong with such a text follows from it.
    pub unknown: Vec<Diagnostic>,
}

#[derive(Debug, Clone)]
struct Parameter {
    name: String,
    value: String,
    used: bool,
}

/// A text with every name replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replaced {
    pub text: String,
    /// What became of what, in order.
    pub edits: Vec<Edit>,
    /// References to names that stand for nothing.
    pub unknown: Vec<Reference>,
}

/// A stretch of the new text and the stretch of the old one that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edit {
    pub made: Span,
    pub written: Span,
}

/// `${name}` in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub name: String,
    pub span: Span,
    /// Written `$${name}`: the letters are meant.
    escaped: bool,
}

impl Parameters {
    /// Names and what they stand for.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Parameters {
        let parameter = |(name, value): (&str, &str)| Parameter {
            name: name.to_owned(),
            value: value.to_owned(),
            used: false,
        };
        Parameters {
            list: pairs.into_iter().map(parameter).collect(),
            unknown: Vec::new(),
        }
    }

    /// Whether a text can be referred to by a name: a letter or `_`, then digits too.
    pub fn is_name(text: &str) -> bool {
        name_length(text) == text.len() && !text.is_empty()
    }

    /// Whether a text refers to a name.
    pub fn is_referred_to(name: &str, text: &str) -> bool {
        let mut found = references(text).into_iter();
        found.any(|found| found.name == name && !found.escaped)
    }

    /// Whether some text that was read referred to a name.
    pub fn is_used(&self, name: &str) -> bool {
        self.list.iter().any(|it| it.used && it.name == name)
    }

    /// What to write instead of a name that stands for nothing.
    pub(super) fn way_out(&self, unknown: &str) -> String {
        let names: Vec<&str> = self.list.iter().map(|it| it.name.as_str()).collect();
        match closest(unknown, &names) {
            Some(near) => format!("did you mean `${{{near}}}`?"),
            None => format!(
                "the matrix has {}; write `$${{{unknown}}}` for the letters themselves",
                names.join(", ")
            ),
        }
    }

    /// The text with names replaced; `None` where there is nothing to do.
    pub(super) fn replace(&mut self, text: &str) -> Option<Replaced> {
        let references = references(text);
        if references.is_empty() {
            return None;
        }
        let mut out = Replaced {
            text: String::with_capacity(text.len()),
            edits: Vec::with_capacity(references.len()),
            unknown: Vec::new(),
        };
        let mut done = 0;
        for reference in references {
            let before = text.get(done..reference.span.start).unwrap_or_default();
            out.text.push_str(before);
            done = reference.span.end;
            let start = out.text.len();
            match self.value(&reference) {
                Some(value) => out.text.push_str(&value),
                None => out.unknown.push(reference.clone()),
            }
            out.edits.push(Edit {
                made: Span::new(start, out.text.len()),
                written: reference.span,
            });
        }
        out.text.push_str(text.get(done..).unwrap_or_default());
        Some(out)
    }

    fn value(&mut self, reference: &Reference) -> Option<Cow<'_, str>> {
        if reference.escaped {
            return Some(Cow::Owned(format!("${{{}}}", reference.name)));
        }
        let mut list = self.list.iter_mut();
        let parameter = list.find(|it| it.name == reference.name)?;
        parameter.used = true;
        Some(Cow::Borrowed(&parameter.value))
    }
}

/// Where an offset in the new text stands in the old one: the beginning of what it was made from, or its end.
pub(super) fn written_start(edits: &[Edit], offset: usize) -> usize {
    written(edits, offset, |edit| edit.written.start)
}

/// The same for the end of a stretch, which lies behind its last byte.
pub(super) fn written_end(edits: &[Edit], end: usize) -> usize {
    match end.checked_sub(1) {
        Some(last) => written(edits, last, |edit| edit.written.end - 1) + 1,
        None => 0,
    }
}

fn written(edits: &[Edit], offset: usize, inside: impl Fn(&Edit) -> usize) -> usize {
    let next = edits.partition_point(|edit| edit.made.end <= offset);
    match edits.get(next) {
        Some(edit) if edit.made.start <= offset => inside(edit),
        _ => match next.checked_sub(1).and_then(|index| edits.get(index)) {
            Some(before) => before.written.end + (offset - before.made.end),
            None => offset,
        },
    }
}

/// The first name that a text in a node or below refers to, and where. What aliases stand for lies elsewhere.
pub fn first_reference(node: Node<'_>) -> Option<(String, Span)> {
    match node.kind() {
        _ if node.is_alias() => None,
        Kind::Scalar(scalar) => {
            let found = references(&scalar.text);
            let found = found.into_iter().find(|it| !it.escaped)?;
            let text = Embedded::new(node, scalar.text.clone().into_owned());
            Some((found.name, text.span(found.span)))
        }
        Kind::Sequence(children) | Kind::Mapping(children) => {
            children.iter().find_map(first_reference)
        }
    }
}

/// What a text refers to, in order.
pub(super) fn references(text: &str) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text
        .get(from..)
        .and_then(|rest| rest.find("${"))
        .map(|at| from + at)
    {
        let inner = text.get(at + 2..).unwrap_or_default();
        let length = name_length(inner);
        let closed = inner.get(length..).is_some_and(|it| it.starts_with('}'));
        from = at + 2;
        if length == 0 || !closed {
            continue;
        }
        let done = found.last().map_or(0, |it: &Reference| it.span.end);
        let escaped = at > done && text.as_bytes().get(at - 1) == Some(&b'$');
        from = at + 2 + length + 1;
        found.push(Reference {
            name: inner.get(..length).unwrap_or_default().to_owned(),
            span: Span::new(at - usize::from(escaped), from),
            escaped,
        });
    }
    found
}

/// How many bytes at the beginning of a text are a name.
fn name_length(text: &str) -> usize {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    match text.as_bytes().first() {
        Some(&first) if is_letter(first) => text
            .bytes()
            .take_while(|&byte| is_letter(byte) || byte.is_ascii_digit())
            .count(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str) -> String {
        let mut parameters = Parameters::new([("a", "long text"), ("b2", "")]);
        match parameters.replace(text) {
            Some(replaced) => replaced.text,
            None => text.to_owned(),
        }
    }

    #[test]
    fn only_names_are_replaced() {
        for (text, expected) in [
            ("x ${a} y${b2}z", "x long text yz"),
            ("${a}${a}", "long textlong text"),
            ("$${a} ${a}", "${a} long text"),
            ("$$${a}", "$${a}"),
            ("${a}${a", "long text${a"),
            ("${1} $a ${} ${a b} ${é}", "${1} $a ${} ${a b} ${é}"),
            ("${${a}}", "${long text}"),
            ("{{ $labels.a }}$", "{{ $labels.a }}$"),
        ] {
            assert_eq!(replaced(text), expected, "{text}");
        }
    }

    #[test]
    fn places_are_those_of_what_was_written() {
        let mut parameters = Parameters::new([("a", "long text"), ("none", "")]);
        let replaced = parameters.replace("x ${a}y${none}z").unwrap();
        assert_eq!(replaced.text, "x long textyz");
        let written = |start, end| {
            let start = written_start(&replaced.edits, start);
            (start, written_end(&replaced.edits, end))
        };
        assert_eq!(written(0, 1), (0, 1), "x");
        assert_eq!(written(2, 11), (2, 6), "all that was made");
        assert_eq!(written(4, 5), (2, 6), "a part of it");
        assert_eq!(written(11, 12), (6, 7), "y");
        assert_eq!(written(12, 13), (14, 15), "z");
        assert_eq!(written(0, 13), (0, 15));
    }
}
