//! Characters in a pattern: escapes and `[...]`.

use regex_syntax::hir::{ClassUnicode, Look};

use super::RegexError;
use super::classes::{self, Class};
use super::reader::{Reader, refusal};
use super::tree::{Measured, Node};

impl Reader<'_> {
    /// A backslash outside of `[]`.
    pub(super) fn escape(&mut self) -> Result<(), RegexError> {
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
    pub(super) fn bracket_class(&mut self) -> Result<(), RegexError> {
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
    fn unicode_class(&mut self) -> Result<(ClassUnicode, bool), RegexError> {
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
}
