//! Worlds by chance: rules of every kind over series of every kind, and incidents.

use rulecheck::model::Labels;
use rulecheck::replay::{OnRuleError, ReplaySpec, Schedule};
use rulecheck::rules::{self, ReadOptions};
use rulecheck::store::{Points, Series, Store, Writer, stale_marker};
use rulecheck::text::Source;
use rulecheck::whatif::{Incident, Incidents, RuleSet, World};

pub const MINUTE: i64 = 60_000;

/// How many minutes there are.
const COUNT: i64 = 240;

/// Numbers that look like chance.
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    pub fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
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

pub const THRESHOLDS: [&str; 12] = [
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

pub const WAITS: [&str; 7] = ["0s", "30s", "1m", "2m", "90s", "7m", "1h"];

/// Expressions of every kind: `M` is a metric of their own, `T` a threshold.
const FORMS: [&str; 30] = [
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
    "M and on (i) other > T",
    "M > T and on (i) other > T",
    "M > T or M < T",
    "M > T and on (i) other > T unless on (i) one_or_two < T",
    "T < M <= T",
    "(M > T or on (i) other >= T) and on () one_or_two != T",
    "M > T unless on () (other > T or one_or_two == T)",
    "other > T or M > T",
    "other > T or on (x) M > T",
    "abs(M > T) > T and ignoring (i) other > T",
    "M > T and on (i) nothing > T or on (i) one_or_two > T",
    "(M > T and on (i) other) < T * T",
];

/// Rules that have each form often, with any waits; some have limits, some labels that hang on values.
fn random_rules(chance: &mut Chance, rounds: usize) -> String {
    let mut text = "groups:\n".to_owned();
    for number in 0..rounds * FORMS.len() {
        let mut expr = FORMS[number % FORMS.len()].replace('M', &format!("m{number}"));
        while expr.contains('T') {
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
            add(&format!("m{metric}"), instance, points(chance, COUNT));
        }
    }
    for (name, instance) in [("other", "0"), ("one_or_two", "0"), ("one_or_two", "1")] {
        add(name, instance, points(chance, COUNT));
    }
    store
}

/// Rules and what they are replayed over.
pub fn random_world(chance: &mut Chance, rounds: usize) -> (RuleSet, World) {
    let text = random_rules(chance, rounds);
    let reading = ReadOptions::default();
    let file = rules::read(&Source::new("rules.yml", text.as_str()), &reading);
    let file = file.unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
    let rules = RuleSet {
        files: vec![file],
        specs: None,
        reading,
    };
    let store = random_data(chance, rounds * FORMS.len());
    // The first evaluation comes later than the data begins.
    let mut spec = ReplaySpec::new(&[], store, 20_000, (COUNT - 1) * MINUTE, MINUTE);
    spec.on_error = OnRuleError::Continue;
    spec.schedule = Schedule::Production;
    (rules, World::recorded("data", spec))
}

/// Incidents one after the other, some without length, that name any alerts.
pub fn random_incidents(chance: &mut Chance, rules: &RuleSet) -> Incidents {
    let groups = rules.groups();
    let (mut all, mut time) = (Vec::new(), 0);
    loop {
        let start = time + chance.below(8) as i64 * MINUTE;
        let end = start + chance.below(6) as i64 * MINUTE;
        if end >= COUNT * MINUTE {
            return Incidents { all };
        }
        let most = *chance.of(&[1, 1, 6]);
        let alerts = (0..=chance.below(most)).map(|_| {
            let group = chance.of(&groups);
            let name = &group.rules[0].name;
            match chance.below(2) {
                0 => name.clone(),
                _ => format!("{}/{name}", group.name),
            }
        });
        all.push(Incident {
            name: format!("incident {}", all.len()),
            start,
            end,
            alerts: alerts.collect(),
            grace: chance.below(4) as i64 * MINUTE,
        });
        time = end;
    }
}
