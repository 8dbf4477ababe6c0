//! Items of `expect`, and checks of expressions, that hold whatever happens.

use super::empty::{Culprit, starved};
use super::world::Made;
use super::{Context, Finding};
use crate::promql::Query;
use crate::promql::ast::VectorSelector;
use crate::promql::selectors::{Reach, selectors};
use crate::rules::{Rule, RuleKind};
use crate::suite::expect::{
    AlertExpectation, Ask, Bounds, EveryAlert, Expectation, ExpectationKind, ExprExpectation,
    TextTest, ValueTest, Windows,
};
use crate::suite::file::{ExprCheck, Spanned, TestCase};
use crate::text::yaml::Embedded;
use crate::text::{Diagnostic, Span};

/// Texts of which no pattern passes both but one that passes everything.
const UNLIKE: [&str; 2] = ["", "\u{1}7 Zß\n"];

/// Everything of the kind in the tests of a file.
pub(super) fn items(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for test in context.tests() {
        let items = Items { context, test };
        let faults = test.expectations.iter().flat_map(|item| items.item(item));
        let checks = test.expr_checks.iter();
        let checks = checks.filter_map(|check| items.check(check));
        findings.extend(faults.chain(checks).map(|fault| Finding {
            fault,
            is_extended: test.is_extended,
        }));
    }
    findings
}

/// The items of one test.
struct Items<'i, 'c> {
    context: &'i Context<'c>,
    test: &'i TestCase,
}

impl<'c> Items<'_, 'c> {
    fn item(&self, item: &Expectation) -> Vec<Diagnostic> {
        let found: Vec<Option<Diagnostic>> = match &item.kind {
            ExpectationKind::Alert(alert) => self.alert(alert),
            ExpectationKind::Alerts(every) => self.every(every, item.span),
            ExpectationKind::Slo(_) => Vec::new(),
            ExpectationKind::Expr(expr) => self.expr(expr, item.span),
        };
        found.into_iter().flatten().collect()
    }

    fn alert(&self, alert: &AlertExpectation) -> Vec<Option<Diagnostic>> {
        let rules = self.context.alerts();
        let rules: Vec<&Rule> = rules
            .filter(|rule| rule.name == alert.alert.value)
            .collect();
        let of = format!("alert {}", alert.alert.value);
        let selection = match alert.is_met_by_silence() {
            true => self.selection(&rules, &alert.labels, &of),
            false => None,
        };
        let pending = alert.pending.as_ref();
        let asks_more = alert.fires.is_some()
            || alert.count.is_some()
            || alert.flaps.is_some()
            || alert.instances.is_some()
            || alert.resolves_by.is_some()
            || !alert.annotations.is_empty()
            || alert.at.as_ref().is_some_and(|at| at.state.is_some());
        let never = pending.filter(|it| it.value == Windows::Never && !asks_more);
        let never = never.and_then(|never| self.never_pending(&rules, never.span, &of));
        vec![selection, never]
    }

    fn every(&self, every: &EveryAlert, span: Span) -> Vec<Option<Diagnostic>> {
        let named: Vec<&str> = self
            .test
            .named_alerts()
            .map(|alert| alert.value.as_str())
            .collect();
        let is_meant = |rule: &&Rule| !every.others_only || !named.contains(&rule.name.as_str());
        let rules: Vec<&Rule> = self.context.alerts().filter(is_meant).collect();
        if rules.is_empty() {
            let (message, help) = match self.context.alerts().next() {
                None => (
                    "the rule files define no alert, so this holds whatever happens",
                    "remove it, or add the alerts' file to rule_files",
                ),
                Some(_) => (
                    "every alert is named by an item of this test, so there are no others",
                    "remove it, or write `alerts: all`",
                ),
            };
            return vec![Some(self.context.fault(span, message).help(help))];
        }
        let asks_of_firing = !every.has_labels.is_empty() || !every.annotations.is_empty();
        let selection = match asks_of_firing {
            true => None,
            false => self.selection(&rules, &every.labels, every.name()),
        };
        let pending = match every.never_pending && !every.never_fires && every.flaps.is_none() {
            true => self.never_pending(&rules, span, every.name()),
            false => None,
        };
        let mut found = vec![selection, pending];
        found.extend(every.has_labels.iter().map(|test| self.any_text(test)));
        found
    }

    /// Labels that no instance can have.
    fn selection(&self, rules: &[&Rule], tests: &[TextTest], of: &str) -> Option<Diagnostic> {
        let impossible = |test: &&TextTest| {
            let world = self.context.world();
            !rules.is_empty() && !rules.iter().any(|rule| world.may_have(rule, test))
        };
        let test = tests.iter().find(impossible)?;
        let message = format!(
            "no series of any test and no rule gives {of} this label `{}`, so this selects nothing",
            test.name
        );
        let fault = self.context.fault(test.span, message);
        let known = self
            .context
            .world()
            .values_listed(test, rules.iter().copied());
        Some(match known {
            Some(known) => fault.help(format!("there is {known}")),
            None => fault.help("correct the label, or leave it out"),
        })
    }

    /// An alert without `for` is never pending.
    fn never_pending(&self, rules: &[&Rule], span: Span, of: &str) -> Option<Diagnostic> {
        let waits = |rule: &&Rule| matches!(&rule.kind, RuleKind::Alert(alert) if alert.hold > 0);
        if rules.is_empty() || rules.iter().any(waits) {
            return None;
        }
        let message = format!("`pending: never` holds whatever happens: there is no `for` in {of}");
        let fault = self.context.fault(span, message);
        Some(fault.help("remove it, or write `fires: never` if that is meant"))
    }

    /// A pattern that passes every text, that of an absent label too.
    fn any_text(&self, test: &TextTest) -> Option<Diagnostic> {
        if !UNLIKE.iter().all(|text| test.wanted.holds(text)) {
            return None;
        }
        let message = format!(
            "this passes every label `{}`, even where it is absent",
            test.name
        );
        let fault = self.context.fault(test.span, message);
        Some(fault.help("write a pattern that asks for something, such as `/./`"))
    }

    fn expr(&self, expr: &ExprExpectation, span: Span) -> Vec<Option<Diagnostic>> {
        if selectors(&expr.query.expr, Reach::LOOKBACK).is_empty() {
            let message = "this expression reads no series, so no rule and no input can change what it yields";
            let fault = self.context.fault(span, message);
            return vec![Some(fault.help("ask for a series, or remove the item"))];
        }
        let mut found = Vec::new();
        let bounds = match &expr.ask {
            Ask::At { value, .. } => [value, &None, &None],
            Ask::Over {
                always, min, max, ..
            } => [always, min, max],
        };
        for wanted in bounds.into_iter().flatten() {
            found.push(self.every_number(wanted));
        }
        let may_lack = expr
            .instances
            .as_ref()
            .is_none_or(|wanted| wanted.value.holds(0));
        if may_lack && bounds.into_iter().all(Option::is_none) {
            found.push(self.nothing(&expr.query, &expr.expr));
            let mut made = Made::default();
            made.add(&expr.query.expr);
            let reads_alerts = selectors(&expr.query.expr, Reach::LOOKBACK)
                .iter()
                .any(|used| self.context.world().may_be_alert(&used.selector.matchers));
            let impossible =
                |test: &&TextTest| !reads_alerts && !self.context.world().may_be(test, &made);
            found.push(expr.labels.iter().find(impossible).map(|test| {
                let message = format!(
                    "no series of any test has this label `{}`, so this selects nothing",
                    test.name
                );
                let fault = self.context.fault(test.span, message);
                match self.context.world().values_listed(test, std::iter::empty()) {
                    Some(known) => fault.help(format!("there is {known}")),
                    None => fault.help("correct the label, or leave it out"),
                }
            }));
        } else {
            found.push(self.nowhere(expr, span));
        }
        found
    }

    /// An expression whose metrics are all nowhere yields the same whatever rules and inputs are, such as `absent` of them.
    fn nowhere(&self, expr: &ExprExpectation, span: Span) -> Option<Diagnostic> {
        let world = self.context.world();
        let used = selectors(&expr.query.expr, Reach::LOOKBACK);
        if !used
            .iter()
            .all(|used| world.lacks_metric(&used.selector.matchers))
        {
            return None;
        }
        let message = "no test has, and no rule records, what this expression reads: nothing can change what it yields";
        let fault = self.context.fault(span, message);
        let near = used
            .iter()
            .find_map(|used| world.near(&used.selector.matchers));
        Some(match near {
            Some(near) => fault.help(format!("{near}: correct the name")),
            None => fault.help("correct the name, or give a test such a series"),
        })
    }

    /// Bounds of numbers beyond which none lies.
    fn every_number(&self, wanted: &Spanned<ValueTest>) -> Option<Diagnostic> {
        let ValueTest::Bounds(Bounds {
            above: None,
            below: None,
            ..
        }) = wanted.value
        else {
            return None;
        };
        let holds = |number: f64| wanted.value.holds(number);
        if !holds(f64::INFINITY) || !holds(f64::NEG_INFINITY) {
            return None;
        }
        let message = "these bounds hold for every number";
        let fault = self.context.fault(wanted.span, message);
        Some(fault.help("narrow them; `instances: {at_least: 1}` asks for any sample at all"))
    }

    /// promtool's check of an expression that must yield nothing.
    fn check(&self, check: &ExprCheck) -> Option<Diagnostic> {
        let query = check.query.as_deref().ok()?;
        let expects_nothing = check.expected.as_ref().is_ok_and(Vec::is_empty);
        match expects_nothing {
            true => self.nothing(query, &check.expr),
            false => None,
        }
    }

    /// An expression that yields nothing, since its metrics are nowhere.
    fn nothing(&self, query: &Query, text: &Embedded) -> Option<Diagnostic> {
        let world = self.context.world();
        let is_missing = |selector: &VectorSelector| world.lacks_metric(&selector.matchers);
        let culprits = starved(&query.expr, &is_missing)?;
        let Culprit { selector, span } = culprits.first()?;
        let part = query.text.get(span.start..span.end).unwrap_or_default();
        let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        let message = format!(
            "{part} is in no test and recorded by no rule: that there is no sample proves nothing"
        );
        let fault = Diagnostic::error(message).at(text.source(), text.span(*span));
        Some(match world.near(&selector.matchers) {
            Some(near) => fault.help(format!("{near}: correct the name")),
            None => fault.help("correct the name, or give a test such a series"),
        })
    }
}
