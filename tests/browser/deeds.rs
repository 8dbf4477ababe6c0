//! What alerts do, as a page shows it and as a replay says it.

use std::collections::BTreeMap;

use rulecheck::model::Timestamp;
use rulecheck::replay::{ALERT_NAME, Replay};
use rulecheck::rules::RuleGroup;
use rulecheck::whatif::{Incidents, MEASURES, RuleSet, World};
use serde_json::{Value, json};

use super::Browser;

/// State, beginning, end.
type Window = (String, Timestamp, Option<Timestamp>);

/// What alerts do.
#[derive(Debug, PartialEq)]
pub struct Deeds {
    /// By alert, in order.
    alerts: Vec<AlertDeeds>,
    /// How that is judged.
    pub measures: BTreeMap<String, Option<f64>>,
}

#[derive(Debug, PartialEq)]
struct AlertDeeds {
    alert: String,
    /// By labels.
    windows: BTreeMap<String, Vec<Window>>,
    outcome: Value,
}

impl Deeds {
    /// What the page that is open says.
    pub fn shown(browser: &Browser) -> Deeds {
        let told = browser.run(
            "return [rulecheck.windows(), rulecheck.measures()]",
            json!([]),
        );
        let alerts = told[0].as_array().unwrap().iter();
        let of_alert = |alert: &Value| AlertDeeds {
            alert: alert["alert"].as_str().unwrap().to_owned(),
            windows: shown_windows(alert),
            outcome: alert["outcome"].clone(),
        };
        let measures = told[1].as_object().unwrap().iter();
        Deeds {
            alerts: alerts.map(of_alert).collect(),
            measures: measures
                .map(|(name, value)| (name.clone(), value.as_f64()))
                .collect(),
        }
    }

    /// What a replay says.
    pub fn of(world: &World, rules: &RuleSet, incidents: &Incidents) -> Deeds {
        let deeds = world.replay(rules, |replay, groups| Deeds {
            alerts: replayed(world, replay, groups),
            measures: {
                let judgement = world.judgement(replay, groups, incidents);
                let all = MEASURES.iter();
                let known = all.filter(|it| judgement.fit.is_some() || !it.needs_incidents);
                let named = known.map(|it| (it.name.to_owned(), it.of(&judgement)));
                named.collect()
            },
        });
        deeds.unwrap()
    }

    /// How many instances do anything.
    pub fn active(&self) -> usize {
        self.alerts.iter().map(|it| it.windows.len()).sum()
    }

    /// The first thing that is not as expected.
    pub fn differs(&self, expected: &Deeds) -> Option<String> {
        let alerts = self.alerts.iter().zip(&expected.alerts);
        let mut others = alerts.filter(|(own, other)| own != other);
        if let Some((own, other)) = others.next() {
            return Some(format!("shown {own:#?}\nshould be {other:#?}"));
        }
        (self != expected).then(|| format!("{:#?}\n{:#?}", self.measures, expected.measures))
    }
}

fn shown_windows(alert: &Value) -> BTreeMap<String, Vec<Window>> {
    let instances = alert["instances"].as_array().unwrap().iter();
    let instances = instances.filter_map(|instance| {
        let windows = instance["windows"].as_array().unwrap().iter();
        let windows = windows.map(|it| {
            let state = it[0].as_str().unwrap().to_owned();
            (state, it[1].as_i64().unwrap(), it[2].as_i64())
        });
        let windows: Vec<Window> = windows.collect();
        let labels = instance["labels"].as_object().unwrap().iter();
        let labels = labels.map(|(name, value)| (name.clone(), value.as_str().unwrap()));
        let labels: BTreeMap<String, &str> = labels.collect();
        (!windows.is_empty()).then(|| (format!("{labels:?}"), windows))
    });
    instances.collect()
}

fn replayed(world: &World, replay: &Replay<'_>, groups: &[&RuleGroup]) -> Vec<AlertDeeds> {
    let alerts = replay.timeline.alerts.iter();
    let alerts = alerts.zip(world.outcomes(replay, groups));
    let alerts = alerts.map(|(alert, outcome)| {
        let instances = alert.instances.iter().map(|instance| {
            let labels = instance.labels.iter();
            let labels = labels.filter(|(name, _)| *name != ALERT_NAME);
            let labels = labels.map(|(name, value)| (name.to_owned(), value));
            let labels: BTreeMap<String, &str> = labels.collect();
            let windows = instance.stretches.iter();
            let windows = windows.map(|it| (it.state.name().to_owned(), it.from, it.to));
            (format!("{labels:?}"), windows.collect())
        });
        let outcome = outcome.outcome;
        AlertDeeds {
            alert: alert.name.clone(),
            windows: instances.collect(),
            outcome: json!({
                "firings": outcome.firings,
                "firing": outcome.firing,
                "longest": outcome.longest,
                "instances": outcome.instances,
                "flaps": outcome.flaps,
                "first": outcome.first,
            }),
        }
    });
    alerts.collect()
}
