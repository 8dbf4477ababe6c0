//! What the keys of groups do that only other programs than Prometheus know: each is followed, or does nothing to what
//! rules yield, or is warned of.

use std::collections::BTreeSet;

use super::file::decode_duration;
use super::group::Reader;
use crate::model::Millis;
use crate::text::yaml::{Field, Fields, Kind, Node};
use crate::text::{Diagnostic, Span};

/// What such keys say about when a group is evaluated.
#[derive(Debug, Default)]
pub(super) struct Timing {
    /// How far back its queries look.
    pub query_offset: Option<Millis>,
    /// How long after the multiples of its interval it is evaluated.
    pub phase: Option<Millis>,
}

/// Parameters of a query that change how it is answered, not what.
const HARMLESS_PARAMETERS: [&str; 5] = [
    "nocache",
    "deny_partial_response",
    "denyPartialResponse",
    "trace",
    "timeout",
];

impl<'d> Reader<'d, '_> {
    /// Whether the queries of a group are PromQL; a fault where they are not.
    pub(super) fn is_promql(&mut self, fields: &Fields<'d>) -> bool {
        let Some(node) = fields.node("type") else {
            return true;
        };
        let Some(text) = self.decoder.text(node, "`type`") else {
            return false;
        };
        let language = match text.as_str() {
            "" | "prometheus" => return true,
            "graphite" => "Graphite's",
            "vlogs" => "LogsQL",
            _ => {
                let message = format!("there is no group of type {text:?}");
                let help = "vmalert knows `prometheus`, `graphite` and `vlogs`";
                self.decoder.error(node.target().span(), message, help);
                return false;
            }
        };
        let message = format!("the queries of a group of type {text:?} are {language}, not PromQL");
        let help = "put the groups of this type into a file of their own, and name only the others";
        self.decoder.error(node.target().span(), message, help);
        false
    }

    /// What the keys say about time. Those that say something that is not followed are warned of.
    pub(super) fn timing(&mut self, fields: &Fields<'d>, interval: Option<Millis>) -> Timing {
        let mut timing = Timing::default();
        for key in ["query_offset", "evaluation_delay", "eval_delay"] {
            let node = fields.node(key).filter(|node| !node.is_null());
            let Some(node) = node else {
                continue;
            };
            let offset = decode_duration(&mut self.decoder, node, format_args!("`{key}`"));
            if timing.query_offset.is_some() {
                let message = format!("`{key}` says again how far back queries look");
                let help = "write only `query_offset`, or what your program calls it";
                self.decoder.error(fields.key_span(key), message, help);
            }
            timing.query_offset = timing.query_offset.or(offset);
        }
        timing.phase = self.eval_offset(fields, interval);
        if self.flag(fields, "align_evaluation_time_on_interval") == Some(true) {
            timing.phase = Some(0);
        }
        if self.flag(fields, "eval_alignment") == Some(false) {
            let message = "`eval_alignment: false` is not followed: when the group is evaluated depends on when vmalert \
                           was started";
            let help = "say when with `--schedule production --phase GROUP=DURATION`";
            self.warn(fields.key_span("eval_alignment"), message, help);
        }
        self.strategy(fields);
        self.parameters(fields);
        timing
    }

    fn flag(&mut self, fields: &Fields<'d>, key: &str) -> Option<bool> {
        let node = fields.node(key).filter(|node| !node.is_null())?;
        self.decoder.boolean(node, format_args!("`{key}`"))
    }

    /// vmalert's `eval_offset`: the moment in the interval.
    fn eval_offset(&mut self, fields: &Fields<'d>, interval: Option<Millis>) -> Option<Millis> {
        let node = fields.node("eval_offset").filter(|node| !node.is_null())?;
        let offset = decode_duration(&mut self.decoder, node, "`eval_offset`")?;
        let span = node.target().span();
        match interval {
            None => {
                let message =
                    "`eval_offset` is a moment within an interval, and the group says none";
                self.decoder
                    .error(span, message, "write `interval:` beside it");
                None
            }
            Some(interval) if offset >= interval => {
                let message = "`eval_offset` must be less than the group's interval";
                self.decoder.error(
                    span,
                    message,
                    "write a shorter one, or a longer `interval:`",
                );
                None
            }
            Some(_) => Some(offset),
        }
    }

    /// Thanos's `partial_response_strategy`: here every store answers.
    fn strategy(&mut self, fields: &Fields<'d>) {
        let key = "partial_response_strategy";
        let Some(node) = fields.node(key) else {
            return;
        };
        let text = self.decoder.text(node, format_args!("`{key}`"));
        let known = ["", "warn", "abort"];
        if let Some(text) = text.filter(|it| !known.contains(&it.to_ascii_lowercase().as_str())) {
            let message = format!("there is no partial response strategy {text:?}");
            let help = "Thanos knows `warn` and `abort`";
            self.decoder.error(node.target().span(), message, help);
        }
    }

    /// What vmalert sends beside a query may change what it yields.
    fn parameters(&mut self, fields: &Fields<'d>) {
        let mut given: Vec<Field<'d>> = Vec::new();
        if let Some(node) = fields.node("params").filter(|node| !node.is_null()) {
            given.extend(self.decoder.entries_of(node, "`params`"));
        }
        for parameter in given {
            if HARMLESS_PARAMETERS.contains(&parameter.name) {
                continue;
            }
            let message = format!(
                "the parameter `{}` of queries is not followed",
                parameter.name
            );
            let help = match parameter.name.starts_with("extra_") {
                true => {
                    "give only series that it would let pass, or write the matcher into the queries"
                }
                false => "look whether it changes what the queries yield",
            };
            self.warn(parameter.key.span(), message, help);
        }
        let labels = fields.node("extra_filter_labels");
        if labels.is_some_and(|labels| !is_empty(labels)) {
            let message = "`extra_filter_labels` is not followed";
            let help = "give only series that have these labels, or write them into the queries";
            self.warn(fields.key_span("extra_filter_labels"), message, help);
        }
    }

    pub(super) fn warn(&mut self, span: Span, message: impl Into<String>, help: &str) {
        let warning = Diagnostic::warning(message).at(self.decoder.source(), span);
        self.warnings.push(warning.help(help));
    }
}

fn is_empty(node: Node<'_>) -> bool {
    match node.kind() {
        Kind::Scalar(scalar) => scalar.is_null(),
        Kind::Sequence(children) | Kind::Mapping(children) => children.is_empty(),
    }
}

/// The programs whose keys some fields are.
pub(super) fn owners(fields: &Fields<'_>, owners: &mut BTreeSet<&'static str>) {
    owners.extend(
        fields
            .iter()
            .filter_map(|field| super::keys::owner(field.name)),
    );
}
