//! Parses lists and mappings, in lines and in brackets.

use super::Content;
use super::parse::{Context, Parser, Properties, Weight};
use super::scan::{Scanned, TokenKind};
use crate::text::Span;

impl<'s> Parser<'s> {
    /// Reads a collection: `children` reads its nodes and leaves them in `pending`, and returns where
    /// brackets end.
    pub(super) fn collection(
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
            let below = self
                .weights
                .get(child as usize)
                .copied()
                .unwrap_or_default();
            weight.total = weight.total.saturating_add(below.total);
            weight.repeated = weight.repeated.saturating_add(below.repeated);
            if let Some(child) = self.document.nodes.get(child as usize) {
                end = end.max(child.place.span().end);
            }
            self.document.children.push(child);
        }
        let children_end = self.document.children.len();
        if let Some(stored) = self.document.nodes.get_mut(node as usize) {
            stored.content = shape.content(first, children_end);
            stored.place = Span::new(at, flow_end.unwrap_or(end)).into();
        }
        self.close(node, weight)
    }

    pub(super) fn block_sequence(&mut self) -> Scanned<Option<usize>> {
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

    pub(super) fn indentless_sequence(&mut self) -> Scanned<Option<usize>> {
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

    pub(super) fn block_mapping(&mut self) -> Scanned<Option<usize>> {
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

    pub(super) fn flow_sequence(&mut self) -> Scanned<Option<usize>> {
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

    pub(super) fn flow_mapping(&mut self) -> Scanned<Option<usize>> {
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

    pub(super) fn child(&mut self, is_empty: bool, at: usize, context: Context) -> Scanned<()> {
        let child = match is_empty {
            true => self.empty(at)?,
            false => self.node(context)?,
        };
        self.pending.push(child);
        Ok(())
    }
}

/// The kind of a collection.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    is_mapping: bool,
    flow: bool,
}

pub(super) const SEQUENCE: Shape = Shape {
    is_mapping: false,
    flow: false,
};
pub(super) const FLOW_SEQUENCE: Shape = Shape {
    is_mapping: false,
    flow: true,
};
pub(super) const MAPPING: Shape = Shape {
    is_mapping: true,
    flow: false,
};
pub(super) const FLOW_MAPPING: Shape = Shape {
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
