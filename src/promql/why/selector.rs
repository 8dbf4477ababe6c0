//! Selectors that yield nothing: a name that there is not, a matcher that lets nothing through, samples out of reach.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::tree::Seen;
use super::{Blamed, Cause, Explainer, MAX_NAMED, NoMatch, NoSample, Quiet};
use crate::model::{Labels, METRIC_NAME, MatchOp, Matcher, Timestamp};
use crate::promql::eval::Horizon;
use crate::store::{Points, SeriesId};
use crate::text::closest_few;

/// So many values of a label are named.
const MAX_VALUES: usize = 5;

impl Explainer<'_> {
    /// Why a selector yields nothing.
    pub(super) fn of_selector(&self, seen: &Seen<'_>) -> Option<Cause> {
        let (selector, range) = seen.selector()?;
        let matchers = &selector.matchers;
        let found = self.view.store.select(matchers);
        if found.is_empty() {
            return Some(self.without_series(matchers));
        }
        let end = seen.moment.end(&selector.shift)?;
        let reach = range.unwrap_or(self.view.lookback);
        let mut all: BTreeMap<&Labels, Quiet> = BTreeMap::new();
        for id in found {
            let labels = &self.view.store.get(id).labels;
            let quiet = all.entry(labels).or_insert_with(|| Quiet {
                labels: labels.clone(),
                last: None,
                stale: None,
                next: None,
            });
            self.hear(id, seen, end, quiet);
        }
        let mut all: Vec<Quiet> = all.into_values().collect();
        // Those that were heard of last are the nearest.
        all.sort_by_key(|quiet| (!self.meant.concerns(&quiet.labels), Reverse(quiet.last)));
        let more = all.len().saturating_sub(MAX_NAMED);
        all.truncate(MAX_NAMED);
        Some(Cause::NoSample(NoSample {
            reach,
            end,
            is_range: range.is_some(),
            series: all,
            more,
        }))
    }

    /// Takes over when a series had samples last and next.
    fn hear(&self, id: SeriesId, seen: &Seen<'_>, end: Timestamp, quiet: &mut Quiet) {
        let series = self.view.store.get(id);
        let points = &series.points;
        let horizon = match self.view_at(seen.moment).horizon(series.writer) {
            Horizon::Moving(shift) => seen.moment.time.saturating_add(shift),
            Horizon::Fixed(stamp) => stamp,
        };
        let until = points.count_until(end.min(horizon));
        let fresh = points.fresh();
        let heard = fresh.count_until(end.min(horizon));
        let last = heard.checked_sub(1).map(|index| fresh.time(index));
        let next = (heard < fresh.len()).then(|| fresh.time(heard));
        let stale = until
            .checked_sub(1)
            .filter(|&index| is_stale(points, index))
            .and_then(|_| first_stale(points, until, last));
        quiet.stale = match last >= quiet.last {
            true => stale,
            false => quiet.stale,
        };
        quiet.last = quiet.last.max(last);
        quiet.next = match (quiet.next, next) {
            (Some(known), Some(next)) => Some(known.min(next)),
            (known, next) => known.or(next),
        };
    }

    /// Why no series matches.
    fn without_series(&self, matchers: &[Matcher]) -> Cause {
        let store = self.view.store;
        let is_name =
            |matcher: &&Matcher| matcher.name == METRIC_NAME && matcher.op == MatchOp::Equal;
        let name = matchers.iter().find(is_name);
        let base: Vec<&Labels> = match name {
            None => store.iter().map(|series| &series.labels).collect(),
            Some(name) => {
                let named = store.select(std::slice::from_ref(name));
                named.into_iter().map(|id| &store.get(id).labels).collect()
            }
        };
        if let (Some(name), true) = (name, base.is_empty()) {
            return self.no_metric(&name.value);
        }
        let base: BTreeSet<&Labels> = base.into_iter().collect();
        let others: Vec<&Matcher> = matchers
            .iter()
            .filter(|matcher| !is_name(matcher))
            .collect();
        let mut blamed = Vec::new();
        for (place, matcher) in others.iter().enumerate() {
            let passes = |labels: &&&Labels| {
                let mut rest = others.iter().enumerate().filter(|(at, _)| *at != place);
                rest.all(|(_, other)| other.matches(labels))
            };
            let without: Vec<&Labels> = base.iter().filter(passes).copied().collect();
            if !without.is_empty() {
                blamed.push(blame(matcher, &without));
            }
        }
        let is_each = !blamed.is_empty();
        if !is_each {
            let all: Vec<&Labels> = base.iter().copied().collect();
            let alone = others
                .iter()
                .filter(|matcher| !all.iter().any(|labels| matcher.matches(labels)));
            blamed.extend(alone.map(|matcher| blame(matcher, &all)));
        }
        Cause::NoMatch(NoMatch {
            name: name.map(|name| name.value.clone()),
            of_name: base.len(),
            matchers: blamed,
            is_each,
        })
    }

    fn no_metric(&self, name: &str) -> Cause {
        let known = self.view.store.iter().map(|series| series.labels.metric());
        let known: BTreeSet<&str> = known.chain(self.meant.names.iter().copied()).collect();
        let known: Vec<&str> = known.into_iter().filter(|known| *known != name).collect();
        let near = closest_few(name, &known, MAX_NAMED);
        Cause::NoMetric {
            name: name.to_owned(),
            near: near.into_iter().map(str::to_owned).collect(),
        }
    }
}

/// A matcher, and what its label is in series that it keeps out.
fn blame(matcher: &Matcher, without: &[&Labels]) -> Blamed {
    let values = without
        .iter()
        .filter_map(|labels| labels.get(&matcher.name));
    let values: BTreeSet<&str> = values.collect();
    let count = values.len();
    let values: Vec<&str> = values.into_iter().collect();
    let mut named = closest_few(&matcher.value, &values, MAX_VALUES);
    for value in values {
        if named.len() < MAX_VALUES && !named.contains(&value) {
            named.push(value);
        }
    }
    Blamed {
        matcher: matcher.to_string(),
        label: matcher.name.clone(),
        more: count.saturating_sub(named.len()),
        values: named.into_iter().map(str::to_owned).collect(),
    }
}

fn is_stale(points: &Points, index: usize) -> bool {
    let value = points.values().get(index).copied().unwrap_or_default();
    points.histogram(index).is_none() && crate::store::is_stale(value)
}

/// The first stale marker of those at the end of the first samples.
fn first_stale(points: &Points, until: usize, last: Option<Timestamp>) -> Option<Timestamp> {
    let after = last.map_or(0, |last| points.count_until(last));
    (after < until).then(|| points.time(after))
}
