//! Error budgets: figures that are known, laws that hold for all series, and how long a month takes.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing should stop")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use chrono::DateTime;
use proptest::prelude::*;
use rulecheck::model::{Labels, Millis, Timestamp};
use rulecheck::promql::{Features, Reader, View};
use rulecheck::slo::budget::{Budget, Exhaustion, History, Unknown};
use rulecheck::slo::objective::Slo;
use rulecheck::slo::own;
use rulecheck::store::{Lead, Points, Series, Store, Writer};
use rulecheck::text::Source;
use rulecheck::text::yaml::{self, Decoder, Dialect};
use snapbox::cmd::Command;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

/// An objective, read as a file would hold it.
fn slo(keys: &str) -> Slo {
    read(keys).unwrap()
}

fn read(keys: &str) -> Result<Slo, String> {
    let source = Source::new("slo.yml", format!("- {{name: x, {keys}}}\n"));
    let document = yaml::parse(&source).map_err(|fault| fault.to_string())?;
    let mut decoder = Decoder::new(&source, Dialect::V3);
    let slos = own::read_list(&mut decoder, document.root().unwrap(), &Features::default());
    match decoder.faults.first() {
        Some(fault) => Err(fault.to_string()),
        None => Ok(slos.into_iter().next().unwrap()),
    }
}

const EVENTS: &str = "bad: bad_total, total: all_total";

/// Counters that rise by so much each minute, from a moment on.
fn store(start: Timestamp, series: &[(&str, &[f64])]) -> Store {
    let mut store = Store::default();
    for (name, rises) in series {
        let mut sum = 0.0;
        let mut values = vec![0.0];
        values.extend(rises.iter().map(|rise| {
            sum += rise;
            sum
        }));
        add(&mut store, name, Points::regular(start, MINUTE, values));
    }
    store
}

fn add(store: &mut Store, name: &str, points: Points) {
    let labels = Labels::from_pairs([("__name__", name)]);
    store.add(Series {
        labels,
        points,
        writer: Writer::INPUT,
    });
}

fn budget(slo: &Slo, store: &Store, history: History) -> Budget {
    let view = View::new(store, Reader::After(Timestamp::MAX), MINUTE);
    let mut budgets = Budget::of(slo, &view, Timestamp::MAX, history).unwrap();
    assert_eq!(budgets.len(), 1);
    budgets.remove(0)
}

fn close(got: f64, wanted: f64) {
    assert!(
        (got - wanted).abs() <= wanted.abs() * 1e-9 + 1e-12,
        "{got} is not {wanted}"
    );
}

#[test]
fn time_budgets_are_those_of_the_book() {
    for (target, days, minutes) in [
        ("99%", 30, 432.0),
        ("99.5%", 30, 216.0),
        ("99.9%", 30, 43.2),
        ("99.95%", 30, 21.6),
        ("99.99%", 30, 4.32),
        ("99.999%", 30, 0.432),
        ("99.9%", 28, 40.32),
        ("99.9%", 7, 10.08),
        ("99.95%", 7, 5.04),
    ] {
        let method = "method: {timeslices: {slice: 1m, target: 99%}}";
        let slo = slo(&format!(
            "objective: {target}, window: {days}d, {EVENTS}, {method}"
        ));
        let rises = vec![10.0; days * 1440];
        let store = store(
            0,
            &[
                ("all_total", &rises),
                ("bad_total", &vec![0.0; rises.len()]),
            ],
        );
        let budget = budget(&slo, &store, History::Full);
        let now = budget.at(days as i64 * DAY);
        close(now.expected * slo.target.budget(), minutes);
        assert_eq!(now.spent, Ok(0.0));
        // A tenth of the time, the same budget: what is missing counts as good.
        let early = budget.at(days as i64 * DAY / 10);
        close(early.expected * slo.target.budget(), minutes);
    }
}

/// Two weeks of 24,000 requests a day of which 1 % fail, and an attack under which 99 % do: how many requests, slices or
/// minutes of attack spend the budget of 95 %.
#[test]
fn methods_spend_what_their_definition_says() {
    let days = 14;
    let minutes = days * 1440;
    let rate = 24_000.0 / 1440.0;
    let all = vec![rate; minutes];
    let attacked = |length: usize| -> Vec<f64> {
        let failing = |minute| if minute < length { 0.99 } else { 0.01 };
        (0..minutes).map(|minute| rate * failing(minute)).collect()
    };
    let of = |method: &str, length: usize| {
        let slo = slo(&format!(
            "objective: 95%, window: 2w, {EVENTS}, method: {method}"
        ));
        let bad = attacked(length);
        let store = store(0, &[("all_total", &all), ("bad_total", &bad)]);
        budget(&slo, &store, History::Full).at(days as i64 * DAY)
    };
    let events = of("occurrences", 0);
    close(events.expected, 336_000.0);
    close(events.expected * 0.05, 16_800.0);
    close(events.spent.unwrap(), 0.01 / 0.05);
    let slices = "{timeslices: {slice: 1m, target: 95%}}";
    assert_eq!(of(slices, 1008).bad, 1008.0);
    close(of(slices, 1008).spent.unwrap(), 1.0);
    assert_eq!(of(slices, 0).bad, 0.0);
    let shares = "{ratio_timeslices: {slice: 1m}}";
    assert!(of(shares, 822).spent.unwrap() < 1.0);
    assert!(of(shares, 823).spent.unwrap() > 1.0);
}

#[test]
fn burn_rates_and_exhaustion_follow_the_book() {
    let slo = slo(&format!("objective: 99.9%, window: 30d, {EVENTS}"));
    for (share, burn, hours) in [(0.001, 1.0, 720.0), (0.002, 2.0, 360.0), (0.01, 10.0, 72.0)] {
        // 30 days without errors, then an hour of them.
        let all = vec![1000.0; 30 * 1440 + 60];
        let bad: Vec<f64> = (0..all.len())
            .map(|minute| {
                if minute < 30 * 1440 {
                    0.0
                } else {
                    1000.0 * share
                }
            })
            .collect();
        let store = store(0, &[("all_total", &all), ("bad_total", &bad)]);
        let budget = budget(&slo, &store, History::Full);
        let now = 30 * DAY + HOUR;
        close(budget.burn_rate(HOUR, now).unwrap(), burn);
        // An hour of them is gone already.
        let rest = (hours - 1.0) * HOUR as f64;
        match budget.exhaustion(HOUR, now).unwrap() {
            Exhaustion::In(millis) => assert!((millis as f64 - rest).abs() <= MINUTE as f64),
            other => panic!("{share}: {other:?}"),
        }
        assert_eq!(budget.exhaustion(HOUR, 30 * DAY), Ok(Exhaustion::Never));
    }
}

#[test]
fn nothing_and_too_little_are_said() {
    let slo = slo(&format!("objective: 99.9%, window: 30d, {EVENTS}"));
    let store = store(0, &[("all_total", &[0.0; 120]), ("bad_total", &[0.0; 120])]);
    let budget = budget(&slo, &store, History::Full);
    assert_eq!(budget.at(HOUR).spent, Err(Unknown::NoTraffic));
    assert_eq!(budget.at(HOUR).indicator, None);
    assert_eq!(
        budget.burn_rate(HOUR, 30 * MINUTE),
        Err(Unknown::TooLittleHistory)
    );
    assert_eq!(budget.burn_rate(HOUR, HOUR), Err(Unknown::NoTraffic));
    assert_eq!(budget.burn_rate(HOUR, 5 * HOUR), Err(Unknown::SamplesEnd));
}

#[test]
fn a_target_of_everything_has_no_budget() {
    let slo = slo(&format!("objective: 100%, window: 30d, {EVENTS}"));
    let store = store(0, &[("all_total", &[9.0; 60]), ("bad_total", &[0.0, 1.0])]);
    let budget = budget(&slo, &store, History::Full);
    assert_eq!(budget.at(MINUTE).spent, Ok(0.0));
    assert_eq!(budget.at(HOUR).spent, Err(Unknown::NoBudget));
}

#[test]
fn resets_and_gaps_lose_nothing_that_was_seen() {
    let slo = slo(&format!("objective: 99%, window: 1d, {EVENTS}"));
    let mut store = Store::default();
    let nan = f64::NAN;
    let all = vec![100.0, 150.0, 30.0, nan, 90.0];
    add(&mut store, "all_total", Points::regular(0, MINUTE, all));
    add(
        &mut store,
        "bad_total",
        Points::listed(vec![0, 2 * MINUTE, 4 * MINUTE], vec![5.0, 7.0, 1.0]),
    );
    let budget = budget(&slo, &store, History::Observed);
    let now = budget.at(4 * MINUTE);
    assert_eq!((now.bad, now.total), (3.0, 140.0));
    assert!(budget.is_exact);
}

/// Samples that lie on no whole minute, and two targets that are scraped at moments of their own.
#[test]
fn the_last_samples_count_wherever_they_lie() {
    let slo = slo(&format!("objective: 99%, window: 1h, {EVENTS}"));
    let mut store = Store::default();
    let values = |by: f64| (0..121).map(|number| by * f64::from(number)).collect();
    add(
        &mut store,
        "all_total",
        Points::regular(7_000, MINUTE, values(10.0)),
    );
    add(
        &mut store,
        "bad_total",
        Points::regular(22_000, MINUTE, values(1.0)),
    );
    let budget = budget(&slo, &store, History::Observed);
    let (_, last) = budget.extent();
    assert_eq!(last, 2 * HOUR + 22_000);
    let now = budget.at(last);
    assert_eq!((now.bad, now.total), (60.0, 600.0));
    close(budget.burn_rate(MINUTE, last).unwrap(), 10.0);
    // A minute that has only begun has its first sample.
    let now = budget.at(MINUTE + 7_000);
    assert_eq!((now.bad, now.total), (0.0, 10.0));
}

/// What is foretold takes no longer for a longer window.
#[test]
fn windows_of_centuries_are_foretold_at_once() {
    let slo = slo(&format!("objective: 99%, window: 290y, {EVENTS}"));
    let mut store = Store::default();
    let values = |by: f64| (0..1001).map(|number| by * f64::from(number)).collect();
    add(
        &mut store,
        "all_total",
        Points::regular(0, 10, values(10.0)),
    );
    add(&mut store, "bad_total", Points::regular(0, 10, values(1.0)));
    let budget = budget(&slo, &store, History::Full);
    let Ok(Exhaustion::In(lasts)) = budget.exhaustion(1_000, 10_000) else {
        panic!("ten times as much is bad as may be");
    };
    let years = lasts as f64 / (365.0 * 86_400_000.0);
    assert!((years - 29.0).abs() < 1e-3, "{years} years");
}

/// A window that the query has is seen through as one that it is given.
#[test]
fn rates_are_counted_as_what_they_are_of() {
    for window in ["5m", "1m", "{{.window}}"] {
        let slo = slo(&format!(
            "objective: 99%, window: 1h, bad: 'sum(rate(bad_total[{window}])) or vector(0)', total: 'sum(rate(all_total[{window}]))'"
        ));
        let store = store(0, &[("all_total", &[10.0; 60]), ("bad_total", &[1.0; 60])]);
        let budget = budget(&slo, &store, History::Full);
        let now = budget.at(HOUR);
        assert_eq!((now.bad, now.total), (60.0, 600.0), "{window}");
        assert!(budget.is_exact, "{window}");
    }
}

#[test]
fn indicators_count_what_they_say() {
    let mut store = Store::default();
    add(
        &mut store,
        "age",
        Points::regular(0, MINUTE, vec![1.0, 5.0, f64::NAN, 3.0]),
    );
    add(
        &mut store,
        "up",
        Points::regular(0, MINUTE, vec![1.0, 1.0, 0.0, 1.0]),
    );
    add(
        &mut store,
        "share",
        Points::regular(0, MINUTE, vec![0.5, 0.25, 0.0, 0.0]),
    );
    for (bound, count) in [("0.1", 10.0), ("0.3", 16.0), ("+Inf", 20.0)] {
        let labels = Labels::from_pairs([("__name__", "t_bucket"), ("le", bound)]);
        let points = Points::regular(0, MINUTE, vec![0.0, count, count, 2.0 * count]);
        store.add(Series {
            labels,
            points,
            writer: Writer::INPUT,
        });
    }
    for (indicator, bad, total) in [
        ("threshold: {query: age, at_most: 3}", 1.0, 3.0),
        ("threshold: {query: age + 0, above: 2}", 1.0, 3.0),
        ("boolean: up", 1.0, 4.0),
        ("ratio: {bad: share}", 0.75, 4.0),
        ("ratio: {good: share}", 3.25, 4.0),
        ("latency: {histogram: t_bucket, within: 300ms}", 8.0, 40.0),
        (
            "good: 't_bucket{le=\"0.1\"}', total: 't_bucket{le=\"+Inf\"}'",
            20.0,
            40.0,
        ),
    ] {
        let slo = slo(&format!("objective: 90%, window: 1d, {indicator}"));
        let now = budget(&slo, &store, History::Observed).at(3 * MINUTE);
        assert_eq!((now.bad, now.total), (bad, total), "{indicator}");
    }
    let missing = slo("objective: 90%, window: 1d, latency: {histogram: t_bucket, within: 200ms}");
    let view = View::new(&store, Reader::After(Timestamp::MAX), MINUTE);
    let faults = Budget::of(&missing, &view, Timestamp::MAX, History::Full).unwrap_err();
    assert!(
        faults[0].to_string().contains("0.1, 0.3, +Inf"),
        "{}",
        faults[0]
    );
}

#[test]
fn what_is_no_objective_is_told_with_a_way_out() {
    for (keys, message) in [
        (
            "objective: 99.9, window: 30d, bad: a, total: b",
            "99.9 has no sign (write `99.9%`)",
        ),
        (
            "objective: 101%, window: 30d, bad: a, total: b",
            "is not between 0 and 100 %",
        ),
        (
            "objective: 99%, window: 0s, bad: a, total: b",
            "a length of time above 0",
        ),
        (
            "objective: 99%, window: 30, bad: a, total: b",
            "a duration has a unit",
        ),
        ("objective: 99%, window: 30d, bad: a", "`total` is missing"),
        (
            "objective: 99%, window: 30d, total: b",
            "nothing tells good from bad",
        ),
        (
            "objective: 99%, window: 30d, bad: a, good: b, total: c",
            "both `good` and `bad`",
        ),
        (
            "objective: 99%, window: 30d, boolean: a, total: c",
            "`total` beside `boolean`",
        ),
        (
            "objective: 99%, window: 30d, bad: 'a{', total: b",
            "slo.yml:1:",
        ),
        (
            "objective: 99%, window: 30d, bad: 'rate(a[5m])', total: b",
            "not of one kind",
        ),
        (
            "objective: 99%, window: {calendar: moon}, bad: a, total: b",
            "no stretch of the calendar",
        ),
        (
            "objective: 99%, window: {calendar: day, zone: Mars}, bad: a, total: b",
            "no time zone",
        ),
        (
            "objective: 99%, window: {calendar: day, start: friday}, bad: a, total: b",
            "for weeks only",
        ),
        (
            "objektive: 99%, window: 30d, bad: a, total: b",
            "did you mean `objective`?",
        ),
        (
            "objective: 99%, window: 30d, bad: a, total: b, method: weekly",
            "`method`: \"weekly\"",
        ),
        (
            "objective: 99%, window: 30d, threshold: {query: a}",
            "a threshold has one bound",
        ),
        ("objective: 99%, window: 30d, ratio: a", "must be a mapping"),
        (
            "objective: 99%, window: 30d, latency: {histogram: a, within: x}",
            "is no limit",
        ),
        (
            "objective: 99%, window: 30d, bad: 'a[5m]', total: b",
            "yields no numbers",
        ),
    ] {
        let fault = read(keys).unwrap_err();
        assert!(fault.contains(message), "{keys}\n{fault}");
    }
}

/// A month of a sample a minute, asked at every minute.
#[test]
fn a_month_is_budgeted_at_once() {
    let minutes = 30 * 1440;
    let all = vec![600.0; minutes];
    let bad: Vec<f64> = (0..minutes)
        .map(|it| if it % 977 < 9 { 50.0 } else { 0.0 })
        .collect();
    let store = store(0, &[("all_total", &all), ("bad_total", &bad)]);
    let slo = slo(&format!("objective: 99.9%, window: 30d, {EVENTS}"));
    let start = Instant::now();
    let budget = budget(&slo, &store, History::Full);
    let worst = budget.moments().filter_map(|at| budget.at(at).left().ok());
    let worst = worst.fold(1.0, f64::min);
    let peak = budget
        .moments()
        .filter_map(|at| budget.burn_rate(HOUR, at).ok());
    let peak = peak.fold(0.0, f64::max);
    let taken = start.elapsed();
    assert!(worst < 1.0 && peak > 10.0, "{worst} {peak}");
    println!("a month: {taken:?}");
    assert!(taken.as_millis() < 2_000, "{taken:?}");
}

proptest! {
    /// What came before the samples is counted as if it were laid out, at moments before and after they begin.
    #[test]
    fn what_is_not_laid_out_counts_as_if_it_were(
        own in prop::collection::vec((0u32..40, 0u32..9), 2..300),
        (rate, bad_rate) in (1u32..30, 0u32..30),
        (count, kept) in (2usize..4000, 0usize..60),
        start in prop::sample::select(vec![0, 90_000, 86_400_000i64]),
        method in prop::sample::select(vec![
            "occurrences",
            "{timeslices: {slice: 5m, target: 99%}}",
            "{ratio_timeslices: {slice: 1m}}",
        ]),
    ) {
        let kept = kept.min(count - 1);
        let series = |name: &str, each: f64, rises: &[f64], laid_out: usize, store: &mut Store| {
            let mut values: Vec<f64> = (0..=count).map(|number| number as f64 * each).collect();
            let mut sum = count as f64 * each;
            values.extend(rises.iter().map(|rise| {
                sum += rise;
                sum
            }));
            let left_out = count - laid_out;
            let values = values.split_off(left_out);
            let begin = start - laid_out as i64 * MINUTE;
            let lead = Lead { count: left_out, rise: each };
            add(store, name, Points::regular(begin, MINUTE, values).with_lead(lead));
        };
        let all: Vec<f64> = own.iter().map(|(good, bad)| f64::from(good + bad)).collect();
        let bad: Vec<f64> = own.iter().map(|(_, bad)| f64::from(*bad)).collect();
        let slo = slo(&format!("objective: 99%, window: 2d, {EVENTS}, method: {method}"));
        let budgets = [count, kept].map(|laid_out| {
            let mut store = Store::default();
            series("all_total", f64::from(rate), &all, laid_out, &mut store);
            series("bad_total", f64::from(bad_rate.min(rate)), &bad, laid_out, &mut store);
            budget(&slo, &store, History::Full)
        });
        let [whole, short] = &budgets;
        prop_assert_eq!(whole.extent(), short.extent());
        let (from, to) = whole.extent();
        for part in 1..=40 {
            let at = from + (to - from) * part / 40 / MINUTE * MINUTE;
            match (whole.at(at).spent, short.at(at).spent) {
                (Ok(whole), Ok(short)) => close(short, whole),
                (whole, short) => prop_assert_eq!(whole, short),
            }
            for window in [5 * MINUTE, HOUR, DAY] {
                match (whole.burn_rate(window, at), short.burn_rate(window, at)) {
                    (Ok(whole), Ok(short)) => close(short, whole),
                    (whole, short) => prop_assert_eq!(whole, short),
                }
            }
        }
    }
}

/// Gauges hold their value before the samples that are laid out.
#[test]
fn values_that_are_not_laid_out_count_as_the_first() {
    let slo = slo("objective: 90%, window: 1d, threshold: {query: depth, below: 5}");
    for (value, spent) in [(9.0, 10.0), (1.0, 0.0)] {
        let lead = Lead {
            count: 1430,
            rise: 0.0,
        };
        let mut store = Store::default();
        let points = Points::regular(0, MINUTE, vec![value; 10]);
        add(&mut store, "depth", points.with_lead(lead));
        let now = budget(&slo, &store, History::Observed).at(9 * MINUTE);
        close(now.total, 1440.0);
        close(now.spent.unwrap(), spent);
    }
}

/// Each `NAME.args` in `fixtures/slo/budget` is a call, and `NAME.txt` what it prints: on standard output, and behind `---`
/// on standard error. With `SNAPSHOTS=overwrite` set, the answers are written anew.
#[test]
fn calls_print_what_they_should() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/slo/budget");
    let entries = fs::read_dir(&folder).unwrap();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|end| end == "args"));
    cases.sort();
    assert!(cases.len() > 8, "{} cases", cases.len());
    for case in cases {
        let args = fs::read_to_string(&case).unwrap();
        let run = Command::new(snapbox::cmd::cargo_bin!("rulecheck"))
            .current_dir(&folder)
            .args(args.split_whitespace())
            .assert();
        let output = run.get_output();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let code = output.status.code().unwrap();
        let said = format!(
            "{}---\n{}exit {code}\n",
            text(&output.stdout),
            text(&output.stderr)
        );
        let expected = case.with_extension("txt");
        if std::env::var("SNAPSHOTS").is_ok_and(|it| it == "overwrite") {
            fs::write(&expected, &said).unwrap();
            continue;
        }
        let expected = fs::read_to_string(&expected).unwrap_or_default();
        snapbox::assert_data_eq!(said, snapbox::Data::text(expected).raw());
    }
}

fn at(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text)
        .unwrap()
        .timestamp_millis()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// More errors never leave more budget, whatever the method and the window.
    #[test]
    fn spending_is_monotone_in_errors(
        bad in proptest::collection::vec(0u32..20, 10..300),
        more in proptest::collection::vec((0usize..300, 1u32..20), 1..5),
        method in 0usize..3,
        rolling in any::<bool>(),
    ) {
        let method = [
            "occurrences",
            "{timeslices: {slice: 2m, target: 90%}}",
            "{ratio_timeslices: {slice: 3m}}",
        ][method];
        let window = ["{calendar: day}", "2h"][usize::from(rolling)];
        let slo = slo(&format!("objective: 99%, window: {window}, {EVENTS}, method: {method}"));
        let all = vec![100.0; bad.len()];
        let few: Vec<f64> = bad.iter().map(|&it| f64::from(it)).collect();
        let mut many = few.clone();
        for (minute, count) in more {
            let minute = minute % many.len();
            many[minute] += f64::from(count);
        }
        let of = |bad: &[f64]| {
            let store = store(0, &[("all_total", &all), ("bad_total", bad)]);
            budget(&slo, &store, History::Full)
        };
        let (few, many) = (of(&few), of(&many));
        for moment in few.moments() {
            if let (Ok(less), Ok(more)) = (few.at(moment).spent, many.at(moment).spent) {
                prop_assert!(less <= more * (1.0 + 1e-12), "{moment}: {less} {more}");
            }
        }
    }

    /// With constant traffic events and their shares by slice are one, and with slices that are wholly good or bad so are
    /// slices of time.
    #[test]
    fn methods_agree_on_constant_traffic(
        bad in proptest::collection::vec(0u32..=1, 20..200),
        shares in proptest::collection::vec(0u32..=60, 20..200),
    ) {
        let spent = |method: &str, bad: &[u32], unit: f64| {
            let slo = slo(&format!("objective: 99%, window: 1d, {EVENTS}, method: {method}"));
            let rises: Vec<f64> = bad.iter().map(|&it| f64::from(it) * unit).collect();
            let all = vec![60.0; bad.len()];
            let store = store(0, &[("all_total", &all), ("bad_total", &rises)]);
            let budget = budget(&slo, &store, History::Full);
            budget.at(bad.len() as i64 * MINUTE).spent.unwrap()
        };
        let slices = "{timeslices: {slice: 1m, target: 50%}}";
        let ratios = "{ratio_timeslices: {slice: 1m}}";
        let (events, slices) = (spent("occurrences", &bad, 60.0), spent(slices, &bad, 60.0));
        prop_assert!((events - slices).abs() < 1e-9 * (1.0 + events), "{events} {slices}");
        let (events, ratios) = (spent("occurrences", &shares, 1.0), spent(ratios, &shares, 1.0));
        prop_assert!((events - ratios).abs() < 1e-9 * (1.0 + events), "{events} {ratios}");
    }

    /// A month in which clocks change holds what its days hold.
    #[test]
    fn a_month_is_the_sum_of_its_days(
        autumn in any::<bool>(),
        bad in proptest::collection::vec(0u32..5, 40..80),
    ) {
        let (from, to) = match autumn {
            true => (at("2026-10-01T00:00:00+02:00"), at("2026-11-01T00:00:00+01:00")),
            false => (at("2026-03-01T00:00:00+01:00"), at("2026-04-01T00:00:00+02:00")),
        };
        let minutes = ((to - from) / MINUTE) as usize;
        prop_assert_eq!(minutes, if autumn { 745 * 60 } else { 743 * 60 });
        let bad: Vec<f64> = (0..minutes).map(|it| f64::from(bad[it / 31 % bad.len()])).collect();
        let all: Vec<f64> = (0..minutes).map(|it| 10.0 + (it % 7) as f64).collect();
        let store = store(from, &[("all_total", &all), ("bad_total", &bad)]);
        let of = |unit: &str| {
            let window = format!("{{calendar: {unit}, zone: Europe/Berlin}}");
            budget(&slo(&format!("objective: 99%, window: {window}, {EVENTS}")), &store, History::Full)
        };
        let (month, day) = (of("month"), of("day"));
        let whole = month.at(to - 1);
        prop_assert_eq!(whole.window, (from, to));
        // The last event of a day comes with its midnight, which belongs to the next.
        let (mut sums, mut moment, mut days) = ((0.0, 0.0), from, 0);
        while moment < to {
            let standing = day.at(moment);
            let last = day.at(standing.window.1 - 1);
            sums.0 += last.bad;
            sums.1 += last.total;
            if standing.window.1 < to {
                sums.0 += risen(&bad, from, standing.window.1);
                sums.1 += risen(&all, from, standing.window.1);
            }
            moment = standing.window.1;
            days += 1;
        }
        prop_assert_eq!(days, 31);
        prop_assert_eq!((whole.bad, whole.total), sums);
    }
}

/// What rises at a moment.
fn risen(rises: &[f64], from: Timestamp, moment: Timestamp) -> f64 {
    let minute = ((moment - from) / MINUTE) as usize;
    rises[minute - 1]
}
