//! Cuts a template into words: the only file that knows the grammar's rules.

use pest::Parser;
use pest::iterators::Pair;

use super::runes;

#[derive(pest_derive::Parser)]
#[grammar = "grammar/template.pest"]
struct Grammar;

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What stands outside of actions, trimmed as its neighbours ask.
    Text,
    Open,
    Close,
    Space,
    Declare,
    Assign,
    Pipe,
    LeftParenthesis,
    RightParenthesis,
    Quoted,
    RawQuoted,
    Character,
    Variable,
    Field,
    Identifier,
    Bool,
    Number,
    Complex,
    /// A printable character without a meaning of its own.
    Other,
    // The keywords; Go counts the dot among them.
    Dot,
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
    /// Nothing is left.
    EndOfText,
    /// No word; its text says why.
    Bad,
}

/// A word and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Word<'t> {
    pub(super) kind: Kind,
    pub(super) offset: usize,
    pub(super) line: usize,
    pub(super) text: &'t str,
    /// Why it is no word; empty for all but [`Kind::Bad`].
    pub(super) complaint: String,
}

/// The words of a text, up to and with the first that is bad; the last one is never anything but
/// [`Kind::EndOfText`] or [`Kind::Bad`].
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let mut cutter = Cutter::new(text);
    match Grammar::parse(Rule::template, text) {
        Ok(mut pairs) => {
            let parts: Vec<Pair<'_, Rule>> = pairs
                .next()
                .map(|pair| pair.into_inner().collect())
                .unwrap_or_default();
            cutter.parts(&parts);
        }
        // The grammar takes every text: only a limit of the parser itself leads here.
        Err(error) => {
            cutter.bad(0, error.variant.message().into_owned());
        }
    }
    cutter.words
}

struct Cutter<'t> {
    text: &'t str,
    words: Vec<Word<'t>>,
    line: usize,
    /// How far lines were counted.
    counted: usize,
    open_parentheses: usize,
}

impl<'t> Cutter<'t> {
    fn new(text: &'t str) -> Cutter<'t> {
        Cutter {
            text,
            words: Vec::new(),
            line: 1,
            counted: 0,
            open_parentheses: 0,
        }
    }

    fn parts(&mut self, parts: &[Pair<'t, Rule>]) {
        for (index, part) in parts.iter().enumerate() {
            let goes_on = match part.as_rule() {
                Rule::text => {
                    let before = index.checked_sub(1).and_then(|before| parts.get(before));
                    self.outside(part, before, parts.get(index + 1));
                    true
                }
                Rule::action => self.action(part.clone()),
                Rule::bad_comment => self.bad_comment(part.clone()),
                Rule::EOI => {
                    self.push(Kind::EndOfText, self.text.len(), "");
                    false
                }
                _ => true,
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Text between actions, without the space that trim markers beside it take away.
    fn outside(
        &mut self,
        part: &Pair<'t, Rule>,
        before: Option<&Pair<'t, Rule>>,
        after: Option<&Pair<'t, Rule>>,
    ) {
        let mut offset = part.as_span().start();
        let mut text = part.as_str();
        if before.is_some_and(|before| ends_trimming(before.as_str())) {
            let trimmed = text.trim_start_matches(BLANKS);
            offset += text.len() - trimmed.len();
            text = trimmed;
        }
        if after.is_some_and(|after| starts_trimming(after.as_str())) {
            text = text.trim_end_matches(BLANKS);
        }
        if !text.is_empty() {
            self.push(Kind::Text, offset, text);
        }
    }

    fn action(&mut self, action: Pair<'t, Rule>) -> bool {
        self.open_parentheses = 0;
        let end = action.as_span().end();
        let mut closed = false;
        for word in action.into_inner() {
            closed = word.as_rule() == Rule::close;
            if !self.word(word) {
                return false;
            }
        }
        if !closed {
            self.bad(end, "unclosed action".to_owned());
        }
        closed
    }

    /// Adds a word of an action; false if it is bad.
    fn word(&mut self, word: Pair<'t, Rule>) -> bool {
        let offset = word.as_span().start();
        let text = word.as_str();
        let kind = match word.as_rule() {
            Rule::open => return self.push(Kind::Open, offset, "{{"),
            Rule::close if self.open_parentheses > 0 => {
                return self.bad(offset, "unclosed left paren".to_owned());
            }
            Rule::close => return self.push(Kind::Close, offset + text.len() - 2, "}}"),
            Rule::left_parenthesis => {
                self.open_parentheses += 1;
                Kind::LeftParenthesis
            }
            Rule::right_parenthesis => match self.open_parentheses.checked_sub(1) {
                None => return self.bad(offset, "unexpected right paren".to_owned()),
                Some(open) => {
                    self.open_parentheses = open;
                    Kind::RightParenthesis
                }
            },
            Rule::space => Kind::Space,
            Rule::declare => Kind::Declare,
            Rule::assign => Kind::Assign,
            Rule::pipe => Kind::Pipe,
            Rule::string => Kind::Quoted,
            Rule::raw_string => Kind::RawQuoted,
            Rule::character => Kind::Character,
            Rule::variable => Kind::Variable,
            Rule::dot => Kind::Dot,
            Rule::field => Kind::Field,
            Rule::number => Kind::Number,
            Rule::complex => Kind::Complex,
            Rule::identifier => keyword(text),
            Rule::other => Kind::Other,
            _ => return self.bad(offset, complaint(word)),
        };
        self.push(kind, offset, text)
    }

    fn bad_comment(&mut self, part: Pair<'t, Rule>) -> bool {
        let offset = part.as_span().start() + part.as_str().find("/*").unwrap_or(0);
        let unclosed = part
            .into_inner()
            .any(|inner| inner.as_rule() == Rule::unclosed_comment);
        let complaint = match unclosed {
            true => "unclosed comment",
            false => "comment ends before closing delimiter",
        };
        self.bad(offset, complaint.to_owned())
    }

    fn push(&mut self, kind: Kind, offset: usize, text: &'t str) -> bool {
        let line = self.line_at(offset);
        self.words.push(Word {
            kind,
            offset,
            line,
            text,
            complaint: String::new(),
        });
        true
    }

    fn bad(&mut self, offset: usize, complaint: String) -> bool {
        let line = self.line_at(offset);
        self.words.push(Word {
            kind: Kind::Bad,
            offset,
            line,
            text: "",
            complaint,
        });
        false
    }

    /// The line of an offset; offsets come in rising order.
    fn line_at(&mut self, offset: usize) -> usize {
        if let Some(passed) = self.text.get(self.counted..offset) {
            self.line += passed.matches('\n').count();
            self.counted = offset;
        }
        self.line
    }
}

/// The space characters that trim markers take away.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

fn starts_trimming(part: &str) -> bool {
    part.strip_prefix("{{-")
        .is_some_and(|rest| rest.starts_with(BLANKS))
}

fn ends_trimming(part: &str) -> bool {
    part.strip_suffix("-}}")
        .is_some_and(|rest| rest.ends_with(BLANKS))
}

fn keyword(word: &str) -> Kind {
    match word {
        "block" => Kind::Block,
        "break" => Kind::Break,
        "continue" => Kind::Continue,
        "define" => Kind::Define,
        "else" => Kind::Else,
        "end" => Kind::End,
        "if" => Kind::If,
        "nil" => Kind::Nil,
        "range" => Kind::Range,
        "template" => Kind::Template,
        "with" => Kind::With,
        "true" | "false" => Kind::Bool,
        _ => Kind::Identifier,
    }
}

/// Why a text is no word, in Go's words.
fn complaint(word: Pair<'_, Rule>) -> String {
    let first = word.as_str().chars().next().unwrap_or('\0');
    match word.as_rule() {
        Rule::bad_declare => "expected :=".to_owned(),
        Rule::bad_string => "unterminated quoted string".to_owned(),
        Rule::bad_raw_string => "unterminated raw quoted string".to_owned(),
        Rule::bad_character => "unterminated character constant".to_owned(),
        Rule::bad_number => {
            let part = word.into_inner().next();
            let text = part.map(|part| part.as_str()).unwrap_or_default();
            format!("bad number syntax: {}", runes::quote(text.as_bytes()))
        }
        Rule::bad_variable | Rule::bad_field | Rule::bad_identifier => {
            let rest = word.into_inner().nth(1);
            let stranger = rest.and_then(|rest| rest.as_str().chars().next());
            let stranger = stranger.unwrap_or(first);
            format!("bad character {}", runes::describe(stranger))
        }
        _ => format!(
            "unrecognized character in action: {}",
            runes::describe(first)
        ),
    }
}
