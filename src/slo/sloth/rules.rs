//! Makes the rules that Sloth makes, to the letter.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::plugins::{Exhausted, Step, written};
use super::windows::{AlertWindow, Catalogue, Windows};
use super::{Alert, Sli, Slo, Spec, VERSION};
use crate::model::number::{format_general, format_value, quote};
use crate::model::{Duration, Millis};
use crate::slo::generated::{Bundle, Group, Kind, Object, Rule};
use crate::text::{Diagnostic, Span};

/// The metric with what is known of an objective.
pub(super) const INFO: &str = "sloth_slo_info";

const BUDGET: &str = "slo:error_budget:ratio";
const PERIOD_BURN: &str = "slo:period_burn_rate:ratio";
const BUDGET_LEFT: &str = "slo:period_error_budget_remaining:ratio";
const CORRECTION: &str = "slo:numerator_correction:ratio";
const WINDOW_LABEL: &str = "sloth_window";

/// What Sloth's command line says.
#[derive(Debug, Clone)]
pub struct Options {
    /// The length of all objectives.
    pub period: Millis,
    /// The windows of the alerts.
    pub catalogue: Catalogue,
    /// Labels for all series and none of the alerts.
    pub extra_labels: BTreeMap<String, String>,
    /// Leaves recording rules away.
    pub no_recordings: bool,
    /// Leaves alerts away.
    pub no_alerts: bool,
    /// What the label `sloth_version` says.
    pub version: String,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            period: 30 * 86_400_000,
            catalogue: Catalogue::default(),
            extra_labels: BTreeMap::new(),
            no_recordings: false,
            no_alerts: false,
            version: VERSION.to_owned(),
        }
    }
}

/// Why no rules can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There are no windows for the length of the objectives.
    #[error("there are no alert windows for objectives of {0}")]
    NoWindows(String),
    /// The last digits of a query can't be made, or the steps do not fit the objective.
    #[error("{0}")]
    Step(String, Span),
    /// No rule came out.
    #[error("no rule is left of this specification")]
    Nothing,
}

impl Fault {
    /// The same with its place and a way out.
    pub fn diagnose(&self, spec: &Spec, options: &Options) -> Diagnostic {
        let fault = Diagnostic::error(self.to_string());
        let first = spec.slos.first().map(|slo| slo.name_span);
        match self {
            Fault::NoWindows(_) => {
                let periods = options.catalogue.periods();
                let periods: Vec<String> = periods.map(in_days).collect();
                fault.help(format!(
                    "there are some for {}; give others with --windows",
                    periods.join(" and ")
                ))
            }
            Fault::Step(_, span) => fault
                .at(&spec.source, *span)
                .help("correct the query or the plugin"),
            Fault::Nothing => fault
                .at(&spec.source, first.unwrap_or_default())
                .help("leave recordings or alerts switched on"),
        }
    }
}

/// The rules of a specification.
///
/// # Errors
///
/// A [`Fault`].
pub fn generate(spec: &Spec, options: &Options) -> Result<Bundle, Fault> {
    let windows = options.catalogue.get(options.period);
    let windows = windows.ok_or_else(|| Fault::NoWindows(in_days(options.period)))?;
    let mut groups = Vec::new();
    for slo in &spec.slos {
        let mut slo = slo.clone();
        slo.labels.extend(options.extra_labels.clone());
        let mut maker = Maker {
            slo: &slo,
            windows,
            spec,
            options,
            made: Made::default(),
        };
        maker.run()?;
        groups.extend(maker.made.into_groups(&slo.id, options));
    }
    match groups.is_empty() {
        true => Err(Fault::Nothing),
        false => Ok(Bundle {
            object: spec.object.clone().map(managed),
            groups,
        }),
    }
}

/// With the labels that Sloth gives to every object.
fn managed(mut object: Object) -> Object {
    let labels = [
        ("app.kubernetes.io/component", "SLO"),
        ("app.kubernetes.io/managed-by", "sloth"),
    ];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    object.labels.extend(labels);
    object
}

/// The three groups of an objective.
#[derive(Default)]
struct Made {
    sli: Vec<Rule>,
    metadata: Vec<Rule>,
    alerts: Vec<Rule>,
    intervals: Option<[Millis; 3]>,
}

impl Made {
    fn into_groups(self, id: &str, options: &Options) -> Vec<Group> {
        let parts = [
            ("sloth-slo-sli-recordings-", self.sli, options.no_recordings),
            (
                "sloth-slo-meta-recordings-",
                self.metadata,
                options.no_recordings,
            ),
            ("sloth-slo-alerts-", self.alerts, options.no_alerts),
        ];
        let mut groups = Vec::new();
        for (index, (prefix, rules, left_away)) in parts.into_iter().enumerate() {
            if rules.is_empty() || left_away {
                continue;
            }
            let interval = self.intervals.and_then(|all| all.get(index).copied());
            groups.push(Group {
                name: format!("{prefix}{id}"),
                interval: interval.map(written),
                rules,
            });
        }
        groups
    }
}

struct Maker<'a> {
    slo: &'a Slo,
    windows: &'a Windows,
    spec: &'a Spec,
    options: &'a Options,
    made: Made,
}

impl Maker<'_> {
    /// All steps: plugins below 0, Sloth's own unless they are overridden, the other plugins.
    fn run(&mut self) -> Result<(), Fault> {
        let mut plugins: Vec<_> = self.slo.plugins.iter().collect();
        plugins.sort_by_key(|plugin| plugin.priority);
        let split = plugins.partition_point(|plugin| plugin.priority < 0);
        let (before, after) = plugins.split_at(split);
        for plugin in before {
            self.step(&plugin.step, plugin.span)?;
        }
        if !self.slo.overrides {
            let plain_period = false;
            let own = [
                Step::SliRules { plain_period },
                Step::MetadataRules,
                Step::AlertRules,
            ];
            for step in own {
                self.step(&step, self.slo.name_span)?;
            }
        }
        for plugin in after {
            self.step(&plugin.step, plugin.span)?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step, span: Span) -> Result<(), Fault> {
        match step {
            Step::Nothing => {}
            Step::SliRules { plain_period } => self.made.sli = self.sli_rules(*plain_period)?,
            Step::MetadataRules => self.made.metadata = self.metadata_rules(),
            Step::AlertRules => self.made.alerts = self.alert_rules(),
            Step::InfoLabels { metric, labels } => {
                let mut rules = self.made.metadata.iter_mut();
                if let Some(rule) = rules.find(|rule| rule.name == *metric) {
                    rule.labels.extend(labels.clone());
                }
            }
            Step::RuleIntervals(intervals) => self.made.intervals = Some(*intervals),
            Step::RemoveLabels { preserve, skip } => self.remove_labels(preserve, skip),
            Step::BudgetExhausted(alert) => {
                let alert = self.exhausted(alert);
                self.made.alerts.push(alert);
            }
            Step::DenominatorCorrected { plain_period } => self.corrected(*plain_period, span)?,
        }
        Ok(())
    }

    /// The windows for which the share of bad events is recorded: those of the alerts and the whole period.
    fn recorded(&self) -> Vec<Millis> {
        let mut lengths = self.windows.lengths();
        lengths.push(self.windows.period);
        lengths
    }

    fn sli_rules(&self, plain_period: bool) -> Result<Vec<Rule>, Fault> {
        let period = self.windows.period;
        let mut rules = Vec::new();
        for window in self.recorded() {
            let expr = match window == period && !plain_period {
                true => self.period_query()?,
                false => self.events_query(window)?,
            };
            rules.push(self.sli_rule(window, expr));
        }
        Ok(rules)
    }

    fn sli_rule(&self, window: Millis, expr: String) -> Rule {
        let mut labels = self.slo.identity();
        labels.insert(WINDOW_LABEL.to_owned(), written(window));
        labels.extend(self.slo.labels.clone());
        Rule::record(sli_metric(window), expr, labels)
    }

    /// The share of bad events over a window, from the events.
    fn events_query(&self, window: Millis) -> Result<String, Fault> {
        let window = written(window);
        let rendered = match &self.slo.sli {
            Sli::Events { error, total } => error.render(&window).and_then(|error| {
                let total = total.render(&window)?;
                Ok(format!("({error})\n/\n({total})\n"))
            }),
            Sli::Raw(ratio) => ratio.render(&window).map(|ratio| format!("({ratio})")),
        };
        rendered.map_err(|message| Fault::Step(message, self.slo.name_span))
    }

    /// The same over the whole period: the mean of the records of the shortest window.
    fn period_query(&self) -> Result<String, Fault> {
        let short = self.windows.page_quick.short;
        if short == self.windows.period {
            let message = "the short window of quick pages is as long as the objective";
            return Err(Fault::Step(message.to_owned(), self.slo.name_span));
        }
        let (metric, filter) = (sli_metric(short), self.filter());
        let window = written(self.windows.period);
        Ok(format!(
            "sum_over_time({metric}{filter}[{window}])\n/ ignoring ({WINDOW_LABEL})\n\
             count_over_time({metric}{filter}[{window}])\n"
        ))
    }

    fn metadata_rules(&self) -> Vec<Rule> {
        let mut labels = self.slo.identity();
        labels.extend(self.slo.labels.clone());
        let filter = self.filter();
        let objective = format_general(self.slo.objective / 100.0);
        let period = self.windows.period;
        let days = super::windows::hours(period) / 24.0;
        let burn = |metric: &str| {
            format!(
                "{metric}{filter}\n/ on(sloth_id, sloth_slo, sloth_service) group_left\n{BUDGET}{filter}\n"
            )
        };
        let rows = [
            ("slo:objective:ratio", format!("vector({objective})")),
            (BUDGET, format!("vector(1-{objective})")),
            (
                "slo:time_period:days",
                format!("vector({})", format_general(days)),
            ),
            (
                "slo:current_burn_rate:ratio",
                burn(&sli_metric(self.windows.page_quick.short)),
            ),
            (PERIOD_BURN, burn(&sli_metric(period))),
            (BUDGET_LEFT, format!("1 - {PERIOD_BURN}{filter}")),
            (INFO, "vector(1)".to_owned()),
        ];
        let rules = rows.map(|(name, expr)| Rule::record(name, expr, labels.clone()));
        let mut rules = Vec::from(rules);
        if let Some(info) = rules.last_mut() {
            info.labels.extend(self.info_labels());
        }
        rules
    }

    fn info_labels(&self) -> [(String, String); 4] {
        let (mode, spec) = match self.spec.object {
            Some(_) => ("cli-gen-k8s", "sloth.slok.dev/v1"),
            None => ("cli-gen-prom", "prometheus/v1"),
        };
        let objective = format_value(self.slo.objective);
        [
            ("sloth_version", self.options.version.as_str()),
            ("sloth_mode", mode),
            ("sloth_spec", spec),
            ("sloth_objective", &objective),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    }

    fn alert_rules(&self) -> Vec<Rule> {
        let windows = self.windows;
        let page = self.slo.page.as_ref();
        let page = page.map(|alert| {
            let tiers = [windows.page_quick, windows.page_slow];
            self.alert_rule(alert, "page", tiers)
        });
        let ticket = self.slo.ticket.as_ref();
        let ticket = ticket.map(|alert| {
            let tiers = [windows.ticket_quick, windows.ticket_slow];
            self.alert_rule(alert, "ticket", tiers)
        });
        page.into_iter().chain(ticket).collect()
    }

    fn alert_rule(&self, alert: &Alert, severity: &str, tiers: [AlertWindow; 2]) -> Rule {
        let parts = tiers.map(|tier| self.condition(tier));
        let mut labels = BTreeMap::from([("sloth_severity".to_owned(), severity.to_owned())]);
        labels.extend(alert.labels.clone());
        let slo = "{{$labels.sloth_service}} {{$labels.sloth_slo}}";
        let texts = [
            (
                "title",
                format!("({severity}) {slo} SLO error budget burn rate is too fast."),
            ),
            (
                "summary",
                format!("{slo} SLO error budget burn rate is over expected."),
            ),
        ];
        let mut annotations: BTreeMap<String, String> =
            texts.map(|(name, text)| (name.to_owned(), text)).into();
        annotations.extend(alert.annotations.clone());
        Rule {
            kind: Kind::Alert,
            name: alert.name.clone(),
            expr: parts.join("or\n"),
            hold: None,
            labels,
            annotations,
        }
    }

    /// Both windows of a tier burn faster than its factor.
    fn condition(&self, tier: AlertWindow) -> String {
        let filter = self.filter();
        let factor = format_general(self.windows.factor(tier));
        let budget = format_general((100.0 - self.slo.objective) / 100.0);
        let half = |window: Millis| {
            let metric = sli_metric(window);
            format!("    max({metric}{filter} > ({factor} * {budget})) without ({WINDOW_LABEL})\n")
        };
        format!("(\n{}    and\n{})\n", half(tier.short), half(tier.long))
    }

    fn remove_labels(&mut self, preserve: &[String], skip: &[String]) {
        let mut kept: Vec<String> = self.slo.identity().into_keys().collect();
        kept.extend_from_slice(preserve);
        let is_skipped = |rule: &Rule| rule.name == INFO || skip.contains(&rule.name);
        let keep = |rules: &mut Vec<Rule>, also: Option<&str>| {
            for rule in rules.iter_mut().filter(|rule| !is_skipped(rule)) {
                rule.labels
                    .retain(|name, _| kept.contains(name) || Some(name.as_str()) == also);
            }
        };
        keep(&mut self.made.sli, Some(WINDOW_LABEL));
        keep(&mut self.made.metadata, None);
    }

    fn exhausted(&self, alert: &Exhausted) -> Rule {
        let mut labels = self.slo.identity();
        labels.extend(self.slo.labels.clone());
        labels.extend(alert.selector.clone());
        let threshold = format_general(alert.threshold);
        Rule {
            kind: Kind::Alert,
            name: alert.name.clone(),
            expr: format!("{BUDGET_LEFT}{} <= {threshold}", filter(&labels)),
            hold: Some(written(alert.hold)),
            labels: alert.labels.clone(),
            annotations: alert.annotations.clone(),
        }
    }

    /// The share of bad events of each window weighed with the share of the period's traffic in it.
    fn corrected(&mut self, plain_period: bool, span: Span) -> Result<(), Fault> {
        let Sli::Events { error, total } = &self.slo.sli else {
            let message = "denominator corrected SLI requires SLI event type";
            return Err(Fault::Step(message.to_owned(), span));
        };
        let step = |message: String| Fault::Step(message, span);
        let period = self.windows.period;
        let (filter, period_text) = (self.filter(), written(period));
        let mut rules = Vec::new();
        for window in self.recorded() {
            let text = written(window);
            let expr = match (window == period, plain_period) {
                (true, true) => self.events_query(window)?,
                (true, false) => self.period_query()?,
                (false, _) => {
                    let error = error.render(&text).map_err(step)?;
                    let total = total.render(&text).map_err(step)?;
                    format!("(\n{CORRECTION}{text}{filter}\n* on()\n{error}\n)\n/\n({total})\n")
                }
            };
            rules.push(self.sli_rule(window, expr));
        }
        let mut labels = self.slo.identity();
        labels.extend(self.slo.labels.clone());
        let whole = total.render(&period_text).map_err(step)?;
        for window in self.windows.lengths() {
            let text = written(window);
            let part = total.render(&text).map_err(step)?;
            let expr = format!("({part})/({whole})");
            let rule = Rule::record(format!("{CORRECTION}{text}"), expr, labels.clone());
            self.made.metadata.push(rule);
        }
        self.made.sli = rules;
        Ok(())
    }

    /// A selector of the objective's series.
    fn filter(&self) -> String {
        filter(&self.slo.identity())
    }
}

/// A length as people say it: 28d rather than 4w.
fn in_days(length: Millis) -> String {
    match length % 86_400_000 {
        0 => format!("{}d", length / 86_400_000),
        _ => Duration(length).to_string(),
    }
}

/// The name under which the share of bad events over a window is recorded.
fn sli_metric(window: Millis) -> String {
    format!("slo:sli_error:ratio_rate{}", written(window))
}

/// Labels as Go prints a set of them, which is a selector, too.
fn filter(labels: &BTreeMap<String, String>) -> String {
    let mut out = String::from("{");
    for (index, (name, value)) in labels.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        // A string takes every text.
        let _ = write!(out, "{comma}{name}={}", quote(value));
    }
    out.push('}');
    out
}
