//! Where the cells of a row stand.

use super::Row;
use crate::series::gather::Gather;
use crate::text::Span;

/// The place of a cell.
struct Cell {
    span: Span,
    /// Where a quote is never closed.
    open_quote: Option<usize>,
}

impl Row {
    /// The row without the ends of lines around it.
    pub(super) fn trimmed(&self, gather: &Gather<'_>) -> Span {
        trimmed(gather.source().text(), self.span)
    }

    /// The place of a cell.
    pub(super) fn cell(&self, gather: &Gather<'_>, column: usize) -> Span {
        let text = gather.source().text();
        let row = trimmed(text, self.span);
        cells(text, row, self.delimiter)
            .nth(column)
            .map_or(row, |cell| cell.span)
    }

    /// The quote that is not closed before the text ends, if this row reaches that far.
    pub(super) fn open_quote(&self, text: &str) -> Option<Span> {
        if self.span.end < text.len() {
            return None;
        }
        let row = Span::new(trimmed(text, self.span).start, text.len());
        let quote = cells(text, row, self.delimiter).find_map(|cell| cell.open_quote)?;
        Some(Span::new(quote, quote + 1))
    }
}

fn trimmed(text: &str, span: Span) -> Span {
    let is_end = |c: char| matches!(c, '\r' | '\n');
    let row = text.get(span.start..span.end).unwrap_or_default();
    let start = span.start + (row.len() - row.trim_start_matches(is_end).len());
    let end = span.start + row.trim_end_matches(is_end).len();
    Span::new(start, end.max(start))
}

fn cells(text: &str, row: Span, delimiter: u8) -> impl Iterator<Item = Cell> {
    let bytes = text.as_bytes().get(row.start..row.end).unwrap_or_default();
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(start..)?;
        let (length, closed) = quoted(rest);
        let after = rest.get(length..).unwrap_or_default();
        let end = length
            + after
                .iter()
                .position(|&byte| byte == delimiter)
                .unwrap_or(after.len());
        let cell = Cell {
            span: Span::new(row.start + start, row.start + start + end),
            open_quote: (!closed).then_some(row.start + start),
        };
        start += end + 1;
        Some(cell)
    })
}

/// How much of a cell stands in quotes, and whether they are closed.
fn quoted(cell: &[u8]) -> (usize, bool) {
    if cell.first() != Some(&b'"') {
        return (0, true);
    }
    let mut at = 1;
    while let Some(&byte) = cell.get(at) {
        match (byte, cell.get(at + 1)) {
            (b'"', Some(b'"')) => at += 2,
            (b'"', _) => return (at + 1, true),
            _ => at += 1,
        }
    }
    (cell.len(), false)
}
