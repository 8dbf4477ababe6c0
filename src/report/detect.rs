//! When alerts tell of outages, as text and as JSON.

use serde_json::{Value, json};
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Padding, Style};

use super::unmet::{digits, share};
use crate::model::number::quote;
use crate::model::{Duration, Millis};
use crate::slo::detect::{Cell, Detection, Options, Report, counted, spent};
use crate::slo::objective::Slo;
use crate::slo::workbook::{Condition, Firing, burn_rate};

/// What the alerts of an objective do.
pub struct Shown<'s> {
    /// The objective.
    pub slo: &'s Slo,
    /// What they do.
    pub detection: Detection,
    /// How outages were let happen.
    pub options: &'s Options,
}

/// Objectives one after the other: for each alert a table by size of the outage, and one by size and length.
pub fn text(shown: &[Shown<'_>]) -> String {
    let parts: Vec<String> = shown.iter().map(Shown::text).collect();
    parts.join("\n")
}

/// `{"version": 1, "objectives": […]}`, lengths of time in seconds, shares as parts of 1.
pub fn json(shown: &[Shown<'_>]) -> String {
    let objectives: Vec<Value> = shown.iter().map(Shown::json).collect();
    format!("{:#}\n", json!({"version": 1, "objectives": objectives}))
}

impl Shown<'_> {
    fn text(&self) -> String {
        let slo = self.slo;
        let mut out = format!("{}: {} over {}\n", slo.name, slo.target, slo.window);
        let mut line = |name: &str, text: String| out.push_str(&format!("  {name:<9} {text}\n"));
        let series = self.detection.series.iter();
        let series: Vec<String> = series.map(ToString::to_string).collect();
        line("traffic", series.join(", "));
        line("", self.traffic());
        for name in &self.detection.others {
            line(
                "note",
                format!("{name} does not answer to how many events are bad"),
            );
        }
        for (name, selector) in &self.detection.unfed {
            let text = format!(
                "{name} never fires: it reads {selector}, and what is recorded has other labels"
            );
            line("note", text);
        }
        for error in &self.detection.errors {
            line("error", error.clone());
        }
        if self.detection.alerts.is_empty() {
            line(
                "note",
                "no alert answers to how many events are bad".to_owned(),
            );
        }
        for report in &self.detection.alerts {
            out.push_str(&self.alert(report));
        }
        out
    }

    /// `a sample each 30s, an evaluation each 1m, so many events that single ones do not matter`
    fn traffic(&self) -> String {
        let many = match (self.options.rate, self.detection.is_of_samples) {
            (_, true) => "each sample an event of a minute".to_owned(),
            (Some(rate), _) => format!("{} events an hour", digits(rate * 3_600_000.0)),
            (None, _) => "so many events that single ones do not matter".to_owned(),
        };
        let late = match (self.options.is_late, self.detection.is_late) {
            (true, true) => "; series of bad events begin with the first of them",
            (true, false) => "; no series is one of bad events alone, so that none begins late",
            (false, _) => "",
        };
        format!(
            "a sample each {}, an evaluation each {}, {many}{late}",
            Duration(self.options.scrape),
            Duration(self.options.interval)
        )
    }

    fn alert(&self, report: &Report) -> String {
        let mut out = format!("\n  {}", title(report));
        if report.interval != self.options.interval {
            let interval = Duration(report.interval);
            out.push_str(&format!(", evaluated each {interval}"));
        }
        if let Some(conditions) = &report.conditions {
            let words: Vec<String> = conditions.iter().map(condition).collect();
            out.push_str(&format!("\n    asks for more than {}", words.join(", or ")));
        }
        out.push('\n');
        for &window in &report.starved {
            let scrape = Duration(self.options.scrape);
            let window = length(window as f64);
            let text =
                format!("a rate over {window} needs two samples, and there is one each {scrape}");
            out.push_str(&format!("    {text}: nothing is compared\n"));
        }
        if report.is_always_on {
            out.push_str(
                "    it fires where no event is bad: its comparison may be the wrong way round\n",
            );
            return out;
        }
        if report.is_blind() {
            let text = match report.conditions.iter().flatten().all(never)
                && report.conditions.is_some()
            {
                true => {
                    "never fires: even if all events are bad, the budget burns too slowly for it"
                        .to_owned()
                }
                false => {
                    let longest = self.detection.lengths.last().copied().unwrap_or(0);
                    format!("fires in no outage of up to {}", length(longest as f64))
                }
            };
            out.push_str(&format!("    {text}\n"));
            return out;
        }
        out.push_str(&indented(&self.by_size(report)));
        out.push('\n');
        out.push_str(&indented(&self.by_length(report)));
        out
    }

    /// What it does in outages that last.
    fn by_size(&self, report: &Report) -> String {
        let longest = self.detection.lengths.last().copied().unwrap_or(0);
        let mut builder = Builder::default();
        builder.push_record([
            format!("bad for {}", length(longest as f64)),
            "burn rate".to_owned(),
            "fires after".to_owned(),
            "formula".to_owned(),
            "budget spent".to_owned(),
            "formula".to_owned(),
            "ends after".to_owned(),
            "formula".to_owned(),
        ]);
        for &errors in &self.detection.sizes {
            let Some(cell) = report.longest(errors) else {
                continue;
            };
            let burn = burn_rate(counted(self.slo, errors), self.slo.target.budget());
            let burn = match burn.is_finite() {
                true => digits(burn),
                false => "-".to_owned(),
            };
            let [detection, reset] = seen(cell);
            let [by_formula, reset_by_formula] = foretold(report, cell.formula);
            let part = |time: Option<f64>| {
                let time = time.map(|time| time.min(cell.length as f64));
                let part = time.and_then(|time| spent(self.slo, errors, time));
                part.map_or_else(String::new, share)
            };
            builder.push_record([
                share(errors),
                burn,
                detection,
                by_formula,
                part(cell.seen.map(|it| it.detection as f64)),
                part(cell.formula.map(|it| it.detection)),
                reset,
                reset_by_formula,
            ]);
        }
        table(builder)
    }

    /// When it fires, and how long it goes on, by how long the outage lasts.
    fn by_length(&self, report: &Report) -> String {
        let mut builder = Builder::default();
        let lengths = self.detection.lengths.iter();
        let lengths = lengths.map(|&it| length(it as f64));
        builder.push_record(std::iter::once("fires / ends".to_owned()).chain(lengths));
        for &errors in &self.detection.sizes {
            let cells = report.cells.iter().filter(|cell| cell.errors == errors);
            let cells = cells.map(|cell| match cell.seen {
                None => "·".to_owned(),
                Some(_) => seen(cell).join("/"),
            });
            builder.push_record(std::iter::once(share(errors)).chain(cells));
        }
        let smallest = |part: Option<f64>| part.map_or_else(|| "·".to_owned(), rough);
        let least = report.least.iter().map(|it| smallest(it.seen));
        builder.push_record(std::iter::once("smallest".to_owned()).chain(least));
        if report.conditions.is_some() {
            let least = report.least.iter().map(|it| smallest(it.formula));
            builder.push_record(std::iter::once("formula".to_owned()).chain(least));
        }
        table(builder)
    }

    fn json(&self) -> Value {
        let slo = self.slo;
        let series = self.detection.series.iter();
        let alerts = self.detection.alerts.iter().map(|it| self.alert_json(it));
        json!({
            "name": slo.name,
            "service": slo.service,
            "target": slo.target.fraction(),
            "window": slo.window.to_string(),
            "series": series.map(ToString::to_string).collect::<Vec<String>>(),
            "scrape_interval": seconds(self.options.scrape as f64),
            "events_per_second": self.options.rate.map(|rate| rate * 1e3),
            "alerts": alerts.collect::<Vec<Value>>(),
            "others": self.detection.others,
            "errors": self.detection.errors,
        })
    }

    fn alert_json(&self, report: &Report) -> Value {
        let labels = report.labels.iter();
        let labels = labels.map(|(name, value)| (name.clone(), json!(value)));
        let conditions = report.conditions.as_ref().map(|conditions| {
            let conditions = conditions.iter().map(|it| {
                let tests = it.tests.iter().map(
                    |test| json!({"window": seconds(test.window), "threshold": test.threshold}),
                );
                json!({
                    "tests": tests.collect::<Vec<Value>>(),
                    "for": seconds(it.hold),
                    "never_fires": never(it),
                })
            });
            conditions.collect::<Vec<Value>>()
        });
        let outages = report.cells.iter().map(|cell| self.cell_json(cell));
        let least = report.least.iter().map(|least| {
            json!({
                "length": seconds(least.length as f64),
                "errors": least.seen,
                "formula": least.formula,
            })
        });
        json!({
            "name": report.name,
            "labels": labels.collect::<serde_json::Map<String, Value>>(),
            "interval": seconds(report.interval as f64),
            "conditions": conditions,
            "fires_without_outage": report.is_always_on,
            "windows_without_rate": report.starved.iter().map(|&it| seconds(it as f64)).collect::<Vec<f64>>(),
            "never_fires": report.is_blind() && !report.is_always_on,
            "outages": outages.collect::<Vec<Value>>(),
            "smallest": least.collect::<Vec<Value>>(),
        })
    }

    fn cell_json(&self, cell: &Cell) -> Value {
        let part = |time: f64| spent(self.slo, cell.errors, time.min(cell.length as f64));
        let seen = cell.seen.map(|seen| {
            json!({
                "fires_after": seconds(seen.detection as f64),
                "budget_spent": part(seen.detection as f64),
                "ends_after": seen.reset.map(|it| seconds(it as f64)),
            })
        });
        let formula = cell.formula.map(|it| {
            json!({
                "fires_after": seconds(it.detection),
                "budget_spent": part(it.detection),
                "ends_after": seconds(it.reset),
            })
        });
        json!({
            "errors": cell.errors,
            "length": seconds(cell.length as f64),
            "seen": seen,
            "formula": formula,
        })
    }
}

fn seconds(millis: f64) -> f64 {
    millis / 1e3
}

/// `ErrorBudgetBurn{severity="page"}`
fn title(report: &Report) -> String {
    let labels = report.labels.iter();
    let labels: Vec<String> = labels
        .map(|(name, value)| format!("{name}={}", quote(value)))
        .collect();
    match labels.is_empty() {
        true => report.name.clone(),
        false => format!("{}{{{}}}", report.name, labels.join(", ")),
    }
}

/// `1.44% bad over 5m and 1h`
fn condition(condition: &Condition) -> String {
    let tests = condition.tests.iter();
    let mut lists: Vec<(String, Vec<String>)> = Vec::new();
    for test in tests {
        let window = length(test.window);
        let threshold = share(test.threshold);
        match lists.iter_mut().find(|(known, _)| *known == threshold) {
            Some((_, windows)) => windows.push(window),
            None => lists.push((threshold, vec![window])),
        }
    }
    let lists = lists.into_iter();
    let lists: Vec<String> = lists
        .map(|(threshold, windows)| format!("{threshold} bad over {}", windows.join(" and ")))
        .collect();
    let mut text = lists.join(" and ");
    if condition.hold > 0.0 {
        text.push_str(&format!(" for {}", length(condition.hold)));
    }
    if never(condition) {
        text.push_str(" (which can't be)");
    }
    text
}

/// Whether it asks for more bad events than there can be.
fn never(condition: &Condition) -> bool {
    condition.tests.iter().any(|test| test.threshold >= 1.0)
}

/// When it fires and when it ends.
fn seen(cell: &Cell) -> [String; 2] {
    match cell.seen {
        None => ["never".to_owned(), String::new()],
        Some(seen) => [
            length(seen.detection as f64),
            seen.reset
                .map_or_else(|| "?".to_owned(), |it| length(it as f64)),
        ],
    }
}

fn foretold(report: &Report, firing: Option<Firing>) -> [String; 2] {
    match (firing, &report.conditions) {
        (Some(firing), _) => [length(firing.detection), length(firing.reset)],
        (None, Some(_)) => ["never".to_owned(), String::new()],
        (None, None) => ["-".to_owned(), "-".to_owned()],
    }
}

/// A share with three digits.
fn rough(part: f64) -> String {
    share(format!("{part:.2e}").parse().unwrap_or(part))
}

/// A length of time in its two largest units: `51.8s`, `5m46s`, `3h36m`, `2d21h`.
pub(super) fn length(millis: f64) -> String {
    const MINUTE: f64 = 60_000.0;
    const HOUR: f64 = 60.0 * MINUTE;
    const DAY: f64 = 24.0 * HOUR;
    if millis < 0.0 {
        return format!("-{}", length(-millis));
    }
    if millis < MINUTE {
        let tenths = (millis / 100.0).round() / 10.0;
        return format!("{tenths}s");
    }
    let to = |unit: f64| (millis / unit).round() * unit;
    let (rounded, unit) = match millis {
        millis if millis < HOUR => (to(1_000.0), 1_000.0),
        millis if millis < DAY => (to(MINUTE), MINUTE),
        _ => (to(HOUR), HOUR),
    };
    let whole = rounded as Millis;
    let (large, name, small) = match unit {
        1_000.0 => (60_000, "m", ("s", 1_000)),
        MINUTE => (3_600_000, "h", ("m", 60_000)),
        _ => (86_400_000, "d", ("h", 3_600_000)),
    };
    match whole % large / small.1 {
        0 => format!("{}{name}", whole / large),
        rest => format!("{}{name}{rest}{}", whole / large, small.0),
    }
}

fn table(builder: Builder) -> String {
    let mut table = builder.build();
    table.with(Style::empty());
    table.with(Padding::new(0, 2, 0, 0));
    table.modify(Columns::new(..), Alignment::right());
    table.to_string()
}

fn indented(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| format!("    {}\n", line.trim_end()));
    lines.collect()
}
