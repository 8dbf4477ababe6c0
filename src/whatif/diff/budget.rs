//! What a change of rules does to error budgets.

use super::Both;
use crate::model::{Labels, Millis, Timestamp};
use crate::replay::Replay;
use crate::slo::budget::{Budget, History};
use crate::slo::objective::Slo;
use crate::text::Diagnostic;

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
    /// Whether it is as it was.
    pub fn is_empty(&self) -> bool {
        let is_same = |both: &Both<Option<f64>>| both.before == both.after;
        is_same(&self.left) && self.burn.iter().all(|burn| is_same(&burn.rate))
    }
}

/// The budgets of objectives at a moment over what two replays hold, in the order of the objectives before the change. An
/// objective is known by its name.
///
/// # Errors
///
/// Those of [`Budget::of`].
pub fn budgets(
    before: (&[Slo], &Replay<'_>),
    after: (&[Slo], &Replay<'_>),
    at: Timestamp,
) -> Result<Vec<BudgetDiff>, Vec<Diagnostic>> {
    let (before, after) = (side(before, at)?, side(after, at)?);
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

fn side<'s>(
    (slos, replay): (&'s [Slo], &Replay<'_>),
    at: Timestamp,
) -> Result<Vec<(&'s Slo, Budget)>, Vec<Diagnostic>> {
    let view = replay.view_after(Timestamp::MAX);
    let mut found = Vec::new();
    for slo in slos {
        let budgets = Budget::of(slo, &view, at, History::Full)?;
        found.extend(budgets.into_iter().map(|budget| (slo, budget)));
    }
    Ok(found)
}
