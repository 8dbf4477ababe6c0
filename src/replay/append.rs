//! Writing what rules yield into the store: the first writer of a series and stamp wins.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::model::{Chunk, Histogram, HistogramError, Labels, METRIC_NAME, Matcher, Timestamp};
use crate::promql::Sample;
use crate::store::{Points, Series, SeriesId, Store, Writer, is_stale, stale_marker};

/// A series that one rule wrote, as if nobody else wrote it: stale markers where it ended.
#[derive(Debug, Clone)]
pub(super) struct Written {
    /// What it is called.
    pub labels: Labels,
    /// Its samples.
    pub points: Points,
}

/// What one rule wrote.
#[derive(Debug, Clone)]
pub(super) struct RuleOutput {
    /// Who wrote.
    pub writer: Writer,
    /// Its series, each label set once.
    pub series: Vec<Written>,
}

/// A sample that was refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    /// Whose sample it was.
    pub writer: Writer,
    /// The moment of the evaluation that wrote it.
    pub moment: Timestamp,
    /// Why.
    pub reason: Conflict,
}

/// Why a sample can't be appended.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum Conflict {
    /// Another value is there at this stamp.
    #[error("duplicate sample for timestamp")]
    Duplicate,
    /// A later sample is there.
    #[error("out of order sample")]
    OutOfOrder,
    /// It is a histogram that the storage does not take.
    #[error(transparent)]
    Invalid(HistogramError),
}

/// The end of a label set, whoever wrote it.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    last: Option<(Timestamp, Held)>,
    /// What the storage knows of the histograms so far.
    chunk: Chunk,
    /// Inputs of the label set, with the number of samples that were taken from each.
    inputs: Vec<(SeriesId, usize)>,
}

/// A value as duplicates are told: by its bits.
#[derive(Debug, Clone)]
enum Held {
    Float(u64),
    Histogram(Arc<Histogram>),
}

/// What became of a sample that was offered to a [`Head`].
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Offer {
    /// It is the new end.
    Taken,
    /// It is the new end, and reads back like this.
    TakenAs(Arc<Histogram>),
    /// The same value is there already.
    Same,
    /// It was refused.
    Refused(Conflict),
}

impl Head {
    /// A label set with the inputs it has.
    pub(super) fn new(inputs: &[SeriesId]) -> Head {
        Head {
            last: None,
            chunk: Chunk::default(),
            inputs: inputs.iter().map(|&id| (id, 0)).collect(),
        }
    }

    /// Takes the inputs up to a moment: they come before any rule's samples of that moment.
    pub(super) fn take_inputs(&mut self, store: &Store, moment: Timestamp) {
        for (id, taken) in &mut self.inputs {
            let points = &store.get(*id).points;
            let there = points.count_until(moment);
            if there > *taken {
                if points.has_histograms() {
                    (*taken..there).for_each(|index| {
                        let sample = sample_at(points, index);
                        store_in(&mut self.chunk, points.time(index), sample);
                    });
                }
                *taken = there;
                let time = points.time(there - 1);
                if self.last.as_ref().is_none_or(|(last, _)| *last < time) {
                    self.last = Some((time, Held::of(sample_at(points, there - 1))));
                }
            }
        }
    }

    /// Offers a sample.
    pub(super) fn offer(&mut self, stamp: Timestamp, sample: Sample<'_>) -> Offer {
        if let Sample::Histogram(histogram) = sample
            && let Err(error) = histogram.validate()
        {
            return Offer::Refused(Conflict::Invalid(error));
        }
        let held = Held::of(sample);
        match &self.last {
            Some((last, _)) if stamp < *last => Offer::Refused(Conflict::OutOfOrder),
            Some((last, present)) if stamp == *last => match present.same(&held) {
                true => Offer::Same,
                false => Offer::Refused(Conflict::Duplicate),
            },
            _ => {
                self.last = Some((stamp, held));
                match store_in(&mut self.chunk, stamp, sample) {
                    Some(stored) => Offer::TakenAs(stored),
                    None => Offer::Taken,
                }
            }
        }
    }
}

impl Held {
    fn same(&self, other: &Held) -> bool {
        match (self, other) {
            (Held::Float(a), Held::Float(b)) => a == b,
            (Held::Histogram(a), Held::Histogram(b)) => a.equals(b),
            _ => false,
        }
    }

    fn of(sample: Sample<'_>) -> Held {
        match sample {
            Sample::Float(value) => Held::Float(value.to_bits()),
            Sample::Histogram(histogram) => Held::Histogram(Arc::clone(histogram)),
        }
    }
}

/// Tells the storage of a sample; returns a histogram as readers see it.
fn store_in(chunk: &mut Chunk, stamp: Timestamp, sample: Sample<'_>) -> Option<Arc<Histogram>> {
    match sample {
        Sample::Histogram(histogram) => return Some(chunk.append(stamp, histogram)),
        Sample::Float(value) if is_stale(value) => chunk.mark_stale(),
        Sample::Float(_) => chunk.append_float(),
    }
    None
}

/// A sample of a series.
pub(super) fn sample_at(points: &Points, index: usize) -> Sample<'_> {
    match points.histogram(index) {
        Some(histogram) => Sample::Histogram(histogram),
        None => Sample::Float(points.values()[index]),
    }
}

/// Appends a sample to a series.
pub(super) fn push(points: &mut Points, stamp: Timestamp, sample: Sample<'_>) {
    match sample {
        Sample::Float(value) => points.push(stamp, value),
        Sample::Histogram(histogram) => points.push_histogram(stamp, Arc::clone(histogram)),
    }
}

/// The inputs that rules may write to, by label set.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    by_labels: HashMap<Labels, Vec<SeriesId>>,
}

impl Inputs {
    /// The inputs of a store under any of these metric names.
    pub(super) fn under<'a>(store: &Store, names: impl IntoIterator<Item = &'a str>) -> Inputs {
        let mut inputs = Inputs::default();
        for name in names {
            let named = store.select(&[Matcher::equal(METRIC_NAME, name)]);
            // What rules wrote is there only where others are evaluated again, and clashes with none of these.
            let is_input = |id: &SeriesId| store.get(*id).writer == Writer::INPUT;
            for id in named.into_iter().filter(is_input) {
                let of_labels = inputs
                    .by_labels
                    .entry(store.get(id).labels.clone())
                    .or_default();
                if !of_labels.contains(&id) {
                    of_labels.push(id);
                }
            }
        }
        inputs
    }

    /// The inputs of a label set.
    pub(super) fn of(&self, labels: &Labels) -> &[SeriesId] {
        self.by_labels.get(labels).map_or(&[], Vec::as_slice)
    }
}

/// Adds what rules wrote over all their ticks to a store, and returns the samples that lost against others.
pub(super) fn append(store: &mut Store, inputs: &Inputs, outputs: Vec<RuleOutput>) -> Vec<Refusal> {
    let mut written: Vec<(Writer, Written)> = outputs
        .into_iter()
        .flat_map(|output| {
            output
                .series
                .into_iter()
                .map(move |series| (output.writer, series))
        })
        .collect();
    // By labels, which is also the order of series that come to be at once. Stable: writers of one label set
    // stay in the order of evaluation.
    written.sort_by(|(_, a), (_, b)| a.labels.cmp(&b.labels));
    let mut refusals = Vec::new();
    let mut rest = written.into_iter().peekable();
    while let Some((writer, Written { labels, points })) = rest.next() {
        let mut writers = vec![(writer, points)];
        while let Some((writer, other)) = rest.next_if(|(_, other)| other.labels == labels) {
            writers.push((writer, other.points));
        }
        let inputs = inputs.of(&labels);
        let has_histograms = |(_, points): &(Writer, Points)| points.has_histograms();
        if writers.len() > 1 || !inputs.is_empty() || writers.iter().any(has_histograms) {
            writers = settle(store, Head::new(inputs), &writers, &mut refusals);
        }
        for (writer, points) in writers.into_iter().filter(|(_, points)| !points.is_empty()) {
            store.add(Series {
                labels: labels.clone(),
                points,
                writer,
            });
        }
    }
    refusals
}

/// Lets the writers of one label set append in the order of their evaluations.
fn settle(
    store: &Store,
    mut head: Head,
    writers: &[(Writer, Points)],
    refusals: &mut Vec<Refusal>,
) -> Vec<(Writer, Points)> {
    let mut offers = Vec::new();
    for (which, (writer, points)) in writers.iter().enumerate() {
        let moments = (0..points.len()).map(|index| points.time(index) + writer.offset);
        offers.extend(
            moments
                .enumerate()
                .map(|(index, moment)| (moment, writer.position, which, index)),
        );
    }
    offers.sort_unstable();
    let mut settled: Vec<(Writer, Points)> = writers
        .iter()
        .map(|&(writer, _)| (writer, Points::default()))
        .collect();
    // Whether the writer's last evaluation left a sample that a stale marker would have to end.
    let mut returned = vec![false; writers.len()];
    for (moment, _, which, index) in offers {
        let (writer, points) = &writers[which];
        let sample = sample_at(points, index);
        let ends = matches!(sample, Sample::Float(value) if is_stale(value));
        if ends && !returned[which] {
            continue;
        }
        head.take_inputs(store, moment);
        let stamp = points.time(index);
        let offer = head.offer(stamp, sample);
        let was_there = std::mem::replace(&mut returned[which], !ends);
        match offer {
            Offer::Taken => push(&mut settled[which].1, stamp, sample),
            Offer::TakenAs(stored) => settled[which].1.push_histogram(stamp, stored),
            Offer::Same => {}
            Offer::Refused(reason) => {
                returned[which] = false;
                // What is refused ends the series as nothing would; where another sample holds the stamp that is refused too.
                let marker = Sample::Float(stale_marker());
                if !ends && was_there && head.offer(stamp, marker) == Offer::Taken {
                    push(&mut settled[which].1, stamp, marker);
                }
                if !ends {
                    let writer = *writer;
                    refusals.push(Refusal {
                        writer,
                        moment,
                        reason,
                    });
                }
            }
        }
    }
    settled
}

#[cfg(test)]
mod tests {
    use super::super::bits::Bits;
    use super::super::runs::column_points;
    use super::*;
    use crate::promql::{Column, Ticks};

    /// A series `x` written every 10 milliseconds from 0: a digit is a sample, `.` nothing.
    fn output(position: u32, offset: i64, text: &str) -> RuleOutput {
        let mut column = Column::absent(text.len());
        for (tick, letter) in text.chars().enumerate() {
            if let Some(digit) = letter.to_digit(10) {
                column.set(tick, f64::from(digit));
            }
        }
        let stamps = Ticks {
            start: -offset,
            step: 10,
            count: text.len(),
        };
        let labels = Labels::from_pairs([(METRIC_NAME, "x")]);
        let points = column_points(stamps, column, &Bits::new(text.len()));
        RuleOutput {
            writer: Writer { position, offset },
            series: vec![Written { labels, points }],
        }
    }

    /// Stamps and values of each series, `s` for stale markers, then the refusals.
    fn appended(inputs: &[(i64, f64)], outputs: Vec<RuleOutput>) -> (Vec<String>, Vec<String>) {
        let mut store = Store::default();
        if !inputs.is_empty() {
            let mut points = Points::default();
            inputs
                .iter()
                .for_each(|&(stamp, value)| points.push(stamp, value));
            store.add(Series {
                labels: Labels::from_pairs([(METRIC_NAME, "x")]),
                points,
                writer: Writer::INPUT,
            });
        }
        let found = Inputs::under(&store, ["x"]);
        let refusals = append(&mut store, &found, outputs);
        let series = store.iter().map(|series| {
            let points = &series.points;
            let samples = (0..points.len()).map(|index| match points.values()[index] {
                value if is_stale(value) => format!("{}:s", points.time(index)),
                value => format!("{}:{value}", points.time(index)),
            });
            samples.collect::<Vec<_>>().join(" ")
        });
        let refusals = refusals.iter().map(|refusal| {
            let Refusal {
                writer,
                moment,
                reason,
            } = refusal;
            format!("rule {} at {moment}: {reason}", writer.position)
        });
        (series.collect(), refusals.collect())
    }

    #[test]
    fn the_first_writer_of_a_stamp_wins() {
        // The first stops where the second starts: its stale marker is there first.
        let (series, refusals) = appended(&[], vec![output(1, 0, "11.."), output(2, 0, "..22")]);
        assert_eq!(series, ["0:1 10:1 20:s", "30:2"]);
        assert_eq!(refusals, ["rule 2 at 20: duplicate sample for timestamp"]);
        // The other way round the late stale marker is ignored.
        let (series, refusals) = appended(&[], vec![output(1, 0, "..22"), output(2, 0, "11..")]);
        assert_eq!(series, ["20:2 30:2", "0:1 10:1"]);
        assert!(refusals.is_empty());
    }

    #[test]
    fn equal_values_pass_and_a_refused_series_does_not_end() {
        let (series, refusals) = appended(&[], vec![output(1, 0, "111."), output(2, 0, "112.")]);
        assert_eq!(series, ["0:1 10:1 20:1 30:s"]);
        assert_eq!(refusals, ["rule 2 at 20: duplicate sample for timestamp"]);
    }

    #[test]
    fn inputs_come_first() {
        let (series, refusals) = appended(&[(15, 5.0), (20, 6.0)], vec![output(1, 0, "111")]);
        assert_eq!(series, ["15:5 20:6", "0:1 10:1"]);
        assert_eq!(refusals, ["rule 1 at 20: duplicate sample for timestamp"]);
        let (_, refusals) = appended(&[(15, 5.0)], vec![output(1, 10, "111")]);
        assert_eq!(refusals, ["rule 1 at 20: out of order sample"]);
    }
}
