//! Windows that are expected: those of a model of the alert pass, and none that lie elsewhere do.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a broken case should stop the test where it is built"
)]

use proptest::prelude::*;
use rulecheck::rules::{self, ReadOptions};
use rulecheck::suite::{self, RunOptions, Suite, file};
use rulecheck::text::Source;

/// Evaluations a test has, a minute apart.
const EVALUATIONS: usize = 40;

/// An alert, and whether its condition is true at each evaluation.
#[derive(Debug, Clone)]
struct Case {
    hold: usize,
    keep: usize,
    truth: Vec<bool>,
}

/// Windows in minutes; without an end where they last.
type Windows = Vec<(usize, Option<usize>)>;

fn cases() -> impl Strategy<Value = Case> {
    // Runs of truth and untruth, so that windows are long enough to be seen.
    let runs = prop::collection::vec((1..9usize, any::<bool>()), 1..12);
    (0..4usize, 0..4usize, runs).prop_map(|(hold, keep, runs)| {
        let truth = runs
            .into_iter()
            .flat_map(|(length, truth)| std::iter::repeat_n(truth, length))
            .chain(std::iter::repeat(false))
            .take(EVALUATIONS)
            .collect();
        Case { hold, keep, truth }
    })
}

impl Case {
    /// When the alert is pending and when it fires, evaluation by evaluation.
    fn model(&self) -> (Windows, Windows) {
        let mut active: Option<usize> = None;
        let mut firing = false;
        let mut last_true = 0;
        let (mut pending, mut fires) = (vec![false; EVALUATIONS], vec![false; EVALUATIONS]);
        for (minute, &truth) in self.truth.iter().enumerate() {
            if truth {
                last_true = minute;
                let since = *active.get_or_insert(minute);
                firing = firing || minute - since >= self.hold;
            } else {
                // It is kept as long after the first evaluation without its condition.
                let kept = firing && self.keep > 0 && minute - (last_true + 1) < self.keep;
                if !kept {
                    (active, firing) = (None, false);
                }
            }
            fires[minute] = firing;
            pending[minute] = active.is_some() && !firing;
        }
        (windows(&pending), windows(&fires))
    }

    fn passes(&self, pending: &Windows, fires: &Windows, within: usize) -> bool {
        let values: Vec<String> = self
            .truth
            .iter()
            .map(|truth| i32::from(*truth).to_string())
            .collect();
        let rules = format!(
            "groups:\n- name: g\n  rules:\n  - {{alert: A, expr: m > 0, for: {}m, keep_firing_for: {}m}}\n",
            self.hold, self.keep
        );
        let test = format!(
            "rule_files: [r.yml]\ntests:\n- interval: 1m\n  duration: {}m\n  input_series: [{{series: m, values: '{}'}}]\n  \
             expect:\n  - {{alert: A, {}fires: {}{}, others: allowed}}\n",
            EVALUATIONS - 1,
            values.join(" "),
            match self.hold {
                // Without a hold it can't be pending, and to expect that is refused.
                0 => String::new(),
                _ => format!("pending: {}, ", written(pending)),
            },
            written(fires),
            match (within, pending.is_empty() && fires.is_empty()) {
                (_, true) => String::new(),
                (within, false) => format!(", within: {within}m"),
            },
        );
        let options = ReadOptions::default();
        let rules = rules::read(&Source::new("r.yml", rules), &options).unwrap();
        let file = file::read(&Source::new("t.yml", test.clone()), &options).expect(&test);
        let suite = Suite {
            file: file.into(),
            rule_files: vec![rules],
        };
        suite::run(&suite, &RunOptions::default()).unwrap().passed()
    }
}

fn windows(state: &[bool]) -> Windows {
    let mut windows: Windows = Vec::new();
    for (minute, &is) in state.iter().enumerate() {
        let was = minute > 0 && state[minute - 1];
        match (was, is) {
            (false, true) => windows.push((minute, None)),
            (true, false) => windows.last_mut().expect("it was there").1 = Some(minute),
            _ => {}
        }
    }
    windows
}

fn written(windows: &Windows) -> String {
    let window = |&(from, to): &(usize, Option<usize>)| match to {
        Some(to) => format!("{{from: {from}m, to: {to}m}}"),
        None => format!("{{from: {from}m, to: end}}"),
    };
    match windows.is_empty() {
        true => "never".to_owned(),
        false => {
            let all: Vec<String> = windows.iter().map(window).collect();
            format!("[{}]", all.join(", "))
        }
    }
}

/// One edge of one window a minute later, if the windows stay apart and in the test.
fn moved(windows: &Windows, place: usize, end: bool) -> Option<Windows> {
    let mut moved = windows.clone();
    let next = windows
        .get(place + 1)
        .map_or(EVALUATIONS - 1, |next| next.0);
    let window = moved.get_mut(place)?;
    match (end, &mut window.1) {
        (true, Some(to)) => *to += 1,
        (true, None) => return None,
        (false, _) => window.0 += 1,
    }
    let is_sound = window.1.is_none_or(|to| window.0 < to && to < next) && window.0 < next;
    is_sound.then_some(moved)
}

proptest! {
    #[test]
    fn the_windows_of_the_model_pass_and_no_others(case in cases(), place in 0..4usize, end: bool, of_firing: bool) {
        let (pending, fires) = case.model();
        prop_assert!(case.passes(&pending, &fires, 0), "{pending:?} {fires:?}");
        let other = match of_firing {
            true => moved(&fires, place, end).map(|fires| (pending.clone(), fires)),
            false => moved(&pending, place, end).map(|pending| (pending, fires.clone())),
        };
        if let Some((pending, fires)) = other {
            prop_assert!(!case.passes(&pending, &fires, 0), "{pending:?} {fires:?}");
            prop_assert!(case.passes(&pending, &fires, 1), "{pending:?} {fires:?}");
        }
        if !fires.is_empty() {
            prop_assert!(!case.passes(&pending, &Vec::new(), 0));
        }
    }
}
