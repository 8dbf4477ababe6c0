//! The rules that tests try: those of a text, and the files that lie in this repository.

use std::fs;
use std::path::{Path, PathBuf};

use rulecheck::rules::{self, ReadOptions};
use rulecheck::text::Source;
use rulecheck::whatif::RuleSet;

/// The rules of a text; `None` where there are none.
pub fn rule_set(name: &str, text: &str) -> Option<RuleSet> {
    let reading = ReadOptions::default();
    let file = rules::read(&Source::new(name, text), &reading).ok()?;
    Some(RuleSet {
        files: vec![file],
        specs: None,
        reading,
    })
}

/// Every YAML file below some folders of this repository.
pub fn yaml_files(folders: &[&str]) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = folders.iter().map(|it| root.join(it)).collect();
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
    paths
}
