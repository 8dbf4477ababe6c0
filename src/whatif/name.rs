//! What knobs are called, and which of them a name means.

use std::collections::HashMap;

use super::knob::SPECS;
use super::specs::Setting;
use super::{Knob, KnobKind};
use crate::replay::RuleId;
use crate::rules::RuleGroup;
use crate::text::{Diagnostic, closest_few};

/// So many names are offered in place of one that is not there, or that means several.
const OFFERED: usize = 3;

/// The name of a rule, from which those of its knobs are made.
#[derive(Debug, Clone)]
pub(super) struct Stem {
    group: String,
    rule: String,
    /// Which of several rules of this name in groups of this name it is, from 1.
    number: Option<usize>,
}

/// The names of rules, counted.
#[derive(Debug)]
pub(super) struct Names {
    rules: HashMap<String, Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    all: usize,
    seen: usize,
}

impl Names {
    /// Of all rules of groups, and of specifications.
    pub fn of(groups: &[&RuleGroup], settings: &[Setting]) -> Names {
        let mut rules: HashMap<String, Counted> = HashMap::new();
        for group in groups {
            for rule in group.rules.iter() {
                rules.entry(path(&group.name, &rule.name)).or_default().all += 1;
            }
        }
        let mut owners: Vec<(usize, &str)> = Vec::new();
        for setting in settings {
            owners.push((setting.owner, &setting.name));
        }
        owners.dedup();
        for (_, name) in owners {
            rules.entry(path(SPECS, name)).or_default().all += 1;
        }
        Names { rules }
    }

    /// The name of the next rule or specification.
    pub fn stem(&mut self, group: &str, rule: &str) -> Stem {
        let counted = self.rules.entry(path(group, rule)).or_default();
        counted.seen += 1;
        Stem {
            group: group.to_owned(),
            rule: rule.to_owned(),
            number: (counted.all > 1).then_some(counted.seen),
        }
    }

    /// Gives each its short name, where it has one.
    pub fn shorten(&self, knobs: Vec<(Stem, Knob)>) -> Vec<Knob> {
        let mut meant: HashMap<String, usize> = HashMap::new();
        for (stem, knob) in &knobs {
            for alias in stem.aliases(knob) {
                *meant.entry(alias).or_default() += 1;
            }
        }
        let shorten = |(stem, mut knob): (Stem, Knob)| {
            let mut aliases = stem.aliases(&knob).into_iter();
            knob.short = aliases.find(|alias| meant.get(alias) == Some(&1));
            knob
        };
        knobs.into_iter().map(shorten).collect()
    }
}

/// What all rules of groups are called in the names of their knobs.
pub(super) fn rule_names(groups: &[&RuleGroup]) -> HashMap<RuleId, String> {
    let mut names = Names::of(groups, &[]);
    let mut all = HashMap::new();
    for (group, of_group) in groups.iter().enumerate() {
        for (rule, of_rule) in of_group.rules.iter().enumerate() {
            let stem = names.stem(&of_group.name, &of_rule.name);
            let name = path(&stem.group, &stem.rule) + &stem.number();
            all.insert(RuleId { group, rule }, name);
        }
    }
    all
}

fn path(group: &str, rule: &str) -> String {
    format!("{group}/{rule}")
}

impl Stem {
    /// The full name of a knob, the `nth` of its kind.
    pub fn full(&self, kind: KnobKind, nth: usize) -> String {
        let rule = path(&self.group, &self.rule);
        let number = self.number();
        match kind.is_single() {
            true => format!("{rule}{number}.{}", kind.name()),
            false => format!("{rule}{number}.{}[{nth}]", kind.name()),
        }
    }

    fn number(&self) -> String {
        self.number
            .map_or_else(String::new, |number| format!("#{number}"))
    }

    /// Shorter names, the shortest first; others may have the same.
    fn aliases(&self, knob: &Knob) -> Vec<String> {
        let kind = knob.kind.name();
        // `.threshold[2]`
        let dot = knob.name.rfind(&format!(".{kind}")).unwrap_or_default();
        let tail = knob.name.get(dot..).unwrap_or_default();
        let number = self.number();
        let mut heads = vec![self.rule.clone(), format!("{}{number}", self.rule)];
        heads.push(path(&self.group, &self.rule));
        heads.push(format!("{}{number}", path(&self.group, &self.rule)));
        heads.dedup();
        let aliases = heads
            .iter()
            .flat_map(|head| [format!("{head}.{kind}"), format!("{head}{tail}")]);
        let mut aliases: Vec<String> = aliases.filter(|alias| *alias != knob.name).collect();
        let mut seen = Vec::new();
        aliases.retain(|alias| {
            let is_new = !seen.contains(alias);
            seen.push(alias.clone());
            is_new
        });
        aliases
    }
}

/// The knob that a name means: its full name, or one without the group, the `#` or the `[]` that means no other.
///
/// # Errors
///
/// No knob of that name, with those that may have been meant; or several, with their full names.
pub fn find<'k>(name: &str, knobs: &'k [Knob]) -> Result<&'k Knob, Diagnostic> {
    let exact = knobs.iter().find(|knob| knob.name == name);
    let exact = exact.or_else(|| {
        knobs
            .iter()
            .find(|knob| knob.short.as_deref() == Some(name))
    });
    if let Some(knob) = exact {
        return Ok(knob);
    }
    let meant: Vec<&Knob> = knobs.iter().filter(|knob| may_mean(knob, name)).collect();
    match meant.as_slice() {
        [] => Err(unknown(name, knobs)),
        [knob] => Ok(knob),
        several => {
            let message = format!("{name:?} means {} knobs", several.len());
            Err(Diagnostic::error(message).help(format!("give one of {}", listed(several))))
        }
    }
}

/// Whether a name is that of a knob without some of its parts.
fn may_mean(knob: &Knob, name: &str) -> bool {
    let plain = |name: &str| -> Option<(String, String)> {
        let dot = name.rfind('.')?;
        let (head, tail) = name.split_at_checked(dot)?;
        Some((head.to_owned(), tail.get(1..)?.to_owned()))
    };
    let (Some((head, tail)), Some((own_head, own_tail))) = (plain(name), plain(&knob.name)) else {
        return false;
    };
    let is_tail = tail == own_tail || tail == knob.kind.name();
    let without_number = |text: &str| match text.rsplit_once('#') {
        Some((head, number)) if number.bytes().all(|it| it.is_ascii_digit()) => head.to_owned(),
        _ => text.to_owned(),
    };
    let ends =
        |own: &str| own == head || own.strip_suffix(&head).is_some_and(|it| it.ends_with('/'));
    is_tail && (ends(&own_head) || ends(&without_number(&own_head)))
}

fn unknown(name: &str, knobs: &[Knob]) -> Diagnostic {
    let fault = Diagnostic::error(format!("there is no knob {name:?}"));
    let names = knobs
        .iter()
        .flat_map(|knob| [knob.shown(), knob.name.as_str()]);
    let names: Vec<&str> = names.collect();
    let mut near = closest_few(name, &names, 2 * OFFERED);
    near.dedup();
    near.truncate(OFFERED);
    match near.is_empty() {
        true => fault.help("`rulecheck whatif --list` with the same files names all there are"),
        false => fault.help(format!("did you mean {}?", near.join(" or "))),
    }
}

/// The first names of several knobs.
fn listed(knobs: &[&Knob]) -> String {
    const MOST: usize = 8;
    let names: Vec<&str> = knobs.iter().map(|knob| knob.name.as_str()).collect();
    match names.split_at_checked(MOST) {
        Some((first, rest)) if !rest.is_empty() => {
            format!("{} and {} more", first.join(", "), rest.len())
        }
        _ => names.join(", "),
    }
}
