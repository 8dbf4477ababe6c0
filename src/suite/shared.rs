//! What the tests of a file share: `defaults:`, and `series:` that they name behind `use:`.

use super::file::TestFile;
use super::read::{Reader, test_fields};
use crate::text::yaml::{Document, Field, Fields, Node, first_reference};
use crate::text::{Diagnostic, Span, closest};

/// The keys of an included file.
pub(super) const INCLUDED_FIELDS: [&str; 3] = ["include", "defaults", "series"];

/// The keys of shared series: the lists of a test that say which series it has.
pub(super) const SERIES_FIELDS: [&str; 3] = ["input_series", "generate", "fixtures"];

/// What is shared, in the order of files.
#[derive(Default)]
pub(super) struct Shared<'d> {
    defaults: Vec<Default<'d>>,
    series: Vec<Series<'d>>,
}

/// A key that tests have unless they say otherwise.
struct Default<'d> {
    field: Field<'d>,
    /// Whether it stands in the test file itself.
    is_own: bool,
    is_taken: bool,
}

/// Series with a name.
struct Series<'d> {
    name: &'d str,
    key: Span,
    fields: Fields<'d>,
    /// Whether they stand in the test file itself.
    is_own: bool,
    is_used: bool,
}

impl<'d> Reader<'d, '_> {
    /// Reads what the tests share, in the test file and those it includes. `own` is what the test file holds,
    /// `includes` says which files each includes.
    pub(super) fn shared(
        &mut self,
        document: &'d Document<'d>,
        own: &Fields<'d>,
        includes: &[Vec<usize>],
    ) {
        let mut defaults = Vec::with_capacity(includes.len());
        for (index, root) in document.roots().enumerate() {
            let fields = match index {
                0 => Some(own.clone()),
                _ => self.included(root, self.decoder.source().start(index)),
            };
            let fields = fields.unwrap_or_else(|| Fields::none(Span::default()));
            defaults.push(self.defaults(&fields));
            self.series(&fields, index == 0);
        }
        let all = self.with_included(0, &defaults, includes, &mut vec![None; defaults.len()]);
        let is_own = |field: &Field<'d>| {
            let mut own = defaults.first().into_iter().flatten();
            own.any(|it| it.key.span() == field.key.span())
        };
        let all = all.into_iter().map(|field| Default {
            is_own: is_own(&field),
            is_taken: false,
            field,
        });
        self.shared.defaults = all.collect();
    }

    /// What an included file holds, whose text begins at an offset.
    fn included(&mut self, root: Option<Node<'d>>, start: usize) -> Option<Fields<'d>> {
        let noted = self.decoder.faults.len();
        let fields = root.and_then(|root| self.fields(root, "an included file", &INCLUDED_FIELDS));
        let is_empty = fields.as_ref().is_none_or(|it| it.iter().next().is_none());
        if is_empty && self.decoder.faults.len() == noted {
            let message = "this file is included, and holds neither series nor defaults";
            let help = "add some under `series:` or `defaults:`, or take it out of `include`";
            self.decoder.error(Span::new(start, start), message, help);
        }
        fields
    }

    /// Whether tests have a key that they do not say themselves.
    pub(super) fn has_default(&self, name: &str) -> bool {
        let mut defaults = self.shared.defaults.iter();
        defaults.any(|default| default.field.name == name)
    }

    /// The defaults that a file holds itself.
    fn defaults(&mut self, fields: &Fields<'d>) -> Vec<Field<'d>> {
        let Some(node) = fields.node("defaults") else {
            return Vec::new();
        };
        let Some(fields) = self.fields(node, "`defaults`", &test_fields()) else {
            return Vec::new();
        };
        if let Some(name) = fields.get("name") {
            let message = "tests can't share a name";
            let help = "take it out of `defaults`, and name every test";
            self.decoder.error(name.key.span(), message, help);
        }
        fields.iter().cloned().collect()
    }

    /// The defaults of a file with those that it includes: its own come first. `done` holds those of files that were
    /// asked for before.
    fn with_included(
        &mut self,
        file: usize,
        own: &[Vec<Field<'d>>],
        includes: &[Vec<usize>],
        done: &mut Vec<Option<Vec<Field<'d>>>>,
    ) -> Vec<Field<'d>> {
        if let Some(Some(done)) = done.get(file) {
            return done.clone();
        }
        let mut all = own.get(file).cloned().unwrap_or_default();
        let mine = all.len();
        for &include in includes.get(file).into_iter().flatten() {
            for field in self.with_included(include, own, includes, done) {
                match all.iter().position(|it| it.name == field.name) {
                    None => all.push(field),
                    Some(index) if index < mine => {}
                    Some(index) => {
                        let other = all.get(index).map(|it| it.key.span());
                        self.refuse_other_default(&field, other.unwrap_or_default());
                    }
                }
            }
        }
        if let Some(done) = done.get_mut(file) {
            *done = Some(all.clone());
        }
        all
    }

    /// Two included files have a default for the same key, unless it is one file that both roads lead to.
    fn refuse_other_default(&mut self, field: &Field<'d>, other: Span) {
        let span = field.key.span();
        if span == other {
            return;
        }
        let line = self
            .decoder
            .source()
            .line_seen_from(other.start, span.start);
        let message = format!("`{}` has another default in {line}", field.name);
        let help = "take one out, or give the file that includes both a default of its own";
        self.decoder.error(span, message, help);
    }

    /// The shared series of a file.
    fn series(&mut self, fields: &Fields<'d>, is_own: bool) {
        let Some(node) = fields.node("series") else {
            return;
        };
        for entry in self.decoder.entries_of(node, "`series`") {
            let (name, key) = (entry.name, entry.key.span());
            let what = format!("the shared series {name:?}");
            let noted = self.decoder.faults.len();
            let fields = self.fields(entry.value, &what, &SERIES_FIELDS);
            let is_empty = fields.as_ref().is_none_or(|it| it.iter().next().is_none());
            if is_empty && self.decoder.faults.len() == noted {
                let message = format!("{what} hold none");
                let help = format!("list them under {}", SERIES_FIELDS.join(" or "));
                self.decoder.error(key, message, help);
            }
            if let Some(before) = self.shared.series.iter().find(|it| it.name == name) {
                let source = self.decoder.source();
                let line = source.line_seen_from(before.key.start, key.start);
                let message = format!("there are shared series {name:?} in {line} too");
                self.decoder
                    .error(key, message, "give one of the two another name");
            }
            self.shared.series.push(Series {
                name,
                key,
                fields: fields.unwrap_or_else(|| Fields::none(key)),
                is_own,
                is_used: false,
            });
        }
    }

    /// The fields of a test, with the defaults that it takes and the series that it uses.
    pub(super) fn fields_of_test(&mut self, node: Node<'d>) -> Option<Fields<'d>> {
        let fields = self.fields(node, "a test", &test_fields());
        let mut fields = match fields {
            Some(fields) => fields,
            None if node.is_null() && !self.shared.defaults.is_empty() => Fields::none(node.span()),
            None => return None,
        };
        for default in &mut self.shared.defaults {
            default.is_taken |= fields.add_default(&default.field);
        }
        let mut used: Vec<String> = Vec::new();
        for name in self.list(&fields, "use") {
            let span = name.target().span();
            let Some(text) = self.decoder.text(name, "an element of `use`") else {
                continue;
            };
            if used.contains(&text) {
                let message = format!("the series {text:?} are used twice");
                self.decoder.error(span, message, "remove one of the two");
                continue;
            }
            self.use_series(&text, span, &mut fields);
            used.push(text);
        }
        Some(fields)
    }

    /// Gives a test the series of a name.
    fn use_series(&mut self, name: &str, span: Span, fields: &mut Fields<'d>) {
        let mut series = self.shared.series.iter_mut();
        let Some(series) = series.find(|it| it.name == name) else {
            let known: Vec<&str> = self.shared.series.iter().map(|it| it.name).collect();
            let help = match (closest(name, &known), known.as_slice()) {
                (Some(meant), _) => format!("did you mean {meant:?}?"),
                (None, []) => "define them under `series:`, here or in an included file".to_owned(),
                (None, known) => format!("there are {}", known.join(", ")),
            };
            let message = format!("there are no shared series {name:?}");
            self.decoder.error(span, message, help);
            return;
        };
        series.is_used = true;
        for list in SERIES_FIELDS {
            let Some(node) = series.fields.node(list) else {
                continue;
            };
            fields.add_list(list, node);
            if self.decoder.parameters.is_none()
                && let Some((parameter, place)) = first_reference(node)
            {
                let source = self.decoder.source();
                let line = source.line_seen_from(span.start, place.start);
                let message = format!(
                    "`${{{parameter}}}` stands for nothing: the test that uses this in {line} has no matrix"
                );
                let help = format!("give that test a `matrix` with {parameter}");
                let fault = Diagnostic::error(message).at(source, place).help(help);
                self.decoder.faults.push(fault);
            }
        }
    }

    /// Warns of what a test file shares with none of its tests. Included files are for other test files too.
    pub(super) fn warn_of_idle(&mut self, file: &TestFile) {
        if file.tests.is_empty() {
            return;
        }
        let shared = std::mem::take(&mut self.shared);
        for series in shared.series.iter().filter(|it| it.is_own && !it.is_used) {
            let message = format!("no test uses the series {:?}", series.name);
            let help = format!("write `use: [{}]` in a test, or remove them", series.name);
            self.warn(series.key, message, help);
        }
        for default in shared
            .defaults
            .iter()
            .filter(|it| it.is_own && !it.is_taken)
        {
            let name = default.field.name;
            let message = format!("no test takes this default: each has its own `{name}`");
            self.warn(default.field.key.span(), message, "remove it");
        }
    }
}
