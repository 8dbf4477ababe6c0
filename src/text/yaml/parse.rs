//! From tokens to a [`Document`].

use std::collections::HashMap;

use super::collections::{FLOW_MAPPING, FLOW_SEQUENCE, MAPPING, SEQUENCE};
use super::scan::{
    Directive, ScalarToken, ScanError, Scanned, Scanner, TagToken, Token, TokenKind,
};
use super::{Content, Document, Scalar, Stored, Style, offset};
use crate::text::{Diagnostic, Source, Span};

/// How many bytes a text may have, so that a place in it takes four.
pub const LONGEST: usize = u32::MAX as usize - 1;

/// How many lists and mappings may stand inside each other.
pub const NESTING_LIMIT: usize = 200;

/// Reads the first document of a text.
///
/// # Errors
///
/// A place where the text is no YAML, an alias without its anchor or inside it, or aliases that unfold
/// the document beyond what Go's reader allows.
pub fn parse(source: &Source) -> Result<Document<'_>, Diagnostic> {
    let explain = |error| explain(source, error);
    refuse_unreadable(source.text()).map_err(explain)?;
    let mut parser = Parser::new(source);
    parser.expect_nodes(source.text().len() / BYTES_A_NODE);
    parser.document().map_err(explain)?;
    // Nobody reads what follows: a fault there is a second document, too.
    let pos = parser.scanner.pos;
    let more = parser.second_document();
    parser.document.more = more.unwrap_or(Some(Span::new(pos, pos)));
    Ok(parser.document)
}

/// How long the text of a node is in files of rules and tests, about, with what stands around it.
const BYTES_A_NODE: usize = 9;

/// Reads a text that may be joined of several, each by itself.
///
/// # Errors
///
/// Those of [`parse`], in all of them.
pub fn parse_joined(source: &Source) -> Result<Document<'_>, Vec<Diagnostic>> {
    let (mut document, mut faults) = (None, Vec::new());
    for (start, part) in source.parts() {
        match (parse(part), &mut document) {
            (Err(fault), _) => faults.push(fault),
            (Ok(part), None) => document = Some(part.within(source)),
            (Ok(part), Some(document)) => Document::append(document, part, start),
        }
    }
    match document.filter(|_| faults.is_empty()) {
        Some(document) => Ok(document),
        None => Err(faults),
    }
}

/// Reads all documents of a text.
///
/// # Errors
///
/// Those of [`parse`], in any of them.
pub fn parse_all(source: &Source) -> Result<Vec<Document<'_>>, Diagnostic> {
    let explain = |error| explain(source, error);
    refuse_unreadable(source.text()).map_err(explain)?;
    let mut documents = Vec::new();
    let mut parser = Parser::new(source);
    loop {
        parser.document().map_err(explain)?;
        let more = parser.second_document().map_err(explain)?;
        parser.document.more = more;
        // Anchors and tags are those of one document.
        let next = Parser {
            scanner: parser.scanner,
            ..Parser::new(source)
        };
        documents.push(parser.document);
        if more.is_none() {
            return Ok(documents);
        }
        parser = next;
        parser.expect_document().map_err(explain)?;
    }
}

fn explain(source: &Source, error: ScanError) -> Diagnostic {
    let help = match is_helm_template(source.text()) {
        true => HELM_HELP,
        false => error.help,
    };
    Diagnostic::error(format!("yaml: {}", error.message))
        .at(source, error.span)
        .help(help)
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

pub(super) struct Parser<'s> {
    pub(super) scanner: Scanner<'s>,
    pub(super) document: Document<'s>,
    /// Finished nodes that wait for their collection to end.
    pub(super) pending: Vec<u32>,
    anchors: HashMap<&'s str, u32>,
    /// Prefixes of tags by their handles, from `%TAG`.
    tags: Vec<(&'s str, &'s str)>,
    /// For every node how many nodes Go's decoder would visit at and below it; nothing while it is open.
    pub(super) weights: Vec<Weight>,
}

/// Nodes to decode: all, and those that aliases repeat.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Weight {
    pub(super) total: u32,
    pub(super) repeated: u32,
}

/// What may stand before a node.
pub(super) struct Properties<'s> {
    pub(super) anchor: Option<&'s str>,
    pub(super) tag: Option<Box<str>>,
    /// Where the first of them begins; none where there are none.
    pub(super) start: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
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
                appended: Vec::new(),
                more: None,
            },
            pending: Vec::new(),
            anchors: HashMap::new(),
            tags: Vec::new(),
            weights: Vec::new(),
        }
    }

    /// Makes room for so many nodes, so that they need not be moved while they become more.
    fn expect_nodes(&mut self, count: usize) {
        self.document.nodes.reserve(count);
        self.document.children.reserve(count);
        self.weights.reserve(count);
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
        Ok(())
    }

    /// Where a second document begins.
    fn second_document(&mut self) -> Scanned<Option<Span>> {
        loop {
            let token = self.scanner.peek()?;
            match token.kind {
                TokenKind::DocumentEnd => self.scanner.take(),
                TokenKind::StreamEnd => return Ok(None),
                _ => return Ok(Some(token.span)),
            };
        }
    }

    /// What follows a document is another, which says so.
    fn expect_document(&mut self) -> Scanned<()> {
        match self.scanner.peek()?.kind {
            TokenKind::DocumentStart | TokenKind::Directive(_) => Ok(()),
            _ => Err(self.unexpected("did not find expected <document start>")),
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

    pub(super) fn node(&mut self, context: Context) -> Scanned<u32> {
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

    fn resolve_tag(&self, tag: &TagToken<'s>, span: Span) -> Scanned<Option<Box<str>>> {
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
            Some(short) => Some(format!("!!{short}").into()),
            None if long == "!" => None,
            None => Some(long.into()),
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
        let weight = weight.filter(|weight| *weight != Weight::default());
        let (Some(target), Some(weight)) = (target, weight) else {
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
                total: weight.total.saturating_add(1),
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
    pub(super) fn empty(&mut self, at: usize) -> Scanned<u32> {
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
            content: token.content.into(),
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

    pub(super) fn add(
        &mut self,
        content: Content<'s>,
        span: Span,
        anchored: bool,
        outer: usize,
    ) -> u32 {
        // A text of 4 GiB would be needed to reach the end of `u32`.
        let index = u32::try_from(self.document.nodes.len()).unwrap_or(u32::MAX);
        self.document.nodes.push(Stored {
            content,
            place: span.into(),
            anchored,
            outer: offset(outer),
        });
        self.weights.push(Weight::default());
        index
    }

    pub(super) fn name(&mut self, anchor: Option<&'s str>, node: u32) {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, node);
        }
    }

    /// A node is complete. The limit is that of Go's decoder: 99 in 100 nodes may come from aliases in
    /// a document that unfolds to 400,000 nodes, falling to 10 in 100 at 4,000,000.
    pub(super) fn close(&mut self, node: u32, weight: Weight) -> Scanned<u32> {
        if let Some(slot) = self.weights.get_mut(node as usize) {
            *slot = weight;
        }
        let share = f64::from(weight.repeated) / f64::from(weight.total.max(1));
        let over = weight.total.clamp(400_000, 4_000_000) - 400_000;
        let allowed = 0.99 - 0.89 * (f64::from(over) / 3_600_000.0);
        if weight.repeated <= 100 || weight.total <= 1000 || share <= allowed {
            return Ok(node);
        }
        let span = self
            .document
            .nodes
            .get(node as usize)
            .map(|it| it.place.span());
        Err(ScanError {
            message: "document contains excessive aliasing".into(),
            help: "write the repeated values out, or use fewer aliases",
            span: span.unwrap_or_default(),
        })
    }

    /// An error at the next token.
    pub(super) fn unexpected(&mut self, message: &'static str) -> ScanError {
        let span = match self.scanner.peek() {
            Ok(token) => token.span,
            Err(error) => return error,
        };
        let text = self.document.source.text();
        let is_reference = text
            .get(span.start.saturating_sub(1)..)
            .is_some_and(|rest| rest.starts_with("${"));
        let help = match is_reference {
            true => "inside of braces `${name}` needs quotes: `'${name}'`",
            false => "check the indentation, the quotes and the brackets around this place",
        };
        ScanError {
            message: message.into(),
            help,
            span,
        }
    }
}

fn refuse_unreadable(text: &str) -> Scanned<()> {
    if text.len() > LONGEST {
        return Err(ScanError {
            message: "the text is longer than 4 GiB".into(),
            help: "split it into several files",
            span: Span::new(0, 0),
        });
    }
    // Without jumps, so that many bytes are looked at together.
    let is_plain = |byte: &u8| {
        ((0x20..0x7F).contains(byte)) | (*byte == b'\n') | (*byte == b'\r') | (*byte == b'\t')
    };
    let all_plain = |chunk: &[u8]| chunk.iter().fold(true, |all, byte| all & is_plain(byte));
    if text.as_bytes().chunks(4096).all(all_plain) {
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
