//! What the loads of a script have stored so far: Prometheus takes the samples of a series only in the order of time.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Histogram, Labels, Timestamp};
use crate::store::Points;

/// The last sample of each series, since the last `clear`.
#[derive(Default)]
pub(super) struct Loaded {
    last: HashMap<Labels, Last>,
}

#[derive(Clone, PartialEq)]
struct Last {
    time: Timestamp,
    sample: Sample,
}

#[derive(Clone, PartialEq)]
enum Sample {
    /// The bits of a float.
    Float(u64),
    Histogram(Arc<Histogram>),
}

impl Loaded {
    /// Why Prometheus would not store samples after those that are there; the last one may be given once more.
    pub fn refusal(&self, labels: &Labels, points: &Points) -> Option<String> {
        let last = self.last.get(labels)?;
        let early = (0..points.len())
            .map_while(|index| at(points, index))
            .take_while(|sample| sample.time <= last.time)
            .find(|sample| sample != last)?;
        Some(match early.time == last.time {
            true => format!("{labels} has another sample at {} ms already", last.time),
            false => format!("{labels} has samples up to {} ms already", last.time),
        })
    }

    /// Remembers what was stored.
    pub fn store(&mut self, labels: &Labels, points: &Points) {
        let last = points.len().checked_sub(1);
        if let Some(last) = last.and_then(|index| at(points, index)) {
            self.last.insert(labels.clone(), last);
        }
    }
}

fn at(points: &Points, index: usize) -> Option<Last> {
    let sample = match points.histogram(index) {
        Some(histogram) => Sample::Histogram(Arc::clone(histogram)),
        None => Sample::Float(points.values().get(index)?.to_bits()),
    };
    let time = points.time(index);
    Some(Last { time, sample })
}
