//! The expectations of a test, one by one.

use super::check::Checker;
use super::expect::ExpectationKind;
use super::file::TestCase;
use crate::model::Millis;
use crate::text::{Place, Span};

/// One expectation of a test.
#[derive(Debug, Clone)]
pub struct Assertion {
    /// What it is about.
    pub kind: AssertionKind,
    /// Which of the test's of its kind it is, from 0.
    pub index: usize,
    /// The alert or the expression; of an item about all alerts, what it is called.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Whether it was looked at: a rule that can't be evaluated may have ended the test before.
    pub was_reached: bool,
}

/// What an [`Assertion`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AssertionKind {
    /// Which instances of an alert fire at a moment after the start of the test.
    Alert(Millis),
    /// What an expression yields at a moment after the start of the test.
    Expr(Millis),
    /// What an alert does in the whole test.
    WholeAlert,
    /// What all alerts do, or carry, in the whole test.
    AllAlerts,
    /// What an expression yields in the whole test.
    WholeExpr,
    /// What an objective's budget does in the whole test.
    Slo,
}

impl AssertionKind {
    /// What [`super::Mismatch::kind`] calls it.
    pub fn name(self) -> &'static str {
        match self {
            AssertionKind::Alert(_) => "alert",
            AssertionKind::Expr(_) => "expr",
            AssertionKind::WholeAlert
            | AssertionKind::AllAlerts
            | AssertionKind::WholeExpr
            | AssertionKind::Slo => "expect",
        }
    }
}

impl Checker<'_> {
    /// The expectations of the test in the order of the file.
    pub fn assertions(&self) -> Vec<Assertion> {
        let TestCase {
            alert_checks,
            expr_checks,
            expectations,
            ..
        } = self.test;
        let stopped = self.replay.stopped_at;
        let asked = |kind, index, name: &str, span: Span| Assertion {
            kind,
            index,
            name: name.to_owned(),
            place: Place::new(&self.file.source, span),
            was_reached: match kind {
                AssertionKind::Alert(time) => self.is_before_the_end(time),
                _ => stopped.is_none(),
            },
        };
        let alerts = alert_checks.iter().enumerate().map(|(index, check)| {
            let kind = AssertionKind::Alert(check.eval_time);
            asked(kind, index, &check.alertname.value, check.span)
        });
        let exprs = expr_checks.iter().enumerate().map(|(index, check)| {
            let kind = AssertionKind::Expr(check.eval_time);
            asked(kind, index, &check.expr.text, check.span)
        });
        let items = expectations.iter().enumerate().map(|(index, item)| {
            let (kind, name) = match &item.kind {
                ExpectationKind::Alert(alert) => (AssertionKind::WholeAlert, &*alert.alert.value),
                ExpectationKind::Alerts(every) => (AssertionKind::AllAlerts, every.name()),
                ExpectationKind::Slo(slo) => (AssertionKind::Slo, &*slo.slo.value),
                ExpectationKind::Expr(expr) => (AssertionKind::WholeExpr, &*expr.expr.text),
            };
            asked(kind, index, name, item.span)
        });
        alerts.chain(exprs).chain(items).collect()
    }
}
