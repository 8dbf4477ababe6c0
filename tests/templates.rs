//! Templates: the cases of `fixtures/templates`, and what a real Prometheus rendered.

#![expect(
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rulecheck::model::{BucketSpan, Histogram, Labels};
use rulecheck::rules::template::{
    QuerySample, Template, TemplateData, TemplateValue, TemplateValueOwned,
};
use serde::Deserialize;
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

/// A case of `fixtures/templates`: a template and one of the three things that can come of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    template: String,
    /// The value of the sample; 1 if there is none.
    value: Option<String>,
    /// What it renders to.
    output: Option<String>,
    /// Why it can't be rendered.
    failed: Option<String>,
    /// Why it is no template.
    refused: Option<String>,
}

/// The queries of the cases.
fn query(query: &str) -> Result<Vec<QuerySample>, String> {
    match query {
        "m" => Ok(vec![
            sample(&[("__name__", "m"), ("i", "b"), ("z", "1")], 1.5),
            sample(&[("__name__", "m"), ("i", "a"), ("z", "1")], 1_234_567.0),
            sample(&[("__name__", "m"), ("i", "c")], f64::NAN),
        ]),
        "one" => Ok(vec![sample(&[("__name__", "one"), ("job", "api")], 42.0)]),
        "bad" => Err("bad query".to_owned()),
        _ => Ok(vec![]),
    }
}

/// Renders a template on the data of the cases.
fn render(template: &Template, value: TemplateValue<'_>) -> Result<String, String> {
    let data = TemplateData {
        labels: &Labels::from_pairs([
            ("__name__", "m"),
            ("instance", "host.example.com:9100"),
            ("job", "api"),
            ("empty_not", "x y"),
        ]),
        external_labels: &Labels::from_pairs([("region", "eu"), ("replica", "1")]),
        external_url: "http://prom.example.com:9090/prom",
        value,
        now: 1_700_000_000_123,
    };
    template.render(&data, &query)
}

fn rendered(text: &str) -> Result<String, String> {
    let template = Template::parse("__alert_X", text).map_err(|error| error.message)?;
    render(&template, TemplateValue::Float(1.0))
}

#[test]
fn cases_come_out_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/templates");
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for case in serde_yaml::from_str::<Vec<Case>>(&text).unwrap() {
            count += 1;
            if let Some(fault) = fault_of(&case) {
                wrong.push(format!("{}: {}\n{fault}", path.display(), case.template));
            }
        }
    }
    assert!(count > 200, "the folder of cases is there");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn fault_of(case: &Case) -> Option<String> {
    let value = case.value.as_deref().unwrap_or("1").parse().unwrap();
    let found = match Template::parse("__alert_X", &case.template) {
        Err(error) => (None, None, Some(error.message)),
        Ok(template) => match render(&template, TemplateValue::Float(value)) {
            Ok(text) => (Some(text), None, None),
            Err(error) => {
                let error = error.strip_prefix("error executing template __alert_X: ");
                (None, error.map(str::to_owned), None)
            }
        },
    };
    let expected = (
        case.output.clone(),
        case.failed.clone(),
        case.refused.clone(),
    );
    (found != expected).then(|| format!("  expected {expected:?}\n  found    {found:?}"))
}

#[test]
fn points_at_what_is_wrong() {
    for (text, marked) in [
        ("a {{ nofunc 1 }}", "nofunc"),
        ("a\n{{ $labels.job }} {{ $nope }}", "$nope"),
        ("{{ if true }}{{ \"open }}{{ end }}", "\"open"),
        ("{{ (1 }}", "}}"),
    ] {
        let offset = Template::parse("__alert_X", text).unwrap_err().offset;
        assert_eq!(offset, text.find(marked).unwrap(), "{text}");
    }
}

#[test]
fn says_what_to_do() {
    for (text, help) in [
        ("{{ humanise 1 }}", "did you mean `humanize`?"),
        ("{{ $lables.job }}", "did you mean `$labels`?"),
        ("{{ labels.job }}", "dollar sign: `$labels`"),
        ("{{ Labels.job }}", "fields start with a dot: `.Labels`"),
        ("{{ if true }}", "with `{{ end }}`"),
        ("{{ $value", "close the action with `}}`"),
        ("{{ \"a }}", "close the string"),
        ("{{ $value>5 }}", "there are no operators"),
        ("{{ if }}x{{ end }}", "say on what it depends"),
    ] {
        let error = Template::parse("__alert_X", text).unwrap_err();
        assert!(error.help.contains(help), "{text}: {}", error.help);
    }
}

#[test]
fn shows_histograms() {
    let histogram = Histogram {
        count: 3.0,
        sum: 4.5,
        schema: 1,
        positive_spans: vec![BucketSpan {
            offset: 0,
            length: 2,
        }],
        positive_buckets: vec![1.0, 2.0],
        ..Histogram::default()
    };
    for (text, expected) in [
        ("{{ $value }}", histogram.to_string()),
        ("{{ printf \"%v\" $value }}", histogram.to_string()),
        (
            "{{ $value.Count }} {{ $value.Sum }} {{ .Value.Schema }}",
            "3 4.5 1".to_owned(),
        ),
        (
            "{{ index $value.PositiveBuckets 1 }} {{ len $value.NegativeSpans }}",
            "2 0".to_owned(),
        ),
        (
            "{{ range $value.PositiveSpans }}{{ .Offset }}+{{ .Length }}{{ end }}",
            "0+2".to_owned(),
        ),
    ] {
        let template = Template::parse("__alert_X", text).unwrap();
        let found = render(&template, TemplateValue::Histogram(&histogram));
        assert_eq!(found, Ok(expected), "{text}");
    }
    let template = Template::parse("__alert_X", "{{ humanize $value }}").unwrap();
    let error = render(&template, TemplateValue::Histogram(&histogram)).unwrap_err();
    assert!(
        error.ends_with("can't convert *histogram.FloatHistogram to float"),
        "{error}"
    );
}

#[test]
fn knows_whether_it_depends_on_queries() {
    for (text, queries) in [
        ("plain", false),
        ("{{ $value }}", false),
        ("{{ query \"up\" | first | value }}", true),
        (
            "{{ if true }}{{ else }}{{ len (query \"up\") }}{{ end }}",
            true,
        ),
        (
            "{{ define \"x\" }}{{ (index (query \"up\") 0).Value }}{{ end }}",
            true,
        ),
    ] {
        let template = Template::parse("__alert_X", text).unwrap();
        assert_eq!(template.queries(), queries, "{text}");
        assert_eq!(template.is_literal(), !text.contains("{{"), "{text}");
    }
}

#[test]
fn no_template_runs_without_end_or_grows_without_limit() {
    for (text, complaint) in [
        ("{{ range 1000000000000 }}{{ end }}", "too much work"),
        (
            "{{ $x := \"aaaa\" }}{{ range 99 }}{{ $x = print $x $x }}{{ end }}",
            "a text longer than",
        ),
        (
            "{{ $x := args 1 }}{{ range 999 }}{{ $x = args $x }}{{ end }}{{ $x }}",
            "maps inside each other",
        ),
        (
            "{{ $x := args 1 }}{{ range 70 }}{{ $x = args $x $x }}{{ end }}{{ $x }}",
            "longer than",
        ),
        (
            "{{ define \"x\" }}{{ range 1 }}{{ if true }}{{ template \"x\" }}{{ end }}{{ end }}{{ end }}{{ template \"x\" }}",
            "exceeded maximum template depth (100000)",
        ),
    ] {
        let error = rendered(text).unwrap_err();
        assert!(error.contains(complaint), "{text}: {error}");
    }
    let parentheses = format!("{{{{ {}1{} }}}}", "(".repeat(50_000), ")".repeat(50_000));
    let error = rendered(&parentheses).unwrap_err();
    assert!(error.ends_with("max expression depth exceeded"), "{error}");
    let blocks = "{{ if true }}".repeat(50_000);
    assert!(
        rendered(&blocks)
            .unwrap_err()
            .ends_with("blocks nest too deeply")
    );
    let chain = "{{ else if false }}b".repeat(2_000);
    let chain = format!("{{{{ if false }}}}a{chain}{{{{ else }}}}c{{{{ end }}}}");
    assert_eq!(rendered(&chain).as_deref(), Ok("c"));
}

proptest! {
    #[test]
    fn text_without_actions_renders_to_itself(text in any::<String>()) {
        prop_assume!(!text.contains("{{"));
        prop_assert_eq!(rendered(&text), Ok(text));
    }

    #[test]
    fn any_text_is_read_without_panic(text in any::<String>()) {
        let _ = rendered(&text);
        let _ = rendered(&format!("{{{{ {text} }}}}"));
    }

    #[test]
    fn any_words_are_read_and_run_without_panic(
        words in proptest::collection::vec(proptest::sample::select(WORDS), 0..30)
    ) {
        let _ = rendered(&words.concat());
    }

    #[test]
    fn any_format_prints(format in "[ #0-9.*%+vTtbcdoqxXUeEfgGsp\\[\\]-]{0,12}") {
        let text = format!("{{{{ printf `{format}` 1 2.5 \"s\" $labels }}}}");
        prop_assert!(rendered(&text).is_ok());
    }
}

/// What templates are made of.
const WORDS: &[&str] = &[
    "{{",
    "}}",
    "{{ ",
    " }}",
    "{{- ",
    " -}}",
    "(",
    ")",
    "|",
    " ",
    " ",
    "\n",
    ".",
    "$",
    "$x",
    ":=",
    "=",
    ",",
    "if ",
    "else ",
    "end",
    "range ",
    "with ",
    "define \"x\"",
    "template \"x\" ",
    "block \"y\" ",
    "break",
    "continue",
    "nil ",
    "true ",
    "1 ",
    "-1.5 ",
    "\"s\" ",
    "'a' ",
    "$value ",
    "$labels ",
    ".Labels.job ",
    "query \"m\" ",
    "first ",
    "value ",
    "len ",
    "index ",
    "slice ",
    "printf \"%v\" ",
    "print ",
    "args ",
    "toTime ",
    ".Format \"2006\" ",
    "humanize ",
    "eq ",
    "lt ",
    "and ",
    "or ",
    "/*",
    "*/",
    "é",
    "`",
    "toDuration ",
    "reReplaceAll ",
    "sortByLabel ",
    "call ",
    "not ",
    "html ",
    "title ",
];
