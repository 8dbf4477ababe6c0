//! Says what is wrong with a text that the grammar refuses, in Prometheus's words where it has some.

use std::cell::RefCell;

use crate::model::number::quote;
use crate::promql::aggregations;
use crate::promql::query::QueryError;
use crate::text::Span;

use super::MAX_DEPTH;
use super::literal::{looks_like_duration, unicode};
use super::suggest;
use super::tokens::{Brackets, Kind, Surroundings, Token, blank};

/// What to do about a bad string.
pub(super) const STRING_HELP: &str =
    "write a backslash twice, or put the string in backticks, where nothing is escaped";

/// Words that can't be metric names.
const RESERVED: [&str; 6] = [
    "bool",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "atan2",
];

/// Words that can be metric names but not function names.
const KEYWORDS: [&str; 11] = [
    "and",
    "or",
    "unless",
    "by",
    "without",
    "offset",
    "anchored",
    "smoothed",
    "fill",
    "fill_left",
    "fill_right",
];

/// What a length of time may be.
const LENGTHS: &str = "number, duration, step(), or range()";

/// Refuses brackets nested beyond [`MAX_DEPTH`], before anything recurses into them.
pub(super) fn check_depth(text: &str) -> Result<(), QueryError> {
    let mut depth = 0usize;
    for (at, bracket) in Brackets::new(text) {
        match bracket {
            b'(' => depth += 1,
            _ => depth = depth.saturating_sub(1),
        }
        if depth > MAX_DEPTH {
            return Err(too_deep(Span::new(at, at + 1)));
        }
    }
    Ok(())
}

/// The error of a tree that is too deep.
pub(super) fn too_deep(span: Span) -> QueryError {
    QueryError {
        message: format!("expression is nested more than {MAX_DEPTH} levels deep"),
        span,
        help: Some("split it into recording rules".to_owned()),
    }
}

/// Whether a word can't stand where an operand does.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|word| name.eq_ignore_ascii_case(word))
}

/// Whether a word before a bracket can't be a function.
pub(super) fn is_no_function_name(name: &str) -> bool {
    is_keyword(name) || is_reserved(name) || is_number_word(name) || name.contains(':')
}

/// `by` and its like, before labels in brackets.
pub(super) fn is_grouping_word(word: &str) -> bool {
    const WORDS: [&str; 6] = [
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
    ];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// `and` and its like, between operands.
pub(super) fn is_operator_word(word: &str) -> bool {
    const WORDS: [&str; 4] = ["and", "or", "unless", "atan2"];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
}

fn is_number_word(word: &str) -> bool {
    super::literal::special(word).is_some()
}

/// Records the bracket behind a word that is no function as unexpected.
pub(super) fn no_function(
    text: &str,
    name: Span,
    bracket: usize,
    errors: &RefCell<Vec<QueryError>>,
) {
    let word = text.get(name.start..name.end).unwrap_or_default();
    if is_reserved(word) {
        let mut fault = explain(text, name.start);
        if is_grouping_word(word)
            && !fault
                .help
                .as_ref()
                .is_some_and(|help| help.contains("behind"))
        {
            fault.help = Some(format!(
                "in its brackets stand labels: `{word} (job, instance)`"
            ));
        }
        errors.borrow_mut().push(fault);
        return;
    }
    let mut fault = explain(text, bracket);
    fault.help = Some(format!("`{word}` is no function"));
    errors.borrow_mut().push(fault);
}

/// Records the token at a place as unexpected.
pub(super) fn unexpected(text: &str, at: usize, errors: &RefCell<Vec<QueryError>>) {
    errors.borrow_mut().push(explain(text, at));
}

/// Why the grammar stopped at a place.
pub(super) fn explain(text: &str, at: usize) -> QueryError {
    if blank(text) == text.len() {
        let help = "write a query such as `up == 0`";
        return error(
            "no expression found in input",
            Span::new(0, text.len()),
            help,
        );
    }
    let around = Surroundings::until(text, at);
    let here = Token::at(text, at).filter(|token| around.is_misplaced(token));
    if let Some(token) = around.misplaced.or(here) {
        let message = format!("unexpected {}", described(&token, text, &around));
        let span = Span::new(token.start, token.end());
        return error(&message, span, suggest::modifier(token.text));
    }
    let Some(token) = Token::at(text, at) else {
        return end_of_input(text, &around);
    };
    if token.kind == Kind::Unterminated {
        return unterminated(text, &token);
    }
    let (message, length) = lexical(&token, text, &around).unwrap_or_else(|| {
        (
            in_context(&described(&token, text, &around), &around),
            token.text.len(),
        )
    });
    let help = suggest::remedy(&token, text, &around);
    error(
        &message,
        Span::new(token.start, token.start + length),
        &help,
    )
}

fn unterminated(text: &str, token: &Token<'_>) -> QueryError {
    let message = match token.text.starts_with('`') {
        true => "unterminated raw string",
        false => "unterminated quoted string",
    };
    let first = token.text.chars().next().unwrap_or('"');
    let line_ends = text.len() > token.end() && first != '`';
    let help = match line_ends {
        true => format!("close it with `{first}` on the same line, or use backticks"),
        false => format!(
            "close it with {}",
            if first == '`' {
                "a backtick"
            } else {
                "the quote it began with"
            }
        ),
    };
    error(message, Span::new(token.start, token.end()), &help)
}

fn end_of_input(text: &str, around: &Surroundings<'_>) -> QueryError {
    let end = around.previous.map_or(text.len(), |token| token.end());
    let expects = expected(around).is_some_and(|(context, _)| matches!(context, "@" | "offset"));
    let Some(open) = around.innermost().filter(|_| !expects) else {
        let message = in_context("end of input", around);
        let help = suggest::ending(around);
        return error(&message, Span::new(end, end), &help);
    };
    let (message, closer) = match open.bracket {
        b'(' => ("unclosed left parenthesis", ')'),
        b'[' => ("unclosed left bracket", ']'),
        _ => ("unexpected end of input inside braces", '}'),
    };
    let help = format!("close it with `{closer}`");
    error(message, Span::new(open.start, open.start + 1), &help)
}

/// `unexpected … in …, expected …`.
fn in_context(token: &str, around: &Surroundings<'_>) -> String {
    match expected(around) {
        None => format!("unexpected {token}"),
        Some((context, "")) => format!("unexpected {token} in {context}"),
        Some((context, wanted)) => format!("unexpected {token} in {context}, expected {wanted}"),
    }
}

/// Where the place is and what belongs there, as Prometheus says it.
fn expected(around: &Surroundings<'_>) -> Option<(&'static str, &'static str)> {
    let previous = around.previous?;
    let inside = around.innermost();
    let opens = matches!(previous.text, "(" | "{" | "[" | ",");
    match inside.map(|open| open.bracket) {
        Some(b'{') => {
            let wanted = match previous.kind {
                _ if opens => "identifier or \"}\"",
                Kind::Word => "label matching operator",
                Kind::Symbol => "string",
                _ => "\",\" or \"}\"",
            };
            return Some(("label matching", wanted));
        }
        Some(b'[') if opens => return Some(("subquery or range selector", LENGTHS)),
        Some(b'[') if previous.kind == Kind::Number => {
            return Some(("subquery or range", "\":\" or \"]\""));
        }
        Some(b'[') => return None,
        _ => {}
    }
    if inside.is_some_and(|open| open.labels_of.is_some()) {
        let wanted = if opens { "label" } else { "\",\" or \")\"" };
        return Some(("grouping opts", wanted));
    }
    let follows_operand = around.second.is_some_and(|token| token.ends_operand());
    let takes_labels = is_grouping_word(previous.text) && around.second.is_some();
    match previous {
        token if token.text == "@" => Some(("@", "timestamp")),
        _ if around.second.is_some_and(|second| second.text == "@") => {
            is_boundary(previous.text).then_some(("@", "timestamp"))
        }
        token if token.text == ")" && around.closed.is_some_and(|closed| closed.of_aggregation) => {
            Some(("aggregation", ""))
        }
        token if token.is_word("offset") && follows_operand => Some(("offset", LENGTHS)),
        token if token.kind == Kind::Word && takes_labels => Some(("grouping opts", "\"(\"")),
        _ => None,
    }
}

/// What Prometheus's lexer refuses by itself, with the length to mark.
fn lexical(token: &Token<'_>, text: &str, around: &Surroundings<'_>) -> Option<(String, usize)> {
    let first = token.text.chars().next()?;
    let second = text.get(token.start + first.len_utf8()..)?.chars().next();
    let after = second.map_or("end of input".to_owned(), shown);
    let inside = around.innermost().map(|open| open.bracket);
    let opens = around
        .previous
        .is_some_and(|token| matches!(token.text, "[" | ","));
    let message = match (inside, first) {
        (Some(b'{'), '{') => "unexpected left brace '{'".to_owned(),
        (Some(b'{'), '!') if !matches!(second, Some('=' | '~')) => {
            format!("unexpected character after '!' inside braces: {after}")
        }
        (Some(b'{'), 'a'..='z' | 'A'..='Z' | '_' | '"' | '\'' | '`' | '=' | '!' | ',' | '}') => {
            return None;
        }
        (Some(b'{'), c) => format!("unexpected character inside braces: {}", shown(c)),
        (Some(b'['), ':') if opens => {
            "unexpected colon before duration in duration expression".to_owned()
        }
        (Some(b'['), ':') => "unexpected colon ':'".to_owned(),
        (Some(b'['), ']') => return None,
        (Some(b'['), c) if opens && token.kind != Kind::Number => {
            format!("unexpected character in duration expression: {}", shown(c))
        }
        (Some(b'['), c) if token.kind == Kind::Word => {
            format!("unexpected character: {}, expected ':'", shown(c))
        }
        (_, '!') if second != Some('=') => format!("unexpected character after '!': {after}"),
        (_, '=') if second == Some('~') => "unexpected character after '=': '~'".to_owned(),
        (None, ')') => "unexpected right parenthesis ')'".to_owned(),
        (Some(b'('), ']') | (None, ']') => "unexpected right bracket ']'".to_owned(),
        (_, c) if is_lexable(c) => return None,
        (_, c) => format!("unexpected character: {}", shown(c)),
    };
    let length = match message.contains(" after ") {
        true => first.len_utf8() + second.map_or(0, char::len_utf8),
        false => first.len_utf8(),
    };
    Some((message, length))
}

/// Whether Prometheus's lexer knows a character outside braces.
fn is_lexable(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_:,*/%+-^=!<>\"'`(){[]@".contains(c)
}

/// A token as Prometheus names it.
fn described(token: &Token<'_>, text: &str, around: &Surroundings<'_>) -> String {
    let word = token.text;
    let in_braces = around.innermost().is_some_and(|open| open.bracket == b'{');
    match token.kind {
        Kind::Number if looks_like_duration(word) => format!("duration {}", shortened(word)),
        Kind::Number => format!("number {}", shortened(word)),
        Kind::String | Kind::Unterminated => format!("string {}", shortened(word)),
        Kind::Symbol if matches!(word, "(" | ")" | "{" | "}" | "[" | "]" | "," | "=" | ":") => {
            format!("\"{word}\"")
        }
        Kind::Symbol if in_braces => format!("\"{word}\""),
        Kind::Symbol => format!("<op:{word}>"),
        Kind::Word if in_braces || is_plain_fill(token, text) => {
            format!("identifier {}", quote(word))
        }
        Kind::Word if is_operator_word(word) => format!("<op:{word}>"),
        Kind::Word if is_number_word(word) => format!("number {}", quote(word)),
        Kind::Word if is_aggregation(word) => format!("<aggr:{word}>"),
        Kind::Word if is_reserved(word) || is_keyword(word) => format!("<{word}>"),
        Kind::Word if is_boundary(word) => quote(word),
        Kind::Word if word.contains(':') => format!("metric identifier {}", quote(word)),
        Kind::Word => format!("identifier {}", quote(word)),
    }
}

fn is_boundary(word: &str) -> bool {
    const WORDS: [&str; 6] = ["start", "end", "step", "range", "min_of", "max_of"];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// `fill` and its like are keywords only before a bracket.
fn is_plain_fill(token: &Token<'_>, text: &str) -> bool {
    const WORDS: [&str; 3] = ["fill", "fill_left", "fill_right"];
    let follows = Token::at(text, token.end()).is_some_and(|next| next.text == "(");
    WORDS.iter().any(|word| token.is_word(word)) && !follows
}

/// Whether a word names an aggregation.
pub(super) fn is_aggregation(word: &str) -> bool {
    aggregations::lookup(&word.to_ascii_lowercase()).is_some()
}

/// A text in quotes, cut behind ten characters.
fn shortened(text: &str) -> String {
    match text.len() > 10 {
        true => quote(&text.chars().take(10).collect::<String>()) + "...",
        false => quote(text),
    }
}

fn shown(c: char) -> String {
    match c.is_control() {
        true => unicode(c),
        false if c == '\\' => "'\\\\'".to_owned(),
        false => format!("'{c}'"),
    }
}

fn error(message: &str, span: Span, help: &str) -> QueryError {
    QueryError {
        message: message.to_owned(),
        span,
        help: (!help.is_empty()).then(|| help.to_owned()),
    }
}
