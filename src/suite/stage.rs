//! A test without its rules: what they are replayed over, so that others can be.

use std::sync::Arc;

use super::file::{TestCase, TestFile};
use super::order::groups_in_order;
use super::run::{RunOptions, staged};
use super::vmalert::labelled;
use crate::replay::ReplaySpec;
use crate::rules::{RuleFile, RuleGroup};
use crate::text::Diagnostic;

/// A test without its rules.
#[derive(Debug, Clone)]
pub struct Stage {
    file: Arc<TestFile>,
    index: usize,
    spec: ReplaySpec<'static>,
}

impl Stage {
    /// Lays out each test of a file.
    ///
    /// # Errors
    ///
    /// Series that can't be laid out.
    pub fn of(file: &Arc<TestFile>, options: &RunOptions) -> Result<Vec<Stage>, Vec<Diagnostic>> {
        let tests = file.tests.iter().enumerate();
        let stages = tests.map(|(index, test)| {
            let (spec, _) = staged(file, test, options, None)?;
            let file = Arc::clone(file);
            Ok(Stage { file, index, spec })
        });
        stages.collect()
    }

    /// The test.
    pub fn test(&self) -> Option<&TestCase> {
        self.file.tests.get(self.index)
    }

    /// The test file.
    pub fn file(&self) -> &TestFile {
        &self.file
    }

    /// What is replayed, with no groups yet.
    pub fn spec(&self) -> &ReplaySpec<'static> {
        &self.spec
    }

    /// The groups of rule files as the test evaluates them, in that order.
    pub fn groups(&self, files: &[RuleFile]) -> Vec<RuleGroup> {
        let groups = groups_in_order(&self.file, files);
        let own = self
            .test()
            .and_then(|test| labelled(&self.file, test, &groups));
        own.unwrap_or_else(|| groups.into_iter().cloned().collect())
    }
}
