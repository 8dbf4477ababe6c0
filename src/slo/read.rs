//! Tells the formats of specifications apart by their content.

use super::generated::Bundle;
use super::keys::{Reader, Tool, child, first_line, word};
use super::objective::Slo;
use super::sloth::{self, Windows};
use super::{multiwindow, openslo, own, pyrra};
use crate::model::Millis;
use crate::promql::Features;
use crate::text::yaml::{self, Document, Kind, Node};
use crate::text::{Diagnostic, Source};

/// The window of objectives that say none: Sloth's are told on the command line.
pub const DEFAULT_PERIOD: Millis = 30 * 86_400_000;

/// The objectives of files.
#[derive(Debug, Default)]
pub struct Objectives {
    /// They in the order of the files.
    pub slos: Vec<Slo>,
    /// What is legal and hardly meant.
    pub warnings: Vec<Diagnostic>,
}

/// Reads the objectives of files in any format. `period` is the window of those that say none.
///
/// # Errors
///
/// Every fault for which the format's own tool would refuse a file, in their order, what has no meaning outside of its own
/// tool, and OpenSLO's objects without an objective among them.
pub fn objectives(
    sources: &[Source],
    period: Millis,
    features: &Features,
) -> Result<Objectives, Vec<Diagnostic>> {
    let (mut found, mut faults) = (Objectives::default(), Vec::new());
    for read in read_all(sources, features) {
        match read.and_then(|specs| specs.into_slos(period, features)) {
            Ok(of_file) => {
                found.slos.extend(of_file.slos);
                found.warnings.extend(of_file.warnings);
            }
            Err(of_file) => faults.extend(of_file),
        }
    }
    if faults.is_empty() && found.slos.is_empty() {
        faults.extend(sources.first().map(no_objective));
    }
    match faults.is_empty() {
        true => Ok(found),
        false => Err(faults),
    }
}

/// What is said of objects of OpenSLO without an objective among them.
pub fn no_objective(source: &Source) -> Diagnostic {
    let fault = Diagnostic::error(format!("{} holds no SLO", source.name()));
    fault.help("its objects are of other kinds: add one of kind SLO")
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Specs {
    /// The specifications in the order of the file.
    pub specs: Vec<Spec>,
    /// What the tools let pass and hardly anybody means.
    pub warnings: Vec<Diagnostic>,
}

/// A specification.
#[derive(Debug)]
pub enum Spec {
    /// Sloth's.
    Sloth(sloth::Spec),
    /// Pyrra's.
    Pyrra(Box<pyrra::Spec>),
    /// rulecheck's own short form.
    Own(Vec<Slo>),
    /// All objects of OpenSLO together.
    OpenSlo(openslo::Spec),
}

impl Specs {
    fn into_slos(self, period: Millis, features: &Features) -> Result<Objectives, Vec<Diagnostic>> {
        let (mut slos, mut faults) = (Vec::new(), Vec::new());
        for spec in &self.specs {
            match spec.to_slos(period, features) {
                Ok(found) => slos.extend(found),
                Err(found) => faults.extend(found),
            }
        }
        match faults.is_empty() {
            true => Ok(Objectives {
                slos,
                warnings: self.warnings,
            }),
            false => Err(faults),
        }
    }
}

impl Spec {
    /// The objectives that it means; `period` is the window of those that say none.
    ///
    /// # Errors
    ///
    /// What has no meaning outside of its own tool.
    pub fn to_slos(
        &self,
        period: Millis,
        features: &Features,
    ) -> Result<Vec<Slo>, Vec<Diagnostic>> {
        match self {
            Spec::Sloth(spec) => spec.to_slos(period, features),
            Spec::Pyrra(spec) => Ok(vec![spec.to_slo(features)?]),
            Spec::Own(slos) => Ok(slos.clone()),
            Spec::OpenSlo(spec) if !spec.unmade.is_empty() => Err(spec.unmade.clone()),
            Spec::OpenSlo(spec) => Ok(spec.objectives.iter().map(|it| it.slo.clone()).collect()),
        }
    }
}

impl Spec {
    /// The rules that it stands for.
    ///
    /// # Errors
    ///
    /// What can't be written as rules.
    pub fn rules(
        &self,
        of_sloth: &sloth::Options,
        of_pyrra: &pyrra::Options,
    ) -> Result<Vec<Bundle>, Vec<Diagnostic>> {
        match self {
            Spec::Sloth(spec) => match sloth::generate(spec, of_sloth) {
                Ok(bundle) => Ok(vec![bundle]),
                Err(fault) => Err(vec![fault.diagnose(spec, of_sloth)]),
            },
            Spec::Pyrra(spec) => Ok(vec![pyrra::generate(spec, of_pyrra)]),
            Spec::Own(slos) => collect(slos.iter().map(multiwindow::generate)),
            Spec::OpenSlo(spec) if !spec.unmade.is_empty() => Err(spec.unmade.clone()),
            Spec::OpenSlo(spec) => collect(spec.objectives.iter().map(openslo::generate)),
        }
    }
}

/// All that was made, or every fault.
fn collect(
    made: impl Iterator<Item = Result<Bundle, Diagnostic>>,
) -> Result<Vec<Bundle>, Vec<Diagnostic>> {
    let (mut bundles, mut faults) = (Vec::new(), Vec::new());
    for one in made {
        match one {
            Ok(bundle) => bundles.push(bundle),
            Err(fault) => faults.push(fault),
        }
    }
    match faults.is_empty() {
        true => Ok(bundles),
        false => Err(faults),
    }
}

/// Whether a text may hold specifications, by a look at the beginnings of its lines.
pub fn looks_like_specs(text: &str) -> bool {
    let has = |key: &str| yaml::has_top_level_key(text, key);
    let listed = has("slos");
    let object = has("apiVersion") && has("kind") && KINDS.iter().any(|kind| text.contains(kind));
    let openslo = text.contains("apiVersion") && text.contains("openslo/v");
    (listed && !has("tests")) || object || openslo
}

/// The kinds of objects that are specifications.
const KINDS: [&str; 2] = ["PrometheusServiceLevel", "ServiceLevelObjective"];

/// Reads all specifications of files, in any format. Objects of OpenSLO may name those of other files.
///
/// # Errors
///
/// For each file every fault for which the format's own tool would refuse it, in the order of the file.
pub fn read_all(sources: &[Source], features: &Features) -> Vec<Result<Specs, Vec<Diagnostic>>> {
    let (mut finders, mut objects) = (Vec::new(), Vec::new());
    for source in sources {
        let mut finder = Finder::new(features);
        finder.documents(source);
        objects.push(finder.objects.take());
        finders.push(finder);
    }
    let all: Vec<&openslo::Objects> = objects.iter().flatten().collect();
    let found = finders.into_iter().zip(&objects).zip(sources);
    let found = found.map(|((mut finder, here), source)| {
        if let Some(here) = here {
            finder.resolve(here, &all);
        }
        finder.finish(source)
    });
    found.collect()
}

/// What can be read.
pub const FORMATS: &str = "these are read: OpenSLO (`apiVersion: openslo/v1`), Sloth (`version: prometheus/v1`, or kind \
                           PrometheusServiceLevel), Pyrra (kind ServiceLevelObjective), and lists of objectives under \
                           `slos:`";

/// Reads files of Sloth's alert windows.
///
/// # Errors
///
/// Every fault for which Sloth would refuse it.
pub fn read_windows(source: &Source) -> Result<Vec<Windows>, Vec<Diagnostic>> {
    let documents = yaml::parse_all(source).map_err(|fault| vec![fault])?;
    let mut reader = Reader::new(source, SLOTH_FILE);
    let mut windows = Vec::new();
    for root in documents.iter().filter_map(Document::root) {
        if root.is_null() {
            continue;
        }
        match format(root) {
            Some(Format::Windows) => windows.extend(sloth::read_windows(&mut reader, root)),
            _ => {
                let message = "this is no file of alert windows";
                let help = "it has `apiVersion: sloth.slok.dev/v1` and `kind: AlertWindows`";
                reader.error(first_line(root), message, help);
            }
        }
    }
    let mut faults = reader.decoder.faults;
    if windows.is_empty() && faults.is_empty() {
        let fault = Diagnostic::error(format!("{} holds no alert windows", source.name()));
        faults.push(fault.help("give a file with `kind: AlertWindows`"));
    }
    match faults.is_empty() {
        true => Ok(windows),
        false => Err(faults),
    }
}

const SLOTH_FILE: Tool = Tool {
    name: "Sloth",
    refuses_unknown: false,
    any_case: true,
};

const SLOTH_OBJECT: Tool = Tool {
    any_case: false,
    ..SLOTH_FILE
};

const PYRRA: Tool = Tool {
    name: "Pyrra",
    refuses_unknown: true,
    any_case: true,
};

const OWN: Tool = Tool {
    name: "rulecheck",
    any_case: false,
    ..PYRRA
};

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    SlothFile,
    SlothObject,
    Windows,
    Pyrra,
    Own,
    List,
}

/// What a document says that it is.
fn format(root: Node<'_>) -> Option<Format> {
    let text = |name: &str| child(root, name).and_then(|(_, value)| word(value));
    let (api, kind) = (text("apiVersion"), text("kind"));
    match (api, kind) {
        (Some("sloth.slok.dev/v1"), Some("PrometheusServiceLevel")) => Some(Format::SlothObject),
        (Some("sloth.slok.dev/v1"), Some("AlertWindows")) => Some(Format::Windows),
        (Some("pyrra.dev/v1alpha1"), Some("ServiceLevelObjective")) => Some(Format::Pyrra),
        (Some(_), Some(kind)) if kind.ends_with("List") => Some(Format::List),
        (None, None) => {
            let is_sloth = text("version").is_some_and(|it| it.starts_with("prometheus/"));
            let has_parts = child(root, "service").is_some() && child(root, "slos").is_some();
            let is_own = child(root, "slos").is_some() && child(root, "version").is_none();
            match is_sloth || has_parts {
                true => Some(Format::SlothFile),
                false => is_own.then_some(Format::Own),
            }
        }
        _ => None,
    }
}

#[derive(Debug)]
struct Finder<'f> {
    features: &'f Features,
    specs: Specs,
    faults: Vec<Diagnostic>,
    /// The objects of OpenSLO, if there are any.
    objects: Option<openslo::Objects>,
}

impl<'f> Finder<'f> {
    fn new(features: &'f Features) -> Finder<'f> {
        Finder {
            features,
            specs: Specs::default(),
            faults: Vec::new(),
            objects: None,
        }
    }

    fn documents(&mut self, source: &Source) {
        match yaml::parse_all(source) {
            Err(fault) => self.faults.push(fault),
            Ok(documents) => {
                for root in documents.iter().filter_map(Document::root) {
                    self.node(source, root);
                }
            }
        }
    }

    /// What the objects of OpenSLO say together, unless some are broken.
    fn resolve(&mut self, here: &openslo::Objects, all: &[&openslo::Objects]) {
        match openslo::resolve(here, all, self.features) {
            Err(faults) => self.faults.extend(faults),
            Ok(mut spec) => {
                self.specs.warnings.append(&mut spec.warnings);
                self.specs.specs.push(Spec::OpenSlo(spec));
            }
        }
    }

    fn node<'d>(&mut self, source: &'d Source, root: Node<'d>) {
        if root.is_null() {
            return;
        }
        if openslo::is_object(root) {
            let objects = self.objects.get_or_insert_default();
            let (faults, warnings) = objects.read(source, root);
            self.faults.extend(faults);
            self.specs.warnings.extend(warnings);
            return;
        }
        // A list of specifications, with or without a name.
        let items = match (root.kind(), format(root)) {
            (Kind::Sequence(items), _) => Some(items),
            (_, Some(Format::List)) => {
                child(root, "items").and_then(|(_, items)| match items.kind() {
                    Kind::Sequence(items) => Some(items),
                    _ => None,
                })
            }
            _ => None,
        };
        if let Some(items) = items {
            items.iter().for_each(|item| self.node(source, item));
            return;
        }
        match format(root) {
            Some(Format::SlothFile) => {
                let mut reader = Reader::new(source, SLOTH_FILE);
                check_version(&mut reader, root);
                let spec = sloth::read_file(&mut reader, root);
                self.take(reader, spec.map(Spec::Sloth));
            }
            Some(Format::SlothObject) => {
                let mut reader = Reader::new(source, SLOTH_OBJECT);
                let spec = sloth::read_object(&mut reader, root);
                self.take(reader, spec.map(Spec::Sloth));
            }
            Some(Format::Own) => {
                let mut reader = Reader::new(source, OWN);
                let slos = own::read_file(&mut reader.decoder, root, self.features);
                self.take(reader, Some(Spec::Own(slos)));
            }
            Some(Format::Pyrra) => {
                let mut reader = Reader::new(source, PYRRA);
                let spec = pyrra::read(&mut reader, root);
                self.take(reader, spec.map(|spec| Spec::Pyrra(Box::new(spec))));
            }
            Some(Format::Windows) => {
                let fault = Diagnostic::error("these are alert windows, not objectives");
                let fault = fault.at(source, first_line(root));
                self.faults
                    .push(fault.help("name the file behind --windows"));
            }
            Some(Format::List) | None => {
                let fault = Diagnostic::error("this document holds no objectives");
                self.faults
                    .push(fault.at(source, first_line(root)).help(FORMATS));
            }
        }
    }

    fn take(&mut self, reader: Reader<'_>, spec: Option<Spec>) {
        self.faults.extend(reader.decoder.faults);
        self.specs.warnings.extend(reader.warnings);
        self.specs.specs.extend(spec);
    }

    fn finish(mut self, source: &Source) -> Result<Specs, Vec<Diagnostic>> {
        if self.specs.specs.is_empty() && self.faults.is_empty() {
            let fault = Diagnostic::error(format!("{} holds no objectives", source.name()));
            self.faults.push(fault.help(FORMATS));
        }
        let start = |fault: &Diagnostic| fault.place.as_ref().map(|place| place.span.start);
        self.specs.warnings.sort_by_key(start);
        self.faults.sort_by_key(start);
        match self.faults.is_empty() {
            true => Ok(self.specs),
            false => Err(self.faults),
        }
    }
}

/// Sloth reads one version.
fn check_version<'d>(reader: &mut Reader<'d>, root: Node<'d>) {
    let version = child(root, "version");
    let text = version.and_then(|(_, value)| word(value));
    if text == Some("prometheus/v1") {
        return;
    }
    let at = version.map_or(first_line(root), |(_, value)| value.target().span());
    let message = "invalid spec version, should be \"prometheus/v1\"";
    reader.error(at, message, "write `version: prometheus/v1` at the top");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slo::objective::Indicator;

    #[test]
    fn specifications_mean_objectives() {
        let text = "version: prometheus/v1\nservice: shop\nslos:\n- name: orders\n  objective: 99.90\n  sli:\n    events:\n      \
                    error_query: rate(a[{{.window}}])\n      total_query: rate(b[{{ .window }}])\n  alerting: {name: A}\n\
                    ---\napiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {name: fast}\nspec:\n  \
                    target: '95'\n  window: 2w\n  indicator:\n    latency:\n      success: {metric: 'c_bucket{le=\"0.5\"}'}\n      \
                    total: {metric: c_count}\n      grouping: [b, a, b]\n";
        let sources = [Source::new("f", text)];
        let specs = read_all(&sources, &Features::default()).remove(0).unwrap();
        let day = 86_400_000;
        let found = specs
            .specs
            .iter()
            .map(|spec| spec.to_slos(30 * day, &Features::default()).unwrap());
        let slos: Vec<Slo> = found.flatten().collect();
        let shown = slos
            .iter()
            .map(|slo| (slo.name.as_str(), slo.target.percent(), slo.target.budget()));
        let shown: Vec<_> = shown.collect();
        assert_eq!(
            shown,
            [
                ("shop-orders", "99.9".to_owned(), 0.001),
                ("fast", "95".to_owned(), 0.05)
            ]
        );
        assert_eq!(slos[1].grouping, ["a", "b"]);
        assert!(matches!(slos[1].indicator, Indicator::Events { .. }));
    }
}
