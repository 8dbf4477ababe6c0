//! From text to tokens: indentation becomes starts and ends of blocks, and a key is known as one when
//! its `:` comes.
//!
//! The rules are those of libyaml, which Go's libraries follow, rather than those of YAML 1.2: quoted
//! texts may go on at any indentation, a comment needs no blank before it, `?` ends a plain text inside
//! brackets.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::Style;
use crate::text::Span;

/// A piece of the text with a meaning.
#[derive(Debug)]
pub(super) struct Token<'s> {
    pub kind: TokenKind<'s>,
    pub span: Span,
}

#[derive(Debug)]
pub(super) enum TokenKind<'s> {
    StreamEnd,
    Directive(Directive<'s>),
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'s str),
    Anchor(&'s str),
    Tag(TagToken<'s>),
    Scalar(ScalarToken<'s>),
}

/// A line that begins with `%`.
#[derive(Debug)]
pub(super) enum Directive<'s> {
    /// `%YAML 1.1`
    Version(&'s str),
    /// `%TAG !e! tag:example.com,2026:`
    Tag { handle: &'s str, prefix: &'s str },
}

/// `!!str` has the handle `!!` and the suffix `str`; the handle of `!<…>` is empty.
#[derive(Debug)]
pub(super) struct TagToken<'s> {
    pub handle: &'s str,
    pub suffix: &'s str,
}

#[derive(Debug)]
pub(super) struct ScalarToken<'s> {
    pub text: Cow<'s, str>,
    pub style: Style,
    /// With quotes, but without a block's `|` line.
    pub content: Span,
}

/// Where and why a text is no YAML, and what to do.
#[derive(Debug)]
pub(super) struct ScanError {
    pub message: Cow<'static, str>,
    pub help: &'static str,
    pub span: Span,
}

pub(super) type Scanned<T> = Result<T, ScanError>;

/// Yields the tokens of a text.
#[derive(Debug)]
pub(super) struct Scanner<'s> {
    pub text: &'s str,
    pub bytes: &'s [u8],
    pub pos: usize,
    pub line: usize,
    pub line_start: usize,
    pub flow_level: usize,
    /// The column of the innermost block, -1 outside of all.
    pub indent: isize,
    pub indents: Vec<isize>,
    pub key_allowed: bool,
    /// For each level of brackets the place where a key may have begun.
    pub keys: Vec<Option<PossibleKey>>,
    pub queue: VecDeque<Token<'s>>,
    /// How many tokens have left the queue.
    pub taken: usize,
    /// Whether the head of the queue is the next token for sure: nothing that comes later goes before it.
    is_sure: bool,
    pub ended: bool,
}

/// A place where a key may have begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct PossibleKey {
    /// Nothing but a key can stand here.
    pub required: bool,
    /// The number of its first token.
    pub token: usize,
    pub pos: usize,
    pub line: usize,
    pub column: isize,
}

impl<'s> Scanner<'s> {
    pub fn new(text: &'s str) -> Scanner<'s> {
        let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Scanner {
            text,
            bytes: text.as_bytes(),
            pos: start,
            line: 0,
            line_start: start,
            flow_level: 0,
            indent: -1,
            indents: Vec::new(),
            key_allowed: true,
            keys: vec![None],
            queue: VecDeque::new(),
            taken: 0,
            is_sure: false,
            ended: false,
        }
    }

    /// The next token, left in its place.
    pub fn peek(&mut self) -> Scanned<&Token<'s>> {
        if !self.is_sure {
            while !self.ended && (self.queue.is_empty() || self.head_may_be_key()?) {
                self.fetch()?;
            }
            self.is_sure = true;
        }
        let pos = self.pos;
        let end = || ScanError {
            message: "the text ends too early".into(),
            help: "complete it",
            span: Span::new(pos, pos),
        };
        self.queue.front().ok_or_else(end)
    }

    /// Takes the token that [`Scanner::peek`] showed.
    pub fn take(&mut self) -> Option<Token<'s>> {
        self.taken += 1;
        self.is_sure = false;
        self.queue.pop_front()
    }

    /// The byte at a distance from here, 0 past the end.
    pub fn at(&self, distance: usize) -> u8 {
        self.bytes.get(self.pos + distance).copied().unwrap_or(0)
    }

    pub fn column(&self) -> isize {
        (self.pos - self.line_start) as isize
    }

    pub fn is_end(&self) -> bool {
        self.pos >= self.bytes.len()
    }

    /// How long the line break at a distance is; 0 where there is none.
    pub fn break_length(&self, distance: usize) -> usize {
        match self.at(distance) {
            b'\n' => 1,
            b'\r' if self.at(distance + 1) == b'\n' => 2,
            b'\r' => 1,
            0xC2 if self.at(distance + 1) == 0x85 => 2,
            0xE2 if self.at(distance + 1) == 0x80
                && matches!(self.at(distance + 2), 0xA8 | 0xA9) =>
            {
                3
            }
            _ => 0,
        }
    }

    /// Whether a blank, a line break or the end is at a distance.
    pub fn is_blank_or_end(&self, distance: usize) -> bool {
        match self.at(distance) {
            b' ' | b'\t' => true,
            0 => self.pos + distance >= self.bytes.len(),
            _ => self.break_length(distance) > 0,
        }
    }

    pub fn is_blank(&self, distance: usize) -> bool {
        matches!(self.at(distance), b' ' | b'\t')
    }

    /// Steps over a line break and gives what it stands for in a text.
    pub fn skip_break(&mut self) -> &'static str {
        let made = match (self.at(0), self.at(2)) {
            (0xE2, 0xA8) => "\u{2028}",
            (0xE2, _) => "\u{2029}",
            _ => "\n",
        };
        self.pos += self.break_length(0);
        self.line += 1;
        self.line_start = self.pos;
        made
    }

    /// Whether `---` or `...` begins the line here.
    pub fn is_document_indicator(&self) -> bool {
        self.column() == 0
            && (self.rest().starts_with(b"---") || self.rest().starts_with(b"..."))
            && self.is_blank_or_end(3)
    }

    fn rest(&self) -> &'s [u8] {
        self.bytes.get(self.pos..).unwrap_or_default()
    }

    pub fn error(&self, start: usize, message: &'static str, help: &'static str) -> ScanError {
        ScanError {
            message: message.into(),
            help,
            span: Span::new(start, self.pos.max(start)),
        }
    }

    /// Steps over bytes that are letters in every scalar, and looks at none of the others.
    pub fn skip_letters(&mut self) {
        let rest = self.rest();
        let is_letter = |byte: &u8| LETTERS.get(usize::from(*byte)) == Some(&true);
        self.pos += rest
            .iter()
            .position(|byte| !is_letter(byte))
            .unwrap_or(rest.len());
    }

    /// Steps over the rest of the line.
    pub fn skip_line(&mut self) {
        while !self.is_end() && self.break_length(0) == 0 {
            let rest = self.rest();
            let may_break = |byte: &u8| matches!(byte, b'\n' | b'\r' | 0xC2 | 0xE2);
            let next = rest.iter().skip(1).position(may_break);
            self.pos += next.map_or(rest.len(), |next| next + 1);
        }
    }

    /// Steps over blanks, comments and line breaks.
    pub fn skip_to_token(&mut self) -> Scanned<()> {
        loop {
            if self.column() == 0 && self.rest().starts_with("\u{feff}".as_bytes()) {
                self.pos += 3;
            }
            let tabs = self.flow_level > 0 || !self.key_allowed;
            while self.at(0) == b' ' || (tabs && self.at(0) == b'\t') {
                self.pos += 1;
            }
            if self.at(0) == b'#' {
                self.skip_line();
            }
            if self.break_length(0) == 0 {
                return Ok(());
            }
            self.skip_break();
            if self.flow_level == 0 {
                self.key_allowed = true;
            }
        }
    }

    pub fn push(&mut self, kind: TokenKind<'s>, width: usize) {
        let span = Span::new(self.pos, self.pos + width);
        self.pos += width;
        self.queue.push_back(Token { kind, span });
    }

    pub fn push_token(&mut self, kind: TokenKind<'s>, start: usize) {
        let span = Span::new(start, self.pos);
        self.queue.push_back(Token { kind, span });
    }

    pub fn insert(&mut self, number: usize, token: Token<'s>) {
        let index = number.saturating_sub(self.taken).min(self.queue.len());
        self.queue.insert(index, token);
    }

    /// Whether the first token of the queue may turn out to begin a key.
    pub fn head_may_be_key(&mut self) -> Scanned<bool> {
        // What was noted in outer brackets was noted earlier.
        let mut noted = self.keys.iter().enumerate();
        let first = noted.find_map(|(level, key)| Some((level, key.as_ref()?)));
        let Some((level, key)) = first.filter(|(_, key)| key.token == self.taken) else {
            return Ok(false);
        };
        let is_current = self.is_current(key)?;
        if !is_current && let Some(slot) = self.keys.get_mut(level) {
            *slot = None;
        }
        Ok(is_current)
    }

    /// A key stands in one line and is at most 1024 characters long.
    fn is_current(&self, key: &PossibleKey) -> Scanned<bool> {
        let far = self.pos - key.pos > 1024
            && self
                .text
                .get(key.pos..self.pos)
                .is_none_or(|text| text.chars().count() > 1024);
        if key.line == self.line && !far {
            return Ok(true);
        }
        match key.required {
            true => Err(self.missing_colon(key)),
            false => Ok(false),
        }
    }

    fn missing_colon(&self, key: &PossibleKey) -> ScanError {
        let line = self
            .text
            .get(key.pos..)
            .and_then(|rest| rest.lines().next());
        let end = key.pos + line.map_or(0, |line| line.trim_end().len());
        ScanError {
            message: "could not find expected ':'".into(),
            help: "a line at this indentation needs `name: value`; indent a text that goes on",
            span: Span::new(key.pos, end),
        }
    }

    /// The key that may have begun at this level of brackets, if it still can be one.
    pub fn valid_key(&mut self) -> Scanned<Option<PossibleKey>> {
        match self.keys.last().copied().flatten() {
            Some(key) if self.is_current(&key)? => Ok(Some(key)),
            Some(_) => {
                self.set_key(None);
                Ok(None)
            }
            None => Ok(None),
        }
    }

    pub fn set_key(&mut self, key: Option<PossibleKey>) {
        if let Some(slot) = self.keys.last_mut() {
            *slot = key;
        }
    }

    /// Notes that a key may begin here.
    pub fn save_key(&mut self) -> Scanned<()> {
        if !self.key_allowed {
            return Ok(());
        }
        self.remove_key()?;
        self.set_key(Some(PossibleKey {
            required: self.flow_level == 0 && self.indent == self.column(),
            token: self.taken + self.queue.len(),
            pos: self.pos,
            line: self.line,
            column: self.column(),
        }));
        Ok(())
    }

    /// What was noted turned out to be no key.
    pub fn remove_key(&mut self) -> Scanned<()> {
        match self.keys.last().copied().flatten() {
            Some(key) if key.required => Err(self.missing_colon(&key)),
            _ => {
                self.set_key(None);
                Ok(())
            }
        }
    }
}

/// Bytes that neither end a scalar, nor begin a line break or an escape.
static LETTERS: [bool; 256] = letters();

const fn letters() -> [bool; 256] {
    let mut letters = [true; 256];
    let others = b" \t\n\r\0:,?[]{}'\"\\\xC2\xE2";
    let mut index = 0;
    while index < others.len() {
        letters[others[index] as usize] = false;
        index += 1;
    }
    letters
}
