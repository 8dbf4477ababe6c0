//! Finds the nodes at which something went, and asks for the causes.

use super::tree::{Seen, Shape};
use super::{Cause, Explainer, Finding, Mark, Value};
use crate::model::number::format_value;
use crate::promql::aggregations::AggregationKind;
use crate::promql::ast::{Aggregate, BinaryOp, Call, Expr, ExprKind, Link};
use crate::promql::functions::Body;

impl Explainer<'_> {
    /// What there is to say of a query, in the order of the expression.
    pub(super) fn findings(&self, root: &Seen<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        match root.is_failed() || root.is_empty() {
            true => self.blame(root, &mut found),
            false => self.remark(root, &mut found),
        }
        found.sort_by_key(|finding| finding.span.start);
        found
    }

    /// Follows an empty or failed node down to where that began.
    fn blame(&self, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        let deeper = deeper(seen);
        if !deeper.is_empty() {
            for child in deeper {
                self.blame(child, found);
            }
            return;
        }
        seen.mark.set(match seen.is_failed() {
            true => Mark::Failed,
            false => Mark::Emptied,
        });
        for cause in self.causes(seen) {
            found.push(finding(seen, cause));
        }
        self.not_a_number(seen, found);
    }

    /// Why an empty or failed node is, of which all nodes below are neither.
    fn causes(&self, seen: &Seen<'_>) -> Vec<Cause> {
        if let Value::Failed(message) = &seen.value {
            let twins = link(seen).and_then(|(link, left, right)| self.twins(link, left, right));
            return vec![Cause::Failed {
                message: message.clone(),
                twins,
            }];
        }
        if let Some((link, left, right)) = link(seen) {
            return self.of_operator(seen, link, left, right);
        }
        let Shape::Expr(expr) = seen.shape else {
            return Vec::new();
        };
        let cause = match &expr.kind {
            ExprKind::Vector(_) | ExprKind::Matrix(_) => self.of_selector(seen),
            ExprKind::Subquery(subquery) => {
                let steps = self.steps(subquery, seen.moment);
                let without = steps.filter(|steps| steps.last.is_none());
                without.map(|steps| Cause::NoStep {
                    range: steps.range,
                    step: steps.step,
                })
            }
            ExprKind::Call(call) => self.of_call(seen, call),
            _ => None,
        };
        vec![cause.unwrap_or_else(|| nothing(seen))]
    }

    fn of_operator(
        &self,
        seen: &Seen<'_>,
        link: &Link,
        left: &Seen<'_>,
        right: &Seen<'_>,
    ) -> Vec<Cause> {
        if link.op == BinaryOp::Unless {
            return vec![Cause::Removed(self.removed(link, left, right))];
        }
        let compared = self.compared(link, left, right).map(Cause::Compared);
        let unpaired = self.no_partner(link, left, right).map(Cause::NoPartner);
        let causes: Vec<Cause> = compared.into_iter().chain(unpaired).collect();
        match causes.is_empty() {
            true => vec![nothing(seen)],
            false => causes,
        }
    }

    fn of_call(&self, seen: &Seen<'_>, call: &Call) -> Option<Cause> {
        let function = call.function.name;
        if let Some(argument) = argument(seen)
            && is_absence(call)
        {
            let labels = super::compare::labels(argument);
            return Some(Cause::Present {
                function,
                count: labels.len(),
                some: labels.into_iter().take(super::MAX_NAMED).collect(),
            });
        }
        self.few_samples(seen, call)
            .map(Cause::FewSamples)
            .or_else(|| self.no_buckets(seen, call))
    }

    /// What there is to say of a node that yields something: what was let through, and what might not be meant.
    fn remark(&self, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        self.not_a_number(seen, found);
        if let Some((link, left, right)) = link(seen) {
            return self.remark_operator(seen, link, left, right, found);
        }
        let Shape::Expr(Expr { kind, .. }) = seen.shape else {
            return;
        };
        match kind {
            ExprKind::Call(call) if is_absence(call) => {
                let function = call.function.name;
                found.push(finding(seen, Cause::Absent { function }));
                for child in seen.children.iter().filter(|child| child.is_empty()) {
                    self.blame(child, found);
                }
            }
            // At which step it is true is not asked.
            ExprKind::Subquery(_) => {}
            _ => {
                for child in &seen.children {
                    match child.is_empty() {
                        true => self.blame(child, found),
                        false => self.remark(child, found),
                    }
                }
            }
        }
    }

    fn remark_operator(
        &self,
        seen: &Seen<'_>,
        link: &Link,
        left: &Seen<'_>,
        right: &Seen<'_>,
        found: &mut Vec<Finding>,
    ) {
        let sides = |found: &mut Vec<Finding>| {
            for side in [left, right] {
                match side.is_empty() {
                    true => self.blame(side, found),
                    false => self.remark(side, found),
                }
            }
        };
        match link.op {
            BinaryOp::Unless => {
                self.remark(left, found);
                if right.is_empty() {
                    found.push(finding(seen, Cause::NothingToRemove));
                    self.blame(right, found);
                }
            }
            BinaryOp::And | BinaryOp::Or => sides(found),
            op => {
                if let Some(unpaired) = self.no_partner(link, left, right)
                    && unpaired.alone > 0
                {
                    found.push(finding(seen, Cause::NoPartner(unpaired)));
                }
                if op.is_comparison() {
                    let compared = self.compared(link, left, right);
                    found.extend(compared.map(|it| finding(seen, Cause::Compared(it))));
                }
                sides(found);
            }
        }
    }
}

/// Something to say of a node.
pub(super) fn finding(seen: &Seen<'_>, cause: Cause) -> Finding {
    Finding {
        span: seen.span,
        cause,
    }
}

/// An operator with its sides.
pub(super) fn link<'s, 'q>(seen: &'s Seen<'q>) -> Option<(&'q Link, &'s Seen<'q>, &'s Seen<'q>)> {
    let (left, right) = seen.sides()?;
    match seen.shape {
        Shape::Link(link) => Some((link, left, right)),
        Shape::Expr(_) => None,
    }
}

/// The first argument of a call.
pub(super) fn argument<'s, 'q>(seen: &'s Seen<'q>) -> Option<&'s Seen<'q>> {
    seen.children.first()
}

/// Whether a call asks whether there is nothing.
fn is_absence(call: &Call) -> bool {
    matches!(call.function.body, Body::AbsentOverTime) || call.function.name == "absent"
}

/// What there is to say of any empty node, and what Prometheus says of it and not of those below.
fn nothing(seen: &Seen<'_>) -> Cause {
    let below: Vec<&String> = seen
        .children
        .iter()
        .flat_map(|child| &child.notes)
        .collect();
    let own = seen.notes.iter().filter(|note| !below.contains(note));
    let kind = match seen.shape {
        Shape::Expr(Expr { kind, .. }) => known(kind, seen),
        Shape::Link(_) => None,
    };
    Cause::Nothing {
        notes: kind.into_iter().chain(own.cloned()).collect(),
    }
}

/// What is known of some that drop everything.
fn known(kind: &ExprKind, seen: &Seen<'_>) -> Option<String> {
    match kind {
        ExprKind::Call(call) if matches!(call.function.body, Body::HistogramPart(_)) => {
            Some(format!(
                "{} takes native histograms, and these samples are floats",
                call.function.name
            ))
        }
        ExprKind::Aggregate(aggregate)
            if matches!(aggregate.op.kind, AggregationKind::Select(_)) =>
        {
            let Value::Scalar(number) = seen.children.first()?.value else {
                return None;
            };
            Some(format!(
                "{} takes as many as its parameter says, which is {}",
                aggregate.op.name,
                format_value(number)
            ))
        }
        _ => None,
    }
}

/// The nodes below that explain why one is empty or failed.
fn deeper<'s, 'q>(seen: &'s Seen<'q>) -> Vec<&'s Seen<'q>> {
    if seen.is_failed() {
        return seen
            .children
            .iter()
            .filter(|child| child.is_failed())
            .collect();
    }
    if let Some((link, left, right)) = link(seen) {
        let matching = link.matching();
        let both = left.is_empty() && right.is_empty();
        // What fills in for a missing side lets nothing go.
        let explains_left = both || matching.fill_left.is_none();
        let explains_right = link.op != BinaryOp::Unless && (both || matching.fill_right.is_none());
        let sides = [(left, explains_left), (right, explains_right)].into_iter();
        let sides = sides.filter(|(side, explains)| *explains && side.is_empty());
        return sides.map(|(side, _)| side).collect();
    }
    match seen.shape {
        Shape::Expr(Expr {
            kind: ExprKind::Call(call),
            ..
        }) if is_absence(call) => Vec::new(),
        Shape::Expr(Expr {
            kind: ExprKind::Aggregate(aggregate),
            ..
        }) => input(aggregate, seen)
            .filter(|it| it.is_empty())
            .into_iter()
            .collect(),
        _ => seen
            .children
            .iter()
            .filter(|child| child.is_empty())
            .collect(),
    }
}

/// What is aggregated.
pub(super) fn input<'s, 'q>(aggregate: &Aggregate, seen: &'s Seen<'q>) -> Option<&'s Seen<'q>> {
    seen.children.get(usize::from(aggregate.param.is_some()))
}
