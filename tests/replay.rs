//! What a replay leaves behind: states and series that promtool confirms, and what rules do that fail.

#![expect(
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::process::Command;

use rulecheck::replay::{AlertState, OnRuleError, ReplaySpec, RuleId, Schedule, phase, replay};
use rulecheck::rules::{self, ReadOptions, RuleGroup};
use rulecheck::series::notation::{expand, parse_series, parse_values};
use rulecheck::store::{Series, Store, Writer};
use rulecheck::text::Source;

const MINUTE: i64 = 60_000;

/// The expectations of `fixtures/state-machine` hold here and, where it is installed, in promtool.
#[test]
fn states_and_series_are_those_of_promtool() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/state-machine/doors_test.yml"
    );
    let ours = Command::new(env!("CARGO_BIN_EXE_rulecheck"))
        .args(["test", file])
        .output()
        .unwrap();
    assert!(
        ours.status.success(),
        "{}{}",
        String::from_utf8_lossy(&ours.stdout),
        String::from_utf8_lossy(&ours.stderr)
    );
    let Ok(theirs) = Command::new("promtool")
        .args(["test", "rules", file])
        .output()
    else {
        println!("skipped: promtool is not installed");
        return;
    };
    assert!(
        theirs.status.success(),
        "{}",
        String::from_utf8_lossy(&theirs.stderr)
    );
}

/// Replays rules over series with a sample a minute, for as many minutes, and shows the errors and the stretches.
struct World<'w> {
    groups: &'w str,
    series: &'w [(&'w str, &'w str)],
    minutes: i64,
    on_error: OnRuleError,
    schedule: Schedule,
}

/// What is seen of a replay, minutes for times.
#[derive(Debug, PartialEq)]
struct Seen {
    errors: Vec<String>,
    stretches: Vec<String>,
    series: Vec<String>,
}

impl World<'_> {
    fn run(&self) -> Seen {
        let file = rules::read(
            &Source::new("rules.yml", self.groups),
            &ReadOptions::default(),
        );
        let file = file.unwrap();
        let groups: Vec<&RuleGroup> = file.groups.iter().collect();
        let end = self.minutes * MINUTE;
        let mut spec = ReplaySpec::new(&groups, self.store(), 0, end, MINUTE);
        spec.on_error = self.on_error;
        spec.schedule = self.schedule;
        let replay = replay(spec).unwrap();
        let name = |id: RuleId| groups[id.group].rules[id.rule].name.as_str();
        let errors = replay.errors.iter().map(|error| {
            format!(
                "{} at {}: {}",
                name(error.rule),
                error.at / MINUTE,
                error.message
            )
        });
        let mut stretches = Vec::new();
        for instance in replay
            .timeline
            .alerts
            .iter()
            .flat_map(|alert| &alert.instances)
        {
            for stretch in &instance.stretches {
                let state = match stretch.state {
                    AlertState::Pending => "pending",
                    AlertState::Firing => "firing",
                };
                let to = stretch
                    .to
                    .map_or_else(|| "end".to_owned(), |to| (to / MINUTE).to_string());
                stretches.push(format!(
                    "{} {state} {}..{to}",
                    instance.labels,
                    stretch.from / MINUTE
                ));
            }
        }
        let recorded = replay
            .store
            .iter()
            .filter(|series| series.writer != Writer::INPUT && series.labels.metric() != "ALERTS")
            .filter(|series| series.labels.metric() != "ALERTS_FOR_STATE");
        let series = recorded.map(|series| {
            let points = &series.points;
            let samples = (0..points.len()).map(|index| match points.values()[index] {
                value if rulecheck::store::is_stale(value) => {
                    format!(" {}:stale", points.time(index) / MINUTE)
                }
                value => format!(" {}:{value}", points.time(index) / MINUTE),
            });
            format!("{}{}", series.labels, samples.collect::<String>())
        });
        Seen {
            errors: errors.collect(),
            stretches,
            series: series.collect(),
        }
    }

    fn store(&self) -> Store {
        let mut store = Store::default();
        for (name, values) in self.series {
            let values = parse_values(values).unwrap();
            store.add(Series {
                labels: parse_series(name).unwrap(),
                points: expand(&values, 0, MINUTE, 1000).unwrap(),
                writer: Writer::INPUT,
            });
        }
        store
    }
}

const FAILING: &str = r#"
groups:
- name: g
  rules:
  - record: steady
    expr: m
  - alert: Twice
    expr: n > 0
    labels: {x: same}
    for: 1m
  - alert: Fine
    expr: m > 0
"#;

/// `n` is there twice at minute 2 and 3.
const TWICE: [(&str, &str); 3] = [
    ("m", "1 1 1 1 1 1 1"),
    (r#"n{x="a"}"#, "1 1 1 1 _ stale _"),
    (r#"n{x="b"}"#, "_ _ 1 1 1 stale _"),
];

#[test]
fn the_first_error_ends_a_test() {
    let seen = World {
        groups: FAILING,
        series: &TWICE,
        minutes: 6,
        on_error: OnRuleError::Stop,
        schedule: Schedule::Promtool,
    }
    .run();
    assert_eq!(
        seen.errors,
        ["Twice at 2: vector contains metrics with the same labelset after applying alert labels"]
    );
    // What the failed rule had stays, and the rules after it were still evaluated.
    assert_eq!(
        seen.stretches,
        [
            r#"{alertname="Twice", x="same"} pending 0..1"#,
            r#"{alertname="Twice", x="same"} firing 1..end"#,
            r#"{alertname="Fine"} firing 0..end"#,
        ]
    );
    assert!(seen.series.contains(&"steady 0:1 1:1 2:1".to_owned()));
}

#[test]
fn in_production_a_failed_rule_keeps_its_state() {
    let seen = World {
        groups: FAILING,
        series: &TWICE,
        minutes: 6,
        on_error: OnRuleError::Continue,
        schedule: Schedule::Production,
    }
    .run();
    let failed: Vec<&str> = seen
        .errors
        .iter()
        .filter_map(|error| error.split(':').next())
        .collect();
    // n{x="a"} is looked back for at minute 4.
    assert_eq!(failed, ["Twice at 2", "Twice at 3", "Twice at 4"]);
    assert_eq!(
        seen.stretches[..2],
        [
            r#"{alertname="Twice", x="same"} pending 0..1"#,
            r#"{alertname="Twice", x="same"} firing 1..5"#,
        ]
    );
}

#[test]
fn a_rule_over_its_limit_forgets_its_alerts() {
    let seen = World {
        groups: r#"
groups:
- name: g
  limit: 1
  rules:
  - alert: A
    expr: m > 0
    for: 2m
  - record: r
    expr: m
"#,
        series: &[
            (r#"m{x="a"}"#, "1 1 1 1 1 1 1"),
            (r#"m{x="b"}"#, "_ _ _ 1 stale _ _"),
        ],
        minutes: 6,
        on_error: OnRuleError::Continue,
        schedule: Schedule::Promtool,
    }
    .run();
    assert_eq!(
        seen.errors,
        [
            "A at 3: exceeded limit of 1 with 2 alerts",
            "r at 3: exceeded limit of 1 with 2 series",
        ]
    );
    assert_eq!(
        seen.stretches,
        [
            r#"{alertname="A", x="a"} pending 0..2"#,
            r#"{alertname="A", x="a"} firing 2..3"#,
            r#"{alertname="A", x="a"} pending 4..6"#,
            r#"{alertname="A", x="a"} firing 6..end"#,
        ]
    );
    // Nothing is written at minute 3, not even that the series of before are gone.
    assert_eq!(seen.series, [r#"r{x="a"} 0:1 1:1 2:1 4:1 5:1 6:1"#]);
}

#[test]
fn groups_keep_their_own_time_in_production() {
    let seen = World {
        groups: r#"
groups:
- name: slow
  interval: 3m
  rules:
  - record: slow
    expr: fast
- name: fast
  rules:
  - record: fast
    expr: vector(time() / 60)
"#,
        series: &[],
        minutes: 6,
        on_error: OnRuleError::Continue,
        schedule: Schedule::Production,
    }
    .run();
    // At equal times the slow group comes first and sees the minute before.
    assert_eq!(
        seen.series,
        ["fast 0:0 1:1 2:2 3:3 4:4 5:5 6:6", "slow 3:2 6:5"]
    );
}

#[test]
fn what_is_no_vector_fails() {
    let seen = World {
        groups: "groups: [{name: g, rules: [{record: r, expr: 'm[5m]'}, {record: s, expr: '1 + 1'}]}]",
        series: &[],
        minutes: 0,
        on_error: OnRuleError::Stop,
        schedule: Schedule::Promtool,
    }
    .run();
    assert_eq!(
        seen.errors,
        ["r at 0: rule result is not a vector or scalar"]
    );
    assert_eq!(seen.series, ["s 0:2"]);
}

/// Found with Prometheus 3.14: `EvalTimestamp` of groups of these files and names.
#[test]
fn phases_are_prometheus_own() {
    let long = |length: usize| format!("/p/{}", "x".repeat(length));
    let name = |length: usize| "n".repeat(length);
    let file = "/etc/prometheus/rules/a.yml".to_owned();
    for (file, group, interval, expected) in [
        (file.clone(), "node".to_owned(), 60_000, 29_204),
        (file.clone(), "api".to_owned(), 30_000, 23_749),
        (file, "slow".to_owned(), 300_000, 138_942),
        ("rules.yml".to_owned(), String::new(), 60_000, 30_473),
        (
            "rules/größe.yml".to_owned(),
            "Ünïcode group".to_owned(),
            15_000,
            6_334,
        ),
        (long(251), name(254), 60_000, 22_295),
        (long(252), name(255), 60_000, 52_818),
        (long(253), name(300), 60_000, 30_325),
        (long(70_000), name(256), 60_000, 23_065),
    ] {
        assert_eq!(phase(&file, &group, interval), expected, "{file} {group}");
    }
}
