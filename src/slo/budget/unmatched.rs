//! Selectors of an objective that match no series of a store: which of them are mistakes, and what was probably meant.
//!
//! That nothing failed yet is no mistake: a label has other values than the one that bad events have. A label that no series
//! of the metric has, a value that is nearly one of those there, and a metric that is not there at all are mistakes, the
//! last one unless `or vector(0)` in the query says that it may be missing.

use std::collections::BTreeSet;

use crate::model::{METRIC_NAME, MatchOp, Matcher, metric_of};
use crate::promql::View;
use crate::promql::selectors::selectors;
use crate::slo::objective::{Indicator, Measure, Slo};
use crate::store::{Series, Store};
use crate::text::{Diagnostic, Place, Span, closest, closest_few};

/// A selector that matches no series.
#[derive(Debug, Clone)]
pub struct Unmatched {
    /// What is missing.
    pub message: String,
    /// What may have been meant.
    pub help: String,
    /// Where the selector stands.
    pub place: Place,
    /// Whether it can only be a mistake.
    pub is_mistake: bool,
}

impl Unmatched {
    /// What to say of it.
    pub fn diagnose(&self) -> Diagnostic {
        let fault = Diagnostic::warning(self.message.as_str());
        let fault = fault.at(&self.place.source, self.place.span);
        fault.help(self.help.as_str())
    }
}

/// No more values than these are named.
const MAX_NAMED: usize = 5;

/// Words shorter than this differ in too few letters to be misspelt: `500` is not `200`.
const SHORTEST: usize = 4;

/// The selectors of an objective that match nothing, and the places of those that do.
pub fn unmatched(slo: &Slo, view: &View<'_>) -> (Vec<Unmatched>, Vec<Place>) {
    let (mut found, mut matched) = (Vec::new(), Vec::new());
    for (index, measure) in slo.indicator.measures().enumerate() {
        let counts_some = index == 0 && matches!(slo.indicator, Indicator::Events { .. });
        each((measure, counts_some), view, &mut found, &mut matched);
    }
    (found, matched)
}

/// The first selector of a query that matches nothing.
pub(super) fn first(measure: &Measure, view: &View<'_>) -> Option<Unmatched> {
    let mut found = Vec::new();
    each((measure, false), view, &mut found, &mut Vec::new());
    found.into_iter().next()
}

/// `counts_some` says that a query counts some of the events, and may have none.
fn each(
    (measure, counts_some): (&Measure, bool),
    view: &View<'_>,
    found: &mut Vec<Unmatched>,
    matched: &mut Vec<Place>,
) {
    for used in selectors(&measure.query.expr, view.lookback) {
        let place = place(measure, used.span);
        match view.store.any(&used.selector.matchers) {
            true => matched.push(place),
            false => {
                let matchers = &used.selector.matchers;
                found.push(why((measure, counts_some), matchers, place, view.store));
            }
        }
    }
}

fn place(measure: &Measure, span: Span) -> Place {
    // The text of a windowed query is not the one that was parsed.
    let is_written = measure.text.text == measure.query.text;
    let span = match is_written {
        true => measure.text.span(span),
        false => measure.text.whole(),
    };
    Place::new(measure.text.source(), span)
}

fn why(
    (measure, counts_some): (&Measure, bool),
    matchers: &[Matcher],
    place: Place,
    store: &Store,
) -> Unmatched {
    let told = |message: String, help: String, is_mistake| Unmatched {
        message,
        help,
        place: place.clone(),
        is_mistake,
    };
    let Some(metric) = metric_of(matchers) else {
        let message = "no series matches this".to_owned();
        return told(message, "compare names and labels".to_owned(), true);
    };
    let ids = store.select(&[Matcher::equal(METRIC_NAME, metric)]);
    if ids.is_empty() {
        let names: BTreeSet<&str> = store.iter().map(|series| series.labels.metric()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let may_lack = counts_some && measure.query.expr.to_string().contains("or vector(0)");
        let help = match (closest_few(metric, &names, 1).first(), counts_some) {
            (Some(near), _) => format!("did you mean {near}?"),
            (None, true) => {
                "compare names; if it has no series before the first of these events, write `(…) or vector(0)`".to_owned()
            }
            (None, false) => "compare names, or record the series".to_owned(),
        };
        return told(format!("there is no series of {metric}"), help, !may_lack);
    }
    let series: Vec<&Series> = ids.iter().map(|id| store.get(*id)).collect();
    let others = matchers.iter().filter(|it| it.name != METRIC_NAME);
    let mut lacking = others.filter(|it| !series.iter().any(|series| it.matches(&series.labels)));
    let Some(matcher) = lacking.next() else {
        let message = format!("no series of {metric} meets all of these conditions at once");
        return told(
            message,
            "nothing of that kind happened, or a condition is wrong".to_owned(),
            false,
        );
    };
    let label = &matcher.name;
    let values = series.iter().map(|series| series.labels.value(label));
    let values: BTreeSet<&str> = values.filter(|value| !value.is_empty()).collect();
    let values: Vec<&str> = values.into_iter().collect();
    if values.is_empty() {
        let names = series.iter().flat_map(|series| series.labels.iter());
        let names: BTreeSet<&str> = names.map(|(name, _)| name).collect();
        let names: Vec<&str> = names.into_iter().filter(|it| *it != METRIC_NAME).collect();
        let help = match closest(label, &names) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("its labels are {}", listed(&names)),
        };
        return told(
            format!("no series of {metric} has a label {label}"),
            help,
            true,
        );
    }
    let message = format!("no series of {metric} has {matcher}");
    match misspelt(matcher, &values) {
        Some(near) => told(message, format!("did you mean {near:?}?"), true),
        None => {
            let help = format!(
                "nothing of that kind happened, or a name is wrong: {label} is {}",
                listed(&values)
            );
            told(message, help, false)
        }
    }
}

/// The value that was meant by one that is not there.
fn misspelt<'v>(matcher: &Matcher, values: &[&'v str]) -> Option<&'v str> {
    let wanted = &matcher.value;
    if matcher.op != MatchOp::Equal {
        return None;
    }
    let folded = values.iter().find(|it| it.eq_ignore_ascii_case(wanted));
    let is_word = wanted.len() >= SHORTEST && !wanted.bytes().any(|byte| byte.is_ascii_digit());
    let near = || match is_word {
        true => closest_few(wanted, values, 1).first().copied(),
        false => None,
    };
    folded.copied().or_else(near)
}

fn listed(words: &[&str]) -> String {
    let named: Vec<&str> = words.iter().take(MAX_NAMED).copied().collect();
    match words.len().saturating_sub(MAX_NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
