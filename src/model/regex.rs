//! Regular expressions with RE2's meaning, as Go and so Prometheus understand them.

use std::sync::Arc;

use regex_automata::meta;

/// A compiled regular expression.
#[derive(Debug, Clone)]
pub struct Regex {
    inner: Arc<meta::Regex>,
}

/// A pattern that RE2 refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {reason}")]
pub struct RegexError {
    /// Go's words: ``missing closing ): `(a` ``.
    pub reason: String,
}

impl Regex {
    /// A pattern that must match a whole value, as matchers and `label_replace` use it; `.` matches
    /// newlines too.
    pub fn anchored(pattern: &str) -> Result<Regex, RegexError> {
        Regex::compile(&format!("^(?s:{pattern})$"))
    }

    /// A pattern that may match anywhere, as the template functions `match` and `reReplaceAll` use it.
    pub fn unanchored(pattern: &str) -> Result<Regex, RegexError> {
        Regex::compile(pattern)
    }

    fn compile(pattern: &str) -> Result<Regex, RegexError> {
        let inner = meta::Regex::new(pattern).map_err(|error| RegexError {
            reason: error.to_string(),
        })?;
        Ok(Regex {
            inner: Arc::new(inner),
        })
    }

    /// Whether it matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.inner.is_match(text)
    }

    /// Go's `Expand` of the first match: `$1`, `${1}`, `$name`; `None` where nothing matches.
    pub fn expand(&self, text: &str, replacement: &str) -> Option<String> {
        let mut captures = self.inner.create_captures();
        self.inner.captures(text, &mut captures);
        if !captures.is_match() {
            return None;
        }
        let mut out = String::new();
        captures.interpolate_string_into(text, replacement, &mut out);
        Some(out)
    }

    /// Go's `ReplaceAllString`.
    pub fn replace_all(&self, text: &str, replacement: &str) -> String {
        let mut out = String::new();
        let mut last = 0;
        for captures in self.inner.captures_iter(text) {
            let Some(whole) = captures.get_match() else {
                continue;
            };
            out.push_str(&text[last..whole.start()]);
            captures.interpolate_string_into(text, replacement, &mut out);
            last = whole.end();
        }
        out.push_str(&text[last..]);
        out
    }
}
