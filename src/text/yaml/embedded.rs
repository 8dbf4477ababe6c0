//! A text inside a YAML scalar, whose every byte knows its place in the file.

use std::sync::{Arc, OnceLock};

use super::parameters::{Edit, Replaced, written_end, written_start};
use super::{Kind, Node, Scalar, Style};
use crate::text::mapping::{Mapping, Piece};
use crate::text::{Source, Span};

/// A text inside a YAML scalar of any style: a query, a template, series notation.
#[derive(Debug, Clone)]
pub struct Embedded {
    /// The text after folding and escapes.
    pub text: String,
    source: Source,
    /// The scalar with its quotes, without a block's `|` line.
    content: Span,
    whole: Span,
    style: Style,
    is_repeated: bool,
    /// The text before names in it were replaced, where some were.
    before: Option<Box<Before>>,
    /// Where its bytes stand, once somebody asked: a long query is asked of very often.
    mapping: OnceLock<Arc<Mapping>>,
}

/// A text before names in it were replaced.
#[derive(Debug, Clone)]
struct Before {
    text: String,
    edits: Vec<Edit>,
}

impl Embedded {
    /// The text of a scalar as a text field receives it; empty for a node that is no scalar.
    pub fn new(node: Node<'_>, text: String) -> Embedded {
        let (content, style) = match node.kind() {
            Kind::Scalar(Scalar { content, style, .. }) => (content.span(), *style),
            _ => (node.span(), Style::Plain),
        };
        Embedded {
            text,
            source: node.source().clone(),
            content,
            whole: node.target().span(),
            style,
            is_repeated: node.target().is_aliased(),
            before: None,
            mapping: OnceLock::new(),
        }
    }

    /// The same with names in it replaced.
    pub(super) fn replaced(self, replaced: Replaced) -> Embedded {
        Embedded {
            text: replaced.text,
            before: Some(Box::new(Before {
                text: self.text,
                edits: replaced.edits,
            })),
            ..self
        }
    }

    /// A text that is a file of its own.
    pub fn of_source(source: &Source) -> Embedded {
        let whole = Span::new(0, source.text().len());
        Embedded {
            text: source.text().to_owned(),
            source: source.clone(),
            content: whole,
            whole,
            style: Style::Literal,
            is_repeated: false,
            before: None,
            mapping: OnceLock::new(),
        }
    }

    /// Whether an alias stands for the scalar, so that it means something elsewhere, too.
    pub fn is_repeated(&self) -> bool {
        self.is_repeated
    }

    /// The file it stands in.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The whole scalar in the file, with its quotes or its `|`.
    pub fn whole(&self) -> Span {
        self.whole
    }

    /// Where a part of the text stands in the file. An empty part at the end is the place behind the
    /// last character. What was made of a name stands where the name does.
    pub fn span(&self, inner: Span) -> Span {
        self.mapping().span(self.written(inner))
    }

    /// The same of many parts.
    pub fn spans(&self, inner: &[Span]) -> Vec<Span> {
        let mapping = self.mapping();
        let spans = inner.iter().map(|inner| mapping.span(self.written(*inner)));
        spans.collect()
    }

    /// Where a part stood before names were replaced.
    fn written(&self, inner: Span) -> Span {
        let Some(before) = &self.before else {
            return inner;
        };
        let start = written_start(&before.edits, inner.start);
        let end = match inner.end > inner.start {
            true => written_end(&before.edits, inner.end),
            false => start,
        };
        Span::new(start, end)
    }

    /// The text as one of its own, whose places are told as those of the file.
    pub fn into_source(self) -> Source {
        let mapping = self.mapped();
        Source::inside(&self.source, self.text, mapping)
    }

    fn mapping(&self) -> &Arc<Mapping> {
        self.mapping.get_or_init(|| Arc::new(self.mapped()))
    }

    fn mapped(&self) -> Mapping {
        let raw = self.source.slice(self.content);
        let base = self.content.start;
        let text = self.before.as_ref().map_or(&self.text, |it| &it.text);
        let pieces = match self.style {
            Style::Double => double_quoted(raw, base),
            Style::Single => aligned(text, raw, base, true),
            Style::Plain | Style::Literal | Style::Folded => aligned(text, raw, base, false),
        };
        Mapping {
            pieces,
            start: base,
        }
    }
}

/// Pairs the words of the decoded text with those of the file: folding and indentation change nothing
/// but white space, and a quote that is written twice is one.
fn aligned(text: &str, raw: &str, base: usize, single_quoted: bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut written = raw.char_indices().filter(|(_, c)| !is_space(*c)).peekable();
    if single_quoted {
        written.next();
    }
    for (offset, c) in text.char_indices().filter(|(_, c)| !is_space(*c)) {
        let Some((at, found)) = written.next() else {
            break;
        };
        let mut end = at + found.len_utf8();
        if single_quoted && found == '\'' && written.next().is_some() {
            end += 1;
        }
        let decoded = Span::new(offset, offset + c.len_utf8());
        push(&mut pieces, decoded, Span::new(base + at, base + end));
    }
    pieces
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Adds a piece, or makes the last one longer where both go on without a gap.
fn push(pieces: &mut Vec<Piece>, decoded: Span, written: Span) {
    let equal =
        |decoded: Span, written: Span| decoded.end - decoded.start == written.end - written.start;
    match pieces.last_mut() {
        Some(last)
            if last.decoded.end == decoded.start
                && last.written.end == written.start
                && equal(last.decoded, last.written)
                && equal(decoded, written) =>
        {
            last.decoded.end = decoded.end;
            last.written.end = written.end;
        }
        // White space inside a line: the same number of blanks on both sides.
        Some(last)
            if decoded.start > last.decoded.end
                && decoded.start - last.decoded.end
                    == written.start.saturating_sub(last.written.end)
                && equal(last.decoded, last.written)
                && equal(decoded, written) =>
        {
            last.decoded.end = decoded.end;
            last.written.end = written.end;
        }
        _ => pieces.push(Piece { decoded, written }),
    }
}

/// Decodes a text in double quotes once more, and notes what comes from where.
fn double_quoted(raw: &str, base: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let inner = raw.strip_prefix('"').unwrap_or(raw);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let base = base + (raw.len() - inner.len()).min(1);
    let (mut at, mut decoded) = (0, 0);
    // Where the blanks at the end of a line begin: folding drops them.
    let mut blanks: Option<(usize, usize)> = None;
    while let Some(c) = inner.get(at..).and_then(|rest| rest.chars().next()) {
        let (width, made) = match c {
            '\\' => escape(inner.get(at + 1..).unwrap_or("")),
            '\n' | '\r' => {
                if let Some((_, decoded_before)) = blanks.take() {
                    decoded = decoded_before;
                    while pieces
                        .last()
                        .is_some_and(|last: &Piece| last.decoded.end > decoded)
                    {
                        pieces.pop();
                    }
                }
                let rest = inner.get(at..).unwrap_or("");
                let skipped = rest.len() - rest.trim_start_matches(is_space).len();
                let breaks = rest
                    .get(..skipped)
                    .map_or(1, |blank| blank.matches('\n').count());
                at += skipped;
                decoded += breaks.saturating_sub(1).max(1);
                continue;
            }
            c => (c.len_utf8(), c.len_utf8()),
        };
        match c {
            ' ' | '\t' => blanks = blanks.or(Some((at, decoded))),
            _ => blanks = None,
        }
        if made > 0 {
            pieces.push(Piece {
                decoded: Span::new(decoded, decoded + made),
                written: Span::new(base + at, base + at + width),
            });
        }
        at += width.max(1);
        decoded += made;
    }
    pieces
}

/// How long an escape is, with its backslash, and how many bytes it makes.
fn escape(rest: &str) -> (usize, usize) {
    let Some(c) = rest.chars().next() else {
        return (1, 0);
    };
    let digits = match c {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        // A line break that is no break: it goes with the blanks that follow.
        '\n' | '\r' => {
            let skipped = rest.len() - rest.trim_start_matches(is_space).len();
            return (1 + skipped, 0);
        }
        'N' | '_' => return (2, 2),
        'L' | 'P' => return (2, 3),
        c => return (1 + c.len_utf8(), 1),
    };
    let code = rest
        .get(1..1 + digits)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .and_then(char::from_u32);
    (2 + digits, code.map_or(1, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use crate::text::yaml::{Decoder, Dialect, UnknownFields, parse};
    use crate::text::{Source, Span};

    /// Marks `needle` of the decoded text, and shows the line, column and text of the file under it.
    fn find(yaml: &str, needle: &str) -> (usize, usize, String) {
        let source = Source::new("f", yaml);
        let document = parse(&source).unwrap();
        let mut decoder = Decoder::new(&source, Dialect::V3);
        let fields = decoder
            .fields(document.root().unwrap(), "x", &["a"], UnknownFields::Refuse)
            .unwrap();
        let embedded = decoder.embedded(fields.node("a").unwrap(), "`a`").unwrap();
        let start = embedded.text.find(needle).unwrap();
        let span = embedded.span(Span::new(start, start + needle.len()));
        let at = source.line_column(span.start);
        (at.line, at.column, source.slice(span).to_owned())
    }

    #[test]
    fn every_style_is_mapped() {
        for (yaml, needle, line, column, slice) in [
            ("a: up == 0", "==", 1, 7, "=="),
            ("a: up ==\n     0 + 7", "7", 2, 10, "7"),
            ("a: up ==\n     0 + 7", "== 0", 1, 7, "==\n     0"),
            ("a: |\n  sum(\n    foo)\n  > 1\n", "foo", 3, 5, "foo"),
            ("a: >-\n  sum\n  (foo)\n\n    > 1\n", "> 1", 5, 5, "> 1"),
            ("a: 'it''s > 3'", "> 3", 1, 11, "> 3"),
            ("a: 'it''s > 3'", "'", 1, 7, "''"),
            ("a: \"x\\ty\\u00e9z\"", "z", 1, 15, "z"),
            ("a: \"x\\ty\\u00e9z\"", "é", 1, 9, "\\u00e9"),
            ("a: \"x  \n\n   y \\\n   z w\"", "w", 4, 6, "w"),
            ("a: \"é {a=\\\"b\\\"} >\"", ">", 1, 17, ">"),
            ("a: # note |\n  >2\n\n  x\n", "x", 4, 3, "x"),
        ] {
            let expected = (line, column, slice.to_owned());
            assert_eq!(find(yaml, needle), expected, "{yaml:?} {needle:?}");
        }
    }

    #[test]
    fn the_end_is_behind_the_last_character() {
        let source = Source::new("f", "a: \"x y\"\n");
        let document = parse(&source).unwrap();
        let mut decoder = Decoder::new(&source, Dialect::V3);
        let fields = decoder
            .fields(document.root().unwrap(), "x", &["a"], UnknownFields::Refuse)
            .unwrap();
        let embedded = decoder.embedded(fields.node("a").unwrap(), "`a`").unwrap();
        assert_eq!(embedded.span(Span::new(3, 3)), Span::new(7, 7));
        assert_eq!(embedded.whole(), Span::new(3, 8));
    }
}
