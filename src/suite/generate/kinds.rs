//! The kinds of generators: what each is told, and what can happen to it. A kind is a row.

/// A kind of generator.
#[derive(Debug)]
pub(in crate::suite) struct Row {
    pub(in crate::suite) name: &'static str,
    /// As it stands in a sentence.
    pub(in crate::suite) called: &'static str,
    /// The keys of its description.
    pub(in crate::suite) keys: &'static [&'static str],
    /// The keys beside it that are only its own.
    pub(in crate::suite) beside: &'static [&'static str],
    /// The keys of its events that say what happens.
    pub(in crate::suite) happens: &'static [&'static str],
}

pub(in crate::suite) const KINDS: [Row; 5] = [
    Row {
        name: "gauge",
        called: "a gauge",
        keys: &[
            "series", "metric", "labels", "base", "noise", "season", "seed",
        ],
        beside: &[],
        happens: &["base", "spike", "ramp_to", "leak", "gap", "stale"],
    },
    Row {
        name: "counter",
        called: "a counter",
        keys: &[
            "series", "metric", "labels", "rate", "start", "noise", "season", "counts", "seed",
        ],
        beside: &[],
        happens: &[
            "rate", "spike", "ramp_to", "outage", "reset", "gap", "stale",
        ],
    },
    Row {
        name: "requests",
        called: "requests",
        keys: &[
            "series",
            "metric",
            "labels",
            "rate",
            "error_ratio",
            "noise",
            "season",
            "counts",
            "seed",
        ],
        beside: &["bad", "good", "errors_metric"],
        happens: &[
            "rate",
            "error_ratio",
            "spike",
            "ramp_to",
            "outage",
            "reset",
            "gap",
            "stale",
        ],
    },
    Row {
        name: "histogram",
        called: "a histogram",
        keys: &[
            "series", "metric", "labels", "rate", "latency", "buckets", "native", "noise",
            "season", "counts", "seed",
        ],
        beside: &[],
        happens: &[
            "rate", "latency", "spike", "ramp_to", "outage", "reset", "gap", "stale",
        ],
    },
    Row {
        name: "targets",
        called: "targets",
        keys: &["job", "instances", "labels"],
        beside: &[],
        happens: &["outage", "gap", "stale"],
    },
];

/// The keys that stand beside each kind.
pub(in crate::suite) const BESIDE_ALL: [&str; 2] = ["events", "repeat"];

/// The keys of an event that don't say what happens.
pub(in crate::suite) const OF_EVENTS: [&str; 4] = ["at", "for", "flap", "only"];

/// Every key of an item.
pub(super) fn item_keys() -> Vec<&'static str> {
    let kinds = KINDS.iter().map(|row| row.name);
    let beside = KINDS.iter().flat_map(|row| row.beside).copied();
    kinds.chain(BESIDE_ALL).chain(beside).collect()
}

/// Every key of an event, of whatever kind.
pub(super) fn event_keys() -> Vec<&'static str> {
    let mut keys = OF_EVENTS.to_vec();
    for key in KINDS.iter().flat_map(|row| row.happens) {
        if !keys.contains(key) {
            keys.push(key);
        }
    }
    keys
}
