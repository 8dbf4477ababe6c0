//! A label that a rule sets is not set.

use crate::mutate::mutant::Alteration;
use crate::mutate::operator::Operator;
use crate::mutate::remove;
use crate::mutate::site::Site;
use crate::text::yaml::{Kind, Node};
use crate::text::{Place, Span};

pub(super) const ROW: Operator = Operator {
    name: "label",
    about: "a label that a rule sets is not set",
    by_default: true,
    make,
};

fn make(site: &mut Site<'_>) {
    let (documents, rule) = (site.documents, site.rule);
    let node = documents.iter().find_map(|it| it.node_at(rule.span));
    // What stands somewhere else, or for others too, is changed where it is written.
    let labels = node
        .and_then(labels_of)
        .filter(|it| !it.is_alias() && !it.is_aliased());
    let Some((labels, Kind::Mapping(children))) = labels.map(|labels| (labels, labels.kind()))
    else {
        return;
    };
    let of = |(key, value): (Node<'_>, Node<'_>)| {
        Span::new(key.outer_span().start, value.outer_span().end)
    };
    let spans: Vec<Span> = children.pairs().map(of).collect();
    let source = &site.group.source;
    for (index, (key, value)) in children.pairs().enumerate() {
        let (Kind::Scalar(name), Some(bytes)) =
            (key.kind(), remove::child(labels, source, &spans, index))
        else {
            continue;
        };
        let value = match value.kind() {
            Kind::Scalar(value) => value.text.as_ref(),
            _ => "",
        };
        let name = name.text.clone().into_owned();
        let remedy = match site.alert() {
            Some(_) => format!(
                "a test that expects {} to fire with {name}=\"{value}\"",
                rule.name
            ),
            None => format!("a test that asks for {} with {name}=\"{value}\"", rule.name),
        };
        let shown = format!("{name}: {value}");
        let place = Place::new(source, key.span());
        site.removed(
            place,
            shown,
            remedy,
            |edit| Alteration::Label(edit, name),
            bytes,
        );
    }
}

/// The labels of a rule.
fn labels_of(rule: Node<'_>) -> Option<Node<'_>> {
    let Kind::Mapping(children) = rule.kind() else {
        return None;
    };
    let is_named = |key: Node<'_>| matches!(key.kind(), Kind::Scalar(it) if it.text == "labels");
    let mut pairs = children.pairs();
    pairs
        .find(|(key, _)| is_named(*key))
        .map(|(_, value)| value)
}
