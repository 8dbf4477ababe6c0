//! Rule files, and the templates in them.

pub mod template;

mod file;
mod foreign;
mod group;
mod keys;
mod unrendered;
mod validate;
mod wrapper;

pub(crate) use file::{decode_duration, diagnose_query};
pub use file::{looks_like_rule_file, read};

use std::sync::Arc;

use crate::model::Millis;
use crate::promql::{Annotations, Features, Query};
use crate::text::yaml::Embedded;
use crate::text::{Diagnostic, Source, Span};
use template::Template;

/// A rule file that Prometheus would load.
#[derive(Debug, Clone)]
pub struct RuleFile {
    /// Its text.
    pub source: Source,
    /// Its groups in the order of the file.
    pub groups: Vec<RuleGroup>,
    /// What Prometheus lets pass and hardly anybody means.
    pub warnings: Vec<Diagnostic>,
    /// What is worth knowing of how the file was read.
    pub notes: Vec<Diagnostic>,
    /// What the rules are wrapped in and whom they are written for, where it is not a plain file for Prometheus:
    /// `PrometheusRule`, `Mimir`; each once, in the order of names.
    pub wrappers: Vec<String>,
}

/// Rules that are evaluated one after the other at the same times.
#[derive(Debug, Clone)]
pub struct RuleGroup {
    /// Its name, unique in its file.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// Time between two evaluations; `None` for the server's default.
    pub interval: Option<Millis>,
    /// How long after the multiples of its interval a server evaluates it: what the file says, or 0 until somebody says
    /// something else.
    pub phase: Millis,
    /// The same where the file says it, which only some programs' files do.
    pub own_phase: Option<Millis>,
    /// How far back its queries look; `None` for the server's default.
    pub query_offset: Option<Millis>,
    /// The most alerts, or series, that a rule may yield; 0 for any number.
    pub limit: usize,
    /// Its rules in the order of the file, shared by all copies of the group.
    pub rules: Arc<[Rule]>,
    /// The file it stands in.
    pub source: Source,
}

/// A recording or alerting rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The recorded metric's or the alert's name.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// What it evaluates.
    pub expr: Query,
    /// The query as it stands in the file.
    pub expr_text: Embedded,
    /// The whole rule in the file.
    pub span: Span,
    /// What it does with the result.
    pub kind: RuleKind,
}

impl Rule {
    /// What is said of its query, at its places in the file.
    pub fn diagnose(&self, annotations: &Annotations) -> Vec<Diagnostic> {
        let found = annotations.iter();
        found.map(|found| found.diagnose(&self.expr_text)).collect()
    }
}

/// What a rule does with the result of its query.
#[derive(Debug, Clone)]
pub enum RuleKind {
    /// It writes series.
    Recording {
        /// Labels to set, the group's overridden by the rule's, in the order of names; an empty value
        /// removes the label.
        labels: Vec<(String, String)>,
    },
    /// It raises alerts.
    Alert(AlertRule),
}

/// The part of a rule that only alerts have.
#[derive(Debug, Clone)]
pub struct AlertRule {
    /// `for`: how long the query must hold before an alert fires.
    pub hold: Millis,
    /// How long an alert goes on firing after its query stopped to hold.
    pub keep_firing_for: Millis,
    /// `for` as it stands in the file, where it does.
    pub hold_text: Option<Box<Embedded>>,
    /// `keep_firing_for` as it stands in the file, where it does.
    pub keep_firing_for_text: Option<Box<Embedded>>,
    /// Labels to set, the group's overridden by the rule's, in the order of names.
    pub labels: Vec<(String, Template)>,
    /// Annotations in the order of names.
    pub annotations: Vec<(String, Template)>,
}

/// How to read rule files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// Pass over fields that Prometheus does not know.
    pub ignore_unknown_fields: bool,
    /// Read only what promtool reads: the first document of a file that is not wrapped in anything, with Prometheus's keys.
    pub promtool_compatible: bool,
    /// The parts of the query language that are on.
    pub features: Features,
}
