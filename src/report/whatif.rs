//! Knobs, and what alerts did before and after some were moved.
//!
//! JSON: `{"version": 1, "knobs": [{"name", "short", "kind", "value", "file", "line", "column"}]}`, `short` null where only the
//! full name will do; and `{"version": 1, "changes": [{"knob", "from", "to", "file", "line", "column"}], "worlds": [{"name",
//! "alerts": [{"name", "group", "alert", "before", "after"}], "measures": {"before", "after"}, "difference"}], "diff",
//! "written"}`, where before and after are `{"firings", "firing", "longest", "instances", "flaps", "first"}`, seconds, `first`
//! null where it never fires; the measures are those of a point of a [sweep](super::sweep), of all alerts, and there with
//! incidents only; and a difference is a world of [`Report::json`](super::difference::Report::json).

use serde_json::{Value, json};
use tabled::builder::Builder;
use tabled::settings::Style;

use super::difference::{WorldDiff, windows_text, world_json};
use super::markdown::{self, cell};
use super::sweep::{FIT_COLUMNS, fit_cells, measures_json, rounded};
use super::timeline::seconds;
use super::{count, text};
use crate::model::Duration;
use crate::series::time::show;
use crate::text::Source;
use crate::whatif::{AlertOutcome, Change, FLAP, Judgement, Knob, Outcome};

/// What every alert did in a world, before and after.
#[derive(Debug)]
pub struct Compared {
    /// The world's name.
    pub world: String,
    /// The alerts in the order of evaluation.
    pub alerts: Vec<(AlertOutcome, AlertOutcome)>,
    /// How that fits incidents; `None` where none are known.
    pub judged: Option<(Judgement, Judgement)>,
}

/// What came of some changes.
#[derive(Debug)]
pub struct Told<'t> {
    /// What moved.
    pub changes: &'t [Change],
    /// What that did, in each world; none where nothing was replayed.
    pub worlds: &'t [Compared],
    /// When alerts fire otherwise then, in the same worlds.
    pub differences: &'t [WorldDiff],
    /// The files whose text is another, as it was and as it is.
    pub texts: &'t [(Source, Source)],
    /// What became of the texts.
    pub fate: Fate,
}

/// What becomes of files that change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// They stay as they are.
    Left,
    /// It is shown what would be written.
    Shown,
    /// They are written.
    Written,
    /// They should have been written, and stay as they are for what came of the replay.
    Refused,
}

const NO_KNOB: &str = "nothing can move: the rules hold no number\n";

/// A table of knobs.
pub fn knobs_text(knobs: &[Knob]) -> String {
    if knobs.is_empty() {
        return NO_KNOB.to_owned();
    }
    let mut rows = Builder::default();
    rows.push_record(["knob", "value", "kind", "place", "full name"]);
    for knob in knobs {
        let full = knob.short.as_ref().map_or("", |_| &knob.name);
        let record = [
            knob.shown(),
            &on_one_line(&knob.value),
            knob.kind.name(),
            &knob.place.to_string(),
            full,
        ];
        rows.push_record(record);
    }
    table(rows)
}

/// The same as a table of Markdown.
pub fn knobs_markdown(knobs: &[Knob]) -> String {
    if knobs.is_empty() {
        return NO_KNOB.to_owned();
    }
    let head = ["knob", "value", "kind", "place", "full name"].map(str::to_owned);
    let rows = knobs.iter().map(|knob| {
        let full = knob.short.as_ref().map_or("", |_| &knob.name);
        vec![
            cell(knob.shown()),
            cell(&knob.value),
            knob.kind.name().to_owned(),
            cell(&knob.place.to_string()),
            cell(full),
        ]
    });
    markdown::table(&head, &rows.collect::<Vec<_>>())
}

/// The same for programs.
pub fn knobs_json(knobs: &[Knob]) -> String {
    let knob = |knob: &Knob| {
        let mut value = json!({
            "name": knob.name,
            "short": knob.short,
            "kind": knob.kind.name(),
            "value": knob.value,
        });
        place(&mut value, knob);
        value
    };
    let knobs: Vec<Value> = knobs.iter().map(knob).collect();
    format!("{:#}\n", json!({"version": 1, "knobs": knobs}))
}

fn place(value: &mut Value, knob: &Knob) {
    let at = knob.place.source.line_column(knob.place.span.start);
    value["file"] = json!(knob.place.source.name());
    value["line"] = json!(at.line);
    value["column"] = json!(at.column);
}

impl Told<'_> {
    /// What moved, what that did, and what became of the files.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for change in self.changes {
            out.push_str(&moved(change));
        }
        for (world, difference) in self.worlds.iter().zip(self.differences) {
            out.push_str(&self.world(world, difference));
        }
        out.push_str(&self.same());
        match self.fate {
            Fate::Left => {}
            Fate::Shown => {
                let diff = self.diff();
                let diff = if diff.is_empty() { NOTHING } else { &diff };
                out.push_str(&format!("\n{diff}"));
            }
            Fate::Refused => out.push_str("wrote nothing\n"),
            Fate::Written if self.texts.is_empty() => out.push_str(NOTHING),
            Fate::Written => {
                for (before, _) in self.texts {
                    out.push_str(&format!("wrote {}\n", before.name()));
                }
            }
        }
        out
    }

    /// The same for programs.
    pub fn json(&self) -> String {
        let changes = changes_json(self.changes);
        let worlds = self.worlds.iter().zip(self.differences);
        let worlds = worlds.map(|(world, difference)| {
            let mut value = world.json();
            value["difference"] = world_json(difference);
            value
        });
        let worlds: Vec<Value> = worlds.collect();
        let mut value = json!({"version": 1, "changes": changes, "worlds": worlds});
        match self.fate {
            Fate::Left => {}
            Fate::Shown => value["diff"] = json!(self.diff()),
            Fate::Written => {
                let names = self.texts.iter().map(|(before, _)| before.name());
                value["written"] = json!(names.collect::<Vec<_>>());
            }
            Fate::Refused => value["written"] = json!([]),
        }
        format!("{value:#}\n")
    }

    fn diff(&self) -> String {
        let texts = self.texts.iter();
        let diffs = texts
            .map(|(before, after)| text::diff::unified(before.name(), before.text(), after.text()));
        diffs.collect()
    }

    /// A table of the alerts that do something else, and when they do.
    fn world(&self, world: &Compared, difference: &WorldDiff) -> String {
        let mut changed = world.changed().peekable();
        let windows = windows_text(difference);
        let judged = world.judged.as_ref().map_or_else(String::new, judged_text);
        if changed.peek().is_none() {
            return match windows.is_empty() && judged.is_empty() {
                true => String::new(),
                false => format!("\n{}:\n{windows}{judged}", world.world),
            };
        }
        let mut rows = Builder::default();
        rows.push_record([
            "alert",
            "",
            "firings",
            "firing",
            "longest",
            "instances",
            "flaps",
            "first",
        ]);
        for (before, after) in changed {
            rows.push_record(row(&before.name, "before", &before.outcome));
            rows.push_record(row("", "after", &after.outcome));
        }
        format!("\n{}:\n{}\n{windows}{judged}", world.world, table(rows))
    }

    /// How many alerts do what they did.
    fn same(&self) -> String {
        if self.worlds.is_empty() {
            return String::new();
        }
        let all: usize = self.worlds.iter().map(|world| world.alerts.len()).sum();
        // What fires or is pending at other times may do so as often and as long.
        let alerts = self.differences.iter().flat_map(|it| &it.diff.alerts);
        let changed = alerts.filter(|alert| !alert.is_empty()).count();
        let over = match self.worlds.len() {
            1 => String::new(),
            tests => format!(" over {}", count(tests, "test")),
        };
        let rest = all.saturating_sub(changed);
        match (changed, rest) {
            (0, rest) => format!("\nas before: {}{over}\n", count(rest, "alert")),
            (_, rest) => format!(
                "\nas before: {}{over}; a flap is a firing of less than {}\n",
                count(rest, "other alert"),
                Duration(FLAP)
            ),
        }
    }
}

const NOTHING: &str = "nothing to write: the files say so already\n";

/// `HighErrorRate.threshold: 10 -> 5  rules.yml:3:7`.
fn moved(change: &Change) -> String {
    format!("{}  {}\n", arrow(change), change.knob.place)
}

/// `HighErrorRate.threshold: 10 -> 5`.
pub(super) fn arrow(change: &Change) -> String {
    let knob = &change.knob;
    let (from, to) = (on_one_line(&knob.value), &change.value);
    format!("{}: {from} -> {to}", knob.shown())
}

/// What moved, for programs.
pub(super) fn changes_json(changes: &[Change]) -> Vec<Value> {
    let change = |change: &Change| {
        let knob = &change.knob;
        let mut value = json!({"knob": knob.name, "from": knob.value, "to": change.value});
        place(&mut value, knob);
        value
    };
    changes.iter().map(change).collect()
}

pub(super) fn on_one_line(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Compared {
    fn changed(&self) -> impl Iterator<Item = &(AlertOutcome, AlertOutcome)> {
        let alerts = self.alerts.iter();
        alerts.filter(|(before, after)| before.outcome != after.outcome)
    }

    fn json(&self) -> Value {
        let alert = |(before, after): &(AlertOutcome, AlertOutcome)| {
            json!({
                "name": before.name,
                "group": before.group,
                "alert": before.alert,
                "before": outcome_json(&before.outcome),
                "after": outcome_json(&after.outcome),
            })
        };
        let alerts: Vec<Value> = self.alerts.iter().map(alert).collect();
        let mut value = json!({"name": self.world, "alerts": alerts});
        if let Some((before, after)) = &self.judged {
            value["measures"] =
                json!({"before": measures_json(before), "after": measures_json(after)});
        }
        value
    }
}

/// How all alerts together fit the incidents.
fn judged_text((before, after): &(Judgement, Judgement)) -> String {
    let mut rows = Builder::default();
    let names = ["incidents", "pages/week"].into_iter().chain(FIT_COLUMNS);
    rows.push_record(names);
    for (when, judgement) in [("before", before), ("after", after)] {
        let mut row = vec![when.to_owned(), rounded(judgement.pages_per_week)];
        row.extend(judgement.fit.iter().flat_map(fit_cells));
        rows.push_record(row);
    }
    format!("\n{}", table(rows))
}

fn row(name: &str, when: &str, outcome: &Outcome) -> [String; 8] {
    [
        name.to_owned(),
        when.to_owned(),
        outcome.firings.to_string(),
        Duration(outcome.firing).to_string(),
        Duration(outcome.longest).to_string(),
        outcome.instances.to_string(),
        outcome.flaps.to_string(),
        outcome.first.map_or_else(|| "never".to_owned(), show),
    ]
}

/// What an alert did, in numbers; times in seconds.
pub(super) fn outcome_json(outcome: &Outcome) -> Value {
    json!({
        "firings": outcome.firings,
        "firing": seconds(outcome.firing),
        "longest": seconds(outcome.longest),
        "instances": outcome.instances,
        "flaps": outcome.flaps,
        "first": outcome.first.map(seconds),
    })
}

/// Rows as lines without blanks at either end.
fn table(rows: Builder) -> String {
    let drawn = rows.build().with(Style::blank()).to_string();
    let line = |line: &str| format!("{}\n", line.strip_prefix(' ').unwrap_or(line).trim_end());
    drawn.lines().map(line).collect()
}
