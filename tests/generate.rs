//! Generated series: `fixtures/generate` holds test files that pass, a subject each, and beside each what its generators
//! made when it was written, to the last bit (`.values`): it is the same on every machine and in every version.

#![expect(
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::fmt::Write;
use std::path::PathBuf;

use proptest::prelude::*;
use rulecheck::model::{Histogram, Labels, METRIC_NAME};
use rulecheck::promql::{Evaluated, Features, Query, Reader, Sample, Ticks, View, evaluate};
use rulecheck::rules::ReadOptions;
use rulecheck::series::generate::{
    Change, Counts, DAY, Errors, Event, Generator, Grid, Kind, LogNormal, Season, Turn, Window,
    generate,
};
use rulecheck::store::{Points, Series, Store, Writer, is_stale};
use rulecheck::suite::file::{self, TestFile};
use rulecheck::suite::{self, RunOptions, Suite};
use rulecheck::text::Source;

#[test]
fn every_fixture_passes() {
    let mut faults = Vec::new();
    let mut checks = 0;
    for (path, file) in fixtures() {
        let suite = Suite {
            file: file.into(),
            rule_files: Vec::new(),
        };
        let verdict = suite::run(&suite, &RunOptions::default()).unwrap();
        for test in &verdict.tests {
            checks += test.assertions.len();
            let path = path.display();
            let told = test.failures.iter();
            faults.extend(told.map(|it| {
                format!(
                    "{path}: {} at {}: {:?}",
                    it.name,
                    it.eval_time / 1000,
                    it.cause
                )
            }));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(checks > 100, "{checks} checks");
}

/// Where this fails, a machine or a version makes other series than all before it: tests that people wrote would change.
#[test]
fn values_never_change() {
    for (path, file) in fixtures() {
        let mut text = String::new();
        for test in &file.tests {
            let generators: Vec<&Generator> = test
                .generated
                .iter()
                .map(|generated| &generated.generator)
                .collect();
            let length = test.duration.as_ref().unwrap().value;
            let grid = Grid {
                start: test.start,
                interval: test.interval,
                end: test.start + length,
            };
            for (labels, points) in generate(generators, &grid) {
                write_series(&mut text, &labels, &points, test.start);
            }
        }
        let expected = path.with_extension("values");
        if std::env::var_os("SNAPSHOTS").is_some() {
            std::fs::write(&expected, &text).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(text, wanted, "{}", path.display());
    }
}

fn write_series(text: &mut String, labels: &Labels, points: &Points, start: i64) {
    writeln!(text, "{labels}").unwrap();
    for index in 0..points.len() {
        write!(text, "  {} ", (points.time(index) - start) / 1000).unwrap();
        match points.histogram(index) {
            Some(it) => {
                let Histogram {
                    counter_reset_hint,
                    schema,
                    zero_threshold,
                    count,
                    sum,
                    positive_spans,
                    ..
                } = &**it;
                let spans: Vec<_> = positive_spans
                    .iter()
                    .map(|span| (span.offset, span.length))
                    .collect();
                let buckets = &it.positive_buckets;
                let all = (
                    counter_reset_hint,
                    schema,
                    zero_threshold,
                    count,
                    sum,
                    spans,
                    buckets,
                );
                writeln!(text, "{all:?}").unwrap();
            }
            None => match points.values()[index] {
                value if is_stale(value) => writeln!(text, "stale").unwrap(),
                value => writeln!(text, "{value:?}").unwrap(),
            },
        }
    }
}

fn fixtures() -> Vec<(PathBuf, TestFile)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/generate");
    let paths = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|it| it == "yml"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 12, "{} fixtures", paths.len());
    let read = paths.into_iter().map(|path| {
        let text = std::fs::read_to_string(&path).unwrap();
        let source = Source::new(path.file_name().unwrap().to_string_lossy(), text);
        let file = file::read(&source, &ReadOptions::default())
            .unwrap_or_else(|faults| panic!("{faults:?}"));
        (path, file)
    });
    read.collect()
}

const MINUTE: i64 = 60_000;

/// A counter of a rate a second and with nothing else to it.
fn plain(kind: Kind, per_second: f64) -> Generator {
    Generator {
        series: vec![Labels::from_pairs([(METRIC_NAME, "m"), ("a", "b")])],
        kind,
        level: per_second * 86_400.0,
        season: None,
        noise: 0.0,
        counts: Counts::Expected,
        seed: 0,
        events: Vec::new(),
    }
}

fn by_labels() -> Errors {
    Errors::Labels {
        good: Vec::new(),
        bad: vec![("code".to_owned(), "500".to_owned())],
    }
}

fn hours(hours: i64) -> Grid {
    Grid {
        start: 0,
        interval: MINUTE / 4,
        end: hours * 60 * MINUTE,
    }
}

fn latencies() -> impl Strategy<Value = LogNormal> {
    (0.001..0.6, 0.7..0.999, -6.0..3.0, 1.05..30.0).prop_map(|(low, high, value, ratio)| {
        let value = f64::exp(value);
        LogNormal::of_quantiles((low, value), (high, value * ratio)).unwrap()
    })
}

fn kinds() -> impl Strategy<Value = Kind> {
    let classic = |latency| Kind::Classic {
        latency,
        bounds: vec![0.01, 0.1, 0.5, 1.0, 10.0],
    };
    prop_oneof![
        Just(Kind::Gauge),
        Just(Kind::Counter { start: 3.0 }),
        (0.0..=1.0).prop_map(|error_ratio| Kind::Requests {
            error_ratio,
            errors: by_labels()
        }),
        latencies().prop_map(classic),
        (latencies(), -4..3).prop_map(|(latency, schema)| Kind::Native { latency, schema }),
    ]
}

fn events() -> impl Strategy<Value = Event> {
    let turns = prop_oneof![
        (0.0..1e7).prop_map(Turn::To),
        (0.0..1e7).prop_map(Turn::Own),
        (0.0..10.0).prop_map(Turn::Times),
        (0.0..1e7).prop_map(Turn::Ramp),
    ];
    let changes = prop_oneof![
        turns.prop_map(Change::Level),
        (0.0..=1.0).prop_map(|to| Change::ErrorRatio(Turn::Ramp(to))),
        (latencies(), any::<bool>()).prop_map(|(to, ramp)| Change::Latency { to, ramp }),
        Just(Change::Gap),
        Just(Change::Stale),
        Just(Change::Reset),
    ];
    let windows = (
        0..120 * MINUTE,
        1..60 * MINUTE,
        proptest::option::of(MINUTE..5 * MINUTE),
    );
    (windows, changes, any::<bool>()).prop_map(|((at, length, flap), change, some)| Event {
        window: Window {
            at,
            until: at + length,
            flap,
        },
        only: some
            .then(|| ("pod".to_owned(), vec!["2".to_owned()]))
            .into_iter()
            .collect(),
        change,
    })
}

prop_compose! {
    fn generators()(
        kind in kinds(),
        level in 1.0..1e6,
        season in proptest::option::of((MINUTE..120 * MINUTE, 0.0..=1.0)),
        noise in prop_oneof![Just(0.0), 0.0..=1.0],
        poisson in any::<bool>(),
        seed in any::<u64>(),
        events in prop::collection::vec(events(), 0..6),
    ) -> Generator {
        let pods = ["1", "2", "3"].map(|pod| Labels::from_pairs([(METRIC_NAME, "m"), ("pod", pod)]));
        Generator {
            series: pods.to_vec(),
            kind,
            level,
            season: season.map(|(period, amplitude)| Season { period, amplitude, peak: period / 4 }),
            noise,
            counts: if poisson { Counts::Poisson } else { Counts::Expected },
            seed,
            events,
        }
    }
}

/// All samples, to the bit.
fn bits(made: &[(Labels, Points)]) -> Vec<String> {
    let written = made.iter().map(|(labels, points)| {
        let mut text = String::new();
        write_series(&mut text, labels, points, 0);
        text
    });
    written.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn threads_and_neighbours_change_nothing(generators in prop::collection::vec(generators(), 1..4)) {
        let grid = hours(2);
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let made = bits(&pool(1).install(|| generate(&generators, &grid)));
        prop_assert_eq!(&made, &bits(&pool(4).install(|| generate(&generators, &grid))));
        // A set of labels alone is as it is among others.
        let mut alone = Vec::new();
        for generator in &generators {
            for series in &generator.series {
                let one = Generator { series: vec![series.clone()], ..generator.clone() };
                alone.extend(bits(&generate([&one], &grid)));
            }
        }
        prop_assert_eq!(made, alone);
    }

    /// Counters fall at resets only, and then to 0; no count of a bucket is above that of the next.
    #[test]
    fn counters_never_fall(generator in generators()) {
        let grid = hours(2);
        let resets = generator.events.iter().filter(|event| event.change == Change::Reset);
        let resets: Vec<i64> = resets.map(|event| event.window.at).collect();
        let made = generate([&generator], &grid);
        for (labels, points) in &made {
            prop_assert!(points.len() <= grid.len());
            let mut before: Option<(i64, f64)> = None;
            for index in 0..points.len() {
                let time = points.time(index);
                let value = match points.histogram(index) {
                    Some(histogram) => {
                        prop_assert!(histogram.validate().is_ok());
                        histogram.count
                    }
                    None => points.values()[index],
                };
                if is_stale(value) {
                    continue;
                }
                prop_assert!(value.is_finite() && value >= 0.0, "{labels} {time}: {value}");
                let (earlier, last) = before.unwrap_or((time, value));
                let is_reset = resets.iter().any(|&at| at > earlier && at <= time);
                let falls = value < last && generator.kind != Kind::Gauge;
                prop_assert!(!falls || is_reset, "{labels} {time}: {last} {value}");
                before = Some((time, value));
            }
        }
        if let Kind::Classic { bounds, .. } = &generator.kind {
            for histogram in made.chunks(bounds.len() + 3) {
                let buckets = &histogram[..=bounds.len()];
                for pair in buckets.windows(2) {
                    let below = pair[0].1.values().iter().zip(pair[1].1.values());
                    prop_assert!(below.into_iter().all(|(low, high)| low <= high || is_stale(*low)));
                }
                let values = |points: &Points| points.values().iter().map(|it| it.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(values(&histogram[bounds.len()].1), values(&histogram[bounds.len() + 2].1));
            }
        }
    }

    /// Errors and the rest together are rate times time.
    #[test]
    fn requests_add_up(ratio in 0.0..=1.0, rate in 0.01..1e4) {
        let made = generate([&plain(Kind::Requests { error_ratio: ratio, errors: by_labels() }, rate)], &hours(1));
        let [good, bad] = [0, 1].map(|index: usize| made[index].1.values().to_vec());
        for (index, (good, bad)) in good.iter().zip(&bad).enumerate() {
            let all = rate * 15.0 * index as f64;
            prop_assert!((good + bad - all).abs() <= 1e-12 * all, "{} {} {}", good, bad, all);
            prop_assert!((bad - all * ratio).abs() <= 1e-12 * all);
        }
    }

    /// What `histogram_quantile` measures lies in the bucket of what was asked for.
    #[test]
    fn quantiles_are_those_asked_for(latency in latencies(), schema in -1..4, poisson in any::<bool>()) {
        let bounds: Vec<f64> = (-12..12).map(|power| f64::powi(2.0, power)).collect();
        let kinds = [
            (Kind::Classic { latency, bounds: bounds.clone() }, "m_bucket"),
            (Kind::Native { latency, schema }, "m"),
        ];
        for (kind, metric) in kinds {
            let mut generator = plain(kind.clone(), 1_000.0);
            if poisson {
                generator.counts = Counts::Poisson;
            }
            let made = generate([&generator], &hours(1));
            for share in [0.5, 0.95] {
                let measured = ask(&made, &format!("histogram_quantile({share}, rate({metric}[30m]))"));
                let wanted = latency.quantile(share);
                // A sample of a million: the quantile of chance may lie just over the bound.
                let slack = if poisson { 1.05 } else { 1.0 + 1e-9 };
                let is_near = match kind {
                    Kind::Classic { .. } => {
                        let bound_from = |value: f64| bounds.iter().position(|&bound| bound >= value);
                        let low = bound_from(wanted / slack).unwrap_or(bounds.len());
                        let lower = low.checked_sub(1).map_or(0.0, |index| bounds[index]);
                        // Above the last bound, the last bound is all that can be said.
                        let upper = bounds[bound_from(wanted * slack).unwrap_or(bounds.len() - 1)];
                        (lower..=upper).contains(&measured)
                    }
                    _ => {
                        let width = f64::powf(2.0, f64::powi(2.0, -schema));
                        measured <= wanted * width * slack && measured * width * slack >= wanted
                    }
                };
                prop_assert!(is_near, "{} of {:?}: {} wanted, {} measured", share, kind, wanted, measured);
            }
            let mean = match kind {
                Kind::Classic { .. } => ask(&made, "rate(m_sum[30m]) / rate(m_count[30m])"),
                _ => ask(&made, "histogram_avg(rate(m[30m]))"),
            };
            // Where a few make up most of the sum, chance has much to say.
            let slack = match poisson {
                false => 1e-9,
                true if latency.sigma < 1.5 => 0.05,
                true => f64::INFINITY,
            };
            prop_assert!((mean / latency.mean() - 1.0).abs() < slack, "{} {}", mean, latency.mean());
        }
    }
}

/// What may stand where a person slipped.
const SLIPS: [&str; 28] = [
    "", "-1", "0", "1e99", "-1e15", ".nan", "[]", "{}", "[1, 2]", "{a: b}", "99999h", "290y", "0s",
    "1ms", "1/s", "-5/m", "1e15/s", "100%", "0%", "1e6x", "1..3", "5..1", "true", "le", "p50",
    "__name__", "é\u{0}", "*a",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A slip makes another test or is told with its place and a way out; it never breaks the program.
    #[test]
    fn slips_are_told(file in 0..100usize, word in 0..10_000usize, slip in 0..SLIPS.len()) {
        let fixtures = fixtures();
        let (_, file) = &fixtures[file % fixtures.len()];
        let text = file.source.text();
        let is_edge = |letter: char| letter.is_whitespace() || "{}[],:'".contains(letter);
        let words: Vec<&str> = text.split(is_edge).filter(|word| !word.is_empty()).collect();
        let word = words[word % words.len()];
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        let text = format!("{}{}{}", &text[..start], SLIPS[slip], &text[start + word.len()..]);
        let told = match file::read(&Source::new("slip.yml", text), &ReadOptions::default()) {
            Err(told) => told,
            Ok(file) => {
                let samples = file.tests.iter().flat_map(|test| {
                    let length = test.duration.as_ref().map_or(0, |duration| duration.value);
                    let grid = Grid { start: 0, interval: test.interval, end: length };
                    test.generated.iter().map(move |generated| generated.generator.samples(&grid))
                });
                let samples = samples.fold(0, u64::saturating_add);
                let length = file.tests.iter().filter_map(|test| Some(test.duration.as_ref()?.value)).max();
                // Up to 50 million are made, which takes a while; so do many evaluations.
                if (100_000..50_000_000).contains(&samples) || length > Some(24 * 60 * MINUTE) {
                    return Ok(());
                }
                let suite = Suite { file: file.into(), rule_files: Vec::new() };
                suite::run(&suite, &RunOptions::default()).err().unwrap_or_default()
            }
        };
        for diagnostic in told {
            prop_assert!(diagnostic.place.is_some() && diagnostic.help.is_some(), "{}", diagnostic);
        }
    }
}

/// The only value of an expression at the end of an hour.
fn ask(made: &[(Labels, Points)], query: &str) -> f64 {
    let mut store = Store::default();
    for (labels, points) in made.iter().cloned() {
        store.add(Series {
            labels,
            points,
            writer: Writer::INPUT,
        });
    }
    let view = View::new(&store, Reader::After(i64::MAX), MINUTE);
    let query = Query::parse(query, &Features::ALL).unwrap();
    let Evaluated::Vector(columns) = evaluate(&query, &view, Ticks::instant(60 * MINUTE)) else {
        panic!("a vector");
    };
    match columns.series[0].column.get(0) {
        Some(Sample::Float(value)) => value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn poisson_counts_spread_as_they_should() {
    for per_second in [0.01, 0.4, 3.0, 50.0, 1e6] {
        let mut generator = plain(Kind::Counter { start: 0.0 }, per_second);
        generator.counts = Counts::Poisson;
        let made = generate([&generator], &hours(200));
        let values = made[0].1.values();
        let steps: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let count = steps.len() as f64;
        let wanted = per_second * 15.0;
        let mean = steps.iter().sum::<f64>() / count;
        let variance = steps
            .iter()
            .map(|step| (step - mean) * (step - mean))
            .sum::<f64>()
            / count;
        assert!(
            (mean - wanted).abs() < 5.0 * (wanted / count).sqrt(),
            "{wanted}: {mean}"
        );
        let error = 5.0 * ((wanted + 2.0 * wanted * wanted) / count).sqrt();
        assert!((variance - wanted).abs() < error, "{wanted}: {variance}");
    }
}

#[test]
fn level_is_counted_by_the_day() {
    assert_eq!(DAY, 24 * 60 * MINUTE);
    let made = generate([&plain(Kind::Counter { start: 0.0 }, 50.0)], &hours(24));
    assert_eq!(made[0].1.values().last(), Some(&4_320_000.0));
}
