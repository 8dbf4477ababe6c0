//! What a change of rules does to error budgets.

use super::Both;
use crate::model::{Labels, Millis, Timestamp};
use crate::replay::Replay;
use crate::slo::budget::{Budget, History, Unmatched, unmatched};
use crate::slo::objective::Slo;
use crate::text::{Diagnostic, distinct};

/// Burn rates are shown over these: those of the usual alerts that page.
const WINDOWS: [Millis; 2] = [3_600_000, 21_600_000];

/// What changed of an error budget at the end of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetDiff {
    /// The objective's name.
    pub objective: String,
    /// The labels of its group, if it has groups.
    pub labels: Labels,
    /// The share of the budget that is left; `None` where that is not known.
    pub left: Both<Option<f64>>,
    /// How fast it is spent.
    pub burn: Vec<Burn>,
}

/// How fast a budget is spent: 1 spends it all in the objective's window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burn {
    /// Over which time up to the end.
    pub over: Millis,
    /// The rate; `None` where it is not known.
    pub rate: Both<Option<f64>>,
}

impl BudgetDiff {
    /// The objective with the labels of its group: `latency {route="/pay"}`.
    pub fn called(&self) -> String {
        match self.labels.is_empty() {
            true => self.objective.clone(),
            false => format!("{} {}", self.objective, self.labels),
        }
    }

    /// Whether it is as it was.
    pub fn is_empty(&self) -> bool {
        let is_same = |both: &Both<Option<f64>>| both.before == both.after;
        is_same(&self.left) && self.burn.iter().all(|burn| is_same(&burn.rate))
    }
}

/// The budgets of objectives at a moment over what two replays hold, in the order of the objectives before the change. An
/// objective is known by its name. One that has no series is left out, unless all are; what is to be said of it goes to
/// `said`.
///
/// # Errors
///
/// Those of [`Budget::of`].
pub fn budgets(
    before: (&[Slo], &Replay<'_>),
    after: (&[Slo], &Replay<'_>),
    at: Timestamp,
    said: &mut Vec<Diagnostic>,
) -> Result<Vec<BudgetDiff>, Vec<Diagnostic>> {
    let (before, after) = (known(before, at)?, known(after, at)?);
    let lacking = before.lacking.into_iter().chain(after.lacking);
    let (before, after) = (before.budgets, after.budgets);
    let is_none = before.is_empty() && after.is_empty();
    // A rule that is new may record what an objective reads.
    let lacking = lacking.filter(|(slo, _)| !after.iter().any(|(it, _)| it.name == slo.name));
    let (slos, faults): (Vec<&Slo>, Vec<Diagnostic>) = lacking.unzip();
    if is_none && !faults.is_empty() {
        return Err(distinct(faults));
    }
    let warnings = slos.into_iter().zip(faults);
    said.extend(warnings.map(|(slo, fault)| left_out(slo, fault)));
    // Bad events that nothing records any more look like none.
    let gone = after.iter().filter(|(_, budget)| budget.bad_is_unmatched);
    let gone = gone.flat_map(|(_, budget)| &budget.unmatched);
    said.extend(gone.filter(|it| it.is_mistake).map(Unmatched::diagnose));
    let mut found: Vec<BudgetDiff> = Vec::new();
    for (place, (slo, budget)) in before.iter().chain(&after).enumerate() {
        let is_before = place < before.len();
        let known = found
            .iter_mut()
            .find(|it| it.objective == slo.name && it.labels == budget.labels);
        let left = budget.at(at).left().ok();
        let rates = WINDOWS.map(|over| budget.burn_rate(over, at).ok());
        match known {
            Some(known) if !is_before => {
                known.left.after = left;
                for (burn, rate) in known.burn.iter_mut().zip(rates) {
                    burn.rate.after = rate;
                }
            }
            // Two of one name on one side: the first counts.
            Some(_) => {}
            None => {
                let both = |value| match is_before {
                    true => Both {
                        before: value,
                        after: None,
                    },
                    false => Both {
                        before: None,
                        after: value,
                    },
                };
                let burn = WINDOWS.iter().zip(rates).map(|(&over, rate)| Burn {
                    over,
                    rate: both(rate),
                });
                found.push(BudgetDiff {
                    objective: slo.name.clone(),
                    labels: budget.labels.clone(),
                    left: both(left),
                    burn: burn.collect(),
                });
            }
        }
    }
    Ok(found)
}

/// The budgets of a side.
struct Known<'s> {
    budgets: Vec<(&'s Slo, Budget)>,
    /// The objectives that have no series, and why.
    lacking: Vec<(&'s Slo, Diagnostic)>,
}

fn known<'s>(
    (slos, replay): (&'s [Slo], &Replay<'_>),
    at: Timestamp,
) -> Result<Known<'s>, Vec<Diagnostic>> {
    let view = replay.view_after(Timestamp::MAX);
    let (mut budgets, mut lacking) = (Vec::new(), Vec::new());
    for slo in slos {
        match Budget::of(slo, &view, at, History::Full) {
            Ok(found) => budgets.extend(found.into_iter().map(|budget| (slo, budget))),
            Err(faults) if unmatched(slo, &view).0.is_empty() => return Err(faults),
            Err(faults) => lacking.extend(faults.into_iter().map(|fault| (slo, fault))),
        }
    }
    Ok(Known { budgets, lacking })
}

fn left_out(slo: &Slo, fault: Diagnostic) -> Diagnostic {
    let mut warning = fault.into_warning();
    warning.message = format!("no budget of {}: {}", slo.name, warning.message);
    warning
}
