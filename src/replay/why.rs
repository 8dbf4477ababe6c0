//! Why a rule yielded what it yielded at an evaluation: its expression as it was seen then, the state of its alerts, and
//! the rules whose series it read.

use std::collections::BTreeSet;

use crate::model::{Labels, METRIC_NAME, MatchOp, Matcher, Millis, Timestamp};
use crate::promql::why::{Explained, Mark, Meant, Selects, explain};
use crate::promql::{Query, Reader, View};
use crate::text::yaml::Embedded;
use crate::text::{Place, Span};

use super::alert::ALERT_NAME;
use super::plan::{PlannedRule, patience};
use super::result::Replay;
use super::timeline::{AlertState, RuleId, Stretch};
use crate::rules::{AlertRule, RuleKind};

/// Of so many rules that record what one selector reads something is said.
const MAX_RECORDED: usize = 3;

/// So many expressions are explained at once.
const MAX_SECTIONS: usize = 8;

/// Why something yielded what it yielded: what was asked for, and then the rules whose series it read.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// One for each expression, that which was asked for first.
    pub sections: Vec<Section>,
}

/// One expression at one moment.
#[derive(Debug, Clone)]
pub struct Section {
    /// What it belongs to.
    pub subject: Subject,
    /// The moment asked for.
    pub asked: Timestamp,
    /// The evaluation that counts then; `None` where there was none yet.
    pub evaluated: Option<Timestamp>,
    /// The expression in its file.
    pub text: Embedded,
    /// What it came to; `None` where there was no evaluation.
    pub explained: Option<Explained>,
    /// Why the rule failed at that evaluation.
    pub error: Option<String>,
    /// Where an alert stands.
    pub state: Option<State>,
    /// Rules that record what its selectors read.
    pub recorded: Vec<Recorded>,
}

/// What an expression belongs to.
#[derive(Debug, Clone)]
pub enum Subject {
    /// An alerting rule.
    Alert {
        /// Its name.
        name: String,
        /// Where the name stands.
        place: Place,
    },
    /// A recording rule.
    Recording {
        /// The name of what it records.
        name: String,
        /// Where the name stands.
        place: Place,
    },
    /// Nothing: it was asked for.
    Expression,
}

/// A rule that records what a selector reads.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Where the selector stands in the query's text.
    pub span: Span,
    /// The rule.
    pub rule: RuleId,
    /// The name of what it records.
    pub name: String,
    /// Where the rule's name stands.
    pub place: Place,
    /// Its last evaluation of which the selector sees something.
    pub as_of: Option<Timestamp>,
    /// Its [`Section`], if it is explained too.
    pub section: Option<usize>,
}

/// Where the alerts of a rule stand after an evaluation.
#[derive(Debug, Clone)]
pub struct State {
    /// The group's name.
    pub group: String,
    /// The distance of its evaluations.
    pub every: Millis,
    /// `for`.
    pub hold: Millis,
    /// `keep_firing_for`.
    pub keep_firing_for: Millis,
    /// The pending and firing ones that are meant, in the order of labels.
    pub active: Vec<Waiting>,
    /// How many others are pending or firing.
    pub others: usize,
    /// Where none is: the last time that one was, and which.
    pub before: Option<(Labels, Stretch)>,
    /// Where none is: the next time that one will be, and which.
    pub after: Option<(Labels, Stretch)>,
}

/// A pending or firing alert.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its labels, `alertname` among them.
    pub labels: Labels,
    /// In which state it is, since when and until when.
    pub stretch: Stretch,
    /// Of a pending one, the evaluation from which on it fires if its condition stays true.
    pub fires_at: Option<Timestamp>,
    /// Whether a pending one fires in the end.
    pub will_fire: bool,
    /// The first evaluation without its condition, where only `keep_firing_for` holds it.
    pub quiet_since: Option<Timestamp>,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// The moment.
    pub at: Timestamp,
    /// How many levels to go down into the rules whose series are read; further where nothing is read.
    pub depth: usize,
    /// Labels that results should have; what there is to say of series like them comes first.
    pub about: &'q [Labels],
}

/// What is still to be explained.
struct Wanted {
    rule: RuleId,
    at: Timestamp,
    depth: usize,
    /// Whether something above reads what it records.
    is_read: bool,
}

impl Replay<'_> {
    /// The rules of a name, in the order of evaluation.
    pub fn rules_called(&self, name: &str) -> Vec<RuleId> {
        let found = self.rules().filter(|rule| rule.name() == name);
        found.map(|rule| rule.id).collect()
    }

    /// Explains a rule's last evaluation at or before the moment asked for, and those of the rules whose series it read.
    /// `None` for a rule that was not replayed.
    pub fn explain_rule(&self, id: RuleId, question: Question<'_>) -> Option<Explanation> {
        self.rules().find(|rule| rule.id == id)?;
        let wanted = Wanted {
            rule: id,
            at: question.at,
            depth: question.depth,
            is_read: false,
        };
        Some(self.explained(Vec::new(), vec![wanted], question.about))
    }

    /// Explains an expression at the time asked for, as somebody sees it who asks when everything up to `after` was
    /// evaluated. `text` is where the expression stands.
    pub fn explain_query(
        &self,
        query: &Query,
        text: &Embedded,
        question: Question<'_>,
        after: Timestamp,
    ) -> Explanation {
        let view = self.view_after(after);
        let meant = Meant {
            names: &self.names(),
            about: question.about,
        };
        let explained = explain(query, &view, question.at, meant);
        let mut section = Section {
            subject: Subject::Expression,
            asked: question.at,
            evaluated: Some(question.at),
            text: text.clone(),
            explained: None,
            error: None,
            state: None,
            recorded: Vec::new(),
        };
        let wanted = self.read_by(&explained, &view, &mut section, question.depth);
        section.explained = Some(explained);
        self.explained(vec![section], wanted, question.about)
    }

    /// Explains one after the other, and what each reads behind it.
    fn explained(
        &self,
        mut sections: Vec<Section>,
        wanted: Vec<Wanted>,
        about: &[Labels],
    ) -> Explanation {
        let mut places: Vec<(RuleId, Option<Timestamp>, usize)> = Vec::new();
        let mut queue = std::collections::VecDeque::from(wanted);
        while let Some(next) = queue.pop_front() {
            let Some(rule) = self.rules().find(|rule| rule.id == next.rule) else {
                continue;
            };
            let moments = rule.moments_until(self.clamped(next.at));
            let evaluated = moments.count.checked_sub(1).map(|tick| moments.time(tick));
            let known = places
                .iter()
                .any(|(id, moment, _)| (*id, *moment) == (next.rule, evaluated));
            if known || sections.len() >= MAX_SECTIONS {
                continue;
            }
            places.push((next.rule, evaluated, sections.len()));
            let (section, deeper) = self.section(rule, &next, evaluated, about);
            sections.push(section);
            queue.extend(deeper);
        }
        for recorded in sections
            .iter_mut()
            .flat_map(|section| &mut section.recorded)
        {
            let found = places.iter().find(|(id, ..)| *id == recorded.rule);
            recorded.section = found.map(|(_, _, section)| *section);
        }
        Explanation { sections }
    }

    /// A rule at an evaluation, and what it read.
    fn section(
        &self,
        rule: &PlannedRule<'_>,
        wanted: &Wanted,
        evaluated: Option<Timestamp>,
        about: &[Labels],
    ) -> (Section, Vec<Wanted>) {
        // Of what is read below only the evaluation counts.
        let asked = match wanted.is_read {
            true => evaluated.unwrap_or(wanted.at),
            false => wanted.at,
        };
        let name = rule.name().to_owned();
        let place = place_of(rule);
        let subject = match rule.alert() {
            Some(_) => Subject::Alert { name, place },
            None => Subject::Recording { name, place },
        };
        let meant = Meant {
            names: &self.names(),
            about,
        };
        let mut section = Section {
            subject,
            asked,
            evaluated,
            text: rule.rule.expr_text.clone(),
            explained: None,
            error: None,
            state: rule
                .alert()
                .map(|alert| self.state(rule, alert, asked, meant)),
            recorded: Vec::new(),
        };
        let Some(moment) = evaluated else {
            return (section, Vec::new());
        };
        let mut errors = self.errors.iter();
        let error = errors.find(|error| error.rule == rule.id && error.at == moment);
        section.error = error.map(|error| error.message.clone());
        let view = self.view_as(rule.reader());
        let time = moment.saturating_sub(rule.writer.offset);
        let explained = explain(rule.query(), &view, time, meant);
        let deeper = self.read_by(&explained, &view, &mut section, wanted.depth);
        section.explained = Some(explained);
        (section, deeper)
    }

    /// Notes the rules that record what the selectors of an expression read, and says which are to be explained too.
    fn read_by(
        &self,
        explained: &Explained,
        view: &View<'_>,
        section: &mut Section,
        depth: usize,
    ) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for node in explained.root.each() {
            let Some(selects) = &node.selects else {
                continue;
            };
            for rule in self.writers(selects).into_iter().take(MAX_RECORDED) {
                let at = last_visible(rule, selects, view.reader);
                let moments = rule.moments_until(self.clamped(at));
                section.recorded.push(Recorded {
                    as_of: moments.count.checked_sub(1).map(|tick| moments.time(tick)),
                    span: node.span,
                    rule: rule.id,
                    name: rule.name().to_owned(),
                    place: place_of(rule),
                    section: None,
                });
                // Alerts are not gone into: what they are is asked for by their names.
                if let (Some(below), None) = (depth.checked_sub(1), rule.alert()) {
                    wanted.push(Wanted {
                        rule: rule.id,
                        at,
                        // What is empty is followed to where that began.
                        depth: if node.mark == Mark::Emptied {
                            depth
                        } else {
                            below
                        },
                        is_read: true,
                    });
                }
            }
        }
        wanted
    }

    /// The rules that write what a selector reads; where nothing matches, those that might.
    fn writers(&self, selects: &Selects) -> Vec<&PlannedRule<'_>> {
        let found = self.store.select(&selects.matchers);
        let positions = found
            .into_iter()
            .map(|id| self.store.get(id).writer.position);
        let positions: BTreeSet<u32> = positions.collect();
        let wrote = |rule: &&PlannedRule<'_>| positions.contains(&rule.writer.position);
        match positions.is_empty() {
            false => self.rules().filter(wrote).collect(),
            true => self
                .rules()
                .filter(|rule| may_write(rule, &selects.matchers))
                .collect(),
        }
    }

    /// The names of what rules record.
    fn names(&self) -> Vec<&str> {
        let recording = self.rules().filter(|rule| rule.alert().is_none());
        recording.map(PlannedRule::name).collect()
    }

    fn state(
        &self,
        rule: &PlannedRule<'_>,
        alert: &AlertRule,
        at: Timestamp,
        meant: Meant<'_>,
    ) -> State {
        let at = self.clamped(at);
        let timelines = self.timeline.alerts.iter();
        let instances = timelines
            .filter(|timeline| timeline.rule == rule.id)
            .flat_map(|timeline| &timeline.instances);
        let stretches = || {
            instances.clone().flat_map(|instance| {
                instance
                    .stretches
                    .iter()
                    .map(|stretch| (&instance.labels, *stretch))
            })
        };
        let standing = self.standing(rule.id, at);
        let active = standing.map(|standing| standing.alerts).unwrap_or_default();
        let active = active.into_iter().filter_map(|active| {
            let of_labels = || stretches().filter(|(labels, _)| **labels == active.labels);
            let (_, stretch) = of_labels().find(|(_, stretch)| stretch.covers(at))?;
            let follows = |(_, next): &(&Labels, Stretch)| {
                next.state == AlertState::Firing && Some(next.from) == stretch.to
            };
            let is_pending = stretch.state == AlertState::Pending;
            Some(Waiting {
                fires_at: is_pending.then(|| fires_at(rule, alert, &stretch)),
                will_fire: is_pending && of_labels().any(|next| follows(&next)),
                quiet_since: active.quiet_since,
                labels: active.labels,
                stretch,
            })
        });
        let mut active: Vec<Waiting> = active.collect();
        let all = active.len();
        // Where it is known which are meant, the others are only counted.
        let is_meant = |labels: &Labels| meant.about.is_empty() || meant.concerns(labels);
        active.retain(|waiting| is_meant(&waiting.labels));
        let named = |found: Option<(&Labels, Stretch)>| {
            found
                .filter(|_| active.is_empty())
                .map(|(labels, stretch)| (labels.clone(), stretch))
        };
        let stretches = || stretches().filter(|(labels, _)| is_meant(labels));
        let before = stretches().filter(|(_, stretch)| stretch.to.is_some_and(|to| to <= at));
        let after = stretches().filter(|(_, stretch)| stretch.from > at);
        State {
            group: rule.group.to_owned(),
            every: rule.moments.step,
            hold: alert.hold,
            keep_firing_for: alert.keep_firing_for,
            before: named(before.max_by_key(|(_, stretch)| stretch.to)),
            after: named(after.min_by_key(|(_, stretch)| stretch.from)),
            others: all.saturating_sub(active.len()),
            active,
        }
    }
}

/// Where a rule's name stands.
fn place_of(rule: &PlannedRule<'_>) -> Place {
    Place::new(rule.rule.expr_text.source(), rule.rule.name_span)
}

/// The first evaluation at which `for` is over.
fn fires_at(rule: &PlannedRule<'_>, alert: &AlertRule, stretch: &Stretch) -> Timestamp {
    let hold = patience(alert).hold;
    let step = rule.moments.step.max(1);
    let steps = hold / step + Millis::from(hold % step != 0);
    stretch.active_at.saturating_add(steps.saturating_mul(step))
}

/// Up to when evaluations of a rule are visible to a selector.
fn last_visible(rule: &PlannedRule<'_>, selects: &Selects, reader: Reader) -> Timestamp {
    match reader {
        Reader::After(moment) => selects.end.saturating_add(rule.writer.offset).min(moment),
        Reader::Rule { position, offset } => {
            let is_later = Millis::from(rule.writer.position >= position);
            selects.end.saturating_add(offset).saturating_sub(is_later)
        }
    }
}

/// Whether a rule may write series that pass, as far as that is known before any evaluation.
fn may_write(rule: &PlannedRule<'_>, matchers: &[Matcher]) -> bool {
    let is_name = |matcher: &&Matcher| matcher.name == METRIC_NAME && matcher.op == MatchOp::Equal;
    let Some(name) = matchers.iter().find(is_name) else {
        return false;
    };
    match &rule.rule.kind {
        RuleKind::Recording { labels } => {
            let fits = |(label, value): &(String, String)| {
                let mut of_label = matchers.iter().filter(|matcher| matcher.name == *label);
                of_label.all(|matcher| matcher.matches_value(value))
            };
            rule.name() == name.value && labels.iter().all(fits)
        }
        RuleKind::Alert(_) => {
            let mut of_name = matchers.iter().filter(|matcher| matcher.name == ALERT_NAME);
            [super::ALERTS, super::ALERTS_FOR_STATE].contains(&name.value.as_str())
                && of_name.all(|matcher| matcher.matches_value(rule.name()))
        }
    }
}
