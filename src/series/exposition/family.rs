//! What `# TYPE` and `# UNIT` say, and what Prometheus makes of it where its features are on.

use hashbrown::HashMap;

use crate::model::{Labels, METRIC_NAME, METRIC_TYPE, METRIC_UNIT, Timestamp};
use crate::store::Points;

/// What to make of what a text says beside its samples, by the names of Prometheus's features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// `type-and-unit-labels`: series get the labels `__type__` and `__unit__`.
    pub type_and_unit_labels: bool,
    /// `st-storage`: `_created` series are no series, but tell when the samples of their metric started.
    pub start_timestamps: bool,
}

/// The metrics that a text tells the type or the unit of, by name.
#[derive(Debug, Default)]
pub(super) struct Families<'a>(HashMap<&'a str, Family<'a>>);

#[derive(Debug, Default)]
struct Family<'a> {
    kind: Option<&'a str>,
    unit: Option<&'a str>,
}

/// What the series of a metric end in, beside its name.
const ENDINGS: [&str; 8] = [
    "_total", "_created", "_bucket", "_count", "_sum", "_gcount", "_gsum", "_info",
];

/// What tells one series of a histogram or a summary from the next.
const PARTS: [&str; 2] = ["le", "quantile"];

/// Types that say nothing.
const NO_KINDS: [&str; 2] = ["unknown", "untyped"];

impl<'a> Families<'a> {
    pub(super) fn has_kind(&mut self, name: &'a str, kind: &'a str) {
        self.0.entry(name).or_default().kind = Some(kind);
    }

    pub(super) fn has_unit(&mut self, name: &'a str, unit: &'a str) {
        self.0.entry(name).or_default().unit = Some(unit);
    }

    /// Series as a server with these features stores them.
    pub(super) fn apply(
        &self,
        mut series: Vec<(Labels, Points)>,
        options: ReadOptions,
    ) -> Vec<(Labels, Points)> {
        if options.start_timestamps {
            series = self.started(series);
        }
        if options.type_and_unit_labels {
            for (labels, _) in &mut series {
                *labels = self.labelled(labels);
            }
            series.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        series
    }

    /// What is said of the metric that a series belongs to, and its name.
    fn of<'n>(&self, series: &'n str) -> Option<(&'n str, &Family<'a>)> {
        let without_ending = ENDINGS
            .iter()
            .filter_map(|ending| series.strip_suffix(ending));
        std::iter::once(series)
            .chain(without_ending)
            .find_map(|name| Some((name, self.0.get(name)?)))
    }

    /// The name of the metric that a series belongs to, if it counts something.
    fn counter<'n>(&self, series: &'n str) -> Option<&'n str> {
        let (name, family) = self.of(series)?;
        matches!(family.kind, Some("counter" | "histogram" | "summary")).then_some(name)
    }

    /// A label set with `__type__` and `__unit__`; what is said wins over what is written there.
    fn labelled(&self, labels: &Labels) -> Labels {
        let Some((_, family)) = self.of(labels.metric()) else {
            return labels.clone();
        };
        let kind = family.kind.filter(|kind| !NO_KINDS.contains(kind));
        let said = [(METRIC_TYPE, kind), (METRIC_UNIT, family.unit)];
        let said = said
            .into_iter()
            .filter_map(|(name, text)| Some((name, text?)));
        said.fold(labels.clone(), |labels, (name, text)| {
            labels.with(name, text)
        })
    }

    /// Takes `_created` series out and tells the samples beside them when they started, in milliseconds.
    fn started(&self, series: Vec<(Labels, Points)>) -> Vec<(Labels, Points)> {
        let mut starts: HashMap<Labels, Points> = HashMap::new();
        let mut others = Vec::with_capacity(series.len());
        for (labels, points) in series {
            let name = self
                .counter(labels.metric())
                .filter(|name| labels.metric().strip_prefix(name) == Some("_created"));
            match name {
                Some(name) => {
                    starts.insert(labels.with(METRIC_NAME, name), points);
                }
                None => others.push((labels, points)),
            }
        }
        for (labels, points) in &mut others {
            let Some(name) = self.counter(labels.metric()) else {
                continue;
            };
            let whole = labels.with(METRIC_NAME, name);
            let whole = whole.filtered(|name| !PARTS.contains(&name));
            if let Some(created) = starts.get(&whole) {
                *points = with_starts(std::mem::take(points), created);
            }
        }
        others
    }
}

/// Points that know the start of each sample, where one is told at the same time: in seconds.
fn with_starts(points: Points, created: &Points) -> Points {
    let start = |index: usize| {
        let time = points.time(index);
        let place = created.count_until(time).checked_sub(1)?;
        let seconds = created.values().get(place)?;
        (created.time(place) == time).then_some((seconds * 1000.0) as Timestamp)
    };
    let starts = (0..points.len()).map(|index| start(index).unwrap_or(0));
    let starts = starts.collect();
    points.with_starts(starts)
}
