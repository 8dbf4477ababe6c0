//! Which bytes of the file become what.

use std::collections::BTreeSet;

use super::Replacement;
use super::element;
use super::item::{Item, flow_list, items};
use super::locate::{Target, entry, refuse};
use super::pairing::pair;
use super::style::{ListStyle, find_style};
use crate::text::yaml::{self, Kind, Node};
use crate::text::{Diagnostic, Source, Span};

/// One stretch of the file and what to put there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub span: Span,
    pub text: String,
}

impl Edit {
    pub fn overlaps(&self, other: &Edit) -> bool {
        self.span.start <= other.span.end && other.span.start <= self.span.end
    }
}

impl<'d> Target<'d> {
    pub fn edit(&self, replacement: &Replacement) -> Result<Vec<Edit>, Diagnostic> {
        let style = find_style(self.root, self.list_key, self.list, self.field, self.value);
        let items = items(&replacement.observed);
        if self.item.is_flow() {
            return Ok(vec![self.flow_edit(&items, &style)]);
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
    fn flow_edit(&self, items: &[Item], style: &ListStyle) -> Edit {
        if let Some(edit) = self.flow_list_edit(items, style) {
            return edit;
        }
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

    /// The expectation is a list in brackets: only what differs changes.
    fn flow_list_edit(&self, items: &[Item], style: &ListStyle) -> Option<Edit> {
        let list = self.value?;
        if items.is_empty()
            || list.is_alias()
            || !list.is_flow()
            || list.outer_span() != list.span()
        {
            return None;
        }
        Some(Edit {
            span: list.span(),
            text: merge_flow_list(list, items, style)?,
        })
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
        if let Some(edit) = self.flow_list_edit(items, style) {
            return Ok(vec![edit]);
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

    /// A list in lines becomes another: elements keep their lines and comments, but for what differs.
    fn merge_list(&self, value: Node<'d>, items: &[Item], style: &ListStyle) -> Edit {
        let source = self.source();
        let dash_column = column(source, value.span().start);
        let line_break = line_break(source);
        let start = line_start(source, value.span().start);
        let written = elements(value);
        let partners = pair(&written, items);
        let mut chunks: Vec<String> = Vec::new();
        let mut from = start;
        let mut end = start;
        for (child, partner) in written.iter().zip(&partners) {
            end = line_end(source, child.span().end);
            let range = Span::new(from, end);
            from = next_line(source, end);
            let Some(item) = partner.and_then(|index| items.get(index)) else {
                continue;
            };
            if item.is_written(*child) {
                chunks.push(source.slice(range).to_owned());
                continue;
            }
            let changed = element::change(*child, item, style, range);
            chunks.push(changed.unwrap_or_else(|| {
                let comments = source.slice(leading_comments(source, range));
                comments.to_owned() + &item.block(dash_column, style, line_break)
            }));
        }
        for item in unpaired(&partners, items) {
            chunks.push(item.block(dash_column, style, line_break));
        }
        Edit {
            span: Span::new(start, end),
            text: chunks.join(line_break),
        }
    }
}

/// A list in brackets becomes another in the same way; in full where it is written in an unusual way.
fn merge_flow_list(list: Node<'_>, items: &[Item], style: &ListStyle) -> Option<String> {
    let written = elements(list);
    let spans: Vec<Span> = written.iter().map(|child| child.outer_span()).collect();
    let last = *spans.last()?;
    let partners = pair(&written, items);
    let mut edits = Vec::new();
    let no_partner = |index: &usize| partners.get(*index) == Some(&None);
    let gone: Vec<usize> = (0..written.len()).filter(no_partner).collect();
    for (index, (child, partner)) in written.iter().zip(&partners).enumerate() {
        let own = *spans.get(index)?;
        match partner.and_then(|index| items.get(index)) {
            None => edits.push(Edit {
                span: element::without_comma(list.source(), &spans, &gone, index)?,
                text: String::new(),
            }),
            Some(item) if item.is_written(*child) => {}
            Some(item) => {
                let changed = element::change(*child, item, style, own);
                edits.push(Edit {
                    span: own,
                    text: changed.unwrap_or_else(|| item.flow()),
                });
            }
        }
    }
    let new = unpaired(&partners, items).map(|item| format!(", {}", item.flow()));
    edits.push(Edit {
        span: Span::new(last.end, last.end),
        text: new.collect(),
    });
    let text = element::apply(list.source(), list.span(), edits)?;
    says_all(&text, list.source().name(), items).then_some(text)
}

/// Whether a list, read by itself, holds what was observed and nothing else.
fn says_all(text: &str, name: &str, items: &[Item]) -> bool {
    let source = Source::new(name, text);
    let Ok(document) = yaml::parse(&source) else {
        return false;
    };
    let written = document.root().map(elements).unwrap_or_default();
    let partners = pair(&written, items);
    let is_same = |(node, partner): (&Node<'_>, &Option<usize>)| {
        let item = partner.and_then(|index| items.get(index));
        item.is_some_and(|item| item.is_written(*node))
    };
    written.len() == items.len() && written.iter().zip(&partners).all(is_same)
}

fn elements(list: Node<'_>) -> Vec<Node<'_>> {
    match list.kind() {
        Kind::Sequence(children) => children.iter().collect(),
        _ => Vec::new(),
    }
}

/// What was observed and not written in any way.
fn unpaired<'a>(
    partners: &'a [Option<usize>],
    items: &'a [Item],
) -> impl Iterator<Item = &'a Item> {
    let paired: BTreeSet<usize> = partners.iter().flatten().copied().collect();
    let new = items.iter().enumerate();
    new.filter(move |(index, _)| !paired.contains(index))
        .map(|(_, item)| item)
}

/// The lines before the dash of an element.
fn leading_comments(source: &Source, range: Span) -> Span {
    let mut end = range.start;
    for line in source.slice(range).split_inclusive('\n') {
        if line.trim_start().starts_with('-') {
            break;
        }
        end += line.len();
    }
    Span::new(range.start, end)
}

pub(super) fn column(source: &Source, offset: usize) -> usize {
    offset - line_start(source, offset)
}

pub(super) fn line_start(source: &Source, offset: usize) -> usize {
    let before = source.text().get(..offset).unwrap_or("");
    before.rfind('\n').map_or(0, |newline| newline + 1)
}

/// The end of a line, before its line break.
pub(super) fn line_end(source: &Source, offset: usize) -> usize {
    let rest = source.text().get(offset..).unwrap_or("");
    let line = rest.split('\n').next().unwrap_or("");
    offset + line.trim_end_matches('\r').len()
}

pub(super) fn next_line(source: &Source, offset: usize) -> usize {
    let rest = source.text().get(offset..).unwrap_or("");
    rest.find('\n')
        .map_or(source.text().len(), |newline| offset + newline + 1)
}

pub(super) fn line_break(source: &Source) -> &'static str {
    match source.text().contains("\r\n") {
        true => "\r\n",
        false => "\n",
    }
}
