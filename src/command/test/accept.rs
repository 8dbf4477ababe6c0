//! `rulecheck test --accept`: writes what was observed into test files, once a run in memory has shown that it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::io;
use crate::report::{Accepted, FileReport};
use crate::suite::FileVerdict;
use crate::suite::accept::rewrite;
use crate::suite::file::TestFile;
use crate::text::{Diagnostic, Source};

/// So often is what a run shows accepted before the rest is left: one change can bring another to light.
const MAX_ROUNDS: usize = 4;

/// New texts of files, by their names.
pub(super) type Overlay = BTreeMap<String, Source>;

/// What came of a run, and the file that was run.
pub(super) type Ran = Result<(Arc<TestFile>, FileVerdict), Vec<Diagnostic>>;

/// How accepting is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// The changes are shown, and no file is written.
    pub dry: bool,
    /// Files that several test files include may change: there is but one test file.
    pub included: bool,
}

/// Accepts what failed in a test file; `run` runs it with other texts in place of those on the disk.
pub(super) fn accept(path: &Path, asked: Asked, run: impl Fn(&Overlay) -> Ran) -> FileReport {
    let report = |verdict, accepted| FileReport {
        path: io::display(path),
        accepted,
        verdict,
    };
    let (file, first) = match run(&Overlay::new()) {
        Ok(ran) => ran,
        Err(faults) => return report(Err(faults), Accepted::default()),
    };
    if first.passed() {
        return report(Ok(first), Accepted::default());
    }
    let mut round = Round {
        file,
        verdict: first.clone(),
        texts: Overlay::new(),
        originals: BTreeMap::new(),
        accepted: 0,
        refused: Vec::new(),
        faults: Vec::new(),
    };
    for _ in 0..MAX_ROUNDS {
        match round.next(asked, &run) {
            Ok(true) => {}
            Ok(false) => break,
            Err(faults) => return report(Err(faults), Accepted::default()),
        }
    }
    let changes = round.changes();
    let accepted = Accepted {
        count: round.accepted,
        is_dry: asked.dry,
        changes: changes.clone(),
    };
    if asked.dry {
        return report(Ok(first.with_warnings(round.refused)), accepted);
    }
    for (name, _, after) in &changes {
        let own = (*name == io::display(path)).then(|| path.to_owned());
        let file = own.unwrap_or_else(|| PathBuf::from(name));
        if let Err(fault) = io::replace(&file, after) {
            return report(Err(vec![fault]), Accepted::default());
        }
    }
    match round.faults.is_empty() {
        true => report(Ok(round.verdict.with_warnings(round.refused)), accepted),
        false => report(Err(round.faults), accepted),
    }
}

/// Texts that were accepted so far, and what came of them.
struct Round {
    file: Arc<TestFile>,
    verdict: FileVerdict,
    texts: Overlay,
    originals: BTreeMap<String, Source>,
    accepted: usize,
    refused: Vec<Diagnostic>,
    /// What keeps the accepted texts from being run, though not for what was accepted.
    faults: Vec<Diagnostic>,
}

impl Round {
    /// Accepts once more, if that does any good.
    fn next(
        &mut self,
        asked: Asked,
        run: &impl Fn(&Overlay) -> Ran,
    ) -> Result<bool, Vec<Diagnostic>> {
        let rewritten = rewrite(&self.file, &self.verdict)?;
        self.refused = rewritten.refused;
        let own = self.file.source.name().to_owned();
        let is_foreign = |(source, _): &&(Source, String)| source.name() != own;
        if let (Some((source, _)), false) =
            (rewritten.files.iter().find(is_foreign), asked.included)
        {
            let message = format!(
                "nothing was accepted in {own}: an expectation stands in {}, which others may include too",
                source.name()
            );
            let help = format!("accept for this test file alone: `rulecheck test --accept {own}`");
            self.refused.push(Diagnostic::warning(message).help(help));
            return Ok(false);
        }
        if rewritten.files.is_empty() {
            return Ok(false);
        }
        let mut texts = self.texts.clone();
        for (before, after) in rewritten.files {
            let name = before.name().to_owned();
            texts.insert(name.clone(), Source::new(name.as_str(), after));
            self.originals.entry(name).or_insert(before);
        }
        let told = |message: String, help: &str| Diagnostic::warning(message).help(help);
        let (file, verdict) = match run(&texts) {
            Ok(ran) => ran,
            // They keep it from being run as soon as everything passes, whoever makes it pass.
            Err(faults) if known(&self.verdict, &faults) => {
                self.accepted += rewritten.accepted;
                self.texts = texts;
                self.faults = faults;
                return Ok(false);
            }
            Err(faults) => {
                let message = format!("nothing was accepted in {own}: what was seen makes no test");
                let help = "change the expectation by hand, for the reason below";
                self.refused.push(told(message, help));
                self.refused.extend(faults);
                return Ok(false);
            }
        };
        let broken = broken(&self.verdict, &verdict);
        if !broken.is_empty() {
            let message = format!(
                "nothing was accepted in {own}: {} would fail then",
                broken.join(", ")
            );
            self.refused
                .push(told(message, "change the expectations by hand"));
            return Ok(false);
        }
        self.accepted += rewritten.accepted;
        self.texts = texts;
        self.file = file;
        let is_done = verdict.passed();
        self.verdict = verdict;
        Ok(!is_done)
    }

    /// The files that change: their names, old and new texts.
    fn changes(&self) -> Vec<(String, String, String)> {
        let changes = self.texts.iter().filter_map(|(name, after)| {
            let before = self.originals.get(name)?;
            Some((
                name.clone(),
                before.text().to_owned(),
                after.text().to_owned(),
            ))
        });
        changes
            .filter(|(_, before, after)| before != after)
            .collect()
    }
}

/// Whether all faults were warned of before.
fn known(before: &FileVerdict, faults: &[Diagnostic]) -> bool {
    let warned: BTreeSet<&str> = before
        .warnings
        .iter()
        .map(|it| it.message.as_str())
        .collect();
    faults
        .iter()
        .all(|fault| warned.contains(fault.message.as_str()))
}

/// The tests that pass in one run and fail in the other.
fn broken(before: &FileVerdict, after: &FileVerdict) -> Vec<String> {
    let passed: BTreeSet<usize> = before
        .tests
        .iter()
        .filter(|test| test.failures.is_empty())
        .map(|test| test.case)
        .collect();
    let fails = after.tests.iter();
    let fails = fails.filter(|test| !test.failures.is_empty() && passed.contains(&test.case));
    let name = |case: usize, name: &str| match name.is_empty() {
        true => format!("test {}", case + 1),
        false => format!("test {name:?}"),
    };
    fails.map(|test| name(test.case, &test.name)).collect()
}
