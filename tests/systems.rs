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
    assert_eq!(seen.len(), 10, "{seen:#?}");
    for (objective, asked) in &seen {
        for wanted in ["kept", "broken", "budget", "burn_rate"] {
            assert!(asked.contains(wanted), "{objective}: nothing is {wanted}");
        }
    }
}
