//! How good a setting is, in numbers that goals speak of.

use super::{Incidents, Paging, SweptAlert};
use crate::model::{Millis, Timestamp};

/// What several alerts did together.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// How many times instances began to fire.
    pub firings: usize,
    /// How long they fired, added up.
    pub firing: Millis,
    /// The longest firing.
    pub longest: Millis,
    /// How many instances fired.
    pub instances: usize,
    /// Firings that ended at once.
    pub flaps: usize,
    /// When the first began.
    pub first: Option<Timestamp>,
    /// How many pages there were: times during which any instance of an alert fired.
    pub pages: usize,
    /// As many a week.
    pub pages_per_week: f64,
    /// How they fit the incidents, where some are known.
    pub fit: Option<Fit>,
}

/// How pages fit incidents.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Incidents during which, or during whose grace, one of the alerts fired that they name.
    pub found: usize,
    /// All others.
    pub missed: usize,
    /// Pages that overlap no incident that names their alert.
    pub false_pages: usize,
    /// The share of pages that are not false; none where there are no pages.
    pub precision: Option<f64>,
    /// The share of incidents that were found.
    pub recall: f64,
    /// How long after its start an incident was found, on average of those that were; none where none was.
    pub time_to_detect: Option<f64>,
}

const WEEK: f64 = 7.0 * 86_400_000.0;

impl Judgement {
    /// Of what alerts did over a time of some length.
    pub fn of(
        alerts: &[SweptAlert],
        pagings: &[&Paging],
        incidents: &Incidents,
        length: Millis,
    ) -> Judgement {
        let sum = |of: fn(&Paging) -> usize| pagings.iter().map(|it| of(it)).sum::<usize>();
        let outcomes = || pagings.iter().map(|paging| &paging.outcome);
        let pages = sum(|it| it.pages);
        let fit = (!incidents.all.is_empty()).then(|| {
            let mut detected: Vec<Option<Millis>> = vec![None; incidents.all.len()];
            for (alert, paging) in alerts.iter().zip(pagings) {
                for (place, delay) in alert.incidents.iter().zip(&paging.detected) {
                    if let (Some(known), Some(delay)) = (detected.get_mut(*place), delay) {
                        *known = Some(known.map_or(*delay, |known| known.min(*delay)));
                    }
                }
            }
            let delays: Vec<Millis> = detected.iter().flatten().copied().collect();
            let justified = sum(|it| it.justified);
            let share = |part: usize, of: usize| (of > 0).then(|| part as f64 / of as f64);
            let all: Millis = delays.iter().sum();
            Fit {
                found: delays.len(),
                missed: detected.len() - delays.len(),
                false_pages: pages - justified,
                precision: share(justified, pages),
                recall: share(delays.len(), detected.len()).unwrap_or(1.0),
                time_to_detect: (!delays.is_empty()).then(|| all as f64 / delays.len() as f64),
            }
        });
        Judgement {
            firings: sum(|it| it.outcome.firings),
            firing: outcomes().fold(0, |all, it| it.firing.saturating_add(all)),
            longest: outcomes().map(|it| it.longest).max().unwrap_or(0),
            instances: sum(|it| it.outcome.instances),
            flaps: sum(|it| it.outcome.flaps),
            first: outcomes().filter_map(|it| it.first).min(),
            pages,
            pages_per_week: match length > 0 {
                true => pages as f64 * WEEK / length as f64,
                false => 0.0,
            },
            fit,
        }
    }
}

/// Something that goals can ask for.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// Its name.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// Whether it needs incidents.
    pub needs_incidents: bool,
    value: fn(&Judgement) -> Option<f64>,
}

/// What a measure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Milliseconds, given as durations.
    Length,
    /// A share of 1.
    Share,
}

/// Everything that goals can ask for.
pub const MEASURES: [Measure; 13] = [
    of_alerts("firings", Unit::Count, |it| Some(it.firings as f64)),
    of_alerts("firing", Unit::Length, |it| Some(it.firing as f64)),
    of_alerts("longest", Unit::Length, |it| Some(it.longest as f64)),
    of_alerts("instances", Unit::Count, |it| Some(it.instances as f64)),
    of_alerts("flaps", Unit::Count, |it| Some(it.flaps as f64)),
    of_alerts("pages", Unit::Count, |it| Some(it.pages as f64)),
    of_alerts("pages_per_week", Unit::Count, |it| Some(it.pages_per_week)),
    of_incidents("found", Unit::Count, |it| {
        Some(it.fit.as_ref()?.found as f64)
    }),
    of_incidents("missed", Unit::Count, |it| {
        Some(it.fit.as_ref()?.missed as f64)
    }),
    of_incidents("false_pages", Unit::Count, |it| {
        Some(it.fit.as_ref()?.false_pages as f64)
    }),
    of_incidents("precision", Unit::Share, |it| it.fit.as_ref()?.precision),
    of_incidents("recall", Unit::Share, |it| Some(it.fit.as_ref()?.recall)),
    of_incidents("time_to_detect", Unit::Length, |it| {
        it.fit.as_ref()?.time_to_detect
    }),
];

const fn of_alerts(
    name: &'static str,
    unit: Unit,
    value: fn(&Judgement) -> Option<f64>,
) -> Measure {
    Measure {
        name,
        unit,
        needs_incidents: false,
        value,
    }
}

const fn of_incidents(
    name: &'static str,
    unit: Unit,
    value: fn(&Judgement) -> Option<f64>,
) -> Measure {
    Measure {
        name,
        unit,
        needs_incidents: true,
        value,
    }
}

impl Measure {
    /// Its value; none where there is nothing to take it of.
    pub fn of(&self, judgement: &Judgement) -> Option<f64> {
        (self.value)(judgement)
    }

    /// A measure by its name.
    pub fn named(name: &str) -> Option<&'static Measure> {
        MEASURES.iter().find(|measure| measure.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Incident, Outcome};
    use super::*;
    use crate::replay::RuleId;

    fn incidents(count: usize) -> Incidents {
        let incident = |place: usize| Incident {
            name: place.to_string(),
            start: 0,
            end: 0,
            grace: 0,
            alerts: Vec::new(),
        };
        Incidents {
            all: (0..count).map(incident).collect(),
        }
    }

    fn swept(incidents: &[usize]) -> SweptAlert {
        SweptAlert {
            rule: RuleId { group: 0, rule: 0 },
            group: "g".to_owned(),
            alert: "A".to_owned(),
            incidents: incidents.to_vec(),
        }
    }

    fn paging(firings: usize, firing: Millis, first: Option<Timestamp>) -> Paging {
        Paging {
            outcome: Outcome {
                firings,
                firing,
                longest: firing / 2,
                instances: firings.min(1),
                flaps: firings / 2,
                first,
            },
            ..Paging::default()
        }
    }

    /// Two alerts, three incidents: both tell of the first, the second one of the last, nobody of the one between.
    #[test]
    fn alerts_are_judged_together() {
        let alerts = [swept(&[0, 1]), swept(&[0, 2])];
        let one = Paging {
            pages: 3,
            justified: 1,
            detected: vec![Some(60_000), None],
            ..paging(4, 600_000, Some(70))
        };
        let other = Paging {
            pages: 2,
            justified: 2,
            detected: vec![Some(20_000), Some(40_000)],
            ..paging(3, 200_000, Some(50))
        };
        let all = incidents(3);
        let length = 14 * 86_400_000;
        let judgement = Judgement::of(&alerts, &[&one, &other], &all, length);
        let expected = Judgement {
            firings: 7,
            firing: 800_000,
            longest: 300_000,
            instances: 2,
            flaps: 3,
            first: Some(50),
            pages: 5,
            pages_per_week: 2.5,
            fit: Some(Fit {
                found: 2,
                missed: 1,
                false_pages: 2,
                precision: Some(3.0 / 5.0),
                recall: 2.0 / 3.0,
                time_to_detect: Some(30_000.0),
            }),
        };
        assert_eq!(judgement, expected);
        let value = |name: &str| Measure::named(name).and_then(|it| it.of(&judgement));
        for (name, expected) in [
            ("pages", 5.0),
            ("pages_per_week", 2.5),
            ("missed", 1.0),
            ("false_pages", 2.0),
            ("time_to_detect", 30_000.0),
        ] {
            assert_eq!(value(name), Some(expected), "{name}");
        }
        assert_eq!(value("nothing"), None);
    }

    #[test]
    fn silence_has_no_precision() {
        let silent = Paging {
            detected: vec![None],
            ..Paging::default()
        };
        let fit =
            |incidents: Incidents| Judgement::of(&[swept(&[0])], &[&silent], &incidents, 0).fit;
        let silence = Fit {
            found: 0,
            missed: 1,
            false_pages: 0,
            precision: None,
            recall: 0.0,
            time_to_detect: None,
        };
        assert_eq!(fit(incidents(1)), Some(silence));
        assert_eq!(fit(Incidents::default()), None);
        let unjudged = Judgement::of(&[], &[], &Incidents::default(), 0);
        assert_eq!((unjudged.pages_per_week, unjudged.first), (0.0, None));
    }
}
