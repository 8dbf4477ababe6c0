//! Reads `fixtures:`, the recordings that a test replays.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file::Spanned;
use super::read::{Reader, parse_time};
use crate::model::{Labels, Matcher, Millis, Timestamp};
use crate::promql::Query;
use crate::rules::diagnose_query;
use crate::store::Points;
use crate::text::yaml::{Embedded, Field, Fields, Kind, Node};
use crate::text::{Source, Span, closest};

/// The keys of an item of `fixtures`.
pub(super) const FIXTURE_FIELDS: [&str; 6] = ["file", "select", "align", "speed", "nan", "labels"];

/// The keys of `align`, where it is a mapping.
pub(super) const ALIGN_FIELDS: [&str; 2] = ["recorded", "at"];

const ALIGN_HELP: &str = "write `start` (the first sample at the test's start), `none` (as recorded) or a moment of the \
                          recording and of the test: `{recorded: 2026-03-02T09:12:00Z, at: 30m}`";

/// A recording, and what a test takes of it.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// The file in which this is written.
    pub source: Source,
    /// The file with the recording, relative to the one in which this is written.
    pub file: Spanned<String>,
    /// Which series: those that any of these selects; all if there is none.
    pub select: Vec<Selection>,
    /// When.
    pub align: Align,
    /// How many times faster than it was recorded; above 0.
    pub speed: Spanned<f64>,
    /// What NaN means.
    pub nan: Nan,
    /// Labels that all its series get, in place of those that they have; an empty value takes a label away.
    pub labels: Vec<(String, String)>,
    /// The whole item.
    pub span: Span,
    /// The series that it brings into its test, once the recording was read.
    pub series: Arc<Vec<(Labels, Points)>>,
}

/// A series selector.
#[derive(Debug, Clone)]
pub struct Selection {
    /// As written.
    pub text: Embedded,
    /// What a series must meet.
    pub matchers: Vec<Matcher>,
}

/// At what times the samples of a recording stand in a test.
#[derive(Debug, Clone)]
pub enum Align {
    /// The first sample that is selected stands at the test's start.
    Start,
    /// As recorded. Where that was written.
    AsRecorded(Span),
    /// A moment of the recording stands at one of the test.
    Moment {
        /// The moment of the recording.
        recorded: Spanned<Timestamp>,
        /// The moment of the test, after its start.
        at: Millis,
    },
}

/// What NaN in a recording means. Text formats write stale markers as NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nan {
    /// It is a value, and what looks like a stale marker is warned of.
    Assumed,
    /// It is a value.
    Value,
    /// It is a stale marker.
    Stale,
}

impl Fixture {
    /// Where the recording lies.
    pub fn path(&self) -> PathBuf {
        let folder = Path::new(self.source.name_at(self.span.start)).parent();
        folder.unwrap_or(Path::new("")).join(&self.file.value)
    }
}

impl<'d> Reader<'d, '_> {
    /// The fixtures of a test that begins at `start`.
    pub(super) fn fixtures(&mut self, fields: &Fields<'d>, start: Timestamp) -> Vec<Fixture> {
        let nodes = self.list(fields, "fixtures");
        nodes
            .into_iter()
            .filter_map(|node| self.fixture(node, start))
            .collect()
    }

    fn fixture(&mut self, node: Node<'d>, start: Timestamp) -> Option<Fixture> {
        let nameless = |this: &mut Self| {
            let help = "name the recording behind `file:`, relative to this file";
            let message = "a fixture without a `file`";
            this.decoder.error(node.span(), message, help);
        };
        if node.is_null() {
            nameless(self);
        }
        let fields = self.fields(node, "a fixture", &FIXTURE_FIELDS)?;
        let file = match fields.node("file").filter(|node| !node.is_null()) {
            Some(_) => self.text(&fields, "file"),
            None => {
                nameless(self);
                None
            }
        };
        if let Some(file) = file
            .as_ref()
            .filter(|it| matches!(it.value.as_str(), "" | "-"))
        {
            let help = "name the recording, relative to this file";
            self.decoder.error(file.span, "this names no file", help);
        }
        let align = self.align(&fields, start);
        let speed = self.speed(&fields, node);
        let (select, nan) = (self.select(&fields), self.nan(&fields));
        let labels = fields.get("labels");
        let labels = labels.map(|field| self.fixture_labels(field));
        Some(Fixture {
            source: self.decoder.source().clone(),
            file: file?,
            select: select?,
            align: align?,
            speed: speed?,
            nan: nan?,
            labels: labels.unwrap_or_default(),
            span: node.span(),
            series: Arc::default(),
        })
    }

    fn select(&mut self, fields: &Fields<'d>) -> Option<Vec<Selection>> {
        let Some(node) = fields.node("select").filter(|node| !node.is_null()) else {
            return Some(Vec::new());
        };
        let nodes = match node.kind() {
            Kind::Sequence(children) => children.iter().collect(),
            _ => vec![node],
        };
        if nodes.is_empty() {
            let help = "write selectors such as `'{job=\"api\"}'`, or leave `select` out to take all series";
            self.decoder
                .error(node.span(), "an empty list selects no series", help);
        }
        let selected = nodes.into_iter().map(|node| self.selection(node));
        selected.collect::<Vec<_>>().into_iter().collect()
    }

    fn selection(&mut self, node: Node<'d>) -> Option<Selection> {
        let text = self.decoder.embedded(node, "`select`")?;
        match Query::parse_selector(&text.text, &self.options.features) {
            Ok(matchers) => Some(Selection { text, matchers }),
            Err(errors) => {
                let faults = errors
                    .iter()
                    .map(|error| diagnose_query(&text, error, "`select`: "));
                self.decoder.faults.extend(faults);
                None
            }
        }
    }

    fn align(&mut self, fields: &Fields<'d>, start: Timestamp) -> Option<Align> {
        let Some(node) = fields.node("align").filter(|node| !node.is_null()) else {
            return Some(Align::Start);
        };
        match node.kind() {
            Kind::Scalar(_) => {}
            Kind::Mapping(_) => return self.aligned_moment(node, start),
            _ => {
                let message = format!(
                    "`align` must be a word or a mapping, this is {}",
                    node.describe()
                );
                self.decoder
                    .error(node.target().span(), message, ALIGN_HELP);
                return None;
            }
        }
        let (text, span) = (self.decoder.text(node, "`align`")?, node.target().span());
        match text.as_str() {
            "start" => Some(Align::Start),
            "none" => Some(Align::AsRecorded(span)),
            other => {
                let help = match closest(other, &["start", "none"]) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => ALIGN_HELP.to_owned(),
                };
                let message = format!("there is no alignment {other:?}");
                self.decoder.error(span, message, help);
                None
            }
        }
    }

    /// `{recorded: TIME, at: MOMENT}`
    fn aligned_moment(&mut self, node: Node<'d>, start: Timestamp) -> Option<Align> {
        let fields = self.fields(node, "`align`", &ALIGN_FIELDS)?;
        let recorded = self.text(&fields, "recorded");
        if fields.node("recorded").is_none() {
            let message = "`align` does not say which moment of the recording is meant";
            self.decoder.error(node.span(), message, ALIGN_HELP);
        }
        let recorded = recorded.and_then(|text| match parse_time(&text.value) {
            Some(value) => Some(Spanned {
                value,
                span: text.span,
            }),
            None => {
                let message = format!("cannot parse {:?} to a valid timestamp", text.value);
                let help = "write a time of the recording such as 2026-03-02T09:12:00Z, or seconds since 1970";
                self.decoder.error(text.span, message, help);
                None
            }
        });
        let at = match fields.node("at").filter(|node| !node.is_null()) {
            Some(node) => self.moment_of_test(node, start, "`at`")?.value,
            None => 0,
        };
        Some(Align::Moment {
            recorded: recorded?,
            at,
        })
    }

    fn speed(&mut self, fields: &Fields<'d>, fixture: Node<'d>) -> Option<Spanned<f64>> {
        let Some(node) = fields.node("speed").filter(|node| !node.is_null()) else {
            let span = fixture.span();
            return Some(Spanned { value: 1.0, span });
        };
        let (value, span) = (self.decoder.float(node, "`speed`")?, node.target().span());
        if value > 0.0 && value.is_finite() {
            return Some(Spanned { value, span });
        }
        let help = "write `2` for twice as fast as recorded, `0.5` for half as fast";
        let message = format!("a speed must be above 0, this is {value}");
        self.decoder.error(span, message, help);
        None
    }

    fn nan(&mut self, fields: &Fields<'d>) -> Option<Nan> {
        let Some(node) = fields.node("nan").filter(|node| !node.is_null()) else {
            return Some(Nan::Assumed);
        };
        match self.decoder.text(node, "`nan`")?.as_str() {
            "value" => Some(Nan::Value),
            "stale" => Some(Nan::Stale),
            other => {
                let message = format!("NaN can't mean {other:?}");
                let help = "write `value` (it is a number like others) or `stale` (the series ended there)";
                self.decoder.error(node.target().span(), message, help);
                None
            }
        }
    }

    fn fixture_labels(&mut self, field: &Field<'d>) -> Vec<(String, String)> {
        let pairs = self.pairs(field, "`labels`");
        if pairs.iter().any(|(name, _)| name.is_empty()) {
            let help = "write labels as `name: value`";
            self.decoder
                .error(field.value.span(), "a label without a name", help);
        }
        pairs
    }
}
