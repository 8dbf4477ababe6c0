//! What may stand behind a key, as JSON Schema.

use serde_json::{Value, json};

/// What may stand behind a key.
pub(super) enum Shape {
    /// One of [`scalars`] or of the mappings, by its name.
    Is(&'static str),
    /// One of a few words.
    Words(&'static [&'static str]),
    /// A list.
    List(&'static Shape),
    /// A mapping whose keys are free.
    Map(&'static Shape),
    /// One of several.
    Either(&'static [Shape]),
}

impl Shape {
    pub(super) fn schema(&self) -> Value {
        match self {
            Shape::Is(name) => reference(name),
            Shape::Words(words) => json!({"anyOf": [{"enum": words}, reference("parameter")]}),
            Shape::List(element) => json!({"type": "array", "items": element.schema()}),
            Shape::Map(value) => json!({"type": "object", "additionalProperties": value.schema()}),
            Shape::Either(shapes) => {
                let shapes: Vec<Value> = shapes.iter().map(Shape::schema).collect();
                json!({"anyOf": shapes})
            }
        }
    }
}

pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

/// The same, or nothing.
pub(super) fn or_null(schema: Value) -> Value {
    match schema {
        Value::Object(mut fields) if fields.get("type").is_some_and(Value::is_string) => {
            if let Some(kind) = fields.get_mut("type") {
                *kind = json!([kind.take(), "null"]);
            }
            Value::Object(fields)
        }
        schema => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

pub(super) fn with_description(schema: Value, about: &str) -> Value {
    match schema {
        Value::Object(mut fields) if !about.is_empty() => {
            // The words of the key before those of what it takes.
            fields.shift_insert(0, "description".to_owned(), json!(about));
            Value::Object(fields)
        }
        schema => schema,
    }
}

/// `${name}` anywhere in a text: what it becomes is known for each test only.
const PARAMETER: &str = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}";

const DURATION: &str = "^([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";

const TIME: &str =
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$";

const NUMBER: &str = r"^[+-]?([0-9][0-9_]*\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$";

/// Texts, numbers and what else is no mapping, with their names.
pub(super) fn scalars() -> Vec<(&'static str, Value)> {
    let special = r"^([Nn]a[Nn]|NAN|\.nan|\.NaN|\.NAN|[+-]?(\.inf|\.Inf|\.INF|[Ii]nf|INF))$";
    let amount = |unit: &str| NUMBER.replace('$', unit);
    let number = || vec![json!({"type": "number"}), text(NUMBER), text(special)];
    let ratio = || {
        vec![
            json!({"type": "number", "minimum": 0, "maximum": 1}),
            text(&amount(" *%$")),
            text(NUMBER),
        ]
    };
    let duration = || {
        vec![
            json!({"type": "string", "pattern": DURATION, "minLength": 1}),
            json!({"const": 0}),
            json!({"const": "0"}),
        ]
    };
    let rate = || vec![text(&amount(" */ *(s|m|h|d)$"))];
    vec![
        (
            "text",
            json!({"type": ["string", "number", "boolean", "null"]}),
        ),
        (
            "parameter",
            json!({
                "description": "A name of the test's matrix.",
                "type": "string",
                "pattern": PARAMETER,
            }),
        ),
        ("number", either("A number.", number())),
        (
            "percentage",
            either(
                "A number, or hundredths: `12%`.",
                [number(), vec![text(&amount(" *%$"))]].concat(),
            ),
        ),
        (
            "whole",
            either(
                "A whole number.",
                vec![json!({"type": "integer"}), text("^[+-]?[0-9]+$")],
            ),
        ),
        (
            "boolean",
            either(
                "`true` or `false`.",
                vec![
                    json!({"type": "boolean"}),
                    json!({"enum": ["yes", "no", "on", "off"]}),
                ],
            ),
        ),
        (
            "duration",
            either("A duration such as `90s`, `5m` or `1h30m`.", duration()),
        ),
        (
            "moment",
            either(
                "A moment: a duration since the test's start, or a time such as `2026-03-02T09:36:00Z`.",
                [duration(), vec![text(TIME)]].concat(),
            ),
        ),
        (
            "time",
            either(
                "A time such as `2026-03-02T09:00:00Z`, or seconds since 1970.",
                vec![json!({"type": "number"}), text(NUMBER), text(TIME)],
            ),
        ),
        (
            "ratio",
            either("A share of the whole: `0.12` or `12%`.", ratio()),
        ),
        (
            "rate",
            either(
                "How many in what time: `50/s`, `3000/m`, `10/h` or `1e6/d`.",
                rate(),
            ),
        ),
        (
            "spike",
            either(
                "How many times as much, `10x`, or a new value or rate.",
                [
                    vec![
                        json!({"type": "number"}),
                        text(NUMBER),
                        text(&amount(" *x$")),
                    ],
                    rate(),
                ]
                .concat(),
            ),
        ),
        (
            "ramp",
            either(
                "The value, rate, share of errors or latency at the end of the ramp.",
                [vec![reference("latency")], number(), ratio(), rate()].concat(),
            ),
        ),
        (
            "observed",
            either(
                "A length of time such as `400ms`, or a number such as `0.4`.",
                [vec![json!({"type": "number"}), text(NUMBER)], duration()].concat(),
            ),
        ),
        (
            "latency",
            json!({
                "description": "Two quantiles: `{p50: 120ms, p95: 400ms}`.",
                "type": "object",
                "patternProperties": {r"^p[0-9]+(\.[0-9]+)?$": reference("observed")},
                "additionalProperties": false,
                "minProperties": 2,
                "maxProperties": 2,
            }),
        ),
        (
            "axes",
            json!({
                "description": "Names, each with its values.",
                "type": "object",
                "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
                "additionalProperties": {
                    "anyOf": [
                        {"type": ["string", "number", "boolean"]},
                        {
                            "type": "array",
                            "items": {"type": ["string", "number", "boolean"]},
                            "minItems": 1,
                            "uniqueItems": true,
                        },
                    ],
                },
                "minProperties": 1,
            }),
        ),
    ]
}

fn text(pattern: &str) -> Value {
    json!({"type": "string", "pattern": pattern})
}

/// One of several, or what a name of the matrix stands for.
fn either(about: &str, mut forms: Vec<Value>) -> Value {
    forms.push(reference("parameter"));
    json!({"description": about, "anyOf": forms})
}
