//! What is altered, and which bytes of a file that alters.

use super::insert;
use super::knob::Slot;
use super::numbers::numbers;
use super::{Knob, find, value};
use crate::promql::{Features, Query};
use crate::rules::{Rule, RuleGroup};
use crate::text::{Diagnostic, Source, Span};

/// A knob, and what it is set to.
#[derive(Debug, Clone)]
pub struct Change {
    /// What moves.
    pub knob: Knob,
    /// The value as it is to be written.
    pub value: String,
}

/// Bytes of a file, and what to put there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The name of the file.
    pub file: String,
    /// The bytes.
    pub span: Span,
    /// What comes in their place.
    pub text: String,
}

impl Change {
    /// Sets a knob.
    ///
    /// # Errors
    ///
    /// A value that it can't have, at its place.
    pub fn new(knob: &Knob, value: &str) -> Result<Change, Diagnostic> {
        let value = value.trim();
        // What is written may be stranger than what may be set, and stays allowed.
        if value != knob.value {
            value::check(knob, value)?;
        }
        Ok(Change {
            knob: knob.clone(),
            value: value.to_owned(),
        })
    }

    /// Reads `NAME=VALUE`.
    ///
    /// # Errors
    ///
    /// A name of no knob or of several, or a value that the knob can't have.
    pub fn parse(text: &str, knobs: &[Knob]) -> Result<Change, Diagnostic> {
        let Some((name, value)) = text.rsplit_once('=') else {
            let fault = Diagnostic::error(format!("{text:?} sets nothing"));
            return Err(fault.help("write NAME=VALUE, such as HighErrorRate.threshold=0.1"));
        };
        Change::new(find(name.trim(), knobs)?, value)
    }

    /// What is to be said of a value that is allowed and hardly meant.
    pub fn doubt(&self) -> Option<Diagnostic> {
        let doubt = || value::doubt(&self.knob, &self.value);
        (!self.is_nothing()).then(doubt).flatten()
    }

    /// Whether it leaves everything as it is.
    pub fn is_nothing(&self) -> bool {
        let is_zero = || ["0", "0s"].contains(&self.value.as_str());
        self.value == self.knob.value || self.knob.slot == Slot::Missing && is_zero()
    }
}

/// The edits that changes of the rules of groups are, in the order of the changes; none for what is so already.
///
/// # Errors
///
/// Two values for one text, and a value that its query can't have.
pub(super) fn edits(
    groups: &[&RuleGroup],
    changes: &[Change],
    features: &Features,
) -> Result<Vec<Edit>, Vec<Diagnostic>> {
    let (mut edits, mut faults) = (Vec::new(), conflicts(changes));
    let mut done: Vec<&Knob> = Vec::new();
    for change in changes {
        let knob = &change.knob;
        if change.is_nothing() || done.iter().any(|other| other.is_same_text(knob)) {
            continue;
        }
        let owner = knob.rule.and_then(|id| {
            let group = *groups.get(id.group)?;
            Some((group, group.rules.get(id.rule)?))
        });
        match (knob.slot, owner) {
            (Slot::Query(_), Some((_, rule))) => {
                let of_rule = |other: &&Change| other.knob.rule == knob.rule;
                let in_query = |other: &&Change| matches!(other.knob.slot, Slot::Query(_));
                let all: Vec<&Change> = changes.iter().filter(of_rule).filter(in_query).collect();
                match in_query_of(rule, &all, features) {
                    Ok(found) => edits.extend(found),
                    Err(fault) => faults.push(fault),
                }
                done.extend(all.iter().map(|change| &change.knob));
            }
            (Slot::Key, _) => edits.push(at_key(change)),
            (Slot::Missing, Some((group, rule))) => match insert::edit(group, rule, change) {
                Some(edit) => edits.push(edit),
                None => faults.push(unwritable(change)),
            },
            (_, None) => faults.push(unwritable(change)),
        }
        done.push(knob);
    }
    match faults.is_empty() {
        true => Ok(edits),
        false => Err(faults),
    }
}

/// What is told where a change can't be made without changing something else.
pub(super) fn unwritable(change: &Change) -> Diagnostic {
    let knob = &change.knob;
    let message = format!("{} can't be changed here by itself", knob.shown());
    let fault = Diagnostic::error(message).at(&knob.place.source, knob.place.span);
    fault.help(format!(
        "the file is written in an unusual way: write {} there by hand",
        change.value
    ))
}

/// Knobs that are set twice, and changes that give one text two values.
fn conflicts(changes: &[Change]) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        let mut before = changes.iter().take(index);
        let other = before.find(|other| {
            let is_twice = other.knob.name == change.knob.name;
            is_twice || other.knob.is_same_text(&change.knob) && other.value != change.value
        });
        let Some(other) = other else {
            continue;
        };
        let (name, place) = (change.knob.shown(), &change.knob.place);
        let (message, help) = match other.knob.name == change.knob.name {
            true if other.value == change.value => (
                format!("{name} is set twice, to {}", change.value),
                "set it once",
            ),
            true => (
                format!("{name} is set to {} and to {}", other.value, change.value),
                "set it once",
            ),
            false => (
                format!(
                    "{} and {name} are one text in the file, and can't be {} and {}",
                    other.knob.shown(),
                    other.value,
                    change.value
                ),
                "give both the same value, or write the rules out without the alias",
            ),
        };
        faults.push(
            Diagnostic::error(message)
                .at(&place.source, place.span)
                .help(help),
        );
    }
    faults
}

fn at_key(change: &Change) -> Edit {
    let place = &change.knob.place;
    // Behind `for:` with nothing there must be a blank.
    let is_joined = place.span.start == place.span.end
        && place
            .source
            .text()
            .get(..place.span.start)
            .is_some_and(|it| it.ends_with(':'));
    let blank = if is_joined { " " } else { "" };
    Edit {
        file: place.source.name().to_owned(),
        span: place.span,
        text: format!("{blank}{}", change.value),
    }
}

/// The changes of numbers of one query: as they are, or else in brackets, such as that of the base of a power that gets a sign.
fn in_query_of(
    rule: &Rule,
    changes: &[&Change],
    features: &Features,
) -> Result<Vec<Edit>, Diagnostic> {
    let plain = |change: &Change| change.value.clone();
    let in_brackets = |change: &Change| match change.is_nothing() {
        true => change.value.clone(),
        false => format!("({})", change.value),
    };
    let mut why = None;
    for written in [plain as fn(&Change) -> String, in_brackets] {
        let text = replaced(&rule.expr.text, changes, written);
        match Query::parse(&text, features) {
            Ok(query) if says(&query, rule, changes) => {
                let changed = changes.iter().filter(|change| !change.is_nothing());
                return Ok(changed
                    .map(|change| edit(change, written(change)))
                    .collect());
            }
            Ok(_) => {}
            Err(errors) => why = why.or_else(|| errors.into_iter().next()),
        }
    }
    let Some(change) = changes.iter().find(|change| !change.is_nothing()) else {
        return Ok(Vec::new());
    };
    let Some(why) = why else {
        return Err(unwritable(change));
    };
    let place = &change.knob.place;
    let message = format!("{}={}: {}", change.knob.shown(), change.value, why.message);
    let fault = Diagnostic::error(message).at(&place.source, place.span);
    let help = why.help.unwrap_or_else(|| "give another value".to_owned());
    Err(fault.help(help))
}

fn edit(change: &Change, text: String) -> Edit {
    let place = &change.knob.place;
    Edit {
        file: place.source.name().to_owned(),
        span: place.span,
        text,
    }
}

/// A query's text with other numbers.
fn replaced(text: &str, changes: &[&Change], written: fn(&Change) -> String) -> String {
    let mut edits: Vec<(Span, String)> = Vec::new();
    for change in changes {
        if let Slot::Query(span) = change.knob.slot {
            edits.push((span, written(change)));
        }
    }
    splice(text, edits)
}

/// Whether a query's numbers are those of the rule but for the changes.
fn says(query: &Query, rule: &Rule, changes: &[&Change]) -> bool {
    let (before, after) = (numbers(&rule.expr), numbers(query));
    let text = |query: &Query, span: Span| {
        let text = query.text.get(span.start..span.end);
        text.unwrap_or_default().to_owned()
    };
    let wanted = |span: Span| {
        let mut changes = changes.iter();
        let change = changes.find(|change| change.knob.slot == Slot::Query(span));
        change.map_or_else(|| text(&rule.expr, span), |change| change.value.clone())
    };
    let mut pairs = before.iter().zip(&after);
    before.len() == after.len()
        && pairs.all(|(old, new)| old.kind == new.kind && wanted(old.span) == text(query, new.span))
}

/// A text with some of its bytes replaced; of edits at one place the first comes first.
pub fn splice(text: &str, mut edits: Vec<(Span, String)>) -> String {
    edits.sort_by_key(|(span, _)| *span);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (span, new) in edits {
        out.push_str(text.get(at..span.start).unwrap_or_default());
        out.push_str(&new);
        at = span.end.max(at);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// A source with the edits that are its own.
pub(super) fn applied(source: &Source, edits: &[Edit]) -> Source {
    let own = edits.iter().filter(|edit| edit.file == source.name());
    let own = own.map(|edit| (edit.span, edit.text.clone()));
    Source::new(source.name(), splice(source.text(), own.collect()))
}
