//! Something to tell a person: what is wrong, where, and what to do.

use std::collections::HashSet;
use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Source, Span};

/// Something to tell a person, with a place and a way out.
///
/// Displays as one line, `file:line:column: error: message`; [`Diagnostic::render`] draws the line it
/// speaks of.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, as a fragment without a final dot.
    pub message: String,
    /// Where; `None` only where no text is to blame (a missing file, a flag).
    pub place: Option<Place>,
    /// What stands under the marked text; empty for none.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The name of the lint that says it, where one does.
    pub lint: Option<&'static str>,
}

/// A span of a source.
#[derive(Debug, Clone)]
pub struct Place {
    /// The text.
    pub source: Source,
    /// The part of it.
    pub span: Span,
}

/// How bad a [`Diagnostic`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The input can't be used.
    Error,
    /// It can, but hardly means what was meant.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// `error`, `warning` or `info`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

impl Diagnostic {
    /// An error with no place yet.
    pub fn error(message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, message)
    }

    /// A warning with no place yet.
    pub fn warning(message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, message)
    }

    /// Something worth knowing, with no place yet.
    pub fn info(message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Info, message)
    }

    fn new(severity: Severity, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity,
            message: message.into(),
            place: None,
            label: String::new(),
            help: None,
            lint: None,
        }
    }

    /// The same, as a warning.
    pub fn into_warning(mut self) -> Diagnostic {
        self.severity = Severity::Warning;
        self
    }

    /// The same, at a place.
    pub fn at(mut self, source: &Source, span: Span) -> Diagnostic {
        self.place = Some(Place::new(source, span));
        self
    }

    /// The same, with words under the marked text.
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = label.into();
        self
    }

    /// The same, with a way out.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// The same, said by a lint of this name.
    pub fn named(mut self, lint: &'static str) -> Diagnostic {
        self.lint = Some(lint);
        self
    }

    /// Draws the message with the line it speaks of, coloured or plain; ends with a newline.
    pub fn render(&self, coloured: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Info => Level::INFO,
        };
        let title = level.primary_title(self.message.as_str());
        let title = match self.lint {
            Some(lint) => title.id(lint),
            None => title,
        };
        let mut group = Group::with_title(title);
        if let Some(place) = &self.place {
            let (text, line, span) = place.excerpt();
            let annotation = AnnotationKind::Primary.span(span.start..span.end);
            let annotation = match self.label.is_empty() {
                true => annotation,
                false => annotation.label(self.label.as_str()),
            };
            let snippet = Snippet::source(text)
                .line_start(line)
                .path(place.source.name())
                .annotation(annotation);
            group = group.element(snippet);
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = match coloured {
            true => Renderer::styled(),
            false => Renderer::plain(),
        };
        let out = renderer.render(&[group]).to_string();
        let out = self
            .place
            .iter()
            .fold(out, |out, place| place.corrected(out));
        format!("{out}\n")
    }
}

/// Diagnostics without those that say once more what one before says of the same place.
pub fn distinct(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut seen = HashSet::new();
    found.retain(|one| {
        let place = one.place.as_ref();
        let place = place.map(|place| (place.source.name().to_owned(), place.span));
        seen.insert((one.severity, one.message.clone(), place))
    });
    found
}

/// Of a line longer than this only a part is drawn.
const LONG_LINE: usize = 1 << 13;

impl Place {
    /// A span of a source; of one that is joined of several, in the one that holds it.
    pub fn new(source: &Source, span: Span) -> Place {
        let (source, span) = source.locate(span);
        Place { source, span }
    }

    /// The lines that the span touches, the number of the first, and the span in them. Of a very long line only a part
    /// around the span: drawing takes time, and nobody sees more.
    fn excerpt(&self) -> (&str, usize, Span) {
        let text = self.source.text();
        let mut span = self.clamped();
        if span.end - span.start > LONG_LINE {
            span.end = boundary(text, span.start + LONG_LINE);
        }
        let line = self.source.line_column(span.start).line;
        let start = match self.left_out() {
            0 => self.source.line_start(line).unwrap_or_default(),
            _ => boundary(text, span.start.saturating_sub(LONG_LINE / 4)),
        };
        let rest = text.get(span.end..).unwrap_or_default();
        let line_end = span.end + rest.find('\n').unwrap_or(rest.len());
        let end = match line_end - span.end > LONG_LINE {
            false => line_end,
            true => boundary(text, span.end + LONG_LINE / 4),
        };
        let shown = text.get(start..end).unwrap_or_default();
        (shown, line, Span::new(span.start - start, span.end - start))
    }

    /// How many characters of the first line come before the [`Place::excerpt`].
    fn left_out(&self) -> usize {
        let text = self.source.text();
        let start = self.clamped().start;
        let line = self.source.line_column(start).line;
        let line_start = self.source.line_start(line).unwrap_or_default();
        match start - line_start > LONG_LINE {
            false => 0,
            true => {
                let shown = boundary(text, start.saturating_sub(LONG_LINE / 4));
                text.get(line_start..shown)
                    .unwrap_or_default()
                    .chars()
                    .count()
            }
        }
    }

    /// What was drawn with the column in the whole line instead of that in the excerpt.
    fn corrected(&self, drawn: String) -> String {
        let left_out = self.left_out();
        if left_out == 0 {
            return drawn;
        }
        let at = self.source.line_column(self.clamped().start);
        let wrong = format!(
            "{}:{}:{}",
            self.source.name(),
            at.line,
            at.column - left_out
        );
        let right = format!("{}:{}:{}", self.source.name(), at.line, at.column);
        drawn.replacen(&wrong, &right, 1)
    }

    /// The span, inside the text and at character boundaries.
    fn clamped(&self) -> Span {
        let text = self.source.text();
        let start = boundary(text, self.span.start.min(text.len()));
        let mut end = self.span.end.clamp(start, text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        Span { start, end }
    }
}

/// The start of the character that holds a byte.
fn boundary(text: &str, mut offset: usize) -> usize {
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// `file:line:column`
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.source.line_column(self.span.start);
        write!(f, "{}:{}:{}", self.source.name(), at.line, at.column)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(self.severity.name())?;
        if let Some(lint) = self.lint {
            write!(f, "[{lint}]")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(help) = &self.help {
            write!(f, " ({help})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of the same word in a short line and in a long one look the same but for the column.
    #[test]
    fn long_lines_are_drawn_around_the_place() {
        let drawn = |before: usize, after: usize| {
            let line = format!("{}word{}", "é".repeat(before), "ü".repeat(after));
            let start = 6 + 2 * before;
            let source = Source::new("f", format!("first\n{line}\nlast"));
            let diagnostic = Diagnostic::error("no").at(&source, Span::new(start, start + 4));
            diagnostic.render(false)
        };
        let (short, long) = (drawn(3_000, 3_000), drawn(300_000, 200_000));
        assert!(long.contains(" f:2:300001\n"), "{long}");
        assert_eq!(long.replace("300001", "3001"), short);
        assert!(drawn(300_000, 0).contains("word\n"));
        assert!(drawn(0, 300_000).contains(" f:2:1\n"));
    }
}
