//! Scans scalars of all styles.

use std::borrow::Cow;

use super::Style;
use super::scan::{ScalarToken, Scanned, Scanner, Token, TokenKind};
use crate::text::Span;

impl<'s> Scanner<'s> {
    /// A text without quotes: it ends at `: `, ` #`, less indentation and, inside brackets, at their
    /// signs.
    pub(super) fn scan_plain(&mut self) -> Scanned<Token<'s>> {
        let start = self.pos;
        let mut end = start;
        let mut folded: Option<String> = None;
        let mut over_lines = false;
        loop {
            if self.is_document_indicator() || self.at(0) == b'#' {
                break;
            }
            let word = self.pos;
            self.skip_letters();
            while !self.is_blank_or_end(0) && !self.ends_plain() {
                self.pos += 1;
                self.skip_letters();
            }
            if self.pos > word {
                if let (Some(text), Some(more)) = (&mut folded, self.text.get(word..self.pos)) {
                    text.push_str(more);
                }
                end = self.pos;
                over_lines = false;
            }
            if self.is_end() || !self.is_blank_or_end(0) {
                break;
            }
            let gap = self.skip_gap(Some(self.indent + 1))?;
            let before = self.text.get(start..end).unwrap_or("");
            match gap {
                Gap::InLine(from) => {
                    let blanks = self.text.get(from..self.pos).unwrap_or("");
                    if let Some(text) = folded.as_mut().filter(|_| !self.ends_here()) {
                        text.push_str(blanks);
                    }
                }
                Gap::Lines(made) => {
                    over_lines = true;
                    let goes_on = self.flow_level > 0 || self.column() > self.indent;
                    if !goes_on {
                        break;
                    }
                    if !self.ends_here() {
                        folded
                            .get_or_insert_with(|| before.to_owned())
                            .push_str(&made);
                    }
                }
            }
        }
        if over_lines {
            self.key_allowed = true;
        }
        let content = Span::new(start, end);
        let plain = Cow::Borrowed(self.text.get(start..end).unwrap_or(""));
        let text = folded.map_or(plain, Cow::Owned);
        Ok(scalar(text, Style::Plain, content, content))
    }

    /// Whether what follows a gap belongs to the plain text no more.
    fn ends_here(&self) -> bool {
        self.is_end() || self.at(0) == b'#' || self.is_document_indicator() || self.ends_plain()
    }

    fn ends_plain(&self) -> bool {
        match self.at(0) {
            b':' => self.is_blank_or_end(1),
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.flow_level > 0,
            _ => false,
        }
    }

    /// Steps over blanks and line breaks. `plain_indent` is given in a plain text, where a tab must not
    /// stand for indentation.
    fn skip_gap(&mut self, plain_indent: Option<isize>) -> Scanned<Gap> {
        let from = self.pos;
        while self.at(0) == b' ' {
            self.pos += 1;
        }
        if !self.is_blank_or_end(0) {
            return Ok(Gap::InLine(from));
        }
        let mut breaks: Vec<&'static str> = Vec::new();
        loop {
            if self.is_blank(0) {
                let shallow = plain_indent.is_some_and(|indent| self.column() < indent);
                if !breaks.is_empty() && shallow && self.at(0) == b'\t' {
                    let message = "found a tab character that violates indentation";
                    return Err(self.error(self.pos, message, "indent with spaces"));
                }
                self.pos += 1;
            } else if self.break_length(0) > 0 {
                breaks.push(self.skip_break());
            } else {
                break;
            }
        }
        Ok(match breaks.is_empty() {
            true => Gap::InLine(from),
            false => Gap::Lines(fold(&breaks)),
        })
    }

    /// A text in `'` or `"`.
    pub(super) fn scan_quoted(&mut self) -> Scanned<Token<'s>> {
        let start = self.pos;
        let quote = self.at(0);
        let style = match quote {
            b'\'' => Style::Single,
            _ => Style::Double,
        };
        self.pos += 1;
        let mut decoded: Option<String> = None;
        loop {
            if self.is_document_indicator() {
                let message = "found unexpected document indicator";
                return Err(self.error(start, message, "close the quoted text before it"));
            }
            if self.is_end() {
                return Err(self.unclosed(start));
            }
            let run = self.pos;
            self.skip_letters();
            while !self.is_blank_or_end(0)
                && self.at(0) != quote
                && !(quote == b'"' && self.at(0) == b'\\')
            {
                self.pos += 1;
                self.skip_letters();
            }
            if let (Some(text), Some(more)) = (&mut decoded, self.text.get(run..self.pos)) {
                text.push_str(more);
            }
            let before = self.text.get(start + 1..self.pos).unwrap_or("");
            if self.at(0) == quote {
                if quote == b'\'' && self.at(1) == quote {
                    decoded.get_or_insert_with(|| before.to_owned()).push('\'');
                    self.pos += 2;
                    continue;
                }
                break;
            }
            if quote == b'"' && self.at(0) == b'\\' {
                let text = decoded.get_or_insert_with(|| before.to_owned());
                self.scan_escape(start, text)?;
                continue;
            }
            if self.is_end() {
                continue;
            }
            let gap_start = self.pos;
            match self.skip_gap(None)? {
                Gap::InLine(_) => {
                    let blanks = self.text.get(gap_start..self.pos).unwrap_or("");
                    if let Some(text) = &mut decoded {
                        text.push_str(blanks);
                    }
                }
                Gap::Lines(made) => decoded
                    .get_or_insert_with(|| before.to_owned())
                    .push_str(&made),
            }
        }
        let end_of_text = self.pos;
        self.pos += 1;
        let content = Span::new(start, self.pos);
        let raw = Cow::Borrowed(self.text.get(start + 1..end_of_text).unwrap_or(""));
        Ok(scalar(
            decoded.map_or(raw, Cow::Owned),
            style,
            content,
            content,
        ))
    }

    fn unclosed(&self, start: usize) -> super::scan::ScanError {
        let mut error = self.error(
            start,
            "a quote is opened here and never closed",
            "close the quoted text; inside '...' a quote is written twice",
        );
        error.span = Span::new(start, start + 1);
        error
    }

    /// `\n`, `\x41`, or `\` at the end of a line.
    fn scan_escape(&mut self, start: usize, text: &mut String) -> Scanned<()> {
        if self.break_length(1) > 0 {
            self.pos += 1;
            self.skip_break();
            // Blanks at the beginning of the next line go; its further breaks stay.
            let mut breaks = String::new();
            loop {
                if self.is_blank(0) {
                    self.pos += 1;
                } else if self.break_length(0) > 0 {
                    breaks.push_str(self.skip_break());
                } else {
                    break;
                }
            }
            text.push_str(&breaks);
            return Ok(());
        }
        let (made, digits) = match self.at(1) {
            b'0' => ("\0", 0),
            b'a' => ("\x07", 0),
            b'b' => ("\x08", 0),
            b't' | b'\t' => ("\t", 0),
            b'n' => ("\n", 0),
            b'v' => ("\x0b", 0),
            b'f' => ("\x0c", 0),
            b'r' => ("\r", 0),
            b'e' => ("\x1b", 0),
            b' ' => (" ", 0),
            b'"' => ("\"", 0),
            b'\'' => ("'", 0),
            b'\\' => ("\\", 0),
            b'N' => ("\u{85}", 0),
            b'_' => ("\u{a0}", 0),
            b'L' => ("\u{2028}", 0),
            b'P' => ("\u{2029}", 0),
            b'x' => ("", 2),
            b'u' => ("", 4),
            b'U' => ("", 8),
            0 if self.pos + 1 >= self.bytes.len() => return Err(self.unclosed(start)),
            _ => {
                let mut error = self.error(
                    self.pos,
                    "found unknown escape character",
                    "write `\\\\` for a backslash, or put the text into single quotes",
                );
                let next = self
                    .text
                    .get(self.pos + 1..)
                    .and_then(|it| it.chars().next());
                error.span.end = self.pos + 1 + next.map_or(0, char::len_utf8);
                return Err(error);
            }
        };
        text.push_str(made);
        let escape = self.pos;
        self.pos += 2;
        if digits > 0 {
            let written = self.text.get(self.pos..self.pos + digits).unwrap_or("");
            let is_hex = written.bytes().all(|byte| byte.is_ascii_hexdigit());
            let code = u32::from_str_radix(written, 16).ok().filter(|_| is_hex);
            let Some(c) = code.and_then(char::from_u32) else {
                let message = match code {
                    Some(_) => "found invalid Unicode character escape code",
                    None => "did not find expected hexadecimal number",
                };
                return Err(self.error(
                    escape,
                    message,
                    "write a character's code, as in `\\u00e9`",
                ));
            };
            self.pos += digits;
            text.push(c);
        }
        Ok(())
    }

    /// A text behind `|` or `>`.
    pub(super) fn scan_block(&mut self) -> Scanned<Token<'s>> {
        let start = self.pos;
        let literal = self.at(0) == b'|';
        self.pos += 1;
        let (chomping, increment) = self.scan_block_header(start)?;
        let mut indent = match increment {
            0 => 0,
            increment => self.indent.max(0) + increment,
        };
        let content_start = self.pos;
        let mut content_end = self.pos;
        let mut text = String::new();
        let mut line_break = "";
        let mut was_blank = false;
        let mut breaks = self.skip_block_breaks(&mut indent)?;
        while self.column() == indent && !self.is_end() {
            let is_blank = self.is_blank(0);
            if !literal && line_break == "\n" && !was_blank && !is_blank {
                if breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(line_break);
            }
            text.push_str(&breaks);
            was_blank = is_blank;
            let line = self.pos;
            self.skip_line();
            text.push_str(self.text.get(line..self.pos).unwrap_or(""));
            content_end = self.pos;
            line_break = match self.is_end() {
                true => "",
                false => self.skip_break(),
            };
            breaks = self.skip_block_breaks(&mut indent)?;
        }
        if chomping != Chomping::Strip {
            text.push_str(line_break);
        }
        if chomping == Chomping::Keep {
            text.push_str(&breaks);
        }
        let style = match literal {
            true => Style::Literal,
            false => Style::Folded,
        };
        let content = Span::new(content_start, content_end);
        let written = self.text.get(start..content_end).unwrap_or("");
        let span = Span::new(start, start + written.trim_end().len());
        Ok(scalar(Cow::Owned(text), style, span, content))
    }

    /// What follows `|` in its line; ends behind the line break.
    fn scan_block_header(&mut self, start: usize) -> Scanned<(Chomping, isize)> {
        let (mut chomping, mut increment) = (Chomping::Clip, 0);
        let (mut has_chomping, mut has_increment) = (false, false);
        loop {
            match self.at(0) {
                sign @ (b'+' | b'-') if !has_chomping => {
                    has_chomping = true;
                    chomping = match sign {
                        b'+' => Chomping::Keep,
                        _ => Chomping::Strip,
                    };
                }
                digit @ b'0'..=b'9' if !has_increment => {
                    has_increment = true;
                    increment = isize::from(digit - b'0');
                    if increment == 0 {
                        let message = "found an indentation indicator equal to 0";
                        return Err(self.error(start, message, "write 1 to 9, or none"));
                    }
                }
                _ => break,
            }
            self.pos += 1;
        }
        while self.is_blank(0) {
            self.pos += 1;
        }
        if self.at(0) == b'#' {
            self.skip_line();
        }
        if self.break_length(0) > 0 {
            self.skip_break();
        } else if !self.is_end() {
            let message = "did not find expected comment or line break";
            let help = "begin the text on the next line, or put quotes around it";
            return Err(self.error(start, message, help));
        }
        Ok((chomping, increment))
    }

    /// Steps over empty lines and the indentation of the next one, and finds out how deep the block is
    /// where that is not known yet.
    fn skip_block_breaks(&mut self, indent: &mut isize) -> Scanned<String> {
        let mut breaks = String::new();
        let mut deepest = 0;
        loop {
            while (*indent == 0 || self.column() < *indent) && self.at(0) == b' ' {
                self.pos += 1;
            }
            deepest = deepest.max(self.column());
            if (*indent == 0 || self.column() < *indent) && self.at(0) == b'\t' {
                let message = "found a tab character where an indentation space is expected";
                return Err(self.error(self.pos, message, "indent with spaces"));
            }
            if self.break_length(0) == 0 {
                break;
            }
            breaks.push_str(self.skip_break());
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(breaks)
    }
}

/// What lies between two words.
enum Gap {
    /// Blanks, from here.
    InLine(usize),
    /// Line breaks, and what folding makes of them.
    Lines(String),
}

/// What happens to the line breaks at the end of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

/// One line break becomes a blank; of several the first goes.
fn fold(breaks: &[&'static str]) -> String {
    match breaks {
        ["\n"] => " ".to_owned(),
        ["\n", rest @ ..] => rest.concat(),
        all => all.concat(),
    }
}

fn scalar<'s>(text: Cow<'s, str>, style: Style, span: Span, content: Span) -> Token<'s> {
    let token = ScalarToken {
        text,
        style,
        content,
    };
    Token {
        kind: TokenKind::Scalar(token),
        span,
    }
}
