//! Lists in brackets within a query: matchers, labels of `by` and `on`.

use crate::promql;
use crate::text::Span;

/// The pieces between commas in the brackets that open first in a part of a query, without blanks and comments around
/// them; none where no bracket opens or closes.
pub(super) fn pieces(text: &str, part: Span, brackets: (char, char)) -> Vec<Span> {
    let (open, close) = brackets;
    let mut all = Vec::new();
    let mut own: Option<Span> = None;
    let mut is_open = false;
    for (at, letter) in letters(text, part) {
        let end = at + letter.len_utf8();
        match letter {
            _ if !is_open => is_open = letter == open,
            ',' => all.extend(own.take()),
            letter if letter == close => {
                all.extend(own);
                return all;
            }
            letter if letter.is_whitespace() => {}
            _ => own = Some(Span::new(own.map_or(at, |own| own.start), end)),
        }
    }
    Vec::new()
}

/// Where a word stands by itself in a part of a query.
pub(super) fn word(text: &str, part: Span, wanted: &str) -> Option<Span> {
    let mut own: Option<Span> = None;
    let mut letters = letters(text, part);
    letters.push((part.end, ' '));
    for (at, letter) in letters {
        if letter.is_alphanumeric() || letter == '_' {
            let start = own.map_or(at, |own| own.start);
            own = Some(Span::new(start, at + letter.len_utf8()));
            continue;
        }
        if let Some(found) = own.take()
            && text
                .get(found.start..found.end)
                .is_some_and(|it| it.eq_ignore_ascii_case(wanted))
        {
            return Some(found);
        }
    }
    None
}

/// A piece with the comma that parts it from the next, or else from the one before.
pub(super) fn with_comma(pieces: &[Span], index: usize) -> Span {
    let own = pieces.get(index).copied().unwrap_or_default();
    let before = index.checked_sub(1).and_then(|before| pieces.get(before));
    match (pieces.get(index + 1), before) {
        (Some(next), _) => Span::new(own.start, next.start),
        (None, Some(before)) => Span::new(before.end, own.end),
        (None, None) => own,
    }
}

/// The letters of a part of a query that are in no comment; those in quotes are shown as `"`, which is none of the others.
fn letters(text: &str, part: Span) -> Vec<(usize, char)> {
    let part_text = text.get(part.start..part.end).unwrap_or_default();
    let mut all = Vec::with_capacity(part_text.len());
    for it in promql::letters(part_text) {
        let at = part.start + it.at;
        match it.is_quoted {
            false => all.push((at, it.letter)),
            // Every byte of it, so that pieces end where it does.
            true => all.extend((at..at + it.letter.len_utf8()).map(|byte| (byte, '"'))),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_stand_between_commas() {
        let text = r#"a{b="c,}é", # d,
            e=~'\'f'  , `g` !~ "h"}[5m]"#;
        let whole = Span::new(0, text.len());
        let found = pieces(text, whole, ('{', '}'));
        let found: Vec<&str> = found.iter().map(|it| &text[it.start..it.end]).collect();
        assert_eq!(found, [r#"b="c,}é""#, r"e=~'\'f'", r#"`g` !~ "h""#]);
        assert!(pieces("a", Span::new(0, 1), ('{', '}')).is_empty());
        assert!(pieces("a{b", Span::new(0, 3), ('{', '}')).is_empty());
    }

    #[test]
    fn words_stand_alone() {
        let text = "bool onto \"on\" # on\n ON (a)";
        let found = word(text, Span::new(0, text.len()), "on");
        assert_eq!(found, Some(Span::new(21, 23)));
        assert_eq!(word(text, Span::new(0, 20), "on"), None);
    }
}
