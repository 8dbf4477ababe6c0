//! The JSON Schema of test files: files that load are valid, files with a wrong key are not.

#![expect(
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use rulecheck::rules::ReadOptions;
use rulecheck::suite::file::{looks_like_test_file, read_with};
use rulecheck::suite::schema;
use rulecheck::text::{Diagnostic, Source};
use serde_json::{Map, Value, json};

#[test]
fn the_schema_is_one() {
    jsonschema::draft202012::meta::validate(&schema::test_file()).unwrap();
}

#[test]
fn files_that_load_are_valid() {
    let validator = validator();
    let mut count = 0;
    for (path, text) in test_files() {
        let Some(file) = json(&text).filter(|_| loads(&path)) else {
            continue;
        };
        let faults: Vec<String> = validator
            .iter_errors(&file)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert!(
            faults.is_empty(),
            "{}: {}",
            path.display(),
            faults.join("\n")
        );
        count += 1;
    }
    assert!(count >= 80, "{count} files found");
}

/// In every mapping of every file that loads: a key more that nobody knows is refused by the reader and the schema, or by
/// none of them.
#[test]
fn keys_that_nobody_knows_are_not_valid() {
    let validator = validator();
    let mut refused = 0;
    for (path, text) in test_files() {
        let Some(file) = json(&text).filter(|_| loads(&path)) else {
            continue;
        };
        // Series that no test uses are not read, only warned of.
        for place in mappings(&file)
            .into_iter()
            .filter(|it| !it.contains("/unused/"))
        {
            let mut file = file.clone();
            let mapping = file.pointer_mut(&place).and_then(Value::as_object_mut);
            mapping.unwrap().insert("zzzz".to_owned(), json!("x"));
            let source = Source::new(path.to_string_lossy(), file.to_string());
            let is_unknown = |fault: &Diagnostic| {
                fault.message.contains("`zzzz`") && fault.message.contains("unknown")
                    || fault.message.contains("`zzzz` is no quantile")
            };
            let read = read_with(&source, &ReadOptions::default(), &mut include);
            let is_valid = validator.is_valid(&file);
            match read {
                Ok(_) => assert!(is_valid, "{}: {place}", path.display()),
                Err(faults) if faults.iter().any(is_unknown) => {
                    refused += 1;
                    assert!(!is_valid, "{}: {place}", path.display());
                }
                Err(_) => {}
            }
        }
    }
    assert!(refused > 1000, "{refused} mappings found");
}

/// Of the files that don't load most are not valid: a schema knows nothing of expressions and of places in time.
#[test]
fn most_broken_files_are_not_valid() {
    let validator = validator();
    let folder = fixtures().join("tests-bad");
    let mut valid = Vec::new();
    let mut count = 0;
    for (path, text) in test_files() {
        if path.parent() != Some(&folder) {
            continue;
        }
        count += 1;
        if json(&text).is_some_and(|file| validator.is_valid(&file)) {
            valid.push(path.file_stem().unwrap().to_string_lossy().into_owned());
        }
    }
    // Names that stand for nothing, and a file that is not there.
    assert_eq!(valid, ["parameters", "shared"], "of {count}");
}

/// What mappings a reader knows is said by tables, and every table is one of the schema's.
#[test]
fn every_table_of_keys_is_in_the_schema() {
    let schema = fs::read_to_string(source().join("schema/mod.rs")).unwrap();
    let (mut folders, mut tables) = (vec![source()], 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for (at, _) in text.match_indices("fields(") {
                let call = text[at..].split(')').next().unwrap();
                let last = call
                    .trim_end_matches([',', ' ', '\n'])
                    .rsplit([',', '('])
                    .next()
                    .unwrap()
                    .trim();
                assert!(
                    !call.contains("&[\""),
                    "{}: a table without a name: {call}",
                    path.display()
                );
                let Some(name) = last
                    .strip_prefix('&')
                    .filter(|it| it.to_uppercase() == **it)
                else {
                    continue;
                };
                assert!(
                    schema.contains(name),
                    "{}: {name} is not in schema/mod.rs",
                    path.display()
                );
                tables += 1;
            }
        }
    }
    assert!(tables >= 15, "{tables} tables found");
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/suite")
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema::test_file()).unwrap()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// All test files of the project with their texts.
fn test_files() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![fixtures(), fixtures().with_file_name("rules")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let is_yaml = path
                .extension()
                .is_some_and(|it| it == "yml" || it == "yaml");
            let text = fs::read_to_string(&path).unwrap_or_default();
            if is_yaml && looks_like_test_file(&text) {
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

fn include(from: &Source, path: &str) -> Result<Source, Diagnostic> {
    let path = Path::new(from.name()).parent().unwrap().join(path);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Source::new(path.to_string_lossy(), text)),
        Err(error) => Err(Diagnostic::error(error.to_string())),
    }
}

fn loads(path: &Path) -> bool {
    let source = Source::new(path.to_string_lossy(), fs::read_to_string(path).unwrap());
    read_with(&source, &ReadOptions::default(), &mut include).is_ok()
}

/// A YAML text as the JSON that an editor makes of it. `None` where another parser of YAML reads something else, or
/// nothing.
fn json(text: &str) -> Option<Value> {
    let mut file: serde_yaml::Value = serde_yaml::from_str(text).ok()?;
    file.apply_merge().ok()?;
    Some(value(file))
}

fn value(yaml: serde_yaml::Value) -> Value {
    match yaml {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(it) => json!(it),
        serde_yaml::Value::Number(it) => match it.as_i64() {
            Some(whole) => json!(whole),
            None => match it.as_f64().filter(|it| it.is_finite()) {
                Some(float) => json!(float),
                None => json!(it.to_string()),
            },
        },
        serde_yaml::Value::String(it) => json!(it),
        serde_yaml::Value::Sequence(items) => items.into_iter().map(value).collect(),
        serde_yaml::Value::Mapping(fields) => {
            let key = |key: serde_yaml::Value| match key {
                serde_yaml::Value::String(key) => key,
                key => value(key).to_string(),
            };
            let fields = fields.into_iter().map(|(name, it)| (key(name), value(it)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        serde_yaml::Value::Tagged(it) => value(it.value),
    }
}

/// Where all mappings of a value stand.
fn mappings(file: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), file)];
    while let Some((place, value)) = open.pop() {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    open.push((format!("{place}/{key}"), value));
                }
                found.push(place);
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    open.push((format!("{place}/{index}"), item));
                }
            }
            _ => {}
        }
    }
    found
}
