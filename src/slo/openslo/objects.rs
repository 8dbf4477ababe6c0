//! The objects of a file, each validated by itself.

use std::collections::BTreeMap;

use super::alerts::{Condition, Policy};
use super::indicator::Sli;
use super::parts::Name;
use super::spec::SloObject;
use super::{Node, Reader, VERSION};
use crate::slo::keys::{child, word};
use crate::text::{Diagnostic, Source};

/// The kinds of objects.
const KINDS: [&str; 7] = [
    "DataSource",
    "SLO",
    "SLI",
    "AlertPolicy",
    "AlertCondition",
    "AlertNotificationTarget",
    "Service",
];

/// Objects of one kind by their names; `None` for a broken one.
pub(super) type Shelf<T> = BTreeMap<String, Option<T>>;

/// The objects of a file.
#[derive(Debug, Default)]
pub(in crate::slo) struct Objects {
    pub(super) number: usize,
    pub(super) slos: Vec<SloObject>,
    pub(super) slis: Shelf<Sli>,
    pub(super) policies: Shelf<Policy>,
    pub(super) conditions: Shelf<Condition>,
    pub(super) targets: Shelf<()>,
    /// What type the data sources are of.
    pub(super) sources: Shelf<String>,
    services: Shelf<()>,
    /// Names of SLOs.
    taken: Shelf<()>,
}

/// Whether a document says that it is an object of OpenSLO.
pub(in crate::slo) fn is_object(root: Node<'_>) -> bool {
    let version = child(root, "apiVersion").and_then(|(_, version)| word(version));
    version.is_some_and(|version| version.starts_with("openslo"))
}

impl Objects {
    /// Takes in another object: what is wrong with it, and what is hardly meant.
    pub(in crate::slo) fn read(
        &mut self,
        source: &Source,
        node: Node<'_>,
    ) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
        let mut reader = Reader::new(source);
        self.number += 1;
        self.object(&mut reader, node);
        (reader.decoder.faults, reader.warnings)
    }

    fn object<'d>(&mut self, reader: &mut Reader<'d>, node: Node<'d>) {
        let keys = ["apiVersion", "kind", "metadata", "spec"];
        let Some(fields) = reader.fields(node, "an object of OpenSLO", &keys) else {
            return;
        };
        let Some(version) = reader.required(&fields, node, "apiVersion") else {
            return;
        };
        match reader.text(version, "apiVersion") {
            Some(text) if text == VERSION => {}
            text => {
                let text = text.unwrap_or_default();
                let message = format!("`apiVersion`: {text} is not read");
                let help = format!("write `apiVersion: {VERSION}`");
                return reader.error(version.target().span(), message, help);
            }
        }
        let kind = reader.one_of(&fields, node, "kind", &KINDS);
        let name = reader.metadata(&fields, node);
        let Some(kind) = kind else {
            return;
        };
        // Nothing in a service must be said.
        if kind == "Service" && fields.node("spec").is_none_or(|spec| spec.is_null()) {
            return keep(reader, &mut self.services, kind, name, Some(()));
        }
        let Some(spec) = reader.required(&fields, node, "spec") else {
            return;
        };
        match kind {
            "SLO" => {
                let object = reader.slo(spec, name.clone());
                keep(reader, &mut self.taken, kind, name, Some(()));
                self.slos.extend(object);
            }
            "SLI" => {
                let sli = reader.sli(spec);
                keep(reader, &mut self.slis, kind, name, sli);
            }
            "AlertPolicy" => {
                let policy = reader.alert_policy(spec, name.clone());
                keep(reader, &mut self.policies, kind, name, policy);
            }
            "AlertCondition" => {
                let condition = reader.alert_condition(spec, name.clone());
                keep(reader, &mut self.conditions, kind, name, condition);
            }
            "AlertNotificationTarget" => {
                let target = reader.notification_target(spec, name.clone());
                keep(reader, &mut self.targets, kind, name, target);
            }
            "DataSource" => {
                let source = reader.data_source(spec);
                keep(reader, &mut self.sources, kind, name, source);
            }
            _ => {
                if let Some(fields) = reader.fields(spec, "a service", &["description"]) {
                    reader.description(&fields);
                }
                keep(reader, &mut self.services, kind, name, Some(()));
            }
        }
    }
}

/// Puts an object where others find it by its name, which no other of its kind in the file may have.
fn keep<T>(
    reader: &mut Reader<'_>,
    shelf: &mut Shelf<T>,
    kind: &str,
    name: Option<Name>,
    object: Option<T>,
) {
    let Some(name) = name else {
        return;
    };
    if shelf.contains_key(&name.text) {
        let message = format!("there are two objects {:?} of kind {kind}", name.text);
        reader.error(name.place.span, message, "give one of them another name");
        return;
    }
    shelf.insert(name.text, object);
}

impl<'d> Reader<'d> {
    fn data_source(&mut self, node: Node<'d>) -> Option<String> {
        let keys = ["description", "type", "connectionDetails"];
        let fields = self.fields(node, "a data source", &keys)?;
        self.description(&fields);
        let kind = self.required(&fields, node, "type");
        let kind = kind.and_then(|kind| self.some_text(kind, "type"));
        self.required(&fields, node, "connectionDetails");
        kind
    }
}
