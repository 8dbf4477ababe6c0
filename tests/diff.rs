//! Differences: every window of both sides is in one class, the mirror shows the same, and present values change nothing; git
//! repositories made here are compared by the binary.

#![expect(
    clippy::unwrap_used,
    reason = "a file that can't be read should stop the test"
)]

mod rule_sets;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use proptest::prelude::*;
use rulecheck::model::Labels;
use rulecheck::replay::{AlertState, OnRuleError, ReplaySpec, Schedule};
use rulecheck::rules::{self, ReadOptions};
use rulecheck::store::{Points, Series, Store, Writer};
use rulecheck::suite::{RunOptions, Stage, file};
use rulecheck::text::Source;
use rulecheck::whatif::diff::{Both, InstanceDiff, RuleChange, TimelineDiff, Window, WindowChange};
use rulecheck::whatif::{Change, RuleSet, World};

use rule_sets::{rule_set, yaml_files};

const MINUTE: i64 = 60_000;

/// A world of series with a sample a minute; `None` is no sample.
fn world(series: &[(Labels, Vec<Option<f64>>)], minutes: i64) -> World {
    let mut store = Store::default();
    for (labels, values) in series {
        let mut points = Points::default();
        for (at, value) in values.iter().enumerate() {
            if let Some(value) = value {
                points.push(at as i64 * MINUTE, *value);
            }
        }
        store.add(Series {
            labels: labels.clone(),
            points,
            writer: Writer::INPUT,
        });
    }
    let mut spec = ReplaySpec::new(&[], store, 0, minutes * MINUTE, MINUTE);
    spec.schedule = Schedule::Production;
    spec.on_error = OnRuleError::Continue;
    World::recorded("data", spec)
}

fn diff(world: &World, before: &RuleSet, after: &RuleSet) -> TimelineDiff {
    let frame = world.frame(&[]);
    let diff = world.replay_both(before, (world, after), |old, new| {
        let diff = TimelineDiff::of(old, new, frame);
        hold(&diff, old.replay, new.replay);
        diff
    });
    diff.unwrap()
}

/// Every window of both replays is in exactly one class.
fn hold(
    diff: &TimelineDiff,
    old: &rulecheck::replay::Replay<'_>,
    new: &rulecheck::replay::Replay<'_>,
) {
    let windows = |replay: &rulecheck::replay::Replay<'_>, state: AlertState| {
        let alerts = replay.timeline.alerts.iter();
        let instances = alerts.flat_map(|alert| &alert.instances);
        let stretches = instances.flat_map(|it| &it.stretches);
        let of_state = stretches.filter(move |it| it.state == state);
        let mut all: Vec<Window> = of_state
            .map(|it| Window {
                from: it.from,
                to: it.to,
            })
            .collect();
        all.sort_unstable();
        all
    };
    for state in [AlertState::Pending, AlertState::Firing] {
        let all: Vec<_> = diff
            .alerts
            .iter()
            .flat_map(|alert| &alert.instances)
            .flat_map(|it| it.windows(state))
            .collect();
        let mut before: Vec<Window> = all.iter().filter_map(|it| it.windows.before).collect();
        let mut after: Vec<Window> = all.iter().filter_map(|it| it.windows.after).collect();
        before.sort_unstable();
        after.sort_unstable();
        assert_eq!(before, windows(old, state));
        assert_eq!(after, windows(new, state));
    }
}

/// What a difference says, as lines that do not depend on the order; `back` as seen from the other side.
fn lines(diff: &TimelineDiff, back: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let turn = |both: Both<String>| match back {
        false => format!("{} > {}", both.before, both.after),
        true => format!("{} > {}", both.after, both.before),
    };
    for alert in &diff.alerts {
        for InstanceDiff {
            labels,
            firing,
            pending,
        } in &alert.instances
        {
            let labels = turn(Both {
                before: format!("{:?}", labels.before),
                after: format!("{:?}", labels.after),
            });
            for (state, windows) in [("firing", firing), ("pending", pending)] {
                for window in windows {
                    let change = match (window.change, back) {
                        (WindowChange::Gained, true) => WindowChange::Lost,
                        (WindowChange::Lost, true) => WindowChange::Gained,
                        (WindowChange::Merged, true) => WindowChange::Split,
                        (WindowChange::Split, true) => WindowChange::Merged,
                        (change, _) => change,
                    };
                    let sides = turn(Both {
                        before: format!("{:?}", window.windows.before),
                        after: format!("{:?}", window.windows.after),
                    });
                    lines.push(format!("{labels} {state} {} {sides}", change.name()));
                }
            }
        }
        let pages = turn(Both {
            before: alert.pages.before.to_string(),
            after: alert.pages.after.to_string(),
        });
        lines.push(format!("pages {pages}"));
    }
    lines.push(turn(Both {
        before: format!("{} {}", diff.pages.before, diff.firing.before),
        after: format!("{} {}", diff.pages.after, diff.firing.after),
    }));
    lines.sort();
    lines
}

/// Rules that vary in all that can be varied.
fn some_rules() -> impl Strategy<Value = String> {
    let choice = |words: &'static [&'static str]| prop::sample::select(words);
    (
        choice(&["0.5", "1", "2"]),
        choice(&["1", "2", "3"]),
        choice(&["0s", "1m", "3m"]),
        choice(&["0s", "2m"]),
        choice(&["page", "ticket", "{{ if gt $value 2.0 }}page{{ else }}ticket{{ end }}"]),
        choice(&["a:sum", "sum by (x) (a)", "a", "max without (y) (a)"]),
        choice(&["g", "h"]),
    )
        .prop_map(|(factor, bound, hold, keep, severity, left, group)| {
            format!(
                "groups:\n- name: r\n  rules:\n  - record: a:sum\n    expr: sum by (x) (a) * {factor}\n- name: {group}\n  rules:\n  \
                - alert: A\n    expr: {left} > {bound}\n    for: {hold}\n    keep_firing_for: {keep}\n    labels: {{severity: '{severity}'}}\n  \
                - alert: B\n    expr: count(ALERTS{{alertstate=\"firing\"}}) > {factor}\n  - alert: C\n    expr: a:sum > {bound}\n"
            )
        })
}

fn some_series() -> impl Strategy<Value = Vec<(Labels, Vec<Option<f64>>)>> {
    let values = || {
        let value = prop::option::weighted(0.95, (0i32..4).prop_map(f64::from));
        prop::collection::vec(value, 30)
    };
    prop::collection::vec(values(), 1..4).prop_map(|all| {
        let all = all.into_iter().enumerate();
        let labels = |number: usize| {
            let (x, y) = ((number % 2).to_string(), number.to_string());
            Labels::from_pairs([("__name__", "a".to_owned()), ("x", x), ("y", y)])
        };
        all.map(|(number, values)| (labels(number), values))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn the_mirror_shows_the_same(before in some_rules(), after in some_rules(), series in some_series()) {
        let world = world(&series, 30);
        let (before, after) = (rule_set("a.yml", &before).unwrap(), rule_set("b.yml", &after).unwrap());
        let there = diff(&world, &before, &after);
        let back = diff(&world, &after, &before);
        prop_assert_eq!(lines(&there, false), lines(&back, true));
        prop_assert_eq!(there.is_empty(), back.is_empty());
        // What differs has a cause, and what has none does not.
        for alert in &there.alerts {
            prop_assert_eq!(alert.causes.is_empty(), alert.is_empty());
        }
    }

    #[test]
    fn nothing_changes_against_itself(rules in some_rules(), series in some_series()) {
        let rules = rule_set("a.yml", &rules).unwrap();
        let diff = diff(&world(&series, 30), &rules, &rules);
        prop_assert!(diff.is_empty() && diff.rules.is_empty());
        prop_assert_eq!(diff.pages.before, diff.pages.after);
    }
}

fn with_present_values(set: &RuleSet) -> RuleSet {
    let knobs = set.knobs();
    let present = knobs
        .iter()
        .map(|knob| Change::new(knob, &knob.value).unwrap());
    let present: Vec<Change> = present.collect();
    set.changed(&present).unwrap().rules
}

#[test]
fn present_values_change_nothing() {
    let (mut sets, mut firing) = (0, 0);
    let up = (
        Labels::from_pairs([("__name__", "up"), ("job", "a")]),
        vec![Some(0.0); 40],
    );
    let world = world(&[up], 40);
    for path in yaml_files(&["rules", "fixtures"]) {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        let Some(set) = rule_set(&path.display().to_string(), &text) else {
            continue;
        };
        let diff = diff(&world, &set, &with_present_values(&set));
        assert!(
            diff.is_empty() && diff.rules.is_empty(),
            "{}",
            path.display()
        );
        sets += 1;
        firing += diff.pages.after;
    }
    assert!(sets > 60 && firing > 20, "{sets} files, {firing} pages");
}

/// Over the series of the tests of the systems under `rules`.
#[test]
fn present_values_change_nothing_in_tests() {
    let (mut tests, mut firing) = (0, 0);
    for path in yaml_files(&["rules"]) {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        if !file::looks_like_test_file(&text) {
            continue;
        }
        let source = Source::new(path.display().to_string(), text);
        let Ok(test_file) = file::read(&source, &ReadOptions::default()) else {
            continue;
        };
        // The first files are enough: each has many tests.
        let folder = path.parent().unwrap();
        let mut files = Vec::new();
        for pattern in &test_file.rule_files {
            let path = folder.join(&pattern.value);
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            let source = Source::new(path.display().to_string(), text);
            files.push(rules::read(&source, &ReadOptions::default()).unwrap());
        }
        let places: Vec<usize> = (0..files.len()).collect();
        let set = RuleSet {
            files,
            specs: None,
            reading: ReadOptions::default(),
        };
        let after = with_present_values(&set);
        let Ok(stages) = Stage::of(&Arc::new(test_file), &RunOptions::default()) else {
            continue;
        };
        for stage in stages.into_iter().take(3) {
            let world = World::of_test("test", stage, places.clone());
            let diff = diff(&world, &set, &after);
            assert!(
                diff.is_empty() && diff.rules.is_empty(),
                "{}",
                path.display()
            );
            tests += 1;
            firing += diff.pages.after;
        }
    }
    assert!(tests > 20 && firing > 10, "{tests} tests, {firing} pages");
}

#[test]
fn causes_are_found_through_chains() {
    let text = |factor: &str, name: &str| {
        format!(
            "groups:\n- name: g\n  rules:\n  - record: one:a\n    expr: a * {factor}\n  - record: two:a\n    expr: {name} + 0\n  \
            - alert: A\n    expr: two:a > 1\n  - alert: B\n    expr: a > 1\n"
        )
    };
    let a = |values: &[f64]| {
        let values = values.iter().copied().map(Some).collect();
        (Labels::from_pairs([("__name__", "a")]), values)
    };
    let world = world(&[a(&[0.0, 1.0, 1.0, 0.0])], 3);
    let before = rule_set("a.yml", &text("1", "one:a")).unwrap();
    for (factor, name, expected) in [
        ("2", "one:a", vec!["one:a"]),
        ("2", "1 *  a  * 2", vec!["two:a"]),
    ] {
        let after = rule_set("b.yml", &text(factor, name)).unwrap();
        let diff = diff(&world, &before, &after);
        let [a, b] = diff.alerts.as_slice() else {
            panic!("two alerts");
        };
        assert!(!a.is_empty() && b.is_empty() && b.causes.is_empty());
        let causes = a.causes.iter().map(|&rule| &diff.rules.pairs[rule]);
        let mut names: Vec<&str> = causes.map(|it| it.side().unwrap().name.as_str()).collect();
        // What is read no more was read before.
        names.retain(|name| *name != "one:a" || expected.contains(name));
        assert_eq!(names, expected);
    }
}

#[test]
fn a_group_of_another_name_is_no_loss() {
    let text = |group: &str, first: &str| {
        format!(
            "groups:\n- name: {group}\n  rules:\n  {first}- alert: A\n    expr: a > 1\n    labels: {{severity: page}}\n"
        )
    };
    let series = (
        Labels::from_pairs([("__name__", "a")]),
        vec![Some(0.0), Some(2.0), Some(0.0)],
    );
    let world = world(&[series], 2);
    let before = rule_set("a.yml", &text("g", "")).unwrap();
    let after = rule_set("b.yml", &text("h", "- {record: r, expr: a}\n  ")).unwrap();
    let diff = diff(&world, &before, &after);
    assert!(diff.is_empty());
    let changes: Vec<RuleChange> = diff.rules.changed().map(|pair| pair.change()).collect();
    assert_eq!(changes, [RuleChange::Added, RuleChange::Moved]);
}

/// A folder with a git repository.
struct Repository {
    folder: snapbox::dir::DirRoot,
}

impl Repository {
    fn new() -> Repository {
        let folder = snapbox::dir::DirRoot::mutable_temp().unwrap();
        let repository = Repository { folder };
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    fn path(&self) -> &Path {
        self.folder.path().unwrap()
    }

    fn git(&self, arguments: &[&str]) {
        let who = [
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.com",
            "-c",
            "commit.gpgsign=false",
        ];
        let output = Command::new("git")
            .args(who)
            .args(arguments)
            .current_dir(self.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "a"]);
    }

    /// What the binary answers in a folder of it.
    fn diff(&self, folder: &str, arguments: &[&str]) -> (String, String, Option<i32>) {
        run(&self.path().join(folder), arguments)
    }
}

fn run(folder: &Path, arguments: &[&str]) -> (String, String, Option<i32>) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_rulecheck"))
        .arg("diff")
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        // A repository around the temporary folder is none of theirs.
        .env("GIT_CEILING_DIRECTORIES", std::env::temp_dir())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(stdout), text(stderr), status.code())
}

fn rules_with(threshold: &str) -> String {
    format!("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: m > {threshold}\n")
}

const DATA: &str = "# TYPE m gauge\nm 1 0\nm 5 60\nm 5 120\nm 1 180\nm 7 240\nm 1 300\n# EOF\n";

/// `main` asks for more than 4, `strict` for more than 6; main has gone on since.
fn repository() -> Repository {
    let repository = Repository::new();
    repository.write("rules/a.yml", &rules_with("4"));
    repository.write("rules/tests.yml", "rule_files: [a.yml]\ntests: []\n");
    repository.write("rules/notes.md", "groups: none\n");
    // What holds no rules may be broken.
    fs::write(repository.path().join("rules/latin.yml"), b"name: \xe9\n").unwrap();
    repository.write("m.om", DATA);
    repository.commit();
    repository.git(&["checkout", "-q", "-b", "strict"]);
    repository.write("rules/a.yml", &rules_with("6"));
    repository.commit();
    repository.git(&["checkout", "-q", "main"]);
    repository.write(
        "rules/b.yml",
        "groups: [{name: later, rules: [{record: r, expr: m}]}]\n",
    );
    repository.commit();
    repository
}

#[test]
fn revisions_are_compared() {
    let repository = repository();
    // What lies in the work tree is not looked at, and stays.
    repository.write("rules/a.yml", "broken: [");
    let (out, err, exit) = repository.diff("", &["--git", "main...strict", "--data", "m.om"]);
    assert_eq!((err.as_str(), exit), ("", Some(0)));
    for line in [
        "main -> strict: 1 rule changed\n",
        "g/A changed: expr  strict:rules/a.yml:4:12\n",
        "  -expr: m > 4\n  +expr: m > 6\n",
        "    lost     firing   1970-01-01T00:01:00Z to 1970-01-01T00:03:00Z  2m\n",
        "m.om (5m): 1 firing lost, 1 kept\n",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    assert_eq!(
        fs::read_to_string(repository.path().join("rules/a.yml")).unwrap(),
        "broken: ["
    );
    let (out, _, exit) = repository.diff("", &["--git", "main..strict", "rules/b.yml"]);
    assert_eq!(exit, Some(0));
    assert!(
        out.contains("later/r removed  main:rules/b.yml:1:"),
        "{out}"
    );
    // From a folder inside, paths are relative, and the folder itself is what is compared.
    for arguments in [
        &["--git", "main..strict"][..],
        &["--git", "main..strict", "a.yml", "b.yml"],
    ] {
        let (out, err, exit) = repository.diff("rules", arguments);
        assert_eq!((err.as_str(), exit), ("", Some(0)));
        assert!(
            out.starts_with("main -> strict: 1 rule changed, 1 removed\n"),
            "{out}"
        );
    }
    let gated = [
        "--git",
        "main..strict",
        "--data",
        "m.om",
        "--fail-on",
        "lost",
        "--format",
        "json",
    ];
    let (out, _, exit) = repository.diff("", &gated);
    assert_eq!(exit, Some(1));
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["summary"]["firing"]["lost"], 1);
    assert_eq!(json["gates"][0]["passed"], false);
    assert_eq!(json["worlds"][0]["alerts"][0]["causes"][0]["name"], "A");
}

#[test]
fn tests_are_replayed_over_revisions() {
    let repository = repository();
    let test = "rule_files: [a.yml]\ntests:\n- interval: 1m\n  input_series: [{series: m, values: '1 5 5 1 7 1'}]\n  \
                alert_rule_test: [{eval_time: 5m, alertname: A}]\n";
    repository.write("rules/tests.yml", test);
    let (out, err, exit) =
        repository.diff("", &["--git", "main..strict", "--tests", "rules/tests.yml"]);
    assert_eq!((err.as_str(), exit), ("", Some(0)));
    assert!(
        out.contains("rules/tests.yml: test 1 (5m): 1 firing lost, 1 kept\n"),
        "{out}"
    );
}

/// A limit on what is not known holds nothing.
#[test]
fn pages_of_no_time_pass_no_gate() {
    let repository = repository();
    let test = "rule_files: [a.yml]\ntests:\n- interval: 1m\n  input_series: [{series: m, values: '1 5 5'}]\n";
    repository.write("rules/tests.yml", test);
    for gate in ["--max-pages-per-week", "--max-new-pages-per-week"] {
        let arguments = [
            "--git",
            "main..strict",
            "--tests",
            "rules/tests.yml",
            gate,
            "9",
        ];
        let (out, err, exit) = repository.diff("", &arguments);
        assert_eq!((err.as_str(), exit), ("", Some(1)), "{out}");
        let line = format!("FAILED {gate} 9: nothing is known of pages");
        assert!(out.contains(&line), "{out}");
    }
}

#[test]
fn what_git_can_not_do_is_told() {
    let repository = repository();
    repository.git(&["branch", "far"]);
    repository.git(&["branch", "old", "HEAD~1"]);
    repository.git(&["update-ref", "refs/remotes/origin/release", "HEAD"]);
    repository.git(&["checkout", "-q", "--orphan", "alone"]);
    repository.write(
        "rules/a.yml",
        "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: sum(\n",
    );
    repository.commit();
    for (arguments, words) in [
        (
            &["--git", "man..strict"][..],
            &["there is no revision \"man\"", "did you mean main?"][..],
        ),
        (
            &["--git", "release..strict"],
            &["did you mean origin/release?"],
        ),
        (
            &["--git", "0123abcd..zzzzzzzz"],
            &["\"0123abcd\"", "\"zzzzzzzz\"", "fetch-depth"],
        ),
        (
            &["--git=--help..strict"],
            &["there is no revision \"--help\""],
        ),
        (
            &["--git", "main"],
            &["write BASE..HEAD, such as main..HEAD"],
        ),
        // What is left away is HEAD, as in git.
        (
            &["--git", "..alone"],
            &["HEAD and alone are one commit", "HEAD~1..HEAD"],
        ),
        (&["--git", "HEAD.."], &["HEAD is compared with itself"]),
        (&["--git", ".."], &["HEAD is compared with itself"]),
        (&["--git", "main..far"], &["main and far are one commit"]),
        (
            &["--git", "main...old"],
            &[
                "old has changed nothing since it left main",
                "write old...main",
            ],
        ),
        (
            &["--git", "main..strict", "rulez"],
            &["there is no rule file rulez in main and none in strict"],
        ),
        (
            &["--git", "main..strict", "../far"],
            &["../far lies outside of the repository", "--rules"],
        ),
        (&["--git", "main...alone"], &["no commit in common"]),
        (
            &["--git", "main..alone"],
            &["alone:rules/a.yml:5:", "unclosed left parenthesis"],
        ),
    ] {
        let (out, err, exit) = repository.diff("", arguments);
        assert_eq!((out.as_str(), exit), ("", Some(2)), "{arguments:?}\n{err}");
        for word in words {
            assert!(err.contains(word), "{arguments:?}: {word}\n{err}");
        }
    }
    let nowhere = snapbox::dir::DirRoot::mutable_temp().unwrap();
    let (_, err, exit) = run(nowhere.path().unwrap(), &["--git", "main..strict"]);
    assert_eq!(exit, Some(2));
    assert!(err.contains("not a git repository"), "{err}");
    let output = Command::new(env!("CARGO_BIN_EXE_rulecheck"))
        .args(["diff", "--git", "main..strict"])
        .current_dir(repository.path())
        .env("PATH", nowhere.path().unwrap())
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err.contains("can't run git: there is no such program"),
        "{err}"
    );
}

/// Objectives are those of each revision, not those of the work tree; what no revision has is the work tree's on both sides.
#[test]
fn objectives_are_those_of_revisions() {
    let repository = Repository::new();
    let slo = |objective: &str| {
        format!(
            "slos:\n- {{name: a, objective: {objective}%, window: 30d, bad: bad_total, total: all_total}}\n"
        )
    };
    let mut data = String::new();
    for (name, step) in [("bad", 1), ("all", 100)] {
        data.push_str(&format!("# TYPE {name} counter\n"));
        for minute in 0..=10 {
            data.push_str(&format!("{name}_total {} {}\n", minute * step, minute * 60));
        }
    }
    let data = data + "# EOF\n";
    repository.write("a.yml", &rules_with("4"));
    repository.write("slo/a.yml", &slo("90"));
    repository.write("m.om", &data);
    repository.commit();
    repository.write("slo/a.yml", &slo("98"));
    repository.write("a.yml", &rules_with("6"));
    repository.commit();
    repository.write("slo/a.yml", &slo("99.5"));
    repository.write("own.yml", &slo("90"));
    let left = |arguments: &[&str]| {
        let fixed = [
            "--git",
            "HEAD~1..HEAD",
            "a.yml",
            "--data",
            "m.om",
            "--format",
            "json",
        ];
        let (out, err, exit) = repository.diff("", &[&fixed[..], arguments].concat());
        assert_eq!(exit, Some(0), "{arguments:?}: {err}");
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        let left = &json["worlds"][0]["budgets"][0]["left"];
        let spent =
            |left: &serde_json::Value| left.as_f64().map(|left| ((1.0 - left) * 1e9).round());
        ((spent(&left["before"]), spent(&left["after"])), err)
    };
    let (of_revisions, err) = left(&["--slo", "slo/a.yml"]);
    let (Some(before), Some(after)) = of_revisions else {
        panic!("{of_revisions:?}");
    };
    // Of 2% five times as much is spent as of 10%.
    assert!(
        (after / before - 5.0).abs() < 1e-3 && err.is_empty(),
        "{before} {after} {err}"
    );
    assert_eq!(left(&["--slo", "slo"]).0, of_revisions);
    assert_eq!(
        left(&["--slo", "slo", "--base-slo", "slo/a.yml"]).0,
        of_revisions
    );
    let (of_tree, err) = left(&["--slo", "own.yml"]);
    assert_eq!(of_tree, (Some(before), Some(before)));
    assert!(
        err.contains("own.yml is neither in HEAD~1 nor in HEAD"),
        "{err}"
    );
    let elsewhere = snapbox::dir::DirRoot::mutable_temp().unwrap();
    let path = elsewhere.path().unwrap().join("far.yml");
    fs::write(&path, slo("90")).unwrap();
    let (of_tree, err) = left(&["--slo", &path.display().to_string()]);
    assert_eq!((of_tree, err.as_str()), ((Some(before), Some(before)), ""));
    let (of_tree, err) = left(&["--slo", "slo/a.yml", "--base-slo", "own.yml"]);
    assert_eq!(of_tree, of_revisions);
    assert!(err.contains("own.yml is not in HEAD~1"), "{err}");
    // A file that the change adds has nothing to be held against.
    repository.write("slo/b.yml", &slo("98").replace("name: a", "name: b"));
    repository.commit();
    let (new, err) = left(&["--slo", "slo/b.yml"]);
    assert_eq!((new, err.as_str()), ((None, Some(after)), ""));
}

/// What pages may be said by labels that no alert had in these data.
#[test]
fn pages_may_be_named_by_labels_of_series() {
    let folder = snapbox::dir::DirRoot::mutable_temp().unwrap();
    let path = folder.path().unwrap();
    let text = "groups:\n- name: g\n  rules:\n  - {record: r, expr: m, labels: {site: a}}\n  - alert: A\n    \
                expr: label_replace(m > 9, \"made\", \"a\", \"\", \"\")\n    labels: {shown: \"{{ $value }}\", severity: page}\n";
    fs::write(path.join("a.yml"), text).unwrap();
    fs::write(
        path.join("m.om"),
        "# TYPE m gauge\nm{team=\"a\"} 1 0\nm{team=\"a\"} 1 60\n# EOF\n",
    )
    .unwrap();
    for (pages, is_there) in [
        ("team=\"a\"", true),
        ("site=\"a\"", true),
        ("made=\"a\"", true),
        ("shown=\"7\"", true),
        ("severity=\"page\",team!=\"b\"", true),
        ("alertname=~\"A|B\"", true),
        ("other=\"\"", true),
        ("team=\"b\"", false),
        ("site=\"b\"", false),
        ("alertname=\"B\"", false),
        ("severity!~\"page|call\"", false),
        ("severity=\"page\",other=\"a\"", false),
    ] {
        let arguments = ["a.yml", "a.yml", "--data", "m.om", "--pages", pages];
        let (_, err, exit) = run(path, &arguments);
        assert_eq!(exit, Some(if is_there { 0 } else { 2 }), "{pages}: {err}");
    }
}

/// A comment on GitHub has room for 65,536 characters.
#[test]
fn markdown_has_room_in_a_comment() {
    let folder = snapbox::dir::DirRoot::mutable_temp().unwrap();
    let path = folder.path().unwrap();
    let rules = |threshold: &str| {
        let alert = |number: usize| {
            format!("  - alert: A{number}é\n    expr: m > {threshold} + {number} * 0\n")
        };
        let alerts: String = (0..2000).map(alert).collect();
        format!("groups:\n- name: g\n  rules:\n{alerts}")
    };
    fs::write(path.join("a.yml"), rules("4")).unwrap();
    fs::write(path.join("b.yml"), rules("6")).unwrap();
    fs::write(path.join("m.om"), DATA).unwrap();
    let arguments = ["a.yml", "b.yml", "--data", "m.om", "--format", "markdown"];
    let (out, err, exit) = run(path, &arguments);
    assert_eq!((err.as_str(), exit), ("", Some(0)));
    assert!(
        out.chars().count() <= 65_536 && out.len() > 60_000,
        "{}",
        out.len()
    );
    assert!(out.contains("2000 firings lost"), "{}", &out[..500]);
    assert!(
        out.ends_with("show all.\n") && out.contains("Left out"),
        "{}",
        &out[out.len() - 300..]
    );
    assert_eq!(
        out.matches("<details>").count(),
        out.matches("</details>").count()
    );
}
