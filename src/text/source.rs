//! A text with a name, and byte ranges in it.

use std::sync::Arc;

use super::Diagnostic;
use super::mapping::Mapping;

/// A text with the name a person knows it by: a path as it was given, or `<expression>`.
///
/// Cheap to clone: the text is shared.
#[derive(Debug, Clone)]
pub struct Source {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    text: String,
    /// Byte offset of the start of every line.
    line_starts: Vec<usize>,
    /// Where the texts begin that this one is joined of, in order; none for a text of one piece.
    parts: Vec<(usize, Source)>,
    /// The text that this one was taken out of, and where its bytes stand there.
    outer: Option<(Source, Mapping)>,
}

/// A half-open byte range in a [`Source`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A place as people count it: both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Source {
    /// Names a text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Source {
        let text = text.into();
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(newline, _)| newline + 1))
            .collect();
        Source {
            inner: Arc::new(Inner {
                name: name.into(),
                text,
                line_starts,
                parts: Vec::new(),
                outer: None,
            }),
        }
    }

    /// One text of several, with the name of the first, so that a span in any of them is a span of it. What is told of
    /// a place names the text that it lies in.
    pub fn joined(parts: Vec<Source>) -> Source {
        let name = parts.first().map_or("", Source::name).to_owned();
        let mut text = String::with_capacity(parts.iter().map(|it| it.text().len() + 1).sum());
        let mut starts = Vec::with_capacity(parts.len());
        for part in parts {
            starts.push((text.len(), part.clone()));
            text.push_str(part.text());
            // The end of a text is a place of its own.
            text.push('\n');
        }
        Source {
            inner: Arc::new(Inner {
                name,
                text,
                line_starts: vec![0],
                parts: starts,
                outer: None,
            }),
        }
    }

    /// A text that was taken out of another, whose name it has. What is told of a place is told of the other's.
    pub(super) fn inside(outer: &Source, text: String, mapping: Mapping) -> Source {
        Source {
            inner: Arc::new(Inner {
                name: outer.name().to_owned(),
                text,
                line_starts: vec![0],
                parts: Vec::new(),
                outer: Some((outer.clone(), mapping)),
            }),
        }
    }

    /// Where one of the texts begins that this one is joined of, counted from 0.
    pub fn start(&self, part: usize) -> usize {
        self.inner.parts.get(part).map_or(0, |(start, _)| *start)
    }

    /// The texts that this one is joined of, each with where it begins; itself if it is of one piece.
    pub fn parts(&self) -> impl Iterator<Item = (usize, &Source)> {
        let parts = &self.inner.parts;
        let alone = parts.is_empty().then_some((0, self));
        let parts = parts.iter().map(|(start, part)| (*start, part));
        parts.chain(alone)
    }

    /// The text of one piece that holds an offset, and where it begins.
    fn part(&self, offset: usize) -> (&Source, usize) {
        let parts = &self.inner.parts;
        let next = parts.partition_point(|(start, _)| *start <= offset);
        match next.checked_sub(1).and_then(|index| parts.get(index)) {
            Some((start, part)) => (part, *start),
            None => (self, 0),
        }
    }

    /// A span in the text of one piece that it lies in, or in the one that this was taken out of.
    pub fn locate(&self, span: Span) -> (Source, Span) {
        if let Some((outer, mapping)) = &self.inner.outer {
            return outer.locate(mapping.span(span));
        }
        let (part, base) = self.part(span.start);
        let end = span.end.saturating_sub(base);
        let start = span.start - base;
        (part.clone(), Span::new(start, end.max(start)))
    }

    /// The name of the text that holds an offset.
    pub fn name_at(&self, offset: usize) -> &str {
        self.part(offset).0.name()
    }

    /// The line of an offset as it is told to somebody who looks at another: `line 5`, or `line 5 of other.yml`.
    pub fn line_seen_from(&self, offset: usize, from: usize) -> String {
        let line = self.line_column(offset).line;
        match (self.name_at(offset), self.name_at(from)) {
            (name, other) if name == other => format!("line {line}"),
            (name, _) => format!("line {line} of {name}"),
        }
    }

    /// Names the bytes of a text.
    ///
    /// # Errors
    ///
    /// Bytes that are not UTF-8, with the place of the first.
    pub fn decode(name: impl Into<String>, bytes: Vec<u8>) -> Result<Source, Diagnostic> {
        let name = name.into();
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Source::new(name, text)),
            Err(error) => {
                let end = error.utf8_error().valid_up_to();
                let mut bytes = error.into_bytes();
                bytes.truncate(end);
                let good = Source::new(name, String::from_utf8(bytes).unwrap_or_default());
                Err(Diagnostic::error("the file is not UTF-8")
                    .at(&good, Span::new(end, end))
                    .label("the first bad byte follows")
                    .help("save it as UTF-8"))
            }
        }
    }

    /// The name: a path as it was given, or a word in angle brackets.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// The text under a span; empty where the span lies outside.
    pub fn slice(&self, span: Span) -> &str {
        self.inner.text.get(span.start..span.end).unwrap_or("")
    }

    /// Line and column of a byte offset; an offset past the end is the end.
    pub fn line_column(&self, offset: usize) -> LineColumn {
        if let Some((outer, mapping)) = &self.inner.outer {
            return outer.line_column(mapping.place(offset).start);
        }
        if !self.inner.parts.is_empty() {
            let (part, base) = self.part(offset);
            return part.line_column(offset - base);
        }
        let offset = offset.min(self.inner.text.len());
        let line = self
            .inner
            .line_starts
            .partition_point(|&start| start <= offset)
            - 1;
        let start = self.inner.line_starts[line];
        let column = self.inner.text.as_bytes()[start..offset]
            .iter()
            .filter(|&&byte| byte & 0xC0 != 0x80)
            .count();
        LineColumn {
            line: line + 1,
            column: column + 1,
        }
    }

    /// The byte offset where a line begins, counted from 1; `None` past the last line.
    pub fn line_start(&self, line: usize) -> Option<usize> {
        self.inner.line_starts.get(line.checked_sub(1)?).copied()
    }
}

impl Span {
    /// The range from `start` to before `end`.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start, end }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_a_joined_text_are_those_of_its_parts() {
        let parts = [("a", "x\ny"), ("b", ""), ("c", "é\nz\n")];
        let all = Source::joined(parts.map(|(name, text)| Source::new(name, text)).into());
        for (offset, name, line, column) in [
            (0, "a", 1, 1),
            (2, "a", 2, 1),
            (3, "a", 2, 2),
            (4, "b", 1, 1),
            (all.start(2), "c", 1, 1),
            (all.start(2) + 3, "c", 2, 1),
            (99, "c", 3, 1),
        ] {
            assert_eq!(all.name_at(offset), name, "{offset}");
            assert_eq!(
                all.line_column(offset),
                LineColumn { line, column },
                "{offset}"
            );
            let (part, span) = all.locate(Span::new(offset, offset + 1));
            assert_eq!(
                (part.name(), part.line_column(span.start)),
                (name, LineColumn { line, column })
            );
        }
    }

    #[test]
    fn columns_count_characters() {
        let source = Source::new("f", "aé\nbü!");
        assert_eq!(source.line_column(0), LineColumn { line: 1, column: 1 });
        assert_eq!(source.line_column(3), LineColumn { line: 1, column: 3 });
        assert_eq!(source.line_column(4), LineColumn { line: 2, column: 1 });
        assert_eq!(source.line_column(7), LineColumn { line: 2, column: 3 });
        assert_eq!(source.line_column(999), LineColumn { line: 2, column: 4 });
    }
}
