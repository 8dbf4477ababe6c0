//! What lints find: in the examples that explain them, and in `fixtures/lint`, where `NAME.yml` holds rules of which some are
//! right and some wrong and `NAME.said` what the lint of that name says of them. With `SNAPSHOTS=overwrite` set, that is
//! written anew.

#![expect(
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rulecheck::lint::{self, ALL, Level, Lint, Rules};
use rulecheck::promql::Features;
use rulecheck::rules::{self, ReadOptions, RuleFile};
use rulecheck::text::{Diagnostic, Source};

fn read(name: &str, text: &str) -> RuleFile {
    let options = ReadOptions {
        features: Features {
            experimental_functions: true,
            ..Features::default()
        },
        ..ReadOptions::default()
    };
    rules::read(&Source::new(name, text), &options)
        .unwrap_or_else(|faults| panic!("{text}\n{}", faults[0].render(false)))
}

/// What is said of a file by the lints that are switched on.
fn said(file: RuleFile, is_on: &dyn Fn(&Lint) -> bool) -> Vec<Diagnostic> {
    let files = [file];
    let rules = Rules::by_folder(&files, None);
    rules.iter().flat_map(|it| lint::look(it, is_on)).collect()
}

/// What a lint says of rules of one group.
fn of_example(lint: &Lint, rules: &str) -> Vec<Diagnostic> {
    let indented: String = rules.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!("groups:\n- name: example\n  interval: 1m\n  rules:\n{indented}");
    said(read("example.yml", &text), &|it| it.name == lint.name)
}

#[test]
fn each_lint_finds_its_own_example() {
    for lint in ALL {
        let wrong = of_example(lint, lint.wrong);
        assert!(
            !wrong.is_empty(),
            "{}: nothing is found in\n{}",
            lint.name,
            lint.wrong
        );
        for found in &wrong {
            assert_eq!(found.lint, Some(lint.name));
            assert!(found.place.is_some() && found.help.is_some(), "{found}");
        }
        let right = of_example(lint, lint.right);
        assert!(right.is_empty(), "{}", right[0].render(false));
    }
}

/// What one lint would have people write no other finds fault with.
#[test]
fn what_is_right_is_right_for_all() {
    for lint in ALL {
        for other in ALL.iter().filter(|it| it.level == Level::Warn) {
            let found = of_example(other, lint.right);
            assert!(
                found.is_empty(),
                "{}: {}",
                lint.name,
                found[0].render(false)
            );
        }
    }
}

#[test]
fn the_table_is_in_order() {
    let names: Vec<&str> = ALL.iter().map(|lint| lint.name).collect();
    let ordered: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(names, Vec::from_iter(ordered));
    for lint in ALL {
        let is_word = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
        assert!(lint.name.chars().all(is_word), "{}", lint.name);
        assert!(
            lint.why.ends_with('.') && !lint.doc.ends_with('.'),
            "{}",
            lint.name
        );
    }
}

#[test]
fn every_fixture_is_said_of_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lint");
    let mut names: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    names.retain(|path| path.extension().is_some_and(|it| it == "yml"));
    names.sort();
    for path in &names {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let of_name = lint::lint(name);
        let is_on = |lint: &Lint| of_name.is_none_or(|it| it.name == lint.name);
        let file = read(&format!("{name}.yml"), &fs::read_to_string(path).unwrap());
        let found = said(file, &is_on);
        let text: String = found.iter().map(|it| it.render(false)).collect();
        let expected = path.with_extension("said");
        if std::env::var_os("SNAPSHOTS").is_some() {
            fs::write(&expected, &text).unwrap();
        }
        let expected = fs::read_to_string(expected).unwrap_or_default();
        snapbox::assert_data_eq!(text, snapbox::Data::text(expected).raw());
    }
}

/// The table in docs/lints.md is this one.
#[test]
fn the_manual_lists_every_lint() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lints.md");
    let text = fs::read_to_string(&path).unwrap();
    let head = "| Lint | Finds |\n|---|---|\n";
    let (before, _) = text
        .split_once(head)
        .expect("the table of lints, last in its page");
    let row = |lint: &&Lint| {
        let star = match lint.level {
            Level::Warn => "",
            Level::Pedantic => " *",
        };
        format!(
            "| `{}`{star} | {} |\n",
            lint.name,
            lint.doc.replace('|', "\\|")
        )
    };
    let rows: String = ALL.iter().map(row).collect();
    let fresh = format!("{before}{head}{rows}");
    if std::env::var_os("SNAPSHOTS").is_some() {
        fs::write(&path, &fresh).unwrap();
        return;
    }
    snapbox::assert_data_eq!(fresh, snapbox::Data::text(text).raw());
}
