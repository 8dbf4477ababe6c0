//! Changes within an element of an expectation: only what differs, the comments and the order kept.

use super::ObservedSample;
use super::edit::{Edit, column, line_break, line_end, line_start, next_line};
use super::item::{Item, Pairs, flow_map, is_value_written, map_lines, sample_labels};
use super::locate::entry;
use super::style::ListStyle;
use crate::text::yaml::{
    self, Kind, Node, Scalar, Style, write_block, write_float, write_like, write_text,
};
use crate::text::{Source, Span};

/// The text of `range`, in which an element stands, with the element changed to what was observed; `None`
/// where it is written in an unusual way.
pub(super) fn change(
    node: Node<'_>,
    item: &Item,
    style: &ListStyle,
    range: Span,
) -> Option<String> {
    let mut element = Element {
        source: node.source(),
        style: *style,
        edits: Vec::new(),
    };
    element.fields(node, item)?;
    let text = apply(node.source(), range, element.edits)?;
    says(&text, node, item).then_some(text)
}

/// A stretch of the file after some edits; `None` where they do not fit together.
pub(super) fn apply(source: &Source, range: Span, mut edits: Vec<Edit>) -> Option<String> {
    edits.sort_by_key(|edit| edit.span.start);
    let mut text = String::new();
    let mut done = range.start;
    for edit in edits {
        if edit.span.start < done || edit.span.end < edit.span.start || edit.span.end > range.end {
            return None;
        }
        text.push_str(source.slice(Span::new(done, edit.span.start)));
        text.push_str(&edit.text);
        done = edit.span.end;
    }
    text.push_str(source.slice(Span::new(done, range.end)));
    Some(text)
}

/// Whether a text, read by itself, is the one element that was observed.
fn says(text: &str, node: Node<'_>, item: &Item) -> bool {
    let alone = match text.trim_start().starts_with(['-', '#']) {
        // A block of text ends with its last line break.
        true => format!("{text}\n"),
        false => format!("[{text}]"),
    };
    let source = Source::new(node.source().name(), alone);
    let Ok(document) = yaml::parse(&source) else {
        return false;
    };
    match document.root().map(Node::kind) {
        Some(Kind::Sequence(children)) => {
            children.len() == 1 && children.iter().all(|child| item.is_written(child))
        }
        _ => false,
    }
}

/// An element on its way from what is written to what was observed.
struct Element<'d> {
    source: &'d Source,
    style: ListStyle,
    edits: Vec<Edit>,
}

impl<'d> Element<'d> {
    fn fields(&mut self, node: Node<'d>, item: &Item) -> Option<()> {
        let entries = entries(node)?;
        let mut gone = Vec::new();
        let mut new: Vec<(&str, Pairs)> = Vec::new();
        for (name, pairs) in item.all_maps() {
            match entry(node, name) {
                None if pairs.is_empty() => {}
                None => new.push((name, pairs)),
                Some((_, map)) if pairs.is_empty() && is_only_ignored(map) => {}
                Some(_) if pairs.is_empty() => gone.push(position(&entries, name)?),
                Some((_, map)) => self.map(map, &pairs)?,
            }
        }
        if let Item::Sample(sample) = item {
            self.sample(node, sample)?;
        }
        gone.sort_unstable();
        self.remove(&entries, &gone, node.is_flow())?;
        self.insert_maps(node, &entries, &new)
    }

    fn sample(&mut self, node: Node<'d>, sample: &ObservedSample) -> Option<()> {
        match entry(node, "labels") {
            None if sample.labels.is_empty() => {}
            written => {
                let (key, labels) = written?;
                if sample_labels(node).as_ref() != Some(&sample.labels) {
                    let text = write_like(
                        &sample.labels.to_string(),
                        plain_node(labels)?,
                        node.around(),
                    );
                    self.value((key, labels), "labels", text)?;
                }
            }
        }
        if is_value_written(sample, node) {
            return Some(());
        }
        let (value, histogram) = (entry(node, "value"), entry(node, "histogram"));
        match &sample.histogram {
            Some(found) => {
                let (key, old) = histogram.or(value)?;
                let text = write_like(&found.test_expression(), plain_node(old)?, node.around());
                self.value((key, old), "histogram", text)
            }
            None if value.is_some() && histogram.is_some() => None,
            None => self.value(value.or(histogram)?, "value", write_float(sample.value)),
        }
    }

    /// A histogram may take the place of a value, and the other way round.
    fn value(&mut self, old: (Node<'d>, Node<'d>), name: &str, text: String) -> Option<()> {
        let (key, value) = old;
        if plain_node(key)?.text != name {
            self.replace(key, name.to_owned())?;
        }
        self.replace(value, text)
    }

    fn replace(&mut self, value: Node<'d>, text: String) -> Option<()> {
        let style = plain_node(value)?.style;
        let span = value.span();
        let is_block = matches!(style, Style::Literal | Style::Folded);
        // Where nothing is written there may not even be a blank.
        if is_block || span.start == span.end {
            return None;
        }
        self.edits.push(Edit { span, text });
        Some(())
    }

    /// Labels or annotations.
    fn map(&mut self, map: Node<'d>, wanted: &[(String, String)]) -> Option<()> {
        let entries = entries(map)?;
        let mut gone = Vec::new();
        let mut left: Vec<&(String, String)> = wanted.iter().collect();
        for (index, (key, value)) in entries.iter().enumerate() {
            let name = plain_node(*key)?;
            let Kind::Scalar(scalar) = value.kind() else {
                return None;
            };
            match left.iter().position(|(wanted, _)| *wanted == name.text) {
                None if name.text == "alertname" => {}
                None => gone.push(index),
                Some(found) => {
                    let (_, text) = left.remove(found);
                    let is_same = *text == scalar.text || (text.is_empty() && scalar.is_null());
                    if !is_same || (scalar.is_null() && !text.is_empty()) {
                        let text = write_like(text, plain_node(*value)?, map.around());
                        self.replace(*value, text)?;
                    }
                }
            }
        }
        self.remove(&entries, &gone, map.is_flow())?;
        self.insert_pairs(map, &entries, &left)
    }

    /// New pairs behind the last one, in quotes where that one has them.
    fn insert_pairs(
        &mut self,
        map: Node<'d>,
        entries: &Entries<'d>,
        pairs: &[&(String, String)],
    ) -> Option<()> {
        let (first, _) = entries.first()?;
        let (_, last) = entries.last()?;
        let Kind::Scalar(neighbour) = last.kind() else {
            return None;
        };
        let line_break = line_break(self.source);
        let indent = " ".repeat(column(self.source, first.span().start));
        let mut text = String::new();
        for (name, value) in pairs {
            let quoted = write_like(value, neighbour, map.around());
            if map.is_flow() {
                text.push_str(&format!(", {}: {quoted}", write_text(name)));
                continue;
            }
            let deeper = format!("{indent}  ");
            let value = write_block(value, &deeper, line_break).unwrap_or(quoted);
            text.push_str(&format!(
                "{line_break}{indent}{}: {value}",
                write_text(name)
            ));
        }
        self.insert(last.span().end, text, map.is_flow());
        Some(())
    }

    /// New maps behind the last field.
    fn insert_maps(
        &mut self,
        node: Node<'d>,
        entries: &Entries<'d>,
        maps: &[(&str, Pairs)],
    ) -> Option<()> {
        let (first, _) = entries.first()?;
        let (_, last) = entries.last()?;
        let line_break = line_break(self.source);
        let column = column(self.source, first.span().start);
        let mut text = String::new();
        for (name, pairs) in maps {
            if node.is_flow() {
                text.push_str(&format!(", {name}: {}", flow_map(pairs)));
                continue;
            }
            if last.is_flow() {
                let indent = " ".repeat(column);
                text.push_str(&format!("{line_break}{indent}{name}: {}", flow_map(pairs)));
                continue;
            }
            for line in map_lines(name, pairs, column, self.style.step, line_break) {
                text.push_str(line_break);
                text.push_str(&line);
            }
        }
        self.insert(last.span().end, text, node.is_flow());
        Some(())
    }

    fn insert(&mut self, behind: usize, text: String, is_flow: bool) {
        let at = match is_flow {
            true => behind,
            false => line_end(self.source, behind),
        };
        if !text.is_empty() {
            self.edits.push(Edit {
                span: Span::new(at, at),
                text,
            });
        }
    }

    /// Takes entries out of a mapping, but never all of them.
    fn remove(&mut self, entries: &Entries<'d>, gone: &[usize], is_flow: bool) -> Option<()> {
        if !gone.is_empty() && gone.len() == entries.len() {
            return None;
        }
        let spans: Vec<Span> = entries
            .iter()
            .map(|(key, value)| Span::new(key.span().start, value.span().end))
            .collect();
        for &index in gone {
            let span = match is_flow {
                true => without_comma(self.source, &spans, gone, index)?,
                false => without_lines(self.source, &spans, index)?,
            };
            self.edits.push(Edit {
                span,
                text: String::new(),
            });
        }
        Some(())
    }
}

/// The lines of an entry with the line break before them.
pub(super) fn without_lines(source: &Source, spans: &[Span], index: usize) -> Option<Span> {
    let span = spans.get(index)?;
    let start = line_start(source, span.start);
    let before = source.slice(Span::new(start, span.start));
    if before.trim_start_matches(' ').is_empty() {
        let earlier = source.text().get(..start)?;
        let earlier = earlier.strip_suffix('\n')?;
        let earlier = earlier.strip_suffix('\r').unwrap_or(earlier);
        return Some(Span::new(earlier.len(), line_end(source, span.end)));
    }
    // Behind a dash: the next one moves up.
    Some(Span::new(span.start, spans.get(index + 1)?.start))
}

/// The place of an element or entry in brackets that goes, with the comma on one side; `gone` is sorted. Where comments
/// stand between the lines of the elements, it goes with its own line only.
pub(super) fn without_comma(
    source: &Source,
    spans: &[Span],
    gone: &[usize],
    index: usize,
) -> Option<Span> {
    let span = spans.get(index)?;
    let is_behind_one_that_stays = gone.partition_point(|&earlier| earlier < index) < index;
    let whole = match is_behind_one_that_stays {
        true => Span::new(spans.get(index.checked_sub(1)?)?.end, span.end),
        false => Span::new(span.start, spans.get(index + 1)?.start),
    };
    Some(match source.slice(whole).contains('#') {
        true => own_line(source, *span).unwrap_or(whole),
        false => whole,
    })
}

/// The line of an element that has it for itself, but for a comma and a comment behind it.
fn own_line(source: &Source, span: Span) -> Option<Span> {
    let (start, end) = (line_start(source, span.start), line_end(source, span.end));
    let before = source.slice(Span::new(start, span.start));
    let behind = source.slice(Span::new(span.end, end)).trim();
    let behind = behind.strip_prefix(',').unwrap_or(behind).trim_start();
    let is_alone = before.trim().is_empty() && (behind.is_empty() || behind.starts_with('#'));
    is_alone.then(|| Span::new(start, next_line(source, end)))
}

type Entries<'d> = Vec<(Node<'d>, Node<'d>)>;

/// The entries of a mapping that is written in a usual way.
fn entries(map: Node<'_>) -> Option<Entries<'_>> {
    let Kind::Mapping(children) = map.kind() else {
        return None;
    };
    let has_braces = map.source().slice(map.span()).starts_with('{');
    if map.is_alias() || map.outer_span() != map.span() || map.is_flow() != has_braces {
        return None;
    }
    let entries: Entries<'_> = children.pairs().collect();
    let is_usual = |(key, _): &(Node<'_>, Node<'_>)| {
        plain_node(*key).is_some_and(|name| name.text != "<<" && !name.is_null())
    };
    entries.iter().all(is_usual).then_some(entries)
}

/// A scalar in one piece, without anchor or tag.
fn plain_node(node: Node<'_>) -> Option<&Scalar<'_>> {
    match node.kind() {
        Kind::Scalar(scalar)
            if !node.is_alias() && node.outer_span() == node.span() && scalar.tag.is_none() =>
        {
            Some(scalar)
        }
        _ => None,
    }
}

fn position(entries: &Entries<'_>, name: &str) -> Option<usize> {
    entries
        .iter()
        .position(|(key, _)| matches!(key.kind(), Kind::Scalar(scalar) if scalar.text == name))
}

/// Whether a map holds nothing, or nothing but the alert's name.
fn is_only_ignored(map: Node<'_>) -> bool {
    match map.kind() {
        Kind::Mapping(children) => children
            .pairs()
            .all(|(key, _)| matches!(key.kind(), Kind::Scalar(name) if name.text == "alertname")),
        _ => map.is_null(),
    }
}
