//! Knobs: what moves is what a name says, and nothing else.

#![expect(
    clippy::unwrap_used,
    reason = "a file that can't be read should stop the test"
)]

mod rule_sets;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rulecheck::rules::ReadOptions;
use rulecheck::text::Source;
use rulecheck::whatif::{Change, Knob, KnobKind, RuleSet, SpecFiles, find};

use rule_sets::{rule_set, yaml_files};

/// Every YAML file below `rules` and `fixtures` that holds rules.
fn rule_sets() -> Vec<RuleSet> {
    let paths = yaml_files(&["rules", "fixtures"]);
    let sets = paths.iter().filter_map(|path| {
        let text = String::from_utf8(fs::read(path).unwrap()).ok()?;
        rule_set(&path.display().to_string(), &text)
    });
    sets.filter(|set| !set.knobs().is_empty()).collect()
}

/// Values that a knob may have, unlike its own.
fn others(knob: &Knob) -> Vec<&'static str> {
    let values: &[&str] = match knob.kind {
        KnobKind::Threshold | KnobKind::Number => &["12345.5", "-0.125e-2", "0x1F", "Inf", "17m"],
        KnobKind::Window | KnobKind::Step => &["17m", "1h1m1s1ms"],
        KnobKind::Offset => &["17m", "-17m"],
        KnobKind::For | KnobKind::KeepFiringFor => &["17m", "1d1h"],
        KnobKind::Objective | KnobKind::Period | KnobKind::Factor => &[],
    };
    let others = values.iter().filter(|value| **value != knob.value);
    others.copied().collect()
}

/// Sets one knob, and holds the outcome against what it should be.
fn check(set: &RuleSet, knobs: &[Knob], knob: &Knob, value: &str) {
    let shown = format!("{} {}={value}", knob.place, knob.name);
    let change = Change::new(knob, value).unwrap_or_else(|fault| panic!("{shown}: {fault}"));
    let edited = set.changed(&[change]);
    let edited = edited.unwrap_or_else(|faults| panic!("{shown}: {faults:?}"));
    let [(before, after)] = edited.texts.as_slice() else {
        panic!("{shown}: {} texts changed", edited.texts.len());
    };
    let (head, tail) = before.text().split_at(knob.place.span.start);
    let (old, tail) = tail.split_at(knob.place.span.end - knob.place.span.start);
    if before.slice(knob.place.span) == knob.value {
        let expected =
            [value.to_owned(), format!("({value})")].map(|it| format!("{head}{it}{tail}"));
        assert!(
            expected.contains(&after.text().to_owned()),
            "{shown}: {old:?}"
        );
    }
    let read = edited.rules.knobs();
    assert_eq!(read.len(), knobs.len(), "{shown}");
    for (new, old) in read.iter().zip(knobs) {
        let wanted = if old.is_same_text(knob) {
            value
        } else {
            &old.value
        };
        assert_eq!(
            (&new.name, new.value.as_str()),
            (&old.name, wanted),
            "{shown}"
        );
    }
    let back: Vec<Change> = knobs
        .iter()
        .filter(|it| it.is_same_text(knob))
        .map(|old| {
            let new = read.iter().find(|it| it.name == old.name).unwrap();
            Change::new(new, &old.value).unwrap()
        })
        .collect();
    let again = edited.rules.changed(&back);
    let again = again.unwrap_or_else(|faults| panic!("{shown}, back: {faults:?}"));
    let again: Vec<String> = again.rules.knobs().into_iter().map(|it| it.value).collect();
    let original: Vec<String> = knobs.iter().map(|it| it.value.clone()).collect();
    assert_eq!(again, original, "{shown}, back");
}

#[test]
fn a_change_is_of_one_number_and_of_nothing_else() {
    let (mut files, mut all) = (0, 0);
    for set in rule_sets() {
        let knobs = set.knobs();
        files += 1;
        // Each change reads the whole file again.
        let most = (400_000 / set.files[0].source.text().len()).clamp(3, 12);
        for knob in knobs.iter().step_by(knobs.len().div_ceil(most)) {
            all += 1;
            for value in others(knob) {
                check(&set, &knobs, knob, value);
            }
        }
    }
    assert!(files > 60 && all > 300, "{all} knobs in {files} files");
}

#[test]
fn present_values_change_nothing() {
    for set in rule_sets() {
        let knobs = set.knobs();
        let present = knobs
            .iter()
            .map(|knob| Change::new(knob, &knob.value).unwrap());
        let present: Vec<Change> = present.collect();
        let edited = set.changed(&present).unwrap();
        assert!(edited.texts.is_empty(), "{}", set.files[0].source.name());
    }
}

#[test]
fn names_mean_one_knob_each() {
    for set in rule_sets() {
        let knobs = set.knobs();
        for knob in &knobs {
            for name in [&knob.name].into_iter().chain(&knob.short) {
                let found = find(name, &knobs).unwrap();
                assert_eq!(found.name, knob.name, "{name}");
            }
        }
    }
}

/// A text, what is set in it, and the text that comes of it; where nothing follows, an error that holds the words.
const CASES: &[(&str, &str, &str)] = &[
    // Each number of a sum where it stands.
    (
        "expr: a > 14.4 * 0.001",
        "A.threshold[2]=0.05",
        "expr: a > 14.4 * 0.05",
    ),
    (
        "expr: 'a{b=\"it''s 5\"} > 5' # 5",
        "A.threshold=6",
        "expr: 'a{b=\"it''s 5\"} > 6' # 5",
    ),
    (
        r#"expr: "a{b=\"5\"} >\t5""#,
        "A.threshold=-1e3",
        r#"expr: "a{b=\"5\"} >\t-1e3""#,
    ),
    (r#"expr: "a > \x35""#, "A.threshold=6", r#"expr: "a > 6""#),
    (
        "expr: >-\n      a\n\n        > 5\n    for: 1m",
        "A.for=2m",
        "expr: >-\n      a\n\n        > 5\n    for: 2m",
    ),
    (
        "expr: >-\n      a\n\n        > 5\n    for: 1m",
        "A.threshold=0x6",
        "expr: >-\n      a\n\n        > 0x6\n    for: 1m",
    ),
    (
        "expr: a >\n      5",
        "A.threshold=NaN",
        "expr: a >\n      NaN",
    ),
    (
        "expr: |\r\n      a > 5\r\n    for: 1m\r\n",
        "A.threshold=6",
        "expr: |\r\n      a > 6\r\n    for: 1m\r\n",
    ),
    (
        "expr: a > 5\r\n",
        "A.for=1m",
        "expr: a > 5\r\n    for: 1m\r\n",
    ),
    // A key that is not there comes behind the query, and `keep_firing_for` behind `for`.
    (
        "expr: |\n      a > 5\n      # 5\n\n    labels: {b: c}",
        "A.for=1m",
        "expr: |\n      a > 5\n      # 5\n    for: 1m\n\n    labels: {b: c}",
    ),
    (
        "expr: a > 5 # five\n    for: 1m # one\n",
        "A.keep_firing_for=2m",
        "expr: a > 5 # five\n    for: 1m # one\n    keep_firing_for: 2m\n",
    ),
    (
        "expr: a > 5\n    for:\n",
        "A.for=1m",
        "expr: a > 5\n    for: 1m\n",
    ),
    (
        "expr: a > 5\n    for: ~\n",
        "A.for=1m",
        "expr: a > 5\n    for: 1m\n",
    ),
    (
        "expr: a > 5\n    for: '1m'",
        "A.for=0s",
        "expr: a > 5\n    for: '0s'",
    ),
    (
        "expr: a > 5\n    for: 0",
        "A.for=0",
        "expr: a > 5\n    for: 0",
    ),
    ("expr: a > 5", "A.for=0", "expr: a > 5"),
    // Brackets only where a sign would mean something else.
    ("expr: a > 2 ^ 2", "A.threshold[1]=-3", "expr: a > (-3) ^ 2"),
    ("expr: a > 2 ^ 2", "A.threshold[2]=-3", "expr: a > 2 ^ -3"),
    ("expr: a - 5 > 0", "A.number=-3", "expr: a - -3 > 0"),
    ("expr: a > - 5", "A.threshold=-3", "expr: a > - -3"),
    ("expr: (a)>5<9", "A.threshold[2]=0x6", "expr: (a)>5<0x6"),
    (
        "expr: rate(a[300]) > 5",
        "A.window=5m",
        "expr: rate(a[5m]) > 5",
    ),
    (
        "expr: a offset 5m > 5",
        "A.offset=-5m",
        "expr: a offset -5m > 5",
    ),
    ("expr: topk(3, a)", "A.number=5", "expr: topk(5, a)"),
    // What Prometheus would not load.
    ("expr: rate(a[5m])", "A.window=Inf", ""),
    ("expr: a > 5", "A.threshold=5 5", ""),
    ("expr: a > 5", "A.threshold=b", ""),
    ("expr: a > 5", "A.threshold=", ""),
    ("expr: a > 5", "A.for=300y", ""),
    ("expr: a > 5", "A.for=5m#", ""),
    ("expr: !!binary YSA+IDU=", "A.threshold=6", ""),
];

#[test]
fn texts_change_where_the_number_stands() {
    for (rule, set, expected) in CASES {
        let text = |rule: &str| format!("groups:\n- name: g\n  rules:\n  - alert: A\n    {rule}");
        let rules = rule_set("f", &text(rule)).unwrap_or_else(|| panic!("{rule}: no rules"));
        let changed = Change::parse(set, &rules.knobs())
            .map_err(|fault| vec![fault])
            .and_then(|change| rules.changed(&[change]));
        match changed {
            Ok(edited) => {
                let after = edited.texts.first();
                let after = after.map_or(rules.files[0].source.text(), |(_, after)| after.text());
                assert_eq!(after, text(expected), "{rule}: {set}");
            }
            Err(faults) => {
                assert_eq!(*expected, "", "{rule}: {set}: {faults:?}");
                assert!(
                    faults.iter().all(|fault| fault.help.is_some()),
                    "{faults:?}"
                );
            }
        }
    }
}

/// A rule in braces, a rule that is an alias, defaults that are merged, rules in objects and in files in objects.
#[test]
fn wrapped_rules_change_where_they_are_written() {
    let object = "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: x}\nspec:\n  groups:\n  \
                  - name: g\n    rules:\n    - alert: A\n      expr: a > 5\n";
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  r.yml: |\n    groups:\n    - name: g\n      \
               rules:\n      - alert: A\n        expr: a > 5\n        labels: {b: c}\n";
    let merged = "groups:\n- name: g\n  rules:\n  - &a\n    alert: A\n    expr: a > 5\n    for: 1m\n  - <<: *a\n    alert: B\n  \
                  - *a\n";
    let json = r#"{"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "a > 5"}]}]}"#;
    for (text, set, old, new) in [
        (object, "A.threshold=6", "> 5", "> 6"),
        (object, "A.for=1m", "> 5\n", "> 5\n      for: 1m\n"),
        (map, "A.threshold=6", "> 5", "> 6"),
        (map, "A.for=1m", "> 5\n", "> 5\n        for: 1m\n"),
        (merged, "B.threshold=6", "> 5", "> 6"),
        (merged, "B.for=2m", "1m", "2m"),
        (merged, "A#2.for=2m", "1m", "2m"),
        (json, "A.threshold=6", "> 5", "> 6"),
        (json, "A.for=1m", "> 5\"", "> 5\", \"for\": \"1m\""),
    ] {
        let rules = rule_set("f", text).unwrap_or_else(|| panic!("{text}: no rules"));
        let change =
            Change::parse(set, &rules.knobs()).unwrap_or_else(|fault| panic!("{set}: {fault}"));
        let edited = rules.changed(&[change]);
        let edited = edited.unwrap_or_else(|faults| panic!("{set}: {faults:?}\n{text}"));
        assert_eq!(
            edited.texts[0].1.text(),
            text.replacen(old, new, 1),
            "{set}"
        );
    }
}

/// Who merges a rule has what is added to it, too, which nobody asked for.
#[test]
fn what_others_merge_gets_no_new_key() {
    let text = "groups:\n- name: g\n  rules:\n  - &a\n    alert: A\n    expr: a > 5\n  - <<: *a\n    alert: B\n";
    let rules = rule_set("f", text).unwrap();
    let change = Change::parse("A.for=2m", &rules.knobs()).unwrap();
    let refused = rules.changed(&[change]).unwrap_err();
    assert!(refused[0].message.contains("by itself"), "{refused:?}");
}

#[test]
fn one_text_has_one_value() {
    let text = "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: &e a > 5\n  - alert: B\n    expr: *e\n";
    let rules = rule_set("f", text).unwrap();
    let change = |set: &str| Change::parse(set, &rules.knobs()).unwrap();
    let edited = rules.changed(&[change("A.threshold=6"), change("B.threshold=6")]);
    assert_eq!(edited.unwrap().texts[0].1.text(), text.replace('5', "6"));
    let refused = rules.changed(&[change("A.threshold=6"), change("B.threshold=7")]);
    assert!(refused.unwrap_err()[0].message.contains("one text"));
    // What one says stays, the other asks to move it.
    let refused = rules.changed(&[change("A.threshold=6"), change("B.threshold=5")]);
    assert!(refused.is_err());
}

#[test]
fn objectives_move_in_their_own_text() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = 0;
    for file in [
        "rules/birthday-scheduler/slos.yml",
        "rules/cv-matching/slos.yml",
        "rules/asset-forge/slos.yml",
    ] {
        let text = fs::read_to_string(root.join(file)).unwrap();
        let none = RuleSet {
            files: Vec::new(),
            specs: None,
            reading: ReadOptions::default(),
        };
        let sources = vec![Source::new(file, text.as_str())];
        let rules = none.with_specs(SpecFiles { sources }).unwrap();
        let knobs = rules.knobs();
        let before = rules.files[0].source.text().to_owned();
        for knob in &knobs {
            all += 1;
            let value = match knob.kind {
                KnobKind::Objective if knob.value.ends_with('%') => "12.5%",
                KnobKind::Objective if knob.value.starts_with("0.") => "0.125",
                KnobKind::Objective => "12.5",
                _ => "21d",
            };
            let change = Change::new(knob, value).unwrap();
            let edited = rules
                .changed(&[change])
                .unwrap_or_else(|faults| panic!("{}: {faults:?}", knob.name));
            let (start, end) = (knob.place.span.start, knob.place.span.end);
            let expected = format!("{}{value}{}", &text[..start], &text[end..]);
            assert_eq!(edited.texts[0].1.text(), expected, "{}", knob.name);
            assert_ne!(edited.rules.files[0].source.text(), before, "{}", knob.name);
            let same = Change::new(knob, &knob.value).unwrap();
            assert!(rules.changed(&[same]).unwrap().texts.is_empty());
        }
    }
    assert!(all > 10, "{all} knobs");
}

/// A sweep beside `--set` is what `--set` yields with both.
#[test]
fn what_is_set_beside_a_sweep_is_so_at_every_point() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cli/whatif_sweep");
    let ask = |words: &[&str]| -> serde_json::Value {
        let output = Command::new(env!("CARGO_BIN_EXE_rulecheck"))
            .args([
                "whatif",
                "--rules",
                "rules.yml",
                "--data",
                "ovens.om",
                "--format",
                "json",
            ])
            .args(words)
            .current_dir(&folder)
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    // The key that is added moves all that stands below it.
    let set = ["OvenTooHot.keep_firing_for=1m", "OvenTooHot.for=1m"];
    let values = ["240", "245", "250", "255"];
    let sweep = format!("OvenTooHot.threshold={}", values.join(","));
    let swept = ask(&[&["--sweep", &sweep, "--set"][..], &set].concat());
    let points = swept["worlds"][0]["points"].as_array().unwrap();
    assert_eq!(points.len(), values.len());
    for (point, value) in points.iter().zip(values) {
        assert_eq!(point["values"][0], value);
        let threshold = format!("OvenTooHot.threshold={value}");
        let alone = ask(&[&["--set", &threshold][..], &set].concat());
        let alerts = alone["worlds"][0]["alerts"].as_array().unwrap();
        let after = alerts
            .iter()
            .find(|it| it["alert"] == "OvenTooHot")
            .unwrap()["after"]
            .clone();
        for (name, expected) in after.as_object().unwrap() {
            assert_eq!(point["alerts"][0][name], *expected, "{value}: {name}");
        }
    }
    let distinct: std::collections::BTreeSet<String> = points
        .iter()
        .map(|point| point["alerts"].to_string())
        .collect();
    assert!(distinct.len() > 1, "the threshold moves nothing");
}

/// What comes out of a pipe can't be written back, and a file in the place of the pipe is what nobody asked for.
#[cfg(unix)]
#[test]
fn pipes_are_not_replaced() {
    use std::os::unix::fs::FileTypeExt;

    let folder = snapbox::dir::DirRoot::mutable_temp().unwrap();
    let pipe = folder.path().unwrap().join("rules.yml");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let running = Command::new(env!("CARGO_BIN_EXE_rulecheck"))
        .args(["whatif", "--set", "A.threshold=6", "--write", "--rules"])
        .arg(&pipe)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: a > 5}\n";
    fs::write(&pipe, text).unwrap();
    let output = running.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("it is no file but a pipe"), "{err}");
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    assert_eq!(fs::read_dir(folder.path().unwrap()).unwrap().count(), 1);
}
