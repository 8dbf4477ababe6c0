//! What a client asks of the server itself; there are no targets, no Alertmanagers and no metadata.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Served;
use super::query::TIMEOUT;
use super::request::{Refusal, Request, Response};
use super::server::MAX_QUERIES;
use crate::model::{Duration, Millis};
use crate::promql::View;

/// The Prometheus whose answers these are.
const VERSION: &str = "3.14.0";

/// What clients that decide by the version look at, and who answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BuildInfo {
    version: &'static str,
    revision: &'static str,
    branch: &'static str,
    build_user: &'static str,
    build_date: &'static str,
    go_version: &'static str,
}

/// `/api/v1/status/buildinfo`.
pub(super) fn build(_served: &Served, _request: &Request) -> Result<Response, Refusal> {
    Ok(Response::success(BuildInfo {
        version: VERSION,
        revision: concat!("rulecheck ", env!("CARGO_PKG_VERSION")),
        branch: "",
        build_user: "",
        build_date: "",
        go_version: "",
    }))
}

/// `/api/v1/status/flags`: those of Prometheus that mean something here.
pub(super) fn flags(served: &Served, _request: &Request) -> Result<Response, Refusal> {
    let millis = |duration: std::time::Duration| duration.as_millis() as Millis;
    let flags = [
        ("query.lookback-delta", Duration(View::LOOKBACK).to_string()),
        ("query.max-concurrency", MAX_QUERIES.to_string()),
        ("query.max-samples", served.setting.max_samples.to_string()),
        ("query.timeout", Duration(millis(TIMEOUT)).to_string()),
    ];
    Ok(Response::success(BTreeMap::from(flags)))
}

/// `/api/v1/status/config`: a configuration with which Prometheus would evaluate the same rules.
pub(super) fn config(served: &Served, _request: &Request) -> Result<Response, Refusal> {
    let setting = &served.setting;
    let mut yaml = format!(
        "global:\n  evaluation_interval: {}\n",
        Duration(setting.interval)
    );
    if !setting.rule_files.is_empty() {
        yaml.push_str("rule_files:\n");
    }
    for file in &setting.rule_files {
        // A text in JSON is one in YAML.
        let file = serde_json::to_string(file).unwrap_or_default();
        yaml.push_str(&format!("- {file}\n"));
    }
    Ok(Response::success(BTreeMap::from([("yaml", yaml)])))
}

/// `/api/v1/metadata`.
pub(super) fn metadata(_served: &Served, request: &Request) -> Result<Response, Refusal> {
    for name in ["limit", "limit_per_metric"] {
        let value = request.value(name);
        if !value.is_empty() && super::params::integer(value, "").is_err() {
            return Err(Refusal::bad_data(format!("{name} must be a number")));
        }
    }
    Ok(Response::success(BTreeMap::<(), ()>::new()))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Targets {
    active_targets: [(); 0],
    dropped_targets: [(); 0],
    dropped_target_counts: BTreeMap<(), ()>,
}

/// `/api/v1/targets`.
pub(super) fn targets(_served: &Served, _request: &Request) -> Result<Response, Refusal> {
    Ok(Response::success(Targets {
        active_targets: [],
        dropped_targets: [],
        dropped_target_counts: BTreeMap::new(),
    }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alertmanagers {
    active_alertmanagers: [(); 0],
    dropped_alertmanagers: [(); 0],
}

/// `/api/v1/alertmanagers`.
pub(super) fn alertmanagers(_served: &Served, _request: &Request) -> Result<Response, Refusal> {
    Ok(Response::success(Alertmanagers {
        active_alertmanagers: [],
        dropped_alertmanagers: [],
    }))
}

/// `/-/ready` and `/-/healthy`.
pub(super) fn ready(_served: &Served, _request: &Request) -> Result<Response, Refusal> {
    Ok(Response::text(200, "rulecheck is ready.\n"))
}

/// `/`, for somebody who looks with a browser.
pub(super) fn home(_served: &Served, _request: &Request) -> Result<Response, Refusal> {
    Ok(Response::text(
        200,
        "rulecheck serves the HTTP API of Prometheus below /api/v1/: name this address as a Prometheus data source.\n",
    ))
}
