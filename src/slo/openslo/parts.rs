//! Parts that objects of OpenSLO have in common: names, durations, words, numbers.

use super::Reader;
use crate::model::Millis;
use crate::slo::keys::first_line;
use crate::slo::window::CalendarUnit;
use crate::text::Place;
use crate::text::yaml::{Fields, Kind, Node};

/// A name, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub text: String,
    /// Its `metadata.labels`, with names as series have them; several values of one are joined by commas.
    pub labels: Vec<(String, String)>,
    pub place: Place,
}

/// An object that is written out where it is used, or named.
#[derive(Debug, Clone)]
pub(super) enum Member<T> {
    Inline(T),
    Ref(Name),
}

/// A length of time as OpenSLO writes it: a number and one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shorthand {
    pub count: u32,
    pub unit: CalendarUnit,
}

/// Prometheus counts nanoseconds.
const LONGEST: Millis = i64::MAX / 1_000_000;

/// The units, which differ by case: `m` is a minute and `M` a month.
const UNITS: [(&str, CalendarUnit, Millis); 7] = [
    ("m", CalendarUnit::Minute, 60_000),
    ("h", CalendarUnit::Hour, 3_600_000),
    ("d", CalendarUnit::Day, 86_400_000),
    ("w", CalendarUnit::Week, 7 * 86_400_000),
    ("M", CalendarUnit::Month, 30 * 86_400_000),
    ("Q", CalendarUnit::Quarter, 90 * 86_400_000),
    ("Y", CalendarUnit::Year, 365 * 86_400_000),
];

impl Shorthand {
    fn parse(text: &str) -> Option<Shorthand> {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (count, unit) = text.split_at_checked(digits)?;
        let (_, unit, _) = UNITS.iter().find(|(name, _, _)| *name == unit)?;
        Some(Shorthand {
            count: count.parse().ok()?,
            unit: *unit,
        })
    }

    /// Its length where no calendar counts: a month is 30 days, a quarter 90, a year 365.
    pub(super) fn millis(self) -> Millis {
        let found = UNITS.iter().find(|(_, unit, _)| *unit == self.unit);
        found.map_or(0, |(_, _, millis)| {
            millis.saturating_mul(Millis::from(self.count))
        })
    }
}

impl<'d> Reader<'d> {
    /// The metadata of an object; its name.
    pub(super) fn metadata(&mut self, fields: &Fields<'d>, node: Node<'d>) -> Option<Name> {
        let metadata = self.required(fields, node, "metadata")?;
        let keys = ["name", "displayName", "labels", "annotations"];
        let fields = self.fields(metadata, "`metadata`", &keys)?;
        let name = self.required(&fields, metadata, "name");
        let name = name.and_then(|node| self.dns_label(node, "name"));
        if let Some(node) = fields.node("displayName") {
            self.at_most(node, "displayName", 63);
        }
        let mut labels = Vec::new();
        if let Some(field) = fields.get("labels") {
            for entry in self.decoder.map(field, "`labels`") {
                if !is_label_key(entry.name) {
                    let message = format!("{:?} is no name of a label", entry.name);
                    let help = "write at most 63 letters, digits, `-`, `_` and `.`, a letter or digit first and last";
                    self.error(entry.key.span(), message, help);
                }
                let values: Vec<String> = match entry.value.kind() {
                    Kind::Sequence(values) => {
                        let values = values.iter();
                        values.filter_map(|it| self.text(it, entry.name)).collect()
                    }
                    _ => self.text(entry.value, entry.name).into_iter().collect(),
                };
                labels.push((label_name(entry.name), values.join(",")));
            }
        }
        if let Some(field) = fields.get("annotations") {
            for entry in self.decoder.map(field, "`annotations`") {
                self.text(entry.value, entry.name);
                let (prefix, key) = entry.name.rsplit_once('/').unwrap_or(("", entry.name));
                if prefix == "openslo.com" || !is_subdomain(prefix) || !is_label_key(key) {
                    let message = format!("{:?} is no name of an annotation", entry.name);
                    let help = "write a name of at most 63 letters, digits, `-`, `_` and `.`, perhaps behind a domain \
                                other than openslo.com and `/`";
                    self.error(entry.key.span(), message, help);
                }
            }
        }
        Some(Name { labels, ..name? })
    }

    pub(super) fn description(&mut self, fields: &Fields<'d>) -> String {
        let node = fields.node("description");
        let text = node.and_then(|node| self.at_most(node, "description", 1050));
        text.unwrap_or_default()
    }

    /// A text of at most so many characters.
    fn at_most(&mut self, node: Node<'d>, name: &str, most: usize) -> Option<String> {
        let text = self.text(node, name)?;
        let length = text.chars().count();
        if length > most {
            let message = format!("`{name}` has {length} characters, more than {most}");
            self.error(node.target().span(), message, "shorten it");
        }
        Some(text)
    }

    /// The name of an object: an RFC 1123 label.
    pub(super) fn dns_label(&mut self, node: Node<'d>, name: &str) -> Option<Name> {
        let text = self.text(node, name)?;
        let span = node.target().span();
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_good = (1..=63).contains(&text.len())
            && text.bytes().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if !is_good {
            let message = format!("`{name}`: {text:?} is no name of an object");
            let help =
                "write at most 63 small letters, digits and `-`, a letter or digit first and last";
            self.error(span, message, help);
            return None;
        }
        let place = self.place(span);
        Some(Name {
            text,
            labels: Vec::new(),
            place,
        })
    }

    /// A duration such as `30d`, `1M`; it is never compound.
    pub(super) fn shorthand(&mut self, node: Node<'d>, name: &str) -> Option<Shorthand> {
        let text = self.text(node, name)?;
        let found = Shorthand::parse(&text);
        if found.is_none() {
            let message = format!("`{name}`: {text:?} is no duration of OpenSLO");
            let help = "write a number and one of m (minutes), h, d, w, M (months), Q, Y: `30d`, not `1h30m`";
            self.error(node.target().span(), message, help);
        }
        if found.is_some_and(|found| found.millis() > LONGEST) {
            let message = format!("`{name}`: {text} is longer than Prometheus can count");
            self.error(node.target().span(), message, "write one such as `30d`");
            return None;
        }
        found
    }

    /// The items of a list, those that hold nothing, too.
    pub(super) fn items(&mut self, list: Node<'d>, name: &str) -> Vec<Node<'d>> {
        match list.kind() {
            Kind::Sequence(items) => items.iter().collect(),
            _ => self.decoder.list(list, format_args!("`{name}`")),
        }
    }

    pub(super) fn required(
        &mut self,
        fields: &Fields<'d>,
        node: Node<'d>,
        name: &str,
    ) -> Option<Node<'d>> {
        let found = fields.node(name).filter(|node| !node.is_null());
        if found.is_none() {
            let message = format!("`{name}` is missing");
            self.error(first_line(node), message, format!("add `{name}:`"));
        }
        found
    }

    /// One of a few words, which must be there.
    pub(super) fn one_of(
        &mut self,
        fields: &Fields<'d>,
        node: Node<'d>,
        name: &str,
        words: &[&'static str],
    ) -> Option<&'static str> {
        let node = self.required(fields, node, name)?;
        let text = self.text(node, name)?;
        let found = words.iter().find(|word| **word == text);
        if found.is_none() {
            let message = format!("`{name}`: {text:?} has no meaning here");
            let help = format!("write one of {}", words.join(", "));
            self.error(node.target().span(), message, help);
        }
        found.copied()
    }

    /// A text; numbers and truth values want quotes, as they do for OpenSLO's library.
    pub(super) fn text(&mut self, node: Node<'d>, name: &str) -> Option<String> {
        if matches!(node.describe(), "a number" | "a truth value") {
            let message = format!("`{name}` must be a text, this is {}", node.describe());
            self.error(node.target().span(), message, "put it into quotes");
            return None;
        }
        self.decoder.text(node, format_args!("`{name}`"))
    }

    /// A text that is not empty.
    pub(super) fn some_text(&mut self, node: Node<'d>, name: &str) -> Option<String> {
        let text = self.text(node, name)?;
        if text.is_empty() {
            let message = format!("`{name}` is empty");
            self.error(node.target().span(), message, "write something");
            return None;
        }
        Some(text)
    }

    /// A number within bounds, and as it was written.
    pub(super) fn number(
        &mut self,
        node: Node<'d>,
        name: &str,
        bounds: &str,
        holds: impl Fn(f64) -> bool,
    ) -> Option<(f64, String)> {
        let value = self.decoder.float(node, format_args!("`{name}`"))?;
        if !holds(value) {
            let message = format!("`{name}`: {value} is not {bounds}");
            let help = format!("write a number that is {bounds}");
            self.error(node.target().span(), message, help);
            return None;
        }
        let text = self.decoder.text(node, format_args!("`{name}`"))?;
        Some((value, text))
    }
}

fn is_label_key(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 63
        && text.bytes().all(inner)
        && edge(text.bytes().next())
        && edge(text.bytes().next_back())
}

/// The name of a label as series have it: what they may not have is an underscore there.
fn label_name(text: &str) -> String {
    let name = text.replace(|it: char| !it.is_ascii_alphanumeric(), "_");
    match name.starts_with(|it: char| it.is_ascii_digit()) {
        true => format!("_{name}"),
        false => name,
    }
}

/// A domain, or nothing.
fn is_subdomain(text: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.is_empty() || (text.len() <= 253 && text.split('.').all(is_label))
}
