//! What to do about a text that is no template.

use super::functions;
use crate::text::closest;

/// The variables that Prometheus declares before every template.
const VARIABLES: [&str; 4] = ["$labels", "$externalLabels", "$externalURL", "$value"];

/// Parts of Go's complaints, and the way out of them; the first that fits counts.
#[rustfmt::skip]
const WAYS_OUT: [(&str, &str); 26] = [
    ("unclosed action", "close the action with `}}`"),
    ("unclosed comment", "close the comment with `*/}}`"),
    ("comment ends before closing delimiter", "end the action right behind the comment: `*/}}`"),
    ("unclosed left paren", "close the parenthesis before `}}`"),
    ("unexpected right paren", "remove the parenthesis or open one before it"),
    ("unterminated quoted string", "close the string with `\"`; it may not span lines"),
    ("unterminated raw quoted string", "close the string with a backquote"),
    ("unterminated character constant", "write strings in double quotes"),
    ("malformed character constant", "write strings in double quotes"),
    ("invalid syntax", "correct the literal: `\\n`, `\\\"` and `\\\\` are escapes, others must be known to Go"),
    ("integer overflow", "write the number as a float, with `.0`"),
    ("number syntax", "write the number as `1`, `1.5` or `1e3`, with a space behind it"),
    ("bad character", "put a space between words; there are no operators, only functions such as `eq` and `gt`"),
    ("expected :=", "declare a variable with `:=` or assign to it with `=`"),
    ("unrecognized character", "remove the character, or put it into a string"),
    ("missing value", "say on what it depends, such as `{{ if gt $value 1.0 }}`"),
    ("unexpected EOF", "end each `if`, `range`, `with`, `define` and `block` with `{{ end }}`"),
    ("unexpected {{end}}", "remove the `{{ end }}` or open a block before it"),
    ("unexpected {{else}}", "put `{{ else }}` between `{{ if }}` and `{{ end }}`, once"),
    ("expected end; found {{else}}", "a block has one `{{ else }}`; before it `{{ else if }}` may stand"),
    ("outside {{range}}", "leave only loops: use it between `{{ range }}` and `{{ end }}`"),
    ("non executable command", "only functions can stand behind `|`"),
    ("<define>", "define templates outside of other blocks"),
    ("multiple definition", "give the templates different names"),
    ("declar", "a range declares one or two variables: `range $key, $value := ...`"),
    ("unexpected . after term", "put the field behind a variable, a function in parentheses or a space"),
];

/// The way out of one of Go's complaints.
pub(super) fn advice(complaint: &str) -> String {
    if let Some(name) = quoted(complaint, "function ") {
        return function(name);
    }
    if let Some(name) = quoted(complaint, "undefined variable ") {
        return variable(name);
    }
    let found = WAYS_OUT.iter().find(|(part, _)| complaint.contains(part));
    let advice = found.map(|(_, advice)| *advice);
    advice
        .unwrap_or("a template is text with actions such as `{{ $labels.job }}`")
        .to_owned()
}

/// The word in quotes behind a start.
fn quoted<'c>(complaint: &'c str, start: &str) -> Option<&'c str> {
    let rest = complaint.strip_prefix(start)?.strip_prefix('"')?;
    rest.split_once('"').map(|(word, _)| word)
}

fn function(name: &str) -> String {
    if VARIABLES.contains(&format!("${name}").as_str()) {
        return format!("variables start with a dollar sign: `${name}`");
    }
    if name.starts_with(|c: char| c.is_uppercase()) {
        return format!("fields start with a dot: `.{name}`");
    }
    let known: Vec<&str> = functions::names().collect();
    match closest(name, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("put text into quotes, as `\"{name}\"`; labels are `$labels.{name}`"),
    }
}

fn variable(name: &str) -> String {
    match closest(name, &VARIABLES) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "there are {}, and what the template declares before with `{name} := ...`",
            VARIABLES.map(|variable| format!("`{variable}`")).join(", ")
        ),
    }
}
