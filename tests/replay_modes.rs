//! A replay in batches and one that goes moment by moment, rule by rule, leave the same behind; and what is explained of a
//! rule is what it saw.

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;
use rulecheck::model::{Histogram, Labels, Millis, Timestamp};
use rulecheck::promql::Features;
use rulecheck::promql::why::{Reading, Value};
use rulecheck::replay::{
    AlertValue, Explanation, Mode, OnRuleError, Question, Replay, ReplaySpec, RuleId, Schedule,
    replay,
};
use rulecheck::rules::{self, ReadOptions, RuleFile, RuleGroup};
use rulecheck::series::notation;
use rulecheck::store::{Points, Series, Store, Writer, is_stale, stale_marker};
use rulecheck::text::Source;

const INTERVAL: i64 = 60_000;

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn both_modes_agree(world in world()) {
        let fast = Observed::new(&world, Mode::Batches);
        let slow = Observed::new(&world, Mode::TickByTick);
        prop_assert_eq!(&fast.errors, &slow.errors, "errors of\n{}", world.rules);
        prop_assert_eq!(&fast.timeline, &slow.timeline, "timeline of\n{}", world.rules);
        prop_assert_eq!(&fast.series, &slow.series, "store of\n{}", world.rules);
        prop_assert_eq!(&fast.alerts, &slow.alerts, "alerts of\n{}", world.rules);
        prop_assert_eq!(&fast.annotations, &slow.annotations, "annotations of\n{}", world.rules);
    }

    #[test]
    fn explanations_see_what_rules_saw(world in world()) {
        let mut file = world.read();
        for (index, group) in (1..).zip(&mut file.groups) {
            group.phase = world.phase * index;
        }
        let groups: Vec<&RuleGroup> = file.groups.iter().collect();
        let replay = replay(world.spec(&groups)).expect("a short replay");
        let mut position = 0;
        for (group, rules) in groups.iter().enumerate() {
            for rule in 0..rules.rules.len() {
                position += 1;
                let id = RuleId { group, rule };
                for at in (0..=world.ticks.min(12)).map(|tick| world.start + tick * INTERVAL) {
                    let question = Question { at, depth: 1, about: &[] };
                    let explanation = replay.explain_rule(id, question).expect("a rule that was replayed");
                    let (seen, did) = (saw(&explanation), did(&replay, position, id, &explanation));
                    // Of two writers of one series only one writes.
                    let name = &rules.rules[rule].name;
                    let writers = replay.store.iter().filter(|it| it.labels.metric() == name);
                    let is_only = writers.into_iter().all(|it| it.writer.position == position);
                    match did {
                        Some(did) if is_only => {
                            prop_assert_eq!(seen, did, "{:?} at {} of\n{}", id, at, world.rules);
                        }
                        Some(did) => prop_assert!(did.iter().all(|value| seen.contains(value))),
                        None => {}
                    }
                }
            }
        }
    }
}

/// A histogram that the storage does not take ends its series, as if the rule had not returned it.
#[test]
fn a_refused_histogram_ends_its_series() {
    let world = World {
        rules: "groups:\n- name: g\n  rules:\n  - {record: r0, expr: 'm0 * (1 - (time() == bool 120) * 2)'}\n"
            .to_owned(),
        inputs: vec![(Labels::from_pairs([("__name__", "m0")]), vec!['h'; 5])],
        input_step: INTERVAL,
        start: 0,
        ticks: 4,
        schedule: Schedule::Promtool,
        phase: 0,
        on_error: OnRuleError::Continue,
    };
    for mode in [Mode::Batches, Mode::TickByTick] {
        let observed = Observed::new(&world, mode);
        let recorded = observed.series.iter().find(|line| line.starts_with("r0"));
        let recorded = recorded.expect("a recorded series");
        let marker = format!(" 120000:{:x} 180000:", stale_marker().to_bits());
        assert!(recorded.contains(&marker), "{mode:?}: {recorded}");
        assert_eq!(observed.errors.len(), 2, "{:?}", observed.errors);
    }
}

/// A group whose first evaluation lies beyond the end says nothing of its rules.
#[test]
fn what_is_never_evaluated_has_no_annotations() {
    let world = World {
        rules: "groups:\n- name: g\n  interval: 1h\n  rules:\n  - {record: r0, expr: 'last_over_time((sort(m0))[5m:])'}\n"
            .to_owned(),
        inputs: vec![(Labels::from_pairs([("__name__", "m0")]), vec!['1'; 30])],
        input_step: INTERVAL,
        start: INTERVAL,
        ticks: 20,
        schedule: Schedule::Production,
        phase: 0,
        on_error: OnRuleError::Continue,
    };
    for mode in [Mode::Batches, Mode::TickByTick] {
        let observed = Observed::new(&world, mode);
        assert_eq!(observed.annotations, Vec::<String>::new(), "{mode:?}");
    }
}

/// The values that a rule saw, by their bits, in order.
fn saw(explanation: &Explanation) -> Vec<String> {
    let explained = explanation.sections[0].explained.as_ref();
    let mut values: Vec<String> = match explained.map(|explained| &explained.root.value) {
        Some(Value::Vector(points)) => points.iter().map(|point| bits(&point.reading)).collect(),
        Some(Value::Scalar(value)) => vec![bits(&Reading::Float(*value))],
        _ => Vec::new(),
    };
    values.sort();
    values
}

fn bits(reading: &Reading) -> String {
    match reading {
        Reading::Float(value) => format!("{:x}", value.to_bits()),
        // What is known of resets changes when it is stored.
        Reading::Histogram(histogram) => {
            let mut text = histogram.test_expression();
            for hint in ["not_reset", "reset", "gauge"] {
                text = text.replace(&format!("counter_reset_hint:{hint}"), "");
            }
            text.replace(' ', "")
        }
    }
}

/// What a rule made of the values that it saw at an evaluation: what it recorded, or the values of its alerts. `None` where
/// it failed or was not evaluated.
fn did(
    replay: &Replay<'_>,
    position: u32,
    id: RuleId,
    explanation: &Explanation,
) -> Option<Vec<String>> {
    let section = &explanation.sections[0];
    let moment = section.evaluated.filter(|_| section.error.is_none())?;
    let mut values: Vec<String> = match section.state {
        Some(_) => {
            let standing = replay.standing(id, moment)?;
            let held = standing
                .alerts
                .into_iter()
                .filter(|alert| alert.quiet_since.is_none());
            let readings = held.map(|alert| match alert.value {
                AlertValue::Float(value) => Reading::Float(value),
                AlertValue::Histogram(histogram) => Reading::Histogram(histogram),
            });
            readings.map(|reading| bits(&reading)).collect()
        }
        None => {
            let written = replay
                .store
                .iter()
                .filter(|it| it.writer.position == position);
            let samples = written.filter_map(|series| {
                let stamp = moment - series.writer.offset;
                let index = series.points.count_until(stamp).checked_sub(1)?;
                let reading = match series.points.histogram(index) {
                    Some(histogram) => Reading::Histogram(Arc::clone(histogram)),
                    None => Reading::Float(series.points.values()[index]),
                };
                let is_stale = reading.float().is_some_and(is_stale);
                (series.points.time(index) == stamp && !is_stale).then(|| bits(&reading))
            });
            samples.collect()
        }
    };
    values.sort();
    Some(values)
}

/// `REPLAY_CASES` for a long run by hand.
fn cases() -> u32 {
    let wanted = std::env::var("REPLAY_CASES").ok();
    wanted.and_then(|cases| cases.parse().ok()).unwrap_or(150)
}

/// Rules with inputs.
#[derive(Debug, Clone)]
struct World {
    rules: String,
    inputs: Vec<(Labels, Vec<char>)>,
    input_step: i64,
    start: Timestamp,
    ticks: i64,
    schedule: Schedule,
    phase: Millis,
    on_error: OnRuleError,
}

/// Everything that a replay leaves behind, in comparable form.
struct Observed {
    errors: Vec<String>,
    timeline: String,
    series: Vec<String>,
    alerts: Vec<String>,
    annotations: Vec<String>,
}

impl Observed {
    fn new(world: &World, mode: Mode) -> Observed {
        let mut file = world.read();
        for (index, group) in (1..).zip(&mut file.groups) {
            group.phase = world.phase * index;
        }
        let groups: Vec<&RuleGroup> = file.groups.iter().collect();
        let mut spec = world.spec(&groups);
        spec.mode = mode;
        let replay = replay(spec).expect("a short replay");
        let errors = replay.errors.iter().map(|error| format!("{error:?}"));
        Observed {
            errors: errors.chain([format!("{:?}", replay.stopped_at)]).collect(),
            timeline: format!("{:#?}", replay.timeline),
            series: series(&replay),
            alerts: alerts(&replay, world),
            annotations: annotations(&replay),
        }
    }
}

/// Every recorded sample, by its bits.
fn series(replay: &Replay<'_>) -> Vec<String> {
    let stored = replay
        .store
        .iter()
        .filter(|series| !series.points.is_empty());
    let mut lines: Vec<String> = stored
        .map(|series| {
            let points = &series.points;
            let samples = (0..points.len()).map(|index| {
                let value = match points.histogram(index) {
                    Some(histogram) => format!("{histogram:?}"),
                    None => format!("{:x}", points.values()[index].to_bits()),
                };
                format!("{}:{value}", points.time(index))
            });
            let samples: Vec<String> = samples.collect();
            format!(
                "{} {:?} {}",
                series.labels,
                series.writer,
                samples.join(" ")
            )
        })
        .collect();
    lines.sort();
    lines
}

/// Every alert at every minute, annotations rendered.
fn alerts(replay: &Replay<'_>, world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    for alert in &replay.timeline.alerts {
        for at in (world.start..=world.end()).step_by(INTERVAL as usize) {
            let active = replay.firing_at(&alert.name, at).into_iter();
            for alert in active.chain(replay.pending_at(&alert.name, at)) {
                lines.push(format!("{at} {alert:?}"));
            }
        }
    }
    lines
}

/// What is said of the queries of rules, and where, without what is counted.
fn annotations(replay: &Replay<'_>) -> Vec<String> {
    let of_rules = replay.annotations.iter();
    of_rules
        .flat_map(|(rule, found)| found.iter().map(move |found| (rule, found)))
        .map(|(rule, found)| format!("{rule:?} {} {:?}", found.message, found.span))
        .collect()
}

/// Functions that are not on of themselves are replayed too.
fn features() -> Features {
    Features {
        experimental_functions: true,
        ..Features::default()
    }
}

impl World {
    fn end(&self) -> Timestamp {
        self.start + self.ticks * INTERVAL
    }

    fn read(&self) -> RuleFile {
        let source = Source::new("rules.yml", self.rules.as_str());
        let options = ReadOptions {
            features: features(),
            ..ReadOptions::default()
        };
        match rules::read(&source, &options) {
            Ok(file) => file,
            Err(faults) => {
                let mut text = self.rules.clone();
                for fault in faults {
                    let _ = write!(text, "\n{fault}");
                }
                panic!("{text}")
            }
        }
    }

    fn spec<'a>(&self, groups: &'a [&'a RuleGroup]) -> ReplaySpec<'a> {
        let mut spec = ReplaySpec::new(groups, self.store(), self.start, self.end(), INTERVAL);
        spec.features = features();
        spec.schedule = self.schedule;
        spec.on_error = self.on_error;
        spec.external_labels = Labels::from_pairs([("cluster", "c")]);
        spec
    }

    fn store(&self) -> Store {
        let mut store = Store::default();
        for (labels, values) in &self.inputs {
            let mut points = Points::default();
            for (index, letter) in values.iter().enumerate() {
                let time = self.start + index as i64 * self.input_step;
                match letter.to_digit(10) {
                    Some(digit) => points.push(time, f64::from(digit)),
                    None if *letter == 's' => points.push(time, stale_marker()),
                    None if *letter != '.' => points.push_histogram(time, histogram(*letter)),
                    None => {}
                }
            }
            let is_full = values.iter().all(char::is_ascii_digit);
            if is_full && points.len() > 1 {
                let values = points.values().to_vec();
                points = Points::regular(self.start, self.input_step, values);
            }
            if store.iter().all(|series| series.labels != *labels) {
                store.add(Series {
                    labels: labels.clone(),
                    points,
                    writer: Writer::INPUT,
                });
            }
        }
        store
    }
}

/// A small native histogram for a letter.
fn histogram(letter: char) -> Arc<Histogram> {
    let text = match letter {
        'h' => "{{schema:0 count:3 sum:4 buckets:[1 2]}}",
        'g' => "{{schema:0 count:2 sum:1 counter_reset_hint:gauge buckets:[2]}}",
        'c' => "{{schema:-53 count:3 sum:4 custom_values:[1 2] buckets:[1 2]}}",
        _ => "{{schema:0 count:6 sum:9 buckets:[2 3 1]}}",
    };
    let histogram = notation::parse_histogram(text).expect("a histogram");
    Arc::new(histogram)
}

fn world() -> impl Strategy<Value = World> {
    let start = prop::sample::select(vec![0, 0, 0, -600_000, 1_001]);
    let ticks = prop::sample::select(vec![0i64, 5, 20, 64, 70, 130]);
    let input_step = prop::sample::select(vec![60_000i64, 30_000, 45_000]);
    let inputs = prop::collection::vec((input_labels(), values()), 2..8);
    let groups = prop::collection::vec(group(), 1..4);
    let schedule = prop_oneof![Just(Schedule::Promtool), Just(Schedule::Production)];
    let phase = prop::sample::select(vec![0i64, 0, 7_000, 30_000]);
    let on_error = prop_oneof![Just(OnRuleError::Stop), Just(OnRuleError::Continue)];
    let times = (start, ticks, input_step);
    (times, inputs, groups, schedule, phase, on_error).prop_map(
        |((start, ticks, input_step), inputs, groups, schedule, phase, on_error)| {
            let mut rules = "groups:\n".to_owned();
            for (index, group) in groups.iter().enumerate() {
                let _ = writeln!(rules, "- name: g{index}\n{group}");
            }
            World {
                rules,
                inputs,
                input_step,
                start,
                ticks,
                schedule,
                phase,
                on_error,
            }
        },
    )
}

fn input_labels() -> impl Strategy<Value = Labels> {
    // Sometimes an input lies under a recorded name.
    let name = prop::sample::select(vec!["m0", "m0", "m0", "m1", "m1", "m2", "r0"]);
    let job = prop::sample::select(vec!["a", "b"]);
    let instance = prop::sample::select(vec!["i0", "i1", ""]);
    (name, job, instance).prop_map(|(name, job, instance)| {
        Labels::from_pairs([("__name__", name), ("job", job), ("instance", instance)])
    })
}

fn values() -> impl Strategy<Value = Vec<char>> {
    let letter = prop::sample::select(vec![
        '0', '1', '2', '7', '.', 's', '1', '1', 'h', 'H', 'g', 'c',
    ]);
    prop::collection::vec((letter, 1usize..15), 1..14).prop_map(|runs| {
        let letters = runs.into_iter().flat_map(|(letter, length)| {
            // One stale marker, then nothing.
            std::iter::once(letter).chain(std::iter::repeat_n(
                if letter == 's' { '.' } else { letter },
                length - 1,
            ))
        });
        letters.collect()
    })
}

fn group() -> impl Strategy<Value = String> {
    let head = prop_oneof![
        6 => Just(String::new()),
        1 => prop::sample::select(vec!["30s", "60s", "90s", "5m", "1ms"]).prop_map(|offset| format!("  query_offset: {offset}\n")),
        1 => (1..4).prop_map(|limit| format!("  limit: {limit}\n")),
        1 => prop::sample::select(vec!["30s", "2m", "90s", "7m", "1h", "59s999ms"]).prop_map(|interval| format!("  interval: {interval}\n")),
        1 => Just("  labels: {grp: q}\n".to_owned()),
    ];
    let rule = prop_oneof![recording(), alerting()];
    (head, prop::collection::vec(rule, 1..4))
        .prop_map(|(head, rules)| format!("{head}  rules:\n{}", rules.join("\n")))
}

fn recording() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["r0", "r1", "r2", "r3"]);
    let labels = prop::sample::select(vec!["", "", "", "{team: x}", "{instance: ''}", "{job: a}"]);
    let other = prop::sample::select(vec!["time()", "scalar(m0)", "m0[5m]", "\"text\""]);
    let expr = prop_oneof![20 => expr(), 1 => other.prop_map(str::to_owned)];
    (name, expr, labels).prop_map(|(name, expr, labels)| {
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("\n    labels: {labels}")
        };
        format!("  - record: {name}\n    expr: '{expr}'{labels}")
    })
}

fn alerting() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["A0", "A1", "A2"]);
    let hold = prop::sample::select(vec!["0s", "1m", "2m", "90s", "5m"]);
    let keep = prop::sample::select(vec!["0s", "0s", "1m", "150s", "10m"]);
    let labels = prop::sample::select(vec![
        "{}",
        "{}",
        "{severity: page}",
        "{severity: page, who: \"{{ $labels.job }}\"}",
        "{v: \"{{ if gt $value 1.0 }}hi{{ else }}lo{{ end }}\"}",
        "{instance: \"\", none: \"{{ $labels.nope }}\"}",
        "{q: \"{{ with query `m0` }}{{ . | first | value }}{{ end }}\"}",
        "{alertstate: \"{{ $labels.job }}\"}",
        "{alertstate: odd}",
        "{v: \"{{ $value }}\"}",
        "{v: \"{{ now }}\"}",
        "{cluster: c, job: b}",
    ]);
    let annotation = prop::sample::select(vec![
        "{{ $value }}",
        "{{ $labels.instance }} of {{ $externalLabels.cluster }}",
        "{{ with query `ALERTS` }}{{ len . }}{{ end }}",
        "{{ range query `r0` }}{{ .Value }};{{ end }}",
    ]);
    let bound = prop::sample::select(vec!["> 0", "> 1", "< 2", "!= 1", ">= 0"]);
    (name, expr(), bound, hold, keep, labels, annotation).prop_map(
        |(name, expr, bound, hold, keep, labels, annotation)| {
            format!(
                "  - alert: {name}\n    expr: '({expr}) {bound}'\n    for: {hold}\n    keep_firing_for: {keep}\n    labels: {labels}\n    annotations: {{a: \"{annotation}\"}}"
            )
        },
    )
}

fn expr() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["m0", "m0", "m1", "m1", "m2", "r0", "r1", "r2", "r3"]);
    let matchers = prop::sample::select(vec![
        "",
        "",
        "",
        "{job=\"a\"}",
        "{instance=~\"i0|i1\"}",
        "{team!=\"x\"}",
    ]);
    let shift = prop::sample::select(vec![
        "",
        "",
        "",
        "",
        " offset 1m",
        " offset -2m",
        " @ 600",
        " @ end()",
        " @ start() offset -1m",
        " offset -1ms",
    ]);
    let selector = (name.clone(), matchers, shift)
        .prop_map(|(name, matchers, shift)| format!("{name}{matchers}{shift}"));
    let window = prop::sample::select(vec![
        "rate",
        "changes",
        "sum_over_time",
        "count_over_time",
        "last_over_time",
        "avg_over_time",
        "first_over_time",
        "max_over_time",
        "irate",
        "increase",
        "resets",
        "absent_over_time",
        "stddev_over_time",
        "ts_of_max_over_time",
    ]);
    let range = prop::sample::select(vec![
        "2m", "5m", "10m", "1ms", "61s", "3h", "5m:1m", "5m:", "4m:30s", "4m:17s",
    ]);
    let over_time = (window, name, range).prop_map(|(function, name, range)| {
        match (function, range.contains(':')) {
            ("rate", true) => format!("rate({name}[5m])"),
            _ => format!("{function}({name}[{range}])"),
        }
    });
    let fixed = prop::sample::select(vec![
        "ALERTS",
        "ALERTS{alertstate=\"firing\"}",
        "count(ALERTS)",
        "ALERTS_FOR_STATE{alertname=\"A0\"}",
        "{__name__=~\"r.|m0\",job=\"a\"}",
        "vector(time())",
        "vector(1)",
        "absent(m2)",
        "vector(scalar(m2))",
        "count_values(\"val\", m0)",
        "label_replace(m0, \"job\", \"a\", \"job\", \"b\")",
        "info(m0, {__name__=\"m1\",team=\"x\"})",
        "m0 * (1 - 2 * (m1 > bool 1))",
        "m0 * (1 - (time() > bool 300) * 2)",
        "topk(scalar(m1{job=\"a\"}), m0)",
    ]);
    let leaf = prop_oneof![4 => selector, 2 => over_time, 1 => fixed.prop_map(str::to_owned)];
    leaf.prop_recursive(2, 6, 2, |inner| {
        let vector = |text: String| format!("({text})");
        let aggregation = prop::sample::select(vec![
            "sum by (job)",
            "max",
            "count by (instance)",
            "sum without (instance)",
            "topk by (job) (1,",
            "stddev by (job)",
        ]);
        let operator = prop::sample::select(vec![
            "+",
            "*",
            "and",
            "or",
            "unless",
            "> on (job) group_left ()",
            "/ on (job)",
            "-",
        ]);
        prop_oneof![
            (aggregation, inner.clone()).prop_map(move |(op, inner)| {
                match op.ends_with(',') {
                    true => format!("{op} {inner})"),
                    false => format!("{op} {}", vector(inner)),
                }
            }),
            (inner.clone(), operator, inner)
                .prop_map(move |(a, op, b)| { format!("({a}) {op} ({b})") }),
        ]
    })
}
