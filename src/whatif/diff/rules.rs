//! Which rule is which after a change, and what of it changed.

use std::collections::{BTreeMap, BTreeSet};

use super::Both;
use crate::model::{Duration, Millis};
use crate::replay::RuleId;
use crate::rules::{Rule, RuleGroup, RuleKind};
use crate::text::{Place, Source, Span};

/// The rules of two sides.
#[derive(Debug, Clone, Default)]
pub struct RulesDiff {
    /// Each rule of either side once: in the order of the rules after the change, then those that are gone.
    pub pairs: Vec<RulePair>,
}

/// A rule on one side, and the one on the other that it became.
#[derive(Debug, Clone)]
pub struct RulePair {
    /// As it was; `None` for a new rule.
    pub before: Option<RuleSide>,
    /// As it is then; `None` for a rule that is gone.
    pub after: Option<RuleSide>,
    /// What differs; nothing where it is only laid out otherwise.
    pub fields: Vec<FieldChange>,
}

/// A rule on one side.
#[derive(Debug, Clone)]
pub struct RuleSide {
    /// Its place among the groups of its side.
    pub id: RuleId,
    /// Its group's name.
    pub group: String,
    /// The alert's name, or that of what it records.
    pub name: String,
    /// Whether it raises alerts.
    pub is_alert: bool,
    /// Where its name stands.
    pub place: Place,
    /// It as it is written, moved to the left, each line with its end.
    pub text: String,
}

/// Something of a rule, or of its group, that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// As rule files call it: `expr`, `for`, `labels.severity`.
    pub name: String,
    /// As it was; `None` where it was not there.
    pub before: Option<String>,
    /// As it is then.
    pub after: Option<String>,
}

impl FieldChange {
    /// Whether it may make a difference to when alerts fire: annotations don't.
    pub fn matters(&self) -> bool {
        !self.name.starts_with(ANNOTATIONS)
    }
}

/// What became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleChange {
    /// It says what it said.
    Same,
    /// It is only there after the change.
    Added,
    /// It was only there before.
    Removed,
    /// It says what it said, in another group.
    Moved,
    /// It says what it said under another name.
    Renamed,
    /// It says something else.
    Changed,
}

impl RuleChange {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            RuleChange::Same => "same",
            RuleChange::Added => "added",
            RuleChange::Removed => "removed",
            RuleChange::Moved => "moved",
            RuleChange::Renamed => "renamed",
            RuleChange::Changed => "changed",
        }
    }
}

const GROUP: &str = "group";
const NAME: &str = "name";
const LABELS: &str = "labels.";
const ANNOTATIONS: &str = "annotations.";

impl RulePair {
    /// What became of the rule.
    pub fn change(&self) -> RuleChange {
        let is_but = |names: &[&str]| {
            let mut fields = self.fields.iter();
            fields.all(|field| names.contains(&field.name.as_str()))
        };
        match (&self.before, &self.after) {
            (None, _) => RuleChange::Added,
            (_, None) => RuleChange::Removed,
            _ if self.fields.is_empty() => RuleChange::Same,
            _ if is_but(&[GROUP]) => RuleChange::Moved,
            _ if is_but(&[GROUP, NAME]) => RuleChange::Renamed,
            _ => RuleChange::Changed,
        }
    }

    /// The rule as it is then, or was if it is gone.
    pub fn side(&self) -> Option<&RuleSide> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// Whether it may make a difference to when alerts fire.
    pub fn matters(&self) -> bool {
        let mut fields = self.fields.iter();
        match self.change() {
            RuleChange::Added | RuleChange::Removed => true,
            _ => fields.any(FieldChange::matters),
        }
    }

    /// The names of the labels that it sets otherwise.
    pub(super) fn changed_labels(&self) -> BTreeSet<String> {
        let fields = self.fields.iter();
        let names = fields.filter_map(|field| field.name.strip_prefix(LABELS));
        names.map(str::to_owned).collect()
    }
}

impl RulesDiff {
    /// Pairs the rules of two sides. Files make no difference, and layout makes none.
    pub fn of(before: &[&RuleGroup], after: &[&RuleGroup]) -> RulesDiff {
        let sides = Both {
            before: all(before),
            after: all(after),
        };
        let partners = partners(&sides);
        let mut is_left = vec![true; sides.before.len()];
        let mut pairs = Vec::with_capacity(sides.after.len());
        for (new, partner) in sides.after.iter().zip(partners) {
            let old = partner.and_then(|old| sides.before.get(old));
            if let Some(left) = partner.and_then(|old| is_left.get_mut(old)) {
                *left = false;
            }
            pairs.push(RulePair {
                before: old.map(Known::side),
                after: Some(new.side()),
                fields: old.map_or_else(Vec::new, |old| fields(old, new)),
            });
        }
        let gone = sides.before.iter().zip(is_left).filter(|(_, left)| *left);
        pairs.extend(gone.map(|(old, _)| RulePair {
            before: Some(old.side()),
            after: None,
            fields: Vec::new(),
        }));
        RulesDiff { pairs }
    }

    /// Those that say something else than before, are new or gone.
    pub fn changed(&self) -> impl Iterator<Item = &RulePair> {
        let pairs = self.pairs.iter();
        pairs.filter(|pair| pair.change() != RuleChange::Same)
    }

    /// Whether every rule says what it said.
    pub fn is_empty(&self) -> bool {
        self.changed().next().is_none()
    }
}

/// A rule, and what it is known by.
struct Known<'r> {
    id: RuleId,
    group: &'r RuleGroup,
    rule: &'r Rule,
    /// What it says, by the names of fields; its group and name among them.
    says: BTreeMap<String, String>,
}

fn all<'r>(groups: &[&'r RuleGroup]) -> Vec<Known<'r>> {
    let groups = groups.iter().enumerate();
    let rules = groups.flat_map(|(group, it)| {
        let rules = it.rules.iter().enumerate();
        rules.map(move |(rule, of)| Known::new(RuleId { group, rule }, it, of))
    });
    rules.collect()
}

impl<'r> Known<'r> {
    fn new(id: RuleId, group: &'r RuleGroup, rule: &'r Rule) -> Known<'r> {
        let mut says = BTreeMap::new();
        let mut say = |name: &str, value: String| drop(says.insert(name.to_owned(), value));
        say(GROUP, group.name.clone());
        say(NAME, rule.name.clone());
        // Printed, so that blanks and comments are no difference.
        say("expr", rule.expr.to_string());
        let mut length = |name: &str, length: Option<Millis>| {
            if let Some(length) = length.filter(|length| *length != 0) {
                says.insert(name.to_owned(), Duration(length).to_string());
            }
        };
        length("interval", group.interval);
        length("query_offset", group.query_offset);
        match &rule.kind {
            RuleKind::Alert(alert) => {
                length("for", Some(alert.hold));
                length("keep_firing_for", Some(alert.keep_firing_for));
                for (name, label) in &alert.labels {
                    says.insert(format!("{LABELS}{name}"), label.text().to_owned());
                }
                for (name, text) in &alert.annotations {
                    says.insert(format!("{ANNOTATIONS}{name}"), text.text().to_owned());
                }
            }
            RuleKind::Recording { labels } => {
                for (name, label) in labels {
                    says.insert(format!("{LABELS}{name}"), label.clone());
                }
            }
        }
        if group.limit != 0 {
            says.insert("limit".to_owned(), group.limit.to_string());
        }
        Known {
            id,
            group,
            rule,
            says,
        }
    }

    fn is_alert(&self) -> bool {
        matches!(self.rule.kind, RuleKind::Alert(_))
    }

    fn side(&self) -> RuleSide {
        RuleSide {
            id: self.id,
            group: self.group.name.clone(),
            name: self.rule.name.clone(),
            is_alert: self.is_alert(),
            place: Place::new(&self.group.source, self.rule.name_span),
            text: dedented(&self.group.source, self.rule.span),
        }
    }

    /// What it says in some fields; its kind always.
    fn key(&self, fields: &[Field]) -> Vec<(&str, &str)> {
        let kind = if self.is_alert() { "alert" } else { "record" };
        let mut key = vec![("", kind)];
        let says = self.says.iter();
        let asked = says.filter(|(name, _)| fields.contains(&Field::of(name)));
        key.extend(asked.map(|(name, value)| (name.as_str(), value.as_str())));
        key
    }
}

/// What rules are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Group,
    Name,
    Labels,
    Expr,
    Waits,
    /// Annotations and what the group says.
    Rest,
}

impl Field {
    fn of(name: &str) -> Field {
        match name {
            GROUP => Field::Group,
            NAME => Field::Name,
            "expr" => Field::Expr,
            "for" | "keep_firing_for" => Field::Waits,
            _ if name.starts_with(LABELS) => Field::Labels,
            _ => Field::Rest,
        }
    }
}

/// By what rules are paired: what is the same in the first of these is paired first. Where the second is set, only what is
/// meant by it alone on both sides.
const PASSES: [(&[Field], bool); 12] = {
    use Field::{Expr, Group, Labels, Name, Rest, Waits};
    [
        (&[Group, Name, Labels, Expr, Waits, Rest], false),
        (&[Group, Name, Labels, Expr, Waits], false),
        (&[Group, Name, Labels, Expr], false),
        (&[Group, Name, Labels], false),
        // In another group.
        (&[Name, Labels, Expr, Waits], false),
        // With other labels.
        (&[Group, Name, Expr], false),
        (&[Group, Name], false),
        // Under another name.
        (&[Group, Labels, Expr, Waits], false),
        // More than one of these at once.
        (&[Name, Labels], true),
        (&[Name, Expr], true),
        (&[Name], true),
        (&[Labels, Expr, Waits], true),
    ]
};

/// For each rule after the change the one that it was.
fn partners(sides: &Both<Vec<Known<'_>>>) -> Vec<Option<usize>> {
    let mut partners: Vec<Option<usize>> = vec![None; sides.after.len()];
    let mut old: Vec<usize> = (0..sides.before.len()).collect();
    let mut new: Vec<usize> = (0..sides.after.len()).collect();
    for (fields, is_alone) in PASSES {
        if old.is_empty() || new.is_empty() {
            break;
        }
        type Places = (Vec<usize>, Vec<usize>);
        let mut by_key: BTreeMap<Vec<(&str, &str)>, Places> = BTreeMap::new();
        for &place in &old {
            if let Some(rule) = sides.before.get(place) {
                by_key.entry(rule.key(fields)).or_default().0.push(place);
            }
        }
        for &place in &new {
            if let Some(rule) = sides.after.get(place) {
                by_key.entry(rule.key(fields)).or_default().1.push(place);
            }
        }
        for (before, after) in by_key.into_values() {
            if is_alone && (before.len(), after.len()) != (1, 1) {
                continue;
            }
            for (before, after) in before.into_iter().zip(after) {
                if let Some(partner) = partners.get_mut(after) {
                    *partner = Some(before);
                }
            }
        }
        let taken: BTreeSet<usize> = partners.iter().flatten().copied().collect();
        old.retain(|place| !taken.contains(place));
        new.retain(|place| partners.get(*place).is_some_and(Option::is_none));
    }
    partners
}

fn fields(old: &Known<'_>, new: &Known<'_>) -> Vec<FieldChange> {
    let names: BTreeSet<&String> = old.says.keys().chain(new.says.keys()).collect();
    let mut changes: Vec<FieldChange> = names
        .into_iter()
        .map(|name| FieldChange {
            name: name.clone(),
            before: old.says.get(name).cloned(),
            after: new.says.get(name).cloned(),
        })
        .filter(|change| change.before != change.after)
        .collect();
    const FIRST: [&str; 5] = [GROUP, NAME, "expr", "for", "keep_firing_for"];
    let place = |it: &FieldChange| FIRST.iter().position(|name| *name == it.name);
    changes.sort_by_key(|it| place(it).unwrap_or(FIRST.len()));
    changes
}

/// A part of a text, as far to the left as it goes.
fn dedented(source: &Source, span: Span) -> String {
    let column = source.line_column(span.start).column.saturating_sub(1);
    let text = format!("{}{}", " ".repeat(column), source.slice(span));
    let lines = || text.lines().map(str::trim_end);
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let filled = lines().filter(|line| !line.is_empty());
    let least = filled.map(indent).min().unwrap_or(0);
    let mut out = String::with_capacity(text.len());
    for line in lines() {
        out.push_str(line.get(least..).unwrap_or_default());
        out.push('\n');
    }
    let end = out.trim_end().len();
    out.truncate(end);
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{ReadOptions, read};

    /// Each rule as `group alert expr severity`, several with `;`.
    fn groups(text: &str) -> Vec<RuleGroup> {
        let mut yaml = "groups:\n".to_owned();
        let mut last = "";
        for rule in text.split(';').map(str::trim).filter(|it| !it.is_empty()) {
            let words: Vec<&str> = rule.split_whitespace().collect();
            let [group, alert, expr, severity] = words.as_slice() else {
                panic!("{rule}");
            };
            if *group != last {
                yaml.push_str(&format!("- name: {group}\n  rules:\n"));
                last = group;
            }
            yaml.push_str(&format!(
                "  - alert: {alert}\n    expr: {expr}\n    labels: {{severity: {severity}}}\n"
            ));
        }
        let source = Source::new("a.yml", yaml);
        read(&source, &ReadOptions::default()).unwrap().groups
    }

    fn shown(before: &str, after: &str) -> Vec<String> {
        let (before, after) = (groups(before), groups(after));
        let before: Vec<&RuleGroup> = before.iter().collect();
        let after: Vec<&RuleGroup> = after.iter().collect();
        let there = RulesDiff::of(&before, &after);
        let back = RulesDiff::of(&after, &before);
        let sides = |diff: &RulesDiff, is_back: bool| -> BTreeSet<_> {
            let id = |side: &Option<RuleSide>| side.as_ref().map(|side| side.id);
            let pairs = diff.pairs.iter();
            let pairs = pairs.map(|pair| (id(&pair.before), id(&pair.after)));
            pairs
                .map(|(a, b)| if is_back { (b, a) } else { (a, b) })
                .collect()
        };
        assert_eq!(sides(&there, false), sides(&back, true), "the mirror");
        let pairs = there.pairs.iter();
        let words = pairs.map(|pair| {
            let fields: Vec<&str> = pair.fields.iter().map(|it| it.name.as_str()).collect();
            let name = pair.side().map_or("", |side| &side.name);
            let word = format!("{} {name} {}", pair.change().name(), fields.join(","));
            word.trim_end().to_owned()
        });
        words.collect()
    }

    #[test]
    fn rules_are_known_by_what_they_are_called() {
        for (before, after, expected) in [
            ("g A up==0 page", "g A up==0 page", "same A"),
            ("g A up==0 page", "g A up==1 page", "changed A expr"),
            ("g A up==0 page", "g A up  ==  0 page", ""),
            ("g A up==0 page", "h A up==0 page", "moved A group"),
            ("g A up==0 page", "h A up==1 page", "changed A group,expr"),
            (
                "g A up==0 page",
                "g A up==0 mail",
                "changed A labels.severity",
            ),
            ("g A up==0 page", "g B up==0 page", "renamed B name"),
            ("g A up==0 page", "h B up==0 page", "renamed B group,name"),
            ("g A up==0 page", "g B up==1 page", "added B|removed A"),
            (
                "g A up==0 page; g A up==1 mail",
                "g A up==2 mail; g A up==0 page",
                "changed A expr|same A",
            ),
            (
                "g A up==0 page; g A up==1 page",
                "g A up==1 page",
                "same A|removed A",
            ),
            // Which of two it became is not certain, but one it did.
            (
                "g A up==0 page; h A up==1 page",
                "i A up==2 page",
                "added A|removed A|removed A",
            ),
            ("", "g A up==0 page", "added A"),
        ] {
            if !expected.is_empty() {
                assert_eq!(
                    shown(before, after).join("|"),
                    expected,
                    "{before} > {after}"
                );
            }
        }
    }

    #[test]
    fn layout_is_no_change() {
        let read = |text: &str| {
            read(&Source::new("a.yml", text), &ReadOptions::default())
                .unwrap()
                .groups
        };
        let before = read("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: sum(a) > 5\n");
        let after = read(
            "groups:\r\n    - name: g\r\n      rules:\r\n        - expr: |\r\n            sum(a)\r\n              > 5 # why\r\n          alert: A\r\n",
        );
        let diff = RulesDiff::of(&[&before[0]], &[&after[0]]);
        assert!(diff.is_empty());
        let side = diff.pairs[0].after.as_ref().unwrap();
        assert_eq!(side.text, "expr: |\n  sum(a)\n    > 5 # why\nalert: A\n");
    }
}
