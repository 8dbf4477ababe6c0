//! Mutants of rules: each is an edit within one rule, loads, and is killed where `rulecheck test` fails over its text.

#![expect(
    clippy::unwrap_used,
    reason = "a file that can't be read should stop the test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rulecheck::mutate::{Fate, Mutant, Subject, chosen, judge, mutants};
use rulecheck::rules::{self, ReadOptions, Rule, RuleGroup};
use rulecheck::suite::{RunOptions, Suite, file};
use rulecheck::text::{Place, Source};
use rulecheck::whatif::RuleSet;
use snapbox::cmd::Command;
use snapbox::dir::DirRoot;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rule_set(name: &str, text: &str) -> Option<RuleSet> {
    let reading = ReadOptions::default();
    let file = rules::read(&Source::new(name, text), &reading).ok()?;
    Some(RuleSet {
        files: vec![file],
        specs: None,
        reading,
    })
}

fn all_mutants(set: &RuleSet) -> Vec<Mutant> {
    let operators = chosen(&["all".to_owned()]).unwrap();
    let minute = |_: &RuleGroup, _: &Rule| 60_000;
    mutants(set, &operators, &|_| true, &minute)
}

/// Every file below some folders with an ending.
fn files(folders: &[&str], ending: &str) -> Vec<PathBuf> {
    let mut open: Vec<PathBuf> = folders.iter().map(|it| root().join(it)).collect();
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false if path.to_str().unwrap().ends_with(ending) => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    found
}

/// Whether a text is another but for some of its bytes.
fn differs_within(before: &str, after: &str, start: usize, end: usize) -> bool {
    let (head, tail) = (&before[..start], &before[end..]);
    after.len() >= head.len() + tail.len() && after.starts_with(head) && after.ends_with(tail)
}

/// A mutant's text differs from the file's in one rule alone.
fn check_text(set: &RuleSet, mutant: &Mutant) -> bool {
    let shown = format!("{} {}", mutant.place, mutant.from);
    let Some(edited) = mutant.applied(set) else {
        return false;
    };
    let [(before, after)] = edited.texts.as_slice() else {
        panic!("{shown}: {} texts", edited.texts.len());
    };
    let groups = set.groups();
    let group = groups[mutant.rule.group];
    let rule = Place::new(&group.source, group.rules[mutant.rule.rule].span).span;
    let text = before.text();
    // A rule goes with its anchor, its dash and its last line break, one in brackets with a comma.
    let line = text[..rule.start].rfind('\n').map_or(0, |at| at + 1);
    let anchor = text[line..rule.start].find('&').map(|at| line + at);
    let start = text[..anchor.unwrap_or(rule.start)].trim_end_matches(['-', ',', ' ', '\r', '\n']);
    let rest = &text[rule.end..];
    let behind = rest.find('\n').unwrap_or(0) + 2;
    let end = (rule.end + behind).min(text.len());
    assert!(
        differs_within(text, after.text(), start.len(), end),
        "{shown}: more than the rule at {rule:?} is another: {}",
        after.text()
    );
    let read = rules::read(after, &set.reading);
    assert!(read.is_ok(), "{shown}: {:?}", read.err());
    true
}

#[test]
fn a_mutant_differs_in_one_rule_and_loads() {
    let (mut tried, mut made, mut operators) = (0, 0, BTreeSet::new());
    for ending in [".yml", ".yaml"] {
        for path in files(&["rules", "fixtures"], ending) {
            let Ok(text) = String::from_utf8(fs::read(&path).unwrap()) else {
                continue;
            };
            let Some(set) = rule_set(&path.display().to_string(), &text) else {
                continue;
            };
            let all = all_mutants(&set);
            // Each mutant reads the whole file again.
            let most = (60_000 / text.len().max(1)).clamp(3, 24);
            for mutant in all.iter().step_by(all.len().div_ceil(most).max(1)) {
                tried += 1;
                if check_text(&set, mutant) {
                    made += 1;
                    operators.insert(mutant.operator.name);
                }
            }
        }
    }
    assert!(tried > 500, "{tried} tried");
    assert!(made * 100 > tried * 90, "{made} of {tried} made");
    assert_eq!(operators.len(), 13, "{operators:?}");
}

/// The test files of a folder with the rule files that they name.
fn suites(folder: &Path) -> Vec<Suite> {
    let found = files(&[folder.to_str().unwrap()], "_test.yml");
    let read = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        Source::new(path.to_str().unwrap(), text)
    };
    let options = ReadOptions::default();
    let suites = found.iter().map(|path| {
        let file = file::read(&read(path), &options).unwrap();
        let named = file.rule_files.iter();
        let named = named.map(|it| path.parent().unwrap().join(&it.value).canonicalize());
        let rule_files = named.map(|path| rules::read(&read(&path.unwrap()), &options).unwrap());
        Suite {
            rule_files: rule_files.collect(),
            file: file.into(),
        }
    });
    suites.collect()
}

/// A folder of its own with the same files.
fn copy(from: &Path) -> DirRoot {
    let to = DirRoot::mutable_temp().unwrap();
    let base = to.path().unwrap();
    for path in files(&[from.to_str().unwrap()], "") {
        let own = base.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(own.parent().unwrap()).unwrap();
        fs::copy(&path, own).unwrap();
    }
    to
}

/// What `rulecheck test` says of a folder of files with a mutant's text is what was judged in memory.
fn check_verdicts(folder: &str, every: usize) -> (usize, usize) {
    let folder = root().join(folder).canonicalize().unwrap();
    let suites = suites(&folder);
    let first = &suites.first().unwrap().rule_files[0];
    let path = Path::new(first.source.name()).to_owned();
    let set = rule_set(first.source.name(), first.source.text()).unwrap();
    let readers = suites.iter().filter_map(|suite| {
        let mut files = suite.rule_files.iter();
        let place = files.position(|file| file.source.name() == first.source.name())?;
        Some((suite, place))
    });
    let subject = Subject::new(set.clone(), readers, &RunOptions::default());
    let operators = chosen(&["all".to_owned()]).unwrap();
    let all = subject.mutants(&operators, &|_| true);
    let some: Vec<Mutant> = all.into_iter().step_by(every).collect();
    let copied = copy(&folder);
    let own = copied
        .path()
        .unwrap()
        .join(path.strip_prefix(&folder).unwrap());
    let (mut killed, mut survived) = (0, 0);
    for judged in judge(&subject, some) {
        let edited = judged.mutant.applied(&set).unwrap();
        fs::write(&own, edited.texts[0].1.text()).unwrap();
        let run = Command::new(snapbox::cmd::cargo_bin!("rulecheck"))
            .args(["test", "."])
            .current_dir(copied.path().unwrap())
            .output()
            .unwrap();
        let verdict = match run.status.code() {
            Some(0) => Fate::Survived,
            _ => Fate::Killed,
        };
        let mutant = &judged.mutant;
        let told = String::from_utf8_lossy(&run.stdout).into_owned();
        let what = format!("{}: {} to {:?}", mutant.place, mutant.from, mutant.to);
        assert_eq!(judged.fate, verdict, "{what}: {told}");
        match judged.fate {
            Fate::Killed => killed += 1,
            Fate::Survived => survived += 1,
        }
    }
    copied.close().unwrap();
    (killed, survived)
}

#[test]
fn a_mutant_is_killed_where_the_command_fails_over_its_text() {
    let (killed, survived) = check_verdicts("fixtures/cli/mutate", 1);
    assert!(killed > 20 && survived > 20, "{killed}, {survived}");
    let (killed, _) = check_verdicts("rules/starforge", 2);
    assert!(killed > 10, "{killed}");
}

/// A rule, what is asked for, and the mutants that it has: what stood there, and what is there now.
const CASES: &[(&str, &str, &[&str])] = &[
    (
        "expr: a > 0.05",
        "threshold",
        &["> 0.05 -> > 0.045", "> 0.05 -> > 0.055"],
    ),
    ("expr: 0 < a", "threshold", &["0 < -> -1 <", "0 < -> 1 <"]),
    (
        "expr: a > 14.4 * 0.001",
        "threshold",
        &[
            "> 14.4 * 0.001 -> > 12.96 * 0.001",
            "> 14.4 * 0.001 -> > 15.84 * 0.001",
            "> 14.4 * 0.001 -> > 14.4 * 0.0009",
            "> 14.4 * 0.001 -> > 14.4 * 0.0011",
        ],
    ),
    ("expr: a > b", "threshold", &[]),
    (
        "expr: a\n    for: 5m",
        "for",
        &["for: 5m -> for: 4m", "for: 5m -> for: 6m"],
    ),
    (
        "expr: a\n    for: 30s",
        "for",
        &["for: 30s -> for: 0s", "for: 30s -> for: 1m30s"],
    ),
    ("expr: a", "for", &["for: 0s -> for: 1m"]),
    ("expr: a", "keep_firing_for", &[]),
    (
        "expr: a\n    keep_firing_for: 1m",
        "keep_firing_for",
        &[
            "keep_firing_for: 1m -> keep_firing_for: 0s",
            "keep_firing_for: 1m -> keep_firing_for: 2m",
        ],
    ),
    ("expr: a", "delete", &["alert: A -> nothing"]),
    (
        "expr: a >= 1 == 2",
        "comparison",
        &[">= -> >", ">= -> <", "== -> !="],
    ),
    (
        "expr: a and b or c",
        "set",
        &["and -> or", "and -> unless", "or -> and", "or -> unless"],
    ),
    (
        "expr: 'a{b=\"c,d\", e!~\"f}\"} + {g=\"h\"}'",
        "matcher",
        &[
            "b=\"c,d\" -> b!=\"c,d\"",
            "b=\"c,d\" -> nothing",
            "e!~\"f}\" -> e=~\"f}\"",
            "e!~\"f}\" -> nothing",
        ],
    ),
    ("expr: rate(a[5m])", "window", &["5m -> 2m30s", "5m -> 10m"]),
    (
        "expr: sum(max by (x) (a))",
        "aggregator",
        &["sum -> max", "max -> min"],
    ),
    (
        "expr: 'sum(a) by (x, y) / on (x) group_left sum without (z) (b)'",
        "grouping",
        &[
            "x -> nothing",
            "y -> nothing",
            "x -> nothing",
            "z -> nothing",
        ],
    ),
    (
        "expr: a\n    labels: {b: c, d: e}",
        "label",
        &["b: c -> nothing", "d: e -> nothing"],
    ),
    (
        "expr: a\n    labels:\n      b: c # d\n",
        "label",
        &["b: c -> nothing"],
    ),
    (
        "expr: a * 2 - b % 3",
        "arithmetic",
        &["* -> /", "- -> +", "% -> *"],
    ),
    (
        "expr: histogram_quantile(0.9, a) > 5",
        "number",
        &["0.9 -> 0.81", "0.9 -> 0.99"],
    ),
];

#[test]
fn rules_have_these_mutants() {
    for (rule, operator, expected) in CASES {
        let text = format!("groups:\n- name: g\n  rules:\n  - alert: A\n    {rule}\n");
        let set = rule_set("rules.yml", &text).expect(rule);
        let operators = chosen(&[(*operator).to_owned()]).unwrap();
        let minute = |_: &RuleGroup, _: &Rule| 60_000;
        let all = mutants(&set, &operators, &|_| true, &minute);
        let made = all.iter().filter(|mutant| check_text(&set, mutant));
        let shown = made.map(|it| {
            let to = it.to.as_deref().unwrap_or("nothing");
            format!("{} -> {to}", it.from)
        });
        assert_eq!(&shown.collect::<Vec<_>>(), expected, "{rule}");
    }
}

/// Rules in any shape can be taken out, and what is left is what was there.
#[test]
fn rules_are_deleted_however_they_are_written() {
    for text in [
        "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: a\n",
        "groups:\r\n- name: g\r\n  rules:\r\n  - alert: A\r\n    expr: a\r\n  # b\r\n  - alert: B\r\n    expr: b\r\n",
        "groups: [{name: g, rules: [{alert: A, expr: a}, {alert: B, expr: b}]}]\n",
        "groups: [{name: g, rules: [{alert: A, expr: a}]}]",
        "groups:\n- name: g\n  rules:\n  -\n    alert: A\n    expr: |\n      a\n\n\n  - {alert: B, expr: b}\n  - expr: c\n    alert: C",
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  a.yml: |\n    groups:\n    - name: g\n      rules:\n      - alert: A\n        expr: a\n      - alert: B\n        expr: b\n",
    ] {
        let set = rule_set("rules.yml", text).expect(text);
        let count = set.groups()[0].rules.len();
        let operators = chosen(&["delete".to_owned()]).unwrap();
        let minute = |_: &RuleGroup, _: &Rule| 60_000;
        let all = mutants(&set, &operators, &|_| true, &minute);
        assert_eq!(all.len(), count, "{text}");
        for mutant in &all {
            assert!(check_text(&set, mutant), "{text}: {}", mutant.name);
        }
    }
}
