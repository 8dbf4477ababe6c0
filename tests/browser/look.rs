//! What the page looks like: what stands where, what is folded away, and what can be told without colour or mouse.

use std::path::Path;

use rulecheck::model::Labels;
use rulecheck::replay::ReplaySpec;
use rulecheck::rules::{self, ReadOptions};
use rulecheck::store::{Points, Series, Store, Writer};
use rulecheck::text::Source;
use rulecheck::whatif::{Incidents, Live, RuleSet, World};
use serde_json::{Value, json};

use super::browser::Browser;
use super::browser::worlds::MINUTE;
use super::{Folder, page, rulecheck_in};

const ENTER: &str = "\u{E007}";
const RIGHT: &str = "\u{E014}";
const ESCAPE: &str = "\u{E00C}";

const RULES: &str = r#"groups:
- name: g
  rules:
  - {alert: Gone, expr: 'gone > 1'}
  - {alert: GoneShare, expr: 'rate(gone[5m]) / rate(m[5m]) > 1'}
  - {alert: Calm, expr: 'm > 1000'}
  - {alert: Waits, expr: 'm > 8', for: 2h}
  - {alert: Absent, expr: 'absent(m)'}
  - {alert: Loud, expr: 'm > 8'}
  - {alert: Either, expr: 'm > 9 or gone > 1'}
"#;

/// A page of ten hours in which `m` climbs from 0 to 9 each ten minutes.
fn show(browser: &Browser, folder: &Folder, rules: &str) {
    let reading = ReadOptions::default();
    let base = RuleSet {
        files: vec![rules::read(&Source::new("rules.yml", rules), &reading).unwrap()],
        specs: None,
        reading,
    };
    let mut store = Store::default();
    let values = (0..600).map(|minute| f64::from(minute % 10)).collect();
    store.add(Series {
        labels: Labels::from_pairs([("__name__", "m")]),
        points: Points::regular(0, MINUTE, values),
        writer: Writer::INPUT,
    });
    let world = World::recorded("d", ReplaySpec::new(&[], store, 0, 599 * MINUTE, MINUTE));
    let live = Live::new(&world, &base, &base).unwrap();
    let html = page(&live, &Incidents::default()).html();
    let path = folder.write("look.html", &html);
    browser.visit(&format!("file://{}", path.display()));
}

fn texts(browser: &Browser, selector: &str) -> Value {
    let read = "return [...document.querySelectorAll(arguments[0])].map((it) => it.textContent)";
    browser.run(read, json!([selector]))
}

/// Alerts that did nothing are folded away, and those that could do nothing are told from those.
#[test]
fn quiet_alerts_are_folded_and_blind_ones_told_apart() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    show(&browser, &folder, RULES);
    let names = "return [...document.querySelectorAll(arguments[0])].map((row) => [row.querySelector('a').textContent, row.querySelector('.counts').textContent])";
    let rows = |selector: &str| browser.run(names, json!([selector]));
    assert_eq!(rows("#rows > .row"), json!([["Loud", "60 firings"]]));
    assert_eq!(
        rows("#overview .fold .row"),
        json!([
            ["Waits", "pending, never fired"],
            ["Calm", "never fired"],
            ["Absent", "never fired"],
            ["Either", "never fired"],
            ["Gone", "no data"],
            ["GoneShare", "no data"],
        ])
    );
    assert_eq!(
        texts(&browser, ".fold:not([hidden]) > summary"),
        json!([
            "4 alerts without firing",
            "2 alerts without data: what they need is not there",
            "4 alerts that never fired",
            "2 alerts without data",
        ])
    );
    // Closed, until somebody opens it with the keyboard; then both say in words what is the matter.
    let seen = "return [...document.querySelectorAll('#overview .fold .row')].filter((row) => row.checkVisibility()).length";
    assert_eq!(browser.run(seen, json!([])), json!(0));
    browser.press("#overview .fold:not([hidden]) > summary", ENTER);
    browser.press("#overview .fold:not([hidden]) + .fold > summary", ENTER);
    assert_eq!(browser.run(seen, json!([])), json!(6));
    let drawn = "await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame); return [...document.querySelectorAll('#overview .nothing')].map((it) => it.textContent)";
    let drawn = format!("return (async () => {{ {drawn} }})()");
    assert_eq!(
        browser.run(&drawn, json!([])),
        json!(["no data", "no data"])
    );
    // What is missing is named, also where the rest is there.
    let notes = texts(&browser, ".card .note");
    let notes: Vec<&str> = notes
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let missing: Vec<&&str> = notes
        .iter()
        .filter(|it| it.starts_with("No data"))
        .collect();
    assert_eq!(
        missing,
        [
            &"No data: no series of the data is one of gone.",
            &"No data: no series of the data is one of gone: it can't fire here, whatever is set.",
            &"No data: no series of the data is one of gone[5m]: it can't fire here, whatever is set.",
        ]
    );
    // One that fires now comes out.
    browser.run(
        "rulecheck.set('Calm.threshold', '5'); rulecheck.windows()",
        json!([]),
    );
    assert_eq!(
        rows("#rows > .row"),
        json!([["Loud", "60 firings"], ["Calm", "0 firings → 60"]])
    );
    assert_eq!(
        texts(&browser, "#overview .fold:not([hidden]) > summary")[0],
        "3 alerts without firing"
    );
}

/// What somebody came for is on the first screen: the alert that is studied, with its sliders.
#[test]
fn the_studied_alert_stands_first() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    for (system, alert) in [
        ("asset-forge", "IncreasedErrorRateCorrected"),
        ("birthday-scheduler", "ElevatedErrorRate"),
        ("cv-matching", "AIUpstreamErrorSpikeCorrected"),
        ("rce-api", "RceApiErrorRateHigh"),
        ("starforge", "StarforgeETLFailureRateHighCorrected"),
    ] {
        let root = root.join(system);
        let arguments = std::fs::read_to_string(root.join("study/page.args")).unwrap();
        let arguments = ["whatif"].into_iter().chain(arguments.lines());
        let arguments: Vec<&str> = arguments.chain(["--format", "html"]).collect();
        let path = folder.write("study.html", &rulecheck_in(&root, &arguments));
        browser.visit(&format!("file://{}", path.display()));
        let first = "const slider = document.querySelector('input[type=range]'); return [slider.closest('.card').querySelector('h3').textContent, document.querySelector('#rows a').textContent, slider.getBoundingClientRect().bottom < innerHeight, document.documentElement.scrollWidth <= innerWidth]";
        assert_eq!(
            browser.run(first, json!([])),
            json!([alert, alert, true, true]),
            "{system}"
        );
    }
}

/// Very many alerts do not bury each other, and a slider moves at once beside them: less than three pictures later.
#[test]
fn many_alerts_leave_a_page_that_moves() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    let alert = |place: usize| format!("  - {{alert: A{place}, expr: m >= {}}}\n", place % 10);
    let rules: String = (0..80).map(alert).collect();
    show(
        &browser,
        &folder,
        &format!("groups:\n- name: g\n  rules:\n{rules}"),
    );
    let folded = texts(&browser, ".fold:not([hidden]) > summary");
    assert_eq!(folded, json!(["50 more alerts", "49 more alerts"]));
    // The page's own frames run at once, so that nothing but its work is measured; the fastest, as the machine may be busy.
    let measure = "const slider = document.querySelector('input[type=range]'); const frame = window.requestAnimationFrame; const open = []; const took = []; for (let at = 0; at < 20; at++) { window.requestAnimationFrame = (call) => open.push(call); slider.value = at % 9; const began = performance.now(); slider.dispatchEvent(new Event('input')); while (open.length) open.shift()(began); document.body.offsetHeight; took.push(performance.now() - began); window.requestAnimationFrame = frame; } return [Math.min(...took) < 50, rulecheck.windows()[0].outcome.firings]";
    assert_eq!(browser.run(measure, json!([])), json!([true, 60]));
}

/// Gained and lost windows have marks of their own form, and what is said of a moment comes and goes by keyboard.
#[test]
fn without_colour_and_mouse() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    show(&browser, &folder, RULES);
    let lanes = "#rows > .row svg";
    let marks = |set: &str| {
        let script = format!(
            "return (async () => {{ rulecheck.set('Loud.threshold', '{set}'); for (let at = 0; at < 3; at++) await new Promise(requestAnimationFrame); const count = (kind) => (document.querySelector('#rows .fate.' + kind).getAttribute('d').match(/h8/g) || []).length; return [count('gained'), count('lost'), document.querySelectorAll('#rows .fate.gained')[0].getAttribute('d').includes('v8')] }})()"
        );
        browser.run(&script, json!([]))
    };
    assert_eq!(marks("8"), json!([0, 0, false]));
    let lost = marks("9");
    assert!(lost[0] == 0 && lost[1].as_u64() > Some(30), "{lost}");
    assert_eq!(marks("8"), json!([0, 0, false]));
    let tip = "return [document.getElementById('tip').hidden, document.getElementById('said').textContent]";
    browser.press(lanes, RIGHT);
    let told = browser.run(tip, json!([]));
    assert_eq!(told[0], false);
    assert!(
        told[1]
            .as_str()
            .unwrap()
            .contains("now: firing 1970-01-01 00:09:00"),
        "{told}"
    );
    browser.press(lanes, ESCAPE);
    assert_eq!(browser.run(tip, json!([]))[0], true);
    // Every control that can be reached shows where the focus is, and is reached in the order in which it stands.
    let order = "const all = [...document.querySelectorAll('a, button, input, select, summary, [tabindex=\"0\"]')].filter((it) => it.checkVisibility()); return [all.length > 20, all.every((it) => it.tabIndex === 0)]";
    assert_eq!(browser.run(order, json!([])), json!([true, true]));
    browser.press("#reset", "\u{E004}");
    let outline = "const style = getComputedStyle(document.activeElement); return [document.activeElement.id, style.outlineStyle, style.outlineWidth]";
    assert_eq!(
        browser.run(outline, json!([])),
        json!(["command", "solid", "3px"])
    );
}
