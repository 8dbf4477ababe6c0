//! The rules that lints look at, and what can be said at their places.

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

use super::lore;
use crate::model::{Duration, Matcher, Millis, metric_of};
use crate::promql::ast::Expr;
use crate::promql::{Known, LabelValue, known};
use crate::replay::DependencyFinding;
use crate::rules::template::Template;
use crate::rules::{AlertRule, Rule, RuleFile, RuleGroup, RuleKind};
use crate::text::{Diagnostic, Place, Span};

/// Rules that are looked at together: those of the files of one folder.
#[derive(Debug)]
pub struct Rules<'r> {
    files: Vec<&'r RuleFile>,
    /// The recording rules, by the names they record.
    recorded: HashMap<&'r str, Vec<&'r Rule>>,
    /// The time between two samples of a series, where somebody said it.
    scrape: Option<Millis>,
    /// The same by file, where a comment at its head says it, or what it says there in vain.
    scrapes: HashMap<&'r str, Result<Millis, Span>>,
    /// What is odd in what the rules read of each other, once somebody asked.
    pub(super) reads: OnceLock<Vec<DependencyFinding>>,
}

/// A rule among those that are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'r> {
    pub rule: &'r Rule,
    pub group: &'r RuleGroup,
    pub rules: &'r Rules<'r>,
}

/// How many recorded series lie one upon the other at most while labels are asked for.
const MAX_DEPTH: usize = 8;

impl<'r> Rules<'r> {
    /// Rules by the folders of their files, in the order of the files. `scrape` is the time between two samples of a series,
    /// if that is known.
    pub fn by_folder(files: &'r [RuleFile], scrape: Option<Millis>) -> Vec<Rules<'r>> {
        let mut folders: Vec<(&Path, Vec<&RuleFile>)> = Vec::new();
        for file in files {
            let folder = Path::new(file.source.name()).parent();
            let folder = folder.unwrap_or(Path::new(""));
            match folders.iter_mut().find(|(known, _)| *known == folder) {
                Some((_, files)) => files.push(file),
                None => folders.push((folder, vec![file])),
            }
        }
        let rules = folders.into_iter();
        rules.map(|(_, files)| Rules::new(files, scrape)).collect()
    }

    /// Rules that are looked at together, wherever their files are.
    pub fn new(files: Vec<&'r RuleFile>, scrape: Option<Millis>) -> Rules<'r> {
        let mut recorded: HashMap<&str, Vec<&Rule>> = HashMap::new();
        let groups = files.iter().flat_map(|file| &file.groups);
        for rule in groups.flat_map(|group| group.rules.iter()) {
            if matches!(rule.kind, RuleKind::Recording { .. }) {
                recorded.entry(&rule.name).or_default().push(rule);
            }
        }
        let files_with_scrape = files
            .iter()
            .filter_map(|file| Some((file.source.name(), stated_scrape(file.source.text())?)))
            .collect();
        Rules {
            files,
            recorded,
            scrape,
            scrapes: files_with_scrape,
            reads: OnceLock::new(),
        }
    }

    /// The files, in order.
    pub(super) fn files(&self) -> impl Iterator<Item = &'r RuleFile> {
        self.files.iter().copied()
    }

    /// The groups of all files.
    pub(super) fn groups(&self) -> impl Iterator<Item = &'r RuleGroup> {
        self.files().flat_map(|file| &file.groups)
    }

    /// The rules of all files.
    pub(super) fn subjects(&self) -> impl Iterator<Item = Subject<'_>> {
        self.groups().flat_map(move |group| {
            group.rules.iter().map(move |rule| Subject {
                rule,
                group,
                rules: self,
            })
        })
    }

    /// Queries that read what the rules of all files record.
    pub(super) fn subjects_of<'s>(
        &'s self,
        files: &'s [RuleFile],
    ) -> impl Iterator<Item = Subject<'s>> {
        let groups = files.iter().flat_map(|file| &file.groups);
        groups.flat_map(move |group| {
            group.rules.iter().map(move |rule| Subject {
                rule,
                group,
                rules: self,
            })
        })
    }

    /// The alerts of all files.
    pub(super) fn alerts(&self) -> impl Iterator<Item = (Subject<'_>, &AlertRule)> {
        self.subjects()
            .filter_map(|subject| Some((subject, subject.alert()?)))
    }

    /// The rules that record a name.
    pub(super) fn recording(&self, name: &str) -> &[&'r Rule] {
        self.recorded.get(name).map_or(&[], Vec::as_slice)
    }

    /// The number of a file among all.
    pub(super) fn number(&self, file: &str) -> usize {
        let mut files = self.files.iter();
        files
            .position(|known| known.source.name() == file)
            .unwrap_or(usize::MAX)
    }

    /// What the readers of the files said under a name.
    pub(super) fn said_by_reader(&self, name: &str) -> Vec<Diagnostic> {
        let said = self.files.iter().flat_map(|file| &file.warnings);
        said.filter(|said| said.lint == Some(name))
            .cloned()
            .collect()
    }

    /// What is certain of a label of what an expression yields.
    pub(super) fn known(&self, expr: &Expr, label: &str) -> Option<Known> {
        known(expr, label, &|matchers, label| {
            self.lore(matchers, label, 0)
        })
    }

    /// What is known of a label of selected series: from the rules that record them, or from the exporter.
    pub(super) fn lore(
        &self,
        matchers: &[Matcher],
        label: &str,
        depth: usize,
    ) -> Option<LabelValue> {
        let name = metric_of(matchers)?;
        // Without a colon there may be such a metric beside.
        if !name.contains(':') {
            return lore::of_exporter(name, label);
        }
        let (first, others) = self.recording(name).split_first()?;
        let first = self.recorded_label(first, label, depth)?;
        let LabelValue::Is(value) = &first else {
            return Some(first).filter(|_| others.is_empty());
        };
        let is_same = |rule: &&Rule| {
            let other = self.recorded_label(rule, label, depth);
            matches!(other, Some(LabelValue::Is(other)) if other == *value)
        };
        others.iter().all(is_same).then_some(first)
    }

    fn recorded_label(&self, rule: &Rule, label: &str, depth: usize) -> Option<LabelValue> {
        if let RuleKind::Recording { labels } = &rule.kind
            && let Some((_, value)) = labels.iter().find(|(name, _)| name == label)
        {
            return Some(LabelValue::Is(value.clone()));
        }
        if depth >= MAX_DEPTH {
            return None;
        }
        let lore = |matchers: &[Matcher], label: &str| self.lore(matchers, label, depth + 1);
        known(&rule.expr.expr, label, &lore).map(|known| known.value)
    }
}

/// What a comment says of the time between two samples of the series that a file's rules read.
const SCRAPE: &str = "# rulecheck: scrape-interval(";

fn stated_scrape(text: &str) -> Option<Result<Millis, Span>> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let is_head = line.trim_start().starts_with('#') || ["", "---"].contains(&line.trim());
        if !is_head {
            return None;
        }
        if let Some((before, rest)) = line.split_once(SCRAPE) {
            let said = rest.split(')').next().unwrap_or_default();
            let start = at + before.len() + SCRAPE.len();
            let length = Duration::parse(said).ok().map(Duration::millis);
            let length = length.filter(|length| *length > 0);
            return Some(length.ok_or(Span::new(start, start + said.len())));
        }
        at += line.len();
    }
    None
}

impl<'r> Subject<'r> {
    /// Its query.
    pub fn expr(&self) -> &'r Expr {
        &self.rule.expr.expr
    }

    /// What only alerts have, if it is one.
    pub fn alert(&self) -> Option<&'r AlertRule> {
        match &self.rule.kind {
            RuleKind::Alert(alert) => Some(alert),
            RuleKind::Recording { .. } => None,
        }
    }

    /// The templates of its labels and annotations.
    pub fn templates(&self) -> impl Iterator<Item = &'r Template> {
        let alert = self.alert();
        let texts = alert.map(|alert| alert.labels.iter().chain(&alert.annotations));
        texts.into_iter().flatten().map(|(_, template)| template)
    }

    /// The time between two samples, where somebody said it; `Err` is where somebody said what is none.
    pub fn scrape(&self) -> Option<Result<Millis, Span>> {
        let stated = || self.rules.scrapes.get(self.group.source.name()).copied();
        self.rules.scrape.map(Ok).or_else(stated)
    }

    /// A part of its query on one line.
    pub fn written(&self, part: Span) -> String {
        self.rule.expr.written(part)
    }

    /// Where a part of its query stands.
    pub fn place(&self, part: Span) -> Place {
        let text = &self.rule.expr_text;
        Place::new(text.source(), text.span(part))
    }

    /// A warning at a part of its query.
    pub fn warn(&self, part: Span, message: impl Into<String>) -> Diagnostic {
        let text = &self.rule.expr_text;
        Diagnostic::warning(message).at(text.source(), text.span(part))
    }

    /// A warning at its name.
    pub fn warn_name(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(message).at(&self.group.source, self.rule.name_span)
    }

    /// A warning at a part of one of its templates.
    pub fn warn_in(
        &self,
        template: &Template,
        part: Span,
        message: impl Into<String>,
    ) -> Diagnostic {
        match template.place() {
            Some(place) => Diagnostic::warning(message).at(place.source(), place.span(part)),
            None => self.warn_name(message),
        }
    }
}
