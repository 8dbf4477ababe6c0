//! `rulecheck whatif --sweep`: many settings at once, and which of them are worth a look.

use super::load::Loaded;
use super::{Options, asked};
use crate::command::load::{all_or_faults, complain_of, too_long};
use crate::command::{Outcome, complain};
use crate::io;
use crate::report::Format;
use crate::report::sweep::{Swept, SweptWorld};
use crate::rules::RuleKind;
use crate::text::{Diagnostic, distinct};
use crate::whatif::{
    Axis, Extent, Goal, Grid, Incidents, Judgement, Knob, Ranking, SweepError, SweepMode, World,
    sweep,
};

/// Sweeps knobs over all worlds; a failure where goals are given that no point meets.
pub(super) fn run(
    options: &Options,
    loaded: &Loaded,
    knobs: &[Knob],
) -> Result<Outcome, Vec<Diagnostic>> {
    let axes = options.sweep.iter().map(|text| Axis::parse(text, knobs));
    let axes = all_or_faults(axes.map(|axis| {
        let axis = axis.and_then(|axis| axis.check().map(|()| axis));
        axis.map_err(|fault| vec![fault])
    }))?;
    let grid = Grid::new(axes).map_err(|fault| vec![fault])?;
    let (changes, edited) = asked(options, loaded, knobs)?;
    let rules = &edited.rules;
    let base = grid.beside(&changes, &rules.knobs());
    let base = base.map_err(|fault| vec![fault])?;
    let doubts = grid.axes().iter().flat_map(Axis::doubts);
    doubts.for_each(|doubt| complain(&doubt));
    if options.format == Format::Html && grid.len() > MOST_POINTS {
        let fault = Diagnostic::error(format!(
            "{} points are more than a page shows: {MOST_POINTS}",
            grid.len()
        ));
        return Err(vec![fault.help(
            "sweep fewer values, or take --format json, which holds all points",
        )]);
    }
    let has_incidents = options.incidents.is_some();
    let goals = options
        .goal
        .iter()
        .map(|text| Goal::parse(text, has_incidents));
    let goals = all_or_faults(goals.map(|goal| goal.map_err(|fault| vec![fault])))?;
    if loaded.worlds.is_empty() {
        let fault = Diagnostic::error("there is nothing to sweep over");
        return Err(vec![
            fault.help("give --data with recorded series, or --tests"),
        ]);
    }
    let (mut worlds, mut ended) = (Vec::with_capacity(loaded.worlds.len()), Outcome::Success);
    let incidents = incidents(options, loaded)?;
    for (world, incidents) in loaded.worlds.iter().zip(incidents) {
        let swept = {
            let points = crate::report::count(base.len(), "point");
            let _told = io::Patience::with(format!("{points} over {}", world.name));
            sweep(rules, world, &base, &incidents, SweepMode::Columns).map_err(faults)?
        };
        let groups = world.groups(rules);
        ended = ended.max(complain_of(
            &swept.errors,
            &groups.iter().collect::<Vec<_>>(),
        ));
        let judged = |point: usize| {
            let pagings = swept.point(point);
            Judgement::of(&swept.alerts, &pagings, &incidents, world.length())
        };
        let judgements: Vec<Judgement> = (0..swept.len()).map(judged).collect();
        let ranking = Ranking::of(&grid, &judgements, &goals);
        if !goals.is_empty() && ranking.best.is_none() {
            ended = ended.max(Outcome::Failure);
        }
        if swept.alerts.is_empty() {
            tell_no_alert(world);
        }
        worlds.push(SweptWorld {
            name: world.name.clone(),
            incidents,
            sweep: swept,
            judgements,
            ranking,
        });
    }
    let swept = Swept {
        changes: &changes,
        grid: &grid,
        goals: &goals,
        worlds: &worlds,
        all: options.all,
    };
    if options.format == Format::Html {
        let incidents: Vec<Incidents> = worlds.iter().map(|it| it.incidents.clone()).collect();
        let shown = super::page::show(
            options,
            loaded,
            (&changes, &edited),
            &incidents,
            Some(&swept),
        )?;
        return Ok(ended.max(shown));
    }
    io::print(&match options.format {
        Format::Json => swept.json(),
        Format::Markdown => swept.markdown(),
        _ => swept.text(),
    });
    Ok(ended)
}

/// A page shows no more points than these.
const MOST_POINTS: usize = 20_000;

/// The incidents of each world. Those that reach beyond its data are told.
pub(super) fn incidents(
    options: &Options,
    loaded: &Loaded,
) -> Result<Vec<Incidents>, Vec<Diagnostic>> {
    let Some(path) = &options.incidents else {
        return Ok(vec![Incidents::default(); loaded.worlds.len()]);
    };
    let source = io::read(path).map_err(|fault| vec![fault])?;
    let mut alerts = Vec::new();
    for group in loaded.rules.groups() {
        let of_group = group
            .rules
            .iter()
            .filter(|rule| matches!(rule.kind, RuleKind::Alert(_)));
        alerts.extend(of_group.map(|rule| (group.name.clone(), rule.name.clone())));
    }
    let mut doubts = Vec::new();
    let of_world = |world: &World| {
        let (start, end) = world.span();
        let extent = Extent {
            start,
            end,
            alerts: &alerts,
        };
        let incidents = Incidents::read(&source, extent)?;
        doubts.extend(incidents.doubts(end));
        Ok(incidents)
    };
    let incidents = loaded.worlds.iter().map(of_world);
    let incidents = incidents.collect::<Result<Vec<Incidents>, Vec<Diagnostic>>>()?;
    distinct(doubts).iter().for_each(complain);
    Ok(incidents)
}

fn tell_no_alert(world: &World) {
    let message = format!("{}: no alert depends on what is swept", world.name);
    let warning = Diagnostic::warning(message);
    complain(&warning.help("`rulecheck graph` shows which rules read which"));
}

fn faults(error: SweepError) -> Vec<Diagnostic> {
    match error {
        SweepError::Rules(faults) => faults,
        SweepError::Replay(error) => too_long(&error),
    }
}
