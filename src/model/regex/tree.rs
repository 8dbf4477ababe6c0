//! The tree of a regular expression, its measures, and its form for the matching engine.

use regex_syntax::hir::{
    Capture, Class, ClassUnicode, ClassUnicodeRange, Dot, Hir, Look, Repetition,
};

/// Go refuses trees that are higher.
const MAX_HEIGHT: u32 = 1000;

/// The most instructions that a pattern may take once its repetitions are written out. Go allows
/// 3.3 million; this is far above any sensible pattern too, and keeps the engine small.
const MAX_SIZE: u64 = 1 << 19;

/// The most copies of one thing that nested counted repetitions may ask for, as in Go.
const MAX_REPEAT: u32 = 1000;

/// A part of a regular expression.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// Matches nothing at all, not even the empty text.
    Never,
    /// The empty text.
    Empty,
    /// Characters one after the other.
    Literal {
        /// The characters.
        text: String,
        /// Whether they match in any case.
        fold: bool,
    },
    /// One character of a class.
    Class(ClassUnicode),
    /// Any one character.
    AnyChar,
    /// Any one character but a newline.
    AnyCharNotNewline,
    /// A condition between two characters.
    Look(Look),
    /// A repetition; `max` is absent for an open one.
    Repeat {
        min: u32,
        max: Option<u32>,
        greedy: bool,
        sub: Box<Node>,
    },
    /// A numbered group.
    Capture { index: u32, sub: Box<Node> },
    /// One after the other; never directly inside another.
    Concat(Vec<Node>),
    /// One or the other, the earlier preferred; never directly inside another.
    Alternate(Vec<Node>),
}

/// A node with what Go's limits look at.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub(super) node: Node,
    /// Levels of Go's tree below and with this node.
    height: u32,
    /// Instructions, repetitions written out.
    size: u64,
    /// The largest product of nested counted repetitions.
    copies: u32,
}

/// A limit that a tree has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    Height,
    Size,
    Copies,
}

impl Measured {
    /// A node without parts.
    pub(super) fn leaf(node: Node) -> Measured {
        let size = match &node {
            Node::Literal { text, .. } => text.chars().count() as u64,
            _ => 1,
        };
        Measured {
            node,
            height: 1,
            size,
            copies: 1,
        }
    }

    /// A character, or nothing at all for a surrogate, which no text holds.
    pub(super) fn character(code: u32, fold: bool) -> Measured {
        Measured::leaf(match char::from_u32(code) {
            Some(c) => Node::Literal {
                text: c.to_string(),
                fold,
            },
            None => Node::Never,
        })
    }

    /// The numbered group around this.
    pub(super) fn capture(self, index: u32) -> Result<Measured, Limit> {
        Measured {
            height: self.height.saturating_add(1),
            size: self.size.saturating_add(2),
            copies: self.copies,
            node: Node::Capture {
                index,
                sub: Box::new(self.node),
            },
        }
        .within_limits()
    }

    /// This as often as `*`, `+`, `?` (with `counted` off) or `{min,max}` (with it on) say.
    pub(super) fn repeat(
        self,
        count: (u32, Option<u32>),
        greedy: bool,
        counted: bool,
    ) -> Result<Measured, Limit> {
        let (min, max) = count;
        let times = max.unwrap_or(min);
        let copies = match (counted, times) {
            (false, _) => self.copies,
            // Go does not look into what is repeated no time.
            (true, 0) if max == Some(0) => 1,
            (true, _) => self.copies.saturating_mul(times.max(1)),
        };
        let size = match (min, max) {
            (0, None) => self.size.saturating_add(2),
            (_, None) => self.size.saturating_mul(u64::from(min)).saturating_add(1),
            (_, Some(max)) => self
                .size
                .saturating_mul(u64::from(max))
                .saturating_add(u64::from(max.saturating_sub(min))),
        };
        let repeated = Measured {
            height: self.height.saturating_add(1),
            size: size.max(1),
            copies,
            node: Node::Repeat {
                min,
                max,
                greedy,
                sub: Box::new(self.node),
            },
        }
        .within_limits()?;
        match counted && (min >= 2 || max.is_some_and(|max| max >= 2)) && copies > MAX_REPEAT {
            true => Err(Limit::Copies),
            false => Ok(repeated),
        }
    }

    /// The parts one after the other.
    pub(super) fn concat(parts: Vec<Measured>) -> Result<Measured, Limit> {
        let mut merged: Vec<Measured> = Vec::with_capacity(parts.len());
        for part in parts {
            if !merged.last_mut().is_some_and(|last| last.absorb(&part)) {
                merged.push(part);
            }
        }
        Measured::join(merged, Node::Concat, |node| match node {
            Node::Concat(parts) => Ok(parts),
            other => Err(other),
        })
    }

    /// One of the parts.
    pub(super) fn alternate(parts: Vec<Measured>) -> Result<Measured, Limit> {
        let bars = parts.len().saturating_sub(1) as u64;
        let mut joined = Measured::join(parts, Node::Alternate, |node| match node {
            Node::Alternate(parts) => Ok(parts),
            other => Err(other),
        })?;
        joined.size = joined.size.saturating_add(bars);
        joined.within_limits()
    }

    /// Parts under one node, those of that same kind opened.
    fn join(
        mut parts: Vec<Measured>,
        wrap: fn(Vec<Node>) -> Node,
        open: fn(Node) -> Result<Vec<Node>, Node>,
    ) -> Result<Measured, Limit> {
        let Some(last) = parts.pop() else {
            return Ok(Measured::leaf(Node::Empty));
        };
        if parts.is_empty() {
            return Ok(last);
        }
        parts.push(last);
        let (mut height, mut size, mut copies) = (0, 0_u64, 1);
        let mut nodes = Vec::with_capacity(parts.len());
        for part in parts {
            let part_height = match open(part.node) {
                Ok(inner) => {
                    nodes.extend(inner);
                    part.height.saturating_sub(1)
                }
                Err(node) => {
                    nodes.push(node);
                    part.height
                }
            };
            height = part_height.max(height);
            size = size.saturating_add(part.size);
            copies = part.copies.max(copies);
        }
        Measured {
            node: wrap(nodes),
            height: height.saturating_add(1),
            size,
            copies,
        }
        .within_limits()
    }

    /// Takes a literal that follows this one into it; `false` where that can't be.
    fn absorb(&mut self, next: &Measured) -> bool {
        match (&mut self.node, &next.node) {
            (
                Node::Literal { text, fold },
                Node::Literal {
                    text: more,
                    fold: same,
                },
            ) if fold == same => {
                text.push_str(more);
                self.size = self.size.saturating_add(next.size);
                true
            }
            _ => false,
        }
    }

    /// Itself, unless it is too high or too large.
    fn within_limits(self) -> Result<Measured, Limit> {
        match (self.size > MAX_SIZE, self.height > MAX_HEIGHT) {
            (true, _) => Err(Limit::Size),
            (_, true) => Err(Limit::Height),
            _ => Ok(self),
        }
    }

    /// Levels of the tree.
    pub(super) fn height(&self) -> u32 {
        self.height
    }

    /// How many instructions it takes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

impl Node {
    /// The form that the engine compiles. Depth is bounded by [`MAX_HEIGHT`].
    pub(super) fn to_hir(&self) -> Hir {
        match self {
            Node::Never => Hir::fail(),
            Node::Empty => Hir::empty(),
            Node::Literal { text, fold: false } => Hir::literal(text.as_bytes()),
            Node::Literal { text, fold: true } => Hir::concat(text.chars().map(folded).collect()),
            Node::Class(class) => Hir::class(Class::Unicode(class.clone())),
            Node::AnyChar => Hir::dot(Dot::AnyChar),
            Node::AnyCharNotNewline => Hir::dot(Dot::AnyCharExceptLF),
            Node::Look(Look::WordAsciiNegate) => no_word_boundary(),
            Node::Look(look) => Hir::look(*look),
            Node::Repeat {
                min,
                max,
                greedy,
                sub,
            } => Hir::repetition(Repetition {
                min: *min,
                max: *max,
                greedy: *greedy,
                sub: Box::new(sub.to_hir()),
            }),
            // Names stay with us: the engine refuses a name that comes twice, Go does not.
            Node::Capture { index, sub } => Hir::capture(Capture {
                index: *index,
                name: None,
                sub: Box::new(sub.to_hir()),
            }),
            Node::Concat(parts) => Hir::concat(parts.iter().map(Node::to_hir).collect()),
            Node::Alternate(parts) => Hir::alternation(parts.iter().map(Node::to_hir).collect()),
        }
    }
}

/// Go's `\B`, which holds between characters only. The engine's own holds between the bytes of one
/// character as well; there, neither a boundary of Unicode words nor the absence of one is seen.
fn no_word_boundary() -> Hir {
    let unicode = [Look::WordUnicode, Look::WordUnicodeNegate];
    let between_characters = Hir::alternation(unicode.map(Hir::look).into());
    Hir::concat(vec![Hir::look(Look::WordAsciiNegate), between_characters])
}

/// A character in any case.
fn folded(c: char) -> Hir {
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
    class.case_fold_simple();
    Hir::class(Class::Unicode(class))
}
