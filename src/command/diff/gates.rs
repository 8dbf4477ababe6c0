//! What a change of rules must not do: exit code 1 where it does.

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::report;
use crate::report::difference::{Gate, Report, Summary, per_week, percent};
use crate::text::Diagnostic;
use crate::whatif::diff::{Both, BudgetDiff, WindowChange};

/// The flags that make a difference a failure.
#[derive(Debug, Args)]
pub(super) struct Gates {
    /// End with exit code 1 where there is such a difference: gained, lost, moved, resized, merged or split firing windows, any difference
    /// in pending ones, or relabelled instances; several with commas
    #[arg(long, value_name = "CHANGE", value_delimiter = ',', value_parser = PossibleValuesParser::new(CHANGES))]
    fail_on: Vec<String>,
    /// End with exit code 1 where there are more than so many pages a week more than before
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    max_new_pages_per_week: Option<f64>,
    /// End with exit code 1 where there are more than so many pages a week after the change
    #[arg(long, value_name = "N", value_parser = number)]
    max_pages_per_week: Option<f64>,
    /// End with exit code 1 where more than so many per cent of an error budget are spent that were not before
    #[arg(long, value_name = "PERCENT", value_parser = per_cent, allow_negative_numbers = true, requires = "slo")]
    max_new_budget_spent: Option<f64>,
    /// End with exit code 1 where more than so many per cent of an error budget are spent after the change
    #[arg(long, value_name = "PERCENT", value_parser = per_cent, requires = "slo")]
    max_budget_spent: Option<f64>,
}

const PENDING: &str = "pending";
const RELABELLED: &str = "relabelled";

const CHANGES: [&str; 8] = [
    "gained", "lost", "moved", "resized", "merged", "split", PENDING, RELABELLED,
];

fn number(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "this is no number".to_owned())?;
    match number.is_finite() {
        true => Ok(number),
        false => Err("give a number such as 1 or 0.5".to_owned()),
    }
}

/// `5` or `5%`.
fn per_cent(text: &str) -> Result<f64, String> {
    number(text.strip_suffix('%').unwrap_or(text))
}

impl Gates {
    /// Whether there is something to hold them against, and to count pages in where it is said what pages.
    ///
    /// # Errors
    ///
    /// There is not.
    pub fn check(&self, has_world: bool, says_pages: bool) -> Result<(), Vec<Diagnostic>> {
        let flag = match () {
            () if has_world => None,
            () if !self.fail_on.is_empty() => Some("--fail-on"),
            () if self.max_new_pages_per_week.is_some() => Some("--max-new-pages-per-week"),
            () if self.max_pages_per_week.is_some() => Some("--max-pages-per-week"),
            () if says_pages => Some("--pages"),
            () => None,
        };
        match flag {
            None => Ok(()),
            Some(flag) => {
                let fault = Diagnostic::error(format!("{flag} has nothing to look at"));
                Err(vec![fault.help(
                    "give --data or --tests, over which the rules are replayed",
                )])
            }
        }
    }

    /// What came of each that was given.
    pub fn of(&self, report: &Report<'_>) -> Vec<Gate> {
        let summary = &report.summary();
        let mut gates: Vec<Gate> = Vec::new();
        for change in &self.fail_on {
            let name = format!("--fail-on {change}");
            if gates.iter().any(|gate| gate.name == name) {
                continue;
            }
            let count = of_change(change, summary);
            gates.push(Gate {
                name,
                is_passed: count == 0,
                says: match change.as_str() {
                    PENDING => format!("{} changed", report::count(count, "pending time")),
                    RELABELLED => format!("{} relabelled", report::count(count, "instance")),
                    _ => format!("{} {change}", report::count(count, "firing")),
                },
            });
        }
        // A change by which a rule can't be evaluated any more is never what somebody wants.
        if summary.failing > 0 {
            gates.push(Gate {
                name: "every rule can be evaluated".to_owned(),
                is_passed: false,
                says: format!("{} can't", report::count(summary.failing, "rule")),
            });
        }
        let weekly = summary.pages_per_week();
        if let Some(most) = self.max_new_pages_per_week {
            let name = format!("--max-new-pages-per-week {most}");
            gates.push(of_pages(name, weekly, |weekly| {
                let (before, after) = (per_week(weekly.before), per_week(weekly.after));
                let more = weekly.after - weekly.before;
                (
                    more <= most,
                    format!("{after} pages a week, {before} before"),
                )
            }));
        }
        if let Some(most) = self.max_pages_per_week {
            let name = format!("--max-pages-per-week {most}");
            gates.push(of_pages(name, weekly, |weekly| {
                let says = format!("{} pages a week", per_week(weekly.after));
                (weekly.after <= most, says)
            }));
        }
        let budgets = || report.worlds.iter().flat_map(|world| &world.budgets);
        if let Some(most) = self.max_new_budget_spent {
            // An objective that is new has nothing to be held against.
            let budgets = budgets().filter(|budget| budget.left.before.is_some());
            let more = |left: Both<Option<f64>>| Some(left.before? - left.after?);
            let name = format!("--max-new-budget-spent {most}");
            gates.push(of_budgets(name, most, budgets, more));
        }
        if let Some(most) = self.max_budget_spent {
            let name = format!("--max-budget-spent {most}");
            gates.push(of_budgets(name, most, budgets(), |left| {
                Some(1.0 - left.after?)
            }));
        }
        gates
    }
}

/// Holds pages a week against a bound. Where no time passes there is no telling, which is no pass.
fn of_pages(
    name: String,
    weekly: Option<Both<f64>>,
    judge: impl Fn(Both<f64>) -> (bool, String),
) -> Gate {
    let unknown = || {
        let says =
            "nothing is known of pages: from the first to the last evaluation no time passes";
        (false, says.to_owned())
    };
    let (is_passed, says) = weekly.map_or_else(unknown, judge);
    Gate {
        name,
        is_passed,
        says,
    }
}

/// Holds the worst of budgets against a bound in per cent. What is not known after the change is the worst, and that nothing is
/// known is no pass.
fn of_budgets<'b>(
    name: String,
    most: f64,
    budgets: impl Iterator<Item = &'b BudgetDiff>,
    spent: impl Fn(Both<Option<f64>>) -> Option<f64>,
) -> Gate {
    // Differences of shares are not exact to the last digit.
    const NOISE: f64 = 1e-9;
    let all = budgets.map(|budget| (spent(budget.left).unwrap_or(f64::INFINITY), budget));
    let worst = all.max_by(|(one, _), (other, _)| one.total_cmp(other));
    let Some((spent, budget)) = worst else {
        return Gate {
            name,
            is_passed: false,
            says: "no budget is known".to_owned(),
        };
    };
    let spent_of = |left: Option<f64>| percent(left.map(|left| 1.0 - left));
    Gate {
        name,
        is_passed: spent * 100.0 <= most + NOISE,
        says: format!(
            "{} of {} spent, {} before",
            spent_of(budget.left.after),
            budget.called(),
            spent_of(budget.left.before),
        ),
    }
}

fn of_change(change: &str, summary: &Summary) -> usize {
    let named = WindowChange::ALL.into_iter().find(|it| it.name() == change);
    match (change, named) {
        (PENDING, _) => summary.pending.changed(),
        (RELABELLED, _) => summary.relabelled,
        (_, Some(named)) => summary.firing.of(named),
        (_, None) => 0,
    }
}
