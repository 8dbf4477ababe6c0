//! Which bytes go where an element of a list, or an entry of a mapping, is not there.

use crate::text::yaml::{Kind, Node};
use crate::text::{Source, Span};

/// The bytes of a child of a collection, from its first node to its last, with what parts it from its neighbours: of one in
/// brackets a comma, else its lines, with the dash. `None` where it is written in an unusual way.
pub(super) fn child(
    collection: Node<'_>,
    source: &Source,
    children: &[Span],
    index: usize,
) -> Option<Span> {
    let own = *children.get(index)?;
    if collection.is_flow() {
        let before = index.checked_sub(1).and_then(|before| children.get(before));
        return Some(match (children.get(index + 1), before) {
            (Some(next), _) => Span::new(own.start, next.start),
            (None, Some(before)) => Span::new(before.end, own.end),
            (None, None) => own,
        });
    }
    let text = source.text();
    let start = match collection.kind() {
        Kind::Sequence(_) => {
            let before = text.get(..own.start)?.trim_end_matches(is_blank);
            own_line(text, before.strip_suffix('-')?.len())?
        }
        _ => own_line(text, own.start)?,
    };
    let written = source.slice(own).trim_end().len();
    let rest = text.get(own.start + written..)?;
    let end = rest.find('\n').map_or(rest.len(), |newline| newline + 1);
    Some(Span::new(start, own.start + written + end))
}

/// The beginning of the line of an offset, where nothing but blanks stands before it.
fn own_line(text: &str, offset: usize) -> Option<usize> {
    let before = text.get(..offset)?;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let is_alone = before.get(start..)?.trim_start_matches(' ').is_empty();
    is_alone.then_some(start)
}

/// What may stand between a dash and what it is before.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}
