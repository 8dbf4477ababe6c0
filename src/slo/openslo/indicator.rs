//! Indicators of OpenSLO.

use super::parts::Name;
use super::{Reader, given};
use crate::slo::keys::first_line;
use crate::slo::objective::Quality;
use crate::text::Place;
use crate::text::yaml::{Embedded, Node};

/// What an indicator measures, validated.
#[derive(Debug, Clone)]
pub(super) enum Sli {
    Threshold(MetricSource),
    Events {
        quality: Quality,
        counter: bool,
        some: Box<MetricSource>,
        total: Box<MetricSource>,
    },
    Raw {
        quality: Quality,
        share: MetricSource,
    },
}

impl Sli {
    pub(super) fn sources(&self) -> Vec<&MetricSource> {
        match self {
            Sli::Threshold(source) => vec![source],
            Sli::Events { some, total, .. } => vec![some, total],
            Sli::Raw { share, .. } => vec![share],
        }
    }
}

/// Where a metric comes from.
#[derive(Debug, Clone)]
pub(super) struct MetricSource {
    /// The data source.
    pub reference: Option<Name>,
    /// The type of the data source; may be empty.
    pub kind: String,
    /// The query and the key behind which it stands.
    pub query: Option<(String, Embedded)>,
    /// Where its free mapping stands.
    pub place: Place,
}

/// The keys behind which a query of Prometheus is found.
const QUERIES: [&str; 3] = ["query", "promql", "expr"];

impl<'d> Reader<'d> {
    pub(super) fn sli(&mut self, node: Node<'d>) -> Option<Sli> {
        let keys = ["description", "thresholdMetric", "ratioMetric"];
        let fields = self.fields(node, "an indicator", &keys)?;
        self.description(&fields);
        match (
            given(&fields, "thresholdMetric"),
            given(&fields, "ratioMetric"),
        ) {
            (Some(threshold), None) => {
                let source = self.source(threshold, "thresholdMetric");
                source.map(Sli::Threshold)
            }
            (None, Some(ratio)) => self.ratio(ratio),
            _ => {
                let message = "an indicator has either `thresholdMetric` or `ratioMetric`";
                self.error(first_line(node), message, "write one of the two");
                None
            }
        }
    }

    fn ratio(&mut self, node: Node<'d>) -> Option<Sli> {
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
                Some(Sli::Raw { quality, share })
            }
            (None, Some(total), Some(good), None) => Some(Sli::Events {
                quality: Quality::Good,
                counter,
                some: Box::new(self.source(good, "good")?),
                total: Box::new(self.source(total, "total")?),
            }),
            (None, Some(total), None, Some(bad)) => Some(Sli::Events {
                quality: Quality::Bad,
                counter,
                some: Box::new(self.source(bad, "bad")?),
                total: Box::new(self.source(total, "total")?),
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

    fn source(&mut self, node: Node<'d>, name: &str) -> Option<MetricSource> {
        let fields = self.fields(node, &format!("`{name}`"), &["metricSource"])?;
        let metric = self.required(&fields, node, "metricSource")?;
        let keys = ["metricSourceRef", "type", "spec"];
        let fields = self.fields(metric, "`metricSource`", &keys)?;
        let mut reference = None;
        if let Some(node) = given(&fields, "metricSourceRef")
            && !self.text(node, "metricSourceRef")?.is_empty()
        {
            reference = self.dns_label(node, "metricSourceRef");
        }
        let kind = given(&fields, "type").and_then(|node| self.text(node, "type"));
        let spec = self.required(&fields, metric, "spec")?;
        let entries = self.decoder.entries_of(spec, "`spec`");
        if entries.is_empty() {
            let help = "write the query behind `query:`";
            self.error(first_line(spec), "`spec` is empty", help);
            return None;
        }
        let found = entries.iter().find(|it| QUERIES.contains(&it.name));
        let query = match found {
            None => None,
            Some(entry) => {
                let what = format_args!("`{}`", entry.name);
                let text = self.decoder.embedded(entry.value, what)?;
                Some((entry.name.to_owned(), text))
            }
        };
        Some(MetricSource {
            reference,
            kind: kind.unwrap_or_default(),
            query,
            place: self.place(first_line(spec)),
        })
    }
}
