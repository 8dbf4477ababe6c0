//! Regular expressions with RE2's meaning, as Go and so Prometheus understand them.
//!
//! A pattern is read by our own reader, which knows Go's syntax and refusals, and is run by the
//! engine of the `regex-automata` crate, whose time is linear in the text.
//!
//! Known to differ: Prometheus's engine looks for the literal start of a pattern such as `(?i)k.*` by
//! comparing bytes, and so misses letters whose other case has another length in UTF-8 (`K` and the
//! Kelvin sign). Here they match, as RE2 has it.

mod characters;
mod classes;
mod example;
mod reader;
mod shortcut;
mod template;
mod tree;

use std::sync::Arc;
use std::thread;

use regex_automata::util::captures::Captures;
use regex_automata::{Input, meta};

pub use example::examples as texts_matching;
use reader::{Flags, Pattern, TOO_DEEP, TOO_LARGE, refusal};
use shortcut::Shortcut;
use template::Reference;

/// A compiled regular expression.
#[derive(Debug, Clone)]
pub struct Regex {
    inner: Arc<Inner>,
}

/// A pattern that RE2 refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {reason}")]
pub struct RegexError {
    /// Go's words: ``missing closing ): `(a` ``.
    pub reason: String,
}

#[derive(Debug)]
struct Inner {
    /// How [`Regex::is_match`] decides without the engine.
    shortcut: Option<Shortcut>,
    /// What every match begins with; only of an anchored pattern.
    literal_prefix: String,
    /// Absent where a shortcut decides and there are no groups: it matches all or nothing.
    engine: Option<meta::Regex>,
    /// A name or none for each group, the whole match (group 0) included.
    group_names: Vec<Option<String>>,
}

/// Memory that the compiled program of one pattern may take.
const MAX_PROGRAM_BYTES: usize = 48 << 20;

/// Memory that the lazily built automaton of one pattern may take in one thread.
const MAX_CACHE_BYTES: usize = 2 << 20;

/// Memory that the one-pass automaton of one pattern may take.
const MAX_ONE_PASS_BYTES: usize = 1 << 20;

/// Instructions times groups: finding groups takes so many slots of memory at worst.
const MAX_GROUP_SLOTS: u64 = 1 << 22;

/// Trees up to this height are compiled on the stack of the caller.
const MAX_HEIGHT_HERE: u32 = 64;

/// The stack that the highest tree is compiled on; a height of 1000 was seen to take less than 2 MiB.
const DEEP_STACK_BYTES: usize = 16 << 20;

impl Regex {
    /// A pattern that must match a whole value, as matchers use it; `.` matches newlines too.
    pub fn anchored(pattern: &str) -> Result<Regex, RegexError> {
        if let Some(shortcut) = Shortcut::of_plain_text(pattern) {
            return Ok(Regex::new(Inner {
                shortcut: Some(shortcut),
                literal_prefix: String::new(),
                engine: None,
                group_names: vec![None],
            }));
        }
        let flags = Flags {
            dot_newline: true,
            ..Flags::default()
        };
        let read = reader::read(pattern, flags)?.anchored(pattern)?;
        with_enough_stack(read, pattern, |read| {
            let shortcut = Shortcut::of_tree(&read.tree.node);
            // The whole match is the whole value; an engine is large, and only groups ask for it.
            let engine = match shortcut.is_some() && read.group_names.len() == 1 {
                true => None,
                false => Some(engine(&read, pattern)?),
            };
            Ok(Inner {
                shortcut,
                literal_prefix: shortcut::literal_prefix(&read.tree.node).to_owned(),
                engine,
                group_names: read.group_names,
            })
        })
    }

    /// A pattern that must match a whole value, as `label_replace` uses it: Prometheus writes
    /// `^(?s:` and `)$` around it before reading, so that `a)(b` is accepted and `\Qa` is not.
    pub fn enclosed(pattern: &str) -> Result<Regex, RegexError> {
        match Shortcut::of_plain_text(pattern) {
            Some(_) => Regex::anchored(pattern),
            None => Regex::unanchored(&format!("^(?s:{pattern})$")),
        }
    }

    /// A pattern that may match anywhere, as the template functions `match` and `reReplaceAll` use it.
    pub fn unanchored(pattern: &str) -> Result<Regex, RegexError> {
        let read = reader::read(pattern, Flags::default())?;
        with_enough_stack(read, pattern, |read| {
            Ok(Inner {
                shortcut: None,
                literal_prefix: String::new(),
                engine: Some(engine(&read, pattern)?),
                group_names: read.group_names,
            })
        })
    }

    /// Bytes that its program takes, as far as they are known before it is used.
    pub fn memory(&self) -> usize {
        let engine = self.inner.engine.as_ref();
        engine.map_or(0, meta::Regex::memory_usage)
    }

    /// Whether it matches.
    pub fn is_match(&self, text: &str) -> bool {
        match (&self.inner.shortcut, &self.inner.engine) {
            (Some(shortcut), _) => shortcut.is_match(text),
            (None, Some(engine)) => engine.is_match(text),
            (None, None) => false,
        }
    }

    /// The only values that an anchored pattern matches, sorted, where it is such a list: `a|b`,
    /// `api-(eu|us)`, `v[12]`.
    pub fn literal_alternatives(&self) -> Option<&[String]> {
        match &self.inner.shortcut {
            Some(Shortcut::OneOf(values)) => Some(values),
            _ => None,
        }
    }

    /// A text that every value begins with that an anchored pattern matches; may be empty.
    pub fn literal_prefix(&self) -> &str {
        &self.inner.literal_prefix
    }

    /// Go's `Expand` of the first match: `$1`, `${1}`, `$name`; `None` where nothing matches.
    pub fn expand(&self, text: &str, replacement: &str) -> Option<String> {
        let mut out = String::new();
        match &self.inner.engine {
            Some(engine) => {
                let mut captures = engine.create_captures();
                engine.captures(text, &mut captures);
                captures.get_match()?;
                self.fill(text, &captures, replacement, &mut out);
            }
            None if self.is_match(text) => {
                let whole =
                    |reference: Reference<'_>| (reference == Reference::Number(0)).then_some(text);
                template::expand(replacement, whole, &mut out);
            }
            None => return None,
        }
        Some(out)
    }

    /// Go's `ReplaceAllString`.
    pub fn replace_all(&self, text: &str, replacement: &str) -> String {
        let Some(engine) = &self.inner.engine else {
            return match self.expand(text, replacement) {
                Some(replaced) => replaced,
                None => text.to_owned(),
            };
        };
        let mut captures = engine.create_captures();
        let mut out = String::new();
        let (mut copied, mut search) = (0, 0);
        while search <= text.len() {
            engine.search_captures(&Input::new(text).range(search..), &mut captures);
            let Some(found) = captures.get_match() else {
                break;
            };
            out.push_str(text.get(copied..found.start()).unwrap_or(""));
            // Nothing is put in for an empty match right behind a match.
            if found.end() > copied || found.start() == 0 {
                self.fill(text, &captures, replacement, &mut out);
            }
            copied = found.end();
            let next = text.get(search..).and_then(|rest| rest.chars().next());
            search = found.end().max(search + next.map_or(1, char::len_utf8));
        }
        out.push_str(text.get(copied..).unwrap_or(""));
        out
    }

    fn new(inner: Inner) -> Regex {
        Regex {
            inner: Arc::new(inner),
        }
    }

    /// Appends a replacement with the groups of a match.
    fn fill(&self, text: &str, captures: &Captures, replacement: &str, out: &mut String) {
        let by_number =
            |index: usize| -> Option<&str> { text.get(captures.get_group(index)?.range()) };
        let group = |reference: Reference<'_>| match reference {
            Reference::Number(index) => by_number(index),
            // Of groups with one name, the first that took part.
            Reference::Name(name) => {
                let names = self.inner.group_names.iter().enumerate();
                names
                    .filter(|(_, candidate)| candidate.as_deref() == Some(name))
                    .find_map(|(index, _)| by_number(index))
            }
        };
        template::expand(replacement, group, out);
    }
}

/// Turns what was read into a regex. What does so goes down the tree by recursion, so a deep tree gets
/// a thread with the stack for it.
fn with_enough_stack(
    read: Pattern,
    pattern: &str,
    work: impl FnOnce(Pattern) -> Result<Inner, RegexError> + Send,
) -> Result<Regex, RegexError> {
    let result = match read.tree.height() > MAX_HEIGHT_HERE {
        false => work(read),
        true => thread::scope(|scope| {
            let builder = thread::Builder::new().stack_size(DEEP_STACK_BYTES);
            let spawned = builder.spawn_scoped(scope, move || work(read));
            let joined = spawned.ok().and_then(|thread| thread.join().ok());
            joined.unwrap_or_else(|| Err(refusal(TOO_DEEP, pattern)))
        }),
    };
    result.map(Regex::new)
}

/// Compiles what was read.
fn engine(read: &Pattern, pattern: &str) -> Result<meta::Regex, RegexError> {
    let groups = read.group_names.len() as u64;
    if groups > 1 && read.tree.size().saturating_mul(groups) > MAX_GROUP_SLOTS {
        return Err(refusal(TOO_LARGE, pattern));
    }
    let limits = meta::Config::new()
        .nfa_size_limit(Some(MAX_PROGRAM_BYTES))
        .onepass_size_limit(Some(MAX_ONE_PASS_BYTES))
        .hybrid_cache_capacity(MAX_CACHE_BYTES);
    meta::Builder::new()
        .configure(limits)
        .build_from_hir(&read.tree.node.to_hir())
        .map_err(|_| refusal(TOO_LARGE, pattern))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A pattern that matches just this text.
    fn escaped(text: &str) -> String {
        let escape = |c: char| match c.is_ascii_punctuation() {
            true => format!("\\{c}"),
            false => c.to_string(),
        };
        text.chars().map(escape).collect()
    }

    #[test]
    fn lists_the_values_of_a_pattern() {
        let values = |pattern| {
            let regex = Regex::anchored(pattern).unwrap();
            regex.literal_alternatives().map(<[String]>::to_vec)
        };
        for (pattern, list) in [
            ("b|a|b", "a b"),
            ("api-(eu|us)", "api-eu api-us"),
            ("^v[1-3]$", "v1 v2 v3"),
            ("https?", "http https"),
            (r"a\.b|(c)", "a.b c"),
        ] {
            let list = list.split(' ').map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(values(pattern), Some(list), "{pattern}");
        }
        assert_eq!(values(""), Some(vec![String::new()]));
        for pattern in ["a.*", "(?i)a|b", r"\w\w", "a^b", "(a|b)+", r"a\b", "^a|b$"] {
            assert_eq!(values(pattern), None, "{pattern}");
        }
        assert!(
            Regex::unanchored("a|b")
                .unwrap()
                .literal_alternatives()
                .is_none()
        );
    }

    #[test]
    fn knows_how_matches_begin() {
        for (pattern, prefix) in [
            ("web-.*", "web-"),
            ("^web-[0-9]+", "web-"),
            ("web.?|x", ""),
            ("(?i)web.*", ""),
            (".*", ""),
        ] {
            let regex = Regex::anchored(pattern).unwrap();
            assert_eq!(regex.literal_prefix(), prefix, "{pattern}");
        }
    }

    #[test]
    fn label_replace_reads_the_pattern_in_its_frame() {
        assert!(Regex::enclosed("a)(b").unwrap().is_match("ab"));
        assert!(Regex::enclosed(r"\Qa").is_err());
        let dotted = Regex::enclosed("(.*):(.*)").unwrap();
        assert_eq!(dotted.expand("a\n:b", "$2$1").as_deref(), Some("ba\n"));
        let plain = Regex::enclosed("db").unwrap();
        assert_eq!(plain.expand("db", "<$0$1>").as_deref(), Some("<db>"));
        assert_eq!(plain.expand("db1", "$0"), None);
    }

    #[test]
    fn a_boundary_is_never_inside_a_character() {
        let regex = Regex::unanchored(r"(\B|\pL)+").unwrap();
        assert!(regex.is_match("1\u{3a3}K x"));
        assert_eq!(
            Regex::unanchored(r"\B").unwrap().replace_all("éé", "-"),
            "-é-é-"
        );
    }

    /// Deep and large patterns are answered on a small stack, in bounded memory.
    #[test]
    fn hostile_patterns_are_refused() {
        let deep = |n: usize| "(".repeat(n) + "x" + &")".repeat(n);
        let ask = move || {
            assert!(Regex::anchored(&deep(998)).unwrap().is_match("x"));
            for (pattern, words) in [
                (deep(999), TOO_DEEP),
                (format!("x{}", r"*\Q\E".repeat(5000)), TOO_DEEP),
                ("(?:".repeat(5000), TOO_DEEP),
                (r"\pL".repeat(20_000), TOO_LARGE),
                ("(a)".repeat(20_000), TOO_LARGE),
                ("a{1000}".repeat(600), TOO_LARGE),
            ] {
                let error = Regex::anchored(&pattern).unwrap_err();
                assert!(error.reason.starts_with(words), "{words}");
            }
        };
        let thread = thread::Builder::new().stack_size(512 << 10).spawn(ask);
        thread.unwrap().join().unwrap();
    }

    proptest! {
        #[test]
        fn any_text_is_accepted_or_refused(
            pattern in "[\\PC\n]{0,24}|[()\\[\\]{}*+?|^$.\\\\a-cpQEPxi<>:,0-9é-]{0,24}",
            text in "[a-c\nKé]{0,8}",
        ) {
            for regex in [Regex::anchored(&pattern), Regex::unanchored(&pattern)].into_iter().flatten() {
                let found = regex.is_match(&text);
                prop_assert_eq!(found, regex.expand(&text, "$0").is_some());
                regex.replace_all(&text, &pattern);
            }
        }

        /// A group asks for the engine.
        #[test]
        fn shortcuts_agree_with_the_engine(
            pieces in prop::collection::vec(prop::sample::select(
                vec!["a", "é", ".", ".*", ".+", ".?", ".{2}", ".{1,3}", ".{2,}", "[ab]", "b?", "(?:a|)"],
            ), 0..5),
            text in "[abé\n]{0,6}",
        ) {
            let pattern = pieces.concat();
            let regex = Regex::anchored(&pattern).unwrap();
            let engine = Regex::anchored(&format!("({pattern})")).unwrap();
            prop_assert_eq!(regex.is_match(&text), engine.expand(&text, "$0").is_some(), "{}", pattern);
            prop_assert_eq!(regex.expand(&text, "<$0>"), engine.expand(&text, "<$1>"), "{}", pattern);
        }

        #[test]
        fn an_escaped_text_matches_only_itself(text in "\\PC{0,12}", other in "\\PC{0,12}") {
            let regex = Regex::anchored(&escaped(&text)).unwrap();
            prop_assert!(regex.is_match(&text));
            prop_assert_eq!(regex.is_match(&other), text == other);
            prop_assert_eq!(regex.literal_alternatives(), Some(std::slice::from_ref(&text)));
        }
    }
}
