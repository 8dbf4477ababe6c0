//! Templates: the cases of `fixtures/templates`, and what a real Prometheus rendered.

#![expect(
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::path::PathBuf;

use rulecheck::model::Labels;
use rulecheck::rules::template::{
    QuerySample, Template, TemplateData, TemplateValue, TemplateValueOwned,
};
use serde_json::Value;

/// The folder of reference data; tests that need it are skipped without.
fn reference(file: &str) -> Option<Vec<Value>> {
    let Some(shared) = std::env::var_os("RULECHECK_CONFORMANCE") else {
        println!("skipped: RULECHECK_CONFORMANCE is not set");
        return None;
    };
    let path = PathBuf::from(shared).join("reference").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

fn labels(value: &Value) -> Labels {
    let pairs = value.as_object().into_iter().flatten();
    Labels::from_pairs(pairs.map(|(name, value)| (name, value.as_str().unwrap())))
}

fn sample(labels: &[(&str, &str)], value: f64) -> QuerySample {
    QuerySample {
        labels: Labels::from_pairs(labels.iter().copied()),
        value: TemplateValueOwned::Float(value),
    }
}

/// What the queries of the reference data returned: a template's own engine is not the subject here.
fn recorded_query(query: &str) -> Result<Vec<QuerySample>, String> {
    let a = sample(&[("__name__", "m2"), ("x", "a"), ("y", "3")], 1.0);
    let b = sample(&[("__name__", "m2"), ("x", "b"), ("y", "1")], 2.5);
    let c = sample(&[("__name__", "m2"), ("x", "c"), ("y", "2")], 1e6);
    Ok(match query {
        "m2" => vec![a, b, c],
        "m2{x=\"a\"}" => vec![a],
        "m2{x=\"b\"}" => vec![b],
        "m2{x=\"c\"}" => vec![c],
        "count(m2)" => vec![sample(&[], 3.0)],
        "count_values(\"v\", m2)" => vec![
            sample(&[("v", "1000000")], 1.0),
            sample(&[("v", "1")], 1.0),
            sample(&[("v", "2.5")], 1.0),
        ],
        "quantile(0.5, m2)" => vec![sample(&[], 2.5)],
        "time()" => vec![sample(&[], 0.0)],
        "nonexistent" | "nosuch" => vec![],
        "m" => vec![
            sample(&[("__name__", "m"), ("i", "b")], 1.5),
            sample(&[("__name__", "m"), ("i", "a")], 1_234_567.0),
        ],
        "m2[5m]" => return Err("rule result is not a vector or scalar".to_owned()),
        "bad(" => return Err("1:5: parse error: unclosed left parenthesis".to_owned()),
        other => return Err(format!("no such query was recorded: {other}")),
    })
}

/// Where values lie in memory is of no interest.
fn without_addresses(text: &str) -> String {
    let mut parts = text.split("0x");
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        out.push_str("0x");
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    out
}

/// The reference was made by Prometheus 3.5; what 3.14 has more of is no error here.
fn is_newer_than_reference(template: &str) -> bool {
    ["toDuration", "now", "urlQueryEscape"]
        .iter()
        .any(|function| template.contains(function))
}

#[test]
fn renders_what_prometheus_rendered() {
    let Some(rows) = reference("template-pairs.json") else {
        return;
    };
    let mut wrong = Vec::new();
    for row in &rows {
        let template = row["template"].as_str().unwrap();
        let name = format!("__alert_{}", row["alertname"].as_str().unwrap());
        // 3.14 allows negative lengths: 3.5 did not.
        let expected = match template {
            "{{ parseDuration \"-5m\" }}" => "-300",
            _ => row["output"].as_str().unwrap(),
        };
        let data = TemplateData {
            labels: &labels(&row["labels"]),
            external_labels: &labels(&row["external_labels"]),
            external_url: row["external_url"].as_str().unwrap_or(""),
            value: TemplateValue::Float(row["value"].as_str().unwrap().parse().unwrap()),
            now: 0,
        };
        let found = match Template::parse(&name, template) {
            Ok(parsed) => parsed.render_or_error(&data, &recorded_query),
            Err(error) => error.message,
        };
        if without_addresses(&found) != without_addresses(expected) {
            wrong.push(format!(
                "{template}\n  expected {expected}\n  found    {found}"
            ));
        }
    }
    assert_eq!(rows.len(), 271);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn treats_templates_as_go_does() {
    let Some(rows) = reference("gotemplate-truth.json") else {
        return;
    };
    let mut wrong = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let template = row["t"].as_str().unwrap();
        if row["out"].is_null() && is_newer_than_reference(template) {
            continue;
        }
        let expected = row["parse_err"].as_str().or(row["out"].as_str()).unwrap();
        let data = TemplateData {
            labels: &Labels::from_pairs([("x", "v")]),
            external_labels: &Labels::from_pairs([("ext", "E")]),
            external_url: "http://127.0.0.1:19191",
            value: TemplateValue::Float(12.5),
            now: 0,
        };
        let found = match Template::parse(&format!("__alert_A{index}"), template) {
            Ok(parsed) => parsed.render_or_error(&data, &recorded_query),
            Err(error) => error.message,
        };
        if without_addresses(&found) != without_addresses(expected) {
            wrong.push(format!(
                "{template}\n  expected {expected}\n  found    {found}"
            ));
        }
    }
    assert_eq!(rows.len(), 105);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn refuses_what_prometheus_refuses() {
    let Some(rows) = reference("template-load-errors.json") else {
        return;
    };
    for row in &rows {
        let template = row["template"].as_str().unwrap();
        let name = format!("__alert_{}", row["alertname"].as_str().unwrap());
        let found = Template::parse(&name, template);
        if is_newer_than_reference(template) {
            assert!(found.is_ok(), "{template}");
            continue;
        }
        let message = found.unwrap_err().message;
        let expected = row["load_error"].as_str().unwrap();
        assert_eq!(format!("annotation \"out\": {message}"), expected);
    }
}
