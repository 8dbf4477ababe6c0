//! The lines of a script: trimmed, comments emptied, each with its place.

use crate::text::{Diagnostic, Source, Span};

/// One line, without the space around it; empty where it was empty or a comment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub text: &'a str,
    /// Byte offset of the text in the script.
    start: usize,
}

impl<'a> Line<'a> {
    /// All lines of a script.
    pub fn all(source: &'a Source) -> Vec<Line<'a>> {
        let mut start = 0;
        let lines = source.text().split('\n').map(|line| {
            let indent = line.len() - line.trim_start().len();
            let trimmed = line.trim();
            let place = start + indent;
            start += line.len() + 1;
            match trimmed.starts_with('#') {
                true => Line {
                    text: "",
                    start: place,
                },
                false => Line {
                    text: trimmed,
                    start: place,
                },
            }
        });
        lines.collect()
    }

    /// The first word, and the rest as a line of its own.
    pub fn split_word(self) -> (&'a str, Line<'a>) {
        let end = self
            .text
            .find(char::is_whitespace)
            .unwrap_or(self.text.len());
        let (word, rest) = self.text.split_at(end);
        (word, self.tail(rest))
    }

    /// What follows `prefix`, as a line of its own.
    pub fn strip(self, prefix: &str) -> Option<Line<'a>> {
        self.text.strip_prefix(prefix).map(|rest| self.tail(rest))
    }

    /// A part at the end of the line, without the space in front.
    pub fn tail(self, rest: &'a str) -> Line<'a> {
        let trimmed = rest.trim_start();
        Line {
            text: trimmed,
            start: self.start + self.text.len() - trimmed.len(),
        }
    }

    /// Where it stands.
    pub fn span(self) -> Span {
        Span::new(self.start, self.start + self.text.len())
    }

    /// An error at the line.
    pub fn fault(self, source: &Source, message: impl Into<String>, help: &str) -> Diagnostic {
        Diagnostic::error(message)
            .at(source, self.span())
            .help(help)
    }
}
