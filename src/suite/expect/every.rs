//! Whether all alerts, or all others, do and carry what is expected of them.

use std::collections::BTreeSet;

use super::alert::{all_texts, amend_text, texts};
use super::amend::{Amendment, BOUNDS_STAY, New, NewItem, What, spoken};
use super::problem::{Counted, Problem, Subject, Unmet};
use super::scene::{Actor, Scene};
use super::{AmountTest, EveryAlert, TextTest};
use crate::model::Labels;
use crate::replay::AlertState;
use crate::text::Span;

/// What is not as an item about all alerts expects; `span` is where it stands, `named` are
/// the alerts that other items of the test name.
pub(in crate::suite) fn check(
    scene: &Scene<'_>,
    expectation: &EveryAlert,
    span: Span,
    named: &[&str],
) -> Option<Unmet> {
    let is_meant = |actor: &Actor<'_>| {
        let is_other = !named.contains(&actor.timeline.name.as_str());
        (is_other || !expectation.others_only)
            && TextTest::selects(&expectation.labels, &actor.instance.labels)
    };
    let meant: Vec<Actor<'_>> = scene.actors().filter(is_meant).collect();
    let mut problems = Vec::new();
    for actor in &meant {
        if expectation.never_fires {
            problems.extend(never(scene, actor, AlertState::Firing));
        }
        if expectation.never_pending {
            problems.extend(never(scene, actor, AlertState::Pending));
        }
        problems.extend(flaps(scene, expectation, actor));
        problems.extend(labels(scene, expectation, actor));
        problems.extend(texts(scene, actor, &expectation.annotations, None));
    }
    let asks_of_firing = !expectation.has_labels.is_empty() || !expectation.annotations.is_empty();
    if asks_of_firing && !meant.iter().any(Actor::fires) {
        problems.push(Problem::NothingAsked { at: None });
    }
    let mut unmet = Unmet::new(Subject::Alerts, problems)?;
    unmet.amendment = amend(scene, expectation, span, &meant, &unmet.problems);
    Some(unmet)
}

/// What would make it be met: an item for each alert that is none of the others, and texts that all have.
fn amend(
    scene: &Scene<'_>,
    expectation: &EveryAlert,
    span: Span,
    meant: &[Actor<'_>],
    problems: &[Problem],
) -> Amendment {
    let mut amendment = Amendment::default();
    let mut new: Vec<NewItem> = Vec::new();
    for problem in problems {
        match problem {
            Problem::Never { alert, .. } if expectation.others_only => {
                let is_new = |actor: &Actor<'_>| actor.timeline.name == *alert;
                if new.iter().any(|item| item.alert == *alert) {
                    continue;
                }
                let of_alert = scene.actors().filter(is_new);
                let items = of_alert.map(|actor| NewItem {
                    alert: alert.clone(),
                    labels: actor.labels(),
                    fires: scene.seen(&actor, AlertState::Firing),
                    pending: expectation
                        .never_pending
                        .then(|| scene.seen(&actor, AlertState::Pending)),
                });
                new.extend(items.filter(|item| !item.fires.is_empty() || item.pending.is_some()));
            }
            Problem::Never {
                alert,
                labels,
                state,
                seen,
            } => {
                let what = format!("{alert} {labels} is {} {}", state.name(), spoken(seen));
                amendment.keep(format!("`alerts: all` speaks of every alert, and {what}"));
            }
            Problem::Amount { wanted, .. } => {
                let flaps = |actor: &Actor<'_>| {
                    let firings = scene.seen(actor, AlertState::Firing).len() as u64;
                    firings.saturating_sub(1)
                };
                let all: BTreeSet<u64> = meant.iter().map(flaps).collect();
                match (&expectation.flaps, wanted, all.first()) {
                    (Some(flaps), AmountTest::Exactly(_), Some(&got)) if all.len() == 1 => {
                        let what = What::Scalar(New::Amount(got));
                        amendment.change(flaps.span, "flaps", what);
                    }
                    (_, AmountTest::Bounds(_), _) => amendment.keep(BOUNDS_STAY),
                    _ => amendment.keep("alerts differ in how often they fire again"),
                }
            }
            Problem::Text { what, name, .. } if *what == "label" => {
                let test = expectation.has_labels.iter().find(|it| it.name == *name);
                let firing = meant.iter().filter(|actor| actor.fires());
                let got = firing.map(|actor| actor.instance.labels.get(name).map(str::to_owned));
                if let Some(test) = test {
                    amend_text(&mut amendment, test, "has_labels", got.collect());
                }
            }
            Problem::Text { name, .. } => {
                let test = expectation.annotations.iter().find(|it| it.name == *name);
                if let Some(test) = test {
                    let got = all_texts(scene, meant, name, None);
                    amend_text(&mut amendment, test, "annotations", got);
                }
            }
            Problem::NothingAsked { .. } => {
                amendment.keep("none of these alerts fires, so there is nothing to write");
            }
            _ => {}
        }
    }
    if !new.is_empty() {
        amendment.change(span, "alerts", What::Add(new));
    }
    amendment
}

fn never(scene: &Scene<'_>, actor: &Actor<'_>, state: AlertState) -> Option<Problem> {
    let seen = scene.seen(actor, state);
    (!seen.is_empty()).then(|| Problem::Never {
        alert: actor.timeline.name.clone(),
        labels: actor.labels(),
        state,
        seen,
    })
}

fn flaps(scene: &Scene<'_>, expectation: &EveryAlert, actor: &Actor<'_>) -> Option<Problem> {
    let firings = scene.seen(actor, AlertState::Firing).len() as u64;
    let got = firings.saturating_sub(1);
    let wanted = expectation
        .flaps
        .as_ref()
        .filter(|wanted| !wanted.value.holds(got))?;
    Some(Problem::Amount {
        what: Counted::Flaps,
        labels: Some(actor.instance.labels.clone()),
        wanted: wanted.value.clone(),
        got,
        counted: Vec::new(),
    })
}

/// Labels that an instance which fires lacks, or that are others.
fn labels(scene: &Scene<'_>, expectation: &EveryAlert, actor: &Actor<'_>) -> Vec<Problem> {
    let seen = scene.seen(actor, AlertState::Firing);
    let Some(first) = seen.first() else {
        return Vec::new();
    };
    let of: &Labels = &actor.instance.labels;
    let tests = expectation.has_labels.iter();
    let unmet = tests.filter(|test| !test.wanted.holds(of.value(&test.name)));
    unmet
        .map(|test| Problem::Text {
            alert: actor.timeline.name.clone(),
            labels: actor.labels(),
            what: "label",
            name: test.name.clone(),
            wanted: test.wanted.clone(),
            got: of.get(&test.name).map(str::to_owned),
            at: first.0,
            times: (1, 1),
        })
        .collect()
}
