//! `rules` and `alerts`: how the rules stood at the end of the data.

use chrono::DateTime;
use serde::Serialize;

use super::request::{Refusal, Request, Response};
use super::{Served, Setting, params};
use crate::model::number::format_exponent;
use crate::model::{Labels, Matcher, Timestamp};
use crate::replay::{ActiveAlert, AlertState, AlertValue, Replay, RuleId, Standing};
use crate::report::api::{Metric, Seconds};
use crate::rules::{AlertRule, Rule as WrittenRule, RuleGroup, RuleKind};

/// A group and how its rules stand.
#[derive(Debug, Clone)]
pub(super) struct Group {
    name: String,
    file: String,
    rules: Vec<Rule>,
    interval: Seconds,
    limit: usize,
    last_evaluation: Moment,
}

/// A rule and how it stands.
#[derive(Debug, Clone)]
struct Rule {
    name: String,
    query: String,
    /// As written: an alert's may be templates.
    labels: Labels,
    health: &'static str,
    last_error: Option<String>,
    last_evaluation: Moment,
    /// What only an alert has.
    alert: Option<Alerting>,
}

#[derive(Debug, Clone)]
struct Alerting {
    state: &'static str,
    hold: Seconds,
    keep_firing_for: Seconds,
    annotations: Labels,
    alerts: Vec<Alert>,
}

#[derive(Debug, Clone)]
struct Alert {
    labels: Labels,
    annotations: Labels,
    state: &'static str,
    active_at: Moment,
    keep_firing_since: Option<Moment>,
    value: String,
}

/// A time as Go writes it in JSON; the year 1 where there is none.
#[derive(Debug, Clone, Copy)]
struct Moment(Option<Timestamp>);

/// The groups in the order of files and names, as Prometheus lists them.
pub(super) fn groups(replay: &Replay<'_>, written: &[&RuleGroup], setting: &Setting) -> Vec<Group> {
    let mut groups: Vec<Group> = written
        .iter()
        .enumerate()
        .map(|(index, group)| Group::new(replay, index, group, setting))
        .collect();
    groups.sort_by(|a, b| (&a.file, &a.name).cmp(&(&b.file, &b.name)));
    groups
}

impl Group {
    fn new(replay: &Replay<'_>, index: usize, group: &RuleGroup, setting: &Setting) -> Group {
        let mut last_evaluation = Moment(None);
        let mut rules = Vec::new();
        for (number, rule) in group.rules.iter().enumerate() {
            let id = RuleId {
                group: index,
                rule: number,
            };
            if let Some(standing) = replay.standing(id, setting.now) {
                last_evaluation = Moment(standing.evaluated);
                rules.push(Rule::new(rule, standing));
            }
        }
        Group {
            name: group.name.clone(),
            file: group.source.name().to_owned(),
            rules,
            interval: Seconds(group.interval.unwrap_or(setting.interval)),
            limit: group.limit,
            last_evaluation,
        }
    }
}

impl Rule {
    fn new(rule: &WrittenRule, standing: Standing<'_>) -> Rule {
        let labels = match &rule.kind {
            RuleKind::Recording { labels } => Labels::from_pairs(labels.iter().cloned()),
            RuleKind::Alert(alert) => {
                let pairs = alert.labels.iter();
                Labels::from_pairs(pairs.map(|(name, value)| (name.as_str(), value.text())))
            }
        };
        Rule {
            name: rule.name.clone(),
            query: rule.expr.to_string(),
            labels,
            health: match (standing.evaluated, standing.error) {
                (None, _) => "unknown",
                (Some(_), None) => "ok",
                (Some(_), Some(_)) => "err",
            },
            last_error: standing.error.map(str::to_owned),
            last_evaluation: Moment(standing.evaluated),
            alert: match &rule.kind {
                RuleKind::Recording { .. } => None,
                RuleKind::Alert(alert) => Some(Alerting::new(alert, standing)),
            },
        }
    }
}

impl Alerting {
    fn new(alert: &AlertRule, standing: Standing<'_>) -> Alerting {
        let state = standing.alerts.iter().map(|alert| alert.state).max();
        let annotations = alert.annotations.iter();
        Alerting {
            state: match (standing.evaluated, state) {
                (None, _) => "unknown",
                (Some(_), None) => "inactive",
                (Some(_), Some(state)) => state.name(),
            },
            hold: Seconds(alert.hold),
            keep_firing_for: Seconds(alert.keep_firing_for),
            annotations: Labels::from_pairs(
                annotations.map(|(name, value)| (name.as_str(), value.text())),
            ),
            alerts: standing.alerts.into_iter().map(Alert::new).collect(),
        }
    }
}

impl Alert {
    fn new(alert: ActiveAlert) -> Alert {
        let firing = alert.state == AlertState::Firing;
        Alert {
            labels: alert.labels,
            annotations: Labels::from_pairs(alert.annotations),
            state: alert.state.name(),
            active_at: Moment(Some(alert.active_at)),
            keep_firing_since: alert
                .quiet_since
                .filter(|_| firing)
                .map(|since| Moment(Some(since))),
            value: match alert.value {
                AlertValue::Float(value) => format_exponent(value),
                // Prometheus shows the number that is not there.
                AlertValue::Histogram(_) => format_exponent(0.0),
            },
        }
    }
}

/// `/api/v1/alerts`.
pub(super) fn alerts(served: &Served, _request: &Request) -> Result<Response, Refusal> {
    let rules = served.groups.iter().flat_map(|group| &group.rules);
    let alerts = rules
        .filter_map(|rule| rule.alert.as_ref())
        .flat_map(|alert| &alert.alerts);
    let alerts = alerts.map(AlertShape::new).collect();
    Ok(Response::success(AlertsShape { alerts }))
}

/// `/api/v1/rules`.
pub(super) fn rules(served: &Served, request: &Request) -> Result<Response, Refusal> {
    if let Some(fault) = request.fault() {
        return Err(Refusal::bad_data(format!(
            "error parsing form values: {fault}"
        )));
    }
    let wanted = Wanted::read(served, request)?;
    let page = Page::read(request)?;
    let mut shapes: Vec<GroupShape<'_>> = Vec::new();
    let mut next = None;
    let mut begun = page.token.is_empty();
    for group in &served.groups {
        begun = begun || page.token == token(group);
        if !begun || !wanted.takes_group(group) {
            continue;
        }
        let shape = GroupShape::new(group, &wanted);
        if shape.rules.is_empty() {
            continue;
        }
        if page.groups.is_some_and(|groups| shapes.len() == groups) {
            next = Some(token(group));
            break;
        }
        shapes.push(shape);
    }
    match begun {
        true => Ok(Response::success(RulesShape {
            groups: shapes,
            group_next_token: next,
        })),
        false => Err(Refusal::parameter(
            "group_next_token",
            format!(
                "invalid group_next_token '{}'. were rule groups changed?",
                page.token
            ),
        )),
    }
}

/// Which rules a request asks for.
struct Wanted<'r> {
    alerts: bool,
    recordings: bool,
    names: Vec<&'r str>,
    groups: Vec<&'r str>,
    files: Vec<&'r str>,
    matchers: Vec<Vec<Matcher>>,
    /// Whether the alerts of an alerting rule are left out.
    without_alerts: bool,
}

impl<'r> Wanted<'r> {
    fn read(served: &Served, request: &'r Request) -> Result<Wanted<'r>, Refusal> {
        let matchers = params::matchers(served, request).map_err(Refusal::bad_data)?;
        let kind = request.query.value("type").to_lowercase();
        if !["", "alert", "record"].contains(&kind.as_str()) {
            let fault = format!("not supported value {kind:?}");
            return Err(Refusal::parameter("type", fault));
        }
        Ok(Wanted {
            alerts: kind != "record",
            recordings: kind != "alert",
            names: request.values("rule_name[]").collect(),
            groups: request.values("rule_group[]").collect(),
            files: request.values("file[]").collect(),
            matchers,
            without_alerts: without_alerts(request)?,
        })
    }

    fn takes_group(&self, group: &Group) -> bool {
        (self.groups.is_empty() || self.groups.contains(&group.name.as_str()))
            && (self.files.is_empty() || self.files.contains(&group.file.as_str()))
    }

    fn takes(&self, rule: &Rule) -> bool {
        let kind = match rule.alert {
            Some(_) => self.alerts,
            None => self.recordings,
        };
        let meets =
            |matchers: &Vec<Matcher>| matchers.iter().all(|matcher| matcher.matches(&rule.labels));
        kind && (self.names.is_empty() || self.names.contains(&rule.name.as_str()))
            && (self.matchers.is_empty() || self.matchers.iter().any(meets))
    }
}

/// Go's `strconv.ParseBool` of a text in small letters.
fn without_alerts(request: &Request) -> Result<bool, Refusal> {
    match request
        .query
        .value("exclude_alerts")
        .to_lowercase()
        .as_str()
    {
        "" | "0" | "f" | "false" => Ok(false),
        "1" | "t" | "true" => Ok(true),
        other => Err(Refusal::parameter(
            "exclude_alerts",
            format!(
                "error converting exclude_alerts: strconv.ParseBool: parsing {other:?}: invalid syntax"
            ),
        )),
    }
}

/// Which part of the groups a request asks for.
struct Page<'r> {
    /// So many at most.
    groups: Option<usize>,
    /// From this one on.
    token: &'r str,
}

impl<'r> Page<'r> {
    fn read(request: &'r Request) -> Result<Page<'r>, Refusal> {
        let limit = request.query.value("group_limit");
        let token = request.query.value("group_next_token");
        if limit.is_empty() {
            return match token {
                "" => Ok(Page {
                    groups: None,
                    token,
                }),
                _ => Err(Refusal::parameter(
                    "group_next_token",
                    "group_limit needs to be present in order to paginate over the groups",
                )),
            };
        }
        let refuse = |fault: String| Refusal::parameter("group_limit", fault);
        let groups = params::integer(limit, "strconv.ParseInt")
            .and_then(|number| match i32::try_from(number) {
                Ok(number) => Ok(number),
                Err(_) => Err(format!(
                    "strconv.ParseInt: parsing {limit:?}: value out of range"
                )),
            })
            .map_err(|fault| refuse(format!("group_limit needs to be a valid number: {fault}")))?;
        match usize::try_from(groups) {
            Ok(groups) if groups > 0 => Ok(Page {
                groups: Some(groups),
                token,
            }),
            _ => Err(refuse("group_limit needs to be greater than 0".to_owned())),
        }
    }
}

/// What names a group to whoever asks for the next ones.
fn token(group: &Group) -> String {
    let named = [("file", group.file.as_str()), ("group", &group.name)];
    format!("{:016x}", Labels::from_pairs(named).hash64())
}

#[derive(Serialize)]
struct AlertsShape<'s> {
    alerts: Vec<AlertShape<'s>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RulesShape<'s> {
    groups: Vec<GroupShape<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupShape<'s> {
    name: &'s str,
    file: &'s str,
    rules: Vec<RuleShape<'s>>,
    interval: Seconds,
    limit: usize,
    evaluation_time: Seconds,
    last_evaluation: Moment,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleShape<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'s str>,
    name: &'s str,
    query: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_firing_for: Option<Seconds>,
    labels: Metric<'s>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Metric<'s>>,
    /// Absent of a recording rule, null where alerts are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    alerts: Option<Option<Vec<AlertShape<'s>>>>,
    health: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<&'s str>,
    evaluation_time: Seconds,
    last_evaluation: Moment,
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertShape<'s> {
    labels: Metric<'s>,
    annotations: Metric<'s>,
    state: &'s str,
    active_at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_firing_since: Option<Moment>,
    value: &'s str,
}

/// How long an evaluation took, which here is no news.
const NO_TIME: Seconds = Seconds(0);

impl<'s> GroupShape<'s> {
    fn new(group: &'s Group, wanted: &Wanted<'_>) -> GroupShape<'s> {
        let rules = group.rules.iter().filter(|rule| wanted.takes(rule));
        GroupShape {
            name: &group.name,
            file: &group.file,
            rules: rules
                .map(|rule| RuleShape::new(rule, wanted.without_alerts))
                .collect(),
            interval: group.interval,
            limit: group.limit,
            evaluation_time: NO_TIME,
            last_evaluation: group.last_evaluation,
        }
    }
}

impl<'s> RuleShape<'s> {
    fn new(rule: &'s Rule, without_alerts: bool) -> RuleShape<'s> {
        let alert = rule.alert.as_ref();
        let alerts = |alert: &'s Alerting| {
            (!without_alerts).then(|| alert.alerts.iter().map(AlertShape::new).collect())
        };
        RuleShape {
            state: alert.map(|alert| alert.state),
            name: &rule.name,
            query: &rule.query,
            duration: alert.map(|alert| alert.hold),
            keep_firing_for: alert.map(|alert| alert.keep_firing_for),
            labels: Metric(&rule.labels),
            annotations: alert.map(|alert| Metric(&alert.annotations)),
            alerts: alert.map(alerts),
            health: rule.health,
            last_error: rule.last_error.as_deref(),
            evaluation_time: NO_TIME,
            last_evaluation: rule.last_evaluation,
            r#type: match alert {
                Some(_) => "alerting",
                None => "recording",
            },
        }
    }
}

impl<'s> AlertShape<'s> {
    fn new(alert: &'s Alert) -> AlertShape<'s> {
        AlertShape {
            labels: Metric(&alert.labels),
            annotations: Metric(&alert.annotations),
            state: alert.state,
            active_at: alert.active_at,
            keep_firing_since: alert.keep_firing_since,
            value: &alert.value,
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = self.0.and_then(DateTime::from_timestamp_millis);
        serializer.serialize_str(&match time {
            None => "0001-01-01T00:00:00Z".to_owned(),
            Some(time) => {
                let text = time.format("%Y-%m-%dT%H:%M:%S%.3f").to_string();
                let text = text.trim_end_matches('0').trim_end_matches('.');
                format!("{text}Z")
            }
        })
    }
}
