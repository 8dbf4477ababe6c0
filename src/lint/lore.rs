//! What well-known exporters write: which labels their metrics have and which they never have, as far as that decides whether
//! series can be joined. `instance`, `job` and what scraping adds are on all of them and are not listed.

use crate::model::{MatchOp, Matcher};
use crate::promql::LabelValue;

/// Metrics of an exporter.
struct Row {
    /// The metric's name, or what it begins with where it ends in `*`.
    metric: &'static str,
    /// The labels that all its series have. Of the labels that the table names it has no others.
    has: &'static [&'static str],
}

const fn row(metric: &'static str, has: &'static [&'static str]) -> Row {
    Row { metric, has }
}

/// The labels that the table speaks of, by exporter; a metric of one that does not list a label has none of that name.
pub(super) const SPOKEN: &[(&str, &[&str])] = &[
    ("pg_", &["datname", "state"]),
    (
        "node_",
        &["cpu", "mode", "device", "mountpoint", "fstype", "nodename"],
    ),
    ("kube_", &["resource", "phase", "condition"]),
];

/// Of several that fit the first counts.
const ROWS: &[Row] = &[
    // postgres_exporter: `server` may be on all of them.
    row("pg_stat_activity_count", &["datname", "state"]),
    row("pg_stat_activity_max_tx_duration", &["datname", "state"]),
    row("pg_settings_*", &[]),
    row("pg_up", &[]),
    // node_exporter
    row("node_cpu_seconds_total", &["cpu", "mode"]),
    row("node_filesystem_*", &["device", "fstype", "mountpoint"]),
    row("node_disk_*", &["device"]),
    row("node_network_*", &["device"]),
    row("node_uname_info", &["nodename"]),
    row("node_memory_*", &[]),
    row("node_load1", &[]),
    row("node_load5", &[]),
    row("node_load15", &[]),
    row("node_boot_time_seconds", &[]),
    // kube-state-metrics
    row("kube_pod_container_resource_requests", &["resource"]),
    row("kube_pod_container_resource_limits", &["resource"]),
    row("kube_node_status_allocatable", &["resource"]),
    row("kube_node_status_capacity", &["resource"]),
    row("kube_pod_status_phase", &["phase"]),
    row("kube_node_status_condition", &["condition"]),
    row("kube_pod_info", &[]),
    row("kube_pod_owner", &[]),
    row("kube_pod_labels", &[]),
    row("kube_node_info", &[]),
    row("kube_deployment_spec_replicas", &[]),
    row("kube_deployment_status_replicas*", &[]),
    row("kube_statefulset_replicas", &[]),
    row("kube_statefulset_status_replicas*", &[]),
];

/// What is known of a label of a metric: that it is there, or that it is not.
pub(super) fn of_exporter(metric: &str, label: &str) -> Option<LabelValue> {
    let fits = |row: &&Row| match row.metric.strip_suffix('*') {
        Some(prefix) => metric.starts_with(prefix),
        None => metric == row.metric,
    };
    let row = ROWS.iter().find(fits)?;
    if row.has.contains(&label) {
        let there = Matcher::new(label, MatchOp::NotEqual, "").ok()?;
        return Some(LabelValue::Passes(vec![there]));
    }
    let (_, spoken) = SPOKEN
        .iter()
        .find(|(prefix, _)| metric.starts_with(prefix))?;
    let is_spoken = spoken.contains(&label);
    is_spoken.then(|| LabelValue::Is(String::new()))
}
