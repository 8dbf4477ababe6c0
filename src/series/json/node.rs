//! JSON with places: each value is the stretch of text that holds it, looked into only where it is wanted.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::text::Span;

/// A value as it is written, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    /// The text of the value without blanks around it.
    pub raw: &'a str,
    start: usize,
}

/// Why a text is no JSON, and where.
#[derive(Debug)]
pub(super) struct Broken {
    pub offset: usize,
    pub message: String,
    /// Whether the text ends too early.
    pub is_cut: bool,
}

/// What sort of value a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    String,
    Null,
    /// A number or a truth value.
    Other,
}

impl<'a> Node<'a> {
    /// The only value of a text, however deep.
    pub(super) fn document(text: &'a str) -> Result<Node<'a>, Broken> {
        let whole = Node {
            raw: text,
            start: 0,
        };
        match serde_json::from_str(text) {
            Ok(raw) => Ok(whole.child(raw)),
            Err(error) => Err(whole.broken(&error)),
        }
    }

    pub(super) fn kind(self) -> Kind {
        match self.raw.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b'n') => Kind::Null,
            _ => Kind::Other,
        }
    }

    pub(super) fn span(self) -> Span {
        Span::new(self.start, self.start + self.raw.len())
    }

    /// The entries of an object in their order, none for other values.
    pub(super) fn fields(self) -> Result<Vec<(String, Node<'a>)>, Broken> {
        let mut fields = Vec::new();
        let each = |name, raw| fields.push((name, self.child(raw)));
        match serde_json::Deserializer::from_str(self.raw).deserialize_any(Fields(each)) {
            Ok(()) => Ok(fields),
            Err(error) => Err(self.broken(&error)),
        }
    }

    /// Hands over the elements of an array one by one, none for other values.
    pub(super) fn elements(self, mut each: impl FnMut(Node<'a>)) {
        if self.kind() == Kind::Array {
            let visitor = Elements(|raw| each(self.child(raw)));
            let read = serde_json::Deserializer::from_str(self.raw).deserialize_seq(visitor);
            // The whole document was read before: there is no fault left to find.
            debug_assert!(read.is_ok(), "the document is JSON");
        }
    }

    /// A text without its quotes and escapes; nothing where it is no text.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        let inside = self.raw.strip_prefix('"')?.strip_suffix('"')?;
        match inside.contains('\\') {
            false => Some(Cow::Borrowed(inside)),
            true => Some(Cow::Owned(serde_json::from_str(self.raw).ok()?)),
        }
    }

    fn child(self, raw: &'a RawValue) -> Node<'a> {
        let raw = raw.get();
        // Both lie in the same text.
        let offset = (raw.as_ptr() as usize).saturating_sub(self.raw.as_ptr() as usize);
        Node {
            raw,
            start: self.start + offset,
        }
    }

    fn broken(self, error: &serde_json::Error) -> Broken {
        let before = self
            .raw
            .split_inclusive('\n')
            .take(error.line().saturating_sub(1));
        let line_start: usize = before.map(str::len).sum();
        let offset = line_start + error.column().saturating_sub(1);
        let message = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        Broken {
            offset: self.start + offset.min(self.raw.len()),
            message: message.trim_end_matches(&place).to_owned(),
            is_cut: error.is_eof(),
        }
    }
}

/// Visits an object.
struct Fields<F>(F);

impl<'de, F: FnMut(String, &'de RawValue)> Visitor<'de> for Fields<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry()? {
            (self.0)(name, value);
        }
        Ok(())
    }
}

/// Visits an array.
struct Elements<F>(F);

impl<'de, F: FnMut(&'de RawValue)> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(value) = list.next_element()? {
            (self.0)(value);
        }
        Ok(())
    }
}
