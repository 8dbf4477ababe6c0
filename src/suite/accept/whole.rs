//! Everything that failed in a test file, accepted as far as the tests that share a text agree.

use std::collections::BTreeMap;

use super::edit::Edit;
use super::expected::Place;
use super::{Replacement, check_edits};
use crate::suite::expect::Change;
use crate::suite::file::TestFile;
use crate::suite::verdict::{Cause, FileVerdict};
use crate::text::yaml::{self, Document};
use crate::text::{Diagnostic, Source, Span};

/// Files with what was observed written into them.
#[derive(Debug, Clone, Default)]
pub struct Rewritten {
    /// Each file that changes, and its new text; the test file comes first.
    pub files: Vec<(Source, String)>,
    /// How many expectations were changed.
    pub accepted: usize,
    /// What was not changed, and why.
    pub refused: Vec<Diagnostic>,
}

/// What is to be written for one text, by each test that has it.
#[derive(Default)]
struct Wish<'v> {
    /// The item of each.
    items: Vec<(usize, usize)>,
    changes: Vec<&'v Change>,
}

/// Changes the expectations that failed to what was observed, in the test file and the files that it includes.
///
/// # Errors
///
/// A file that is no YAML any more.
pub fn rewrite(file: &TestFile, verdict: &FileVerdict) -> Result<Rewritten, Vec<Diagnostic>> {
    let document = yaml::parse_joined(&file.source)?;
    let replacements = agreed(file, verdict);
    let (mut edits, mut refused) = check_edits(&document, &replacements);
    let mut accepted = replacements.len() - refused.len();
    let mut wishes: BTreeMap<(Span, &str), Wish<'_>> = BTreeMap::new();
    for test in &verdict.tests {
        for failure in &test.failures {
            let Cause::Unmet(unmet) = &failure.cause else {
                continue;
            };
            for reason in &unmet.amendment.kept {
                refused.push(not_changed(&file.source, failure.place.span, reason));
            }
            for change in &unmet.amendment.changes {
                let wish = wishes.entry((change.at, change.key)).or_default();
                wish.items.push((test.case, failure.check));
                wish.changes.push(change);
            }
        }
    }
    let mut changed: Vec<Span> = Vec::new();
    for ((at, _), wish) in &wishes {
        match wish.edits(file, &document, *at) {
            Ok((found, item)) => {
                let is_free = found
                    .iter()
                    .all(|edit| edits.iter().all(|other| !crosses(edit, other)));
                if !is_free {
                    refused.push(not_changed(
                        &file.source,
                        item,
                        "another change is made there",
                    ));
                    continue;
                }
                if !found.is_empty() && !changed.contains(&item) {
                    changed.push(item);
                }
                edits.extend(found);
            }
            Err((item, reason)) => refused.push(not_changed(&file.source, item, &reason)),
        }
    }
    accepted += changed.len();
    Ok(Rewritten {
        files: spliced(&file.source, edits),
        accepted,
        refused: crate::text::distinct(refused),
    })
}

/// Whether two edits want the same bytes; one may begin where the other ends.
fn crosses(edit: &Edit, other: &Edit) -> bool {
    edit.span.start < other.span.end && other.span.start < edit.span.end
}

fn not_changed(source: &Source, span: Span, reason: &str) -> Diagnostic {
    let line = source.slice(span).lines().next().unwrap_or("");
    let span = Span::new(span.start, span.start + line.trim_end().len());
    Diagnostic::warning(format!("this expectation was not changed: {reason}")).at(source, span)
}

impl Wish<'_> {
    /// The edits that all tests agree upon, and the item that they change; or why there are none.
    fn edits(
        &self,
        file: &TestFile,
        document: &Document<'_>,
        at: Span,
    ) -> Result<(Vec<Edit>, Span), (Span, String)> {
        let mut all: Vec<Vec<Edit>> = Vec::with_capacity(self.items.len());
        let mut place = Span::default();
        for ((case, index), change) in self.items.iter().zip(&self.changes) {
            let Some(test) = file.tests.get(*case) else {
                continue;
            };
            let Some(expectation) = test.expectations.get(*index) else {
                continue;
            };
            place = expectation.span;
            let missing = || (place, "it is not in the file any more".to_owned());
            let item = document.node_at(expectation.span).ok_or_else(missing)?;
            let target = Place {
                document,
                item,
                start: test.start,
                has_parameters: !test.values.is_empty(),
            };
            all.push(target.edits(change).map_err(|reason| (place, reason))?);
        }
        let readers = file.tests.iter().flat_map(|test| &test.expectations);
        let readers = readers.filter(|it| it.spans().contains(&at)).count();
        let Some(first) = all.pop() else {
            return Err((place, "it is not in the file any more".to_owned()));
        };
        if all.iter().any(|other| *other != first) {
            return Err((
                place,
                format!("the {readers} tests that share it see different things"),
            ));
        }
        match readers.saturating_sub(self.items.len()) {
            0 => Ok((first, place)),
            others => Err((
                place,
                format!(
                    "{readers} tests share it, and {others} of them are content with it or were not run"
                ),
            )),
        }
    }
}

/// What failed of promtool's checks; what tests of a matrix share is marked where they do not all see the same.
fn agreed(file: &TestFile, verdict: &FileVerdict) -> Vec<Replacement> {
    let mut agreed: Vec<(Replacement, usize)> = Vec::new();
    for replacement in verdict.replacements() {
        let is_same = |(other, _): &&mut (Replacement, usize)| {
            other.test == replacement.test && other.check == replacement.check
        };
        match agreed.iter_mut().find(is_same) {
            Some((other, count)) => {
                *count += 1;
                other.is_shared |= other.observed != replacement.observed;
            }
            None => agreed.push((replacement, 1)),
        }
    }
    let tests_of = |item: usize| file.tests.iter().filter(|test| test.item == item).count();
    let agreed = agreed.into_iter().map(|(mut replacement, count)| {
        replacement.is_shared |= tests_of(replacement.test) != count;
        replacement
    });
    agreed.collect()
}

/// The parts of a text that change, changed.
fn spliced(source: &Source, mut edits: Vec<Edit>) -> Vec<(Source, String)> {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut files = Vec::new();
    for (base, part) in source.parts() {
        let end = base + part.text().len();
        let inside = edits
            .iter()
            .filter(|edit| base <= edit.span.start && edit.span.start <= end);
        let mut text = String::with_capacity(part.text().len());
        let mut done = 0;
        for edit in inside {
            let span = Span::new(
                edit.span.start - base,
                (edit.span.end - base).min(part.text().len()),
            );
            text.push_str(part.slice(Span::new(done, span.start)));
            text.push_str(&edit.text);
            done = span.end;
        }
        text.push_str(part.slice(Span::new(done, part.text().len())));
        if text != part.text() {
            files.push((part.clone(), text));
        }
    }
    files
}
