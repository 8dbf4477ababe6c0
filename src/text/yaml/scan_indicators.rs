//! Scans the signs that make the structure: dashes, colons, brackets, and the indentation of blocks.

use super::scan::{ScanError, Scanned, Scanner, Token, TokenKind};
use crate::text::Span;

impl<'s> Scanner<'s> {
    pub(super) fn fetch(&mut self) -> Scanned<()> {
        self.skip_to_token()?;
        self.unroll(self.column());
        if self.is_end() {
            return self.fetch_end();
        }
        if self.column() == 0 && self.at(0) == b'%' {
            self.unroll(-1);
            self.remove_key()?;
            self.key_allowed = false;
            return self.scan_directive();
        }
        if self.is_document_indicator() {
            self.unroll(-1);
            self.remove_key()?;
            self.key_allowed = false;
            let kind = match self.at(0) {
                b'-' => TokenKind::DocumentStart,
                _ => TokenKind::DocumentEnd,
            };
            self.push(kind, 3);
            return Ok(());
        }
        self.fetch_indicator()
    }

    fn fetch_indicator(&mut self) -> Scanned<()> {
        let in_flow = self.flow_level > 0;
        match self.at(0) {
            b'[' => self.open_flow(TokenKind::FlowSequenceStart),
            b'{' => self.open_flow(TokenKind::FlowMappingStart),
            b']' => self.close_flow(TokenKind::FlowSequenceEnd),
            b'}' => self.close_flow(TokenKind::FlowMappingEnd),
            b',' => {
                self.remove_key()?;
                self.key_allowed = true;
                self.push(TokenKind::FlowEntry, 1);
                Ok(())
            }
            b'-' if self.is_blank_or_end(1) => self.fetch_block_entry(),
            b'?' if in_flow || self.is_blank_or_end(1) => self.fetch_key(),
            b':' if in_flow || self.is_blank_or_end(1) => self.fetch_value(),
            b'*' | b'&' => {
                self.save_key()?;
                self.key_allowed = false;
                self.scan_anchor()
            }
            b'!' => {
                self.save_key()?;
                self.key_allowed = false;
                self.scan_tag()
            }
            b'|' | b'>' if !in_flow => {
                self.remove_key()?;
                self.key_allowed = true;
                let token = self.scan_block()?;
                self.queue.push_back(token);
                Ok(())
            }
            b'\'' | b'"' => {
                self.save_key()?;
                self.key_allowed = false;
                let token = self.scan_quoted()?;
                self.queue.push_back(token);
                Ok(())
            }
            first if self.begins_plain(first) => {
                self.save_key()?;
                self.key_allowed = false;
                let token = self.scan_plain()?;
                self.queue.push_back(token);
                Ok(())
            }
            first => Err(self.no_token(first)),
        }
    }

    /// Whether a plain text may begin with this byte here.
    fn begins_plain(&self, first: u8) -> bool {
        match first {
            b'-' => !self.is_blank(1),
            b'?' | b':' => self.flow_level == 0 && !self.is_blank_or_end(1),
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
            | b'"' | b'%' | b'@' | b'`' => false,
            _ => !self.is_blank_or_end(0),
        }
    }

    fn no_token(&self, first: u8) -> ScanError {
        let width = self
            .text
            .get(self.pos..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8);
        let help = match first {
            b'\t' => "indent with spaces, not with tabs",
            _ => "put quotes around a text that begins with this character",
        };
        ScanError {
            message: "found character that cannot start any token".into(),
            help,
            span: Span::new(self.pos, self.pos + width),
        }
    }

    fn fetch_end(&mut self) -> Scanned<()> {
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        self.ended = true;
        self.push(TokenKind::StreamEnd, 0);
        Ok(())
    }

    fn open_flow(&mut self, kind: TokenKind<'s>) -> Scanned<()> {
        self.save_key()?;
        self.flow_level += 1;
        if self.flow_level > super::NESTING_LIMIT {
            return Err(self.error(self.pos, TOO_DEEP, "nest less"));
        }
        self.keys.push(None);
        self.key_allowed = true;
        self.push(kind, 1);
        Ok(())
    }

    fn close_flow(&mut self, kind: TokenKind<'s>) -> Scanned<()> {
        self.remove_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            self.keys.pop();
        }
        self.key_allowed = false;
        self.push(kind, 1);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Scanned<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                let message = "block sequence entries are not allowed in this context";
                return Err(self.error(self.pos, message, "begin a list on a line of its own"));
            }
            self.roll(self.column(), None, TokenKind::BlockSequenceStart, self.pos)?;
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.push(TokenKind::BlockEntry, 1);
        Ok(())
    }

    fn fetch_key(&mut self) -> Scanned<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                let message = "mapping keys are not allowed in this context";
                return Err(self.error(self.pos, message, "put quotes around a text with `? `"));
            }
            self.roll(self.column(), None, TokenKind::BlockMappingStart, self.pos)?;
        }
        self.remove_key()?;
        self.key_allowed = self.flow_level == 0;
        self.push(TokenKind::Key, 1);
        Ok(())
    }

    fn fetch_value(&mut self) -> Scanned<()> {
        match self.valid_key()? {
            Some(key) => {
                let token = Token {
                    kind: TokenKind::Key,
                    span: Span::new(key.pos, key.pos),
                };
                self.insert(key.token, token);
                let kind = TokenKind::BlockMappingStart;
                self.roll(key.column, Some(key.token), kind, key.pos)?;
                self.set_key(None);
                self.key_allowed = false;
            }
            None => {
                if self.flow_level == 0 {
                    if !self.key_allowed {
                        let message = "mapping values are not allowed in this context";
                        let help = "put quotes around a text that holds `: `";
                        let end = self.pos + 1;
                        return Err(ScanError {
                            span: Span::new(self.pos, end),
                            ..self.error(self.pos, message, help)
                        });
                    }
                    self.roll(self.column(), None, TokenKind::BlockMappingStart, self.pos)?;
                }
                self.key_allowed = self.flow_level == 0;
            }
        }
        self.push(TokenKind::Value, 1);
        Ok(())
    }

    /// Begins a block where the column is deeper than the block around it.
    fn roll(
        &mut self,
        column: isize,
        number: Option<usize>,
        kind: TokenKind<'s>,
        at: usize,
    ) -> Scanned<()> {
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > super::NESTING_LIMIT {
            return Err(self.error(at, TOO_DEEP, "nest less"));
        }
        let span = Span::new(at, at);
        let number = number.unwrap_or(self.taken + self.queue.len());
        self.insert(number, Token { kind, span });
        Ok(())
    }

    /// Ends the blocks that are deeper than a column.
    fn unroll(&mut self, column: isize) {
        while self.flow_level == 0 && self.indent > column {
            self.push(TokenKind::BlockEnd, 0);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }
}

const TOO_DEEP: &str = "more than 200 lists and mappings inside each other";
