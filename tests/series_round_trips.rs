//! Series written in each format that can hold them are read back the same.

#![expect(
    clippy::unwrap_used,
    reason = "memory takes everything that is written"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use rulecheck::model::number::format_value;
use rulecheck::model::{Bucket, BucketSpan, Histogram, Labels, METRIC_NAME, Timestamp};
use rulecheck::report::api::{Answer, QueryData};
use rulecheck::series::{ReadOptions, read};
use rulecheck::store::Points;
use rulecheck::text::Source;

type Written = Vec<(Labels, Points)>;

/// A time of a few centuries, and a whole second more often than not.
fn times() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        (0..4_000i64).prop_map(|minute| 1_700_000_000_000 + minute * 60_000),
        -5_000_000_000_000..5_000_000_000_000i64,
    ]
}

fn values() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-100..1000i32).prop_map(f64::from),
        proptest::num::f64::ANY.prop_map(|value| if value.is_nan() { f64::NAN } else { value }),
    ]
}

/// Label sets: names as in `names`, values that need quotes, escapes and both.
fn labels(names: &'static str) -> impl Strategy<Value = Labels> {
    let value = "([a-z0-9]{1,5}|[ -~é\n\r\t,;\"\\\\{}]{1,6})";
    (
        "[a-zA-Z_:][a-zA-Z0-9_]{0,6}[_0-9é]",
        proptest::collection::btree_map(names, value, 0..4),
    )
        .prop_map(|(metric, labels)| Labels::from_pairs(labels).with(METRIC_NAME, &metric))
}

fn series(names: &'static str) -> impl Strategy<Value = Written> {
    let samples = proptest::collection::btree_map(times(), values(), 1..12);
    proptest::collection::btree_map(labels(names), samples, 1..6).prop_map(|series| {
        let points = |samples: BTreeMap<Timestamp, f64>| {
            let mut points = Points::default();
            samples
                .into_iter()
                .for_each(|(time, value)| points.push(time, value));
            points
        };
        series
            .into_iter()
            .map(|(labels, samples)| (labels, points(samples)))
            .collect()
    })
}

/// Bits tell NaN and the two zeros apart.
fn plain(series: &Written) -> Vec<(String, Vec<(Timestamp, u64)>)> {
    let samples = |points: &Points| {
        (0..points.len())
            .map(|index| (points.time(index), points.values()[index].to_bits()))
            .collect()
    };
    series
        .iter()
        .map(|(labels, points)| (labels.to_string(), samples(points)))
        .collect()
}

fn read_back(text: String) -> Result<Written, String> {
    let source = Source::new("written", text);
    read(&source, ReadOptions::default())
        .map_err(|faults| faults.iter().map(|fault| fault.render(false)).collect())
}

fn json(series: &Written) -> String {
    String::from_utf8(Answer::success(QueryData::windows(series)).json()).unwrap()
}

fn seconds(time: Timestamp) -> String {
    let sign = if time < 0 { "-" } else { "" };
    let (whole, rest) = (time.unsigned_abs() / 1000, time.unsigned_abs() % 1000);
    format!("{sign}{whole}.{rest:03}")
}

fn csv(rows: &[Vec<String>]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    rows.iter()
        .for_each(|row| writer.write_record(row).unwrap());
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

fn long(series: &Written) -> String {
    let names: std::collections::BTreeSet<&str> = series
        .iter()
        .flat_map(|(labels, _)| labels.iter().map(|(name, _)| name))
        .collect();
    let mut head: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    head.extend(["time".to_owned(), "value".to_owned()]);
    let mut rows = vec![head];
    for (labels, points) in series {
        for index in 0..points.len() {
            let mut row: Vec<String> = names
                .iter()
                .map(|name| labels.value(name).to_owned())
                .collect();
            row.extend([
                seconds(points.time(index)),
                format_value(points.values()[index]),
            ]);
            rows.push(row);
        }
    }
    csv(&rows)
}

fn wide(series: &Written) -> String {
    let mut cells: BTreeMap<Timestamp, BTreeMap<usize, f64>> = BTreeMap::new();
    let mut head = vec!["time_ms".to_owned()];
    for (column, (labels, points)) in series.iter().enumerate() {
        head.push(labels.to_string());
        for index in 0..points.len() {
            let row = cells.entry(points.time(index)).or_default();
            row.insert(column, points.values()[index]);
        }
    }
    let mut rows = vec![head];
    for (time, values) in cells {
        let cell = |column: usize| {
            values
                .get(&column)
                .copied()
                .map_or_else(String::new, format_value)
        };
        let mut row = vec![time.to_string()];
        row.extend((0..series.len()).map(cell));
        rows.push(row);
    }
    csv(&rows)
}

fn open_metrics(series: &Written) -> String {
    let mut text = String::new();
    for (labels, points) in series {
        for index in 0..points.len() {
            let pairs: Vec<String> = labels
                .iter()
                .filter(|(name, _)| *name != METRIC_NAME)
                .map(|(name, value)| format!("{}={}", quoted(name), quoted(value)))
                .collect();
            text.push_str(&format!(
                "{{{}}} {} {}\n",
                [vec![quoted(labels.metric())], pairs].concat().join(","),
                format_value(points.values()[index]),
                seconds(points.time(index)),
            ));
        }
    }
    text + "# EOF\n"
}

fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}

/// Rows of buckets: first numbers and gaps small, so that bounds stay ordinary.
fn row() -> impl Strategy<Value = (Vec<BucketSpan>, Vec<f64>)> {
    let span = (0..4i32, 1..4u32);
    (-9..9i32, proptest::collection::vec(span, 0..3)).prop_flat_map(|(first, spans)| {
        let spans: Vec<BucketSpan> = spans
            .into_iter()
            .enumerate()
            .map(|(place, (offset, length))| BucketSpan {
                offset: if place == 0 { first } else { offset },
                length,
            })
            .collect();
        let count: u32 = spans.iter().map(|span| span.length).sum();
        let counts =
            proptest::collection::vec((0..3u8).prop_map(|it| f64::from(it) * 1.5), count as usize);
        (Just(spans), counts)
    })
}

fn histograms() -> impl Strategy<Value = Histogram> {
    let zero = prop_oneof![Just((0.0, 0.0)), Just((1e-200, 2.0)), Just((0.0, 0.5))];
    (-4..=8i32, zero, row(), row(), values()).prop_map(|(schema, zero, positive, negative, sum)| {
        Histogram {
            schema,
            zero_threshold: zero.0,
            zero_count: zero.1,
            count: zero.1 + positive.1.iter().chain(&negative.1).sum::<f64>(),
            sum,
            positive_spans: positive.0,
            positive_buckets: positive.1,
            negative_spans: negative.0,
            negative_buckets: negative.1,
            ..Histogram::default()
        }
    })
}

fn filled(histogram: &Histogram) -> Vec<Bucket> {
    histogram
        .all()
        .filter(|bucket| bucket.count != 0.0)
        .collect()
}

const CLASSIC: &str = "[a-z_][a-z0-9_]{0,3}[0-9]";
const ANY: &str = "[a-z_]([a-z0-9.]{0,3}|[ -~é]{1,3})[0-9]";

proptest! {
    #[test]
    fn answers(series in series(ANY)) {
        prop_assert_eq!(read_back(json(&series)).map(|it| plain(&it)), Ok(plain(&series)));
    }

    #[test]
    fn long_tables(series in series(ANY)) {
        prop_assert_eq!(read_back(long(&series)).map(|it| plain(&it)), Ok(plain(&series)));
    }

    #[test]
    fn wide_tables(series in series(CLASSIC)) {
        prop_assert_eq!(read_back(wide(&series)).map(|it| plain(&it)), Ok(plain(&series)));
    }

    #[test]
    fn texts(series in series(CLASSIC)) {
        // Times before 1970 lose what is finer than a millisecond to Prometheus's arithmetic.
        let series: Written = series.into_iter()
            .map(|(labels, points)| { let kept = points.filtered(|index| points.time(index) >= 0); (labels, kept) })
            .filter(|(_, points)| !points.is_empty())
            .collect();
        prop_assert_eq!(read_back(open_metrics(&series)).map(|it| plain(&it)), Ok(plain(&series)));
    }

    #[test]
    fn histograms_in_answers(histograms in proptest::collection::vec(histograms(), 1..5)) {
        let mut points = Points::default();
        for (index, histogram) in histograms.iter().enumerate() {
            points.push_histogram(index as i64 * 1000, Arc::new(histogram.clone()));
        }
        let text = json(&vec![(Labels::from_pairs([(METRIC_NAME, "h")]), points)]);
        let read = read_back(text).unwrap();
        let read = &read[0].1;
        prop_assert_eq!(read.len(), histograms.len());
        for (index, written) in histograms.iter().enumerate() {
            let back = read.histogram(index).unwrap();
            let bounds = |bucket: &Bucket| (bucket.lower, bucket.upper, bucket.count);
            prop_assert_eq!(filled(back).iter().map(bounds).collect::<Vec<_>>(),
                filled(written).iter().map(bounds).collect::<Vec<_>>());
            prop_assert_eq!((back.count, back.sum.to_bits()), (written.count, written.sum.to_bits()));
            let without_zero = |histogram: &Histogram| histogram.positive().chain(histogram.negative()).any(|it| it.count != 0.0);
            if without_zero(written) {
                prop_assert_eq!(back.schema, written.schema);
            }
        }
    }
}
