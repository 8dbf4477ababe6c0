//! Sweeps: whatever way a point is computed, it is what a replay of the edited file yields.

#![expect(
    clippy::unwrap_used,
    reason = "a world that can't be made should stop the test"
)]

mod rule_sets;

use std::fs;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError};
use rulecheck::model::{Labels, METRIC_NAME, Millis, Timestamp};
use rulecheck::promql::ast::ExprKind;
use rulecheck::promql::{Features, Query};
use rulecheck::replay::{AlertState, AlertTimeline, OnRuleError, ReplaySpec, Schedule, needs};
use rulecheck::store::{Points, Series, Store, Writer, stale_marker};
use rulecheck::text::Source;
use rulecheck::whatif::{
    Axis, Extent, Grid, Incidents, Knob, KnobKind, Outcome, Paging, RuleSet, SweepMode, SweptAlert,
    World, sweep,
};

use rule_sets::{rule_set, yaml_files};

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
    /// Whether a series of the alert's own is there before it is evaluated.
    is_given: bool,
    on_error: OnRuleError,
}

fn world(case: &Case, length: Millis) -> World {
    let mut store = Store::default();
    if case.is_given {
        let labels = [
            (METRIC_NAME, "ALERTS"),
            ("alertname", "A"),
            ("alertstate", "pending"),
            ("instance", "0"),
            ("job", "a"),
        ];
        store.add(Series {
            labels: Labels::from_pairs(labels),
            points: Points::regular(START + 20 * MINUTE, MINUTE, vec![1.0; 9]),
            writer: Writer::INPUT,
        });
    }
    for (index, values) in case.series.iter().enumerate() {
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
    spec.on_error = case.on_error;
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
    let rules = rule_set("rules.yml", &case.rules).unwrap();
    let knobs = rules.knobs();
    let axes = case
        .axes
        .iter()
        .map(|text| Axis::parse(text, &knobs).unwrap());
    let grid = Grid::new(axes.collect()).unwrap();
    let length = (case.minutes as i64 - 1) * MINUTE + case.rest;
    let world = world(case, length);
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
    let errors = world.replay(&rules, |replay, _| replay.errors.clone());
    prop_assert_eq!(&swept.errors, &errors.unwrap());
    // The naive way is slow: of large grids only some points are looked at.
    for point in (0..grid.len()).step_by(grid.len() / 300 + 1) {
        let edited = rules.changed(&grid.point(point)).unwrap();
        let expected = world.replay(&edited.rules, |replay, groups| {
            let end = replay.stopped_at.unwrap_or(end);
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

const THRESHOLDS: [&str; 7] = [
    "3,5",
    "0,0.5,1,2,3,4,5,6,7,8,9,10",
    "-1,-0.0,Inf,-Inf,NaN,4.5,5,0x5",
    "2..8:0.5",
    "5",
    "0..9:0.1",
    "0..9:0.01",
];

const WAITS: [&str; 8] = [
    "0s",
    "1m",
    "0s,1m,90s,2m,3m,10m,4h",
    "0s..20m:30s",
    "5m,1m,0s",
    "7m",
    "1ms,59s999ms,1m,1m1ms,2m59s,200y",
    "0s..30m:17s",
];

/// What else is said of the alert.
const MORE: [&str; 6] = [
    "labels: {value: '{{ $value }}'}",
    "labels: {instance: same}",
    "labels: {page: '{{ $labels.instance }}'}",
    "keep_firing_for: 3m",
    "keep_firing_for: 61s",
    "",
];

/// The last moves with the alert's wait, which is an alias of it.
const INTERVALS: [&str; 4] = ["1m", "30s", "105s", "&every 2m"];

fn cases() -> impl Strategy<Value = Case> {
    let minutes = 90usize;
    let rule = (
        0usize..EXPRESSIONS.len(),
        prop::sample::select(MORE.to_vec()),
        0usize..6,
        prop::sample::select(INTERVALS.to_vec()),
    );
    let axes = (
        0usize..THRESHOLDS.len(),
        0usize..WAITS.len(),
        0usize..WAITS.len(),
        0u8..8,
    );
    let odd = (prop::bool::weighted(0.15), prop::bool::weighted(0.15));
    let incidents = prop::collection::vec((0usize..60, 0usize..50, 0usize..20), 0..4);
    let series = prop::collection::vec(values(minutes), 1..6);
    let rest = prop::sample::select(vec![0, 15_000, MINUTE - 15_000]);
    (rule, axes, incidents, series, rest, odd).prop_map(move |(rule, axes, gaps, series, rest, odd)| {
        let (expr, extra, also, interval) = rule;
        let also = match also {
            0 => "    - {alert: B, expr: 'count(ALERTS{alertname=\"A\", alertstate=\"pending\"}) > 0'}\n",
            1 => "    - {alert: A2, expr: m > 2, for: 1m}\n",
            2 => "    - {record: 's', expr: 'ALERTS_FOR_STATE{alertname=\"A\"}'}\n    - {alert: B, expr: s > 0}\n",
            _ => "",
        };
        let limit = if extra.is_empty() && also.is_empty() && expr == 3 { "    limit: 2\n" } else { "" };
        let hold = if interval.starts_with('&') { "*every" } else { "2m" };
        let rules = format!(
            "groups:\n- name: g\n  interval: {interval}\n{limit}  rules:\n    - {{record: r, expr: 'm * 1'}}\n    - alert: A\n      expr: {}\n      for: {hold}\n      {extra}\n{also}",
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
        // Replays are slow: too large a grid loses an axis. Where the interval moves, each point is one.
        let most = if interval.starts_with('&') { 20 } else { 1000 };
        let size = |all: &[String]| {
            let values = |axis: &String| match axis.contains(':') {
                true => 100,
                false => axis.split(',').count(),
            };
            all.iter().map(values).product::<usize>()
        };
        while size(&all) > most && all.len() > 1 {
            all.remove(series.len() % all.len());
        }
        if size(&all) > most {
            all = vec!["g/A.for=0s,1m,5m".to_owned()];
        }
        Case {
            rules,
            axes: all,
            series,
            minutes,
            incidents,
            rest,
            is_given: odd.0,
            on_error: match odd.1 {
                true => OnRuleError::Stop,
                false => OnRuleError::Continue,
            },
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
    let result = runner.run(&cases(), |case| {
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

/// A day of series that rules read, all that their selectors ask for: levels, and counters that stand, rise and fall back.
fn day_of(rules: &RuleSet, minutes: usize, random: &mut Random) -> World {
    let groups = rules.groups();
    let mut store = Store::default();
    for need in needs(&groups) {
        let query = Query::parse(&need.selector, &Features::ALL).unwrap();
        let ExprKind::Vector(selector) = &query.expr.kind else {
            continue;
        };
        for variant in ["a", "b"] {
            let mut labels: Vec<(String, String)> = vec![("instance".into(), variant.into())];
            for matcher in &selector.matchers {
                let first = matcher.value.trim_matches(['(', ')', '^', '$']);
                let first = first
                    .split('|')
                    .next()
                    .unwrap_or("")
                    .replace(".*", "1")
                    .replace(".+", "1");
                let values = [
                    matcher.value.clone(),
                    first,
                    "200".into(),
                    "500".into(),
                    variant.into(),
                    "".into(),
                ];
                let value = values.into_iter().find(|it| matcher.matches_value(it));
                labels.retain(|(name, _)| *name != matcher.name);
                labels.extend(
                    value
                        .filter(|it| !it.is_empty())
                        .map(|it| (matcher.name.clone(), it)),
                );
            }
            let is_bucket = need.selector.contains("_bucket");
            for le in if is_bucket {
                &["0.1", "1", "+Inf"][..]
            } else {
                &[""]
            } {
                let mut labels = labels.clone();
                if is_bucket && !labels.iter().any(|(name, _)| name == "le") {
                    labels.push(("le".into(), (*le).to_owned()));
                }
                let labels = Labels::from_pairs(labels);
                if store.label_sets().contains(&&labels) {
                    continue;
                }
                let mut points = Points::default();
                let (mut value, mut rate) = (random.below(50) as f64, 1.0);
                for minute in 0..minutes {
                    if random.below(40) == 0 {
                        rate = [0.0, 0.1, 1.0, 20.0, 400.0][random.below(5)];
                    }
                    value = match random.below(200) {
                        0 => 0.0,
                        _ => value + rate,
                    };
                    if random.below(300) > 0 {
                        points.push(START + minute as i64 * MINUTE, value);
                    }
                }
                store.add(Series {
                    labels,
                    points,
                    writer: Writer::INPUT,
                });
            }
        }
    }
    let mut spec = ReplaySpec::new(&[], store, START, START + minutes as i64 * MINUTE, MINUTE);
    spec.schedule = Schedule::Production;
    spec.on_error = OnRuleError::Continue;
    World::recorded("a day", spec)
}

/// Numbers that are the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }

    /// Some values that a knob may take.
    fn values(&mut self, knob: &Knob) -> String {
        let present: f64 = knob.value.parse().unwrap_or(1.0);
        let all: Vec<String> = match knob.kind {
            KnobKind::Threshold | KnobKind::Number => {
                let factors = [0.0, 0.01, 0.5, 0.9, 1.5, 3.0, 100.0];
                factors
                    .iter()
                    .map(|factor| (present * factor).to_string())
                    .collect()
            }
            KnobKind::Window | KnobKind::Step => {
                ["2m", "7m", "30m", "1h"].map(str::to_owned).into()
            }
            KnobKind::Offset => ["1m", "13m", "-2m"].map(str::to_owned).into(),
            _ => ["0s", "90s", "5m", "12m", "1h"].map(str::to_owned).into(),
        };
        let first = self.below(all.len());
        let mut values = vec![all[first].clone(), all[(first + 1) % all.len()].clone()];
        values.dedup();
        values.join(",")
    }
}

/// Every knob of every file takes random values, alone and with another; `RULECHECK_POINTS` says how many points.
#[test]
fn random_points_of_all_rules_are_replays_of_the_edited_files() {
    let asked = std::env::var("RULECHECK_POINTS").ok();
    let wanted: usize = asked.and_then(|text| text.parse().ok()).unwrap_or(120);
    let minutes = if wanted > 500 { 24 * 60 } else { 5 * 60 };
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut sets = Vec::new();
    for path in yaml_files(&["rules"]) {
        let (name, text) = (path.display().to_string(), fs::read(&path).unwrap());
        let Some(rules) = rule_set(&name, &String::from_utf8_lossy(&text)) else {
            continue;
        };
        if !rules.knobs().is_empty() {
            let world = day_of(&rules, minutes, &mut random);
            sets.push((name, rules, world));
        }
    }
    assert!(sets.len() >= 7, "{} files", sets.len());
    let (mut points, mut turn, mut moved) = (0, 0usize, 0);
    let mut next = vec![0usize; sets.len()];
    while points < wanted {
        let place = turn % sets.len();
        let (name, rules, world) = &sets[place];
        turn += 1;
        let knobs = rules.knobs();
        // One after the other, in steps that meet them all.
        next[place] = (next[place] + 7) % knobs.len();
        let first = &knobs[next[place]];
        let mut axes = vec![format!("{}={}", first.name, random.values(first))];
        let second = &knobs[random.below(knobs.len())];
        if random.below(2) == 0 && !second.is_same_text(first) {
            axes.push(format!("{}={}", second.name, random.values(second)));
        }
        let axes: Vec<Axis> = axes
            .iter()
            .map(|text| Axis::parse(text, &knobs).unwrap())
            .collect();
        let grid = Grid::new(axes).unwrap();
        let swept = match sweep(
            rules,
            world,
            &grid,
            &Incidents::default(),
            SweepMode::Columns,
        ) {
            Ok(swept) => swept,
            Err(error) => panic!("{name}: {error:?}"),
        };
        let outcomes = |rules: &RuleSet| {
            let outcomes = world.replay(rules, |replay, groups| {
                let alerts = replay.timeline.alerts.iter().map(|alert| alert.rule);
                alerts
                    .zip(world.outcomes(replay, groups))
                    .collect::<Vec<_>>()
            });
            outcomes.unwrap()
        };
        let base = outcomes(rules);
        for point in 0..grid.len() {
            points += 1;
            let edited = rules.changed(&grid.point(point)).unwrap();
            let expected = outcomes(&edited.rules);
            moved += usize::from(expected != base);
            let found: Vec<_> = swept.alerts.iter().zip(swept.point(point)).collect();
            let mut found = found.iter().peekable();
            for ((rule, expected), (_, before)) in expected.iter().zip(&base) {
                let is_it = |alert: &SweptAlert| alert.rule == *rule;
                let outcome = match found.next_if(|(alert, _)| is_it(alert)) {
                    Some((_, paging)) => paging.outcome,
                    None => before.outcome,
                };
                assert_eq!(
                    outcome,
                    expected.outcome,
                    "{name}: {:?}: {}",
                    grid.point(point),
                    expected.alert
                );
            }
            assert!(found.next().is_none(), "{name}: an alert of no rule");
        }
    }
    assert!(
        moved * 8 > points,
        "only {moved} of {points} points changed anything"
    );
}
