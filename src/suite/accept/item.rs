//! The elements of an expectation, as they are written and as they are found.

use super::locate::entry;
use super::style::ListStyle;
use super::{Observed, ObservedAlert, ObservedSample};
use crate::model::Labels;
use crate::text::yaml::{self, Kind, Node, write_block, write_float, write_text};

/// An element of an expectation, as fields with their values.
#[derive(Debug)]
pub(super) enum Item {
    Alert(ObservedAlert),
    Sample(ObservedSample),
}

pub(super) fn items(observed: &Observed) -> Vec<Item> {
    match observed {
        Observed::Alerts(alerts) => {
            let mut alerts = alerts.clone();
            for alert in &mut alerts {
                alert.labels = alert.labels.with("alertname", "");
            }
            alerts.sort_by(|a, b| (&a.labels, &a.annotations).cmp(&(&b.labels, &b.annotations)));
            alerts.into_iter().map(Item::Alert).collect()
        }
        Observed::Samples(samples) => {
            let mut samples = samples.clone();
            samples.sort_by(|a, b| a.labels.cmp(&b.labels));
            samples.into_iter().map(Item::Sample).collect()
        }
    }
}

pub(super) fn flow_list(items: &[Item]) -> String {
    let items: Vec<String> = items.iter().map(Item::flow).collect();
    format!("[{}]", items.join(", "))
}

type Pairs = Vec<(String, String)>;

impl Item {
    /// Its maps (labels, annotations) with their names, or its single values.
    fn maps(&self) -> Vec<(&'static str, Pairs)> {
        match self {
            Item::Alert(alert) => {
                let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
                let labels: Pairs = alert.labels.iter().map(owned).collect();
                let maps = [
                    ("exp_labels", labels),
                    ("exp_annotations", alert.annotations.clone()),
                ];
                let filled = maps.into_iter().filter(|(_, pairs)| !pairs.is_empty());
                filled.collect()
            }
            Item::Sample(_) => Vec::new(),
        }
    }

    /// The single values of a sample, ready to be written.
    fn values(&self) -> Vec<(&'static str, String)> {
        match self {
            Item::Alert(_) => Vec::new(),
            Item::Sample(sample) => {
                let labels = write_text(&sample.labels.to_string());
                let value = match &sample.histogram {
                    Some(histogram) => ("histogram", write_text(&histogram.test_expression())),
                    None => ("value", write_float(sample.value)),
                };
                vec![("labels", labels), value]
            }
        }
    }

    /// In braces.
    fn flow(&self) -> String {
        let mut fields: Vec<String> = Vec::new();
        for (name, pairs) in self.maps() {
            let pairs: Vec<String> = pairs
                .iter()
                .map(|(name, value)| format!("{}: {}", write_text(name), write_text(value)))
                .collect();
            fields.push(format!("{name}: {{{}}}", pairs.join(", ")));
        }
        for (name, value) in self.values() {
            fields.push(format!("{name}: {value}"));
        }
        format!("{{{}}}", fields.join(", "))
    }

    /// In lines, from the indentation of its `- ` on, without a last line break.
    pub fn block(&self, dash_column: usize, style: &ListStyle, line_break: &str) -> String {
        let dash = format!("{}- ", " ".repeat(dash_column));
        let (maps, values) = (self.maps(), self.values());
        if style.flow_items || (maps.is_empty() && values.is_empty()) {
            return dash + &self.flow();
        }
        let mut lines: Vec<String> = Vec::new();
        let outer = " ".repeat(dash_column + 2);
        let inner_column = dash_column + 2 + style.step;
        let inner = " ".repeat(inner_column);
        for (name, pairs) in maps {
            lines.push(format!("{outer}{name}:"));
            for (name, value) in pairs {
                let deeper = " ".repeat(inner_column + 2);
                let value =
                    write_block(&value, &deeper, line_break).unwrap_or_else(|| write_text(&value));
                lines.push(format!("{inner}{}: {value}", write_text(&name)));
            }
        }
        for (name, value) in values {
            lines.push(format!("{outer}{name}: {value}"));
        }
        let text = lines.join(line_break);
        dash + text.trim_start_matches(' ')
    }

    /// Whether an element of the file says the same, so that it can stay.
    pub fn is_written(&self, node: Node<'_>) -> bool {
        match self {
            Item::Alert(alert) => {
                let pairs = |name: &str| match entry(node, name) {
                    None => Some(Vec::new()),
                    Some((_, value)) => written_pairs(value),
                };
                let labels = pairs("exp_labels").map(|mut labels| {
                    labels.retain(|(name, _)| name != "alertname");
                    let empty = labels.iter().any(|(_, value)| value.is_empty());
                    (Labels::from_pairs(labels), empty)
                });
                let same_labels = labels == Some((alert.labels.clone(), false));
                same_labels && pairs("exp_annotations").as_ref() == Some(&alert.annotations)
            }
            Item::Sample(sample) => {
                let text = |name: &str| match entry(node, name)?.1.kind() {
                    Kind::Scalar(scalar) => Some(scalar),
                    _ => None,
                };
                let labels = text("labels").is_some_and(|written| {
                    let parsed = crate::series::notation::parse_series(&written.text);
                    parsed.is_ok_and(|labels| labels == sample.labels)
                });
                let value = text("value").is_some_and(|written| {
                    let number = match written.resolve() {
                        Ok(yaml::Resolved::Int(value)) => Some(value as f64),
                        Ok(yaml::Resolved::Float(value)) => Some(value),
                        _ => None,
                    };
                    number == Some(sample.value)
                });
                labels && value && sample.histogram.is_none() && entry(node, "histogram").is_none()
            }
        }
    }
}

/// A mapping of texts in the order of names; `None` where it is something else.
fn written_pairs(node: Node<'_>) -> Option<Pairs> {
    if node.is_null() {
        return Some(Vec::new());
    }
    let Kind::Mapping(children) = node.kind() else {
        return None;
    };
    let mut pairs = Pairs::new();
    for (key, value) in children.pairs() {
        let (Kind::Scalar(name), Kind::Scalar(value)) = (key.kind(), value.kind()) else {
            return None;
        };
        let is_odd = name.text == "<<" || name.tag.is_some() || value.tag.is_some();
        if is_odd || name.is_null() {
            return None;
        }
        let value = match value.is_null() {
            true => String::new(),
            false => value.text.clone().into_owned(),
        };
        pairs.push((name.text.clone().into_owned(), value));
    }
    pairs.sort();
    Some(pairs)
}
