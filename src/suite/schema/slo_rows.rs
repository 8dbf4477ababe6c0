//! What stands behind the keys that are about objectives.

use super::rows::{Row, row};
use super::shape::Shape::{self, Either, Is, List, Map, Words};

const TEXT: Shape = Is("text");
const TEXTS: Shape = Map(&TEXT);
const VALUE: Shape = Either(&[Is("percentage"), Is("bounds")]);
const EMPTY: Shape = Words(&["good", "bad", "skip"]);

pub(super) const WARMUP: &[Row] = &[
    row("for", Is("duration"), "How much came before the test."),
    row(
        "rate",
        Is("rate"),
        "How many events, of all series of an objective together; the test's own mean if left out.",
    ),
    row(
        "error_ratio",
        Is("ratio"),
        "The share of them that is bad; 0 if left out.",
    ),
];

pub(super) const EXPECT_SLO: &[Row] = &[
    row("slo", TEXT, "Which objective."),
    row(
        "budget_left",
        Either(&[Is("percentage"), Is("budget_test")]),
        "Which part of the budget is left, at a moment or at the end of the test.",
    ),
    row(
        "budget_spent",
        Either(&[Is("percentage"), Is("budget_test")]),
        "Which part of the budget is spent, at a moment or at the end of the test.",
    ),
    row(
        "burn_rate",
        Is("burn_test"),
        "How fast the budget is spent: 1 spends it in just the objective's window.",
    ),
    row(
        "exhausted_at",
        Either(&[Words(&["never"]), Is("moment")]),
        "When all of the budget is spent first, or `never`.",
    ),
    row(
        "within",
        Is("duration"),
        "How far `exhausted_at` may be away; 0s if left out.",
    ),
    row(
        "pages_before",
        Is("pages_test"),
        "An alert fires before some part of the budget is spent.",
    ),
    row("alert", TEXT, "The alert of `pages_before`."),
    row(
        "labels",
        TEXTS,
        "Labels of the alert of `pages_before`, whose name others may share; `/pattern/` matches.",
    ),
    row(
        "history",
        Words(&["full", "observed"]),
        "What counts as all events where the test is shorter than the objective's window: the whole window, as if it went on without errors (`full`, the default), or only the test.",
    ),
];

pub(super) const BUDGET_TEST: &[Row] = &[
    row(
        "at",
        Is("moment"),
        "When; at the end of the test if left out.",
    ),
    row("value", VALUE, "What it is."),
    row(
        "tolerance",
        Is("percentage"),
        "How far the value may be away.",
    ),
    row("above", Is("percentage"), "It is more than this."),
    row("below", Is("percentage"), "It is less than this."),
    row("at_least", Is("percentage"), "It is this or more."),
    row("at_most", Is("percentage"), "It is this or less."),
];

pub(super) const BURN_TEST: &[Row] = &[
    row("window", Is("duration"), "Over what time."),
    row("peak", VALUE, "What the highest of the test is."),
    row(
        "at",
        Is("moment"),
        "When, where it is not the highest that is asked for.",
    ),
    row("value", VALUE, "What it is."),
    row(
        "tolerance",
        Is("percentage"),
        "How far the value may be away.",
    ),
    row("above", Is("percentage"), "It is more than this."),
    row("below", Is("percentage"), "It is less than this."),
    row("at_least", Is("percentage"), "It is this or more."),
    row("at_most", Is("percentage"), "It is this or less."),
];

pub(super) const PAGES_TEST: &[Row] = &[row(
    "budget_spent",
    Is("percentage"),
    "The part of the budget.",
)];

pub(super) const SLO: &[Row] = &[
    row("name", TEXT, "What it is called."),
    row("service", TEXT, "Whose service level it is."),
    row("description", TEXT, "What it is about."),
    row("labels", TEXTS, "Labels of it."),
    row(
        "objective",
        Is("percentage"),
        "Which share shall be good: `99.9%`.",
    ),
    row(
        "window",
        Either(&[Is("duration"), Is("slo_window")]),
        "Over what time: `30d`, or a stretch of the calendar.",
    ),
    row("good", TEXT, "Counters of good events, beside `total`."),
    row("bad", TEXT, "Counters of bad events, beside `total`."),
    row("total", TEXT, "Counters of all events."),
    row(
        "ratio",
        Is("slo_ratio"),
        "A query that yields a share between 0 and 1.",
    ),
    row(
        "latency",
        Is("slo_latency"),
        "A histogram, and how long a good event takes at most.",
    ),
    row(
        "threshold",
        Is("slo_threshold"),
        "A query whose samples are good as long as they compare so.",
    ),
    row(
        "boolean",
        TEXT,
        "A query whose samples are good unless they are 0.",
    ),
    row(
        "method",
        Either(&[Words(&["occurrences"]), Is("slo_method")]),
        "What counts: events (`occurrences`, the default), or slices of time.",
    ),
    row(
        "by",
        List(&TEXT),
        "Labels for each of whose values the objective holds by itself.",
    ),
];

pub(super) const SLO_WINDOW: &[Row] = &[
    row(
        "calendar",
        Words(&["day", "week", "month", "quarter", "year"]),
        "The stretch of the calendar.",
    ),
    row(
        "zone",
        TEXT,
        "The time zone, such as `Europe/Berlin`; UTC if left out.",
    ),
    row(
        "start",
        TEXT,
        "The day on which weeks begin; monday if left out.",
    ),
];

pub(super) const SLO_RATIO: &[Row] = &[
    row("good", TEXT, "It yields the share of the good."),
    row("bad", TEXT, "It yields the share of the bad."),
];

pub(super) const SLO_LATENCY: &[Row] = &[
    row(
        "histogram",
        TEXT,
        "Its buckets (`…_bucket`), or a native histogram.",
    ),
    row(
        "within",
        Is("observed"),
        "The limit, which is a bucket: `300ms`, or a number in the unit of the histogram.",
    ),
];

pub(super) const SLO_THRESHOLD: &[Row] = &[
    row("query", TEXT, "What is compared."),
    row("below", Is("number"), "A sample is good below this."),
    row(
        "at_most",
        Is("number"),
        "A sample is good at this or below.",
    ),
    row("above", Is("number"), "A sample is good above this."),
    row(
        "at_least",
        Is("number"),
        "A sample is good at this or above.",
    ),
];

pub(super) const SLO_METHOD: &[Row] = &[
    row(
        "timeslices",
        Is("slo_timeslices"),
        "Each slice of time is good or bad.",
    ),
    row(
        "ratio_timeslices",
        Is("slo_ratio_timeslices"),
        "Each slice of time counts by its share of bad events.",
    ),
];

pub(super) const SLO_TIMESLICES: &[Row] = &[
    row("slice", Is("duration"), "How long a slice is."),
    row(
        "target",
        Is("percentage"),
        "A slice is good whose share of good events is at least this.",
    ),
    row(
        "empty",
        EMPTY,
        "What a slice without events is; good if left out, for ratios skipped.",
    ),
];
