//! Puts recordings into tests: selects series, and gives their samples the times that they have there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::file::{Align, Fixture, Nan, Selection, TestFile};
use super::verdict::since;
use crate::model::{Duration, Labels, METRIC_NAME, MatchOp, Matcher, Millis, Timestamp};
use crate::replay::{ALERT_NAME, ALERTS, ALERTS_FOR_STATE};
use crate::rules::{RuleFile, RuleKind};
use crate::series::time::show;
use crate::series::{Misplaced, Placing, join, nan_before_gap};
use crate::store::Points;
use crate::text::{Diagnostic, Span, closest, distinct};

/// What a file holds.
#[derive(Debug, Default)]
pub struct Recording {
    /// All its series.
    pub series: Vec<(Labels, Points)>,
    /// The step of the range query whose answer it seems to be.
    pub steps: Option<Millis>,
}

/// A recording that lies further than this from a test's start was hardly meant to stand where it does.
const FAR: Millis = 366 * 86_400_000;

/// At most so many names are listed.
const MAX_NAMED: usize = 5;

/// Gives the fixtures of a file's tests the series that they take of their recordings, which were read from their
/// [paths](Fixture::path). What hardly means what was meant is added to the file's warnings.
///
/// # Errors
///
/// Selectors that match nothing, moments that lie outside of the recording or of time.
pub fn place(
    file: &mut TestFile,
    recordings: &BTreeMap<PathBuf, Arc<Recording>>,
) -> Result<(), Vec<Diagnostic>> {
    let (mut faults, mut warnings) = (Vec::new(), Vec::new());
    // The tests of a matrix mostly have the same series.
    let mut shared: BTreeMap<String, Arc<Vec<(Labels, Points)>>> = BTreeMap::new();
    for test in &mut file.tests {
        for fixture in &mut test.fixtures {
            // What could not be read was named before.
            let Some(recording) = recordings.get(&fixture.path()) else {
                continue;
            };
            let key = fixture.key(test.start);
            fixture.series = match shared.get(&key) {
                Some(series) => Arc::clone(series),
                None => match placed(fixture, recording, test.start, &mut warnings) {
                    Ok(series) => Arc::clone(shared.entry(key).or_insert(Arc::new(series))),
                    Err(fault) => {
                        faults.push(fault);
                        continue;
                    }
                },
            };
            let length = test.duration.as_ref().map(|duration| duration.value);
            faults.extend(length.and_then(|length| after_end(fixture, test.start, length)));
        }
    }
    file.warnings.extend(distinct(warnings));
    match faults.is_empty() {
        true => Ok(()),
        false => Err(distinct(faults)),
    }
}

/// What is wrong with a fixture of which a test of some length sees nothing.
fn after_end(fixture: &Fixture, start: Timestamp, length: Millis) -> Option<Diagnostic> {
    let filled = fixture
        .series
        .iter()
        .filter(|(_, points)| !points.is_empty());
    let first = filled.map(|(_, points)| points.time(0)).min()?;
    let first = since(start, first);
    if first <= length {
        return None;
    }
    let message = format!(
        "all samples lie after the end of the test, which lasts {}: the first comes after {}",
        Duration(length),
        Duration(first)
    );
    let help = "align the recording with an earlier moment, or make `duration` longer";
    Some(fixture.fault(fixture.file.span, message).help(help))
}

/// Warns of fixtures that bring what rules write themselves: a recording of everything holds it.
pub fn written_by_rules(file: &TestFile, rule_files: &[RuleFile]) -> Vec<Diagnostic> {
    let groups = rule_files.iter().flat_map(|file| &file.groups);
    let rules = groups.flat_map(|group| group.rules.iter());
    let (mut records, mut alerts) = (BTreeSet::new(), BTreeSet::new());
    for rule in rules {
        match rule.kind {
            RuleKind::Alert(_) => alerts.insert(rule.name.as_str()),
            RuleKind::Recording { .. } => records.insert(rule.name.as_str()),
        };
    }
    let is_written = |labels: &Labels| match labels.metric() {
        ALERTS | ALERTS_FOR_STATE => alerts.contains(labels.value(ALERT_NAME)),
        metric => records.contains(metric),
    };
    let fixtures = file.tests.iter().flat_map(|test| &test.fixtures);
    let found = fixtures.filter_map(|fixture| {
        let all = fixture.series.iter().map(|(labels, _)| labels);
        let metrics: BTreeSet<&str> = all
            .filter(|it| is_written(it))
            .map(Labels::metric)
            .collect();
        let metrics: Vec<&str> = metrics.into_iter().collect();
        if metrics.is_empty() {
            return None;
        }
        let message = format!(
            "the recording holds what rules of this test write, too: {}",
            listed(&metrics)
        );
        let help = format!("leave that out: `{{__name__!~\"{}\"}}`", metrics.join("|"));
        let warning = Diagnostic::warning(message).at(&fixture.source, fixture.file.span);
        Some(warning.help(help))
    });
    distinct(found.collect())
}

/// The series that a fixture brings into a test that begins at `start`.
fn placed(
    fixture: &Fixture,
    recording: &Recording,
    start: Timestamp,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Vec<(Labels, Points)>, Diagnostic> {
    let selected = selected(fixture, recording)?;
    let times = |(_, points): &&(Labels, Points)| {
        let last = points.len().checked_sub(1)?;
        Some((points.time(0), points.time(last)))
    };
    let extents = || selected.iter().filter_map(times);
    let (Some(first), Some(last)) = (
        extents().map(|(first, _)| first).min(),
        extents().map(|(_, last)| last).max(),
    ) else {
        let message = format!("{:?} holds no sample", fixture.file.value);
        let fault = fixture.fault(fixture.file.span, message);
        return Err(fault.help("record some, or leave the fixture out"));
    };
    let placing = placing(fixture, start, (first, last))?;
    warnings.extend(steps(fixture, recording));
    if fixture.nan == Nan::Assumed {
        warnings.extend(nan(fixture, &selected, last));
    }
    let mut series: BTreeMap<Labels, Vec<Points>> = BTreeMap::new();
    for (labels, points) in selected {
        let placed = placing
            .points(points, fixture.nan == Nan::Stale)
            .map_err(|fault| misplaced(fixture, labels, fault))?;
        series
            .entry(relabelled(labels, &fixture.labels))
            .or_default()
            .push(placed);
    }
    let joined = series.into_iter().map(|(labels, parts)| {
        let points = join(parts).map_err(|conflict| {
            let time = Duration(since(start, conflict.time));
            let message = format!(
                "`labels` make one series {labels} of several, which differ {time} after the test's start"
            );
            fixture
                .fault(fixture.span, message)
                .help("leave the label that tells them apart, or select one of them")
        });
        Ok((labels, points?))
    });
    joined.collect()
}

impl Fixture {
    /// What its series hang on, in a test that begins at `start`.
    fn key(&self, start: Timestamp) -> String {
        let select = self.select.iter().map(|it| it.text.text.as_str());
        let select: Vec<&str> = select.collect();
        let (path, speed) = (self.path(), self.speed.value);
        format!(
            "{:?}",
            (
                start,
                path,
                select,
                &self.align,
                speed,
                self.nan,
                &self.labels,
                self.span
            )
        )
    }

    fn fault(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(&self.source, span)
    }
}

fn relabelled(labels: &Labels, new: &[(String, String)]) -> Labels {
    match new.is_empty() {
        true => labels.clone(),
        false => {
            let mut builder = labels.to_builder();
            for (name, value) in new {
                builder.set(name, value);
            }
            builder.build()
        }
    }
}

/// The series of a recording that a fixture takes.
fn selected<'r>(
    fixture: &Fixture,
    recording: &'r Recording,
) -> Result<Vec<&'r (Labels, Points)>, Diagnostic> {
    let matches = |selection: &Selection, labels: &Labels| {
        selection
            .matchers
            .iter()
            .all(|matcher| matcher.matches(labels))
    };
    for selection in &fixture.select {
        let mut all = recording.series.iter();
        if !all.any(|(labels, _)| matches(selection, labels)) {
            let text = &selection.text;
            let message = format!(
                "this selector matches no series of {:?}",
                fixture.file.value
            );
            let fault = Diagnostic::error(message).at(text.source(), text.whole());
            return Err(fault.help(instead(selection, recording)));
        }
    }
    let all = recording.series.iter();
    let is_taken = |labels: &Labels| {
        let mut any = fixture.select.iter();
        fixture.select.is_empty() || any.any(|selection| matches(selection, labels))
    };
    Ok(all.filter(|(labels, _)| is_taken(labels)).collect())
}

/// What to select instead of what matches nothing: names that are nearly those that were written.
fn instead(selection: &Selection, recording: &Recording) -> String {
    let labels = || recording.series.iter().map(|(labels, _)| labels);
    let fails = |matcher: &&Matcher| !labels().any(|labels| matcher.matches(labels));
    // The metric first, which is written first and kept last.
    let mut failing: Vec<&Matcher> = selection.matchers.iter().filter(fails).collect();
    failing.sort_by_key(|matcher| matcher.name != METRIC_NAME);
    let Some(matcher) = failing.first() else {
        return "each of its matchers is met by some series, but all together by none".to_owned();
    };
    let name = matcher.name.as_str();
    let mut values: Vec<&str> = labels().filter_map(|labels| labels.get(name)).collect();
    values.sort_unstable();
    values.dedup();
    if values.is_empty() {
        let names = labels().flat_map(|labels| labels.iter().map(|(name, _)| name));
        let mut names: Vec<&str> = names.filter(|name| *name != METRIC_NAME).collect();
        names.sort_unstable();
        names.dedup();
        return match closest(name, &names) {
            Some(near) => format!("no series has a label `{name}`: did you mean `{near}`?"),
            None => format!(
                "no series has a label `{name}`, they have {}",
                listed(&names)
            ),
        };
    }
    let near = match matcher.op {
        MatchOp::Equal => closest(&matcher.value, &values),
        _ => None,
    };
    match (near, name) {
        (Some(near), METRIC_NAME) => format!("the recording has the metric {near}"),
        (None, METRIC_NAME) => format!("the recording has the metrics {}", listed(&values)),
        (Some(near), _) => format!("the recording has {name}={near:?}"),
        (None, _) => format!(
            "the values of `{name}` in the recording are {}",
            listed(&values)
        ),
    }
}

fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(MAX_NAMED).copied();
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// How the times of a recording become those of a test. `extent` is the first and the last time that is selected.
fn placing(
    fixture: &Fixture,
    start: Timestamp,
    (first, last): (Timestamp, Timestamp),
) -> Result<Placing, Diagnostic> {
    let speed = fixture.speed.value;
    let (recorded, placed) = match &fixture.align {
        Align::Start => (first, start),
        Align::AsRecorded(span) => {
            as_recorded(fixture, *span, start, (first, last))?;
            (start, start)
        }
        Align::Moment { recorded, at } => {
            if !(first..=last).contains(&recorded.value) {
                let message = format!(
                    "{} lies outside of the recording, which goes from {} to {}",
                    show(recorded.value),
                    show(first),
                    show(last)
                );
                let fault = fixture.fault(recorded.span, message);
                return Err(fault.help("name a moment within it, or select other series"));
            }
            (recorded.value, start.saturating_add(*at))
        }
    };
    Ok(Placing {
        recorded,
        placed,
        speed,
    })
}

/// What is wrong with `align: none`.
fn as_recorded(
    fixture: &Fixture,
    span: Span,
    start: Timestamp,
    (first, last): (Timestamp, Timestamp),
) -> Result<(), Diagnostic> {
    if fixture.speed.value != 1.0 {
        let message = "samples that stay where they were recorded have the speed 1";
        let help =
            "leave `speed` out, or say which moment stays: `align: {recorded: TIME, at: MOMENT}`";
        return Err(fixture.fault(fixture.speed.span, message).help(help));
    }
    if (start.saturating_sub(FAR)..start).contains(&last) {
        let before = Duration(start.saturating_sub(last));
        let message =
            format!("all samples lie before the test's start, the last {before} before it");
        let help = "correct the test's `start_timestamp`, or write `align: start`";
        return Err(fixture.fault(span, message).help(help));
    }
    if last < start || first.saturating_sub(start) > FAR {
        let message = format!(
            "the recording goes from {} to {}, but the test starts at {}",
            show(first),
            show(last),
            show(start)
        );
        let help = format!(
            "give the test `start_timestamp: {}`, or write `align: start`",
            show(first)
        );
        return Err(fixture.fault(span, message).help(help));
    }
    Ok(())
}

fn misplaced(fixture: &Fixture, labels: &Labels, fault: Misplaced) -> Diagnostic {
    match fault {
        Misplaced::Together(one, other) => {
            let message = format!(
                "two samples of {labels}, recorded at {} and {}, would have the same time",
                show(one),
                show(other)
            );
            let help = "times are whole milliseconds: lower the speed";
            fixture.fault(fixture.speed.span, message).help(help)
        }
        Misplaced::Outside(time) => {
            let message = format!(
                "the sample of {labels} recorded at {} would leave the times that there are",
                show(time)
            );
            let help = "raise the speed, or align it elsewhere";
            fixture.fault(fixture.speed.span, message).help(help)
        }
    }
}

/// Warns of an answer of `query_range`.
fn steps(fixture: &Fixture, recording: &Recording) -> Option<Diagnostic> {
    let step = Duration(recording.steps?);
    let message = format!(
        "{:?} looks like an answer of query_range, a value each {step}: gaps under 5m are filled with the value before \
         them, and stale markers are lost",
        fixture.file.value
    );
    let help = "export raw samples: ask /api/v1/query for `{...}[2h]`, or use `promtool tsdb dump-openmetrics`";
    let warning = Diagnostic::warning(message).at(&fixture.source, fixture.file.span);
    Some(warning.help(help))
}

/// Warns of NaN that looks like a stale marker. The recording goes on until `end`.
fn nan(fixture: &Fixture, selected: &[&(Labels, Points)], end: Timestamp) -> Option<Diagnostic> {
    let found = selected
        .iter()
        .filter_map(|(labels, points)| Some((labels, nan_before_gap(points, end)?)));
    let found: Vec<(&Labels, Timestamp)> = found.collect();
    let (labels, time) = found.first()?;
    let more = match found.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!(
        "{labels}{more}: NaN before a gap, first at {}, is taken for a value",
        show(*time)
    );
    let help = "recordings write Prometheus's stale markers as NaN: write `nan: stale` if it is one, `nan: value` if not";
    let warning = Diagnostic::warning(message).at(&fixture.source, fixture.file.span);
    Some(warning.help(help))
}
