//! A query that was parsed and checked.

use super::ast::{Expr, ValueType};
use super::letters::one_line;
use crate::text::Span;

/// A query that was parsed and checked: every function exists, every argument has its type.
#[derive(Debug, Clone)]
pub struct Query {
    /// The text it was parsed from.
    pub text: String,
    /// Its tree.
    pub expr: Expr,
}

/// Why a text is no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// What is wrong, in Prometheus's words where it has some.
    pub message: String,
    /// Where, in bytes of the query's text.
    pub span: Span,
    /// What to do.
    pub help: Option<String>,
}

/// What is off unless asked for, by the names that Prometheus's `--enable-feature` gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Features {
    /// `promql-experimental-functions`: functions and aggregations marked so.
    pub experimental_functions: bool,
    /// `promql-delayed-name-removal`: metric names go at the end of a query, not at each function.
    pub delayed_name_removal: bool,
    /// `promql-extended-range-selectors`: `anchored` and `smoothed`.
    pub extended_range_selectors: bool,
    /// `promql-binop-fill-modifiers`: `fill`, `fill_left`, `fill_right`.
    pub binop_fill_modifiers: bool,
    /// `use-start-timestamps`: `rate` and its like ask when a counter started, and `start_timestamp` tells.
    pub start_timestamps: bool,
    /// `type-and-unit-labels`: the labels `__type__` and `__unit__` tell what a series is.
    pub type_and_unit_labels: bool,
    /// `st-storage`: `_created` series of OpenMetrics tell when a counter started.
    pub stored_starts: bool,
}

/// Switches one of [`Features`] on.
type Switch = fn(&mut Features) -> &mut bool;

/// The names of the features.
const SWITCHES: [(&str, Switch); 7] = [
    ("promql-experimental-functions", |features| {
        &mut features.experimental_functions
    }),
    ("promql-delayed-name-removal", |features| {
        &mut features.delayed_name_removal
    }),
    ("promql-extended-range-selectors", |features| {
        &mut features.extended_range_selectors
    }),
    ("promql-binop-fill-modifiers", |features| {
        &mut features.binop_fill_modifiers
    }),
    ("use-start-timestamps", |features| {
        &mut features.start_timestamps
    }),
    ("type-and-unit-labels", |features| {
        &mut features.type_and_unit_labels
    }),
    ("st-storage", |features| &mut features.stored_starts),
];

/// Names that Prometheus knows and that change no evaluation: what is always on by now, and what concerns scraping and
/// storing.
const OF_NO_EFFECT: [&str; 22] = [
    "auto-reload-config",
    "concurrent-rule-eval",
    "created-timestamp-zero-ingestion",
    "delayed-compaction",
    "exemplar-storage",
    "extra-scrape-metrics",
    "fast-startup",
    "histograms-st-encoding",
    "memory-snapshot-on-shutdown",
    "metadata-wal-records",
    "native-histograms",
    "old-ui",
    "ooo-native-histograms",
    "otlp-deltatocumulative",
    "otlp-native-delta-ingestion",
    "promql-at-modifier",
    "promql-duration-expr",
    "promql-negative-offset",
    "promql-per-step-stats",
    "search-api",
    "st-synthesis",
    "xor2-encoding",
];

impl Features {
    /// On is what is on where Prometheus tests its engine: everything but the labels of type and unit.
    pub const ALL: Features = Features {
        experimental_functions: true,
        delayed_name_removal: true,
        extended_range_selectors: true,
        binop_fill_modifiers: true,
        start_timestamps: true,
        type_and_unit_labels: false,
        stored_starts: false,
    };

    /// Switches on what a name of Prometheus's `--enable-feature` means.
    ///
    /// # Errors
    ///
    /// Prometheus knows no such name.
    pub fn enable(&mut self, name: &str) -> Result<(), UnknownFeature> {
        if let Some((_, switch)) = SWITCHES.iter().find(|(known, _)| *known == name) {
            *switch(self) = true;
            return Ok(());
        }
        match OF_NO_EFFECT.contains(&name) {
            true => Ok(()),
            false => Err(UnknownFeature),
        }
    }

    /// Switches off what [`Features::enable`] switched on by the name.
    ///
    /// # Errors
    ///
    /// There is no such name, or it is of nothing that can be off.
    pub fn disable(&mut self, name: &str) -> Result<(), UnknownFeature> {
        let found = SWITCHES.iter().find(|(known, _)| *known == name);
        let (_, switch) = found.ok_or(UnknownFeature)?;
        *switch(self) = false;
        Ok(())
    }

    /// The names that change evaluations.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SWITCHES.iter().map(|(name, _)| *name)
    }
}

/// A name that is not one of Prometheus's features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown feature")]
pub struct UnknownFeature;

impl Query {
    /// What a part of its text is by itself; `None` where that is no query.
    pub fn part(&self, part: Span, features: &Features) -> Option<Query> {
        let text = self.text.get(part.start..part.end)?;
        Query::parse(text, features).ok()
    }

    /// A part of its text on one line.
    pub fn written(&self, part: Span) -> String {
        one_line(self.text.get(part.start..part.end).unwrap_or_default())
    }

    /// What the query evaluates to.
    pub fn value_type(&self) -> ValueType {
        self.expr.value_type()
    }

    /// Why the query can't be evaluated over a range, in Prometheus's words; `None` where it can.
    pub fn range_fault(&self) -> Option<String> {
        match self.value_type() {
            ValueType::Scalar | ValueType::Vector => None,
            other => Some(format!(
                "invalid expression type {:?} for range query, must be Scalar or instant Vector",
                other.name()
            )),
        }
    }
}
