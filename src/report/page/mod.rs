//! What alerts did and would do as one HTML file that needs nothing else: timelines, values, and knobs that move.
//!
//! The file holds its style, its program and a JSON text: `{"version": 3, "title", "rules", "data", "command", "start", "end",
//! "changes": [{"knob", "from", "to"}], "incidents": [{"name", "start", "end", "alerts", "grace"}], "labels", "columns",
//! "values", "alerts": […]}`, times in milliseconds. Label sets and [columns](encode) stand once and are spoken of by their
//! places. An alert is `{"group", "name", "expr", "start", "step", "count", "limit", "hold", "keep", "why", "fixed", "condition",
//! "series": [[labels, column]], "owners", "knobs": [{"name", "kind", "text", "before", "now", "moves"}], "others": [[name, value]],
//! "seen", "missing", "failed", "instances"}`: `why` says why no threshold moves, `fixed` why nothing does, `others` are knobs that only a replay
//! moves, `seen` whether there ever was a value, `missing` the selectors of which the data has no series. A [condition](crate::whatif::Node) is `{"series": [place]}`, `{"of", "value", "op", "bound"}` or `{"set", "left",
//! "right", "keys": [left, right]}`. A bound is a list of steps on a stack: a number, `{"knob": place}`, `negate`, or an operator. An
//! instance is `{"labels", "before", "now"}`; what it did is a list of `[state, from, to]`, state 0 for pending and 1 for firing,
//! the others places of evaluations, `to` null where it lasts. A number that JSON does not have is a text: `NaN`, `+Inf`,
//! `-Inf`. `"sweep"` is null or `{"axes": [{"knob", "values"}], "alerts", "by": [what ranks the points], "best", "present", "points": [[values, measures,
//! undominated, meets]]}`, the measures those of a [sweep](super::sweep) with lengths in seconds.

mod encode;

use std::collections::HashMap;

use serde_json::{Value, json};

use self::encode::{Columns, runs};
use super::sweep::Swept;
use crate::model::number::format_value;
use crate::model::{Labels, Timestamp};
use crate::promql::Ticks;
use crate::replay::{AlertState, Stretch};
use crate::whatif::{Change, Incident, Live, LiveAlert, LiveInstance, LiveKnob, Node, Step};

/// The frame of the page, with places for the other parts.
const FRAME: &str = include_str!("page.html");

const STYLE: &str = include_str!("page.css");

/// The parts of the program, each of which uses those before it.
const PROGRAM: &str = concat!(
    include_str!("machine.js"),
    include_str!("order.js"),
    include_str!("words.js"),
    include_str!("view.js"),
    include_str!("sweep.js"),
    include_str!("page.js")
);

/// What a page shows.
#[derive(Debug)]
pub struct Page<'p> {
    /// The names of the rule files, or of what holds them.
    pub rules: &'p [String],
    /// The names of the files of the data.
    pub data: &'p [String],
    /// The words by which the same is asked in a terminal, but for what is set.
    pub command: &'p [String],
    /// What was set.
    pub changes: &'p [Change],
    /// What the alerts compare.
    pub live: &'p Live,
    /// What they should have told of.
    pub incidents: &'p [Incident],
    /// What came of many settings, where some were swept.
    pub swept: Option<&'p Swept<'p>>,
}

impl Page<'_> {
    /// The whole file.
    pub fn html(&self) -> String {
        let title = format!("What if: {}", self.rules.join(", "));
        let data = in_script(&self.json(&title).to_string());
        let mut page = String::with_capacity(data.len() + PROGRAM.len() + 2 * STYLE.len());
        let mut rest = FRAME;
        // Each part once, in one walk: what stands in the data is never taken for a place.
        for (place, text) in [
            ("{{title}}", escaped(&title).as_str()),
            ("{{style}}", STYLE),
            ("{{data}}", data.as_str()),
            ("{{program}}", PROGRAM),
        ] {
            let (before, after) = rest.split_once(place).unwrap_or((rest, ""));
            page.push_str(before);
            page.push_str(text);
            rest = after;
        }
        page.push_str(rest);
        page
    }

    fn json(&self, title: &str) -> Value {
        let change = |change: &Change| {
            let knob = &change.knob;
            json!({"knob": knob.shown(), "from": knob.value, "to": change.value})
        };
        let incident = |incident: &Incident| {
            json!({
                "name": incident.name,
                "start": incident.start,
                "end": incident.end,
                "alerts": incident.alerts,
                "grace": incident.grace,
            })
        };
        let mut pool = Pool::default();
        let alerts = self.live.alerts.iter();
        let alerts: Vec<Value> = alerts.map(|it| alert(it, &mut pool)).collect();
        let (columns, values) = pool.columns.finish();
        json!({
            "version": 3,
            "title": title,
            "rules": self.rules,
            "data": self.data,
            "command": self.command,
            "start": self.live.start,
            "end": self.live.end,
            "changes": self.changes.iter().map(change).collect::<Vec<Value>>(),
            "incidents": self.incidents.iter().map(incident).collect::<Vec<Value>>(),
            "labels": pool.labels,
            "columns": columns,
            "values": values,
            "alerts": alerts,
            "sweep": self.swept.map(Swept::page_json),
        })
    }
}

/// What stands once, however many alerts speak of it.
#[derive(Default)]
struct Pool<'p> {
    known: HashMap<Labels, usize>,
    labels: Vec<Value>,
    columns: Columns<'p>,
}

impl Pool<'_> {
    fn labels(&mut self, labels: &Labels) -> usize {
        let next = self.known.len();
        let place = *self.known.entry(labels.clone()).or_insert(next);
        if place == next {
            let pairs = labels.iter().map(|(name, value)| [name, value]);
            self.labels.push(json!(pairs.collect::<Vec<_>>()));
        }
        place
    }
}

fn alert<'p>(alert: &'p LiveAlert, pool: &mut Pool<'p>) -> Value {
    let ticks = alert.ticks;
    let knobs: Vec<Value> = alert.knobs.iter().map(knob).collect();
    let series = alert.condition.series.iter();
    let series = series.map(|it| [pool.labels(&it.labels), pool.columns.place(&it.values)]);
    let series: Vec<[usize; 2]> = series.collect();
    let instances = alert.instances.iter();
    let instances: Vec<Value> = instances.map(|it| instance(it, alert, pool)).collect();
    json!({
        "group": alert.group,
        "name": alert.name,
        "expr": alert.expr,
        "start": ticks.start,
        "step": ticks.step,
        "count": ticks.count,
        "limit": alert.limit,
        "hold": alert.hold,
        "keep": alert.keep_firing_for,
        "why": alert.why,
        "fixed": alert.fixed,
        "condition": node(&alert.condition.node),
        "series": series,
        "owners": alert.condition.owners,
        "knobs": knobs,
        "others": alert.others,
        "seen": alert.is_seeing,
        "missing": alert.missing,
        "failed": runs(alert.failed.iter().copied()),
        "instances": instances,
    })
}

fn node(part: &Node) -> Value {
    match part {
        Node::Series(places) => json!({"series": places}),
        Node::Compare(compare) => {
            let bound: Vec<Value> = compare.bound.iter().map(step).collect();
            json!({
                "of": node(&compare.of),
                "value": compare.value,
                "op": compare.op.symbol(),
                "bound": bound,
            })
        }
        Node::Set(set) => json!({
            "set": set.op.symbol(),
            "left": node(&set.left),
            "right": node(&set.right),
            "keys": [set.left_keys, set.right_keys],
        }),
    }
}

fn step(step: &Step) -> Value {
    match step {
        Step::Number(value) => number(*value),
        Step::Knob(place) => json!({"knob": place}),
        Step::Negate => json!("negate"),
        Step::Binary(op) => json!(op.symbol()),
    }
}

fn knob(knob: &LiveKnob) -> Value {
    json!({
        "name": knob.name,
        "kind": knob.kind.name(),
        "text": knob.text,
        "before": number(knob.before),
        "now": number(knob.now),
        "moves": knob.moves,
    })
}

fn instance(instance: &LiveInstance, alert: &LiveAlert, pool: &mut Pool<'_>) -> Value {
    let ticks = alert.ticks;
    let now = match alert.fixed.is_some() {
        true => json!(stretches(&instance.now, ticks)),
        false => Value::Null,
    };
    json!({
        "labels": pool.labels(&instance.labels),
        "before": stretches(&instance.before, ticks),
        "now": now,
    })
}

/// `[[state, from, to]]` in evaluations.
fn stretches(stretches: &[Stretch], ticks: Ticks) -> Vec<Value> {
    let place = |at: Timestamp| (at - ticks.start) / ticks.step.max(1);
    let shown = stretches.iter().map(|stretch| {
        let state = u8::from(stretch.state == AlertState::Firing);
        json!([state, place(stretch.from), stretch.to.map(place)])
    });
    shown.collect()
}

/// A number, as a text where JSON has none for it.
fn number(value: f64) -> Value {
    match value.is_finite() {
        true => json!(value),
        false => json!(format_value(value)),
    }
}

/// A JSON text as it may stand in a script: nothing in it ends the script or begins a comment.
fn in_script(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + json.len() / 8);
    for letter in json.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => text.push(letter),
        }
    }
    text
}

/// A text as it may stand between tags.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_the_script() {
        let hostile = json!({"a": "</script><!--&\u{2028}\u{202e}\""}).to_string();
        let text = in_script(&hostile);
        assert!(!text.contains(['<', '>', '&', '\u{2028}']), "{text}");
        let read: Value = serde_json::from_str(&text).unwrap_or_default();
        assert_eq!(read.to_string(), hostile);
    }

    #[test]
    fn every_part_has_its_place_once() {
        for place in ["{{title}}", "{{style}}", "{{data}}", "{{program}}"] {
            assert_eq!(FRAME.matches(place).count(), 1, "{place}");
        }
        assert!(!PROGRAM.contains("</script") && !STYLE.contains("</style"));
    }
}
