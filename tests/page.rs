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
#[path = "browser/look.rs"]
mod look;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use rulecheck::model::Labels;
use rulecheck::replay::ReplaySpec;
use rulecheck::report::page::Page;
use rulecheck::rules::{self, ReadOptions};
use rulecheck::store::{Points, Series, Store, Writer};
use rulecheck::text::Source;
use rulecheck::whatif::{Change, Incident, Incidents, Knob, KnobKind, Live, RuleSet, World};
use serde_json::{Value, json};

use browser::Browser;
use browser::breaks::BREAKS;
use browser::deeds::Deeds;
use browser::worlds::{Chance, MINUTE, THRESHOLDS, WAITS, random_incidents, random_world};

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

/// Settings, and what a replay with them does.
type Round = (Vec<(String, &'static str)>, Deeds);

/// A page, and what it must show at some settings.
struct Trial {
    html: String,
    rounds: Vec<Round>,
}

impl Trial {
    fn of(chance: &mut Chance) -> Trial {
        let (base, world) = random_world(chance, 3);
        let incidents = random_incidents(chance, &base);
        let live = Live::new(&world, &base, &base).unwrap();
        let moving = live.alerts.iter().flat_map(|alert| &alert.knobs);
        let moving = moving.filter(|knob| knob.moves);
        let names: BTreeSet<&str> = moving.map(|knob| knob.name.as_str()).collect();
        let knobs = base.knobs();
        let moves: Vec<&Knob> = knobs
            .iter()
            .filter(|it| names.contains(it.shown()))
            .collect();
        let thresholds = moves
            .iter()
            .filter(|it| it.kind == KnobKind::Threshold)
            .count();
        assert!(thresholds > 60, "{thresholds} thresholds move");
        let mut rounds = vec![(Vec::new(), Deeds::of(&world, &base, &incidents))];
        for _ in 0..12 {
            let settings = moves.iter().map(|knob| {
                let value = match knob.kind {
                    KnobKind::Threshold => chance.of(&THRESHOLDS),
                    _ => chance.of(&WAITS),
                };
                (knob.shown().to_owned(), *value)
            });
            let settings: Vec<(String, &'static str)> = settings.collect();
            let changes = moves.iter().zip(&settings);
            let changes = changes.map(|(knob, (_, value))| Change::new(knob, value).unwrap());
            let edited = base.changed(&changes.collect::<Vec<Change>>()).unwrap();
            rounds.push((settings, Deeds::of(&world, &edited.rules, &incidents)));
        }
        let active: usize = rounds.iter().map(|(_, deeds)| deeds.active()).sum();
        assert!(active > 400, "{active} instances were active");
        let judged = rounds.iter().map(|(_, deeds)| &deeds.measures);
        let varied: BTreeSet<String> = judged.map(|it| format!("{it:?}")).collect();
        assert!(varied.len() > 6, "the incidents are judged alike");
        Trial {
            html: page(&live, &incidents).html(),
            rounds,
        }
    }

    /// Shows a page, moves what is to be moved, and tells the first thing that is not as it should be.
    fn fault(&self, browser: &Browser, folder: &Folder, html: &str) -> Option<String> {
        let path = folder.write("page.html", html);
        browser.visit(&format!("file://{}", path.display()));
        let set = "for (const [name, value] of arguments[0]) rulecheck.set(name, value)";
        self.rounds.iter().find_map(|(settings, expected)| {
            browser.run(set, json!([settings]));
            Deeds::shown(browser).differs(expected)
        })
    }
}

fn page<'p>(live: &'p Live, incidents: &'p Incidents) -> Page<'p> {
    Page {
        rules: &[],
        data: &[],
        command: &[],
        changes: &[],
        live,
        incidents: &incidents.all,
        swept: None,
    }
}

#[test]
fn the_machine_of_the_page_is_that_of_a_replay() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let seed = std::env::var("RULECHECK_SEED").map_or(1, |seed| seed.parse().unwrap());
    let trial = Trial::of(&mut Chance(seed));
    let folder = Folder::new();
    let fault = trial.fault(&browser, &folder, &trial.html);
    assert_eq!(fault, None);
    let names = browser.run("return rulecheck.knobs()", json!([]));
    let (settings, expected) = trial.rounds.last().unwrap();
    assert_eq!(names.as_array().unwrap().len(), settings.len());
    // The address says what is set, once no slider moves any more; who follows it sees the same.
    let link = browser.run("return rulecheck.link()", json!([]));
    browser.visit("about:blank");
    let path = folder.write("page.html", &trial.html);
    let link = link.as_str().unwrap();
    browser.visit(&format!("file://{}{link}", path.display()));
    assert_eq!(Deeds::shown(&browser).differs(expected), None, "{link}");
    // Each break of the program is seen.
    let mut unseen = Vec::new();
    for (old, new) in BREAKS {
        assert_eq!(trial.html.matches(old).count(), 1, "{old}");
        let broken = trial.html.replace(old, new);
        if trial.fault(&browser, &folder, &broken).is_none() {
            unseen.push(format!("{old} -> {new}"));
        }
    }
    assert!(unseen.is_empty(), "nobody sees\n{}", unseen.join("\n"));
}

/// Values of which there are many, but which repeat, are packed as places in a table, two bytes each; decimals as whole numbers.
#[test]
fn long_columns_come_back_as_they_were() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let rules = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: m > 50, for: 2m}\n  - {alert: B, expr: n < -3.3}\n";
    let reading = ReadOptions::default();
    let base = RuleSet {
        files: vec![rules::read(&Source::new("rules.yml", rules), &reading).unwrap()],
        specs: None,
        reading,
    };
    let mut store = Store::default();
    let thirds = |it: i32| f64::from(it % 300) / 3.0;
    let tenths = |it: i32| f64::from((it * 37) % 301 - 100) / 10.0;
    for (name, value) in [("m", thirds as fn(i32) -> f64), ("n", tenths)] {
        store.add(Series {
            labels: Labels::from_pairs([("__name__", name)]),
            points: Points::regular(0, MINUTE, (0..3000).map(value).collect()),
            writer: Writer::INPUT,
        });
    }
    let world = World::recorded("d", ReplaySpec::new(&[], store, 0, 2999 * MINUTE, MINUTE));
    let live = Live::new(&world, &base, &base).unwrap();
    let incidents = Incidents::default();
    let trial = Trial {
        html: page(&live, &incidents).html(),
        rounds: vec![(Vec::new(), Deeds::of(&world, &base, &incidents))],
    };
    let folder = Folder::new();
    assert_eq!(trial.fault(&browser, &folder, &trial.html), None);
    for (old, new) in [
        (
            "places[2 * at] + 256 * places[2 * at + 1]",
            "places[2 * at]",
        ),
        ("way % 2 ? -(way + 1) / 2 : way / 2", "way / 2"),
        ("way * 256 + bytes", "way + bytes"),
        ("sum / scale", "sum * (1 / scale)"),
    ] {
        assert_eq!(trial.html.matches(old).count(), 1, "{old}");
        let broken = trial.html.replace(old, new);
        assert!(
            trial.fault(&browser, &folder, &broken).is_some(),
            "{old} -> {new}"
        );
    }
}

/// Runs the binary; what it prints.
fn rulecheck(arguments: &[&str]) -> String {
    rulecheck_in(Path::new("."), arguments)
}

/// The same in a folder.
fn rulecheck_in(folder: &Path, arguments: &[&str]) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_rulecheck"))
        .current_dir(folder)
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
        "for (const card of document.querySelectorAll('.fold, .card')) card.open = true",
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
        swept: None,
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

/// A point that is chosen from a sweep sets the sliders, and yields there what the sweep says of it.
#[test]
fn a_point_of_a_sweep_sets_the_sliders() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cli/whatif_sweep");
    let path = |name: &str| root.join(name).display().to_string();
    let (rules, data, incidents) = (path("rules.yml"), path("ovens.om"), path("incidents.yml"));
    let arguments = [
        "whatif",
        "--rules",
        &rules,
        "--data",
        &data,
        "--incidents",
        &incidents,
        "--format",
    ];
    let sweep = [
        "--sweep",
        "OvenTooHot.threshold=240..265:5",
        "OvenTooHot.for=0s,1m,2m,5m",
    ];
    let with: [&[&str]; 2] = [&[], &["--set", "OvenTooHot.keep_firing_for=1m"]];
    for set in with {
        let ask = |format: &str| rulecheck(&[&arguments[..], &[format], &sweep, set].concat());
        let folder = Folder::new();
        let page = folder.write("page.html", &ask("html"));
        browser.visit(&format!("file://{}", page.display()));
        let told: Value = serde_json::from_str(&ask("json")).unwrap();
        check_points(&browser, &told);
    }
}

/// Chooses each point of a page of a sweep, and holds what it yields there against what the sweep says.
fn check_points(browser: &Browser, told: &Value) {
    let points = told["worlds"][0]["points"].as_array().unwrap();
    let rows = "return document.querySelectorAll('#points tbody tr').length";
    assert_eq!(browser.run(rows, json!([])), json!(points.len()));
    let choose = "const row = document.querySelectorAll('#points tbody tr')[arguments[0]]; row.querySelector('button').click(); return [row.children[1].textContent, row.children[2].textContent, rulecheck.measures()]";
    let mut seen = 0;
    for place in 0..points.len() {
        let shown = browser.run(choose, json!([place]));
        let values = json!([shown[0], shown[1]]);
        let point = points.iter().find(|it| it["values"] == values).unwrap();
        for (name, value) in shown[2].as_object().unwrap() {
            let is_length = matches!(name.as_str(), "firing" | "longest" | "time_to_detect");
            let factor = if is_length { 1000.0 } else { 1.0 };
            let expected = point["measures"][name].as_f64().map(|it| it * factor);
            assert_eq!(value.as_f64(), expected, "{values} {name}");
        }
        seen += usize::from(point["undominated"] == json!(true));
    }
    assert!(seen > 0);
    // Stars are stars, and the chart says of what they are the best, and what it does not show of that.
    let shapes = "return ['best', 'plain', 'present', 'chosen'].map((kind) => document.querySelectorAll('#plot .place .' + (kind === 'plain' ? 'point:not(.best, .present, .chosen)' : kind)).length)";
    let shapes = browser.run(shapes, json!([]));
    assert!(shapes[0].as_u64() > Some(0) && shapes[2] == 1, "{shapes}");
    let said = browser.run("return [document.querySelector('#sweep .caption').textContent, document.getElementById('axis-across').value, document.getElementById('axis-up').value]", json!([]));
    let caption = said[0].as_str().unwrap();
    for measure in ["recall (where equal time to detect", "and in false pages"] {
        assert!(caption.contains(measure), "{caption}");
    }
    assert_ne!(said[1], said[2]);
    let choose = "const choice = document.getElementById('axis-up'); choice.value = 'firings'; choice.dispatchEvent(new Event('change')); return document.querySelector('#sweep .caption').textContent";
    let told = browser.run(choose, json!([]));
    assert_ne!(told, said[0], "what the chart leaves out is said");
}
