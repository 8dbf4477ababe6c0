//! Reads the items of `expect:` that are about objectives.

use super::super::file::Spanned;
use super::super::read::Reader;
use super::scalar::BOUNDS;
use super::slo::{SloAsk, SloExpectation};
use super::{Tolerance, ValueTest};
use crate::model::{Millis, Timestamp};
use crate::slo::budget::History;
use crate::text::Span;
use crate::text::yaml::{Fields, Kind, Node};

/// The keys of an item about an objective.
pub(in crate::suite) const SLO_ITEM_FIELDS: [&str; 10] = [
    "slo",
    "budget_left",
    "budget_spent",
    "burn_rate",
    "exhausted_at",
    "within",
    "pages_before",
    "alert",
    "labels",
    "history",
];

/// The keys of what is left or spent.
pub(in crate::suite) const BUDGET_FIELDS: [&str; 7] = [
    "at",
    "value",
    "tolerance",
    "above",
    "below",
    "at_least",
    "at_most",
];

/// The keys of a burn rate.
pub(in crate::suite) const BURN_FIELDS: [&str; 9] = [
    "window",
    "peak",
    "at",
    "value",
    "tolerance",
    "above",
    "below",
    "at_least",
    "at_most",
];

/// The keys of what pages come before.
pub(in crate::suite) const PAGES_FIELDS: [&str; 1] = ["budget_spent"];

impl<'d> Reader<'d, '_> {
    pub(super) fn of_slo(&mut self, node: Node<'d>, start: Timestamp) -> Option<SloExpectation> {
        let noted = self.decoder.faults.len();
        let fields = self.fields(node, "an expectation of an objective", &SLO_ITEM_FIELDS)?;
        let slo = self.text(&fields, "slo")?;
        let mut asks = Vec::new();
        if let Some(node) = fields.node("budget_left") {
            let (at, test) = self.budget_test(node, "budget_left", start)?;
            asks.push(SloAsk::Left { at, test });
        }
        if let Some(node) = fields.node("budget_spent") {
            let (at, test) = self.budget_test(node, "budget_spent", start)?;
            asks.push(SloAsk::Spent { at, test });
        }
        if let Some(node) = fields.node("burn_rate") {
            asks.push(self.burn_rate(node, start)?);
        }
        if let Some(node) = fields.node("exhausted_at") {
            let span = node.target().span();
            let at = match self.decoder.is_word(node, "never") {
                true => None,
                false => Some(self.moment_of_test(node, start, "`exhausted_at`")?),
            };
            let within = self.duration(&fields, "within").unwrap_or(0);
            asks.push(SloAsk::Exhausted { at, within, span });
        }
        if let Some(node) = fields.node("pages_before") {
            let pages = self.fields(node, "`pages_before`", &PAGES_FIELDS)?;
            let Some(spent) = pages.node("budget_spent") else {
                let help = "write `pages_before: {budget_spent: 5%}`";
                let span = node.target().span();
                self.decoder.error(span, "pages before what?", help);
                return None;
            };
            let part = self.number(spent, "`budget_spent`")?;
            if !(part > 0.0 && part.is_finite()) {
                let help = "write a part of the budget above 0, such as `5%`";
                let message = "`budget_spent`: nothing comes before that";
                self.decoder.error(spent.target().span(), message, help);
            }
            asks.push(SloAsk::PagesBefore {
                spent: part,
                alert: self.text(&fields, "alert"),
                labels: self.text_tests(&fields, "labels"),
            });
        }
        let history = match self.word(&fields, "history", &["full", "observed"]) {
            Some("observed") => History::Observed,
            _ => History::Full,
        };
        if self.decoder.faults.len() == noted {
            self.refuse_idle_slo(&fields, node.span(), &slo.value, asks.is_empty());
        }
        Some(SloExpectation { slo, history, asks })
    }

    fn refuse_idle_slo(&mut self, fields: &Fields<'d>, span: Span, slo: &str, asks_nothing: bool) {
        if asks_nothing {
            let message = format!("nothing is expected of objective {slo}");
            let help =
                "add one of budget_left, budget_spent, burn_rate, exhausted_at, pages_before";
            self.decoder.error(span, message, help);
        }
        for (name, of) in [
            ("within", "exhausted_at"),
            ("alert", "pages_before"),
            ("labels", "pages_before"),
        ] {
            if fields.node(name).is_some() && fields.node(of).is_none() {
                let message = format!("`{name}` without `{of}`");
                let help = format!("remove it, or add `{of}`");
                self.decoder.error(fields.key_span(name), message, help);
            }
        }
        let names_alert = ["alert", "labels"]
            .iter()
            .any(|it| fields.node(it).is_some());
        if fields.node("pages_before").is_some() && !names_alert {
            let help = "add `alert: NAME`, `labels: {severity: page}`, or both";
            let message = "`pages_before` names no alert";
            self.decoder
                .error(fields.key_span("pages_before"), message, help);
        }
    }

    /// `{at: 2h, above: 60%}`, `{value: 60%, tolerance: 1%}` or a number for the end of the test.
    fn budget_test(
        &mut self,
        node: Node<'d>,
        name: &'static str,
        start: Timestamp,
    ) -> Option<(Option<Spanned<Millis>>, Spanned<ValueTest>)> {
        let Kind::Mapping(_) = node.kind() else {
            let value = self.number(node, format_args!("`{name}`"))?;
            let tolerance = Tolerance::Absolute(0.0);
            let value = ValueTest::Equal { value, tolerance };
            let span = node.target().span();
            return Some((None, Spanned { value, span }));
        };
        let fields = self.fields(node, &format!("`{name}`"), &BUDGET_FIELDS)?;
        let at = match fields.node("at") {
            Some(node) => Some(self.moment_of_test(node, start, "`at`")?),
            None => None,
        };
        Some((at, self.test_of(&fields, node, name)?))
    }

    fn burn_rate(&mut self, node: Node<'d>, start: Timestamp) -> Option<SloAsk> {
        let fields = self.fields(node, "`burn_rate`", &BURN_FIELDS)?;
        let span = node.target().span();
        let Some(window) = fields.node("window") else {
            let help = "write `burn_rate: {window: 1h, peak: {above: 14.4}}`";
            self.decoder
                .error(span, "a burn rate over what time?", help);
            return None;
        };
        let window_span = window.target().span();
        let value = self.duration(&fields, "window")?;
        if value <= 0 {
            let help = "write a length of time such as `1h`";
            self.decoder
                .error(window_span, "a burn rate over no time", help);
            return None;
        }
        let window = Spanned {
            value,
            span: window_span,
        };
        let (at, test) = match (fields.node("at"), fields.node("peak")) {
            (Some(node_at), None) => {
                let at = self.moment_of_test(node_at, start, "`at`")?;
                (Some(at), self.test_of(&fields, node, "burn_rate")?)
            }
            (None, Some(_)) => {
                let beside = ["value", "above", "below", "at_least", "at_most"];
                if let Some(name) = beside.into_iter().find(|it| fields.node(it).is_some()) {
                    let message = format!("`{name}` beside `peak`");
                    let help = format!("write it inside: `peak: {{{name}: …}}`");
                    self.decoder.error(fields.key_span(name), message, help);
                    return None;
                }
                let tolerance = self.tolerance(&fields);
                let test = self.value_test(&fields, "peak", tolerance)?;
                (None, test)
            }
            (Some(_), Some(_)) => {
                let help = "remove one of the two";
                let message = "`at` is one moment, `peak` is the highest of all";
                self.decoder.error(fields.key_span("peak"), message, help);
                return None;
            }
            (None, None) => {
                let help = "add `peak: {above: 14.4}`, or `at: 40m` with a bound";
                self.decoder
                    .error(span, "a burn rate without a moment", help);
                return None;
            }
        };
        Some(SloAsk::Burn { window, at, test })
    }

    /// What a number must be, by keys that stand beside others.
    fn test_of(
        &mut self,
        fields: &Fields<'d>,
        node: Node<'d>,
        name: &'static str,
    ) -> Option<Spanned<ValueTest>> {
        let tolerance = self.tolerance(fields);
        let bounded = BOUNDS.into_iter().find(|it| fields.node(it).is_some());
        match (fields.node("value"), bounded) {
            (Some(_), Some(bound)) => {
                let message = format!("both `value` and `{bound}`");
                self.decoder
                    .error(fields.key_span(bound), message, "remove one of the two");
                None
            }
            (Some(_), None) => self.value_test(fields, "value", tolerance),
            (None, _) => {
                if let Some((_, span)) = tolerance {
                    let help = "remove it, or give one number as the value";
                    self.decoder
                        .error(span, "a tolerance without a value", help);
                    return None;
                }
                let span = node.target().span();
                let bounds = self.bounds_of(fields, span, &format!("`{name}`"), Reader::number)?;
                let value = ValueTest::Bounds(bounds);
                Some(Spanned { value, span })
            }
        }
    }
}
