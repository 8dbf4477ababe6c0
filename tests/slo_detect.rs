//! When alerts tell of outages: the SRE Workbook's figures, the replay beside the formula, calls of `slo detect` and
//! `slo table`.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing should stop")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rulecheck::model::{Duration, Millis};
use rulecheck::promql::Features;
use rulecheck::rules::{self, ReadOptions, RuleGroup};
use rulecheck::slo::detect::{Cell, Detection, Options, Report, detect};
use rulecheck::slo::read::{Spec, read_all};
use rulecheck::slo::workbook::{self, Condition, Test};
use rulecheck::slo::{generated, multiwindow};
use rulecheck::text::Source;
use snapbox::cmd::Command;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

#[test]
fn figures_are_those_of_the_book() {
    let text = fs::read_to_string(fixtures().join("workbook.txt")).unwrap();
    let mut figures = 0;
    for line in text.lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        let [formula, arguments, printed, count] = fields[..] else {
            panic!("four fields: {line}");
        };
        let count: usize = count.parse().unwrap();
        let wanted = quantity(printed);
        let got = compute(formula, arguments);
        let unit = printed.trim_start_matches(|it: char| it.is_ascii_digit() || it == '.');
        let unit = quantity(&format!("1{unit}"));
        let rounded = |value: f64| format!("{:.*e}", count - 1, value / unit);
        assert_eq!(rounded(got), rounded(wanted), "{line}");
        figures += 1;
    }
    assert!(figures > 50, "{figures} figures");
}

/// A number, a share, or a length of time in milliseconds.
fn quantity(text: &str) -> f64 {
    if let Some(percent) = text.strip_suffix('%') {
        return percent.parse::<f64>().unwrap() / 100.0;
    }
    if let Ok(number) = text.parse() {
        return number;
    }
    match Duration::parse(text) {
        Ok(Duration(millis)) => millis as f64,
        // `43.2m`
        Err(_) => {
            let (number, unit) = text.split_at(text.len() - 1);
            number.parse::<f64>().unwrap() * quantity(&format!("1{unit}"))
        }
    }
}

fn compute(formula: &str, arguments: &str) -> f64 {
    let arg = |name: &str| {
        let mut pairs = arguments
            .split(' ')
            .map(|pair| pair.split_once('=').unwrap());
        let found = pairs.find(|(own, _)| *own == name);
        quantity(
            found
                .unwrap_or_else(|| panic!("{formula} asks for {name}"))
                .1,
        )
    };
    let test = || Test {
        window: arg("window"),
        threshold: arg("threshold"),
        or_equal: false,
    };
    match formula {
        "burn_rate" => workbook::burn_rate(arg("errors"), arg("budget")),
        "error_ratio" => workbook::error_ratio(arg("burn"), arg("budget")),
        "exhaustion" => workbook::exhaustion(arg("burn"), arg("period")),
        "spent" => workbook::spent(arg("burn"), arg("time"), arg("period")),
        "factor" => workbook::factor(arg("part"), arg("window"), arg("period")),
        "least_part" => workbook::least_part(arg("window"), arg("period")),
        "fastest_burn" => workbook::fastest_burn(arg("budget")),
        "never_fires" => f64::from(workbook::never_fires(arg("factor"), arg("budget"))),
        "short_window" => workbook::short_window(arg("long")),
        "quiet_traffic" => workbook::quiet_traffic(arg("bad"), arg("threshold")),
        "part_of_budget" => workbook::part_of_budget(arg("bad"), arg("events"), arg("budget")),
        "allowed" => workbook::allowed(arg("events"), arg("budget")),
        "detection" => test().detection(arg("errors")).unwrap(),
        "reset" => test().reset(arg("errors")).unwrap(),
        "held" => {
            let condition = Condition {
                tests: vec![test()],
                hold: arg("hold"),
                keep: 0.0,
            };
            condition
                .firing(arg("errors"), DAY as f64)
                .unwrap()
                .detection
        }
        _ => panic!("no formula {formula}"),
    }
}

#[test]
fn the_six_ways_are_those_of_the_book() {
    let found = workbook::approaches(0.001, 720.0)
        .into_iter()
        .map(|approach| {
            let firing = approach.condition.firing(1.0, 1_000.0).unwrap();
            let spent = workbook::spent(1_000.0, firing.detection, 720.0);
            let printed = [
                firing.detection * 3_600.0,
                spent * 100.0,
                firing.reset * 60.0,
            ];
            (
                approach.number,
                printed.map(|value| format!("{value:.1}")).join(" "),
            )
        });
    let found: Vec<(usize, String)> = found.collect();
    // Seconds to detect, per cent of the budget, minutes to reset.
    let wanted = [
        (1, "0.6 0.0 10.0"),
        (2, "129.6 5.0 2157.8"),
        (3, "3600.1 138.9 1.0"),
        (4, "129.6 5.0 57.8"),
        (5, "51.8 2.0 59.1"),
        (5, "129.6 5.0 357.8"),
        (5, "259.2 10.0 4315.7"),
        (6, "51.8 2.0 4.9"),
        (6, "129.6 5.0 29.8"),
        (6, "259.2 10.0 359.6"),
    ];
    assert_eq!(found, wanted.map(|(number, it)| (number, it.to_owned())));
}

/// The rules of an objective in rulecheck's own form, and what they do in outages.
fn detection(keys: &str, options: &Options) -> Detection {
    let source = Source::new("slo.yml", format!("slos:\n- {{name: x, {keys}}}\n"));
    let specs = read_all(&[source], &Features::default()).remove(0).unwrap();
    let [Spec::Own(slos)] = &specs.specs[..] else {
        panic!("rulecheck's own form");
    };
    let bundle = multiwindow::generate(&slos[0]).unwrap();
    let text = generated::write(&[bundle], "…");
    let file = rules::read(&Source::new("rules.yml", text), &ReadOptions::default()).unwrap();
    let groups: Vec<&RuleGroup> = file.groups.iter().collect();
    let found = detect(&slos[0], &groups, &|_| true, options).unwrap();
    assert_eq!(found.errors, Vec::<String>::new(), "{keys}");
    assert_eq!(found.alerts.len(), 2, "{keys}");
    found
}

fn options(sizes: &[f64], lengths: &[Millis]) -> Options {
    Options {
        is_late: false,
        scrape: 30_000,
        interval: MINUTE,
        rate: None,
        sizes: sizes.into(),
        lengths: lengths.into(),
        features: Features::default(),
    }
}

/// The replay differs from the formula by no more than one evaluation.
fn holds(report: &Report, cell: &Cell, what: &str) {
    let conditions = report.conditions.as_ref().unwrap();
    let what = format!("{what}: {} {:?} {cell:?}", report.name, report.labels);
    match (cell.seen, cell.formula) {
        (Some(seen), Some(_)) => {
            // Which of the conditions fire may be a matter of an evaluation, too.
            let step = report.interval as f64;
            let lengths = [0.0, -step, step].map(|more| cell.length as f64 + more);
            let formulas = lengths.map(|it| workbook::firing(conditions, cell.errors, it));
            let late = formulas.into_iter().flatten().map(|formula| {
                let fires = seen.detection as f64 - formula.detection;
                (fires, seen.reset.unwrap() as f64 - formula.reset)
            });
            let late: Vec<(f64, f64)> = late.collect();
            let mut holds = late.iter().map(|(a, b)| a.abs().max(b.abs()) <= step);
            assert!(
                holds.any(|it| it),
                "{what}: fires and ends late: {late:?} ms"
            );
        }
        (None, None) => {}
        // At the edge of what it sees an evaluation or a sample makes the difference.
        (Some(_), None) => {
            let longer = (cell.length + report.interval) as f64;
            let near = workbook::firing(conditions, cell.errors * 1.02, longer);
            assert!(near.is_some(), "{what}: fires against the formula");
        }
        (None, Some(_)) => {
            let shorter = (cell.length - report.interval) as f64;
            let near = workbook::firing(conditions, cell.errors * 0.98, shorter);
            assert!(near.is_none(), "{what}: does not fire as the formula says");
        }
    }
}

fn all_hold(detection: &Detection, what: &str) -> usize {
    let mut fired = 0;
    for report in &detection.alerts {
        for cell in &report.cells {
            holds(report, cell, what);
            fired += usize::from(cell.seen.is_some());
        }
        for least in &report.least {
            match (least.seen, least.formula) {
                (None, None) => {}
                (Some(seen), Some(formula)) => {
                    // As much as an outage that is one evaluation shorter or longer.
                    let by = report.interval as f64 / least.length as f64 + 0.02;
                    assert!((seen / formula - 1.0).abs() <= by, "{what}: {least:?}");
                }
                (Some(edge), None) | (None, Some(edge)) => {
                    let by = report.interval as f64 / least.length as f64 + 0.02;
                    assert!(edge >= 1.0 - by, "{what}: {least:?}");
                }
            }
        }
    }
    fired
}

const COUNTERS: &str =
    r#"bad: 'requests_total{job="a",code=~"5.."}', total: 'requests_total{job="a"}'"#;

/// An outage of 17 minutes reaches what the longer windows ask for at its last evaluation.
#[test]
fn the_last_evaluation_decides_which_windows_tell() {
    let keys = format!("objective: 99.95%, window: 7d, {COUNTERS}");
    let mut options = options(&[10f64.powf(-1.8300005828658157)], &[17 * MINUTE]);
    options.scrape = 15_000;
    all_hold(&detection(&keys, &options), &keys);
}

/// Each kind of indicator whose traffic rises steadily.
#[test]
fn every_indicator_has_traffic() {
    let indicators = [
        COUNTERS,
        "good: 'answers_total{result=\"ok\"}', total: answers_total",
        "bad: failures_total, total: 'requests_total{code!~\"4..\"}'",
        "bad: 'sum(all_total) - sum(good_total)', total: sum(all_total)",
        "latency: {histogram: 'seconds_bucket{job=\"a\"}', within: 300ms}",
        "ratio: {bad: 'job:errors:ratio'}",
        "ratio: {good: 'job:success:ratio{job=\"a\"}'}",
    ];
    for indicator in indicators {
        let keys = format!("objective: 99%, window: 28d, {indicator}");
        let found = detection(&keys, &options(&[1.0, 0.3], &[10 * MINUTE, HOUR]));
        assert!(all_hold(&found, indicator) >= 4, "{indicator}");
    }
}

/// Rates of native histograms over long windows take their time.
#[test]
fn native_histograms_have_traffic() {
    let keys =
        "objective: 99%, window: 1d, latency: {histogram: 'seconds{job=\"a\"}', within: 300ms}";
    let mut options = options(&[1.0], &[10 * MINUTE]);
    options.scrape = 15_000;
    assert!(all_hold(&detection(keys, &options), keys) >= 2);
}

/// Probes are good or bad as a whole: the first bad one shows at once.
#[test]
fn samples_are_events() {
    for indicator in [
        "boolean: 'up{job=\"a\"}'",
        "threshold: {query: 'queue_depth', below: 100}",
        "threshold: {query: 'free', at_least: 0.5}",
    ] {
        let keys = format!("objective: 99%, window: 30d, {indicator}");
        let found = detection(&keys, &options(&[1.0], &[HOUR]));
        assert!(found.is_of_samples);
        let page = &found.alerts[0].cells[0];
        let formula = page.formula.unwrap().detection;
        let late = page.seen.unwrap().detection as f64 - formula;
        assert!(late.abs() <= 2.0 * MINUTE as f64, "{indicator}: {late}");
    }
}

/// Of ten requests an hour one failing is a tenth of an hour, be it the only one in 240.
#[test]
fn in_low_traffic_one_bad_event_pages() {
    let keys = format!("objective: 99.9%, window: 30d, {COUNTERS}");
    let mut options = options(&[0.005], &[DAY]);
    let silent = detection(&keys, &options);
    assert!(silent.alerts[0].cells[0].seen.is_none());
    options.rate = Some(10.0 / HOUR as f64);
    let loud = detection(&keys, &options);
    assert!(loud.alerts[0].cells[0].seen.is_some());
}

#[test]
fn an_alert_that_asks_for_too_much_never_fires() {
    let keys = format!("objective: 85%, window: 30d, {COUNTERS}");
    let found = detection(&keys, &options(&[1.0, 0.5], &[HOUR, DAY]));
    // 6 times 15 % are 90 %, 14.4 times 15 % more than everything.
    let page = &found.alerts[0];
    let thresholds: Vec<f64> = page
        .conditions
        .as_ref()
        .unwrap()
        .iter()
        .map(|it| it.tests[0].threshold)
        .collect();
    assert!(
        (thresholds[0] - 2.16).abs() < 1e-9 && (thresholds[1] - 0.9).abs() < 1e-9,
        "{thresholds:?}"
    );
    all_hold(&found, &keys);
    let keys = format!("objective: 70%, window: 30d, {COUNTERS}");
    let found = detection(&keys, &options(&[1.0], &[DAY]));
    assert!(found.alerts[0].is_blind());
    assert!(!found.alerts[1].is_blind());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// The replay keeps to the formula within one evaluation, for objectives, windows, sizes and lengths of all kinds.
    #[test]
    fn the_replay_keeps_to_the_formula(
        target in prop::sample::select(vec!["90", "95", "99", "99.5", "99.9", "99.95", "99.99"]),
        window in prop::sample::select(vec!["30d", "28d", "7d", "90d"]),
        sizes in prop::collection::vec(-4.0f64..0.0, 2),
        lengths in prop::collection::vec(prop::sample::select(vec![1i64, 3, 10, 17, 45, 90, 200, 400]), 2),
        scrape in prop::sample::select(vec![15_000i64, 30_000, 60_000]),
    ) {
        let keys = format!("objective: {target}%, window: {window}, {COUNTERS}");
        let sizes: Vec<f64> = sizes.into_iter().map(|power| 10f64.powf(power)).collect();
        let lengths: Vec<Millis> = lengths.into_iter().map(|minutes| minutes * MINUTE).collect();
        let mut options = options(&sizes, &lengths);
        // The shortest windows of a week are of 1m, which must hold two samples.
        options.scrape = if window == "7d" { scrape.min(30_000) } else { scrape };
        all_hold(&detection(&keys, &options), &keys);
    }
}

proptest! {
    /// Longer and larger outages are never seen less.
    #[test]
    fn larger_outages_are_seen_earlier(
        thresholds in prop::collection::vec((0.0001f64..1.5, 60.0f64..300_000.0), 1..5),
        hold in 0.0f64..4_000.0,
        errors in 0.0001f64..1.0,
        more in 1.0f64..10.0,
        length in 1.0f64..500_000.0,
        longer in 1.0f64..10.0,
    ) {
        let tests = |(threshold, window): (f64, f64)| vec![
            Test { window, threshold, or_equal: false },
            Test { window: workbook::short_window(window), threshold, or_equal: false },
        ];
        let conditions = thresholds.into_iter().map(|it| Condition { tests: tests(it), hold, keep: 0.0 });
        let conditions: Vec<Condition> = conditions.collect();
        if let Some(small) = workbook::firing(&conditions, errors, length) {
            let larger = workbook::firing(&conditions, (errors * more).min(1.0), length).unwrap();
            prop_assert!(larger.detection <= small.detection + 1e-6);
            let longer = workbook::firing(&conditions, errors, length * longer).unwrap();
            prop_assert!(longer.detection <= small.detection + 1e-6);
        }
        if let Some(least) = workbook::smallest_outage(&conditions, length) {
            prop_assert!(workbook::firing(&conditions, least, length).is_some());
            prop_assert!(workbook::firing(&conditions, least * 0.999, length).is_none());
        }
    }
}

/// Each `NAME.args` in `fixtures/slo/detect` and `fixtures/slo/table` is a call, and `NAME.txt` what it prints: on standard
/// output, and behind `---` on standard error. With `SNAPSHOTS=overwrite` set, the answers are written anew.
#[test]
fn calls_print_what_they_should() {
    for folder in ["detect", "table"] {
        let folder = fixtures().join(folder);
        let entries = fs::read_dir(&folder).unwrap();
        let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        cases.retain(|path| path.extension().is_some_and(|end| end == "args"));
        cases.sort();
        assert!(cases.len() > 4, "{} cases", cases.len());
        for case in cases {
            check_call(&folder, &case);
        }
    }
}

fn check_call(folder: &Path, case: &Path) {
    let args = fs::read_to_string(case).unwrap();
    let run = Command::new(snapbox::cmd::cargo_bin!("rulecheck"))
        .current_dir(folder)
        .args(args.split_whitespace())
        .assert();
    let output = run.get_output();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let said = format!(
        "{}---\n{}exit {}\n",
        text(&output.stdout),
        text(&output.stderr),
        output.status.code().unwrap()
    );
    let expected = case.with_extension("txt");
    if std::env::var("SNAPSHOTS").is_ok_and(|it| it == "overwrite") {
        fs::write(&expected, &said).unwrap();
        return;
    }
    let expected = fs::read_to_string(&expected).unwrap_or_default();
    snapbox::assert_data_eq!(said, snapbox::Data::text(expected).raw());
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/slo")
}
