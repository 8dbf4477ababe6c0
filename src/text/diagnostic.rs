//! Something to tell a person: what is wrong, where, and what to do.

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

    fn new(severity: Severity, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity,
            message: message.into(),
            place: None,
            label: String::new(),
            help: None,
        }
    }

    /// The same, as a warning.
    pub fn into_warning(mut self) -> Diagnostic {
        self.severity = Severity::Warning;
        self
    }

    /// The same, at a place.
    pub fn at(mut self, source: &Source, span: Span) -> Diagnostic {
        self.place = Some(Place {
            source: source.clone(),
            span,
        });
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

    /// Draws the message with the line it speaks of, coloured or plain; ends with a newline.
    pub fn render(&self, coloured: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Info => Level::INFO,
        };
        let mut group = Group::with_title(level.primary_title(self.message.as_str()));
        if let Some(place) = &self.place {
            let text = place.source.text();
            let span = place.clamped();
            let annotation = AnnotationKind::Primary.span(span.start..span.end);
            let annotation = match self.label.is_empty() {
                true => annotation,
                false => annotation.label(self.label.as_str()),
            };
            let snippet = Snippet::source(text)
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
        let mut out = renderer.render(&[group]).to_string();
        out.push('\n');
        out
    }
}

impl Place {
    /// The span, inside the text and at character boundaries.
    fn clamped(&self) -> Span {
        let text = self.source.text();
        let mut start = self.span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = self.span.end.clamp(start, text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        Span { start, end }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            let at = place.source.line_column(place.span.start);
            write!(f, "{}:{}:{}: ", place.source.name(), at.line, at.column)?;
        }
        write!(f, "{}: {}", self.severity.name(), self.message)?;
        if let Some(help) = &self.help {
            write!(f, " ({help})")?;
        }
        Ok(())
    }
}
