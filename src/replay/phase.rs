//! When Prometheus evaluates a group within its interval.

use twox_hash::XxHash64;

use crate::model::Millis;

/// How long after the multiples of its interval Prometheus evaluates a group, so that not all groups run at once: the
/// hash of the group's name and of the path by which the server knows its file, less than the interval. As
/// `Group.EvalTimestamp` in Prometheus's `rules/group.go` has it, in builds with the default implementation of labels.
pub fn phase(file: &str, group: &str, interval: Millis) -> Millis {
    const NANOS: u64 = 1_000_000;
    let mut bytes = Vec::new();
    for text in ["file", file, "name", group] {
        put(&mut bytes, text);
    }
    let interval = interval.max(1).unsigned_abs().saturating_mul(NANOS);
    let past = XxHash64::oneshot(0, &bytes) % interval;
    // Samples are stamped in whole milliseconds.
    (past / NANOS) as Millis
}

/// A text and its length, in one byte or in four.
fn put(bytes: &mut Vec<u8>, text: &str) {
    let length = (text.len() as u32).to_le_bytes();
    match text.len() {
        0..255 => bytes.push(length[0]),
        _ => {
            bytes.push(u8::MAX);
            bytes.extend_from_slice(&length[..3]);
        }
    }
    bytes.extend_from_slice(text.as_bytes());
}
