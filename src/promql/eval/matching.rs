//! Operators between two vectors: which series find each other, and what comes of it.
//!
//! Candidates are found once a column; whether they meet is decided tick by tick.

use std::cell::{Cell, RefCell};

use hashbrown::HashMap;

use super::Evaluator;
use super::binary::{Elementwise, Outcome, TickNotes};
use super::frame::Frame;
use super::merge::distinct;
use crate::model::{Labels, METRIC_NAME, is_metadata};
use crate::promql::ast::{BinaryOp, Link, Matching, Side};
use crate::promql::column::{Column, ColumnSeries};
use crate::text::Span;

/// Series that share the matching labels.
struct MatchGroup {
    /// The labels they share.
    signature: Labels,
    /// Those of the second vector, by index.
    one: Vec<usize>,
}

impl Evaluator<'_> {
    /// The result of an operator between two vectors; `node` is where both stand.
    pub(super) fn match_vectors(
        &self,
        left: Vec<ColumnSeries>,
        right: Vec<ColumnSeries>,
        link: &Link,
        node: Span,
        frame: &Frame,
    ) -> Vec<ColumnSeries> {
        if link.op.is_set() {
            return distinct(intersection(left, &right, link), frame);
        }
        let is_swapped = matches!(&link.matching().group, Some(group) if group.side == Side::Right);
        let (many, one) = match is_swapped {
            true => (right, left),
            false => (left, right),
        };
        let join = Join {
            elementwise: Elementwise::new(link),
            link,
            delayed: self.view.features.delayed_name_removal,
            is_swapped,
            frame,
            must_part_ticks: &self.must_part_ticks,
            active: active(&many, &one, link, frame.count()),
            notes: RefCell::default(),
        };
        let joined = join.run(&many, &one);
        join.notes.into_inner().note(node, frame);
        distinct(joined, frame)
    }
}

/// One operator between two vectors; each series of the first finds one of the second at a tick.
struct Join<'j> {
    elementwise: Elementwise,
    link: &'j Link,
    delayed: bool,
    /// Whether the first vector stands right of the operator.
    is_swapped: bool,
    frame: &'j Frame,
    must_part_ticks: &'j Cell<bool>,
    /// Ticks at which something can match; at others nothing can fail either.
    active: Vec<u64>,
    notes: RefCell<TickNotes>,
}

/// The ticks at which series of a match group were matched, told apart by the labels of the result where several may be.
type Matched = HashMap<Labels, Vec<u64>>;

impl Join<'_> {
    fn run(&self, many: &[ColumnSeries], one: &[ColumnSeries]) -> Vec<ColumnSeries> {
        let groups = Groups::new(many, one, self.link.matching());
        self.refuse_several(&groups, one);
        let mut matched: Vec<Matched> = vec![Matched::new(); groups.list.len()];
        let mut out = Vec::new();
        for (series, &place) in many.iter().zip(&groups.places) {
            let group = &groups.list[place];
            let mut alone = masked(series.column.presence(), &self.active);
            for other in group.one.iter().map(|&index| &one[index]) {
                let met = masked(series.column.presence(), other.column.presence());
                for (alone, met) in alone.iter_mut().zip(&met) {
                    *alone &= !met;
                }
                self.pair(series, other, met, &mut matched[place], &mut out);
            }
            if let Some(value) = self.link.matching().fill_right {
                let filled = self.filling(&group.signature, value);
                self.pair(series, &filled, alone, &mut matched[place], &mut out);
            }
        }
        if let Some(value) = self.link.matching().fill_left {
            self.fill_many(&groups, one, value, &mut matched, &mut out);
        }
        out
    }

    /// Pairs what was not matched of the second vector with a value.
    fn fill_many(
        &self,
        groups: &Groups,
        one: &[ColumnSeries],
        value: f64,
        matched: &mut [Matched],
        out: &mut Vec<ColumnSeries>,
    ) {
        for (place, group) in groups.list.iter().enumerate() {
            let filled = self.filling(&group.signature, value);
            for series in group.one.iter().map(|&index| &one[index]) {
                let mut alone = masked(series.column.presence(), &self.active);
                for before in matched[place].values() {
                    alone
                        .iter_mut()
                        .zip(before)
                        .for_each(|(alone, before)| *alone &= !before);
                }
                self.pair(&filled, series, alone, &mut matched[place], out);
            }
        }
    }

    /// What stands for a series that is missing.
    fn filling(&self, signature: &Labels, value: f64) -> ColumnSeries {
        ColumnSeries {
            labels: signature.clone(),
            drop_name: false,
            column: Column::constant(self.frame.count(), value),
        }
    }

    /// Joins two series at the ticks at which they meet.
    fn pair(
        &self,
        many: &ColumnSeries,
        one: &ColumnSeries,
        met: Vec<u64>,
        matched: &mut Matched,
        out: &mut Vec<ColumnSeries>,
    ) {
        if met.iter().all(|&word| word == 0) {
            return;
        }
        let (labels, drop_name) = self.result_labels(&many.labels, &one.labels);
        let (left, right) = match self.is_swapped {
            true => (one, many),
            false => (many, one),
        };
        let (column, met) = combine(
            self.elementwise,
            &left.column,
            &right.column,
            met,
            &mut self.notes.borrow_mut(),
        );
        let is_grouped = self.link.matching().group.is_some();
        let key = match is_grouped {
            true => labels.clone(),
            false => Labels::empty(),
        };
        match matched.get_mut(&key) {
            Some(before) => self.refuse_overlap(before, &met, is_grouped),
            None => {
                matched.insert(key, met);
            }
        }
        out.push(ColumnSeries {
            labels,
            drop_name,
            column,
        });
    }

    /// Fails the ticks at which the side that is to be one is several.
    fn refuse_several(&self, groups: &Groups, one: &[ColumnSeries]) {
        let mut several: Vec<(usize, &MatchGroup)> = Vec::new();
        for group in groups.list.iter().filter(|group| group.one.len() > 1) {
            several.extend(group.one.iter().map(|&index| (index, group)));
        }
        several.sort_unstable_by_key(|(index, _)| *index);
        let mut seen: HashMap<&Labels, Vec<u64>> = HashMap::new();
        let mut failed = vec![0u64; self.active.len()];
        for (index, group) in several {
            let seen = seen
                .entry(&group.signature)
                .or_insert_with(|| vec![0; self.active.len()]);
            let present = one[index].column.presence();
            for (word, (seen, present)) in seen.iter_mut().zip(present).enumerate() {
                let twice = *seen & present & self.active[word];
                *seen |= present;
                // Which of several twins comes first depends on the order of the series at the tick.
                if failed[word] & twice != 0 {
                    self.must_part_ticks.set(true);
                }
                failed[word] |= twice;
                for bit in (0..64).filter(|bit| twice >> bit & 1 == 1) {
                    let tick = word * 64 + bit;
                    self.frame
                        .fail(tick, || self.twins(group, one, index, tick));
                }
            }
        }
    }

    /// What Prometheus says of a series that is the second of its match group at a tick.
    fn twins(&self, group: &MatchGroup, one: &[ColumnSeries], index: usize, tick: usize) -> String {
        let mut members = group.one.iter().map(|&member| &one[member]);
        let first = members.find(|member| member.column.is_present(tick));
        let first = first.map_or_else(String::new, |member| member.labels.as_set());
        let mut names = [one[index].labels.as_set(), first];
        names.sort();
        let side = if self.is_swapped { "left" } else { "right" };
        format!(
            "found duplicate series for the match group {} on the {side} hand-side of the operation: [{}, {}];many-to-many matching not allowed: matching labels must be unique on one side",
            group.signature.as_set(),
            names[0],
            names[1]
        )
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
        let matching = self.link.matching();
        let named = |name: &str| matching.labels.iter().any(|label| label == name);
        let drops = self.elementwise.changes_value() || (self.link.return_bool && !self.delayed);
        let kept = many.filtered(|name| {
            let matched_away = matching.group.is_none() && named(name) != matching.on;
            !(matched_away || (drops && is_metadata(name)))
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

/// Ticks at which both vectors hold a sample, or where something fills in, one of them.
fn active(many: &[ColumnSeries], one: &[ColumnSeries], link: &Link, count: usize) -> Vec<u64> {
    let any = |series: &[ColumnSeries]| {
        let mut words = vec![0u64; count.div_ceil(64)];
        for series in series {
            for (word, present) in words.iter_mut().zip(series.column.presence()) {
                *word |= present;
            }
        }
        words
    };
    let has_fill = link.matching().fill_left.is_some() || link.matching().fill_right.is_some();
    let pairs = any(many).into_iter().zip(any(one));
    pairs
        .map(|(many, one)| if has_fill { many | one } else { many & one })
        .collect()
}

/// The bits that two sets share.
fn masked(a: &[u64], b: &[u64]) -> Vec<u64> {
    a.iter().zip(b).map(|(a, b)| a & b).collect()
}

/// The match groups, and to which each series of the first vector belongs.
struct Groups {
    list: Vec<MatchGroup>,
    places: Vec<usize>,
}

impl Groups {
    fn new(many: &[ColumnSeries], one: &[ColumnSeries], matching: &Matching) -> Groups {
        let mut by_signature: HashMap<Labels, usize> = HashMap::new();
        let mut list: Vec<MatchGroup> = Vec::new();
        let mut place_of = |labels: &Labels, list: &mut Vec<MatchGroup>| {
            let signature = signature(labels, matching);
            *by_signature.entry(signature.clone()).or_insert_with(|| {
                list.push(MatchGroup {
                    signature,
                    one: Vec::new(),
                });
                list.len() - 1
            })
        };
        let places = many
            .iter()
            .map(|series| place_of(&series.labels, &mut list));
        let places = places.collect();
        for (index, series) in one.iter().enumerate() {
            let place = place_of(&series.labels, &mut list);
            list[place].one.push(index);
        }
        Groups { list, places }
    }
}

/// The labels by which a series is matched.
pub fn signature(labels: &Labels, matching: &Matching) -> Labels {
    let named = |name: &str| matching.labels.iter().any(|label| label == name);
    match matching.on {
        true => labels.filtered(named),
        false => labels.filtered(|name| name != METRIC_NAME && !named(name)),
    }
}

/// The column of one pair where they meet, and where the operator is defined for them.
fn combine(
    elementwise: Elementwise,
    left: &Column,
    right: &Column,
    mut met: Vec<u64>,
    notes: &mut TickNotes,
) -> (Column, Vec<u64>) {
    if !left.has_histograms() && !right.has_histograms() && !elementwise.is_trim() {
        let mut out = Column::from_parts(left.values().to_vec(), met.clone());
        elementwise.with_scalar(&mut out, right, false, notes);
        return (out, met);
    }
    let mut out = Column::absent(left.len());
    for tick in 0..left.len() {
        let bit = 1u64 << (tick % 64);
        let (Some(a), Some(b)) = (left.get(tick), right.get(tick)) else {
            continue;
        };
        if met[tick / 64] & bit == 0 {
            continue;
        }
        match elementwise.of_samples(a, b) {
            Ok(applied) => {
                match applied.outcome {
                    Some(Outcome::Float(value)) => out.set(tick, value),
                    Some(Outcome::Histogram(histogram)) => out.set_histogram(tick, histogram),
                    None => {}
                }
                if let Some(note) = applied.note {
                    notes.put(tick, note);
                }
            }
            Err(note) => {
                met[tick / 64] &= !bit;
                notes.put(tick, note);
            }
        }
    }
    (out, met)
}

/// At which ticks there is a series of each match group.
#[derive(Default)]
pub(super) struct Presence {
    words: HashMap<Labels, Vec<u64>>,
}

impl Presence {
    /// Adds the ticks of some series.
    pub(super) fn add(&mut self, series: &[ColumnSeries], matching: &Matching) {
        for series in series {
            let present = series.column.presence();
            let entry = self
                .words
                .entry(signature(&series.labels, matching))
                .or_insert_with(|| vec![0; present.len()]);
            entry
                .iter_mut()
                .zip(present)
                .for_each(|(word, present)| *word |= present);
        }
    }

    /// Leaves of series what `keep` makes of their ticks and those of their groups.
    pub(super) fn retain(
        &self,
        series: &mut [ColumnSeries],
        matching: &Matching,
        keep: impl Fn(u64) -> u64,
    ) {
        for series in series {
            let seen = self.words.get(&signature(&series.labels, matching));
            let column = &mut series.column;
            column.retain(|word| keep(seen.map_or(0, |words| words[word])));
        }
    }
}

/// `and` and `unless`.
fn intersection(
    mut left: Vec<ColumnSeries>,
    right: &[ColumnSeries],
    link: &Link,
) -> Vec<ColumnSeries> {
    let mut other = Presence::default();
    other.add(right, link.matching());
    other.retain(&mut left, link.matching(), |seen| match link.op {
        BinaryOp::And => seen,
        _ => !seen,
    });
    left
}
