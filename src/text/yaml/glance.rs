//! A first look at a text that may be YAML, without reading all of it.

/// Whether the outermost mapping of a text has a key. A look at beginnings of lines, or at brackets where the text begins
/// with one, so that a text that is no YAML may have the key too.
pub fn has_top_level_key(text: &str, key: &str) -> bool {
    let begins = |line: &&str| {
        let content = line.trim_start();
        !(content.is_empty()
            || content.starts_with('#')
            || line.starts_with('%')
            // An action of a template, which is no mapping in braces.
            || content.starts_with("{{")
            || line.starts_with("---"))
    };
    let Some(first) = text.lines().map(without_mark).find(begins) else {
        return false;
    };
    if first.trim_start().starts_with('{') {
        return has_key_in_brackets(text, key);
    }
    let indentation = first.len() - first.trim_start().len();
    let lines = text.lines().map(without_mark);
    lines
        .filter_map(|line| line.get(indentation..))
        .any(|line| is_key(line, key))
}

/// Whether a text has a key somewhere: at the beginning of a line, of an element of a list, or in brackets or quotes.
pub fn has_key(text: &str, key: &str) -> bool {
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(key)) {
        let at = from + found;
        let before = text.get(..at).unwrap_or_default();
        let last = before.chars().next_back();
        let after = text.get(at + key.len()..).unwrap_or_default();
        let after = after.trim_start_matches(['"', '\'', '\\', ' ']);
        let is_begin = last.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')));
        // A line break in double quotes.
        if (is_begin || before.ends_with("\\n")) && after.starts_with(':') {
            return true;
        }
        from = at + key.len();
    }
    false
}

/// Whether a line begins with a key and its colon.
fn is_key(line: &str, key: &str) -> bool {
    let rest = ['"', '\'']
        .into_iter()
        .find_map(|mark| {
            line.strip_prefix(mark)?
                .strip_prefix(key)?
                .strip_prefix(mark)
        })
        .or_else(|| line.strip_prefix(key));
    let after = rest.and_then(|rest| rest.trim_start_matches(' ').strip_prefix(':'));
    after.is_some_and(|after| after.is_empty() || after.starts_with([' ', '\t', '\r']))
}

/// Whether a key stands in the outermost braces.
fn has_key_in_brackets(text: &str, key: &str) -> bool {
    let (mut depth, mut quote, mut start) = (0usize, None, 0);
    for (offset, c) in text.char_indices() {
        match (quote, c) {
            (Some(mark), _) if c == mark => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{' | '[') => {
                depth += 1;
                start = offset + 1;
            }
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            (None, ',') => start = offset + 1,
            (None, ':') if depth == 1 => {
                let name = text.get(start..offset).unwrap_or_default().trim();
                if name.trim_matches(['"', '\'']) == key {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// A line without the byte order mark.
fn without_mark(line: &str) -> &str {
    line.trim_start_matches('\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_anywhere() {
        for text in [
            "a:\n  - tests: 1",
            "tests:",
            "{\"a\": {\"tests\": 1}}",
            "a: \"x: 1\\ntests:\\n- b\"",
            "a: \"b\\n\\\"tests\\\": c\"",
        ] {
            assert!(has_key(text, "tests"), "{text:?}");
        }
        for text in ["", "my_tests: 1", "tests_of: 1", "tests", "no tests here"] {
            assert!(!has_key(text, "tests"), "{text:?}");
        }
    }

    #[test]
    fn keys_are_found_at_the_top_only() {
        for text in [
            "tests:\n- {}",
            "# c\n\n---\nrule_files: [a]\ntests: [{}]",
            "  rule_files: []\n  tests: []",
            "\"tests\": []",
            "'tests' : []",
            "{rule_files: [a.yml], tests: [{name: x}]}",
            "{\"rule_files\": [\"a{,}:\"], \"tests\": []}",
            "\u{feff}tests: []",
            "tests:\r\n- {}\r\n",
            "{{- if .Values.tests }}\ntests: []\n{{- end }}",
            "{{- /*\nA comment.\n*/ -}}\n{{- $a := 1 }}\nname: {{ $a }}\ntests: []",
        ] {
            assert!(has_top_level_key(text, "tests"), "{text:?}");
        }
        for text in [
            "",
            "spec:\n  tests: []",
            "tests_of: []",
            "{spec: {tests: []}}",
            "- tests: []",
            "{a: \"tests: \"}",
            "testsé: 1",
        ] {
            assert!(!has_top_level_key(text, "tests"), "{text:?}");
        }
    }
}
