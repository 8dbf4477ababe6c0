//! `include`: finds the files that a test file takes shared series and defaults from, and reads all of them as one text.

use crate::text::yaml::{self, Decoder, Dialect, Document, UnknownFields};
use crate::text::{Diagnostic, Source, Span};

/// At most so many files may a test file include.
const MAX_FILES: usize = 100;

/// How included files are read: a path, and the file that names it.
pub type Load<'l> = dyn FnMut(&Source, &str) -> Result<Source, Diagnostic> + 'l;

/// A test file and those that it includes, each once, every file before those that it includes.
pub(super) struct Files {
    pub sources: Vec<Source>,
    /// Which files each includes.
    pub includes: Vec<Vec<usize>>,
}

/// Files that are being found.
struct Finder<'f, 'l> {
    files: Files,
    /// The file at hand, before it the one that includes it, and so on.
    road: Vec<usize>,
    load: &'f mut Load<'l>,
    faults: Vec<Diagnostic>,
}

/// Finds the files that a test file includes.
///
/// # Errors
///
/// Files that can't be read, include each other, or are included twice by one.
pub(super) fn find(main: &Source, load: &mut Load<'_>) -> Result<Files, Vec<Diagnostic>> {
    let mut finder = Finder {
        files: Files {
            sources: Vec::new(),
            includes: Vec::new(),
        },
        road: Vec::new(),
        load,
        faults: Vec::new(),
    };
    finder.add(main.clone());
    match finder.faults.is_empty() {
        true => Ok(finder.files),
        false => Err(finder.faults),
    }
}

impl Finder<'_, '_> {
    /// Takes a file with those that it includes.
    fn add(&mut self, source: Source) -> usize {
        let index = self.files.sources.len();
        self.files.sources.push(source.clone());
        self.files.includes.push(Vec::new());
        self.road.push(index);
        let mut found: Vec<usize> = Vec::new();
        for (path, span) in self.paths(&source) {
            let Some(file) = self.file(&source, &path, span) else {
                continue;
            };
            if found.contains(&file) {
                let message = format!("{path} is included twice");
                self.refuse(&source, span, message, "remove one of the two");
            }
            found.push(file);
        }
        if let Some(includes) = self.files.includes.get_mut(index) {
            *includes = found;
        }
        self.road.pop();
        index
    }

    /// A file by its path, unless it is none or includes the one at hand.
    fn file(&mut self, from: &Source, path: &str, span: Span) -> Option<usize> {
        let source = match (self.load)(from, path) {
            Ok(source) => source,
            Err(fault) => {
                self.faults.push(match fault.place {
                    Some(_) => fault,
                    None if fault.help.as_deref() == Some("check the path") => fault
                        .at(from, span)
                        .help("paths are relative to the folder of the file that names them"),
                    None => fault.at(from, span),
                });
                return None;
            }
        };
        let name = source.name().to_owned();
        let known = self.files.sources.iter();
        let known = known.into_iter().position(|it| it.name() == name);
        match known {
            Some(file) if self.road.contains(&file) => {
                match self.road.last() == Some(&file) {
                    true => {
                        self.refuse(from, span, format!("{name} includes itself"), "remove it");
                    }
                    false => {
                        let message =
                            format!("{name} includes this file, so it can't be included here");
                        let help = "put what both need into a third file, and include that";
                        self.refuse(from, span, message, help);
                    }
                }
                None
            }
            Some(file) => Some(file),
            None if self.files.sources.len() > MAX_FILES => {
                let message =
                    format!("a test file may include {MAX_FILES} files, this is one more");
                self.refuse(from, span, message, "put several of them together");
                None
            }
            None => Some(self.add(source)),
        }
    }

    /// The paths behind `include`. What else is wrong with the file is told when it is read with all others.
    fn paths(&mut self, source: &Source) -> Vec<(String, Span)> {
        // Letters of a name can be written as escapes too.
        let may = ["include", "\\x", "\\u", "\\U"];
        if !may.iter().any(|word| source.text().contains(word)) {
            return Vec::new();
        }
        let document = match yaml::parse(source) {
            Ok(document) => document,
            Err(fault) => {
                self.faults.push(fault);
                return Vec::new();
            }
        };
        let mut decoder = Decoder::new(source, Dialect::V2);
        let paths = paths(&document, &mut decoder);
        self.faults.extend(decoder.faults);
        paths
    }

    fn refuse(&mut self, source: &Source, span: Span, message: String, help: &str) {
        let fault = Diagnostic::error(message).at(source, span);
        self.faults.push(fault.help(help));
    }
}

fn paths<'d>(document: &'d Document<'d>, decoder: &mut Decoder<'d>) -> Vec<(String, Span)> {
    let known = &["include"];
    let fields = document
        .root()
        .and_then(|root| decoder.fields(root, "a test file", known, UnknownFields::Ignore));
    decoder.faults.clear();
    let Some(list) = fields.and_then(|fields| fields.node("include")) else {
        return Vec::new();
    };
    let mut paths = Vec::new();
    for node in decoder.list(list, "`include`") {
        let span = node.target().span();
        match decoder.text(node, "an element of `include`") {
            Some(path) if path.is_empty() => {
                let help = "write the path of a file, relative to the folder of this one";
                decoder.error(span, "this includes no file", help);
            }
            Some(path) => paths.push((path, span)),
            None => {}
        }
    }
    paths
}
