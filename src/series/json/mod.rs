//! Answers of Prometheus's HTTP API: of `/api/v1/query` (a vector, a matrix or a scalar) and of `/api/v1/query_range`.
//!
//! A file holds one answer: the whole of it (`{"status": "success", "data": …}`), its `data` (`{"resultType", "result"}`)
//! or its `result`, the list that `promtool query -o json` prints. A scalar becomes a series without labels, which no
//! selector finds.
//!
//! An answer says less than Prometheus knew. Stale markers are missing, so that an instant selector sees the last sample
//! of a series that went away for as long as it looks back. The steps of a range query are no samples that were scraped:
//! at most one a step is left, or the same one several times. Of native histograms only the buckets that hold something
//! are told, with their bounds:
//!
//! * exponential ones are read back: the resolution is that of the bounds; where nothing but the zero bucket holds
//!   something it is the finest, which every other can be added to. An empty zero bucket has width 0. Whether they are
//!   gauges is not told: resets are looked for. Custom buckets whose bounds are those of exponential ones are read as
//!   exponential ones.
//! * custom ones are read back where each of their buckets holds something in some sample of the series. Otherwise bounds
//!   are missing, and the answer is refused.

mod histogram;
mod node;

use std::borrow::Cow;

use self::histogram::Sketch;
use self::node::{Broken, Kind, Node};
use super::decimal::number;
use super::gather::{Gather, Value, gather};
use super::time::{FARTHEST_FUTURE, MAX_TIME, unix_seconds};
use crate::model::{Labels, LabelsBuilder, Timestamp};
use crate::store::Points;
use crate::text::{Diagnostic, Source, Span};

/// Reads all series: sorted by labels, their samples by time. Equal samples of one series are one.
///
/// # Errors
///
/// What is no answer, every sample that can't be read, and two values of a series at one time; of very many faults the
/// first.
pub fn read(source: &Source) -> Result<Vec<(Labels, Points)>, Vec<Diagnostic>> {
    gather(source, |gather| {
        let mut reader = Reader { gather };
        match Node::document(reader.gather.source().text()) {
            Ok(document) => reader.document(document),
            Err(broken) => reader.broken(broken),
        }
    })
}

const ANSWER: &str = "save the answer of /api/v1/query_range: {\"status\": \"success\", \"data\": {\"resultType\": \"matrix\", \"result\": […]}}";

const SAMPLE: &str =
    "write a sample as [1700000000.5, \"1.25\"]: seconds since 1970, and the value as a text";

struct Reader<'s, 'g> {
    gather: &'g mut Gather<'s>,
}

/// What is wrong, and what to do.
type Fault = (Cow<'static, str>, &'static str);

impl<'s> Reader<'s, '_> {
    fn document(&mut self, document: Node<'s>) {
        if document.kind() == Kind::Array {
            return self.result(document);
        }
        let Some(fields) = self.fields(document) else {
            return;
        };
        if field(&fields, "status").and_then(Node::text).as_deref() == Some("error") {
            return self.error(document, &fields);
        }
        match (field(&fields, "data"), field(&fields, "result")) {
            (Some(data), _) => {
                if let Some(fields) = self.fields(data) {
                    self.data(data, &fields);
                }
            }
            (None, Some(_)) => self.data(document, &fields),
            (None, None) => self.no_answer(document),
        }
    }

    /// The answer to a query that failed.
    fn error(&mut self, document: Node<'s>, fields: &[(String, Node<'s>)]) {
        let error = field(fields, "error");
        let reason = error.and_then(Node::text).unwrap_or_default();
        let message = format!("Prometheus answered with an error: {reason}");
        let help = "mend the query, and save the answer then";
        self.gather
            .fault(error.unwrap_or(document).span(), message, help);
    }

    fn data(&mut self, data: Node<'s>, fields: &[(String, Node<'s>)]) {
        let Some(result) = field(fields, "result") else {
            return self.no_answer(data);
        };
        let kind = field(fields, "resultType").and_then(Node::text);
        match kind.as_deref() {
            Some("scalar") => {
                let series = self.gather.series(Labels::empty());
                self.sample(result, series, &|| "the scalar".to_owned());
            }
            Some("string") => {
                let help = "query for numbers";
                self.gather
                    .fault(result.span(), "a text is no series", help);
            }
            _ => self.result(result),
        }
    }

    /// A list of series.
    fn result(&mut self, result: Node<'s>) {
        if !matches!(result.kind(), Kind::Array | Kind::Null) {
            return self.no_answer(result);
        }
        let mut place = 0;
        result.elements(|node| {
            place += 1;
            self.series(node, place);
        });
    }

    /// A series with its samples, the `place`th of its list.
    fn series(&mut self, node: Node<'s>, place: usize) {
        if node.kind() != Kind::Object {
            let help = "a series is {\"metric\": {…}, \"values\": […]}";
            let message = format!("result {place}: no series");
            return self.gather.fault(head(node.span()), message, help);
        }
        let Some(fields) = self.fields(node) else {
            return;
        };
        let Some(labels) = self.labels(node, &fields, place) else {
            return;
        };
        let series = self.gather.series(labels);
        let mut number = 0;
        let mut each_value = |node: Node<'s>| {
            number += 1;
            self.sample(node, series, &|| format!("result {place}, value {number}"));
        };
        let (value, values) = (field(&fields, "value"), field(&fields, "values"));
        value.into_iter().for_each(&mut each_value);
        if let Some(values) = values {
            values.elements(each_value);
        }
        let (histogram, histograms) = (field(&fields, "histogram"), field(&fields, "histograms"));
        self.histograms(histogram, histograms, series, place);
        let is_list = |node: &Node<'_>| matches!(node.kind(), Kind::Array | Kind::Null);
        if let Some(wrong) = [values, histograms]
            .iter()
            .flatten()
            .find(|it| !is_list(it))
        {
            let message = format!("result {place}: the samples are no list");
            self.gather.fault(head(wrong.span()), message, SAMPLE);
        } else if [value, values, histogram, histograms]
            .iter()
            .all(Option::is_none)
        {
            let message = format!(
                "result {place}: neither \"value\" nor \"values\", \"histogram\" nor \"histograms\""
            );
            self.gather.fault(head(node.span()), message, ANSWER);
        }
    }

    fn labels(
        &mut self,
        node: Node<'s>,
        fields: &[(String, Node<'s>)],
        place: usize,
    ) -> Option<Labels> {
        let metric = field(fields, "metric").filter(|metric| metric.kind() == Kind::Object);
        let Some(metric) = metric else {
            let message = format!("result {place}: no \"metric\" with the labels");
            let help =
                "a series is {\"metric\": {\"__name__\": \"up\", \"job\": \"x\"}, \"values\": […]}";
            self.gather.fault(head(node.span()), message, help);
            return None;
        };
        let mut labels = LabelsBuilder::default();
        let mut good = true;
        for (name, value) in self.fields(metric)? {
            let fault = match value.text() {
                None => Some("is no text"),
                Some(_) if name.is_empty() => Some("has no name"),
                Some(_) if labels.get(&name).is_some() => Some("is given twice"),
                Some(text) => {
                    labels.set(&name, &text);
                    None
                }
            };
            if let Some(fault) = fault {
                let message = format!("result {place}: the label {name:?} {fault}");
                let help = "write labels as {\"name\": \"value\"}, each once";
                self.gather.fault(value.span(), message, help);
                good = false;
            }
        }
        good.then(|| labels.build())
    }

    /// A sample of a series; `what` says which.
    fn sample(&mut self, node: Node<'s>, series: usize, what: &dyn Fn() -> String) {
        match read_sample(node, read_float) {
            Ok((time, value)) => {
                let value = Value::Float(value);
                self.gather.push(series, time, value, node.span());
            }
            Err(fault) => self.fault(node, fault, what),
        }
    }

    fn histograms(
        &mut self,
        single: Option<Node<'s>>,
        list: Option<Node<'s>>,
        series: usize,
        place: usize,
    ) {
        let mut number = 0;
        let mut sketches = Vec::new();
        let mut each = |node: Node<'s>| {
            number += 1;
            match read_sample(node, Sketch::read) {
                Ok((time, sketch)) => sketches.push((number, node, time, sketch)),
                Err(fault) => self.fault(node, fault, &|| {
                    format!("result {place}, histogram {number}")
                }),
            }
        };
        single.into_iter().for_each(&mut each);
        if let Some(list) = list {
            list.elements(each);
        }
        let all = sketches.iter().map(|(_, _, _, sketch)| sketch);
        let shape = histogram::shape(all);
        for (number, node, time, sketch) in sketches {
            match sketch.histogram(&shape) {
                Ok(histogram) => {
                    let value = Value::Histogram(histogram);
                    self.gather.push(series, time, value, node.span());
                }
                Err(fault) => self.fault(node, fault, &|| {
                    format!("result {place}, histogram {number}")
                }),
            }
        }
    }

    /// The entries of an object.
    fn fields(&mut self, node: Node<'s>) -> Option<Vec<(String, Node<'s>)>> {
        if node.kind() != Kind::Object {
            self.no_answer(node);
            return None;
        }
        node.fields().map_err(|broken| self.broken(broken)).ok()
    }

    fn fault(&mut self, node: Node<'s>, (message, help): Fault, what: &dyn Fn() -> String) {
        let message = format!("{}: {message}", what());
        self.gather.fault(node.span(), message, help);
    }

    fn no_answer(&mut self, node: Node<'s>) {
        let message = "no answer to a query for samples";
        self.gather.fault(head(node.span()), message, ANSWER);
    }

    fn broken(&mut self, broken: Broken) {
        let help = match broken.is_cut {
            true => "it was cut off: save the answer again",
            false => "save the answer as it came",
        };
        let span = Span::new(broken.offset, broken.offset + 1);
        let message = format!("the text is no JSON: {}", broken.message);
        self.gather.fault(span, message, help);
    }
}

/// Of a long value the beginning is shown.
fn head(span: Span) -> Span {
    Span::new(span.start, span.end.min(span.start + 1))
}

fn field<'s>(fields: &[(String, Node<'s>)], name: &str) -> Option<Node<'s>> {
    let found = fields.iter().find(|(field, _)| field == name);
    found.map(|(_, node)| *node)
}

/// `[time, value]`.
fn read_sample<T>(
    node: Node<'_>,
    value: impl Fn(&str) -> Result<T, Fault>,
) -> Result<(Timestamp, T), Fault> {
    let inside = node
        .raw
        .strip_prefix('[')
        .and_then(|inside| inside.strip_suffix(']'));
    // No number holds a comma.
    let Some((stamp, rest)) = inside.and_then(|inside| inside.split_once(',')) else {
        return Err(("no sample".into(), SAMPLE));
    };
    Ok((read_time(stamp.trim())?, value(rest.trim())?))
}

fn read_time(text: &str) -> Result<Timestamp, Fault> {
    match unix_seconds(text) {
        Some(time) if (FARTHEST_FUTURE..=MAX_TIME).contains(&time) => Err((
            format!("{text} seconds since 1970 is after the year 5138").into(),
            "these look like milliseconds: write seconds since 1970, perhaps with a fraction",
        )),
        Some(time) if (-MAX_TIME..=MAX_TIME).contains(&time) => Ok(time),
        _ => Err((format!("{text} is no time").into(), SAMPLE)),
    }
}

/// `"1.25"`, and the bare number where somebody wrote that.
fn read_float(raw: &str) -> Result<f64, Fault> {
    let inside = raw
        .strip_prefix('"')
        .and_then(|inside| inside.strip_suffix('"'));
    number(inside.unwrap_or(raw)).ok_or_else(|| {
        (
            format!("{raw} is not a number, or too large for one").into(),
            SAMPLE,
        )
    })
}
