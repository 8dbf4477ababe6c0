//! Short texts that a pattern matches, as a person would choose them.

use super::reader::{self, Flags};
use super::tree::Node;

/// So many texts are made of one pattern at most.
const MAX_EXAMPLES: usize = 16;

/// No text is longer than about this.
const MAX_LENGTH: usize = 200;

/// Characters that are taken from a class before all others.
const PREFERRED: &str = "01axA-_.:/ ";

/// Texts that a pattern is likely to match as a whole, the plainest first; whether they do is for the caller to ask, since
/// conditions between characters are passed over. What numbered groups match can be given. None for a pattern that
/// can't be read.
pub fn examples(pattern: &str, groups: &[(u32, &str)]) -> Vec<String> {
    let flags = Flags {
        dot_newline: true,
        ..Flags::default()
    };
    match reader::read(pattern, flags) {
        Ok(read) => texts(&read.tree.node, groups, 0),
        Err(_) => Vec::new(),
    }
}

/// Trees are looked into so deep; what lies deeper is taken for nothing.
const MAX_DEPTH: u32 = 100;

fn texts(node: &Node, groups: &[(u32, &str)], depth: u32) -> Vec<String> {
    if depth > MAX_DEPTH {
        return Vec::new();
    }
    let below = |node: &Node| texts(node, groups, depth + 1);
    match node {
        Node::Never => Vec::new(),
        Node::Empty | Node::Look(_) => vec![String::new()],
        Node::Literal { text, .. } => vec![text.clone()],
        Node::Class(class) => {
            let contains = |letter: char| {
                let mut ranges = class.ranges().iter();
                ranges.any(|range| range.start() <= letter && letter <= range.end())
            };
            let first = class.ranges().first().map(|range| range.start());
            let preferred = PREFERRED.chars().find(|&letter| contains(letter));
            preferred.or(first).iter().map(char::to_string).collect()
        }
        Node::AnyChar | Node::AnyCharNotNewline => vec!["0".to_owned()],
        Node::Repeat { min, max, sub, .. } => {
            let some = match (&**sub, min) {
                // A word where anything goes.
                (Node::AnyChar | Node::AnyCharNotNewline, 0 | 1) if max.is_none() => {
                    vec!["main".to_owned()]
                }
                _ => below(sub),
            };
            let mut found: Vec<String> = Vec::new();
            if *min == 0 {
                found.push(String::new());
            }
            let times = (*min).max(1) as usize;
            let fits = |text: &&String| text.len().saturating_mul(times) <= MAX_LENGTH;
            found.extend(some.iter().filter(fits).map(|text| text.repeat(times)));
            found
        }
        Node::Capture { index, sub } => {
            let given = groups.iter().find(|(group, _)| group == index);
            match given {
                Some((_, text)) => vec![(*text).to_owned()],
                None => below(sub),
            }
        }
        Node::Concat(parts) => joined(parts.iter().map(below)),
        Node::Alternate(parts) => {
            let mut found: Vec<String> = parts.iter().flat_map(below).collect();
            found.truncate(MAX_EXAMPLES);
            found
        }
    }
}

/// The first text of each part one after the other; then the same with another text of one of the parts.
fn joined(parts: impl Iterator<Item = Vec<String>>) -> Vec<String> {
    let parts: Vec<Vec<String>> = parts.collect();
    let whole = |other: Option<(usize, usize)>| -> Option<String> {
        let mut text = String::new();
        for (place, part) in parts.iter().enumerate() {
            let choice = match other {
                Some((at, choice)) if at == place => choice,
                _ => 0,
            };
            text.push_str(part.get(choice)?);
        }
        (text.len() <= MAX_LENGTH).then_some(text)
    };
    let others = parts.iter().enumerate();
    let others =
        others.flat_map(|(at, part)| (1..part.len()).map(move |choice| Some((at, choice))));
    std::iter::once(None)
        .chain(others)
        .filter_map(whole)
        .take(MAX_EXAMPLES)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Regex;
    use super::examples;

    #[test]
    fn examples_match() {
        let patterns = [
            "5..",
            "GET|POST",
            ".+-bridge",
            "[a-z]{3}",
            "a?b+c*",
            "(?i)abc",
            "eth[0-9]+",
            "x{2,5}",
            "\\d+",
            "^(?:5..)$",
            "ip-(\\d+)-(\\d+).*",
            "crond?\\.service",
            "mimir/.*",
            "a|",
            "",
        ];
        for pattern in patterns {
            let regex = Regex::anchored(pattern).expect("a pattern");
            let found = examples(pattern, &[]);
            assert!(!found.is_empty(), "{pattern}");
            for text in found {
                assert!(regex.is_match(&text), "{pattern} does not match {text:?}");
            }
        }
    }

    #[test]
    fn the_plainest_comes_first() {
        assert_eq!(examples("5..", &[])[0], "500");
        assert_eq!(examples("GET|POST", &[]), ["GET", "POST"]);
        assert_eq!(examples("(.+)-v\\d", &[(1, "shop")])[0], "shop-v0");
        assert_eq!(examples("(", &[]), Vec::<String>::new());
    }
}
