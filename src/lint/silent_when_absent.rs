//! `silent-when-absent`: an alert on too little of something that says nothing when there is none.

use std::collections::HashSet;

use super::rules::Subject;
use super::tree::{comparisons, metric, nodes, number, selector};
use super::{Level, Lint, Look, Rules};
use crate::model::Matcher;
use crate::promql::ast::{BinaryOp, Expr, ExprKind, VectorSelector};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "silent-when-absent",
    level: Level::Pedantic,
    doc: "an alert whose metric nobody watches with `absent`",
    why: "Where an exporter, a label or a whole service is gone there is no series to compare, so no alert: it looks healthy. \
          Have one alert on `absent(…)` for each metric that alerts stand on, or `or absent(…)` in the alert itself.",
    wrong: r#"
- alert: QueueStuck
  expr: rate(messages_sent_total[5m]) < 1
"#,
    right: r#"
- alert: QueueStuck
  expr: rate(messages_sent_total[5m]) < 1 or absent(messages_sent_total)
"#,
    look: Look::Rules(look),
};

fn look(rules: &Rules<'_>) -> Vec<Diagnostic> {
    let guards = Guards::of(rules);
    let mut found = Vec::new();
    for (subject, _) in rules.alerts() {
        let Some((node, name)) = unguarded(&guards, subject) else {
            continue;
        };
        let message = format!("silent when {name} is gone: no rule here asks whether it is absent");
        let help = format!("add `or absent({name})`, or an alert on it");
        found.push(subject.warn(node.span, message).help(help));
    }
    found
}

/// The first metric of which nothing is said where it is absent.
fn unguarded<'s>(guards: &Guards<'_>, subject: Subject<'s>) -> Option<(&'s Expr, &'s str)> {
    let expr = subject.expr();
    let is_compared = comparisons(expr)
        .iter()
        .any(|it| number(it.bound).is_some());
    if !is_compared || is_filled(expr) {
        return None;
    }
    let own = asked(expr);
    let mut named = nodes(expr).into_iter().filter_map(|node| {
        let is_selector = matches!(node.kind, ExprKind::Vector(_) | ExprKind::Matrix(_));
        Some((node, metric(selector(node).filter(|_| is_selector)?)?))
    });
    named.find(|(_, name)| {
        let is_watched = own.contains(name) || guards.watch_in(expr, name);
        !is_watched && subject.rules.recording(name).is_empty()
    })
}

/// The metrics of which somebody asks whether they are absent.
pub(super) struct Guards<'r> {
    /// Those that an alert watches which does nothing else.
    watched: HashSet<&'r str>,
    /// What alerts ask for beside something else: they have their own series in mind, and others only by the way.
    beside: Vec<&'r VectorSelector>,
}

impl<'r> Guards<'r> {
    /// Those of all alerts.
    pub fn of(rules: &'r Rules<'_>) -> Guards<'r> {
        let exprs = rules.alerts().map(|(subject, _)| subject.expr());
        let (guards, others): (Vec<&Expr>, Vec<&Expr>) = exprs.partition(|expr| is_guard(expr));
        let beside = others.into_iter().flat_map(sides).filter(|it| is_guard(it));
        Guards {
            watched: guards.into_iter().flat_map(asked).collect(),
            beside: beside.flat_map(nodes).filter_map(selector).collect(),
        }
    }

    /// Whether somebody asks of an alert's metric, be it the alert itself.
    pub fn watch(&self, subject: Subject<'_>, name: &str) -> bool {
        let expr = subject.expr();
        self.watch_in(expr, name) || asked(expr).contains(name) || is_filled(expr)
    }

    /// Whether somebody asks for all that is selected of a metric.
    fn watch_in(&self, expr: &Expr, name: &str) -> bool {
        let selectors = nodes(expr).into_iter().filter_map(selector);
        let mut own = selectors.filter(|it| metric(it) == Some(name));
        // Where none of these is there, none is that meets more conditions.
        let is_asked_for = |own: &VectorSelector| {
            self.beside
                .iter()
                .any(|guard| own.matchers.iter().all(|it| has_matcher(guard, it)))
        };
        self.watched.contains(name) || own.all(is_asked_for)
    }
}

/// The metrics below calls that ask whether they are absent.
fn asked(expr: &Expr) -> HashSet<&str> {
    let calls = nodes(expr).into_iter().filter(|node| is_absence(node));
    let below = calls.flat_map(nodes).filter_map(selector);
    below.filter_map(metric).collect()
}

/// Whether a call asks for absence.
fn is_absence(node: &Expr) -> bool {
    matches!(&node.kind, ExprKind::Call(call) if call.function.name.starts_with("absent"))
}

/// The sides of an alert's `or`.
fn sides(expr: &Expr) -> Vec<&Expr> {
    let expr = expr.unwrap_parens();
    match &expr.kind {
        ExprKind::Chain(chain) if chain.links.iter().all(|link| link.op == BinaryOp::Or) => {
            let right = chain.links.iter().map(|link| &link.rhs);
            let all = std::iter::once(&*chain.first).chain(right);
            all.flat_map(sides).collect()
        }
        _ => vec![expr],
    }
}

fn has_matcher(selector: &VectorSelector, wanted: &Matcher) -> bool {
    let is_wanted =
        |it: &Matcher| (it.op, &it.name, &it.value) == (wanted.op, &wanted.name, &wanted.value);
    selector.matchers.iter().any(is_wanted)
}

/// Whether an alert does nothing but ask for absent metrics.
fn is_guard(expr: &Expr) -> bool {
    let expr = expr.unwrap_parens();
    match &expr.kind {
        ExprKind::Chain(chain) => {
            let mut sides =
                std::iter::once(&*chain.first).chain(chain.links.iter().map(|link| &link.rhs));
            let is_or = chain.links.iter().all(|link| link.op == BinaryOp::Or);
            let is_of_sets = chain.links.iter().any(|link| link.op.is_set());
            match (is_or, is_of_sets) {
                (true, _) => sides.all(is_guard),
                (_, true) => false,
                // Compared or multiplied with a number it is the same question.
                _ => is_guard(&chain.first) && sides.skip(1).all(|side| number(side).is_some()),
            }
        }
        ExprKind::Call(call) if call.function.name.starts_with("label_") => {
            call.args.first().is_some_and(is_guard)
        }
        ExprKind::Aggregate(aggregate) => is_guard(&aggregate.expr),
        _ => is_absence(expr),
    }
}

/// Whether a missing side is filled: `… or vector(0)`.
fn is_filled(expr: &Expr) -> bool {
    nodes(expr).into_iter().any(|node| {
        match &node.kind {
        ExprKind::Chain(chain) => chain.links.iter().any(|link| {
            let right = nodes(&link.rhs);
            let is_vector = |node: &&Expr| {
                matches!(&node.kind, ExprKind::Call(call) if call.function.name == "vector")
            };
            link.op == BinaryOp::Or && right.iter().any(is_vector)
        }),
        _ => false,
    }
    })
}
