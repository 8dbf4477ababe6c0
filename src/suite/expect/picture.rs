//! What an alert did, drawn beside what was expected.

use super::problem::{Counted, Problem};
use super::scene::{Actor, Scene};
use super::windows::Seen;
use super::{AlertExpectation, Window, Windows};
use crate::model::{Labels, Millis};
use crate::promql::ast::{BinaryOp, Expr, ExprKind};
use crate::promql::{ColumnSeries, Sample, Ticks, evaluate, threshold};
use crate::replay::AlertState;
use crate::rules::{Rule, RuleKind};
use crate::suite::file::Spanned;

/// No more cells than this are drawn beside each other.
const MAX_CELLS: i64 = 60;

/// No more instances than this are drawn.
const MAX_ROWS: usize = 4;

/// Evaluations that are drawn before and after what is of interest.
const MARGIN: i64 = 4;

/// A stretch of time in cells of equal length.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Where the first cell begins, after the start of the test.
    pub from: Millis,
    /// The end of the last cell, or of the test.
    pub to: Millis,
    /// The length of a cell.
    pub step: Millis,
    /// Instances that are not as expected, the first few.
    pub rows: Vec<PictureRow>,
    /// How many more there are.
    pub more: usize,
}

/// One instance in cells.
#[derive(Debug, Clone)]
pub struct PictureRow {
    /// Its labels; `None` for all together.
    pub labels: Option<Labels>,
    /// The state expected in each cell, if any was.
    pub expected: Option<Vec<Option<AlertState>>>,
    /// The state seen in each cell.
    pub observed: Vec<Option<AlertState>>,
    /// What the alert's expression compares.
    pub curve: Option<Curve>,
}

impl PictureRow {
    /// Whether another row shows the same of another instance.
    fn looks_like(&self, other: &PictureRow) -> bool {
        let bits = |row: &PictureRow| -> Option<Vec<Option<u64>>> {
            let values = row.curve.as_ref()?.values.iter();
            Some(values.map(|value| value.map(f64::to_bits)).collect())
        };
        (&self.expected, &self.observed) == (&other.expected, &other.observed)
            && bits(self) == bits(other)
    }
}

/// The value that an alert's expression compares with a threshold.
#[derive(Debug, Clone)]
pub struct Curve {
    /// The value at the beginning of each cell.
    pub values: Vec<Option<f64>>,
    /// What the value is compared by, as if it stood on the left.
    pub op: BinaryOp,
    /// What the value is compared with, where that is a number.
    pub bound: Option<f64>,
    /// What the value is called.
    pub of: &'static str,
}

/// The windows of one state, expected and seen.
#[derive(Clone, Copy)]
struct Lane<'l> {
    state: AlertState,
    expected: Option<&'l Spanned<Windows>>,
}

/// Draws the instances whose windows are not as expected.
pub(super) fn of_alert(
    scene: &Scene<'_>,
    expectation: &AlertExpectation,
    meant: &[Actor<'_>],
    problems: &[Problem],
) -> Option<Picture> {
    let mut wrong: Vec<Option<Labels>> = Vec::new();
    let mut is_silent = false;
    for problem in problems {
        let labels = match problem {
            Problem::Windows { labels, .. } | Problem::Unresolved { labels, .. } => labels.clone(),
            Problem::State { labels, .. } | Problem::Unselected { labels, .. } => {
                Some(labels.clone())
            }
            Problem::Amount { what, labels, .. } if *what != Counted::Instances => labels.clone(),
            Problem::NothingAsked { .. } => {
                wrong.extend(meant.iter().map(|actor| Some(actor.labels())));
                continue;
            }
            Problem::NoInstance { .. } => {
                is_silent = true;
                continue;
            }
            _ => continue,
        };
        if !wrong.contains(&labels) {
            wrong.push(labels);
        }
    }
    if wrong.is_empty() && !is_silent {
        return None;
    }
    let grid = grid(scene, expectation, problems);
    let drawer = Drawer {
        scene,
        expectation,
        grid,
    };
    let shown = wrong.iter().take(MAX_ROWS);
    let mut rows: Vec<PictureRow> = Vec::new();
    for labels in shown {
        let row = drawer.row(labels, meant);
        // Of those that look alike one will do.
        if !rows.iter().any(|known| known.looks_like(&row)) {
            rows.push(row);
        }
    }
    let more = wrong.len().saturating_sub(rows.len());
    if is_silent {
        rows.push(drawer.silent());
    }
    Some(Picture {
        from: scene.since(grid.start),
        to: {
            let end = scene.since(grid.start) + grid.count as i64 * grid.step;
            end.min(scene.length)
        },
        step: grid.step,
        rows,
        more,
    })
}

/// The cells: everything expected or seen, with a margin, in no more than [`MAX_CELLS`].
fn grid(scene: &Scene<'_>, expectation: &AlertExpectation, problems: &[Problem]) -> Ticks {
    let interval = scene.interval.max(1);
    let mut edges: Vec<Millis> = Vec::new();
    let mut add = |from: Millis, to: Option<Millis>| {
        edges.extend([from, to.unwrap_or(scene.length)]);
    };
    for lane in lanes(expectation) {
        if let Some(Windows::Listed(list)) = lane.expected.map(|it| &it.value) {
            list.iter().for_each(|window| add(window.from, window.to));
        }
    }
    for problem in problems {
        match problem {
            Problem::Windows { seen, .. }
            | Problem::Unresolved { seen, .. }
            | Problem::Unselected { seen, .. } => seen.iter().for_each(|seen| add(seen.0, seen.1)),
            Problem::State { at, .. } | Problem::NothingAsked { at: Some(at) } => {
                add(*at, Some(*at));
            }
            _ => {}
        }
    }
    let first = edges.iter().min().copied().unwrap_or(0).max(0);
    let last = edges.iter().max().copied().unwrap_or(scene.length);
    let from = (first.div_euclid(interval) - MARGIN).max(0);
    let to = (last.div_euclid(interval) + MARGIN).min(scene.length.div_euclid(interval));
    let evaluations = (to - from + 1).max(1);
    let of_cell = (evaluations + MAX_CELLS - 1) / MAX_CELLS;
    Ticks {
        start: scene.start.saturating_add(from * interval),
        step: of_cell * interval,
        count: usize::try_from((evaluations + of_cell - 1) / of_cell).unwrap_or(1),
    }
}

fn lanes(expectation: &AlertExpectation) -> [Lane<'_>; 2] {
    [
        Lane {
            state: AlertState::Pending,
            expected: expectation.pending.as_ref(),
        },
        Lane {
            state: AlertState::Firing,
            expected: expectation.fires.as_ref(),
        },
    ]
}

struct Drawer<'d> {
    scene: &'d Scene<'d>,
    expectation: &'d AlertExpectation,
    grid: Ticks,
}

impl Drawer<'_> {
    /// One instance, or all that are meant where there are no labels.
    fn row(&self, labels: &Option<Labels>, meant: &[Actor<'_>]) -> PictureRow {
        let name = &self.expectation.alert.value;
        let of_alert = self
            .scene
            .actors()
            .filter(|actor| actor.timeline.name == *name);
        let actors: Vec<Actor<'_>> = match labels {
            None => meant.to_vec(),
            Some(labels) => of_alert.filter(|actor| actor.labels() == *labels).collect(),
        };
        let mut observed = vec![None; self.grid.count];
        for state in [AlertState::Pending, AlertState::Firing] {
            for actor in &actors {
                self.lay(&mut observed, state, &self.scene.seen(actor, state));
            }
        }
        let is_meant = actors.iter().all(|actor| actor.is_meant(self.expectation));
        let curve = match actors.as_slice() {
            [actor] => self.scene.rule(actor).and_then(|rule| {
                let labels = &actor.instance.labels;
                let is_below = |series: &ColumnSeries| {
                    let mut own = series.labels.iter().filter(|(name, _)| *name != "__name__");
                    own.all(|(name, value)| labels.value(name) == value)
                };
                let curve = self.curve(rule, is_below)?;
                Some(self.with_peaks(curve, rule, actor))
            }),
            _ => None,
        };
        PictureRow {
            labels: labels.clone(),
            expected: self.expected().filter(|_| is_meant),
            observed,
            curve,
        }
    }

    /// A curve has the value at the beginning of each cell. Where a cell is many evaluations, the furthest value for which
    /// the instance was active there counts instead: what is drawn must not deny that it was.
    fn with_peaks(&self, mut curve: Curve, rule: &Rule, actor: &Actor<'_>) -> Curve {
        if self.grid.step <= self.scene.interval || is_choice(&rule.expr.expr) {
            return curve;
        }
        let falls = falls(curve.op);
        let stretches = actor.instance.stretches.iter();
        let values = stretches
            .flat_map(|stretch| self.scene.replay.values(actor.alert, actor.number, stretch));
        for (moment, value) in values {
            let place = (moment - self.grid.start).div_euclid(self.grid.step);
            let cell = usize::try_from(place).ok();
            let Some(cell) = cell.and_then(|place| curve.values.get_mut(place)) else {
                continue;
            };
            *cell = Some(match *cell {
                Some(known) if falls => value.min(known),
                Some(known) => value.max(known),
                None => value,
            });
        }
        curve
    }

    /// An alert of which no instance that is meant was ever active: the series that came nearest.
    fn silent(&self) -> PictureRow {
        let name = &self.expectation.alert.value;
        let groups = self.scene.groups.iter();
        let mut rules = groups.flat_map(|group| group.rules.iter());
        let rule = rules.find(|rule| matches!(rule.kind, RuleKind::Alert(_)) && rule.name == *name);
        PictureRow {
            labels: None,
            expected: self.expected(),
            observed: vec![None; self.grid.count],
            curve: rule.and_then(|rule| self.curve(rule, |_| true)),
        }
    }

    fn expected(&self) -> Option<Vec<Option<AlertState>>> {
        let mut cells = vec![None; self.grid.count];
        let mut any = false;
        for lane in lanes(self.expectation) {
            let Some(windows) = lane.expected else {
                continue;
            };
            any = true;
            if let Windows::Listed(list) = &windows.value {
                let seen = |window: &Window| (window.from, window.to);
                let seen: Vec<Seen> = list.iter().map(seen).collect();
                self.lay(&mut cells, lane.state, &seen);
            }
        }
        any.then_some(cells)
    }

    /// Marks the cells that windows touch.
    fn lay(&self, cells: &mut [Option<AlertState>], state: AlertState, windows: &[Seen]) {
        let from = self.scene.since(self.grid.start);
        for (place, cell) in cells.iter_mut().enumerate() {
            let begin = from + place as i64 * self.grid.step;
            let end = begin + self.grid.step;
            let touches = |window: &Seen| window.0 < end && window.1.is_none_or(|to| begin < to);
            if windows.iter().any(touches) {
                *cell = Some(state);
            }
        }
    }

    /// The value that a rule compares, of the first series that `is_meant`, the one that went furthest.
    fn curve(&self, rule: &Rule, is_meant: impl Fn(&ColumnSeries) -> bool) -> Option<Curve> {
        let found = threshold(&rule.expr.expr)?;
        let evaluate = |expr: &Expr| {
            let view = self.scene.replay.view_live();
            let query = rule.expr.part(expr.span, &view.features)?;
            evaluate(&query, &view, self.grid).into_columns()
        };
        let (values, bound) = (evaluate(found.value)?, evaluate(found.bound)?);
        let bound = match bound.series.as_slice() {
            [only] if only.labels.is_empty() => float(only, 0),
            _ => None,
        };
        let falls = falls(found.op);
        let furthest = |series: &&ColumnSeries| {
            let values = (0..self.grid.count).filter_map(|tick| float(series, tick));
            let values = values.filter(|value| !value.is_nan());
            let signed = values.map(|value| if falls { -value } else { value });
            signed.fold(f64::NEG_INFINITY, f64::max)
        };
        let series = values.series.iter().filter(|series| is_meant(series));
        let series = series.max_by(|a, b| furthest(a).total_cmp(&furthest(b)))?;
        Some(Curve {
            values: (0..self.grid.count)
                .map(|tick| float(series, tick))
                .collect(),
            op: found.op,
            bound,
            of: "value",
        })
    }
}

/// Whether a value goes further the less it is.
fn falls(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Less | BinaryOp::LessEqual)
}

/// Whether what an expression yields may be the value of another operand than the first.
fn is_choice(expr: &Expr) -> bool {
    match &expr.unwrap_parens().kind {
        ExprKind::Chain(chain) => {
            chain.links.iter().any(|link| link.op == BinaryOp::Or) || is_choice(&chain.first)
        }
        _ => false,
    }
}

fn float(series: &ColumnSeries, tick: usize) -> Option<f64> {
    match series.column.get(tick)? {
        Sample::Float(value) => Some(value),
        Sample::Histogram(_) => None,
    }
}
