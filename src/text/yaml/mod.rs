//! YAML as Go reads it for Prometheus, with the place of everything.
//!
//! [`parse`] makes one [`Document`], a tree of [`Node`]s that know their bytes in the [`Source`]; a
//! [`Decoder`] takes texts, numbers, lists and fields out of it and collects every fault on the way.
//! An [`Embedded`] is a text inside a scalar (a query, a template) that can say where each of its bytes
//! stands in the file.
//!
//! The scanner and the parser are our own because verdicts must be Go's: its libraries accept texts
//! that every YAML 1.2 parser at hand refuses (quoted texts that go on at any indentation are common),
//! refuse others, and messages and edits need the bytes of every node.

mod collections;
mod decode;
mod embedded;
mod fields;
mod glance;
mod parameters;
mod parse;
mod resolve;
mod scan;
mod scan_indicators;
mod scan_names;
mod scan_scalars;
mod write;

use std::borrow::Cow;

use super::{Source, Span};

pub use decode::{Decoder, Dialect};
pub use embedded::Embedded;
pub use fields::{Field, Fields, UnknownFields};
pub use glance::{has_key, has_top_level_key};
pub use parameters::{Parameters, first_reference};
pub use parse::{NESTING_LIMIT, parse, parse_all, parse_joined};
pub use resolve::Resolved;
pub use write::{Around, write_block, write_float, write_like, write_text};

/// A document of a YAML text.
#[derive(Debug)]
pub struct Document<'s> {
    source: &'s Source,
    nodes: Vec<Stored<'s>>,
    /// Children of all collections; a mapping's are key, value, key, value.
    children: Vec<u32>,
    root: Option<u32>,
    /// The top nodes of the documents that were appended.
    appended: Vec<Option<u32>>,
    /// Where another document follows.
    pub more: Option<Span>,
}

/// A node as the document keeps it.
#[derive(Debug)]
struct Stored<'s> {
    content: Content<'s>,
    place: Place,
    /// Whether it was given an anchor.
    anchored: bool,
    /// Where its anchor or tag begins, or itself.
    outer: u32,
}

/// A span in few bytes, as there are many nodes and texts are shorter than 4 GiB ([`parse::LONGEST`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    start: u32,
    end: u32,
}

impl Place {
    fn span(self) -> Span {
        Span::new(self.start as usize, self.end as usize)
    }
}

impl From<Span> for Place {
    fn from(span: Span) -> Place {
        Place {
            start: offset(span.start),
            end: offset(span.end),
        }
    }
}

/// A place in a text that is no longer than [`parse::LONGEST`].
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[derive(Debug)]
enum Content<'s> {
    Scalar(Scalar<'s>),
    Sequence {
        first: usize,
        end: usize,
        flow: bool,
    },
    Mapping {
        first: usize,
        end: usize,
        flow: bool,
    },
    Alias(u32),
}

/// A text as it was written, with what decides its type.
#[derive(Debug)]
pub struct Scalar<'s> {
    /// The text after folding and escapes.
    pub text: Cow<'s, str>,
    /// How it was written.
    pub style: Style,
    /// An explicit tag in short form: `!!str`, `!mine`.
    pub tag: Option<Box<str>>,
    /// The bytes that `text` comes from: with quotes, but without a block's `|` line.
    content: Place,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In `'`.
    Single,
    /// In `"`.
    Double,
    /// Behind `|`.
    Literal,
    /// Behind `>`.
    Folded,
}

/// One node of a document; cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Node<'d> {
    document: &'d Document<'d>,
    index: u32,
}

/// What a node is, aliases followed.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'d> {
    /// A text, number, truth value or nothing.
    Scalar(&'d Scalar<'d>),
    /// A list.
    Sequence(Children<'d>),
    /// A mapping; its children are key, value, key, value.
    Mapping(Children<'d>),
}

/// The nodes below a collection.
#[derive(Debug, Clone, Copy)]
pub struct Children<'d> {
    document: &'d Document<'d>,
    indexes: &'d [u32],
}

impl<'s> Document<'s> {
    /// The top node; `None` for an empty text.
    pub fn root(&self) -> Option<Node<'_>> {
        let index = self.root?;
        Some(Node {
            document: self,
            index,
        })
    }

    /// The text it was read from.
    pub fn source(&self) -> &'s Source {
        self.source
    }

    /// The same as the first of those of a text that is joined of several.
    pub fn within(mut self, joined: &'s Source) -> Document<'s> {
        self.source = joined;
        self
    }

    /// Takes over the nodes of a document whose text begins at an offset of the joined one.
    pub fn append(&mut self, other: Document<'s>, start: usize) {
        let first_node = self.nodes.len() as u32;
        let first_child = self.children.len();
        let later = |span: Span| Span::new(span.start + start, span.end + start);
        for mut node in other.nodes {
            let moved = |place: Place| Place::from(later(place.span()));
            node.place = moved(node.place);
            node.outer = node.outer.saturating_add(offset(start));
            match &mut node.content {
                Content::Scalar(scalar) => scalar.content = moved(scalar.content),
                Content::Sequence { first, end, .. } | Content::Mapping { first, end, .. } => {
                    *first += first_child;
                    *end += first_child;
                }
                Content::Alias(target) => *target += first_node,
            }
            self.nodes.push(node);
        }
        let children = other.children.into_iter();
        self.children
            .extend(children.map(|child| child + first_node));
        let root = other.root.map(|root| root + first_node);
        self.appended.push(root);
        self.more = self.more.or(other.more.map(later));
    }

    /// The top nodes of all texts that the source is joined of, in their order; `None` for an empty one.
    pub fn roots(&self) -> impl Iterator<Item = Option<Node<'_>>> {
        let roots = std::iter::once(self.root).chain(self.appended.iter().copied());
        roots.map(|root| {
            let index = root?;
            Some(Node {
                document: self,
                index,
            })
        })
    }

    /// The node that stands at a place, an alias for an alias.
    pub fn node_at(&self, span: Span) -> Option<Node<'_>> {
        let place = Place::from(span);
        let index = self.nodes.iter().position(|node| node.place == place)?;
        Some(Node {
            document: self,
            index: u32::try_from(index).ok()?,
        })
    }

    /// The collection that a node is a child of.
    pub fn parent(&self, node: Node<'_>) -> Option<Node<'_>> {
        let holds = |stored: &Stored<'_>| match stored.content {
            Content::Sequence { first, end, .. } | Content::Mapping { first, end, .. } => self
                .children
                .get(first..end)
                .is_some_and(|children| children.contains(&node.index)),
            _ => false,
        };
        let index = self.nodes.iter().position(holds)?;
        Some(Node {
            document: self,
            index: u32::try_from(index).ok()?,
        })
    }

    /// Whether some alias stands for a node that lies inside a span.
    pub fn has_aliased(&self, within: Span) -> bool {
        self.nodes.iter().any(|node| match node.content {
            Content::Alias(target) => self.nodes.get(target as usize).is_some_and(|target| {
                let target = target.place.span();
                target.start >= within.start && target.end <= within.end
            }),
            _ => false,
        })
    }
}

impl<'d> Node<'d> {
    /// What it is, aliases followed.
    pub fn kind(self) -> Kind<'d> {
        let document = self.document;
        let children = |first: usize, end: usize| Children {
            document,
            indexes: document.children.get(first..end).unwrap_or_default(),
        };
        match self.target().stored().map(|stored| &stored.content) {
            Some(Content::Scalar(scalar)) => Kind::Scalar(scalar),
            Some(&Content::Sequence { first, end, .. }) => Kind::Sequence(children(first, end)),
            Some(&Content::Mapping { first, end, .. }) => Kind::Mapping(children(first, end)),
            Some(Content::Alias(_)) | None => Kind::Sequence(children(0, 0)),
        }
    }

    /// Where it stands: for an alias the `*name`.
    pub fn span(self) -> Span {
        self.stored()
            .map(|stored| stored.place.span())
            .unwrap_or_default()
    }

    /// The node itself, or the one that it is an alias of.
    pub fn target(self) -> Node<'d> {
        match self.stored().map(|stored| &stored.content) {
            Some(&Content::Alias(index)) => Node { index, ..self },
            _ => self,
        }
    }

    /// Whether it is an alias.
    pub fn is_alias(self) -> bool {
        self.target().index != self.index
    }

    /// Whether some alias stands for it too.
    pub fn is_aliased(self) -> bool {
        let is_alias =
            |node: &Stored| matches!(node.content, Content::Alias(target) if target == self.index);
        self.stored().is_some_and(|stored| stored.anchored)
            && self.document.nodes.iter().any(is_alias)
    }

    /// Where it stands, its anchor and its tag included.
    pub fn outer_span(self) -> Span {
        let outer = self
            .stored()
            .map(|stored| Span::new(stored.outer as usize, stored.place.span().end));
        outer.unwrap_or_default()
    }

    /// Whether it is a collection in brackets or braces.
    pub fn is_flow(self) -> bool {
        matches!(
            self.stored().map(|stored| &stored.content),
            Some(Content::Sequence { flow: true, .. } | Content::Mapping { flow: true, .. })
        )
    }

    /// Where its children stand if it lies in no brackets itself.
    pub fn around(self) -> Around {
        match self.is_flow() {
            true => Around::Brackets,
            false => Around::Lines,
        }
    }

    /// Whether it is nothing: no text at all, `~` or `null`.
    pub fn is_null(self) -> bool {
        match self.kind() {
            Kind::Scalar(scalar) => scalar.is_null(),
            _ => false,
        }
    }

    /// The text it was read from.
    pub fn source(self) -> &'d Source {
        self.document.source
    }

    /// What a person calls it: `a text`, `a list`, `a mapping`, `nothing`.
    pub fn describe(self) -> &'static str {
        match self.kind() {
            Kind::Scalar(scalar) => match scalar.resolve() {
                Ok(Resolved::Null) => "nothing",
                Ok(Resolved::Bool(_)) => "a truth value",
                Ok(Resolved::Int(_) | Resolved::Uint(_) | Resolved::Float(_)) => "a number",
                Ok(Resolved::Text) | Err(_) => "a text",
            },
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        }
    }

    fn stored(self) -> Option<&'d Stored<'d>> {
        self.document.nodes.get(self.index as usize)
    }
}

impl<'d> Children<'d> {
    /// The nodes in the order of the file.
    pub fn iter(self) -> impl Iterator<Item = Node<'d>> {
        self.indexes.iter().map(move |&index| Node {
            document: self.document,
            index,
        })
    }

    /// Keys and values in the order of the file.
    pub fn pairs(self) -> impl Iterator<Item = (Node<'d>, Node<'d>)> {
        let node = move |index: u32| Node {
            document: self.document,
            index,
        };
        self.indexes
            .chunks_exact(2)
            .map(move |pair| (node(pair[0]), node(pair[1])))
    }

    /// How many nodes.
    pub fn len(self) -> usize {
        self.indexes.len()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.indexes.is_empty()
    }
}
