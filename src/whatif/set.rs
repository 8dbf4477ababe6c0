//! The rules of a call, and the same with some knobs moved.

use super::change::{Edit, applied, edits, unwritable};
use super::{Change, Knob, knobs};
use crate::rules::{self, ReadOptions, RuleFile, RuleGroup};
use crate::text::{Diagnostic, Source};

/// The rule files of a call.
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// They in their order.
    pub files: Vec<RuleFile>,
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
        knobs(&self.groups())
    }

    /// The same with some knobs moved: the files are edited and read again, as they would be if the edits were written. What
    /// several rules share by an alias moves for all of them.
    ///
    /// # Errors
    ///
    /// Two values for one text, values that make the rules ones that Prometheus would not load, and a text that is written
    /// in such a way that the number can't be changed and nothing else.
    pub fn changed(&self, changes: &[Change]) -> Result<Edited, Vec<Diagnostic>> {
        let edits = edits(&self.groups(), changes, &self.reading.features)?;
        let (mut files, mut texts) = (Vec::with_capacity(self.files.len()), Vec::new());
        for file in &self.files {
            let is_edited = edits
                .iter()
                .any(|edit: &Edit| edit.file == file.source.name());
            if !is_edited {
                files.push(file.clone());
                continue;
            }
            let source = applied(&file.source, &edits);
            let mut read = rules::read(&source, &self.reading)?;
            for (group, before) in read.groups.iter_mut().zip(&file.groups) {
                group.phase = before.phase;
            }
            texts.push((file.source.clone(), source));
            files.push(read);
        }
        let rules = RuleSet {
            files,
            reading: self.reading,
        };
        match self.misread(&rules, changes) {
            Some(fault) => Err(vec![fault]),
            None => Ok(Edited { rules, texts }),
        }
    }

    /// The first change for which the edited rules do not say what they should, or say something else, too.
    fn misread(&self, edited: &RuleSet, changes: &[Change]) -> Option<Diagnostic> {
        let changes: Vec<&Change> = changes.iter().filter(|it| !it.is_nothing()).collect();
        let first = changes.first()?;
        let (before, after) = (self.knobs(), edited.knobs());
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
}
