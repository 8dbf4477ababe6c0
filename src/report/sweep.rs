//! What alerts would have done at the points of a sweep.
//!
//! JSON: `{"version": 1, "changes", "axes": [{"knob", "present", "file", "line", "column", "values"}], "goals": [text], "worlds":
//! [{"name", "incidents": [{"name", "start", "end", "grace", "alerts"}], "evaluated_again", "compared", "best", "points":
//! [{"values", "distance", "undominated", "goals", "measures", "alerts": [{"group", "alert", "firings", "firing", "longest",
//! "instances", "flaps", "first", "pages", "justified", "detected"}]}]}]}`: `changes` what is set at every point, as [`--set`
//! alone](super::whatif) tells it; `values` in the order of the axes; `compared` in what points are undominated; `best` the number
//! of the nearest point that meets every goal, from 0, or null; `goals` whether each is met; `measures` by name, null where there
//! is nothing to take them of; `detected` for each incident that names the alert seconds after its start, null where it was missed.

use serde_json::{Map, Value, json};
use tabled::builder::Builder;
use tabled::settings::Style;

use super::count;
use super::markdown::{self, cell, code};
use super::timeline::seconds;
use super::whatif::{arrow, changes_json, on_one_line};
use crate::model::{Duration, Millis};
use crate::series::time::show;
use crate::whatif::{
    Axis, Change, FLAP, Fit, Goal, Grid, Incidents, Judgement, MEASURES, Paging, Ranking, Sweep,
    Unit,
};

/// What came of a sweep over a world.
#[derive(Debug)]
pub struct SweptWorld {
    /// The world's name.
    pub name: String,
    /// What should have been found.
    pub incidents: Incidents,
    /// What alerts did.
    pub sweep: Sweep,
    /// How good that is, for each point.
    pub judgements: Vec<Judgement>,
    /// The points beside each other.
    pub ranking: Ranking,
}

/// What came of a sweep.
#[derive(Debug)]
pub struct Swept<'s> {
    /// What is set at every point.
    pub changes: &'s [Change],
    /// What moved.
    pub grid: &'s Grid,
    /// What was to be reached.
    pub goals: &'s [Goal],
    /// What that did, in each world.
    pub worlds: &'s [SweptWorld],
    /// Whether every point is shown.
    pub all: bool,
}

/// So many points are shown where nothing tells good ones from others.
const FEW: usize = 20;

impl Swept<'_> {
    /// A table of the points worth a look for each world, and the nearest that meets every goal.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for change in self.changes {
            let place = &change.knob.place;
            out.push_str(&format!("{} at every point  {place}\n", arrow(change)));
        }
        for axis in self.grid.axes() {
            out.push_str(&format!("{}  {}\n", swept(axis), axis.knob.place));
        }
        for world in self.worlds {
            let mut rows = Builder::default();
            rows.push_record(self.header(world));
            let points = self.rows(world);
            let shown = points.len();
            points.into_iter().for_each(|row| rows.push_record(row));
            let drawn = rows.build().with(Style::blank()).to_string();
            let line =
                |line: &str| format!("{}\n", line.strip_prefix(' ').unwrap_or(line).trim_end());
            let table: String = drawn.lines().map(line).collect();
            let (notes, reached) = (self.left_out(world, shown), self.reached(world));
            out.push_str(&format!("\n{}:\n{table}{notes}\n", world.name));
            if !reached.is_empty() {
                out.push_str(&format!("\n{reached}"));
            }
        }
        out
    }

    /// The same as Markdown.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        for change in self.changes {
            let (arrow, place) = (code(&arrow(change)), code(&change.knob.place.to_string()));
            out.push_str(&format!("- {arrow} at every point ({place})\n"));
        }
        for axis in self.grid.axes() {
            let (swept, place) = (code(&swept(axis)), code(&axis.knob.place.to_string()));
            out.push_str(&format!("- {swept} ({place})\n"));
        }
        for world in self.worlds {
            let mut head = self.header(world);
            for (shown, axis) in head.iter_mut().skip(1).zip(self.grid.axes()) {
                *shown = cell(axis.knob.shown());
            }
            let rows = self.rows(world).into_iter();
            // The marks are words, and a star alone would begin a list.
            let marks =
                |row: Vec<String>| row.into_iter().map(|it| it.replace('*', "\\*")).collect();
            let rows: Vec<Vec<String>> = rows.map(marks).collect();
            let table = markdown::table(&head, &rows);
            let notes = self.left_out(world, rows.len()).replace('*', "\\*");
            out.push_str(&format!("\n{}\n\n{table}\n{notes}\n", code(&world.name)));
            let reached = self.reached(world);
            if !reached.is_empty() {
                out.push_str(&format!("\n{}", markdown::fenced("", &reached)));
            }
        }
        out
    }

    fn header(&self, world: &SweptWorld) -> Vec<String> {
        let mut header: Vec<String> = vec![String::new()];
        let axes = self.grid.axes().iter();
        header.extend(axes.map(|axis| axis.knob.shown().to_owned()));
        header.extend(COLUMNS.map(str::to_owned));
        if !world.incidents.all.is_empty() {
            header.extend(FIT_COLUMNS.map(str::to_owned));
        }
        header
    }

    /// What is told of the points that are shown.
    fn rows(&self, world: &SweptWorld) -> Vec<Vec<String>> {
        let points = self.shown(world).into_iter();
        let row = |point: usize| {
            let judgement = world.judgements.get(point)?;
            let mut row = vec![self.marks(world, point)];
            let values = self.grid.point(point).into_iter();
            row.extend(values.map(|change| change.value));
            row.extend(cells(judgement));
            Some(row)
        };
        points.filter_map(row).collect()
    }

    fn marks(&self, world: &SweptWorld, point: usize) -> String {
        let is_undominated = world.ranking.undominated.get(point) == Some(&true);
        let now = if self.changes.is_empty() {
            "now"
        } else {
            "set"
        };
        let mut marks = Vec::new();
        marks.extend(is_undominated.then_some("*"));
        marks.extend((world.ranking.best == Some(point)).then_some("best"));
        marks.extend((self.present() == Some(point)).then_some(now));
        marks.join(" ")
    }

    /// The points that are shown, in the order of the grid.
    fn shown(&self, world: &SweptWorld) -> Vec<usize> {
        let every = 0..world.judgements.len();
        let ranking = &world.ranking;
        let mut points: Vec<usize> = match (self.all, !ranking.compared.is_empty()) {
            (true, _) => return every.collect(),
            (false, true) => ranking.nearest.clone(),
            (false, false) => every.take(FEW).collect(),
        };
        points.extend(ranking.best.into_iter().chain(self.present()));
        points.sort_unstable();
        points.dedup();
        points
    }

    /// The point at which nothing moves.
    fn present(&self) -> Option<usize> {
        self.grid.axes().iter().try_fold(0, |point, axis| {
            let mut values = axis.values.iter();
            let place = values.position(|value| *value == axis.knob.value)?;
            Some(point * axis.values.len() + place)
        })
    }

    fn left_out(&self, world: &SweptWorld, shown: usize) -> String {
        let all = world.judgements.len();
        let ranking = &world.ranking;
        let undominated = ranking.undominated.iter().filter(|it| **it).count();
        let (mut marked, mut told) = (String::new(), Vec::new());
        if !ranking.compared.is_empty() {
            let alike = match undominated > ranking.nearest.len() && !self.all {
                true => {
                    format!(" ({undominated} with those that score alike and are farther from now)")
                }
                false => String::new(),
            };
            let compared = ranking.compared.join(", ");
            marked = format!(
                "* no other point is as good in each of these and better in one: {compared}{alike}\n"
            );
        }
        if !self.changes.is_empty() && self.present().is_some() {
            told.push("set: nothing moves but what is set".to_owned());
        }
        if all > shown {
            told.push(format!(
                "{} not shown: --all shows all",
                count(all - shown, "point")
            ));
        }
        told.push(format!(
            "a flap is a firing of less than {}",
            Duration(FLAP)
        ));
        format!("{marked}{}", told.join("; "))
    }

    /// What meets the goals.
    fn reached(&self, world: &SweptWorld) -> String {
        if self.goals.is_empty() {
            return String::new();
        }
        if let Some(best) = world.ranking.best {
            let moved = self.grid.point(best);
            let changes = self.changes.iter().chain(&moved);
            let changes: Vec<String> = changes
                .filter(|change| !change.is_nothing())
                .map(|change| format!("{}={}", change.knob.shown(), change.value))
                .collect();
            return match changes.is_empty() {
                true => "every goal is met by what is\n".to_owned(),
                false => format!(
                    "the smallest change that meets every goal: --set {}\n",
                    changes.join(" ")
                ),
            };
        }
        let mut out = "no point meets every goal:\n".to_owned();
        for goal in self.goals {
            let met = world.judgements.iter().filter(|it| goal.is_met(it)).count();
            out.push_str(&format!(
                "  {}: met by {met} of {}\n",
                goal.text,
                count(world.judgements.len(), "point")
            ));
        }
        out
    }

    /// All points for programs.
    pub fn json(&self) -> String {
        let axes: Vec<Value> = self.grid.axes().iter().map(axis_json).collect();
        let goals: Vec<&str> = self.goals.iter().map(|goal| goal.text.as_str()).collect();
        let worlds: Vec<Value> = self
            .worlds
            .iter()
            .map(|world| self.world_json(world))
            .collect();
        format!(
            "{:#}\n",
            json!({"version": 1, "changes": changes_json(self.changes), "axes": axes, "goals": goals, "worlds": worlds})
        )
    }

    /// What a page shows of the first world.
    pub(super) fn page_json(&self) -> Value {
        let Some(world) = self.worlds.first() else {
            return Value::Null;
        };
        let axes = self.grid.axes().iter();
        let axes: Vec<Value> = axes
            .map(|axis| json!({"knob": axis.knob.shown(), "values": axis.values}))
            .collect();
        let points = world.judgements.iter().enumerate();
        let points = points.map(|(point, judgement)| {
            let values = self.grid.point(point).into_iter().map(|it| it.value);
            let meets = !self.goals.is_empty() && self.goals.iter().all(|it| it.is_met(judgement));
            json!([
                values.collect::<Vec<String>>(),
                measures_json(judgement),
                world.ranking.undominated.get(point),
                meets,
            ])
        });
        let alerts = world.sweep.alerts.iter();
        let alerts: Vec<&str> = alerts.map(|alert| alert.alert.as_str()).collect();
        json!({
            "axes": axes,
            "alerts": alerts,
            "by": world.ranking.compared,
            "best": world.ranking.best,
            "present": self.present(),
            "points": points.collect::<Vec<Value>>(),
        })
    }

    fn world_json(&self, world: &SweptWorld) -> Value {
        let incidents = world.incidents.all.iter().map(|incident| {
            json!({
                "name": incident.name,
                "start": seconds(incident.start),
                "end": seconds(incident.end),
                "grace": seconds(incident.grace),
                "alerts": incident.alerts,
            })
        });
        let points = world.judgements.iter().enumerate();
        let points = points.map(|(point, judgement)| {
            let values: Vec<String> = self
                .grid
                .point(point)
                .into_iter()
                .map(|it| it.value)
                .collect();
            let met: Vec<bool> = self
                .goals
                .iter()
                .map(|goal| goal.is_met(judgement))
                .collect();
            let alerts = world.sweep.alerts.iter().zip(world.sweep.point(point));
            let alerts = alerts.map(|(alert, paging)| {
                let mut value = paging_json(paging);
                value.insert("group".to_owned(), json!(alert.group));
                value.insert("alert".to_owned(), json!(alert.alert));
                Value::Object(value)
            });
            json!({
                "values": values,
                "distance": world.ranking.distances.get(point),
                "undominated": world.ranking.undominated.get(point),
                "goals": met,
                "measures": measures_json(judgement),
                "alerts": alerts.collect::<Vec<_>>(),
            })
        });
        json!({
            "name": world.name,
            "incidents": incidents.collect::<Vec<_>>(),
            "evaluated_again": world.sweep.evaluated_again,
            "compared": world.ranking.compared,
            "best": world.ranking.best,
            "points": points.collect::<Vec<_>>(),
        })
    }
}

const COLUMNS: [&str; 7] = [
    "firings",
    "firing",
    "longest",
    "instances",
    "flaps",
    "first",
    "pages/week",
];

/// What is said of how pages fit incidents.
pub(super) const FIT_COLUMNS: [&str; 6] = [
    "found",
    "missed",
    "false",
    "precision",
    "recall",
    "detected in",
];

/// `HighErrorRate.threshold: 10, swept over 5 values`.
fn swept(axis: &Axis) -> String {
    let values = count(axis.values.len(), "value");
    let present = on_one_line(&axis.knob.value);
    format!("{}: {present}, swept over {values}", axis.knob.shown())
}

fn cells(judgement: &Judgement) -> Vec<String> {
    let mut cells = vec![
        judgement.firings.to_string(),
        Duration(judgement.firing).to_string(),
        Duration(judgement.longest).to_string(),
        judgement.instances.to_string(),
        judgement.flaps.to_string(),
        judgement.first.map_or_else(|| "never".to_owned(), show),
        rounded(judgement.pages_per_week),
    ];
    cells.extend(judgement.fit.iter().flat_map(fit_cells));
    cells
}

/// The same of one setting.
pub(super) fn fit_cells(fit: &Fit) -> [String; 6] {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    // A second more or less is no matter here.
    let whole = |delay: f64| Duration((delay / 1000.0).round() as Millis * 1000).to_string();
    [
        fit.found.to_string(),
        fit.missed.to_string(),
        fit.false_pages.to_string(),
        or_none(fit.precision.map(rounded)),
        rounded(fit.recall),
        or_none(fit.time_to_detect.map(whole)),
    ]
}

/// At most three digits behind the point.
pub(super) fn rounded(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn axis_json(axis: &Axis) -> Value {
    let knob = &axis.knob;
    let at = knob.place.source.line_column(knob.place.span.start);
    json!({
        "knob": knob.name,
        "present": knob.value,
        "file": knob.place.source.name(),
        "line": at.line,
        "column": at.column,
        "values": axis.values,
    })
}

fn paging_json(paging: &Paging) -> Map<String, Value> {
    let outcome = &paging.outcome;
    let detected: Vec<Option<Value>> = paging.detected.iter().map(|it| it.map(seconds)).collect();
    let pairs = [
        ("firings", json!(outcome.firings)),
        ("firing", seconds(outcome.firing)),
        ("longest", seconds(outcome.longest)),
        ("instances", json!(outcome.instances)),
        ("flaps", json!(outcome.flaps)),
        ("first", json!(outcome.first.map(seconds))),
        ("pages", json!(paging.pages)),
        ("justified", json!(paging.justified)),
        ("detected", json!(detected)),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

/// Every measure by its name.
pub(super) fn measures_json(judgement: &Judgement) -> Value {
    let mut out = Map::new();
    for measure in &MEASURES {
        let has_incidents = judgement.fit.is_some();
        if measure.needs_incidents && !has_incidents {
            continue;
        }
        let value = measure.of(judgement).map(|value| match measure.unit {
            Unit::Length => json!(value / 1000.0),
            Unit::Count if value.fract() == 0.0 => json!(value as i64),
            _ => json!(value),
        });
        out.insert(measure.name.to_owned(), json!(value));
    }
    Value::Object(out)
}
