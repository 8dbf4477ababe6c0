//! A rule is not there.

use crate::mutate::mutant::Alteration;
use crate::mutate::operator::Operator;
use crate::mutate::remove;
use crate::mutate::site::Site;
use crate::text::Place;
use crate::text::yaml::{Kind, Node};

pub(super) const ROW: Operator = Operator {
    name: "delete",
    about: "a rule is not there",
    by_default: true,
    make,
};

fn make(site: &mut Site<'_>) {
    let (documents, rule) = (site.documents, site.rule);
    let bytes = documents.iter().find_map(|document| {
        let node = document.node_at(rule.span)?;
        let list = document.parent(node)?;
        let Kind::Sequence(children) = list.kind() else {
            return None;
        };
        let spans: Vec<_> = children.iter().map(Node::outer_span).collect();
        let is_rule = |child: Node<'_>| child.span() == rule.span;
        let index = children.iter().position(is_rule)?;
        remove::child(list, document.source(), &spans, index)
    });
    let Some(bytes) = bytes else {
        return;
    };
    let name = &rule.name;
    let (key, remedy) = match site.alert() {
        Some(_) => ("alert", format!("a test that expects {name} to fire")),
        None => (
            "record",
            format!("a test that asks for {name}, or for what reads it"),
        ),
    };
    let place = Place::new(&site.group.source, rule.name_span);
    site.removed(
        place,
        format!("{key}: {name}"),
        remedy,
        Alteration::Rule,
        bytes,
    );
}
