//! What can move in specifications of service level objectives, and the rules that they stand for then.

use super::KnobKind;
use super::change::{Edit, applied};
use crate::rules::{self, ReadOptions, RuleFile};
use crate::slo::generated;
use crate::slo::read::{DEFAULT_PERIOD, read_all};
use crate::slo::{pyrra, sloth};
use crate::text::yaml::{self, Embedded, Kind, Node};
use crate::text::{Diagnostic, Place, Source, Span};

/// The specifications of a call. Their rules are those that `rulecheck slo generate` makes of them unless told otherwise.
#[derive(Debug, Clone, Default)]
pub struct SpecFiles {
    /// Their texts in their order.
    pub sources: Vec<Source>,
}

/// The name under which the rules of specifications are told of.
const GENERATED: &str = "<rules of the objectives>";

impl SpecFiles {
    /// The rules that they stand for.
    pub(super) fn rules(&self, reading: &ReadOptions) -> Result<RuleFile, Vec<Diagnostic>> {
        let of_sloth = sloth::Options {
            period: DEFAULT_PERIOD,
            catalogue: sloth::Catalogue::default(),
            extra_labels: std::collections::BTreeMap::new(),
            no_recordings: false,
            no_alerts: false,
            version: sloth::VERSION.to_owned(),
        };
        let of_pyrra = pyrra::Options::default();
        let (mut bundles, mut faults) = (Vec::new(), Vec::new());
        for read in read_all(&self.sources, &reading.features) {
            let specs = match read {
                Ok(specs) => specs.specs,
                Err(found) => {
                    faults.extend(found);
                    continue;
                }
            };
            for spec in specs {
                match spec.rules(&of_sloth, &of_pyrra) {
                    Ok(made) => bundles.extend(made),
                    Err(found) => faults.extend(found),
                }
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let text = generated::write(&bundles, "Made of objectives.");
        rules::read(&Source::new(GENERATED, text), reading)
    }

    /// The same with edits; the files whose text is another are added to `texts`.
    pub(super) fn edited(&self, edits: &[Edit], texts: &mut Vec<(Source, Source)>) -> SpecFiles {
        let edited = |source: &Source| {
            if !edits.iter().any(|edit| edit.file == source.name()) {
                return source.clone();
            }
            let after = applied(source, edits);
            texts.push((source.clone(), after.clone()));
            after
        };
        SpecFiles {
            sources: self.sources.iter().map(edited).collect(),
        }
    }
}

/// Something in a specification that can move.
#[derive(Debug)]
pub(super) struct Setting {
    /// The name of its specification.
    pub name: String,
    /// Where that begins: settings of one owner are those of one specification.
    pub owner: usize,
    pub kind: KnobKind,
    pub value: String,
    pub place: Place,
}

/// What can move in the specifications of a text. Those that make no sense hold nothing.
pub(super) fn settings(source: &Source) -> Vec<Setting> {
    let Ok(documents) = yaml::parse_all(source) else {
        return Vec::new();
    };
    let mut finder = Finder {
        source,
        found: Vec::new(),
    };
    for root in documents.iter().filter_map(yaml::Document::root) {
        finder.document(root);
    }
    finder.found
}

struct Finder<'s> {
    source: &'s Source,
    found: Vec<Setting>,
}

impl Finder<'_> {
    /// Lists under `slos:` are Sloth's and rulecheck's own; objects are Sloth's, Pyrra's and OpenSLO's.
    fn document(&mut self, root: Node<'_>) {
        let spec = child(root, "spec").unwrap_or(root);
        if let Some(items) = child(root, "items") {
            each(items, |item| self.document(item));
            return;
        }
        if let Some(slos) = child(spec, "slos") {
            each(slos, |slo| {
                let name = child(slo, "name").and_then(word).unwrap_or_default();
                self.take(slo, &name, slo, "objective", KnobKind::Objective);
                self.take(slo, &name, slo, "window", KnobKind::Period);
            });
            return;
        }
        let name = child(root, "metadata").and_then(|metadata| child(metadata, "name"));
        let name = name.and_then(word).unwrap_or_default();
        self.take(root, &name, spec, "target", KnobKind::Objective);
        self.take(root, &name, spec, "window", KnobKind::Period);
        if let Some(objectives) = child(spec, "objectives") {
            each(objectives, |objective| {
                self.take(root, &name, objective, "target", KnobKind::Objective);
                self.take(root, &name, objective, "targetPercent", KnobKind::Objective);
            });
        }
        if let Some(windows) = child(spec, "timeWindow") {
            each(windows, |window| {
                self.take(root, &name, window, "duration", KnobKind::Period);
            });
        }
        if let Some(condition) = child(spec, "condition") {
            self.take(root, &name, condition, "threshold", KnobKind::Factor);
            self.take(root, &name, condition, "lookbackWindow", KnobKind::Window);
        }
    }

    /// Notes the value of a key, if it is a text or a number.
    fn take(&mut self, owner: Node<'_>, name: &str, node: Node<'_>, key: &str, kind: KnobKind) {
        let Some((value, text)) = child(node, key).and_then(|node| Some((node, word(node)?)))
        else {
            return;
        };
        if text.is_empty() {
            return;
        }
        let embedded = Embedded::new(value, text.clone());
        let span = embedded.span(Span::new(0, text.len()));
        self.found.push(Setting {
            name: name.to_owned(),
            owner: owner.span().start,
            kind,
            value: text,
            place: Place::new(self.source, span),
        });
    }
}

fn each<'d>(list: Node<'d>, mut take: impl FnMut(Node<'d>)) {
    if let Kind::Sequence(children) = list.kind() {
        children.iter().for_each(&mut take);
    }
}

fn child<'d>(node: Node<'d>, name: &str) -> Option<Node<'d>> {
    let Kind::Mapping(children) = node.kind() else {
        return None;
    };
    let mut pairs = children.pairs();
    let found = pairs.find(|(key, _)| word(*key).is_some_and(|it| it == name));
    found.map(|(_, value)| value)
}

fn word(node: Node<'_>) -> Option<String> {
    match node.kind() {
        Kind::Scalar(scalar) => Some(scalar.text.clone().into_owned()),
        _ => None,
    }
}
