//! What came of a test file.

use super::accept::{CheckId, Observed, ObservedAlert, ObservedSample, Replacement};
use super::assertion::Assertion;
use super::coverage::Coverage;
use super::expect::Unmet;
use super::vacuous::Silence;
use crate::model::{Histogram, Labels, Millis, Timestamp};
use crate::promql::{Columns, Sample};
use crate::replay::{AlertState, Explanation};
use crate::text::{Diagnostic, Place, distinct};

/// What came of a test file that could be loaded.
#[derive(Debug, Clone)]
pub struct FileVerdict {
    /// What hardly means what was meant.
    pub warnings: Vec<Diagnostic>,
    /// The tests that ran, in the order of the file.
    pub tests: Vec<TestVerdict>,
    /// What Prometheus says of the queries of rules and of checks beside their results; no verdict depends on it.
    pub annotations: Vec<Diagnostic>,
    /// What its tests reached of the rules, if that was asked for.
    pub coverage: Option<Coverage>,
    /// What its tests say of alerts that they expect to be silent, for those who know of other files.
    pub silences: Vec<Silence>,
}

/// What came of a test.
#[derive(Debug, Clone)]
pub struct TestVerdict {
    /// Its place in the file's list, from 0.
    pub index: usize,
    /// Its place among all tests of the file, those of a matrix counted each.
    pub case: usize,
    /// The test's name; empty if it has none.
    pub name: String,
    /// What it expects.
    pub assertions: Vec<Assertion>,
    /// What is not as expected: alerts in the order of time, rule errors, expressions in the order of the file.
    pub failures: Vec<Mismatch>,
}

/// An expectation that was not met, or a rule that failed.
#[derive(Debug, Clone)]
pub struct Mismatch {
    /// The alert, the expression or the rule.
    pub name: String,
    /// When, after the start of the test.
    pub eval_time: Millis,
    /// Where the expectation stands, or the rule.
    pub place: Place,
    /// Which of the test's checks of its kind it is, for writing back what was observed.
    pub check: usize,
    /// What is wrong.
    pub cause: Cause,
    /// Why, where that was asked for.
    pub why: Option<Why>,
    /// The alerts that it is about, each with what it compared, where that was asked for: what `why` would tell, without
    /// the tree.
    pub glance: Option<Why>,
}

/// Why an expectation was not met.
#[derive(Debug, Clone)]
pub struct Why {
    /// The start of the test.
    pub start: Timestamp,
    /// One for each rule that it is about.
    pub explanations: Vec<Explanation>,
}

/// What is wrong.
#[derive(Debug, Clone)]
pub enum Cause {
    /// Other alerts fire than expected.
    Alert {
        /// In the order of labels.
        expected: Vec<AlertLine>,
        /// In the order of labels.
        got: Vec<AlertLine>,
        /// What the alert did around that time.
        strip: Strip,
    },
    /// An expression yields something else.
    Expr {
        /// In the order of labels.
        expected: Vec<SampleLine>,
        /// In the order of labels.
        got: Vec<SampleLine>,
    },
    /// An expression can't be evaluated.
    ExprError(String),
    /// An expression, or what is expected of it, can't be read.
    Unreadable(Vec<Diagnostic>),
    /// A rule can't be evaluated, which ends the test.
    Rule(String),
    /// A rule can't be evaluated at some moments, which does not end the test.
    RuleFails {
        /// Why, the first time, in Prometheus's words.
        message: String,
        /// The last moment, after the start of the test.
        last: Millis,
        /// How often.
        count: usize,
    },
    /// An item of `expect` is not met.
    Unmet(Box<Unmet>),
}

/// A firing alert, expected or seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlertLine {
    /// Its labels with `alertname`.
    pub labels: Labels,
    /// Labels that are expected to be there with an empty value, which no alert's are.
    pub empty_labels: Vec<String>,
    /// Its annotations by name.
    pub annotations: Vec<(String, String)>,
}

/// A sample, expected or seen.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleLine {
    /// Name and labels.
    pub labels: Labels,
    /// The float; 0 beside a histogram.
    pub value: f64,
    /// The native histogram.
    pub histogram: Option<Histogram>,
}

/// What an alert did around a moment.
#[derive(Debug, Clone, Default)]
pub struct Strip {
    /// The first evaluation shown, after the start of the test.
    pub from: Millis,
    /// Distance of evaluations.
    pub interval: Millis,
    /// Which of the evaluations shown is the one asked for.
    pub marked: usize,
    /// One row an instance.
    pub rows: Vec<StripRow>,
}

/// One instance of an alert around a moment.
#[derive(Debug, Clone)]
pub struct StripRow {
    /// Its labels with `alertname`.
    pub labels: Labels,
    /// Its state after each evaluation shown.
    pub states: Vec<Option<AlertState>>,
    /// Every stretch in the whole test: state, from and to after the start of the test.
    pub stretches: Vec<(AlertState, Millis, Option<Millis>)>,
}

impl SampleLine {
    /// Those of the first tick, in the order of labels.
    pub(super) fn all(columns: &Columns) -> Vec<SampleLine> {
        let lines = columns.series.iter().filter_map(|series| {
            let (value, histogram) = match series.column.get(0)? {
                Sample::Float(value) => (value, None),
                Sample::Histogram(histogram) => (0.0, Some(Histogram::clone(histogram))),
            };
            Some(SampleLine {
                labels: series.labels.clone(),
                value,
                histogram,
            })
        });
        let mut lines: Vec<SampleLine> = lines.collect();
        lines.sort_by(|a, b| a.labels.cmp(&b.labels));
        lines
    }

    /// The value as Prometheus prints it, a histogram in promtool's notation.
    pub fn value_text(&self) -> String {
        match &self.histogram {
            None => crate::model::number::format_value(self.value),
            Some(histogram) => histogram.test_expression(),
        }
    }

    fn observed(&self) -> ObservedSample {
        ObservedSample {
            labels: self.labels.clone(),
            value: self.value,
            histogram: self.histogram.clone(),
        }
    }
}

impl AlertLine {
    fn observed(&self) -> ObservedAlert {
        ObservedAlert {
            labels: self.labels.clone(),
            annotations: self.annotations.clone(),
        }
    }
}

impl FileVerdict {
    /// Whether every expectation was met.
    pub fn passed(&self) -> bool {
        self.tests.iter().all(|test| test.failures.is_empty())
    }
}

impl FileVerdict {
    /// The same with more warnings.
    pub fn with_warnings(mut self, warnings: Vec<Diagnostic>) -> FileVerdict {
        let warnings = warnings.into_iter().map(Diagnostic::into_warning);
        self.warnings.extend(distinct(warnings.collect()));
        self
    }

    /// What would make every expectation be met: each failing one replaced by what was observed.
    pub fn replacements(&self) -> Vec<Replacement> {
        let failures = self
            .tests
            .iter()
            .flat_map(|test| test.failures.iter().map(move |failure| (test, failure)));
        failures
            .filter_map(|(test, failure)| failure.replacement(test))
            .collect()
    }
}

impl Mismatch {
    /// The expectation with what was observed; `None` where nothing was, because of an error.
    fn replacement(&self, test: &TestVerdict) -> Option<Replacement> {
        let (check, observed) = match &self.cause {
            Cause::Alert { got, .. } => (
                CheckId::Alert(self.check),
                Observed::Alerts(got.iter().map(AlertLine::observed).collect()),
            ),
            Cause::Expr { got, .. } => (
                CheckId::Expr(self.check),
                Observed::Samples(got.iter().map(SampleLine::observed).collect()),
            ),
            Cause::ExprError(_)
            | Cause::Unreadable(_)
            | Cause::Rule(_)
            | Cause::RuleFails { .. }
            | Cause::Unmet(_) => return None,
        };
        Some(Replacement {
            test: test.index,
            is_shared: false,
            check,
            observed,
        })
    }

    /// `alert`, `expr`, `rule` or `expect`.
    pub fn kind(&self) -> &'static str {
        match self.cause {
            Cause::Alert { .. } => "alert",
            Cause::Expr { .. } | Cause::ExprError(_) | Cause::Unreadable(_) => "expr",
            Cause::Rule(_) | Cause::RuleFails { .. } => "rule",
            Cause::Unmet(_) => "expect",
        }
    }
}

/// A moment after the start of a test.
pub(super) fn since(start: Timestamp, moment: Timestamp) -> Millis {
    moment.saturating_sub(start)
}
