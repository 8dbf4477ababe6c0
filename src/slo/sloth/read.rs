//! Reads a specification as strictly as Sloth does.

use std::collections::HashMap;

use super::plugins::{self, Plugin};
use super::{Alert, QueryTemplate, Sli, Slo, Spec};
use crate::slo::generated::Object;
use crate::slo::keys::{Entry, Keys, Reader, first_line, merged, object};
use crate::text::Span;
use crate::text::yaml::{Kind, Node};

/// The names of keys, which differ between files and Kubernetes objects.
struct Names {
    error_query: &'static str,
    total_query: &'static str,
    error_ratio_query: &'static str,
    page_alert: &'static str,
    ticket_alert: &'static str,
}

const FILE: Names = Names {
    error_query: "error_query",
    total_query: "total_query",
    error_ratio_query: "error_ratio_query",
    page_alert: "page_alert",
    ticket_alert: "ticket_alert",
};

const OBJECT: Names = Names {
    error_query: "errorQuery",
    total_query: "totalQuery",
    error_ratio_query: "errorRatioQuery",
    page_alert: "pageAlert",
    ticket_alert: "ticketAlert",
};

/// What all objectives of a service have in common.
struct Service<'n> {
    name: String,
    name_span: Span,
    labels: Vec<Entry>,
    plugins: Chain,
    names: &'n Names,
}

/// Plugins of a level.
struct Chain {
    overrides: bool,
    plugins: Vec<Plugin>,
}

/// Reads a document with `version: prometheus/v1`.
pub(in crate::slo) fn read_file<'d>(reader: &mut Reader<'d>, root: Node<'d>) -> Option<Spec> {
    let known = ["version", "service", "labels", "slo_plugins", "slos"];
    let keys = reader.keys(root, "a specification of Sloth", &known)?;
    let plugins = chain(reader, &keys, "slo_plugins");
    read(reader, root, &keys, plugins, &FILE, None)
}

/// Reads a `PrometheusServiceLevel`.
pub(in crate::slo) fn read_object<'d>(reader: &mut Reader<'d>, root: Node<'d>) -> Option<Spec> {
    let known = ["apiVersion", "kind", "metadata", "spec", "status"];
    let keys = reader.keys(root, "a PrometheusServiceLevel", &known)?;
    let object = object(reader, keys.node("metadata"));
    let Some(spec) = keys.node("spec") else {
        let help = "write `service` and `slos` below it";
        reader.error(
            first_line(root),
            "this PrometheusServiceLevel has no `spec:`",
            help,
        );
        return None;
    };
    let keys = reader.keys(spec, "`spec`", &["service", "labels", "sloPlugins", "slos"])?;
    let plugins = chain(reader, &keys, "sloPlugins");
    read(reader, root, &keys, plugins, &OBJECT, Some(object))
}

fn read<'d>(
    reader: &mut Reader<'d>,
    root: Node<'d>,
    keys: &Keys<'d>,
    plugins: Chain,
    names: &Names,
    object: Option<Object>,
) -> Option<Spec> {
    let name = reader.text_of(keys, "service");
    let name_span = value_span(keys, "service");
    check_name(reader, &name, "service", name_span);
    let service = Service {
        name,
        name_span,
        labels: reader.entries_of(keys, "labels"),
        plugins,
        names,
    };
    check_labels(reader, &service.labels, "label");
    let nodes = reader.list_of(keys, "slos");
    if nodes.is_empty() {
        let at = match keys.get("slos") {
            Some(field) => field.key.span(),
            None => first_line(root),
        };
        reader.error(
            at,
            "at least one SLO is required",
            "write one below `slos:`",
        );
    }
    let mut seen = HashMap::new();
    let slos: Vec<Slo> = nodes
        .into_iter()
        .filter_map(|node| slo(reader, node, &service, &mut seen))
        .collect();
    Some(Spec {
        source: reader.decoder.source().clone(),
        object,
        slos,
    })
}

/// Names are unique in a file.
fn refuse_double(
    reader: &mut Reader<'_>,
    seen: &mut HashMap<String, Span>,
    service: &str,
    name: &str,
    span: Span,
) {
    match seen.get(name) {
        Some(first) => {
            let line = reader.decoder.source().line_column(first.start).line;
            let message = format!("SLO ID \"{service}-{name}\" is repeated");
            let help = format!("rename this objective or the one in line {line}");
            reader.error(span, message, help);
        }
        None => drop(seen.insert(name.to_owned(), span)),
    }
}

fn slo<'d>(
    reader: &mut Reader<'d>,
    node: Node<'d>,
    service: &Service<'_>,
    seen: &mut HashMap<String, Span>,
) -> Option<Slo> {
    let known = [
        "name",
        "description",
        "objective",
        "plugins",
        "labels",
        "sli",
        "alerting",
    ];
    let keys = reader.keys(node, "an SLO", &known)?;
    let name = reader.text_of(&keys, "name");
    let name_span = match keys.get("name") {
        Some(_) => value_span(&keys, "name"),
        None => first_line(node),
    };
    check_name(reader, &name, "SLO name", name_span);
    refuse_double(reader, seen, &service.name, &name, name_span);
    let objective = objective(reader, &keys, node);
    let own_labels = reader.entries_of(&keys, "labels");
    check_labels(reader, &own_labels, "label");
    let sli = sli(reader, &keys, node, service.names);
    let (page, ticket) = alerts(reader, &keys, name_span, service.names);
    let (plugins, overrides) = plugins_of(reader, &keys, service);
    let objective_span = match keys.get("objective") {
        Some(_) => value_span(&keys, "objective"),
        None => first_line(node),
    };
    let objective_text = reader.decoder.source().slice(objective_span).to_owned();
    Some(Slo {
        id: format!("{}-{name}", service.name),
        name,
        name_span,
        service: service.name.clone(),
        description: reader.text_of(&keys, "description"),
        objective: objective?,
        objective_text,
        objective_span,
        labels: merged([&*service.labels, &*own_labels]),
        sli: sli?,
        page,
        ticket,
        plugins,
        overrides,
    })
}

fn objective<'d>(reader: &mut Reader<'d>, keys: &Keys<'d>, node: Node<'d>) -> Option<f64> {
    let Some(field) = keys.get("objective") else {
        let message = "the objective is missing: it must be above 0 and at most 100";
        reader.error(
            first_line(node),
            message,
            "write `objective: 99.9` for 99.9 %",
        );
        return None;
    };
    let span = field.value.target().span();
    let value = reader.float_of(keys, "objective")?;
    if value > 0.0 && value <= 100.0 {
        return Some(value);
    }
    let message = format!("the objective is {value}: it must be above 0 and at most 100");
    reader.error(
        span,
        message,
        "give the per cent of good events, such as 99.9",
    );
    None
}

/// Names and ids: two characters or more, with a letter or digit at both ends.
fn check_name(reader: &mut Reader<'_>, name: &str, what: &str, span: Span) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric();
    let is_fine = match name.as_bytes() {
        [] => {
            let message = format!("the {what} is missing");
            reader.error(
                span,
                message,
                "give a name of letters, digits, `.`, `_` and `-`",
            );
            return;
        }
        [first, inner @ .., last] => {
            let is_inner = |byte: &u8| is_plain(*byte) || b"-_.".contains(byte);
            is_plain(*first) && is_plain(*last) && inner.iter().all(is_inner)
        }
        // A single one is both ends, and Sloth wants two.
        [_] => false,
    };
    if !is_fine {
        let message = format!(
            "the {what} {name:?} is not allowed: it must start and end with a letter or digit, with only those, '.', \
             '_' and '-' between, and have two characters or more"
        );
        reader.error(span, message, "rename it, for example with `-` for a blank");
    }
}

/// What Sloth asks of labels: a name that Prometheus takes, and a value.
fn check_labels(reader: &mut Reader<'_>, labels: &[Entry], what: &str) {
    for label in labels {
        if label.name == "__name__" && what == "label" {
            let message = "the label key \"__name__\" is not allowed";
            reader.error(
                label.key_span,
                message,
                "the names of series are Sloth's own",
            );
        }
        if label.name.is_empty() {
            let message = format!("the {what} key \"\" is not valid");
            reader.error(label.key_span, message, "give it a name");
        }
        if label.value.is_empty() {
            let message = format!("the {what} {:?} has no value", label.name);
            reader.error(label.key_span, message, "give it one or remove it");
        }
    }
}

fn sli<'d>(reader: &mut Reader<'d>, keys: &Keys<'d>, slo: Node<'d>, names: &Names) -> Option<Sli> {
    let help = "write `events:`, `raw:` or `plugin:` below `sli:`";
    let Some(node) = keys.node("sli") else {
        reader.error(first_line(slo), "at least one SLI type is required", help);
        return None;
    };
    let keys = reader.keys(node, "`sli`", &["events", "raw", "plugin"])?;
    if let Some(plugin) = keys.node("plugin") {
        refuse_plugin(reader, plugin);
        return None;
    }
    match (keys.node("events"), keys.node("raw")) {
        (Some(_), Some(raw)) => {
            let message = "only one SLI type is allowed";
            reader.error(first_line(raw), message, "remove `raw:` or `events:`");
            None
        }
        (Some(events), None) => events_of(reader, events, names),
        (None, Some(raw)) => {
            let keys = reader.keys(raw, "`raw`", &[names.error_ratio_query])?;
            query(reader, &keys, names.error_ratio_query).map(Sli::Raw)
        }
        (None, None) => {
            reader.error(first_line(node), "at least one SLI type is required", help);
            None
        }
    }
}

fn events_of<'d>(reader: &mut Reader<'d>, events: Node<'d>, names: &Names) -> Option<Sli> {
    let known = [names.error_query, names.total_query];
    let keys = reader.keys(events, "`events`", &known)?;
    let error = query(reader, &keys, names.error_query);
    let total = query(reader, &keys, names.total_query);
    let (error, total) = (error?, total?);
    if error.text().text == total.text().text {
        let message = "both error and total queries can't be the same: all events would be bad";
        let help = "let the error query count only the bad events, for example with code=~\"5..\"";
        reader.error(error.text().whole(), message, help);
    }
    Some(Sli::Events { error, total })
}

fn query<'d>(reader: &mut Reader<'d>, keys: &Keys<'d>, name: &str) -> Option<QueryTemplate> {
    match reader.embedded_of(keys, name) {
        None => {
            let is_text = |node: Node<'_>| matches!(node.kind(), Kind::Scalar(_));
            if keys.node(name).is_none_or(is_text) {
                let message = format!("`{name}` is required");
                reader.error(
                    keys.key_span(name),
                    message,
                    "write a query with `[{{.window}}]`",
                );
            }
            None
        }
        Some(text) => {
            let template = QueryTemplate::new(text);
            let faults = template.check(&format!("`{name}`"));
            reader.decoder.faults.extend(faults);
            Some(template)
        }
    }
}

/// A plugin for the SLI is a program in Go.
fn refuse_plugin<'d>(reader: &mut Reader<'d>, node: Node<'d>) {
    let Some(keys) = reader.keys(node, "`plugin`", &["id", "options"]) else {
        return;
    };
    let id = reader.text_of(&keys, "id");
    let span = match keys.get("id") {
        Some(_) => value_span(&keys, "id"),
        None => first_line(node),
    };
    let message = format!("the SLI plugin {id:?} is a program for Sloth, which can't be run here");
    let help = "write the query that it makes as `raw:` with `error_ratio_query:`; `sloth generate` shows it";
    reader.error(span, message, help);
}

fn alerts<'d>(
    reader: &mut Reader<'d>,
    slo: &Keys<'d>,
    slo_span: Span,
    names: &Names,
) -> (Option<Alert>, Option<Alert>) {
    let known = [
        "name",
        "labels",
        "annotations",
        names.page_alert,
        names.ticket_alert,
    ];
    let Some(node) = slo.node("alerting") else {
        need_name(reader, slo_span);
        return (None, None);
    };
    let Some(keys) = reader.keys(node, "`alerting`", &known) else {
        return (None, None);
    };
    let name = reader.text_of(&keys, "name");
    let labels = reader.entries_of(&keys, "labels");
    let annotations = reader.entries_of(&keys, "annotations");
    let mut alert = |key: &'static str| {
        let own = keys.node(key);
        let own = own.and_then(|node| {
            let known = ["disable", "labels", "annotations"];
            reader.keys(node, &format!("`{key}`"), &known)
        });
        let (mut own_labels, mut own_annotations) = (Vec::new(), Vec::new());
        if let Some(own) = &own {
            if reader.flag_of(own, "disable") == Some(true) {
                return None;
            }
            own_labels = reader.entries_of(own, "labels");
            own_annotations = reader.entries_of(own, "annotations");
        }
        check_labels(reader, &own_labels, "label");
        check_labels(reader, &own_annotations, "annotation");
        Some(Alert {
            name: name.clone(),
            labels: merged([&*labels, &*own_labels]),
            annotations: merged([&*annotations, &*own_annotations]),
        })
    };
    let alerts = (alert(names.page_alert), alert(names.ticket_alert));
    if alerts.0.is_some() || alerts.1.is_some() {
        check_labels(reader, &labels, "label");
        check_labels(reader, &annotations, "annotation");
        if name.is_empty() {
            need_name(reader, slo.key_span("alerting"));
        }
    }
    alerts
}

fn need_name(reader: &mut Reader<'_>, span: Span) {
    let help = "write `name:` below `alerting:`, or disable both alerts with `disable: true`";
    reader.error(span, "alert name is required", help);
}

/// The plugins of a service and of an objective, put together.
fn plugins_of<'d>(
    reader: &mut Reader<'d>,
    keys: &Keys<'d>,
    service: &Service<'_>,
) -> (Vec<Plugin>, bool) {
    let own = chain(reader, keys, "plugins");
    let group = &service.plugins;
    let mut plugins = match own.overrides {
        true => Vec::new(),
        false => group.plugins.clone(),
    };
    plugins.extend(own.plugins);
    let overrides = own.overrides || group.overrides;
    if overrides && plugins.is_empty() {
        let message = "override plugins is set but no plugins are defined";
        let help = "name plugins below `chain:`, or remove `overridePrevious`";
        let span = match keys.get("plugins") {
            Some(field) => field.key.span(),
            None => service.name_span,
        };
        reader.error(span, message, help);
    }
    (plugins, overrides)
}

fn chain<'d>(reader: &mut Reader<'d>, keys: &Keys<'d>, name: &str) -> Chain {
    let mut chain = Chain {
        overrides: false,
        plugins: Vec::new(),
    };
    let Some(node) = keys.node(name) else {
        return chain;
    };
    let known = ["overridePrevious", "chain"];
    let Some(keys) = reader.keys(node, &format!("`{name}`"), &known) else {
        return chain;
    };
    chain.overrides = reader.flag_of(&keys, "overridePrevious") == Some(true);
    for node in reader.list_of(&keys, "chain") {
        chain.plugins.extend(plugins::read(reader, node));
    }
    chain
}

/// Where a value stands.
pub(super) fn value_span(keys: &Keys<'_>, name: &str) -> Span {
    match keys.node(name) {
        Some(node) => node.target().span(),
        None => keys.key_span(name),
    }
}
