//! A rough lexer: brackets for the depth check, tokens and their surroundings for messages.

use super::syntax::{is_aggregation, is_grouping_word, is_operator_word};

/// A piece of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'i> {
    pub(super) kind: Kind,
    /// The byte it starts at.
    pub(super) start: usize,
    pub(super) text: &'i str,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, a keyword.
    Word,
    /// What starts with a digit.
    Number,
    /// With its quotes.
    String,
    /// A string that does not end, up to the end of its line.
    Unterminated,
    /// A bracket, an operator, any other character.
    Symbol,
}

/// Symbols of two characters.
const PAIRS: [&str; 10] = ["==", "!=", "<=", ">=", "</", ">/", "=~", "!~", "&&", "||"];

impl<'i> Token<'i> {
    /// The first token at or behind a place.
    pub(super) fn at(text: &'i str, from: usize) -> Option<Token<'i>> {
        let start = from + blank(text.get(from..)?);
        let rest = text.get(start..)?;
        let mut chars = rest.chars();
        let (first, second) = (chars.next()?, chars.next());
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let (kind, length) = match first {
            '0'..='9' => (
                Kind::Number,
                rest.find(|c| c == ':' || !(is_word(c) || c == '.')),
            ),
            ':' if !second.is_some_and(|c| c.is_ascii_alphabetic() || c == '_') => {
                (Kind::Symbol, Some(1))
            }
            c if is_word(c) => (Kind::Word, rest.find(|c| !is_word(c))),
            '"' | '\'' | '`' => match string_length(rest.as_bytes()) {
                Some(length) => (Kind::String, Some(length)),
                None => (Kind::Unterminated, rest.find('\n')),
            },
            c => {
                let pair = PAIRS.iter().find(|pair| rest.starts_with(**pair));
                (Kind::Symbol, Some(pair.map_or(c.len_utf8(), |p| p.len())))
            }
        };
        let text = rest.get(..length.unwrap_or(rest.len()))?;
        Some(Token { kind, start, text })
    }

    /// Where it ends.
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is a word, in any case.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether an operand may end with it.
    pub(super) fn ends_operand(&self) -> bool {
        match self.kind {
            Kind::Symbol => matches!(self.text, ")" | "]" | "}"),
            Kind::Word => !is_operator_word(self.text) && !is_grouping_word(self.text),
            Kind::Number | Kind::String => true,
            Kind::Unterminated => false,
        }
    }

    /// Whether it stands between two operands.
    fn is_operator(&self) -> bool {
        match self.kind {
            Kind::Symbol => matches!(
                self.text,
                "==" | "!="
                    | "<="
                    | ">="
                    | "<"
                    | ">"
                    | "</"
                    | ">/"
                    | "+"
                    | "-"
                    | "*"
                    | "/"
                    | "%"
                    | "^"
            ),
            Kind::Word => is_operator_word(self.text),
            _ => false,
        }
    }
}

/// What stands before a place.
#[derive(Debug, Default)]
pub(super) struct Surroundings<'i> {
    /// The brackets that are open, outermost first.
    pub(super) open: Vec<Opened<'i>>,
    /// The token before the place.
    pub(super) previous: Option<Token<'i>>,
    /// The token before that.
    pub(super) second: Option<Token<'i>>,
    /// The first modifier that stands where none can.
    pub(super) misplaced: Option<Token<'i>>,
    /// The bracket that was closed last.
    pub(super) closed: Option<Opened<'i>>,
}

/// An open bracket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opened<'i> {
    pub(super) start: usize,
    pub(super) bracket: u8,
    /// The word before it, if it opens a list of labels.
    pub(super) labels_of: Option<&'i str>,
    /// Whether these are the labels of an aggregation that is still to come.
    pub(super) of_aggregation: bool,
}

impl<'i> Surroundings<'i> {
    /// Reads a text up to a place.
    pub(super) fn until(text: &'i str, at: usize) -> Surroundings<'i> {
        let mut around = Surroundings::default();
        let mut from = 0;
        while let Some(token) = Token::at(text, from).filter(|token| token.start < at) {
            around.pass(token);
            from = token.end();
        }
        around
    }

    /// The bracket that the place is directly in.
    pub(super) fn innermost(&self) -> Option<Opened<'i>> {
        self.open.last().copied()
    }

    fn pass(&mut self, token: Token<'i>) {
        if token.kind == Kind::Symbol {
            match token.text {
                "(" | "[" | "{" => {
                    let before = self.previous.filter(|t| t.kind == Kind::Word);
                    let word = before.map(|t| t.text).filter(|word| is_grouping_word(word));
                    self.open.push(Opened {
                        start: token.start,
                        bracket: token.text.as_bytes()[0],
                        labels_of: word.filter(|_| token.text == "("),
                        of_aggregation: self.second.is_some_and(|t| is_aggregation(t.text)),
                    });
                }
                ")" | "]" | "}" => {
                    self.closed = self.open.pop();
                }
                _ => {}
            }
        } else if self.misplaced.is_none() && self.is_misplaced(&token) {
            self.misplaced = Some(token);
        }
        self.second = self.previous.replace(token);
    }

    /// Whether a word that is only a modifier stands where no modifier can.
    pub(super) fn is_misplaced(&self, token: &Token<'i>) -> bool {
        let among_labels = self
            .innermost()
            .is_some_and(|open| open.bracket == b'{' || open.labels_of.is_some());
        if token.kind != Kind::Word || among_labels {
            return false;
        }
        let is = |word: &str| token.is_word(word);
        let after_operator = self.previous.is_some_and(|t| t.is_operator());
        let after_bool = self.previous.is_some_and(|t| t.is_word("bool"));
        let after_bracket = self.previous.is_some_and(|t| t.text == ")");
        if is("bool") {
            !after_operator
        } else if is("on") || is("ignoring") {
            !after_operator && !after_bool
        } else if is("group_left") || is("group_right") {
            !after_bracket
        } else {
            false
        }
    }
}

/// The brackets of a text outside strings and comments.
pub(super) struct Brackets<'i> {
    text: &'i [u8],
    at: usize,
}

impl<'i> Brackets<'i> {
    pub(super) fn new(text: &'i str) -> Brackets<'i> {
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
                b'(' | b')' => return Some((start, byte)),
                b'#' => {
                    let rest = self.text.get(self.at..).unwrap_or_default();
                    let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r'));
                    self.at += end.unwrap_or(rest.len());
                }
                b'"' | b'\'' | b'`' => {
                    let rest = self.text.get(start..).unwrap_or_default();
                    // Nothing is read behind a string that does not end.
                    self.at = start + string_length(rest).unwrap_or(rest.len());
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
            b'\n' if quote != b'`' => return None,
            _ if escaped => escaped = false,
            b'\\' if quote != b'`' => escaped = true,
            _ if byte == quote => return Some(index + 2),
            _ => {}
        }
    }
    None
}

/// How many bytes of white space and comments a text starts with.
pub(super) fn blank(text: &str) -> usize {
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
