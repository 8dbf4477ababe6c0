//! What changes where an item of `expect` is to say what was seen.

use super::edit::{Edit, column, line_break, line_end, line_start, next_line};
use super::element::{without_comma, without_lines};
use super::locate::entry;
use super::moment::{number_like, rewritten};
use crate::model::{Duration, Millis, Timestamp};
use crate::suite::expect::{Change, New, NewItem, NewWindow, What};
use crate::text::yaml::{
    Around, Document, Kind, Node, Scalar, Style, write_block, write_like, write_text,
};
use crate::text::{Source, Span};

/// An item in the file that may be changed.
pub(super) struct Place<'d> {
    pub document: &'d Document<'d>,
    /// The item, or the alias that stands for it.
    pub item: Node<'d>,
    /// The start of its test.
    pub start: Timestamp,
    /// Whether `${name}` in it is a parameter.
    pub has_parameters: bool,
}

/// Why something can't be changed.
pub(super) type Reason = String;

impl<'d> Place<'d> {
    /// What changes in the file.
    pub fn edits(&self, change: &Change) -> Result<Vec<Edit>, Reason> {
        match &change.what {
            What::Windows(windows) => self.windows(change, windows),
            What::Scalar(new) => {
                let node = self.node(change.at)?;
                Ok(vec![self.scalar(node, new, self.around(change.key))?])
            }
            What::Swap(to, new) => self.swap(change.key, to, new),
            What::Remove => self.remove(change.key),
            What::Add(items) => self.add(items),
        }
    }

    fn source(&self) -> &'d Source {
        self.document.source()
    }

    fn node(&self, span: Span) -> Result<Node<'d>, Reason> {
        let node = self.document.node_at(span).map(Node::target);
        node.ok_or_else(|| "it is not in the file any more".to_owned())
    }

    /// Where the values below a key of the item stand.
    fn around(&self, key: &str) -> Around {
        match entry(self.item, key) {
            Some((_, value)) if matches!(value.kind(), Kind::Mapping(_)) => value.target().around(),
            _ => Around::Brackets,
        }
    }

    fn scalar(&self, node: Node<'d>, new: &New, around: Around) -> Result<Edit, Reason> {
        let Kind::Scalar(old) = node.kind() else {
            return Err("it is written in an unusual way".to_owned());
        };
        if self.has_parameters && self.source().slice(node.span()).contains("${") {
            return Err("it is written with a parameter of the matrix".to_owned());
        }
        let text = match new {
            New::Moment(at) => quoted_like(rewritten(&old.text, *at, self.start), old),
            New::Number(value) => quoted_like(number_like(&old.text, *value), old),
            New::Amount(amount) => quoted_like(amount.to_string(), old),
            New::Word(word) => quoted_like((*word).to_owned(), old),
            New::Text(text) => self.text(node, old, text, around)?,
        };
        let slice = self.source().slice(node.span());
        let span = node.span();
        Ok(Edit {
            span: Span::new(span.start, span.start + slice.trim_end().len()),
            text: match slice.is_empty() {
                // Behind a colon there may not even be a blank.
                true => format!(" {text}"),
                false => text,
            },
        })
    }

    fn text(
        &self,
        node: Node<'d>,
        old: &Scalar<'_>,
        text: &str,
        around: Around,
    ) -> Result<String, Reason> {
        if self.has_parameters && text.contains("${") {
            return Err(
                "what was seen has `${` in it, which a matrix would take for a parameter"
                    .to_owned(),
            );
        }
        let is_block = matches!(old.style, Style::Literal | Style::Folded);
        let source = self.source();
        let line = line_start(source, node.span().start);
        let line = source.slice(Span::new(line, node.span().start));
        let indent = line.len() - line.trim_start_matches([' ', '-']).len() + 2;
        let block = write_block(text, &" ".repeat(indent), line_break(source));
        Ok(match block {
            Some(block) if is_block && around == Around::Lines => block,
            _ => write_like(text, old, around),
        })
    }

    fn swap(&self, key: &str, to: &str, new: &New) -> Result<Vec<Edit>, Reason> {
        let (old, value) =
            entry(self.item, key).ok_or_else(|| format!("`{key}` comes from a merge key `<<`"))?;
        let span = Span::new(old.span().start, value.outer_span().end);
        if self.has_parameters && self.source().slice(span).contains("${") {
            return Err("it is written with a parameter of the matrix".to_owned());
        }
        let text = match new {
            New::Word(word) => (*word).to_owned(),
            New::Number(value) => number_like("", *value),
            New::Amount(amount) => amount.to_string(),
            New::Moment(at) => Duration(*at).to_string(),
            New::Text(text) => write_text(text),
        };
        Ok(vec![Edit {
            span,
            text: format!("{to}: {text}"),
        }])
    }

    fn remove(&self, key: &str) -> Result<Vec<Edit>, Reason> {
        let Kind::Mapping(children) = self.item.kind() else {
            return Ok(Vec::new());
        };
        let pairs = children.pairs();
        let spans = pairs.map(|(key, value)| Span::new(key.span().start, value.outer_span().end));
        let spans: Vec<Span> = spans.collect();
        let is_key = |(name, _): (Node<'_>, Node<'_>)| matches!(name.kind(), Kind::Scalar(scalar) if scalar.text == key);
        let Some(index) = children.pairs().position(is_key) else {
            return Ok(Vec::new());
        };
        let span = match self.item.target().is_flow() {
            true => without_comma(self.source(), &spans, &[index], index),
            false => without_lines(self.source(), &spans, index),
        };
        let span = span.ok_or_else(|| format!("`{key}` stands in an unusual place"))?;
        Ok(vec![Edit {
            span,
            text: String::new(),
        }])
    }

    /// Items behind this one.
    fn add(&self, items: &[NewItem]) -> Result<Vec<Edit>, Reason> {
        let list = self.document.parent(self.item);
        let Some(list) = list.filter(|list| matches!(list.kind(), Kind::Sequence(_))) else {
            return Err("it stands in no list of its own".to_owned());
        };
        if self.item.is_alias() || self.item.outer_span() != self.item.span() {
            return Err("it has an anchor, a tag or an alias".to_owned());
        }
        let written: Vec<String> = items.iter().map(item).collect();
        if self.has_parameters && written.iter().any(|text| text.contains("${")) {
            return Err(
                "what was seen has `${` in it, which a matrix would take for a parameter"
                    .to_owned(),
            );
        }
        let source = self.source();
        let (at, text) = match list.is_flow() {
            true => {
                let text = written.iter().map(|text| format!(", {text}"));
                (self.item.span().end, text.collect())
            }
            false => {
                let dash = " ".repeat(column(source, list.span().start));
                let line_break = line_break(source);
                let text = written
                    .iter()
                    .map(|text| format!("{line_break}{dash}- {text}"));
                (line_end(source, self.item.span().end), text.collect())
            }
        };
        Ok(vec![Edit {
            span: Span::new(at, at),
            text,
        }])
    }

    fn windows(&self, change: &Change, windows: &[NewWindow]) -> Result<Vec<Edit>, Reason> {
        let node = self.node(change.at)?;
        let old: Vec<Node<'d>> = match node.kind() {
            Kind::Sequence(children) => children.iter().collect(),
            _ => Vec::new(),
        };
        let slice = self.source().slice(node.span());
        if self.has_parameters && slice.contains("${") && windows.len() != old.len() {
            return Err("it is written with a parameter of the matrix".to_owned());
        }
        match (windows.is_empty(), old.is_empty()) {
            (true, _) => self.never(change.key, node),
            (false, true) => {
                let list = windows.iter().map(|window| self.new_window(window, ""));
                let list: Vec<String> = list.collect();
                Ok(vec![Edit {
                    span: node.span(),
                    text: format!("[{}]", list.join(", ")),
                }])
            }
            (false, false) => self.merge(node, &old, windows),
        }
    }

    /// The windows go.
    fn never(&self, key: &str, node: Node<'d>) -> Result<Vec<Edit>, Reason> {
        let is_block = matches!(node.kind(), Kind::Sequence(_)) && !node.is_flow();
        if !is_block {
            return Ok(vec![Edit {
                span: node.span(),
                text: "never".to_owned(),
            }]);
        }
        let written = entry(self.item, key).filter(|(_, value)| !value.is_alias());
        let Some((key, _)) = written.filter(|_| node.outer_span() == node.span()) else {
            return Err("the list has an anchor, a tag or an alias".to_owned());
        };
        let source = self.source();
        let rest = source.text().get(key.span().end..).unwrap_or("");
        let colon = key.span().end + rest.find(':').unwrap_or(0) + 1;
        let start = line_start(source, node.span().start);
        let end = next_line(source, node.span().end.saturating_sub(1));
        let edit = |span, text: &str| Edit {
            span,
            text: text.to_owned(),
        };
        Ok(vec![
            edit(Span::new(colon, colon), " never"),
            edit(Span::new(start, end), ""),
        ])
    }

    /// A list becomes another: edges that stay keep their texts, and so does everything else.
    fn merge(
        &self,
        node: Node<'d>,
        old: &[Node<'d>],
        windows: &[NewWindow],
    ) -> Result<Vec<Edit>, Reason> {
        let mut windows = windows.to_vec();
        if windows.iter().all(|window| window.old.is_none()) {
            for (place, window) in windows.iter_mut().enumerate().take(old.len()) {
                window.old = Some(place);
            }
        }
        let mut edits = Vec::new();
        let mut model = String::new();
        for window in &windows {
            let Some(element) = window.old.and_then(|place| old.get(place)) else {
                continue;
            };
            for (key, new) in [("from", window.from.map(Some)), ("to", window.to)] {
                let (_, value) =
                    entry(*element, key).ok_or("a window is written in an unusual way")?;
                if let Kind::Scalar(scalar) = value.kind()
                    && model.is_empty()
                    && scalar.text != "end"
                {
                    model = scalar.text.clone().into_owned();
                }
                let new = match new {
                    None => continue,
                    Some(Some(moment)) => New::Moment(moment),
                    Some(None) => New::Word("end"),
                };
                let mut edit = self.scalar(value, &new, element.target().around())?;
                let is_same =
                    edit.text == self.source().slice(value.span()) || self.says(value, &new);
                if value.is_alias() {
                    edit.span = value.span();
                }
                if !is_same {
                    edits.push(edit);
                }
            }
        }
        self.take_out(node, old, &windows, &mut edits)?;
        self.put_in(node, old, &windows, &model, &mut edits);
        Ok(edits)
    }

    /// Whether a moment is what is written, however it is.
    fn says(&self, value: Node<'_>, new: &New) -> bool {
        match (value.kind(), new) {
            (Kind::Scalar(scalar), New::Moment(at)) => {
                Duration::parse(&scalar.text).is_ok_and(|it| it.millis() == *at)
            }
            _ => false,
        }
    }

    /// Windows that are no more.
    fn take_out(
        &self,
        list: Node<'d>,
        old: &[Node<'d>],
        windows: &[NewWindow],
        edits: &mut Vec<Edit>,
    ) -> Result<(), Reason> {
        let source = self.source();
        let is_gone = |place: &usize| windows.iter().all(|window| window.old != Some(*place));
        let gone: Vec<usize> = (0..old.len()).filter(is_gone).collect();
        let spans: Vec<Span> = old.iter().map(|element| element.outer_span()).collect();
        for &place in &gone {
            let span = match (list.is_flow(), spans.get(place)) {
                (true, _) => without_comma(source, &spans, &gone, place),
                (false, Some(span)) => {
                    let start = line_start(source, span.start);
                    Some(Span::new(
                        start,
                        next_line(source, span.end.saturating_sub(1)),
                    ))
                }
                (false, None) => None,
            };
            let span = span.ok_or("a window is written in an unusual way")?;
            edits.push(Edit {
                span,
                text: String::new(),
            });
        }
        Ok(())
    }

    /// Windows that are new, each behind the one before it.
    fn put_in(
        &self,
        list: Node<'d>,
        old: &[Node<'d>],
        windows: &[NewWindow],
        model: &str,
        edits: &mut Vec<Edit>,
    ) {
        let source = self.source();
        let line_break = line_break(source);
        let dash = " ".repeat(column(source, list.span().start));
        let mut before: Option<Node<'d>> = None;
        for (place, window) in windows.iter().enumerate() {
            if let Some(element) = window.old.and_then(|index| old.get(index)) {
                before = Some(*element);
                continue;
            }
            let text = self.new_window(window, model);
            let next = || {
                let mut later = windows.iter().skip(place).filter_map(|it| it.old);
                later.next().and_then(|index| old.get(index)).copied()
            };
            // In lines where its neighbour stands in lines.
            let lines = |text: &str, neighbour: Node<'_>| match neighbour.target().is_flow() {
                true => text.to_owned(),
                false => {
                    let text = text.trim_matches(['{', '}']);
                    text.replacen(", ", &format!("{line_break}{dash}  "), 1)
                }
            };
            let (at, text) = match (list.is_flow(), before) {
                (true, Some(before)) => (before.outer_span().end, format!(", {text}")),
                (true, None) => {
                    let first = next().map_or(list.span().start + 1, |it| it.outer_span().start);
                    (first, format!("{text}, "))
                }
                (false, Some(before)) => {
                    let at = line_end(source, before.span().end);
                    (at, format!("{line_break}{dash}- {}", lines(&text, before)))
                }
                (false, None) => {
                    let (first, text) = match next() {
                        Some(next) => (next.outer_span().start, lines(&text, next)),
                        None => (list.span().start, text),
                    };
                    let at = line_start(source, first);
                    (at, format!("{dash}- {text}{line_break}"))
                }
            };
            edits.push(Edit {
                span: Span::new(at, at),
                text,
            });
        }
    }

    /// A window in braces, its moments written like another one.
    fn new_window(&self, window: &NewWindow, model: &str) -> String {
        let moment = |at: Millis| rewritten(model, at, self.start);
        let from = moment(window.from.unwrap_or(0));
        let to = match window.to {
            Some(Some(to)) => moment(to),
            _ => "end".to_owned(),
        };
        format!("{{from: {from}, to: {to}}}")
    }
}

/// An item in braces.
fn item(new: &NewItem) -> String {
    let mut text = format!("{{alert: {}", write_text(&new.alert));
    if !new.labels.is_empty() {
        let labels = new.labels.iter();
        let labels: Vec<String> = labels
            .map(|(name, value)| format!("{}: {}", write_text(name), write_text(value)))
            .collect();
        text.push_str(&format!(", labels: {{{}}}", labels.join(", ")));
    }
    if let Some(pending) = &new.pending {
        text.push_str(&format!(", pending: {}", list(pending)));
    }
    text.push_str(&format!(", fires: {}}}", list(&new.fires)));
    text
}

fn list(windows: &[(Millis, Option<Millis>)]) -> String {
    if windows.is_empty() {
        return "never".to_owned();
    }
    let window = |(from, to): &(Millis, Option<Millis>)| {
        let to = to.map_or("end".to_owned(), |to| Duration(to).to_string());
        format!("{{from: {}, to: {to}}}", Duration(*from))
    };
    let windows: Vec<String> = windows.iter().map(window).collect();
    format!("[{}]", windows.join(", "))
}

/// A moment, a number or a word in the quotes of another one: without quotes it is read as that too.
fn quoted_like(text: String, model: &Scalar<'_>) -> String {
    match model.style {
        Style::Single => format!("'{text}'"),
        Style::Double => format!("\"{text}\""),
        Style::Plain | Style::Literal | Style::Folded => text,
    }
}
