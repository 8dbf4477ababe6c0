//! What a change of rules must not do: exit code 1 where it does.

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::report;
use crate::report::difference::{Gate, Summary, per_week};
use crate::text::Diagnostic;
use crate::whatif::diff::WindowChange;

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

impl Gates {
    /// Whether there is something to hold them against.
    ///
    /// # Errors
    ///
    /// There is not.
    pub fn check(&self, has_world: bool) -> Result<(), Vec<Diagnostic>> {
        let flag = match () {
            () if has_world => None,
            () if !self.fail_on.is_empty() => Some("--fail-on"),
            () if self.max_new_pages_per_week.is_some() => Some("--max-new-pages-per-week"),
            () if self.max_pages_per_week.is_some() => Some("--max-pages-per-week"),
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
    pub fn of(&self, summary: &Summary) -> Vec<Gate> {
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
        if let (Some(most), Some(weekly)) = (self.max_new_pages_per_week, weekly) {
            let more = weekly.after - weekly.before;
            gates.push(Gate {
                name: format!("--max-new-pages-per-week {most}"),
                is_passed: more <= most,
                says: format!(
                    "{} pages a week, {} before",
                    per_week(weekly.after),
                    per_week(weekly.before)
                ),
            });
        }
        if let (Some(most), Some(weekly)) = (self.max_pages_per_week, weekly) {
            gates.push(Gate {
                name: format!("--max-pages-per-week {most}"),
                is_passed: weekly.after <= most,
                says: format!("{} pages a week", per_week(weekly.after)),
            });
        }
        gates
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
