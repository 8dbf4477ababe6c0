//! Whether an alert does what is expected of it.

mod amend;

pub(super) use self::amend::{all_texts, amend_text};
use super::problem::{Counted, Problem, Subject, Unmet};
use super::scene::{Actor, Scene};
use super::windows::{Seen, differences, union};
use super::{
    AlertExpectation, AmountTest, EdgeFault, Expectation, ExpectationKind, StateName, TextTest,
    Window, Windows, picture,
};
use crate::model::{Labels, Millis};
use crate::replay::AlertState;
use crate::suite::file::Spanned;

/// What is not as an item about an alert expects; `all` are the items of the test.
pub(in crate::suite) fn check(
    scene: &Scene<'_>,
    expectation: &AlertExpectation,
    all: &[Expectation],
) -> Option<Unmet> {
    let meant: Vec<Actor<'_>> = scene
        .actors()
        .filter(|actor| actor.is_meant(expectation))
        .collect();
    let mut problems = Vec::new();
    let parts = parts(scene, expectation, &meant);
    match expectation.needs_instances() && meant.is_empty() {
        true => problems.push(Problem::NoInstance {
            others: others(scene, &expectation.alert.value),
        }),
        false => {
            problems.extend(parts.iter().flat_map(|part| part.check(expectation)));
            problems.extend(instances(expectation, &meant));
            problems.extend(states(scene, expectation, &meant));
            problems.extend(annotations(scene, expectation, &meant));
        }
    }
    problems.extend(unselected(scene, expectation, all));
    let mut unmet = Unmet::new(Subject::Alert, problems)?;
    unmet.picture = picture::of_alert(scene, expectation, &meant, &unmet.problems);
    unmet.amendment = amend::amend(scene, expectation, &meant, &parts, &unmet.problems);
    Some(unmet)
}

impl AlertExpectation {
    /// Whether it is met by an alert that never fires nor is pending.
    pub(in crate::suite) fn is_met_by_silence(&self) -> bool {
        let instances = self.instances.as_ref();
        !self.needs_instances() && instances.is_none_or(|amount| amount.value.holds(0))
    }

    /// Whether it can't be met without any instance.
    fn needs_instances(&self) -> bool {
        let lists = |windows: &Option<Spanned<Windows>>| {
            windows
                .as_ref()
                .is_some_and(|windows| windows.value != Windows::Never)
        };
        let allows_none = |amount: &Option<Spanned<AmountTest>>| {
            amount.as_ref().is_none_or(|amount| amount.value.holds(0))
        };
        let is_active = self
            .at
            .as_ref()
            .and_then(|at| at.state.as_ref())
            .is_some_and(|state| state.value != StateName::Inactive);
        lists(&self.fires)
            || lists(&self.pending)
            || self.resolves_by.is_some()
            || !self.annotations.is_empty()
            || !allows_none(&self.count)
            || is_active
    }
}

/// An instance, or all that are meant taken together.
struct Part {
    labels: Option<Labels>,
    firing: Vec<Seen>,
    pending: Vec<Seen>,
}

fn parts(scene: &Scene<'_>, expectation: &AlertExpectation, meant: &[Actor<'_>]) -> Vec<Part> {
    let of = |actor: &Actor<'_>| Part {
        labels: Some(actor.labels()),
        firing: scene.seen(actor, AlertState::Firing),
        pending: scene.seen(actor, AlertState::Pending),
    };
    let parts = meant.iter().map(of);
    match expectation.across_any {
        false => parts.collect(),
        true => {
            let (firing, pending): (Vec<_>, Vec<_>) =
                parts.map(|part| (part.firing, part.pending)).unzip();
            vec![Part {
                labels: None,
                firing: union(firing.concat()),
                pending: union(pending.concat()),
            }]
        }
    }
}

impl Part {
    fn check(&self, expectation: &AlertExpectation) -> Vec<Problem> {
        let mut problems = Vec::new();
        let within = expectation.within;
        for (wanted, state, seen) in [
            (&expectation.fires, AlertState::Firing, &self.firing),
            (&expectation.pending, AlertState::Pending, &self.pending),
        ] {
            if let Some(wanted) = wanted {
                problems.extend(self.windows(&wanted.value, state, seen, within));
            }
        }
        let firings = self.firing.len() as u64;
        problems.extend(self.amount(Counted::Firings, &expectation.count, firings));
        let flaps = firings.saturating_sub(1);
        problems.extend(self.amount(Counted::Flaps, &expectation.flaps, flaps));
        if let Some(by) = &expectation.resolves_by {
            let latest = by.value.saturating_add(within);
            let is_over = |window: &Seen| window.1.is_some_and(|to| to <= latest);
            if self.firing.is_empty() || !self.firing.iter().all(is_over) {
                problems.push(Problem::Unresolved {
                    labels: self.labels.clone(),
                    by: by.value,
                    seen: self.firing.clone(),
                });
            }
        }
        problems
    }

    fn windows(
        &self,
        wanted: &Windows,
        state: AlertState,
        seen: &[Seen],
        within: Millis,
    ) -> Option<Problem> {
        let (expected, faults): (Vec<Window>, Vec<EdgeFault>) = match wanted {
            Windows::Never => {
                let extra = (0..seen.len()).map(|window| EdgeFault::Extra { window });
                (Vec::new(), extra.collect())
            }
            Windows::Listed(list) => (list.clone(), differences(list, seen, within)),
        };
        if faults.is_empty() {
            return None;
        }
        Some(Problem::Windows {
            labels: self.labels.clone(),
            state,
            expected,
            seen: seen.to_vec(),
            faults,
        })
    }

    fn amount(
        &self,
        what: Counted,
        wanted: &Option<Spanned<AmountTest>>,
        got: u64,
    ) -> Option<Problem> {
        let wanted = wanted.as_ref().filter(|wanted| !wanted.value.holds(got))?;
        Some(Problem::Amount {
            what,
            labels: self.labels.clone(),
            wanted: wanted.value.clone(),
            got,
            counted: Vec::new(),
        })
    }
}

fn instances(expectation: &AlertExpectation, meant: &[Actor<'_>]) -> Option<Problem> {
    let firing = meant.iter().filter(|actor| actor.fires());
    let counted: Vec<Labels> = firing.map(Actor::labels).collect();
    let got = counted.len() as u64;
    let wanted = expectation.instances.as_ref()?;
    if wanted.value.holds(got) {
        return None;
    }
    Some(Problem::Amount {
        what: Counted::Instances,
        labels: None,
        wanted: wanted.value.clone(),
        got,
        counted,
    })
}

fn states(scene: &Scene<'_>, expectation: &AlertExpectation, meant: &[Actor<'_>]) -> Vec<Problem> {
    let Some(at) = &expectation.at else {
        return Vec::new();
    };
    let Some(wanted) = &at.state else {
        return Vec::new();
    };
    let differs = |actor: &Actor<'_>| {
        let got = scene.state_name_at(actor, at.time.value);
        (got != wanted.value).then(|| Problem::State {
            labels: actor.labels(),
            at: at.time.value,
            wanted: wanted.value,
            got,
        })
    };
    meant.iter().filter_map(differs).collect()
}

/// What the instances' annotations are not, at the time named or at any evaluation after which they fire. Where none
/// fires then, nothing is asked, and that is a fault of its own.
fn annotations(
    scene: &Scene<'_>,
    expectation: &AlertExpectation,
    meant: &[Actor<'_>],
) -> Vec<Problem> {
    let tests = &expectation.annotations;
    if tests.is_empty() {
        return Vec::new();
    }
    let only = expectation.at.as_ref().map(|at| at.time.value);
    let fires = |actor: &Actor<'_>| match only {
        None => actor.fires(),
        Some(moment) => scene.is_firing(actor, moment),
    };
    match meant.iter().any(fires) {
        false => vec![Problem::NothingAsked { at: only }],
        true => {
            let texts = |actor| texts(scene, actor, tests, only);
            meant.iter().flat_map(texts).collect()
        }
    }
}

/// What annotations are not; `only` names the one moment that counts, by its last evaluation.
pub(super) fn texts(
    scene: &Scene<'_>,
    actor: &Actor<'_>,
    tests: &[TextTest],
    only: Option<Millis>,
) -> Vec<Problem> {
    if tests.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<Option<Differing>> = vec![None; tests.len()];
    let mut all = 0;
    let until = only.map(|moment| scene.start.saturating_add(moment));
    for (moment, alert) in scene.replay.firings(actor.alert, actor.number, until) {
        all += 1;
        for (test, found) in tests.iter().zip(&mut found) {
            let got = alert
                .annotations
                .iter()
                .find(|(name, _)| *name == test.name);
            let got = got.map(|(_, text)| text);
            if got.is_some_and(|got| test.wanted.holds(got)) {
                continue;
            }
            let first = || Differing {
                got: got.cloned(),
                at: scene.since(moment),
                times: 0,
            };
            found.get_or_insert_with(first).times += 1;
        }
    }
    let mut problems = Vec::new();
    for (test, found) in tests.iter().zip(found) {
        if let Some(found) = found {
            problems.push(Problem::Text {
                alert: actor.timeline.name.clone(),
                labels: actor.labels(),
                what: "annotation",
                name: test.name.clone(),
                wanted: test.wanted.clone(),
                got: found.got,
                at: found.at,
                times: (found.times, all),
            });
        }
    }
    problems
}

/// An annotation that is not as expected at some evaluations.
#[derive(Clone)]
struct Differing {
    /// What it is at the first of them.
    got: Option<String>,
    /// When that is.
    at: Millis,
    /// How many there are.
    times: usize,
}

/// The instances of an alert.
fn others(scene: &Scene<'_>, alert: &str) -> Vec<Labels> {
    let actors = scene.actors().filter(|actor| actor.timeline.name == alert);
    actors.map(|actor| actor.labels()).collect()
}

/// Instances that fire and are selected by no item of the test: told at the first item that names their alert.
fn unselected(
    scene: &Scene<'_>,
    expectation: &AlertExpectation,
    all: &[Expectation],
) -> Vec<Problem> {
    let items = all.iter().filter_map(|item| match &item.kind {
        ExpectationKind::Alert(alert) if alert.alert.value == expectation.alert.value => {
            Some(alert.as_ref())
        }
        _ => None,
    });
    let items: Vec<&AlertExpectation> = items.collect();
    let is_first = items
        .first()
        .is_some_and(|first| std::ptr::eq(*first, expectation));
    if !is_first || items.iter().any(|item| item.others_allowed) {
        return Vec::new();
    }
    let alert = &expectation.alert.value;
    let firing = scene
        .actors()
        .filter(|actor| actor.timeline.name == *alert && actor.fires());
    let of_none = firing.filter(|actor| !items.iter().any(|item| actor.is_meant(item)));
    of_none
        .map(|actor| Problem::Unselected {
            labels: actor.labels(),
            seen: scene.seen(&actor, AlertState::Firing),
        })
        .collect()
}
