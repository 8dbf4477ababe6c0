//! An aggregation is another.

use crate::mutate::operator::Operator;
use crate::mutate::site::Site;
use crate::promql::ast::ExprKind;
use crate::text::Span;

pub(super) const ROW: Operator = Operator {
    name: "aggregator",
    about: "an aggregation is another: `sum` and `avg` are `max`, `max` is `min`, `min` is `max`, `count` is `sum`; `topk` and \
            `bottomk` are one another",
    by_default: true,
    make,
};

/// What each becomes.
const OTHERS: [(&str, &str); 7] = [
    ("sum", "max"),
    ("avg", "max"),
    ("max", "min"),
    ("min", "max"),
    ("count", "sum"),
    ("topk", "bottomk"),
    ("bottomk", "topk"),
];

fn make(site: &mut Site<'_>) {
    for part in site.parts() {
        let ExprKind::Aggregate(aggregate) = &part.kind else {
            continue;
        };
        let name = aggregate.op.name;
        let Some((_, other)) = OTHERS.iter().find(|(it, _)| *it == name) else {
            continue;
        };
        let start = part.span.start;
        let remedy = format!(
            "a test in which `{name}` has several series of one group with values that differ, and {}",
            site.outcome()
        );
        site.part(Span::new(start, start + name.len()), other, None, remedy);
    }
}
