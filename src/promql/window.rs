//! The windows that a range function sees: for one series, a stretch of samples for every tick.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::model::{Histogram, Labels, Millis, Timestamp};
use crate::store::Points;
use crate::text::Span;

use super::annotation::{Annotations, Note, Remarks, Site};
use super::ast::{Expr, ExprKind, Extension};
use super::column::{Column, Ticks};

/// One series with a window of its samples for every tick.
#[derive(Debug, Clone, Copy)]
pub struct Windows<'a> {
    /// The samples, without stale markers.
    pub points: &'a Points,
    /// For every tick the first index and the one past the last.
    pub bounds: &'a [(u32, u32)],
    /// The longest run of ticks whose windows slide in step with the samples, where there is one.
    pub steady: Option<&'a Steady>,
    /// When the counter of each sample started, 0 where that is not known; empty where nobody is to ask.
    pub starts: &'a [Timestamp],
    /// When the evaluations are.
    pub ticks: Ticks,
    /// Where windows end.
    pub ends: Ends,
    /// How long they are.
    pub range: Millis,
    /// Whether they hold samples beyond their bounds too.
    pub extension: Option<Extension>,
    /// The scalar arguments of the call, in order.
    pub params: &'a [Column],
    /// Where to note what there is to say of them.
    pub notes: Notes<'a>,
    /// Set where the query is to end: large windows are then passed over.
    pub stop: Option<&'a AtomicBool>,
}

/// Before a window of more samples than this somebody looks whether the query is to end.
const LARGE: usize = 1000;

/// Ticks whose windows hold equally many samples at equal distances, each the same number of samples after the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steady {
    /// The ticks.
    pub ticks: Range<usize>,
    /// Index of the first sample of the first window.
    pub first: usize,
    /// How many samples on the next window begins.
    pub stride: usize,
    /// How many samples a window holds; at least 2.
    pub count: usize,
}

impl Steady {
    /// The longest such run among the windows of samples whose distance is so many times in that of the ticks.
    pub(crate) fn longest(bounds: &[(u32, u32)], stride: u32) -> Option<Steady> {
        let goes_on = |a: (u32, u32), b: (u32, u32)| {
            a.0.checked_add(stride) == Some(b.0) && a.1.checked_add(stride) == Some(b.1)
        };
        let mut longest = 0..0;
        let mut start = 0;
        for tick in 1..=bounds.len() {
            let ends = bounds
                .get(tick)
                .is_none_or(|&next| !goes_on(bounds[tick - 1], next));
            if ends {
                if tick - start > longest.len() {
                    longest = start..tick;
                }
                start = tick;
            }
        }
        let &(first, past) = bounds.get(longest.start)?;
        (past > first + 1).then_some(Steady {
            ticks: longest,
            first: first as usize,
            stride: stride as usize,
            count: (past - first) as usize,
        })
    }
}

/// Takes what a range function has to say of one series.
#[derive(Debug, Clone, Copy)]
pub struct Notes<'a> {
    annotations: &'a RefCell<Annotations>,
    /// The call.
    node: Span,
    /// Its first argument, and where Prometheus says that it begins.
    argument: (Span, usize),
    labels: &'a Labels,
}

/// Where the windows of a selector end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// So much before each tick.
    Before(Millis),
    /// At one moment, whatever the tick.
    At(Timestamp),
}

/// Which kinds of samples a window holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// Floats only.
    Floats,
    /// Native histograms only.
    Histograms,
    /// Both.
    Mixed,
}

/// One window.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// All samples of the series.
    pub points: &'a Points,
    /// Index of the first sample of the window.
    pub first: usize,
    /// Index past the last.
    pub past: usize,
    /// Which tick it belongs to.
    pub tick: usize,
}

impl Ends {
    /// The end of the window of an evaluation time.
    pub fn of(self, time: Timestamp) -> Timestamp {
        match self {
            Ends::Before(offset) => time.saturating_sub(offset),
            Ends::At(time) => time,
        }
    }
}

impl<'a> Notes<'a> {
    /// For a call with its first argument, and a series of a range vector.
    pub fn new(
        annotations: &'a RefCell<Annotations>,
        node: Span,
        argument: &Expr,
        labels: &'a Labels,
    ) -> Notes<'a> {
        let argument = argument.unwrap_parens();
        // Prometheus evaluates a subquery into a selector that has no place in the query.
        let position = match argument.kind {
            ExprKind::Subquery(_) => 0,
            _ => argument.span.start,
        };
        Notes {
            annotations,
            node,
            argument: (argument.span, position),
            labels,
        }
    }

    /// Notes something of the argument.
    pub fn add(&self, note: Note<'_>) {
        self.annotations.borrow_mut().add(&self.site(), note);
    }

    /// Notes all remarks on the argument.
    pub(crate) fn add_all(&self, remarks: &Remarks) {
        remarks.iter().for_each(|note| self.add(note));
    }

    /// Notes windows in which a sample's counter started before the sample before it was taken.
    pub(crate) fn add_overlaps(&self, windows: u64) {
        if windows > 0 {
            let site = self.site();
            self.annotations.borrow_mut().add_overlaps(&site, windows);
        }
    }

    fn site(&self) -> Site<'a> {
        let (span, position) = self.argument;
        Site {
            position,
            ..Site::new(self.node, span, self.labels.metric())
        }
    }
}

impl<'a> Windows<'a> {
    /// Where the window of a tick ends, itself included.
    pub fn end(&self, tick: usize) -> Timestamp {
        self.ends.of(self.ticks.time(tick))
    }

    /// The windows that hold a sample at all.
    pub fn iter(&self) -> impl Iterator<Item = Window<'a>> {
        let windows = *self;
        (0..self.bounds.len()).filter_map(move |tick| windows.at(tick))
    }

    /// Whether the query is to end before somebody looks at so many samples.
    pub(crate) fn should_stop(&self, samples: usize) -> bool {
        samples > LARGE && self.stop.is_some_and(|stop| stop.load(Relaxed))
    }

    /// The window of a tick, if it holds a sample at all.
    fn at(&self, tick: usize) -> Option<Window<'a>> {
        let &(first, past) = self.bounds.get(tick)?;
        if self.should_stop((past - first) as usize) {
            return None;
        }
        (first < past).then_some(Window {
            points: self.points,
            first: first as usize,
            past: past as usize,
            tick,
        })
    }

    /// The windows of floats alone, and all of them where there are no histograms.
    pub fn of_floats(&self) -> impl Iterator<Item = Window<'a>> {
        self.iter()
            .filter(|window| window.contents() == Contents::Floats)
    }

    /// Fills a column window by window, with floats where a window holds floats alone and with histograms where it holds
    /// histograms alone; of a mix there is no result.
    pub(crate) fn fill_by_contents(
        &self,
        out: &mut Column,
        of_floats: impl Fn(&Window<'a>) -> Option<f64>,
        of_histograms: impl Fn(&Window<'a>, &mut Remarks) -> Option<Histogram>,
    ) {
        let mut remarks = Remarks::default();
        for window in self.iter() {
            match window.contents() {
                Contents::Floats => {
                    if let Some(value) = of_floats(&window) {
                        out.set(window.tick, value);
                    }
                }
                Contents::Histograms => {
                    if let Some(histogram) = of_histograms(&window, &mut remarks) {
                        out.set_histogram(window.tick, Arc::new(histogram));
                    }
                }
                Contents::Mixed => remarks.add(Note::MixedSamples),
            }
        }
        self.notes.add_all(&remarks);
    }

    /// The scalar argument at a tick.
    pub fn param(&self, index: usize, tick: usize) -> f64 {
        self.params
            .get(index)
            .map_or(f64::NAN, |column| column.values()[tick])
    }

    /// Fills a column window by window.
    pub fn fill(&self, out: &mut Column, body: impl Fn(&Window<'a>) -> Option<f64>) {
        for window in self.iter() {
            if let Some(value) = body(&window) {
                out.set(window.tick, value);
            }
        }
    }
}

impl<'a> Window<'a> {
    /// The values of the window.
    pub fn values(&self) -> &'a [f64] {
        &self.points.values()[self.first..self.past]
    }

    /// Which kinds of samples it holds.
    pub fn contents(&self) -> Contents {
        if !self.points.has_histograms() {
            return Contents::Floats;
        }
        let histograms = (self.first..self.past)
            .filter(|&index| self.points.histogram(index).is_some())
            .count();
        match histograms {
            0 => Contents::Floats,
            all if all == self.count() => Contents::Histograms,
            _ => Contents::Mixed,
        }
    }

    /// Its histograms, in order.
    pub fn histograms(&self) -> impl Iterator<Item = &'a Arc<Histogram>> + Clone + 'a {
        let points = self.points;
        (self.first..self.past).filter_map(move |index| points.histogram(index))
    }

    /// How many samples it holds; at least 1.
    pub fn count(&self) -> usize {
        self.past - self.first
    }

    /// The stamp of its first sample.
    pub fn first_time(&self) -> Timestamp {
        self.points.time(self.first)
    }

    /// The stamp of its last sample.
    pub fn last_time(&self) -> Timestamp {
        self.points.time(self.past - 1)
    }

    /// Stamps and values.
    pub fn samples(&self) -> impl Iterator<Item = (Timestamp, f64)> + 'a {
        let points = self.points;
        (self.first..self.past).map(move |index| (points.time(index), points.values()[index]))
    }
}
