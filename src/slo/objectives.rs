//! The objectives of a file in any format.

use super::objective::{Indicator, Measure, MeasureKind, Method, Quality, Slo, is_windowed};
use super::read::{self, Spec};
use super::target::Target;
use super::window::Window;
use super::{openslo, own, pyrra, sloth};
use crate::model::Millis;
use crate::promql::Features;
use crate::rules::diagnose_query;
use crate::text::yaml::{self, Decoder, Dialect, Document, Embedded, Kind, Node};
use crate::text::{Diagnostic, Place, Source, Span};

/// The window of objectives that say none: Sloth's are told on the command line.
pub const DEFAULT_PERIOD: Millis = 30 * 86_400_000;

/// What a file holds.
#[derive(Debug, Default)]
pub struct Objectives {
    /// The objectives in the order of the file.
    pub slos: Vec<Slo>,
    /// What is legal and hardly meant.
    pub warnings: Vec<Diagnostic>,
}

/// Reads the objectives of a file, told apart by what it holds: rulecheck's own form, OpenSLO, Sloth, Pyrra. `period` is the
/// window of those that say none.
///
/// # Errors
/// Every fault for which the format's own tool would refuse it, in the order of the file.
pub fn objectives(
    source: &Source,
    period: Millis,
    features: &Features,
) -> Result<Objectives, Vec<Diagnostic>> {
    let documents = yaml::parse_all(source).map_err(|fault| vec![fault])?;
    let roots: Vec<Node<'_>> = documents.iter().filter_map(Document::root).collect();
    if roots.iter().any(|root| is_openslo(*root)) {
        return openslo::read(source, &roots, features);
    }
    if let Some(slos) = roots.iter().find_map(|root| own_list(*root)) {
        let mut decoder = Decoder::new(source, Dialect::V3);
        if let Some(root) = roots.first() {
            decoder.fields(
                *root,
                "a file of objectives",
                &["slos"],
                yaml::UnknownFields::Refuse,
            );
        }
        let slos = own::read_list(&mut decoder, slos, features);
        if decoder.faults.is_empty() && slos.is_empty() {
            let help = "add an item such as `- {name: …, objective: 99.9%, window: 30d, bad: …, total: …}`";
            decoder.error(slos_span(&roots), "`slos` holds no objective", help);
        }
        return match decoder.faults.is_empty() {
            true => Ok(Objectives {
                slos,
                warnings: Vec::new(),
            }),
            false => Err(decoder.faults),
        };
    }
    let mut slos = Vec::new();
    let mut faults = Vec::new();
    let specs = read::read(source)
        .map_err(|faults| faults.into_iter().map(more_formats).collect::<Vec<_>>())?;
    for spec in &specs.specs {
        match spec {
            Spec::Sloth(spec) => {
                for slo in &spec.slos {
                    match of_sloth(&spec.source, slo, period, features) {
                        Ok(slo) => slos.push(slo),
                        Err(found) => faults.extend(found),
                    }
                }
            }
            Spec::Own(own) => slos.extend(own.iter().cloned()),
            Spec::Pyrra(spec) => match of_pyrra(spec, features) {
                Ok(slo) => slos.push(slo),
                Err(found) => faults.extend(found),
            },
        }
    }
    match faults.is_empty() {
        true => Ok(Objectives {
            slos,
            warnings: specs.warnings,
        }),
        false => Err(faults),
    }
}

/// Budgets are of more formats than rules are made of.
fn more_formats(fault: Diagnostic) -> Diagnostic {
    match fault.help.as_deref() == Some(read::FORMATS) {
        true => {
            let help = "objectives are OpenSLO (`apiVersion: openslo/v1`), Sloth, Pyrra, or a list under `slos:`";
            fault.help(help)
        }
        false => fault,
    }
}

fn slos_span(roots: &[Node<'_>]) -> Span {
    let list = roots.iter().find_map(|root| own_list(*root));
    list.map(Node::span).unwrap_or_default()
}

/// The list of a file in rulecheck's own form, which says neither whose nor which version it is.
fn own_list(root: Node<'_>) -> Option<Node<'_>> {
    let has = |name: &str| child(root, name).is_some();
    match has("version") || has("service") || has("apiVersion") || has("tests") {
        true => None,
        false => child(root, "slos"),
    }
}

/// Whether a document, or the first of its items, is one of OpenSLO's.
fn is_openslo(root: Node<'_>) -> bool {
    let first = match root.kind() {
        Kind::Sequence(items) => items.iter().next(),
        _ => Some(root),
    };
    let api = first.and_then(|root| child(root, "apiVersion"));
    api.is_some_and(|api| match api.kind() {
        Kind::Scalar(scalar) => scalar.text.starts_with("openslo"),
        _ => false,
    })
}

/// The value of a key.
pub(super) fn child<'d>(node: Node<'d>, name: &str) -> Option<Node<'d>> {
    let Kind::Mapping(children) = node.kind() else {
        return None;
    };
    let is_it = |key: Node<'d>| matches!(key.kind(), Kind::Scalar(scalar) if scalar.text == name);
    children
        .pairs()
        .find(|(key, _)| is_it(*key))
        .map(|(_, value)| value)
}

/// What Sloth means: bad events of all, or their share, in any window.
fn of_sloth(
    source: &Source,
    slo: &sloth::Slo,
    period: Millis,
    features: &Features,
) -> Result<Slo, Vec<Diagnostic>> {
    let measure = |text: &Embedded| {
        let kind = match is_windowed(&text.text) {
            true => MeasureKind::Windowed,
            false => MeasureKind::Values,
        };
        measure(text, kind, features)
    };
    let indicator = match &slo.sli {
        sloth::Sli::Events { error, total } => Indicator::Events {
            quality: Quality::Bad,
            some: measure(error.text())?,
            total: measure(total.text())?,
        },
        sloth::Sli::Raw(ratio) => Indicator::Ratio {
            quality: Quality::Bad,
            share: measure(ratio.text())?,
        },
    };
    let target = Target::of_percent(&slo.objective_text).map_err(|error| {
        let fault = Diagnostic::error(format!("objective: {:?} {error}", slo.objective_text));
        let fault = fault.at(source, slo.objective_span);
        vec![fault.help("write per cent such as 99.9")]
    })?;
    let labels = slo.labels.iter();
    Ok(Slo {
        name: slo.id.clone(),
        service: Some(slo.service.clone()),
        description: slo.description.clone(),
        labels: labels
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        target,
        window: Window::Rolling(period),
        method: Method::Occurrences,
        indicator,
        grouping: Vec::new(),
        place: Place::new(source, slo.name_span),
    })
}

/// What Pyrra means, for each group by itself.
fn of_pyrra(spec: &pyrra::Spec, features: &Features) -> Result<Slo, Vec<Diagnostic>> {
    let counter = |metric: &pyrra::Metric| measure(&metric.text, MeasureKind::Counter, features);
    let indicator = match &spec.indicator {
        pyrra::Indicator::Ratio { errors, total } => Indicator::Events {
            quality: Quality::Bad,
            some: counter(errors)?,
            total: counter(total)?,
        },
        pyrra::Indicator::Latency { success, total } => Indicator::Events {
            quality: Quality::Good,
            some: counter(success)?,
            total: counter(total)?,
        },
        pyrra::Indicator::LatencyNative { total, latency } => Indicator::Latency {
            histogram: counter(total)?,
            within: *latency as f64 / 1e3,
        },
        pyrra::Indicator::BoolGauge(gauge) => Indicator::Boolean {
            value: measure(&gauge.text, MeasureKind::Values, features)?,
        },
    };
    let target = Target::of_percent(&spec.target.to_string()).map_err(|error| {
        let fault = Diagnostic::error(format!("target: {} {error}", spec.target));
        let fault = fault.at(&spec.source, spec.target_span);
        vec![fault.help("write per cent such as \"99.9\"")]
    })?;
    Ok(Slo {
        name: spec.object.name.clone(),
        service: None,
        description: spec.description.clone(),
        labels: Vec::new(),
        target,
        window: Window::Rolling(spec.window),
        method: Method::Occurrences,
        indicator,
        grouping: spec.grouping.clone(),
        place: Place::new(&spec.source, spec.name_span),
    })
}

fn measure(
    text: &Embedded,
    kind: MeasureKind,
    features: &Features,
) -> Result<Box<Measure>, Vec<Diagnostic>> {
    let read = Measure::new(text.clone(), kind, features);
    read.map(Box::new).map_err(|errors| {
        let faults = errors.iter().map(|error| diagnose_query(text, error, ""));
        faults.collect()
    })
}
