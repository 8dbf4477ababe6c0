//! From text to [`Document`]: the only file that knows the YAML library.

use std::borrow::Cow;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle, Tag};

use super::{Content, Document, Scalar, Stored, Style};
use crate::text::{Diagnostic, Source, Span};

/// How many lists and mappings may stand inside each other.
pub const NESTING_LIMIT: usize = 200;

/// Reads the first document of a text.
///
/// An error is a place where the text is no YAML, an alias without its anchor or inside it, or aliases
/// that blow up the document beyond what Go's reader allows.
pub fn parse(source: &Source) -> Result<Document<'_>, Diagnostic> {
    let options = granit_parser::options! {
        flow_nesting_limit: NESTING_LIMIT,
        block_nesting_limit: NESTING_LIMIT,
        emit_comments: false,
    };
    let mut events = Parser::new_from_str_with_options(source.text(), options);
    let mut builder = Builder::new(source);
    while let Some(event) = events.next() {
        let (event, span) = event.map_err(|error| builder.scan_error(&error))?;
        let span = bytes(&span);
        if let Event::DocumentEnd = event {
            builder.document.more = second_document(events.next());
            break;
        }
        builder.event(event, span)?;
    }
    Ok(builder.document)
}

/// Makes the tree from events.
struct Builder<'s> {
    document: Document<'s>,
    /// Finished nodes that wait for their collection to end.
    pending: Vec<u32>,
    open: Vec<Frame>,
    /// The node of every anchor, by the library's id.
    anchors: Vec<Option<u32>>,
    /// For every node how many nodes Go's decoder would visit below it.
    weights: Vec<Weight>,
    /// The end of the last event that had text.
    last_end: usize,
}

/// A collection that has not ended.
struct Frame {
    node: u32,
    first_pending: usize,
}

/// Nodes to decode: all, and those that aliases repeat.
#[derive(Clone, Copy, Default)]
struct Weight {
    total: u64,
    repeated: u64,
}

impl<'s> Builder<'s> {
    fn new(source: &'s Source) -> Builder<'s> {
        Builder {
            document: Document {
                source,
                nodes: Vec::new(),
                children: Vec::new(),
                root: None,
                more: None,
            },
            pending: Vec::new(),
            open: Vec::new(),
            anchors: Vec::new(),
            weights: Vec::new(),
            last_end: 0,
        }
    }

    fn event(&mut self, event: Event<'s>, span: Span) -> Result<(), Diagnostic> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = self.scalar(text, style, tag.as_deref(), span)?;
                let span = self.whole_scalar(&scalar, span);
                let node = self.add(Content::Scalar(scalar), span, anchor);
                self.finish(node, Weight::default())
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::SequenceStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                let (first, end) = (0, 0);
                self.start(Content::Sequence { first, end, flow }, span, anchor);
                Ok(())
            }
            Event::MappingStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                let (first, end) = (0, 0);
                self.start(Content::Mapping { first, end, flow }, span, anchor);
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            _ => Ok(()),
        }
    }

    fn add(&mut self, content: Content<'s>, span: Span, anchor: usize) -> u32 {
        // A document of 4 GiB would be needed to reach the end of `u32`.
        let index = u32::try_from(self.document.nodes.len()).unwrap_or(u32::MAX);
        self.document.nodes.push(Stored {
            content,
            span,
            anchor,
        });
        self.weights.push(Weight::default());
        self.last_end = self.last_end.max(span.end);
        if anchor > 0 {
            if self.anchors.len() <= anchor {
                self.anchors.resize(anchor + 1, None);
            }
            self.anchors[anchor] = Some(index);
        }
        index
    }

    fn start(&mut self, content: Content<'s>, span: Span, anchor: usize) {
        let node = self.add(content, span, anchor);
        self.open.push(Frame {
            node,
            first_pending: self.pending.len(),
        });
    }

    fn end(&mut self, event: Span) -> Result<(), Diagnostic> {
        let Some(frame) = self.open.pop() else {
            return Ok(());
        };
        let document = &mut self.document;
        let start = document.children.len();
        let mut weight = Weight::default();
        let mut last_child = None;
        for child in self.pending.drain(frame.first_pending..) {
            if let Some(below) = self.weights.get(child as usize) {
                weight.total = weight.total.saturating_add(below.total);
                weight.repeated = weight.repeated.saturating_add(below.repeated);
            }
            document.children.push(child);
            last_child = Some(child);
        }
        let stop = document.children.len();
        let last_child_end =
            last_child.and_then(|child| document.nodes.get(child as usize).map(|it| it.span.end));
        if let Some(node) = document.nodes.get_mut(frame.node as usize) {
            let is_flow = match &mut node.content {
                Content::Sequence { first, end, flow } | Content::Mapping { first, end, flow } => {
                    (*first, *end) = (start, stop);
                    *flow
                }
                _ => false,
            };
            let end = match is_flow {
                true => event.end,
                false => last_child_end.unwrap_or(node.span.end),
            };
            node.span.end = end.max(node.span.start);
            self.last_end = self.last_end.max(node.span.end);
        }
        self.finish(frame.node, weight)
    }

    /// A node is complete: it goes to the collection around it, or is the root.
    fn finish(&mut self, node: u32, below: Weight) -> Result<(), Diagnostic> {
        let weight = Weight {
            total: below.total.saturating_add(1),
            repeated: below.repeated,
        };
        if let Some(slot) = self.weights.get_mut(node as usize) {
            *slot = weight;
        }
        match self.open.is_empty() {
            true => self.document.root = Some(node),
            false => self.pending.push(node),
        }
        self.check_weight(node, weight)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Diagnostic> {
        let target = self.anchors.get(anchor).copied().flatten();
        let is_open = |node: u32| self.open.iter().any(|frame| frame.node == node);
        let Some(target) = target.filter(|&target| !is_open(target)) else {
            return Err(Diagnostic::error("an anchor's value contains itself")
                .at(self.document.source, span)
                .help("write the value out, or move the anchor to another node"));
        };
        let below = self.weights.get(target as usize).copied();
        let total = below.unwrap_or_default().total;
        let node = self.add(Content::Alias(target), span, 0);
        self.finish(
            node,
            Weight {
                total,
                repeated: total,
            },
        )
    }

    /// The limit of Go's decoder: 99 in 100 nodes may come from aliases in a document that unfolds to
    /// 400,000 nodes, falling to 10 in 100 at 4,000,000.
    fn check_weight(&self, node: u32, weight: Weight) -> Result<(), Diagnostic> {
        let share = weight.repeated as f64 / weight.total.max(1) as f64;
        let over = weight.total.clamp(400_000, 4_000_000) - 400_000;
        let allowed = 0.99 - 0.89 * (over as f64 / 3_600_000.0);
        if weight.repeated <= 100 || weight.total <= 1000 || share <= allowed {
            return Ok(());
        }
        let span = self.document.nodes.get(node as usize);
        let message = format!(
            "aliases unfold this to {} values, more than is allowed",
            weight.total
        );
        Err(Diagnostic::error(message)
            .at(
                self.document.source,
                span.map(|it| it.span).unwrap_or_default(),
            )
            .help("write the repeated values out, or use fewer aliases"))
    }

    fn scalar(
        &self,
        text: Cow<'s, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        content: Span,
    ) -> Result<Scalar<'s>, Diagnostic> {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        if style == Style::Double {
            self.check_escapes(content)?;
        }
        // The library says `~` for a value that is not there.
        let absent = style == Style::Plain && content.start == content.end;
        Ok(Scalar {
            text: if absent { Cow::Borrowed("") } else { text },
            style,
            tag: tag.and_then(short_tag),
            content,
        })
    }

    /// `\/` is an escape of YAML 1.2 that Go does not know.
    fn check_escapes(&self, content: Span) -> Result<(), Diagnostic> {
        let raw = self.document.source.slice(content);
        let mut from = 0;
        while let Some(found) = raw.get(from..).and_then(|rest| rest.find('\\')) {
            let at = from + found;
            if raw.as_bytes().get(at + 1) == Some(&b'/') {
                let span = Span::new(content.start + at, content.start + at + 2);
                return Err(Diagnostic::error("found unknown escape character `\\/`")
                    .at(self.document.source, span)
                    .help("write `/` without the backslash: Prometheus's YAML reader refuses it"));
            }
            from = at + 2;
        }
        Ok(())
    }

    /// With the `|` or `>` line of a block, and without the line breaks after it.
    fn whole_scalar(&self, scalar: &Scalar<'_>, content: Span) -> Span {
        if !matches!(scalar.style, Style::Literal | Style::Folded) {
            return content;
        }
        let text = self.document.source.text();
        let between = text.get(self.last_end..content.start).unwrap_or("");
        let header = self.last_end + block_header(between);
        let body = text.get(header..content.end).unwrap_or("");
        Span::new(header, header + body.trim_end().len())
    }

    fn scan_error(&self, error: &ScanError) -> Diagnostic {
        let source = self.document.source;
        let at = error.marker().byte_offset().unwrap_or(self.last_end);
        let (message, help) = explain(error.kind());
        let end = source.text().get(at..).and_then(|rest| {
            let first = rest.chars().next().filter(|&c| c != '\n')?;
            Some(at + first.len_utf8())
        });
        let message = message.map_or_else(|| error.info().to_owned(), str::to_owned);
        let diagnostic = Diagnostic::error(format!("this is no YAML: {message}"))
            .at(source, Span::new(at, end.unwrap_or(at)));
        match is_helm_template(source.text()) {
            true => diagnostic.help(HELM_HELP),
            false => diagnostic.help(help),
        }
    }
}

/// What to do with a Helm chart's file.
pub(super) const HELM_HELP: &str =
    "this looks like a Helm template: render it first, for example with `helm template`";

/// Whether a text has actions that only Helm knows.
pub(super) fn is_helm_template(text: &str) -> bool {
    ["{{-", "{{ .Values", "{{ include", "{{ .Release"]
        .iter()
        .any(|action| text.contains(action))
}

/// Words of ours for the commonest errors, and what to do about each.
fn explain(kind: &ErrorKind) -> (Option<&'static str>, &'static str) {
    match kind {
        ErrorKind::TabInIndentation
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabNotAllowed => (
            Some("a tab where only spaces may stand"),
            "indent with spaces",
        ),
        ErrorKind::UnclosedQuotedScalar => (
            Some("a quote is opened and never closed"),
            "close the quoted text; inside '...' a quote is written twice",
        ),
        ErrorKind::UnknownAnchor => (
            Some("an alias of an anchor that is not defined above it"),
            "define it first: `&name value`",
        ),
        ErrorKind::UnknownQuotedScalarEscape => (
            Some("an unknown escape character in a text in double quotes"),
            "write `\\\\` for a backslash, or use single quotes",
        ),
        ErrorKind::MappingValueNotAllowed => (
            Some("mapping values are not allowed in this context"),
            "put quotes around a text that holds `: `",
        ),
        ErrorKind::RecursionLimitExceeded => (
            Some("more than 200 lists and mappings inside each other"),
            "nest less",
        ),
        ErrorKind::UnexpectedCharacter { .. } => (
            None,
            "put quotes around a text that begins with this character",
        ),
        _ => (
            None,
            "check the indentation, the quotes and the brackets around this place",
        ),
    }
}

/// The span of a second document, if there is one; a fault there is one too.
fn second_document(
    next: Option<Result<(Event<'_>, granit_parser::Span), ScanError>>,
) -> Option<Span> {
    match next? {
        Ok((Event::StreamEnd, _)) => None,
        Ok((_, span)) => Some(bytes(&span)),
        Err(error) => {
            let at = error.marker().byte_offset()?;
            Some(Span::new(at, at))
        }
    }
}

fn bytes(span: &granit_parser::Span) -> Span {
    let range = span.byte_range().unwrap_or_default();
    Span::new(range.start, range.end.max(range.start))
}

fn short_tag(tag: &Tag) -> Option<String> {
    match (tag.handle(), tag.suffix()) {
        ("!" | "", "") | ("", "!") => None,
        ("tag:yaml.org,2002:", suffix) => Some(format!("!!{suffix}")),
        (handle, suffix) => Some(format!("{handle}{suffix}")),
    }
}

/// Where `|` or `>` stands in what lies between a key and the first line of its block; comments on the
/// way are skipped.
fn block_header(between: &str) -> usize {
    let mut rest = between.char_indices();
    let mut before = ' ';
    while let Some((index, c)) = rest.next() {
        match c {
            '|' | '>' => return index,
            '#' if before.is_whitespace() => {
                rest.find(|&(_, c)| c == '\n');
                before = '\n';
            }
            c => before = c,
        }
    }
    between.len()
}
