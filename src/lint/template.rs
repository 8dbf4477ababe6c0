//! What stands around the actions of templates.

use crate::rules::template::Template;
use crate::text::Span;

/// The text between the actions of a template, each piece with where it begins.
pub(super) fn texts(template: &Template) -> Vec<(usize, &str)> {
    let whole = template.text();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(rest) = whole.get(at..) {
        let Some(open) = rest.find("{{") else {
            found.push((at, rest));
            break;
        };
        found.push((at, rest.get(..open).unwrap_or_default()));
        let action = rest.get(open..).unwrap_or_default();
        at += open + action.find("}}").map_or(action.len(), |close| close + 2);
    }
    found
}

/// What follows the action in which something stands, up to the next.
pub(super) fn text_after(template: &Template, part: Span) -> &str {
    let rest = template.text().get(part.end..).unwrap_or_default();
    let after = rest.split_once("}}").map_or("", |(_, after)| after);
    after.split("{{").next().unwrap_or_default()
}
