//! Queries as they are shown within a sentence.

/// A query or a part of one on one line, without its comments.
pub fn one_line(text: &str) -> String {
    let text = without_comments(text);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// A part of a query without its comments.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quote, mut is_escaped, mut is_comment) = (None, false, false);
    for letter in text.chars() {
        is_comment = match (quote, letter) {
            (_, '\n') => false,
            (None, '#') => true,
            _ => is_comment,
        };
        if is_comment {
            continue;
        }
        out.push(letter);
        quote = match quote {
            None if matches!(letter, '"' | '\'' | '`') => Some(letter),
            Some(open) if letter == open && !is_escaped => None,
            quote => quote,
        };
        is_escaped = letter == '\\' && !is_escaped && quote != Some('`');
    }
    out
}
