//! Replacement texts: `$1`, `${1}`, `$name`, as Go's `Regexp.Expand` reads them.

use super::super::unicode::{is_digit, is_letter};

/// What a template asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference<'t> {
    /// A group by its number; 0 is the whole match.
    Number(usize),
    /// A group by its name.
    Name(&'t str),
}

/// Appends a template to `out`, each reference replaced by what `group` answers. `$$` is a dollar; a
/// dollar that begins no reference stays.
pub(super) fn expand<'m>(
    template: &str,
    group: impl Fn(Reference<'_>) -> Option<&'m str>,
    out: &mut String,
) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((reference, after)) = reference(after) {
            out.push_str(group(reference).unwrap_or(""));
            rest = after;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
}

/// The reference at the start of a text that follows a dollar, and what follows it.
fn reference(text: &str) -> Option<(Reference<'_>, &str)> {
    let bare = text.strip_prefix('{').unwrap_or(text);
    let in_name = |c: char| is_letter(c) || is_digit(c) || c == '_';
    let length = bare.find(|c| !in_name(c)).unwrap_or(bare.len());
    let (name, rest) = bare.split_at(length);
    if name.is_empty() {
        return None;
    }
    let braced = text.starts_with('{');
    let rest = match braced {
        true => rest.strip_prefix('}')?,
        false => rest,
    };
    Some((number_or_name(name), rest))
}

/// Up to nine digits without a leading zero are a number, anything else is a name.
fn number_or_name(name: &str) -> Reference<'_> {
    let number = name == "0" || (name.len() <= 9 && !name.starts_with('0'));
    let digits = name.bytes().all(|c| c.is_ascii_digit());
    match name.parse() {
        Ok(index) if number && digits => Reference::Number(index),
        _ => Reference::Name(name),
    }
}
