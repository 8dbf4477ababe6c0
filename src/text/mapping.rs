//! Which bytes of a text those of another come from that was made of it: what stands in a scalar, and the scalar.

use super::Span;

/// A stretch of the made text and the stretch of the written one that it comes from. Where both have the same length
/// their bytes correspond one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub decoded: Span,
    pub written: Span,
}

/// Where each byte of a text stands in the one that it was made of.
#[derive(Debug, Clone)]
pub(super) struct Mapping {
    /// In the order of both texts; white space may lie between them.
    pub pieces: Vec<Piece>,
    /// Where a text of no pieces stands.
    pub start: usize,
}

impl Mapping {
    /// Where a part of the made text stands in the written one. An empty part at the end is the place behind the last
    /// character.
    pub fn span(&self, inner: Span) -> Span {
        let start = self.place(inner.start);
        match inner.end > inner.start {
            true => {
                let last = self.place(inner.end - 1);
                Span::new(start.start, last.end.max(start.start))
            }
            false => Span::new(start.start, start.start),
        }
    }

    /// The bytes behind one byte of the made text.
    pub fn place(&self, offset: usize) -> Span {
        let pieces = &self.pieces;
        let index = pieces.partition_point(|piece| piece.decoded.end <= offset);
        let Some(piece) = pieces.get(index) else {
            let end = pieces.last().map_or(self.start, |last| last.written.end);
            return Span::new(end, end);
        };
        if offset < piece.decoded.start {
            // White space that folding made: it stands behind the piece before.
            let before = index.checked_sub(1).and_then(|index| pieces.get(index));
            let at = before.map_or(piece.written.start, |before| before.written.end);
            return Span::new(at, at);
        }
        let decoded_length = piece.decoded.end - piece.decoded.start;
        match decoded_length == piece.written.end - piece.written.start {
            true => {
                let at = piece.written.start + (offset - piece.decoded.start);
                Span::new(at, at + 1)
            }
            false => piece.written,
        }
    }
}
