//! The systems under `rules`: what is made of their objectives is what lies beside them, and all of them are met and missed.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing should stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use snapbox::cmd::Command;

fn rules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")
}

/// The folders of all systems, in order.
fn systems() -> Vec<PathBuf> {
    let entries = fs::read_dir(rules()).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

/// What a system has.
#[derive(Debug, Default)]
struct Counts {
    alerts: usize,
    recorded: usize,
    objectives: usize,
    queries: usize,
    tests: usize,
    faults: usize,
}

impl Counts {
    fn of(folder: &Path) -> Counts {
        let stated = ["alerts.yml", "recording.yml"];
        let stated: Vec<&str> = stated
            .into_iter()
            .filter(|name| folder.join(name).exists())
            .collect();
        let rules_with = |file: &str, key: &str| match folder.join(file).exists() {
            false => 0,
            true => {
                let document = yaml(&folder.join(file));
                let groups = document["groups"].as_array().unwrap().iter();
                let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
                rules.filter(|rule| rule.get(key).is_some()).count()
            }
        };
        let queries = folder.join("tests/queries_test.yml");
        let tests = fs::read_dir(folder.join("tests")).unwrap();
        let tests = tests.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let asked = tests.filter(|name| name == "queries_test.yml" || name.starts_with("recorded"));
        let mut asked: Vec<String> = asked.map(|name| format!("tests/{name}")).collect();
        asked.sort();
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        let queries = match queries.exists() {
            false => Value::Null,
            true => yaml(&queries),
        };
        Counts {
            alerts: rules_with("alerts.yml", "alert"),
            recorded: rules_with("recording.yml", "record"),
            objectives: objectives(folder),
            queries: items(&queries["tests"])
                .flat_map(|test| items(&test["promql_expr_test"]))
                .filter_map(|check| check["expr"].as_str())
                .collect::<BTreeSet<&str>>()
                .len(),
            tests: items(&json(&["test", "--format", "json", "."], folder)["files"])
                .flat_map(|file| items(&file["tests"]))
                .count(),
            faults: match stated.is_empty() {
                true => 0,
                false => {
                    let call = [
                        &["check", "--format", "json"],
                        stated.as_slice(),
                        asked.as_slice(),
                    ]
                    .concat();
                    let checked = json(&call, folder);
                    let warnings = |file: &Value| -> Vec<(String, String)> {
                        let found = items(&file["diagnostics"]);
                        let found = found.filter(|found| found["severity"] == "warning");
                        let word = |it: &Value| it.as_str().unwrap_or_default().to_owned();
                        found
                            .map(|found| (word(&found["lint"]), word(&found["message"])))
                            .collect()
                    };
                    let of_rules = |file: &&Value| stated.iter().any(|it| file["path"] == *it);
                    let (rules, queries): (Vec<&Value>, Vec<&Value>) =
                        items(&checked["files"]).partition(of_rules);
                    // Some queries are asked in several tests.
                    let queries: BTreeSet<_> = queries.into_iter().flat_map(warnings).collect();
                    let rules = rules.into_iter().flat_map(warnings);
                    rules.count() + queries.len()
                }
            },
        }
    }
}

/// The objectives in the specifications of a system.
fn objectives(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names
        .filter(|name| name.starts_with("slo") && name.ends_with(".yml") && name != "slo-rules.yml")
        .collect();
    names.sort();
    if names.is_empty() {
        return 0;
    }
    let mut call = vec!["slo", "check", "--format", "json"];
    call.extend(names.iter().map(String::as_str));
    // `2 objectives of OpenSLO, 1 objective of Sloth`
    let checked = json(&call, folder);
    let held = items(&checked["files"]).map(|file| file["holds"].as_str().unwrap());
    held.flat_map(|held| held.split(", "))
        .map(|part| part.split(' ').next().unwrap().parse::<usize>().unwrap())
        .sum()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn yaml(path: &Path) -> Value {
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn json(arguments: &[&str], folder: &Path) -> Value {
    serde_json::from_str(&rulecheck(arguments, folder)).unwrap()
}

/// The page of each system's study, made by the arguments beside it, a line each.
#[test]
fn pages_of_studies_are_as_made() {
    for folder in systems() {
        let study = folder.join("study");
        let arguments = fs::read_to_string(study.join("page.args")).unwrap();
        let arguments = ["whatif"].into_iter().chain(arguments.lines());
        let arguments: Vec<&str> = arguments.chain(["--format", "html"]).collect();
        let page = rulecheck(&arguments, &folder);
        assert!(page.len() < 400_000, "{}: {}", study.display(), page.len());
        let there = snapbox::Data::read_from(&study.join("page.html"), None).raw();
        snapbox::Assert::new()
            .action_env("SNAPSHOTS")
            .eq(page, there);
    }
}

/// The table in rules/README.md. With `SNAPSHOTS=overwrite` set, it is written anew.
#[test]
fn the_table_of_systems_is_counted() {
    let path = rules().join("README.md");
    let text = fs::read_to_string(&path).unwrap();
    let head = "| System | Alerts | Recording rules | Objectives | Queries | Tests | Faults found |\n|---|---:|---:|---:|---:|---:|---:|\n";
    let (before, rest) = text.split_once(head).expect("the table");
    let (_, after) = rest.split_once("\n\n").unwrap();
    let rows = systems().into_iter().map(|folder| {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let counts = Counts::of(&folder);
        format!(
            "| [`{name}`]({name}) | {} | {} | {} | {} | {} | {} |\n",
            counts.alerts,
            counts.recorded,
            counts.objectives,
            counts.queries,
            counts.tests,
            counts.faults
        )
    });
    let rows: String = rows.collect();
    let fresh = format!("{before}{head}{rows}\n{after}");
    if std::env::var_os("SNAPSHOTS").is_some() {
        fs::write(&path, &fresh).unwrap();
        return;
    }
    snapbox::assert_data_eq!(fresh, snapbox::Data::text(text).raw());
}

fn rulecheck(arguments: &[&str], folder: &Path) -> String {
    let run = Command::new(snapbox::cmd::cargo_bin!("rulecheck"))
        .current_dir(folder)
        .args(arguments)
        .assert()
        .success();
    String::from_utf8(run.get_output().stdout.clone()).unwrap()
}

/// The folders of systems in which there is a file of this name.
fn with(name: &str) -> Vec<PathBuf> {
    let folders = fs::read_dir(rules()).unwrap();
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.join(name).exists());
    folders.sort();
    folders
}

#[test]
fn rules_of_objectives_are_as_generated() {
    let folders = with("slo-rules.yml");
    assert!(folders.len() >= 2, "{folders:?}");
    for folder in folders {
        let made = rulecheck(&["slo", "generate", "slos.yml"], &folder);
        let there = fs::read_to_string(folder.join("slo-rules.yml")).unwrap();
        snapbox::assert_data_eq!(there, snapbox::Data::text(made).raw());
    }
}

/// Each objective has a month that keeps it and one that spends it all, and a burn rate and what is left are asked for.
#[test]
fn every_objective_is_kept_and_broken() {
    let mut seen: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for folder in with("slos.yml") {
        let system = folder.file_name().unwrap().to_str().unwrap().to_owned();
        for file in fs::read_dir(folder.join("tests")).unwrap() {
            let path = file.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            if !path.to_str().unwrap().ends_with("_month_test.yml") {
                continue;
            }
            let document: Value = serde_yaml::from_str(&text).unwrap();
            let tests = document["tests"].as_array().unwrap().iter();
            let items = tests.flat_map(|test| test["expect"].as_array().unwrap());
            for item in items.filter(|item| item.get("slo").is_some()) {
                let asked = seen
                    .entry(format!("{system}: {}", item["slo"].as_str().unwrap()))
                    .or_default();
                match item["exhausted_at"].as_str() {
                    Some("never") => drop(asked.insert("kept")),
                    Some(_) => drop(asked.insert("broken")),
                    None => {}
                }
                for key in ["budget_left", "budget_spent"] {
                    if item.get(key).is_some() {
                        asked.insert("budget");
                    }
                }
                if item.get("burn_rate").is_some() {
                    asked.insert("burn_rate");
                }
            }
        }
    }
    let objectives: usize = systems().iter().map(|it| Counts::of(it).objectives).sum();
    assert_eq!(seen.len(), objectives, "{seen:#?}");
    for (objective, asked) in &seen {
        for wanted in ["kept", "broken", "budget", "burn_rate"] {
            assert!(asked.contains(wanted), "{objective}: nothing is {wanted}");
        }
    }
}
