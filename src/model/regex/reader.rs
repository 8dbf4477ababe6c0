//! Reads a pattern as Go's `regexp/syntax` does, with its flags, refusals and words.

use regex_syntax::hir::Look;

use super::RegexError;
use super::classes::{self, Class};
use super::tree::{Limit, Measured, Node};

/// What a pattern says.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Its tree.
    pub(super) tree: Measured,
    /// A name or none for each group, the whole match (group 0) included.
    pub(super) group_names: Vec<Option<String>>,
}

/// What `(?ismU)` turn on and off.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    /// `i`: letters match in any case.
    pub(super) fold: bool,
    /// `m`: `^` and `$` match at every line.
    pub(super) multi_line: bool,
    /// `s`: `.` matches a newline too.
    pub(super) dot_newline: bool,
    /// `U`: `*` is lazy and `*?` is greedy.
    pub(super) swap_greed: bool,
}

/// Groups inside groups, whether they capture or not. Go bounds only what shows in its tree.
const MAX_OPEN_GROUPS: usize = 1000;

/// Character ranges in the classes of one pattern (8 MiB of them).
const MAX_RANGES: usize = 1 << 20;

/// The largest count that `{n,m}` may name.
const MAX_COUNT: u32 = 1000;

/// Reads a pattern, starting with these flags.
pub(super) fn read(pattern: &str, flags: Flags) -> Result<Pattern, RegexError> {
    let mut reader = Reader {
        pattern,
        rest: pattern,
        flags,
        groups: vec![Group::default()],
        group_names: vec![None],
        ranges: 0,
    };
    reader.all()?;
    match reader.groups.pop() {
        Some(whole) if reader.groups.is_empty() => Ok(Pattern {
            tree: whole.close().map_err(|limit| reader.over(limit, pattern))?,
            group_names: reader.group_names,
        }),
        _ => Err(refusal("missing closing )", pattern)),
    }
}

/// A position in a pattern and what was read before it.
struct Reader<'p> {
    pattern: &'p str,
    /// What is still to be read.
    rest: &'p str,
    flags: Flags,
    /// Open groups, the whole pattern first.
    groups: Vec<Group>,
    group_names: Vec<Option<String>>,
    /// Ranges in classes so far.
    ranges: usize,
}

/// A group whose `)` is still to come.
#[derive(Default)]
struct Group {
    /// Its number, if it captures.
    index: Option<u32>,
    /// The flags that hold again behind it.
    outer: Flags,
    /// What stands before each `|` so far.
    alternatives: Vec<Measured>,
    /// What stands behind the last one.
    sequence: Vec<Measured>,
}

impl Group {
    /// A `|`.
    fn bar(&mut self) -> Result<(), Limit> {
        let sequence = std::mem::take(&mut self.sequence);
        self.alternatives.push(Measured::concat(sequence)?);
        Ok(())
    }

    /// What the group holds.
    fn close(mut self) -> Result<Measured, Limit> {
        self.bar()?;
        let inner = Measured::alternate(self.alternatives)?;
        match self.index {
            Some(index) => inner.capture(index),
            None => Ok(inner),
        }
    }
}

impl<'p> Reader<'p> {
    fn all(&mut self) -> Result<(), RegexError> {
        // Where the repetition began that ended just here.
        let mut last_repeat = None;
        while let Some(c) = self.rest.chars().next() {
            let here = self.rest;
            let mut repeat = None;
            match c {
                '(' if here.starts_with("(?") => self.flags_or_group()?,
                '\\' => self.escape()?,
                '[' => self.bracket_class()?,
                '*' | '+' | '?' => {
                    self.next();
                    let count = match c {
                        '*' => (0, None),
                        '+' => (1, None),
                        _ => (0, Some(1)),
                    };
                    self.repeat(count, false, here, last_repeat)?;
                    repeat = Some(here);
                }
                '{' => {
                    if self.counted_repeat(last_repeat)? {
                        repeat = Some(here);
                    }
                }
                _ => {
                    self.next();
                    self.single(c)?;
                }
            }
            last_repeat = repeat;
        }
        Ok(())
    }

    /// A character that says everything by itself.
    fn single(&mut self, c: char) -> Result<(), RegexError> {
        let node = match (c, self.flags) {
            ('(', _) => return self.open(Some(None)),
            (')', _) => return self.close(),
            ('|', _) => {
                let result = self.groups.last_mut().map_or(Ok(()), Group::bar);
                return result.map_err(|limit| self.over(limit, ""));
            }
            ('^', flags) if flags.multi_line => Node::Look(Look::StartLF),
            ('^', _) => Node::Look(Look::Start),
            ('$', flags) if flags.multi_line => Node::Look(Look::EndLF),
            ('$', _) => Node::Look(Look::End),
            ('.', flags) if flags.dot_newline => Node::AnyChar,
            ('.', _) => Node::AnyCharNotNewline,
            (c, _) => {
                self.character(u32::from(c));
                return Ok(());
            }
        };
        self.push(Measured::leaf(node));
        Ok(())
    }

    /// Begins a group: `None` only groups, `Some(name)` captures.
    fn open(&mut self, capture: Option<Option<&str>>) -> Result<(), RegexError> {
        if self.groups.len() >= MAX_OPEN_GROUPS {
            return Err(self.over(Limit::Height, ""));
        }
        let index = capture.map(|name| {
            self.group_names.push(name.map(str::to_owned));
            u32::try_from(self.group_names.len() - 1).unwrap_or(u32::MAX)
        });
        self.groups.push(Group {
            index,
            outer: self.flags,
            ..Group::default()
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), RegexError> {
        match self.groups.pop() {
            Some(group) if !self.groups.is_empty() => {
                self.flags = group.outer;
                let closed = group.close().map_err(|limit| self.over(limit, ""))?;
                self.push(closed);
                Ok(())
            }
            _ => Err(refusal("unexpected )", self.pattern)),
        }
    }

    /// `{n}`, `{n,}` or `{n,m}`, or just a `{` (then `false`).
    fn counted_repeat(&mut self, last_repeat: Option<&str>) -> Result<bool, RegexError> {
        let here = self.rest;
        let Some((min, max, after)) = count(here) else {
            self.next();
            self.character(u32::from('{'));
            return Ok(false);
        };
        self.rest = after;
        let largest = max.unwrap_or(min);
        if min > MAX_COUNT || largest > MAX_COUNT || min > largest {
            return Err(refusal("invalid repeat count", self.since(here)));
        }
        self.repeat((min, max), true, here, last_repeat)?;
        Ok(true)
    }

    /// Repeats what came last; `here` is where the operator began.
    fn repeat(
        &mut self,
        count: (u32, Option<u32>),
        counted: bool,
        here: &str,
        last_repeat: Option<&str>,
    ) -> Result<(), RegexError> {
        let lazy = self.eat("?");
        if let Some(last) = last_repeat {
            let operators = self.since(last);
            return Err(refusal("invalid nested repetition operator", operators));
        }
        let sequence = self.groups.last_mut().map(|group| &mut group.sequence);
        let Some(sub) = sequence.and_then(Vec::pop) else {
            let operator = self.since(here);
            return Err(refusal("missing argument to repetition operator", operator));
        };
        let greedy = lazy == self.flags.swap_greed;
        let repeated = sub
            .repeat(count, greedy, counted)
            .map_err(|limit| self.over(limit, self.since(here)))?;
        self.push(repeated);
        Ok(())
    }

    /// `(?P<name>`, `(?<name>`, `(?flags)` or `(?flags:`.
    fn flags_or_group(&mut self) -> Result<(), RegexError> {
        let here = self.rest;
        let named = ["(?P<", "(?<"].iter().find_map(|start| {
            let after = here.strip_prefix(start)?;
            (!after.is_empty()).then_some(after)
        });
        if let Some(after) = named {
            let Some((name, rest)) = after.split_once('>') else {
                return Err(refusal("invalid named capture", here));
            };
            self.rest = rest;
            let plain = |c: char| c == '_' || c.is_ascii_alphanumeric();
            if name.is_empty() || !name.chars().all(plain) {
                return Err(refusal("invalid named capture", self.since(here)));
            }
            return self.open(Some(Some(name)));
        }
        self.eat("(?");
        let mut flags = self.flags;
        let (mut on, mut flag_seen) = (true, false);
        while let Some(c) = self.next() {
            let flag = match c {
                'i' => &mut flags.fold,
                'm' => &mut flags.multi_line,
                's' => &mut flags.dot_newline,
                'U' => &mut flags.swap_greed,
                '-' if on => {
                    (on, flag_seen) = (false, false);
                    continue;
                }
                ':' | ')' if on || flag_seen => {
                    if c == ':' {
                        self.open(None)?;
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            };
            *flag = on;
            flag_seen = true;
        }
        let text = self.since(here);
        Err(refusal("invalid or unsupported Perl syntax", text))
    }

    /// A backslash outside of `[]`.
    fn escape(&mut self) -> Result<(), RegexError> {
        let here = self.rest;
        let look = match here.chars().nth(1) {
            Some('A') => Some(Look::Start),
            Some('z') => Some(Look::End),
            Some('b') => Some(Look::WordAscii),
            Some('B') => Some(Look::WordAsciiNegate),
            Some('Q') => {
                self.eat(r"\Q");
                let (literal, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
                self.rest = rest;
                literal.chars().for_each(|c| self.character(u32::from(c)));
                return Ok(());
            }
            _ => None,
        };
        if let Some(look) = look {
            self.next();
            self.next();
            self.push(Measured::leaf(Node::Look(look)));
            return Ok(());
        }
        let mut class = Class::default();
        if self.class_escape(&mut class)? {
            let class = class.finish(false, self.flags.fold);
            self.push(Measured::leaf(Node::Class(class)));
            return Ok(());
        }
        let code = self.character_escape()?;
        self.character(code);
        Ok(())
    }

    /// `[...]`
    fn bracket_class(&mut self) -> Result<(), RegexError> {
        let here = self.rest;
        self.next();
        let negated = self.eat("^");
        let mut class = Class::default();
        let mut first = true;
        // A bracket that comes first stands for itself.
        while first || !self.rest.starts_with(']') {
            first = false;
            if self.posix_class(&mut class)? || self.class_escape(&mut class)? {
                continue;
            }
            let range = self.rest;
            let low = self.class_character(here)?;
            let mut high = low;
            let after = self.rest.strip_prefix('-');
            if let Some(after) = after.filter(|after| !after.is_empty() && !after.starts_with(']'))
            {
                self.rest = after;
                high = self.class_character(here)?;
            }
            if high < low {
                let range = self.since(range);
                return Err(refusal("invalid character class range", range));
            }
            class.add_range(low, high);
            self.charge(1)?;
        }
        self.next();
        let class = class.finish(negated, self.flags.fold);
        self.push(Measured::leaf(Node::Class(class)));
        Ok(())
    }

    /// `[:alpha:]`, inside of `[]`.
    fn posix_class(&mut self, class: &mut Class) -> Result<bool, RegexError> {
        let here = self.rest;
        let inner = here.strip_prefix("[:").and_then(|it| it.split_once(":]"));
        let Some((name, rest)) = inner else {
            return Ok(false);
        };
        self.rest = rest;
        let (name, negated) = match name.strip_prefix('^') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let Some(found) = classes::posix(name) else {
            let name = self.since(here);
            return Err(refusal("invalid character class range", name));
        };
        class.add(found, negated, self.flags.fold);
        self.charge(class.len())?;
        Ok(true)
    }

    /// `\d`, `\pN` or `\p{Greek}`.
    fn class_escape(&mut self, class: &mut Class) -> Result<bool, RegexError> {
        let mut chars = self.rest.chars();
        let (Some('\\'), Some(letter)) = (chars.next(), chars.next()) else {
            return Ok(false);
        };
        let found = match letter {
            'p' | 'P' => {
                let (found, negated) = self.unicode_class()?;
                Some((found, negated != (letter == 'P')))
            }
            _ => classes::perl(letter.to_ascii_lowercase()).map(|found| {
                self.rest = chars.as_str();
                (found, letter.is_ascii_uppercase())
            }),
        };
        let Some((found, negated)) = found else {
            return Ok(false);
        };
        let before = class.len();
        class.add(found, negated, self.flags.fold);
        self.charge(class.len().saturating_sub(before))?;
        Ok(true)
    }

    /// `\pN`, `\p{Greek}`, `\p{^Greek}`: the class, and whether a `^` turns it round.
    fn unicode_class(&mut self) -> Result<(regex_syntax::hir::ClassUnicode, bool), RegexError> {
        let here = self.rest;
        self.next();
        self.next();
        let single = self.rest;
        let name = match self.next() {
            Some('{') => {
                let Some((name, rest)) = self.rest.split_once('}') else {
                    return Err(refusal("invalid character class range", here));
                };
                self.rest = rest;
                name
            }
            _ => self.since(single),
        };
        let (name, negated) = match name.strip_prefix('^') {
            Some(name) => (name, true),
            None => (name, false),
        };
        match classes::unicode(name) {
            Some(class) => Ok((class, negated)),
            None => Err(refusal("invalid character class range", self.since(here))),
        }
    }

    /// A character inside of `[]`; `class` is where that began.
    fn class_character(&mut self, class: &str) -> Result<u32, RegexError> {
        if self.rest.starts_with('\\') {
            return self.character_escape();
        }
        match self.next() {
            Some(c) => Ok(u32::from(c)),
            None => Err(refusal("missing closing ]", class)),
        }
    }

    /// A backslash that stands for one character.
    fn character_escape(&mut self) -> Result<u32, RegexError> {
        let here = self.rest;
        self.next();
        let Some(c) = self.next() else {
            let code = "trailing backslash at end of expression";
            return Err(refusal(code, ""));
        };
        let octal_follows = self.rest.starts_with(|c| matches!(c, '0'..='7'));
        let code = match c {
            'a' => Some(0x07),
            'f' => Some(0x0c),
            'n' => Some(0x0a),
            'r' => Some(0x0d),
            't' => Some(0x09),
            'v' => Some(0x0b),
            'x' => self.hexadecimal(),
            '0' => Some(self.octal(0)),
            '1'..='7' if octal_follows => Some(self.octal(c.to_digit(8).unwrap_or(0))),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(u32::from(c)),
            _ => None,
        };
        code.ok_or_else(|| refusal("invalid escape sequence", self.since(here)))
    }

    /// Up to two more octal digits.
    fn octal(&mut self, first: u32) -> u32 {
        let mut value = first;
        for _ in 0..2 {
            let digit = self.rest.chars().next().and_then(|c| c.to_digit(8));
            let Some(digit) = digit else { break };
            self.next();
            value = value * 8 + digit;
        }
        value
    }

    /// The digits of `\x41` or `\x{1F600}`.
    fn hexadecimal(&mut self) -> Option<u32> {
        let first = self.next()?;
        if first != '{' {
            let second = self.next()?;
            return Some(first.to_digit(16)? * 16 + second.to_digit(16)?);
        }
        let mut value = None;
        loop {
            match self.next()? {
                '}' => return value,
                c => {
                    let digit = c.to_digit(16)?;
                    let next = value.unwrap_or(0) * 16 + digit;
                    value = Some(next).filter(|code| *code <= u32::from(char::MAX));
                    value?;
                }
            }
        }
    }

    /// Pushes a character, in any case where the flags say so.
    fn character(&mut self, code: u32) {
        self.push(Measured::character(code, self.flags.fold));
    }

    fn push(&mut self, node: Measured) {
        if let Some(group) = self.groups.last_mut() {
            group.sequence.push(node);
        }
    }

    /// Counts ranges of classes.
    fn charge(&mut self, ranges: usize) -> Result<(), RegexError> {
        self.ranges = self.ranges.saturating_add(ranges);
        match self.ranges > MAX_RANGES {
            true => Err(self.over(Limit::Size, "")),
            false => Ok(()),
        }
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    /// Skips a text where it comes next.
    fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// What was read since `start`, an earlier value of `rest`.
    fn since<'s>(&self, start: &'s str) -> &'s str {
        start.strip_suffix(self.rest).unwrap_or(start)
    }

    /// The refusal of what passes a limit.
    fn over(&self, limit: Limit, operator: &str) -> RegexError {
        match limit {
            Limit::Height => refusal("expression nests too deeply", self.pattern),
            Limit::Size => refusal(TOO_LARGE, self.pattern),
            Limit::Copies => refusal("invalid repeat count", operator),
        }
    }
}

/// What Go says of a pattern that would take too much memory.
pub(super) const TOO_LARGE: &str = "expression too large";

/// A refusal in Go's form.
pub(super) fn refusal(code: &str, text: &str) -> RegexError {
    RegexError {
        reason: format!("{code}: `{text}`"),
    }
}

/// Reads `{n}`, `{n,}` or `{n,m}`: least, most (`None` for no bound), what follows.
fn count(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let (min, rest) = integer(text.strip_prefix('{')?)?;
    let (max, rest) = match rest.strip_prefix(',') {
        None => (Some(min), rest),
        Some(open) if open.starts_with('}') => (None, open),
        Some(bounded) => integer(bounded).map(|(max, rest)| (Some(max), rest))?,
    };
    Some((min, max, rest.strip_prefix('}')?))
}

/// A decimal number without leading zeros, and what follows; very large ones are [`u32::MAX`].
fn integer(text: &str) -> Option<(u32, &str)> {
    let length = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(length);
    match digits {
        "" => None,
        "0" => Some((0, rest)),
        _ if digits.starts_with('0') => None,
        _ => Some((digits.parse().unwrap_or(u32::MAX), rest)),
    }
}
