//! Numbers and quoted strings against what Go's `strconv` reads and writes.

#![expect(
    clippy::unwrap_used,
    reason = "a test reads its fixtures and may stop at a broken one"
)]

use std::path::Path;

use rulecheck::model::number::{
    format_exponent, format_general, format_json, format_scientific, format_value, parse_float,
    quote,
};
use serde::Deserialize;

/// A text, and the float that it is in four forms; a text alone is no float. The one for JSON is named where it is not
/// the plain one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Float {
    text: String,
    #[serde(default)]
    plain: Option<String>,
    #[serde(default)]
    general: Option<String>,
    #[serde(default)]
    scientific: Option<String>,
    #[serde(default)]
    json: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quote {
    text: String,
    quoted: String,
}

#[test]
fn reads_and_writes_floats_as_go() {
    let cases: Vec<Float> = read("floats.json");
    assert!(cases.len() > 100);
    for case in cases {
        let value = parse_float(&case.text);
        assert_eq!(value.map(format_value), case.plain.clone(), "{}", case.text);
        assert_eq!(value.map(format_general), case.general, "{}", case.text);
        let json = case.json.or(case.plain);
        assert_eq!(value.map(format_json), json, "{}", case.text);
        let scientific = value.map(format_scientific);
        assert_eq!(scientific, case.scientific, "{}", case.text);
        let small_letter = scientific.map(|text| text.replace('E', "e"));
        assert_eq!(value.map(format_exponent), small_letter, "{}", case.text);
    }
}

#[test]
fn quotes_as_go() {
    let cases: Vec<Quote> = read("quotes.json");
    assert!(cases.len() > 20);
    for case in cases {
        assert_eq!(quote(&case.text), case.quoted);
    }
}

fn read<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/number");
    serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}
