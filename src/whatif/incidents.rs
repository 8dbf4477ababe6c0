//! Incidents: the times at which some alerts should have fired.
//!
//! A file lists them: `incidents: [{name, start, end, alerts: [..], grace}]`. Times are RFC 3339, Unix seconds, or how long after
//! the beginning of the data (`2d3h`); `alerts` are names, with their group in front where that is needed (`group/Alert`);
//! `grace` is how long after its end an incident may still be found, none unless given.

use std::collections::HashMap;

use crate::model::{Duration, Millis, Timestamp};
use crate::series::time::{moment, show};
use crate::text::yaml::{self, Decoder, Dialect, Node, UnknownFields};
use crate::text::{Diagnostic, Source, Span, closest_few};

/// A time at which alerts should fire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// What it is called.
    pub name: String,
    /// When it began.
    pub start: Timestamp,
    /// When it was over; not before its start.
    pub end: Timestamp,
    /// How long after its end it may still be found.
    pub grace: Millis,
    /// The alerts that should fire, as they are named in the file.
    pub alerts: Vec<String>,
}

/// The incidents of a file, in the order of their starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Incidents {
    /// All of them; those that name one alert do not overlap.
    pub all: Vec<Incident>,
}

/// What the incidents of a file must fit.
#[derive(Debug, Clone, Copy)]
pub struct Extent<'e> {
    /// The first moment of the data.
    pub start: Timestamp,
    /// The last.
    pub end: Timestamp,
    /// Group and name of all alerts.
    pub alerts: &'e [(String, String)],
}

/// The keys of a file of incidents.
const FILE_KEYS: [&str; 1] = ["incidents"];

/// The keys of an incident.
const KEYS: [&str; 5] = ["name", "start", "end", "alerts", "grace"];

const TIME_HELP: &str = "write a time such as 2026-01-05T08:00:00Z, Unix seconds, or how long after the beginning of the data it \
                         was, such as 2d3h";

impl Incidents {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, at its place: what is no incident, ends before starts, incidents outside of the data,
    /// alerts that there are not, and incidents of one alert that overlap.
    pub fn read(source: &Source, extent: Extent<'_>) -> Result<Incidents, Vec<Diagnostic>> {
        let document = yaml::parse(source).map_err(|fault| vec![fault])?;
        let mut reader = Reader {
            decoder: Decoder::new(source, Dialect::V3),
            extent,
        };
        let found = reader.file(document.root());
        let mut faults = reader.decoder.faults;
        if faults.is_empty() {
            faults.extend(overlaps(source, &found, extent.alerts));
        }
        match faults.is_empty() {
            true => Ok(Incidents { all: sorted(found) }),
            false => Err(faults),
        }
    }

    /// What is to be said of those that may be found after the last moment of the data: what would find them then is not seen.
    pub fn doubts(&self, end: Timestamp) -> impl Iterator<Item = Diagnostic> {
        let late = self
            .all
            .iter()
            .filter(move |it| it.end.saturating_add(it.grace) > end);
        late.map(move |incident| {
            let until = incident.end.saturating_add(incident.grace);
            let message = format!(
                "incident {:?} may be found until {}, and the data ends at {}",
                incident.name,
                show(until),
                show(end)
            );
            let help = "an alert that fires later is not seen, and the incident may count as missed: give longer data or a shorter \
                        `grace`";
            Diagnostic::warning(message).help(help)
        })
    }

    /// Those that name an alert, as places among all.
    pub fn of_alert(&self, group: &str, alert: &str) -> Vec<usize> {
        let names = |incident: &Incident| incident.alerts.iter().any(|it| is(it, group, alert));
        let all = self.all.iter().enumerate();
        all.filter(|(_, incident)| names(incident))
            .map(|(place, _)| place)
            .collect()
    }
}

/// Whether a name means an alert.
fn is(name: &str, group: &str, alert: &str) -> bool {
    name == alert
        || name
            .strip_suffix(alert)
            .and_then(|head| head.strip_suffix('/'))
            .is_some_and(|head| head == group)
}

fn sorted(found: Vec<Placed>) -> Vec<Incident> {
    let mut all: Vec<Incident> = found.into_iter().map(|placed| placed.incident).collect();
    all.sort_by_key(|incident| (incident.start, incident.end));
    all
}

/// An incident with the place of its start.
struct Placed {
    incident: Incident,
    span: Span,
}

/// Incidents that begin before another of the same alert is over, each told once.
fn overlaps(source: &Source, found: &[Placed], alerts: &[(String, String)]) -> Vec<Diagnostic> {
    let mut known: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, (group, alert)) in alerts.iter().enumerate() {
        for name in [alert.clone(), format!("{group}/{alert}")] {
            known.entry(name).or_default().push(place);
        }
    }
    let mut faults = Vec::new();
    let mut order: Vec<&Placed> = found.iter().collect();
    order.sort_by_key(|placed| (placed.incident.start, placed.incident.end));
    // Of each alert the incident that is over last.
    let mut last: Vec<Option<&Placed>> = vec![None; alerts.len()];
    for later in order {
        let named = later.incident.alerts.iter().filter_map(|it| known.get(it));
        let mut named: Vec<usize> = named.flatten().copied().collect();
        named.sort_unstable();
        named.dedup();
        let shared = named.iter().find_map(|place| {
            let earlier = (*last.get(*place)?)?;
            let is_over = earlier.incident.end <= later.incident.start;
            (!is_over).then_some((earlier, alerts.get(*place)?))
        });
        if let Some((earlier, (_, alert))) = shared {
            let message = format!(
                "incident {:?} of {alert} begins before {:?} of it is over",
                later.incident.name, earlier.incident.name
            );
            let help = "make one incident of them, or say when the first was over";
            let fault = Diagnostic::error(message).at(source, later.span);
            faults.push(fault.help(help));
        }
        for place in named {
            if let Some(last) = last.get_mut(place)
                && last.is_none_or(|last| last.incident.end < later.incident.end)
            {
                *last = Some(later);
            }
        }
    }
    faults
}

struct Reader<'d, 'e> {
    decoder: Decoder<'d>,
    extent: Extent<'e>,
}

impl<'d> Reader<'d, '_> {
    fn file(&mut self, root: Option<Node<'d>>) -> Vec<Placed> {
        let decoder = &mut self.decoder;
        let what = "a file of incidents";
        let fields =
            root.and_then(|root| decoder.fields(root, what, &FILE_KEYS, UnknownFields::Refuse));
        let list = fields.as_ref().and_then(|fields| fields.node("incidents"));
        let nodes = list.map_or_else(Vec::new, |list| decoder.list(list, "`incidents`"));
        if nodes.is_empty() && decoder.faults.is_empty() {
            let place = fields.map_or(Span::new(0, 0), |fields| fields.key_span("incidents"));
            let help = "write `incidents:` and items such as `- {name: …, start: …, end: …, alerts: [HighErrorRate]}`";
            decoder.error(place, "there is no incident", help);
        }
        let incidents = nodes.into_iter().enumerate();
        incidents
            .filter_map(|(index, node)| self.incident(node, index + 1))
            .collect()
    }

    fn incident(&mut self, node: Node<'d>, number: usize) -> Option<Placed> {
        let noted = self.decoder.faults.len();
        let decoder = &mut self.decoder;
        let fields = decoder.fields(node, "an incident", &KEYS, UnknownFields::Refuse);
        let Some(fields) = fields else {
            if self.decoder.faults.len() == noted {
                let help = "an incident has `start`, `end` and `alerts`";
                self.decoder
                    .error(node.span(), "an incident without anything", help);
            }
            return None;
        };
        let name = fields
            .node("name")
            .and_then(|it| decoder.text(it, "`name`"));
        let name = name.unwrap_or_else(|| format!("incident {number}"));
        for key in ["start", "end", "alerts"] {
            if fields.node(key).is_none() {
                let message = format!("{name:?} has no `{key}`");
                let help = match key {
                    "alerts" => {
                        "name the alerts that should have fired, such as `alerts: [HighErrorRate]`"
                    }
                    _ => TIME_HELP,
                };
                decoder.error(
                    Span::new(fields.span.start, fields.span.start),
                    message,
                    help,
                );
            }
        }
        let (start_node, end_node) = (fields.node("start"), fields.node("end"));
        let start = start_node.and_then(|node| self.time(node, "start"));
        let end = end_node.and_then(|node| self.time(node, "end"));
        let grace = fields
            .node("grace")
            .map_or(Some(0), |node| self.grace(node));
        let alerts = fields.node("alerts").map(|node| self.alerts(node));
        let (span, start, end) = (start_node?.target().span(), start?, end?);
        self.check_times((start_node?, start), (end_node?, end));
        let incident = Incident {
            name,
            start,
            end,
            grace: grace?,
            alerts: alerts?,
        };
        (self.decoder.faults.len() == noted).then_some(Placed { incident, span })
    }

    fn time(&mut self, node: Node<'d>, key: &str) -> Option<Timestamp> {
        let text = self.decoder.text(node, format_args!("`{key}`"))?;
        let offset = || {
            Some(
                self.extent
                    .start
                    .saturating_add(Duration::parse(&text).ok()?.millis()),
            )
        };
        let time = moment(&text).or_else(offset);
        if time.is_none() {
            let message = format!("`{key}`: {text:?} is no time");
            self.decoder.error(node.target().span(), message, TIME_HELP);
        }
        time
    }

    fn grace(&mut self, node: Node<'d>) -> Option<Millis> {
        let text = self.decoder.text(node, "`grace`")?;
        match Duration::parse(&text) {
            Ok(length) => Some(length.millis()),
            Err(_) => {
                let message = format!("`grace`: {text:?} is no duration");
                let help = "write a duration such as 10m";
                self.decoder.error(node.target().span(), message, help);
                None
            }
        }
    }

    fn check_times(&mut self, start: (Node<'d>, Timestamp), end: (Node<'d>, Timestamp)) {
        let ((start_node, start), (end_node, end)) = (start, end);
        let decoder = &mut self.decoder;
        if end < start {
            let message = format!(
                "it ends at {}, before it starts at {}",
                show(end),
                show(start)
            );
            decoder.error(
                end_node.target().span(),
                message,
                "give an end after the start",
            );
        }
        let (first, last) = (self.extent.start, self.extent.end);
        for (node, time, what) in [(start_node, start, "starts"), (end_node, end, "ends")] {
            if !(first..=last).contains(&time) {
                let message = format!("it {what} at {}, outside of the data", show(time));
                let help = format!("the data goes from {} to {}", show(first), show(last));
                decoder.error(node.target().span(), message, help);
            }
        }
    }

    fn alerts(&mut self, node: Node<'d>) -> Vec<String> {
        let noted = self.decoder.faults.len();
        let nodes = self.decoder.list(node, "`alerts`");
        if nodes.is_empty() && self.decoder.faults.len() == noted {
            let help = "name the alerts that should have fired, such as `alerts: [HighErrorRate]`";
            self.decoder
                .error(node.target().span(), "no alert is named", help);
        }
        let mut alerts: Vec<String> = Vec::new();
        for node in nodes {
            let Some(name) = self.decoder.text(node, "a name of an alert") else {
                continue;
            };
            let mut known = self.extent.alerts.iter();
            if !known.any(|(group, alert)| is(&name, group, alert)) {
                self.unknown(node, &name);
            }
            alerts.push(name);
        }
        alerts
    }

    fn unknown(&mut self, node: Node<'d>, name: &str) {
        let known = self.extent.alerts;
        let mut names: Vec<&str> = known.iter().map(|(_, alert)| alert.as_str()).collect();
        let full: Vec<String> = known
            .iter()
            .map(|(group, alert)| format!("{group}/{alert}"))
            .collect();
        names.extend(full.iter().map(String::as_str));
        let near = closest_few(name, &names, 3);
        let help = match near.is_empty() {
            true => "the rules have no alert of that name".to_owned(),
            false => format!("did you mean {}?", near.join(" or ")),
        };
        self.decoder.error(
            node.target().span(),
            format!("there is no alert {name:?}"),
            help,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Incidents, Vec<String>> {
        let alerts = [("g", "A"), ("g", "B"), ("h", "B")]
            .map(|(group, alert)| (group.to_owned(), alert.to_owned()));
        let extent = Extent {
            start: 1_000_000,
            end: 100_000_000,
            alerts: &alerts,
        };
        let read = Incidents::read(&Source::new("incidents.yml", text), extent);
        read.map_err(|faults| faults.iter().map(|fault| fault.message.clone()).collect())
    }

    #[test]
    fn lines_may_end_in_any_way_and_incidents_stand_in_any_order() {
        let text = "incidents:\n- {name: second, start: 10m, end: 20m, alerts: [h/B], grace: 90s}\n- start: 1000\n  end: 1000.5\n  alerts:\n  - A\n  - g/B\n";
        let expected = [
            Incident {
                name: "incident 2".to_owned(),
                start: 1_000_000,
                end: 1_000_500,
                grace: 0,
                alerts: vec!["A".to_owned(), "g/B".to_owned()],
            },
            Incident {
                name: "second".to_owned(),
                start: 1_600_000,
                end: 2_200_000,
                grace: 90_000,
                alerts: vec!["h/B".to_owned()],
            },
        ];
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let incidents = read(&text).unwrap_or_default();
            assert_eq!(incidents.all, expected);
            assert_eq!(incidents.of_alert("g", "B"), [0]);
            assert_eq!(incidents.of_alert("h", "B"), [1]);
            assert_eq!(incidents.of_alert("h", "A"), [0]);
        }
    }

    #[test]
    fn one_alert_has_one_incident_at_a_time() {
        let of = |incidents: &[(&str, u32, u32, &str)]| {
            let lines = incidents.iter().map(|(name, start, end, alerts)| {
                format!("- {{name: {name}, start: {start}m, end: {end}m, alerts: [{alerts}]}}\n")
            });
            read(&format!("incidents:\n{}", lines.collect::<String>()))
        };
        assert!(of(&[("a", 1, 5, "A"), ("b", 5, 9, "A"), ("c", 2, 8, "B")]).is_ok());
        assert!(of(&[("a", 1, 5, "g/B"), ("b", 2, 9, "h/B")]).is_ok());
        assert!(of(&[("a", 1, 5, "B, g/B, B")]).is_ok(), "named twice");
        let told = |earlier: &str, later: &str, alert: &str| {
            format!("incident \"{later}\" of {alert} begins before \"{earlier}\" of it is over")
        };
        for (incidents, expected) in [
            (
                &[("a", 1, 5, "A"), ("b", 4, 9, "g/A")][..],
                vec![told("a", "b", "A")],
            ),
            (
                &[("b", 4, 9, "h/B"), ("a", 1, 5, "A, B")],
                vec![told("a", "b", "B")],
            ),
            // The first lasts longest, and both others are within it.
            (
                &[("a", 1, 50, "A"), ("b", 2, 3, "A"), ("c", 4, 5, "A")],
                vec![told("a", "b", "A"), told("a", "c", "A")],
            ),
        ] {
            assert_eq!(of(incidents), Err(expected), "{incidents:?}");
        }
    }

    /// Were each looked at beside each other, this would take an hour.
    #[test]
    fn a_hundred_thousand_incidents_are_read_one_by_one() {
        let mut text = "incidents:\n".to_owned();
        for number in 0..100_000 {
            let alert = ["A", "g/B", "h/B"][number % 3];
            let start = 1_000.0 + (number / 3) as f64 * 0.002;
            let end = start + 0.002;
            text.push_str(&format!(
                "- {{start: {start:.3}, end: {end:.3}, alerts: [{alert}]}}\n"
            ));
        }
        let read = read(&text);
        assert_eq!(read.map(|it| it.all.len()), Ok(100_000));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, expected) in [
            ("", "there is no incident"),
            ("incidents: []\n", "there is no incident"),
            ("incidents:\n-\n", "there is no incident"),
            (
                "incidents:\n- {start: 5m, end: 1m, alerts: [A]}\n",
                "it ends at",
            ),
            (
                "incidents:\n- {start: 5m, end: 9d, alerts: [A]}\n",
                "outside of the data",
            ),
            (
                "incidents:\n- {start: 1, end: 5m, alerts: [A]}\n",
                "outside of the data",
            ),
            (
                "incidents:\n- {start: 1m, end: 5m, alerts: [AA]}\n",
                "there is no alert \"AA\"",
            ),
            (
                "incidents:\n- {start: 1m, end: 5m, alerts: [h/A]}\n",
                "there is no alert \"h/A\"",
            ),
            (
                "incidents:\n- {start: 1m, end: 5m, alerts: [A], grase: 1m}\n",
                "`grase`",
            ),
            (
                "incidents:\n- {start: 1m, end: 5m, alerts: [A], grace: -1m}\n",
                "no duration",
            ),
            ("incident: []\n", "`incident`"),
        ] {
            let faults = read(text).err().unwrap_or_default();
            assert!(
                faults.iter().any(|it| it.contains(expected)),
                "{text}: {faults:?}"
            );
        }
    }
}
