//! YAML: any text is read without a panic, every byte of a text inside it has its place, and what another
//! library writes is read back.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rulecheck::rules::{self, ReadOptions, RuleKind};
use rulecheck::suite::accept::{CheckId, Observed, Replacement, accept};
use rulecheck::suite::file;
use rulecheck::text::yaml::{Decoder, Dialect, UnknownFields, parse};
use rulecheck::text::{Source, Span};

const PIECES: [&str; 44] = [
    "groups:",
    "tests:",
    "- ",
    "name: ",
    "rules:",
    "alert: ",
    "expr: ",
    "labels:",
    "alert_rule_test:",
    "exp_alerts:",
    "alertname: ",
    "input_series:",
    "series: ",
    "values: ",
    "\n",
    "\n  ",
    "\n    ",
    "\n      ",
    " ",
    "\t",
    "a",
    "up",
    "é",
    "1",
    "&a ",
    "*a",
    "<<: ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    ": ",
    "\"",
    "'",
    "|",
    ">-",
    "\\",
    "#",
    "!!str ",
    "? ",
    "---\n",
    "...\n",
    "%",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(0..PIECES.len(), 0..60)
        .prop_map(|picks| picks.into_iter().map(|pick| PIECES[pick]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_panics(text in prop_oneof![soup(), any::<String>()]) {
        let source = Source::new("f", text);
        let options = ReadOptions::default();
        for faults in [rules::read(&source, &options).err(), file::read(&source, &options).err()].into_iter().flatten() {
            prop_assert!(!faults.is_empty());
            for fault in faults {
                prop_assert!(!fault.render(false).is_empty());
            }
        }
        for check in [CheckId::Alert(0), CheckId::Expr(0)] {
            let replacement = Replacement { test: 0, is_shared: false, check, observed: Observed::Alerts(Vec::new()) };
            if let Ok(accepted) = accept(&source, &[replacement]) {
                prop_assert!(parse(&Source::new("f", accepted.text)).is_ok());
            }
        }
    }

    /// A word that is in the text only once is found in the file where it was written.
    #[test]
    fn places_are_exact(
        words in prop::collection::vec("[a-z]{1,6}", 1..8),
        gaps in prop::collection::vec(prop_oneof![Just(" "), Just("  "), Just("\n   "), Just("\n\n   "), Just(" \n    ")], 8),
        style in 0..5,
    ) {
        let words: Vec<String> = words.iter().enumerate().map(|(index, word)| format!("{word}é{index}")).collect();
        let mut body = String::new();
        for (word, gap) in words.iter().zip(&gaps) {
            body.push_str(word);
            body.push_str(gap);
        }
        let body = body.trim_end();
        let yaml = match style {
            0 => format!("a: {body}\n"),
            1 => format!("a: '{body}'\n"),
            2 => format!("a: \"{body}\"\n"),
            3 => format!("a: |\n   {body}\n"),
            _ => format!("a: >-\n   {body}\n"),
        };
        let source = Source::new("f", yaml);
        let document = parse(&source).unwrap();
        let mut decoder = Decoder::new(&source, Dialect::V3);
        let fields = decoder.fields(document.root().unwrap(), "x", &["a"], UnknownFields::Refuse).unwrap();
        let embedded = decoder.embedded(fields.node("a").unwrap(), "a").unwrap();
        for word in &words {
            let start = embedded.text.find(word.as_str()).unwrap();
            let span = embedded.span(Span::new(start, start + word.len()));
            prop_assert_eq!(source.slice(span), word.as_str());
        }
        for start in 0..=embedded.text.len() + 1 {
            let span = embedded.span(Span::new(start, start + 1));
            prop_assert!(span.start <= span.end && span.end <= source.text().len());
        }
    }

    /// Rule files that another library writes.
    #[test]
    fn other_writers_are_read(
        labels in prop::collection::btree_map("[a-zA-Z_~:#é 0-9-]{1,8}", "[ -~\\n\\té🚀]{0,20}", 0..5),
        annotations in prop::collection::btree_map("[a-z]{1,8}", "[^{\\r\\u{85}\\u{2028}\\u{2029}\\u{feff}]{0,30}", 0..4),
    ) {
        let escape_templates = |pairs: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, value)| (name.clone(), value.replace('{', "{ "))).collect()
        };
        let (labels, annotations) = (escape_templates(&labels), escape_templates(&annotations));
        let rule = serde_json::json!({"alert": "A", "expr": "up", "labels": labels, "annotations": annotations});
        let file = serde_json::json!({"groups": [{"name": "g", "rules": [rule]}]});
        let source = Source::new("f", serde_yaml::to_string(&file).unwrap());
        let read = rules::read(&source, &ReadOptions::default());
        let read = read.map_err(|faults| TestCaseError::fail(format!("{faults:?}\n{}", source.text())))?;
        let RuleKind::Alert(alert) = &read.groups[0].rules[0].kind else {
            return Err(TestCaseError::fail("no alert"));
        };
        for (pairs, expected) in [(&alert.labels, labels), (&alert.annotations, annotations)] {
            let pairs: BTreeMap<String, String> =
                pairs.iter().map(|(name, text)| (name.clone(), text.text().to_owned())).collect();
            prop_assert_eq!(pairs, expected, "{}", source.text());
        }
    }
}

/// As deep as the limits allow, on a thread with a stack of 2 MiB.
#[test]
fn deep_nesting_fits_the_stack() {
    let mut text = String::new();
    for depth in 0..190 {
        text.push_str(&format!(
            "{}a:\n{}- \n",
            "  ".repeat(depth),
            "  ".repeat(depth)
        ));
        let _ = text.pop();
    }
    let flows = [
        "[".repeat(190) + &"]".repeat(190),
        "[a: ".repeat(150) + &"]".repeat(150),
        "{a: ".repeat(190) + &"}".repeat(190),
        "- ".repeat(190) + "x",
        "? ".repeat(190) + "x",
        "[".repeat(100_000),
        "- ".repeat(100_000),
        text,
    ];
    for text in flows {
        let source = Source::new("f", text);
        let _ = parse(&source);
        let _ = rules::read(&source, &ReadOptions::default());
        let _ = file::read(&source, &ReadOptions::default());
    }
}
