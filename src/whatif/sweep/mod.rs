//! What alerts would have done at every point of a grid.
//!
//! What a knob can change is known before anything is evaluated: the rules that depend on its rule. Knobs that change nothing
//! in common are swept by themselves, and the points of the grid put together of what they yield. Where only the limit of a
//! comparison at the top of an alert's expression moves, and how long the alert waits, its columns are evaluated once
//! ([`columns`]); at all other points the rules are edited, read again, and those that depend on the change evaluated again
//! over what the others wrote. Both yield the same.

mod calls;
mod cells;
mod clock;
mod columns;
mod evaluated;
mod ranks;
mod runs;
mod spans;
mod tally;
mod windows;

use self::columns::Movable;
use super::paging::{Paging, Watch};
use super::{Grid, Incidents, RuleSet, World};
use crate::replay::{
    Dependents, Replay, ReplayError, ReplaySpec, RuleError, RuleId, dependents, replay,
    replay_without,
};
use crate::rules::{RuleGroup, RuleKind};
use crate::text::Diagnostic;

/// Why a sweep can't be done.
#[derive(Debug)]
pub enum SweepError {
    /// The rules can't be what they should be at a point.
    Rules(Vec<Diagnostic>),
    /// They can't be replayed.
    Replay(ReplayError),
}

impl From<ReplayError> for SweepError {
    fn from(error: ReplayError) -> SweepError {
        SweepError::Replay(error)
    }
}

/// An alert that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweptAlert {
    /// Its rule, by its place among the groups that the world evaluates: names may be those of several.
    pub rule: RuleId,
    /// The group of its rule.
    pub group: String,
    /// Its name.
    pub alert: String,
    /// The incidents that name it, as places among all.
    pub incidents: Vec<usize>,
}

/// What alerts did at every point of a grid.
#[derive(Debug)]
pub struct Sweep {
    /// The alerts that something swept can change, and those that incidents name; in the order of evaluation.
    pub alerts: Vec<SweptAlert>,
    /// What fails where nothing moves.
    pub errors: Vec<RuleError>,
    /// For how many points rules were evaluated again.
    pub evaluated_again: usize,
    /// How many values each axis has.
    sizes: Vec<usize>,
    blocks: Vec<Block>,
}

/// What some alerts did at each combination of values.
#[derive(Debug, Default)]
struct Points {
    /// What they did at each setting that is like no other, one setting after the other.
    pagings: Vec<Paging>,
    /// How many alerts there are.
    width: usize,
    /// The setting of each combination.
    settings: Vec<usize>,
}

impl Points {
    /// Each combination is a setting of its own.
    fn apart(pagings: Vec<Vec<Paging>>, width: usize) -> Points {
        Points {
            settings: (0..pagings.len()).collect(),
            width,
            pagings: pagings.into_iter().flatten().collect(),
        }
    }

    fn at(&self, place: usize) -> &[Paging] {
        let setting = self.settings.get(place).map(|it| it * self.width);
        let pagings = setting.and_then(|from| self.pagings.get(from..from + self.width));
        pagings.unwrap_or_default()
    }
}

/// Axes that must be swept together.
#[derive(Debug)]
struct Block {
    /// The axes, by their places in the grid, in order.
    axes: Vec<usize>,
    /// What must be evaluated again.
    dependents: Dependents,
    /// The alerts among that, by their places among all looked at.
    alerts: Vec<usize>,
    /// What these did at each combination of the axes' values; the last axis moves fastest.
    points: Points,
}

/// How the points of a sweep are computed; the result is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepMode {
    /// From columns that were evaluated once, wherever that can be.
    Columns,
    /// By evaluating rules again at each point.
    Again,
}

/// What a sweep is made over.
struct Ground<'s> {
    rules: &'s RuleSet,
    world: &'s World,
    grid: &'s Grid,
    groups: &'s [&'s RuleGroup],
    spec: &'s ReplaySpec<'s>,
}

/// An alert with what it is judged by.
struct Watched {
    id: RuleId,
    group: String,
    alert: String,
    /// Which of the alerts of this name in groups of this name it is.
    number: usize,
    watch: Watch,
}

/// Computes what alerts do at every point of a grid.
///
/// # Errors
///
/// Values with which the rules would not load or can't be written, and a replay that would take too long.
pub fn sweep(
    rules: &RuleSet,
    world: &World,
    grid: &Grid,
    incidents: &Incidents,
    mode: SweepMode,
) -> Result<Sweep, SweepError> {
    let groups = world.groups(rules);
    let groups: Vec<&RuleGroup> = groups.iter().collect();
    let spec = world.spec(&groups);
    let has_history = spec.history.length > 0;
    let mut blocks = blocks(rules, grid, &groups);
    // What begins before the data does depends on all that looks back on it, and an objective's rules may become others.
    let is_whole = has_history || grid.axes().iter().any(|axis| axis.knob.rule.is_none());
    if is_whole {
        blocks = together(blocks, &groups);
        for block in &mut blocks {
            block.dependents = everything(&groups);
        }
    }
    let mut alerts: Vec<(SweptAlert, Watched)> = Vec::new();
    for (group, of_group) in groups.iter().enumerate() {
        for (rule, of_rule) in of_group.rules.iter().enumerate() {
            let id = RuleId { group, rule };
            let watch = Watch::of(incidents, &of_group.name, &of_rule.name);
            let moves = |block: &&mut Block| block.dependents.rules.binary_search(&id).is_ok();
            let block = blocks.iter_mut().find(moves);
            let is_alert = matches!(of_rule.kind, RuleKind::Alert(_));
            if !is_alert || block.is_none() && watch.incidents.is_empty() {
                continue;
            }
            if let Some(block) = block {
                block.alerts.push(alerts.len());
            }
            let swept = SweptAlert {
                rule: id,
                group: of_group.name.clone(),
                alert: of_rule.name.clone(),
                incidents: watch.incidents.clone(),
            };
            let same = |(other, _): &&(SweptAlert, Watched)| {
                (&other.group, &other.alert) == (&swept.group, &swept.alert)
            };
            let watched = Watched {
                id,
                group: swept.group.clone(),
                alert: swept.alert.clone(),
                number: alerts.iter().filter(same).count(),
                watch,
            };
            alerts.push((swept, watched));
        }
    }
    let (alerts, watched): (Vec<SweptAlert>, Vec<Watched>) = alerts.into_iter().unzip();
    let ground = Ground {
        rules,
        world,
        grid,
        groups: &groups,
        spec: &spec,
    };
    let of_block = |block: &Block| -> Vec<&Watched> {
        let of_block = block.alerts.iter();
        of_block.filter_map(|place| watched.get(*place)).collect()
    };
    let movable = |block: &Block| match mode {
        SweepMode::Columns => Movable::of(&ground, block, &of_block(block)),
        SweepMode::Again => None,
    };
    let movable: Vec<Option<Movable<'_>>> = blocks.iter().map(movable).collect();
    let (base, from_columns) = base(&ground, &movable)?;
    let mut evaluated_again = 0;
    for (block, points) in blocks.iter_mut().zip(from_columns) {
        block.points = match points {
            Some(points) => points,
            None => {
                evaluated_again += block.len(grid);
                let of_block = of_block(block);
                let pagings = evaluated::points(&ground, &base, block, &of_block, is_whole)?;
                Points::apart(pagings, of_block.len())
            }
        };
    }
    blocks.push(still(&blocks, &watched, &ground, &base));
    Ok(Sweep {
        alerts,
        errors: base.errors,
        evaluated_again,
        sizes: grid.axes().iter().map(|axis| axis.values.len()).collect(),
        blocks,
    })
}

/// The replay of the rules as they are, and what movable alerts do at each combination of the values of their axes, where
/// columns tell. Those are not evaluated once more for the replay: no other rule reads them, and they don't fail.
fn base<'s>(
    ground: &Ground<'s>,
    movable: &[Option<Movable<'_>>],
) -> Result<(Replay<'s>, Vec<Option<Points>>), ReplayError> {
    let left_out = movable.iter().flatten().filter(|it| !it.is_given);
    let left_out: Vec<RuleId> = left_out.map(|it| it.id).collect();
    let base = replay_without(ground.spec.clone(), &left_out)?;
    let points = movable
        .iter()
        .map(|it| it.as_ref()?.points(&base, ground.spec.end));
    let points: Vec<Option<Points>> = points.collect();
    let mut both = movable.iter().zip(&points);
    let is_whole = !both.any(|(movable, points)| movable.is_some() && points.is_none());
    let base = match is_whole {
        true => base,
        false => replay(ground.spec.clone())?,
    };
    Ok((base, points))
}

impl Sweep {
    /// How many points there are.
    pub fn len(&self) -> usize {
        self.sizes.iter().product()
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What each of the alerts did at a point of the grid.
    pub fn point(&self, index: usize) -> Vec<&Paging> {
        let mut of_alerts: Vec<Option<&Paging>> = vec![None; self.alerts.len()];
        for block in &self.blocks {
            let found = block.points.at(block.place(index, &self.sizes));
            for (place, paging) in block.alerts.iter().zip(found) {
                if let Some(of_alert) = of_alerts.get_mut(*place) {
                    *of_alert = Some(paging);
                }
            }
        }
        of_alerts.into_iter().flatten().collect()
    }
}

impl Block {
    /// How many combinations its axes have.
    fn len(&self, grid: &Grid) -> usize {
        let axes = self.axes.iter().filter_map(|axis| grid.axes().get(*axis));
        axes.map(|axis| axis.values.len()).product()
    }

    /// The combination of its own axes at a point of the grid.
    fn place(&self, point: usize, sizes: &[usize]) -> usize {
        let (mut rest, mut place, mut factor) = (point, 0, 1);
        for (axis, &size) in sizes.iter().enumerate().rev() {
            let value = rest % size.max(1);
            rest /= size.max(1);
            if self.axes.contains(&axis) {
                place += value * factor;
                factor *= size;
            }
        }
        place
    }
}

/// The axes of a grid, those together that change something in common.
fn blocks(rules: &RuleSet, grid: &Grid, groups: &[&RuleGroup]) -> Vec<Block> {
    let own = rules.groups();
    let knobs = rules.knobs();
    let mut blocks: Vec<Block> = Vec::new();
    for (place, axis) in grid.axes().iter().enumerate() {
        let moved = knobs.iter().filter(|knob| knob.is_same_text(&axis.knob));
        let moved: Vec<RuleId> = moved
            .filter_map(|knob| knob.rule)
            .flat_map(|rule| in_world(&own, groups, rule))
            .collect();
        let block = Block {
            axes: vec![place],
            dependents: dependents(groups, &moved),
            alerts: Vec::new(),
            points: Points::default(),
        };
        let (mut joined, apart): (Vec<Block>, Vec<Block>) =
            blocks.into_iter().partition(|other| other.shares(&block));
        joined.push(block);
        blocks = apart;
        blocks.extend(together(joined, groups));
    }
    blocks
}

impl Block {
    fn shares(&self, other: &Block) -> bool {
        let mut own = self.dependents.rules.iter();
        own.any(|id| other.dependents.rules.binary_search(id).is_ok())
    }
}

/// One block of several.
fn together(blocks: Vec<Block>, groups: &[&RuleGroup]) -> Vec<Block> {
    let mut axes: Vec<usize> = blocks.iter().flat_map(|it| it.axes.clone()).collect();
    axes.sort_unstable();
    let moved = blocks.iter().flat_map(|it| it.dependents.rules.clone());
    let moved: Vec<RuleId> = moved.collect();
    match axes.is_empty() {
        true => Vec::new(),
        false => vec![Block {
            axes,
            dependents: dependents(groups, &moved),
            alerts: Vec::new(),
            points: Points::default(),
        }],
    }
}

/// All rules.
fn everything(groups: &[&RuleGroup]) -> Dependents {
    let groups = groups.iter().enumerate();
    let rules =
        groups.flat_map(|(group, it)| (0..it.rules.len()).map(move |rule| RuleId { group, rule }));
    Dependents {
        rules: rules.collect(),
        read_each_other: true,
    }
}

/// A rule of the files as the world evaluates it, which may be never or several times.
fn in_world(own: &[&RuleGroup], groups: &[&RuleGroup], id: RuleId) -> Vec<RuleId> {
    let Some(rule) = own.get(id.group).and_then(|it| it.rules.get(id.rule)) else {
        return Vec::new();
    };
    let source = |group: &RuleGroup| group.source.name().to_owned();
    let file = own.get(id.group).map(|group| source(group));
    let mut found = Vec::new();
    for (group, of_group) in groups.iter().enumerate() {
        let is_file = Some(source(of_group)) == file;
        for (place, other) in of_group.rules.iter().enumerate() {
            if is_file && other.span == rule.span && other.name_span == rule.name_span {
                found.push(RuleId { group, rule: place });
            }
        }
    }
    found
}

/// The alerts that nothing swept changes.
fn still(blocks: &[Block], watched: &[Watched], ground: &Ground<'_>, base: &Replay<'_>) -> Block {
    let moves = |place: &usize| blocks.iter().any(|block| block.alerts.contains(place));
    let alerts: Vec<usize> = (0..watched.len()).filter(|place| !moves(place)).collect();
    let of_alerts: Vec<&Watched> = alerts.iter().filter_map(|it| watched.get(*it)).collect();
    let pagings = evaluated::pagings(base, ground.spec.end, &of_alerts);
    Block {
        axes: Vec::new(),
        dependents: Dependents::default(),
        points: Points::apart(vec![pagings], alerts.len()),
        alerts,
    }
}
