//! The page of `whatif --format html`, in a browser: what it works out is what a replay of the changed rules yields.
//!
//! Needs Chromium and its driver, and says that it was skipped where there are none; with `RULECHECK_BROWSER` set it fails
//! there. `RULECHECK_SEED` is where chance begins (1).

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop where something is not as it should be"
)]

mod browser;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use rulecheck::model::{Labels, Timestamp};
use rulecheck::replay::{ALERT_NAME, OnRuleError, ReplaySpec};
use rulecheck::report::page::Page;
use rulecheck::rules::{self, ReadOptions};
use rulecheck::store::{Points, Series, Store, Writer, stale_marker};
use rulecheck::text::Source;
use rulecheck::whatif::{Change, Incident, Knob, KnobKind, Live, RuleSet, World};
use serde_json::{Value, json};

use browser::Browser;

const MINUTE: i64 = 60_000;

/// What instances of alerts do: by alert, by labels, the windows.
type Deeds = Vec<(
    String,
    BTreeMap<String, Vec<(String, Timestamp, Option<Timestamp>)>>,
)>;

/// What the page says that they do.
fn shown(browser: &Browser) -> Deeds {
    let alerts = browser.run("return rulecheck.windows()", json!([]));
    let alerts = alerts.as_array().unwrap().iter();
    let of_alert = |alert: &Value| {
        let instances = alert["instances"].as_array().unwrap().iter();
        let instances = instances.filter_map(|instance| {
            let windows = instance["windows"].as_array().unwrap().iter();
            let windows: Vec<_> = windows
                .map(|it| {
                    let state = it[0].as_str().unwrap().to_owned();
                    (state, it[1].as_i64().unwrap(), it[2].as_i64())
                })
                .collect();
            let labels = instance["labels"].as_object().unwrap();
            let labels = labels
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().unwrap()));
            let labels: BTreeMap<String, &str> = labels.collect();
            (!windows.is_empty()).then(|| (format!("{labels:?}"), windows))
        });
        (
            alert["alert"].as_str().unwrap().to_owned(),
            instances.collect(),
        )
    };
    alerts.map(of_alert).collect()
}

/// What a replay says that they do.
fn replayed(world: &World, rules: &RuleSet) -> Deeds {
    let deeds = world.replay(rules, |replay, _| {
        let alerts = replay.timeline.alerts.iter();
        let alerts = alerts.map(|alert| {
            let instances = alert.instances.iter().map(|instance| {
                let labels = instance.labels.iter();
                let labels = labels.filter(|(name, _)| *name != ALERT_NAME);
                let labels: BTreeMap<String, &str> = labels
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect();
                let windows = instance.stretches.iter();
                let windows = windows.map(|it| (it.state.name().to_owned(), it.from, it.to));
                (format!("{labels:?}"), windows.collect())
            });
            (alert.name.clone(), instances.collect())
        });
        alerts.collect()
    });
    deeds.unwrap()
}

/// A folder that goes with its owner.
struct Folder(snapbox::dir::DirRoot);

impl Folder {
    fn new() -> Folder {
        Folder(snapbox::dir::DirRoot::mutable_temp().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().unwrap().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// Numbers that look like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}

/// The values that series have; several of them are thresholds, too.
const VALUES: [f64; 12] = [
    0.0,
    -0.0,
    1.0,
    2.0,
    2.5,
    0.1 + 0.2,
    -1.0,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    1e300,
    5e-324,
];

const THRESHOLDS: [&str; 12] = [
    "0",
    "1",
    "2.5",
    "0.3",
    "0.30000000000000004",
    "-1",
    "1e300",
    "Inf",
    "NaN",
    "5e-324",
    "3",
    "-2",
];

const WAITS: [&str; 7] = ["0s", "30s", "1m", "2m", "90s", "7m", "1h"];

/// Expressions of every kind: `M` is a metric of their own, `T` a threshold.
const FORMS: [&str; 20] = [
    "M > T",
    "T < M",
    "M >= T * T",
    "M <= T + T / T",
    "(M < T) and on (i) other",
    "M == T unless on (i) other",
    "M != - T",
    "((M) > (-(T)))",
    "M > T % T - T",
    "max by (i) (M) - 1 > T",
    "M * on () group_left one_or_two > T",
    "M > bool T",
    "M > T or M < -5",
    "M",
    "M > T < 7",
    "{__name__=~\"M|other\"} > T",
    "M > 2 ^ T",
    "M > other",
    "count(ALERTS{alertname=\"A0\"}) > T",
    "M and on (i) other > T",
];

/// Rules that have each form often, with any waits; some have limits, some labels that hang on values.
fn random_rules(chance: &mut Chance, rounds: usize) -> String {
    let mut text = "groups:\n".to_owned();
    for number in 0..rounds * FORMS.len() {
        let mut expr = FORMS[number % FORMS.len()].replace('M', &format!("m{number}"));
        while expr.contains('T') && !expr.contains("ALERTS") || expr.ends_with('T') {
            let at = expr.rfind('T').unwrap();
            let bound: &str = chance.of::<&str>(&["1", "2.5", "0.3", "0", "2"]);
            expr.replace_range(at..=at, bound);
        }
        let limit = if chance.below(5) == 0 { 1 } else { 0 };
        let (hold, keep) = (chance.of(&WAITS), chance.of(&WAITS));
        let interval = chance.of(&["30s", "1m", "1m"]);
        text.push_str(&format!(
            "- name: g{number}\n  interval: {interval}\n  limit: {limit}\n  rules:\n  - alert: A{number}\n    expr: '{expr}'\n    for: {hold}\n"
        ));
        if chance.below(2) == 0 {
            text.push_str(&format!("    keep_firing_for: {keep}\n"));
        }
        if chance.below(6) == 0 {
            text.push_str("    labels: {v: 'at {{ $value }}'}\n");
        }
    }
    text
}

/// A column of runs: of one value, of many, of nothing.
fn points(chance: &mut Chance, count: i64) -> Points {
    let mut points = Points::default();
    let (mut left, mut kind) = (0, 0);
    let mut value = 0.0;
    for minute in 0..count {
        if left == 0 {
            left = 1 + chance.below(12);
            kind = chance.below(4);
            value = *chance.of(&VALUES);
        }
        left -= 1;
        let sample = match kind {
            0 => stale_marker(),
            1 => *chance.of(&VALUES),
            2 => chance.below(1000) as f64 / 300.0,
            _ => value,
        };
        points.push(minute * MINUTE, sample);
    }
    points
}

fn random_data(chance: &mut Chance, metrics: usize) -> Store {
    let mut store = Store::default();
    let mut add = |name: &str, instance: &str, points: Points| {
        let labels = Labels::from_pairs([("__name__", name), ("i", instance)]);
        let writer = Writer::INPUT;
        store.add(Series {
            labels,
            points,
            writer,
        });
    };
    for metric in 0..metrics {
        for instance in ["0", "</script><b>\u{202e}\"'"]
            .iter()
            .take(1 + chance.below(2))
        {
            add(&format!("m{metric}"), instance, points(chance, 240));
        }
    }
    for (name, instance) in [("other", "0"), ("one_or_two", "0"), ("one_or_two", "1")] {
        add(name, instance, points(chance, 240));
    }
    store
}

/// The knobs that the page lets move.
fn movable(browser: &Browser) -> Vec<String> {
    let names = browser.run("return rulecheck.knobs()", json!([]));
    let names = names.as_array().unwrap().iter();
    names
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_machine_of_the_page_is_that_of_a_replay() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let seed = std::env::var("RULECHECK_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut chance = Chance(seed);
    let rounds = 4;
    let text = random_rules(&mut chance, rounds);
    let reading = ReadOptions::default();
    let file = rules::read(&Source::new("rules.yml", text.as_str()), &reading);
    let file = file.unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
    let base = RuleSet {
        files: vec![file],
        specs: None,
        reading,
    };
    let store = random_data(&mut chance, rounds * FORMS.len());
    let mut spec = ReplaySpec::new(&[], store, 0, 239 * MINUTE, MINUTE);
    spec.on_error = OnRuleError::Continue;
    spec.schedule = rulecheck::replay::Schedule::Production;
    let world = World::recorded("data", spec);
    let live = Live::new(&world, &base, &base).unwrap();
    let page = Page {
        rules: &["rules.yml".to_owned()],
        data: &["data".to_owned()],
        command: &[],
        changes: &[],
        live: &live,
        incidents: &[],
    };
    let folder = Folder::new();
    let path = folder.write("page.html", &page.html());
    browser.visit(&format!("file://{}", path.display()));
    assert_eq!(
        shown(&browser),
        replayed(&world, &base),
        "before anything moves"
    );
    let names = movable(&browser);
    let knobs = base.knobs();
    let moves: Vec<&Knob> = knobs
        .iter()
        .filter(|it| names.contains(&it.shown().to_owned()))
        .collect();
    assert_eq!(moves.len(), names.len());
    let thresholds = moves
        .iter()
        .filter(|it| it.kind == KnobKind::Threshold)
        .count();
    assert!(thresholds > rounds * 8, "{thresholds} thresholds move");
    let mut active = 0;
    for round in 0..12 {
        let settings: Vec<(String, &str)> = moves
            .iter()
            .map(|knob| {
                let value = match knob.kind {
                    KnobKind::Threshold => chance.of(&THRESHOLDS),
                    _ => chance.of(&WAITS),
                };
                (knob.shown().to_owned(), *value)
            })
            .collect();
        let changes: Vec<Change> = moves
            .iter()
            .zip(&settings)
            .map(|(knob, (_, value))| Change::new(knob, value).unwrap())
            .collect();
        let edited = base.changed(&changes).unwrap();
        let set = "for (const [name, value] of arguments[0]) rulecheck.set(name, value)";
        browser.run(set, json!([settings]));
        let (page, replay) = (shown(&browser), replayed(&world, &edited.rules));
        for ((alert, page), (_, replay)) in page.iter().zip(&replay) {
            // What it does hangs on what others do.
            let is_fixed = live
                .alerts
                .iter()
                .any(|it| it.name == *alert && it.fixed.is_some());
            if !is_fixed {
                let rules = edited.rules.files[0].source.text();
                let rule = rules
                    .split("- name: ")
                    .find(|it| it.contains(&format!("alert: {alert}\n")));
                assert_eq!(page, replay, "round {round}\n{}", rule.unwrap_or_default());
                active += replay.len();
            }
        }
    }
    assert!(active > 400, "{active} instances were active");
}

/// Runs the binary; what it prints.
fn rulecheck(arguments: &[&str]) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_rulecheck"))
        .args(arguments)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{arguments:?}: {complaint}");
    String::from_utf8(ran.stdout).unwrap()
}

/// The numbers of every alert that `whatif --set` prints, as the page names them.
fn outcomes(sets: &[String], common: &[&str]) -> BTreeMap<String, Value> {
    let mut arguments = vec!["whatif", "--format", "json"];
    arguments.extend(common);
    arguments.push("--set");
    arguments.extend(sets.iter().map(String::as_str));
    let told: Value = serde_json::from_str(&rulecheck(&arguments)).unwrap();
    let alerts = told["worlds"][0]["alerts"].as_array().unwrap().iter();
    let named = |it: &Value| {
        (
            it["alert"].as_str().unwrap().to_owned(),
            it["after"].clone(),
        )
    };
    alerts.map(named).collect()
}

fn shown_outcomes(browser: &Browser) -> BTreeMap<String, Value> {
    let alerts = browser.run("return rulecheck.windows()", json!([]));
    let alerts = alerts.as_array().unwrap().iter();
    // The binary tells seconds, whole ones without a point.
    let seconds = |millis: &Value| match millis.as_i64() {
        Some(millis) if millis % 1000 == 0 => json!(millis / 1000),
        Some(millis) => json!(millis as f64 / 1000.0),
        None => Value::Null,
    };
    let named = alerts.map(|it| {
        let mut outcome = it["outcome"].clone();
        for name in ["firing", "longest", "first"] {
            outcome[name] = seconds(&outcome[name]);
        }
        (it["alert"].as_str().unwrap().to_owned(), outcome)
    });
    named.collect()
}

#[test]
fn a_slider_shows_what_set_prints() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/birthday-scheduler");
    let path = |name: &str| root.join(name).display().to_string();
    let (alerts, recording) = (path("alerts.yml"), path("recording.yml"));
    let data = path("recorded/vendor-outage.om.gz");
    let common = [
        "--rules",
        &alerts,
        &recording,
        "--interval",
        "15s",
        "--data",
        &data,
    ];
    let mut arguments = vec!["whatif", "--format", "html"];
    arguments.extend(common);
    let folder = Folder::new();
    let page = folder.write("page.html", &rulecheck(&arguments));
    let url = format!("file://{}", page.display());
    browser.visit(&url);
    browser.run(
        "for (const card of document.querySelectorAll('.card')) card.open = true",
        json!([]),
    );
    // The right arrow, on the slider of a knob: as many times, what the field says then is what is set.
    let right = "\u{E014}";
    let mut sets = Vec::new();
    for (alert, knob, times) in [
        ("QueueDepthCritical", "threshold", 3),
        ("QueueDepthCritical", "for", 7),
        ("HighErrorRate", "threshold", 1),
        ("HighErrorRate", "for", 2),
        ("CircuitBreakerOpen", "keep_firing_for", 5),
        ("LowMessageSuccessRate", "threshold", 9),
    ] {
        let name = format!("{alert}.{knob}");
        let slider = format!("input[type=range][aria-label='{name}']");
        browser.press(&slider, &right.repeat(times));
        let field = "return document.querySelector(arguments[0]).nextSibling.value";
        let value = browser.run(field, json!([slider]));
        sets.push(format!("{name}={}", value.as_str().unwrap()));
        assert_eq!(
            shown_outcomes(&browser),
            outcomes(&sets, &common),
            "{sets:?}"
        );
    }
    let present = outcomes(&[format!("{}=1m", "ServiceDown.for")], &common);
    assert_ne!(
        shown_outcomes(&browser),
        present,
        "the sliders changed nothing"
    );
    // The address holds what is set, and opens the page so again.
    let link = sets.join("&");
    browser.visit("about:blank");
    browser.visit(&format!("{url}#{link}"));
    assert_eq!(
        shown_outcomes(&browser),
        outcomes(&sets, &common),
        "#{link}"
    );
    let said = browser.run("return document.getElementById('command').value", json!([]));
    for set in &sets {
        assert!(said.as_str().unwrap().contains(set), "{said}: {set}");
    }
}

/// Labels, names and queries are texts, whatever is in them.
#[test]
fn hostile_texts_stay_texts() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let hostile = "</script><script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'>\u{202e}\"&amp;";
    let rules = "groups:\n- name: '<b>g</b>'\n  rules:\n  - {alert: '<i>A</i>', expr: 'm{i!=\"</script>\"} > 1'}\n";
    let reading = ReadOptions::default();
    let file = rules::read(&Source::new("rules.yml", rules), &reading).unwrap();
    let base = RuleSet {
        files: vec![file],
        specs: None,
        reading,
    };
    let mut store = Store::default();
    let labels = Labels::from_pairs([("__name__", "m"), ("i", hostile)]);
    let points = Points::regular(0, MINUTE, vec![2.0; 10]);
    store.add(Series {
        labels,
        points,
        writer: Writer::INPUT,
    });
    let world = World::recorded("d", ReplaySpec::new(&[], store, 0, 9 * MINUTE, MINUTE));
    let live = Live::new(&world, &base, &base).unwrap();
    let incident = Incident {
        name: hostile.to_owned(),
        start: 0,
        end: MINUTE,
        alerts: vec![hostile.to_owned()],
        grace: 0,
    };
    let page = Page {
        rules: &[hostile.to_owned()],
        data: &[hostile.to_owned()],
        command: &[],
        changes: &[],
        live: &live,
        incidents: &[incident],
    };
    let folder = Folder::new();
    let path = folder.write("page.html", &page.html());
    browser.visit(&format!("file://{}", path.display()));
    let open = "for (const it of document.querySelectorAll('details')) it.open = true";
    browser.run(open, json!([]));
    let found = browser.run(
        "return [window.hurt ?? 0, document.querySelectorAll('img, script:not(#data), b, i').length, document.querySelectorAll('main bdi').length > 1, document.body.innerText.includes('\\u202e'), document.body.innerText.includes('onerror')]",
        json!([]),
    );
    assert_eq!(found, json!([0, 1, true, false, true]));
}
