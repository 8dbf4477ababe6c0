//! Reads the input series of a test.

use std::collections::HashMap;

use rayon::prelude::*;

use super::file::InputSeries;
use super::read::{Reader, diagnose_notation};
use crate::model::Labels;
use crate::series::notation::{self, Item, NotationError};
use crate::text::yaml::{Embedded, Node};
use crate::text::{Diagnostic, Span};

/// The keys of an item of `input_series`.
pub(super) const INPUT_FIELDS: [&str; 2] = ["series", "values"];

/// Bytes of series notation above which they are read on several threads.
const PARALLEL_TEXT: usize = 100_000;

/// An input series as it is written.
struct Written {
    series: Embedded,
    values_text: Option<Embedded>,
    span: Span,
}

/// What its notation says.
struct Parsed {
    labels: Result<Labels, NotationError>,
    values: Result<Vec<Item>, NotationError>,
}

impl<'d> Reader<'d, '_> {
    /// The series as promtool loads them: it writes a line for each and reads the lines up to the
    /// first that is empty.
    pub(super) fn input_series(&mut self, nodes: &[Node<'d>]) -> Vec<InputSeries> {
        let mut list: Vec<InputSeries> = Vec::new();
        let mut by_labels: HashMap<Labels, usize> = HashMap::new();
        let mut cut: Option<Span> = None;
        let (faults, warnings) = (self.decoder.faults.len(), self.warnings.len());
        let all = nodes.iter().map(|&node| self.written(node, &mut cut));
        let all: Vec<Written> = all.collect::<Vec<_>>().into_iter().flatten().collect();
        let length: usize = all.iter().map(Written::length).sum();
        let parsed: Vec<Parsed> = match length < PARALLEL_TEXT {
            true => all.iter().map(Written::parse).collect(),
            false => all.par_iter().map(Written::parse).collect(),
        };
        for (written, parsed) in all.into_iter().zip(parsed) {
            let Some(one) = self.one_series(written, parsed) else {
                continue;
            };
            let again = by_labels.insert(one.labels.clone(), list.len());
            if let Some(before) = again.and_then(|index| list.get(index)) {
                let source = self.decoder.source();
                let line = source.line_seen_from(before.span.start, one.span.start);
                let message = format!("input series {} is given twice", one.labels);
                let help = format!("remove it here or in {line}: only this one counts");
                self.warn(one.series.whole(), message, help);
            }
            list.push(one);
        }
        // They were found in two passes.
        in_order_of_places(self.decoder.faults.get_mut(faults..));
        in_order_of_places(self.warnings.get_mut(warnings..));
        let mut index = 0;
        list.retain(|one| {
            index += 1;
            by_labels.get(&one.labels) == Some(&(index - 1))
        });
        list
    }

    /// A series as it is written, if it is loaded at all.
    fn written(&mut self, node: Node<'d>, cut: &mut Option<Span>) -> Option<Written> {
        let fields = self.fields(node, "an input series", &INPUT_FIELDS);
        let embedded = |this: &mut Self, name: &str| {
            let node = fields.as_ref()?.node(name)?;
            this.decoder.embedded(node, format_args!("`{name}`"))
        };
        let series = embedded(self, "series");
        let values_text = embedded(self, "values");
        if let Some(cause) = *cut {
            let source = self.decoder.source();
            let line = source.line_seen_from(cause.start, node.span().start);
            let message =
                format!("promtool does not load this series: one in {line} ends in an empty line");
            self.warn(node.span(), message, "write `>-` instead of `|` there");
            return None;
        }
        let text =
            |part: &Option<Embedded>| part.as_ref().map_or("", |it| it.text.as_str()).to_owned();
        let written = format!("{} {}", text(&series), text(&values_text));
        match first_line(&written) {
            Lines::One => {}
            Lines::OneThenEmpty => *cut = Some(node.span()),
            Lines::Empty => {
                *cut = Some(node.span());
                return None;
            }
            Lines::Several => {
                let message = "a series stands in one line, this has several";
                let help = "write `>-` instead of `|`, or put it into quotes";
                self.decoder.error(node.span(), message, help);
                return None;
            }
        }
        let Some(series) = series else {
            let message = "an input series without `series`";
            self.decoder.error(
                node.span(),
                message,
                "write its name and labels behind `series:`",
            );
            return None;
        };
        Some(Written {
            series,
            values_text,
            span: node.span(),
        })
    }

    fn one_series(&mut self, written: Written, parsed: Parsed) -> Option<InputSeries> {
        let labels = self.read(&written.series, parsed.labels);
        let values = match &written.values_text {
            Some(text) => self.read(text, parsed.values),
            None => Some(Vec::new()),
        };
        Some(InputSeries {
            series: written.series,
            labels: labels?,
            values: values?,
            values_text: written.values_text,
            span: written.span,
        })
    }

    /// What was read; what is wrong with it is a fault of the file.
    fn read<T>(&mut self, text: &Embedded, result: Result<T, NotationError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                let fault = diagnose_notation(text, &error, "");
                self.decoder.faults.push(fault);
                None
            }
        }
    }
}

fn in_order_of_places(found: Option<&mut [Diagnostic]>) {
    let place = |found: &Diagnostic| found.place.as_ref().map(|place| place.span.start);
    found.unwrap_or_default().sort_by_key(place);
}

impl Written {
    /// Bytes of its text.
    fn length(&self) -> usize {
        let values = self.values_text.as_ref().map_or(0, |text| text.text.len());
        self.series.text.len() + values
    }

    fn parse(&self) -> Parsed {
        let values = self.values_text.as_ref();
        Parsed {
            labels: notation::parse_series(&self.series.text),
            values: values.map_or(Ok(Vec::new()), |text| notation::parse_values(&text.text)),
        }
    }
}

/// What promtool makes of a series and its values, written behind each other.
enum Lines {
    One,
    OneThenEmpty,
    Empty,
    Several,
}

fn first_line(written: &str) -> Lines {
    let mut lines = written.split('\n').map(|line| match line.trim() {
        comment if comment.starts_with('#') => "",
        line => line,
    });
    match (lines.next(), lines.next()) {
        (None | Some(""), _) => Lines::Empty,
        (Some(_), None) => Lines::One,
        (Some(_), Some("")) => Lines::OneThenEmpty,
        (Some(_), Some(_)) => Lines::Several,
    }
}
