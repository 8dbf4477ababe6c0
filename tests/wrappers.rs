//! `fixtures/rules-wrapped`: rule files in wrappers and for other programs than Prometheus, and beside each in a `.txt` what
//! is read of it with the places of everything, or why it is not. With `SNAPSHOTS` set, these are written anew.

#![expect(
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use rulecheck::model::Duration;
use rulecheck::rules::{self, ReadOptions, RuleFile, RuleGroup, RuleKind};
use rulecheck::text::{Place, Source, Span};

#[test]
fn wrapped_rules_are_read() {
    let files = files();
    assert!(files.len() > 20, "{} files", files.len());
    for path in files {
        let expected = path.with_extension("txt");
        let told = told(&load(&path));
        if std::env::var_os("SNAPSHOTS").is_some() {
            fs::write(&expected, &told).unwrap();
        }
        let wanted = fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(told, wanted, "{}", path.display());
    }
}

/// Other line ends move nothing.
#[test]
fn carriage_returns_change_nothing() {
    for path in files() {
        let source = load(&path);
        let with = Source::new(source.name(), source.text().replace('\n', "\r\n"));
        assert_eq!(told(&source), told(&with), "{}", path.display());
    }
}

/// Cut anywhere, a file is refused or read, and every fault has its place in it.
#[test]
fn cut_files_are_no_trouble() {
    for path in files() {
        let source = load(&path);
        for (end, _) in source.text().char_indices().step_by(7) {
            let cut = Source::new(source.name(), source.text().get(..end).unwrap());
            let faults = rules::read(&cut, &ReadOptions::default()).err();
            for fault in faults.into_iter().flatten() {
                let place = fault.place.unwrap();
                assert!(
                    place.span.start <= end,
                    "{}: {}",
                    path.display(),
                    fault.message
                );
            }
        }
    }
}

fn told(source: &Source) -> String {
    match rules::read(source, &ReadOptions::default()) {
        Ok(file) => of_file(&file),
        Err(faults) => faults.iter().map(|fault| format!("{fault}\n")).collect(),
    }
}

fn of_file(file: &RuleFile) -> String {
    let mut text = format!("in: {}\n", file.wrappers.join(", "));
    for group in &file.groups {
        of_group(group, &mut text);
    }
    for said in file.warnings.iter().chain(&file.notes) {
        writeln!(text, "{said}").unwrap();
    }
    text
}

fn of_group(group: &RuleGroup, text: &mut String) {
    write!(
        text,
        "group {} {:?}",
        at(&group.source, group.name_span),
        group.name
    )
    .unwrap();
    let times = [
        ("interval", group.interval),
        ("offset", group.query_offset),
        ("phase", group.own_phase),
    ];
    for (name, time) in times {
        if let Some(time) = time {
            write!(text, " {name} {}", Duration(time)).unwrap();
        }
    }
    text.push('\n');
    for rule in group.rules.iter() {
        let name = at(&group.source, rule.name_span);
        writeln!(text, "  {name} {}: {}", rule.name, rule.expr.expr).unwrap();
        let last = rule.expr_text.text.trim_end().len();
        let span = rule.expr_text.span(Span::new(0, last));
        let (start, end) = (
            Span::new(span.start, span.start),
            Span::new(span.end, span.end),
        );
        let source = rule.expr_text.source();
        writeln!(
            text,
            "    query {} to {}",
            at(source, start),
            at(source, end)
        )
        .unwrap();
        if let RuleKind::Alert(alert) = &rule.kind {
            let names = alert.labels.iter().chain(&alert.annotations);
            let names: Vec<&str> = names.map(|(name, _)| name.as_str()).collect();
            writeln!(text, "    for {} with {names:?}", Duration(alert.hold)).unwrap();
        }
    }
}

/// Line and column in the file.
fn at(source: &Source, span: Span) -> String {
    let place = Place::new(source, span);
    let at = place.source.line_column(place.span.start);
    assert_eq!(at, source.line_column(span.start));
    format!("{}:{}", at.line, at.column)
}

fn load(path: &Path) -> Source {
    let name = path.file_name().unwrap().to_string_lossy();
    Source::new(name, fs::read_to_string(path).unwrap())
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules-wrapped");
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_rules = |path: &PathBuf| path.extension().is_some_and(|end| end == "yml");
    let mut files: Vec<PathBuf> = paths.filter(is_rules).collect();
    files.sort();
    files
}
