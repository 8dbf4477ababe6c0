//! Whether the annotations of a query are what a script expects, by promqltest's rules.

use super::{Note, Pattern};
use crate::promql::Annotations;
use crate::text::Severity;

/// What is expected of warnings and infos.
#[derive(Debug, Clone, Default)]
pub(super) struct Annotated {
    /// `eval_warn` and `eval_info`: there must be some of this kind.
    pub some: Option<Severity>,
    /// The `expect` lines. Where there is any of a kind, each must find an annotation and each annotation a line; where
    /// there is none, anything may come.
    pub lines: Vec<(Note, Pattern)>,
}

/// What was expected and what came, where they differ.
type Difference = (String, String);

impl Annotated {
    /// Compares; `query` is the text that was evaluated.
    pub fn compare(&self, annotations: &Annotations, query: &str) -> Result<(), Difference> {
        for severity in [Severity::Warning, Severity::Info] {
            self.compare_of(severity, &annotations.texts(severity, query))?;
        }
        Ok(())
    }

    fn compare_of(&self, severity: Severity, texts: &[String]) -> Result<(), Difference> {
        let name = severity.name();
        let (some, none) = match severity {
            Severity::Info => (Note::Info, Note::NoInfo),
            _ => (Note::Warn, Note::NoWarn),
        };
        if texts.is_empty() && self.some == Some(severity) {
            return Err((format!("some {name}"), "none".to_owned()));
        }
        let of_kind = |kind: Note| self.lines.iter().filter(move |line| line.0 == kind);
        if of_kind(none).next().is_some() && !texts.is_empty() {
            return Err((format!("no {name}"), texts.join("; ")));
        }
        let patterns: Vec<&Pattern> = of_kind(some).map(|(_, pattern)| pattern).collect();
        for pattern in &patterns {
            if !texts.iter().any(|text| pattern.matches(text)) {
                let expected = format!("{name}: {}", pattern.describe());
                let got = match texts.is_empty() {
                    true => "none".to_owned(),
                    false => texts.join("; "),
                };
                return Err((expected, got));
            }
        }
        let is_expected = |text: &&String| patterns.iter().any(|pattern| pattern.matches(text));
        match texts.iter().find(|text| !is_expected(text)) {
            Some(extra) if !patterns.is_empty() => {
                Err((format!("no other {name}"), extra.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// What speaks against the lines, if something does.
    pub fn fault(&self) -> Option<&'static str> {
        let has = |kind: Note| self.lines.iter().any(|line| line.0 == kind);
        if has(Note::Warn) && has(Note::NoWarn) {
            Some("warn and no_warn contradict each other")
        } else if has(Note::Info) && has(Note::NoInfo) {
            Some("info and no_info contradict each other")
        } else {
            None
        }
    }
}
