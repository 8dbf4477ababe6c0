//! Functions of whole vectors: labels, order, presence.

use std::cmp::Ordering;

use super::{Arguments, Body, Function};
use crate::model::{Labels, METRIC_NAME, MatchOp, Matcher, Regex};
use crate::promql::ast::ValueType::{self, Scalar, String as Text, Vector};
use crate::promql::ast::{Expr, ExprKind};
use crate::promql::column::{Column, ColumnSeries, EvalError, Sample};

/// Every such function.
pub(super) static ROWS: &[Function] = &[
    row(
        "vector",
        &[Scalar],
        0,
        vector,
        "A scalar as a vector of one series without labels.",
    ),
    row(
        "absent",
        &[Vector],
        0,
        absent,
        "1 where the vector is empty, with the labels that its matchers fix.",
    ),
    row(
        "label_replace",
        &[Vector, Text, Text, Text, Text],
        0,
        label_replace,
        "Sets a label from another one, where a regular expression matches it.",
    )
    .keeping_name(),
    row(
        "label_join",
        &[Vector, Text, Text, Text],
        -1,
        label_join,
        "Sets a label to others joined by a separator.",
    )
    .keeping_name(),
    row(
        "sort",
        &[Vector],
        0,
        |arguments| Ok(sort(arguments, |a, b| a.partial_cmp(&b))),
        "Rising by value.",
    )
    .keeping_name(),
    row(
        "sort_desc",
        &[Vector],
        0,
        |arguments| Ok(sort(arguments, |a, b| b.partial_cmp(&a))),
        "Falling by value.",
    )
    .keeping_name(),
    row(
        "sort_by_label",
        &[Vector, Text],
        -1,
        |arguments| Ok(sort_by_label(arguments, false)),
        "Rising by labels, in natural order.",
    )
    .keeping_name()
    .experimental(),
    row(
        "sort_by_label_desc",
        &[Vector, Text],
        -1,
        |arguments| Ok(sort_by_label(arguments, true)),
        "Falling by labels, in natural order.",
    )
    .keeping_name()
    .experimental(),
    Function::new(
        "timestamp",
        Body::Timestamp,
        "Time of every sample in seconds.",
    )
    .of_its_time(),
    Function::new(
        "absent_over_time",
        Body::AbsentOverTime,
        "1 where the windows are empty, with the labels that the matchers fix.",
    ),
    Function::new("info", Body::Info, "Adds the labels of info metrics.")
        .keeping_name()
        .experimental(),
    row(
        "start_timestamp",
        &[Vector],
        0,
        |_| Ok(Vec::new()),
        "When the counter of every sample started, in seconds; nothing where that is not recorded.",
    )
    .experimental(),
];

const fn row(
    name: &'static str,
    params: &'static [ValueType],
    variadic: i32,
    body: fn(&mut Arguments<'_>) -> Result<Vec<ColumnSeries>, EvalError>,
    doc: &'static str,
) -> Function {
    Function::new(
        name,
        Body::Vector {
            params,
            variadic,
            body,
        },
        doc,
    )
}

fn vector(arguments: &mut Arguments<'_>) -> Result<Vec<ColumnSeries>, EvalError> {
    let mut column = Column::absent(arguments.ticks.count);
    for tick in 0..arguments.ticks.count {
        column.set(tick, arguments.scalar(0, tick));
    }
    Ok(vec![ColumnSeries {
        labels: Labels::empty(),
        drop_name: false,
        column,
    }])
}

fn absent(arguments: &mut Arguments<'_>) -> Result<Vec<ColumnSeries>, EvalError> {
    let series = arguments.take_vector(0);
    let count = arguments.ticks.count;
    let mut column = Column::constant(count, 1.0);
    for series in &series {
        let present = series.column.presence();
        column.retain(|word| !present[word]);
    }
    Ok(vec![ColumnSeries {
        labels: arguments
            .exprs
            .first()
            .map_or_else(Labels::empty, labels_of_absence),
        drop_name: false,
        column,
    }])
}

/// The labels that a selector's matchers fix, as `absent` and `absent_over_time` report them: one `=`
/// matcher for the name and no other.
pub(crate) fn labels_of_absence(expr: &Expr) -> Labels {
    let matchers: &[Matcher] = match &expr.kind {
        ExprKind::Vector(selector) => &selector.matchers,
        ExprKind::Matrix(matrix) => &matrix.selector.matchers,
        _ => &[],
    };
    let fixed = matchers.iter().filter(|matcher| {
        let same_name = matchers.iter().filter(|other| other.name == matcher.name);
        matcher.name != METRIC_NAME && matcher.op == MatchOp::Equal && same_name.count() == 1
    });
    Labels::from_pairs(fixed.map(|matcher| (&matcher.name, &matcher.value)))
}

fn label_replace(arguments: &mut Arguments<'_>) -> Result<Vec<ColumnSeries>, EvalError> {
    let mut series = arguments.take_vector(0);
    let [target, replacement, source, pattern] = [1, 2, 3, 4].map(|index| arguments.string(index));
    let regex = Regex::enclosed(pattern).map_err(|_| {
        EvalError::new(format!(
            "invalid regular expression in label_replace(): {pattern}"
        ))
    })?;
    if target.is_empty() {
        return Err(EvalError::new(
            "invalid destination label name in label_replace(): ",
        ));
    }
    for series in &mut series {
        if let Some(value) = regex.expand(series.labels.value(source), replacement) {
            relabel(series, target, &value);
        }
    }
    Ok(series)
}

fn label_join(arguments: &mut Arguments<'_>) -> Result<Vec<ColumnSeries>, EvalError> {
    let mut series = arguments.take_vector(0);
    let (target, separator) = (arguments.string(1), arguments.string(2));
    let sources: Vec<&str> = (3..arguments.values.len())
        .map(|index| arguments.string(index))
        .collect();
    if sources.iter().any(|source| source.is_empty()) {
        return Err(EvalError::new(
            "invalid source label name in label_join(): ",
        ));
    }
    if target.is_empty() {
        return Err(EvalError::new(
            "invalid destination label name in label_join(): ",
        ));
    }
    for series in &mut series {
        let values: Vec<&str> = sources
            .iter()
            .map(|source| series.labels.value(source))
            .collect();
        let joined = values.join(separator);
        relabel(series, target, &joined);
    }
    Ok(series)
}

fn relabel(series: &mut ColumnSeries, target: &str, value: &str) {
    series.labels = series.labels.with(target, value);
    if target == METRIC_NAME {
        series.drop_name = false;
    }
}

/// Sorts by value, where the order can be seen. Histograms go.
fn sort(
    arguments: &mut Arguments<'_>,
    order: fn(f64, f64) -> Option<Ordering>,
) -> Vec<ColumnSeries> {
    let mut series = arguments.take_vector(0);
    for series in &mut series {
        series.column.drop_histograms();
    }
    if !arguments.is_seen {
        return series;
    }
    let value = |series: &ColumnSeries| match series.column.get(0) {
        Some(Sample::Float(value)) => value,
        _ => f64::NAN,
    };
    series.sort_by(|a, b| {
        let (a, b) = (value(a), value(b));
        a.is_nan()
            .cmp(&b.is_nan())
            .then_with(|| order(a, b).unwrap_or(Ordering::Equal))
    });
    series
}

fn sort_by_label(arguments: &mut Arguments<'_>, falling: bool) -> Vec<ColumnSeries> {
    let mut series = arguments.take_vector(0);
    if !arguments.is_seen {
        return series;
    }
    let names: Vec<&str> = (1..arguments.values.len())
        .map(|index| arguments.string(index))
        .collect();
    series.sort_by(|a, b| {
        let by_names = names
            .iter()
            .map(|name| natural(a.labels.value(name), b.labels.value(name)));
        let order = by_names
            .fold(Ordering::Equal, Ordering::then)
            .then_with(|| a.labels.cmp(&b.labels));
        if falling { order.reverse() } else { order }
    });
    series
}

/// Natural order: runs of digits compare as numbers.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let (Some(&head_a), Some(&head_b)) = (a.first(), b.first()) else {
            return a.len().cmp(&b.len());
        };
        if head_a.is_ascii_digit() && head_b.is_ascii_digit() {
            let (number_a, rest_a) = split_number(a);
            let (number_b, rest_b) = split_number(b);
            let order = number_a
                .len()
                .cmp(&number_b.len())
                .then_with(|| number_a.cmp(number_b));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (rest_a, rest_b);
        } else if head_a != head_b {
            return head_a.cmp(&head_b);
        } else {
            (a, b) = (&a[1..], &b[1..]);
        }
    }
}

/// The digits in front, without leading zeros, and what follows.
fn split_number(text: &[u8]) -> (&[u8], &[u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    let zeros = number.iter().take_while(|&&byte| byte == b'0').count();
    (&number[zeros..], rest)
}
