//! What objects mean together: references are followed, in the same file first and then in the others that were given.

use std::collections::HashSet;

use super::alerts::{Condition, Policy};
use super::indicator::{MetricSource, Sli};
use super::objects::{Objects, Shelf};
use super::parts::{Member, Name};
use super::spec::{SloObject, SloObjective};
use super::{Alert, Objective, Places, Spec};
use crate::promql::Features;
use crate::promql::ast::ValueType;
use crate::slo::objective::{Indicator, Measure, MeasureKind, Slo, is_windowed, measure};
use crate::text::{Diagnostic, Place, closest, distinct};

/// Words in the types of data sources that understand PromQL.
const PROMQL: [&str; 7] = [
    "prom",
    "thanos",
    "cortex",
    "mimir",
    "victoria",
    "metricsql",
    "amp",
];

/// The objectives of a file, which may name objects of all files.
///
/// # Errors
/// References to objects that are nowhere, and what is no query of Prometheus though it says so.
pub(in crate::slo) fn resolve(
    here: &Objects,
    all: &[&Objects],
    features: &Features,
) -> Result<Spec, Vec<Diagnostic>> {
    let mut resolver = Resolver {
        here,
        all,
        features,
        faults: Vec::new(),
        spec: Spec {
            objects: here.number,
            ..Spec::default()
        },
    };
    // Those that no SLO names, too.
    for source in here.slis.values().flatten().flat_map(Sli::sources) {
        resolver.measure(source, MeasureKind::Values);
    }
    for policy in here.policies.values().flatten() {
        resolver.alert(policy);
    }
    resolver.spec.unmade.clear();
    here.slos.iter().for_each(|slo| resolver.slo(slo));
    resolver.doubles();
    let spec = resolver.spec;
    match resolver.faults.is_empty() {
        true => Ok(Spec {
            unmade: distinct(spec.unmade),
            warnings: distinct(spec.warnings),
            ..spec
        }),
        false => Err(distinct(resolver.faults)),
    }
}

struct Resolver<'a> {
    here: &'a Objects,
    all: &'a [&'a Objects],
    features: &'a Features,
    faults: Vec<Diagnostic>,
    spec: Spec,
}

impl<'a> Resolver<'a> {
    fn slo(&mut self, object: &'a SloObject) {
        let policies: Vec<Option<Alert>> = object
            .policies
            .iter()
            .filter_map(|policy| {
                let policy = self.policy(policy)?;
                Some(self.alert(policy))
            })
            .collect();
        let members = object
            .objectives
            .iter()
            .filter_map(|it| it.indicator.as_ref());
        let members: Vec<&Member<Sli>> = members.collect();
        if !members.is_empty() {
            for sli in members {
                self.sli(sli);
            }
            let message = "an SLO of several indicators: rulecheck does not add up their budgets";
            return self.unmade(&object.name.place, message, "make an SLO of each objective");
        }
        let Some(sli) = object.indicator.as_ref().and_then(|it| self.sli(it)) else {
            return;
        };
        if object.objectives.is_empty() {
            let help = "add `objectives: [{target: 0.999}]`";
            return self.unmade(&object.name.place, "an SLO without objectives", help);
        }
        for (index, objective) in object.objectives.iter().enumerate() {
            let Some(indicator) = self.indicator(sli, objective) else {
                continue;
            };
            let several = object.objectives.len() > 1;
            let name = &object.name.text;
            let slo = Slo {
                name: match (several, &objective.name) {
                    (false, _) => name.clone(),
                    (true, Some(own)) => format!("{name}-{own}"),
                    (true, None) => format!("{name}-{index}"),
                },
                service: Some(object.service.clone()),
                description: object.description.clone(),
                labels: object.name.labels.clone(),
                target: objective.target,
                window: object.window,
                method: objective.method,
                indicator,
                grouping: Vec::new(),
                place: match several {
                    true => objective.place.clone(),
                    false => object.name.place.clone(),
                },
            };
            let alerts = policies.iter().flatten().cloned().collect();
            self.spec.objectives.push(Objective {
                slo,
                alerts: (!object.policies.is_empty()).then_some(alerts),
            });
        }
    }

    fn sli(&mut self, member: &'a Member<Sli>) -> Option<&'a Sli> {
        let sli = match member {
            Member::Inline(sli) => sli,
            Member::Ref(name) => self.follow(name, "SLI", |it| &it.slis)?,
        };
        Some(sli)
    }

    fn policy(&mut self, member: &'a Member<Policy>) -> Option<&'a Policy> {
        match member {
            Member::Inline(policy) => Some(policy),
            Member::Ref(name) => self.follow(name, "AlertPolicy", |it| &it.policies),
        }
    }

    /// What a policy says, if it says when.
    fn alert(&mut self, policy: &'a Policy) -> Option<Alert> {
        for target in &policy.targets {
            if let Member::Ref(name) = target {
                self.follow(name, "AlertNotificationTarget", |it| &it.targets);
            }
        }
        let condition: &Condition = match &policy.condition {
            Member::Inline(condition) => condition,
            Member::Ref(name) => self.follow(name, "AlertCondition", |it| &it.conditions)?,
        };
        let description = match condition.description.is_empty() {
            true => &policy.description,
            false => &condition.description,
        };
        Some(Alert {
            policy: policy.name.text.clone(),
            description: description.clone(),
            without_data: policy.without_data,
            when_breaching: policy.when_breaching,
            severity: condition.severity.clone(),
            op: condition.op,
            threshold: condition.threshold,
            lookback: condition.lookback.millis(),
            after: condition.after.map_or(0, |after| after.millis()),
            places: Places {
                policy: policy.name.place.clone(),
                threshold: condition.threshold_place.clone(),
                lookback: condition.lookback_place.clone(),
            },
        })
    }

    /// What an indicator measures, with the comparison that a threshold's objective makes.
    fn indicator(&mut self, sli: &'a Sli, objective: &SloObjective) -> Option<Indicator> {
        let is_threshold = matches!(sli, Sli::Threshold(_));
        if !is_threshold && objective.compared.is_some() {
            let message = "`op` and `value` beside a ratio, which is compared with nothing";
            self.warn(&objective.place, message, "remove them");
        }
        match sli {
            Sli::Threshold(source) => {
                let value = self.measure(source, MeasureKind::Values);
                let Some((op, bound)) = objective.compared else {
                    let fault = Diagnostic::error("a threshold without `op` and `value`");
                    let fault = fault.at(&objective.place.source, objective.place.span);
                    self.faults.push(fault.help("add both to the objective"));
                    return None;
                };
                let value = value?;
                Some(Indicator::Threshold { value, op, bound })
            }
            Sli::Events {
                quality,
                counter,
                some,
                total,
            } => {
                let kind = match counter {
                    true => MeasureKind::Counter,
                    false => MeasureKind::Values,
                };
                let (some, total) = (self.measure(some, kind), self.measure(total, kind));
                Some(Indicator::Events {
                    quality: *quality,
                    some: some?,
                    total: total?,
                })
            }
            Sli::Raw { quality, share } => Some(Indicator::Ratio {
                quality: *quality,
                share: self.measure(share, MeasureKind::Values)?,
            }),
        }
    }

    /// The query of a metric, where its data source understands PromQL.
    fn measure(&mut self, source: &'a MetricSource, kind: MeasureKind) -> Option<Box<Measure>> {
        let named = match &source.reference {
            None => None,
            Some(name) => Some(self.follow(name, "DataSource", |it| &it.sources)?),
        };
        let kind_of_source = match source.kind.is_empty() {
            true => named.map_or("", String::as_str),
            false => &source.kind,
        };
        let folded = kind_of_source.to_ascii_lowercase();
        if !folded.is_empty() && !PROMQL.iter().any(|word| folded.contains(word)) {
            let message = format!("a source of type {kind_of_source:?} is not read");
            let help = "rulecheck knows Prometheus: write `type: prometheus` for a query in PromQL";
            self.unmade(&source.place, message, help);
            return None;
        }
        let Some((name, text)) = &source.query else {
            let message = "this source holds no query of Prometheus";
            let help = "rulecheck knows Prometheus: write the query behind `query:`";
            self.unmade(&source.place, message, help);
            return None;
        };
        let kind = match is_windowed(&text.text) {
            true => MeasureKind::Windowed,
            false => kind,
        };
        match measure(text, kind, self.features) {
            Ok(measure) => match measure.query.value_type() {
                ValueType::Vector | ValueType::Scalar => Some(measure),
                _ => {
                    let fault = Diagnostic::error(format!("`{name}` yields no numbers"));
                    let fault = fault.at(text.source(), text.whole());
                    let help = "name series, or wrap a range in `rate(…)`";
                    self.faults.push(fault.help(help));
                    None
                }
            },
            Err(found) => {
                self.faults.extend(found);
                None
            }
        }
    }

    /// The object that a reference means: of the same file, or else the only one of the others. `None` for none, which is a
    /// fault, and for a broken one, of which it was told.
    fn follow<T>(
        &mut self,
        name: &Name,
        kind: &str,
        shelf: impl Fn(&'a Objects) -> &'a Shelf<T>,
    ) -> Option<&'a T> {
        if let Some(found) = shelf(self.here).get(&name.text) {
            return found.as_ref();
        }
        let all = self.all.iter().copied();
        let mut found = all.filter_map(|objects| shelf(objects).get(&name.text));
        let (message, help) = match (found.next(), found.next()) {
            (Some(one), None) => return one.as_ref(),
            (Some(_), Some(_)) => {
                let message = format!(
                    "several files have an object {:?} of kind {kind}",
                    name.text
                );
                (
                    message,
                    "put the one that is meant into this file".to_owned(),
                )
            }
            (None, _) => {
                let known = self.all.iter().flat_map(|objects| shelf(objects).keys());
                let known: Vec<&str> = known.map(String::as_str).collect();
                let message = format!("there is no object {:?} of kind {kind}", name.text);
                let help = match closest(&name.text, &known) {
                    Some(near) => format!("did you mean {near:?}?"),
                    None => {
                        "put it into this file, or give the file that it stands in, too".to_owned()
                    }
                };
                (message, help)
            }
        };
        let fault = Diagnostic::error(message).at(&name.place.source, name.place.span);
        self.faults.push(fault.help(help));
        None
    }

    /// Objectives of one name.
    fn doubles(&mut self) {
        let mut seen = HashSet::new();
        for objective in &self.spec.objectives {
            let slo = &objective.slo;
            if !seen.insert(&slo.name) {
                let message = format!("there are two objectives {:?}", slo.name);
                let fault = Diagnostic::error(message).at(&slo.place.source, slo.place.span);
                self.faults
                    .push(fault.help("give one of them another name"));
            }
        }
    }

    fn unmade(&mut self, place: &Place, message: impl Into<String>, help: &str) {
        let fault = Diagnostic::error(message).at(&place.source, place.span);
        self.spec.unmade.push(fault.help(help));
    }

    fn warn(&mut self, place: &Place, message: &str, help: &str) {
        let fault = Diagnostic::warning(message).at(&place.source, place.span);
        self.spec.warnings.push(fault.help(help));
    }
}
