//! Alert policies, conditions and targets of OpenSLO, which are validated and go no further: OpenSLO has one window a
//! condition.

use super::Reader;
use crate::text::yaml::{Fields, Node};

/// How values are compared.
pub(super) const OPERATORS: [&str; 4] = ["lte", "gte", "lt", "gt"];

impl<'d> Reader<'d, '_> {
    pub(super) fn alert_policy(&mut self, node: Node<'d>) {
        let keys = [
            "description",
            "alertWhenNoData",
            "alertWhenResolved",
            "alertWhenBreaching",
            "conditions",
            "notificationTargets",
        ];
        let Some(fields) = self.fields(node, "an alert policy", &keys) else {
            return;
        };
        self.description(&fields);
        for name in ["alertWhenNoData", "alertWhenResolved", "alertWhenBreaching"] {
            if let Some(node) = fields.node(name) {
                self.decoder.boolean(node, format_args!("`{name}`"));
            }
        }
        let conditions = self.members(&fields, "conditions");
        if let Some([_, second, ..]) = conditions.as_deref() {
            let help = "make a policy of each condition";
            self.error(second.span(), "an alert policy has one condition", help);
        }
        if conditions.as_ref().is_some_and(Vec::is_empty) {
            let help = "add a condition, or remove the key";
            self.error(fields.key_span("conditions"), "`conditions` is empty", help);
        }
        for node in conditions.unwrap_or_default() {
            self.inline(
                node,
                "conditionRef",
                "AlertCondition",
                Reader::alert_condition,
            );
        }
        let targets = self.members(&fields, "notificationTargets");
        if targets.as_ref().is_some_and(Vec::is_empty) {
            let span = fields.key_span("notificationTargets");
            let help = "add a target, or remove the key";
            self.error(span, "`notificationTargets` is empty", help);
        }
        for node in targets.unwrap_or_default() {
            let kind = "AlertNotificationTarget";
            self.inline(node, "targetRef", kind, Reader::notification_target);
        }
    }

    fn members(&mut self, fields: &Fields<'d>, name: &str) -> Option<Vec<Node<'d>>> {
        let node = fields.node(name).filter(|node| !node.is_null())?;
        Some(self.decoder.list(node, format_args!("`{name}`")))
    }

    /// A name of an object, or the object itself.
    pub(super) fn inline(
        &mut self,
        node: Node<'d>,
        reference: &str,
        kind: &'static str,
        spec: fn(&mut Self, Node<'d>),
    ) {
        let keys = [reference, "kind", "metadata", "spec"];
        let Some(fields) = self.fields(node, &format!("an item of kind {kind}"), &keys) else {
            return;
        };
        let is_inline = keys.iter().skip(1).any(|name| fields.node(name).is_some());
        match (fields.node(reference), is_inline) {
            (Some(node), false) => drop(self.dns_label(node, reference)),
            (None, true) => {
                self.one_of(&fields, node, "kind", &[kind]);
                self.metadata(&fields, node);
                if let Some(node) = self.required(&fields, node, "spec") {
                    spec(self, node);
                }
            }
            (Some(_), true) => {
                let message = format!("`{reference}` beside an object");
                let span = fields.key_span(reference);
                self.error(span, message, "name an object, or write it out, not both");
            }
            (None, false) => {
                let message = format!("neither `{reference}` nor an object");
                self.error(node.span(), message, format!("add `{reference}: NAME`"));
            }
        }
    }

    pub(super) fn alert_condition(&mut self, node: Node<'d>) {
        let keys = ["description", "severity", "condition"];
        let Some(fields) = self.fields(node, "an alert condition", &keys) else {
            return;
        };
        self.description(&fields);
        if let Some(node) = self.required(&fields, node, "severity") {
            self.some_text(node, "severity");
        }
        let Some(condition) = self.required(&fields, node, "condition") else {
            return;
        };
        let keys = ["kind", "op", "threshold", "lookbackWindow", "alertAfter"];
        let Some(fields) = self.fields(condition, "`condition`", &keys) else {
            return;
        };
        self.one_of(&fields, condition, "kind", &["burnrate"]);
        let op = self.one_of(&fields, condition, "op", &OPERATORS);
        if let (Some("lt" | "lte"), Some(node)) = (op, fields.node("op")) {
            let message = "this alerts while the burn rate is low";
            let help = "write `gt` or `gte`: errors make the burn rate rise";
            self.warn(node.target().span(), message, help);
        }
        if let Some(node) = self.required(&fields, condition, "threshold") {
            self.number(node, "threshold", "a number", |value| !value.is_nan());
        }
        if let Some(node) = self.required(&fields, condition, "lookbackWindow") {
            self.shorthand(node, "lookbackWindow");
        }
        if let Some(node) = fields.node("alertAfter").filter(|node| !node.is_null()) {
            self.shorthand(node, "alertAfter");
        }
    }

    pub(super) fn notification_target(&mut self, node: Node<'d>) {
        let keys = ["description", "target"];
        let Some(fields) = self.fields(node, "a notification target", &keys) else {
            return;
        };
        self.description(&fields);
        if let Some(node) = self.required(&fields, node, "target") {
            self.some_text(node, "target");
        }
    }
}
