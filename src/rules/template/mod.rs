//! The templates in annotations and alert labels: Go's `text/template` as Prometheus uses it.
//!
//! A template is text with actions between `{{` and `}}`. Prometheus puts four declarations before
//! it (`$labels`, `$externalLabels`, `$externalURL` and `$value`); positions in error texts count
//! them, so they are kept here too.

mod advice;
mod ast;
mod builtins;
mod call;
mod execute;
mod float;
mod fmt;
mod functions;
mod humanize;
mod literal;
mod methods;
mod parse;
mod queries;
mod runes;
mod texts;
mod time;
mod tree;
mod uses;
mod value;

use std::cell::Cell;
use std::sync::Arc;

use crate::model::{Histogram, Labels, Timestamp};
use crate::text::yaml::Embedded;
use functions::World;
pub use uses::{Called, TemplateUse, Used};

/// What Prometheus puts before every template; columns in its error texts count it.
pub const PREAMBLE: &str = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}\
                            {{$externalURL := .ExternalURL}}{{$value := .Value}}";

/// A parsed template.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    name: String,
    /// `None` for a text without any action.
    parsed: Option<Arc<Parsed>>,
    /// Where it stands, if in a file.
    place: Option<Arc<Embedded>>,
}

#[derive(Debug)]
struct Parsed {
    /// The preamble and the text.
    whole: String,
    program: ast::Program,
    queries: bool,
}

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// Go's words: `template: __alert_X:1: function "foo" not defined`.
    pub message: String,
    /// Where in the person's text, in bytes.
    pub offset: usize,
    /// What to do about it.
    pub help: String,
}

/// What a template can see.
#[derive(Debug, Clone, Copy)]
pub struct TemplateData<'a> {
    /// `.Labels` and `$labels`: the labels of the sample, with its metric name.
    pub labels: &'a Labels,
    /// `.ExternalLabels` and `$externalLabels`.
    pub external_labels: &'a Labels,
    /// `.ExternalURL` and `$externalURL`.
    pub external_url: &'a str,
    /// `.Value` and `$value`.
    pub value: TemplateValue<'a>,
    /// The time of the evaluation.
    pub now: Timestamp,
}

/// The value of a sample.
#[derive(Debug, Clone, Copy)]
pub enum TemplateValue<'a> {
    /// A number.
    Float(f64),
    /// A native histogram.
    Histogram(&'a Histogram),
}

/// The value of a sample that a query inside a template returned.
#[derive(Debug, Clone)]
pub enum TemplateValueOwned {
    /// A number.
    Float(f64),
    /// A native histogram.
    Histogram(Histogram),
}

/// One sample of a query inside a template.
#[derive(Debug, Clone)]
pub struct QuerySample {
    /// All its labels.
    pub labels: Labels,
    /// Its value.
    pub value: TemplateValueOwned,
}

/// Runs a query at the time of the evaluation; the samples come in the order the engine returns them.
/// An error is Prometheus's text.
pub type QueryFn<'a> = dyn Fn(&str) -> Result<Vec<QuerySample>, String> + 'a;

impl Template {
    /// Reads a template. `name` is Prometheus's: `__alert_` and the name of the alert.
    ///
    /// # Errors
    ///
    /// Bad syntax, a function that does not exist or a variable that was not declared.
    pub fn parse(name: &str, text: &str) -> Result<Template, TemplateError> {
        let parsed = match text.contains("{{") {
            false => None,
            true => {
                let whole = format!("{PREAMBLE}{text}");
                let program = tree::build(name, &whole).map_err(|error| TemplateError {
                    offset: error.offset.saturating_sub(PREAMBLE.len()).min(text.len()),
                    ..error
                })?;
                let queries = program.calls("query");
                Some(Arc::new(Parsed {
                    whole,
                    program,
                    queries,
                }))
            }
        };
        Ok(Template {
            text: text.to_owned(),
            name: name.to_owned(),
            parsed,
            place: None,
        })
    }

    /// The same, at its place in a file.
    pub fn at(mut self, place: Embedded) -> Template {
        self.place = Some(Arc::new(place));
        self
    }

    /// Where it stands, if in a file.
    pub fn place(&self) -> Option<&Embedded> {
        self.place.as_deref()
    }

    /// Where it shows labels and the value of the sample by name, in the order of the text.
    pub fn uses(&self) -> Vec<TemplateUse> {
        match &self.parsed {
            Some(parsed) => uses::uses(&parsed.program, &self.name),
            None => Vec::new(),
        }
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it has no action at all and so renders to itself.
    pub fn is_literal(&self) -> bool {
        self.parsed.is_none()
    }

    /// Whether it calls `query` anywhere: then what it renders depends on more than its labels and value.
    pub fn queries(&self) -> bool {
        self.parsed.as_ref().is_some_and(|parsed| parsed.queries)
    }

    /// Renders it.
    ///
    /// # Errors
    ///
    /// Go's text: `error executing template __alert_X: template: __alert_X:1:115: executing ...`.
    pub fn render(&self, data: &TemplateData, query: &QueryFn) -> Result<String, String> {
        let Some(parsed) = &self.parsed else {
            return Ok(self.text.clone());
        };
        let world = World {
            data,
            query,
            work_left: Cell::new(execute::MAX_WORK),
        };
        let dot = functions::data(data);
        let Parsed { whole, program, .. } = parsed.as_ref();
        match execute::run(program, &self.name, whole, &world, dot) {
            // Bytes that are no UTF-8 can only come from the template itself; no report could show them.
            Ok(bytes) => Ok(String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())),
            Err(error) => Err(format!("error executing template {}: {error}", self.name)),
        }
    }

    /// Renders it; a failure becomes the text that Prometheus shows in its place.
    pub fn render_or_error(&self, data: &TemplateData, query: &QueryFn) -> String {
        match self.render(data, query) {
            Ok(text) => text,
            Err(error) => format!("<error expanding template: {error}>"),
        }
    }
}

/// Renders a text as Go's `text/template` does with a mapping of names to texts for its dot: no preamble, no sample.
///
/// # Errors
///
/// Go's text, for bad syntax and for what goes wrong while it runs.
pub fn render_with(name: &str, text: &str, dot: &Labels) -> Result<String, String> {
    let program = tree::build(name, text).map_err(|error| error.message)?;
    let nothing = Labels::default();
    let data = TemplateData {
        labels: dot,
        external_labels: &nothing,
        external_url: "",
        value: TemplateValue::Float(0.0),
        now: 0,
    };
    let world = World {
        data: &data,
        query: &|_| Err("there is nothing to query".to_owned()),
        work_left: Cell::new(execute::MAX_WORK),
    };
    let dot = value::Value::Labels(dot.clone());
    execute::run(&program, name, text, &world, dot)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
