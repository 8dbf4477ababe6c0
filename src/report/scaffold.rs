//! What became of the alerts for which tests were to be written.

use super::count;
use crate::scaffold::{Outcome, Outlook, Scaffold};

/// A test file that was written.
#[derive(Debug)]
pub struct Written<'w> {
    /// The rule files whose alerts it tests.
    pub rule_files: &'w [String],
    /// Its path; `None` where it was printed.
    pub path: Option<&'w str>,
    /// What it holds.
    pub scaffold: &'w Scaffold,
}

/// A line an alert, and a sum.
pub fn lines(written: &Written<'_>) -> String {
    let alerts = &written.scaffold.alerts;
    let mut out = String::new();
    for alert in alerts {
        out.push_str(&line(alert));
    }
    let made =
        |alert: &&Outlook| alert.fires == Outcome::Written || alert.silent == Outcome::Written;
    let number = alerts.iter().filter(made).count();
    let without = alerts.iter().filter(|alert| lacks(alert)).count();
    let files = written.rule_files.join(", ");
    let target = written.path.unwrap_or("standard output");
    let mut sum = match number {
        0 => format!("{files}: nothing written"),
        _ => format!(
            "{files}: tests of {} written to {target}",
            count(number, "alert")
        ),
    };
    let tested = alerts.len()
        - alerts
            .iter()
            .filter(|alert| made(alert) || lacks(alert))
            .count();
    if tested > 0 {
        sum.push_str(&format!(", {} tested already", count(tested, "alert")));
    }
    if without > 0 {
        sum.push_str(&format!(
            ", {} without a case, as listed above",
            count(without, "alert")
        ));
    }
    out.push_str(&sum);
    out.push('\n');
    out
}

fn lacks(alert: &Outlook) -> bool {
    [&alert.fires, &alert.silent]
        .iter()
        .any(|it| matches!(it, Outcome::NotFound(_)))
}

fn line(alert: &Outlook) -> String {
    let name = &alert.name;
    let what = match (&alert.fires, &alert.silent) {
        (Outcome::Tested, Outcome::Tested) => "tested ",
        (Outcome::NotFound(_), Outcome::NotFound(_)) => "missing",
        (Outcome::NotFound(_), _) | (_, Outcome::NotFound(_)) => "partly ",
        _ => "written",
    };
    let mut out = format!("{what}  {name}\n");
    let place = alert.place.source.line_column(alert.place.span.start);
    for (case, outcome) in [("firing", &alert.fires), ("silent", &alert.silent)] {
        if let Outcome::NotFound(reason) = outcome {
            let file = alert.place.source.name();
            out.push_str(&format!(
                "         no {case} case ({file}:{}): {reason}\n",
                place.line
            ));
        }
    }
    out
}
