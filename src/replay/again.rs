//! Some rules of a replay evaluated again, over what the others wrote.

use super::graph::{clashes, read_by};
use super::output::Outputs;
use super::timeline::RuleId;
use super::{Replay, ReplayError, ReplaySpec, batch, plan};
use crate::rules::{Rule, RuleGroup};

/// What must be evaluated again when some rules change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependents {
    /// The rules themselves, all that depend on what they write, and all that may write the same series; in order.
    pub rules: Vec<RuleId>,
    /// Whether one of them reads what one of them writes.
    pub read_each_other: bool,
}

/// What must be evaluated again when numbers in the queries of some rules change, or how long they wait.
pub fn dependents(groups: &[&RuleGroup], changed: &[RuleId]) -> Dependents {
    let mut rules: Vec<(RuleId, &Rule)> = Vec::new();
    for (group, of_group) in groups.iter().enumerate() {
        let of_group = of_group.rules.iter().enumerate();
        rules.extend(of_group.map(|(rule, it)| (RuleId { group, rule }, it)));
    }
    let outputs = Outputs::possible(rules.iter().map(|&(_, rule)| rule));
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); rules.len()];
    let mut is_in = vec![false; rules.len()];
    let mut open = Vec::new();
    for (reader, (id, rule)) in rules.iter().enumerate() {
        for read in read_by(rule, &outputs) {
            readers[read].push(reader);
        }
        if changed.contains(id) {
            open.push(reader);
        }
    }
    let mut beside: Vec<Vec<usize>> = vec![Vec::new(); rules.len()];
    for (first, second) in clashes(&outputs) {
        beside[first].push(second);
        beside[second].push(first);
    }
    while let Some(index) = open.pop() {
        if !std::mem::replace(&mut is_in[index], true) {
            open.extend(readers[index].iter().chain(&beside[index]));
        }
    }
    let members = (0..rules.len()).filter(|&index| is_in[index]);
    Dependents {
        read_each_other: members
            .clone()
            .any(|index| readers[index].iter().any(|&reader| is_in[reader])),
        rules: members.map(|index| rules[index].0).collect(),
    }
}

/// Evaluates some of the rules, which must be all that [`dependents`] yields for those that changed. The store must hold what
/// the others wrote beside the inputs, as [`Replay::store_without`] has it. Errors and alerts are those of these rules.
///
/// # Errors
///
/// As [`replay`](super::replay).
pub fn replay_some<'a>(spec: ReplaySpec<'a>, rules: &[RuleId]) -> Result<Replay<'a>, ReplayError> {
    let mut planned = plan::plan(&spec)?;
    planned.retain(|rule| rules.binary_search(&rule.id).is_ok());
    Ok(batch::run(spec, planned))
}

/// Evaluates all rules but some, on which none of the others may depend. These are known to the replay, but did nothing.
///
/// # Errors
///
/// As [`replay`](super::replay).
pub fn replay_without<'a>(
    spec: ReplaySpec<'a>,
    rules: &[RuleId],
) -> Result<Replay<'a>, ReplayError> {
    let planned = plan::plan(&spec)?.into_iter();
    let (idle, planned) = planned.partition(|rule| rules.contains(&rule.id));
    Ok(batch::run(spec, planned).with_idle(idle))
}
