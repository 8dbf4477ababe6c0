//! Says what is wrong with a text that the grammar refuses.

use std::cell::RefCell;

use crate::promql::functions;
use crate::promql::query::QueryError;
use crate::text::Span;

use super::MAX_DEPTH;
use super::literal::unicode;

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
const KEYWORDS: [&str; 13] = [
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
    "inf",
    "nan",
];

/// Refuses brackets nested beyond [`MAX_DEPTH`], before anything recurses into them.
pub(super) fn check_depth(text: &str) -> Result<(), QueryError> {
    let mut depth = 0usize;
    for (at, token) in Brackets::new(text) {
        match token {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
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
    let is_keyword = KEYWORDS.iter().any(|word| name.eq_ignore_ascii_case(word));
    is_keyword || is_reserved(name) || name.contains(':')
}

/// Records the token at a place as unexpected.
pub(super) fn unexpected(text: &str, at: usize, errors: &RefCell<Vec<QueryError>>) {
    errors.borrow_mut().push(explain(text, at));
}

/// What to write instead of an unknown function.
pub(super) fn suggest_function(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let names = functions::functions().map(|row| row.name);
    let aggregations = super::super::aggregations::AGGREGATIONS
        .iter()
        .map(|row| row.name);
    match nearest(&lower, names.chain(aggregations)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "see the list of functions in Prometheus's documentation".to_owned(),
    }
}

/// What to write instead of a bad number.
pub(super) fn number_help(text: &str) -> String {
    match text.ends_with(|c: char| c.is_ascii_alphabetic()) {
        true => "write a number such as `1.5`, or a duration such as `1h30m`".to_owned(),
        false => "write a number such as `1.5`, `1e3` or `0x1F`".to_owned(),
    }
}

/// Why the grammar stopped at a place.
pub(super) fn explain(text: &str, at: usize) -> QueryError {
    let at = at + blank(text.get(at..).unwrap_or_default());
    let rest = text.get(at..).unwrap_or_default();
    if at == text.len() && blank(text) == text.len() {
        let help = "write a query such as `up == 0`";
        return error(
            "no expression found in input",
            Span::new(0, text.len()),
            help,
        );
    }
    let brackets = Open::until(text, at);
    if let Some(start) = brackets.unterminated {
        let message = match rest.starts_with('`') {
            true => "unterminated raw string",
            false => "unterminated quoted string",
        };
        let end = start
            + text
                .get(start..)
                .map_or(0, |s| s.lines().next().unwrap_or("").len());
        return error(
            message,
            Span::new(start, end),
            "close the string with the quote it began with",
        );
    }
    let Some(next) = rest.chars().next() else {
        return end_of_input(text, &brackets);
    };
    let (token, length) = token(rest, next);
    let span = Span::new(at, at + length);
    let help = help(text, at, rest.get(..length).unwrap_or_default(), &brackets);
    error(&format!("unexpected {token}"), span, &help)
}

fn end_of_input(text: &str, brackets: &Open) -> QueryError {
    let Some(&(start, bracket)) = brackets.open.last() else {
        let end = text.trim_end().len();
        let help = "something is missing behind this";
        return error("unexpected end of input", Span::new(end, end), help);
    };
    let (message, closer) = match bracket {
        b'(' => ("unclosed left parenthesis", ')'),
        b'[' => ("unclosed left bracket", ']'),
        _ => ("unexpected end of input inside braces", '}'),
    };
    let help = format!("close it with `{closer}`");
    error(message, Span::new(start, start + 1), &help)
}

/// A token as Prometheus names it, with its length.
fn token(rest: &str, first: char) -> (String, usize) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    if is_word(first) {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        return (word_token(word), length);
    }
    if matches!(first, '"' | '\'' | '`') {
        let length = string_length(rest.as_bytes()).unwrap_or(rest.len());
        let string = rest.get(..length).unwrap_or_default();
        return (
            format!("string {}", crate::model::number::quote(string)),
            length,
        );
    }
    for symbol in [
        "==", "!=", "<=", ">=", "</", ">/", "=~", "!~", "+", "-", "*", "/", "%", "^", "<", ">",
    ] {
        if rest.starts_with(symbol) {
            return (format!("<op:{symbol}>"), symbol.len());
        }
    }
    let text = match first {
        '(' | '{' | '}' | '[' | ',' | '=' | '@' => format!("\"{first}\""),
        ')' => "right parenthesis ')'".to_owned(),
        ']' => "right bracket ']'".to_owned(),
        c if c.is_control() => format!("character: {}", unicode(c)),
        c => format!("character: '{c}'"),
    };
    (text, first.len_utf8())
}

fn word_token(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let first = word.chars().next().unwrap_or('_');
    match lower.as_str() {
        "and" | "or" | "unless" | "atan2" => format!("<op:{word}>"),
        "inf" | "nan" => format!("number {word:?}"),
        _ if first.is_ascii_digit() => format!("number {word:?}"),
        _ if super::super::aggregations::lookup(&lower).is_some() => format!("<aggr:{word}>"),
        _ if is_reserved(&lower) || KEYWORDS.contains(&lower.as_str()) => format!("<{word}>"),
        _ if word.contains(':') => format!("metric identifier {word:?}"),
        _ => format!("identifier {word:?}"),
    }
}

/// What to do about an unexpected token.
fn help(text: &str, at: usize, token: &str, brackets: &Open) -> String {
    let before = text.get(..at).unwrap_or_default().trim_end();
    let after = text.get(at..).unwrap_or_default();
    if after.starts_with("&&") {
        return "write `and`".to_owned();
    }
    if after.starts_with("||") {
        return "write `or`".to_owned();
    }
    let inside = brackets.open.last().map(|&(_, bracket)| bracket);
    match (token, inside) {
        (")" | "]" | "}", Some(bracket)) => {
            return format!("the bracket `{}` is still open", bracket as char);
        }
        (")" | "]" | "}", None) => return "remove it, or open the bracket it closes".to_owned(),
        ("=", None | Some(b'(')) => return "compare with `==`".to_owned(),
        (_, Some(b'{')) => {
            return "write label matchers such as `{job=\"api\", code!~\"5..\"}`".to_owned();
        }
        (_, Some(b'[')) => return "write a length of time such as `[5m]`".to_owned(),
        _ => {}
    }
    const WORDS: [&str; 14] = [
        "and",
        "or",
        "unless",
        "offset",
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "bool",
        "atan2",
        "anchored",
        "smoothed",
    ];
    let last = before.chars().next_back();
    let follows_operand = last.is_some_and(|c| c.is_alphanumeric() || "_:)]}\"'`".contains(c));
    let lower = token.to_ascii_lowercase();
    match nearest(&lower, WORDS.into_iter()) {
        Some(near) if near != lower && follows_operand => format!("did you mean `{near}`?"),
        _ if follows_operand => "write an operator between two expressions".to_owned(),
        _ => "an expression was expected here".to_owned(),
    }
}

/// The nearest of some words, if it is near.
pub(super) fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let limit = 1 + word.len() / 5;
    let distances = words.map(|candidate| (distance(word, candidate), candidate));
    let (least, candidate) = distances.min()?;
    (least <= limit).then_some(candidate)
}

/// How many letters must be typed, removed, changed or swapped with the next.
fn distance(a: &str, b: &str) -> usize {
    const LONGEST: usize = 64;
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() > LONGEST || b.len() > LONGEST {
        return usize::MAX;
    }
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let same = usize::from(a[i - 1] != b[j - 1]);
                let mut least = (rows[i - 1][j] + 1)
                    .min(rows[i][j - 1] + 1)
                    .min(rows[i - 1][j - 1] + same);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[a.len()][b.len()]
}

/// How many bytes of white space and comments a text starts with.
fn blank(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        if !rest.starts_with('#') {
            return text.len() - rest.len();
        }
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        rest = rest.get(end..).unwrap_or_default();
    }
}

/// The brackets that are open at a place.
struct Open {
    open: Vec<(usize, u8)>,
    /// A string that starts at or before the place and never ends.
    unterminated: Option<usize>,
}

impl Open {
    fn until(text: &str, at: usize) -> Open {
        let mut open: Vec<(usize, u8)> = Vec::new();
        let mut unterminated = None;
        for (start, token) in Brackets::new(text) {
            match token {
                b'"' | b'\'' | b'`' if start <= at => unterminated = Some(start),
                _ if start >= at => break,
                b'(' | b'[' | b'{' => open.push((start, token)),
                _ => {
                    open.pop();
                }
            }
        }
        Open { open, unterminated }
    }
}

/// The brackets of a text outside strings and comments; a string that does not end yields its quote.
struct Brackets<'i> {
    text: &'i [u8],
    at: usize,
}

impl<'i> Brackets<'i> {
    fn new(text: &'i str) -> Brackets<'i> {
        Brackets {
            text: text.as_bytes(),
            at: 0,
        }
    }
}

impl Iterator for Brackets<'_> {
    type Item = (usize, u8);

    fn next(&mut self) -> Option<(usize, u8)> {
        while let Some(&byte) = self.text.get(self.at) {
            let start = self.at;
            self.at += 1;
            match byte {
                b'(' | b')' | b'[' | b']' | b'{' | b'}' => return Some((start, byte)),
                b'#' => {
                    let rest = self.text.get(self.at..).unwrap_or_default();
                    let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r'));
                    self.at += end.unwrap_or(rest.len());
                }
                b'"' | b'\'' | b'`' => {
                    let rest = self.text.get(start..).unwrap_or_default();
                    match string_length(rest) {
                        Some(length) => self.at = start + length,
                        None => {
                            self.at = self.text.len();
                            return Some((start, byte));
                        }
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// The length of the string literal at the start of a text, if it ends.
fn string_length(text: &[u8]) -> Option<usize> {
    let (&quote, rest) = text.split_first()?;
    let mut escaped = false;
    for (index, &byte) in rest.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quote != b'`' => escaped = true,
            b'\n' if quote != b'`' => return None,
            _ if byte == quote => return Some(index + 2),
            _ => {}
        }
    }
    None
}

fn error(message: &str, span: Span, help: &str) -> QueryError {
    QueryError {
        message: message.to_owned(),
        span,
        help: Some(help.to_owned()),
    }
}
