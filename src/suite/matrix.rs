//! `matrix`: one item of `tests` that stands for a test of every combination of values.

use std::collections::{BTreeSet, HashMap};

use super::file::{Spanned, TestCase};
use super::read::Reader;
use crate::model::Millis;
use crate::text::yaml::{Field, Kind, Node, Parameters};
use crate::text::{Diagnostic, Span};

/// At most so many tests may one matrix make.
const MAX_TESTS: usize = 10_000;

/// After so many different faults the rest of a matrix is not read.
const MAX_FAULTS: usize = 20;

/// What every name stands for in one test.
type Combination = Vec<(String, String)>;

impl<'d> Reader<'d, '_> {
    /// The tests that an item of `tests` stands for: itself, or one for each combination of its matrix. The value of
    /// the first name changes last.
    pub(super) fn tests_of(
        &mut self,
        node: Node<'d>,
        item: usize,
        evaluation_interval: Millis,
    ) -> Vec<TestCase> {
        // What is wrong with the item itself is noted where the test is read.
        let noted = self.decoder.faults.len();
        let fields = self.fields_of_test(node);
        self.decoder.faults.truncate(noted);
        let matrix = fields.as_ref().and_then(|fields| fields.node("matrix"));
        // With nothing behind the key a test has none, whatever the default.
        let is_none = |matrix: &Node<'d>| matrix.is_null() && self.has_default("matrix");
        let Some(matrix) = matrix.filter(|matrix| !is_none(matrix)) else {
            let test = self.test(node, evaluation_interval);
            return vec![TestCase { item, ..test }];
        };
        let (names, combinations) = self.combinations(matrix);
        if combinations.is_empty() {
            return Vec::new();
        }
        let name = fields.and_then(|fields| fields.node("name"));
        let mut tests = Vec::with_capacity(combinations.len());
        let mut found = Found::default();
        for combination in combinations {
            let mut test = self.one_test(node, evaluation_interval, &combination, &mut found);
            test.item = item;
            test.values = combination;
            tests.push(test);
            if found.faults.list.len() >= MAX_FAULTS {
                break;
            }
        }
        tell_apart(&mut tests, name);
        self.decoder.faults.extend(found.faults.said(tests.len()));
        self.warnings.extend(found.warnings.said(tests.len()));
        for name in names.iter().filter(|it| !found.used.contains(&it.value)) {
            let text = &name.value;
            let message = format!("the parameter {text:?} is not used in this test");
            let help = format!(
                "write `${{{text}}}` where its value belongs, or take it out of the matrix"
            );
            self.warn(name.span, message, help);
        }
        tests
    }

    /// The test of one combination; what is wrong with it goes to what was found.
    fn one_test(
        &mut self,
        node: Node<'d>,
        evaluation_interval: Millis,
        combination: &Combination,
        found: &mut Found,
    ) -> TestCase {
        let pairs = combination.iter();
        let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str()));
        let (faults, warnings) = (self.decoder.faults.len(), self.warnings.len());
        self.decoder.parameters = Some(Parameters::new(pairs));
        let test = self.test(node, evaluation_interval);
        let parameters = self.decoder.parameters.take().unwrap_or_default();
        let names = combination.iter().map(|(name, _)| name);
        let used = names.filter(|name| parameters.is_used(name));
        found.used.extend(used.cloned());
        let mut faults = self.decoder.faults.split_off(faults);
        if !parameters.unknown.is_empty() {
            faults = parameters.unknown;
        }
        found.faults.add(faults, combination);
        let warnings = self.warnings.split_off(warnings);
        found.warnings.add(warnings, combination);
        test
    }

    /// What a matrix makes: of a mapping every combination, of a list what each of its mappings makes.
    fn combinations(&mut self, matrix: Node<'d>) -> (Vec<Spanned<String>>, Vec<Combination>) {
        let noted = self.decoder.faults.len();
        let mut all: Vec<Combination> = Vec::new();
        let mut first: Vec<Spanned<String>> = Vec::new();
        let parts = match matrix.kind() {
            Kind::Sequence(children) => children.iter().collect(),
            _ => vec![matrix],
        };
        if parts.is_empty() {
            self.refuse_empty(matrix);
        }
        for part in parts {
            let axes = self.axes(part);
            if axes.is_empty() {
                continue;
            }
            let names: Vec<Spanned<String>> = axes.iter().map(|axis| axis.name.clone()).collect();
            match first.is_empty() {
                true => first = names,
                false => self.refuse_other_names(part, &names, &first),
            }
            let count = axes
                .iter()
                .map(|axis| axis.values.len())
                .fold(1, usize::saturating_mul);
            if count.saturating_add(all.len()) > MAX_TESTS {
                let message = format!("a matrix may make {MAX_TESTS} tests, this makes more");
                let help = "take out values, or make several tests of this one";
                self.decoder.error(matrix.target().span(), message, help);
                return (first, Vec::new());
            }
            all.extend(product(&axes));
        }
        if self.decoder.faults.len() != noted {
            all.clear();
        }
        (first, all)
    }

    /// Refuses a part of a matrix that has not the names of the first.
    fn refuse_other_names(
        &mut self,
        part: Node<'d>,
        names: &[Spanned<String>],
        first: &[Spanned<String>],
    ) {
        let sorted = |names: &[Spanned<String>]| {
            let mut names: Vec<String> = names.iter().map(|it| it.value.clone()).collect();
            names.sort_unstable();
            names
        };
        let (names, wanted) = (sorted(names), sorted(first));
        if names != wanted {
            let at = first.first().map_or(0, |it| it.span.start);
            let span = part.target().span();
            let line = self.decoder.source().line_seen_from(at, span.start);
            let message = format!("this has {}, not {}", names.join(", "), wanted.join(", "));
            let help = format!("give every mapping of a matrix the names of that in {line}");
            self.decoder.error(span, message, help);
        }
    }

    /// The names of a mapping in the order of the file, with their values.
    fn axes(&mut self, part: Node<'d>) -> Vec<Axis> {
        let noted = self.decoder.faults.len();
        let entries = self.decoder.entries_of(part, "a matrix");
        if entries.is_empty() {
            if self.decoder.faults.len() == noted {
                self.refuse_empty(part);
            }
            return Vec::new();
        }
        let axes = entries.iter().filter_map(|entry| self.axis(entry));
        axes.collect()
    }

    fn refuse_empty(&mut self, matrix: Node<'d>) {
        let help =
            "write names with lists of values: `matrix: {region: [eu, us], code: ['500', '503']}`";
        let message = "a matrix of no values makes no test";
        self.decoder.error(matrix.target().span(), message, help);
    }

    fn axis(&mut self, entry: &Field<'d>) -> Option<Axis> {
        let name = entry.name.to_owned();
        if !Parameters::is_name(&name) {
            let message = format!("{name:?} can't be the name of a parameter");
            let help = "a name has letters without accents, digits and `_`, and does not begin with a digit";
            self.decoder.error(entry.key.span(), message, help);
            return None;
        }
        let nodes = match entry.value.kind() {
            Kind::Sequence(children) => children.iter().collect(),
            _ => vec![entry.value],
        };
        let mut values: Vec<Spanned<String>> = Vec::new();
        for node in nodes {
            let span = node.target().span();
            if node.is_null() {
                let message = format!("a value of `{name}` is nothing");
                self.decoder
                    .error(span, message, "write `''` for an empty text");
                continue;
            }
            let value = self
                .decoder
                .text(node, format_args!("a value of `{name}`"))?;
            if values.iter().any(|other| other.value == value) {
                let message = format!("`{name}` has the value {value:?} twice");
                self.decoder.error(span, message, "remove one of the two");
            }
            values.push(Spanned { value, span });
        }
        if values.is_empty() {
            let message = format!("`{name}` has no value, which makes no test");
            let span = entry.value.target().span();
            self.decoder
                .error(span, message, "list its values: `[eu, us]`");
        }
        let values = values.into_iter().map(|value| value.value).collect();
        let name = Spanned {
            value: name,
            span: entry.key.span(),
        };
        Some(Axis { name, values })
    }
}

/// A name and everything that it stands for, one after another.
struct Axis {
    name: Spanned<String>,
    values: Vec<String>,
}

/// Every combination; the value of the first name changes last.
fn product(axes: &[Axis]) -> Vec<Combination> {
    axes.iter().fold(vec![Vec::new()], |all, axis| {
        let longer = |combination: &Combination| {
            let combination = combination.clone();
            axis.values.iter().map(move |value| {
                let mut longer = combination.clone();
                longer.push((axis.name.value.clone(), value.clone()));
                longer
            })
        };
        all.iter().flat_map(longer).collect()
    })
}

/// Names the tests of a matrix so that they differ: where their name does not see to that, with the values that it
/// does not refer to.
fn tell_apart(tests: &mut [TestCase], name: Option<Node<'_>>) {
    let written = match name.map(Node::kind) {
        Some(Kind::Scalar(scalar)) => &*scalar.text,
        _ => "",
    };
    let refers = |name: &str| Parameters::is_referred_to(name, written);
    let names = tests.iter().filter_map(|test| test.name.as_ref());
    let names: BTreeSet<&str> = names.map(|name| name.value.as_str()).collect();
    let differ = names.len() == tests.len();
    for test in tests {
        if differ && test.values.iter().any(|(name, _)| refers(name)) {
            continue;
        }
        let others = list(test.values.iter().filter(|(name, _)| !refers(name)));
        let name = test.name.get_or_insert(Spanned {
            value: String::new(),
            span: test.span,
        });
        name.value = match (name.value.as_str(), others.as_str()) {
            (name, "") => name.to_owned(),
            ("", others) => others.to_owned(),
            (name, others) => format!("{name} ({others})"),
        };
    }
}

/// `region=eu, code=500`
fn list<'a>(pairs: impl Iterator<Item = &'a (String, String)>) -> String {
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join(", ")
}

/// What is said of the tests of a matrix.
#[derive(Default)]
struct Found {
    faults: Once,
    warnings: Once,
    /// Names that some text refers to.
    used: BTreeSet<String>,
}

/// Diagnostics, each once, with the tests that have it.
#[derive(Default)]
struct Once {
    list: Vec<Said>,
    places: HashMap<(String, Option<Span>), usize>,
}

struct Said {
    diagnostic: Diagnostic,
    /// How many tests have it.
    tests: usize,
    /// What the first of them is told by.
    first: String,
}

impl Once {
    fn add(&mut self, found: Vec<Diagnostic>, combination: &Combination) {
        for diagnostic in found {
            let place = diagnostic.place.as_ref().map(|place| place.span);
            let key = (diagnostic.message.clone(), place);
            match self
                .places
                .get(&key)
                .and_then(|&index| self.list.get_mut(index))
            {
                Some(said) => said.tests += 1,
                None => {
                    self.places.insert(key, self.list.len());
                    self.list.push(Said {
                        diagnostic,
                        tests: 1,
                        first: list(combination.iter()),
                    });
                }
            }
        }
    }

    /// What is true of some of the tests only says of which.
    fn said(self, tests: usize) -> impl Iterator<Item = Diagnostic> {
        self.list.into_iter().map(move |said| {
            match said.tests < tests && said.diagnostic.label.is_empty() {
                true => said.diagnostic.label(format!("with {}", said.first)),
                false => said.diagnostic,
            }
        })
    }
}
