//! Random queries over random series, asked of `rulecheck serve` and of a real Prometheus.
//!
//! `fixtures/differential/grammar.txt` says what queries are made of. Needs `prometheus` and `promtool` on PATH and says
//! that it was skipped where they are not. `RULECHECK_QUERIES` is how many queries are asked (300), `RULECHECK_SEED` where
//! chance begins (1): the same seed asks the same queries over the same series.
//!
//! Prometheus sums and chooses in random order in many places. A query on which it differs from itself is none on which
//! anybody could agree with it; where answers differ it is asked again until it differs, or has not in many tries.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop where something is not as it should be"
)]

mod http;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The first second of the data.
const START: i64 = 1_700_000_000;

/// The seconds that the data spans.
const LENGTH: i64 = 3 * 3600;

/// The seconds between two samples of a series.
const STEP: i64 = 15;

/// Values that differ by less than this part are the same: sums in another order.
const TOLERANCE: f64 = 1e-12;

/// How often Prometheus is asked again.
const TRIES: usize = 60;

/// How deep queries nest at most.
const DEPTH: usize = 5;

/// Errors that 3.14 has where older ones have none, or the other way round: they are told of each step by itself.
const CHANGED: [&str; 3] = [
    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
    "multiple matches for labels: grouping labels must ensure unique matches",
    "vector cannot contain metrics with the same labelset",
];

#[test]
fn prometheus_answers_the_same() {
    if !["prometheus", "promtool"].iter().all(|name| runs(name)) {
        eprintln!("skipped: prometheus and promtool are not on PATH");
        return;
    }
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
    };
    let (queries, seed) = (
        number("RULECHECK_QUERIES", 300),
        number("RULECHECK_SEED", 1),
    );
    let mut chance = Chance(seed);
    let folder = Folder::new();
    let data = folder.0.join("data.om");
    std::fs::write(&data, series(&mut chance)).unwrap();
    let theirs = Server::prometheus(&folder.0, &data);
    let ours = Server::rulecheck(&data);
    let is_old = is_old();
    let grammar = Grammar::read(is_old);
    let mut tally: BTreeMap<Verdict, u64> = BTreeMap::new();
    let mut with_series = 0;
    for _ in 0..queries {
        let query = grammar.expand("QUERY", DEPTH, &mut chance);
        let form = form(&query, &mut chance);
        let (expected, got) = (theirs.ask(&form), ours.ask(&form));
        with_series += u64::from(
            !expected["data"]["result"]
                .as_array()
                .is_none_or(Vec::is_empty),
        );
        let verdict = judge(&theirs, &form, &expected, &got, is_old);
        if verdict == Verdict::Differs {
            println!("differs: {query}\n  {form:?}");
            println!("{}", Seen::new(&expected).difference(&Seen::new(&got)));
        }
        *tally.entry(verdict).or_default() += 1;
    }
    println!("seed {seed}: {queries} queries, {with_series} of them with series: {tally:?}");
    assert!(with_series > queries / 3, "too many find nothing");
    assert!(!tally.contains_key(&Verdict::Differs), "answers differ");
}

/// What came of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Agrees,
    BothFail,
    /// Prometheus does not agree with itself.
    Unsteady,
    /// Prometheus is older than 3.14, and refuses other queries.
    Changed,
    Differs,
}

fn judge(theirs: &Server, form: &Form, expected: &Value, got: &Value, is_old: bool) -> Verdict {
    let (a, b) = (Seen::new(expected), Seen::new(got));
    if a.agrees(&b, TOLERANCE, !is_old) {
        return match a.failed {
            true => Verdict::BothFail,
            false => Verdict::Agrees,
        };
    }
    let has_changed = |seen: &Seen| seen.failed && CHANGED.contains(&seen.error.as_str());
    if is_old && a.failed != b.failed && (has_changed(&a) || has_changed(&b)) {
        return Verdict::Changed;
    }
    let mut again = (0..TRIES).map(|_| Seen::new(&theirs.ask(form)));
    match again.any(|other| !a.agrees(&other, 0.0, true) || other.agrees(&b, TOLERANCE, !is_old)) {
        true => Verdict::Unsteady,
        false => Verdict::Differs,
    }
}

/// An answer without its order.
struct Seen {
    failed: bool,
    /// The type of the result or of the error.
    kind: String,
    error: String,
    /// Times and values by the labels of their series.
    series: BTreeMap<String, Vec<(String, Value)>>,
    notes: BTreeSet<String>,
}

impl Seen {
    fn new(answer: &Value) -> Seen {
        let result = &answer["data"]["result"];
        let kind = match answer["errorType"].as_str() {
            Some(error_type) => error_type,
            None => answer["data"]["resultType"].as_str().unwrap(),
        };
        let mut series = BTreeMap::new();
        for element in result.as_array().into_iter().flatten() {
            let Some(metric) = element["metric"].as_object() else {
                continue;
            };
            let labels: BTreeMap<_, _> = metric.iter().collect();
            let points = match &element["values"] {
                Value::Array(points) => points.clone(),
                _ => vec![element["value"].clone()],
            };
            let points = points
                .iter()
                .map(|point| (point[0].to_string(), point[1].clone()));
            let twice = series.insert(format!("{labels:?}"), points.collect());
            assert!(twice.is_none(), "a series comes twice: {answer}");
        }
        if kind == "scalar" {
            series.insert(
                String::new(),
                vec![(result[0].to_string(), result[1].clone())],
            );
        }
        let notes = ["warnings", "infos"]
            .iter()
            .flat_map(|name| answer[name].as_array());
        Seen {
            failed: answer["status"] == "error",
            kind: kind.to_owned(),
            error: answer["error"].as_str().unwrap_or_default().to_owned(),
            series,
            notes: notes.flatten().map(Value::to_string).collect(),
        }
    }

    /// The first series or notes that differ.
    fn difference(&self, other: &Seen) -> String {
        let of = |seen: &Seen, labels: &String| {
            let points = seen.series.get(labels);
            points.map_or("none".to_owned(), |points| {
                let differing = |point: &&(String, Value)| {
                    !self.has(labels, point) || !other.has(labels, point)
                };
                let shown: Vec<_> = points.iter().filter(differing).take(3).collect();
                format!("{} points, {shown:?}", points.len())
            })
        };
        let mut labels = self.series.keys().chain(other.series.keys());
        let differing = labels.find(|labels| self.series.get(*labels) != other.series.get(*labels));
        let series = differing.map(|labels| {
            let (theirs, ours) = (of(self, labels), of(other, labels));
            format!("  {labels}\n    Prometheus: {theirs}\n    rulecheck:  {ours}")
        });
        let whole = |seen: &Seen| format!("{} {} {:?}", seen.kind, seen.error, seen.notes);
        let (theirs, ours) = (whole(self), whole(other));
        format!(
            "  Prometheus: {theirs}\n  rulecheck:  {ours}\n{}",
            series.unwrap_or_default()
        )
    }

    fn has(&self, labels: &str, point: &(String, Value)) -> bool {
        self.series
            .get(labels)
            .is_some_and(|points| points.contains(point))
    }

    fn agrees(&self, other: &Seen, tolerance: f64, with_notes: bool) -> bool {
        let value = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
        let same = |(a, b): (&(String, Value), &(String, Value))| {
            a.0 == b.0 && (a.1 == b.1 || near(value(&a.1), value(&b.1), tolerance))
        };
        self.kind == other.kind
            && (!with_notes || self.failed || self.notes == other.notes)
            && self.series.keys().eq(other.series.keys())
            && self
                .series
                .values()
                .zip(other.series.values())
                .all(|(a, b)| a.len() == b.len() && a.iter().zip(b).all(same))
    }
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * a.abs().max(b.abs())
}

/// The parameters of one request and where it goes.
#[derive(Debug)]
struct Form {
    path: &'static str,
    body: String,
}

/// At one moment, or over a range that the data covers, begins in or ends behind.
fn form(query: &str, chance: &mut Chance) -> Form {
    let escaped: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let end = START + LENGTH;
    let times = [
        None,
        None,
        Some((START + 3600, START + 7200, 60)),
        Some((START - 600, START + 1800, 37)),
        Some((end - 1800, end + 900, 15)),
    ];
    match chance.of(&times) {
        None => Form {
            path: "/api/v1/query",
            body: format!("query={escaped}&time={}.5", START + 5400),
        },
        Some((start, end, step)) => Form {
            path: "/api/v1/query_range",
            body: format!("query={escaped}&start={start}&end={end}&step={step}"),
        },
    }
}

/// What each word of the grammar may stand for.
struct Grammar(BTreeMap<String, Vec<String>>);

impl Grammar {
    fn read(is_old: bool) -> Grammar {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/differential/grammar.txt");
        let text = std::fs::read_to_string(path).unwrap();
        let mut words: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let line = match line.strip_prefix('+') {
                Some(_) if is_old => continue,
                Some(line) => line,
                None => line,
            };
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            words
                .entry(word.to_owned())
                .or_default()
                .push(rest.trim().to_owned());
        }
        Grammar(words)
    }

    fn expand(&self, word: &str, depth: usize, chance: &mut Chance) -> String {
        let choices = &self.0[word];
        let deepens = ["VECTOR", "SCALAR"].contains(&word);
        let choice = match deepens && depth == 0 {
            true => &choices[0],
            false => chance.of(choices),
        };
        let mut out = String::new();
        let mut rest = choice.as_str();
        let is_word = |c: char| c.is_ascii_uppercase() || c == '_';
        while let Some(at) = rest.find(is_word) {
            let end = rest[at..]
                .find(|c| !is_word(c))
                .map_or(rest.len(), |length| at + length);
            let (before, name) = (&rest[..at], &rest[at..end]);
            out.push_str(before);
            match self.0.contains_key(name) {
                true => out.push_str(&self.expand(
                    name,
                    depth.saturating_sub(usize::from(deepens)),
                    chance,
                )),
                false => out.push_str(name),
            }
            rest = &rest[end..];
        }
        out + rest
    }
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn happens(&mut self, part: f64) -> bool {
        self.part() < part
    }

    fn of<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[(self.next() % choices.len() as u64) as usize]
    }
}

/// A morning in three bakeries: counters that begin anew, gauges with gaps and strange values, classic histograms.
fn series(chance: &mut Chance) -> String {
    let mut out = String::new();
    let shops = ["north", "west", "south"];
    let ovens = ["left", "right"];
    out.push_str("# TYPE baked counter\n");
    for shop in shops {
        for oven in ovens {
            for kind in ["bread", "roll"] {
                let labels = format!(r#"{},oven="{oven}",kind="{kind}""#, target(shop));
                counter("baked_total", &labels, 20.0, chance, &mut out);
            }
        }
    }
    out.push_str("# TYPE burnt counter\n");
    for shop in shops {
        counter("burnt_total", &target(shop), 0.1, chance, &mut out);
    }
    out.push_str("# TYPE oven_temperature_celsius gauge\n");
    for (shop, oven) in shops.iter().flat_map(|shop| ovens.map(|oven| (shop, oven))) {
        let mut value = 180.0;
        for time in stamps(chance) {
            value += (chance.part() - 0.5) * 8.0;
            let strange = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.5];
            let shown = match chance.happens(0.003) {
                true => *chance.of(&strange),
                false => value,
            };
            let labels = format!(r#"{},oven="{oven}""#, target(shop));
            sample("oven_temperature_celsius", &labels, shown, &time, &mut out);
        }
    }
    out.push_str("# TYPE oven_open gauge\n");
    for (shop, oven) in shops.iter().flat_map(|shop| ovens.map(|oven| (shop, oven))) {
        for time in stamps(chance) {
            let open = f64::from(u8::from(chance.happens(0.3)));
            let labels = format!(r#"{},oven="{oven}""#, target(shop));
            sample("oven_open", &labels, open, &time, &mut out);
        }
    }
    out.push_str("# TYPE queue_length gauge\n");
    for shop in shops {
        // Nobody counts for half of the time.
        for (index, time) in stamps(chance).iter().enumerate() {
            if index / 60 % 2 == 0 {
                let length = (chance.part() * 5.0).floor();
                sample("queue_length", &target(shop), length, time, &mut out);
            }
        }
    }
    out.push_str("# TYPE baking_seconds histogram\n");
    for (shop, oven) in shops.iter().flat_map(|shop| ovens.map(|oven| (shop, oven))) {
        let labels = format!(r#"{},oven="{oven}""#, target(shop));
        histogram(&labels, chance, &mut out);
    }
    out.push_str("# TYPE target info\n");
    for shop in &shops[..2] {
        for time in stamps(chance) {
            let labels = format!(r#"{},region="{}""#, target(shop), shop.len());
            sample("target_info", &labels, 1.0, &time, &mut out);
        }
    }
    out.push_str("# EOF\n");
    out
}

fn target(shop: &str) -> String {
    format!(r#"job="bakery",instance="{shop}:9100",shop="{shop}""#)
}

/// When a target was asked: nearly every time, and nearly on time.
fn stamps(chance: &mut Chance) -> Vec<String> {
    let late = (chance.part() * 1000.0) as i64;
    let mut stamps = Vec::new();
    for second in (0..LENGTH).step_by(STEP as usize) {
        let away = (3000..3600).contains(&second) && late % 3 == 0;
        if !away && !chance.happens(0.02) {
            let jitter = if chance.happens(0.1) { 7 } else { 0 };
            stamps.push(format!(
                "{}.{:03}",
                START + second,
                (late + jitter).min(999)
            ));
        }
    }
    stamps
}

fn counter(name: &str, labels: &str, speed: f64, chance: &mut Chance, out: &mut String) {
    let mut value = 0.0;
    for time in stamps(chance) {
        if chance.happens(speed) {
            value += chance.part() * speed.max(1.0);
        }
        if chance.happens(0.004) {
            value = 0.0;
        }
        sample(name, labels, value, &time, out);
    }
}

fn histogram(labels: &str, chance: &mut Chance, out: &mut String) {
    let bounds = ["0.25", "0.5", "1.0", "2.0", "4.0", "+Inf"];
    let stamps = stamps(chance);
    let mut lines = vec![String::new(); bounds.len() + 2];
    let (mut counts, mut sum) = ([0.0; 6], 0.0);
    for time in &stamps {
        for _ in 0..chance.next() % 9 {
            let seconds = chance.part() * chance.part() * 5.0;
            sum += seconds;
            for (bound, count) in bounds.iter().zip(&mut counts) {
                let bound = bound.parse().unwrap_or(f64::INFINITY);
                *count += f64::from(u8::from(seconds <= bound));
            }
        }
        for ((bound, count), lines) in bounds.iter().zip(counts).zip(&mut lines) {
            let labels = format!(r#"{labels},le="{bound}""#);
            sample("baking_seconds_bucket", &labels, count, time, lines);
        }
        sample(
            "baking_seconds_count",
            labels,
            counts[5],
            time,
            &mut lines[6],
        );
        sample("baking_seconds_sum", labels, sum, time, &mut lines[7]);
    }
    out.push_str(&lines.concat());
}

fn sample(name: &str, labels: &str, value: f64, time: &str, out: &mut String) {
    let value = match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    };
    writeln!(out, "{name}{{{labels}}} {value} {time}").unwrap();
}

/// A folder that goes when the test does.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let name = format!("rulecheck-differential-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn prometheus(folder: &Path, data: &Path) -> Server {
        let blocks = folder.join("blocks");
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
            .args([data, &blocks])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let config = folder.join("prometheus.yml");
        std::fs::write(&config, "global: {}\n").unwrap();
        // Free a moment ago, and nobody else is likely to take it.
        let free = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let address = free.to_string();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", blocks.display()))
            .arg("--storage.tsdb.retention.time=100y")
            .arg(format!("--web.listen-address={address}"))
            .args([
                "--enable-feature=promql-experimental-functions",
                "--log.level=error",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { child, address };
        server.wait();
        server
    }

    fn rulecheck(data: &Path) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rulecheck"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(["--enable-feature", "promql-experimental-functions"])
            .arg("--data")
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.unwrap().to_owned();
        Server { child, address }
    }

    fn wait(&self) {
        let begun = Instant::now();
        let ready = || http::ask(&self.address, "GET", "/-/ready", "", "");
        while ready().map_or(0, |answer| answer.status) != 200 {
            assert!(
                begun.elapsed() < http::PATIENCE,
                "Prometheus does not answer"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn ask(&self, form: &Form) -> Value {
        let answer = http::ask(&self.address, "POST", form.path, "", &form.body).unwrap();
        assert_eq!(answer.header("content-type"), Some("application/json"));
        serde_json::from_str(&answer.body).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn runs(program: &str) -> bool {
    let asked = Command::new(program).arg("--version").output();
    asked.is_ok_and(|output| output.status.success())
}

/// Whether the Prometheus on PATH is older than the one that rulecheck conforms to.
fn is_old() -> bool {
    let output = Command::new("prometheus")
        .arg("--version")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split("version ").nth(1).unwrap_or_default();
    let mut parts = version
        .split(['.', ' '])
        .map_while(|part| part.parse::<u32>().ok());
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) => (major, minor) < (3, 14),
        _ => false,
    }
}
