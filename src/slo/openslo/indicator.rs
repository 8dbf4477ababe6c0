//! Indicators of OpenSLO.

use super::Reader;
use super::parts::first_line;
use crate::promql::ast::{BinaryOp, ValueType};
use crate::rules::diagnose_query;
use crate::slo::objective::{Indicator, Measure, MeasureKind, Quality, is_windowed};
use crate::text::Span;
use crate::text::yaml::{Fields, Node};

/// What an indicator measures, validated.
#[derive(Debug, Clone)]
pub(super) struct Sli<'d> {
    pub metric: Metric<'d>,
    pub span: Span,
}

/// The metrics of an indicator.
#[derive(Debug, Clone)]
pub(super) enum Metric<'d> {
    Threshold(Source<'d>),
    Events {
        quality: Quality,
        counter: bool,
        some: Source<'d>,
        total: Source<'d>,
    },
    Raw {
        quality: Quality,
        share: Source<'d>,
    },
}

/// Where a metric comes from: the free mapping that holds its query.
#[derive(Debug, Clone)]
pub(super) struct Source<'d> {
    entries: Vec<(String, Node<'d>)>,
    span: Span,
}

/// The keys behind which a query of Prometheus is found.
const QUERIES: [&str; 3] = ["query", "promql", "expr"];

impl<'d> Reader<'d, '_> {
    pub(super) fn sli(&mut self, node: Node<'d>) -> Option<Sli<'d>> {
        let keys = ["description", "thresholdMetric", "ratioMetric"];
        let fields = self.fields(node, "an indicator", &keys)?;
        self.description(&fields);
        let metric = match (
            given(&fields, "thresholdMetric"),
            given(&fields, "ratioMetric"),
        ) {
            (Some(threshold), None) => {
                Metric::Threshold(self.source(threshold, "thresholdMetric")?)
            }
            (None, Some(ratio)) => self.ratio(ratio)?,
            _ => {
                let message = "an indicator has either `thresholdMetric` or `ratioMetric`";
                self.error(first_line(node), message, "write one of the two");
                return None;
            }
        };
        Some(Sli {
            metric,
            span: first_line(node),
        })
    }

    fn ratio(&mut self, node: Node<'d>) -> Option<Metric<'d>> {
        let keys = ["counter", "good", "bad", "total", "raw", "rawType"];
        let fields = self.fields(node, "`ratioMetric`", &keys)?;
        let counter = match fields.node("counter") {
            None => false,
            Some(node) => self.decoder.boolean(node, "`counter`")?,
        };
        let get = |name: &str| given(&fields, name);
        match (get("raw"), get("total"), get("good"), get("bad")) {
            (Some(raw), None, None, None) => {
                let types = ["success", "failure"];
                let quality = match self.one_of(&fields, node, "rawType", &types)? {
                    "success" => Quality::Good,
                    _ => Quality::Bad,
                };
                let share = self.source(raw, "raw")?;
                Some(Metric::Raw { quality, share })
            }
            (None, Some(total), Some(good), None) => Some(Metric::Events {
                quality: Quality::Good,
                counter,
                some: self.source(good, "good")?,
                total: self.source(total, "total")?,
            }),
            (None, Some(total), None, Some(bad)) => Some(Metric::Events {
                quality: Quality::Bad,
                counter,
                some: self.source(bad, "bad")?,
                total: self.source(total, "total")?,
            }),
            _ => {
                let message =
                    "`ratioMetric` has `total` with one of `good` and `bad`, or `raw` alone";
                let help = "write `total` and `good`, `total` and `bad`, or `raw` and `rawType`";
                self.error(first_line(node), message, help);
                None
            }
        }
    }

    fn source(&mut self, node: Node<'d>, name: &str) -> Option<Source<'d>> {
        let fields = self.fields(node, &format!("`{name}`"), &["metricSource"])?;
        let metric = self.required(&fields, node, "metricSource")?;
        let keys = ["metricSourceRef", "type", "spec"];
        let fields = self.fields(metric, "`metricSource`", &keys)?;
        if let Some(node) = given(&fields, "metricSourceRef")
            && !self.text(node, "metricSourceRef")?.is_empty()
        {
            self.dns_label(node, "metricSourceRef");
        }
        if let Some(node) = given(&fields, "type") {
            self.text(node, "type");
        }
        let spec = self.required(&fields, metric, "spec")?;
        let entries = self.decoder.entries_of(spec, "`spec`");
        if entries.is_empty() {
            let help = "write the query behind `query:`";
            self.error(first_line(spec), "`spec` is empty", help);
            return None;
        }
        let entries = entries
            .iter()
            .map(|entry| (entry.name.to_owned(), entry.value));
        Some(Source {
            entries: entries.collect(),
            span: first_line(spec),
        })
    }

    /// What an indicator measures, with the comparison that a threshold's objective makes.
    pub(super) fn indicator(
        &mut self,
        sli: &Sli<'d>,
        compared: Option<(BinaryOp, f64)>,
    ) -> Option<Indicator> {
        match &sli.metric {
            Metric::Threshold(source) => {
                let value = self.measure(source, MeasureKind::Values);
                let Some((op, bound)) = compared else {
                    let message = "a threshold without `op` and `value`";
                    self.error(sli.span, message, "add both to the objective");
                    return None;
                };
                Some(Indicator::Threshold {
                    value: value?,
                    op,
                    bound,
                })
            }
            Metric::Events {
                quality,
                counter,
                some,
                total,
            } => {
                let kind = match counter {
                    true => MeasureKind::Counter,
                    false => MeasureKind::Values,
                };
                let (some, total) = (self.measure(some, kind), self.measure(total, kind));
                Some(Indicator::Events {
                    quality: *quality,
                    some: some?,
                    total: total?,
                })
            }
            Metric::Raw { quality, share } => Some(Indicator::Ratio {
                quality: *quality,
                share: self.measure(share, MeasureKind::Values)?,
            }),
        }
    }

    fn measure(&mut self, source: &Source<'d>, kind: MeasureKind) -> Option<Box<Measure>> {
        let found = source
            .entries
            .iter()
            .find(|(name, _)| QUERIES.contains(&name.as_str()));
        let Some((name, node)) = found else {
            let help = format!(
                "rulecheck knows Prometheus: write the query behind `{}:`",
                QUERIES[0]
            );
            self.error(
                source.span,
                "this source holds no query of Prometheus",
                help,
            );
            return None;
        };
        let text = self.decoder.embedded(*node, format_args!("`{name}`"))?;
        let kind = match is_windowed(&text.text) {
            true => MeasureKind::Windowed,
            false => kind,
        };
        match Measure::new(text.clone(), kind, self.features) {
            Ok(measure)
                if !matches!(
                    measure.query.value_type(),
                    ValueType::Vector | ValueType::Scalar
                ) =>
            {
                let message = format!("`{name}` yields no numbers");
                self.error(
                    text.whole(),
                    message,
                    "name series, or wrap a range in `rate(…)`",
                );
                None
            }
            Ok(measure) => Some(Box::new(measure)),
            Err(errors) => {
                let faults = errors.iter().map(|error| diagnose_query(&text, error, ""));
                self.decoder.faults.extend(faults);
                None
            }
        }
    }
}

/// The value of a key, if there is one.
pub(super) fn given<'d>(fields: &Fields<'d>, name: &str) -> Option<Node<'d>> {
    fields.node(name).filter(|node| !node.is_null())
}
