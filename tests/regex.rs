//! Regular expressions against what Go accepts, matches and replaces.

#![expect(
    clippy::unwrap_used,
    reason = "a test reads its fixtures and may stop at a broken one"
)]

use std::path::{Path, PathBuf};

use rulecheck::model::Regex;
use serde::Deserialize;

/// A pattern that must match whole values.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    pattern: String,
    /// Go's refusal, without `error parsing regexp: `.
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    matches: Vec<String>,
    #[serde(default)]
    refuses: Vec<String>,
}

/// A pattern that may match anywhere, and what becomes of a text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replacement {
    pattern: String,
    text: String,
    replacement: String,
    /// `ReplaceAllString`.
    all: String,
    /// `Expand` of the first match, if there is one.
    first: Option<String>,
}

#[test]
fn matches_whole_values_as_go() {
    let mut wrong = Vec::new();
    let mut files = 0;
    for path in files_in(&fixtures().join("match")) {
        files += 1;
        let cases: Vec<Case> = read(&path);
        wrong.extend(cases.iter().flat_map(check_case));
    }
    assert!(files > 3, "the fixtures were found");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn replaces_as_go() {
    let cases: Vec<Replacement> = read(&fixtures().join("replace.json"));
    for case in &cases {
        let regex = Regex::unanchored(&case.pattern).unwrap();
        let name = format!("{} in {:?}", case.pattern, case.text);
        let all = regex.replace_all(&case.text, &case.replacement);
        assert_eq!(all, case.all, "all of {name} by {}", case.replacement);
        let first = regex.expand(&case.text, &case.replacement);
        assert_eq!(first, case.first, "first {name} by {}", case.replacement);
    }
}

/// What a Prometheus was seen to accept and match.
#[test]
fn agrees_with_prometheus() {
    #[derive(Deserialize)]
    struct Truth {
        p: String,
        err: Option<String>,
        s: Vec<(String, Option<String>)>,
    }
    let Some(shared) = std::env::var_os("RULECHECK_CONFORMANCE") else {
        println!("skipped: RULECHECK_CONFORMANCE is not set");
        return;
    };
    let path = Path::new(&shared).join("reference/re2-truth.json");
    let truths: Vec<Truth> = read(&path);
    assert_eq!(truths.len(), 111);
    let mut wrong = Vec::new();
    for truth in truths {
        let words = "error parsing regexp: ";
        let error = truth.err.as_deref().and_then(|err| err.split_once(words));
        let probes = |hit| {
            let told = truth
                .s
                .iter()
                .filter(move |(_, told)| told.as_deref() == hit);
            told.map(|(text, _)| text.clone()).collect()
        };
        wrong.extend(check_case(&Case {
            pattern: truth.p.clone(),
            error: error.map(|(_, reason)| reason.to_owned()),
            matches: probes(Some("1")),
            refuses: probes(Some("0")),
        }));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What differs from a case.
fn check_case(case: &Case) -> Vec<String> {
    let pattern = &case.pattern;
    let regex = match (Regex::anchored(pattern), &case.error) {
        (Ok(regex), None) => regex,
        (Ok(_), Some(error)) => return vec![format!("{pattern}: accepted, not: {error}")],
        (Err(error), wanted) if Some(&error.reason) == wanted.as_ref() => return Vec::new(),
        (Err(error), wanted) => return vec![format!("{pattern}: {error}, not: {wanted:?}")],
    };
    let hits = case.matches.iter().map(|text| (text, true));
    let misses = case.refuses.iter().map(|text| (text, false));
    hits.chain(misses)
        .filter(|(text, hit)| regex.is_match(text) != *hit)
        .map(|(text, hit)| format!("{pattern}: {text:?} must give {hit}"))
        .collect()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/regex")
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
