//! How Prometheus's storage groups the histograms of a series, and which hints readers see for that.

use std::sync::Arc;

use super::{CounterResetHint, Histogram};
use crate::model::{Millis, Timestamp};

/// A chunk ends with its day where rules are tested.
const CHUNK_RANGE: Millis = 86_400_000;

/// The chunk that the last histogram of a series was stored in.
///
/// Only counters that go on share a chunk, and so all but the first sample of a chunk are known to be no
/// resets. What the first one is nobody knows later. A chunk also ends with its day. (In Prometheus it ends
/// too when it is full, after some 1 KiB of encoded samples; here it never is.)
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    /// The last histogram, as it was given.
    last: Option<Arc<Histogram>>,
    /// Whether a stale marker came after it.
    stale: bool,
    /// When it ends at the latest.
    end: Timestamp,
}

impl Chunk {
    /// Stores a histogram and returns it as readers see it: a gauge stays one, the first of a chunk is
    /// unknown, the others are no resets.
    pub fn append(&mut self, time: Timestamp, histogram: &Arc<Histogram>) -> Arc<Histogram> {
        let goes_on = time < self.end && self.takes(histogram);
        if !goes_on {
            self.end = time - time.rem_euclid(CHUNK_RANGE) + CHUNK_RANGE;
        }
        self.last = Some(Arc::clone(histogram));
        self.stale = false;
        let seen = match histogram.counter_reset_hint {
            CounterResetHint::Gauge => CounterResetHint::Gauge,
            _ if goes_on => CounterResetHint::NotReset,
            _ => CounterResetHint::Unknown,
        };
        if histogram.counter_reset_hint == seen {
            return Arc::clone(histogram);
        }
        let mut stored = Histogram::clone(histogram);
        stored.counter_reset_hint = seen;
        Arc::new(stored)
    }

    /// A stale marker follows: it stays in the chunk, but nothing comes after it.
    pub fn mark_stale(&mut self) {
        self.stale = true;
    }

    /// A float follows: it begins another chunk, and so does the next histogram.
    pub fn append_float(&mut self) {
        *self = Chunk::default();
    }

    /// Whether a counter that goes on can stay in the chunk.
    fn takes(&self, histogram: &Histogram) -> bool {
        let Some(last) = self.last.as_deref().filter(|_| !self.stale) else {
            return false;
        };
        let kind = |histogram: &Histogram| histogram.counter_reset_hint == CounterResetHint::Gauge;
        kind(last) == kind(histogram)
            && histogram.counter_reset_hint != CounterResetHint::Reset
            && histogram.schema == last.schema
            && histogram.zero_threshold == last.zero_threshold
            && (!histogram.uses_custom_buckets() || histogram.custom_values == last.custom_values)
            && !histogram.shrank_since(last)
    }
}
