//! What every format of objectives is turned into, in the words of Google's SRE Workbook.

use std::borrow::Cow;

use super::target::Target;
use super::window::Window;
use crate::model::{Duration, Millis};
use crate::promql::ast::BinaryOp;
use crate::promql::{Features, Query, QueryError};
use crate::rules::diagnose_query;
use crate::text::yaml::Embedded;
use crate::text::{Diagnostic, Place};

/// A service level objective.
#[derive(Debug, Clone)]
pub struct Slo {
    /// What it is called, unique in its file.
    pub name: String,
    /// Whose service level it is, where that is said.
    pub service: Option<String>,
    /// What it is about; may be empty.
    pub description: String,
    /// Labels of it, in the order of the file.
    pub labels: Vec<(String, String)>,
    /// Which share shall be good.
    pub target: Target,
    /// Over which time.
    pub window: Window,
    /// How the budget is counted.
    pub method: Method,
    /// What tells good from bad.
    pub indicator: Indicator,
    /// Labels for each of whose values the objective holds by itself (Pyrra's `grouping`); empty for one over all.
    pub grouping: Vec<String>,
    /// Where it stands: its name, or the whole.
    pub place: Place,
}

/// How the budget is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// Each event counts.
    Occurrences,
    /// Each slice of time counts as good or bad.
    TimeSlices {
        /// How long a slice is, above 0.
        slice: Millis,
        /// A slice is good whose share of good events is at least this.
        target: Target,
        /// What a slice without events is.
        empty: EmptySlice,
    },
    /// Each slice of time counts by its share of bad events.
    RatioTimeSlices {
        /// How long a slice is, above 0.
        slice: Millis,
        /// What a slice without events is.
        empty: EmptySlice,
    },
}

/// What a slice of time without events is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptySlice {
    /// Good: nobody was let down.
    Good,
    /// Bad: nobody was served.
    Bad,
    /// It does not count.
    Skipped,
}

/// What tells good from bad.
#[derive(Debug, Clone)]
pub enum Indicator {
    /// Good or bad events, of all.
    Events {
        /// Whether `some` counts the good or the bad.
        quality: Quality,
        /// Some of the events.
        some: Box<Measure>,
        /// All events.
        total: Box<Measure>,
    },
    /// A share between 0 and 1 that some query yields; each moment weighs the same.
    Ratio {
        /// Whether it is the share of the good or of the bad.
        quality: Quality,
        /// What yields it.
        share: Box<Measure>,
    },
    /// Observations of a histogram that lie within a limit, of all.
    Latency {
        /// A selector of a native histogram, or of the buckets (`…_bucket`) of a classic one.
        histogram: Box<Measure>,
        /// The limit in the unit of the histogram, seconds as a rule.
        within: f64,
    },
    /// Each sample is an event, and good as long as it compares so.
    Threshold {
        /// What yields the samples.
        value: Box<Measure>,
        /// `<`, `<=`, `>` or `>=`.
        op: BinaryOp,
        /// What they are compared with.
        bound: f64,
    },
    /// Each sample is an event, and good unless it is 0: `up`, `probe_success`.
    Boolean {
        /// What yields the samples.
        value: Box<Measure>,
    },
}

/// Which events are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// The good ones.
    Good,
    /// The bad ones.
    Bad,
}

/// A query of an objective, and what its numbers are.
#[derive(Debug, Clone)]
pub struct Measure {
    /// The query as it stands in the file; holds `{{.window}}` where it is windowed.
    pub text: Embedded,
    /// The query; a windowed one over one minute.
    pub query: Query,
    /// What its numbers are.
    pub kind: MeasureKind,
}

/// What the numbers of a query are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasureKind {
    /// Counters, whose increase counts.
    Counter,
    /// Values that count as they are, moment by moment.
    Values,
    /// What happened in the window that the query is given for each `{{.window}}`, as in Sloth.
    Windowed,
}

impl Measure {
    /// A query that is the same for all windows.
    ///
    /// # Errors
    /// The text is no query; the spans are those in [`Embedded::text`].
    pub fn new(
        text: Embedded,
        kind: MeasureKind,
        features: &Features,
    ) -> Result<Measure, Vec<QueryError>> {
        let written = match kind {
            MeasureKind::Windowed => over(&text.text, Duration(60_000)),
            _ => Cow::Borrowed(text.text.as_str()),
        };
        let query = Query::parse(&written, features)?;
        Ok(Measure { text, query, kind })
    }

    /// The query over a window, which matters to a windowed one only.
    ///
    /// # Errors
    /// The text is no query with that window.
    pub fn over(&self, window: Millis, features: &Features) -> Result<Query, Vec<QueryError>> {
        match self.kind {
            MeasureKind::Windowed => {
                Query::parse(&over(&self.text.text, Duration(window)), features)
            }
            _ => Ok(self.query.clone()),
        }
    }
}

/// A query of another tool's specification.
///
/// # Errors
/// The text is no query, at its places.
pub fn measure(
    text: &Embedded,
    kind: MeasureKind,
    features: &Features,
) -> Result<Box<Measure>, Vec<Diagnostic>> {
    let measure = Measure::new(text.clone(), kind, features);
    measure.map(Box::new).map_err(|errors| {
        let faults = errors.iter().map(|error| diagnose_query(text, error, ""));
        faults.collect()
    })
}

/// Whether a text has a place for a window: `{{.window}}`, with blanks inside or not.
pub fn is_windowed(text: &str) -> bool {
    next_place(text).is_some()
}

/// A text with a window in each of its places.
pub fn over(text: &str, window: Duration) -> Cow<'_, str> {
    if !is_windowed(text) {
        return Cow::Borrowed(text);
    }
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((start, end)) = next_place(rest) {
        out.push_str(rest.get(..start).unwrap_or_default());
        out.push_str(&window.to_string());
        rest = rest.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The first place for a window, in bytes.
fn next_place(text: &str) -> Option<(usize, usize)> {
    text.match_indices("{{").find_map(|(start, _)| {
        let inner = text.get(start + 2..)?;
        let end = inner.find("}}")?;
        let is_it = inner.get(..end)?.trim_matches(' ') == ".window";
        is_it.then_some((start, start + 2 + end + 2))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_put_into_their_places() {
        let text = "rate(a[{{.window}}]) / rate(b[{{ .window }}]) # {{.other}}";
        let five = over(text, Duration(300_000));
        assert_eq!(five, "rate(a[5m]) / rate(b[5m]) # {{.other}}");
        assert!(!is_windowed("rate(a[5m]) {{.window"));
        assert!(is_windowed("{{ {{.window}}"));
    }
}
