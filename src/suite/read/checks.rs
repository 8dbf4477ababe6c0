//! Reads the checks of a test that promtool knows: `alert_rule_test` and `promql_expr_test`.

use super::{Reader, diagnose_notation};
use crate::model::{Histogram, Labels};
use crate::series::notation::{self, Item};
use crate::suite::file::{AlertCheck, ExpectedAlert, ExpectedSample, ExprCheck};
use crate::suite::vmalert::ALERT_GROUP;
use crate::text::Diagnostic;
use crate::text::yaml::{Embedded, Node};

/// The keys of an item of `alert_rule_test`.
pub(in crate::suite) const ALERT_CHECK_FIELDS: [&str; 4] =
    ["eval_time", "alertname", "exp_alerts", "groupname"];

/// The keys of an item of `exp_alerts`.
pub(in crate::suite) const EXPECTED_ALERT_FIELDS: [&str; 2] = ["exp_labels", "exp_annotations"];

/// The keys of an item of `promql_expr_test`.
pub(in crate::suite) const EXPR_CHECK_FIELDS: [&str; 3] = ["expr", "eval_time", "exp_samples"];

/// The keys of an item of `exp_samples`.
pub(in crate::suite) const EXPECTED_SAMPLE_FIELDS: [&str; 3] = ["labels", "value", "histogram"];

impl<'d> Reader<'d, '_> {
    /// An item of `alert_rule_test`; `None` where it names no alert.
    pub(super) fn alert_check(&mut self, node: Node<'d>) -> Option<AlertCheck> {
        let fields = self.fields(node, "an item of `alert_rule_test`", &ALERT_CHECK_FIELDS);
        let name = fields
            .as_ref()
            .and_then(|fields| self.text(fields, "alertname"));
        let eval_time = fields
            .as_ref()
            .and_then(|it| self.duration(it, "eval_time"));
        let is_no_text = fields
            .as_ref()
            .is_some_and(|it| it.node("alertname").is_some());
        if name.is_none() && is_no_text {
            return None;
        }
        let Some(alertname) = name.filter(|name| !name.value.is_empty()) else {
            let message = "an item under alert_rule_test misses required attribute alertname";
            let help = "name the alert behind `alertname:`";
            self.decoder.error(node.span(), message, help);
            return None;
        };
        let group = fields
            .as_ref()
            .and_then(|fields| self.text(fields, "groupname"))
            .filter(|group| !group.value.is_empty());
        let mut expected = Vec::new();
        if let Some(fields) = &fields {
            for node in self.list(fields, "exp_alerts") {
                let mut alert = self.expected_alert(node, &alertname.value);
                if let Some(group) = &group {
                    alert.labels = alert.labels.with(ALERT_GROUP, &group.value);
                }
                expected.push(alert);
            }
        }
        Some(AlertCheck {
            eval_time: eval_time.unwrap_or(0),
            alertname,
            group,
            expected,
            span: node.span(),
            expected_span: fields.and_then(|it| it.node("exp_alerts")).map(Node::span),
        })
    }

    fn expected_alert(&mut self, node: Node<'d>, alertname: &str) -> ExpectedAlert {
        let fields = self.fields(node, "an expected alert", &EXPECTED_ALERT_FIELDS);
        let mut pairs = |name: &str| match fields.as_ref().and_then(|it| it.get(name)) {
            Some(field) => self.pairs(field, &format!("`{name}`")),
            None => Vec::new(),
        };
        let (labels, annotations) = (pairs("exp_labels"), pairs("exp_annotations"));
        if let Some((_, other)) = labels.iter().find(|(name, _)| name == "alertname")
            && other != alertname
        {
            let message =
                format!("the label alertname={other:?} of an expected alert is not looked at");
            let help = format!("remove it: the check is for {alertname:?}");
            self.warn(node.span(), message, help);
        }
        let empty_labels = labels
            .iter()
            .filter(|(name, value)| value.is_empty() && name != "alertname")
            .map(|(name, _)| name.clone())
            .collect();
        ExpectedAlert {
            labels: Labels::from_pairs(labels).with("alertname", alertname),
            empty_labels,
            annotations,
            span: node.span(),
        }
    }

    /// An item of `promql_expr_test`.
    pub(super) fn expr_check(&mut self, node: Node<'d>) -> ExprCheck {
        let fields = self.fields(node, "an item of `promql_expr_test`", &EXPR_CHECK_FIELDS);
        let expr_node = fields.as_ref().and_then(|fields| fields.node("expr"));
        let expr = expr_node.and_then(|node| self.decoder.embedded(node, "`expr`"));
        let expr = expr.unwrap_or_else(|| Embedded::new(node, String::new()));
        let eval_time = fields
            .as_ref()
            .and_then(|it| self.duration(it, "eval_time"));
        let query = self.query(&expr);
        let mut expected = Ok(Vec::new());
        if let Some(fields) = &fields {
            for node in self.list(fields, "exp_samples") {
                let sample = self.expected_sample(node);
                if let Ok(samples) = &mut expected {
                    match sample {
                        Ok(sample) => samples.push(sample),
                        Err(fault) => expected = Err(fault),
                    }
                }
            }
        }
        ExprCheck {
            query,
            expr,
            eval_time: eval_time.unwrap_or(0),
            expected,
            span: node.span(),
            expected_span: fields.and_then(|it| it.node("exp_samples")).map(Node::span),
        }
    }

    fn expected_sample(&mut self, node: Node<'d>) -> Result<ExpectedSample, Diagnostic> {
        let fields = self.fields(node, "an expected sample", &EXPECTED_SAMPLE_FIELDS);
        let get = |name: &str| fields.as_ref().and_then(|fields| fields.node(name));
        let labels = get("labels").and_then(|node| self.decoder.embedded(node, "`labels`"));
        let value = get("value").and_then(|node| self.decoder.float(node, "`value`"));
        let histogram =
            get("histogram").and_then(|node| self.decoder.embedded(node, "`histogram`"));
        let labels = match &labels {
            Some(text) if !text.text.trim().is_empty() => notation::parse_series(&text.text)
                .map_err(|error| {
                    diagnose_notation(text, &error, &format!("labels {:?}: ", text.text))
                })?,
            _ => Labels::empty(),
        };
        let histogram = match &histogram {
            Some(text) if !text.text.is_empty() => Some(parse_histogram(text)?),
            _ => None,
        };
        Ok(ExpectedSample {
            labels,
            value: value.unwrap_or(0.0),
            histogram,
            span: node.span(),
        })
    }
}

fn parse_histogram(text: &Embedded) -> Result<Histogram, Diagnostic> {
    let wrong = |message: String| {
        Diagnostic::error(message)
            .at(text.source(), text.whole())
            .help("write one histogram: `{{schema:0 sum:1 count:1 buckets:[1]}}`")
    };
    let items =
        notation::parse_values(&text.text).map_err(|error| diagnose_notation(text, &error, ""))?;
    let count: u64 = items.iter().map(Item::count).sum();
    match (count, items.first()) {
        (1, Some(item)) => match item.histogram() {
            Some(histogram) => Ok(histogram.clone()),
            None => Err(wrong("expected a histogram, got a number".to_owned())),
        },
        _ => Err(wrong(format!("expected 1 value, got {count}"))),
    }
}
