//! `never-true`: a comparison that no value passes.

use super::rules::Subject;
use super::tree::{comparisons, metric, number, selector};
use super::{Level, Lint, Look};
use crate::model::number::format_digits;
use crate::promql::ast::{BinaryOp, Expr, ExprKind};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "never-true",
    level: Level::Warn,
    doc: "a comparison that no value can pass, such as `count(…) == 0`",
    why: "`count` of nothing is nothing, not 0: where there is a result it is 1 or more, and where there are no series there \
          is no result. The same goes for `absent`, which is 1 or not there. To ask whether there are none write \
          `absent(…)`; to have a 0 write `count(…) or vector(0)`.",
    wrong: r#"
- alert: NoWorker
  expr: count(up{job="worker"} == 1) == 0
"#,
    right: r#"
- alert: NoWorker
  expr: absent(up{job="worker"} == 1)
"#,
    look: Look::Query(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for compared in comparisons(subject.expr()) {
        let Some(bound) = number(compared.bound) else {
            continue;
        };
        let (low, high) = range(compared.value);
        let is_possible = match compared.op {
            BinaryOp::Equal => low <= bound && bound <= high,
            BinaryOp::Less => low < bound,
            BinaryOp::LessEqual => low <= bound,
            BinaryOp::Greater => high > bound,
            BinaryOp::GreaterEqual => high >= bound,
            _ => true,
        };
        if is_possible {
            continue;
        }
        let what = match (low, high) {
            (low, f64::INFINITY) => format!("{} or more", format_digits(low, 6)),
            (low, high) if low == high => format!("always {}", format_digits(low, 6)),
            (f64::NEG_INFINITY, high) => format!("at most {}", format_digits(high, 6)),
            (low, high) => format!(
                "between {} and {}",
                format_digits(low, 6),
                format_digits(high, 6)
            ),
        };
        let message = format!(
            "never true: `{}` is {what} where there is any",
            subject.written(compared.value.span)
        );
        let help = match bound == 0.0 || bound == 1.0 {
            true => "to ask whether there are none write `absent(…)`; `… or vector(0)` yields a 0",
            false => "correct the number or the comparison",
        };
        found.push(subject.warn(compared.span, message).help(help));
    }
    found
}

const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

const POSITIVE: (f64, f64) = (0.0, f64::INFINITY);

/// Between what the values of an expression lie, NaN aside. Counters are taken not to be negative.
pub(super) fn range(expr: &Expr) -> (f64, f64) {
    if let Some(value) = number(expr) {
        return (value, value);
    }
    match &expr.kind {
        ExprKind::Paren(inner) => range(inner),
        ExprKind::Vector(_) => match selector(expr).and_then(metric) {
            Some("up") => (0.0, 1.0),
            _ => ANY,
        },
        ExprKind::Aggregate(aggregate) => {
            let inner = range(&aggregate.expr);
            match aggregate.op.name {
                "count" | "count_values" => (1.0, f64::INFINITY),
                "group" => (1.0, 1.0),
                "stddev" | "stdvar" => POSITIVE,
                "avg" | "min" | "max" | "topk" | "bottomk" | "limitk" => inner,
                "sum" if inner.0 >= 0.0 => (inner.0, f64::INFINITY),
                _ => ANY,
            }
        }
        ExprKind::Call(call) => of_call(call.function.name, call.args.first()),
        ExprKind::Chain(chain) => {
            let mut known = range(&chain.first);
            for link in &chain.links {
                let right = range(&link.rhs);
                known = match link.op {
                    BinaryOp::Or => (known.0.min(right.0), known.1.max(right.1)),
                    BinaryOp::And | BinaryOp::Unless => known,
                    op if op.is_comparison() && link.return_bool => (0.0, 1.0),
                    op if op.is_comparison() && number(&chain.first).is_none() => known,
                    op if op.is_comparison() => right,
                    BinaryOp::Add if known.0 >= 0.0 && right.0 >= 0.0 => {
                        (known.0 + right.0, known.1 + right.1)
                    }
                    BinaryOp::Mul | BinaryOp::Div if known.0 >= 0.0 && right.0 >= 0.0 => POSITIVE,
                    _ => ANY,
                };
            }
            known
        }
        _ => ANY,
    }
}

fn of_call(name: &str, argument: Option<&Expr>) -> (f64, f64) {
    match name {
        "absent" | "absent_over_time" | "present_over_time" => (1.0, 1.0),
        "count_over_time" => (1.0, f64::INFINITY),
        "abs" | "changes" | "resets" | "increase" | "rate" | "irate" | "sqrt"
        | "stddev_over_time" | "stdvar_over_time" | "histogram_count" => POSITIVE,
        "hour" => (0.0, 23.0),
        "minute" => (0.0, 59.0),
        "day_of_week" => (0.0, 6.0),
        "day_of_month" => (1.0, 31.0),
        "month" => (1.0, 12.0),
        "sort" | "sort_desc" | "last_over_time" | "max_over_time" | "min_over_time"
        | "avg_over_time" | "label_replace" | "label_join" => argument.map_or(ANY, of_series),
        _ => ANY,
    }
}

/// The same of an argument, which may be a range.
fn of_series(expr: &Expr) -> (f64, f64) {
    match &expr.kind {
        ExprKind::Paren(inner) => of_series(inner),
        ExprKind::Subquery(subquery) => range(&subquery.expr),
        ExprKind::Matrix(_) => match selector(expr).and_then(metric) {
            Some("up") => (0.0, 1.0),
            _ => ANY,
        },
        _ => range(expr),
    }
}
