//! Alert policies, conditions and targets of OpenSLO.

use super::parts::{Member, Name, Shorthand};
use super::{Reader, given};
use crate::promql::ast::BinaryOp;
use crate::text::Place;
use crate::text::yaml::{Fields, Node};

/// How values are compared.
const OPERATORS: [(&str, BinaryOp); 4] = [
    ("lte", BinaryOp::LessEqual),
    ("gte", BinaryOp::GreaterEqual),
    ("lt", BinaryOp::Less),
    ("gt", BinaryOp::Greater),
];

/// An alert policy, validated.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    pub name: Name,
    pub description: String,
    pub when_breaching: Option<bool>,
    pub without_data: bool,
    pub condition: Member<Condition>,
    pub targets: Vec<Member<()>>,
}

/// An alert condition, validated.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub description: String,
    pub severity: String,
    pub op: BinaryOp,
    pub threshold: f64,
    pub threshold_place: Place,
    pub lookback: Shorthand,
    pub lookback_place: Place,
    pub after: Option<Shorthand>,
}

impl<'d> Reader<'d> {
    pub(super) fn alert_policy(&mut self, node: Node<'d>, name: Option<Name>) -> Option<Policy> {
        let keys = [
            "description",
            "alertWhenNoData",
            "alertWhenResolved",
            "alertWhenBreaching",
            "conditions",
            "notificationTargets",
        ];
        let noted = self.decoder.faults.len();
        let fields = self.fields(node, "an alert policy", &keys)?;
        let description = self.description(&fields);
        let mut flag = |name: &str| {
            let node = given(&fields, name)?;
            self.decoder.boolean(node, format_args!("`{name}`"))
        };
        let without_data = flag("alertWhenNoData").unwrap_or_default();
        let when_breaching = flag("alertWhenBreaching");
        flag("alertWhenResolved");
        let conditions = self.members(&fields, node, "conditions");
        if let [_, second, ..] = conditions.as_slice() {
            let help = "make a policy of each condition";
            self.error(second.span(), "an alert policy has one condition", help);
        }
        let mut condition = None;
        for node in conditions {
            let kind = "AlertCondition";
            condition = self.inline(node, "conditionRef", kind, Reader::alert_condition);
        }
        let mut targets = Vec::new();
        for node in self.members(&fields, node, "notificationTargets") {
            let kind = "AlertNotificationTarget";
            targets.extend(self.inline(node, "targetRef", kind, Reader::notification_target));
        }
        let policy = Policy {
            name: name?,
            description,
            when_breaching,
            without_data,
            condition: condition?,
            targets,
        };
        (self.decoder.faults.len() == noted).then_some(policy)
    }

    /// The items of a list that has some.
    fn members(&mut self, fields: &Fields<'d>, node: Node<'d>, name: &str) -> Vec<Node<'d>> {
        let Some(list) = self.required(fields, node, name) else {
            return Vec::new();
        };
        let items = self.items(list, name);
        if items.is_empty() {
            let message = format!("`{name}` is empty");
            self.error(fields.key_span(name), message, "add an item");
        }
        items
    }

    /// A name of an object, or the object itself.
    pub(super) fn inline<T>(
        &mut self,
        node: Node<'d>,
        reference: &str,
        kind: &'static str,
        read: fn(&mut Self, Node<'d>, Option<Name>) -> Option<T>,
    ) -> Option<Member<T>> {
        let keys = [reference, "kind", "metadata", "spec"];
        let fields = self.fields(node, &format!("an item of kind {kind}"), &keys)?;
        let is_inline = keys
            .iter()
            .skip(1)
            .any(|name| given(&fields, name).is_some());
        match (given(&fields, reference), is_inline) {
            (Some(node), false) => self.dns_label(node, reference).map(Member::Ref),
            (None, true) => {
                self.one_of(&fields, node, "kind", &[kind]);
                let name = self.metadata(&fields, node);
                let spec = self.required(&fields, node, "spec")?;
                read(self, spec, name).map(Member::Inline)
            }
            (Some(_), true) => {
                let message = format!("`{reference}` beside an object");
                let span = fields.key_span(reference);
                self.error(span, message, "name an object, or write it out, not both");
                None
            }
            (None, false) => {
                let message = format!("neither `{reference}` nor an object");
                self.error(node.span(), message, format!("add `{reference}: NAME`"));
                None
            }
        }
    }

    pub(super) fn alert_condition(
        &mut self,
        node: Node<'d>,
        _name: Option<Name>,
    ) -> Option<Condition> {
        let keys = ["description", "severity", "condition"];
        let fields = self.fields(node, "an alert condition", &keys)?;
        let description = self.description(&fields);
        let severity = self.required(&fields, node, "severity");
        let severity = severity.and_then(|node| self.some_text(node, "severity"));
        let condition = self.required(&fields, node, "condition")?;
        let keys = ["kind", "op", "threshold", "lookbackWindow", "alertAfter"];
        let fields = self.fields(condition, "`condition`", &keys)?;
        self.one_of(&fields, condition, "kind", &["burnrate"]);
        let op = self.operator(&fields, condition);
        if let (Some(BinaryOp::Less | BinaryOp::LessEqual), Some(node)) = (op, fields.node("op")) {
            let message = "this alerts while the burn rate is low";
            let help = "write `gt` or `gte`: errors make the burn rate rise";
            self.warn(node.target().span(), message, help);
        }
        let threshold = self.required(&fields, condition, "threshold");
        let threshold = threshold.and_then(|node| {
            let is_finite = |value: f64| value.is_finite();
            self.number(node, "threshold", "a number", is_finite)
        });
        let lookback = self.required(&fields, condition, "lookbackWindow");
        let lookback = lookback.and_then(|node| self.shorthand(node, "lookbackWindow"));
        let after = given(&fields, "alertAfter");
        let after = after.map(|node| self.shorthand(node, "alertAfter"));
        let place = |name: &str| {
            let span = given(&fields, name).map(|node| node.target().span());
            self.place(span.unwrap_or_default())
        };
        Some(Condition {
            description,
            severity: severity?,
            op: op?,
            threshold: threshold?.0,
            threshold_place: place("threshold"),
            lookback: lookback?,
            lookback_place: place("lookbackWindow"),
            after: match after {
                None => None,
                Some(after) => Some(after?),
            },
        })
    }

    /// `op`, which must be there.
    pub(super) fn operator(&mut self, fields: &Fields<'d>, node: Node<'d>) -> Option<BinaryOp> {
        let words = OPERATORS.map(|(word, _)| word);
        let word = self.one_of(fields, node, "op", &words)?;
        let mut known = OPERATORS.into_iter();
        known.find(|(it, _)| *it == word).map(|(_, op)| op)
    }

    pub(super) fn notification_target(
        &mut self,
        node: Node<'d>,
        _name: Option<Name>,
    ) -> Option<()> {
        let keys = ["description", "target"];
        let fields = self.fields(node, "a notification target", &keys)?;
        self.description(&fields);
        let target = self.required(&fields, node, "target")?;
        self.some_text(target, "target").map(drop)
    }
}
