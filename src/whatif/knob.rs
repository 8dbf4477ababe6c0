//! What can move in rules: numbers, ranges, waits; each with a name, its value as written and its place.

use super::name::{Names, Stem};
use super::numbers::numbers;
use super::specs::{self, Setting};
use crate::promql::Query;
use crate::replay::RuleId;
use crate::rules::{AlertRule, Rule, RuleGroup, RuleKind};
use crate::text::yaml::Embedded;
use crate::text::{Place, Source, Span};

/// Something in a rule that can move.
#[derive(Debug, Clone)]
pub struct Knob {
    /// Its full name, unlike that of any other: `group/Alert#2.threshold[1]`. The `#2` is only there where rules of one name
    /// stand in groups of one name.
    pub name: String,
    /// The shortest name that means it alone, where that is shorter: `Alert.threshold`.
    pub short: Option<String>,
    /// What it is.
    pub kind: KnobKind,
    /// Its value as written; `0s` for a wait that the rule does not have.
    pub value: String,
    /// Where it stands; for what the rule does not have, the rule's name.
    pub place: Place,
    /// Whether an alias stands for the text in which it is: what moves with it may be no knob.
    pub is_repeated: bool,
    /// The rule it belongs to, by its place among the [groups](super::RuleSet::groups); none where it is a specification's.
    pub rule: Option<RuleId>,
    /// How it is written.
    pub(super) slot: Slot,
}

/// What a knob is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KnobKind {
    /// A number with which something is compared: in the side of a comparison that selects no series.
    Threshold,
    /// Any other number of an expression: a quantile, a factor.
    Number,
    /// The range of a selector or a subquery.
    Window,
    /// The step of a subquery.
    Step,
    /// How far `offset` looks back.
    Offset,
    /// How long an alert's condition must hold.
    For,
    /// How long an alert goes on firing.
    KeepFiringFor,
    /// Which share shall be good.
    Objective,
    /// Over which time an objective holds.
    Period,
    /// How fast a budget may be spent until an alert fires.
    Factor,
}

/// How the value of a knob is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// In the rule's query, at these bytes of its text.
    Query(Span),
    /// By a key of its own.
    Key,
    /// Not at all.
    Missing,
}

impl KnobKind {
    /// As names of knobs have it.
    pub fn name(self) -> &'static str {
        match self {
            KnobKind::Threshold => "threshold",
            KnobKind::Number => "number",
            KnobKind::Window => "window",
            KnobKind::Step => "step",
            KnobKind::Offset => "offset",
            KnobKind::For => "for",
            KnobKind::KeepFiringFor => "keep_firing_for",
            KnobKind::Objective => "objective",
            KnobKind::Period => "window",
            KnobKind::Factor => "factor",
        }
    }

    /// Whether a rule has but one of them, which needs no number.
    pub(super) fn is_single(self) -> bool {
        matches!(self, KnobKind::For | KnobKind::KeepFiringFor)
    }
}

impl Knob {
    /// The name that a person types: the short one where there is one.
    pub fn shown(&self) -> &str {
        self.short.as_deref().unwrap_or(&self.name)
    }

    /// Where it stands in the text of its rule's query, if it does.
    pub fn in_query(&self) -> Option<Span> {
        match self.slot {
            Slot::Query(span) => Some(span),
            Slot::Key | Slot::Missing => None,
        }
    }

    /// Whether two are one text: rules share it by an alias, so that both move together.
    pub fn is_same_text(&self, other: &Knob) -> bool {
        let of = |knob: &Knob| {
            let missing = knob.slot == Slot::Missing;
            (knob.place.span, missing.then_some(knob.kind))
        };
        of(self) == of(other) && self.place.source.name() == other.place.source.name()
    }
}

/// Everything that can move in the rules of groups, in their order: of a rule what stands in its query as it is written,
/// then what an alert waits for.
///
/// A moment behind `@` and what `fill` puts in are no knobs.
pub fn knobs(groups: &[&RuleGroup]) -> Vec<Knob> {
    knobs_with(groups, &[])
}

/// The same, and behind them what can move in specifications of objectives.
pub(super) fn knobs_with(groups: &[&RuleGroup], specs: &[Source]) -> Vec<Knob> {
    let mut found = Vec::new();
    let settings: Vec<Setting> = specs.iter().flat_map(specs::settings).collect();
    let mut names = Names::of(groups, &settings);
    for (group, of_group) in groups.iter().enumerate() {
        for (rule, of_rule) in of_group.rules.iter().enumerate() {
            let stem = names.stem(&of_group.name, &of_rule.name);
            let mut collector = Collector {
                group: of_group,
                rule: of_rule,
                id: RuleId { group, rule },
                stem: &stem,
                found: &mut found,
            };
            collector.query();
            if let RuleKind::Alert(alert) = &of_rule.kind {
                collector.waits(alert);
            }
        }
    }
    let mut counts = Vec::new();
    let mut last: Option<(usize, Stem)> = None;
    for setting in settings {
        let stem = match last.take() {
            Some((owner, stem)) if owner == setting.owner => stem,
            _ => {
                counts.clear();
                names.stem(SPECS, &setting.name)
            }
        };
        let nth = count(&mut counts, setting.kind);
        let knob = Knob {
            name: stem.full(setting.kind, nth),
            short: None,
            kind: setting.kind,
            value: setting.value,
            place: setting.place,
            is_repeated: false,
            rule: None,
            slot: Slot::Key,
        };
        found.push((stem.clone(), knob));
        last = Some((setting.owner, stem));
    }
    names.shorten(found)
}

/// What stands in the names of knobs of objectives where rules have their group.
pub(super) const SPECS: &str = "slo";

struct Collector<'a> {
    group: &'a RuleGroup,
    rule: &'a Rule,
    id: RuleId,
    stem: &'a Stem,
    found: &'a mut Vec<(Stem, Knob)>,
}

impl Collector<'_> {
    fn query(&mut self) {
        let query: &Query = &self.rule.expr;
        let text = &self.rule.expr_text;
        let numbers = numbers(query);
        let spans: Vec<Span> = numbers.iter().map(|number| number.span).collect();
        let mut counts = Vec::new();
        for (number, written) in numbers.iter().zip(text.spans(&spans)) {
            let nth = count(&mut counts, number.kind);
            let value = query.text.get(number.span.start..number.span.end);
            let value = value.unwrap_or_default().to_owned();
            let place = Place::new(text.source(), written);
            let slot = Slot::Query(number.span);
            self.push((number.kind, nth), value, (place, text.is_repeated()), slot);
        }
    }

    fn waits(&mut self, alert: &AlertRule) {
        let waits = [
            (KnobKind::For, &alert.hold_text),
            (KnobKind::KeepFiringFor, &alert.keep_firing_for_text),
        ];
        for (kind, text) in waits {
            match text {
                Some(text) => {
                    let value = match text.text.is_empty() {
                        true => ABSENT,
                        false => &text.text,
                    };
                    let place = Place::new(text.source(), inside(text));
                    let place = (place, text.is_repeated());
                    self.push((kind, 1), value.to_owned(), place, Slot::Key);
                }
                None => {
                    let place = Place::new(&self.group.source, self.rule.name_span);
                    self.push((kind, 1), ABSENT.to_owned(), (place, false), Slot::Missing);
                }
            }
        }
    }

    fn push(
        &mut self,
        (kind, nth): (KnobKind, usize),
        value: String,
        (place, is_repeated): (Place, bool),
        slot: Slot,
    ) {
        let knob = Knob {
            name: self.stem.full(kind, nth),
            short: None,
            kind,
            value,
            place,
            is_repeated,
            rule: Some(self.id),
            slot,
        };
        self.found.push((self.stem.clone(), knob));
    }
}

/// The value of a wait that a rule does not have.
pub(super) const ABSENT: &str = "0s";

/// Where a text stands without its quotes; the whole scalar where it is nothing.
fn inside(text: &Embedded) -> Span {
    match text.text.is_empty() {
        true => text.whole(),
        false => text.span(Span::new(0, text.text.len())),
    }
}

/// The number of another of a kind.
fn count(counts: &mut Vec<(KnobKind, usize)>, kind: KnobKind) -> usize {
    match counts.iter_mut().find(|(it, _)| *it == kind) {
        Some((_, count)) => {
            *count += 1;
            *count
        }
        None => {
            counts.push((kind, 1));
            1
        }
    }
}
