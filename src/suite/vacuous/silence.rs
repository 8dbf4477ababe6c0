//! Alerts that are only ever expected to be silent.

use std::collections::BTreeMap;

use super::{Context, Finding};
use crate::model::{Duration, Millis};
use crate::replay::{Instance, Replay, RuleId};
use crate::rules::{Rule, RuleKind};
use crate::suite::expect::{ExpectationKind, SloAsk};
use crate::suite::reads::numbered;
use crate::text::{Diagnostic, Place, Span, distinct};

/// The alerts that were ever pending or firing, and whether they fired.
#[derive(Debug, Clone, Default)]
pub(in crate::suite) struct Active(BTreeMap<RuleId, bool>);

impl Active {
    /// What alerts did in a test.
    pub fn of(replay: &Replay<'_>) -> Active {
        let alerts = replay.timeline.alerts.iter();
        let alerts = alerts.filter(|alert| !alert.instances.is_empty());
        let fires = |instances: &[Instance]| instances.iter().any(Instance::fires);
        Active(
            alerts
                .map(|alert| (alert.rule, fires(&alert.instances)))
                .collect(),
        )
    }

    /// Takes over what alerts did in another test.
    pub fn merge(&mut self, other: Active) {
        for (rule, fired) in other.0 {
            *self.0.entry(rule).or_default() |= fired;
        }
    }
}

/// What the tests of a file say of an alert of a rule file.
#[derive(Debug, Clone)]
pub struct Silence {
    rule_file: String,
    alert: String,
    /// The first place that expects it to be silent, if there is one that can't do without it firing elsewhere.
    place: Option<Place>,
    /// Whether it fires somewhere.
    fires: bool,
    /// Why it can't fire in any test, where that is so.
    starved: Vec<Diagnostic>,
    hold: Millis,
}

/// What the tests of many files say of alerts.
#[derive(Debug, Clone, Default)]
pub struct Silences(BTreeMap<(String, String), Silence>);

impl Silences {
    /// Takes over what the tests of a further file say.
    pub fn merge(&mut self, found: Vec<Silence>) {
        for silence in found {
            let key = (silence.rule_file.clone(), silence.alert.clone());
            match self.0.get_mut(&key) {
                None => drop(self.0.insert(key, silence)),
                Some(before) => {
                    before.fires |= silence.fires;
                    let is_first = before.place.is_none();
                    if is_first {
                        before.place = silence.place;
                    }
                    // Where another test has series for it, there is no lack of them.
                    match is_first || !silence.starved.is_empty() {
                        true if is_first => before.starved = silence.starved,
                        true => {}
                        false => before.starved.clear(),
                    }
                }
            }
        }
    }

    /// Warnings of the alerts that are expected to be silent and fire nowhere.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        let silent = self.0.into_values().filter(|silence| !silence.fires);
        let told = silent.flat_map(Silence::into_diagnostics);
        distinct(told.collect())
    }
}

impl Silence {
    fn into_diagnostics(self) -> Vec<Diagnostic> {
        let Some(place) = self.place else {
            return Vec::new();
        };
        if !self.starved.is_empty() {
            return self
                .starved
                .into_iter()
                .map(Diagnostic::into_warning)
                .collect();
        }
        let message = format!(
            "alert {:?} is only ever expected to be silent: it fires in no test",
            self.alert
        );
        let help = match self.hold {
            0 => "add a test in which it fires: series for which its expression yields something"
                .to_owned(),
            hold => format!(
                "add a test in which it fires: series for which its expression yields something for {} (`for`)",
                Duration(hold)
            ),
        };
        let told = Diagnostic::warning(message).at(&place.source, place.span);
        vec![told.help(help)]
    }
}

/// What a file expects of an alert.
#[derive(Default)]
struct Asked {
    /// The first place that expects it to be silent.
    silent: Option<Span>,
    /// Whether one of these places stands in a test with keys that promtool does not know.
    is_extended: bool,
    /// Whether it is expected to fire or to be pending.
    fires: bool,
}

/// Alerts that must be silent and can't be anything else, in tests that promtool would not run; and what there is to know of
/// all others that are expected to be silent, for those who know of other files too.
pub(super) fn silences(context: &Context<'_>, active: &Active) -> (Vec<Finding>, Vec<Silence>) {
    let mut asked: BTreeMap<&str, Asked> = BTreeMap::new();
    for test in context.tests() {
        let checks = test.alert_checks.iter();
        let checks = checks.map(|check| (&check.alertname, check.expected.is_empty()));
        let items = test.expectations.iter().flat_map(|item| match &item.kind {
            ExpectationKind::Alert(alert) => vec![(&alert.alert, alert.is_met_by_silence())],
            ExpectationKind::Slo(slo) => {
                let alerts = slo.asks.iter().filter_map(SloAsk::alert);
                alerts.map(|alert| (alert, false)).collect()
            }
            ExpectationKind::Alerts(_) | ExpectationKind::Expr(_) => Vec::new(),
        });
        for (alert, is_silent) in checks.chain(items) {
            let asked = asked.entry(alert.value.as_str()).or_default();
            match is_silent {
                true => {
                    asked.silent.get_or_insert(alert.span);
                    asked.is_extended |= test.is_extended;
                }
                false => asked.fires = true,
            }
        }
    }
    let (mut findings, mut silences) = (Vec::new(), BTreeMap::new());
    for (name, asked) in asked {
        let rules = numbered(context.groups)
            .filter(|(_, rule)| rule.name == name && matches!(rule.kind, RuleKind::Alert(_)));
        let rules: Vec<(RuleId, &Rule)> = rules.collect();
        let is_active = rules.iter().any(|(id, _)| active.0.contains_key(id));
        let fires = asked.fires || rules.iter().any(|(id, _)| active.0.get(id) == Some(&true));
        let starved = match asked.silent {
            Some(span) if !is_active && !asked.fires => starved(context, name, &rules, span),
            _ => Vec::new(),
        };
        let is_told = asked.is_extended && !starved.is_empty();
        let place = asked.silent.filter(|_| !is_told);
        let place = place.map(|span| Place::new(&context.suite.file.source, span));
        for (id, rule) in &rules {
            let Some(group) = context.groups.get(id.group) else {
                continue;
            };
            let rule_file = group.source.name().to_owned();
            let silence = Silence {
                rule_file: rule_file.clone(),
                alert: name.to_owned(),
                place: place.clone(),
                fires,
                starved: starved.clone(),
                hold: hold(rule),
            };
            silences.entry((rule_file, name)).or_insert(silence);
        }
        if is_told {
            findings.extend(starved.into_iter().map(|fault| Finding {
                fault,
                is_extended: true,
            }));
        }
    }
    (findings, silences.into_values().collect())
}

fn hold(rule: &Rule) -> Millis {
    match &rule.kind {
        RuleKind::Alert(alert) => alert.hold,
        RuleKind::Recording { .. } => 0,
    }
}

/// The selectors for want of whose series none of the rules of an alert can fire in any test of the file.
fn starved(
    context: &Context<'_>,
    name: &str,
    rules: &[(RuleId, &Rule)],
    silent: Span,
) -> Vec<Diagnostic> {
    let world = context.world();
    let of_rules: Option<Vec<_>> = rules.iter().map(|(_, rule)| world.starving(rule)).collect();
    let place = Place::new(&context.suite.file.source, silent);
    let expected = format!(
        "{}:{}",
        place.source.name(),
        place.source.line_column(place.span.start).line
    );
    let culprits = of_rules.into_iter().flatten().flatten();
    let told = culprits.map(|(rule, culprit)| {
        let text = &rule.expr_text;
        let selector = rule.expr.written(culprit.span);
        let message = format!(
            "{selector} selects no series of any test: that alert {name:?} is silent ({expected}) proves nothing"
        );
        let fault = Diagnostic::error(message).at(text.source(), text.span(culprit.span));
        match world.near(&culprit.selector.matchers) {
            Some(near) => fault.help(format!("{near}: correct the rule or the test")),
            None => fault.help("give a test a series that it selects, best one for which the alert fires"),
        }
    });
    distinct(told.collect())
}
