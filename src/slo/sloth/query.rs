//! A query with a place for the window: Go's `text/template`, of which `{{.window}}` is nearly always all.

use crate::model::Labels;
use crate::promql::{Features, Query, QueryError};
use crate::rules::template::render_with;
use crate::text::yaml::Embedded;
use crate::text::{Diagnostic, Span};

/// A query that is written once for all windows.
#[derive(Debug, Clone)]
pub struct QueryTemplate {
    text: Embedded,
    /// Where `{{.window}}` stands in the text, if it holds no other action.
    windows: Option<Vec<Span>>,
}

impl QueryTemplate {
    /// Takes a text; whether it is good [`QueryTemplate::check`] tells.
    pub(super) fn new(text: Embedded) -> QueryTemplate {
        let windows = find_windows(&text.text);
        let others = text.text.matches("{{").count() != windows.len();
        QueryTemplate {
            text,
            windows: (!others).then_some(windows),
        }
    }

    /// As it was written.
    pub fn text(&self) -> &Embedded {
        &self.text
    }

    /// The query for a window.
    ///
    /// # Errors
    ///
    /// Go's text where the template can't be rendered.
    pub fn render(&self, window: &str) -> Result<String, String> {
        match &self.windows {
            Some(windows) => Ok(self.replaced(windows, window)),
            None => self.by_go(window),
        }
    }

    fn replaced(&self, windows: &[Span], window: &str) -> String {
        let text = &self.text.text;
        let (mut out, mut at) = (String::with_capacity(text.len()), 0);
        for span in windows {
            out.push_str(text.get(at..span.start).unwrap_or_default());
            out.push_str(window);
            at = span.end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }

    fn by_go(&self, window: &str) -> Result<String, String> {
        if let Some(name) = unknown_name(&self.text.text) {
            return Err(format!("map has no entry for key {name:?}"));
        }
        let dot = Labels::default().with("window", window);
        render_with("sliExpr", &self.text.text, &dot)
    }

    /// Everything for which Sloth refuses it.
    pub(super) fn check(&self, what: &str) -> Vec<Diagnostic> {
        let whole = self.text.whole();
        let at = |fault: Diagnostic| fault.at(self.text.source(), whole);
        if find_windows(&self.text.text).is_empty() {
            let message = format!("{what} must contain the {{{{.window}}}} variable");
            let help = "Sloth makes a rule for each window of it: write `[{{.window}}]` instead of a fixed range";
            return vec![at(Diagnostic::error(message).help(help))];
        }
        match self.render(EXAMPLE) {
            Err(error) => {
                let message = format!("{what} is no template: {error}");
                vec![at(
                    Diagnostic::error(message).help("only `{{.window}}` is there to be used")
                )]
            }
            Ok(query) => match Query::parse(&query, &Features::default()) {
                Ok(_) => Vec::new(),
                Err(errors) => errors
                    .iter()
                    .map(|error| self.diagnose(error, what))
                    .collect(),
            },
        }
    }

    fn diagnose(&self, error: &QueryError, what: &str) -> Diagnostic {
        let span = match &self.windows {
            Some(windows) => self.text.span(before(windows, error.span)),
            None => self.text.whole(),
        };
        let fault = Diagnostic::error(format!("{what} is no query: {}", error.message))
            .at(self.text.source(), span);
        fault.help(error.help.as_deref().unwrap_or("correct the query"))
    }
}

/// The window with which Sloth tries queries.
const EXAMPLE: &str = "1m";

/// Where a part of the text for [`EXAMPLE`] stands in that before.
fn before(windows: &[Span], span: Span) -> Span {
    let place = |offset: usize, is_end: bool| {
        let mut shift = 0;
        for window in windows {
            let start = window.start - shift;
            if offset < start || (is_end && offset == start) {
                break;
            }
            if offset < start + EXAMPLE.len() {
                return if is_end { window.end } else { window.start };
            }
            shift += (window.end - window.start) - EXAMPLE.len();
        }
        offset + shift
    };
    let start = place(span.start, false);
    Span::new(start, place(span.end, true).max(start))
}

/// Where `{{.window}}` stands, with or without blanks.
fn find_windows(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices("{{") {
        let rest = text.get(start + 2..).unwrap_or_default();
        let name = rest.trim_start_matches(' ');
        let Some(after) = name.strip_prefix(".window") else {
            continue;
        };
        let close = after.trim_start_matches(' ');
        if close.starts_with("}}") {
            found.push(Span::new(start, text.len() - close.len() + 2));
        }
    }
    found
}

/// A name other than `window` that an action asks for.
fn unknown_name(text: &str) -> Option<String> {
    let actions = text.split("{{").skip(1);
    let actions = actions.map(|rest| rest.split("}}").next().unwrap_or_default());
    for action in actions {
        for (at, _) in action.match_indices('.') {
            let before = action.get(..at).and_then(|it| it.chars().next_back());
            let is_start = before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == '"'));
            let rest = action.get(at + 1..).unwrap_or_default();
            let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            let name = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
            if is_start && name.starts_with(|c: char| c.is_alphabetic()) && name != "window" {
                return Some(name.to_owned());
            }
        }
    }
    None
}
