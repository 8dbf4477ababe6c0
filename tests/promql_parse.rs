//! The query language: every file of `fixtures/promql-parse` holds queries and, below each, what they print
//! as or what is said about them.
//!
//! A query stands behind `> `, further lines of it behind `. `. Below it stands the printed form behind `= `,
//! or the drawn messages behind `| `. A line `features: all` or `features: none` switches the experimental
//! parts; none is the default. With `SNAPSHOTS=overwrite` set the files are written anew.

#![expect(
    clippy::unwrap_used,
    reason = "a test reads its fixtures and may stop at a broken one"
)]

use std::path::PathBuf;

use rulecheck::promql::{Features, Query};
use rulecheck::text::{Diagnostic, Source};

#[test]
fn queries_mean_what_the_fixtures_say() {
    let mut cases = 0;
    for entry in std::fs::read_dir("fixtures/promql-parse").unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let meant = answered(&text, &mut cases);
        if std::env::var_os("SNAPSHOTS").is_some() {
            std::fs::write(&path, meant).unwrap();
        } else {
            let differing = text.lines().zip(meant.lines()).find(|(a, b)| a != b);
            assert_eq!(differing, None, "{}: expected, got", path.display());
            assert_eq!(text.len(), meant.len(), "{}", path.display());
        }
    }
    assert!(cases > 400, "only {cases} cases");
}

#[test]
fn printed_queries_parse_to_the_same_tree() {
    for query in shared_queries().iter().chain(&fixture_queries()) {
        let Ok(parsed) = Query::parse(query, &Features::ALL) else {
            continue;
        };
        let printed = parsed.to_string();
        let again = Query::parse(&printed, &Features::ALL).unwrap();
        assert_eq!(parsed.expr, again.expr, "{query:?} prints as {printed:?}");
        assert_eq!(printed, again.to_string(), "{query:?}");
    }
}

#[test]
fn every_query_of_the_conformance_scripts_parses() {
    let Some(shared) = shared("conformance/promqltest") else {
        return;
    };
    let mut queries = 0;
    let mut refused = Vec::new();
    for entry in std::fs::read_dir(shared).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for (query, may_fail) in evaluations(&text) {
            queries += 1;
            if let Err(errors) = Query::parse(query, &Features::ALL)
                && !may_fail
            {
                refused.push(format!("{}: {query}: {}", path.display(), errors[0]));
            }
        }
    }
    assert!(refused.is_empty(), "\n{}", refused.join("\n"));
    assert!(queries > 2000 || queries == 0, "only {queries} queries");
}

/// The fixture with every answer written anew.
fn answered(text: &str, cases: &mut usize) -> String {
    let mut out = String::new();
    let mut features = Features::default();
    for line in text.lines().filter(|line| !line.starts_with(['=', '|'])) {
        if line.starts_with(". ") {
            continue;
        }
        if let Some(mode) = line.strip_prefix("features: ") {
            features = if mode == "all" {
                Features::ALL
            } else {
                Features::default()
            };
        }
        out.push_str(line);
        out.push('\n');
        let Some(query) = query_at(text, line) else {
            continue;
        };
        for continued in query.lines().skip(1) {
            out.push_str(&format!(". {continued}\n"));
        }
        *cases += 1;
        out.push_str(&answer(&query, &features));
    }
    out
}

/// The query that starts with a line of the fixture, or of one that repeats it.
fn query_at(text: &str, line: &str) -> Option<String> {
    let mut query = line.strip_prefix('>')?.trim_start_matches(' ').to_owned();
    let mut lines = text.lines().skip_while(|candidate| *candidate != line);
    lines.next();
    for continued in lines.map_while(|line| line.strip_prefix(". ")) {
        query.push('\n');
        query.push_str(continued);
    }
    Some(query)
}

fn answer(query: &str, features: &Features) -> String {
    let errors = match Query::parse(query, features) {
        Ok(query) => return format!("= {query}\n"),
        Err(errors) => errors,
    };
    let source = Source::new("query", query);
    let mut out = String::new();
    for error in errors {
        let mut diagnostic = Diagnostic::error(error.message).at(&source, error.span);
        diagnostic.help = error.help;
        for line in diagnostic.render(false).lines() {
            out.push_str(format!("| {line}").trim_end());
            out.push('\n');
        }
    }
    out
}

fn fixture_queries() -> Vec<String> {
    let mut queries = Vec::new();
    for entry in std::fs::read_dir("fixtures/promql-parse").unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        queries.extend(text.lines().filter_map(|line| query_at(&text, line)));
    }
    assert!(queries.len() > 400);
    queries
}

/// Every query of the reference scripts, if they are there.
fn shared_queries() -> Vec<String> {
    let Some(folder) = shared("conformance/promqltest") else {
        return Vec::new();
    };
    let mut queries = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        queries.extend(evaluations(&text).map(|(query, _)| query.to_owned()));
    }
    queries
}

/// The queries behind `eval` in a script, and whether they may fail.
fn evaluations(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    (0..lines.len()).filter_map(move |index| {
        let line = lines[index].strip_prefix("eval")?;
        let words = line.split_whitespace();
        // `eval_fail instant at 5m`, `eval range from 0 to 5m step 1m`
        let skipped = match line.contains(" range ") {
            true => 8,
            false => 4,
        };
        let mut rest = lines[index];
        for _ in 0..skipped.min(words.count()) {
            let end = rest.find(char::is_whitespace)?;
            rest = rest[end..].trim_start();
        }
        let following = lines[index + 1..].iter();
        let mut expectations = following.take_while(|line| line.starts_with("expect "));
        let fails = line.starts_with("_fail");
        Some((
            rest,
            fails || expectations.any(|line| line.starts_with("expect fail")),
        ))
    })
}

fn shared(folder: &str) -> Option<PathBuf> {
    match std::env::var_os("RULECHECK_CONFORMANCE") {
        Some(shared) => Some(PathBuf::from(shared).join(folder)),
        None => {
            println!("skipped: RULECHECK_CONFORMANCE is not set");
            None
        }
    }
}
