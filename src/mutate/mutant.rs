//! A rule with one thing in it otherwise, and the text that says so.

use super::Operator;
use super::site::Site;
use crate::model::Millis;
use crate::promql::Query;
use crate::replay::RuleId;
use crate::rules::template::Template;
use crate::rules::{Rule, RuleFile, RuleGroup, RuleKind};
use crate::text::yaml;
use crate::text::{Place, Span};
use crate::whatif::{Change, Edit, Edited, Knob, RuleSet, splice};

/// A rule with one thing in it otherwise.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// What made it.
    pub operator: &'static Operator,
    /// The rule, by its place in its file.
    pub rule: RuleId,
    /// The rule's name.
    pub name: String,
    /// What is otherwise, in the file as it is.
    pub place: Place,
    /// What stands there, on one line.
    pub from: String,
    /// What the mutant has there; `None` where it has nothing.
    pub to: Option<String>,
    /// A test that would notice it, as the end of a sentence that begins with "to kill it: ".
    pub remedy: String,
    pub(super) alteration: Alteration,
}

/// How a mutant is written.
#[derive(Debug, Clone)]
pub(super) enum Alteration {
    /// A knob is moved.
    Knob(Box<Change>),
    /// A part of the query is another, by its bytes in the query's text.
    Query(Span, String),
    /// The bytes of a label of the rule are not there.
    Label(Edit, String),
    /// The bytes of the rule are not there.
    Rule(Edit),
}

/// The mutants of a rule file by some operators, in the order of its text; `of` says which rules are changed, `step` how far
/// two evaluations of one lie apart.
pub fn mutants(
    file: &RuleSet,
    operators: &[&'static Operator],
    of: &dyn Fn(&Rule) -> bool,
    step: &dyn Fn(&RuleGroup, &Rule) -> Millis,
) -> Vec<Mutant> {
    let groups = file.groups();
    let knobs = file.knobs();
    let sources = groups.iter().map(|group| group.source.clone());
    let sources: Vec<_> = sources.collect();
    let mut all: Vec<Mutant> = Vec::new();
    for (group, of_group) in groups.iter().enumerate() {
        let Some(Ok(documents)) = sources.get(group).map(yaml::parse_all) else {
            continue;
        };
        for (rule, of_rule) in of_group.rules.iter().enumerate().filter(|(_, it)| of(it)) {
            let id = RuleId { group, rule };
            let own: Vec<&Knob> = knobs.iter().filter(|knob| knob.rule == Some(id)).collect();
            let mut site = Site {
                group: of_group,
                rule: of_rule,
                id,
                knobs: &own,
                step: step(of_group, of_rule),
                documents: &documents,
                operator: None,
                found: Vec::new(),
            };
            for operator in operators {
                site.operator = Some(operator);
                (operator.make)(&mut site);
            }
            let mut found = site.found;
            found.sort_by_key(|mutant| mutant.place.span.start);
            // What rules share by an alias is changed once.
            found.retain(|one| !all.iter().any(|other| one.is_same_edit(other)));
            all.extend(found);
        }
    }
    all
}

impl Mutant {
    fn is_same_edit(&self, other: &Mutant) -> bool {
        self.place.span == other.place.span
            && self.to == other.to
            && self.operator == other.operator
            && self.place.source.name() == other.place.source.name()
    }

    /// The rules with this one changed; `None` where they would not load, say the same as before, or can't be written with
    /// this one thing otherwise and nothing else.
    pub fn applied(&self, before: &RuleSet) -> Option<Edited> {
        let edited = match &self.alteration {
            Alteration::Knob(change) => before.changed(std::slice::from_ref(change)),
            Alteration::Query(span, text) => {
                let whole = &self.rule(before.files.first()?)?.expr_text;
                let place = Place::new(whole.source(), whole.span(*span));
                before.edited(&[Edit {
                    file: place.source.name().to_owned(),
                    span: place.span,
                    text: text.clone(),
                }])
            }
            Alteration::Label(edit, _) | Alteration::Rule(edit) => {
                before.edited(std::slice::from_ref(edit))
            }
        };
        let edited = edited.ok()?;
        let (old, new) = (before.files.first()?, edited.rules.files.first()?);
        self.is_meant(old, new, before).then_some(edited)
    }

    fn rule<'f>(&self, file: &'f RuleFile) -> Option<&'f Rule> {
        file.groups.get(self.rule.group)?.rules.get(self.rule.rule)
    }

    /// Whether what was meant is what came of it: this rule is another, and the others are what they were.
    fn is_meant(&self, before: &RuleFile, after: &RuleFile, set: &RuleSet) -> bool {
        let Some(old) = self.rule(before) else {
            return false;
        };
        let is_gone = matches!(self.alteration, Alteration::Rule(_));
        let is_other = match &self.alteration {
            Alteration::Rule(_) => true,
            _ => self
                .rule(after)
                .is_some_and(|new| self.is_altered(old, new, set)),
        };
        let left = |group: usize, rule: usize| {
            let id = RuleId { group, rule };
            !is_gone || id != self.rule
        };
        is_other
            && before.groups.len() == after.groups.len()
            && before.groups.iter().zip(&after.groups).enumerate().all(
                |(group, (of_old, of_new))| {
                    let rules = of_old.rules.iter().enumerate();
                    let rules = rules.filter(|(rule, _)| left(group, *rule));
                    let rules: Vec<(usize, &Rule)> = rules.collect();
                    same_head(of_old, of_new)
                        && rules.len() == of_new.rules.len()
                        && rules
                            .iter()
                            .zip(of_new.rules.iter())
                            .all(|((rule, it), new)| {
                                let id = RuleId { group, rule: *rule };
                                id == self.rule || same(it, new) || shares_text(it, old)
                            })
                },
            )
    }

    /// Whether a rule says what the mutant should.
    fn is_altered(&self, old: &Rule, new: &Rule, set: &RuleSet) -> bool {
        match &self.alteration {
            Alteration::Query(span, text) => {
                let text = splice(&old.expr.text, vec![(*span, text.clone())]);
                let meant = Query::parse(&text, &set.reading.features);
                meant.is_ok_and(|meant| meant.expr == new.expr.expr) && !same(old, new)
            }
            Alteration::Label(_, name) => {
                let without = labels(old).into_iter().filter(|(it, _)| it != name);
                old.expr.expr == new.expr.expr && without.eq(labels(new))
            }
            Alteration::Knob(_) | Alteration::Rule(_) => !same(old, new),
        }
    }
}

/// Whether two groups say the same beside their rules, where an alias may stand for what was changed in one of these.
fn same_head(old: &RuleGroup, new: &RuleGroup) -> bool {
    old.name == new.name
        && old.interval == new.interval
        && old.own_phase == new.own_phase
        && old.query_offset == new.query_offset
        && old.limit == new.limit
}

/// Whether two rules say the same.
fn same(old: &Rule, new: &Rule) -> bool {
    let waits = |rule: &Rule| match &rule.kind {
        RuleKind::Alert(alert) => Some((alert.hold, alert.keep_firing_for)),
        RuleKind::Recording { .. } => None,
    };
    let annotations = |rule: &Rule| match &rule.kind {
        RuleKind::Alert(alert) => texts(&alert.annotations),
        RuleKind::Recording { .. } => Vec::new(),
    };
    old.name == new.name
        && old.expr.expr == new.expr.expr
        && waits(old) == waits(new)
        && labels(old) == labels(new)
        && annotations(old) == annotations(new)
}

/// Whether a part of two rules is one text, by an alias.
fn shares_text(one: &Rule, other: &Rule) -> bool {
    let holds = |rule: &Rule| match &rule.kind {
        RuleKind::Alert(alert) => {
            let texts = [&alert.hold_text, &alert.keep_firing_for_text];
            texts.map(|text| text.as_ref().map(|text| text.whole()))
        }
        RuleKind::Recording { .. } => [None, None],
    };
    let mut pairs = holds(one).into_iter().zip(holds(other));
    one.expr_text.whole() == other.expr_text.whole()
        || pairs.any(|(one, other)| one.is_some() && one == other)
}

fn labels(rule: &Rule) -> Vec<(String, String)> {
    match &rule.kind {
        RuleKind::Alert(alert) => texts(&alert.labels),
        RuleKind::Recording { labels } => labels.clone(),
    }
}

fn texts(templates: &[(String, Template)]) -> Vec<(String, String)> {
    let texts = templates.iter();
    texts
        .map(|(name, template)| (name.clone(), template.text().to_owned()))
        .collect()
}
