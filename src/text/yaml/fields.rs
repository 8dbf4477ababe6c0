//! The fields of a mapping, with merge keys followed and doubles refused as Go does.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::parameters::references;
use super::{Decoder, Dialect, Kind, Node};
use crate::text::{Diagnostic, Span, closest};

/// What to do with a field that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownFields {
    /// It is a fault.
    Refuse,
    /// It is passed over.
    Ignore,
}

/// The fields of a mapping that has known ones.
#[derive(Debug, Clone)]
pub struct Fields<'d> {
    /// The mapping.
    pub span: Span,
    fields: FieldList<'d>,
    /// Lists that come before those of the fields of the same names.
    lists: Vec<(&'static str, Node<'d>)>,
}

/// Most mappings are so small that they need not be kept elsewhere.
type FieldList<'d> = SmallVec<[Field<'d>; 4]>;

/// One field.
#[derive(Debug, Clone)]
pub struct Field<'d> {
    /// Its name as Go hands it over.
    pub name: &'d str,
    /// Where the name stands.
    pub key: Node<'d>,
    /// Its value.
    pub value: Node<'d>,
    /// Values that were set before this one by a merge key: YAML v2 puts mappings together.
    pub before: Vec<Node<'d>>,
}

impl<'d> Fields<'d> {
    /// No field, at a place.
    pub fn none(span: Span) -> Fields<'d> {
        Fields {
            span,
            fields: FieldList::new(),
            lists: Vec::new(),
        }
    }

    /// Takes over a field, unless there is one of that name.
    pub fn add_default(&mut self, field: &Field<'d>) -> bool {
        let is_new = self.get(field.name).is_none();
        if is_new {
            self.fields.push(field.clone());
        }
        is_new
    }

    /// Puts a list before that of a field.
    pub fn add_list(&mut self, name: &'static str, list: Node<'d>) {
        self.lists.push((name, list));
    }

    /// The lists of a name: those put before a field's own, and that.
    pub fn lists(&self, name: &str) -> impl Iterator<Item = Node<'d>> {
        let before = self.lists.iter().filter(move |(it, _)| *it == name);
        let before: Vec<Node<'d>> = before.map(|(_, list)| *list).collect();
        before.into_iter().chain(self.node(name))
    }

    /// The fields in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Field<'d>> {
        self.fields.iter()
    }

    /// A field by its name.
    pub fn get(&self, name: &str) -> Option<&Field<'d>> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// A field's value by its name.
    pub fn node(&self, name: &str) -> Option<Node<'d>> {
        self.get(name).map(|field| field.value)
    }

    /// Where a field's name stands, or else the beginning of the mapping.
    pub fn key_span(&self, name: &str) -> Span {
        match self.get(name) {
            Some(field) => field.key.span(),
            None => Span::new(self.span.start, self.span.start),
        }
    }
}

impl<'d> Decoder<'d> {
    /// The fields of a mapping. `None` for nothing and, with a fault, for no mapping.
    ///
    /// Unknown fields are faults with a guess at what was meant, and so are fields that are there twice.
    pub fn fields(
        &mut self,
        node: Node<'d>,
        what: &str,
        known: &[&str],
        unknown: UnknownFields,
    ) -> Option<Fields<'d>> {
        let mut fields = self.entries(node, what, Doubles::Replace)?;
        fields.retain(|field| {
            let is_known = known.contains(&field.name);
            if !is_known && unknown == UnknownFields::Refuse {
                self.unknown_field(field, what, known);
            }
            is_known
        });
        Some(Fields {
            span: node.span(),
            fields,
            lists: Vec::new(),
        })
    }

    /// The entries of mappings whose keys are free, in the order of keys: labels, annotations.
    ///
    /// Several mappings are put together, as a merge key of YAML v2 does it.
    pub fn map(&mut self, field: &Field<'d>, what: &str) -> Vec<Field<'d>> {
        let mut entries: Vec<Field<'d>> = Vec::new();
        for &node in field.before.iter().chain([&field.value]) {
            if node.is_null() {
                entries.clear();
                continue;
            }
            for entry in self
                .entries(node, what, Doubles::Refuse)
                .unwrap_or_default()
            {
                match entries.iter().any(|present| present.name == entry.name) {
                    true => self.double(&entry, what),
                    false => entries.push(entry),
                }
            }
        }
        entries.sort_by_key(|entry| entry.name);
        entries
    }

    /// The entries of a mapping whose keys are free, in the order of the file; none for nothing.
    pub fn entries_of(&mut self, node: Node<'d>, what: &str) -> Vec<Field<'d>> {
        let entries = self.entries(node, what, Doubles::Refuse);
        entries.unwrap_or_default().into_vec()
    }

    fn entries(&mut self, node: Node<'d>, what: &str, doubles: Doubles) -> Option<FieldList<'d>> {
        if node.is_null() {
            return None;
        }
        let Kind::Mapping(_) = node.kind() else {
            self.wrong_kind(node, what, "a mapping of names to values");
            return None;
        };
        let mut entries = Entries {
            list: FieldList::new(),
            by_name: Names::default(),
            what,
            doubles,
        };
        match self.dialect() {
            Dialect::V2 => self.collect_v2(node, &mut entries),
            Dialect::V3 => self.collect_v3(node, &mut entries),
        }
        Some(entries.list)
    }

    /// YAML v2: in the order of the file, merged mappings where their key stands, the last of a merged
    /// list first; what comes later wins.
    fn collect_v2(&mut self, node: Node<'d>, entries: &mut Entries<'d, '_>) {
        let Kind::Mapping(children) = node.kind() else {
            return;
        };
        let mut own = Names::default();
        for (key, value) in children.pairs() {
            if is_merge(key) {
                let mut merged = self.merged(value);
                merged.reverse();
                for mapping in merged {
                    self.collect_v2(mapping, entries);
                }
                continue;
            }
            let Some(name) = self.key(key) else {
                continue;
            };
            let field = Field::new(name, key, value);
            let twice_here = own.insert(name, 0).is_some();
            match entries.by_name.get(name) {
                Some(_) if twice_here || entries.doubles == Doubles::Refuse => {
                    self.double(&field, entries.what);
                }
                Some(index) => {
                    if let Some(present) = entries.list.get_mut(index) {
                        present.before.push(present.value);
                        (present.key, present.value) = (key, value);
                    }
                }
                None => entries.push(field),
            }
        }
    }

    /// YAML v3: own keys first, then the merged mappings in their order; what comes first wins.
    fn collect_v3(&mut self, node: Node<'d>, entries: &mut Entries<'d, '_>) {
        let Kind::Mapping(children) = node.kind() else {
            return;
        };
        let mut own = Names::default();
        let mut merge = None;
        for (key, value) in children.pairs() {
            if let Kind::Scalar(scalar) = key.kind()
                && own.insert(&scalar.text, 0).is_some()
            {
                self.double(&Field::new(&scalar.text, key, value), entries.what);
                continue;
            }
            if is_merge(key) {
                merge = Some(value);
                continue;
            }
            let name = match key.is_null() {
                true => None,
                false => self.key(key),
            };
            if let Some(name) = name.filter(|name| entries.by_name.get(name).is_none()) {
                entries.push(Field::new(name, key, value));
            }
        }
        for mapping in merge.map(|value| self.merged(value)).unwrap_or_default() {
            self.collect_v3(mapping, entries);
        }
    }

    /// The mappings that a merge key names.
    fn merged(&mut self, value: Node<'d>) -> Vec<Node<'d>> {
        let candidates: Vec<Node<'d>> = match value.kind() {
            Kind::Sequence(children) if !value.is_alias() => children.iter().collect(),
            _ => vec![value],
        };
        let is_mapping = |node: &Node<'d>| matches!(node.kind(), Kind::Mapping(_));
        if let Some(wrong) = candidates.iter().find(|node| !is_mapping(node)) {
            let message = "map merge requires map or sequence of maps as the value";
            self.fault(wrong.span(), message)
                .help("write `<<: *name`, where `&name` stands at a mapping");
        }
        candidates.into_iter().filter(is_mapping).collect()
    }

    /// A key as the text that Go hands over.
    fn key(&mut self, key: Node<'d>) -> Option<&'d str> {
        match key.kind() {
            Kind::Scalar(scalar) if scalar.is_null() => Some(""),
            Kind::Scalar(scalar) if scalar.tag.as_deref() == Some("!!binary") => {
                self.wrong_kind(key, "a key", "written without `!!binary`");
                None
            }
            Kind::Scalar(scalar)
                if self.parameters.is_some() && !references(&scalar.text).is_empty() =>
            {
                let message = format!("`{}` is a key, in which nothing is replaced", scalar.text);
                self.fault(key.span(), message)
                    .help("write the key out; parameters stand in values");
                None
            }
            Kind::Scalar(scalar) => Some(&scalar.text),
            _ => {
                self.wrong_kind(key, "a key", "a text");
                None
            }
        }
    }

    fn double(&mut self, field: &Field<'d>, what: &str) {
        let message = format!("`{}` is given twice in {what}", field.name);
        self.fault(field.key.span(), message)
            .help("remove one of the two");
    }

    fn unknown_field(&mut self, field: &Field<'d>, what: &str, known: &[&str]) {
        let help = match closest(field.name, known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the fields of {what} are {}", known.join(", ")),
        };
        let message = format!("field `{}` is unknown in {what}", field.name);
        self.fault(field.key.span(), message).help(help);
    }

    fn fault(&mut self, span: Span, message: impl Into<String>) -> FaultHelp<'_> {
        let diagnostic = Diagnostic::error(message).at(self.source(), span);
        self.faults.push(diagnostic);
        FaultHelp {
            fault: self.faults.last_mut(),
        }
    }
}

impl<'d> Field<'d> {
    fn new(name: &'d str, key: Node<'d>, value: Node<'d>) -> Field<'d> {
        Field {
            name,
            key,
            value,
            before: Vec::new(),
        }
    }
}

/// Gives the fault that was just noted its way out.
struct FaultHelp<'a> {
    fault: Option<&'a mut Diagnostic>,
}

impl FaultHelp<'_> {
    fn help(self, help: impl Into<String>) {
        if let Some(fault) = self.fault {
            fault.help = Some(help.into());
        }
    }
}

/// Entries collected so far, over merge keys.
struct Entries<'d, 'w> {
    list: FieldList<'d>,
    by_name: Names<'d>,
    what: &'w str,
    doubles: Doubles,
}

impl<'d> Entries<'d, '_> {
    fn push(&mut self, field: Field<'d>) {
        self.by_name.insert(field.name, self.list.len());
        self.list.push(field);
    }
}

/// Numbers by names: most mappings are so small that looking through them is fastest.
#[derive(Default)]
struct Names<'d> {
    few: SmallVec<[(&'d str, usize); FEW]>,
    many: Option<HashMap<&'d str, usize>>,
}

/// How many names are looked through one by one.
const FEW: usize = 8;

impl<'d> Names<'d> {
    fn get(&self, name: &str) -> Option<usize> {
        let few = self.few.iter().find(|(present, _)| *present == name);
        few.map(|(_, number)| *number)
            .or_else(|| self.many.as_ref()?.get(name).copied())
    }

    /// Gives the number that the name had.
    fn insert(&mut self, name: &'d str, number: usize) -> Option<usize> {
        let present = self.get(name);
        if present.is_none() {
            match self.few.len() < FEW {
                true => self.few.push((name, number)),
                false => drop(self.many.get_or_insert_default().insert(name, number)),
            }
        }
        present
    }
}

/// What YAML v2 makes of a key that a merge key has set already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubles {
    /// In a struct the later value counts.
    Replace,
    /// In a map it is a fault.
    Refuse,
}

fn is_merge(key: Node<'_>) -> bool {
    match key.kind() {
        Kind::Scalar(scalar) if scalar.text == "<<" => match scalar.tag.as_deref() {
            None => scalar.style == super::Style::Plain,
            Some(tag) => tag == "!!merge",
        },
        _ => false,
    }
}
