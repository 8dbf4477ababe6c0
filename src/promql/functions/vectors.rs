//! Functions of whole vectors: labels, order, presence.

use std::cmp::Ordering;

use super::{Arguments, Body, Function};
use crate::model::bytes::{is_utf8, shown};
use crate::model::{Labels, LabelsBuilder, METRIC_NAME, MatchOp, Matcher, Regex};
use crate::promql::ast::ValueType::{Scalar, String as Text, Vector};
use crate::promql::ast::{Expr, ExprKind};
use crate::promql::column::{Column, ColumnSeries, EvalError, Sample};
use crate::promql::numeric::sort_as_go;

/// Every such function.
pub(super) static ROWS: &[Function] = &[
    Function::of_vectors(
        "vector",
        &[Scalar],
        0,
        vector,
        "A scalar as a vector of one series without labels.",
    ),
    Function::of_vectors(
        "absent",
        &[Vector],
        0,
        absent,
        "1 where the vector is empty, with the labels that its matchers fix.",
    ),
    Function::of_vectors(
        "label_replace",
        &[Vector, Text, Text, Text, Text],
        0,
        label_replace,
        "Sets a label from another one, where a regular expression matches it.",
    )
    .keeping_name(),
    Function::of_vectors(
        "label_join",
        &[Vector, Text, Text, Text],
        -1,
        label_join,
        "Sets a label to others joined by a separator.",
    )
    .keeping_name(),
    Function::of_vectors(
        "sort",
        &[Vector],
        0,
        |arguments| Ok(sort(arguments, |a, b| a.partial_cmp(&b))),
        "Rising by value.",
    )
    .sorting(),
    Function::of_vectors(
        "sort_desc",
        &[Vector],
        0,
        |arguments| Ok(sort(arguments, |a, b| b.partial_cmp(&a))),
        "Falling by value.",
    )
    .sorting(),
    Function::of_vectors(
        "sort_by_label",
        &[Vector, Text],
        -1,
        |arguments| Ok(sort_by_label(arguments, false)),
        "Rising by labels, in natural order.",
    )
    .sorting()
    .experimental(),
    Function::of_vectors(
        "sort_by_label_desc",
        &[Vector, Text],
        -1,
        |arguments| Ok(sort_by_label(arguments, true)),
        "Falling by labels, in natural order.",
    )
    .sorting()
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
    Function::new(
        "start_timestamp",
        Body::StartTimestamp,
        "When the counter of every sample started, in seconds; nothing where that is not recorded.",
    )
    .experimental(),
];

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

/// The labels that a selector's matchers fix, as `absent` and `absent_over_time` report them: a second matcher of one
/// label takes it away again. Those come last that a series without the label passes, as Prometheus's storage leaves them
/// when it has looked.
pub(crate) fn labels_of_absence(expr: &Expr) -> Labels {
    let matchers: &[Matcher] = match &expr.unwrap_parens().kind {
        ExprKind::Vector(selector) => &selector.matchers,
        ExprKind::Matrix(matrix) => &matrix.selector.matchers,
        _ => &[],
    };
    let must_be_set = |name: &str| {
        let mut of_name = matchers.iter().filter(|matcher| matcher.name == name);
        of_name.any(|matcher| !matcher.matches_value(""))
    };
    let is_last = |matcher: &&Matcher| {
        let is_negative = matches!(matcher.op, MatchOp::NotEqual | MatchOp::NotRegex);
        !must_be_set(&matcher.name) || (is_negative && matcher.matches_value(""))
    };
    let (last, first): (Vec<&Matcher>, Vec<&Matcher>) = matchers.iter().partition(is_last);
    let mut builder = LabelsBuilder::default();
    let mut seen: Vec<&str> = Vec::new();
    for matcher in first
        .into_iter()
        .chain(last)
        .filter(|matcher| matcher.name != METRIC_NAME)
    {
        if matcher.op == MatchOp::Equal && !seen.contains(&matcher.name.as_str()) {
            builder.set(&matcher.name, &matcher.value);
            seen.push(&matcher.name);
        } else {
            builder.remove(&matcher.name);
        }
    }
    builder.build()
}

fn label_replace(arguments: &mut Arguments<'_>) -> Result<Vec<ColumnSeries>, EvalError> {
    let mut series = arguments.take_vector(0);
    let [target, replacement, source, pattern] = [1, 2, 3, 4].map(|index| arguments.string(index));
    let regex = Regex::enclosed(pattern).map_err(|_| {
        EvalError::new(format!(
            "invalid regular expression in label_replace(): {pattern}"
        ))
    })?;
    name_label(target, "destination", "label_replace")?;
    let references = replacement.matches('$').count();
    let mut room = MAX_MADE;
    for series in &mut series {
        let value = series.labels.value(source);
        make_room(
            &mut room,
            replacement.len() + references * value.len(),
            "label_replace",
        )?;
        if let Some(value) = regex.expand(value, replacement) {
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
    for source in &sources {
        name_label(source, "source", "label_join")?;
    }
    name_label(target, "destination", "label_join")?;
    let mut room = MAX_MADE;
    for series in &mut series {
        let values: Vec<&str> = sources
            .iter()
            .map(|source| series.labels.value(source))
            .collect();
        let length = values.iter().map(|value| value.len() + separator.len());
        make_room(&mut room, length.sum(), "label_join")?;
        let joined = values.join(separator);
        relabel(series, target, &joined);
    }
    Ok(series)
}

/// So many bytes may the long label values have that one call makes.
const MAX_MADE: usize = 16 << 20;

/// So many bytes of each label value are not counted, so that any number of series may have usual ones.
const USUAL: usize = 1 << 10;

/// Takes room for a label value. Prometheus has no such limit, and values that double at each call take all memory.
fn make_room(room: &mut usize, length: usize, function: &str) -> Result<(), EvalError> {
    *room = room
        .checked_sub(length.saturating_sub(USUAL))
        .ok_or_else(|| {
            EvalError::new(format!(
                "{function}() makes label values of more than {} MiB together",
                MAX_MADE >> 20
            ))
        })?;
    Ok(())
}

/// Refuses what can't name a label: any UTF-8 but the empty text can.
fn name_label(text: &str, role: &str, function: &str) -> Result<(), EvalError> {
    match !text.is_empty() && is_utf8(text) {
        true => Ok(()),
        false => Err(EvalError::new(format!(
            "invalid {role} label name in {function}(): {}",
            shown(text)
        ))),
    }
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
    sort_as_go(&mut series, |a, b| {
        let (a, b) = (value(a), value(b));
        b.is_nan() || order(a, b) == Some(Ordering::Less)
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

/// Natural order: texts of runs of digits, which compare as numbers, and of other runs. As in the library that
/// Prometheus uses, the longer text is the greater only where all before is the same as written.
fn natural(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    match comes_before(a, b) {
        true => Ordering::Less,
        false => Ordering::Greater,
    }
}

fn comes_before(a: &str, b: &str) -> bool {
    let (mut rest_a, mut rest_b) = (a, b);
    while !rest_a.is_empty() {
        if rest_b.is_empty() {
            return false;
        }
        let (run_a, after_a) = split_run(rest_a);
        let (run_b, after_b) = split_run(rest_b);
        let same = match (run_a.parse::<i64>(), run_b.parse::<i64>()) {
            (Ok(a), Ok(b)) if a != b => return a < b,
            (Ok(_), Ok(_)) => true,
            _ => run_a == run_b,
        };
        if !same {
            return run_a < run_b;
        }
        if after_a.is_empty() || after_b.is_empty() {
            return after_a.is_empty();
        }
        (rest_a, rest_b) = (after_a, after_b);
    }
    false
}

/// The run of digits or of others in front, and what follows.
fn split_run(text: &str) -> (&str, &str) {
    let is_digit = |c: char| c.is_ascii_digit();
    let digits = text.starts_with(is_digit);
    let end = text.find(|c| is_digit(c) != digits);
    text.split_at(end.unwrap_or(text.len()))
}
