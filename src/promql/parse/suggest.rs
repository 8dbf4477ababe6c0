//! What to write instead.

use crate::promql::{aggregations, functions};

use super::metricsql;
use super::syntax::is_grouping_word;
use super::tokens::{Kind, Surroundings, Token};

/// What to write instead of an unknown function.
pub(super) fn function(name: &str) -> String {
    if let Some(advice) = metricsql::function(name) {
        return advice;
    }
    let lower = name.to_ascii_lowercase();
    let names = functions::functions().map(|row| row.name);
    let aggregations = aggregations::AGGREGATIONS.iter().map(|row| row.name);
    match nearest(&lower, aggregations.chain(names)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "functions are named as in Prometheus: `rate`, `sum`, `abs`, …".to_owned(),
    }
}

/// What to write instead of a bad number.
pub(super) fn number(text: &str, message: &str) -> &'static str {
    if message.contains("out of range") {
        return "a duration is at most 292 years, a number less than 1.8e308";
    }
    if text.ends_with('i') {
        return "steps such as `1i` are MetricsQL's: write a length of time such as `1m`";
    }
    let unit = text.ends_with(|c| "smhdwy".contains(c));
    match unit && !text.starts_with("0x") {
        true if text.contains('.') => "a duration has whole numbers: write `1h30m` for 1.5 hours",
        true => "write each unit once, from large to small: `1d12h`, `1h30m`, `500ms`",
        false => "write a number such as `1.5`, `1e3` or `0x1F`, or a duration such as `5m`",
    }
}

/// Where a modifier belongs.
pub(super) fn modifier(word: &str) -> &'static str {
    match word.to_ascii_lowercase().as_str() {
        "bool" => "`bool` stands behind a comparison: `a == bool b`",
        "on" | "ignoring" => {
            "`on (…)` and `ignoring (…)` stand behind an operator: `a + on (job) b`"
        }
        _ => "`group_left` and `group_right` stand behind `on (…)` or `ignoring (…)`",
    }
}

/// What to write where the text ends too early.
pub(super) fn ending(around: &Surroundings<'_>) -> String {
    let Some(previous) = around.previous else {
        return "write an expression".to_owned();
    };
    if previous.text == ")"
        && let Some(word) = around.closed.and_then(|closed| closed.labels_of)
    {
        return format!("write an expression behind `{word} (…)`");
    }
    let moment = around.second.is_some_and(|token| token.text == "@");
    match previous.text {
        "@" => "write unix seconds, `start()` or `end()`".to_owned(),
        word if moment => format!("write `{word}()`"),
        word if word.eq_ignore_ascii_case("offset") => {
            "write a length of time: `offset 5m`".to_owned()
        }
        word if is_grouping_word(word) => format!("write labels in brackets: `{word} (job)`"),
        word => format!("write an expression behind `{word}`"),
    }
}

/// What to do about an unexpected token.
pub(super) fn remedy(token: &Token<'_>, text: &str, around: &Surroundings<'_>) -> String {
    let after = text.get(token.start..).unwrap_or_default();
    let begins = text.trim_start().get(..4).unwrap_or_default();
    if token.text == "=" && begins.eq_ignore_ascii_case("with") {
        return "`WITH` is MetricsQL's: write what it names where it is used".to_owned();
    }
    if let Some(fixed) = slip(token, after, around) {
        return fixed;
    }
    let inside = around.innermost();
    let bracket = inside.map(|open| open.bracket);
    match (token.text, bracket) {
        (")" | "]" | "}", Some(open)) if closes(token.text) != Some(open) => {
            return format!("the bracket `{}` is still open", char::from(open));
        }
        (")" | "]" | "}", None) => return "remove it, or open the bracket it closes".to_owned(),
        (_, Some(b'{')) => return in_braces(token, around),
        (unit, Some(b'[')) if is_unit(unit) => {
            return "write number and unit together: `[5m]`".to_owned();
        }
        (_, Some(b'[')) => {
            return "write a length of time: `[5m]`, or `[1h:5m]` for a subquery".to_owned();
        }
        _ if inside.is_some_and(|open| open.labels_of.is_some()) => {
            return "list labels with commas: `(job, instance)`".to_owned();
        }
        _ => {}
    }
    let Some(previous) = around.previous else {
        return "a query starts with an expression: `up == 0`".to_owned();
    };
    match previous {
        p if p.kind == Kind::Word && is_grouping_word(p.text) => {
            format!("put the labels in brackets: `{} (job)`", p.text)
        }
        p if p.text == "@" => "write unix seconds, `start()` or `end()`".to_owned(),
        p if p.is_word("offset") => "write a length of time: `offset 5m`".to_owned(),
        p if p.ends_operand() => between_operands(token, &previous),
        p => format!("write an expression behind `{}`", p.text),
    }
}

/// Habits from other languages.
fn slip(token: &Token<'_>, after: &str, around: &Surroundings<'_>) -> Option<String> {
    let bracket = around.innermost().map(|open| open.bracket);
    let outside = bracket != Some(b'{');
    let previous = around.previous.map(|token| token.text);
    let remedy = match token.text {
        "&&" => "write `and`",
        "||" => "write `or`",
        "!" if outside => "write `unless` for “and not”, `!=` for “is not”",
        "=" if matches!(previous, Some("=" | "==")) => "write one `=`",
        _ if outside && previous == Some("not") => "write `unless` for “and not”",
        "==" if !outside => "write one `=`",
        "=" if outside => "compare with `==`",
        "=~" | "!~" if outside => "match labels inside braces: `metric{label=~\"…\"}`",
        ">" if previous == Some("<") => "write `!=`",
        ";" if outside => "remove it: a query is one expression",
        "“" | "”" | "‘" | "’" => "write straight quotes",
        "$" => "variables of dashboards mean nothing here: write the value, such as `5m`",
        "{" if after.starts_with("{{") || previous == Some("{") => {
            "templates are not expanded in expressions: write the value"
        }
        _ => return None,
    };
    Some(remedy.to_owned())
}

fn in_braces(token: &Token<'_>, around: &Surroundings<'_>) -> String {
    let follows_name = around.previous.is_some_and(|p| p.kind == Kind::Word);
    let follows_value = around.previous.is_some_and(|p| p.kind == Kind::String);
    let follows_operator = around
        .previous
        .is_some_and(|p| p.text.ends_with(['=', '~']));
    match token.kind {
        Kind::Word | Kind::Number if follows_operator => {
            format!("put the value in quotes: `\"{}\"`", token.text)
        }
        _ if follows_operator => "write a value in quotes".to_owned(),
        _ if follows_name => "write `=`, `!=`, `=~` or `!~` behind the label".to_owned(),
        _ if follows_value => "separate matchers with commas, and close them with `}`".to_owned(),
        _ => "write matchers such as `job=\"api\"`; other label names go in quotes".to_owned(),
    }
}

fn between_operands(token: &Token<'_>, previous: &Token<'_>) -> String {
    const WORDS: [&str; 14] = [
        "and",
        "or",
        "unless",
        "offset",
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "bool",
        "atan2",
        "anchored",
        "smoothed",
    ];
    let lower = token.text.to_ascii_lowercase();
    if let Some(advice) = metricsql::operator(&lower) {
        return advice.to_owned();
    }
    if previous.kind == Kind::Number && is_unit(token.text) {
        return format!(
            "write number and unit together: `{}{}`",
            previous.text, token.text
        );
    }
    if token.kind == Kind::Word
        && !WORDS.contains(&lower.as_str())
        && let Some(near) = nearest(&lower, WORDS.into_iter())
    {
        return format!("did you mean `{near}`?");
    }
    match token.text {
        "," => "remove the comma: it separates arguments in brackets".to_owned(),
        text if text.eq_ignore_ascii_case("by") || text.eq_ignore_ascii_case("without") => {
            format!("only aggregations take `{text}`: `sum {text} (job) (…)`")
        }
        text if !text.is_ascii() => {
            "put names with such characters in quotes: `{\"größe\"}`".to_owned()
        }
        _ => "write an operator between the two expressions".to_owned(),
    }
}

fn is_unit(text: &str) -> bool {
    matches!(text, "ms" | "s" | "m" | "h" | "d" | "w" | "y")
}

fn closes(bracket: &str) -> Option<u8> {
    match bracket {
        ")" => Some(b'('),
        "]" => Some(b'['),
        "}" => Some(b'{'),
        _ => None,
    }
}

/// The nearest of some words, if it is near.
fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    /// Beyond this nothing is a misspelling.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    // One letter in three is a misspelling, more is another word; short words take one.
    let limit = (word.len() / 3).clamp(1, 3);
    // Of words equally near, one that goes on where the word stops is meant: `rat` is `rate`, not `rad`.
    let distances = words.map(|candidate| {
        let continues = candidate.starts_with(word);
        (distance(word, candidate), !continues, candidate)
    });
    let (least, _, candidate) = distances.min()?;
    (least <= limit && least < word.len()).then_some(candidate)
}

/// How many letters must be added, removed, changed or swapped with the next.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let mut least = (last[j + 1] + 1).min(row[j] + 1);
            least = least.min(last[j] + usize::from(x != y));
            let swapped = i > 0 && j > 0 && a[i - 1] == y && b[j - 1] == x;
            if swapped {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_find_their_word() {
        for (wrong, right) in [
            ("rat", "rate"),
            ("historgam_quantile", "histogram_quantile"),
            ("increse", "increase"),
            ("summ", "sum"),
            ("avg_overtime", "avg_over_time"),
        ] {
            assert_eq!(function(wrong), format!("did you mean `{right}`?"));
        }
        assert!(!function("frobnicate_everything").contains("did you mean"));
    }

    #[test]
    fn distances_count_swaps_once() {
        assert_eq!(distance("offest", "offset"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
