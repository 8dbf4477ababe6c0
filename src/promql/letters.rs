//! Queries letter by letter, for what a parser is too much for.

/// A letter of a query that is in no comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter {
    /// Where it begins, in bytes.
    pub at: usize,
    /// The letter.
    pub letter: char,
    /// Whether it belongs to a text in quotes, of which the quotes are part.
    pub is_quoted: bool,
}

/// The letters of a query, or of a part that begins outside of quotes and comments, without its comments.
pub fn letters(text: &str) -> impl Iterator<Item = Letter> {
    let (mut quote, mut is_escaped, mut is_comment) = (None, false, false);
    text.char_indices().filter_map(move |(at, letter)| {
        is_comment = match (quote, letter) {
            (_, '\n') => false,
            (None, '#') => true,
            _ => is_comment,
        };
        if is_comment {
            return None;
        }
        let before = quote;
        quote = match quote {
            None if matches!(letter, '"' | '\'' | '`') => Some(letter),
            Some(open) if letter == open && !is_escaped => None,
            quote => quote,
        };
        is_escaped = letter == '\\' && !is_escaped && quote.is_some_and(|it| it != '`');
        Some(Letter {
            at,
            letter,
            is_quoted: before.is_some() || quote.is_some(),
        })
    })
}

/// A query or a part of one on one line, without its comments.
pub fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_blank = false;
    for Letter {
        letter, is_quoted, ..
    } in letters(text)
    {
        if letter.is_whitespace() && !is_quoted {
            is_blank = !out.is_empty();
            continue;
        }
        if std::mem::take(&mut is_blank) {
            out.push(' ');
        }
        match letter {
            // Only a text in backticks can hold them.
            '\n' | '\r' => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_what_stands_in_quotes() {
        let text = "  a{b=\"x  # y\\\"  z\"} # what is told\n  +\tc{d=~`\\`, e='\n'}\n";
        let line = "a{b=\"x  # y\\\"  z\"} + c{d=~`\\`, e=' '}";
        assert_eq!(one_line(text), line);
        assert_eq!(one_line(line), line);
    }
}
