//! A matcher of a selector is turned round, or not there.

use crate::model::MatchOp;
use crate::mutate::operator::Operator;
use crate::mutate::pieces::{pieces, with_comma};
use crate::mutate::site::Site;
use crate::text::Span;

pub(super) const ROW: Operator = Operator {
    name: "matcher",
    about: "a matcher of a selector selects what it did not, or is not there",
    by_default: true,
    make,
};

fn make(site: &mut Site<'_>) {
    for (selector, span) in site.selectors() {
        let matchers = pieces(&site.query().text, span, ('{', '}'));
        let name = selector.metric().unwrap_or("the metric");
        for (index, &matcher) in matchers.iter().enumerate() {
            let text = site.text(matcher);
            let outcome = site.outcome();
            if let Some((op, other)) = operator(site, matcher) {
                let remedy = format!(
                    "a test with series of {name} that `{text}` selects, or does not, in which {outcome}"
                );
                site.part(op, other.symbol(), Some(matcher), remedy);
            }
            let remedy =
                format!("a test with series of {name} that `{text}` keeps out, in which {outcome}");
            site.dropped(matcher, with_comma(&matchers, index), remedy);
        }
    }
}

/// Where the operator of a matcher stands, and the one that selects what it does not.
fn operator(site: &Site<'_>, matcher: Span) -> Option<(Span, MatchOp)> {
    let text = site.text(matcher);
    // Before it stands a name, which may be in quotes.
    let name = match text.chars().next()? {
        quote @ ('"' | '\'' | '`') => text.get(1..)?.find(quote)? + 2,
        _ => text.find(['=', '!'])?,
    };
    let rest = text.get(name..)?;
    let start = matcher.start + name + rest.len() - rest.trim_start().len();
    let others = [
        (MatchOp::NotEqual, MatchOp::Equal),
        (MatchOp::NotRegex, MatchOp::Regex),
        (MatchOp::Regex, MatchOp::NotRegex),
        (MatchOp::Equal, MatchOp::NotEqual),
    ];
    let is_here = |(op, _): &&(MatchOp, MatchOp)| rest.trim_start().starts_with(op.symbol());
    let (op, other) = others.iter().find(is_here)?;
    Some((Span::new(start, start + op.symbol().len()), *other))
}
