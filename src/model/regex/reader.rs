//! Reads a pattern as Go's `regexp/syntax` does, with its flags, refusals and words.

use regex_syntax::hir::Look;

use super::RegexError;
use super::tree::{Limit, Measured, Node};
use crate::model::bytes::{is_utf8, shown};

/// What a pattern says.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Its tree.
    pub(super) tree: Measured,
    /// A name or none for each group, the whole match (group 0) included.
    pub(super) group_names: Vec<Option<String>>,
}

impl Pattern {
    /// The same between the start and the end of a text.
    pub(super) fn anchored(self, pattern: &str) -> Result<Pattern, RegexError> {
        let look = |look| Measured::leaf(Node::Look(look));
        let parts = vec![look(Look::Start), self.tree, look(Look::End)];
        let tree = Measured::concat(parts).map_err(|limit| refused(limit, pattern, ""))?;
        Ok(Pattern { tree, ..self })
    }
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
    if !is_utf8(pattern) {
        return Err(RegexError {
            reason: format!("invalid UTF-8: `{}`", shown(pattern)),
        });
    }
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
pub(super) struct Reader<'p> {
    pattern: &'p str,
    /// What is still to be read.
    pub(super) rest: &'p str,
    pub(super) flags: Flags,
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

    /// Pushes a character, in any case where the flags say so.
    pub(super) fn character(&mut self, code: u32) {
        self.push(Measured::character(code, self.flags.fold));
    }

    pub(super) fn push(&mut self, node: Measured) {
        if let Some(group) = self.groups.last_mut() {
            group.sequence.push(node);
        }
    }

    /// Counts ranges of classes.
    pub(super) fn charge(&mut self, ranges: usize) -> Result<(), RegexError> {
        self.ranges = self.ranges.saturating_add(ranges);
        match self.ranges > MAX_RANGES {
            true => Err(self.over(Limit::Size, "")),
            false => Ok(()),
        }
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    /// Skips a text where it comes next.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// What was read since `start`, an earlier value of `rest`.
    pub(super) fn since<'s>(&self, start: &'s str) -> &'s str {
        start.strip_suffix(self.rest).unwrap_or(start)
    }

    /// The refusal of what passes a limit; `operator` is the repetition that did.
    fn over(&self, limit: Limit, operator: &str) -> RegexError {
        refused(limit, self.pattern, operator)
    }
}

/// The refusal of what passes a limit.
fn refused(limit: Limit, pattern: &str, operator: &str) -> RegexError {
    match limit {
        Limit::Height => refusal(TOO_DEEP, pattern),
        Limit::Size => refusal(TOO_LARGE, pattern),
        Limit::Copies => refusal("invalid repeat count", operator),
    }
}

/// What Go says of a pattern whose tree is too high.
pub(super) const TOO_DEEP: &str = "expression nests too deeply";

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
