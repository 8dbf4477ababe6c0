//! From tokens to a [`Document`].

use std::collections::HashMap;

use super::scan::{
    Directive, ScalarToken, ScanError, Scanned, Scanner, TagToken, Token, TokenKind,
};
use super::{Content, Document, Scalar, Stored, Style};
use crate::text::{Diagnostic, Source, Span};

/// How many lists and mappings may stand inside each other.
pub const NESTING_LIMIT: usize = 200;

/// Reads the first document of a text.
///
/// # Errors
///
/// A place where the text is no YAML, an alias without its anchor or inside it, or aliases that unfold
/// the document beyond what Go's reader allows.
pub fn parse(source: &Source) -> Result<Document<'_>, Diagnostic> {
    let explain = |error: ScanError| {
        let help = match is_helm_template(source.text()) {
            true => HELM_HELP,
            false => error.help,
        };
        Diagnostic::error(format!("yaml: {}", error.message))
            .at(source, error.span)
            .help(help)
    };
    refuse_control_characters(source.text()).map_err(explain)?;
    let mut parser = Parser::new(source);
    parser.document().map_err(explain)?;
    Ok(parser.document)
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

struct Parser<'s> {
    scanner: Scanner<'s>,
    document: Document<'s>,
    /// Finished nodes that wait for their collection to end.
    pending: Vec<u32>,
    anchors: HashMap<&'s str, u32>,
    /// Prefixes of tags by their handles, from `%TAG`.
    tags: Vec<(&'s str, &'s str)>,
    /// For every node how many nodes Go's decoder would visit at and below it; none while it is open.
    weights: Vec<Option<Weight>>,
}

/// Nodes to decode: all, and those that aliases repeat.
#[derive(Clone, Copy, Default)]
struct Weight {
    total: u64,
    repeated: u64,
}

/// What may stand before a node.
struct Properties<'s> {
    anchor: Option<&'s str>,
    tag: Option<String>,
    /// Where the first of them begins; none where there are none.
    start: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    /// Inside brackets.
    Flow,
    /// An element of a list, or the whole document.
    Block,
    /// A key or value of a block mapping: a list may stand there without indentation.
    Entry,
}

impl<'s> Parser<'s> {
    fn new(source: &'s Source) -> Parser<'s> {
        Parser {
            scanner: Scanner::new(source.text()),
            document: Document {
                source,
                nodes: Vec::new(),
                children: Vec::new(),
                root: None,
                more: None,
            },
            pending: Vec::new(),
            anchors: HashMap::new(),
            tags: Vec::new(),
            weights: Vec::new(),
        }
    }

    fn document(&mut self) -> Scanned<()> {
        let mut is_explicit = false;
        while let TokenKind::Directive(_) = &self.scanner.peek()?.kind {
            is_explicit = true;
            self.directive()?;
        }
        match &self.scanner.peek()?.kind {
            TokenKind::DocumentStart => {
                is_explicit = true;
                self.scanner.take();
            }
            _ if is_explicit => {
                return Err(self.unexpected("did not find expected <document start>"));
            }
            TokenKind::StreamEnd => return Ok(()),
            _ => {}
        }
        let token = self.scanner.peek()?;
        let at = token.span.start;
        let is_empty = matches!(
            token.kind,
            TokenKind::DocumentStart
                | TokenKind::DocumentEnd
                | TokenKind::Directive(_)
                | TokenKind::StreamEnd
        );
        let root = match is_explicit && is_empty {
            true => self.empty(at)?,
            false => self.node(Context::Block)?,
        };
        self.document.root = Some(root);
        self.document.more = self.second_document();
        Ok(())
    }

    /// Where a second document begins; a fault there is one too.
    fn second_document(&mut self) -> Option<Span> {
        loop {
            let pos = self.scanner.pos;
            match self.scanner.peek() {
                Ok(token) => match token.kind {
                    TokenKind::DocumentEnd => self.scanner.take(),
                    TokenKind::StreamEnd => return None,
                    _ => return Some(token.span),
                },
                Err(_) => return Some(Span::new(pos, pos)),
            };
        }
    }

    fn directive(&mut self) -> Scanned<()> {
        let Some(token) = self.scanner.take() else {
            return Ok(());
        };
        match token.kind {
            TokenKind::Directive(Directive::Version("1.1")) => Ok(()),
            TokenKind::Directive(Directive::Tag { handle, prefix }) => {
                self.tags.push((handle, prefix));
                Ok(())
            }
            _ => Err(ScanError {
                message: "found incompatible YAML document".into(),
                help: "remove the line: Prometheus reads YAML 1.1",
                span: token.span,
            }),
        }
    }

    fn node(&mut self, context: Context) -> Scanned<u32> {
        if let TokenKind::Alias(_) = self.scanner.peek()?.kind {
            return self.alias();
        }
        let properties = self.properties()?;
        let token = self.scanner.peek()?;
        let at = token.span.start;
        let is_block = context != Context::Flow;
        match token.kind {
            TokenKind::Scalar(_) => self.scalar(properties),
            TokenKind::BlockEntry if context == Context::Entry => {
                self.collection(properties, at, SEQUENCE, Self::indentless_sequence)
            }
            TokenKind::FlowSequenceStart => {
                self.collection(properties, at, FLOW_SEQUENCE, Self::flow_sequence)
            }
            TokenKind::FlowMappingStart => {
                self.collection(properties, at, FLOW_MAPPING, Self::flow_mapping)
            }
            TokenKind::BlockSequenceStart if is_block => {
                self.collection(properties, at, SEQUENCE, Self::block_sequence)
            }
            TokenKind::BlockMappingStart if is_block => {
                self.collection(properties, at, MAPPING, Self::block_mapping)
            }
            _ if properties.start.is_some() => {
                let end = self.last_property_end(&properties, at);
                let token = ScalarToken {
                    text: "".into(),
                    style: Style::Plain,
                    content: Span::new(end, end),
                };
                self.add_scalar(token, Span::new(end, end), properties)
            }
            _ => Err(self.unexpected("did not find expected node content")),
        }
    }

    /// The end of the properties of an empty node, which lie before `at`.
    fn last_property_end(&self, properties: &Properties<'s>, at: usize) -> usize {
        let start = properties.start.unwrap_or(at);
        let text = self.scanner.text.get(start..at).unwrap_or("");
        let line = text.split(['\n', '\r']).next().unwrap_or("");
        let words = line.split(" #").next().unwrap_or("");
        start + words.trim_end().len()
    }

    fn properties(&mut self) -> Scanned<Properties<'s>> {
        let mut properties = Properties {
            anchor: None,
            tag: None,
            start: None,
        };
        let mut has_tag = false;
        loop {
            match &self.scanner.peek()?.kind {
                TokenKind::Anchor(_) if properties.anchor.is_none() => {}
                TokenKind::Tag(_) if !has_tag => {}
                _ => return Ok(properties),
            }
            let Some(token) = self.scanner.take() else {
                return Ok(properties);
            };
            properties.start.get_or_insert(token.span.start);
            match token.kind {
                TokenKind::Anchor(name) => properties.anchor = Some(name),
                TokenKind::Tag(tag) => {
                    has_tag = true;
                    properties.tag = self.resolve_tag(&tag, token.span)?;
                }
                _ => {}
            }
        }
    }

    fn resolve_tag(&self, tag: &TagToken<'s>, span: Span) -> Scanned<Option<String>> {
        let declared = self.tags.iter().find(|(handle, _)| *handle == tag.handle);
        let long = match (tag.handle, declared) {
            ("", _) => tag.suffix.to_owned(),
            (_, Some((_, prefix))) => format!("{prefix}{}", tag.suffix),
            ("!", None) => format!("!{}", tag.suffix),
            ("!!", None) => format!("tag:yaml.org,2002:{}", tag.suffix),
            _ => {
                return Err(ScanError {
                    message: "found undefined tag handle".into(),
                    help: "remove the tag",
                    span,
                });
            }
        };
        Ok(match long.strip_prefix("tag:yaml.org,2002:") {
            Some(short) => Some(format!("!!{short}")),
            None if long == "!" => None,
            None => Some(long),
        })
    }

    fn alias(&mut self) -> Scanned<u32> {
        let (name, span) = match self.scanner.take() {
            Some(Token {
                kind: TokenKind::Alias(name),
                span,
            }) => (name, span),
            _ => return Err(self.unexpected("did not find expected node content")),
        };
        let target = self.anchors.get(name).copied();
        let weight = target.and_then(|target| self.weights.get(target as usize).copied());
        let (Some(target), Some(Some(weight))) = (target, weight) else {
            let (message, help) = match target {
                Some(_) => (
                    format!("anchor '{name}' value contains itself"),
                    "write the value out, or move the anchor to another node",
                ),
                None => (
                    format!("unknown anchor '{name}' referenced"),
                    "define it above, as in `&name value`, or put quotes around the `*`",
                ),
            };
            let message = message.into();
            return Err(ScanError {
                message,
                help,
                span,
            });
        };
        let node = self.add(Content::Alias(target), span, false, span.start);
        let repeated = weight.total;
        self.close(
            node,
            Weight {
                total: weight.total + 1,
                repeated,
            },
        )
    }

    fn scalar(&mut self, properties: Properties<'s>) -> Scanned<u32> {
        match self.scanner.take() {
            Some(Token {
                kind: TokenKind::Scalar(token),
                span,
            }) => self.add_scalar(token, span, properties),
            _ => Err(self.unexpected("did not find expected node content")),
        }
    }

    /// A value that is not there.
    fn empty(&mut self, at: usize) -> Scanned<u32> {
        let span = Span::new(at, at);
        let token = ScalarToken {
            text: "".into(),
            style: Style::Plain,
            content: span,
        };
        let properties = Properties {
            anchor: None,
            tag: None,
            start: None,
        };
        self.add_scalar(token, span, properties)
    }

    fn add_scalar(
        &mut self,
        token: ScalarToken<'s>,
        span: Span,
        properties: Properties<'s>,
    ) -> Scanned<u32> {
        let content = Content::Scalar(Scalar {
            text: token.text,
            style: token.style,
            tag: properties.tag,
            content: token.content,
        });
        let outer = properties.start.unwrap_or(span.start);
        let node = self.add(content, span, properties.anchor.is_some(), outer);
        self.name(properties.anchor, node);
        self.close(
            node,
            Weight {
                total: 1,
                repeated: 0,
            },
        )
    }

    fn add(&mut self, content: Content<'s>, span: Span, anchored: bool, outer: usize) -> u32 {
        // A text of 4 GiB would be needed to reach the end of `u32`.
        let index = u32::try_from(self.document.nodes.len()).unwrap_or(u32::MAX);
        self.document.nodes.push(Stored {
            content,
            span,
            anchored,
            outer,
        });
        self.weights.push(None);
        index
    }

    fn name(&mut self, anchor: Option<&'s str>, node: u32) {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, node);
        }
    }

    /// Reads a collection: `children` reads its nodes and leaves them in `pending`, and returns where
    /// brackets end.
    fn collection(
        &mut self,
        properties: Properties<'s>,
        at: usize,
        shape: Shape,
        children: fn(&mut Self) -> Scanned<Option<usize>>,
    ) -> Scanned<u32> {
        let outer = properties.start.unwrap_or(at);
        let placeholder = shape.content(0, 0);
        let anchored = properties.anchor.is_some();
        let node = self.add(placeholder, Span::new(at, at), anchored, outer);
        self.name(properties.anchor, node);
        let first_pending = self.pending.len();
        let flow_end = children(self)?;
        let first = self.document.children.len();
        let mut weight = Weight {
            total: 1,
            repeated: 0,
        };
        let mut end = at;
        for child in self.pending.drain(first_pending..) {
            let below = self.weights.get(child as usize).copied().flatten();
            let below = below.unwrap_or_default();
            weight.total = weight.total.saturating_add(below.total);
            weight.repeated = weight.repeated.saturating_add(below.repeated);
            if let Some(child) = self.document.nodes.get(child as usize) {
                end = end.max(child.span.end);
            }
            self.document.children.push(child);
        }
        let children_end = self.document.children.len();
        if let Some(stored) = self.document.nodes.get_mut(node as usize) {
            stored.content = shape.content(first, children_end);
            stored.span = Span::new(at, flow_end.unwrap_or(end));
        }
        self.close(node, weight)
    }

    fn block_sequence(&mut self) -> Scanned<Option<usize>> {
        self.scanner.take();
        loop {
            match self.scanner.peek()?.kind {
                TokenKind::BlockEntry => {
                    let dash = self.scanner.take().map_or(0, |token| token.span.end);
                    let is_empty = matches!(
                        self.scanner.peek()?.kind,
                        TokenKind::BlockEntry | TokenKind::BlockEnd
                    );
                    self.child(is_empty, dash, Context::Block)?;
                }
                TokenKind::BlockEnd => {
                    self.scanner.take();
                    return Ok(None);
                }
                _ => return Err(self.unexpected("did not find expected '-' indicator")),
            }
        }
    }

    fn indentless_sequence(&mut self) -> Scanned<Option<usize>> {
        while let TokenKind::BlockEntry = self.scanner.peek()?.kind {
            let dash = self.scanner.take().map_or(0, |token| token.span.end);
            let is_empty = matches!(
                self.scanner.peek()?.kind,
                TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
            );
            self.child(is_empty, dash, Context::Block)?;
        }
        Ok(None)
    }

    fn block_mapping(&mut self) -> Scanned<Option<usize>> {
        self.scanner.take();
        loop {
            match self.scanner.peek()?.kind {
                TokenKind::Key => {}
                TokenKind::BlockEnd => {
                    self.scanner.take();
                    return Ok(None);
                }
                _ => return Err(self.unexpected("did not find expected key")),
            }
            self.block_entry_part()?;
            let token = self.scanner.peek()?;
            match token.kind {
                TokenKind::Value => self.block_entry_part()?,
                _ => {
                    let at = token.span.start;
                    self.child(true, at, Context::Entry)?;
                }
            }
        }
    }

    /// The node behind a key's or value's sign in a block mapping.
    fn block_entry_part(&mut self) -> Scanned<()> {
        let sign = self.scanner.take().map_or(0, |token| token.span.end);
        let is_empty = matches!(
            self.scanner.peek()?.kind,
            TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
        );
        self.child(is_empty, sign, Context::Entry)
    }

    fn flow_sequence(&mut self) -> Scanned<Option<usize>> {
        self.scanner.take();
        let mut is_first = true;
        loop {
            if !is_first && !self.is_flow_end(TokenKind::FlowSequenceEnd)? {
                match self.scanner.peek()?.kind {
                    TokenKind::FlowEntry => self.scanner.take(),
                    _ => return Err(self.unexpected("did not find expected ',' or ']'")),
                };
            }
            is_first = false;
            let token = self.scanner.peek()?;
            let at = token.span.start;
            match token.kind {
                TokenKind::FlowSequenceEnd => {
                    return Ok(self.scanner.take().map(|token| token.span.end));
                }
                TokenKind::Key => {
                    let none = Properties {
                        anchor: None,
                        tag: None,
                        start: None,
                    };
                    let pair = self.collection(none, at, FLOW_MAPPING, Self::flow_pair)?;
                    self.pending.push(pair);
                }
                _ => self.child(false, at, Context::Flow)?,
            }
        }
    }

    /// `key: value` as an element of a list in brackets.
    fn flow_pair(&mut self) -> Scanned<Option<usize>> {
        self.flow_entry(TokenKind::FlowSequenceEnd)?;
        Ok(None)
    }

    fn flow_mapping(&mut self) -> Scanned<Option<usize>> {
        self.scanner.take();
        let mut is_first = true;
        loop {
            if !is_first && !self.is_flow_end(TokenKind::FlowMappingEnd)? {
                match self.scanner.peek()?.kind {
                    TokenKind::FlowEntry => self.scanner.take(),
                    _ => return Err(self.unexpected("did not find expected ',' or '}'")),
                };
            }
            is_first = false;
            let token = self.scanner.peek()?;
            let at = token.span.start;
            match token.kind {
                TokenKind::FlowMappingEnd => {
                    return Ok(self.scanner.take().map(|token| token.span.end));
                }
                TokenKind::Key => self.flow_entry(TokenKind::FlowMappingEnd)?,
                _ => {
                    self.child(false, at, Context::Flow)?;
                    let end = self.scanner.peek()?.span.start;
                    self.child(true, end, Context::Flow)?;
                }
            }
        }
    }

    /// A key, marked by its token, and the value that may follow, in brackets that end with `end`.
    fn flow_entry(&mut self, end: TokenKind<'s>) -> Scanned<()> {
        self.scanner.take();
        let is_over = |kind: &TokenKind<'_>| {
            matches!(kind, TokenKind::FlowEntry)
                || std::mem::discriminant(kind) == std::mem::discriminant(&end)
        };
        let token = self.scanner.peek()?;
        let at = token.span.start;
        let is_empty = matches!(token.kind, TokenKind::Value) || is_over(&token.kind);
        self.child(is_empty, at, Context::Flow)?;
        let token = self.scanner.peek()?;
        let mut at = token.span.start;
        let mut is_empty = true;
        if let TokenKind::Value = token.kind {
            at = token.span.end;
            self.scanner.take();
            is_empty = is_over(&self.scanner.peek()?.kind);
        }
        self.child(is_empty, at, Context::Flow)
    }

    fn is_flow_end(&mut self, end: TokenKind<'s>) -> Scanned<bool> {
        let kind = &self.scanner.peek()?.kind;
        Ok(std::mem::discriminant(kind) == std::mem::discriminant(&end))
    }

    fn child(&mut self, is_empty: bool, at: usize, context: Context) -> Scanned<()> {
        let child = match is_empty {
            true => self.empty(at)?,
            false => self.node(context)?,
        };
        self.pending.push(child);
        Ok(())
    }

    /// A node is complete. The limit is that of Go's decoder: 99 in 100 nodes may come from aliases in
    /// a document that unfolds to 400,000 nodes, falling to 10 in 100 at 4,000,000.
    fn close(&mut self, node: u32, weight: Weight) -> Scanned<u32> {
        if let Some(slot) = self.weights.get_mut(node as usize) {
            *slot = Some(weight);
        }
        let share = weight.repeated as f64 / weight.total.max(1) as f64;
        let over = weight.total.clamp(400_000, 4_000_000) - 400_000;
        let allowed = 0.99 - 0.89 * (over as f64 / 3_600_000.0);
        if weight.repeated <= 100 || weight.total <= 1000 || share <= allowed {
            return Ok(node);
        }
        let span = self.document.nodes.get(node as usize).map(|it| it.span);
        Err(ScanError {
            message: "document contains excessive aliasing".into(),
            help: "write the repeated values out, or use fewer aliases",
            span: span.unwrap_or_default(),
        })
    }

    /// An error at the next token.
    fn unexpected(&mut self, message: &'static str) -> ScanError {
        let span = match self.scanner.peek() {
            Ok(token) => token.span,
            Err(error) => return error,
        };
        ScanError {
            message: message.into(),
            help: "check the indentation, the quotes and the brackets around this place",
            span,
        }
    }
}

/// The kind of a collection.
#[derive(Clone, Copy)]
struct Shape {
    is_mapping: bool,
    flow: bool,
}

const SEQUENCE: Shape = Shape {
    is_mapping: false,
    flow: false,
};
const FLOW_SEQUENCE: Shape = Shape {
    is_mapping: false,
    flow: true,
};
const MAPPING: Shape = Shape {
    is_mapping: true,
    flow: false,
};
const FLOW_MAPPING: Shape = Shape {
    is_mapping: true,
    flow: true,
};

impl Shape {
    fn content<'s>(self, first: usize, end: usize) -> Content<'s> {
        let flow = self.flow;
        match self.is_mapping {
            true => Content::Mapping { first, end, flow },
            false => Content::Sequence { first, end, flow },
        }
    }
}

fn refuse_control_characters(text: &str) -> Scanned<()> {
    let is_plain_ascii = |byte: u8| byte >= 0x20 && byte != 0x7F && byte < 0x80;
    if text
        .bytes()
        .all(|byte| is_plain_ascii(byte) || matches!(byte, b'\n' | b'\r' | b'\t'))
    {
        return Ok(());
    }
    let is_refused = |c: char| match c {
        '\t' | '\n' | '\r' | '\u{85}' => false,
        '\u{fffe}' | '\u{ffff}' => true,
        c => c.is_control(),
    };
    match text.char_indices().find(|(_, c)| is_refused(*c)) {
        None => Ok(()),
        Some((at, c)) => Err(ScanError {
            message: "control characters are not allowed".into(),
            help: "write an escape in double quotes, such as \"\\x00\"",
            span: Span::new(at, at + c.len_utf8()),
        }),
    }
}
