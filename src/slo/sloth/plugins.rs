//! Sloth's own plugins: the steps that make rules, and those that change them afterwards.

use std::collections::BTreeMap;

use super::read::value_span;
use crate::model::{Duration, Millis};
use crate::slo::keys::{Keys, Reader, first_line, merged};
use crate::text::Span;
use crate::text::yaml::Node;

/// A plugin in the chain of an objective.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// Below 0 before Sloth's own steps, else after them; smaller ones first.
    pub priority: i64,
    /// Where it is named.
    pub span: Span,
    /// What it does.
    pub step: Step,
}

/// What a plugin does.
#[derive(Debug, Clone)]
pub enum Step {
    /// Nothing that shows in rules: `debug`, `noop`, `validate`.
    Nothing,
    /// `sli_rules`: records the share of bad events for each window.
    SliRules {
        /// The whole period is computed from the events, not from the shortest window's records.
        plain_period: bool,
    },
    /// `metadata_rules`: records objective, budget and burn.
    MetadataRules,
    /// `alert_rules`: the two alerts.
    AlertRules,
    /// `info_labels`: more labels on the information, or on another metric of the same group.
    InfoLabels {
        /// The recorded metric.
        metric: String,
        /// The labels.
        labels: BTreeMap<String, String>,
    },
    /// `rule_intervals`: how often the three groups are evaluated.
    RuleIntervals([Millis; 3]),
    /// `remove_labels`: the labels of the specification go, except on some metrics.
    RemoveLabels {
        /// Labels that stay.
        preserve: Vec<String>,
        /// Metrics that keep all.
        skip: Vec<String>,
    },
    /// `error_budget_exhausted_alert`: one more alert.
    BudgetExhausted(Box<Exhausted>),
    /// `denominator_corrected_rules`: weighs each window with its traffic.
    DenominatorCorrected {
        /// As in [`Step::SliRules`].
        plain_period: bool,
    },
}

/// The alert for a budget that is spent.
#[derive(Debug, Clone)]
pub struct Exhausted {
    /// Budget left at which it fires.
    pub threshold: f64,
    /// How long it must hold.
    pub hold: Millis,
    /// Its name.
    pub name: String,
    /// Labels it must find on the series beyond those of the objective.
    pub selector: BTreeMap<String, String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// The plugins that are known here, by their ids.
const KNOWN: [&str; 11] = [
    "sloth.dev/core/debug/v1",
    "sloth.dev/core/noop/v1",
    "sloth.dev/core/validate/v1",
    "sloth.dev/core/sli_rules/v1",
    "sloth.dev/core/metadata_rules/v1",
    "sloth.dev/core/alert_rules/v1",
    "sloth.dev/contrib/info_labels/v1",
    "sloth.dev/contrib/rule_intervals/v1",
    "sloth.dev/contrib/remove_labels/v1",
    "sloth.dev/contrib/error_budget_exhausted_alert/v1",
    "sloth.dev/contrib/denominator_corrected_rules/v1",
];

/// Reads an element of a chain.
pub(super) fn read<'d>(reader: &mut Reader<'d>, node: Node<'d>) -> Option<Plugin> {
    let keys = reader.keys(node, "a plugin", &["id", "config", "priority"])?;
    let id = reader.text_of(&keys, "id");
    if id.is_empty() {
        let help = format!("name one of {}", KNOWN.join(", "));
        reader.error(first_line(node), "plugin ID is required", help);
        return None;
    }
    let priority = keys.node("priority");
    let priority = priority.and_then(|node| reader.decoder.integer(node, "`priority`"));
    let span = value_span(&keys, "id");
    let step = step(reader, &keys, &id, span)?;
    Some(Plugin {
        priority: priority.unwrap_or(0),
        span,
        step,
    })
}

fn step<'d>(reader: &mut Reader<'d>, plugin: &Keys<'d>, id: &str, span: Span) -> Option<Step> {
    let mut config = |known: &[&str]| {
        let node = plugin.node("config")?;
        reader.keys(node, "`config`", known)
    };
    Some(match id {
        "sloth.dev/core/debug/v1" | "sloth.dev/core/noop/v1" | "sloth.dev/core/validate/v1" => {
            Step::Nothing
        }
        "sloth.dev/core/metadata_rules/v1" => Step::MetadataRules,
        "sloth.dev/core/alert_rules/v1" => Step::AlertRules,
        "sloth.dev/core/sli_rules/v1" => {
            let config = config(&["disableOptimized"]);
            let plain_period = plain_period(reader, config);
            Step::SliRules { plain_period }
        }
        "sloth.dev/contrib/denominator_corrected_rules/v1" => {
            let config = config(&["disableOptimized"]);
            let plain_period = plain_period(reader, config);
            Step::DenominatorCorrected { plain_period }
        }
        "sloth.dev/contrib/info_labels/v1" => {
            let config = config(&["labels", "metricName"]);
            info_labels(reader, config, span)?
        }
        "sloth.dev/contrib/rule_intervals/v1" => {
            let config = config(&["interval"]);
            rule_intervals(reader, config, span)?
        }
        "sloth.dev/contrib/remove_labels/v1" => {
            let config = config(&["preserveLabels", "skipMetrics"]);
            Step::RemoveLabels {
                preserve: texts(reader, &config, "preserveLabels"),
                skip: texts(reader, &config, "skipMetrics"),
            }
        }
        "sloth.dev/contrib/error_budget_exhausted_alert/v1" => {
            let known = [
                "threshold",
                "for",
                "annotations",
                "alert_name",
                "selector_labels",
                "alert_labels",
            ];
            let config = config(&known);
            exhausted(reader, config)
        }
        _ => {
            refuse(reader, id, span);
            return None;
        }
    })
}

fn refuse(reader: &mut Reader<'_>, id: &str, span: Span) {
    let message = format!("the plugin {id:?} is a program for Sloth, which can't be run here");
    let help = match crate::text::closest(id, &KNOWN) {
        Some(near) => format!("did you mean {near}?"),
        None => format!(
            "remove it and change the generated rules by hand; these are known: {}",
            KNOWN.join(", ")
        ),
    };
    reader.error(span, message, help);
}

fn plain_period<'d>(reader: &mut Reader<'d>, config: Option<Keys<'d>>) -> bool {
    config.is_some_and(|config| reader.flag_of(&config, "disableOptimized") == Some(true))
}

fn texts<'d>(reader: &mut Reader<'d>, config: &Option<Keys<'d>>, name: &str) -> Vec<String> {
    match config {
        Some(config) => reader.texts_of(config, name),
        None => Vec::new(),
    }
}

fn info_labels<'d>(reader: &mut Reader<'d>, config: Option<Keys<'d>>, span: Span) -> Option<Step> {
    let mut labels = BTreeMap::new();
    let mut metric = String::new();
    if let Some(config) = &config {
        labels = merged([&*reader.entries_of(config, "labels")]);
        metric = reader.text_of(config, "metricName");
    }
    if labels.is_empty() {
        let help = "write `config: {labels: {name: value}}` beside its id";
        reader.error(span, "this plugin needs at least one label", help);
        return None;
    }
    if metric.is_empty() {
        super::rules::INFO.clone_into(&mut metric);
    }
    Some(Step::InfoLabels { metric, labels })
}

fn rule_intervals<'d>(
    reader: &mut Reader<'d>,
    config: Option<Keys<'d>>,
    span: Span,
) -> Option<Step> {
    let interval = config.and_then(|config| config.node("interval"));
    let known = ["default", "sliError", "metadata", "alert"];
    let keys = interval.and_then(|node| reader.keys(node, "`interval`", &known));
    let default = keys
        .as_ref()
        .and_then(|keys| reader.duration_of(keys, "default"));
    let (Some(keys), Some(default)) = (keys, default.filter(|default| *default > 0)) else {
        let help = "write `config: {interval: {default: 1m}}` beside its id";
        reader.error(
            span,
            "this plugin needs at least the default interval",
            help,
        );
        return None;
    };
    let own = ["sliError", "metadata", "alert"].map(|name| {
        let own = reader.duration_of(&keys, name);
        own.filter(|own| *own > 0).unwrap_or(default)
    });
    Some(Step::RuleIntervals(own))
}

fn exhausted<'d>(reader: &mut Reader<'d>, config: Option<Keys<'d>>) -> Step {
    /// What Sloth takes where nothing is said.
    const HOLD: Millis = 5 * 60_000;
    let mut step = Exhausted {
        threshold: 0.0,
        hold: HOLD,
        name: "ErrorBudgetExhausted".to_owned(),
        selector: BTreeMap::new(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
    };
    if let Some(config) = &config {
        step.threshold = reader.float_of(config, "threshold").unwrap_or(0.0);
        let hold = reader.duration_of(config, "for");
        step.hold = hold.filter(|hold| *hold > 0).unwrap_or(HOLD);
        let name = reader.text_of(config, "alert_name");
        if !name.is_empty() {
            step.name = name;
        }
        step.selector = merged([&*reader.entries_of(config, "selector_labels")]);
        step.labels = merged([&*reader.entries_of(config, "alert_labels")]);
        step.annotations = merged([&*reader.entries_of(config, "annotations")]);
    }
    Step::BudgetExhausted(Box::new(step))
}

/// How an interval is written.
pub(super) fn written(length: Millis) -> String {
    Duration(length).to_string()
}
