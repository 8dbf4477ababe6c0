//! What Prometheus's storage makes of histograms: it refuses some, and readers see its own hints.

use crate::model::{Chunk, HistogramError, Timestamp};
use crate::store::{Points, is_stale};

/// Points as they are read back after Prometheus has stored them: the counter reset hints are those that
/// storing leaves. Points without histograms stay as they are.
pub fn as_stored(points: Points) -> Points {
    if !points.has_histograms() {
        return points;
    }
    let mut chunk = Chunk::default();
    let mut stored = Points::default();
    for index in 0..points.len() {
        let time = points.time(index);
        match points.histogram(index) {
            Some(histogram) => stored.push_histogram(time, chunk.append(time, histogram)),
            None => {
                let value = points.values().get(index).copied().unwrap_or(f64::NAN);
                match is_stale(value) {
                    true => chunk.mark_stale(),
                    false => chunk.append_float(),
                }
                stored.push(time, value);
            }
        }
    }
    stored
}

/// The first sample that Prometheus refuses to store, and why.
pub fn refused(points: &Points) -> Option<(Timestamp, HistogramError)> {
    if !points.has_histograms() {
        return None;
    }
    (0..points.len()).find_map(|index| {
        let fault = points.histogram(index)?.validate().err()?;
        Some((points.time(index), fault))
    })
}
