//! Error budgets as text and as JSON.

use serde_json::{Value, json};
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Style};

use super::unmet::{digits, share};
use crate::model::{Duration, Millis, Timestamp};
use crate::series::time::show;
use crate::slo::budget::{Budget, Exhaustion, History, Standing, Unknown};
use crate::slo::objective::{Method, Slo};

/// A budget at a moment.
pub struct Shown<'s> {
    /// The objective.
    pub slo: &'s Slo,
    /// Its budget, or that of one of its groups.
    pub budget: Budget,
    /// The moment.
    pub at: Timestamp,
    /// Burn rates are shown over these; by the first it is told when the budget will be spent.
    pub windows: &'s [Millis],
    /// What counts as all events where history is missing.
    pub history: History,
}

/// As many cells has a curve at most.
const CELLS: usize = 60;

/// What is left, from least to most.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Budgets one after the other: what is left, a table of burn rates, and what was left over time.
pub fn text(shown: &[Shown<'_>]) -> String {
    let parts: Vec<String> = shown.iter().map(Shown::text).collect();
    parts.join("\n")
}

/// `{"version": 1, "budgets": […]}`, lengths of time in seconds; what is not known is null, with a reason beside it.
pub fn json(shown: &[Shown<'_>]) -> String {
    let budgets: Vec<Value> = shown.iter().map(Shown::json).collect();
    format!("{:#}\n", json!({"version": 1, "budgets": budgets}))
}

impl Shown<'_> {
    fn text(&self) -> String {
        let slo = self.slo;
        let now = self.budget.at(self.at);
        let group = match self.budget.labels.is_empty() {
            true => String::new(),
            false => format!(" {}", self.budget.labels),
        };
        let mut lines = vec![format!(
            "{}{group}: {} over {}",
            slo.name, slo.target, slo.window
        )];
        let mut line = |name: &str, text: String| lines.push(format!("  {name:<10} {text}"));
        line("at", show(self.at));
        line("window", self.window(&now));
        line("counted", self.counted());
        if self.budget.bad_is_unmatched {
            let text = "no series counts bad events: there were none, or a name is wrong";
            line("note", text.to_owned());
        }
        for lacking in &self.budget.unmatched {
            line("note", format!("{}: {}", lacking.message, lacking.help));
        }
        line(
            "indicator",
            match now.indicator {
                Some(indicator) => good_share(indicator),
                None => Unknown::NoTraffic.to_string(),
            },
        );
        let unit = self.unit();
        line(
            "budget",
            match now.spent {
                Ok(spent) => format!(
                    "{} left, {} spent: {} bad {unit} of {} that {} {unit} allow",
                    share(1.0 - spent),
                    share(spent),
                    digits(now.bad),
                    digits(now.expected * slo.target.budget()),
                    digits(now.expected)
                ),
                Err(unknown) => unknown.to_string(),
            },
        );
        line("exhausted", self.exhaustion());
        let mut text = lines.join("\n");
        text.push('\n');
        text.push_str(&indented(&self.table()));
        text.push_str(&self.curve());
        text
    }

    /// `2026-03-01T00:00:00Z to 2026-03-31T00:00:00Z, of which 2h is known`.
    fn window(&self, now: &Standing) -> String {
        let (from, to) = now.window;
        let window = format!("{} to {}", show(from), show(to));
        let is_to_come = to > self.at && self.history == History::Full;
        if now.is_whole() {
            return match is_to_come {
                true => format!("{window}; what is to come counts as good at the mean rate"),
                false => window,
            };
        }
        let known = length(now.known);
        match self.history {
            History::Full => {
                format!(
                    "{window}; {known} of it is known, the rest counts as good at the mean rate"
                )
            }
            History::Observed => format!("{window}; {known} of it is known, and only that counts"),
        }
    }

    fn counted(&self) -> String {
        let how = match self.budget.is_exact {
            true => "raw increases or samples",
            false => "what the queries estimate",
        };
        format!("{}; {how}", self.slo.method.words())
    }

    fn unit(&self) -> &'static str {
        match self.slo.method {
            Method::Occurrences => "events",
            Method::TimeSlices { .. } | Method::RatioTimeSlices { .. } => "slices",
        }
    }

    fn exhaustion(&self) -> String {
        let over = self.windows.first().copied().unwrap_or(3_600_000);
        let goes_on = format!("if the last {} goes on", length(over));
        match self.budget.exhaustion(over, self.at) {
            Ok(Exhaustion::Already) => match self.budget.spent_at(1.0) {
                Some(since) => format!("already, first at {}", show(since)),
                None => "already".to_owned(),
            },
            Ok(Exhaustion::In(millis)) => format!("in {} {goes_on}", length(millis)),
            Ok(Exhaustion::Never) => format!("never {goes_on}"),
            Err(unknown) => format!("not known: {unknown} in the last {}", length(over)),
        }
    }

    fn table(&self) -> String {
        let mut builder = Builder::default();
        builder.push_record(["over", "burn rate", "good"]);
        let mut windows = self.windows.to_vec();
        windows.sort_unstable();
        windows.dedup();
        for window in windows {
            let burn = self.budget.burn_rate(window, self.at);
            let (burn, good) = match burn {
                Ok(burn) => (
                    digits(burn),
                    good_share(1.0 - burn * self.slo.target.budget()),
                ),
                Err(unknown) => (unknown.to_string(), String::new()),
            };
            builder.push_record([length(window), burn, good]);
        }
        let mut table = builder.build();
        table.with(Style::blank());
        table.modify(Columns::new(1..), Alignment::right());
        table.to_string()
    }

    /// What was left at moments at equal distances.
    fn points(&self) -> Vec<(Timestamp, Option<f64>)> {
        let (from, to) = self.budget.extent();
        let to = to.min(self.at);
        let length = to.saturating_sub(from).max(1);
        let step = (length / CELLS as i64).max(self.budget.step());
        let count = (length / step).max(1);
        let moments = (0..count).map(|cell| to - (count - 1 - cell) * step);
        moments
            .map(|moment| (moment, self.budget.at(moment).left().ok()))
            .collect()
    }

    /// From nothing left to all; overdrawn is the lowest.
    fn curve(&self) -> String {
        let points = self.points();
        let known: Vec<f64> = points.iter().filter_map(|(_, left)| *left).collect();
        let cell = |left: &Option<f64>| match left {
            None => ' ',
            Some(left) => {
                let level = (left.clamp(0.0, 1.0) * 7.0).round() as usize;
                LEVELS.get(level).copied().unwrap_or(' ')
            }
        };
        let drawn: String = points.iter().map(|(_, left)| cell(left)).collect();
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return String::new();
        };
        let least = known.iter().copied().fold(f64::INFINITY, f64::min);
        let now = match self.budget.at(last.0).left() {
            Ok(now) => share(now),
            Err(unknown) => unknown.to_string(),
        };
        let said = match known.is_empty() {
            true => now,
            false => format!("{now} now, {} at the least", share(least)),
        };
        format!(
            "  {:<10} {drawn}  {said}\n  {:<10} {} to {}\n",
            "left",
            "",
            show(first.0),
            show(last.0)
        )
    }

    fn json(&self) -> Value {
        let seconds = |millis: Millis| millis as f64 / 1e3;
        let slo = self.slo;
        let now = self.budget.at(self.at);
        let over = self.windows.first().copied().unwrap_or(3_600_000);
        let labels = self.budget.labels.iter();
        let labels: Vec<(String, Value)> = labels
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        let mut windows = self.windows.to_vec();
        windows.sort_unstable();
        windows.dedup();
        let burn_rates: Vec<Value> = windows
            .iter()
            .map(|&window| {
                let burn = self.budget.burn_rate(window, self.at);
                json!({
                    "window": seconds(window),
                    "rate": burn.ok(),
                    "unknown": burn.err().map(|unknown| unknown.to_string()),
                })
            })
            .collect();
        let exhaustion = match self.budget.exhaustion(over, self.at) {
            Ok(Exhaustion::Already) => json!({"state": "already"}),
            Ok(Exhaustion::In(millis)) => json!({"state": "in", "seconds": seconds(millis)}),
            Ok(Exhaustion::Never) => json!({"state": "never"}),
            Err(unknown) => json!({"state": "unknown", "unknown": unknown.to_string()}),
        };
        let points = self.points().into_iter();
        let curve: Vec<Value> = points
            .map(|(moment, left)| json!({"at": seconds(moment), "left": left}))
            .collect();
        json!({
            "name": slo.name,
            "service": slo.service,
            "labels": labels.into_iter().collect::<serde_json::Map<String, Value>>(),
            "target": slo.target.fraction(),
            "window": slo.window.to_string(),
            "method": slo.method.words(),
            "exact": self.budget.is_exact,
            "bad_unmatched": self.budget.bad_is_unmatched,
            "at": seconds(self.at),
            "from": seconds(now.window.0),
            "to": seconds(now.window.1),
            "known": seconds(now.known),
            "bad": now.bad,
            "total": now.total,
            "expected": now.expected,
            "indicator": now.indicator,
            "spent": now.spent.ok(),
            "left": now.left().ok(),
            "unknown": now.spent.err().map(|unknown| unknown.to_string()),
            "burn_rates": burn_rates,
            "exhaustion": exhaustion,
            "curve": curve,
        })
    }
}

/// A share with as many decimals as tell it from 100 %.
fn good_share(part: f64) -> String {
    let percent = part * 100.0;
    let text = format!("{percent:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}%")
}

/// Days, hours and minutes: `3d4h`, as weeks and years are hard to compare.
fn length(millis: Millis) -> String {
    const DAY: Millis = 86_400_000;
    let millis = match millis {
        // Nobody wants milliseconds of hours.
        3_600_000.. => millis / 60_000 * 60_000,
        60_000.. => millis / 1_000 * 1_000,
        _ => millis,
    };
    match (millis / DAY, millis % DAY) {
        (0, rest) => Duration(rest).to_string(),
        (days, 0) => format!("{days}d"),
        (days, rest) => format!("{days}d{}", Duration(rest)),
    }
}

fn indented(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| format!("    {}\n", line.trim_end()));
    lines.collect()
}
