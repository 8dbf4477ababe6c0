//! rulecheck's own short form of objectives: a list under `slos:`, in a test file or a file of its own.

use std::collections::HashSet;

use chrono::Weekday;
use chrono_tz::Tz;

use super::counters::counters;
use super::objective::{
    EmptySlice, Indicator, Measure, MeasureKind, Method, Quality, Slo, is_windowed,
};
use super::target::{Target, TargetError};
use super::window::{Calendar, CalendarUnit, Window};
use crate::model::{Duration, Millis};
use crate::promql::Features;
use crate::promql::ast::{BinaryOp, ValueType};
use crate::rules::{decode_duration, diagnose_query};
use crate::text::yaml::{Decoder, Fields, Kind, Node, UnknownFields};
use crate::text::{Place, Span};

/// The keys of an objective.
pub const SLO_FIELDS: [&str; 15] = [
    "name",
    "service",
    "description",
    "labels",
    "objective",
    "window",
    "good",
    "bad",
    "total",
    "ratio",
    "latency",
    "threshold",
    "boolean",
    "method",
    "by",
];

/// The keys of a window of the calendar.
pub const WINDOW_FIELDS: [&str; 3] = ["calendar", "zone", "start"];

/// The keys of a ratio.
pub const RATIO_FIELDS: [&str; 2] = ["good", "bad"];

/// The keys of a latency.
pub const LATENCY_FIELDS: [&str; 2] = ["histogram", "within"];

/// The keys of a threshold.
pub const THRESHOLD_FIELDS: [&str; 5] = ["query", "below", "at_most", "above", "at_least"];

/// The keys of a method that counts slices of time.
pub const METHOD_FIELDS: [&str; 2] = ["timeslices", "ratio_timeslices"];

/// The keys of slices of time that are good or bad.
pub const TIMESLICES_FIELDS: [&str; 3] = ["slice", "target", "empty"];

/// The keys of slices of time that count by their share.
pub const RATIO_TIMESLICES_FIELDS: [&str; 2] = ["slice", "empty"];

/// The kinds of indicators, by the keys that begin them.
const INDICATORS: [&str; 6] = ["good", "bad", "ratio", "latency", "threshold", "boolean"];

/// Reads a list of objectives; what is wrong is noted as a fault of the decoder, and the objective left out.
pub fn read_list<'d>(decoder: &mut Decoder<'d>, list: Node<'d>, features: &Features) -> Vec<Slo> {
    let (mut slos, mut names) = (Vec::new(), HashSet::new());
    for node in decoder.list(list, "`slos`") {
        let mut reader = Reader { decoder, features };
        let Some(slo) = reader.slo(node) else {
            continue;
        };
        match names.insert(slo.name.clone()) {
            false => {
                let message = format!("there are two objectives {:?}", slo.name);
                decoder.error(slo.place.span, message, "give one of them another name");
            }
            true => slos.push(slo),
        }
    }
    slos
}

/// Reads a file that holds nothing but objectives.
pub(super) fn read_file<'d>(
    decoder: &mut Decoder<'d>,
    root: Node<'d>,
    features: &Features,
) -> Vec<Slo> {
    let known = ["slos"];
    let what = "a file of objectives";
    let fields = decoder.fields(root, what, &known, UnknownFields::Refuse);
    let Some(field) = fields.as_ref().and_then(|fields| fields.get("slos")) else {
        return Vec::new();
    };
    let noted = decoder.faults.len();
    let slos = read_list(decoder, field.value, features);
    if decoder.faults.len() == noted && slos.is_empty() {
        let help =
            "add an item such as `- {name: …, objective: 99.9%, window: 30d, bad: …, total: …}`";
        decoder.error(field.key.span(), "`slos` holds no objective", help);
    }
    slos
}

struct Reader<'r, 'd> {
    decoder: &'r mut Decoder<'d>,
    features: &'r Features,
}

impl<'d> Reader<'_, 'd> {
    fn slo(&mut self, node: Node<'d>) -> Option<Slo> {
        let noted = self.decoder.faults.len();
        let fields = self.fields(node, "an objective", &SLO_FIELDS)?;
        let name = self.required(&fields, node, "name", "checkout-availability")?;
        let span = name.target().span();
        let name = self.text(name, "name").filter(|name| !name.is_empty());
        if name.is_none() && self.decoder.faults.len() == noted {
            self.error(
                span,
                "an objective without a name",
                "write `name: checkout-availability`",
            );
        }
        let mut text = |name: &str| fields.node(name).and_then(|node| self.text(node, name));
        let service = text("service");
        let description = text("description").unwrap_or_default();
        let labels = self.labels(&fields);
        let target = self.required(&fields, node, "objective", "99.9%");
        let target = target.and_then(|node| self.target(node, "objective"));
        let window = self.required(&fields, node, "window", "30d");
        let window = window.and_then(|node| self.window(node));
        let indicator = self.indicator(&fields, node);
        let method = match fields.node("method") {
            None => Some(Method::Occurrences),
            Some(node) => self.method(node),
        };
        let grouping = self.grouping(&fields);
        Some(Slo {
            name: name?,
            service,
            description,
            labels,
            target: target?,
            window: window?,
            method: method?,
            indicator: indicator?,
            grouping,
            place: Place::new(self.decoder.source(), span),
        })
        .filter(|_| self.decoder.faults.len() == noted)
    }

    fn labels(&mut self, fields: &Fields<'d>) -> Vec<(String, String)> {
        let Some(field) = fields.get("labels") else {
            return Vec::new();
        };
        let entries = self.decoder.map(field, "`labels`");
        let pairs = entries.iter().filter_map(|entry| {
            let value = self.text(entry.value, entry.name)?;
            Some((entry.name.to_owned(), value))
        });
        pairs.collect()
    }

    fn grouping(&mut self, fields: &Fields<'d>) -> Vec<String> {
        let Some(node) = fields.node("by") else {
            return Vec::new();
        };
        let names = self.decoder.list(node, "`by`").into_iter();
        names.filter_map(|node| self.text(node, "by")).collect()
    }

    /// `99.9%`; a bare number is a mistake that is easily made, so it is refused.
    fn target(&mut self, node: Node<'d>, name: &str) -> Option<Target> {
        let text = self.text(node, name)?;
        let share = text.strip_suffix('%');
        let read = match share {
            Some(percent) => Target::of_percent(percent),
            None => match text.trim().parse::<f64>() {
                Ok(share) if share <= 1.0 => Target::of_share(&text),
                Ok(_) => {
                    let message = format!("`{name}`: {text} has no sign");
                    self.error(node.target().span(), message, format!("write `{text}%`"));
                    return None;
                }
                Err(_) => Err(TargetError::NoNumber),
            },
        };
        match read {
            Ok(target) => Some(target),
            Err(error) => {
                let message = format!("`{name}`: {text:?} {error}");
                let help = "write a percentage such as `99.9%`, or a share such as 0.999";
                self.error(node.target().span(), message, help);
                None
            }
        }
    }

    fn window(&mut self, node: Node<'d>) -> Option<Window> {
        let Kind::Mapping(_) = node.kind() else {
            return self.length(node, "window").map(Window::Rolling);
        };
        let fields = self.fields(node, "a window", &WINDOW_FIELDS)?;
        let units = [
            ("day", CalendarUnit::Day),
            ("week", CalendarUnit::Week),
            ("month", CalendarUnit::Month),
            ("quarter", CalendarUnit::Quarter),
            ("year", CalendarUnit::Year),
        ];
        let unit = self.required(&fields, node, "calendar", "month")?;
        let span = unit.target().span();
        let text = self.text(unit, "calendar")?;
        let Some((_, unit)) = units.into_iter().find(|(name, _)| *name == text) else {
            let message = format!("`calendar`: {text:?} is no stretch of the calendar");
            self.error(span, message, "write day, week, month, quarter or year");
            return None;
        };
        let zone = match fields.node("zone") {
            None => Tz::UTC,
            Some(node) => {
                let text = self.text(node, "zone")?;
                match text.parse::<Tz>() {
                    Ok(zone) => zone,
                    Err(_) => {
                        let message = format!("`zone`: there is no time zone {text:?}");
                        let help =
                            "write a name of the time zone database, such as Europe/Berlin or UTC";
                        self.error(node.target().span(), message, help);
                        return None;
                    }
                }
            }
        };
        let mut calendar = Calendar::natural(unit, zone);
        if let Some(node) = fields.node("start") {
            let span = node.target().span();
            if unit != CalendarUnit::Week {
                let help = "remove it: days begin at midnight, months on their first day";
                self.error(span, "`start` is for weeks only", help);
                return None;
            }
            let text = self.text(node, "start")?;
            let Ok(day) = text.parse::<Weekday>() else {
                let message = format!("`start`: {text:?} is no day of the week");
                self.error(span, message, "write a day such as monday");
                return None;
            };
            let days = chrono::Days::new(u64::from(day.num_days_from_monday()));
            calendar.start = calendar.start.checked_add_days(days)?;
        }
        Some(Window::Calendar(calendar))
    }

    /// A length above 0.
    fn length(&mut self, node: Node<'d>, name: &str) -> Option<Millis> {
        let length = decode_duration(self.decoder, node, format_args!("`{name}`"))?;
        if length <= 0 {
            let message = format!("`{name}`: a length of time above 0 is asked for");
            self.error(
                node.target().span(),
                message,
                "write one such as `30d` or `1m`",
            );
            return None;
        }
        Some(length)
    }

    fn indicator(&mut self, fields: &Fields<'d>, node: Node<'d>) -> Option<Indicator> {
        let given: Vec<&str> = INDICATORS
            .into_iter()
            .filter(|name| fields.node(name).is_some())
            .collect();
        let kind = match given.as_slice() {
            [one] => *one,
            [] => {
                let help = "add `bad` (or `good`) and `total`, or one of ratio, latency, threshold, boolean";
                self.error(node.span(), "nothing tells good from bad", help);
                return None;
            }
            [first, second, ..] => {
                let message = format!("both `{first}` and `{second}` tell good from bad");
                self.error(fields.key_span(second), message, "remove one of the two");
                return None;
            }
        };
        let value = fields.node(kind)?;
        if !matches!(kind, "good" | "bad") && fields.node("total").is_some() {
            let message = format!("`total` beside `{kind}`, which has its own");
            self.error(fields.key_span("total"), message, "remove it");
            return None;
        }
        match kind {
            "good" | "bad" => {
                let total = self.required(
                    fields,
                    node,
                    "total",
                    "http_requests_total{job=\"checkout\"}",
                );
                let some = self.measure(value, kind, None);
                let total = self.measure(total?, "total", None);
                let (some, total) = (some?, total?);
                if some.kind != total.kind {
                    let message = format!("`{kind}` and `total` are not of one kind");
                    let help = "write both as counters, both over a window (`rate(…)`), or both with `{{.window}}`";
                    self.error(some.text.whole(), message, help);
                    return None;
                }
                Some(Indicator::Events {
                    quality: quality(kind),
                    some,
                    total,
                })
            }
            "ratio" => self.ratio(value),
            "latency" => self.latency(value),
            "threshold" => self.threshold(value),
            _ => Some(Indicator::Boolean {
                value: self.measure(value, kind, Some(MeasureKind::Values))?,
            }),
        }
    }

    fn ratio(&mut self, node: Node<'d>) -> Option<Indicator> {
        let fields = self.fields(node, "a ratio", &RATIO_FIELDS)?;
        let (kind, value) = match (fields.node("good"), fields.node("bad")) {
            (Some(good), None) => ("good", good),
            (None, Some(bad)) => ("bad", bad),
            _ => {
                let help = "write `{bad: QUERY}`, whose query yields the share of bad events";
                self.error(
                    node.target().span(),
                    "a ratio is of the good or of the bad",
                    help,
                );
                return None;
            }
        };
        Some(Indicator::Ratio {
            quality: quality(kind),
            share: self.measure(value, kind, Some(MeasureKind::Values))?,
        })
    }

    fn latency(&mut self, node: Node<'d>) -> Option<Indicator> {
        let fields = self.fields(node, "a latency", &LATENCY_FIELDS)?;
        let histogram = self.required(
            &fields,
            node,
            "histogram",
            "request_duration_seconds_bucket",
        );
        let within = self.required(&fields, node, "within", "300ms")?;
        let text = self.text(within, "within")?;
        // Seconds, unless it is a bare number in the unit of the histogram.
        let limit = match (Duration::parse(&text), text.parse::<f64>()) {
            (Ok(duration), _) => Some(duration.millis() as f64 / 1e3),
            (Err(_), Ok(limit)) => Some(limit),
            _ => None,
        };
        let limit = limit.filter(|limit| *limit > 0.0 && limit.is_finite());
        if limit.is_none() {
            let message = format!("`within`: {text:?} is no limit");
            let help = "write a duration such as `300ms`, or a number in the unit of the histogram";
            self.error(within.target().span(), message, help);
        }
        Some(Indicator::Latency {
            histogram: self.measure(histogram?, "histogram", Some(MeasureKind::Counter))?,
            within: limit?,
        })
    }

    fn threshold(&mut self, node: Node<'d>) -> Option<Indicator> {
        let fields = self.fields(node, "a threshold", &THRESHOLD_FIELDS)?;
        let query = self.required(&fields, node, "query", "queue_age_seconds");
        let ops = [
            ("below", BinaryOp::Less),
            ("at_most", BinaryOp::LessEqual),
            ("above", BinaryOp::Greater),
            ("at_least", BinaryOp::GreaterEqual),
        ];
        let given: Vec<(&str, BinaryOp)> = ops
            .into_iter()
            .filter(|(name, _)| fields.node(name).is_some())
            .collect();
        let [(name, op)] = given.as_slice() else {
            let help =
                "write one of below, at_most, above, at_least: a sample is good that compares so";
            self.error(node.target().span(), "a threshold has one bound", help);
            return None;
        };
        let bound = self
            .decoder
            .float(fields.node(name)?, format_args!("`{name}`"));
        let bound = bound.filter(|bound| !bound.is_nan());
        Some(Indicator::Threshold {
            value: self.measure(query?, "query", Some(MeasureKind::Values))?,
            op: *op,
            bound: bound?,
        })
    }

    /// A query that yields a vector. What its numbers are is told by `kind`, or else by its shape.
    fn measure(
        &mut self,
        node: Node<'d>,
        name: &str,
        kind: Option<MeasureKind>,
    ) -> Option<Box<Measure>> {
        let text = self.decoder.embedded(node, format_args!("`{name}`"))?;
        let first = match is_windowed(&text.text) {
            true => MeasureKind::Windowed,
            false => kind.unwrap_or(MeasureKind::Counter),
        };
        let mut measure = match Measure::new(text.clone(), first, self.features) {
            Ok(measure) => measure,
            Err(errors) => {
                let faults = errors.iter().map(|error| diagnose_query(&text, error, ""));
                self.decoder.faults.extend(faults);
                return None;
            }
        };
        if !matches!(
            measure.query.value_type(),
            ValueType::Vector | ValueType::Scalar
        ) {
            let message = format!("`{name}` yields no numbers");
            let help = "name series, or wrap a range in `rate(…)`";
            self.error(text.whole(), message, help);
            return None;
        }
        // What is no sum of counters is taken as it comes, moment by moment.
        if kind.is_none()
            && first == MeasureKind::Counter
            && (counters(&measure.query.expr).is_none() || has_window(&measure))
        {
            measure.kind = MeasureKind::Values;
        }
        Some(Box::new(measure))
    }

    fn method(&mut self, node: Node<'d>) -> Option<Method> {
        let Kind::Mapping(_) = node.kind() else {
            let text = self.text(node, "method")?;
            if text == "occurrences" {
                return Some(Method::Occurrences);
            }
            let message = format!("`method`: {text:?} has no meaning here");
            let help = "write `occurrences`, `{timeslices: {slice: 1m, target: 99%}}` or `{ratio_timeslices: {slice: 5m}}`";
            self.error(node.target().span(), message, help);
            return None;
        };
        let fields = self.fields(node, "`method`", &METHOD_FIELDS)?;
        match (fields.node("timeslices"), fields.node("ratio_timeslices")) {
            (Some(node), None) => {
                let fields = self.fields(node, "`timeslices`", &TIMESLICES_FIELDS)?;
                let slice = self.required(&fields, node, "slice", "1m")?;
                let target = self.required(&fields, node, "target", "99%")?;
                Some(Method::TimeSlices {
                    slice: self.length(slice, "slice")?,
                    target: self.target(target, "target")?,
                    empty: self.empty(&fields, EmptySlice::Good)?,
                })
            }
            (None, Some(node)) => {
                let fields = self.fields(node, "`ratio_timeslices`", &RATIO_TIMESLICES_FIELDS)?;
                let slice = self.required(&fields, node, "slice", "5m")?;
                Some(Method::RatioTimeSlices {
                    slice: self.length(slice, "slice")?,
                    empty: self.empty(&fields, EmptySlice::Skipped)?,
                })
            }
            _ => {
                let help = "write `{timeslices: {slice: 1m, target: 99%}}` or `{ratio_timeslices: {slice: 5m}}`";
                self.error(node.target().span(), "`method` is one of two", help);
                None
            }
        }
    }

    fn empty(&mut self, fields: &Fields<'d>, default: EmptySlice) -> Option<EmptySlice> {
        let Some(node) = fields.node("empty") else {
            return Some(default);
        };
        match self.text(node, "empty")?.as_str() {
            "good" => Some(EmptySlice::Good),
            "bad" => Some(EmptySlice::Bad),
            "skip" => Some(EmptySlice::Skipped),
            other => {
                let message = format!("`empty`: {other:?} has no meaning here");
                let help = "write what a slice without events is: good, bad or skip";
                self.error(node.target().span(), message, help);
                None
            }
        }
    }

    fn fields(&mut self, node: Node<'d>, what: &str, known: &[&str]) -> Option<Fields<'d>> {
        if node.is_null() {
            let message = format!("{what} is empty");
            self.error(
                node.span(),
                message,
                format!("it has the keys {}", known.join(", ")),
            );
            return None;
        }
        self.decoder
            .fields(node, what, known, UnknownFields::Refuse)
    }

    fn required(
        &mut self,
        fields: &Fields<'d>,
        node: Node<'d>,
        name: &str,
        example: &str,
    ) -> Option<Node<'d>> {
        let found = fields.node(name).filter(|node| !node.is_null());
        if found.is_none() {
            let message = format!("`{name}` is missing");
            self.error(node.span(), message, format!("add `{name}: {example}`"));
        }
        found
    }

    fn text(&mut self, node: Node<'d>, name: &str) -> Option<String> {
        self.decoder.text(node, format_args!("`{name}`"))
    }

    fn error(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.decoder.error(span, message, help);
    }
}

fn quality(name: &str) -> Quality {
    match name {
        "good" => Quality::Good,
        _ => Quality::Bad,
    }
}

/// Whether a query looks at a window of its own, so that it yields no counter.
fn has_window(measure: &Measure) -> bool {
    measure.text.text.contains('[')
}
