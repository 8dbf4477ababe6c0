//! Reads what a test generates, and adds it to its inputs.

pub(super) mod amounts;
mod check;
mod events;
pub(super) mod kinds;
pub(super) mod latency;
mod names;

pub(super) use check::check;

use self::amounts::Wrong;
use self::kinds::{BESIDE_ALL, KINDS, Row, item_keys};
use super::file::{GeneratedSeries, TestCase};
use super::read::Reader;
use crate::model::Labels;
use crate::series::generate::{Counts, Errors, Generator, Kind, Season};
use crate::text::Span;
use crate::text::yaml::{self, Field, Fields, Node};

/// The keys of `season`.
pub(super) const SEASON_FIELDS: [&str; 3] = ["period", "amplitude", "peak"];

/// What an item of `generate` says beside its kind.
struct Item<'d, 'f> {
    row: &'static Row,
    /// The description of its kind.
    own: &'f Fields<'d>,
    /// The whole item.
    fields: &'f Fields<'d>,
}

impl<'d> Reader<'d, '_> {
    /// The generators of a test, whose interval and start are known.
    pub(super) fn generated(
        &mut self,
        nodes: &[Node<'d>],
        test: &TestCase,
    ) -> Vec<GeneratedSeries> {
        let read = nodes
            .iter()
            .filter_map(|&node| self.generated_series(node, test));
        read.collect()
    }

    fn generated_series(&mut self, node: Node<'d>, test: &TestCase) -> Option<GeneratedSeries> {
        let fields = self.present_fields(node, "an item of `generate`", &item_keys())?;
        let row = self.kind(&fields)?;
        let field = fields.get(row.name)?;
        let own = self.present_fields(field.value, &format!("`{}`", row.name), row.keys)?;
        let item = Item {
            row,
            own: &own,
            fields: &fields,
        };
        let faults = self.decoder.faults.len();
        self.refuse_strangers(&item);
        let series = self.series_of(&item);
        let kind = self.generated_kind(&item, series.as_deref().unwrap_or_default());
        let level = self.level(&item);
        let (season, noise) = (self.season(&own), self.ratio(&own, "noise"));
        let (counts, seed) = (self.counts(&own), self.seed(&own));
        let series = series.unwrap_or_default();
        let (events, event_spans) = self.events(&item, &series, test);
        if self.decoder.faults.len() > faults {
            return None;
        }
        Some(GeneratedSeries {
            generator: Generator {
                series,
                kind: kind?,
                level: level?,
                season,
                noise: noise.unwrap_or(0.0),
                counts,
                seed,
                events,
            },
            source: node.source().clone(),
            span: field.key.span(),
            event_spans,
        })
    }

    /// The fields of a mapping that must be there. `None`, with a fault, too where a key is unknown: what seems to miss is
    /// often only misspelt.
    fn present_fields(&mut self, node: Node<'d>, what: &str, known: &[&str]) -> Option<Fields<'d>> {
        let keys = format!("its keys are {}", known.join(", "));
        if node.is_null() {
            return self.refuse(node.span(), format!("{what} is empty"), keys);
        }
        if !self.is_mapping(node) {
            let message = format!("{what} must be a mapping, this is {}", node.describe());
            return self.refuse(node.target().span(), message, keys);
        }
        let faults = self.decoder.faults.len();
        let fields = self.fields(node, what, known);
        fields.filter(|_| self.decoder.faults.len() == faults)
    }

    /// The only kind of an item.
    fn kind(&mut self, fields: &Fields<'d>) -> Option<&'static Row> {
        let mut rows = KINDS.iter().filter(|row| fields.get(row.name).is_some());
        let (first, second) = (rows.next(), rows.next());
        if let (Some(first), Some(second)) = (first, second) {
            let message = format!(
                "`{}` and `{}` in one item of `generate`",
                first.name, second.name
            );
            let help = "begin an item of its own, `- `, for each";
            self.decoder
                .error(fields.key_span(second.name), message, help);
            return None;
        }
        if first.is_none() {
            let names: Vec<String> = KINDS.iter().map(|row| format!("`{}`", row.name)).collect();
            let help = format!("add one of {}", names.join(", "));
            self.decoder.error(
                fields.span,
                "an item of `generate` that does not say what it makes",
                help,
            );
        }
        first
    }

    /// Keys that belong to other kinds.
    fn refuse_strangers(&mut self, item: &Item<'d, '_>) {
        for row in &KINDS {
            for name in row.beside {
                let is_own = item.row.beside.contains(name);
                if !is_own && let Some(field) = item.fields.get(name) {
                    let message = format!("`{name}` says nothing of {}", item.row.called);
                    let more: Vec<&str> =
                        item.row.beside.iter().chain(&BESIDE_ALL).copied().collect();
                    let help = format!("beside `{}` may stand {}", item.row.name, more.join(", "));
                    self.decoder.error(field.key.span(), message, help);
                }
            }
        }
    }

    fn generated_kind(&mut self, item: &Item<'d, '_>, series: &[Labels]) -> Option<Kind> {
        match item.row.name {
            "counter" => {
                let start = item.own.node("start");
                let start = start.map_or(Some(0.0), |node| {
                    self.measure(node, "`start`", amounts::positive)
                });
                Some(Kind::Counter { start: start? })
            }
            "requests" => {
                let error_ratio = self.ratio(item.own, "error_ratio");
                Some(Kind::Requests {
                    errors: self.errors(item, series)?,
                    error_ratio: error_ratio.unwrap_or(0.0),
                })
            }
            "histogram" => self.histogram(item, series),
            _ => Some(Kind::Gauge),
        }
    }

    /// The base of a gauge, or the rate of what is counted.
    fn level(&mut self, item: &Item<'d, '_>) -> Option<f64> {
        match item.row.name {
            "targets" => Some(1.0),
            "gauge" => {
                let node =
                    self.required(item, "base", "say which value it has, such as `base: 200`")?;
                self.measure(node, "`base`", amounts::number)
            }
            _ => {
                let node =
                    self.required(item, "rate", "say how fast it grows, such as `rate: 50/s`")?;
                self.measure(node, "`rate`", amounts::rate)
            }
        }
    }

    /// How errors are told from the rest.
    fn errors(&mut self, item: &Item<'d, '_>, series: &[Labels]) -> Option<Errors> {
        let (good, bad) = (item.fields.get("good"), item.fields.get("bad"));
        if let Some(field) = item.fields.get("errors_metric") {
            if let Some(other) = bad.or(good) {
                let message = format!(
                    "`{}` beside `errors_metric`: errors have a metric of their own, or labels",
                    other.name
                );
                self.decoder
                    .error(other.key.span(), message, "remove one of the two");
                return None;
            }
            let name = self.text(item.fields, "errors_metric")?;
            if name.value.is_empty() {
                self.decoder.error(
                    field.key.span(),
                    "`errors_metric` is empty",
                    "name the metric that counts errors",
                );
                return None;
            }
            return Some(Errors::Metric(name.value));
        }
        let Some(bad) = bad else {
            let message = "`requests` do not say which of them are errors";
            let help = "add their labels beside it, such as `bad: {code: '500'}`, or a second metric, `errors_metric: NAME`";
            self.decoder
                .error(item.fields.key_span("requests"), message, help);
            return None;
        };
        let bad_labels = self.more_labels(bad, series)?;
        let good_labels = match good {
            Some(good) => self.more_labels(good, series)?,
            None => Vec::new(),
        };
        if bad_labels == good_labels {
            let help = "give errors a label that the others do not have";
            self.decoder
                .error(bad.key.span(), "`bad` has the labels of all others", help);
            return None;
        }
        Some(Errors::Labels {
            good: good_labels,
            bad: bad_labels,
        })
    }

    fn season(&mut self, own: &Fields<'d>) -> Option<Season> {
        let field = own.get("season")?;
        let fields = self.present_fields(field.value, "`season`", &SEASON_FIELDS)?;
        for (name, help) in [
            ("period", "such as `period: 24h`"),
            ("amplitude", "such as `amplitude: 30%`"),
        ] {
            if fields.node(name).is_none() {
                self.decoder.error(
                    field.key.span(),
                    format!("a season without `{name}`"),
                    format!("add it, {help}"),
                );
            }
        }
        let (period, peak) = (
            self.duration(&fields, "period"),
            self.duration(&fields, "peak"),
        );
        let amplitude = self.ratio(&fields, "amplitude");
        if period == Some(0) {
            let help = "write how long it takes, such as `24h`";
            self.decoder
                .error(fields.key_span("period"), "a season of no length", help);
        }
        let period = period.filter(|&period| period > 0)?;
        Some(Season {
            period,
            amplitude: amplitude?,
            peak: peak.unwrap_or(period / 4),
        })
    }

    fn counts(&mut self, own: &Fields<'d>) -> Counts {
        match self.text(own, "counts") {
            None => Counts::Expected,
            Some(text) => match text.value.as_str() {
                "expected" => Counts::Expected,
                "poisson" => Counts::Poisson,
                other => {
                    let help = "write `expected` (rate times time, fractions too) or `poisson` (whole numbers, by chance)";
                    self.decoder
                        .error(text.span, format!("there are no counts {other:?}"), help);
                    Counts::Expected
                }
            },
        }
    }

    fn seed(&mut self, own: &Fields<'d>) -> u64 {
        let node = own.node("seed");
        let seed = node.and_then(|node| {
            self.measure(node, "`seed`", |text| match text.parse::<u64>() {
                Ok(seed) => Ok(seed),
                Err(_) => amounts::wrong(
                    format!("{text:?} is no seed"),
                    "write a whole number from 0 on",
                ),
            })
        });
        seed.unwrap_or(0)
    }

    fn ratio(&mut self, fields: &Fields<'d>, name: &str) -> Option<f64> {
        let node = fields.node(name)?;
        self.measure(node, &format!("`{name}`"), amounts::ratio)
    }

    /// A field that must be there.
    fn required(&mut self, item: &Item<'d, '_>, name: &str, help: &str) -> Option<Node<'d>> {
        let node = item.own.node(name);
        if node.is_none() {
            let message = format!("{} without `{name}`", item.row.called);
            self.decoder
                .error(item.fields.key_span(item.row.name), message, help);
        }
        node
    }

    /// What a text says; what is wrong with it is a fault of the file.
    pub(super) fn measure<T>(
        &mut self,
        node: Node<'d>,
        what: &str,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let text = self.decoder.text(node, what)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(Wrong { message, help }) => {
                self.decoder
                    .error(node.target().span(), format!("{what}: {message}"), help);
                None
            }
        }
    }

    /// The same, behind a field's name.
    fn field_measure<T>(
        &mut self,
        field: &Field<'d>,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        self.measure(field.value, &format!("`{}`", field.name), read)
    }

    /// Whether a node is a mapping.
    fn is_mapping(&self, node: Node<'d>) -> bool {
        matches!(node.kind(), yaml::Kind::Mapping(_))
    }

    /// Notes a fault.
    fn refuse<T>(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.decoder.error(span, message, help);
        None
    }
}
