//! What every key of a test file takes and means: a row for each, where a reader knows it.

use super::shape::Shape::{self, Either, Is, List, Map, Words};

/// A key.
pub(super) struct Row {
    pub key: &'static str,
    pub shape: Shape,
    /// What it means, in a sentence.
    pub about: &'static str,
}

pub(super) const fn row(key: &'static str, shape: Shape, about: &'static str) -> Row {
    Row { key, shape, about }
}

const TEXT: Shape = Is("text");
const TEXTS: Shape = Map(&TEXT);
const NEVER: Shape = Words(&["never"]);
const WINDOWS: Shape = Either(&[NEVER, List(&Is("window"))]);
const VALUE: Shape = Either(&[Is("percentage"), Is("bounds")]);
const AMOUNT: Shape = Either(&[Is("whole"), Is("bounds")]);
const TRUE: Shape = Is("boolean");
const LABEL_VALUES: Shape = Either(&[TEXT, List(&TEXT)]);

pub(super) const FILE: &[Row] = &[
    row(
        "rule_files",
        List(&TEXT),
        "Rule files, or patterns such as `rules/*.yml`, relative to this file.",
    ),
    row(
        "evaluation_interval",
        Is("duration"),
        "Time between two evaluations of all groups; 1m if left out.",
    ),
    row(
        "group_eval_order",
        List(&TEXT),
        "Groups in the order in which they are evaluated.",
    ),
    row("tests", List(&Is("test")), "The tests."),
    row(
        "fuzzy_compare",
        Is("boolean"),
        "Whether values may differ in their last bit.",
    ),
    row(
        "schedule",
        Words(&["promtool", "production"]),
        "When groups are evaluated: all at every `evaluation_interval` (promtool, the default), or each on its own interval, as a server does (production).",
    ),
    row(
        "include",
        List(&TEXT),
        "Files with more shared series and defaults, relative to this one.",
    ),
    row(
        "defaults",
        Is("defaults"),
        "What every test has unless it has the key itself.",
    ),
    row(
        "series",
        Map(&Is("shared_series")),
        "Series by names, which tests have that name them behind `use`.",
    ),
    row(
        "slos",
        List(&Is("slo")),
        "Service level objectives, whose budgets tests ask for.",
    ),
    row(
        "slo_files",
        List(&TEXT),
        "Files of objectives in any format (OpenSLO, Sloth, or `slos:` alone), relative to this file.",
    ),
];

pub(super) const TEST: &[Row] = &[
    row(
        "name",
        TEXT,
        "What the test is called; `--run` chooses by it.",
    ),
    row(
        "interval",
        Is("duration"),
        "Time between two samples of input series; `evaluation_interval` if left out.",
    ),
    row(
        "input_series",
        List(&Is("input_series")),
        "Series in promtool's notation.",
    ),
    row(
        "alert_rule_test",
        List(&Is("alert_check")),
        "What fires at a moment, with all labels and annotations.",
    ),
    row(
        "promql_expr_test",
        List(&Is("expr_check")),
        "What an expression yields at a moment.",
    ),
    row(
        "metricsql_expr_test",
        List(&Is("expr_check")),
        "vmalert-tool's name of `promql_expr_test`.",
    ),
    row("external_labels", TEXTS, "Labels that templates see."),
    row("external_url", TEXT, "The address that templates see."),
    row(
        "start_timestamp",
        Is("time"),
        "When the test begins; 1970 if left out.",
    ),
    row(
        "matrix",
        Either(&[Is("axes"), List(&Is("axes"))]),
        "Names with values: there is a test for every combination, in which `${name}` is the value. A list of such mappings puts theirs together.",
    ),
    row("use", List(&TEXT), "Shared series that the test has."),
    row(
        "duration",
        Is("duration"),
        "How long the test lasts; if left out, up to the later of the last sample and the last moment that is named.",
    ),
    row(
        "warmup",
        Either(&[Is("duration"), Is("warmup")]),
        "How much steady traffic came before the test, in the series that the file's objectives read.",
    ),
    row("generate", List(&Is("generator")), "Series that are made."),
    row(
        "fixtures",
        List(&Is("fixture")),
        "Series that were recorded.",
    ),
    row(
        "expect",
        List(&Either(&[
            Is("expected_of_alert"),
            Is("expected_of_alerts"),
            Is("expected_of_expr"),
            Is("expected_of_slo"),
        ])),
        "What alerts and expressions do over the whole test.",
    ),
    row(
        "rule_errors",
        Words(&["expected", "refused"]),
        "Whether rules may fail in this test.",
    ),
];

pub(super) const INPUT: &[Row] = &[
    row("series", TEXT, "Name and labels: `up{job=\"api\"}`."),
    row(
        "values",
        TEXT,
        "Samples, an interval apart: `1+1x10 _ stale`.",
    ),
];

pub(super) const ALERT_CHECK: &[Row] = &[
    row(
        "eval_time",
        Is("duration"),
        "When, after the start of the test.",
    ),
    row("alertname", TEXT, "Which alert."),
    row(
        "exp_alerts",
        List(&Is("expected_alert")),
        "What fires then: all of it; nothing if left out.",
    ),
    row(
        "groupname",
        TEXT,
        "vmalert-tool's: the alert's group, whose name the alerts then have as the label `alertgroup`.",
    ),
];

pub(super) const EXPECTED_ALERT: &[Row] = &[
    row("exp_labels", TEXTS, "All labels but `alertname`."),
    row("exp_annotations", TEXTS, "All annotations."),
];

pub(super) const EXPR_CHECK: &[Row] = &[
    row("expr", TEXT, "The expression."),
    row(
        "eval_time",
        Is("duration"),
        "When, after the start of the test.",
    ),
    row(
        "exp_samples",
        List(&Is("expected_sample")),
        "What it yields then: all of it; nothing if left out.",
    ),
];

pub(super) const EXPECTED_SAMPLE: &[Row] = &[
    row("labels", TEXT, "Name and labels: `up{job=\"api\"}`."),
    row("value", Is("number"), "The value."),
    row(
        "histogram",
        TEXT,
        "The native histogram: `{{schema:0 sum:1 count:1 buckets:[1]}}`.",
    ),
];

pub(super) const FIXTURE: &[Row] = &[
    row(
        "file",
        TEXT,
        "The recording (OpenMetrics, JSON or CSV, packed with gzip or not), relative to this file.",
    ),
    row(
        "select",
        Either(&[TEXT, List(&TEXT)]),
        "Which of its series: a selector, or several; all if left out.",
    ),
    row(
        "align",
        Either(&[Words(&["start", "none"]), Is("aligned_moment")]),
        "When: from the start of the test (`start`, the default), as recorded (`none`), or with one moment of the recording at one of the test.",
    ),
    row(
        "speed",
        Is("number"),
        "How many times faster than recorded; 1 if left out.",
    ),
    row(
        "nan",
        Words(&["value", "stale"]),
        "What NaN means: a value, or that the series ended.",
    ),
    row(
        "labels",
        TEXTS,
        "Labels that all its series get; an empty value takes one away.",
    ),
];

pub(super) const ALIGN: &[Row] = &[
    row("recorded", Is("time"), "The moment of the recording."),
    row(
        "at",
        Is("moment"),
        "Where it stands in the test; at its start if left out.",
    ),
];

pub(super) const EXPECT_ALERT: &[Row] = &[
    row("alert", TEXT, "Which alert."),
    row(
        "labels",
        TEXTS,
        "Only instances with these labels, and maybe more; `/pattern/` matches.",
    ),
    row(
        "annotations",
        TEXTS,
        "What annotations are whenever it fires, or at `at`; `/pattern/` matches.",
    ),
    row("instances", AMOUNT, "How many instances ever fire."),
    row(
        "across",
        Words(&["any", "each"]),
        "Whether windows are those of any of the instances together, or of each (the default).",
    ),
    row(
        "fires",
        WINDOWS,
        "All windows in which each instance fires, or `never`.",
    ),
    row(
        "pending",
        WINDOWS,
        "All windows in which each instance is pending, or `never`.",
    ),
    row(
        "within",
        Is("duration"),
        "How far edges of windows may lie from where they are expected; 0s if left out.",
    ),
    row("count", AMOUNT, "How often each instance fires."),
    row(
        "resolves_by",
        Is("moment"),
        "Each has fired, and no longer does from then on.",
    ),
    row(
        "flaps",
        AMOUNT,
        "How often each fires again after it had resolved.",
    ),
    row(
        "at",
        Is("moment"),
        "The moment that `state` and `annotations` speak of.",
    ),
    row(
        "state",
        Words(&["inactive", "pending", "firing"]),
        "What each instance is at `at`.",
    ),
    row(
        "others",
        Words(&["allowed", "refused"]),
        "Whether instances that no item selects may fire.",
    ),
];

pub(super) const EXPECT_ALERTS: &[Row] = &[
    row(
        "alerts",
        Words(&["all", "others"]),
        "All alerts, or those that no other item of the test names.",
    ),
    row(
        "labels",
        TEXTS,
        "Only instances with these labels, and maybe more; `/pattern/` matches.",
    ),
    row(
        "annotations",
        TEXTS,
        "What each that fires must carry; `/pattern/` matches.",
    ),
    row(
        "has_labels",
        TEXTS,
        "Labels that each that fires must carry; `/pattern/` matches.",
    ),
    row("fires", NEVER, "None of them ever fires."),
    row("pending", NEVER, "None of them is ever pending."),
    row(
        "flaps",
        AMOUNT,
        "How often each fires again after it had resolved.",
    ),
];

pub(super) const EXPECT_EXPR: &[Row] = &[
    row("expr", TEXT, "The expression."),
    row(
        "labels",
        TEXTS,
        "Only samples with these labels, and maybe more; `/pattern/` matches.",
    ),
    row("instances", AMOUNT, "How many samples there are."),
    row(
        "at",
        Is("moment"),
        "When it is evaluated; for a span write `always`, `min` or `max`.",
    ),
    row("value", VALUE, "What each sample is: a number, or bounds."),
    row("samples", Words(&["none"]), "There is no sample."),
    row(
        "tolerance",
        Is("percentage"),
        "How far a value may be away: a part of it, `2%`, or so much, `0.01`.",
    ),
    row(
        "start",
        Is("moment"),
        "The first moment of a span; the start of the test if left out.",
    ),
    row(
        "end",
        Is("moment"),
        "The moment before which a span ends; the end of the test if left out.",
    ),
    row(
        "always",
        VALUE,
        "What each sample is at all moments of a span.",
    ),
    row(
        "min",
        VALUE,
        "What the least value of each series in a span is.",
    ),
    row(
        "max",
        VALUE,
        "What the greatest value of each series in a span is.",
    ),
];

pub(super) const WINDOW: &[Row] = &[
    row("from", Is("moment"), "The first evaluation with the state."),
    row(
        "to",
        Either(&[Is("moment"), Words(&["end"])]),
        "The first evaluation without it, or `end`: it lasts at the end of the test.",
    ),
];

pub(super) const BOUNDS: &[Row] = &[
    row("above", Is("percentage"), "It is above this."),
    row("below", Is("percentage"), "It is below this."),
    row("at_least", Is("percentage"), "It is this or more."),
    row("at_most", Is("percentage"), "It is this or less."),
];

pub(super) const GENERATED: &[Row] = &[
    row(
        "series",
        TEXT,
        "Name and labels: `queue_depth{queue=\"mail\"}`.",
    ),
    row("metric", TEXT, "The name, with labels behind `labels`."),
    row("labels", TEXTS, "Labels."),
    row("base", Is("number"), "The value."),
    row("rate", Is("rate"), "How fast it grows: `50/s`."),
    row(
        "start",
        Is("number"),
        "The counter's first value; 0 if left out.",
    ),
    row(
        "error_ratio",
        Is("ratio"),
        "The share of requests that are errors; 0 if left out.",
    ),
    row(
        "latency",
        Is("latency"),
        "Two quantiles of the latencies: `{p50: 120ms, p95: 400ms}`.",
    ),
    row(
        "buckets",
        List(&Is("observed")),
        "The upper bounds of the buckets, without +Inf.",
    ),
    row(
        "native",
        Either(&[Is("boolean"), Is("native")]),
        "A native histogram instead of buckets.",
    ),
    row(
        "noise",
        Is("ratio"),
        "How far values stray by chance: a share of what they are.",
    ),
    row("season", Is("season"), "What comes back, such as each day."),
    row(
        "counts",
        Words(&["expected", "poisson"]),
        "Rate times time (`expected`, the default), or whole numbers by chance.",
    ),
    row(
        "seed",
        Is("whole"),
        "What chance starts from: others give other numbers; 0 if left out.",
    ),
    row("job", TEXT, "The job that scrapes the targets."),
    row(
        "instances",
        Either(&[Is("whole"), List(&TEXT), TEXT]),
        "How many targets, or their names.",
    ),
];

pub(super) const BESIDE_GENERATED: &[Row] = &[
    row("events", List(&TEXT), "What happens to the series."),
    row(
        "repeat",
        Map(&LABEL_VALUES),
        "Series for each value of a label: `{pod: 1..500}`, or a list.",
    ),
    row("bad", TEXTS, "Labels of requests that are errors."),
    row("good", TEXTS, "Labels of all other requests."),
    row(
        "errors_metric",
        TEXT,
        "The metric that counts errors, where they have one of their own.",
    ),
];

pub(super) const EVENT: &[Row] = &[
    row("at", Is("moment"), "When it begins."),
    row(
        "for",
        Is("duration"),
        "How long it lasts; to the end of the test if left out.",
    ),
    row(
        "flap",
        Is("duration"),
        "It comes and goes, each for so long.",
    ),
    row("only", Map(&LABEL_VALUES), "Only series with these labels."),
    row("base", Is("number"), "A new value."),
    row("rate", Is("rate"), "A new rate."),
    row("error_ratio", Is("ratio"), "A new share of errors."),
    row("latency", Is("latency"), "New latencies."),
    row(
        "spike",
        Is("spike"),
        "So many times as much, `10x`, or a new value or rate.",
    ),
    row(
        "ramp_to",
        Is("ramp"),
        "What it comes to at the end, little by little.",
    ),
    row("leak", Is("rate"), "How fast it grows: `10/m`."),
    row("outage", TRUE, "Nothing comes any more; targets are down."),
    row("reset", TRUE, "The counter begins at 0 again."),
    row("gap", TRUE, "There are no samples."),
    row("stale", TRUE, "The series ends, and is marked so."),
];

pub(super) const SEASON: &[Row] = &[
    row(
        "period",
        Is("duration"),
        "After what time it comes back: `24h`.",
    ),
    row(
        "amplitude",
        Is("ratio"),
        "How far it goes up and down: a share of the value.",
    ),
    row(
        "peak",
        Is("duration"),
        "When it is highest, after the start; after a quarter if left out.",
    ),
];

pub(super) const NATIVE: &[Row] = &[row(
    "schema",
    Is("whole"),
    "How fine the buckets are, from -4 to 8; 3 if left out.",
)];
