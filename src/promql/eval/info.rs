//! `info`: adds the labels of info metrics, found by `instance` and `job`.

use std::collections::{BTreeMap, BTreeSet};

use super::bounds::{BoundsCache, Reach};
use super::frame::Frame;
use super::select::Selected;
use super::{Evaluator, Sink, emit, merge};
use crate::model::{Labels, METRIC_NAME, MatchOp, Matcher, Timestamp};
use crate::promql::ast::{Call, Expr, ExprKind, Shift};
use crate::promql::column::{Column, ColumnSeries};
use crate::promql::window::Ends;
use crate::store::{Points, is_stale};

/// The labels by which a series finds its info metrics.
const IDENTIFYING: [&str; 2] = ["instance", "job"];

/// The info metric that is meant where none is named.
const TARGET_INFO: &str = "target_info";

/// What the second argument asks for.
struct Request {
    /// Which info metrics.
    names: Vec<Matcher>,
    /// Which of their labels, and what these must be; all where there is none.
    data: Vec<Matcher>,
}

/// A series of an info metric, and when its sample at each tick was taken.
struct InfoSeries {
    labels: Labels,
    stamps: Vec<Option<Timestamp>>,
}

impl Evaluator<'_> {
    /// Streams the series of the first argument with what is known of them.
    pub(super) fn info(&self, call: &Call, frame: &Frame, sink: &mut Sink<'_>) {
        let Some((argument, request)) = call.args.split_first() else {
            return;
        };
        let request = match Request::new(request.first()) {
            Ok(request) => request,
            Err(message) => return frame.fail_all(&message),
        };
        let base = self.vector(argument, frame);
        let found = self
            .reference(argument, frame)
            .and_then(|ends| self.info_series(&base, &request, ends, frame));
        match found {
            Ok(infos) => emit(
                merge::distinct(enrich(&base, &infos, &request, frame), frame),
                sink,
            ),
            Err(message) => frame.fail_all(&message),
        }
    }

    /// When info metrics are looked at: with the first selector of the argument, as its `@` and offsets say.
    fn reference(&self, argument: &Expr, frame: &Frame) -> Result<Ends, String> {
        let mut path = Vec::new();
        let Some(shifts) = first_selector(argument, &mut path) else {
            return Ok(Ends::Before(0));
        };
        let mut offset = 0i64;
        for shift in shifts {
            match self.ends(shift, frame)? {
                Ends::Before(more) => offset = offset.saturating_add(more),
                Ends::At(moment) => return Ok(Ends::At(moment.saturating_sub(offset))),
            }
        }
        Ok(Ends::Before(offset))
    }

    fn info_series(
        &self,
        base: &[ColumnSeries],
        request: &Request,
        ends: Ends,
        frame: &Frame,
    ) -> Result<Vec<InfoSeries>, String> {
        let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for series in base
            .iter()
            .filter(|series| !request.is_info(&series.labels))
        {
            for name in IDENTIFYING {
                if let Some(value) = series.labels.get(name) {
                    known.entry(name).or_default().insert(value);
                }
            }
        }
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let matchers: Vec<Matcher> = request.names.iter().chain(&request.data).cloned().collect();
        let is_known = |selected: &Selected| {
            known
                .iter()
                .all(|(name, values)| values.contains(selected.labels.value(name)))
        };
        let mut cache = BoundsCache::default();
        let mut found = Vec::new();
        for selected in self.select(&matchers).into_iter().filter(is_known) {
            let reach = Reach::back(self.view.lookback);
            let visible = self.visible(&selected, frame, reach.behind(ends, frame.ticks));
            let bounds = cache.of(&visible.points, visible.limit, frame.ticks, ends, reach);
            let bounds = &bounds.of_ticks;
            let stamps: Vec<Option<Timestamp>> = bounds
                .iter()
                .map(|bounds| newest(&visible.points, *bounds, &selected.labels))
                .collect::<Result<_, String>>()?;
            if stamps.iter().any(Option::is_some) {
                found.push(InfoSeries {
                    labels: selected.labels,
                    stamps,
                });
            }
        }
        Ok(found)
    }
}

/// When the newest sample of a window was taken, unless it is stale.
fn newest(
    points: &Points,
    bounds: (u32, u32),
    labels: &Labels,
) -> Result<Option<Timestamp>, String> {
    if bounds.0 == bounds.1 {
        return Ok(None);
    }
    let index = bounds.1 as usize - 1;
    match points.histogram(index) {
        Some(_) => Err(format!(
            "this should be an info metric, with float samples: {}",
            labels.as_set()
        )),
        None if is_stale(points.values()[index]) => Ok(None),
        None => Ok(Some(points.time(index))),
    }
}

/// The shifts of the first selector of an expression and of the subqueries around it, from the inside.
fn first_selector<'e>(expr: &'e Expr, path: &mut Vec<&'e Shift>) -> Option<Vec<&'e Shift>> {
    let here = match &expr.kind {
        ExprKind::Vector(selector) => Some(&selector.shift),
        ExprKind::Matrix(matrix) => Some(&matrix.selector.shift),
        _ => None,
    };
    if let Some(shift) = here {
        return Some(
            std::iter::once(shift)
                .chain(path.iter().rev().copied())
                .collect(),
        );
    }
    if let ExprKind::Subquery(subquery) = &expr.kind {
        path.push(&subquery.shift);
        let found = first_selector(&subquery.expr, path);
        path.pop();
        return found;
    }
    expr.children()
        .into_iter()
        .find_map(|child| first_selector(child, path))
}

impl Request {
    fn new(selector: Option<&Expr>) -> Result<Request, String> {
        let matchers: &[Matcher] = match selector.map(|expr| &expr.unwrap_parens().kind) {
            Some(ExprKind::Vector(selector)) => &selector.matchers,
            _ => &[],
        };
        let (mut names, data): (Vec<Matcher>, Vec<Matcher>) = matchers
            .iter()
            .cloned()
            .partition(|matcher| matcher.name == METRIC_NAME);
        let is_positive = |matcher: &Matcher| matches!(matcher.op, MatchOp::Equal | MatchOp::Regex);
        let added = match names.is_empty() {
            true => Some((MatchOp::Equal, TARGET_INFO)),
            false if !names.iter().any(is_positive) => Some((MatchOp::Regex, ".+_info")),
            false => None,
        };
        if let Some((op, value)) = added {
            let matcher =
                Matcher::new(METRIC_NAME, op, value).map_err(|error| error.to_string())?;
            names.push(matcher);
        }
        Ok(Request { names, data })
    }

    /// Whether a series is itself an info metric, to which nothing is added.
    fn is_info(&self, labels: &Labels) -> bool {
        self.names.iter().all(|matcher| matcher.matches(labels))
    }

    /// Whether a label was asked for.
    fn wants(&self, name: &str) -> bool {
        self.data.is_empty() || self.data.iter().any(|matcher| matcher.name == name)
    }
}

/// The name of an info metric and the identifying labels.
type Signature<'s> = (&'s str, [&'s str; 2]);

fn signature<'s>(name: &'s str, labels: &'s Labels) -> Signature<'s> {
    (name, IDENTIFYING.map(|label| labels.value(label)))
}

/// Each series with the labels of its info metrics, which may change from tick to tick.
fn enrich(
    base: &[ColumnSeries],
    infos: &[InfoSeries],
    request: &Request,
    frame: &Frame,
) -> Vec<ColumnSeries> {
    let names: BTreeSet<&str> = infos.iter().map(|info| info.labels.metric()).collect();
    let mut out: BTreeMap<(usize, Labels), Column> = BTreeMap::new();
    for tick in 0..frame.count() {
        let newest = match newest_of_each(infos, tick) {
            Ok(newest) => newest,
            Err(message) => {
                if base.iter().any(|series| series.column.is_present(tick)) {
                    frame.fail(tick, || message);
                }
                continue;
            }
        };
        for (place, series) in base.iter().enumerate() {
            let Some(sample) = series.column.get(tick) else {
                continue;
            };
            let own = names
                .iter()
                .filter_map(|name| newest.get(&signature(name, &series.labels)));
            match with_labels(&series.labels, own.copied(), request) {
                Ok(Some(labels)) => {
                    let absent = || Column::absent(frame.count());
                    out.entry((place, labels))
                        .or_insert_with(absent)
                        .put(tick, sample);
                }
                Ok(None) => {}
                Err(message) => frame.fail(tick, || message),
            }
        }
    }
    let series = out
        .into_iter()
        .map(|((place, labels), column)| ColumnSeries {
            labels,
            drop_name: base[place].drop_name,
            column,
        });
    series.collect()
}

/// The newest series of each signature at a tick.
fn newest_of_each(
    infos: &[InfoSeries],
    tick: usize,
) -> Result<BTreeMap<Signature<'_>, &InfoSeries>, String> {
    let stamp = |info: &InfoSeries| info.stamps.get(tick).copied().flatten();
    let mut newest: BTreeMap<Signature<'_>, &InfoSeries> = BTreeMap::new();
    for info in infos.iter().filter(|info| stamp(info).is_some()) {
        let place = newest
            .entry(signature(info.labels.metric(), &info.labels))
            .or_insert(info);
        let (before, now) = (stamp(place), stamp(info));
        if !std::ptr::eq(*place, info) && before == now {
            return Err(format!(
                "found duplicate series for info metric: existing {} @ {}, new {} @ {}",
                place.labels.as_set(),
                before.unwrap_or_default(),
                info.labels.as_set(),
                now.unwrap_or_default()
            ));
        }
        if before < now {
            *place = info;
        }
    }
    Ok(newest)
}

/// The labels of a series with those of its info metrics; `None` where it has none and the labels asked for must not be
/// missing.
fn with_labels<'i>(
    labels: &Labels,
    infos: impl Iterator<Item = &'i InfoSeries>,
    request: &Request,
) -> Result<Option<Labels>, String> {
    if request.is_info(labels) {
        return Ok(Some(labels.clone()));
    }
    let mut added: BTreeMap<&str, &str> = BTreeMap::new();
    let mut has_info = false;
    for info in infos {
        has_info = true;
        let wanted = info
            .labels
            .iter()
            .filter(|(name, _)| *name != METRIC_NAME && request.wants(name));
        for (name, value) in wanted {
            if added.get(name).is_some_and(|before| *before != value) {
                return Err(format!("conflicting label: {name}"));
            }
            if labels.get(name).is_none() {
                added.insert(name, value);
            }
        }
    }
    let none = Labels::empty();
    if !has_info && !request.data.iter().all(|matcher| matcher.matches(&none)) {
        return Ok(None);
    }
    let mut builder = labels.to_builder();
    for (name, value) in added {
        builder.set(name, value);
    }
    Ok(Some(builder.build()))
}
