//! What happens to generated series.

use std::collections::{BTreeSet, HashMap};

use super::kinds::event_keys;
use super::{Item, amounts};
use crate::model::{Duration, Labels, Millis};
use crate::series::generate::{Change, Event, LogNormal, Turn, Window};
use crate::suite::file::TestCase;
use crate::suite::read::Reader;
use crate::text::Span;
use crate::text::yaml::{Field, Fields, Node};

/// More events has no item.
const MAX_EVENTS: usize = 1_000;

/// A change, and the key that says it.
struct Said<'d> {
    key: &'d str,
    span: Span,
    change: Change,
}

impl<'d> Reader<'d, '_> {
    /// The events of an item, and where each stands.
    pub(super) fn events(
        &mut self,
        item: &Item<'d, '_>,
        series: &[Labels],
        test: &TestCase,
    ) -> (Vec<Event>, Vec<Span>) {
        let nodes = self.list(item.fields, "events");
        if nodes.len() > MAX_EVENTS {
            let message = format!("{} events", nodes.len());
            let help =
                format!("write at most {MAX_EVENTS}; `flap` makes an event come again and again");
            self.decoder
                .error(item.fields.key_span("events"), message, help);
            return (Vec::new(), Vec::new());
        }
        let mut known = Known {
            all: series,
            values: HashMap::new(),
        };
        let mut events = Vec::new();
        let mut spans = Vec::new();
        for node in nodes {
            for event in self.event(item, node, &mut known, test).unwrap_or_default() {
                events.push(event);
                spans.push(node.target().span());
            }
        }
        (events, spans)
    }

    /// An event for each thing that happens at once.
    fn event(
        &mut self,
        item: &Item<'d, '_>,
        node: Node<'d>,
        series: &mut Known<'_>,
        test: &TestCase,
    ) -> Option<Vec<Event>> {
        let fields = self.present_fields(node, "an event", &event_keys())?;
        self.refuse_others(item, &fields)?;
        let said = self.changes(item, &fields)?;
        let window = self.event_window(&fields, &said, test)?;
        let only = match fields.get("only") {
            Some(field) => self.only(field, series)?,
            None => Vec::new(),
        };
        let event = |said: Said<'d>| Event {
            window,
            only: only.clone(),
            change: said.change,
        };
        Some(said.into_iter().map(event).collect())
    }

    /// What can happen to other kinds only.
    fn refuse_others(&mut self, item: &Item<'d, '_>, fields: &Fields<'d>) -> Option<()> {
        for name in event_keys() {
            let is_known =
                super::kinds::OF_EVENTS.contains(&name) || item.row.happens.contains(&name);
            if !is_known && let Some(field) = fields.get(name) {
                let message = format!("`{name}` can't happen to {}", item.row.called);
                let help = match (item.row.name, name) {
                    ("gauge", "outage") => {
                        "write `base: 0` for a gauge that falls to 0, or `gap: true`".to_owned()
                    }
                    _ => format!("what can: {}", item.row.happens.join(", ")),
                };
                return self.refuse(field.key.span(), message, help);
            }
        }
        Some(())
    }

    /// Everything that an event does.
    fn changes(&mut self, item: &Item<'d, '_>, fields: &Fields<'d>) -> Option<Vec<Said<'d>>> {
        let mut said: Vec<Said<'d>> = Vec::new();
        for name in item.row.happens {
            let Some(field) = fields.get(name) else {
                continue;
            };
            let change = self.change(item, field)?;
            if let Some(before) = said.iter().find(|it| aspect(&it.change) == aspect(&change)) {
                let message = format!(
                    "`{}` and `{name}` in one event say the same thing twice",
                    before.key
                );
                return self.refuse(
                    field.key.span(),
                    message,
                    "remove one of the two, or make it an event of its own",
                );
            }
            said.push(Said {
                key: field.name,
                span: field.key.span(),
                change,
            });
        }
        let flap = fields.get("flap");
        if said.is_empty()
            && let Some(flap) = flap.filter(|_| item.row.happens.contains(&"outage"))
        {
            let change = Change::Level(Turn::To(0.0));
            said.push(Said {
                key: "flap",
                span: flap.key.span(),
                change,
            });
        }
        if said.is_empty() {
            let message = "an event that does not say what happens";
            let help = format!("add one of {}", item.row.happens.join(", "));
            return self.refuse(fields.span, message, help);
        }
        Some(said)
    }

    fn change(&mut self, item: &Item<'d, '_>, field: &Field<'d>) -> Option<Change> {
        let is_gauge = item.row.name == "gauge";
        let level = if is_gauge {
            amounts::number
        } else {
            amounts::rate
        };
        Some(match field.name {
            "gap" => self.is_true(field).map(|()| Change::Gap)?,
            "stale" => self.is_true(field).map(|()| Change::Stale)?,
            "reset" => self.is_true(field).map(|()| Change::Reset)?,
            "outage" => self.is_true(field).map(|()| Change::Level(Turn::To(0.0)))?,
            "error_ratio" => {
                Change::ErrorRatio(Turn::To(self.field_measure(field, amounts::ratio)?))
            }
            "latency" => Change::Latency {
                to: self.later_latency(item, field)?,
                ramp: false,
            },
            "leak" => Change::Level(Turn::Leak(self.field_measure(field, amounts::speed)?)),
            "spike" => {
                Change::Level(
                    self.field_measure(field, |text| match amounts::times(text) {
                        Some(factor) => Ok(Turn::Times(factor?)),
                        None => Ok(Turn::To(level(text)?)),
                    })?,
                )
            }
            "ramp_to" if item.row.name == "histogram" && self.is_mapping(field.value) => {
                Change::Latency {
                    to: self.later_latency(item, field)?,
                    ramp: true,
                }
            }
            "ramp_to" => {
                let is_requests = item.row.name == "requests";
                self.field_measure(field, |text| match is_requests && !text.contains('/') {
                    true => Ok(Change::ErrorRatio(Turn::Ramp(amounts::ratio(text)?))),
                    false => Ok(Change::Level(Turn::Ramp(level(text)?))),
                })?
            }
            _ => Change::Level(Turn::Own(self.field_measure(field, level)?)),
        })
    }

    /// The latencies of an event.
    fn later_latency(&mut self, item: &Item<'d, '_>, field: &Field<'d>) -> Option<LogNormal> {
        let latency = self.latency(field)?;
        if let Some(native) = item.own.get("native") {
            let schema = self.schema(native)?;
            self.few_buckets(field, latency, schema)?;
        }
        Some(latency)
    }

    /// Refuses `gap: false`.
    fn is_true(&mut self, field: &Field<'d>) -> Option<()> {
        let name = field.name;
        match self
            .decoder
            .boolean(field.value, format_args!("`{name}`"))?
        {
            true => Some(()),
            false => {
                let message = format!("`{name}` that does not happen");
                self.refuse(
                    field.key.span(),
                    message,
                    format!("write `{name}: true`, or remove it"),
                )
            }
        }
    }

    /// When an event happens.
    fn event_window(
        &mut self,
        fields: &Fields<'d>,
        said: &[Said<'d>],
        test: &TestCase,
    ) -> Option<Window> {
        let Some(field) = fields.get("at") else {
            let help = "say when it begins, after the start of the test: `at: 30m`";
            return self.refuse(fields.span, "an event without `at`", help);
        };
        let at = self.moment_of_test(field.value, test.start, "`at`")?.value;
        let length = match fields.get("for") {
            None => None,
            Some(field) => Some((field, self.duration(fields, "for")?)),
        };
        if let Some((field, 0)) = length {
            let help =
                "say how long it lasts, or remove `for` of what lasts to the end of the test";
            return self.refuse(field.value.span(), "an event of no length", help);
        }
        if let Some((field, _)) = length
            && said.iter().all(|said| said.change == Change::Reset)
        {
            return self.refuse(field.key.span(), "a reset is a moment", "remove `for`");
        }
        let is_ramp = |said: &&Said<'_>| {
            matches!(
                said.change,
                Change::Level(Turn::Ramp(_))
                    | Change::ErrorRatio(Turn::Ramp(_))
                    | Change::Latency { ramp: true, .. }
            )
        };
        if let Some(ramp) = said.iter().find(is_ramp).filter(|_| length.is_none()) {
            return self.refuse(
                ramp.span,
                "a ramp without `for`",
                "say how long it takes, such as `for: 10m`",
            );
        }
        let flap = match fields.get("flap") {
            None => None,
            Some(field) => {
                let no_flap = |said: &&Said<'_>| {
                    is_ramp(said)
                        || said.change == Change::Reset
                        || matches!(said.change, Change::Level(Turn::Leak(_)))
                };
                if let Some(other) = said.iter().find(no_flap) {
                    let message = format!("`{}` does not flap", other.key);
                    return self.refuse(
                        field.key.span(),
                        message,
                        "remove `flap`, or make two events",
                    );
                }
                let flap = self.duration(fields, "flap")?;
                if flap < test.interval {
                    let message = "it flaps faster than there are samples";
                    let help = format!(
                        "write at least the interval of the samples, {}",
                        Duration(test.interval)
                    );
                    return self.refuse(field.value.target().span(), message, help);
                }
                Some(flap)
            }
        };
        let until = length.map_or(Millis::MAX, |(_, length)| at.saturating_add(length));
        Some(Window { at, until, flap })
    }

    /// Which series an event is of.
    fn only(
        &mut self,
        field: &Field<'d>,
        series: &mut Known<'_>,
    ) -> Option<Vec<(String, Vec<String>)>> {
        let mut only = Vec::new();
        for entry in self.decoder.map(field, "`only`") {
            let values = self.label_values(&entry, &format!("`{}`", entry.name))?;
            let known = series.values(entry.name);
            if let Some(value) = values.iter().find(|value| !known.contains(value.as_str())) {
                let message = format!("no series of this item has {}={value:?}", entry.name);
                let help = match known.last().filter(|last| !last.is_empty()) {
                    None => format!(
                        "they have no label `{}`: correct it, or add it to `repeat`",
                        entry.name
                    ),
                    Some(last) => format!("one has {}={last:?}", entry.name),
                };
                return self.refuse(entry.key.span(), message, help);
            }
            only.push((entry.name.to_owned(), values));
        }
        if only.is_empty() {
            let help = "name a label and its values: `only: {pod: [1, 2]}`";
            return self.refuse(field.key.span(), "`only` says nothing", help);
        }
        let has = |labels: &Labels| {
            let has = |(name, values): &(String, Vec<String>)| {
                values.iter().any(|value| labels.value(name) == value)
            };
            only.iter().all(has)
        };
        // Each value of one label was found already.
        if only.len() > 1 && !series.all.iter().any(has) {
            let message = "no series of this item has all these labels";
            return self.refuse(field.key.span(), message, "correct one of them");
        }
        Some(only)
    }
}

/// The series that an event can choose from.
struct Known<'s> {
    all: &'s [Labels],
    /// The values that a label has in them, as soon as somebody asked.
    values: HashMap<String, BTreeSet<&'s str>>,
}

impl<'s> Known<'s> {
    fn values(&mut self, name: &str) -> &BTreeSet<&'s str> {
        let find = || self.all.iter().map(|labels| labels.value(name)).collect();
        self.values.entry(name.to_owned()).or_insert_with(find)
    }
}

/// What a change is about: two of one event must not be about the same.
fn aspect(change: &Change) -> u8 {
    match change {
        Change::Level(_) => 0,
        Change::ErrorRatio(_) => 1,
        Change::Latency { .. } => 2,
        Change::Gap | Change::Stale => 3,
        Change::Reset => 4,
    }
}
