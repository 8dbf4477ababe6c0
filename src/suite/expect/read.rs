//! Reads `expect:`.

use super::super::file::{Spanned, TestCase};
use super::super::read::Reader;
use super::{
    AlertExpectation, Ask, EveryAlert, Expectation, ExpectationKind, ExprExpectation, StateAt,
    StateName, Window, Windows,
};
use crate::model::{Duration, Millis, Timestamp};
use crate::promql::ast::ValueType;
use crate::text::yaml::{Fields, Kind, Node, UnknownFields};
use crate::text::{Span, closest};

/// The keys that say what an item is about; each has exactly one of them.
pub(in crate::suite) const KINDS: [&str; 4] = ["alert", "alerts", "expr", "slo"];

/// The keys of an item about one alert.
pub(in crate::suite) const ALERT_FIELDS: [&str; 14] = [
    "alert",
    "labels",
    "annotations",
    "instances",
    "across",
    "fires",
    "pending",
    "within",
    "count",
    "resolves_by",
    "flaps",
    "at",
    "state",
    "others",
];

/// The keys of an item about all alerts.
pub(in crate::suite) const ALERTS_FIELDS: [&str; 7] = [
    "alerts",
    "labels",
    "annotations",
    "has_labels",
    "fires",
    "pending",
    "flaps",
];

/// The keys of a window.
pub(in crate::suite) const WINDOW_FIELDS: [&str; 2] = ["from", "to"];

/// The keys of an item about an expression.
pub(in crate::suite) const EXPR_FIELDS: [&str; 12] = [
    "expr",
    "labels",
    "instances",
    "at",
    "value",
    "samples",
    "tolerance",
    "start",
    "end",
    "always",
    "min",
    "max",
];

impl<'d> Reader<'d, '_> {
    /// The items of `expect:`; `test` knows its start and its length.
    pub(in crate::suite) fn expectations(
        &mut self,
        fields: &Fields<'d>,
        test: &TestCase,
    ) -> Vec<Expectation> {
        let Some(node) = fields.node("expect") else {
            return Vec::new();
        };
        let before = self.decoder.faults.len();
        let items = self.decoder.list(node, "`expect`");
        if items.is_empty() && self.decoder.faults.len() == before {
            let help = "write an item such as `- {alert: NAME, fires: never}`, or remove the key";
            self.decoder
                .error(node.span(), "`expect` expects nothing", help);
        }
        let read = items
            .into_iter()
            .filter_map(|item| self.expectation(item, test.start));
        let read: Vec<Expectation> = read.collect();
        for expectation in &read {
            self.refuse_after_end(test, &expectation.named());
        }
        read
    }

    /// Refuses moments that lie after the end of a test that says its length.
    pub(in crate::suite) fn refuse_after_end(
        &mut self,
        test: &TestCase,
        named: &[Spanned<Millis>],
    ) {
        let Some(length) = &test.duration else {
            return;
        };
        for moment in named.iter().filter(|moment| moment.value > length.value) {
            let message = format!(
                "{} lies after the end of the test, which lasts {}",
                Duration(moment.value),
                Duration(length.value)
            );
            let help =
                "name an earlier moment, `end` for a window that lasts, or make `duration` longer";
            self.decoder.error(moment.span, message, help);
        }
    }

    fn expectation(&mut self, node: Node<'d>, start: Timestamp) -> Option<Expectation> {
        let span = node.span();
        let kind = self.kind_of(node)?;
        let kind = match kind {
            "alert" => ExpectationKind::Alert(Box::new(self.of_alert(node, start)?)),
            "slo" => ExpectationKind::Slo(Box::new(self.of_slo(node, start)?)),
            "alerts" => ExpectationKind::Alerts(self.of_alerts(node)?),
            _ => ExpectationKind::Expr(Box::new(self.of_expr(node, start)?)),
        };
        Some(Expectation { kind, span })
    }

    /// Which of [`KINDS`] an item has.
    fn kind_of(&mut self, node: Node<'d>) -> Option<&'static str> {
        let Kind::Mapping(children) = node.kind() else {
            let help = "write a mapping such as `{alert: NAME, fires: never}`";
            let message = "an item of `expect` must be a mapping";
            self.decoder.error(node.span(), message, help);
            return None;
        };
        // What is wrong with the item is noted where it is read.
        let noted = self.decoder.faults.len();
        let fields = self
            .decoder
            .fields(node, "an item", &KINDS, UnknownFields::Ignore);
        self.decoder.faults.truncate(noted);
        let names = |name: &&&str| fields.as_ref().is_some_and(|it| it.get(name).is_some());
        let found: Vec<&'static str> = KINDS.iter().filter(names).copied().collect();
        let meant = || {
            let mut keys = children.pairs().filter_map(|(key, _)| match key.kind() {
                Kind::Scalar(scalar) => closest(&scalar.text, &KINDS),
                _ => None,
            });
            keys.next()
        };
        match found.as_slice() {
            [one] => Some(one),
            // An objective may name the alert that tells of it.
            ["alert", "slo"] => Some("slo"),
            [] => {
                let message = "an item of `expect` that says of nothing what it expects";
                let help = match meant() {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "begin it with `alert: NAME`, `alerts: others`, `alerts: all`, `expr: EXPRESSION` or `slo: NAME`"
                        .to_owned(),
                };
                self.decoder.error(node.span(), message, help);
                None
            }
            [first, second, ..] => {
                let message = format!("an item of `expect` with both `{first}` and `{second}`");
                self.decoder
                    .error(node.span(), message, "make two items of it");
                None
            }
        }
    }

    fn of_alert(&mut self, node: Node<'d>, start: Timestamp) -> Option<AlertExpectation> {
        let before = self.decoder.faults.len();
        let fields = self.fields(node, "an expectation of an alert", &ALERT_FIELDS)?;
        let alert = self.text(&fields, "alert")?;
        let expectation = AlertExpectation {
            labels: self.text_tests(&fields, "labels"),
            annotations: self.some_text_tests(&fields, "annotations"),
            instances: self.amount(&fields, "instances"),
            across_any: self.word(&fields, "across", &["any", "each"]) == Some("any"),
            fires: self.windows(&fields, "fires", start),
            pending: self.windows(&fields, "pending", start),
            within: self.duration(&fields, "within").unwrap_or(0),
            count: self.amount(&fields, "count"),
            resolves_by: fields
                .node("resolves_by")
                .and_then(|node| self.moment_of_test(node, start, "`resolves_by`")),
            flaps: self.amount(&fields, "flaps"),
            at: self.state_at(&fields, start),
            others_allowed: self.word(&fields, "others", &["allowed", "refused"])
                == Some("allowed"),
            alert,
        };
        if self.decoder.faults.len() == before {
            self.refuse_idle(&expectation, &fields, node);
        }
        Some(expectation)
    }

    /// Refuses what asks for nothing, or for what can't be.
    fn refuse_idle(&mut self, expectation: &AlertExpectation, fields: &Fields<'d>, node: Node<'d>) {
        let asks = [
            "annotations",
            "instances",
            "fires",
            "pending",
            "count",
            "resolves_by",
            "flaps",
            "state",
        ];
        if !asks.iter().any(|name| fields.node(name).is_some()) {
            let message = format!("nothing is expected of alert {}", expectation.alert.value);
            let help = format!("add one of {}", asks.join(", "));
            self.decoder.error(node.span(), message, help);
        }
        let (at, state) = (fields.node("at"), fields.node("state"));
        if at.is_none() && state.is_some() {
            let help = "add `at: 40m`, or use `fires` and `pending`, which speak of the whole test";
            let message = "`state` without `at`";
            self.decoder.error(fields.key_span("state"), message, help);
        }
        let has_windows = |windows: &Option<Spanned<Windows>>| {
            windows
                .as_ref()
                .is_some_and(|it| matches!(it.value, Windows::Listed(_)))
        };
        let has_edges = has_windows(&expectation.fires)
            || has_windows(&expectation.pending)
            || expectation.resolves_by.is_some();
        if fields.node("within").is_some() && !has_edges {
            let help = "remove it, or say when the alert fires";
            self.decoder
                .error(fields.key_span("within"), "`within` without windows", help);
        }
        let never = matches!(&expectation.fires, Some(fires) if fires.value == Windows::Never);
        let contradiction = ["count", "resolves_by", "flaps", "annotations", "instances"]
            .into_iter()
            .find(|name| fields.node(name).is_some());
        if let (true, Some(name)) = (never, contradiction) {
            let message = format!("`fires: never` beside `{name}`, which speaks of firing");
            self.decoder
                .error(fields.key_span(name), message, "remove one of the two");
        }
    }

    fn state_at(&mut self, fields: &Fields<'d>, start: Timestamp) -> Option<StateAt> {
        let time = self.moment_of_test(fields.node("at")?, start, "`at`")?;
        let states = ["inactive", "pending", "firing"];
        let span = fields.node("state").map(|node| node.target().span());
        let state = self.word(fields, "state", &states).zip(span);
        let state = state.map(|(name, span)| Spanned {
            value: match name {
                "inactive" => StateName::Inactive,
                "pending" => StateName::Pending,
                _ => StateName::Firing,
            },
            span,
        });
        Some(StateAt { time, state })
    }

    fn of_alerts(&mut self, node: Node<'d>) -> Option<EveryAlert> {
        let fields = self.fields(node, "an expectation of all alerts", &ALERTS_FIELDS)?;
        let which = self.word(&fields, "alerts", &["all", "others"])?;
        let mut never = |name: &str| self.word(&fields, name, &["never"]).is_some();
        let (never_fires, never_pending) = (never("fires"), never("pending"));
        let every = EveryAlert {
            others_only: which == "others",
            labels: self.text_tests(&fields, "labels"),
            annotations: self.some_text_tests(&fields, "annotations"),
            has_labels: self.some_text_tests(&fields, "has_labels"),
            never_fires,
            never_pending,
            flaps: self.amount(&fields, "flaps"),
        };
        let asks = ["annotations", "has_labels", "fires", "pending", "flaps"];
        if !asks.iter().any(|name| fields.node(name).is_some()) {
            let message = format!("nothing is expected of {which} alerts");
            let help = format!("add one of {}", asks.join(", "));
            self.decoder.error(node.span(), message, help);
        }
        Some(every)
    }

    fn of_expr(&mut self, node: Node<'d>, start: Timestamp) -> Option<ExprExpectation> {
        let fields = self.fields(node, "an expectation of an expression", &EXPR_FIELDS)?;
        let expr = self.decoder.embedded(fields.node("expr")?, "`expr`")?;
        let query = match self.query(&expr) {
            Ok(query) => match query.value_type() {
                ValueType::Vector | ValueType::Scalar => Some(query),
                ValueType::Matrix | ValueType::String => {
                    let message = "this expression yields neither a vector nor a scalar";
                    let help = "ask for numbers: a range wants a function such as `rate(…)` or `max_over_time(…)`";
                    self.decoder.error(expr.whole(), message, help);
                    None
                }
            },
            Err(faults) => {
                self.decoder.faults.extend(faults);
                None
            }
        };
        let labels = self.text_tests(&fields, "labels");
        let instances = self.amount(&fields, "instances");
        let ask = self.ask(&fields, node.span(), instances.is_some(), start);
        Some(ExprExpectation {
            query: query?,
            expr,
            labels,
            instances,
            ask: ask?,
        })
    }

    fn ask(
        &mut self,
        fields: &Fields<'d>,
        span: Span,
        counts: bool,
        start: Timestamp,
    ) -> Option<Ask> {
        let before = self.decoder.faults.len();
        let tolerance = self.tolerance(fields);
        let values = ["value", "always", "min", "max"];
        if tolerance.is_some() && !values.iter().any(|name| fields.node(name).is_some()) {
            let span = fields.key_span("tolerance");
            let help = "remove it, or say which value the expression has";
            self.decoder
                .error(span, "`tolerance` without a value", help);
        }
        let over = ["start", "end", "always", "min", "max"];
        let of_span = over.into_iter().find(|name| fields.node(name).is_some());
        if let Some(node) = fields.node("at") {
            if let Some(name) = of_span {
                let message = format!("`at` is one moment, `{name}` speaks of a span");
                self.decoder
                    .error(fields.key_span(name), message, "remove one of the two");
                return None;
            }
            let absent = self.word(fields, "samples", &["none"]).is_some();
            let value = self.value_test(fields, "value", tolerance);
            let is_idle = fields.node("value").is_none() && !absent && !counts;
            if is_idle && self.decoder.faults.len() == before {
                let help = "add `value: 0.12`, `instances: 3` or `samples: none`";
                let message = "nothing is expected of this expression";
                self.decoder.error(span, message, help);
            }
            return Some(Ask::At {
                time: self.moment_of_test(node, start, "`at`")?,
                value,
                absent,
            });
        }
        if of_span.is_none() && fields.node("samples").is_none() {
            let message = "an expression without a moment";
            let help = "add `at: 40m`, or `always`, `min` or `max` for a span (`start`, `end`)";
            self.decoder.error(span, message, help);
            return None;
        }
        let mut edge = |name: &str| {
            let node = fields.node(name)?;
            self.moment_of_test(node, start, &format!("`{name}`"))
        };
        let (from, to) = (edge("start"), edge("end"));
        if let (Some(from), Some(to)) = (&from, &to)
            && from.value >= to.value
        {
            let message = "a span that ends before it begins";
            self.decoder
                .error(to.span, message, "`end` must lie after `start`");
            return None;
        }
        if let Some(name) = ["value"]
            .into_iter()
            .find(|name| fields.node(name).is_some())
        {
            let help = "write `always`, `min` or `max` for a span, or give one moment: `at: 40m`";
            let message = "`value` without `at`";
            self.decoder.error(fields.key_span(name), message, help);
        }
        let always = self.value_test(fields, "always", tolerance);
        let min = self.value_test(fields, "min", tolerance);
        let max = self.value_test(fields, "max", tolerance);
        let never = self.word(fields, "samples", &["none"]).is_some();
        let asks = ["always", "min", "max", "samples"];
        let is_idle = !counts && !asks.iter().any(|name| fields.node(name).is_some());
        if is_idle && self.decoder.faults.len() == before {
            let message = "nothing is expected of this expression";
            self.decoder.error(
                span,
                message,
                "add `always`, `min`, `max` or `samples: none`",
            );
        }
        Some(Ask::Over {
            start: from.map_or(0, |from| from.value),
            end: to.map(|to| to.value),
            always,
            min,
            max,
            never,
        })
    }

    /// `never`, or a list of windows in the order of time.
    fn windows(
        &mut self,
        fields: &Fields<'d>,
        name: &str,
        start: Timestamp,
    ) -> Option<Spanned<Windows>> {
        let node = fields.node(name)?;
        let span = node.target().span();
        let what = format!("`{name}`");
        let Kind::Sequence(_) = node.kind() else {
            if self.decoder.is_word(node, "never") {
                let value = Windows::Never;
                return Some(Spanned { value, span });
            }
            let help = "write `never`, or a list of windows: `[{from: 36m, to: 47m}]`";
            let message = format!("{what} is no list of windows");
            self.decoder.error(span, message, help);
            return None;
        };
        let items = self.decoder.list(node, &what);
        if items.is_empty() {
            let help = format!("write `{name}: never`");
            self.decoder
                .error(span, format!("{what}: a list of no windows"), help);
            return None;
        }
        let read = items.iter().map(|&item| self.window(item, name, start));
        let read: Vec<Option<Window>> = read.collect();
        let list: Vec<Window> = read.into_iter().collect::<Option<_>>()?;
        for pair in list.windows(2) {
            let [first, second] = pair else { continue };
            if first.to.is_none_or(|to| to >= second.from) {
                let message = "this window does not lie after the one before";
                let help = "list windows in the order of time; two that touch are one";
                self.decoder.error(second.span, message, help);
            }
        }
        let value = Windows::Listed(list);
        Some(Spanned { value, span })
    }

    fn window(&mut self, node: Node<'d>, name: &str, start: Timestamp) -> Option<Window> {
        let span = node.target().span();
        let fields = self.fields(node, "a window", &WINDOW_FIELDS);
        let edge = |name: &str| fields.as_ref().and_then(|fields| fields.node(name));
        let (Some(from), Some(to)) = (edge("from"), edge("to")) else {
            let message = format!("a window of `{name}` has `from` and `to`");
            let help =
                "write `{from: 36m, to: 47m}`, or `to: end` where it lasts at the end of the test";
            self.decoder.error(span, message, help);
            return None;
        };
        let from = self.moment_of_test(from, start, "`from`");
        let to = match self.decoder.is_word(to, "end") {
            true => None,
            false => Some(self.moment_of_test(to, start, "`to`")?.value),
        };
        let from = from?.value;
        if to.is_some_and(|to| to <= from) {
            let message = "a window that ends before it begins";
            let help = "`to` must lie after `from`: it is the first evaluation without the state";
            self.decoder.error(span, message, help);
            return None;
        }
        Some(Window { from, to, span })
    }

    /// One of a few words.
    pub(in crate::suite) fn word(
        &mut self,
        fields: &Fields<'d>,
        name: &str,
        words: &[&'static str],
    ) -> Option<&'static str> {
        let node = fields.node(name)?;
        let text = match node.kind() {
            Kind::Scalar(_) => self.decoder.text(node, format_args!("`{name}`"))?,
            _ => node.describe().to_owned(),
        };
        let found = words.iter().find(|word| **word == text);
        if found.is_none() {
            let message = format!("`{name}`: {text} has no meaning here");
            let help = format!("write {}", words.join(" or "));
            self.decoder.error(node.target().span(), message, help);
        }
        found.copied()
    }
}
