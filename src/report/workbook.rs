//! The tables of the SRE Workbook's chapter 5 for an objective, as text and as JSON.

use serde_json::{Value, json};
use tabled::builder::Builder;
use tabled::settings::object::{Columns, FirstColumn};
use tabled::settings::{Alignment, Padding, Style};

use super::detect::length;
use super::unmet::{digits, share};
use crate::model::Millis;
use crate::slo::multiwindow;
use crate::slo::sloth::Windows;
use crate::slo::target::Target;
use crate::slo::window::{CalendarUnit, Window};
use crate::slo::workbook as book;

/// An objective whose tables are shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// What it is called; empty for none.
    pub name: String,
    /// Which share shall be good.
    pub target: Target,
    /// Over which time.
    pub window: Window,
    /// The share of bad events in the outage of the third table.
    pub errors: f64,
}

const HOUR: f64 = 3_600_000.0;
const DAY: Millis = 86_400_000;

/// The tables of objectives, one after the other.
pub fn text(shown: &[Shown]) -> String {
    let parts: Vec<String> = shown.iter().map(Shown::text).collect();
    parts.join("\n")
}

/// `{"version": 1, "objectives": […]}`, lengths of time in seconds, shares as parts of 1.
pub fn json(shown: &[Shown]) -> String {
    let objectives: Vec<Value> = shown.iter().map(Shown::json).collect();
    format!("{:#}\n", json!({"version": 1, "objectives": objectives}))
}

/// An alert of the recommended ones.
struct Tier {
    severity: &'static str,
    long: f64,
    short: f64,
    factor: f64,
    part: f64,
}

impl Shown {
    fn budget(&self) -> f64 {
        self.target.budget()
    }

    /// The window in milliseconds.
    fn period(&self) -> f64 {
        multiwindow::length(&self.window) as f64
    }

    fn text(&self) -> String {
        let name = match self.name.is_empty() {
            true => String::new(),
            false => format!("{}: ", self.name),
        };
        let mut out = format!("{name}{} over {}\n", self.target, self.window);
        out.push_str(&format!("  {}\n", self.allowed()));
        let tables = [
            (
                "burn rates and error budgets (tables 5-3 and 5-4)".to_owned(),
                self.burn_rates(),
            ),
            (
                format!(
                    "six ways to alert, in an outage with {} bad (tables 5-2, 5-5, 5-7)",
                    share(self.errors)
                ),
                self.approaches(),
            ),
            (
                "windows and burn rates to alert on (tables 5-6 and 5-8)".to_owned(),
                self.tiers_table(),
            ),
            (
                "low traffic: a single bad event fires below so many events".to_owned(),
                self.traffic(),
            ),
        ];
        for (title, table) in tables {
            out.push_str(&format!("\n  {title}\n"));
            let lines = table
                .lines()
                .map(|line| format!("    {}\n", line.trim_end()));
            out.extend(lines);
        }
        out
    }

    /// How much may be bad.
    fn allowed(&self) -> String {
        let time = |period: Millis| exact(period as f64 * self.budget());
        let Window::Calendar(calendar) = self.window else {
            return format!(
                "{} of all events may be bad, or everything for {}",
                share(self.budget()),
                exact(self.period() * self.budget())
            );
        };
        let days = match calendar.unit {
            CalendarUnit::Month => [28, 31],
            CalendarUnit::Quarter => [90, 92],
            CalendarUnit::Year => [365, 366],
            _ => [0, 0],
        };
        let bounds = days.map(|days| days * DAY * Millis::from(calendar.count));
        match bounds[0] {
            0 => format!(
                "{} of all events may be bad, or everything for {}",
                share(self.budget()),
                exact(self.period() * self.budget())
            ),
            _ => format!(
                "{} of all events may be bad, or everything for {} to {}, by how many days it has; the tables take {}",
                share(self.budget()),
                time(bounds[0]),
                time(bounds[1]),
                length(self.period())
            ),
        }
    }

    /// The burn rates of the book, and that at which everything is bad.
    fn burns(&self) -> Vec<f64> {
        let fastest = book::fastest_burn(self.budget());
        let mut burns = vec![1.0, 2.0, 10.0, fastest];
        burns.retain(|burn| burn.is_finite() && *burn <= fastest);
        burns.sort_by(f64::total_cmp);
        burns.dedup();
        burns
    }

    fn burn_rates(&self) -> String {
        let mut builder = Builder::default();
        builder.push_record(["burn rate", "bad events", "the budget lasts"]);
        for burn in self.burns() {
            builder.push_record([
                digits(burn),
                share(book::error_ratio(burn, self.budget())),
                exact(book::exhaustion(burn, self.period())),
            ]);
        }
        right(builder)
    }

    fn approaches(&self) -> String {
        let mut builder = Builder::default();
        builder.push_record([
            "",
            "alert",
            "bad more than",
            "over",
            "fires after",
            "budget spent",
            "ends after",
        ]);
        for approach in book::approaches(self.budget(), self.period() / HOUR) {
            let [detection, spent, reset] = self.outcome(&approach.condition);
            let Some(long) = approach.condition.tests.first() else {
                continue;
            };
            builder.push_record([
                approach.number.to_string(),
                approach.name.to_owned(),
                share(long.threshold),
                length(long.window * HOUR),
                detection.map_or("never".to_owned(), exact),
                spent.map_or(String::new(), share),
                reset.map_or(String::new(), exact),
            ]);
        }
        let mut table = builder.build();
        table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
        table.modify(Columns::new(2..), Alignment::right());
        table.to_string()
    }

    /// When an alert fires in the outage, in milliseconds, how much is spent then, and when it ends.
    fn outcome(&self, condition: &book::Condition) -> [Option<f64>; 3] {
        // An outage that lasts long enough for every window.
        let firing = condition.firing(self.errors, 2.0 * self.period() / HOUR);
        let burn = book::burn_rate(self.errors, self.budget());
        let detection = firing.map(|it| it.detection * HOUR);
        [
            detection,
            detection
                .map(|it| book::spent(burn, it, self.period()))
                .filter(|it| it.is_finite()),
            firing.map(|it| it.reset * HOUR),
        ]
    }

    fn tiers(&self) -> Vec<Tier> {
        let windows = Windows::of(multiwindow::length(&self.window));
        let tiers = windows.tiers().into_iter();
        tiers
            .map(|(name, window)| Tier {
                severity: name.split('.').next().unwrap_or(name),
                long: window.long as f64,
                short: window.short as f64,
                factor: windows.factor(window),
                part: window.budget_percent / 100.0,
            })
            .collect()
    }

    fn tiers_table(&self) -> String {
        let mut builder = Builder::default();
        builder.push_record([
            "",
            "long",
            "short",
            "burn rate",
            "budget spent",
            "bad more than",
            "",
        ]);
        for tier in self.tiers() {
            let note = match book::never_fires(tier.factor, self.budget()) {
                true => "never fires: not even if everything is bad",
                false if tier.factor < 1.0 => "fires while the objective is kept",
                false => "",
            };
            builder.push_record([
                tier.severity.to_owned(),
                length(tier.long),
                length(tier.short),
                digits(tier.factor),
                share(tier.part),
                share(book::error_ratio(tier.factor, self.budget())),
                note.to_owned(),
            ]);
        }
        let mut table = builder.build();
        table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
        table.modify(Columns::new(1..6), Alignment::right());
        table.to_string()
    }

    fn traffic(&self) -> String {
        let mut builder = Builder::default();
        builder.push_record(["", "over", "events", "an hour", "one is of the budget"]);
        for tier in self.tiers() {
            let threshold = book::error_ratio(tier.factor, self.budget());
            let events = book::quiet_traffic(1.0, threshold);
            let [events, hourly, part] = match events.is_finite() && threshold < 1.0 {
                false => ["-".to_owned(), "-".to_owned(), "-".to_owned()],
                true => {
                    let whole = events * self.period() / tier.long;
                    [
                        digits(events),
                        digits(events / (tier.long / HOUR)),
                        share(book::part_of_budget(1.0, whole, self.budget())),
                    ]
                }
            };
            builder.push_record([
                tier.severity.to_owned(),
                length(tier.long),
                events,
                hourly,
                part,
            ]);
        }
        let mut table = builder.build();
        table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
        table.modify(Columns::new(1..), Alignment::right());
        table.modify(FirstColumn, Alignment::left());
        table.to_string()
    }

    fn json(&self) -> Value {
        let seconds = |millis: f64| millis / 1e3;
        let burns = self.burns().into_iter().map(|burn| {
            json!({
                "burn_rate": burn,
                "errors": book::error_ratio(burn, self.budget()),
                "lasts": seconds(book::exhaustion(burn, self.period())),
            })
        });
        let approaches = book::approaches(self.budget(), self.period() / HOUR);
        let approaches = approaches.iter().map(|approach| {
            let [detection, spent, reset] = self.outcome(&approach.condition);
            let tests = approach.condition.tests.iter();
            let tests = tests.map(
                |test| json!({"window": seconds(test.window * HOUR), "threshold": test.threshold}),
            );
            json!({
                "approach": approach.number,
                "alert": approach.name,
                "tests": tests.collect::<Vec<Value>>(),
                "for": seconds(approach.condition.hold * HOUR),
                "fires_after": detection.map(seconds),
                "budget_spent": spent,
                "ends_after": reset.map(seconds),
            })
        });
        let tiers = self.tiers().into_iter().map(|tier| {
            let threshold = book::error_ratio(tier.factor, self.budget());
            let events = book::quiet_traffic(1.0, threshold);
            json!({
                "severity": tier.severity,
                "long": seconds(tier.long),
                "short": seconds(tier.short),
                "burn_rate": tier.factor,
                "budget_spent": tier.part,
                "errors": threshold,
                "never_fires": book::never_fires(tier.factor, self.budget()),
                "one_bad_event_fires_below": events.is_finite().then_some(events),
            })
        });
        json!({
            "name": self.name,
            "target": self.target.fraction(),
            "window": self.window.to_string(),
            "period": seconds(self.period()),
            "outage": self.errors,
            "burn_rates": burns.collect::<Vec<Value>>(),
            "approaches": approaches.collect::<Vec<Value>>(),
            "alerts": tiers.collect::<Vec<Value>>(),
        })
    }
}

/// A length of time with four digits in its largest unit: `43.2m`, `20.57h`, `30d`.
fn exact(millis: f64) -> String {
    const UNITS: [(f64, &str); 3] = [(86_400_000.0, "d"), (HOUR, "h"), (60_000.0, "m")];
    let unit = UNITS.into_iter().find(|(unit, _)| millis >= *unit);
    let (unit, name) = unit.unwrap_or((1_000.0, "s"));
    format!("{}{name}", digits(millis / unit))
}

fn right(builder: Builder) -> String {
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
    table.modify(Columns::new(..), Alignment::right());
    table.to_string()
}
