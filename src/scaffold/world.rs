//! Series that are planned, and what expressions make of them.

use super::numbers::rounded;
use super::rules::Background;
use super::timing::Timing;
use crate::model::{Labels, Millis, number};
use crate::promql::ast::Expr;
use crate::promql::{Query, Reader, Sample, Ticks, View, evaluate};
use crate::replay::{OnRuleError, ReplaySpec, replay};
use crate::store::{Points, Series, Store, Writer};

/// A series, by what it does.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    /// Its name and labels.
    pub labels: Labels,
    /// Its value at the end of the test; if nothing asks for one, it is 0 at its lowest.
    pub last: Option<f64>,
    /// By how much it grows a second; nothing if nothing asks for it.
    pub slope: Option<f64>,
    /// It goes from its value to another and back each so many samples.
    pub flips: Option<Flip>,
    /// How long it has samples; to the end if nothing is said.
    pub until: Option<Millis>,
}

/// How a series goes up and down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Flip {
    /// After how many samples it changes.
    pub every: usize,
    /// The two values.
    pub values: [f64; 2],
}

/// What the samples of a series must do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Track {
    /// Be this at the end, and all the time if nothing else is asked for.
    Value(f64),
    /// Grow so much a second.
    Slope(f64),
    /// Change at least so often in a window of so many milliseconds; the last says whether only falls count.
    Changes(f64, Millis, bool),
}

impl Planned {
    pub fn new(labels: Labels) -> Planned {
        Planned {
            labels,
            last: None,
            slope: None,
            flips: None,
            until: None,
        }
    }

    /// Adds a demand; `false` where it can't be had together with those before.
    pub fn add(&mut self, track: Track, timing: &Timing) -> bool {
        let same = |had: f64, wanted: f64| number::almost_equal(had, wanted, 1e-9);
        match (track, self.flips) {
            (Track::Value(value), None) => match self.last {
                Some(had) => same(had, value),
                None => {
                    self.last = Some(value);
                    true
                }
            },
            (Track::Slope(slope), None) => match self.slope {
                Some(had) => same(had, slope),
                None => {
                    self.slope = Some(slope);
                    true
                }
            },
            (Track::Changes(0.0, ..), None) => self.slope.is_none_or(|slope| slope == 0.0),
            (Track::Changes(count, window, falls), None) => {
                let samples = (window / timing.interval).max(1) as f64;
                if !falls && count * 2.0 >= samples && self.slope.is_none() {
                    // Every sample is another.
                    self.slope = Some(1e3 / timing.interval as f64);
                    return true;
                }
                let parts = if falls { 2.0 } else { 1.0 };
                let every = (samples - 1.0) / (count * parts);
                let high = self.last.unwrap_or(1.0);
                self.flips = Some(Flip {
                    every: (every.floor() as usize).max(1),
                    values: [high, if high == 0.0 { 1.0 } else { 0.0 }],
                });
                self.slope.is_none()
            }
            (Track::Changes(..), Some(_)) => true,
            (Track::Value(value), Some(flip)) => flip.values.contains(&value),
            (Track::Slope(_), Some(_)) => false,
        }
    }

    /// Leaves so many digits of numbers that have more than three; `false` where there are none. Long whole numbers are times.
    pub fn round(&mut self, digits: usize, timing: &Timing) -> bool {
        let is_long = |value: f64| value.fract() != 0.0 && rounded(value, 3) != value;
        let (_, step) = self.line(timing);
        let mut is_other = false;
        if is_long(step) {
            self.slope = Some(rounded(step, digits) * 1e3 / timing.interval as f64);
            is_other = true;
        }
        if let Some(last) = self.last.filter(|&last| is_long(last)) {
            self.last = Some(rounded(last, digits.max(2)));
            is_other = true;
        }
        is_other
    }

    /// The first value and the difference of two, for samples so many milliseconds apart.
    fn line(&self, timing: &Timing) -> (f64, f64) {
        let step = rounded(self.slope.unwrap_or(0.0) * timing.interval as f64 / 1e3, 4);
        let total = step * timing.steps() as f64;
        let first = match self.last {
            Some(last) => rounded(last - total, 12),
            None if total < 0.0 => rounded(-total, 12),
            None => 0.0,
        };
        (first, step)
    }

    /// How many samples follow its first.
    fn steps(&self, timing: &Timing) -> usize {
        let until = self.until.map(|until| until / timing.interval.max(1));
        let until = until.and_then(|it| usize::try_from(it).ok());
        until.map_or(timing.steps(), |until| until.min(timing.steps()))
    }

    /// Its samples.
    fn values(&self, timing: &Timing) -> Vec<f64> {
        let (first, step) = self.line(timing);
        let count = self.steps(timing) + 1;
        match self.flips {
            Some(flip) => (0..count)
                .map(|index| flip.values[index / flip.every % 2])
                .collect(),
            // As promtool adds up what the notation says.
            None => std::iter::successors(Some(first), |value| Some(value + step))
                .take(count)
                .collect(),
        }
    }

    /// Its samples in promtool's notation.
    pub fn notation(&self, timing: &Timing) -> String {
        let (first, step) = self.line(timing);
        let steps = self.steps(timing);
        if let Some(flip) = self.flips {
            let mut parts = Vec::new();
            let (mut left, mut at) = (steps + 1, 0);
            while left > 0 {
                let run = flip.every.min(left);
                let value = number::format_value(flip.values[at % 2]);
                parts.push(match run {
                    1 => value,
                    _ => format!("{value}x{}", run - 1),
                });
                (left, at) = (left - run, at + 1);
            }
            return parts.join(" ");
        }
        let first = number::format_value(first);
        match step {
            0.0 => format!("{first}x{steps}"),
            step if step < 0.0 => format!("{first}-{}x{steps}", number::format_value(-step)),
            step => format!("{first}+{}x{steps}", number::format_value(step)),
        }
    }
}

/// Series that were planned so far.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    /// In the order in which they came.
    pub series: Vec<Planned>,
}

/// A series that an expression yields at the end of the test.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub labels: Labels,
    pub value: f64,
}

impl World {
    /// Has a series do something; `false` where it does something else.
    pub fn put(&mut self, labels: &Labels, track: Track, timing: &Timing) -> bool {
        match self.series.iter_mut().find(|it| it.labels == *labels) {
            Some(planned) => planned.add(track, timing),
            None => {
                let mut planned = Planned::new(labels.clone());
                let fits = planned.add(track, timing);
                self.series.push(planned);
                fits
            }
        }
    }

    /// The series with their samples.
    pub fn store(&self, timing: &Timing) -> Store {
        let mut store = Store::default();
        for planned in &self.series {
            store.add(Series {
                labels: planned.labels.clone(),
                points: Points::regular(timing.start, timing.interval, planned.values(timing)),
                writer: Writer::INPUT,
            });
        }
        store
    }

    /// What an expression yields at the end of the test; nothing where it fails or yields histograms.
    pub fn look(&self, expr: &Expr, background: &Background<'_>, timing: &Timing) -> Vec<Seen> {
        let query = Query {
            text: String::new(),
            expr: expr.clone(),
        };
        let ticks = Ticks::instant(timing.end());
        let look = |store: &Store| {
            let view = View {
                features: background.features,
                ..View::new(store, Reader::After(timing.end()), timing.evaluation)
            };
            evaluate(&query, &view, ticks).into_columns()
        };
        let store = self.store(timing);
        let columns = match background.reads_records(expr) {
            false => look(&store),
            true => {
                let groups: Vec<_> = background.records().iter().collect();
                let (start, end) = (timing.start, timing.end());
                let mut spec = ReplaySpec::new(&groups, store, start, end, timing.evaluation);
                spec.on_error = OnRuleError::Continue;
                spec.features = background.features;
                match replay(spec) {
                    Ok(replayed) => look(&replayed.store),
                    Err(_) => None,
                }
            }
        };
        let columns = columns.filter(|columns| columns.errors.is_empty());
        let series = columns.into_iter().flat_map(|columns| columns.series);
        series
            .filter_map(|series| match series.column.get(0) {
                Some(Sample::Float(value)) => Some(Seen {
                    labels: series.labels,
                    value,
                }),
                _ => None,
            })
            .collect()
    }
}
