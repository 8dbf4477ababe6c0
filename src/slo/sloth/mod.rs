//! Sloth's `prometheus/v1` specifications, in files and in Kubernetes objects, and the rules that Sloth makes of them.
//!
//! Follows Sloth 0.16: the keys and checks of its specification, its names, labels, expressions and numbers.

mod lints;
mod objectives;
mod plugins;
mod query;
mod read;
mod rules;
mod windows;

use std::collections::BTreeMap;

use super::generated::Object;
use crate::text::{Source, Span};

pub use lints::lint;
pub use plugins::Plugin;
pub use query::QueryTemplate;
pub use rules::{Fault, Options, generate};
pub use windows::{AlertWindow, Catalogue, Windows};

pub(super) use read::{read_file, read_object};
pub(super) use windows::read_document as read_windows;

/// The release whose rules are made; the label `sloth_version` says so.
pub const VERSION: &str = "v0.16.0";

/// A specification: the objectives of a service.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Where it stands.
    pub source: Source,
    /// What the Kubernetes object is called that it is, if it is one.
    pub object: Option<Object>,
    /// Its objectives in the order of the file.
    pub slos: Vec<Slo>,
}

/// An objective.
#[derive(Debug, Clone)]
pub struct Slo {
    /// `<service>-<name>`, unique in a file.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// The service.
    pub service: String,
    /// What it is about; empty for nothing.
    pub description: String,
    /// Per cent, above 0 and at most 100.
    pub objective: f64,
    /// The same as it was written.
    pub objective_text: String,
    /// Where it stands.
    pub objective_span: Span,
    /// Labels of its series, those of the service included.
    pub labels: BTreeMap<String, String>,
    /// What is measured.
    pub sli: Sli,
    /// The alert that pages; `None` where it is disabled.
    pub page: Option<Alert>,
    /// The alert that opens a ticket; `None` where it is disabled.
    pub ticket: Option<Alert>,
    /// Plugins, in the order of the file.
    pub plugins: Vec<Plugin>,
    /// Whether the plugins replace Sloth's own.
    pub overrides: bool,
}

/// What is measured.
#[derive(Debug, Clone)]
pub enum Sli {
    /// Bad events over all.
    Events {
        /// How many are bad.
        error: QueryTemplate,
        /// How many there are.
        total: QueryTemplate,
    },
    /// The share of bad events.
    Raw(QueryTemplate),
}

/// How an alert is called.
#[derive(Debug, Clone)]
pub struct Alert {
    /// Its name; that of a page and of a ticket is the same.
    pub name: String,
    /// Labels beyond the severity.
    pub labels: BTreeMap<String, String>,
    /// Annotations that override Sloth's.
    pub annotations: BTreeMap<String, String>,
}

impl Slo {
    /// The queries in the order of their keys.
    pub fn templates(&self) -> Vec<&QueryTemplate> {
        match &self.sli {
            Sli::Events { error, total } => vec![error, total],
            Sli::Raw(ratio) => vec![ratio],
        }
    }

    /// The labels that tell it from others.
    fn identity(&self) -> BTreeMap<String, String> {
        let labels = [
            ("sloth_id", &self.id),
            ("sloth_service", &self.service),
            ("sloth_slo", &self.name),
        ];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.clone()));
        BTreeMap::from(labels)
    }
}
