//! `join-never-matches`: two sides of an operator whose series never find each other.

use std::collections::BTreeSet;

use super::rules::Subject;
use super::tree::{joins, nodes};
use super::{Level, Lint, Look};
use crate::promql::ast::{BinaryOp, Chain, Expr, ExprKind, Link, Side};
use crate::promql::{Known, LabelValue, known_before};
use crate::text::{Diagnostic, Span};

pub(super) const LINT: Lint = Lint {
    name: "join-never-matches",
    level: Level::Warn,
    doc: "two sides of an operator have labels that never agree",
    why: "Between two vectors an operator pairs the series whose labels are equal: all of them, those in `on (…)`, or all but \
          those in `ignoring (…)`. A series with a label that the other side never has finds no partner, nothing is \
          compared, and the alert never fires. Aggregate both sides by the same labels, or name those that count. The \
          labels of some well-known exporters are taken into account.",
    wrong: r#"
- alert: ManyErrors
  expr: sum by (job, code) (rate(errors_total[5m])) / sum by (job) (rate(requests_total[5m])) > 0.1
"#,
    right: r#"
- alert: ManyErrors
  expr: sum by (job) (rate(errors_total[5m])) / sum by (job) (rate(requests_total[5m])) > 0.1
"#,
    look: Look::Query(look),
};

/// No more operators of a chain are looked at: each looks at all that stands before it.
const MAX_LINKS: usize = 50;

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let joins = joins(subject.expr()).into_iter();
    let joins = joins.filter(|(_, index, _)| *index < MAX_LINKS);
    joins.filter_map(|join| one(subject, join)).collect()
}

/// What is known of one side of a join.
struct Of<'k> {
    known: Option<Known>,
    /// Where an aggregation or a join asks for the label, so that it is meant to be there.
    asked: Option<Span>,
    what: &'k str,
}

fn one(subject: &Subject<'_>, (chain, index, link): (&Chain, usize, &Link)) -> Option<Diagnostic> {
    let matching = link.matching();
    if link.op == BinaryOp::Or || matching.fill_left.is_some() || matching.fill_right.is_some() {
        return None;
    }
    let whole = chain.span_to(link);
    let mut labels: BTreeSet<&str> = match matching.on {
        true => matching.labels.iter().map(String::as_str).collect(),
        false => named(chain, index),
    };
    labels.retain(|label| matching.pairs(label) && !label.starts_with("__"));
    // The table of exporters speaks of labels that no query names.
    if !matching.on {
        let spoken = super::lore::SPOKEN.iter().flat_map(|(_, labels)| *labels);
        labels.extend(spoken.filter(|label| matching.pairs(label)));
    }
    let lore =
        |matchers: &[crate::model::Matcher], label: &str| subject.rules.lore(matchers, label, 0);
    for label in labels {
        let left = Of {
            known: known_before(chain, index, label, &lore),
            asked: asked_before(chain, index, label),
            what: "left",
        };
        let right = Of {
            known: subject.rules.known(&link.rhs, label),
            asked: asked(&link.rhs, label),
            what: "right",
        };
        let Some(message) = clash(subject, label, &left, &right, matching.on) else {
            continue;
        };
        let effect = match link.op {
            BinaryOp::Unless => "so `unless` takes nothing away",
            _ => "so nothing comes of it",
        };
        let help = match matching.on {
            true => format!("take {label} out of `on`, or keep it on both sides"),
            false => format!(
                "aggregate both sides by the same labels, or leave it out with `ignoring ({label})` or `on (…)`"
            ),
        };
        let message = format!(
            "`{}` pairs no series: {message}; {effect}",
            link.op.symbol()
        );
        return Some(subject.warn(whole, message).help(help));
    }
    None
}

/// Why no series of one side has the label as one of the other.
fn clash(
    subject: &Subject<'_>,
    label: &str,
    left: &Of<'_>,
    right: &Of<'_>,
    on: bool,
) -> Option<String> {
    if let (Some(a), Some(b)) = (&left.known, &right.known)
        && a.value.excludes(&b.value)
    {
        return Some(format!(
            "{} by `{}`, {} by `{}`",
            is(label, left.what, &a.value),
            subject.written(a.by),
            is(label, right.what, &b.value),
            subject.written(b.by)
        ));
    }
    let lacks = |of: &Of<'_>| matches!(&of.known, Some(Known { value: LabelValue::Is(value), .. }) if value.is_empty());
    for (one, other) in [(left, right), (right, left)] {
        if !lacks(one) || other.known.is_some() || (other.asked.is_none() && !on) {
            continue;
        }
        let by = one.known.as_ref()?.by;
        let why = match other.asked {
            Some(asked) => format!(
                "the {} side is by it in `{}`",
                other.what,
                subject.written(asked)
            ),
            None => "`on` asks for it".to_owned(),
        };
        return Some(format!(
            "the {} side has no label {label} by `{}`, and {why}",
            one.what,
            subject.written(by)
        ));
    }
    None
}

fn is(label: &str, side: &str, value: &LabelValue) -> String {
    match value {
        LabelValue::Is(value) if value.is_empty() => {
            format!("the {side} side has no label {label}")
        }
        LabelValue::Is(value) => format!("on the {side} side {label} is {value:?}"),
        LabelValue::Passes(matchers) => {
            let matchers: Vec<String> = matchers.iter().map(ToString::to_string).collect();
            format!("on the {side} side {}", matchers.join(", "))
        }
    }
}

/// The labels that the sides of an operator name.
fn named(chain: &Chain, index: usize) -> BTreeSet<&str> {
    let sides = chain.links.iter().take(index + 1).map(|link| &link.rhs);
    let mut labels = BTreeSet::new();
    for node in std::iter::once(&*chain.first).chain(sides).flat_map(nodes) {
        match &node.kind {
            ExprKind::Vector(selector) => {
                labels.extend(selector.matchers.iter().map(|it| it.name.as_str()));
            }
            ExprKind::Matrix(matrix) => {
                labels.extend(matrix.selector.matchers.iter().map(|it| it.name.as_str()));
            }
            ExprKind::Aggregate(aggregate) => {
                labels.extend(aggregate.grouping.labels.iter().map(String::as_str));
            }
            ExprKind::Chain(chain) => {
                for link in &chain.links {
                    let group = link.matching().group.iter();
                    labels.extend(group.flat_map(|it| &it.include).map(String::as_str));
                    labels.extend(link.matching().labels.iter().map(String::as_str));
                }
            }
            _ => {}
        }
    }
    labels
}

/// The aggregation or join that asks for a label in what an expression yields.
fn asked(expr: &Expr, label: &str) -> Option<Span> {
    match &expr.kind {
        ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => asked(inner, label),
        ExprKind::Aggregate(aggregate) => {
            let grouping = &aggregate.grouping;
            let is_named = grouping.labels.iter().any(|named| named == label);
            (is_named && !grouping.without).then_some(expr.span)
        }
        // They set labels, or take `le` away.
        ExprKind::Call(call) => match ["label_", "histogram_"]
            .iter()
            .any(|family| call.function.name.starts_with(family))
        {
            true => None,
            false => asked(super::tree::series_argument(call)?, label),
        },
        ExprKind::Subquery(subquery) => asked(&subquery.expr, label),
        ExprKind::Chain(chain) => asked_before(chain, chain.links.len(), label),
        _ => None,
    }
}

fn asked_before(chain: &Chain, links: usize, label: &str) -> Option<Span> {
    let mut found = asked(&chain.first, label);
    for link in chain.links.iter().take(links) {
        let right = asked(&link.rhs, label);
        found = match (link.op, &link.matching().group) {
            (BinaryOp::And | BinaryOp::Unless, _) => found,
            (BinaryOp::Or, _) => found.and(right),
            (_, Some(group)) => {
                let many = match group.side {
                    Side::Left => found,
                    Side::Right => right,
                };
                many.or_else(|| {
                    let includes = group.include.iter().any(|it| it == label);
                    includes.then(|| chain.span_to(link))
                })
            }
            (_, None) => found.or(right).filter(|_| link.matching().pairs(label)),
        };
    }
    found
}
