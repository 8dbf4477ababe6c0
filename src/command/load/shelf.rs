//! What test files name, kept for as long as a call lasts, so that many can name the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::importing;
use crate::io;
use crate::io::watch::Stamp;
use crate::promql::Features;
use crate::rules::{self, ReadOptions, RuleFile};
use crate::series;
use crate::suite::file::{Fixture, TestFile};
use crate::suite::recorded::Recording;
use crate::text::{Diagnostic, Source};

/// What test files name: recordings, each read once in a call, and rule files, each parsed once for as long as it holds the
/// same.
#[derive(Debug, Default)]
pub(in crate::command) struct Shelf {
    recordings: Mutex<BTreeMap<PathBuf, Arc<OnceLock<ReadRecording>>>>,
    rules: Mutex<BTreeMap<PathBuf, Arc<Mutex<Option<Parsed>>>>>,
    /// What each test file read, where somebody wants to know.
    inputs: Option<Mutex<BTreeMap<PathBuf, Inputs>>>,
}

/// What a test file was made of.
#[derive(Debug, Clone, Default)]
pub(in crate::command) struct Inputs {
    /// Every file that was read, or should have been, with what it held at most a moment before.
    pub files: BTreeMap<PathBuf, Stamp>,
    /// How rule files are found.
    pub patterns: Vec<Pattern>,
}

/// A pattern of rule files.
#[derive(Debug, Clone)]
pub(in crate::command) struct Pattern {
    folder: PathBuf,
    text: String,
    found: Vec<PathBuf>,
}

impl Inputs {
    pub(super) fn note(&mut self, path: &Path) {
        self.files.insert(path.to_owned(), Stamp::of(path));
    }
}

impl Pattern {
    pub(super) fn new(folder: &Path, text: &str) -> Pattern {
        Pattern {
            folder: folder.to_owned(),
            text: text.to_owned(),
            found: io::glob(folder, text).unwrap_or_default(),
        }
    }

    /// Whether it matches the same files as before.
    pub fn is_same(&self) -> bool {
        io::glob(&self.folder, &self.text).unwrap_or_default() == self.found
    }

    /// Where such files may come and go.
    pub fn folders(&self) -> Vec<PathBuf> {
        io::glob_folders(&self.folder, &self.text)
    }
}

/// A recording, or why there is none.
type ReadRecording = Result<Arc<Recording>, Vec<Diagnostic>>;

/// A rule file as it was parsed last.
#[derive(Debug)]
struct Parsed {
    /// What it held then.
    source: Source,
    options: ReadOptions,
    read: Result<RuleFile, Vec<Diagnostic>>,
}

impl Shelf {
    /// One that keeps what each test file read.
    pub fn watched() -> Shelf {
        Shelf {
            inputs: Some(Mutex::default()),
            ..Shelf::default()
        }
    }

    pub(super) fn is_watched(&self) -> bool {
        self.inputs.is_some()
    }

    pub(super) fn note(&self, path: &Path, inputs: Inputs) {
        if let Some(all) = &self.inputs {
            lock(all).insert(path.to_owned(), inputs);
        }
    }

    /// What a test file read when it was read last.
    pub fn inputs_of(&self, path: &Path) -> Inputs {
        let all = self.inputs.as_ref().map(lock);
        all.and_then(|all| all.get(path).cloned())
            .unwrap_or_default()
    }

    /// Forgets a file that changed.
    pub fn forget(&self, path: &Path) {
        lock(&self.recordings).remove(&io::clean(path));
        lock(&self.rules).remove(path);
    }

    /// A rule file, as it is on the disk now.
    ///
    /// # Errors
    ///
    /// Every fault for which it would not be loaded.
    pub(super) fn rule_file(
        &self,
        path: &Path,
        options: &ReadOptions,
    ) -> Result<RuleFile, Vec<Diagnostic>> {
        let source = io::read(path).map_err(|fault| vec![fault])?;
        let cell = Arc::clone(lock(&self.rules).entry(path.to_owned()).or_default());
        // Who comes meanwhile waits, and finds it parsed.
        let mut last = lock(&cell);
        let is_same =
            |last: &&Parsed| last.source.text() == source.text() && last.options == *options;
        if let Some(parsed) = last.as_ref().filter(is_same) {
            return parsed.read.clone();
        }
        let read = rules::read(&source, options);
        *last = Some(Parsed {
            source,
            options: *options,
            read: read.clone(),
        });
        read
    }

    /// Those of a test file, by the paths of its fixtures. Each that can't be read is a fault where it is named first.
    pub(super) fn of(
        &self,
        file: &TestFile,
        features: &Features,
        faults: &mut Vec<Diagnostic>,
    ) -> BTreeMap<PathBuf, Arc<Recording>> {
        let mut recordings = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for fixture in file.tests.iter().flat_map(|test| &test.fixtures) {
            let path = fixture.path();
            if !seen.insert(path.clone()) {
                continue;
            }
            match self.recording(&path, features) {
                Ok(recording) => drop(recordings.insert(path, recording)),
                Err(found) => {
                    let found = found.into_iter().map(|fault| at_fixture(fault, fixture));
                    faults.extend(found);
                }
            }
        }
        recordings
    }

    fn recording(&self, path: &Path, features: &Features) -> ReadRecording {
        // However it is spelt: whoever comes first, messages name it alike.
        let path = io::clean(path);
        let cell = {
            let mut cells = lock(&self.recordings);
            Arc::clone(cells.entry(path.clone()).or_default())
        };
        let read = cell.get_or_init(|| {
            let source = io::read_series(&path).map_err(|fault| vec![fault])?;
            let series = series::read(&source, importing(features))?;
            let steps = series::steps(&source, &series);
            Ok(Arc::new(Recording { series, steps }))
        });
        read.clone()
    }
}

/// Why a recording can't be read, where the file is named; what is wrong inside has its own place.
fn at_fixture(fault: Diagnostic, fixture: &Fixture) -> Diagnostic {
    match fault.place {
        Some(_) => fault,
        None => {
            let help = match fault.help.as_deref() {
                None | Some("check the path") => "paths are relative to the folder of this file",
                Some(help) => help,
            };
            let help = help.to_owned();
            fault.at(&fixture.source, fixture.file.span).help(help)
        }
    }
}

/// What a panic elsewhere left is whole: it is only ever replaced.
fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_read_once_however_it_is_spelt() {
        let folder = snapbox::dir::DirRoot::mutable_temp().unwrap();
        let path = folder.path().unwrap().join("a.om");
        std::fs::write(&path, "m 1 1\n# EOF\n").unwrap();
        let shelf = Shelf::default();
        let features = Features::default();
        let first = shelf.recording(&path, &features).unwrap();
        assert_eq!(first.series.len(), 1);
        std::fs::remove_file(&path).unwrap();
        let again = folder.path().unwrap().join("b/../a.om");
        assert!(Arc::ptr_eq(
            &first,
            &shelf.recording(&again, &features).unwrap()
        ));
        assert!(Shelf::default().recording(&path, &features).is_err());
    }

    #[test]
    fn a_rule_file_is_parsed_once_while_it_holds_the_same() {
        let folder = snapbox::dir::DirRoot::mutable_temp().unwrap();
        let path = folder.path().unwrap().join("a.yml");
        let write = |query: &str| {
            let rules =
                format!("groups: [{{name: g, rules: [{{record: r, expr: \"{query}\"}}]}}]\n");
            std::fs::write(&path, rules).unwrap();
        };
        let shelf = Shelf::default();
        let options = ReadOptions::default();
        let read = |options| {
            shelf
                .rule_file(&path, options)
                .map(|it| Arc::clone(&it.groups[0].rules))
        };
        write("a");
        let first = read(&options).unwrap();
        write("a");
        assert!(Arc::ptr_eq(&first, &read(&options).unwrap()));
        write("b");
        let second = read(&options).unwrap();
        assert_eq!(second[0].expr_text.text, "b");
        write("max_of(a, a)");
        let faults = read(&options).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert_eq!(read(&options).unwrap_err().len(), 1);
        let with = ReadOptions {
            ignore_unknown_fields: true,
            ..options
        };
        write("b");
        let third = read(&with).unwrap();
        assert!(!Arc::ptr_eq(&second, &third));
        std::fs::remove_file(&path).unwrap();
        assert!(read(&with).is_err());
    }
}
