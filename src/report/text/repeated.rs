//! What is said of a file that many test files read: drawn once.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use crate::report::count;
use crate::text::{Diagnostic, Severity};

/// The text of a test file.
#[derive(Debug, Default)]
pub struct FileText {
    text: String,
    foreign: Vec<Foreign>,
}

/// What is drawn of another file.
#[derive(Debug)]
struct Foreign {
    range: Range<usize>,
    /// The other file.
    file: String,
    /// What is said, and where.
    said: String,
    is_fault: bool,
}

impl FileText {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Draws what is to be said of a file, or in it of another.
    pub(super) fn draw(&mut self, file: &str, said: &Diagnostic, coloured: bool) {
        let start = self.text.len();
        self.text.push_str(&said.render(coloured));
        let other = said.place.as_ref().map(|place| place.source.name());
        if let Some(other) = other.filter(|other| *other != file) {
            self.foreign.push(Foreign {
                range: start..self.text.len(),
                file: other.to_owned(),
                said: said.to_string(),
                is_fault: said.severity == Severity::Error,
            });
        }
    }
}

/// What the texts of a run have said so far of files that many test files read.
#[derive(Debug, Default)]
pub struct Drawn {
    said: HashSet<String>,
}

impl Drawn {
    /// The text of the next file without what was drawn before; faults are counted, so that none is missed.
    pub fn next(&mut self, file: FileText) -> String {
        let mut out = String::with_capacity(file.text.len());
        let mut from = 0;
        let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
        for foreign in file.foreign {
            if self.said.insert(foreign.said) {
                continue;
            }
            let before = file.text.get(from..foreign.range.start);
            out.push_str(before.unwrap_or_default());
            from = foreign.range.end;
            if foreign.is_fault {
                *left_out.entry(foreign.file).or_default() += 1;
            }
        }
        out.push_str(file.text.get(from..).unwrap_or_default());
        for (name, number) in left_out {
            let faults = count(number, "fault");
            out.push_str(&format!("  {faults} in {name}, drawn above\n"));
        }
        out
    }
}
