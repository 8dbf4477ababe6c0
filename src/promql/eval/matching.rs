//! Operators between two vectors: which series find each other, and what comes of it.
//!
//! Candidates are found once a column; whether they meet is decided tick by tick.

use hashbrown::HashMap;

use super::Evaluator;
use super::binary::{Elementwise, Outcome};
use super::frame::Frame;
use super::merge::distinct;
use crate::model::{Labels, METRIC_NAME};
use crate::promql::ast::{BinaryOp, Link, Matching, Side};
use crate::promql::column::{Column, ColumnSeries};

/// The series of both sides that share the matching labels, by index.
#[derive(Default)]
struct MatchGroup {
    /// The labels they share.
    signature: Labels,
    left: Vec<usize>,
    right: Vec<usize>,
}

impl Evaluator<'_> {
    /// The result of an operator between two vectors.
    pub(super) fn match_vectors(
        &self,
        left: Vec<ColumnSeries>,
        right: Vec<ColumnSeries>,
        link: &Link,
        frame: &Frame,
    ) -> Vec<ColumnSeries> {
        if link.op.is_set() {
            return distinct(set_operation(left, right, link), frame);
        }
        if link.matching.fill_left.is_some() || link.matching.fill_right.is_some() {
            frame.fail_all("the fill modifiers are not evaluated yet");
            return Vec::new();
        }
        let join = Join {
            elementwise: Elementwise::new(link),
            link,
            delayed: self.view.features.delayed_name_removal,
            frame,
            both: both_present(&left, &right, frame.count()),
        };
        let swapped = matches!(&link.matching.group, Some(group) if group.side == Side::Right);
        let (many, one) = if swapped {
            (&right, &left)
        } else {
            (&left, &right)
        };
        let mut out = Vec::new();
        let groups = groups(&left, &right, &link.matching);
        join.refuse_several(&groups, one, swapped);
        for group in groups {
            let (many_indices, one_indices) = match swapped {
                true => (&group.right, &group.left),
                false => (&group.left, &group.right),
            };
            let many: Vec<&ColumnSeries> = many_indices.iter().map(|&index| &many[index]).collect();
            let one: Vec<&ColumnSeries> = one_indices.iter().map(|&index| &one[index]).collect();
            join.group(&many, &one, swapped, &mut out);
        }
        distinct(out, frame)
    }
}

/// One operator between two vectors.
struct Join<'j> {
    elementwise: Elementwise,
    link: &'j Link,
    delayed: bool,
    frame: &'j Frame,
    /// Ticks at which both vectors hold something; at others nothing is matched, and nothing can fail.
    both: Vec<u64>,
}

impl Join<'_> {
    /// Joins the series of one match group.
    fn group(
        &self,
        many: &[&ColumnSeries],
        one: &[&ColumnSeries],
        swapped: bool,
        out: &mut Vec<ColumnSeries>,
    ) {
        let mut matched: HashMap<Labels, Vec<u64>> = HashMap::new();
        let grouped = self.link.matching.group.is_some();
        for many in many {
            for one in one {
                let (labels, drop_name) = self.result_labels(&many.labels, &one.labels);
                let met: Vec<u64> = many
                    .column
                    .presence()
                    .iter()
                    .zip(one.column.presence())
                    .map(|(a, b)| a & b)
                    .collect();
                if met.iter().all(|&word| word == 0) {
                    continue;
                }
                let key = if grouped {
                    labels.clone()
                } else {
                    Labels::empty()
                };
                match matched.get_mut(&key) {
                    Some(before) => self.refuse_overlap(before, &met, grouped),
                    None => {
                        matched.insert(key, met.clone());
                    }
                }
                let (left, right) = if swapped { (one, many) } else { (many, one) };
                let column = combine(self.elementwise, &left.column, &right.column, met);
                out.push(ColumnSeries {
                    labels,
                    drop_name,
                    column,
                });
            }
        }
    }

    /// Fails the ticks at which the side that is to be one is several. It is looked at in the order of its series,
    /// as in Prometheus, so that the message does not depend on how many ticks are evaluated together.
    fn refuse_several(&self, groups: &[MatchGroup], one: &[ColumnSeries], swapped: bool) {
        let members = |group: &MatchGroup| {
            if swapped {
                group.left.clone()
            } else {
                group.right.clone()
            }
        };
        let mut several: Vec<(usize, usize)> = Vec::new();
        for (place, group) in groups.iter().enumerate() {
            let indices = members(group);
            if indices.len() > 1 {
                several.extend(indices.into_iter().map(|index| (index, place)));
            }
        }
        several.sort_unstable();
        let mut seen: HashMap<usize, Vec<u64>> = HashMap::new();
        for (index, place) in several {
            let seen = seen
                .entry(place)
                .or_insert_with(|| vec![0; self.both.len()]);
            let present = one[index].column.presence();
            for (word, (seen, present)) in seen.iter_mut().zip(present).enumerate() {
                let twice = *seen & present & self.both[word];
                *seen |= present;
                for bit in (0..64).filter(|bit| twice >> bit & 1 == 1) {
                    let tick = word * 64 + bit;
                    self.frame.fail(tick, || {
                        let group = &groups[place];
                        let earlier = members(group).into_iter().find(|&member| one[member].column.is_present(tick));
                        let earlier = earlier.map_or_else(String::new, |member| one[member].labels.to_string());
                        let mut names = [one[index].labels.to_string(), earlier];
                        names.sort();
                        let side = if swapped { "left" } else { "right" };
                        format!(
                            "found duplicate series for the match group {} on the {side} hand-side of the operation: [{}, {}];many-to-many matching not allowed: matching labels must be unique on one side",
                            group.signature, names[0], names[1]
                        )
                    });
                }
            }
        }
    }

    /// Fails the ticks at which two pairs claim one result.
    fn refuse_overlap(&self, before: &mut [u64], met: &[u64], grouped: bool) {
        for (word, (before, met)) in before.iter_mut().zip(met).enumerate() {
            for bit in (0..64).filter(|bit| (*before & met) >> bit & 1 == 1) {
                self.frame.fail(word * 64 + bit, || {
                    let reason = match grouped {
                        true => "grouping labels must ensure unique matches",
                        false => "many-to-one matching must be explicit (group_left/group_right)",
                    };
                    format!("multiple matches for labels: {reason}")
                });
            }
            *before |= met;
        }
    }

    /// The labels of a result, and whether the name still has to go.
    fn result_labels(&self, many: &Labels, one: &Labels) -> (Labels, bool) {
        let matching = &self.link.matching;
        let named = |name: &str| matching.labels.iter().any(|label| label == name);
        let drops = self.elementwise.changes_value() || (self.link.return_bool && !self.delayed);
        let kept = many.filtered(|name| {
            let matched_away = matching.group.is_none() && named(name) != matching.on;
            !(matched_away || (drops && name == METRIC_NAME))
        });
        let labels = match &matching.group {
            Some(group) if !group.include.is_empty() => {
                let mut builder = kept.to_builder();
                for name in &group.include {
                    builder.set(name, one.value(name));
                }
                builder.build()
            }
            _ => kept,
        };
        (labels, self.delayed && self.link.return_bool)
    }
}

/// Ticks at which both vectors hold a sample.
fn both_present(left: &[ColumnSeries], right: &[ColumnSeries], count: usize) -> Vec<u64> {
    let any = |series: &[ColumnSeries]| {
        let mut words = vec![0u64; count.div_ceil(64)];
        for series in series {
            for (word, present) in words.iter_mut().zip(series.column.presence()) {
                *word |= present;
            }
        }
        words
    };
    any(left)
        .into_iter()
        .zip(any(right))
        .map(|(a, b)| a & b)
        .collect()
}

/// The match groups, in the order in which the left side names them, then the right.
fn groups(left: &[ColumnSeries], right: &[ColumnSeries], matching: &Matching) -> Vec<MatchGroup> {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<MatchGroup> = Vec::new();
    let mut place_of = |labels: &Labels, groups: &mut Vec<MatchGroup>| {
        let signature = signature(labels, matching);
        *places.entry(signature.clone()).or_insert_with(|| {
            groups.push(MatchGroup {
                signature,
                ..MatchGroup::default()
            });
            groups.len() - 1
        })
    };
    for (index, series) in left.iter().enumerate() {
        let place = place_of(&series.labels, &mut groups);
        groups[place].left.push(index);
    }
    for (index, series) in right.iter().enumerate() {
        let place = place_of(&series.labels, &mut groups);
        groups[place].right.push(index);
    }
    groups
}

/// The labels by which a series is matched.
fn signature(labels: &Labels, matching: &Matching) -> Labels {
    let named = |name: &str| matching.labels.iter().any(|label| label == name);
    match matching.on {
        true => labels.filtered(named),
        false => labels.filtered(|name| name != METRIC_NAME && !named(name)),
    }
}

/// The column of one pair where they meet.
fn combine(elementwise: Elementwise, left: &Column, right: &Column, met: Vec<u64>) -> Column {
    if !left.has_histograms() && !right.has_histograms() {
        let mut out = Column::from_parts(left.values().to_vec(), met);
        elementwise.with_scalar(&mut out, right, false);
        return out;
    }
    let mut out = Column::absent(left.len());
    for tick in 0..left.len() {
        if let (Some(a), Some(b)) = (left.get(tick), right.get(tick)) {
            match elementwise.of_samples(a, b) {
                Some(Outcome::Float(value)) => out.set(tick, value),
                Some(Outcome::Histogram(histogram)) => out.set_histogram(tick, histogram),
                None => {}
            }
        }
    }
    out
}

/// `and`, `or` and `unless`.
fn set_operation(
    left: Vec<ColumnSeries>,
    right: Vec<ColumnSeries>,
    link: &Link,
) -> Vec<ColumnSeries> {
    let presence = |series: &[ColumnSeries]| {
        let mut words: HashMap<Labels, Vec<u64>> = HashMap::new();
        for series in series {
            let present = series.column.presence();
            let entry = words
                .entry(signature(&series.labels, &link.matching))
                .or_insert_with(|| vec![0; present.len()]);
            entry
                .iter_mut()
                .zip(present)
                .for_each(|(word, present)| *word |= present);
        }
        words
    };
    let (mut kept, other, mut added) = match link.op {
        BinaryOp::Or => {
            let other = presence(&left);
            (right, other, left)
        }
        _ => {
            let other = presence(&right);
            (left, other, Vec::new())
        }
    };
    for series in &mut kept {
        let matched = other.get(&signature(&series.labels, &link.matching));
        series.column.retain(|word| {
            let matched = matched.map_or(0, |words| words[word]);
            if link.op == BinaryOp::And {
                matched
            } else {
                !matched
            }
        });
    }
    added.append(&mut kept);
    added
}
