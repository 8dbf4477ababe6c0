//! The rules of a call, and the same with some knobs moved.

use super::change::{Edit, applied, edits, unwritable};
use super::knob::knobs_with;
use super::{Change, Knob, SpecFiles};
use crate::rules::{self, ReadOptions, RuleFile, RuleGroup};
use crate::text::{Diagnostic, Source};

/// The rule files of a call.
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// They in their order; where there are specifications, behind them one with the rules that those stand for.
    pub files: Vec<RuleFile>,
    /// Specifications of objectives, where some are given.
    pub specs: Option<SpecFiles>,
    /// How they were read.
    pub reading: ReadOptions,
}

/// Rules with some knobs moved.
#[derive(Debug, Clone)]
pub struct Edited {
    /// The rules as they are then.
    pub rules: RuleSet,
    /// The files whose text is another, as it was and as it is.
    pub texts: Vec<(Source, Source)>,
}

impl RuleSet {
    /// The groups of all files in their order.
    pub fn groups(&self) -> Vec<&RuleGroup> {
        self.files.iter().flat_map(|file| &file.groups).collect()
    }

    /// Everything that can move.
    pub fn knobs(&self) -> Vec<Knob> {
        let written = self.written();
        let groups = written.iter().flat_map(|file| &file.groups);
        let specs = self.specs.as_ref();
        let specs = specs.map_or(&[] as &[Source], |specs| specs.sources.as_slice());
        knobs_with(&groups.collect::<Vec<_>>(), specs)
    }

    /// The files that somebody wrote.
    fn written(&self) -> &[RuleFile] {
        let generated = usize::from(self.specs.is_some());
        let written = self.files.len().saturating_sub(generated);
        self.files.get(..written).unwrap_or_default()
    }

    /// The same with the rules that specifications stand for.
    ///
    /// # Errors
    ///
    /// What is wrong with the specifications.
    pub fn with_specs(mut self, specs: SpecFiles) -> Result<RuleSet, Vec<Diagnostic>> {
        self.files.push(specs.rules(&self.reading)?);
        self.specs = Some(specs);
        Ok(self)
    }

    /// The same with some knobs moved: the files are edited and read again, as they would be if the edits were written. What
    /// several rules share by an alias moves for all of them.
    ///
    /// # Errors
    ///
    /// Two values for one text, values that make the rules ones that Prometheus would not load, and a text that is written
    /// in such a way that the number can't be changed and nothing else.
    pub fn changed(&self, changes: &[Change]) -> Result<Edited, Vec<Diagnostic>> {
        self.changed_among(&self.knobs(), changes)
    }

    /// The same for who changes rules many times and has asked for [all knobs](RuleSet::knobs) once.
    ///
    /// # Errors
    ///
    /// The same.
    pub(super) fn changed_among(
        &self,
        knobs: &[Knob],
        changes: &[Change],
    ) -> Result<Edited, Vec<Diagnostic>> {
        let edits = edits(&self.groups(), changes, &self.reading.features)?;
        let edited = self.edited(&edits)?;
        match misread(knobs, &edited.rules, changes) {
            Some(fault) => Err(vec![fault]),
            None => Ok(edited),
        }
    }

    /// The same with some bytes of its files replaced, which are read again.
    ///
    /// # Errors
    ///
    /// Why Prometheus would not load what comes of it.
    pub fn edited(&self, edits: &[Edit]) -> Result<Edited, Vec<Diagnostic>> {
        let (mut files, mut texts) = (Vec::with_capacity(self.files.len()), Vec::new());
        for file in self.written() {
            let is_edited = edits
                .iter()
                .any(|edit: &Edit| edit.file == file.source.name());
            if !is_edited {
                files.push(file.clone());
                continue;
            }
            let source = applied(&file.source, edits);
            let mut read = rules::read(&source, &self.reading)?;
            for (group, before) in read.groups.iter_mut().zip(&file.groups) {
                group.phase = before.phase;
            }
            texts.push((file.source.clone(), source));
            files.push(read);
        }
        let mut rules = RuleSet {
            files,
            specs: None,
            reading: self.reading,
        };
        if let Some(before) = &self.specs {
            let specs = before.edited(edits, &mut texts);
            rules = rules.with_specs(specs)?;
        }
        Ok(Edited { rules, texts })
    }
}

/// The first change for which the edited rules do not say what they should, or say something else, too.
fn misread(before: &[Knob], edited: &RuleSet, changes: &[Change]) -> Option<Diagnostic> {
    let changes: Vec<&Change> = changes.iter().filter(|it| !it.is_nothing()).collect();
    let first = changes.first()?;
    let after = edited.knobs();
    if before.len() != after.len() {
        return Some(unwritable(first));
    }
    let mut pairs = before.iter().zip(&after);
    pairs.find_map(|(old, new)| {
        let mut moved = changes.iter();
        let moved = moved.find(|change| change.knob.is_same_text(old));
        let wanted = moved.map_or(&old.value, |change| &change.value);
        let is_right = old.name == new.name && *wanted == new.value;
        (!is_right).then(|| unwritable(moved.unwrap_or(first)))
    })
}
