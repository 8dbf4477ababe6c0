//! Explanations for programs; the shape is versioned.
//!
//! `{"version": 1, "explanations": [{"sections": [{"subject": alert|recording|expression, "name", "file", "line", "column",
//! "at", "evaluated", "error", "state", "tree", "findings"}]}]}`. `name` is null for an expression, `at` and `evaluated` are unix
//! seconds, `evaluated` null where there was no evaluation yet; `tree` and `state` may be null. A node of the tree is `{"expr",
//! "time", "type": vector|scalar|windows|string|error, "count", "series", "value", "mark": null|"emptied"|"failed", "children"}`: `series`
//! lists all of them as `{"labels", "value"}`, or for windows as `{"labels", "samples", "first", "last"}`; `value` is that of a
//! scalar, a string, or an error's message. Values are as Prometheus prints them. A finding is `{"kind", "message", "details",
//! "remedies", "file", "line", "column"}`. `state` is `{"group", "interval", "for", "keep_firing_for", "active": [{"labels", "state",
//! "from", "to", "active_at", "fires_at", "quiet_since"}]}`, lengths in seconds. The words may change, the kinds do not:
//! `no_metric no_match no_sample few_samples no_step compared no_partner removed nothing_to_remove present absent no_buckets
//! no_scalar nan lost_label failed nothing`.

use serde_json::{Map, Value as Json, json};

use super::{Clock, place_in, words};
use crate::model::Labels;
use crate::model::bytes::shown;
use crate::model::number::format_value;
use crate::promql::why::{Mark, Node, Reading, Value};
use crate::replay::{Explanation, Section, State, Subject};
use crate::report::timeline::seconds;
use crate::text::Place;

/// A document of its own.
pub fn document(explanations: &[Explanation], clock: Clock) -> String {
    let all: Vec<Json> = explanations.iter().map(|it| value(it, clock)).collect();
    format!("{}\n", json!({"version": 1, "explanations": all}))
}

/// One explanation within a document. `clock` is how its words tell moments.
pub fn value(explanation: &Explanation, clock: Clock) -> Json {
    let sections: Vec<Json> = explanation
        .sections
        .iter()
        .map(|one| section(one, clock))
        .collect();
    json!({"sections": sections})
}

fn section(section: &Section, clock: Clock) -> Json {
    let whole = Place::new(section.text.source(), section.text.whole());
    let (subject, name, place) = match &section.subject {
        Subject::Alert { name, place } => ("alert", Some(name), place),
        Subject::Recording { name, place } => ("recording", Some(name), place),
        Subject::Expression => ("expression", None, &whole),
    };
    let findings = section
        .explained
        .iter()
        .flat_map(|explained| &explained.findings);
    let findings: Vec<Json> = findings
        .map(|finding| {
            let words = words(finding, section, clock);
            let mut told = located(&place_in(section, finding.span));
            told.insert("kind".to_owned(), json!(words.kind));
            told.insert("message".to_owned(), json!(words.head));
            told.insert("details".to_owned(), json!(words.details));
            told.insert("remedies".to_owned(), json!(words.remedies));
            Json::Object(told)
        })
        .collect();
    let mut out = Map::new();
    out.insert("subject".to_owned(), json!(subject));
    out.insert("name".to_owned(), json!(name));
    out.extend(located(place));
    out.insert("at".to_owned(), seconds(section.asked));
    out.insert(
        "evaluated".to_owned(),
        json!(section.evaluated.map(seconds)),
    );
    out.insert("error".to_owned(), json!(section.error));
    out.insert("state".to_owned(), json!(section.state.as_ref().map(state)));
    let tree = section
        .explained
        .as_ref()
        .map(|explained| node(&explained.root));
    out.insert("tree".to_owned(), json!(tree));
    out.insert("findings".to_owned(), json!(findings));
    Json::Object(out)
}

fn located(place: &Place) -> Map<String, Json> {
    let at = place.source.line_column(place.span.start);
    let mut out = Map::new();
    out.insert("file".to_owned(), json!(place.source.name()));
    out.insert("line".to_owned(), json!(at.line));
    out.insert("column".to_owned(), json!(at.column));
    out
}

fn state(state: &State) -> Json {
    let active = state.active.iter().map(|waiting| {
        json!({
            "labels": labels(&waiting.labels),
            "state": waiting.stretch.state.name(),
            "from": seconds(waiting.stretch.from),
            "to": waiting.stretch.to.map(seconds),
            "active_at": seconds(waiting.stretch.active_at),
            "fires_at": waiting.fires_at.map(seconds),
            "quiet_since": waiting.quiet_since.map(seconds),
        })
    });
    json!({
        "group": state.group,
        "interval": seconds(state.every),
        "for": seconds(state.hold),
        "keep_firing_for": seconds(state.keep_firing_for),
        "active": active.collect::<Vec<Json>>(),
    })
}

fn node(node: &Node) -> Json {
    let (kind, series, value) = match &node.value {
        Value::Vector(points) => {
            let points = points.iter().map(|point| {
                let value = match &point.reading {
                    Reading::Float(value) => format_value(*value),
                    Reading::Histogram(histogram) => histogram.test_expression(),
                };
                json!({"labels": labels(&point.labels), "value": value})
            });
            ("vector", points.collect(), None)
        }
        Value::Windows(held) => {
            let held = held.iter().map(|held| {
                json!({
                    "labels": labels(&held.labels),
                    "samples": held.count,
                    "first": seconds(held.first),
                    "last": seconds(held.last),
                })
            });
            ("windows", held.collect(), None)
        }
        Value::Scalar(value) => ("scalar", Vec::new(), Some(format_value(*value))),
        Value::Text(text) => ("string", Vec::new(), Some(text.clone())),
        Value::Failed(message) => ("error", Vec::new(), Some(message.clone())),
    };
    let series: Vec<Json> = series;
    json!({
        "expr": node.text,
        "time": seconds(node.time),
        "type": kind,
        "count": series.len(),
        "series": series,
        "value": value,
        "mark": match node.mark {
            Mark::None => None,
            Mark::Emptied => Some("emptied"),
            Mark::Failed => Some("failed"),
        },
        "children": node.children.iter().map(self::node).collect::<Vec<Json>>(),
    })
}

fn labels(labels: &Labels) -> Json {
    let pairs = labels
        .iter()
        .map(|(name, value)| (shown(name).into_owned(), json!(shown(value))));
    Json::Object(pairs.collect())
}
