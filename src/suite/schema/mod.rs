//! The JSON Schema of test files, with which editors complete and check them.
//!
//! Which keys there are is said by the readers' own tables; what each takes and means by a row of `rows`.

mod rows;
mod shape;
mod slo_rows;

use serde_json::{Map, Value, json};

use super::expect::read::{ALERT_FIELDS, ALERTS_FIELDS, EXPR_FIELDS, WINDOW_FIELDS};
use super::expect::read_slo::{BUDGET_FIELDS, BURN_FIELDS, PAGES_FIELDS, SLO_ITEM_FIELDS};
use super::expect::scalar::BOUNDS;
use super::fixture::{ALIGN_FIELDS, FIXTURE_FIELDS};
use super::generate::SEASON_FIELDS;
use super::generate::kinds::{self, BESIDE_ALL, KINDS, OF_EVENTS};
use super::generate::latency::NATIVE_FIELDS;
use super::input::INPUT_FIELDS;
use super::read::{
    ALERT_CHECK_FIELDS, EXPECTED_ALERT_FIELDS, EXPECTED_SAMPLE_FIELDS, EXPR_CHECK_FIELDS,
    FILE_FIELDS, test_fields,
};
use super::shared::SERIES_FIELDS;
use super::warmup::WARMUP_FIELDS;
use crate::slo::own;
use rows::Row;
use shape::scalars;

/// A mapping in a test file.
struct Object {
    name: &'static str,
    about: &'static str,
    keys: Vec<&'static str>,
    rows: &'static [Row],
    required: &'static [&'static str],
    /// Whether nothing behind a key is as if the key were not there.
    nullable: bool,
}

impl Object {
    fn new(name: &'static str, keys: &[&'static str], rows: &'static [Row]) -> Object {
        Object {
            name,
            about: "",
            keys: keys.to_vec(),
            rows,
            required: &[],
            nullable: false,
        }
    }

    fn about(self, about: &'static str) -> Object {
        Object { about, ..self }
    }

    fn requires(self, required: &'static [&'static str]) -> Object {
        Object { required, ..self }
    }

    fn nullable(self) -> Object {
        Object {
            nullable: true,
            ..self
        }
    }

    fn schema(&self) -> Value {
        let mut properties = Map::new();
        for key in &self.keys {
            let Some(row) = self.rows.iter().find(|row| row.key == *key) else {
                continue;
            };
            let mut schema = row.shape.schema();
            if self.nullable {
                schema = shape::or_null(schema);
            }
            properties.insert(
                (*key).to_owned(),
                shape::with_description(schema, row.about),
            );
        }
        let mut schema =
            json!({"type": "object", "properties": properties, "additionalProperties": false});
        if self.nullable {
            schema = shape::or_null(schema);
        }
        if !self.required.is_empty()
            && let Some(schema) = schema.as_object_mut()
        {
            schema.insert("required".to_owned(), json!(self.required));
        }
        shape::with_description(schema, self.about)
    }
}

/// Every mapping with known keys, but for those of generators.
fn objects() -> Vec<Object> {
    let test: Vec<&str> = test_fields();
    let defaults: Vec<&str> = test.iter().copied().filter(|key| *key != "name").collect();
    vec![
        Object::new("test", &test, rows::TEST)
            .about("Series, and what is expected of the rules over them.")
            .nullable(),
        Object::new("defaults", &defaults, rows::TEST)
            .about("What every test has unless it has the key itself.")
            .nullable(),
        Object::new("shared_series", &SERIES_FIELDS, rows::TEST)
            .about("Series that tests name behind `use`."),
        Object::new("input_series", &INPUT_FIELDS, rows::INPUT)
            .requires(&["series"])
            .nullable(),
        Object::new("alert_check", &ALERT_CHECK_FIELDS, rows::ALERT_CHECK)
            .requires(&["alertname"])
            .nullable(),
        Object::new(
            "expected_alert",
            &EXPECTED_ALERT_FIELDS,
            rows::EXPECTED_ALERT,
        )
        .nullable(),
        Object::new("expr_check", &EXPR_CHECK_FIELDS, rows::EXPR_CHECK)
            .requires(&["expr"])
            .nullable(),
        Object::new(
            "expected_sample",
            &EXPECTED_SAMPLE_FIELDS,
            rows::EXPECTED_SAMPLE,
        )
        .nullable(),
        Object::new("fixture", &FIXTURE_FIELDS, rows::FIXTURE)
            .requires(&["file"])
            .nullable(),
        Object::new("aligned_moment", &ALIGN_FIELDS, rows::ALIGN).requires(&["recorded"]),
        Object::new("expected_of_alert", &ALERT_FIELDS, rows::EXPECT_ALERT).requires(&["alert"]),
        Object::new("expected_of_alerts", &ALERTS_FIELDS, rows::EXPECT_ALERTS)
            .requires(&["alerts"]),
        Object::new("expected_of_expr", &EXPR_FIELDS, rows::EXPECT_EXPR).requires(&["expr"]),
        Object::new("window", &WINDOW_FIELDS, rows::WINDOW).requires(&["from", "to"]),
        Object::new("bounds", &BOUNDS, rows::BOUNDS),
        Object::new("season", &SEASON_FIELDS, rows::SEASON).requires(&["period", "amplitude"]),
        Object::new("native", &NATIVE_FIELDS, rows::NATIVE),
    ]
    .into_iter()
    .chain(of_slos())
    .collect()
}

/// Mappings that are about objectives.
fn of_slos() -> Vec<Object> {
    vec![
        Object::new("warmup", &WARMUP_FIELDS, slo_rows::WARMUP).requires(&["for"]),
        Object::new("expected_of_slo", &SLO_ITEM_FIELDS, slo_rows::EXPECT_SLO).requires(&["slo"]),
        Object::new("budget_test", &BUDGET_FIELDS, slo_rows::BUDGET_TEST),
        Object::new("burn_test", &BURN_FIELDS, slo_rows::BURN_TEST).requires(&["window"]),
        Object::new("pages_test", &PAGES_FIELDS, slo_rows::PAGES_TEST).requires(&["budget_spent"]),
        Object::new("slo", &own::SLO_FIELDS, slo_rows::SLO).requires(&[
            "name",
            "objective",
            "window",
        ]),
        Object::new("slo_window", &own::WINDOW_FIELDS, slo_rows::SLO_WINDOW)
            .requires(&["calendar"]),
        Object::new("slo_ratio", &own::RATIO_FIELDS, slo_rows::SLO_RATIO),
        Object::new("slo_latency", &own::LATENCY_FIELDS, slo_rows::SLO_LATENCY)
            .requires(&["histogram", "within"]),
        Object::new(
            "slo_threshold",
            &own::THRESHOLD_FIELDS,
            slo_rows::SLO_THRESHOLD,
        )
        .requires(&["query"]),
        Object::new("slo_method", &own::METHOD_FIELDS, slo_rows::SLO_METHOD),
        Object::new(
            "slo_timeslices",
            &own::TIMESLICES_FIELDS,
            slo_rows::SLO_TIMESLICES,
        )
        .requires(&["slice", "target"]),
        Object::new(
            "slo_ratio_timeslices",
            &own::RATIO_TIMESLICES_FIELDS,
            slo_rows::SLO_TIMESLICES,
        )
        .requires(&["slice"]),
    ]
}

/// The test file itself.
fn file() -> Object {
    Object::new("file", &FILE_FIELDS, rows::FILE)
        .about("A test file of rulecheck: one of promtool with more keys.")
        .nullable()
}

/// An item of `generate` of one kind, and its events.
fn generators(kind: &kinds::Row) -> [(String, Value); 3] {
    let own = Object::new("", kind.keys, rows::GENERATED).requires(match kind.name {
        "gauge" => &["base"],
        "histogram" => &["rate", "latency"],
        "targets" => &["job"],
        _ => &["rate"],
    });
    let event = [&OF_EVENTS[..], kind.happens].concat();
    let event = Object::new("", &event, rows::EVENT).requires(&["at"]);
    let beside = [&BESIDE_ALL[..], kind.beside].concat();
    let mut item = Object::new("", &beside, rows::BESIDE_GENERATED).schema();
    let [own_name, event_name] = [kind.name.to_owned(), format!("event_of_{}", kind.name)];
    if let Some(properties) = item
        .pointer_mut("/properties")
        .and_then(Value::as_object_mut)
    {
        let about = format!("Makes {}.", kind.called);
        let own = shape::with_description(shape::reference(&own_name), &about);
        properties.insert(kind.name.to_owned(), own);
        if let Some(events) = properties.get_mut("events").and_then(Value::as_object_mut) {
            events.insert("items".to_owned(), shape::reference(&event_name));
        }
    }
    if let Some(item) = item.as_object_mut() {
        item.insert("required".to_owned(), json!([kind.name]));
    }
    [
        (own_name.clone(), own.schema()),
        (event_name, event.schema()),
        (format!("generated_{own_name}"), item),
    ]
}

/// The schema of a test file, and of a file that it includes (draft 2020-12).
pub fn test_file() -> Value {
    let mut definitions = Map::new();
    for object in objects() {
        definitions.insert(object.name.to_owned(), object.schema());
    }
    for kind in &KINDS {
        definitions.extend(generators(kind));
    }
    let kinds = KINDS.iter();
    let kinds = kinds.map(|kind| shape::reference(&format!("generated_{}", kind.name)));
    let kinds: Vec<Value> = kinds.collect();
    definitions.insert("generator".to_owned(), json!({"oneOf": kinds}));
    for (name, schema) in scalars() {
        definitions.insert(name.to_owned(), schema);
    }
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rulecheck test file",
    });
    if let (Some(schema), Value::Object(file)) = (schema.as_object_mut(), file().schema()) {
        schema.extend(file);
        schema.insert("$defs".to_owned(), Value::Object(definitions));
    }
    schema
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    type Table = (&'static [Row], Vec<&'static str>);

    /// Every table of rows with the keys that are looked up in it.
    fn tables() -> Vec<Table> {
        let mut objects = objects();
        objects.push(file());
        let mut tables: Vec<Table> = objects.into_iter().map(|it| (it.rows, it.keys)).collect();
        for kind in &KINDS {
            tables.push((rows::GENERATED, kind.keys.to_vec()));
            tables.push((rows::EVENT, [&OF_EVENTS[..], kind.happens].concat()));
            tables.push((
                rows::BESIDE_GENERATED,
                [&BESIDE_ALL[..], kind.beside].concat(),
            ));
        }
        tables
    }

    #[test]
    fn every_key_that_is_read_has_a_row_and_the_reverse() {
        for (rows, keys) in tables() {
            for key in keys {
                assert!(
                    rows.iter().any(|row| row.key == key),
                    "schema/rows.rs has no row for {key}"
                );
            }
            for row in rows {
                let mut same = tables()
                    .into_iter()
                    .filter(|(other, _)| std::ptr::eq(*other, rows));
                assert!(
                    same.any(|(_, keys)| keys.contains(&row.key)),
                    "no reader knows {}",
                    row.key
                );
                assert!(row.about.ends_with('.'), "{}: {}", row.key, row.about);
            }
        }
    }

    /// A file that is included has some of the keys of a test file, and so the same schema.
    #[test]
    fn included_files_are_test_files() {
        for key in crate::suite::shared::INCLUDED_FIELDS {
            assert!(FILE_FIELDS.contains(&key), "{key}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let schema = test_file();
        let mut used = BTreeSet::new();
        references(&schema, &mut used);
        let defined = schema["$defs"].as_object().unwrap();
        let defined: BTreeSet<String> = defined
            .keys()
            .map(|name| format!("#/$defs/{name}"))
            .collect();
        assert_eq!(used, defined);
    }

    fn references(schema: &Value, found: &mut BTreeSet<String>) {
        match schema {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match (key.as_str(), value) {
                        ("$ref", Value::String(name)) => drop(found.insert(name.clone())),
                        _ => references(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
}
