//! Sweeps: whatever way a point is computed, it is what a replay of the edited file yields.

#![expect(
    clippy::unwrap_used,
    reason = "a world that can't be made should stop the test"
)]

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError};
use rulecheck::model::{Labels, METRIC_NAME, Millis, Timestamp};
use rulecheck::replay::{AlertState, AlertTimeline, OnRuleError, ReplaySpec, Schedule};
use rulecheck::rules::{self, ReadOptions};
use rulecheck::store::{Points, Series, Store, Writer, stale_marker};
use rulecheck::text::Source;
use rulecheck::whatif::{
    Axis, Extent, Grid, Incidents, Outcome, Paging, RuleSet, SweepMode, World, sweep,
};

const MINUTE: Millis = 60_000;
const START: Timestamp = 1_767_600_000_000;

/// What a random world is made of.
#[derive(Debug, Clone)]
struct Case {
    rules: String,
    axes: Vec<String>,
    series: Vec<Vec<Option<f64>>>,
    minutes: usize,
    incidents: Vec<(usize, usize, usize)>,
    /// What is between the last evaluation and the end.
    rest: Millis,
}

fn rule_set(text: &str) -> RuleSet {
    let reading = ReadOptions::default();
    let file = rules::read(&Source::new("rules.yml", text), &reading).unwrap();
    RuleSet {
        files: vec![file],
        specs: None,
        reading,
    }
}

fn world(series: &[Vec<Option<f64>>], length: Millis) -> World {
    let mut store = Store::default();
    for (index, values) in series.iter().enumerate() {
        let mut points = Points::default();
        for (minute, value) in values.iter().enumerate() {
            if let Some(value) = value {
                points.push(START + minute as i64 * MINUTE, *value);
            }
        }
        let metric = if index % 4 == 3 { "n" } else { "m" };
        let instance = (index / 4 * 3 + index % 4).to_string();
        let labels = [
            (METRIC_NAME, metric),
            ("instance", instance.as_str()),
            ("job", if index % 2 == 0 { "a" } else { "b" }),
        ];
        store.add(Series {
            labels: Labels::from_pairs(labels),
            points,
            writer: Writer::INPUT,
        });
    }
    let mut spec = ReplaySpec::new(&[], store, START, START + length, MINUTE);
    spec.schedule = Schedule::Production;
    spec.on_error = OnRuleError::Continue;
    World::recorded("random", spec)
}

/// A page, an incident: what is asked of a moment is asked of every millisecond that matters.
fn naive(
    alert: &AlertTimeline,
    end: Timestamp,
    incidents: &[(Timestamp, Timestamp, Timestamp)],
) -> Paging {
    let fires = |moment: Timestamp| {
        let mut instances = alert.instances.iter();
        instances.any(|it| {
            it.stretch_at(moment)
                .is_some_and(|it| it.state == AlertState::Firing)
        })
    };
    let step = MINUTE / 4;
    let moments: Vec<Timestamp> = (0..)
        .map(|index| START + index * step)
        .take_while(|moment| *moment <= end)
        .collect();
    let (mut pages, mut justified, mut before, mut counted) = (0, 0, false, false);
    for &moment in &moments {
        let now = fires(moment);
        if now && !before {
            pages += 1;
            counted = false;
        }
        let overlaps =
            |&(start, end, _): &(Timestamp, Timestamp, Timestamp)| start <= moment && moment <= end;
        if now && !counted && incidents.iter().any(overlaps) {
            justified += 1;
            counted = true;
        }
        before = now;
    }
    let detected = incidents.iter().map(|&(start, _, reach)| {
        let mut within = moments.iter().filter(|it| start <= **it && **it <= reach);
        within.find(|it| fires(**it)).map(|it| it - start)
    });
    Paging {
        outcome: Outcome::of(alert, end),
        pages,
        justified,
        detected: detected.collect(),
    }
}

/// Holds every point of a sweep against a replay of the text that it means; how many points were evaluated again.
fn check(case: &Case, mode: SweepMode) -> Result<usize, TestCaseError> {
    let rules = rule_set(&case.rules);
    let knobs = rules.knobs();
    let axes = case
        .axes
        .iter()
        .map(|text| Axis::parse(text, &knobs).unwrap());
    let grid = Grid::new(axes.collect()).unwrap();
    let length = (case.minutes as i64 - 1) * MINUTE + case.rest;
    let world = world(&case.series, length);
    let end = START + length;
    let quarter = |quarters: usize| quarters as i64 * MINUTE / 4;
    let times: Vec<(Timestamp, Timestamp, Timestamp)> = case
        .incidents
        .iter()
        .map(|&(start, length, grace)| {
            let start = START + quarter(start);
            (
                start,
                start + quarter(length),
                start + quarter(length + grace),
            )
        })
        .collect();
    let lines = times.iter().map(|(start, end, reach)| {
        let seconds = |time: Timestamp| time as f64 / 1000.0;
        format!(
            "- {{start: {}, end: {}, grace: {}ms, alerts: [A]}}\n",
            seconds(*start),
            seconds(*end),
            reach - end
        )
    });
    let incidents = match times.is_empty() {
        true => Incidents::default(),
        false => {
            let text = format!("incidents:\n{}", lines.collect::<String>());
            let alerts = [("g".to_owned(), "A".to_owned())];
            let extent = Extent {
                start: START,
                end,
                alerts: &alerts,
            };
            Incidents::read(&Source::new("incidents.yml", text), extent).unwrap()
        }
    };
    let swept = sweep(&rules, &world, &grid, &incidents, mode).unwrap();
    for point in 0..grid.len() {
        let edited = rules.changed(&grid.point(point)).unwrap();
        let expected = world.replay(&edited.rules, |replay, groups| {
            let alerts = replay.timeline.alerts.iter();
            let alerts = alerts.map(|alert| {
                let watched: &[_] = if alert.name == "A" { &times } else { &[] };
                (
                    groups[alert.rule.group].name.clone(),
                    alert.name.clone(),
                    naive(alert, end, watched),
                )
            });
            alerts.collect::<Vec<_>>()
        });
        let expected = expected.unwrap();
        let found = swept.point(point);
        prop_assert_eq!(found.len(), swept.alerts.len());
        for (alert, paging) in swept.alerts.iter().zip(found) {
            let mut same = expected
                .iter()
                .filter(|it| it.0 == alert.group && it.1 == alert.alert);
            let (_, _, expected) = same.next().unwrap();
            prop_assert_eq!(
                paging,
                expected,
                "{} of point {} {:?}",
                alert.alert,
                point,
                mode
            );
        }
        // What is not looked at does as it did.
        prop_assert!(
            expected.iter().all(|it| it.1 != "A") || swept.alerts.iter().any(|it| it.alert == "A")
        );
    }
    Ok(swept.evaluated_again)
}

/// Values of a series: runs of a level with noise, holes, stale markers and no numbers between.
fn values(minutes: usize) -> impl Strategy<Value = Vec<Option<f64>>> {
    let run = (0u8..12, 1usize..14, 0u8..4, any::<u32>());
    prop::collection::vec(run, 1..12).prop_map(move |runs| {
        let mut values = Vec::new();
        for (level, length, noise, seed) in runs {
            for index in 0..length {
                let bits = seed.rotate_left(index as u32 * 3) % 4;
                let wobble = f64::from(bits * u32::from(noise)) / 2.0;
                values.push(match (level, bits) {
                    (0, _) => None,
                    (1, 0) => Some(f64::NAN),
                    (1, 1) => Some(stale_marker()),
                    (2, 2) => Some(f64::INFINITY),
                    (2, 3) => Some(-0.0),
                    _ => Some(f64::from(level) - 1.0 + wobble),
                });
            }
        }
        values.resize(minutes, Some(2.0));
        values
    })
}

const EXPRESSIONS: [&str; 16] = [
    "m > 5",
    "m >= 5",
    "m < 5",
    "m <= 5",
    "5 < m",
    "(m) > (2 * 2.5)",
    "-m < -4",
    "sum by (job) (m) > 8",
    "m > 5 and on() n > 2",
    "m > 5 unless on(job) n > 4",
    "(m > 5 and on() n > 2) unless on() n > 6",
    "m > 3 or n > 4",
    "m > 3 < 9",
    "m == 3",
    "max_over_time(m[4m]) > 5 and on(instance) m > 1",
    "r + 1 > 5",
];

const THRESHOLDS: [&str; 6] = [
    "3,5",
    "0,0.5,1,2,3,4,5,6,7,8,9,10",
    "-1,-0.0,Inf,-Inf,NaN,4.5,5,0x5",
    "2..8:0.5",
    "5",
    "0..9:0.1",
];

const WAITS: [&str; 6] = [
    "0s",
    "1m",
    "0s,1m,90s,2m,3m,10m,4h",
    "0s..20m:30s",
    "5m,1m,0s",
    "7m",
];

fn cases() -> impl Strategy<Value = Case> {
    let minutes = 90usize;
    let rule = (0usize..EXPRESSIONS.len(), 0usize..6, 0usize..6);
    let axes = (
        0usize..THRESHOLDS.len(),
        0usize..WAITS.len(),
        0usize..WAITS.len(),
        0u8..8,
    );
    let incidents = prop::collection::vec((0usize..60, 0usize..50, 0usize..20), 0..4);
    let series = prop::collection::vec(values(minutes), 1..6);
    let rest = prop::sample::select(vec![0, 15_000, MINUTE - 15_000]);
    (rule, axes, incidents, series, rest).prop_map(move |(rule, axes, gaps, series, rest)| {
        let (expr, extra, also) = rule;
        let extra = match extra {
            0 => "      labels: {value: '{{ $value }}'}\n",
            1 => "      labels: {instance: same}\n",
            2 => "      labels: {page: '{{ $labels.instance }}'}\n",
            _ => "",
        };
        let also = match also {
            0 => "    - {alert: B, expr: 'count(ALERTS{alertname=\"A\", alertstate=\"pending\"}) > 0'}\n",
            1 => "    - {alert: A2, expr: m > 2, for: 1m}\n",
            2 => "    - {record: 's', expr: 'ALERTS_FOR_STATE{alertname=\"A\"}'}\n    - {alert: B, expr: s > 0}\n",
            _ => "",
        };
        let limit = if extra.is_empty() && also.is_empty() && expr == 3 { "    limit: 2\n" } else { "" };
        let rules = format!(
            "groups:\n- name: g\n{limit}  rules:\n    - {{record: r, expr: 'm * 1'}}\n    - alert: A\n      expr: {}\n      for: 2m\n{extra}{also}",
            EXPRESSIONS[expr]
        )
        .replace("    limit", "  limit");
        let (thresholds, hold, keep, which) = axes;
        let mut all = Vec::new();
        if which & 1 == 0 {
            all.push(format!("g/A.threshold[1]={}", THRESHOLDS[thresholds]));
        }
        if which & 2 == 0 {
            all.push(format!("g/A.for={}", WAITS[hold]));
        }
        if which & 4 == 0 {
            all.push(format!("g/A.keep_firing_for={}", WAITS[keep]));
        }
        if expr == 15 && which == 7 {
            all.push("g/r.number[1]=1,2,0.5".to_owned());
        }
        if all.is_empty() {
            all.push("g/A.threshold[1]=4,5".to_owned());
        }
        // One after the other, so that they do not overlap.
        let mut incidents = Vec::new();
        let mut at = 0;
        for (gap, length, grace) in gaps {
            if at + gap + length < minutes * 4 - 4 {
                incidents.push((at + gap, length, grace));
                at += gap + length + 1;
            }
        }
        Case {
            rules,
            axes: all,
            series,
            minutes,
            incidents,
            rest,
        }
    })
}

fn case_count(usual: u32) -> u32 {
    let asked = std::env::var("RULECHECK_SWEEPS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn every_point_is_a_replay_of_the_edited_text() {
    let config = Config {
        cases: case_count(48),
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let mut from_columns = std::cell::Cell::new(0);
    let result = runner.run(&cases(), |mut case| {
        // The naive way is slow: large grids are thinned out.
        let values = |axis: &String| match axis.contains(':') {
            true => 60,
            false => axis.split(',').count(),
        };
        if case.axes.iter().map(values).product::<usize>() > 400 {
            case.axes.truncate(1);
        }
        let again = check(&case, SweepMode::Columns)?;
        from_columns.set(from_columns.get() + usize::from(again == 0));
        Ok(())
    });
    result.unwrap();
    assert!(
        *from_columns.get_mut() > 10,
        "{from_columns:?} from columns"
    );
}
