//! Whether all alerts, or all others, do and carry what is expected of them.

use super::alert::texts;
use super::problem::{Counted, Problem, Subject, Unmet};
use super::scene::{Actor, Scene};
use super::{EveryAlert, TextTest};
use crate::model::Labels;
use crate::replay::AlertState;

/// What is not as an item about all alerts expects; `named` are the alerts that other items of the test name.
pub(in crate::suite) fn check(
    scene: &Scene<'_>,
    expectation: &EveryAlert,
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
    Unmet::new(Subject::Alerts, problems)
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
