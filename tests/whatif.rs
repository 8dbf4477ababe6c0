//! Knobs: what moves is what a name says, and nothing else.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a file that can't be read should stop the test"
)]

use std::fs;
use std::path::{Path, PathBuf};

use rulecheck::rules::{self, ReadOptions};
use rulecheck::text::Source;
use rulecheck::whatif::{Change, Knob, KnobKind, RuleSet, find};

/// The rules of a text; `None` where there are none.
fn rule_set(name: &str, text: &str) -> Option<RuleSet> {
    let reading = ReadOptions::default();
    let file = rules::read(&Source::new(name, text), &reading).ok()?;
    Some(RuleSet {
        files: vec![file],
        reading,
    })
}

/// Every YAML file below `rules` and `fixtures` that holds rules.
fn rule_sets() -> Vec<RuleSet> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = ["rules", "fixtures"].map(|it| root.join(it)).into();
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let is_yaml = path
                .extension()
                .is_some_and(|it| it == "yml" || it == "yaml");
            match path.is_dir() {
                true => folders.push(path),
                false if is_yaml => paths.push(path),
                false => {}
            }
        }
    }
    paths.sort();
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
        let most = (400_000 / set.files[0].source.text().len()).clamp(4, 40);
        for knob in knobs.iter().step_by(knobs.len().div_ceil(most)) {
            all += 1;
            for value in others(knob) {
                check(&set, &knobs, knob, value);
            }
        }
    }
    assert!(files > 60 && all > 600, "{all} knobs in {files} files");
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
