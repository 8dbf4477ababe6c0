//! Scans what stands before a node: anchors, aliases and tags; and directives.

use super::scan::{Directive, Scanned, Scanner, TagToken, TokenKind};

impl<'s> Scanner<'s> {
    /// `&name` or `*name`.
    pub(super) fn scan_anchor(&mut self) -> Scanned<()> {
        let start = self.pos;
        let is_anchor = self.at(0) == b'&';
        self.pos += 1;
        let name = self.skip_while(is_word);
        let ends = self.is_blank_or_end(0)
            || matches!(
                self.at(0),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if name.is_empty() || !ends {
            let message = "did not find expected alphabetic or numeric character";
            let help = "put quotes around a text that begins with `*` or `&`";
            return Err(self.error(start, message, help));
        }
        let kind = match is_anchor {
            true => TokenKind::Anchor(name),
            false => TokenKind::Alias(name),
        };
        self.push_token(kind, start);
        Ok(())
    }

    /// `!`, `!mine`, `!!str`, `!e!mine` or `!<tag:example.com,2026:mine>`.
    pub(super) fn scan_tag(&mut self) -> Scanned<()> {
        let start = self.pos;
        let help = "put quotes around a text that begins with `!`";
        let tag = match self.at(1) {
            b'<' => {
                self.pos += 2;
                let suffix = self.skip_while(is_uri);
                if suffix.is_empty() || self.at(0) != b'>' {
                    return Err(self.error(start, "did not find the expected '>'", help));
                }
                self.pos += 1;
                TagToken { handle: "", suffix }
            }
            _ => self.scan_short_tag(start),
        };
        if !self.is_blank_or_end(0) {
            let message = "did not find expected whitespace or line break";
            return Err(self.error(start, message, help));
        }
        if !self.are_escapes_valid(tag.suffix) {
            return Err(self.error(start, "did not find URI escaped octet", help));
        }
        if tag.suffix.is_empty() {
            return Err(self.error(start, "did not find expected tag URI", help));
        }
        self.push_token(TokenKind::Tag(tag), start);
        Ok(())
    }

    fn scan_short_tag(&mut self, start: usize) -> TagToken<'s> {
        self.pos += 1;
        self.skip_while(is_word);
        if self.at(0) == b'!' {
            self.pos += 1;
            let handle = self.text.get(start..self.pos).unwrap_or("");
            let suffix = self.skip_while(is_uri);
            return TagToken { handle, suffix };
        }
        self.skip_while(is_uri);
        let suffix = self.text.get(start + 1..self.pos).unwrap_or("");
        match suffix {
            "" => TagToken {
                handle: "",
                suffix: "!",
            },
            suffix => TagToken {
                handle: "!",
                suffix,
            },
        }
    }

    fn are_escapes_valid(&self, suffix: &str) -> bool {
        let bytes = suffix.as_bytes();
        let is_hex = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_hexdigit);
        let mut percents = suffix.match_indices('%');
        percents.all(|(index, _)| is_hex(index + 1) && is_hex(index + 2))
    }

    /// `%YAML 1.1` or `%TAG ! prefix`.
    pub(super) fn scan_directive(&mut self) -> Scanned<()> {
        let start = self.pos;
        let line_length = {
            let mut length = 0;
            while self.pos + length < self.bytes.len() && self.break_length(length) == 0 {
                length += 1;
            }
            length
        };
        let line = self.text.get(start..start + line_length).unwrap_or("");
        self.pos += line_length;
        let line = line.split(" #").next().unwrap_or("");
        let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
        let kind = match (words.next(), words.next(), words.next(), words.next()) {
            (Some("%YAML"), Some(version), None, None) => Directive::Version(version),
            (Some("%TAG"), Some(handle), Some(prefix), None) => Directive::Tag { handle, prefix },
            _ => {
                let message = "found unknown directive name";
                let help = "put quotes around a text that begins with `%`";
                return Err(self.error(start, message, help));
            }
        };
        self.push_token(TokenKind::Directive(kind), start);
        Ok(())
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'s str {
        let start = self.pos;
        while wanted(self.at(0)) {
            self.pos += 1;
        }
        self.text.get(start..self.pos).unwrap_or("")
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is_uri(byte: u8) -> bool {
    is_word(byte) || b";/?:@&=+$,.!~*'()[]%".contains(&byte)
}
