//! Looks for a case of an alert: series are planned, and a replay says whether they do.

use super::rules::Background;
use super::solve::{Reason, Scope, Solver, Want};
use super::timing::Timing;
use super::tree::paired;
use super::trial::{clock, trials};
use super::world::{Planned, World};
use crate::model::Labels;
use crate::promql::Features;
use crate::replay::{OnRuleError, Replay, ReplaySpec, RuleId, replay};
use crate::rules::{AlertRule, Rule, RuleGroup};

/// What an alert is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// Fire.
    Fire,
    /// Be neither pending nor firing.
    Silent,
}

/// Series with which an alert does what it is to do.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub goal: Goal,
    pub series: Vec<Planned>,
    pub timing: Timing,
}

/// An alert among its rules.
#[derive(Debug)]
pub(super) struct Subject<'r> {
    pub rule: &'r Rule,
    pub alert: &'r AlertRule,
    pub id: RuleId,
    pub groups: &'r [&'r RuleGroup],
    pub features: Features,
    /// The test is to begin at 1970.
    pub is_plain: bool,
}

/// Evaluations that may be spent on one alert, about.
const WORK: usize = 60_000;

impl Case {
    /// The replay of all rules over its series.
    pub fn replayed<'r>(&self, subject: &Subject<'r>) -> Option<Replay<'r>> {
        let world = World {
            series: self.series.clone(),
        };
        run(&world, &self.timing, subject.groups, subject.features)
    }
}

/// Looks for a case.
///
/// # Errors
/// Why none was found, of the plainest plan.
pub(super) fn find(
    subject: &Subject<'_>,
    background: &Background<'_>,
    goal: Goal,
) -> Result<Case, Reason> {
    let expr = paired(&subject.rule.expr.expr);
    let timing = Timing::of(&expr, subject.alert.hold, background)
        .ok_or("it would take a test of more than a month")?;
    let ticks = usize::try_from(timing.length / timing.evaluation).unwrap_or(0) + 1;
    let groups: Vec<&RuleGroup> = background.with_alert();
    let weight = if background.records().is_empty() {
        1
    } else {
        ticks
    };
    let mut work = WORK;
    let mut tried: Vec<Vec<Planned>> = Vec::new();
    let mut first_reason: Option<Reason> = None;
    let mut second_best: Option<Case> = None;
    for trial in trials(clock(&expr), subject.is_plain) {
        if work == 0 {
            break;
        }
        let looks = (work / weight).min(300);
        let mut solver = Solver {
            background,
            timing: Timing {
                start: trial.start,
                ..timing
            },
            trial,
            world: World::default(),
            looks,
        };
        let planned = plan(&mut solver, &expr, subject, goal);
        let looked = looks.saturating_sub(solver.looks);
        work = work.saturating_sub(looked * weight * (1 + solver.world.series.len() / 8) + 1);
        let reason = match planned {
            Err(reason) => reason,
            Ok(()) if tried.contains(&solver.world.series) && trial.start == 0 => continue,
            Ok(()) => {
                work = work.saturating_sub(1 + ticks * groups.len() / 16);
                tried.push(solver.world.series.clone());
                let case = Case {
                    goal,
                    series: solver.world.series.clone(),
                    timing: solver.timing,
                };
                match judge(&case, subject, &groups) {
                    Verdict::Good => return Ok(rounder(case, subject, &groups)),
                    Verdict::Fair => {
                        second_best.get_or_insert(case);
                        continue;
                    }
                    Verdict::Bad(reason) => reason,
                }
            }
        };
        first_reason.get_or_insert(reason);
    }
    second_best
        .ok_or_else(|| first_reason.unwrap_or_else(|| "nothing was found in time".to_owned()))
}

/// A case that does the same with numbers of fewer digits, as far as there are some.
fn rounder(mut case: Case, subject: &Subject<'_>, groups: &[&RuleGroup]) -> Case {
    for index in 0..case.series.len() {
        for digits in [1, 2, 3] {
            let mut other = case.clone();
            let is_other = match other.series.get_mut(index) {
                Some(planned) => planned.round(digits, &case.timing),
                None => false,
            };
            if is_other && matches!(judge(&other, subject, groups), Verdict::Good) {
                case = other;
                break;
            }
        }
    }
    case
}

/// Plans series for what an alert is to do.
fn plan(
    solver: &mut Solver<'_, '_>,
    expr: &crate::promql::ast::Expr,
    subject: &Subject<'_>,
    goal: Goal,
) -> Result<(), Reason> {
    let scope = Scope {
        needs: mentioned(subject.alert),
        ..Scope::default()
    };
    match goal {
        Goal::Fire => solver.meet(expr, Want::ANY, &scope),
        Goal::Silent => solver.hush(expr, &scope),
    }
}

/// Whether a case does.
enum Verdict {
    Good,
    /// If there is nothing better.
    Fair,
    Bad(Reason),
}

fn judge(case: &Case, subject: &Subject<'_>, groups: &[&RuleGroup]) -> Verdict {
    let world = World {
        series: case.series.clone(),
    };
    let Some(replay) = run(&world, &case.timing, groups, subject.features) else {
        return Verdict::Bad("it would take too many evaluations".to_owned());
    };
    let is_own = |id: RuleId| {
        let rule = groups
            .get(id.group)
            .and_then(|group| group.rules.get(id.rule));
        rule.is_some_and(|rule| rule.span == subject.rule.span && rule.name == subject.rule.name)
    };
    if let Some(error) = replay.errors.first().filter(|error| is_own(error.rule)) {
        return Verdict::Bad(format!(
            "with the series that were planned its expression fails: {}",
            error.message
        ));
    }
    let own = replay.timeline.alerts.iter().find(|it| is_own(it.rule));
    let instances = own.map_or(&[][..], |alert| alert.instances.as_slice());
    let others = replay.timeline.alerts.iter().filter(|it| !is_own(it.rule));
    let others_fire = others
        .into_iter()
        .any(|alert| alert.name == subject.rule.name && !alert.instances.is_empty());
    let fires_at_end = instances.iter().any(|instance| {
        let last = instance.stretch_at(case.timing.end());
        last.is_some_and(|stretch| stretch.state == crate::replay::AlertState::Firing)
    });
    match case.goal {
        Goal::Fire if fires_at_end => Verdict::Good,
        Goal::Fire if instances.iter().any(|instance| instance.fires()) => Verdict::Fair,
        Goal::Fire if instances.is_empty() => Verdict::Bad(
            "with the series that were planned its expression yields nothing".to_owned(),
        ),
        Goal::Fire => Verdict::Bad(
            "with the series that were planned it does not hold long enough to fire".to_owned(),
        ),
        Goal::Silent if instances.is_empty() && !case.series.is_empty() && !others_fire => {
            Verdict::Good
        }
        Goal::Silent if !instances.iter().any(|instance| instance.fires()) => Verdict::Fair,
        Goal::Silent => {
            Verdict::Bad("it fires with every plan of series that should keep it silent".to_owned())
        }
    }
}

fn run<'g>(
    world: &World,
    timing: &Timing,
    groups: &'g [&'g RuleGroup],
    features: Features,
) -> Option<Replay<'g>> {
    let store = world.store(timing);
    let mut spec = ReplaySpec::new(groups, store, timing.start, timing.end(), timing.evaluation);
    spec.on_error = OnRuleError::Continue;
    spec.features = features;
    replay(spec).ok()
}

/// The labels that annotations and labels of an alert show.
fn mentioned(alert: &AlertRule) -> std::collections::BTreeSet<String> {
    let templates = alert.labels.iter().chain(&alert.annotations);
    let mut found = std::collections::BTreeSet::new();
    for (_, template) in templates {
        for prefix in ["$labels.", ".Labels."] {
            for (at, _) in template.text().match_indices(prefix) {
                let rest = template.text().get(at + prefix.len()..).unwrap_or("");
                let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
                let name: String = rest.chars().take_while(|letter| is_part(*letter)).collect();
                if !name.is_empty() && name != "alertname" && name != "__name__" {
                    found.insert(name);
                }
            }
        }
    }
    for (label, _) in &alert.labels {
        found.remove(label);
    }
    found
}

/// What a label set is in a test file: all but the alert's name.
pub(super) fn shown(labels: &Labels) -> Vec<(&str, &str)> {
    let shown = labels
        .iter()
        .filter(|(label, _)| *label != crate::replay::ALERT_NAME);
    shown.collect()
}
