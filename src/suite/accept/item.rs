//! The elements of an expectation, as they are written and as they are found.

use super::locate::entry;
use super::style::ListStyle;
use super::{Observed, ObservedAlert, ObservedSample};
use crate::model::Labels;
use crate::series::notation;
use crate::text::yaml::{self, Kind, Node, Scalar, write_block, write_float, write_text};

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

pub(super) type Pairs = Vec<(String, String)>;

impl Item {
    /// Its maps (labels, annotations) with their names, but for empty ones.
    fn maps(&self) -> Vec<(&'static str, Pairs)> {
        let mut maps = self.all_maps();
        maps.retain(|(_, pairs)| !pairs.is_empty());
        maps
    }

    /// Its maps (labels, annotations) with their names; a sample has none.
    pub fn all_maps(&self) -> Vec<(&'static str, Pairs)> {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        match self {
            Item::Alert(alert) => vec![
                ("exp_labels", alert.labels.iter().map(owned).collect()),
                ("exp_annotations", alert.annotations.clone()),
            ],
            Item::Sample(_) => Vec::new(),
        }
    }

    /// Its labels, without an alert's name.
    pub fn labels(&self) -> &Labels {
        match self {
            Item::Alert(alert) => &alert.labels,
            Item::Sample(sample) => &sample.labels,
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
    pub fn flow(&self) -> String {
        let mut fields: Vec<String> = Vec::new();
        for (name, pairs) in self.maps() {
            fields.push(format!("{name}: {}", flow_map(&pairs)));
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
        for (name, pairs) in maps {
            lines.extend(map_lines(
                name,
                &pairs,
                dash_column + 2,
                style.step,
                line_break,
            ));
        }
        for (name, value) in values {
            lines.push(format!("{outer}{name}: {value}"));
        }
        let text = lines.join(line_break);
        dash + text.trim_start_matches(' ')
    }

    /// Whether an element of the file says the same, so that it can stay.
    pub fn is_written(&self, node: Node<'_>) -> bool {
        let has_empty = |node| {
            let labels = pairs_of(node, "exp_labels").unwrap_or_default();
            labels.iter().any(|(_, value)| value.is_empty())
        };
        self.written_labels(node).as_ref() == Some(self.labels())
            && self.has_rest_of(node)
            && !(matches!(self, Item::Alert(_)) && has_empty(node))
    }

    /// The labels of an element of the file, if it is of this kind.
    pub fn written_labels(&self, node: Node<'_>) -> Option<Labels> {
        match self {
            Item::Alert(_) => {
                let mut labels = pairs_of(node, "exp_labels")?;
                labels.retain(|(name, _)| name != "alertname");
                Some(Labels::from_pairs(labels))
            }
            Item::Sample(_) => sample_labels(node),
        }
    }

    /// Whether an element of the file has the same annotations or the same value.
    pub fn has_rest_of(&self, node: Node<'_>) -> bool {
        match self {
            Item::Alert(alert) => {
                pairs_of(node, "exp_annotations").as_ref() == Some(&alert.annotations)
            }
            Item::Sample(sample) => is_value_written(sample, node),
        }
    }
}

/// A map of labels or annotations as pairs.
fn pairs_of(node: Node<'_>, name: &str) -> Option<Pairs> {
    match entry(node, name) {
        None => Some(Vec::new()),
        Some((_, value)) => written_pairs(value),
    }
}

/// The labels of a sample in the file.
pub(super) fn sample_labels(node: Node<'_>) -> Option<Labels> {
    if entry(node, "labels").is_none() && matches!(node.kind(), Kind::Mapping(_)) {
        return Some(Labels::empty());
    }
    let written = scalar(node, "labels")?;
    notation::parse_series(&written.text).ok()
}

/// Whether a sample in the file has this value or this histogram.
pub(super) fn is_value_written(sample: &ObservedSample, node: Node<'_>) -> bool {
    let histogram = entry(node, "histogram");
    match (&sample.histogram, histogram) {
        (None, None) => {
            let number = scalar(node, "value").and_then(|written| match written.resolve() {
                Ok(yaml::Resolved::Int(value)) => Some(value as f64),
                Ok(yaml::Resolved::Float(value)) => Some(value),
                _ => None,
            });
            let is_same =
                |number: f64| number == sample.value || (number.is_nan() && sample.value.is_nan());
            number.is_some_and(is_same)
        }
        (Some(observed), Some(_)) => {
            let written = scalar(node, "histogram")
                .and_then(|written| notation::parse_histogram(&written.text).ok());
            written.is_some_and(|it| it.test_expression() == observed.test_expression())
        }
        _ => false,
    }
}

fn scalar<'d>(node: Node<'d>, name: &str) -> Option<&'d Scalar<'d>> {
    match entry(node, name)?.1.kind() {
        Kind::Scalar(scalar) => Some(scalar),
        _ => None,
    }
}

/// A map in braces.
pub(super) fn flow_map(pairs: &[(String, String)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}: {}", write_text(name), write_text(value)))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// A map with its name, which stands in a column, in lines; a text may take several.
pub(super) fn map_lines(
    name: &str,
    pairs: &[(String, String)],
    column: usize,
    step: usize,
    line_break: &str,
) -> Vec<String> {
    let inner = " ".repeat(column + step);
    let deeper = " ".repeat(column + step + 2);
    let mut lines = vec![format!("{}{name}:", " ".repeat(column))];
    for (name, value) in pairs {
        let value = write_block(value, &deeper, line_break).unwrap_or_else(|| write_text(value));
        lines.push(format!("{inner}{}: {value}", write_text(name)));
    }
    lines
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
