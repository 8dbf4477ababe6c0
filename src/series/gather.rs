//! Collects what an importer reads: samples of series in any order, and faults with their places.

use std::sync::Arc;

use hashbrown::HashMap;

use super::stored::as_stored;
use crate::model::number::format_value;
use crate::model::{Histogram, Labels, Timestamp};
use crate::store::Points;
use crate::text::{Diagnostic, Source, Span};

/// More faults than this are only counted.
const MAX_FAULTS: usize = 20;

/// Lets `read` push all samples of a text: series come sorted by labels, their samples by time. Equal samples of one
/// series and time are one.
///
/// Nearly all files hold the samples of a series in the order of time; only of those that do not, which `read` is asked
/// to read twice, the places of samples are remembered.
///
/// # Errors
///
/// The faults that `read` found, and two values of a series at one time; of very many faults the first.
pub(super) fn gather<'s>(
    source: &'s Source,
    read: impl Fn(&mut Gather<'s>),
) -> Result<Vec<(Labels, Points)>, Vec<Diagnostic>> {
    let mut gather = Gather::new(source, false);
    read(&mut gather);
    if gather.is_disordered {
        // The first attempt is of no more use than its memory.
        drop(gather);
        gather = Gather::new(source, true);
        read(&mut gather);
    }
    gather.finish()
}

/// What has been read so far.
pub(super) struct Gather<'s> {
    source: &'s Source,
    by_labels: HashMap<Labels, usize>,
    series: Vec<(Labels, Samples)>,
    /// Whether samples are kept with their places, in any order.
    keeps_places: bool,
    /// Whether a sample did not come after the one before, while no places are kept.
    is_disordered: bool,
    faults: Vec<Diagnostic>,
    /// Faults beyond [`MAX_FAULTS`].
    surplus: usize,
}

/// A float or a native histogram.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Float(f64),
    Histogram(Arc<Histogram>),
}

/// The samples of one series.
enum Samples {
    Rising(Rising),
    Placed(Vec<Placed>),
}

/// Samples in the order of time. Their distance is known from the second on.
#[derive(Default)]
pub(super) struct Rising {
    first: Option<(Timestamp, Value)>,
    points: Points,
}

/// A sample and where it stands. Texts are shorter than 4 GiB.
struct Placed {
    time: Timestamp,
    value: Value,
    start: u32,
    end: u32,
}

impl<'s> Gather<'s> {
    fn new(source: &'s Source, keeps_places: bool) -> Gather<'s> {
        Gather {
            source,
            by_labels: HashMap::new(),
            series: Vec::new(),
            keeps_places,
            is_disordered: false,
            faults: Vec::new(),
            surplus: 0,
        }
    }

    /// The text that is read.
    pub(super) fn source(&self) -> &'s Source {
        self.source
    }

    /// The place of a series, to push samples to.
    pub(super) fn series(&mut self, labels: Labels) -> usize {
        let keeps_places = self.keeps_places;
        let series = &mut self.series;
        *self.by_labels.entry(labels).or_insert_with_key(|labels| {
            let samples = match keeps_places {
                true => Samples::Placed(Vec::new()),
                false => Samples::Rising(Rising::default()),
            };
            series.push((labels.clone(), samples));
            series.len() - 1
        })
    }

    /// Takes a sample of a series, which stands at `span`.
    pub(super) fn push(&mut self, series: usize, time: Timestamp, value: Value, span: Span) {
        let Some((_, samples)) = self.series.get_mut(series) else {
            return;
        };
        match samples {
            Samples::Rising(rising) => self.is_disordered |= !rising.push(time, value),
            Samples::Placed(list) => list.push(Placed {
                time,
                value,
                start: u32::try_from(span.start).unwrap_or(u32::MAX),
                end: u32::try_from(span.end).unwrap_or(u32::MAX),
            }),
        }
    }

    /// Notes what is wrong, and what to do.
    pub(super) fn fault(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if self.faults.len() == MAX_FAULTS {
            self.surplus += 1;
            return;
        }
        let fault = Diagnostic::error(message).at(self.source, span).help(help);
        self.faults.push(fault);
    }

    fn finish(mut self) -> Result<Vec<(Labels, Points)>, Vec<Diagnostic>> {
        let mut series = std::mem::take(&mut self.series);
        series.sort_by(|(a, _), (b, _)| a.cmp(b));
        let series: Vec<(Labels, Points)> = series
            .into_iter()
            .map(|(labels, samples)| {
                let points = match samples {
                    Samples::Rising(rising) => rising.finish(),
                    Samples::Placed(list) => self.in_order(&labels, list),
                };
                (labels, as_stored(points))
            })
            .filter(|(_, points)| !points.is_empty())
            .collect();
        if self.faults.is_empty() {
            return Ok(series);
        }
        if self.surplus > 0 {
            let message = format!("{} more faults in {}", self.surplus, self.source.name());
            let help = "mend the first ones: the others may have the same cause";
            self.faults.push(Diagnostic::error(message).help(help));
        }
        Err(self.faults)
    }

    /// Samples sorted by time, each time once.
    fn in_order(&mut self, labels: &Labels, mut samples: Vec<Placed>) -> Points {
        samples.sort_by_key(|sample| sample.time);
        let mut rising = Rising::default();
        let mut kept: Option<Placed> = None;
        for sample in samples {
            match kept.as_ref().filter(|kept| kept.time == sample.time) {
                Some(kept) if kept.value.is(&sample.value) => {}
                Some(kept) => self.conflict(labels, kept, &sample),
                None => {
                    rising.push(sample.time, sample.value.clone());
                    kept = Some(sample);
                }
            }
        }
        rising.finish()
    }

    fn conflict(&mut self, labels: &Labels, first: &Placed, second: &Placed) {
        let line = self.source.line_column(first.start as usize).line;
        let message = match (&first.value, &second.value) {
            (Value::Float(first), Value::Float(second)) => format!(
                "{labels} has the value {} here and {} on line {line}, at the same time",
                format_value(*second),
                format_value(*first)
            ),
            _ => format!("{labels} has another sample on line {line}, at the same time"),
        };
        let span = Span::new(second.start as usize, second.end as usize);
        let help = "remove one of the two samples, or give it another time";
        self.fault(span, message, help);
    }
}

impl Value {
    /// A sample of a series.
    pub(super) fn of(points: &Points, index: usize) -> Value {
        match points.histogram(index) {
            Some(histogram) => Value::Histogram(Arc::clone(histogram)),
            None => Value::Float(points.values().get(index).copied().unwrap_or(f64::NAN)),
        }
    }

    /// Whether both are the same sample; all NaN are one.
    pub(super) fn is(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Float(a), Value::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Value::Histogram(a), Value::Histogram(b)) => a.equals(b),
            _ => false,
        }
    }
}

impl Rising {
    /// Takes a sample that comes after all before; says whether it did.
    pub(super) fn push(&mut self, time: Timestamp, value: Value) -> bool {
        let count = self.points.len();
        let last = match (&self.first, count) {
            (Some((first, _)), _) => Some(*first),
            (None, 0) => None,
            (None, count) => Some(self.points.time(count - 1)),
        };
        match last {
            None => self.first = Some((time, value)),
            Some(last) if last >= time => return false,
            Some(last) => {
                if let Some((_, first)) = self.first.take() {
                    self.points = Points::regular(last, time - last, Vec::new());
                    first.push_to(&mut self.points, last);
                }
                value.push_to(&mut self.points, time);
            }
        }
        true
    }

    pub(super) fn finish(mut self) -> Points {
        if let Some((time, only)) = self.first.take() {
            only.push_to(&mut self.points, time);
        }
        self.points
    }
}

impl Value {
    fn push_to(self, points: &mut Points, time: Timestamp) {
        match self {
            Value::Float(value) => points.push(time, value),
            Value::Histogram(histogram) => points.push_histogram(time, histogram),
        }
    }
}
