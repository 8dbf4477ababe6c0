//! promtool's test-file format, as Prometheus 3.14 documents it.

use std::sync::Arc;

use crate::model::{Histogram, Labels, Millis, Timestamp};
use crate::promql::Query;
use crate::replay::Schedule;
use crate::series::generate::Generator;
use crate::series::notation::Item;
use crate::slo::objective::Slo;
use crate::text::yaml::Embedded;
use crate::text::{Diagnostic, Source, Span};

use super::expect::{Expectation, ExpectationKind, SloAsk};
pub use super::fixture::{Align, Fixture, Nan, Selection};
pub use super::include::Load;
pub use super::read::{looks_like_test_file, read, read_with};
pub use super::warmup::Warmup;

/// A value with the place it was written at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub span: Span,
}

/// A test file that promtool would run.
#[derive(Debug, Clone)]
pub struct TestFile {
    /// Its text.
    pub source: Source,
    /// Globs of rule files, relative to the test file.
    pub rule_files: Vec<Spanned<String>>,
    /// Time between two evaluations of every group; a minute unless given.
    pub evaluation_interval: Millis,
    /// Groups that are evaluated in this order; no name twice.
    pub group_eval_order: Vec<Spanned<String>>,
    /// Whether values may differ in their last bit.
    pub fuzzy_compare: bool,
    /// When groups are evaluated, if the file says it.
    pub schedule: Option<Schedule>,
    /// Whether it is written for vmalert-tool: then results of rules have the external labels.
    pub is_vmalert: bool,
    /// Its objectives, and those of the files that it names.
    pub slos: Vec<Slo>,
    /// `slo_files`: files of objectives, relative to the test file.
    pub slo_files: Vec<Spanned<String>>,
    /// The tests in the order of the file.
    pub tests: Vec<TestCase>,
    /// What promtool lets pass and hardly anybody means.
    pub warnings: Vec<Diagnostic>,
}

/// Series, and what is expected of the rules over them.
#[derive(Debug, Clone)]
pub struct TestCase {
    /// Its name, if it has one.
    pub name: Option<Spanned<String>>,
    /// The whole test.
    pub span: Span,
    /// Its place in the file's list, from 0: tests of a matrix share one.
    pub item: usize,
    /// The names that its matrix gives it, with their values.
    pub values: Vec<(String, String)>,
    /// Time between two samples; the file's evaluation interval unless given.
    pub interval: Millis,
    /// The time of the first samples and the first evaluation.
    pub start: Timestamp,
    /// Its length, if the test says it.
    pub duration: Option<Spanned<Millis>>,
    /// What came before it, if it says that.
    pub warmup: Option<Warmup>,
    /// Whether it has keys that promtool does not know: then errors of rules don't end it.
    pub is_extended: bool,
    /// The series; no labels twice (as in promtool the last ones count).
    pub input_series: Vec<InputSeries>,
    /// Recordings that give it more series.
    pub fixtures: Vec<Fixture>,
    /// `generate`: series that are made.
    pub generated: Vec<GeneratedSeries>,
    /// `alert_rule_test`
    pub alert_checks: Vec<AlertCheck>,
    /// `promql_expr_test`
    pub expr_checks: Vec<ExprCheck>,
    /// Whether some of them stand under `metricsql_expr_test`, behind the others.
    pub has_metricsql_checks: bool,
    /// `expect`
    pub expectations: Vec<Expectation>,
    /// Where it says that errors of rules are no failure, if it does.
    pub rule_errors_expected: Option<Span>,
    /// Labels that templates see.
    pub external_labels: Labels,
    /// The address that templates see.
    pub external_url: String,
}

impl TestCase {
    /// The alerts that it names, with their places.
    pub fn named_alerts(&self) -> impl Iterator<Item = &Spanned<String>> {
        let checks = self.alert_checks.iter().map(|check| &check.alertname);
        let expected = self.expectations.iter();
        checks.chain(expected.flat_map(|expectation| match &expectation.kind {
            ExpectationKind::Alert(alert) => vec![&alert.alert],
            ExpectationKind::Slo(slo) => slo.asks.iter().filter_map(SloAsk::alert).collect(),
            ExpectationKind::Alerts(_) | ExpectationKind::Expr(_) => Vec::new(),
        }))
    }

    /// The times of promtool's checks, with the places of these.
    pub fn eval_times(&self) -> Vec<Spanned<Millis>> {
        let alerts = self.alert_checks.iter();
        let alerts = alerts.map(|check| (check.eval_time, check.span));
        let exprs = self.expr_checks.iter();
        let exprs = exprs.map(|check| (check.eval_time, check.span));
        let times = alerts.chain(exprs);
        times.map(|(value, span)| Spanned { value, span }).collect()
    }

    /// The last time that it names; 0 for none.
    pub fn last_named(&self) -> Millis {
        let checks = self.eval_times().into_iter().map(|time| time.value);
        let expected = self.expectations.iter().filter_map(Expectation::last_named);
        checks.chain(expected).max().unwrap_or(0)
    }

    /// The labels of all its inputs: written, recorded and generated.
    pub fn series(&self) -> impl Iterator<Item = Labels> {
        let written = self.input_series.iter().map(|input| input.labels.clone());
        let recorded = self.fixtures.iter().flat_map(|it| it.series.iter());
        let recorded = recorded.map(|(labels, _)| labels.clone());
        let generators = self.generated.iter().map(|it| &it.generator);
        let generated = generators.flat_map(|generator| {
            let series = generator.series.iter();
            series.flat_map(|labels| generator.names(labels))
        });
        written.chain(recorded).chain(generated)
    }
}

/// One series and its samples.
#[derive(Debug, Clone)]
pub struct InputSeries {
    /// Its name and labels as written.
    pub series: Embedded,
    /// Its name and labels.
    pub labels: Labels,
    /// Its samples.
    pub values: Vec<Item>,
    /// Its samples as written; `None` for none.
    pub values_text: Option<Embedded>,
    /// The whole item.
    pub span: Span,
}

impl InputSeries {
    /// How many samples and gaps it has.
    pub fn count(&self) -> u64 {
        let counts = self.values.iter().map(Item::count);
        counts.fold(0, u64::saturating_add)
    }
}

/// Series that are made of a description.
#[derive(Debug, Clone)]
pub struct GeneratedSeries {
    /// The description.
    pub generator: Generator,
    /// The file that it stands in.
    pub source: Source,
    /// The key that names its kind.
    pub span: Span,
    /// Where each of its events stands.
    pub event_spans: Vec<Span>,
}

/// What must fire at a moment.
#[derive(Debug, Clone)]
pub struct AlertCheck {
    /// When, after the start of the test.
    pub eval_time: Millis,
    /// The alert.
    pub alertname: Spanned<String>,
    /// vmalert-tool's `groupname`: only the alert of this group is looked at, which has its name as a label.
    pub group: Option<Spanned<String>>,
    /// The alerts of that name that fire then, in the order of the file.
    pub expected: Vec<ExpectedAlert>,
    /// The whole item.
    pub span: Span,
    /// The value of `exp_alerts`, if it was written.
    pub expected_span: Option<Span>,
}

/// An alert that must fire.
#[derive(Debug, Clone)]
pub struct ExpectedAlert {
    /// Its labels, with `alertname`.
    pub labels: Labels,
    /// Labels that it must have with an empty value: no alert has, so promtool fails such a check.
    pub empty_labels: Vec<String>,
    /// Its annotations in the order of names.
    pub annotations: Vec<(String, String)>,
    /// The whole item.
    pub span: Span,
}

/// What an expression must yield at a moment.
#[derive(Debug, Clone)]
pub struct ExprCheck {
    /// The expression, or why it is none: that fails the check, not the file.
    pub query: Result<Arc<Query>, Vec<Diagnostic>>,
    /// The expression as written.
    pub expr: Embedded,
    /// When, after the start of the test.
    pub eval_time: Millis,
    /// The samples in the order of the file, or the first that is none: that fails the check after the
    /// expression was evaluated.
    pub expected: Result<Vec<ExpectedSample>, Diagnostic>,
    /// The whole item.
    pub span: Span,
    /// The value of `exp_samples`, if it was written.
    pub expected_span: Option<Span>,
}

/// A sample that an expression must yield.
#[derive(Debug, Clone)]
pub struct ExpectedSample {
    /// Its name and labels.
    pub labels: Labels,
    /// Its value, without meaning beside a histogram.
    pub value: f64,
    /// Its native histogram.
    pub histogram: Option<Histogram>,
    /// The whole item.
    pub span: Span,
}
