//! Finds the groups of rules in a text: in its documents, in Kubernetes objects, and in rule files that a ConfigMap holds.

use std::collections::BTreeSet;

use data_encoding::BASE64;

use super::group::Reader;
use super::keys::Keys;
use super::{ReadOptions, RuleGroup, unrendered, validate};
use crate::text::yaml::{self, Decoder, Dialect, Document, Kind, Node};
use crate::text::{Diagnostic, Severity, Source, Span};

/// What a text holds, and what is to be said of it.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub groups: Vec<RuleGroup>,
    pub faults: Vec<Diagnostic>,
    pub warnings: Vec<Diagnostic>,
    pub notes: Vec<Diagnostic>,
    pub wrappers: BTreeSet<String>,
}

/// Whether a text may be a Kubernetes object that holds rules, by a look at the beginnings of its lines.
pub(super) fn looks_like_one(text: &str) -> bool {
    let is_object = ["apiVersion", "kind"];
    let is_object = is_object
        .iter()
        .all(|key| yaml::has_top_level_key(text, key));
    let holds = ["alert", "record"];
    is_object && yaml::has_key(text, "groups") && holds.iter().any(|key| yaml::has_key(text, key))
}

/// Reads what promtool reads: the first document, which holds groups.
///
/// # Errors
///
/// A text that is no YAML.
pub(super) fn first_document(
    source: &Source,
    options: &ReadOptions,
) -> Result<Contents, Vec<Diagnostic>> {
    let document = yaml::parse(source).map_err(|fault| vec![fault])?;
    let keys = Keys::new(true);
    let mut finder = Finder::new(source, options, &keys);
    if let Some(more) = document.more {
        let message = "only the first YAML document of a rule file is read";
        let help = "put the groups of all documents under one `groups:`";
        finder.reader.warn(more, message, help);
    }
    if let Some(root) = document.root() {
        match object(root) {
            Some(object) if !options.ignore_unknown_fields => {
                let message = format!(
                    "this is a Kubernetes object of kind {}, not a rule file",
                    object.kind
                );
                let help = "promtool reads no such objects: leave --promtool-compatible away, or put its `groups:` into a \
                            file of its own, for example with `yq .spec`";
                finder.reader.decoder.error(object.key, message, help);
            }
            _ => finder.plain(root),
        }
    }
    Ok(finder.contents())
}

/// Reads all documents: groups, and Kubernetes objects that hold some.
///
/// # Errors
///
/// A text that is no YAML.
pub(super) fn all_documents(
    source: &Source,
    options: &ReadOptions,
) -> Result<Contents, Vec<Diagnostic>> {
    read_documents(source, options, true)
}

/// The same for a text that may be an object itself or not.
fn read_documents(
    source: &Source,
    options: &ReadOptions,
    may_be_object: bool,
) -> Result<Contents, Vec<Diagnostic>> {
    let documents = yaml::parse_all(source);
    let documents = documents.map_err(|fault| vec![unrendered::of_broken(source, fault)])?;
    let keys = Keys::new(false);
    let mut finder = Finder::new(source, options, &keys);
    for root in documents.iter().filter_map(Document::root) {
        match object(root).filter(|_| may_be_object) {
            Some(object) => finder.object(&object),
            // A document of nothing but comments.
            None if root.is_null() => {}
            None => finder.plain(root),
        }
    }
    finder.tell_skipped();
    let objects = finder.objects;
    let contents = finder.contents();
    let is_broken = !contents.faults.is_empty();
    // Some of it looks like a mapping in braces. What else an object says is not looked at, but may be an action too.
    let mut roots = documents.iter().filter_map(Document::root);
    let in_braces = roots.find_map(unrendered::in_braces);
    let in_braces = in_braces.filter(|_| is_broken || objects > 0);
    let jsonnet = || unrendered::jsonnet(source.text()).filter(|_| is_broken);
    match in_braces.or_else(jsonnet) {
        Some((engine, span)) => Err(vec![engine.diagnose().at(source, span)]),
        None => Ok(contents),
    }
}

/// A Kubernetes object.
struct Object<'d> {
    /// What it says it is.
    kind: &'d str,
    /// Where it says so.
    key: Span,
    api: &'d str,
    root: Node<'d>,
}

fn object(root: Node<'_>) -> Option<Object<'_>> {
    let kind = child(root, "kind")?;
    let api = child(root, "apiVersion")?;
    Some(Object {
        kind: text(kind.1)?,
        key: kind.0.span(),
        api: text(api.1)?,
        root,
    })
}

/// A key of a mapping and its value.
fn child<'d>(node: Node<'d>, name: &str) -> Option<(Node<'d>, Node<'d>)> {
    let Kind::Mapping(children) = node.kind() else {
        return None;
    };
    children.pairs().find(|(key, _)| text(*key) == Some(name))
}

fn text(node: Node<'_>) -> Option<&str> {
    match node.kind() {
        Kind::Scalar(scalar) => Some(&scalar.text),
        _ => None,
    }
}

/// What a name of a group is unique in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Home {
    /// The groups of all documents of a namespace of Mimir's; no name is none.
    Namespace(String),
    /// A Kubernetes object, by its number.
    Object(usize),
    /// A file in a ConfigMap, which was looked at already.
    File,
}

struct Finder<'d, 'o> {
    reader: Reader<'d, 'o>,
    groups: Vec<(Home, RuleGroup)>,
    faults: Vec<Diagnostic>,
    notes: Vec<Diagnostic>,
    wrappers: BTreeSet<String>,
    /// Objects that hold no rules.
    skipped: Vec<(String, Span)>,
    /// What holds rules that can't be read where they stand.
    unread: Vec<Diagnostic>,
    /// How many objects were met.
    objects: usize,
    /// Whether something was met that may hold rules.
    has_some: bool,
}

impl<'d, 'o> Finder<'d, 'o> {
    fn new(source: &'d Source, options: &'o ReadOptions, keys: &'o Keys) -> Finder<'d, 'o> {
        Finder {
            reader: Reader {
                decoder: Decoder::new(source, Dialect::V3),
                options,
                keys,
                warnings: Vec::new(),
                owners: BTreeSet::new(),
                template: None,
            },
            groups: Vec::new(),
            faults: Vec::new(),
            notes: Vec::new(),
            wrappers: BTreeSet::new(),
            skipped: Vec::new(),
            unread: Vec::new(),
            objects: 0,
            has_some: false,
        }
    }

    /// A document that holds groups and nothing else.
    fn plain(&mut self, root: Node<'d>) {
        self.has_some = true;
        let reader = &mut self.reader;
        if let Some((key, _)) =
            child(root, "tests").filter(|_| !reader.options.ignore_unknown_fields)
        {
            let message = "this is a test file, not a rule file";
            let help = "run it with `rulecheck test`, and name rule files under its `rule_files:`";
            reader.decoder.error(key.span(), message, help);
            return;
        }
        let (known, unknown) = (reader.keys, reader.unknown_fields());
        let fields = reader
            .decoder
            .fields(root, "a rule file", &known.file, unknown);
        let Some(fields) = fields else {
            return;
        };
        super::foreign::owners(&fields, &mut reader.owners);
        let namespace = fields.node("namespace");
        let namespace = namespace.and_then(|node| reader.decoder.text(node, "`namespace`"));
        if let Some(list) = fields.node("groups") {
            self.groups(list, &Home::Namespace(namespace.unwrap_or_default()));
        }
    }

    fn groups(&mut self, list: Node<'d>, home: &Home) {
        for node in self.reader.decoder.list(list, "`groups`") {
            let group = self.reader.group(node);
            self.groups.extend(group.map(|group| (home.clone(), group)));
        }
    }

    fn object(&mut self, object: &Object<'d>) {
        self.objects += 1;
        let items = child(object.root, "items").filter(|_| object.kind.ends_with("List"));
        if let Some((_, items)) = items {
            for item in self.reader.decoder.list(items, "`items`") {
                match self::object(item) {
                    Some(object) => self.object(&object),
                    None => self.item_of(object, item),
                }
            }
            return;
        }
        match object.kind {
            "ConfigMap" => self.files(object, "data"),
            "Secret" => self.files(object, "stringData"),
            _ => self.spec(object),
        }
    }

    /// An item of a list that does not say what it is: what the list is called after.
    fn item_of(&mut self, list: &Object<'d>, item: Node<'d>) {
        self.objects += 1;
        let kind = list.kind.strip_suffix("List").unwrap_or_default();
        self.spec(&Object {
            kind,
            root: item,
            ..*list
        });
    }

    /// The groups of an object that is nothing but them.
    fn spec(&mut self, object: &Object<'d>) {
        let groups = child(object.root, "spec").and_then(|(_, spec)| child(spec, "groups"));
        let Some((key, list)) = groups else {
            let is_empty = matches!(object.kind, "PrometheusRule" | "VMRule");
            match is_empty {
                true => self.take(object),
                false => self.skip(object),
            }
            return;
        };
        if object.api.starts_with("loki.") {
            let message = format!(
                "the queries of this {} of Loki are LogQL, not PromQL",
                object.kind
            );
            let help = "put it into a file of its own, and name only the others";
            self.reader.decoder.error(key.span(), message, help);
            return;
        }
        self.take(object);
        self.groups(list, &Home::Object(self.objects));
    }

    /// The rule files in an object.
    fn files(&mut self, object: &Object<'d>, key: &str) {
        let mut holds_some = false;
        if let Some((_, data)) = child(object.root, key) {
            for entry in self.reader.decoder.entries_of(data, &format!("`{key}`")) {
                let Some(content) = text(entry.value).filter(|it| holds_rules(it)) else {
                    continue;
                };
                holds_some = true;
                let content = yaml::Embedded::new(entry.value, content.to_owned());
                self.file(&content.into_source());
            }
        }
        let encoded = self.encoded(object);
        match holds_some {
            true => self.take(object),
            false if encoded => {}
            false => self.skip(object),
        }
    }

    /// Whether an object holds rule files in base64; what is wrong in them would have no place.
    fn encoded(&mut self, object: &Object<'d>) -> bool {
        let name = match object.kind {
            "Secret" => "data",
            _ => "binaryData",
        };
        let Some((_, data)) = child(object.root, name) else {
            return false;
        };
        let mut holds_some = false;
        for entry in self.reader.decoder.entries_of(data, &format!("`{name}`")) {
            if text(entry.value).is_some_and(is_encoded_rules) {
                holds_some = true;
                let message = format!("the rules in base64 under `{}` are not read", entry.name);
                let help = "decode them into a file of their own (`base64 -d`), and name that too";
                self.leave_unread(entry.key.span(), message, help);
            }
        }
        holds_some
    }

    /// Passes over an object, unless it seems to hold rules somewhere.
    fn skip(&mut self, object: &Object<'d>) {
        let held = self.reader.decoder.source().slice(object.root.span());
        let has = |key: &str| yaml::has_key(held, key);
        if has("groups") && has("expr") && (has("alert") || has("record")) {
            let message = format!("the rules in this {} are not read", object.kind);
            let help = "render what is made of it, or put its `groups:` into a file of their own, and name that too";
            self.leave_unread(object.key, message, help);
        } else {
            self.skipped.push((object.kind.to_owned(), object.key));
        }
    }

    fn leave_unread(&mut self, span: Span, message: String, help: &str) {
        let warning = Diagnostic::warning(message).at(self.reader.decoder.source(), span);
        self.unread.push(warning.help(help));
    }

    fn file(&mut self, source: &Source) {
        match read_documents(source, self.reader.options, false) {
            Err(faults) => self.faults.extend(faults),
            Ok(contents) => {
                let groups = contents.groups.into_iter().map(|group| (Home::File, group));
                self.groups.extend(groups);
                self.faults.extend(contents.faults);
                self.reader.warnings.extend(contents.warnings);
                self.notes.extend(contents.notes);
                self.wrappers.extend(contents.wrappers);
            }
        }
    }

    fn take(&mut self, object: &Object<'d>) {
        self.has_some = true;
        self.wrappers.insert(object.kind.to_owned());
    }

    /// Objects that hold no rules are passed over, where there are others.
    fn tell_skipped(&mut self) {
        let unread = std::mem::take(&mut self.unread);
        match self.has_some {
            true => self.reader.warnings.extend(unread),
            false if !unread.is_empty() => {
                let as_fault = |warning| Diagnostic {
                    severity: Severity::Error,
                    ..warning
                };
                return self.faults.extend(unread.into_iter().map(as_fault));
            }
            false => {}
        }
        let Some((_, first)) = self.skipped.first() else {
            return;
        };
        let mut kinds: Vec<&str> = self.skipped.iter().map(|(kind, _)| kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let message = match self.skipped.len() {
            1 => format!("an object holds no rules: {}", kinds.join(", ")),
            number => format!("{number} objects hold no rules: {}", kinds.join(", ")),
        };
        let fault = Diagnostic::error(message).at(self.reader.decoder.source(), *first);
        match self.has_some {
            true => self.notes.push(Diagnostic {
                severity: Severity::Info,
                ..fault.help("they were passed over")
            }),
            false => self.faults.push(fault.help(
                "rules stand in a PrometheusRule, a VMRule, or a ConfigMap with rule files under its `data:`",
            )),
        }
    }

    fn contents(mut self) -> Contents {
        let mut homes: Vec<&Home> = Vec::new();
        for (home, _) in &self.groups {
            if *home != Home::File && !homes.contains(&home) {
                homes.push(home);
            }
        }
        for home in homes {
            let groups = self.groups.iter().filter(|(it, _)| it == home);
            let groups: Vec<&RuleGroup> = groups.map(|(_, group)| group).collect();
            validate::group_names(&mut self.reader.decoder, &groups);
            let doubles = validate::duplicate_rules(&groups);
            self.reader.warnings.extend(doubles);
        }
        let reader = self.reader;
        let mut faults = self.faults;
        match reader.template {
            // What else is wrong comes of it.
            Some(fault) => faults.push(fault),
            None => faults.extend(reader.decoder.faults),
        }
        let owners = reader.owners.iter().map(|owner| (*owner).to_owned());
        self.wrappers.extend(owners);
        let groups = self.groups.into_iter().map(|(_, group)| group);
        let mut warnings = reader.warnings;
        warnings.sort_by_key(|warning| warning.place.as_ref().map(|place| place.span.start));
        Contents {
            groups: groups.collect(),
            faults,
            warnings,
            notes: self.notes,
            wrappers: self.wrappers,
        }
    }
}

/// Whether a text is a rule file in base64.
fn is_encoded_rules(text: &str) -> bool {
    let text: String = text.split_ascii_whitespace().collect();
    let decoded = BASE64.decode(text.as_bytes()).ok();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.is_some_and(|text| holds_rules(&text))
}

/// Whether a text in a ConfigMap is a rule file, perhaps a broken one.
fn holds_rules(text: &str) -> bool {
    let holds = ["rules", "name"];
    yaml::has_top_level_key(text, "groups") && holds.iter().any(|key| yaml::has_key(text, key))
}
