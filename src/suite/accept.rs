//! Writes what was observed into the expectations of a test file, everything else kept byte for byte.

use super::style::{ListStyle, find_style};
use crate::model::{Histogram, Labels};
use crate::text::yaml::{self, Document, Kind, Node, write_block, write_float, write_text};
use crate::text::{Diagnostic, Source, Span};

/// What to write into which check.
#[derive(Debug, Clone)]
pub struct Replacement {
    /// The test, by its place in the file from 0.
    pub test: usize,
    /// The check in it.
    pub check: CheckId,
    /// What it yielded.
    pub observed: Observed,
}

/// A check by its place in its list, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckId {
    /// In `alert_rule_test`.
    Alert(usize),
    /// In `promql_expr_test`.
    Expr(usize),
}

/// What a check yielded.
#[derive(Debug, Clone)]
pub enum Observed {
    /// The firing alerts.
    Alerts(Vec<ObservedAlert>),
    /// The samples of the expression.
    Samples(Vec<ObservedSample>),
}

/// An alert that fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedAlert {
    /// Its labels; `alertname` is not written.
    pub labels: Labels,
    /// Its annotations in the order of names.
    pub annotations: Vec<(String, String)>,
}

/// A sample of an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedSample {
    /// Its name and labels.
    pub labels: Labels,
    /// Its value; not written beside a histogram.
    pub value: f64,
    /// Its native histogram.
    pub histogram: Option<Histogram>,
}

/// A test file with new expectations.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The new text.
    pub text: String,
    /// Checks that could not be changed alone, and why.
    pub refused: Vec<Diagnostic>,
}

/// Changes the expectations of checks to what was observed.
///
/// # Errors
///
/// The text is no YAML.
pub fn accept(source: &Source, replacements: &[Replacement]) -> Result<Accepted, Diagnostic> {
    let document = yaml::parse(source)?;
    let mut edits: Vec<Edit> = Vec::new();
    let mut refused = Vec::new();
    for replacement in replacements {
        let found = locate(&document, replacement).and_then(|target| {
            let edit = target.edit(replacement)?;
            let overlaps = |edit: &Edit| edits.iter().any(|other| other.overlaps(edit));
            match edit.iter().any(overlaps) {
                true => Err(refuse(
                    target.item,
                    "another check stands in the same place",
                )),
                false => Ok(edit),
            }
        });
        match found {
            Ok(found) => edits.extend(found),
            Err(reason) => refused.push(reason),
        }
    }
    edits.sort_by_key(|edit| edit.span.start);
    let mut text = String::with_capacity(source.text().len());
    let mut done = 0;
    for edit in &edits {
        text.push_str(source.slice(Span::new(done, edit.span.start)));
        text.push_str(&edit.text);
        done = edit.span.end;
    }
    text.push_str(source.slice(Span::new(done, source.text().len())));
    Ok(Accepted { text, refused })
}

/// One stretch of the file and what to put there.
#[derive(Debug)]
struct Edit {
    span: Span,
    text: String,
}

impl Edit {
    fn overlaps(&self, other: &Edit) -> bool {
        self.span.start <= other.span.end && other.span.start <= self.span.end
    }
}

/// A check in the file that may be changed.
struct Target<'d> {
    root: Node<'d>,
    /// The list that the check stands in.
    list: Node<'d>,
    list_key: Node<'d>,
    item: Node<'d>,
    /// `exp_alerts` or `exp_samples`
    field: &'static str,
    value: Option<Node<'d>>,
}

/// Finds a check, or says why it can't be changed alone.
fn locate<'d>(
    document: &'d Document<'d>,
    replacement: &Replacement,
) -> Result<Target<'d>, Diagnostic> {
    let (list_name, index, field) = match replacement.check {
        CheckId::Alert(index) => ("alert_rule_test", index, "exp_alerts"),
        CheckId::Expr(index) => ("promql_expr_test", index, "exp_samples"),
    };
    let Some(root) = document.root() else {
        return Err(Diagnostic::warning(
            "there is nothing to change in an empty file",
        ));
    };
    let (_, tests) = step(own(root)?, "tests")?;
    let test = own(element(tests, replacement.test)?)?;
    let (list_key, list) = step(test, list_name)?;
    let item = own(element(list, index)?)?;
    let Kind::Mapping(children) = item.kind() else {
        return Err(refuse(item, "the check is empty"));
    };
    if item.is_flow() && !item.source().slice(item.span()).starts_with('{') {
        return Err(refuse(item, "it has no braces of its own"));
    }
    let value = entry(item, field).map(|(_, value)| value);
    let merges = children.pairs().any(|(key, _)| is_text(key, "<<"));
    if value.is_none() && merges {
        let reason = format!("`{field}` may come from a merge key `<<`");
        return Err(refuse(item, &reason));
    }
    if let Some(value) = value.filter(|value| document.has_aliased(value.span())) {
        let reason = "an alias stands for a part of it";
        return Err(refuse(value, reason));
    }
    Ok(Target {
        root,
        list,
        list_key,
        item,
        field,
        value,
    })
}

/// A field of a mapping, written there and nowhere else.
fn step<'d>(node: Node<'d>, name: &str) -> Result<(Node<'d>, Node<'d>), Diagnostic> {
    match entry(node, name) {
        Some((key, value)) => Ok((key, own(value)?)),
        None => Err(refuse(
            node,
            &format!("`{name}` comes from a merge key `<<`"),
        )),
    }
}

/// A node that stands for itself alone.
fn own(node: Node<'_>) -> Result<Node<'_>, Diagnostic> {
    if node.is_alias() {
        return Err(refuse(
            node,
            "it is an alias, and the change would show elsewhere too",
        ));
    }
    if node.is_aliased() {
        return Err(refuse(node, "an alias elsewhere stands for it too"));
    }
    Ok(node)
}

fn refuse(node: Node<'_>, reason: &str) -> Diagnostic {
    let source = node.source();
    let span = node.span();
    let line = source.slice(span).lines().next().unwrap_or("");
    let span = Span::new(span.start, span.start + line.trim_end().len());
    Diagnostic::warning(format!("this expectation was not changed: {reason}"))
        .at(source, span)
        .help("change it by hand, or write the check out without aliases")
}

fn element(list: Node<'_>, index: usize) -> Result<Node<'_>, Diagnostic> {
    let node = match list.kind() {
        Kind::Sequence(children) => children.iter().nth(index),
        _ => None,
    };
    node.ok_or_else(|| refuse(list, "it is not in the file any more"))
}

fn is_text(node: Node<'_>, text: &str) -> bool {
    matches!(node.kind(), Kind::Scalar(scalar) if scalar.text == text)
}

fn entry<'d>(mapping: Node<'d>, name: &str) -> Option<(Node<'d>, Node<'d>)> {
    match mapping.kind() {
        Kind::Mapping(children) => children.pairs().find(|(key, _)| is_text(*key, name)),
        _ => None,
    }
}

impl<'d> Target<'d> {
    fn edit(&self, replacement: &Replacement) -> Result<Vec<Edit>, Diagnostic> {
        let style = find_style(self.root, self.list_key, self.list, self.field, self.value);
        let items = items(&replacement.observed);
        if self.item.is_flow() {
            return Ok(vec![self.flow_edit(&items)]);
        }
        match self.value {
            None => Ok(self.missing(&items, &style).into_iter().collect()),
            Some(value) => self.block_edit(value, &items, &style),
        }
    }

    fn source(&self) -> &'d Source {
        self.item.source()
    }

    /// The check stands in braces: its expectation goes there too.
    fn flow_edit(&self, items: &[Item]) -> Edit {
        let text = flow_list(items);
        match (self.value, self.item.kind()) {
            (Some(value), _) if value.outer_span().start < value.outer_span().end => Edit {
                span: value.outer_span(),
                text,
            },
            (Some(value), _) => {
                let before = Span::new(self.item.span().start, value.span().start);
                let has_colon = self.source().slice(before).ends_with(':');
                let colon = if has_colon { " " } else { ": " };
                Edit {
                    span: value.span(),
                    text: format!("{colon}{text}"),
                }
            }
            (None, Kind::Mapping(children)) => {
                let last = children.iter().last();
                let at = last.map_or(self.item.span().start + 1, |last| last.span().end);
                let comma = if last.is_some() { ", " } else { "" };
                Edit {
                    span: Span::new(at, at),
                    text: format!("{comma}{}: {text}", self.field),
                }
            }
            (None, _) => Edit {
                span: self.item.span(),
                text,
            },
        }
    }

    /// There was no expectation: it comes behind the last field.
    fn missing(&self, items: &[Item], style: &ListStyle) -> Option<Edit> {
        let last = match self.item.kind() {
            Kind::Mapping(children) => children.iter().last()?,
            _ => return None,
        };
        if items.is_empty() {
            return None;
        }
        let column = column(self.source(), self.item.span().start);
        let at = line_end(self.source(), last.span().end);
        let list = self.list_text(items, style, column);
        let line_break = line_break(self.source());
        let indent = " ".repeat(column);
        Some(Edit {
            span: Span::new(at, at),
            text: format!("{line_break}{indent}{}:{list}", self.field),
        })
    }

    /// Behind `exp_alerts:`, from its blank or line break on.
    fn list_text(&self, items: &[Item], style: &ListStyle, key_column: usize) -> String {
        if items.is_empty() || style.flow_list {
            return format!(" {}", flow_list(items));
        }
        let dash_column = key_column + style.indent;
        let line_break = line_break(self.source());
        let mut text = String::new();
        for item in items {
            text.push_str(line_break);
            text.push_str(&item.block(dash_column, style, line_break));
        }
        text
    }

    fn block_edit(
        &self,
        value: Node<'d>,
        items: &[Item],
        style: &ListStyle,
    ) -> Result<Vec<Edit>, Diagnostic> {
        let source = self.source();
        let key_column = column(source, self.item.span().start);
        let is_block_list =
            !value.is_alias() && !value.is_flow() && matches!(value.kind(), Kind::Sequence(_));
        if is_block_list && !items.is_empty() {
            return Ok(vec![self.merge_list(value, items, style)]);
        }
        let key = entry(self.item, self.field).map(|(key, _)| key.span().end);
        let colon = key.and_then(|key| {
            let rest = source.text().get(key..)?;
            Some(key + rest.find(':')? + 1)
        });
        let colon = colon.unwrap_or(value.span().start);
        if is_block_list {
            if value.outer_span() != value.span() {
                return Err(refuse(value, "it has an anchor or a tag"));
            }
            // The list goes with its lines, and `[]` comes behind the colon.
            let start = line_start(source, value.span().start);
            let end = next_line(source, value.span().end);
            let removed = Span::new(start, end);
            let mut edits = vec![Edit {
                span: Span::new(colon, colon),
                text: " []".to_owned(),
            }];
            edits.push(Edit {
                span: removed,
                text: String::new(),
            });
            return Ok(edits);
        }
        let end = value.outer_span().end.max(colon);
        if items.is_empty() || style.flow_list {
            return Ok(vec![Edit {
                span: Span::new(colon, end),
                text: format!(" {}", flow_list(items)),
            }]);
        }
        let line = line_end(source, end);
        let rest = source.slice(Span::new(end, line));
        let comment = match rest.trim() {
            "" => String::new(),
            comment => format!(" {comment}"),
        };
        let list = self.list_text(items, style, key_column);
        Ok(vec![Edit {
            span: Span::new(colon, line),
            text: format!("{comment}{list}"),
        }])
    }

    /// A list in lines becomes another: elements that stay keep their lines and comments.
    fn merge_list(&self, value: Node<'d>, items: &[Item], style: &ListStyle) -> Edit {
        let source = self.source();
        let dash_column = column(source, value.span().start);
        let line_break = line_break(source);
        let start = line_start(source, value.span().start);
        let mut left: Vec<&Item> = items.iter().collect();
        let mut chunks: Vec<String> = Vec::new();
        let mut from = start;
        let mut end = start;
        if let Kind::Sequence(children) = value.kind() {
            for child in children.iter() {
                end = line_end(source, child.span().end);
                let kept = left.iter().position(|item| item.is_written(child));
                if let Some(index) = kept {
                    left.remove(index);
                    chunks.push(source.slice(Span::new(from, end)).to_owned());
                }
                from = next_line(source, end);
            }
        }
        for item in left {
            chunks.push(item.block(dash_column, style, line_break));
        }
        Edit {
            span: Span::new(start, end),
            text: chunks.join(line_break),
        }
    }
}

/// An element of an expectation, as fields with their values.
#[derive(Debug)]
enum Item {
    Alert(ObservedAlert),
    Sample(ObservedSample),
}

fn items(observed: &Observed) -> Vec<Item> {
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

fn flow_list(items: &[Item]) -> String {
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
    fn block(&self, dash_column: usize, style: &ListStyle, line_break: &str) -> String {
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
    fn is_written(&self, node: Node<'_>) -> bool {
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

pub(super) fn column(source: &Source, offset: usize) -> usize {
    offset - line_start(source, offset)
}

fn line_start(source: &Source, offset: usize) -> usize {
    let before = source.text().get(..offset).unwrap_or("");
    before.rfind('\n').map_or(0, |newline| newline + 1)
}

/// The end of a line, before its line break.
fn line_end(source: &Source, offset: usize) -> usize {
    let rest = source.text().get(offset..).unwrap_or("");
    let line = rest.split('\n').next().unwrap_or("");
    offset + line.trim_end_matches('\r').len()
}

fn next_line(source: &Source, offset: usize) -> usize {
    let rest = source.text().get(offset..).unwrap_or("");
    rest.find('\n')
        .map_or(source.text().len(), |newline| offset + newline + 1)
}

fn line_break(source: &Source) -> &'static str {
    match source.text().contains("\r\n") {
        true => "\r\n",
        false => "\n",
    }
}
