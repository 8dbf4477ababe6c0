//! Buckets of one sign: how they are added, merged and tidied.

use super::BucketSpan;
use super::bounds::target_index;
use super::buckets::forward;
use crate::model::number::kahan_add;

/// Buckets of one sign.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) spans: Vec<BucketSpan>,
    pub(super) counts: Vec<f64>,
    /// What rounding lost of each count; `None` where the sum is not compensated.
    pub(super) errors: Option<Vec<f64>>,
}

/// Buckets to add to a [`Row`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Addend<'a> {
    pub(super) spans: &'a [BucketSpan],
    pub(super) counts: &'a [f64],
    /// What rounding lost of each count; empty for nothing.
    pub(super) errors: &'a [f64],
    /// 1 to add, -1 to subtract.
    pub(super) sign: f64,
}

/// A bucket of a [`Row`], laid out.
#[derive(Debug, Clone, Copy)]
struct Place {
    index: i32,
    count: f64,
    error: f64,
    /// Whether a span begins here: neighbouring spans may touch.
    starts_span: bool,
}

impl Row {
    /// The row as something to add to another.
    pub(super) fn addend(&self, sign: f64) -> Addend<'_> {
        Addend {
            spans: &self.spans,
            counts: &self.counts,
            errors: self.errors.as_deref().unwrap_or_default(),
            sign,
        }
    }

    /// Adds other buckets, except those at their start that `skip` names. Buckets that are missing here
    /// are put in; a span grows into a gap only where the new bucket touches it.
    pub(super) fn add(&mut self, other: Addend, skip: impl Fn(i32) -> bool) {
        let skipped = forward(other.spans, other.counts)
            .take_while(|bucket| skip(bucket.index))
            .count();
        if self.spans == other.spans && self.counts.len() == other.counts.len() {
            return self.add_same_layout(other, skipped);
        }
        let mine = self.places();
        let theirs = other.places();
        let kahan = self.errors.is_some();
        let merged = merge(&mine, theirs.get(skipped..).unwrap_or_default(), kahan);
        self.write(&merged);
    }

    fn add_same_layout(&mut self, other: Addend, skipped: usize) {
        let theirs = other.counts.iter().skip(skipped);
        let Some(errors) = &mut self.errors else {
            for (into, count) in self.counts.iter_mut().skip(skipped).zip(theirs) {
                *into += other.sign * count;
            }
            return;
        };
        let mine = self.counts.iter_mut().zip(errors).skip(skipped);
        for (position, ((into, lost), count)) in mine.zip(theirs).enumerate() {
            let error = other.error(skipped + position);
            accumulate_compensated(into, lost, other.sign * count, error);
        }
    }

    /// The same observations in the buckets of a coarser schema.
    pub(super) fn reduce(&mut self, origin: i32, target: i32) {
        let kahan = self.errors.is_some();
        let mut coarser: Vec<Place> = Vec::new();
        for place in self.places() {
            let index = target_index(place.index, origin, target);
            match coarser.last_mut() {
                Some(last) if last.index == index && kahan => {
                    (last.count, last.error) = kahan_add(place.count, last.count, last.error);
                    (last.count, last.error) = kahan_add(place.error, last.count, last.error);
                }
                Some(last) if last.index == index => last.count += place.count,
                last => {
                    let starts_span = last.is_none_or(|last| last.index.wrapping_add(1) != index);
                    coarser.push(Place {
                        index,
                        starts_span,
                        ..place
                    });
                }
            }
        }
        self.write(&coarser);
    }

    /// Empties the first buckets.
    pub(super) fn clear_first(&mut self, buckets: usize) {
        let errors = self.errors.iter_mut().flatten();
        self.counts
            .iter_mut()
            .take(buckets)
            .for_each(|count| *count = 0.0);
        errors.take(buckets).for_each(|error| *error = 0.0);
    }

    /// Drops empty buckets, except between others where at most `max_empty` follow each other; gaps that
    /// short are filled.
    pub(super) fn compact(&mut self, max_empty: usize) {
        let mut kept: Vec<Place> = Vec::with_capacity(self.counts.len());
        let mut empty: Vec<Place> = Vec::new();
        for place in self.places() {
            if place.count == 0.0 && place.error == 0.0 {
                empty.push(place);
                continue;
            }
            let gap = kept
                .last()
                .map(|last| gap_between(last.index, place.index))
                .filter(|&gap| gap <= max_empty && gap <= MAX_FILL);
            if let Some(gap) = gap {
                fill(&mut kept, &empty, gap);
            }
            let starts_span = gap.is_none();
            empty.clear();
            kept.push(Place {
                starts_span,
                ..place
            });
        }
        self.write(&kept);
    }

    fn places(&self) -> Vec<Place> {
        self.addend(1.0).places()
    }

    fn write(&mut self, places: &[Place]) {
        self.counts.clear();
        self.counts.extend(places.iter().map(|place| place.count));
        if let Some(errors) = &mut self.errors {
            errors.clear();
            errors.extend(places.iter().map(|place| place.error));
        }
        self.spans.clear();
        let mut end = 0i32;
        for place in places {
            match self.spans.last_mut() {
                Some(span) if !place.starts_span && end == place.index => {
                    span.length = span.length.saturating_add(1);
                }
                _ => self.spans.push(BucketSpan {
                    offset: place.index.wrapping_sub(end),
                    length: 1,
                }),
            }
            end = place.index.wrapping_add(1);
        }
    }
}

impl Addend<'_> {
    fn error(&self, position: usize) -> f64 {
        self.sign * self.errors.get(position).copied().unwrap_or(0.0)
    }

    fn places(&self) -> Vec<Place> {
        let mut starts = span_starts(self.spans).peekable();
        let buckets = forward(self.spans, self.counts).enumerate();
        let laid_out = buckets.map(|(position, bucket)| Place {
            index: bucket.index,
            count: self.sign * bucket.count,
            error: self.error(position),
            starts_span: starts.next_if_eq(&position).is_some(),
        });
        laid_out.collect()
    }
}

/// No histogram fills a longer gap than this: it would only hold memory.
const MAX_FILL: usize = 1 << 20;

/// At which positions of the counts spans begin; spans of no length begin nowhere.
fn span_starts(spans: &[BucketSpan]) -> impl Iterator<Item = usize> {
    let mut position = 0usize;
    spans
        .iter()
        .filter(|span| span.length > 0)
        .map(move |span| {
            let start = position;
            position = position.saturating_add(span.length as usize);
            start
        })
}

/// Mine with theirs in them.
fn merge(mine: &[Place], theirs: &[Place], kahan: bool) -> Vec<Place> {
    let mut out: Vec<Place> = Vec::with_capacity(mine.len().max(theirs.len()));
    let mut mine = mine.iter().copied().peekable();
    for &place in theirs {
        while let Some(before) = mine.next_if(|next| next.index < place.index) {
            out.push(before);
        }
        if let Some(mut both) = mine.next_if(|next| next.index == place.index) {
            if kahan {
                let (count, error) = (place.count, place.error);
                accumulate_compensated(&mut both.count, &mut both.error, count, error);
            } else {
                both.count += place.count;
            }
            out.push(both);
            continue;
        }
        let touches_previous = out
            .last()
            .is_some_and(|last| last.index.wrapping_add(1) == place.index);
        if !touches_previous && let Some(next) = mine.peek_mut() {
            next.starts_span &= place.index.wrapping_add(1) != next.index;
        }
        out.push(Place {
            starts_span: !touches_previous,
            ..place
        });
    }
    out.extend(mine);
    out
}

/// Adds a count, and then what an earlier sum lost of it.
fn accumulate_compensated(into: &mut f64, lost: &mut f64, count: f64, error: f64) {
    (*into, *lost) = kahan_add(count, *into, *lost);
    if error != 0.0 {
        (*into, *lost) = kahan_add(error, *into, *lost);
    }
}

/// How many buckets lie between two.
fn gap_between(last: i32, next: i32) -> usize {
    let gap = i64::from(next) - i64::from(last) - 1;
    usize::try_from(gap).unwrap_or(usize::MAX)
}

/// Pushes `gap` empty buckets in the span of the last: those there are if they fill the gap, and may have
/// a zero with a minus, else new ones.
fn fill(kept: &mut Vec<Place>, empty: &[Place], gap: usize) {
    let Some(mut place) = kept.last().copied() else {
        return;
    };
    for position in 0..gap {
        place.index = place.index.wrapping_add(1);
        let present = empty.get(position).filter(|_| empty.len() == gap);
        place.count = present.map_or(0.0, |present| present.count);
        place.error = 0.0;
        place.starts_span = false;
        kept.push(place);
    }
}

/// Whether two lists of spans name the same buckets in the same runs; spans of no length only shift.
pub(super) fn spans_match(a: &[BucketSpan], b: &[BucketSpan]) -> bool {
    filled_spans(a).eq(filled_spans(b))
}

/// Spans without those of no length.
fn filled_spans(spans: &[BucketSpan]) -> impl Iterator<Item = (i32, u32)> {
    let mut offset = 0i32;
    spans.iter().filter_map(move |span| {
        offset = offset.wrapping_add(span.offset);
        let filled = (span.length > 0).then_some((offset, span.length));
        if filled.is_some() {
            offset = 0;
        }
        filled
    })
}
