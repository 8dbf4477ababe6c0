//! A label of `by`, `without`, `on` or `ignoring` is not named.

use crate::mutate::operator::Operator;
use crate::mutate::pieces::{pieces, with_comma, word};
use crate::mutate::site::Site;
use crate::promql::ast::ExprKind;
use crate::text::Span;

pub(super) const ROW: Operator = Operator {
    name: "grouping",
    about: "a label of `by`, `without`, `on` or `ignoring` is not named",
    by_default: true,
    make,
};

fn make(site: &mut Site<'_>) {
    for part in site.parts() {
        match &part.kind {
            ExprKind::Aggregate(aggregate) => {
                let children = part.children();
                let (Some(first), Some(last)) = (children.first(), children.last()) else {
                    continue;
                };
                let keyword = if aggregate.grouping.without {
                    "without"
                } else {
                    "by"
                };
                let head = Span::new(part.span.start + aggregate.op.name.len(), first.span.start);
                let tail = Span::new(last.span.end, part.span.end);
                dropped(site, &[head, tail], keyword);
            }
            ExprKind::Chain(chain) => {
                for link in &chain.links {
                    let keyword = if link.matching().on { "on" } else { "ignoring" };
                    let between = Span::new(site.symbol(link.op_span).end, link.rhs.span.start);
                    dropped(site, &[between], keyword);
                }
            }
            _ => {}
        }
    }
}

/// Takes each label out of the list behind a word, which stands in one of some parts of the query.
fn dropped(site: &mut Site<'_>, parts: &[Span], keyword: &str) {
    let text = &site.query().text;
    let found = parts
        .iter()
        .find_map(|part| Some((word(text, *part, keyword)?, part.end)));
    let Some((word, end)) = found else {
        return;
    };
    let labels = pieces(text, Span::new(word.end, end), ('(', ')'));
    for (index, &label) in labels.iter().enumerate() {
        let name = site.text(label);
        let remedy = format!(
            "a test with series that differ in {name} alone, in which {}",
            site.outcome()
        );
        site.dropped(label, with_comma(&labels, index), remedy);
    }
}
