//! The keys of rule files: those of Prometheus, and those that only other programs know.

/// Prometheus's keys of a rule file, a group and a rule.
const FILE: [&str; 1] = ["groups"];
const GROUP: [&str; 6] = [
    "name",
    "interval",
    "query_offset",
    "limit",
    "rules",
    "labels",
];
const RULE: [&str; 7] = [
    "record",
    "alert",
    "expr",
    "for",
    "keep_firing_for",
    "labels",
    "annotations",
];

const MIMIR: &str = "Mimir";
const THANOS: &str = "Thanos";
const VMALERT: &str = "vmalert";

/// A key that only another program than Prometheus knows, and which.
type Foreign = (&'static str, &'static str);

/// Of a file: the name under which Mimir keeps the groups.
const FOREIGN_FILE: [Foreign; 1] = [("namespace", MIMIR)];

/// Of a group. What they do is said where a group is read.
const FOREIGN_GROUP: [Foreign; 15] = [
    ("source_tenants", MIMIR),
    ("evaluation_delay", MIMIR),
    ("align_evaluation_time_on_interval", MIMIR),
    ("remote_write", MIMIR),
    ("partial_response_strategy", THANOS),
    ("type", VMALERT),
    ("eval_offset", VMALERT),
    ("eval_delay", VMALERT),
    ("eval_alignment", VMALERT),
    ("concurrency", VMALERT),
    ("params", VMALERT),
    ("extra_filter_labels", VMALERT),
    ("headers", VMALERT),
    ("notifier_headers", VMALERT),
    ("tenant", VMALERT),
];

/// Of a rule: what vmalert logs and remembers.
const FOREIGN_RULE: [Foreign; 2] = [("debug", VMALERT), ("update_entries_limit", VMALERT)];

/// The keys that are known.
#[derive(Debug)]
pub(super) struct Keys {
    /// Of a file.
    pub file: Vec<&'static str>,
    /// Of a group.
    pub group: Vec<&'static str>,
    /// Of a rule.
    pub rule: Vec<&'static str>,
}

impl Keys {
    /// Those of Prometheus, and where it is `alone` no others.
    pub fn new(alone: bool) -> Keys {
        let known = |own: &[&'static str], foreign: &[Foreign]| {
            let foreign = foreign.iter().filter(|_| !alone).map(|(key, _)| *key);
            own.iter().copied().chain(foreign).collect()
        };
        Keys {
            file: known(&FILE, &FOREIGN_FILE),
            group: known(&GROUP, &FOREIGN_GROUP),
            rule: known(&RULE, &FOREIGN_RULE),
        }
    }
}

/// Which program's a key is, if it is none of Prometheus's.
pub(super) fn owner(key: &str) -> Option<&'static str> {
    let all = FOREIGN_FILE
        .iter()
        .chain(&FOREIGN_GROUP)
        .chain(&FOREIGN_RULE);
    all.into_iter()
        .find(|(name, _)| *name == key)
        .map(|(_, owner)| *owner)
}
