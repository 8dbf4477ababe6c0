//! What an evaluation may see of a store.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::{Millis, Timestamp};
use crate::promql::Features;
use crate::store::{Store, Writer};

/// A store as seen by one reader.
#[derive(Debug, Clone)]
pub struct View<'a> {
    /// Everything there is.
    pub store: &'a Store,
    /// Who reads.
    pub reader: Reader,
    /// How long an instant selector looks back.
    pub lookback: Millis,
    /// Step of a subquery that names none: the evaluation interval.
    pub default_step: Millis,
    /// What is switched on.
    pub features: Features,
    /// Somebody may set it while a query runs: the query then ends soon, and what it yields means nothing.
    pub stop: Option<&'a AtomicBool>,
    /// How many samples a query may hold at once.
    pub max_samples: usize,
}

/// Who reads, and so what is visible: a sample by writer `w` with stamp `s` came into being at
/// `(s + w.offset, w.position)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A rule at this position whose evaluation times lie `offset` before the moment: sees at each moment what
    /// came into being before `(moment, position)`.
    Rule {
        /// Place in the order of rules, from 1.
        position: u32,
        /// The group's `query_offset`.
        offset: Millis,
    },
    /// Somebody who asks afterwards: sees all that came into being up to and including this moment.
    After(Timestamp),
}

/// Up to which stamp the samples of one writer are visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Horizon {
    /// Up to the evaluation time plus this.
    Moving(Millis),
    /// Up to this stamp, at every tick.
    Fixed(Timestamp),
}

impl<'a> View<'a> {
    /// Prometheus's look-back of 5 minutes.
    pub const LOOKBACK: Millis = 300_000;

    /// How many samples a query may hold at once in Prometheus.
    pub const MAX_SAMPLES: usize = 50_000_000;

    /// A view with Prometheus's defaults and nothing experimental.
    pub fn new(store: &'a Store, reader: Reader, default_step: Millis) -> View<'a> {
        View {
            store,
            reader,
            lookback: View::LOOKBACK,
            default_step,
            features: Features::default(),
            stop: None,
            max_samples: View::MAX_SAMPLES,
        }
    }

    /// Whether somebody wants the query to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// Up to which stamp the reader sees what `writer` wrote.
    pub fn horizon(&self, writer: Writer) -> Horizon {
        match self.reader {
            Reader::Rule { position, offset } => {
                let same_moment = Millis::from(writer.position >= position);
                Horizon::Moving(offset - writer.offset - same_moment)
            }
            Reader::After(moment) => Horizon::Fixed(moment - writer.offset),
        }
    }
}
