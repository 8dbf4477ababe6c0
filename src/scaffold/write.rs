//! Test files as a person would write them.

use std::fmt::Write;

use super::case::{Case, Goal, Subject, shown};
use super::numbers::rounded;
use super::timing::EVALUATION;
use crate::model::{Duration, Labels, METRIC_NAME, Timestamp, number};
use crate::promql::ast::Expr;
use crate::promql::threshold;
use crate::replay::{AlertState, Instance, Replay};
use crate::text::yaml;

/// Instances of an alert are named one by one up to so many.
const MAX_NAMED: usize = 4;

/// The head of a file.
pub(super) fn head(rule_files: &[String]) -> String {
    let files: Vec<String> = rule_files
        .iter()
        .map(|file| yaml::write_text(file))
        .collect();
    let mut out = String::from(
        "# Written by `rulecheck init` for alerts that had no test. From here on it is yours.\n",
    );
    match files.as_slice() {
        [file] if !file.contains([',', '[', ']', '{', '}', '#']) => {
            out.push_str(&format!("rule_files: [{file}]\n"))
        }
        _ => {
            out.push_str("rule_files:\n");
            for file in files {
                out.push_str(&format!("  - {file}\n"));
            }
        }
    }
    out.push_str(&format!(
        "evaluation_interval: {}\n\ntests:\n",
        Duration(EVALUATION)
    ));
    out
}

/// The alert in a line of comment.
pub(super) fn comment(subject: &Subject<'_>) -> String {
    let mut line = short(&subject.rule.expr.text, 100);
    if subject.alert.hold > 0 {
        line.push_str(&format!("   for: {}", Duration(subject.alert.hold)));
    }
    format!("  # {line}\n")
}

/// A test in a file; `None` where the replay of all rules shows that it can't be one.
///
/// `fired` are the labels that the alert has in a case in which it fires, where one was found.
pub(super) fn test(
    case: &Case,
    subject: &Subject<'_>,
    fired: Option<&Labels>,
    promtool: bool,
) -> Option<String> {
    let replay = case.replayed(subject)?;
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!(
        "  - name: {}",
        yaml::write_text(&name(case, subject, &replay))
    ));
    if case.timing.interval != EVALUATION {
        line(format!("    interval: {}", Duration(case.timing.interval)));
    }
    if case.timing.start != 0 {
        line(format!(
            "    start_timestamp: {}",
            moment(case.timing.start)
        ));
    }
    if case.series.is_empty() && !promtool {
        line(format!("    duration: {}", Duration(case.timing.length)));
    }
    if !case.series.is_empty() {
        line("    input_series:".to_owned());
    }
    for planned in &case.series {
        line(format!(
            "      - series: {}",
            yaml::write_text(&series(&planned.labels))
        ));
        line(format!(
            "        values: {}",
            yaml::write_text(&planned.notation(&case.timing))
        ));
    }
    if promtool {
        line("    alert_rule_test:".to_owned());
        promtool_checks(case, subject, &replay, &mut out);
    } else {
        if !replay.errors.is_empty() {
            line("    rule_errors: expected".to_owned());
        }
        line("    expect:".to_owned());
        expectations(case, subject, fired, &replay, &mut out);
    }
    Some(out)
}

/// `fires: 0.06 is > 0.05 for 5m`.
fn name(case: &Case, subject: &Subject<'_>, replay: &Replay<'_>) -> String {
    let rule = subject.rule;
    let threshold = threshold(&rule.expr.expr);
    let bound = threshold.map(|it| {
        let text = rule.expr.text.get(it.bound.span.start..it.bound.span.end);
        format!("{} {}", it.op.symbol(), short(text.unwrap_or(""), 40))
    });
    let held = match subject.alert.hold {
        0 => String::new(),
        hold => format!(" for {}", Duration(hold)),
    };
    let value = threshold.and_then(|it| value(it.value, case, subject, replay));
    let value = value.map(|value| number::format_value(rounded(value, 4)));
    match (case.goal, value, bound) {
        (Goal::Fire, Some(value), Some(bound)) => {
            format!("{} fires: {value} is {bound}{held}", rule.name)
        }
        (Goal::Silent, Some(value), Some(bound)) => {
            format!("{} stays silent: {value} is not {bound}", rule.name)
        }
        (Goal::Fire, ..) => format!("{} fires{held}", rule.name),
        (Goal::Silent, ..) => format!("{} stays silent", rule.name),
    }
}

/// What the compared expression is at the end, if it is one value.
fn value(expr: &Expr, case: &Case, subject: &Subject<'_>, replay: &Replay<'_>) -> Option<f64> {
    let query = crate::promql::Query {
        text: String::new(),
        expr: expr.clone(),
    };
    let view = replay.sight(subject.id)?.view;
    let ticks = crate::promql::Ticks::instant(case.timing.end());
    let columns = crate::promql::evaluate(&query, &view, ticks).into_columns()?;
    let mut values = columns
        .series
        .iter()
        .filter_map(|series| match series.column.get(0) {
            Some(crate::promql::Sample::Float(value)) => Some(value),
            _ => None,
        });
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

/// What the alert does, of each of its instances.
fn expectations(
    case: &Case,
    subject: &Subject<'_>,
    fired: Option<&Labels>,
    replay: &Replay<'_>,
    out: &mut String,
) {
    let name = yaml::write_text(&subject.rule.name);
    let firing = firing(subject, replay);
    if case.goal == Goal::Silent {
        let _ = writeln!(out, "      - alert: {name}");
        if !firing.is_empty() {
            // Another rule of the same name fires.
            let own = fired.map_or_else(|| own_labels(subject), shown);
            write_map("labels", &own, out);
        }
        out.push_str("        fires: never\n");
        if !firing.is_empty() {
            out.push_str("        others: allowed\n");
        } else if subject.alert.hold > 0 && is_never_pending(subject, replay) {
            out.push_str("        pending: never\n");
        }
        return;
    }
    let all = |(_, _, instance): &(usize, usize, &Instance)| windows(instance, case.timing.start);
    let mut different: Vec<String> = firing.iter().map(all).collect();
    different.dedup();
    if firing.len() > MAX_NAMED && different.len() == 1 {
        let _ = writeln!(
            out,
            "      - alert: {name}\n        instances: {}",
            firing.len()
        );
        let _ = writeln!(out, "        fires: {}", different.concat());
        return;
    }
    for (alert, place, instance) in firing {
        let of_item = shown(&instance.labels);
        let has_all = |it: &Instance| {
            of_item
                .iter()
                .all(|(label, value)| it.labels.value(label) == *value)
        };
        let selected: Vec<&Instance> = named(subject, replay).filter(|it| has_all(it)).collect();
        let own = windows(instance, case.timing.start);
        let is_alike = selected
            .iter()
            .all(|it| windows(it, case.timing.start) == own);
        let mut item = format!("      - alert: {name}\n");
        write_map("labels", &of_item, &mut item);
        let annotations = match selected.len() {
            1 => steady_annotations(replay, alert, place),
            _ => Vec::new(),
        };
        let annotations: Vec<(&str, &str)> = annotations
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        write_map("annotations", &annotations, &mut item);
        if !is_alike {
            item.push_str("        across: any\n");
        }
        let _ = writeln!(
            item,
            "        fires: {}",
            laid_over(&selected, case.timing.start)
        );
        // Several rules may raise alerts with the same labels.
        if !out.ends_with(&item) {
            out.push_str(&item);
        }
    }
}

/// The labels of the alert in a case in which it fires.
pub(super) fn fired(case: &Case, subject: &Subject<'_>) -> Option<Labels> {
    let replay = case.replayed(subject)?;
    let alerts = replay
        .timeline
        .alerts
        .iter()
        .filter(|alert| alert.rule == subject.id);
    let mut instances = alerts.flat_map(|alert| &alert.instances);
    let fired = instances.find(|instance| instance.fires())?;
    Some(fired.labels.clone())
}

/// What fires just before the first instance does, when it does, and at the end.
fn promtool_checks(case: &Case, subject: &Subject<'_>, replay: &Replay<'_>, out: &mut String) {
    let stretches = named(subject, replay).flat_map(|instance| &instance.stretches);
    let firing = stretches.filter(|stretch| stretch.state == AlertState::Firing);
    let first = firing.map(|stretch| stretch.from).min();
    let mut moments = vec![case.timing.end()];
    if let Some(first) = first {
        moments.extend([first - EVALUATION, first]);
    }
    moments.retain(|&moment| moment >= case.timing.start);
    moments.sort_unstable();
    moments.dedup();
    for moment in moments {
        promtool_check(moment, case, subject, replay, out);
    }
}

/// What fires at a moment.
fn promtool_check(
    moment: Timestamp,
    case: &Case,
    subject: &Subject<'_>,
    replay: &Replay<'_>,
    out: &mut String,
) {
    let at = Duration(moment - case.timing.start);
    let name = yaml::write_text(&subject.rule.name);
    let _ = writeln!(out, "      - eval_time: {at}\n        alertname: {name}");
    let firing = replay.firing_at(&subject.rule.name, moment);
    if firing.is_empty() {
        out.push_str("        exp_alerts: []\n");
        return;
    }
    out.push_str("        exp_alerts:\n");
    for alert in firing {
        let mut text = String::new();
        write_map("exp_labels", &shown(&alert.labels), &mut text);
        let annotations: Vec<(&str, &str)> = alert
            .annotations
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        write_map("exp_annotations", &annotations, &mut text);
        if text.is_empty() {
            out.push_str("          - {}\n");
        }
        for (number, line) in text.lines().enumerate() {
            let lead = if number == 0 {
                "          - "
            } else {
                "            "
            };
            let _ = writeln!(
                out,
                "{lead}{}",
                line.strip_prefix("        ").unwrap_or(line)
            );
        }
    }
}

/// The instances of an alert's name that ever fire, with their places.
fn firing<'t>(subject: &Subject<'_>, replay: &'t Replay<'_>) -> Vec<(usize, usize, &'t Instance)> {
    let alerts = replay.timeline.alerts.iter().enumerate();
    let named = alerts.filter(|(_, alert)| alert.name == subject.rule.name);
    let instances = named.flat_map(|(place, alert)| {
        let instances = alert.instances.iter().enumerate();
        instances.map(move |(number, instance)| (place, number, instance))
    });
    instances
        .filter(|(_, _, instance)| instance.fires())
        .collect()
}

/// All instances of an alert's name.
fn named<'t>(subject: &Subject<'_>, replay: &'t Replay<'_>) -> impl Iterator<Item = &'t Instance> {
    let name = subject.rule.name.clone();
    let alerts = replay
        .timeline
        .alerts
        .iter()
        .filter(move |alert| alert.name == name);
    alerts.flat_map(|alert| &alert.instances)
}

fn is_never_pending(subject: &Subject<'_>, replay: &Replay<'_>) -> bool {
    named(subject, replay).next().is_none()
}

/// The labels that an alert gives itself, as far as they are always the same.
fn own_labels<'s>(subject: &Subject<'s>) -> Vec<(&'s str, &'s str)> {
    let labels = subject.alert.labels.iter();
    let fixed = labels.filter(|(_, template)| template.is_literal());
    fixed
        .map(|(label, template)| (label.as_str(), template.text()))
        .collect()
}

/// Annotations that are the same as long as it fires.
fn steady_annotations(replay: &Replay<'_>, alert: usize, instance: usize) -> Vec<(String, String)> {
    let mut steady: Option<Vec<(String, String)>> = None;
    for (_, active) in replay.firings(alert, instance, None) {
        match &mut steady {
            None => steady = Some(active.annotations),
            Some(steady) => steady.retain(|annotation| active.annotations.contains(annotation)),
        }
    }
    let mut steady = steady.unwrap_or_default();
    // Between slashes it would be a pattern.
    steady.retain(|(_, text)| !text.starts_with('/'));
    steady
}

fn windows(instance: &Instance, start: Timestamp) -> String {
    laid_over(&[instance], start)
}

/// When any of some instances fires.
fn laid_over(instances: &[&Instance], start: Timestamp) -> String {
    let stretches = instances.iter().flat_map(|instance| &instance.stretches);
    let firing = stretches.filter(|it| it.state == AlertState::Firing);
    let mut firing: Vec<(Timestamp, Timestamp)> = firing
        .map(|it| (it.from, it.to.unwrap_or(Timestamp::MAX)))
        .collect();
    firing.sort_unstable();
    let mut joined: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, to) in firing {
        match joined.last_mut() {
            Some((_, last)) if from <= *last => *last = to.max(*last),
            _ => joined.push((from, to)),
        }
    }
    let windows = joined.into_iter().map(|(from, to)| {
        let to = match to {
            Timestamp::MAX => "end".to_owned(),
            to => Duration(to - start).to_string(),
        };
        format!("{{from: {}, to: {to}}}", Duration(from - start))
    });
    format!("[{}]", windows.collect::<Vec<String>>().join(", "))
}

/// A mapping below a key, a line an entry.
fn write_map(key: &str, entries: &[(&str, &str)], out: &mut String) {
    if entries.is_empty() {
        return;
    }
    let _ = writeln!(out, "        {key}:");
    for (name, text) in entries {
        let block = yaml::write_block(text, "            ", "\n");
        let value = block.unwrap_or_else(|| yaml::write_text(text));
        let _ = writeln!(out, "          {}: {value}", yaml::write_text(name));
    }
}

/// A series as a selector names it.
fn series(labels: &Labels) -> String {
    let rest = labels.without_metric();
    let is_name = |name: &str| {
        name.chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "_:".contains(letter))
            && !name.starts_with(|letter: char| letter.is_ascii_digit())
    };
    match (labels.get(METRIC_NAME), rest.is_empty()) {
        (Some(name), true) if is_name(name) => name.to_owned(),
        (Some(name), false) if is_name(name) => format!("{name}{}", rest.as_set()),
        _ => labels.as_set(),
    }
}

/// A text in one line, cut to a length.
fn short(text: &str, length: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.chars().count() > length {
        true => text.chars().take(length - 1).chain(['…']).collect(),
        false => text,
    }
}

/// A time as RFC 3339 has it.
fn moment(time: Timestamp) -> String {
    let time = chrono::DateTime::from_timestamp_millis(time).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
