//! Values of labels as a person would choose them.

use crate::model::{MatchOp, Matcher, texts_matching};

/// What labels of these names are called where nothing says otherwise.
const DEFAULTS: [(&str, &str); 14] = [
    ("cluster", "main"),
    ("code", "200"),
    ("container", "app"),
    ("device", "sda1"),
    ("host", "host-1"),
    ("instance", "host-1:9100"),
    ("job", "app"),
    ("le", "1"),
    ("method", "GET"),
    ("namespace", "shop"),
    ("node", "node-1"),
    ("pod", "app-1"),
    ("service", "app"),
    ("status", "200"),
];

/// What stands for anything else than what is asked for.
const OTHERS: [&str; 5] = ["200", "other", "500", "another", "1"];

/// Values that a label might have, the best first; whether they pass is not looked at. The empty one, which is no label, is
/// the last.
pub(super) fn candidates(label: &str, matchers: &[&Matcher]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for matcher in matchers {
        match matcher.op {
            MatchOp::Equal => found.push(matcher.value.clone()),
            MatchOp::Regex => {
                found.extend(plain(&matcher.value));
                found.extend(texts_matching(&matcher.value, &[]));
            }
            MatchOp::NotEqual | MatchOp::NotRegex => {}
        }
    }
    found.push(default(label));
    found.extend(OTHERS.map(str::to_owned));
    for matcher in matchers {
        match matcher.op {
            MatchOp::NotEqual => found.push(matcher.value.clone()),
            MatchOp::NotRegex => found.extend(texts_matching(&matcher.value, &[])),
            MatchOp::Equal | MatchOp::Regex => {}
        }
    }
    found.retain(|value| !value.is_empty());
    found.push(String::new());
    found
}

/// What is meant by a pattern that is a text but for its ends, such as `.*apps.example.org`: a dot between letters is a dot.
fn plain(pattern: &str) -> Option<String> {
    const SPECIAL: [char; 12] = ['\\', '|', '(', ')', '[', ']', '{', '}', '*', '+', '?', '^'];
    let text = pattern.trim_start_matches('^').trim_end_matches('$');
    let text = text.replace(".*", "").replace(".+", "");
    let is_plain = text.split('.').all(|part| {
        let is_end = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        is_end(part.chars().next()) && is_end(part.chars().next_back())
    });
    (is_plain && !text.contains(SPECIAL) && !text.contains('$')).then_some(text)
}

/// The value of a label of which nothing is asked.
pub(super) fn default(label: &str) -> String {
    let known = DEFAULTS.iter().find(|(name, _)| *name == label);
    known.map_or_else(|| format!("{label}-1"), |(_, value)| (*value).to_owned())
}

/// A further value of a label that has this one: the second, third and so on.
pub(super) fn numbered(value: &str, number: usize) -> String {
    match value.strip_suffix("-1") {
        Some(stem) => format!("{stem}-{number}"),
        None => match value.split_once("-1:") {
            Some((stem, port)) => format!("{stem}-{number}:{port}"),
            None => format!("{value}-{number}"),
        },
    }
}

/// Whether a value passes all conditions on its label.
pub(super) fn accepts(matchers: &[Matcher], label: &str, value: &str) -> bool {
    let mut own = matchers.iter().filter(|it| it.name == label);
    own.all(|matcher| matcher.matches_value(value))
}
