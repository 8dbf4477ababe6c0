//! What an item about an alert would have to say to be met.

use std::collections::BTreeSet;

use super::super::amend::{
    Amendment, BOUNDS_STAY, New, NewItem, What, common_windows, differing, named, spoken,
};
use super::super::problem::{Counted, Problem};
use super::super::scene::{Actor, Scene};
use super::super::windows::Seen;
use super::super::{AlertExpectation, AmountTest, StateName, Text, TextTest, Windows};
use super::Part;
use crate::model::Millis;
use crate::replay::AlertState;
use crate::suite::file::Spanned;

/// What would make an item be met whose problems are these.
pub(super) fn amend(
    scene: &Scene<'_>,
    expectation: &AlertExpectation,
    meant: &[Actor<'_>],
    parts: &[Part],
    problems: &[Problem],
) -> Amendment {
    let mut amender = Amender {
        scene,
        expectation,
        meant,
        parts,
        amendment: Amendment::default(),
    };
    let mut new = Vec::new();
    for problem in problems {
        match problem {
            Problem::Unselected { labels, seen } => new.push(NewItem {
                alert: expectation.alert.value.clone(),
                labels: labels.clone(),
                fires: seen.clone(),
                pending: None,
            }),
            other => amender.problem(other),
        }
    }
    amender.tidy_tolerance();
    let mut amendment = amender.amendment;
    if !new.is_empty() {
        amendment.change(expectation.alert.span, "alert", What::Add(new));
    }
    amendment
}

struct Amender<'a, 's> {
    scene: &'a Scene<'s>,
    expectation: &'a AlertExpectation,
    meant: &'a [Actor<'s>],
    parts: &'a [Part],
    amendment: Amendment,
}

impl Amender<'_, '_> {
    fn problem(&mut self, problem: &Problem) {
        let expectation = self.expectation;
        match problem {
            Problem::NoInstance { others } if !others.is_empty() => {
                let others = named(others.iter());
                self.amendment.keep(format!(
                    "no instance has the labels that it selects; there are {others}"
                ));
            }
            Problem::NoInstance { .. } => self.silence(),
            Problem::Windows { state, .. } => self.windows(*state),
            Problem::Amount { what, .. } => self.amount(*what),
            Problem::Unresolved { .. } => self.resolution(),
            Problem::State { .. } => self.state(),
            Problem::Text { name, .. } => {
                let at = expectation.at.as_ref().map(|at| at.time.value);
                let test = expectation.annotations.iter().find(|it| it.name == *name);
                if let Some(test) = test {
                    let got = all_texts(self.scene, self.meant, name, at);
                    amend_text(&mut self.amendment, test, "annotations", got);
                }
            }
            Problem::NothingAsked { .. } => {
                let reason = "it does not fire then, so it has no annotation to write";
                self.amendment.keep(reason);
            }
            _ => {}
        }
    }

    /// The alert never does anything.
    fn silence(&mut self) {
        let expectation = self.expectation;
        if expectation.fires.is_some() || expectation.pending.is_some() {
            for state in [AlertState::Pending, AlertState::Firing] {
                self.windows(state);
            }
        } else {
            for what in [Counted::Firings, Counted::Instances] {
                self.amount(what);
            }
        }
        if expectation.resolves_by.is_some() || !expectation.annotations.is_empty() {
            let reason =
                "it is never pending or firing, and the item asks what it is when it fires";
            self.amendment.keep(reason);
        }
        self.state();
    }

    fn written(&self, state: AlertState) -> (&'static str, &Option<Spanned<Windows>>) {
        match state {
            AlertState::Firing => ("fires", &self.expectation.fires),
            AlertState::Pending => ("pending", &self.expectation.pending),
        }
    }

    fn windows(&mut self, state: AlertState) {
        let expectation = self.expectation;
        let (key, Some(wanted)) = self.written(state) else {
            return;
        };
        let (at, wanted) = (wanted.span, wanted.value.clone());
        let of = |part| windows_of(part, state);
        let nothing: &[Seen] = &[];
        let seen: Vec<&[Seen]> = match self.parts {
            [] => vec![nothing],
            parts => parts.iter().map(of).collect(),
        };
        match common_windows(&wanted, &seen, expectation.within) {
            Some(windows) if windows.is_empty() && wanted == Windows::Never => {}
            Some(windows)
                if windows.is_empty() && state == AlertState::Firing && self.asks_of_firing() =>
            {
                let reason = "it never fires, and the item asks what it is when it fires";
                self.amendment.keep(reason);
            }
            Some(windows) => self.amendment.change(at, key, What::Windows(windows)),
            None => {
                let parts = self.parts.iter();
                let parts = parts.map(|part| (part.labels.clone(), of(part)));
                let parts: Vec<_> = parts.collect();
                let state = match state {
                    AlertState::Firing => "fires",
                    AlertState::Pending => "is pending",
                };
                self.amendment.keep(differing(state, &parts));
            }
        }
    }

    /// Whether the item has a key that must not stand beside `fires: never`.
    fn asks_of_firing(&self) -> bool {
        let expectation = self.expectation;
        expectation.count.is_some()
            || expectation.flaps.is_some()
            || expectation.instances.is_some()
            || expectation.resolves_by.is_some()
            || !expectation.annotations.is_empty()
    }

    /// `within` goes where the last edge went.
    fn tidy_tolerance(&mut self) {
        let expectation = self.expectation;
        if expectation.within == 0 || expectation.resolves_by.is_some() {
            return;
        }
        let is_listed = |key: &str, old: &Option<Spanned<Windows>>| {
            let new = self.amendment.changes.iter().find(|it| it.key == key);
            match (new.map(|change| &change.what), old) {
                (Some(What::Windows(windows)), _) => !windows.is_empty(),
                (_, Some(old)) => old.value != Windows::Never,
                (_, None) => false,
            }
        };
        if !is_listed("fires", &expectation.fires) && !is_listed("pending", &expectation.pending) {
            let at = expectation.alert.span;
            self.amendment.change(at, "within", What::Remove);
        }
    }

    fn amount(&mut self, what: Counted) {
        let expectation = self.expectation;
        let (key, wanted) = match what {
            Counted::Firings => ("count", &expectation.count),
            Counted::Flaps => ("flaps", &expectation.flaps),
            Counted::Instances => ("instances", &expectation.instances),
            Counted::Samples => return,
        };
        let Some(wanted) = wanted else {
            return;
        };
        let firings = self.parts.iter().map(|part| part.firing.len() as u64);
        let mut all: BTreeSet<u64> = match what {
            Counted::Flaps => firings.map(|count| count.saturating_sub(1)).collect(),
            Counted::Instances => {
                let firing = self.meant.iter().filter(|actor| actor.fires());
                BTreeSet::from([firing.count() as u64])
            }
            _ => firings.collect(),
        };
        if all.is_empty() {
            all.insert(0);
        }
        match (&wanted.value, all.first()) {
            (AmountTest::Bounds(bounds), _) if !all.iter().all(|got| bounds.hold(*got)) => {
                self.amendment.keep(BOUNDS_STAY);
            }
            (AmountTest::Exactly(_), Some(&got)) if all.len() == 1 => {
                let what = What::Scalar(New::Amount(got));
                self.amendment.change(wanted.span, key, what);
            }
            (AmountTest::Exactly(_), _) => {
                let all: Vec<String> = all.iter().map(u64::to_string).collect();
                let reason = format!("its instances differ in `{key}`: {}", all.join(", "));
                self.amendment.keep(reason);
            }
            (AmountTest::Bounds(_), _) => {}
        }
    }

    /// The moment from which on none fires.
    fn resolution(&mut self) {
        let Some(by) = &self.expectation.resolves_by else {
            return;
        };
        let end = |part: &Part| -> Option<Millis> { part.firing.last()?.1 };
        let ends: Option<Vec<Millis>> = self.parts.iter().map(end).collect();
        let still = self.parts.iter().find(|part| end(part).is_none());
        match (ends.and_then(|ends| ends.into_iter().max()), still) {
            (Some(end), _) => {
                let what = What::Scalar(New::Moment(end));
                self.amendment.change(by.span, "resolves_by", what);
            }
            (None, Some(part)) if !part.firing.is_empty() => {
                let reason = format!("it fires {}, and does not resolve", spoken(&part.firing));
                self.amendment.keep(reason);
            }
            (None, _) => self.amendment.keep("it never fired, so it never resolved"),
        }
    }

    fn state(&mut self) {
        let Some(at) = &self.expectation.at else {
            return;
        };
        let Some(wanted) = &at.state else {
            return;
        };
        let state = |actor: &Actor<'_>| self.scene.state_name_at(actor, at.time.value);
        let first = self.meant.first().map_or(StateName::Inactive, state);
        if self.meant.iter().any(|actor| state(actor) != first) {
            self.amendment
                .keep("its instances are in different states, and need an item each (`labels`)");
            return;
        }
        if first != wanted.value {
            let what = What::Scalar(New::Word(first.name()));
            self.amendment.change(wanted.span, "state", what);
        }
    }
}

fn windows_of(part: &Part, state: AlertState) -> &[Seen] {
    match state {
        AlertState::Firing => &part.firing,
        AlertState::Pending => &part.pending,
    }
}

/// What an annotation is whenever instances fire, or at one moment; `None` in it where it is absent.
pub(in super::super) fn all_texts(
    scene: &Scene<'_>,
    actors: &[Actor<'_>],
    name: &str,
    only: Option<Millis>,
) -> BTreeSet<Option<String>> {
    let until = only.map(|moment| scene.start.saturating_add(moment));
    let firings = actors
        .iter()
        .flat_map(|actor| scene.replay.firings(actor.alert, actor.number, until));
    let text = |annotations: Vec<(String, String)>| {
        let mut annotations = annotations.into_iter();
        annotations.find(|(it, _)| it == name).map(|(_, text)| text)
    };
    firings.map(|(_, alert)| text(alert.annotations)).collect()
}

/// A text becomes the one that was seen, if there is one.
pub(in super::super) fn amend_text(
    amendment: &mut Amendment,
    test: &TextTest,
    key: &'static str,
    got: BTreeSet<Option<String>>,
) {
    let name = &test.name;
    if let Text::Matches(..) = test.wanted {
        amendment.keep(format!(
            "{name} is a pattern, and a text that was seen tells none: correct it by hand"
        ));
        return;
    }
    let mut got = got.into_iter();
    match (got.next(), got.next()) {
        (Some(Some(text)), None) if text.starts_with('/') && text.ends_with('/') => {
            amendment.keep(format!(
                "{name} is {text:?}, which would be read as a pattern"
            ));
        }
        (Some(Some(text)), None) => {
            amendment.change(test.span, key, What::Scalar(New::Text(text)));
        }
        (Some(None), None) | (None, _) => amendment.keep(format!("{name} is absent")),
        (Some(first), Some(second)) => {
            let shown =
                |text: Option<String>| text.map_or("absent".to_owned(), |it| format!("{it:?}"));
            amendment.keep(format!(
                "{name} is not always the same ({}, {}, …): write a pattern between slashes",
                shown(first),
                shown(second)
            ));
        }
    }
}
